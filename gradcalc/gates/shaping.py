"""Gates that put numbers into another arrangement."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.linear_algebra import spreads
from gradcalc.gates.record import REQUIRED, Attribute, Shape, Syntax, gate, trial
from gradcalc.gates.reductions import element_count, reduced_axes, single_axis, spell_shape

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
    trials=(trial((2,), (2,)), trial((2, 3), (2, 3), (2, 3), axis=1), trial((2, 3), (2, 3), axis=-1), trial(()), trial((2,))),
    spelled={
        "numpy": lambda *parts, axis: f"{{np}}.stack(({', '.join(parts)},), axis={axis})",
        "torch": lambda *parts, axis: f"torch.stack(({', '.join(parts)},), dim={axis})",
    },
    example="stack(a, b) --a [1,2] --b [3,4]",
)


def numpy_index(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index attribute as NumPy takes it."""
    return tuple(slice(*item[1:]) if isinstance(item, tuple) else Ellipsis if item == "..." else item for item in index)


def _indexed_shape(x: Shape, *, index: tuple[Any, ...]) -> Shape:
    given = sum(item != "..." for item in index)
    if given > len(x):
        if not x:
            raise ValueError("a number has no elements to choose from: leave out the index")
        axes = "1 axis" if len(x) == 1 else f"{len(x)} axes"
        raise ValueError(f"{given} indices are too many for the {axes} of shape {spell_shape(x)}")
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
    trials=(
        trial((3,), index=(1,)),
        trial((3, 4), index=(-1, ("slice", 1, None, 2))),
        trial((3, 4), index=(("slice", None, None, -1),)),
        trial((2, 3, 4), index=("...", 0)),
        trial((2, 3), index=(("slice", 2, None, None),)),
    ),
    example="x[0] --x [1,2,3]",
)


def _scatter(np: Any, x: Any, *, index: tuple[Any, ...], sizes: Shape) -> Any:
    result = np.zeros(sizes, dtype=np.result_type(x, float))
    result[numpy_index(index)] = x
    return result


def _scattered_shape(x: Shape, *, index: tuple[Any, ...], sizes: Shape) -> Shape:
    no_negative(sizes)
    room = _indexed_shape(sizes, index=index)
    if room != x:
        raise ValueError(f"{spell_shape(x)} does not fit where the index has {spell_shape(room)}")
    return sizes


def no_negative(sizes: tuple[float, ...]) -> None:
    """ValueError if a size is negative."""
    for size in sizes:
        if size < 0:
            raise ValueError(f"a size must not be negative: {size:g}")


gate(
    "scatter",
    "zeros of a shape, with the array put at an index",
    family=FAMILY,
    sentence="Takes the gradient from where the elements went.",
    arity=(1, None),
    attributes=(Attribute("index", "index", REQUIRED),),
    data=1,
    array=_scatter,
    shape=_scattered_shape,
    pullback=lambda g, y, x, index, sizes: (g.apply("[]", index=index),),
    analytic=True,
    linear=True,
    spelled={"numpy": "scatter({0}, {shape}, {np}.s_[{index}])", "torch": "scatter({0}, {shape}, {slices})"},
    example='scatter(x, 4, index="1:3") --x [5,6]',
    trials=(
        trial((), sizes=(3.0,), index=(1,)),
        trial((2,), sizes=(3.0, 4.0), index=(-1, ("slice", 1, None, 2))),
        trial((2, 3), sizes=(2.0, 3.0, 4.0), index=("...", 0)),
    ),
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
    trials=(trial((2, 3), sizes=(3.0, 2.0)), trial((2, 3), sizes=(-1.0,)), trial((1, 1)), trial((), sizes=(1.0, 1.0))),
    spelled={"numpy": "{np}.reshape({0}, {shape})", "torch": "torch.reshape({0}, {shape})"},
    example='reshape(x, 2, 2) --x "[1,2,3,4]"',
)


def _broadcast_shape(x: Shape, *, sizes: Shape) -> Shape:
    no_negative(sizes)
    if not spreads(x, sizes):
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
    trials=(trial((3,), sizes=(2.0, 3.0)), trial((2, 1), sizes=(2.0, 3.0)), trial((), sizes=(2.0, 2.0)), trial(())),
    spelled={"numpy": "{np}.broadcast_to({0}, {shape})", "torch": "torch.broadcast_to({0}, {shape})"},
    example="broadcast_to(x, 2, 3) --x 1",
)


def _summed_shape(x: Shape, *, sizes: Shape) -> Shape:
    no_negative(sizes)
    if not spreads(sizes, x):
        raise ValueError(f"{spell_shape(x)} is not what {spell_shape(sizes)} spreads to")
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
    trials=(trial((2, 3), sizes=(3.0,)), trial((2, 3), sizes=(2.0, 1.0)), trial((2, 3)), trial((2, 3), sizes=(2.0, 3.0))),
    example='sum_to(x, 2) --x "[[1,2],[3,4]]"',
)


def _joined_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    if not first:
        raise ValueError("numbers cannot be joined: write them as an array, [a, b]")
    at = single_axis(first, axis)
    for shape in shapes:
        if len(shape) != len(first) or any(a != b for number, (a, b) in enumerate(zip(first, shape)) if number != at):
            raise ValueError(f"shapes {spell_shape(first)} and {spell_shape(shape)} differ in more than axis {axis}")
    return (*first[:at], sum(shape[at] for shape in shapes), *first[at + 1 :])


def _pieces(g: Any, y: Any, *parts: Any, axis: int) -> tuple[Any, ...]:
    at = axis % len(y.shape)
    pieces, start = [], 0
    for part in parts:
        stop = start + part.shape[at]
        pieces.append(g.apply("[]", index=(*[("slice", None, None, None)] * at, ("slice", start, stop, None))))
        start = stop
    return tuple(pieces)


