"""A formula fitted to the rows of a table: its parameters, their standard errors, and how well it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from gradcalc.engine.compiled import compile_graph
from gradcalc.errors import BindingProblem, DataProblem
from gradcalc.graph import Graph
from gradcalc.learning.least_squares import Matrix, Problem, Solution, Vector, least_squares

COUPLED = 0.9999
"""From this correlation on, two parameters can hardly be told apart."""


STEEP = 1e4
"""A derivative that is so many times the second largest of its column stands at an edge of the formula."""

STILL = 1e-10
"""A formula that changes by less than this part of the residuals with a parameter does not change with it."""


@dataclass(frozen=True)
class Rows:
    """A formula over the rows of a table: a graph, and for each of its inputs by number a column (n,), a number, or a parameter.

    Attributes:
        graph: of numbers alone; its last node is the value of a row.
        inputs: the names of its inputs.
        values: by name; those of the parameters are where they start.
    """

    graph: Graph
    inputs: Sequence[str]
    values: Mapping[str, Any]

    @property
    def count(self) -> int:
        """How many rows its columns have; 1 where it has none, since then it is the same in every row."""
        return max((len(value) for value in self.values.values() if numpy.ndim(value)), default=1)

    def over(self, parameters: Sequence[str], count: int) -> Over:
        """The same over so many rows as a function of some of its inputs."""
        return Over(self, parameters, count)


class Over:
    """Values of a formula over all rows as a function of its parameters, and their Jacobian."""

    def __init__(self, rows: Rows, parameters: Sequence[str], count: int) -> None:
        self.length = count
        self._columns = [rows.values[name] for name in rows.inputs]
        self._places = [rows.inputs.index(name) for name in parameters]
        self._values = compile_graph(rows.graph, (), None)
        self._slopes = compile_graph(rows.graph, self._places, None)

    def _at(self, parameters: Iterable[float]) -> list[Any]:
        columns = list(self._columns)
        for place, value in zip(self._places, parameters):
            columns[place] = float(value)
        return columns

    def values(self, parameters: Iterable[float] = ()) -> Vector:
        """The formula in every row, (n,)."""
        values, _ = self._values.rows(self._at(parameters))
        return numpy.array(numpy.broadcast_to(values, self.length), dtype=float)

    def jacobian(self, parameters: Iterable[float]) -> Matrix:
        """The formula's exact derivatives in every row by every parameter, (n, p)."""
        _, slopes = self._slopes.rows(self._at(parameters))
        return numpy.stack([numpy.broadcast_to(slope, self.length) for slope in slopes], axis=1)


@dataclass(frozen=True)
class Fitted:
    """A fit.

    Attributes:
        names: of the parameters.
        values: the fitted parameters, (p,).
        start: where they began, (p,).
        errors: their standard errors, (p,); inf where the data do not determine a parameter.
        covariance: (p, p).
        rows: how many rows were fitted.
        residual_sum_of_squares: Σ r², weighted where the rows have standard deviations.
        residual_standard_deviation: sqrt(Σ r²/(n - p)).
        degrees_of_freedom: rows less parameters.
        steps: how many were taken.
        converged: whether this is a minimum.
        reason: why the fit stopped.
        warnings: what deserves attention.
        weighted: whether the residuals were divided by standard deviations of the rows.
    """

    names: tuple[str, ...]
    values: Vector
    start: Vector
    errors: Vector
    covariance: Matrix
    rows: int
    residual_sum_of_squares: float
    residual_standard_deviation: float
    degrees_of_freedom: int
    steps: int
    converged: bool
    reason: str
    warnings: tuple[str, ...]
    weighted: bool = False

    @property
    def correlations(self) -> Matrix:
        """The correlations of the parameters, (p, p)."""
        with numpy.errstate(all="ignore"):
            return self.covariance / numpy.outer(self.errors, self.errors)


