"""JavaScript for pages, run in a browser: gates of numbers, slopes, conventions and derivatives of graphs equal the engine's."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gradcalc.dialects import javascript
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import Gate
from gradcalc.graph import Operator
from tests.browser import script
from tests.catalogue import ELEMENTWISE, cases, chain, defaults, gate, name_of, sample_points

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SPECIAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    -2.5,
    3.0,
    20.0,
    -20.0,
    700.0,
    -800.0,
    1e-300,
    1e300,
    1e16,
    math.inf,
    -math.inf,
    math.nan,
)
FEW = (0.0, 1.0, -1.0, 2.0, math.nan)
AGREEMENT = 1e-12


def agree(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    if found == expected or (math.isnan(found) and math.isnan(expected)):
        return True
    return abs(found - expected) <= AGREEMENT * max(abs(found), abs(expected))


def points(record: Gate, count: int) -> Iterator[list[float]]:
    """Smooth points, and all those at which functions go wrong."""
    yield from sample_points(record, count, 6)
    for point in itertools.product(SPECIAL if count <= 2 else FEW, repeat=count):
        yield list(point)


def literal(value: float) -> str:
    return javascript.JavascriptWriter().number(value)


def calls(functions: list[str | None], point: list[float]) -> str:
    """The texts of calls, as the elements of an array; NaN and infinities as texts, since not all of them pass as numbers."""
    given = ", ".join(map(literal, point))
    return ", ".join("null" if function is None else f"plain(({function})({given}))" for function in functions)


def run(browser: Browser, rows: list[str]) -> list[list[float | None]]:
    plain = "const plain = (value) => value === null ? null : String(value);"
    answers = script(
        browser, f"(() => {{\n{javascript.library()}\n{plain}\nreturn [{','.join(f'[{row}]' for row in rows)}];\n}})()"
    )
    return [[None if text is None else float(text.replace("Infinity", "inf")) for text in row] for row in answers]


def test_every_gate_of_numbers_has_the_engines_values_and_slopes(browser: Browser) -> None:
    rows, expected = [], []
    for record, count in cases():
        operator = Operator(record, defaults(record), count)
        value, slopes = javascript.forward(operator), javascript.slopes(operator)
        for point in points(record, count):
            result = scalar.guarded_forward(operator)(*point)
            rows.append(f"{calls([value], point)}, {calls(slopes, [result, *point])}")
            expected.append((name_of(record), point, [result, *scalar.guarded_slopes(operator)(result, *point)]))
    assert len(rows) > 5000
    wrong = [
        f"{name} at {point}: {found}, and not {numbers}"
        for found, (name, point, numbers) in zip(run(browser, rows), expected)
        if not all(map(agree, found, numbers))
    ]
    assert wrong == []


@pytest.mark.parametrize("record", [record for record in ELEMENTWISE if record.attributes], ids=name_of)
def test_attributes_are_written_into_a_gate(browser: Browser, record: Gate) -> None:
    attributes = tuple(sorted((attribute.name, attribute.default - 0.75) for attribute in record.attributes))
    operator = Operator(record, attributes, 1)
    for x in (-2.0, -1.75, -0.3, 0.1, 3.0):
        result = scalar.guarded_forward(operator)(x)
        functions: list[str | None] = [*javascript.slopes(operator)]
        (found,) = run(browser, [f"{calls([javascript.forward(operator)], [x])}, {calls(functions, [result, x])}"])
        assert all(map(agree, found, [result, *scalar.guarded_slopes(operator)(result, x)]))


@pytest.mark.parametrize("record", [record for record in ELEMENTWISE if record.conventions is not None], ids=name_of)
def test_conventions_are_those_of_the_record(browser: Browser, record: Gate) -> None:
    operator = Operator(record, defaults(record), 2)
    assert record.conventions is not None
    agreed = javascript.conventions(operator)
    assert agreed is not None
    for point in itertools.product((0.0, 1.0, -1.0), repeat=2):
        result = scalar.guarded_forward(operator)(*point)
        elements: list[str | None] = [f"(...x) => ({agreed})(...x)[{position}]" for position in (0, 1)]
        (found,) = run(browser, [calls(elements, [result, *point])])
        assert all(map(agree, found, record.conventions(result, *point)))


CIRCUITS = {
    "cancels": (chain(("sqrt", 0), ("square", 1)), [0.0]),
    "shared": (chain(("*", 0, 1), ("+", 0, 2), ("exp", 3), ("*", 2, 4), inputs=2), [0.3, -1.2]),
    "masked": (chain(("<", 0, 1.0), ("sqrt", 0), ("where", 1, 0, 3)), [-2.0]),
    "many": (chain(("max", 0, 1, 2), ("clip", 3, 0, 1), ("tanh", 4), inputs=3), [0.1, 0.5, 0.4]),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_derivatives_of_a_graph_are_those_of_the_engine(browser: Browser, name: str) -> None:
    graph, inputs = CIRCUITS[name]
    evaluation = evaluate(graph, inputs)
    backpropagate(evaluation)
    given = ", ".join(map(literal, inputs))
    (found,) = run(browser, [f"...({javascript.derivatives(graph)})([{given}]).map(plain)"])
    for node, gradient in enumerate(evaluation.gradients):
        if evaluation.wanted[node]:
            assert agree(found[node] or 0.0, gradient), node


def test_slopes_that_are_settled_stand_for_the_rule(browser: Browser) -> None:
    graph = chain(("hypot", 0, 1), ("*", 2, 3.0), inputs=2)
    places = javascript.open_questions(graph)
    assert places == [(2, 0), (2, 1)]
    (found,) = run(browser, [f"...({javascript.derivatives(graph, places)})([0, 0, 0.25, 7]).map(plain)"])
    assert found[:2] == [0.75, 21.0]


def test_a_power_of_a_fixed_exponent_leaves_no_question_open() -> None:
    assert javascript.open_questions(chain(("pow", 0, 2.0))) == []
    assert javascript.open_questions(chain(("pow", 0, 1), inputs=2)) == [(2, 0), (2, 1)]


def test_numbers_are_written_to_the_last_bit(browser: Browser) -> None:
    rng = random.Random(1)
    values = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-320, 308) for _ in range(300)]
    assert run(browser, [", ".join(f"plain({literal(value)})" for value in values)]) == [values]


def test_a_gate_of_arrays_has_no_javascript() -> None:
    operator = Operator(gate("sum"), defaults(gate("sum")), 1)
    with pytest.raises(NotImplementedError, match="javascript has no way to write sum"):
        javascript.forward(operator)
