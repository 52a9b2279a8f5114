"""Identities between functions that shorten sums and products: of sines and cosines, of exponentials, of branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcalc.calculus.simplify.arrays import joined_matrix_products, joined_stacks
from gradcalc.calculus.simplify.nodes import FUNCTION, HALF, PRODUCT, SUM, SYMBOL, Exponent, Node, Rational, Term, is_not_finite
from gradcalc.gates.record import REGISTRY, Gate

if TYPE_CHECKING:
    from gradcalc.calculus.simplify.search import Collected, Search
    from gradcalc.calculus.simplify.terms import Terms

COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))


def is_comparison(term: Term) -> bool:
    """Whether a term is 1 or 0, as comparisons are."""
    return term.coefficient == 1 and term.node.name in COMPARISONS


def is_zero(term: Term) -> bool:
    """Whether a term is the number 0."""
    return term.coefficient == 0


def is_mask(node: Node) -> bool:
    """Whether a node is where(condition, something, 0) or the other way round."""
    return node.name == "where" and (is_zero(node.parts[1]) or is_zero(node.parts[2]))


# ---- sums ------------------------------------------------------------------------------------------------------------------------


def simpler_sum(search: Search, collected: Collected) -> Collected:
    """Collected terms with what is known about functions put to use."""
    if len(collected) < 2:
        return collected
    branches = trigonometric = logistic = False
    stacks = products = 0
    for node in collected:
        if node.kind == FUNCTION:
            branches = branches or node.name == "where"
            logistic = logistic or node.name == "sigmoid"
            stacks += node.name == "stack"
            products += node.name == "@"
        elif node.kind == PRODUCT:
            for base, exponent in node.parts:
                logistic = logistic or base.name == "sigmoid"
                if base.name in _SQUARES and not isinstance(exponent, Term) and exponent >= 2:
                    trigonometric = True
    if branches:
        collected = _joined_branches(search, collected)
    if stacks > 1:
        collected = _joined_arrays(search, collected)
    if products > 1:
        collected = joined_matrix_products(search, collected)
    if trigonometric:
        collected = _squares(search, collected)
    if logistic:
        collected = _complements(search, collected)
    return collected


def _joined_arrays(search: Search, collected: Collected) -> Collected:
    """[a, 0] + [0, b] is [a, b]."""
    result: Collected = {}
    groups: dict[Any, list[tuple[Rational, Node]]] = {}
    for node, coefficient in collected.items():
        if node.name == "stack":
            groups.setdefault((node.shape, node.attributes), []).append((coefficient, node))
        else:
            result[node] = coefficient
    for nodes in groups.values():
        coefficient, node = nodes[0] if len(nodes) == 1 else joined_stacks(search, nodes)
        _add(result, node, coefficient)
    return result


class _Rule:
    """a·s² + b·c² is known for two functions of one thing: s² = sign·c² + constant (or another power of c)."""

    def __init__(self, other: str, sign: int, constant: int, power: int = 2) -> None:
        self.other, self.sign, self.constant, self.power = other, sign, constant, power


_SQUARES = {
    "sin": _Rule("cos", -1, 1),
    "cos": _Rule("sin", -1, 1),
    "cosh": _Rule("sinh", 1, 1),
    "sinh": _Rule("cosh", 1, -1),
    "tanh": _Rule("cosh", -1, 1, -2),
}
"""sin² = 1 - cos², cosh² = 1 + sinh², tanh² = 1 - 1/cosh² and so on."""


def _squares(search: Search, collected: Collected) -> Collected:
    """sin(u)² + cos(u)² is 1, also with factors before both, and 1 - sin(u)² is cos(u)²."""
    terms = search.terms
    result = dict(collected)
    for node in collected:
        if node.kind != PRODUCT or node not in result:
            continue
        for base, exponent in node.parts:
            rule = _SQUARES.get(base.name)
            if rule is None or isinstance(exponent, Term) or exponent < 2 or exponent.denominator != 1:
                continue
            coefficient = result[node]
            rest = terms.times(Term(1, node), Term(1, terms.product_of([(base, -2)]))).node
            square = terms.product_of([(of_same(search, base, rule.other), rule.power)])
            partner = terms.times(Term(1, rest), Term(1, square)).node
            if result.get(partner) == -rule.sign * coefficient:
                # c·rest·s² - c·sign·rest·o² = c·constant·rest
                del result[node], result[partner]
                _add(result, rest, coefficient * rule.constant)
                break
            if result.get(rest) == -rule.constant * coefficient:
                # c·rest·s² - c·constant·rest = c·sign·rest·o²
                del result[node], result[rest]
                _add(result, partner, coefficient * rule.sign)
                break
    return result


def _complements(search: Search, collected: Collected) -> Collected:
    """1 - sigmoid(u) is sigmoid(-u), also with factors before both."""
    terms = search.terms
    result = dict(collected)
    for node in collected:
        for base, exponent in terms.factors(node) if node in result else ():
            if base.name != "sigmoid" or isinstance(exponent, Term) or exponent < 1:
                continue
            rest = terms.times(Term(1, node), Term(1, terms.product_of([(base, -1)]))).node
            if result.get(rest) == -result[node]:
                coefficient = result.pop(rest)
                del result[node]
                scale, made = terms.times(Term(coefficient, rest), Term(1, _complement(search, base)))
                _add(result, made, scale)
                break
    return result


def _complement(search: Search, base: Node) -> Node:
    """Of sigmoid(u) the node of sigmoid(-u)."""
    assert base.gate is not None
    return search.terms.function(base.gate, (), [_times(-1, base.parts[0])], base.shape)


def _add(result: Collected, node: Node, coefficient: Rational) -> None:
    total = result.get(node, 0) + coefficient
    if total:
        result[node] = total
    else:
        result.pop(node, None)


def _joined_branches(search: Search, collected: Collected) -> Collected:
    """where(c, u, 0) + where(c, 0, v) is where(c, u, v): all with one condition are one."""
    groups: dict[Term, list[tuple[Rational, Node]]] = {}
    result: Collected = {}
    for node, coefficient in collected.items():
        if node.name == "where":
            groups.setdefault(node.parts[0], []).append((coefficient, node))
        else:
            result[node] = coefficient
    for condition, branches in groups.items():
        first = branches[0][1]
        if len(branches) == 1:
            _add(result, first, branches[0][0])
            continue
        yes, no = (
            search.sum(
                [Term(coefficient * node.parts[place].coefficient, node.parts[place].node) for coefficient, node in branches]
            )
            for place in (1, 2)
        )
        assert first.gate is not None
        for coefficient, node in search.terms.terms_of(branch(search, first.gate, condition, yes, no)):
            _add(result, node, coefficient)
    return result


def branch(search: Search, gate: Gate, condition: Term, yes: Term, no: Term) -> Term:
    """`where` on terms."""
    if yes == no:
        return yes
    if is_zero(no) and _is_idle(search, condition, yes):
        return yes
    if is_zero(no) and _is_total(yes.node):
        ramp = _known_ramp(search, condition, yes)
        if ramp is not None:
            return ramp
    yes, no = _within(condition, yes, 1), _within(condition, no, 2)
    return Term(1, search.terms.function(gate, (), (condition, yes, no)))


def _known_ramp(search: Search, condition: Term, yes: Term) -> Term | None:
    """where(u > 0, u*v, 0) as relu(u)*v, if there is a relu(u); likewise with max(u, 0)."""
    if condition.node.name not in (">", ">=") or not is_zero(condition.node.parts[1]):
        return None
    terms = search.terms
    inner, zero = condition.node.parts
    powers = dict(terms.factors(yes.node))
    own = powers.get(inner.node, 0)
    if isinstance(own, Term) or own < 1:
        return None
    for name, arguments in (("relu", (inner,)), ("max", (inner, zero)), ("max", (zero, inner))):
        gate = REGISTRY.find(name, len(arguments))
        ramp = terms.known_function(gate, (), arguments) if gate is not None else None
        if ramp is not None:
            powers[inner.node] = own - 1
            powers[ramp] = terms.add_exponents(powers.get(ramp, 0), 1)
            return simpler_product(search, terms.monomial(Fraction(yes.coefficient) / inner.coefficient, powers))
    return None


def _within(condition: Term, term: Term, place: int) -> Term:
    """A branch, inside which its own condition is known."""
    while term.node.name == "where" and term.node.parts[0] == condition:
        inner = term.node.parts[place]
        term = Term(term.coefficient * inner.coefficient, inner.node)
    return term


# ---- products --------------------------------------------------------------------------------------------------------------------


def simpler_product(search: Search, term: Term) -> Term:
    """A product with what is known about functions put to use."""
    node = term.node
    if node.kind != PRODUCT:
        return term
    names = {base.name for base, _ in node.parts}
    if "where" in names:
        return _masked_product(search, term)
    if "max" in names or "min" in names or "relu" in names:
        term = _without_equality(search, term)
    if "cofactors" in names and "det" in names:
        term = _inverse(search, term)
    for (above, below, sign), result in _RATIOS.items():
        if above in names and below in names:
            shorter = _joined_functions(search, term, above, below, sign, result)
            if search.terms.size(shorter) < search.terms.size(term):
                return simpler_product(search, shorter)
    return term


def _masked_product(search: Search, term: Term) -> Term:
    """where(c, u, 0)·v is where(c, u·v, 0): what is not taken can't spoil the product."""
    for base, exponent in term.node.parts:
        if exponent == 1 and is_mask(base):
            condition, yes, no = base.parts
            rest = [(Term(1, own), power) for own, power in term.node.parts if own is not base]
            assert base.gate is not None
            if is_zero(no) and any(_vanishes_without(condition, own) for own, _ in term.node.parts):
                unmasked = search.product(term.coefficient, [(yes, 1), *rest])
                if _is_idle(search, condition, unmasked):
                    return unmasked
            if is_zero(no):
                yes = search.product(term.coefficient, [(yes, 1), *rest])
            else:
                no = search.product(term.coefficient, [(no, 1), *rest])
            return branch(search, base.gate, condition, yes, no)
    return term


