"""Gates that choose: comparisons, the larger, the smaller, the one or the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gradcalc.gates import ieee
from gradcalc.gates.algebra import equals, maximum, minimum, only
from gradcalc.gates.record import Attribute, Shape, Syntax, Where, gate, trial
from gradcalc.gates.reductions import (
    REDUCTION_ATTRIBUTES,
    TRIALS,
    element_count,
    reduced_shape,
    single_axis,
    spell_shape,
    spread,
)

FAMILY = "selection"


def _comparison(symbol: str, title: str, name: str) -> None:
    gate(
        symbol,
        title,
        family=FAMILY,
        sentence="Answers 1 or 0, and has no gradient.",
        arity=2,
        syntax=Syntax("infix", symbol, 1, "none"),
        scalar=f"1.0 if {{0}} {symbol} {{1}} else 0.0",
        array=lambda np, a, b: getattr(np, name)(a, b).astype(float),
        exact=lambda mp, a, b: mp.mpf(_COMPARE[symbol](a, b)),
        partials=lambda y, a, b: (None, None),
        kinks=Where("inputs are equal (a jump)", lambda a, b: a == b),
        constant=True,
        commutative=symbol in ("==", "!="),
        samples=((-2.0, -0.5), (0.5, 2.0)),
        spelled={"javascript": f"{{0}} {symbol + '=' * (symbol in ('==', '!='))} {{1}} ? 1 : 0"},
        example=f"a {symbol} b --a 1 --b 2",
    )


_COMPARE = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

_comparison("<", "less than", "less")
_comparison("<=", "at most", "less_equal")
_comparison(">", "greater than", "greater")
_comparison(">=", "at least", "greater_equal")
_comparison("==", "equal to", "equal")
_comparison("!=", "not equal to", "not_equal")


def _shares(y: Any, *inputs: Any) -> tuple[Any, ...]:
    """The gradient goes to the inputs that are the answer, in equal parts."""
    if len(inputs) == 2:
        a, b = inputs
        half_on_tie = 1.0 - 0.5 * equals(a, b)
        return only(equals(a, y), half_on_tie), only(equals(b, y), half_on_tie)
    chosen = [equals(x, y) for x in inputs]
    count = chosen[0]
    for flag in chosen[1:]:
        count = count + flag
    return tuple(only(flag, 1.0 / count) for flag in chosen)


def _tied(*inputs: Any) -> Any:
    tied: Any = False
    for number, a in enumerate(inputs):
        for b in inputs[:number]:
            tied = tied | (a == b)
    return tied


def _pairwise(name: str) -> Any:
    def choose(np: Any, first: Any, *others: Any) -> Any:
        for other in others:
            first = getattr(np, name)(first, other)
        return first

    return choose


def _nested(function: str) -> Callable[..., str]:
    """A function of two inputs, called for one input after the other."""

    def spell(*texts: str) -> str:
        first, *others = texts
        for other in others:
            first = f"{function}({first}, {other})"
        return first

    return spell


def _inline(symbol: str) -> Any:
    """The larger or smaller of two Python floats; nan if one is."""
    return lambda *texts: f"{{0}} if {{0}} {symbol} {{1}} or {{0}} != {{0}} else {{1}}" if len(texts) == 2 else ""


gate(
    "max",
    "the largest",
    family=FAMILY,
    sentence="Routes the gradient to the larger input; equal ones share it.",
    arity=(2, None),
    scalar=ieee.maximum,
    commutative=True,
    array=_pairwise("maximum"),
    spelled={
        "inline": _inline(">"),
        "python": lambda *texts: f"maximum({', '.join(texts)})",
        "numpy": _nested("{np}.maximum"),
        "torch": _nested("torch.maximum"),
        "c": _nested("maximum"),
    },
    exact=lambda mp, *inputs: max(inputs),
    partials=_shares,
    kinks=Where("inputs are equal: they share the gradient", _tied),
    samples=((-2.0, -0.2), (0.2, 2.0)),
    example="max(a, b) --a 1 --b 2",
)
gate(
    "min",
    "the smallest",
    family=FAMILY,
    sentence="Routes the gradient to the smaller input; equal ones share it.",
    arity=(2, None),
    scalar=ieee.minimum,
    commutative=True,
    array=_pairwise("minimum"),
    spelled={
        "inline": _inline("<"),
        "python": lambda *texts: f"minimum({', '.join(texts)})",
        "numpy": _nested("{np}.minimum"),
        "torch": _nested("torch.minimum"),
        "c": _nested("minimum"),
    },
    exact=lambda mp, *inputs: min(inputs),
    partials=_shares,
    kinks=Where("inputs are equal: they share the gradient", _tied),
    samples=((-2.0, -0.2), (0.2, 2.0)),
    example="min(a, b) --a 1 --b 2",
)
gate(
    "clip",
    "x, kept between a lower and an upper bound",
    family=FAMILY,
    sentence="Lets the gradient pass to x within the bounds, and to the bound that is hit outside them.",
    arity=3,
    parameters=("x", "low", "high"),
    scalar=lambda x, low, high: ieee.minimum(ieee.maximum(x, low), high),
    array=lambda np, x, low, high: np.minimum(np.maximum(x, low), high),
    exact=lambda mp, x, low, high: min(max(x, low), high),
    partials=lambda y, x, low, high: (
        only((x >= low) * (x <= high)),
        only((x < low) * (low <= high)),
        only((x > high) + (low > high) > 0.0),
    ),
    kinks=Where("x is at a bound: slope 1 in x", lambda x, low, high: (x == low) | (x == high) | (low == high)),
    samples=((-0.8, 0.8), (-2.0, -1.2), (1.2, 2.0)),
    formula="where(max(x, low) > high, high, where(x < low, low, x))",
    steps=lambda x, low, high: minimum(maximum(x, low), high),
    spelled={
        "numpy": "{np}.clip({0}, {1}, {2})",
        "torch": "torch.clamp({0}, {1}, {2})",
        "javascript": "Math.min(Math.max({0}, {1}), {2})",
    },
    example="clip(x, 0, 1) --x 0.5",
)
gate(
    "where",
    "the second input where the first is not 0, else the third",
    family=FAMILY,
    sentence="Routes the gradient to the branch taken; the other branch is not touched.",
    arity=3,
    parameters=("condition", "yes", "no"),
    scalar="{1} if {0} else {2}",
    array=lambda np, condition, yes, no: np.where(condition != 0, yes, no),
    exact=lambda mp, condition, yes, no: yes if condition != 0 else no,
    partials=lambda y, condition, yes, no: (None, only(condition), only(equals(condition, 0.0))),
    discrete=(0,),
    kinks=Where("the condition is 0 (a jump in it)", lambda condition, yes, no: condition == 0),
    samples=((0.5, 2.0), (-2.0, 2.0), (-2.0, 2.0)),
    spelled={"javascript": "{0} !== 0 ? {1} : {2}"},
    example="where(x < 1, x, sqrt(x)) --x 4",
)


def _choice_shape(name: str) -> Any:
    def shape(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
        result = reduced_shape(x, axis=axis, keepdims=keepdims)
        if element_count(x, axis) == 0:
            raise ValueError(f"the {name} of nothing: the array is {spell_shape(x)}")
        return result

    return shape


def _reduction_shares(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> tuple[Any]:
    """The gradient goes to the elements that are the answer, in equal parts."""
    chosen = equals(x, spread(y, x.shape, axis))
    count = chosen.apply("sum", axis=axis, keepdims=keepdims)
    return (spread(g / count, x.shape, axis).only(chosen, 1.0),)


def _ties(extreme: str) -> Any:
    def tied(x: Any, axis: Any, keepdims: bool) -> Any:
        best = getattr(x, extreme)(axis=axis, keepdims=True)
        return (x == best).sum(axis=axis) > 1

    return tied


for _name, _title, _size in (("max", "the largest element", "largest"), ("min", "the smallest element", "smallest")):
    gate(
        _name,
        _title,
        family=FAMILY,
        sentence=f"Routes the gradient to the {_size} element; equal ones share it.",
        attributes=REDUCTION_ATTRIBUTES,
        array=lambda np, x, axis, keepdims, name=_name: getattr(np, name)(x, axis=axis, keepdims=keepdims),
        shape=_choice_shape(_name),
        pullback=_reduction_shares,
        kinks=Where("elements are equal: they share the gradient", _ties(_name)),
        trials=TRIALS,
        spelled={"torch": f"torch.a{_name}({{0}}{{along}})"},
        example=f"{_name}(x) --x [1,3,2]",
    )


def _argument(name: str) -> Any:
    def choose(np: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        return np.asarray(getattr(np, name)(x, axis=axis, keepdims=keepdims), dtype=float)

    return choose


def _argument_shape(name: str) -> Any:
    def shape(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
        if axis is not None:
            single_axis(x, axis)
        return _choice_shape(name)(x, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    return shape


for _name, _size in (("max", "largest"), ("min", "smallest")):
    gate(
        f"arg{_name}",
        f"where the {_size} element is, counted from 0",
        family=FAMILY,
        sentence="Stops the gradient: a place does not change little by little.",
        attributes=REDUCTION_ATTRIBUTES,
        array=_argument(f"arg{_name}"),
        shape=_argument_shape(_name),
        pullback=lambda g, y, x, axis, keepdims: (None,),
        kinks=Where("elements are equal (a jump): slope 0", _ties(_name)),
        constant=True,
        trials=(trial((4,)), trial((2, 3)), trial((2, 3), axis=-1, keepdims=True), trial(())),
        spelled={
            "numpy": f"{{np}}.arg{_name}({{0}}{{along}}).astype(float)",
            "torch": f"torch.arg{_name}({{0}}{{along}}).double()",
        },
        example=f"arg{_name}(x) --x [1,3,2]",
    )

_AXIS = (Attribute("axis", "integer", -1),)


def _along_shape(x: Shape, *, axis: int) -> Shape:
    single_axis(x, axis)
    return x


def _neighbours_equal(x: Any, axis: int) -> Any:
    ordered = x.copy()
    ordered.sort(axis=axis)
    first, second = ordered.swapaxes(axis, -1)[..., :-1], ordered.swapaxes(axis, -1)[..., 1:]
    return first == second


_SORT_TRIALS = (trial((5,)), trial((2, 4)), trial((3, 2), axis=0), trial((1,)))

gate(
    "sort",
    "the elements in ascending order",
    family=FAMILY,
    sentence="Hands each gradient back to the place from which its element came.",
    attributes=_AXIS,
    array=lambda np, x, axis: np.sort(x, axis=axis),
    shape=_along_shape,
    # The order of the order says for each element at which place it stands afterwards.
    pullback=lambda g, y, x, axis: (
        g.apply("take_along_axis", x.apply("argsort", axis=axis).apply("argsort", axis=axis), axis=axis),
    ),
    kinks=Where("elements are equal: the first of them counts as the smaller", _neighbours_equal),
    trials=_SORT_TRIALS,
    spelled={"numpy": "{np}.sort({0}, axis={axis})", "torch": "torch.sort({0}, dim={axis}, stable=True).values"},
    example="sort(x) --x [3,1,2]",
)
gate(
    "argsort",
    "which element stands at each place in ascending order, counted from 0",
    family=FAMILY,
    sentence="Stops the gradient: an order does not change little by little.",
    attributes=_AXIS,
    array=lambda np, x, axis: np.argsort(x, axis=axis, kind="stable").astype(float),
    shape=_along_shape,
    pullback=lambda g, y, x, axis: (None,),
    kinks=Where("elements are equal (a jump): slope 0", _neighbours_equal),
    constant=True,
    trials=_SORT_TRIALS,
    spelled={
        "numpy": "{np}.argsort({0}, axis={axis}, kind='stable').astype(float)",
        "jax": "jnp.argsort({0}, axis={axis}, stable=True).astype(float)",
        "torch": "torch.argsort({0}, dim={axis}, stable=True).double()",
    },
    example="argsort(x) --x [3,1,2]",
)


def _taken_shape(x: Shape, indices: Shape, *, axis: int) -> Shape:
    at = single_axis(x, axis)
    if len(indices) != len(x) or any(a != b for number, (a, b) in enumerate(zip(x, indices)) if number != at):
        raise ValueError(f"the indices, {spell_shape(indices)}, must have the shape {spell_shape(x)} but for axis {axis}")
    return indices


def _whole_indices(np: Any, indices: Any, size: int) -> tuple[Any, Any]:
    """Indices as integers from 0, and where they are none."""
    valid = (indices == np.floor(indices)) & (indices >= -size) & (indices < size)
    return np.where(valid, indices, 0.0).astype(int) % max(size, 1), ~valid


def _take(np: Any, x: Any, indices: Any, axis: int) -> Any:
    places, wrong = _whole_indices(np, np.asarray(indices), x.shape[axis])
    if not x.shape[axis]:
        return np.full(np.shape(indices), math.nan)
    return np.where(wrong, math.nan, np.take_along_axis(x, places, axis))


def _put(np: Any, x: Any, indices: Any, axis: int, sizes: Shape) -> Any:
    places, wrong = _whole_indices(np, np.asarray(indices), sizes[axis])
    result = np.zeros(sizes, dtype=np.result_type(x, float))
    grid = list(np.indices(np.shape(indices), sparse=True))
    grid[axis] = places
    np.add.at(result, tuple(grid), np.where(wrong, math.nan, x))
    return result


gate(
    "take_along_axis",
    "the elements at the given places along an axis",
    family=FAMILY,
    sentence="Adds each gradient at the place from which its element was taken.",
    arity=2,
    parameters=("x", "indices"),
    attributes=_AXIS,
    array=_take,
    shape=_taken_shape,
    pullback=lambda g, y, x, indices, axis: (g.apply("put_along_axis", indices, *map(float, x.shape), axis=axis), None),
    discrete=(1,),
    analytic=True,
    linear=True,
    samples=((-2.0, 2.0), (1.0, 1.0)),
    trials=(trial((3,), (2,)), trial((2, 3), (2, 2)), trial((2, 3), (4, 3), axis=0)),
    spelled={
        "numpy": "{np}.take_along_axis({0}, {1}.astype(int), axis={axis})",
        "torch": "torch.take_along_dim({0}, {1}.long(), dim={axis})",
    },
    example="take_along_axis(x, [2,0]) --x [5,6,7]",
)


def _put_shape(x: Shape, indices: Shape, *, axis: int, sizes: Shape) -> Shape:
    if x != indices:
        raise ValueError(f"the elements are {spell_shape(x)}, their places {spell_shape(indices)}")
    if any(size < 0 for size in sizes):
        raise ValueError("a size must not be negative")
    _taken_shape(sizes, indices, axis=axis)
    return sizes


gate(
    "put_along_axis",
    "zeros of a shape, with the elements added at the given places along an axis",
    family=FAMILY,
    sentence="Takes the gradient from the places where the elements went.",
    arity=(2, None),
    parameters=("x", "indices"),
    attributes=_AXIS,
    data=2,
    array=_put,
    shape=_put_shape,
    pullback=lambda g, y, x, indices, axis, sizes: (g.apply("take_along_axis", indices, axis=axis), None),
    discrete=(1,),
    analytic=True,
    linear=True,
    samples=((-2.0, 2.0), (1.0, 1.0)),
    trials=(
        trial((2,), (2,), sizes=(3.0,)),
        trial((2, 2), (2, 2), sizes=(2.0, 3.0)),
        trial((4, 3), (4, 3), sizes=(2.0, 3.0), axis=0),
    ),
    spelled={"numpy": "put_along_axis({0}, {1}, {shape}, {axis})", "torch": "put_along_axis({0}, {1}, {shape}, {axis})"},
    example="put_along_axis(x, [2,2], 3) --x [5,6]",
)
