"""Tables that are read once, some rows at a time: what is read, where rows are, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from gradcalc.errors import DataProblem
from gradcalc.tables import arrow, sources
from gradcalc.tables.columns import open_columns
from gradcalc.tables.grid import Axis, GridSource
from gradcalc.tables.pieces import Piece, Source
from gradcalc.tables.sources import open_source

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def pieces(source: Source, numbers: tuple[str, ...], kept: tuple[str, ...] = (), rows: int = 3) -> list[Piece]:
    source.choose(numbers, kept)
    try:
        return [block.source.read(block) for block in source.blocks(rows)]
    finally:
        source.close()


def column(found: list[Piece], name: str) -> list[float]:
    return [number for piece in found for number in piece.numbers[name].tolist()]


def kept(found: list[Piece], name: str) -> list[Any]:
    return [cell if not hasattr(cell, "as_py") else cell.as_py() for piece in found for cell in piece.kept[name]]


def text(folder: Path, content: str, name: str = "rows.csv") -> str:
    path = folder / name
    path.write_text(content, "utf-8")
    return str(path)


def test_text_is_read_in_pieces_with_the_lines_of_its_rows(tmp_path: Path) -> None:
    file = text(tmp_path, '\ufeff# lengths\nx,petal length,id\n1,2,"a,b"\n\n3,4,c\n# no row\n5,6,d\n7,8,e')
    found = pieces(open_source(file), ("x", "petal_length"), ("id",))
    assert column(found, "x") == [1, 3, 5, 7]
    assert column(found, "petal_length") == [2, 4, 6, 8]
    assert kept(found, "id") == ["a,b", "c", "d", "e"]
    assert [piece.place(row) for piece in found for row in range(piece.rows)] == [f"{file}:{n}" for n in (3, 5, 7, 8)]


def test_rows_that_lack_a_number_are_marked_and_told(tmp_path: Path) -> None:
    file = text(tmp_path, "x,y\n1,2\n,3\n4,oh\n5\n6,nan\n7,inf\n8,1_0\n")
    (found,) = pieces(open_source(file), ("x", "y"), rows=100)
    assert found.bad.tolist() == [False, True, True, True, True, False, True]
    assert [(flaw.place.rpartition(":")[2], flaw.words) for flaw in found.flaws] == [
        ("3", "column x has no number"),
        ("4", "column y is not a number: oh"),
        ("5", "this row has 1 cell, the line of names 2"),
        ("6", "column y has no number (nan)"),
        ("8", "column y is not a number: 1_0"),
    ]
    good = found.good()
    assert good.numbers["y"].tolist() == [2, numpy.inf]
    assert [good.place(row).rpartition(":")[2] for row in range(2)] == ["2", "7"]


@pytest.mark.parametrize(
    "content",
    [
        "x,y,id\n1,2,a\n-3e-5,4.25,b\n5,6,c\n",
        "x;y;id\r\n1;2;a\r\n 3 ;4;b\r\n5;inf;c\r\n",
        'x,y,id\n1,2,"a,""b"""\n"3",4,\n5,6,é\n',
        "x,y,id\n1,2,a\n#3,4,b\n5,6,c\n",
        "x,y,id\n1,2,a\n\n5,6,c\n",
        "x,y,id\n1,2,a\n,4,b\n5,oh,c\n",
        "x,y,id\n1,2,a\n3,4\n5,6,c,d\n",
        "x,y,id\n1,2,a\n+3,1_0,b\n5,1e999,c\n",
        "x,y,id\n1,2,a\n3,nan,b\n5,NA,c\n",
        "x,y,id\n1,2, a \n 3,4\t,NULL\n5,6,\n",
    ],
)
def test_the_fast_reader_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    file = text(tmp_path, content)
    found = []
    for least in (10**9, 0):
        monkeypatch.setattr(sources, "FAST_BYTES", least)
        (piece,) = pieces(open_source(file), ("x", "y"), ("id",), rows=100)
        numbers = {name: own.tobytes() for name, own in piece.numbers.items()}
        bad = None if piece.bad is None else piece.bad.tolist()
        found.append((piece.rows, numbers, piece.kept, bad, piece.flaws, [piece.place(row) for row in range(piece.rows)]))
    assert found[0] == found[1]


