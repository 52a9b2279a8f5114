"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

import math

from gradcalc.gates.algebra import cos, cosh, hypot, sin, sinh, sqrt, square
from gradcalc.gates.record import Where, gate

FAMILY = "trigonometry"

gate(
    "sin",
    "sine",
    family=FAMILY,
    sentence="Multiplies the gradient by `cos(x)`.",
    scalar=math.sin,
    partials=lambda y, x: (cos(x),),
    analytic=True,
    spelled={"latex": r"\sin"},
    example="sin(x) --x pi/6",
)
gate(
    "cos",
    "cosine",
    family=FAMILY,
    sentence="Multiplies the gradient by `-sin(x)`.",
    scalar=math.cos,
    partials=lambda y, x: (-sin(x),),
    analytic=True,
    spelled={"latex": r"\cos"},
    example="cos(x) --x pi/3",
)
gate(
    "tan",
    "tangent",
    family=FAMILY,
    sentence="Multiplies the gradient by `1 + tan(x)^2`.",
    scalar=math.tan,
    partials=lambda y, x: (1.0 + square(y),),
    domain=Where("cos(x) != 0", lambda x: x == x),
    analytic=True,
    samples=((-1.2, 1.2),),
    spelled={"latex": r"\tan"},
    example="tan(x) --x pi/4",
)
_UNIT = Where("-1 <= x <= 1", lambda x: (x >= -1) & (x <= 1))
_UNIT_EDGES = Where("x = -1 and x = 1: infinite slope", lambda x: (x == -1) | (x == 1))
gate(
    "asin",
    "inverse sine",
    family=FAMILY,
    sentence="Divides the gradient by `sqrt(1 - x^2)`.",
    aliases=("arcsin",),
    scalar=math.asin,
    array="arcsin",
    exact=lambda mp, x: mp.asin(x) if -1 <= x <= 1 else mp.nan,
    partials=lambda y, x: (1.0 / sqrt((1.0 - x) * (1.0 + x)),),
    domain=_UNIT,
    edges=_UNIT_EDGES,
    analytic=True,
    samples=((-0.9, 0.9),),
    spelled={"latex": r"\arcsin"},
    example="asin(x) --x 0.5",
)
gate(
    "acos",
    "inverse cosine",
    family=FAMILY,
    sentence="Divides the gradient by `-sqrt(1 - x^2)`.",
    aliases=("arccos",),
    scalar=math.acos,
    array="arccos",
    exact=lambda mp, x: mp.acos(x) if -1 <= x <= 1 else mp.nan,
    partials=lambda y, x: (-(1.0 / sqrt((1.0 - x) * (1.0 + x))),),
    domain=_UNIT,
    edges=_UNIT_EDGES,
    analytic=True,
    samples=((-0.9, 0.9),),
    spelled={"latex": r"\arccos"},
    example="acos(x) --x 0.5",
)
gate(
    "atan",
    "inverse tangent",
    family=FAMILY,
    sentence="Divides the gradient by `1 + x^2`.",
    aliases=("arctan",),
    scalar=math.atan,
    array="arctan",
    partials=lambda y, x: (1.0 / (1.0 + square(x)),),
    analytic=True,
    spelled={"latex": r"\arctan"},
    example="atan(x) --x 1",
)
gate(
    "atan2",
    "angle of the point (x, y)",
    family=FAMILY,
    sentence="Multiplies the gradient by `x/(x^2 + y^2)` for `y`, and by `-y/(x^2 + y^2)` for `x`.",
    arity=2,
    parameters=("y", "x"),
    aliases=("arctan2",),
    scalar=math.atan2,
    array="arctan2",
    # Only differences along the imaginary axis matter, so the quadrant may come from the real parts.
    complex=lambda np, a, b: np.where(
        abs(b.real) >= abs(a.real),
        np.arctan(a / np.where(b == 0, 1, b)) + np.arctan2(a.real, b.real) - np.arctan(a.real / np.where(b == 0, 1, b).real),
        -np.arctan(b / np.where(a == 0, 1, a)) + np.arctan2(a.real, b.real) + np.arctan(b.real / np.where(a == 0, 1, a).real),
    ),
    partials=lambda angle, y, x: (x / hypot(y, x) / hypot(y, x), -(y / hypot(y, x) / hypot(y, x))),
    conventions=lambda angle, y, x: (0.0, 0.0) if y == x == 0 else (math.nan, math.nan),
    kinks=Where("y = 0 and x <= 0: 0 in both at the origin", lambda y, x: (y == 0) & (x <= 0)),
    analytic=True,
    samples=((0.3, 2.0), (-2.0, 2.0)),
    spelled={"javascript conventions": "{0} === 0 && {1} === 0 ? [0, 0] : [NaN, NaN]"},
    example="atan2(y, x) --y 1 --x -1",
)
gate(
    "sinh",
    "hyperbolic sine",
    family=FAMILY,
    sentence="Multiplies the gradient by `cosh(x)`.",
    scalar=math.sinh,
    otherwise=lambda x: math.copysign(math.inf, x),
    partials=lambda y, x: (cosh(x),),
    analytic=True,
    spelled={"latex": r"\sinh"},
    example="sinh(x) --x 1",
)
gate(
    "cosh",
    "hyperbolic cosine",
    family=FAMILY,
    sentence="Multiplies the gradient by `sinh(x)`.",
    scalar=math.cosh,
    partials=lambda y, x: (sinh(x),),
    analytic=True,
    spelled={"latex": r"\cosh"},
    example="cosh(x) --x 1",
)
gate(
    "tanh",
    "hyperbolic tangent",
    family=FAMILY,
    sentence="Multiplies the gradient by `1/cosh(x)^2`, which is small far from zero.",
    scalar=math.tanh,
    # 1 - tanh(x)^2 loses all digits from x = 19 on, where the slope is still 1e-16.
    partials=lambda y, x: (square(1.0 / cosh(x)),),
    analytic=True,
    spelled={"latex": r"\tanh"},
    example="tanh(x) --x 0.5",
)
gate(
    "asinh",
    "inverse hyperbolic sine",
    family=FAMILY,
    sentence="Divides the gradient by `sqrt(x^2 + 1)`.",
    aliases=("arcsinh",),
    scalar=math.asinh,
    array="arcsinh",
    partials=lambda y, x: (1.0 / hypot(x, 1.0),),
    analytic=True,
    example="asinh(x) --x 1",
)
gate(
    "acosh",
    "inverse hyperbolic cosine",
    family=FAMILY,
    sentence="Divides the gradient by `sqrt(x^2 - 1)`.",
    aliases=("arccosh",),
    scalar=math.acosh,
    array="arccosh",
    exact=lambda mp, x: mp.acosh(x) if x >= 1 else mp.nan,
    partials=lambda y, x: (1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),),
    domain=Where("x >= 1", lambda x: x >= 1),
    edges=Where("x = 1: slope inf", lambda x: x == 1),
    analytic=True,
    samples=((1.2, 4.0),),
    example="acosh(x) --x 2",
)
gate(
    "atanh",
    "inverse hyperbolic tangent",
    family=FAMILY,
    sentence="Divides the gradient by `1 - x^2`.",
    aliases=("arctanh",),
    scalar=math.atanh,
    otherwise=lambda x: math.copysign(math.inf, x) if abs(x) == 1 else math.nan,
    array="arctanh",
    exact=lambda mp, x: mp.atanh(x) if -1 < x < 1 else (mp.sign(x) * mp.inf if abs(x) == 1 else mp.nan),
    partials=lambda y, x: (1.0 / ((1.0 - x) * (1.0 + x)),),
    domain=Where("-1 < x < 1", lambda x: (x > -1) & (x < 1)),
    edges=Where("x = -1 and x = 1: infinite value and slope", lambda x: (x == -1) | (x == 1)),
    analytic=True,
    samples=((-0.9, 0.9),),
    example="atanh(x) --x 0.5",
)
gate(
    "hypot",
    "length of the vector (a, b)",
    family=FAMILY,
    sentence="Multiplies the gradient by each input's share of the length, `a/y` and `b/y`.",
    arity=2,
    scalar=math.hypot,
    commutative=True,
    complex=lambda np, a, b: np.sqrt(a * a + b * b),
    partials=lambda y, a, b: (a / y, b / y),
    conventions=lambda y, a, b: (0.0, 0.0) if y == 0 else (math.nan, math.nan),
    kinks=Where("a = b = 0: slope 0 in both", lambda a, b: (a == 0) & (b == 0)),
    analytic=True,
    samples=((0.3, 2.0), (-2.0, 2.0)),
    spelled={"latex": r"\sqrt{{{0}^{{2}} + {1}^{{2}}}}", "javascript conventions": "{y} === 0 ? [0, 0] : [NaN, NaN]"},
    example="hypot(a, b) --a 3 --b 4",
)
