"""Formulas to be exported: one of every gate, from graphs, and from programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gradcalc.engine.makers import Makers
from gradcalc.errors import GradcalcError
from gradcalc.formula import Formula
from gradcalc.graph import INPUT, Graph
from gradcalc.workspace import Options, Workspace
from tests.catalogue import cases, name_of, one_gate, sample_points
from tests.gates.test_arrays import CASES, OneGate
from tests.peers import one_or_two_of_each


def formula_of(text: str, graph: Graph, values: Sequence[Any]) -> Formula:
    """A graph with values for its inputs, which are called x0, x1 …"""
    names = {node: f"x{graph.left[node]}" for node, code in enumerate(graph.codes) if code == INPUT}
    inputs = tuple(f"x{number}" for number in range(graph.input_count))
    defaults = (False,) * len(inputs)
    return Formula(
        text, 1, graph, inputs, values, defaults, names, Makers(1), lambda node: names.get(node, text), lambda node: None
    )


def formulas(text: str, seed: int = 1, optional: bool = False, **values: Any) -> list[Formula]:
    """The outputs of a program."""
    found = []
    for answer in Workspace(values, Options(seed=seed)).formulas(text, optional=optional):
        if isinstance(answer, GradcalcError):
            raise answer
        found.append(answer)
    return found


def elementwise() -> Iterator[Formula]:
    """Every element-wise gate at some points."""
    for record, count in cases():
        for point in sample_points(record, count, 2):
            yield formula_of(name_of(record), one_gate(record, count), point)


def on_arrays() -> Iterator[Formula]:
    """Every gate that is not element-wise on its trials, weighted to one number."""
    for case in CASES:
        one = OneGate(case)
        yield formula_of(str(case), one.graph, one.values)


def one_of_each() -> Iterator[Formula]:
    """Every gate once or twice, for libraries that take their time."""
    for record, count in cases():
        yield formula_of(name_of(record), one_gate(record, count), next(sample_points(record, count)))
    for case in one_or_two_of_each(CASES):
        one = OneGate(case)
        yield formula_of(str(case), one.graph, one.values)
