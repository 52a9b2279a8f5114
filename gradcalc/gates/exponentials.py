"""Exponentials, logarithms and the error function."""

from __future__ import annotations

import math

from gradcalc.gates import ieee
from gradcalc.gates.algebra import exp, log, sigmoid, square
from gradcalc.gates.record import Where, gate

FAMILY = "exponentials"

LOG_2 = math.log(2.0)
LOG_10 = math.log(10.0)
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)

gate(
    "exp",
    "exponential",
    family=FAMILY,
    sentence="Multiplies the gradient by its own result.",
    scalar=math.exp,
    partials=lambda y, x: (y,),
    analytic=True,
    spelled={"latex": r"e^{{{0}}}"},
    example="exp(x) --x 1",
)
gate(
    "expm1",
    "exp(x) - 1, right for small x",
    family=FAMILY,
    sentence="Multiplies the gradient by `exp(x)`.",
    scalar=math.expm1,
    partials=lambda y, x: (exp(x),),
    analytic=True,
    spelled={"latex": r"\operatorname{expm1}"},
    example="expm1(x) --x 1e-10",
)
gate(
    "exp2",
    "power of two",
    family=FAMILY,
    sentence="Multiplies the gradient by its own result and log(2).",
    scalar=lambda x: ieee.power(2.0, x),
    exact=lambda mp, x: mp.mpf(2) ** x,
    partials=lambda y, x: (LOG_2 * y,),
    analytic=True,
    spelled={"python": "power(2.0, {0})", "latex": r"2^{{{0}}}", "javascript": "Math.pow(2, {0})"},
    example="exp2(x) --x 10",
)


def _log_pole(x: float) -> float:
    return -math.inf if x == 0.0 else math.nan


_POSITIVE = Where("x > 0", lambda x: x > 0)
_ZERO_EDGE = Where("x = 0: value -inf, slope inf", lambda x: x == 0)

gate(
    "log",
    "natural logarithm",
    family=FAMILY,
    sentence="Divides the gradient by the input.",
    aliases=("ln",),
    scalar=math.log,
    otherwise=_log_pole,
    exact=lambda mp, x: mp.log(x) if x > 0 else (-mp.inf if x == 0 else mp.nan),
    partials=lambda y, x: (1.0 / x,),
    domain=_POSITIVE,
    edges=_ZERO_EDGE,
    analytic=True,
    samples=((0.1, 5.0),),
    spelled={"latex": r"\ln"},
    example="log(x) --x 2",
)


def _log_to_base(x: float, base: float) -> float:
    """log(x)/log(base), with the exact functions for the bases 2 and 10."""
    if base == 2.0:
        return math.log2(x)
    if base == 10.0:
        return math.log10(x)
    return math.log(x) / math.log(base)


