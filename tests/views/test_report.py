"""How a result looks on terminals of 80 and 120 columns, with and without colour, and in a pipe."""

from __future__ import annotations

import re

import numpy
import pytest

from gradcalc.views.numbers import exact_text
from gradcalc.views.report import result_text
from gradcalc.views.surface import Surface
from gradcalc.views.text import width
from gradcalc.workspace import NodeReport, Result
from tests.views.samples import long_chain, node, quotient, troubled

PIPE = Surface()
ANSI = re.compile("\x1b\\[[0-9;]*m")

QUOTIENT_80 = """\
(a + b)/(c + d) = 0.42857142857142855
✓ ok: gradients and numerical derivatives agree to 14 digits or more

#  node             gate         value    gradient  numerical          verdict
0  a                input     1          0.142857    0.142857  ±2e-15  ✓ ok
1  b                input     2          0.142857    0.142857  ±2e-15  ✓ ok
2  a + b            + a, b    3          0.142857    0.142857  ±2e-15  ✓ ok
3  c                input     3         -0.0612245  -0.0612245 ±2e-15  ✓ ok
4  d                input     4         -0.0612245  -0.0612245 ±3e-15  ✓ ok
5  c + d            + c, d    7         -0.0612245  -0.0612245 ±2e-15  ✓ ok
6  (a + b)/(c + d)  / #2, #5  0.428571   1           1         ±0      ✓ ok
"""

QUOTIENT_120 = """\
(a + b)/(c + d) = 0.42857142857142855
✓ ok: gradients and numerical derivatives agree to 14 digits or more

#  node             gate   inputs               value       gradient  numerical             verdict
0  a                input                1              0.1428571429   0.1428571429 ±2e-15  ✓ ok, 14 digits
1  b                input                2              0.1428571429   0.1428571429 ±2e-15  ✓ ok, 14 digits
2  a + b            +      a, b          3              0.1428571429   0.1428571429 ±2e-15  ✓ ok, 14 digits
3  c                input                3             -0.0612244898  -0.0612244898 ±2e-15  ✓ ok, 14 digits
4  d                input                4             -0.0612244898  -0.0612244898 ±3e-15  ✓ ok, 14 digits
5  c + d            +      c, d          7             -0.0612244898  -0.0612244898 ±2e-15  ✓ ok, 14 digits
6  (a + b)/(c + d)  /      a + b, c + d  0.4285714286   1              1            ±0      ✓ ok, 14 digits
"""


@pytest.mark.parametrize("unlike", ["colour", "plain"])
@pytest.mark.parametrize(("columns", "expected"), [(80, QUOTIENT_80), (120, QUOTIENT_120)])
def test_quotient_on_a_terminal(columns: int, expected: str, unlike: str) -> None:
    text = result_text(quotient(), Surface(columns, terminal=True, colour=unlike == "colour"))
    bare = ANSI.sub("", text)
    if unlike == "colour":
        assert "\x1b[32m" in text
        lines = bare.splitlines()
        rule = lines.pop(4)
        assert set(rule) == {"─"}
        bare = "\n".join(lines) + "\n"
    else:
        assert text == bare
    assert bare == expected


def test_quotient_in_a_pipe_is_the_same_without_limits() -> None:
    assert result_text(quotient(), PIPE) == QUOTIENT_120


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_nothing_is_wider_than_the_terminal(columns: int, colour: bool) -> None:
    for result in (quotient(), troubled(), arrays(), long_chain(7)):
        text = ANSI.sub("", result_text(result, Surface(columns, terminal=True, colour=colour)))
        table = text.split("\n\n")[1]
        assert max(map(width, table.splitlines())) <= columns


def test_trouble_is_told() -> None:
    text = result_text(troubled(), Surface(80, terminal=True))
    assert text.startswith("relu(x[0]) < 1 = 1\n✗ mismatch: gradient and numerical derivative disagree at relu(x[0])\n")
    assert "0 | 1" in text
    assert text.endswith("\n\n사과: a tie\n")
    assert "0 left, 1 right" in result_text(troubled(), PIPE)


def test_constants_stand_where_they_are_used() -> None:
    lines = result_text(troubled(), PIPE).splitlines()
    assert not any(line.startswith("1 ") for line in lines)
    assert any("x, -3" in line for line in lines)


def test_columns_stay_straight_with_wide_letters() -> None:
    lines = result_text(troubled(), Surface(120, terminal=True)).split("\n\n")[1].splitlines()
    gates = [line for line in lines if "x, -3" in line or "relu" in line]
    assert len({width(line[: line.rindex("∧" if "∧" in line else "✗")]) for line in gates if "<" not in line}) == 1


