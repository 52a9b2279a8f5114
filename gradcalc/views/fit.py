"""A fit for people and for programs: its parameters with their standard errors, and how well the formula fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gradcalc.views.json import SCHEMA, plain
from gradcalc.views.numbers import rounded_text
from gradcalc.views.search import ROWS_HEADER, field
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Table, aligned, cell, painted, render, wrapped
from gradcalc.views.text import to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.learning.fit import Fitted

DIGITS = 10


def fit_text(
    fitted: Fitted, formula: str, target: str, surface: Surface, digits: int | None = None, correlations: bool = False
) -> str:
    """The fit as a table of parameters, and below it what tells how good it is."""
    shown = digits or DIGITS
    rows = f"{fitted.rows:,} row{'s' if fitted.rows != 1 else ''}"
    heading = [cell(visible(f"{target} ≈ {formula}"), "strong"), cell(f"{_ending(fitted, surface)}, {rows}", _style(fitted))]
    table = Table()
    table.add("parameter", [cell(name, "name") for name in fitted.names])
    table.add(
        "value", [cell(text, "value") for text in aligned([rounded_text(value, shown) for value in fitted.values])], right=True
    )
    table.add("standard error", _numbers(fitted.errors, min(shown, 6)), right=True)
    table.add("relative", [cell(_relative(error, value)) for value, error in zip(fitted.values, fitted.errors)], right=True)
    table.add("start", _numbers(fitted.start, 6), right=True)
    facts = Table()
    quality = (
        ("chi-squared" if fitted.weighted else "residual sum of squares", fitted.residual_sum_of_squares),
        ("residual standard deviation" + (", in sigmas" if fitted.weighted else ""), fitted.residual_standard_deviation),
        ("degrees of freedom", float(fitted.degrees_of_freedom)),
    )
    facts.add("", [cell(name) for name, _ in quality])
    facts.add("", [cell(rounded_text(value, shown)) for _, value in quality])
    pieces = [
        painted([line for words in heading for line in wrapped(_plain(words, surface), surface.width)], surface),
        render(table, surface),
        _without_head(facts, surface),
    ]
    if correlations:
        pieces.append(render(_correlations(fitted), surface))
    return "\n".join(pieces)


def _ending(fitted: Fitted, surface: Surface) -> str:
    sign = ("✓ " if fitted.converged else "✗ ") if surface.unicode else ""
    steps = f"{fitted.steps} step{'s' if fitted.steps != 1 else ''}"
    return f"{sign}converged in {steps}" if fitted.converged else f"{sign}stopped after {steps}: {fitted.reason}"


def _style(fitted: Fitted) -> str:
    return "ok" if fitted.converged else "mismatch"


def _plain(words: Cell, surface: Surface) -> Cell:
    return words if surface.unicode else tuple(span._replace(text=to_ascii(span.text.replace("≈", "~"))) for span in words)


def _numbers(values: Iterable[float], digits: int) -> list[Cell]:
    return [cell(text) for text in aligned([rounded_text(float(value), digits) for value in values])]


def _relative(error: float, value: float) -> str:
    """The standard error as a percentage, in two digits and without an exponent."""
    if not value or not error < abs(value) * 1e4:
        return ""
    share = 100.0 * error / abs(value)
    return f"{share:.0f} %" if share >= 10.0 else f"{share:.2g} %"


def _without_head(table: Table, surface: Surface) -> str:
    widths = table.widths()
    lines = [cell(f"{row[0][0].text.ljust(widths[0])}  {row[1][0].text}") for row in table.rows]
    return painted(lines, surface)


def _correlations(fitted: Fitted) -> Table:
    table = Table()
    table.add("correlation", [cell(name, "name") for name in fitted.names])
    for number, name in enumerate(fitted.names):
        texts = [f"{value:.4f}" for value in fitted.correlations[:, number]]
        table.add(name, [cell(text if row >= number else "") for row, text in enumerate(texts)], right=True)
    return table


def fit_document(fitted: Fitted, formula: str, target: str) -> dict[str, Any]:
    """A fit as a document for JSON."""
    return {
        "schema": SCHEMA,
        "formula": formula,
        "target": target,
        "inputs": {name: float(value) for name, value in zip(fitted.names, fitted.values)},
        "parameters": {
            name: {"value": float(value), "standard_error": float(error), "start": float(start)}
            for name, value, error, start in zip(fitted.names, fitted.values, fitted.errors, fitted.start)
        },
        "covariance": plain(fitted.covariance),
        "correlations": plain(fitted.correlations),
        "rows": fitted.rows,
        "degrees_of_freedom": fitted.degrees_of_freedom,
        "residual_sum_of_squares": fitted.residual_sum_of_squares,
        "residual_standard_deviation": fitted.residual_standard_deviation,
        "steps": fitted.steps,
        "converged": fitted.converged,
        "reason": fitted.reason,
        "warnings": list(fitted.warnings),
    }


def fit_rows(fitted: Fitted, formula: str) -> str:
    """A fit as CSV, in the shape of a search: a line for each parameter, and others on how well it fits."""
    rows: list[tuple[Any, ...]] = []
    for name, *numbers in zip(fitted.names, fitted.start, fitted.values, fitted.errors):
        rows.append(("input", name, *map(float, numbers)))
    rows += [
        ("run", "residual_sum_of_squares", None, fitted.residual_sum_of_squares, None),
        ("run", "residual_standard_deviation", None, fitted.residual_standard_deviation, None),
        ("run", "degrees_of_freedom", None, fitted.degrees_of_freedom, None),
        ("run", "steps", None, fitted.steps, None),
        ("run", "stopped", None, fitted.reason, None),
    ]
    return "".join(",".join(map(field, (formula, *row))) + "\n" for row in rows)


FIT_HEADER = f"{ROWS_HEADER},standard_error\n"
