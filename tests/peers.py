"""What the comparisons with other libraries share: gates that have run, conventions, the search for forgotten gates."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy

from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.gates import REGISTRY, Gate
from tests.catalogue import defaults, gate, one_gate, sample_points
from tests.gates.test_arrays import CASES, Case, OneGate, value_of

Peer = Callable[..., Any]

MAKERS: dict[str, tuple[float, ...]] = {"zeros": (2, 3), "ones": (4,), "eye": (2, 3), "arange": (1, 2, 0.25)}
"""Gates that make an array of nothing but these numbers."""

UNREPEATABLE = {"rand", "randn", "load"}
"""Gates whose values come from chance or from a file: no other library has the same."""

CONVENTIONS: list[tuple[str, Any, dict[str, Any]]] = [
    ("max", [1.0, 3.0, 3.0], {}),
    ("min", [[1.0, 1.0], [2.0, 0.0]], {"axis": 1}),
    ("prod", [0.0, 2.0, 3.0], {}),
    ("prod", [0.0, 0.0, 3.0], {}),
    ("norm", [0.0, 0.0], {}),
    ("norm", [0.0, -1.0], {"ord": 1.0}),
    ("norm", [1.0, -1.0], {"ord": math.inf}),
    ("logsumexp", [1000.0, 1000.0], {}),
    ("softmax", [1000.0, -1000.0], {}),
    ("log_softmax", [1000.0, -1000.0], {}),
]
"""A gate, a point at which libraries have to choose or to be careful, and attributes other than the defaults."""


class Run(NamedTuple):
    """One gate, evaluated and differentiated: what it got, and what it gave."""

    inputs: list[Any]
    sizes: tuple[float, ...]
    attributes: dict[str, Any]
    value: Any
    weights: Any
    """The gradient from above."""
    gradients: list[Any]
    constant: bool

    def call(self, peer: Peer, *inputs: Any) -> Any:
        """What the peer answers to the same question."""
        return peer(*inputs, *self.sizes, **self.attributes)


def run_of_columns(record: Gate, count: int) -> Run:
    """An element-wise gate on columns of sample points."""
    points = [column.copy() for column in numpy.array(list(sample_points(record, count))).T]
    evaluation = evaluate(one_gate(record, count), list(points))
    return _run(record, evaluation, points, (), dict(defaults(record)), 1.0)


def run_of_arrays(case: Case) -> Run:
    """A gate on arrays, each element of its result with another weight."""
    one = OneGate(case)
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    gradients = [evaluation.gradients[node] for node in one.inputs]
    weights = numpy.asarray(one.graph.constants[-1])
    value = evaluation.values[one.result]
    return Run(one.values, case.trial.sizes, case.attributes(), value, weights, gradients, case.record.constant)


def run_of_convention(name: str, values: Any, attributes: dict[str, Any]) -> Run:
    """A gate at a special point."""
    record = gate(name)
    everything = dict(defaults(record)) | attributes
    evaluation = evaluate(one_gate(record, 1, tuple(sorted(everything.items()))), [numpy.array(values)])
    weights = numpy.random.default_rng(zlib.crc32(name.encode())).random(numpy.shape(evaluation.values[-1]))
    return _run(record, evaluation, [numpy.array(values)], (), everything, weights)


def _run(
    record: Gate, evaluation: Evaluation, inputs: list[Any], sizes: tuple[float, ...], attributes: dict[str, Any], weights: Any
) -> Run:
    backpropagate(evaluation, weights)
    value = evaluation.values[-1]
    weights = numpy.broadcast_to(weights, numpy.shape(value))
    return Run(inputs, sizes, attributes, value, weights, evaluation.gradients[: len(inputs)], record.constant)


def made(name: str) -> Any:
    """What a maker makes of its numbers."""
    return value_of(f"{name}({', '.join(map(str, MAKERS[name]))})")


def close(found: Any, expected: Any) -> None:
    """Two libraries agree: the same shape, the same numbers but for roundoff."""
    expected = numpy.asarray(expected)
    assert numpy.shape(found) == expected.shape
    numpy.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def cases_of(peers: Collection[str]) -> list[Case]:
    """The trials of the gates that have a peer."""
    return [case for case in CASES if case.record.name in peers]


def one_or_two_of_each(cases: list[Case]) -> list[Case]:
    """For each gate the trial with most axes, and the one whose attributes say most, where there are any and it is another."""
    chosen: dict[str, list[Case]] = {}
    for case in cases:
        chosen.setdefault(case.record.name, []).append(case)
    picked = []
    for several in chosen.values():
        deep = max(several, key=lambda case: sum(map(len, case.trial.shapes)))
        rich = max(several, key=lambda case: len(str(case.trial.attributes)))
        picked += [deep] if rich is deep or not rich.trial.attributes else [deep, rich]
    return picked


def without_peer(elementwise: Collection[str], arrays: Collection[str]) -> set[str]:
    """The gates of the catalogue that are compared with nothing."""
    records = [record for record in REGISTRY.records() if record.name not in UNREPEATABLE | set(MAKERS)]
    return {record.name for record in records if record.name not in (elementwise if record.elementwise else arrays)}


def index_of(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index as Python writes it."""
    return tuple(slice(*item[1:]) if isinstance(item, tuple) else ... if item == "..." else item for item in index)


def whole(sizes: tuple[float, ...]) -> tuple[int, ...]:
    """Sizes as the integers that other libraries want."""
    return tuple(map(int, sizes))


def all_axes(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes that an attribute names, one by one."""
    return tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
