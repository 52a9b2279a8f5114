"""The check of forward mode: every node's tangent against differences along the direction, for all nodes from the same steps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.differences import (
    EPSILON,
    LEVELS,
    SMALLEST,
    Slope,
    Slopes,
    arrays_arithmetic,
    ladder,
    seen_from,
    slopes,
    steps,
)
from gradcalc.checking.scalars import ROUNDINGS, singular_point
from gradcalc.checking.verdicts import VERDICTS, Check, Point, digits_agreeing, judge
from gradcalc.engine import arrays
from gradcalc.engine.arrays import ArrayTerm
from gradcalc.engine.evaluate import Evaluation
from gradcalc.engine.scalar import local_slopes
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import Gate
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

MOST_NUMBERS = 2_000_000
"""The check keeps fifty values of every number of the graph; larger graphs are not checked in forward mode."""

ELEMENTS = 2000
"""Of a larger array so many elements are drawn."""

CHUNK = 4096
"""So many nodes of a graph of numbers are looked at together."""

TOO_LARGE = f"--mode forward checks graphs of up to {MOST_NUMBERS:,} numbers"


class TangentCheck(Check):
    """A check of an array's tangents: numerical derivatives and bars of its shape (nan where an element was not drawn)."""

    __slots__ = ("digits", "verdicts")

    def __init__(self, numerical: Any, bar: Any, worst: Check, verdicts: Any, digits: int | None) -> None:
        super().__init__(numerical, bar, worst.verdict, worst.slopes, worst.note, worst.suspect)
        self.verdicts = verdicts
        self.digits = digits


def check_tangents(
    evaluation: Evaluation, moves: Mapping[int, Any], tangents: Sequence[Any], nodes: Sequence[int], method: str = "auto"
) -> tuple[Callable[[int], Check], str]:
    """Check tangents against differences.

    Args:
        evaluation: after its forward pass.
        moves: the direction: for input nodes how far they move.
        tangents: of every node.
        nodes: which of them to check.
        method: `auto`, `central` or `one-sided`.

    Returns:
        The check of each node, and why there is none, where there is none.
    """
    size = sum(math.prod(evaluation.shape(node)) for node in range(len(evaluation.graph)))
    if size > MOST_NUMBERS:
        return lambda node: Check(math.nan, math.inf, "off"), TOO_LARGE
    return cache(_Checker(evaluation, moves, tangents, method).check), ""


