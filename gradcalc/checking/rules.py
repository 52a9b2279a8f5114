"""Every gate's rule against numerical derivatives of the gate by itself: at sample points, or on the trials of its record."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gradcalc.checking.check import check
from gradcalc.checking.scalars import check_nodes
from gradcalc.checking.verdicts import Check, digits_agreeing, worst
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates.record import REGISTRY, Gate, Trial
from gradcalc.graph import Attributes, Graph

POINTS = 4
"""At so many points each element-wise gate is tried."""


class RuleCheck(NamedTuple):
    """What came out for one gate.

    Attributes:
        gate: the gate.
        verdict: the worst at all points; `off` for a gate without gradient.
        derivatives: how many derivatives were compared.
        digits: how many digits agree at least, None where nothing was compared.
        failure: where it is off, in words.
    """

    gate: Gate
    verdict: str
    derivatives: int
    digits: int | None
    failure: str = ""


def check_rules(gates: Iterable[Gate]) -> Iterator[RuleCheck]:
    """Check the rules of these gates, one after the other."""
    for gate in gates:
        yield check_rule(gate)


def check_rule(gate: Gate) -> RuleCheck:
    """Check one gate's rule."""
    found: list[tuple[str, Check, int | None]] = []
    if gate.partials is not None:
        least, most = gate.arity
        for count in [least] if most == least else [least, least + 1]:
            found += _at_samples(gate, count)
    elif gate.pullback is not None:
        for trial in gate.trials:
            found += _on_trial(gate, trial)
    verdict = worst([entry.verdict for _, entry, _ in found])
    digits = [number for _, entry, number in found if number is not None and entry.verdict == "ok"]
    wrong = next((f"{where}: {_words(entry)}" for where, entry, _ in found if entry.verdict == verdict), "")
    return RuleCheck(gate, verdict, len(found), min(digits, default=None), "" if verdict in ("ok", "off") else wrong)


def _words(check: Check) -> str:
    return f"the numerical derivative is {check.numerical:.10g}, within {BAR.format(check.bar)}" + (
        f"; {check.note}" if check.note else ""
    )


BAR = "{:.0e}"


def _at_samples(gate: Gate, count: int) -> Iterator[tuple[str, Check, int | None]]:
    """The derivatives of an element-wise gate at smooth points that its record names ranges for."""
    graph = Graph()
    nodes = [graph.add_input() for _ in range(count)]
    graph.add(gate, nodes, _defaults(gate))
    # The same points at every run: a check of a catalogue is no lottery.
    rng = random.Random(f"{gate.name} {count}")
    for _ in range(POINTS):
        ranges = gate.samples
        point = [rng.uniform(*ranges[min(number, len(ranges) - 1)]) for number in range(count)]
        values = scalar.forward(graph, point)
        gradients = scalar.backward(graph, values, len(graph) - 1)
        flowing = [node for node in nodes if node not in gate.discrete]
        for node, found in check_nodes(graph, values, gradients, flowing).items():
            where = f"by input {node + 1} at {', '.join(f'{value:.6g}' for value in point)} the rule says {gradients[node]:.10g}"
            yield where, found, digits_agreeing(gradients[node], found.numerical, found.bar)


def _defaults(gate: Gate) -> Attributes:
    return tuple(sorted((attribute.name, attribute.default) for attribute in gate.attributes))


def _on_trial(gate: Gate, trial: Trial) -> Iterator[tuple[str, Check, int | None]]:
    """The gradients of a gate on arrays, its result weighted by random numbers and summed."""
    if gate.constant or gate.maker or gate.random:
        return
    graph, nodes, values = weighted_trial(gate, trial)
    evaluation = evaluate(graph, values)
    backpropagate(evaluation)
    flowing = [node for number, node in enumerate(nodes) if number not in gate.discrete and evaluation.wanted[node]]
    told, _ = check(evaluation, flowing, every=True)
    for node in flowing:
        found = told(node)
        shapes = ", ".join("×".join(map(str, shape)) or "a number" for shape in trial.shapes)
        digits = getattr(found, "digits", None)
        if not evaluation.shape(node):
            digits = digits_agreeing(evaluation.gradients[node], found.numerical, found.bar)
        yield f"by input {nodes.index(node) + 1} on {shapes}", _plain(found), digits


def _plain(found: Check) -> Check:
    """The check of an array by its worst number."""
    import numpy

    if isinstance(found.numerical, float):
        return found
    numerical = numpy.ravel(found.numerical)
    value = float(numerical[0]) if numerical.size else math.nan
    return Check(value, float(numpy.max(found.bar, initial=0.0)), found.verdict, found.slopes, found.note)


def weighted_trial(gate: Gate, trial: Trial) -> tuple[Graph, Sequence[int], list[Any]]:
    """sum(weights*gate(inputs)) on a trial: the graph, its inputs and their values, always the same for the same trial."""
    import numpy

    rng = numpy.random.default_rng(zlib.crc32(f"{gate.name}{trial}".encode()))
    graph = Graph()
    values: list[Any] = []
    for number, shape in enumerate(trial.shapes):
        drawn = rng.uniform(*gate.samples[min(number, len(gate.samples) - 1)], shape)
        values.append(drawn if shape else float(drawn))
    nodes = [graph.add_input() for _ in values]
    sizes = [graph.add_constant(float(size)) for size in trial.sizes]
    order = [*sizes, *nodes] if (gate.data or 0) < 0 else [*nodes, *sizes]
    made = graph.add(gate, order, tuple(sorted((dict(_defaults(gate)) | dict(trial.attributes)).items())))
    shape = numpy.shape(evaluate(graph, values).values[-1])
    weights = rng.uniform(0.5, 1.5, shape)
    weighted = graph.add(_found("*", 2), (made, graph.add_constant(weights if shape else float(weights))))
    graph.add(_found("sum", 1), (weighted,), (("axis", None), ("keepdims", False)))
    return graph, nodes, values


def _found(name: str, count: int) -> Gate:
    gate = REGISTRY.find(name, count)
    assert gate is not None, name
    return gate