def _inverse(search: Search, term: Term) -> Term:
    """cofactors(A)/det(A) is inv(A).T."""
    powers = dict(term.node.parts)
    for node, exponent in term.node.parts:
        determinant = search.terms.known_function(_gate("det"), (), node.parts) if node.name == "cofactors" else None
        below = powers.get(determinant) if determinant is not None and exponent == 1 else None
        if determinant is None or below is None or isinstance(below, Term) or below > -1:
            continue
        inverse = search.terms.function(_gate("inv"), (), node.parts, node.shape)
        transposed = search.terms.function(_gate("transpose"), (("axes", None),), [Term(1, inverse)], node.shape)
        del powers[node]
        powers[determinant] = below + 1
        powers[transposed] = search.terms.add_exponents(powers.get(transposed, 0), 1)
        return search.terms.monomial(term.coefficient, powers)
    return term


def _is_idle(search: Search, condition: Term, yes: Term) -> bool:
    """Whether where(condition, yes, 0) is yes everywhere."""
    return _is_total(yes.node) and any(_vanishes_without(condition, base) for base, _ in search.terms.factors(yes.node))


def _vanishes_without(condition: Term, node: Node) -> bool:
    """Whether something is 0 wherever a condition is not met: max(u, 0) without u >= 0, u without norm(u) != 0."""
    name = condition.node.name
    if name not in ("!=", ">", ">=", "<", "<="):
        return False
    first, second = condition.node.parts
    if name == "!=" and is_zero(second):
        return any(
            zero == Term(1, node) for zero in (Term(1, first.node), *(first.node.parts if first.node.name == "norm" else ()))
        )
    if not is_zero(second):
        return False
    if name in (">", ">="):
        return (node.name == "relu" and node.parts[0] == first) or (node.name == "max" and set(node.parts) == {first, second})
    return node.name == "min" and set(node.parts) == {first, second}


