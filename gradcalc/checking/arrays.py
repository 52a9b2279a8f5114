"""The check of a graph with arrays: element by element, end to end; of large arrays some elements, and random directions.

Every element is first tried briefly (`brief`), all elements of an array at once (`lanes`); those that this does not settle go
through the whole ladder of steps, and a mismatch is a defect only if a gate's own rule turns out to be off.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

import numpy

from gradcalc.calculus.extract import HIDDEN, extract
from gradcalc.calculus.rules import contributions
from gradcalc.checking import brief
from gradcalc.checking.complex_step import RELATIVE_STEP, SHORTEST, obstacle
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
from gradcalc.checking.directions import Directions, along_directions
from gradcalc.checking.lanes import Prober
from gradcalc.checking.scalars import CHAINED, ROUNDINGS, worst_behind
from gradcalc.checking.verdicts import VERDICTS, Check, Point, judge
from gradcalc.engine import arrays
from gradcalc.engine.arrays import ArrayTerm
from gradcalc.engine.evaluate import Evaluation, backpropagate
from gradcalc.engine.threads import share
from gradcalc.gates.record import Body
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

EVERY = 1000
"""Up to so many elements in all arrays together, all of them are checked."""

ELEMENTS = 48
"""Beyond, up to so many elements of an array are all checked, and of a larger one so many are drawn."""

FEWEST = 4
"""So many are drawn even where each of them reaches a very large array."""

WORK = 2**25
"""How many numbers the probes of an array's drawn elements may make at most."""

LANES = 2**17
"""How many numbers the probes of a block make at once: so many stay in the cache."""

MOST_LANES = 2**22
"""How many numbers they make at most where one element reaches a large array."""

OF_A_GATE = 2000
"""Of a gate by itself, up to so many elements of an input are checked to confirm a mismatch."""

OK, UNSURE, MISMATCH = (VERDICTS.index(word) for word in ("ok", "unsure", "mismatch"))

Progress = Callable[[int, int], None]
"""Is told now and then how many elements of how many are checked."""


class ArrayCheck(Check):
    """A check of an array: numerical derivatives and bars of its shape (nan where an element was not drawn), the worst verdict."""

    __slots__ = ("_codes", "digits")

    def __init__(self, numerical: Any, bar: Any, worst: Check, codes: Any, digits: int | None) -> None:
        super().__init__(numerical, bar, worst.verdict, worst.slopes, worst.note, worst.suspect)
        self.digits = digits
        self._codes = codes

    @property
    def verdicts(self) -> Any:
        """The verdict of every element, `off` where it was not drawn."""
        return numpy.array(VERDICTS)[self._codes]


def check_arrays(
    evaluation: Evaluation,
    nodes: Sequence[int],
    method: str = "auto",
    every: bool = False,
    progress: Progress | None = None,
) -> tuple[Callable[[int], Check], str]:
    """Check the gradients at these nodes; see `check`."""
    checker = _Checker(evaluation, method)
    sizes = {node: math.prod(evaluation.shape(node)) for node in nodes}
    total = sum(sizes.values())
    whole = every or total <= EVERY
    drawn = [] if whole else [node for node in nodes if sizes[node] > ELEMENTS]
    counts = {node: checker.affordable(node) if node in drawn else sizes[node] for node in nodes}
    if progress is not None:
        checker.report = _Counter(progress, sum(counts.values()))
    for node in nodes:
        elements = numpy.arange(sizes[node])
        if node in drawn:
            elements = numpy.array(sorted(random.Random(node).sample(range(sizes[node]), counts[node])))
        checker.check(node, elements)
    checker.confirm()
    words = ""
    if drawn and checker.finite:
        words = checker.directions(drawn, min(counts[node] for node in drawn))
    return checker.result, words


