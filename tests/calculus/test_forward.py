"""Forward mode: for every gate of the catalogue the same derivatives as reverse mode and numerics, at first and second order."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pytest

from gradcalc.calculus.build import Builder
from gradcalc.calculus.extract import extract
from gradcalc.calculus.forward import tangents
from gradcalc.calculus.reverse import differentiate
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.engine.tangents import push
from gradcalc.gates import Gate
from gradcalc.graph import INPUT, Graph
from tests.catalogue import case_name, cases, chain, gate, one_gate, sample_points, values_of
from tests.gates.test_arrays import SMOOTH, Case, OneGate, weighted

STEP = 2.0**-9


def by_graph(graph: Graph, node: int | None, inputs: Sequence[Any], shape: tuple[int, ...] = ()) -> Any:
    """The value of a node of a graph that has grown; zeros where there is no path."""
    if node is None:
        return numpy.zeros(shape) if shape else 0.0
    part = extract(graph, node, node)
    needed = [inputs[graph.left[part.source(inner)]] for inner, code in enumerate(part.graph.codes) if code == INPUT]
    return evaluate(part.graph, needed).values[-1]


def pushed_as_graph(graph: Graph, shapes: Any, directions: Mapping[int, Any], last: int) -> int | None:
    """The tangent of a node, as a node."""
    constants = {node: graph.add_constant(direction) for node, direction in directions.items()}
    builder = Builder(graph, [*shapes, *(numpy.shape(direction) for direction in directions.values())])
    terms = {node: builder.term(constant) for node, constant in constants.items()}
    return tangents(graph, terms, last, builder=builder)[last]


def directions_of(inputs: Sequence[int], values: Sequence[Any], seed: int) -> dict[int, Any]:
    """For each input a random direction of its shape."""
    rng = numpy.random.default_rng(seed)
    made = [rng.uniform(0.5, 1.5, numpy.shape(value)) * rng.choice([-1.0, 1.0], numpy.shape(value)) for value in values]
    return {node: direction if direction.shape else float(direction) for node, direction in zip(inputs, made)}


def moved(values: Sequence[Any], directions: Mapping[int, Any], step: float) -> list[Any]:
    """The inputs, some way in a direction."""
    return [value + step * direction for value, direction in zip(values, directions.values())]


def numerically(function: Any, values: Sequence[Any], directions: Mapping[int, Any]) -> Any:
    """How a function of the inputs changes along a direction, by central differences of fourth order."""
    two, one, back, further = (function(moved(values, directions, step * STEP)) for step in (2, 1, -1, -2))
    return (further - 8 * back + 8 * one - two) / (12 * STEP)


def close(found: Any, expected: Any, bound: float) -> None:
    scale = max(1.0, float(numpy.max(numpy.abs(expected), initial=0.0)))
    assert numpy.shape(found) == numpy.shape(expected)
    numpy.testing.assert_allclose(found, expected, rtol=bound, atol=bound * scale)


# ---- every element-wise gate -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_numbers_loop_rules_and_graph_agree_with_reverse_mode(record: Gate, count: int) -> None:
    rng = random.Random(f"forward {record.name}")
    for point in sample_points(record, count, 5):
        direction = {node: rng.uniform(-2.0, 2.0) for node in range(count)}
        evaluation = evaluate(one_gate(record, count), point)
        backpropagate(evaluation)
        expected = sum(evaluation.gradients[node] * amount for node, amount in direction.items())
        assert push(evaluation, direction)[count] == pytest.approx(expected, rel=1e-13, abs=1e-300)
        grown = one_gate(record, count)
        found = by_graph(grown, tangents(grown, direction, count)[count], point)
        assert found == pytest.approx(expected, rel=1e-13, abs=1e-300)
        columns = evaluate(one_gate(record, count), [numpy.array([x, x]) for x in point])
        on_arrays = push(columns, {node: numpy.array([amount, 0.0]) for node, amount in direction.items()})[count]
        assert on_arrays.tolist() == pytest.approx([expected, 0.0], rel=1e-13, abs=1e-300)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_numbers_agree_with_differences(record: Gate, count: int) -> None:
    if record.kinks is not None and record.constant:
        return  # differences across jumps say nothing
    for point in sample_points(record, count, 2):
        direction = {node: 1e-3 * (node + 1) for node in range(count) if node not in record.discrete}
        values = [point[node] for node in direction]

        def at(inputs: Sequence[float], point: Sequence[float] = point, direction: Mapping[int, float] = direction) -> float:
            given = list(point)
            for node, value in zip(direction, inputs):
                given[node] = value
            return float(evaluate(one_gate(record, count), given).values[-1])

        found = push(evaluate(one_gate(record, count), point), direction)[count]
        scale = abs(at(values)) + abs(found)
        assert found == pytest.approx(numerically(at, values, direction), rel=1e-9, abs=1e-12 * (1.0 + scale))


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_second_order_along_all_ways_is_one_number(record: Gate, count: int) -> None:
    """Backwards twice, forwards twice, and forwards over backwards."""
    rng = random.Random(f"twice {record.name}")
    direction = {node: rng.uniform(-1.0, 1.0) for node in range(count)}
    graph = one_gate(record, count)
    slope = tangents(graph, direction, count)[count]
    twice = None if slope is None else tangents(graph, direction, slope)[slope]
    gradients = [differentiate(graph, count, [node])[0] for node in range(count)]
    rows = [
        (node, None if gradient is None else tangents(graph, direction, gradient)[gradient])
        for node, gradient in enumerate(gradients)
    ]
    backwards = [None if slope is None else differentiate(graph, slope, [node])[0] for node in range(count)]
    for point in sample_points(record, count, 3):
        expected = sum(direction[node] * by_graph(graph, row, point) for node, row in rows)
        scale = 1e-13 * (1.0 + sum(abs(direction[node] * by_graph(graph, row, point)) for node, row in rows))
        assert by_graph(graph, twice, point) == pytest.approx(expected, rel=1e-11, abs=scale)
        mixed = sum(direction[node] * by_graph(graph, row, point) for node, row in enumerate(backwards))
        assert mixed == pytest.approx(expected, rel=1e-11, abs=scale)


# ---- every other gate ------------------------------------------------------------------------------------------------------------


def flowing(case: Case, one: OneGate) -> dict[int, Any]:
    """A direction for all inputs, but those that are labels or places: these stay."""
    directions = directions_of(one.inputs, one.values, 3)
    for position in case.record.discrete:
        directions[one.inputs[position]] = one.values[position] * 0.0
    return directions


def backwards(evaluation: Evaluation, directions: Mapping[int, Any]) -> float:
    backpropagate(evaluation)
    return sum(float(numpy.sum(evaluation.gradients[node] * direction)) for node, direction in directions.items())


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_arrays_agree_with_reverse_mode_and_with_differences(case: Case) -> None:
    one = OneGate(case)
    directions = flowing(case, one)
    evaluation = evaluate(one.graph, one.values)
    assert evaluation.shapes is not None
    expected = backwards(evaluation, directions)
    found = push(evaluation, directions)
    for node, tangent in enumerate(found):
        assert numpy.shape(tangent) == evaluation.shape(node)
    close(found[one.output], expected, 1e-12)
    small = {node: direction * 0.125 for node, direction in directions.items()}
    close(found[one.result] * 0.125, numerically(lambda inputs: one.value_at(one.result, inputs), one.values, small), 1e-8)
    node = pushed_as_graph(one.graph, evaluation.shapes, directions, one.output)
    close(by_graph(one.graph, node, one.values), expected, 1e-12)


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_arrays_at_second_order(case: Case) -> None:
    """The tangent of the gradient is the gradient of the tangent, and what differences of the gradient show."""
    one = OneGate(case)
    directions = flowing(case, one)
    shapes = evaluate(one.graph, one.values).shapes
    assert shapes is not None
    gradients = differentiate(one.graph, one.output, one.inputs, shapes)
    for number, (node, gradient) in enumerate(zip(one.inputs, gradients)):
        if gradient is None or number in case.record.discrete:
            continue
        mark = one.graph.mark()
        slope = weighted(one.graph, gradient, shapes[node], 2 + number)
        evaluation = evaluate(one.graph, one.values)
        expected = backwards(evaluation, directions)
        close(push(evaluation, directions)[slope], expected, 1e-11)
        grown = pushed_as_graph(one.graph, evaluation.shapes, directions, slope)
        close(by_graph(one.graph, grown, one.values), expected, 1e-11)
        small = {node: direction * 0.125 for node, direction in directions.items()}
        by_differences = numerically(lambda inputs, slope=slope: one.value_at(slope, inputs), one.values, small)
        close(expected * 0.125, by_differences, 1e-6)
        one.graph.cut(mark)


# ---- what is special -------------------------------------------------------------------------------------------------------------


def test_no_path_is_no_node() -> None:
    graph = chain(("sin", 0), ("<", 0, 1), ("*", 1, 1), inputs=2)
    found = tangents(graph, {1: 1.0}, 4)
    assert [tangent is None for tangent in found] == [True, False, True, True, False]
    assert values_of(extract(graph, found[4] or 0, 0).graph, [3.0, 5.0])[-1] == 10.0


@pytest.mark.parametrize(
    ("steps", "x", "expected"),
    [
        ([("sqrt", 0), ("square", 1)], 0.0, 1.0),
        ([("sqrt", 0)], 0.0, math.inf),
        ([("hypot", 0, 0)], 0.0, 0.0),
        ([("sqrt", 0), ("<", 0, 1.0), ("where", 3, 0, 1)], 0.0, 1.0),
        ([("<", 0, 1.0), ("where", 2, 2.0, 0), ("sqrt", 4)], 0.5, 0.0),
        ([("relu", 0)], 0.0, 0.0),
        ([("max", 0, 0.0)], 0.0, 0.5),
    ],
)
def test_special_points_answer_as_reverse_mode_does(steps: list[tuple[Any, ...]], x: float, expected: float) -> None:
    evaluation = evaluate(chain(*steps), [x])
    backpropagate(evaluation)
    assert evaluation.gradients[0] == expected
    assert push(evaluation, {0: 1.0})[-1] == expected


def test_what_does_not_move_is_not_multiplied() -> None:
    """x*sqrt(y) at y = 0 has the slope sqrt(y) = 0 along x, though the slope of the root is infinite."""
    evaluation = evaluate(chain(("sqrt", 1), ("*", 0, 2), inputs=2), [3.0, 0.0])
    assert push(evaluation, {0: 1.0}) == [1.0, 0.0, 0.0, 0.0]
    arrays = evaluate(chain(("sqrt", 1), ("*", 0, 2), inputs=2), [numpy.array([3.0]), numpy.array([0.0])])
    assert push(arrays, {0: numpy.array([1.0])})[-1].tolist() == [0.0]


def test_more_operators_than_the_loop_has_branches() -> None:
    names = [record.name for record, count in cases() if count == 1 and record.domain is None and not record.constant]
    assert len(names) > 24
    steps: list[tuple[Any, ...]] = []
    for number, name in enumerate(names):
        steps += [(name, 2 * number), ("tanh", 2 * number + 1)]
    evaluation = evaluate(chain(*steps), [0.3])
    backpropagate(evaluation)
    assert push(evaluation, {0: 1.0})[-1] == pytest.approx(evaluation.gradients[0], rel=1e-11)


def test_python_errors_become_ieee_numbers() -> None:
    evaluation = evaluate(chain(("reciprocal", 0), ("square", 0), ("+", 1, 2)), [0.0])
    assert push(evaluation, {0: 1.0})[1:3] == [-math.inf, 0.0]


def test_depth_costs_no_recursion() -> None:
    graph = Graph()
    node = graph.add_input()
    for _ in range(50_000):
        node = graph.add(gate("sin"), (node,))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        evaluation = evaluate(graph, [0.5])
        found = push(evaluation, {0: 1.0})
        assert tangents(graph, {0: 1.0}, node)[node] is not None
    finally:
        sys.setrecursionlimit(limit)
    assert 0.0 < found[-1] < 1.0