def _is_total(node: Node) -> bool:
    """Whether something is finite wherever its inputs are: of powers, sums, and functions that are nowhere large."""
    stack = [node]
    for _ in range(MOST_LOOKED_AT):
        if not stack:
            return True
        current = stack.pop()
        if current.kind == PRODUCT:
            if any(isinstance(exponent, Term) or exponent.denominator != 1 or exponent < 0 for _, exponent in current.parts):
                return False
            stack += [base for base, _ in current.parts]
        elif current.kind == SUM:
            stack += [part for _, part in current.parts]
        elif current.kind == FUNCTION:
            if current.name not in _TOTAL and not is_comparison(Term(1, current)):
                return False
            stack += [part.node for part in current.parts]
        elif current.kind == SYMBOL and is_not_finite(current):
            return False
    return False


MOST_LOOKED_AT = 50
"""How many parts of a term are looked at to see whether it is finite."""

_TOTAL = frozenset(
    (
        *("max", "min", "relu", "abs", "sign", "sin", "cos", "tanh", "sigmoid", "atan", "norm", "sum", "mean"),
        *("@", "outer", "transpose", "reshape", "broadcast_to", "ones", "zeros", "[]"),
    )
)
"""Functions that are finite where their inputs are."""


def _without_equality(search: Search, term: Term) -> Term:
    """max(u, 0)*(2 - (u == 0)) is 2*max(u, 0): where both of its inputs are 0, so is max(u, 0)."""
    zeros = [base.parts for base, exponent in term.node.parts if base.name in ("max", "min", "relu") and exponent in (1, 2, 3)]
    terms = search.terms
    for base, exponent in term.node.parts:
        if base.kind != SUM or exponent != 1:
            continue
        kept = {part: own for own, part in base.parts if not _is_equality_of(part, zeros)}
        if len(kept) < len(base.parts):
            others = {other: power for other, power in term.node.parts if other is not base}
            return terms.times(terms.monomial(term.coefficient, others), terms.sum_of(kept))
    return term


