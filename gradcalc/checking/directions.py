"""Large arrays, all together along random directions: few evaluations that concern every element.

Each array is displaced by t times a direction d of independent normal numbers, divided by the length of its gradient g. If the
gradient is off by e, the slope along the direction is off by e·d/|g|, a normal number of standard deviation |e|/|g|: it is below a
tenth of that in 8 % of all directions, and in three of them at once in one case of two thousand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from gradcalc.calculus.reverse import dependents
from gradcalc.checking import brief
from gradcalc.checking.verdicts import BARS
from gradcalc.engine.arrays import kernel
from gradcalc.engine.evaluate import Evaluation
from gradcalc.graph import CONSTANT

DIRECTIONS = 3
"""How many directions there are."""

CONFIDENCE = "99.9 %"
"""How likely one of them is off by more than a tenth of the error."""

LUCK = 10.0

SCALES = (0, -8, -16, -24)
"""Exponents of the scales on which a direction is tried, from wide to narrow: kinks are many in a large array."""

GOOD_ENOUGH = 1e-5
"""Where no scale gave a sharper error bar for the first direction, one of this part of the slope will do."""

TELLING = 1e-3
"""A direction whose error bar is beyond this part of the gradient's length says nothing."""


class Directions(NamedTuple):
    """What the directions showed: whether they agree with the gradients and can tell at all, and the one that is worst."""

    agrees: bool
    telling: bool
    value: float
    bar: float
    words: str


def along_directions(evaluation: Evaluation, nodes: Sequence[int], noise: float) -> Directions:
    """Compare the slopes of the output along random directions of these nodes with their gradients."""
    sizes, reach = _sizes(evaluation, nodes)
    if not (math.isfinite(reach) and reach > 0.0 and math.isfinite(noise)):
        return Directions(True, False, math.nan, math.inf, "random directions could not tell")
    worst = Directions(True, True, math.nan, 0.0, "")
    first = 0
    for number in range(DIRECTIONS):
        directions = {node: _direction(evaluation, node, number) * size for node, size in zip(nodes, sizes)}
        expected = float(sum(numpy.vdot(evaluation.gradients[node], directions[node]) for node in nodes))
        # What was the best scale for one direction is likely to be so for the next.
        value, bar, first = _measured(evaluation, directions, expected, noise, first)
        agrees = abs(expected - value) <= BARS * bar
        if not agrees or (worst.agrees and bar > worst.bar):
            worst = Directions(agrees, bar <= TELLING * reach, value, bar, "")
    bound = LUCK * BARS * worst.bar / reach
    words = f"all along {DIRECTIONS} random directions"
    words += f" (an error beyond {bound:.0e} of a gradient's length shows with {CONFIDENCE} confidence)" if worst.telling else ""
    return worst._replace(words=words if worst.telling else f"{words} (these could not tell)")


def _sizes(evaluation: Evaluation, nodes: Sequence[int]) -> tuple[list[float], float]:
    """How far each node is displaced, so that each has the same share in the slope; and that share."""
    lengths, scales = [], []
    for node in nodes:
        value, gradient = numpy.ravel(evaluation.values[node]), numpy.ravel(evaluation.gradients[node])
        with numpy.errstate(all="ignore"):
            lengths.append(math.sqrt(float(numpy.vdot(gradient, gradient))))
            scales.append(math.sqrt(float(numpy.vdot(value, value)) / max(1, value.size)) or 1.0)
    shares = [length * scale for length, scale in zip(lengths, scales) if length > 0.0]
    reach = min(shares, default=0.0)
    return [reach / length if length > 0.0 else scale for length, scale in zip(lengths, scales)], reach


def _direction(evaluation: Evaluation, node: int, number: int) -> Any:
    return numpy.random.default_rng((number, node)).standard_normal(evaluation.shape(node))


def _measured(
    evaluation: Evaluation, directions: dict[int, Any], expected: float, noise: float, first: int
) -> tuple[float, float, int]:
    """The slope along the direction, its error bar, and the scale: the first that settles it, else where the bar is least."""
    best = (math.nan, math.inf, first)
    for number in (*range(first, len(SCALES)), *range(first)):
        steps = numpy.ldexp(1.0, SCALES[number] + brief.FINEST + numpy.arange(brief.STEPS))[None]
        moved = numpy.array([[_moved(evaluation, directions, step) for step in brief.displacements(steps)[0].tolist()]])
        told = brief.settle(numpy.array([expected]), moved, steps, noise, 0.0, abs(expected))
        value, bar = float(told.values[0]), float(told.bars[0])
        if told.settled[0] or (first and bar <= GOOD_ENOUGH * abs(expected)):
            return value, bar, number
        if bar < best[1]:
            best = value, bar, number
    return best


def _moved(evaluation: Evaluation, directions: dict[int, Any], step: float) -> float:
    """How far the output moves where every node of the directions is displaced."""
    graph, values = evaluation.graph, evaluation.values
    last = len(graph) - 1
    touched = dependents(graph, directions, last)
    lanes: dict[int, Any] = {}
    with numpy.errstate(all="ignore"):
        for node in range(min(directions), last + 1):
            if not touched[node]:
                continue
            operator = graph.operator(node)
            value = values[node]
            inputs = graph.inputs(node)
            if graph.codes[node] > CONSTANT and operator.gate is not None and any(source in lanes for source in inputs):
                value = kernel(operator.gate, operator.attributes)(*[lanes.get(source, values[source]) for source in inputs])
            if node in directions:
                value = value + step * directions[node]
            lanes[node] = value
        return float(numpy.sum(numpy.broadcast_to(evaluation.seed, numpy.shape(values[last])) * (lanes[last] - values[last])))
