"""A check that cannot fail is worthless: every rule of every gate is spoiled, and the check has to see it."""

from __future__ import annotations

import random

import pytest

from gradcalc.checking.check import check
from gradcalc.checking.scalars import check_nodes
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import Gate
from gradcalc.graph import Graph
from tests.catalogue import case_name, cases, defaults, gate, one_gate, positions, sample_points, spoiled


def verdict_alone(record: Gate, count: int, position: int, point: list[float]) -> str:
    graph = one_gate(record, count)
    values = scalar.forward(graph, point)
    gradients = scalar.backward(graph, values, len(graph) - 1)
    return check_nodes(graph, values, gradients, [position])[position].verdict


def wrapped(record: Gate, count: int, point: list[float]) -> tuple[Graph, list[float]]:
    """The gate inside a larger program: sin(gate(a + c, …)) times another input, plus a square of the first."""
    graph = Graph()
    inputs = [graph.add_input() for _ in range(count)]
    factor = graph.add_input()
    shifted = [graph.add(gate("+", 2), (source, graph.add_constant(0.25))) for source in inputs]
    made = graph.add(record, shifted, defaults(record))
    # The slope of sin must not vanish where the gate's value is large, so it is scaled to about one.
    scale = graph.add_constant(1.0 / (1.0 + abs(scalar.forward(one_gate(record, count), point)[-1])))
    small = graph.add(gate("sin"), (graph.add(gate("*", 2), (made, scale)),))
    product = graph.add(gate("*", 2), (small, factor))
    graph.add(gate("+", 2), (product, graph.add(gate("square"), (factor,))))
    return graph, [x - 0.25 for x in point] + [1.7]


@pytest.mark.parametrize(("record", "count", "position"), positions(), ids=case_name)
def test_a_spoiled_rule_is_a_mismatch_at_its_samples(record: Gate, count: int, position: int) -> None:
    for point in sample_points(record, count):
        assert verdict_alone(spoiled(record, position), count, position, point) == "mismatch", point


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_the_rule_as_it_stands_is_ok_at_its_samples(record: Gate, count: int) -> None:
    for point in sample_points(record, count):
        for position in range(count):
            assert verdict_alone(record, count, position, point) == "ok", point


@pytest.mark.parametrize(("record", "count", "position"), positions(), ids=case_name)
def test_a_spoiled_rule_is_a_mismatch_inside_a_larger_program(record: Gate, count: int, position: int) -> None:
    for point in sample_points(record, count, 2):
        for spoil in (True, False):
            graph, inputs = wrapped(spoiled(record, position) if spoil else record, count, point)
            values = scalar.forward(graph, inputs)
            gradients = scalar.backward(graph, values, len(graph) - 1)
            found = check_nodes(graph, values, gradients, [position])[position].verdict
            assert found == ("mismatch" if spoil else "ok"), point


@pytest.mark.parametrize(("record", "count", "position"), positions(), ids=case_name)
def test_a_spoiled_rule_is_a_mismatch_on_arrays(record: Gate, count: int, position: int) -> None:
    import numpy

    points = list(sample_points(record, count, 3))
    columns = [numpy.array(column) for column in zip(*points)]
    for spoil in (True, False):
        graph = one_gate(spoiled(record, position) if spoil else record, count)
        evaluation = evaluate(graph, columns)
        backpropagate(evaluation)
        verdict = check(evaluation, [position])[0](position).verdict
        assert verdict == ("mismatch" if spoil else "ok")


@pytest.mark.parametrize("method", ["central", "one-sided", "complex", "exact"])
def test_every_method_finds_a_spoiled_rule(method: str) -> None:
    rng = random.Random(1)
    for name in ("sin", "exp", "log", "tanh", "sigmoid", "sqrt"):
        record = gate(name)
        graph = one_gate(spoiled(record, 0), 1)
        values = scalar.forward(graph, [rng.uniform(*record.samples[0])])
        gradients = scalar.backward(graph, values, 1)
        assert check_nodes(graph, values, gradients, [0], method)[0].verdict == "mismatch", name
