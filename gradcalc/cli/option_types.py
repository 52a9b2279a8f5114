"""Kinds of option values, with errors in our own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from unicodedata import normalize

import click

from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    Choice = click.Choice[str]
    WholeType = click.ParamType[int]
    NamesType = click.ParamType[tuple[str, ...]]
else:  # older versions of click have no type parameters
    Choice = click.Choice
    WholeType = NamesType = click.ParamType


def reject(parameter: click.Parameter | None, message: str, remedy: str = "") -> NoReturn:
    """Refuse the value of an option."""
    raise UsageProblem(f"{parameter.opts[0]}: {message}" if parameter is not None else message, remedy=remedy)


class OneOf(Choice):
    """One of a few words."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read one; see `click.ParamType.convert`."""
        if value in self.choices:
            return str(value)
        from gradcalc.language.nearest import nearest

        near = nearest(value, self.choices)
        remedy = f"did you mean {near}?" if near else f"write one of {', '.join(self.choices)}"
        reject(param, f"there is no {value}" if value else "the value is empty", remedy)


class Whole(WholeType):
    """A whole number in a range."""

    name = "N"

    def __init__(self, least: int = 0, most: int = 2**63 - 1) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
            reject(param, f"{value!r} is not a whole number")
        if not self.least <= int(value) <= self.most:
            reject(param, f"{value} is not between {self.least} and {self.most}")
        return int(value)


class Names(NamesType):
    """Names of nodes or gates, parted by commas."""

    name = "NAMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, tuple):
            return value
        names = tuple(normalize("NFKC", name.strip()) for name in value.split(","))
        if not all(names):
            reject(param, f"a name is missing in {value!r}", "write names parted by commas: x,y")
        return names


UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


class Size(WholeType):
    """A size in bytes, with a unit: `4GiB`, `500MB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?", value.lower())
        if match is None or match[2] not in UNITS:
            reject(param, f"{value!r} is not a size", "write bytes, or a number with a unit: 4GiB, 500MB")
        return int(float(match[1]) * UNITS[match[2]])
