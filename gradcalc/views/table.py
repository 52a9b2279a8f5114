"""One model of a table, and its renderings: through Rich on a terminal, as plain aligned text everywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from gradcalc.views.numbers import point_position
from gradcalc.views.surface import Surface
from gradcalc.views.text import to_ascii, width

GAP = 2
"""Blank columns between two columns of a table."""


class Span(NamedTuple):
    """A piece of text in one style: a word of `STYLES`, or as Rich has it."""

    text: str
    style: str = ""


Cell = tuple[Span, ...]

STYLES = {
    "": "",
    "strong": "bold",
    "quiet": "dim",
    "name": "bold",
    "value": "green",
    "gradient": "cyan",
    "backward": "red",
    "ok": "green",
    "kink": "yellow",
    "edge": "yellow",
    "unsure": "magenta",
    "mismatch": "bold red",
    "off": "dim",
    "heat0": "blue",
    "heat1": "cyan",
    "heat2": "green",
    "heat3": "bright_green",
    "heat4": "yellow",
    "heat5": "bright_yellow",
    "heat6": "black on yellow",
    "heat7": "bold white on red",
}
"""What a span's style is called in Rich."""


class Column(NamedTuple):
    """The head of a column; numbers stand right, words left."""

    title: str
    right: bool = False


class Table:
    """Columns, rows of cells, and perhaps words that stand for rows left out.

    Attributes:
        columns: the heads of the columns.
        rows: the cells, row by row.
        gap_after: behind this number of rows some were left out, and `gap_words` says so.
        gap_words: what it says.
    """

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.rows: list[list[Cell]] = []
        self.gap_after: int | None = None
        self.gap_words = ""

    def add(self, title: str, cells: Sequence[Cell], right: bool = False) -> None:
        """One more column, with its cells."""
        self.columns.append(Column(title, right))
        if len(self.columns) == 1:
            self.rows = [[spans] for spans in cells]
        else:
            for row, spans in zip(self.rows, cells, strict=True):
                row.append(spans)

    def make_ascii(self) -> None:
        """Spell everything in plain ASCII."""
        for row in self.rows:
            row[:] = [tuple(Span(to_ascii(span.text), span.style) for span in spans) for spans in row]

    def widths(self) -> list[int]:
        """How wide each column must be."""
        return [
            max([width(column.title), *[cell_width(row[number]) for row in self.rows]])
            for number, column in enumerate(self.columns)
        ]

    def width(self) -> int:
        """How wide the whole table is."""
        return sum(self.widths()) + GAP * (len(self.columns) - 1)


def cell(text: str, style: str = "") -> Cell:
    """A cell in one style."""
    return (Span(text, style),)


def cell_width(spans: Cell) -> int:
    """How many terminal columns a cell takes."""
    return width("".join([text for text, _ in spans]))


def aligned(texts: Sequence[str]) -> list[str]:
    """Numbers padded so that their decimal points stand below each other; what is no number is left alone."""
    positions = [point_position(text) if _is_number(text) else -1 for text in texts]
    before = max(positions, default=0)
    after = max((len(text) - position for text, position in zip(texts, positions, strict=True) if position >= 0), default=0)
    return [
        " " * (before - position) + text + " " * (after - len(text) + position) if position >= 0 else text
        for text, position in zip(texts, positions, strict=True)
    ]


def _is_number(text: str) -> bool:
    return bool(text) and text[-1].isdigit() and (text[0].isdigit() or text[0] in "-.")


def render(table: Table, surface: Surface) -> str:
    """The table as text for this surface, ending in a newline."""
    widths = table.widths()
    if sum(widths) + GAP * (len(widths) - 1) > surface.width:
        return painted(_blocks(table, surface), surface)
    return painted(_lines(table, widths, surface), surface)


