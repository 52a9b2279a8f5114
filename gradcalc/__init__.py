"""gradcalc: a calculator for computational graphs, with gradients that are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcalc.errors import GradcalcError
    from gradcalc.programs import Calculation, Compiled, compile, parse  # noqa: A004
    from gradcalc.workspace import NodeReport, Result

__version__ = "0.1.0"
__all__ = ["Calculation", "Compiled", "GradcalcError", "NodeReport", "Result", "__version__", "compile", "parse"]

_HOMES = {
    "Calculation": "gradcalc.programs",
    "Compiled": "gradcalc.programs",
    "GradcalcError": "gradcalc.errors",
    "NodeReport": "gradcalc.workspace",
    "Result": "gradcalc.workspace",
    "compile": "gradcalc.programs",
    "parse": "gradcalc.programs",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line does not pay for what it does not need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gradcalc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
