"""The way up or down a function: steps of a method, one after the other, until there is a reason to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from gradcalc.engine.finite import all_finite
from gradcalc.errors import MissingExtra, UsageProblem
from gradcalc.learning.methods import Method
from gradcalc.learning.problem import Problem, flattened, unflattened
from gradcalc.learning.surroundings import ENORMOUS, better_beside, falls_from, far_worse, runs_off, stable_rate

HESSIAN_SIZE = 2000
"""How many elements Newton's method takes: their Hessian has the square of that."""

WORSE_STEPS = 10
"""After so many steps that each made it worse, and each more than the one before, a search is diverging."""

WORSENING = 10.0
"""How much more than the first of these steps the last one has to make it worse."""

HALVINGS = 50
"""How often Newton's method halves a step that makes nothing better."""

SUFFICIENT = 1e-4
"""Which part of the promised gain a step of Newton's method must bring (Armijo's condition)."""

FARTHEST = 1000.0
"""How far a step of Newton's method may go, as a multiple of the size of the point."""

ROUNDING = 4e-16
"""Values that differ by less, relative to their size, are not told apart."""


DEEP = 1e9
"""From a value so many times better than it was of size at the start, it is asked whether the function runs off."""

DEEPER = 1e6
"""And again from so many times that value."""

FAILURES = ("diverging", "unbounded", "stationary", "overflow", "not finite")


class Settings(NamedTuple):
    """How far and how fast to go; a rate of None is the method's own."""

    rate: float | None = None
    steps: int = 1000
    tolerance: float = 1e-8
    seed: tuple[int, ...] = (0,)
    """What random tweaks are drawn from."""


class State(NamedTuple):
    """Where a search is after a step.

    Attributes:
        step: how many steps were made.
        values: the parameters.
        value: the function there.
        slopes: its gradient, None where the method takes none.
        norm: the length of the gradient, without what pushes against a bound; nan where there is none.
    """

    step: int
    values: list[Any]
    value: float
    slopes: Sequence[Any] | None
    norm: float


class Stop(NamedTuple):
    """Why a search ended.

    Attributes:
        kind: `tolerance`, `steps`, `still` (no step makes it better), `interrupted` (by Ctrl-C), or a failure: `diverging`,
            `unbounded`, `stationary` (the gradient vanishes where there is no minimum), `overflow` (inside the method), `not
            finite`.
        words: the same for people.
        values: of a failure the parameters at which it showed.
        stable: of a search that diverged the rate below which it would not have, as far as is known.
        short: whether it ended short of a minimum, since the method gave up where there is better close by.
    """

    kind: str
    words: str
    values: list[Any] | None = None
    stable: float | None = None
    short: bool = False

    @property
    def failed(self) -> bool:
        """Whether the search came to no good end."""
        return self.kind in FAILURES


class Outcome(NamedTuple):
    """A search that is over: where it began, where it came to, and why it ended.

    Attributes:
        start: the first state.
        end: the last state in which all was finite.
        good: the best state before it got worse and worse, if it did; else the end.
        stop: why it ended.
    """

    start: State
    end: State
    good: State
    stop: Stop


class Trend:
    """Watches for values that get worse and worse."""

    def __init__(self) -> None:
        self.worse = 0
        """How many of the last steps in a row made it worse."""
        self._first: float | None = None
        self.best = math.inf
        """The least value so far."""
        self._last = math.inf
        self._gain = 0.0
        self._first_gain = 0.0

    def add(self, value: float) -> bool:
        """Take the next value, small ones being better; answer whether this is going wrong."""
        if self._first is None:
            self._first = value
        self.best = min(self.best, value)
        gain = value - self._last
        if gain <= 0.0 or gain < self._gain:
            self.worse = 0
            self._gain = 0.0
        if gain > 0.0:
            self.worse += 1
            self._gain = gain
            if self.worse == 1:
                self._first_gain = gain
        self._last = value
        if self.worse < WORSE_STEPS or gain <= WORSENING * self._first_gain:
            return False
        return value - self._first > self._first - self.best  # it has lost more than it ever won


