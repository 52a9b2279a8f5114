"""The linear program: value and gradients as one graph, common parts shared, dead nodes dropped, ready for a writer of source."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.reverse import differentiate
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import REGISTRY, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator


class LinearProgram(NamedTuple):
    """A graph that computes several outputs, in the order of its nodes.

    Its first nodes are the inputs of the graph it was made from, by their numbers, used or not. `shapes` are those of all nodes,
    None where all are numbers.
    """

    graph: Graph
    outputs: tuple[int | None, ...]
    """The value and its gradients; None for a gradient to which no path leads."""
    shapes: list[Shape] | None
    risky: bool
    """Whether something may come out non-finite at finite inputs for other reasons than a plain overflow."""

    def shape(self, node: int) -> Shape:
        """The shape of a node."""
        return () if self.shapes is None else self.shapes[node]

    def last_uses(self) -> list[int]:
        """For each node the last node that reads it; itself if none does, and the number of nodes for an output."""
        graph = self.graph
        last = list(range(len(graph)))
        for node in range(len(graph)):
            for source in graph.inputs(node):
                last[source] = node
        for output in self.outputs:
            if output is not None:
                last[output] = len(graph)
        return last


def linear_program(
    graph: Graph,
    wrt: Sequence[int] = (),
    shapes: Sequence[Shape] | None = None,
    above: float = 1.0,
    steps: bool = True,
) -> LinearProgram:
    """Value and gradients of a graph's last node as one program.

    What the user wrote is shared and folded only where that changes no result: the same gate on the same inputs is computed once, a
    gate on constants not at all. The derivatives are simplified as they are built. Gates that are made up of others are then taken
    apart into their `steps`, so that what a gate and its derivative compute alike is computed once.

    Args:
        graph: whose last node is the output; no random gates and no files (see `engine.makers.prepare`).
        wrt: the numbers of the inputs to differentiate by.
        shapes: of the graph's nodes; None where all are numbers.
        above: the gradient from above, for every element of the output.
        steps: whether to take gates apart.
    """
    builder = SharingBuilder(Graph())
    for _ in range(graph.input_count):
        builder.graph.add_input()
    copies = _copied(graph, builder, shapes)
    output = copies[-1]
    written = len(builder.graph)
    outputs: list[int | None] = [output]
    if wrt:
        outputs += differentiate(builder.graph, output, list(wrt), above=above, builder=builder)
    return taken_apart(builder, outputs, written, Careful(Graph(), steps), shapes is not None)


def _copied(graph: Graph, builder: SharingBuilder, shapes: Sequence[Shape] | None) -> list[int]:
    """The nodes of a graph as nodes of the builder's, the same ones shared."""
    copies: list[int] = []
    arrays: dict[int, int] = {}
    for node, code in enumerate(graph.codes):
        shape = () if shapes is None else shapes[node]
        if code == INPUT:
            copies.append(graph.left[node])
        elif code == CONSTANT:
            value = graph.constant(node)
            if isinstance(value, float):
                copies.append(builder.number(value, written=True).node)
            else:
                if id(value) not in arrays:
                    arrays[id(value)] = builder.graph.add_constant(value)
                copies.append(arrays[id(value)])
        else:
            operator = graph.operators[code]
            sources = [copies[source] for source in graph.inputs(node)]
            inputs = with_sizes(operator, sources, shape, builder.graph, lambda size: builder.number(size, written=True).node)
            copies.append(builder.shared(operator, inputs))
        if shape:
            builder.note_shape(copies[-1], shape)
    return copies


def with_sizes(operator: Operator, inputs: list[int], shape: Shape, graph: Graph, number: Callable[[float], int]) -> list[int]:
    """The inputs of a gate, its sizes as constants: a program is made for arrays of fixed shapes.

    Args:
        operator: the gate.
        inputs: nodes of `graph`.
        shape: of the result.
        graph: grows by constants.
        number: makes the node of a constant.
    """
    gate = operator.gate
    assert gate is not None
    data, sizes = gate.divided(inputs)
    if not sizes or not gate.whole or all(graph.codes[size] == CONSTANT for size in sizes):
        return inputs
    known = shape[-1:] if gate.name == "one_hot" else shape[:1] if gate.name == "linspace" else shape
    numbers = [number(float(size)) for size in known]
    assert gate.data is not None
    return [*numbers, *data] if gate.data < 0 else [*data, *numbers]


