"""A circuit with places: what SVG, and every picture that is not made of characters, is drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from gradcalc.dialects.circuit import CONSTANT, FOLDED, GATE, INPUT, Circuit, Part
from gradcalc.errors import LimitProblem
from gradcalc.views.pictures import style
from gradcalc.views.pictures.layout import Arrangement, arrange, check_size
from gradcalc.views.text import width as columns_of

MOST_PARTS = 5_000
"""Finding places for more takes more than seconds, and nobody could find anything in the picture."""
MARGIN = 14.0
PADDING = 7.0
"""Between a gate and the numbers at its wire, and behind them."""
LEAST_GAP = 30.0
MOST_GAP = 110.0
"""Between two columns, the more the more steeply wires run there."""
NAME_GAP = 3.0
"""Between the name below a gate and the wires at its sides."""
ENTRY_GAP = 13.0
"""Between two wires that enter a box."""
SIDES = 0.55
"""How far up and down a circle (as an angle) two wires enter it."""
LEAST_RUN = 3.0
"""A wire that would run level for less, from where the column begins to its gate, goes there directly."""
ROW_GAP = 12.0
WIRE_ROOM = 12.0

Point = tuple[float, float]


class Node(NamedTuple):
    """A part with its place.

    Attributes:
        part: what it is.
        x: of the centre of its symbol (of an input's or a constant's name, the end).
        y: of its wire.
        width: of the symbol with its border.
        height: of the symbol with its border.
        end: the x at which its own wire ends and those to others begin; value and gradient stand before it.
        column: its column, from 0 at the left.
    """

    part: Part
    x: float
    y: float
    width: float
    height: float
    end: float
    column: int

    @property
    def round(self) -> bool:
        """Whether it is a circle, not a box with round corners."""
        return self.width == self.height == 2 * style.RADIUS

    @property
    def right(self) -> float:
        """Where its own wire begins."""
        return self.x if self.part.kind in (INPUT, CONSTANT) else self.x + self.width / 2


class Wire(NamedTuple):
    """From the end of one node's own wire to the border of another node.

    Attributes:
        source: the position of the node that it comes from.
        target: of the node that it leads to.
        place: as which of the target's inputs.
        points: pairs of points: a curve leads from the first of a pair to the second, a straight line to the next pair; where the
            column begins before the target does, a single point ends them, to which a straight line leads.
        mark: the number of the input, where wires enter in another order than the gate takes them; else empty.
    """

    source: int
    target: int
    place: int
    points: tuple[Point, ...]
    mark: str

    @property
    def rise(self) -> float:
        """How far its last curve leads down (where negative, up)."""
        end = len(self.points) // 2 * 2 - 1
        return self.points[end][1] - self.points[end - 1][1]


class Drawing(NamedTuple):
    """Nodes with places and wires with points; x grows to the right, y downwards, the corner is at 0, 0."""

    circuit: Circuit
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


def text_width(text: str, size: float) -> float:
    """About how wide a text is, whichever of the usual fonts it is set in."""
    return size * sum(_letter(character) for character in text)


def _letter(character: str) -> float:
    if character in " .,:;'|!()[]ijlftI-/":
        return 0.36
    if character in "mwMW@%":
        return 0.92
    return 0.62 if columns_of(character) == 1 else 1.05 * columns_of(character)


SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def typeset(symbol: str) -> str:
    """A symbol as it is printed in books: `×`, `−`, `x²`."""
    base, power, exponent = symbol.partition("^")
    if power and base == "x" and exponent.lstrip("-").isdigit():
        return base + exponent.translate(SUPERSCRIPT)
    if symbol[:1] == "*" and not symbol.startswith("**"):
        symbol = "×" + symbol[1:]
    return symbol.replace(".T", "ᵀ").replace("<=", "≤").replace(">=", "≥").replace("!=", "≠").replace("-", "−")


def draw(circuit: Circuit) -> Drawing:
    """Give every part and wire of a circuit its place.

    Raises:
        LimitProblem: it has too many parts, or its wires are too long.
    """
    _check_parts(circuit)
    entries = [len(part.sources) for part in circuit.parts]
    sizes = [_size(part, count) for part, count in zip(circuit.parts, entries)]
    rooms = [max(height + 2, 2 * style.NUMBER_SIZE + 14) for _, height in sizes]
    below = style.LABEL_SIZE if any(part.name for part in circuit.parts[:-1]) else 0.0
    arrangement = arrange(circuit, rooms, ROW_GAP + below, WIRE_ROOM)
    heights = [*zip(arrangement.heights, rooms), *((height, WIRE_ROOM) for height in arrangement.passing.values())]
    top = min(height - room / 2 for height, room in heights) - MARGIN
    bottom = max(height + room / 2 for height, room in heights) + MARGIN + below
    moved = Arrangement(
        arrangement.columns,
        tuple(height - top for height in arrangement.heights),
        {place: height - top for place, height in arrangement.passing.items()},
    )
    nodes, starts, ends = _nodes(circuit, sizes, moved)
    wires = _wires(circuit, nodes, moved, starts, ends)
    last = nodes[-1]
    tail = text_width(last.part.name, style.NAME_SIZE) + 10 if last.part.name and last.part.kind != INPUT else 0
    return Drawing(circuit, tuple(nodes), tuple(wires), max(ends) + tail + MARGIN + 6, bottom - top)


def is_drawable(circuit: Circuit) -> bool:
    """Whether a circuit is small enough to be drawn."""
    try:
        _check_parts(circuit)
        check_size(circuit)
    except LimitProblem:
        return False
    return True


def _check_parts(circuit: Circuit) -> None:
    count = len(circuit.parts)
    if count > MOST_PARTS:
        raise LimitProblem(
            f"{count:,} gates and inputs are too many for a picture (up to {MOST_PARTS:,})",
            remedy="show a part: make a named node the output; or write a list of nodes and wires: -o circuit.dot",
        )


def _size(part: Part, entries: int) -> tuple[float, float]:
    """The width and height of a part's symbol."""
    if part.kind in (INPUT, CONSTANT):
        size = style.NAME_SIZE if part.kind == INPUT else style.SYMBOL_SIZE
        return text_width(part.symbol, size) + 6, style.NAME_SIZE * 1.2
    written = text_width(typeset(part.symbol), style.SYMBOL_SIZE)
    circle = 2 * style.RADIUS
    tall = max(circle, (entries + 0.6) * ENTRY_GAP)
    if written <= circle - 8 and tall == circle and part.kind == GATE:
        return circle, circle
    return max(circle, written + 18), tall