class Walk:
    """A search under way: takes every new state, tells those who watch, and knows when to stop.

    What it holds of the states are loose pieces: a step of a small formula takes a few microseconds, and records would double that.
    """

    def __init__(self, problem: Problem, method: Method, settings: Settings, watch: Callable[[State], None] | None = None) -> None:
        self.problem = problem
        self._method = method
        self.stop: Stop | None = None
        self._watch = watch
        self._trend = Trend()
        self._tolerance = settings.tolerance
        self.steps = settings.steps
        self.seed = settings.seed
        self._step = -1
        self._values: list[Any] = []
        self._value = math.nan
        self._slopes: Sequence[Any] | None = None
        self._length = math.nan
        self._deep = -math.inf
        self._start: State | None = None
        self._good: State | None = None

    def goes_on(self, values: list[Any], value: float, slopes: Sequence[Any] | None = None) -> bool:
        """Take the state after one more step (or the first one), and answer whether there is to be another."""
        problem = self.problem
        length = math.nan
        if slopes is not None:
            length = problem.norm(problem.free(values, slopes) if problem.bounds else slopes)
            if length - length != 0.0:
                return self._end(self._not_finite(value), values)
        if value - value != 0.0:
            return self._end(self._not_finite(value), values)
        trend = self._trend
        calm = not trend.worse
        lower = problem.sign * value
        wrong = trend.add(lower)
        if calm and trend.worse and (self._good is None or problem.sign * self._value < problem.sign * self._good.value):
            self._good = self._state()  # the best one before it began to get worse
        still = value == self._value and slopes is not None and same(values, self._values)
        self._values, self._value, self._slopes, self._length = values, value, slopes, length
        self._step += 1
        if self._start is None:
            self._start = self._state()
            self._deep = -DEEP * max(1.0, abs(value))
        if self._watch is not None:
            self._watch(self._state())
        if lower < self._deep and self._runs_off():
            return self._end(self._unbounded(), values)
        if length <= self._tolerance:
            return self._end(Stop("tolerance", f"the gradient is no longer than {self._tolerance:g}"))
        if wrong:
            return self._end(self._diverged(), values)
        if still:
            return self._end(Stop("still", "the last step changed nothing"))
        if self._step >= self.steps:
            return self._end(Stop("steps", "all steps are made"))
        return True

    def _state(self) -> State:
        return State(self._step, self._values, self._value, self._slopes, self._length)

    def rest(self, words: str) -> None:
        """End the search because no step makes it better."""
        self.stop = Stop("still", words)

    def interrupted(self) -> bool:
        """End the search because somebody does not want to wait; answer whether it has come to anything yet."""
        if self._start is None:
            return False
        if self._slopes is None:
            self._value = self.problem.value(self._values)  # it may have come between the two
        else:
            self._value, self._slopes = self.problem.slopes(self._values)
            self._length = self.problem.norm(self.problem.free(self._values, self._slopes))
        self.stop = Stop("interrupted", "interrupted")
        return True

    def outcome(self, first: list[Any]) -> Outcome:
        """What the search came to; if not even its first state was finite, that state."""
        assert self.stop is not None
        if self._start is None:
            nothing = State(0, first, math.nan, None, math.nan)
            return Outcome(nothing, nothing, nothing, self.stop)
        end = self._state()
        good = end
        if self._good is not None and self.stop.kind in ("diverging", "interrupted"):
            good = self._good if self.problem.sign * (self._good.value - end.value) < 0.0 or self.stop.failed else end
        return Outcome(self._start, end, good, self.stop)

    def _end(self, stop: Stop, values: list[Any] | None = None) -> bool:
        self.stop = stop if values is None else stop._replace(values=values)
        return False

    def _runs_off(self) -> bool:
        """Whether the value, which has come very far, has no end."""
        assert self._start is not None
        lower = self.problem.sign * self._value
        self._deep = lower * DEEPER
        return lower < -ENORMOUS * max(1.0, abs(self._start.value)) or runs_off(self.problem, self._start.values, self._values)

    def _unbounded(self) -> Stop:
        return Stop("unbounded", f"it {'rises' if self.problem.uphill else 'falls'} without end")

    def _not_finite(self, value: float) -> Stop:
        step = self._step + 1
        problem, start = self.problem, self._start
        if start is not None and (problem.sign * value == -math.inf or runs_off(problem, start.values, self._values)):
            return self._unbounded()
        if start is not None and self._trend.worse and problem.sign * self._value > problem.sign * start.value:
            return self._diverged()
        return Stop("not finite", f"step {step} met something that is not finite")

    def _diverged(self) -> Stop:
        """The end of a search that overshoots, with the rate that would not have, where it was still good."""
        return Stop("diverging", "every step made it worse than the one before", None, self._stable())

    def _stable(self) -> float | None:
        return None if self._good is None else stable_rate(self.problem, self._good.values, self._method)

    def judge(self, rate: float) -> None:
        """Look at the end of a search: it may be far from the start, and the gradient vanishes on tops and saddles, too."""
        if self.stop is not None and self.stop.kind == "steps" and self._start is not None:
            sign = self.problem.sign
            if far_worse(sign * self._start.value, self._trend.best, sign * self._value, rate, self._stable):
                self.stop = Stop("diverging", "the end is far worse than the start", None, self._stable())
        if self.stop is None or self._slopes is None:
            return
        if self.stop.kind == "still" and better_beside(self.problem, self._values, self._slopes):
            self.stop = self.stop._replace(words=f"{self.stop.words}, though there is better close by", short=True)
        if self.stop.kind != "tolerance":
            return
        if falls_from(self.problem, self._values, self._slopes):
            extreme = "maximum" if self.problem.uphill else "minimum"
            self.stop = Stop("stationary", f"the gradient vanishes here, but this is no {extreme}", self._values)

    def overflowed(self) -> None:
        """The method's own numbers became too large, so that its steps came to nothing."""
        self.stop = Stop("overflow", "the gradient is too large for this method", self._values)


