"""A circuit drawn with characters, from left to right, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gradcalc.dialects.circuit import CONSTANT, FOLDED, INPUT, Circuit, Part
from gradcalc.views.pictures.channels import Net, Upright, route
from gradcalc.views.pictures.layout import Arrangement, arrange
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span
from gradcalc.views.text import to_ascii, width

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
LINES = {
    NORTH: "│", SOUTH: "│", EAST: "─", WEST: "─",
    NORTH | SOUTH: "│", EAST | WEST: "─",
    SOUTH | EAST: "┌", SOUTH | WEST: "┐", NORTH | EAST: "└", NORTH | WEST: "┘",
    NORTH | SOUTH | EAST: "├", NORTH | SOUTH | WEST: "┤", SOUTH | EAST | WEST: "┬", NORTH | EAST | WEST: "┴",
    NORTH | EAST | SOUTH | WEST: "┼",
}  # fmt: skip
"""The character of a piece of wire, by the sides to which it leads."""
PLAIN_LINES = str.maketrans("│─┌┐└┘├┤┬┴┼═║╔╗╚╝╦╣╩╠▶", "|-+++++++++=|++++++++>")

UNIT = 100.0
"""How much of the arrangement's unit is a row."""


class Measures(NamedTuple):
    """How generous a drawing is with its room: blanks beside symbols, and at both sides of numbers."""

    padding: int = 1
    gap: int = 1


GENEROUS = Measures()


class Rows(NamedTuple):
    """The rows of a drawing: of each part's wire, and of wires in the columns that they pass."""

    parts: list[int]
    passing: dict[tuple[int, int], int]


