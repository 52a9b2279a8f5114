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

from gradcalc.views.charts import chart
from gradcalc.views.numbers import rounded_text
from gradcalc.views.progress import bar_console
from gradcalc.views.surface import surface_of

if TYPE_CHECKING:
    from rich.live import Live

PATIENCE = 0.5
"""After so many seconds a curve appears; what is quicker needs none."""

PAUSE = 0.15
"""How many seconds pass between two drawings."""

KEPT = 400
"""How many points of a curve are kept; with more, every two that follow each other become one."""

ROWS = 12
"""The height of the curve, where the terminal has room for it."""


class Points:
    """Points of a curve, merged into their means as they become many: what comes back every few points must not be all one sees."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self._every = 1
        self._held: list[tuple[float, float]] = []

    def add(self, x: float, y: float) -> None:
        """One more point, which is seen when as many have come as make one."""
        if not math.isfinite(y):
            return
        self._held.append((x, y))
        if len(self._held) < self._every:
            return
        self.x.append(math.fsum(x / self._every for x, _ in self._held))
        self.y.append(math.fsum(y / self._every for _, y in self._held))
        self._held = []
        if len(self.x) >= KEPT:
            self.x, self.y = _halved(self.x), _halved(self.y)
            self._every *= 2


def _halved(values: list[float]) -> list[float]:
    return [first / 2 + second / 2 for first, second in zip(values[::2], values[1::2])]


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
    """The curve of a value over the steps, on standard error. Nothing where nobody watches, or NO_COLOR is set.

    Used as a context, again for each search. Results are written outside of it: what it has drawn is wiped off at its end.
    """

    def __init__(self, title: str, unit: str = "step", watched: bool = True) -> None:
        """Show nothing yet.

        Args:
            title: what the value is.
            unit: what is counted.
            watched: whether anything may be shown at all.
        """
        surface = surface_of(sys.stderr)
        self.watched = watched and surface.colour and surface.unicode
        self._unit = unit
        self._live: Live | None = None
        self._next = 0.0
        self.begin_again(title)

    def begin_again(self, title: str) -> Self:
        """Another search: an empty curve."""
        self._title = title
        self._points = Points()
        self._part = 0
        self._first: tuple[float, float] | None = None
        return self

    def __enter__(self) -> Self:
        self._next = time.monotonic() + PATIENCE
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._live is not None:
            with Uninterrupted():
                self._live.stop()
                self._live = None

    def add(self, done: float, total: float, value: float, part: int = 0, parts: int = 1) -> None:
        """So many steps of so many are done, and this is the value; of several starts this is one, counted from 0."""
        if not self.watched:
            return
        if part != self._part:
            self._part, self._points = part, Points()
        self._points.add(done, value)
        now = time.monotonic()
        share = (part + done / max(total, 1.0)) / parts
        if self._first is None:
            self._first = share, now
        if now >= self._next:
            words = f"start {part + 1} of {parts}, " if parts > 1 else ""
            words += f"{self._unit} {int(done)} of {int(total)}: {rounded_text(value, 6)}"
            with Uninterrupted():
                self._draw(words, share, self._left(share, now))
            self._next = time.monotonic() + PAUSE

    def _left(self, share: float, now: float) -> str:
        """How long it may take still, by the pace since the first step seen here: a resumed run made others before."""
        assert self._first is not None
        gained, seconds = share - self._first[0], now - self._first[1]
        left = (1.0 - share) * seconds / gained if gained > 0.0 else math.inf
        return f"{left // 60:.0f}:{left % 60:02.0f} left" if left < 1e5 else ""

    def _draw(self, words: str, share: float, left: str) -> None:
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=bar_console(), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(self._picture(words, share, left), refresh=True)

    def _picture(self, words: str, share: float, left: str) -> Any:
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
        bar = Table.grid(padding=(0, 1), expand=False)
        bar.add_row(Text(words), ProgressBar(total=1.0, completed=share, width=max(8, min(40, columns - len(words) - 14))), left)
        pieces.append(bar)
        return Group(*pieces)


def curve_text(x: Sequence[float], y: Sequence[float], columns: int, rows: int) -> str:
    """A curve in braille, in a frame with round numbers, as lines of text without colours."""
    low, high = min(y), max(y)
    room = 0.0 if low < high else abs(low) * 0.1 or 1.0
    return "\n".join(chart([(x, y)], (x[0], x[-1]), (low - room, high + room), columns, rows))
