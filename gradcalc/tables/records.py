"""Rows of text tables: which lines belong together, since a cell in quotes may go on in the next one, and their cells."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from gradcalc.engine.files import ends_with_cr, text_line
from gradcalc.errors import DataProblem

LONGEST = 1 << 20
"""How many bytes a row may have whose cells go on in other lines: an open quote must not swallow a whole file."""

QUOTE = b'"'


def records(lines: Iterable[bytes], file: str, separator: str | None, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, as cells, each with the line in which it begins.

    Args:
        lines: with their ends.
        file: what the table is called.
        separator: what parts cells; None for blanks.
        first: the number of the first line.

    Raises:
        DataProblem: a quote is not closed, a cell is too long, or the lines are no text.
    """
    for number, data in _joined(lines, file, separator, first):
        line = text_line(data, file, number)
        if line is not None:
            yield number, cells_of(line, separator, f"{file}:{number}")


def cells_of(line: str, separator: str | None, place: str) -> list[str]:
    """The cells of a row, of which those in quotes may hold separators and ends of lines.

    Raises:
        DataProblem: a quote is not closed, or a cell is too long.
    """
    if separator is None or '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as problem:
        if "unexpected end" in str(problem):
            raise _unclosed(place) from None
    try:
        return next(csv.reader([line], delimiter=separator))  # what stands behind a closed quote belongs to the cell
    except csv.Error as problem:
        if "new-line" in str(problem):
            raise ends_with_cr(place) from None
        most = csv.field_size_limit()
        raise DataProblem(
            f"{place}: a cell is longer than {most:,} characters", remedy="leave out this row, or its column"
        ) from None


def _unclosed(place: str) -> DataProblem:
    return DataProblem(f"{place}: a quote is not closed", remedy='close it: "…"')


def _joined(lines: Iterable[bytes], file: str, separator: str | None, first: int) -> Iterator[tuple[int, bytes]]:
    """Lines that belong together as one, with the number of the first of them."""
    waiting: list[bytes] = []
    began, size = first, 0
    for number, line in enumerate(lines, first):
        if not waiting:
            if QUOTE not in line:
                yield number, line
                continue
            began, size = number, 0
        if goes_on([line], separator, inside=bool(waiting)):
            waiting.append(line)
            size += len(line)
            if size > LONGEST:
                break
        elif waiting:
            yield began, b"".join([*waiting, line])
            waiting = []
        else:
            yield number, line
    if waiting:
        raise _unclosed(f"{file}:{began}")


def goes_on(lines: Sequence[bytes], separator: str | None, inside: bool = False) -> bool:
    """Whether a quote is open behind these lines; `inside` tells whether one was before them.

    Only a line with an odd number of quotes opens or closes a row: the others are passed over quickly.
    """
    if separator is None:
        return False
    if not inside:
        lines = lines[next((place for place, line in enumerate(lines) if line.count(QUOTE) & 1), len(lines)) :]
    mark = separator.encode()
    for line in lines:
        odd = line.count(QUOTE) & 1 and not line.lstrip().startswith(b"#")
        if inside or odd:
            inside = _is_open(line, mark, inside)
    return inside


def _is_open(line: bytes, separator: bytes, inside: bool) -> bool:
    """Whether a quote is open at the end of a line. One that does not begin a cell is a character as any other."""
    place = 0
    while True:
        if not inside and line[place : place + 1] == QUOTE:
            inside, place = True, place + 1
        if inside:
            end = line.find(QUOTE, place)
            if end < 0:
                return True
            place = end + 1
            if line[place : place + 1] == QUOTE:
                place += 1
                continue
            inside = False
        place = line.find(separator, place) + 1
        if not place:
            return False
