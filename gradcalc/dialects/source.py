"""What writers of source code share: expressions with the brackets they need, and programs as straight lines of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.graph import CONSTANT, Graph, Operator

LOOSE = 0
SIGN = 4
ATOM = 7
"""How tightly things bind; the levels between are those of the gates' records (`gates.record.Syntax`)."""


class Piece(NamedTuple):
    """The text of an expression, and how tightly it binds."""

    level: int
    text: str

    def within(self, level: int) -> str:
        """The text in a place that asks for this level: in brackets if it binds more loosely."""
        return self.text if self.level >= level else f"({self.text})"


class Symbol(NamedTuple):
    """How a dialect writes a gate by a symbol: the texts around and between its inputs, and how tightly it and they bind."""

    text: str
    level: int
    left: int
    right: int


def infix(text: str, level: int, associative: str = "left") -> Symbol:
    """A symbol between two inputs, at a level of `gates.record.Syntax`."""
    return Symbol(f" {text} ", level, level + (associative != "left"), level + (associative != "right"))


ARITHMETIC: Mapping[str, Symbol] = {
    "+": infix("+", 2),
    "-": infix("-", 2),
    "*": infix("*", 3),
    "/": infix("/", 3),
}
"""What every programming language writes alike."""


class SourceWriter:
    """Writes gates, expressions and whole programs in one dialect.

    A dialect is a subclass: it names its key in the records' `spelled`, its symbols, and how numbers, attributes and assignments
    are written. A gate is written by the record's spelling if it has one, else by the dialect's symbol, else by `otherwise`.
    """

    dialect = ""
    symbols: Mapping[str, Symbol] = ARITHMETIC
    negative = "-"

    def write(self, graph: Graph, node: int, inputs: Sequence[Piece]) -> Piece:
        """A node of a graph that is a gate, on the texts of its inputs."""
        return self.gate(graph.operator(node), inputs)

    def gate(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        """A gate on the texts of its inputs."""
        gate = operator.gate
        assert gate is not None
        spelling = gate.spelled.get(self.dialect)
        if spelling is not None:
            return self.spelled(spelling, inputs, operator)
        symbol = self.symbols.get(gate.name)
        if symbol is not None and len(inputs) == 2:
            left, right = inputs
            return Piece(symbol.level, f"{left.within(symbol.left)}{symbol.text}{right.within(symbol.right)}")
        if gate.name == "neg":
            return Piece(SIGN, f"{self.negative}{inputs[0].within(SIGN + 1)}")
        return self.otherwise(operator, inputs)

    def spelled(self, spelling: str | Callable[..., str | None], inputs: Sequence[Piece], operator: Operator) -> Piece:
        """A gate by a template or a function of its record; inputs stand in brackets unless commas or brackets are around them."""
        keywords = {name: self.attribute(value) for name, value in operator.attributes}
        if callable(spelling):
            text = spelling(*[piece.within(ATOM) for piece in inputs], **dict(operator.attributes)) or ""
        else:
            text = spelling.format(*[_fitted(spelling, place, piece) for place, piece in enumerate(inputs)], **keywords)
        return Piece(ATOM if is_atom(text) else LOOSE, text)

    def otherwise(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        """A gate that has neither a spelling nor a symbol."""
        assert operator.gate is not None
        raise NotImplementedError(f"{self.dialect} has no way to write {operator.gate.name}")

    def constant(self, value: Any) -> Piece:
        """A constant: a float, or an array."""
        if isinstance(value, float):
            text = self.number(value)
            return Piece(SIGN if text.startswith("-") else ATOM, text)
        return Piece(ATOM, self.array(value))

    def number(self, value: float) -> str:
        """A float."""
        raise NotImplementedError

    def array(self, value: Any) -> str:
        """A constant array."""
        raise NotImplementedError

    def attribute(self, value: Any) -> str:
        """The value of a keyword argument."""
        return repr(value)

    def assignment(self, name: str, text: str) -> str:
        """A statement that names a value."""
        return f"{name} = {text}"


def _fitted(template: str, place: int, piece: Piece) -> str:
    """The text of an input for its places in a template."""
    marker = f"{{{place}}}"
    start = template.find(marker)
    while start >= 0:
        end = start + len(marker)
        before, behind = template[:start].rstrip()[-1:], template[end:].lstrip()[:1]
        if before not in ("(", ",") or behind not in (")", ","):
            return piece.within(ATOM)
        start = template.find(marker, end)
    return piece.text


def is_atom(text: str) -> bool:
    """Whether a text needs no brackets anywhere: a name, a number, a call, or something in brackets."""
    depth = 0
    for place, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif depth == 0:
            behind = place > 0 and text[place - 1] in ")]}"
            if not (character == "." if behind else character.isalnum() or character in "._"):
                return False
    return True


class Lines(NamedTuple):
    """A program as statements, and the texts of its outputs (None where there is none)."""

    statements: list[str]
    outputs: list[str | None]
    names: list[str]
    """The names that the statements assign."""
    nodes: list[int]
    """For each statement the node that it computes."""


LARGEST = 8
"""A gate that is used once is written where it is used, in expressions of up to so many gates."""


def straight_lines(
    writer: SourceWriter,
    graph: Graph,
    outputs: Sequence[int | None],
    names: Mapping[int, str],
    fresh: Callable[[int], str] | None = None,
    kept: Iterable[int] = (),
    largest: int = LARGEST,
) -> Lines:
    """A graph as statements in the order of its nodes.

    Args:
        writer: of the dialect.
        graph: the program.
        outputs: what is computed.
        names: how the inputs are called; other nodes may have names, too.
        fresh: makes up the name of a node; by default v0, v1 …, taken again when their values are no longer needed.
        kept: nodes that get a statement of their own even if they are used once.
        largest: how many gates an expression may have.
    """
    wanted = [output for output in outputs if output is not None]
    reached = graph.reached(wanted)
    nodes = [node for node, flag in enumerate(reached) if flag]
    homes = statement_homes(graph, nodes, wanted, {*kept, *names}, largest)
    last = _last_statements(graph, nodes, wanted, homes)
    dying: dict[int, list[int]] = {}
    for node, statement in last.items():
        dying.setdefault(statement, []).append(node)
    pieces: dict[int, Piece] = {}
    registers = _Registers()
    statements: list[str] = []
    computed: list[int] = []
    for node in nodes:
        operator = graph.operator(node)
        if operator.gate is None:
            pieces[node] = writer.constant(graph.constant(node)) if graph.codes[node] == CONSTANT else Piece(ATOM, names[node])
            continue
        piece = writer.write(graph, node, [pieces[source] for source in graph.inputs(node)])
        if homes[node] == node:
            for gone in dying.get(node, ()):
                registers.free(pieces[gone].text)
            name = names[node] if node in names else registers.take() if fresh is None else fresh(node)
            statements.append(writer.assignment(name, piece.text))
            computed.append(node)
            piece = Piece(ATOM, name)
        pieces[node] = piece
    texts = [None if output is None else pieces[output].text for output in outputs]
    return Lines(statements, texts, registers.made, computed)


def statement_homes(
    graph: Graph, nodes: Sequence[int], wanted: Sequence[int], own: set[int], largest: int = LARGEST
) -> dict[int, int]:
    """For each node the node in whose statement it is written: its own, or that of the only one that uses it.

    Args:
        graph: the program.
        nodes: those that are written, in their order.
        wanted: the outputs.
        own: nodes that get a statement of their own even if they are used once.
        largest: how many gates a statement may have.
    """
    uses = dict.fromkeys(nodes, 0)
    user: dict[int, int] = {}
    for node in nodes:
        for source in graph.inputs(node):
            uses[source] += 1
            user[source] = node
    for output in wanted:
        uses[output] += 2
    size: dict[int, int] = {}
    inside: set[int] = set()
    for node in nodes:
        if graph.codes[node] <= CONSTANT:
            continue
        inputs = [source for source in set(graph.inputs(node)) if source in inside]
        size[node] = 1 + sum(size[source] for source in inputs)
        # The largest operands get statements of their own.
        for source in sorted(inputs, key=lambda source: -size[source]):
            if size[node] <= largest:
                break
            inside.discard(source)
            size[node] -= size[source]
        if uses[node] == 1 and node not in own:
            inside.add(node)
    homes: dict[int, int] = {}
    for node in reversed(nodes):
        homes[node] = homes[user[node]] if node in inside else node
    return homes


def _last_statements(graph: Graph, nodes: Sequence[int], wanted: Sequence[int], homes: Mapping[int, int]) -> dict[int, int]:
    """For each node with a statement of its own the last statement that reads it; none for outputs."""
    last: dict[int, int] = {}
    for node in nodes:
        for source in graph.inputs(node):
            if homes[source] == source and graph.codes[source] > CONSTANT:
                last[source] = max(last.get(source, 0), homes[node])
    for output in wanted:
        last.pop(output, None)
    return last


class _Registers:
    """Names that are taken again when nobody needs their values: CPython reaches the first 256 names of a function quickest."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._taken: set[str] = set()
        self._free: list[str] = []

    def take(self) -> str:
        if not self._free:
            self.made.append(f"v{len(self.made)}")
            self._free.append(self.made[-1])
        name = self._free.pop()
        self._taken.add(name)
        return name

    def free(self, name: str) -> None:
        if name in self._taken:
            self._taken.discard(name)
            self._free.append(name)
