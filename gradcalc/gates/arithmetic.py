"""The arithmetic gates: what a pocket calculator has on its keys."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates import ieee
from gradcalc.gates.algebra import floor, log, sign, square
from gradcalc.gates.record import Syntax, Where, gate

FAMILY = "arithmetic"

UNRESOLVED = 2.0**32
"""A number so many times as large as the distance between jumps is taken to be at one."""

gate(
    "+",
    "sum",
    family=FAMILY,
    sentence="Hands the gradient on, unchanged, to both inputs.",
    arity=2,
    syntax=Syntax("infix", "+", 2),
    commutative=True,
    scalar="{0} + {1}",
    array="add",
    exact=lambda mp, a, b: a + b,
    partials=lambda y, a, b: (1.0, 1.0),
    analytic=True,
    linear=True,
    example="a+b --a 1 --b 2",
)
gate(
    "-",
    "difference",
    family=FAMILY,
    sentence="Hands the gradient on to the first input and, with its sign turned, to the second.",
    arity=2,
    syntax=Syntax("infix", "-", 2),
    scalar="{0} - {1}",
    array="subtract",
    exact=lambda mp, a, b: a - b,
    partials=lambda y, a, b: (1.0, -1.0),
    analytic=True,
    linear=True,
    example="a-b --a 1 --b 2",
)
gate(
    "*",
    "product",
    family=FAMILY,
    sentence="Swaps the factors: each input gets the gradient times the other input.",
    arity=2,
    syntax=Syntax("infix", "*", 3),
    commutative=True,
    scalar="{0} * {1}",
    array="multiply",
    exact=lambda mp, a, b: a * b,
    partials=lambda y, a, b: (b, a),
    analytic=True,
    linear=True,
    example="a*b --a 11 --b 22",
)
gate(
    "/",
    "quotient",
    family=FAMILY,
    sentence="Divides the gradient by the divisor for the first input, and times minus the quotient for the second.",
    arity=2,
    syntax=Syntax("infix", "/", 3),
    scalar="{0} / {1}",
    otherwise=ieee.divide,
    array="divide",
    exact=lambda mp, a, b: a / b,
    partials=lambda y, a, b: (1.0 / b, -(y / b)),
    domain=Where("b != 0", lambda a, b: b != 0),
    analytic=True,
    samples=((-2.0, 2.0), (0.5, 3.0)),
    example="a/b --a 1 --b 3",
)
gate(
    "%",
    "remainder, with the sign of the divisor",
    family=FAMILY,
    sentence="Hands the gradient on to the first input, and times `-floor(a/b)` to the divisor.",
    arity=2,
    syntax=Syntax("infix", "%", 3),
    scalar="{0} % {1}",
    otherwise=ieee.remainder,
    array="mod",
    exact=lambda mp, a, b: a - b * mp.floor(a / b),
    partials=lambda y, a, b: (1.0, -floor(a / b)),
    domain=Where("b != 0", lambda a, b: b != 0),
    # Where a is that much larger, the jumps lie closer together than anything that a difference could resolve.
    kinks=Where(
        "a is a multiple of b (a jump): the slope from above",
        lambda a, b: (a % b == 0) | (abs(a) > UNRESOLVED * abs(b)),
    ),
    samples=((0.2, 0.9), (1.1, 2.0)),
    spelled={"python": "remainder({0}, {1})", "c": "modulo({0}, {1})", "javascript": "remainder({0}, {1})"},
    example="a%b --a 7.5 --b 2",
)
gate(
    "neg",
    "negation",
    family=FAMILY,
    sentence="Turns the sign of the gradient.",
    syntax=Syntax("prefix", "-", 4),
    scalar="-{0}",
    array="negative",
    exact=lambda mp, x: -x,
    partials=lambda y, x: (-1.0,),
    analytic=True,
    linear=True,
    example="-x --x 2",
)


IDENTITY = gate(
    "=",
    "another name",
    family=FAMILY,
    sentence="Lets the gradient pass.",
    scalar="{0}",
    array=lambda np, x: x,
    exact=lambda mp, x: x,
    partials=lambda y, x: (1.0,),
    analytic=True,
    linear=True,
    spelled={"javascript": "{0}"},
    listed=False,
)
"""What `b = a` makes, and a user gate that is one of its parameters: a node of its own with the value of another."""


def _power_conventions(y: float, a: float, b: float) -> tuple[float, float]:
    """At a = 0: x^0 is the constant 1, and 0^y is the constant 0 for y > 0."""
    return (0.0 if a == 0.0 and b == 0.0 else math.nan, 0.0 if a == 0.0 and b >= 0.0 else math.nan)


gate(
    "pow",
    "power",
    family=FAMILY,
    sentence="Multiplies the gradient by `b*a^(b - 1)` for the base, and by `a^b*log(a)` for the exponent.",
    arity=2,
    syntax=Syntax("infix", "^", 5, "right"),
    scalar=math.pow,
    otherwise=ieee.power,
    array="power",
    exact=lambda mp, a, b: mp.mpf(1) if b == 0 else _real_power(mp, a, b),
    partials=lambda y, a, b: (b * a ** (b - 1.0), y * log(a)),
    conventions=_power_conventions,
    domain=Where("a >= 0, or b a whole number", lambda a, b: (a >= 0) | (b % 1 == 0)),
    # A negative base has an edge in the exponent only, which shows by itself: there is no value beside a whole exponent.
    edges=Where("a = 0; in the exponent also a < 0", lambda a, b: a == 0),
    kinks=Where("a = b = 0: 0 in both", lambda a, b: (a == 0) & (b == 0)),
    analytic=True,
    samples=((0.3, 2.5), (-2.0, 2.5)),
    spelled={
        "python": "power({0}, {1})",
        "c": "pow({0}, {1})",
        "javascript": "power({0}, {1})",
        "javascript conventions": "[{0} === 0 && {1} === 0 ? 0 : NaN, {0} === 0 && {1} >= 0 ? 0 : NaN]",
    },
    example="a^b --a 2 --b 10",
)


def _real_power(mp: Any, a: Any, b: Any) -> Any:
    """mpmath's power where it is real, nan elsewhere (as `math.pow`)."""
    if a < 0 and b != mp.floor(b):
        return mp.nan
    if a == 0 and b < 0:
        return mp.inf
    return a**b


