"""The bar of a long check: only for those who watch, only if it takes long, and gone at the end."""

from __future__ import annotations

import io
import sys

import pytest

from gradcalc.views import progress
from gradcalc.views.progress import ProgressBar, RowsBar, rate_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "patience", "seen"), [(Terminal, 0.0, True), (Terminal, 60.0, False), (io.StringIO, 0.0, False)]
)
def test_a_bar_comes_only_to_a_terminal_and_only_after_a_while(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], patience: float, seen: bool
) -> None:
    shown = stream()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "PATIENCE", patience - 1e-9)
    with ProgressBar("checking elements") as bar:
        for done in range(1, 6):
            bar(done, 5)
    assert bool(shown.getvalue()) is seen
    assert ("checking elements" in shown.getvalue()) is seen


def test_nobody_is_bothered_who_wants_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    with ProgressBar("checking elements", watched=False) as bar:
        bar(1, 5)
    assert not shown.getvalue()


def test_a_bar_is_plain_where_nothing_else_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setenv("LC_ALL", "C")
    with RowsBar("sweeping:") as bar:
        bar.rows(1000, 1000, 2000)
        bar.rows(1500, 1500, 2000)
    assert "---" in shown.getvalue()
    assert "━" not in shown.getvalue() and "╸" not in shown.getvalue()


@pytest.mark.parametrize("total", [5000, None])
def test_rows_are_counted_with_their_speed(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    with RowsBar("sweeping:") as bar:
        for done in (1000, 2000, 5000):
            bar.rows(done, done, total)
    assert "sweeping: 5,000 rows, " in shown.getvalue()
    assert "rows/s" in shown.getvalue()
    assert [rate_text(rate) for rate in (12.3, 8_300, 999_500, 8.3e6, 2.5e8)] == [
        "12 rows/s",
        "8.3 k rows/s",
        "1000 k rows/s",
        "8.3 M rows/s",
        "250 M rows/s",
    ]
