"""The typed source, each piece painted by how strongly the output depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell, wrapped
from gradcalc.views.text import visible, width

if TYPE_CHECKING:
    from gradcalc.aspects import PaintedLine, Sensitivity

BOUNDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""From which size of the elasticity on a piece has the next mark."""

ROUNDING = 1e-9
"""An elasticity of 1 may come out so much smaller."""

MARKS = "▁▂▃▄▅▆▇█"
PLAIN_MARKS = ".:-=+*#@"
"""A mark for each level; the second line is for places that show only ASCII."""

INDENT = 2


def level(elasticity: float) -> int:
    """Which mark an elasticity has, from 0; -1 where there is no influence at all."""
    if elasticity == 0.0 or elasticity != elasticity:
        return -1
    return sum(abs(elasticity) >= bound * (1.0 - ROUNDING) for bound in BOUNDS)


def influence_lines(sensitivity: Sensitivity, surface: Surface) -> Iterator[Cell]:
    """The source with colours, or with a line of marks beneath where there are none, and what they mean."""
    if not sensitivity.lines:
        words = sensitivity.reason or "the text is too long to be painted"
        yield cell(f"no influences: {words}", "quiet")
        return
    marks = MARKS if surface.unicode else PLAIN_MARKS
    used: set[int] = set()
    lines = [line for line in sensitivity.lines if not _only_gives_values(line)] or sensitivity.lines
    margin = min(len(line.text) - len(line.text.lstrip()) for line in lines)
    for line in lines:
        text, levels = _columns(line)
        text, levels = text[margin:], levels[margin:]
        used.update(levels)
        yield from _painted(text, levels, marks, surface)
    yield ()
    yield from _legend(used, marks, surface)


def _only_gives_values(line: PaintedLine) -> bool:
    """Whether a line does nothing but give inputs their defaults: what these do shows where they are used."""
    behind = (line.text[piece.end :].lstrip() for piece in line.pieces)
    return all(rest.startswith("=") and not rest.startswith("==") for rest in behind)


def _columns(line: PaintedLine) -> tuple[list[str], list[int]]:
    """The characters of a line as they are shown, and the level of each; -2 where nothing is known."""
    characters, levels = [], []
    owners = [-2] * len(line.text)
    for piece in line.pieces:
        owners[piece.start : piece.end] = [level(piece.elasticity)] * (piece.end - piece.start)
    for character, owner in zip(line.text, owners):
        shown = visible(character)
        characters.append(shown)
        levels.append(owner)
    return characters, levels


def _painted(text: Sequence[str], levels: Sequence[int], marks: str, surface: Surface) -> Iterator[Cell]:
    """One line of source, in as many lines as the terminal needs."""
    room = max(20, surface.width - INDENT)
    start = 0
    while start < len(text):
        end, used = start, 0
        while end < len(text) and used + width(text[end]) <= room:
            used += width(text[end])
            end += 1
        end = max(end, start + 1)
        blank = Span(" " * INDENT)
        if surface.colour:
            yield (blank, *(Span(one, _style(own)) for one, own in zip(text[start:end], levels[start:end])))
        else:
            yield (blank, *(Span(one) for one in text[start:end]))
            beneath = "".join(
                (marks[own] if own >= 0 else " ") * width(one) for one, own in zip(text[start:end], levels[start:end])
            )
            if beneath.strip():
                yield (blank, Span(beneath.rstrip()))
        start = end


def _style(own: int) -> str:
    return "quiet" if own < 0 else f"heat{own}"


def _legend(used: set[int], marks: str, surface: Surface) -> Iterator[Cell]:
    """What the marks mean, as many to a line as there is room for."""
    line: list[Span] = [Span("1 % more of a piece moves the output by", "quiet")]
    taken = width(line[0].text)
    for own in sorted(one for one in used if one >= 0):
        entry = Span(f" {_range(own)} ", _style(own)) if surface.colour else Span(f"{marks[own]} {_range(own)}")
        if taken + 2 + width(entry.text) > surface.width:
            yield from wrapped(tuple(line), surface.width)
            line, taken = [], 0
        line += [Span("  "), entry]
        taken += 2 + width(entry.text)
    yield tuple(line)


def _range(own: int) -> str:
    """The elasticities of a level."""
    if own == 0:
        return f"under {BOUNDS[0]:g} %"
    return f"{BOUNDS[-1]:g} % or more" if own == len(BOUNDS) else f"{BOUNDS[own - 1]:g} to {BOUNDS[own]:g} %"
