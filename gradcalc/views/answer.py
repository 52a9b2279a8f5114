"""A result in a few lines, as a session answers: the value and its verdict, and the gradients by the inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import array_text, rounded_text
from gradcalc.views.report import signed, verdict_words, whole_value
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell, cell_width, painted, wrapped
from gradcalc.views.text import cut, to_ascii, visible, width

if TYPE_CHECKING:
    from gradcalc.workspace import Result

PLAIN_WIDTH = 100
"""How long a line becomes where nothing limits it."""
MOST_GRADIENTS = 24
"""So many gradients are listed; the table has the others."""
LABEL = "  gradient  "


def answer_text(result: Result, surface: Surface, digits: int | None = None) -> str:
    """The output, its value and verdict, then its gradients, and what else there is to know."""
    return _text([*_first_lines(result, surface), *_gradients(result, surface, digits or 10), *_remarks(result, surface)], surface)


def values_text(values: Sequence[tuple[str, Any]], surface: Surface, indent: str = "") -> str:
    """`a = 2   s = 12`: names and their values, as many on a line as fit."""
    lines: list[Cell] = []
    for name, value in values:
        item: Cell = (Span(visible(name), "name"), Span(" = "), Span(whole_value(value, surface), "value"))
        together = (*lines[-1], Span("   "), *item) if lines else ()
        if together and cell_width(together) <= _room(surface):
            lines[-1] = together
        else:
            lines.append((Span(indent), *item))
    return _text(lines, surface)


def remark_text(words: str, surface: Surface) -> str:
    """A sentence in a quiet voice, wrapped."""
    return _text(wrapped(cell(visible(words), "quiet"), _room(surface)), surface)


def _text(lines: Iterator[Cell] | Sequence[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
    return painted(lines, surface)


def _room(surface: Surface) -> int:
    return surface.width if surface.terminal else PLAIN_WIDTH


def _first_lines(result: Result, surface: Surface) -> Iterator[Cell]:
    """The value with the sign of its verdict; what is not simply well is said on a line of its own."""
    value = whole_value(result.value, surface)
    output = cut(visible(result.output), max(_room(surface), 3 * _room(surface) - len(value)) - 3)
    line: Cell = (Span(output, "strong"), Span(" = "), Span(value, "value"))
    verdict = Span(signed(result.verdict, surface), result.verdict)
    if result.verdict == "ok" and cell_width(line) + width(verdict.text) + 3 <= _room(surface):
        yield (*line, Span("   "), verdict)
        return
    yield line
    if result.verdict == "off" and not result.gradients:
        return  # a plain calculation: there is nothing to check
    yield from wrapped((Span("  "), verdict, Span(f": {verdict_words(result)}")), _room(surface), 4)


def _gradients(result: Result, surface: Surface, digits: int) -> Iterator[Cell]:
    """The gradients side by side in columns, as many as fit; arrays on lines of their own."""
    room = _room(surface) - width(LABEL)
    items = [_gradient(name, gradient, digits, room) for name, gradient in list(result.gradients.items())[:MOST_GRADIENTS]]
    lead = Span(LABEL, "quiet")
    for line in _columns(items, room):
        yield (lead, *line)
        lead = Span(" " * width(LABEL))
    if len(result.gradients) > MOST_GRADIENTS:
        yield (lead, Span(f"and {len(result.gradients) - MOST_GRADIENTS} more: :eval shows all", "quiet"))


def _gradient(name: str, gradient: Any, digits: int, room: int) -> Cell:
    name = cut(visible(name), 24)
    if isinstance(gradient, (float, int)):
        text = rounded_text(gradient, digits)
    else:
        text = array_text(gradient, min(digits, 6), max(24, room - width(name) - 1))
    return (Span(name, "name"), Span(" "), Span(text, "gradient"))


def _columns(items: Sequence[Cell], room: int) -> Iterator[Cell]:
    """Items in as many columns as fit, filled line by line."""
    if not items:
        return
    for count in range(len(items), 0, -1):
        widths = [max(cell_width(item) for item in items[column::count]) for column in range(count)]
        if sum(widths) + 3 * (count - 1) <= room:
            break
    for first in range(0, len(items), count):
        line: list[Span] = []
        gap = 0
        for item, size in zip(items[first : first + count], widths):
            line += [Span(" " * gap), *item]
            gap = size - cell_width(item) + 3
        yield tuple(line)


def _remarks(result: Result, surface: Surface) -> Iterator[Cell]:
    for remark in result.remarks:
        yield from wrapped((Span("  "), Span(remark, "quiet")), _room(surface), 4)
