"""What a training run came to: as a table, as CSV, as JSON; and its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.views.json import json_line, plain
from gradcalc.views.numbers import array_text, number_text
from gradcalc.views.search import LONGEST_OUTPUT, ROWS_HEADER, add_values, bound_text, field, mark_gap, shortened
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, cell, painted, render, wrapped
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.learning.problem import Bound
    from gradcalc.learning.training import Epoch

SCHEMA = 1

PRECISION, WIDEST = 6, 48
"""The digits of the elements of an array in a table, and the room that it has at most."""


class Trained(NamedTuple):
    """A training run that is over.

    Attributes:
        output: what was made small, in the language.
        names: of the parameters.
        start: their values in the beginning.
        end: their values now.
        first_loss: the loss over all rows that were learned from, in the beginning.
        loss: the same now.
        history: every epoch.
        metrics: the names of what was told beside the loss.
        method: how steps were made, in words, and its name.
        rate: their size.
        steps: how many were made.
        batch: rows in a batch.
        rows: how many rows were learned from, and how many held out.
        seed: what random numbers were drawn from.
        seed_drawn: whether the run depends on it, and nobody has given it.
        bounds: for each parameter its bound, or None; empty where there are none.
        failed: whether the run came to no good end.
        saved: the file that holds the run, if one does.
        warnings: what deserves attention.
    """

    output: str
    names: Sequence[str]
    start: Sequence[Any]
    end: Sequence[Any]
    first_loss: float
    loss: float
    history: Sequence[Epoch]
    metrics: Sequence[str]
    method: tuple[str, str]
    rate: float
    steps: int
    batch: int
    rows: tuple[int, int]
    seed: int
    seed_drawn: bool
    bounds: Sequence[Bound | None]
    failed: bool
    saved: str | None
    warnings: Sequence[str]


def trained_text(run: Trained, surface: Surface, digits: int | None = None) -> str:
    """A whole run: the loss before and after, how it went, and the parameters."""
    text = painted(_heading(run, surface), surface) + "\n"
    table = Table()
    for precision, room in ((digits or 10, WIDEST), (min(digits or 10, 6), 36), (min(digits or 10, 5), 24), (4, 14)):
        table = Table()
        table.add("input", [cell(cut(visible(name), max(12, surface.width // 4)), "name") for name in run.names])
        add_values(table, "start", run.start, precision, room)
        add_values(table, "end", run.end, precision, room, "value")
        if run.bounds:
            table.add("bound", [cell(bound_text(*pair), "quiet") for pair in zip(run.bounds, run.end)])
        if not surface.unicode:
            table.make_ascii()
        if table.width() <= surface.width:
            break
    return text + render(table, surface)


def shown_in_part(names: Sequence[str], values: Sequence[Any]) -> list[str]:
    """Which of these a table cannot show whole."""
    texts = {
        name: array_text(value, PRECISION, WIDEST) for name, value in zip(names, values) if not isinstance(value, (float, int))
    }
    return [name for name, text in texts.items() if not text.startswith("[") or "…" in text]


def counted(rows: int) -> str:
    """`1 row`, `1,797 rows`."""
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _heading(run: Trained, surface: Surface) -> list[Cell]:
    output = cut(visible(run.output), surface.width - 30 if surface.terminal else LONGEST_OUTPUT)
    learned, held = run.rows
    batches = -(-learned // run.batch)
    epochs = run.history[-1].number if run.history else 0
    parts = f"{batches:,} batches of {counted(run.batch)}" if batches > 1 else counted(learned)
    done = "failed training" if run.failed else "trained"
    went = f"{epochs:,} epoch{'' if epochs == 1 else 's'} of {parts}"
    lines: list[Sequence[Span]] = [
        (Span(output, "strong"), Span(" = "), Span(number_text(run.loss), "value"), Span(f", from {number_text(run.first_loss)}")),
        cell(f"{done} by {run.method[0]}, rate {number_text(run.rate)}: {went}"),
    ]
    if run.history:
        last = run.history[-1]
        told = [] if last.held_out is None else [f"loss {number_text(last.held_out)}"]
        told += [f"{name} {number_text(value)}" for name, value in zip(run.metrics, last.metrics)]
        if told:
            where = f"on {counted(held)} held out" if held else "on all rows"
            lines.append(cell(f"{where}: {', '.join(told)}"))
    if run.seed_drawn:
        lines.append(cell(f"seed {run.seed}", "quiet"))
    if run.saved is not None:
        lines.append(cell(f"saved in {visible(run.saved)}: gradcalc eval … --bindings {visible(run.saved)}", "quiet"))
    shown = [line if surface.unicode else [Span(to_ascii(span.text), span.style) for span in line] for line in lines]
    return [part for line in shown for part in wrapped(line, surface.width)]


def trained_document(run: Trained) -> dict[str, Any]:
    """A run as JSON: `inputs` are the learned values."""
    last = run.history[-1] if run.history else None
    return {
        "schema": SCHEMA,
        "output": run.output,
        "loss": run.loss,
        "start": {"loss": run.first_loss},
        "held_out": None if last is None else last.held_out,
        "metrics": {} if last is None else dict(zip(run.metrics, last.metrics)),
        "method": run.method[1],
        "rate": run.rate,
        "batch": run.batch,
        "rows": run.rows[0],
        "rows_held_out": run.rows[1],
        "seed": run.seed,
        "epochs": 0 if last is None else last.number,
        "steps": run.steps,
        "inputs": {name: plain(value) for name, value in zip(run.names, run.end)},
        "warnings": list(run.warnings),
    }


def trained_rows(run: Trained) -> str:
    """A run as CSV: the loss, the parameters, and how it went."""
    last = run.history[-1] if run.history else None
    rows: list[tuple[Any, ...]] = [("output", "", run.first_loss, run.loss)]
    rows += [("input", *values) for values in zip(run.names, run.start, run.end)]
    rows += [("run", "epochs", None, 0 if last is None else last.number), ("run", "steps", None, run.steps)]
    if last is not None and last.held_out is not None:
        rows.append(("run", "held_out", None, last.held_out))
    rows += [("metric", name, None, value) for name, value in zip(run.metrics, () if last is None else last.metrics)]
    return TRAINED_HEADER + "".join(",".join(map(field, (run.output, *row))) + "\n" for row in rows)


TRAINED_HEADER = f"{ROWS_HEADER}\n"


def epoch_header(metrics: Sequence[str]) -> str:
    """The head of epochs as CSV."""
    return ",".join(["epoch", "loss", "held_out", *map(field, metrics)]) + "\n"


def epoch_row(epoch: Epoch) -> str:
    """An epoch as CSV."""
    return ",".join(map(field, [epoch.number, epoch.loss, epoch.held_out, *epoch.metrics])) + "\n"


def epoch_line(epoch: Epoch, metrics: Sequence[str], unicode: bool) -> str:
    """An epoch as a line of JSON."""
    document = {
        "epoch": epoch.number,
        "loss": epoch.loss,
        "held_out": epoch.held_out,
        "metrics": dict(zip(metrics, epoch.metrics)),
    }
    return json_line(document, unicode)


def epochs_text(history: Sequence[Epoch], metrics: Sequence[str], surface: Surface, digits: int | None, every_row: bool) -> str:
    """The epochs of a run as a table."""
    shown = [history[place] for place in shortened(len(history), every_row)]
    table = Table()
    table.add("epoch", [cell(str(epoch.number), "quiet") for epoch in shown], right=True)
    add_values(table, "loss", [epoch.loss for epoch in shown], digits or 10, 20, "value")
    if shown and shown[0].held_out is not None:
        add_values(table, "held out", [epoch.held_out for epoch in shown], digits or 10, 20)
    for place, name in enumerate(metrics):
        add_values(table, visible(name), [epoch.metrics[place] for epoch in shown], digits or 8, 20)
    mark_gap(table, len(history), surface, every_row)
    if not surface.unicode:
        table.make_ascii()
    return render(table, surface)