gate(
    "log",
    "logarithm to a base",
    family=FAMILY,
    sentence="Divides the gradient by `x*log(base)`, and passes minus `log(x, base)/(base*log(base))` to the base.",
    arity=2,
    parameters=("x", "base"),
    scalar=_log_to_base,
    otherwise=lambda x, base: ieee.divide(ieee.guarded(math.log, _log_pole)(x), ieee.guarded(math.log, _log_pole)(base)),
    array=lambda np, x, base: np.where(base == 2, np.log2(x), np.where(base == 10, np.log10(x), np.log(x) / np.log(base))),
    complex=lambda np, x, base: np.log(x) / np.log(base),
    exact=lambda mp, x, base: mp.log(x) / mp.log(base) if x > 0 and base > 0 else mp.nan,
    partials=lambda y, x, base: (1.0 / (x * log(base)), -(y / (base * log(base)))),
    domain=Where("x > 0, base > 0, base != 1", lambda x, base: (x > 0) & (base > 0) & (base != 1)),
    edges=Where("x = 0 or base = 0", lambda x, base: (x == 0) | (base == 0)),
    analytic=True,
    samples=((0.2, 5.0), (1.5, 4.0)),
    spelled={
        "python": "log_to_base({0}, {1})",
        "numpy": "{np}.log({0}) / {np}.log({1})",
        "torch": "torch.log({0}) / torch.log({1})",
        "c": "log({0}) / log({1})",
        "latex": r"\log_{{{1}}}\left({0}\right)",
        "javascript": "logTo({0}, {1})",
    },
    example="log(x, b) --x 8 --b 2",
)
gate(
    "log1p",
    "log(1 + x), right for small x",
    family=FAMILY,
    sentence="Divides the gradient by 1 + x.",
    scalar=math.log1p,
    otherwise=lambda x: _log_pole(1.0 + x),
    exact=lambda mp, x: mp.log1p(x) if x > -1 else (-mp.inf if x == -1 else mp.nan),
    partials=lambda y, x: (1.0 / (1.0 + x),),
    domain=Where("x > -1", lambda x: x > -1),
    edges=Where("x = -1: value -inf, slope inf", lambda x: x == -1),
    analytic=True,
    samples=((-0.8, 3.0),),
    example="log1p(x) --x 1e-10",
)
gate(
    "log2",
    "logarithm to base 2",
    family=FAMILY,
    sentence="Divides the gradient by `x*log(2)`.",
    scalar=math.log2,
    otherwise=_log_pole,
    exact=lambda mp, x: mp.log(x, 2) if x > 0 else (-mp.inf if x == 0 else mp.nan),
    partials=lambda y, x: (1.0 / (LOG_2 * x),),
    domain=_POSITIVE,
    edges=_ZERO_EDGE,
    analytic=True,
    samples=((0.1, 5.0),),
    spelled={"latex": r"\log_{2}"},
    example="log2(x) --x 8",
)
gate(
    "log10",
    "logarithm to base 10",
    family=FAMILY,
    sentence="Divides the gradient by `x*log(10)`.",
    scalar=math.log10,
    otherwise=_log_pole,
    exact=lambda mp, x: mp.log10(x) if x > 0 else (-mp.inf if x == 0 else mp.nan),
    partials=lambda y, x: (1.0 / (LOG_10 * x),),
    domain=_POSITIVE,
    edges=_ZERO_EDGE,
    analytic=True,
    samples=((0.1, 5.0),),
    spelled={"latex": r"\log_{10}"},
    example="log10(x) --x 1000",
)
gate(
    "logaddexp",
    "log(exp(a) + exp(b))",
    family=FAMILY,
    sentence="Shares the gradient between its inputs in the proportion of their exponentials.",
    arity=2,
    scalar=ieee.logaddexp,
    commutative=True,
    complex=lambda np, a, b: (
        np.maximum(a.real, b.real) + np.log(np.exp(a - np.maximum(a.real, b.real)) + np.exp(b - np.maximum(a.real, b.real)))
    ),
    exact=lambda mp, a, b: mp.log(mp.exp(a) + mp.exp(b)),
    partials=lambda y, a, b: (sigmoid(a - b), sigmoid(b - a)),
    analytic=True,
    spelled={"javascript": "logaddexp({0}, {1})"},
    example="logaddexp(a, b) --a 1000 --b 1001",
)


def _each(name: str, x: object) -> object:
    """A function of `math` on every element of an array (NumPy has no error function)."""
    import numpy

    values = numpy.asarray(x, dtype=float)
    function = getattr(math, name)
    return numpy.fromiter(map(function, values.ravel().tolist()), float, values.size).reshape(values.shape)


gate(
    "erf",
    "error function",
    family=FAMILY,
    sentence="Multiplies the gradient by `2/sqrt(pi)*exp(-x^2)`.",
    scalar=math.erf,
    array=lambda np, x: _each("erf", x),
    partials=lambda y, x: (TWO_OVER_SQRT_PI * exp(-square(x)),),
    spelled={"jax": "jax.scipy.special.erf({0})", "latex": r"\operatorname{erf}", "javascript": "erf({0})"},
    example="erf(x) --x 0.5",
)
gate(
    "erfc",
    "complementary error function, 1 - erf(x)",
    family=FAMILY,
    sentence="Multiplies the gradient by `-2/sqrt(pi)*exp(-x^2)`.",
    scalar=math.erfc,
    array=lambda np, x: _each("erfc", x),
    partials=lambda y, x: (-(TWO_OVER_SQRT_PI * exp(-square(x))),),
    spelled={"jax": "jax.scipy.special.erfc({0})", "latex": r"\operatorname{erfc}", "javascript": "erfc({0})"},
    example="erfc(x) --x 2",
)
