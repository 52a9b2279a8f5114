"""Derivatives by rule, for every gate of the catalogue at once: first and second order, three ways to compute them, conventions."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import differentiate
from gradcalc.checking.complex_step import complex_slopes
from gradcalc.checking.exact import exact_function
from gradcalc.engine import arrays, scalar, shapes
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import Gate
from gradcalc.graph import INPUT, Graph, Operator
from gradcalc.language.formulas import parse_formula
from tests.catalogue import COMPOSED, case_name, cases, chain, defaults, gate, name_of, one_gate, sample_points, values_of

mpmath = pytest.importorskip("mpmath")


def by_graph(graph: Graph, node: int | None, inputs: Sequence[Any], scalars: bool = True) -> Any:
    """The value of a node of a graph that has grown; 0 where there is no path."""
    if node is None:
        return 0.0
    part = extract(graph, node, node)
    needed = [inputs[graph.left[part.source(inner)]] for inner, code in enumerate(part.graph.codes) if code == INPUT]
    forward = scalar.forward if scalars else arrays.forward
    return forward(part.graph, needed)[-1]


def truth(record: Gate, count: int, point: Sequence[float], orders: Sequence[int]) -> float:
    """A partial derivative by mpmath, with many digits."""
    context = mpmath.MPContext()
    context.dps = 60
    function = exact_function(Operator(record, defaults(record), count), context)
    return float(context.diff(function, tuple(map(context.mpf, point)), tuple(orders)))


def unit(count: int, *positions: int) -> list[int]:
    orders = [0] * count
    for position in positions:
        orders[position] += 1
    return orders


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_local_derivatives_are_those_of_the_function(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    for point in sample_points(record, count, 6):
        gradients = scalar.backward(graph, values_of(graph, point), count)
        for position in range(count):
            expected = truth(record, count, point, unit(count, position))
            assert gradients[position] == pytest.approx(expected, rel=1e-12, abs=1e-15), (point, position)


@pytest.mark.parametrize(("record", "count"), [case for case in cases() if case[0].analytic], ids=case_name)
def test_the_complex_step_agrees(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    for point in sample_points(record, count):
        values = values_of(graph, point)
        gradients = scalar.backward(graph, values, count)
        assert complex_slopes(graph, values, range(count)) == pytest.approx(gradients[:count], rel=1e-13, abs=1e-16)


@pytest.mark.parametrize("record", COMPOSED, ids=name_of)
def test_a_gate_is_its_formula(record: Gate) -> None:
    count = len(record.parameters)
    closed = one_gate(record, count)
    body = parse_formula(record, dict(defaults(record)))
    opened = extract(closed, count, 0, lambda operator: body if operator.gate is record else None).graph
    assert record not in {operator.gate for operator in opened.operators}
    for point in sample_points(record, count):
        one, other = values_of(closed, point), values_of(opened, point)
        assert other[-1] == pytest.approx(one[-1], rel=1e-13, abs=1e-15)
        gradients, inside = scalar.backward(closed, one, count), scalar.backward(opened, other, len(opened) - 1)
        places = [node for node, code in enumerate(opened.codes) if code == INPUT]
        assert [inside[node] for node in places] == pytest.approx(gradients[:count], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_interpreters_and_derivative_graph_agree(record: Gate, count: int) -> None:
    """The loops on floats, the rules on arrays, and the simplified graph are three readings of one rule."""
    points = list(sample_points(record, count, 5))
    graph = one_gate(record, count)
    columns = [numpy.array(column) for column in zip(*points)]
    on_arrays = arrays.backward(graph, arrays.forward(graph, columns), count)
    grown = one_gate(record, count)
    found = differentiate(grown, count, range(count))
    for number, point in enumerate(points):
        values = values_of(graph, point)
        gradients = scalar.backward(graph, values, count)
        one_at_a_time = scalar.backward_with_conventions(graph, values, count, 1.0)
        for position in range(count):
            graph_value = by_graph(grown, found[position], point)
            array_value = 0.0 if on_arrays[position] is None else on_arrays[position][number]
            assert graph_value == pytest.approx(gradients[position], rel=1e-14, abs=1e-300)
            assert array_value == pytest.approx(gradients[position], rel=4e-15, abs=1e-300)
            assert one_at_a_time[position] == pytest.approx(gradients[position], rel=1e-14, abs=1e-300)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_second_derivatives_are_those_of_the_function(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    first = differentiate(graph, count, range(count))
    for position, node in enumerate(first):
        if node is None:
            continue
        second = differentiate(graph, node, range(count))
        for other, derivative in enumerate(second):
            for point in sample_points(record, count, 3):
                expected = truth(record, count, point, unit(count, position, other))
                found = by_graph(graph, derivative, point)
                assert found == pytest.approx(expected, rel=1e-11, abs=1e-13), (point, position, other)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_gradients_of_broadcast_arrays_have_the_shapes_of_the_inputs(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    rng = random.Random(1)
    given = [(3, 1), (2,), (), (1, 2)][:count] if count > 1 else [(3, 2)]
    inputs: list[Any] = []
    for position, shape in enumerate(given):
        low, high = record.samples[min(position, len(record.samples) - 1)]
        inputs.append(
            numpy.array([rng.uniform(low, high) for _ in range(math.prod(shape))]).reshape(shape) if shape else (low + high) / 2
        )
    evaluation = evaluate(graph, inputs)
    assert evaluation.shape(count) == numpy.broadcast_shapes(*given)
    backpropagate(evaluation)
    grown = one_gate(record, count)
    found = differentiate(grown, count, range(count), shapes.infer(grown, inputs))
    for position, shape in enumerate(given):
        gradient = evaluation.gradients[position]
        assert numpy.shape(gradient) == shape
        again = by_graph(grown, found[position], inputs, scalars=False)
        assert numpy.broadcast_to(again, shape) == pytest.approx(numpy.asarray(gradient), rel=1e-13, abs=1e-300)
        # The sum over all elements of the slopes at each, one by one.
        expected = numpy.zeros(shape)
        together = numpy.broadcast_arrays(*inputs)
        for index in numpy.ndindex(together[0].shape):
            point = [float(array[index]) for array in together]
            slope = scalar.backward(graph, values_of(graph, point), count)[position]
            place = tuple(0 if size == 1 else i for size, i in zip(shape, index[len(index) - len(shape) :]))
            expected[place] += slope
        assert numpy.asarray(gradient) == pytest.approx(expected, rel=1e-13, abs=1e-13)


# ---- conventions where there is no derivative ------------------------------------------------------------------------------------

CONVENTIONS = [
    ("relu", (0.0,), (0.0,)),
    ("abs", (0.0,), (0.0,)),
    ("max", (1.0, 1.0), (0.5, 0.5)),
    ("min", (1.0, 1.0), (0.5, 0.5)),
    ("max", (0.0, -0.0), (0.5, 0.5)),
    ("max", (2.0, 2.0, 1.0), (0.5, 0.5, 0.0)),
    ("max", (2.0, 2.0, 2.0), (1 / 3, 1 / 3, 1 / 3)),
    ("min", (2.0, 2.0, 3.0, 2.0), (1 / 3, 1 / 3, 0.0, 1 / 3)),
    ("clip", (1.0, -1.0, 1.0), (1.0, 0.0, 0.0)),
    ("clip", (-1.0, -1.0, 1.0), (1.0, 0.0, 0.0)),
    ("clip", (3.0, -1.0, 1.0), (0.0, 0.0, 1.0)),
    ("clip", (-3.0, -1.0, 1.0), (0.0, 1.0, 0.0)),
    ("clip", (0.0, 1.0, -1.0), (0.0, 0.0, 1.0)),
    ("hardtanh", (1.0,), (0.0,)),
    ("hardtanh", (-1.0,), (0.0,)),
    ("leaky_relu", (0.0,), (0.01,)),
    ("elu", (0.0,), (1.0,)),
    ("selu", (0.0,), (1.0507009873554805 * 1.6732632423543772,)),
    ("sign", (0.0,), (0.0,)),
    ("floor", (2.0,), (0.0,)),
    ("ceil", (2.0,), (0.0,)),
    ("round", (2.5,), (0.0,)),
    ("%", (7.5, 2.0), (1.0, -3.0)),
    ("%", (-7.5, 2.0), (1.0, 4.0)),
    ("%", (6.0, 2.0), (1.0, -3.0)),
    ("<", (1.0, 1.0), (0.0, 0.0)),
    ("==", (1.0, 1.0), (0.0, 0.0)),
    ("where", (1.0, 5.0, 6.0), (0.0, 1.0, 0.0)),
    ("where", (0.0, 5.0, 6.0), (0.0, 0.0, 1.0)),
    ("where", (math.nan, 5.0, 6.0), (0.0, 1.0, 0.0)),
    ("sqrt", (0.0,), (math.inf,)),
    ("cbrt", (0.0,), (math.inf,)),
    ("asin", (1.0,), (math.inf,)),
    ("acos", (-1.0,), (-math.inf,)),
    ("acosh", (1.0,), (math.inf,)),
    ("hypot", (0.0, 0.0), (0.0, 0.0)),
    ("atan2", (0.0, 0.0), (0.0, 0.0)),
    ("pow", (0.0, 2.0), (0.0, 0.0)),
    ("pow", (0.0, 1.0), (1.0, 0.0)),
    ("pow", (0.0, 0.0), (0.0, 0.0)),
    ("pow", (-2.0, 3.0), (12.0, math.nan)),
    ("pow", (0.0, 0.5), (math.inf, 0.0)),
]


@pytest.mark.parametrize(("name", "point", "expected"), CONVENTIONS)
def test_conventions(name: str, point: tuple[float, ...], expected: tuple[float, ...]) -> None:
    count = len(point)
    evaluation = evaluate(one_gate(gate(name, count), count), point)
    backpropagate(evaluation)
    assert evaluation.gradients[:count] == pytest.approx(expected, nan_ok=True)


def test_max_with_a_constant_shares_with_it() -> None:
    graph = chain(("max", 0, 0.0))
    evaluation = evaluate(graph, [0.0])
    backpropagate(evaluation)
    assert evaluation.gradients[0] == 0.5


@pytest.mark.parametrize(
    ("steps", "x", "expected"),
    [
        ([("sqrt", 0), ("square", 1)], 0.0, 1.0),
        ([("sqrt", 0), ("*", 1, 1)], 0.0, 1.0),
        ([("log", 0), ("exp", 1)], 2.0, 1.0),
    ],
)
def test_a_second_look_finds_the_slope_where_parts_are_infinite(steps: list[tuple[Any, ...]], x: float, expected: float) -> None:
    evaluation = evaluate(chain(*steps), [x])
    backpropagate(evaluation)
    assert evaluation.gradients[0] == pytest.approx(expected)


# ---- gates that are not element-wise ---------------------------------------------------------------------------------------------

A = numpy.array([[0.5, -1.2, 2.0], [1.5, 0.3, -0.7]])
B = numpy.array([[1.0, 2.0], [-0.5, 0.25], [0.75, -2.0]])
V = numpy.array([0.4, -1.1, 0.9])
T = numpy.arange(24.0).reshape(2, 3, 4) / 10 - 1

CALLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("sum", [A], {"axis": None, "keepdims": False}),
    ("sum", [A], {"axis": 0, "keepdims": False}),
    ("sum", [T], {"axis": (0, -1), "keepdims": True}),
    ("mean", [A], {"axis": None, "keepdims": False}),
    ("mean", [A], {"axis": 1, "keepdims": True}),
    ("mean", [T], {"axis": (1, 2), "keepdims": False}),
    ("@", [A, B], {}),
    ("@", [A, V], {}),
    ("@", [V, B], {}),
    ("@", [V, V * 2 + 1], {}),
    ("@", [T, numpy.arange(8.0).reshape(4, 2) / 5], {}),
    ("@", [T[0], T.transpose(0, 2, 1)], {}),
    ("transpose", [A], {"axes": None}),
    ("transpose", [T], {"axes": (1, 2, 0)}),
    ("transpose", [T], {"axes": (-1, 0, 1)}),
    ("stack", [V, V + 1, V * 2], {"axis": 0}),
    ("stack", [A, A + 1], {"axis": -1}),
    ("[]", [A], {"index": (0,)}),
    ("[]", [A], {"index": (("slice", None, None, None), 1)}),
    ("[]", [T], {"index": ("...", ("slice", None, None, -2))}),
    ("[]", [T], {"index": (1, ("slice", 0, 2, None), -1)}),
]

SIZED: list[tuple[str, Any, tuple[int, ...], dict[str, Any]]] = [
    ("reshape", A, (3, 2), {}),
    ("reshape", T, (4, -1), {}),
    ("broadcast_to", V, (2, 3), {}),
    ("broadcast_to", A[:, :1], (4, 2, 3), {}),
    ("sum_to", T, (3, 1), {}),
    ("sum_to", A, (3,), {}),
    ("scatter", V, (2, 3), {"index": (1,)}),
    ("scatter", A, (2, 5), {"index": (("slice", None, None, None), ("slice", 0, 5, 2))}),
]


def array_graph(name: str, inputs: Sequence[Any], attributes: dict[str, Any], sizes: Sequence[int] = ()) -> Graph:
    """sum(sin(gate(inputs) * weights)): every element of the gate's result counts, each in its own way."""
    graph = Graph()
    nodes = [graph.add_input() for _ in inputs]
    nodes += [graph.add_constant(float(size)) for size in sizes]
    record = gate(name, len(nodes))
    known = {attribute.name for attribute in record.attributes}
    assert known == set(attributes), known
    made = graph.add(record, nodes, tuple(sorted(attributes.items())))
    shape = numpy.shape(arrays.forward(graph, inputs)[-1])
    weights = numpy.cos(numpy.arange(math.prod(shape)) + 1.0).reshape(shape)
    weighted = graph.add(gate("*", 2), (made, graph.add_constant(weights if shape else float(weights))))
    small = graph.add(gate("sin"), (weighted,))
    graph.add(gate("sum"), (small,), (("axis", None), ("keepdims", False)))
    return graph


