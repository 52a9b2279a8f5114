"""Help texts, their examples, and the catalogue."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from gradcalc.cli.application import EXAMPLES, gradcalc
from gradcalc.cli.command import Command
from gradcalc.cli.commands import COMMANDS
from gradcalc.gates import REGISTRY
from tests.cli.harness import run

ANSI = re.compile("\x1b\\[[0-9;]*m")


def command(name: str) -> Command:
    found = gradcalc.get_command(gradcalc.make_context("gradcalc", [], resilient_parsing=True), name)
    assert isinstance(found, Command)
    return found


LINES = [*EXAMPLES, *(example.line for name in COMMANDS for example in command(name).examples)]


@pytest.mark.parametrize("line", LINES)
def test_examples_run(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(Path("examples").absolute())
    monkeypatch.chdir(tmp_path)
    passed: str | None = None
    for call in line.split(" | "):
        command, *arguments = shlex.split(call)
        if command in ("echo", "printf"):
            passed = arguments[0].replace("\\n", "\n") + "\n"
            continue
        assert command == "gradcalc"
        answer = run(*arguments, stdin=passed)
        assert answer.status == 0, answer.err
        assert answer.err == "" or answer.err.startswith("shown in part: ")
        passed = answer.out
    assert passed or len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    answer = run(name, "--help")
    assert answer.status == 0
    assert answer.err == ""
    assert command(name).examples
    for example in command(name).examples:
        assert example.line in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_main_help() -> None:
    answer = run("--help")
    assert answer == run("-h")
    for name, entry in COMMANDS.items():
        assert re.search(f"  {name} +{re.escape(entry.words)}\n", answer.out)


def test_no_arguments_on_a_terminal() -> None:
    assert run() == run("--help")


@pytest.mark.parametrize("arguments", [["--version"], ["eval", "--version"], ["x", "--version"], ["gates", "--version"]])
def test_version(arguments: list[str]) -> None:
    answer = run(*arguments)
    assert (answer.status, answer.err) == (0, "")
    assert re.fullmatch(r"gradcalc \S+\n", answer.out)


def test_version_as_an_input() -> None:
    answer = run("version*2", "--version", "3")
    assert answer.status == 2
    assert answer.err.endswith("  if version is an input of the program, write --let version=3\n")
    assert run("version*2", "--let", "version=3", "--value").out == "6\n"


def test_help_after_a_program_lists_its_inputs() -> None:
    out = run("r = pi/2; a*b*sin(r)", "--b", "3", "--help").out
    section = out[out.index("Inputs of this program:") :].split("\n\n")[0].splitlines()[1:]
    assert [line.split(maxsplit=2) for line in section] == [
        ["--r", "VALUE", "default pi/2"],
        ["--a", "VALUE", "needs a value"],
        ["--b", "VALUE", "needs a value"],
    ]
    assert "Inputs of this program" not in run("eval", "--help").out
    assert run("a*", "--help").status == 0


def test_help_tells_how_to_bind_names_of_options() -> None:
    out = run("value*x + help", "--help").out
    section = out[out.index("Inputs of this program:") :].split("\n\n")[0].splitlines()[1:]
    assert [line.split("  ")[1] for line in section] == ["--let value=VALUE", "--x VALUE", "--let help=VALUE"]


def test_help_before_anything_else() -> None:
    assert run("-h", "--formt", "3") == run("--help")
    for line in (("-h", "--h", "3"), ("eval", "-h", "--h=3")):
        assert run(*line) == (2, "", "error: -h asks for help\n  for the program -h, write it behind the options: -- -h\n")
    assert run("--h", "3", "--value", "--", "-h").out == "-3\n"


def test_catalogue() -> None:
    answer = run("gates")
    assert answer.status == 0
    for gate in REGISTRY.records():
        assert gate.title in answer.out
    assert "  a + b  " in answer.out
    assert "\narithmetic\n" in "\n" + answer.out


def test_catalogue_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    lines = ANSI.sub("", run("gates", terminal=True).out).splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", [40, 60])
def test_narrow_catalogue(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    lines = run("gates", terminal=True).out.splitlines()
    assert lines[1:3] == ["  a + b", "    sum"]
    assert max(map(len, lines)) <= 60
    assert max(map(len, run("gates", "gelu", terminal=True).out.splitlines()[:3])) <= columns


def test_families() -> None:
    out = run("gates", "activations").out
    assert out.startswith("activations\n")
    assert "sigmoid(x)" in out
    assert "sqrt" not in out


@pytest.mark.parametrize("name", ["sigmoid", "+", "log", "ln", "^", "pow", "x.T", "transpose", "max"])
def test_pages(name: str) -> None:
    answer = run("gates", name)
    if name == "x.T":
        assert answer.status == 2
        return
    assert answer.status == 0
    assert "  domain " in answer.out
    assert "  gradcalc eval " in answer.out
    assert "✓ ok" in answer.out


def test_unknown_gates() -> None:
    assert run("gates", "sigmod") == (2, "", "error: there is no gate sigmod\n  did you mean sigmoid?\n")
    assert run("gates", "").err == "error: the name of the gate is empty\n  gradcalc gates shows all of them\n"
    assert run("gates", "qqqqqq").err == "error: there is no gate qqqqqq\n  gradcalc gates shows all of them\n"


def test_mistyped_options_of_a_plain_command() -> None:
    answer = run("gates", "--formt", "json")
    assert answer == (2, "", "error: there is no option --formt\n  did you mean --format?\n")
    answer = run("gates", "sigmoid", "tanh")
    assert answer.status == 2
    assert answer.err.startswith("error: got unexpected extra argument (tanh)\n  see gradcalc gates --help")


def test_catalogue_as_json() -> None:
    documents = [json.loads(line) for line in run("gates", "--format", "json").out.splitlines()]
    assert len(documents) == len(list(REGISTRY.records()))
    sigmoid = next(document for document in documents if document["name"] == "sigmoid")
    assert sigmoid["formula"] == "1/(1 + exp(-x))"
    assert [json.loads(run("gates", "sigmoid", "--format", "json").out)] == [sigmoid]
