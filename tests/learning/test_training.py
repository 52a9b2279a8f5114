"""Training on batches: the numbers of a plain loop, epochs of uneven batches, what is held out, and runs that go wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.errors import UsageProblem
from gradcalc.learning.methods import METHODS
from gradcalc.learning.rows import Split, order, split
from gradcalc.learning.training import Batches, Metric, Settings, State, Training
from tests.learning.problems import formula

RNG = numpy.random.default_rng(5)
X = RNG.standard_normal(23)
Y = 3 * X - 1 + 0.1 * RNG.standard_normal(23)


def batches(text: str, over: list[str], columns: dict[str, Any], **values: float) -> Batches:
    """A program over batches of columns."""
    found = formula(text, **{name: column[:4] for name, column in columns.items()}, **values)
    numbers = {found.inputs.index(name): column for name, column in columns.items()}
    return Batches(found.prepared, found.point(), numbers, [found.inputs.index(name) for name in over])


def training(loss: Batches, settings: Settings, name: str = "gradient", held_out: int = 0, metrics: Any = ()) -> Training:
    """A run from the beginning, the last rows held out."""
    rows = Split(numpy.arange(23 - held_out), numpy.arange(23 - held_out, 23))
    method = METHODS[name]
    return Training(loss, metrics, rows, method, settings, State(0, 0, 0, loss.start, method.begin(len(loss.start))))


LINE = "(w*x + b - y)^2"
COLUMNS = {"x": X, "y": Y}


@pytest.mark.parametrize("text", [LINE, "mse(w*x + b, y)", "mean((w*x + b - y)^2)"])
@pytest.mark.parametrize("size", [23, 5, 1])
def test_epochs_come_to_the_numbers_of_a_plain_loop(text: str, size: int) -> None:
    run = training(batches(text, ["w", "b"], COLUMNS, w=0.5, b=0.0), Settings(0.05, 4, size, False, 1))
    found = [epoch.loss for epoch in run.run()]
    w, b, expected = 0.5, 0.0, []
    for _ in range(4):
        losses = []
        for first in range(0, 23, size):
            x, y = X[first : first + size], Y[first : first + size]
            error = w * x + b - y
            losses += [numpy.mean(error**2)] * len(x)
            w, b = w - 0.05 * numpy.mean(2 * error * x), b - 0.05 * numpy.mean(2 * error)
        expected.append(numpy.mean(losses))
    assert found == pytest.approx(expected, rel=1e-12)
    assert run.state.values == pytest.approx([w, b], rel=1e-12)
    assert run.state.steps == 4 * run.batches
    assert run.finish(math.inf) == pytest.approx(numpy.mean((w * X + b - Y) ** 2))


def test_held_out_rows_are_told_and_not_learned_from() -> None:
    spoiled = {"x": X, "y": numpy.concatenate([Y[:16], 1e6 * Y[16:]])}
    loss = batches(LINE, ["w", "b"], spoiled, w=0.0, b=0.0)
    off = batches("abs(w*x - y)", ["w"], spoiled, w=0.0)
    run = training(loss, Settings(0.1, 200, 16, False, 1), held_out=7, metrics=[Metric("off", off, [0])])
    last = list(run.run())[-1]
    w, b = run.state.values
    assert (w, b) == pytest.approx((3, -1), abs=0.2)
    assert last.held_out == pytest.approx(numpy.mean((w * X[16:] + b - spoiled["y"][16:]) ** 2))
    assert last.metrics == pytest.approx((numpy.mean(abs(w * X[16:] - spoiled["y"][16:])),))


@pytest.mark.parametrize("name", ["gradient", "momentum", "nesterov", "rmsprop", "adam"])
def test_a_run_that_goes_on_comes_to_the_same_numbers(name: str) -> None:
    settings = Settings(0.05, 6, 5, True, 11)
    whole = training(batches(LINE, ["w", "b"], COLUMNS, w=0.5, b=0.0), settings, name)
    history = list(whole.run())
    seen: list[State] = []
    first = training(batches(LINE, ["w", "b"], COLUMNS, w=0.5, b=0.0), settings, name)
    for _ in first.run(lambda done, loss: seen.append(first.state)):
        pass
    for state in seen:
        again = training(batches(LINE, ["w", "b"], COLUMNS, w=0.5, b=0.0), settings, name)
        again.state = state
        rest = list(again.run())
        assert again.state.values == whole.state.values
        assert rest == history[-len(rest) :]


def test_a_shuffle_is_another_order_of_the_same_rows_in_every_epoch() -> None:
    rows = numpy.arange(50)
    first, second = order(rows, 1, 0, True), order(rows, 1, 1, True)
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first != second).any()
    assert (order(rows, 1, 0, True) == first).all()
    assert (order(rows, 1, 0, False) == rows).all()


def test_a_split_has_every_row_once() -> None:
    found = split(100, 0.2, 3)
    assert len(found.held_out) == 20
    assert sorted([*found.training, *found.held_out]) == list(range(100))
    assert (split(100, 0.2, 3).held_out == found.held_out).all()
    assert (split(100, 0.2, 4).held_out != found.held_out).any()
    assert len(split(10, 0.01, 1).held_out) == 1
    assert len(split(10, 0.0, 1).held_out) == 0
    with pytest.raises(UsageProblem, match="holds out 1 of 1 row"):
        split(1, 0.5, 1)


def test_a_rate_that_is_too_large_is_named_and_the_good_state_kept() -> None:
    run = training(batches(LINE, ["w", "b"], COLUMNS, w=0.5, b=0.0), Settings(1.5, 2000, 23, False, 1))
    for _ in run.run():
        pass
    assert run.stop is not None and run.stop.kind == "diverging"
    assert run.state.epoch < 3
    assert numpy.isfinite(run.finish(math.inf))


def test_a_loss_that_is_not_finite_leaves_the_state_before() -> None:
    run = training(batches("log(w*x^2) + y", ["w"], COLUMNS, w=0.1), Settings(1.0, 10, 23, False, 1))
    assert len(list(run.run())) == 1
    assert run.stop is not None and run.stop.kind == "not finite"
    assert (run.state.values, run.state.steps) == ([0.1], 0)
    assert run.culprit is not None
    assert run.failed_at.values[0] < 0


def test_a_step_that_spoils_the_very_last_state_is_taken_back() -> None:
    run = training(batches("log(w*x^2) + y", ["w"], COLUMNS, w=0.1), Settings(1.0, 1, 23, False, 1))
    assert len(list(run.run())) == 1
    assert numpy.isfinite(run.finish(math.inf))
    assert run.stop is not None and run.stop.kind == "not finite"
    assert run.state.values == [0.1]


@pytest.mark.parametrize("epochs", [1, 3])
def test_an_end_far_worse_than_the_start_is_a_failure(epochs: int) -> None:
    run = training(batches(LINE, ["w", "b"], COLUMNS, w=0.5, b=0.0), Settings(1.5, epochs, 1, False, 1))
    first = run.measured(run.state.values, run.rows.training)
    for _ in run.run():
        pass
    assert run.finish(first) == pytest.approx(first)
    assert run.stop is not None and run.stop.kind == "diverging"
    assert run.stable_rate()[0] < 1.5  # type: ignore[operator]