def _blocks(table: Table, surface: Surface) -> Iterator[Cell]:
    """The table where there is no room for its columns: a block of lines for each row, headed by its first two cells."""
    room = max(width(column.title) for column in table.columns) + GAP
    for number, row in enumerate(table.rows):
        if number == table.gap_after:
            yield cell(table.gap_words, "quiet")
        yield from wrapped([span for spans in row[:2] for span in (*spans, Span(" "))], surface.width)
        for column, spans in zip(table.columns[2:], row[2:], strict=True):
            # Without the blanks that align a column.
            words = tuple(Span(span.text.rstrip() if place else span.text.strip(), span.style) for place, span in enumerate(spans))
            if cell_width(words):
                title = Span("  " + column.title + " " * (room - width(column.title)), "strong")
                yield from wrapped((title, *words), surface.width, room + 2)


def wrapped(spans: Sequence[Span], room: int, indent: int = 2) -> Iterator[Cell]:
    """A line of spans, broken at blanks into lines no wider than the room; a word that is wider is left to the terminal."""
    if cell_width(tuple(spans)) <= room:
        yield tuple(spans)
        return
    line: list[Span] = []
    used = 0
    for blank, word in _words(spans):
        size = cell_width(tuple(word))
        if used > indent and used + len(blank) + size > room:
            yield tuple(line)
            line, used = [Span(" " * indent)], indent
        else:
            line.append(Span(blank))
            used += len(blank)
        line += word
        used += size
    yield tuple(line)


def _words(spans: Iterable[Span]) -> Iterator[tuple[str, list[Span]]]:
    """The words of a line, each with the blanks before it; a word may be in several styles."""
    blank, word = "", list[Span]()
    for text, style in spans:
        for piece in re.findall(" +|[^ ]+", text):
            if piece[0] != " ":
                word.append(Span(piece, style))
            elif word:
                yield blank, word
                blank, word = piece, []
            else:
                blank += piece
    if word:
        yield blank, word


def _lines(table: Table, widths: Sequence[int], surface: Surface) -> Iterator[Cell]:
    """The table as lines of spans, each cell padded to its column."""
    yield _line([cell(column.title, "strong") for column in table.columns], table.columns, widths)
    if surface.colour:
        yield cell(("─" if surface.unicode else "-") * table.width(), "quiet")
    for number, row in enumerate(table.rows):
        if number == table.gap_after:
            yield cell(table.gap_words, "quiet")
        yield _line(row, table.columns, widths)


def _line(row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int]) -> Cell:
    spans: list[Span] = []
    gap = 0
    for content, column, room in zip(row, columns, widths, strict=True):
        padding = room - cell_width(content)
        spans.append(Span(" " * (gap + padding if column.right else gap)))
        spans.extend(content)
        gap = GAP if column.right else GAP + padding
    return tuple(spans)


def painted(lines: Iterable[Cell], surface: Surface) -> str:
    """Lines of spans as text: through Rich where colour is welcome, plainly elsewhere."""
    if not surface.colour:
        return "".join("".join([span.text for span in spans]).rstrip() + "\n" for spans in lines)
    from rich.text import Text

    text = Text(end="")
    for spans in lines:
        for span in spans:
            text.append(span.text, STYLES.get(span.style, span.style) or None)
        text.append("\n")
    return _printed(text, surface)


_consoles: dict[tuple[Surface, str], Any] = {}


def _colours() -> Literal["truecolor", "256", "standard"]:
    """How many colours the terminal says it has. Those of the styles are among the first in any case."""
    if os.environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in os.environ.get("TERM", "") else "standard"


def _printed(drawn: Any, surface: Surface) -> str:
    """What Rich prints for something. Markup, emoji codes and highlighting are off: the text is the user's."""
    from rich.console import Console

    kind = surface, _colours()
    if kind not in _consoles:
        _consoles[kind] = Console(
            width=surface.width,
            force_terminal=surface.colour,
            color_system=kind[1] if surface.colour else None,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )
    console = _consoles[kind]
    with console.capture() as capture:
        console.print(drawn, soft_wrap=isinstance(getattr(drawn, "plain", None), str), end="")
    return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())
