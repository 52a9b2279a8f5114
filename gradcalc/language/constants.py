"""The names that stand for numbers, unless something else is bound to them."""

from __future__ import annotations

import math

CONSTANTS: dict[str, float] = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "true": 1.0,
    "false": 0.0,
    "True": 1.0,
    "False": 0.0,
}
"""Every constant of the language with its value."""

SIGNED = frozenset({"inf", "nan"})
"""Constants whose negative is one constant too, since it is how a result prints."""
