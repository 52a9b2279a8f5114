"""Numbers from files: CSV, .npy and .npz. Nothing that a file says is ever run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from gradcalc.engine.shapes import spell_bytes
from gradcalc.errors import DataProblem, LimitProblem
from gradcalc.language.nearest import nearest

SEPARATORS = ";\t,"
"""What may part the cells of a CSV file; the first of these that its first line has."""

CELL_LIMIT = 40
"""How much of a cell is shown in a message."""

AS_UTF8 = "save it as UTF-8 (in Excel: CSV UTF-8), or convert it: iconv -f {encoding} -t UTF-8"

ARRAYS = (b"PK\x03\x04", b"\x93NUMPY")
"""How files of NumPy begin: .npz and .npy."""

TEXT_FACTOR = 4
"""A text may be so many times as large as the array that it holds; most numbers take more than eight bytes as text."""


def read(file: str, name: str | None, limit: int) -> Any:
    """The array that a file holds, as floats that nobody may change, or the number.

    Args:
        file: a path, as the user gave it.
        name: which array, for an .npz.
        limit: how many bytes the array may hold.

    Raises:
        DataProblem: the file is missing, or not what it should be.
        LimitProblem: it is too large.
    """
    if "://" in file:
        raise DataProblem(f"{file}: addresses are not loaded", remedy="fetch the file first, and load it from disk")
    path = Path(file)
    kind = path.suffix.lower()
    if name is not None and kind != ".npz":
        raise DataProblem(f"{file} holds a single array, without a name", remedy=f'write load("{file}")')
    try:
        if not path.is_file():
            missing = not path.exists()
            raise DataProblem(f"{file} {'does not exist' if missing else 'is not a file'}", remedy=nearby(path))
        with path.open("rb") as stream:
            if kind == ".npz":
                value = _from_archive(stream, file, name, limit)
            elif kind == ".npy":
                value = read_npy(stream, file, limit)
            else:
                value = _from_text(stream, file, limit)
    except (OSError, ValueError) as problem:
        words = problem.strerror or str(problem) if isinstance(problem, OSError) else str(problem)
        raise DataProblem(f"{file} cannot be read: {words}") from None
    if not value.shape:
        return float(value)
    value.flags.writeable = False
    return value


def nearby(path: Path) -> str:
    """The file that was probably meant."""
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if entry.is_file())
    except OSError:
        return f"the folder {path.parent} does not exist"
    near = nearest(path.name, names)
    return f"did you mean {path.parent / near}?" if near else "a path is taken from the folder in which gradcalc runs"


def _too_large(file: str, size: int, limit: int) -> LimitProblem:
    return LimitProblem(
        f"{file} holds {spell_bytes(size)}: one array may hold {spell_bytes(limit)}",
        remedy="raise the limit with --max-array",
    )


# ---- NumPy's own formats ---------------------------------------------------------------------------------------------------------


def read_npy(stream: IO[bytes], file: str, limit: int) -> Any:
    """An array in NumPy's format; its header is looked at before memory is asked for."""
    import numpy

    shape, fortran, dtype = read_npy_header(stream, file)
    if dtype.kind not in "biuf":
        raise DataProblem(f"{file} holds {kind_words(dtype)}, not real numbers")
    count = math.prod(shape)
    if 8 * count > limit:
        raise _too_large(file, 8 * count, limit)
    data = stream.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise DataProblem(f"{file} ends too early")
    array = numpy.frombuffer(data, dtype=dtype)
    return array.reshape(shape, order="F" if fortran else "C").astype(float)


