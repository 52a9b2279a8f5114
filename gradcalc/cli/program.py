"""The program of a command line: where its text comes from, the values for its inputs, and the answers to it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any
from unicodedata import normalize

from gradcalc.cli.arguments import Arguments, Known, ambiguous, bind, let, short_option, suggestion
from gradcalc.errors import BindingProblem, DataProblem, GradcalcError, Place, ProgramSyntaxError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.output import Output
    from gradcalc.formula import Formula
    from gradcalc.repl.session import Session
    from gradcalc.workspace import Result, Workspace


HELD_NODES = 10_000
"""A result of more nodes is not held back to see whether it is wanted."""


class Source:
    """Where the text of a program comes from: a file, behind it a text or standard input; either may be None.

    Attributes:
        path: the file's name, or `-`.
        text: the text, or `-`.
        lines: how many lines of the file have been read.
    """

    def __init__(self, path: str | None, text: str | None) -> None:
        self.path = path
        self.text = text
        self.lines = 0

    @property
    def name(self) -> str | None:
        """What places in the file are called."""
        return None if self.path == "-" else self.path

    @property
    def reads_standard_input(self) -> bool:
        """Whether (a part of) the program comes from standard input."""
        return "-" in (self.path, self.text)

    def content(self) -> str | Iterator[str]:
        """The text, whole if that is how it came."""
        return self.text if self.path is None and self.text is not None and self.text != "-" else self.chunks()

    def chunks(self) -> Iterator[str]:
        """The text, piece by piece, as it comes in."""
        if self.path is not None:
            line = "\n"
            for line in file_lines(self.path):
                self.lines += line.count("\n") + line.count("\r") - line.count("\r\n")
                yield line
            if self.text is not None and not line.endswith(("\n", "\r")):
                self.lines += 1
                yield "\n"
        if self.text == "-":
            yield from stream_lines(sys.stdin, "standard input")
        elif self.text is not None:
            yield self.text

    def moved(self, problem: GradcalcError) -> GradcalcError:
        """The problem with its places in the text told from those in the file before it; for a text that names a file, -f."""
        if self.path is None and self.text is not None and _names_file(self.text):
            advice = f"a file is run by -f {self.text}"
            problem.remedy = advice if isinstance(problem, ProgramSyntaxError) else f"{problem.remedy}\n{advice}".lstrip()
        if self.path is not None and self.text is not None:
            if problem.place is not None:
                problem.place = self._moved(problem.place)
            problem.related = tuple((words, self._moved(place)) for words, place in problem.related)
        return problem

    def _moved(self, place: Place) -> Place:
        if place.line <= self.lines:
            return place
        return place._replace(line=place.line - self.lines, file=None, alone="\n" not in (self.text or ""))


def _names_file(text: str) -> bool:
    """Whether a program is the name of a file that exists, and hardly meant as a formula."""
    return "\n" not in text and any(mark in text for mark in "./\\") and os.path.isfile(text)


class SessionSource(Source):
    """The program of a session: its definitions, and the expression that a command works on."""

    def __init__(self, definitions: str, expression: str) -> None:
        super().__init__(None, definitions + expression)
        self.lines = definitions.count("\n")

    def moved(self, problem: GradcalcError) -> GradcalcError:
        """The problem without the numbers of lines, which nobody has seen."""
        if problem.place is not None:
            problem.place = problem.place._replace(alone=True)
        problem.related = tuple((words, place._replace(alone=True)) for words, place in problem.related)
        return problem


def source_of(path: str | None, programs: Sequence[str], bound: Container[str] = ()) -> Source:
    """The one source that a command line names; an error if it names none, or several.

    Args:
        path: the file, or `-`.
        programs: what may be the text of a program.
        bound: names that were given a value, so that they are no commands mistyped.
    """
    if path == "":
        raise UsageProblem("-f: the name of the file is empty", remedy="write -f FILE, or leave it out")
    if len(programs) > 1:
        raise _several(programs, bound)
    if programs:
        return Source(path, programs[0])
    if path is None and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageProblem("there is no program", remedy='write one: gradcalc "a*b" --a 2 --b 3, or -f FILE, or - to type it')
    return Source(path, None) if path is not None else Source(None, "-")


def _several(programs: Sequence[str], bound: Container[str]) -> UsageProblem:
    first, second = programs[0], programs[1]
    if first.isidentifier() and first.isascii() and first not in bound:
        from gradcalc.cli.commands import COMMANDS
        from gradcalc.language.nearest import nearest

        near = nearest(first, COMMANDS)
        if near is not None:
            return UsageProblem(f"{first} is not a command", remedy=f"did you mean gradcalc {near}?")
        if len(first) > 2 and not second[:1].isdigit() and not _goes_on(first, second):
            return UsageProblem(f"{first} is not a command", remedy=f"the commands are {', '.join(COMMANDS)}")
    if _goes_on(first, second):
        return UsageProblem("the program has several parts", remedy=f'put it in quotes: gradcalc "{" ".join(programs)}"')
    return UsageProblem(
        f"one program is enough, and {second or '(empty)'} is a second one",
        remedy='put a program with blanks in quotes: gradcalc "a + b"; part statements by ; or newlines',
    )


def _goes_on(first: str, second: str) -> bool:
    """Whether two words look like parts of one formula, typed without quotes."""
    return any(not character.isalnum() for character in second[:1] + first[-1:]) and len(first) + len(second) < 60


def file_lines(path: str) -> Iterator[str]:
    """The lines of a file; `-` is standard input.

    Raises:
        DataProblem: it can't be read, or is not UTF-8.
    """
    if path == "-":
        yield from stream_lines(sys.stdin, "standard input")
        return
    try:
        with open(path, "rb") as file:
            _check_file(file)
            yield from _decoded_lines(file, path)
    except OSError as error:
        raise DataProblem(f"{path} can't be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeEncodeError:
        raise DataProblem(f"{path} can't be read: this environment can't spell its name", remedy="set LC_ALL=C.UTF-8") from None


def stream_lines(stream: IO[str] | None, name: str) -> Iterator[str]:
    """The lines of a text stream; always UTF-8, whatever the environment says."""
    if stream is None:
        raise UsageProblem(f"{name} is closed")
    binary = getattr(stream, "buffer", None)
    if binary is not None:
        _check_file(binary)
    yield from stream if binary is None else _decoded_lines(binary, name)


def _check_file(file: IO[bytes]) -> None:
    """Refuse a file that is too large before its first statement is taken; of a pipe nobody knows."""
    from gradcalc.language.scanner import check_size

    try:
        size = os.fstat(file.fileno()).st_size
    except OSError:
        return  # it only looks like a file
    check_size(size)


def _decoded_lines(lines: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataProblem(
                f"{name} is not UTF-8 text: byte 0x{line[error.start]:02x} in line {number}", remedy="save it as UTF-8"
            ) from None
        yield text


class GivenProgram:
    """A program with the values that a command line gives for its inputs."""

    def __init__(
        self,
        arguments: Arguments,
        known: Mapping[str, Known],
        path: str | None,
        lets: Sequence[str],
        seed: int | None,
        load_allowed: bool,
        max_array: int | None,
        *,
        files: Sequence[str] = (),
        session: Session | None = None,
        required: bool = True,
    ) -> None:
        """Read the arguments of a command.

        Args:
            arguments: the command line, divided.
            known: the options of the command.
            path: the file of the program.
            lets: values given by `--let`.
            seed: makes random gates repeatable.
            load_allowed: whether the program may read files.
            max_array: the largest array, in bytes.
            files: whose values are taken for inputs that have no value otherwise.
            session: where the command is typed in a session, which is its program then; standard input is not read.
            required: whether there has to be a program.
        """
        self.given = arguments.given
        self.known = known
        self.seed = seed
        self.load_allowed = load_allowed
        self.max_array = max_array
        self.files = files
        self._from_files: dict[str, str] = {}
        self._columns: Collection[str] = ()
        self.source: Source
        self._session_values: dict[str, Any] = {}
        self._session = session
        if session is not None and path is None:
            self._join(session, " ".join(arguments.programs) or None)
        elif not required and path is None and not arguments.programs:
            self.source = Source(None, "")
        else:
            self.source = self._source(arguments, path, known)
        self.bindings = dict(arguments.bindings)
        for text in lets:
            name, equals, value = text.partition("=")
            if not equals or not name.strip().isidentifier() or not value.strip():
                raise BindingProblem(f"--let {text} is not NAME=VALUE", remedy="write --let rate=0.1")
            bind(self.bindings, name.strip(), value)
        self._lets = {normalize("NFKC", text.partition("=")[0].strip()) for text in lets}

    def _join(self, session: Session, expression: str | None) -> None:
        """Take the program of a session."""
        from gradcalc.repl.writing import program_for

        definitions, target, self._session_values = program_for(session, expression)
        if not target:
            raise UsageProblem("the session has no expression yet", remedy="write one first, or behind the command")
        self.source = SessionSource(definitions, target)
        options = session.options
        self.seed = options.seed if self.seed is None and session.seeded else self.seed
        self.load_allowed = self.load_allowed and options.load_allowed
        self.max_array = options.max_array if self.max_array is None else self.max_array

    @staticmethod
    def _source(arguments: Arguments, path: str | None, known: Mapping[str, Known]) -> Source:
        try:
            return source_of(path, arguments.programs, arguments.bindings)
        except UsageProblem as problem:
            for name, value in arguments.bindings.items():
                if not arguments.programs and not value.replace(".", "").isalnum():
                    problem.remedy = f"{value} is taken for the value of {name}: write the program first, or before it --"
            flag = next((name for name in arguments.given if name in " ".join(arguments.programs[:1])), None)
            if len(arguments.programs) > 1 and flag is not None:
                problem.remedy = f"if {flag} is an input of the program, write {let(flag, arguments.programs[1])}"
            elif len(arguments.programs) > 1:
                raise short_option(arguments.programs, known) or problem from None
            raise

    @property
    def typed_in_session(self) -> bool:
        """Whether the command was typed in a session, which takes the values that are offered."""
        return self._session is not None

    def offer(self, values: Mapping[str, Any]) -> None:
        """Give values that were found for inputs to the session in which the command was typed, if there is one."""
        if self._session is not None:
            self._session.offer = dict(values)

    def values(self) -> dict[str, Any]:
        """The bindings as values of the language."""
        from gradcalc.language.values import parse_value

        values: dict[str, Any] = dict(self._session_values) | self._file_values()
        for name, text in self.bindings.items():
            what = f"--let {name}" if name in self._lets else f"--{name}"
            if text.startswith("=") and not text.startswith("=="):
                spelling = f"{what}={text[1:].strip() or 'NUMBER'}"
                raise BindingProblem(f"{what} has two equals signs", remedy=f"write {spelling}")
            try:
                values[name] = parse_value(text, what)
            except GradcalcError:
                # `--formt json`: what is no value is a word for an option.
                near = suggestion(name, self.known)
                if near:
                    raise UsageProblem(f"there is no option --{name}", remedy=near) from None
                raise
        return values

    def _file_values(self) -> dict[str, Any]:
        """The values that files give."""
        values: dict[str, Any] = {}
        for file in self.files:
            from gradcalc.tables.bindings import read_bindings

            for name, value in read_bindings(file, self.max_array).items():
                if name in values:
                    raise BindingProblem(
                        f"{self._from_files[name]} and {file} both give a value for {name}", remedy="leave out one of them"
                    )
                values[name], self._from_files[name] = value, file
        return values

    def workspace(
        self, progress: Callable[[int, int], None] | None = None, *, columns: Collection[str] = (), **options: Any
    ) -> Workspace:
        """An empty workspace with the values that are given, and with `options` (see `Options`) beside the program's own.

        Inputs called as one of `columns` have their values from a table: no option of that name is meant for them.
        """
        from gradcalc.workspace import Options, Workspace

        own = {"seed": self.seed, "load_allowed": self.load_allowed, "max_array": self.max_array}
        self._columns = columns
        return Workspace(self.values(), Options(**(own | options)), progress, columns)

    def formulas(
        self, workspace: Workspace, kinds: Collection[str] = (), optional: bool = False
    ) -> Iterator[Formula | GradcalcError]:
        """The outputs of the program as formulas, one by one; see `Workspace.formulas`."""
        try:
            for answer in workspace.formulas(self.source.content(), self.source.name, kinds=kinds, optional=optional):
                self._refuse_ambiguous(workspace)
                yield self.explained(answer, workspace) if isinstance(answer, GradcalcError) else answer
                gc.enable()  # see `run`: from here on there may be garbage
        except GradcalcError as problem:
            yield self.source.moved(problem)

    def all_formulas(self, workspace: Workspace, output: Output) -> tuple[list[Formula], bool]:
        """All outputs at once, for commands that need to know them together; and whether any was wrong, which is reported."""
        formulas: list[Formula] = []
        wrong = False
        for answer in self.formulas(workspace, optional=True):
            if isinstance(answer, GradcalcError):
                wrong = True
                output.error(answer)
            else:
                formulas.append(answer)
        return formulas, wrong

    def answers(self, workspace: Workspace, optional: bool = False) -> Iterator[Result | GradcalcError]:
        """The answers to the program, one by one as its text comes in; with `optional`, inputs may have no value."""
        held: Result | None = None
        try:
            for answer in workspace.answers(self.source.content(), self.source.name, optional=optional):
                self._refuse_ambiguous(workspace)
                if not isinstance(answer, GradcalcError):
                    if held is not None:
                        yield held
                        held = None
                    elif self._asks_for_strangers(workspace, answer):
                        # If no such name comes, the only answer is worth nothing: the error alone says it.
                        held = answer
                        held.nodes = list(held.nodes)
                        continue
                elif held is not None and not self._asks_for_strangers(workspace, held):
                    yield held
                    held = None
                yield self.explained(answer, workspace) if isinstance(answer, GradcalcError) else answer
                # See `run`: from here on there may be garbage.
                gc.enable()
            if held is not None and not self._asks_for_strangers(workspace, held):
                yield held
        except GradcalcError as problem:
            yield self.source.moved(problem)

    @staticmethod
    def _asks_for_strangers(workspace: Workspace, result: Result) -> bool:
        """Whether gradients are asked for only by names that the program does not have so far."""
        wrt = workspace.options.wrt
        known = workspace.program.known
        return wrt is not None and len(result.nodes) <= HELD_NODES and not any(name in known for name in wrt)

    def explained(self, problem: GradcalcError, workspace: Workspace) -> GradcalcError:
        """The problem in the terms of this command line, on which some names are options."""
        if isinstance(problem, BindingProblem) and problem.unknown is not None:
            known = workspace.program.known
            inputs = [name for name, entry in known.items() if entry.kind in ("input", "default")]
            problem.remedy = suggestion(problem.unknown, self.known, inputs) or problem.remedy
            if problem.unknown in self._from_files and problem.unknown not in self.bindings:
                clause = f", for which {self._from_files[problem.unknown]} gives a value"
                problem.message = problem.message.removesuffix(clause) + clause  # it may have been explained before
        if isinstance(problem, BindingProblem) and problem.missing is not None:
            from gradcalc.cli.commands import COMMANDS

            name = problem.missing
            if f"--{name}" in self.known:
                problem.remedy = problem.remedy.replace(f"--{name} NUMBER", let(name, "NUMBER"))
            if isinstance(self.source, SessionSource):
                problem.remedy = f"give it one: {name} = NUMBER"
            elif name in COMMANDS:
                problem.remedy = f"a command comes first: gradcalc {name}"
        return self.source.moved(problem)

    def _refuse_ambiguous(self, workspace: Workspace) -> None:
        """An option given that has the name of an input may have been meant for the input."""
        for name, written in self.given.items():
            entry = workspace.program.known.get(name)
            if (
                entry is not None
                and name not in self.bindings
                and name not in self._from_files
                and name not in self._columns
                and entry.kind in ("input", "default")
            ):
                raise ambiguous(name, written)
