"""Float functions with IEEE answers, for the points where Python's `math` raises instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import copysign, inf, nan
from typing import Any


def divide(a: float, b: float) -> float:
    """a/b, with infinities and nan at b = 0."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0.0 or a != a:
            return nan
        return copysign(inf, a) * copysign(1.0, b)


def power(a: float, b: float) -> float:
    """a^b as C's pow: infinities at poles and on overflow, nan for a fractional power of a negative number."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0.0 and math.fmod(b, 2.0) in (1.0, -1.0) else inf
    except ValueError:
        if a == 0.0:
            return copysign(inf, a) if math.fmod(b, 2.0) in (1.0, -1.0) else inf
        return nan


def remainder(a: float, b: float) -> float:
    """a - b·floor(a/b), nan at b = 0."""
    try:
        return a % b
    except ZeroDivisionError:
        return nan


def whole(function: Callable[[float], float]) -> Callable[[float], float]:
    """`math.floor`, `math.ceil` or `round` with float results, that lets infinities and nan through."""

    def rounded(x: float) -> float:
        # Python's functions make an int, which loses the sign of zero.
        return copysign(float(function(x)), x) if -inf < x < inf else x

    return rounded


def guarded(function: Callable[..., float], otherwise: Any) -> Callable[..., float]:
    """The function, answering as IEEE arithmetic does where `math` raises.

    `otherwise` is the answer there, or a function of the same arguments; without it overflow is inf and a domain error nan.
    """

    def call(*arguments: float, **attributes: Any) -> float:
        try:
            return function(*arguments, **attributes)
        except OverflowError:
            fallback = inf if otherwise is None else otherwise
        except (ValueError, ZeroDivisionError):
            fallback = nan if otherwise is None else otherwise
        return fallback(*arguments, **attributes) if callable(fallback) else fallback

    return call


def sign(x: float) -> float:
    """-1, 0 or 1; nan stays nan."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


def sigmoid(x: float) -> float:
    """1/(1 + exp(-x)) without overflow, right far out on both sides."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


def softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return math.log1p(math.exp(-abs(x))) + (x if x > 0.0 else 0.0)


def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)) without overflow."""
    if a == b:
        return a + math.log(2.0)
    if a != a or b != b:
        return nan
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def maximum(*values: float) -> float:
    """The largest; nan if any is nan."""
    best = values[0]
    for value in values:
        if value > best or value != value:
            best = value
        if best != best:
            return nan
    return best


def minimum(*values: float) -> float:
    """The smallest; nan if any is nan."""
    return -maximum(*(-value for value in values))
