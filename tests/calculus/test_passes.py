"""Passes: one graph of the user's nodes and their derivatives, which computes what the engine computes."""

from __future__ import annotations

import random
from typing import Any

import numpy
import pytest

from gradcalc.calculus.passes import Passes, passes, with_positive_steps
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.formula import Formula
from gradcalc.graph import CONSTANT
from tests.dialects.exports.formulas import formulas, on_arrays
from tests.programs import random_program


def everything(*_: Any) -> bool:
    return True


def nothing_composed(gate: Any, attributes: Any, shapes: Any) -> bool:
    """A dialect without any gate that could be opened."""
    return gate.steps is None and gate.formula is None


def made(formula: Formula, writes: Any = everything, **options: Any) -> Passes:
    graph, shapes = formula.prepared(formula.point())
    inputs = [formula.input_node(number) for number in range(len(formula.inputs))]
    return passes(graph, shapes, formula.names, inputs, writes, **options)


def gate_names(found: Passes) -> list[str]:
    """The gates, in their order."""
    return [found.graph.operator(node).gate.name for node, code in enumerate(found.graph.codes) if code > CONSTANT]  # type: ignore[union-attr]


def test_what_the_user_wrote_stays_as_it_is() -> None:
    found = made(formulas("p = x*y; q = x*y; 2*p + 3*q + x*1", x=2.0, y=3.0)[0])
    names = {name: node for node, name in found.names.items()}
    assert set(names) == {"x", "y", "p", "q"}
    assert names["p"] != names["q"]
    assert gate_names(found)[:2] == ["*", "*"]
    assert found.backward > found.output


def test_slopes_of_named_nodes_have_their_names() -> None:
    found = made(formulas("s = a*x; t = s + 1; t^2*s", a=2.0, x=3.0)[0])
    assert set(found.slopes.values()) >= {"t", "s"}


def test_passes_compute_what_the_engine_computes() -> None:
    for index in range(100):
        formula = formulas(random_program(random.Random(f"passes/{index}")))[0]
        for writes in (everything, nothing_composed):
            found = made(formula, writes, whole_powers=True)
            evaluation = formula.evaluate()
            backpropagate(evaluation)
            values = evaluate(found.graph, formula.point()).values
            close(values[found.output], evaluation.values[-1])
            for number, node in enumerate(found.gradients):
                expected = evaluation.gradients[formula.input_node(number)]
                if numpy.isfinite(expected) and node is not None and numpy.isfinite(values[node]):
                    close(values[node], expected)


@pytest.mark.parametrize("writes", [everything, nothing_composed])
def test_arrays_taken_apart_or_not(writes: Any) -> None:
    for formula in on_arrays():
        found = made(formula, writes, positive_steps=True)
        if writes is nothing_composed:
            opened = [operator.gate for operator in found.graph.operators if operator.gate is not None]
            assert all(gate.formula is None for gate in opened), formula.text
        values = evaluate(found.graph, formula.point()).values
        close(values[found.output], formula.evaluate().values[-1])
        shapes = [numpy.shape(value) for value in values]
        reached = found.graph.reached([node for node in (found.output, *found.gradients) if node is not None])
        assert all(shapes[node] == found.shapes[node] for node, flag in enumerate(reached) if flag), formula.text


def close(found: Any, expected: Any) -> None:
    numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * (1.0 + numpy.max(numpy.abs(expected), initial=0.0)))


@pytest.mark.parametrize("step", [-1, -2, -3])
def test_indices_without_negative_steps(step: int) -> None:
    array = numpy.arange(24.0).reshape(4, 6)
    for item in (("slice", None, None, step), ("slice", 4, 0, step), ("slice", 0, 5, step)):
        for index in ((item,), (1, item), ("...", item), (item, item)):
            plain, axes = with_positive_steps(array.shape, index)
            expected = array[tuple(slice(*one[1:]) if isinstance(one, tuple) else ... if one == "..." else one for one in index)]
            found = array[tuple(slice(*one[1:]) if isinstance(one, tuple) else one for one in plain)]
            assert all(not isinstance(one, tuple) or (one[3] or 1) > 0 for one in plain)
            numpy.testing.assert_array_equal(numpy.flip(found, axes), expected)
