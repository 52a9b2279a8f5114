"""Circuits in Mermaid, which web sites and note books draw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradcalc.dialects.circuit import CONSTANT, INPUT, Circuit, Part

MOST_CHARACTERS = 50_000
MOST_ARROWS = 500
"""What Mermaid draws if nobody has raised its maxTextSize and maxEdges."""


def too_much(text: str) -> str | None:
    """What to say of a flow chart that Mermaid refuses as it is set up; None if it takes it."""
    arrows = text.count("-->")  # in labels, > is written by its number
    if len(text) <= MOST_CHARACTERS and arrows <= MOST_ARROWS:
        return None
    return (
        f"Mermaid draws up to {MOST_CHARACTERS:,} characters and {MOST_ARROWS} arrows, and this has {len(text):,} and {arrows:,}: "
        "raise its maxTextSize and maxEdges, or write -o circuit.dot for Graphviz"
    )


def mermaid_text(circuits: Sequence[Circuit]) -> str:
    """One flow chart for all circuits; at every wire stands the value, and below it the gradient, led by ∂."""
    lines = ["flowchart LR"]
    for number, circuit in enumerate(circuits, 1):
        prefix = "n" if len(circuits) == 1 else f"n{number}x"
        if len(circuits) > 1:
            lines += [f"  subgraph output{number} [{_quoted(circuit.title)}]", "  direction LR"]
        lines += _circuit(circuit, prefix)
        if len(circuits) > 1:
            lines.append("  end")
    return "\n".join(lines) + "\n"


def _circuit(circuit: Circuit, prefix: str) -> Iterator[str]:
    parts = circuit.parts
    for part in parts:
        yield f"  {prefix}{part.node}{_look(part)}"
    for part in parts:
        for place, source in enumerate(part.sources, 1):
            order = f"{place}: " if part.ordered else ""
            yield f"  {prefix}{parts[source].node} {_wire(parts[source], order)} {prefix}{part.node}"
    last = parts[-1]
    yield f"  {prefix}output[{_quoted(last.name or ' ')}]"
    yield f"  style {prefix}output fill:none,stroke:none"
    yield f"  {prefix}{last.node} {_wire(last)} {prefix}output"
    leaves = [f"{prefix}{part.node}" for part in parts if part.kind in (INPUT, CONSTANT)]
    if leaves:
        yield f"  classDef leaf{prefix} fill:none,stroke:none"
        yield f"  class {','.join(leaves)} leaf{prefix}"


def _look(part: Part) -> str:
    """The shape of a part, with what stands in it."""
    if part.kind in (INPUT, CONSTANT):
        return f"[{_quoted(part.symbol)}]"
    label = _quoted(part.symbol if not part.name else f"{part.symbol}\n{part.name}")
    return f"(({label}))" if len(part.symbol) <= 4 else f"([{label}])"


def _wire(part: Part, order: str = "") -> str:
    """An arrow with the numbers of the part that it comes from."""
    numbers = [text for text in (part.value, f"∂ {part.gradient}" if part.gradient else "") if text]
    label = order + "\n".join(numbers)
    return f"-->|{_quoted(label)}|" if label else "-->"


def _quoted(text: str) -> str:
    """A label. What the language takes for a sign of its own is written by its number; a list is none of ours."""
    signs = {"\n": "<br/>", '"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}
    text = "".join(signs.get(character, character) for character in text)
    if re.match(r"([-*+]|\d+[.)])( |$)", text):
        text = "\N{ZERO WIDTH SPACE}" + text  # what would begin a list
    return f'"{text}"'
