"""Takes the lines of a session one by one and answers them: statements, and commands that begin with a colon."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any, NamedTuple

from gradcalc.errors import BindingProblem, GradcalcError, Place, ProgramSyntaxError, UsageProblem
from gradcalc.language.program import Assigned, Defined, Output
from gradcalc.language.scanner import Piece, Scanner, check_size, scan
from gradcalc.repl import interfaces
from gradcalc.repl.session import Cell, Change, Session
from gradcalc.repl.statements import source_of
from gradcalc.views.answer import answer_text, remark_text, values_text
from gradcalc.views.surface import Surface, surface_of
from gradcalc.workspace import Result

MOST_AFFECTED = 8
"""So many named nodes are shown when an input is assigned again."""


class CommandLine(NamedTuple):
    """A line that begins with a colon, and where it stands, for messages: `line 3: `."""

    text: str
    where: str = ""


LEAVING = ("exit", "quit", "bye")
ASKING = ("help", "?")
"""What people type to leave, or for help, who do not know that commands begin with a colon."""


class Loop:
    """A session in use.

    Attributes:
        session: its statements.
        output: where answers go.
        shell: the commands of the command line.
        talkative: whether somebody is watching, so that assignments are answered, too.
        last: the last result, for the bottom bar.
        finished: whether the session is to end.
    """

    def __init__(self, session: Session, output: interfaces.Output, shell: interfaces.Shell, talkative: bool) -> None:
        self.session = session
        self.output = output
        self.shell = shell
        self.talkative = talkative
        self.last: Result | None = None
        self.finished = False
        self._answered = False
        self._assigned: list[tuple[str, Any]] = []
        """The names of a line with their values, which are shown together."""
        self._affected: dict[int, Cell] = {}
        """What follows the assignments of a line; it is shown when the line has ended."""

    @property
    def surface(self) -> Surface:
        """The place where answers are shown; its width may change."""
        return surface_of(sys.stdout)

    def enter(self, text: str) -> None:
        """Take what was typed: one statement or command, or several; Ctrl-C abandons the one that it meets."""
        lines = list(StringIO(text.removeprefix("\ufeff"), newline=""))
        before = self.session.state
        part: Piece | CommandLine | None = None
        try:
            for part in parts(lines, Scanner(alone=len(lines) <= 1)):
                before = self.session.state
                self.take(part)
                if self.finished:
                    return
            self._answer_affected()
        except KeyboardInterrupt:
            self.session.restore(before)
            self._affected.clear()
            self._assigned.clear()
            if self.surface.terminal:
                self.write("\n")  # what Ctrl-C met may have written half a line
            what = "command" if isinstance(part, CommandLine) else "statement"
            self.say(f"interrupted: the session is as it was before this {what}")

    def run_script(self, lines: Iterable[str], file: str | None = None) -> None:
        """Take a whole text as it comes in; without any expression or command in it, the last thing that was named is answered."""
        for part in parts(_limited(lines), Scanner(file)):
            self.take(part)
            if self.finished:
                return
        subject = self.session.subject
        if not self._answered and subject is not None:
            try:
                self._answer(subject)
            except GradcalcError as problem:
                self.complain(problem)

    def load(self, lines: Iterable[str], file: str, skipped: Iterable[str] = ()) -> None:
        """Take the statements of a file, except assignments to some names; assignments are not answered."""
        talkative, self.talkative = self.talkative, False
        try:
            scanner = Scanner(file)
            for line in _limited(lines):
                self._take_all(scanner.feed(line), frozenset(skipped))
            self._take_all(scanner.finish(), frozenset(skipped))
        finally:
            self.talkative = talkative

    def _take_all(self, pieces: Iterable[Piece], skipped: frozenset[str]) -> None:
        from gradcalc.repl.statements import uses_of

        for piece in pieces:
            if not skipped or piece.error is not None or uses_of(piece).target not in skipped:
                self.take(piece)

    def take(self, part: Piece | CommandLine) -> None:
        """Take one statement or command, and answer it."""
        before = self.session.state
        try:
            if isinstance(part, Piece):
                self._refuse_command(part)
            if isinstance(part, CommandLine):
                from gradcalc.repl.commands import perform

                self._answered = True
                self._answer_affected()
                perform(self, part.text)
            else:
                self._answer_change(self.session.take(part))
        except GradcalcError as problem:
            self._answered = True
            if isinstance(part, CommandLine) and problem.place is None:
                problem.message = part.where + problem.message
            self.complain(problem)
            # An expression may wait for its values; whatever else is wrong with a statement, the session is without it.
            waits = isinstance(problem, BindingProblem) and problem.missing is not None
            if isinstance(part, Piece) and not waits and self.session.state is not before:
                self.session.restore(before)

    def _refuse_command(self, piece: Piece) -> None:
        """Say how the commands are called to those who leave out the colon, or write one behind a statement."""
        word = source_of(piece).removesuffix("()").strip()
        program = self.session.workspace.program
        if word.startswith(":"):
            place = piece.block.place(piece.start, piece.end)
            remedy = f"write {word.split()[0]} at the beginning of the next line"
            raise ProgramSyntaxError("a command needs a line of its own", place=place, remedy=remedy)
        if word in program.known or word in program.definitions:
            return
        if word in LEAVING:
            raise UsageProblem(f"{word} is no expression", remedy="to leave, write :quit, or press Ctrl-D")
        first, _, rest = word.partition(" ")
        if first in ASKING and (not rest or rest.isidentifier()):
            raise UsageProblem(f"{first} is no expression", remedy=f"for help, write :help{rest and ' '}{rest}")

    def assign(self, texts: Mapping[str, str]) -> None:
        """Take assignments as if they were typed."""
        for name, text in texts.items():
            for piece in scan(f"{name} = {text}"):
                self._answer_change(self.session.take(piece))
        self._answer_affected()

    # ---- answers -----------------------------------------------------------------------------------------------------------------

    def say(self, words: str) -> None:
        """Say something to whoever is watching; in a script, nobody is."""
        if self.talkative:
            self.write(remark_text(words, self.surface))

    def write(self, text: str) -> None:
        """Show something, after what is waiting to be shown."""
        self._show_assigned()
        self.output.write(text)

    def complain(self, problem: GradcalcError) -> None:
        """Report a mistake, after what is waiting to be shown."""
        self._show_assigned()
        problem.remedy = problem.remedy.replace("gradcalc gates", ":gates")
        self.output.error(problem)

    def _show_assigned(self) -> None:
        if self._assigned:
            self.output.write(values_text(self._assigned, self.surface))
            self._assigned.clear()

    def _answer_change(self, change: Change) -> None:
        statement, cell = change.statement, change.cell
        for warning in statement.warnings if not isinstance(statement, Output) else ():
            self.output.warning(warning.report("warning"))
        for lost, problem in change.dropped:
            self.output.warning(f"{source_of(lost.piece)} is left out, since it does not go with this: {problem.message}")
        if isinstance(statement, Output):
            shown = source_of(cell.piece)
            self._affected = {number: other for number, other in self._affected.items() if other.uses.target != shown}
            self._answer(cell)
        elif self.talkative:
            self._affected.pop(cell.number, None)
            self._affected.update((other.number, other) for other in change.affected)
            self._answer_definition(cell)

    def _answer_definition(self, cell: Cell) -> None:
        statement = self.session.statement(cell)
        if isinstance(statement, Defined):
            self.say(f"{source_of(cell.piece).partition('=')[0].strip()} is a gate now")
            return
        assert isinstance(statement, Assigned)
        missing = self.session.missing(cell)
        if missing:
            self.say(f"{statement.name} needs {_listed(missing)}")
            return
        self._assigned.append((statement.name, self.session.value(cell)))

    def _answer_affected(self) -> None:
        """What follows the assignments that were made: the named nodes, and the last result."""
        state = self.session.state
        affected = [cell for cell in state.cells if cell.number in self._affected]
        self._affected.clear()
        named = [cell for cell in affected if cell.uses.target and not cell.uses.defines_gate and not self.session.missing(cell)]
        told = {cell.uses.target for cell in named[:MOST_AFFECTED]}
        shown = [cell for cell in affected if cell.number == state.last and source_of(cell.piece) not in told]
        try:
            values = [(cell.uses.target, self.session.value(cell)) for cell in named[:MOST_AFFECTED]]
            self.write(values_text(values, self.surface, "  "))
            if len(named) > MOST_AFFECTED:
                self.say(f"  and {len(named) - MOST_AFFECTED} more")
            for cell in shown:
                missing = self.session.missing(cell)
                if missing:
                    self.say(f"{source_of(cell.piece)} still needs {_listed(missing)}")
                else:
                    self._answer(cell)
        except GradcalcError as problem:
            self.complain(problem)

    def _answer(self, cell: Cell) -> None:
        """Show the value and the gradients of an expression.

        Raises:
            GradcalcError: it has none.
        """
        self._answered = True
        self.last = None
        self._show_assigned()
        result = self.last = self.session.result(cell)
        self.write(answer_text(result, self.surface, self.output.digits))
        for warning in result.warnings:
            self.output.warning(warning)
        if result.verdict == "mismatch":
            self.output.check_failed()

    def answer_again(self) -> None:
        """Show the last result as it is now, if there is one."""
        self.last = None
        if self.session.state.last is not None:
            cell = self.session.cell(self.session.state.last)
            if not self.session.missing(cell):
                try:
                    self._answer(cell)
                except GradcalcError as problem:
                    self.complain(problem)


def parts(lines: Iterable[str], scanner: Scanner) -> Iterator[Piece | CommandLine]:
    """The statements and commands of a text, each as soon as its line is complete."""
    for line in lines:
        if not scanner.brackets and line.lstrip().startswith(":"):
            yield CommandLine(line.strip(), Place(scanner.line, 0, 0, line, scanner.file, scanner.alone).prefix())
            scanner.line += 1
        else:
            yield from scanner.feed(line)
    yield from scanner.finish()


def _limited(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a text, as long as it does not become too large."""
    total = 0
    for line in lines:
        if not total:
            line = line.removeprefix("\ufeff")
        total += len(line)
        check_size(total)
        yield line


def _listed(names: list[str]) -> str:
    shown = names[:6] + ([f"{len(names) - 6} more"] if len(names) > 6 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
