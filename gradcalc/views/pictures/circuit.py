"""A result as a circuit: which parts there are, and what is written in them and at their wires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.dialects.circuit import CONSTANT, GATE, INPUT, Circuit, Part, fold
from gradcalc.errors import LimitProblem
from gradcalc.gates import REGISTRY
from gradcalc.gates.record import Gate
from gradcalc.views.numbers import array_text, rounded_text, short_text
from gradcalc.views.text import cut, visible

if TYPE_CHECKING:
    from gradcalc.workspace import NodeReport, Result

MOST_PARTS = 100_000
"""Larger results are not even written as text."""
SYMBOL_ROOM = 16
"""How many characters a symbol may have before constants get wires of their own."""
NAME_ROOM = 24
ARRAY_ROOM = 18
WORDS_ROOM = 120
"""How many characters names, and arrays at a wire and in the words about a part may have."""
WORDS_DIGITS = 10
ARRAY_DIGITS = 3
"""How many digits the numbers of an array have; where numbers are to have fewer, its shape has to do."""


def circuit_of(result: Result, digits: int = 4, limit: int = MOST_PARTS) -> Circuit:
    """The circuit of a result.

    Constants are written into the gate that they belong to (`+1`, `1/x`), where there is room.

    Args:
        result: what to show, with values or without.
        digits: how many significant digits values and gradients have.
        limit: how many nodes it may have.

    Raises:
        LimitProblem: it has more.
    """
    count = len(result.nodes)
    if count > limit:
        raise LimitProblem(
            f"{cut(visible(result.output), NAME_ROOM)} has {count:,} nodes, too many for a picture (up to {limit:,})",
            remedy="gradcalc eval --format csv lists them; or show a part of it: make a named node the output",
        )
    maker = _Maker(list(result.nodes), digits)
    return Circuit(visible(result.output), maker.parts())


def folded(result: Result, circuit: Circuit) -> Circuit | None:
    """A smaller circuit of the same result: opened gates closed again, or else each named node one part; None if there is none."""
    reports = list(result.nodes)
    own = [reports[part.node] for part in circuit.parts]
    if any(report.inside for report in own):
        kept = [not report.inside for report in own]
        symbols = [visible(report.opened) or part.symbol for report, part in zip(own, circuit.parts)]
    else:
        kept = [report.named for report in own]
        symbols = [part.name or part.symbol for part in circuit.parts]
        symbols[-1] = circuit.parts[-1].name or "output"
    smaller = fold(circuit, kept, symbols)
    gates = sum(part.kind not in (INPUT, CONSTANT) for part in smaller.parts)
    return smaller if gates >= 2 and len(smaller.parts) < len(circuit.parts) else None


class _Maker:
    """Makes the parts of a circuit from the rows of a result."""

    def __init__(self, reports: Sequence[NodeReport], digits: int) -> None:
        self.reports = reports
        self.digits = digits
        self._parts: list[Part] = []
        self._places: dict[int, int] = {}

    def parts(self) -> tuple[Part, ...]:
        for report in self.reports:
            if report.gate != CONSTANT or report is self.reports[-1]:
                self._add(report)
        return tuple(self._parts)

    def _add(self, report: NodeReport) -> None:
        if report.gate == CONSTANT:
            self._append(report, self._written(report), ())
            return
        inputs = [self.reports[number] for number in report.inputs]
        constants = {place: text for place, text in enumerate(map(self._constant, inputs)) if text is not None}
        gate = gate_of(report)
        symbol = symbol_of(report.gate, gate, len(inputs), constants)
        if constants and (len(constants) == len(inputs) or len(symbol) > SYMBOL_ROOM):
            constants = {}
            symbol = symbol_of(report.gate, gate, len(inputs), {})
        wires = [source for place, source in enumerate(inputs) if place not in constants]
        for source in wires:
            if source.id not in self._places:
                self._append(source, self._written(source), ())
        ordered = len(wires) > 1 and not (gate is not None and gate.commutative)
        self._append(report, symbol, tuple(self._places[source.id] for source in wires), ordered)

    def _append(self, report: NodeReport, symbol: str, sources: tuple[int, ...], ordered: bool = False) -> None:
        leaf = report.gate in (INPUT, CONSTANT)
        name = cut(visible(report.name), NAME_ROOM) if report.named or report.gate == INPUT else ""
        self._places[report.id] = len(self._parts)
        self._parts.append(
            Part(
                node=report.id,
                kind=report.gate if leaf else GATE,
                symbol=name if report.gate == INPUT else symbol,
                sources=sources,
                name="" if leaf else name,
                value="" if report.gate == CONSTANT else self._value(report.value),
                gradient=self._value(report.gradient, shaped=False),
                ordered=ordered,
                words=_words(report),
            )
        )

    def _constant(self, report: NodeReport) -> str | None:
        """What is written in a gate in the place of a constant; None for all else, and for arrays."""
        if report.gate != CONSTANT or not isinstance(report.value, (float, int)):
            return None
        typed = visible(report.name)
        return typed if 0 < len(typed) <= 8 else short_text(report.value, self.digits)

    def _written(self, report: NodeReport) -> str:
        """What stands for a constant that has a wire of its own."""
        return self._constant(report) or self._value(report.value)

    def _value(self, value: Any, shaped: bool = True) -> str:
        if value is None:
            return ""
        if isinstance(value, (float, int)):
            return short_text(value, self.digits)
        if self.digits >= ARRAY_DIGITS:
            return array_text(value, ARRAY_DIGITS, ARRAY_ROOM, shaped)
        return "×".join(map(str, value.shape)) if shaped else array_text(value, 1, ARRAY_ROOM // 2, shaped)


def gate_of(report: NodeReport) -> Gate | None:
    """The record of a row's gate; None for gates of the user, inputs and constants."""
    return REGISTRY.find(report.gate, len(report.inputs)) if report.gate in REGISTRY else None


def symbol_of(name: str, gate: Gate | None, count: int, constants: Mapping[int, str]) -> str:
    """What stands in a gate: `*`, `+1`, `1/x`, `x^2`, `max`, `clip(x, 0, 1)`; x is what comes by the only wire.

    Args:
        name: of the gate.
        gate: its record, if it is not the user's.
        count: how many inputs it has.
        constants: the texts of those that are constants, by their place.
    """
    syntax = gate.syntax if gate is not None else None
    if syntax is not None and syntax.position == "prefix":
        return f"{syntax.symbol}x"
    if syntax is not None and syntax.position == "postfix":
        return "x[…]" if syntax.symbol == "[]" else f"x{syntax.symbol}"
    if not constants:
        return syntax.symbol if syntax is not None else visible(name)
    wire = "x" if count - len(constants) == 1 else "·"
    texts = [constants.get(place, wire) for place in range(count)]
    if syntax is None:
        return f"{visible(name)}({', '.join(texts)})"
    commutative = gate is not None and gate.commutative
    if syntax.level in (2, 3) and (1 in constants or commutative):
        return f"{syntax.symbol}{next(iter(constants.values()))}"
    return f"{texts[0]}{syntax.symbol}{texts[1]}"


def _words(report: NodeReport) -> str:
    """What there is to know about a row: the piece of source, and more digits than there is room for at a wire."""
    words = visible(report.name)
    if report.value is not None and report.gate != CONSTANT:
        words += f" = {_long(report.value)}"
    if report.gradient is not None:
        words += f"; gradient {_long(report.gradient)}"
    return words


def _long(value: Any) -> str:
    if isinstance(value, (float, int)):
        return rounded_text(value, WORDS_DIGITS)
    return array_text(value, WORDS_DIGITS // 2, WORDS_ROOM)
