"""An exercise as text: the circuit with its inputs, the marks, and the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from gradcalc.views.answer import PLAIN_WIDTH
from gradcalc.views.numbers import short_text
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell, painted, wrapped
from gradcalc.views.text import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Step(Protocol):
    """A gate of a circuit."""

    @property
    def name(self) -> str:
        """The name of its result."""

    @property
    def formula(self) -> str:
        """What it computes."""


class Circuit(Protocol):
    """What is shown of an exercise."""

    @property
    def inputs(self) -> Mapping[str, float]:
        """The inputs with their values."""

    @property
    def steps(self) -> Sequence[Step]:
        """The gates in order."""


class Mark(Protocol):
    """What is said about an answer; see `gradcalc.repl.marking.Mark`."""

    @property
    def name(self) -> str:
        """The node."""

    @property
    def kind(self) -> str:
        """right, broken, follows or missing."""

    @property
    def right(self) -> float:
        """The right number."""

    @property
    def words(self) -> str:
        """Why."""


SIGNS = {"right": ("✓", "ok"), "broken": ("✗", "mismatch"), "follows": ("→", "kink"), "missing": ("–", "off")}
PLAIN_SIGNS = {"right": "right", "broken": "wrong", "follows": "follows", "missing": "none"}


def circuit_text(circuit: Circuit, title: str, surface: Surface) -> str:
    """The title, the inputs and the gates."""
    room = max(len(step.name) for step in circuit.steps)
    lines: list[Cell] = [cell(title, "strong"), cell("")]
    lines.append(
        tuple(
            span
            for name, value in circuit.inputs.items()
            for span in (Span("  "), Span(name, "name"), Span(" = "), Span(short_text(value, 6), "value"), Span("   "))
        )
    )
    for step in circuit.steps:
        lines.append((Span("  "), Span(step.name.rjust(room), "name"), Span(f" = {step.formula}")))
    lines += [cell(""), cell("Forwards: the value of each gate.")]
    return _text(lines, surface)


BANNER = (
    "An answer is a number (three digits are enough) or an expression, in which the names of the circuit may stand: 2*x. "
    "Enter alone shows the answer, ? these words, and Ctrl-D ends."
)


def banner_text(surface: Surface) -> str:
    """How one answers."""
    return _text(list(wrapped(cell(BANNER), _room(surface), 0)), surface)


def backwards_text(surface: Surface) -> str:
    """What is asked for in the second half of an exercise."""
    words = "Backwards, from df/df = 1 and with the right values: the gradient of f by each node."
    return _text(list(wrapped(cell(words), _room(surface), 2)), surface)


def marks_text(marks: Sequence[Mark], question: str, surface: Surface) -> str:
    """One line if all is right, else a line for each answer that is not."""
    if not marks:
        return ""
    wrong = [mark for mark in marks if mark.kind != "right"]
    if not wrong:
        sign = (_sign("right", surface), Span(" ")) if surface.unicode else ()
        return _text([(Span("  "), *sign, Span("all right"))], surface)
    lines: list[Cell] = []
    broken = next((mark for mark in marks if mark.kind == "broken"), None)
    if broken is not None:
        lines += wrapped((Span("  The chain broke at "), Span(broken.name, "name"), Span(".")), _room(surface), 4)
    for mark in wrong:
        words = f"{question.format(mark.name)}{short_text(mark.right, 6)}"
        told = mark.words if mark.words.startswith(question.format(mark.name)) else f"{words}; {mark.words}"
        lines += wrapped((Span("  "), _sign(mark.kind, surface), Span(f" {told}")), _room(surface), 4)
    return _text(lines, surface)


def score_text(right: int, asked: int, solved: int, circuits: int, surface: Surface) -> str:
    """The score at the end."""
    if not asked:
        return _text([cell("No answers, no score.")], surface)
    share = f"{right} of {asked} number{'' if asked == 1 else 's'} right"
    done = f", {solved} of {circuits} circuit{'' if circuits == 1 else 's'} without a mistake" if circuits else ""
    return _text([(Span("Score: "), Span(share, "ok" if right == asked else "strong"), Span(done + "."))], surface)


def _sign(kind: str, surface: Surface) -> Span:
    sign, style = SIGNS[kind]
    return Span(sign if surface.unicode else PLAIN_SIGNS[kind], style)


def _room(surface: Surface) -> int:
    return surface.width if surface.terminal else PLAIN_WIDTH


def _text(lines: Sequence[Cell] | Iterator[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
    return painted(lines, surface)
