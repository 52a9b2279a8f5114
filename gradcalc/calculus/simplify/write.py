"""Terms written as a graph, the way they are written on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcalc.calculus.simplify.nodes import (
    FUNCTION,
    HALF,
    NUMBER,
    SYMBOL,
    Exponent,
    Node,
    Rational,
    Term,
    absolute,
    is_short_decimal,
)
from gradcalc.calculus.simplify.terms import Terms
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import DRAW, REGISTRY, Shape
from gradcalc.graph import CONSTANT, INPUT, Attributes, Graph


class Writer:
    """Appends terms to a graph in which the same gate on the same inputs is the same node."""

    def __init__(self, graph: Graph, terms: Terms, inputs: Sequence[int], source: Graph) -> None:
        """Write to `graph`, where `inputs` are the nodes of the inputs by their number; atoms are copied from `source`."""
        self.graph = graph
        self.terms = terms
        self.inputs = inputs
        self.source = source
        self._copies: dict[int, int] = {}
        self._written: dict[Term, int] = {}
        self._nodes: dict[tuple[int, tuple[int, ...]], int] = {}
        self._constants: dict[object, int] = {}

    def write(self, term: Term) -> int:
        """A term as a node."""
        written = self._written
        stack = [term]
        while stack:
            current = stack[-1]
            if current in written:
                stack.pop()
                continue
            missing = [needed for needed in self._needs(current) if needed not in written]
            if missing:
                stack += missing
                continue
            written[current] = self._make(current)
            stack.pop()
        return written[term]

    def shapes(self, given: Sequence[Shape]) -> list[Shape]:
        """The shapes of all nodes of the graph; `given` are those of the source."""
        graph, source = self.graph, self.source
        by_input = {self.inputs[source.left[node]]: given[node] for node, code in enumerate(source.codes) if code == INPUT}
        found: list[Shape] = []
        for node, code in enumerate(graph.codes):
            if code == INPUT:
                found.append(by_input.get(node, ()))
            elif code == CONSTANT:
                value = graph.constant(node)
                found.append(() if isinstance(value, float) else tuple(value.shape))
            else:
                found.append(_shape_of(graph, node, found))
        return found

    def _needs(self, term: Term) -> list[Term]:
        """The terms of which this one is written."""
        coefficient, node = term
        if self.terms.written_as_sum(coefficient, node):
            return self._parts(coefficient, node)
        if coefficient == 1 and node.kind == FUNCTION:
            return list(node.parts)
        if node is self.terms.one or (coefficient == 1 and node.kind == SYMBOL):
            return []
        needed: list[Term] = []
        _, _, factors, _, divisors = self.terms.quotient(coefficient, node)
        for base, exponent in (*factors, *divisors):
            if base.kind != NUMBER and base is not self.terms.e:
                needed.append(Term(1, base))
            if isinstance(exponent, Term):
                needed.append(exponent)
        return needed

    def _make(self, term: Term) -> int:
        coefficient, node = term
        if coefficient == 0:
            return self.constant(0.0)
        if self.terms.written_as_sum(coefficient, node):
            return self._sum(coefficient, node)
        if coefficient == 1 and node.kind == FUNCTION:
            assert node.gate is not None
            return self._add_gate(node.gate.name, [self._written[part] for part in node.parts], node.attributes, node)
        if coefficient == 1 and node.kind == SYMBOL:
            return self._symbol(node)
        return self._quotient(coefficient, node)

    def _symbol(self, node: Node) -> int:
        kind, value = node.parts
        if kind == "node":
            return self._copied(value)
        if kind == "input":
            return int(self.inputs[value])
        if kind == "array":
            return self.constant(value.value)
        return self.constant(float(value))

    def _copied(self, node: int) -> int:
        """A node of the source as it is."""
        source, copies = self.source, self._copies
        if node in copies:
            return copies[node]
        for inner, flag in enumerate(source.reached([node])):
            if not flag or inner in copies:
                continue
            gate, attributes, _ = source.operator(inner)
            if gate is not None:
                key = (
                    self.graph.code(gate, attributes, len(source.inputs(inner))),
                    tuple(copies[one] for one in source.inputs(inner)),
                )
                if key not in self._nodes:
                    self._nodes[key] = self.graph.add(gate, key[1], attributes)
                copies[inner] = self._nodes[key]
            else:
                is_input = source.codes[inner] == INPUT
                copies[inner] = self.inputs[source.left[inner]] if is_input else self.constant(source.constant(inner))
        return copies[node]

    def copies(self) -> Mapping[int, int]:
        """The nodes that were copied from the source, with where they are."""
        return self._copies

    def constant(self, value: object) -> int:
        """A constant as a node."""
        key: object = (repr(value),) if isinstance(value, float) else id(value)
        node = self._constants.get(key)
        if node is None:
            node = self._constants[key] = self.graph.add_constant(value)
        return node

    def number(self, value: Rational) -> int:
        """A rational number: a constant, or a quotient of two."""
        if value.denominator == 1 or (self.terms.decimal and is_short_decimal(value)) or value.denominator >= 10**15:
            return self.constant(_float(value))
        return self._gate("/", self.constant(_float(value.numerator)), self.constant(_float(value.denominator)))

    def _parts(self, coefficient: Rational, node: Node) -> list[Term]:
        """The terms of a sum in the order in which they are written, with their signs only where none is before them."""
        parts = [Term(own * coefficient, inner) for own, inner in node.parts]
        if parts[0].coefficient < 0 < parts[-1].coefficient and _descends(parts):
            parts.reverse()  # 1 - x - x^2
        first = next((place for place, (own, _) in enumerate(parts) if own > 0), 0)
        parts.insert(0, parts.pop(first))
        return [parts[0], *[Term(absolute(own), inner) for own, inner in parts[1:]]]

    def _sum(self, coefficient: Rational, node: Node) -> int:
        first, *others = self._parts(coefficient, node)
        result = self._written[first]
        positive = {inner: own * coefficient > 0 for own, inner in node.parts}
        for term in others:
            result = self._gate("+" if positive[term.node] else "-", result, self._written[term])
        return result

    def _quotient(self, coefficient: Rational, node: Node) -> int:
        negative, above, factors, below, divisors = self.terms.quotient(coefficient, node)
        pieces = [self._power(base, exponent) for base, exponent in factors]
        if above is not None:
            pieces.insert(0, self.constant(_float(-above if negative else above)))
        elif negative:
            pieces[0] = self._gate("neg", pieces[0])
        result = self._chain(pieces)
        under = [self._power(base, exponent) for base, exponent in divisors]
        if below is not None:
            under.insert(0, self.constant(_float(below)))
        return self._gate("/", result, self._chain(under)) if under else result

    def _chain(self, pieces: Sequence[int]) -> int:
        result = pieces[0]
        for piece in pieces[1:]:
            result = self._gate("*", result, piece)
        return result

    def _power(self, base: Node, exponent: Exponent) -> int:
        if base is self.terms.e:
            if exponent == 1:
                return self.constant(self.terms.e.parts[1])
            return self._gate("exp", self._exponent(exponent))
        inner = self.number(base.parts) if base.kind == NUMBER else self._written[Term(1, base)]
        if exponent == 1:
            return inner
        if exponent == HALF:
            return self._gate("sqrt", inner)
        return self._gate("pow", inner, self._exponent(exponent))

    def _exponent(self, exponent: Exponent) -> int:
        return self._written[exponent] if isinstance(exponent, Term) else self.number(exponent)

    def _gate(self, name: str, *inputs: int) -> int:
        return self._add_gate(name, inputs, ())

    def _add_gate(self, name: str, inputs: Sequence[int], attributes: Attributes, node: Node | None = None) -> int:
        gate = node.gate if node is not None else REGISTRY.find(name, len(inputs))
        assert gate is not None
        code = self.graph.code(gate, attributes, len(inputs))
        key = (code, tuple(inputs))
        made = self._nodes.get(key)
        if made is None:
            made = self._nodes[key] = self.graph.add(gate, inputs, attributes)
        return made


def _descends(parts: Sequence[Term]) -> bool:
    """Whether terms stand in the order of their degrees, the highest first."""
    return all(first.node.degree > second.node.degree for first, second in zip(parts, parts[1:]))


def _shape_of(graph: Graph, node: int, shapes: Sequence[Shape]) -> Shape:
    gate, attributes, _ = graph.operator(node)
    assert gate is not None
    inputs = graph.inputs(node)
    if gate.shape is None:
        return broadcast_shapes(*[shapes[source] for source in inputs])
    own = {name: value for name, value in attributes if name != DRAW}
    data, sizes = gate.divided(inputs)
    if gate.data is None:
        return gate.shape(*[shapes[source] for source in inputs], **own)
    numbers = tuple(graph.constant(size) for size in sizes)
    return gate.shape(*[shapes[source] for source in data], **own, sizes=tuple(map(int, numbers)) if gate.whole else numbers)


def _float(value: Rational) -> float:
    """The nearest float."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
