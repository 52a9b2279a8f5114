"""The same for gates that are not element-wise: each pullback is spoiled, and the check of arrays has to see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from gradcalc.checking.check import check
from gradcalc.checking.rules import weighted_trial
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.record import Trial
from tests.catalogue import SPOILED_BY, changed, name_of

RECORDS = [record for record in REGISTRY.records() if record.pullback is not None and record.trials]
TRIALS = 2


def with_pullback_spoiled(record: Gate, position: int) -> Gate:
    """The same gate, whose gradient by one input is off by one part in a million."""
    rule = record.pullback
    assert rule is not None

    def pullback(*terms: Any, **attributes: Any) -> tuple[Any, ...]:
        parts = list(rule(*terms, **attributes))
        if parts[position] is not None:
            parts[position] = parts[position] * (1.0 + SPOILED_BY)
        return tuple(parts)

    return changed(record, pullback=pullback)


def verdict(record: Gate, trial: Trial, position: int) -> tuple[str, bool]:
    """What the check says of one input, and whether a gradient arrives there at all."""
    graph, nodes, values = weighted_trial(record, trial)
    evaluation = evaluate(graph, values)
    backpropagate(evaluation)
    found = check(evaluation, [nodes[position]])[0](nodes[position]).verdict
    return found, bool(numpy.any(evaluation.gradients[nodes[position]]))


def flowing(record: Gate, trial: Trial) -> Sequence[int]:
    """The inputs of a trial that a derivative flows into."""
    return () if record.discrete is True or record.constant else range(len(trial.shapes))


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_spoiled_pullback_is_a_mismatch(record: Gate) -> None:
    for trial in record.trials[:TRIALS]:
        for position in flowing(record, trial):
            good, arrives = verdict(record, trial, position)
            assert good == "ok", (trial, position)
            if arrives:
                assert verdict(with_pullback_spoiled(record, position), trial, position)[0] == "mismatch", (trial, position)
