"""Far out, where functions are tiny or their gates round inside, a right gradient is no mismatch, and a wrong one still is."""

from __future__ import annotations

import pytest

from gradcalc.checking.scalars import check_nodes
from gradcalc.engine import scalar
from gradcalc.gates import Gate
from tests.catalogue import COMPOSED, gate, name_of, one_gate, spoiled
from tests.checking.test_spoiled import verdict_alone


@pytest.mark.parametrize("record", [record for record in COMPOSED if record.arity == (1, 1)], ids=name_of)
@pytest.mark.parametrize("x", [-37.0, -15.71, -8.3, 8.3, 15.71, 37.0])
def test_a_composed_gate_may_round_inside(record: Gate, x: float) -> None:
    graph = one_gate(record, 1)
    values = scalar.forward(graph, [x])
    gradients = scalar.backward(graph, values, 1)
    assert check_nodes(graph, values, gradients, [0])[0].verdict in ("ok", "unsure")


def test_the_tail_of_gelu_is_checked_and_a_spoiled_rule_found() -> None:
    assert verdict_alone(gate("gelu"), 1, 0, [-15.71]) == "ok"
    assert verdict_alone(spoiled(gate("gelu"), 0), 1, 0, [-15.71]) == "mismatch"


@pytest.mark.parametrize("exponent", [2.0, 3.0, -1.0])
def test_a_spoiled_power_is_found_at_negative_bases(exponent: float) -> None:
    power = gate("pow", 2)
    assert verdict_alone(power, 2, 0, [-1.7, exponent]) == "ok"
    assert verdict_alone(spoiled(power, 0), 2, 0, [-1.7, exponent]) == "mismatch"
    assert verdict_alone(power, 2, 1, [-1.7, exponent]) == "edge"
