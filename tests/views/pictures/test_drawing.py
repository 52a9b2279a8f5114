"""Places of nodes and wires: nothing lies upon anything, and wires end where they should."""

from __future__ import annotations

import math
from itertools import combinations
from random import Random

import pytest

from gradcalc.dialects.circuit import INPUT, Circuit, Part
from gradcalc.errors import LimitProblem
from gradcalc.views.pictures import style
from gradcalc.views.pictures.drawing import Drawing, Node, draw, is_drawable, text_width, typeset
from gradcalc.views.pictures.layout import MOST_SHORTENED
from tests.views.pictures.circuits import circuit, random_circuit, random_program

SIZES = [(1, 1), (2, 3), (3, 10), (5, 30), (9, 100)]
CIRCUITS = [random_circuit(inputs, gates, seed) for inputs, gates in SIZES for seed in range(4)]


def left(node: Node) -> float:
    return node.x - (node.width if node.part.kind == INPUT else node.width / 2)


@pytest.fixture(scope="module", params=range(len(CIRCUITS)))
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return draw(CIRCUITS[request.param])


def test_nodes_and_their_numbers_do_not_overlap(drawing: Drawing) -> None:
    for one, other in combinations(drawing.nodes, 2):
        if one.column == other.column:
            assert abs(one.y - other.y) >= (one.height + other.height) / 2
            assert abs(one.y - other.y) >= 2 * style.NUMBER_SIZE
        else:
            first, second = sorted((one, other), key=lambda node: node.column)
            assert first.end < left(second)


def test_numbers_fit_above_their_wires(drawing: Drawing) -> None:
    for node in drawing.nodes:
        assert node.end - node.right >= text_width(node.part.value, style.NUMBER_SIZE)
        assert node.end - node.right >= text_width(node.part.gradient, style.NUMBER_SIZE)


def test_wires_lead_from_the_end_of_one_node_to_the_border_of_another(drawing: Drawing) -> None:
    wires = [(wire.target, wire.place, wire.source) for wire in drawing.wires]
    expected = [
        (number, place, source) for number, part in enumerate(drawing.circuit.parts) for place, source in enumerate(part.sources)
    ]
    assert sorted(wires) == expected
    for wire in drawing.wires:
        source, target = drawing.nodes[wire.source], drawing.nodes[wire.target]
        assert wire.points[0] == (source.end, source.y)
        x, y = wire.points[-1]
        if target.round:
            assert math.hypot(x - target.x, y - target.y) == pytest.approx(style.RADIUS)
        else:
            assert x == pytest.approx(target.x - target.width / 2)
            assert abs(y - target.y) < target.height / 2
        assert all(first[0] < second[0] for first, second in zip(wire.points, wire.points[1:]))


