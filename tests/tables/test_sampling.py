"""Formulas on a grid: values, derivatives, and where a curve is broken."""

from __future__ import annotations

import numpy
import pytest

from gradcalc.formula import Formula
from gradcalc.tables.sampling import Sampled, limits, pieces, sample, thinned
from gradcalc.workspace import Workspace


def sampled(text: str, **axes: numpy.ndarray) -> Sampled:
    (formula,) = Workspace().formulas(text, optional=True)
    assert isinstance(formula, Formula)
    graph, shapes = formula.prepared()
    return sample(text, graph, shapes, formula.inputs, [0.0] * len(formula.inputs), axes)


def test_values_and_derivatives_on_a_line() -> None:
    xs = numpy.linspace(-3, 3, 61)
    found = sampled("sin(x)*x", x=xs)
    assert found.values == pytest.approx(numpy.sin(xs) * xs, rel=1e-14)
    assert found.slopes[0] == pytest.approx(numpy.cos(xs) * xs + numpy.sin(xs), rel=1e-12)


def test_values_on_a_plane_have_rows_for_the_second_input() -> None:
    xs, ys = numpy.linspace(0, 1, 4), numpy.linspace(1, 3, 7)
    found = sampled("x - y^2", x=xs, y=ys)
    assert found.values.shape == (7, 4)
    assert found.values == pytest.approx(xs[None, :] - ys[:, None] ** 2)
    assert found.slopes[1] == pytest.approx(numpy.broadcast_to(-2 * ys[:, None], (7, 4)))


def test_a_program_with_arrays_is_sampled_point_by_point() -> None:
    xs = numpy.linspace(0, 1, 5)
    assert sampled("sum([x, 2, x^2])", x=xs).values == pytest.approx(xs + 2 + xs**2)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("sin(x)", 1),
        ("tan(x)", 3),
        ("1/x", 2),
        ("1/x^2", 1),
        ("floor(x)", 6),
        ("sqrt(x)", 1),
        ("cbrt(x)", 1),
        ("abs(x)", 1),
        ("exp(5*x)", 1),
        ("where(x < 0, x, x + 1)", 2),
    ],
)
def test_curves_are_broken_at_poles_and_jumps_alone(text: str, count: int) -> None:
    xs = numpy.linspace(-2.98, 2.97, 600)
    found = sampled(text, x=xs)
    assert len(pieces(xs, found.values, found.slopes[0])) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("sin(x)", 1),
        ("tanh(9*x)", 1),
        ("abs(x)", 2),
        ("relu(x)", 2),
        ("relu(x)^2", 1),
        ("1/x^2", 2),
        ("max(x, x^2)", 3),
        ("exp(2*x)", 1),
    ],
)
def test_derivatives_are_broken_where_they_jump(text: str, count: int) -> None:
    xs = numpy.linspace(-2.98, 2.97, 600)
    found = sampled(text, x=xs)
    assert len(pieces(xs, found.slopes[0], found.bends)) == count


def test_a_kink_at_a_sample_breaks_the_derivative_on_both_sides() -> None:
    xs = numpy.linspace(-1, 1, 101)
    found = sampled("abs(x)", x=xs)
    assert [len(part) for part, _ in pieces(xs, found.slopes[0], found.bends)] == [50, 1, 50]


def test_there_is_no_derivative_where_there_is_no_value() -> None:
    found = sampled("log(x)", x=numpy.linspace(-1, 1, 5))
    assert numpy.isnan(found.slopes[0]).tolist() == [True, True, True, False, False]


def test_limits_leave_poles_out_and_nothing_else() -> None:
    xs = numpy.linspace(-2.98, 2.97, 600)
    low, _, beyond = limits(1 / xs)
    assert beyond
    assert -100 < low < -3
    assert limits(xs**2)[2] is False
    assert limits(numpy.exp(xs))[2] is False
    assert limits(numpy.array([5.0, 5.0])) == (4.5, 5.5, False)
    assert limits(numpy.array([numpy.nan])) == (-1.0, 1.0, False)


def test_a_long_curve_is_thinned_without_losing_its_peaks() -> None:
    xs = numpy.linspace(0, 1, 100_003)
    ys = numpy.sin(50 * xs)
    ys[77_777] = 9.0
    few_xs, few_ys = thinned(xs, ys, 200)
    assert 200 <= len(few_xs) <= 402
    assert few_ys.max() == 9.0
    assert (numpy.diff(few_xs) > 0).all()
    assert (few_xs[0], few_xs[-1]) == (0, 1)
    assert len(thinned(xs[:100], ys[:100], 200)[0]) == 100
