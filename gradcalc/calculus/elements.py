"""A formula of arrays as formulas of numbers, one for each element: what Jacobians and Hessians of arrays are written of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from math import prod
from typing import Any, NamedTuple

import numpy

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.extract import extract
from gradcalc.calculus.partial import ExactBuilder
from gradcalc.errors import ArgumentProblem, LimitProblem
from gradcalc.gates.record import DRAW, Body, Gate, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator
from gradcalc.language.formulas import parse_formula

MOST_ELEMENTS = 256
"""How many elements the inputs may have together."""

MOST_NODES = 200_000
"""How many gates the formulas of the elements may have."""

LARGEST_DETERMINANT = 4
"""Determinants and inverses are written out up to this size."""


class Elements(NamedTuple):
    """Formulas of numbers.

    Attributes:
        graph: whose inputs are the elements of the inputs, one behind the other.
        output: the nodes of the output's elements, as an array of its shape.
        inputs: the nodes of each input's elements, as arrays of their shapes, by its number.
    """

    graph: Graph
    output: Any
    inputs: list[Any]

    def names(self, names: Sequence[str]) -> dict[int, str]:
        """The names of the elements: `x[0]`, `W[1, 2]`, and of a number its own."""
        found = {}
        for name, nodes in zip(names, self.inputs):
            for place in numpy.ndindex(nodes.shape):
                found[int(nodes[place])] = f"{name}[{', '.join(map(str, place))}]" if place else name
        return found


def elements(graph: Graph, output: int, shapes: Sequence[Shape]) -> Elements:
    """Write every element of a node as a formula of the elements of the inputs.

    Args:
        graph: holds the node.
        output: the node.
        shapes: of all nodes.

    Raises:
        LimitProblem: there are too many elements, or their formulas are too long.
        ArgumentProblem: a gate that can't be written so.
    """
    sizes = {graph.left[node]: shapes[node] for node, code in enumerate(graph.codes) if code == INPUT}
    total = sum(prod(shape) for shape in sizes.values())
    if total > MOST_ELEMENTS:
        raise LimitProblem(
            f"the inputs have {total:,} elements, too many for a formula of each",
            remedy=f"up to {MOST_ELEMENTS} are written out; give all inputs values to have the numbers, or choose some with --wrt",
        )
    part = extract(graph, output, output, _opened)
    target = Graph()
    inputs = [numpy.array([target.add_input() for _ in range(prod(sizes.get(number, ())))]) for number in range(graph.input_count)]
    inputs = [nodes.reshape(sizes.get(number, ())) for number, nodes in enumerate(inputs)]
    numbers: Sequence[int] = range(graph.input_count)
    if part.origin is not None:
        numbers = [graph.left[source] for code, source in zip(part.graph.codes, part.origin) if code == INPUT]
    builder = ExactBuilder(target)
    cells: list[Any] = []
    for node, code in enumerate(part.graph.codes):
        if code == INPUT:
            cells.append(_terms(builder, inputs[numbers[part.graph.left[node]]]))
        elif code == CONSTANT:
            cells.append(numpy.asarray(part.graph.constant(node), dtype=object))
        else:
            cells.append(_applied(builder, part.graph.operator(node), [cells[source] for source in part.graph.inputs(node)]))
        if len(target) > MOST_NODES:
            raise LimitProblem(
                f"the formulas of the elements have more than {MOST_NODES:,} gates",
                remedy="give all inputs values to have the numbers",
            )
    result = cells[len(part.graph) - 1]
    nodes = numpy.array([builder.lifted(cell).node for cell in result.ravel()], dtype=int).reshape(result.shape)
    return Elements(target, nodes, inputs)


def _opened(operator: Operator) -> Body | None:
    """Composed gates on arrays are opened; element-wise ones stay, and those that are written in a form of their own."""
    gate = operator.gate
    if gate is None or gate.elementwise or gate.formula is None or gate.name in _WRITTEN_OUT:
        return None
    return parse_formula(gate, dict(operator.attributes))


def _terms(builder: Builder, nodes: Any) -> Any:
    cells = numpy.empty(nodes.shape, dtype=object)
    for place in numpy.ndindex(nodes.shape):
        cells[place] = builder.term(int(nodes[place]))
    return cells


def _applied(builder: Builder, operator: Operator, inputs: Sequence[Any]) -> Any:
    """A gate on arrays of terms and numbers."""
    gate = operator.gate
    assert gate is not None
    if not any(isinstance(cell, Expression) for array in inputs for cell in array.ravel()):
        return _computed(gate, operator, [array.astype(float) for array in inputs])
    attributes = {name: value for name, value in operator.attributes if name != DRAW}
    if gate.elementwise:
        return _each(builder, gate, inputs, attributes)
    own = _WRITTEN_OUT.get(gate.name)
    if own is not None:
        return own(builder, *inputs, **attributes)
    if gate.name in _MOVING or gate.name in _ADDING:
        data, sizes = gate.divided(inputs)
        if gate.data is not None:
            cells = [size for array in sizes for size in array.ravel()]
            if any(isinstance(size, Expression) for size in cells):
                raise ArgumentProblem(f"a size of {gate.name} is an input, and what is written out has fixed sizes")
            attributes["sizes"] = tuple(map(int, cells))
        return _as_cells(_kernel(gate)(*data, **attributes))
    raise ArgumentProblem(
        f"{gate.name} can't be written element by element", remedy="give all inputs values to have the numbers instead of formulas"
    )


def _as_cells(result: Any) -> Any:
    if isinstance(result, numpy.ndarray):
        for place in numpy.ndindex(result.shape):
            if isinstance(result[place], numpy.ndarray):
                result[place] = result[place][()]
        return result
    cell = numpy.empty((), dtype=object)
    cell[()] = result
    return cell


def _computed(gate: Gate, operator: Operator, values: Sequence[Any]) -> Any:
    """A gate on numbers alone."""
    attributes = {name: value for name, value in operator.attributes if name != DRAW}
    data, sizes = gate.divided(values)
    if gate.data is not None:
        numbers = [float(size) for array in sizes for size in array.ravel()]
        attributes["sizes"] = tuple(map(int, numbers)) if gate.whole else tuple(numbers)
    with numpy.errstate(all="ignore"):
        return numpy.asarray(_kernel(gate)(*data, **attributes), dtype=object)


def _kernel(gate: Gate) -> Callable[..., Any]:
    """The gate's forward rule on arrays of any kind of elements."""
    if isinstance(gate.array, str):
        return getattr(numpy, gate.array)  # type: ignore[no-any-return]
    return partial(gate.array, numpy)


