"""Which comparisons only decide, so that they may stay truth values and need not become numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))

JOINS = frozenset(("*", "max"))
"""What joins truth values: the product is true where both are, the larger where either is."""


def truths(
    nodes: Sequence[int], name: Callable[[int], str], inputs: Callable[[int], Sequence[int]], wanted: Collection[int]
) -> set[int]:
    """The nodes that may be truth values: comparisons, and what joins them, as far as all that reads them only asks for the truth.

    Args:
        nodes: of a program, in their order.
        name: of a node's gate.
        inputs: of a node, as far as they are nodes of the program.
        wanted: nodes that are asked for as numbers.
    """
    users: dict[int, list[tuple[int, int]]] = {node: [] for node in nodes}
    found: set[int] = set()
    for node in nodes:
        sources = inputs(node)
        for place, source in enumerate(sources):
            users[source].append((node, place))
        if name(node) in COMPARISONS or (name(node) in JOINS and len(sources) > 1 and found.issuperset(sources)):
            found.add(node)
    while True:
        numbers = [node for node in found if node in wanted or not _decides(node, found, users[node], name, inputs)]
        if not numbers:
            return found
        found.difference_update(numbers)


def _decides(
    node: int,
    found: Collection[int],
    users: Sequence[tuple[int, int]],
    name: Callable[[int], str],
    inputs: Callable[[int], Sequence[int]],
) -> bool:
    """Whether a truth value is joined from others, and read by nothing that needs a number."""
    if name(node) in JOINS and not all(source in found for source in inputs(node)):
        return False
    return all((name(user) == "where" and place == 0) or (name(user) in JOINS and user in found) for user, place in users)
