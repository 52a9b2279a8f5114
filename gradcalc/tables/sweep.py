"""A sweep: pieces of a table are read, calculated, written; in order, on several threads, in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy

from gradcalc.errors import DataProblem, GradcalcError
from gradcalc.tables.calculation import Calculation, Part
from gradcalc.tables.layout import Column, Result
from gradcalc.tables.pieces import TOLD, Block, Flaw, Numbers, Piece, Source
from gradcalc.tables.writers import Writer

MOST_ROWS, LEAST_ROWS = 1 << 17, 1 << 10
"""The bounds of a batch: many enough that NumPy's calls cost nothing, few enough to stay small, and to be stopped soon."""

WORK = 1 << 24
"""A batch has about so many gates times rows."""

AHEAD = 2
"""So many batches more than threads are under way, so that nobody waits for the reader or the writer."""


class Sample(NamedTuple):
    """A row that was drawn at random.

    Attributes:
        lot: its random number; the smallest ones are taken.
        place: where it is.
        inputs: its numbers by name.
        results: what was calculated.
    """

    lot: float
    place: str
    inputs: Mapping[str, float]
    results: Mapping[Result, float]


class Done(NamedTuple):
    """A batch that is ready to be written.

    Attributes:
        encoded: as the writer wants it; None if no row is left.
        rows: how many rows there were.
        bad: how many of them lacked a number.
        flaws: what is wrong with the first of these.
        odd: for each computed column in how many good rows it is not finite, and where first.
        done: how much of the source this batch completes.
        samples: rows drawn at random.
    """

    encoded: Any
    rows: int
    bad: int
    flaws: tuple[Flaw, ...]
    odd: tuple[tuple[int, str], ...]
    done: int
    samples: tuple[Sample, ...]


