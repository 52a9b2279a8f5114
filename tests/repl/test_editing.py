"""What helps while typing: colours, completion, the hint of the open gate, and the history."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory

from gradcalc.gates import REGISTRY
from gradcalc.repl import commands
from gradcalc.repl.completion import SessionCompleter, gate_hints
from gradcalc.repl.highlight import StatementLexer, coloured
from gradcalc.repl.history import history_path, open_history
from gradcalc.repl.prompt import open_call
from tests.repl.harness import Played


def kinds(text: str, *lines: str) -> list[tuple[str, str]]:
    """The words of a text with their colours."""
    played = Played(*lines)

    def known(name: str) -> bool:
        return commands.find(name) is not None or name in played.shell.commands

    return [(text[start:end], kind) for start, end, kind in coloured(text, played.session, known)]


def test_words_are_coloured_by_what_they_are() -> None:
    assert kinds("s = sigmoid(a*2.5) + pi - _ # and so on", "a = 1") == [
        ("s", "name"), ("sigmoid", "gate"), ("a", "input"), ("2.5", "number"), ("pi", "constant"), ("_", "last"),
        ("# and so on", "comment"),
    ]  # fmt: skip
    assert kinds("f(u) = g(u)") == [("f", "gate"), ("u", "name"), ("g", "unknown-gate"), ("u", "name")]
    assert kinds("1; f(u) = 2; u") == [("1", "number"), ("f", "gate"), ("u", "name"), ("2", "number"), ("u", "name")]
    assert kinds("f(3)", "f(u) = u") == [("f", "gate"), ("3", "number")]
    assert kinds('load("a # b.csv") $') == [("load", "gate"), ('"a # b.csv"', "string"), ("$", "error")]
    assert kinds(":eval a --wrt a", "a = 1") == [(":eval", "command"), ("a", "input"), ("--wrt", "option"), ("a", "input")]
    assert kinds(":evil 1")[0] == (":evil", "unknown-command")


def test_colours_go_on_over_lines() -> None:
    played = Played()
    text = "f(1, # one\n  2,\n\n 'a')"
    lines = StatementLexer(played.session, bool).lex_document(Document(text))
    assert ["".join(piece[1] for piece in lines(number)) for number in range(5)] == [*text.split("\n"), ""]
    assert ("class:comment", "# one") in lines(0)
    assert ("class:number", "2") in lines(1)


def offered(text: str, *lines: str, unicode: bool = True) -> dict[str, str]:
    """What is offered at the end of a text, with the hints."""
    completer = SessionCompleter(Played(*lines), unicode)
    found: list[Completion] = list(completer.get_completions(Document(text), CompleteEvent(completion_requested=True)))
    return {made.text: made.display_meta_text for made in found}


def test_gates_are_offered_with_their_formulas() -> None:
    found = offered("1 + sig")
    assert found == {"sigmoid(": "1/(1 + exp(-x))  logistic function", "sign(": "sign"}
    assert list(offered("2*arcs")) == ["arcsin(", "arcsinh("]
    assert {name for name, _, _ in gate_hints()} == {name for name in (*REGISTRY, *REGISTRY.aliases) if name.isidentifier()}


def test_names_of_the_session_come_first() -> None:
    found = offered("s", "speed = 3", "s1 = speed*x", "swap(u) = 2*u")
    assert list(found.items())[:3] == [("speed", "speed = 3"), ("s1", "s1 = speed*x"), ("swap(", "2*u")]
    assert offered("x", "y = x1 + 2")["x1"] == "no value yet"
    assert "speed" in offered("", "speed = 3")
    found = offered("ta")
    assert found["tan("] == "tangent"
    assert found["tau"] == "constant 6.283185307"


def test_commands_and_options_are_offered() -> None:
    assert offered(":e") == {"eval": "Values and gradients."}
    assert set(offered(":")) == {*commands.COMMANDS, "eval", "gates", "plot"}
    assert offered(":help sa").keys() == {"save"}
    assert "sigmoid" in offered(":help sigm")
    assert offered(":gates tan").keys() == {"tan", "tanh"}
    assert offered(":open relu,sig").keys() == {"sigmoid", "sign"}
    assert offered(":eval a --w", "a = 1; w = 2") == {"--wrt": "Names.", "--w": "input, w = 2"}
    assert offered(":eval a --", "a = 1").keys() == {"--value", "--wrt", "--a"}
    assert "sigmoid(" in offered(":eval sig")
    assert offered(":eval 3 -") == {"--value": "Bare.", "--wrt": "Names.", "-f": "File."}


def test_files_are_offered(tmp_path: Path) -> None:
    (tmp_path / "model.gc").write_text("a")
    assert offered(f":load {tmp_path}/mo") == {"del.gc": ""}


@pytest.mark.parametrize("text", ["# sig", "a # sig", "load('sig", '"x" + "sig'])
def test_nothing_is_offered_in_comments_and_strings(text: str) -> None:
    assert offered(text) == {}


def test_hints_are_plain_where_the_terminal_is() -> None:
    assert all(hint.isascii() for hint in offered("", unicode=False).values())
    assert all(len(hint) <= 60 for hint in offered("").values())


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("sigmoid(", "sigmoid"),
        ("max(sin(x), ", "max"),
        ("sin(x)", ""),
        ("f([1, 2", "f"),
        ("(a + b", ""),
        ("log((a", "log"),
        ("x[", "x"),
    ],
)
def test_the_gate_that_is_open(before: str, name: str) -> None:
    assert open_call(before) == name


def test_the_place_of_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCALC_HISTORY", "/x/h")
    assert history_path() == Path("/x/h")
    monkeypatch.setenv("GRADCALC_HISTORY", "")
    assert history_path() is None
    monkeypatch.delenv("GRADCALC_HISTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert history_path() == Path("/state/gradcalc/history")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/me")
    assert history_path() == Path("/home/me/.local/state/gradcalc/history")


def test_the_history_is_kept_for_its_owner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "new" / "history"
    monkeypatch.setenv("GRADCALC_HISTORY", str(path))
    warnings: list[str] = []
    history = open_history(warnings.append)
    assert isinstance(history, FileHistory)
    history.store_string("a = 1\nb")
    assert list(open_history(warnings.append).load_history_strings()) == ["a = 1\nb"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert warnings == []


def test_a_history_that_cannot_be_kept_is_only_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "history"):
        monkeypatch.setenv("GRADCALC_HISTORY", str(path))
        warnings: list[str] = []
        assert isinstance(open_history(warnings.append), InMemoryHistory)
        assert warnings[0].startswith(f"{path} can't hold the history: ")


def test_a_history_that_fails_later_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    monkeypatch.setenv("GRADCALC_HISTORY", "/dev/full")
    warnings: list[str] = []
    history = open_history(warnings.append)
    history.store_string("a")
    history.store_string("b")
    assert warnings == ["the history can't be written: no space left on device"]


def test_a_gate_over_several_lines_is_offered_in_one() -> None:
    assert offered("squi", "squid(u, v) = (u^2\n  + v)")["squid("] == "(u^2 + v)"
