"""Circuits in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gradcalc.dialects.circuit import CONSTANT, FOLDED, INPUT, Circuit, Part

FORWARD = "#0b7a37"
BACKWARD = "#c21f2f"


def dot_text(circuits: Sequence[Circuit]) -> str:
    """One graph for all circuits; values stand above gradients at every wire."""
    lines = [
        "digraph gradcalc {",
        "  rankdir=LR;",
        '  graph [fontname="Helvetica"];',
        '  node [shape=circle, fontname="Helvetica", fontsize=13, width=0.45, margin=0.04];',
        '  edge [fontname="Helvetica", fontsize=10, arrowsize=0.6];',
    ]
    for number, circuit in enumerate(circuits, 1):
        prefix = "n" if len(circuits) == 1 else f"n{number}_"
        if len(circuits) > 1:
            lines += [f"  subgraph cluster{number} {{", f"  label={_quoted(circuit.title)}; color=gray;"]
        lines += _circuit(circuit, prefix)
        if len(circuits) > 1:
            lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _circuit(circuit: Circuit, prefix: str) -> Iterator[str]:
    parts = circuit.parts
    for part in parts:
        yield f"  {prefix}{part.node} [{', '.join(_look(part))}];"
    for part in parts:
        for place, source in enumerate(part.sources, 1):
            order = [f'headlabel="{place}"'] if part.ordered else []
            settings = "; ".join([*_label(parts[source]), *order])
            yield f"  {prefix}{parts[source].node} -> {prefix}{part.node} [{settings}];"
    last = parts[-1]
    yield f"  {prefix}output [shape=plaintext, label={_quoted(last.name)}];"
    yield f"  {prefix}{last.node} -> {prefix}output [{'; '.join(_label(last))}];"


def _look(part: Part) -> Iterator[str]:
    """The attributes of a part."""
    label = part.symbol if not part.name else f"{part.symbol}\n{part.name}"
    yield f"label={_quoted(label)}"
    yield f"tooltip={_quoted(part.words)}"
    if part.kind in (INPUT, CONSTANT):
        yield "shape=plaintext"
    elif part.kind == FOLDED:
        yield 'shape=box, style="rounded,dashed"'
    elif len(part.symbol) > 4:
        yield "shape=box, style=rounded"


def _label(part: Part) -> list[str]:
    """The numbers at a part's wire."""
    numbers = [
        f'<font color="{colour}">{escape(text)}</font>'
        for text, colour in ((part.value, FORWARD), (part.gradient, BACKWARD))
        if text
    ]
    return [f"label=<{'<br/>'.join(numbers)}>"] if numbers else []


def _quoted(text: str) -> str:
    """A string; its line ends become those of a label."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