@dataclass
class Told:
    """What a sweep came to.

    Attributes:
        rows: how many rows there were.
        bad: how many of them lacked a number.
        flaws: what is wrong with the first of these.
        odd: by the title of a computed column in how many rows it is not finite, and where first.
        samples: rows drawn at random.
    """

    rows: int = 0
    bad: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    odd: dict[str, tuple[int, str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    def add(self, done: Done, titles: Sequence[str], drawn: int) -> None:
        """Take in a batch, and keep so many of the rows drawn."""
        self.samples = sorted([*self.samples, *done.samples], key=lambda sample: sample.lot)[:drawn]
        self.rows += done.rows
        self.bad += done.bad
        self.flaws += done.flaws[: TOLD - len(self.flaws)]
        for title, (count, place) in zip(titles, done.odd):
            if count:
                before = self.odd.get(title, (0, place))
                self.odd[title] = before[0] + count, before[1]


class Sweep:
    """A calculation over the rows of a source."""

    def __init__(
        self,
        source: Source,
        parts: Sequence[Part],
        results: Sequence[Result],
        columns: Sequence[Column],
        writer: Writer,
        bad_rows: str = "error",
        drawn: int = 0,
        seed: int = 0,
    ) -> None:
        """Prepare a sweep.

        Args:
            source: the rows, its columns chosen.
            parts: the outputs of the program, each with what it is to be differentiated by, and nothing else.
            results: what the calculation of the parts has, in order.
            columns: of the results.
            writer: takes the results.
            bad_rows: what happens to rows that lack a number: `error`, `skip`, or `keep`.
            drawn: how many rows are drawn at random.
            seed: of these draws.
        """
        self.source = source
        self.parts = list(parts)
        self.columns = list(columns)
        self.writer = writer
        self.bad_rows = bad_rows
        self.computed = [column for column in columns if column.result is not None]
        self.drawn = drawn
        self.seed = seed
        self._places = {result: place for place, result in enumerate(results)}
        self.told = Told()

    def run(self, finished: Iterator[Done], progress: Callable[[int, int], None]) -> Told:
        """Write what comes in; `progress` is told how many rows are written, and how much of the source that is."""
        titles = [column.title for column in self.computed]
        for done in finished:
            self.told.add(done, titles, self.drawn)
            if done.encoded is not None:
                self.writer.write(done.encoded)
            progress(self.told.rows, done.done)
        if not self.told.rows:
            raise DataProblem(f"{self.source.file} holds no rows", remedy="give it at least one row of numbers below the names")
        if self.told.bad == self.told.rows:
            raise DataProblem(
                f"no row of {self.source.file} has all numbers: {self.told.flaws[0].place}: {self.told.flaws[0].words}"
            )
        self.writer.finish()
        return self.told

    def read(self, block: Block) -> Piece:
        """The rows of a block.

        Raises:
            DataProblem: a row lacks a number, or has one that is no size where one is needed, and that is to be an error.
        """
        piece = self._sized(block.source.read(block))
        if self.bad_rows == "error" and piece.flaws:
            flaw = piece.flaws[0]
            remedy = f"{flaw.remedy}\nor write --bad-rows skip, to leave out such rows, or --bad-rows keep, to give them nan"
            raise DataProblem(f"{flaw.place}: {flaw.words}", remedy=remedy)
        return piece

    def _sized(self, piece: Piece) -> Piece:
        """The rows, those marked as bad whose sizes fit no output."""
        for part in self.parts:
            if part.sizes:
                rows = numpy.arange(piece.rows) if piece.bad is None else numpy.flatnonzero(~piece.bad)
                sizes = numpy.stack([piece.numbers[name][rows] for name in part.sizes], axis=1)
                different, which = numpy.unique(sizes, axis=0, return_inverse=True)
                words = [_size_flaw(part, one) for one in different.tolist()]
                if any(words):
                    told = numpy.array(words, dtype=object)[which.ravel()]
                    piece = _marked(piece, rows[told != ""], told[told != ""])
        return piece

    def finish(self, piece: Piece, good: Piece, results: Sequence[Numbers], done: int) -> Done:
        """A batch for the writer.

        Args:
            piece: its rows.
            good: those of them that lack no number.
            results: what was calculated of these.
            done: see `Block.done`.
        """
        computed = [results[self._places[column.result]] for column in self.computed if column.result is not None]
        odd = tuple(_odd(column, good.place) for column in computed)
        shown = good
        if self.bad_rows == "keep" and good is not piece:
            shown = piece
            computed = [_spread(column, piece) for column in computed]
        encoded = None
        if shown.rows:
            found = iter(computed)
            encoded = self.writer.encode([next(found) if c.result is not None else _passed(c, shown) for c in self.columns])
        return Done(encoded, piece.rows, piece.bad_rows, piece.flaws, odd, done, self._samples(good, results, done))

    def _samples(self, piece: Piece, results: Sequence[Numbers], stream: int) -> tuple[Sample, ...]:
        """Rows with their lots; of all rows those with the smallest lots are a fair sample, however many there will be."""
        if not self.drawn:
            return ()
        lots = numpy.random.default_rng((self.seed, stream)).random(piece.rows)
        samples = []
        for row in numpy.argsort(lots)[: self.drawn].tolist():
            inputs = {name: float(column[row]) for name, column in piece.numbers.items()}
            found = {result: float(results[place][row]) for result, place in self._places.items()}
            samples.append(Sample(float(lots[row]), piece.place(row), inputs, found))
        return tuple(samples)


def _size_flaw(part: Part, sizes: Sequence[float]) -> str:
    """What is wrong with the sizes of a row; nothing if they fit."""
    given = dict(zip(part.sizes, sizes))
    assert part.at is not None
    try:
        part.at(given)
    except GradcalcError as problem:
        return f"{', '.join(f'{name} = {size:.17g}' for name, size in given.items())}: {problem.message}"
    return ""


def _marked(piece: Piece, rows: Numbers, words: Sequence[str]) -> Piece:
    """A piece of which these rows are bad, too, for these reasons."""
    bad = numpy.zeros(piece.rows, dtype=bool) if piece.bad is None else piece.bad.copy()
    bad[rows] = True
    remedy = "give it a size that fits, or leave out this row"
    flaws = [Flaw(piece.place(row), text, remedy) for row, text in zip(rows[:TOLD].tolist(), words)]
    return replace(piece, bad=bad, flaws=(*piece.flaws, *flaws)[:TOLD])


def _passed(column: Column, piece: Piece) -> Any:
    return piece.numbers[column.number] if column.number is not None else piece.kept[column.kept or ""]


def _odd(column: Numbers, place: Callable[[int], str]) -> tuple[int, str]:
    """In how many rows a column is not finite, and where first."""
    with numpy.errstate(all="ignore"):
        if numpy.isfinite(numpy.add.reduce(column)):
            return 0, ""
    lost = numpy.flatnonzero(~numpy.isfinite(column))
    return (len(lost), place(int(lost[0]))) if len(lost) else (0, "")


def _spread(column: Numbers, piece: Piece) -> Numbers:
    """Results of the good rows among the others, which have none."""
    spread = numpy.full(piece.rows, numpy.nan)
    spread[~piece.bad] = column
    return spread


def batch_rows(calculation: Calculation) -> int:
    """How many rows a batch has, unless the user says it: the same wherever they are calculated."""
    if calculation.slow:
        return LEAST_ROWS
    return min(MOST_ROWS, max(LEAST_ROWS, 1 << (WORK // max(1, calculation.gates)).bit_length() - 1))


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def on_threads(sweep: Sweep, calculation: Calculation, batch: int, jobs: int) -> Iterator[Done]:
    """The batches of a sweep, calculated here, in order."""

    def work(block: Block) -> Done:
        piece = sweep.read(block)
        good = piece.good()
        return sweep.finish(piece, good, calculation(good.numbers, good.rows), block.done)

    with closing(sweep.source.blocks(batch)) as blocks:  # type: ignore[type-var]
        if jobs == 1:
            yield from map(work, blocks)
            return
        pool = ThreadPoolExecutor(jobs, "gradcalc sweep")
        waiting: deque[Future[Done]] = deque()
        try:
            for block in blocks:
                waiting.append(pool.submit(work, block))
                if len(waiting) >= jobs + AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
