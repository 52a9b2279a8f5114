"""Columns by their names: what is read, and what is said of cells, names and files that are wrong."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy
import pytest

from gradcalc.errors import DataProblem, LimitProblem
from gradcalc.tables.columns import Columns, as_input, open_columns
from gradcalc.tables.sources import open_source


def table(folder: Path, text: str) -> Columns:
    path = folder / "rows.csv"
    path.write_text(text, "utf-8")
    return open_columns(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "x,name,y\n1,a,2\n3,b,4.5\n",
        "x;name;y\r\n1;a;2\r\n3;b;4.5\r\n",
        "x\tname\ty\n1\ta\t2\n3\tb\t4.5",
        "x name y\n1 a 2\n3 b 4.5\n",
        '\ufeff"x","name","y"\n"1","a, or b",2\n\n# a comment\n 3 ,b, 4.5\n',
    ],
)
def test_columns_are_read_by_name_and_others_may_hold_anything(tmp_path: Path, text: str) -> None:
    found = table(tmp_path, text)
    assert found.names == ["x", "name", "y"]
    columns = found.read(["y", "x"])
    assert columns["x"].tolist() == [1, 3]
    assert columns["y"].tolist() == [2, 4.5]
    assert "\n4:" not in found.place(1)


def test_rows_come_in_chunks(tmp_path: Path) -> None:
    found = table(tmp_path, "x,y\n" + "".join(f"{n},{2 * n}\n" for n in range(10)))
    chunks = list(found.chunks(["y"], rows=4))
    assert [chunk["y"].tolist() for chunk in chunks] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]
    assert found.read(["x"])["x"].tolist() == list(range(10))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", "rows.csv:4: column y has no number"),
        ("NA", "rows.csv:4: column y has no number (NA)"),
        ("nan", "rows.csv:4: column y has no number (nan)"),
        ("abc", "rows.csv:4: column y is not a number: abc"),
        ("1_0", "rows.csv:4: column y is not a number: 1_0"),
        ("inf", "rows.csv:4: column y is inf"),
    ],
)
def test_a_cell_without_a_number_is_told_with_file_and_line(tmp_path: Path, cell: str, words: str) -> None:
    found = table(tmp_path, f"x,y\n1,2\n\n3,{cell}\n5,6\n")
    assert found.read(["x"])["x"].tolist() == [1, 3, 5]
    with pytest.raises(DataProblem) as caught:
        found.read(["x", "y"])
    assert caught.value.message == f"{tmp_path}/{words}"
    assert caught.value.remedy


def test_a_cell_far_down_is_told_with_its_own_line(tmp_path: Path) -> None:
    found = table(tmp_path, "x\n" + "1\n" * 9000 + "oh\n")
    with pytest.raises(DataProblem, match=r"rows\.csv:9002: column x is not a number: oh"):
        found.read(["x"])


def test_decimal_commas_are_understood_as_a_slip(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="decimal point"):
        table(tmp_path, "x;y\n1,5;2\n").read(["x"])


def test_quotes_are_closed(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"rows\.csv:3: a quote is not closed"):
        table(tmp_path, 'x,y\n1,2\n3,"4\n').read(["y"])
    with pytest.raises(DataProblem, match=r"rows\.csv: the line of names: a quote is not closed"):
        table(tmp_path, 'x,"y\n1,2\n')
    pipes = table(tmp_path, 'x,y,z\n1,2,5" pipe\n2,"3","a,b" c\n')
    assert pipes.read(["x", "y"])["y"].tolist() == [2, 3]


def test_a_quoted_cell_may_hold_ends_of_lines(tmp_path: Path) -> None:
    found = table(tmp_path, 'id,x,y\n"a, b",1,2\n"line\n\n# break",3,4\n5" pipe,oh,6\n')
    assert found.read(["y"])["y"].tolist() == [2, 4, 6]
    with pytest.raises(DataProblem, match=r"rows\.csv:6: column x is not a number"):
        found.read(["x"])


@pytest.mark.parametrize("content", ['"a\nb",c\n1,2\n', '# above\n"a\nb",c\n1,2\n', '"a\r\n\r\nb";c\n1;2\n'])
def test_a_name_may_go_on_in_another_line(tmp_path: Path, content: str) -> None:
    found = table(tmp_path, content).read(["a_b", "c"])
    assert [found[name].tolist() for name in ("a_b", "c")] == [[1.0], [2.0]]
    with pytest.raises(DataProblem, match="a quote is not closed"):
        table(tmp_path, '"a\nb,c\n1,2\n' + "3,4\n" * 1000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x,y\r1,2\r3,4\r", "rows.csv:1: lines end with CR alone"),
        ('x,y\n"1\n",2\r3,4\r', "rows.csv:2: lines end with CR alone"),
        ('x,y\n1,"' + "2" * 140_000 + '"\n', "rows.csv:2: a cell is longer than 131,072 characters"),
        ("x,y\n1,\0\n", "rows.csv is not a text file: line 2 holds a NUL byte"),
        ("PK\x03\x04\n", "rows.csv holds arrays of NumPy, and its name does not say so"),
        ("PAR1\n", "rows.csv is a Parquet file, and text is read here"),
    ],
)
def test_texts_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataProblem) as caught:
        table(tmp_path, content).read(["x", "y"])
    assert caught.value.message == f"{tmp_path}/{words}"


def test_rows_of_another_length_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"rows\.csv:3: this row has 3 cells, the line of names 2"):
        table(tmp_path, "x,y\n1,2\n1,2,3\n").read(["x"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3,4\n", "has no line of names"),
        ("", "is empty"),
        ("x,x\n1,2\n", "has two columns x"),
        ("petal length,petal-length\n1,2\n", "has two columns petal_length"),
    ],
)
def test_a_header_that_names_no_columns_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataProblem, match=words):
        table(tmp_path, text)


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="holds no rows"):
        table(tmp_path, "x,y\n").read(["x"])


def test_an_unknown_column_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataProblem) as caught:
        table(tmp_path, "weight,height\n1,2\n").read(["wieght"])
    assert (caught.value.message, caught.value.remedy) == (f"{tmp_path}/rows.csv has no column wieght", "did you mean weight?")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x", "x"), ("petal length (cm)", "petal_length_cm"), ("2nd", "c_2nd"), ("높이", "높이"), ("µ", "μ"), ("", "")],
)
def test_names_are_made_fit_for_programs(name: str, expected: str) -> None:
    assert as_input(name) == expected


def test_arrays_of_an_npz_are_columns(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    images = numpy.arange(24, dtype=numpy.uint8).reshape(4, 3, 2)
    numpy.savez(path, images=images, label=numpy.arange(4), scale=2.0)
    found = open_columns(str(path))
    assert found.names == ["images", "label", "scale"]
    columns = found.read(["label", "images"])
    assert columns["images"].dtype == float
    numpy.testing.assert_array_equal(columns["images"], images)
    assert [len(chunk["images"]) for chunk in found.chunks(["images"], rows=3)] == [3, 1]
    with pytest.raises(DataProblem, match=r"scale in .* is a number, and has no rows"):
        found.read(["scale"])
    with pytest.raises(DataProblem, match="names its columns itself"):
        open_columns(str(path), "x")


def test_an_npz_without_arrays_is_told(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "empty.npz")
    with pytest.raises(DataProblem, match=r"empty\.npz holds no arrays"):
        open_columns(str(tmp_path / "empty.npz"))


def test_an_npy_needs_a_name(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    numpy.save(path, numpy.arange(3.0))
    assert open_columns(str(path), "x").read(["x"])["x"].tolist() == [0, 1, 2]
    with pytest.raises(DataProblem) as caught:
        open_columns(str(path))
    assert caught.value.remedy == f"give it one: --data x={path}"


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    numpy.savez(path, x=numpy.array([{}], dtype=object))
    with pytest.raises(DataProblem, match="Python objects"):
        open_columns(str(path)).read(["x"])


def test_arrays_of_unequal_rows_and_missing_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    numpy.savez(path, x=numpy.zeros(3), y=numpy.zeros(4))
    with pytest.raises(DataProblem, match="x has 3, y has 4"):
        open_columns(str(path)).read(["x", "y"])
    with pytest.raises(DataProblem, match="does not exist") as caught:
        open_columns(str(tmp_path / "z.npz"))
    assert caught.value.remedy
    (tmp_path / "bad.npz").write_text("no zip")
    with pytest.raises(DataProblem, match=r"is not an .npz file"):
        open_columns(str(tmp_path / "bad.npz"))
    with pytest.raises(DataProblem, match="addresses are not loaded"):
        open_columns("https://example.org/x.csv")


def test_a_limit_holds(tmp_path: Path) -> None:
    with pytest.raises(LimitProblem, match=r"column x of .* holds more than 16 bytes"):
        table(tmp_path, "x\n1\n2\n3\n").read(["x"], limit=16)


def piped(folder: Path, data: bytes) -> str:
    """A pipe that hands out these bytes once."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True).start()
    return str(pipe)


def test_a_pipe_is_a_table_that_can_be_read_again(tmp_path: Path) -> None:
    found = open_columns(piped(tmp_path, b"x,y\n1,2\n3,oops\n"))
    for _ in range(2):
        assert found.read(["x"])["x"].tolist() == [1, 3]
    with pytest.raises(DataProblem, match="pipe:3: column y is not a number: oops"):
        found.read(["y"])


def test_arrays_and_too_much_text_are_refused_from_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="only text is read from a pipe"):
        open_columns(piped(tmp_path, b"PK\x03\x04..."))
    (tmp_path / "pipe").unlink()
    with pytest.raises(LimitProblem, match="holds more than"):
        open_columns(piped(tmp_path, b"x\n" + b"1\n" * 1000), None, 100)


def test_a_sweep_reads_a_pipe_too(tmp_path: Path) -> None:
    source = open_source(piped(tmp_path, b"x\n1\n2\n"))
    source.choose(["x"], [])
    pieces = [source.read(block) for block in source.blocks(10)]
    assert [piece.numbers["x"].tolist() for piece in pieces] == [[1, 2]]
    source.close()
