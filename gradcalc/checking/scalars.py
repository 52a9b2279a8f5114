"""The check of a graph of numbers: every node end to end while it is small, every gate by itself where it is large."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from math import isfinite

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.differences import (
    EPSILON,
    FLOATS,
    LEVELS,
    SMALLEST,
    TINY_EXPONENT,
    Slope,
    Slopes,
    arrays_arithmetic,
    ladder,
    seen_from,
    slopes,
    steps,
)
from gradcalc.checking.probe import lanes_of, probe_many, probe_one
from gradcalc.checking.verdicts import BARS, CANCELLED, Check, Point, judge
from gradcalc.engine.scalar import backward_with_conventions, guarded_forward, guarded_slopes, local_slopes
from gradcalc.graph import CONSTANT, Graph

ROUNDINGS = 4.0
"""How many roundings the value of a gate may be off: a few units in the last place for the functions of `math`."""

CHAINED = 1e-9
"""How far two orders of the same additions may be apart, relatively, where `trust` says nothing."""

SMALLEST_STEPPED = 1e-150
"""Closer to zero the complex step could underflow on its way."""

END_TO_END = 3000
"""Up to so many nodes each is checked end to end."""

PLAIN = 120
"""Up to so many nodes the check runs in plain floats, and does not load NumPy for it."""


class Rounding:
    """What rounding does to a graph of numbers, and where its gates have no derivative.

    Attributes:
        noise: for each node, how far the output may be off by the rounding of that node and all behind it.
        trust: for each node, how far its gradient may be off by rounding.
        singular: for each node, the words of a record for a point without derivative on the way to the output, or "".
    """

    def __init__(self, graph: Graph, values: Sequence[float], gradients: Sequence[float]) -> None:
        """Follow the rounding of every node to the output (first order)."""
        count = len(graph)
        self.noise = [0.0] * count
        self.singular = [""] * count
        paths, floors = [0.0] * count, [0.0] * count
        paths[-1] = 1.0 if not gradients else abs(gradients[-1])
        total = 0.0
        gates = [operator.gate for operator in graph.operators]
        slopes_of = [None if gate is None else guarded_slopes(operator) for gate, operator in zip(gates, graph.operators)]
        rounds_inside = [gate is not None and gate.formula is not None for gate in gates]
        bends = [gate is not None and (gate.kinks is not None or gate.edges is not None) for gate in gates]
        for node in range(count - 1, -1, -1):
            code = graph.codes[node]
            rule = slopes_of[code]
            if rule is not None:
                sources = graph.inputs(node)
                inner = rule(values[node], *[values[source] for source in sources])
                size = own_size(graph, node, values, inner) if rounds_inside[code] else abs(values[node])
                own = abs(gradients[node]) * (ROUNDINGS * EPSILON * size + SMALLEST)
                total += own if isfinite(own) else 0.0
                words = self.singular[node] or (singular_point(graph, node, values) if bends[code] else "")
                path, floor = paths[node], floors[node]
                for source, slope in zip(sources, inner):
                    if slope is not None and isfinite(slope):
                        slope = abs(slope)
                        paths[source] += path * slope
                        # A product of tiny numbers keeps few digits, or none.
                        floors[source] += floor * slope + 4.0 * SMALLEST * (1.0 + path)
                    if words:
                        self.singular[source] = self.singular[source] or words
            self.noise[node] = total
        self.trust = [
            32.0 * EPSILON * path + floor if isfinite(path) and isfinite(floor) else 0.0 for path, floor in zip(paths, floors)
        ]


def own_size(graph: Graph, node: int, values: Sequence[float], inner: Sequence[float | None]) -> float:
    """The size of a gate's value, in units of whose last place it is off.

    A gate with a formula rounds inside, too, which counts as a rounding of its inputs: far out, where such a gate falls like
    exp(-x^2), that is hundreds of units of the value itself.
    """
    gate = graph.operator(node).gate
    size = abs(values[node])
    if gate is None or gate.formula is None:
        return size
    moved = [abs(slope * values[source]) for source, slope in zip(graph.inputs(node), inner) if slope is not None]
    return size + sum(part for part in moved if math.isfinite(part))


def singular_point(graph: Graph, node: int, values: Sequence[float]) -> str:
    """The words of a gate's record if it has a kink or an edge at these inputs, else nothing."""
    operator = graph.operator(node)
    gate = operator.gate
    if gate is None or (gate.kinks is None and gate.edges is None):
        return ""
    arguments = [values[source] for source in graph.inputs(node)]
    attributes = dict(operator.attributes)
    for condition in (gate.kinks, gate.edges):
        try:
            if condition is not None and condition.holds(*arguments, **attributes):
                return f"{gate.name}: {condition.text}"
        except (ArithmeticError, ValueError):
            continue
    return ""


