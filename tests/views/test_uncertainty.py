"""How values with uncertainties are rounded, and what is said where first order misleads."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.formula import Measured
from gradcalc.language.values import Uncertain, parse_value
from gradcalc.views.report import result_text
from gradcalc.views.surface import Surface
from gradcalc.views.uncertainty import error_text, lines, measured_text, readable_value, share_text, warnings
from gradcalc.workspace import Options, Result, Workspace


def result_of(text: str, **options: Any) -> Result:
    inputs = options.pop("inputs")
    answer = next(Workspace({name: Measured(*given) for name, given in inputs.items()}, Options(**options)).answers(text))
    assert isinstance(answer, Result), answer
    return answer


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (9.810443, 0.052845, "9.810 ± 0.053"),
        (0.428571, 0.0123, "0.429 ± 0.012"),
        (3.0, 0.0996, "3.00 ± 0.10"),
        (3.0, 0.996, "3.0 ± 1.0"),
        (1234.5, 12.0, "1234 ± 12"),
        (123456.0, 1234.0, "123500 ± 1200"),
        (0.001, 0.2, "0.00 ± 0.20"),
        (-0.5, 3.0, "-0.5 ± 3.0"),
        (6.6743e-11, 1.5e-15, "6.67430e-11 ± 1.5e-15"),
        (6.02214076e23, 3e16, "6.02214076e23 ± 3.0e16"),
        (1e-9, 2e-7, "1.0e-9 ± 2.0e-7"),
        (2.0, 0.0, "2 ± 0"),
        (0.0, math.inf, "0 ± inf"),
        (math.nan, math.nan, "nan ± nan"),
    ],
)
def test_values_are_rounded_where_their_uncertainty_ends(value: float, error: float, text: str) -> None:
    assert measured_text(value, error) == text


def test_more_digits_on_request() -> None:
    assert measured_text(9.810443, 0.052847, 4) == "9.81044 ± 0.05285"
    assert error_text(1234.0, 3) == "1230"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (0.0, "0.0 %"),
        (1.0, "100 %"),
        (0.1392, "14 %"),
        (0.0921, "9.2 %"),
        (1e-5, "< 0.1 %"),
        (-0.2, "-20 %"),
    ],
)
def test_shares(share: float | None, text: str) -> None:
    assert share_text(share) == text


@pytest.mark.parametrize("unicode", [True, False])
def test_bare_values_read_back(unicode: bool) -> None:
    result = result_of("x*y", inputs={"x": (0.1, 0.01), "y": (3.0, 0.25)})
    text = readable_value(result, Surface(unicode=unicode))
    read = parse_value(text)
    assert isinstance(read, Uncertain)
    assert result.propagation is not None
    assert (read.centre.number, read.error.number) == (result.value, result.propagation.first.uncertainty)
    arrays = result_of("x*2", inputs={"x": (numpy.array([1.0, 2.0]), numpy.array([0.1, 0.2]))})
    assert isinstance(parse_value(readable_value(arrays, Surface(unicode=unicode))), Uncertain)


def said(text: str, draws: int | None = None, **inputs: Any) -> str:
    return "\n".join(warnings(result_of(text, inputs=inputs, monte_carlo=draws, seed=1, check="off")))


def test_what_is_said_where_first_order_misleads() -> None:
    assert "it gives x^2 ± 0, second order ± 0.014 about a mean of 0.010" in said("x^2", x=(0.0, 0.1))
    assert "moving x up and down by its uncertainty moves it by 0.1 and 0.1" in said("abs(x)", x=(0.0, 0.1))
    assert "the function ends within the uncertainty of x" in said("sqrt(x)", x=(0.0, 0.1))
    assert "--monte-carlo" in said("sqrt(x)", x=(0.0, 0.1))
    assert said("x*3", x=(0.0, 0.1)) == ""


def test_monte_carlo_has_the_last_word() -> None:
    words = said("abs(x)", 10_000, x=(0.0, 0.1))
    assert words.startswith("first order misleads: it gives abs(x) ± 0, Monte Carlo 0.0")
    assert "5" in said("sqrt(x)", 1000, x=(0.0, 0.1)).split("in ")[1][:4]
    assert said("x*3", 1000, x=(0.0, 0.1)) == ""


def test_lines_beyond_first_order() -> None:
    result = result_of("x^2", inputs={"x": (3.0, 0.1)}, monte_carlo=1000, seed=3)
    second, drawn = lines(result)
    assert second == "second order: 9.01 ± 0.60"
    assert drawn.startswith("Monte Carlo, 1000 draws: 9.0")
    assert "95 % between 7." in drawn
    assert list(lines(result_of("x^2", inputs={"x": (3.0, 0.1)}))) == []
    assert "nothing beyond first order" in "".join(lines(result_of("sum(v)", inputs={"v": (numpy.zeros(300), numpy.ones(300))})))


def test_the_report() -> None:
    result = result_of("4*pi^2*L/T^2", inputs={"L": (0.995, 0.002), "T": (2.001, 0.005)})
    text = result_text(result, Surface())
    assert text.startswith("4*pi^2*L/T^2 = 9.810 ± 0.053\n")
    assert "uncertainty  share" in text
    assert "86 %" in text
    plain = result_text(result, Surface(unicode=False))
    assert plain.startswith("4*pi^2*L/T^2 = 9.810 +/- 0.053\n")
    assert plain.isascii()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_report_fits_where_it_is_shown(width: int) -> None:
    result = result_of("4*pi^2*L/T^2", inputs={"L": (0.995, 0.002), "T": (2.001, 0.005)}, sensitivity=True)
    text = result_text(result, Surface(width, terminal=True))
    assert max(map(len, text.splitlines())) <= width
