"""`gradcalc sweep`: columns in, values and gradients out, whole or not at all, whatever comes in between."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy
import pytest

from gradcalc.tables import calculation
from tests.cli.harness import COMMAND, ROOT, Answer, run, written_files

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

PLANETS = ("--data", "examples/data/planets.csv")
NEURON = ("sigmoid(a*x+b*y+c)*exp(-x*y)/(1+x*x)", "--a", "0.5", "--b", "0.3", "--c", "0.1", "--wrt", "x,y")
LONG = (*NEURON, "--x", "0..3:2000", "--y", "0..2:2000")
"""Long enough to be interrupted."""


def table(folder: Path, text: str, name: str = "rows.csv") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def lines(answer: Answer) -> list[str]:
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out.splitlines()


# ---- what is written -------------------------------------------------------------------------------------------------------------


def test_each_row_has_its_value_and_gradients(tmp_path: Path) -> None:
    found = lines(run("sweep", "a*x^2 + y", "--a", "3", "--data", table(tmp_path, "y,x,id\n1,2,p\n0.5,-1,q\n")))
    assert found == ["y,x,value,d/da,d/dx,d/dy", "1,2,13,4,12,1", "0.5,-1,3.5,1,-6,1"]


def test_values_go_before_columns_and_columns_before_defaults(tmp_path: Path) -> None:
    file = table(tmp_path, "x,y\n1,2\n3,4\n")
    assert lines(run("sweep", "x = 9; x*y", "--data", file, "--y", "10", "--columns", "value")) == ["value", "10", "30"]


def test_columns_are_chosen_renamed_and_kept(tmp_path: Path) -> None:
    file = table(tmp_path, 'petal length,name,n\n1,"a, b",007\n2,c,\n')
    found = lines(
        run(
            "sweep", "k*petal_length^2", "--k", "1", "--data", file, "--columns", "slope=d/dpetal_length, value", "--keep", "n,name"
        )
    )
    assert found == ["n,name,slope,value", '007,"a, b",2,1', ",c,4,4"]
    found = lines(run("sweep", "k*petal_length", "--k", "1", "--data", file, "--keep", "*", "--wrt", "k"))
    assert found[0] == "petal length,name,n,value,d/dk"
    found = lines(run("sweep", "k*petal_length", "--k", "1", "--data", file, "--columns", "name,petal length,value"))
    assert found[1] == '"a, b",1,1'


def test_several_outputs_have_their_names(tmp_path: Path) -> None:
    file = table(tmp_path, "x,y\n2,3\n")
    found = lines(run("sweep", "q = x*y; f = sin(q); q; f; x + y; max(x, y)", "--data", file, "--wrt", "x"))
    assert found[0] == 'x,y,q,dq/dx,f,df/dx,x + y,d(x + y)/dx,"max(x, y)","d(max(x, y))/dx"'
    found = lines(run("sweep", "q = x*y; f = sin(q); q; f", "--data", file, "--columns", "df/dq, q"))
    assert found == ["df/dq,q", "0.960170286650366,6"]
    assert lines(run("sweep", "x; x; y", "--data", file, "--columns", "x,value1,value2"))[1] == "2,2,2"


def test_named_nodes_can_be_differentiated_by(tmp_path: Path) -> None:
    file = table(tmp_path, "x,y\n2,3\n")
    assert lines(run("sweep", "q = x*y; q^2 + x", "--data", file, "--wrt", "q,x"))[0:2] == ["x,y,value,d/dq,d/dx", "2,3,38,12,37"]
    found = lines(run("sweep", "q = x*y; r = sum([q, x]); r^2; x", "--data", file, "--columns", "d(r^2)/dr, d(r^2)/dq"))
    assert found == ["d(r^2)/dr,d(r^2)/dq", "16,16"]


def test_arrays_may_be_inside(tmp_path: Path) -> None:
    file = table(tmp_path, "x,y\n1,2\n0,-1\n")
    found = lines(run("sweep", "sum(relu(W@[x, y]))", "--W", "[[1, 2], [3, -4]]", "--data", file))
    assert found == ["x,y,value,d/dx,d/dy", "1,2,5,1,2", "0,-1,4,3,-4"]


def test_rows_whose_sizes_do_not_fit_are_bad_rows(tmp_path: Path) -> None:
    file = table(tmp_path, "n,x\n-1,2\n2,1\n2.5,1\n3,1\n")
    answer = run("sweep", "sum(ones(n)*x)", "--data", file, "--wrt", "x")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {file}:2: n = -1: ones: a size must not be negative: -1\n")
    skipped = run("sweep", "sum(ones(n)*x)", "--data", file, "--wrt", "x", "--bad-rows", "skip")
    assert skipped.out.splitlines() == ["n,x,value,d/dx", "2,1,2,2", "3,1,3,3"]
    assert "n = 2.5: ones: 2.5 is not a size" in skipped.err
    kept = run("sweep", "sum(ones(n)*x)", "--data", file, "--wrt", "x", "--bad-rows", "keep")
    assert kept.out.splitlines()[1:3] == ["-1,2,nan,nan", "2,1,2,2"]


def test_sizes_may_differ_from_row_to_row(tmp_path: Path) -> None:
    found = lines(run("sweep", "sum(ones(n))*x", "--n", "2..4:3", "--x", "5", "--wrt", "x", "--check", "3", "--quiet"))
    assert found == ["n,value,d/dx", "2,10,2", "3,15,3", "4,20,4"]
    file = table(tmp_path, "n,x\n2,5\n3,5\n2,1\n")
    found = lines(run("sweep", "k = linspace(0, 1, n)*x; s = sum(k); s*n", "--data", file, "--wrt", "x,s"))
    assert found == ["n,x,value,d/dx,d/ds", "2,5,10,2,2", "3,5,22.5,4.5,3", "2,1,2,2,2"]
    found = lines(run("sweep", "sum(reshape([x, x, x, x], n, 4/n)[0])", "--n", "1..2:2", "--x", "1..2:2", "--wrt", "x"))
    assert found == ["n,x,value,d/dx", "1,1,4,4", "1,2,8,4", "2,1,2,2", "2,2,4,2"]
    answer = run("sweep", "sum(ones(n))", "--n", "2..3:5")
    assert (answer.status, "2.25 is not a size" in answer.err, answer.out) == (2, True, "")
    answer = run("sweep", "sum(ones(n))", "--data", "-", stdin="n\n3\n")
    assert (answer.status, "n is a size, and standard input can be read only once" in answer.err) == (2, True)
    answer = run("sweep", "sum(ones(n))", "--n", "2..3:2", "--cluster", "local:1")
    assert (answer.status, "n is a size, and on a cluster" in answer.err) == (2, True)


def test_a_column_settles_what_a_name_means(tmp_path: Path) -> None:
    assert lines(run("sweep", "e*pi*x", "--data", table(tmp_path, "e,pi,x\n1,2,3\n"), "--columns", "value")) == ["value", "6"]
    assert lines(run("sweep", "x*data", "--data", table(tmp_path, "x,data\n1,2\n"), "--columns", "value")) == ["value", "2"]


def test_axes_may_be_kept() -> None:
    assert lines(run("sweep", "x^2", "--x", "0..1:3", "--keep", "x"))[1:] == ["0,0,0", "0.5,0.25,1", "1,1,2"]
    assert lines(run("sweep", "x*y", "--x", "0..1:2", "--y", "3..4:2", "--keep", "*", "--wrt", "x"))[1] == "0,3,0,3"


def test_lines_in_quotes_go_through(tmp_path: Path) -> None:
    file = table(tmp_path, 'id,x\n"line\nbreak",3\n')
    assert run("sweep", "x^2", "--data", file, "--keep", "id").out == 'id,x,value,d/dx\n"line\nbreak",3,9,6\n'


def test_without_a_program(tmp_path: Path) -> None:
    answer = run("sweep", "--data", table(tmp_path, "x\n1\n"), stdin="")
    assert (answer.status, "error: there is no program" in answer.err) == (2, True)


def test_closed_standard_output_is_told() -> None:
    done = subprocess.run([*COMMAND, "sweep", "x^2", "--x", "0..1:3"], preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"error: the results can't be written: standard output is closed\n")


def test_the_value_of_a_table_with_a_column_value(tmp_path: Path) -> None:
    file = table(tmp_path, "x,value\n3,7\n")
    assert lines(run("sweep", "x^2", "--data", file, "--keep", "*")) == ["x,value,result,d/dx", "3,7,9,6"]
    assert lines(run("sweep", "q = x*2; r = q*x", "--data", file, "--columns", "r,slope=d/dq"))[1] == "18,3"
    for columns, words in (("=r", 'write "new=r"'), ("a=", 'write "a=value"'), ("", "names no column"), (",", "names no column")):
        answer = run("sweep", "x^2", "--data", file, "--columns", columns)
        assert (answer.status, words in answer.err) == (2, True)


def test_whole_numbers_of_which_one_is_missing_are_kept_as_floats(tmp_path: Path) -> None:
    numbers = [1, 2, 3, None]
    parquet.write_table(pyarrow.table({"x": [1.0, 2.0, 3.0, 4.0], "i": numbers}), tmp_path / "t.parquet")
    out = tmp_path / "out.npz"
    run("sweep", "x^2", "--data", str(tmp_path / "t.parquet"), "--keep", "i", "--batch", "2", "-o", str(out))
    assert numpy.array_equal(numpy.load(out)["i"], [1, 2, 3, numpy.nan], equal_nan=True)


def test_grids_are_combined_in_the_order_in_which_they_are_given() -> None:
    found = lines(run("sweep", "a + 10*b + c", "--b", "0..1:2", "--a", "0..2:3", "--c", "0.5", "--columns", "b,a,value"))
    assert found == ["b,a,value", "0,0,0.5", "0,1,1.5", "0,2,2.5", "1,0,10.5", "1,1,11.5", "1,2,12.5"]


def test_a_table_may_come_from_standard_input() -> None:
    assert lines(run("sweep", "x^2", "--data", "-", stdin="x\n2\n3\n")) == ["x,value,d/dx", "2,4,4", "3,9,6"]
    answer = run("sweep", "-", "--data", "-", stdin="x\n2\n3\n")
    assert answer.status == 2
    assert "can't both come from standard input" in answer.err


def test_every_format_holds_the_same(tmp_path: Path) -> None:
    arguments = ("sweep", "x*y", "--x", "0..1:7", "--y", "0..3:11")
    for name in ("t.csv", "t.parquet", "t.npz"):
        assert run(*arguments, "-o", str(tmp_path / name)) == Answer(0, "", "")
    columns = parquet.read_table(tmp_path / "t.parquet")
    arrays = numpy.load(tmp_path / "t.npz", allow_pickle=False)
    text = (tmp_path / "t.csv").read_text().splitlines()
    assert columns.column_names == text[0].split(",") == arrays.files == ["x", "y", "value", "d/dx", "d/dy"]
    for number, title in enumerate(columns.column_names):
        expected = columns.column(title).to_numpy().tolist()
        assert arrays[title].tolist() == expected
        assert [float(line.split(",")[number]) for line in text[1:]] == expected
    for name in ("t.parquet", "t.npz"):
        again = run("sweep", "x*y", "--data", str(tmp_path / name), "--columns", "x,y,value,d/dx,d/dy")
        assert again.out == (tmp_path / "t.csv").read_text()


def test_kept_columns_keep_their_types(tmp_path: Path) -> None:
    day = pyarrow.array([0, 1, None], pyarrow.date32())
    data = pyarrow.table({"id": pyarrow.array([7, 8, 2**60], pyarrow.int64()), "day": day, "x": [1.0, 2.0, 3.0]})
    parquet.write_table(data, tmp_path / "t.parquet")
    arguments = ("sweep", "x^2", "--data", str(tmp_path / "t.parquet"), "--keep", "id,day")
    assert run(*arguments, "-o", str(tmp_path / "r.parquet")).status == 0
    found = parquet.read_table(tmp_path / "r.parquet")
    assert found.column("id").to_pylist() == [7, 8, 2**60]
    assert found.column("day").type == pyarrow.date32()
    assert lines(run(*arguments))[1:] == ["7,1970-01-01,1,1,2", "8,1970-01-02,2,4,4", "1152921504606846976,,3,9,6"]
    answer = run(*arguments, "-o", str(tmp_path / "r.npz"))
    assert answer.status == 2
    assert ".npz holds numbers, and column day holds other things" in answer.err
    assert run(*arguments[:-1], "id", "-o", str(tmp_path / "r.npz")).status == 0
    assert numpy.load(tmp_path / "r.npz")["id"].tolist() == [7, 8, 2**60]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_the_bytes_do_not_depend_on_who_calculates(tmp_path: Path, suffix: str) -> None:
    arguments = ("sweep", *NEURON, "--x", "0..3:300", "--y", "0..2:500")
    found = set()
    for number, more in enumerate(
        (("--jobs", "1"), ("--jobs", "3"), (), ("--batch", "150000"), ("--batch", "40001", "--jobs", "5"))
    ):
        path = tmp_path / f"{number}.{suffix}"
        assert run(*arguments, *more, "-o", str(path)) == Answer(0, "", "")
        # Groups of rows follow from the size of the batches.
        found.add(
            path.read_bytes() if suffix != "parquet" or "--batch" not in more else parquet.read_table(path)["d/dx"].to_numpy().sum()
        )
    assert len(found) == (1 if suffix != "parquet" else 2)


# ---- rows that are not as they should be -----------------------------------------------------------------------------------------

BAD = "x,y,id\n1,2,a\n,3,b\n4,oh,c\n5,6,d\n7\n"


def test_bad_rows_are_an_error(tmp_path: Path) -> None:
    file, target = table(tmp_path, BAD), tmp_path / "out.csv"
    target.write_text("old")
    answer = run("sweep", "x*y", "--data", file, "-o", str(target))
    assert answer.status == 2
    assert answer.err.startswith(f"error: {file}:3: column x has no number\n  fill the cell")
    assert "--bad-rows skip" in answer.err
    assert target.read_text() == "old"


def test_bad_rows_are_left_out(tmp_path: Path) -> None:
    file = table(tmp_path, BAD)
    answer = run("sweep", "x*y", "--data", file, "--bad-rows", "skip", "--keep", "id")
    assert answer.status == 0
    assert answer.out == "id,x,y,value,d/dx,d/dy\na,1,2,2,2,1\nd,5,6,30,6,5\n"
    assert answer.err.splitlines() == [
        "warning: 3 rows of 5 lack a number and were left out:",
        f"  {file}:3: column x has no number",
        f"  {file}:4: column y is not a number: oh",
        f"  {file}:6: this row has 1 cell, the line of names 3",
    ]
    assert run("sweep", "x*y", "--data", file, "--bad-rows", "skip", "--quiet").err == ""


def test_bad_rows_are_kept(tmp_path: Path) -> None:
    answer = run("sweep", "where(x > 2, x, 1)*y^0", "--data", table(tmp_path, BAD), "--bad-rows", "keep", "--keep", "id")
    assert answer.out.splitlines()[1:] == [
        "a,1,2,1,0,0",
        "b,nan,3,nan,nan,nan",
        "c,4,nan,nan,nan,nan",
        "d,5,6,5,1,0",
        ",7,nan,nan,nan,nan",
    ]
    assert "3 rows of 5 lack a number and were kept, with nan" in answer.err


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    values = pyarrow.array([None if n % 3 == 0 else float(n) for n in range(3000)])
    parquet.write_table(pyarrow.table({"x": values}), tmp_path / "t.parquet")
    answer = run("sweep", "x", "--data", str(tmp_path / "t.parquet"), "--bad-rows", "skip", "--batch", "100")
    assert len(answer.out.splitlines()) == 2001
    assert "1,000 rows of 3,000 lack a number" in answer.err
    assert "t.parquet: row 1: column x has no number" in answer.err
    assert "… and 995 more" in answer.err


def test_results_that_are_not_finite_are_counted(tmp_path: Path) -> None:
    file = table(tmp_path, "x\n1\n0\n-1\n0\n")
    answer = run("sweep", "log(x)", "--data", file)
    assert answer.status == 0
    assert answer.out.splitlines()[1:] == ["1,0,1", "0,-inf,inf", "-1,nan,-1", "0,-inf,inf"]
    assert f"warning: value is not finite in 3 rows, first in {file}:3" in answer.err
    answer = run("sweep", "1/x", "--x", "-1..1:3", "--wrt", "x")
    assert "warning: d/dx is not finite in 1 row, first at x = 0\n" in answer.err


def test_gradients_are_checked_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("sweep", *NEURON, "--x", "0..3:30", "--y", "0..2:50", "--check", "5", "--seed", "1")
    answer = run(*arguments)
    assert answer.status == 0
    assert answer.err == "checked 5 rows: 10 ok\n"
    whole = calculation.Calculation.__call__

    def spoiled(self: Any, columns: Any, rows: int) -> Any:
        value, by_x, by_y = whole(self, columns, rows)
        return [value, by_x * (1 + 1e-6), by_y]

    monkeypatch.setattr(calculation.Calculation, "__call__", spoiled)
    answer = run(*arguments)
    assert answer.status == 1
    assert answer.err.count("warning: x = ") == 5
    assert "checked 5 rows: 5 mismatch, 5 ok" in answer.err


# ---- what is refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a*z", *PLANETS), "z has no value, and is no column of examples/data/planets.csv"),
        (("perid*a", *PLANETS), "did you mean the column period?"),
        (("planet*2", *PLANETS), "planets.csv:2: column planet is not a number: Mercury"),
        (("planet*2", *PLANETS, "--bad-rows", "skip"), "no row of examples/data/planets.csv has all numbers"),
        (("x*2", *PLANETS, "--x", "1"), "no input of the program is a column"),
        (("a*x", *PLANETS, "--x", "0..1:3"), "--x is a grid, and --data has the rows already"),
        (("a*2", *PLANETS, "--keep", "plannet"), "has no column plannet\n  did you mean planet?"),
        (("a*2", *PLANETS, "--columns", "valeu"), "--columns valeu: there is no such column\n  did you mean value?"),
        (("a*2", *PLANETS, "--columns", "d/dx"), "--columns d/dx: there is no such column"),
        (("a*2", *PLANETS, "--columns", "a"), "--columns names nothing that is computed"),
        (("a*2", *PLANETS, "--columns", "value,value"), "two columns of the results are called value"),
        (("a*2", *PLANETS, "--wrt", "b"), "--wrt b: the program has no such name"),
        (("sum(w)*a", *PLANETS, "--w", "[1, 2]", "--wrt", "w"), "--wrt w: w is an array"),
        (("w*a", *PLANETS, "--w", "[1, 2]"), "is an array of shape 2, and a row has room for a number"),
        (("a*", *PLANETS), "an operand is missing"),
        (("a*2; b*", *PLANETS), "an operand is missing"),
        (("a", "--data", "nowhere.csv"), "nowhere.csv does not exist"),
        (("a", "--data", "nowhere.parquet"), "nowhere.parquet does not exist"),
        (("a", "--data", "https://example.org/t.csv"), "addresses are not loaded"),
        (("a", "--data", "x=t.csv"), "names its columns itself"),
        (("x*2", "--x", "0..1"), "--x is a range without a number of points\n  write --x 0..1:1000"),
        (("x*2", "--x", "1"), "there is nothing to sweep over"),
        (("x*y", "--x", "0..1:5"), "y has no value"),
        (
            ("x*y", "--x", "0..1:1e6", "--y", "0..1:1e6"),
            "the grid has 1,000,000,000,000 rows, and at most 10,000,000,000 are taken",
        ),
        (("x", "--x", "0..1:100", "--max-rows", "10"), "the grid has 100 rows, and at most 10 are taken"),
        (("x", "--x", "0..1:5", "-o", "t.xlsx"), ".xlsx is not written"),
        (("x", "--x", "0..1:5", "-o", "t.xyz"), ".xyz is not written"),
        (("x", "--x", "0..1:5", "-o", "t.parquet", "--format", "csv"), "-o t.parquet asks for parquet, and --format for csv"),
        (("x", "--x", "0..1:5", "-o", "nowhere/t.csv"), "nowhere/t.csv can't be written"),
        (("x", "--x", "0..1:5", "--bad-rows", "drop"), "--bad-rows: there is no drop"),
        (("x", "--x", "0..1:5", "--jobs", "0"), "--jobs: 0 is not between"),
        (("x", "--x", "0..1:5", "--cluster", "here"), "--cluster here is no cluster"),
        (("x", "--x", "0..1:5", "--cluster", "local", "--jobs", "2"), "leave out one of them"),
        (("x", "--x", "0..1:5", "--cluster", "tcp://127.0.0.1"), "--cluster tcp://127.0.0.1 lacks a host or a port"),
        (("x", "--x", "0..1:5", "--cluster", "tcp://:x"), "--cluster tcp://:x lacks a host or a port"),
    ],
)
def test_what_cannot_be_swept(arguments: tuple[str, ...], words: str) -> None:
    answer = run("sweep", *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_table_without_rows(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"x": pyarrow.array([], pyarrow.float64())}), tmp_path / "t.parquet")
    for file in (table(tmp_path, "x,y\n"), str(tmp_path / "t.parquet")):
        answer = run("sweep", "x", "--data", file, "-o", str(tmp_path / "out.csv"))
        assert (answer.status, f"{file} holds no rows" in answer.err) == (2, True)
    assert not (tmp_path / "out.csv").exists()


def test_results_do_not_replace_what_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    file = table(folder, "x\n1\n")
    (tmp_path / "link.csv").symlink_to(file)
    for data, target in ((file, file), (file, str(tmp_path / "link.csv")), (f"{folder}", file)):
        answer = run("sweep", "x", "--data", data, "-o", target)
        assert (answer.status, "is the table that is read" in answer.err or "a part of the table" in answer.err) == (2, True)
    assert "would become a part of the table" in run("sweep", "x", "--data", str(folder), "-o", f"{folder}/new.csv").err
    assert Path(file).read_text() == "x\n1\n"


def test_a_bad_row_far_down_leaves_nothing_behind(tmp_path: Path) -> None:
    rows = "x\n" + "1\n" * 5000 + "oh\n"
    answer = run("sweep", "x", "--data", table(tmp_path, rows), "--batch", "100", "-o", str(tmp_path / "out.parquet"))
    assert answer.status == 2
    assert "rows.csv:5002: column x is not a number: oh" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


# ---- processes -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, suffix: str) -> None:
    done = subprocess.run(
        [*COMMAND, "sweep", "x*x", "--x", "0..1:400000", "-o", str(tmp_path / f"out.{suffix}")],
        capture_output=True,
        cwd=ROOT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert done.returncode == 2
    assert f"out.{suffix} can't be written: file too large" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_an_end_in_the_middle_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, status: int) -> None:
    if number != signal.SIGINT and not hasattr(os, "O_TMPFILE"):
        pytest.skip("here files have names from the start")
    target = tmp_path / "out.parquet"
    target.write_text("old")
    with subprocess.Popen([*COMMAND, "sweep", *LONG, "-o", str(target)], stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stderr is not None
        deadline = time.monotonic() + 30
        while not written_files(running.pid, tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        running.send_signal(number)
        assert running.wait(20) == status
        assert running.stderr.read() == b""
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_a_closed_pipe_is_quiet() -> None:
    line = f"{' '.join(COMMAND)} sweep 'x*x' --x 0..1:400000 | head -n 2"
    done = subprocess.run(["sh", "-c", line], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"x,value,d/dx\n0,0,0\n", b"")


def test_a_session_sweeps_over_its_program() -> None:
    answer = run("repl", stdin=f"mu = 39.478\nv = sqrt(mu/a)\n:sweep {' '.join(PLANETS)} --columns planet,value\n")
    assert answer.out.splitlines()[-1] == "Neptune,1.1450366894933643"


def test_draws_and_files_are_the_same_in_every_row_and_checked(tmp_path: Path) -> None:
    numpy.save(tmp_path / "w.npy", numpy.array([1.0, 2.0, 3.0]))
    program = f'sum(load("{tmp_path}/w.npy")*x) + randn()'
    answer = run("sweep", program, "--x", "0..1:3", "--seed", "3", "--check", "3")
    assert answer.err == "checked 3 rows: 3 ok\n"
    rows = [line.split(",") for line in answer.out.splitlines()[1:]]
    assert [float(row[1]) - float(rows[0][1]) for row in rows] == pytest.approx([0, 3, 6])
    assert [row[2] for row in rows] == ["6", "6", "6"]


def test_a_long_program(tmp_path: Path) -> None:
    program = "; ".join(["y0 = x", *(f"y{n + 1} = sin(y{n} + {n}*x)" for n in range(500))])
    answer = run("sweep", program, "--x", "0..1:5000", "--check", "2", "--columns", "value,d/dx", "-o", str(tmp_path / "t.csv"))
    assert (answer.status, answer.err) == (0, "checked 2 rows: 2 ok\n")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 5001
