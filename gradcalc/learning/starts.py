"""Where searches begin: at the given point, and at others that are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcalc.learning.problem import Bound, Problem


def middle(bound: Bound | None) -> float | None:
    """Where an input without a value begins: in the middle of its bound, if that has two ends."""
    return None if bound is None or not bound.finite else bound.low + (bound.high - bound.low) / 2.0


def starts(problem: Problem, count: int, seed: Sequence[int]) -> list[list[Any]]:
    """So many starts: the problem's own, and others drawn: within a bound that has two ends evenly, else around the own one.

    Around means: a normal distribution whose standard deviation is the size of the value, or 1 if that is larger.
    """
    own = problem.start
    found = [own]
    if count > 1:
        import numpy

        rng = numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(tuple(seed))))
        bounds = problem.bounds or [None] * len(own)
        for _ in range(count - 1):
            found.append(problem.projected([_drawn(rng, x, bound) for x, bound in zip(own, bounds)]))
    return found


def _drawn(rng: Any, x: Any, bound: Bound | None) -> Any:
    shape = None if isinstance(x, float) else x.shape
    if bound is not None and bound.finite:
        drawn = rng.uniform(bound.low, bound.high, shape)
    else:
        import numpy

        drawn = rng.normal(x, numpy.maximum(1.0, numpy.abs(x)))
    return float(drawn) if shape is None else drawn


def best(values: Sequence[float], uphill: bool) -> int:
    """Which of these values is the best; one that is not a number never is."""
    sign = -1.0 if uphill else 1.0
    return min(range(len(values)), key=lambda place: math.inf if math.isnan(values[place]) else sign * values[place])
