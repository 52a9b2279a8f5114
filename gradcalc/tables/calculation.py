"""The outputs of a program as functions of the rows of a table: all values and gradients of many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from gradcalc.calculus.elements import elements
from gradcalc.engine.compiled import Program, compile_graph
from gradcalc.engine.shapes import size_inputs
from gradcalc.errors import GradcalcError
from gradcalc.gates.record import REGISTRY, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

Numbers = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

WRITTEN_OUT = 5_000
"""A formula of arrays with up to so many gates on numbers is written out in them; others are taken row by row."""

KEPT_SIZES = 256
"""For so many sizes the programs are remembered."""

UNMOVED = -0.0
"""Added to a number, this leaves every number as it is, 0.0 and -0.0 too."""


@dataclass(frozen=True)
class Part:
    """One output as a function of a row.

    Attributes:
        graph: whose last node, a number, is the output; without makers.
        shapes: of its nodes, None where all are numbers.
        inputs: the names of its inputs, by number.
        values: by number the value of an input for all rows, None where the rows have it.
        wrt: the numbers of the inputs to differentiate by, all of them numbers; None where the derivative is 0 everywhere.
        names: what they are called.
        sizes: the names of the inputs that the rows have and that sizes are computed from. The graph holds for one value of these.
        at: makes the part for others.
    """

    graph: Graph
    shapes: Sequence[Shape] | None
    inputs: tuple[str, ...]
    values: tuple[Any, ...]
    wrt: tuple[int | None, ...]
    names: tuple[str, ...]
    sizes: tuple[str, ...] = ()
    at: Callable[[Mapping[str, float]], Part] | None = None

    def plain(self) -> dict[str, Any]:
        """The part as plain data: names, numbers, arrays. Gates are called by their names in the catalogue."""
        graph = self.graph
        operators = [(o.gate.name if o.gate is not None else "", o.attributes, o.arity) for o in graph.operators]
        return {
            "operators": operators,
            "codes": graph.codes,
            "left": graph.left,
            "right": graph.right,
            "bundles": graph.bundles,
            "constants": graph.constants,
            "shapes": self.shapes,
            "inputs": self.inputs,
            "values": self.values,
            "wrt": self.wrt,
            "names": self.names,
        }


def part_of(plain: Mapping[str, Any]) -> Part:
    """A part from plain data; see `Part.plain`."""
    graph = Graph()
    codes = [INPUT, CONSTANT]
    for name, attributes, arity in plain["operators"][2:]:
        gate = REGISTRY.find(name, arity)
        assert gate is not None, name
        codes.append(graph.code(gate, attributes, arity))
    graph.codes = [codes[code] for code in plain["codes"]]
    graph.left, graph.right = list(plain["left"]), list(plain["right"])
    graph.bundles, graph.constants = list(plain["bundles"]), list(plain["constants"])
    graph.input_count = len(plain["inputs"])
    inputs, values, wrt, names = (tuple(plain[name]) for name in ("inputs", "values", "wrt", "names"))
    return Part(graph, plain["shapes"], inputs, values, wrt, names)


def moved(graph: Graph, nodes: Sequence[int]) -> tuple[Graph, list[int]]:
    """The graph with a new input added to each of these nodes, so that the derivative by the input is that by the node.

    Returns:
        The graph, and the numbers of the new inputs, whose value is to be `UNMOVED`.
    """
    plus = REGISTRY.find("+", 2)
    assert plus is not None
    target = Graph()
    target.input_count = graph.input_count
    found: dict[int, int] = {}
    numbers: dict[int, int] = {}
    for node in range(len(graph)):
        found[node] = _copy(graph, node, target, found)
        if node in nodes:
            numbers[node] = target.input_count
            found[node] = target.add(plus, (found[node], target.add_input()))
    return target, [numbers[node] for node in nodes]


def _copy(graph: Graph, node: int, target: Graph, found: Mapping[int, int], number: int | None = None) -> int:
    """Copy a node whose inputs are copied; an input keeps its number, or gets another one."""
    code = graph.codes[node]
    if code == CONSTANT:
        return target.add_constant(graph.constant(node))
    if code == INPUT:
        copy = target.add_input()
        target.left[copy] = graph.left[node] if number is None else number
        target.input_count -= 1
        return copy
    operator = graph.operators[code]
    assert operator.gate is not None
    return target.add(operator.gate, [found[source] for source in graph.inputs(node)], operator.attributes)


class Calculation:
    """Several outputs, compiled.

    Attributes:
        width: how many columns of results there are: of each part its value, then its derivatives.
        gates: how many gates a row takes, about.
        slow: whether some part has to be taken row by row, or by its sizes.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = [_compiled(part) for part in parts]
        self.width = sum(1 + len(part.wrt) for part in parts)
        self.gates = sum(len(part.graph) for part in self._parts)
        self.slow = any(not isinstance(part, _Lanes) for part in self._parts)

    def __call__(self, columns: Mapping[str, Numbers], rows: int) -> list[Numbers]:
        """The columns of results for so many rows, whose inputs come as columns by name."""
        return [numpy.broadcast_to(column, rows) for part in self._parts for column in part(columns, rows)]