def fit(
    formula: Rows,
    target: Rows,
    parameters: Sequence[str],
    deviation: Rows | None = None,
    steps: int = 5000,
    progress: Callable[[int, float], None] | None = None,
    place: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Fitted:
    """Fit a formula to a target by least squares.

    Args:
        formula: with values for its parameters to begin with.
        target: what the formula should be in every row.
        parameters: which inputs of the formula may change.
        deviation: the standard deviation of the target in every row; the residuals are divided by it, and the standard errors
            follow from it instead of from the spread of the residuals.
        steps: how many steps may be taken.
        progress: is told after each step its number and the sum of squares.
        place: what a row, counted from 0, is called in messages.

    Raises:
        GradcalcError: a row's target or standard deviation is no finite number, the formula is not finite at the start, or
            there are fewer rows than parameters.
    """
    count = max(rows.count for rows in (formula, target, deviation) if rows is not None)
    over = formula.over(parameters, count)
    wanted = _finite(target.over((), count).values(), "the target", place)
    spread = numpy.ones(1) if deviation is None else _finite(deviation.over((), count).values(), "the standard deviation", place)
    if not (spread > 0).all():
        row = int(numpy.argmin(spread > 0))
        raise DataProblem(f"the standard deviation in {place(row)} is {spread[row]:g}, and must be positive")
    if count < len(parameters):
        raise DataProblem(
            f"{count} row{'' if count == 1 else 's'} cannot determine {len(parameters)} parameters",
            remedy="fit fewer: --over NAMES",
        )
    problem = Problem(
        lambda x: (over.values(x) - wanted) / spread,
        lambda x: over.jacobian(x) / spread.reshape(-1, 1),
        numpy.array([float(formula.values[name]) for name in parameters]),
        float(numpy.linalg.norm(wanted / spread)),
    )
    _check_start(over, problem, parameters, place)
    solution = least_squares(problem, steps, progress)
    fitted = _fitted(solution, problem.start, parameters, absolute=deviation is not None)
    return fitted if fitted.converged else replace(fitted, warnings=(*fitted.warnings, *_edges(solution, parameters, place)))


def _finite(values: Vector, what: str, place: Callable[[int], str]) -> Vector:
    bad = ~numpy.isfinite(values)
    if bad.any():
        row = int(numpy.argmax(bad))
        raise DataProblem(f"{what} in {place(row)} is {values[row]}", remedy="leave that row out of the data")
    return values


def _check_start(over: Over, problem: Problem, parameters: Sequence[str], place: Callable[[int], str]) -> None:
    with numpy.errstate(all="ignore"):
        values, slopes = over.values(problem.start), over.jacobian(problem.start)
    named = ", ".join(f"{name} = {value:g}" for name, value in zip(parameters, problem.start))
    bad = ~numpy.isfinite(values)
    if bad.any():
        row = int(numpy.argmax(bad))
        raise BindingProblem(
            f"at the start ({named}) the formula is {values[row]} in {place(row)}", remedy="start from other values: --NAME VALUE"
        )
    for name, column in zip(parameters, slopes.T):
        if not numpy.isfinite(column).all():
            row = int(numpy.argmax(~numpy.isfinite(column)))
            raise BindingProblem(
                f"at the start ({named}) the derivative by {name} is {column[row]} in {place(row)}",
                remedy="start from other values: --NAME VALUE",
            )
    with numpy.errstate(all="ignore"):
        residuals = problem.residuals(problem.start)
        infinite = not numpy.isfinite(residuals @ residuals)
    if infinite:
        raise BindingProblem(
            f"at the start ({named}) the sum of the squares of the residuals is infinite",
            remedy="start from other values: --NAME VALUE, or divide the formula and the target by a constant",
        )


def _edges(solution: Solution, names: Sequence[str], place: Callable[[int], str]) -> Iterable[str]:
    """Warnings of derivatives that tower in one row: as a rule the formula ends there."""
    for name, column in zip(names, abs(solution.jacobian).T):
        second, first = numpy.sort(column)[-2:] if len(column) > 1 else (0.0, 0.0)
        if first > STEEP * second > 0.0:
            row = int(column.argmax())
            yield (
                f"the derivative by {name} is {first:.3g} in {place(row)}, and at most {second:.3g} in all other rows: "
                f"the formula seems to end there\n  begin elsewhere, or leave {name} as it is: --over NAMES"
            )


def _fitted(solution: Solution, start: Vector, names: Sequence[str], absolute: bool) -> Fitted:
    covariance = solution.covariance(absolute)
    errors: Vector = numpy.sqrt(numpy.diag(covariance))
    fitted = Fitted(
        tuple(names),
        solution.parameters,
        start,
        errors,
        covariance,
        len(solution.residuals),
        solution.residual_sum_of_squares,
        solution.residual_standard_deviation,
        solution.degrees_of_freedom,
        solution.steps,
        solution.converged,
        solution.reason,
        (),
        absolute,
    )
    reach = numpy.linalg.norm(solution.jacobian, axis=0) * numpy.maximum(abs(solution.parameters), 1.0)
    still = reach <= STILL * numpy.linalg.norm(solution.residuals)
    return _with_warnings(fitted, [name for name, calm in zip(names, still) if calm])


def _with_warnings(fitted: Fitted, still: Sequence[str]) -> Fitted:
    """The fit with what deserves attention; `still` are the parameters with which the formula does not change at its end."""
    warnings = []
    lost = [name for name, error in zip(fitted.names, fitted.errors) if numpy.isinf(error)]
    if not fitted.converged and not lost:
        warnings.append(f"this is no minimum: {fitted.reason}")
    if lost and any(name in still for name in lost):
        names = [name for name in lost if name in still]
        begin = " ".join(f"--{name} NUMBER" for name in names)
        warnings.append(
            f"the formula does not change with {' and '.join(names)} around this start, so nothing can be learned from it: "
            f"begin elsewhere, nearer to the data ({begin})"
        )
        lost = [name for name in lost if name not in still]
    if lost:
        one = len(lost) == 1
        warnings.append(f"the data do not determine {' and '.join(lost)}: {'its' if one else 'their'} standard error is infinite")
    if fitted.degrees_of_freedom == 0:
        warnings.append("there are as many parameters as rows: the fit is exact, and says nothing of its errors")
    correlations = fitted.correlations
    for i, first in enumerate(fitted.names):
        for j, second in enumerate(fitted.names[:i]):
            if abs(correlations[i, j]) > COUPLED:
                warnings.append(f"{second} and {first} can hardly be told apart: their correlation is {correlations[i, j]:.6f}")
    return replace(fitted, warnings=tuple(warnings))
