"""Every construct of the language becomes the nodes that it means."""

from __future__ import annotations

import ast
import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcalc.errors import GradcalcError
from gradcalc.graph import CONSTANT, INPUT
from gradcalc.language.program import Output, Program


def tree(text: str) -> Any:
    """The last output of a program as nested tuples."""
    program = Program()
    statement = None
    for statement in program.statements(text):
        assert not isinstance(statement, GradcalcError), statement.report()
    assert isinstance(statement, Output)
    graph = program.graph
    made: list[Any] = []
    for node in range(len(graph)):
        if graph.codes[node] == INPUT:
            made.append(program.inputs[graph.left[node]].name)
        elif graph.codes[node] == CONSTANT:
            value = graph.constant(node)
            made.append(value.tolist() if isinstance(value, np.ndarray) else value)
        else:
            gate = graph.operator(node).gate
            assert gate is not None
            made.append((gate.name, *(made[source] for source in graph.inputs(node))))
    return made[statement.node]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("-x^2", ("neg", ("pow", "x", 2.0))),
        ("2^-1", ("pow", 2.0, -1.0)),
        ("2^3^2", ("pow", 2.0, ("pow", 3.0, 2.0))),
        ("x**2", ("pow", "x", 2.0)),
        ("2^-x^2", ("pow", 2.0, ("neg", ("pow", "x", 2.0)))),
        ("a*-b", ("*", "a", ("neg", "b"))),
        ("a - -b", ("-", "a", ("neg", "b"))),
        ("a--1", ("-", "a", -1.0)),
        ("+x", "x"),
        ("a - b - c", ("-", ("-", "a", "b"), "c")),
        ("a/b*c", ("*", ("/", "a", "b"), "c")),
        ("a @ b % c", ("%", ("@", "a", "b"), "c")),
        ("a + b < c*d", ("<", ("+", "a", "b"), ("*", "c", "d"))),
        ("(a < b) < c", ("<", ("<", "a", "b"), "c")),
        ("a × b · c ÷ d − e0", ("-", ("/", ("*", ("*", "a", "b"), "c"), "d"), "e0")),
        ("a·b", ("*", "a", "b")),
        ("x.T^2", ("pow", ("transpose", "x"), 2.0)),
        ("-x[0]", ("neg", ("[]", "x"))),
        ("max(a, b, c,)", ("max", "a", "b", "c")),
        ("log(x, 2)", ("log", "x", 2.0)),
        ("log(base=2, x=y)", ("log", "y", 2.0)),
        ("ln(x)", ("log", "x")),
        ("sin (x)", ("sin", "x")),
        ("(sin\n(x))", ("sin", "x")),
        ("[1, -2, inf, -inf]", [1.0, -2.0, math.inf, -math.inf]),
        ("[[1, 2,], [3, 4],]", [[1.0, 2.0], [3.0, 4.0]]),
        ("[]", []),
        ("[a, [1, 2]]", ("stack", "a", [1.0, 2.0])),
        ("[1, 2/3]", ("stack", 1.0, ("/", 2.0, 3.0))),
        ("stack([a, b])", ("stack", "a", "b")),
        ("lambda + class", ("+", "lambda", "class")),
        ("sin*cos", ("*", "sin", "cos")),
    ],
)
def test_what_a_text_means(text: str, meaning: Any) -> None:
    assert tree(text) == meaning


@pytest.mark.parametrize("number", ["1", "1.", ".5", "1e-3", "1_000", "1.5E+2", "0", "9007199254740993", "5e-324"])
def test_numbers(number: str) -> None:
    assert tree(number) == float(number)


def test_a_number_that_is_too_large_is_infinite_with_a_warning() -> None:
    (statement,) = Program().statements("1e400")
    assert isinstance(statement, Output)
    assert "inf" in statement.warnings[0].message


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("x[0]", (0,)),
        ("x[-1]", (-1,)),
        ("x[1:, :2]", (("slice", 1, None, None), ("slice", None, 2, None))),
        ("x[::-1]", (("slice", None, None, -1),)),
        ("x[1:9:2,]", (("slice", 1, 9, 2),)),
        ("x[..., 0]", ("...", 0)),
    ],
)
def test_indices(text: str, index: Any) -> None:
    program = Program()
    (statement,) = program.statements(text)
    assert isinstance(statement, Output)
    assert dict(program.graph.operator(statement.node).attributes) == {"index": index}
    assert len(program.graph) == 2, "the numbers of an index are no nodes"


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("leaky_relu(x)", {"slope": 0.01}),
        ("leaky_relu(x, 0.2)", {"slope": 0.2}),
        ("leaky_relu(x, slope=-0.2)", {"slope": -0.2}),
        ("sum(x)", {"axis": None, "keepdims": False}),
        ("sum(x, 0, true)", {"axis": 0, "keepdims": True}),
        ("sum(x, axis=[0, -1], keepdims=True)", {"axis": (0, -1), "keepdims": True}),
        ("sum(x, axis=None)", {"axis": None, "keepdims": False}),
    ],
)
def test_attributes(text: str, attributes: dict[str, Any]) -> None:
    program = Program()
    (statement,) = program.statements(text)
    assert isinstance(statement, Output), statement
    assert dict(program.graph.operator(statement.node).attributes) == attributes
    assert len(program.graph) == 2, "the values of attributes are no nodes"
    assert [entry.name for entry in program.inputs] == ["x"]


def test_every_occurrence_of_a_constant_is_a_node_of_its_own_and_an_input_is_one() -> None:
    program = Program()
    list(program.statements("pi*x + pi*x + 2*2"))
    constants = [node for node in range(len(program.graph)) if program.graph.codes[node] == CONSTANT]
    assert len(constants) == 4
    assert len(program.inputs) == 1


OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Mod: "%", ast.Pow: "pow"}


def pythonic(node: ast.expr) -> Any:
    """Python's own reading of an expression, in the form of `tree`."""
    if isinstance(node, ast.BinOp):
        return (OPERATORS[type(node.op)], pythonic(node.left), pythonic(node.right))
    if isinstance(node, ast.UnaryOp):
        inner = pythonic(node.operand)
        if isinstance(node.op, ast.UAdd):
            return inner
        return ("neg", inner)
    assert isinstance(node, ast.Name)
    return node.id


expressions = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "@", "%", "**"]), inner).map(" ".join),
        st.tuples(st.sampled_from(["-", "+"]), inner).map("".join),
        inner.map("({})".format),
    ),
    max_leaves=25,
)


@given(expressions)
def test_precedence_is_that_of_python(text: str) -> None:
    assert tree(text) == pythonic(ast.parse(text, mode="eval").body)


def test_depth_and_length_cost_no_recursion() -> None:
    limit = sys.getrecursionlimit()
    program = Program()
    frames = 0
    frame: Any = sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    sys.setrecursionlimit(frames + 60)
    try:
        (nested,) = program.statements("(" * 100_000 + "x" + ")" * 100_000)
        (long,) = program.statements("+".join(["x"] * 200_000))
        (signs,) = program.statements("-" * 10_000 + "x")
        (calls,) = program.statements("sin(" * 10_000 + "x" + ")" * 10_000)
        (powers,) = program.statements("^".join(["x"] * 10_000))
    finally:
        sys.setrecursionlimit(limit)
    for statement in (nested, long, signs, calls, powers):
        assert isinstance(statement, Output)
    assert len(program.graph) == 1 + 199_999 + 10_000 + 10_000 + 9_999
