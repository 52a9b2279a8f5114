"""Gates that choose: comparisons, the larger, the smaller, the one or the other."""

from __future__ import annotations

from typing import Any

from gradcalc.gates import ieee
from gradcalc.gates.algebra import equals, only
from gradcalc.gates.record import Syntax, Where, gate

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
        kinks=Where("a = b (a jump)", lambda a, b: a == b),
        constant=True,
        samples=((-2.0, -0.5), (0.5, 2.0)),
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


gate(
    "max",
    "the largest",
    family=FAMILY,
    sentence="Routes the gradient to the larger input; equal ones share it.",
    arity=(2, None),
    scalar=ieee.maximum,
    array=_pairwise("maximum"),
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
    array=_pairwise("minimum"),
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
    formula="min(max(x, low), high)",
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
    kinks=Where("the condition is 0 (a jump in it)", lambda condition, yes, no: condition == 0),
    samples=((0.5, 2.0), (-2.0, 2.0), (-2.0, 2.0)),
    example="where(x < 1, x, sqrt(x)) --x 4",
)
