"""The layers of neural networks, and the losses that they are trained by."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.algebra import differs, exp, log, square, total, where
from gradcalc.gates.linear_algebra import broadcast_shapes, product_pullback, product_shape
from gradcalc.gates.record import Attribute, Shape, Where, gate, trial
from gradcalc.gates.reductions import exponentials, logsumexp, logsumexp_steps, over, reduced_axes, spell_shape

FAMILY = "layers and losses"

_AXIS = (Attribute("axis", "axis", -1),)


def _affine_shape(x: Shape, weights: Shape, b: Shape) -> Shape:
    return broadcast_shapes(product_shape(x, weights), b)


def _affine_pullback(g: Any, y: Any, x: Any, weights: Any, b: Any) -> tuple[Any, Any, Any]:
    product = g.sum_to(product_shape(x.shape, weights.shape))
    return *product_pullback(product, y, x, weights), g.sum_to(b.shape)


gate(
    "affine",
    "affine layer, x @ W + b",
    family=FAMILY,
    sentence="Gives x the gradient times W.T, W x.T times the gradient, and b the gradient, summed over the rows.",
    arity=3,
    parameters=("x", "W", "b"),
    array=lambda np, x, weights, b: np.matmul(x, weights) + b,
    shape=_affine_shape,
    pullback=_affine_pullback,
    analytic=True,
    linear=True,
    trials=(
        trial((2, 3), (3, 2), (2,)),
        trial((3,), (3, 2), (2,)),
        trial((2, 3), (3, 2), ()),
        trial((2, 2, 3), (3, 1), (1,)),
        trial((3,), (3, 2), (2, 2)),
    ),
    formula="x @ W + b",
    steps=lambda x, weights, b: x @ weights + b,
    example='affine(x, W, b) --x [1,2] --W "[[1,2,3],[4,5,6]]" --b [1,1,1]',
)


def _along_shape(x: Shape, *, axis: Any) -> Shape:
    reduced_axes(x, axis)
    return x


def _softmax(np: Any, x: Any, axis: Any) -> Any:
    powers = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True, initial=-math.inf))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def _softmax_steps(x: Any, axis: Any) -> Any:
    _, powers, whole = exponentials(x, axis)
    return powers / whole


_SOFTMAX_TRIALS = (trial((4,)), trial((2, 3)), trial((2, 3), axis=0), trial((2, 2, 3), axis=(0, 2)), trial((2, 3), axis=None))

gate(
    "softmax",
    "exponentials, divided by their sum along an axis",
    family=FAMILY,
    sentence="Takes from each gradient their mean, weighted by the results, and multiplies it by the result.",
    attributes=_AXIS,
    array=_softmax,
    shape=_along_shape,
    pullback=lambda g, y, x, axis: (y * (g - over("sum", g * y, axis)),),
    analytic=True,
    trials=_SOFTMAX_TRIALS,
    formula="exp(x)/sum(exp(x), axis=axis, keepdims=true)",
    steps=_softmax_steps,
    spelled={
        "jax": "jax.nn.softmax({0}, axis={axis})",
        "torch": lambda x, axis: f"torch.softmax({x}, dim={axis})" if isinstance(axis, int) else None,
    },
    example="softmax(x) --x [1,2,3]",
)
gate(
    "log_softmax",
    "log of softmax, without overflow",
    family=FAMILY,
    sentence="Takes from each gradient the sum of them all, weighted by softmax.",
    attributes=_AXIS,
    array=lambda np, x, axis: x - logsumexp(np, x, axis, True),
    shape=_along_shape,
    pullback=lambda g, y, x, axis: (g - exp(y) * over("sum", g, axis),),
    analytic=True,
    trials=_SOFTMAX_TRIALS,
    formula="x - logsumexp(x, axis=axis, keepdims=true)",
    steps=lambda x, axis: x - logsumexp_steps(x, axis),
    spelled={
        "jax": "jax.nn.log_softmax({0}, axis={axis})",
        "torch": lambda x, axis: f"torch.log_softmax({x}, dim={axis})" if isinstance(axis, int) else None,
    },
    example="log_softmax(x) --x [1,2,3]",
)


def _loss_shape(name: str, first: str) -> Any:
    def shape(x: Shape, t: Shape) -> Shape:
        if not x:
            raise ValueError(f"{name} takes rows of {first}, not a number")
        if x != t:
            raise ValueError(f"the {first} are {spell_shape(x)}, their targets {spell_shape(t)}: they must have one shape")
        return ()

    return shape


def _row_count(shape: Shape) -> float:
    return float(math.prod(shape[:-1]))


def _weighted_rows(np: Any, t: Any, logs: Any) -> Any:
    """The mean over the rows of -Σ t·log p, where 0·log 0 is 0."""
    return np.divide(-np.sum(np.where(t != 0, t * logs, 0.0)), _row_count(np.shape(t)))


def _weighted_rows_steps(t: Any, logs: Any) -> Any:
    return -total(where(differs(t, 0.0), t * logs, 0.0), axis=None, keepdims=False) / _row_count(t.shape)


_LOSS_TRIALS = (trial((3,), (3,)), trial((2, 3), (2, 3)), trial((2, 2, 3), (2, 2, 3)))

gate(
    "cross_entropy",
    "cross-entropy of probabilities against target rows, mean over the rows",
    family=FAMILY,
    sentence="Gives each probability `-t/p`, divided by the number of rows, and nothing where the target is 0.",
    arity=2,
    parameters=("p", "t"),
    array=lambda np, p, t: _weighted_rows(np, t, np.log(p)),
    shape=_loss_shape("cross_entropy", "probabilities"),
    pullback=lambda g, y, p, t: (
        (-g / _row_count(p.shape)).broadcast_to(p.shape).only(differs(t, 0.0), t / p),
        -(g / _row_count(p.shape)) * log(p),
    ),
    domain=Where("p > 0", lambda p, t: p > 0),
    edges=Where("p = 0", lambda p, t: p == 0),
    analytic=True,
    samples=((0.1, 1.0), (0.1, 1.0)),
    trials=_LOSS_TRIALS,
    formula="mean(-sum(t*log(p), axis=-1))",
    steps=lambda p, t: _weighted_rows_steps(t, log(p)),
    example="cross_entropy(p, t) --p [0.2,0.7,0.1] --t [0,1,0]",
)


def _logit_pullback(g: Any, y: Any, z: Any, t: Any) -> tuple[Any, Any]:
    above = g / _row_count(z.shape)
    weights = over("sum", t, -1)
    return above * (z.apply("softmax", axis=-1) * weights - t), -above * z.apply("log_softmax", axis=-1)


gate(
    "softmax_cross_entropy",
    "cross-entropy of softmax(z) against target rows, mean over the rows",
    family=FAMILY,
    sentence="Gives `z` the simple difference `softmax(z) - t`, divided by the number of rows (where the rows of `t` sum to 1).",
    arity=2,
    parameters=("z", "t"),
    array=lambda np, z, t: _weighted_rows(np, t, z - logsumexp(np, z, -1, True)),
    shape=_loss_shape("softmax_cross_entropy", "scores"),
    pullback=_logit_pullback,
    analytic=True,
    trials=_LOSS_TRIALS,
    formula="cross_entropy(softmax(z), t)",
    steps=lambda z, t: _weighted_rows_steps(t, z - logsumexp_steps(z, -1)),
    example="softmax_cross_entropy(z, t) --z [1,3,0] --t [0,1,0]",
)


def _difference(a: Any, b: Any) -> tuple[Any, float]:
    difference = a - b
    return difference, float(math.prod(difference.shape))


def _mse_pullback(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    difference, count = _difference(a, b)
    by_a = g * (2.0 / count if count else math.nan) * difference
    return by_a.sum_to(a.shape), -by_a.sum_to(b.shape)


def _mse_steps(a: Any, b: Any) -> Any:
    difference, count = _difference(a, b)
    return total(square(difference), axis=None, keepdims=False) / count


def _mse_shape(a: Shape, b: Shape) -> Shape:
    broadcast_shapes(a, b)
    return ()


gate(
    "mse",
    "mean squared error, mean((a - b)^2)",
    family=FAMILY,
    sentence="Gives a twice the difference, divided by the number of elements, and b the same with its sign turned.",
    arity=2,
    commutative=True,
    array=lambda np, a, b: np.divide(np.sum(np.square(np.subtract(a, b))), float(np.size(np.subtract(a, b)))),
    shape=_mse_shape,
    pullback=_mse_pullback,
    analytic=True,
    trials=(trial((3,), (3,)), trial((2, 3), (2, 3)), trial((2, 3), (3,)), trial((2, 3), ()), trial((), ())),
    formula="mean(square(a - b))",
    steps=_mse_steps,
    example="mse(a, b) --a [1,2,3] --b [1,2,5]",
)


def _one_hot_shape(labels: Shape, *, sizes: Shape) -> Shape:
    if sizes[0] < 1:
        raise ValueError(f"the number of classes must be positive, not {sizes[0]}")
    return (*labels, sizes[0])


def _one_hot(np: Any, labels: Any, *, sizes: Shape) -> Any:
    labels = np.asarray(labels)[..., None]
    known = (labels == np.floor(labels)) & (labels >= 0) & (labels < sizes[0])
    return np.where(known, (labels == np.arange(sizes[0])).astype(float), math.nan)


gate(
    "one_hot",
    "for each label a row of n with a 1 at the label's place; nan for what is no label",
    family=FAMILY,
    sentence="Stops the gradient: labels are no quantities.",
    arity=2,
    parameters=("labels", "n"),
    data=1,
    array=_one_hot,
    shape=_one_hot_shape,
    pullback=lambda g, y, labels, sizes: (None,),
    constant=True,
    discrete=(0,),
    samples=((1.0, 1.0),),
    trials=(trial((3,), sizes=(3.0,)), trial((2, 2), sizes=(2.0,)), trial((), sizes=(4.0,))),
    spelled={"numpy": "one_hot({0}, {count})", "torch": "one_hot({0}, {count})"},
    example="one_hot(labels, 3) --labels [0,2,1]",
)
