"""Matrices: products and what goes with them."""

from __future__ import annotations

from typing import Any

from gradcalc.gates.record import Attribute, Shape, Syntax, gate
from gradcalc.gates.reductions import spell_shape

FAMILY = "linear algebra"


def _product_shape(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        raise ValueError("@ takes arrays; for a number write *")
    inner_a, inner_b = a[-1], b[-2] if len(b) > 1 else b[0]
    if inner_a != inner_b:
        raise ValueError(
            f"{spell_shape(a)} @ {spell_shape(b)}: the last axis of the first ({inner_a}) is not the "
            f"{'first axis' if len(b) < 3 else 'last but one'} of the second ({inner_b})"
        )
    batch = broadcast_shapes(a[:-2], b[:-2])
    return batch + (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; ValueError names the shapes that do not fit."""
    first = shapes[0]
    if all(shape == first or not shape for shape in shapes):
        return first if first else next((shape for shape in shapes if shape), ())
    rank = max(map(len, shapes))
    result = []
    for position in range(-rank, 0):
        sizes = {shape[position] for shape in shapes if len(shape) >= -position} - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {' and '.join(spell_shape(s) for s in shapes)} do not fit together")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def swapped(x: Any) -> Any:
    """The term with its last two axes exchanged."""
    rank = len(x.shape)
    if rank == 2:
        return x.apply("transpose", axes=None)
    return x.apply("transpose", axes=(*range(rank - 2), rank - 1, rank - 2))


def _product_pullback(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """dA = G Bᵀ and dB = Aᵀ G, on matrices; vectors are seen as one row or one column."""
    row = a.reshape((1, *a.shape)) if len(a.shape) == 1 else a
    column = b.reshape((*b.shape, 1)) if len(b.shape) == 1 else b
    above = g.reshape(_product_shape(row.shape, column.shape))
    by_a = (above @ swapped(column)).sum_to(row.shape).reshape(a.shape)
    by_b = (swapped(row) @ above).sum_to(column.shape).reshape(b.shape)
    return by_a, by_b


gate(
    "@",
    "matrix product",
    family=FAMILY,
    sentence="Gives the first input G @ B.T, and the second A.T @ G, where G is the gradient.",
    arity=2,
    syntax=Syntax("infix", "@", 3),
    array="matmul",
    shape=_product_shape,
    pullback=_product_pullback,
    analytic=True,
    linear=True,
    example='x@W --x [1,2] --W "[[1,2,3],[4,5,6]]"',
)


def _transposed_shape(x: Shape, *, axes: tuple[int, ...] | None) -> Shape:
    if axes is None:
        return x[::-1]
    if sorted(axis % max(len(x), 1) for axis in axes) != list(range(len(x))):
        raise ValueError(f"axes {list(axes)} are not an order of the {len(x)} axes of shape {spell_shape(x)}")
    return tuple(x[axis] for axis in axes)


def _inverse_order(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if axes is None:
        return None
    order = [axis % len(axes) for axis in axes]
    return tuple(order.index(number) for number in range(len(order)))


gate(
    "transpose",
    "transposed array, the axes in reverse or in the given order",
    family=FAMILY,
    sentence="Transposes the gradient.",
    attributes=(Attribute("axes", "axis", None),),
    syntax=Syntax("postfix", ".T", 6),
    array=lambda np, x, axes: np.transpose(x, axes),
    shape=_transposed_shape,
    pullback=lambda g, y, x, axes: (g.apply("transpose", axes=_inverse_order(axes)),),
    analytic=True,
    linear=True,
    example='x.T --x "[[1,2],[3,4]]"',
)