class Canvas:
    """Characters in rows and columns, each with a style."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._wires: dict[tuple[int, int], dict[int, int]] = {}
        """For each cell the sides to which each wire leads in it."""

    def write(self, row: int, column: int, text: str, style: str = "") -> None:
        """Write text from a cell on."""
        for character in text:
            size = width(character)
            if size:
                self._cells[row, column] = character, style
            if size == 2:
                self._cells[row, column + 1] = "", style
            column += size

    def across(self, key: int, row: int, start: int, stop: int) -> None:
        """Draw a piece of a wire from the middle of one cell to the middle of another in its row."""
        for column in range(start, stop + 1):
            self._lead(key, row, column, (EAST if column < stop else 0) | (WEST if column > start else 0))

    def up_and_down(self, key: int, column: int, top: int, bottom: int) -> None:
        """Draw a piece of a wire in a column."""
        for row in range(top, bottom + 1):
            self._lead(key, row, column, (SOUTH if row < bottom else 0) | (NORTH if row > top else 0))

    def _lead(self, key: int, row: int, column: int, sides: int) -> None:
        if sides:
            wires = self._wires.setdefault((row, column), {})
            wires[key] = wires.get(key, 0) | sides

    def lines(self, unicode: bool) -> Iterator[Cell]:
        """The rows, each as spans."""
        cells = dict(self._cells)
        for place, wires in self._wires.items():
            # Where wires cross, the one that goes up and down is in front.
            sides = max(wires.values(), key=lambda sides: bool(sides & (NORTH | SOUTH)))
            cells.setdefault(place, (LINES[sides], "quiet"))
        rows: dict[int, dict[int, tuple[str, str]]] = {}
        for (row, column), cell in cells.items():
            rows.setdefault(row, {})[column] = cell
        for row in range(min(rows, default=0), max(rows, default=-1) + 1):
            yield tuple(_spans(rows.get(row, {}), unicode))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return max((column for _, column in (*self._cells, *self._wires)), default=-1) + 1


def _spans(row: Mapping[int, tuple[str, str]], unicode: bool) -> Iterator[Span]:
    """One row as spans; blanks where there is nothing."""
    text, style = "", ""
    for column in range(max(row, default=-1) + 1):
        character, own = row.get(column, (" ", ""))
        if own != style and character != " " and text:
            yield Span(text if unicode else text.translate(PLAIN_LINES), style)
            text = ""
        if character != " ":
            style = own
        text += character
    if text:
        yield Span(text if unicode else text.translate(PLAIN_LINES), style)


def ascii_circuit(circuit: Circuit) -> Circuit:
    """The circuit with all its texts in plain ASCII."""
    parts = tuple(
        part._replace(
            symbol=to_ascii(part.symbol), name=to_ascii(part.name), value=to_ascii(part.value), gradient=to_ascii(part.gradient)
        )
        for part in circuit.parts
    )
    return Circuit(to_ascii(circuit.title), parts, tuple(map(to_ascii, circuit.remarks)))


def canvas_of(circuit: Circuit, measures: Measures = GENEROUS) -> Canvas:
    """Draw a circuit."""
    heights = [_height(part) for part in circuit.parts]
    arrangement = arrange(circuit, [UNIT * height for height in heights], UNIT, UNIT)
    rows = _rows(circuit, heights, arrangement)
    slots = _slots(circuit, arrangement, rows)
    routes = _routes(circuit, arrangement, rows, slots)
    return _drawn(circuit, heights, arrangement, rows, slots, routes, measures)


def _height(part: Part) -> int:
    """How many rows a part takes: three, so that there is one above and one below its wire, or more for many inputs."""
    if not part.sources and not part.value and not part.gradient:
        return 1
    return max(3, len(part.sources) | 1)


def _rows(circuit: Circuit, heights: Sequence[int], arrangement: Arrangement) -> Rows:
    """Rows for the heights of an arrangement: the nearest, or the next one that is free."""
    columns: dict[int, list[tuple[float, int, int, tuple[int, int] | int]]] = {}
    for number, (column, height) in enumerate(zip(arrangement.columns, arrangement.heights)):
        half = heights[number] // 2
        columns.setdefault(column, []).append((height, half, half, number))
    for place, height in arrangement.passing.items():
        columns.setdefault(place[1], []).append((height, 0, 0, place))
    rows = Rows([0] * len(circuit.parts), {})
    top = min(height - half * UNIT for items in columns.values() for height, half, _, _ in items)
    for items in columns.values():
        free = 0
        for height, above, below, what in sorted(items, key=lambda item: item[0]):
            row = max(free + above, int((height - top) // UNIT))
            free = row + below + 2
            if isinstance(what, int):
                rows.parts[what] = row
            else:
                rows.passing[what] = row
    return rows


def _slots(circuit: Circuit, arrangement: Arrangement, rows: Rows) -> list[list[tuple[int, str]]]:
    """For each part the rows in which its inputs enter, and the numbers that mark them where they are out of order."""
    slots = []
    for target, part in enumerate(circuit.parts):
        count = len(part.sources)
        before = arrangement.columns[target] - 1
        comes = [rows.passing.get((source, before), rows.parts[source]) for source in part.sources]
        order = sorted(range(count), key=lambda place: (comes[place], place))
        marked = part.ordered and order != sorted(order)
        own = [(0, "")] * count
        for slot, place in enumerate(order):
            row = slot - count // 2
            if count % 2 == 0 and row >= 0:
                row += 1  # the middle row stays free
            own[place] = rows.parts[target] + row, str(place + 1) if marked else ""
        slots.append(own)
    return slots


def _routes(
    circuit: Circuit, arrangement: Arrangement, rows: Rows, slots: Sequence[Sequence[tuple[int, str]]]
) -> dict[int, list[Upright]]:
    """The wires before each column."""
    nets: dict[int, dict[int, tuple[int, set[int]]]] = {}
    for target, part in enumerate(circuit.parts):
        for place, source in enumerate(part.sources):
            row = rows.parts[source]
            for column in range(arrangement.columns[source] + 1, arrangement.columns[target] + 1):
                there = slots[target][place][0] if column == arrangement.columns[target] else rows.passing[source, column]
                nets.setdefault(column, {}).setdefault(source, (row, set()))[1].add(there)
                row = there
    return {
        column: route([Net(source, left, tuple(sorted(rights))) for source, (left, rights) in own.items()])
        for column, own in nets.items()
    }


def _drawn(
    circuit: Circuit,
    heights: Sequence[int],
    arrangement: Arrangement,
    rows: Rows,
    slots: Sequence[Sequence[tuple[int, str]]],
    routes: Mapping[int, Sequence[Upright]],
    measures: Measures,
) -> Canvas:
    canvas = Canvas()
    members: dict[int, list[int]] = {}
    for number, column in enumerate(arrangement.columns):
        members.setdefault(column, []).append(number)
    position = 0
    last = len(circuit.parts) - 1
    for column in sorted(members):
        uprights = routes.get(column, ())
        if uprights:
            count = max(one.track for one in uprights) + 1
            end = position + count + measures.gap - 1
            _draw_channel(canvas, uprights, position - 1, end + 1)
            position = end + 1
        start = position
        boxes = [_width(circuit.parts[number], measures) for number in members[column]]
        stubs = [_stub(circuit.parts[number], measures) for number in members[column]]
        leaves = max((box for number, box in zip(members[column], boxes) if not circuit.parts[number].sources), default=0)
        position += max((box if circuit.parts[n].sources else leaves) + stub for n, box, stub in zip(members[column], boxes, stubs))
        for number, box in zip(members[column], boxes):
            part, row = circuit.parts[number], rows.parts[number]
            right = start + box if part.sources else start + leaves
            if part.sources or part.kind not in (INPUT, CONSTANT):
                _draw_gate(canvas, part, row, start, box, heights[number] // 2, measures)
                for entry, mark in slots[number]:
                    _draw_entry(canvas, part, entry - row, heights[number] // 2, row, start)
                    if mark:
                        canvas.write(entry, start - 1, mark, "quiet")
            else:
                canvas.write(row, right - width(part.symbol) - 1, part.symbol, "name")
            _draw_output(canvas, part, number, row, right, position, number == last)
        for (source, passed), row in rows.passing.items():
            if passed == column:
                canvas.across(source, row, start - 1, position)
    return canvas


def _draw_channel(canvas: Canvas, uprights: Sequence[Upright], left: int, right: int) -> None:
    """Draw the wires between two columns, whose nearest characters are at these places."""
    halves: dict[int, list[Upright]] = {}
    for one in uprights:
        halves.setdefault(one.key, []).append(one)
    for key, own in halves.items():
        own.sort(key=lambda one: one.track)
        for number, one in enumerate(own):
            if one.track < 0:
                canvas.across(key, one.lefts[0], left, right)
                continue
            place = left + 1 + one.track
            canvas.across(key, one.lefts[0], left if number == 0 else left + 1 + own[number - 1].track, place)
            canvas.up_and_down(key, place, one.rows.start, one.rows.stop - 1)
            if number == len(own) - 1:
                for row in one.rights:
                    canvas.across(key, row, place, right)


def _width(part: Part, measures: Measures) -> int:
    """How many columns a part's symbol takes, with its border."""
    if part.kind in (INPUT, CONSTANT):
        return width(part.symbol) + 1
    return width(part.symbol) + 2 + 2 * measures.padding


