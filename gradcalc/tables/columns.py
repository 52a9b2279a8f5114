"""Columns of numbers by their names, from CSV, Parquet, .npy and .npz: whole, or some rows at a time."""

from __future__ import annotations

import io
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple
from unicodedata import normalize

from gradcalc.engine.files import ARRAYS, SEPARATORS, TEXT_FACTOR, cell_number, cell_text, cell_words, nearby, read, text_line
from gradcalc.engine.shapes import MAXIMUM_BYTES, spell_bytes
from gradcalc.errors import DataProblem, LimitProblem, UsageProblem
from gradcalc.language.nearest import nearest
from gradcalc.tables.records import LONGEST, cells_of, goes_on, records

CHUNK = 8192
"""How many rows are read at a time."""

SHOWN_NAMES = 12
"""How many columns are named in a message."""

PARQUET = (".parquet", ".parq", ".pq")
"""How the names of Parquet files end."""

BLANKS = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
"""What people write in a cell that has no number, in lower case."""


class Columns:
    """A table with named columns, all of the same number of rows.

    Attributes:
        file: its path, as the user gave it.
        names: what its columns are called, as inputs of a program may be: see `as_input`.
    """

    def __init__(self, file: str, names: Sequence[str]) -> None:
        self.file = file
        self.names = list(names)

    def chunks(self, names: Sequence[str], rows: int = CHUNK) -> Iterator[dict[str, Any]]:
        """These columns, some rows at a time: for each name an array whose first axis counts rows.

        Raises:
            DataProblem: there is no such column; a cell is missing or is not a number (with its line).
        """
        raise NotImplementedError

    def read(self, names: Sequence[str], limit: int = MAXIMUM_BYTES) -> dict[str, Any]:
        """These columns, whole.

        Raises:
            DataProblem: as `chunks`; or there are no rows.
            LimitProblem: a column takes more bytes than allowed.
        """
        import numpy

        pieces: dict[str, list[Any]] = {name: [] for name in names}
        sizes = dict.fromkeys(names, 0)
        for chunk in self.chunks(names):
            for name, piece in chunk.items():
                pieces[name].append(piece)
                sizes[name] += piece.nbytes
                if sizes[name] > limit:
                    raise LimitProblem(
                        f"column {name} of {self.file} holds more than {spell_bytes(limit)}",
                        remedy="raise the limit with --max-array",
                    )
        if not all(pieces.values()):
            raise DataProblem(f"{self.file} holds no rows", remedy="give it at least one row of numbers below the names")
        return {name: found[0] if len(found) == 1 else numpy.concatenate(found) for name, found in pieces.items()}

    def place(self, row: int) -> str:
        """How a row (counted from 0) is told to the user."""
        return f"{self.file}: row {row + 1}"

    def require(self, name: str) -> None:
        """Make sure that there is a column of this name.

        Raises:
            DataProblem: there is none.
        """
        if name not in self.names:
            raise unknown_column(name, self.file, self.names)


def unknown_column(name: str, file: str, names: Sequence[str]) -> DataProblem:
    """That a file has no column of this name, with the one that was probably meant."""
    near = nearest(name, names)
    listed = ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")
    return DataProblem(f"{file} has no column {name}", remedy=f"did you mean {near}?" if near else f"its columns are {listed}")


def as_input(name: str) -> str:
    """The name that a column has in a program: what is no letter or digit becomes _ (`petal length`: `petal_length`)."""
    name = normalize("NFKC", name.strip())
    if name.isidentifier():
        return name
    changed = re.sub(r"\W+", "_", name).strip("_")
    return changed if changed.isidentifier() else f"c_{changed}" if changed else ""


def open_columns(file: str, name: str | None = None, limit: int = MAXIMUM_BYTES) -> Columns:
    """A file as a table.

    Args:
        file: `-` or a pipe, which hold text; or a path: .npz (each array is a column), .npy (one array), Parquet, anything else
            is text (CSV, with a line of names).
        name: what the array of an .npy is called.
        limit: how many bytes one array may hold.

    Raises:
        DataProblem: the file is missing, or not what it should be.
    """
    if "://" in file:
        raise DataProblem(f"{file}: addresses are not loaded", remedy="fetch the file first, and load it from disk")
    path = Path(file)
    if name is None and (file == STANDARD_INPUT or path.is_fifo()):
        return TextColumns(*_streamed(file, limit))
    if not path.is_file():
        words = "is not a file" if path.exists() else "does not exist"
        raise DataProblem(f"{file} {words}", remedy=nearby(path))
    kind = path.suffix.lower()
    if kind == ".npy":
        if name is None:
            raise DataProblem(f"{file} holds an array without a name", remedy=f"give it one: --data x={file}")
        return ArrayColumns(file, {name: None}, limit)
    if name is not None:
        raise DataProblem(f"{file} names its columns itself", remedy=f"write --data {file}")
    if kind == ".npz":
        entries = _archive_names(path)
        if not entries:
            raise DataProblem(f"{file} holds no arrays", remedy="save columns in it: numpy.savez(FILE, x=…, y=…)")
        return ArrayColumns(file, {entry: entry for entry in entries}, limit)
    if kind in PARQUET:
        from gradcalc.tables.parquet import ParquetColumns

        return ParquetColumns(file)
    return TextColumns(file)


