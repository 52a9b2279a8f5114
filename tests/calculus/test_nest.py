"""Graphs with all that is inside their gates: every gate beside its inside, and the same numbers open or closed."""

from __future__ import annotations

import pytest

from gradcalc.calculus.nest import NONE, Nest, nest
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.errors import GradcalcError, LimitProblem
from gradcalc.formula import Formula
from gradcalc.gates.record import Body
from gradcalc.graph import Operator
from gradcalc.language.formulas import parse_formula
from gradcalc.workspace import Options, Workspace

USER = "k = 3; g(u) = u*k + sigmoid(u); f(x, y) = g(x)*y; q = f(a, b) + 1; softplus(q)*a"


def body_of(operator: Operator) -> Body | None:
    gate = operator.gate
    return parse_formula(gate, dict(operator.attributes)) if gate is not None and gate.composed else None


def formula(program: str, **values: float) -> Formula:
    (made,) = Workspace(values, Options(seed=7)).formulas(program)
    assert not isinstance(made, GradcalcError), made
    return made


def nested(made: Formula, limit: int = 1000) -> Nest:
    assert made.written is not None
    return nest(made.written.program.graph, made.written.node, made.written.first, body_of, limit)


def names(found: Nest) -> list[str]:
    return ["" if item.operator.gate is None else "port" if item.port else item.operator.gate.name for item in found.items]


def test_a_gate_stands_behind_its_ports_and_what_is_inside_it() -> None:
    found = nested(formula("f(u) = u*u; f(x) + 1", x=2.0))
    assert names(found) == ["", "port", "*", "f", "", "+"]
    call = found.items[3]
    assert (call.ports, call.result, call.own) == ((1,), 2, True)
    assert [item.home for item in found.items] == [NONE, 3, 3, NONE, NONE, NONE]
    assert found.items[2].inputs == (1, 1)
    assert found.output == 5


def test_gates_are_found_inside_gates() -> None:
    found = nested(formula(USER, a=1.0, b=2.0))
    inner = names(found).index("g")
    outer = names(found).index("f")
    assert found.items[inner].home == outer
    sigmoid = names(found).index("sigmoid")
    assert found.items[sigmoid].home == inner
    assert not found.items[sigmoid].own
    assert all(source < number for number, item in enumerate(found.items) for source in item.inputs)


def test_the_closed_graph_is_that_of_the_formula_and_the_opened_one_gives_the_same_numbers() -> None:
    made = formula(USER, a=1.0, b=2.0)
    found = nested(made)
    by_name = dict(zip(made.inputs, made.values))
    assert made.written is not None
    point = [by_name[made.written.program.inputs[number].name] for number in found.numbers]
    expected = made.evaluate()
    backpropagate(expected)
    for graph in (found.closed, found.opened):
        evaluation = evaluate(graph, point)
        backpropagate(evaluation)
        assert evaluation.values[-1] == pytest.approx(expected.values[-1], rel=1e-14)
        gradients = {name: evaluation.gradients[_input(graph, number)] for number, name in enumerate(["k", "a", "b"])}
        for number, name in enumerate(made.inputs):
            assert gradients[name] == pytest.approx(expected.gradients[made.input_node(number)], rel=1e-13)
    assert {operator.gate.name for operator in found.opened.operators if operator.gate} <= {"*", "+", "neg", "exp", "/", "log1p"}


def _input(graph: object, number: int) -> int:
    from gradcalc.graph import INPUT, Graph

    assert isinstance(graph, Graph)
    return next(node for node, code in enumerate(graph.codes) if code == INPUT and graph.left[node] == number)


def test_a_gate_that_is_its_own_argument_has_something_inside() -> None:
    found = nested(formula("f(u, v) = v; f(x, y)", x=1.0, y=2.0))
    assert names(found) == ["", "", "port", "port", "=", "f"]
    assert found.items[5].result == 4
    assert evaluate(found.closed, [1.0, 2.0]).values[-1] == 2.0


def test_draws_are_those_of_the_program() -> None:
    made = formula("noise(u) = u + randn(2); sum(noise(x) * noise(x))", x=1.0)
    found = nested(made)
    expected = made.evaluate().values[-1]
    for graph in (found.closed, found.opened):
        assert evaluate(graph, [1.0], made.makers).values[-1] == expected


def test_attributes_reach_the_inside() -> None:
    found = nested(formula("leaky_relu(x, slope=0.5)", x=-2.0))
    assert evaluate(found.opened, [-2.0]).values[-1] == -1.0


def test_more_items_than_allowed_are_an_error_and_take_no_time() -> None:
    lines = ["f0(x) = x*x", *(f"f{n}(x) = f{n - 1}(f{n - 1}(x))" for n in range(1, 13)), "f12(a)"]
    with pytest.raises(LimitProblem, match="more than 1,000 gates"):
        nested(formula("\n".join(lines), a=1.0))


def test_a_long_chain_is_no_matter() -> None:
    program = "\n".join(["s0 = x + 1", *(f"s{n} = s{n - 1} + 1" for n in range(1, 5000))])
    assert len(nested(formula(program, x=0.0), 20_000).items) == 10_001