def _stub(part: Part, measures: Measures) -> int:
    """How many columns a part's own wire takes."""
    name = width(part.name) + 3 if part.name else 0
    numbers = max(width(part.value), width(part.gradient))
    return max(name, numbers + 1 + measures.gap if numbers else 0, 2)


BORDERS = {True: "═║╔╗╚╝╦╣╩╠", False: "─│┌┐└┘┬┤┴├"}
"""The border of a gate, whether others are folded into it or not: lines, corners, and where wires enter and leave."""


def _draw_gate(canvas: Canvas, part: Part, row: int, start: int, box: int, half: int, measures: Measures) -> None:
    """Draw a gate's box, which reaches as many rows above and below its wire."""
    horizontal, vertical, *corners = list(BORDERS[part.kind == FOLDED][:6])
    inner = box - 2
    canvas.write(row - half, start, corners[0] + horizontal * inner + corners[1])
    for middle in range(row - half + 1, row + half):
        canvas.write(middle, start, vertical + " " * inner + vertical)
    canvas.write(row + half, start, corners[2] + horizontal * inner + corners[3])
    canvas.write(row, start + 1 + measures.padding, part.symbol, "strong")
    canvas.write(row, start + box - 1, BORDERS[part.kind == FOLDED][-1])


def _draw_entry(canvas: Canvas, part: Part, offset: int, half: int, row: int, start: int) -> None:
    """Draw the border where a wire enters so many rows below the gate's own wire."""
    top, middle, bottom = list(BORDERS[part.kind == FOLDED][6:9])
    canvas.write(row + offset, start, top if offset == -half else bottom if offset == half else middle)


def _draw_output(canvas: Canvas, part: Part, key: int, row: int, right: int, end: int, output: bool) -> None:
    """Draw a part's own wire, with its numbers above and below, and its name upon it."""
    if output:
        end = right + max(width(part.value), width(part.gradient), 1) + 1
        canvas.across(key, row, right - 1, end)
        canvas.write(row, end, "▶", "quiet")
        if part.name:
            canvas.write(row, end + 2, part.name, "name")
    else:
        canvas.across(key, row, right - 1, end)
        if part.name:
            canvas.write(row, right + 1, part.name, "name")
    canvas.write(row - 1, right + (1 if part.sources else 0), part.value, "value")
    canvas.write(row + 1, right + (1 if part.sources else 0), part.gradient, "backward")


def drawing_lines(circuit: Circuit, surface: Surface, measures: Measures = GENEROUS) -> tuple[list[Cell], int]:
    """The lines of a drawing, and how many columns it takes."""
    canvas = canvas_of(circuit if surface.unicode else ascii_circuit(circuit), measures)
    return list(canvas.lines(surface.unicode)), canvas.width
