"""Exercises: circuits that are fair, and marks that find the gate where the chain broke."""

from __future__ import annotations

from random import Random

import pytest

from gradcalc.errors import GradcalcError
from gradcalc.programs import Calculation
from gradcalc.repl.answers import read_number
from gradcalc.repl.circuits import (
    ADD,
    CUBE,
    DIVIDE,
    EXPONENTIAL,
    LEVELS,
    MAXIMUM,
    MULTIPLY,
    OUTPUT,
    POOLS,
    RELU,
    SHARED,
    SIGMOID,
    SQUARE,
    SUBTRACT,
    Circuit,
    Kind,
    Step,
    random_circuit,
    slopes_of,
    value_of,
)  # fmt: skip
from gradcalc.repl.marking import close, gradient_order, mark_gradients, mark_values

KINDS = list(dict.fromkeys(kind for two, one in POOLS.values() for kind in (*two, *one)))


def circuit(inputs: dict[str, float], *steps: tuple[str, Kind, str]) -> Circuit:
    """A circuit with its solution, from steps such as ("p", ADD, "xy")."""
    made = tuple(Step(name, kind, tuple(operands)) for name, kind, operands in steps)
    text = "; ".join(f"{step.name} = {step.formula}" for step in made)
    result = Calculation(text).evaluate(**inputs)
    named = {node.name: node for node in result.nodes if node.named}
    values = {name: node.value for name, node in named.items()}
    return Circuit(inputs, made, values, {name: node.gradient for name, node in named.items()})


@pytest.mark.parametrize("level", LEVELS)
def test_random_circuits_are_fair(level: int) -> None:
    random = Random(level)
    seen = set()
    for _ in range(15):
        made = random_circuit(level, random)
        result = Calculation(made.program).evaluate(**made.inputs)
        assert result.verdict == "ok", made.program
        assert result.output == OUTPUT
        assert set(result.gradients) == set(made.inputs)
        assert result.gradients == {name: made.gradients[name] for name in made.inputs}
        assert all(abs(number) < 101 for number in (*made.values.values(), *made.gradients.values()))
        if level in SHARED:
            assert any(len(made.uses(name)) > 1 for name in made.values)
        seen.add(made.program)
    assert len(seen) > 3


def test_a_seed_asks_the_same_questions() -> None:
    assert [random_circuit(3, Random(8)) for _ in range(2)] == [random_circuit(3, Random(8))] * 2


@pytest.mark.parametrize("level", LEVELS)
def test_right_answers_are_right(level: int) -> None:
    random = Random(level)
    for _ in range(5):
        made = random_circuit(level, random)
        rounded = {name: float(f"{value:.3g}") for name, value in made.values.items()}
        assert {mark.kind for mark in mark_values(made, rounded)} == {"right"}
        rounded = {name: float(f"{value:.3g}") for name, value in made.gradients.items()}
        assert {mark.kind for mark in mark_gradients(made, rounded)} == {"right"}
        assert [mark.name for mark in mark_gradients(made, {})] == gradient_order(made)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.formula)
def test_what_is_told_of_a_gate_is_true(kind: Kind) -> None:
    arguments = [0.7, 1.3][: kind.arity]
    result = value_of(kind.formula, arguments)
    for text, slope in zip(kind.slopes, slopes_of(kind, arguments), strict=True):
        if " if " not in text:
            assert value_of(text, arguments, result) == pytest.approx(slope)
    assert len(kind.wrong_values) >= 1
    for slip in kind.wrong_values:
        if kind is not RELU:
            assert not close(value_of(slip.formula, arguments), result), slip
    for slips, slope in zip(kind.wrong_slopes, slopes_of(kind, arguments)):
        values = [value_of(slip.formula, arguments, result) for slip in slips]
        assert sum(close(value, slope) for value in values) <= (kind in (RELU, MAXIMUM))


def test_a_wrong_value_is_followed_back_to_its_gate() -> None:
    made = circuit({"x": -2, "y": 5, "z": -4}, ("q", ADD, "xy"), ("f", MULTIPLY, "qz"))
    q, f = mark_values(made, {"q": -10, "f": 40})
    assert (q.kind, q.right) == ("broken", 3)
    assert q.words == "q = x + y = -2 + 5 = 3; the two were multiplied"
    assert (f.kind, f.right) == ("follows", -12)
    assert "your q" in f.words
    q, f = mark_values(made, {"q": None, "f": -12})
    assert (q.kind, f.kind) == ("missing", "right")
    q, f = mark_values(made, {"q": 7, "f": 1})
    assert (q.kind, f.kind) == ("broken", "broken")
    assert f.words == "f = q*z = 3*(-4) = -12"


