"""Fits: NIST's reference data for nonlinear regression from both published starts, errors of the parameters, bad input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest

from gradcalc.errors import BindingProblem, DataProblem
from gradcalc.formula import Formula
from gradcalc.learning.fit import Fitted, Rows, fit
from gradcalc.workspace import Workspace

REFERENCE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("strd.json").read_text("utf-8"))
"""NIST's Statistical Reference Datasets for nonlinear regression, of all levels of difficulty, with the certified results (public:
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml). Of Rat43 the degrees of freedom are 15 rows less 4 parameters, where the
published file says 9."""

NO_RESIDUALS = {"Lanczos1"}
"""Data without errors: what is left is the rounding of the data themselves, of which doubles keep few digits."""


def rows(text: str, values: dict[str, Any]) -> Rows:
    (formula,) = Workspace().formulas(text, optional=True)
    assert isinstance(formula, Formula)
    return Rows(formula.graph, formula.inputs, values)


def fitted(text: str, target: str, columns: dict[str, Any], start: dict[str, float], deviation: str | None = None) -> Fitted:
    columns = {name: numpy.array(column, dtype=float) for name, column in columns.items()}
    spread = None if deviation is None else rows(deviation, columns)
    return fit(rows(text, columns | start), rows(target, columns), list(start), spread)


def digits(found: Any, certified: Any) -> float:
    """How many digits agree, of the worst of several numbers."""
    found, certified = numpy.asarray(found), numpy.asarray(certified)
    return float(-numpy.log10(numpy.max(abs(found - certified) / abs(certified)) + 1e-16))


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", REFERENCE)
def test_reference_problems_come_out_to_the_certified_digits(name: str, start: int) -> None:
    case = REFERENCE[name]
    found = fitted(case["formula"], case["target"], case["columns"], case["starts"][start])
    assert found.converged
    assert digits(found.values, list(case["parameters"].values())) >= 9
    assert found.degrees_of_freedom == case["degrees_of_freedom"]
    least = 2 if name in NO_RESIDUALS else 9
    assert digits(found.residual_sum_of_squares, case["residual_sum_of_squares"]) >= least
    assert digits(found.residual_standard_deviation, case["residual_standard_deviation"]) >= least
    assert digits(found.errors, list(case["errors"].values())) >= least


def test_a_straight_line_has_the_errors_of_the_textbook() -> None:
    x = numpy.arange(10.0)
    y = 2 * x + 1 + numpy.array([0.1, -0.2, 0.05, 0.1, -0.1, 0.0, 0.2, -0.15, 0.05, -0.05])
    found = fitted("m*x + b", "y", {"x": x, "y": y}, {"m": 0.0, "b": 0.0})
    slope, covariance = numpy.polyfit(x, y, 1, cov=True)
    assert digits(found.values, slope) > 12
    assert digits(found.covariance, covariance) > 10


def test_standard_deviations_of_rows_weigh_them_and_fix_the_errors() -> None:
    x = numpy.array([1.0, 2.0, 3.0, 4.0])
    y = numpy.array([1.1, 1.9, 3.2, 3.8])
    sigma = numpy.array([0.1, 0.2, 0.1, 0.4])
    found = fitted("m*x", "y", {"x": x, "y": y, "s": sigma}, {"m": 0.0}, "s")
    weights = 1 / sigma**2
    assert found.values[0] == pytest.approx((weights * x * y).sum() / (weights * x * x).sum(), rel=1e-14)
    assert found.errors[0] == pytest.approx(1 / numpy.sqrt((weights * x * x).sum()), rel=1e-13)


def test_a_mean_is_fitted() -> None:
    y = numpy.array([1.0, 2.0, 4.0, 9.0])
    found = fitted("a", "y", {"y": y}, {"a": 0.0})
    assert found.converged
    assert (found.rows, found.values[0]) == (4, pytest.approx(4.0, rel=1e-14))
    assert found.errors[0] == pytest.approx(y.std(ddof=1) / 2, rel=1e-13)
    weighted = fitted("a", "y", {"y": [2.0, 2.0], "s": [1.0, 1.0]}, {"a": 0.0}, "s")
    assert weighted.errors[0] == pytest.approx(0.5**0.5)
    assert numpy.isinf(fitted("a + floor(b)", "y", {"y": y}, {"a": 0.0, "b": 1.5}).errors[1])


@pytest.mark.parametrize(
    ("x", "y"),
    [([1, 2, 3], [2, 4, 6]), ([0, 1, 2, 3], [0, 3, 6, 9]), ([0, 1, 2, 3], [0, 0, 0, 0]), (range(5), [1.1, 2.3, 3.5, 4.7, 5.9])],
)
@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e100])
def test_a_perfect_fit_is_one(x: Sequence[int], y: Sequence[float], scale: float) -> None:
    found = fitted("m*x + b", "y", {"x": x, "y": scale * numpy.array(y)}, {"m": scale, "b": 0.0})
    assert (found.converged, found.warnings) == (True, ())
    assert found.steps < 40
    assert found.values / scale == pytest.approx([y[1] - y[0], y[0] - (y[1] - y[0]) * x[0]], rel=1e-14, abs=1e-14)


def test_a_fit_that_sticks_at_an_edge_ends_and_says_where() -> None:
    x = numpy.linspace(-3, 3, 31)
    y = 2 * numpy.exp(-((x - 0.5) ** 2) / (2 * 0.7**2))
    found = fitted("a*sqrt(x + c) + d", "y", {"x": x, "y": y}, {"a": 0.1, "c": 4.0, "d": 0.0})
    assert not found.converged and found.steps <= 400
    assert "it sticks" in found.reason
    assert any(warning.startswith("the derivative by c is ") and "in row 1, and at most" in warning for warning in found.warnings)


def test_parameters_that_the_data_do_not_determine_are_named() -> None:
    x = numpy.arange(1.0, 6.0)
    found = fitted("a*b*x + c", "y", {"x": x, "y": 3 * x + x % 2}, {"a": 1.0, "b": 1.0, "c": 0.0})
    assert numpy.isinf(found.errors[:2]).all()
    assert numpy.isfinite(found.errors[2])
    assert any("do not determine a and b" in warning for warning in found.warnings)


def test_parameters_that_can_hardly_be_told_apart_are_named() -> None:
    x = numpy.linspace(100, 101, 20)
    found = fitted("a + b*x", "y", {"x": x, "y": 2 * x + numpy.sin(40 * x)}, {"a": 0.0, "b": 1.0})
    assert any("a and b can hardly be told apart" in warning for warning in found.warnings)


def test_what_cannot_be_fitted_is_refused() -> None:
    columns = {"x": [1.0, 2.0, -3.0], "y": [1.0, numpy.nan, 2.0]}
    with pytest.raises(DataProblem, match="target in row 2 is nan"):
        fitted("a*x", "y", columns, {"a": 1.0})
    with pytest.raises(BindingProblem, match="is nan in row 3"):
        fitted("a*sqrt(x)", "x", columns, {"a": 1.0})
    with pytest.raises(BindingProblem, match="derivative by a is inf in row 1"):
        fitted("sqrt(a)*x^2", "x", columns, {"a": 0.0})
    with pytest.raises(DataProblem, match="3 rows cannot determine 4 parameters"):
        fitted("a + b*x + c*x^2 + d*x^3", "x", columns, dict.fromkeys("abcd", 1.0))
    with pytest.raises(BindingProblem, match=r"at the start \(m = 1e\+300, b = 1\) the sum of the squares .* is infinite"):
        fitted("m*x + b", "x", columns, {"m": 1e300, "b": 1.0})
    with pytest.raises(DataProblem, match="standard deviation in row 3 is -3"):
        fitted("a*x", "x", columns, {"a": 1.0}, "x")
