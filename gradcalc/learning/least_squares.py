"""Least squares: Levenberg–Marquardt with geodesic acceleration, and Gauss–Newton steps at the end for the last digits.

The source is M. K. Transtrum and J. P. Sethna, Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
minimization (2012), arXiv:1201.5885: a second-order correction of each step keeps parameters from running away along a flat
valley, and a step whose correction is large is not trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

Vector = numpy.ndarray[Any, numpy.dtype[numpy.float64]]
"""Of one axis."""

Matrix = numpy.ndarray[Any, numpy.dtype[numpy.float64]]
"""Of two axes."""

TRUST = 0.3
"""How large the second-order part of a step may be, compared with the first-order part."""

PROBE = 0.1
"""The part of a step over which its curvature is measured."""

FIRST_DAMPING = 1e-3
RAISE, LOWER = 2.0, 3.0
MOST_DAMPING = 1e25
"""How damping begins, grows after a refused step, shrinks after an accepted one, and where it is given up."""

FLAT = 1e-13
"""A decrease below this part of the sum of squares is within its rounding."""

ROUNDING = 2e-15
"""Residuals below this part of what they are differences of are made of rounding alone: the fit is perfect."""

WORTHWHILE = 1e-4
"""A polishing step that makes the sum of squares so many times smaller is taken, whatever its size."""

PATIENCE, GAIN = 200, 1e-6
"""A fit sticks where so many steps together make the sum of squares smaller by less than this part of it."""

POLISHING_STEPS = 60

SINGULAR = 1e-14
"""A direction in which the scaled Jacobian is smaller than this part of its largest is not determined by the data."""


@dataclass(frozen=True)
class Problem:
    """What is to be fitted.

    Attributes:
        residuals: of parameters (p,), the residuals (n,).
        jacobian: of parameters (p,), their derivatives (n, p), exact.
        start: the parameters to begin with, (p,).
        size: the length of the target, from which the residuals are differences.
    """

    residuals: Callable[[Vector], Vector]
    jacobian: Callable[[Vector], Matrix]
    start: Vector
    size: float = 0.0

    def perfect(self, state: State) -> bool:
        """Whether nothing is left at a point but the rounding of the formula and of its parameters."""
        formula = numpy.linalg.norm(abs(state.jacobian) @ abs(state.parameters))
        return bool(numpy.linalg.norm(state.residuals) <= ROUNDING * (self.size + formula))


@dataclass(frozen=True)
class State:
    """A point of the parameters, with what is known of it."""

    parameters: Vector
    residuals: Vector
    jacobian: Matrix

    @cached_property
    def cost(self) -> float:
        """The residual sum of squares."""
        return float(self.residuals @ self.residuals)


@dataclass(frozen=True)
class Solution:
    """Where a fit ended.

    Attributes:
        parameters: (p,).
        residuals: (n,).
        jacobian: the residuals' derivatives by the parameters, (n, p).
        steps: how many steps were taken.
        converged: whether the end is a minimum; if not, `reason` says why the fit stopped.
        reason: in words.
    """

    parameters: Vector
    residuals: Vector
    jacobian: Matrix
    steps: int
    converged: bool
    reason: str

    @property
    def residual_sum_of_squares(self) -> float:
        """Σ r²."""
        return float(self.residuals @ self.residuals)

    @property
    def degrees_of_freedom(self) -> int:
        """Rows less parameters."""
        return len(self.residuals) - len(self.parameters)

    @property
    def residual_standard_deviation(self) -> float:
        """sqrt(Σ r²/(n - p)); nan where there are no more rows than parameters."""
        freedom = self.degrees_of_freedom
        return float(numpy.sqrt(self.residual_sum_of_squares / freedom)) if freedom > 0 else numpy.nan

    @cached_property
    def unit_covariance(self) -> Matrix:
        """(JᵀJ)⁻¹, by the singular values of the scaled Jacobian; inf for parameters that the data do not determine."""
        scale = _norms(self.jacobian)
        _, sizes, directions = numpy.linalg.svd(self.jacobian / scale, full_matrices=False)
        lost = sizes <= SINGULAR * sizes[0]
        inverse = numpy.where(lost, 0.0, 1.0 / numpy.where(lost, 1.0, sizes))
        half = (directions.T * inverse) / scale[:, None]
        covariance: Matrix = half @ half.T
        undetermined = (directions[lost] ** 2).sum(axis=0) > SINGULAR
        covariance[undetermined, :] = covariance[:, undetermined] = numpy.nan
        covariance[undetermined, undetermined] = numpy.inf
        return covariance

    def covariance(self, absolute: bool = False) -> Matrix:
        """The covariance of the parameters, (p, p).

        Args:
            absolute: the residuals have been divided by their standard deviations, so that their spread is known; if not, it is
                estimated from the residuals.
        """
        return self.unit_covariance * (1.0 if absolute else self.residual_standard_deviation**2)


def least_squares(problem: Problem, steps: int = 5000, progress: Callable[[int, float], None] | None = None) -> Solution:
    """The parameters at which the sum of the squares of the residuals is least, near a start.

    Args:
        problem: residuals, Jacobian and start; the residuals must be finite there.
        steps: how many steps may be taken.
        progress: is told after each step its number and the sum of squares.
    """
    with numpy.errstate(all="ignore"):
        start = numpy.asarray(problem.start, dtype=float)
        state = State(start, problem.residuals(start), problem.jacobian(start))
        scale = _norms(state.jacobian)
        damping, taken, before = FIRST_DAMPING, 0, state.cost
        while taken < steps:
            scale = numpy.maximum(scale, _norms(state.jacobian))
            found = _damped_step(problem, state, scale, damping)
            if found is None:
                break
            state, damping = found
            taken += 1
            if progress is not None:
                progress(taken, state.cost)
            if taken % PATIENCE == 0:
                if before - state.cost < GAIN * before:
                    return _solution(state, taken, False, f"it sticks: the last {PATIENCE} steps gained next to nothing")
                before = state.cost
        else:
            return _solution(state, taken, False, f"the limit of {steps} steps is reached")
        return _polished(problem, state, taken)


def _damped_step(problem: Problem, state: State, scale: Vector, damping: float) -> tuple[State, float] | None:
    """The next state and its damping; None where nothing more can be gained beyond rounding."""
    if problem.perfect(state):
        return None
    left, sizes, right = numpy.linalg.svd(state.jacobian / scale, full_matrices=False)

    def solve(target: Vector) -> Vector:
        """The damped solution of J·step = -target."""
        step: Vector = -(right.T @ (sizes / (sizes * sizes + damping) * (left.T @ target))) / scale
        return step

    while damping <= MOST_DAMPING:
        velocity = solve(state.residuals)
        predicted = state.residuals + state.jacobian @ velocity
        if abs(state.cost - float(predicted @ predicted)) <= FLAT * state.cost:
            return None
        probed = problem.residuals(state.parameters + PROBE * velocity)
        curvature = 2.0 / PROBE * ((probed - state.residuals) / PROBE - state.jacobian @ velocity)
        if numpy.isfinite(curvature).all():
            acceleration = solve(curvature)
            bent = 2.0 * numpy.linalg.norm(acceleration * scale) / numpy.linalg.norm(velocity * scale)
            if bent <= TRUST:
                parameters = state.parameters + velocity + 0.5 * acceleration
                residuals = problem.residuals(parameters)
                if float(residuals @ residuals) < state.cost:
                    jacobian = problem.jacobian(parameters)
                    if numpy.isfinite(jacobian).all():
                        return State(parameters, residuals, jacobian), damping / LOWER
        damping *= RAISE
    return None


def _polished(problem: Problem, state: State, taken: int) -> Solution:
    """Undamped steps while they shrink: near the minimum the sum of squares is flat, and only the step tells the last digits."""
    smallest = numpy.inf
    for _ in range(POLISHING_STEPS):
        scale = _norms(state.jacobian)
        left, sizes, right = numpy.linalg.svd(state.jacobian / scale, full_matrices=False)
        if sizes[-1] <= SINGULAR * sizes[0]:
            return _solution(state, taken, False, "the data do not determine all parameters")
        step = -(right.T @ (left.T @ state.residuals / sizes)) / scale
        size = float(numpy.max(abs(step) * scale / (abs(state.parameters) * scale + numpy.linalg.norm(state.residuals))))
        if not step.any():
            break
        parameters = state.parameters + step
        residuals = problem.residuals(parameters)
        cost = float(residuals @ residuals)
        if not cost <= state.cost * (1 + 1e-9) or (size >= smallest and cost > WORTHWHILE * state.cost):
            break
        smallest = min(size, smallest)
        state = State(parameters, residuals, problem.jacobian(parameters))
    # At a minimum the residuals stand at right angles to every column of the Jacobian.
    slant = abs(state.jacobian.T @ state.residuals) / (_norms(state.jacobian) * numpy.linalg.norm(state.residuals) + 1e-300)
    converged = bool(slant.max(initial=0.0) < 1e-5) or smallest < 1e-8 or problem.perfect(state)
    return _solution(state, taken, converged, "converged" if converged else "no step makes the sum of squares smaller")


def _solution(state: State, taken: int, converged: bool, reason: str) -> Solution:
    return Solution(state.parameters, state.residuals, state.jacobian, taken, converged, reason)


def _norms(jacobian: Matrix) -> Vector:
    """The length of each column; 1 for a column of zeros."""
    norms: Vector = numpy.linalg.norm(jacobian, axis=0)
    return numpy.where(norms > 0, norms, 1.0)
