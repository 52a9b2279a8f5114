"""Terms in their normal form: rational multiples of sums, products of powers, functions and symbols, each interned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import gcd, isfinite
from typing import Any

from gradcalc.calculus.simplify.layout import Layout
from gradcalc.calculus.simplify.nodes import (
    FLATTENED,
    FLATTENED_IN_LARGE,
    FUNCTION,
    NUMBER,
    PRODUCT,
    SUM,
    SYMBOL,
    Exponent,
    Node,
    Rational,
    Term,
    absolute,
    ratio,
)
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import REGISTRY, Gate, Shape
from gradcalc.graph import Attributes

LONGEST_NUMBER = 200
"""Rational numbers of more bits than that are rounded to the nearest float."""


class Terms(Layout):
    """Makes terms. The same term is the same node, and a sum is the same as any multiple of it."""

    def __init__(
        self, decimal: bool = False, constants: Mapping[str, float] | None = None, arrays: bool = False, large: bool = False
    ) -> None:
        """Start with nothing.

        Args:
            decimal: whether numbers are written as decimals where they have a short one, not as fractions.
            constants: names of the language that may stand for numbers in what is written.
            arrays: whether there are shapes to mind.
            large: whether the formulas are long.
        """
        self.flattened = FLATTENED_IN_LARGE if large else FLATTENED
        self.decimal = decimal
        self.arrays = arrays
        self.typed = False
        """Whether what is made now was typed by the user: then factors keep their order."""
        self.ranks: dict[int, int] = {}
        """The order of the inputs in products, by their nodes' ids."""
        self.count = 0
        self._table: dict[Any, Node] = {}
        self._sums: dict[Any, tuple[Rational, Node]] = {}
        self.one = self._node(PRODUCT, (), ())
        self.one.size = 1
        self.zero = Term(0, self.one)
        self.unit = Term(1, self.one)
        self.e = self._symbol(("constant", 2.718281828459045), ())
        self._named = {value: name for name, value in (constants or {}).items()}
        self._known: dict[float, Term] = {}
        self._note_known_numbers()

    # ---- leaves ------------------------------------------------------------------------------------------------------------------

    def _node(self, kind: int, parts: Any, shape: Shape) -> Node:
        self.count += 1
        return Node(self.count, kind, parts, shape)

    def _symbol(self, key: Any, shape: Shape) -> Node:
        node = self._table.get(key)
        if node is None:
            node = self._table[key] = self._node(SYMBOL, key, shape)
            node.degree = 1 if key[0] == "input" else 0
        return node

    def symbol(self, kind: str, value: Any, shape: Shape = ()) -> Term:
        """An input (by its number) or a constant that is nothing but itself."""
        return Term(1, self._symbol((kind, value), shape))

    def _note_known_numbers(self) -> None:
        """The irrational numbers in the rules of gates, by what they are."""
        named = {name: value for value, name in self._named.items()}
        for value in named.values():
            self._known[value] = self.symbol("constant", value)
        if "e" in named:
            self._known[named["e"]] = Term(1, self.e)
        if "pi" in named:
            pi = self._known[named["pi"]].node
            half = Fraction(1, 2)
            self._known[1.1283791670955126] = self.monomial(2, {pi: -half})
            self._known[2.5066282746310002] = self.monomial(1, {self.base(2): half, pi: half})
        self._known[1.4142135623730951] = self.monomial(1, {self.base(2): Fraction(1, 2)})

    def know(self, value: float, term: Term) -> None:
        """From now on a number is read as this term."""
        self._known[value] = term

    def name_of(self, value: float) -> str | None:
        """The name of a constant, if it has one that may be written."""
        return self._named.get(value)

    def number(self, value: float) -> Term:
        """A float as a rational number (as it is written in decimals), or as a constant of its own if it is not finite."""
        if not isfinite(value):
            return self.symbol("constant", "nan" if value != value else repr(value))
        known = self._known.get(abs(value))
        if known is not None:
            return Term(known.coefficient if value > 0 else -known.coefficient, known.node)
        if value == int(value):
            return Term(int(value), self.one)
        exact = Fraction(Decimal(repr(value)))
        if exact.denominator > 10**12:
            # What a division left, such as 2/3 of a rule: no number that anybody types.
            simple = exact.limit_denominator(10_000)
            if float(simple) == value:
                return Term(simple, self.one)
        return Term(exact, self.one)

    def base(self, value: Rational) -> Node:
        """A positive rational as the base of a power."""
        key = ("base", value)
        node = self._table.get(key)
        if node is None:
            node = self._table[key] = self._node(NUMBER, value, ())
            node.size, node.level = self._number_size(value)
        return node

    def function(self, gate: Gate, attributes: Attributes, arguments: Sequence[Term], shape: Shape | None = None) -> Node:
        """A gate on terms, without any simplification."""
        key = (gate, attributes, *[(coefficient, node.id) for coefficient, node in arguments])
        node = self._table.get(key)
        if node is None:
            if shape is None:
                shape = broadcast_shapes(*[argument.node.shape for argument in arguments]) if self.arrays else ()
            node = self._table[key] = self._node(FUNCTION, tuple(arguments), shape)
            node.gate, node.attributes = gate, attributes
            node.size, node.level = self._function_size(gate, attributes, arguments)
        return node

    def known_function(self, gate: Gate, attributes: Attributes, arguments: Sequence[Term]) -> Node | None:
        """A gate on terms, if it has been met."""
        return self._table.get((gate, attributes, *[(coefficient, node.id) for coefficient, node in arguments]))

    # ---- products ----------------------------------------------------------------------------------------------------------------

    def factors(self, node: Node) -> Iterable[tuple[Node, Exponent]]:
        """A node as powers of bases."""
        return node.parts if node.kind == PRODUCT else ((node, 1),)

    def product_of(self, factors: Collection[tuple[Node, Exponent]]) -> Node:
        """The interned product of powers that are known to be in normal form."""
        given = list(factors)
        if len(given) == 1 and given[0][1] == 1:
            return given[0][0]
        if len(given) > 1:
            given.sort(key=_base_id)
        key = ("product", *[(base.id, (e.coefficient, e.node.id) if isinstance(e, Term) else e) for base, e in given])
        node = self._table.get(key)
        if node is None:
            if not given:
                return self.one
            ordered = tuple(factors if self.typed else sorted(given, key=self._display_key))
            shape: Shape = ()
            if self.arrays:
                shape = broadcast_shapes(
                    (), *[base.shape for base, _ in ordered], *[e.node.shape for _, e in ordered if type(e) is Term]
                )
            node = self._table[key] = self._node(PRODUCT, ordered, shape)
            node.size, node.level = self._size_of(1, node)
            node.plain = all(base.plain and base is not self.e and not isinstance(exponent, Term) for base, exponent in ordered)
            degree: Rational = 0
            for base, exponent in ordered:
                if not isinstance(exponent, Term):
                    degree += base.degree * exponent
            node.degree = degree
        return node

    def _display_key(self, factor: tuple[Node, Exponent]) -> tuple[Rational, ...]:
        """Constants before inputs, before polynomials, before functions, before sums of functions."""
        base, exponent = factor
        if base.kind == NUMBER:
            return (2 if isinstance(exponent, Term) else 0), 0, base.id
        if base is self.e:
            return 5, 0, 0
        if base.kind == SYMBOL:
            rank = self.ranks.get(base.id, base.id)
            return (0 if base.parts[0] == "constant" else 2 if isinstance(exponent, Term) else 1), rank, 0
        if base.kind == SUM:
            return (4 if base.plain else 6), base.size, base.id
        return (3 if base.kind == PRODUCT else 5), base.size, base.id

    def monomial(self, coefficient: Rational, powers: Mapping[Node, Exponent]) -> Term:
        """A product of powers in its normal form; the bases may be anything but numbers without exponents."""
        plain: dict[Node, Exponent] = {}
        again: list[tuple[Term, Exponent]] = []
        for base, exponent in powers.items():
            if isinstance(exponent, Term):
                if exponent.node is self.one or exponent.coefficient == 0:
                    exponent = exponent.coefficient
                elif base.kind == NUMBER and base.parts == 1:
                    continue
            if isinstance(exponent, Term):
                plain[base] = exponent
            elif exponent == 0:
                continue
            elif base.kind == NUMBER:
                factor, rest = self._root(base.parts, exponent)
                coefficient = self.rounded(coefficient * factor)
                plain |= rest
            elif exponent.denominator == 1 and (
                base.mirror is not None or (base.kind == PRODUCT and len(base.parts) <= self.flattened)
            ):
                again.append((base.mirror or Term(1, base), int(exponent)))
            elif base.gate is not None and base.gate.name in _POWERS and exponent.denominator == 1:
                known = _POWERS[base.gate.name](self, base, int(exponent))
                if known is None:
                    plain[base] = exponent
                else:
                    again.append((known[0], known[1]))
                    if known[2]:
                        plain[base] = known[2]
            else:
                plain[base] = exponent
        if len(plain) > 1:
            self._pairs(plain)
            if any(base.mirror == self.zero for base in plain) and any(_is_log_of_zero(base) for base in plain):
                return self.zero  # 0^y does not change with y
        if not again:
            return Term(coefficient, self.product_of(plain.items())) if coefficient else self.zero
        result = Term(coefficient, self.product_of(plain.items()))
        for term, exponent in again:
            result = self.times(result, self.power(term, exponent))
        return result

    def _pairs(self, plain: dict[Node, Exponent]) -> None:
        """x·sign(x) is |x|, |x|·sign(x) is x, sign(x)/|x| is 1/x, x/|x| and |x|/x are sign(x)."""
        for base in [base for base in plain if base.name in ("abs", "sign")]:
            (inner,) = base.parts
            if plain.get(base) not in (1, -1) or inner.coefficient != 1 or inner.node.kind not in (SYMBOL, FUNCTION, SUM):
                continue
            own = plain.get(inner.node, 0)
            if base.name == "sign":
                size = self._of_same("abs", base)
                if plain[base] == 1 and plain.get(size) == 1:
                    del plain[base], plain[size]
                    plain[inner.node] = self.add_exponents(own, 1)
                elif plain[base] == 1 and plain.get(size) == -1:
                    del plain[base], plain[size]
                    plain[inner.node] = self.add_exponents(own, -1)
                elif plain[base] == 1 and not isinstance(own, Term) and own.denominator == 1 and own >= 1 and size not in plain:
                    del plain[base]
                    plain[inner.node] = own - 1
                    plain[size] = 1
            elif (
                not isinstance(own, Term)
                and plain[base] in (1, -1)
                and plain[base] == -own
                and (sign := self._of_same("sign", base)) not in plain
            ):
                del plain[base], plain[inner.node]
                plain[sign] = 1
        for node in [node for node, exponent in plain.items() if exponent == 0]:
            del plain[node]

    def _of_same(self, name: str, base: Node) -> Node:
        """Another function of what a function is of."""
        gate = REGISTRY.find(name, 1)
        assert gate is not None
        return self.function(gate, (), base.parts, base.shape)

    def _root(self, value: Rational, exponent: Rational) -> tuple[Rational, dict[Node, Exponent]]:
        """A positive rational to a rational power: a rational factor, and what is left as powers of bases."""
        if exponent.denominator == 1:
            whole = int(exponent)
            if abs(whole) * (value.numerator.bit_length() + value.denominator.bit_length()) < 2048:
                return ratio(Fraction(value) ** whole), {}
            return 1, {self.base(value): whole}
        if self.decimal and value.denominator > 1:
            return 1, {self.base(value): exponent}
        coefficient: Rational = 1
        left: dict[Node, Exponent] = {}
        for part, sign in ((value.numerator, 1), (value.denominator, -1)):
            if part == 1:
                continue
            root, rest = _whole_root(part, exponent.denominator)
            # part = root^q · rest, so part^(p/q) = root^p · rest^(p/q)
            coefficient = ratio(coefficient * Fraction(root) ** (exponent.numerator * sign))
            if rest > 1:
                whole = int(exponent * sign)
                coefficient = ratio(coefficient * Fraction(rest) ** whole)
                left[self.base(rest)] = exponent * sign - whole
        return coefficient, left

    def times(self, first: Term, second: Term) -> Term:
        """The product of two terms, not multiplied out."""
        if first.node is self.one or second.node is self.one:
            coefficient = self.rounded(first.coefficient * second.coefficient)
            return Term(coefficient, first.node if second.node is self.one else second.node) if coefficient else self.zero
        powers: dict[Node, Exponent] = dict(self.factors(first.node))
        for base, exponent in self.factors(second.node):
            before = powers.get(base)
            powers[base] = exponent if before is None else self.add_exponents(before, exponent)
        return self.monomial(self.rounded(first.coefficient * second.coefficient), powers)

    def add_exponents(self, first: Exponent, second: Exponent) -> Exponent:
        """The sum of two exponents, a number if it is one."""
        if not isinstance(first, Term) and not isinstance(second, Term):
            return ratio(first + second)
        total = self.plus(self.exponent_term(first), self.exponent_term(second))
        return total.coefficient if total.node is self.one or not total.coefficient else total

    def exponent_term(self, exponent: Exponent) -> Term:
        """An exponent as a term."""
        return exponent if isinstance(exponent, Term) else Term(exponent, self.one)

    def power(self, term: Term, exponent: Exponent) -> Term:
        """A term to a power, equal to what was typed wherever that is defined."""
        if isinstance(exponent, Term) and exponent.node is self.one:
            exponent = exponent.coefficient
        coefficient, node = term
        if isinstance(exponent, Term):
            return self._symbolic_power(term, exponent)
        exponent = ratio(exponent)
        if exponent == 1:
            return term
        if exponent == 0:
            return self.unit
        if coefficient == 0:
            return self.zero if exponent > 0 else self.number(float("inf"))
        if node is self.one and coefficient > 0:
            return self.monomial(1, {self.base(coefficient): exponent})
        if exponent.denominator == 1:
            whole = int(exponent)
            powers = {base: self._scaled_exponent(own, whole) for base, own in self.factors(node)}
            return self.monomial(self._whole_power(coefficient, whole, powers), powers)
        return self._fractional_power(coefficient, node, exponent)

    def _whole_power(self, coefficient: Rational, exponent: int, powers: dict[Node, Exponent]) -> Rational:
        """A coefficient to a power; one that is too long for a float stays a power."""
        bits = abs(exponent) * (coefficient.numerator.bit_length() + coefficient.denominator.bit_length())
        if bits < 1000:
            return self.rounded(ratio(Fraction(coefficient) ** exponent))
        powers[self.base(absolute(coefficient))] = exponent
        return -1 if coefficient < 0 and exponent % 2 else 1

    def _scaled_exponent(self, exponent: Exponent, factor: Rational) -> Exponent:
        if isinstance(exponent, Term):
            return Term(ratio(exponent.coefficient * factor), exponent.node)
        return ratio(exponent * factor)

    def _fractional_power(self, coefficient: Rational, node: Node, exponent: Rational) -> Term:
        """A root: what is surely not negative is taken out of it, the rest stays together."""
        outside: dict[Node, Exponent] = {}
        inside: dict[Node, Exponent] = {}
        for base, own in self.factors(node):
            if base is self.e or base.kind == NUMBER or base.name in _NEVER_NEGATIVE:
                target, key = outside, base
            elif not isinstance(own, Term) and own.denominator == 1 and own % 2 == 0:
                target, key = outside, self.size_node(base)
            else:
                inside[base] = own
                continue
            target[key] = self.add_exponents(target.get(key, 0), self._scaled_exponent(own, exponent))
        for base in [base for base in outside if base.name == "abs"]:
            own = outside[base]
            if not isinstance(own, Term) and own.denominator == 1 and own % 2 == 0 and base.parts[0].coefficient == 1:
                inner = base.parts[0].node
                if inner.kind != PRODUCT:
                    del outside[base]
                    outside[inner] = own
        result = self.unit
        if abs(coefficient) != 1:
            result = self.monomial(1, {self.base(absolute(coefficient)): exponent})
        rest = self.product_of(inside.items())
        if coefficient < 0:
            result = self.times(result, Term(1, self.product_of([(self.negative(rest), exponent)])))
        elif len(inside) == 1:
            ((base, own),) = inside.items()
            outside[base] = self._scaled_exponent(own, exponent)
        elif inside:
            outside[rest] = exponent
        return self.times(result, self.monomial(1, outside)) if outside else result

    def size_node(self, base: Node) -> Node:
        """|base| as a node; the base itself if it is never negative."""
        gate = REGISTRY.find("abs", 1)
        assert gate is not None
        return base if base.name in _NEVER_NEGATIVE else self.function(gate, (), [Term(1, base)], base.shape)

    def _symbolic_power(self, term: Term, exponent: Term) -> Term:
        coefficient, node = term
        if exponent.coefficient == 0:
            return self.unit
        if node is self.one and coefficient > 0:
            return self.unit if coefficient == 1 else Term(1, self.product_of([(self.base(coefficient), exponent)]))
        if coefficient == 1:
            (base, own), *others = self.factors(node)
            if not others and own == 1:
                return Term(1, self.product_of([(base, exponent)]))
            if not others and base is self.e:
                scaled = self.times(self.exponent_term(own), exponent)
                return self.monomial(1, {base: scaled})
        return Term(1, self.product_of([(self.boxed(term), exponent)]))

    def negative(self, node: Node) -> Node:
        """The negative of a node as a node, to stand in a root."""
        return self.boxed(Term(-1, node))

    def boxed(self, term: Term) -> Node:
        """A term as a node: a sum that is written with the term's coefficient."""
        coefficient, node = term
        if coefficient == 1:
            return node
        key = ("boxed", coefficient, node.id)
        made = self._table.get(key)
        if made is None:
            if node.kind == SUM:
                parts = tuple((ratio(coefficient * own), inner) for own, inner in node.parts)
            else:
                parts = ((coefficient, node),)
            made = self._table[key] = self._node(SUM, parts, node.shape)
            made.mirror = term
            made.degree = node.degree
            made.size, made.level = self._sum_size(1, made)
        return made

    # ---- sums --------------------------------------------------------------------------------------------------------------------

    def terms_of(self, term: Term) -> Iterator[tuple[Rational, Node]]:
        """A term as coefficients and nodes that are no sums (unless they are very long)."""
        coefficient, node = term
        if node.mirror is not None:
            coefficient, node = coefficient * node.mirror.coefficient, node.mirror.node
        if node.kind == SUM and len(node.parts) <= self.flattened:
            for own, inner in node.parts:
                yield coefficient * own, inner
        elif coefficient:
            yield coefficient, node

    def plus(self, first: Term, second: Term) -> Term:
        """The sum of two terms, like ones collected."""
        collected: dict[Node, Rational] = {}
        for term in (first, second):
            for coefficient, node in self.terms_of(term):
                collected[node] = collected.get(node, 0) + coefficient
        return self.sum_of(collected)

    def sum_of(self, collected: Mapping[Node, Rational], typed: bool = False) -> Term:
        """A sum of collected terms. `typed` keeps their order; else the highest degree comes first."""
        items = [(self.rounded(coefficient), node) for node, coefficient in collected.items() if coefficient]
        if not items:
            return self.zero
        if len(items) == 1:
            return Term(*items[0])
        by_id = sorted(items, key=_id_of)
        first = by_id[0][0]
        key = tuple([(node.id, coefficient if first == 1 else ratio(Fraction(coefficient) / first)) for coefficient, node in by_id])
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = self._new_sum(items, first, typed)
        stored, node = known
        return Term(first if stored == 1 else ratio(Fraction(first) / stored), node)

    def _new_sum(self, items: list[tuple[Rational, Node]], first: Rational, typed: bool) -> tuple[Rational, Node]:
        if not typed:
            items = sorted(items, key=_sum_key)
        scale = self._content([coefficient for coefficient, _ in items])
        parts = tuple((ratio(Fraction(coefficient) / scale) if scale != 1 else coefficient, node) for coefficient, node in items)
        shape = broadcast_shapes(*[node.shape for _, node in parts]) if self.arrays else ()
        node = self._node(SUM, parts, shape)
        node.degree = max(part.degree for _, part in parts)
        node.plain = all(part.plain for _, part in parts)
        node.size, node.level = self._sum_size(1, node)
        return ratio(Fraction(first) / scale), node

    def _content(self, coefficients: Sequence[Rational]) -> Rational:
        """What all coefficients have in common, negative if all of them are."""
        sign = -1 if all(coefficient < 0 for coefficient in coefficients) else 1
        if all(coefficient.denominator == 1 for coefficient in coefficients):
            return sign * gcd(*[int(coefficient) for coefficient in coefficients])
        if self.decimal:
            return sign
        below = 1
        for coefficient in coefficients:
            below = below * coefficient.denominator // gcd(below, coefficient.denominator)
        if below > 10**6:
            return sign
        return sign * ratio(Fraction(gcd(*[int(coefficient * below) for coefficient in coefficients]), below))

    def rounded(self, value: Rational) -> Rational:
        """A rational that is not longer than a float can tell."""
        if type(value) is int:
            return value if value.bit_length() <= LONGEST_NUMBER else _shorter(value)
        if value.denominator == 1:
            return value.numerator
        if value.numerator.bit_length() + value.denominator.bit_length() <= 2 * LONGEST_NUMBER:
            return value
        return _shorter(value)


