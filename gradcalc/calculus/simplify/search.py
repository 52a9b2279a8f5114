"""The search for the shortest form of a sum or a product: collected, factored, over one denominator, multiplied out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import nan, prod

from gradcalc.calculus.simplify.identities import (
    double_angles,
    in_sines_and_cosines,
    logistic_product,
    logistic_sum,
    other_sums,
    simpler_product,
    simpler_sum,
)
from gradcalc.calculus.simplify.nodes import (
    FLATTENED,
    FUNCTION,
    NUMBER,
    PRODUCT,
    SUM,
    SYMBOL,
    Exponent,
    Node,
    Rational,
    Term,
    is_not_finite,
)
from gradcalc.calculus.simplify.terms import Terms

SEARCHED_TERMS = 40
"""A longer sum is collected, and otherwise left as it is."""

EXPANDED_TERMS = 60
"""Multiplying out ends where so many terms come out."""

JOINED_TERMS = 9
"""Two factors are tried multiplied out where no more terms than that may come out."""

MOST_SUMS = 5
"""A product of more sums, powers counted as such, is not multiplied out: near its roots only the factors keep their digits."""

SHORT_SUM = 3
"""A sum of so many terms is as easy to read as a product of sums."""

REPEATED = 8
"""So many tokens a product with a power of a sum may be longer than another form."""

SHORT_PRODUCT = 20
"""A common factor that saves nothing is taken out of what is longer."""

BRACKETS = 2
"""So many tokens a sum in brackets may be longer than its multiplied out form of more terms."""

MOST_REWRITTEN = 300
"""What is longer is not written anew by sines and cosines."""

EFFORT = 30_000
"""How many products of terms the search may form: a large formula is collected everywhere, and searched as far as this goes."""

Collected = dict[Node, Rational]


class Search:
    """Makes sums and products of terms in the shortest of the forms that it tries."""

    def __init__(self, terms: Terms, effort: int = EFFORT) -> None:
        self.terms = terms
        self.effort = effort
        self.finishing = False
        """Whether forms are tried that hide what terms have in common: of what is about to be written."""
        self._expanded: dict[Node, Collected | None] = {}
        self._factored: dict[Node, list[Term]] = {}
        self._groupings: dict[tuple[frozenset[tuple[Node, Rational]], bool], Term | None] = {}
        self._ready: dict[Node, Term] = {}

    # ---- sums --------------------------------------------------------------------------------------------------------------------

    def sum(self, parts: Iterable[Term], typed: bool = False) -> Term:
        """A sum of terms, as short as the search finds it."""
        collected: Collected = {}
        terms = self.terms
        parts = list(parts)
        for part in parts:
            for coefficient, node in terms.terms_of(part):
                before = collected.get(node)
                collected[node] = coefficient if before is None else before + coefficient
        if typed and any(not coefficient and is_not_finite(node) for node, coefficient in collected.items()):
            return terms.number(nan)
        best = self.shortest_sum(collected, typed)
        whole = self._with_whole_sums(parts) if self.effort > 0 else None
        if whole is None:
            return best
        allowed = terms.size(best) + (BRACKETS if best.node.kind == SUM else 0)
        return whole if terms.size(whole) <= allowed else best

    def _with_whole_sums(self, parts: Sequence[Term]) -> Term | None:
        """A sum of terms factored, where one of them is itself a sum that is a factor of another: 2*x*(x + y) - (x + y)."""
        sums = {node for _, node in parts if node.kind == SUM and node.mirror is None}
        if not sums or not any(base in sums for _, node in parts if node.kind == PRODUCT for base, _ in node.parts):
            return None
        collected: Collected = {}
        for coefficient, node in parts:
            collected[node] = collected.get(node, 0) + coefficient
        collected = {node: coefficient for node, coefficient in collected.items() if coefficient}
        return self.factored(collected, False) if 1 < len(collected) <= SEARCHED_TERMS else None

    def shortest_sum(self, collected: Collected, typed: bool = False) -> Term:
        """The shortest form of collected terms; among equally long ones the plain one."""
        collected = simpler_sum(self, {node: coefficient for node, coefficient in collected.items() if coefficient})
        terms = self.terms
        best = terms.sum_of(collected, typed)
        if len(collected) < 2 or len(collected) > SEARCHED_TERMS or self.effort <= 0:
            return best
        length = terms.size(best)
        for candidate in self._forms(collected):
            size = terms.size(candidate)
            if _is_longer_sum(candidate.node, collected) and len(candidate.node.parts) > SHORT_SUM:
                size += BRACKETS
            elif _has_repeated_sum(candidate.node):
                size -= REPEATED
            if size < length or (size == length and best.node.kind == SUM and _shares_much(candidate.node)):
                best, length = candidate, size
        return best

    def _forms(self, collected: Collected) -> Iterator[Term]:
        expanded = self.expanded(collected)
        if expanded is not None:
            expanded = simpler_sum(self, expanded)
            if len(expanded) <= SHORT_SUM and all(map(_is_power, expanded)):
                yield self.terms.sum_of(expanded)  # a polynomial of one input: no factor before it
        yield from self._factorings(collected)
        for form in (collected, expanded) if expanded is not None else (collected,):
            for other in other_sums(self, form):
                yield from self._with_factorings(other)
        logistic = logistic_sum(self, collected)
        if logistic is not None:
            yield from self._with_factorings(logistic)
        if expanded is not None:
            yield from self._with_factorings(expanded)

    def _with_factorings(self, collected: Collected) -> Iterator[Term]:
        yield self.terms.sum_of(collected)
        if 1 < len(collected) <= EXPANDED_TERMS:
            yield from self._factorings(collected)

    def _factorings(self, collected: Collected) -> Iterator[Term]:
        for full in (False, True):
            found = self.factored(collected, full)
            if found is not None:
                yield found
        if all(_has_symbolic_power(node) for node in collected):
            found = self.factored(collected, False, self._under_logarithms(collected))
            if found is not None:
                yield found
        grouped = self._grouped(collected)
        if grouped is not None:
            yield grouped
        yield from self._over_some_denominators(collected)

    def _over_some_denominators(self, collected: Collected) -> Iterator[Term]:
        """The terms that have a sum below the line brought over one denominator, the others left as they are."""
        if len(collected) < 3:
            return
        groups: dict[Node, list[Node]] = {}
        for node in collected:
            for base, exponent in self.terms.factors(node):
                if base.kind == SUM and not isinstance(exponent, Term) and exponent < 0:
                    groups.setdefault(base, []).append(node)
        for nodes in groups.values():
            if 2 <= len(nodes) < len(collected):
                group = self.factored({node: collected[node] for node in nodes}, True)
                if group is not None:
                    parts = {node: coefficient for node, coefficient in collected.items() if node not in nodes}
                    for coefficient, node in self.terms.terms_of(group):
                        parts[node] = parts.get(node, 0) + coefficient
                    yield self.terms.sum_of(parts)

    def _under_logarithms(self, collected: Collected) -> set[Node]:
        """Of what there are logarithms: where it is 0 the sum has no value, so that it may stand below a line."""
        bases = [base for node in collected for base, _ in self.terms.factors(node) if base.name == "log"]
        return {base.parts[0].node for base in bases if len(base.parts) == 1 and base.parts[0].coefficient == 1}

    def factored(self, collected: Mapping[Node, Rational], full: bool, greatest: Collection[Node] = ()) -> Term | None:
        """A sum with the common factors taken out.

        Args:
            collected: the sum.
            full: bring everything over one denominator first.
            greatest: bases of which the greatest power is taken out: x^n of x^n and x^(n - 1).
        """
        rows = [(coefficient, dict(self.terms.factors(node))) for node, coefficient in collected.items()]
        self.effort -= len(rows)
        lowest = self._lowest([powers for _, powers in rows], full, greatest)
        if not lowest:
            return None
        terms = self.terms
        inner: Collected = {}
        for coefficient, powers in rows:
            for base, exponent in lowest.items():
                powers[base] = terms.add_exponents(powers.get(base, 0), _negative(exponent))
            row = terms.monomial(coefficient, powers)
            for own, node in terms.terms_of(self.shortest_product(row) if greatest else simpler_product(self, row)):
                inner[node] = inner.get(node, 0) + own
        divisors = [
            base for base, exponent in lowest.items() if base.kind == SUM and not isinstance(exponent, Term) and exponent < 0
        ]
        result = terms.times(terms.monomial(1, lowest), self._shortest_inner(inner, divisors))
        several = result.node.kind == PRODUCT and (divisors or sum([base.kind == SUM for base, _ in result.node.parts]) > 1)
        return self.shortest_product(result) if several else simpler_product(self, result)

    def _lowest(self, rows: Sequence[Mapping[Node, Exponent]], full: bool, greatest: Collection[Node]) -> dict[Node, Exponent]:
        """The factors that all terms have in common; with `full` also the divisors that only some of them have."""
        bases: Iterable[Node] = rows[0]
        if full:
            bases = {base: None for powers in rows for base in powers}
        lowest: dict[Node, Exponent] = {}
        for base in bases:
            exponents = [powers.get(base, 0) for powers in rows]
            if full and not any(not isinstance(exponent, Term) and exponent < 0 for exponent in exponents):
                if any(base not in powers for powers in rows):
                    continue
            elif not full and any(base not in powers for powers in rows):
                continue
            low = self._least(exponents, base in greatest)
            if low is not None and low != 0:
                lowest[base] = low
        return lowest

    def _least(self, exponents: Sequence[Exponent], greatest: bool) -> Exponent | None:
        """The smallest exponent, if they can be compared; of symbolic ones the greatest if that is asked for."""
        if not any(isinstance(exponent, Term) for exponent in exponents):
            return min(exponents)
        first = exponents[0]
        smallest: Rational = 0
        for exponent in exponents:
            if exponent == first:
                continue
            difference = self.terms.add_exponents(exponent, _negative(first))
            if isinstance(difference, Term):
                return None
            smallest = max(smallest, difference) if greatest else min(smallest, difference)
        return self.terms.add_exponents(first, smallest) if smallest else first

    def _shortest_inner(self, inner: Collected, divisors: Sequence[Node]) -> Term:
        """What is left of a sum when the common factors are out."""
        terms = self.terms
        inner = simpler_sum(self, {node: coefficient for node, coefficient in inner.items() if coefficient})
        options = [terms.sum_of(inner)]
        expanded = self.expanded(inner)
        if expanded is not None:
            expanded = simpler_sum(self, expanded)
            options.append(terms.sum_of(expanded))
            if len(expanded) > 1:
                again = self.factored(expanded, False)
                if again is not None:
                    options.append(again)
                grouped = self._grouped(expanded)
                if grouped is not None:
                    options.append(grouped)
        elif len(inner) > 2:
            grouped = self._grouped(inner)
            if grouped is not None:
                options.append(grouped)
        for other in other_sums(self, expanded if expanded is not None else inner):
            options.append(terms.sum_of(other))
            grouped = self._grouped(other)
            if grouped is not None:
                options.append(grouped)
        for divisor in divisors:
            divided = self.divided(expanded if expanded is not None else inner, divisor)
            if divided is not None:
                return terms.times(self._shortest_inner(divided, divisors), Term(1, divisor))
        return min(options, key=lambda option: terms.size(option) + BRACKETS * _is_longer_sum(option.node, inner))

    def _grouped(self, collected: Collected) -> Term | None:
        """A sum some of whose terms have a factor in common, which is taken out of them."""
        if len(collected) < 3 or self.effort <= 0:
            return None
        key = frozenset(collected.items()), self.finishing
        if key not in self._groupings:
            self._groupings[key] = self._newly_grouped(collected)
        return self._groupings[key]

    def _newly_grouped(self, collected: Collected) -> Term | None:
        terms = self.terms
        users: dict[object, list[Node]] = {}
        sizes: dict[object, tuple[int, Node, Exponent]] = {}
        for node in collected:
            for base, exponent in terms.factors(node):
                if node is terms.one or base.kind == NUMBER:
                    continue
                users.setdefault((base, exponent), []).append(node)
                sizes[base, exponent] = (terms.power_size(base, exponent)[0], base, exponent)
        best, gain = None, 0
        for key, nodes in users.items():
            own = (len(nodes) - 1) * (sizes[key][0] + 1) - 2
            if 2 <= len(nodes) < len(collected) and own > 0 and own >= gain:
                best, gain = key, own
        if best is None:
            return None
        chosen = users[best]
        group = self.factored({node: collected[node] for node in chosen}, False)
        if group is None:
            return None
        rest = {node: coefficient for node, coefficient in collected.items() if node not in chosen}
        inner = self._grouped(rest) or (self.factored(rest, False) if len(rest) > 1 else None)
        parts: Collected = {}
        for term in (group, *([inner] if inner is not None else [Term(c, n) for n, c in rest.items()])):
            for coefficient, node in terms.terms_of(term):
                parts[node] = parts.get(node, 0) + coefficient
        return terms.sum_of(parts)

    # ---- what is written ---------------------------------------------------------------------------------------------------------

    def finished(self, term: Term) -> Term:
        """A term in the form in which it is written: roots under one sign, exponentials in one place, angles doubled."""
        if self.effort <= 0:
            return term
        best = self._in_final_form(term)
        if best.node.size <= MOST_REWRITTEN and any(node.name == "tan" for node in self.structure(best.node, {})):
            best = min(best, self._in_final_form(in_sines_and_cosines(self, best)), key=self.terms.size)
        return best

    def _in_final_form(self, term: Term) -> Term:
        self.finishing = True
        try:
            made = self._finished(term.node)
            return Term(self.terms.rounded(term.coefficient * made.coefficient), made.node)
        finally:
            self.finishing = False

    def _finished(self, node: Node) -> Term:
        """A node; in the sums and products that it consists of, innermost first."""
        terms = self.terms
        for current in self.structure(node, self._ready):
            parts: Term | None = None
            if current.kind == SUM and current.mirror is None:
                collected: Collected = {}
                for own, inner in current.parts:
                    for coefficient, piece in terms.terms_of(self._ready.get(inner, Term(1, inner))):
                        collected[piece] = collected.get(piece, 0) + own * coefficient
                parts = self._doubled(terms.sum_of(collected))
            elif current.kind == PRODUCT:
                factors = [(self._ready.get(base, Term(1, base)), exponent) for base, exponent in current.parts]
                parts = self._doubled(self.product(1, factors))
            own_form = Term(1, current)
            self._ready[current] = parts if parts is not None and terms.size(parts) <= terms.size(own_form) else own_form
        return self._ready[node]

    def _doubled(self, term: Term) -> Term:
        """A term with angles doubled as often as that shortens it."""
        while (shorter := double_angles(self, term)) != term:
            term = shorter
        return term

    def structure(self, node: Node, ready: Mapping[Node, Term]) -> list[Node]:
        """The sums and products of which a node consists that are not ready, and what they are made of, each after its parts."""
        found: dict[Node, None] = {}
        stack = [node]
        while stack:
            current = stack[-1]
            if current in ready or current in found:
                stack.pop()
                continue
            inner: list[Node] = []
            if current.kind == SUM:
                inner = [part for _, part in current.parts]
            elif current.kind == PRODUCT:
                inner = [base for base, _ in current.parts]
            missing = [part for part in inner if part not in ready and part not in found]
            if missing:
                stack += missing
            else:
                found[current] = None
        return list(found)

    # ---- multiplying out ---------------------------------------------------------------------------------------------------------

    def expanded(self, collected: Mapping[Node, Rational]) -> Collected | None:
        """Everything multiplied out and collected; None if there is nothing to do, or too much."""
        if self.effort <= 0:
            return None
        changed = False
        result: Collected = {}
        for node, coefficient in collected.items():
            if (node.kind != PRODUCT and node.kind != SUM) or not _has_sums(node):
                result[node] = result.get(node, 0) + coefficient
                continue
            pieces = self.multiplied_out(node)
            if pieces is None:
                return None
            changed = True
            for inner, own in pieces.items():
                result[inner] = result.get(inner, 0) + own * coefficient
            if len(result) > EXPANDED_TERMS:
                return None
        return {node: coefficient for node, coefficient in result.items() if coefficient} if changed else None

    def multiplied_out(self, node: Node) -> Collected | None:
        """A product with its sums multiplied out; None if that is too long."""
        if node in self._expanded:
            return self._expanded[node]
        terms = self.terms
        powers: dict[Node, Exponent] = {}
        sums: list[Node] = []
        for base, exponent in terms.factors(node):
            if _is_expandable(base, exponent):
                sums += [base] * int(exponent)  # type: ignore[arg-type]
            else:
                powers[base] = exponent
        coefficient, rest = terms.monomial(1, powers)
        result: Collected | None = {rest: coefficient}
        count = prod(len(base.parts) for base in sums)
        if count > 16 * EXPANDED_TERMS or len(sums) > MOST_SUMS:
            result = None
        for base in sums:
            result = self._times_sum(result, base) if result is not None else None
        if result is not None and any(_has_sums(inner) for inner in result):
            result = self.expanded(result) or result
        self._expanded[node] = result
        return result

    def _times_sum(self, collected: Collected, base: Node) -> Collected | None:
        result: Collected = {}
        if len(collected) * len(base.parts) > 4 * EXPANDED_TERMS:
            return None
        terms = self.terms
        self.effort -= len(collected) * len(base.parts)
        for node, coefficient in collected.items():
            for own, inner in base.parts:
                scale, product = terms.times(Term(1, node), Term(1, inner))
                result[product] = result.get(product, 0) + scale * own * coefficient
        return result if len(result) <= EXPANDED_TERMS else None

    def divided(self, collected: Collected, divisor: Node) -> Collected | None:
        """A polynomial divided by a sum, if nothing is left over: long division by the divisor's leading term."""
        if len(collected) < 2 or len(collected) > SEARCHED_TERMS or not 2 <= len(divisor.parts) <= 8:
            return None
        terms = self.terms
        variables = sorted({base for _, node in divisor.parts for base, _ in terms.factors(node)}, key=lambda base: base.id)

        def degrees(node: Node) -> tuple[int, ...] | None:
            powers = dict(terms.factors(node))
            found = []
            for base in variables:
                exponent = powers.get(base, 0)
                if isinstance(exponent, Term) or exponent.denominator != 1 or exponent < 0:
                    return None
                found.append(int(exponent))
            return tuple(found)

        ranked = [(degrees(node), coefficient, node) for coefficient, node in divisor.parts]
        if any(rank is None for rank, _, _ in ranked):
            return None
        lead_rank, lead_coefficient, lead = max(ranked, key=lambda item: item[0] or ())
        assert lead_rank is not None
        inverse = terms.power(Term(lead_coefficient, lead), -1)
        rest: Collected = dict(collected)
        quotient: Collected = {}
        for _ in range(SEARCHED_TERMS):
            if not rest:
                return quotient
            self.effort -= len(divisor.parts)
            highest: tuple[int, ...] = ()
            chosen = None
            for node in rest:
                rank = degrees(node)
                if rank is None:
                    return None
                if chosen is None or rank > highest:
                    highest, chosen = rank, node
            assert chosen is not None
            if any(own < needed for own, needed in zip(highest, lead_rank)):
                return None
            coefficient, node = terms.times(Term(rest[chosen], chosen), inverse)
            quotient[node] = quotient.get(node, 0) + coefficient
            for own, inner in divisor.parts:
                scale, product = terms.times(Term(coefficient, node), Term(own, inner))
                left = rest.get(product, 0) - scale
                if left:
                    rest[product] = left
                else:
                    rest.pop(product, None)
        return None

    # ---- products ----------------------------------------------------------------------------------------------------------------

    def product(self, coefficient: Rational, factors: Iterable[tuple[Term, Exponent]]) -> Term:
        """A product of powers of terms, as short as the search finds it."""
        terms = self.terms
        powers: dict[Node, Exponent] = {}
        roots: list[Term] = []
        unbounded: list[Node] = []
        for term, exponent in factors:
            if isinstance(exponent, Term) or exponent.denominator != 1 or not term.coefficient:
                roots.append(terms.power(term, exponent))
                # 0/0 was typed; in a derivative 0 before a pole says that nothing changes.
                unbounded.append(roots[-1].node if terms.typed else term.node)
                continue
            unbounded.append(term.node)
            whole = int(exponent)
            coefficient = coefficient * (term.coefficient if whole == 1 else Fraction(term.coefficient) ** whole)
            node = term.node
            if node.kind == PRODUCT and len(node.parts) > terms.flattened:
                powers[node] = terms.add_exponents(powers.get(node, 0), whole)
                continue
            for base, own in terms.factors(node):
                scaled = Term(own.coefficient * whole, own.node) if isinstance(own, Term) else own * whole
                before = powers.get(base)
                powers[base] = scaled if before is None else terms.add_exponents(before, scaled)
        result = terms.monomial(terms.rounded(coefficient), powers)
        for root in roots:
            result = terms.times(result, root)
        if not result.coefficient and any(map(is_not_finite, unbounded)):
            return terms.number(nan)
        if result.node.kind != PRODUCT or len(result.node.parts) < 2:
            return result
        return self.shortest_product(result)

    def shortest_product(self, term: Term) -> Term:
        """The shortest form of a product; among equally long ones the plain one."""
        term = simpler_product(self, term)
        if term.node.kind != PRODUCT or len(term.node.parts) > FLATTENED or self.effort <= 0:
            return term
        terms = self.terms
        for _ in range(4):
            best, length = None, terms.size(term)
            for candidate in self._product_forms(term):
                size = terms.size(candidate)
                if size < length:
                    best, length = candidate, size
            if best is None:
                return term
            term = best
            if term.node.kind != PRODUCT:
                return term
        return term

    def _product_forms(self, term: Term) -> Iterator[Term]:
        node = term.node
        sums = [(base, exponent) for base, exponent in node.parts if base.kind == SUM and not isinstance(exponent, Term)]
        if self.finishing:
            yield from self._joined_roots(term)
        for base, exponent in node.parts:
            if base.kind == PRODUCT and not isinstance(exponent, Term) and exponent.denominator != 1:
                for step in (1, -1):
                    root = Term(1, self.terms.product_of([(base, exponent + step)]))
                    made = self._replaced(term, {base}, self.terms.times(root, self.terms.power(Term(1, base), -step)))
                    if exponent < 0 or self._divisors(made.node) <= self._divisors(node):
                        yield made  # where the root is 0 it has a value if this has one
        if not sums:
            return
        others = {base for base, _ in node.parts}
        for base, exponent in sums:
            if exponent.denominator == 1:
                for inside in self._contents(base):
                    if any(own in others for own, _ in self.terms.factors(inside.node)):
                        yield self._replaced(term, {base}, self.terms.power(inside, exponent))
                for other in other_sums(self, {inner: own for own, inner in base.parts}):
                    yield simpler_product(self, self._replaced(term, {base}, self.terms.power(self.terms.sum_of(other), exponent)))
        yield from self._cancelled(term, sums)
        if self.finishing:
            logistic = logistic_product(self, term, False)
            if logistic is not None:
                yield logistic
            yield from self._balanced(term, sums)
        yield from self._joined(term, [(base, exponent) for base, exponent in sums if self.finishing or exponent < 2])
        if any(exponent > 0 and exponent.denominator == 1 for _, exponent in sums):
            numerator = {
                base: exponent
                for base, exponent in node.parts
                if (base.kind == SUM and _is_expandable(base, exponent)) or (not isinstance(exponent, Term) and exponent > 0)
            }
            repeated = any(base.kind == SUM and exponent != 1 for base, exponent in numerator.items())
            if len(numerator) > 1 and not repeated:
                total = self._no_longer(numerator)
                if total is not None:
                    yield self._replaced(term, set(numerator), total)

    def _divisors(self, node: Node) -> set[Node]:
        """What stands below the line."""
        return {base for base, exponent in self.terms.factors(node) if not isinstance(exponent, Term) and exponent < 0}

    def _contents(self, base: Node) -> list[Term]:
        """A sum with its common factors taken out, and over one denominator, if that is something else."""
        if base not in self._factored:
            parts = {node: coefficient for coefficient, node in base.parts}
            forms = (self.factored(parts, False), self.factored(parts, True))
            self._factored[base] = [form for form in forms if form is not None]
        return self._factored[base]

    def _replaced(self, term: Term, gone: set[Node], by: Term) -> Term:
        """A product with some of its factors replaced."""
        kept = {base: exponent for base, exponent in term.node.parts if base not in gone}
        return self.terms.times(self.terms.monomial(term.coefficient, kept), by)

    def _cancelled(self, term: Term, sums: Sequence[tuple[Node, Rational]]) -> Iterator[Term]:
        """Sums above the line divided by sums below it, where that leaves nothing over."""
        for above, exponent in sums:
            if exponent != 1 or above.mirror is not None:
                continue
            parts = {node: coefficient for coefficient, node in above.parts}
            parts = self.expanded(parts) or parts
            for below, own in sums:
                if own < 0 and own.denominator == 1:
                    quotient = self.divided(parts, below)
                    if quotient is not None:
                        value = self.terms.times(self.terms.sum_of(quotient), Term(1, below))
                        yield self._replaced(term, {above}, value)

    def _balanced(self, term: Term, sums: Sequence[tuple[Node, Rational]]) -> Iterator[Term]:
        """An exponential above the line drawn into a sum below it: exp(-u)/(1 + exp(-u)) is 1/(exp(u) + 1)."""
        terms = self.terms
        exponent = dict(term.node.parts).get(terms.e)
        if not isinstance(exponent, Term):
            return
        for base, own in sums:
            if own == -1 and len(base.parts) <= JOINED_TERMS:
                inverse = terms.monomial(1, {terms.e: _negative(exponent)})
                total = terms.sum_of(self._times_sum({inverse.node: inverse.coefficient}, base) or {})
                kept = {other: power for other, power in term.node.parts if other is not base and other is not terms.e}
                yield terms.times(terms.monomial(term.coefficient, kept), terms.power(total, -1))

    def _joined(self, term: Term, sums: Sequence[tuple[Node, Rational]]) -> Iterator[Term]:
        """Two sums with the same exponent multiplied out: (x - 1)*(x + 1) is x^2 - 1."""
        for place, (first, exponent) in enumerate(sums):
            for second, own in sums[:place]:
                if own == exponent and first.shape == second.shape and len(first.parts) * len(second.parts) <= JOINED_TERMS:
                    total = self._no_longer({first: 1, second: 1})
                    if total is not None:
                        yield self._replaced(term, {first, second}, self.terms.power(total, exponent))

    def _no_longer(self, powers: Mapping[Node, Exponent]) -> Term | None:
        """A product multiplied out, if that has no more terms than its longest factor; else what sums have in common were lost."""
        pieces = self.multiplied_out(self.terms.product_of(powers.items()))
        if pieces is None:
            return None
        pieces = simpler_sum(self, {node: coefficient for node, coefficient in pieces.items() if coefficient})
        sums = [base for base in powers if base.kind == SUM]
        if len(pieces) > max(len(base.parts) for base in sums):
            return None
        total = self.terms.sum_of(pieces)
        return total if len(sums) > 1 or self.terms.size(total) <= sums[0].size else None

    def _joined_roots(self, term: Term) -> Iterator[Term]:
        """Roots of one order under one sign: sqrt(a)*sqrt(b) is sqrt(a*b) where both are defined."""
        groups: dict[Rational, list[Node]] = {}
        for base, exponent in term.node.parts:
            if not isinstance(exponent, Term) and exponent.denominator != 1:
                groups.setdefault(abs(exponent), []).append(base)
        for exponent, bases in groups.items():
            if len(bases) > 1:
                signs = dict(term.node.parts)
                if all(signs[base] < 0 for base in bases):
                    exponent, signs = -exponent, dict.fromkeys(bases, 1)
                joined = self.product(1, [(Term(1, base), 1 if signs[base] > 0 else -1) for base in bases])
                if joined.coefficient > 0 and all(base.kind != FUNCTION or base.name != "where" for base in bases):
                    yield self._replaced(term, set(bases), self.terms.power(joined, exponent))


