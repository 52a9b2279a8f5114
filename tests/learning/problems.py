"""Problems for the tests of searches and of training, from programs as users write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcalc.formula import Formula
from gradcalc.learning.problem import Bound, Problem
from gradcalc.workspace import Options, Workspace

ROSENBROCK = "(1 - x)^2 + 100*(y - x^2)^2"


def formula(text: str, **values: Any) -> Formula:
    """The only output of a program."""
    (found,) = Workspace(values, Options(seed=1)).formulas(text)
    assert isinstance(found, Formula), found
    return found


def problem(text: str, uphill: bool = False, bounds: Sequence[Bound | None] = (), **values: Any) -> Problem:
    """A program as a function of all its inputs."""
    found = formula(text, **values)
    point = found.point()
    graph, shapes = found.prepared(point)
    return Problem(graph, shapes, point, range(len(point)), uphill, bounds)