def _is_equality_of(node: Node, zeros: Sequence[Any]) -> bool:
    """Whether a comparison holds only where one of these maxima is 0: where its two inputs are equal, and one of them is 0."""
    if node.name != "==" or not any(map(is_zero, node.parts)):
        return False
    (other,) = [part for part in node.parts if not is_zero(part)] or [node.parts[0]]
    return any(other in parts and all(part == other or is_zero(part) for part in parts) for parts in zeros)


_RATIOS = {
    ("sin", "cos", -1): "tan",
    ("tan", "cos", 1): "sin",
    ("sin", "tan", -1): "cos",
    ("sinh", "cosh", -1): "tanh",
    ("tanh", "cosh", 1): "sinh",
    ("sinh", "tanh", -1): "cosh",
}
"""sin(u)/cos(u) is tan(u), tan(u)*cos(u) is sin(u)."""


def _joined_functions(search: Search, term: Term, first: str, second: str, sign: int, result: str) -> Term:
    """Powers of two functions of one thing, as far as they are one power of a third."""
    powers: dict[Node, Exponent] = dict(term.node.parts)
    for base, exponent in term.node.parts:
        if base.name != first or isinstance(exponent, Term) or exponent.denominator != 1:
            continue
        other = of_same(search, base, second)
        own = powers.get(other)
        if own is None or isinstance(own, Term) or own.denominator != 1 or exponent * own * sign <= 0:
            continue
        shared = min(abs(exponent), abs(own)) * (1 if exponent > 0 else -1)
        made = of_same(search, base, result)
        powers[base] = exponent - shared
        powers[other] = own - sign * shared
        powers[made] = search.terms.add_exponents(powers.get(made, 0), shared)
    return search.terms.monomial(term.coefficient, powers)


def of_same(search: Search, base: Node, name: str) -> Node:
    """Another function of the same thing."""
    gate = REGISTRY.find(name, 1)
    assert gate is not None
    return search.terms.function(gate, (), base.parts, base.shape)


def logistic_product(search: Search, term: Term, alone: bool) -> Term | None:
    """exp(u + v)/(exp(u) + exp(v))^2 is sigmoid(u - v)*sigmoid(v - u), which no large exponent spoils.

    With `alone`, exp(u)/(exp(u) + exp(v)), too, is a sigmoid; otherwise there is another form for it.
    """
    terms = search.terms
    powers = dict(terms.factors(term.node))
    given = terms.exponent_term(powers[terms.e]) if terms.e in powers else terms.zero
    for base, power in powers.items():
        if base.kind != SUM or len(base.parts) != 2 or isinstance(power, Term) or power.denominator != 1 or not -9 < power < 0:
            continue
        first, second = (_exponential(terms, own, node) for own, node in base.parts)
        if first is None or second is None:
            continue
        total = -int(power)
        for count in range(total + 1) if alone else range(1, total):
            if given == terms.plus(_times(count, first), _times(total - count, second)):
                difference = terms.plus(first, _times(-1, second))
                gate = _gate("sigmoid")
                made: dict[Node, Exponent] = {
                    terms.function(gate, (), [difference]): count,
                    terms.function(gate, (), [_times(-1, difference)]): total - count,
                }
                kept = {other: own for other, own in powers.items() if other is not base and other is not terms.e}
                return terms.times(terms.monomial(term.coefficient, kept), terms.monomial(1, made))
    return None