def _label_width(part: Part) -> float:
    """How long a part's own wire must be to carry its numbers."""
    longest = max(text_width(part.value, style.NUMBER_SIZE), text_width(part.gradient, style.NUMBER_SIZE))
    return longest + 2 * PADDING if longest else 2 * PADDING


def _nodes(
    circuit: Circuit, sizes: Sequence[tuple[float, float]], arrangement: Arrangement
) -> tuple[list[Node], list[float], list[float]]:
    """The nodes, and the x at which each column begins and ends."""
    count = max(arrangement.columns) + 1
    before = [0.0] * count
    behind = [0.0] * count
    for part, (width, _), column in zip(circuit.parts, sizes, arrangement.columns):
        leaf = part.kind in (INPUT, CONSTANT)
        half = 0.0 if part is circuit.parts[-1] else text_width(part.name, style.LABEL_SIZE) / 2 + NAME_GAP
        before[column] = max(before[column], width if leaf else width / 2, half if part.name else 0.0)
        behind[column] = max(behind[column], _label_width(part) + (0.0 if leaf else width / 2), half if part.name else 0.0)
    gaps = _gaps(circuit, arrangement)
    starts, ends = [MARGIN], [MARGIN + before[0] + behind[0]]
    for column in range(1, count):
        starts.append(ends[-1] + gaps[column])
        ends.append(starts[-1] + before[column] + behind[column])
    nodes = [
        Node(part, starts[column] + before[column], height, *size, ends[column], column)
        for part, height, size, column in zip(circuit.parts, arrangement.heights, sizes, arrangement.columns)
    ]
    return nodes, starts, ends


def _gaps(circuit: Circuit, arrangement: Arrangement) -> list[float]:
    """How far each column is from the one before it, so that no wire to it is too steep; a wire that goes on counts once."""
    columns, heights, passing = arrangement
    steepest = [0.0] * (max(columns) + 1)

    def note(source: int, column: int, height: float) -> None:
        before = passing.get((source, column - 1), heights[source])
        steepest[column] = max(steepest[column], abs(height - before))

    for (source, column), height in passing.items():
        note(source, column, height)
    for target, part in enumerate(circuit.parts):
        for source in part.sources:
            if (source, columns[target]) not in passing:
                note(source, columns[target], heights[target])
    return [min(MOST_GAP, LEAST_GAP + 0.16 * steep) for steep in steepest]


def _wires(
    circuit: Circuit, nodes: Sequence[Node], arrangement: Arrangement, starts: Sequence[float], ends: Sequence[float]
) -> list[Wire]:
    wires = []
    for target, part in enumerate(circuit.parts):
        routes = [arrangement.hops(circuit, target, place) for place in range(len(part.sources))]
        order = sorted(range(len(routes)), key=lambda place: (routes[place][-2][1], place))
        marked = part.ordered and order != sorted(order)
        for slot, place in enumerate(order):
            points: list[Point] = []
            for column, height in routes[place][:-1]:
                if points:
                    points.append((starts[column], height))
                points.append((ends[column], height))
            entry = _entry(nodes[target], slot, len(order))
            start = starts[nodes[target].column]
            points += [(start, entry[1]), entry] if start < entry[0] - LEAST_RUN else [entry]
            wires.append(Wire(part.sources[place], target, place, tuple(points), str(place + 1) if marked else ""))
    return wires


def _entry(node: Node, slot: int, count: int) -> Point:
    """Where a wire enters a node, counted from the top."""
    if count == 1:
        return node.x - node.width / 2, node.y
    if node.round:
        angle = SIDES * (2 * slot / (count - 1) - 1)
        return node.x - style.RADIUS * math.cos(angle), node.y + style.RADIUS * math.sin(angle)
    spread = min(ENTRY_GAP, (node.height - 8) / count)
    return node.x - node.width / 2, node.y + spread * (slot - (count - 1) / 2)


__all__ = ["FOLDED", "Drawing", "Node", "Wire", "draw", "is_drawable", "text_width", "typeset"]
