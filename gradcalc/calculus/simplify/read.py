"""A graph read into terms: sums and products gathered over all their gates at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

from gradcalc.calculus.simplify.functions import function
from gradcalc.calculus.simplify.nodes import Exponent, Rational, Term
from gradcalc.calculus.simplify.search import Search
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

MOST_RANKED = 100
"""Of more inputs nobody minds the order."""

OTHER, ADDITIVE, MULTIPLICATIVE, SIGN = range(4)

_CLASSES = {"+": ADDITIVE, "-": ADDITIVE, "neg": SIGN, "*": MULTIPLICATIVE, "/": MULTIPLICATIVE, "square": MULTIPLICATIVE,
            "reciprocal": MULTIPLICATIVE, "pow": MULTIPLICATIVE}  # fmt: skip


class Reader:
    """Reads nodes of a graph as terms, each once, in the order of the graph."""

    def __init__(
        self, graph: Graph, shapes: Sequence[Shape] | None, search: Search, typed: int, atoms: Collection[int] = ()
    ) -> None:
        """Nodes before `typed` were written by the user: their sums keep their order. `atoms` are taken as they are by others."""
        self.graph = graph
        self.shapes = shapes
        self.search = search
        self.terms = search.terms
        self.typed = typed
        self.atoms = atoms
        self.values: dict[int, Term] = {}
        self._classes = [_CLASSES.get(operator.gate.name, OTHER) if operator.gate else OTHER for operator in graph.operators]

    def read(self, nodes: Iterable[int]) -> None:
        """Enter the terms of these nodes, and of all that they need, in `values`."""
        graph = self.graph
        wanted = set(nodes)
        reached = self._reached(wanted)
        uses = [0] * len(reached)
        user = [-1] * len(reached)
        for node, flag in enumerate(reached):
            if flag and graph.codes[node] > CONSTANT:
                for source in graph.inputs(node):
                    uses[source] += 1
                    user[source] = node
        absorbed = self._absorbed(reached, wanted, uses, user)
        self._rank_inputs(reached, absorbed, user)
        for node, flag in enumerate(reached):
            if flag and not absorbed[node]:
                self.terms.typed = node < self.typed
                self.values[node] = self._atom(node) if self._is_atom(node) else self._read(node, absorbed)
        self.terms.typed = False

    def _reached(self, wanted: Collection[int]) -> bytearray:
        """What has to be read: not what is inside an atom."""
        graph = self.graph
        flags = bytearray(max(wanted, default=-1) + 1)
        for node in wanted:
            flags[node] = 1
        for node in range(len(flags) - 1, -1, -1):
            if flags[node] and not self._is_atom(node):
                for source in graph.inputs(node):
                    flags[source] = 1
        return flags

    def _is_atom(self, node: int) -> bool:
        return node in self.atoms and self.graph.codes[node] > CONSTANT and self._gate(node) != "="

    def _atom(self, node: int) -> Term:
        return self.terms.symbol("node", node, () if self.shapes is None else self.shapes[node])

    def _rank_inputs(self, reached: bytearray, absorbed: bytearray, user: Sequence[int]) -> None:
        """The order of the inputs in products: that of the products that were typed, else that of their first use."""
        graph = self.graph
        order = [node for node, flag in enumerate(reached) if flag and graph.codes[node] == INPUT]
        known = set(order)
        if len(order) > MOST_RANKED:
            return
        seen: dict[tuple[int, int], None] = {}
        for node, flag in enumerate(reached[: self.typed]):
            whole = not absorbed[node] or user[node] >= self.typed
            if flag and whole and self._class(node) == MULTIPLICATIVE:
                row = [source for source in self._leaves(node) if source in known]
                for pair in zip(row, row[1:]):
                    order = _ordered(order, pair, seen)
        for rank, node in enumerate(order):
            shape = () if self.shapes is None else self.shapes[node]
            self.terms.ranks[self.terms.symbol("input", graph.left[node], shape).node.id] = rank

    def _leaves(self, node: int) -> list[int]:
        """The factors of a product of products, in the order in which they stand; of a very long one the first."""
        graph = self.graph
        found: list[int] = []
        stack = [node]
        while stack and len(found) < MOST_RANKED:
            current = stack.pop()
            if self._class(current) != MULTIPLICATIVE or (current != node and self._is_atom(current)):
                found.append(current)
            elif self._gate(current) == "pow":
                stack.append(graph.left[current])
            else:
                stack += reversed(graph.inputs(current))
        return found

    def _class(self, node: int) -> int:
        kind = self._classes[self.graph.codes[node]]
        if kind == MULTIPLICATIVE and self._gate(node) == "pow" and self._whole_exponent(node) is None:
            return OTHER
        return kind

    def _gate(self, node: int) -> str:
        gate = self.graph.operator(node).gate
        return gate.name if gate is not None else ""

    def _whole_exponent(self, node: int) -> int | None:
        """The exponent of a power, if it is a whole constant."""
        exponent = self.graph.right[node]
        if self.graph.codes[exponent] == CONSTANT:
            value = self.graph.constant(exponent)
            if isinstance(value, float) and abs(value) < 2**31 and value == int(value):
                return int(value)
        return None

    def _absorbed(self, reached: bytearray, wanted: Collection[int], uses: Sequence[int], user: Sequence[int]) -> bytearray:
        """Which nodes are gathered into the sum or product of their only user; a sign is of the kind of its user."""
        absorbed = bytearray(len(reached))
        kinds = [OTHER] * len(reached)
        for node in range(len(reached) - 1, -1, -1):
            if not reached[node]:
                continue
            kind = self._class(node)
            outer = kinds[user[node]] if uses[node] == 1 and node not in wanted and not self._is_atom(node) else OTHER
            if outer == MULTIPLICATIVE and self._gate(user[node]) == "pow" and self.graph.right[user[node]] == node:
                outer = OTHER  # an exponent is no factor
            kinds[node] = kind if kind != SIGN else outer if outer != OTHER else ADDITIVE
            absorbed[node] = kinds[node] == outer != OTHER
        return absorbed

    def _read(self, node: int, absorbed: bytearray) -> Term:
        graph = self.graph
        shape = () if self.shapes is None else self.shapes[node]
        code = graph.codes[node]
        if code == INPUT:
            return self.terms.symbol("input", graph.left[node], shape)
        if code == CONSTANT:
            value = graph.constant(node)
            return self.terms.number(value) if isinstance(value, float) else self._array(value, shape)
        kind = self._class(node)
        if kind in (ADDITIVE, SIGN):
            value = self.search.sum(self._gathered_sum(node, absorbed), node < self.typed)
        elif kind == MULTIPLICATIVE:
            value = self.search.product(*self._gathered_product(node, absorbed))
        else:
            value = self._function(node, shape)
        return self._fitted(value, shape) if self.terms.arrays else value

    def _array(self, value: object, shape: Shape) -> Term:
        return self.terms.symbol("array", _Same(value), shape)

    def _gathered_sum(self, node: int, absorbed: bytearray) -> list[Term]:
        """The terms of a sum of sums, in their order."""
        graph = self.graph
        found: list[Term] = []
        stack = [(node, 1)]
        while stack:
            current, sign = stack.pop()
            if current != node and not absorbed[current]:
                coefficient, inner = self._plain(self.values[current])
                found.append(Term(sign * coefficient, inner))
                continue
            name = self._gate(current)
            if name == "neg":
                stack.append((graph.left[current], -sign))
            else:
                stack.append((graph.right[current], sign if name == "+" else -sign))
                stack.append((graph.left[current], sign))
        return found

    def _gathered_product(self, node: int, absorbed: bytearray) -> tuple[Rational, list[tuple[Term, Exponent]]]:
        """The factors of a product of products, with their exponents; the sign apart."""
        graph = self.graph
        coefficient = 1
        found: list[tuple[Term, Exponent]] = []
        stack = [(node, 1)]
        while stack:
            current, exponent = stack.pop()
            if current != node and not absorbed[current]:
                found.append((self._plain(self.values[current]), exponent))
                continue
            name = self._gate(current)
            left = graph.left[current]
            if name in ("*", "/"):
                stack.append((graph.right[current], exponent if name == "*" else -exponent))
                stack.append((left, exponent))
            elif name == "neg":
                coefficient = -coefficient if exponent % 2 else coefficient
                stack.append((left, exponent))
            else:
                whole = {"square": 2, "reciprocal": -1}.get(name) or self._whole_exponent(current) or 0
                stack.append((left, exponent * whole))
        return coefficient, found

    def _function(self, node: int, shape: Shape) -> Term:
        graph = self.graph
        gate, attributes, _ = graph.operator(node)
        assert gate is not None
        arguments = [self.values[source] for source in graph.inputs(node)]
        if gate.elementwise and self.terms.arrays:
            arguments = [self._plain(argument) for argument in arguments]
        if gate.name == "pow":
            return self.search.product(1, [(arguments[0], self._exponent(arguments[1]))])
        if gate.name == "sqrt":
            return self.terms.power(arguments[0], Fraction(1, 2))
        return function(self.search, gate, attributes, arguments, shape)

    def _exponent(self, term: Term) -> Exponent:
        return term.coefficient if term.node is self.terms.one else term

    # ---- arrays ------------------------------------------------------------------------------------------------------------------

    def _plain(self, term: Term) -> Term:
        """A term without the repetition that broadcasting makes anyway."""
        if not self.terms.arrays:
            return term
        from gradcalc.calculus.simplify.arrays import unspread

        return unspread(self.terms, term)

    def _fitted(self, value: Term, shape: Shape) -> Term:
        """A term repeated to the shape that its node has, if simplifying lost it."""
        if value.node.shape == shape:
            return value
        from gradcalc.calculus.simplify.arrays import spread

        return spread(self.search, value, shape)


def _ordered(order: list[int], pair: tuple[int, int], seen: dict[tuple[int, int], None]) -> list[int]:
    """An order in which the first of a pair comes before the second, if the pairs seen so far allow it."""
    first, second = pair
    if first == second or (second, first) in seen or len(seen) > MOST_RANKED:
        return order
    seen[pair] = None
    if order.index(first) < order.index(second):
        return order
    later = [node for node in order if node != second]
    later.insert(later.index(first) + 1, second)
    earlier = [node for node in order if node != first]
    earlier.insert(earlier.index(second), first)
    for changed in (later, earlier):
        if all(changed.index(a) < changed.index(b) for a, b in seen):
            return changed
    del seen[pair]
    return order


class _Same:
    """An array as the key of a symbol: the same object, or one with the same numbers."""

    def __init__(self, value: object) -> None:
        self.value = value
        self._bytes = value.tobytes() if value.nbytes < 4096 else None  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._bytes) if self._bytes is not None else id(self.value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return False
        same_shape = getattr(self.value, "shape", None) == getattr(other.value, "shape", None)
        return self.value is other.value or (self._bytes is not None and self._bytes == other._bytes and same_shape)
