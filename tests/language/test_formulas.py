"""The formulas of composed gates are programs of the language."""

from __future__ import annotations

import pytest

from gradcalc.gates import REGISTRY, Gate
from gradcalc.graph import CONSTANT
from gradcalc.language.formulas import parse_formula

COMPOSED = [record for record in REGISTRY.records() if record.formula is not None]


@pytest.mark.parametrize("gate", COMPOSED, ids=lambda gate: gate.name)
def test_every_formula_can_be_read(gate: Gate) -> None:
    body = parse_formula(gate)
    assert len(body.parameters) == len(gate.parameters)
    assert parse_formula(gate) is body


def test_attributes_stand_in_the_body_as_constants() -> None:
    (gate,) = REGISTRY["leaky_relu"]
    body = parse_formula(gate, {"slope": 0.25})
    graph = body.graph
    assert 0.25 in [graph.constant(node) for node in range(len(graph)) if graph.codes[node] == CONSTANT]
    assert parse_formula(gate) is not body
