"""From a gradient and a numerical derivative with an error bar to a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from gradcalc.checking.differences import EPSILON, Slope, Slopes

VERDICTS = ("off", "ok", "kink", "edge", "unsure", "mismatch")
"""From best to worst; a result's verdict is the worst of its nodes'."""

CANCELLED = "the gradient has lost its digits: large terms cancel in it"
TOO_FAST = "the function changes faster than the steps can follow"

BARS = 3.0
"""How many error bars a difference may have."""


@dataclass(slots=True)
class Check:
    """What the check says of one number.

    Attributes:
        numerical: the numerical derivative.
        bar: how far it may be off.
        verdict: one of `VERDICTS`.
        slopes: from below and from above, at kinks and edges.
        note: the reason, in words.
        suspect: whether the difference can only be a defect, if the gates' own rules confirm it.
    """

    numerical: float
    bar: float
    verdict: str
    slopes: tuple[float, float] | None = None
    note: str = ""
    suspect: bool = False


class Point(NamedTuple):
    """Where a derivative is taken, and what is known of it.

    `trust` is how far the gradient itself may be off by rounding; `size` how large a derivative of this function is expected
    to be, by its value and the point's distance from zero; `singular` whether a gate on the way is at a point where its record
    says it has no derivative, with the record's words.
    """

    trust: float
    size: float
    singular: str


def worst(verdicts: list[str]) -> str:
    """The worst of some verdicts."""
    return max(verdicts, key=VERDICTS.index, default="off")


def digits_agreeing(gradient: float, numerical: float, bar: float) -> int | None:
    """How many significant digits two numbers share, at most what the error bar lets one say; None where it makes no sense."""
    if not (math.isfinite(gradient) and math.isfinite(numerical)):
        return None
    largest = max(abs(gradient), abs(numerical))
    if largest == 0.0:
        return 16
    if largest <= bar:
        return None  # zero, as far as can be told
    error = max(abs(gradient - numerical), bar, EPSILON * largest) / largest
    return 16 if error == 0.0 else max(0, min(16, math.floor(-math.log10(error))))


def judge(gradient: float, slopes: Slopes, point: Point) -> Check:
    """Compare a gradient with the slopes that the function shows."""
    central, left, right = slopes
    from_left, from_right = left.value == left.value, right.value == right.value
    if not (from_left and from_right):
        return _at_an_edge(gradient, left if from_left else right, left, right, point)
    if _differ(left, right):
        return _at_a_kink(gradient, left, right, point)
    if math.isinf(left.value):
        return _infinite(left, right, point)
    central = _sharper(central, left, right)
    if not math.isfinite(gradient):
        verdict = "kink" if point.singular else "unsure"
        return Check(central.value, central.bar, verdict, None, point.singular or "the gradient is not finite")
    difference = abs(gradient - central.value)
    if difference <= BARS * central.bar + point.trust:
        if difference and _too_wide(gradient, central, point):
            return Check(central.value, central.bar, "unsure", None, "the error bar is too wide to tell")
        if difference > max(BARS * central.bar, 1e-3 * abs(central.value)):
            return Check(central.value, central.bar, "unsure", None, CANCELLED)
        return Check(central.value, central.bar, "ok")
    if point.singular:
        return Check(central.value, central.bar, "kink", (left.value, right.value), point.singular)
    return _suspicion(central)


def _sharper(central: Slope, left: Slope, right: Slope) -> Slope:
    """The central slope, or the mean of those on the two sides: where only these are smooth (x*abs(x) at 0), they know better."""
    bar = left.bar + right.bar
    if bar < central.bar and abs(left.value - right.value) <= BARS * bar:
        return Slope(0.5 * (left.value + right.value), bar, central.resolved or (left.resolved and right.resolved))
    return central


def _at_an_edge(gradient: float, side: Slope, left: Slope, right: Slope, point: Point) -> Check:
    """The function has no value on one side of the point, or on both."""
    pair = (left.value, right.value)
    agrees = side.value != side.value or gradient == side.value
    agrees = agrees or abs(gradient - side.value) <= BARS * side.bar + point.trust
    if side.value != side.value and not point.singular and math.isinf(gradient):
        return Check(side.value, side.bar, "unsure", None, "the gradient is beyond what floats hold")
    if agrees or point.singular or not math.isfinite(gradient):
        alone = side.value != side.value
        words = "the function has no value on either side" if alone else point.singular or "the function has no value on one side"
        return Check(side.value, side.bar, "edge", pair, words)
    return _suspicion(side)


def _at_a_kink(gradient: float, left: Slope, right: Slope, point: Point) -> Check:
    """The slopes from below and from above differ; any value between them is lawful."""
    if math.isinf(left.value) or math.isinf(right.value):
        return _infinite(left, right, point)
    low, high = sorted((left, right), key=lambda slope: slope.value)
    lawful = low.value - BARS * low.bar - point.trust <= gradient <= high.value + BARS * high.bar + point.trust
    middle = 0.5 * (left.value + right.value)
    if lawful or point.singular or not math.isfinite(gradient):
        words = point.singular or "a kink so near that rounding does not tell it from the point"
        return Check(middle, 0.5 * abs(high.value - low.value), "kink", (left.value, right.value), words)
    return _suspicion(Slope(middle, 0.5 * abs(high.value - low.value), True))


def _infinite(left: Slope, right: Slope, point: Point) -> Check:
    """A jump or a vertical tangent, which some gate's record tells of; without that, a function that changes too fast to see."""
    middle = 0.5 * (left.value + right.value)
    if point.singular:
        return Check(middle, math.inf, "kink", (left.value, right.value), point.singular)
    return Check(middle, math.inf, "unsure", None, TOO_FAST)


def _suspicion(slope: Slope) -> Check:
    if not slope.resolved or math.isinf(slope.value):
        return Check(slope.value, slope.bar, "unsure", None, TOO_FAST)
    return Check(slope.value, slope.bar, "mismatch", None, "", suspect=True)


def _differ(left: Slope, right: Slope) -> bool:
    if math.isinf(left.value) or math.isinf(right.value):
        return bool(left.value != right.value)
    return bool(left.resolved and right.resolved and abs(left.value - right.value) > BARS * (left.bar + right.bar))


def _too_wide(gradient: float, slope: Slope, point: Point) -> bool:
    return bool(too_wide(slope.bar, max(abs(gradient), abs(slope.value)), point.size))


def too_wide(bar: Any, size: Any, expected: Any) -> Any:
    """Whether an error bar says too little about a derivative of this size, of numbers or of arrays."""
    return (bar > 1e-3 * size) & (bar > 1e-9 * expected)