class _Counter:
    """Adds up what is done, by several threads."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = Lock()

    def __call__(self, more: int) -> None:
        with self._lock:
            self._done += more
            self._progress(self._done, self._total)


class _Found:
    """What is known of the elements of one node: columns, and more words on those that are not simply ok."""

    def __init__(self, size: int) -> None:
        self.numerical = numpy.full(size, math.nan)
        self.bars = numpy.full(size, math.nan)
        self.codes = numpy.zeros(size, dtype=numpy.int8)
        self.checks: dict[int, Check] = {}

    def enter(self, element: int, check: Check) -> None:
        self.numerical[element], self.bars[element] = check.numerical, check.bar
        self.codes[element] = VERDICTS.index(check.verdict)
        self.checks[element] = check


class _Checker:
    """Checks the elements of one node after the other, and keeps what it finds."""

    def __init__(self, evaluation: Evaluation, method: str) -> None:
        self.evaluation = evaluation
        self.method = method
        self.report: Callable[[int], None] = lambda more: None
        self.found: dict[int, _Found] = {}
        self.center = _weighted(evaluation)
        self.finite = math.isfinite(self.center)
        self.noise, self.trust, self.singular = _rounding(evaluation)
        self._closed = Prober(evaluation.graph, evaluation.values, evaluation.seed)
        self._opened: tuple[Prober, Sequence[int] | None] | None = None
        self._analytic: Prober | None = None
        self._blocked: list[str] | None = None
        self._states: dict[int, str] = {}
        self._weights: dict[int, int] = {}
        self._chain: list[Any] | None = None
        self._along: dict[int, Check] = {}

    # ---- the elements of one node ------------------------------------------------------------------------------------------------

    def affordable(self, node: int) -> int:
        """How many elements of a large array are drawn."""
        return min(ELEMENTS, max(FEWEST, WORK // (2 * brief.STEPS * self._weight(node))))

    def check(self, node: int, elements: Any) -> None:
        """Check some elements of a node."""
        base = numpy.ravel(self.evaluation.values[node])
        found = self.found[node] = _Found(base.size)
        if not self.finite:
            self.report(len(elements))
            return
        pending = elements[numpy.isfinite(base[elements])]
        self.report(len(elements) - len(pending))
        if self.method != "one-sided":
            for attempt in range(brief.ATTEMPTS):
                pending = self._briefly(node, pending, attempt, found)
        self._thoroughly(node, pending, found)
        if self.method in ("auto", "complex"):
            self._by_complex_step(node, elements, found)
        elif self.method == "exact":
            self._exactly(node, elements, found)

    def _probe(self, prober: Prober, node: int, elements: Any, displacements: Any, weight: int) -> Any:
        """Probe a block, in pieces where a single element already reaches very much."""
        pieces = -(-len(elements) * displacements.shape[1] * weight // MOST_LANES)
        if pieces <= 1:
            return prober.probe(node, elements, displacements)
        columns = numpy.array_split(displacements, min(pieces, displacements.shape[1]), axis=1)
        return numpy.concatenate([prober.probe(node, elements, piece) for piece in columns], axis=1)

    def _blocks(self, elements: Any, lanes: int, weight: int) -> list[Any]:
        size = max(1, LANES // (lanes * weight))
        return [elements[start : start + size] for start in range(0, len(elements), size)]

    def _briefly(self, node: int, elements: Any, attempt: int, found: _Found) -> Any:
        """The first stage; what it does not settle is returned."""
        if not len(elements):
            return elements
        prober, inner = self._prober(node)
        base, gradient = numpy.ravel(self.evaluation.values[node]), numpy.ravel(self.evaluation.gradients[node])
        trust = numpy.ravel(self.trust[node])
        weight = self._weight(node)  # found by a probe, after which all that the threads share of the prober is made

        def settle(blocks: Iterator[Any]) -> None:
            for block in blocks:
                points = base[block]
                steps = brief.lengths(points, attempt)
                moved = self._probe(prober, inner, block, brief.displacements(steps), weight)
                expected = abs(self.center) / numpy.where(points == 0.0, 1.0, abs(points))
                told = brief.settle(gradient[block], moved, steps, self.noise[node], trust[block], expected)
                done = block[told.settled]
                found.numerical[done], found.bars[done] = told.values[told.settled], told.bars[told.settled]
                found.codes[done] = OK
                self.report(len(done))

        share(settle, self._blocks(elements, 2 * brief.STEPS, weight))
        return elements[found.codes[elements] != OK]

    def _thoroughly(self, node: int, elements: Any, found: _Found) -> None:
        """The whole ladder of steps, on the graph as it is."""
        if not len(elements):
            return
        base = numpy.ravel(self.evaluation.values[node])
        weight = self._weigh(self._closed, node)
        for block in self._blocks(elements, 2 * LEVELS, weight):
            points = base[block]
            lengths, ratios = step_columns(points)
            moved = self._probe(self._closed, node, block, numpy.concatenate([lengths, -lengths]).T, weight).T
            with numpy.errstate(all="ignore"):
                shown = slopes(moved[:LEVELS], moved[LEVELS:], 0.0, lengths, ratios, self.noise[node], arrays_arithmetic())
            columns = [(slope.value.tolist(), slope.bar.tolist(), slope.resolved.tolist()) for slope in shown]
            for row, (element, x) in enumerate(zip(block.tolist(), points.tolist())):
                one = Slopes(*(Slope(value[row], bar[row], good[row]) for value, bar, good in columns))
                one = seen_from(x, one)
                if self.method == "one-sided":
                    one = one._replace(central=min(one.left, one.right, key=lambda side: side.bar))
                found.enter(element, self._judged(node, element, one))
            self.report(len(block))

    def _judged(self, node: int, element: int, shown: Slopes) -> Check:
        x = float(numpy.ravel(self.evaluation.values[node])[element])
        gradient = float(numpy.ravel(self.evaluation.gradients[node])[element])
        trust = float(numpy.ravel(self.trust[node])[element])
        return judge(gradient, shown, Point(trust, abs(self.center) / (abs(x) or 1.0), self.singular[node]))

    def _by_complex_step(self, node: int, elements: Any, found: _Found) -> None:
        """Replace what differences said by what the complex step says, where it is lawful and asked for, or needed."""
        asked = self.method == "complex"
        verdicts = found.codes[elements]
        chosen = elements[((verdicts == OK) | (verdicts >= UNSURE)) if asked else verdicts == UNSURE]
        if not len(chosen):
            return
        if self._blocked is None:
            self._blocked = obstacle(self.evaluation.graph)
        if self._blocked[node]:
            for element in chosen.tolist() if asked else ():
                note = f"by differences: {self._blocked[node]} is not analytic"
                check = found.checks.get(element) or Check(found.numerical[element], found.bars[element], "ok")
                check.note = check.note or note
                found.enter(element, check)
            return
        evaluation = self.evaluation
        if self._analytic is None:
            self._analytic = Prober(evaluation.graph, evaluation.values, evaluation.seed, analytic=True)
        base, trust = numpy.ravel(evaluation.values[node]), numpy.ravel(self.trust[node])
        for block in self._blocks(chosen, 2, self._weigh(self._closed, node)):
            steps = numpy.maximum(RELATIVE_STEP * numpy.where(base[block] == 0.0, 1.0, abs(base[block])), SHORTEST)
            moved = self._analytic.probe(node, block, 1j * steps[:, None])[:, 0]
            for element, value in zip(block.tolist(), (moved.imag / steps).tolist()):
                if math.isfinite(value):
                    slope = Slope(value, float(trust[element]) + 16.0 * EPSILON * abs(value), True)
                    found.enter(element, self._judged(node, element, Slopes(slope, slope, slope)))

    def _exactly(self, node: int, elements: Any, found: _Found) -> None:
        """Replace what differences said by derivatives of fifty digits, where there is one."""
        from gradcalc.checking.exact import exact_element_slopes

        codes = found.codes[elements]
        smooth = elements[(codes == OK) | (codes >= UNSURE)].tolist()
        for element, slope in exact_element_slopes(self.evaluation, node, smooth).items():
            found.enter(element, self._judged(node, element, Slopes(slope, slope, slope)))

    # ---- the graphs that are probed ----------------------------------------------------------------------------------------------

    def _prober(self, node: int) -> tuple[Prober, int]:
        """What the first stage probes: the graph with those gates opened that are quicker so."""
        if self._opened is None:
            self._opened = self._open()
        prober, place = self._opened
        return prober, node if place is None else place[node]

    def _open(self) -> tuple[Prober, Sequence[int] | None]:
        """The graph with gates opened into their formulas that have no rule for many lanes at once, if this changes no value."""
        evaluation = self.evaluation
        graph, last = evaluation.graph, len(evaluation.graph) - 1
        wanted = {
            graph.codes[node]
            for node in range(last + 1)
            if graph.codes[node] > CONSTANT and evaluation.wanted[node] and _may_open(graph.operator(node))
            if self._closed.rule(node).batched is None or self._closed.rule(node).spreads
        }
        if not wanted:
            return self._closed, None
        operators = {graph.operators[code] for code in wanted}

        def body(operator: Operator) -> Body | None:
            from gradcalc.language.formulas import parse_formula

            assert operator.gate is not None or operator not in operators
            return parse_formula(operator.gate, dict(operator.attributes)) if operator.gate and operator in operators else None

        part = extract(graph, last, 0, body)
        sources = [part.source(inner) for inner, code in enumerate(part.graph.codes) if code == INPUT]
        values = arrays.forward(part.graph, [evaluation.values[source] for source in sources])
        place = [-1] * (last + 1)
        for inner in range(len(part.graph)):
            source = part.source(inner)
            if source != HIDDEN:
                place[source] = inner
        if -1 in place or not all(_same(values[inner], evaluation.values[node]) for node, inner in enumerate(place)):
            return self._closed, None
        return Prober(part.graph, values, evaluation.seed), place

    def _weight(self, node: int) -> int:
        """How many numbers one element of a node reaches at once."""
        if node not in self._weights:
            self._weights[node] = self._weigh(*self._prober(node))
        return self._weights[node]

    @staticmethod
    def _weigh(prober: Prober, node: int) -> int:
        if prober.bases[node].size:
            prober.probe(node, numpy.zeros(1, dtype=numpy.int64), numpy.zeros((1, 1)))
        return max(1, prober.largest)

    # ---- the nodes together ------------------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """A mismatch end to end is a defect only where a gate's rule or the chain rule is off; see `scalars._confirm`."""
        suspects = {node: [e for e, check in found.checks.items() if check.suspect] for node, found in self.found.items()}
        for node, elements in suspects.items():
            for element in elements:
                check = self.found[node].checks[element]
                check.verdict, check.note = self.confirmed(node, element)
                self.found[node].enter(element, check)

    def confirmed(self, node: int, element: int | None = None) -> tuple[str, str]:
        """The verdict and the words on a node whose gradient is not what the output does."""
        evaluation = self.evaluation
        graph, last = evaluation.graph, len(evaluation.graph) - 1
        off = self._off_the_chain(node)
        if off.any() if element is None else off[element]:
            return "mismatch", "the gradient is not what the rules of the gates make"
        for inner in range(last, node, -1):
            if inner not in self._states:
                self._states[inner] = _gate_state(evaluation, inner)
        culprit = worst_behind(graph, {inner: self._states[inner] for inner in range(node + 1, last + 1)})[node]
        gate = None if culprit is None else graph.operator(culprit).gate
        if culprit is None or gate is None:
            return "unsure", "every gate behind it agrees with its own differences"
        if self._states[culprit] == "mismatch":
            return "mismatch", f"the rule of {gate.name} is off"
        return "unsure", f"{gate.name} changes faster here than rounding allows to measure"

    def _off_the_chain(self, node: int) -> Any:
        """For each element of a node whether its gradient is not what the rules of the gates make once more."""
        evaluation = self.evaluation
        if self._chain is None:
            last = len(evaluation.graph) - 1
            self._chain = arrays.backward(evaluation.graph, evaluation.values, last, evaluation.seed, evaluation.wanted)
        again = 0.0 if self._chain[node] is None else self._chain[node]
        with numpy.errstate(all="ignore"):
            chained = numpy.ravel(numpy.broadcast_to(again, evaluation.shape(node)))
            off = abs(chained - numpy.ravel(evaluation.gradients[node]))
            return off > 4.0 * numpy.ravel(self.trust[node]) + CHAINED * abs(chained)

    def directions(self, nodes: Sequence[int], fewest: int) -> str:
        """Check large arrays along random directions, all together; a sentence on what that is worth."""
        sharp = along_directions(self.evaluation, nodes, self.noise[min(nodes)])
        words = f"at {fewest} or more elements drawn at random" if fewest < ELEMENTS else f"at {ELEMENTS} elements drawn at random"
        if not sharp.agrees:
            for node in nodes:
                alone = along_directions(self.evaluation, [node], self.noise[node])
                if not alone.agrees:
                    self._disagreed(node, alone)
        return f"large arrays checked {words} of each, and {sharp.words}"

    def _disagreed(self, node: int, alone: Directions) -> None:
        verdict, note = self.confirmed(node) if alone.telling else ("unsure", "the error bar is too wide to tell")
        self._along = getattr(self, "_along", {}) | {
            node: Check(alone.value, alone.bar, verdict, None, f"along a direction: {note}")
        }

    def result(self, node: int) -> Check:
        """What was found at a node."""
        shape, found = self.evaluation.shape(node), self.found[node]
        worst = self._worst(node, found)
        if not shape:
            return ArrayCheck(float(found.numerical[0]), float(found.bars[0]), worst, found.codes.reshape(()), None)
        digits = _digits(numpy.ravel(self.evaluation.gradients[node]), found)
        worst.slopes = None
        return ArrayCheck(found.numerical.reshape(shape), found.bars.reshape(shape), worst, found.codes.reshape(shape), digits)

    def _worst(self, node: int, found: _Found) -> Check:
        """The worst of a node's elements, and where it is."""
        along = self._along.get(node)
        if not found.codes.size:
            return along or Check(math.nan, math.nan, "ok")
        code = int(found.codes.max())
        if along is not None and VERDICTS.index(along.verdict) > code:
            return along
        if code <= OK:
            note = next((check.note for check in found.checks.values() if check.note), "")
            return Check(math.nan, math.nan, VERDICTS[code], None, note)
        candidates = numpy.flatnonzero(found.codes == code)
        gradient = numpy.ravel(self.evaluation.gradients[node])
        with numpy.errstate(invalid="ignore"):
            off = numpy.nan_to_num(abs(gradient[candidates] - found.numerical[candidates]), nan=-1.0)
        element = int(candidates[int(off.argmax())])
        check = found.checks[element]
        shape = self.evaluation.shape(node)
        if not shape:
            return check
        index = ", ".join(map(str, numpy.unravel_index(element, shape)))
        many = f" and {len(candidates) - 1} more" if len(candidates) > 1 else ""
        words = f"{check.verdict} at [{index}]{many}" + (f": {check.note}" if check.note else "")
        return Check(check.numerical, check.bar, check.verdict, None, words, check.suspect)


