"""The catalogue: every record is complete, whatever gates there are."""

from __future__ import annotations

import inspect
import random
import shlex

import pytest

import gradcalc
from gradcalc.gates import FAMILIES, REGISTRY, Gate
from gradcalc.gates.record import Attribute, Registry
from gradcalc.gates.record import gate as enter
from gradcalc.language.values import parse_value
from gradcalc.workspace import Workspace
from tests.catalogue import COMPOSED, ELEMENTWISE, case_name, cases, defaults, name_of, one_gate, sample, values_of

RECORDS = list(REGISTRY.records())
WITHOUT_EXAMPLE = {"scatter", "load"}
"""Gates that only derivatives contain, and those that need a file."""

KINDS = {"number", "integer", "flag", "axis", "text", "index"}


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_says_what_it_is(record: Gate) -> None:
    assert record.title
    assert not record.title.endswith(".")
    assert record.family in FAMILIES
    assert record.sentence.endswith(".")
    assert record.sentence[0].isupper()
    assert "\n" not in record.sentence


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_has_one_kind_of_derivative_rule(record: Gate) -> None:
    assert (record.partials is None) or (record.pullback is None)
    assert record.partials is not None or record.pullback is not None or record.composed or record.constant or record.discrete
    if record.partials is not None:
        assert record.scalar is not None, "an element-wise gate has a rule on floats"
        assert record.shape is None, "an element-wise gate broadcasts"
        assert record.data is None


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_conditions_have_words(record: Gate) -> None:
    for condition in (record.domain, record.kinks, record.edges):
        if condition is not None:
            assert condition.text
            assert not condition.text.endswith(".")
            assert callable(condition.holds)


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_parameters_and_attributes_are_well_formed(record: Gate) -> None:
    least, most = record.arity
    assert 0 <= least <= (most if most is not None else least)
    assert len(set(record.parameters)) == len(record.parameters)
    names = [attribute.name for attribute in record.attributes]
    assert len(set(names)) == len(names)
    assert not set(names) & set(record.parameters)
    for attribute in record.attributes:
        assert attribute.kind in KINDS, attribute


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_samples_are_smooth_points_in_the_domain(record: Gate, count: int) -> None:
    rng = random.Random(5)
    attributes = dict(defaults(record))
    for _ in range(50):
        point = sample(record, count, rng)
        assert record.domain is None or record.domain.holds(*point, **attributes), point
        assert record.kinks is None or not record.kinks.holds(*point, **attributes), point
        assert record.edges is None or not record.edges.holds(*point, **attributes), point
        assert abs(values_of(one_gate(record, count), point)[-1]) < 1e6


@pytest.mark.parametrize("record", ELEMENTWISE, ids=name_of)
def test_an_element_wise_gate_can_be_computed_with_fifty_digits(record: Gate) -> None:
    mpmath = pytest.importorskip("mpmath")
    assert record.exact is not None or record.formula is not None or hasattr(mpmath.mp, record.name)


@pytest.mark.parametrize("record", [r for r in ELEMENTWISE if r.analytic], ids=name_of)
def test_an_analytic_gate_takes_complex_numbers(record: Gate) -> None:
    from gradcalc.checking.complex_step import complex_slopes

    rng = random.Random(2)
    for count in (record.arity[0],):
        point = sample(record, count, rng)
        graph = one_gate(record, count)
        found = complex_slopes(graph, values_of(graph, point), range(count))
        assert all(slope == slope for slope in found)


@pytest.mark.parametrize("record", [r for r in RECORDS if r.example], ids=name_of)
def test_an_example_runs(record: Gate) -> None:
    text, *options = record.example.split(" --")
    bindings = {}
    for option in options:
        name, _, value = option.partition(" ")
        bindings[name] = parse_value(shlex.split(value)[0], f"--{name}")
    seen = set()
    for answer in Workspace(bindings).answers(text.strip("\"'")):
        assert not isinstance(answer, gradcalc.GradcalcError), answer.report()
        assert answer.verdict in ("ok", "kink", "off"), answer
        seen |= {node.gate for node in answer.nodes}
    assert record.name in seen


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_every_gate_that_can_be_typed_has_an_example(record: Gate) -> None:
    assert record.example or record.name in WITHOUT_EXAMPLE


