"""The statements of a session, which may be replaced and undone, and the program that they make at any time.

A session is kept as a sheet of statements in an order in which a file could hold them: what defines a name stands before what uses
it. So an input that is assigned again is one line replaced, everything that depends on it follows, and the sheet can be saved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from gradcalc.calculus.extract import dependencies
from gradcalc.errors import BindingProblem, GradcalcError, NameProblem
from gradcalc.graph import INPUT
from gradcalc.language.program import Assigned, Defined, Output, Program, Statement
from gradcalc.language.scanner import Piece
from gradcalc.repl.statements import LAST, Uses, rewritten, source_of, uses_of
from gradcalc.workspace import Options, Result, Workspace

SHORT_ARRAY = 1000
"""The elements of the largest array that is written into a statement that uses its own old value."""

CONTINUATION = re.compile(r"(?!\*\*=)([*/^%@×·÷<>]|==|!=|\.T(?!\w))")
"""What no expression begins with: a line that does goes on from the last result."""
SPACED_SIGN = re.compile(r"[-+−]\s")
"""So does a line that is typed with a blank behind its first sign; in a file it is a sum's sign for every command."""


class Cell(NamedTuple):
    """One statement of a session.

    Attributes:
        number: its own, for good.
        piece: its text.
        uses: the names in it.
        previous: the number of the expression that `_` means in it, if it has one.
        draws: how many draws of random numbers came before it, so that its own stay the same wherever it moves.
    """

    number: int
    piece: Piece
    uses: Uses
    previous: int | None
    draws: int

    @property
    def key(self) -> tuple[bool, str]:
        """What it defines: whether that is a gate, and the name (empty for an expression)."""
        return self.uses.defines_gate, self.uses.target


class State(NamedTuple):
    """All that a session knows, to come back to."""

    cells: tuple[Cell, ...] = ()
    last: int | None = None
    """The number of the expression that `_` means now."""


class Placed(NamedTuple):
    """A statement in the program, with the first of its nodes."""

    statement: Statement
    first: int


class Change(NamedTuple):
    """What a statement did to the session.

    Attributes:
        cell: the statement as it was taken.
        statement: what it is.
        affected: the other statements whose values follow it, in order.
        dropped: statements that no longer go with it, and why.
    """

    cell: Cell
    statement: Statement
    affected: tuple[Cell, ...] = ()
    dropped: tuple[tuple[Cell, GradcalcError], ...] = ()


