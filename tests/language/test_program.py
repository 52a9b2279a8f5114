"""Names, inputs, defaults, user gates, places, and cutting back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradcalc.errors import GradcalcError
from gradcalc.language.program import Assigned, Defined, Output, Program, Statement


def good(program: Program, source: str) -> list[Statement]:
    statements = list(program.statements(source))
    for statement in statements:
        assert not isinstance(statement, GradcalcError), statement.report()
    return [statement for statement in statements if not isinstance(statement, GradcalcError)]


def kinds(source: str) -> list[str]:
    """What each name of a program is: an input, an input with a default, or a node."""
    program = Program()
    good(program, source)
    return [
        f"{name}: {'node' if entry is None else 'default' if entry.default is not None else 'input'}"
        for name, entry in ((name, program.input_of(node)) for name, node in program.names.items())
    ]


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("x = -2", ["x: default"]),
        ("r = pi/2", ["r: default"]),
        ("y = a*2", ["a: input", "y: node"]),
        ("k = 2; m = k*3", ["k: default", "m: node"]),
        ("W = [[1, 2], [3, 4]]", ["W: default"]),
        ("f(x) = x^2; y = f(3)", ["y: default"]),
        ("k = 1; f(x) = k*x; y = f(3)", ["k: default", "y: node"]),
        ("e = 3; y = e*2", ["e: default", "y: node"]),
        ("load + var*norm", ["load: input", "var: input", "norm: input"]),
    ],
)
def test_which_names_are_inputs(source: str, answer: list[str]) -> None:
    assert kinds(source) == answer


def test_statements_know_their_line_and_kind() -> None:
    first, second, third, fourth = good(Program(), "x = 1\n\ny = (x +\n1); f(u) = u\nf(y)")
    assert isinstance(first, Assigned) and first.is_input and first.line == 1
    assert isinstance(second, Assigned) and not second.is_input and second.line == 3
    assert isinstance(third, Defined) and third.name == "f" and third.line == 4
    assert isinstance(fourth, Output) and fourth.line == 5


def test_a_bound_name_shadows_a_constant() -> None:
    program = Program(bound={"e"})
    good(program, "e*pi")
    assert [entry.name for entry in program.inputs] == ["e"]


def test_names_are_compared_in_normal_form() -> None:
    program = Program()
    good(program, "\u00b5 + \u03bc; caf\u00e9 + cafe\u0301")
    assert [entry.name for entry in program.inputs] == ["\u03bc", "caf\u00e9"]


def test_labels_are_names_or_the_source() -> None:
    program = Program()
    good(program, "s = a*x  +  b # sum\n(s +  # comment\n 1)*2")
    labels = [program.label(node) for node in range(len(program.graph))]
    assert labels == ["a", "x", "a*x", "b", "s", "1", "s + 1", "2", "(s + 1)*2"]
    assert program.label(len(labels) - 1, limit=5) == "(s +…"
    assert program.name_of(4) == "s" and program.name_of(2) is None


def test_places_point_at_the_operator() -> None:
    program = Program()
    good(program, "y = 2\nsigmoid(a + b) ** y")
    places = {program.label(node): program.place(node) for node in range(len(program.graph))}
    assert (places["sigmoid(a + b) ** y"].column, places["sigmoid(a + b) ** y"].width) == (15, 2)
    assert (places["a + b"].line, places["a + b"].column) == (2, 10)
    assert (places["sigmoid(a + b)"].column, places["sigmoid(a + b)"].width) == (0, 7)
    assert (places["y"].line, places["y"].column) == (1, 0)


def test_a_user_gate_is_one_node_whose_body_is_complete() -> None:
    program = Program()
    good(program, "k = 2; f(u, v) = u*v + k*w + pi; f(1, 2)")
    definition = program.definitions["f"]
    gate = program.gates["f"]
    assert definition.own == 2 and gate.parameters[:2] == ("u", "v") and set(gate.parameters[2:]) == {"k", "w"}
    call = len(program.graph) - 1
    assert program.graph.operator(call).gate is gate
    assert program.graph.inputs(call)[2:] == definition.captured
    assert {program.label(node) for node in definition.captured} == {"k", "w"}
    assert [entry.name for entry in program.inputs] == ["k", "w"]
    body = gate.body
    assert body is not None and len(body.parameters) == 4
    assert program.gate_label("f", body.output) == "u*v + k*w + pi"
    assert program.gate_place("f", body.output).column == 27


@pytest.mark.parametrize("body", ["u", "k", "3", "z", "g(u)"])
def test_a_body_may_be_anything(body: str) -> None:
    program = Program()
    good(program, f"k = 2; g(x) = x*k; f(u) = {body}; f(1)")
    gate = program.gates["f"]
    assert gate.body is not None
    call = len(program.graph) - 1
    assert len(program.graph.inputs(call)) == len(gate.parameters) == len(gate.body.parameters)


def test_a_parameter_hides_a_name_outside() -> None:
    program = Program()
    good(program, "x = 5; f(x, e) = x*e; f(1, 2)")
    assert program.definitions["f"].captured == ()


def test_a_failed_statement_leaves_nothing_behind() -> None:
    program = Program()
    good(program, "a = 1")
    mark = program.mark()
    (error,) = program.statements("b = a*new + 2x")
    assert isinstance(error, GradcalcError)
    assert program.mark() == mark
    assert "new" not in program.known and "new" not in program.names
    assert len(program.sheet.starts) == len(program.graph)


def test_a_failed_definition_leaves_nothing_behind() -> None:
    program = Program()
    mark = program.mark()
    (error,) = program.statements("f(u) = u*new + sin()")
    assert isinstance(error, GradcalcError)
    assert program.mark() == mark and not program.gates and not program.inputs


def test_names_that_failed_are_no_inputs() -> None:
    program = Program()
    errors = list(program.statements("b = 1/\nb*2\nf(x) = x+\nf(1)"))
    assert all(isinstance(error, GradcalcError) for error in errors)
    assert not program.inputs
    program.break_name("c", 7)
    (error,) = program.statements("c + 1")
    assert isinstance(error, GradcalcError) and "line 7" in error.message


def test_a_cut_forgets_nodes_but_not_that_a_name_was_an_input() -> None:
    program = Program()
    mark = program.mark()
    for _ in range(3):
        good(program, "x*y + 1")
        assert len(program.inputs) == 2
        program.cut(mark)
        assert len(program.graph) == 0 and not program.inputs and not program.names
    (error,) = program.statements("x = 3")
    assert isinstance(error, GradcalcError) and "after it was used as an input" in error.message
    assert error.related[0][1].text == "x*y + 1"


def test_a_stream_of_outputs_takes_no_more_memory() -> None:
    def lines() -> Iterator[str]:
        for number in range(3000):
            yield f"x*{number} + y\n"

    program = Program()
    mark = program.mark()
    for statement in program.statements(lines()):
        assert isinstance(statement, Output)
        assert statement.node == 4
        program.cut(mark)
    assert len(program.sheet.blocks) <= 1 and len(program.known) == 2 and not program._log


def test_an_interactive_program_may_assign_again() -> None:
    program = Program(interactive=True)
    good(program, "x = 1\ny = x + a\nx = 2\nx = x + 1\nf(u) = u\nf(u) = 2*u\nx*y + f(x)")
    assert program.label(program.names["x"]) == "x"
    assert program.input_of(program.names["x"]) is None


def test_another_name_for_a_node_is_a_node_of_its_own() -> None:
    program = Program()
    good(program, "y = x; z = +y; z*2")
    assert [program.names[name] for name in "xyz"] == [0, 1, 2]
    assert [program.label(program.names[name]) for name in "xyz"] == ["x", "y", "z"]
    assert program.graph.inputs(2) == (1,)


def test_the_size_of_a_long_sum() -> None:
    import tracemalloc

    tracemalloc.start()
    program = Program()
    good(program, "+".join(["x"] * 50_001))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 50_000 < 250
