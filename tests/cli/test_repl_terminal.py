"""A session at a real pseudo-terminal: keys go in, and what is on the screen is looked at."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.pictures.terminal import Terminal

COMMAND = [sys.executable, "-m", "gradcalc"]
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts sessions; those that are still running at the end are stopped."""
    running = []

    def started(*arguments: str, awaited: str = "statements", columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
        environment.setdefault("GRADCALC_HISTORY", str(tmp_path / "history"))
        terminal = Terminal([*COMMAND, *arguments], columns, rows, environment, str(tmp_path))
        running.append(terminal)
        terminal.wait(awaited)
        return terminal

    yield started
    for terminal in running:
        terminal.__exit__(None, None, None)


def test_a_session(start: Start) -> None:
    terminal = start()
    assert "\n>\n" in terminal.text()
    assert terminal.screen.display[-1].startswith(" 0 statements ")
    terminal.enter("a = 2", "a = 2")
    screen = terminal.enter("a*b", "give it one: b = NUMBER")
    assert "error: b has no value\n  a*b\n    ^\n" in screen
    screen = terminal.enter("b = 3", "✓ ok")
    assert "b = 3\na*b = 6   ✓ ok\n  gradient  a 3   b 2\n" in screen
    assert terminal.screen.display[-1].startswith(" 3 nodes  ✓ ok ")
    assert terminal.screen.display[-1].rstrip().endswith(":help")
    screen = terminal.enter(":eval", "verdict")
    assert re.search(r"\n2  a\*b +\* +a, b +6 +1 +1 ±", screen)
    terminal.enter("2a", "to multiply, write 2*a")
    terminal.enter("_ + 1", "a*b + 1 = 7")
    terminal.type("\x04")
    assert terminal.finish() == 0


def test_open_brackets_make_a_new_line(start: Start) -> None:
    terminal = start()
    terminal.type("max(\r  1,\r  2\r)")
    terminal.wait("… )")
    assert "> max(\n…   1,\n…   2\n… )\n" in terminal.text()
    terminal.enter("", "max(1, 2) = 2")


def test_pasted_lines_are_one_entry(start: Start) -> None:
    terminal = start()
    terminal.type("\x1b[200~a = 2\ns = [a,\n 3]\nsum(s)\x1b[201~")
    terminal.wait("… sum(s)")
    assert "sum(s) = 5   ✓ ok" in terminal.enter("", "sum(s) = 5")


def test_tab_completes_gates_with_their_formulas(start: Start) -> None:
    terminal = start()
    terminal.type("sigm\t")
    terminal.wait("> sigmoid(")
    assert "sigmoid(x)  1/(1 + exp(-x))" in terminal.screen.display[-1].replace(" = ", "  ")
    terminal.type("\x03")
    terminal.type("sof\t")
    screen = terminal.wait("softplus(x)")
    assert "softmax(x, axis=-1)" in screen
    assert "log(1 + exp(x))" in screen
    terminal.type("\t")
    terminal.wait("> soft")
    terminal.type("\r")  # takes what is chosen, and stays on the line
    terminal.type("[2, 2])\r")
    terminal.wait("softmax([2, 2]) = [0.5, 0.5]")


def test_commands_are_offered_as_they_are_typed(start: Start) -> None:
    terminal = start()
    terminal.type(":s")
    screen = terminal.wait(":save")
    assert "Write the session as a program" in screen
    terminal.type("ave x.gc\r")
    terminal.wait("there is nothing to save")
    terminal.type(":eval 1 --chec\t")
    terminal.wait("--check-all")


def test_control_c_abandons_the_line(start: Start) -> None:
    terminal = start()
    terminal.enter("a = 2", "a = 2")
    terminal.type("a*(3 +\r\x03")
    terminal.wait("…")
    terminal.enter("a*5", "a*5 = 10")


def test_control_c_interrupts_a_computation(start: Start) -> None:
    terminal = start()
    terminal.enter("a = 2; a*3", "a*3 = 6")
    terminal.type("n = 2000; sum(inv(randn(n, n)) @ randn(n, n)) + a\r")
    terminal.wait("\nn = 2000\n")
    terminal.type("\x03\x03\x03")
    terminal.wait("interrupted: the session is as it was before this statement")
    terminal.enter("_*2", "a*3*2 = 12")


def test_the_history_is_kept_and_searched(start: Start) -> None:
    first = start()
    first.enter("alpha = 1", "alpha = 1")
    first.enter("beta = 2", "beta = 2")
    first.type("\x04")
    assert first.finish() == 0
    second = start()
    second.type("\x12alph")
    second.wait("alpha = 1")
    second.type("\r")  # ends the search, with the line found
    second.type("\r")
    second.wait("alpha = 1", 2)
    second.type("be\x1b[A")
    second.wait("> beta = 2")
    second.type("\x03")


def test_a_history_that_cannot_be_kept_is_a_warning(start: Start, tmp_path: Path) -> None:
    terminal = start(GRADCALC_HISTORY=str(tmp_path))
    assert "hold the history: is a directory" in terminal.text()
    terminal.enter("1+1", "1 + 1 = 2")


def test_colours_and_matching_brackets(start: Start) -> None:
    terminal = start()
    terminal.type("sin(2.5)")
    terminal.wait("> sin(2.5)")
    cells = terminal.line("> sin")
    assert [cell.fg for cell in cells[2:5]] == ["cyan"] * 3
    assert cells[6].fg == "green"
    assert cells[5].underscore and cells[9].underscore and not cells[4].underscore
    terminal.enter("", "sin(2.5) = ")
    assert terminal.line("sin(2.5) = ")[11].fg == "green"


def test_no_colours_where_they_are_not_wanted(start: Start) -> None:
    terminal = start(NO_COLOR="1")
    terminal.enter("x = 3; x*2", "✓ ok")
    terminal.type("sin(")
    terminal.wait("> sin(")
    cells = [cell for row in range(24) for cell in terminal.screen.buffer[row].values()]
    assert {cell.fg for cell in cells} | {cell.bg for cell in cells} == {"default"}


def test_plain_signs_in_the_plain_locale(start: Start) -> None:
    terminal = start(LC_ALL="C")
    terminal.enter("x = 3; x*2", "x*2 = 6   ok")
    terminal.type("f(\r")
    terminal.wait("\n.")
    assert terminal.text().isascii()


def test_a_dumb_terminal(start: Start) -> None:
    terminal = start(TERM="dumb", awaited=">")
    terminal.enter("x = 3", "\nx = 3\n")
    assert "gradient  x 2" in terminal.enter("[x,\r1]\rx*2", "x*2 = 6   ok")
    prompts = terminal.text().count("\n>")
    terminal.type("x +\x03")
    terminal.wait("\n>", prompts + 1)
    terminal.enter("x*3", "x*3 = 9")
    terminal.type("\x04")
    assert terminal.finish() == 0
    assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(start: Start, columns: int) -> None:
    terminal = start(columns=columns, rows=50)
    terminal.enter("first = 1.5; second = 2.25; third = 1/3; fourth = pi", "fourth = ")
    screen = terminal.enter("sin(first)*second + third/fourth", "fourth -")
    last = screen.splitlines()[-1]
    assert len(last) <= columns
    assert last.rstrip().endswith(":help")
    terminal.enter(":help", "Ctrl-D")


def test_quitting(start: Start) -> None:
    for keys in (":quit\r", ":q\r", "\x04"):
        terminal = start()
        terminal.type(keys)
        assert terminal.finish() == 0


def test_input_at_a_terminal_with_its_output_elsewhere(start: Start, tmp_path: Path) -> None:
    command = f"{sys.executable} -m gradcalc repl > {tmp_path}/out"
    with Terminal(["sh", "-c", command], environment={"GRADCALC_HISTORY": ""}) as terminal:
        terminal.wait(">")
        terminal.type("x = 2\rx*3\r\x04")
        assert terminal.finish() == 0
    assert (tmp_path / "out").read_text() == "x = 2\nx*3 = 6   ✓ ok\n  gradient  x 3\n"


def test_a_quiz(start: Start) -> None:
    terminal = start("quiz", "--seed", "3", "--questions", "1", awaited="\n  f =\n")
    terminal.enter("1234", "df/dx =")
    terminal.type("\x04")
    assert terminal.finish() == 1
    assert "Score: 0 of 1 number right" in terminal.text()
