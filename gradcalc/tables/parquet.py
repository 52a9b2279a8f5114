"""Parquet: tables in files of columns, read and written some rows at a time by Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

from gradcalc.errors import DataProblem, MissingExtra
from gradcalc.tables.columns import CHUNK, Columns, as_input
from gradcalc.tables.pieces import Block, Piece, Source

try:
    import pyarrow
    from pyarrow import compute, parquet
except ImportError:
    raise MissingExtra("Parquet", "parquet") from None

MAGIC = b"PAR1"

READ_BYTES = 1 << 20
"""How much of a column is read at a time, so that a group of rows need not fit into memory."""

ROW_GROUP = 1 << 17
"""The least number of rows that are written as a group, but for the last ones."""


class ParquetSource(Source):
    """A file of Parquet."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._refuse_other_kinds()
        try:
            self._table = parquet.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False)
            self._schema = self._table.schema_arrow
        except (pyarrow.ArrowException, OSError) as problem:
            raise DataProblem(f"{file} is damaged: {_first_line(problem)}") from None
        titles = [field.name for field in self._schema]
        self.titles = {}
        for title in titles:
            name = as_input(title)
            if name in self.titles:
                raise DataProblem(f"{file} has two columns {name}", remedy="give each column a name of its own")
            if name:
                self.titles[name] = title
        self.names = list(self.titles)
        self.rows = self.size = self._table.metadata.num_rows
        self._numbers: list[str] = []
        self._kept: list[str] = []
        self._types: dict[str, Any] = {}

    def _refuse_other_kinds(self) -> None:
        with open(self.file, "rb") as stream:
            start = stream.read(4)
            stream.seek(0, 2)
            size = stream.tell()
            stream.seek(max(0, size - 4))
            end = stream.read(4)
        if start == MAGIC and end == MAGIC and size >= 12:
            return
        if not size:
            raise DataProblem(f"{self.file} is empty")
        if start == MAGIC:
            raise DataProblem(f"{self.file} is cut off: a Parquet file ends with a table of its contents", remedy="get it again")
        readable = start.isascii() and "".join(start.decode().split()).isprintable()
        remedy = "it looks like text: give it a name that ends in .csv" if readable else ""
        raise DataProblem(f"{self.file} is not a Parquet file, though its name says so", remedy=remedy)

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """See `Source.choose`."""
        for name in numbers:
            kind = self._schema.field(self.titles[name]).type
            if not _holds_numbers(kind):
                raise DataProblem(
                    f"column {name} of {self.file} holds {_words(kind)}, not numbers",
                    remedy="only columns of numbers can be used: give it a code",
                )
        self._numbers, self._kept = list(numbers), list(kept)
        self._types = {name: self._schema.field(self.titles[name]).type for name in kept}

    def like(self, other: Source) -> None:
        """Pass columns on with the types that they have in another part of the table."""
        assert isinstance(other, ParquetSource)
        self._types = other._types

    def blocks(self, rows: int) -> Iterator[Block]:
        """See `Source.blocks`."""
        columns = [self.titles[name] for name in dict.fromkeys((*self._numbers, *self._kept))]
        first = 0
        try:
            for batch in self._table.iter_batches(rows, columns=columns):
                yield Block(self, (first, batch), first + len(batch))
                first += len(batch)
        except (pyarrow.ArrowException, OSError) as problem:
            raise DataProblem(f"{self.file} is damaged behind row {first}: {_first_line(problem)}") from None
        if first != self.rows:
            raise DataProblem(f"{self.file} is damaged: it says that it has {self.rows} rows, and has {first}")

    def read(self, block: Block) -> Piece:
        """See `Source.read`."""
        from gradcalc.tables.sources import with_flaws

        first, batch = block.data
        try:
            numbers = {name: _as_numbers(batch.column(self.titles[name])) for name in self._numbers}
            kept = {name: batch.column(self.titles[name]).cast(self._types[name]) for name in self._kept}
        except pyarrow.ArrowException as problem:
            raise DataProblem(f"{self.file}: {_first_line(problem)}") from None
        return with_flaws(Piece(len(batch), numbers, kept, lambda row: f"{self.file}: row {first + row + 1}"))

    def close(self) -> None:
        """See `Source.close`."""
        self._table.close()


