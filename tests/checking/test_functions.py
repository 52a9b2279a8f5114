"""Functions: their values with what rounding may do to them, told by error bars that hold."""

from __future__ import annotations

import math
import random

import numpy
import pytest

from gradcalc.checking.functions import BEYOND, NOWHERE, SIMPLE, Function, function_of
from gradcalc.formula import Formula
from gradcalc.workspace import Options, Workspace

pytest.importorskip("mpmath")


def function(text: str, **values: object) -> Function:
    (formula,) = Workspace(values, Options(seed=1)).formulas(text, optional=True)
    assert isinstance(formula, Formula), formula
    return function_of(formula.graph, formula.inputs, formula._typical(), formula.makers)


@pytest.mark.parametrize(
    "text",
    [
        "x*y + sin(x)",
        "(x - y)*(x + y) - x^2 + y^2",
        "exp(x)/exp(y)",
        "log(x^2 + 1) - log(y^2 + 1)",
        "1 - cos(x*1e-4)",
        "x^5 - y^5",
        "tanh(x)",
    ],
)
def test_the_value_is_within_its_noise_of_the_truth(text: str) -> None:
    made = function(text)
    rng = random.Random(text)
    for _ in range(50):
        point = {"x": rng.uniform(-4, 4), "y": rng.uniform(-4, 4)}
        told = made.read(point)
        assert told.kind == SIMPLE
        assert abs(told.value - made.read_exactly(point).value) <= told.noise


def test_the_noise_of_arrays_holds_for_sums_that_cancel() -> None:
    rng = numpy.random.default_rng(1)
    x = rng.normal(size=(20, 20)) * 1e6
    made = function("sum(x - x.T) + 1", x=x)
    told = made.read({"x": x})
    assert abs(told.value - 1.0) <= told.noise < 1e-3


def test_a_value_that_is_none_says_why() -> None:
    assert function("sqrt(x)").read({"x": -1.0}).kind == NOWHERE
    assert function("asin(x) + 1").read({"x": 2.0}).kind == NOWHERE
    assert function("x/x").read({"x": 0.0}).kind == BEYOND
    assert function("exp(x)/exp(x)").read({"x": 1000.0}).kind == BEYOND
    assert function("1/x").read({"x": 0.0}).kind == BEYOND


def test_derivatives_are_functions_of_any_order() -> None:
    made = function("x^3*y")
    first = made.derivative(made.input_nodes()["x"])
    second = first.derivative(first.input_nodes()["x"])
    third = second.derivative(second.input_nodes()["y"])
    point = {"x": 2.0, "y": 5.0}
    assert [f.read(point).value for f in (first, second, third)] == [60.0, 60.0, 12.0]
    assert made.derivative(made.input_nodes()["y"]).derivative(0).inputs == ("x",)


def test_derivatives_of_arrays_have_shapes() -> None:
    made = function("sum(x @ w)", x=[[1, 2, 3], [4, 5, 6]], w=[1, 2, 3])
    derivative = made.derivative(made.input_nodes()["w"])
    assert derivative.shape == (3,)
    value = derivative.read({"x": numpy.array([[1.0, 2, 3], [4, 5, 6]]), "w": numpy.ones(3)}).value
    assert value.tolist() == [5.0, 7.0, 9.0]


def test_inputs_without_derivative_are_known() -> None:
    assert function("where(c, x, y)").fixed() == {"c"}
    assert function("sum(reshape(x, n, 2))", x=[1, 2, 3, 4], n=2).fixed() == {"n"}
    assert function("x*y").fixed() == set()


def test_what_underflows_is_not_taken_for_exact() -> None:
    told = function("x*x").read({"x": 1e-170})
    assert told.value == 0.0
    assert told.noise > 0.0
    assert math.isfinite(told.noise)
