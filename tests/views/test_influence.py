"""The source painted by influence: levels, marks beneath, colours, and what they mean."""

from __future__ import annotations

import pytest

from gradcalc.aspects import PaintedLine, Sensitivity, Stretch
from gradcalc.views.influence import influence_lines, level
from gradcalc.views.surface import Surface
from gradcalc.views.table import painted


@pytest.mark.parametrize(
    ("elasticity", "expected"),
    [
        (0.0, -1),
        (0.001, 0),
        (-0.001, 0),
        (0.02, 1),
        (0.99, 5),
        (1.0, 6),
        (1.0 - 1e-13, 6),
        (-2.0, 7),
        (50.0, 7),
        (float("nan"), -1),
    ],
)
def test_levels(elasticity: float, expected: int) -> None:
    assert level(elasticity) == expected


LINE = PaintedLine(1, "  사과*b", (Stretch(2, 4, 0, 0.3), Stretch(4, 5, 2, 1.0), Stretch(5, 6, 1, -3.0)))


def shown(sensitivity: Sensitivity, surface: Surface) -> list[str]:
    return painted(influence_lines(sensitivity, surface), surface).splitlines()


def test_marks_stand_beneath_what_they_mark() -> None:
    source, marks, blank, legend = shown(Sensitivity([LINE], ""), Surface())
    assert source == "  사과*b"
    assert marks == "  ▅▅▅▅▇█"  # a wide character has a wide mark
    assert blank == ""
    assert legend == "1 % more of a piece moves the output by  ▅ 0.2 to 0.5 %  ▇ 1 to 2 %  █ 2 % or more"


def test_plain_marks_where_nothing_else_arrives() -> None:
    lines = shown(
        Sensitivity([PaintedLine(1, "a*b", (Stretch(0, 1, 0, 1.0), Stretch(2, 3, 1, 0.001)))], ""), Surface(unicode=False)
    )
    assert lines[:2] == ["  a*b", "  # ."]
    assert all(line.isascii() for line in lines)


def test_colours_need_no_marks() -> None:
    surface = Surface(80, terminal=True, colour=True)
    lines = shown(Sensitivity([LINE], ""), surface)
    assert "\x1b[" in lines[0]
    assert "▅" not in lines[0]
    assert "2 % or more" in lines[-1]


def test_long_lines_are_broken_with_their_marks() -> None:
    text = "x*" * 60 + "x"
    line = PaintedLine(1, text, tuple(Stretch(number, number + 1, 0, 1.0) for number in range(len(text))))
    lines = shown(Sensitivity([line], ""), Surface(50, terminal=True))
    assert max(map(len, lines)) <= 50
    assert "".join(lines[:6:2]).replace(" ", "") == text
    assert "".join(lines[1:6:2]).replace(" ", "") == "▇" * len(text)


def test_a_legend_is_broken_between_its_entries() -> None:
    pieces = tuple(Stretch(number, number + 1, 0, size) for number, size in enumerate((0.01, 0.03, 0.07, 0.15, 0.3, 0.7, 1.5, 3.0)))
    lines = shown(Sensitivity([PaintedLine(1, "abcdefgh", pieces)], ""), Surface(60, terminal=True))
    assert max(map(len, lines)) <= 60
    assert lines[1] == "  ▁▂▃▄▅▆▇█"


def test_why_nothing_is_painted() -> None:
    assert shown(Sensitivity([], "the output is 0"), Surface()) == ["no influences: the output is 0"]


def test_lines_that_only_give_values_are_left_out() -> None:
    given = PaintedLine(1, "a = 1; b = 2", (Stretch(0, 1, 0, 1.0), Stretch(7, 8, 1, 1.0)))
    used = PaintedLine(2, "a*b == c", tuple(Stretch(place, place + 1, 0, 1.0) for place in (0, 1, 2)))
    assert shown(Sensitivity([given, used], ""), Surface())[0] == "  a*b == c"
    assert shown(Sensitivity([given], ""), Surface())[0] == "  a = 1; b = 2"
