"""A session written down: a file that gives the same results, and the program that a command works on."""

from __future__ import annotations

import pytest

from gradcalc.errors import GradcalcError
from gradcalc.repl.session import Session
from gradcalc.repl.writing import program_for, saved_text
from gradcalc.workspace import Workspace
from tests.repl.test_session import started, take


def shown(session: Session) -> list[object]:
    """What the expressions of a session evaluate to."""
    return [plain(session.result(cell).value) for cell in session.state.cells if not cell.uses.target]


def plain(value: object) -> object:
    return value.tolist() if hasattr(value, "tolist") else value


def evaluated(text: str, values: dict[str, object] | None = None) -> list[object]:
    found = []
    for answer in Workspace(values).answers(text):
        assert not isinstance(answer, GradcalcError), answer
        found.append(plain(answer.value))
    return found


SESSIONS = [
    "a = 2; b = 3; a*b; _ + a; _*_; x = _; x/2",
    "(a + b)/c; a = 1; b = 2; c = 3; a = 10",
    "s = a*x; a = 2; x = y; y = 4; s; s = s + 1; s",
    "f(u) = u*k; k = 3; f(2); f(u) = u + k",
    "W = randn(2, 3); sum(W); rand()*k; k = 2; _ - 1; _*_",
    "t = 1 + rand(); u = t + k + rand(); k = 1; u; t",
    "e; e = 3; 2*e # a comment\n_ + 1",
    "f(u, v) = u*v; f(1,\n 2); [1,\n  2]; _*2; -3; x = _; x",
    "x = 2; x = -x; x = x^2; x",
]


@pytest.mark.parametrize("text", SESSIONS)
def test_a_saved_session_evaluates_to_what_was_shown(text: str) -> None:
    session = Session()
    take(session, text)
    written, remarks = saved_text(session)
    assert evaluated(written) == shown(session)
    assert remarks == []


def test_a_saved_session_is_readable() -> None:
    session = started("a = 2; a*3; _ + 1; _*_")
    assert saved_text(session)[0] == "a = 2\na*3\n_1 = (a*3) + 1\n_1\n_1*_1\n"
    take(session, "_1 = 5")
    assert "_2 = (a*3) + 1\n_2\n_2*_2\n" in saved_text(session)[0]


def test_a_gate_that_draws_cannot_be_repeated_without_a_seed() -> None:
    session = started("f(u) = u*rand(); f(2)")
    assert saved_text(session) == ("f(u) = u*rand()\nf(2)\n", ["f draws anew in every run: give eval a --seed to repeat one"])


def test_the_program_of_a_command_is_the_last_expression() -> None:
    session = started("a = 2; f(u) = u*a; f(3); a + 1")
    assert program_for(session, None) == ("a = 2\nf(u) = u*a\n", "a + 1", {})
    assert program_for(session, "f(a) * 2") == ("a = 2\nf(u) = u*a\n", "f(a) * 2", {})
    assert program_for(session, "_^2; _*_")[:2] == ("a = 2\nf(u) = u*a\n_1 = a + 1\n", "(a + 1)^2; _1*_1")
    assert program_for(Session(), None) == ("", "", {})
    assert program_for(Session(), "1+1") == ("", "1+1", {})
    assert program_for(started("s = a*2"), None) == ("s = a*2\n", "s", {})


@pytest.mark.parametrize("expression", [None, "_*2", "_*_", "s + _", "_; _*_"])
def test_the_program_of_a_command_has_the_same_numbers(expression: str | None) -> None:
    session = started("W = randn(3); k = rand() + z; z = 1; sum(W)*k")
    take(session, "s = _*2")
    definitions, target, values = program_for(session, expression)
    results = evaluated(definitions + target, values)
    expected = []
    for part in (expression or "_").split(";"):
        copy = session.state
        # `_` keeps its meaning over the whole line of a command.
        expected.append(plain(session.result(take(session, part).cell).value))
        session.restore(copy)
    assert results == expected


def test_what_is_wrong_behind_a_command_is_left_to_the_command() -> None:
    session = started("a = 1; a*2")
    for text in ("sin(", "2x + _", "a ++", ")"):
        definitions, target, _ = program_for(session, text)
        assert definitions == "a = 1\n"
        assert target.replace("(a*2)", "_") == text
