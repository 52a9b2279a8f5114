"""Numbers and arrays as text: shortest text that reads back, or as many digits as a table has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import floor, isfinite, isnan, log10
from typing import Any

EXACT_BELOW = 1e10
"""Whole numbers below this are written out in tables, however few digits are asked for."""


def number_text(value: float) -> str:
    """The shortest text that reads back to the same double: `242`, `0.42857142857142855`, `1e+22`, `inf`."""
    return float.__repr__(float(value)).removesuffix(".0")


def exact_text(value: Any) -> str:
    """A number or an array in the language's own syntax, on one line, so that it reads back."""
    if isinstance(value, (float, int)):
        return number_text(value)
    return nested_text(value.tolist(), number_text)


def rounded_text(value: float, digits: int) -> str:
    """A number with at most so many significant digits: `0.428571`, `4.13994e-08`, `1870`."""
    if value == int(value) if isfinite(value) and abs(value) < EXACT_BELOW else False:
        return number_text(value)
    exact = number_text(value)
    return min(exact, f"{value:.{max(1, digits)}g}", key=len)


def short_text(value: float, digits: int) -> str:
    """The same in as few characters as it takes: `4.1e-8`."""
    text = rounded_text(value, digits)
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e") if "e" in text else text


def uncertain_text(value: float, error_bar: float, digits: int) -> str:
    """A number with no more digits than its error bar vouches for, and no more than asked for."""
    if not isfinite(value) or not isfinite(error_bar) or value == 0.0 or error_bar <= 0.0:
        return rounded_text(value, digits)
    certain = floor(log10(abs(value))) - floor(log10(error_bar)) + 1
    return f"{value:.{certain}g}" if 1 <= certain < digits and value != round(value) else rounded_text(value, digits)


def bar_text(error_bar: float) -> str:
    """An error bar, to one digit: `2e-15`, `0.02`, `0`."""
    if not isfinite(error_bar):
        return number_text(error_bar)
    if error_bar < 1e-300:  # what the smallest numbers leave of nothing
        return "0"
    text = f"{error_bar:.0e}"
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if -4 <= power <= 2:
        return f"{float(text):.{max(0, -power)}f}"
    return f"{mantissa}e{power}"


def array_text(value: Any, digits: int, room: int, shaped: bool = True) -> str:
    """An array in a cell: whole on one line if it fits, else a corner of it, its shape and its range, as far as there is room.

    `shaped` is whether the shape is news here; beside the value of a node, the shape of its gradient is none.
    """
    if value.size <= room // 2:
        whole = nested_text(value.tolist(), lambda item: rounded_text(item, digits))
        if len(whole) <= room:
            return whole
    shape = "×".join(map(str, value.shape))
    least, most = _range(value)
    if least == most:
        text = f"all {rounded_text(least, digits)}"
        return f"{shape}, {text}" if shaped else text
    for columns in (3, 2, 1):
        text = f"{_corner(value, columns)} {shape} in {rounded_text(least, 3)}..{rounded_text(most, 3)}"
        if len(text) <= room:
            return text
    for precision in (3, 2):
        spread = f"{short_text(least, precision)}..{short_text(most, precision)}"
        text = f"{shape} in {spread}" if shaped else spread
        if len(text) <= room:
            return text
    return text


def _range(value: Any) -> tuple[float, float]:
    """The least and the greatest element; where nothing is finite they may be nan."""
    if not value.size:
        return float("nan"), float("nan")
    least, most = float(value.min()), float(value.max())
    if isnan(least):  # nan spoils min and max: say what the rest is
        rest = value[value - value == 0]
        return (float(rest.min()), float("nan")) if rest.size else (least, most)
    return least, most


def _corner(value: Any, columns: int) -> str:
    """The first elements of the first row, as it would begin: `[[0.1, 0.2, …], …]`."""
    first = value
    for _ in range(value.ndim - 1):
        first = first[0] if len(first) else first.reshape(-1)
    items = [rounded_text(item, 3) for item in first[:columns].tolist()]
    if len(first) > columns:
        items.append("…")
    text = f"[{', '.join(items)}]"
    for axis in range(value.ndim - 2, -1, -1):
        text = f"[{text}, …]" if value.shape[axis] > 1 else f"[{text}]"
    return text


def nested_text(items: Any, spell: Callable[[float], str]) -> str:
    """Nested lists in the language's syntax; the nesting is bounded by NumPy's number of dimensions."""
    if isinstance(items, list):
        return f"[{', '.join(nested_text(item, spell) for item in items)}]"
    return spell(items)


def elements(value: Any) -> Iterator[float]:
    """Every number of a value, whatever its shape."""
    if isinstance(value, (float, int)):
        yield value
    else:
        yield from value.ravel().tolist()


def point_position(text: str) -> int:
    """The column of a number's decimal point, or where it would stand; for aligning numbers below each other."""
    for position, character in enumerate(text):
        if character not in "+-0123456789":
            return position
    return len(text)
