"""Rules for gates on arrays: repetitions that broadcasting makes anyway, sums, products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from gradcalc.calculus.simplify.nodes import FUNCTION, PRODUCT, SUM, Node, Rational, Term
from gradcalc.calculus.simplify.terms import Terms
from gradcalc.gates.linear_algebra import spreads
from gradcalc.gates.record import REGISTRY, Gate, Shape
from gradcalc.gates.reductions import reduced_shape
from gradcalc.graph import Attributes

if TYPE_CHECKING:
    from gradcalc.calculus.simplify.search import Collected, Search

Arguments = Sequence[Term]

SMALL_ARRAY = 16
"""Up to so many elements an array is written out, element by element."""


# ---- repetitions -----------------------------------------------------------------------------------------------------------------


def unspread(terms: Terms, term: Term) -> Term:
    """A term without repetitions, and without axes in front that broadcasting adds by itself."""
    while term.node.kind == FUNCTION:
        name = term.node.name
        inner: Term
        if name == "broadcast_to":
            inner = term.node.parts[0]
        elif name in ("ones", "zeros"):
            inner = Term(int(name == "ones"), terms.one)
        elif name in _REDUCTIONS and term.node.shape and set(term.node.shape) == {1} and dict(term.node.attributes).get("keepdims"):
            inner = _without_axes(terms, term.node)
        elif name == "reshape" and _is_spread(term.node.parts[0].node.shape, term.node.shape):
            inner = term.node.parts[0]
        else:
            break
        term = Term(term.coefficient * inner.coefficient, inner.node)
    return term


_REDUCTIONS = frozenset(("sum", "mean", "prod", "max", "min", "norm", "logsumexp", "var", "std"))


def _without_axes(terms: Terms, node: Node) -> Term:
    """A reduction to one number as a number."""
    assert node.gate is not None
    attributes = tuple(
        (name, False if name == "keepdims" else None if name == "axis" else value) for name, value in node.attributes
    )
    return Term(1, terms.function(node.gate, attributes, node.parts, ()))


def _is_spread(inner: Shape, outer: Shape) -> bool:
    """Whether a shape is another with axes of one element in front."""
    extra = len(outer) - len(inner)
    return extra >= 0 and outer[extra:] == inner and all(size == 1 for size in outer[:extra])


def spread(search: Search, value: Term, shape: Shape) -> Term:
    """A term repeated to a shape."""
    terms = search.terms
    value = unspread(terms, value)
    if value.node.shape == shape:
        return value
    sizes = [Term(size, terms.one) for size in shape]
    if value.node is terms.one:
        node = terms.function(_gate("ones" if value.coefficient else "zeros", len(shape)), (), sizes, shape)
        return Term(value.coefficient or 1, node)
    node = terms.function(_gate("broadcast_to", len(shape) + 1), (), [Term(1, value.node), *sizes], shape)
    return Term(value.coefficient, node)


def _gate(name: str, count: int) -> Gate:
    gate = REGISTRY.find(name, count)
    assert gate is not None
    return gate


def constant_of(search: Search, term: Term) -> Term | None:
    """The number of which an array is made that has only one, or None."""
    plain = unspread(search.terms, term)
    return plain if not plain.node.shape else None


# ---- gates -----------------------------------------------------------------------------------------------------------------------


def _linear(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """A number before a linear gate instead of inside it."""
    first, *others = arguments
    if first.coefficient in (0, 1) or first.node is search.terms.one:
        return None
    inner = apply(search, gate, attributes, [Term(1, first.node), *others], shape)
    return Term(first.coefficient * inner.coefficient, inner.node)


def _broadcast(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    return spread(search, arguments[0], shape)


def _ones(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """Made by the user: the same as a repeated number."""
    return spread(search, Term(int(gate.name == "ones"), search.terms.one), shape) if shape else None


def _sum_to(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    value = arguments[0]
    own = value.node.shape
    if own == shape:
        return value
    plain = unspread(search.terms, value)
    if plain.node.shape != own and spreads(plain.node.shape, shape):
        repeated = prod(own) // max(prod(shape), 1)
        return spread(search, Term(plain.coefficient * repeated, plain.node), shape)
    extra = len(own) - len(shape)
    squeezed = tuple(extra + place for place, size in enumerate(shape) if size == 1 and own[extra + place] != 1)
    axes = (*range(extra), *squeezed)
    if extra and squeezed:
        return None
    return _sum(search, value, axes, bool(squeezed), shape)


def _sum(search: Search, value: Term, axes: tuple[int, ...], keepdims: bool, shape: Shape) -> Term:
    rank = len(value.node.shape)
    axis = None if len(axes) == rank else axes[0] if len(axes) == 1 else axes
    attributes = (("axis", axis), ("keepdims", keepdims))
    return apply(search, _gate("sum", 1), attributes, [value], shape)


def _summed(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """A sum of equal numbers is a product; numbers that all elements share stand before the sum."""
    (value,) = arguments
    terms = search.terms
    own = value.node.shape
    plain = constant_of(search, value)
    if plain is not None:
        count = prod(own) // max(prod(shape), 1)
        factor = count if gate.name == "sum" else 1
        result = Term(plain.coefficient * factor, plain.node)
        return spread(search, result, shape) if shape else result
    if value.node.kind == PRODUCT:
        outside = {base: exponent for base, exponent in value.node.parts if not base.shape and _scalar_exponent(exponent)}
        if outside:
            inside = {base: exponent for base, exponent in value.node.parts if base not in outside}
            inner = apply(search, gate, attributes, [_fit(search, terms.monomial(1, inside), own)], shape)
            return terms.times(terms.monomial(value.coefficient, outside), inner)
    if value.node.kind == SUM and any(not node.shape for _, node in value.node.parts):
        return _summed_apart(search, gate, attributes, value, shape)
    if gate.name == "sum":
        mean = terms.known_function(_gate("mean", 1), attributes, (Term(1, value.node),))
        if mean is not None:
            return Term(value.coefficient * (prod(own) // max(prod(shape), 1)), mean)
    return _linear(search, gate, attributes, arguments, shape)


def _summed_apart(search: Search, gate: Gate, attributes: Attributes, value: Term, shape: Shape) -> Term:
    """Numbers that are added to every element are taken out of the sum."""
    own = value.node.shape
    count = prod(own) // max(prod(shape), 1) if gate.name == "sum" else 1
    outside = [Term(value.coefficient * coefficient * count, node) for coefficient, node in value.node.parts if not node.shape]
    inside = search.sum([Term(value.coefficient * coefficient, node) for coefficient, node in value.node.parts if node.shape])
    inner = apply(search, gate, attributes, [_fit(search, inside, own)], shape)
    return _fit(search, search.sum([*outside, inner]), shape)


def _scalar_exponent(exponent: object) -> bool:
    return not isinstance(exponent, Term) or not exponent.node.shape


def _fit(search: Search, value: Term, shape: Shape) -> Term:
    return value if value.node.shape == shape else spread(search, value, shape)


def _reshape(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    value = arguments[0]
    if value.node.shape == shape:
        return value
    plain = constant_of(search, value)
    if plain is not None:
        return spread(search, plain, shape)
    if value.node.name == "sum" and dict(value.node.attributes)["keepdims"]:
        axes = dict(value.node.attributes)["axis"]
        inner = value.node.parts[0]
        kept = reduced_shape(inner.node.shape, axis=axes, keepdims=False)
        if kept == shape:
            scale = value.coefficient * inner.coefficient
            made = apply(search, _gate("sum", 1), (("axis", axes), ("keepdims", False)), [Term(1, inner.node)], shape)
            return Term(scale * made.coefficient, made.node)
    if value.node.name == "reshape":
        inner = value.node.parts[0]
        sizes = [Term(size, search.terms.one) for size in shape]
        return apply(
            search, _gate("reshape", len(shape) + 1), (), [Term(value.coefficient * inner.coefficient, inner.node), *sizes], shape
        )
    return _linear(search, gate, attributes, arguments, shape)


def reshaped(search: Search, value: Term, shape: Shape) -> Term:
    """A term in another shape."""
    sizes = [Term(size, search.terms.one) for size in shape]
    return apply(search, _gate("reshape", len(shape) + 1), (), [value, *sizes], shape)


def _transpose(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    (value,) = arguments
    own = value.node.shape
    if len(own) < 2:
        return value
    plain = constant_of(search, value)
    if plain is not None:
        return spread(search, plain, shape)
    if dict(attributes)["axes"] is None and len(own) == 2:
        if value.node.name == "transpose" and dict(value.node.attributes)["axes"] is None:
            inner = value.node.parts[0]
            return Term(value.coefficient * inner.coefficient, inner.node)
        vector = _vector(search, value)
        if vector is not None:
            return reshaped(search, vector, shape)
        if value.node.name == "eye":
            return Term(value.coefficient, search.terms.function(value.node.gate or gate, (), value.node.parts[::-1], shape))
        if value.node.name == "@":
            turned = _turned_product(search, gate, attributes, value.node)
            if turned is not None:
                return Term(value.coefficient * turned.coefficient, turned.node)
    return _linear(search, gate, attributes, arguments, shape)


def _turned_product(search: Search, gate: Gate, attributes: Attributes, product: Node) -> Term | None:
    """(A @ B.T).T as B @ A.T, where that is shorter."""
    first, second = product.parts
    if len(first.node.shape) != 2 or len(second.node.shape) != 2:
        return None
    turned = [apply(search, gate, attributes, [part], part.node.shape[::-1]) for part in (second, first)]
    assert product.gate is not None
    made = apply(search, product.gate, (), turned, product.shape[::-1])
    plain = search.terms.function(gate, attributes, [Term(1, product)], product.shape[::-1])
    return made if search.terms.size(made) < plain.size else None


def _vector(search: Search, value: Term) -> Term | None:
    """The vector that a matrix of one row or one column is made of."""
    shape = value.node.shape
    if len(shape) != 2 or 1 not in shape:
        return None
    if value.node.name == "reshape" and len(value.node.parts[0].node.shape) == 1:
        inner = value.node.parts[0]
        return Term(value.coefficient * inner.coefficient, inner.node)
    plain = constant_of(search, value)
    return spread(search, plain, (max(shape),)) if plain is not None else None


def _matrix_product(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """Rows and columns that were made of vectors are vectors again, where the product is one of vectors."""
    first, second = arguments
    terms = search.terms
    if first.coefficient != 1 or second.coefficient != 1:
        if not first.coefficient or not second.coefficient:
            return None
        inner = apply(search, gate, attributes, [Term(1, first.node), Term(1, second.node)], shape)
        return Term(first.coefficient * second.coefficient * inner.coefficient, inner.node)
    a, b = first.node.shape, second.node.shape
    for identity, other in ((first, second), (second, first)):
        if identity.node.name == "eye" and identity.node.shape[0] == identity.node.shape[1]:
            return _fit(search, other, shape)
    if len(a) == 1 and second.node.name == "transpose" and dict(second.node.attributes)["axes"] is None and len(b) == 2:
        matrix = second.node.parts[0]
        made = apply(search, gate, attributes, [Term(1, matrix.node), first], shape)
        return Term(matrix.coefficient * made.coefficient, made.node)
    if len(a) != 2 or len(b) != 2:
        return None
    if a == (1, 1) or b == (1, 1):
        number, other = (first, second) if a == (1, 1) else (second, first)
        single = unspread(terms, number)
        if not single.node.shape:
            return _fit(search, terms.times(single, other), shape)
    if a[1] == 1 and b[0] == 1:
        column, row = _vector(search, first), _vector(search, second)
        if column is not None and row is not None:
            return apply(search, _gate("outer", 2), (), [column, row], shape)
    if a[0] == 1:
        row = _vector(search, first)
        if row is not None:
            return reshaped(search, apply(search, gate, attributes, [row, second], (b[1],)), shape)
    if b[1] == 1:
        column = _vector(search, second)
        if column is not None:
            return reshaped(search, apply(search, gate, attributes, [first, column], (a[0],)), shape)
    return None


def joined_matrix_products(search: Search, collected: Collected) -> Collected:
    """A @ u - A @ v is A @ (u - v), and likewise on the other side."""
    for side in (0, 1):
        groups: dict[Any, list[Node]] = {}
        for node in collected:
            if node.name == "@":
                groups.setdefault((node.parts[side], node.parts[1 - side].node.shape), []).append(node)
        for (shared, _), nodes in groups.items():
            if len(nodes) < 2:
                continue
            gate, inner = nodes[0].gate, nodes[0].parts[1 - side].node.shape
            assert gate is not None
            others = [_times(collected[node], node.parts[1 - side]) for node in nodes]
            total = _fit(search, search.sum(others), inner)
            both = [total, shared] if side else [shared, total]
            made = apply(search, gate, (), both, nodes[0].shape)
            collected = {node: own for node, own in collected.items() if node not in nodes}
            for coefficient, node in search.terms.terms_of(_fit(search, made, nodes[0].shape)):
                collected[node] = collected.get(node, 0) + coefficient
    return collected


def _times(factor: Rational, term: Term) -> Term:
    return Term(factor * term.coefficient, term.node)


def _outer(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    first, second = arguments
    scale = first.coefficient * second.coefficient
    if scale in (0, 1):
        return None
    inner = apply(search, gate, attributes, [Term(1, first.node), Term(1, second.node)], shape)
    return Term(scale * inner.coefficient, inner.node)


def _index(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    (value,) = arguments
    plain = constant_of(search, value)
    if plain is not None:
        return spread(search, plain, shape) if shape else plain
    index = dict(attributes)["index"]
    if value.node.name == "stack" and dict(value.node.attributes)["axis"] == 0 and index and isinstance(index[0], int):
        part = value.node.parts[index[0]]
        part = Term(value.coefficient * part.coefficient, part.node)
        if len(index) == 1:
            return _fit(search, part, shape)
        return apply(search, gate, (("index", index[1:]),), [_fit(search, part, value.node.shape[1:])], shape)
    return _linear(search, gate, attributes, arguments, shape)


def _moved(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """Where all elements are equal, their places are no matter."""
    plain = constant_of(search, arguments[0])
    return spread(search, plain, shape) if plain is not None else _linear(search, gate, attributes, arguments, shape)


def _scatter(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term | None:
    """A number put into a small array of zeros, as that array: [0, x, 0]."""
    value = arguments[0]
    index = dict(attributes)["index"]
    if (
        value.node.shape
        or prod(shape) > SMALL_ARRAY
        or len(index) != len(shape)
        or not all(isinstance(place, int) for place in index)
    ):
        return _linear(search, gate, attributes, arguments, shape)
    return _written_out(search, value, [place % size for place, size in zip(index, shape)], shape)


def _written_out(search: Search, value: Term, index: Sequence[int], shape: Shape) -> Term:
    if not shape:
        return value
    inner = _written_out(search, value, index[1:], shape[1:])
    zero = spread(search, search.terms.zero, shape[1:]) if shape[1:] else search.terms.zero
    parts = [inner if place == index[0] else zero for place in range(shape[0])]
    return Term(1, search.terms.function(_gate("stack", len(parts)), (("axis", 0),), parts, shape))


def joined_stacks(search: Search, nodes: Sequence[tuple[Rational, Node]]) -> Term:
    """A sum of arrays that are written out, element by element."""
    first = nodes[0][1]
    assert first.gate is not None
    parts = []
    for place in range(len(first.parts)):
        pieces = [Term(own * node.parts[place].coefficient, node.parts[place].node) for own, node in nodes]
        plain = [unspread(search.terms, piece) for piece in pieces]
        parts.append(_fit(search, search.sum(plain), first.shape[1:]) if first.shape[1:] else search.sum(plain))
    return Term(1, search.terms.function(first.gate, first.attributes, parts, first.shape))


ArrayRule = Callable[["Search", Gate, Attributes, Arguments, Shape], Term | None]

ARRAY_RULES: dict[str, ArrayRule] = {
    "broadcast_to": _broadcast,
    "ones": _ones,
    "zeros": _ones,
    "sum_to": _sum_to,
    "sum": _summed,
    "mean": _summed,
    "reshape": _reshape,
    "transpose": _transpose,
    "@": _matrix_product,
    "outer": _outer,
    "[]": _index,
    "flip": _moved,
    "take_along_axis": _moved,
    "scatter": _scatter,
    **dict.fromkeys(("cumsum", "squeeze", "expand_dims", "flatten", "trace"), _linear),
}


def apply(search: Search, gate: Gate, attributes: Attributes, arguments: Arguments, shape: Shape) -> Term:
    """A gate on terms with what is known about arrays put to use."""
    rule = ARRAY_RULES.get(gate.name)
    known = rule(search, gate, attributes, arguments, shape) if rule is not None else None
    return known if known is not None else Term(1, search.terms.function(gate, attributes, arguments, shape))
