"""Claims about derivatives, compared with the derivatives as functions, and gradients checked at many points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gradcalc.checking.check import check
from gradcalc.checking.functions import NOWHERE, SIMPLE, Function, Point, Reading
from gradcalc.checking.verdicts import BARS, VERDICTS, Check, worst

SHARP = 1e-7
"""An agreement counts if the error bar is below this part of the values: a claim that is off by a millionth is found."""


class Difference(NamedTuple):
    """Two values side by side; of arrays the element at which they differ most, compared with their error bars.

    Attributes:
        verdict: `ok`, `mismatch`, or `unsure` where the values can't tell.
        claimed: the value of the claim.
        true: the value that it should have.
        bar: how far the two may be apart by rounding.
        element: where in an array, None for numbers.
    """

    verdict: str
    claimed: float
    true: float
    bar: float
    element: tuple[int, ...] | None = None

    @property
    def by(self) -> float:
        """How far the claim is off."""
        return abs(self.claimed - self.true)


def compare(claimed: Reading, true: Reading) -> Difference:
    """Judge a claimed value by the error bars of both."""
    if isinstance(claimed.value, float) and isinstance(true.value, float):
        bar = BARS * (claimed.noise + true.noise)
        return Difference(_judged(claimed, true, bar), claimed.value, true.value, bar)
    import numpy

    values = numpy.broadcast_arrays(claimed.value, true.value, claimed.noise, true.noise)
    size = values[0].size
    if not size:
        return Difference("ok", 0.0, 0.0, 0.0)
    with numpy.errstate(all="ignore"):
        excess = abs(values[0] - values[1]) - BARS * (values[2] + values[3])
    flat = int(numpy.argmax(numpy.where(numpy.isnan(excess), math.inf, excess)))
    at = tuple(int(number) for number in numpy.unravel_index(flat, excess.shape))
    c, t, noise_c, noise_t = (float(value[at]) for value in values)
    bar = BARS * (noise_c + noise_t)
    verdict = _judged(Reading(c, noise_c, claimed.kind), Reading(t, noise_t, true.kind), bar)
    return Difference(verdict, c, t, bar, at if excess.shape else None)


def _judged(claimed: Reading, true: Reading, bar: float) -> str:
    if true.kind != SIMPLE or not math.isfinite(true.value):
        return "unsure"
    if claimed.kind != SIMPLE or not math.isfinite(claimed.value):
        return "mismatch" if claimed.kind == NOWHERE and claimed.value != claimed.value else "unsure"
    difference = abs(claimed.value - true.value)
    if difference > bar:
        return "mismatch"
    size = max(abs(claimed.value), abs(true.value))
    return "ok" if difference == 0.0 or bar <= SHARP * size else "unsure"


# ---- claims ----------------------------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """A derivative as somebody worked it out.

    Attributes:
        names: what the output is differentiated by, in turn.
        text: the claim as it was written.
        function: what it says.
    """

    names: tuple[str, ...]
    text: str
    function: Function


class Seen(NamedTuple):
    """A claim and the truth at one point."""

    point: Point
    claimed: Reading
    true: Reading
    difference: Difference


@dataclass
class ClaimResult:
    """What came out for one claim.

    Attributes:
        claim: what was claimed.
        verdict: `ok`, `kink` or `edge` (lawful there), `unsure` or `mismatch`.
        same: whether the two are one formula after simplification.
        derivative: the right derivative as a formula, empty where it is too long.
        given: the comparison at the given point, None without one.
        seen: the comparisons at all other points.
        hints: the slips that explain a wrong claim at every point.
        note: a sentence on the given point, or on what could not be judged.
    """

    claim: Claim
    verdict: str = "unsure"
    same: bool = False
    derivative: str = ""
    given: Seen | None = None
    seen: list[Seen] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def counts(self) -> Counter[str]:
        """How often each verdict was given at the random points."""
        return Counter(entry.difference.verdict for entry in self.seen)

    @property
    def example(self) -> Seen | None:
        """Where the claim is off: at the given point if it is, else at the plainest of the others."""
        wrong = [entry for entry in self.seen if entry.difference.verdict == "mismatch"]
        if self.given is not None and self.given.difference.verdict == "mismatch":
            return self.given
        return min(wrong, key=plainness, default=None)


def plainness(seen: Seen) -> tuple[float, float]:
    """Points with numbers of ordinary size come first, and among them those at which the two differ most."""
    difference = seen.difference
    sizes = [abs(math.log10(abs(value))) for value in seen.point.values() if isinstance(value, float) and value]
    size = max(abs(difference.claimed), abs(difference.true))
    relative = difference.by / size if size and math.isfinite(size) else 1.0
    return float(round(max(sizes, default=0.0))), -relative


def judge_claim(
    claim: Claim,
    derivative: Function,
    given: Point | None,
    points: Iterable[Point],
    at_given: tuple[Any, Check] | None = None,
    exact: bool = False,
) -> ClaimResult:
    """Compare a claim with the derivative at the given point and at others.

    Args:
        claim: what is claimed.
        derivative: the truth.
        given: the point that the user gave, if there is one.
        points: all others.
        at_given: the gradient at the given point, and its check: at a kink every slope between the two sides is lawful.
        exact: whether doubts are settled with fifty digits.

    Raises:
        MissingExtra: `exact` without mpmath.
    """
    result = ClaimResult(claim)
    for point in points:
        result.seen.append(compare_at(claim.function, derivative, point, exact))
    if given is not None:
        result.given = _at_given(compare_at(claim.function, derivative, given, exact), at_given, result)
    counts = result.counts
    at = "unsure" if result.given is None else result.given.difference.verdict
    if counts["mismatch"] or at == "mismatch":
        result.verdict = "mismatch"
    elif counts["ok"] or at in ("ok", "kink", "edge"):
        result.verdict = at if at in ("kink", "edge") else "ok"
    return result


def compare_at(claimed: Function, true: Function, point: Point, exact: bool = False, sided: bool = False) -> Seen:
    """Compare two functions at a point; with `exact`, what floats can't tell is settled with fifty digits; see `Function.read`."""
    told, known = claimed.read(point, sided), true.read(point, sided)
    difference = compare(told, known)
    numbers = claimed.shapes is None and true.shapes is None
    if exact and numbers and difference.verdict == "unsure" and told.kind == known.kind == SIMPLE:
        told, known = claimed.read_exactly(point), true.read_exactly(point)
        difference = compare(told, known)
    return Seen(point, told, known, difference)


