"""The check of a large graph of numbers: every gate against differences of that gate, and a few directions end to end."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy

from gradcalc.checking.differences import (
    EPSILON,
    LEVELS,
    SMALLEST,
    Slope,
    Slopes,
    arrays_arithmetic,
    seen_from,
    slopes,
    step_columns,
)
from gradcalc.checking.scalars import ROUNDINGS, singular_point
from gradcalc.checking.verdicts import BARS, Check, Point, judge
from gradcalc.engine import scalar
from gradcalc.engine.arrays import ArrayTerm, kernel
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import Gate
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

CHUNK = 16384
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
        agrees = abs(gradient - value) <= BARS * bar + 64.0 * EPSILON * abs(gradient)
        return Check(value, bar, "ok" if agrees else "unsure")


class _Measured(NamedTuple):
    """The measured local slopes of all nodes: by the first input, by the second, and of gates with more by (node, position)."""

    first: Any
    second: Any
    more: dict[tuple[int, int], tuple[float, float]]


def check_gates(
    graph: Graph,
    inputs: Sequence[float],
    values: Sequence[float],
    gradients: Sequence[float],
    wanted: bytearray,
    seed: float = 1.0,
) -> Gatewise:
    """Check every gate that lies on the way to a wanted node."""
    count = len(graph)
    codes, everything = numpy.array(graph.codes), numpy.array(values)
    flags = numpy.frombuffer(wanted, dtype=numpy.uint8).astype(bool)
    measured = _Measured(numpy.zeros((2, count)), numpy.zeros((2, count)), {})
    states: dict[int, Check] = {}
    for code in range(CONSTANT + 1, len(graph.operators)):
        nodes = numpy.flatnonzero((codes == code) & flags)
        for start in range(0, len(nodes), CHUNK):
            _measure(graph, graph.operators[code], nodes[start : start + CHUNK], values, everything, measured, states)
    numerical, bars = _chain(graph, wanted, measured, seed)
    directions = [_direction(graph, inputs, values, gradients, seed, number) for number in range(DIRECTIONS)]
    return Gatewise(numerical, bars, states, directions)


def _chain(graph: Graph, wanted: bytearray, measured: _Measured, seed: float) -> tuple[list[float], list[float]]:
    """The gradients that the measured slopes make, by the chain rule, and their error bars."""
    numerical, bars = [0.0] * len(graph), [0.0] * len(graph)
    numerical[-1] = seed
    columns = [measured.first[0], measured.first[1], measured.second[0], measured.second[1]]
    arities = [operator.arity for operator in graph.operators]
    rows = zip(*(reversed(column.tolist()) for column in columns))
    for node, (first, first_width, second, second_width) in zip(range(len(graph) - 1, -1, -1), rows):
        arity = arities[graph.codes[node]]
        if not arity or not wanted[node]:
            continue
        above, bar = numerical[node], bars[node]
        if arity <= 2:
            source = graph.left[node]
            part = above * first
            numerical[source] += part
            bars[source] += abs(above) * first_width + bar * abs(first) + EPSILON * abs(part)
            if arity == 2:
                source = graph.right[node]
                part = above * second
                numerical[source] += part
                bars[source] += abs(above) * second_width + bar * abs(second) + EPSILON * abs(part)
            continue
        for position, source in enumerate(graph.inputs(node)):
            slope, width = measured.more[node, position]
            numerical[source] += above * slope
            bars[source] += abs(above) * width + bar * abs(slope) + EPSILON * abs(above * slope)
    return numerical, bars


def _measure(
    graph: Graph,
    operator: Operator,
    nodes: Any,
    values: Sequence[float],
    everything: Any,
    measured: _Measured,
    states: dict[int, Check],
) -> None:
    """The slopes of many nodes of one gate by differences, compared with the gate's rule."""
    gate = operator.gate
    assert gate is not None
    columns = everything[numpy.array([graph.inputs(node) for node in nodes.tolist()])].T
    results = everything[nodes]
    rules = _rules(gate, operator, results, columns)
    function = kernel(gate, operator.attributes)
    for position in range(operator.arity):

        def along(points: Any, position: int = position) -> Any:
            return numpy.asarray(function(*columns[:position], points, *columns[position + 1 :]))

        with numpy.errstate(all="ignore"):
            slope, width, shown = (_of_a_line if gate.linear else _of_a_curve)(along, columns[position], results)
            rule = rules[position]
            agree = abs(rule - slope) <= BARS * width + 16.0 * EPSILON * abs(rule)
            if shown is not None:
                agree &= ~(abs(shown.left.value - shown.right.value) > BARS * (shown.left.bar + shown.right.bar))
        if not agree.all():
            odd = numpy.flatnonzero(~agree).tolist()
            if shown is None:
                with numpy.errstate(all="ignore"):
                    shown = _of_a_curve(along, columns[position], results)[2]
            for row in odd:
                check = _one(graph, int(nodes[row]), float(rule[row]), shown, row, float(columns[position][row]), values)
                slope[row], width[row] = rule[row], 0.0
                if check.verdict != "ok":
                    states[int(nodes[row])] = check
        if operator.arity <= 2:
            (measured.first, measured.second)[position][:, nodes] = slope, width
        else:
            pairs = zip(nodes.tolist(), slope.tolist(), width.tolist())
            measured.more.update(((node, position), (value, bar)) for node, value, bar in pairs)


