"""Arrow's reader and writer of text, where they are installed: the same as our own, and many times as fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy

PLAIN_FROM, PLAIN_BELOW = 1e-4, 1e10
"""Between these Arrow writes a number as Python does; beyond, one of them takes an exponent earlier."""


@cache
def available() -> bool:
    """Whether Arrow is installed."""
    return find_spec("pyarrow") is not None


def read_text(
    lines: Sequence[bytes], separator: str, count: int, places: Mapping[str, int], numbers: Sequence[str]
) -> dict[str, Any] | None:
    """Columns of lines of cells: those of `numbers` as numbers, others as texts.

    Args:
        lines: each with its end.
        separator: what parts the cells.
        count: how many cells a line has.
        places: where the columns stand.
        numbers: which of them hold numbers.

    Returns:
        None where the lines hold anything that Arrow and Python may read differently: a comment, an empty line, an open quote, a
        cell that is no number, text that is not UTF-8.
    """
    if not available():
        return None
    data = b"".join(lines)
    if b"#" in data or b"\0" in data or b"_" in data or data.count(b'"') % 2 or not _is_text(data):
        return None
    import pyarrow
    from pyarrow import csv

    titles = [f"c{place}" for place in range(count)]
    types = {titles[place]: pyarrow.float64() if name in numbers else pyarrow.string() for name, place in places.items()}
    try:
        table = csv.read_csv(
            BytesIO(data),
            csv.ReadOptions(use_threads=False, column_names=titles, block_size=max(len(data), 1)),
            csv.ParseOptions(delimiter=separator, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[], strings_can_be_null=False),
        )
    except pyarrow.ArrowInvalid:
        return None
    if table.num_rows != len(lines):
        return None
    found: dict[str, Any] = {}
    for name, place in places.items():
        column = table.column(titles[place]).combine_chunks()
        if isinstance(column, pyarrow.ChunkedArray):
            column = pyarrow.concat_arrays(column.chunks)
        found[name] = column.to_numpy().copy() if name in numbers else column.to_pylist()
    return found


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def write_text(columns: Sequence[Any], write_number: Any) -> bytes:
    """Columns as lines of cells parted by commas; numbers as the shortest text that reads back.

    Args:
        columns: arrays of numbers, or lists of cells.
        write_number: writes one number; Arrow does it only where it writes the same.
    """
    import pyarrow
    from pyarrow import compute

    texts = [
        pyarrow.array(column, pyarrow.large_string()) if isinstance(column, list) else _number_texts(column, write_number)
        for column in columns
    ]
    comma, end, nothing = (pyarrow.scalar(text, pyarrow.large_string()) for text in (",", "\n", ""))
    lines = compute.binary_join_element_wise(*texts[:-1], compute.binary_join_element_wise(texts[-1], end, nothing), comma)
    # One text behind the other in memory: that is the file.
    _, offsets, data = lines.buffers()
    ends = numpy.frombuffer(offsets, dtype=numpy.int64)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(data)[ends[0] : ends[-1]])


def _number_texts(column: Any, write_number: Any) -> Any:
    import pyarrow
    from pyarrow import compute

    texts = compute.cast(pyarrow.array(column), pyarrow.large_string())
    size = numpy.abs(column)
    with numpy.errstate(invalid="ignore"):
        other = numpy.flatnonzero(((size < PLAIN_FROM) | (size >= PLAIN_BELOW)) & (column != 0) & numpy.isfinite(column))
    if not len(other):
        return texts
    written = pyarrow.array([write_number(number) for number in column[other].tolist()], pyarrow.large_string())
    mask = numpy.zeros(len(column), dtype=bool)
    mask[other] = True
    return compute.replace_with_mask(texts, pyarrow.array(mask), written)
