"""Rows through a program: all rows at once give what each gives by itself."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy
import pytest

from gradcalc.engine.compiled import compile_graph
from gradcalc.errors import GradcalcError
from gradcalc.tables.calculation import UNMOVED, Calculation, Part, moved, part_of
from gradcalc.workspace import Workspace

ROWS = {"x": numpy.array([0.0, 0.5, -1.0, 2.0, 3.0]), "y": numpy.array([1.0, 0.0, 0.25, -2.0, 3.0])}

FORMULAS = (
    "sigmoid(a*x + b*y)*exp(-x*y)/(1 + x*x)",
    "where(x < 1, x, sqrt(x))*y",
    "max(x, y) + abs(x - y) + x % 2",
    "sum(sigmoid(W@[x, y] + v))",
    "logsumexp([x, y, a]) + norm([x, y])",
    "softmax([x, y, 1])[1] + det([[x, 1], [2, y]])",
    "max([x, y, a]) + sum(sort([x, y]))",
    "sum(solve([[x + 10, 1], [2, y + 10]], [x, 1]))",
    "sum(cumsum(x*linspace(0, 1, 7)))*a",
    "x",
    "a*b",
)


def part(text: str) -> Part:
    """A formula whose inputs x and y come from rows, differentiated by all of its inputs that are numbers."""
    values = {"a": 2.0, "b": -0.5, "W": [[1, 2], [0.5, -1]], "v": [0.1, 0.2]}
    (formula,) = [f for f in Workspace(values).formulas(text, optional=True) if not isinstance(f, GradcalcError)]
    own = tuple(None if name in ROWS else value for name, value in zip(formula.inputs, formula.values))
    graph, shapes = formula.prepared([0.0 if value is None else value for value in own])
    wrt = [number for number, value in enumerate(own) if value is None or isinstance(value, float)]
    return Part(graph, shapes, formula.inputs, own, tuple(wrt), tuple(formula.inputs[number] for number in wrt))


def one_by_one(own: Part) -> list[list[float]]:
    wrt: list[int] = [number for number in own.wrt if number is not None]
    program = compile_graph(own.graph, wrt, None if own.shapes is None else list(own.shapes))
    rows = []
    for row in range(5):
        point: list[Any] = [float(ROWS[n][row]) if v is None else v for n, v in zip(own.inputs, own.values)]
        value, gradients = program.value_and_gradients(point)
        rows.append([value, *gradients])
    return rows


@pytest.mark.parametrize("text", FORMULAS)
def test_all_rows_at_once_are_as_each_by_itself(text: str) -> None:
    own = part(text)
    found = Calculation([own])(ROWS, 5)
    assert all(len(column) == 5 for column in found)
    numpy.testing.assert_allclose(numpy.array(found).T, one_by_one(own), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_part_survives_as_plain_data(text: str) -> None:
    own = part(text)
    plain = PlainData(io.BytesIO(pickle.dumps(own.plain()))).load()
    again = Calculation([part_of(plain)])(ROWS, 5)
    assert [column.tobytes() for column in again] == [column.tobytes() for column in Calculation([own])(ROWS, 5)]


class PlainData(pickle.Unpickler):
    """Refuses all but what is built in, and the arrays of NumPy."""

    def find_class(self, module: str, name: str) -> Any:
        assert module.startswith("numpy"), (module, name)
        return super().find_class(module, name)


def test_gates_on_arrays_are_written_out_in_gates_on_numbers() -> None:
    assert not Calculation([part("sum(sigmoid(W@[x, y] + v))")]).slow
    assert Calculation([part("sum(x*linspace(0, 1, 9000)^2*y)")]).slow


def test_a_node_can_be_differentiated_by() -> None:
    (formula,) = Workspace({}).formulas("q = x*y; q^2 + x", optional=True)
    assert not isinstance(formula, GradcalcError)
    node = formula.node("q")
    assert node is not None
    graph, numbers = moved(formula.graph, [node])
    own = Part(graph, None, (*formula.inputs, "q moved"), (None, None, UNMOVED), (*numbers, 0, None), ("q", "x", "z"))
    value, by_q, by_x, by_z = Calculation([own])(ROWS, 5)
    x, y = ROWS["x"], ROWS["y"]
    numpy.testing.assert_array_equal(value, (x * y) ** 2 + x)
    numpy.testing.assert_array_equal(by_q, 2 * x * y)
    numpy.testing.assert_allclose(by_x, 2 * x * y * y + 1)
    assert not by_z.any()