class SharingBuilder(Builder):
    """A builder that takes a user's gates as they are, and keeps sums of masked gradients masked."""

    def note_shape(self, node: int, shape: Shape) -> None:
        """Tell the shape of a node that was not built but copied."""
        self._shapes[node] = shape

    def shared(self, operator: Operator, inputs: Sequence[int]) -> int:
        """A gate on nodes as it is: the same one that is there already, or a constant if its inputs are constant numbers."""
        gate = operator.gate
        assert gate is not None
        if gate.name == "=":
            return inputs[0]
        values = [self.value(self.term(node)) for node in inputs]
        if gate.elementwise and all(value is not None for value in values):
            folded = self._fold(gate.name, values, dict(operator.attributes))
            if folded is not None:
                return self.number(folded, written=True).node
        code = self.graph.code(gate, operator.attributes, len(inputs))
        node = self._interned.get((code, tuple(inputs)))
        if node is None:
            node = self._interned[code, tuple(inputs)] = self.graph.add(gate, inputs, operator.attributes)
        return node

    def apply(self, name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Expression:
        """A gate on terms and numbers, simplified; contributions that are both absent make an absent sum."""
        if name in ("+", "-") and self._masked:
            a, b = map(self.lifted, arguments)
            if a.node in self._masked and b.node in self._masked and a.shape == b.shape:
                return self._masked_sum(name, a, b)
        return super().apply(name, arguments, attributes)

    def _masked_sum(self, name: str, a: Expression, b: Expression) -> Expression:
        first, second = self.parts(a, "where"), self.parts(b, "where")
        assert first is not None and second is not None
        if first[0].node == second[0].node:
            return self.masked(first[0], super().apply(name, (first[1], second[1]), {}))
        either = first[0].apply("!=", 0.0).apply("max", second[0].apply("!=", 0.0))
        return self.masked(either, super().apply(name, (a, b), {}))


class Careful(Builder):
    """A builder whose simplifications change no result, for what the user wrote as for what was derived.

    With `steps`, it takes gates apart that are made up of others, but for those whose names are `whole`. What is `derived` is
    multiplied in another order where that makes use of what the user's part computes anyway.
    """

    def __init__(self, graph: Graph, steps: bool = True, whole: frozenset[str] = frozenset()) -> None:
        super().__init__(graph)
        self.steps = steps
        self.whole = whole
        self.derived = False
        self._products = Products()
        self._floors = Floors(graph)

    def apply(self, name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Expression:
        """A gate on terms and numbers."""
        terms = tuple(map(self.lifted, arguments))
        values = [self.value(term) for term in terms]
        if terms and all(value is not None for value in values):
            folded = self._fold(name, values, attributes)
            if folded is not None:
                return self.number(folded)
        gate = REGISTRY.find(name, len(terms))
        if gate is not None and gate.steps is not None and self.opens(name) and all(0 not in term.shape for term in terms):
            made_up: Expression | None = gate.steps(*terms, **attributes)
            if made_up is not None:
                return made_up
        rule = _EXACT.get(name)
        if rule is not None:
            simpler: Expression | None = rule(self, *terms, *values)
            if simpler is not None:
                shape = broadcast_shapes(*[term.shape for term in terms]) if self._shapes else ()
                if simpler.shape == shape:
                    return simpler
        plain = self._unspread(name, terms) if self._shapes else terms
        product = self._product(name, plain, values) if name in ("*", "/", "neg", "square") else None
        if product is not None:
            return product
        return self._node(name, plain, tuple(sorted(attributes.items())))

    def _product(self, name: str, terms: Sequence[Expression], values: Sequence[float | None]) -> Expression | None:
        """A product, or a quotient, as one that is known, or of two that are; else it is made, and known from now on."""
        if name == "/" and values[0] is not None:
            return None
        products = self._products
        factors = products.joined(name, [term.node for term in terms])
        if factors is None or (name == "*" and values[0] is not None):
            return None
        if self.derived and (known := products.known.get(factors)) is not None:
            return self.term(known)
        made = None
        if self.derived and name != "neg" and (pair := products.halves(factors, self._floors.of)) is not None:
            made = super()._node(*pair[:1], [self.term(node) for node in pair[1:]], ())
        if made is None:
            made = self._node(name, terms, ())
        products.note(made.node, factors, not self.derived)
        return made

    def opens(self, name: str) -> bool:
        """Whether a gate of this name is taken apart, if it has steps."""
        return self.steps and name not in self.whole

    def _unspread(self, name: str, terms: tuple[Expression, ...]) -> tuple[Expression, ...]:
        """Without repetitions that broadcasting makes anyway."""
        if name not in _SPREADING or len(terms) < 2:
            return terms
        shape = broadcast_shapes(*[term.shape for term in terms])
        plain = list(terms)
        for place, term in enumerate(terms):
            spread = self.parts(term, "broadcast_to")
            if spread is not None:
                plain[place] = spread[0]
                if broadcast_shapes(*[one.shape for one in plain]) != shape:
                    plain[place] = term
        return tuple(plain)

    def kept(self, operator: Operator, inputs: Sequence[int]) -> Expression:
        """A gate that is not in the registry by name, or has inputs of its own kind, as it is."""
        gate = operator.gate
        assert gate is not None
        return self.apply(gate.name, [self.term(node) for node in inputs], dict(operator.attributes))


Factors = tuple[tuple[int, int], ...]
"""A product as its factors, nodes that are no products, each with its power; -1 in the place of a node is the sign."""

SIGN = -1
CANDIDATES = 16
"""Of so many products that have a factor in common with another it is tried whether they are part of it."""


class Products:
    """What is known of products, so that the same factors in another order are the same."""

    def __init__(self) -> None:
        self.known: dict[Factors, int] = {}
        self._factors: dict[int, Factors] = {}
        self._written: dict[int, list[int]] = {}
        """For each factor the user's products that have it."""

    def joined(self, name: str, nodes: Sequence[int]) -> Factors | None:
        """The factors of a gate on nodes; None if some would cancel, which is not the same where they are 0 or infinite."""
        powers: dict[int, int] = {}
        for place, node in enumerate(nodes):
            sign = -1 if name == "/" and place == 1 else 2 if name == "square" else 1
            for factor, power in self._factors.get(node, ((node, 1),)):
                before = powers.get(factor, 0)
                if factor != SIGN and before * power * sign < 0:
                    return None
                powers[factor] = before + power * sign
        if name == "neg":
            powers[SIGN] = powers.get(SIGN, 0) + 1
        if SIGN in powers:
            powers[SIGN] %= 2
        return tuple(sorted((factor, power) for factor, power in powers.items() if power))

    def note(self, node: int, factors: Factors, written: bool) -> None:
        """Remember a product."""
        self.known.setdefault(factors, node)
        self._factors[node] = factors
        if written and len(factors) > 1:
            for factor, _ in factors:
                self._written.setdefault(factor, []).append(node)

    def halves(self, factors: Factors, floor: Callable[[int], float]) -> tuple[str, int, int] | None:
        """A gate and its inputs, the first of them a product of the user's, that make up these factors."""
        powers = dict(factors)
        candidates = {node for factor in powers for node in self._written.get(factor, ())[:CANDIDATES]}
        for node in sorted(candidates, key=lambda node: -len(self._factors[node])):
            rest = dict(powers)
            for factor, power in self._factors[node]:
                left = rest.get(factor, 0) - power
                if left * rest.get(factor, 0) < 0 or abs(left) >= abs(rest.get(factor, 0)):
                    break
                # What a small divisor would bring back may have been lost in the product before.
                if power < 0 and floor(factor) < SMALL:
                    break
                rest[factor] = left
            else:
                remaining = tuple(sorted((factor, power) for factor, power in rest.items() if power))
                if len(remaining) == 1 and remaining[0][0] != SIGN and abs(remaining[0][1]) == 1:
                    return ("*" if remaining[0][1] > 0 else "/"), node, remaining[0][0]
                if remaining in self.known:
                    return "*", node, self.known[remaining]
        return None


SMALL = 1e-100
"""Divisors that are known to be at least so large cannot make much of what underflowed."""


class Floors:
    """Numbers that the nodes of a growing graph are surely not below (unless they are nan)."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._found: list[float] = []

    def of(self, node: int) -> float:
        """The number for a node."""
        while len(self._found) <= node:
            self._found.append(self._next(len(self._found)))
        return self._found[node]

    def _next(self, node: int) -> float:
        graph = self._graph
        gate = graph.operator(node).gate
        if gate is None:
            constant = graph.constant(node) if graph.codes[node] == CONSTANT else None
            return constant if isinstance(constant, float) and constant == constant else -math.inf
        inputs = graph.inputs(node)
        if gate.name in ("+", "max"):
            low = [self._found[source] for source in inputs]
            return max(low) if gate.name == "max" else sum(low) if min(low) > -math.inf else -math.inf
        if gate.name == "*" and inputs[0] == inputs[1]:
            return 0.0
        return _FLOORS.get(gate.name, -math.inf)


_FLOORS = {"square": 0.0, "abs": 0.0, "exp": 0.0, "exp2": 0.0, "sigmoid": 0.0, "sqrt": 0.0, "cosh": 1.0}

_SPREADING = frozenset(("+", "-", "*", "/", "pow", "<", "<=", ">", ">=", "==", "!=", "where", "max", "min", "hypot", "atan2"))
"""Gates that repeat their inputs as need be."""


def _exact_product(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Expression | None:
    if va == 1.0:
        return b
    if vb == 1.0:
        return a
    if va == -1.0:
        return -b  # type: ignore[no-any-return]
    if vb == -1.0:
        return -a  # type: ignore[no-any-return]
    return None


def _exact_quotient(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Expression | None:
    if vb is not None and (negated := builder.parts(a, "neg")) and not math.isnan(vb):
        return negated[0] / -vb  # type: ignore[no-any-return]
    return a if vb == 1.0 else -a if vb == -1.0 else None


def _exact_negation(builder: Builder, a: Expression, va: float | None) -> Expression | None:
    inner = builder.parts(a, "neg")
    return None if inner is None else inner[0]


def _exact_power(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Expression | None:
    """Small whole powers by multiplying: they are at least as exact, and much faster."""
    if vb == 1.0:
        return a
    if vb == 2.0:
        return a.apply("square")
    if vb == 3.0:
        return a * a.apply("square")  # type: ignore[no-any-return]
    return 1.0 / a if vb == -1.0 else None


def _exact_size(builder: Builder, a: Expression, va: float | None) -> Expression | None:
    inner = builder.parts(a, "neg") or builder.parts(a, "abs")
    return None if inner is None else inner[0].apply("abs")


def _exact_difference(builder: Builder, a: Expression, b: Expression, va: float | None, vb: float | None) -> Expression | None:
    negated = builder.parts(a, "neg")
    return -2.0 * b if negated is not None and negated[0].node == b.node else None


_EXACT: dict[str, Callable[..., Expression | None]] = {
    "-": _exact_difference,
    "*": _exact_product,
    "/": _exact_quotient,
    "neg": _exact_negation,
    "pow": _exact_power,
    "abs": _exact_size,
}


def taken_apart(
    source: Builder, outputs: Sequence[int | None], written: int, builder: Careful, arrays: bool = False
) -> LinearProgram:
    """What the outputs need of a graph, built again by another builder.

    Args:
        source: the graph, as it was built.
        outputs: its outputs.
        written: how many nodes are the user's; the others are derived.
        builder: builds the program, in a graph that is still empty.
        arrays: whether there are arrays.
    """
    graph = source.graph
    wanted = [output for output in outputs if output is not None]
    reached = graph.reached(wanted)
    count = graph.input_count
    for number in range(count):
        builder.graph.add_input()
        shape = source.shape(number)
        if shape:
            builder._shapes[number] = shape
    terms: dict[int, Expression] = {number: builder.term(number) for number in range(count)}
    for node in range(count, len(reached)):
        if reached[node]:
            builder.derived = node >= written
            terms[node] = _translated(source, node, terms, builder)
            expected = source.shape(node)
            if terms[node].shape != expected:
                terms[node] = terms[node].broadcast_to(expected)
    return _compacted(builder, [None if output is None else terms[output].node for output in outputs], arrays)


def _translated(source: Builder, node: int, terms: dict[int, Expression], builder: Careful) -> Expression:
    graph = source.graph
    if graph.codes[node] == CONSTANT:
        value = graph.constant(node)
        if isinstance(value, float):
            return builder.number(value)
        made = builder.graph.add_constant(value)
        if source.shape(node):
            builder._shapes[made] = source.shape(node)
        return builder.term(made)
    operator = graph.operator(node)
    gate = operator.gate
    assert gate is not None
    inputs = [terms[one] for one in graph.inputs(node)]
    if gate.name == "*" and builder.opens("sigmoid"):
        known = _slope_of_sigmoid(source, node, terms)
        if known is not None:
            return known
    return builder.kept(operator, [term.node for term in inputs])


def _slope_of_sigmoid(source: Builder, node: int, terms: dict[int, Expression]) -> Expression | None:
    """sigmoid(x)·sigmoid(-x), which its derivative consists of, from one exponential: y·y·e with e = exp(-x), and y = 1/(1 + e)."""
    operands = [source.parts(source.term(inner), "sigmoid") for inner in source.graph.inputs(node)]
    if operands[0] is None or operands[1] is None:
        return None
    (a,), (b,) = operands[0], operands[1]
    for x, other in ((a, b), (b, a)):
        negated = source.parts(other, "neg")
        if negated is not None and negated[0].node == x.node:
            y = terms[x.node].apply("sigmoid")
            # Where the exponential overflows y is 0, and so is the slope.
            return (-terms[x.node]).apply("exp").apply("min", sys.float_info.max) * y * y  # type: ignore[no-any-return]
    return None


_TAME = frozenset(
    (
        *("+", "-", "*", "neg", "square", "abs", "sign", "floor", "<", "<=", ">", ">=", "==", "!=", "where", "max", "min"),
        *(
            "sigmoid",
            "tanh",
            "cosh",
            "sinh",
            "sin",
            "cos",
            "atan",
            "erf",
            "erfc",
            "asinh",
            "relu",
            "softmax",
            "sum",
            "mean",
            "@",
            "dot",
            "affine",
        ),
        *("transpose", "reshape", "broadcast_to", "sum_to", "[]", "scatter", "concat", "stack", "flip", "exp", "log_softmax"),
        *("cumsum", "squeeze", "expand_dims", "flatten", "take_along_axis", "put_along_axis", "eye", "argsort", "outer"),
        *("logsumexp", "sort"),
    )
)
"""Gates that answer finite numbers with finite ones, unless they overflow."""


def _risky(graph: Graph, node: int, floors: Floors) -> bool:
    """Whether a node may be infinite or nan at finite inputs for other reasons than an overflow."""
    gate = graph.operator(node).gate
    if gate is None or gate.name in _TAME:
        return False
    if gate.name == "/":
        divisor = graph.right[node]
        if graph.codes[divisor] == CONSTANT:
            return not _nowhere_zero(graph.constant(divisor))
        return floors.of(divisor) < SMALL
    return True


def _nowhere_zero(value: Any) -> bool:
    """Whether no element of a constant is 0."""
    return value != 0.0 if isinstance(value, float) else bool(value.all())


def _compacted(builder: Builder, outputs: Sequence[int | None], arrays: bool) -> LinearProgram:
    """The nodes that the outputs depend on, and all inputs."""
    graph = builder.graph
    reached = graph.reached([output for output in outputs if output is not None])
    nodes = [node for node, flag in enumerate(reached) if flag or node < graph.input_count]
    nodes += range(len(reached), graph.input_count)
    found = {node: number for number, node in enumerate(nodes)}
    target = graph.part(nodes)
    made = tuple(None if output is None else found[output] for output in outputs)
    floors = Floors(target)
    risky = any(_risky(target, node, floors) for node in range(len(target)))
    return LinearProgram(target, made, [builder.shape(node) for node in nodes] if arrays else None, risky)
