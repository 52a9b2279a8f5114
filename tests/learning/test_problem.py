"""Functions to be made small: values, gradients, Hessians, bounds, and which inputs count."""

from __future__ import annotations

import math

import numpy
import pytest

from gradcalc.learning.problem import Bound, flattened, flows, norm, unflattened
from tests.learning.problems import ROSENBROCK, formula, problem


def test_a_hessian_of_numbers_is_the_one_by_hand() -> None:
    x, y = -1.2, 1.0
    expected = [[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200]]
    numpy.testing.assert_allclose(problem(ROSENBROCK, x=x, y=y).hessian([x, y]), expected, rtol=1e-13)


def test_a_hessian_over_arrays_and_numbers_is_the_derivative_of_the_gradient() -> None:
    rng = numpy.random.default_rng(0)
    values = {"W": rng.standard_normal((2, 3)), "b": 0.3, "v": rng.standard_normal(2)}
    given = problem("sum(sigmoid(v @ W + b)^2) + prod(v)*b", **values)
    here = flattened(given.start)
    found = given.hessian(given.start)
    for place in range(len(here)):
        step = numpy.zeros(len(here))
        step[place] = 1e-5
        above = flattened(given.slopes(unflattened(here + step, given.start))[1])
        below = flattened(given.slopes(unflattened(here - step, given.start))[1])
        numpy.testing.assert_allclose(found[place], (above - below) / 2e-5, atol=1e-8)
    numpy.testing.assert_array_equal(found, found.T)


def test_a_hessian_of_a_straight_line_is_zero() -> None:
    assert problem("2*x + 3*y", x=1.0, y=2.0).hessian([1.0, 2.0]).tolist() == [[0, 0], [0, 0]]


def test_numerical_slopes_are_the_slopes() -> None:
    given = problem("sum(exp(w))*a", w=numpy.array([[0.1, 0.2], [-1.0, 2.0]]), a=3.0)
    start = given.start
    for found, expected in zip(given.numerical_slopes(start)[1], given.slopes(start)[1]):
        numpy.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_length_does_not_overflow_before_its_result() -> None:
    assert norm([3e200, numpy.array([0.0, 4e200])]) == pytest.approx(5e200)
    assert norm([3.0, numpy.array([4.0])]) == 5.0
    assert math.isnan(norm([math.nan, numpy.array([1.0])]))


def test_a_gradient_that_pushes_against_a_bound_does_not_count() -> None:
    given = problem("x + y + sum(w)", bounds=[Bound(0.0, 1.0), None, Bound(0.0, 1.0)], x=0.0, y=0.0, w=numpy.array([0.0, 0.5]))
    free = given.free(given.start, [1.0, 1.0, numpy.array([1.0, 1.0])])
    assert free[:2] == [0.0, 1.0]
    assert free[2].tolist() == [0.0, 1.0]
    uphill = problem("x", True, bounds=[Bound(0.0, 1.0)], x=1.0)
    assert uphill.free([1.0], [1.0]) == [0.0]
    assert uphill.free([0.0], [1.0]) == [1.0]


def test_a_derivative_flows_neither_through_conditions_nor_jumps_nor_sizes() -> None:
    found = formula("where(c > 0, x, floor(j)) + sum(zeros(n))", c=1.0, x=2.0, j=3.0, n=4.0)
    names = {found.inputs[number] for number in flows(found.graph)}
    assert names == {"x"}
    assert {found.inputs[number] for number in flows(found.graph, slopes=False)} == {"c", "x", "j"}
