"""Formulas of arrays, element by element."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gradcalc.calculus.elements import elements
from gradcalc.engine import arrays, scalar
from gradcalc.engine.shapes import infer
from gradcalc.errors import ArgumentProblem, LimitProblem
from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.record import Trial
from gradcalc.graph import Graph
from tests.catalogue import defaults, gate, name_of

REFUSED = frozenset(
    (
        *("sort", "argsort", "take_along_axis", "put_along_axis", "cofactors"),
        *("product_of_others", "linspace", "argmax", "argmin", "one_hot"),
    )
)
"""Gates that depend on an order or a decomposition: only numbers are given for them."""

CASES = [(record, one) for record in REGISTRY.records() for one in record.trials if record.name not in REFUSED and not record.maker]


@pytest.mark.parametrize(("record", "one"), CASES, ids=lambda case: name_of(case) if isinstance(case, Gate) else "")
def test_every_element_has_the_value_that_the_array_has(record: Gate, one: Trial) -> None:
    draw = numpy.random.default_rng(2)
    graph = Graph()
    values: list[Any] = []
    for number, shape in enumerate(one.shapes):
        low, high = record.samples[min(number, len(record.samples) - 1)]
        drawn = draw.uniform(low, high, shape) if low < high else numpy.full(shape, low)
        values.append(drawn if shape else float(drawn))
        graph.add_input()
    inputs = list(range(len(values)))
    sizes = [graph.add_constant(size) for size in one.sizes]
    attributes = tuple(sorted((dict(defaults(record)) | dict(one.attributes)).items()))
    node = graph.add(record, [*sizes, *inputs] if (record.data or 0) < 0 else [*inputs, *sizes], attributes)
    shapes = infer(graph, values, lambda nodes: [graph.constant(n) for n in nodes])
    made = elements(graph, node, shapes)
    expected = arrays.forward(graph, values)[node]
    flat = [float(item) for value in values for item in numpy.ravel(value)]
    computed = scalar.forward(made.graph, flat)
    assert made.output.shape == numpy.shape(expected)
    found = numpy.array([computed[int(place)] for place in made.output.ravel()]).reshape(made.output.shape)
    numpy.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_elements_are_named_by_their_places() -> None:
    graph = Graph()
    matrix, number = graph.add_input(), graph.add_input()
    node = graph.add(gate("*", 2), (matrix, number))
    made = elements(graph, node, [(1, 2), (), (1, 2)])
    assert made.names(["W", "a"]) == {0: "W[0, 0]", 1: "W[0, 1]", 2: "a"}


def test_what_is_too_large_or_impossible_is_refused() -> None:
    graph = Graph()
    x = graph.add_input()
    square = graph.add(gate("square"), (x,))
    with pytest.raises(LimitProblem, match="1,000 elements"):
        elements(graph, square, [(1000,), (1000,)])
    ordered = graph.add(gate("sort"), (x,), (("axis", -1),))
    with pytest.raises(ArgumentProblem, match="sort"):
        elements(graph, ordered, [(3,), (3,), (3,)])
    inverse = graph.add(gate("inv"), (x,))
    with pytest.raises(ArgumentProblem, match="inv of a 6×6 matrix"):
        elements(graph, inverse, [(6, 6)] * 4)
