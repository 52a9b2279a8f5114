"""Numerical derivatives with error bars, from function values on a ladder of steps.

A step that is too long sees other things than the slope here (a kink nearby, another period of a sine), a step that is too short
sees rounding. So the ladder runs from the most local stencil outwards: a wider stencil, Richardson-extrapolated, is adopted only
where it agrees with what the narrower ones said within the joint error bars, and the walk ends where it does not.

The same code serves one derivative at a time in plain floats and many at a time in NumPy arrays: `select` and `finite` are the
only two operations in which these differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

LEVELS = 25
"""How many steps the ladder has."""

FINEST = 46
"""The finest step is 2^-46 of the point's size: 64 units in the last place."""

TINY_EXPONENT = -40
"""At zero there is no scale to go by: it gets the ladder of a point of this size, and points closer to it may."""

SMALLEST = 2.0**-1074
"""The rounding of what is too small for full precision."""

EPSILON = 2.0**-53
"""The relative error of one rounding."""


class Arithmetic(NamedTuple):
    """What floats and arrays do differently."""

    select: Callable[[Any, Any, Any], Any]
    finite: Callable[[Any], Any]


FLOATS = Arithmetic(lambda condition, yes, no: yes if condition else no, math.isfinite)


def arrays_arithmetic() -> Arithmetic:
    """The operations for NumPy arrays."""
    import numpy

    return Arithmetic(numpy.where, numpy.isfinite)


class Slope(NamedTuple):
    """A derivative, how far it may be off, and whether the steps resolve the function around the point at all."""

    value: Any
    bar: Any
    resolved: Any


class Slopes(NamedTuple):
    """The central derivative and those from above (right) and below (left), each nan where the function has no value there."""

    central: Slope
    left: Slope
    right: Slope


def ladder(x: float, far: bool = False) -> tuple[int, int]:
    """The exponents of the finest step and of the ratio between steps (a power of two) for a point.

    Steps are powers of two of at least 64 units in the last place, so x + h and x - h are exact. The ladder of a point near zero
    is as small as the point; with `far`, it is the one on which functions that know nothing of so small a point change.
    """
    exponent = math.frexp(x)[1] if x != 0.0 else TINY_EXPONENT
    if far:
        exponent = max(exponent, TINY_EXPONENT)
    finest = max(exponent - FINEST, -1074)
    # Beyond a ratio of 8 neighbouring steps have so little to do with each other that extrapolation hides its own error.
    return finest, 2 if _coarsest(exponent) - finest <= 2 * LEVELS + 2 else 3


def _coarsest(exponent: int) -> int:
    """The exponent of the longest step: a few times the point's size, or 4."""
    return min(max(exponent, 0) + 2, 1020)


def steps(x: float, far: bool = False) -> list[float]:
    """The steps for a point, the finest first; nan behind the longest. See `ladder`."""
    finest, ratio = ladder(x, far)
    coarsest = _coarsest(math.frexp(x)[1])
    exponents = [finest + ratio * level for level in range(LEVELS)]
    return [math.ldexp(1.0, exponent) if exponent <= coarsest else math.nan for exponent in exponents]


def step_columns(points: Any) -> tuple[Any, Any]:
    """The steps for many points (one row a step), and the ratio between those of each."""
    import numpy

    # All points with one binary exponent share their ladder.
    sizes = numpy.where(points == 0.0, 0.0, numpy.ldexp(0.5, numpy.frexp(points)[1]))
    found, which = numpy.unique(sizes, return_inverse=True)
    lengths = numpy.array([steps(size) for size in found.tolist()])
    ratios = numpy.array([2.0 ** ladder(size)[1] for size in found.tolist()])
    return lengths[which].T, ratios[which]


def seen_from(x: float, shown: Slopes) -> Slopes:
    """The slopes at a point, unresolved if zero, which may be a pole or a kink, is within the finest stencil."""
    finest, ratio = ladder(x)
    if x == 0.0 or abs(x) > math.ldexp(1.0, finest + 3 * ratio):
        return shown
    return Slopes(*(slope._replace(resolved=False) for slope in shown))


