"""Generated nodes: interned, and simplified as they are made, so that derivatives stay small."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradcalc.gates.algebra import Term
from gradcalc.gates.ieee import guarded
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import REGISTRY, Gate, Shape
from gradcalc.graph import CONSTANT, Attributes, Graph


class Expression(Term):
    """A node of a graph under construction, as a term that derivative rules calculate with."""

    __slots__ = ("builder", "node")

    def __init__(self, builder: Builder, node: int) -> None:
        self.builder = builder
        self.node = node

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """The node's shape."""
        return self.builder.shape(self.node)

    def apply(self, gate: str, *others: Any, **attributes: Any) -> Expression:
        """A gate on this node and others."""
        return self.builder.apply(gate, (self, *others), attributes)

    def rapply(self, gate: str, first: Any) -> Expression:
        """A gate on a number and this node."""
        return self.builder.apply(gate, (first, self), {})

    def make(self, gate: str, *numbers: float, **attributes: Any) -> Expression:
        """A gate on numbers alone."""
        return self.builder.apply(gate, numbers, attributes)

    def only(self, condition: Any, slope: Any) -> Expression:
        """This gradient times a slope where the condition holds; elsewhere a zero that nothing multiplied can spoil."""
        product = self if isinstance(slope, float) and slope == 1.0 else self * slope
        return self.builder.masked(condition, product)


