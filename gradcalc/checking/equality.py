"""Whether two formulas are the same function: as formulas where that shows, else at many points, their domains included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.simplify import simplify
from gradcalc.checking.claims import Seen, compare_at, plainness
from gradcalc.checking.functions import BEYOND, NOWHERE, SIMPLE, Function, Point
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

SIMPLIFIED = 400
"""Formulas of more gates are not simplified to see whether they are one."""


@dataclass
class Equality:
    """How two functions compare.

    Attributes:
        verdict: `ok`, `unsure` or `mismatch`.
        same: whether they are one formula.
        seen: the comparisons at all points, the first function in the place of the claim's truth.
        parted: the plainest point at which both have a value and the values differ.
        only_first: a point at which only the first has a value.
        only_second: a point at which only the second has one.
        holes: special points at which only one of them is finite: 0/0, or a pole.
    """

    verdict: str = "unsure"
    same: bool = False
    seen: list[Seen] = field(default_factory=list)
    parted: Seen | None = None
    only_first: Seen | None = None
    only_second: Seen | None = None
    holes: list[Seen] = field(default_factory=list)


def judge_equality(
    first: Function, second: Function, points: Iterable[Point], special: Iterable[Point] = (), exact: bool = False
) -> Equality:
    """Compare two functions.

    Args:
        first: the one.
        second: the other.
        points: points at which at least one of them has a value.
        special: points with zeros and ones, where one of them may have a hole.
        exact: whether doubts are settled with fifty digits.
    """
    result = Equality(same=same_formula(first, second))
    parted: list[Seen] = []
    for point in points:
        seen = compare_at(second, first, point, exact, sided=True)
        result.seen.append(seen)
        if seen.difference.verdict == "mismatch" and seen.claimed.kind == seen.true.kind == SIMPLE:
            parted.append(seen)
    for point in special:
        seen = compare_at(second, first, point, exact, sided=True)
        kinds = {seen.claimed.kind, seen.true.kind}
        if first.is_through_infinity(point) or second.is_through_infinity(point):
            if kinds == {BEYOND, SIMPLE}:
                result.holes.append(seen)
        elif kinds in ({BEYOND, SIMPLE}, {NOWHERE, SIMPLE}):
            result.holes.append(seen)
        elif seen.difference.verdict == "mismatch" and seen.claimed.kind == SIMPLE:
            parted.append(seen)
    result.parted = min(parted, key=plainness, default=None)
    result.only_first = _plainest(seen for seen in result.seen if seen.claimed.kind == NOWHERE and seen.true.kind == SIMPLE)
    result.only_second = _plainest(seen for seen in result.seen if seen.true.kind == NOWHERE and seen.claimed.kind == SIMPLE)
    if result.parted or result.only_first or result.only_second:
        result.verdict = "mismatch"
    elif result.same or any(seen.difference.verdict == "ok" for seen in result.seen):
        result.verdict = "ok"
    return result


def _plainest(found: Iterable[Seen]) -> Seen | None:
    """The point with numbers of the most ordinary size."""
    return min(found, key=lambda seen: plainness(seen)[0], default=None)


def same_formula(first: Function, second: Function) -> bool:
    """Whether two functions turn out to be one formula: built together they are one node, or their difference simplifies to 0."""
    names = [*first.inputs, *(name for name in second.inputs if name not in first.inputs)]
    if not (first.shapes is None and second.shapes is None):
        return False  # their numbers have to tell
    graph = Graph()
    nodes = {name: graph.add_input() for name in names}
    builder = Builder(graph)
    one, other = rebuilt(first, builder, nodes), rebuilt(second, builder, nodes)
    if one.node == other.node:
        return True
    difference = one - other
    if len(graph) > SIMPLIFIED:
        return False
    simple = simplify(graph, [difference.node])
    (node,) = simple.outputs
    assert node is not None
    return simple.graph.codes[node] == CONSTANT and simple.graph.constant(node) == 0.0


def rebuilt(
    function: Function, builder: Builder, nodes: Mapping[str, int], shapes: Mapping[int, Shape] | None = None
) -> Expression:
    """A function of numbers as a term of a builder, simplified as the builder does it."""
    graph = function.graph
    terms: list[Any] = []
    for node, code in enumerate(graph.codes):
        if code == INPUT:
            terms.append(builder.term(nodes[function.inputs[graph.left[node]]]))
        elif code == CONSTANT:
            terms.append(builder.number(graph.constant(node), written=True))
        else:
            gate, attributes, _ = graph.operator(node)
            assert gate is not None
            given = [terms[source] for source in graph.inputs(node)]
            terms.append(given[0] if gate.name == "=" else builder.apply(gate.name, given, dict(attributes)))
    return terms[-1]  # type: ignore[no-any-return]