_NEVER_NEGATIVE = frozenset(("abs", "cosh", "sigmoid", "hypot", "norm", "softplus"))
"""Functions that are nowhere negative: they may be taken out of a root."""


def _is_log_of_zero(base: Node) -> bool:
    return base.name == "log" and base.parts[0].coefficient == 0


def _even_power_of_abs(terms: Terms, base: Node, exponent: int) -> tuple[Term, Exponent, int] | None:
    whole = exponent - exponent % 2 if exponent > 0 else exponent + (-exponent) % 2
    return (base.parts[0], whole, exponent - whole) if whole else None


def _cube_of_cbrt(terms: Terms, base: Node, exponent: int) -> tuple[Term, Exponent, int] | None:
    whole = int(exponent / 3)
    return (base.parts[0], whole, exponent - 3 * whole) if whole else None


def _square_of_hypot(terms: Terms, base: Node, exponent: int) -> tuple[Term, Exponent, int] | None:
    whole = int(exponent / 2)
    if not whole:
        return None
    first, second = (terms.power(part, 2) for part in base.parts)
    return terms.plus(first, second), whole, exponent - 2 * whole


_POWERS = {"abs": _even_power_of_abs, "cbrt": _cube_of_cbrt, "hypot": _square_of_hypot}
"""Functions of which a whole power is a power of their inputs: that power, and what is left of the exponent."""