class ParquetColumns(Columns):
    """A file of Parquet as a table of numbers."""

    def __init__(self, file: str) -> None:
        super().__init__(file, self._source(file).names)

    @staticmethod
    def _source(file: str) -> ParquetSource:
        try:
            return ParquetSource(file)
        except OSError as problem:
            raise DataProblem(f"{file} can't be read: {(problem.strerror or str(problem)).lower()}") from None

    def chunks(self, names: Sequence[str], rows: int = CHUNK) -> Iterator[dict[str, Any]]:
        """See `Columns.chunks`."""
        for name in names:
            self.require(name)
        source = self._source(self.file)
        source.choose(names, ())
        for block in source.blocks(rows):
            piece = source.read(block)
            for flaw in piece.flaws:
                raise DataProblem(f"{flaw.place}: {flaw.words}", remedy=flaw.remedy)
            yield dict(piece.numbers)


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0].strip().rstrip(".")


def _holds_numbers(kind: Any) -> bool:
    types = pyarrow.types
    if types.is_dictionary(kind):
        return _holds_numbers(kind.value_type)
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(test(kind) for test in tests)


def _words(kind: Any) -> str:
    types = pyarrow.types
    if types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind):
        return "text"
    if types.is_temporal(kind):
        return "dates or times"
    return "lists or records" if types.is_nested(kind) else str(kind)


def _as_numbers(column: Any) -> Any:
    """A column as floats, nan where it has no number."""
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.type != pyarrow.float64():
        if pyarrow.types.is_boolean(column.type):
            column = column.cast(pyarrow.int8())
        column = column.cast(pyarrow.float64(), safe=False)
    if column.null_count:
        column = compute.fill_null(column, float("nan"))
    found = column.to_numpy(zero_copy_only=False)
    return found if found.flags.writeable else found.copy()


def as_texts(column: Any) -> list[str]:
    """A column as cells of CSV; empty where it has nothing.

    Raises:
        DataProblem: its values are no cells.
    """
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_nested(column.type) or pyarrow.types.is_binary(column.type):
        raise DataProblem(f"CSV can't hold a column of {column.type}", remedy="write Parquet: -o FILE.parquet")
    cells: list[str | None] = column.cast(pyarrow.string()).to_pylist()
    return ["" if cell is None else cell for cell in cells]


def as_array(column: Any) -> Any:
    """A column as an array of NumPy, nan where it lacks a number; None where it holds other things than numbers."""
    kind = column.type
    if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_boolean(kind)):
        return None
    if column.null_count:
        return _as_numbers(column)
    return column.to_numpy(zero_copy_only=False)


class ParquetWriter:
    """Writes pieces of a table, in groups of rows."""

    def __init__(self, stream: IO[bytes], titles: Sequence[str]) -> None:
        self._stream = stream
        self._titles = list(titles)
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._rows = 0

    def encode(self, columns: Sequence[Any]) -> Any:
        """Columns of one piece as a table; may be called by several threads."""
        return pyarrow.table([pyarrow.array(column) for column in columns], names=self._titles)

    def write(self, table: Any) -> None:
        """Pass on a piece."""
        self._waiting.append(table)
        self._rows += len(table)
        if self._rows >= ROW_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        group = pyarrow.concat_tables(self._waiting)
        self._waiting, self._rows = [], 0
        if self._writer is None:
            texts = [field.name for field in group.schema if not pyarrow.types.is_floating(field.type)]
            self._writer = parquet.ParquetWriter(
                pyarrow.PythonFile(self._stream, mode="w"), group.schema, compression="snappy", use_dictionary=texts
            )
        self._writer.write_table(group, row_group_size=max(1, len(group)))

    def finish(self) -> None:
        """Write what is left, and the table of contents."""
        if self._waiting or self._writer is None:
            self._write_group()
        self._writer.close()

    def abandon(self) -> None:
        """Write nothing more, not even when this is collected."""
        if self._writer is not None:
            self._writer.is_open = False
