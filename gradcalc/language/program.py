"""A program: its graph, and what the graph does not hold: names, inputs, user gates, and the place of every node in the text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gradcalc.errors import GradcalcError, LimitProblem, NameProblem, Place
from gradcalc.gates.record import Gate
from gradcalc.graph import INPUT, Graph
from gradcalc.graph import Mark as GraphMark
from gradcalc.language.scanner import Block, Piece, scan
from gradcalc.language.sheet import LABEL_LIMIT, Sheet


class Entry(NamedTuple):
    """Where a name was first met, and as what: `input`, `default`, `node`, `constant` or `gate`."""

    kind: str
    block: Block
    start: int
    end: int

    def place(self) -> Place:
        """The place in the text."""
        return self.block.place(self.start, self.end)


class Input(NamedTuple):
    """A name that takes a value from outside."""

    name: str
    node: int
    default: int | None
    """The node of the default's expression, if it has one."""
    entry: Entry

    @property
    def place(self) -> Place:
        """Where the name was first used or assigned."""
        return self.entry.place()


class Assigned(NamedTuple):
    """`name = EXPR`: an input with a default, or a named node."""

    name: str
    node: int
    is_input: bool
    line: int
    block: Block
    start: int
    end: int
    warnings: tuple[GradcalcError, ...] = ()

    @property
    def place(self) -> Place:
        """The statement in the text."""
        return self.block.place(self.start, self.end)


class Output(NamedTuple):
    """A bare expression."""

    node: int
    line: int
    block: Block
    start: int
    end: int
    warnings: tuple[GradcalcError, ...] = ()

    @property
    def place(self) -> Place:
        """The statement in the text."""
        return self.block.place(self.start, self.end)


class Defined(NamedTuple):
    """`f(x, y) = EXPR`: a gate of the user's own."""

    name: str
    line: int
    block: Block
    start: int
    end: int
    warnings: tuple[GradcalcError, ...] = ()

    @property
    def place(self) -> Place:
        """The statement in the text."""
        return self.block.place(self.start, self.end)


Statement = Assigned | Output | Defined


class Definition(NamedTuple):
    """A user gate with what a call of it needs to know."""

    gate: Gate
    own: int
    """How many of the gate's parameters the caller gives; the others are captured."""
    captured: tuple[int, ...]
    """The nodes outside that the body uses; every call has them as its last inputs."""
    entry: Entry
    sheet: Sheet
    size: int
    """How many nodes a call becomes when it is computed."""

    def signature(self) -> str:
        """How a call looks."""
        return f"{self.gate.name}({', '.join(self.gate.parameters[: self.own])})"


class Mark(NamedTuple):
    """A state of a program that it can be cut back to."""

    graph: GraphMark
    inputs: int
    log: int


_MISSING: Any = object()


