"""Generated nodes: interned, simplified, and never at the price of an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import differentiate
from gradcalc.dialects.language import spell
from gradcalc.engine import scalar
from gradcalc.gates.algebra import cos, exp, log, sin, sqrt, square
from gradcalc.graph import INPUT, Graph
from tests.catalogue import chain, changed, gate


def fresh(count: int = 1) -> tuple[Builder, list[Expression]]:
    graph = Graph()
    nodes = [graph.add_input() for _ in range(count)]
    builder = Builder(graph)
    return builder, [builder.term(node) for node in nodes]


def written(term: Expression) -> str:
    return spell(term.builder.graph, term.node, lambda node: "xyzw"[node] if term.builder.graph.codes[node] == INPUT else None)


def value_of(graph: Graph, node: int, inputs: Sequence[float]) -> float:
    part = extract(graph, node, node)
    needed = [inputs[graph.left[part.source(inner)]] for inner, code in enumerate(part.graph.codes) if code == INPUT]
    return scalar.forward(part.graph, needed)[-1]


def test_the_same_gate_on_the_same_inputs_is_the_same_node() -> None:
    builder, (x, y) = fresh(2)
    assert sin(x * y).node == sin(x * y).node
    assert (x * y).node != (y * x).node
    before = len(builder.graph)
    assert (sin(x * y) + 2.0).node == (sin(x * y) + 2.0).node
    assert len(builder.graph) == before + 2


def test_generated_nodes_share_what_the_user_wrote() -> None:
    graph = chain(("sin", 0), ("*", 1, 1))
    builder = Builder(graph)
    assert sin(builder.term(0)).node == 1


def test_random_gates_are_never_interned() -> None:
    rand = changed(gate("sin"), name="draw", random=True)
    graph = Graph()
    x = graph.add_input()
    graph.add(rand, (x,))
    graph.add(rand, (x,))
    assert all(node not in Builder(graph)._interned.values() for node in (1, 2))


def test_constants_are_told_apart_by_their_bits() -> None:
    builder, _ = fresh()
    assert builder.number(0.0).node != builder.number(-0.0).node
    assert builder.number(0.0).node == builder.number(0.0).node
    assert builder.number(math.nan).node == builder.number(math.nan).node
    assert builder.number(1.0).node == builder.number(1.0).node


SIMPLER: list[tuple[Callable[..., Any], str]] = [
    (lambda x, y: x + 0.0, "x"),
    (lambda x, y: 0.0 + x, "x"),
    (lambda x, y: x - 0.0, "x"),
    (lambda x, y: 0.0 - x, "-x"),
    (lambda x, y: 1.0 * x, "x"),
    (lambda x, y: x * 1.0, "x"),
    (lambda x, y: x * -1.0, "-x"),
    (lambda x, y: x * 0.0, "0"),
    (lambda x, y: x / 1.0, "x"),
    (lambda x, y: x / -1.0, "-x"),
    (lambda x, y: 0.0 / x, "0"),
    (lambda x, y: x / x, "1"),
    (lambda x, y: -(-x), "x"),  # noqa: B002
    (lambda x, y: x + -y, "x - y"),
    (lambda x, y: -x + y, "y - x"),
    (lambda x, y: x - -y, "x + y"),
    (lambda x, y: -(x - y), "y - x"),
    (lambda x, y: x + x, "2*x"),
    (lambda x, y: 2.0 * x + 3.0 * x, "5*x"),
    (lambda x, y: x * 2.0, "2*x"),
    (lambda x, y: 2.0 * (3.0 * x), "6*x"),
    (lambda x, y: 2.0 * (3.0 / x), "6/x"),
    (lambda x, y: -(2.0 * x), "-2*x"),
    (lambda x, y: (-x) * y, "-(x*y)"),
    (lambda x, y: x * (-y), "-(x*y)"),
    (lambda x, y: (-x) * (-y), "x*y"),
    (lambda x, y: x * (1.0 / y), "x/y"),
    (lambda x, y: (x * y) / y, "x"),
    (lambda x, y: y * (x / y), "x"),
    (lambda x, y: x**1.0, "x"),
    (lambda x, y: x**0.0, "1"),
    (lambda x, y: (x < 1.0).apply("where", y, y), "y"),
]


@pytest.mark.parametrize(("rule", "expected"), SIMPLER, ids=[expected for _, expected in SIMPLER])
def test_simplification(rule: Callable[..., Any], expected: str) -> None:
    builder, (x, y) = fresh(2)
    assert written(rule(x, y)) == expected
    assert builder.graph.input_count == 2


@pytest.mark.parametrize(
    "rule",
    [
        lambda x, y: (x * 2.0 - y) / (3.0 * y) + -x * (y / x),
        lambda x, y: sqrt(x) * (0.5 / sqrt(x)) * (2.0 * (y * -3.0)),
        lambda x, y: -(x - y) * -(y - x) / (x * y) + (x + x) * 4.0,
        lambda x, y: square(x) / x - (y + -x) * 1.0 + exp(-(-x)) / -1.0,  # noqa: B002
    ],
)
def test_a_simplified_expression_has_the_value_of_the_plain_one(rule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    simple, terms = fresh(2)
    short = rule(*terms)
    monkeypatch.setattr("gradcalc.calculus.build._RULES", {})
    plain, terms = fresh(2)
    long = rule(*terms)
    assert len(simple.graph) <= len(plain.graph)
    assert value_of(simple.graph, short.node, [1.7, 0.6]) == pytest.approx(value_of(plain.graph, long.node, [1.7, 0.6]))


def test_constants_are_folded() -> None:
    builder, (x,) = fresh()
    assert builder.value(builder.number(2.0) * 3.0 + 1.0) == 7.0
    assert builder.value(cos(builder.number(0.0))) == 1.0
    assert builder.value(builder.number(1.0) / 0.0) == math.inf
    assert builder.value(log(builder.number(0.0))) == -math.inf
    assert written(x * (builder.number(2.0) + 1.0)) == "3*x"


def test_a_zero_of_the_user_is_not_simplified_away() -> None:
    """sqrt(x)*0 at 0 has the slope inf·0 = nan, whatever way it is computed."""
    graph = chain(("sqrt", 0), ("*", 1, 0.0))
    derivative = differentiate(graph, len(graph) - 1, [0])[0]
    assert derivative is not None
    assert math.isnan(value_of(graph, derivative, [0.0]))
    assert value_of(graph, derivative, [4.0]) == 0.0


def test_a_zero_of_the_user_stays_one_when_numbers_are_folded() -> None:
    for steps in (
        [("sqrt", 0), ("*", 1, 0.0), ("*", 3, 2.0)],
        [("sqrt", 0), ("*", 1, 0.0), ("neg", 3)],
        [("sqrt", 0), ("/", 0.0, 2.0), ("*", 1, 4)],
    ):
        graph = chain(*steps)
        derivative = differentiate(graph, len(graph) - 1, [0])[0]
        assert derivative is not None
        assert math.isnan(value_of(graph, derivative, [0.0]))


def test_zeros_that_come_of_counting_down_exponents_vanish() -> None:
    """The third derivative of x^2 is nothing at all, also at 0, where 0*x^-1 would be nan."""
    graph = chain(("pow", 0, 2.0))
    node: int | None = len(graph) - 1
    for _ in range(3):
        assert node is not None
        node = differentiate(graph, node, [0])[0]
    assert node is None or value_of(graph, node, [0.0]) == 0.0


def test_a_mask_is_pulled_outwards() -> None:
    builder, (x, y) = fresh(2)
    masked = builder.masked(x < 1.0, y)
    assert written(masked * x) == "where(x < 1, y*x, 0)"
    assert written(x * masked) == "where(x < 1, y*x, 0)"
    assert written(masked / x) == "where(x < 1, y/x, 0)"
    assert written(-masked) == "where(x < 1, -y, 0)"


def second_derivative(graph: Graph, x: float) -> tuple[float, float]:
    first = differentiate(graph, len(graph) - 1, [0])[0]
    assert first is not None
    second = differentiate(graph, first, [0])[0]
    return value_of(graph, first, [x]), 0.0 if second is None else value_of(graph, second, [x])


def test_where_leaks_nothing_from_the_branch_not_taken_in_any_order() -> None:
    """where(x < 1, x, sqrt(x)) at 0 has the slope 1 and the second derivative 0, where most libraries say nan."""
    steps = [("<", 0, 1.0), ("sqrt", 0), ("where", 2, 0, 3)]
    assert second_derivative(chain(*steps), 0.0) == (1.0, 0.0)
    assert second_derivative(chain(*steps), 4.0) == pytest.approx((0.25, -1 / 32))
    assert second_derivative(chain(("log", 0), ("relu", 1), ("square", 2)), 0.0) == (0.0, 0.0)
