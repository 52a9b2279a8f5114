"""Tables to sweep over: text, NumPy's arrays, Parquet, folders of them. Each is read once, some rows at a time."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy

from gradcalc.engine.files import cell_number, kind_words, nearby, read_npy_header
from gradcalc.errors import DataProblem, UsageProblem
from gradcalc.tables import arrow
from gradcalc.tables.columns import PARQUET, as_input, find_heading, flaw, unknown_column
from gradcalc.tables.pieces import TOLD, Block, Flaw, Numbers, Piece, Source, missing_numbers
from gradcalc.tables.records import LONGEST, goes_on, records

STANDARD_INPUT = "-"

FAST_BYTES = 1_000_000
"""From so many bytes on, the fast reader of text is worth its import."""


def open_source(given: str) -> Source:
    """Open a table.

    Args:
        given: a file (.parquet, .npz, NAME=FILE.npy, or text), a folder of files, or - for text from standard input.

    Raises:
        DataProblem: it is missing, or not what it should be.
    """
    if given == STANDARD_INPUT:
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None:
            raise UsageProblem("standard input is closed", remedy="name a file: --data rows.csv")
        return TextSource("standard input", stream)
    if "://" in given:
        raise DataProblem(f"{given}: addresses are not loaded", remedy="fetch the file first, and load it from disk")
    name, equals, file = given.partition("=")
    if equals and name.strip().isidentifier() and not os.path.exists(given):
        if not file.lower().endswith(".npy"):
            raise DataProblem(f"{file} names its columns itself", remedy=f"write --data {file}")
        return _open_file(Path(file), as_input(name))
    return FolderSource(Path(given)) if os.path.isdir(given) else _open_file(Path(given))


def _open_file(path: Path, name: str | None = None) -> Source:
    if path.is_fifo():
        return TextSource(str(path), path.open("rb"))
    if not path.is_file():
        words = "is not a file" if path.exists() else "does not exist"
        raise DataProblem(f"{path} {words}", remedy=nearby(path))
    kind = path.suffix.lower()
    try:
        if kind in PARQUET:
            from gradcalc.tables.parquet import ParquetSource

            return ParquetSource(str(path))
        if kind in (".npy", ".npz"):
            if kind == ".npy" and name is None:
                raise DataProblem(f"{path} holds an array without a name", remedy=f"give it one: --data x={path}")
            return ArraySource(path, name)
        return TextSource(str(path), path.open("rb"))
    except OSError as problem:
        raise _unreadable(str(path), problem) from None


def _unreadable(file: str, problem: OSError) -> DataProblem:
    return DataProblem(f"{file} can't be read: {(problem.strerror or str(problem)).lower()}")


def require(source: Source, names: Sequence[str]) -> None:
    """Make sure that a table has these columns.

    Raises:
        DataProblem: it lacks one.
    """
    for name in names:
        if name not in source.names:
            raise unknown_column(name, source.file, source.names)


# ---- text ------------------------------------------------------------------------------------------------------------------------


class TextSource(Source):
    """A text with a line of names, and below it lines of cells."""

    def __init__(self, file: str, stream: IO[bytes]) -> None:
        self.file = file
        self._stream = stream
        self._passed = 0
        self._refuse_other_kinds()
        heading, self._line, self._waiting = find_heading(stream, file)
        self.separator = heading.separator
        self.names = [name for name in heading.names if name]
        self.titles = {name: title for name, title in zip(heading.names, heading.titles) if name}
        self._places = heading.places
        self._count = len(heading.names)
        self._numbers: list[str] = []
        self._kept: list[str] = []
        self.size = self._bytes()

    def _refuse_other_kinds(self) -> None:
        peek = getattr(self._stream, "peek", None)
        start = peek(4)[:4] if peek is not None else b""
        if start == b"PAR1":
            remedy = "give it a name that ends in .parquet" if self.file != "standard input" else "name the file: --data FILE"
            raise DataProblem(f"{self.file} is a Parquet file", remedy=remedy)
        if start[:2] == b"\x1f\x8b":
            raise DataProblem(
                f"{self.file} is compressed", remedy="unpack it first: gunzip, or zcat FILE | gradcalc sweep … --data -"
            )

    def _bytes(self) -> int | None:
        try:
            size = os.fstat(self._stream.fileno()).st_size
        except (OSError, AttributeError):
            return None
        return size or None

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """See `Source.choose`."""
        self._numbers, self._kept = list(numbers), list(kept)

    def blocks(self, rows: int) -> Iterator[Block]:
        """See `Source.blocks`; lines that hold nothing count, too."""
        while True:
            try:
                lines = self._next_lines(rows)
            except OSError as problem:
                raise _unreadable(self.file, problem) from None
            if not lines:
                return
            first, size = self._line + 1, sum(map(len, lines))
            self._line += len(lines)
            self._passed += size
            yield Block(self, (first, lines, size), self._passed)

    def _next_lines(self, rows: int) -> list[bytes]:
        """About so many lines, to the end of a row."""
        lines = [*self._waiting, *islice(self._stream, rows - len(self._waiting))]
        self._waiting = []
        size, inside = 0, goes_on(lines, self.separator)
        while inside and size <= LONGEST:
            line = self._stream.readline()
            if not line:
                break  # whoever looks at the rows tells where the quote is that is not closed
            lines.append(line)
            size += len(line)
            inside = goes_on([line], self.separator, inside)
        return lines

    def read(self, block: Block) -> Piece:
        """See `Source.read`."""
        first, lines, size = block.data
        if self.separator is not None and size >= FAST_BYTES:
            piece = self._read_fast(first, lines)
            if piece is not None:
                return piece
        return self._read_carefully(first, lines)

    def _read_fast(self, first: int, lines: Sequence[bytes]) -> Piece | None:
        """The rows by Arrow's reader, if all of them are such that it makes of them the same as we do."""
        assert self.separator is not None
        places = {name: self._places[name] for name in (*self._numbers, *self._kept)}
        found = arrow.read_text(lines, self.separator, self._count, places, self._numbers)
        if found is None:
            return None
        numbers = {name: found[name] for name in self._numbers}
        if missing_numbers(numbers) is not None:
            return None
        kept = {name: found[name] for name in self._kept}
        return Piece(len(lines), numbers, kept, lambda row: f"{self.file}:{first + row}")

    def _read_carefully(self, first: int, lines: Sequence[bytes]) -> Piece:
        found = list(records(lines, self.file, self.separator, first))
        bad = numpy.zeros(len(found), dtype=bool)
        flaws: dict[int, Flaw] = {}
        for row, (number, cells) in enumerate(found):
            if len(cells) != self._count:
                bad[row] = True
                words = f"this row has {len(cells)} cell{'' if len(cells) == 1 else 's'}, the line of names {self._count}"
                flaws[row] = Flaw(f"{self.file}:{number}", words, "give every row as many")
                cells.extend([""] * (self._count - len(cells)))
        numbers: dict[str, Numbers] = {}
        for name in self._numbers:
            place = self._places[name]
            cells = [record[place] for _, record in found]
            numbers[name] = column = _parsed(cells)
            lost = numpy.isnan(column)
            for row in numpy.flatnonzero(lost)[:TOLD].tolist():
                flaws.setdefault(row, Flaw(f"{self.file}:{found[row][0]}", *flaw(name, cells[row])))
            bad |= lost
        return Piece(
            len(found),
            numbers,
            {name: [record[self._places[name]] for _, record in found] for name in self._kept},
            lambda row: f"{self.file}:{found[row][0]}",
            bad if bad.any() else None,
            tuple(flaws[row] for row in sorted(flaws)[:TOLD]),
        )

    def close(self) -> None:
        """See `Source.close`."""
        if self.file != "standard input":
            self._stream.close()


