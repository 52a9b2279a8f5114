"""Correlations: how they are read, which elements they join, and which are impossible."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gradcalc.errors import GradcalcError
from gradcalc.uncertainty.spread import Correlation, Element, Member, Spread, parse_correlation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b=0.3", Correlation(Member("a"), Member("b"), 0.3)),
        (" a , b = -1", Correlation(Member("a"), Member("b"), -1.0)),
        ("x[0],x[1]=.5", Correlation(Member("x", (0,)), Member("x", (1,)), 0.5)),
        ("x[0,-1],y=1e-1", Correlation(Member("x", (0, -1)), Member("y"), 0.1)),
        ("µ,θ=0", Correlation(Member("μ"), Member("θ"), 0.0)),
    ],
)
def test_reading(text: str, expected: Correlation) -> None:
    assert parse_correlation(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a", "a,b", "a=0.3", "a,b,c=0.3", "a,b=x", "a,b=nan", "a,2=0.3", "a[x],b=0.1", "a[0,b=0.1", "a,=0.3"]
)
def test_what_is_no_correlation(text: str) -> None:
    with pytest.raises(GradcalcError) as found:
        parse_correlation(text)
    assert "a,b=0.3" in found.value.remedy


X = numpy.array([[0.1, 0.2], [0.0, 0.4]])


@pytest.mark.parametrize(
    ("correlations", "words"),
    [
        (["a,b=1.5"], "between -1 and 1"),
        (["a,a=0.5"], "with itself"),
        (["x[0,0],x[0,-2]=0.5"], "with itself"),
        (["a,b=0.5", "b,a=0.5"], "given twice"),
        (["a,d=0.5"], "d has no uncertainty"),
        (["a,x=0.5"], "a has 1 element, x 4 elements"),
        (["a[0],b=0.5"], "a is a number"),
        (["x[2,0],b=0.5"], "no element x[2, 0]"),
        (["x[0],b=0.5"], "no element x[0]"),
        (["a,b=0.9", "b,c=0.9", "a,c=-0.9"], "no quantities can be correlated like this: a,b=0.9, b,c=0.9, a,c=-0.9"),
    ],
)
def test_mistakes(correlations: list[str], words: str) -> None:
    errors = {"a": 0.1, "b": 0.2, "c": 0.3, "x": X}
    with pytest.raises(GradcalcError) as found:
        Spread(errors, [parse_correlation(text) for text in correlations])
    assert words in found.value.message


def test_correlations_at_the_limit_are_possible() -> None:
    Spread({"a": 0.1, "b": 0.2, "c": 0.3}, [parse_correlation(text) for text in ("a,b=1", "b,c=1", "a,c=1")])
    Spread({"a": 0.1, "b": 0.2, "c": 0.3}, [parse_correlation(text) for text in ("a,b=-0.5", "b,c=-0.5", "a,c=-0.5")])


def test_arrays_are_joined_element_by_element() -> None:
    spread = Spread({"x": X, "y": X}, [parse_correlation("x,y=0.5")])
    assert spread.partners[Element("x", 3)] == {Element("y", 3): 0.5}
    assert len(spread.clusters()) == 4
    assert [element for element, _ in spread.elements("x")] == [Element("x", place) for place in (0, 1, 3)]


def test_clusters_are_joined_through_others() -> None:
    names: dict[str, Any] = dict.fromkeys("abcde", 0.1)
    spread = Spread(names, [parse_correlation(text) for text in ("a,b=0.1", "b,c=0.2", "d,e=0.3")])
    assert [[element.name for element in cluster] for cluster in spread.clusters()] == [["a", "b", "c"], ["d", "e"]]
    assert spread.matrix(spread.clusters()[0]).tolist() == [[1, 0.1, 0], [0.1, 1, 0.2], [0, 0.2, 1]]
