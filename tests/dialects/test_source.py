"""What writers share: brackets only where they are needed, statements in order, names that are taken again."""

from __future__ import annotations

import random

import pytest

from gradcalc.calculus.linear import linear_program
from gradcalc.dialects.python import PythonWriter
from gradcalc.dialects.source import ATOM, Piece, SourceWriter, is_atom, straight_lines
from gradcalc.engine import scalar
from gradcalc.graph import Graph
from tests.catalogue import chain, gate
from tests.engine.test_scalar import SMOOTH, random_graph


class Plain(SourceWriter):
    """A dialect of nothing but arithmetic and calls."""

    dialect = "plain"

    def number(self, value: float) -> str:
        return repr(value)

    def otherwise(self, operator, inputs):  # type: ignore[no-untyped-def]
        return Piece(ATOM, f"{operator.gate.name}({', '.join(piece.text for piece in inputs)})")


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([("+", 0, 1), ("*", 2, 0)], "(a + b) * a"),
        ([("*", 0, 1), ("+", 2, 0)], "a * b + a"),
        ([("-", 0, 1), ("-", 0, 2)], "a - (a - b)"),
        ([("-", 0, 1), ("-", 2, 0)], "a - b - a"),
        ([("/", 0, 1), ("/", 0, 2)], "a / (a / b)"),
        ([("neg", 0), ("*", 2, 1)], "-a * b"),
        ([("+", 0, 1), ("neg", 2)], "-(a + b)"),
        ([("*", 0, -2.0)], "a * -2.0"),
        ([("+", 0, 1), ("sin", 2)], "sin(a + b)"),
    ],
)
def test_brackets_stand_where_they_are_needed(steps: list[tuple[str, ...]], text: str) -> None:
    graph = chain(*steps, inputs=2)
    lines = straight_lines(Plain(), graph, [len(graph) - 1], {0: "a", 1: "b"})
    assert lines.statements[-1:] == [] or lines.statements[-1].endswith(text)
    assert (lines.statements or [""])[-1] == f"{lines.outputs[0]} = {text}"


@pytest.mark.parametrize("text", ["x", "v12", "1.5", "f(a, b + c)", "(a + b)", "a.b", "a[1, 2]", "f(x).T"])
def test_what_needs_no_brackets(text: str) -> None:
    assert is_atom(text)


@pytest.mark.parametrize("text", ["-x", "a + b", "(a)(b) + c", "(a) + (b)", "a if b else c", "(a) (b)"])
def test_what_needs_brackets(text: str) -> None:
    assert not is_atom(text)


@pytest.mark.parametrize("largest", [1, 3, 8, 50])
@pytest.mark.parametrize("seed", range(12))
def test_statements_compute_what_the_graph_does(seed: int, largest: int) -> None:
    graph, point = random_graph(random.Random(f"lines {seed}"), SMOOTH, 40)
    program = linear_program(graph, range(graph.input_count))
    writer = PythonWriter(program.graph, {})
    names = {number: f"x{number}" for number in range(program.graph.input_count)}
    lines = straight_lines(writer, program.graph, program.outputs, names, largest=largest)
    scope = dict(writer.namespace) | dict(zip(names.values(), point))
    try:
        for statement in lines.statements:
            exec(statement, scope)
    except (ArithmeticError, ValueError):
        return
    values = scalar.forward(program.graph, point)
    for output, text in zip(program.outputs, lines.outputs):
        if output is not None and text is not None:
            assert eval(text, scope) == pytest.approx(values[output], nan_ok=True)


def test_names_are_taken_again() -> None:
    graph = chain(*[("sin", number) for number in range(100)])
    lines = straight_lines(Plain(), graph, [100], {0: "x"}, largest=1)
    assert len(lines.statements) == 100
    assert lines.names == ["v0"]


def test_a_value_that_is_needed_later_keeps_its_name() -> None:
    graph = Graph()
    x = graph.add_input()
    first = graph.add(gate("sin"), [x])
    node = first
    for _ in range(5):
        node = graph.add(gate("cos"), [node])
    graph.add(gate("+", 2), [node, first])
    lines = straight_lines(Plain(), graph, [len(graph) - 1], {0: "x"}, largest=1)
    name = lines.statements[0].partition(" = ")[0]
    assert all(not statement.startswith(f"{name} =") for statement in lines.statements[1:-1])
    assert lines.statements[-1].endswith(f" + {name}")
