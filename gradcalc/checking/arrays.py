"""The check of a graph with arrays: element by element, end to end."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy

from gradcalc.calculus.reverse import dependents
from gradcalc.calculus.rules import contributions
from gradcalc.checking.differences import EPSILON, LEVELS, ladder, seen_from, slopes, steps
from gradcalc.checking.probe import lanes_of
from gradcalc.checking.scalars import ROUNDINGS, SMALLEST
from gradcalc.checking.verdicts import VERDICTS, Check, Point, digits_agreeing, judge
from gradcalc.engine.arrays import ArrayTerm, kernel
from gradcalc.engine.evaluate import Evaluation
from gradcalc.graph import CONSTANT

ELEMENTS = 48
"""Up to so many elements of an array are all checked; of a larger one so many are drawn."""


class ArrayCheck(Check):
    """A check of an array: numerical derivatives and bars of its shape (nan where an element was not drawn), the worst verdict."""

    __slots__ = ("digits",)

    def __init__(self, numerical: Any, bar: Any, worst: Check, digits: int | None) -> None:
        super().__init__(numerical, bar, worst.verdict, worst.slopes, worst.note)
        self.digits = digits


def check_arrays(evaluation: Evaluation, nodes: Sequence[int], method: str = "auto") -> tuple[Callable[[int], Check], str]:
    """Check the gradients at these nodes; see `check`."""
    noise, trust, singular = _rounding(evaluation)
    found: dict[int, Check] = {}
    drawn = False
    for node in nodes:
        size = math.prod(evaluation.shape(node))
        elements: Sequence[int] = range(size)
        if size > ELEMENTS:
            elements, drawn = sorted(random.Random(node).sample(range(size), ELEMENTS)), True
        found[node] = _check_node(evaluation, node, elements, noise[node], trust[node], singular[node])
    words = f"checked end to end, of each large array {ELEMENTS} elements drawn at random" if drawn else ""
    return found.__getitem__, words


def _check_node(
    evaluation: Evaluation,
    node: int,
    elements: Sequence[int],
    noise: float,
    trust: Any,
    singular: str,
) -> Check:
    base = numpy.ravel(evaluation.values[node])
    gradient = numpy.ravel(evaluation.gradients[node])
    shape = evaluation.shape(node)
    numerical, bars = numpy.full(base.shape, math.nan), numpy.full(base.shape, math.nan)
    center = _weighted(evaluation, evaluation.values[-1])
    worst: Check | None = None
    digits: list[int] = []
    for element, seen in _probes(evaluation, node, elements):
        x = float(base[element])
        if not (math.isfinite(x) and math.isfinite(center)):
            check = Check(math.nan, math.inf, "off")
        else:
            ratio = 2.0 ** ladder(x)[1]
            shown = seen_from(x, slopes(seen[:LEVELS], seen[LEVELS:], center, steps(x), ratio, noise))
            size = abs(center) / (abs(x) or 1.0)
            own_trust = float(numpy.ravel(trust)[element])
            check = judge(float(gradient[element]), shown, Point(own_trust, size, singular))
        numerical[element], bars[element] = check.numerical, check.bar
        agreeing = digits_agreeing(float(gradient[element]), check.numerical, check.bar)
        if agreeing is not None:
            digits.append(agreeing)
        if worst is None or VERDICTS.index(check.verdict) > VERDICTS.index(worst.verdict):
            worst = check
    if worst is None:
        worst = Check(math.nan, math.nan, "ok")
    if not shape:
        return ArrayCheck(float(numerical[0]), float(bars[0]), worst, min(digits, default=None))
    worst.slopes = None
    return ArrayCheck(numerical.reshape(shape), bars.reshape(shape), worst, min(digits, default=None))


def _weighted(evaluation: Evaluation, output: Any) -> float:
    """The number that is differentiated: the output weighted by the gradient from above, and summed."""
    return float(numpy.sum(numpy.broadcast_to(evaluation.seed, numpy.shape(output)) * output))


def _probes(evaluation: Evaluation, node: int, elements: Sequence[int]) -> Iterator[tuple[int, list[float]]]:
    """For each element of a node the weighted output at its displaced values."""
    graph, values = evaluation.graph, evaluation.values
    last = len(graph) - 1
    touched = [inner for inner, flag in enumerate(dependents(graph, [node], last)) if flag and inner != node]
    kernels = [None if operator.gate is None else kernel(operator.gate, operator.attributes) for operator in graph.operators]
    base = numpy.array(values[node], dtype=float)
    steps_to_output = [(inner, kernels[graph.codes[inner]], graph.inputs(inner)) for inner in touched]
    with numpy.errstate(all="ignore"):
        for element in elements:
            seen = []
            for displaced in lanes_of(float(base.flat[element])):
                moved = base.copy()
                moved.flat[element] = displaced
                lanes: dict[int, Any] = {node: moved}
                for inner, function, inputs in steps_to_output:
                    assert function is not None
                    lanes[inner] = function(*[lanes[source] if source in lanes else values[source] for source in inputs])
                # A node that is nothing but a size or a label does not reach the output.
                seen.append(_weighted(evaluation, lanes.get(last, values[last])))
            yield element, seen


def _rounding(evaluation: Evaluation) -> tuple[list[float], list[Any], list[str]]:
    """For each node: how far the output may be off by the rounding behind it, its gradient by rounding, and words on kinks."""
    graph, values, gradients = evaluation.graph, evaluation.values, evaluation.gradients
    count = len(graph)
    noise, singular = [0.0] * count, [""] * count
    paths: list[Any] = [0.0] * count
    paths[-1] = abs(numpy.broadcast_to(numpy.asarray(evaluation.seed, float), numpy.shape(values[-1])))
    total = 0.0
    with numpy.errstate(all="ignore"):
        for node in range(count - 1, -1, -1):
            if graph.codes[node] > CONSTANT and evaluation.wanted[node]:
                operator = graph.operator(node)
                gate = operator.gate
                assert gate is not None
                inputs = graph.inputs(node)
                own = numpy.sum(abs(gradients[node]) * (ROUNDINGS * EPSILON * abs(values[node]) + SMALLEST))
                if not gate.elementwise:
                    terms = [numpy.sum(abs(gradients[s] * values[s])) for s in inputs if evaluation.wanted[s]]
                    own += ROUNDINGS * EPSILON * sum(terms)
                total += float(own) if math.isfinite(own) else 0.0
                words = singular[node] or _singular_point(evaluation, node)
                found = contributions(
                    operator, ArrayTerm(paths[node]), ArrayTerm(values[node]), [ArrayTerm(values[s]) for s in inputs]
                )
                for source, part in zip(inputs, found):
                    if part is not None:
                        paths[source] = paths[source] + numpy.nan_to_num(abs(part.value))
                    singular[source] = singular[source] or words
            noise[node] = total
    trust = [
        numpy.broadcast_to(64.0 * EPSILON * path, evaluation.shape(node)) if graph.codes[node] != CONSTANT else 0.0
        for node, path in enumerate(paths)
    ]
    return noise, trust, singular


def _singular_point(evaluation: Evaluation, node: int) -> str:
    """The words of a gate's record if some element is at a kink or an edge of it."""
    operator = evaluation.graph.operator(node)
    gate = operator.gate
    if gate is None:
        return ""
    arguments = [numpy.asarray(evaluation.values[source]) for source in evaluation.graph.inputs(node)]
    for condition in (gate.kinks, gate.edges):
        if condition is not None and numpy.any(condition.holds(*arguments, **dict(operator.attributes))):
            return f"{gate.name}: {condition.text}"
    return ""
