"""Arrays: shapes are found before anything is computed, and gradients have the shapes of what they belong to."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.engine import arrays, shapes
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.shapes import ShapeMismatch
from gradcalc.gates.linear_algebra import broadcast_shapes
from tests.catalogue import chain, defaults, gate, one_gate


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([()], ()),
        ([(2, 3), ()], (2, 3)),
        ([(3,), (2, 1)], (2, 3)),
        ([(2, 3), (2, 3)], (2, 3)),
        ([(1,), (4,)], (4,)),
        ([(0,), (1,)], (0,)),
        ([(5, 1, 2), (4, 1)], (5, 4, 2)),
    ],
)
def test_broadcasting_is_that_of_numpy(given: list[tuple[int, ...]], expected: tuple[int, ...]) -> None:
    assert broadcast_shapes(*given) == expected == numpy.broadcast_shapes(*given)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("+", [(2, 3), (4,)], "2×3 and 4"),
        ("*", [(3,), (2,)], "3 and 2"),
        ("max", [(3,), (2,)], "3 and 2"),
        ("@", [(2, 3), (2, 3)], "2×3 @ 2×3"),
        ("@", [(3,), (2,)], "3 @ 2"),
        ("stack", [(3,), (2,)], "3 and 2"),
    ],
)
def test_shapes_that_do_not_fit_name_both(name: str, given: list[tuple[int, ...]], words: str) -> None:
    graph = one_gate(gate(name, 2), 2)
    inputs = [numpy.zeros(shape) for shape in given]
    with pytest.raises(ShapeMismatch) as caught:
        shapes.infer(graph, inputs)
    assert caught.value.node == 2
    assert words in caught.value.message
    with pytest.raises(ShapeMismatch):
        evaluate(graph, inputs)


def test_a_mismatch_is_found_before_anything_is_computed() -> None:
    graph = chain(("sin", 0), ("+", 2, 1), inputs=2)
    with pytest.raises(ShapeMismatch) as caught:
        evaluate(graph, [numpy.zeros(3), numpy.zeros(4)])
    assert caught.value.node == 3


def test_an_axis_that_does_not_exist() -> None:
    graph = one_gate(gate("sum"), 1, (("axis", 2), ("keepdims", False)))
    with pytest.raises(ShapeMismatch, match="axis 2 does not exist in shape 2×3"):
        evaluate(graph, [numpy.zeros((2, 3))])


def test_a_graph_of_numbers_needs_no_arrays() -> None:
    graph = chain(("sin", 0), ("*", 1, 2.0))
    assert shapes.is_scalar(graph, [1.0])
    assert not shapes.is_scalar(graph, [numpy.ones(1)])
    assert not shapes.is_scalar(one_gate(gate("sum"), 1), [1.0])


def test_a_number_is_a_float_even_among_arrays() -> None:
    evaluation = evaluate(chain(("*", 0, 1), ("sum", 2), ("+", 3, 1), inputs=2), [numpy.ones(3), 2.0])
    backpropagate(evaluation)
    for node, shape in enumerate(evaluation.shapes or []):
        assert isinstance(evaluation.values[node], float) == (shape == ())
        assert isinstance(evaluation.gradients[node], float) == (shape == ())
    assert evaluation.gradients[1] == 4.0


def test_a_gradient_from_above_weighs_the_elements() -> None:
    evaluation = evaluate(one_gate(gate("relu"), 1), [numpy.array([[-1.0, 0.0], [1.0, 2.0], [2.0, 0.0]])])
    backpropagate(evaluation, numpy.array([[7.0, 6.0], [-2.0, 5.0], [4.0, 1.0]]))
    assert evaluation.gradients[0].tolist() == [[0.0, 0.0], [-2.0, 5.0], [4.0, 0.0]]


def test_the_branch_not_taken_leaks_nothing_in_arrays() -> None:
    graph = chain(("<", 0, 1.0), ("sqrt", 0), ("where", 2, 0, 3))
    evaluation = evaluate(graph, [numpy.array([0.0, 4.0, 0.25])])
    backpropagate(evaluation)
    assert evaluation.gradients[0].tolist() == [1.0, 0.25, 1.0]
    graph = chain(("log", 0), ("relu", 1), ("sum", 2))
    evaluation = evaluate(graph, [numpy.array([0.0, math.e])])
    backpropagate(evaluation)
    assert evaluation.gradients[0].tolist() == pytest.approx([0.0, 1 / math.e])


def test_a_zero_that_the_user_wrote_makes_nan_in_arrays_too() -> None:
    evaluation = evaluate(chain(("sqrt", 0), ("*", 1, 0.0)), [numpy.array([0.0, 1.0])])
    backpropagate(evaluation)
    assert numpy.isnan(evaluation.gradients[0]).tolist() == [True, False]


def test_gradients_do_not_share_memory_that_is_written() -> None:
    graph = chain(("+", 0, 1), ("+", 2, 0), ("+", 3, 0), inputs=2)
    given = [numpy.ones(3), numpy.ones(3)]
    evaluation = evaluate(graph, given)
    backpropagate(evaluation)
    assert evaluation.gradients[0].tolist() == [3.0, 3.0, 3.0]
    assert evaluation.gradients[1].tolist() == [1.0, 1.0, 1.0]
    assert given[0].tolist() == [1.0, 1.0, 1.0]


def test_empty_arrays_pass_through() -> None:
    evaluation = evaluate(chain(("sin", 0), ("sum", 1)), [numpy.zeros((0, 3))])
    backpropagate(evaluation)
    assert evaluation.values[-1] == 0.0
    assert evaluation.gradients[0].shape == (0, 3)


@pytest.mark.parametrize(("values", "expected"), [([2.0, 3.0], (2, 3)), ([[2.0, 3.0]], (2, 3)), ([-1.0], (-1,)), ([], ())])
def test_sizes_are_whole_numbers(values: list[Any], expected: tuple[int, ...]) -> None:
    assert arrays.as_sizes([numpy.array(value) for value in values]) == expected


def test_a_broken_size_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"2\.5"):
        arrays.as_sizes([2.5])


def test_defaults_are_those_of_the_record() -> None:
    assert defaults(gate("sum")) == (("axis", None), ("keepdims", False))