def test_ascii() -> None:
    text = result_text(troubled(), Surface(80, terminal=True, unicode=False))
    assert text.isascii()
    assert "+-0.002" in text
    assert "\\uc0ac" in text


def test_columns_without_anything_are_left_out() -> None:
    result = quotient()
    for item in result.nodes:
        item.gradient = item.numerical = item.error_bar = None
        item.verdict = "off"
    result.verdict = "off"
    lines = result_text(result, PIPE).splitlines()
    assert lines[1] == "– off: not checked against numerical derivatives"
    assert lines[3].split() == ["#", "node", "gate", "inputs", "value"]


def test_long_tables_show_their_ends() -> None:
    short = result_text(long_chain(100), PIPE).splitlines()
    long = result_text(long_chain(1000), PIPE).splitlines()
    every = result_text(long_chain(1000), PIPE, every_row=True).splitlines()
    assert len(short) == 104
    assert len(long) == 105
    assert long[54] == "… 900 more rows: --all shows them"
    assert len(every) == 1004


def test_digits() -> None:
    text = result_text(quotient(), PIPE, digits=3)
    assert "-0.0612 " in text
    assert "-0.06122" not in text


def test_markup_and_control_characters_are_only_text() -> None:
    result = Result("[bold]x[/bold]", 1.0, nodes=[node(0, "[red]x\x1b[31m\n:smile:", "input", (), 1.0, 1.0)], verdict="ok")
    text = result_text(result, Surface(120, terminal=True, colour=True))
    bare = ANSI.sub("", text)
    assert "[bold]x[/bold] = 1" in bare
    assert "[red]x\\x1b[31m :smile:" in bare


def test_inputs_by_name_by_number_and_in_crowds() -> None:
    names = [node(number, f"very_long_name_{number}", "input", (), 1.0, 1.0) for number in range(9)]
    names.append(node(9, "stack", "stack", tuple(range(9)), 1.0, 1.0))
    text = result_text(Result("s", 1.0, nodes=names, verdict="ok"), Surface(100, terminal=True))
    assert "#0, #1, #2, … 6 more" in text


def test_a_long_output_leaves_its_value_on_the_screen() -> None:
    result = quotient()
    result.output = "x + " * 500 + "x"
    first = result_text(result, Surface(80, terminal=True)).splitlines()[0]
    assert first.endswith("… = 0.42857142857142855")
    assert len(first) <= 240
    first = result_text(result, PIPE).splitlines()[0]
    assert first.endswith("… = 0.42857142857142855")
    assert len(first) <= 240


def arrays() -> Result:
    """A layer of a network."""
    x = numpy.linspace(-1.25, 2.0, 50).reshape(10, 5)
    weights = numpy.linspace(-2.5, 1.5, 15).reshape(5, 3)
    nodes = [
        NodeReport(0, "x", True, "input", (), (10, 5), x, x, x, x * 1e-15, "ok", 13),
        NodeReport(1, "W", True, "input", (), (5, 3), weights, weights, weights, weights * 1e-15, "ok", 13),
        NodeReport(2, "x@W", False, "@", (0, 1), (10, 3), x @ weights, x @ weights, x @ weights, x @ weights, "ok", 13),
        node(3, "sum(x@W)", "sum", (2,), 12.5, 1.0, 0.0),
    ]
    return Result("sum(x@W)", 12.5, (), {"x": x}, nodes, "ok")


def test_arrays_at_80_columns() -> None:
    lines = result_text(arrays(), Surface(80, terminal=True)).split("\n\n")[1].splitlines()
    assert lines[1].split() == [
        "0",
        "x",
        "input",
        "10×5",
        "in",
        "-1.25..2",
        "-1.25..2",
        "-1.25..2",
        "±2e-15",
        "✓",
        "ok",
    ]


def test_an_output_that_is_an_array_is_whole_above_the_table() -> None:
    value = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    result = Result("x", value, (2, 2), {}, [], "ok")
    assert result_text(result, PIPE).startswith("x = [[1, 2], [3, 4]]\n")
    large = Result("x", numpy.zeros((300, 300)), (300, 300), {}, [], "ok")
    assert result_text(large, PIPE).startswith("x = 300×300, all 0\n")
    assert exact_text(value) == "[[1, 2], [3, 4]]"


