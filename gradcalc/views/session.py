"""What a session shows beside results: its help, and its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcalc.views.answer import PLAIN_WIDTH
from gradcalc.views.numbers import array_text, number_text, rounded_text
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, aligned, cell, painted, render, wrapped
from gradcalc.views.text import cut, to_ascii, visible, width

LANGUAGE = (
    ("(a + b)/c", "an expression is answered with its value and gradients"),
    ("a = 2", "a value for an input; what depends on it follows"),
    ("s = a*x + b", "a named node"),
    ("f(u) = u^2 + 1", "a gate of your own"),
    ("_", "the last result: _ * 2 or, to go on from it, simply * 2, + 2 or - 2 with a blank, .T"),
)
"""How one talks to a session."""


class Row(NamedTuple):
    """A word and what it means."""

    name: str
    words: str


def help_text(own: Sequence[Row], others: Sequence[Row], keys: Sequence[Row], surface: Surface, details: str = "") -> str:
    """The commands of a session; with `details`, a page about one."""
    if details:
        lines = [cell(own[0].name, "name"), *wrapped(cell(f"{own[0].words} {details}"), _room(surface), 0)]
        return _text(lines, surface)
    sections = [
        ("Statements", [Row(*row) for row in LANGUAGE]),
        ("Commands on the last expression, or on another: :eval EXPR, with the options of the command line", others),
        ("The session", own),
        ("Keys", keys),
    ]
    lines = []
    room = max((width(row.name) for _, rows in sections for row in rows), default=0)
    for title, rows in sections:
        if rows:
            lines += [cell(""), *wrapped(cell(title, "strong"), _room(surface), 2)]
            for row in rows:
                lead = (Span("  "), Span(row.name, "name"), Span(" " * (room - width(row.name) + 2)), Span(row.words))
                lines += wrapped(lead, _room(surface), room + 4)
    return _text(lines[1:], surface)


def inputs_text(rows: Sequence[tuple[str, Any, str, Any]], surface: Surface, digits: int | None = None) -> str:
    """A table of inputs: name, value, how it was given, and the gradient of the last result."""
    table = Table()
    table.add("input", [cell(visible(name), "name") for name, _, _, _ in rows])
    table.add("value", [cell(text, "value") for text in _column([value for _, value, _, _ in rows], digits, "no value")])
    plain = [isinstance(value, float) and number_text(value) == written for _, value, written, _ in rows]
    if not all(same or not written for same, (_, _, written, _) in zip(plain, rows)):
        shown = ["" if same else cut(visible(written), 40) for same, (_, _, written, _) in zip(plain, rows)]
        table.add("given as", [cell(text) for text in shown])
    if any(gradient is not None for _, _, _, gradient in rows):
        table.add("gradient", [cell(text, "gradient") for text in _column([row[3] for row in rows], digits, "")])
    if not surface.unicode:
        table.make_ascii()
    return render(table, surface)


def _column(values: Sequence[Any], digits: int | None, absent: str) -> list[str]:
    texts = []
    for value in values:
        if value is None:
            texts.append(absent)
        elif isinstance(value, float):
            texts.append(rounded_text(value, digits or 10))
        else:
            texts.append(array_text(value, min(digits or 6, 6), 36))
    return aligned(texts)


def _room(surface: Surface) -> int:
    return surface.width if surface.terminal else PLAIN_WIDTH


def _text(lines: Sequence[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
    return painted(lines, surface)
