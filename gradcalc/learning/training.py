"""Training: a method's steps on batches of rows, epoch after epoch; the state is whole at every moment, and can be saved."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.gates import REGISTRY
from gradcalc.gates.record import Shape
from gradcalc.graph import Graph
from gradcalc.learning.climb import Stop, Trend, same
from gradcalc.learning.methods import Memory, Method
from gradcalc.learning.problem import Bound, Problem
from gradcalc.learning.rows import Split, order
from gradcalc.learning.surroundings import far_worse, stable_rate

Prepared = tuple[Graph, "list[Shape] | None"]

GROWTH = 100.0
"""A loss that has grown by this factor before it became infinite grew because the rate is too large."""

RECENT = 20
"""How many losses are remembered for that."""


class State(NamedTuple):
    """Everything that a run needs to go on.

    Attributes:
        epoch: how many epochs are complete.
        batch: how many batches of the next one are done.
        steps: how many steps were made in all.
        values: the parameters.
        memory: what the method remembers.
        total: the sum over the rows of this epoch so far of their batches' losses.
        rows: how many rows that are.
    """

    epoch: int
    batch: int
    steps: int
    values: list[Any]
    memory: Memory
    total: float = 0.0
    rows: int = 0


class Epoch(NamedTuple):
    """One epoch, when it is over: the mean of its batches' losses before their steps, and what the held-out rows say."""

    number: int
    loss: float
    held_out: float | None
    metrics: tuple[float, ...]


class Settings(NamedTuple):
    """How to train; a batch of 0 is all rows."""

    rate: float
    epochs: int
    batch: int
    shuffle: bool
    seed: int


class Batches:
    """A formula on batches of rows: its mean over the rows where it is an array, compiled once for every size of batch."""

    def __init__(
        self,
        prepare: Callable[[Sequence[Any]], Prepared],
        inputs: Sequence[Any],
        columns: Mapping[int, Any],
        chosen: Sequence[int],
        bounds: Sequence[Bound | None] = (),
    ) -> None:
        """Nothing is compiled yet.

        Args:
            prepare: the graph without makers, and the shapes of its nodes, for inputs by number.
            inputs: the values of the inputs, by number; those of the columns are replaced.
            columns: by the number of an input the array whose first axis counts rows.
            chosen: which inputs are parameters, by number.
            bounds: for each parameter its bound, or None.
        """
        self._prepare = prepare
        self._inputs = list(inputs)
        self.columns = columns
        self.chosen = tuple(chosen)
        self.bounds = list(bounds) if any(bounds) else []
        self._problems: dict[int, Problem] = {}

    @property
    def start(self) -> list[Any]:
        """The parameters as they were given."""
        return [self._inputs[number] for number in self.chosen]

    def over(self, rows: Any, size: int) -> Iterator[tuple[Problem, int]]:
        """The problems that batches of so many of these rows pose, one after the other, each with the number of its rows.

        A problem holds its rows until the next one is asked for.
        """
        import numpy

        whole = bool(numpy.array_equal(rows, numpy.arange(len(rows))))
        columns = {number: column[: len(rows)] if whole else column[rows] for number, column in self.columns.items()}
        for first in range(0, len(rows), size):
            count = min(size, len(rows) - first)
            yield self._posed({number: column[first : first + count] for number, column in columns.items()}, count), count

    def at(self, rows: Any) -> Problem:
        """The problem that these rows pose together."""
        return next(self.over(rows, len(rows)))[0]

    def _posed(self, columns: Mapping[int, Any], count: int) -> Problem:
        problem = self._problems.get(count)
        if problem is None:
            point = list(self._inputs)
            for number, column in columns.items():
                point[number] = column
            graph, shapes = mean_of(*self._prepare(point))
            problem = self._problems[count] = Problem(graph, shapes, point, self.chosen, False, self.bounds)
        else:
            for number, column in columns.items():
                problem.inputs[number] = column
        return problem


def mean_of(graph: Graph, shapes: list[Shape] | None) -> Prepared:
    """A graph whose last node is a number: the mean of what it was, if that is an array."""
    if shapes is None or not shapes[-1]:
        return graph, shapes
    gate = REGISTRY.find("mean", 1)
    assert gate is not None
    graph = graph.with_constants({})
    graph.add(gate, [len(graph) - 1], (("axis", None), ("keepdims", False)))
    return graph, [*shapes, ()]


class Metric(NamedTuple):
    """A formula that is told beside the loss.

    Attributes:
        name: what it is called.
        batches: the formula.
        places: which of the parameters are its own.
    """

    name: str
    batches: Batches
    places: Sequence[int]

    def value(self, values: list[Any], rows: Any) -> float:
        """The metric over these rows, its mean if it has one value for each."""
        return self.batches.at(rows).value([values[place] for place in self.places])


