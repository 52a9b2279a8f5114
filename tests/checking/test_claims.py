"""Claims: right ones hold, wrong ones are found however little or seldom they are off, judged by error bars alone."""

from __future__ import annotations

import math

import pytest

from gradcalc.checking.claims import Difference, compare
from gradcalc.checking.functions import BEYOND, NOWHERE, SIMPLE, Reading
from gradcalc.formula import Formula
from gradcalc.studies.verification import Settings, Verification, Verifier, Written
from gradcalc.workspace import Options, Workspace

RIGHT = [
    ("x^2*y + sin(x)", "x", "2*x*y + cos(x)"),
    ("(a+b)/(c+d)", "c", "-(a+b)/(c+d)^2"),
    ("sigmoid(a*x+b*y+c)", "a", "x*sigmoid(a*x+b*y+c)*(1-sigmoid(a*x+b*y+c))"),
    ("tanh(x)", "x", "1 - tanh(x)^2"),
    ("tan(x)", "x", "1 + tan(x)^2"),
    ("log(x)", "x", "1/x"),
    ("log(x, b)", "x", "1/(x*log(b))"),
    ("x^y", "y", "x^y*log(x)"),
    ("x^y", "x", "y*x^(y-1)"),
    ("sqrt(x^2 + y^2)", "x", "x/hypot(x, y)"),
    ("atan2(y, x)", "x", "-y/(x^2 + y^2)"),
    ("asin(x)", "x", "(1 - x^2)^-0.5"),
    ("erf(x)", "x", "2/sqrt(pi)*exp(-x^2)"),
    ("gelu(x)", "x", "erfc(-x/sqrt(2))/2 + x*exp(-x^2/2)/sqrt(tau)"),
    ("softplus(x)", "x", "1/(1 + exp(-x))"),
    ("abs(x)*x", "x", "2*abs(x)"),
    ("x^2*y", "x,y", "2*x"),
    ("sin(x*y)", "x,x", "-y^2*sin(x*y)"),
    ("exp(-x^2)", "x,x", "(4*x^2 - 2)*exp(-x^2)"),
    ("x*y*z", "x,y,z", "1"),
    ("q = x+y; q*z", "q", "z"),
    ("q = x*y; r = sin(q); r*q", "r", "q"),
    ("f(u) = u^3; f(x)*y", "x", "3*x^2*y"),
    ("x + y", "z", "0"),
    ("cbrt(x)", "x", "1/(3*cbrt(x)^2)"),
    ("where(x < 0, -x, x^2)", "x", "where(x < 0, -1, 2*x)"),
    ("mse(x, y)", "x", "2*(x - y)"),
    ("logaddexp(x, y)", "x", "sigmoid(x - y)"),
    ("x % y", "y", "-floor(x/y)"),
    ("max(x, y)^2", "x", "2*x*(x > y)"),
    ("acosh(x)", "x", "1/sqrt(x - 1)/sqrt(x + 1)"),
    ("sin(1000*x)", "x", "1000*cos(1000*x)"),
    ("(x - 1)^9", "x", "9*(x - 1)^8"),
]


def verify(text: str, *claims: tuple[str, str], settings: Settings | None = None, **values: object) -> Verification:
    workspace = Workspace({name: value for name, value in values.items() if value is not None}, Options(seed=1))
    written = [Written(tuple(names.split(",")), formula) for names, formula in claims]
    verifier = Verifier(workspace, settings or Settings(), written)
    for formula in workspace.formulas(text, kinds=("range",), optional=True):
        assert isinstance(formula, Formula), formula
        return verifier.verify(formula)
    raise AssertionError("no output")


