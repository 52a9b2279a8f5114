"""A graph whose gates can be looked into: every user gate and composed gate stands beside the gates that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gradcalc.calculus.extract import HIDDEN, _copy, _draw, dependencies
from gradcalc.errors import LimitProblem
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.record import Body
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

NONE = -1
"""Stands for no item and no node."""

PORT = Operator(IDENTITY, (), 1)
"""What hands an argument to the gates inside a gate: one for each parameter, so that contributions can be told apart."""


@dataclass(slots=True)
class Item:
    """An input, a constant, a gate, or a port.

    Attributes:
        operator: what it does.
        inputs: the items that it is made from.
        graph: the graph that it is written in: the program's, or that of a body.
        node: its node there; of a port the parameter's.
        home: the gate that it is inside of, or NONE.
        ports: of a gate that can be opened one port for each input.
        result: of a gate that can be opened the item inside that has its value, or NONE.
        closed: its node in the graph with closed gates, or NONE inside a composed gate.
        opened: its node in the graph with opened gates.
        port: whether it is a port.
    """

    operator: Operator
    inputs: tuple[int, ...]
    graph: Graph
    node: int
    home: int = NONE
    ports: tuple[int, ...] = ()
    result: int = NONE
    closed: int = NONE
    opened: int = NONE
    port: bool = False

    @property
    def own(self) -> bool:
        """Whether it is a user gate, which has no rules of its own, so that numbers always come from inside."""
        gate = self.operator.gate
        return self.result != NONE and gate is not None and gate.family == "user"


@dataclass(slots=True)
class Nest:
    """The items of one output, in an order in which each comes behind its inputs and behind what is inside it.

    Attributes:
        items: all of them.
        output: the item of the output.
        closed: the graph in which user gates are opened and composed gates are not: what is evaluated as a rule.
        opened: the graph in which all are opened.
        numbers: for each input of the two graphs the number of the program's input.
    """

    items: list[Item] = field(default_factory=list)
    output: int = NONE
    closed: Graph = field(default_factory=Graph)
    opened: Graph = field(default_factory=Graph)
    numbers: list[int] = field(default_factory=list)


class _Frame(NamedTuple):
    """A body that is being entered: which nodes are left, and which items those before them became."""

    graph: Graph
    left: Iterator[int]
    found: dict[int, int]
    """Items by node."""
    call: int
    """The node of the call in the frame outside."""
    output: int
    draw: tuple[int, ...]
    composed: bool
    """Whether this is inside a composed gate of the catalogue, so that nothing of it is in the closed graph."""
    first: int
    """The first item inside."""
    ports: tuple[int, ...]


def nest(graph: Graph, output: int, first: int, opened: Callable[[Operator], Body | None], limit: int) -> Nest:
    """What the output depends on, with all that is inside its gates.

    Args:
        graph: the program's.
        output: the node of the output.
        first: all nodes from this one up to the output are known to be needed.
        opened: answers the body of a gate that can be opened, else None.
        limit: how many items there may be.

    Raises:
        LimitProblem: there are more.
    """
    made = Nest()
    frames = [_Frame(graph, iter(dependencies(graph, output, first)), {}, NONE, output, (), False, 0, ())]
    while True:
        frame = frames[-1]
        for node in frame.left:
            if node in frame.found:
                continue
            operator = frame.graph.operator(node)
            body = None if operator.gate is None else opened(operator)
            if body is not None:
                frames.append(_enter(made, frame, node, operator, body))
                break
            frame.found[node] = _leaf(made, frame, node, operator)
            if len(made.items) > limit:
                raise LimitProblem(f"with all that is inside its gates, the graph has more than {limit:,} gates")
        else:
            frames.pop()
            if not frames:
                made.output = frame.found[output]
                return made
            frames[-1].found[frame.call] = _leave(made, frames[-1], frame)


def _enter(made: Nest, frame: _Frame, node: int, operator: Operator, body: Body) -> _Frame:
    """Begin with the inside of a gate: its ports."""
    first = len(made.items)
    inputs = [frame.found[source] for source in frame.graph.inputs(node)]
    for parameter, source in zip(body.parameters, inputs):
        outer = made.items[source]
        made.items.append(Item(PORT, (source,), body.graph, parameter, closed=outer.closed, opened=outer.opened, port=True))
    ports = tuple(range(first, len(made.items)))
    reached = body.graph.reached([body.output])
    left = (inner for inner in range(body.output + 1) if reached[inner])
    own = _draw(operator)
    composed = frame.composed or operator.gate is None or operator.gate.family != "user"
    draw = (*frame.draw, *own) if own else ()
    return _Frame(body.graph, left, dict(zip(body.parameters, ports)), node, body.output, draw, composed, first, ports)


def _leave(made: Nest, outer: _Frame, inner: _Frame) -> int:
    """End with the inside of a gate: the gate itself, behind what it is made of."""
    items = made.items
    result = inner.found[inner.output]
    if items[result].port:
        # A formula that is one of its arguments has no gate of its own, but the gate that it defines has.
        items.append(Item(PORT, (result,), inner.graph, inner.output))
        _add_to_graphs(made, items[-1], inner.composed)
        result = len(items) - 1
    for item in items[inner.first :]:
        if item.home == NONE:
            item.home = len(items)
    operator = outer.graph.operator(inner.call)
    inputs = tuple(outer.found[source] for source in outer.graph.inputs(inner.call))
    gate = Item(operator, inputs, outer.graph, inner.call, ports=inner.ports, result=result)
    gate.closed, gate.opened = items[result].closed, items[result].opened
    if not outer.composed and not gate.own:
        nodes = [items[source].closed for source in inputs]
        assert operator.gate is not None
        gate.closed = made.closed.add(operator.gate, nodes, operator.attributes)
    items.append(gate)
    return len(items) - 1


def _leaf(made: Nest, frame: _Frame, node: int, operator: Operator) -> int:
    """An input, a constant, or a gate that cannot be opened."""
    graph, items = frame.graph, made.items
    item = Item(operator, tuple(frame.found[source] for source in graph.inputs(node)), graph, node)
    if graph.codes[node] == INPUT:
        made.numbers.append(graph.left[node])
    for target, place in ((made.closed, "closed"), (made.opened, "opened")):
        if place == "opened" or not frame.composed:
            nodes = {source: getattr(items[frame.found[source]], place) for source in graph.inputs(node)}
            setattr(item, place, _copy(graph, node, target, nodes, frame.draw))
    items.append(item)
    return len(items) - 1


def _add_to_graphs(made: Nest, item: Item, composed: bool) -> None:
    """A node for an identity in the graphs that it belongs to."""
    source = made.items[item.inputs[0]]
    item.opened = made.opened.add(IDENTITY, [source.opened])
    if not composed:
        item.closed = made.closed.add(IDENTITY, [source.closed])


__all__ = ["CONSTANT", "HIDDEN", "INPUT", "NONE", "Item", "Nest", "nest"]
