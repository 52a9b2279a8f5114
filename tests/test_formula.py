"""Outputs as formulas: their own graph, the names and values of their inputs, values that are no single ones."""

from __future__ import annotations

import numpy
import pytest

from gradcalc.errors import BindingProblem, GradcalcError, ShapeProblem
from gradcalc.formula import Formula, Interval, Measured, Points
from gradcalc.language.values import parse_value
from gradcalc.workspace import Workspace

ALL = ("range", "grid", "uncertain")


def formulas(text: str, kinds: tuple[str, ...] = ALL, optional: bool = True, **values: str) -> list[Formula | GradcalcError]:
    workspace = Workspace({name: parse_value(value, f"--{name}") for name, value in values.items()})
    return list(workspace.formulas(text, kinds=kinds, optional=optional))


def formula(text: str, **values: str) -> Formula:
    (made,) = formulas(text, **values)
    assert isinstance(made, Formula)
    return made


def problem(text: str, kinds: tuple[str, ...] = ALL, optional: bool = True, **values: str) -> GradcalcError:
    found = [made for made in formulas(text, kinds, optional, **values) if isinstance(made, GradcalcError)]
    assert len(found) == 1
    return found[0]


def test_a_formula_knows_its_inputs_and_their_values() -> None:
    made = formula("c = 2; s = a*x + c; s^2", a="0..1", x="0..1:11")
    assert made.inputs == ("c", "a", "x")
    assert made.values == [2.0, Interval(0, 1), Points(0, 1, 11)]
    assert made.default == (True, False, False)
    assert made.graph.codes[made.input_node(1)] == 0
    assert made.names[made.node("s") or -1] == "s"
    assert made.node("t") is None


def test_a_formula_evaluates_at_its_values_and_at_others() -> None:
    made = formula("x*y + x", x="2", y="3.0±0.5")
    assert made.values[1] == Measured(3.0, 0.5)
    assert made.evaluate().values[-1] == 8.0
    assert made.evaluate({"y": 10.0}).values[-1] == 22.0


def test_a_formula_has_a_graph_of_its_own() -> None:
    first, second = formulas("f(u) = u*u; p = f(x); p\np + 1", x="2")
    assert isinstance(first, Formula)
    assert isinstance(second, Formula)
    assert first.inputs == ("x",)
    assert second.evaluate().values[-1] == 5.0
    assert first.evaluate().values[-1] == 4.0


def test_places_are_those_of_the_gate_that_was_opened() -> None:
    found = problem("f(u) = u + rand(3); 1 + f(x)", x="[1, 2]")
    assert isinstance(found, ShapeProblem)
    assert found.place is not None
    assert found.place.column == 24


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1..1", "empty"),
        ("2..0", "empty"),
        ("0..1:1", "at least 2"),
        ("0..1:2.5", "whole number"),
        ("0..inf", "finite"),
        ("1±-0.1", "not negative"),
        ("1±nan", "not negative"),
        ("[1,2]±[1,2,3]", "differ in shape"),
    ],
)
def test_ranges_grids_and_uncertainties_are_checked(value: str, words: str) -> None:
    assert words in problem("x^2", x=value).message


def test_kinds_that_are_not_welcome_are_refused() -> None:
    assert "range" in problem("x^2", kinds=("grid",), x="0..1").message
    assert "uncertainty" in problem("x^2", kinds=("range",), x="0±1").message


def test_a_point_needs_single_values() -> None:
    with pytest.raises(BindingProblem, match="y has no value"):
        formula("x*y", x="1").point()
    with pytest.raises(BindingProblem, match="a range"):
        formula("x*y", x="1..2", y="1").point()
    assert formula("x*y", x="1..2", y="1").point({"x": 1.5}) == [1.5, 1.0]


def test_missing_values_are_errors_unless_they_are_optional() -> None:
    found = problem("x*y", optional=False, x="1")
    assert isinstance(found, BindingProblem)
    assert found.missing == "y"


def test_makers_are_made_when_it_is_prepared() -> None:
    made = formula("x @ arange(3)", x="[1, 2, 3]")
    graph, shapes = made.prepared()
    assert shapes is not None
    assert shapes[-1] == ()
    assert any(isinstance(value, numpy.ndarray) for value in graph.constants)
    assert made.evaluate().values[-1] == 8.0