class _Checker:
    """Moves the inputs along the direction once, and judges each node by what it did."""

    def __init__(self, evaluation: Evaluation, moves: Mapping[int, Any], tangents: Sequence[Any], method: str) -> None:
        self.evaluation = evaluation
        self.tangents = tangents
        self.method = method
        self.moved = dependents(evaluation.graph, moves, len(evaluation.graph) - 1)
        self.scale = _scale(evaluation, moves)
        self.lengths = steps(self.scale)
        self.ratio = 2.0 ** ladder(self.scale)[1]
        rounding = _rounding_of_numbers if evaluation.scalar else _rounding
        found: tuple[list[Any], list[Any], list[str]] = rounding(evaluation, moves, tangents)
        self.noise, self.trust, self.singular = found
        self.lanes = self._lanes(moves)
        self._agreeing: dict[int, bool] = {}
        self._chunks: dict[int, list[Slopes]] = {}

    def _lanes(self, moves: Mapping[int, Any]) -> list[Any]:
        """For every node its values at all steps: one row a step, first upwards, then downwards."""
        evaluation = self.evaluation
        graph = evaluation.graph
        signed = [*self.lengths, *(-length for length in self.lengths)]
        if evaluation.scalar:
            columns = [
                numpy.full(len(signed), value) if node not in moves else value + numpy.array(signed) * moves[node]
                for node, value in _inputs(evaluation)
            ]
            return [numpy.broadcast_to(lane, len(signed)).reshape(-1, 1) for lane in arrays.forward(graph, columns)]
        rows = []
        for step in signed:
            inputs = [value if node not in moves else value + step * moves[node] for node, value in _inputs(evaluation)]
            rows.append([numpy.ravel(value) for value in arrays.forward(graph, inputs)])
        return [numpy.stack(lane) for lane in zip(*rows)]

    def check(self, node: int) -> Check:
        """The verdict on a node."""
        if self.evaluation.scalar:
            return self._number(node)
        value, tangent = numpy.ravel(self.evaluation.values[node]), numpy.ravel(self.tangents[node])
        places = numpy.arange(value.size)
        if value.size > ELEMENTS:
            places = numpy.array(sorted(random.Random(node).sample(range(value.size), ELEMENTS)))
        found = self._elements(node, value, tangent, places)
        shape = self.evaluation.shape(node)
        return self._gathered(found, places, shape, tangent) if shape else found[0]

    def _number(self, node: int) -> Check:
        """The verdict on a node of a graph of numbers."""
        tangent = self.tangents[node]
        if not self.moved[node]:
            return _of_rest(tangent)
        start = node - node % CHUNK
        if start not in self._chunks:
            self._chunks[start] = self._shown(start)
        return self._judged(node, self.evaluation.values[node], tangent, self._chunks[start][node - start], self.trust[node])

    def _shown(self, start: int) -> list[Slopes]:
        """What the moves show at the nodes from this one on, many at once."""
        end = min(start + CHUNK, len(self.lanes))
        with numpy.errstate(all="ignore"):
            seen = numpy.concatenate(self.lanes[start:end], axis=1)
            values = numpy.array(self.evaluation.values[start:end])
            return self._slopes(seen, values, numpy.array(self.noise[start:end]))

    def _slopes(self, seen: Any, values: Any, noise: Any) -> list[Slopes]:
        """The slopes of many numbers, from their values at all steps."""
        lengths = [numpy.full(len(values), length) for length in self.lengths]
        shown = slopes(list(seen[:LEVELS]), list(seen[LEVELS:]), values, lengths, self.ratio, noise, arrays_arithmetic())
        columns = [zip(*(part.tolist() for part in slope)) for slope in shown]
        return [Slopes(*(Slope(*side) for side in row)) for row in zip(*columns)]

    def _elements(self, node: int, value: Any, tangent: Any, places: Any) -> list[Check]:
        """The verdicts on some elements of a node."""
        if not self.moved[node]:
            return [_of_rest(tangent[place]) for place in places.tolist()]
        shape = self.evaluation.shape(node)
        noise, trust = (numpy.ravel(numpy.broadcast_to(column[node], shape))[places] for column in (self.noise, self.trust))
        with numpy.errstate(all="ignore"):
            shown = self._slopes(self.lanes[node][:, places], value[places], noise)
        rows = zip(value[places].tolist(), tangent[places].tolist(), shown, trust.tolist())
        return [self._judged(node, *row) for row in rows]

    def _judged(self, node: int, value: float, tangent: float, shown: Slopes, trust: float) -> Check:
        if not math.isfinite(value):
            return Check(math.nan, math.inf, "off")
        shown = seen_from(self.scale, shown)
        if self.method == "one-sided":
            shown = shown._replace(central=min(shown.left, shown.right, key=lambda side: side.bar))
        point = Point(trust, abs(value) / self.scale, self.singular[node])
        return self._confirmed(node, judge(tangent, shown, point))

    def _confirmed(self, node: int, check: Check) -> Check:
        """A mismatch is a defect only where a gate by itself is off, too; else the function is too wild for the steps."""
        if not check.suspect:
            return check
        graph = self.evaluation.graph
        before = graph.reached([node])
        for one in range(node + 1):
            gate = graph.operator(one).gate
            if before[one] and self.moved[one] and gate is not None and not self._agrees(one):
                check.note = f"the rule of {gate.name} is off"
                return check
        check.verdict, check.note = "unsure", "every gate before it agrees with its own differences"
        return check

    def _agrees(self, node: int) -> bool:
        """Whether a gate's tangent is what differences of that gate alone show, along the tangents of its inputs."""
        if node not in self._agreeing:
            evaluation = self.evaluation
            alone = Graph()
            inputs = [alone.add_input() for _ in evaluation.graph.inputs(node)]
            operator = evaluation.graph.operator(node)
            assert operator.gate is not None
            alone.add(operator.gate, inputs, operator.attributes)
            sources = evaluation.graph.inputs(node)
            values = [evaluation.values[source] for source in sources]
            shapes = None if evaluation.scalar else [evaluation.shape(one) for one in (*sources, node)]
            part = Evaluation(alone, values, evaluation.scalar, shapes, [*values, evaluation.values[node]], [], bytearray())
            moved = {one: self.tangents[source] for one, source in zip(inputs, sources) if self.moved[source]}
            checker = _Checker(part, moved, [*(self.tangents[source] for source in sources), self.tangents[node]], self.method)
            checker._agreeing = {len(alone) - 1: False}
            self._agreeing[node] = checker.check(len(alone) - 1).verdict != "mismatch"
        return self._agreeing[node]

    def _gathered(self, found: Sequence[Check], places: Any, shape: tuple[int, ...], tangent: Any) -> TangentCheck:
        numerical, bars = numpy.full(tangent.size, math.nan), numpy.full(tangent.size, math.nan)
        verdicts = numpy.full(tangent.size, "off", dtype="<U8")
        digits = []
        for place, check in zip(places.tolist(), found):
            numerical[place], bars[place], verdicts[place] = check.numerical, check.bar, check.verdict
            agreeing = digits_agreeing(float(tangent[place]), check.numerical, check.bar)
            digits += [agreeing] if agreeing is not None and check.verdict == "ok" else []
        worst = max(found, key=lambda check: VERDICTS.index(check.verdict), default=Check(math.nan, math.nan, "off"))
        return TangentCheck(
            numerical.reshape(shape), bars.reshape(shape), worst, verdicts.reshape(shape), min(digits, default=None)
        )


