"""Pages of programs, for tests."""

from __future__ import annotations

import json
import re
from typing import Any

from gradcalc.errors import GradcalcError
from gradcalc.formula import Formula
from gradcalc.language.values import parse_value
from gradcalc.views.pictures.page import write_page
from gradcalc.workspace import Options, Workspace

EIGHT_GATES = "p = w0*x0; q = w1*x1; r = p+q; s = r+w2; t = s*(-1); u = exp(t); v = u+1; L = 1/v"
EIGHT_INPUTS = {"w0": "2", "x0": "-1", "w1": "-3", "x1": "-2", "w2": "-3"}
"""The circuit that every reader of this subject knows."""

NEURON = "sigmoid(a*x + b*y + c)"
NEURON_INPUTS = {"a": "1", "b": "2", "c": "-3", "x": "-1", "y": "3"}


def formulas(program: str, **values: str) -> list[Formula]:
    """The outputs of a program."""
    given = {name: parse_value(value, f"--{name}") for name, value in values.items()}
    found = []
    for formula in Workspace(given, Options(seed=1)).formulas(program, kinds=("range", "grid"), optional=True):
        assert not isinstance(formula, GradcalcError), formula
        found.append(formula)
    return found


def page_of(program: str, /, opened: tuple[str, ...] = (), **values: str) -> str:
    """The page of a program."""
    return write_page(formulas(program, **values), opened=opened)


def data_of(page: str) -> Any:
    """The data that a page holds."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)