class Built:
    """The program that the statements make."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.placed: dict[int, Placed] = {}


class Session:
    """Statements that were taken, their program, and the way back.

    Attributes:
        options: seed, permission to load, and the limit on arrays, for everything in this session.
        seeded: whether the seed was chosen by the user.
        state: the statements at this moment.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        load_allowed: bool = True,
        max_array: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.seeded = seed is not None
        drawn = int.from_bytes(os.urandom(7)) if seed is None else seed
        self.options = Options(seed=drawn, load_allowed=load_allowed, max_array=max_array)
        self.state = State()
        self._progress = progress
        self.offer: dict[str, Any] = {}
        """Values of inputs that the last command has found, and that may be taken over."""
        self._past: list[tuple[State, str]] = []
        self._joined = False
        self._numbers = 0
        self._draws = 0
        self._present: Built | None = None
        self._written: set[str] = set()
        """The texts of all expressions so far, so that most need not be compared with each other."""

    # ---- taking statements -------------------------------------------------------------------------------------------------------

    def take(self, piece: Piece) -> Change:
        """Take one statement; an assignment to a name that is known replaces the old one.

        Raises:
            GradcalcError: it is wrong, and the session is as it was.
        """
        if piece.error is not None:
            raise piece.error
        cell = self._cell(piece)
        try:
            change = self._replace(cell) if self._is_known(cell) else self._append(cell)
        except GradcalcError:
            if piece.block.alone:
                _forgive(self._built.workspace.program, cell)
            raise
        self._numbers += 1
        self._draws = max(self._draws, self._built.workspace.program.draws)
        return change

    def _cell(self, piece: Piece) -> Cell:
        """The statement with what it means by `_`, and by its own name, written out where it has to be."""
        if self.state.last is not None and _goes_on(piece):
            piece = rewritten(piece, [(piece.start, piece.start, f"{LAST} ")])
        uses = uses_of(piece)
        changes: list[tuple[int, int, str]] = []
        previous = None
        if uses.target == LAST:
            raise NameProblem(
                f"{LAST} is the last result", place=piece.block.place(*uses.target_span), remedy="give yours another name"
            )
        if LAST in uses.names:
            previous, words = self._last_words(piece, uses)
            changes += [(*span, words) for span in uses.names[LAST] if words]
        if uses.target in uses.names and not uses.defines_gate:
            words = self._own_words(piece, uses)
            changes += [(*span, words) for span in uses.names[uses.target] if words]
        if changes:
            piece = rewritten(piece, changes)
            uses = uses_of(piece)
        return Cell(self._numbers, piece, uses, previous if LAST in uses.names else None, self._draws)

    def _last_words(self, piece: Piece, uses: Uses) -> tuple[int | None, str]:
        """The expression that `_` means; of one without inputs the value, as text, since it is a constant."""
        last = self.state.last
        if last is None:
            place = piece.block.place(*uses.names[LAST][0])
            raise NameProblem(f"there is no last result for {LAST} yet", place=place, remedy="write an expression first")
        placed = self._built.placed[last]
        assert isinstance(placed.statement, Output)
        graph = self._built.workspace.program.graph
        nodes = dependencies(graph, placed.statement.node, placed.first)
        if any(graph.codes[node] == INPUT for node in nodes):
            return last, ""
        return last, self._as_text(self._value_of(placed))

    def _own_words(self, piece: Piece, uses: Uses) -> str:
        """The old definition of the name that the statement assigns, for its use on the right side: `x = x + 1`."""
        old = self.cell_of(uses.target)
        if old is None:
            return ""
        placed = self._built.placed[old.number]
        assert isinstance(placed.statement, Assigned)
        program = self._built.workspace.program
        if placed.statement.is_input:
            words = self._as_text(self._value_of(placed))
            if words:
                return words
        elif not self.drawn(old):
            right = source_of(old.piece)[old.uses.target_span[1] - old.piece.start :].partition("=")[2]
            if old.previous is None and "#" not in right:
                return f"({right.strip()})"
        raise NameProblem(
            f"{uses.target} is used in its own definition",
            place=piece.block.place(*uses.names[uses.target][0]),
            related=(("it has this value now:", program.known[uses.target].place()),),
            remedy="give the new one another name",
        )

    def _value_of(self, placed: Placed) -> Any:
        statement, workspace = placed.statement, self._built.workspace
        assert isinstance(statement, Output | Assigned)
        if isinstance(statement, Assigned) and statement.is_input:
            return workspace.input_value(workspace.program.inputs[workspace.program.graph.left[statement.node]])
        return workspace.value(statement.node, placed.first)

    @staticmethod
    def _as_text(value: Any) -> str:
        """A value in the language, so that it can stand in an expression; nothing if it would be too long."""
        from gradcalc.views.numbers import exact_text

        if isinstance(value, float):
            text = exact_text(value)
            return text if text[0].isdigit() else f"({text})"
        return exact_text(value) if value.size <= SHORT_ARRAY else ""

    def _is_known(self, cell: Cell) -> bool:
        """Whether the program knows the name that the statement defines, so that it has to be made anew."""
        name = cell.uses.target
        program = self._built.workspace.program
        if cell.uses.defines_gate:
            return name in program.definitions
        return bool(name) and (name in program.known or name in program.constant_uses)

    def _append(self, cell: Cell) -> Change:
        """Take a statement at the end of the program."""
        placed = self._enter(self._built, cell)
        cells = self.state.cells
        if isinstance(placed.statement, Output):
            written = source_of(cell.piece)
            if written in self._written:
                cells = tuple(kept for kept in cells if not self._repeats(cell, kept))
            self._written.add(written)
        last = cell.number if isinstance(placed.statement, Output) else self.state.last
        self._remember(cell, State((*cells, cell), last))
        return Change(cell, placed.statement)

    def _repeats(self, new: Cell, old: Cell) -> bool:
        """Whether an expression is another one over again: then it takes its place."""
        if old.uses.target or old.previous != new.previous or source_of(old.piece) != source_of(new.piece):
            return False
        needed = any(cell.previous == old.number for cell in (*self.state.cells, new))
        return not needed and not self.drawn(old)

    def _replace(self, cell: Cell) -> Change:
        """Make the program anew with a statement in the place of the one that defined its name."""
        old = next((kept for kept in self.state.cells if kept.key == cell.key), None)
        cells = [cell if kept is old else kept for kept in self.state.cells]
        cells = _ordered(cells if old is not None else [*cells, cell], cell)
        built, dropped = self._build(cells, cell)
        gone = {lost.number for lost, _ in dropped}
        kept = tuple(other for other in cells if other.number not in gone)
        last = self.state.last
        if last in gone:
            last = max((other.number for other in kept if not other.uses.target), default=None)
        self._present = built
        self._remember(cell, State(kept, last))
        return Change(cell, built.placed[cell.number].statement, self._affected_by(cell), tuple(dropped))

    def _affected_by(self, changed: Cell) -> tuple[Cell, ...]:
        """The statements that depend on one, directly or not."""
        keys, numbers = {changed.key}, {changed.number}
        found = []
        for cell in self.state.cells:
            names = {(False, name) for name in cell.uses.names} | {(True, name) for name in cell.uses.gates}
            if cell is not changed and (names & keys or cell.previous in numbers):
                found.append(cell)
                numbers.add(cell.number)
                if cell.uses.target:
                    keys.add(cell.key)
        return tuple(found)

    # ---- the program -------------------------------------------------------------------------------------------------------------

    @property
    def _built(self) -> Built:
        """The program of the present state, made when it is needed."""
        if self._present is None:
            self._present = self._build(self.state.cells)[0]
        return self._present

    @property
    def workspace(self) -> Workspace:
        """The program with its values."""
        return self._built.workspace

    def _build(self, cells: Iterable[Cell], wanted: Cell | None = None) -> tuple[Built, list[tuple[Cell, GradcalcError]]]:
        """The program of these statements, without those that do not go with the others.

        Raises:
            GradcalcError: the statement that is wanted is wrong.
        """
        built = Built(Workspace({}, self.options, self._progress))
        dropped = []
        for cell in cells:
            try:
                self._enter(built, cell)
            except GradcalcError as problem:
                if cell is wanted:
                    raise
                dropped.append((cell, problem))
        for lost, _ in dropped:
            _forgive(built.workspace.program, lost)
        return built, dropped

    def _enter(self, built: Built, cell: Cell) -> Placed:
        """Add a statement to a program; the value of a default is computed at once, so that its mistakes are told."""
        workspace = built.workspace
        program = workspace.program
        program.draws = cell.draws
        if cell.previous is not None:
            previous = built.placed.get(cell.previous)
            if previous is None:
                raise NameProblem(
                    f"the result that {LAST} stood for is gone", place=cell.piece.block.place(*cell.uses.names[LAST][0])
                )
            assert isinstance(previous.statement, Output)
            program.names[LAST] = previous.statement.node
        mark = program.mark()
        try:
            statement = program.take(cell.piece)
            if isinstance(statement, GradcalcError):
                raise statement
            if isinstance(statement, Assigned) and statement.is_input:
                try:
                    workspace.input_value(program.inputs[program.graph.left[statement.node]])
                except GradcalcError:
                    program.cut(mark)
                    program.known.pop(statement.name, None)
                    program.break_name(statement.name, statement.line)
                    raise
        finally:
            program.names.pop(LAST, None)
        placed = built.placed[cell.number] = Placed(statement, mark.graph.nodes)
        return placed

    # ---- questions ---------------------------------------------------------------------------------------------------------------

    def cell_of(self, name: str) -> Cell | None:
        """The statement that assigns a name."""
        return next((cell for cell in self.state.cells if cell.key == (False, name)), None)

    def cell(self, number: int) -> Cell:
        """A statement by its number."""
        return next(cell for cell in self.state.cells if cell.number == number)

    def statement(self, cell: Cell) -> Statement:
        """What a statement is in the program."""
        return self._built.placed[cell.number].statement

    def missing(self, cell: Cell) -> list[str]:
        """The inputs without a value on which the value of a statement depends."""
        statement, first = self._built.placed[cell.number]
        if isinstance(statement, Defined):
            return []
        return list(dict.fromkeys(entry.name for entry in self.workspace.missing(statement.node, first)))

    def result(self, cell: Cell) -> Result:
        """The value and the gradients of an expression or a named node.

        Raises:
            GradcalcError: inputs have no value, or it cannot be computed.
        """
        statement, first = self._built.placed[cell.number]
        assert isinstance(statement, Output | Assigned)
        missing = self.workspace.missing(statement.node, first)
        if missing:
            raise _no_values(list(dict.fromkeys(entry.name for entry in missing)), missing[0].place)
        return self.workspace.answer(statement, first)

    def value(self, cell: Cell) -> Any:
        """The value of an expression or of a name, alone.

        Raises:
            GradcalcError: it cannot be computed.
        """
        return self._value_of(self._built.placed[cell.number])

    def names(self) -> Iterator[tuple[str, Cell | None]]:
        """Every name that is in force, with the statement that assigns it (None: an input without a value)."""
        for name in self.workspace.program.names:
            yield name, self.cell_of(name)

    @property
    def subject(self) -> Cell | None:
        """What is meant where no expression is written: the last one; else the node that was named last, else the input."""
        if self.state.last is not None:
            return self.cell(self.state.last)
        named = [cell for cell in self.state.cells if cell.uses.target and not cell.uses.defines_gate]
        return max(named, key=lambda cell: (not self._is_input(cell), cell.number), default=None)

    def _is_input(self, cell: Cell) -> bool:
        statement = self.statement(cell)
        return isinstance(statement, Assigned) and statement.is_input

    # ---- the way back ------------------------------------------------------------------------------------------------------------

    def _remember(self, cell: Cell, state: State) -> None:
        if not self._joined:
            self._past.append((self.state, " ".join(source_of(cell.piece).split())))
        self.state = state

    @contextmanager
    def one_step(self, words: str) -> Iterator[None]:
        """Whatever is taken in this context is undone together, under these words."""
        before = self.state
        self._joined = True
        try:
            yield
        finally:
            self._joined = False
            if self.state != before:
                self._past.append((before, words))

    def undo(self) -> str | None:
        """Take back the last change; answers with its words, or None if there is none."""
        if not self._past:
            return None
        state, words = self._past.pop()
        self.restore(state)
        return words

    def reset(self) -> None:
        """Forget all statements; that can be undone."""
        with self.one_step(":reset"):
            self.state = State()
            self._present = None

    def restore(self, state: State) -> None:
        """Go back to a state, for instance that before a statement was interrupted."""
        if self._past and self._past[-1][0] is state:
            self._past.pop()
        self.state = state
        self._present = None

    # ---- random numbers ----------------------------------------------------------------------------------------------------------

    def drawn(self, cell: Cell) -> list[int]:
        """The nodes of a statement that are drawn at random."""
        graph = self._built.workspace.program.graph
        placed = self._built.placed.get(cell.number)
        if placed is None or isinstance(placed.statement, Defined):
            return []
        random = [operator.gate is not None and operator.gate.random for operator in graph.operators]
        if not any(random):
            return []
        return [node for node in range(placed.first, placed.statement.node + 1) if random[graph.codes[node]]]