def check_nodes(
    graph: Graph, values: Sequence[float], gradients: Sequence[float], nodes: Sequence[int], method: str = "auto"
) -> dict[int, Check]:
    """Check the gradient of the output (the graph's last node) by each of these nodes, end to end.

    `method` is `auto`, `central`, `one-sided`, `complex` or `exact`: how the numerical derivatives are taken.

    Raises:
        MissingExtra: `exact` without mpmath.
    """
    # What is not finite has no derivative to check; a warning says where it arose.
    found = {node: Check(math.nan, math.inf, "off") for node in nodes}
    if not math.isfinite(values[-1]):
        return found
    rounding = Rounding(graph, values, gradients)
    seed = gradients[-1]

    def compare(node: int, shown: Slopes) -> Check:
        size = abs(seed * values[-1]) / max(abs(values[node]), 2.0**TINY_EXPONENT)
        return judge(gradients[node], shown, Point(rounding.trust[node], size, rounding.singular[node]))

    finite = [node for node in nodes if math.isfinite(values[node])]
    plain = len(graph) <= (PLAIN if "numpy" not in sys.modules else PLAIN // 3)
    if not plain and method != "one-sided":
        found |= _briefly(graph, values, gradients, finite, rounding, seed)
    pending = [node for node in finite if found[node].verdict == "off"]
    for node, shown in (_one_by_one if plain else _together)(graph, values, pending, rounding.noise, seed):
        if method == "one-sided":
            shown = shown._replace(central=min(shown.left, shown.right, key=lambda side: side.bar))
        found[node] = compare(node, shown)
    _look_farther(graph, values, rounding.noise, seed, found, compare)
    if method in ("auto", "complex"):
        chosen = [node for node in finite if method == "complex" or found[node].verdict == "unsure"]
        # The complex step cancels as the gradient does, so it is no judge of that.
        chosen = [node for node in chosen if found[node].note != CANCELLED]
        _by_complex_step(graph, values, chosen, rounding.trust, seed, found, compare, method == "complex")
    elif method == "exact":
        from gradcalc.checking.exact import exact_slopes

        smooth = [node for node in finite if found[node].verdict in ("ok", "unsure", "mismatch")]
        for node, slope in exact_slopes(graph, values, smooth, gradients, seed).items():
            found[node] = compare(node, Slopes(slope, slope, slope))
    _confirm(graph, values, gradients, rounding.trust, found)
    return found


def _look_farther(
    graph: Graph,
    values: Sequence[float],
    noise: Sequence[float],
    seed: float,
    found: dict[int, Check],
    compare: Callable[[int, Slopes], Check],
) -> None:
    """Points close to zero of which steps of their own size could not tell: what is computed from them does not see these."""
    for node, check in found.items():
        x = values[node]
        if check.verdict == "unsure" and 0.0 < abs(x) < 2.0**TINY_EXPONENT:
            seen = [seed * value for value in probe_one(graph, values, node, lanes_of(x, far=True))]
            ratio = 2.0 ** ladder(x, far=True)[1]
            shown = slopes(seen[:LEVELS], seen[LEVELS:], seed * values[-1], steps(x, far=True), ratio, noise[node], FLOATS)
            # What steps of the point's own size have seen, however dimly, holds.
            if shown.central.bar < check.bar and abs(shown.central.value - check.numerical) <= check.bar + shown.central.bar:
                found[node] = compare(node, shown)


def _by_complex_step(
    graph: Graph,
    values: Sequence[float],
    nodes: Sequence[int],
    trust: Sequence[float],
    seed: float,
    found: dict[int, Check],
    compare: Callable[[int, Slopes], Check],
    asked: bool,
) -> None:
    """Replace what differences said by what the complex step says, where it is lawful; say so where it was asked for and is not."""
    if not nodes:
        return
    from gradcalc.checking.complex_step import complex_slopes, obstacle

    blocked = obstacle(graph)
    lawful = [node for node in nodes if not blocked[node] and not 0.0 < abs(values[node]) < SMALLEST_STEPPED]
    if asked:
        for node in nodes:
            if blocked[node] and not found[node].note:
                found[node].note = f"by differences: {blocked[node]} is not analytic"
    for node, value in zip(lawful, complex_slopes(graph, values, lawful) if lawful else ()):
        if math.isfinite(value) and found[node].verdict not in ("kink", "edge"):
            value *= seed
            slope = Slope(value, trust[node] + 16.0 * EPSILON * abs(value), True)
            found[node] = compare(node, Slopes(slope, slope, slope))


def _one_by_one(
    graph: Graph, values: Sequence[float], nodes: Iterable[int], noise: Sequence[float], seed: float
) -> Iterable[tuple[int, Slopes]]:
    for node in nodes:
        x = values[node]
        seen = probe_one(graph, values, node, lanes_of(x))
        if seed != 1.0:
            seen = [seed * value for value in seen]
        ratio = 2.0 ** ladder(x)[1]
        shown = slopes(seen[:LEVELS], seen[LEVELS:], seed * values[-1], steps(x), ratio, noise[node], FLOATS)
        yield node, seen_from(x, shown)


def _briefly(
    graph: Graph, values: Sequence[float], gradients: Sequence[float], nodes: Sequence[int], rounding: Rounding, seed: float
) -> dict[int, Check]:
    """The nodes of which a few steps leave no doubt, all at once in NumPy."""
    import numpy

    from gradcalc.checking import brief

    found: dict[int, Check] = {}
    pending = list(nodes)
    for attempt in range(brief.ATTEMPTS):
        if not pending:
            break
        points, slope = numpy.array([values[node] for node in pending]), numpy.array([gradients[node] for node in pending])
        noise, trust = (numpy.array([column[node] for node in pending]) for column in (rounding.noise, rounding.trust))
        steps = brief.lengths(points, attempt)
        displaced = points[:, None] + brief.displacements(steps)
        with numpy.errstate(all="ignore"):
            moved = numpy.array([seed * (lane - values[-1]) for _, lane in probe_many(graph, values, pending, displaced)])
        expected = abs(seed * values[-1]) / numpy.where(points == 0.0, 1.0, abs(points))
        told = brief.settle(slope, moved, steps, noise, trust, expected)
        for node, value, bar, settled in zip(pending, told.values.tolist(), told.bars.tolist(), told.settled.tolist()):
            if settled:
                found[node] = Check(value, bar, "ok")
        pending = [node for node in pending if node not in found]
    return found


def _together(
    graph: Graph, values: Sequence[float], nodes: Sequence[int], noise: Sequence[float], seed: float
) -> Iterable[tuple[int, Slopes]]:
    """The same for many nodes, all at once in NumPy."""
    import numpy

    if not nodes:
        return
    seen = numpy.empty((2 * LEVELS, len(nodes)))
    displaced = numpy.array([lanes_of(values[node]) for node in nodes])
    for column, (_, lane) in enumerate(probe_many(graph, values, nodes, displaced)):
        seen[:, column] = seed * lane
    lengths = numpy.array([steps(values[node]) for node in nodes]).T
    ratios = numpy.array([2.0 ** ladder(values[node])[1] for node in nodes])
    blur = numpy.array([noise[node] for node in nodes])
    with numpy.errstate(all="ignore"):
        shown = slopes(seen[:LEVELS], seen[LEVELS:], seed * values[-1], lengths, ratios, blur, arrays_arithmetic())
    columns = [(slope.value.tolist(), slope.bar.tolist(), slope.resolved.tolist()) for slope in shown]
    for column, node in enumerate(nodes):
        one = Slopes(*(Slope(value[column], bar[column], good[column]) for value, bar, good in columns))
        yield node, seen_from(values[node], one)


def _confirm(
    graph: Graph, values: Sequence[float], gradients: Sequence[float], trust: Sequence[float], found: dict[int, Check]
) -> None:
    """A mismatch end to end is a defect only where a gate's rule or the chain rule is off; else the function is too wild to tell.

    End to end, a function can change faster than any step can follow without showing it (a sine of a huge number). One gate by
    itself cannot hide so: where every gate behind a node agrees with its own differences, the chain rule leaves nothing in doubt.
    """
    suspects = [node for node, check in found.items() if check.suspect]
    if not suspects:
        return
    states = {node: gate_state(graph, node, values) for node in range(min(suspects), len(graph))}
    behind = worst_behind(graph, states)
    chained = backward_with_conventions(graph, values, len(graph) - 1, gradients[-1], dependents(graph, suspects, len(graph) - 1))
    for node in suspects:
        check = found[node]
        if abs(chained[node] - gradients[node]) > 4.0 * trust[node] + CHAINED * abs(chained[node]):
            check.note = "the gradient is not what the rules of the gates make"
            continue
        culprit = behind[node]
        gate = None if culprit is None else graph.operator(culprit).gate
        if culprit is None or gate is None:
            check.verdict, check.note = "unsure", "every gate behind it agrees with its own differences"
        elif states[culprit] == "mismatch":
            check.note = f"the rule of {gate.name} is off"
        else:
            check.verdict, check.note = "unsure", f"{gate.name} changes faster here than rounding allows to measure"


def worst_behind(graph: Graph, states: dict[int, str]) -> list[int | None]:
    """For each node a gate behind it whose rule is off, else one that could not be judged, else None."""
    behind: list[int | None] = [None] * len(graph)
    for node in range(len(graph) - 1, min(states) - 1, -1):
        candidates = [behind[node]] + ([node] if states[node] != "ok" else [])
        known = [candidate for candidate in candidates if candidate is not None]
        if not known:
            continue
        best = max(known, key=lambda candidate: states[candidate] == "mismatch")
        for source in graph.inputs(node):
            before = behind[source]
            if before is None or (states[best] == "mismatch" and states[before] != "mismatch"):
                behind[source] = best
    return behind


def gate_state(graph: Graph, node: int, values: Sequence[float]) -> str:
    """Whether a gate's rule agrees with differences of that gate alone: `ok`, `mismatch` or `unsure`."""
    if graph.codes[node] <= CONSTANT:
        return "ok"
    arguments = [values[source] for source in graph.inputs(node)]
    if not all(map(math.isfinite, [*arguments, values[node]])):
        return "unsure"
    function = guarded_forward(graph.operator(node))
    rules = local_slopes(graph, node, values)
    noise = ROUNDINGS * EPSILON * own_size(graph, node, values, rules) + SMALLEST
    state = "ok"
    for position, slope in enumerate(rules):
        x = arguments[position]
        around = [function(*arguments[:position], lane, *arguments[position + 1 :]) for lane in lanes_of(x)]
        ratio = 2.0 ** ladder(x)[1]
        shown = seen_from(x, slopes(around[:LEVELS], around[LEVELS:], values[node], steps(x), ratio, noise))
        rule = 0.0 if slope is None else slope
        trust = 16.0 * EPSILON * abs(rule)
        verdict = judge(rule, shown, Point(trust, abs(values[node]) / (abs(x) or 1.0), singular_point(graph, node, values)))
        if verdict.verdict == "mismatch":
            return "mismatch"
        if verdict.verdict == "unsure" or not verdict.bar * BARS <= 1e-8 * abs(verdict.numerical) + SMALLEST:
            state = "unsure" if abs(verdict.numerical - rule) > 16.0 * trust else state
    return state
