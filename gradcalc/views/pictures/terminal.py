"""The picture of a result for the terminal: drawn with characters, as generously as there is room, or as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcalc.dialects.circuit import Circuit
from gradcalc.views.pictures.characters import Measures, drawing_lines
from gradcalc.views.pictures.circuit import circuit_of, folded
from gradcalc.views.pictures.drawing import is_drawable
from gradcalc.views.pictures.tree import tree_lines
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, cell, painted, wrapped
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.workspace import Result

PIPE_COLUMNS = 120
"""How wide a drawing may be where it is not shown on a terminal: what is wider can hardly be read anywhere."""
TREE_ROWS = 200
"""How many lines of a tree are shown, if not all are asked for."""
SMALLEST = 150
"""A circuit of more parts than this fits no terminal, so that drawing it is not tried."""

LAYOUTS = ((4, Measures(1, 1)), (3, Measures(1, 1)), (3, Measures(0, 1)), (2, Measures(0, 0)))
"""From the most generous to the narrowest: digits, and room."""


def terminal_text(result: Result, surface: Surface, digits: int | None = None, every_row: bool = False, tree: bool = False) -> str:
    """The picture of a result as text.

    What is too wide has fewer digits, then gates folded into named nodes, and at last the form of a tree.

    Args:
        result: what to show, with values or without.
        surface: where it will be shown.
        digits: how many significant digits numbers have; by default as many as there is room for.
        every_row: whether a long tree is shown to its end.
        tree: whether it is to be a tree in any case.
    """
    lines = list(_heading(result, surface))
    if result.value is None:
        lines += [*wrapped(cell(_plain(f"without numbers: {result.reason}", surface), "quiet"), _room(surface), 0), cell("")]
    if not tree:
        drawn = _drawn(result, surface, digits)
        if drawn is not None:
            return painted([*lines, *drawn], surface)
    circuit = circuit_of(result, digits or 4)
    where = surface if tree else surface._replace(width=_room(surface))
    lines += tree_lines(circuit, where, None if every_row else TREE_ROWS)
    if not tree:
        words = f"too large for {_room(surface)} columns, so it is a tree: from the output to the inputs"
        lines += _remarks((words,), surface, "circuit.svg" if is_drawable(circuit) else "circuit.dot")
    return painted(lines, surface)


def _heading(result: Result, surface: Surface) -> Iterator[Cell]:
    """The formula, where it is not the name that stands at the last gate."""
    last = result.nodes[-1]
    if not last.named and last.inputs:
        yield cell(cut(_plain(visible(result.output), surface), _room(surface), "…" if surface.unicode else ".."), "strong")
        yield cell("")


def _room(surface: Surface) -> int:
    return surface.width if surface.terminal else PIPE_COLUMNS


def _drawn(result: Result, surface: Surface, digits: int | None) -> list[Cell] | None:
    """The lines of the most generous drawing that fits; None if none does."""
    if len(result.nodes) > 8 * SMALLEST:
        return None
    circuit: Circuit | None = circuit_of(result, digits or 4)
    while circuit is not None:
        if len(circuit.parts) <= SMALLEST:
            for precision, measures in LAYOUTS:
                precise = circuit if digits or precision == LAYOUTS[0][0] else _with_digits(result, circuit, precision)
                lines, columns = drawing_lines(precise, surface, measures)
                if columns <= _room(surface):
                    fewer = precise.parts != circuit.parts
                    dropped = (f"numbers have {precision} digits, to fit into {_room(surface)} columns",) if fewer else ()
                    return [*lines, *_remarks((*circuit.remarks, *dropped), surface)]
        circuit = folded(result, circuit)
    return None


def _with_digits(result: Result, circuit: Circuit, digits: int) -> Circuit:
    """The same circuit with shorter numbers."""
    numbers = {part.node: part for part in circuit_of(result, digits).parts}
    parts = tuple(part._replace(value=numbers[part.node].value, gradient=numbers[part.node].gradient) for part in circuit.parts)
    return circuit._replace(parts=parts)


def _remarks(remarks: tuple[str, ...], surface: Surface, whole: str = "circuit.svg") -> Iterator[Cell]:
    """What is not as one would expect, and the file to write that has everything."""
    if remarks:
        words = "; ".join(remarks) + f"; -o {whole} shows everything"
        yield cell("")
        yield from wrapped(cell(_plain(words, surface), "quiet"), _room(surface), 0)


def _plain(text: str, surface: Surface) -> str:
    return text if surface.unicode else to_ascii(text)
