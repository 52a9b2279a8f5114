"""Reads the answers of a reader: numbers, or constant expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcalc.errors import GradcalcError, UsageProblem
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.scanner import scan
from gradcalc.language.values import Constant, parse_value
from gradcalc.repl.statements import uses_of
from gradcalc.workspace import Options, Workspace


def read_number(text: str, names: Mapping[str, float] | None = None) -> float:
    """The number that an expression is: a constant one, or one in the names of a circuit.

    Args:
        text: the expression.
        names: what may stand in it, with the values.

    Raises:
        GradcalcError: it is no single number.
    """
    if names and _uses(text) - (CONSTANTS.keys() - names.keys()):
        return _number(_evaluated(text, names))
    value = parse_value(text, "your answer")
    if not isinstance(value, Constant):
        raise UsageProblem("your answer is not a single number", remedy="write a number, such as -2 or 3/7")
    if value.number is not None:
        return value.number
    assert value.program is not None
    workspace = Workspace()
    workspace.program = value.program
    return _number(workspace.value(value.output, 0))


def _uses(text: str) -> set[str]:
    """The names that stand in an expression."""
    pieces = list(scan(text))
    return set(uses_of(pieces[0]).names) if len(pieces) == 1 and pieces[0].error is None else set()


def _evaluated(text: str, names: Mapping[str, float]) -> Any:
    """The value of an expression in the names of a circuit."""
    used = {name: value for name, value in names.items() if name in _uses(text)}
    for answer in Workspace(used, Options(check="off")).answers(text):
        if isinstance(answer, GradcalcError):
            answer.message = f"your answer: {answer.message}"
            answer.remedy = f"write a number, or an expression in {', '.join(names)}"
            raise answer
        return answer.value
    raise UsageProblem("your answer is not a single number", remedy="write a number, such as -2 or 3/7")


def _number(value: Any) -> float:
    if not isinstance(value, float):
        raise UsageProblem("your answer is an array", remedy="write one number, such as -2 or 3/7")
    return value
