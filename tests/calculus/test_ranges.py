"""Ranges hold every value that a node may have."""

from __future__ import annotations

import math
import random

import pytest

from gradcalc.calculus.ranges import Range, ranges
from tests.catalogue import ELEMENTWISE, chain, counts, name_of, one_gate, sample_points, values_of
from tests.programs import random_program


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("square", 0), ("+", 1.0, 1)], Range(1.0, math.inf)),
        ([("exp", 0)], Range(0.0, math.inf)),
        ([("exp", 0), ("+", 1.0, 1), ("/", 1.0, 2)], Range(0.0, 1.0)),
        ([("*", 0, 0)], Range(0.0, math.inf)),
        ([("-", 0, 0)], Range(-math.inf, math.inf)),
        ([("sin", 0), ("+", 1, 2.0)], Range(1.0, 3.0)),
        ([("abs", 0), ("neg", 1), ("exp", 2)], Range(0.0, 1.0)),
        ([("max", 0, 1.0)], Range(1.0, math.inf)),
        ([("sigmoid", 0), ("-", 1.0, 1)], Range(0.0, 1.0)),
        ([("/", 1.0, 0)], Range(-math.inf, math.inf)),
        ([("sqrt", 2.0)], Range(math.sqrt(2.0), math.sqrt(2.0))),
    ],
)
def test_known_ranges(steps: list[tuple[object, ...]], expected: Range) -> None:
    # Constants stand before the gates that use them: the numbers of nodes are those of `chain`.
    numbered: list[tuple[object, ...]] = []
    places = {0: 0}
    node = 1
    for number, (name, *sources) in enumerate(steps, 1):
        node += sum(isinstance(source, float) for source in sources)
        numbered.append((name, *(source if isinstance(source, float) else places[source] for source in sources)))
        places[number] = node
        node += 1
    assert ranges(chain(*numbered))[-1] == expected


@pytest.mark.parametrize("record", ELEMENTWISE, ids=name_of)
def test_a_gate_stays_in_its_range(record: object) -> None:
    from gradcalc.gates import Gate

    assert isinstance(record, Gate)
    for count in counts(record):
        graph = one_gate(record, count)
        found = ranges(graph)[-1]
        for point in [*sample_points(record, count, 20), [0.0] * count, [-1e300] * count, [1e-320] * count]:
            value = values_of(graph, point)[-1]
            assert value != value or found.low <= value <= found.high


def test_random_programs_stay_in_their_ranges() -> None:
    from tests.dialects.exports.formulas import formulas

    for index in range(200):
        formula = formulas(random_program(random.Random(f"ranges/{index}")))[0]
        for value, found in zip(values_of(formula.graph, formula.point()), ranges(formula.graph)):
            assert value != value or found.low <= value <= found.high, formula.text
