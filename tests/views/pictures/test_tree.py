"""The form of a tree: every part once, nothing wider than there is room."""

from __future__ import annotations

import re

from gradcalc.views.pictures.terminal import terminal_text
from gradcalc.views.pictures.tree import tree_lines
from gradcalc.views.surface import Surface
from gradcalc.views.table import painted
from tests.views.pictures.circuits import circuit, random_circuit, result

SCREEN = Surface(width=60, terminal=True)


def test_a_small_tree() -> None:
    text = painted(tree_lines(circuit("q = x+y; q*exp(q)", x=1.0, y=-1.0), SCREEN), Surface())
    assert [line.split() for line in text.splitlines()] == [
        ["value", "gradient"],
        ["*", "0", "1"],
        ["├─", "q", "=", "+", "0", "1"],
        ["│", "├─", "x", "1", "1"],
        ["│", "└─", "y", "-1", "1"],
        ["└─", "exp", "1", "0"],
        ["└─", "q", "↑"],
    ]


def test_every_part_stands_once_however_deep_it_is() -> None:
    made = random_circuit(4, 300, 3)
    for surface in (SCREEN, Surface(), Surface(unicode=False)):
        lines = painted(tree_lines(made, surface), Surface(unicode=surface.unicode)).splitlines()
        assert len([line for line in lines if "↑" not in line and "↓" not in line and "(" not in line]) == len(made.parts) + 1
        if surface.terminal:
            assert max(map(len, lines)) <= 60
    assert all(line.isascii() for line in lines)


def test_what_continues_below_is_found_by_its_number() -> None:
    source = "x"
    for _ in range(40):
        source = f"sin({source})"
    lines = painted(tree_lines(circuit(source, x=1.0), SCREEN), Surface()).splitlines()
    below = [match[1] for line in lines if (match := re.search(r"(#\d+) ↓", line))]
    assert below
    for number in below:
        assert any(line.startswith(f"{number} sin") for line in lines)


def test_a_long_tree_is_cut_and_says_how_to_see_it_all() -> None:
    source = " + ".join(f"sin({number}*x)" for number in range(200))
    shown = result(source, x=1.0)
    text = terminal_text(shown, SCREEN)
    assert "more lines: --all shows them" in text
    assert "too large for 60 columns" in text
    whole = terminal_text(shown, SCREEN, every_row=True)
    assert "more lines" not in whole
    assert len(whole.splitlines()) > len(text.splitlines())
