"""What is answered at kinks, beside the slopes of the two sides and the answers of other libraries: for people, and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import number_text, short_text
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, cell, painted, render, wrapped
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.checking.conventions import Kink, Side
    from gradcalc.gates.conventions import Answer

ROOM = 110
LONGEST = 40


def conventions_text(kinks: Sequence[Kink], surface: Surface) -> str:
    """Every kink on the way to an output."""
    if not kinks:
        return _text([cell("No gate is at a kink or an edge here: every derivative is one.", "quiet")], surface)
    pieces = []
    for kink in kinks:
        lines = list(_heading(kink, surface))
        if not kink.sides and kink.others:
            words = ", ".join(f"{library} {answer}" for library, answer in kink.others.items())
            lines += wrapped(cell(f"  elsewhere: {words}"), _room(surface))
        text = _text(lines, surface)
        if kink.sides:
            table = _answers(kink)
            if table.width() + 2 > _room(surface):
                table = _turned(table)
            text += _indented(table, surface)
        pieces.append(text)
    return "\n".join(pieces)


def _room(surface: Surface) -> int:
    return surface.width if surface.terminal else ROOM


def _text(lines: Sequence[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
    return painted(lines, surface)


def _heading(kink: Kink, surface: Surface) -> Iterator[Cell]:
    name = cut(visible(kink.name), LONGEST)
    where = ""
    if kink.elements is not None:
        where = f", in {kink.elements} element{'s' if kink.elements > 1 else ''}"
    spans = (
        Span(name, "name"),
        Span(": "),
        Span(f"{kink.gate.name} has {'a kink' if kink.kind == 'kink' else 'an edge'} here{where}", kink.kind),
        Span(f" ({kink.words})"),
    )
    yield from wrapped(spans, _room(surface))


def _turned(table: Table) -> Table:
    """The table with its rows as columns, for narrow places."""
    turned = Table()
    heads, *bodies = zip(*table.rows)
    turned.add("slope in", [cell(column.title) for column in table.columns[1:]])
    for number, head in enumerate(heads):
        turned.add(head[0].text, [row[number] for row in bodies], right=True)
    return turned


def _answers(kink: Kink) -> Table:
    """A row for each input of the gate: the slopes of its sides, our answer, those of others."""
    libraries = list(dict.fromkeys(library for side in kink.sides for library in side.others))
    table = Table()
    table.add("slope in", [cell(cut(visible(kink.sources[side.position]), 20), "name") for side in kink.sides])
    table.add("at", [cell(short_text(kink.inputs[side.position], 6)) for side in kink.sides], right=True)
    table.add("left", [cell(_slope(side.left)) for side in kink.sides], right=True)
    table.add("right", [cell(_slope(side.right)) for side in kink.sides], right=True)
    table.add("gradcalc", [cell(_slope(side.answer, "nan"), "gradient") for side in kink.sides], right=True)
    for library in libraries:
        table.add(library, [cell(_answer(side, library)) for side in kink.sides], right=True)
    return table


def _slope(value: float, missing: str = "none") -> str:
    return missing if math.isnan(value) else short_text(value, 6)


def _answer(side: Side, library: str) -> str:
    answer = side.others.get(library)
    return "" if answer is None else answer if isinstance(answer, str) else _slope(answer, "nan")


def _indented(table: Table, surface: Surface) -> str:
    if not surface.unicode:
        table.make_ascii()
    narrower = surface._replace(width=max(20, surface.width - 2))
    return "".join(f"  {line}\n" for line in render(table, narrower).splitlines())


def conventions_document(kinks: Sequence[Kink]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [
        {
            "node": kink.name,
            "gate": kink.gate.name,
            "kind": kink.kind,
            "words": kink.words,
            **({"elements": kink.elements} if kink.elements is not None else {}),
            "inputs": [
                {
                    "name": kink.sources[side.position],
                    "at": kink.inputs[side.position],
                    "left": _known(side.left),
                    "right": _known(side.right),
                    "gradcalc": side.answer,
                    **{library: _told(answer) for library, answer in side.others.items()},
                }
                for side in kink.sides
            ],
            **({"elsewhere": dict(kink.others)} if kink.others else {}),
        }
        for kink in kinks
    ]


def _known(slope: float) -> float | None:
    return None if math.isnan(slope) else slope


def _told(answer: Answer) -> Any:
    return number_text(answer) if isinstance(answer, float) and not math.isfinite(answer) else answer