gate(
    "concat",
    "arrays, one behind the other",
    family=FAMILY,
    sentence="Hands to each array its piece of the gradient.",
    arity=(1, None),
    attributes=(Attribute("axis", "integer", 0),),
    aliases=("concatenate",),
    array=lambda np, *parts, axis: np.concatenate(parts, axis=axis),
    shape=_joined_shape,
    pullback=_pieces,
    analytic=True,
    linear=True,
    trials=(
        trial((2,), (3,)),
        trial((2, 3), (1, 3), (2, 3)),
        trial((2, 1), (2, 3), axis=1),
        trial((2, 1, 2), (2, 2, 2), axis=-2),
        trial((2,)),
    ),
    spelled={
        "numpy": lambda *parts, axis: f"{{np}}.concatenate(({', '.join(parts)},), axis={axis})",
        "torch": lambda *parts, axis: f"torch.cat(({', '.join(parts)},), dim={axis})",
    },
    example="concat(a, b) --a [1,2] --b [3,4,5]",
)


def _squeezed_shape(x: Shape, *, axis: Any) -> Shape:
    if axis is None:
        return tuple(size for size in x if size != 1)
    axes = reduced_axes(x, axis)
    for number in axes:
        if x[number] != 1:
            raise ValueError(f"axis {number} of {spell_shape(x)} has {x[number]} elements, not 1")
    return tuple(size for number, size in enumerate(x) if number not in axes)


gate(
    "squeeze",
    "the array without its axes of one element",
    family=FAMILY,
    sentence="Gives the gradient the shape of the input.",
    attributes=(Attribute("axis", "axis", None),),
    array=lambda np, x, axis: np.squeeze(x, axis=axis),
    shape=_squeezed_shape,
    pullback=lambda g, y, x, axis: (g.reshape(x.shape),),
    analytic=True,
    linear=True,
    trials=(trial((1, 3, 1)), trial((1, 3, 1), axis=0), trial((1, 3, 1), axis=(0, -1)), trial((1, 1)), trial(())),
    spelled={"numpy": "{np}.reshape({0}, {shape})", "torch": "torch.reshape({0}, {shape})"},
    example='squeeze(x) --x "[[1,2,3]]"',
)


def _expanded_shape(x: Shape, *, axis: Any) -> Shape:
    axes = axis if isinstance(axis, tuple) else (axis,)
    rank = len(x) + len(axes)
    places = set()
    for one in axes:
        if one is None or not -rank <= one < rank:
            raise ValueError(f"axis {one} does not exist in the {rank} axes of the result")
        places.add(one % rank)
    if len(places) < len(axes):
        raise ValueError("an axis is given twice")
    sizes = iter(x)
    return tuple(1 if number in places else next(sizes) for number in range(rank))


gate(
    "expand_dims",
    "the array with a new axis of one element",
    family=FAMILY,
    sentence="Gives the gradient the shape of the input.",
    attributes=(Attribute("axis", "axis", REQUIRED),),
    array=lambda np, x, axis: np.expand_dims(x, axis),
    shape=_expanded_shape,
    pullback=lambda g, y, x, axis: (g.reshape(x.shape),),
    analytic=True,
    linear=True,
    trials=(trial((3,), axis=0), trial((2, 3), axis=-1), trial((2, 3), axis=(0, 2)), trial((), axis=0)),
    spelled={"numpy": "{np}.reshape({0}, {shape})", "torch": "torch.reshape({0}, {shape})"},
    example="expand_dims(x, axis=1) --x [1,2,3]",
)
gate(
    "flatten",
    "the elements in one row",
    family=FAMILY,
    sentence="Gives the gradient the shape of the input.",
    array=lambda np, x: np.reshape(x, (-1,)),
    shape=lambda x: (math.prod(x),),
    pullback=lambda g, y, x: (g.reshape(x.shape),),
    analytic=True,
    linear=True,
    trials=(trial((2, 3)), trial((3,)), trial(())),
    formula="reshape(x, -1)",
    spelled={"numpy": "{np}.ravel({0})", "torch": "torch.flatten({0})"},
    example='flatten(x) --x "[[1,2],[3,4]]"',
)


def _flipped_shape(x: Shape, *, axis: Any) -> Shape:
    reduced_axes(x, axis)
    return x


gate(
    "flip",
    "the elements in reverse order",
    family=FAMILY,
    sentence="Reverses the gradient.",
    attributes=(Attribute("axis", "axis", None),),
    array=lambda np, x, axis: np.flip(x, axis=axis),
    shape=_flipped_shape,
    pullback=lambda g, y, x, axis: (g.apply("flip", axis=axis),),
    analytic=True,
    linear=True,
    trials=(trial((3,)), trial((2, 3)), trial((2, 3), axis=1), trial((2, 2, 3), axis=(0, -1)), trial(())),
    spelled={"torch": "torch.flip({0}, {axes})"},
    example="flip(x) --x [1,2,3]",
)


def _size_shape(x: Shape, *, axis: Any) -> Shape:
    reduced_axes(x, axis)
    return ()


gate(
    "size",
    "number of elements, in all or along axes",
    family=FAMILY,
    sentence="Stops the gradient: it depends on the shape alone.",
    attributes=(Attribute("axis", "axis", None),),
    array=lambda np, x, axis: float(element_count(np.shape(x), axis)),
    shape=_size_shape,
    pullback=lambda g, y, x, axis: (None,),
    constant=True,
    trials=(trial((2, 3)), trial((2, 3), axis=0), trial((2, 3, 4), axis=(0, 2)), trial(())),
    example='size(x) --x "[[1,2],[3,4]]"',
)
