"""The linear program: every gate's value and gradients as one graph, shared, folded, and safe where masks take paths away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from gradcalc.calculus.linear import Floors, LinearProgram, linear_program
from gradcalc.engine import arrays, scalar
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import Gate
from gradcalc.graph import CONSTANT, INPUT, Graph
from gradcalc.workspace import Workspace
from tests.catalogue import case_name, cases, chain, gate, one_gate, sample_points
from tests.gates.test_arrays import CASES, Case, OneGate


def outputs(program: LinearProgram, inputs: Sequence[Any]) -> list[Any]:
    """What a program's graph computes, by the interpreter."""
    forward = scalar.forward if program.shapes is None else arrays.forward
    values = forward(program.graph, inputs)
    return [None if output is None else values[output] for output in program.outputs]


def names(program: LinearProgram) -> list[str]:
    operators = (program.graph.operator(node) for node in range(len(program.graph)))
    return [operator.gate.name for operator in operators if operator.gate is not None]


def formula(text: str, **values: Any) -> Any:
    made = next(iter(Workspace(values).formulas(text)))
    assert not isinstance(made, Exception), made
    return made


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_every_gate_and_its_gradients_are_one_graph(record: Gate, count: int, steps: bool) -> None:
    graph = one_gate(record, count)
    program = linear_program(graph, range(count), steps=steps)
    for point in sample_points(record, count):
        evaluation = evaluate(graph, point)
        backpropagate(evaluation)
        value, *gradients = outputs(program, point)
        assert value == pytest.approx(evaluation.values[-1], rel=1e-13)
        for gradient, expected in zip(gradients, evaluation.gradients):
            assert (gradient or 0.0) == pytest.approx(expected, rel=1e-11, abs=1e-300)


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_array_gate_and_its_gradients_are_one_graph(case: Case, steps: bool) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    program = linear_program(one.graph, range(len(one.values)), evaluation.shapes, steps=steps)
    assert program.shapes is not None
    value, *gradients = outputs(program, one.values)
    numpy.testing.assert_allclose(value, evaluation.values[-1], rtol=1e-12)
    for node, gradient in enumerate(gradients):
        expected = evaluation.gradients[node]
        if gradient is not None:
            numpy.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-13)
            assert numpy.shape(gradient) == evaluation.shape(node)
        else:
            assert not numpy.any(expected)
    for node, shape in enumerate(program.shapes):
        assert numpy.shape(arrays.forward(program.graph, one.values)[node]) == shape


def test_what_is_written_twice_is_computed_once() -> None:
    made = formula("exp(x*y) + exp(x*y)*sin(x*y)", x=0.5, y=2.0)
    program = linear_program(made.graph, [0, 1])
    assert names(program).count("exp") == 1
    assert names(program).count("sin") == 1


def test_constants_are_folded_and_dead_nodes_left_out() -> None:
    made = formula("x*(sin(0.5) + 2)^3 + 0", x=0.5)
    program = linear_program(made.graph, [0])
    assert "sin" not in names(program)
    assert all(program.graph.reached([output for output in program.outputs if output is not None])[1:])


def test_a_program_without_gradients_has_none() -> None:
    program = linear_program(chain(("sin", 0)))
    assert len(program.outputs) == 1 and names(program) == ["sin"]


def test_a_zero_that_the_user_wrote_is_kept() -> None:
    program = linear_program(chain(("*", 0, 0.0)), [0])
    assert math.isnan(outputs(program, [math.inf])[0])


def test_an_input_without_a_path_has_no_gradient() -> None:
    program = linear_program(chain(("sin", 0), inputs=2), [1, 0])
    assert program.outputs[1] is None and program.outputs[2] is not None


def test_a_sum_of_absent_contributions_is_absent() -> None:
    made = formula("s = sqrt(x); where(x > 0, s, 0) + where(x > 1, 2*s, 0) + where(x > 0, 3*s, 0)", x=0.0)
    program = linear_program(made.graph, [0])
    assert outputs(program, [0.0])[1] == 0.0
    assert outputs(program, [4.0])[1] == pytest.approx(1.5)


def test_a_sigmoid_and_its_slope_share_one_exponential() -> None:
    program = linear_program(chain(("sigmoid", 0)), [0])
    assert names(program).count("exp") == 1
    for x in (-800.0, -720.0, -40.0, 0.0, 17.0, 40.0, 800.0):
        value, slope = outputs(program, [x])
        e = math.exp(-abs(x))
        assert slope == pytest.approx(e / (1 + e) ** 2, rel=1e-14, abs=1e-307)
        assert value == pytest.approx((1.0 if x >= 0 else e) / (1 + e), rel=1e-14, abs=1e-307)


def test_a_derivative_uses_the_products_of_the_value() -> None:
    made = formula("sigmoid(x)*exp(-x*y)/(1+x*x)", x=0.5, y=0.3)
    program = linear_program(made.graph, [0, 1])
    assert names(program).count("/") == 3  # of the sigmoid, of the value, and of the divisor's own slope


def test_sizes_are_constants_of_the_program() -> None:
    made = formula("sum(reshape(x, n, -1)*one_hot(k, n))", x=numpy.arange(9.0), n=3.0, k=numpy.array([0.0, 2.0, 1.0]))
    program = linear_program(made.graph, [made.inputs.index("x")], made.shapes)
    point = made.point()
    number = made.inputs.index("n")
    assert all(number not in program.graph.inputs(node) for node in range(len(program.graph)))
    value, gradient = outputs(program, point)
    assert value == 0 + 5 + 7
    assert gradient.tolist() == [1, 0, 0, 0, 0, 1, 0, 1, 0]


def test_divisors_that_stay_away_from_zero_are_no_risk() -> None:
    assert not linear_program(formula("x/(1 + y*y)", x=1.0, y=1.0).graph, [0, 1]).risky
    assert linear_program(formula("x/y", x=1.0, y=1.0).graph, [0, 1]).risky
    assert linear_program(formula("x^1.5", x=1.0).graph, [0]).risky
    assert not linear_program(formula("x^3 + sigmoid(x)*exp(x)", x=1.0).graph, [0]).risky


def test_bounds_from_below_are_bounds() -> None:
    graph = chain(("*", 0, 0), ("+", 1, 2.5), ("exp", 0), ("+", 3, 4), ("max", 0, 5))
    floors = Floors(graph)
    for x in (-3.0, -0.5, 0.0, 2.0):
        for node, value in enumerate(scalar.forward(graph, [x])):
            assert value >= floors.of(node)
    assert floors.of(len(graph) - 1) == 2.5


def test_the_last_use_of_a_node_is_where_its_place_can_be_taken() -> None:
    program = linear_program(chain(("sin", 0), ("exp", 1), ("*", 1, 2)))
    graph = program.graph
    last = program.last_uses()
    assert last[-1] == len(graph)
    for node in range(len(graph)):
        users = [user for user in range(len(graph)) if node in graph.inputs(user)]
        assert last[node] == max(users, default=last[node])


def test_inputs_come_first_by_their_numbers() -> None:
    program = linear_program(chain(("sin", 2), inputs=3), [2])
    codes = program.graph.codes
    assert codes[:3] == [INPUT] * 3 and program.graph.left[:3] == [0, 1, 2]
    assert INPUT not in codes[3:] and CONSTANT not in codes


def test_small_powers_are_products() -> None:
    graph = Graph()
    x = graph.add_input()
    graph.add(gate("pow", 2), [x, graph.add_constant(3.0)])
    program = linear_program(graph, [0])
    assert "pow" not in names(program)
    assert outputs(program, [1.7]) == pytest.approx([1.7**3, 3 * 1.7**2])