def _rules(gate: Gate, operator: Operator, results: Any, columns: Any) -> list[Any]:
    """What the gate's rule says of its local derivatives, 0 where there is no path."""
    assert gate.partials is not None
    with numpy.errstate(all="ignore"):
        terms = [ArrayTerm(column) for column in columns]
        found = gate.partials(ArrayTerm(results), *terms, **dict(operator.attributes))
        rules = []
        for slope in found:
            if isinstance(slope, Only):
                value = numpy.where(_array(slope.condition, results) != 0, _array(slope.slope, results), 0.0)
            else:
                value = _array(0.0 if slope is None else slope, results)
            rules.append(numpy.array(value))
    return rules


def _array(value: Any, like: Any) -> Any:
    return numpy.broadcast_to(value.value if isinstance(value, ArrayTerm) else value, like.shape)


def _of_a_line(along: Callable[[Any], Any], points: Any, results: Any) -> tuple[Any, Any, None]:
    """The slope of a gate that is linear in this input: one wide step leaves nothing but rounding."""
    step = numpy.ldexp(1.0, numpy.frexp(points)[1])
    above, below = along(points + step), along(points - step)
    noise = ROUNDINGS * EPSILON * (abs(above) + abs(below) + abs(results)) + SMALLEST
    return (above - below) / (2.0 * step), noise / step, None


def _of_a_curve(along: Callable[[Any], Any], points: Any, results: Any) -> tuple[Any, Any, Slopes]:
    """The slope of any gate, by the ladder of steps."""
    lengths, ratios = step_columns(points)
    noise = ROUNDINGS * EPSILON * abs(results) + SMALLEST
    above, below = [along(points + length) for length in lengths], [along(points - length) for length in lengths]
    assert len(above) == LEVELS
    shown = slopes(above, below, results, lengths, ratios, noise, arrays_arithmetic())
    return shown.central.value, shown.central.bar, shown


def _one(graph: Graph, node: int, rule: float, shown: Slopes, row: int, x: float, values: Sequence[float]) -> Check:
    """The verdict on one local derivative, by an input of value x, that does not simply agree."""
    one = Slopes(*(Slope(float(side.value[row]), float(side.bar[row]), bool(side.resolved[row])) for side in shown))
    point = Point(16.0 * EPSILON * abs(rule), abs(values[node]), singular_point(graph, node, values))
    return judge(rule, seen_from(x, one), point)


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
    agrees = abs(backward - value) <= BARS * bar
    return Check(value, bar, "ok" if agrees else "unsure", None, "along a random direction of the inputs")