def _forgive(program: Program, cell: Cell) -> None:
    """Forget that a definition failed: in a session it is simply typed again, or was told to be left out."""
    name = cell.uses.target
    (program.broken_gates if cell.uses.defines_gate else program.broken).pop(name, None)
    program.late.discard(name)


def _goes_on(piece: Piece) -> bool:
    """Whether a statement begins in the middle of an expression."""
    text = source_of(piece)
    return bool(CONTINUATION.match(text) or (piece.block.file is None and SPACED_SIGN.match(text)))


def _ordered(cells: Sequence[Cell], new: Cell) -> list[Cell]:
    """The statements in an order in which everything is defined before it is used, and otherwise as they stand.

    Raises:
        NameProblem: the new statement would depend on itself.
    """
    defining = {cell.key: cell for cell in cells if cell.uses.target}
    by_number = {cell.number: cell for cell in cells}

    def needed(cell: Cell) -> Iterator[Cell]:
        keys = [*((False, name) for name in cell.uses.names), *((True, name) for name in sorted(cell.uses.gates))]
        yield from (defining[key] for key in keys if key in defining)
        if cell.previous in by_number:
            yield by_number[cell.previous]

    done: dict[int, Cell] = {}
    for root in cells:
        path = {root.number: root}
        stack = [(root, needed(root))]
        while stack:
            cell, rest = stack[-1]
            following = next((other for other in rest if other.number not in done), None)
            if following is None:
                done.setdefault(cell.number, cell)
                path.pop(cell.number, None)
                stack.pop()
            elif following.number in path:
                raise _circle(list(path.values()), following, new)
            else:
                path[following.number] = following
                stack.append((following, needed(following)))
    return list(done.values())


def _circle(path: Sequence[Cell], first: Cell, new: Cell) -> NameProblem:
    """The error of a definition that leads back to itself."""
    members = path[path.index(first) :]
    if new in members:
        at = members.index(new)
        members = [*members[at:], *members[:at]]
    story = " → ".join(cell.uses.target or source_of(cell.piece) for cell in [*members, members[0]])
    name = new.uses.target
    words = f"{name} is used in its own definition" if len(members) == 1 else f"{name} would depend on itself: {story}"
    return NameProblem(words, place=new.piece.block.place(*new.uses.target_span), remedy="give the new one another name")


def _no_values(names: Sequence[str], place: Any) -> BindingProblem:
    """The error that inputs have no value."""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    verb = "have" if len(names) > 1 else "has"
    remedy = f"give {'them values' if len(names) > 1 else 'it one'}: {'; '.join(f'{name} = NUMBER' for name in names[:4])}"
    problem = BindingProblem(f"{listed} {verb} no value", place=place, remedy=remedy)
    problem.missing = names[0]
    return problem