def _negative(exponent: Exponent) -> Exponent:
    return Term(-exponent.coefficient, exponent.node) if isinstance(exponent, Term) else -exponent


def _is_expandable(base: Node, exponent: Exponent) -> bool:
    return (
        base.kind == SUM
        and not isinstance(exponent, Term)
        and exponent.denominator == 1
        and 0 < exponent <= MOST_SUMS
        and len(base.parts) <= FLATTENED
    )


def _has_symbolic_power(node: Node) -> bool:
    return node.kind == PRODUCT and any(isinstance(exponent, Term) for _, exponent in node.parts)


def _shares_much(node: Node) -> bool:
    """Whether the terms of a sum are easier to read without what stands before it, where that is as short.

    That is so where much stands there, such as x^x or k*q, and where the terms are long and then free of it.
    """
    if node.kind != PRODUCT or any(not isinstance(exponent, Term) and exponent < 0 for _, exponent in node.parts):
        return False
    shared = [base for base, _ in node.parts if base.kind != SUM]
    if _has_symbolic_power(node) or len(shared) > 1:
        return True
    sums = [base for base, _ in node.parts if base.kind == SUM]
    inside = {base for total in sums for _, part in total.parts if part.kind == PRODUCT for base, _ in part.parts}
    return node.size > SHORT_PRODUCT and inside.isdisjoint(shared)


def _has_repeated_sum(node: Node) -> bool:
    """Whether a product has a power of a sum as a factor, which multiplied out would lose its digits near 0."""
    return node.kind == PRODUCT and any(
        base.kind == SUM and _is_expandable(base, exponent) and exponent != 1 for base, exponent in node.parts
    )


def _is_longer_sum(node: Node, collected: Collected) -> bool:
    return node.kind == SUM and len(node.parts) > len(collected)


def _is_power(node: Node) -> bool:
    """Whether a node is an input, a whole power of one, or 1."""
    if node.kind == PRODUCT and len(node.parts) == 1:
        base, exponent = node.parts[0]
        return base.kind == SYMBOL and not isinstance(exponent, Term) and exponent.denominator == 1 and exponent > 0
    return node.kind == SYMBOL or (node.kind == PRODUCT and not node.parts)


def _has_sums(node: Node) -> bool:
    if node.kind == SUM:
        return len(node.parts) <= FLATTENED
    return node.kind == PRODUCT and any(_is_expandable(base, exponent) for base, exponent in node.parts)
