"""The local derivatives of one gate as a formula: what the catalogue and explanations show."""

from __future__ import annotations

from typing import NamedTuple

from gradcalc.calculus.build import Builder
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import Gate
from gradcalc.graph import Graph


class LocalDerivatives(NamedTuple):
    """A graph with a gate on its parameters, and for each parameter the node of the gate's derivative, None where it has none."""

    graph: Graph
    names: dict[int, str]
    derivatives: tuple[int | None, ...]


def local_derivatives(gate: Gate, count: int | None = None) -> LocalDerivatives | None:
    """The rule of an element-wise gate, as a graph over its parameters and attributes; None for other gates.

    `count` is the number of inputs, by default the least that the gate takes.
    """
    if gate.partials is None:
        return None
    graph = Graph()
    arity = gate.arity[0] if count is None else count
    nodes = [graph.add_input() for _ in range(arity + len(gate.attributes))]
    letters = [*gate.parameters, *(f"x{number}" for number in range(len(gate.parameters), arity))]
    words = [*letters[:arity], *(attribute.name for attribute in gate.attributes)]
    result = graph.add(gate, nodes[:arity], tuple(sorted((attribute.name, attribute.name) for attribute in gate.attributes)))
    builder = Builder(graph)
    attributes = {attribute.name: builder.term(node) for attribute, node in zip(gate.attributes, nodes[arity:])}
    slopes = gate.partials(builder.term(result), *map(builder.term, nodes[:arity]), **attributes)
    derivatives: list[int | None] = []
    for slope in slopes:
        if isinstance(slope, Only):
            slope = builder.masked(slope.condition, builder.lifted(slope.slope))
        derivatives.append(None if slope is None else builder.lifted(slope).node)
    return LocalDerivatives(graph, dict(zip(nodes, words)) | {result: "y"}, tuple(derivatives))