def logistic_sum(search: Search, collected: Collected) -> Collected | None:
    """A sum with sigmoids for the exponentials of every term in which they stand below the line; None if there are others."""
    result: Collected = {}
    changed = False
    for node, coefficient in collected.items():
        made = Term(coefficient, node)
        if any(base.kind == SUM and not isinstance(power, Term) and power < 0 for base, power in search.terms.factors(node)):
            found = logistic_product(search, made, True)
            if found is None:
                return None
            made, changed = found, True
        _add(result, made.node, made.coefficient)
    return result if changed else None


def _exponential(terms: Terms, coefficient: Rational, node: Node) -> Term | None:
    """Of exp(u) the term u, of 1 that is 0."""
    if coefficient != 1:
        return None
    if node is terms.one:
        return terms.zero
    ((base, exponent), *others) = terms.factors(node)
    return terms.exponent_term(exponent) if base is terms.e and not others else None


def _times(factor: Rational, term: Term) -> Term:
    return Term(factor * term.coefficient, term.node)


def _gate(name: str) -> Gate:
    gate = REGISTRY.find(name, 1)
    assert gate is not None
    return gate


# ---- what may be shorter, or not -------------------------------------------------------------------------------------------------

_RECIPROCALS = {("tan", 2): ("cos", 1), ("tan", -2): ("sin", 1), ("tanh", 2): ("cosh", -1), ("sinh", -2): ("tanh", 1)}
"""f^n + sign is sign·g^-2: tan² + 1 is 1/cos², 1/tan² + 1 is 1/sin², tanh² - 1 is -1/cosh²."""


def other_sums(search: Search, collected: Collected) -> Iterator[Collected]:
    """A sum in forms that may be shorter: with 1/cos² for 1 + tan², with one of sin² and cos² written by the other."""
    names = {base.name for node in collected for base, _ in search.terms.factors(node)}
    if "sigmoid" in names:
        yield from _one_sided(search, collected)
    if "tan" in names or "tanh" in names:
        result = _reciprocals(search, collected)
        if len(result) < len(collected):
            yield result
    for sine, cosine in (("sin", "cos"), ("sinh", "cosh")):
        if sine in names and cosine in names:
            for name in (cosine, sine):
                result = _substituted(search, collected, name)
                if len(result) <= len(collected):
                    yield result


def _one_sided(search: Search, collected: Collected) -> Iterator[Collected]:
    """Where sigmoid(u) and sigmoid(-u) meet, one of them written by the other."""
    terms = search.terms
    bases = {base: None for node in collected for base, exponent in terms.factors(node) if base.name == "sigmoid" and exponent == 1}
    for base in bases:
        other = _complement(search, base)
        if other not in bases:
            continue
        result: Collected = {}
        for node, coefficient in collected.items():
            if dict(terms.factors(node)).get(other) != 1:
                _add(result, node, coefficient)
                continue
            rest = terms.times(Term(1, node), Term(1, terms.product_of([(other, -1)])))
            _add(result, rest.node, coefficient)
            scale, made = terms.times(rest, Term(1, base))
            _add(result, made, -scale * coefficient)
        if len(result) <= len(collected):
            yield result


def _reciprocals(search: Search, collected: Collected) -> Collected:
    terms = search.terms
    result = dict(collected)
    for node in collected:
        if node.kind != PRODUCT or node not in result:
            continue
        for base, exponent in node.parts:
            if base.name not in ("tan", "tanh") or isinstance(exponent, Term):
                continue
            step = 2 if exponent >= 2 else -2 if exponent <= -2 else 0
            rule = _RECIPROCALS.get((base.name, step))
            if rule is None:
                continue
            name, sign = rule
            coefficient = result[node]
            rest = terms.times(Term(1, node), Term(1, terms.product_of([(base, -step)]))).node
            if result.get(rest) == sign * coefficient:
                del result[node], result[rest]
                made = terms.product_of([(of_same(search, base, name), -2)])
                scale, product = terms.times(Term(sign * coefficient, rest), Term(1, made))
                _add(result, product, scale)
                break
    return result


