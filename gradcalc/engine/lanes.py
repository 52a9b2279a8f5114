"""Programs of numbers over lanes of rows: blocks of rows that stay in the cache, on two threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from gradcalc.calculus.linear import LinearProgram, linear_program
from gradcalc.dialects.numpy import write_numpy
from gradcalc.engine import scalar
from gradcalc.engine.buffered import namespace_of, new_buffer
from gradcalc.engine.threads import THREADS, share
from gradcalc.graph import CONSTANT, Graph

if TYPE_CHECKING:
    from gradcalc.engine.compiled import ScalarProgram

ROWS = (-1,)
"""The shape of what differs from row to row."""

CACHE = 1 << 22
"""How many bytes the arrays of a block may take together."""

LEAST_BLOCK, LARGEST_BLOCK = 2048, 32768

THREADED = 16_000
"""From so many rows on, two threads share the blocks."""


class Lanes:
    """A program for rows in which certain inputs are columns, and the others are numbers for all rows."""

    def __init__(self, program: ScalarProgram, varying: Sequence[bool], exact: bool = False) -> None:
        """Write the program.

        Args:
            program: the graph, and what is wanted.
            varying: by input number whether it is a column.
            exact: every gate by the function of its own record, as the interpreter has it.
        """
        self.program = program
        self.varying = tuple(varying)
        self.exact = exact
        linear = linear_program(program.graph, program.wrt, steps=not exact)
        self.linear = linear
        graph = linear.graph
        self.moves = _moving(graph, self.varying)
        self.fixed = _fixed_frontier(linear, self.moves)
        names = {number: f"x{number}" for number, moves in enumerate(self.varying) if moves}
        names |= {node: f"u{place}" for place, node in enumerate(self.fixed)}
        self.columns = sorted(number for number, moves in enumerate(self.varying) if moves)
        self.results = [place for place, node in enumerate(linear.outputs) if node is not None and self.moves[node]]
        into = [f"out{place}" for place in self.results]
        shapes = [ROWS if moves else () for moves in self.moves]
        wanted = [linear.outputs[place] for place in self.results]
        source = write_numpy(graph, wanted, shapes, names, into, lambda shape: shape == ROWS)
        self.buffers = source.buffers
        self.fixed_graph, self.fixed_places = _subgraph(graph, self.fixed)
        parameters = [f"x{n}" for n in self.columns] + [f"u{p}" for p in range(len(self.fixed))] + into
        parameters += [buffer.name for buffer in source.buffers]
        body = "\n".join(f"    {line}" for line in source.lines) or "    pass"
        namespace = namespace_of(source)
        exec(compile(f"def block({', '.join(parameters)}):\n{body}", "<gradcalc rows>", "exec"), namespace)
        self.run: Callable[..., None] = namespace["block"]
        arrays = len(self.columns) + len(into) + len(source.buffers) + 2
        self.block = min(LARGEST_BLOCK, max(LEAST_BLOCK, 1 << ((CACHE // (8 * arrays)).bit_length() - 1)))
        self._exact: Lanes | None = None

    def __call__(self, columns: Sequence[Any], threads: int | None = None) -> tuple[Any, list[Any]]:
        """Value and gradients of every row; `threads` is how many may share the work."""
        arrays = [numpy.asarray(columns[number], dtype=float) for number in self.columns]
        rows = len(arrays[0]) if arrays else 1
        numbers = [0.0 if moves else float(column) for column, moves in zip(columns, self.varying)]
        known = scalar.forward(self.fixed_graph, numbers)
        fixed = [numpy.array(known[place]) for place in self.fixed_places]
        values = dict(zip(self.fixed, fixed))
        outputs = [self._output(node, rows, values) for node in self.linear.outputs]
        self._compute(arrays, fixed, [outputs[place] for place in self.results], rows, threads or THREADS)
        if self.linear.risky and not self.exact:
            self._mend(columns, outputs, rows)
        return outputs[0], outputs[1:]

    def _output(self, node: int | None, rows: int, values: dict[int, Any]) -> Any:
        if node is not None and self.moves[node]:
            return numpy.empty(rows)
        if node is None:
            return numpy.zeros(rows)
        graph = self.linear.graph
        return numpy.full(rows, graph.constant(node) if graph.codes[node] == CONSTANT else values[node])

    def _compute(self, arrays: list[Any], fixed: list[Any], outputs: list[Any], rows: int, threads: int) -> None:
        """All blocks, shared by the threads."""
        if not outputs or not rows:
            return
        block = min(self.block, rows)

        def work(starts: Iterator[int]) -> None:
            buffers = [new_buffer(buffer, (block,)) for buffer in self.buffers]
            with numpy.errstate(all="ignore"):
                for start in starts:
                    stop = min(start + block, rows)
                    size = stop - start
                    given = [array[start:stop] for array in arrays]
                    into = [output[start:stop] for output in outputs]
                    own = buffers if size == block else [buffer[:size] for buffer in buffers]
                    self.run(*given, *fixed, *into, *own)

        share(work, range(0, rows, block), threads if rows >= THREADED else 1)

    def _mend(self, columns: Sequence[Any], outputs: list[Any], rows: int) -> None:
        """Look again at rows in which something is not finite: by the gates' own functions, then by the interpreter."""
        with numpy.errstate(all="ignore"):
            if all(numpy.isfinite(numpy.add.reduce(output)) for output in outputs):
                return
            lost = numpy.flatnonzero(~numpy.isfinite(sum(outputs[1:], outputs[0])))
        if not len(lost):
            return
        if self._exact is None:
            self._exact = Lanes(self.program, self.varying, exact=True)
        chosen = [column[lost] if moves else column for column, moves in zip(map(_array, columns), self.varying)]
        value, gradients = self._exact(chosen)
        for output, mended in zip(outputs, (value, *gradients)):
            output[lost] = mended
        if self._has_conventions():
            self._interpret(columns, outputs, lost)

    def _has_conventions(self) -> bool:
        """Whether the interpreter may know more than the derivative's graph."""
        operators = self.program.graph.operators
        return any(one.gate is not None and (one.gate.conventions is not None or one.gate.name == "where") for one in operators)

    def _interpret(self, columns: Sequence[Any], outputs: list[Any], lost: Any) -> None:
        chosen = lost[numpy.isfinite(outputs[0][lost]) & ~numpy.isfinite(sum(output[lost] for output in outputs[1:]))]
        given = [_array(column)[chosen].tolist() if moves else None for column, moves in zip(columns, self.varying)]
        numbers = [None if moves else float(column) for column, moves in zip(columns, self.varying)]
        for place, row in enumerate(chosen.tolist()):
            point = [own[place] if own is not None else number for own, number in zip(given, numbers)]
            _, gradients = self.program.interpreted(point)
            for output, gradient in zip(outputs[1:], gradients):
                output[row] = gradient