@pytest.mark.parametrize("least", [10**9, 0])
@pytest.mark.parametrize("content", ['x,y,id\n1,2,"a\n3,4,b\n5,6,c\n', 'x,y,id\n1,2,"3\n'])
def test_an_open_quote_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, least: int) -> None:
    monkeypatch.setattr(sources, "FAST_BYTES", least)
    with pytest.raises(DataProblem, match=r"rows\.csv:2: a quote is not closed"):
        pieces(open_source(text(tmp_path, content)), ("x", "y"), ("id",), rows=100)


def test_an_open_quote_does_not_take_in_the_whole_file(tmp_path: Path) -> None:
    source = open_source(text(tmp_path, 'x,id\n1,"a\n' + "2,b\n" * 500_000))
    source.choose(("x",), ())
    block = next(iter(source.blocks(10)))
    assert len(block.data[1]) < 300_000
    with pytest.raises(DataProblem, match=r"rows\.csv:2: a quote is not closed"):
        source.read(block)
    source.close()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_a_quoted_cell_may_hold_ends_of_lines(tmp_path: Path, rows: int) -> None:
    file = text(tmp_path, 'id,x,y\n"a, b",1,2\n"line\n# ""no comment""\n\nbreak",3,"4"\n5" pipe,5,6\n"\r\n",7,8\n')
    found = pieces(open_source(file), ("x", "y"), ("id",), rows=rows)
    assert (column(found, "x"), column(found, "y")) == ([1, 3, 5, 7], [2, 4, 6, 8])
    assert kept(found, "id") == ["a, b", 'line\n# "no comment"\n\nbreak', '5" pipe', "\r\n"]
    assert [piece.place(row) for piece in found for row in range(piece.rows)] == [f"{file}:{n}" for n in (2, 3, 7, 8)]


@pytest.mark.parametrize("content", ["# lengths\n# x,y\n1,2\n3,4\n", "# x y\n1 2\n3 4\n"])
def test_names_may_stand_in_a_comment_above_the_numbers(tmp_path: Path, content: str) -> None:
    file = text(tmp_path, content)
    found = pieces(open_source(file), ("x", "y"))
    assert (column(found, "x"), column(found, "y")) == ([1, 3], [2, 4])
    assert found[0].place(1) == f"{file}:{content.count('#') + 2}"
    table = open_columns(file)
    assert table.read(["y"])["y"].tolist() == [2, 4]
    assert table.place(1) == f"{file}:{content.count('#') + 2}"


def test_the_fast_reader_is_used_for_what_it_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FAST_BYTES", 0)
    monkeypatch.setattr(sources.TextSource, "_read_carefully", lambda *_: pytest.fail("read slowly"))
    file = text(tmp_path, "x,y,id\n1,2,a\n-3e-5,4.25,b\n")
    assert column(pieces(open_source(file), ("x",), ("id",)), "x") == [1, -3e-5]


def test_without_arrow_text_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FAST_BYTES", 0)
    monkeypatch.setattr(arrow, "available", lambda: False)
    assert column(pieces(open_source(text(tmp_path, "x,y\n1,2\n3,4\n")), ("y",)), "y") == [2, 4]


