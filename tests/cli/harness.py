"""Runs command lines, in this process or in one of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gradcalc.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "gradcalc"]


class Answer(NamedTuple):
    """What a command line came to."""

    status: int
    out: str
    err: str


class Stream(io.TextIOWrapper):
    """A text stream that may say it is a terminal."""

    def __init__(self, text: str = "", terminal: bool = False) -> None:
        self.bytes = io.BytesIO(text.encode())
        super().__init__(self.bytes, encoding="utf-8", newline="")
        self.terminal = terminal

    def isatty(self) -> bool:
        """What it says."""
        return self.terminal

    def content(self) -> str:
        """All that was written."""
        return self.bytes.getvalue().decode()


def run(*arguments: str, stdin: str | None = None, terminal: bool = False) -> Answer:
    """Run a command line in this process; without `stdin`, standard input is a terminal at which nobody types."""
    out, err = Stream(terminal=terminal), Stream()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", Stream(stdin or "", terminal=stdin is None))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        status = main(list(arguments))
    return Answer(status, out.content(), err.content())


def value(*arguments: str, stdin: str | None = None) -> str:
    """The bare result of a command line that has nothing to complain of."""
    answer = run(*arguments, "--value", stdin=stdin)
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out


def process(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command line as a process of its own."""
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, cwd=ROOT, timeout=60, check=False)


def written_files(process: int, folder: Path) -> list[Path]:
    """The files in a folder that a process has open and has written to, also those that have no name yet."""
    handles = Path(f"/proc/{process}/fd")
    if not handles.is_dir():
        return [path for path in folder.iterdir() if path.stat().st_size]
    found = []
    for handle in list(handles.iterdir()):
        try:
            if os.readlink(handle).startswith(f"{folder.resolve()}/") and handle.stat().st_size:
                found.append(handle)
        except OSError:
            continue  # closed in between
    return found
