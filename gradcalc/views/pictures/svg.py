"""Circuits as SVG, fit to be printed: text as text, fonts that every system has, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from gradcalc.dialects.circuit import CONSTANT, FOLDED, INPUT
from gradcalc.views.pictures import style
from gradcalc.views.pictures.drawing import MARGIN, PADDING, Drawing, Node, Point, Wire, text_width, typeset

TITLE_ROOM = 26.0
"""The height of the line above each picture, where there are several."""
MARKED_LEVEL = 12.0
"""A wire that rises or falls less is level where its number stands."""
LEVEL = 0.05
"""What differs less in height is level."""

SHEET = f"""
.gradcalc .wire {{ fill: none; stroke: {style.WIRE}; stroke-width: {style.STROKE} }}
.gradcalc .under {{ fill: none; stroke: {style.PAPER}; stroke-width: {style.STROKE + 4} }}
.gradcalc .gate {{ fill: {style.PAPER}; stroke: {style.INK}; stroke-width: {style.STROKE} }}
.gradcalc .folded {{ fill: {style.FOLD}; stroke: {style.INK}; stroke-width: {style.STROKE}; stroke-dasharray: 4 2 }}
.gradcalc .dot {{ fill: {style.WIRE} }}
.gradcalc text {{ font-family: {style.NUMBERS}; font-size: {style.NUMBER_SIZE:g}px }}
.gradcalc .symbol {{ font-size: {style.SYMBOL_SIZE:g}px; fill: {style.INK}; text-anchor: middle }}
.gradcalc .name {{ font-family: {style.NAMES}; font-style: italic; font-size: {style.NAME_SIZE:g}px; fill: {style.INK} }}
.gradcalc .label {{ font-family: {style.NAMES}; font-style: italic; font-size: {style.LABEL_SIZE:g}px; fill: {style.QUIET} }}
.gradcalc .value {{ fill: {style.FORWARD} }}
.gradcalc .gradient {{ fill: {style.BACKWARD} }}
.gradcalc .mark {{ font-size: 10px; fill: {style.QUIET} }}
"""
"""How every class of elements looks."""


def svg_text(drawings: Sequence[Drawing]) -> str:
    """One SVG with a picture, or several below each other, each under its formula."""
    titled = len(drawings) > 1
    top = 0.0
    bodies = []
    for drawing in drawings:
        pieces = list(_elements(drawing))
        if titled:
            pieces.insert(0, f'<text class="name" x="{MARGIN:g}" y="-4">{escape(drawing.circuit.title)}</text>')
            top += TITLE_ROOM
        bodies.append(f'<g transform="translate(0 {_number(top)})">\n' + "\n".join(pieces) + "\n</g>\n")
        top += drawing.height
    width = max(drawing.width for drawing in drawings)
    if titled:
        longest = max(text_width(drawing.circuit.title, style.NAME_SIZE) for drawing in drawings)
        width = max(width, min(longest, 1200.0) + 2 * MARGIN)
    room = f"{_number(width)} {_number(top)}"
    size = f'width="{_number(width)}" height="{_number(top)}" viewBox="0 0 {room}"'
    title = escape("; ".join(drawing.circuit.title for drawing in drawings))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gradcalc" {size} role="img">\n'
        f"<title>{title}</title>\n<style>{SHEET}</style>\n"
        f'<rect width="100%" height="100%" fill="{style.PAPER}"/>\n{"".join(bodies)}</svg>\n'
    )


def _elements(drawing: Drawing) -> Iterator[str]:
    """The elements of one picture, from the bottom to the top: wires, then what stands at them."""
    wires: list[list[Wire]] = [[] for _ in drawing.nodes]
    for wire in drawing.wires:
        wires[wire.source].append(wire)
    for source in range(len(drawing.nodes)):
        if wires[source]:
            path = path_of(wires[source])
            yield f'<path class="under" d="{path}"/>'
            yield f'<path class="wire" d="{path}"/>'
    parted = _partings(drawing.wires)
    yield from (f'<circle class="dot" cx="{_number(x)}" cy="{_number(y)}" r="2.2"/>' for x, y in parted)
    for wire in drawing.wires:
        if wire.mark:
            x, y = wire.points[-1]
            # On the side of the wire from which it does not come; of one that comes level, on the outer side.
            target = drawing.nodes[wire.target]
            below = wire.rise > MARKED_LEVEL or (wire.rise >= -MARKED_LEVEL and y > target.y)
            yield f'<text class="mark" x="{_number(x - 9.5)}" y="{_number(y + 10 if below else y - 3)}">{wire.mark}</text>'
    last = len(drawing.nodes) - 1
    for number, node in enumerate(drawing.nodes):
        yield "\n".join(_node(node, number == last))


def path_of(wires: Sequence[Wire]) -> str:
    """The wires from one node as the `d` of a path: curves between columns, straight lines across them, each drawn once."""
    drawn: set[tuple[Point, Point]] = set()
    pieces = []
    for wire in wires:
        pen: Point | None = None
        for number, (start, end) in enumerate(pairwise(wire.points)):
            if (start, end) in drawn:
                continue
            drawn.add((start, end))
            if pen != start:
                pieces.append(f"M{_number(start[0])} {_number(start[1])}")
            pieces.append(_curve(start, end) if number % 2 == 0 else f"H{_number(end[0])}")
            pen = end
    return "".join(pieces)


def _curve(start: Point, end: Point) -> str:
    """From one column to the next, level at both ends."""
    if abs(end[1] - start[1]) < LEVEL:
        return f"H{_number(end[0])}"
    middle = _number((start[0] + end[0]) / 2)
    return f"C{middle} {_number(start[1])} {middle} {_number(end[1])} {_number(end[0])} {_number(end[1])}"


def _partings(wires: Sequence[Wire]) -> list[tuple[float, float]]:
    """The points at which one wire becomes several."""
    following: dict[tuple[float, float], set[tuple[float, float]]] = {}
    for wire in wires:
        for number in range(0, len(wire.points) - 1, 2):
            following.setdefault(wire.points[number], set()).add(wire.points[number + 1])
    return [point for point, others in following.items() if len(others) > 1]


def _node(node: Node, output: bool) -> Iterator[str]:
    part = node.part
    words = escape(part.words or part.symbol)
    yield f'<g class="node" data-node="{part.node}"><title>{words}</title>'
    leaf = part.kind in (INPUT, CONSTANT)
    x, y = _number(node.x), _number(node.y)
    yield f'<path class="wire" d="M{_number(node.right)} {y}H{_number(node.end)}"/>'
    if output:
        yield f'<path class="dot" d="M{_number(node.end + 7)} {y}l-8 -3.5v7z"/>'
    if leaf:
        kind = "name" if part.kind == INPUT else "symbol"
        place = f'x="{_number(node.x - 5)}" y="{_number(node.y + 5)}"'
        yield f'<text class="{kind}" {place} style="text-anchor:end">{escape(part.symbol)}</text>'
    else:
        kind = "folded" if part.kind == FOLDED else "gate"
        if node.round:
            yield f'<circle class="{kind}" cx="{x}" cy="{y}" r="{style.RADIUS:g}"/>'
        else:
            left, top = _number(node.x - node.width / 2), _number(node.y - node.height / 2)
            size = f'width="{_number(node.width)}" height="{_number(node.height)}" rx="12"'
            yield f'<rect class="{kind}" x="{left}" y="{top}" {size}/>'
        yield f'<text class="symbol" x="{x}" y="{_number(node.y + 5)}">{escape(typeset(part.symbol))}</text>'
    if part.name and output:
        yield f'<text class="name" x="{_number(node.end + 11)}" y="{_number(node.y + 5)}">{escape(part.name)}</text>'
    elif part.name:
        below = _number(node.y + node.height / 2 + style.LABEL_SIZE - 1)
        yield f'<text class="label" x="{x}" y="{below}" text-anchor="middle">{escape(part.name)}</text>'
    at = _number(node.right + PADDING - (2 if leaf else 0))
    if part.value:
        yield f'<text class="value" x="{at}" y="{_number(node.y - 5)}">{escape(part.value.replace("-", "−"))}</text>'
    if part.gradient:
        below = _number(node.y + style.NUMBER_SIZE + 3)
        yield f'<text class="gradient" x="{at}" y="{below}">{escape(part.gradient.replace("-", "−"))}</text>'
    yield "</g>"


def _number(value: float) -> str:
    """A coordinate with a tenth of a unit."""
    return f"{round(value, 1):g}" if abs(value) < 1e5 else f"{value:.1f}"
