"""What an output depends on, as a graph of its own, with gates opened."""

from __future__ import annotations

import sys

import pytest

import gradcalc
from gradcalc.calculus import extract as module
from gradcalc.calculus.extract import HIDDEN, dependencies, extract
from gradcalc.errors import LimitProblem
from gradcalc.gates.record import Body, Gate
from gradcalc.graph import Graph
from tests.catalogue import chain, gate, values_of


def user_gate(name: str, count: int, body: Body) -> Gate:
    return Gate(name=name, arity=(count, count), family="user", body=body, parameters=("a", "b")[:count], attributes=())


def opened(operator: object) -> Body | None:
    return None if operator.gate is None else operator.gate.body  # type: ignore[attr-defined]


def test_only_what_is_needed_is_copied() -> None:
    graph = chain(("sin", 0), ("cos", 1), ("+", 2, 0), inputs=2)
    part = extract(graph, 4, 4)
    assert part.origin == [0, 2, 4]
    assert [operator.gate.name for operator in part.graph.operators if operator.gate] == ["sin", "+"]
    assert values_of(part.graph, [0.0])[-1] == 0.0


def test_a_whole_graph_is_not_copied() -> None:
    graph = chain(("sin", 0), ("cos", 1))
    part = extract(graph, 2, 0)
    assert part.graph is graph
    assert part.source(1) == 1


def test_dependencies_are_in_order() -> None:
    graph = chain(("sin", 0), ("cos", 1), ("+", 2, 0), ("+", 3, 1), inputs=2)
    assert dependencies(graph, 5, 5) == [1, 3, 5]
    assert dependencies(graph, 5, 4) == [0, 1, 2, 3, 4, 5]


def test_a_call_is_replaced_by_its_body() -> None:
    inner = Body(chain(("*", 0, 1), ("sin", 2), inputs=2), (0, 1), 3)
    outer = Graph()
    a, b = outer.add_input(), outer.add_input()
    outer.add(user_gate("f", 2, inner), (b, a))
    part = extract(outer, 2, 0, opened)
    assert part.origin == [0, 1, HIDDEN, 2]
    assert part.inside == {2: "f"}
    assert part.graph.inputs(2) == (1, 0)


def test_bodies_in_bodies() -> None:
    double = user_gate("double", 1, Body(chain(("+", 0, 0)), (0,), 1))
    quadruple = Graph()
    x = quadruple.add_input()
    quadruple.add(double, (quadruple.add(double, (x,)),))
    graph = Graph()
    x = graph.add_input()
    graph.add(user_gate("quadruple", 1, Body(quadruple, (0,), 2)), (x,))
    part = extract(graph, 1, 0, opened)
    assert values_of(part.graph, [3.0])[-1] == 12.0
    assert set(part.inside.values()) == {"quadruple"}


def test_a_gate_that_answers_its_argument_is_one_node_and_leaves_nothing_behind() -> None:
    first = Body(chain(("sin", 1), inputs=2), (0, 1), 0)
    graph = Graph()
    x, y = graph.add_input(), graph.add_input()
    call = graph.add(user_gate("first", 2, first), (x, graph.add(gate("exp"), (y,))))
    part = extract(graph, call, 0, opened)
    assert part.origin == [x, call]
    assert values_of(part.graph, [5.0]) == [5.0, 5.0]


def test_exponential_growth_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPENED_NODES", 10_000)
    lines = ["f0(x) = x*x + 1"] + [f"f{i}(x) = f{i - 1}(x) + f{i - 1}(x/2)" for i in range(1, 9)]
    with pytest.raises(LimitProblem, match="10,000 nodes") as caught:
        gradcalc.parse("\n".join([*lines, "+".join(["f8(a)"] * 20)])).evaluate(a=1)
    assert caught.value.place is not None
    assert caught.value.place.line == 10


def test_exponential_growth_is_known_before_anything_is_opened() -> None:
    lines = ["f0(x) = x*x"] + [f"f{i}(x) = f{i - 1}(f{i - 1}(x))" for i in range(1, 2000)]
    with pytest.raises(LimitProblem, match="f1999 opens into more than 5,000,000 nodes") as caught:
        gradcalc.parse("\n".join([*lines, "f3(a)", "f1999(a)"]))
    assert caught.value.place is not None
    assert caught.value.place.line == 2002


def test_deep_nests_of_user_gates_need_no_recursion() -> None:
    lines = ["f0(x) = x + 1"] + [f"f{i}(x) = f{i - 1}(x)" for i in range(1, 3000)]
    limit = sys.getrecursionlimit()
    calculation = gradcalc.parse("\n".join([*lines, "f2999(a)*2"]))
    sys.setrecursionlimit(250)
    try:
        result = calculation.evaluate(a=1)
    finally:
        sys.setrecursionlimit(limit)
    assert result.value == 4.0
    assert result.gradients == {"a": 2.0}
