"""What terms consist of: nodes, rational coefficients, exponents."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from gradcalc.gates.record import Gate, Shape
from gradcalc.graph import Attributes

Rational = int | Fraction
"""A coefficient. Whole numbers are ints: they are much faster."""

NUMBER, SYMBOL, FUNCTION, PRODUCT, SUM = range(5)
"""The kinds of nodes: a positive rational (the base of a power), an input or constant, a gate, a product of powers, a sum."""

COMPARISON_LEVEL, SUM_LEVEL, PRODUCT_LEVEL, SIGN_LEVEL, POWER_LEVEL, ATOM_LEVEL = 1, 2, 3, 4, 5, 7
"""How tightly things bind when they are written (as in the gates' records)."""

FLATTENED = 24
FLATTENED_IN_LARGE = 4
"""A sum or product of more parts is not dissolved in another one, where it is used again: else a chain of n steps would take n² of
work and text. In large formulas, which are written with names for what is used again, it is seldom worth while."""

HALF = Fraction(1, 2)


class Node:
    """A term without its coefficient.

    Attributes:
        id: in the order of creation, so that the parts of a node have smaller ones.
        kind: what it is.
        parts: of a product pairs of a base and its exponent, of a sum pairs of a coefficient and a node, of a function the terms
            that are its inputs, of a number its value, of a symbol what it stands for.
        gate: of a function its gate, else None.
        attributes: of a function its keyword arguments.
        shape: () for numbers.
        size: how many tokens it is long when it is written out.
        level: how tightly it binds.
        degree: of a polynomial its degree, for the order in which terms are written.
        plain: whether it is free of functions.
    """

    __slots__ = ("attributes", "degree", "gate", "id", "kind", "level", "mirror", "parts", "plain", "shape", "size")

    def __init__(self, number: int, kind: int, parts: Any, shape: Shape) -> None:
        self.id = number
        self.kind = kind
        self.parts = parts
        self.gate: Gate | None = None
        self.attributes: Attributes = ()
        self.shape = shape
        self.size = 1
        self.level = ATOM_LEVEL
        self.degree: Rational = 0
        self.plain = kind != FUNCTION
        self.mirror: Term | None = None
        """Of a sum that was made as the base of a root: the term as others have it."""

    @property
    def name(self) -> str:
        """The name of a function's gate; empty for everything else."""
        return self.gate.name if self.gate is not None else ""


class Term(NamedTuple):
    """A rational number times a node."""

    coefficient: Rational
    node: Node


Exponent = Rational | Term


class Quotient(NamedTuple):
    """How a term is written: sign, numbers and factors above the line and below it."""

    negative: bool
    above: Rational | None
    factors: list[tuple[Node, Exponent]]
    below: Rational | None
    divisors: list[tuple[Node, Exponent]]


def is_not_finite(node: Node) -> bool:
    """Whether a node is inf or nan, or a product with one of them."""
    factors = [base for base, _ in node.parts] if node.kind == PRODUCT else [node]
    return any(base.kind == SYMBOL and base.parts[0] == "constant" and base.parts[1] in ("inf", "-inf", "nan") for base in factors)


def absolute(value: Rational) -> Rational:
    """A rational without its sign."""
    return -value if value < 0 else value


def ratio(value: Rational) -> Rational:
    """A whole number as an int."""
    if type(value) is int:
        return value
    return value.numerator if value.denominator == 1 else value


def is_short_decimal(value: Rational) -> bool:
    """Whether a rational has a decimal of at most 17 digits."""
    below = value.denominator
    if below.bit_length() > 80:
        return False
    while below % 10 == 0:
        below //= 10
    twos = fives = 0
    while below % 2 == 0:
        below, twos = below // 2, twos + 1
    while below % 5 == 0:
        below, fives = below // 5, fives + 1
    if below != 1:
        return False
    digits = abs(value.numerator) * 5 ** max(0, twos - fives) * 2 ** max(0, fives - twos)
    return bool(digits < 10**17)
