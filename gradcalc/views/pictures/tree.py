"""A circuit as an indented tree, from the output to the inputs: for what is too large to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from gradcalc.dialects.circuit import CONSTANT, INPUT, Circuit, Part
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell
from gradcalc.views.text import cut, to_ascii, width

STEP = 3
"""Columns by which a level is indented."""
LEAST_ROOM = 36
"""Room that is kept for a line's text; what would leave less is listed further below."""
DEEPEST = 40
"""Levels that are indented where nothing limits a line."""
BRANCH = {True: ("├─ ", "└─ ", "│  ", "   ", "↑", "↓"), False: ("|- ", "`- ", "|  ", "   ", "(above)", "(below)")}


class Line(NamedTuple):
    """A line of the tree: what stands in it, and the numbers in the columns behind."""

    spans: Cell
    value: str = ""
    gradient: str = ""


class Twig(NamedTuple):
    """A line to be written: which part, what stands before it and before its inputs, and how deep it is."""

    number: int
    lead: str
    inner: str
    depth: int


def tree_lines(circuit: Circuit, surface: Surface, most: int | None = None) -> Iterator[Cell]:
    """The lines of a tree: every part once, with its value and its gradient; where it occurs again, its name or number.

    Args:
        circuit: what to show.
        surface: where it will be shown.
        most: how many lines are enough; it is said how many are left out.
    """
    every = _lines(circuit, surface)
    lines = list(islice(every, most))
    values, gradients = (max([len(title), *map(width, texts)]) for title, texts in _columns(lines))
    if not any(line.value or line.gradient for line in lines):
        yield from (_cut(line.spans, surface.width, surface) for line in lines)
    else:
        room = max(LEAST_ROOM // 2, surface.width - values - gradients - 4)
        room = min(room, max(sum(width(span.text) for span in line.spans) for line in lines))
        yield (Span(" " * (room + 2)), Span(f"{'value':<{values}}  gradient", "quiet"))
        for line in lines:
            spans = _cut(line.spans, room, surface)
            blank = room - sum(width(span.text) for span in spans) + 2
            gap = values - width(line.value) + 2
            yield (*spans, Span(" " * blank), Span(line.value, "value"), Span(" " * gap), Span(line.gradient, "backward"))
    rest = sum(1 for _ in every)
    if rest:
        yield cell(f"{'…' if surface.unicode else '...'} {rest} more lines: --all shows them", "quiet")


def _columns(lines: Sequence[Line]) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
    return ("value", [line.value for line in lines]), ("gradient", [line.gradient for line in lines])


def _lines(circuit: Circuit, surface: Surface) -> Iterator[Line]:
    branch, last, through, blank, above, below = BRANCH[surface.unicode]
    deepest = max(2, min(DEEPEST, (surface.width - LEAST_ROOM) // STEP))
    parts = circuit.parts
    shown: set[int] = set()
    queued: dict[int, None] = {len(parts) - 1: None}
    numbered = [len(targets) > 1 for targets in circuit.targets()]
    """Which parts are spoken of more than once, so that one without a name is told by its number."""
    while queued:
        root = next(iter(queued))
        del queued[root]
        if root in shown:
            continue
        stack = [Twig(root, "", "", 0)]
        while stack:
            twig = stack.pop()
            part = parts[twig.number]
            again = twig.number in shown
            later = not again and twig.depth >= deepest and bool(part.sources)
            numbered[twig.number] |= later
            yield _line(part, twig.lead, surface, above if again else below if later else "", numbered[twig.number])
            if later:
                queued[twig.number] = None
            if again or later:
                continue
            shown.add(twig.number)
            for place in range(len(part.sources) - 1, -1, -1):
                end = place == len(part.sources) - 1
                inner = twig.inner + (blank if end else through)
                stack.append(Twig(part.sources[place], twig.inner + (last if end else branch), inner, twig.depth + 1))


def _line(part: Part, lead: str, surface: Surface, sign: str, numbered: bool) -> Line:
    """One line; with a sign, only a word that says that the part stands elsewhere."""
    leaf = part.kind in (INPUT, CONSTANT)
    named = part.symbol if leaf else part.name
    words = []
    if numbered and not named:
        words.append(Span(f"#{part.node} ", "quiet"))
    if named:
        words.append(Span(named, "name"))
    if not leaf and not sign:
        words.append(Span((" = " if named else "") + part.symbol))
    if not surface.unicode:
        words = [Span(to_ascii(word.text), word.style) for word in words]
    if sign:
        return Line((Span(lead, "quiet"), *words, Span(f" {sign}" if named else sign, "quiet")))
    value, gradient = (text if surface.unicode else to_ascii(text) for text in (part.value, part.gradient))
    return Line((Span(lead, "quiet"), *words), value, gradient)


def _cut(spans: Cell, room: int, surface: Surface) -> Cell:
    if sum(width(span.text) for span in spans) <= room:
        return spans
    return cell(cut("".join(span.text for span in spans), room, "…" if surface.unicode else ".."))
