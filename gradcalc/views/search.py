"""What a search found: as a table, as CSV, as JSON; and its steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.views.json import json_line, plain
from gradcalc.views.numbers import array_text, exact_text, number_text, rounded_text
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, aligned, cell, painted, render, wrapped
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.learning.climb import State
    from gradcalc.learning.problem import Bound
    from gradcalc.learning.search import Search

SCHEMA = 1

STOPS = {
    "tolerance": "the gradient is short enough",
    "steps": "all steps are made",
    "still": "no step makes it better",
    "interrupted": "it was interrupted",
    "diverging": "the rate is too large",
    "unbounded": "there is no end",
    "stationary": "a top or saddle, no minimum",
    "overflow": "the gradient is too large",
    "not finite": "it met nan or inf",
}
"""Why a search ended, in the table of starts."""

END_ROWS = 50
"""How many rows stay at each end of a long table."""
LONGEST_OUTPUT = 200


def search_text(search: Search, surface: Surface, digits: int | None = None, every_row: bool = False) -> str:
    """A whole search: the value before and after, how it went, and the inputs."""
    text = painted(heading(search, surface), surface) + "\n"
    text += render(_inputs_table(search, surface, digits or 10), surface)
    if len(search.found.outcomes) > 1:
        text += "\n" + render(_starts_table(search, surface, digits or 10, every_row), surface)
    return text


def heading(search: Search, surface: Surface) -> list[Cell]:
    """`x^2: from 9 to 0`, and how, and why it ended."""
    outcome = search.found.outcome
    output = cut(visible(search.output), surface.width - 30 if surface.terminal else LONGEST_OUTPUT)
    goal = _goal(search)
    title = search.method.title.replace("descent", "ascent") if search.found.problem.uphill else search.method.title
    how = f"{goal} by {title}"
    if search.rate is not None:
        how += f", rate {number_text(search.rate)}"
    steps = outcome.end.step
    how += f"; {steps} step{'' if steps == 1 else 's'}: {outcome.stop.words}"
    start, end = (number_text(state.value) for state in (outcome.start, outcome.good))
    lines: list[Sequence[Span]] = [
        (Span(output, "strong"), Span(" = "), Span(end, "value"), Span(f", from {start}")),
        cell(how),
    ]
    before, after = outcome.start.norm, _end_norm(search)
    if not math.isnan(after):
        from_words = "" if math.isnan(before) else f", from {rounded_text(before, 6)}"
        held = ", without what pushes against a bound" if _held(search) else ""
        lines.append(cell(f"length of the gradient{held}{':' if held else ''} {rounded_text(after, 6)}{from_words}", "quiet"))
    if len(search.found.outcomes) > 1:
        lines.append(cell(f"the best of {len(search.found.outcomes)} starts; seed {search.seed}", "quiet"))
    elif search.seed_drawn:
        lines.append(cell(f"seed {search.seed}", "quiet"))
    return [part for line in lines for part in wrapped(_shown(line, surface), surface.width)]


def _goal(search: Search) -> str:
    """`minimized`, but only what came to a minimum; after a failure `failed minimizing`."""
    uphill, stop = search.found.problem.uphill, search.found.outcome.stop
    done, under_way = ("maximized", "maximizing") if uphill else ("minimized", "minimizing")
    if stop.failed:
        return f"failed {under_way}"
    return under_way if stop.short or stop.kind in ("steps", "interrupted") else done


def _end_norm(search: Search) -> float:
    """The length of the gradient at the end, also for methods that take none."""
    found, end = search.found, search.found.outcome.good
    if not math.isnan(end.norm) or found.slopes is None:
        return end.norm
    return found.problem.norm(found.problem.free(end.values, found.slopes))


def _held(search: Search) -> bool:
    """Whether a bound holds back what the gradient asks for."""
    found, end = search.found, search.found.outcome.good
    if found.slopes is None or not found.problem.bounds:
        return False
    problem = found.problem
    return problem.norm(problem.free(end.values, found.slopes)) != problem.norm(found.slopes)


def _shown(line: Sequence[Span], surface: Surface) -> Sequence[Span]:
    return line if surface.unicode else [Span(to_ascii(span.text), span.style) for span in line]


def _inputs_table(search: Search, surface: Surface, digits: int) -> Table:
    """The inputs before and after, in as many digits as there is room for."""
    outcome, slopes = search.found.outcome, search.found.slopes
    table = Table()
    for precision, room in ((digits, 48), (min(digits, 8), 30), (min(digits, 6), 20), (min(digits, 5), 14)):
        table = Table()
        names = [cut(visible(name), max(12, surface.width // 4)) for name in search.names]
        table.add("input", [cell(name, "name") for name in names])
        add_values(table, "start", outcome.start.values, precision, room)
        end = "end" if outcome.good.step == outcome.end.step else "last good" if outcome.stop.failed else "best"
        add_values(table, end, outcome.good.values, precision, room, "value")
        if slopes is not None:
            add_values(table, "gradient", slopes, precision, room, "gradient")
        if search.found.problem.bounds:
            bounds = zip(search.found.problem.bounds, outcome.good.values)
            table.add("bound", [cell(bound_text(bound, value), "quiet") for bound, value in bounds])
        if not surface.unicode:
            table.make_ascii()
        if table.width() <= surface.width:
            break
    return table


def bound_text(bound: Bound | None, value: Any) -> str:
    """A bound, and whether the value has come to one of its ends."""
    if bound is None:
        return ""
    ends = [value] if isinstance(value, (float, int)) else [float(value.min()), float(value.max())]
    reached = any(end in (bound.low, bound.high) for end in ends)
    return f"{number_text(bound.low)}..{number_text(bound.high)}" + (", reached" if reached else "")


def add_values(table: Table, title: str, values: Sequence[Any], digits: int, room: int, style: str = "") -> None:
    """A column of numbers, or of numbers and arrays."""
    texts = [
        rounded_text(value, digits) if isinstance(value, (float, int)) else array_text(value, min(digits, 6), room)
        for value in values
    ]
    right = all(isinstance(value, (float, int)) for value in values)
    table.add(title, [cell(text, style) for text in (aligned(texts) if right else texts)], right=right)


def _starts_table(search: Search, surface: Surface, digits: int, every_row: bool) -> Table:
    outcomes = list(search.found.outcomes)
    numbers = list(range(1, len(outcomes) + 1))
    table = Table()
    shown = shortened(len(outcomes), every_row)
    table.add("#", [cell(str(numbers[place]), "quiet") for place in shown], right=True)
    add_values(table, "at the start", [outcomes[place].start.value for place in shown], digits, 20)
    add_values(table, "at the end", [outcomes[place].good.value for place in shown], digits, 20, "value")
    table.add("steps", [cell(str(outcomes[place].end.step)) for place in shown], right=True)
    stops = [outcomes[place].stop for place in shown]
    table.add("stopped, because", [cell(STOPS[stop.kind], "mismatch" if stop.failed else "") for stop in stops])
    mark_gap(table, len(outcomes), surface, every_row)
    return table


def shortened(count: int, every_row: bool) -> list[int]:
    """Which rows of so many are shown."""
    if every_row or count <= 2 * END_ROWS:
        return list(range(count))
    return [*range(END_ROWS), *range(count - END_ROWS, count)]


def mark_gap(table: Table, count: int, surface: Surface, every_row: bool) -> None:
    """Say in a table that rows of its middle are left out, if they are."""
    if not every_row and count > 2 * END_ROWS:
        table.gap_after = END_ROWS
        left_out = count - 2 * END_ROWS
        table.gap_words = f"{'…' if surface.unicode else '...'} {left_out} more rows: --all shows them"


def search_document(search: Search) -> dict[str, Any]:
    """A search as JSON: `inputs` are the final values, `start` is where the best start began."""
    found, outcome = search.found, search.found.outcome
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "output": search.output,
        "goal": "maximize" if found.problem.uphill else "minimize",
        "method": search.method.name,
        "rate": search.rate,
        "seed": search.seed,
        "value": outcome.good.value,
        "inputs": _named(search.names, outcome.good.values),
        "gradients": {} if found.slopes is None else _named(search.names, found.slopes),
        "gradient_norm": _number(_end_norm(search)),
        "steps": outcome.end.step,
        "stopped": outcome.stop.kind,
        "reason": outcome.stop.words,
        "start": {
            "value": outcome.start.value,
            "inputs": _named(search.names, outcome.start.values),
            "gradient_norm": _number(outcome.start.norm),
        },
        "warnings": search.warnings,
    }
    if len(found.outcomes) > 1:
        document["starts"] = [
            {
                "start": _named(search.names, one.start.values),
                "value": one.good.value,
                "inputs": _named(search.names, one.good.values),
                "steps": one.end.step,
                "stopped": one.stop.kind,
            }
            for one in found.outcomes
        ]
    return document


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in zip(names, values)}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def search_rows(search: Search) -> str:
    """A search as CSV: the output, the inputs, how it went, and every start if there were several."""
    found, outcome, slopes = search.found, search.found.outcome, search.found.slopes
    rows: list[tuple[Any, ...]] = [("output", "", outcome.start.value, outcome.good.value, None)]
    ends = zip(search.names, outcome.start.values, outcome.good.values, slopes or [None] * len(search.names))
    rows += [("input", *values) for values in ends]
    rows += [
        ("run", "steps", None, outcome.end.step, None),
        ("run", "gradient_norm", _number(outcome.start.norm), _number(_end_norm(search)), None),
        ("run", "stopped", None, outcome.stop.kind, None),
    ]
    if len(found.outcomes) > 1:
        rows += [("start", str(number), one.start.value, one.good.value, None) for number, one in enumerate(found.outcomes, 1)]
    return "".join(",".join(map(field, (search.output, *row))) + "\n" for row in rows)


ROWS_HEADER = "output,kind,name,start,end"
"""The head of what optimize, train and fit write as CSV; kind is `output`, `input`, `run` or `start`."""

SEARCH_HEADER = f"{ROWS_HEADER},gradient\n"


def field(value: Any) -> str:
    """A field of CSV: a text, a number in full precision, an array in the language's syntax, or nothing."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else exact_text(value)
    if any(character in text for character in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def step_header(names: Sequence[str]) -> str:
    """The head of the steps of a search as CSV."""
    return ",".join(["output", "start", "step", "value", "gradient_norm", *map(field, names)]) + "\n"


def step_row(output: str, number: int, state: State) -> str:
    """One step as CSV."""
    length = _number(state.norm)
    return ",".join(map(field, [output, number + 1, state.step, state.value, length, *state.values])) + "\n"


def step_line(output: str, names: Sequence[str], number: int, state: State, unicode: bool) -> str:
    """One step as a line of JSON."""
    document = {
        "output": output,
        "start": number + 1,
        "step": state.step,
        "value": state.value,
        "gradient_norm": _number(state.norm),
        "inputs": _named(names, state.values),
    }
    return json_line(document, unicode)


def steps_text(
    steps: Sequence[tuple[int, State]], names: Sequence[str], surface: Surface, digits: int | None, every_row: bool
) -> str:
    """The steps of a search as a table; of inputs that are arrays there is no column."""
    shown = [steps[place] for place in shortened(len(steps), every_row)]
    table = Table()
    if any(number for number, _ in steps):
        table.add("start", [cell(str(number + 1), "quiet") for number, _ in shown], right=True)
    table.add("step", [cell(str(state.step), "quiet") for _, state in shown], right=True)
    states = [state for _, state in shown]
    add_values(table, "value", [state.value for state in states], digits or 10, 20, "value")
    if not any(math.isnan(state.norm) for state in states):
        add_values(table, "gradient", [state.norm for state in states], digits or 6, 20, "gradient")
    for place, name in enumerate(names):
        if all(isinstance(state.values[place], float) for state in states):
            before = table.width()
            values = [state.values[place] for state in states]
            if before + 14 > surface.width:
                break
            add_values(table, visible(name), values, digits or 8, 20)
    mark_gap(table, len(steps), surface, every_row)
    if not surface.unicode:
        table.make_ascii()
    return render(table, surface)