def slopes(
    above: Any,
    below: Any,
    center: Any,
    lengths: Any,
    ratio: Any,
    noise: Any,
    arithmetic: Arithmetic = FLOATS,
) -> Slopes:
    """The derivatives that these function values show.

    Args:
        above: f(x + h) for every step h, the finest first.
        below: f(x - h).
        center: f(x).
        lengths: the steps.
        ratio: of each step to the one before.
        noise: how far one function value may be off, absolutely.
        arithmetic: of floats, or of arrays (then all of the above are arrays over the points).
    """
    central = [(p - m) / (2.0 * h) for p, m, h in zip(above, below, lengths)]
    rightward = [(p - center) / h for p, h in zip(above, lengths)]
    leftward = [(center - m) / h for m, h in zip(below, lengths)]
    blur = [noise / h for h in lengths]
    # Far out the function's values may be larger than here, and so is their rounding.
    leftward_blur = [2.0 * b + EPSILON * abs(q) for b, q in zip(blur, leftward)]
    rightward_blur = [2.0 * b + EPSILON * abs(q) for b, q in zip(blur, rightward)]
    central_blur = [b + EPSILON * (abs(p) + abs(q)) for b, p, q in zip(blur, leftward, rightward)]
    one_sided = (ratio, ratio**2, ratio**3)
    return Slopes(
        _outwards(central, central_blur, (ratio**2, ratio**4, ratio**6), arithmetic),
        _steep(_outwards(leftward, leftward_blur, one_sided, arithmetic), leftward, blur, ratio, arithmetic),
        _steep(_outwards(rightward, rightward_blur, one_sided, arithmetic), rightward, blur, ratio, arithmetic),
    )


def _outwards(quotients: Sequence[Any], blur: Sequence[Any], factors: Sequence[Any], arithmetic: Arithmetic) -> Slope:
    """Walk from the finest stencil outwards; the leading errors of a quotient grow by these factors from step to step."""
    select, finite = arithmetic
    stages = [quotients]
    for factor in factors:
        stages.append([fine + (fine - wide) / (factor - 1.0) for fine, wide in zip(stages[-1], stages[-1][1:])])
    best = stages[-1]
    bars = [_bar(stages, level, factors[0], blur[level]) for level in range(len(best))]
    value, bar = best[0], bars[0]
    alive = finite(value) & finite(bar)
    value, bar = select(alive, value, math.nan), select(alive, bar, math.inf)
    spread = abs(quotients[0] - quotients[1])
    resolved = alive & (spread <= 4.0 * blur[0] + 1e-3 * abs(quotients[1]))
    for candidate, width in zip(best[1:], bars[1:]):
        alive = alive & finite(candidate) & finite(width) & (abs(candidate - value) <= bar + width)
        better = alive & (width < bar)
        value, bar = select(better, candidate, value), select(better, width, bar)
    return Slope(value, bar, resolved)


def _bar(stages: Sequence[Sequence[Any]], level: int, factor: Any, blur: Any) -> Any:
    """The error bar of an extrapolated quotient: what the extrapolations may be off, the rounding of the values and its own.

    An extrapolation is trusted to gain no more on its neighbour than the first one does: where a step reaches over a kink (of any
    derivative), the higher ones gain no more than that.
    """
    _, once, twice, best = stages
    changes = abs(once[level] - once[level + 1]) + abs(twice[level] - twice[level + 1])
    return changes / factor + 1.5 * blur + 8.0 * EPSILON * abs(best[level]) + 8.0 * SMALLEST


def _steep(slope: Slope, quotients: Sequence[Any], blur: Sequence[Any], ratio: Any, arithmetic: Arithmetic) -> Slope:
    """Recognise an infinite slope: a jump, or a root's vertical tangent, where differences hardly shrink with the step."""
    select, finite = arithmetic
    shrinks = ratio**-0.25  # a quotient grows by at least this much a level inwards where f goes like h^0.75 or slower
    visible = (abs(quotients[0]) > 16.0 * blur[0]) & finite(quotients[0]) & finite(quotients[1]) & finite(quotients[2])
    grows = (abs(quotients[1]) < shrinks * abs(quotients[0])) & (abs(quotients[2]) < shrinks * abs(quotients[1]))
    steep = visible & grows
    infinite = select(quotients[0] > 0, math.inf, -math.inf)
    return Slope(select(steep, infinite, slope.value), select(steep, 0.0, slope.bar), slope.resolved | steep)