def test_a_wrong_gradient_is_followed_back_to_its_gate() -> None:
    made = circuit({"x": -2, "y": 5, "z": -4}, ("q", ADD, "xy"), ("f", MULTIPLY, "qz"))
    q, x, y, z = mark_gradients(made, {"q": 3, "x": 3, "y": -4, "z": 3})
    assert [mark.kind for mark in (q, x, y, z)] == ["broken", "follows", "right", "right"]
    assert q.words.startswith("df/dq = df/df*z = 1*(-4) = -4; q*z: that is its own value")
    assert "your df/dq" in x.words


@pytest.mark.parametrize(
    ("kind", "inputs", "name", "answer", "slip"),
    [
        (SUBTRACT, {"x": 2, "y": 3}, "y", 1, "the slope -1"),
        (DIVIDE, {"x": 3, "y": 7}, "y", 3 / 49, "the sign is missing"),
        (DIVIDE, {"x": 3, "y": 7}, "y", -3 / 7, "not squared"),
        (DIVIDE, {"x": 3, "y": 7}, "y", -1 / 49, "the numerator is missing"),
        (DIVIDE, {"x": 3, "y": 7}, "x", 7, "one over the denominator"),
        (MAXIMUM, {"x": 3, "y": 7}, "x", 1, "the larger"),
        (SQUARE, {"x": 3}, "x", 3, "the factor 2 is missing"),
        (CUBE, {"x": 3}, "x", 9, "the factor 3 is missing"),
        (EXPONENTIAL, {"x": 2}, "x", 5.436563656918, "the rule for powers"),
        (SIGMOID, {"x": 1}, "x", 0.7310585786, "the factor 1 - f is missing"),
        (SIGMOID, {"x": 0.25}, "x", 0.1875, "made of f, the value, not of x"),
        (RELU, {"x": -2}, "x", 1, "nothing flows back"),
        (MULTIPLY, {"x": 3, "y": 7}, "x", -7, "the sign is wrong"),
        (ADD, {"x": 3, "y": 7}, "x", 3, "that is the value of x"),
    ],
)
def test_slips_are_recognized(kind: Kind, inputs: dict[str, float], name: str, answer: float, slip: str) -> None:
    made = circuit(inputs, ("f", kind, "".join(inputs)))
    mark = next(mark for mark in mark_gradients(made, {name: answer}) if mark.name == name)
    assert mark.kind == "broken"
    assert slip in mark.words


def test_slips_with_the_gradient_from_above_and_with_several_paths() -> None:
    made = circuit({"x": 3, "y": 5}, ("p", SQUARE, "x"), ("q", MULTIPLY, "py"), ("f", MULTIPLY, "qx"))
    assert made.gradients["x"] == 3 * 9 * 5
    for answer, slip in (
        (45, "only the path through f is counted"),
        (90, "only the path through p is counted"),
        (4050, "the paths were multiplied"),
        (6 + 45, "the gradient from above, at p and f, is left out"),
        (-135, "the sign is wrong"),
    ):
        mark = next(mark for mark in mark_gradients(made, dict(made.gradients) | {"x": answer}) if mark.name == "x")
        assert slip in mark.words, (answer, mark.words)
    mark = next(mark for mark in mark_gradients(made, dict(made.gradients) | {"p": 3}) if mark.name == "p")
    assert mark.words == "df/dp = df/dq*y = 3*5 = 15; the gradient from above was handed on without the local slope"
    mark = next(mark for mark in mark_gradients(made, dict(made.gradients) | {"x": 1234}) if mark.name == "x")
    assert mark.words == "df/dx = df/dp*(2*x) + df/df*q = 15*6 + 1*45 = 135"


@pytest.mark.parametrize(("text", "number"), [("-2", -2), ("3/7", 3 / 7), ("2*exp(1)", 5.43656365691809), ("1e-3", 0.001)])
def test_an_answer_may_be_an_expression(text: str, number: float) -> None:
    assert read_number(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["x", "1..2", "1±2", "[1, 2]", "2 3", "rand(", "zeros(2)"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(GradcalcError):
        read_number(text)
