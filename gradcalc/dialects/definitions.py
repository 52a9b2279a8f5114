"""Several formulas of one graph as text: what they use again gets a name, and is written once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from gradcalc.gates.record import REGISTRY
from gradcalc.graph import CONSTANT, INPUT, Graph

LETTERS = "stuvwpq"
"""Names for what is used again, as long as there are few."""

LEAST_GAIN = 7
"""A name is made up where it saves so many tokens."""

LEAST_SIZE = 6
"""What is shorter is read more easily where it stands."""

LONG = 40
"""A formula of so many tokens that is an output several times is written once."""


class Named(NamedTuple):
    """Which nodes are to be written once, under a name.

    Attributes:
        order: the nodes, each after those that it uses.
        names: their names.
        size: how many tokens all of it is long.
    """

    order: list[int]
    names: dict[int, str]
    size: int


def name_shared(graph: Graph, outputs: Sequence[int], names: Mapping[int, str], taken: Collection[str]) -> Named:
    """Find what several formulas use again, where a name for it shortens the text.

    Args:
        graph: of the formulas.
        outputs: their nodes.
        names: of nodes that have one: inputs, constants, and named nodes, which are written by their names.
        taken: names that can't be given.
    """
    reached = graph.reached(list(outputs))
    uses = [0] * len(reached)
    size = [0] * len(reached)
    for node, flag in enumerate(reached):
        if flag and graph.codes[node] > CONSTANT:
            for source in graph.inputs(node):
                uses[source] += 1
    given = {node for node, name in names.items() if node < len(reached) and reached[node] and graph.codes[node] > CONSTANT}
    shared: list[int] = []
    kept: set[int] = set()
    total = 0
    ends = {node: outputs.count(node) for node in set(outputs)}
    varies = bytearray(len(reached))
    for node, flag in enumerate(reached):
        if not flag:
            continue
        size[node] = _size(graph, node, size)
        if graph.codes[node] <= CONSTANT:
            varies[node] = graph.codes[node] == INPUT
            continue
        varies[node] = any(varies[source] for source in graph.inputs(node))
        if not varies[node]:
            continue  # a name for what depends on no input would be an input
        references = uses[node] + (ends.get(node, 0) if size[node] > LONG or uses[node] > 0 else 0)
        gain = (references - 1) * size[node] - references - 3
        if node in given or (references > 1 and gain >= LEAST_GAIN and size[node] >= LEAST_SIZE):
            if node not in given:
                shared.append(node)
            kept.add(node)
            total += size[node] + 3
            size[node] = 1
    total += sum(size[node] for node in outputs)
    fresh = _fresh_names(len(shared), taken)
    made = {node: next(fresh) for node in shared}
    order = [node for node in range(len(reached)) if node in kept]
    return Named(order, made | {node: names[node] for node in given}, total)


def name_differences(graph: Graph, outputs: Sequence[int], names: Mapping[int, str], taken: Collection[str]) -> tuple[Graph, Named]:
    """The same, with b - a written as -t where a - b has the name t: that graph, and the names."""
    named = name_shared(graph, outputs, names, taken)
    pairs = _opposites(graph, outputs)
    for _ in range(2):
        if not pairs:
            return graph, named
        turned = _with_negatives(graph, pairs)
        renamed = name_shared(turned, outputs, names, taken)
        unnamed = [node for node, opposite in pairs.items() if opposite not in renamed.names]
        if not unnamed:
            return (turned, renamed) if renamed.size < named.size else (graph, named)
        for node in unnamed:
            del pairs[node]
    return graph, named


def _opposites(graph: Graph, outputs: Sequence[int]) -> dict[int, int]:
    """The differences b - a of which a - b is an earlier node, which may have no other use, with that node."""
    pairs: dict[int, int] = {}
    differences: dict[tuple[int, ...], int] = {}
    for node, flag in enumerate(graph.reached(list(outputs))):
        gate = graph.operator(node).gate if flag and graph.codes[node] > CONSTANT else None
        if gate is not None and gate.name == "-":
            first, second = graph.inputs(node)
            if (second, first) in differences:
                pairs[node] = differences[second, first]
            else:
                differences[first, second] = node
    return pairs


def _with_negatives(graph: Graph, pairs: Mapping[int, int]) -> Graph:
    """A copy of a graph in which some nodes are the negatives of others."""
    negation = REGISTRY.find("neg", 1)
    assert negation is not None
    made = graph.with_constants({})
    for node, opposite in pairs.items():
        made.codes[node] = made.code(negation, (), 1)
        made.left[node], made.right[node] = opposite, 0
    return made


def _size(graph: Graph, node: int, size: Sequence[int]) -> int:
    """About how many tokens a node's text is long, brackets of sums and products not counted."""
    if graph.codes[node] in (INPUT, CONSTANT):
        return 1
    gate = graph.operator(node).gate
    assert gate is not None
    inputs = graph.inputs(node)
    inner = sum([size[source] for source in inputs])
    if gate.syntax is not None:
        return min(inner + 1, 10**9)
    return min(inner + len(inputs) + 2, 10**9)


def _fresh_names(number: int, taken: Collection[str]) -> Iterator[str]:
    if number <= len(LETTERS):
        candidates: Iterator[str] = iter(LETTERS)
        free = [name for name in candidates if name not in taken]
        if len(free) >= number:
            return iter(free)
    return (name for name in (f"t{index}" for index in count(1)) if name not in taken)
