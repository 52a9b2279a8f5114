"""The formulas of composed gates, read in gradcalc's own language when such a gate is first opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcalc.errors import GradcalcError
from gradcalc.gates.record import Body, Gate
from gradcalc.language.program import Assigned, Output, Program

_bodies: dict[tuple[str, tuple[int, int | None], Any], Body] = {}


def parse_formula(gate: Gate, attributes: Mapping[str, Any] | None = None) -> Body:
    """The body of a composed gate.

    A gate without attributes keeps its body. The attributes of others are written into theirs as constants, so each set of values
    makes a body of its own.

    Args:
        gate: a gate with a formula (or a user gate, which has its body already).
        attributes: values for the gate's attributes; its defaults stand for those that are missing.
    """
    if gate.body is not None:
        return gate.body
    values = {attribute.name: attribute.default for attribute in gate.attributes} | dict(attributes or {})
    key = (gate.name, gate.arity, tuple(sorted(values.items())))
    body = _bodies.get(key)
    if body is None:
        body = _bodies[key] = _parse(gate, values)
        if not values:
            gate.body = body
    return body


def _parse(gate: Gate, values: Mapping[str, Any]) -> Body:
    assert gate.formula is not None, f"{gate.name} has no formula"
    program = Program(literals=values, parameters=gate.parameters)
    output = None
    text = gate.formula if gate.variant is None else gate.variant(**values)
    for statement in program.statements(text):
        if isinstance(statement, GradcalcError):
            # A mistake of ours, not of the user's: a test opens every formula.
            raise RuntimeError(f"the formula of {gate.name} is wrong: {statement}")
        if isinstance(statement, Assigned | Output):
            output = statement.node
    assert output is not None, f"the formula of {gate.name} is empty"
    if len(program.inputs) != len(gate.parameters):
        extra = ", ".join(entry.name for entry in program.inputs[len(gate.parameters) :])
        raise RuntimeError(f"the formula of {gate.name} uses {extra}, which is no parameter")
    return Body(program.graph, tuple(entry.node for entry in program.inputs), output)
