"""Gates that make few numbers of many."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.algebra import cumulative, differs, equals, exp, log, sign, sqrt, square, total, where
from gradcalc.gates.record import Attribute, Shape, Where, gate, trial

FAMILY = "reductions"

REDUCTION_ATTRIBUTES = (Attribute("axis", "axis", None), Attribute("keepdims", "flag", False))


def reduced_axes(shape: Shape, axis: Any) -> tuple[int, ...]:
    """The axes that a reduction runs over, from 0; ValueError where the array has no such axis."""
    if axis is None:
        return tuple(range(len(shape)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    found = []
    for one in axes:
        if not -len(shape) <= one < len(shape):
            raise ValueError(f"axis {one} does not exist in {f'shape {spell_shape(shape)}' if shape else 'a number'}")
        found.append(one % len(shape))
    if len(set(found)) < len(found):
        raise ValueError("an axis is given twice")
    return tuple(found)


def single_axis(shape: Shape, axis: Any) -> int:
    """The one axis that a gate runs along, from 0; ValueError where the array has no such axis."""
    if isinstance(axis, tuple):
        raise ValueError(f"one axis is needed, not {list(axis)}")
    return reduced_axes(shape, axis)[0]


def spell_shape(shape: Shape) -> str:
    """A shape as people write it: `2×3`, `5`, `a number`."""
    return "×".join(map(str, shape)) if shape else "a number"


def reduced_shape(shape: Shape, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Shape:
    """The shape of a reduction's result."""
    axes = reduced_axes(shape, axis)
    if keepdims:
        return tuple(1 if number in axes else size for number, size in enumerate(shape))
    return tuple(size for number, size in enumerate(shape) if number not in axes)


def spread(g: Any, shape: Shape, axis: Any) -> Any:
    """A reduced gradient, spread out again over the axes that were reduced."""
    kept = reduced_shape(shape, axis=axis, keepdims=True)
    return g.reshape(kept).broadcast_to(shape)


def element_count(shape: Shape, axis: Any) -> int:
    """How many elements each result of a reduction is made from."""
    count = 1
    for number in reduced_axes(shape, axis):
        count *= shape[number]
    return count


def over(gate: str, x: Any, axis: Any, **attributes: Any) -> Any:
    """A reduction of a term, spread out again so that it fits the term."""
    return x.apply(gate, axis=axis, keepdims=True, **attributes).broadcast_to(x.shape)


TRIALS = (
    trial((4,)),
    trial((2, 3)),
    trial((2, 3), axis=0),
    trial((2, 3), axis=-1, keepdims=True),
    trial((2, 2, 3), axis=(0, 2)),
    trial((2, 3), keepdims=True),
    trial((1,)),
    trial(()),
)
"""What every reduction is tried on."""


def _sum_axes(x: Shape, axis: Any, keepdims: bool) -> tuple[tuple[Any, ...], ...]:
    axes = reduced_axes(x, axis)
    own = tuple(("sum", number) if number in axes else number for number in range(len(x)))
    return own, tuple(None if number in axes else number for number in range(len(x)) if keepdims or number not in axes)


gate(
    "sum",
    "sum of the elements",
    family=FAMILY,
    sentence="Hands the gradient on, unchanged, to every element.",
    attributes=REDUCTION_ATTRIBUTES,
    array=lambda np, x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    along=_sum_axes,
    pullback=lambda g, y, x, axis, keepdims: (spread(g, x.shape, axis),),
    analytic=True,
    linear=True,
    trials=TRIALS,
    example="sum(x) --x [1,2,3]",
)
gate(
    "mean",
    "mean of the elements",
    family=FAMILY,
    sentence="Hands an equal part of the gradient to every element.",
    attributes=REDUCTION_ATTRIBUTES,
    array=lambda np, x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims) / element_count(np.shape(x), axis),
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, keepdims: (spread(g / float(element_count(x.shape, axis)), x.shape, axis),),
    analytic=True,
    linear=True,
    trials=TRIALS,
    formula="sum(x, axis=axis, keepdims=keepdims)/size(x, axis=axis)",
    steps=lambda x, axis, keepdims: total(x, axis=axis, keepdims=keepdims) / float(element_count(x.shape, axis)),
    example="mean(x) --x [1,2,3]",
)


