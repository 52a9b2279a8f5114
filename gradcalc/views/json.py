"""Results as JSON: one object per output, each on a line of its own."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcalc.aspects import Direction, PaintedLine, Tangent
    from gradcalc.checking.conventions import Kink
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


def bare_document(result: Result) -> Any:
    """The bare value of a result; one that is uncertain with its uncertainty."""
    if result.propagation is None:
        return plain(result.value)
    return {"value": plain(result.value), "uncertainty": plain(result.propagation.first.uncertainty)}


def result_document(result: Result) -> dict[str, Any]:
    """A result as SPEC describes it, of plain lists, dictionaries, numbers and strings."""
    return {
        "schema": SCHEMA,
        "output": result.output,
        "value": plain(result.value),
        **_uncertainty(result),
        **({"mode": "forward", "directions": list(map(_direction, result.directions))} if result.directions else {}),
        "gradients": {name: plain(gradient) for name, gradient in result.gradients.items()},
        "nodes": [_node(node) for node in result.nodes],
        "verdict": result.verdict,
        "warnings": result.warnings,
        **({"reason": result.reason} if result.reason else {}),
        **({"remarks": result.remarks} if result.remarks else {}),
        **({} if result.sensitivity is None else {"source": [_line(line) for line in result.sensitivity.lines]}),
        **({} if result.kinks is None else {"conventions": _conventions(result.kinks)}),
    }


def _conventions(kinks: Sequence[Kink]) -> list[dict[str, Any]]:
    from gradcalc.views.conventions import conventions_document

    return conventions_document(kinks)


def _uncertainty(result: Result) -> dict[str, Any]:
    """How uncertain the output is, where inputs are."""
    found = result.propagation
    if found is None:
        return {}
    document: dict[str, Any] = {
        "uncertainty": plain(found.first.uncertainty),
        "shares": {name: measured(share) for name, share in found.first.shares.items()},
    }
    if found.second is not None:
        document["second_order"] = found.second._asdict()
    if found.drawn is not None:
        document["monte_carlo"] = {name: plain(value) for name, value in found.drawn._asdict().items()}
    document["misleading"] = found.doubt is not None or found.contradicted
    return document


def _direction(direction: Direction) -> dict[str, Any]:
    return {name: plain(amount) for name, amount in direction.amounts.items()}


def _line(line: PaintedLine) -> dict[str, Any]:
    """A line of source with the influence of its pieces."""
    return {"line": line.number, "text": line.text, "pieces": [piece._asdict() for piece in line.pieces]}


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
    if node.uncertainty is not None:
        document["uncertainty"] = plain(node.uncertainty)
    if node.share is not None:
        document["share"] = measured(node.share)
    if node.elasticity is not None:
        document["elasticity"] = measured(node.elasticity)
    if node.tangents:
        document["tangents"] = [_tangent(tangent) for tangent in node.tangents]
    if node.verdicts is not None:
        document["verdicts"] = plain(node.verdicts)
    if node.slopes is not None:
        document["slopes"] = [measured(slope) for slope in node.slopes]
    if node.note:
        document["note"] = node.note
    return document


def _tangent(tangent: Tangent) -> dict[str, Any]:
    """A derivative along a direction, in the order of the directions."""
    document = {
        "value": plain(tangent.value),
        "numerical": measured(tangent.numerical),
        "error_bar": measured(tangent.error_bar),
        "verdict": tangent.verdict,
    }
    if tangent.slopes is not None:
        document["slopes"] = [measured(slope) for slope in tangent.slopes]
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
