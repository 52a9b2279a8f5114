"""Probing: the output as a function of one node's value, evaluated at many displaced values at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.differences import steps
from gradcalc.engine.scalar import guarded_forward, plain_forward
from gradcalc.graph import Graph

BLOCK_LANES = 2400
"""How many displaced values are computed together in NumPy: they fill the cache but do not leave it."""


def lanes_of(x: float, far: bool = False) -> list[float]:
    """The displaced values of a node: x + h for every step, then x - h."""
    lengths = steps(x, far)
    return [x + h for h in lengths] + [x - h for h in lengths]


def probe_one(graph: Graph, values: Sequence[float], node: int, displaced: Sequence[float]) -> list[float]:
    """The output's value for each displaced value of a node; in plain floats, for small graphs."""
    last = len(graph) - 1
    lanes: dict[int, Sequence[float]] = {node: displaced}
    for current in range(node + 1, last + 1):
        inputs = graph.inputs(current)
        if any(source in lanes for source in inputs):
            columns = [lanes[source] if source in lanes else repeat(values[source], len(displaced)) for source in inputs]
            operator = graph.operator(current)
            try:
                lanes[current] = list(map(plain_forward(operator), *columns))
            except (ArithmeticError, ValueError):
                columns = [lanes.get(source, repeat(values[source], len(displaced))) for source in inputs]
                lanes[current] = list(map(guarded_forward(operator), *columns))
    return list(lanes.get(last, [values[last]] * len(displaced)))


def probe_many(graph: Graph, values: Sequence[float], nodes: Sequence[int], displaced: Any) -> Iterator[tuple[int, Any]]:
    """For each node the output's values at its displaced values (one row a node), in NumPy, block by block.

    What no probe reaches stays a number.
    """
    import numpy

    from gradcalc.engine.arrays import kernel

    last = len(graph) - 1
    width = displaced.shape[1]
    size = BLOCK_LANES // width
    rows = dict(zip(nodes, displaced))
    kernels = [None if operator.gate is None else kernel(operator.gate, operator.attributes) for operator in graph.operators]
    finished = last_uses(graph, range(last + 1))
    for start in range(0, len(nodes), size):
        block = nodes[start : start + size]
        touched = dependents(graph, block, last, flowing=False)
        place = {node: slice(number * width, (number + 1) * width) for number, node in enumerate(block)}
        lanes: dict[int, Any] = {}
        with numpy.errstate(all="ignore"):
            for node in range(min(block), last + 1):
                if not touched[node]:
                    continue
                function, inputs = kernels[graph.codes[node]], graph.inputs(node)
                if node in place and not any(source in lanes for source in inputs):
                    lane = numpy.full(len(block) * width, values[node])
                else:
                    assert function is not None
                    lane = function(*[lanes.get(source, values[source]) for source in inputs])
                if node in place:
                    lane = numpy.array(lane, dtype=float)
                    lane[place[node]] = rows[node]
                lanes[node] = lane
                for source in finished.get(node, ()):
                    lanes.pop(source, None)  # makes room in the cache
        for node in block:
            yield node, lanes[last][place[node]]


def last_uses(graph: Graph, nodes: Iterable[int]) -> dict[int, list[int]]:
    """For each of these nodes, in their order, the inputs that none of those behind it reads."""
    final = {source: node for node in nodes for source in graph.inputs(node)}
    finished: dict[int, list[int]] = {}
    for source, node in final.items():
        finished.setdefault(node, []).append(source)
    return finished
