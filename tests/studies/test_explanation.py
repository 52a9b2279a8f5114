"""Explanations are made of the numbers that were computed: products and sums in them are the gradients, bit for bit."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest

from gradcalc.dialects.language import spell
from gradcalc.engine import scalar
from gradcalc.engine.makers import Makers
from gradcalc.formula import Formula
from gradcalc.graph import INPUT
from gradcalc.studies.explanation import Contribution, Explanation
from gradcalc.workspace import Options, Result, Workspace
from tests.gates.test_arrays import CASES, Case, OneGate
from tests.programs import random_program


def explained(text: str, wrt: list[str] | None = None, open: tuple[str, ...] = (), **values: object) -> Explanation:
    workspace = Workspace(values, Options(seed=1, open=open))
    formulas = [made for made in workspace.formulas(text) if isinstance(made, Formula)]
    assert len(formulas) == 1
    return Explanation(formulas[0], wrt)


def result_of(text: str, **values: object) -> Result:
    (answer,) = list(Workspace(values, Options(seed=1, check="off")).answers(text))
    assert isinstance(answer, Result)
    return answer


def added(arrived: list[Contribution]) -> Any:
    """What arrived, added up by hand."""
    total = arrived[0].value
    for made in arrived[1:]:
        total = total + made.value
    return total


def equal(a: Any, b: Any) -> bool:
    return bool(numpy.array_equal(a, b, equal_nan=True))


@pytest.mark.parametrize("number", range(300))
def test_sums_over_paths_are_the_gradients_of_random_programs(number: int) -> None:
    text = random_program(random.Random(f"explain {number}"))
    for formula in Workspace({}, Options(seed=1)).formulas(text):
        assert isinstance(formula, Formula)
        told = Explanation(formula)
        for step in told.forward():
            if step.gradient is None or step is told.output:
                continue
            if not step.arrived:
                assert step.gradient == 0.0 or step.mended
            elif not step.mended:
                assert step.gradient == added(step.arrived) or math.isnan(step.gradient)
            else:
                # A gradient that is not the sum is one where the products are no numbers.
                assert not all(math.isfinite(made.value) for made in step.arrived)


@pytest.mark.parametrize("number", range(100))
def test_products_are_gradient_times_local_derivative(number: int) -> None:
    text = random_program(random.Random(f"product {number}"))
    for formula in Workspace({}, Options(seed=1)).formulas(text):
        assert isinstance(formula, Formula)
        for step in Explanation(formula).backward():
            for made in step.handed:
                if made.value is not None and math.isfinite(made.value):
                    assert made.value == pytest.approx(made.above * made.slope, rel=1e-14, abs=1e-300)


def test_the_gradients_are_those_of_eval() -> None:
    text, values = "q = x*y; r = sin(q)*x; r/q + q^2", {"x": 1.25, "y": -0.75}
    told, result = explained(text, **values), result_of(text, **values)
    assert {name: told.steps[node].gradient for name, node in told.wanted.items()} == result.gradients
    assert told.output.value == result.value


@pytest.mark.parametrize("case", [case for case in CASES if not case.record.constant], ids=str)
def test_sums_are_the_gradients_of_array_gates(case: Case) -> None:
    one = OneGate(case)
    names = {node: f"x{number}" for number, node in enumerate(node for node, code in enumerate(one.graph.codes) if code == INPUT)}
    formula = Formula(
        "f", 1, one.graph, tuple(names.values()), one.values, (False,) * len(names), names, Makers(1), str, lambda node: None
    )
    told = Explanation(formula)
    for step in told.forward():
        if step.gradient is not None and step.arrived and step is not told.output:
            assert not step.mended
            assert equal(step.gradient, added(step.arrived))


def test_the_local_derivative_as_a_formula_has_the_value_that_is_shown() -> None:
    told = explained("sigmoid(x*y)/(1 + x^2) + log(y, 3)*atan2(x, y) - x % 2", x=1.5, y=0.7)
    checked = 0
    for step in told.backward():
        for made in step.handed:
            local = made.formula
            assert local is not None
            values = {told.names[node]: told.evaluation.values[node] for node in range(len(told.graph))}
            inputs = [values[local.names[node]] for node, code in enumerate(local.graph.codes) if code == INPUT]
            assert scalar.forward(local.graph, inputs)[local.node] == pytest.approx(made.slope, rel=1e-13)
            checked += 1
    assert checked > 12


def test_unnamed_nodes_are_numbered_and_names_do_not_collide() -> None:
    told = explained("v1 = 2; f = 3; sin(v1*f)*v1 + f", wrt=None)
    names = [step.name for step in told.forward()]
    assert len(set(names)) == len(names)
    assert names == ["v1", "f", "u1", "u2", "u3", "L"]


def test_named_nodes_keep_their_names() -> None:
    told = explained("q = x + y; f = q*z", x=-2.0, y=5.0, z=-4.0)
    assert [step.name for step in told.forward()] == ["x", "y", "q", "z", "f"]
    assert [told.spelled(step.node) for step in told.backward()] == ["q*z", "x + y"]


@pytest.mark.parametrize(
    ("text", "node", "words"),
    [
        ("v = x^2; w = sin(v); w*x", "w", "Multiplies the gradient by cos(v)."),
        ("s = sigmoid(y); s*y", "s", "Multiplies the gradient by s*(1 - s): at most a quarter passes"),
        ("p = a^b; p + 1", "p", "by b*a^(b - 1) for the base, and by a^b*log(a) for the exponent."),
        ("p = a^3; p + 1", "p", "Multiplies the gradient by 3*a^2."),
        ("q = atan2(a, b); -q", "q", "by b/(b^2 + a^2) for a, and by -a/(b^2 + a^2) for b."),
        ("q = elu(a, alpha=2); -q", "q", "and 2*exp(a) of it elsewhere."),
    ],
)
def test_a_sentence_is_about_the_very_node_and_its_inputs(text: str, node: str, words: str) -> None:
    told = explained(text, x=2.0, y=1.0, a=3.0, b=2.0)
    (step,) = (step for step in told.backward() if step.name == node)
    assert words in told.sentence(step)


def test_numbers_are_put_in_with_brackets_around_negative_ones() -> None:
    told = explained("a*b + (a - b)^2 - a", a=-2.0, b=-3.0)
    spelled = [told.put_in(step.node, lambda value: f"{value:g}") for step in told.forward() if step.gate is not None]
    assert spelled == ["-2*(-3)", "-2 - (-3)", "1^2", "6 + 1", "7 - (-2)"]


def test_opened_gates_are_explained_from_inside() -> None:
    closed = explained("sigmoid(x)", x=1.0)
    opened = explained("sigmoid(x)", x=1.0, open=("sigmoid",))
    assert [step.gate.name for step in closed.backward() if step.gate] == ["sigmoid"]
    assert [step.gate.name for step in opened.backward() if step.gate] == ["/", "+", "exp", "neg"]


def test_what_is_not_taken_hands_nothing_on() -> None:
    told = explained("where(x < 1, x, sqrt(x))", x=0.0)
    (step,) = told.backward()
    assert [made.value for made in step.handed] == [1.0, None]
    assert told.steps[told.wanted["x"]].gradient == 1.0


def test_products_that_are_no_numbers_are_told_from_the_gradient() -> None:
    told = explained("sqrt(x)^2", x=0.0)
    step = told.steps[told.wanted["x"]]
    assert (step.gradient, step.mended) == (1.0, True)
    assert math.isnan(step.arrived[0].value)


def test_a_convention_is_used_and_named() -> None:
    told = explained("hypot(x, y)", x=0.0, y=0.0)
    (step,) = told.backward()
    assert [(made.slope, made.value, made.agreed) for made in step.handed] == [(0.0, 0.0, True)] * 2
    assert step.kink is not None and step.kink.kind == "kink"


def test_gradients_by_some_names_only() -> None:
    told = explained("q = x*y; q*z + x", ["q"], x=2.0, y=3.0, z=4.0)
    assert list(told.wanted) == ["q"]
    assert told.steps[told.wanted["q"]].gradient == 4.0
    assert [told.names[made.source] for step in told.backward() for made in step.handed] == ["v1", "q"]


def test_the_rule_of_an_array_gate_is_a_formula_of_the_gradient_from_above() -> None:
    told = explained("sum(sin(x @ w))", x=[[1.0, 2.0], [3.0, 4.0]], w=[1.0, -1.0])
    rules = {}
    for step in told.backward():
        for made in step.handed:
            local = made.formula
            if made.slope is None and local is not None:
                node, words = local.without_shaping()
                rules[told.names[made.source]] = (spell(local.graph, node, local.names.get), words)
    assert rules["v2"] == ("1", ["repeated"])
    assert rules["w"][0].startswith("x.T @ ")