def test_arrays_are_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    numpy.savez_compressed(path, x=numpy.arange(7), y=numpy.arange(7.0) / 2, name=numpy.array(list("abcdefg")))
    found = pieces(open_source(str(path)), ("x", "y"), ("name",))
    assert [piece.rows for piece in found] == [3, 3, 1]
    assert column(found, "x") == list(range(7))
    assert column(found, "y") == [n / 2 for n in range(7)]
    assert kept(found, "name") == list("abcdefg")
    assert found[2].place(0).endswith("set.npz: row 7")
    numpy.save(tmp_path / "x.npy", numpy.array([1.0, numpy.nan]))
    (piece,) = pieces(open_source(f"u={tmp_path / 'x.npy'}"), ("u",))
    assert piece.bad.tolist() == [False, True]


def test_parquet_is_read_in_pieces_whatever_its_types(tmp_path: Path) -> None:
    file = str(tmp_path / "t.parquet")
    table = {
        "small": pyarrow.array([1, 2, None, 4], pyarrow.int16()),
        "flag": [True, False, True, True],
        "exact": pyarrow.array([1, 2, 3, 4], pyarrow.decimal128(9, 2)),
        "coded": pyarrow.array([5.0, 6.0, 5.0, 6.0]).dictionary_encode(),
        "id": ["p", None, "r", "s"],
    }
    parquet.write_table(pyarrow.table(table), file, row_group_size=2)
    found = pieces(open_source(file), ("small", "flag", "exact", "coded"), ("id",))
    assert [piece.rows for piece in found] == [3, 1]
    numpy.testing.assert_array_equal(column(found, "small"), [1, 2, numpy.nan, 4])
    assert column(found, "flag") == [1, 0, 1, 1]
    assert column(found, "exact") == [1, 2, 3, 4]
    assert column(found, "coded") == [5, 6, 5, 6]
    assert kept(found, "id") == ["p", None, "r", "s"]
    assert found[0].flaws[0].place == f"{file}: row 3"
    assert found[0].flaws[0].words == "column small has no number"


def test_the_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    text(tmp_path, "x,y\n1,2\n3,4\n", "a.csv")
    text(tmp_path, "y,x\n6,5\n", "b.csv")
    text(tmp_path, "", "_SUCCESS")
    found = pieces(open_source(str(tmp_path)), ("x", "y"))
    assert column(found, "x") == [1, 3, 5]
    assert column(found, "y") == [2, 4, 6]
    assert found[1].place(0) == f"{tmp_path / 'b.csv'}:2"


