"""The check at every scale: formulas that know no unit are judged alike, whether their inputs are atoms or galaxies."""

from __future__ import annotations

import pytest

import gradcalc
from gradcalc.workspace import Result


def evaluated(program: str, **values: float) -> Result:
    return gradcalc.parse(program).evaluate(**values)


@pytest.mark.parametrize(
    "program", ["log(x)", "sqrt(x)", "x/(x + a)", "exp(x/a)", "1/(exp(x/a) - 1)", "atan2(x, a)", "hypot(x, a)/x"]
)
@pytest.mark.parametrize("exponent", range(-150, 151, 25))
@pytest.mark.parametrize("figure", [1.3, 7.7])
def test_a_formula_without_units_is_ok_at_every_scale(program: str, exponent: int, figure: float) -> None:
    x = figure * 10.0**exponent
    values = {"x": x, "a": 2.0 * x} if "a" in program.replace("atan", "") else {"x": x}
    assert evaluated(program, **values).verdict == "ok"


@pytest.mark.parametrize(
    ("program", "values"),
    [
        ("1/x", {"x": 3e-32}),
        ("1/x^2", {"x": 3e-15}),
        ("sqrt(x)", {"x": 3e-25}),
        ("x^(-1.5)", {"x": 2e125}),
        ("exp(x)", {"x": 709.7}),
        ("1 + x", {"x": 1e-30}),
        ("exp(-x) + 1", {"x": 60}),
        ("exp(x/a)", {"x": 2e-25, "a": 4e-26}),
        ("exp(z/x)", {"x": -0.31, "z": 1.73e-15}),
        ("x*abs(x)", {"x": 0}),
        ("relu(x)^2", {"x": 0}),
        ("where(x < 0, x, sqrt(x))", {"x": 4}),
        ("where(x > 0, x^2, -x)", {"x": -3}),
        # Planck's law at the sun's temperature, and the Compton wavelength of the electron.
        (
            "2*h*c^2/lam^5/(exp(h*c/(lam*k*T)) - 1)",
            {"h": 6.62607015e-34, "c": 299792458, "k": 1.380649e-23, "lam": 5e-7, "T": 5778},
        ),
        ("h/(m*c)", {"h": 6.62607015e-34, "m": 9.1093837015e-31, "c": 299792458}),
    ],
)
def test_regular_points_are_ok(program: str, values: dict[str, float]) -> None:
    result = evaluated(program, **values)
    assert result.verdict == "ok", [node for node in result.nodes if node.verdict != "ok"]


@pytest.mark.parametrize(
    ("program", "x"),
    [("sin(x)/x", 1e-8), ("2.79*x/log1p(x)", 5.913240391377695e-15), ("(exp(x) - 1)/x", 1e-9), ("(1 - cos(x))/x^2", 1e-8)],
)
def test_a_gradient_that_has_lost_its_digits_is_not_ok(program: str, x: float) -> None:
    result = evaluated(program, x=x)
    assert result.nodes[0 if result.nodes[0].gate == "input" else 1].verdict == "unsure"


def test_a_condition_has_no_gradient_and_no_verdict() -> None:
    result = evaluated("where(x < 0, x, sqrt(x))", x=4)
    (condition,) = [node for node in result.nodes if node.gate == "<"]
    assert condition.gradient is None
    assert condition.verdict == "off"
    assert evaluated("where(x < 0, 1, 2)", x=4).gradients == {"x": 0.0}
