"""Gates that make arrays from sizes, from chance, or from a file."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.linear_algebra import broadcast_shapes, spreads
from gradcalc.gates.record import REQUIRED, Attribute, Shape, gate, trial
from gradcalc.gates.shaping import no_negative

FAMILY = "makers"

_NOTHING = "Has no gradient: it is made of nothing but sizes."


def _sized(*, sizes: Shape, **_: Any) -> Shape:
    no_negative(sizes)
    return sizes


def _filled(name: str, title: str) -> None:
    gate(
        name,
        title,
        family=FAMILY,
        sentence=_NOTHING,
        arity=(0, None),
        parameters=(),
        data=0,
        array=lambda np, sizes: getattr(np, name)(sizes),
        shape=_sized,
        constant=True,
        example=f"{name}(2, 3)",
    )


_filled("zeros", "array of zeros")
_filled("ones", "array of ones")


def _full_shape(value: Shape, *, sizes: Shape) -> Shape:
    no_negative(sizes)
    if not spreads(value, sizes):
        raise ValueError("the value does not spread to the sizes before it")
    return sizes


gate(
    "full",
    "array of a shape, filled with a value: the last input",
    family=FAMILY,
    sentence="Sums the gradient for the value.",
    arity=(1, None),
    parameters=("value",),
    data=-1,
    array=lambda np, value, sizes: np.broadcast_to(value, sizes),
    shape=_full_shape,
    pullback=lambda g, y, value, sizes: (g.sum_to(value.shape),),
    analytic=True,
    linear=True,
    trials=(trial((), sizes=(2.0, 3.0)), trial((3,), sizes=(2.0, 3.0)), trial(())),
    spelled={"numpy": "{np}.broadcast_to({0}, {shape})", "torch": "torch.broadcast_to({0}, {shape})"},
    example="full(2, 3, x) --x 7",
)


def _eye_shape(*, sizes: Shape) -> Shape:
    no_negative(sizes)
    return (sizes[0], sizes[-1])


gate(
    "eye",
    "identity matrix",
    family=FAMILY,
    sentence=_NOTHING,
    arity=(1, 2),
    parameters=("n", "m"),
    data=0,
    array=lambda np, sizes: np.eye(*sizes),
    shape=_eye_shape,
    constant=True,
    spelled={"numpy": "{np}.eye(*{shape})", "torch": "torch.eye(*{shape}, dtype=torch.float64)"},
    example="eye(3)",
)


def _arange_shape(*, sizes: tuple[float, ...]) -> Shape:
    start, stop, step = (0.0, *sizes, 1.0) if len(sizes) == 1 else (*sizes, 1.0) if len(sizes) == 2 else sizes
    if step == 0.0:
        raise ValueError("the step must not be 0")
    # Not finite where the step is much smaller than the way.
    count = (stop - start) / step
    return (max(0, math.ceil(count)) if math.isfinite(count) else 2**63,)


gate(
    "arange",
    "numbers from a start (0) up to a stop, which is not among them, in steps (of 1)",
    family=FAMILY,
    sentence=_NOTHING,
    arity=(1, 3),
    parameters=("start", "stop", "step"),
    data=0,
    whole=False,
    array=lambda np, sizes: np.arange(*sizes),
    shape=_arange_shape,
    constant=True,
    example="arange(0, 1, 0.25)",
)


def _linspace_shape(start: Shape, stop: Shape, *, sizes: Shape) -> Shape:
    no_negative(sizes)
    return (sizes[0] if sizes else 50, *broadcast_shapes(start, stop))


def _linspace_pullback(g: Any, y: Any, start: Any, stop: Any, sizes: Shape) -> tuple[Any, Any]:
    """Each number is start·(1 - w) + stop·w, with weights w from 0 to 1."""
    count = float(y.shape[0])
    column = (y.shape[0], *[1] * (len(y.shape) - 1))
    weights = g.make("linspace", 0.0, 1.0, count).reshape(column)
    others = g.make("linspace", 1.0, 0.0, count).reshape(column)
    return (g * others).sum_to((1, *y.shape[1:])).reshape(y.shape[1:]).sum_to(start.shape), (
        (g * weights).sum_to((1, *y.shape[1:])).reshape(y.shape[1:]).sum_to(stop.shape)
    )


gate(
    "linspace",
    "so many numbers (50) from a start to a stop, both included, evenly spaced",
    family=FAMILY,
    sentence="Shares each gradient between start and stop, by the distance to them.",
    arity=(2, 3),
    parameters=("start", "stop", "num"),
    data=2,
    array=lambda np, start, stop, sizes: np.linspace(start, stop, *sizes[:1]),
    shape=_linspace_shape,
    pullback=_linspace_pullback,
    linear=True,
    trials=(
        trial((), (), sizes=(5.0,)),
        trial((2,), (), sizes=(3.0,)),
        trial((), (), sizes=(1.0,)),
        trial((2,), (2,), sizes=(4.0,)),
    ),
    spelled={"numpy": "{np}.linspace({0}, {1}, {length})", "torch": "linspace({0}, {1}, {length})"},
    example="linspace(a, b, 5) --a 0 --b 1",
)


def _drawn(name: str, title: str, method: str) -> None:
    gate(
        name,
        title,
        family=FAMILY,
        sentence="Has no gradient: it is drawn by chance. --seed makes it repeatable.",
        arity=(0, None),
        parameters=(),
        data=0,
        array=lambda np, sizes, draw: getattr(draw, method)(sizes),
        shape=_sized,
        constant=True,
        random=True,
        example=f"{name}(2, 3)",
    )


_drawn("rand", "random numbers, evenly distributed from 0 to 1", "random")
_drawn("randn", "random numbers, normally distributed with mean 0 and deviation 1", "standard_normal")

gate(
    "load",
    "numbers from a file: CSV, .npy, or an array of an .npz",
    family=FAMILY,
    sentence="Has no gradient: it is data.",
    arity=0,
    parameters=(),
    attributes=(Attribute("file", "text", REQUIRED), Attribute("name", "text", None)),
    data=0,
    # The engine reads it: it knows what files a program may read, and how large they may be.
    array=lambda np, **_: np.nan,
    constant=True,
)