def _at_given(seen: Seen, at_given: tuple[Any, Check] | None, result: ClaimResult) -> Seen:
    """The comparison at the given point, where the derivative may be a convention."""
    if at_given is None:
        return seen
    gradient, found = at_given
    claimed = seen.claimed.value
    if not (isinstance(claimed, float) and isinstance(gradient, float)):
        return seen
    if found.slopes is not None and found.verdict in ("kink", "edge"):
        known = [slope for slope in found.slopes if slope == slope]
        # Two slopes that differ are told exactly enough; the bar of the check is the distance between them.
        bar = seen.difference.bar if math.isfinite(seen.difference.bar) else 0.0
        bar += BARS * found.bar if len(set(known)) == 1 and math.isfinite(found.bar) else 1e-9 * max(map(abs, known), default=0.0)
        lawful = not known or min(known) - bar <= claimed <= max(known) + bar
        lawful = lawful or claimed == gradient or not (math.isfinite(claimed) and math.isfinite(gradient))
        verdict = found.verdict if lawful else "mismatch"
        result.note = f"at the given point there is {'a kink' if found.verdict == 'kink' else 'an edge'}"
        return seen._replace(difference=seen.difference._replace(verdict=verdict, true=gradient))
    if seen.true.kind != SIMPLE and math.isfinite(gradient):
        return seen._replace(difference=compare(seen.claimed, Reading(gradient, abs(gradient) * 1e-14, SIMPLE)))
    return seen


