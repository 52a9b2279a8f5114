"""The live curve: when Ctrl-C comes in the middle of a drawing."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from gradcalc.views.curve import LiveCurve, Uninterrupted, curve_text


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
