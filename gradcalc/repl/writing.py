"""Writes a session down as a program: for a file, and for the commands that work on it.

What `_` means is written out, in brackets or under a name of its own. Draws of random numbers are written as their values, so that
the program evaluates to what the session has shown.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from gradcalc.language.program import Assigned, Defined
from gradcalc.language.scanner import Piece, scan
from gradcalc.repl.session import Cell, Session
from gradcalc.repl.statements import LAST, rewritten, source_of, uses_of
from gradcalc.views.numbers import exact_text

INLINE = 80
"""Up to so many characters the expression that `_` means is written out where it is used."""

Change = tuple[int, int, str]


class Line(NamedTuple):
    """A statement as it is written down."""

    cell: Cell
    text: str


class Written(NamedTuple):
    """Statements as they are written down.

    Attributes:
        lines: each with its text.
        names: the names of those expressions that others refer to by name.
        remarks: what could not be written so that it evaluates to the same.
    """

    lines: list[Line]
    names: dict[int, str]
    remarks: list[str]


def saved_text(session: Session) -> tuple[str, list[str]]:
    """The session as a program that evaluates to the same results; and what could not be written so that it does."""
    written = _write(session, session.state.cells)
    lines = []
    for cell, text in written.lines:
        name = written.names.get(cell.number)
        lines += [text] if name is None else [f"{name} = {text}", name]
    return "".join(line + "\n" for line in lines), written.remarks


def program_for(session: Session, expression: str | None) -> tuple[str, str, dict[str, Any]]:
    """The program that a command works on: the definitions, the expression, and the values of inputs drawn at random.

    Args:
        session: the session.
        expression: the command's own; without one, the subject of the session is meant.
    """
    subject = session.subject
    if expression is None and subject is None:
        return "", "", {}
    values = {cell.uses.target: session.value(cell) for cell in session.state.cells if _is_drawn_input(session, cell)}
    own = [] if expression is None else _own_cells(session, expression)
    written = _write(session, [*session.state.cells, *own], values)
    texts = {cell.number: text for cell, text in written.lines}
    definitions = []
    for cell in session.state.cells:
        if cell.uses.target:
            definitions.append(texts[cell.number])
        elif cell.number in written.names and _is_needed(cell, session.state.cells, own):
            definitions.append(f"{written.names[cell.number]} = {texts[cell.number]}")
    if subject is not None and not own:
        target = subject.uses.target or written.names.get(subject.number) or texts[subject.number]
    else:
        target = "; ".join(texts[cell.number] for cell in own)
    return "".join(line + "\n" for line in definitions), target, values


def _is_needed(cell: Cell, cells: Sequence[Cell], own: Sequence[Cell]) -> bool:
    """Whether a definition, or an expression of the command's own, refers to an expression."""
    return any(other.previous == cell.number for other in (*cells, *own))


def _is_drawn_input(session: Session, cell: Cell) -> bool:
    statement = session.statement(cell)
    return isinstance(statement, Assigned) and statement.is_input and bool(session.drawn(cell))


def _own_cells(session: Session, expression: str) -> list[Cell]:
    """The statements that stand behind a command, which are no part of the session; what is wrong with them shows later."""
    cells = []
    for number, piece in enumerate(scan(expression), 1):
        uses = uses_of(piece)
        # What stands behind an error of the scanner's is kept as it is.
        whole = Piece(piece.block, piece.start, piece.end)
        previous = session.state.last if LAST in uses.names else None
        cells.append(Cell(-number, whole, uses, previous, 0))
    return cells


def _write(session: Session, cells: Sequence[Cell], given: Container[str] = ()) -> Written:
    """Write down statements; the draws of inputs whose values are given stay as they are."""
    remarks: list[str] = []
    texts: dict[int, str] = {}
    names: dict[int, str] = {}
    known = session.workspace.program.known
    lines = []
    for cell in cells:
        changes = [] if cell.uses.target in given or cell.number < 0 else _draw_changes(session, cell, remarks)
        previous = cell.previous
        if previous is not None and previous in texts:
            places = cell.uses.names[LAST]
            words = names.get(previous) or ""
            if not words and len(places) == 1 and _fits_inside(session, session.cell(previous), texts[previous]):
                words = _bracketed(texts[previous])
            elif not words:
                words = names[previous] = _free_name(known, names.values())
            changes += [(*span, words) for span in places]
        text = source_of(rewritten(cell.piece, changes)) if changes else source_of(cell.piece)
        texts[cell.number] = text
        lines.append(Line(cell, text))
    return Written(lines, names, remarks)


def _fits_inside(session: Session, cell: Cell, text: str) -> bool:
    """Whether an expression can stand inside another one: a draw must not be drawn twice, and a comment would end the line."""
    return len(text) <= INLINE and not session.drawn(cell) and "#" not in text


def _bracketed(text: str) -> str:
    """An expression that can stand anywhere in another one."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and position < len(text) - 1 and not text.isidentifier():
            return f"({text})"
    return text


def _free_name(known: Container[str], taken: Container[str]) -> str:
    """A name like `_1` that nothing has."""
    number = 1
    while f"{LAST}{number}" in known or f"{LAST}{number}" in taken:
        number += 1
    return f"{LAST}{number}"


def _draw_changes(session: Session, cell: Cell, remarks: list[str]) -> list[Change]:
    """The values of a statement's draws in the places of their calls; a remark where that cannot be done."""
    program, changes = session.workspace.program, []
    statement = session.statement(cell)
    if isinstance(statement, Defined):
        if program.gates[statement.name].random:
            remarks.append(f"{statement.name} draws anew in every run: give eval a --seed to repeat one")
        return []
    for node in session.drawn(cell):
        gate = program.graph.operator(node).gate
        if gate is not None and gate.body is None:
            start, end = program.sheet.starts[node], program.sheet.ends[node]
            changes.append((start, end, exact_text(session.workspace.value(node, node))))
    return changes
