"""Writers of source that is to be read: gates by their records' spellings, with what each language says of axes and shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gradcalc.calculus.passes import Passes
from gradcalc.dialects.exports.library import Library
from gradcalc.dialects.source import ARITHMETIC, ATOM, LOOSE, SIGN, Piece, SourceWriter, Symbol, infix
from gradcalc.dialects.truth import COMPARISONS, truths
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.record import Gate, Shape
from gradcalc.gates.reductions import reduced_axes
from gradcalc.graph import CONSTANT, Graph, Operator

COMPARISON = 1
POWER = 5
"""Levels of binding, as in `gates.record.Syntax`."""

SYMBOLS: Mapping[str, Symbol] = {**ARITHMETIC, **{name: infix(name, COMPARISON, "none") for name in COMPARISONS}}

Spelling = str | Callable[..., str | None]


class ReadableWriter(SourceWriter):
    """Writes the nodes of one program. Its shapes are known: a gate of sizes gets them as text, and needs no inputs for them."""

    symbols = SYMBOLS
    library: Library
    both, either = " and ", " or "
    words: ClassVar[Mapping[str, str]] = {}
    """What templates may ask for by name, beside attributes and shapes."""

    def __init__(self, passes: Passes, wanted: Sequence[int]) -> None:
        """Write nodes of these passes.

        Args:
            passes: the program.
            wanted: its outputs.
        """
        self.passes = passes
        self.shapes = passes.shapes
        self.constants: dict[int, str] = {}
        """The names of constant arrays that do not stand where they are used, by the numbers of the arrays."""
        self.plain: set[str] = set()
        """Texts that are numbers of the language itself, and no arrays."""
        graph = passes.graph
        reached = graph.reached(list(wanted))
        nodes = [node for node, flag in enumerate(reached) if flag]
        named = passes.names.keys() | passes.slopes.keys()
        self.truths = truths(nodes, self._gate_name, graph.inputs, {*wanted, *named})

    def _gate_name(self, node: int) -> str:
        gate = self.passes.graph.operator(node).gate
        return "" if gate is None else gate.name

    # ---- what is written how -----------------------------------------------------------------------------------------------------

    @classmethod
    def spelling(cls, gate: Gate) -> Spelling | None:
        """How the dialect calls a gate: its record's spelling, or a function that has the gate's name."""
        return gate.spelled.get(cls.dialect)

    @classmethod
    def writes(cls, gate: Gate, attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> bool:
        """Whether there is a way to write a gate with these attributes on inputs of these shapes."""
        spelling = cls.spelling(gate)
        if callable(spelling):
            return spelling(*gate.divided(["{0}"] * len(shapes))[0], **attributes) is not None
        return spelling is not None or gate.name in ("neg", "where") or gate is IDENTITY or gate.name in cls.symbols

    def write(self, graph: Graph, node: int, inputs: Sequence[Piece]) -> Piece:
        """A node that is a gate."""
        operator = graph.operator(node)
        gate = operator.gate
        assert gate is not None
        sources = graph.inputs(node)
        if gate is IDENTITY:
            return inputs[0]
        if gate.name == "where":
            return self.choice(self.condition(sources[0], inputs[0]), *inputs[1:])
        if node in self.truths and gate.name not in COMPARISONS:
            return self.joined(self.both if gate.name == "*" else self.either, inputs)
        data = gate.divided(range(len(sources)))[0]
        shapes = [self.shapes[sources[place]] for place in data]
        given = [inputs[place] for place in data]
        if gate.name in COMPARISONS and len(sources) == 2:
            compared = super().gate(operator, given)
            return compared if node in self.truths else self.truth_as_number(compared)
        return self.call(operator, given, shapes, self.shapes[node])

    def condition(self, node: int, piece: Piece) -> Piece:
        """A node as a truth value."""
        if node in self.truths:
            return piece
        return Piece(COMPARISON, f"{piece.within(COMPARISON + 1)} != {self.number(0.0)}")

    def joined(self, word: str, inputs: Sequence[Piece]) -> Piece:
        """Truth values, joined by a word."""
        return Piece(LOOSE, word.join(piece.within(COMPARISON) for piece in inputs))

    def truth_as_number(self, piece: Piece) -> Piece:
        """A truth value as 1 or 0."""
        raise NotImplementedError

    def choice(self, condition: Piece, yes: Piece, no: Piece) -> Piece:
        """The one where the condition holds, else the other."""
        raise NotImplementedError

    def call(self, operator: Operator, inputs: Sequence[Piece], shapes: Sequence[Shape], shape: Shape) -> Piece:
        """Any other gate on inputs of these shapes, its result of another."""
        gate = operator.gate
        assert gate is not None
        spelling = self.spelling(gate)
        if spelling is None:
            return super().gate(operator, inputs)
        attributes = dict(operator.attributes)
        markers = [f"{{{place}}}" for place in range(len(inputs))]
        template = spelling(*markers, **attributes) if callable(spelling) else spelling
        assert template is not None, gate.name
        filled = template.format(*markers, **self.keywords(attributes, shapes, shape))
        piece = self.spelled(filled, inputs, Operator(gate, (), len(inputs)))
        return Piece(level_of(piece.text), piece.text)

    def keywords(self, attributes: Mapping[str, Any], shapes: Sequence[Shape], shape: Shape) -> dict[str, str]:
        """What templates may ask for."""
        found = {name: self.attribute(value) for name, value in attributes.items()}
        if "axis" in attributes and shapes and not self._makes_axes(attributes["axis"], shapes[0]):
            axes = reduced_axes(shapes[0], attributes["axis"])
            found["axes"] = listed(axes)
            found["along"] = self.along(attributes["axis"], attributes.get("keepdims", False), axes)
        if "index" in attributes:
            found["index"] = ", ".join(map(self._index_item, attributes["index"])) or "()"
            found["slices"] = listed([self._slice(item) for item in attributes["index"]])
        count = shape[-1:] or (1,)
        first = shape[:1] or (1,)
        return {**self.words, **found, "shape": listed(shape), "count": str(count[0]), "length": str(first[0])}

    @staticmethod
    def _makes_axes(axis: Any, shape: Shape) -> bool:
        """Whether an axis is none of the input's, but a new one of the result."""
        axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
        return any(not -len(shape) <= one < len(shape) for one in axes)

    def along(self, axis: Any, keepdims: bool, axes: tuple[int, ...]) -> str:
        """What a reduction is told about its axes, with a comma before it; nothing if it runs over all of them."""
        given = "" if axis is None else f", axis={self.attribute(axis)}"
        return f"{given}, keepdims=True" if keepdims else given

    @staticmethod
    def _index_item(item: Any) -> str:
        if isinstance(item, tuple):
            start, stop, step = ("" if bound is None else str(bound) for bound in item[1:])
            return f"{start}:{stop}" + (f":{step}" if step else "")
        return str(item)

    @staticmethod
    def _slice(item: Any) -> str:
        return f"slice{item[1:]!r}" if isinstance(item, tuple) else str(item)

    # ---- numbers -----------------------------------------------------------------------------------------------------------------

    def constant(self, value: Any) -> Piece:
        """A constant: a number, or an array."""
        if id(value) in self.constants:
            return Piece(ATOM, self.constants[id(value)])
        piece = super().constant(value)
        if isinstance(value, float):
            self.plain.add(piece.text)
        return Piece(level_of(piece.text), piece.text)

    def attribute(self, value: Any) -> str:
        """The value of a keyword argument."""
        if isinstance(value, float):
            return self.number(value)
        return listed(value) if isinstance(value, tuple) else repr(value)


