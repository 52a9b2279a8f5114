"""A curve that grows on a terminal while a search is under way, with a bar below it; gone when the search is over."""

from __future__ import annotations

import math
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from gradcalc.views.numbers import rounded_text
from gradcalc.views.surface import surface_of

if TYPE_CHECKING:
    from rich.live import Live

PATIENCE = 0.5
"""After so many seconds a curve appears; what is quicker needs none."""

PAUSE = 0.15
"""How many seconds pass between two drawings."""

KEPT = 400
"""How many points of a curve are kept; with more, every other one is forgotten."""

ROWS = 12
"""The height of the curve, where the terminal has room for it."""


class Points:
    """Points of a curve, evenly thinned out as they become many."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self._every = 1
        self._passed = 0

    def add(self, x: float, y: float) -> None:
        """One more point, if its turn has come."""
        self._passed += 1
        if self._passed % self._every or not math.isfinite(y):
            return
        self.x.append(x)
        self.y.append(y)
        if len(self.x) > KEPT:
            del self.x[1::2], self.y[1::2]
            self._every *= 2


class Uninterrupted:
    """Ctrl-C waits until this context is over: plotext's destructors would swallow it."""

    def __init__(self) -> None:
        self._before: Any = None
        self._pressed = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def _press(self, number: int, frame: FrameType | None) -> None:
        self._pressed = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if self._pressed:
                self._before(signal.SIGINT, None)


class LiveCurve:
    """The curve of a value over the steps, on standard error. Nothing where nobody watches, or NO_COLOR is set."""

    def __init__(self, title: str, unit: str = "step", watched: bool = True) -> None:
        """Show nothing yet.

        Args:
            title: what the value is.
            unit: what is counted.
            watched: whether anything may be shown at all.
        """
        surface = surface_of(sys.stderr)
        self.watched = watched and surface.colour and surface.unicode
        self._title = title
        self._unit = unit
        self._points = Points()
        self._next = time.monotonic() + PATIENCE
        self._began = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._live is not None:
            with Uninterrupted():
                self._live.stop()
                self._live = None

    def begin_again(self, title: str) -> None:
        """Another search: an empty curve."""
        self._title = title
        self._points = Points()
        self._began = time.monotonic()

    def add(self, done: float, total: float, value: float) -> None:
        """So many steps of so many are done, and this is the value."""
        if not self.watched:
            return
        self._points.add(done, value)
        now = time.monotonic()
        if now >= self._next:
            with Uninterrupted():
                self._draw(done, total, value)
            self._next = time.monotonic() + PAUSE

    def _draw(self, done: float, total: float, value: float) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True, highlight=False), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(self._picture(done, total, value), refresh=True)

    def _picture(self, done: float, total: float, value: float) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        columns, lines = shutil.get_terminal_size()
        rows = min(ROWS, lines - 5)
        pieces: list[Any] = []
        if rows >= 5 and columns >= 40 and len(self._points.x) > 1:
            pieces.append(Text(f"{self._title}, by {self._unit}", no_wrap=True, overflow="ellipsis"))
            pieces.append(Text(curve_text(self._points.x, self._points.y, columns - 1, rows), style="cyan", no_wrap=True))
        left = (total - done) * (time.monotonic() - self._began) / done if done else math.inf
        remaining = f"{left // 60:.0f}:{left % 60:02.0f} left" if left < 1e5 else ""
        bar = Table.grid(padding=(0, 1), expand=False)
        words = f"{self._unit} {int(done)} of {int(total)}: {rounded_text(value, 6)}"
        bar.add_row(
            Text(words), ProgressBar(total=total, completed=done, width=max(8, min(40, columns - len(words) - 14))), remaining
        )
        pieces.append(bar)
        return Group(*pieces)


def curve_text(x: Sequence[float], y: Sequence[float], columns: int, rows: int) -> str:
    """A curve in braille, in a frame with numbers, as lines of text without colours."""
    import plotext

    figure = plotext.figure
    figure.clear()
    figure.plot_size(columns, rows)
    signal = figure.signal(list(x), list(y), marker="braille")
    signal.lines()
    figure.draw(signal)
    text = str(figure.build().string(True)).rstrip("\n")
    figure.clear()
    return text