def _shorter(value: Rational) -> Rational:
    """A rational rounded to about 40 digits, so that no chain of operations makes numbers without end."""
    above, below = value.numerator, value.denominator
    shift = max(0, min(abs(above).bit_length(), below.bit_length()) - 140)
    if shift:
        return ratio(Fraction(above >> shift, max(1, below >> shift)))
    return value


def _whole_root(value: int, order: int) -> tuple[int, int]:
    """A whole number as root^order times the rest, by trial."""
    root, rest = 1, 1
    if value > 10**12:
        return 1, value
    prime = 2
    while prime * prime <= value and prime < 1000:
        count = 0
        while value % prime == 0:
            value, count = value // prime, count + 1
        root *= prime ** (count // order)
        rest *= prime ** (count % order)
        prime += 1
    whole = round(value ** (1.0 / order))
    if value > 1 and whole**order == value:
        return root * whole, rest
    return root, rest * value


def _id_of(item: tuple[Rational, Node]) -> int:
    return item[1].id


def _base_id(factor: tuple[Node, Exponent]) -> int:
    return factor[0].id


def _sum_key(item: tuple[Rational, Node]) -> tuple[Any, ...]:
    """The highest degree first, then what comes first in products; the number last of its degree."""
    node = item[1]
    ids = tuple([base.id for base, _ in node.parts]) if node.kind == PRODUCT else (node.id,)
    return -node.degree, node.kind == PRODUCT and not node.parts, ids
