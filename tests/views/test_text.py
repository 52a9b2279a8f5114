"""Text of the user, made fit to be shown; and what a stream says of itself."""

from __future__ import annotations

import io

import pytest

from gradcalc.views.surface import PIPE_WIDTH, Surface, surface_of
from gradcalc.views.table import Table, aligned, cell, render
from gradcalc.views.text import cut, to_ascii, visible, width


def test_visible() -> None:
    assert visible("a\nb\tc") == "a b c"
    assert visible("\x1b[31m\u200b\udc80") == "\\x1b[31m\\u200b\\udc80"
    assert visible("사과") == "사과"


def test_width() -> None:
    assert width("abc") == 3
    assert width("사과") == 4
    assert width("e\u0301") == 1


def test_cut() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"
    assert cut("사과사과", 5) == "사과…"
    assert cut("abc", 1) == "…"


def test_ascii() -> None:
    assert to_ascii("±2 … 4×5 θ") == "+-2 .. 4x5 \\u03b8"


def test_points_stand_below_each_other() -> None:
    assert aligned(["1", "-0.25", "12.5", "", "nan"]) == [" 1   ", "-0.25", "12.5 ", "", "nan"]
    assert aligned(["4.1e-08", "12"]) == [" 4.1e-08", "12      "]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    assert surface_of(io.StringIO()) == Surface(PIPE_WIDTH, terminal=False, colour=False, unicode=True)
    assert surface_of(Terminal()) == Surface(80, terminal=True, colour=True, unicode=True)
    monkeypatch.setenv("COLUMNS", "120")
    assert surface_of(Terminal()).width == 120
    monkeypatch.setenv("NO_COLOR", "1")
    assert not surface_of(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert surface_of(Terminal())[2:] == (False, False)


def test_surface_of_an_old_encoding() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert not surface_of(stream).unicode


def test_a_table_too_wide_is_folded_not_cut() -> None:
    table = Table()
    table.add("words", [cell("one two three four")])
    table.add("more", [cell("five six seven eight")])
    text = render(table, Surface(20, terminal=True))
    assert max(map(len, text.splitlines())) <= 20
    for word in ["one", "two", "three", "four", "five", "six", "seven", "eight"]:
        assert word in text