def _rows(np: Any, x: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The array with the reduced axes moved behind the others and joined to one; the order of its axes, and their shape."""
    axes = reduced_axes(np.shape(x), axis)
    order = (*(number for number in range(np.ndim(x)) if number not in axes), *axes)
    moved = np.transpose(x, order)
    kept = moved.shape[: moved.ndim - len(axes)]
    return moved.reshape((*kept, element_count(np.shape(x), axis))), order, moved.shape


def _kept_shape(x: Shape, *, axis: Any) -> Shape:
    reduced_axes(x, axis)
    return x


def product_of_others(np: Any, x: Any, axis: Any) -> Any:
    """For each element the product of all others, without a division: what stands before it times what stands behind it."""
    rows, order, shape = _rows(np, x, axis)
    before, behind = np.ones_like(rows), np.ones_like(rows)
    np.cumprod(rows[..., :-1], axis=-1, out=before[..., 1:])
    behind[..., :-1] = np.cumprod(rows[..., :0:-1], axis=-1)[..., ::-1]
    return np.transpose((before * behind).reshape(shape), np.argsort(order) if order else ())


def _product_of_others_pullback(g: Any, y: Any, x: Any, axis: Any) -> tuple[Any]:
    """Each element once more in a row of its own in which it is 1: then the answers are the products of the rows."""
    axes = reduced_axes(x.shape, axis)
    count = element_count(x.shape, axis)
    order = (*(number for number in range(len(x.shape)) if number not in axes), *axes)
    back = tuple(order.index(number) for number in range(len(order)))
    moved = tuple(x.shape[number] for number in order)
    kept = moved[: len(moved) - len(axes)]

    def rows(term: Any) -> Any:
        return (term.apply("transpose", axes=order) if order else term).reshape((*kept, count))

    own = x.make("eye", float(count)).apply("==", 1.0)
    grid = where(own, 1.0, rows(x).reshape((*kept, 1, count)).broadcast_to((*kept, count, count)))
    by_grid = rows(g).reshape((*kept, count, 1)) * grid.apply("product_of_others", axis=-1)
    by_rows = total(where(own, 0.0, by_grid), axis=-2, keepdims=False).reshape(moved)
    return (by_rows.apply("transpose", axes=back) if order else by_rows.reshape(x.shape),)


gate(
    "prod",
    "product of the elements",
    family=FAMILY,
    sentence="Hands to every element the gradient times the product of all others.",
    attributes=REDUCTION_ATTRIBUTES,
    array=lambda np, x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, keepdims: (spread(g, x.shape, axis) * x.apply("product_of_others", axis=axis),),
    analytic=True,
    trials=TRIALS,
    spelled={"torch": "prod({0}, {axes}, keepdims={keepdims})"},
    example="prod(x) --x [2,3,4]",
)
gate(
    "product_of_others",
    "for each element the product of all others",
    family=FAMILY,
    sentence="Hands to every element the products of all but two.",
    attributes=(Attribute("axis", "axis", None),),
    array=product_of_others,
    shape=_kept_shape,
    pullback=_product_of_others_pullback,
    analytic=True,
    trials=(trial((4,)), trial((2, 3), axis=0), trial((2, 2, 2), axis=(0, 2)), trial((2, 2)), trial((1,)), trial(())),
    spelled={"torch": "product_of_others({0}, {axes})"},
    example="product_of_others(x) --x [2,0,4]",
)

SPREAD_ATTRIBUTES = (Attribute("axis", "axis", None), Attribute("ddof", "number", 0.0), Attribute("keepdims", "flag", False))
SPREAD_TRIALS = (
    trial((4,)),
    trial((2, 3)),
    trial((2, 3), axis=0),
    trial((2, 3), axis=1, ddof=1.0, keepdims=True),
    trial((2, 2, 3), axis=(0, 2), ddof=1.0),
)


def _freedom(shape: Shape, axis: Any, ddof: float) -> float:
    return max(element_count(shape, axis) - ddof, 0.0)


def _centred(x: Any, axis: Any) -> Any:
    return x - over("mean", x, axis)


def _variance(np: Any, x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    x = np.asarray(x)
    centred = x - np.sum(x, axis=axis, keepdims=True) / element_count(np.shape(x), axis) if x.size else x
    # NumPy's sums of nothing, but without its warnings.
    return np.divide(np.sum(centred * centred, axis=axis, keepdims=keepdims), _freedom(np.shape(x), axis, ddof))


def _variance_steps(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    centred = x - x.apply("mean", axis=axis, keepdims=True)
    return total(square(centred), axis=axis, keepdims=keepdims) / _freedom(x.shape, axis, ddof)


gate(
    "var",
    "variance of the elements",
    family=FAMILY,
    sentence="Hands to every element its distance from the mean, times 2/(n - ddof).",
    attributes=SPREAD_ATTRIBUTES,
    array=_variance,
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, ddof, keepdims: (
        spread(g, x.shape, axis) * (2.0 * _centred(x, axis) / _freedom(x.shape, axis, ddof)),
    ),
    analytic=True,
    trials=SPREAD_TRIALS,
    formula="sum(square(x - mean(x, axis=axis, keepdims=true)), axis=axis, keepdims=keepdims)/(size(x, axis=axis) - ddof)",
    steps=_variance_steps,
    spelled={"numpy": "{np}.var({0}{along}, ddof={ddof})", "torch": "torch.var({0}{along}, correction={ddof})"},
    example="var(x) --x [1,2,4]",
)


def _where_not_zero(g: Any, y: Any) -> Any:
    """The gradient divided by the result, and none where the result is 0."""
    return g.only(differs(y, 0.0), 1.0 / y)


gate(
    "std",
    "standard deviation of the elements",
    family=FAMILY,
    sentence="Hands to every element its distance from the mean, divided by (n - ddof) and by the standard deviation.",
    attributes=SPREAD_ATTRIBUTES,
    array=lambda np, x, axis, ddof, keepdims: np.sqrt(_variance(np, x, axis, ddof, keepdims)),
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, ddof, keepdims: (
        spread(_where_not_zero(g, y), x.shape, axis) * (_centred(x, axis) / _freedom(x.shape, axis, ddof)),
    ),
    kinks=Where(
        "all elements are equal: gradient 0",
        lambda x, axis, ddof, keepdims: x.max(axis=axis, initial=-math.inf) == x.min(axis=axis, initial=math.inf),
    ),
    analytic=True,
    trials=SPREAD_TRIALS,
    formula="sqrt(var(x, axis=axis, ddof=ddof, keepdims=keepdims))",
    steps=lambda x, axis, ddof, keepdims: sqrt(_variance_steps(x, axis, ddof, keepdims)),
    spelled={"numpy": "{np}.std({0}{along}, ddof={ddof})", "torch": "torch.std({0}{along}, correction={ddof})"},
    example="std(x) --x [1,2,4]",
)


def _norm(np: Any, x: Any, ord: float, axis: Any, keepdims: bool) -> Any:
    sizes = np.abs(np.real(x))
    if ord == math.inf:
        return np.max(sizes, axis=axis, keepdims=keepdims, initial=0.0)
    if ord == 1:
        return np.sum(x * np.sign(np.real(x)), axis=axis, keepdims=keepdims)

    def plain(x: Any) -> Any:
        if ord == 2:
            return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
        return np.sum((x * np.sign(np.real(x))) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)

    largest = np.max(sizes, axis=axis, keepdims=True, initial=0.0)
    bound = 10.0 ** (-150.0 / ord)
    extreme = (largest > 0) & np.isfinite(largest) & ((largest < bound) | (largest > 1.0 / bound))
    if not np.any(extreme):
        return plain(x)
    # The powers would overflow or vanish: take them of numbers about 1.
    scale = np.where(extreme, largest, 1.0)
    return plain(x / scale) * scale.reshape(reduced_shape(np.shape(x), axis=axis, keepdims=keepdims))


def _norm_shape(x: Shape, *, ord: float, axis: Any, keepdims: bool) -> Shape:
    if not ord >= 1:
        raise ValueError(f"ord must be 1, 2, inf or another number of at least 1, not {ord:g}")
    return reduced_shape(x, axis=axis, keepdims=keepdims)


def _norm_pullback(g: Any, y: Any, x: Any, ord: float, axis: Any, keepdims: bool) -> tuple[Any]:
    if ord == 2:
        return (spread(_where_not_zero(g, y), x.shape, axis) * x,)
    above = spread(g, x.shape, axis)
    if ord == 1:
        return (above * sign(x),)
    size, whole = x.apply("abs"), spread(y, x.shape, axis)
    if ord == math.inf:
        largest = equals(size, whole)
        return ((above / over("sum", largest, axis)).only(largest, sign(x)),)
    return (above.only(differs(whole, 0.0), sign(x) * (size / whole) ** (ord - 1.0)),)


def _norm_kinks(x: Any, ord: float, axis: Any, keepdims: bool) -> Any:
    sizes = abs(x)
    if ord == 1:
        return sizes == 0
    largest = sizes.max(axis=axis, keepdims=True, initial=0.0)
    ties = (sizes == largest).sum(axis=axis) > 1
    return (largest == 0).any() | (ties if ord == math.inf else False)


gate(
    "norm",
    "length of a vector",
    family=FAMILY,
    sentence="Hands to every element the gradient times its share of the length, `x/norm(x)`; 0 where the length is 0.",
    attributes=(Attribute("ord", "number", 2.0), *REDUCTION_ATTRIBUTES),
    array=_norm,
    shape=_norm_shape,
    pullback=_norm_pullback,
    kinks=Where("all elements are 0 (with ord=1, any; with ord=inf, ties): gradient 0, or equal shares", _norm_kinks),
    trials=(
        trial((4,)),
        trial((2, 3), axis=1),
        trial((2, 3), ord=1.0, axis=0, keepdims=True),
        trial((2, 3), ord=math.inf, axis=(0, 1)),
        trial((2, 3), ord=3.0),
        trial((2, 3), ord=1.5, axis=0),
        trial(()),
    ),
    formula="sqrt(sum(square(x), axis=axis, keepdims=keepdims))",
    variant=lambda ord, axis, keepdims: (
        "sqrt(sum(square(x), axis=axis, keepdims=keepdims))"
        if ord == 2
        else "sum(abs(x), axis=axis, keepdims=keepdims)"
        if ord == 1
        else "max(abs(x), axis=axis, keepdims=keepdims)"
        if ord == math.inf
        else "sum(abs(x)^ord, axis=axis, keepdims=keepdims)^(1/ord)"
    ),
    example="norm(x) --x [3,4]",
)


def logsumexp(np: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """log(sum(exp(x))), where the largest of the elements is taken out, so that nothing overflows."""
    largest = np.max(np.real(x), axis=axis, keepdims=True, initial=-math.inf)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    result = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return result.reshape(reduced_shape(np.shape(x), axis=axis, keepdims=keepdims))


def exponentials(x: Any, axis: Any) -> tuple[Any, Any, Any]:
    """The largest element, exp(x - largest), and their sum, which softmax, its logarithm and their derivatives share."""
    largest = x.apply("max", axis=axis, keepdims=True)
    powers = exp(x - largest)
    return largest, powers, total(powers, axis=axis, keepdims=True)


def logsumexp_steps(x: Any, axis: Any) -> Any:
    """log(sum(exp(x))) with the reduced axes kept; if the largest element is infinite, it is the answer."""
    largest, _, whole = exponentials(x, axis)
    result = log(whole) + largest
    return where(equals(result, result), result, largest)


gate(
    "logsumexp",
    "log of the sum of the exponentials, without overflow",
    family=FAMILY,
    sentence="Shares the gradient among the elements in the proportion of their exponentials.",
    attributes=REDUCTION_ATTRIBUTES,
    array=logsumexp,
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, keepdims: (spread(g, x.shape, axis) * exp(x - spread(y, x.shape, axis)),),
    analytic=True,
    trials=TRIALS,
    formula="log(sum(exp(x), axis=axis, keepdims=keepdims))",
    steps=lambda x, axis, keepdims: logsumexp_steps(x, axis).reshape(reduced_shape(x.shape, axis=axis, keepdims=keepdims)),
    spelled={"jax": "jax.scipy.special.logsumexp({0}{along})", "torch": "torch.logsumexp({0}, dim={axes}, keepdim={keepdims})"},
    example="logsumexp(x) --x [1000,1001]",
)


def _dot_shape(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        return a or b
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        which = "only axis" if len(b) == 1 else "last but one axis"
        raise ValueError(
            f"dot of {spell_shape(a)} and {spell_shape(b)}: the last axis of the first ({a[-1]}) is not the {which} "
            f"of the second ({inner})"
        )
    return a[:-1] + (b[:-1] if len(b) == 1 else (*b[:-2], b[-1]))


def _dot_pullback(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """As for one product of matrices: the axes that are kept are joined to one, the axis that is summed is the other."""
    if not a.shape or not b.shape:
        return (g * b).sum_to(a.shape), (g * a).sum_to(b.shape)
    inner = a.shape[-1]
    kept_a, kept_b = math.prod(a.shape[:-1]), math.prod(b.shape[:-2]) * (b.shape[-1] if len(b.shape) > 1 else 1)
    rank = len(b.shape)
    order = (rank - 2, *range(rank - 2), rank - 1) if rank > 2 else None
    moved = b if order is None else b.apply("transpose", axes=order)
    first, second, above = a.reshape((kept_a, inner)), moved.reshape((inner, kept_b)), g.reshape((kept_a, kept_b))
    by_a = (above @ second.apply("transpose", axes=None)).reshape(a.shape)
    by_b = (first.apply("transpose", axes=None) @ above).reshape(moved.shape)
    back = None if order is None else tuple(order.index(number) for number in range(rank))
    return by_a, by_b if back is None else by_b.apply("transpose", axes=back)


gate(
    "dot",
    "inner product; of matrices the matrix product",
    family=FAMILY,
    sentence="Hands to each vector the gradient times the other one.",
    arity=2,
    array="dot",
    shape=_dot_shape,
    pullback=_dot_pullback,
    analytic=True,
    linear=True,
    trials=(
        trial((3,), (3,)),
        trial((2, 3), (3,)),
        trial((3,), (3, 2)),
        trial((2, 3), (3, 2)),
        trial((2, 2, 3), (2, 3, 2)),
        trial((), (2, 3)),
        trial((3,), ()),
        trial((), ()),
    ),
    spelled={"torch": "torch.tensordot({0}, {1}, dims=([-1], [-2]))"},
    example="dot(a, b) --a [1,2,3] --b [4,5,6]",
)


def _cumulative_shape(x: Shape, *, axis: int | None) -> Shape:
    if axis is None:
        return (math.prod(x),)
    single_axis(x, axis)
    return x


def _cumulative_pullback(g: Any, y: Any, x: Any, axis: int | None) -> tuple[Any]:
    along = 0 if axis is None else axis
    back = cumulative(g.apply("flip", axis=along), axis=along).apply("flip", axis=along)
    return (back.reshape(x.shape),)


gate(
    "cumsum",
    "sums of the elements so far",
    family=FAMILY,
    sentence="Hands to every element the sum of the gradients from it onwards.",
    attributes=(Attribute("axis", "axis", None),),
    array=lambda np, x, axis: np.cumsum(x, axis=axis),
    shape=_cumulative_shape,
    pullback=_cumulative_pullback,
    analytic=True,
    linear=True,
    trials=(trial((4,)), trial((2, 3)), trial((2, 3), axis=0), trial((2, 2, 3), axis=-2), trial(())),
    spelled={"torch": lambda x, axis: f"torch.cumsum({x}.flatten(), dim=0)" if axis is None else f"torch.cumsum({x}, dim={axis})"},
    example="cumsum(x) --x [1,2,3]",
)
