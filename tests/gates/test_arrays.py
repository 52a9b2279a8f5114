"""Every gate that is not element-wise, by its record: value against NumPy, first and second derivatives against differences."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
import pytest

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import differentiate
from gradcalc.checking.check import check
from gradcalc.dialects.language import spell
from gradcalc.engine.arrays import kernel
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.engine.makers import Makers
from gradcalc.errors import GradcalcError
from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.record import Trial, trial
from gradcalc.graph import CONSTANT, INPUT, Graph
from gradcalc.language.formulas import parse_formula
from gradcalc.language.program import Output, Program
from tests.catalogue import changed

RECORDS = [record for record in REGISTRY.records() if not record.elementwise]


class Case(NamedTuple):
    record: Gate
    trial: Trial

    def attributes(self) -> dict[str, Any]:
        given = {attribute.name: attribute.default for attribute in self.record.attributes}
        return given | dict(self.trial.attributes)

    def __str__(self) -> str:
        shapes = ",".join("x".join(map(str, shape)) or "()" for shape in self.trial.shapes)
        return f"{self.record.name}-{shapes}-{self.trial.sizes}-{dict(self.trial.attributes)}"


CASES = [Case(record, one) for record in RECORDS for one in record.trials or ()]
SMOOTH = [case for case in CASES if not case.record.constant]
COMPOSED = [case for case in SMOOTH if case.record.formula is not None]


def samples(case: Case) -> list[Any]:
    """Inputs of a case, always the same."""
    rng = numpy.random.default_rng(zlib.crc32(str(case).encode()))
    ranges = case.record.samples
    values = [rng.uniform(*ranges[min(number, len(ranges) - 1)], shape) for number, shape in enumerate(case.trial.shapes)]
    return [float(value) if not value.shape else value for value in values]


def with_gate(graph: Graph, case: Case, inputs: Sequence[int]) -> int:
    sizes = [graph.add_constant(size) for size in case.trial.sizes]
    data = case.record.data
    nodes = [*sizes, *inputs] if data is not None and data < 0 else [*inputs, *sizes]
    return graph.add(case.record, nodes, tuple(sorted(case.attributes().items())))


def weighted(graph: Graph, node: int, shape: tuple[int, ...], seed: int) -> int:
    """The node's elements, weighted by chance and summed: one number, in which every element counts differently."""
    weights = numpy.random.default_rng(seed).uniform(0.5, 1.5, shape)
    constant = graph.add_constant(weights if shape else float(weights))
    product = graph.add(gate("*", 2), [node, constant])
    return graph.add(gate("sum", 1), [product], (("axis", None), ("keepdims", False)))


def gate(name: str, count: int) -> Gate:
    found = REGISTRY.find(name, count)
    assert found is not None
    return found


class OneGate:
    """A graph of one gate, weighted to one number, on inputs of its own."""

    def __init__(self, case: Case) -> None:
        self.graph = Graph()
        self.inputs = [self.graph.add_input() for _ in case.trial.shapes]
        self.values = samples(case)
        self.result = with_gate(self.graph, case, self.inputs)
        evaluation = evaluate(self.graph, self.values)
        self.value = evaluation.values[-1]
        self.output = weighted(self.graph, self.result, evaluation.shapes[-1] if evaluation.shapes else (), 1)

    def value_at(self, node: int, values: Sequence[Any]) -> Any:
        part = extract(self.graph, node, node)
        numbers = [self.graph.left[part.source(inner)] for inner, code in enumerate(part.graph.codes) if code == INPUT]
        return evaluate(part.graph, [values[number] for number in numbers]).values[-1]

    def numerical(self, node: int, position: int) -> Any:
        """The derivative of a node by an input, by central differences of fourth order."""
        base = numpy.asarray(self.values[position], dtype=float)
        found = numpy.zeros(base.shape)
        for place in numpy.ndindex(*base.shape):
            seen = []
            for step in (-2, -1, 1, 2):
                moved = base.copy()
                moved[place] += step * STEP
                values = list(self.values)
                values[position] = float(moved) if not moved.shape else moved
                seen.append(self.value_at(node, values))
            found[place] = (seen[0] - 8 * seen[1] + 8 * seen[2] - seen[3]) / (12 * STEP)
        return found


