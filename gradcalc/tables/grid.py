"""The product of several ranges as a table, whose rows are made when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy

from gradcalc.dialects.language import spell_number
from gradcalc.tables.pieces import Block, Numbers, Piece, Source


class Axis(NamedTuple):
    """So many values of an input, the ends included."""

    name: str
    low: float
    high: float
    number: int


def grid_columns(axes: Sequence[Axis], start: int, stop: int) -> dict[str, Numbers]:
    """The rows from `start` to `stop` of the product; the last axis varies fastest."""
    rows = numpy.arange(start, stop)
    found = {}
    for axis in reversed(axes):
        rows, steps = numpy.divmod(rows, axis.number)
        found[axis.name] = _values(axis, steps)
    return {axis.name: found[axis.name] for axis in axes}


def _values(axis: Axis, steps: Any) -> Numbers:
    """The values at these steps, the same as those of numpy.linspace."""
    width = (axis.high - axis.low) / (axis.number - 1)
    values: Numbers = steps * width + axis.low
    values[steps == axis.number - 1] = axis.high
    return values


class GridSource(Source):
    """A product of ranges."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.file = "the grid"
        self.axes = tuple(axes)
        self.names = [axis.name for axis in axes]
        self.titles = {name: name for name in self.names}
        self._kept: list[str] = []
        self.size = self.rows = prod(axis.number for axis in axes)

    def choose(self, numbers: Sequence[str], kept: Sequence[str]) -> None:
        """See `Source.choose`."""
        self._kept = list(kept)

    def blocks(self, rows: int) -> Iterator[Block]:
        """See `Source.blocks`."""
        assert self.rows is not None
        for start in range(0, self.rows, rows):
            stop = min(start + rows, self.rows)
            yield Block(self, (start, stop), stop)

    def read(self, block: Block) -> Piece:
        """See `Source.read`."""
        start, stop = block.data
        columns = grid_columns(self.axes, start, stop)

        def place(row: int) -> str:
            return ", ".join(f"{name} = {spell_number(float(column[row]))}" for name, column in columns.items())

        return Piece(stop - start, columns, {name: columns[name] for name in self._kept}, place)
