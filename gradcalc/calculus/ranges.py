"""Between which numbers the nodes of a graph lie, whatever its inputs are: what can never be 0 may be divided by."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, pi, sqrt
from typing import NamedTuple

from gradcalc.graph import CONSTANT, Graph


class Range(NamedTuple):
    """All numbers from `low` to `high`; whether a result is nan is not said."""

    low: float
    high: float

    def within(self, low: float, high: float) -> bool:
        """Whether all of it lies between two numbers."""
        return low <= self.low and self.high <= high

    def has_zero(self) -> bool:
        """Whether 0 is among the numbers."""
        return self.low <= 0.0 <= self.high


EVERYTHING = Range(-inf, inf)


def ranges(graph: Graph) -> list[Range]:
    """For each node of a graph of numbers the range of its values, from those of its inputs; rounding is allowed for."""
    found: list[Range] = []
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        if code == CONSTANT and isinstance(graph.constant(node), float):
            value = graph.constant(node)
            found.append(Range(value, value) if value == value else EVERYTHING)
        elif gate is None:
            found.append(EVERYTHING)
        else:
            sources = graph.inputs(node)
            rule = _RULES.get(gate.name)
            inner = [found[source] for source in sources]
            answer = EVERYTHING if rule is None else rule(*inner)
            if gate.name == "*" and sources[0] == sources[1]:
                answer = _square(inner[0])
            found.append(answer if answer.low <= answer.high else EVERYTHING)
    return found


def _sum(a: Range, b: Range) -> Range:
    return _sure(a.low + b.low, a.high + b.high)


def _difference(a: Range, b: Range) -> Range:
    return _sure(a.low - b.high, a.high - b.low)


def _sure(low: float, high: float) -> Range:
    """A range whose ends may have come out nan, as inf - inf does."""
    return Range(low if low == low else -inf, high if high == high else inf)


def _product(a: Range, b: Range) -> Range:
    products = [x * y if x and y else 0.0 for x in a for y in b]
    return Range(min(products), max(products))


def _quotient(a: Range, b: Range) -> Range:
    if b.has_zero():
        # Also 0 at the end: a small divisor of the other sign may be rounded to it.
        return EVERYTHING
    return _product(a, Range(1.0 / b.high, 1.0 / b.low))


def _square(a: Range) -> Range:
    ends = (a.low * a.low, a.high * a.high)
    return Range(0.0 if a.has_zero() else min(ends), max(ends))


def _absolute(a: Range) -> Range:
    ends = (abs(a.low), abs(a.high))
    return Range(0.0 if a.has_zero() else min(ends), max(ends))


def _exponential(a: Range) -> Range:
    # Anything below 0 may be as small as to be rounded to 0.
    return Range(1.0 if a.low >= 0.0 else 0.0, 1.0 if a.high <= 0.0 else inf)


def _larger(*inner: Range) -> Range:
    return Range(max(one.low for one in inner), max(one.high for one in inner))


def _smaller(*inner: Range) -> Range:
    return Range(min(one.low for one in inner), min(one.high for one in inner))


def _choice(condition: Range, yes: Range, no: Range) -> Range:
    return Range(min(yes.low, no.low), max(yes.high, no.high))


def _root(a: Range) -> Range:
    return Range(sqrt(max(a.low, 0.0)), sqrt(max(a.high, 0.0)))


def _at_least_zero(*inner: Range) -> Range:
    return Range(0.0, inf)


def _between(low: float, high: float) -> Callable[..., Range]:
    return lambda *inner: Range(low, high)


_RULES: dict[str, Callable[..., Range]] = {
    "=": lambda a: a,
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "neg": lambda a: Range(-a.high, -a.low),
    "square": _square,
    "abs": _absolute,
    "exp": _exponential,
    "exp2": _exponential,
    "max": _larger,
    "min": _smaller,
    "where": _choice,
    "sqrt": _root,
    "hypot": _at_least_zero,
    "relu": _at_least_zero,
    "softplus": _at_least_zero,
    "cosh": _between(1.0, inf),
    "sigmoid": _between(0.0, 1.0),
    "tanh": _between(-1.0, 1.0),
    "erf": _between(-1.0, 1.0),
    "erfc": _between(0.0, 2.0),
    "sin": _between(-1.0, 1.0),
    "cos": _between(-1.0, 1.0),
    "sign": _between(-1.0, 1.0),
    "atan": _between(-pi / 2, pi / 2),
    "atan2": _between(-pi, pi),
    **{name: _between(0.0, 1.0) for name in ("<", "<=", ">", ">=", "==", "!=")},
}
