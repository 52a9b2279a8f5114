"""The check of an evaluation: which way to take for how large a graph, of numbers or of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradcalc.checking.scalars import END_TO_END, check_nodes
from gradcalc.checking.verdicts import Check
from gradcalc.engine.evaluate import Evaluation

METHODS = ("auto", "central", "one-sided", "complex", "exact", "off")
"""How numerical derivatives can be taken."""


def check(
    evaluation: Evaluation,
    nodes: Sequence[int],
    method: str = "auto",
    every: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Callable[[int], Check], str]:
    """Check the gradients of an evaluation at these nodes.

    Args:
        evaluation: after its backward pass.
        nodes: which gradients.
        method: how numerical derivatives are taken, one of `METHODS`.
        every: whether every element of large arrays is checked, too, and not only some, and random directions.
        progress: is told how many elements of how many are checked.

    Returns:
        The check of each node, and a sentence on how it was done where that is not every node end to end.
    """
    graph, values, gradients = evaluation.graph, evaluation.values, evaluation.gradients
    if not evaluation.scalar:
        from gradcalc.checking.arrays import check_arrays

        return check_arrays(evaluation, nodes, method, every, progress)
    if len(graph) <= END_TO_END or method == "exact":
        return check_nodes(graph, values, gradients, nodes, method).__getitem__, ""
    from gradcalc.checking.gatewise import DIRECTIONS, check_gates

    found = check_gates(graph, evaluation.inputs, values, gradients, evaluation.wanted, evaluation.seed)
    along = [direction.verdict for direction in found.directions]
    words = f"checked gate by gate, and end to end along {DIRECTIONS} random directions of the inputs"
    if any(verdict != "ok" for verdict in along):
        words += " (these could not tell)"
    return lambda node: found.check(node, gradients[node]), words
