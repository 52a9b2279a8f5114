"""Numbers read back; rounded ones say no more than they know."""

from __future__ import annotations

import math
import struct

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcalc.views.numbers import (
    array_text,
    bar_text,
    exact_text,
    number_text,
    rounded_text,
    short_text,
    uncertain_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (242.0, "242"),
        (3 / 7, "0.42857142857142855"),
        (-0.0, "-0"),
        (1e22, "1e+22"),
        (5e-324, "5e-324"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (1e15, "1000000000000000"),
    ],
)
def test_shortest(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(allow_nan=False))
def test_reads_back(value: float) -> None:
    assert struct.pack("d", float(number_text(value))) == struct.pack("d", value)


@given(st.floats(-1e308, 1e308), st.integers(1, 17))
def test_rounding_is_close(value: float, digits: int) -> None:
    text = rounded_text(value, digits)
    assert float(text) == float(short_text(value, digits))
    assert math.isclose(float(text), value, rel_tol=10.0 ** (1 - digits), abs_tol=5e-324)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (3 / 7, 6, "0.428571"),
        (12345678.25, 6, "12345678.25"),
        (123456789.25, 6, "1.23457e+08"),
        (1870.0, 2, "1870"),
        (0.5, 6, "0.5"),
        (1e100, 6, "1e+100"),
        (math.nan, 6, "nan"),
    ],
)
def test_rounded(value: float, digits: int, text: str) -> None:
    assert rounded_text(value, digits) == text


def test_short_exponents() -> None:
    assert short_text(4.139937376e-08, 6) == "4.13994e-8"
    assert short_text(12345678.25, 4) == "1.235e7"
    assert short_text(1e100, 4) == "1e100"


@pytest.mark.parametrize(
    ("value", "bar", "text"),
    [
        (1 / 3, 0.02, "0.33"),
        (1 / 3, 1e-15, "0.3333333333"),
        (1 / 3, 0.0, "0.3333333333"),
        (1 / 3, 7.0, "0.3333333333"),
        (0.0, 1e-9, "0"),
        (math.nan, 1.0, "nan"),
        (1 / 3, math.inf, "0.3333333333"),
    ],
)
def test_no_digit_that_the_bar_does_not_vouch_for(value: float, bar: float, text: str) -> None:
    assert uncertain_text(value, bar, 10) == text


@pytest.mark.parametrize(
    ("bar", "text"),
    [(2.4e-15, "2e-15"), (0.0234, "0.02"), (0.0, "0"), (math.inf, "inf"), (3.2, "3"), (1.2e5, "1e5"), (96.0, "100")],
)
def test_bars(bar: float, text: str) -> None:
    assert bar_text(bar) == text


def test_arrays_read_back() -> None:
    assert exact_text(numpy.array([[1.0, 2.0], [3.0, 0.1]])) == "[[1, 2], [3, 0.1]]"
    assert exact_text(numpy.zeros((2, 0))) == "[[], []]"
    assert exact_text(numpy.array(2.5)) == "2.5"


def test_arrays_in_cells() -> None:
    small = numpy.array([1.0, 1 / 3])
    large = numpy.arange(20.0).reshape(4, 5) / 3
    assert array_text(small, 3, 20) == "[1, 0.333]"
    assert array_text(large, 3, 60) == "[[0, 0.333, 0.667, …], …] 4×5 in 0..6.33"
    assert array_text(large, 3, 40) == "[[0, 0.333, 0.667, …], …] 4×5 in 0..6.33"
    assert array_text(large, 3, 39) == "[[0, 0.333, …], …] 4×5 in 0..6.33"
    assert array_text(large, 3, 15) == "4×5 in 0..6.33"
    assert array_text(large, 3, 10, shaped=False) == "0..6.33"
    assert array_text(large, 3, 2, shaped=False) == "0..6.3"


def test_arrays_that_are_not_finite_or_empty() -> None:
    spoiled = numpy.array([1.0, math.nan, 3.0])
    assert array_text(spoiled, 3, 5) == "3 in 1..nan"
    assert array_text(numpy.full(9, math.nan), 3, 5) == "9 in nan..nan"
    assert array_text(numpy.zeros(0), 3, 20) == "[]"
