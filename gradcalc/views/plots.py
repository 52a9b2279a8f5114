"""A sampled formula in the terminal: value and derivative below each other, or a map of a formula of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.tables.sampling import drawable, limits, panels, thinned
from gradcalc.views.charts import chart, margin_of, round_ticks, shade, tick_texts, viridis
from gradcalc.views.json import SCHEMA, plain
from gradcalc.views.numbers import number_text, short_text
from gradcalc.views.search import field
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell, painted
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.tables.sampling import Numbers, Sampled

WIDEST = 120
TALLEST = 40
LEAST_VALUE, LEAST_SLOPE = 8, 6
"""How many rows the two charts need; in a lower picture there is none of the derivative."""
TITLE = 6
"""So much of a title goes before a note behind it."""
PIPE = (80, 24)
"""How large a picture is where nothing says it: at most this on a terminal, and this in a pipe."""

Path = Sequence[tuple[float, float]]
"""Where a search has been, step by step."""


def picture_size(surface: Surface, size: tuple[int, int] | None) -> tuple[int, int]:
    """The columns and rows of a picture: what was asked for, or what the terminal has."""
    if size is not None:
        return size
    if not surface.terminal:
        return PIPE
    import shutil

    lines = shutil.get_terminal_size((80, 24)).lines
    return min(surface.width, WIDEST), max(12, min(lines - 2, TALLEST))


def plot_text(
    sampled: Sampled, surface: Surface, size: tuple[int, int] | None = None, derivative: bool = True, path: Path = ()
) -> str:
    """The picture of a sampled formula as text."""
    columns, rows = picture_size(surface, size)
    if len(sampled.names) == 1:
        return painted(_curves(sampled, surface, columns, rows, derivative), surface)
    return painted(_map(sampled, surface, columns, rows, path), surface)


def _curves(sampled: Sampled, surface: Surface, columns: int, rows: int, derivative: bool) -> list[Cell]:
    (xs,) = sampled.axes
    x_range = float(xs[0]), float(xs[-1])
    least = LEAST_VALUE + LEAST_SLOPE + 2
    drawn_too = derivative and rows >= least
    shown = panels(sampled, drawn_too)
    notes = ["goes beyond the frame" if panel.limits[2] else "" for panel in shown]
    heights = [rows - 1]
    if derivative and not drawn_too:
        notes[0] = f"derivative needs {least} rows"
    elif derivative:
        lower = max(LEAST_SLOPE, (rows - 2) * 2 // 5)
        heights = [rows - 2 - lower, lower]
    margin = max(margin_of(panel.limits[:2], height) for panel, height in zip(shown, heights))
    lines: list[Cell] = []
    for (title, curves, (low, high, _)), style, note, height in zip(shown, ("value", "gradient"), notes, heights):
        lines.append(_title(title, style, note, surface, columns))
        drawn = chart(_points(curves, columns), x_range, (low, high), columns, height, margin, surface.unicode)
        lines += [_framed(line, style) for line in drawn]
    return lines


def _points(curves: Sequence[tuple[Numbers, Numbers]], columns: int) -> list[tuple[list[float], list[float]]]:
    """The pieces of a curve, with no more points than characters can show."""
    few = (thinned(xs, values, 4 * columns) for xs, values in curves)
    return [(xs.tolist(), values.tolist()) for xs, values in few]


def _title(text: str, style: str, note: str, surface: Surface, columns: int) -> Cell:
    shown = visible(text) if surface.unicode else to_ascii(visible(text))
    note = f"  ({note})" if note and len(note) + 4 <= columns - min(len(shown), TITLE) else ""
    return (Span(cut(shown, columns - len(note), "…" if surface.unicode else ".."), style or "strong"), Span(note, "quiet"))


def _framed(line: str, style: str) -> Cell:
    """A line of a chart, its curve in the style and its frame quiet."""
    spans: list[Span] = []
    for character in line:
        own = style if "⠀" <= character <= "⣿" or character == "*" else "quiet"
        if spans and spans[-1].style == own:
            spans[-1] = Span(spans[-1].text + character, own)
        else:
            spans.append(Span(character, own))
    return tuple(spans)


# ---- maps ------------------------------------------------------------------------------------------------------------------------


def _map(sampled: Sampled, surface: Surface, columns: int, rows: int, path: Path) -> list[Cell]:
    sampled = drawable(sampled)
    first, second = sampled.names
    low, high, beyond = limits(sampled.values)
    ys = sampled.axes[1]
    ticks = round_ticks(float(ys[0]), float(ys[-1]), max(2, rows // 4))
    texts = tick_texts(ticks)
    margin = max(map(len, texts)) + 1
    width, height = columns - margin - 1, rows - 4
    marks = _marks(sampled, path, width, height)
    labels = {_place(tick, ys, height): text for tick, text in zip(ticks, texts)}
    lines = [_title(f"{sampled.text}", "strong", f"{second} upwards, {first} to the right", surface, columns)]
    for row in range(height):
        label = labels.get(height - 1 - row, "").rjust(margin - 1) + " "
        lines.append((Span(label, "quiet"), *_map_line(sampled, row, width, height, low, high, marks, surface)))
    lines.append(cell(" " * margin + _axis(sampled.axes[0], width), "quiet"))
    lines.append(_scale(low, high, beyond, margin, surface))
    return lines


def _place(value: float, axis: Numbers, cells: int) -> int:
    """The cell in which a value is, counted from the low end."""
    low, high = float(axis[0]), float(axis[-1])
    return min(cells - 1, max(0, int((value - low) / (high - low) * cells)))


def _marks(sampled: Sampled, path: Path, width: int, height: int) -> dict[tuple[int, int], str]:
    """Where a search has been: its start, its end, and what lies between."""
    if not path:
        return {}
    xs, ys = sampled.axes
    marks: dict[tuple[int, int], str] = {}
    inside = [(x, y) for x, y in path if xs[0] <= x <= xs[-1] and ys[0] <= y <= ys[-1]]
    for x, y in inside:
        marks[height - 1 - _place(y, ys, height), _place(x, xs, width)] = "o"
    for (x, y), mark in ((path[0], "S"), (path[-1], "E")):
        if (x, y) in inside:
            marks[height - 1 - _place(y, ys, height), _place(x, xs, width)] = mark
    return marks


def _map_line(
    sampled: Sampled,
    row: int,
    width: int,
    height: int,
    low: float,
    high: float,
    marks: dict[tuple[int, int], str],
    surface: Surface,
) -> list[Span]:
    spans: list[Span] = []
    for column in range(width):
        value = _value_at(sampled, (column + 0.5) / width, 1 - (row + 0.5) / height)
        mark = marks.get((row, column), "")
        if surface.colour:
            part = (value - low) / (high - low) if value == value else None
            red, green, blue = viridis(part) if part is not None else (128, 128, 128)
            ink = "white" if red + green + blue < 380 else "black"
            style = f"bold {ink} on #{red:02x}{green:02x}{blue:02x}"
            spans.append(Span(mark or " ", style))
        else:
            spans.append(Span(mark or shade(value, low, high)))
    return spans


def _value_at(sampled: Sampled, right: float, up: float) -> float:
    """The nearest sample to a place, given as parts of the ranges."""
    rows, columns = sampled.values.shape
    return float(sampled.values[min(rows - 1, int(up * rows)), min(columns - 1, int(right * columns))])


def _axis(axis: Numbers, width: int) -> str:
    line = [" "] * width
    ticks = round_ticks(float(axis[0]), float(axis[-1]), max(2, width // 12))
    for tick, text in zip(ticks, tick_texts(ticks)):
        start = min(max(0, _place(tick, axis, width) - len(text) // 2), width - len(text))
        line[start : start + len(text)] = text
    return "".join(line).rstrip()


def _scale(low: float, high: float, beyond: bool, margin: int, surface: Surface) -> Cell:
    """From which value to which the colours go."""
    bar: list[Span] = []
    for number in range(20):
        if surface.colour:
            bar.append(Span(" ", "on #{:02x}{:02x}{:02x}".format(*viridis(number / 19))))
        else:
            bar.append(Span(shade(float(number), 0.0, 19.0)))
    note = "  (goes beyond)" if beyond else ""
    return (Span(" " * margin + short_text(low, 4) + " "), *bar, Span(f" {short_text(high, 4)}{note}"))


# ---- for programs ----------------------------------------------------------------------------------------------------------------


def plot_header(sampled: Sampled) -> str:
    """The head of samples as CSV: the output, the inputs, the value, and the derivatives."""
    return ",".join(map(field, ["output", *sampled.names, "value", *(f"d/d{name}" for name in sampled.names)])) + "\n"


def plot_rows(sampled: Sampled) -> str:
    """The samples as CSV."""
    import numpy

    grid = numpy.meshgrid(*sampled.axes, indexing="xy")
    columns = [column.ravel().tolist() for column in (*grid, sampled.values, *sampled.slopes)]
    output = field(sampled.text)
    return "".join(f"{output},{','.join(map(number_text, row))}\n" for row in zip(*columns))


def plot_document(sampled: Sampled, path: Path = ()) -> dict[str, Any]:
    """The samples as a document for JSON."""
    return {
        "schema": SCHEMA,
        "output": sampled.text,
        "inputs": {name: plain(axis) for name, axis in zip(sampled.names, sampled.axes)},
        "value": plain(sampled.values),
        "gradients": {name: plain(slope) for name, slope in zip(sampled.names, sampled.slopes)},
        **({"path": [list(point) for point in path]} if path else {}),
    }