def test_aliases_stand_for_records() -> None:
    assert REGISTRY.aliases
    for alias, name in REGISTRY.aliases.items():
        assert alias in REGISTRY
        assert REGISTRY[alias] is REGISTRY[name]
        assert alias not in set(REGISTRY), f"{alias} is a name of its own"
    assert REGISTRY.aliases["ln"] == "log"
    assert REGISTRY.aliases["arcsin"] == "asin"


def test_records_of_one_name_differ_in_their_number_of_inputs() -> None:
    for name in REGISTRY:
        for count in range(7):
            assert sum(record.accepts(count) for record in REGISTRY[name]) <= 1, (name, count)
    one, two = REGISTRY.find("log", 1), REGISTRY.find("log", 2)
    assert one is not None
    assert two is not None
    assert one is not two
    assert REGISTRY.find("sin", 2) is None


def test_the_registry_is_a_mapping_of_names() -> None:
    assert len(REGISTRY) == len(list(REGISTRY))
    assert "sigmoid" in REGISTRY
    assert "sigmoi" not in REGISTRY
    with pytest.raises(KeyError):
        REGISTRY["sigmoi"]


def test_a_new_gate_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Registry()
    monkeypatch.setattr("gradcalc.gates.record.REGISTRY", own)
    made = enter("twice", "double", family="arithmetic", sentence="Doubles.", scalar="2.0 * {0}", partials=lambda y, x: (2.0,))
    assert own.find("twice", 1) is made
    assert (made.parameters, made.samples, made.array) == (("x",), ((-2.0, 2.0),), "twice")


@pytest.mark.parametrize(
    ("name", "count", "signature"),
    [
        ("sin", 1, "sin(x)"),
        ("atan2", 2, "atan2(y, x)"),
        ("max", 2, "max(a, b, …)"),
        ("leaky_relu", 1, "leaky_relu(x, slope=0.01)"),
        ("hardtanh", 1, "hardtanh(x, min=-1, max=1)"),
        ("sum", 1, "sum(x, axis=all, keepdims=false)"),
        ("log", 2, "log(x, base)"),
        ("clip", 3, "clip(x, low, high)"),
    ],
)
def test_a_signature_looks_like_a_call(name: str, count: int, signature: str) -> None:
    found = REGISTRY.find(name, count)
    assert found is not None
    assert found.signature() == signature


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_every_gate_has_a_signature(record: Gate) -> None:
    text = record.signature()
    assert text.startswith(f"{record.name}(")
    assert text.endswith(")")
    for attribute in record.attributes:
        assert attribute.name in text


@pytest.mark.parametrize("record", COMPOSED, ids=name_of)
def test_a_formula_uses_the_parameters_and_attributes(record: Gate) -> None:
    from gradcalc.language.formulas import parse_formula

    body = parse_formula(record)
    assert len(body.parameters) == len(record.parameters)


def test_attributes_are_plain_tuples() -> None:
    assert Attribute("axis", "axis", None)._fields == ("name", "kind", "default")
    assert inspect.isfunction(enter)


@pytest.mark.parametrize("record", [record for record in RECORDS if record.arity[0] == 2 and record.elementwise], ids=name_of)
def test_a_commutative_gate_may_have_its_inputs_in_either_order_and_no_other_gate_may(record: Gate) -> None:
    points = [(0.25, 0.75), (0.5, 2.5), (1.5, 0.5), (0.75, 3.0)]
    call = f"a {record.syntax.symbol} b" if record.syntax is not None else f"{record.name}(a, b)"
    formula = gradcalc.parse(call)
    values = [[formula.evaluate(a=a, b=b).value for a, b in (point, point[::-1])] for point in points]
    assert all(one == other for one, other in values) == record.commutative
