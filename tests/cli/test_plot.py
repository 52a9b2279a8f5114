"""`gradcalc plot`: charts, maps, files and samples; what can't be drawn."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest

from tests.cli.harness import run

BANANA = ("(1-x)^2 + 5*(y-x^2)^2", "--x", "-2..2", "--y", "-1..3")


def test_a_curve_and_its_derivative() -> None:
    answer = run("plot", "sin(x)/x", "--x", "-10..10", "--size", "60x20")
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "sin(x)/x"
    assert "derivative by x" in lines
    assert max(map(len, lines)) == 60
    assert len(lines) == 20
    alone = run("plot", "sin(x)/x", "--x", "-10..10", "--no-derivative").out
    assert "derivative" not in alone


def test_a_size_has_no_curve() -> None:
    answer = run("plot", "sum(arange(n))", "--n", "1..10")
    assert (answer.status, answer.out, "n is a size here" in answer.err) == (2, "", True)


def test_poles_go_beyond_the_frame() -> None:
    assert run("plot", "tan(x)", "--x", "-5..5").out.startswith("tan(x)  (goes beyond the frame)\n")


def test_samples_as_csv_and_json() -> None:
    answer = run("plot", "x^3", "--x", "0..3:4", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [float(row["value"]) for row in rows] == [0, 1, 8, 27]
    assert [float(row["d/dx"]) for row in rows] == [0, 3, 12, 27]
    document = json.loads(run("plot", "x*y", "--x", "0..1:2", "--y", "0..2:3", "--format", "json").out)
    assert document["inputs"] == {"x": [0, 1], "y": [0, 1, 2]}
    assert document["value"] == [[0, 0], [0, 1], [0, 2]]
    assert document["gradients"]["x"] == [[0, 0], [1, 1], [2, 2]]


def test_each_row_of_csv_says_of_which_output_it_is() -> None:
    answer = run("plot", "log(x); max(x, 2); x*y", "--x", "1..2:2", "--y", "3", "--format", "csv")
    assert answer.out.splitlines() == [
        "output,x,value,d/dx",
        "log(x),1,0,1",
        "log(x),2,0.6931471805599453,0.5",
        '"max(x, 2)",1,2,0',
        '"max(x, 2)",2,2,0.5',
        "x*y,1,3,3",
        "x*y,2,6,3",
    ]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("text", "reach"), [("1e300*x^2", "-1e5..1e5"), ("x*1e307", "-10..10"), ("x + 1e308*sin(x)", "-3..3")])
def test_values_at_the_end_of_the_numbers_are_drawn_in_a_unit(text: str, reach: str, tmp_path: Path) -> None:
    answer = run("plot", text, "--x", reach)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"{text}, in units of 1e+20\n")
    assert run("plot", f"{text} + 1e306*y", "--x", reach, "--y", "0..1").status == 0
    for values in (["--x", reach], ["--x", reach, "--y", "0..1"]):
        file = tmp_path / "big.png"
        formula = text if len(values) == 2 else f"{text} + 1e306*y"
        assert run("plot", formula, *values, "-o", str(file)) == (0, "", "")
        assert file.read_bytes().startswith(b"\x89PNG")


def test_a_range_to_the_end_of_the_numbers_is_refused() -> None:
    answer = run("plot", "x", "--x", "-1e308..1e308")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "error: --x reaches from -1e+308 to 1e+308, and a picture at most to 1e+300\n  give x a smaller range\n"


def test_a_map_shows_the_path_of_a_search() -> None:
    answer = run("plot", *BANANA, "--path", "newton", "--from", "x=-1,y=1", "--size", "70x20")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.count("S") == 1
    assert answer.out.count("E") == 1
    document = json.loads(run("plot", *BANANA, "--path", "newton", "--from", "x=-1,y=1", "--format", "json").out)
    assert document["path"][0] == [-1, 1]
    assert math.dist(document["path"][-1], [1, 1]) < 1e-6


def test_a_path_may_go_uphill() -> None:
    hill = (
        "-(x^2) - y^2",
        "--x",
        "-2..2",
        "--y",
        "-2..2",
        "--path",
        "gradient",
        "--from",
        "x=1,y=1",
        "--rate",
        "0.1",
        "--maximize",
    )
    document = json.loads(run("plot", *hill, "--steps", "3", "--format", "json").out)
    assert len(document["path"]) == 4
    assert document["path"][1] == [0.8, 0.8]


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[48;2;" in run("plot", *BANANA, terminal=True).out.replace("1;37;", "")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("plot", *BANANA, terminal=True).out


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_files(tmp_path: Path, suffix: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curve.{suffix}"
    answer = run("plot", "sin(x); x^2", "--x", "0..3", "-o", str(path))
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert path.read_bytes().startswith(start)
    first = path.read_bytes()
    run("plot", "sin(x); x^2", "--x", "0..3", "-o", str(path))
    # Matplotlib's names for clip paths hang on where objects are in memory.
    names = re.compile(rb"\b[a-z][0-9a-f]{10}\b")
    assert names.sub(b"", path.read_bytes()) == names.sub(b"", first)


def test_a_map_in_a_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "map.svg"
    assert run("plot", *BANANA, "--path", "adam", "-o", str(path)).status == 0
    assert "start" in path.read_text("utf-8")


def test_several_outputs_are_drawn_one_after_the_other() -> None:
    answer = run("plot", "s = sin(x); s^2; s*x", "--x", "0..6")
    assert answer.out.count("derivative by x") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x^2",), "no input has a range"),
        (("x^2", "--x", "1"), "no input has a range"),
        (("x*y", "--x", "0..1"), "y has no value"),
        (("x*y*z", "--x", "0..1", "--y", "0..1", "--z", "0..1"), "x and y and z have ranges"),
        (("3",), "no input that could vary"),
        (("x*[1, 2]", "--x", "0..1"), "an array of shape 2"),
        (("x", "--x", "1..0"), "the range is empty"),
        (("x", "--x", "0..1", "-o", "picture.gif"), ".gif is not drawn"),
        (("x", "--x", "0..1", "-o", "picture.png", "--format", "csv"), "is a picture"),
        (("x", "--x", "0..1", "-o", "/nowhere/at/all.png"), "can't be written"),
        (("x", "--x", "0..1", "--size", "5x5"), "too small"),
        (("x", "--x", "0..1", "--size", "wide"), "is not a size"),
        (("x", "--x", "0..1", "--size", "1000000x1000000"), "1000000x1000000 is too small or too large"),
        (("x", "--x", "0..1", "--path", "adam"), "a path is shown on a map"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--rate", "1"), "--rate is about a path"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--path", "adam", "--from", "z=1"), "--from z"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--path", "lbfgs", "--rate", "1"), "finds its own steps"),
        (("x", "--x", "1±0.1"), "a value with an uncertainty"),
        (("x^2", "--x", "0..1:1000000000"), "1,000,000,000 points take 22.4 GiB, and arrays may hold 2 GiB"),
        (("x^2", "--x", "0..1:100000", "--max-array", "1MB"), "raise the limit with --max-array"),
        (("size^2", "--size", "0..3"), "write --let size=0..3 for the input"),
        (("from*x", "--from", "3", "--x", "0..1"), "write --let from=3 for the input"),
        (("rate*x", "--rate", "3", "--x", "0..1"), "write --let rate=3 for the input"),
        (("rate*x", "--rate", "3", "--let", "rate=2", "--x", "0..1"), "--rate is about a path"),
    ],
)
def test_what_cannot_be_drawn(arguments: tuple[str, ...], words: str) -> None:
    answer = run("plot", *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert words in answer.err


def test_where_there_is_no_value_there_is_no_derivative() -> None:
    rows = list(csv.DictReader(io.StringIO(run("plot", "log(x)", "--x", "-1..3:5", "--format", "csv").out)))
    assert [row["d/dx"] for row in rows] == ["nan", "nan", "1", "0.5", "0.3333333333333333"]


def test_the_first_range_goes_to_the_right() -> None:
    for names in ("xy", "yx"):
        answer = run("plot", "x - y^2", f"--{names[0]}", "0..1:2", f"--{names[1]}", "0..2:3", "--format", "json")
        assert list(json.loads(answer.out)["inputs"]) == list(names)
    assert "(x upwards, y to the right)" in run("plot", "x*y", "--y", "0..1", "--x", "0..1").out


def test_a_path_that_fails_is_told_as_optimize_tells_it() -> None:
    hill = ("(1-x)^2 + 100*(y-x^2)^2", "--x", "-2..2", "--y", "-1..3")
    answer = run("plot", *hill, "--path", "gradient", "--rate", "0.1", "--from", "x=-1.2,y=1")
    told = run("optimize", hill[0], "--minimize", "--x", "-1.2", "--y", "1", "--rate", "0.1")
    assert answer.status == told.status == 2
    assert answer.err.startswith("warning: the path leaves the map at step ")
    assert answer.err[answer.err.index("error: ") :] == told.err
    assert "S" in answer.out


def test_nothing_finite_is_told() -> None:
    answer = run("plot", "sqrt(-x)", "--x", "1..3")
    assert answer.status == 0
    assert answer.err == "warning: sqrt(-x) is finite nowhere with x from 1 to 3: there is nothing to draw\n"
    assert run("plot", "").err == "warning: there is nothing to draw\n"


def test_a_low_picture_has_no_derivative_and_says_so() -> None:
    low = run("plot", "sin(x)", "--x", "-3..3", "--size", "40x15").out
    assert low.startswith("sin(x)  (derivative needs 16 rows)\n")
    assert "derivative by x" not in low
    assert len(low.splitlines()) == 15
    assert "derivative by x" in run("plot", "sin(x)", "--x", "-3..3", "--size", "40x16").out


def test_letters_that_no_font_has_are_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from gradcalc.views import figures

    monkeypatch.setattr(figures, "WRITINGS", ())
    answer = run("plot", "사과^2", "--사과", "0..1", "-o", str(tmp_path / "apple.png"))
    assert (answer.status, answer.err) == (0, "warning: no font of this system has 과사: boxes stand in their place\n")