STANDARD_INPUT = "-"


def _streamed(file: str, limit: int) -> tuple[str, bytes]:
    """What a table that can be read only once is called, and all of its text."""
    title = "standard input" if file == STANDARD_INPUT else file
    most = TEXT_FACTOR * limit
    try:
        if file == STANDARD_INPUT:
            stream = getattr(sys.stdin, "buffer", None)
            if stream is None:
                raise UsageProblem("standard input is closed", remedy="name a file: --data rows.csv")
            data: bytes = stream.read(most + 1)
        else:
            with open(file, "rb") as pipe:
                data = pipe.read(most + 1)
    except OSError as problem:
        raise DataProblem(f"{title} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    if len(data) > most:
        raise LimitProblem(f"{title} holds more than {spell_bytes(most)}", remedy="raise the limit with --max-array")
    if data.startswith((*ARRAYS, b"PAR1")):
        raise DataProblem(f"{title} holds arrays, and only text is read from a pipe", remedy="name the file itself: --data FILE")
    return title, data


def _archive_names(path: Path) -> list[str]:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
    except (OSError, zipfile.BadZipFile):
        raise DataProblem(f"{path} is not an .npz file") from None


class ArrayColumns(Columns):
    """Arrays of NumPy's formats: the first axis of each counts rows."""

    def __init__(self, file: str, arrays: dict[str, str | None], limit: int) -> None:
        super().__init__(file, [as_input(name) for name in arrays])
        self._entries = dict(zip(self.names, arrays.values()))
        self._limit = limit

    def chunks(self, names: Sequence[str], rows: int = CHUNK) -> Iterator[dict[str, Any]]:
        """See `Columns.chunks`; the arrays are read whole, and handed out in slices."""
        arrays = {}
        for name in names:
            self.require(name)
            array = arrays[name] = read(self.file, self._entries[name], self._limit)
            if isinstance(array, float):
                raise DataProblem(
                    f"{name} in {self.file} is a number, and has no rows", remedy="save it with one entry for each row"
                )
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise DataProblem(f"the arrays in {self.file} differ in their number of rows: {told}")
        for first in range(0, max(counts.values(), default=0), rows):
            yield {name: array[first : first + rows] for name, array in arrays.items()}

    def read(self, names: Sequence[str], limit: int = MAXIMUM_BYTES) -> dict[str, Any]:
        """See `Columns.read`."""
        for chunk in self.chunks(names, rows=2**62):
            return chunk
        raise DataProblem(f"{self.file} holds no rows")


class Heading(NamedTuple):
    """The line of names above a text table.

    Attributes:
        separator: what parts its cells; None for blanks.
        titles: the names as they are written.
        names: the names as inputs; empty where a title has no letter.
    """

    separator: str | None
    titles: list[str]
    names: list[str]

    @property
    def places(self) -> dict[str, int]:
        """Where each column stands."""
        return {name: place for place, name in enumerate(self.names) if name}


def read_heading(line: str, file: str, separator: str | None) -> Heading:
    """Read the line of names, whose cells are parted by `separator`, or by blanks.

    Raises:
        DataProblem: it is missing, holds numbers, or names two columns alike.
    """
    if not line:
        raise DataProblem(f"{file} is empty", remedy="its first line names the columns: x,y")
    titles = [cell.strip().strip('"') for cell in cells_of(line, separator, f"{file}: the line of names")]
    if all(cell_number(title) is not None for title in titles):
        raise DataProblem(
            f"{file} has no line of names: its first line holds numbers",
            remedy=f"name the columns in its first line: {(separator or ',').join(_examples(len(titles)))}",
        )
    names = [as_input(title) for title in titles]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        alike = dict.fromkeys(title for title, name in zip(titles, names) if name == twice)
        which = f"{' and '.join(alike)} have one name in a program: " if len(alike) > 1 else ""
        raise DataProblem(f"{file} has two columns {twice}", remedy=f"{which}give each column a name of its own")
    return Heading(separator, titles, names)


def find_heading(stream: Iterable[bytes], file: str) -> tuple[Heading, int, list[bytes]]:
    """Read the line of names at the beginning of a text: its first line, or a comment above the first row (`# x,y`).

    Returns:
        The names; how many lines stand above the rows; and what was read of the rows.

    Raises:
        DataProblem: as `read_heading`.
    """
    comment = ""
    lines = enumerate(stream, 1)
    for number, data in lines:
        line = text_line(data, file, number)
        if line is None:
            comment = comment_text(data) or comment
            continue
        taken, size, guess = [data], len(data), next((mark for mark in SEPARATORS if mark in line), SEPARATORS[0])
        inside = goes_on(taken, guess)
        while inside and size < LONGEST:
            number, more = next(lines, (number, b""))
            if not more:
                break  # which is told where the names are read
            taken.append(more)
            size += len(more)
            inside = goes_on([more], guess, inside=True)
        line = text_line(b"".join(taken), file, number) or line
        separator = next((mark for mark in SEPARATORS if mark in line), None)
        if _are_names(comment.split(separator), line.split(separator)):
            return read_heading(comment, file, separator), number - 1, [data]
        return read_heading(line, file, separator), number, []
    return read_heading("", file, None), 0, []


def comment_text(data: bytes) -> str:
    """What a line says behind its #, if it is a comment."""
    text = data.decode(errors="replace").removeprefix("\ufeff").strip()
    return text.removeprefix("#").strip() if text.startswith("#") else ""


def _are_names(names: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether these may be the names of columns of which the first row has these cells."""
    numbers = all(cell_number(cell) is not None for cell in cells)
    return numbers and len(names) == len(cells) and not any(cell_number(name) is not None for name in names)


def flaw(name: str, cell: str) -> tuple[str, str]:
    """What is wrong with a cell that has no finite number, and what to do about it."""
    if cell.strip().lower() in BLANKS:
        written = f" ({cell.strip()})" if cell.strip() else ""
        return f"column {name} has no number{written}", "fill the cell, or leave out its row"
    if cell_number(cell) is not None:
        return f"column {name} is {cell_text(cell)}", "leave out this row, or mend it"
    if cell.count(",") == 1 and cell_number(cell.replace(",", ".")) is not None:
        return f"column {name} is {cell_words(cell)}", "write numbers with a decimal point"
    return f"column {name} is {cell_words(cell)}", "only columns of numbers can be used: give it a code"


class TextColumns(Columns):
    """A text with a line of names, and below it lines of numbers; columns that nobody asks for may hold anything."""

    def __init__(self, file: str, content: bytes | None = None) -> None:
        """Read the line of names.

        Args:
            file: what it is called.
            content: what it holds, where it cannot be opened again.
        """
        self._lines: list[int] = []
        self._content = content
        self.file = file
        with self._stream() as stream:
            heading, self._above, _ = find_heading(stream, file)
        self.separator = heading.separator
        super().__init__(file, [name for name in heading.names if name])
        self._places = heading.places
        self._count = len(heading.names)

    def _stream(self) -> IO[bytes]:
        """The text, from its beginning."""
        return io.BytesIO(self._content) if self._content is not None else _opened(self.file)

    def place(self, row: int) -> str:
        """The file and the line of a row that was read."""
        return f"{self.file}:{self._lines[row]}" if row < len(self._lines) else super().place(row)

    def chunks(self, names: Sequence[str], rows: int = CHUNK) -> Iterator[dict[str, Any]]:
        """See `Columns.chunks`."""
        for name in names:
            self.require(name)
        self._lines.clear()
        with self._stream() as stream:
            pending: list[list[str]] = []
            below = islice(stream, self._above, None)
            for number, cells in records(below, self.file, self.separator, self._above + 1):
                if len(cells) != self._count:
                    raise DataProblem(
                        f"{self.file}:{number}: this row has {len(cells)} cell{'' if len(cells) == 1 else 's'}, "
                        f"the line of names {self._count}",
                        remedy="give every row as many",
                    )
                pending.append(cells)
                self._lines.append(number)
                if len(pending) == rows:
                    yield self._parsed(pending, names)
                    pending = []
            if pending:
                yield self._parsed(pending, names)

    def _parsed(self, records: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, Any]:
        import numpy

        found = {}
        for name in names:
            place = self._places[name]
            cells = [record[place] for record in records]
            try:
                numbers = list(map(float, cells))
            except ValueError:
                numbers = []
            if not numbers or not all(map(math.isfinite, numbers)) or any("_" in cell for cell in cells):
                numbers = self._carefully(cells, name, len(self._lines) - len(cells))
            found[name] = numpy.array(numbers)
        return found

    def _carefully(self, cells: Sequence[str], name: str, first: int) -> list[float]:
        """Cell by cell, so that the first one that is no number is found."""
        numbers = []
        for place, cell in enumerate(cells):
            number = cell_number(cell)
            if number is None or not math.isfinite(number):
                words, remedy = flaw(name, cell)
                raise DataProblem(f"{self.file}:{self._lines[first + place]}: {words}", remedy=remedy)
            numbers.append(number)
        return numbers


def _opened(file: str) -> IO[bytes]:
    try:
        return open(file, "rb")
    except OSError as problem:
        raise DataProblem(f"{file} cannot be read: {(problem.strerror or str(problem)).lower()}") from None


def _examples(count: int) -> list[str]:
    return [f"x{number}" for number in range(1, min(count, 4))] + ["y"] if count > 1 else ["x"]
