"""Formulas of numbers and arrays as source for NumPy, JAX and PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gradcalc.calculus.passes import Passes
from gradcalc.dialects.exports.library import Library, read_library
from gradcalc.dialects.exports.readable import SYMBOLS, ReadableWriter, Spelling, listed, number_text
from gradcalc.dialects.source import ATOM, Piece, Symbol, infix
from gradcalc.dialects.truth import COMPARISONS
from gradcalc.gates.record import Gate, Shape
from gradcalc.graph import Graph, Operator

_ARRAY_SYMBOLS: Mapping[str, Symbol] = {
    **SYMBOLS,
    "%": infix("%", 3),
    "@": infix("@", 3),
    "pow": Symbol("**", 5, 6, 5),
}

_PLAIN = frozenset(("+", "-", "*", "neg", "="))
"""Gates that may be computed by the language itself if all their inputs are its numbers."""

_SYNTAX = frozenset(("[]", "transpose"))


class ArrayWriter(ReadableWriter):
    """What the array libraries have in common."""

    symbols = _ARRAY_SYMBOLS
    both, either = " & ", " | "

    @classmethod
    def default(cls, gate: Gate) -> Spelling | None:
        """The library's own function for a gate, where it has one."""
        raise NotImplementedError

    @classmethod
    def spelling(cls, gate: Gate) -> Spelling | None:
        """A record's spelling, or else the function that has the gate's name."""
        own = gate.spelled.get(cls.dialect)
        if own is not None or gate.name == "neg" or gate.name in cls.symbols or gate.name in COMPARISONS:
            return own
        if gate.name in cls.library:
            return _called(gate.name, gate)
        return cls.default(gate)

    @classmethod
    def writes(cls, gate: Gate, attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> bool:
        """Whether there is a way to write a gate."""
        return gate.name in _SYNTAX or super().writes(gate, attributes, shapes)

    def write(self, graph: Graph, node: int, inputs: Sequence[Piece]) -> Piece:
        """A node that is a gate; of numbers of the language alone, a number."""
        operator = graph.operator(node)
        gate = operator.gate
        assert gate is not None
        if inputs and gate.elementwise and all(piece.text in self.plain for piece in inputs):
            if gate.name not in _PLAIN and not (gate.name == "/" and self._known(inputs[1]) != 0.0):
                inputs = [self.as_array(piece) for piece in inputs]
            else:
                piece = super().write(graph, node, inputs)
                self.plain.add(piece.text)
                return piece
        return super().write(graph, node, inputs)

    @staticmethod
    def _known(piece: Piece) -> float:
        try:
            return float(piece.text)
        except ValueError:
            return 0.0

    def as_array(self, piece: Piece) -> Piece:
        """A number of the language as one of the library."""
        raise NotImplementedError

    def assignment(self, name: str, text: str) -> str:
        """A statement that names a value; the name of a number of the language is one, too."""
        if text in self.plain:
            self.plain.add(name)
        return super().assignment(name, text)

    def condition(self, node: int, piece: Piece) -> Piece:
        """A node as a truth value."""
        return super().condition(node, self.as_array(piece) if piece.text in self.plain else piece)

    def joined(self, word: str, inputs: Sequence[Piece]) -> Piece:
        """Truth values, joined by a sign that binds tightly."""
        text = word.join(piece.within(5) for piece in inputs)
        return Piece(0, text)

    def call(self, operator: Operator, inputs: Sequence[Piece], shapes: Sequence[Shape], shape: Shape) -> Piece:
        """Any other gate."""
        gate = operator.gate
        assert gate is not None
        if gate.name == "[]":
            index = self.keywords(dict(operator.attributes), shapes, shape)["index"]
            return Piece(ATOM, f"{inputs[0].within(ATOM)}[{index}]")
        if gate.name == "transpose":
            return self.transposed(inputs[0], dict(operator.attributes)["axes"], len(shapes[0]))
        if gate.name == "pow" and re.fullmatch(r"\d{1,2}\.0", inputs[1].text):
            inputs = [inputs[0], Piece(ATOM, inputs[1].text.removesuffix(".0"))]
        return super().call(operator, inputs, shapes, shape)

    def transposed(self, piece: Piece, axes: Any, rank: int) -> Piece:
        """An array with its axes in another order."""
        raise NotImplementedError


def _called(name: str, gate: Gate) -> str:
    """A call of a function with a gate's inputs and attributes."""
    texts = [f"{{{place}}}" for place in range(gate.arity[0])]
    attributes = {attribute.name for attribute in gate.attributes}
    return f"{name}({', '.join(texts)}{'{along}' if 'axis' in attributes else ''})"


class NumpyWriter(ArrayWriter):
    """Writes NumPy."""

    dialect = "numpy"
    module = "np"
    library = Library(read_library("numpy.txt"), "\n\n\n", r"^def (\w+)")
    words: ClassVar[Mapping[str, str]] = {"np": "np"}

    @classmethod
    def default(cls, gate: Gate) -> Spelling | None:
        """NumPy's function."""
        if isinstance(gate.array, str) and (gate.elementwise or not gate.attributes):
            return _called(f"{{np}}.{gate.array}", gate)
        return _called(f"{{np}}.{gate.name}", gate) if gate.name in _SAME_NAME else None

    def as_array(self, piece: Piece) -> Piece:
        """A float of NumPy, which divides by 0."""
        return Piece(ATOM, f"{self.module}.float64({piece.text})")

    def truth_as_number(self, piece: Piece) -> Piece:
        """A truth value as a float."""
        return Piece(ATOM, f"({piece.text}).astype(float)")

    def choice(self, condition: Piece, yes: Piece, no: Piece) -> Piece:
        """The one or the other, element by element."""
        return Piece(ATOM, f"{self.module}.where({condition.text}, {yes.text}, {no.text})")

    def transposed(self, piece: Piece, axes: Any, rank: int) -> Piece:
        """An array with its axes in another order."""
        if axes is None:
            return Piece(ATOM, f"{piece.within(ATOM)}.T")
        return Piece(ATOM, f"{self.module}.transpose({piece.text}, {listed(axes)})")

    def number(self, value: float) -> str:
        """A float, to the last bit."""
        return number_text(value, self.module, f"{self.module}.inf", f"{self.module}.nan")

    def array(self, value: Any) -> str:
        """A constant array."""
        if not value.size:
            return f"{self.module}.zeros({listed(value.shape)})"
        return f"{self.module}.array({nested(value.tolist(), self.number)})"


_SAME_NAME = frozenset(("sum", "mean", "prod", "max", "min", "cumsum", "trace", "flip"))


class JaxWriter(NumpyWriter):
    """Writes JAX: what NumPy has, it has too."""

    dialect = "jax"
    module = "jnp"
    words: ClassVar[Mapping[str, str]] = {"np": "jnp"}

    @classmethod
    def spelling(cls, gate: Gate) -> Spelling | None:
        """A record's spelling for JAX, or else that for NumPy."""
        own = gate.spelled.get("jax", gate.spelled.get("numpy"))
        return own if own is not None else super().spelling(gate)


def _jax_library() -> Library:
    """NumPy's functions, but for those that JAX has to write in another way."""
    texts = dict(NumpyWriter.library.functions)
    own = Library(read_library("jax.txt"), "\n\n\n", r"^def (\w+)").functions
    pieces = [re.sub(r"\bnp\.", "jnp.", own.get(name, function).text) for name, function in texts.items()]
    return Library("\n\n\n".join(pieces), "\n\n\n", r"^def (\w+)")


JaxWriter.library = _jax_library()


class TorchWriter(ArrayWriter):
    """Writes PyTorch. Numbers stay numbers of Python where PyTorch takes them, so that tensors keep their type."""

    dialect = "torch"
    library = Library(read_library("torch.txt"), "\n\n\n", r"^def (\w+)")

    def __init__(self, passes: Passes, wanted: Sequence[int]) -> None:
        super().__init__(passes, wanted)
        self.like: str | None = None
        """The name of a tensor, of whose type others are made."""

    @classmethod
    def default(cls, gate: Gate) -> Spelling | None:
        """PyTorch's function of the same name."""
        return _called(f"torch.{gate.name}", gate) if gate.name in _OF_TORCH else None

    def as_array(self, piece: Piece) -> Piece:
        """A number as a tensor."""
        if self.like is None:
            return Piece(ATOM, f"torch.tensor({piece.text}, dtype=torch.float64)")
        return Piece(ATOM, f"{self.like}.new_tensor({piece.text})")

    def truth_as_number(self, piece: Piece) -> Piece:
        """A truth value as 1 or 0."""
        return Piece(ATOM, f"({piece.text}).double()")

    def choice(self, condition: Piece, yes: Piece, no: Piece) -> Piece:
        """The one or the other, element by element; two numbers would make a tensor of another type."""
        if yes.text in self.plain and no.text in self.plain:
            yes, no = self.as_array(yes), self.as_array(no)
        return Piece(ATOM, f"torch.where({condition.text}, {yes.text}, {no.text})")

    def call(self, operator: Operator, inputs: Sequence[Piece], shapes: Sequence[Shape], shape: Shape) -> Piece:
        """Any other gate; functions take no numbers of Python."""
        gate = operator.gate
        assert gate is not None
        if gate.name not in self.symbols and gate.name != "neg" and not (gate.name == "clip" and self._bounds_are_plain(inputs)):
            inputs = [self.as_array(piece) if piece.text in self.plain else piece for piece in inputs]
        return super().call(operator, inputs, shapes, shape)

    def _bounds_are_plain(self, inputs: Sequence[Piece]) -> bool:
        return all((piece.text in self.plain) == (place > 0) for place, piece in enumerate(inputs))

    def along(self, axis: Any, keepdims: bool, axes: tuple[int, ...]) -> str:
        """What a reduction is told about its axes."""
        if axis is None and not keepdims:
            return ""
        given = f", dim={self.attribute(axes if axis is None else axis)}"
        return f"{given}, keepdim=True" if keepdims else given

    def transposed(self, piece: Piece, axes: Any, rank: int) -> Piece:
        """A tensor with its axes in another order."""
        if axes is None and rank == 2:
            return Piece(ATOM, f"{piece.within(ATOM)}.T")
        order = tuple(reversed(range(rank))) if axes is None else tuple(axis % rank for axis in axes)
        return Piece(ATOM, f"{piece.within(ATOM)}.permute({listed(order)})")

    def number(self, value: float) -> str:
        """A float, to the last bit."""
        return number_text(value, "math", "math.inf", "math.nan")

    def array(self, value: Any) -> str:
        """A constant tensor."""
        if not value.size:
            return f"torch.zeros({listed(value.shape)}, dtype=torch.float64)"
        return f"torch.tensor({nested(value.tolist(), self.number)}, dtype=torch.float64)"


_OF_TORCH = frozenset(
    (
        *("abs", "sign", "floor", "ceil", "round", "sqrt", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "logaddexp"),
        *("erf", "erfc", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
        *("hypot", "sigmoid", "relu", "sum", "mean"),
    )
)
"""Gates that PyTorch has under their own names."""


def nested(value: Any, number: Any) -> str:
    """Nested lists of floats as source."""
    if not isinstance(value, list):
        return str(number(value))
    return f"[{', '.join(nested(item, number) for item in value)}]"
