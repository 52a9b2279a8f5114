"""The activation functions of neural networks."""

from __future__ import annotations

import math

from gradcalc.gates import ieee
from gradcalc.gates.algebra import exp, maximum, minimum, only, sigmoid, square, where
from gradcalc.gates.exponentials import _each
from gradcalc.gates.record import Attribute, Where, gate

FAMILY = "activations"

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
"""The constants of Klambauer et al., Self-Normalizing Neural Networks (2017)."""

_SQRT_2 = math.sqrt(2.0)
_SQRT_2_PI = math.sqrt(2.0 * math.pi)

gate(
    "sigmoid",
    "logistic function",
    family=FAMILY,
    sentence="Multiplies the gradient by `y*(1 - y)`: at most a quarter passes, and nearly nothing when it is saturated.",
    scalar=ieee.sigmoid,
    array=lambda np, x: np.exp(np.minimum(x, 0)) / (1 + np.exp(-abs(x))),
    complex=lambda np, x: 1 / (1 + np.exp(-x)),
    # y*(1 - y) loses digits where y is near 1; this form does not.
    partials=lambda y, x: (y * sigmoid(-x),),
    analytic=True,
    formula="1/(1 + exp(-x))",
    # Overflow makes it 0, as it should be.
    steps=lambda x: 1.0 / (1.0 + exp(-x)),
    spelled={"jax": "jax.nn.sigmoid({0})", "latex": r"\sigma", "javascript": "sigmoid({0})"},
    example="sigmoid(x) --x 2",
)
_AT_ZERO = Where("x = 0: slope 0", lambda x: x == 0)
gate(
    "relu",
    "rectifier",
    family=FAMILY,
    sentence="Lets the gradient pass where the input is positive, and stops it elsewhere.",
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    array=lambda np, x: np.maximum(x, 0.0),
    partials=lambda y, x: (only(x > 0.0),),
    kinks=_AT_ZERO,
    formula="where(x > 0, x, 0)",
    steps=lambda x: maximum(x, 0.0),
    samples=((0.2, 2.0),),
    spelled={
        "inline": "{0} if {0} > 0.0 or {0} != {0} else 0.0",
        "numpy": "{np}.maximum({0}, 0.0)",
        "jax": "jax.nn.relu({0})",
        "javascript": "{0} > 0 || {0} !== {0} ? {0} : 0",
    },
    example="relu(a) --a 1",
)
gate(
    "leaky_relu",
    "leaky rectifier",
    family=FAMILY,
    sentence="Lets the gradient pass where the input is positive, and a small part of it elsewhere.",
    attributes=(Attribute("slope", "number", 0.01),),
    scalar=lambda x, slope: x if x > 0.0 else slope * x,
    array=lambda np, x, slope: np.where(x > 0, x, slope * x),
    partials=lambda y, x, slope: (where(x > 0.0, 1.0, slope),),
    kinks=Where("x = 0: the slope from below", lambda x, slope: x == 0),
    formula="where(x > 0, x, slope*x)",
    steps=lambda x, slope: (
        maximum(x, slope * x) if isinstance(slope, float) and 0.0 < slope <= 1.0 else where(x > 0.0, x, slope * x)
    ),
    samples=((-2.0, -0.2),),
    spelled={
        "numpy": "{np}.where({0} > 0.0, {0}, {slope} * {0})",
        "torch": "F.leaky_relu({0}, {slope})",
        "jax": "jax.nn.leaky_relu({0}, {slope})",
        "javascript": "{0} > 0 ? {0} : {slope} * {0}",
    },
    example="leaky_relu(x) --x -2",
)
gate(
    "elu",
    "exponential linear unit",
    family=FAMILY,
    sentence="Lets the gradient pass where the input is positive, and `alpha*exp(x)` of it elsewhere.",
    attributes=(Attribute("alpha", "number", 1.0),),
    scalar=lambda x, alpha: x if x > 0.0 else alpha * math.expm1(x),
    array=lambda np, x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    partials=lambda y, x, alpha: (where(x > 0.0, 1.0, alpha * exp(x)),),
    kinks=Where("x = 0 (unless alpha is 1): the slope from below", lambda x, alpha: x == 0),
    formula="where(x > 0, x, alpha*expm1(x))",
    steps=lambda x, alpha: where(x > 0.0, x, alpha * minimum(x, 0.0).apply("expm1")),
    samples=((-2.0, -0.2),),
    spelled={
        "torch": "F.elu({0}, {alpha})",
        "jax": "jax.nn.elu({0}, {alpha})",
        "javascript": "{0} > 0 ? {0} : {alpha} * Math.expm1({0})",
    },
    example="elu(x) --x -1",
)
gate(
    "selu",
    "scaled exponential linear unit",
    family=FAMILY,
    sentence="Scales the gradient by 1.0507 where the input is positive, and by `1.7581*exp(x)` elsewhere.",
    scalar=lambda x: SELU_SCALE * (x if x > 0.0 else SELU_ALPHA * math.expm1(x)),
    array=lambda np, x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    partials=lambda y, x: (where(x > 0.0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * exp(x)),),
    kinks=Where("x = 0: the slope from below", lambda x: x == 0),
    steps=lambda x: SELU_SCALE * where(x > 0.0, x, SELU_ALPHA * minimum(x, 0.0).apply("expm1")),
    formula=f"{SELU_SCALE!r}*where(x > 0, x, {SELU_ALPHA!r}*expm1(x))",
    samples=((-2.0, -0.2),),
    spelled={
        "torch": "F.selu({0})",
        "jax": "jax.nn.selu({0})",
        "javascript": f"{SELU_SCALE!r} * ({{0}} > 0 ? {{0}} : {SELU_ALPHA!r} * Math.expm1({{0}}))",
    },
    example="selu(x) --x -1",
)
gate(
    "gelu",
    "Gaussian error linear unit, x times the normal distribution function (exact)",
    family=FAMILY,
    sentence="Multiplies the gradient by the normal distribution function and x times its density.",
    scalar=lambda x: 0.5 * x * math.erfc(-x / _SQRT_2) if x != -math.inf else -0.0,
    array=lambda np, x: np.where(x == -math.inf, -0.0, 0.5 * x * _each("erfc", -x / _SQRT_2)),
    partials=lambda y, x: (0.5 * (-x / _SQRT_2).apply("erfc") + x * exp(-square(x) / 2.0) / _SQRT_2_PI,),
    formula="x*erfc(-x/sqrt(2))/2",
    spelled={"torch": "F.gelu({0})", "jax": "jax.nn.gelu({0}, approximate=False)", "javascript": "gelu({0})"},
    example="gelu(x) --x 1",
)
gate(
    "silu",
    "sigmoid linear unit, x*sigmoid(x)",
    family=FAMILY,
    sentence="Multiplies the gradient by `sigmoid(x)*(1 + x*sigmoid(-x))`.",
    scalar=lambda x: x * ieee.sigmoid(x),
    array=lambda np, x: x * np.exp(np.minimum(x, 0)) / (1 + np.exp(-abs(x))),
    complex=lambda np, x: x / (1 + np.exp(-x)),
    partials=lambda y, x: (sigmoid(x) * (1.0 + x * sigmoid(-x)),),
    analytic=True,
    formula="x*sigmoid(x)",
    steps=lambda x: x * sigmoid(x),
    spelled={"torch": "F.silu({0})", "jax": "jax.nn.silu({0})", "javascript": "{0} * sigmoid({0})"},
    example="silu(x) --x 1",
)
gate(
    "softplus",
    "smooth rectifier, log(1 + exp(x))",
    family=FAMILY,
    sentence="Multiplies the gradient by `sigmoid(x)`.",
    scalar=ieee.softplus,
    array=lambda np, x: np.logaddexp(x, 0.0),
    complex=lambda np, x: np.where(x.real > 0, x, 0) + np.log1p(np.exp(np.where(x.real > 0, -x, x))),
    partials=lambda y, x: (sigmoid(x),),
    analytic=True,
    formula="log1p(exp(x))",
    steps=lambda x: maximum(x, 0.0) + exp(-x.apply("abs")).apply("log1p"),
    spelled={
        "numpy": "{np}.logaddexp({0}, 0.0)",
        "torch": "torch.logaddexp({0}, torch.zeros_like({0}))",
        "jax": "jax.nn.softplus({0})",
        "javascript": "softplus({0})",
    },
    example="softplus(x) --x 1",
)
gate(
    "hardtanh",
    "identity, cut off below and above",
    family=FAMILY,
    sentence="Lets the gradient pass strictly inside its bounds, and stops it elsewhere.",
    attributes=(Attribute("min", "number", -1.0), Attribute("max", "number", 1.0)),
    scalar=lambda x, min, max: min if x < min else max if x > max else x,
    array=lambda np, x, min, max: np.clip(x, min, max),
    partials=lambda y, x, min, max: (only((x > min) * (x < max)),),
    kinks=Where("x is at a bound: slope 0", lambda x, min, max: (x == min) | (x == max)),
    formula="where(x <= min, min, where(x >= max, max, x))",
    steps=lambda x, min, max: where(x < min, min, where(x > max, max, x)),
    samples=((-0.8, 0.8),),
    spelled={
        "numpy": "{np}.clip({0}, {min}, {max})",
        "torch": "F.hardtanh({0}, {min}, {max})",
        "javascript": "{0} < {min} ? {min} : {0} > {max} ? {max} : {0}",
    },
    example="hardtanh(x) --x 0.5",
)
