"""Values on the command line."""

from __future__ import annotations

import pytest

from gradcalc.errors import GradcalcError
from gradcalc.language.values import Constant, Grid, Range, Uncertain, Value, parse_value


def plain(value: Constant) -> float | str:
    return value.number if value.number is not None else value.text


def outline(value: Value) -> tuple[str, ...]:
    parts = [value] if isinstance(value, Constant) else list(value)
    return (type(value).__name__, *(str(plain(part)) for part in parts))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", ("Constant", "1.0")),
        (" -2.5e3 ", ("Constant", "-2500.0")),
        ("1_000", ("Constant", "1000.0")),
        ("1/3", ("Constant", "1/3")),
        ("[[1,2],[3,4]]", ("Constant", "[[1,2],[3,4]]")),
        ("-pi", ("Constant", "-pi")),
        ("1.0±0.1", ("Uncertain", "1.0", "0.1")),
        ("1.0 +/- 0.1", ("Uncertain", "1.0", "0.1")),
        ("0..1", ("Range", "0.0", "1.0")),
        ("-1.5..pi/2", ("Range", "-1.5", "pi/2")),
        ("1...5", ("Range", "1.0", "5.0")),
        ("0..1:1000", ("Grid", "0.0", "1.0", "1000.0")),
        ("[1, 2, 3][0:2]", ("Constant", "[1, 2, 3][0:2]")),
    ],
)
def test_the_kinds_of_values(text: str, meaning: tuple[str, ...]) -> None:
    assert outline(parse_value(text)) == meaning


def test_kinds_are_types() -> None:
    assert isinstance(parse_value("1±2"), Uncertain)
    assert isinstance(parse_value("1..2"), Range)
    assert isinstance(parse_value("1..2:3"), Grid)


def test_an_expression_comes_as_a_graph_without_inputs() -> None:
    value = parse_value("1/3")
    assert isinstance(value, Constant) and value.program is not None
    assert len(value.program.graph) == 3 and value.output == 2 and not value.program.inputs


def test_a_plain_number_needs_no_graph() -> None:
    value = parse_value("-2")
    assert isinstance(value, Constant) and value.number == -2 and value.program is None


def test_a_number_that_is_too_large_warns() -> None:
    value = parse_value("1e400")
    assert isinstance(value, Constant) and value.warnings


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "--a has an empty value", None),
        ("a + 1", "--a must be a constant: a has no value here", 0),
        ("2x", "--a: an operator is missing behind the number", 0),
        ("0..2x", "--a: an operator is missing behind the number", 3),
        ("0..(1", "--a: this ( is never closed", 3),
        ("1;2", "--a is more than one expression", 0),
        ("x = 3", "--a is not a value", 0),
        ("0..", "--a has an empty part", 3),
        ("1..2..3", "--a is not a value", 4),
        ("1:3", "--a is not a value", 1),
        ("sigmod(1)", "--a: there is no gate named sigmod", 0),
    ],
)
def test_mistakes(text: str, message: str, column: int | None) -> None:
    with pytest.raises(GradcalcError) as caught:
        parse_value(text, "--a")
    assert caught.value.message == message
    assert (caught.value.place.column if caught.value.place else None) == column
