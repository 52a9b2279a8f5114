"""Random points: inside the domain, inside the ranges, of every size, and repeatable."""

from __future__ import annotations

import math

import numpy
import pytest

from gradcalc.checking.points import Drawer, Source, special_points
from tests.checking.test_functions import function


def draw(text: str, count: int = 100, seed: int = 0, **sources: Source) -> list[dict[str, float]]:
    made = function(text, **{name: source.given for name, source in sources.items() if source.given is not None})
    return list(Drawer(made, {name: sources.get(name, Source()) for name in made.inputs}, seed).points(count))


@pytest.mark.parametrize(
    "text",
    [
        "log(x)",
        "sqrt(x)*sqrt(y)*sqrt(z)*sqrt(u)*sqrt(v)*sqrt(w)",
        "asin(x) + acosh(y)",
        "x^y",
        "log(x - y)",
        "atanh(x*y)",
        "sqrt(x - 3) + sqrt(5 - x)",
        " + ".join(f"log(x{number})" for number in range(12)),
    ],
)
def test_points_are_inside_the_domain(text: str) -> None:
    points = draw(text)
    made = function(text)
    assert len(points) > 80
    assert all(math.isfinite(made.read(point).value) for point in points)


def test_ranges_hold() -> None:
    points = draw("x*y", x=Source(None, 2.0, 3.0), y=Source(None, -1e-3, 1e6))
    assert all(2.0 <= point["x"] <= 3.0 and -1e-3 <= point["y"] <= 1e6 for point in points)
    assert min(point["x"] for point in points) < 2.1
    assert max(point["x"] for point in points) > 2.9


def test_numbers_are_of_every_size_and_sign() -> None:
    points = [point["x"] for point in draw("x")]
    assert sum(x < 0 for x in points) > 20
    assert sum(x > 0 for x in points) > 20
    assert any(abs(x) < 1e-3 for x in points)
    assert any(abs(x) > 100 for x in points)
    assert sum(0.1 < abs(x) < 10 for x in points) > 30


def test_points_can_be_typed() -> None:
    assert all(len(repr(point["x"]).strip("-").replace(".", "").split("e")[0].strip("0")) <= 4 for point in draw("x"))


def test_the_same_seed_draws_the_same() -> None:
    assert draw("x*y", seed=1) == draw("x*y", seed=1) != draw("x*y", seed=2)


def test_held_inputs_keep_their_values() -> None:
    assert {point["n"] for point in draw("x^n", n=Source(3.0, held=True))} == {3.0}


def test_arrays_keep_their_shapes() -> None:
    for point in draw("sum(log(x))", 10, x=Source(numpy.ones((2, 3)))):
        assert point["x"].shape == (2, 3)  # type: ignore[attr-defined]
        assert (point["x"] > 0).all()  # type: ignore[attr-defined]


def test_a_domain_that_is_empty_is_given_up() -> None:
    made = function("log(-x^2 - 1)")
    drawer = Drawer(made, {"x": Source()})
    assert list(drawer.points(100)) == []
    assert 0 < drawer.failed < 100


def test_special_points_have_zeros_and_ones_within_the_ranges() -> None:
    everywhere = list(special_points({"x": Source(), "y": Source(2.0)}))
    assert {"x": 0.0, "y": 0.0} in everywhere
    assert {"x": 1.0, "y": 2.0} in everywhere
    assert [point["x"] for point in special_points({"x": Source(None, 0.5, 2.0)})] == [1.0]