def _array(column: Any) -> Any:
    return numpy.asarray(column, dtype=float)


def _moving(graph: Graph, varying: Sequence[bool]) -> list[bool]:
    """Which nodes differ from row to row."""
    moves = list(varying[: graph.input_count])
    for node in range(graph.input_count, len(graph)):
        moves.append(any(moves[source] for source in graph.inputs(node)))
    return moves


def _fixed_frontier(linear: LinearProgram, moves: Sequence[bool]) -> list[int]:
    """The nodes that are the same for all rows, and are asked for by what differs, or as outputs; constants left aside."""
    graph = linear.graph
    asked = {output for output in linear.outputs if output is not None}
    for node in range(len(graph)):
        if moves[node]:
            asked.update(graph.inputs(node))
    return sorted(node for node in asked if not moves[node] and graph.codes[node] != CONSTANT)


def _subgraph(graph: Graph, nodes: Sequence[int]) -> tuple[Graph, list[int]]:
    """What these nodes depend on as a graph of its own, all inputs first, and where the nodes are in it."""
    reached = graph.reached(nodes)
    kept = [node for node, flag in enumerate(reached) if flag or node < graph.input_count]
    kept += range(len(reached), graph.input_count)
    found = {node: number for number, node in enumerate(kept)}
    return graph.part(kept), [found[node] for node in nodes]
