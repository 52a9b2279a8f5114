"""Gates that make few numbers of many."""

from __future__ import annotations

from typing import Any

from gradcalc.gates.record import Attribute, Shape, gate

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
            raise ValueError(f"axis {one} does not exist in shape {spell_shape(shape)}")
        found.append(one % len(shape))
    if len(set(found)) < len(found):
        raise ValueError("an axis is given twice")
    return tuple(found)


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


gate(
    "sum",
    "sum of the elements",
    family=FAMILY,
    sentence="Hands the gradient on, unchanged, to every element.",
    attributes=REDUCTION_ATTRIBUTES,
    array=lambda np, x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    pullback=lambda g, y, x, axis, keepdims: (spread(g, x.shape, axis),),
    analytic=True,
    linear=True,
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
    example="mean(x) --x [1,2,3]",
)
