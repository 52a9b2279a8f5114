"""Values on the command line: a constant expression, one with an uncertainty, a range, or a grid."""

from __future__ import annotations

import re
from typing import NamedTuple

from gradcalc.errors import BindingProblem, GradcalcError, Place, ProgramSyntaxError
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.parser import vanished
from gradcalc.language.program import Output, Program
from gradcalc.language.scanner import Block, Piece, scan

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_SPLIT = re.compile(r"""\.\.(?!\.)|±|\+/-|:|[()\[\]]|"[^"]*"|'[^']*'""")


class Constant(NamedTuple):
    """A constant expression, to be evaluated by whoever needs its value."""

    text: str
    number: float | None
    """Its value, where it is a plain number."""
    program: Program | None
    """Its graph, where it is not."""
    output: int = -1
    """The node of its value in that graph."""
    warnings: tuple[GradcalcError, ...] = ()


class Uncertain(NamedTuple):
    """A value with an uncertainty: `1.0±0.1`."""

    centre: Constant
    error: Constant


class Range(NamedTuple):
    """All values between two: `0..1`."""

    low: Constant
    high: Constant


class Grid(NamedTuple):
    """So many values between two, the ends included: `0..1:1000`."""

    low: Constant
    high: Constant
    points: Constant


Value = Constant | Uncertain | Range | Grid


def parse_value(text: str, what: str = "the value") -> Value:
    """Read a value.

    Args:
        text: as it stands on the command line.
        what: what it is a value of, for messages: `--a`.

    Raises:
        GradcalcError: if it is none of the kinds of values.
    """
    if _NUMBER.fullmatch(text):
        number = float(text)
        if _is_plain(number, text):
            return Constant(text.strip(), number, None)
    block = Block(text, 1, None, True, len(text.splitlines()) - 1)
    marks = _marks(text)
    kinds = [mark for mark, _, _ in marks]
    if not text.strip():
        raise BindingProblem(f"{what} has an empty value", remedy="give it a number, such as 1 or 2/3")
    if not marks:
        return _constant(block, 0, len(text), what)
    cuts = [0, *(position for _, start, end in marks for position in (start, end)), len(text)]
    parts = list(zip(cuts[::2], cuts[1::2]))
    if kinds in (["±"], ["+/-"]):
        return Uncertain(*(_constant(block, *part, what) for part in parts))
    if kinds == [".."]:
        return Range(*(_constant(block, *part, what) for part in parts))
    if kinds == ["..", ":"]:
        return Grid(*(_constant(block, *part, what) for part in parts))
    odd = marks[0] if kinds[0] == ":" else marks[1]
    raise BindingProblem(
        f"{what} is not a value",
        place=block.place(odd[1], odd[2]),
        remedy="write a number, 1.0±0.1 (or 1.0+/-0.1), a range 0..1, or a grid 0..1:1000",
    )


def _is_plain(number: float, text: str) -> bool:
    """Whether a number needs no warning, which the parser would give."""
    return number - number == 0.0 and (number != 0.0 or not vanished(text))


def _marks(text: str) -> list[tuple[str, int, int]]:
    """Where the signs of ranges and uncertainties stand, outside brackets and strings."""
    marks: list[tuple[str, int, int]] = []
    depth = 0
    for match in _SPLIT.finditer(text):
        sign = match[0]
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif depth == 0 and sign in ("..", "±", "+/-", ":"):
            marks.append((sign, *match.span()))
    return marks


def _constant(block: Block, start: int, end: int, what: str) -> Constant:
    """A part of a value: an expression without inputs."""
    part = block.text[start:end]
    if _NUMBER.fullmatch(part) and _is_plain(float(part), part):
        return Constant(part.strip(), float(part), None)
    pieces = list(scan(part))
    if len(pieces) != 1:
        raise BindingProblem(
            f"{what} {'has an empty part' if not pieces else 'is more than one expression'}",
            place=block.place(start, max(end, start + 1)),
            remedy="write one constant expression, such as 1/3",
        )
    piece = pieces[0]
    if piece.error is not None:
        raise _about(what, block, start, piece.error)
    program = Program()
    statement = program.take(Piece(block, start + piece.start, start + piece.end))
    if isinstance(statement, GradcalcError):
        raise _about(what, block, 0, statement)
    if not isinstance(statement, Output):
        raise BindingProblem(f"{what} is not a value", place=statement.place, remedy="write an expression, without =")
    if program.inputs:
        entry = program.inputs[0]
        raise BindingProblem(
            f"{what} must be a constant: {entry.name} has no value here",
            place=entry.place,
            remedy=f"write numbers, gates and the constants {', '.join(name for name in CONSTANTS if name.islower())}",
        )
    return Constant(part.strip(), None, program, statement.node, statement.warnings)


def _about(what: str, block: Block, shift: int, error: GradcalcError) -> GradcalcError:
    """The error of an expression, as one of a value."""
    place = error.place
    if place is not None:
        place = Place(1, place.column + shift, place.width, block.text, None, True)
    related = tuple((words, Place(1, at.column + shift, at.width, block.text, None, True)) for words, at in error.related)
    kind = type(error) if not isinstance(error, ProgramSyntaxError) else BindingProblem
    return kind(f"{what}: {error.message}", place=place, remedy=error.remedy, related=related)