def _each(builder: Builder, gate: Gate, inputs: Sequence[Any], attributes: dict[str, Any]) -> Any:
    spread = numpy.broadcast_arrays(*inputs)
    result = numpy.empty(spread[0].shape, dtype=object)
    for place in numpy.ndindex(result.shape):
        arguments = [array[place] for array in spread]
        result[place] = arguments[0] if gate.name == "=" else builder.apply(gate.name, arguments, attributes)
    return result


def _extreme(name: str) -> Callable[..., Any]:
    def reduced(builder: Builder, x: Any, axis: Any, keepdims: bool) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else tuple(number % x.ndim for number in numpy.atleast_1d(axis))
        kept = [number for number in range(x.ndim) if number not in axes]
        rows = x.transpose((*kept, *axes)).reshape((*[x.shape[number] for number in kept], -1))
        result = numpy.empty(rows.shape[:-1], dtype=object)
        for place in numpy.ndindex(result.shape):
            row = list(rows[place])
            result[place] = row[0] if len(row) == 1 else builder.apply(name, row, {})
        return result.reshape([1 if number in axes else size for number, size in enumerate(x.shape)]) if keepdims else result

    return reduced


def _matrices(x: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Each matrix of a batch, with its place."""
    for place in numpy.ndindex(x.shape[:-2]):
        yield place, x[place]


def _determinant(builder: Builder, x: Any) -> Any:
    _refuse_large("det", x.shape[-1])
    result = numpy.empty(x.shape[:-2], dtype=object)
    for place, matrix in _matrices(x):
        result[place] = _leibniz(matrix)
    return result


def _leibniz(matrix: Any) -> Any:
    """The determinant as a sum over all orders of the columns."""
    size = len(matrix)
    total: Any = 0.0
    for order in permutations(range(size)):
        swaps = sum(order[a] > order[b] for a in range(size) for b in range(a + 1, size))
        product: Any = 1.0
        for row, column in enumerate(order):
            product = product * matrix[row, column]
        total = total - product if swaps % 2 else total + product
    return total


def _inverse(builder: Builder, x: Any) -> Any:
    """Cramer's rule."""
    size = x.shape[-1]
    _refuse_large("inv", size)
    result = numpy.empty(x.shape, dtype=object)
    for place, matrix in _matrices(x):
        determinant = _leibniz(matrix)
        for row in range(size):
            for column in range(size):
                cofactor = _leibniz(numpy.delete(numpy.delete(matrix, column, axis=0), row, axis=1))
                result[(*place, row, column)] = (-cofactor if (row + column) % 2 else cofactor) / determinant
    return result


def _solution(builder: Builder, a: Any, b: Any) -> Any:
    return _as_cells(numpy.matmul(_inverse(builder, a), b))


def _refuse_large(name: str, size: int) -> None:
    if size > LARGEST_DETERMINANT:
        raise ArgumentProblem(
            f"{name} of a {size}×{size} matrix is not written element by element",
            remedy="give all inputs values to have the numbers instead of formulas",
        )


def _softmax(builder: Builder, x: Any, axis: Any) -> Any:
    """By differences, which no large element spoils: 1/(1 + exp(x[1] - x[0]) + …)."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(number % x.ndim for number in numpy.atleast_1d(axis))
    result = numpy.empty(x.shape, dtype=object)
    for place in numpy.ndindex(x.shape):
        row = x[tuple(slice(None) if number in axes else index for number, index in enumerate(place))].ravel()
        own = numpy.arange(x.size).reshape(x.shape)
        others = own[tuple(slice(None) if number in axes else index for number, index in enumerate(place))].ravel() != own[place]
        total = sum((builder.apply("exp", [other - x[place]], {}) for other in row[others]), 1.0)
        result[place] = 1.0 / total
    return result


_WRITTEN_OUT: dict[str, Callable[..., Any]] = {
    "max": _extreme("max"),
    "min": _extreme("min"),
    "det": _determinant,
    "inv": _inverse,
    "solve": _solution,
    "softmax": _softmax,
}

_MOVING = frozenset(
    (
        *("stack", "[]", "scatter", "reshape", "broadcast_to", "concat", "squeeze"),
        *("expand_dims", "flatten", "flip", "transpose", "full", "size"),
    )
)
"""Gates that only move elements: NumPy does it with elements of any kind."""

_ADDING = frozenset(("sum", "sum_to", "prod", "@", "dot", "outer", "trace", "cumsum", "mean", "affine"))
"""Gates that add and multiply elements, which NumPy does with whatever knows + and *."""