def test_the_files_of_a_folder_are_counted(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        text(tmp_path, f"x\n{number}\n", f"p{number}.csv")
    assert column(pieces(open_source(str(tmp_path)), ("x",)), "x") == [1, 2, 10]


def test_an_npz_without_arrays_is_told(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "empty.npz")
    with pytest.raises(DataProblem, match=r"empty\.npz holds no arrays"):
        open_source(str(tmp_path / "empty.npz"))


def test_a_grid_is_made_row_by_row_and_ends_exactly() -> None:
    source = GridSource([Axis("a", 0.0, 0.1, 3), Axis("b", 1.0, 2.0, 2)])
    found = pieces(source, ("a", "b"), rows=4)
    assert column(found, "a") == [0, 0, 0.05, 0.05, 0.1, 0.1]
    assert column(found, "b") == [1, 2, 1, 2, 1, 2]
    assert found[1].place(0) == "a = 0.1, b = 1"
    axis = Axis("a", -0.3, 1.7, 997)
    found = pieces(GridSource([axis]), ("a",), rows=100)
    assert column(found, "a") == numpy.linspace(-0.3, 1.7, 997).tolist()


def test_a_grid_of_any_length_takes_no_memory() -> None:
    source = GridSource([Axis("a", 0.0, 1.0, 10**9), Axis("b", 0.0, 1.0, 10**9)])
    assert source.rows == 10**18
    block = next(source.blocks(3))
    assert source.read(block).numbers["b"].tolist() == [0, 1 / (10**9 - 1), 2 / (10**9 - 1)]


def damaged(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def whole_parquet(folder: Path) -> bytes:
    path = folder / "whole.parquet"
    parquet.write_table(pyarrow.table({"x": numpy.random.default_rng(1).random(5000)}), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.parquet", b"x,y\n1,2\n", r"t\.parquet is not a Parquet file, though its name says so\n  it looks like text: .* \.csv"),
        ("t.parquet", b"", "is empty"),
        ("t.parquet", b"\x00\x01\x02\x03" * 10, "is not a Parquet file"),
        ("t.csv", b"PAR1abcdPAR1", r"t\.csv is a Parquet file\n  give it a name that ends in \.parquet"),
        ("t.csv", b"\x1f\x8b\x08\x00", "is compressed"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b"1,2\n3,4\n", "has no line of names"),
        ("t.csv", b"x,x\n3,4\n", "two columns x"),
        ("t.csv", b"x\0,y\n3,4\n", "not a text file"),
        ("t.npz", b"PK nothing", r"is not an \.npz"),
        ("t.npy", b"", "without a name"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(DataProblem, match=words):
        open_source(damaged(tmp_path, name, content))


def test_a_parquet_file_that_is_cut_off(tmp_path: Path) -> None:
    content = whole_parquet(tmp_path)
    with pytest.raises(DataProblem, match="is cut off"):
        open_source(damaged(tmp_path, "t.parquet", content[:-100]))
    with pytest.raises(DataProblem, match="is damaged"):
        open_source(damaged(tmp_path, "t.parquet", content[:200] + content[-8:]))


def test_a_parquet_file_with_a_spoiled_page(tmp_path: Path) -> None:
    content = bytearray(whole_parquet(tmp_path))
    content[4:400] = bytes(396)
    with pytest.raises(DataProblem, match="is damaged"):
        pieces(open_source(damaged(tmp_path, "t.parquet", bytes(content))), ("x",))


def test_arrays_that_are_damaged_or_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    numpy.savez(path, x=numpy.arange(1000.0), y=numpy.arange(4.0), m=numpy.ones((3, 3)), s=numpy.array(["a"]), one=1.0)
    for names, words in ((("x", "y"), "differ"), (("m",), "2 axes"), (("s",), "holds text"), (("one",), "has no rows")):
        with pytest.raises(DataProblem, match=words):
            open_source(str(path)).choose(names, ())
    content = bytearray(path.read_bytes())
    content[300:600] = bytes(300)
    path.write_bytes(content)
    with pytest.raises(DataProblem, match="damaged"):
        pieces(open_source(str(path)), ("x",), rows=1000)
    numpy.save(tmp_path / "o.npy", numpy.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataProblem, match="Python objects, which are never loaded"):
        open_source(f"x={tmp_path / 'o.npy'}").choose(("x",), ())


def test_columns_of_parquet_that_are_no_numbers(tmp_path: Path) -> None:
    file = str(tmp_path / "t.parquet")
    day = pyarrow.array([0], pyarrow.date32())
    parquet.write_table(pyarrow.table({"name": ["a"], "day": day, "tags": [[1, 2]]}), file)
    for name, words in (("name", "text"), ("day", "dates or times"), ("tags", "lists or records")):
        with pytest.raises(DataProblem, match=f"column {name} of .* holds {words}, not numbers"):
            open_source(file).choose((name,), ())


def test_folders_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="holds no files"):
        open_source(str(tmp_path))
    text(tmp_path, "x\n1\n", "a.csv")
    text(tmp_path, "z\n1\n", "b.csv")
    with pytest.raises(DataProblem, match=r"a\.csv has a column x, and .*b\.csv has none"):
        pieces(open_source(str(tmp_path)), ("x",))
    parquet.write_table(pyarrow.table({"x": [1.0]}), tmp_path / "c.parquet")
    with pytest.raises(DataProblem, match=r"is a mixture: a\.csv is text, c\.parquet is Parquet"):
        open_source(str(tmp_path))
    (tmp_path / "d").mkdir()
    with pytest.raises(DataProblem, match="holds a folder, d"):
        open_source(str(tmp_path))
