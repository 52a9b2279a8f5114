"""The check of forward mode: it agrees on every gate, and finds every rule that is spoiled."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.checking.tangents import check_tangents
from gradcalc.engine.evaluate import Evaluation, evaluate
from gradcalc.engine.tangents import push
from gradcalc.gates import Gate
from tests.catalogue import case_name, cases, chain, changed, one_gate, positions, sample_points, spoiled
from tests.gates.test_arrays import SMOOTH, Case, OneGate


def verdicts(evaluation: Evaluation, moves: dict[int, Any], method: str = "auto") -> list[str]:
    check, _ = check_tangents(evaluation, moves, push(evaluation, moves), range(len(evaluation.graph)), method)
    return [check(node).verdict for node in range(len(evaluation.graph))]


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_every_elementwise_gate_agrees(record: Gate, count: int) -> None:
    for point in sample_points(record, count, 2):
        evaluation = evaluate(one_gate(record, count), point)
        moves = {node: 0.7 - 0.4 * node for node in range(count) if node not in record.discrete}
        for method in ("auto", "one-sided"):
            assert set(verdicts(evaluation, moves, method)) == {"ok"}, (point, method)


@pytest.mark.parametrize(("record", "count", "position"), positions(), ids=case_name)
def test_every_spoiled_rule_is_found(record: Gate, count: int, position: int) -> None:
    bad = spoiled(record, position)
    (point,) = sample_points(record, count, 1)
    evaluation = evaluate(one_gate(bad, count), point)
    assert verdicts(evaluation, {position: 1.0})[-1] == "mismatch"


@pytest.mark.parametrize("case", [case for case in SMOOTH if case.trial.shapes != ((2, 3),)][::2], ids=str)
def test_array_gates_agree(case: Case) -> None:
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    rng = numpy.random.default_rng(7)
    moves: dict[int, Any] = {}
    for position, (node, value) in enumerate(zip(one.inputs, one.values)):
        if position not in case.record.discrete:
            moves[node] = rng.normal(size=numpy.shape(value)) if numpy.shape(value) else 1.5
    assert set(verdicts(evaluation, moves)) <= {"ok", "off"}  # an array of nothing is not checked


def spoiled_pullback(record: Gate) -> Gate:
    rule = record.pullback
    assert rule is not None

    def pullback(g: Any, y: Any, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
        return tuple(None if part is None else part * (1.0 + 1e-5) for part in rule(g, y, *inputs, **attributes))

    return changed(record, pullback=pullback, linear=False)


@pytest.mark.parametrize("name", ["prod", "logsumexp", "inv", "det", "softmax", "affine", "@"])
def test_a_spoiled_pullback_is_found(name: str) -> None:
    case = next(case for case in SMOOTH if case.record.name == name and all(case.trial.shapes))
    one = OneGate(Case(spoiled_pullback(case.record), case.trial))
    evaluation = evaluate(one.graph, one.values)
    moves = {node: numpy.ones(numpy.shape(value)) for node, value in zip(one.inputs, one.values)}
    moves[one.inputs[0]] = numpy.arange(1.0, 1.0 + numpy.size(one.values[0])).reshape(numpy.shape(one.values[0]))
    assert verdicts(evaluation, moves)[one.result] == "mismatch"


def test_kinks_and_edges_are_named() -> None:
    evaluation = evaluate(chain(("abs", 0), ("*", 1, 3.0)), [0.0])
    check, _ = check_tangents(evaluation, {0: 1.0}, push(evaluation, {0: 1.0}), [1, 3])
    assert check(1).verdict == "kink"
    assert check(3).slopes == pytest.approx((-3.0, 3.0))
    assert check(3).note == "abs: x = 0: slope 0"
    assert verdicts(evaluate(chain(("sqrt", 0)), [0.0]), {0: 1.0})[1] in ("edge", "kink")


def test_what_is_too_wild_is_unsure_and_no_mismatch() -> None:
    """End to end a sine of a huge number says nothing, but its rule agrees with itself."""
    evaluation = evaluate(chain(("*", 0, 1e12), ("sin", 2)), [0.7])
    assert verdicts(evaluation, {0: 1.0})[-1] in ("ok", "unsure")


def test_values_that_are_not_finite_are_not_checked() -> None:
    assert verdicts(evaluate(chain(("log", 0)), [-1.0]), {0: 1.0})[1] == "off"


def test_scales_of_inputs_far_apart() -> None:
    evaluation = evaluate(chain(("log", 0), ("*", 1, 1), ("+", 2, 3), inputs=2), [1e-9, 1e6])
    assert set(verdicts(evaluation, {0: 1.0})) == {"ok"}
    assert set(verdicts(evaluation, {1: 1.0})) == {"ok"}
    assert set(verdicts(evaluation, {0: 1e-9, 1: 1e6})) == {"ok"}


def test_a_large_array_is_drawn_from() -> None:
    evaluation = evaluate(chain(("exp", 0)), [numpy.linspace(0.0, 1.0, 5000)])
    moves = {0: numpy.ones(5000)}
    check, _ = check_tangents(evaluation, moves, push(evaluation, moves), [1])
    found = check(1)
    assert found.verdict == "ok"
    assert int(numpy.isfinite(found.numerical).sum()) == 2000
    assert not math.isnan(float(numpy.nanmax(found.bar)))
