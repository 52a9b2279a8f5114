"""Curves and maps drawn with characters: charts with round numbers at their axes, in braille where the terminal shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradcalc.views.numbers import short_text

Curve = tuple[Sequence[float], Sequence[float]]
"""The x and the y of points that are joined."""

PLAIN = str.maketrans(
    {"┌": "+", "┐": "+", "└": "+", "┘": "+", "─": "-", "│": "|", "┤": "+", "┬": "+", "├": "+", "┴": "+", "┼": "+"}
)
"""A frame in ASCII."""


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """About so many round numbers (multiples of 1, 2 or 5 times a power of ten) between two, evenly spaced.

    A range that floats hardly resolve has its ends as ticks.
    """
    span = high - low
    if not 1e-9 * max(abs(low), abs(high)) < span <= LONGEST:
        return [low, high]
    power = math.floor(math.log10(span / max(1, most)))
    finer: list[float] = []
    for factor in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20):
        step = factor * 10.0**power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        ticks = [_rounded(number * step, step) for number in range(first, last + 1)] if last - first < 4 * most else []
        if len(ticks) < 2 and finer:
            return finer  # a few too many are better than one
        if 2 <= len(ticks) <= most:
            return ticks
        finer = ticks
    return [low, high]


def _rounded(tick: float, step: float) -> float:
    """The tick without the noise of the multiplication: 0.3 instead of 0.30000000000000004."""
    places = max(0, 1 - math.floor(math.log10(step)))
    return round(tick, places) if places < 300 else tick


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """The ticks with as many digits as tell them apart."""
    for digits in range(1, 17):
        texts = [short_text(tick, digits) for tick in ticks]
        close = all(abs(float(text) - tick) <= 1e-9 * max(map(abs, ticks)) for text, tick in zip(texts, ticks))
        if len(set(texts)) == len(texts) and close:
            break
    return texts


LONGEST = 1e300
"""Between ends farther apart no round numbers are looked for: there is no room for the arithmetic."""

FRAME = 3
"""How many rows of a chart are its frame and the numbers below it."""


def rows_with_ticks(low: float, high: float, rows: int) -> tuple[float, float, list[float]]:
    """A range that is a little wider, in which round numbers stand in the middle of rows, and these numbers.

    So many rows apart stands always the same difference, and a number stands in the row in which a curve has this value.

    Args:
        low: the lower end of what has to be seen.
        high: its upper end.
        rows: how many rows of characters there are.
    """
    span = high - low
    if not 1e-9 * max(abs(low), abs(high)) < span <= LONGEST:
        return low, high, [low, high]
    best: tuple[float, float, float, list[float]] | None = None
    power = math.floor(math.log10(span / rows))
    for exponent in (power, power + 1, power + 2):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            for between in range(1, rows + 1):
                height = step / between
                first = math.floor(low / height + 0.5)  # the row whose middle is nearest to the lower end
                if (first + rows - 0.5) * height < high or (best is not None and height >= best[0]):
                    continue
                ticks = [number * step / between for number in range(first, first + rows) if number % between == 0]
                # A number in every row of many is more than one reads; one number alone tells no scale.
                if min(2, rows) <= len(ticks) <= max(3, (rows + 1) // 2):
                    lowest = (first - 0.5) * height
                    best = height, lowest, lowest + rows * height, [_rounded(tick, step) for tick in ticks]
    return best[1:] if best is not None else (low, high, [low, high])


def chart(
    curves: Sequence[Curve],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    columns: int,
    rows: int,
    margin: int = 0,
    unicode: bool = True,
) -> list[str]:
    """Curves in a frame.

    Args:
        curves: what to draw.
        x_range: the ends of the x axis.
        y_range: the ends of the y axis; what is beyond is cut off.
        columns: the width, frame and numbers included.
        rows: the height.
        margin: the least room for the numbers at the left, so that charts below each other stand in line.
        unicode: whether braille and box characters arrive.
    """
    import plotext

    figure = plotext.figure
    figure.clear()
    figure.plot_size(columns, rows)
    inner = max(1, rows - FRAME)
    bottom, top, heights = rows_with_ticks(*y_range, inner)
    # The library puts the ends of an axis into the middle of the first and the last dot.
    half = (top - bottom) / (8 if unicode else 2) / inner
    y_range = bottom + half, top - half
    for ruler, (low, high), ticks in (("x", x_range, round_ticks(*x_range, max(2, columns // 12))), ("y", y_range, heights)):
        texts = [text.rjust(margin) if ruler == "y" else text for text in tick_texts(ticks)]
        figure.ruler(ruler).lim(low, high)
        figure.ruler(ruler).ticks(ticks, texts)
    drawn = False
    for xs, ys in curves:
        inside = [(x, y) for x, y in zip(xs, ys) if math.isfinite(y)]
        if inside:
            signal = figure.signal(*map(list, zip(*_clipped(inside, *y_range))), marker="braille" if unicode else "*")
            signal.lines()
            figure.draw(signal)
            drawn = True
    if not drawn:
        figure.draw(figure.signal([x_range[0]], [y_range[0]], marker=" "))
    lines = str(figure.build().string(True)).rstrip("\n").split("\n")
    lines = [line.rstrip() for line in lines]
    return lines if unicode else [line.translate(PLAIN) for line in lines]


def _clipped(points: Sequence[tuple[float, float]], low: float, high: float) -> list[tuple[float, float]]:
    """The points, those beyond the frame drawn at its edge where they are the last before or behind what is inside."""
    kept: list[tuple[float, float]] = []
    for number, (x, y) in enumerate(points):
        neighbours = points[max(0, number - 1) : number + 2]
        if low <= y <= high or any(low <= other <= high for _, other in neighbours):
            kept.append((x, min(max(y, low), high)))
    return kept or [(x, min(max(y, low), high)) for x, y in points]


def margin_of(y_range: tuple[float, float], rows: int) -> int:
    """How much room the numbers at the left of a chart take."""
    return max(map(len, tick_texts(rows_with_ticks(*y_range, max(1, rows - FRAME))[2])))


SHADES = " .:-=+*#%@"
"""From low to high, where there is no colour."""


def shade(value: float, low: float, high: float) -> str:
    """A character as dark as a value is high."""
    if not math.isfinite(value):
        return "?" if value != value else SHADES[-1] if value > 0 else SHADES[0]
    part = (value - low) / (high - low) if high > low else 0.5
    return SHADES[min(len(SHADES) - 1, max(0, int(part * len(SHADES))))]


def viridis(part: float) -> tuple[int, int, int]:
    """The colour for a value between 0 and 1: light is high, and told apart by everybody.

    The anchors are those of matplotlib's map of this name (S. van der Walt and N. Smith, public domain), at every eighth.
    """
    place = min(max(part, 0.0), 1.0) * (len(_VIRIDIS) - 1)
    lower = min(int(place), len(_VIRIDIS) - 2)
    weight = place - lower
    first, second = _VIRIDIS[lower], _VIRIDIS[lower + 1]
    red, green, blue = (round(a + (b - a) * weight) for a, b in zip(first, second))
    return red, green, blue


_VIRIDIS = (
    (68, 1, 84),
    (71, 44, 122),
    (59, 81, 139),
    (44, 113, 142),
    (33, 144, 141),
    (39, 173, 129),
    (92, 200, 99),
    (170, 220, 50),
    (253, 231, 37),
)
