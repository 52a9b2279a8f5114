"""`gradcalc plot`: charts, maps, files and samples; what can't be drawn."""

from __future__ import annotations

import csv
import io
import json
import math
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
    assert path.read_bytes() == first


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
        (("x", "--x", "0..1", "--path", "adam"), "a path is shown on a map"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--rate", "1"), "--rate is about a path"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--path", "adam", "--from", "z=1"), "--from z"),
        (("x*y", "--x", "0..1", "--y", "0..1", "--path", "lbfgs", "--rate", "1"), "finds its own steps"),
        (("x", "--x", "1±0.1"), "a value with an uncertainty"),
    ],
)
def test_what_cannot_be_drawn(arguments: tuple[str, ...], words: str) -> None:
    answer = run("plot", *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert words in answer.err
