"""Reverse mode as graph to graph."""

from __future__ import annotations

import math
import sys

import pytest

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import dependents, differentiate
from gradcalc.graph import Graph
from tests.calculus.test_build import value_of
from tests.catalogue import chain, gate, values_of


def test_equal_expressions_of_the_user_are_nodes_of_their_own() -> None:
    """p = x*y; q = x*y; 2*p + 3*q: the gradient at p is 2, at q 3, at x their sum times y."""
    graph = chain(("*", 0, 1), ("*", 0, 1), ("*", 2.0, 2), ("*", 3.0, 3), ("+", 5, 7), inputs=2)
    by_p, by_q, by_x = differentiate(graph, 8, [2, 3, 0])
    assert [value_of(graph, node, [7.0, 11.0]) for node in (by_p, by_q, by_x) if node is not None] == [2.0, 3.0, 55.0]


def test_no_path_is_no_node() -> None:
    graph = chain(("sin", 0), ("<", 0, 1), inputs=2)
    assert differentiate(graph, 2, [1]) == [None]
    assert differentiate(graph, 3, [0, 1]) == [None, None]


def test_a_node_by_itself_has_the_derivative_from_above() -> None:
    graph = chain(("sin", 0))
    found = differentiate(graph, 1, [1], above=3.0)[0]
    assert found is not None
    assert graph.constant(found) == 3.0


def test_local_derivatives_may_be_given() -> None:
    graph = chain(("sin", 0), ("square", 1))
    found = differentiate(graph, 2, [0], fixed={1: {0: 5.0}})[0]
    assert found is not None
    assert value_of(graph, found, [0.5]) == pytest.approx(2 * math.sin(0.5) * 5.0)


def test_depth_costs_no_recursion() -> None:
    graph = Graph()
    node = graph.add_input()
    limit = sys.getrecursionlimit()
    for _ in range(100_000):
        node = graph.add(gate("sin"), (node,))
    sys.setrecursionlimit(200)
    try:
        derivative = differentiate(graph, node, [0])[0]
        assert derivative is not None
        part = extract(graph, derivative, derivative)
    finally:
        sys.setrecursionlimit(limit)
    assert len(part.graph) > 200_000
    assert 0.0 < values_of(part.graph, [0.5])[-1] < 1.0


def test_the_fourth_derivative_stays_small_and_right() -> None:
    mpmath = pytest.importorskip("mpmath")
    graph = chain(("sin", 0), ("*", 1, 0), ("pow", 0, 2.0), ("+", 1.0, 4), ("/", 2, 6))
    mpmath.mp.dps = 40
    node: int | None = len(graph) - 1
    for order in range(1, 5):
        assert node is not None
        node = differentiate(graph, node, [0])[0]
        assert node is not None
        for x in (0.0, 0.7, -2.0):
            truth = mpmath.diff(lambda t: mpmath.sin(t) * t / (1 + t * t), mpmath.mpf(x), order)
            assert value_of(graph, node, [x]) == pytest.approx(float(truth), rel=1e-11, abs=1e-11)
    assert len(extract(graph, node, node).graph) <= 300


def test_dependents_are_what_is_computed_from_the_sources() -> None:
    graph = chain(("sin", 0), ("+", 1, 2), ("where", 3, 0, 1), inputs=2)
    assert list(dependents(graph, [1], 4)) == [0, 1, 0, 1, 1]
    assert list(dependents(graph, [], 4)) == [0, 0, 0, 0, 0]
    assert list(dependents(graph, [3], 4)) == [0, 0, 0, 1, 0]  # nothing flows through a condition
