"""gradcalc.compile: a program as a function of its inputs."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy
import pytest

import gradcalc
from gradcalc.engine.compiled import compile_graph
from gradcalc.errors import BindingProblem, GradcalcError, ProgramSyntaxError, ShapeProblem, UsageProblem


def test_it_answers_the_value_and_the_gradients_by_name() -> None:
    f = gradcalc.compile("(a+b)/(c+d)")
    value, gradients = f(a=1, b=2, c=3, d=4)
    assert value == 3 / 7
    assert gradients == pytest.approx({"a": 1 / 7, "b": 1 / 7, "c": -3 / 49, "d": -3 / 49}, rel=1e-15)
    assert f.inputs == ("a", "b", "c", "d")


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_makes_no_noise() -> None:
    value, gradients = gradcalc.compile("sum(log(x))")(x=[0.0, 1.0])
    assert value == -math.inf
    assert gradients["x"].tolist() == [math.inf, 1.0]


def test_whole_numbers_are_floats() -> None:
    value, _ = gradcalc.compile("a*a")(a=10**200)
    assert value == math.inf
    assert isinstance(gradcalc.compile("a*b")(a=2, b=True)[0], float)


def test_defaults_may_be_left_out_and_replaced() -> None:
    f = gradcalc.compile("w = 3\nw*x")
    assert f(x=2.0)[0] == 6.0
    assert f(x=2.0, w=5.0) == (10.0, {"w": 2.0, "x": 5.0})


def test_the_names_of_a_program_need_not_be_those_of_python() -> None:
    value, gradients = gradcalc.compile("lambda*µ")(**{"lambda": 2.0, "μ": 3.0})
    assert value == 6.0
    assert gradients == {"lambda": 3.0, "μ": 2.0}


def test_arrays_are_compiled_for_each_shape() -> None:
    f = gradcalc.compile("sum(sigmoid(x)*w)")
    for x in ([1.0, 2.0], numpy.arange(3.0), numpy.ones((2, 2)), 0.5):
        value, gradients = f(x=x, w=2)
        s = 1 / (1 + numpy.exp(-numpy.asarray(x)))
        assert value == pytest.approx(float((2 * s).sum()))
        numpy.testing.assert_allclose(gradients["x"], 2 * s * (1 - s))
        assert gradients["w"] == pytest.approx(float(s.sum()))


def test_sizes_are_compiled_for_each_value() -> None:
    f = gradcalc.compile("sum(ones(n))*x")
    assert [f(n=n, x=2)[0] for n in (3, 4, 3)] == [6.0, 8.0, 6.0]
    for n in (2.5, -1):
        with pytest.raises(ShapeProblem, match="size"):
            f(n=n, x=2)
    g = gradcalc.compile("sum(zeros(shape) + x)*n")
    assert [g(shape=shape, x=1, n=2)[0] for shape in ([2, 3], [3, 3])] == [12.0, 18.0]


@pytest.mark.parametrize("text", ["sum(x^y)", "sum(hypot(x, y))", "sum(atan2(x, y))", "sum(2*(x + 0)^y*hypot(y, x))"])
def test_conventions_hold_element_by_element(text: str) -> None:
    xs, ys = [0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 1.0, 3.0]
    _, found = gradcalc.compile(text)(x=xs, y=ys)
    single = gradcalc.compile(text.removeprefix("sum"))
    each = [single(x=x, y=y)[1] for x, y in zip(xs, ys)]
    assert {name: gradient.tolist() for name, gradient in found.items()} == {name: [one[name] for one in each] for name in "xy"}
    _, found = gradcalc.compile("sum(x^y)")(x=[0.0, 1.0], y=0.0)
    assert (found["x"].tolist(), found["y"]) == ([0.0, 0.0], 0.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("7", "x is not a number"),
        (None, "x is not a number"),
        (["1"], "x is not a number"),
        ([1, None], "x is not a number"),
        (10**400, "x is beyond what floats hold"),
        ([10**400], "x is beyond what floats hold"),
        (numpy.ma.array([1.0, 2.0], mask=[False, True]), "x has masked elements"),
    ],
)
def test_what_is_no_number_is_refused(value: object, words: str) -> None:
    for call in (gradcalc.compile("x*2"), gradcalc.parse("x*2").evaluate):
        with pytest.raises(BindingProblem, match=words):
            call(x=value)


@pytest.mark.parametrize("program", [3, b"x", None])
def test_a_program_is_a_text(program: Any) -> None:
    for door in (gradcalc.compile, gradcalc.parse):
        with pytest.raises(UsageProblem, match="a program is a text"):
            door(program)


def test_names_are_compared_as_in_the_language_and_may_be_those_of_constants() -> None:
    micro = "\N{MICRO SIGN}"
    assert gradcalc.compile("μ*2")(**{micro: 3}) == (6.0, {"μ": 2.0})
    assert gradcalc.parse("μ*2").evaluate(**{micro: 3}).value == 6.0
    with pytest.raises(BindingProblem, match="given twice"):
        gradcalc.compile("μ*2")(**{micro: 3, "μ": 4})
    f = gradcalc.compile("pi*x")
    assert f(x=1, pi=3) == (3.0, {"pi": 1.0, "x": 3.0})
    assert f(x=1)[0] == math.pi
    with pytest.raises(BindingProblem, match="has no input e"):
        f(x=1, e=3)


def test_compiled_programs_are_shown_and_sent_as_their_text() -> None:
    f = gradcalc.compile("sum(randn(3))*x")
    assert repr(f) == "gradcalc.compile('sum(randn(3))*x')"
    assert pickle.loads(pickle.dumps(f))(x=2) == f(x=2)


def test_its_gradients_belong_to_the_caller() -> None:
    f = gradcalc.compile("sum(x*y)")
    x = numpy.ones(3)
    _, first = f(x=x, y=x)
    first["x"][:] = 7.0
    _, second = f(x=x, y=x)
    assert second["x"].tolist() == [1.0, 1.0, 1.0] and x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "values", "kind", "words"),
    [
        ("a*b", {"a": 1.0}, BindingProblem, "b has no value"),
        ("a*b", {"a": 1.0, "b": 1.0, "c": 1.0}, BindingProblem, "no input c"),
        ("a*b", {"a": 1.0, "c": 1.0}, BindingProblem, "no input c"),
        ("a*b", {"a": "one", "b": 1.0}, BindingProblem, "a is not a number"),
        ("a@b", {"a": numpy.ones(2), "b": numpy.ones(3)}, ShapeProblem, "last axis"),
    ],
)
def test_wrong_values_are_refused(text: str, values: dict[str, object], kind: type[GradcalcError], words: str) -> None:
    f = gradcalc.compile(text)
    with pytest.raises(kind, match=words):
        f(**values)


def test_wrong_programs_are_refused() -> None:
    with pytest.raises(ProgramSyntaxError):
        gradcalc.compile("a+")
    with pytest.raises(UsageProblem, match="2 outputs"):
        gradcalc.compile("a+b\na-b")


def test_what_is_compiled_is_compiled_once_for_its_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return compile_graph(*arguments)

    monkeypatch.setattr("gradcalc.programs.compile_graph", counted)
    f = gradcalc.compile("sum(a*b)")
    for b in (1.0, 2.0, 3.0):
        assert f(a=2.0, b=b)[0] == 2.0 * b
        assert f(a=[1.0, 2.0], b=b)[0] == 3.0 * b
    assert len(made) == 2