def read_npy_header(stream: IO[bytes], file: str) -> tuple[tuple[int, ...], bool, Any]:
    """The shape of an array in NumPy's format, whether its columns come first, and its type, which is never that of objects."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
    except (ValueError, EOFError):
        raise DataProblem(f"{file} is not a NumPy file") from None
    if dtype.hasobject:
        raise DataProblem(f"{file} holds Python objects, which are never loaded", remedy="save it as an array of floats")
    return shape, fortran, dtype


def kind_words(dtype: Any) -> str:
    """What an array of this type holds."""
    words = {"c": "complex numbers", "U": "text", "S": "text", "M": "dates", "m": "times", "V": "records"}
    return words.get(dtype.kind, str(dtype))


def _from_archive(stream: IO[bytes], file: str, name: str | None, limit: int) -> Any:
    """One of the arrays of an .npz, which is a zip file of .npy files."""
    import zipfile

    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile:
        raise DataProblem(f"{file} is not an .npz file") from None
    with archive:
        names = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            near = nearest(name, names) if name is not None else None
            what = f"{file} has no array {name}" if name is not None else f"{file} holds {len(names)} arrays"
            choice = f"did you mean {near}? " if near else ""
            shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
            example = near or next(iter(names), "name")
            raise DataProblem(what, remedy=f'{choice}it holds {shown or "none"}: write load("{file}", "{example}")')
        try:
            with archive.open(f"{name}.npy") as entry:
                return read_npy(entry, f"{name} in {file}", limit)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
            raise DataProblem(f"{name} in {file} is damaged") from None


# ---- text ------------------------------------------------------------------------------------------------------------------------


def _from_text(stream: IO[bytes], file: str, limit: int) -> Any:
    """A table of numbers; a single row or column of them is one row."""
    import numpy

    size = os.fstat(stream.fileno()).st_size
    if size > TEXT_FACTOR * limit:
        raise _too_large(file, size, limit)
    columns = 0
    separator: str | None = None
    values: list[float] = []
    rows = 0
    first = True
    for number, line in text_lines(stream, file):
        if first:
            separator = next((mark for mark in SEPARATORS if mark in line), None)
        cells = line.split(separator) if separator else line.split()
        parsed = [cell_number(cell) for cell in cells]
        if first and all(value is None for value in parsed):
            first, columns = False, len(cells)
            continue  # a header
        if not first and len(cells) != columns:
            raise DataProblem(
                f"{file}:{number}: this row has {_cells(len(cells))}, those before it {columns}", remedy="give every row as many"
            )
        first, columns = False, len(cells)
        for column, (cell, value) in enumerate(zip(cells, parsed), start=1):
            if value is None:
                raise DataProblem(f"{file}:{number}: column {column} is {cell_words(cell)}", remedy=cell_remedy(cell, separator))
            values.append(value)
        rows += 1
        if 8 * len(values) > limit:
            raise _too_large(file, 8 * len(values), limit)
    if not rows:
        raise DataProblem(f"{file} holds no numbers")
    array = numpy.array(values).reshape(rows, columns)
    return array.reshape(-1) if 1 in array.shape else array


def text_lines(stream: Iterable[bytes], file: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """The lines that hold something, counted from 1 or from `first`; comments begin with #."""
    for number, data in enumerate(stream, start=first):
        line = text_line(data, file, number)
        if line is not None:
            yield number, line


def text_line(data: bytes, file: str, number: int) -> str | None:
    """A line, given with its number, as text without its end; None for one that holds nothing, or is a comment.

    Raises:
        DataProblem: it is no text.
    """
    if number == 1:
        data = data.removeprefix(b"\xef\xbb\xbf")
    if number == 1 and data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataProblem(f"{file} is UTF-16 text", remedy=AS_UTF8.format(encoding="UTF-16"))
    if number == 1 and data.startswith(ARRAYS):
        raise DataProblem(f"{file} holds arrays of NumPy, and its name does not say so", remedy="call it .npz, or .npy")
    if number == 1 and data.startswith(b"PAR1"):
        raise DataProblem(
            f"{file} is a Parquet file, and text is read here",
            remedy="sweep, train and fit take it, with --data and a name that ends in .parquet",
        )
    if b"\0" in data:
        raise DataProblem(f"{file} is not a text file: line {number} holds a NUL byte", remedy="save it as CSV, in UTF-8")
    try:
        line = data.decode()
    except UnicodeDecodeError:
        raise DataProblem(f"{file}:{number} is not UTF-8 text", remedy=AS_UTF8.format(encoding="LATIN1")) from None
    line = line.rstrip("\r\n")
    if "\r" in line and "\n" not in line and '"' not in line:
        raise ends_with_cr(f"{file}:{number}")
    return line if line.strip() and not line.lstrip().startswith("#") else None


def ends_with_cr(place: str) -> DataProblem:
    """That a text has line ends of another age."""
    return DataProblem(f"{place}: lines end with CR alone", remedy="convert the file: tr '\\r' '\\n' < FILE")


def cell_number(cell: str) -> float | None:
    """A cell as a number, None where it is none."""
    text = cell.strip().strip('"').strip()
    if not text or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def cell_words(cell: str) -> str:
    """What a cell that is no number is, in a message."""
    return f"not a number: {cell_text(cell)}" if cell.strip() else "empty"


def cell_text(cell: str) -> str:
    """What stands in a cell, as far as a message has room for it."""
    text = cell.strip()
    return text if len(text) <= CELL_LIMIT else f"{text[:CELL_LIMIT]}…"


def cell_remedy(cell: str, separator: str | None) -> str:
    """What to do about a cell that is no number."""
    if not cell.strip():
        return "write nan where a number is missing"
    if separator != "," and cell.count(",") == 1 and cell_number(cell.replace(",", ".")) is not None:
        return "write numbers with a decimal point"
    return "load takes numbers only: leave out columns of text"
