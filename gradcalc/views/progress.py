"""How far a long check is, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gradcalc.views.surface import surface_of

if TYPE_CHECKING:
    from rich.console import Console
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

    def _start(self, done: int, total: int | None) -> None:
        from rich.progress import Progress

        self._bar = Progress(*self._columns(), console=bar_console(), transient=True)
        self._task = self._bar.add_task(self._words, completed=done, total=total)
        self._bar.start()

    def _columns(self) -> Sequence[Any]:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        return TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def bar_console() -> Console:
    """Standard error for bars, which are plain ASCII where it can't show more."""
    from rich.console import Console

    class Plain(Console):
        encoding = property(lambda self: "ascii")  # what the terminal says of itself is not always so

    return Console(stderr=True, highlight=False) if surface_of(sys.stderr).unicode else Plain(stderr=True, highlight=False)


class RowsBar(ProgressBar):
    """A bar for a table whose rows pass by: how many have, and how fast; how many there are may be unknown."""

    def rows(self, rows: int, done: int, total: int | None) -> None:
        """Show that so many rows have passed, which are so much of so much, in whatever measure."""
        elapsed = time.monotonic() - self._began
        if not self._watched or (self._bar is None and elapsed <= PATIENCE):
            return
        if self._bar is None:
            self._start(done, total)
        assert self._bar is not None
        words = f"{rows:,} rows, {rate_text(rows / elapsed)}"
        self._bar.update(self._task, completed=done, total=total, description=f"{self._words} {words}")

    def _columns(self) -> Sequence[Any]:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

        return TextColumn("{task.description}"), BarColumn(bar_width=20), TaskProgressColumn(), TimeRemainingColumn()


def rate_text(rate: float) -> str:
    """How many rows a second: `830 rows/s`, `8.3 M rows/s`."""
    for unit, size in (("M ", 1e6), ("k ", 1e3)):
        if rate >= size:
            number = rate / size
            return f"{number:.1f} {unit}rows/s" if number < 100 else f"{number:.0f} {unit}rows/s"
    return f"{rate:.0f} rows/s"
