"""The catalogue of gates, as a list by family and as a page for each gate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from gradcalc.gates.record import REQUIRED, Attribute, Gate
from gradcalc.views.surface import PIPE_WIDTH, Surface
from gradcalc.views.table import Cell, Span, cell, painted, wrapped
from gradcalc.views.text import to_ascii, width

LEAST_WIDTH = 30
"""Text is not wrapped more narrowly than this."""


def derivative_text(gate: Gate) -> str:
    """The local derivatives of an element-wise gate as formulas, in which `y` is its result; nothing for other gates."""
    from gradcalc.calculus.local import local_derivatives
    from gradcalc.dialects.language import spell

    local = local_derivatives(gate)
    if local is None:
        return ""
    texts = [
        f"by {name}: {spell(local.graph, node, local.names.get)}"
        for name, node in zip(gate.parameters, local.derivatives)
        if node is not None
    ]
    where_y = (
        ", where y is the result" if any("y" in re.findall(r"\w+", text) for text in texts) and "y" not in gate.parameters else ""
    )
    return "; ".join(texts) + where_y if texts else "none"


def usage_text(gate: Gate) -> str:
    """How the gate is written in a formula: `a + b`, `-x`, `x.T`, `leaky_relu(x, slope=0.01)`."""
    syntax, names = gate.syntax, gate.parameters
    if syntax is None:
        return gate.signature()
    if syntax.position == "infix":
        blank = " " if syntax.level <= 2 else ""
        return f"{names[0]}{blank}{syntax.symbol}{blank}{names[1]}"
    if syntax.position == "prefix":
        return f"{syntax.symbol}{names[0]}"
    return f"{names[0]}[…]" if syntax.symbol == "[]" else f"{names[0]}{syntax.symbol}"


def catalogue_text(gates: Iterable[Gate], aliases: Mapping[str, str], surface: Surface) -> str:
    """One line for each gate, under the names of the families."""
    families: dict[str, list[Gate]] = {}
    for gate in gates:
        families.setdefault(gate.family, []).append(gate)
    room = min(36, max((width(usage_text(gate)) for group in families.values() for gate in group), default=0))
    lines: list[Cell] = []
    for family, group in families.items():
        lines += [cell(family, "strong"), *_family_lines(group, _spellings(aliases), room, surface), cell("")]
    return _text(lines[:-1], surface)


def _family_lines(gates: Sequence[Gate], spellings: Mapping[str, Sequence[str]], room: int, surface: Surface) -> Iterator[Cell]:
    named: set[str] = set()
    indent = room + 4 if room + 4 + LEAST_WIDTH <= surface.width else 4
    for gate in gates:
        usage = usage_text(gate)
        others = spellings.get(gate.name, ()) if gate.name not in named else ()
        named.add(gate.name)
        words = gate.title + (f" (also {', '.join(others)})" if others else "")
        lines = _wrapped(words, surface, indent)
        lead = "  " + usage + " " * (room - width(usage) + 2)
        if width(usage) > room or indent == 4:
            yield (Span("  "), Span(usage, "name"))
            lead = " " * indent
            usage = ""
        yield (Span(lead[:2]), Span(lead[2:], "name" if usage else ""), Span(lines[0]))
        yield from (cell(" " * indent + line) for line in lines[1:])


def gate_text(gate: Gate, aliases: Mapping[str, str], surface: Surface) -> str:
    """All that is known about one gate, except its example."""
    heading = (Span(usage_text(gate), "name"), Span(f"  {gate.title}"), Span(f"  ({gate.family})", "quiet"))
    lines: list[Cell] = list(wrapped(heading, surface.width))
    lines += [cell(line) for line in _wrapped(gate.sentence, surface, 0)]
    lines.append(cell(""))
    for title, words in _facts(gate, aliases):
        first, *rest = _wrapped(words, surface, 14)
        lines.append((Span(f"  {title:<12}", "quiet"), Span(first)))
        lines += [cell(" " * 14 + line) for line in rest]
    return _text(lines, surface)


def _facts(gate: Gate, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if gate.formula is not None:
        yield "formula", gate.formula
    derivative = derivative_text(gate)
    if derivative:
        yield "derivative", derivative
    yield "domain", gate.domain.text if gate.domain is not None else "everywhere"
    if gate.edges is not None:
        yield "edges", gate.edges.text
    yield "kinks", gate.kinks.text if gate.kinks is not None else "none"
    others = _spellings(aliases).get(gate.name)
    if others:
        yield "also", ", ".join(others)


def gate_document(gate: Gate, aliases: Mapping[str, str]) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    return {
        "schema": 1,
        "name": gate.name,
        "family": gate.family,
        "usage": usage_text(gate),
        "title": gate.title,
        "sentence": gate.sentence,
        "inputs": {"least": gate.arity[0], "most": gate.arity[1], "names": gate.parameters},
        "attributes": [_attribute_document(attribute) for attribute in gate.attributes],
        "formula": gate.formula,
        "derivative": derivative_text(gate) or None,
        "domain": gate.domain.text if gate.domain is not None else None,
        "edges": gate.edges.text if gate.edges is not None else None,
        "kinks": gate.kinks.text if gate.kinks is not None else None,
        "aliases": _spellings(aliases).get(gate.name, []),
        "example": gate.example,
    }


def _attribute_document(attribute: Attribute) -> dict[str, Any]:
    """A keyword argument; one without a default must be given."""
    document = attribute._asdict()
    if attribute.default is REQUIRED:
        del document["default"]
    return document


def _spellings(aliases: Mapping[str, str]) -> dict[str, list[str]]:
    """The other spellings of each gate."""
    table: dict[str, list[str]] = {}
    for alias, name in aliases.items():
        table.setdefault(name, []).append(alias)
    return table


def _wrapped(text: str, surface: Surface, indent: int) -> list[str]:
    if surface.width >= PIPE_WIDTH:
        return [text]
    return wrap(text, max(LEAST_WIDTH, surface.width - indent), break_long_words=False) or [""]


def _text(lines: Sequence[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in spans) for spans in lines]
    return painted(lines, surface)
