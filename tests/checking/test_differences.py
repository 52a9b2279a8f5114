"""Numerical derivatives: the error bars hold, for many functions at many points, and what is not smooth is recognised."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from gradcalc.checking.differences import LEVELS, Slopes, arrays_arithmetic, ladder, slopes, steps
from gradcalc.checking.scalars import ROUNDINGS, SMALLEST
from gradcalc.engine.scalar import guarded_forward
from gradcalc.graph import Operator
from tests.catalogue import ELEMENTWISE, defaults, gate, name_of, sample_points

Function = Callable[[float], float]

mpmath = pytest.importorskip("mpmath")

BARS = 3.0
"""How many error bars the verdicts allow; what is tested here is that a derivative is never further off."""

EPSILON = 2.0**-53

POINTS = [1e-9, 1e-6, 3e-4, 0.07, 0.5, 1.0, 2.5, 17.0, 1000.0, 1e6]

FUNCTIONS: dict[str, tuple[Function, Callable[[float], object]]] = {
    "x^2": (lambda x: x * x, lambda m: 2 * m),
    "x^5": (lambda x: x**5, lambda m: 5 * m**4),
    "1/x": (lambda x: 1 / x, lambda m: -1 / m**2),
    "1/(1+x^2)": (lambda x: 1 / (1 + x * x), lambda m: -2 * m / (1 + m * m) ** 2),
    "sqrt": (math.sqrt, lambda m: 1 / (2 * mpmath.sqrt(m))),
    "cbrt": (math.cbrt, lambda m: mpmath.cbrt(m) / (3 * m)),
    "log": (math.log, lambda m: 1 / m),
    "log1p": (math.log1p, lambda m: 1 / (1 + m)),
    "exp": (lambda x: math.exp(x) if x < 700 else math.inf, lambda m: mpmath.exp(m)),
    "exp(-x)": (lambda x: math.exp(-x) if x > -700 else math.inf, lambda m: -mpmath.exp(-m)),
    "sin": (math.sin, lambda m: mpmath.cos(m)),
    "sin(50x)": (lambda x: math.sin(50 * x), lambda m: 50 * mpmath.cos(50 * m)),
    "sin(1000x)": (lambda x: math.sin(1000 * x), lambda m: 1000 * mpmath.cos(1000 * m)),
    "tan": (math.tan, lambda m: 1 + mpmath.tan(m) ** 2),
    "tanh": (math.tanh, lambda m: 1 / mpmath.cosh(m) ** 2),
    "atan": (math.atan, lambda m: 1 / (1 + m * m)),
    "erf": (math.erf, lambda m: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-m * m)),
    "sin(1/x)": (lambda x: math.sin(1 / x), lambda m: -mpmath.cos(1 / m) / m**2),
    "1/(x-3)": (lambda x: 1 / (x - 3), lambda m: -1 / (m - 3) ** 2),
    "sin(sinh x)": (lambda x: math.sin(math.sinh(x)) if abs(x) < 700 else math.nan, lambda m: mpmath.cos(mpmath.sinh(m)) * mpmath.cosh(m)),
    "x*log(x)": (lambda x: x * math.log(x), lambda m: mpmath.log(m) + 1),
    "sqrt(1+x^2)": (lambda x: math.sqrt(1 + x * x), lambda m: m / mpmath.sqrt(1 + m * m)),
    "x^1.5": (lambda x: x * math.sqrt(x), lambda m: 1.5 * mpmath.sqrt(m)),
    "sum of frequencies": (lambda x: math.sin(x) + 1e-3 * math.sin(40 * x), lambda m: mpmath.cos(m) + mpmath.mpf(40 * 1e-3) * mpmath.cos(40 * m)),
}

CONDITION = {"sin(50x)": 50.0, "sin(1000x)": 1000.0, "sin(1/x)": 0.0, "sin(sinh x)": 0.0, "sum of frequencies": 1.0}
"""How many roundings of the point the inner function adds to the value (0: computed from the point)."""


def seen(function: Function, x: float, noise: float) -> Slopes:
    """What the ladder says of a function of floats."""

    def safe(t: float) -> float:
        try:
            return function(t)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    lengths = steps(x)
    above, below = [safe(x + h) for h in lengths], [safe(x - h) for h in lengths]
    return slopes(above, below, safe(x), lengths, 2.0 ** ladder(x)[1], noise)


def noise_of(name: str, function: Function, truth: float, x: float) -> float:
    """How far a value may be off: roundings of the result, and of an inner argument that the function magnifies."""
    inner = CONDITION.get(name, 1.0) and abs(x * truth)
    if name == "sin(1/x)":
        inner = abs(x * truth)
    if name == "sin(sinh x)":
        inner = abs(math.sinh(x) / math.cosh(x) * truth) if abs(x) < 700 else math.inf
    return EPSILON * (ROUNDINGS * abs(function(x)) + 2.0 * inner) + SMALLEST


def points_of(name: str) -> list[float]:
    rng = random.Random(name)
    found = list(POINTS)
    for _ in range(40):
        found.append(10.0 ** rng.uniform(-9, 6))
        found.append(rng.uniform(0.1, 3.2))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_bar_holds(name: str) -> None:
    function, derivative = FUNCTIONS[name]
    useful = 0
    for x in points_of(name):
        try:
            with mpmath.workdps(60):
                truth = float(derivative(mpmath.mpf(x)))  # type: ignore[arg-type]
            if not (math.isfinite(truth) and math.isfinite(function(x))):
                continue
        except (OverflowError, ZeroDivisionError, ValueError):
            continue
        noise = noise_of(name, function, truth, x)
        if not math.isfinite(noise):
            continue
        found = seen(function, x, noise)
        assert found.central.value != found.central.value or (
            not found.central.resolved or abs(found.central.value - truth) <= BARS * found.central.bar
        ), f"{name} at {x!r}: {found.central} is not {truth}"
        for side in (found.left, found.right):
            if side.value == side.value and side.resolved and math.isfinite(side.value):
                assert abs(side.value - truth) <= BARS * side.bar, f"{name} at {x!r}: {side} is not {truth}"
        useful += found.central.bar <= 1e-6 * abs(truth)
    assert useful >= 0.45 * len(points_of(name)), f"only {useful} of {len(points_of(name))} are sharp"