def _substituted(search: Search, collected: Collected, name: str) -> Collected:
    """Even powers of one function written by its partner: cos² as 1 - sin²."""
    terms = search.terms
    rule = _SQUARES[name]
    result: Collected = {}
    for node, coefficient in collected.items():
        found = None
        for base, exponent in node.parts if node.kind == PRODUCT else ():
            if base.name == name and not isinstance(exponent, Term) and exponent in (2, 3):
                found = base
        if found is None:
            _add(result, node, coefficient)
            continue
        rest = terms.times(Term(1, node), Term(1, terms.product_of([(found, -2)]))).node
        square = terms.product_of([(of_same(search, found, rule.other), 2)])
        _add(result, rest, coefficient * rule.constant)
        _add(result, terms.times(Term(1, rest), Term(1, square)).node, coefficient * rule.sign)
    return result


def in_sines_and_cosines(search: Search, term: Term) -> Term:
    """A term with sin(u)/cos(u) for each tan(u) in its sums and products, simplified anew; the term itself if there is none."""
    terms = search.terms
    ready: dict[Node, Term] = {}
    for node in search.structure(term.node, ready):
        if node.name == "tan":
            ready[node] = terms.monomial(1, {of_same(search, node, "sin"): 1, of_same(search, node, "cos"): -1})
        elif node.kind == SUM and node.mirror is None:
            ready[node] = search.sum([_times(own, ready.get(part, Term(1, part))) for own, part in node.parts])
        elif node.kind == PRODUCT:
            ready[node] = search.product(1, [(ready.get(base, Term(1, base)), exponent) for base, exponent in node.parts])
        else:
            ready[node] = Term(1, node)
    return _times(term.coefficient, ready[term.node])


def double_angles(search: Search, term: Term) -> Term:
    """2·sin(u)·cos(u) as sin(2u), cos(u)² - sin(u)² as cos(2u), where that is shorter: for what is going to be printed."""
    terms = search.terms
    pieces = {node: coefficient for coefficient, node in terms.terms_of(term)}
    if not any(base.name in ("sin", "cos") for node in pieces if node.kind == PRODUCT for base, _ in node.parts):
        return term
    if any({"sin", "cos"} <= {base.name for base, _ in node.parts} for node in pieces if node.kind == PRODUCT):
        result: Collected = {}
        for node, coefficient in pieces.items():
            made = _double(search, Term(coefficient, node))
            _add(result, made.node, made.coefficient)
    else:
        result = _differences_of_squares(search, pieces)
    if result == pieces:
        return term
    shorter = search.shortest_sum(result)
    return shorter if terms.size(shorter) < terms.size(term) else term


def _double(search: Search, term: Term) -> Term:
    powers = dict(term.node.parts) if term.node.kind == PRODUCT else {}
    for base, exponent in list(powers.items()):
        other = of_same(search, base, "cos") if base.name == "sin" else None
        if other is not None and powers.get(other) == exponent and not isinstance(exponent, Term) and exponent.denominator == 1:
            del powers[base], powers[other]
            doubled = search.terms.function(base.gate, (), [_twice(base)], base.shape)
            powers[doubled] = search.terms.add_exponents(powers.get(doubled, 0), exponent)
            return search.terms.monomial(term.coefficient * Fraction(1, 2) ** int(exponent), powers)
    return term


def _twice(base: Node) -> Term:
    coefficient, node = base.parts[0]
    return Term(2 * coefficient if coefficient.denominator == 1 else Fraction(2 * coefficient), node)


def _differences_of_squares(search: Search, collected: Collected) -> Collected:
    """cos² - sin², 2·cos² - 1 and 1 - 2·sin² are the cosine of the double."""
    terms = search.terms
    result = dict(collected)
    for node in collected:
        for base, exponent in node.parts if node.kind == PRODUCT and node in result else ():
            if base.name not in ("cos", "sin") or exponent != 2:
                continue
            sign = 1 if base.name == "cos" else -1
            coefficient = result[node]
            rest = terms.times(Term(1, node), Term(1, terms.product_of([(base, -2)]))).node
            square = terms.product_of([(of_same(search, base, "sin" if sign > 0 else "cos"), 2)])
            partner = terms.times(Term(1, rest), Term(1, square)).node
            if result.get(partner) == -coefficient:
                gone, scale = partner, coefficient * sign
            elif result.get(rest) == -coefficient * HALF:
                gone, scale = rest, coefficient * sign * HALF
            else:
                continue
            del result[node], result[gone]
            cosine = of_same(search, base, "cos")
            assert cosine.gate is not None
            doubled = terms.function(cosine.gate, (), [_twice(base)], base.shape)
            own, made = terms.times(Term(1, rest), Term(1, doubled))
            _add(result, made, scale * own)
            break
    return result
