"""The part of a graph that an output depends on, as a graph of its own, with composed gates opened into their formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gradcalc.errors import LimitProblem
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.record import DRAW, Body
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

OPENED_NODES = 5_000_000
"""How many nodes opening user gates may make: gates that call each other twice can grow without bound."""

HIDDEN = -1
"""The origin of a node that came from inside an opened gate."""


class Extract(NamedTuple):
    """A compact graph all of whose nodes its last node, the output, depends on.

    `origin` gives for each node the node of the original graph that it stands for, or `HIDDEN`; None says that the extract is the
    original graph itself, and every node its own origin.
    """

    graph: Graph
    origin: Sequence[int] | None
    inside: dict[int, str]
    """For each hidden node the name of the outermost opened gate that it comes from."""

    def source(self, node: int) -> int:
        """The original node, or HIDDEN."""
        return node if self.origin is None else self.origin[node]


def dependencies(graph: Graph, output: int, first: int = 0) -> list[int]:
    """The nodes that the output depends on, in order. All from `first` to the output are known to be among them."""
    if first == 0:
        return list(range(output + 1))
    own = range(min(first, output), output + 1)
    first = own.start
    stack = [source for node in own for source in graph.inputs(node) if source < first]
    earlier: set[int] = set()
    while stack:
        node = stack.pop()
        if node not in earlier:
            earlier.add(node)
            stack.extend(source for source in graph.inputs(node) if source not in earlier)
    return [*sorted(earlier), *own]


def extract(
    graph: Graph, output: int, first: int, opened: Callable[[Operator], Body | None] | None = None, own: bool = False
) -> Extract:
    """Copy what the output depends on, opening the gates for which `opened` gives a body.

    Args:
        graph: the whole graph.
        output: the node to compute.
        first: all nodes from this one up to the output are known to be needed (those of the output's own statement).
        opened: answers the formula into which an operator is to be opened, or None to keep it.
        own: copy even where the whole graph is needed.

    Raises:
        LimitProblem: opening makes too many nodes.
    """
    bodies: list[Body | None] = [None] * len(graph.operators)
    if opened is not None:
        bodies = [None if operator.gate is None else opened(operator) for operator in graph.operators]
    nodes = dependencies(graph, output, first)
    opens = any(body is not None for body in bodies) and any(bodies[graph.codes[node]] is not None for node in nodes)
    if not opens and not own and len(nodes) == len(graph):
        return Extract(graph, None, {})
    target = Graph()
    origin: list[int] = []
    inside: dict[int, str] = {}
    found: dict[int, int] = {}
    for node in nodes:
        body = bodies[graph.codes[node]]
        if body is None:
            found[node] = _copy(graph, node, target, found)
            origin.append(node)
            continue
        gate = graph.operator(node).gate
        assert gate is not None and opened is not None
        arguments = [found[source] for source in graph.inputs(node)]
        found[node] = _expand(body, arguments, target, opened, _draw(graph.operator(node)))
        while len(origin) < len(target):
            inside[len(origin)] = gate.name
            origin.append(HIDDEN)
        if origin[found[node]] != HIDDEN:
            # A formula that is one of its arguments has no node of its own, but the gate has.
            found[node] = target.add(IDENTITY, [found[node]])
            origin.append(HIDDEN)
        # The formula's result stands for the gate.
        origin[found[node]] = node
        inside.pop(found[node], None)
    return _ended(Extract(target, origin, inside), found[output])


def _ended(made: Extract, output: int) -> Extract:
    """The extract with the output as its last node (a gate such as f(x, y) = x leaves nodes behind it)."""
    graph = made.graph
    reached = graph.reached([output])
    if output == len(graph) - 1 and all(reached):
        return made
    needed = [node for node in range(output + 1) if reached[node]]
    target = Graph()
    found: dict[int, int] = {}
    for node in needed:
        found[node] = _copy(graph, node, target, found)
    assert made.origin is not None
    return Extract(
        target,
        [made.origin[node] for node in needed],
        {found[node]: name for node, name in made.inside.items() if node in found},
    )


def _draw(operator: Operator) -> tuple[int, ...]:
    """Which draw of random numbers a node is, or the call of a user gate that draws inside."""
    return next((value for name, value in operator.attributes if name == DRAW), ())


def _copy(graph: Graph, node: int, target: Graph, found: dict[int, int], call: tuple[int, ...] = ()) -> int:
    """Append one node of a graph to another, its inputs translated by `found`.

    If it is a draw inside a user gate, every `call` of that gate is a draw of its own.
    """
    code = graph.codes[node]
    if code == INPUT:
        return target.add_input()
    if code == CONSTANT:
        return target.add_constant(graph.constant(node))
    operator = graph.operators[code]
    assert operator.gate is not None
    attributes = operator.attributes
    if call and operator.gate.random:
        attributes = tuple((name, (*call, *value) if name == DRAW else value) for name, value in attributes)
    return target.add(operator.gate, [found[source] for source in graph.inputs(node)], attributes)


class _Frame(NamedTuple):
    """An expansion under way: what is left of a body, and where its nodes went."""

    body: Body
    left: Iterator[int]
    found: dict[int, int]
    call: int
    draw: tuple[int, ...]
    """Which draw the call is; empty for gates without chance."""


def _expand(
    body: Body,
    arguments: Sequence[int],
    target: Graph,
    opened: Callable[[Operator], Body | None],
    draw: tuple[int, ...] = (),
) -> int:
    """Append a body on these arguments to the target; bodies inside it are expanded too. Not recursive."""
    frames = [_frame(body, arguments, -1, draw)]
    while True:
        frame = frames[-1]
        graph = frame.body.graph
        for node in frame.left:
            if node in frame.found:
                continue
            code = graph.codes[node]
            inner = opened(graph.operators[code]) if code > CONSTANT else None
            if inner is not None:
                own = _draw(graph.operators[code])
                frames.append(
                    _frame(inner, [frame.found[source] for source in graph.inputs(node)], node, (*frame.draw, *own) if own else ())
                )
                break
            frame.found[node] = _copy(graph, node, target, frame.found, frame.draw)
            if len(target) > OPENED_NODES:
                raise LimitProblem(
                    f"opening the gates makes more than {OPENED_NODES:,} nodes",
                    remedy="a gate that calls others twice doubles with every level: use fewer levels",
                )
        else:
            frames.pop()
            result = frame.found[frame.body.output]
            if not frames:
                return result
            frames[-1].found[frame.call] = result


def _frame(body: Body, arguments: Sequence[int], call: int, draw: tuple[int, ...]) -> _Frame:
    reached = body.graph.reached([body.output])
    found = dict(zip(body.parameters, arguments))
    return _Frame(body, (node for node in range(body.output + 1) if reached[node]), found, call, draw)
