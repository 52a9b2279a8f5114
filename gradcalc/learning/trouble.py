"""Where something that is not finite came from: the node at which finite inputs made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.finite import all_finite, has_nan
from gradcalc.graph import CONSTANT, Graph


class Origin(NamedTuple):
    """A node, what it gave, and what it was given; or (with `slope`) the node whose gradient was the first not to be finite."""

    node: int
    value: Any
    inputs: tuple[Any, ...]
    slope: bool = False


def origin(graph: Graph, inputs: Sequence[Any], wrt: Sequence[int]) -> Origin | None:
    """The node that is to blame for a value, or else for gradients by the nodes of `wrt`, that are not finite; None if all are."""
    evaluation = evaluate(graph, inputs)
    values = evaluation.values
    if not all_finite(values[-1]):
        node = _followed(graph, values)
        return Origin(node, values[node], tuple(values[source] for source in graph.inputs(node)))
    backpropagate(evaluation, 1.0, wrt)
    if all(all_finite(evaluation.gradients[node]) for node in wrt):
        return None
    for node in range(len(graph) - 1, -1, -1):
        if evaluation.wanted[node] and not all_finite(evaluation.gradients[node]):
            return Origin(node, evaluation.gradients[node], (), slope=True)
    return None


def _followed(graph: Graph, values: Sequence[Any]) -> int:
    """From the last node back along what is not finite, to where it began; not into what `where` left out."""
    node = len(graph) - 1
    while graph.codes[node] > CONSTANT:
        sources = graph.inputs(node)
        gate = graph.operator(node).gate
        if gate is not None and gate.name == "where":
            chosen = values[sources[0]] != 0
            guilty = [s for s, mask in zip(sources[1:], (chosen, _opposite(chosen))) if not _finite_where(mask, values[s])]
        else:
            guilty = [source for source in sources if not all_finite(values[source])]
        if not guilty or (has_nan(values[node]) and not any(has_nan(values[source]) for source in guilty)):
            return node
        node = next((source for source in guilty if has_nan(values[source])), guilty[0])
    return node


def _opposite(flag: Any) -> Any:
    return not flag if isinstance(flag, bool) else ~flag


def _finite_where(mask: Any, value: Any) -> bool:
    if isinstance(mask, bool):
        return not mask or all_finite(value)
    import numpy

    return bool((numpy.isfinite(value) | ~mask).all())