STEP = 2.0**-10


def close(found: Any, expected: Any, bound: float = 2e-8) -> None:
    assert numpy.shape(found) == numpy.shape(expected)
    scale = max(1.0, float(numpy.max(numpy.abs(expected), initial=0.0)))
    numpy.testing.assert_allclose(found, expected, rtol=bound, atol=bound * scale)


def test_every_record_has_trials() -> None:
    assert [record.name for record in RECORDS if not record.maker and not record.trials] == []


def test_every_record_has_an_example() -> None:
    assert [record.name for record in RECORDS if not record.example] == ["load"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_shape_rule_tells_the_truth(case: Case) -> None:
    one = OneGate(case)
    computed = kernel(case.record, tuple(sorted(case.attributes().items())))
    data = case.record.data
    arguments = [*case.trial.sizes, *one.values] if data is not None and data < 0 else [*one.values, *case.trial.sizes]
    value = computed(*arguments)
    shapes = evaluate(one.graph, one.values).shapes
    assert shapes is not None
    assert numpy.shape(value) == shapes[one.result]


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_first_derivatives(case: Case) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    for position, node in enumerate(one.inputs):
        if position in case.record.discrete:
            assert not numpy.any(evaluation.gradients[node])
        else:
            close(evaluation.gradients[node], one.numerical(one.output, position))


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_derivative_graph_agrees_and_reads_back(case: Case) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    assert evaluation.shapes is not None
    derivatives = differentiate(one.graph, one.output, one.inputs, evaluation.shapes)
    names = {node: f"x{number}" for number, node in enumerate(one.inputs)}
    constants = {}
    for node, code in enumerate(one.graph.codes):
        if code == CONSTANT and not isinstance(one.graph.constant(node), float):
            names[node] = f"c{node}"
            constants[f"c{node}"] = one.graph.constant(node)
    values = {f"x{number}": value for number, value in enumerate(one.values)} | constants
    for node, derivative in zip(one.inputs, derivatives):
        if derivative is None:
            continue
        found = one.value_at(derivative, one.values)
        close(found, evaluation.gradients[node], 1e-12)
        text = spell(one.graph, derivative, names.get)
        assert numpy.array_equal(value_of(text, values), found), text


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_second_derivatives(case: Case) -> None:
    one = OneGate(case)
    shapes = evaluate(one.graph, one.values).shapes
    assert shapes is not None
    derivatives = differentiate(one.graph, one.output, one.inputs, shapes)
    for number, (node, derivative) in enumerate(zip(one.inputs, derivatives)):
        if derivative is None:
            continue
        slope = weighted(one.graph, derivative, shapes[node], 2 + number)
        mark = one.graph.mark()
        everything = evaluate(one.graph, one.values).shapes
        found = differentiate(one.graph, slope, one.inputs, everything)
        for position, second in enumerate(found):
            if position in case.record.discrete:
                assert second is None
                continue
            expected = one.numerical(slope, position)
            value = numpy.zeros(numpy.shape(expected)) if second is None else one.value_at(second, one.values)
            close(value, expected, 1e-6)
        one.graph.cut(mark)


@pytest.mark.parametrize("case", COMPOSED, ids=str)
def test_opened_agrees_with_closed(case: Case) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    opened = extract(
        one.graph,
        one.output,
        one.output,
        lambda operator: parse_formula(case.record, case.attributes()) if operator.gate is case.record else None,
    )
    inside = evaluate(opened.graph, [one.values[one.graph.left[n]] for n in opened.origin or () if n >= 0 and n in one.inputs])
    backpropagate(inside)
    close(inside.values[-1], evaluation.values[-1], 1e-13)
    for node in one.inputs:
        inner = (opened.origin or ()).index(node)
        close(inside.gradients[inner], evaluation.gradients[node], 1e-12)


@pytest.mark.parametrize("case", [case for case in SMOOTH if case.record.analytic], ids=str)
def test_complex_step_is_lawful_where_the_record_says_so(case: Case) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    kernel_of = kernel(case.record, tuple(sorted(case.attributes().items())))
    weights = one.graph.constants[-1]
    data = case.record.data
    for position, node in enumerate(one.inputs):
        if position in case.record.discrete:
            continue
        base = numpy.asarray(one.values[position], dtype=complex)
        found = numpy.zeros(base.shape)
        for place in numpy.ndindex(*base.shape):
            moved = base.copy()
            moved[place] += 1e-40j
            values = list(one.values)
            values[position] = moved
            sizes = case.trial.sizes
            result = kernel_of(*([*sizes, *values] if data is not None and data < 0 else [*values, *sizes]))
            found[place] = numpy.sum(numpy.imag(result) * weights) / 1e-40
        close(found, evaluation.gradients[node], 1e-12)


def value_of(text: str, values: dict[str, Any] | None = None, makers: Makers | None = None) -> Any:
    """The value of an expression."""
    return evaluation_of(text, values, makers).values[-1]


def evaluation_of(text: str, values: dict[str, Any] | None = None, makers: Makers | None = None) -> Evaluation:
    program = Program(values or {})
    output = None
    for statement in program.statements(text):
        if isinstance(statement, GradcalcError):
            raise statement
        assert isinstance(statement, Output)
        output = statement.node
    assert output is not None
    part = extract(program.graph, output, 0)
    return evaluate(part.graph, [(values or {})[entry.name] for entry in program.inputs], makers)


def gradients_of(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """The gradients of an expression by its inputs."""
    evaluation = evaluation_of(text, values)
    backpropagate(evaluation)
    graph = evaluation.graph
    nodes = [node for node, code in enumerate(graph.codes) if code == INPUT]
    program = Program(values)
    list(program.statements(text))
    return {entry.name: evaluation.gradients[node] for entry, node in zip(program.inputs, nodes)}


A = numpy.array([[3.0, 1.0, 2.0], [0.5, 4.0, -1.0]])
B = numpy.array([[[1.0, 2.0], [3.0, 5.0]], [[2.0, 0.5], [1.0, 7.0]]])
S = numpy.array([[2.0, 1.0], [1.0, 3.0]])
V = numpy.array([1.0, -2.0, 2.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(A)", numpy.max(A)),
        ("max(A, axis=0)", numpy.max(A, axis=0)),
        ("min(B, axis=[0,2], keepdims=true)", numpy.min(B, axis=(0, 2), keepdims=True)),
        ("argmax(A)", 4.0),
        ("argmax(A, axis=1)", numpy.argmax(A, axis=1)),
        ("argmin(A, axis=0, keepdims=true)", numpy.argmin(A, axis=0, keepdims=True)),
        ("sort(A)", numpy.sort(A)),
        ("sort(A, axis=0)", numpy.sort(A, axis=0)),
        ("argsort(A)", numpy.argsort(A)),
        ("sum(B, axis=[0,2])", numpy.sum(B, axis=(0, 2))),
        ("sum(A, axis=none)", numpy.sum(A)),
        ("sum(A, axis=None, keepdims=True)", numpy.sum(A, keepdims=True)),
        ("mean(A, axis=-1)", numpy.mean(A, axis=-1)),
        ("prod(A, axis=1)", numpy.prod(A, axis=1)),
        ("var(A)", numpy.var(A)),
        ("var(A, axis=0, ddof=1)", numpy.var(A, axis=0, ddof=1)),
        ("std(B, axis=[0,1])", numpy.std(B, axis=(0, 1))),
        ("norm(V)", 3.0),
        ("norm(A)", numpy.linalg.norm(A.ravel())),
        ("norm(A, ord=1, axis=0)", numpy.linalg.norm(A, ord=1, axis=0)),
        ("norm(A, inf, axis=1)", numpy.linalg.norm(A, ord=math.inf, axis=1)),
        ("norm(A, 3, axis=1, keepdims=true)", numpy.linalg.norm(A, ord=3, axis=1, keepdims=True)),
        ("logsumexp(V)", numpy.log(numpy.sum(numpy.exp(V)))),
        ("dot(V, V)", 9.0),
        ("dot(A, V)", A @ V),
        ("dot(B, S)", numpy.dot(B, S)),
        ("dot(B, B)", numpy.dot(B, B)),
        ("cumsum(A)", numpy.cumsum(A)),
        ("cumsum(A, axis=0)", numpy.cumsum(A, axis=0)),
        ("B @ S", B @ S),
        ("outer(V, A)", numpy.outer(V, A)),
        ("trace(A)", numpy.trace(A)),
        ("trace(B)", numpy.trace(B)),
        ("A.T", A.T),
        ("transpose(B, axes=[1,0,2])", numpy.transpose(B, (1, 0, 2))),
        ("inv(B)", numpy.linalg.inv(B)),
        ("det(B)", numpy.linalg.det(B)),
        ("det(S)", 5.0),
        ("solve(S, [1,2])", numpy.linalg.solve(S, numpy.array([1.0, 2.0]))),
        ("solve(B, S)", numpy.linalg.solve(B, S)),
        ("reshape(A, 3, 2)", A.reshape(3, 2)),
        ("reshape(A, [3, -1])", A.reshape(3, -1)),
        ("concat(A, A, axis=1)", numpy.concatenate([A, A], axis=1)),
        ("concat([A, A])", numpy.concatenate([A, A])),
        ("concat([A, 2*A, A], axis=-1)", numpy.concatenate([A, 2 * A, A], axis=-1)),
        ("stack(V, V, axis=1)", numpy.stack([V, V], axis=1)),
        ("stack([V, V], axis=1)", numpy.stack([V, V], axis=1)),
        ("squeeze(sum(A, axis=0, keepdims=true))", A.sum(axis=0)),
        ("expand_dims(A, axis=1)", numpy.expand_dims(A, 1)),
        ("expand_dims(A, axis=[0,-1])", numpy.expand_dims(A, (0, -1))),
        ("flatten(B)", B.ravel()),
        ("flip(A)", numpy.flip(A)),
        ("flip(A, axis=1)", numpy.flip(A, axis=1)),
        ("size(B)", 8.0),
        ("size(A, axis=1)", 3.0),
        ("size(B, axis=[0,1])", 4.0),
        ("take_along_axis(A, argsort(A))", numpy.sort(A)),
        ("put_along_axis([5,6,7], [0,2,2], 4)", [5.0, 0.0, 13.0, 0.0]),
        ('scatter([5,6], 4, index="1:3")', [0.0, 5.0, 6.0, 0.0]),
        ("affine(A, A.T, [1, 2])", A @ A.T + [1, 2]),
        ("softmax([1000, 1001])", numpy.array([1, math.e]) / (1 + math.e)),
        ("softmax(A, axis=0)", numpy.exp(A) / numpy.exp(A).sum(axis=0)),
        ("softmax(S, axis=none)", numpy.exp(S) / numpy.exp(S).sum()),
        ("log_softmax([0, 1000])", [-1000.0, 0.0]),
        ("cross_entropy([[0.5, 0.5], [0.25, 0.75]], [[1, 0], [0, 1]])", -(math.log(0.5) + math.log(0.75)) / 2),
        ("softmax_cross_entropy([0, 1000], [0, 1])", 0.0),
        ("mse(A, 1)", numpy.mean((A - 1) ** 2)),
        ("one_hot([2, 0], 3)", [[0, 0, 1], [1, 0, 0]]),
        ("one_hot(1, n=2)", [0, 1]),
        ("zeros(2, 3)", numpy.zeros((2, 3))),
        ("ones([2, 3])", numpy.ones((2, 3))),
        ("ones(2)", [1, 1]),
        ("full(2, 3, 7)", numpy.full((2, 3), 7.0)),
        ("full([2, 3], V)", numpy.broadcast_to(V, (2, 3))),
        ("eye(2)", numpy.eye(2)),
        ("eye(2, 3)", numpy.eye(2, 3)),
        ("eye([2, 3])", numpy.eye(2, 3)),
        ("arange(4)", numpy.arange(4)),
        ("arange(1, 2, 0.25)", numpy.arange(1, 2, 0.25)),
        ("arange(3, 0, -1)", [3, 2, 1]),
        ("arange(3, 0)", numpy.empty(0)),
        ("linspace(0, 1, 5)", numpy.linspace(0, 1, 5)),
        ("size(linspace(0, 1))", 50.0),
        ("linspace(V, 0, num=3)", numpy.linspace(V, 0, 3)),
        ("zeros(size(V), 2)", numpy.zeros((3, 2))),
        ("broadcast_to(V, 2, 3)", numpy.broadcast_to(V, (2, 3))),
        ("sum_to(A, 3)", A.sum(axis=0)),
        ("sum(zeros(0))", 0.0),
        ("prod([])", 1.0),
        ("norm([])", 0.0),
        ("logsumexp([])", -math.inf),
        ("mean([])", math.nan),
        ("var([])", math.nan),
        ("var([1], ddof=1)", math.nan),
        ("det(zeros(0, 0))", 1.0),
        ("logsumexp([-inf, -inf])", -math.inf),
        ("logsumexp([inf, 1])", math.inf),
        ("norm([3e200, 4e200])", 5e200),
        ("norm([3e-200, 4e-200])", 5e-200),
        ("norm([[3e200, 3], [4e200, 4]], axis=0)", [5e200, 5.0]),
        ("inv([[1, 2], [2, 4]])", numpy.full((2, 2), math.inf)),
        ("inv([[[1, 2], [2, 4]], [[2, 0], [0, 4]]])", [numpy.full((2, 2), math.inf), [[0.5, 0], [0, 0.25]]]),
        ("solve([[1, 2], [2, 4]], [1, 1])", [math.inf, math.inf]),
        ("det([[1, 2], [2, 4]])", 0.0),
    ],
)
def test_means_what_numpy_means(text: str, expected: Any) -> None:
    used = {name: value for name, value in {"A": A, "B": B, "S": S, "V": V}.items() if name in text}
    found = value_of(text, used)
    assert numpy.shape(found) == numpy.shape(expected)
    numpy.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("prod(x)", [2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ("prod(x)", [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
        ("max(x)", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        ("min(x, axis=0)", [[1.0, 3.0], [1.0, 4.0]], [[0.5, 1.0], [0.5, 0.0]]),
        ("sort(x)[0]", [2.0, 1.0, 1.0], [0.0, 1.0, 0.0]),
        ("norm(x)", [0.0, 0.0], [0.0, 0.0]),
        ("norm(x, 1)", [0.0, -2.0], [0.0, -1.0]),
        ("norm(x, inf)", [-2.0, 2.0, 1.0], [-0.5, 0.5, 0.0]),
        ("norm(x, 3)", [0.0, 0.0], [0.0, 0.0]),
        ("std(x)", [2.0, 2.0], [0.0, 0.0]),
        ("argmax(x)", [2.0, 1.0], [0.0, 0.0]),
        ("det(x)", [[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ("det(x)", [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]),
        ("sum(cofactors(x))", [[1.0, 2.0], [2.0, 4.0]], [[1.0, -1.0], [-1.0, 1.0]]),
        ("cross_entropy(x, [[0, 1], [0, 0]])", [[0.0, 0.5], [0.0, 1.0]], [[0.0, -1.0], [0.0, 0.0]]),
        ("softmax_cross_entropy(x, [[0, 1], [0, 0]])", [[0.0, 0.0], [5.0, 9.0]], [[0.25, -0.25], [0.0, 0.0]]),
        ("sum(full([2, 2], x))", 3.0, 4.0),
        ("sum(x*zeros(x))", 3.0, 0.0),
        ("sum(reshape([1, 2, 3], x))", 3.0, 0.0),
        ("sum(one_hot(x, 3))", [1.0, 2.0], [0.0, 0.0]),
        ("sum(x)", [], []),
        ("sum(concat(x, [1]))", [], []),
    ],
)
def test_gradients_at_special_points(text: str, values: Any, expected: Any) -> None:
    given = values if isinstance(values, float) else numpy.array(values)
    found = gradients_of(text, {"x": given})["x"]
    assert numpy.shape(found) == numpy.shape(expected)
    numpy.testing.assert_allclose(found, expected, atol=1e-14)


def test_derivative_of_softmax_cross_entropy_is_the_difference_over_the_rows() -> None:
    z = numpy.array([[1.0, 2.0, -1.0], [0.0, 500.0, 3.0]])
    t = numpy.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    found = gradients_of("softmax_cross_entropy(z, t)", {"z": z, "t": t})["z"]
    numpy.testing.assert_allclose(found, (value_of("softmax(z)", {"z": z}) - t) / 2, rtol=1e-15)


def test_second_derivative_of_a_product_with_zeros() -> None:
    case = Case(gate("prod", 1), trial((3,)))
    one = OneGate(case)
    one.values = [numpy.array([0.0, 0.0, 5.0])]
    shapes = evaluate(one.graph, one.values).shapes
    (derivative,) = differentiate(one.graph, one.result, one.inputs, shapes)
    assert derivative is not None
    picked = one.graph.add(gate("[]", 1), [derivative], (("index", (0,)),))
    shapes = evaluate(one.graph, one.values).shapes
    (second,) = differentiate(one.graph, picked, one.inputs, shapes)
    assert second is not None
    numpy.testing.assert_array_equal(one.value_at(second, one.values), [0.0, 5.0, 0.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max([])", "the max of nothing"),
        ("max(zeros(0, 2), axis=0)", "the max of nothing"),
        ("argmin([])", "the min of nothing"),
        ("sum([1, 2], axis=1)", "axis 1 does not exist"),
        ("softmax(3)", "axis -1 does not exist in a number"),
        ("sort([1, 2], axis=1)", "axis 1 does not exist"),
        ("cumsum(ones(2, 2), axis=[0, 1])", "one axis is needed"),
        ("argmax(ones(2, 2), axis=[0, 1])", "one axis is needed"),
        ("sum(ones(2, 2), axis=[0, 0])", "an axis is given twice"),
        ("norm([1, 2], 0.5)", "ord must be"),
        ("dot([1, 2], [1, 2, 3])", "dot of 2 and 3"),
        ("trace([1, 2])", "trace takes a matrix"),
        ("inv(ones(2, 3))", "inv takes a square matrix, not 2×3"),
        ("det([1, 2])", "det takes a square matrix"),
        ("solve(eye(2), [1, 2, 3])", "the matrix is 2×2, the right side 3 has 3 rows"),
        ("solve(eye(2), 3)", "not a number"),
        ("concat(1, 2)", "write them as an array"),
        ("concat(ones(2, 2), ones(2, 3))", "2×2 and 2×3 differ in more than axis 0"),
        ("squeeze([1, 2], axis=0)", "has 2 elements, not 1"),
        ("expand_dims([1, 2], axis=5)", "axis 5 does not exist"),
        ("affine(ones(2, 3), ones(4, 2), 1)", "2×3 @ 4×2"),
        ("affine(ones(2, 3), ones(3, 2), [1, 2, 3])", "2×2 and 3 do not fit"),
        ("cross_entropy([0.5, 0.5], [1, 0, 0])", "the probabilities are 2, their targets 3"),
        ("softmax_cross_entropy(1, 1)", "rows of scores"),
        ("one_hot([1], 0)", "must be positive"),
        ("zeros(-1)", "must not be negative"),
        ("zeros(2, 1.5)", "1.5 is not a size"),
        ("zeros(nan)", "nan is not a size"),
        ("arange(0, 1, 0)", "the step must not be 0"),
        ("arange(inf)", "inf is not a step or an end"),
        ("linspace(0, 1, -2)", "must not be negative"),
        ("full(2, 3, [1, 2])", "does not spread"),
        ("take_along_axis([1, 2], [[1, 0]])", "the indices, 1×2"),
        ("put_along_axis([1, 2], [1], 3)", "the elements are 2, their places 1"),
        ('scatter([1, 2], 4, index="0:3")', "does not fit"),
        ("broadcast_to([1, 2], 3)", "2 does not spread to 3"),
        ("sum_to([1, 2], 3)", "is not what 3 spreads to"),
        ("reshape([1, 2], 3)", "has 2 elements"),
        ("zeros(1e5, 1e5)", "74.5 GiB: one array may hold 2 GiB"),
        ("zeros(1e300)", "one array may hold 2 GiB"),
        ("arange(0, 1, 1e-300)", "one array may hold 2 GiB"),
        ("outer(zeros(1e5), zeros(1e5))", "outer would make an array of 100000×100000 numbers"),
        ("zeros(1e5) + zeros(1e5, 1)", "+ would make an array of 100000×100000 numbers"),
        ("broadcast_to(1, 1e5, 1e5)", "one array may hold 2 GiB"),
        ("zeros(sum(ones(1e6, 1e6)))", "ones would make an array"),
        ("zeros(" + "1, " * 65 + ")", "at most 64 axes"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_computed(text: str, words: str) -> None:
    from gradcalc.engine.shapes import NodeProblem

    with pytest.raises(NodeProblem) as caught:
        value_of(text)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expand_dims([1, 2])", "expand_dims needs an axis"),
        ("load()", "load needs a file"),
        ("arange(0, step=2)", "arange takes 1 to 3 arguments"),
        ("sum([1, 2], axis=0.5)", "axis of sum must be a whole number"),
        ("sort([1, 2], axis=none)", "axis of sort must be a whole number"),
        ("scatter([1, 2], 3, index=1)", "index of scatter must be an index in quotes"),
        ("concat()", "concat takes at least 1 argument"),
        ("rand(2, draw=3)", "rand has no argument named draw"),
    ],
)
def test_calls_that_mean_nothing(text: str, words: str) -> None:
    with pytest.raises(GradcalcError, match=words):
        value_of(text)


def test_lists_in_brackets_leave_nothing_behind() -> None:
    for text, inputs in {
        "concat([a, b], axis=0)": 2,
        "concat([[1, 2], [3, 4]], axis=0)": 2,
        "zeros([2, 3])": 2,
        "reshape(a, [n, 3])": 3,
    }.items():
        program = Program()
        (statement,) = program.statements(text)
        assert isinstance(statement, Output)
        graph = program.graph
        assert statement.node == len(graph) - 1
        assert len(graph.inputs(statement.node)) == inputs
        assert len(graph) == inputs + 1
        assert len(program.sheet.starts) == len(graph)
        assert len(graph.constants) == sum(code == CONSTANT for code in graph.codes)


def first_cases() -> list[Case]:
    """One trial of every gate."""
    seen: dict[tuple[str, int], Case] = {}
    for case in SMOOTH:
        seen.setdefault((case.record.name, case.record.arity[0]), case)
    return list(seen.values())


@pytest.mark.parametrize("case", first_cases(), ids=str)
def test_a_spoiled_rule_is_a_mismatch(case: Case) -> None:
    """A check that cannot fail is worth nothing: a gradient that is off by one part in a million is found out."""
    rule = case.record.pullback
    assert rule is not None
    one = OneGate(case)
    for position in range(len(one.inputs)):
        if position in case.record.discrete:
            continue

        def spoiled(g: Any, y: Any, *inputs: Any, position: int = position, **attributes: Any) -> tuple[Any, ...]:
            parts = list(rule(g, y, *inputs, **attributes))
            parts[position] = parts[position] * (1.0 + 1e-6)
            return tuple(parts)

        for record, verdict in ((case.record, "ok"), (changed(case.record, pullback=spoiled), "mismatch")):
            one = OneGate(Case(record, case.trial))
            evaluation = evaluate(one.graph, one.values)
            backpropagate(evaluation)
            node = one.inputs[position]
            answer, _ = check(evaluation, [node])
            assert answer(node).verdict == verdict, position
