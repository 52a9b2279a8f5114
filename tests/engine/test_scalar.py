"""The interpreter for numbers: it agrees with a naive one and with the derivative graph, and nothing in it is recursive."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import differentiate
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.scalar import INLINE, guarded_forward, local_slopes
from gradcalc.gates import REGISTRY, Gate
from gradcalc.graph import CONSTANT, INPUT, Graph
from tests.catalogue import ELEMENTWISE, chain, counts, defaults, gate

SMOOTH = [record for record in ELEMENTWISE if record.kinks is None and record.name not in ("/", "tan", "reciprocal", "pow")]


def random_graph(rng: random.Random, records: Sequence[Gate], size: int) -> tuple[Graph, list[float]]:
    """A graph of random gates, all of which the last node depends on."""
    graph = Graph()
    inputs = [graph.add_input() for _ in range(rng.randint(1, 3))]
    pool = list(inputs)
    for _ in range(size):
        record = rng.choice(records)
        count = rng.choice(counts(record))
        nodes = [graph.add_constant(rng.uniform(-2, 2)) if rng.random() < 0.1 else rng.choice(pool[-6:]) for _ in range(count)]
        pool.append(graph.add(record, nodes, defaults(record)))
    part = extract(graph, pool[-1], pool[-1])
    values = [rng.choice((rng.uniform(-2, 2), rng.uniform(0.1, 0.9), float(rng.randint(-2, 2)))) for _ in inputs]
    return part.graph, [values[inputs.index(part.source(node))] for node, code in enumerate(part.graph.codes) if code == INPUT]


def naive(graph: Graph, inputs: Sequence[float]) -> tuple[list[float], dict[int, float]]:
    """Values and gradients the way a textbook has it, with dictionaries."""
    values: list[float] = []
    for node, code in enumerate(graph.codes):
        if code == INPUT:
            values.append(inputs[graph.left[node]])
        elif code == CONSTANT:
            values.append(graph.constant(node))
        else:
            values.append(guarded_forward(graph.operator(node))(*[values[source] for source in graph.inputs(node)]))
    gradients: dict[int, float] = {len(graph) - 1: 1.0}
    for node in range(len(graph) - 1, -1, -1):
        if node in gradients and graph.codes[node] > CONSTANT:
            for source, slope in zip(graph.inputs(node), local_slopes(graph, node, values)):
                if slope is not None:
                    gradients[source] = gradients.get(source, 0.0) + gradients[node] * slope
    return values, gradients


def same(a: float, b: float) -> bool:
    # A sum over paths may cancel to nothing but rounding.
    return a == pytest.approx(b, rel=1e-11, abs=1e-13, nan_ok=True)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_any_graph_agrees_with_a_naive_reference(seed: int, size: int) -> None:
    graph, inputs = random_graph(random.Random(seed), ELEMENTWISE, size)
    values = scalar.forward(graph, inputs)
    expected, slopes = naive(graph, inputs)
    assert all(map(same, values, expected))
    wanted = scalar.wanted_nodes(graph)
    gradients = scalar.backward(graph, values, len(graph) - 1)
    for node, gradient in enumerate(gradients):
        if wanted[node] and math.isfinite(slopes.get(node, 0.0)):
            assert same(gradient, slopes.get(node, 0.0)), node


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_smooth_graphs_agree_with_their_derivative_graph(seed: int, size: int) -> None:
    graph, inputs = random_graph(random.Random(seed), SMOOTH, size)
    values = scalar.forward(graph, inputs)
    last = len(graph) - 1
    gradients = scalar.backward(graph, values, last)
    if not all(map(math.isfinite, [*values, *gradients])) or max(map(abs, [*values, *gradients])) > 1e100:
        return
    places = [node for node, code in enumerate(graph.codes) if code == INPUT]
    for node, derivative in zip(places, differentiate(graph, last, places)):
        if derivative is None:
            assert gradients[node] == 0.0
            continue
        part = extract(graph, derivative, derivative)
        needed = [inputs[graph.left[part.source(n)]] for n, code in enumerate(part.graph.codes) if code == INPUT]
        largest = max(map(abs, gradients))
        assert scalar.forward(part.graph, needed)[-1] == pytest.approx(gradients[node], rel=1e-9, abs=1e-12 * largest)


@pytest.mark.parametrize("bad", [500, 0, 999])
def test_an_exception_in_the_middle_of_a_chain_is_an_infinity(bad: int) -> None:
    graph = Graph()
    node, zero, one = graph.add_input(), graph.add_constant(0.0), graph.add_constant(1.0)
    for number in range(1000):
        node = graph.add(gate("/", 2), (node, zero if number == bad else one))
    values = scalar.forward(graph, [2.0])
    assert values[3 + bad] == math.inf
    assert values[3 + bad - 1] == 2.0 or bad == 0
    gradients = scalar.backward(graph, values, node)
    assert gradients[node] == 1.0
    assert not math.isfinite(gradients[0])
    assert len(gradients) == len(graph)


def test_many_exceptions_do_not_disturb_their_neighbours() -> None:
    graph = Graph()
    x = graph.add_input()
    total = graph.add_constant(0.0)
    logs = []
    for number in range(50):
        logs.append(graph.add(gate("log"), (x if number % 2 else graph.add(gate("exp"), (x,)),)))
        total = graph.add(gate("+", 2), (total, logs[-1]))
    values = scalar.forward(graph, [-1.0])
    assert [values[node] for node in logs[:4]] == pytest.approx([-1.0, math.nan, -1.0, math.nan], nan_ok=True)


def test_contributions_are_counted_once_when_a_rule_raises_half_way() -> None:
    """a/b at b = 0, a reached twice: what was added before the exception must not be added again."""
    graph = chain(("/", 0, 1), ("+", 2, 0), inputs=2)
    values = scalar.forward(graph, [3.0, 0.0])
    gradients = scalar.backward(graph, values, 3)
    assert gradients[0] == math.inf
    graph = chain(("pow", 0, 1), ("*", 0, 2.0), ("+", 2, 4), inputs=2)
    values = scalar.forward(graph, [0.0, 3.0])
    assert scalar.backward(graph, values, len(graph) - 1)[0] == 2.0


def test_more_operators_than_have_branches_of_their_own() -> None:
    names = ["sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh", "exp", "expm1", "sigmoid", "softplus", "silu", "gelu"]
    names += [
        "square",
        "neg",
        "erf",
        "erfc",
        "elu",
        "selu",
        "leaky_relu",
        "relu",
        "abs",
        "hardtanh",
        "cbrt",
        "sign",
        "floor",
        "ceil",
    ]
    assert len(names) > INLINE
    graph = Graph()
    x, y = graph.add_input(), graph.add_input()
    total = graph.add(gate("max", 3), (x, y, graph.add_constant(0.1)))
    for name in names:
        part = graph.add(gate(name), (graph.add(gate("*", 2), (x, y)),), defaults(gate(name)))
        total = graph.add(gate("+", 2), (total, part))
    expected, slopes = naive(graph, [0.7, 0.9])
    values = scalar.forward(graph, [0.7, 0.9])
    gradients = scalar.backward(graph, values, total)
    assert values == pytest.approx(expected)
    assert gradients[:2] == pytest.approx([slopes[0], slopes[1]])


def gradients_of(graph: Graph, inputs: Sequence[float]) -> list[float]:
    evaluation = evaluate(graph, inputs)
    backpropagate(evaluation)
    return evaluation.gradients


@pytest.mark.parametrize(
    ("steps", "x", "expected"),
    [
        # where(x < 1, x, sqrt(x)) at 0: the slope of the root is infinite, and is not on the path
        ([("<", 0, 1.0), ("sqrt", 0), ("where", 2, 0, 3)], 0.0, 1.0),
        # relu(log(x)) far below: relu stops the gradient before 1/x is infinite
        ([("log", 0), ("relu", 1)], 0.0, 0.0),
        # max(x, log(x)) at 0: -inf loses
        ([("log", 0), ("max", 0, 1)], 0.0, 1.0),
        # floor(sqrt(x)) + x: floor hands nothing on, so the infinite slope of the root does not matter
        ([("sqrt", 0), ("floor", 1), ("+", 2, 0)], 0.0, 1.0),
        ([("sqrt", 0), (">", 1, 2.0), ("+", 3, 0)], 0.0, 1.0),
        ([("sqrt", 0), ("hardtanh", 1), ("-", 1, 5.0), ("relu", 4)], 0.0, 0.0),
    ],
)
def test_a_branch_not_taken_leaks_nothing(steps: list[tuple[object, ...]], x: float, expected: float) -> None:
    graph = chain(*steps)
    values = scalar.forward(graph, [x])
    assert scalar.backward(graph, values, len(graph) - 1)[0] == expected
    assert gradients_of(graph, [x])[0] == expected


def test_a_zero_that_the_user_wrote_still_makes_nan_of_infinity() -> None:
    """sqrt(x)*0 at 0 has the slope inf·0, and a gate with masks elsewhere in the graph must not change that."""
    graph = chain(("sqrt", 0), ("*", 1, 0.0))
    assert math.isnan(scalar.backward(graph, scalar.forward(graph, [0.0]), len(graph) - 1)[0])
    masked = chain(("sqrt", 0), ("*", 1, 0.0), ("relu", 0), ("+", 3, 4))
    assert math.isnan(scalar.backward(masked, scalar.forward(masked, [0.0]), len(masked) - 1)[0])


def test_a_negative_zero_gradient_is_a_gradient() -> None:
    """-0.0 marks what no path reached; a contribution that happens to be -0.0 is none the less one."""
    graph = chain(("relu", 0), ("*", 1, -0.0), ("log", 3), ("relu", 4), inputs=1)
    found = scalar.backward(graph, scalar.forward(graph, [2.0]), len(graph) - 1)
    assert math.copysign(1.0, found[0]) == 1.0
    graph = chain(("relu", 0), ("sqrt", 1), ("*", 2, -0.0))
    assert math.isnan(scalar.backward(graph, scalar.forward(graph, [1e-320]), 4)[0]) is False


def test_a_seed_scales_every_gradient() -> None:
    graph = chain(("*", 0, 1), ("sin", 2), inputs=2)
    values = scalar.forward(graph, [0.3, 2.0])
    one, three = (scalar.backward(graph, values, 3, seed) for seed in (1.0, 3.0))
    assert three == pytest.approx([3.0 * gradient for gradient in one])


def test_evaluating_twice_accumulates_nothing() -> None:
    graph = chain(("*", 0, 0), ("+", 1, 0))
    evaluation = evaluate(graph, [3.0])
    backpropagate(evaluation)
    first = list(evaluation.gradients)
    backpropagate(evaluation)
    assert evaluation.gradients == first == [7.0, 1.0, 1.0]


def test_wrt_reaches_named_nodes_only() -> None:
    graph = chain(("*", 0, 1), ("sin", 2), ("+", 3, 1), inputs=2)
    evaluation = evaluate(graph, [0.3, 2.0])
    backpropagate(evaluation, wrt=[2])
    assert evaluation.gradients[2] == pytest.approx(math.cos(0.6))
    assert not evaluation.wanted[0]
    assert not evaluation.wanted[1]


def test_a_local_derivative_is_formed_only_on_the_way_to_what_is_wanted() -> None:
    """(-2)^3 with a constant exponent: log(-2) must not make anything nan."""
    graph = chain(("pow", 0, 3.0))
    evaluation = evaluate(graph, [-2.0])
    backpropagate(evaluation)
    assert evaluation.gradients[0] == 12.0


def test_a_chain_of_a_million_gates_runs() -> None:
    graph = Graph()
    node, one = graph.add_input(), graph.add_constant(1.0)
    for _ in range(1_000_000):
        node = graph.add(gate("+", 2), (node, one))
    values = scalar.forward(graph, [0.5])
    gradients = scalar.backward(graph, values, node)
    assert (values[node], gradients[0]) == (1_000_000.5, 1.0)


def test_a_graph_that_is_cut_back_and_grows_again_forgets_its_loops() -> None:
    graph = Graph()
    x = graph.add_input()
    mark = graph.mark()
    for name, expected in (("sin", math.sin(0.5)), ("cos", math.cos(0.5)), ("exp", math.exp(0.5))):
        record = REGISTRY.find(name, 1)
        assert record is not None
        graph.add(record, (x,))
        assert scalar.forward(graph, [0.5])[-1] == expected
        graph.cut(mark)
