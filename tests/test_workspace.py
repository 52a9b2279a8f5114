"""Statements go in, checked results come out: what SPEC says of values, names, gradients, warnings and streams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from gradcalc.errors import BindingProblem, GradcalcError, NameProblem, ProgramSyntaxError, ShapeProblem, UsageProblem
from gradcalc.language.values import parse_value
from gradcalc.workspace import NodeReport, Options, Result, Workspace


def answers(text: str, options: Options | None = None, **bindings: Any) -> list[Result | GradcalcError]:
    """All answers; the rows of a result are made before the stream goes on."""
    found: list[Result | GradcalcError] = []
    for answer in Workspace(bindings, options).answers(text):
        if isinstance(answer, Result):
            answer.nodes = list(answer.nodes)
        found.append(answer)
    return found


def one(text: str, options: Options | None = None, **bindings: Any) -> Result:
    found = answers(text, options, **bindings)
    assert len(found) == 1, found
    assert isinstance(found[0], Result), found[0]
    return found[0]


def problem(text: str, options: Options | None = None, **bindings: Any) -> GradcalcError:
    found = [answer for answer in answers(text, options, **bindings) if isinstance(answer, GradcalcError)]
    assert len(found) == 1, found
    return found[0]


def row(result: Result, name: str) -> NodeReport:
    return next(node for node in result.nodes if node.name == name)


# ---- values and names ------------------------------------------------------------------------------------------------------------


def test_a_formula_with_values() -> None:
    result = one("(a+b)/(c+d)", a=1, b=2, c=3, d=4)
    assert result.value == 3 / 7
    assert result.output == "(a + b)/(c + d)"
    assert result.gradients == pytest.approx({"a": 1 / 7, "b": 1 / 7, "c": -3 / 49, "d": -3 / 49}, rel=1e-15)
    assert (result.verdict, result.warnings, result.shape) == ("ok", [], ())
    assert [node.gate for node in result.nodes] == ["input", "input", "+", "input", "input", "+", "/"]


def test_rows_are_numbered_and_refer_to_smaller_numbers() -> None:
    result = one("p = x*y; q = x*y\n2*p + 3*q", x=2, y=3)
    for number, node in enumerate(result.nodes):
        assert node.id == number
        assert all(source < number for source in node.inputs)
    assert (row(result, "p").gradient, row(result, "q").gradient) == (2.0, 3.0)
    assert row(result, "p").named
    assert not row(result, "2*p").named


def test_a_missing_value_is_an_error_with_its_place_and_remedy() -> None:
    found = problem("(a+b)/(c+d)", a=1, b=2, c=3)
    assert isinstance(found, BindingProblem)
    assert found.message == "d has no value"
    assert found.place is not None
    assert found.place.column == 9
    assert "--d NUMBER" in found.remedy


def test_several_missing_values_are_several_errors() -> None:
    assert [str(found).split(" ")[0] for found in answers("a*b + c", b=1)] == ["a", "c"]


def test_a_mistyped_binding_is_told_with_the_nearest_name() -> None:
    found = answers("rate*2", rtae=1)
    assert ["did you mean --rate instead of --rtae" in str(answer) for answer in found] == [True]
    found = answers("a*2", a=1, zebra=2)
    assert isinstance(found[0], Result)
    assert isinstance(found[1], BindingProblem)
    assert found[1].message == "the program has no input zebra"
    assert "its only input is a" in found[1].remedy
    assert "did you mean --y2 instead of --y3" in problem("x + y2", x=1, y3=2).remedy


def test_one_mistake_is_told_once() -> None:
    assert "assigned after" in problem("f(x) = k*x; k = 3; f(a)", a=2).message
    assert "assigned after" in problem("x*2; x = 2").message
    assert "assigned after" in problem("x = y; y = 3; x").message
    assert "k has no value" in problem("k*2; k*3").message
    assert "x has no value" in problem("f(\nx) = x*2; x + f(\n  x == 1)").message


def test_a_computed_node_takes_no_value() -> None:
    found = [answer for answer in answers("s = a + 1\ns*2", a=1, s=5) if isinstance(answer, GradcalcError)]
    assert len(found) == 1
    assert "s is computed" in found[0].message
    assert found[0].place is not None


def test_defaults_are_inputs_and_give_way_to_values() -> None:
    assert one("x = -2; x^2").value == 4.0
    assert one("x = -2; x^2").gradients == {"x": -4.0}
    assert one("x = -2; x^2", x=3).value == 9.0
    assert one("r = pi/2; sin(r)").value == 1.0


def test_a_default_is_one_input_however_long_its_expression() -> None:
    result = one("r = 2*pi/3 + 1; r*2")
    assert result.gradients == {"r": 2.0}
    assert [node.gate for node in result.nodes] == ["input", "constant", "*"]


def test_a_constant_gives_way_to_a_value() -> None:
    assert one("e*2").value == 2 * math.e
    result = one("e*2", e=3)
    assert (result.value, result.gradients) == (6.0, {"e": 2.0})


def test_the_last_named_thing_is_the_output_where_there_is_no_other() -> None:
    assert one("x = 2; y = x*3").output == "y"
    assert one("x = 2; y = x*3").value == 6.0
    assert one("x = 5").value == 5.0
    assert one("x = 5").gradients == {"x": 1.0}
    assert [answer.value for answer in answers("x = 2; x*2; y = x*3") if isinstance(answer, Result)] == [4.0]


def test_every_output_has_the_inputs_that_it_reaches() -> None:
    found = answers("a = 1; b = 2; a*2; b*3; a*b")
    assert [result.gradients for result in found if isinstance(result, Result)] == [{"a": 2.0}, {"b": 3.0}, {"a": 2.0, "b": 1.0}]
    assert [result.line for result in found if isinstance(result, Result)] == [1, 1, 1]


def test_values_of_the_command_line() -> None:
    assert one("a*2", a=parse_value("1/3", "--a")).value == 2 / 3
    assert one("sum(a)", a=parse_value("[1, 2, 3]", "--a")).value == 6.0
    for text, words in (("0..1", "range"), ("0..1:10", "grid")):
        assert words in problem("a*2", a=parse_value(text, "--a")).message


def test_values_that_are_none() -> None:
    assert isinstance(problem("a*2", a="text"), BindingProblem)
    assert isinstance(problem("a*2", a=[[1, 2], [3]]), BindingProblem)


# ---- what is asked for -----------------------------------------------------------------------------------------------------------


def test_wrt_takes_inputs_and_named_nodes() -> None:
    text = "q = x + y; f = q*z"
    result = one(text, Options(wrt=("q", "z")), x=-2, y=5, z=-4)
    assert result.gradients == {"q": -4.0, "z": 3.0}
    assert row(result, "x").gradient is None
    assert row(result, "x").verdict == "off"


def test_wrt_of_a_name_that_is_not_reached_is_zero() -> None:
    assert one("z = 1; x*2", Options(wrt=("x", "z")), x=1).gradients == {"x": 2.0, "z": 0.0}
    assert one("z = x*7; x*2", Options(wrt=("z",)), x=1).gradients == {"z": 0.0}


def test_wrt_of_an_unknown_name_is_an_error() -> None:
    found = answers("alpha*2", Options(wrt=("alhpa",)), alpha=1)
    assert isinstance(found[-1], NameProblem)
    assert "did you mean alpha?" in found[-1].remedy


def test_a_gradient_from_above() -> None:
    assert one("x*y", Options(upstream="10"), x=2, y=3).gradients == {"x": 30.0, "y": 20.0}
    assert one("x*y", Options(upstream="-1/2"), x=2, y=3).verdict == "ok"
    given = Options(upstream="[[7,6],[-2,5],[4,1]]")
    result = one("relu(x)", given, x=[[-1, 0.5], [1, 2], [2, -3]])
    assert result.gradients["x"].tolist() == [[0, 6], [-2, 5], [4, 0]]
    assert result.verdict == "ok"
    assert result.warnings == []


def test_a_gradient_from_above_has_the_shape_of_the_output() -> None:
    found = problem("x*2", Options(upstream="[1, 2]"), x=[1, 2, 3])
    assert isinstance(found, ShapeProblem)
    assert "shape 2, the output shape 3" in found.message


@pytest.mark.parametrize("upstream", ["inf", "0/0", "[1, nan]", math.nan])
def test_a_gradient_from_above_is_finite(upstream: Any) -> None:
    found = problem("x*2", Options(upstream=upstream), x=[1, 2])
    assert isinstance(found, UsageProblem)
    assert "must be finite" in found.message


def test_no_gradients_and_no_check() -> None:
    value = one("x*y", Options(gradients=False), x=2, y=3)
    assert (value.value, value.gradients, list(value.nodes)) == (6.0, {}, [])
    unchecked = one("x*y", Options(check="off"), x=2, y=3)
    assert unchecked.verdict == "off"
    assert {node.verdict for node in unchecked.nodes} == {"off"}
    assert row(unchecked, "x").gradient == 3.0
    assert row(unchecked, "x").numerical is None


# ---- opening ---------------------------------------------------------------------------------------------------------------------


def test_a_composed_gate_can_be_opened() -> None:
    closed = one("sigmoid(x)*2", x=0.5)
    opened = one("sigmoid(x)*2", Options(open=("sigmoid",)), x=0.5)
    assert [node.gate for node in closed.nodes] == ["input", "sigmoid", "constant", "*"]
    assert {"exp", "neg", "/"} <= {node.gate for node in opened.nodes}
    assert opened.value == pytest.approx(closed.value, rel=1e-15)
    assert opened.gradients == pytest.approx(closed.gradients, rel=1e-14)
    assert opened.verdict == "ok"


def test_a_user_gate_is_one_row_until_it_is_opened() -> None:
    text = "f(x, y) = x*y + sin(x)\nf(a, 2)^2"
    closed = one(text, a=1.5)
    assert [node.gate for node in closed.nodes] == ["input", "constant", "f", "constant", "pow"]
    call = closed.nodes[2]
    assert call.inputs == (0, 1)
    opened = one(text, Options(open=("f",)), a=1.5)
    assert [node.gate for node in opened.nodes] == ["input", "constant", "*", "sin", "+", "constant", "pow"]
    assert opened.gradients == closed.gradients
    assert opened.gradients["a"] == pytest.approx(2 * (3 + math.sin(1.5)) * (2 + math.cos(1.5)))


def test_a_user_gate_that_is_its_argument_is_a_row_all_the_same() -> None:
    result = one("f(x) = x; f(a)*3", a=2)
    assert [(node.name, node.gate, node.inputs) for node in result.nodes][1] == ("f(a)", "f", (0,))
    assert result.gradients == {"a": 3.0}
    assert [node.verdict for node in result.nodes if node.gradient is not None] == ["ok", "ok", "ok"]
    result = one("f(x, y) = y; sum(f(a, b))", a=2, b=[1, 2])
    assert [(node.name, node.gate) for node in result.nodes] == [("b", "input"), ("f(a, b)", "f"), ("sum(f(a, b))", "sum")]
    assert result.verdict == "ok"


def test_the_rows_of_a_closed_gate_have_its_name_and_its_inputs() -> None:
    result = one("k = 3; g(x) = x*x + 1; f(x) = k*g(x) + sin(x); f(a + 1)*2", a=1)
    assert [(node.name, node.gate) for node in result.nodes] == [
        ("k", "input"),
        ("a", "input"),
        ("1", "constant"),
        ("a + 1", "+"),
        ("f(a + 1)", "f"),
        ("2", "constant"),
        ("f(a + 1)*2", "*"),
    ]
    assert row(result, "f(a + 1)").inputs == (3, 0)


def test_another_name_is_a_node() -> None:
    result = one("b = a; b", a=2)
    assert (result.output, result.value) == ("b", 2.0)
    assert [(node.name, node.gate, node.named) for node in result.nodes] == [("a", "input", True), ("b", "=", True)]
    result = one("b = a; b*2", Options(wrt=("b",)), a=[2, 3])
    assert result.output == "b*2"
    assert row(result, "b").gradient.tolist() == result.gradients["b"].tolist() == [2.0, 2.0]
    for method in ("complex", "exact", "central"):
        assert one("b = a; b*a", Options(check=method), a=2).verdict == "ok"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a+b", "a + b"),
        ("asin(1/b)", "asin(1/b)"),
        ("ln(a/b)", "log(a/b)"),
        ("a^10000000000", "a^1e10"),
        ("a % b", "a%b"),
        ("floor(a*1000000000000000)/1e15", "floor(a*1e15)/1e15"),
        ("(a\n  + b) # sum", "a + b"),
        ("-(a+b)**2*pi", "-(a + b)^2*pi"),
        ("(a+b).T[...]*-2", "(a + b).T[...]*-2"),
        ("f(x,y)=x-y; f(a,-2)*[1,b]", "f(a, -2)*[1, b]"),
    ],
)
def test_output_and_row_are_spelled_alike(text: str, name: str) -> None:
    result = one(f"a = 1; b = [2]\n{text}" if ".T" in text else f"a = 1; b = 2\n{text}", Options(check="off"))
    assert (result.output, result.nodes[-1].name) == (name, name)


def test_rows_of_a_large_graph_have_short_names() -> None:
    count = 30_000
    text = "+".join(f"x*{number}" for number in range(count))
    result = next(Workspace({"x": 1.0}, Options(check="off")).answers(text))
    assert isinstance(result, Result)
    assert result.nodes[-1].name.startswith("… + ")
    assert result.nodes[-1].name.endswith("…")
    names = [node.name for node in result.nodes]
    assert all(len(name) <= 60 for name in names)
    assert names[8] == "x*0 + x*1 + x*2"


def test_open_of_a_gate_that_only_another_one_calls() -> None:
    text = "f(x) = x*x; g(x) = f(x) + 1; g(a)"
    found = problem(text, Options(open=("f",)), a=2)
    assert "f is only used inside g" in found.message
    assert [node.gate for node in one(text, Options(open=("f", "g")), a=2).nodes] == ["input", "*", "constant", "+"]


@pytest.mark.parametrize("x", [-1.0, 0.0, 1.0, 2.0])
@pytest.mark.parametrize(
    "text",
    [
        "hardtanh(x)",
        "hardtanh(x, -1, 2)",
        "clip(x, 0, 1)",
        "clip(x, 1, -1)",
        "clip(x, x, 1)",
        "relu(x)",
        "leaky_relu(x)",
        "elu(x)",
        "selu(x)",
        "norm([x, 0])",
    ],
)
def test_opening_keeps_the_conventions(text: str, x: float) -> None:
    closed, opened = (one(text, Options(open=names, check="off"), x=x) for names in ((), ("all",)))
    if "norm" in text and x == 0.0:
        return  # the square root of 0 has no convention
    assert opened.value == closed.value
    assert opened.gradients == pytest.approx(closed.gradients, rel=1e-14)


def test_open_all_opens_everything() -> None:
    gates = {node.gate for node in one("f(x) = silu(x)\nf(a) + relu(a)", Options(open=("all",)), a=1).nodes}
    assert not gates & {"f", "silu", "relu", "sigmoid"}
    assert {"where", "exp"} <= gates


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("sigmiod", NameProblem, "sigmoid"), ("sin", UsageProblem, "not made of other gates"), ("relu", UsageProblem, "no such gate")],
)
def test_what_cannot_be_opened(name: str, kind: type[GradcalcError], words: str) -> None:
    found = answers("x*2", Options(open=(name,)), x=1)[-1]
    assert isinstance(found, kind)
    assert words in found.report()


def test_a_user_gate_uses_names_defined_before_it() -> None:
    assert one("k = 3; f(x) = k*x; f(a)", a=2).gradients == {"k": 2.0, "a": 3.0}


# ---- warnings --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("log(x - 3)", ("log(x - 3)", "nan", "its input is -1")),
        ("1/(x - 2)", ("1/(x - 2)", "inf", "its inputs are 1 and 0")),
        ("exp(x*500) + 1", ("exp(x*500)", "inf", "1000")),
    ],
)
def test_a_value_that_is_not_finite_names_its_first_node_and_reason(text: str, words: tuple[str, ...]) -> None:
    result = one(text, x=2)
    for word in words:
        assert word in result.warnings[0]
    number = int(result.warnings[0].split("node ")[1].split(" ")[0])
    assert not math.isfinite(result.nodes[number].value)


def test_a_gradient_that_is_not_finite_is_told() -> None:
    result = one("sqrt(x) + 1", x=0)
    assert (result.value, result.gradients["x"]) == (1.0, math.inf)
    assert any("gradient at x" in warning and "inf" in warning for warning in result.warnings)
    assert result.verdict == "edge"


@pytest.mark.parametrize(
    ("text", "bindings", "words"),
    [
        ("inf - inf + x", {"x": 2.0}, "inf - inf at node 2 is nan: its inputs are inf and inf"),
        ("x*2", {"x": math.nan}, "x at node 0 is nan: it was given so"),
        ("x", {"x": math.inf}, "x at node 0 is inf: it was given so"),
        ("x = 1/0; x + 1", {}, "x at node 0 is inf: that is its default"),
        ("max(x, nan)", {"x": 3.0}, "max(x, nan) at node 2 is nan: its inputs are 3 and nan"),
        ("x - x", {"x": math.inf}, "x - x at node 1 is nan: its inputs are inf and inf"),
        ("logaddexp(x, y)", {"x": math.inf, "y": math.inf}, "x at node 0 is inf: it was given so"),
        ("x*2", {"x": [1.0, math.nan, math.inf]}, "x at node 0 is [1, nan, inf]: it was given so"),
        ("1/(1 + exp(x))", {"x": 1000.0}, "exp(x) at node 3 is inf: its input is 1000"),
        ("where(x < 0, x, sqrt(x))", {"x": [-1.0, math.nan]}, "x at node 0 is [-1, nan]: it was given so"),
    ],
)
def test_where_a_value_that_is_not_finite_came_from(text: str, bindings: dict[str, Any], words: str) -> None:
    found = one(text, **bindings).warnings
    assert len(found) == 1
    assert found[0] == words


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("clip(x, 0, inf)", 3.0),
        ("max(x, -inf)", 3.0),
        ("where(x < 0, x, sqrt(x))", -1.0),
        ("where(x < 0, x, sqrt(x))", [-1.0, 4.0]),
        ("sum(where(x > 0, log(x), 0))", [[-1.0, 4.0], [2.0, 3.0]]),
        ("where(x > 0, log(x), 0) @ [1, 2]", [-1.0, 4.0]),
        ("where(x < 0, x, [1, 2]*sqrt(x))", -1.0),
        ("where(y, 1, log(x))", -1.0),
    ],
)
def test_what_was_not_chosen_earns_no_warning(text: str, x: Any) -> None:
    assert one("y = 1; " + text, x=x).warnings == []


def test_numbers_that_a_float_cannot_hold_are_warnings() -> None:
    assert "smaller" in one("x + 1e-400", x=1).warnings[0]
    assert one("x + 0e5 + 0.0e-400", x=1).warnings == []
    for value, word in (("1e-400", "smaller"), ("1e400", "larger")):
        found = one("x*2; ", x=parse_value(value, "--x")).warnings
        assert len(found) == 1
        assert found[0].startswith(f"--x: this number is {word}")


def test_an_array_output_says_that_it_is_summed() -> None:
    result = one("x*2", x=[1, 2, 3])
    assert result.shape == (3,)
    assert result.gradients["x"].tolist() == [2, 2, 2]
    assert "sum of its elements" in result.remarks[0]


def test_a_huge_number_is_a_warning() -> None:
    result = one("x + 1e400", x=1)
    assert result.value == math.inf
    assert any("1e400" in warning for warning in result.warnings)


# ---- the stream ------------------------------------------------------------------------------------------------------------------


def test_outputs_are_answered_before_the_next_statement_is_read() -> None:
    read: list[str] = []

    def lines() -> Iterator[str]:
        for line in ("x = 2\n", "x*2\n", "x*3\n", "x*4\n"):
            read.append(line)
            yield line

    stream = Workspace().answers(lines())
    first = next(stream)
    assert isinstance(first, Result)
    assert first.value == 4.0
    assert len(read) < 4


def test_memory_does_not_grow_with_the_number_of_outputs() -> None:
    def lines() -> Iterator[str]:
        yield "x = 2\n"
        for number in range(3000):
            yield f"sin(x*{number}) + {number}\n"

    workspace = Workspace(options=Options(check="off"))
    largest = 0
    for answer in workspace.answers(lines()):
        assert isinstance(answer, Result)
        largest = max(largest, len(workspace.program.graph))
    assert largest < 20
    assert len(workspace.program.sheet.starts) < 20


def test_the_rows_of_a_result_are_not_made_from_another_statement() -> None:
    stream = Workspace().answers("x = 2; x*2; sin(x)*3 + x*4; x")
    first = next(stream)
    assert isinstance(first, Result)
    part = first.nodes[1:]
    assert [node.name for node in part] == ["2", "x*2"]
    next(stream)
    for rows in (first.nodes, part):
        with pytest.raises(UsageProblem, match="rows of this result are gone"):
            list(rows)
        with pytest.raises(UsageProblem, match=r"list\(result.nodes\)"):
            rows[0]


def test_a_bad_statement_does_not_stop_the_others() -> None:
    found = answers("a = 2\nb = a +* 2\na*3\nb*2\nc = b + 1\nc\na*4")
    values = [answer.value if isinstance(answer, Result) else type(answer) for answer in found]
    assert values[0] is ProgramSyntaxError
    assert [value for value in values if isinstance(value, float)] == [6.0, 8.0]
    errors = [answer for answer in found if isinstance(answer, GradcalcError)]
    assert "b" in errors[1].message
    assert errors[1].place is not None
    assert errors[1].place.line == 4
    assert all("no value" not in error.message for error in errors)


def test_a_default_that_cannot_be_computed_breaks_its_name() -> None:
    found = answers("m = [1, 2] + [1, 2, 3]\nm*2\nx = 1; x*3")
    assert isinstance(found[0], ShapeProblem)
    assert [answer.value for answer in found if isinstance(answer, Result)] == [3.0]
    assert sum(isinstance(answer, GradcalcError) for answer in found) == 2


def test_shapes_that_do_not_fit_show_both_and_the_place() -> None:
    found = problem("x = [1, 2, 3]; y = [1, 2]; sin(x) + y")
    assert isinstance(found, ShapeProblem)
    assert "3 and 2" in found.message
    assert found.place is not None
    assert found.place.text[found.place.column] == "+"
    assert "2×2 @ 3" in problem("A = [[1,2],[3,4]]; v = [1,2,3]; A@v").message


def test_an_error_in_one_output_leaves_the_others_and_unknown_names_come_last() -> None:
    found = answers("x + y\nx*2", x=1, spare=3)
    assert [type(answer) for answer in found] == [BindingProblem, Result, BindingProblem]


def test_a_name_given_and_broken_is_not_unknown() -> None:
    found = answers("a = 1 +\na*2\nb*2", b=1, a=3)
    assert not any("no input a" in str(answer) for answer in found)


# ---- arrays ----------------------------------------------------------------------------------------------------------------------


def test_arrays_come_and_go() -> None:
    W, x = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), numpy.array([1.0, 2.0])  # noqa: N806
    result = one("sum(relu(x@W - b))", x=x, W=W, b=[5, 12, 20])
    assert result.value == 4.0
    assert result.gradients["W"].tolist() == [[1, 0, 0], [2, 0, 0]]
    assert result.gradients["x"].tolist() == [1, 4]
    assert result.gradients["b"].tolist() == [-1, 0, 0]
    assert {name: numpy.shape(value) for name, value in result.gradients.items()} == {"x": (2,), "W": (2, 3), "b": (3,)}


def test_an_unreached_array_has_the_gradient_zero() -> None:
    assert numpy.all(one("w = [1, 2]; x*2", Options(wrt=("w",)), x=1).gradients["w"] == 0.0)


def test_a_masked_element_has_the_gradient_zero() -> None:
    result = one("x[0]*2", x=[3, 4])
    assert result.gradients["x"].tolist() == [2.0, 0.0]
    assert result.verdict == "ok"


def test_inputs_may_lack_values_where_only_the_structure_is_wanted() -> None:
    workspace = Workspace({"a": 2.0}, Options(check="off"))
    seen = []
    for answer in workspace.answers("a*a; s = a*x + 1; s*y", optional=True):
        assert isinstance(answer, Result)
        seen.append((answer.value, answer.reason, [(row.name, row.value, row.gradient) for row in answer.nodes]))
    known, unknown = seen
    assert known == (4.0, "--check off", [("a", 2.0, 4.0), ("a*a", 4.0, 1.0)])
    assert unknown[:2] == (None, "x, y have no value")
    assert unknown[2] == [
        ("a", 2.0, None),
        ("x", None, None),
        ("a*x", None, None),
        ("1", 1.0, None),
        ("s", None, None),
        ("y", None, None),
        ("s*y", None, None),
    ]


def test_rows_tell_which_opened_gate_they_come_from() -> None:
    workspace = Workspace({"x": 1.0}, Options(check="off", open=("all",)))
    rows = []
    for answer in workspace.answers("f(u) = u*sigmoid(u); f(x) + 1"):
        assert isinstance(answer, Result)
        rows = [(row.gate, row.opened, row.inside) for row in answer.nodes if row.gate != "constant"]
    assert rows == [
        ("input", "", ""),
        ("neg", "", "f"),
        ("exp", "", "f"),
        ("+", "", "f"),
        ("/", "", "f"),
        ("*", "f", ""),
        ("+", "", ""),
    ]