class Builder:
    """Appends generated nodes to a graph. The same gate on the same inputs is the same node, constants are folded by their bits."""

    def __init__(self, graph: Graph, shapes: Sequence[Shape] | None = None) -> None:
        """Build on `graph`; `shapes` are those of its nodes so far (None: all are numbers)."""
        self.graph = graph
        self.first_generated = len(graph)
        self._shapes: dict[int, Shape] = {}
        if shapes is not None:
            self._shapes = {node: shape for node, shape in enumerate(shapes) if shape}
        self._interned: dict[tuple[int, tuple[int, ...]], int] = {}
        self._constants: dict[tuple[float, float], int] = {}
        self._masked: set[int] = set()
        self._written: set[int] = set()
        self._intern_existing()

    def _intern_existing(self) -> None:
        """Let generated nodes share what the user wrote (its first occurrence), draws of random numbers excepted."""
        graph = self.graph
        for node, code in enumerate(graph.codes):
            if code > CONSTANT:
                gate = graph.operators[code].gate
                if gate is not None and not gate.random:
                    self._interned.setdefault((code, graph.inputs(node)), node)

    def shape(self, node: int) -> Shape:
        """The shape of a node."""
        return self._shapes.get(node, ())

    def term(self, node: int) -> Expression:
        """A node as a term."""
        return Expression(self, node)

    def number(self, value: float, written: bool = False) -> Expression:
        """A constant, one node per bit pattern; a zero that was `written` by the user is not the one that means: no path."""
        sign = math.copysign(1.0, value)
        key = (value, 2.0 * sign if written else sign) if value == value else (0.0, math.nan)
        node = self._constants.get(key)
        if node is None:
            node = self._constants[key] = self.graph.add_constant(value)
            if written:
                self._written.add(node)
        return Expression(self, node)

    def lifted(self, value: Any) -> Expression:
        """A term as it is, a number as a constant."""
        return value if isinstance(value, Expression) else self.number(float(value))

    def value(self, term: Expression) -> float | None:
        """The number that a term is, if it is a constant number."""
        if self.graph.codes[term.node] == CONSTANT:
            value = self.graph.constant(term.node)
            if isinstance(value, float):
                return value
        return None

    def _is_zero(self, term: Expression) -> bool:
        """Whether a term is a generated zero; a zero that the user wrote stays, since 0 times inf is nan."""
        return term.node >= self.first_generated and self.value(term) == 0.0 and term.node not in self._written

    def masked(self, condition: Any, term: Expression) -> Expression:
        """`where(condition, term, 0)` with a zero that means: no path."""
        if not isinstance(condition, Expression):
            return term if condition else self.number(0.0)
        known = self.value(condition)
        if known is not None:
            return term if known != 0.0 else self.number(0.0)
        made = self._node("where", (condition, term, self.number(0.0)), ())
        self._masked.add(made.node)
        return made

    def apply(self, name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Expression:
        """A gate on terms and numbers, simplified."""
        terms = tuple(map(self.lifted, arguments))
        values = [self.value(term) for term in terms]
        if terms and all(value is not None for value in values):
            folded = self._fold(name, values, attributes)
            if folded is not None:
                factors = zip(terms, values) if name in ("*", "/", "neg") else ()
                written = folded == 0.0 and any(value == 0.0 and not self._is_zero(term) for term, value in factors)
                return self.number(folded, written)
        rule = _RULES.get(name)
        if rule is not None:
            simpler: Expression | None = rule(self, *terms, *values)
            if simpler is not None:
                # What the simpler form lacks may have been there only for its shape.
                return simpler.broadcast_to(broadcast_shapes(*[term.shape for term in terms])) if self._shapes else simpler
        return self._node(name, terms, tuple(sorted(attributes.items())))

    def is_folded(self, name: str, *terms: Expression) -> bool:
        """Whether a gate on these terms is a number, which they then are, too."""
        values = [self.value(term) for term in terms]
        return all(value is not None for value in values) and self._fold(name, values, {}) is not None

    def _fold(self, name: str, values: Sequence[float | None], attributes: dict[str, Any]) -> float | None:
        gate = REGISTRY.find(name, len(values))
        if gate is None or gate.scalar is None or gate.random:
            return None
        if isinstance(gate.scalar, str):
            operation = _FOLDED.get(name)
            return None if operation is None else operation(*values)
        return guarded(gate.scalar, gate.otherwise)(*values, **attributes)

    def _node(self, name: str, terms: Sequence[Expression], attributes: Attributes) -> Expression:
        gate = REGISTRY.find(name, len(terms))
        assert gate is not None, name
        graph = self.graph
        inputs = tuple(term.node for term in terms)
        code = graph.code(gate, attributes, len(inputs))
        node = self._interned.get((code, inputs))
        if node is None:
            node = graph.add(gate, inputs, attributes)
            self._interned[code, inputs] = node
            shape = self._shape_of(gate, terms, attributes)
            if shape:
                self._shapes[node] = shape
        return Expression(self, node)

    def _shape_of(self, gate: Gate, terms: Sequence[Expression], attributes: Attributes) -> Shape:
        if gate.shape is None:
            if not self._shapes:
                return ()
            return broadcast_shapes(*[term.shape for term in terms])
        if gate.data is None:
            return gate.shape(*[term.shape for term in terms], **dict(attributes))
        data, given = gate.divided(terms)
        sizes = tuple(self.value(term) or 0.0 for term in given)
        if gate.whole:
            sizes = tuple(map(int, sizes))
        return gate.shape(*[term.shape for term in data], **dict(attributes), sizes=sizes)

    def parts(self, term: Expression, name: str) -> tuple[Expression, ...] | None:
        """The inputs of a term if it is this gate, else None."""
        operator = self.graph.operator(term.node)
        if operator.gate is None or operator.gate.name != name:
            return None
        return tuple(Expression(self, node) for node in self.graph.inputs(term.node))


def _same(a: Expression, b: Expression) -> bool:
    return a.node == b.node


Rule = Callable[..., Any]
"""Takes the builder, the terms and their values where they are numbers; answers a simpler term, or None."""


def _add(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Any:
    if builder._is_zero(a) and b.shape == broadcast_shapes(a.shape, b.shape):
        return b
    if builder._is_zero(b) and a.shape == broadcast_shapes(a.shape, b.shape):
        return a
    if negated := builder.parts(b, "neg"):
        return a - negated[0]
    if negated := builder.parts(a, "neg"):
        return b - negated[0]
    if _same(a, b):
        return 2.0 * a
    coefficient_a, base_a = _coefficient(builder, a)
    coefficient_b, base_b = _coefficient(builder, b)
    if _same(base_a, base_b) and (coefficient_a != 1.0 or coefficient_b != 1.0):
        return (coefficient_a + coefficient_b) * base_a
    return None


def _coefficient(builder: Builder, term: Expression) -> tuple[float, Expression]:
    """A term as a number times the rest."""
    if product := builder.parts(term, "*"):
        value = builder.value(product[0])
        if value is not None:
            return value, product[1]
    return 1.0, term


def _subtract(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Any:
    if builder._is_zero(b) and a.shape == broadcast_shapes(a.shape, b.shape):
        return a
    if builder._is_zero(a) and b.shape == broadcast_shapes(a.shape, b.shape):
        return -b
    if negated := builder.parts(b, "neg"):
        return a + negated[0]
    return None


def _multiply(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Any:
    for mask, other in ((a, b), (b, a)):
        if mask.node in builder._masked and other.node not in builder._masked:
            parts = builder.parts(mask, "where")
            assert parts is not None
            return builder.masked(parts[0], parts[1] * other)
    if (builder._is_zero(a) or builder._is_zero(b)) and not (a.shape or b.shape):
        return builder.number(0.0)
    if va == 1.0:
        return b
    if vb == 1.0:
        return a
    if va == -1.0:
        return -b
    if vb == -1.0:
        return -a
    if negated := builder.parts(a, "neg"):
        return -(negated[0] * b)
    if negated := builder.parts(b, "neg"):
        return -(a * negated[0])
    if vb is not None:
        return b * a  # numbers come first
    if va is not None:
        # Two numbers that do not become one stay where they are: else three of them would change places for ever.
        if (product := builder.parts(b, "*")) and builder.is_folded("*", a, product[0]):
            return (a * product[0]) * product[1]
        if (quotient := builder.parts(b, "/")) and builder.is_folded("*", a, quotient[0]):
            return (a * quotient[0]) / quotient[1]
    return _cancel(builder, a, b) or _cancel(builder, b, a)


def _cancel(builder: Builder, a: Expression, b: Expression) -> Any:
    """a·(u/v) where a is v, or has v as a factor: so sqrt(x)^2 has the slope 1 at 0, too."""
    quotient = builder.parts(b, "/")
    if quotient is None:
        return None
    u, v = quotient
    if _same(a, v) and a.shape == b.shape:
        return u
    if (product := builder.parts(a, "*")) and a.shape == b.shape:
        if _same(product[0], v):
            return product[1] * u
        if _same(product[1], v):
            return product[0] * u
    if builder.value(u) == 1.0:
        return a / v
    return None


def _divide(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Any:
    if vb == 1.0:
        return a
    if vb == -1.0:
        return -a
    if builder._is_zero(a) and not b.shape:
        return builder.number(0.0)
    if a.node in builder._masked:
        parts = builder.parts(a, "where")
        assert parts is not None
        return builder.masked(parts[0], parts[1] / b)
    if _same(a, b) and not a.shape:
        return builder.number(1.0)
    if negated := builder.parts(a, "neg"):
        return -(negated[0] / b)
    if negated := builder.parts(b, "neg"):
        return -(a / negated[0])
    if (product := builder.parts(a, "*")) and product[0].shape == product[1].shape == b.shape:
        if _same(product[0], b):
            return product[1]
        if _same(product[1], b):
            return product[0]
    return None


def _negate(builder: Builder, a: Expression, va: float | None) -> Any:
    if negated := builder.parts(a, "neg"):
        return negated[0]
    if difference := builder.parts(a, "-"):
        return difference[1] - difference[0]
    if a.node in builder._masked:
        parts = builder.parts(a, "where")
        assert parts is not None
        return builder.masked(parts[0], -parts[1])
    if product := builder.parts(a, "*"):
        value = builder.value(product[0])
        if value is not None:
            return (-product[0]) * product[1]
    return None


def _power(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Any:
    if vb == 1.0:
        return a
    if vb == 0.0 and not a.shape:
        return builder.number(1.0)
    return None


def _where(builder: Builder, condition: Expression, yes: Expression, no: Expression, *values: Any) -> Any:
    if values[0] is not None and yes.shape == no.shape:
        return yes if values[0] != 0.0 else no
    if _same(yes, no) and broadcast_shapes(condition.shape, yes.shape) == yes.shape:
        return yes
    return None


_RULES: dict[str, Rule] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "neg": _negate,
    "pow": _power,
    "where": _where,
}

_FOLDED: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "neg": lambda a: -a,
    "square": lambda a: a * a,
    "/": lambda a, b: a / b if b else math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b),
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
}
