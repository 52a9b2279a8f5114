"""Formulas of numbers as Python source, with nothing but the standard library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gradcalc.calculus.passes import Passes
from gradcalc.calculus.ranges import EVERYTHING, Range, ranges
from gradcalc.dialects.exports.library import Library, read_library
from gradcalc.dialects.exports.readable import SYMBOLS, ReadableWriter, Spelling, number_text
from gradcalc.dialects.source import ATOM, LOOSE, Piece
from gradcalc.dialects.truth import COMPARISONS
from gradcalc.gates.record import Gate, Shape
from gradcalc.graph import Graph

LIBRARY = Library(read_library("python.txt"), "\n\n\n", r"^def (\w+)")

OVERFLOW = 709.0
"""Below this, exp does not overflow."""

_SAFE: Mapping[str, Range] = {
    **dict.fromkeys(("exp", "expm1"), Range(-math.inf, OVERFLOW)),
    **dict.fromkeys(("sinh", "cosh"), Range(-OVERFLOW, OVERFLOW)),
    **dict.fromkeys(("log", "log2", "log10"), Range(5e-324, math.inf)),
    "log1p": Range(math.nextafter(-1.0, 0.0), math.inf),
    "sqrt": Range(0.0, math.inf),
    **dict.fromkeys(("sin", "cos", "tan"), Range(-1.7976931348623157e308, 1.7976931348623157e308)),
    **dict.fromkeys(("asin", "acos"), Range(-1.0, 1.0)),
    "acosh": Range(1.0, math.inf),
    "atanh": Range(math.nextafter(-1.0, 0.0), math.nextafter(1.0, 0.0)),
}
"""Where functions of `math` raise nothing; those that are not named never do."""


class PythonNumbers(ReadableWriter):
    """Writes gates on floats. What may raise goes through a function of the library, which answers as IEEE arithmetic does."""

    dialect = "python"
    symbols: Mapping[str, Any] = {name: symbol for name, symbol in SYMBOLS.items() if name != "%"}
    library = LIBRARY

    def __init__(self, passes: Passes, wanted: Sequence[int]) -> None:
        super().__init__(passes, wanted)
        graph = passes.graph
        self._ranges = ranges(graph)
        self._raising = {
            self._gate_name(node)
            for node, flag in enumerate(graph.reached(list(wanted)))
            if flag and self._may_raise(self._gate_name(node), graph, node)
        }
        """The functions of `math` that may raise somewhere in the program: there and elsewhere, others stand for them."""

    def _may_raise(self, name: str, graph: Graph, node: int) -> bool:
        safe = _SAFE.get(name)
        return safe is not None and not self._ranges[graph.left[node]].within(*safe)

    @classmethod
    def spelling(cls, gate: Gate) -> Spelling | None:
        """A record's spelling, or else the function of `math` or of the library that has the gate's name."""
        own = gate.spelled.get(cls.dialect)
        if own is not None or not gate.elementwise:
            return own
        if gate.name in COMPARISONS or gate.name in cls.symbols or (gate.name not in cls.library and not is_of_math(gate)):
            return None
        inputs = [f"{{{place}}}" for place in range(gate.arity[0])]
        called = gate.name if gate.name in cls.library else f"math.{gate.name}"
        return f"{called}({', '.join(inputs + [f'{{{attribute.name}}}' for attribute in gate.attributes])})"

    @classmethod
    def writes(cls, gate: Gate, attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> bool:
        """Whether the gate is one of numbers."""
        return gate.elementwise and not any(shapes) and super().writes(gate, attributes, shapes)

    def write(self, graph: Graph, node: int, inputs: Sequence[Piece]) -> Piece:
        """A node that is a gate."""
        name = self._gate_name(node)
        if name == "/" and (self._ranges[graph.right[node]].has_zero() or self._ranges[graph.right[node]] == EVERYTHING):
            return Piece(ATOM, f"divide({inputs[0].text}, {inputs[1].text})")
        gate = graph.operator(node).gate
        if gate is not None and is_of_math(gate) and name not in self._raising and gate.arity[0] == 1:
            return Piece(ATOM, f"math.{name}({inputs[0].text})")
        return super().write(graph, node, inputs)

    def truth_as_number(self, piece: Piece) -> Piece:
        """A truth value as a float."""
        return Piece(ATOM, f"float({piece.text})")

    def choice(self, condition: Piece, yes: Piece, no: Piece) -> Piece:
        """A conditional expression."""
        return Piece(LOOSE, f"{yes.within(LOOSE + 1)} if {condition.within(LOOSE + 1)} else {no.text}")

    def number(self, value: float) -> str:
        """A float, to the last bit."""
        return number_text(value, "math", "math.inf", "math.nan")


def is_of_math(gate: Gate) -> bool:
    """Whether a gate is a function of Python's `math` of the same name."""
    return callable(gate.scalar) and gate.scalar is getattr(math, gate.name, None)
