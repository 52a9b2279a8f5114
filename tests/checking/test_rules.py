"""The check of the catalogue: every rule holds, and one that is spoiled is found."""

from __future__ import annotations

import pytest

from gradcalc.checking.rules import check_rule, check_rules
from gradcalc.gates import REGISTRY, Gate
from tests.catalogue import name_of, spoiled
from tests.checking.test_spoiled_arrays import with_pullback_spoiled


def test_every_rule_of_the_catalogue_agrees_with_numerics() -> None:
    found = list(check_rules(REGISTRY.records()))
    assert {check.gate.name for check in found if check.verdict not in ("ok", "off")} == set()
    idle = {check.gate for check in found if check.verdict == "off"}
    assert all(gate.partials is None and (gate.constant or gate.maker or gate.random) for gate in idle), idle
    assert all(check.derivatives for check in found if check.verdict == "ok")


SOME = [REGISTRY[name][0] for name in ("+", "*", "/", "pow", "sigmoid", "relu", "max", "erf", "atan2", "floor", "clip")]


@pytest.mark.parametrize("record", SOME, ids=name_of)
def test_a_spoiled_rule_is_found(record: Gate) -> None:
    for position in range(record.arity[0]):
        found = check_rule(spoiled(record, position))
        assert found.verdict == "mismatch"
        assert f"by input {position + 1} at " in found.failure


@pytest.mark.parametrize("name", ["sum", "@", "softmax", "norm", "mse", "concat"])
def test_a_spoiled_pullback_is_found(name: str) -> None:
    record = next(record for record in REGISTRY[name] if record.pullback is not None)
    assert check_rule(with_pullback_spoiled(record, 0)).verdict == "mismatch"