def _digits(gradient: Any, found: _Found) -> int | None:
    """How many digits agree at least; see `verdicts.digits_agreeing`."""
    with numpy.errstate(all="ignore"):
        largest = numpy.maximum(abs(gradient), abs(found.numerical))
        told = numpy.isfinite(largest) & ((largest > found.bars) | (largest == 0.0))
        if not told.any():
            return None
        error = numpy.maximum(numpy.maximum(abs(gradient - found.numerical), found.bars), EPSILON * largest) / largest
        digits = numpy.where(largest == 0.0, 16.0, numpy.floor(-numpy.log10(error)))
    return int(numpy.clip(digits[told].min(), 0, 16))


def _weighted(evaluation: Evaluation) -> float:
    """The number that is differentiated: the output weighted by the gradient from above, and summed."""
    output = evaluation.values[-1]
    with numpy.errstate(all="ignore"):
        return float(numpy.sum(numpy.broadcast_to(evaluation.seed, numpy.shape(output)) * output))


def _may_open(operator: Operator) -> bool:
    gate = operator.gate
    return gate is not None and gate.formula is not None and not gate.elementwise and gate.data is None


def _same(first: Any, second: Any) -> bool:
    if numpy.shape(first) != numpy.shape(second):
        return False
    return numpy.allclose(
        first, second, rtol=1e-12, atol=1e-13 * float(numpy.max(abs(numpy.asarray(second)), initial=0.0)), equal_nan=True
    )