NARROW = """\
(a + b)/(c + d) = 0.42857142857142855
✓ ok: gradients and numerical
  derivatives agree to 14 digits or more

#  node      value    gradient  verdict
0  a             1    0.142857  ✓ ok
1  b             2    0.142857  ✓ ok
2  a + b         3    0.142857  ✓ ok
3  c             3  -0.0612245  ✓ ok
4  d             4  -0.0612245  ✓ ok
5  c + d         7  -0.0612245  ✓ ok
6  #2/#5  0.428571           1  ✓ ok
"""


def test_narrow_terminals_get_fewer_columns() -> None:
    lines = result_text(quotient(), Surface(40, terminal=True)).splitlines()
    assert lines == NARROW.splitlines()
    heads = result_text(quotient(), Surface(60, terminal=True)).splitlines()[3 + 1]
    assert heads.split() == ["#", "node", "value", "gradient", "numerical", "verdict"]


def test_very_narrow_terminals_get_a_block_for_each_node() -> None:
    text = result_text(quotient(), Surface(30, terminal=True))
    assert "\n2 a + b\n  gate       +\n  inputs     a, b\n  value      3\n  gradient   0.142857\n" in text
    assert "  numerical  0.142857 ±2e-15\n  verdict    ✓ ok, 14 digits\n" in text


def test_what_is_wordy_is_wrapped_at_blanks() -> None:
    result = troubled()
    result.remarks = ["the output is an array: the gradients are those of the sum of its elements"]
    result.nodes[2].note = "one of several words that do not fit in a line of sixty columns"
    lines = result_text(result, Surface(60, terminal=True)).splitlines()
    assert max(map(width, lines)) <= 60
    assert "  of its elements" in lines
    assert lines[-1].startswith("  ")


def test_a_long_formula_is_told_by_its_parts() -> None:
    nodes = [node(0, "x", "input", (), 1.0, 1.0), NodeReport(1, "3", False, "constant", (), (), 3.0)]
    last = 1
    for gate in ("sin", "neg", "pow", "+", "[]", "stack", "max"):
        inputs = (last, 1) if gate in ("pow", "+") else tuple(range(2, 8)) if gate == "max" else (last,)
        last = len(nodes)
        nodes.append(node(last, "sin(sin(sin(sin(sin(…", gate, inputs, 1.0, 1.0))
    rows = result_text(Result("s", 1.0, nodes=nodes, verdict="ok"), PIPE).split("\n\n")[1].splitlines()[1:]
    assert [row[3:30].split("  ")[0] for row in rows] == [
        "x", "sin(3)", "-#2", "#3^3", "#4 + 3", "#5[…]", "[#6]", "max(#2, #3, #4, #5, #6, … 1",
    ]  # fmt: skip


def test_long_inputs_are_numbers_in_pipes_too() -> None:
    nodes = [node(0, "x", "input", (), 1.0, 1.0), node(1, "sin(cos(tan(x*x*x*x)))", "sin", (0,), 1.0, 1.0)]
    nodes.append(node(2, "sin(cos(tan(x*x*x*x)))*sin(cos(tan(x*x*x*x)))", "*", (1, 1), 1.0, 1.0))
    rows = result_text(Result("s", 1.0, nodes=nodes, verdict="ok"), PIPE).splitlines()
    assert rows[-1].split()[3:5] == ["#1,", "#1"]


def test_constants_are_shown_as_they_are_typed() -> None:
    nodes = [node(0, "x", "input", (), 1.0, 1.0), NodeReport(1, "pi", False, "constant", (), (), 3.141592653589793)]
    nodes.append(node(2, "pi*x", "*", (1, 0), 1.0, 1.0))
    rows = result_text(Result("s", 1.0, nodes=nodes, verdict="ok"), PIPE).splitlines()
    assert rows[-1].split()[3:5] == ["pi,", "x"]


def test_the_reason_for_no_check() -> None:
    result = quotient()
    result.verdict, result.reason = "off", "it depends on no input"
    assert result_text(result, PIPE).splitlines()[1] == "– off: not checked: it depends on no input"


def test_five_digits_at_80_columns() -> None:
    names = [f"weight_{number}" for number in range(12)]
    nodes = [node(number, name, "input", (), -1.23456789e-8, -2.34567891e-8, 5e-19) for number, name in enumerate(names)]
    nodes.append(node(12, "sigmoid(weight_10 + weight_11)", "sigmoid", (11,), 0.123456789, 1.23456789, 5e-19))
    text = result_text(Result("s", 1.0, nodes=nodes, verdict="ok"), Surface(80, terminal=True))
    assert "  -2.34568e-8 ±5e-19  ✓ ok" in text or "  -2.3457e-8 ±5e-19  ✓ ok" in text
