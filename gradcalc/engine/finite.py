"""Where values are finite, where they stop being so, and which parts of them reach the output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcalc.graph import CONSTANT, INPUT, Graph


class Fault(NamedTuple):
    """Where something that is not finite comes from.

    Attributes:
        node: the first node that has it.
        words: what is wrong there, without the node's name; empty where it was given so.
    """

    node: int
    words: str


def first_fault(graph: Graph, values: Sequence[Any]) -> Fault | None:
    """The first node at which something that is not finite arose, if it reached anything computed.

    What was not chosen by `where` is no matter, and neither is an inf in the text that only serves as a bound.
    """
    used = used_parts(graph, values) if all_finite(values[-1]) else None
    for node, value in enumerate(values):
        if graph.codes[node] <= CONSTANT or all_finite(value) or not (used is None or spoils(value, used[node])):
            continue
        inputs = graph.inputs(node)
        given = next((source for source in inputs if graph.codes[source] == INPUT and not all_finite(values[source])), None)
        if given is not None and not born(value, [values[source] for source in inputs]):
            return Fault(given, "")
        words = [spell_value(values[source]) for source in inputs]
        because = f": its input is {words[0]}" if len(words) == 1 else f": its inputs are {' and '.join(words)}" if words else ""
        return Fault(node, f"is {spell_value(value)}{because}")
    last = len(graph) - 1
    return Fault(last, "") if graph.codes[last] == INPUT and not all_finite(values[last]) else None


def born(value: Any, inputs: Sequence[Any]) -> bool:
    """Whether a value is nan though no input is, so that it arose here."""
    return has_nan(value) and not any(map(has_nan, inputs))


def has_nan(value: Any) -> bool:
    """Whether a number is nan, or any element of an array."""
    return bool(value != value) if isinstance(value, float) else bool((value != value).any())


def used_parts(graph: Graph, values: Sequence[Any]) -> list[Any]:
    """For each node whether its value has a part in the output's, or which of its elements have: not what `where` left out."""
    used: list[Any] = [False] * len(values)
    used[-1] = True
    for node in range(len(values) - 1, -1, -1):
        mask, gate = used[node], graph.operator(node).gate
        if gate is None or mask is False:
            continue
        inputs = graph.inputs(node)
        masks = [mask] * len(inputs)
        if gate.name == "where":
            chosen = values[inputs[0]] != 0
            masks = [mask, mask & chosen, mask & (not chosen if isinstance(chosen, bool) else ~chosen)]
        elif not gate.elementwise and not isinstance(mask, bool):
            masks = [bool(mask.any())] * len(inputs)
        for source, own in zip(inputs, masks):
            used[source] = used[source] | _folded(own, values[source])
    return used


def _folded(mask: Any, value: Any) -> Any:
    """A mask for a value that was repeated to the mask's shape: an element is used where one of its repetitions is."""
    if isinstance(mask, bool):
        return mask
    if isinstance(value, float):
        return bool(mask.any())
    extra = mask.ndim - value.ndim
    if extra < 0:
        return mask
    axes = (*range(extra), *(axis + extra for axis, size in enumerate(value.shape) if size == 1))
    return mask.any(axis=axes).reshape(value.shape) if axes else mask


def spoils(value: Any, used: Any) -> bool:
    """Whether a value has an element that is used and not finite."""
    if isinstance(used, bool):
        return used and not all_finite(value)
    import numpy

    return bool((used & ~numpy.isfinite(value)).any())


def all_finite(value: Any) -> bool:
    """Whether a number, or every element of an array, is finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    import numpy

    return bool(numpy.isfinite(value).all())


def spell_value(value: Any) -> str:
    """A value in a message; of a large array the first element that is not finite."""
    from gradcalc.dialects.language import spell_array, spell_number

    if isinstance(value, float):
        return spell_number(value)
    import numpy

    bad = numpy.ravel(value)[~numpy.isfinite(numpy.ravel(value))]
    if len(bad) and value.size > 8:
        return f"{spell_number(float(bad[0]))} in {len(bad)} of {value.size} elements"
    return spell_array(value, 60)
