"""The check of arrays: every gate by its rule, what is probed and what is not, methods, large arrays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import gradcalc
from gradcalc.checking import arrays
from gradcalc.checking.check import check
from gradcalc.checking.lanes import Prober
from gradcalc.engine import arrays as engine
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.errors import UsageProblem
from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.algebra import where
from gradcalc.gates.record import Trial, trial
from gradcalc.graph import Graph
from gradcalc.workspace import Options, Result
from tests.catalogue import SPOILED_BY, changed, defaults, gate, name_of

TRIALS = {
    "@": (
        trial((2, 3), (3, 2)),
        trial((3,), (3, 2)),
        trial((2, 3), (3,)),
        trial((3,), (3,)),
        trial((2, 2, 3), (3, 2)),
        trial((2, 3), (4, 3, 2)),
    ),
    "transpose": (trial((2, 3)), trial((2, 3, 4), axes=(2, 0, 1))),
    "stack": (trial((3,), (3,)), trial((2, 2), (2, 2), axis=-1)),
    "[]": (trial((4, 3), index=(1,)), trial((4, 3), index=(("slice", 0, 4, 2), "..."))),
    "reshape": (trial((2, 3), sizes=(3.0, 2.0)),),
    "broadcast_to": (trial((3,), sizes=(2.0, 3.0)),),
    "sum_to": (trial((2, 3), sizes=(3.0,)),),
    "scatter": (trial((2,), sizes=(2.0, 3.0), index=(("slice", None, None, None), 1)),),
}
"""For records that state no trials themselves."""


def trials_of(record: Gate) -> tuple[Trial, ...]:
    return record.trials or TRIALS.get(record.name, ())


ARRAY_GATES = [record for record in REGISTRY.records() if record.pullback is not None and not record.constant and not record.maker]
CASES = [(record, number) for record in ARRAY_GATES for number in range(len(trials_of(record)))]


def case_name(case: Any) -> str:
    return name_of(case) if isinstance(case, Gate) else str(case)


def on_trial(record: Gate, case: Trial, seed: int = 1, used: Gate | None = None) -> tuple[Evaluation, list[int]]:
    """A gate on random inputs of a trial, evaluated and backpropagated, with the nodes of the inputs that derivatives flow into."""
    rng = random.Random(seed)
    graph = Graph()
    numbers = list(range(len(case.shapes)))
    sizes = [graph.add_constant(size) for size in case.sizes] if (record.data or 0) < 0 else []
    data = [graph.add_input() for _ in numbers]
    if (record.data or 0) >= 0:
        sizes = [graph.add_constant(size) for size in case.sizes]
    attributes = tuple(sorted((dict(defaults(record)) | dict(case.attributes)).items()))
    graph.add(used or record, [*sizes, *data] if (record.data or 0) < 0 else [*data, *sizes], attributes)
    values = []
    for number, shape in enumerate(case.shapes):
        low, high = record.samples[min(number, len(record.samples) - 1)]
        made = numpy.array([rng.uniform(low, high) for _ in range(int(numpy.prod(shape)))]).reshape(shape)
        if number in record.discrete:
            made = numpy.zeros(shape)
        values.append(made if shape else float(made))
    evaluation = evaluate(graph, values)
    upstream = numpy.array([rng.uniform(0.5, 1.5) for _ in range(int(numpy.prod(evaluation.shape(len(graph) - 1))))])
    flowing = [data[number] for number in numbers if number not in record.discrete]
    shape = evaluation.shape(len(graph) - 1)
    backpropagate(evaluation, upstream.reshape(shape) if shape else float(upstream[0]), flowing)
    return evaluation, flowing


def spoiled(record: Gate, position: int, by: float = SPOILED_BY) -> Gate:
    """The gate with the rule for one input off by one part in a million, by an absolute amount where it is 0."""
    rule = record.pullback
    assert rule is not None

    def pullback(above: Any, result: Any, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
        found = list(rule(above, result, *inputs, **attributes))
        part = found[position]
        found[position] = where(part.apply("==", 0.0), by, part * (1.0 + by))
        return tuple(found)

    return changed(record, pullback=pullback)


def test_every_array_gate_has_a_trial() -> None:
    assert all(trials_of(record) for record in ARRAY_GATES), [r.name for r in ARRAY_GATES if not trials_of(r)]


@pytest.mark.parametrize(("record", "number"), CASES, ids=case_name)
def test_the_rule_as_it_stands_is_ok_and_a_spoiled_one_a_mismatch(record: Gate, number: int) -> None:
    case = trials_of(record)[number]
    evaluation, nodes = on_trial(record, case)
    found, _ = check(evaluation, nodes)
    for node in nodes:
        assert found(node).verdict == "ok", found(node).note
    flowing = [position for position in range(len(case.shapes)) if position not in record.discrete]
    for position, node in zip(flowing, nodes):
        if not numpy.size(evaluation.values[node]):
            continue
        wrong, nodes_again = on_trial(record, case, used=spoiled(record, position))
        verdict = check(wrong, nodes_again)[0](node)
        assert verdict.verdict == "mismatch", (position, verdict.note)
        assert record.name in verdict.note


@pytest.mark.parametrize(("record", "number"), CASES, ids=case_name)
def test_probes_are_the_forward_rule_at_displaced_elements(record: Gate, number: int) -> None:
    evaluation, nodes = on_trial(record, trials_of(record)[number], seed=7)
    prober = Prober(evaluation.graph, evaluation.values, evaluation.seed)
    rng = numpy.random.default_rng(3)
    for node in nodes:
        base = numpy.asarray(evaluation.values[node])
        if not base.size:
            continue
        elements = numpy.arange(base.size)
        steps = rng.uniform(0.01, 0.02, (base.size, 3))
        moved = prober.probe(node, elements, steps)
        for element in elements:
            for column in range(3):
                shifted = base.copy()
                shifted.flat[element] += steps[element, column]
                inputs = [
                    shifted if n == node else evaluation.values[n]
                    for n in range(len(evaluation.graph))
                    if evaluation.graph.codes[n] == 0
                ]
                plain = engine.forward(evaluation.graph, inputs)[-1]
                expected = numpy.sum(evaluation.seed * (numpy.asarray(plain) - evaluation.values[-1]))
                assert moved[element, column] == pytest.approx(expected, rel=1e-9, abs=1e-12)


# ---- whole programs --------------------------------------------------------------------------------------------------------------


def result_of(text: str, **options: Any) -> Result:
    return next(gradcalc.parse(text).evaluate_all(options=Options(**({"seed": 1} | options))))


def methods(result: Result) -> str:
    return " ".join(result.remarks)


NETWORK = """
x = randn(3, 8)
W1 = 0.3*randn(8, 5); b1 = 0.1*randn(5); W2 = 0.3*randn(5, 4); b2 = zeros(4)
t = one_hot([1, 0, 3], 4)
h = {hidden}
p = {output}
{loss}
"""


def networks() -> Iterator[str]:
    for hidden in ("sigmoid(x@W1 + b1)", "sigmoid(affine(x, W1, b1))", "tanh(x@W1 + b1)", "relu(x@W1 + b1)"):
        for output, loss in (("softmax(h@W2 + b2)", "cross_entropy(p, t)"), ("affine(h, W2, b2)", "softmax_cross_entropy(p, t)")):
            yield NETWORK.format(hidden=hidden, output=output, loss=loss)


@pytest.mark.parametrize("text", list(networks()))
def test_networks_are_checked_in_every_element(text: str) -> None:
    result = result_of(text)
    assert result.verdict == "ok"
    for node in result.nodes:
        if node.gradient is not None and node.shape:
            assert (node.verdicts == "ok").all()
            assert numpy.abs(node.gradient - node.numerical).max() < 1e-10


def test_only_what_an_element_reaches_is_computed_again() -> None:
    rng = numpy.random.default_rng(0)
    x, w, b = rng.normal(size=(3, 40)), rng.normal(size=(40, 30)), rng.normal(size=30)
    graph = Graph()
    nodes = [graph.add_input() for _ in range(3)]
    product = graph.add(gate("@", 2), nodes[:2])
    graph.add(gate("sigmoid"), [graph.add(gate("+", 2), [product, nodes[2]])])
    evaluation = evaluate(graph, [x, w, b])
    prober = Prober(graph, evaluation.values, 1.0)
    for node in nodes[1:]:  # a weight or a bias reaches one column
        prober.probe(node, numpy.arange(30), numpy.full((30, 1), 0.1))
        assert prober.largest == 3
    prober.probe(nodes[0], numpy.arange(30), numpy.full((30, 1), 0.1))
    assert prober.largest == 30  # an input one row


@pytest.mark.parametrize("method", ["auto", "central", "one-sided", "complex", "exact"])
def test_every_method_works_on_arrays(method: str) -> None:
    if method == "exact":
        pytest.importorskip("mpmath")
    text = "x = [[0.5, 1], [2, -0.3]]; w = [1.5, 2]; y = softmax(x*w); mean(y@x) + sum(exp(x)[0])"
    result = result_of(text, check=method)
    assert result.verdict == "ok"
    if method in ("complex", "exact"):
        assert max(float(numpy.max(node.error_bar)) for node in result.nodes if node.shape and node.gradient is not None) < 1e-12


def test_the_complex_step_says_where_it_is_not_lawful_in_arrays() -> None:
    node = result_of("x = [1.5, -2]; sum(abs(x)*exp(x))", check="complex").nodes[0]
    assert node.verdict == "ok"
    assert "abs is not analytic" in node.note


def test_exact_says_what_it_cannot_do() -> None:
    pytest.importorskip("mpmath")
    with pytest.raises(UsageProblem, match="complex"):
        result_of("x = randn(200, 200); sum(sin(x))", check="exact", check_all=True)


def test_the_gradient_from_above_is_checked_with() -> None:
    text = "x = [[-1, 0.5], [1, 2]]; sigmoid(x)"
    result = result_of(text, upstream="[[7, 6], [-2, 5]]")
    plain = result_of(text)
    assert result.verdict == "ok"
    weights = numpy.array([[7, 6], [-2, 5]])
    assert numpy.allclose(result.nodes[0].numerical, weights * plain.nodes[0].numerical, rtol=1e-9)


def test_the_note_says_which_element_is_the_worst() -> None:
    result = result_of("x = [[1, 2, 3], [4, 0, 6]]; relu(x)")
    node = result.nodes[0]
    assert node.verdict == "kink"
    assert "[1, 1]" in node.note
    assert node.verdicts.tolist() == [["ok", "ok", "ok"], ["ok", "kink", "ok"]]


def test_a_spoiled_gate_is_named_in_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import gradcalc.gates.record as record

    for name in ("affine", "softmax", "cross_entropy"):
        (good,) = REGISTRY[name]
        with monkeypatch.context() as patch:
            patch.setitem(record.REGISTRY._gates, name, (spoiled(good, 0),))
            result = result_of(
                NETWORK.format(hidden="sigmoid(affine(x, W1, b1))", output="softmax(affine(h, W2, b2))", loss="cross_entropy(p, t)")
            )
            assert result.verdict == "mismatch", name
            assert any(f"the rule of {name} is off" in node.note for node in result.nodes), name


def test_what_only_a_size_or_a_label_depends_on_is_no_matter() -> None:
    assert result_of("x = [1, 2, 3]; y = [2, 1]; sum(x)*size(x) + sum(y)").verdict == "ok"


def test_empty_arrays_and_numbers_among_arrays() -> None:
    assert result_of("x = [1, 2, 3]; sum(x[3:]) + x[0]").verdict == "ok"
    assert result_of("a = 2; x = [1, 2, 3]; sum(a*x)").verdict == "ok"


def test_functions_of_arrays_that_no_step_resolves_are_never_a_mismatch() -> None:
    for text in ("x = [1e12, 1]; sum(sin(x^2))", "x = [1e-12, 3]; sum(sin(1/x))", "x = [1e-6, 1e-9]; sum(log(x))"):
        assert result_of(text).verdict in ("ok", "unsure", "kink"), text


def test_what_is_not_finite_is_not_checked() -> None:
    assert result_of("x = [0, 1]; sum(1/x)").verdict == "off"


# ---- large arrays ----------------------------------------------------------------------------------------------------------------


def test_large_arrays_are_checked_along_directions_and_at_elements_drawn() -> None:
    result = result_of("x = randn(5000); sum(sin(x)*x)")
    assert result.verdict == "ok"
    assert "random directions" in methods(result)
    assert "99.9 %" in methods(result)
    assert "elements drawn" in methods(result)
    drawn = numpy.isfinite(result.nodes[0].numerical)
    assert drawn.sum() == arrays.ELEMENTS
    assert (result.nodes[0].verdicts[drawn] == "ok").all()
    assert (result.nodes[0].verdicts[~drawn] == "off").all()


def test_every_element_is_checked_where_it_is_asked_for() -> None:
    told: list[tuple[int, int]] = []
    calculation = gradcalc.parse("x = randn(5000); sum(sin(x)*x)")
    from gradcalc.workspace import Workspace

    workspace = Workspace(options=Options(seed=1, check_all=True), progress=lambda done, total: told.append((done, total)))
    result = next(iter(workspace.answers(calculation.text)))
    assert isinstance(result, Result)
    assert result.verdict == "ok"
    assert not methods(result)
    assert numpy.isfinite(result.nodes[0].numerical).all()
    assert told[-1][0] == told[-1][1] == sum(int(numpy.prod(node.shape)) for node in result.nodes if node.gradient is not None)


def test_a_direction_finds_an_error_that_no_element_drawn_shows() -> None:
    graph = Graph()
    x = graph.add_input()
    graph.add(gate("sum"), [graph.add(gate("sin"), [x])], defaults(gate("sum")))
    evaluation = evaluate(graph, [numpy.linspace(-1.0, 1.0, 4000)])
    backpropagate(evaluation)
    wrong = numpy.array(evaluation.gradients[x])
    unseen = [n for n in range(4000) if n not in random.Random(x).sample(range(4000), arrays.ELEMENTS)]
    wrong[unseen[:300]] *= 1.01
    evaluation.gradients[x] = wrong
    found, _ = check(evaluation, [x])
    assert found(x).verdict == "mismatch"
    assert "direction" in found(x).note


@pytest.mark.parametrize(
    "text",
    [
        "a = 1; b = 2; size([a, b])*a",
        "x = [1, 2]; sum((2*x)^2)/size(2*x)",
        "x = [1, 2]; mean((2*x - 1)^2)*(argmax(2*x) + 1)",
        "a = 1; b = 2; sum(([a, b] > 0)*[1, 2])*a",
        "a = 1; b = 2; size(sort([a, b]))*a",
    ],
)
def test_arrays_from_which_no_gradient_flows_are_no_obstacle(text: str) -> None:
    assert result_of(text).verdict == "ok"


def test_kinks_nearby_do_not_spoil_a_direction() -> None:
    assert result_of("x = randn(20000); sum(relu(x) + abs(x))").verdict == "ok"


def test_a_million_elements_are_checked_in_little_memory() -> None:
    import tracemalloc

    calculation = gradcalc.parse("sum(sigmoid(x))")
    x = numpy.random.default_rng(1).normal(size=10**6)
    tracemalloc.start()
    assert calculation.evaluate(x=x).verdict == "ok"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * x.nbytes
