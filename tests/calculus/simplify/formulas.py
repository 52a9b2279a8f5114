"""What the tests of formulas share: derivatives of a program as texts, and the graph behind a text."""

from __future__ import annotations

from typing import Any

from gradcalc.errors import GradcalcError
from gradcalc.formula import Formula
from gradcalc.studies.derivation import Derivatives, derive
from gradcalc.views.formulas import spelled
from gradcalc.workspace import Options, Workspace


def formula(text: str, **values: Any) -> Formula:
    """The only output of a program."""
    answers = list(Workspace(values, Options()).formulas(text, optional=True))
    for answer in answers:
        if isinstance(answer, GradcalcError):
            raise answer
    (found,) = answers
    assert isinstance(found, Formula)
    return found


def derivatives(text: str, kind: str = "partial", order: int = 1, wrt: list[str] | None = None, **values: Any) -> Derivatives:
    """The derivatives of a program's output by its inputs, or by what is asked for."""
    (found,) = derive(formula(text, **values), kind, order, wrt)
    return found


def written(found: Derivatives) -> list[str]:
    """All lines of derivatives without comments: definitions first."""
    definitions = [*found.given, *((found.names[node], spelled(found, node, whole=True)) for node in found.definitions)]
    return [*(f"{name} = {text}" for name, text in definitions), *(spelled(found, entry.node) for entry in found.entries)]


def by(text: str, name: str = "x", order: int = 1, **values: Any) -> str:
    """One derivative as a text."""
    found = derivatives(text, order=order, wrt=[name], **values)
    return "; ".join(written(found))