def _of_rest(tangent: float) -> Check:
    """What no path leads to has the tangent 0, and does not move."""
    return Check(0.0, 0.0, "ok" if tangent == 0.0 else "mismatch")


def _inputs(evaluation: Evaluation) -> list[tuple[int, Any]]:
    """The input nodes with their values, by number."""
    graph = evaluation.graph
    nodes = sorted((graph.left[node], node) for node, code in enumerate(graph.codes) if code == INPUT)
    return [(node, evaluation.inputs[number]) for number, node in nodes]


def _scale(evaluation: Evaluation, moves: Mapping[int, Any]) -> float:
    """How long the direction may be followed: as far as the smallest input that moves is from zero; a power of two."""
    sizes = []
    for node, amount in moves.items():
        value = numpy.abs(numpy.broadcast_to(evaluation.values[node], numpy.shape(amount) or evaluation.shape(node)))
        speed = numpy.abs(numpy.broadcast_to(amount, value.shape))
        ratios = (value[(value > 0) & (speed > 0)] / speed[(value > 0) & (speed > 0)]).tolist()
        sizes += [ratio for ratio in ratios if math.isfinite(ratio) and ratio > 0.0]
        sizes += [1.0 / float(one) for one in speed[(value == 0) & (speed > 0)].tolist()[:1]]
    least = min(sizes, default=1.0)
    return math.ldexp(1.0, math.frexp(least)[1] - 1) if least > 1e-290 else 1.0


def _rounding_of_numbers(
    evaluation: Evaluation, moves: Mapping[int, Any], tangents: Sequence[float]
) -> tuple[list[float], list[float], list[str]]:
    """The same as `_rounding` for a graph of numbers."""
    graph, values = evaluation.graph, evaluation.values
    noise, trust, singular = [0.0] * len(graph), [0.0] * len(graph), [""] * len(graph)
    for node in moves:
        noise[node] = EPSILON * abs(values[node])
    for node, code in enumerate(graph.codes):
        if code <= CONSTANT:
            continue
        blur, path, moved, words = ROUNDINGS * EPSILON * abs(values[node]) + SMALLEST, 0.0, False, ""
        for source, slope in zip(graph.inputs(node), local_slopes(graph, node, values)):
            moved = moved or tangents[source] != 0.0
            words = words or singular[source]
            if slope is not None and math.isfinite(slope):
                blur += abs(slope) * noise[source]
                path += abs(slope) * (trust[source] + 8.0 * EPSILON * abs(tangents[source]))
        noise[node] = blur if math.isfinite(blur) else 0.0
        trust[node] = path if math.isfinite(path) else 0.0
        singular[node] = (singular_point(graph, node, values) if moved else "") or words
    return noise, trust, singular


