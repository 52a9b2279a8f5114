"""Reverse mode: the derivative as another part of the same graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.rules import contributions
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph, Operator


def dependents(graph: Graph, sources: Iterable[int], last: int, flowing: bool = True) -> bytearray:
    """A flag per node up to `last`: whether it is one of the sources or depends on one.

    Sizes, labels and conditions are left aside, through which no derivative flows; unless `flowing` is False.
    """
    flags = bytearray(last + 1)
    first = last + 1
    for source in sources:
        if source <= last:
            flags[source] = 1
            first = min(first, source)
    arities = [operator.arity if not flowing or _flows_freely(operator) else SELECTIVE for operator in graph.operators]
    codes, left, right, bundles = graph.codes, graph.left, graph.right, graph.bundles
    for node in range(first + 1, last + 1):
        arity = arities[codes[node]]
        if arity == 2:
            if flags[left[node]] or flags[right[node]]:
                flags[node] = 1
        elif arity == 1:
            if flags[left[node]]:
                flags[node] = 1
        elif arity == SELECTIVE:
            gate = graph.operators[codes[node]].gate
            if gate is not None and any(flags[source] for source in gate.flowing(graph.inputs(node))):
                flags[node] = 1
        elif arity and any(flags[source] for source in bundles[left[node]]):
            flags[node] = 1
    return flags


def flows_back(graph: Graph, wanted: bytearray) -> bytearray:
    """Of the wanted nodes those from which a derivative can flow to the last node, and all inputs: no condition, size or label."""
    if all(map(_flows_freely, graph.operators)):
        return wanted
    reached = bytearray(len(graph))
    reached[-1] = 1
    for node in range(len(graph) - 1, -1, -1):
        operator = graph.operators[graph.codes[node]]
        if reached[node] and operator.gate is not None:
            for source in operator.gate.flowing(graph.inputs(node)):
                reached[source] = 1
    kept = (flag and (met or code == INPUT) for flag, met, code in zip(wanted, reached, graph.codes))
    return bytearray(map(bool, kept))


SELECTIVE = -1
"""Stands for the number of inputs of an operator that has inputs, such as sizes, through which no derivative flows."""


def _flows_freely(operator: Operator) -> bool:
    gate = operator.gate
    return gate is None or (gate.data is None and not gate.discrete)


def differentiate(
    graph: Graph,
    output: int,
    wrt: Sequence[int],
    shapes: Sequence[Shape] | None = None,
    above: float | Expression = 1.0,
    builder: Builder | None = None,
    fixed: Mapping[int, Mapping[int, float]] | None = None,
) -> list[int | None]:
    """Append the derivatives of a node by others to the graph.

    Args:
        graph: grows by the generated nodes.
        output: the node to differentiate; an array is summed (weighted by `above`).
        wrt: the nodes to differentiate by.
        shapes: of all nodes of the graph; None where all are numbers.
        above: the gradient from above.
        builder: continue with this one, so that several derivatives share their parts.
        fixed: local derivatives as numbers, by node and position of the input, which then stand for the gate's rule.

    Returns:
        For each node of `wrt` the id of its derivative, of that node's shape; None where no path leads to it.
    """
    builder = builder or Builder(graph, shapes)
    wanted = dependents(graph, wrt, output)
    reached = graph.reached([output])
    first: Expression = builder.number(above) if isinstance(above, float) else above
    first = first.broadcast_to(builder.shape(output))
    gradients: dict[int, Expression] = {output: first}
    for node in range(output, -1, -1):
        if not (wanted[node] and reached[node]) or node not in gradients:
            continue
        operator = graph.operator(node)
        if operator.gate is None or operator.gate.constant:
            continue
        inputs = graph.inputs(node)
        if not any(wanted[source] for source in inputs):
            continue
        terms = [builder.term(source) for source in inputs]
        found = contributions(operator, gradients[node], builder.term(node), terms)
        for position, slope in (fixed or {}).get(node, {}).items():
            found[position] = gradients[node] * slope
        for source, contribution in zip(inputs, found):
            if contribution is None or not wanted[source]:
                continue
            before = gradients.get(source)
            gradients[source] = contribution if before is None else before + contribution
    return [gradients[node].node if node in gradients else None for node in wrt]
