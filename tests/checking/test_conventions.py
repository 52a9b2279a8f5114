"""Kinks on the way to an output: found, with the slopes of their two sides and what is answered."""

from __future__ import annotations

import math

import pytest

from gradcalc.checking.conventions import Kink, kinks
from gradcalc.engine.evaluate import backpropagate
from gradcalc.formula import Formula
from gradcalc.workspace import Workspace


def found(text: str, **values: object) -> list[Kink]:
    (formula,) = Workspace(values).formulas(text)
    assert isinstance(formula, Formula), formula
    evaluation = formula.evaluate()
    backpropagate(evaluation)
    return list(kinks(evaluation, formula.label))


@pytest.mark.parametrize(
    ("text", "x", "left", "right", "answer"),
    [
        ("abs(x)", 0.0, -1.0, 1.0, 0.0),
        ("relu(x)", 0.0, 0.0, 1.0, 0.0),
        ("max(x, 0)", 0.0, 0.0, 1.0, 0.5),
        ("min(x, 3)", 3.0, 1.0, 0.0, 0.5),
        ("leaky_relu(x)", 0.0, 0.01, 1.0, 0.01),
        ("elu(x, alpha=2)", 0.0, 2.0, 1.0, 2.0),
        ("clip(x, 0, 1)", 1.0, 1.0, 0.0, 1.0),
        ("hardtanh(x)", -1.0, 0.0, 1.0, 0.0),
        ("sqrt(x)", 0.0, math.nan, math.inf, math.inf),
        ("x % 3", 6.0, -math.inf, 1.0, 1.0),
        ("acos(x)", 1.0, -math.inf, math.nan, -math.inf),
        ("sign(x)", 0.0, math.inf, math.inf, 0.0),
    ],
)
def test_the_sides_and_the_answer(text: str, x: float, left: float, right: float, answer: float) -> None:
    (kink,) = found(text, x=x)
    (side,) = kink.sides
    assert kink.inputs[0] == x
    for told, expected in ((side.left, left), (side.right, right), (side.answer, answer)):
        assert told == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_smooth_points_are_no_kinks() -> None:
    assert found("x^2 + elu(x) + sin(x) + abs(y)", x=0.0, y=1.0) == []


@pytest.mark.parametrize("text", ["where(x > 0, x, 2*x)", "sum(where([x, x] > 0, x, 2*x))", "where(x == 0, 1, y)*y"])
def test_a_condition_that_jumps_decides_which_slope_it_is(text: str) -> None:
    (kink,) = found(text, x=0.0, y=1.0) if "y" in text else found(text, x=0.0)
    assert (kink.gate.name in (">", "=="), kink.sides) == (True, ())
    assert kink.words.endswith("the slope is that of the side taken")


def test_gates_off_the_way_do_not_count() -> None:
    assert found("where(abs(x) < 1, y, 0)", x=0.0, y=2.0) == []


def test_arrays_say_how_many_elements_are_concerned() -> None:
    (kink,) = found("sum(relu(x))", x=[[0.0, 1.0], [-1.0, 0.0]])
    assert (kink.elements, kink.inputs) == (2, (0.0,))
    (tie,) = found("max(x)", x=[1.0, 1.0])
    assert tie.others["JAX"] == "equal shares among ties (ties)"


def test_every_library_is_told_by_its_name() -> None:
    (kink,) = found("abs(x)", x=0.0)
    assert kink.sides[0].others == {"PyTorch": 0.0, "JAX": 1.0, "autograd": 0.0, "CasADi": 0.0, "SymPy": 0.0}


def test_a_negative_base_has_an_edge_in_the_exponent_only() -> None:
    (kink,) = found("a^b", a=-2.0, b=3.0)
    base, exponent = kink.sides
    assert (kink.kind, base.left, base.right, base.answer) == ("edge", 12.0, 12.0, 12.0)
    assert math.isnan(exponent.left) and math.isnan(exponent.answer)
    assert exponent.others["SymPy"] == "complex"
    assert found("a^2", a=-2.0) == []
