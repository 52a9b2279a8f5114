"""What the tests of all gates at once share: records, points to test them at, graphs of one gate, and rules that are spoiled."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.algebra import Only, where
from gradcalc.graph import Attributes, Graph

ELEMENTWISE = [record for record in REGISTRY.records() if record.elementwise]
COMPOSED = [record for record in ELEMENTWISE if record.formula is not None]

SPOILED_BY = 1e-6


def name_of(record: Gate) -> str:
    """The name of a test's case."""
    return f"{record.name}/{record.arity[0]}"


def counts(record: Gate) -> list[int]:
    """Numbers of inputs with which a record is tested."""
    least, most = record.arity
    return [least] if most == least else [least, least + 1]


def cases() -> list[tuple[Gate, int]]:
    """Every element-wise record with every number of inputs it is tested with."""
    return [(record, count) for record in ELEMENTWISE for count in counts(record)]


def positions() -> list[tuple[Gate, int, int]]:
    """Every input of every element-wise record into which derivatives flow: the record, the number of its inputs, the position."""
    every = [(record, count, position) for record, count in cases() for position in range(count)]
    return [(record, count, position) for record, count, position in every if position not in record.discrete]


def case_name(case: Any) -> str | None:
    """Names for the parameters of a test."""
    return name_of(case) if isinstance(case, Gate) else str(case) if isinstance(case, int) else None


def defaults(record: Gate) -> Attributes:
    """The attributes of a node that is written without keyword arguments."""
    return tuple(sorted((attribute.name, attribute.default) for attribute in record.attributes))


def sample(record: Gate, count: int, rng: random.Random) -> list[float]:
    """A smooth point of a gate."""
    ranges = record.samples
    return [rng.uniform(*ranges[min(number, len(ranges) - 1)]) for number in range(count)]


def sample_points(record: Gate, count: int, number: int = 4) -> Iterator[list[float]]:
    """Some smooth points of a gate, always the same."""
    rng = random.Random(f"{record.name} {count}")
    for _ in range(number):
        yield sample(record, count, rng)


def gate(name: str, count: int = 1) -> Gate:
    """A record that is known to exist."""
    found = REGISTRY.find(name, count)
    assert found is not None, name
    return found


def one_gate(record: Gate, count: int, attributes: Attributes | None = None) -> Graph:
    """A graph of one gate on inputs of its own."""
    graph = Graph()
    inputs = [graph.add_input() for _ in range(count)]
    graph.add(record, inputs, defaults(record) if attributes is None else attributes)
    return graph


def chain(*steps: tuple[Any, ...], inputs: int = 1) -> Graph:
    """A graph from steps such as `("sin", 0)` or `("*", 0, 1)`: a gate's name and node ids; a float is a constant."""
    graph = Graph()
    for _ in range(inputs):
        graph.add_input()
    for name, *sources in steps:
        nodes = [graph.add_constant(source) if isinstance(source, float) else source for source in sources]
        record = gate(name, len(nodes))
        graph.add(record, nodes, defaults(record))
    return graph


def spoiled(record: Gate, position: int) -> Gate:
    """The same gate with the rule for one input off by one part in a million, by an absolute amount where it is 0."""
    rule = record.partials
    assert rule is not None

    def partials(y: Any, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
        slopes: list[Any] = list(rule(y, *inputs, **attributes))
        slope = slopes[position]
        if isinstance(slope, Only):
            slope = where(slope.condition, slope.slope, 0.0)
        if slope is None or isinstance(slope, float):
            slopes[position] = slope * (1.0 + SPOILED_BY) if slope else SPOILED_BY
        else:
            slopes[position] = where(slope.apply("==", 0.0), SPOILED_BY, slope * (1.0 + SPOILED_BY))
        return tuple(slopes)

    return changed(record, partials=partials, constant=False)


def changed(record: Gate, **fields: Any) -> Gate:
    """A copy of a record with other fields."""
    return Gate(**{field: getattr(record, field) for field in Gate.__slots__} | fields)


def values_of(graph: Graph, sources: Sequence[float]) -> list[float]:
    """The forward pass on numbers."""
    from gradcalc.engine import scalar

    return scalar.forward(graph, sources)