# ---- one gate by itself ----------------------------------------------------------------------------------------------------------


def _gate_state(evaluation: Evaluation, node: int) -> str:
    """Whether a gate's rule agrees with differences of that gate alone: `ok`, `mismatch` or `unsure`."""
    operator = evaluation.graph.operator(node)
    gate = operator.gate
    if gate is None or not evaluation.wanted[node] or gate.constant:
        return "ok"
    arguments = [evaluation.values[source] for source in evaluation.graph.inputs(node)]
    if not all(numpy.isfinite(value).all() for value in [*arguments, evaluation.values[node]]):
        return "unsure"
    numbers = list(range(len(arguments)))
    flowing = set(gate.flowing(numbers))
    graph = Graph()
    places = [graph.add_input() if number in flowing else graph.add_constant(arguments[number]) for number in numbers]
    graph.add(gate, places, operator.attributes)
    shapes = [numpy.shape(value) for value in arguments] + [evaluation.shape(node)]
    values = [*arguments, evaluation.values[node]]
    inputs = [arguments[number] for number in sorted(flowing)]
    alone = Evaluation(graph, inputs, False, shapes, values, [], bytearray())
    above = evaluation.gradients[node]
    backpropagate(alone, above if numpy.isfinite(above).all() and numpy.any(above) else 1.0, [places[n] for n in sorted(flowing)])
    checker = _Checker(alone, "central")
    for number in sorted(flowing):
        if evaluation.wanted[evaluation.graph.inputs(node)[number]]:
            size = math.prod(shapes[number])
            drawn = range(size) if size <= OF_A_GATE else sorted(random.Random(node).sample(range(size), OF_A_GATE))
            checker.check(number, numpy.array(drawn, dtype=numpy.int64))
    codes = [int(found.codes.max(initial=0)) for found in checker.found.values()]
    return "mismatch" if MISMATCH in codes else "unsure" if UNSURE in codes or not checker.finite else "ok"


