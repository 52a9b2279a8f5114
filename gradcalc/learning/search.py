"""The best values of some inputs of one formula, from one start or several: what `optimize` answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcalc.learning.climb import Outcome, Settings, State, climb
from gradcalc.learning.methods import Method
from gradcalc.learning.problem import Problem
from gradcalc.learning.starts import best, starts

DRAWN_STARTS = 1
TWEAKS = 2
"""What is drawn from a seed, each kind from a stream of its own."""


class Found(NamedTuple):
    """What a search found.

    Attributes:
        problem: what was searched.
        outcomes: for each start how it went.
        best: which of them came out best.
        slopes: the gradient at the best one's last good state by each parameter; None where it could not be taken.
    """

    problem: Problem
    outcomes: Sequence[Outcome]
    best: int
    slopes: Sequence[Any] | None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it: then the last of the outcomes is unfinished, and others may be missing."""
        return self.outcomes[-1].stop.kind == "interrupted"

    @property
    def outcome(self) -> Outcome:
        """The best one."""
        return self.outcomes[self.best]


class Search(NamedTuple):
    """A search and what it was for.

    Attributes:
        output: the formula in the language.
        names: of the inputs that were changed.
        method: how steps were made.
        rate: their size, None where the method has none.
        seed: what random numbers were drawn from.
        found: what came out.
        warnings: what deserves attention.
        seed_drawn: whether it depends on a seed that nobody has given.
    """

    output: str
    names: Sequence[str]
    method: Method
    rate: float | None
    seed: int
    found: Found
    warnings: list[str]
    seed_drawn: bool = False


def search(
    problem: Problem, method: Method, settings: Settings, count: int, seed: int, watch: Callable[[int, State], None] | None = None
) -> Found:
    """Search from so many starts; `watch` is told the number of the start, from 0, and every state."""
    outcomes = []
    for number, values in enumerate(starts(problem, count, (seed, DRAWN_STARTS))):
        own = settings._replace(seed=(seed, TWEAKS, number))
        watcher = None if watch is None else _numbered(watch, number)
        outcomes.append(climb(problem, method, own, values, watcher))
        if outcomes[-1].stop.kind == "interrupted":
            break
    arrived = any(not outcome.stop.failed for outcome in outcomes)
    ends = [math.nan if arrived and outcome.stop.failed else outcome.good.value for outcome in outcomes]
    chosen = best(ends, problem.uphill)
    return Found(problem, outcomes, chosen, _slopes_at(problem, outcomes[chosen].good))


def _numbered(watch: Callable[[int, State], None], number: int) -> Callable[[State], None]:
    return lambda state: watch(number, state)


def _slopes_at(problem: Problem, end: State) -> Sequence[Any] | None:
    if end.slopes is not None:
        return end.slopes
    return problem.slopes(end.values)[1] if end.value - end.value == 0.0 else None
