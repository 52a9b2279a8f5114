"""What first order leaves out: the curvature of the output, and whether it is smooth within the uncertainties at all.

For normally distributed inputs with covariances C, a function with gradient g and Hessian H has, to second order, the mean
f + tr(HC)/2 and the variance gᵀCg + tr(HCHC)/2. Each of its parts is taken from forward mode over reverse mode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.reverse import differentiate
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import Evaluation, evaluate
from gradcalc.engine.tangents import push
from gradcalc.uncertainty.first_order import FirstOrder, moves
from gradcalc.uncertainty.spread import Element, Spread

MOST_ELEMENTS = 200
"""Beyond so many uncertain numbers their curvatures are not looked at."""

MOST_NODES = 3000
"""Nor are those of larger graphs."""

MISLEADS = 0.1
"""First order misleads where it is off by more than this part of an uncertainty."""

MOVES = 0.3
"""The mean has moved if it has by more than this part of an uncertainty."""

ROUNDING = 1e-12
"""Differences of function values below this part of the largest value on the way mean nothing."""


class SecondOrder(NamedTuple):
    """The mean and the standard uncertainty of the output to second order."""

    mean: float
    uncertainty: float


class Axis(NamedTuple):
    """How the output moves with one uncertain number, by its standard uncertainty up and down, and what first order expects."""

    name: str
    up: Any
    down: Any
    expected: Any


def second_order(evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int], first: FirstOrder) -> SecondOrder | None:
    """The second order of an output that is one number; None where there is none, or it would take long."""
    last = len(evaluation.graph) - 1
    if evaluation.shape(last) or last > MOST_NODES or not 0 < len(first.passes) <= MOST_ELEMENTS:
        return None
    graph = evaluation.graph.with_constants({})
    sources = list(nodes.values())
    gradients = differentiate(graph, last, sources, evaluation.shapes)
    again = evaluate(graph, evaluation.inputs)
    directions = list(moves(evaluation, spread, nodes))
    rows = []
    for _, direction in directions:
        moved = push(again, direction)
        by_source = {node: 0.0 if gradient is None else moved[gradient] for node, gradient in zip(sources, gradients)}
        rows.append([_weighted(by_source, other) for _, other in directions])
    return _moments(evaluation.values[last], first.uncertainty, rows, [element for element, _ in directions], spread)


def _weighted(gradient: Mapping[int, Any], direction: Mapping[int, Any]) -> float:
    """The derivative along a direction."""
    total = 0.0
    for node, amount in direction.items():
        part = gradient[node] * amount
        total += part if isinstance(part, float) else float(part.sum())
    return total


def _moments(
    value: float, uncertainty: float, rows: Sequence[Sequence[float]], elements: Sequence[Element], spread: Spread
) -> SecondOrder | None:
    """Mean and uncertainty from the Hessian in units of the standard uncertainties."""
    numbers = {element: number for number, element in enumerate(elements)}
    partners = [
        [(numbers[other], value) for other, value in spread.partners.get(element, {}).items() if other in numbers]
        for element in elements
    ]
    correlated = [
        [entry + sum(row[other] * value for other, value in partners[place]) for place, entry in enumerate(row)] for row in rows
    ]
    trace = sum(row[place] for place, row in enumerate(correlated))
    square = sum(entry * correlated[column][row] for row, entries in enumerate(correlated) for column, entry in enumerate(entries))
    mean, total = value + 0.5 * trace, math.hypot(uncertainty, math.sqrt(max(0.0, 0.5 * square)))
    return SecondOrder(mean, total) if math.isfinite(mean) and math.isfinite(total) and square == square else None


def axes(evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int], first: FirstOrder) -> list[Axis]:
    """The output's moves along each uncertain number by itself; none where there are too many of them."""
    if not 0 < len(first.passes) <= MOST_ELEMENTS:
        return []
    graph, value = evaluation.graph, evaluation.values[-1]
    found = []
    for element, direction in moves(evaluation, spread, nodes):
        moved = []
        for sign in (1.0, -1.0):
            inputs = list(evaluation.inputs)
            for node, amount in direction.items():
                inputs[graph.left[node]] = inputs[graph.left[node]] + sign * amount
            forward = scalar.forward if evaluation.scalar else _arrays_forward()
            moved.append(forward(graph, inputs)[-1] - value)
        found.append(Axis(element.name, moved[0], moved[1], first.passes[element]))
    return found


def _arrays_forward() -> Any:
    from gradcalc.engine.arrays import forward

    return forward


class Doubt(NamedTuple):
    """Why first order misleads.

    `kind` is `outside` (the function has no value within the uncertainty of an input), `curved` (second order says otherwise),
    or `bent` (moves by an uncertainty do: a kink, or a curvature that changes); `axis` is the input along which it shows.
    """

    kind: str
    axis: Axis | None = None


def doubt(evaluation: Evaluation, first: FirstOrder, second: SecondOrder | None, along: Sequence[Axis]) -> Doubt | None:
    """Whether first order misleads, judged by second order and by moves as large as the uncertainties."""
    value, uncertainty = evaluation.values[-1], first.uncertainty
    if not _finite(value):
        return None
    for axis in along:
        if not (_finite(axis.up) and _finite(axis.down)):
            return Doubt("outside", axis)
    blur = ROUNDING * max((abs(one) for one in evaluation.values if isinstance(one, float) and math.isfinite(one)), default=0.0)
    if second is not None and math.isfinite(uncertainty):
        moved = abs(second.mean - value) > MOVES * second.uncertainty + blur
        if moved or _apart(second.uncertainty, uncertainty, blur):
            return Doubt("curved")
    bent = [axis for axis in along if _is_bent(axis, uncertainty, blur)]
    return Doubt("bent", max(bent, key=_bend)) if bent else None


def _is_bent(axis: Axis, uncertainty: Any, blur: float) -> bool:
    """Whether the moves along an axis are not those of a straight line, so far that it counts beside the whole uncertainty."""
    if isinstance(uncertainty, float):
        seen, straight = _seen(axis), abs(axis.expected)
        rest = math.sqrt(max(0.0, uncertainty * uncertainty - straight * straight)) if math.isfinite(uncertainty) else 0.0
        return _apart(math.hypot(rest, seen), math.hypot(rest, straight), blur)
    import numpy

    seen, straight = _seen(axis), abs(numpy.asarray(axis.expected))
    with numpy.errstate(all="ignore"):
        agrees = abs(seen - straight) <= MISLEADS * numpy.maximum(uncertainty, seen) + blur
    return not bool((agrees & numpy.isfinite(straight)).all())


def _seen(axis: Axis) -> Any:
    """The uncertainty that the two moves along an axis show, as if they belonged to a parabola."""
    slope, bend = 0.5 * (axis.up - axis.down), 0.5 * (axis.up + axis.down)
    return (slope * slope + 2.0 * bend * bend) ** 0.5


def _bend(axis: Axis) -> float:
    found = abs(axis.up + axis.down)
    return found if isinstance(found, float) else float(found.max())


def _apart(one: float, other: float, blur: float) -> bool:
    difference = abs(one - other)
    return not math.isfinite(difference) or difference > MISLEADS * max(one, other) + blur


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    import numpy

    return bool(numpy.isfinite(value).all())
