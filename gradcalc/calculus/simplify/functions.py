"""Gates on terms: what each function of terms is in its simplest form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isfinite
from typing import Any

from gradcalc.calculus.simplify.arrays import apply
from gradcalc.calculus.simplify.identities import COMPARISONS, branch, is_comparison
from gradcalc.calculus.simplify.nodes import HALF, PRODUCT, Rational, Term, absolute
from gradcalc.calculus.simplify.search import Search
from gradcalc.gates.ieee import guarded
from gradcalc.gates.record import Gate, Shape
from gradcalc.graph import Attributes

Arguments = Sequence[Term]

SHORT_DIGITS = 6
"""A function of numbers is replaced by its value if that has no more digits: cos(0) is 1, and sin(1) stays."""

ODD = frozenset(("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "cbrt", "sign"))
EVEN = frozenset(("cos", "cosh", "abs"))
"""f(-x) is -f(x), or f(x)."""


def function(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape = ()) -> Term:
    """A gate that is no sum and no product, on terms, in its simplest form."""
    terms = search.terms
    rule = _RULES.get(gate.name)
    if rule is not None:
        known = rule(search, gate, attributes, arguments)
        if known is not None:
            return known
    if terms.arrays and not gate.elementwise:
        return apply(search, gate, attributes, arguments, shape)
    if gate.scalar is not None and all(node is terms.one for _, node in arguments):
        value = _value(search, gate, attributes, [coefficient for coefficient, _ in arguments])
        if value is not None:
            return value
    if len(arguments) == 1 and gate.elementwise and arguments[0].coefficient < 0:
        flipped = Term(-arguments[0].coefficient, arguments[0].node)
        if gate.name in ODD:
            return Term(-1, terms.function(gate, attributes, [flipped]))
        if gate.name in EVEN:
            return Term(1, terms.function(gate, attributes, [flipped]))
    return Term(1, terms.function(gate, attributes, arguments, None if gate.elementwise else shape))


def _value(search: Search, gate: Gate, attributes: Attributes, numbers: Sequence[Rational]) -> Term | None:
    """The value of a function of numbers, if it is a short one; that of a comparison or a jump always."""
    values = []
    for number in numbers:
        try:
            values.append(float(number))
        except OverflowError:
            return None
    if callable(gate.scalar):
        value = guarded(gate.scalar, gate.otherwise)(*values, **dict(attributes))
    elif gate.name in COMPARISONS:
        first, second = values
        value = float({"<": first < second, "<=": first <= second, "==": first == second}.get(gate.name, False))
        if gate.name in (">", ">=", "!="):
            value = float({">": first > second, ">=": first >= second, "!=": first != second}[gate.name])
    else:
        return None
    value = float(value)
    if not isfinite(value):
        return None
    return search.terms.number(value) if len(repr(value).strip("-0.")) <= SHORT_DIGITS and "e" not in repr(value) else None


# ---- rules -----------------------------------------------------------------------------------------------------------------------


def _exp(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    (argument,) = arguments
    terms = search.terms
    rest, factors = [], []
    for coefficient, node in terms.terms_of(argument):
        if node.name == "log" and len(node.parts) == 1:
            factors.append((node.parts[0], coefficient))
        else:
            rest.append(Term(coefficient, node))
    if factors:
        value = search.sum(rest)
        power = terms.unit if not value.coefficient else terms.monomial(1, {terms.e: value})
        return search.product(1, [(power, 1), *factors])
    return terms.unit if argument.coefficient == 0 else terms.monomial(1, {terms.e: argument})


def _log(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    if len(arguments) != 1:
        return None
    coefficient, node = arguments[0]
    terms = search.terms
    if coefficient == 1 and node is terms.e:
        return terms.unit
    if node.kind == PRODUCT and len(node.parts) == 1 and coefficient == 1:
        base, exponent = node.parts[0]
        if base is terms.e:
            return terms.exponent_term(exponent)
    return None


def _exp2(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    return search.terms.power(Term(2, search.terms.one), arguments[0])


def _abs(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    coefficient, node = arguments[0]
    terms = search.terms
    if node is terms.one:
        return Term(absolute(coefficient), node)
    size = terms.size_node(node)
    if node.kind == PRODUCT and len(node.parts) == 1:
        base, exponent = node.parts[0]
        if base is terms.e or (not isinstance(exponent, Term) and exponent.denominator == 1 and exponent % 2 == 0):
            size = node
    return Term(absolute(coefficient), size)


def _hypot(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    """hypot(x, 1) is written as everybody writes it."""
    terms = search.terms
    if not any(node is terms.one for _, node in arguments):
        return None
    total = search.sum([terms.power(argument, 2) for argument in arguments])
    return terms.power(total, Fraction(1, 2))


def _where(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    condition, yes, no = arguments
    terms = search.terms
    node = condition.node
    if node.name == "==" and node.parts[1].coefficient == 0 and is_comparison(node.parts[0]):
        condition, yes, no = node.parts[0], no, yes
    if condition.node is terms.one:
        return yes if condition.coefficient else no
    if yes == no:
        return yes
    condition = _truth(search, condition)
    return branch(search, gate, condition, yes, no)


def _truth(search: Search, condition: Term) -> Term:
    """A condition without what does not matter: the coefficient of a comparison."""
    return Term(1, condition.node) if condition.node.name in COMPARISONS else condition


def _comparison(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    first, second = arguments
    if gate.name == "!=" and second.coefficient == 0 and is_comparison(first):
        return first
    if gate.name == "==":
        for one, other in ((first, second), (second, first)):
            if (
                other.coefficient == 1
                and other.node.name in ("max", "min")
                and len(other.node.parts) == 2
                and one in other.node.parts
            ):
                position = other.node.parts.index(one)
                return _compared(search, ">=" if other.node.name == "max" else "<=", (one, other.node.parts[1 - position]))
    return None


def _compared(search: Search, name: str, arguments: Arguments) -> Term:
    from gradcalc.gates.record import REGISTRY

    gate = REGISTRY.find(name, 2)
    assert gate is not None
    return Term(1, search.terms.function(gate, (), arguments))


def _of_inverse(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    """A function of an inverse function: sin(asin(u)) is u, cos(atan(u)) is 1/sqrt(u^2 + 1)."""
    (argument,) = arguments
    rule = _OF_INVERSES.get((gate.name, argument.node.name))
    if rule is None or (argument.coefficient != 1 and gate.name not in ODD):
        return None
    if abs(argument.coefficient) != 1:
        return None
    inner = argument.node.parts[0]
    above, sign, constant, power = rule
    value = inner if above else search.terms.unit
    if sign:
        square = search.terms.power(inner, 2)
        total = search.sum([Term(sign * square.coefficient, square.node), Term(constant, search.terms.one)])
        return search.product(argument.coefficient, [(value, 1), (search.terms.power(total, HALF * power), 1)])
    return Term(argument.coefficient * value.coefficient, value.node)


_OF_INVERSES = {
    ("sin", "asin"): (True, 0, 0, 0),
    ("cos", "acos"): (True, 0, 0, 0),
    ("tan", "atan"): (True, 0, 0, 0),
    ("sinh", "asinh"): (True, 0, 0, 0),
    ("cosh", "acosh"): (True, 0, 0, 0),
    ("tanh", "atanh"): (True, 0, 0, 0),
    ("sin", "acos"): (False, -1, 1, 1),
    ("cos", "asin"): (False, -1, 1, 1),
    ("sin", "atan"): (True, 1, 1, -1),
    ("cos", "atan"): (False, 1, 1, -1),
    ("sinh", "acosh"): (False, 1, -1, 1),
    ("cosh", "asinh"): (False, 1, 1, 1),
    ("sinh", "atanh"): (True, -1, 1, -1),
    ("cosh", "atanh"): (False, -1, 1, -1),
}
"""f(g(u)) as u or 1, times (sign·u² + constant) to the power of so many halves."""


def _same(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments) -> Term | None:
    return arguments[0]


_RULES: dict[str, Callable[[Search, Gate, Attributes, Any], Term | None]] = {
    "exp": _exp,
    "exp2": _exp2,
    "log": _log,
    "abs": _abs,
    "hypot": _hypot,
    "where": _where,
    "=": _same,
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "cosh", "tanh"), _of_inverse),
    **dict.fromkeys(COMPARISONS, _comparison),
}
