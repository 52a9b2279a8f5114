"""Results as JSON: one object per output, each on a line of its own."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import number_text

if TYPE_CHECKING:
    from gradcalc.workspace import NodeReport, Result

SCHEMA = 1
"""Grows when a field changes its meaning; new fields do not count."""

_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, check_circular=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False, ensure_ascii=True, check_circular=False).encode


def json_line(document: Any, unicode: bool = True) -> str:
    """Any document as one line of JSON. Numbers that JSON does not know become the strings "inf", "-inf" and "nan"."""
    encode = _encode if unicode else _encode_ascii
    try:
        return encode(document) + "\n"
    except ValueError:
        return encode(_finite(document)) + "\n"


def result_document(result: Result) -> dict[str, Any]:
    """A result as SPEC describes it, of plain lists, dictionaries, numbers and strings."""
    return {
        "schema": SCHEMA,
        "output": result.output,
        "value": plain(result.value),
        "gradients": {name: plain(gradient) for name, gradient in result.gradients.items()},
        "nodes": [_node(node) for node in result.nodes],
        "verdict": result.verdict,
        "warnings": result.warnings,
        **({"reason": result.reason} if result.reason else {}),
        **({"remarks": result.remarks} if result.remarks else {}),
    }


def _node(node: NodeReport) -> dict[str, Any]:
    document = {
        "id": node.id,
        "name": node.name,
        "gate": node.gate,
        "inputs": node.inputs,
        "shape": node.shape,
        "value": plain(node.value),
        "gradient": plain(node.gradient),
        "numerical": measured(node.numerical),
        "error_bar": measured(node.error_bar),
        "verdict": node.verdict,
    }
    if node.verdicts is not None:
        document["verdicts"] = plain(node.verdicts)
    if node.slopes is not None:
        document["slopes"] = [measured(slope) for slope in node.slopes]
    if node.note:
        document["note"] = node.note
    return document


def plain(value: Any) -> Any:
    """A value as JSON knows it: a number, nested lists, or None."""
    return value if value is None or isinstance(value, float) else value.tolist() if hasattr(value, "tolist") else value


def measured(value: Any) -> Any:
    """A value as JSON knows it, with None in the place of nan: of what was not measured."""
    if value is None or isinstance(value, (float, int)):
        return None if value is None or value != value else value
    missing = value != value
    if not missing.any():
        return value.tolist()
    value = value.astype(object)
    value[missing] = None
    return value.tolist()


def _finite(document: Any) -> Any:
    """The document with non-finite numbers spelled as strings. Documents are no deeper than an array has dimensions."""
    if isinstance(document, float):
        return document if isfinite(document) else number_text(document)
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_finite(item) for item in document]
    return document