def _parsed(cells: Sequence[str]) -> Numbers:
    """Cells as numbers, nan where they are none."""
    if not any("_" in cell for cell in cells):
        try:
            return numpy.array(list(map(float, cells)))
        except ValueError:
            pass
    numbers = [cell_number(cell) for cell in cells]
    return numpy.array([numpy.nan if number is None else number for number in numbers], dtype=float)


# ---- NumPy's arrays --------------------------------------------------------------------------------------------------------------


class ArraySource(Source):
    """The arrays of an .npz, or that of an .npy: each is a column. None of them is ever read whole."""

    def __init__(self, path: Path, name: str | None) -> None:
        self.file = str(path)
        self._path = path
        self._name = name
        self._entries: dict[str, str | None] = {}
        for entry in self._listed() if name is None else [None]:
            self._entries[name or as_input(entry or "")] = entry
        self._entries.pop("", None)
        self.names = list(self._entries)
        self.titles = {name: name if entry is None else entry for name, entry in self._entries.items()}
        self._streams: dict[str, IO[bytes]] = {}
        self._types: dict[str, Any] = {}
        self._numbers: list[str] = []
        self._kept: list[str] = []

    def _listed(self) -> list[str | None]:
        import zipfile

        try:
            with zipfile.ZipFile(self._path) as archive:
                names: list[str | None] = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
        except zipfile.BadZipFile:
            raise DataProblem(f"{self.file} is not an .npz file") from None
        if not names:
            raise DataProblem(f"{self.file} holds no arrays", remedy="save columns in it: numpy.savez(FILE, x=…, y=…)")
        return names

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """See `Source.choose`."""
        self._numbers, self._kept = list(numbers), list(kept)
        counts = {}
        for name in dict.fromkeys((*numbers, *kept)):
            what = self.file if self._entries[name] is None else f"{name} in {self.file}"
            stream = self._streams[name] = self._opened(name)
            shape, _, dtype = read_npy_header(stream, what)
            if len(shape) != 1:
                words = f"has {len(shape)} axes" if shape else "is a number, and has no rows"
                raise DataProblem(f"{what} {words}: a sweep takes one number for each row", remedy="save it as columns of numbers")
            if name in numbers and dtype.kind not in "biuf":
                raise DataProblem(f"{what} holds {kind_words(dtype)}, not real numbers")
            self._types[name], counts[name] = dtype, shape[0]
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise DataProblem(f"the arrays in {self.file} differ in their number of rows: {told}")
        self.rows = self.size = next(iter(counts.values()), 0)

    def _opened(self, name: str) -> IO[bytes]:
        entry = self._entries[name]
        if entry is None:
            return self._path.open("rb")
        import zipfile

        # Each column reads the archive with a place of its own in it.
        try:
            return zipfile.ZipFile(self._path).open(f"{entry}.npy")
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
            raise DataProblem(f"{name} in {self.file} is damaged") from None

    def blocks(self, rows: int) -> Iterator[Block]:
        """See `Source.blocks`."""
        assert self.rows is not None
        for start in range(0, self.rows, rows):
            stop = min(start + rows, self.rows)
            data = {name: self._bytes(name, stop - start) for name in self._types}
            yield Block(self, (start, stop - start, data), stop)

    def _bytes(self, name: str, rows: int) -> bytes:
        import zipfile
        import zlib

        wanted = rows * self._types[name].itemsize
        try:
            data = self._streams[name].read(wanted)
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise DataProblem(f"{name} in {self.file} is damaged") from None
        except OSError as problem:
            raise _unreadable(self.file, problem) from None
        if len(data) < wanted:
            raise DataProblem(f"{name} in {self.file} ends too early")
        return data

    def read(self, block: Block) -> Piece:
        """See `Source.read`."""
        start, rows, data = block.data
        arrays = {name: numpy.frombuffer(found, dtype=self._types[name]) for name, found in data.items()}
        numbers = {name: arrays[name].astype(float) for name in self._numbers}
        kept = {name: arrays[name] for name in self._kept}
        return with_flaws(Piece(rows, numbers, kept, lambda row: f"{self.file}: row {start + row + 1}"))

    def close(self) -> None:
        """See `Source.close`."""
        for stream in self._streams.values():
            stream.close()


