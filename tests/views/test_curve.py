"""The live curve: its points, what stands below it, and when Ctrl-C comes in the middle of a drawing."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from gradcalc.views.curve import KEPT, LiveCurve, Points, Uninterrupted, curve_text


def test_ctrl_c_waits_for_the_end_of_a_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = LiveCurve("loss")
    curve.watched = True
    curve._next = 0.0
    drawn = []

    def draw(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        drawn.append(curve_text([0.0, 1.0, 2.0], [1.0, 3.0, 2.0], 60, 8))

    monkeypatch.setattr(curve, "_draw", draw)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        curve.add(1.0, 10.0, 0.5)
    assert "┤" in drawn[0]
    assert signal.getsignal(signal.SIGINT) is before


def test_without_ctrl_c_nothing_happens() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_many_points_become_their_means() -> None:
    points = Points()
    for number in range(64 * KEPT):
        points.add(number, 10.0 * (number % 8))
    assert KEPT / 2 <= len(points.x) < KEPT
    assert set(points.y) == {35.0}


def told(monkeypatch: pytest.MonkeyPatch, *steps: tuple[float, ...]) -> tuple[LiveCurve, list[tuple[str, float, str]]]:
    """A curve that was told these steps, one a second, and what it drew."""
    clock = iter(range(1000))
    monkeypatch.setattr("gradcalc.views.curve.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("gradcalc.views.curve.PAUSE", -1.0)
    drawn: list[tuple[str, float, str]] = []
    curve = LiveCurve("loss", "epoch")
    curve.watched = True
    monkeypatch.setattr(curve, "_draw", lambda *arguments: drawn.append(arguments))
    for done, total, value, *part in steps:
        curve.add(done, total, value, *map(int, part))
    return curve, drawn


def test_the_time_left_is_that_of_the_steps_seen_here(monkeypatch: pytest.MonkeyPatch) -> None:
    _, drawn = told(monkeypatch, (90.0, 100.0, 1.0), (91.0, 100.0, 1.0))
    (_, _, first), (words, share, left) = drawn
    assert (first, words, share) == ("", "epoch 91 of 100: 1", pytest.approx(0.91))
    assert left == "0:18 left"  # the clock is looked at twice a step


def test_each_start_has_a_curve_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    curve, drawn = told(
        monkeypatch, (0.0, 10.0, 1.0, 0, 2), (10.0, 10.0, 2.0, 0, 2), (0.0, 10.0, 3.0, 1, 2), (5.0, 10.0, 4.0, 1, 2)
    )
    assert (curve._points.x, curve._points.y) == ([0.0, 5.0], [3.0, 4.0])
    assert drawn[-1][:2] == ("start 2 of 2, epoch 5 of 10: 4", pytest.approx(0.75))


def test_the_axes_have_round_numbers() -> None:
    text = curve_text([0.0, 50.0, 1000.0], [24.2, 18.2, 11.7], 60, 12)
    numbers = [line.split("┤")[0].strip() for line in text.split("\n") if "┤" in line]
    assert "20" in numbers and not any("." in number for number in numbers), text
    assert "┤" in curve_text([1.0, 2.0], [5.0, 5.0], 60, 8)