def listed(items: Sequence[Any]) -> str:
    """A tuple as source."""
    return f"({', '.join(map(str, items))}{',' * (len(items) == 1)})"


_LEVELS = (
    (re.compile(r" if | else | and | or |\?|&&|\|\|"), LOOSE),
    (re.compile(r" [<>]=? | [=!]= "), COMPARISON),
    (re.compile(r" [+-] "), 2),
    (re.compile(r" [*/%@] "), 3),
)


def level_of(text: str) -> int:
    """How tightly an expression binds, from what stands in it outside all brackets."""
    depth = 0
    outside: list[str] = []
    for character in text:
        if character in ")]}":
            depth -= 1
        if depth == 0:
            outside.append(character)
        if character in "([{":
            depth += 1
    bare = "".join(outside)
    for pattern, level in _LEVELS:
        if pattern.search(bare):
            return level
    if bare.startswith("-"):
        return SIGN
    return POWER if "**" in bare else ATOM


def known_multiple(value: float) -> tuple[str, float] | None:
    """A number as a simple multiple of pi, or e: what the user most likely wrote."""
    for factor in (1.0, 2.0, 0.5, 4.0, 0.25):
        if value == factor * math.pi:
            return "pi", factor
    return ("e", 1.0) if value == math.e else None


def number_text(value: float, module: str, infinity: str, nan: str) -> str:
    """A float as source, multiples of pi by its name in a module (none for an empty one)."""
    if value != value:
        return nan
    if math.isinf(value):
        return infinity if value > 0 else f"-{infinity}"
    known = known_multiple(abs(value)) if module else None
    if known is None:
        return repr(value)
    name, factor = known
    text = f"{module}.{name}"
    sign = "-" if value < 0 else ""
    return (
        f"{sign}{text}" if factor == 1.0 else f"{sign}{factor!r} * {text}" if factor > 1.0 else f"{sign}{text} / {1.0 / factor!r}"
    )


def folded_lines(text: str, indent: str, width: int = 110, bracket: bool = True) -> list[str]:
    """A statement as lines: broken at blanks, with brackets around what is assigned or returned so that it may be.

    Args:
        text: the statement.
        indent: stands before every line.
        width: of a line, if words are not longer.
        bracket: whether the language needs brackets around what goes on in another line.
    """
    if len(indent) + len(text) <= width:
        return [indent + text]
    if bracket:
        head, _, tail = text.partition(" = ") if " = " in text.split("(")[0] else ("return ", "", text.removeprefix("return "))
        lead = f"{head} = (" if not head.startswith("return") else "return ("
        return [indent + lead, *_filled(tail, indent + "    ", width), indent + ")"]
    first, *rest = _filled(text, indent, width)
    return [first, *["    " + line for line in rest]]


def _filled(text: str, indent: str, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(indent) + len(line) + 1 + len(word) > width:
            lines.append(indent + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, indent + line]


def graph_constants(graph: Graph, nodes: Sequence[int]) -> list[int]:
    """The nodes that are constant arrays."""
    return [node for node in nodes if graph.codes[node] == CONSTANT and not isinstance(graph.constant(node), float)]