class _Lanes:
    """A part whose gates all work on numbers: many rows go through each gate at once."""

    def __init__(self, part: Part, again: _RowByRow | None = None) -> None:
        self.part = part
        self.graph = part.graph
        self._wrt = [number for number in part.wrt if number is not None]
        self._program = compile_graph(part.graph, self._wrt)
        self._again = again

    def __call__(self, columns: Mapping[str, Numbers], rows: int) -> list[Numbers]:
        values = [columns[name] if value is None else value for name, value in zip(self.part.inputs, self.part.values)]
        value, gradients = self._program.rows(values, threads=1)
        if self._again is not None:
            self._look_again(columns, rows, value, gradients)
        found = iter(gradients)
        return [value, *(numpy.zeros(1) if number is None else next(found) for number in self.part.wrt)]

    def _look_again(self, columns: Mapping[str, Numbers], rows: int, value: Numbers, gradients: Sequence[Numbers]) -> None:
        """Rows in which something is not finite, by the gates on arrays themselves, which know more."""
        assert self._again is not None
        if len(value) != rows:
            return
        lost = numpy.flatnonzero(~numpy.isfinite(numpy.vstack([value, *gradients])).all(axis=0))
        if len(lost):
            mended = self._again.wanted({name: column[lost] for name, column in columns.items()}, len(lost), self._wrt)
            for own, better in zip((value, *gradients), mended):
                own[lost] = better


class _RowByRow:
    """A part whose gates work on arrays: one row after the other."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.graph = part.graph
        self._programs: dict[tuple[int, ...], Program] = {}

    def __call__(self, columns: Mapping[str, Numbers], rows: int) -> list[Numbers]:
        wrt = [number for number in self.part.wrt if number is not None]
        found = iter(self.wanted(columns, rows, wrt))
        return [next(found), *(numpy.zeros(1) if number is None else next(found) for number in self.part.wrt)]

    def wanted(self, columns: Mapping[str, Numbers], rows: int, wrt: Sequence[int]) -> list[Numbers]:
        """The values, and the derivatives by these inputs."""
        part = self.part
        program = self._programs.get(tuple(wrt))
        if program is None:
            program = self._programs[tuple(wrt)] = compile_graph(part.graph, wrt, list(part.shapes or ()) or None).ready()
        point = list(part.values)
        places = [(number, columns[name].tolist()) for number, name in enumerate(part.inputs) if part.values[number] is None]
        results = numpy.empty((1 + len(wrt), rows if places else 1))
        for row in range(results.shape[1]):
            for number, column in places:
                point[number] = column[row]
            value, gradients = program.value_and_gradients(point)
            results[0, row], results[1:, row] = value, gradients
        return list(results)


class _BySize:
    """A part whose sizes differ from row to row: the rows of each size on their own."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.graph = part.graph
        self._programs: dict[tuple[float, ...], _Lanes | _RowByRow | _BySize] = {}

    def __call__(self, columns: Mapping[str, Numbers], rows: int) -> list[Numbers]:
        sizes = numpy.stack([columns[name] for name in self.part.sizes], axis=1)
        different, which, counts = numpy.unique(sizes, axis=0, return_inverse=True, return_counts=True)
        groups = numpy.split(numpy.argsort(which.ravel(), kind="stable"), numpy.cumsum(counts)[:-1])
        results = numpy.empty((1 + len(self.part.wrt), rows))
        for size, group in zip(different.tolist(), groups):
            found = self._program(tuple(size))({name: column[group] for name, column in columns.items()}, len(group))
            for result, column in zip(results, found):
                result[group] = column
        return list(results)

    def _program(self, size: tuple[float, ...]) -> _Lanes | _RowByRow | _BySize:
        known = self._programs.get(size)
        if known is None:
            assert self.part.at is not None
            if len(self._programs) >= KEPT_SIZES:
                self._programs = {}
            known = self._programs[size] = _compiled(self.part.at(dict(zip(self.part.sizes, size))))
        return known


def _compiled(part: Part) -> _Lanes | _RowByRow | _BySize:
    if part.sizes:
        return _BySize(part)
    if part.shapes is None:
        return _Lanes(part)
    slow = _RowByRow(part)
    written = _written_out(part)
    return slow if written is None else _Lanes(written, slow)


def _written_out(part: Part) -> Part | None:
    """A part of arrays as one of numbers; None where that can't be, or would be too long."""
    assert part.shapes is not None
    graph, values = part.graph, list(part.values)
    sizes = size_inputs(graph)
    fixed = {
        node: value
        for node, code in enumerate(graph.codes)
        if code == INPUT
        and (value := values[graph.left[node]]) is not None
        and (graph.left[node] in sizes or not isinstance(value, float))
    }
    try:
        found = elements(graph.with_constants(fixed), len(graph) - 1, part.shapes)
    except GradcalcError:
        return None
    if len(found.graph) > WRITTEN_OUT:
        return None
    # Inputs that became constants keep their numbers, so that those of the others stay; each is a number that nobody asks for.
    reached = found.graph.reached([int(found.output[()])])
    target = Graph()
    target.input_count = len(part.inputs)
    places = {int(nodes[()]): number for number, nodes in enumerate(found.inputs) if not nodes.shape}
    copies: dict[int, int] = {}
    for node, needed in enumerate(reached):
        if needed:
            copies[node] = _copy(found.graph, node, target, copies, places.get(node))
    values = [0.0 if value is not None and not isinstance(value, float) else value for value in values]
    return replace(part, graph=target, shapes=None, values=tuple(values))
