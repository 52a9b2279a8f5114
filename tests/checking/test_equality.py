"""Two formulas: the same function or not, and where they part."""

from __future__ import annotations

import pytest

from gradcalc.checking.equality import Equality, same_formula
from gradcalc.errors import ShapeProblem
from gradcalc.formula import Formula
from gradcalc.studies.verification import Settings, Verifier
from gradcalc.workspace import Options, Workspace
from tests.checking.test_functions import function


def compare(text: str, other: str, method: str = "auto", **values: object) -> Equality:
    workspace = Workspace(values, Options(seed=1))
    verifier = Verifier(workspace, Settings(gradients=False, method=method), equals=other)
    for formula in workspace.formulas(text, kinds=("range",), optional=True):
        assert isinstance(formula, Formula), formula
        found = verifier.verify(formula).equality
        assert found is not None
        return found
    raise AssertionError("no output")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sin(x)^2", "1 - cos(x)^2"),
        ("(x + y)^2", "x^2 + 2*x*y + y^2"),
        ("abs(x)", "sqrt(x^2)"),
        ("tanh(x)", "2*sigmoid(2*x) - 1"),
        ("log(x*y)", "log(y*x)"),
        ("cosh(x)^2 - sinh(x)^2", "1"),
        ("max(x, y)", "(x + y + abs(x - y))/2"),
        ("atan(x) + atan(1/x)", "pi/2*sign(x)"),
        ("sinh(x)", "(exp(x) - exp(-x))/2"),
        ("log(x^3)", "3*log(x)"),
    ],
)
def test_one_function_in_two_spellings(one: str, other: str) -> None:
    assert compare(one, other).verdict == "ok"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sin(x)", "x"),
        ("x", "x*(1 + 1e-9)"),
        ("exp(x)", "exp(x) + 1e-20"),
        ("abs(x)", "x"),
        ("max(x, y)", "x"),
        ("sqrt(x^2 + y^2)", "abs(x) + abs(y)"),
        ("x*y", "x*z"),
        ("floor(x)", "ceil(x) - 1"),
        ("where(x >= 1, 2, x)", "where(x > 1, 2, x)"),
    ],
)
def test_two_functions_part_at_a_point(one: str, other: str) -> None:
    found = compare(one, other)
    assert found.verdict == "mismatch"
    assert found.parted is not None
    point = found.parted.point
    first, second = (function(text).read(point, sided=True) for text in (one, other))
    assert first.value == found.parted.difference.true
    assert second.value == found.parted.difference.claimed
    assert first.value != second.value


def test_domains_that_differ_are_told() -> None:
    found = compare("log(x^2)", "2*log(x)")
    assert found.verdict == "mismatch"
    assert found.parted is None
    assert found.only_first is not None and found.only_first.point["x"] < 0
    assert found.only_second is None
    turned = compare("2*log(x)", "log(x^2)")
    assert turned.only_second is not None and turned.only_first is None


def test_a_hole_is_an_exception_and_no_difference() -> None:
    found = compare("(x^2 - 1)/(x - 1)", "x + 1")
    assert found.verdict == "ok"
    assert [hole.point["x"] for hole in found.holes] == [1.0]


def test_arrays_are_compared_too() -> None:
    x = [[1.0, 2.0], [3.0, 4.0]]
    assert compare("x @ x.T", "(x @ x.T).T", x=x).verdict == "ok"
    assert compare("x @ x.T", "x.T @ x", x=x).verdict == "mismatch"


def test_where_rounding_may_have_chosen_the_side_of_a_jump_nothing_is_told() -> None:
    assert compare("floor(3*x)", "floor(x + x + x)", x=0.1).verdict == "ok"


@pytest.mark.parametrize(("one", "other"), [("[x, y]", "[x, y, 1]"), ("[x, x]", "x"), ("x", "[x, x]")])
def test_what_has_another_shape_cannot_be_one_function(one: str, other: str) -> None:
    with pytest.raises(ShapeProblem, match="--equals"):
        compare(one, other)


def test_fifty_digits_settle_what_floats_cannot_tell() -> None:
    pytest.importorskip("mpmath")
    one, other = "(1e9 + x)^2 - 1e18 - 2e9*x", "x^2"
    assert compare(one, other, "exact").verdict == "ok"
    assert compare(one, f"{other} + 1e-3", "exact").verdict == "mismatch"


@pytest.mark.parametrize(("one", "other", "same"), [("x*2", "2*x", True), ("x + x", "2*x", True), ("sin(x)", "cos(x)", False)])
def test_formulas_are_one_if_they_simplify_to_one(one: str, other: str, same: bool) -> None:
    assert same_formula(function(one), function(other)) is same
