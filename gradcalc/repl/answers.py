"""Reads the answers of a reader: numbers, or constant expressions."""

from __future__ import annotations

from gradcalc.errors import UsageProblem
from gradcalc.language.values import Constant, parse_value
from gradcalc.workspace import Workspace


def read_number(text: str) -> float:
    """The number that a constant expression is.

    Raises:
        GradcalcError: it is no single number.
    """
    value = parse_value(text, "your answer")
    if not isinstance(value, Constant):
        raise UsageProblem("your answer is not a single number", remedy="write a number, such as -2 or 3/7")
    if value.number is not None:
        return value.number
    assert value.program is not None
    workspace = Workspace()
    workspace.program = value.program
    number = workspace.value(value.output, 0)
    if not isinstance(number, float):
        raise UsageProblem("your answer is an array", remedy="write one number, such as -2 or 3/7")
    return number
