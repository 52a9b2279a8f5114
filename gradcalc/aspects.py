"""What a result can show beside values and gradients: tangents, and how strongly the output depends on each piece of its text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.engine.evaluate import Evaluation

if TYPE_CHECKING:
    from gradcalc.checking.verdicts import Check
    from gradcalc.language.program import Program


class Direction(NamedTuple):
    """A direction in which inputs move, in forward mode.

    `title` is what the derivatives along it are called, `amounts` holds how far each input moves, by name, and `moves` the same by
    node.
    """

    title: str
    amounts: dict[str, Any]
    moves: dict[int, Any]


class Tangent(NamedTuple):
    """How a node moves along a direction, and how far that can be trusted; the fields are those of a row of a result."""

    title: str
    value: Any
    numerical: Any = None
    error_bar: Any = None
    verdict: str = "off"
    digits: int | None = None
    slopes: tuple[float, float] | None = None
    note: str = ""
    verdicts: Any = None


class Pushed(NamedTuple):
    """Forward mode along one direction: the tangents of all nodes, the check of each, and why there is none."""

    direction: Direction
    tangents: list[Any]
    check: Callable[[int], Check] | None
    reason: str

    def tangent(self, node: int, shape: tuple[int, ...]) -> Tangent:
        """One node's."""
        value = self.tangents[node]
        if self.check is None:
            return Tangent(self.direction.title, value)
        from gradcalc.checking.verdicts import digits_agreeing

        check = self.check(node)
        slopes = check.slopes
        uneven = slopes is not None and slopes[0] != slopes[1] and not any(map(math.isnan, slopes))
        known = not (isinstance(check.numerical, float) and (uneven or math.isnan(check.numerical)))
        numerical, bar = (check.numerical, check.bar) if known else (None, None)
        digits = getattr(check, "digits", None) if shape else digits_agreeing(value, check.numerical, check.bar)
        verdicts = getattr(check, "verdicts", None)
        return Tangent(self.direction.title, value, numerical, bar, check.verdict, digits, slopes, check.note, verdicts)


def pushed(evaluation: Evaluation, directions: Sequence[Direction], rows: Sequence[int], method: str) -> list[Pushed]:
    """Forward mode along each direction, checked by differences along it (`method` is a kind of check, or `off`)."""
    from gradcalc.engine.tangents import push

    found = []
    for direction in directions:
        tangents = push(evaluation, direction.moves)
        check, reason = None, "--check off"
        if method != "off":
            from gradcalc.checking.tangents import check_tangents

            check, reason = check_tangents(evaluation, direction.moves, tangents, rows, method)
        found.append(Pushed(direction, tangents, check, reason))
    return found


# ---- sensitivity -----------------------------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """A piece of a line of source, the number of its row in the result, and the elasticity there."""

    start: int
    end: int
    node: int
    elasticity: float


class PaintedLine(NamedTuple):
    """A line of the program with the pieces whose influence on the output is known."""

    number: int
    text: str
    pieces: tuple[Stretch, ...]


class Sensitivity(NamedTuple):
    """How strongly an output depends on every piece of its text."""

    lines: list[PaintedLine]
    reason: str
    """Why there are no elasticities, where there are none."""


def elasticities(evaluation: Evaluation) -> Callable[[int], Any]:
    """For each node x with the gradient f' its x·f'/f: by how many per cent f changes where x changes by one.

    f is what was differentiated: the output, times the gradient from above and summed where it is an array. Of an array an array;
    nan where f is 0.
    """
    value, seed = evaluation.values[-1], evaluation.seed
    whole = seed * value
    whole = whole if isinstance(whole, float) else float(whole.sum())

    def elasticity(node: int) -> Any:
        if not evaluation.wanted[node] or not evaluation.gradients:
            return None
        product = evaluation.values[node] * evaluation.gradients[node]
        if isinstance(product, float):
            return product / whole if whole else math.nan
        return product / whole if whole else product * math.nan

    return elasticity


def painted(
    program: Program,
    nodes: Mapping[int, int],
    numbers: Mapping[int, int] | Sequence[int],
    elasticity: Callable[[int], Any],
) -> list[PaintedLine]:
    """The source of an output, each word with the influence of the piece that it belongs to.

    Args:
        program: where the nodes were written.
        nodes: for each node of the program that the output reaches its node in the evaluation.
        numbers: for each node of the evaluation the number of its row.
        elasticity: of a node of the evaluation.
    """
    from gradcalc.language.spans import lines_of

    found: dict[int, float | None] = {}

    def size(source: int) -> float | None:
        if source not in found:
            found[source] = _size(elasticity(nodes[source]))
        return found[source]

    lines = []
    for line in lines_of(program, nodes):
        stretches = []
        for word in line.words:
            own = size(word.node)
            if own is not None:
                stretches.append(Stretch(word.start, word.end, numbers[nodes[word.node]], own))
        if stretches:
            lines.append(PaintedLine(line.number, line.text, tuple(stretches)))
    return lines


def _size(elasticity: Any) -> float | None:
    """One number for a node: of an array, what its elements make if they all grow by one per cent."""
    if elasticity is None or isinstance(elasticity, float):
        return elasticity
    return float(elasticity.sum())