class Program:
    """Statements become nodes of one graph.

    Attributes:
        graph: every node of the program, in the order in which they were written.
        names: each name that is in force, with its node.
        inputs: the inputs in the order of their first use; the left column of an input node is its index here.
        gates: the user's own gates; a record's body holds its graph, and its last parameters are the nodes that it captured.
        definitions: the same gates with where they were defined and what they captured.
        bound: names that have a value from outside; such a name is an input even if it is the name of a constant.
        known: each name that was ever an input or was assigned, with its first place; cutting back does not forget it.
        broken: names (and gates) whose definition failed, with the line.
        late: inputs of which a later assignment was refused.
        interactive: whether an assignment may replace an older one, as in the REPL.
    """

    def __init__(
        self,
        bound: Collection[str] = (),
        *,
        interactive: bool = False,
        literals: Mapping[str, Any] | None = None,
        parameters: Iterable[str] = (),
    ) -> None:
        from gradcalc.language.parser import Builder

        self.graph = Graph()
        self.sheet = Sheet()
        self.names: dict[str, int] = {}
        self.inputs: list[Input] = []
        self.gates: dict[str, Gate] = {}
        self.definitions: dict[str, Definition] = {}
        self.known: dict[str, Entry] = {}
        self.constant_uses: dict[str, Entry] = {}
        self.broken: dict[str, int] = {}
        self.broken_gates: dict[str, int] = {}
        self.late: set[str] = set()
        self.bound = bound
        self.interactive = interactive
        self.literals: Mapping[str, Any] = literals or {}
        """Names that stand for fixed values: the attributes in the formula of a composed gate."""
        self.draws = 0
        """How many draws of random numbers were written so far; cutting back does not forget them."""
        self._log: list[tuple[dict[Any, Any], Any, Any]] = []
        self._builder = Builder(self)
        for name in parameters:
            self.sheet.open(len(self.graph), Block(name, 1, None, True))
            self.add_input(name, self.sheet.blocks[-1], 0, len(name))

    def statements(self, source: str | Iterable[str], file: str | None = None) -> Iterator[Statement | GradcalcError]:
        """Take the statements of a source one by one, each as soon as it is complete.

        A statement that is wrong yields its error and leaves nothing behind, except that the name it was to define is known to be
        broken. After each statement the caller may `cut` the program back, as long as that is done before the next is taken.

        Args:
            source: the text, or an iterable of pieces of it (such as a file, line by line).
            file: the file's name, for messages.
        """
        pieces = scan(source, file)
        while True:
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except LimitProblem as error:
                yield error
                return
            yield self.take(piece)

    def take(self, piece: Piece) -> Statement | GradcalcError:
        """Take one statement that the scanner has found."""
        mark = self.mark()
        try:
            if piece.error is not None:
                raise piece.error
            return self._builder.statement(piece)
        except GradcalcError as error:
            self.cut(mark)
            self._builder.abandon(piece)
            return error

    def mark(self) -> Mark:
        """The present state, to `cut` back to."""
        return Mark(self.graph.mark(), len(self.inputs), len(self._log))

    def cut(self, mark: Mark) -> None:
        """Forget the nodes, names, inputs and gates that came after the mark."""
        self.graph.cut(mark.graph)
        self.sheet.cut(mark.graph.nodes)
        del self.inputs[mark.inputs :]
        log = self._log
        while len(log) > mark.log:
            table, key, old = log.pop()
            if old is _MISSING:
                table.pop(key, None)
            else:
                table[key] = old
        self._builder.codes.clear()

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Enter something in a table so that `cut` takes it out again."""
        self._log.append((table, key, table.get(key, _MISSING)))
        table[key] = value

    def add_input(self, name: str, block: Block, start: int, end: int, default: int | None = None) -> int:
        """Append an input, and give its name to it."""
        node = self.graph.add_input()
        sheet = self.sheet
        sheet.starts.append(start)
        sheet.ends.append(end)
        sheet.spots.append(start)
        self.inputs.append(Input(name, node, default, Entry("input", block, start, end)))
        self.put(self.names, name, node)
        self.put(sheet.names, node, name)
        return node

    def input_of(self, node: int) -> Input | None:
        """The input that a node is, or None."""
        return self.inputs[self.graph.left[node]] if self.graph.codes[node] == INPUT else None

    def label(self, node: int, limit: int | None = LABEL_LIMIT) -> str:
        """A node's name, or else the piece of source that it stands for, cut with … where it is longer than the limit."""
        return self.sheet.label(node, limit)

    def name_of(self, node: int) -> str | None:
        """The name of a node, if it has one."""
        return self.sheet.names.get(node)

    def place(self, node: int) -> Place:
        """Where a node's operator, gate or name stands in the text."""
        return self.sheet.place(node)

    def gate_label(self, gate: str, node: int, limit: int | None = LABEL_LIMIT) -> str:
        """The same as `label`, for a node in the body of a user gate."""
        return self.definitions[gate].sheet.label(node, limit)

    def gate_place(self, gate: str, node: int) -> Place:
        """The same as `place`, for a node in the body of a user gate."""
        return self.definitions[gate].sheet.place(node)

    def break_name(self, name: str, line: int) -> None:
        """Note that a name has no value because its computation failed on this line: later uses say so."""
        self.broken[name] = line
        self.names.pop(name, None)

    def problem(self, node: int, message: str, remedy: str = "", kind: type[GradcalcError] = NameProblem) -> GradcalcError:
        """An error about a node, with its place."""
        return kind(message, place=self.place(node), remedy=remedy)
