"""Kinds of option values, with errors in our own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn
from unicodedata import normalize

import click

from gradcalc.errors import UsageProblem


def reject(parameter: click.Parameter | None, message: str, remedy: str = "") -> NoReturn:
    """Refuse the value of an option."""
    raise UsageProblem(f"{parameter.opts[0]}: {message}" if parameter is not None else message, remedy=remedy)


class OneOf(click.Choice[str]):
    """One of a few words."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        from gradcalc.language.nearest import nearest

        near = nearest(value, self.choices)
        remedy = f"did you mean {near}?" if near else f"write one of {', '.join(self.choices)}"
        reject(param, f"there is no {value}", remedy)


class Whole(click.ParamType[int]):
    """A whole number in a range."""

    name = "N"

    def __init__(self, least: int = 0, most: int = 2**63 - 1) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
            reject(param, f"{value!r} is not a whole number")
        if not self.least <= int(value) <= self.most:
            reject(param, f"{value} is not between {self.least} and {self.most}")
        return int(value)


class Names(click.ParamType[tuple[str, ...]]):
    """Names of nodes or gates, parted by commas."""

    name = "NAMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(normalize("NFKC", name.strip()) for name in value.split(","))
        if not all(names):
            reject(param, f"a name is missing in {value!r}", "write names parted by commas: x,y")
        return names


UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


class Size(click.ParamType[int]):
    """A size in bytes, with a unit: `4GiB`, `500MB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?", value.lower())
        if match is None or match[2] not in UNITS:
            reject(param, f"{value!r} is not a size", "write bytes, or a number with a unit: 4GiB, 500MB")
        return int(float(match[1]) * UNITS[match[2]])
