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
    RealType = click.ParamType[float]
    NamesType = click.ParamType[tuple[str, ...]]
    AnyType = click.ParamType[Any]
else:  # older versions of click have no type parameters
    Choice = click.Choice
    WholeType = RealType = NamesType = AnyType = click.ParamType


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


LARGEST = 2**63 - 1


class Whole(WholeType):
    """A whole number in a range."""

    name = "N"

    def __init__(self, least: int = 0, most: int = LARGEST) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
            reject(param, f"{value!r} is not a whole number")
        if int(value) < self.least and self.most == LARGEST:
            reject(param, f"{value} is less than {self.least}")
        if not self.least <= int(value) <= self.most:
            reject(param, f"{value} is not between {self.least} and {self.most}")
        return int(value)


class Real(RealType):
    """A finite number, perhaps with a least value, with one that it must exceed (`above`), or one that it must stay `below`."""

    name = "NUMBER"

    def __init__(self, least: float | None = None, above: float | None = None, below: float | None = None) -> None:
        self.least = least
        self.above = above
        self.below = below

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, float):
            return value
        if not re.fullmatch(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", value):
            reject(param, f"{value!r} is not a number")
        number = float(value)
        if self.above is not None and not number > self.above:
            reject(param, f"{value} is not above {self.above:g}")
        if self.least is not None and not number >= self.least:
            reject(param, f"{value} is less than {self.least:g}")
        if self.below is not None and not number < self.below:
            reject(param, f"{value} is not below {self.below:g}")
        if number - number != 0.0:
            reject(param, f"{value} is too large")
        return number


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


class NamedValues(AnyType):
    """Values by name, parted by commas: `x=1,y=[1, 2]`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Read them; see `click.ParamType.convert`."""
        if isinstance(value, dict):
            return value
        from gradcalc.language.values import Constant, parse_value

        found: dict[str, Any] = {}
        for part in outside_brackets(value):
            name, equals, text = part.partition("=")
            name = normalize("NFKC", name.strip())
            if not equals or not name.isidentifier() or not text.strip():
                reject(param, f"{part.strip() or '(empty)'} is not NAME=VALUE", "write names with values: x=1,y=-2")
            if name in found:
                reject(param, f"{name} is given twice", "leave one of them out")
            found[name] = parse_value(text, f"{param.opts[0] if param is not None else ''} {name}".strip())
            if not isinstance(found[name], Constant):
                reject(param, f"{text.strip()} is not a single value", f"write {name}=NUMBER")
        return found


class Correlated(AnyType):
    """A correlation of two inputs: `a,b=0.3`."""

    name = "A,B=NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read one; see `click.ParamType.convert`."""
        if not isinstance(value, str):
            return value
        from gradcalc.uncertainty.spread import parse_correlation

        return parse_correlation(value)


def outside_brackets(text: str) -> list[str]:
    """The parts of a text between commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]