@pytest.mark.parametrize(("text", "by", "claim"), RIGHT)
def test_a_right_claim_holds(text: str, by: str, claim: str) -> None:
    if by == "z" and "z" not in text:
        text = f"z = 1; {text}"
    found = verify(text, (by, claim))
    (result,) = found.claims
    assert result.verdict == "ok", result.example
    assert result.same or result.counts["ok"] >= 50
    assert found.verdict in ("ok", "edge", "kink")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("sigmoid(x)", "exp(x)/(1 + exp(x))^2"),
        ("atan(sinh(x))", "1/cosh(x)"),
        ("tanh(x)", "4*exp(2*x)/(exp(2*x) + 1)^2"),
        ("3^(-x)", "-log(3)/3^x"),
        ("exp(x)/(exp(x) + exp(y))", "exp(x)*exp(y)/(exp(x) + exp(y))^2"),
    ],
)
def test_where_numbers_grow_too_large_a_right_claim_cannot_be_told(text: str, claim: str, seed: int) -> None:
    (result,) = verify(text, ("x", claim), settings=Settings(seed=seed)).claims
    assert result.verdict == "ok", result.example
    assert result.counts["ok"] > 50


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("text", "claim"),
    [("det(A)", "det(A)*inv(A).T"), ("log(det(A))", "inv(A).T"), ("sum(inv(A))", "-inv(A).T @ ones(3, 3) @ inv(A).T")],
)
def test_elimination_rounds_by_the_largest_element(text: str, claim: str, seed: int) -> None:
    given = [[3.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 4.0]]
    (result,) = verify(text, ("A", claim), settings=Settings(seed=seed), A=given).claims
    assert result.verdict == "ok", result.example
    (off,) = verify(text, ("A", f"({claim})*(1 + 1e-6)"), settings=Settings(seed=seed), A=given).claims
    assert off.verdict == "mismatch"


@pytest.mark.parametrize(("text", "by", "claim"), [entry for entry in RIGHT if entry[2] != "0"])
def test_a_claim_off_by_a_millionth_is_found(text: str, by: str, claim: str) -> None:
    (result,) = verify(text, (by, f"({claim})*(1 + 1e-6)")).claims
    assert result.verdict == "mismatch"
    example = result.example
    assert example is not None
    assert example.difference.by == pytest.approx(1e-6 * abs(example.difference.true), rel=1e-2)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("x", "1 + 1e-9"),
        ("x^2", "2*x + 1e-9*x^3"),
        ("exp(x)", "exp(x) + 1e-12"),
        ("x^3", "3*abs(x)*x"),  # right for positive x only
        ("x^3", "3*sqrt(x)^4"),  # has no value for negative x
        ("x^2", "2*x + max(x - 900, 0)"),  # off far out only
        ("x^2", "2*x + max(1e-4 - abs(x), 0)"),  # off near zero only
        ("sin(x)", "cos(x)*(x < 3) + (x >= 3)*cos(x)^3"),
        ("x*y", "y + (x > 0)*(y < 0)"),
        ("1/x", "-1/x^2 + (abs(x) > 50)/x^2"),
    ],
)
def test_a_claim_that_is_wrong_somewhere_is_found(text: str, claim: str) -> None:
    assert verify(text, ("x", claim)).verdict == "mismatch"


def test_a_claim_may_use_every_name_of_the_program() -> None:
    text = "f(u) = u^2 + 1; q = x*y; r = f(q); r*x"
    found = verify(text, ("x", "r + x*2*q*y"), ("q", "2*q*x"), ("r", "x"), ("y", "x*2*q*x"))
    assert [result.verdict for result in found.claims] == ["ok"] * 4


def test_the_given_point_is_compared_too() -> None:
    found = verify("x^2*y", ("x", "2*x"), x=3.0, y=2.0)
    (result,) = found.claims
    assert found.value == 18.0
    assert result.given is not None
    assert result.example is result.given
    assert (result.given.difference.claimed, result.given.difference.true) == (6.0, 12.0)