def test_wires_run_level_where_a_wider_box_stands_above_or_below(drawing: Drawing) -> None:
    for wire in drawing.wires:
        target = drawing.nodes[wire.target]
        begin = min(left(node) for node in drawing.nodes if node.column == target.column)
        end = wire.points[len(wire.points) // 2 * 2 - 1]
        assert end[0] <= begin + 3.01
        assert end[1] == wire.points[-1][1]


def test_a_long_name_has_room_beside_the_wires_of_its_gate() -> None:
    made = draw(circuit("total_revenue = price*quantity; total_revenue*discount"))
    (gate,) = [node for node in made.nodes if node.part.name == "total_revenue"]
    half = text_width("total_revenue", style.LABEL_SIZE) / 2
    assert all(wire.points[1][0] < gate.x - half for wire in made.wires if made.nodes[wire.target] is gate)
    assert gate.end > gate.x + half


def test_wires_enter_at_places_of_their_own_in_the_order_they_come(drawing: Drawing) -> None:
    for number in range(len(drawing.nodes)):
        wires = sorted((wire for wire in drawing.wires if wire.target == number), key=lambda wire: wire.points[-1][1])
        heights = [wire.points[len(wire.points) // 2 * 2 - 2][1] for wire in wires]
        assert heights == sorted(heights)
        assert len({wire.points[-1] for wire in wires}) == len(wires)
        places = [wire.place for wire in wires]
        marks = [wire.mark for wire in wires]
        out_of_order = drawing.circuit.parts[number].ordered and places != sorted(places)
        assert marks == [str(place + 1) if out_of_order else "" for place in places]


def test_wires_that_pass_a_column_keep_clear_of_its_nodes(drawing: Drawing) -> None:
    for wire in drawing.wires:
        for start, end in zip(wire.points[1::2], wire.points[2::2]):
            assert start[1] == end[1]
            for node in drawing.nodes:
                if start[0] - 0.01 <= node.x <= end[0]:
                    assert abs(node.y - start[1]) > node.height / 2


def test_everything_is_inside(drawing: Drawing) -> None:
    for node in drawing.nodes:
        assert left(node) >= 0
        assert node.y - node.height / 2 >= 0
        assert node.end < drawing.width
        assert node.y + node.height / 2 <= drawing.height


def test_inputs_stand_at_the_left_in_the_order_of_the_formula() -> None:
    made = draw(circuit("w0*x0 + w1*x1 + w2"))
    inputs = [node for node in made.nodes if node.part.kind == INPUT]
    assert {node.column for node in inputs} == {0}
    assert [node.part.symbol for node in sorted(inputs, key=lambda node: node.y)] == ["w0", "x0", "w1", "x1", "w2"]
    assert made.nodes[-1].column == max(node.column for node in made.nodes)


@pytest.mark.parametrize("source", ["(a + b)/(c + d)", "(a - b)/(c - d)", "a^b - c^d", "a/b", "where(a, b, c)"])
def test_a_picture_stands_the_way_up_in_which_the_formula_is_read(source: str) -> None:
    made = draw(circuit(source))
    inputs = [node for node in made.nodes if node.part.kind == INPUT]
    assert [node.part.symbol for node in sorted(inputs, key=lambda node: node.y)] == sorted(node.part.symbol for node in inputs)
    assert not any(wire.mark for wire in made.wires)


def test_inputs_that_are_used_late_stand_before_their_gates_if_there_are_many() -> None:
    names = [f"x{number}" for number in range(20)]
    made = draw(circuit(" + ".join(names)))
    columns = {node.part.symbol: node.column for node in made.nodes if node.part.kind == INPUT}
    assert columns["x19"] > columns["x5"] > columns["x0"] == 0


def test_the_same_circuit_always_has_the_same_places() -> None:
    made = random_circuit(5, 40, 7)
    assert draw(made) == draw(made)


def test_a_circuit_of_one_part() -> None:
    made = draw(circuit("x", x=1.0))
    assert len(made.nodes) == 1
    assert not made.wires


NEURONS = ";".join(f"h{j} = tanh({'+'.join(f'w{j}_{i}*x{i}' for i in range(8))})" for j in range(30))


@pytest.mark.parametrize(
    "source",
    [
        random_program(1000),
        "+".join(f"x{number}*{number + 1}" for number in range(500)),
        "+".join(f"w{number}*x{number}" for number in range(330)),
        "a0 = x;" + ";".join(f"a{number} = sin(a{number - 1}*y)" for number in range(1, 500)),
        f"{NEURONS};" + ";".join(f"o{k} = {'+'.join(f'v{k}_{j}*h{j}' for j in range(30))}" for k in range(10)) + "; o0*o9",
    ],
    ids=["random", "products", "weights", "chain", "network"],
)
def test_a_thousand_gates_are_drawn(source: str) -> None:
    made = circuit(source)
    assert len(made.parts) > MOST_SHORTENED
    drawn = draw(made)
    assert min(node.column for node in drawn.nodes) == 0
    assert all(drawn.nodes[wire.source].column < drawn.nodes[wire.target].column for wire in drawn.wires)


def test_of_many_parts_each_stands_before_its_use() -> None:
    made = draw(circuit("+".join(f"x{number}*{number + 1}" for number in range(300))))
    columns = [(made.nodes[wire.source].column, made.nodes[wire.target].column) for wire in made.wires]
    assert all(target == source + 1 for source, target in columns)


def test_too_many_long_wires_are_refused_with_what_can_be_done() -> None:
    random = Random(1)
    names = ["x", "y", *(f"n{number}" for number in range(900))]
    lines = [f"n{number} = {random.choice(names[: number + 2])} + {random.choice(names[: number + 2])}" for number in range(900)]
    with pytest.raises(LimitProblem, match="too long for a picture") as caught:
        draw(made := circuit("; ".join(lines) + "; " + "+".join(names)))
    assert "-o circuit.dot" in (caught.value.remedy or "")
    assert not is_drawable(made)


def test_too_many_parts_are_refused() -> None:
    parts = tuple(Part(number, INPUT, "x") for number in range(5001))
    with pytest.raises(LimitProblem, match=r"5,001 gates and inputs are too many"):
        draw(Circuit("x", parts))
    assert not is_drawable(Circuit("x", parts))
    assert is_drawable(circuit(random_program(1000)))


@pytest.mark.parametrize(
    ("symbol", "printed"),
    [
        ("*", "×"),
        ("*-1", "×−1"),
        ("x^2", "x²"),
        ("x^-12", "x⁻¹²"),
        ("x^0.5", "x^0.5"),
        ("-x", "−x"),
        ("x<=1", "x≤1"),
        ("exp", "exp"),
    ],
)
def test_symbols_are_printed_as_in_books(symbol: str, printed: str) -> None:
    assert typeset(symbol) == printed
