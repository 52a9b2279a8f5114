"""Results as CSV: one row per node, with the output that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import exact_text

if TYPE_CHECKING:
    from gradcalc.workspace import Result

COLUMNS = (
    "output", "id", "name", "gate", "inputs", "shape", "value", "gradient", "numerical", "error_bar", "left", "right", "verdict",
)  # fmt: skip

HEADER = ",".join(COLUMNS) + "\n"


def result_rows(result: Result) -> str:
    """The rows of one result; lists of numbers within a field are parted by spaces."""
    output = _quoted(result.output)
    return "".join(
        ",".join(
            (
                output,
                str(node.id),
                _quoted(node.name),
                _quoted(node.gate),
                " ".join(map(str, node.inputs)),
                " ".join(map(str, node.shape)),
                _value(node.value),
                _value(node.gradient),
                _measured(node.numerical),
                _measured(node.error_bar),
                *map(_measured, node.slopes or (None, None)),
                node.verdict,
            )
        )
        + "\n"
        for node in result.nodes
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