def same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two lists of parameters are the same in every element."""
    return all(a == b if isinstance(a, float) else bool((a == b).all()) for a, b in zip(first, second))


def climb(
    problem: Problem,
    method: Method,
    settings: Settings,
    values: list[Any] | None = None,
    watch: Callable[[State], None] | None = None,
) -> Outcome:
    """Go up or down a function until there is a reason to stop.

    Args:
        problem: the function, and which way is better.
        method: how to make a step.
        settings: how far and how fast.
        values: where to begin, by default at the problem's own start.
        watch: is told every state, the first included.

    After Ctrl-C the outcome is what it has come to; it is up to the caller to stop, too.

    Raises:
        MissingExtra: the method needs what is not installed.
        UsageProblem: the problem is too large for the method.
    """
    values = problem.start if values is None else values
    walk = Walk(problem, method, settings, watch)
    rate = settings.rate if settings.rate is not None else method.rate if method.rate is not None else 1.0
    with _quiet(problem, method):
        try:
            _WAYS.get(method.name, _follow)(problem, method, rate, values, walk)
        except KeyboardInterrupt:
            if not walk.interrupted():
                raise
        walk.judge(rate)
    return walk.outcome(values)


def _quiet(problem: Problem, method: Method) -> AbstractContextManager[object]:
    """No warnings of NumPy's: what is not finite is found and told."""
    if problem.scalar and method.name not in ("newton", "lbfgs"):
        return nullcontext()
    import numpy

    return numpy.errstate(all="ignore")


def _follow(problem: Problem, method: Method, rate: float, values: list[Any], walk: Walk) -> None:
    """Step after step by the method's rule."""
    slopes_at = problem.numerical_slopes if method.needs == "values" else problem.slopes
    rule, memory, rate = method.rule, method.begin(len(values)), problem.sign * rate
    assert rule is not None
    bounded = bool(problem.bounds)
    count = 0
    value, slopes = slopes_at(values)
    while walk.goes_on(values, value, slopes):
        count += 1
        values, memory = rule(values, slopes, memory, rate, count)
        if bounded:
            values = problem.projected(values)
        value, slopes = slopes_at(values)
    if walk.stop is not None and walk.stop.kind == "still" and not all(all_finite(slot) for slots in memory for slot in slots):
        walk.overflowed()


def _search(problem: Problem, method: Method, rate: float, values: list[Any], walk: Walk) -> None:
    """Random local search: tweak every element by up to the rate, and keep the tweak when it is better."""
    import numpy

    rng = numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(walk.seed)))
    best = problem.value(values)
    while walk.goes_on(values, best):
        tweaked = problem.projected([x + _tweak(rng, x, rate) for x in values])
        value = problem.value(tweaked)
        if problem.sign * value < problem.sign * best:
            values, best = tweaked, value


def _tweak(rng: Any, x: Any, rate: float) -> Any:
    return float(rng.uniform(-rate, rate)) if isinstance(x, float) else rng.uniform(-rate, rate, x.shape)


