"""Results of a sweep as files: CSV, Parquet, and NumPy's .npz. Pieces are encoded by any thread, and written in order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any, Protocol

import numpy

from gradcalc.errors import DataProblem
from gradcalc.tables import arrow

FAST_ROWS = 20_000
"""From so many rows on, the fast writer of text is worth its import."""

COPIED = 1 << 20
"""How many bytes are copied at a time."""


class Writer(Protocol):
    """A file of columns that is being written."""

    def encode(self, columns: Sequence[Any]) -> Any:
        """The columns of one piece, as they will be written; may be called by several threads."""

    def write(self, encoded: Any) -> None:
        """Write an encoded piece."""

    def finish(self) -> None:
        """Write what stands at the end."""

    def abandon(self) -> None:
        """Let go of everything."""


def open_writer(
    format: str, stream: IO[bytes], titles: Sequence[str], spell: Callable[[float], str], folder: str | None = None
) -> Writer:
    """A writer of a format: csv, parquet or npz.

    Args:
        format: which.
        stream: where to.
        titles: of the columns.
        spell: writes a number.
        folder: where there is room for what has to wait.
    """
    if format == "parquet":
        from gradcalc.tables.parquet import ParquetWriter

        return ParquetWriter(stream, titles)
    return ArchiveWriter(stream, titles, folder) if format == "npz" else TextWriter(stream, titles, spell)


class TextWriter:
    """CSV: a line of names, and a line for each row."""

    def __init__(self, stream: IO[bytes], titles: Sequence[str], spell: Callable[[float], str]) -> None:
        self._stream = stream
        self._spell = spell
        self._title = ",".join(_quoted(list(titles))) + "\n"

    def encode(self, columns: Sequence[Any]) -> bytes:
        """See `Writer`."""
        columns = [column if _is_numbers(column) else _quoted(_cells(column)) for column in columns]
        if len(columns[0]) >= FAST_ROWS and arrow.available():
            return arrow.write_text(columns, self._spell)
        texts = [column if isinstance(column, list) else map(self._spell, column.tolist()) for column in columns]
        return "".join(f"{','.join(cells)}\n" for cells in zip(*texts)).encode()

    def write(self, encoded: bytes) -> None:
        """See `Writer`."""
        self._begin()
        self._stream.write(encoded)
        self._stream.flush()  # nobody in a pipe waits for the last row

    def finish(self) -> None:
        """See `Writer`."""
        self._begin()

    def _begin(self) -> None:
        self._stream.write(self._title.encode())
        self._title = ""

    def abandon(self) -> None:
        """See `Writer`."""


def _is_numbers(column: Any) -> bool:
    return isinstance(column, numpy.ndarray) and column.dtype == numpy.float64


def _cells(column: Any) -> list[str]:
    if isinstance(column, list):
        return column
    if isinstance(column, numpy.ndarray):
        return [str(cell).lower() if isinstance(cell, bool) else str(cell) for cell in column.tolist()]
    from gradcalc.tables.parquet import as_texts

    return as_texts(column)


def _quoted(cells: list[str]) -> list[str]:
    """Cells in quotes where their characters ask for it."""
    everything = "".join(cells)
    if not any(mark in everything for mark in ',"\n\r'):
        return cells
    return ['"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n\r') else cell for cell in cells]


class ArchiveWriter:
    """An .npz: one array for each column. Columns wait in files of their own until their lengths are known."""

    def __init__(self, stream: IO[bytes], titles: Sequence[str], folder: str | None) -> None:
        self._stream = stream
        self._titles = titles
        self._folder = folder
        self._files: list[IO[bytes]] = []
        self._types: list[Any] = []
        self._rows = 0

    def encode(self, columns: Sequence[Any]) -> list[Any]:
        """See `Writer`.

        Raises:
            DataProblem: a column holds no numbers.
        """
        return [numpy.ascontiguousarray(self._numbers(*both)) for both in zip(self._titles, columns)]

    @staticmethod
    def _numbers(title: str, column: Any) -> Any:
        if not isinstance(column, list | numpy.ndarray):
            from gradcalc.tables.parquet import as_array

            column = as_array(column)
        if column is None or isinstance(column, list) or column.dtype.kind not in "biuf":
            raise DataProblem(
                f".npz holds numbers, and column {title} holds other things", remedy="leave it out, or write CSV or Parquet"
            )
        return column

    def write(self, encoded: Sequence[Any]) -> None:
        """See `Writer`."""
        if not self._files:
            self._types = [array.dtype for array in encoded]
            self._files = [tempfile.TemporaryFile(dir=self._folder) for _ in encoded]  # noqa: SIM115 (closed by finish or abandon)
        for place, array in enumerate(encoded):
            if array.dtype.kind == "f" and self._types[place].kind != "f":
                self._make_floats(place)  # the first number that is missing
            self._files[place].write(array.astype(self._types[place], copy=False).data)
        self._rows += len(encoded[0])

    def _make_floats(self, place: int) -> None:
        """Write a column of whole numbers anew, as floats."""
        old, dtype = self._files[place], self._types[place]
        self._files[place] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (closed by finish or abandon)
        self._types[place] = numpy.dtype(float)
        old.seek(0)
        while data := old.read(COPIED):
            self._files[place].write(numpy.frombuffer(data, dtype).astype(float).data)
        old.close()

    def finish(self) -> None:
        """See `Writer`."""
        import zipfile

        from numpy.lib import format as npy

        with zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for title, file, dtype in zip(self._titles, self._files, self._types):
                with archive.open(zipfile.ZipInfo(f"{title}.npy"), "w", force_zip64=True) as entry:
                    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (self._rows,)}
                    npy.write_array_header_1_0(entry, header)
                    file.seek(0)
                    while data := file.read(COPIED):
                        entry.write(data)
                file.close()

    def abandon(self) -> None:
        """See `Writer`."""
        for file in self._files:
            file.close()