def with_flaws(piece: Piece) -> Piece:
    """A piece in which nan stands for a number that is missing."""
    bad = missing_numbers(piece.numbers)
    if bad is None:
        return piece
    flaws = []
    for row in numpy.flatnonzero(bad)[:TOLD].tolist():
        name = next(name for name, column in piece.numbers.items() if column[row] != column[row])
        flaws.append(Flaw(piece.place(row), f"column {name} has no number", "fill the cell, or leave out its row"))
    return Piece(piece.rows, piece.numbers, piece.kept, piece.place, bad, tuple(flaws))


# ---- folders ---------------------------------------------------------------------------------------------------------------------


class FolderSource(Source):
    """The files of a folder as one table, in the order of their names, numbers in them as numbers."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder)
        try:
            entries = sorted((entry.name for entry in os.scandir(folder) if not entry.name.startswith((".", "_"))), key=_as_counted)
        except OSError as problem:
            raise _unreadable(self.file, problem) from None
        paths = [folder / name for name in entries]
        inner = next((path for path in paths if path.is_dir()), None)
        if inner is not None:
            raise DataProblem(f"{folder} holds a folder, {inner.name}", remedy="put all files of the table into one folder")
        if not paths:
            raise DataProblem(f"{folder} holds no files", remedy="give it at least one file with rows")
        kinds: dict[str, Path] = {}
        for path in paths:
            kinds.setdefault(_kind(path), path)
        if len(kinds) > 1:
            (first, one), (second, other) = list(kinds.items())[:2]
            raise DataProblem(
                f"{folder} is a mixture: {one.name} is {first}, {other.name} is {second}",
                remedy="give each kind a folder of its own",
            )
        self._paths = paths
        self._numbers: list[str] = []
        self._kept: list[str] = []
        self.first = _open_file(paths[0], None)
        self.names, self.titles = self.first.names, self.first.titles
        self.size = sum(path.stat().st_size for path in paths)

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """See `Source.choose`; all parts must have the same columns."""
        self._numbers, self._kept = list(numbers), list(kept)
        self.first.choose(numbers, kept)

    def blocks(self, rows: int) -> Iterator[Block]:
        """See `Source.blocks`; a block has rows of one part only."""
        done = 0
        for number, path in enumerate(self._paths):
            part = self.first if number == 0 else self._opened(path)
            size = path.stat().st_size
            try:
                for block in part.blocks(rows):
                    inside = block.done / part.size if part.size else 0
                    yield block._replace(done=done + int(inside * size))
            finally:
                part.close()
            done += size

    def _opened(self, path: Path) -> Source:
        part = _open_file(path, None)
        missing = next((name for name in self.names if name not in part.names), None)
        more = next((name for name in part.names if name not in self.names), None)
        if missing is not None or more is not None:
            having, lacking = (self.first.file, part.file) if missing is not None else (part.file, self.first.file)
            raise DataProblem(
                f"{having} has a column {missing or more}, and {lacking} has none",
                remedy="give all parts of a table the same columns",
            )
        part.choose(self._numbers, self._kept)
        alike = getattr(part, "like", None)
        if alike is not None:
            alike(self.first)
        return part

    def read(self, block: Block) -> Piece:
        """See `Source.read`."""
        return block.source.read(block)

    def close(self) -> None:
        """See `Source.close`."""
        self.first.close()


def _as_counted(name: str) -> list[tuple[int, str]]:
    """By this names are sorted as people count: p2 before p10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    return "Parquet" if kind in PARQUET else "an .npz" if kind == ".npz" else "an .npy" if kind == ".npy" else "text"