def _newton(problem: Problem, method: Method, rate: float, values: list[Any], walk: Walk) -> None:
    """Newton's method, made safe: away from saddles, and in steps that are halved until they gain something."""
    import numpy

    size = len(flattened(values))
    if size > HESSIAN_SIZE:
        raise UsageProblem(
            f"newton takes at most {HESSIAN_SIZE:,} numbers, and these inputs hold {size:,}", remedy="use --method lbfgs, or adam"
        )
    value, slopes = problem.slopes(values)
    while walk.goes_on(values, value, slopes):
        slope = problem.sign * flattened(problem.free(values, slopes))
        free = slope == problem.sign * flattened(slopes)  # not what is held back by a bound
        curvature = problem.sign * problem.hessian(values)[numpy.ix_(free, free)]
        if not numpy.isfinite(curvature).all():
            walk.rest("the Hessian is not finite here")
            return
        step = numpy.zeros(size)
        reach = FARTHEST * max(1.0, float(numpy.abs(flattened(values)).max()))
        step[free] = _newton_step(curvature, slope[free], reach)
        found = _shortened(problem, values, value, slope, rate * step)
        if found is None:
            walk.rest("no step along Newton's direction makes it better")
            return
        values = found
        value, slopes = problem.slopes(values)


def _newton_step(curvature: Any, slope: Any, reach: float) -> Any:
    """The step to the bottom of the parabola; where it has none, the same away from the top (|λ| in the place of λ).

    Where it is all but flat, the step is not longer than `reach`.
    """
    import numpy

    sizes, axes = numpy.linalg.eigh(curvature)
    sizes = numpy.abs(sizes)
    least = max(float(sizes.max(initial=0.0)) * 1e-12, float(numpy.linalg.norm(slope)) / reach, 1e-300)
    return -axes @ ((axes.T @ slope) / numpy.maximum(sizes, least))


def _shortened(problem: Problem, values: list[Any], value: float, slope: Any, step: Any) -> list[Any] | None:
    """The parameters after the step, or half of it and so on, as soon as that is better; None if none is."""
    here = flattened(values)
    slack = ROUNDING * abs(value)
    for _ in range(HALVINGS):
        moved = problem.projected(unflattened(here + step, values))
        promised = float(slope @ (flattened(moved) - here))
        gain = problem.sign * (problem.value(moved) - value)
        if gain <= SUFFICIENT * promised + slack:
            return moved
        step = step / 2.0
    return None


def _lbfgs(problem: Problem, method: Method, rate: float, values: list[Any], walk: Walk) -> None:
    """L-BFGS-B, by SciPy."""
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise MissingExtra("the method lbfgs", "optimize") from None
    import numpy

    latest: list[Any] = []
    accepted: list[Any] = []

    def judged(row: Any) -> tuple[float, Any]:
        point = unflattened(row.copy(), values)
        value, slopes = problem.slopes(point)
        latest[:] = [row.copy(), value, slopes]
        flat = problem.sign * flattened(slopes)
        if value - value == 0.0 and numpy.isfinite(flat).all():
            return problem.sign * value, flat
        # What is not finite gets a wall that rises as far as the way to it promised to fall: the line search turns back.
        before, height, slope = accepted
        way = row - before
        rise = 2.0 * abs(float(slope @ way)) + 1e-12 * abs(height)
        return height + rise, 2.0 * rise * way / max(float(way @ way), 1e-300)

    def arrived(intermediate_result: Any) -> None:
        row = numpy.array(intermediate_result.x)
        if not numpy.array_equal(row, latest[0]):
            judged(row)
        accepted[:] = [latest[0], problem.sign * latest[1], problem.sign * flattened(latest[2])]
        if not walk.goes_on(unflattened(row, values), latest[1], latest[2]):
            raise StopIteration

    first = flattened(values)
    value, slopes = problem.slopes(values)
    if not walk.goes_on(values, value, slopes):
        return
    accepted[:] = [first, problem.sign * value, problem.sign * flattened(slopes)]
    limits = None
    if problem.bounds:
        ends = [(-math.inf, math.inf) if bound is None else (bound.low, bound.high) for bound in problem.bounds]
        counts = [1 if isinstance(value, float) else value.size for value in values]
        limits = [end for end, count in zip(ends, counts) for _ in range(count)]
    options = {"maxiter": walk.steps + 1, "maxfun": 100 * (walk.steps + 1), "ftol": 1e-16, "gtol": 0.0}
    minimize(judged, first, jac=True, method="L-BFGS-B", bounds=limits, callback=arrived, options=options)
    if walk.stop is None:
        walk.rest("no step along the line makes it better")


_WAYS: dict[str, Callable[[Problem, Method, float, list[Any], Walk], None]] = {
    "random": _search,
    "newton": _newton,
    "lbfgs": _lbfgs,
}
"""The methods that do not follow a rule step by step."""