class Training:
    """A run. `state` is replaced as a whole after every step, so that it may be saved whenever the run is interrupted.

    Attributes:
        state: where the run is.
        before: where it was before the last step.
        history: every epoch of this run, and those of the one that it goes on from.
        stop: why it ended early, if it did.
    """

    def __init__(
        self,
        loss: Batches,
        metrics: Sequence[Metric],
        rows: Split,
        method: Method,
        settings: Settings,
        start: State,
        history: Sequence[Epoch] = (),
    ) -> None:
        self.loss = loss
        self.metrics = metrics
        self.rows = rows
        self.method = method
        self.settings = settings
        self.state = start
        self.before = start
        self.history = list(history)
        self.good = start
        """Where the epoch with the least loss began."""
        self._begun = start
        self._least = math.inf
        self.stop: Stop | None = None
        self.culprit: Problem | None = None
        """Of a failure the rows at which it showed."""
        self.failed_at = start
        """And the state in which they were met."""
        self._size = settings.batch or len(rows.training)
        self._trend = Trend()
        self._recent: deque[float] = deque(maxlen=RECENT)

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(len(self.rows.training) / self._size)

    @property
    def moved(self) -> bool:
        """Whether the last step changed any parameter; at a minimum it changes none."""
        return not same(self.state.values, self.before.values)

    def measured(self, values: list[Any], rows: Any) -> float:
        """The loss over rows, in batches as large as those of the training, weighted by their rows."""
        total = 0.0
        for problem, count in self.loss.over(rows, self._size):
            total += problem.value(values) * count
        return total / len(rows)

    def judged(self, values: list[Any]) -> tuple[float | None, tuple[float, ...]]:
        """The loss of the held-out rows, and every metric on them; without any, the metrics are those of the training rows."""
        held = self.rows.held_out
        rows = held if len(held) else self.rows.training
        loss = self.measured(values, held) if len(held) else None
        return loss, tuple(metric.value(values, rows) for metric in self.metrics)

    def run(self, watch: Callable[[float, float], None] | None = None) -> Iterator[Epoch]:
        """Train; yields every epoch when it is over, and ends early where the loss is not finite or gets worse and worse.

        Args:
            watch: is told after every step how many epochs are done, with the part of the present one, and the loss of the batch.
        """
        self._begun = self.good = self.state
        while self.state.epoch < self.settings.epochs and self.stop is None:
            epoch = self._epoch(watch)
            if epoch is None:
                return
            self.history.append(epoch)
            yield epoch

    def _epoch(self, watch: Callable[[float, float], None] | None) -> Epoch | None:
        """The rest of the present epoch; None if it does not come to its end."""
        began = self.state
        settings, rule, size, batches = self.settings, self.method.rule, self._size, self.batches
        assert rule is not None
        rate, recent = settings.rate, self._recent
        rows = order(self.rows.training, settings.seed, self.state.epoch, settings.shuffle)[self.state.batch * size :]
        for problem, count in self.loss.over(rows, size):
            epoch, number, steps, values, memory, total, seen = self.state
            loss, slopes = problem.slopes(values)
            if loss - loss != 0.0:
                self._fail(problem)
                return None
            moved, memory = rule(values, slopes, memory, rate, steps + 1)
            if problem.bounds:
                moved = problem.projected(moved)
            self.before = self.state
            self.state = State(epoch, number + 1, steps + 1, moved, memory, total + loss * count, seen + count)
            recent.append(loss)
            if watch is not None:
                watch(epoch + (number + 1) / batches, loss)
        return self._finished(began)

    def _finished(self, began: State) -> Epoch | None:
        """The end of an epoch: what it came to."""
        state = self.state
        loss = state.total / state.rows
        held_out, metrics = self.judged(state.values)
        self.state = State(state.epoch + 1, 0, state.steps, state.values, state.memory)
        epoch = Epoch(self.state.epoch, loss, held_out, metrics)
        if loss < self._least:
            self._least, self.good = loss, began  # what is told of an epoch is the loss before its steps
        if self._trend.add(loss):
            self.stop = Stop("diverging", "every epoch made it worse than the one before", state.values)
            self.state = self.good
        return epoch

    def stable_rate(self) -> tuple[float | None, State]:
        """Below which rate the steps shrink, as far as that is known, and in which state.

        That is where the loss was least or, if the steps shrink there, where this run began.
        """
        problem = self.loss.at(self.rows.training)
        found = stable_rate(problem, self.good.values, self.method)
        if found is not None and found > self.settings.rate and self._begun is not self.good:
            return stable_rate(problem, self._begun.values, self.method), self._begun
        return found, self.good

    def finish(self, first: float) -> float:
        """The loss over the rows that were learned from, at the end; the step before is the end if that is not finite.

        Where it is far worse than `first`, the loss in the beginning, that is a failure, and the end the best epoch.
        """
        rows = self.rows.training
        loss = self.measured(self.state.values, rows)
        if not math.isfinite(loss) and self.stop is None:
            for problem, _ in self.loss.over(rows, self._size):
                if not math.isfinite(problem.value(self.state.values)):
                    self._fail(problem)
                    break
            loss = self.measured(self.state.values, rows)
        if self.stop is None and far_worse(first, min(first, self._least), loss, self.settings.rate, lambda: self.stable_rate()[0]):
            self.stop = Stop("diverging", "the end is far worse than the start", self.state.values)
            self.state = self.good
            loss = self.measured(self.state.values, rows)
        return loss

    def _fail(self, problem: Problem) -> None:
        """The loss of a batch is not finite: the step before was the last good one."""
        recent = [value for value in self._recent if value == value]
        grew = len(recent) > 1 and abs(recent[-1]) > GROWTH * abs(min(recent, key=abs))
        kind, words = ("diverging", "the loss grew without end") if grew else ("not finite", "the loss is not finite")
        self.stop = Stop(kind, words, self.state.values)
        self.culprit = problem
        self.failed_at = self.state
        self.state = self.good if grew else self.before
