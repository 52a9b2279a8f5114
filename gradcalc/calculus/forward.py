"""Forward mode: how every node moves when inputs move, by the same rules as reverse mode, as another part of the same graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.reverse import dependents, differentiate
from gradcalc.calculus.rules import contributions
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import Gate, Shape
from gradcalc.graph import CONSTANT, Graph, Operator


def tangents(
    graph: Graph,
    directions: Mapping[int, float | Expression],
    last: int,
    shapes: Sequence[Shape] | None = None,
    builder: Builder | None = None,
    fixed: Mapping[int, Mapping[int, float]] | None = None,
) -> list[int | None]:
    """Append to the graph how its nodes move when some of them are moved: Jacobian-vector products.

    Args:
        graph: grows by the generated nodes.
        directions: the nodes that are moved, and how far each: a number for all its elements, or a term of its shape.
        last: the last node whose tangent is wanted.
        shapes: of all nodes of the graph; None where all are numbers.
        builder: continue with this one, so that several derivatives share their parts.
        fixed: local derivatives as numbers, by node and position of the input, which then stand for the gate's rule.

    Returns:
        For each node up to the last the id of its tangent, of the node's shape; None where no path leads to it.
    """
    builder = builder or Builder(graph, shapes)
    moved = dependents(graph, directions, last)
    found: dict[int, Expression] = {}
    for node in range(last + 1):
        if not moved[node]:
            continue
        tangent = _moved_by_inputs(graph, node, builder, found, fixed or {})
        if node in directions:
            own = directions[node]
            own = (builder.number(own) if isinstance(own, float) else own).broadcast_to(builder.shape(node))
            tangent = own if tangent is None else tangent + own
        if tangent is not None:
            found[node] = tangent
    return [found[node].node if node in found else None for node in range(last + 1)]


def _moved_by_inputs(
    graph: Graph, node: int, builder: Builder, found: Mapping[int, Expression], fixed: Mapping[int, Mapping[int, float]]
) -> Expression | None:
    """How a node moves because its inputs do."""
    sources = graph.inputs(node)
    given = [found.get(source) for source in sources]
    if graph.codes[node] <= CONSTANT or all(tangent is None for tangent in given):
        return None
    settled = fixed.get(node, {})
    free = [None if position in settled else tangent for position, tangent in enumerate(given)]
    tangent: Expression | None = pushed(
        graph.operator(node), builder.term(node), [builder.term(source) for source in sources], free
    )
    for position, slope in settled.items():
        moved = given[position]
        if moved is not None:
            part = moved * slope
            tangent = part if tangent is None else tangent + part
    return tangent


def pushed(operator: Operator, result: Any, inputs: Sequence[Any], moved: Sequence[Any]) -> Any:
    """How a node moves when its inputs do, by the gate's only rule; None where no path leads to it.

    `result` and `inputs` are terms of one kind, `moved` has a tangent for each input, of its shape, or None.
    """
    gate = operator.gate
    assert gate is not None
    if gate.constant or all(tangent is None for tangent in moved):
        return None
    if gate.partials is not None:
        return _scaled_and_added(operator, result, inputs, moved)
    alone = _only_data(gate, len(inputs))
    if gate.linear and alone is not None:
        # A gate that is linear in the only input that it has does to a tangent what it does to a value.
        if moved[alone] is None:
            return None
        replaced = [*inputs[:alone], moved[alone], *inputs[alone + 1 :]]
        return result.make(gate.name, *replaced, **dict(operator.attributes))
    flags = tuple(tangent is not None for tangent in moved)
    made = _transposed(operator, result.shape, tuple(term.shape for term in inputs), flags)
    return None if made is None else made.replayed(result, inputs, moved)


def _scaled_and_added(operator: Operator, result: Any, inputs: Sequence[Any], moved: Sequence[Any]) -> Any:
    """The sum of local derivatives times tangents."""
    gate = operator.gate
    assert gate is not None and gate.partials is not None
    total = None
    for slope, tangent in zip(gate.partials(result, *inputs, **dict(operator.attributes)), moved):
        if tangent is None or slope is None or (isinstance(slope, float) and slope == 0.0):
            continue
        if isinstance(slope, Only):
            part = tangent.only(slope.condition, slope.slope)
        else:
            part = tangent if isinstance(slope, float) and slope == 1.0 else tangent * slope
        total = part if total is None else total + part
    return None if total is None else total.broadcast_to(result.shape)


def _only_data(gate: Gate, count: int) -> int | None:
    """The place of the one input through which a derivative flows, if there is one."""
    places = gate.flowing(range(count))
    return places[0] if len(places) == 1 else None


class _Transposed(NamedTuple):
    """A gate's pullback, transposed: a graph whose inputs are the gate's result, its inputs, and their tangents."""

    graph: Graph
    inputs: tuple[int, ...]
    needed: tuple[int, ...]
    output: int

    def replayed(self, result: Any, inputs: Sequence[Any], moved: Sequence[Any]) -> Any:
        """The same on these terms."""
        graph = self.graph
        given = [result, *inputs, *(tangent for tangent in moved if tangent is not None)]
        terms: dict[int, Any] = dict(zip(self.inputs, given))
        for node in self.needed:
            if graph.codes[node] == CONSTANT:
                terms[node] = graph.constant(node)
            elif node not in terms:
                operator = graph.operator(node)
                assert operator.gate is not None
                sources = [terms[source] for source in graph.inputs(node)]
                terms[node] = result.make(operator.gate.name, *sources, **dict(operator.attributes))
        return terms[self.output]


@lru_cache(maxsize=1024)
def _transposed(operator: Operator, shape: Shape, shapes: tuple[Shape, ...], moved: tuple[bool, ...]) -> _Transposed | None:
    """Transpose a vector-Jacobian rule: it is linear in the gradient from above, so its derivative by that is the other product.

    If a pullback gives v·J for the gradient v, then (v·J)·t is v·(J·t), and the derivative of that by v is J·t: backpropagation
    through the pullback, with the tangents t as gradients from above.
    """
    graph = Graph()
    above = graph.add_input()
    places = [graph.add_input() for _ in range(1 + len(shapes) + sum(moved))]
    directions = iter(places[1 + len(shapes) :])
    known = [shape, shape, *shapes, *(one for one, flag in zip(shapes, moved) if flag)]
    builder = Builder(graph, known)
    inputs = [builder.term(node) for node in places[1 : 1 + len(shapes)]]
    found = contributions(operator, builder.term(above), builder.term(places[0]), inputs)
    total: Expression | None = None
    for contribution, flag in zip(found, moved):
        tangent = builder.term(next(directions)) if flag else None
        if contribution is None or tangent is None:
            continue
        part = differentiate(graph, contribution.node, [above], above=tangent, builder=builder)[0]
        if part is not None:
            total = builder.term(part) if total is None else total + builder.term(part)
    if total is None:
        return None
    total = total.broadcast_to(shape)
    reached = graph.reached([total.node])
    assert not reached[above], f"the rule of {operator} is not linear in the gradient"
    needed = tuple(node for node in range(len(reached)) if reached[node])
    return _Transposed(graph, tuple(places), needed, total.node)
