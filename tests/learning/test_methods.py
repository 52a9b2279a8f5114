"""The rules of the methods, each against its formula written with arrays in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

from gradcalc.cli import optimize, train
from gradcalc.learning.methods import METHODS

RATE = 0.1


def by_hand(name: str, x: Any, slope: Callable[[Any], Any], steps: int) -> Any:
    """So many steps of a method, as its paper has them."""
    x = numpy.array(x)
    v, s = numpy.zeros_like(x), numpy.zeros_like(x)
    for count in range(1, steps + 1):
        g = slope(x)
        if name == "gradient":
            x = x - RATE * g
        elif name == "momentum":
            v = 0.9 * v + g
            x = x - RATE * v
        elif name == "nesterov":
            v = 0.9 * v + g
            x = x - RATE * (g + 0.9 * v)
        elif name == "rmsprop":
            s = 0.9 * s + 0.1 * g**2
            x = x - RATE * g / (numpy.sqrt(s) + 1e-8)
        else:
            v = 0.9 * v + 0.1 * g
            s = 0.999 * s + 0.001 * g**2
            x = x - RATE * (v / (1 - 0.9**count)) / (numpy.sqrt(s / (1 - 0.999**count)) + 1e-8)
    return x


def slope(x: Any) -> Any:
    """Of sum(x^4/4 - x): of a float, or of each element of an array."""
    return x**3 - 1


@pytest.mark.parametrize("name", train.METHODS)
def test_a_rule_makes_the_steps_of_its_formula_with_numbers_and_with_arrays(name: str) -> None:
    method = METHODS[name]
    assert method.rule is not None
    start = [2.0, numpy.array([[0.5, -1.0], [3.0, 0.1]])]
    kept = [2.0, start[1].copy()]
    values, memory = list(start), method.begin(2)
    for count in range(1, 21):
        values, memory = method.rule(values, [slope(x) for x in values], memory, RATE, count)
    for found, before in zip(values, kept):
        numpy.testing.assert_allclose(found, by_hand(name, before, slope, 20), rtol=1e-12)
    assert isinstance(values[0], float)
    numpy.testing.assert_array_equal(start[1], kept[1])


@pytest.mark.parametrize("name", train.METHODS)
def test_a_negative_rate_goes_up_the_mirrored_hill_by_the_same_steps(name: str) -> None:
    rule = METHODS[name].rule
    assert rule is not None
    down = rule([1.0, -2.0], [0.3, -0.7], METHODS[name].begin(2), RATE, 1)[0]
    up = rule([1.0, -2.0], [-0.3, 0.7], METHODS[name].begin(2), -RATE, 1)[0]
    assert up == down != [1.0, -2.0]


def test_the_commands_offer_the_methods_there_are() -> None:
    assert list(METHODS) == list(optimize.METHODS)
    assert set(train.METHODS) == {name for name, method in METHODS.items() if method.rule and method.needs == "gradients"}
