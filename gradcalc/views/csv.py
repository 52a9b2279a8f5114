"""Results as CSV: one row per node, with the output that it belongs to; in forward mode one for each node and direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import exact_text

if TYPE_CHECKING:
    from gradcalc.workspace import NodeReport, Result

COLUMNS = ("output", "id", "name", "gate", "inputs", "shape", "value")
GRADIENT = ("gradient",)
FORWARD = ("direction", "tangent")
CHECK = ("numerical", "error_bar", "left", "right", "verdict")
UNCERTAINTY = ("uncertainty", "share")
SENSITIVITY = ("elasticity",)


def header_of(result: Result) -> str:
    """The line above the rows of this and of all further results."""
    names = [*COLUMNS, *(FORWARD if result.directions else GRADIENT), *CHECK]
    names += UNCERTAINTY if result.propagation is not None else ()
    names += SENSITIVITY if result.sensitivity is not None else ()
    return ",".join(names) + "\n"


def result_rows(result: Result) -> str:
    """The rows of one result; lists of numbers within a field are parted by spaces."""
    output = _quoted(result.output)
    return "".join(",".join((output, *fields)) + "\n" for node in result.nodes for fields in _rows(node, result))


def _rows(node: NodeReport, result: Result) -> Iterator[tuple[str, ...]]:
    named = (
        str(node.id),
        _quoted(node.name),
        _quoted(node.gate),
        " ".join(map(str, node.inputs)),
        " ".join(map(str, node.shape)),
        _value(node.value),
    )
    more: list[str] = []
    if result.propagation is not None:
        more += [_value(node.uncertainty), _measured(node.share)]
    if result.sensitivity is not None:
        more.append(_measured(node.elasticity))
    if not result.directions:
        yield (*named, _value(node.gradient), *_check(node), *more)
    for direction, tangent in zip(result.directions, node.tangents):
        words = " ".join(f"{name}={exact_text(amount)}" for name, amount in direction.amounts.items())
        yield (*named, _quoted(words), _value(tangent.value), *_check(tangent), *more)


def _check(checked: Any) -> tuple[str, ...]:
    """What the check said of a gradient, or of a derivative along a direction."""
    return (
        _measured(checked.numerical),
        _measured(checked.error_bar),
        *map(_measured, checked.slopes or (None, None)),
        checked.verdict,
    )


def _value(value: Any) -> str:
    return "" if value is None else _quoted(exact_text(value))


def _measured(value: Any) -> str:
    """A field of what may not have been measured: then it is empty."""
    missing = value != value
    return "" if missing is True or (missing is not False and missing.all()) else _value(value)


def _quoted(text: str) -> str:
    """A field, in quotes where its characters ask for it."""
    if any(character in text for character in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