def where_it_holds(result: ClaimResult) -> str:
    """The sign of an input that tells the points at which a claim is right from those at which it is wrong, in words."""
    right = [seen.point for seen in result.seen if seen.difference.verdict == "ok"]
    wrong = [seen.point for seen in result.seen if seen.difference.verdict == "mismatch"]
    if len(right) < 3 or len(wrong) < 3:
        return ""
    for name, value in wrong[0].items():
        if not isinstance(value, float):
            continue
        good, bad = [point[name] for point in right], [point[name] for point in wrong]
        if min(good) >= 0.0 > max(bad):
            return f"it is right where {name} > 0, and wrong where {name} < 0"
        if max(good) <= 0.0 < min(bad):
            return f"it is right where {name} < 0, and wrong where {name} > 0"
    return ""


# ---- gradients at many points ----------------------------------------------------------------------------------------------------


@dataclass
class GradientResult:
    """How a derivative fared against numerics.

    Attributes:
        names: what the output is differentiated by, in turn.
        gradient: at the given point, None without one.
        given: its check.
        counts: how often each verdict was given at the other points.
        worst_point: the point, gradient and check of the worst verdict among them, if it is not `ok`.
    """

    names: tuple[str, ...]
    gradient: Any = None
    given: Check | None = None
    counts: Counter[str] = field(default_factory=Counter)
    worst_point: tuple[Point, Any, Check] | None = None

    @property
    def verdict(self) -> str:
        """The verdict at the given point, or worse: one mismatch anywhere, or nothing but doubt at the other points."""
        found = [] if self.given is None else [self.given.verdict]
        if self.counts["mismatch"]:
            found.append("mismatch")
        elif self.counts and set(self.counts) <= {"unsure", "off"}:
            found.append("unsure")
        elif self.counts:
            found.append("ok")
        return worst(found)


def check_gradients(
    function: Function,
    names: Sequence[str],
    given: Point | None,
    points: Iterable[Point],
    method: str = "auto",
    every: bool = False,
    before: tuple[str, ...] = (),
    progress: Callable[[], None] = lambda: None,
) -> list[GradientResult]:
    """Compare the gradient by each of these inputs with numerical derivatives, at the given point and at others.

    Args:
        function: what is differentiated.
        names: the inputs to differentiate by.
        given: the point that the user gave.
        points: all others.
        method: how numerical derivatives are taken.
        every: whether every element of large arrays is checked.
        before: what the function was differentiated by already.
        progress: is called after each point.

    Raises:
        MissingExtra: `exact` without mpmath.
    """
    results = {name: GradientResult((*before, name)) for name in names}
    nodes = {name: node for name, node in function.input_nodes().items() if name in results}
    if given is not None:
        for name, (gradient, found) in _checked(function, given, nodes, method, every).items():
            results[name].gradient, results[name].given = gradient, found
    for point in points:
        for name, (gradient, found) in _checked(function, point, nodes, method, every).items():
            if found.verdict == "off":
                continue  # the derivative itself has no value here
            result = results[name]
            result.counts[found.verdict] += 1
            before_it = result.worst_point
            badness = VERDICTS.index(found.verdict)
            if found.verdict != "ok" and (before_it is None or badness > VERDICTS.index(before_it[2].verdict)):
                result.worst_point = point, gradient, found
        progress()
    return list(results.values())


def _checked(function: Function, point: Point, nodes: Mapping[str, int], method: str, every: bool) -> dict[str, tuple[Any, Check]]:
    if not nodes:
        return {}
    evaluation = function.evaluate(point, nodes)
    wanted = [node for node in nodes.values() if evaluation.wanted[node]]
    found, _ = check(evaluation, wanted, method, every)
    return {name: (evaluation.gradients[node], found(node)) for name, node in nodes.items() if evaluation.wanted[node]}