gate(
    "square",
    "square",
    family=FAMILY,
    sentence="Multiplies the gradient by twice the input.",
    scalar="{0} * {0}",
    array="square",
    exact=lambda mp, x: x * x,
    partials=lambda y, x: (2.0 * x,),
    analytic=True,
    spelled={"python": "square({0})", "numpy": "{0}**2", "torch": "{0}**2", "c": "square({0})", "javascript": "{0} * {0}"},
    example="square(a) --a 11",
)
gate(
    "sqrt",
    "square root",
    family=FAMILY,
    sentence="Divides the gradient by twice the root.",
    scalar=math.sqrt,
    exact=lambda mp, x: mp.sqrt(x) if x >= 0 else mp.nan,
    partials=lambda y, x: (0.5 / y,),
    domain=Where("x >= 0", lambda x: x >= 0),
    edges=Where("x = 0: slope inf", lambda x: x == 0),
    analytic=True,
    samples=((0.1, 4.0),),
    spelled={"latex": r"\sqrt{{{0}}}"},
    example="sqrt(x) --x 2",
)
gate(
    "cbrt",
    "cube root",
    family=FAMILY,
    sentence="Divides the gradient by three times the squared root.",
    scalar=math.cbrt,
    complex=lambda np, x: np.sign(x.real) * (x * np.sign(x.real)) ** (1 / 3),
    exact=lambda mp, x: mp.sign(x) * mp.cbrt(abs(x)),
    partials=lambda y, x: (1.0 / (3.0 * square(y)),),
    kinks=Where("x = 0: slope inf", lambda x: x == 0),
    analytic=True,
    samples=((0.2, 3.0),),
    spelled={"latex": r"\sqrt[3]{{{0}}}"},
    example="cbrt(x) --x 8",
)
gate(
    "reciprocal",
    "reciprocal",
    family=FAMILY,
    sentence="Multiplies the gradient by minus the square of the result.",
    scalar="1.0 / {0}",
    otherwise=lambda x: ieee.divide(1.0, x),
    exact=lambda mp, x: 1 / x,
    partials=lambda y, x: (-square(y),),
    domain=Where("x != 0", lambda x: x != 0),
    analytic=True,
    samples=((0.3, 3.0),),
    spelled={
        "python": "divide(1.0, {0})",
        "numpy": "1.0 / {0}",
        "torch": "1.0 / {0}",
        "c": "1.0 / {0}",
        "latex": r"\frac{{1}}{{{0}}}",
        "javascript": "1 / {0}",
    },
    example="reciprocal(a) --a 3",
)
gate(
    "abs",
    "absolute value",
    family=FAMILY,
    sentence="Hands the gradient on with the sign of the input.",
    scalar=abs,
    exact=lambda mp, x: abs(x),
    partials=lambda y, x: (sign(x),),
    kinks=Where("x = 0: slope 0", lambda x: x == 0),
    samples=((0.2, 2.0),),
    spelled={"python": "abs({0})", "c": "fabs({0})", "latex": r"\left|{0}\right|"},
    example="abs(x) --x -2",
)
gate(
    "sign",
    "sign",
    family=FAMILY,
    sentence="Stops the gradient: it is flat on both sides of its jump.",
    scalar=ieee.sign,
    exact=lambda mp, x: mp.sign(x),
    partials=lambda y, x: (0.0,),
    kinks=Where("x = 0 (a jump): slope 0", lambda x: x == 0),
    constant=True,
    samples=((0.2, 2.0),),
    spelled={"latex": r"\operatorname{sgn}"},
    example="sign(x) --x -2",
)
gate(
    "floor",
    "largest whole number not above",
    family=FAMILY,
    sentence="Stops the gradient: it is flat between its jumps.",
    scalar=ieee.whole(math.floor),
    exact=lambda mp, x: mp.floor(x),
    partials=lambda y, x: (0.0,),
    kinks=Where("x is whole (a jump): slope 0", lambda x: (x % 1 == 0) | (abs(x) > UNRESOLVED)),
    constant=True,
    samples=((0.2, 0.8),),
    spelled={"latex": r"\left\lfloor {0}\right\rfloor"},
    example="floor(x) --x 2.5",
)
gate(
    "ceil",
    "smallest whole number not below",
    family=FAMILY,
    sentence="Stops the gradient: it is flat between its jumps.",
    scalar=ieee.whole(math.ceil),
    exact=lambda mp, x: mp.ceil(x),
    partials=lambda y, x: (0.0,),
    kinks=Where("x is whole (a jump): slope 0", lambda x: (x % 1 == 0) | (abs(x) > UNRESOLVED)),
    constant=True,
    samples=((0.2, 0.8),),
    spelled={"latex": r"\left\lceil {0}\right\rceil"},
    example="ceil(x) --x 2.5",
)
gate(
    "round",
    "nearest whole number, halves to the even one",
    family=FAMILY,
    sentence="Stops the gradient: it is flat between its jumps.",
    scalar=ieee.whole(round),
    array="rint",
    exact=lambda mp, x: mp.nint(x),
    partials=lambda y, x: (0.0,),
    kinks=Where("x is halfway between whole numbers (a jump): slope 0", lambda x: ((x - 0.5) % 1 == 0) | (abs(x) > UNRESOLVED)),
    constant=True,
    samples=((0.6, 1.4),),
    spelled={"python": "rounded({0})", "c": "rint({0})", "javascript": "roundHalfEven({0})"},
    example="round(x) --x 2.6",
)
