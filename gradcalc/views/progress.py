"""How far a long check is, on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 0.5
"""After so many seconds a bar appears; what is quicker needs none."""


class ProgressBar:
    """A bar on standard error that comes when a check takes long and goes when it is done; nothing where nobody watches."""

    def __init__(self, words: str, watched: bool = True) -> None:
        self._words = words
        self._watched = watched and sys.stderr.isatty()
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that so much of so much is done."""
        if not self._watched:
            return
        if done >= total:
            self._stop()
            self._began = time.monotonic()
        elif self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._began > PATIENCE:
            self._start(done, total)

    def _start(self, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._words, completed=done, total=total)
        self._bar.start()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
