"""Results as files: the fast writer of text writes what the plain one does."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcalc.errors import DataProblem
from gradcalc.tables import writers
from gradcalc.tables.columns import open_columns
from gradcalc.tables.writers import open_writer
from gradcalc.views.numbers import number_text

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

EDGES = [0.0, -0.0, 1e-4, 9.999999999999999e-5, 1e10, 9999999999.999998, 1e16, 5e-324, 1.7976931348623157e308]
EDGES += [float("inf"), float("-inf"), float("nan"), 0.1, 1 / 3, 123456.0, 1e15, 2.0**53, 1e-5, 12345678.9]


def text(columns: list[Any], fast: bool) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writers, "FAST_ROWS", 0 if fast else 10**9)
        stream = io.BytesIO()
        writer = open_writer("csv", stream, ["a", "b"], number_text)
        writer.write(writer.encode(columns))
        writer.finish()
        return stream.getvalue()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats() | st.integers(-(10**12), 10**12).map(float) | st.sampled_from(EDGES), st.text(max_size=5)), min_size=1
    )
)
def test_the_fast_writer_writes_the_same(rows: list[tuple[float, str]]) -> None:
    cells = [cell.encode("utf-8", "replace").decode() for _, cell in rows]
    columns = [numpy.array([number for number, _ in rows]), cells]
    assert text(columns, fast=True) == text(columns, fast=False)


def test_numbers_are_as_short_as_they_can_be() -> None:
    written = text([numpy.array(EDGES), ["x"] * len(EDGES)], fast=True).decode().splitlines()[1:]
    assert written == [f"{number_text(number)},x" for number in EDGES]


def test_an_archive_of_several_pieces(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with path.open("wb") as stream:
        writer = open_writer("npz", stream, ["a", "n"], number_text, str(tmp_path))
        for start in (0, 3):
            writer.write(writer.encode([numpy.arange(start, start + 3) / 2, numpy.arange(start, start + 3)]))
        writer.finish()
        with pytest.raises(DataProblem, match="column a holds other things"):
            writer.encode([["x"], [1]])
    found = numpy.load(path)
    assert found["a"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert found["n"].tolist() == list(range(6))
    assert found["n"].dtype == numpy.int64
    assert [one.name for one in tmp_path.iterdir()] == ["t.npz"]


def test_parquet_in_groups_of_rows_is_read_by_other_commands(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with path.open("wb") as stream:
        writer = open_writer("parquet", stream, ["x", "y"], number_text)
        for _ in range(5):
            writer.write(writer.encode([numpy.arange(60_000.0), numpy.ones(60_000)]))
        writer.finish()
    assert parquet.ParquetFile(path).metadata.num_row_groups == 2
    table = open_columns(str(path))
    assert table.names == ["x", "y"]
    assert table.read(["x"])["x"].sum() == 5 * 60_000 * 59_999 / 2
    parquet.write_table(pyarrow.table({"x": [1.0, None]}), path)
    with pytest.raises(DataProblem, match=r"row 2: column x has no number"):
        open_columns(str(path)).read(["x"])
