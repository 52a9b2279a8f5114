"""The check of a large graph of numbers: every gate against differences of that gate, and a few directions end to end."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy

from gradcalc.checking.differences import EPSILON, LEVELS, Slope, Slopes, arrays_arithmetic, ladder, slopes, steps
from gradcalc.checking.scalars import ROUNDINGS, SMALLEST, singular_point
from gradcalc.checking.verdicts import Check, Point, judge
from gradcalc.engine import scalar
from gradcalc.engine.arrays import kernel
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

CHUNK = 8192
"""How many nodes of one gate are measured together."""

DIRECTIONS = 3
"""How many random directions of the inputs are checked end to end."""


class Gatewise(NamedTuple):
    """What the check of a large graph found.

    Numerical gradients are made by the chain rule from the gates' measured slopes, `bars` say how far they may be off.
    """

    numerical: list[float]
    bars: list[float]
    states: dict[int, Check]
    """The gates that do not simply agree with their own differences."""
    directions: list[Check]

    def check(self, node: int, gradient: float) -> Check:
        """The verdict for one node."""
        value, bar = self.numerical[node], self.bars[node]
        own = self.states.get(node)
        if own is not None:
            return Check(value, bar, own.verdict, own.slopes, own.note)
        if not (math.isfinite(gradient) and math.isfinite(value)):
            return Check(value, bar, "unsure", None, "not finite")
        agrees = abs(gradient - value) <= 3.0 * bar + 64.0 * EPSILON * abs(gradient)
        return Check(value, bar, "ok" if agrees else "unsure")


def check_gates(
    graph: Graph,
    inputs: Sequence[float],
    values: Sequence[float],
    gradients: Sequence[float],
    wanted: bytearray,
    seed: float = 1.0,
) -> Gatewise:
    """Check every gate that lies on the way to a wanted node."""
    groups: dict[int, list[int]] = defaultdict(list)
    for node, code in enumerate(graph.codes):
        if code > CONSTANT and wanted[node]:
            groups[code].append(node)
    measured: dict[tuple[int, int], tuple[float, float]] = {}
    states: dict[int, Check] = {}
    for code, nodes in groups.items():
        operator = graph.operators[code]
        for start in range(0, len(nodes), CHUNK):
            _measure(graph, operator, nodes[start : start + CHUNK], values, measured, states)
    numerical = [0.0] * len(graph)
    bars = [0.0] * len(graph)
    numerical[-1] = seed
    for node in range(len(graph) - 1, -1, -1):
        if graph.codes[node] <= CONSTANT or not wanted[node]:
            continue
        above, bar = numerical[node], bars[node]
        for position, source in enumerate(graph.inputs(node)):
            slope, width = measured[node, position]
            if slope:
                numerical[source] += above * slope
            if width or bar:
                bars[source] += abs(above) * width + bar * abs(slope) + EPSILON * abs(above * slope)
    directions = [_direction(graph, inputs, values, gradients, seed, number) for number in range(DIRECTIONS)]
    return Gatewise(numerical, bars, states, directions)


def _measure(
    graph: Graph,
    operator: Operator,
    nodes: Sequence[int],
    values: Sequence[float],
    measured: dict[tuple[int, int], tuple[float, float]],
    states: dict[int, Check],
) -> None:
    """The slopes of many nodes of one gate by differences, compared with the gate's rule."""
    gate = operator.gate
    assert gate is not None
    function = kernel(gate, operator.attributes)
    columns = numpy.array([[values[source] for source in graph.inputs(node)] for node in nodes]).T
    results = numpy.array([values[node] for node in nodes])
    noise = ROUNDINGS * EPSILON * abs(results) + SMALLEST
    rules = [scalar.local_slopes(graph, node, values) for node in nodes]
    for position in range(operator.arity):
        points = columns[position]
        lengths = numpy.array([steps(x) for x in points.tolist()]).T
        ratios = numpy.array([2.0 ** ladder(x)[1] for x in points.tolist()])
        with numpy.errstate(all="ignore"):
            lanes = [numpy.asarray(function(*columns[:position], points + h, *columns[position + 1 :])) for h in lengths]
            lanes += [numpy.asarray(function(*columns[:position], points - h, *columns[position + 1 :])) for h in lengths]
            shown = slopes(lanes[:LEVELS], lanes[LEVELS:], results, lengths, ratios, noise, arrays_arithmetic())
            rule = numpy.array([0.0 if row[position] is None else row[position] for row in rules])
            central = shown.central
            agree = abs(rule - central.value) <= 3.0 * central.bar + 16.0 * EPSILON * abs(rule)
            kinked = abs(shown.left.value - shown.right.value) > 3.0 * (shown.left.bar + shown.right.bar)
        plain = (agree & ~kinked).tolist()
        slope_list, bar_list = central.value.tolist(), central.bar.tolist()
        for row, node in enumerate(nodes):
            if plain[row]:
                # Within its error bar the rule is the sharper of the two, and the bar stays the measured one.
                measured[node, position] = (slope_list[row], bar_list[row])
                continue
            one = Slopes(*(Slope(float(side.value[row]), float(side.bar[row]), bool(side.resolved[row])) for side in shown))
            point = Point(16.0 * EPSILON * abs(rule[row]), abs(values[node]), singular_point(graph, node, values))
            check = judge(float(rule[row]), one, point)
            measured[node, position] = (float(rule[row]), 0.0)
            if check.verdict != "ok":
                states[node] = check


def _direction(
    graph: Graph,
    inputs: Sequence[float],
    values: Sequence[float],
    gradients: Sequence[float],
    seed: float,
    number: int,
) -> Check:
    """The derivative along a random direction of the inputs, end to end."""
    rng = random.Random(number)
    direction = [rng.gauss(0.0, 1.0) * (abs(x) or 1.0) for x in inputs]
    backward = sum(gradients[node] * direction[graph.left[node]] for node, code in enumerate(graph.codes) if code == INPUT)
    lengths = [2.0**exponent for exponent in (-16, -14, -12, -10)]

    def along(step: float) -> float:
        return seed * scalar.forward(graph, [x + step * d for x, d in zip(inputs, direction)])[-1]

    quotients = [(along(h) - along(-h)) / (2.0 * h) for h in lengths]
    once = [(16.0 * fine - wide) / 15.0 for fine, wide in zip(quotients, quotients[1:])]
    noise = EPSILON * sum(abs(g * v) for g, v in zip(gradients, values) if math.isfinite(g * v))
    bar, value = min((abs(a - b) + noise / h, a) for a, b, h in zip(once, quotients, lengths))
    agrees = abs(backward - value) <= 3.0 * bar
    return Check(value, bar, "ok" if agrees else "unsure", None, "along a random direction of the inputs")
