"""Charts of characters: round numbers at the axes, curves inside the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcalc.views.charts import chart, round_ticks, rows_with_ticks, shade, tick_texts, viridis


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (-10, 10, 6, ["-10", "-5", "0", "5", "10"]),
        (0, 0.003, 5, ["0", "0.001", "0.002", "0.003"]),
        (-0.436, 0.436, 2, ["-0.4", "-0.2", "0", "0.2", "0.4"]),
        (1.00001, 1.00002, 3, ["1.00001", "1.000015", "1.00002"]),
        (0, 1e9, 3, ["0", "500000000", "1000000000"]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, texts: list[str]) -> None:
    assert tick_texts(round_ticks(low, high, most)) == texts


@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e12), st.integers(2, 20))
def test_ticks_are_inside_and_told_apart(low: float, span: float, most: int) -> None:
    ticks = round_ticks(low, low + span, most)
    assert len(set(tick_texts(ticks))) == len(ticks) >= 2 or span < 1e-8 * abs(low)
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_a_chart_has_its_size_and_its_curve() -> None:
    xs = [x / 10 for x in range(101)]
    lines = chart([(xs, [x * x for x in xs])], (0, 10), (0, 100), 50, 12)
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 50
    assert any("⠀" < character <= "⣿" for line in lines for character in line)
    plain = chart([(xs, xs)], (0, 10), (0, 10), 50, 12, unicode=False)
    assert all(line.isascii() for line in plain)
    assert sum("*" in line for line in plain) >= 9


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 40))
def test_ticks_stand_in_the_middle_of_rows(low: float, span: float, rows: int) -> None:
    bottom, top, ticks = rows_with_ticks(low, low + span, rows)
    assert bottom <= low + 1e-9 * abs(low) and low + span <= top + 1e-9 * abs(top)
    height = (top - bottom) / rows
    places = [(tick - bottom) / height - 0.5 for tick in ticks]
    assert len(ticks) >= 2
    assert places == pytest.approx([round(place) for place in places], abs=1e-4)
    assert top - bottom <= 4 * span


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("rows", [6, 8, 11, 14, 24])
def test_a_number_stands_in_the_row_of_its_value(rows: int, unicode: bool) -> None:
    for value in rows_with_ticks(-1, 1, rows - 3)[2]:
        if -1 <= value <= 1:
            lines = chart([([0, 1], [value, value])], (0, 1), (-1, 1), 40, rows, unicode=unicode)
            (line,) = [line for line in lines if "*" in line or any("⠀" < character <= "⣿" for character in line)]
            assert float(line[: line.index("┤" if unicode else "+")]) == pytest.approx(value)


def test_what_is_beyond_the_frame_is_cut_off() -> None:
    lines = chart([([0, 1, 2, 3], [0, 1, 50, 1])], (0, 3), (0, 2), 40, 10)
    assert max(map(len, lines)) <= 40


def test_nothing_to_draw_is_an_empty_frame() -> None:
    assert len(chart([], (0, 1), (0, 1), 40, 10)) > 3


def test_shades_and_colours_go_up() -> None:
    assert [shade(value, 0, 1) for value in (-1.0, 0.0, 1.0, float("nan"))] == [" ", " ", "@", "?"]
    assert viridis(0) == (68, 1, 84)
    assert viridis(2) == (253, 231, 37)
