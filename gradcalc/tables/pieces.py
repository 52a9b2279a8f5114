"""What passes through a sweep: some rows of a table at a time, as they are read, and what is wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy

Numbers = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

TOLD = 5
"""How many bad rows of a piece are kept with their words."""


class Flaw(NamedTuple):
    """What is wrong with a row.

    Attributes:
        place: the file and the line or row.
        words: a sentence about it.
        remedy: what to do.
    """

    place: str
    words: str
    remedy: str


@dataclass(frozen=True)
class Piece:
    """Some rows of a table.

    Attributes:
        rows: how many there are.
        numbers: columns of numbers by name; nan where a row has none.
        kept: other columns, to be passed on as they are: lists of texts, arrays of NumPy or of Arrow.
        place: how the user is told where a row is, by its number in the piece.
        bad: which rows lack a number; None where none does.
        flaws: what is wrong with the first of them.
    """

    rows: int
    numbers: Mapping[str, Numbers]
    kept: Mapping[str, Any]
    place: Callable[[int], str]
    bad: Any = None
    flaws: tuple[Flaw, ...] = ()

    @property
    def bad_rows(self) -> int:
        """How many rows lack a number."""
        return 0 if self.bad is None else int(numpy.count_nonzero(self.bad))

    def good(self) -> Piece:
        """The rows that lack nothing."""
        if self.bad is None:
            return self
        places = numpy.flatnonzero(~self.bad)
        place = self.place
        return replace(
            self,
            rows=len(places),
            numbers={name: column[places] for name, column in self.numbers.items()},
            kept={name: _taken(column, places) for name, column in self.kept.items()},
            place=lambda row: place(int(places[row])),
            bad=None,
        )


def _taken(column: Any, places: Any) -> Any:
    if isinstance(column, list):
        return [column[place] for place in places.tolist()]
    return column[places] if isinstance(column, numpy.ndarray) else column.take(places)


class Block(NamedTuple):
    """Some rows of a table before they are looked at.

    Attributes:
        source: what can read them.
        data: as the source has them.
        done: how much of the source has been passed on with this block, in its own measure.
    """

    source: Source
    data: Any
    done: int


class Source:
    """A table whose rows come once, from the first to the last.

    Attributes:
        file: what it is called.
        names: its columns, as inputs of a program are called.
        titles: how the file itself spells them.
        size: how much there is of it, in the measure of `Block.done`; None if nobody knows.
        rows: how many rows it has, None if nobody knows.
    """

    file: str
    names: list[str]
    titles: dict[str, str]
    size: int | None = None
    rows: int | None = None

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """Say which columns are wanted, before the first block is taken: as numbers, and as they are.

        Raises:
            DataProblem: a column cannot hold numbers.
        """
        raise NotImplementedError

    def blocks(self, rows: int) -> Iterator[Block]:
        """The rows, so many at a time.

        Raises:
            DataProblem: the file is damaged.
        """
        raise NotImplementedError

    def read(self, block: Block) -> Piece:
        """Look at the rows of a block; several threads may do so at the same time.

        Raises:
            DataProblem: they are damaged.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file."""


def missing_numbers(columns: Mapping[str, Numbers]) -> Any:
    """Which rows lack a number in some column; None if none does."""
    bad = None
    for column in columns.values():
        with numpy.errstate(all="ignore"):
            suspicious = numpy.isnan(numpy.add.reduce(column))  # one number tells of all; inf - inf is looked at, too
        if suspicious:
            found = numpy.isnan(column)
            bad = found if bad is None else bad | found
    return bad if bad is not None and bad.any() else None
