"""How terms are written, and how many tokens that takes: the search looks for the least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradcalc.calculus.simplify.nodes import (
    ATOM_LEVEL,
    FUNCTION,
    HALF,
    NUMBER,
    POWER_LEVEL,
    PRODUCT,
    PRODUCT_LEVEL,
    SIGN_LEVEL,
    SUM,
    SUM_LEVEL,
    SYMBOL,
    Exponent,
    Node,
    Quotient,
    Rational,
    Term,
    is_short_decimal,
)
from gradcalc.gates.record import Gate
from gradcalc.graph import Attributes

LARGEST_SIZE = 10**9
"""Where counting tokens ends: shared parts are counted as often as they occur."""

NESTED = 8
"""How deep inside sums it is tried whether a multiple of a sum is shorter with its coefficient in every term."""


class Layout:
    """What is written above and below the line, with which signs and brackets.

    Attributes:
        decimal: whether numbers are written as decimals where they have a short one, not as fractions.
        one: the empty product.
        e: the base of exponentials.
    """

    decimal: bool
    one: Node
    e: Node

    def factors(self, node: Node) -> Iterable[tuple[Node, Exponent]]:
        """A node as powers of bases."""
        raise NotImplementedError

    def boxed(self, term: Term) -> Node:
        """A term as a node."""
        raise NotImplementedError

    def quotient(self, coefficient: Rational, node: Node) -> Quotient:
        """How a product is written: what stands above and below the line."""
        size = -coefficient if coefficient < 0 else coefficient
        above: Rational | None = size
        below: Rational | None = None
        if size.denominator != 1 and not (self.decimal and is_short_decimal(size)) and size.denominator < 10**15:
            above, below = size.numerator, size.denominator
        factors: list[tuple[Node, Exponent]] = []
        divisors: list[tuple[Node, Exponent]] = []
        for base, exponent in self.factors(node) if node is not self.one else ():
            if isinstance(exponent, Term) or exponent > 0:
                factors.append((base, exponent))
            else:
                divisors.append((base, -exponent))
        factors, divisors = self._under_one_root(factors), self._under_one_root(divisors)
        if above == 1 and factors:
            above = None
        if coefficient < 0 and node is not self.one and (self._turned(factors) or self._turned(divisors)):
            coefficient = size
        return Quotient(coefficient < 0, above, factors, below, divisors)

    def _under_one_root(self, factors: list[tuple[Node, Exponent]]) -> list[tuple[Node, Exponent]]:
        """sqrt(2)*sqrt(pi) as sqrt(2*pi)."""
        if len(factors) < 2:
            return factors
        roots = [base for base, exponent in factors if exponent == HALF]
        if len({base.kind == NUMBER for base in roots}) < 2:
            return factors
        number = next(base for base in roots if base.kind == NUMBER)
        other = next(base for base in roots if base.kind != NUMBER)
        joined = self.boxed(Term(number.parts, other))
        kept = [(base, exponent) for base, exponent in factors if base is not number]
        return [(joined, exponent) if base is other else (base, exponent) for base, exponent in kept]

    def _turned(self, factors: list[tuple[Node, Exponent]]) -> bool:
        """Let a difference among the factors take up a sign: -(a - b) is b - a."""
        for place, (base, exponent) in enumerate(factors):
            odd = base.kind == SUM and not isinstance(exponent, Term) and exponent.denominator == 1 and exponent % 2
            if odd and len({own < 0 for own, _ in base.parts}) == 2:
                factors[place] = (self.boxed(Term(-1, base)), exponent)
                return True
        return False

    def size(self, term: Term) -> int:
        """How many tokens a term is long when it is written out."""
        coefficient, node = term
        if coefficient == 1:
            return node.size
        return self._size_of(coefficient, node)[0]

    def _number_size(self, value: Rational) -> tuple[int, int]:
        if value.denominator == 1 or (self.decimal and is_short_decimal(value)):
            return 1, ATOM_LEVEL
        return 3, PRODUCT_LEVEL

    def exponent_size(self, exponent: Exponent) -> int:
        """The tokens of an exponent, with the brackets that it needs behind ^."""
        if isinstance(exponent, Term):
            level = self.level(exponent)
            return self.size(exponent) + (2 if level < ATOM_LEVEL else 0)
        size, level = self._number_size(exponent)
        return size + (2 if level < ATOM_LEVEL else 0)

    def level(self, term: Term) -> int:
        """How tightly a term binds when it is written."""
        if term.coefficient == 1:
            return term.node.level
        return self._size_of(*term)[1]

    def power_size(self, base: Node, exponent: Exponent) -> tuple[int, int]:
        """The tokens and the level of a power."""
        if exponent == 1:
            return base.size, base.level
        if base is self.e:
            return (self.size(exponent) if isinstance(exponent, Term) else 1) + 3, ATOM_LEVEL
        if exponent == HALF:
            return base.size + 3, ATOM_LEVEL
        inner = base.size + (2 if base.level <= POWER_LEVEL else 0)
        return inner + 1 + self.exponent_size(exponent), POWER_LEVEL

    def _size_of(self, coefficient: Rational, node: Node, depth: int = 0) -> tuple[int, int]:
        together = self._quotient_size(coefficient, node)
        if node.kind != SUM or depth > NESTED:
            return together
        spread = self._sum_size(coefficient, node, depth)
        return spread if self._is_spread(coefficient, node, spread[0], together[0]) else together

    def measured(self, coefficient: Rational, node: Node, depth: int = 0) -> tuple[int, int]:
        """The tokens and the level of a positive multiple of a node; the usual cases without laying it out."""
        if coefficient == 1:
            return node.size, node.level
        if type(coefficient) is int and node.level >= PRODUCT_LEVEL:
            if node.kind == SYMBOL or node.kind == FUNCTION:
                return node.size + 2, PRODUCT_LEVEL
            if node.kind == PRODUCT and node is not self.one:
                above = any(isinstance(exponent, Term) or exponent > 0 for _, exponent in node.parts)
                return node.size + 2 * above, PRODUCT_LEVEL
        return self._size_of(coefficient, node, depth)

    def written_as_sum(self, coefficient: Rational, node: Node) -> bool:
        """Whether a multiple of a sum is written with its coefficient in every term."""
        if node.kind != SUM:
            return False
        if coefficient in (1, -1):
            return True
        return self._is_spread(coefficient, node, self._sum_size(coefficient, node)[0], self._quotient_size(coefficient, node)[0])

    def _is_spread(self, coefficient: Rational, node: Node, spread: int, together: int) -> bool:
        """The same, where the tokens of both ways are known."""
        if coefficient == -1 or spread < together:
            return True
        return spread == together and self._has_simpler_fractions(coefficient, node)

    def _has_simpler_fractions(self, coefficient: Rational, node: Node) -> bool:
        """Whether no term of a multiple of a sum has the denominator of them all: 2*x/3 + 1/7 is not (14*x + 3)/21."""
        return coefficient.denominator > 1 and all(
            (own * coefficient).denominator < coefficient.denominator for own, _ in node.parts
        )

    def _quotient_size(self, coefficient: Rational, node: Node) -> tuple[int, int]:
        negative, above, factors, below, divisors = self.quotient(coefficient, node)
        pieces = [self.power_size(base, exponent) for base, exponent in factors]
        under = [self.power_size(base, exponent) for base, exponent in divisors]
        count = len(pieces) + (above is not None)
        size = sum([own for own, _ in pieces]) + count - 1 + (above is not None)
        alone = count == 1 and below is None and not under
        if not alone:
            size += sum([2 for _, level in pieces if level < PRODUCT_LEVEL])
        number = len(under) + (below is not None)
        if number:
            size += 1 + sum([own for own, _ in under]) + number - 1 + (below is not None)
            size += 2 if number > 1 else sum([2 for _, level in under if level <= PRODUCT_LEVEL])
            if number > 1:
                size += sum([2 for _, level in under if level < PRODUCT_LEVEL])
        level = PRODUCT_LEVEL
        if alone:
            level = pieces[0][1] if pieces else self._number_size(above or 1)[1]
        if negative:
            size, level = size + 1, min(level, SIGN_LEVEL)
        return min(size, LARGEST_SIZE), level

    def _sum_size(self, coefficient: Rational, node: Node, depth: int = 0) -> tuple[int, int]:
        size, positive = 0, False
        for own, inner in node.parts:
            own = own * coefficient
            positive = positive or own > 0
            length, level = self.measured(-own if own < 0 else own, inner, depth + 1)
            size += length + 1 + (2 if level < SUM_LEVEL or (level == SUM_LEVEL and own < 0) else 0)
        if positive:
            size -= 1
        if len(node.parts) == 1:
            return self._size_of(own, inner, depth + 1)
        return min(size, LARGEST_SIZE), SUM_LEVEL

    def _function_size(self, gate: Gate, attributes: Attributes, arguments: Sequence[Term]) -> tuple[int, int]:
        sizes = [self.size(argument) for argument in arguments]
        syntax = gate.syntax
        if syntax is not None and gate.name != "[]":
            size = sum(sizes) + 1
            for argument in arguments:
                size += 2 if self.level(argument) <= syntax.level else 0
            return min(size, LARGEST_SIZE), syntax.level
        if gate.name == "[]":
            return min(sum(sizes) + 3, LARGEST_SIZE), ATOM_LEVEL
        return min(sum(sizes) + len(sizes) + 2 + 4 * _shown(gate, attributes), LARGEST_SIZE), ATOM_LEVEL


def _shown(gate: Gate, attributes: Attributes) -> int:
    """How many keyword arguments are written."""
    if not attributes:
        return 0
    defaults = {attribute.name: attribute.default for attribute in gate.attributes}
    return sum([name in defaults and value != defaults[name] for name, value in attributes])
