"""`gradcalc graph`: pictures in the terminal, in files by their endings, and clear words where there can be none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from examples.pictures import circuit
from tests.cli.harness import run
from tests.views.pictures.circuits import random_program

CHAIN = ("q = x+y; f = q*z", "--x", "-2", "--y", "5", "--z", "-4")


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns that shows colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("LC_ALL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def drawing(*arguments: str, terminal: bool = False) -> str:
    """What a command line without mistakes draws."""
    answer = run("graph", *arguments, terminal=terminal)
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out


def test_a_drawing_in_a_pipe_has_no_colours() -> None:
    text = drawing(*CHAIN)
    assert "\x1b" not in text
    assert "└─┬───┐ -12" in text
    assert "├────▶ f" in text


def test_on_a_terminal_values_are_green_and_gradients_red(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawing(*CHAIN, terminal=True)
    assert "\x1b[32m-12" in text
    assert "\x1b[31m-4" in text
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in drawing(*CHAIN, terminal=True)


def test_plain_ascii_where_the_terminal_shows_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    text = drawing(*CHAIN)
    assert text.isascii()
    assert "+-+---+ -12" in text
    assert drawing("θ + 1", "--θ", "2").isascii()
    assert drawing("θ + 1", "--θ", "2", "--format", "tree").isascii()


def test_a_circuit_without_numbers_is_a_picture_too() -> None:
    text = drawing("a*b + c", "--a", "2")
    assert "without numbers: b, c have no value" in text
    assert "│ * ├" in text
    assert "2" in text.split("have no value")[1]


def test_what_is_wrong_in_the_program_is_told_as_ever() -> None:
    answer = run("graph", "a*b; c +", "--a", "1")
    assert answer.status == 2
    assert "│ * ├" in answer.out
    assert "an operand is missing after +" in answer.err
    answer = run("graph", "a*b", "--c", "1")
    assert (answer.status, answer.out.count("*")) == (2, 2)
    assert "error: the program has no input c" in answer.err


def test_opened_gates() -> None:
    assert "sigmoid ├" in drawing("sigmoid(x)", "--x", "1")
    assert "1/x ├" in drawing("sigmoid(x)", "--x", "1", "--open", "sigmoid")
    assert "1/x ├" in drawing("sigmoid(x)", "--open", "all")


def test_the_gradient_from_above() -> None:
    assert " 20\n" in drawing("a*b", "--a", "2", "--b", "3", "--upstream", "10").replace("\n", " \n").replace("  20 ", " 20")


def test_what_does_not_fit_is_folded_and_then_a_tree_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "s = sin(a*x + b*y)*cos(x); t = tanh(s*2 - a)/exp(s); t*s - a"
    values = ("--a", "1", "--b", "2", "--x", "3", "--y", "1")
    shown = {}
    for columns in ("200", "80", "70", "40", "20"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("NO_COLOR", "1")
        shown[columns] = drawing(program, *values, terminal=True)
        assert max(map(len, shown[columns].splitlines())) <= max(36, int(columns))
    assert "folded" not in shown["200"]
    assert "tanh" in shown["200"]
    assert "folded: s (" in shown["70"]
    assert "tanh" not in shown["70"]
    assert "so it is a tree" in shown["40"].replace("\n", " ")
    assert "├─" in shown["20"]


def test_digits() -> None:
    assert "0.33333333 " in drawing("1/a", "--a", "3", "--digits", "8").replace("\n", " ")


def test_several_outputs_are_drawn_one_after_the_other() -> None:
    text = drawing("a*b; a + b", "--a", "2", "--b", "3")
    assert text.index("│ * ├") < text.index("│ + ├")
    assert drawing("a*b; a + b", "--format", "dot").count("subgraph") == 2
    assert drawing("a*b; a + b", "--format", "mermaid").count("subgraph") == 2


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("c.svg", b"<svg "),
        ("c.SVG", b"<svg "),
        ("c.png", b"\x89PNG"),
        ("c.dot", b"digraph"),
        ("c.gv", b"digraph"),
        ("c.mmd", b"flowchart"),
        ("c.txt", b"  -2\n"),
        ("with blanks and 사과.svg", b"<svg "),
    ],
)
def test_the_end_of_a_name_says_the_kind_of_picture(tmp_path: Path, name: str, begins: bytes) -> None:
    if name.endswith("png"):
        pytest.importorskip("resvg_py")
    assert drawing(*CHAIN, "-o", str(tmp_path / name)) == ""
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_and_standard_output_get_the_same(tmp_path: Path) -> None:
    for kind in ("svg", "dot", "mermaid", "drawing"):
        path = tmp_path / "picture"
        answer = run("graph", *CHAIN, "--format", kind, "-o", str(path))
        if kind == "drawing":
            assert answer.status == 2
        else:
            assert path.read_text("utf-8") == drawing(*CHAIN, "--format", kind)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "c.jpg"), "there is no picture of the kind .jpg"),
        (("-o", "c"), "the end of the name says no kind of picture"),
        (("-o", "c."), "there is no picture of the kind ."),
        (("-o", ".svg"), "the end of the name says no kind of picture"),
        (("-o", ""), "the name of the file is empty"),
        (("-o", "missing/c.svg"), "missing/c.svg can't be written: no such file or directory"),
        (("-o", "x" * 300 + ".svg"), "can't be written: file name too long"),
        (("-o", "."), "can't be written: is a directory"),
        (("-o", "c.svg", "--format", "dot"), "-o c.svg asks for svg, and --format for dot"),
        (("--format", "jpg"), "there is no jpg"),
        (("--open", "nothing", "-o", "c.svg"), "nothing"),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run("graph", "a*b", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.startswith("error: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    answer = run("graph", "a*b", "-o", str(tmp_path / "c.svg"))
    assert answer.status == 2
    assert "permission denied" in answer.err


def test_a_file_is_left_as_it_was_if_an_output_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "c.svg"
    path.write_text("before")
    answer = run("graph", "a*b; c +", "-o", str(path))
    assert answer.status == 2
    assert path.read_text() == "before"
    assert "is left as it was" in answer.err


def test_a_circuit_too_large_for_a_picture_is_refused_and_still_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcalc.views.pictures.drawing.MOST_PARTS", 10)
    program = " + ".join(f"sin({number}*x)" for number in range(20))
    for name in ("c.svg", "c.png"):
        answer = run("graph", program, "-o", str(tmp_path / name))
        assert answer.status == 2
        assert "are too many for a picture (up to 10)" in answer.err
        assert "circuit.dot" in answer.err
    assert not list(tmp_path.iterdir())
    assert drawing(program, "-o", str(tmp_path / "c.dot")) == ""


def test_a_png_is_nothing_for_a_terminal() -> None:
    answer = run("graph", "a*b", "--format", "png", terminal=True)
    assert answer.status == 2
    assert "-o circuit.png" in answer.err


def test_without_the_extra_a_png_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    answer = run("graph", "a*b", "-o", str(tmp_path / "c.png"))
    assert answer.status == 2
    assert 'pip install "gradcalc[pictures]"' in answer.err
    assert not list(tmp_path.iterdir())


def test_a_thousand_gates_in_the_terminal_and_in_a_file(tmp_path: Path) -> None:
    program = random_program(1000)
    text = drawing(program, terminal=True)
    assert "more lines: --all shows them" in text
    assert drawing(program, "-o", str(tmp_path / "c.svg")) == ""
    ElementTree.parse(tmp_path / "c.svg")


def test_the_picture_of_the_readme_is_fresh(tmp_path: Path) -> None:
    circuit.draw(tmp_path / "circuit.svg")
    assert (tmp_path / "circuit.svg").read_text("utf-8") == circuit.PICTURE.read_text("utf-8")


def test_what_is_too_wide_for_a_pipe_is_folded_or_a_tree() -> None:
    deep = "; ".join(f"n{number + 1} = tanh(n{number}*w{number})" for number in range(40))
    text = drawing("n0 = x\n" + deep.replace("; ", "\n"))
    assert max(map(len, text.splitlines())) <= 120
    assert "it is a tree" in text


def test_dropped_digits_are_told() -> None:
    text = drawing("-f", "examples/14-eight-gate-sigmoid.gc", terminal=True)
    assert "numbers have 2 digits, to fit into 80 columns" in text
    assert "digits, to fit" not in drawing(*CHAIN, terminal=True)


def test_an_empty_program_is_nothing_to_draw(tmp_path: Path) -> None:
    for arguments in ((), ("-o", str(tmp_path / "page.html")), ("--format", "svg")):
        answer = run("graph", "", *arguments)
        assert (answer.status, answer.err) == (0, "warning: there is nothing to draw\n")


def test_a_file_that_never_was_is_not_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new.svg"
    command = ("graph", "x*y", "--x", "1", "--zz", "3", "-o", str(path))
    assert f"warning: {path} is not written, since results are missing\n" in run(*command).err
    path.write_text("old")
    assert f"warning: {path} is left as it was, since results are missing\n" in run(*command).err
    assert path.read_text() == "old"


def deep(gates: int) -> str:
    return "\n".join(["n0 = x", *(f"n{number + 1} = sin(n{number}*1.01)" for number in range(gates))])


def test_a_png_of_a_large_circuit_is_drawn_smaller_and_one_of_a_huge_one_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    path = tmp_path / "large.png"
    answer = run("graph", deep(200), "-o", str(path))
    assert answer.status == 0
    assert "times smaller than usual, at 16,000×" in answer.err
    assert "-o circuit.svg can be enlarged" in answer.err
    assert path.read_bytes()[16:20] == (16_000).to_bytes(4)
    path.unlink()
    answer = run("graph", deep(1200), "-o", str(path))
    assert answer.status == 2
    assert "pixels, too many" in answer.err
    assert "-o circuit.svg" in answer.err
    assert not path.exists()


def test_what_is_too_large_for_one_kind_of_picture_is_sent_to_one_that_takes_it(tmp_path: Path) -> None:
    huge = "+".join(f"x{number}*{number + 1}" for number in range(1700))
    for name in ("huge.svg", "huge.html", "huge.png"):
        answer = run("graph", huge, "-o", str(tmp_path / name))
        assert answer.status == 2
        assert "-o circuit.dot" in answer.err
    assert "-o circuit.dot shows everything" in run("graph", huge).out
    assert "-o circuit.svg shows everything" in run("graph", deep(30)).out
    assert run("graph", huge, "-o", str(tmp_path / "circuit.dot")).status == 0


def test_a_mistyped_ending_is_guessed() -> None:
    assert "did you mean .html?" in run("graph", "a", "-o", "circuit.htm").err
    assert "did you mean" not in run("graph", "a", "-o", "circuit.jpg").err


def test_what_mermaid_would_refuse_is_warned_of() -> None:
    small, large = (run("graph", deep(gates), "--format", "mermaid") for gates in (30, 501))
    assert (small.status, small.err) == (large.status, "")
    assert large.err.startswith("warning: Mermaid draws up to 50,000 characters and 500 arrows")
    assert large.err.endswith("or write -o circuit.dot for Graphviz\n")
