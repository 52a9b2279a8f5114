"""What an evaluation gets from outside its graph: draws of random numbers, files, and the limit on the size of arrays.

Makers (`zeros(2, 3)`, `randn(n)`, `load("x.csv")`) are made once, before the forward pass, and stand in the evaluated graph as
constants: so every pass, probe and Jacobian of an evaluation sees the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from gradcalc.engine.shapes import MAXIMUM_BYTES, NodeProblem, infer
from gradcalc.errors import DataProblem, GradcalcError
from gradcalc.gates.record import DRAW, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator


class Makers:
    """How makers are made in one run.

    A draw of random numbers depends on the seed, on the stream it is taken from (the program, or one of the values given to it),
    and on which draw of the program it is (its node's `draw`): on nothing else, so it is the same in every evaluation.
    """

    def __init__(
        self,
        seed: int | None = None,
        load_allowed: bool = True,
        limit: int | None = None,
        stream: tuple[int, ...] = (0,),
    ) -> None:
        """Without a seed, one is taken from the system; `limit` is the size of the largest array, in bytes."""
        self.seed = int.from_bytes(os.urandom(8)) if seed is None else seed
        self.load_allowed = load_allowed
        self.limit = MAXIMUM_BYTES if limit is None else limit
        self.stream = stream
        self._files: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._drawn: set[tuple[int, ...]] = set()

    def substream(self, name: str) -> Makers:
        """The same for an expression of its own, such as the value that is given to an input."""
        made = Makers(self.seed, self.load_allowed, self.limit, (1, *name.encode()))
        made._files = self._files
        made._drawn = self._drawn
        return made

    @property
    def drawn(self) -> bool:
        """Whether random numbers were drawn so far, in a substream, too."""
        return bool(self._drawn)

    def value(self, operator: Operator, sizes: Sequence[float]) -> Any:
        """The value of a maker.

        Raises:
            GradcalcError: a file may not be read, or cannot be.
        """
        import numpy

        from gradcalc.engine.arrays import kernel

        gate, attributes = operator.gate, operator.attributes
        assert gate is not None
        if gate.shape is None:
            return self._load(attributes)
        if gate.random:
            assert callable(gate.array)
            self._drawn.add(self.stream)
            seeds = numpy.random.SeedSequence(self.seed, spawn_key=(*self.stream, *dict(attributes)[DRAW]))
            keywords = dict(attributes) | {DRAW: numpy.random.Generator(numpy.random.PCG64(seeds))}
            value = gate.array(numpy, **keywords, sizes=sizes)
        else:
            value = kernel(gate, attributes)(*sizes)
        if not numpy.shape(value):
            return float(value)
        value.flags.writeable = False
        return value

    def _load(self, attributes: tuple[tuple[str, Any], ...]) -> Any:
        if not self.load_allowed:
            raise DataProblem("this run may read no files", remedy="leave out --no-load if you trust the program")
        if attributes not in self._files:
            from gradcalc.engine.files import read

            self._files[attributes] = read(**dict(attributes), limit=self.limit)
        return self._files[attributes]


def prepare(graph: Graph, inputs: Sequence[Any], makers: Makers) -> tuple[Graph, list[Shape]]:
    """Find every node's shape, and make the makers: the graph with constants in their places, and the shapes.

    Raises:
        NodeProblem: the inputs of a node do not fit its gate, an array is too large, or a file is not what it should be.
    """
    found = [node for node, code in enumerate(graph.codes) if code > CONSTANT and _is_maker(graph.operators[code])]
    read = {}
    for node in found:
        gate = graph.operator(node).gate
        if gate is not None and gate.shape is None:
            read[node] = _value(graph, node, (), makers)
    if read:
        graph = graph.with_constants(read)
    early = _Early(graph, inputs, makers)
    shapes = infer(graph, inputs, early.values_of, makers.limit)
    made = {node: early.values_of([node])[0] for node in found if node not in read}
    return (graph.with_constants(made) if made else graph), shapes


def _is_maker(operator: Operator) -> bool:
    return operator.gate is not None and operator.gate.maker


def _value(graph: Graph, node: int, sizes: Sequence[float], makers: Makers) -> Any:
    try:
        return makers.value(graph.operator(node), sizes)
    except GradcalcError as problem:
        raise NodeProblem(node, problem.message, type(problem), problem.remedy) from None


class _Early:
    """Computes the nodes that sizes depend on, before the shapes of what they size are known."""

    def __init__(self, graph: Graph, inputs: Sequence[Any], makers: Makers) -> None:
        self.graph = graph
        self.inputs = inputs
        self.makers = makers
        self.values: dict[int, Any] = {}

    def values_of(self, nodes: Sequence[int]) -> list[Any]:
        """The values of these nodes."""
        import numpy

        with numpy.errstate(all="ignore"):
            for node in self._missing(nodes):
                self.values[node] = self._compute(node)
        return [self.values[node] for node in nodes]

    def _missing(self, nodes: Sequence[int]) -> list[int]:
        missing: set[int] = set()
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if node not in missing and node not in self.values:
                missing.add(node)
                stack.extend(self.graph.inputs(node))
        return sorted(missing)

    def _compute(self, node: int) -> Any:
        from gradcalc.engine.arrays import kernel
        from gradcalc.engine.shapes import as_sizes

        graph = self.graph
        code = graph.codes[node]
        if code == INPUT:
            return self.inputs[graph.left[node]]
        if code == CONSTANT:
            return graph.constant(node)
        operator = graph.operators[code]
        assert operator.gate is not None
        arguments = [self.values[source] for source in graph.inputs(node)]
        if operator.gate.maker:
            return _value(graph, node, as_sizes(arguments, operator.gate.whole), self.makers)
        return kernel(operator.gate, operator.attributes)(*arguments)
