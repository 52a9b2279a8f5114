"""What a picture shows of a result: parts, symbols, numbers; and what folding leaves of it."""

from __future__ import annotations

import pytest

from gradcalc.dialects.circuit import CONSTANT, FOLDED, GATE, INPUT
from gradcalc.errors import LimitProblem
from gradcalc.views.pictures.circuit import circuit_of, folded
from tests.views.pictures.circuits import circuit, result


@pytest.mark.parametrize(
    ("source", "symbol"),
    [
        ("x + 1", "+1"),
        ("1 + x", "+1"),
        ("x*(-1)", "*-1"),
        ("x*pi", "*pi"),
        ("x - 5", "-5"),
        ("5 - x", "5-x"),
        ("1/x", "1/x"),
        ("x/2", "/2"),
        ("x^2", "x^2"),
        ("2^x", "2^x"),
        ("x < 1", "x<1"),
        ("-x", "-x"),
        ("x*y", "*"),
        ("x^y", "^"),
        ("exp(x)", "exp"),
        ("clip(x, 0, 1)", "clip(x, 0, 1)"),
        ("where(x, y, 0)", "where(·, ·, 0)"),
        ("max(x, 0)", "max(x, 0)"),
        ("log(x, 2)", "log(x, 2)"),
        ("x*0.1234567891", "*0.1235"),
    ],
)
def test_a_constant_is_written_into_its_gate(source: str, symbol: str) -> None:
    made = circuit(source)
    assert made.parts[-1].symbol == symbol
    assert all(part.kind == INPUT for part in made.parts[:-1])


def test_constants_without_room_have_wires_of_their_own() -> None:
    made = circuit("clip(x, -1234.25, 1234.75)")
    assert [(part.kind, part.symbol) for part in made.parts] == [
        (INPUT, "x"),
        (CONSTANT, "-1234.25"),
        (CONSTANT, "1234.75"),
        (GATE, "clip"),
    ]
    assert made.parts[-1].sources == (0, 1, 2)


def test_arrays_and_gates_on_nothing_but_constants_keep_their_constants() -> None:
    assert [part.symbol for part in circuit("[1, 2]*x").parts] == ["x", "[1, 2]", "*"]
    made = circuit("2^3 + x")
    assert [part.symbol for part in made.parts] == ["2", "3", "^", "x", "+"]
    assert [part.symbol for part in circuit("5").parts] == ["5"]


def test_parts_carry_names_values_and_gradients() -> None:
    made = circuit("q = x+y; f = q*z", x=-2.0, y=5.0, z=-4.0)
    assert [(part.symbol, part.name, part.value, part.gradient, part.sources) for part in made.parts] == [
        ("x", "", "-2", "-4", ()),
        ("y", "", "5", "-4", ()),
        ("+", "q", "3", "-4", (0, 1)),
        ("z", "", "-4", "3", ()),
        ("*", "f", "-12", "1", (2, 3)),
    ]
    assert made.parts[2].words == "q = 3; gradient -4"


def test_what_is_used_twice_is_one_part() -> None:
    made = circuit("s = x*y; s*s + s", x=2.0, y=3.0)
    assert [part.sources for part in made.parts] == [(), (), (0, 1), (2, 2), (3, 2)]


def test_a_program_without_values_has_parts_without_numbers() -> None:
    made = circuit("a = 2; a*x + 1")
    assert [(part.symbol, part.value, part.gradient) for part in made.parts] == [
        ("a", "2", ""),
        ("x", "", ""),
        ("*", "", ""),
        ("+1", "", ""),
    ]


def test_arrays_show_their_shape_or_what_fits() -> None:
    made = circuit("sum(W@v)", W=[[1, 2], [3, 4]], v=[1, 0])
    assert [part.value for part in made.parts] == ["[[1, 2], [3, 4]]", "[1, 0]", "[1, 3]", "4"]
    narrow = circuit_of(result("sum(W@v)", W=[[1, 2], [3, 4]], v=[1, 0]), digits=2)
    assert [part.value for part in narrow.parts] == ["2×2", "2", "2", "4"]


def test_the_order_of_wires_matters_where_the_gate_says_so() -> None:
    assert [part.ordered for part in circuit("(a + b)/(c*d)").parts if part.kind == GATE] == [False, False, True]
    assert circuit("f(u, v) = u*v; f(a, b)").parts[-1].ordered


def test_opened_gates_fold_into_their_call_first_and_named_nodes_next() -> None:
    shown = result("y = sigmoid(a*x) + 1; y*exp(y)", open=("sigmoid",), a=1.0, x=2.0)
    opened = circuit_of(shown)
    closed = folded(shown, opened)
    assert closed is not None
    assert [part.symbol for part in closed.parts] == ["a", "x", "*", "sigmoid", "+1", "exp", "*"]
    assert closed.parts[3].kind == FOLDED
    assert closed.remarks == ("folded: sigmoid (4 gates)",)
    named = folded(shown, closed)
    assert named is not None
    assert [(part.symbol, part.sources) for part in named.parts] == [("a", ()), ("x", ()), ("y", (0, 1)), ("output", (2,))]
    assert named.parts[2].value == opened.parts[-3].value
    assert folded(shown, named) is None


def test_a_folded_part_has_each_input_once_and_keeps_what_others_need() -> None:
    shown = result("u = a*b; v = a*b + sin(u); w = v + u", a=1.0, b=2.0)
    made = folded(shown, circuit_of(shown))
    assert made is not None
    assert [(part.symbol, part.sources) for part in made.parts] == [
        ("a", ()),
        ("b", ()),
        ("*", (0, 1)),
        ("v", (0, 1, 2)),
        ("+", (3, 2)),
    ]


def test_nothing_to_fold_is_none() -> None:
    shown = result("a*b + c", a=1.0, b=2.0, c=3.0)
    assert folded(shown, circuit_of(shown)) is None


def test_too_many_nodes_are_refused_before_they_are_made() -> None:
    with pytest.raises(LimitProblem, match="too many for a picture"):
        circuit_of(result("a*b + c"), limit=4)
