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
from tests.catalogue import ELEMENTWISE, defaults, name_of, sample_points

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
    "sin(sinh x)": (
        lambda x: math.sin(math.sinh(x)) if abs(x) < 50 else math.nan,
        lambda m: mpmath.cos(mpmath.sinh(m)) * mpmath.cosh(m) if abs(m) < 50 else mpmath.nan,
    ),
    "x*log(x)": (lambda x: x * math.log(x), lambda m: mpmath.log(m) + 1),
    "sqrt(1+x^2)": (lambda x: math.sqrt(1 + x * x), lambda m: m / mpmath.sqrt(1 + m * m)),
    "x^1.5": (lambda x: x * math.sqrt(x), lambda m: 1.5 * mpmath.sqrt(m)),
    "sum of frequencies": (
        lambda x: math.sin(x) + 1e-3 * math.sin(40 * x),
        lambda m: mpmath.cos(m) + mpmath.mpf(40 * 1e-3) * mpmath.cos(40 * m),
    ),
    "elu": (lambda x: x if x > 0 else math.expm1(x), lambda m: 1),
    "x*abs(x)": (lambda x: x * abs(x), lambda m: 2 * m),
    "2x+x*abs(x)": (lambda x: 2 * x + x * abs(x), lambda m: 2 + 2 * m),
    "max(x,0)^3+x": (
        lambda x: x + (x - 0.3) ** 3 if x > 0.3 else x,
        lambda m: 1 + (3 * (m - mpmath.mpf(0.3)) ** 2 if m > 0.3 else 0),
    ),
}
"""Each with its derivative; some have a kink in a higher derivative, which a wide stencil reaches."""

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
        inner = abs(math.sinh(x) / math.cosh(x) * truth) if abs(x) < 50 else math.inf
    return EPSILON * (ROUNDINGS * abs(function(x)) + 2.0 * inner) + SMALLEST


def points_of(name: str) -> list[float]:
    rng = random.Random(name)
    found = list(POINTS)
    for _ in range(20):
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
        if not noise <= 1e-3 * abs(function(x)):
            continue  # a sine of a huge number: nothing is left of it but rounding
        central, left, right = seen(function, x, noise)
        if central.resolved:
            assert abs(central.value - truth) <= BARS * central.bar, f"{name} at {x!r}: {central} is not {truth}"
        for side in (left, right):
            if side.resolved and side.bar <= 0.1 * abs(side.value):
                assert abs(side.value - truth) <= BARS * side.bar, f"{name} at {x!r}: {side} is not {truth}"
        useful += central.bar <= 1e-6 * abs(truth)
    assert useful >= 0.45 * len(points_of(name)), f"only {useful} of {len(points_of(name))} are sharp"


def test_a_finer_step_is_never_further_than_a_thousandth_of_the_point() -> None:
    for x in (0.0, 1e-300, 1e-9, 1.0, 1000.0, 1e300):
        lengths = steps(x)
        assert len(lengths) == LEVELS
        assert lengths == sorted(lengths)
        assert lengths[0] <= max(abs(x), 1e-9) * 1e-3


def test_steps_are_exactly_representable() -> None:
    rng = random.Random(2)
    for _ in range(1000):
        x = rng.choice((-1, 1)) * 10.0 ** rng.uniform(-12, 12)
        for h in steps(x)[:12]:
            assert ((x + h) - x == h and x - (x - h) == h) or h > abs(x)


@pytest.mark.parametrize(
    ("function", "x", "left", "right"),
    [
        (abs, 0.0, -1.0, 1.0),
        (lambda x: max(x, 0.0), 0.0, 0.0, 1.0),
        (lambda x: max(x, 3.0) * 2, 3.0, 0.0, 2.0),
        (lambda x: abs(x - 1e-3) + x, 1e-3, 0.0, 2.0),
        (lambda x: x if x < 1 else x * x, 1.0, 1.0, 2.0),
        (lambda x: math.exp(abs(x)), 0.0, -1.0, 1.0),
        (math.floor, 2.0, math.inf, 0.0),
        (lambda x: -1.0 if x < 0 else float(x > 0), 0.0, math.inf, math.inf),
        (math.cbrt, 0.0, math.inf, math.inf),
        (lambda x: -math.sqrt(abs(x)), 0.0, math.inf, -math.inf),
        (math.sqrt, 0.0, math.nan, math.inf),
        (lambda x: math.sqrt(-x), 0.0, -math.inf, math.nan),
        (math.acos, 1.0, -math.inf, math.nan),
        (lambda x: x * math.sqrt(x), 0.0, math.nan, 0.0),
    ],
)
def test_slopes_at_kinks_edges_and_jumps(function: Function, x: float, left: float, right: float) -> None:
    found = seen(function, x, EPSILON * ROUNDINGS * abs(function(x)) + SMALLEST)
    for side, expected in ((found.left, left), (found.right, right)):
        if math.isfinite(expected):
            assert abs(side.value - expected) <= max(BARS * side.bar, 1e-12) <= 1e-5, side
        else:
            assert side.value == expected or (side.value != side.value and expected != expected), side


def test_a_kink_nearby_is_not_taken_for_one_here() -> None:
    """The walk stops in front of it: the slope is that of this side, and it is sharp."""
    for distance in (0.5, 1e-2, 1e-4, 1e-6):
        found = seen(abs, distance, EPSILON * distance)
        assert abs(found.central.value - 1.0) <= BARS * found.central.bar <= 1e-3
        assert abs(found.left.value - 1.0) <= BARS * found.left.bar


@pytest.mark.parametrize("record", ELEMENTWISE, ids=name_of)
def test_arrays_and_floats_say_the_same(record: object) -> None:
    """The walk in NumPy over many points at once is the walk in floats, point by point."""
    import numpy

    from gradcalc.gates import Gate

    assert isinstance(record, Gate)
    count = record.arity[0]
    function = guarded_forward(Operator(record, defaults(record), count))
    points = list(sample_points(record, count, 5))
    alone, columns = [], []
    for point in points:
        lengths = steps(point[0])
        above = [function(point[0] + h, *point[1:]) for h in lengths]
        below = [function(point[0] - h, *point[1:]) for h in lengths]
        center = function(*point)
        ratio, noise = 2.0 ** ladder(point[0])[1], ROUNDINGS * EPSILON * abs(center) + SMALLEST
        alone.append(slopes(above, below, center, lengths, ratio, noise))
        columns.append((above, below, center, lengths, ratio, noise))
    above, below, center, lengths, ratio, noise = (numpy.array(column).T for column in zip(*columns))
    with numpy.errstate(all="ignore"):
        together = slopes(above, below, center, lengths, ratio, noise, arrays_arithmetic())
    for number, one in enumerate(alone):
        for mine, theirs in zip(one, together):
            for a, b in zip(mine, theirs):
                assert a == pytest.approx(float(b[number]), rel=1e-12, nan_ok=True)


def test_a_zero_is_no_kink() -> None:
    found = seen(math.sin, 0.0, SMALLEST)
    assert abs(found.central.value - 1.0) <= BARS * found.central.bar <= 1e-9