def test_numbers_put_in_for_names_are_found_and_may_be_held() -> None:
    found = verify("a = 3; a*x^2", ("x", "6*x"))
    assert found.verdict == "mismatch"
    assert "right where a = 3" in found.claims[0].hints[0]
    held = verify("a = 3; a*x^2", ("x", "6*x"), settings=Settings(hold=("a",)))
    assert held.verdict == "ok"
    assert held.remarks == ["a keeps its value at all points"]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [("3*(x > 0)", "kink"), ("3*(x >= 0)", "kink"), ("1.5 + 1.5*sign(x)", "kink"), ("3*(x > 0) + 4*(x == 0)", "mismatch")],
)
def test_at_a_kink_every_slope_between_the_sides_is_lawful(claim: str, verdict: str) -> None:
    assert verify("3*relu(x)", ("x", claim), x=0.0).claims[0].verdict == verdict


def test_claims_about_arrays_are_compared_element_by_element() -> None:
    given = {"x": [[0.1, 0.2], [0.3, 0.4]], "w": [1.0, -2.0]}
    right = verify("sum(tanh(x @ w))", ("w", "x.T @ (1 - tanh(x @ w)^2)"), ("x", "outer(1/cosh(x @ w)^2, w)"), **given)
    assert [result.verdict for result in right.claims] == ["ok", "ok"]
    wrong = verify("sum(tanh(x @ w))", ("w", "x.T @ (1 - tanh(x @ w)^2)*(1 + [0, 1e-6])"), **given)
    (result,) = wrong.claims
    assert result.verdict == "mismatch"
    assert result.example is not None
    assert result.example.difference.element == (1,)


def test_a_claim_of_fewer_axes_is_repeated() -> None:
    assert verify("sum(x)", ("x", "1"), x=[1.0, 2.0]).verdict == "ok"


def reading(value: float, noise: float = 0.0, kind: str = SIMPLE) -> Reading:
    return Reading(value, noise, kind)


@pytest.mark.parametrize(
    ("claimed", "true", "verdict"),
    [
        (reading(1.0, 1e-16), reading(1.0 + 2e-16, 1e-16), "ok"),
        (reading(1.0, 1e-16), reading(1.0 + 1e-9, 1e-16), "mismatch"),
        (reading(1.0, 1e-3), reading(1.0001, 0.0), "unsure"),  # agrees, but the bar is too wide to tell
        (reading(1.0, 1e-3), reading(2.0, 0.0), "mismatch"),
        (reading(math.nan, math.inf, NOWHERE), reading(1.0), "mismatch"),
        (reading(math.inf, math.inf, BEYOND), reading(1.0), "unsure"),
        (reading(1.0), reading(math.nan, math.inf, NOWHERE), "unsure"),
        (reading(0.0), reading(0.0), "ok"),
    ],
)
def test_two_values_are_judged_by_their_error_bars(claimed: Reading, true: Reading, verdict: str) -> None:
    found = compare(claimed, true)
    assert isinstance(found, Difference)
    assert found.verdict == verdict


def test_fifty_digits_settle_what_floats_cannot_tell() -> None:
    pytest.importorskip("mpmath")
    text, claim = "x", "((1e9 + x)^2 - 1e18 - x^2)/(2e9*x)"
    ranges = Settings(points=20)
    assert verify(text, ("x", claim), settings=ranges).claims[0].counts["unsure"] > 5
    settled = verify(text, ("x", claim), settings=Settings(points=20, method="exact")).claims[0]
    assert settled.counts["unsure"] == 0
    assert settled.verdict == "ok"


@pytest.mark.parametrize(
    "text", ["x^2*y + sin(x)", "log(x)*sqrt(y)", "x/(y^2 + 1)", "erf(x)*gelu(y)", "atan2(x, y)", "sigmoid(x)^y"]
)
def test_gradients_agree_with_numerics_at_random_points(text: str) -> None:
    found = verify(text, settings=Settings(order=2))
    assert found.verdict == "ok"
    assert {result.names for result in found.gradients} >= {("x",), ("y",), ("x", "y")}
    assert all(result.counts["ok"] > 20 and not result.counts["mismatch"] for result in found.gradients)
