"""What first order leaves out: moments of second order, Monte Carlo, and when a doubt is raised."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.uncertainty.propagate import Propagation
from tests.uncertainty.test_first_order import correlation, result_of


def propagated(text: str, correlations: Any = (), draws: int | None = None, **inputs: Any) -> Propagation:
    found = result_of(text, inputs, correlations, monte_carlo=draws, seed=1).propagation
    assert found is not None
    return found


# Moments of polynomials of normal numbers are known.
POLYNOMIALS = [
    ("x^2", {"x": (0.0, 0.1)}, (), 0.01, math.sqrt(2) * 0.01),
    ("x^2", {"x": (3.0, 0.1)}, (), 9.01, math.sqrt(0.6**2 + 2e-4)),
    ("x*y", {"x": (0.0, 1.0), "y": (0.0, 2.0)}, (), 0.0, 2.0),
    ("x*y", {"x": (0.0, 1.0), "y": (0.0, 2.0)}, [("x", "y", 0.5)], 1.0, 2.0 * math.sqrt(1.25)),
    ("x^2 + y^2 + x*y", {"x": (1.0, 0.2), "y": (-1.0, 0.1)}, (), 1.05, math.sqrt(0.05 + 2 * (0.2**4 + 0.1**4) + 0.0004)),
]


@pytest.mark.parametrize(("text", "inputs", "pairs", "mean", "uncertainty"), POLYNOMIALS)
def test_second_order_is_exact_for_quadratic_formulas(
    text: str, inputs: dict[str, Any], pairs: Any, mean: float, uncertainty: float
) -> None:
    correlations = [correlation(*pair) for pair in pairs]
    found = propagated(text, correlations, 200_000, **inputs)
    assert found.second is not None
    assert found.second == pytest.approx((mean, uncertainty), rel=1e-12)
    assert found.drawn is not None
    assert found.drawn.mean == pytest.approx(mean, abs=5 * uncertainty / math.sqrt(200_000))
    assert found.drawn.uncertainty == pytest.approx(uncertainty, rel=0.02)


def test_second_order_of_arrays_is_that_of_their_elements() -> None:
    vector = propagated(
        "sum(x*x*w)", x=(numpy.array([1.0, -2.0]), numpy.array([0.3, 0.1])), w=(numpy.array([2.0, 1.0]), numpy.array([0.1, 0.2]))
    )
    scalar = propagated("a*a*c + b*b*d", a=(1.0, 0.3), b=(-2.0, 0.1), c=(2.0, 0.1), d=(1.0, 0.2))
    assert vector.second is not None
    assert vector.second == pytest.approx(scalar.second, rel=1e-12)
    assert vector.first.uncertainty == pytest.approx(scalar.first.uncertainty)


@pytest.mark.parametrize(
    ("text", "inputs", "kind", "name"),
    [
        ("x^2", {"x": (0.0, 0.1)}, "curved", ""),
        ("x*y", {"x": (0.0, 0.1), "y": (0.0, 0.1)}, "curved", ""),
        ("exp(x)", {"x": (0.0, 1.0)}, "curved", ""),
        ("sin(x)/x", {"x": (1e-3, 0.1)}, "curved", ""),
        ("abs(x)", {"x": (0.0, 0.1)}, "bent", "x"),
        ("abs(x) + 3*y", {"x": (0.02, 0.1), "y": (1.0, 0.01)}, "bent", "x"),
        ("relu(x)", {"x": (-0.01, 0.1)}, "bent", "x"),
        ("cbrt(x)", {"x": (0.0, 0.1)}, "bent", "x"),
        ("sqrt(x) + y", {"x": (0.0, 0.1), "y": (1.0, 0.01)}, "outside", "x"),
        ("log(x)", {"x": (0.05, 0.1)}, "outside", "x"),
        ("max(v)", {"v": (numpy.array([1.0, 1.0, 0.0]), 0.1 * numpy.ones(3))}, "bent", "v"),
        ("abs(v)", {"v": (numpy.array([0.0, 5.0]), numpy.array([0.1, 0.1]))}, "bent", "v"),
    ],
)
def test_a_doubt_is_raised(text: str, inputs: dict[str, Any], kind: str, name: str) -> None:
    found = propagated(text, **inputs)
    assert found.doubt is not None
    assert found.doubt.kind == kind
    assert (found.doubt.axis.name if found.doubt.axis else "") == name


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("4*pi^2*L/T^2", {"L": (0.995, 0.002), "T": (2.001, 0.005)}),
        ("x^2", {"x": (3.0, 0.1)}),
        ("abs(x)", {"x": (1.0, 0.1)}),
        ("x - x", {"x": (0.1, 0.1)}),
        ("(x + 1) - x", {"x": (1e8, 0.1)}),
        ("x", {"x": (1.0, 0.0)}),
        ("v*2", {"v": (numpy.array([0.0, 5.0]), numpy.array([0.1, 0.1]))}),
        ("abs(x)*0 + 5*y", {"x": (0.0, 0.1), "y": (1.0, 0.1)}),
        ("1e-3*abs(x) + 5*y", {"x": (0.0, 0.1), "y": (1.0, 0.1)}),
    ],
)
def test_no_doubt_without_reason(text: str, inputs: dict[str, Any]) -> None:
    found = propagated(text, draws=20_000, **inputs)
    assert found.doubt is None
    assert not found.contradicted


def test_monte_carlo_follows_correlations_between_elements() -> None:
    pair = [correlation("x", "y", -0.8)]
    errors = numpy.array([0.3, 0.1])
    found = propagated("x + y", pair, 50_000, x=(numpy.zeros(2), errors), y=(numpy.zeros(2), 2 * errors))
    assert found.drawn is not None
    assert found.drawn.uncertainty == pytest.approx(found.first.uncertainty, rel=0.03)
    assert found.first.uncertainty == pytest.approx(errors * math.sqrt(1 + 4 - 2 * 2 * 0.8))


def test_correlations_of_one_leave_nothing_in_monte_carlo_either() -> None:
    pairs = [correlation("x", "y", 1.0), correlation("y", "z", 1.0), correlation("x", "z", 1.0)]
    found = propagated("x + y - 2*z", pairs, 1000, x=(1.0, 0.1), y=(1.0, 0.1), z=(1.0, 0.1))
    assert found.drawn is not None
    assert found.drawn.uncertainty < 1e-8


def test_monte_carlo_is_repeatable_and_counts_what_is_lost() -> None:
    first, again = (propagated("sqrt(x)", draws=1000, x=(0.0, 1.0)).drawn for _ in range(2))
    assert first == again
    assert first is not None
    assert 400 < first.lost < 600
    assert 0.0 < first.low < first.mean < first.high
    nothing = propagated("sqrt(x)", draws=100, x=(-100.0, 1.0)).drawn
    assert nothing is not None
    assert nothing.lost == 100
    assert math.isnan(nothing.mean)


def test_monte_carlo_contradicts_where_first_order_is_off() -> None:
    assert propagated("abs(x)", draws=1000, x=(0.0, 0.1)).contradicted
    assert propagated("exp(x)", draws=1000, x=(0.0, 1.0)).contradicted
    assert not propagated("exp(x)", draws=1000, x=(0.0, 0.01)).contradicted


def test_more_numbers_than_are_looked_at() -> None:
    found = propagated("sum(square(v))", v=(numpy.zeros(300), numpy.ones(300)))
    assert (found.second, found.doubt, found.looked) == (None, None, False)
