"""Gates that put numbers into another arrangement."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import Attribute, Shape, Syntax, gate
from gradcalc.gates.reductions import spell_shape

FAMILY = "shaping"


def _stacked_shape(*shapes: Shape, axis: int) -> Shape:
    for shape in shapes:
        if shape != shapes[0]:
            raise ValueError(f"an array of unequal parts: {spell_shape(shapes[0])} and {spell_shape(shape)}")
    rank = len(shapes[0]) + 1
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} does not exist in the {rank} axes of the result")
    axis %= rank
    return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])


def _picked(index: int, axis: int, rank: int) -> tuple[Any, ...]:
    axis %= rank
    return (*[("slice", None, None, None)] * axis, index)


gate(
    "stack",
    "array of equal parts, along a new axis",
    family=FAMILY,
    sentence="Hands to each part its piece of the gradient.",
    arity=(1, None),
    attributes=(Attribute("axis", "integer", 0),),
    array=lambda np, *parts, axis: np.stack(parts, axis=axis),
    shape=_stacked_shape,
    pullback=lambda g, y, *parts, axis: tuple(
        g.apply("[]", index=_picked(number, axis, len(y.shape))) for number in range(len(parts))
    ),
    analytic=True,
    linear=True,
    example="stack(a, b) --a [1,2] --b [3,4]",
)


def numpy_index(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index attribute as NumPy takes it."""
    return tuple(slice(*item[1:]) if isinstance(item, tuple) else Ellipsis if item == "..." else item for item in index)


def _indexed_shape(x: Shape, *, index: tuple[Any, ...]) -> Shape:
    given = sum(item != "..." for item in index)
    if given > len(x):
        raise ValueError(f"{given} indices for the {len(x)} axes of shape {spell_shape(x)}")
    if index.count("...") > 1:
        raise ValueError("an index has at most one ...")
    if "..." in index:
        at = index.index("...")
        index = (*index[:at], *[("slice", None, None, None)] * (len(x) - given), *index[at + 1 :])
    result = []
    for item, size in zip(index, x):
        if isinstance(item, tuple):
            if item[3] == 0:
                raise ValueError("the step of a slice is 0")
            result.append(len(range(*slice(*item[1:]).indices(size))))
        elif not -size <= item < size:
            raise ValueError(f"index {item} is outside an axis of {size}")
    return (*result, *x[len(index) :])


gate(
    "[]",
    "element or slice",
    family=FAMILY,
    sentence="Puts the gradient back where the elements came from.",
    attributes=(Attribute("index", "index", ()),),
    syntax=Syntax("postfix", "[]", 6),
    array=lambda np, x, index: np.asarray(x)[numpy_index(index)],
    shape=_indexed_shape,
    pullback=lambda g, y, x, index: (g.apply("scatter", *map(float, x.shape), index=index),),
    analytic=True,
    linear=True,
    example="x[0] --x [1,2,3]",
)


def _scatter(np: Any, x: Any, *, index: tuple[Any, ...], sizes: Shape) -> Any:
    result = np.zeros(sizes, dtype=np.result_type(x, float))
    result[numpy_index(index)] = x
    return result


gate(
    "scatter",
    "zeros of a shape, with the array put at an index",
    family=FAMILY,
    sentence="Takes the gradient from where the elements went.",
    arity=(1, None),
    attributes=(Attribute("index", "index", ()),),
    data=1,
    array=_scatter,
    shape=lambda x, index, sizes: sizes,
    pullback=lambda g, y, x, index, sizes: (g.apply("[]", index=index),),
    analytic=True,
    linear=True,
)


def _reshaped_shape(x: Shape, *, sizes: Shape) -> Shape:
    count = math.prod(x)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        raise ValueError("at most one size of a shape may be -1, and none less")
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        if known == 0 or count % known:
            raise ValueError(f"{spell_shape(x)} has {count} elements, which do not fill the shape {list(sizes)}")
        return tuple(count // known if size == -1 else size for size in sizes)
    if math.prod(sizes) != count:
        raise ValueError(f"{spell_shape(x)} has {count} elements, the shape {spell_shape(sizes)} {math.prod(sizes)}")
    return sizes


gate(
    "reshape",
    "the same elements in another shape",
    family=FAMILY,
    sentence="Gives the gradient the shape of the input.",
    arity=(1, None),
    data=1,
    array=lambda np, x, sizes: np.reshape(x, sizes),
    shape=_reshaped_shape,
    pullback=lambda g, y, x, sizes: (g.reshape(x.shape),),
    analytic=True,
    linear=True,
    example='reshape(x, 2, 2) --x "[1,2,3,4]"',
)


def _broadcast_shape(x: Shape, *, sizes: Shape) -> Shape:
    if broadcast_shapes(x, sizes) != sizes:
        raise ValueError(f"{spell_shape(x)} does not spread to {spell_shape(sizes)}")
    return sizes


gate(
    "broadcast_to",
    "the array, repeated to a shape",
    family=FAMILY,
    sentence="Sums the gradient over the repetitions.",
    arity=(1, None),
    data=1,
    array=lambda np, x, sizes: np.broadcast_to(x, sizes),
    shape=_broadcast_shape,
    pullback=lambda g, y, x, sizes: (g.sum_to(x.shape),),
    analytic=True,
    linear=True,
    example="broadcast_to(x, 2, 3) --x 1",
)


def _summed_shape(x: Shape, *, sizes: Shape) -> Shape:
    _broadcast_shape(sizes, sizes=x)
    return sizes


def _sum_to(np: Any, x: Any, *, sizes: Shape) -> Any:
    extra = np.ndim(x) - len(sizes)
    axes = tuple(range(extra)) + tuple(
        extra + number for number, size in enumerate(sizes) if size == 1 and np.shape(x)[extra + number] != 1
    )
    return np.sum(x, axis=axes, keepdims=True).reshape(sizes) if axes else np.reshape(x, sizes)


gate(
    "sum_to",
    "sum over the axes that broadcasting to this array would repeat",
    family=FAMILY,
    sentence="Repeats the gradient.",
    arity=(1, None),
    data=1,
    array=_sum_to,
    shape=_summed_shape,
    pullback=lambda g, y, x, sizes: (g.broadcast_to(x.shape),),
    analytic=True,
    linear=True,
    example='sum_to(x, 2) --x "[[1,2],[3,4]]"',
)
