"""Suggestions are what was probably meant, or none."""

from __future__ import annotations

import pytest

from gradcalc.language.nearest import distance, nearest

NAMES = ["sin", "sinh", "sigmoid", "softmax", "log", "log10", "leaky_relu", "x", "learning_rate"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sine", "sin"),
        ("sigmod", "sigmoid"),
        ("simgoid", "sigmoid"),
        ("SIGMOID", "sigmoid"),
        ("sofmax", "softmax"),
        ("leaky", "leaky_relu"),
        ("learning_rat", "learning_rate"),
        ("X", "x"),
        ("y", None),
        ("xy", None),
        ("frobnicate", None),
    ],
)
def test_the_nearest_name(name: str, meant: str | None) -> None:
    assert nearest(name, NAMES) == meant


def test_swapped_letters_are_one_slip() -> None:
    assert distance("form", "from", 3) == 1
    assert distance("abc", "abc", 3) == 0
    assert distance("abcdef", "uvwxyz", 2) == 3
