"""What a function does around a point: whether it is lower nearby, how large a rate is stable, whether it runs off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.learning.methods import MOMENTUM, Method

if TYPE_CHECKING:
    from gradcalc.learning.problem import Problem

SMALL = 100
"""Up to so many elements the whole Hessian is looked at; beyond, some directions."""

DIRECTIONS = 20
"""How many random directions that are, and how often the direction of the largest curvature is improved."""

NEARBY = (1e-4, 1e-3, 1e-2)
"""How far from a stationary point its value is compared, relative to the size of the point."""

FLAT = 1e-2
"""A curvature below this is not trusted to make a minimum: the value beside it is looked at."""

ROUNDING = 1e-13
"""Differences of values that are smaller, relative to their size, say nothing."""

CLEARLY = 1e-6
"""A value that is better by this part of its size is clearly better, and not within what a line search leaves."""

PROBES = 12
"""How many steps along the gradient are tried for that, each a tenth of the one before."""

DECADE = 10.0
STEADY = 0.99
"""A function runs off if it gains at every tenfold distance at least this part of what it gained before."""

ENORMOUS = 1e100
"""A value of this size that still grew has no end in sight."""

FAR = 10.0
"""An end that is worse than the start by more than so many times the size of the start is far worse, if the rate can be blamed."""

BEYOND = 1e6
"""And by so many times in any case."""

LIMITS = {"numerical": 2.0, "gradient": 2.0, "momentum": 2 * (1 + MOMENTUM), "nesterov": 2 * (1 + MOMENTUM) / (1 + 2 * MOMENTUM)}
"""Up to which rate, times the largest curvature, a method is stable on a parabola."""


def falls_from(problem: Problem, values: list[Any], slopes: Sequence[Any]) -> bool:
    """Whether a point where the gradient vanishes is certainly no minimum (no maximum, uphill): there is better close by.

    Looked at are the directions in which the function may bend down: those of the Hessian's small and negative curvatures, or,
    where there are many elements, some that are drawn.
    """
    import numpy

    from gradcalc.learning.problem import flattened, unflattened

    here = flattened(values)
    value = problem.sign * problem.value(values)
    length = problem.norm(problem.free(values, slopes))
    size = max(1.0, float(numpy.abs(here).max(initial=0.0)))
    with numpy.errstate(all="ignore"):
        for direction in _doubtful(problem, values, slopes):
            for reach in NEARBY:
                step = reach * size
                slack = 2.0 * length * step + ROUNDING * abs(value)
                for way in (step, -step):
                    moved = problem.projected(unflattened(here + way * direction, values))
                    if problem.sign * problem.value(moved) < value - slack:
                        return True
    return False


def better_beside(problem: Problem, values: list[Any], slopes: Sequence[Any]) -> bool:
    """Whether some step along the gradient makes a function clearly better."""
    import numpy

    from gradcalc.learning.problem import flattened, unflattened

    here, slope = flattened(values), problem.sign * flattened(problem.free(values, slopes))
    value, length = problem.sign * problem.value(values), float(numpy.abs(slope).max(initial=0.0))
    if not 0.0 < length < math.inf:
        return False
    reach = max(1.0, float(numpy.abs(here).max()))
    with numpy.errstate(all="ignore"):
        for power in range(PROBES):
            moved = here - slope / length * (reach * DECADE**-power)
            if problem.sign * problem.value(problem.projected(unflattened(moved, values))) < value - CLEARLY * abs(value):
                return True
    return False


def _doubtful(problem: Problem, values: list[Any], slopes: Sequence[Any]) -> Iterator[Any]:
    """Unit directions in which a stationary point may be no minimum."""
    import numpy

    from gradcalc.learning.problem import flattened

    count = len(flattened(values))
    free = flattened(problem.free(values, slopes)) == flattened(slopes)  # not what is held back by a bound
    if count <= SMALL:
        curvature = problem.sign * problem.hessian(values)[numpy.ix_(free, free)]
        if numpy.isfinite(curvature).all():
            sizes, axes = numpy.linalg.eigh(curvature)
            for place in numpy.flatnonzero(sizes < FLAT):
                direction = numpy.zeros(count)
                direction[free] = axes[:, place]
                yield direction
            return
    rng = numpy.random.Generator(numpy.random.PCG64(0))
    for _ in range(DIRECTIONS):
        direction = numpy.where(free, rng.normal(size=count), 0.0)
        bend = _bend(problem, values, direction)
        if float(bend @ direction) * problem.sign < 0.0:
            yield direction / numpy.linalg.norm(direction)


def _bend(problem: Problem, values: list[Any], direction: Any) -> Any:
    """The Hessian times a direction, by a difference of gradients."""
    import numpy

    from gradcalc.learning.problem import flattened, unflattened

    here = flattened(values)
    size = float(numpy.linalg.norm(direction))
    step = 1e-5 * max(1.0, float(numpy.abs(here).max(initial=0.0))) / size if size else 0.0
    if not step:
        return numpy.zeros_like(here)
    above, below = (
        flattened(problem.slopes(unflattened(here + way * direction, values))[1]) + numpy.zeros_like(here) for way in (step, -step)
    )
    return (above - below) / (2.0 * step)


def stable_rate(problem: Problem, values: list[Any], method: Method) -> float | None:
    """Below which rate a method's steps shrink around a point, from the largest curvature there; None where that is not known."""
    limit = LIMITS.get(method.name)
    if limit is None:
        return None
    import numpy

    from gradcalc.learning.problem import flattened

    with numpy.errstate(all="ignore"):
        direction = flattened(problem.slopes(values)[1]) + 0.0
        direction = direction + 1e-3 * float(numpy.linalg.norm(direction)) * numpy.cos(numpy.arange(len(direction)))
        largest = 0.0
        for _ in range(DIRECTIONS):
            size = float(numpy.linalg.norm(direction))
            if not 0.0 < size < math.inf:
                break
            direction = _bend(problem, values, direction / size)
            largest = float(numpy.linalg.norm(direction))
    return limit / largest if 0.0 < largest < math.inf else None


def far_worse(start: float, best: float, end: float, rate: float, stable: Callable[[], float | None]) -> bool:
    """Whether values, small ones being better, came to an end that tells of a rate that is too large.

    Args:
        start: the first value.
        best: the least one.
        end: the last one.
        rate: the size of the steps.
        stable: finds out below which rate steps shrink, as far as that is known.
    """
    size, rise = max(abs(start), start - best), end - start
    if not rise > FAR * size:
        return False
    limit = stable()
    return rise > BEYOND * max(1.0, size) or (limit is not None and limit < rate)


def runs_off(problem: Problem, start: list[Any], values: list[Any]) -> bool:
    """Whether the function gets better without end on the straight way from one point through another.

    It is followed to ten times the distance, and ten times that, until numbers end; each time it must gain at least as much as
    before. So the logarithm has no maximum, and the inverse tangent has one.
    """
    import numpy

    from gradcalc.learning.problem import flattened, unflattened

    first, here = flattened(start), flattened(values)
    if not (numpy.isfinite(first).all() and numpy.isfinite(here).all()):
        return False
    before, gain = problem.sign * problem.value(values), 0.0
    with numpy.errstate(all="ignore"):
        way = here - first
        if not way.any():
            return False
        while True:
            way = way * DECADE
            moved = first + way
            if not numpy.isfinite(moved).all():
                return True
            value = problem.sign * problem.value(problem.projected(unflattened(moved, values)))
            if value - value != 0.0:
                return value == -math.inf or before < -ENORMOUS
            if not before - value >= STEADY * gain or value >= before:
                return False
            before, gain = value, before - value