# ---- rounding --------------------------------------------------------------------------------------------------------------------


def _rounding(evaluation: Evaluation) -> tuple[list[float], list[Any], list[str]]:
    """For each node: how far the output may be off by the rounding behind it, its gradient by rounding, and words on kinks."""
    graph, values, gradients = evaluation.graph, evaluation.values, evaluation.gradients
    count = len(graph)
    noise, singular = [0.0] * count, [""] * count
    paths: list[Any] = [None] * count  # where no path arrives from the output, none goes on
    paths[-1] = abs(numpy.broadcast_to(numpy.asarray(evaluation.seed, float), numpy.shape(values[-1])))
    total = 0.0
    with numpy.errstate(all="ignore"):
        for node in range(count - 1, -1, -1):
            if graph.codes[node] > CONSTANT and evaluation.wanted[node] and paths[node] is not None:
                operator = graph.operator(node)
                gate = operator.gate
                assert gate is not None
                inputs = graph.inputs(node)
                own = numpy.sum(abs(gradients[node]) * (ROUNDINGS * EPSILON * abs(values[node]) + SMALLEST))
                if not gate.elementwise or gate.formula is not None:
                    terms = [numpy.sum(abs(gradients[s] * values[s])) for s in inputs if evaluation.wanted[s]]
                    own += ROUNDINGS * EPSILON * sum(terms)
                total += float(own) if math.isfinite(own) else 0.0
                words = singular[node] or _singular_point(evaluation, node)
                for source, size in zip(inputs, _largest_contributions(evaluation, node, paths[node])):
                    if size is not None:
                        paths[source] = size if paths[source] is None else paths[source] + size
                    singular[source] = singular[source] or words
            noise[node] = total
    trust = [
        0.0
        if graph.codes[node] == CONSTANT
        else numpy.broadcast_to(64.0 * EPSILON * (0.0 if path is None else path), evaluation.shape(node))
        for node, path in enumerate(paths)
    ]
    return noise, trust, singular


def _largest_contributions(evaluation: Evaluation, node: int, above: Any) -> list[Any]:
    """How large what a node adds to the gradients of its inputs would be, if nothing in it cancelled.

    Where the rule of a gate adds and subtracts (softmax), it cancels for some signs of the gradient from above and not for others.
    """
    graph, values = evaluation.graph, evaluation.values
    operator, terms = graph.operator(node), [ArrayTerm(values[source]) for source in graph.inputs(node)]
    assert operator.gate is not None
    signs: list[Any] = [1.0]
    if not operator.gate.elementwise and numpy.size(above) > 1:
        turned = numpy.ones(numpy.shape(above))
        turned.ravel()[::2] = -1.0
        drawn = numpy.random.default_rng(node).integers(0, 2, numpy.shape(above)) * 2.0 - 1.0
        signs += [turned, drawn]
    sizes: list[Any] = [None] * len(terms)
    for sign in signs:
        found = contributions(operator, ArrayTerm(above * sign), ArrayTerm(values[node]), terms)
        for number, part in enumerate(found):
            if part is not None:
                size = numpy.nan_to_num(abs(part.value))
                sizes[number] = size if sizes[number] is None else numpy.maximum(sizes[number], size)
    return sizes


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
