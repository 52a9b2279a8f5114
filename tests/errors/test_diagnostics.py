"""Golden diagnostics: one mistake a file, with everything that is said about it.

A file holds the program, a line `---`, and the expected standard error. If its first line begins with `$`, what follows are
arguments of the command line, and the lines up to `---` are standard input. After a change of wording run

    GRADCALC_UPDATE=1 python -m pytest tests/errors

and read the difference: every line of it is something that a user will be told.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from pathlib import Path

import pytest

from gradcalc.cli import main
from gradcalc.errors import GradcalcError
from gradcalc.language.program import Program

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.txt"))
UPDATE = bool(os.environ.get("GRADCALC_UPDATE"))


def said_by_language(body: str) -> str:
    """What reading a program says, errors and warnings."""
    lines: list[str] = []
    for statement in Program().statements(body):
        if isinstance(statement, GradcalcError):
            lines.append(statement.report())
        else:
            lines.extend(warning.report("warning") for warning in statement.warnings)
    return "\n".join(lines)


def said_by_command_line(arguments: list[str], body: str) -> str:
    """What the whole command says on standard error, with the body on standard input."""
    kept = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(body), io.StringIO(), io.StringIO()
    try:
        status = main(arguments)
        answer = sys.stderr.getvalue().rstrip("\n")
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept
    assert status == (2 if "error: " in answer else 0)
    return answer


def said(body: str) -> str:
    """What is said about the body of a golden file."""
    if body.startswith("$ "):
        first, _, rest = body.partition("\n")
        return said_by_command_line(shlex.split(first[2:]), rest)
    return said_by_language(body)


def read(path: Path) -> tuple[str, str]:
    """The body of a golden file, and what it expects."""
    with path.open(encoding="utf-8", newline="") as file:
        body, _, expected = file.read().partition("\n---\n")
    return body, expected.rstrip("\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_said_about_a_mistake(path: Path) -> None:
    body, expected = read(path)
    answer = said(body)
    if UPDATE:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(f"{body}\n---\n{answer}\n")
    else:
        assert answer == expected
    assert answer, "a golden file must hold a mistake"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_diagnostic_is_one_of_ours(path: Path) -> None:
    _, expected = read(path)
    first = expected.splitlines()[0]
    assert first.startswith(("error: ", "warning: "))
    for foreign in ("$END", "__ANON", "LPAR", "RPAR", "LSQB", "Traceback", "Unexpected", "Token("):
        assert foreign not in expected


def test_there_are_many() -> None:
    assert len(FILES) >= 70
