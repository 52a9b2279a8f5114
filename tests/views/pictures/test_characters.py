"""Drawings made of characters: what a reader sees of wires and numbers, and that no wire hides another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcalc.dialects.circuit import Circuit
from gradcalc.views.pictures.characters import EAST, GENEROUS, NORTH, SOUTH, WEST, Measures, canvas_of, drawing_lines
from gradcalc.views.surface import Surface
from gradcalc.views.table import painted
from tests.views.pictures.circuits import circuit, random_circuit

BORDERS = set("┌└┬┤┴├╔╚╦╣╩╠")


def drawn(made: Circuit, unicode: bool = True, measures: Measures = GENEROUS) -> str:
    lines, columns = drawing_lines(made, Surface(unicode=unicode), measures)
    text = painted(lines, Surface())
    assert columns >= max(map(len, text.splitlines()))
    return text


def test_the_chain_of_two_gates() -> None:
    assert drawn(circuit("q = x+y; f = q*z", x=-2.0, y=5.0, z=-4.0)) == (
        "  -2\n"
        "x─────┐\n"
        "  -4  │\n"
        "      │\n"
        "  5   └─┬───┐ 3\n"
        "y─────┐ │ + ├─q──┐\n"
        "  -4  └─┴───┘ -4 │\n"
        "                 │\n"
        "  -4             └─┬───┐ -12\n"
        "z────────────────┐ │ * ├────▶ f\n"
        "  3              └─┴───┘ 1\n"
    )


def test_plain_ascii() -> None:
    assert drawn(circuit("θ*x + 1", x=2.0, θ=3.0), unicode=False) == (
        "       3  +-+---+ 6  +----+ 7\n"
        "\\u03b8----+ | * +----+ +1 +-->\n"
        "       2  +-+---+ 1  +----+ 1\n"
        "          |\n"
        "       2  |\n"
        "     x----+\n"
        "       3\n"
    )


def test_wires_out_of_order_are_numbered() -> None:
    upside_down = drawn(circuit("u = a*b; v = exp(u); u - v", a=1.0, b=2.0))
    assert "2┬───┐" in upside_down
    assert "1┴───┘" in upside_down
    for source in ("u = a*b; v = exp(u); v - u", "u = a*b; v = exp(u); u + v"):
        text = drawn(circuit(source, a=1.0, b=2.0))
        assert "2┬" not in text
        assert "1┴" not in text


def test_names_in_wide_letters_take_their_room() -> None:
    lines = drawn(circuit("사과*2 + b", b=1.0, 사과=2.0)).splitlines()
    assert any(line.startswith("사과─") for line in lines)
    assert any(line.startswith("   b─") for line in lines)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 14), st.integers(0, 10**6))
def test_no_wire_lies_upon_another_or_runs_through_a_gate(inputs: int, gates: int, seed: int) -> None:
    made = random_circuit(inputs, gates, seed)
    canvas = canvas_of(made, Measures(seed % 2, seed % 2))
    for place, wires in canvas._wires.items():
        if len(wires) > 1:
            across, down = sorted(wires.values(), key=lambda sides: bool(sides & (NORTH | SOUTH)))
            assert len(wires) == 2
            assert across == EAST | WEST
            assert down == NORTH | SOUTH
        character = canvas._cells.get(place, ("", ""))[0]
        assert character == "" or character in BORDERS or character in "▶1234567890" or character.isalnum()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 14), st.integers(0, 10**6))
def test_every_wire_is_one_piece_from_its_gate_to_all_that_use_it(inputs: int, gates: int, seed: int) -> None:
    made = random_circuit(inputs, gates, seed)
    canvas = canvas_of(made)
    steps = {NORTH: (-1, 0), SOUTH: (1, 0), EAST: (0, 1), WEST: (0, -1)}
    for key in range(len(made.parts) - 1):
        own = {place: wires[key] for place, wires in canvas._wires.items() if key in wires}
        start = min(own, key=lambda place: place[1])
        reached, waiting = {start}, [start]
        while waiting:
            row, column = waiting.pop()
            for side, (down, right) in steps.items():
                place = (row + down, column + right)
                if own[row, column] & side and place in own and place not in reached:
                    reached.add(place)
                    waiting.append(place)
        assert reached == set(own)
    ends: dict[int, int] = {}
    for place, wires in canvas._wires.items():
        for key, sides in wires.items():
            if sides == WEST and canvas._cells.get(place, ("", ""))[0] in BORDERS:
                ends[key] = ends.get(key, 0) + 1
    uses = {number: len(targets) for number, targets in enumerate(made.targets()) if targets}
    assert ends == uses


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_a_gate_has_a_row_for_every_wire(count: int) -> None:
    names = "abcdpqrs"[:count]
    text = drawn(circuit(f"f({', '.join(names)}) = {' + '.join(names)}; f({', '.join(names)})"))
    entries = sum(line.count(sign) for line in text.splitlines() for sign in "┬┤┴")
    assert entries >= count
    assert text.count(" f ") == 1
