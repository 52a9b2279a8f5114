"""`gradcalc graph -o page.html`: a page for every program, and clear words where there can be none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.harness import process, run
from tests.views.pictures.pages import data_of

CHAIN = ("q = x+y; f = q*z", "--x", "-2", "--y", "5", "--z", "-4")


def test_the_end_of_the_name_asks_for_a_page(tmp_path: Path) -> None:
    path = tmp_path / "circuit.html"
    answer = run("graph", *CHAIN, "-o", str(path))
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert data_of(path.read_text("utf-8"))["circuits"][0]["title"] == "f = q*z"


def test_a_page_goes_to_standard_output_where_that_is_asked_for() -> None:
    answer = run("graph", *CHAIN, "--format", "html")
    assert answer.status == 0
    assert answer.out.startswith("<!doctype html>")


def test_options_reach_the_page(tmp_path: Path) -> None:
    path = tmp_path / "circuit.html"
    options = ("--open", "sigmoid", "--upstream", "2.5", "--digits", "7", "--x", "0..3")
    assert run("graph", "sigmoid(x) + y", *options, "-o", str(path)).status == 0
    data = data_of(path.read_text("utf-8"))
    circuit = data["circuits"][0]
    assert (data["digits"], circuit["upstream"]) == (7, 2.5)
    assert [item["open"] for item in circuit["items"] if "open" in item] == [True]
    assert circuit["inputs"][0] == {"name": "x", "value": 1.5, "low": 0, "high": 3}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x*", "--x", "1"), "an operand is missing"),
        (("x*y", "--x", "1±0.1"), "--x is a value with an uncertainty, and a single value is needed here"),
        (("x*y", "--z", "1"), "the program has no input z"),
        (("x*y", "--open", "sigmod"), "--open sigmod: there is no such gate"),
        (("x@y", "--x", "[1,2]", "--y", "[1,2,3]"), "3"),
        (("x", "--x", "[1,2]", "--upstream", "[1,2,3]"), "the gradient from above has shape 3, the output shape 2"),
    ],
)
def test_a_mistake_leaves_no_page(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    path = tmp_path / "circuit.html"
    answer = run("graph", *arguments, "-o", str(path))
    assert answer.status == 2
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_too_large_leaves_the_old_page(tmp_path: Path) -> None:
    path = tmp_path / "circuit.html"
    path.write_text("old")
    program = "\n".join(["s0 = x + 1", *(f"s{n} = s{n - 1} + x" for n in range(1, 2000))])
    answer = run("graph", program, "--x", "1", "-o", str(path))
    assert answer.status == 2
    assert answer.err.startswith("error: the graph has 2,000 gates, and a page shows up to 1,000\n")
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_written_is_said() -> None:
    answer = run("graph", *CHAIN, "-o", "/no/such/folder/circuit.html")
    assert answer.status == 2
    assert "can't be written" in answer.err


def test_a_page_is_made_by_a_process_of_its_own() -> None:
    answer = process("graph", "θ*사과", "--θ", "2", "--format", "html")
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert "사과" in answer.stdout.decode()
