"""How a gate hands a gradient on: its record's rule, applied to any kind of term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcalc.gates.algebra import Only
from gradcalc.graph import Operator


def contributions(operator: Operator, above: Any, result: Any, inputs: Sequence[Any]) -> list[Any]:
    """What a node adds to the gradient of each of its inputs, None where it adds nothing.

    `above`, `result` and `inputs` are terms of one kind; the sizes among the inputs of a shaping gate may be anything, their
    values are given as integers by `sizes_of` of the result's kind of term.
    """
    gate = operator.gate
    assert gate is not None
    if gate.constant:
        return [None] * len(inputs)
    attributes = dict(operator.attributes)
    if gate.partials is not None:
        slopes = gate.partials(result, *inputs, **attributes)
        return [_scaled(above, slope, term.shape) for slope, term in zip(slopes, inputs)]
    assert gate.pullback is not None, f"{gate.name} must be opened before it is differentiated"
    if gate.data is None:
        return list(gate.pullback(above, result, *inputs, **attributes))
    data, sizes = gate.divided(inputs)
    found = gate.pullback(above, result, *data, **attributes, sizes=result.shape)
    absent = [None] * len(sizes)
    return [*absent, *found] if gate.data < 0 else [*found, *absent]


def _scaled(above: Any, slope: Any, shape: tuple[int, ...]) -> Any:
    """The gradient from above times a local derivative, in the shape of the input; a structural zero is no contribution."""
    if slope is None:
        return None
    if isinstance(slope, Only):
        return above.only(slope.condition, slope.slope).sum_to(shape)
    if isinstance(slope, float):
        if slope == 0.0:
            return None
        if slope == 1.0:
            return above.sum_to(shape)
    return (above * slope).sum_to(shape)