def _rounding(evaluation: Evaluation, moves: Mapping[int, Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any], list[str]]:
    """For each node how far its values may be off along the direction, how far its tangent may, and a singular point on the way."""
    graph, values = evaluation.graph, evaluation.values
    noise: list[Any] = [0.0] * len(graph)
    trust: list[Any] = [0.0] * len(graph)
    singular = [""] * len(graph)
    generator = numpy.random.default_rng(0)
    with numpy.errstate(all="ignore"):
        for node, code in enumerate(graph.codes):
            if node in moves:
                noise[node] = EPSILON * abs(numpy.asarray(values[node]))
            if code <= CONSTANT:
                continue
            operator, sources = graph.operator(node), graph.inputs(node)
            own = ROUNDINGS * EPSILON * abs(numpy.asarray(values[node])) + SMALLEST
            noise[node] = own + _amplified(
                operator, values[node], [values[s] for s in sources], [noise[s] for s in sources], generator
            )
            paths = [trust[s] + 8.0 * EPSILON * abs(numpy.asarray(tangents[s])) for s in sources]
            trust[node] = _amplified(operator, values[node], [values[s] for s in sources], paths, generator)
            here = _singular_point(graph, node, values) if any(numpy.any(tangents[s]) for s in sources) else ""
            singular[node] = here or next((singular[s] for s in sources if singular[s]), "")
    return noise, trust, singular


def _amplified(operator: Operator, result: Any, inputs: Sequence[Any], errors: Sequence[Any], generator: Any) -> Any:
    """What errors of a gate's inputs make of its result, by its rule."""
    gate = operator.gate
    assert gate is not None
    if gate.constant or not any(numpy.any(error) for error in errors):
        return 0.0
    terms = [ArrayTerm(value) for value in inputs]
    if gate.partials is not None:
        return _by_slopes(gate, operator, ArrayTerm(result), terms, errors)
    from gradcalc.calculus.forward import pushed

    flowing = {id(term) for term in gate.flowing(terms)}
    total: Any = 0.0
    for _ in range(2):
        # Signs by chance, since errors are.
        moved = [
            ArrayTerm(numpy.broadcast_to(error, numpy.shape(value)) * generator.choice([-1.0, 1.0], numpy.shape(value)))
            if id(term) in flowing
            else None
            for term, value, error in zip(terms, inputs, errors)
        ]
        one = pushed(operator, ArrayTerm(result), terms, moved)
        total = total + (0.0 if one is None else 2.0 * abs(one.value))
    total = numpy.where(numpy.isfinite(total), total, 0.0)
    # By chance some elements see little of it.
    return numpy.maximum(total, numpy.mean(total)) if numpy.size(total) else total


def _by_slopes(gate: Gate, operator: Operator, result: ArrayTerm, terms: Sequence[ArrayTerm], errors: Sequence[Any]) -> Any:
    assert gate.partials is not None
    total: Any = 0.0
    for slope, error in zip(gate.partials(result, *terms, **dict(operator.attributes)), errors):
        if slope is None or not numpy.any(error):
            continue
        if isinstance(slope, Only):
            holds = slope.condition.value if isinstance(slope.condition, ArrayTerm) else slope.condition
            factor = slope.slope.value if isinstance(slope.slope, ArrayTerm) else slope.slope
            part = numpy.where(holds != 0, abs(factor), 0.0) * error
        else:
            part = abs(slope.value if isinstance(slope, ArrayTerm) else slope) * error
        total = total + numpy.where(numpy.isfinite(part), part, 0.0)
    return total


def _singular_point(graph: Graph, node: int, values: Sequence[Any]) -> str:
    """The words of a gate's record if it has a kink or an edge at these inputs, in any element."""
    operator = graph.operator(node)
    gate = operator.gate
    if gate is None or (gate.kinks is None and gate.edges is None):
        return ""
    arguments = [numpy.asarray(values[source]) for source in graph.inputs(node)]
    if gate.data is not None:
        arguments = list(gate.divided(arguments)[0])
    attributes = dict(operator.attributes)
    for condition in (gate.kinks, gate.edges):
        if condition is not None and bool(numpy.any(condition.holds(*arguments, **attributes))):
            return f"{gate.name}: {condition.text}"
    return ""
