"""Shell completion, through click's own mechanism."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gradcalc.cli.application import COMPLETION_VARIABLE
from gradcalc.cli.commands import COMMANDS
from tests.cli.harness import ROOT, run


def completions(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """What bash is offered for the last word."""
    monkeypatch.setenv(COMPLETION_VARIABLE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(("gradcalc", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    answer = run()
    assert answer.err == ""
    return [line.partition(",")[2] for line in answer.out.split()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv(COMPLETION_VARIABLE, f"{shell}_source")
    if shell == "bash":
        pytest.importorskip("click.shell_completion")
    answer = run()
    assert answer.status == 0
    assert COMPLETION_VARIABLE in answer.out


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "") == list(COMMANDS)
    assert completions(monkeypatch, "ga") == ["gates"]


def test_options_of_the_default_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "--for") == ["--format"]
    assert "--version" in completions(monkeypatch, "--")
    assert completions(monkeypatch, "'2*3'", "--for") == ["--format"]


def test_options_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "eval", "--che") == ["--check", "--check-all"]
    assert "--check" not in completions(monkeypatch, "gates", "--")
    assert completions(monkeypatch, "eval", "--format", "json", "--for") == []


def test_values_of_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "eval", "--check", "c") == ["central", "complex"]
    assert completions(monkeypatch, "'a+b'", "--a", "1", "--format", "") == ["table", "json", "csv"]


def test_inputs_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "'aa+ab+b'", "--ab", "1", "--a") == ["--all", "--aa"]


def test_inputs_with_names_of_options_need_let(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "'value+x'", "--va") == ["--value"]


def test_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, "gates", "sigm") == ["sigmoid"]
    assert "arcsin" in completions(monkeypatch, "gates", "a")


def test_completion_and_help_import_nothing_heavy() -> None:
    program = (
        "import sys; from gradcalc.cli import main; main(sys.argv[1:]); "
        "print(sorted({'lark', 'rich', 'numpy', 'prompt_toolkit'} & set(sys.modules)), file=sys.stderr)"
    )
    for arguments in (["--help"], ["eval", "--help"], ["gates", "--help"]):
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, cwd=ROOT, check=True)
        assert done.stderr.strip() == b"[]"
