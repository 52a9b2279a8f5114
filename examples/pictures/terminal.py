"""A terminal in memory: runs a command at a pseudo-terminal, types, and knows what is on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

PATIENCE = 30.0
"""After so many seconds without what should come, something is wrong."""
QUIET = 0.08
"""A screen that has not changed for so long is finished."""
QUESTION = b"\x1b[6n"
"""A program's question where the cursor is."""


class Terminal:
    """A command at a terminal of its own.

    Attributes:
        screen: what is on it.
        raw: everything that the command has written.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        folder: str | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        own = {
            **os.environ,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        for name in ("NO_COLOR", "COLUMNS", "LINES", "COLORTERM", "PYTHONIOENCODING"):
            own.pop(name, None)
        self.process = subprocess.Popen(
            [*command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=own | dict(environment or {}),
            cwd=folder,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def enter(self, keys: str, awaited: str) -> str:
        """Press keys and then Enter; answers with the screen once these words are on it that were not before."""
        before = self.text().count(awaited)
        self.type(keys + "\r")
        return self.wait(awaited, before + 1)

    def wait(self, awaited: str, count: int = 1) -> str:
        """Read until the words are on the screen so many times and nothing more comes; answers with the screen.

        Raises:
            TimeoutError: they do not come.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not self._read(QUIET) and self.text().count(awaited) >= count:
                return self.text()
        raise TimeoutError(f"{awaited!r} did not come:\n{self.text()}")

    def finish(self) -> int:
        """Read until the command has ended; answers with its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(QUIET)
        while self._read(0):
            pass
        return self.process.wait(1)

    def text(self) -> str:
        """The lines on the screen, without blanks at their ends."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    def line(self, words: str) -> list[Any]:
        """The cells of the last line on the screen that begins with these words."""
        rows = [row for row, line in enumerate(self.screen.display) if line.startswith(words)]
        return [self.screen.buffer[rows[-1]][column] for column in range(self.screen.columns)]

    def _read(self, patience: float) -> bool:
        if not select.select([self._ours], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        self.raw += data
        for piece in re.split(b"(" + re.escape(QUESTION) + b")", data):
            if piece == QUESTION:
                self.type(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
            elif piece:
                self._stream.feed(piece)
        return bool(data)


def _take_terminal() -> None:
    """Make the terminal the process's own, so that Ctrl-C reaches it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
