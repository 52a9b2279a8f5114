"""The Python door: a program parsed once and evaluated as often as wanted."""

from __future__ import annotations

import doctest
import math

import numpy
import pytest

import gradcalc
from gradcalc import programs
from gradcalc.errors import BindingProblem, NameProblem, ProgramSyntaxError, UsageProblem
from gradcalc.workspace import Options


def test_the_example_of_the_documentation() -> None:
    assert doctest.testmod(programs).failed == 0


def test_parse_and_evaluate() -> None:
    calculation = gradcalc.parse("(a+b)/(c+d)")
    assert calculation.inputs == ["a", "b", "c", "d"]
    result = calculation.evaluate(a=1, b=2, c=3, d=4)
    assert result.value == 3 / 7
    assert result.gradients["c"] == pytest.approx(-3 / 49)
    assert len(result.nodes) == 7
    assert result.nodes[-1].gradient == 1.0
    assert [node.name for node in result.nodes[2:4]] == ["a + b", "c"]


def test_evaluating_again_gives_the_same_and_accumulates_nothing() -> None:
    calculation = gradcalc.parse("p = x*y; q = x*y; 2*p + 3*q")
    first = calculation.evaluate(x=2, y=3)
    calculation.evaluate(x=20, y=30)
    again = calculation.evaluate(x=2, y=3)
    assert (first.value, first.gradients, list(first.nodes)) == (again.value, again.gradients, list(again.nodes))


def test_defaults_stay_as_they_are_between_evaluations() -> None:
    calculation = gradcalc.parse("x = 2; x^2")
    assert [calculation.evaluate(**values).value for values in ({}, {"x": 3}, {})] == [4.0, 9.0, 4.0]


def test_mistakes_in_the_text_are_raised_with_their_place() -> None:
    with pytest.raises(ProgramSyntaxError) as caught:
        gradcalc.parse("a = 1\nb = (a + 2")
    assert caught.value.place is not None
    assert caught.value.place.line == 2
    with pytest.raises(NameProblem, match="sigmoid"):
        gradcalc.parse("sigmiod(x)")


def test_mistakes_in_the_values_are_raised() -> None:
    calculation = gradcalc.parse("a*b")
    with pytest.raises(BindingProblem, match="b has no value"):
        calculation.evaluate(a=1)
    with pytest.raises(BindingProblem, match="no input c"):
        calculation.evaluate(a=1, b=2, c=3)
    with pytest.raises(BindingProblem, match="not a number"):
        calculation.evaluate(a=1, b="two")


def test_a_name_to_differentiate_by_that_is_unknown_is_raised() -> None:
    stream = gradcalc.parse("a*b").evaluate_all({"a": 1, "b": 2}, Options(wrt=("c",)))
    with pytest.raises(NameProblem, match="no such name"):
        list(stream)


def test_every_mistake_is_a_gradcalc_error() -> None:
    for text, values in (("a +", {}), ("a*b", {"a": 1}), ("x@y", {"x": 1, "y": 2}), ("", {})):
        with pytest.raises(gradcalc.GradcalcError):
            gradcalc.parse(text).evaluate(**values)


def test_several_outputs_are_evaluated_one_by_one() -> None:
    calculation = gradcalc.parse("x = 3; x*2; x^2")
    with pytest.raises(UsageProblem, match="2 outputs"):
        calculation.evaluate()
    results = list(calculation.evaluate_all())
    assert [result.value for result in results] == [6.0, 9.0]
    assert [len(result.nodes) for result in results] == [3, 3]
    assert [[node.gate for node in result.nodes] for result in results] == [
        ["input", "constant", "*"],
        ["input", "constant", "pow"],
    ]


def test_a_program_without_an_output() -> None:
    with pytest.raises(UsageProblem, match="no outputs"):
        gradcalc.parse("f(x) = x*2").evaluate()


def test_options_of_an_evaluation() -> None:
    calculation = gradcalc.parse("q = x + y; q*z")
    result = next(calculation.evaluate_all({"x": 1, "y": 2, "z": 3}, Options(wrt=("q",), check="off", upstream=2.0)))
    assert result.gradients == {"q": 6.0}
    assert result.verdict == "off"


def test_a_constant_bound_by_the_caller_is_an_input() -> None:
    result = gradcalc.parse("2*pi*r; pi").evaluate_all({"pi": 3, "r": 1})
    found = list(result)
    assert [answer.value for answer in found] == [6.0, 3.0]
    assert found[0].gradients == {"pi": 2.0, "r": 6.0}
    assert [node.name for node in found[0].nodes] == ["2", "pi", "2*pi", "r", "2*pi*r"]


def test_rows_can_be_sliced() -> None:
    nodes = gradcalc.parse("a*b + c").evaluate(a=1, b=2, c=3).nodes
    assert len(nodes) == 5
    assert [node.id for node in nodes[1:3]] == [1, 2]
    assert nodes[-1].gate == "+"
    with pytest.raises(IndexError):
        nodes[5]


def test_numbers_of_any_kind_are_taken() -> None:
    calculation = gradcalc.parse("x*2")
    for value in (3, 3.0, True, numpy.float64(3), numpy.int64(3), numpy.array(3.0)):
        result = calculation.evaluate(x=value)
        assert result.value == 2.0 * float(value)
        assert isinstance(result.value, float)
    assert calculation.evaluate(x=[[1, 2], [3, 4]]).value.tolist() == [[2, 4], [6, 8]]


def test_arrays_that_are_given_are_not_changed_or_kept() -> None:
    given = numpy.array([1.0, 2.0])
    result = gradcalc.parse("sum(x*x)").evaluate(x=given)
    given[:] = 100.0
    assert result.nodes[0].value.tolist() == [1.0, 2.0]
    assert result.gradients["x"].tolist() == [2.0, 4.0]


def test_unicode_names() -> None:
    assert gradcalc.parse("사과*θ1 + µ").evaluate(사과=2, θ1=3, μ=1).value == 7.0


def test_depth_needs_no_recursion() -> None:
    text = "(" * 5000 + "x" + "+1)" * 5000
    result = gradcalc.parse(text).evaluate_all({"x": 1}, Options(check="off"))
    assert next(result).value == 5001.0
    assert not math.isnan(next(gradcalc.parse("sin(" * 500 + "x" + ")" * 500).evaluate_all({"x": 1})).gradients["x"])


def test_mistakes_about_values_speak_of_arguments() -> None:
    with pytest.raises(BindingProblem) as caught:
        gradcalc.parse("a*bc").evaluate(a=1)
    assert caught.value.remedy == "give it one: evaluate(bc=NUMBER), or a line bc = NUMBER in the program"
    with pytest.raises(BindingProblem) as caught:
        gradcalc.parse("a*bc").evaluate(a=1, bd=2)
    assert caught.value.remedy.startswith("did you mean bc instead of bd?\n")
