"""The way up or down: the worked cases, every method on the same valley, and every reason to stop."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from gradcalc.errors import UsageProblem
from gradcalc.learning.climb import Settings, State, Trend, climb
from gradcalc.learning.methods import METHODS
from gradcalc.learning.problem import Bound
from gradcalc.learning.search import search
from gradcalc.learning.starts import starts
from tests.learning.problems import ROSENBROCK, problem

NEURON = {"a": 1.0, "b": 2.0, "c": -3.0, "x": -1.0, "y": 3.0}
CASES: dict[str, tuple[str, dict[str, float], float, float]] = {
    "neuron": ("sigmoid(a*x + b*y + c)", NEURON, 0.8807970779778823, 0.8825501816218984),
    "product": ("x*y", {"x": -2.0, "y": 3.0}, -6.0, -5.8706),
    "chain": ("q = x + y; q*z", {"x": -2.0, "y": 5.0, "z": -4.0}, -12.0, -11.5924),
}
"""CASES §1: one step of 0.01 uphill."""


@pytest.mark.parametrize("case", CASES)
def test_one_step_uphill_comes_to_the_worked_value(case: str) -> None:
    text, values, before, after = CASES[case]
    outcome = climb(problem(text, True, **values), METHODS["gradient"], Settings(0.01, 1))
    assert outcome.start.value == pytest.approx(before, rel=1e-12, abs=0)
    assert outcome.end.value == pytest.approx(after, rel=1e-12, abs=0)
    assert (outcome.end.step, outcome.stop.kind) == (1, "steps")


@pytest.mark.parametrize("case", CASES)
def test_the_numerical_gradient_leads_the_same_way(case: str) -> None:
    text, values, _, after = CASES[case]
    outcome = climb(problem(text, True, **values), METHODS["numerical"], Settings(0.01, 1))
    assert outcome.end.value == pytest.approx(after, rel=1e-9, abs=0)


@pytest.mark.parametrize("case", CASES)
def test_random_local_search_keeps_what_is_better(case: str) -> None:
    text, values, before, after = CASES[case]
    seen: list[State] = []
    climb(problem(text, True, **values), METHODS["random"], Settings(0.01, 200, seed=(7,)), watch=seen.append)
    found = [state.value for state in seen]
    assert found == sorted(found)
    assert found[-1] > after > before
    first, last = seen[0].values, seen[1].values
    assert max(abs(a - b) for a, b in zip(first, last)) <= 0.01


RATES = {"numerical": 1e-3, "gradient": 1e-3, "momentum": 1e-3, "nesterov": 1e-3, "rmsprop": 1e-3, "adam": 1e-2}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_bottom_of_a_valley(name: str) -> None:
    outcome = climb(problem(ROSENBROCK, x=0.5, y=0.5), METHODS[name], Settings(RATES.get(name), 20_000))
    assert not outcome.stop.failed
    near = 1e-6 if outcome.stop.kind == "tolerance" else 0.1
    assert outcome.end.values == pytest.approx([1.0, 1.0], abs=near)
    if name in ("newton", "lbfgs", "momentum", "nesterov"):
        assert outcome.stop.kind == "tolerance"


@pytest.mark.parametrize("name", METHODS)
def test_every_method_stays_within_bounds(name: str) -> None:
    bounds = [Bound(0.0, 1.0), Bound(-0.5, 2.0)]
    given = problem("(x - 3)^2 + sum((w + 1)^2)", bounds=bounds, x=0.5, w=numpy.array([0.5, 0.0]))
    seen: list[State] = []
    outcome = climb(given, METHODS[name], Settings(0.1 if name != "lbfgs" else None, 2000), watch=seen.append)
    for state in seen:
        assert 0 <= state.values[0] <= 1
        assert (state.values[1] >= -0.5).all() and (state.values[1] <= 2).all()
    assert outcome.end.values[0] == pytest.approx(1.0, abs=1e-2)
    assert outcome.end.values[1].tolist() == pytest.approx([-0.5, -0.5], abs=1e-2)
    if name != "random":
        assert outcome.stop.kind == "tolerance"
        assert outcome.end.norm <= 1e-8


def test_newton_needs_one_step_in_a_bowl_and_leaves_a_saddle() -> None:
    bowl = climb(problem("x^2 + x*y + 3*y^2 - x", x=5.0, y=-7.0), METHODS["newton"], Settings(None, 10))
    assert bowl.end.step == 1
    saddle = climb(problem("x^2 - y^2 + y^4", x=1.0, y=0.01), METHODS["newton"], Settings(None, 50))
    assert saddle.end.value == pytest.approx(-0.25)
    assert abs(saddle.end.values[1]) == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("text", ["sqrt(x)^2", "exp(x)", "log(1 + exp(x))"])
def test_newton_goes_on_where_there_is_no_curvature(text: str) -> None:
    outcome = climb(problem(text, x=1.0), METHODS["newton"], Settings(None, 20))
    assert outcome.end.value < 0.1
    assert not outcome.stop.failed


def test_newton_moves_an_input_whose_slope_is_zero_so_far() -> None:
    outcome = climb(problem("(x - 1)^2 + (y - x)^2", x=0.0, y=0.0), METHODS["newton"], Settings(None, 10))
    assert (outcome.end.step, outcome.stop.kind) == (1, "tolerance")
    assert outcome.end.values == pytest.approx([1.0, 1.0])


def test_newton_climbs_too() -> None:
    top = climb(problem("-(x - 2)^4 - (x - 2)^2", True, x=-3.0), METHODS["newton"], Settings(None, 100))
    assert top.end.values == pytest.approx([2.0])


def test_newton_refuses_what_is_too_large_for_it() -> None:
    with pytest.raises(UsageProblem, match="at most 2,000"):
        climb(problem("sum(w^2)", w=numpy.ones(2001)), METHODS["newton"], Settings())


def test_it_stops_where_the_gradient_is_short_enough() -> None:
    outcome = climb(problem("(x - 3)^2", x=0.0), METHODS["gradient"], Settings(0.1, 1000, 1e-3))
    assert outcome.stop.kind == "tolerance"
    assert outcome.end.norm <= 1e-3 < 2 * abs(0.8 ** (outcome.end.step - 1) * 3)


def test_it_stops_where_steps_change_nothing() -> None:
    outcome = climb(problem("x*1e-30", x=1.0), METHODS["gradient"], Settings(0.01, 1000, 0.0))
    assert (outcome.stop.kind, outcome.end.step) == ("still", 1)


def test_a_rate_that_is_too_large_is_told_with_one_that_is_not() -> None:
    outcome = climb(problem("x^2", x=1.0), METHODS["gradient"], Settings(1.1, 1000))
    assert outcome.stop.kind == "diverging"
    assert outcome.stop.stable == pytest.approx(1.0)
    assert outcome.good.step == 0
    assert outcome.end.step < 20
    fine = climb(problem("x^2", x=1.0), METHODS["gradient"], Settings(0.99, 10_000))
    assert fine.stop.kind == "tolerance"


def test_a_rate_far_too_large_is_told_so_too() -> None:
    outcome = climb(problem("x^4 + y^2", x=2.0, y=1.0), METHODS["gradient"], Settings(1.0, 1000))
    assert outcome.stop.kind == "diverging"


@pytest.mark.parametrize("steps", [1, 3, 9])
def test_an_end_far_worse_than_the_start_is_diverging_however_few_the_steps(steps: int) -> None:
    outcome = climb(problem("x^2", x=1.0), METHODS["gradient"], Settings(30.0, steps))
    assert (outcome.stop.kind, outcome.good.value) == ("diverging", 1.0)
    assert outcome.stop.stable == pytest.approx(1.0)
    uphill = climb(problem("-(x^2)", True, x=1.0), METHODS["gradient"], Settings(30.0, steps))
    assert (uphill.stop.kind, uphill.good.value) == ("diverging", -1.0)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_leaving_a_minimum_by_a_step_is_not_diverging(name: str) -> None:
    outcome = climb(problem("x^2", x=1e-7), METHODS[name], Settings(0.01, 5))
    assert outcome.end.value > 100 * outcome.start.value
    assert outcome.stop.kind == "steps"


@pytest.mark.parametrize("name", ["momentum", "nesterov", "rmsprop", "adam", "gradient"])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_overshooting_a_little_is_not_diverging(name: str, rate: float) -> None:
    outcome = climb(problem("x^2 + 3*y^2 + cos(3*x)", x=4.0, y=-3.0), METHODS[name], Settings(rate, 3000))
    assert not outcome.stop.failed


def test_what_grows_without_end_is_no_maximum() -> None:
    outcome = climb(problem("exp(x)", True, x=1.0), METHODS["gradient"], Settings(1.0, 1000))
    assert outcome.stop.kind == "unbounded"
    assert math.isfinite(outcome.end.value)


RUNAWAYS = {
    "-(x^2)": {"x": 1.0},
    "x^3": {"x": -1.0},
    "x^2 - y^2": {"x": 1.0, "y": 0.1},
    "-exp(x)": {"x": 1.0},
    "-sum(w^4)": {"w": numpy.array([1.0, 2.0])},
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", RUNAWAYS)
@pytest.mark.parametrize("name", ["gradient", "momentum", "newton", "lbfgs"])
def test_what_falls_without_end_is_unbounded_by_every_method_that_goes_far(text: str, name: str) -> None:
    outcome = climb(problem(text, **RUNAWAYS[text]), METHODS[name], Settings(None if name == "lbfgs" else 0.1, 3000))
    assert outcome.stop.kind == "unbounded", outcome
    assert math.isfinite(outcome.end.value)


@pytest.mark.parametrize("name", ["newton", "lbfgs", "momentum"])
@pytest.mark.parametrize("text", ["(x - 1e10)^2 - 1e20", "-1e15*exp(-(x - 3)^2)", "sqrt(1 + x^2) - 1e12/(1 + (x/1e4)^2)"])
def test_what_is_deep_is_not_without_end(text: str, name: str) -> None:
    outcome = climb(problem(text, x=2.0), METHODS[name], Settings(None if name == "lbfgs" else 1e-3 if name == "momentum" else 1.0))
    assert outcome.stop.kind != "unbounded", outcome


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_a_method_whose_own_numbers_overflow_says_so(name: str) -> None:
    outcome = climb(problem("1e200*x^2", x=1.0), METHODS[name], Settings(0.1, 100))
    assert outcome.stop.kind == "overflow"


STATIONARY = {
    "cos(x)": {"x": 0.0},
    "x^3": {"x": 0.0},
    "x^2 - y^2": {"x": 1.0, "y": 0.0},
    "x*y": {"x": 0.0, "y": 0.0},
    "-exp(-x^2)": {"x": 10.0},
    "x^2 - sum(w^2)": {"x": 1.0, "w": numpy.zeros(200)},
}


@pytest.mark.parametrize("text", STATIONARY)
@pytest.mark.parametrize("name", ["gradient", "newton", "lbfgs"])
def test_tops_and_saddles_are_no_minimum(text: str, name: str) -> None:
    outcome = climb(problem(text, **STATIONARY[text]), METHODS[name], Settings(None if name == "lbfgs" else 0.5, 3000))
    assert outcome.stop.kind == "stationary", outcome
    uphill = climb(problem(f"-({text})", True, **STATIONARY[text]), METHODS[name], Settings(None, 3000))
    assert uphill.stop.kind == "stationary"


@pytest.mark.parametrize("text", ["x^4", "relu(x - 1)", "x^2", "exp(x)", "x^2 + sin(30*x)", "max(x, 0)", "x*0"])
def test_flat_and_sharp_minima_are_minima(text: str) -> None:
    start = -0.5 if "relu" in text or "max" in text else 1.0
    outcome = climb(problem(text, x=start), METHODS["newton"], Settings(None, 100))
    assert not outcome.stop.failed, outcome


def test_at_a_bound_the_fall_beyond_it_does_not_count() -> None:
    outcome = climb(problem("-(x^2)", bounds=[Bound(-1.0, 2.0)], x=0.5), METHODS["gradient"], Settings(0.1, 3000))
    assert (outcome.stop.kind, outcome.end.values) == ("tolerance", [2.0])


@pytest.mark.parametrize("name", ["gradient", "momentum", "nesterov"])
@pytest.mark.parametrize(("text", "x"), [("x^4", 1.0), ("exp(x) + exp(-x)", 5.0), ("x^2 + 50*(x - 1)^2", 3.0)])
def test_the_rate_that_is_advised_does_not_diverge(text: str, x: float, name: str) -> None:
    outcome = climb(problem(text, x=x), METHODS[name], Settings(1.0, 3000))
    assert outcome.stop.kind == "diverging", outcome
    assert outcome.good.step == 0
    assert outcome.stop.stable is not None
    again = climb(problem(text, x=x), METHODS[name], Settings(outcome.stop.stable / 2, 3000))
    assert not again.stop.failed
    assert again.end.value < again.start.value


def test_the_last_good_state_is_the_best_one() -> None:
    outcome = climb(problem("x^2", x=1.0), METHODS["momentum"], Settings(4.0, 1000))
    assert outcome.stop.kind == "diverging"
    assert abs(outcome.good.value) <= 1.0


def test_the_last_good_state_is_the_one_before_nan() -> None:
    outcome = climb(problem("log(x)", x=1.0), METHODS["gradient"], Settings(0.1, 1000))
    assert outcome.stop.kind == "not finite"
    assert outcome.end.step == 5
    assert outcome.end.values[0] > 0 > outcome.stop.values[0]  # type: ignore[index]


def test_a_start_that_is_not_finite_is_told() -> None:
    outcome = climb(problem("log(x)", x=-1.0), METHODS["gradient"], Settings())
    assert (outcome.stop.kind, outcome.end.step) == ("not finite", 0)


@pytest.mark.parametrize("name", ["random", "newton", "lbfgs"])
def test_methods_that_look_before_they_step_turn_back_from_nan(name: str) -> None:
    outcome = climb(problem("x*log(x)", x=0.5), METHODS[name], Settings(None, 5000))
    assert not outcome.stop.failed
    assert outcome.end.values[0] == pytest.approx(math.exp(-1), abs=1e-3)


def test_a_trend_is_only_bad_if_it_gets_worse_faster_and_faster_beyond_the_start() -> None:
    def judged(values: Any) -> bool:
        trend = Trend()
        return any(trend.add(value) for value in values)

    assert judged(1.2**k for k in range(40))
    assert not judged(1.2**k for k in range(9))
    assert not judged(0.01 * k for k in range(1000))
    assert not judged([100.0, *(1.2**k for k in range(20))])
    assert not judged(math.sin(0.1 * k) for k in range(1000))


def test_starts_are_drawn_by_the_seed_within_bounds() -> None:
    bounds = [Bound(2.0, 3.0), None, Bound(0.0, math.inf)]
    given = problem("x + y + sum(w)", bounds=bounds, x=2.5, y=100.0, w=numpy.array([0.1, 0.2]))
    found = starts(given, 50, (1,))
    assert found[0] == given.start
    assert all(2 <= values[0] <= 3 and (values[2] >= 0).all() for values in found)
    spread = numpy.std([values[1] for values in found[1:]])
    assert 60 < spread < 140
    again = starts(given, 50, (1,))
    assert [values[:2] for values in again] == [values[:2] for values in found]
    assert [values[0] for values in starts(given, 50, (2,))][1:] != [values[0] for values in found][1:]


def test_a_method_that_gives_up_says_so() -> None:
    outcome = climb(problem("x*log(y)", x=3.0, y=0.5), METHODS["lbfgs"], Settings())
    assert (outcome.stop.kind, outcome.stop.short) == ("still", True)
    assert climb(problem("x^2", x=6.0), METHODS["gradient"], Settings(1e-30)).stop.short
    for text in ("abs(x)", "x^4 - x", "max(x, 2 - x)"):
        assert not climb(problem(text, x=0.3), METHODS["lbfgs"], Settings(None, 1000, 0.0)).stop.short


def test_of_starts_that_all_fail_the_best_counts() -> None:
    found = search(problem("log(x)", x=1.0), METHODS["gradient"], Settings(0.01), 4, 1)
    assert all(outcome.stop.failed for outcome in found.outcomes)
    assert found.outcome.good.value == min(outcome.good.value for outcome in found.outcomes) < -3


def test_the_best_of_several_starts_counts() -> None:
    given = problem("x*sin(x)", True, [Bound(0.0, 20.0)], x=1.0)
    found = search(given, METHODS["newton"], Settings(), 20, 1)
    ends = [outcome.end.value for outcome in found.outcomes]
    assert found.outcome.end.value == max(ends) > min(ends)
    assert found.outcome.end.value == pytest.approx(18.258905014552553)
