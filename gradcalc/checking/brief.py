"""The first stage of a check of many derivatives: three steps to each side, and what these leave no doubt of is done with.

The full ladder of steps (`differences`) finds its own scale, knows kinks from edges, and takes fifty values. Most derivatives need
nothing of that: the function is smooth on the scale of one, or on that of the point, and then three wide steps, extrapolated,
agree with the gradient far beyond chance. Whatever does not, for whatever reason, goes on to the ladder: this stage only ever
says `ok`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from gradcalc.checking.differences import EPSILON
from gradcalc.checking.verdicts import BARS, too_wide

STEPS = 3
"""How many steps there are to each side; each is twice the one before."""

FINEST = -7
"""The finest step is 2^-7 of the scale."""

ATTEMPTS = 2
"""How many scales are tried: that of numbers about one, then that of the point itself."""

SHARP = 1e-8
"""An error bar is sharp if it is below this part of the derivative."""

ROUNDING = 8.0
"""An error bar is as sharp as it can be if it is no more than this many times what rounding makes of it."""


class Settled(NamedTuple):
    """What the first stage found: derivatives, error bars, and whether they settle the matter."""

    values: Any
    bars: Any
    settled: Any


def lengths(points: Any, attempt: int) -> Any:
    """The steps for many points, the finest first: one row for each point."""
    own = numpy.ldexp(1.0, numpy.frexp(points)[1])
    scale = numpy.maximum(own, 1.0) if attempt == 0 else numpy.where((points == 0.0) | (own >= 1.0), 2.0**-10, own)
    return scale[:, None] * numpy.ldexp(1.0, numpy.arange(FINEST, FINEST + STEPS))


def displacements(steps: Any) -> Any:
    """The displacements that `settle` wants: the steps, then the same steps to the other side."""
    return numpy.concatenate([steps, -steps], axis=1)


def settle(gradients: Any, moved: Any, steps: Any, noise: Any, trust: Any, expected: Any) -> Settled:
    """Compare gradients with what a function does at its displaced points.

    Args:
        gradients: to be judged.
        moved: how far the function's value moves, one row for each gradient, one column for each displacement.
        steps: as `lengths` made them.
        noise: how far one function value may be off.
        trust: how far a gradient may be off by rounding.
        expected: how large a derivative of this function may be expected to be; see `verdicts.Point`.
    """
    with numpy.errstate(all="ignore"):
        above, below = moved[:, :STEPS], moved[:, STEPS:]
        blur = 1.5 * noise / steps[:, 0]
        values, spread = _extrapolated((above - below) / (2.0 * steps), 4.0, 16.0)
        bars = spread / 4.0 + blur + 8.0 * EPSILON * abs(values)
        right, right_spread = _extrapolated(above / steps, 2.0, 4.0)
        left, left_spread = _extrapolated(-below / steps, 2.0, 4.0)
        smooth = abs(right - left) <= BARS * (0.5 * (right_spread + left_spread) + 8.0 * blur)
        size = numpy.maximum(abs(gradients), abs(values))
        difference = abs(gradients - values)
        sharp = (bars <= SHARP * size) | (bars <= ROUNDING * blur)
        credible = (difference == 0.0) | ~too_wide(bars, size, expected)
        settled = smooth & sharp & credible & (difference <= BARS * bars + trust)
    return Settled(values, bars, settled)


def _extrapolated(quotients: Any, first: float, second: float) -> tuple[Any, Any]:
    """The quotients extrapolated to the step 0, and how far the last but one extrapolations are apart."""
    once = (first * quotients[:, :-1] - quotients[:, 1:]) / (first - 1.0)
    return (second * once[:, 0] - once[:, 1]) / (second - 1.0), abs(once[:, 0] - once[:, 1])