def numerical(graph: Graph, inputs: Sequence[Any], position: int, function: Any) -> Any:
    """Central differences of a function of the inputs, extrapolated."""
    base = numpy.array(inputs[position], dtype=float)
    result = numpy.zeros(base.shape)

    def at(index: tuple[int, ...], h: float) -> float:
        moved = base.copy()
        moved[index] += h
        return float(function([*inputs[:position], moved, *inputs[position + 1 :]]))

    for index in numpy.ndindex(base.shape):
        fine, wide = ((at(index, h) - at(index, -h)) / (2 * h) for h in (1e-3, 2e-3))
        result[index] = (4 * fine - wide) / 3
    return result


ALL_CALLS = [(name, inputs, attributes, ()) for name, inputs, attributes in CALLS]
ALL_CALLS += [(name, [x], attributes, sizes) for name, x, sizes, attributes in SIZED]
CALL_NAMES = [f"{call[0]}{number}" for number, call in enumerate(ALL_CALLS)]


def sizes_of(graph: Graph, inputs: Sequence[Any]) -> list[tuple[int, ...]]:
    """The shape pass of a graph whose sizes are constants."""
    return shapes.infer(graph, inputs, lambda nodes: tuple(int(graph.constant(node)) for node in nodes))


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "sizes"), ALL_CALLS, ids=[f"{call[0]}{i}" for i, call in enumerate(ALL_CALLS)]
)
def test_pullbacks_against_numerical_derivatives(name: str, inputs: list[Any], attributes: dict[str, Any], sizes: Any) -> None:
    graph = array_graph(name, inputs, attributes, sizes)
    last = len(graph) - 1
    values = arrays.forward(graph, inputs)
    found = shapes.infer(
        graph, inputs, lambda nodes: tuple(int(graph.constant(node)) for node in nodes) if -1 not in sizes else sizes
    )
    assert found == [numpy.shape(value) for value in values]
    gradients = arrays.backward(graph, values, last)
    mark = graph.mark()
    derivatives = differentiate(graph, last, range(len(inputs)), found)
    for position in range(len(inputs)):
        again = by_graph(graph, derivatives[position], inputs, scalars=False)
        assert numpy.shape(gradients[position]) == numpy.shape(inputs[position])
        assert again == pytest.approx(gradients[position], rel=1e-13, abs=1e-15)
    graph.cut(mark)
    for position in range(len(inputs)):
        expected = numerical(graph, inputs, position, lambda moved: arrays.forward(graph, moved)[-1])
        assert gradients[position] == pytest.approx(expected, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "sizes"), ALL_CALLS, ids=[f"{call[0]}{i}" for i, call in enumerate(ALL_CALLS)]
)
def test_second_derivatives_of_array_gates(name: str, inputs: list[Any], attributes: dict[str, Any], sizes: Any) -> None:
    """The gradient of a weighted sum of the gradient's elements, against differences of that sum."""
    graph = array_graph(name, inputs, attributes, sizes)
    given = sizes_of(graph, inputs)
    first = differentiate(graph, len(graph) - 1, [0], given)[0]
    assert first is not None
    weights = numpy.sin(numpy.arange(numpy.size(inputs[0])) + 1.0).reshape(numpy.shape(inputs[0]))
    weighted = graph.add(gate("*", 2), (first, graph.add_constant(weights)))
    total = graph.add(gate("sum"), (weighted,), (("axis", None), ("keepdims", False)))
    known = sizes_of(graph, inputs)
    second = differentiate(graph, total, range(len(inputs)), known)
    for position, node in enumerate(second):
        expected = numerical(graph, inputs, position, lambda moved: by_graph(graph, total, moved, scalars=False))
        found = numpy.broadcast_to(by_graph(graph, node, inputs, scalars=False), expected.shape)
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-8)
