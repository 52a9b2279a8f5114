"""The distribution of the output where the inputs are drawn from normal distributions: what every other way only approximates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy

from gradcalc.engine import arrays
from gradcalc.engine.evaluate import Evaluation
from gradcalc.engine.shapes import spell_bytes
from gradcalc.errors import LimitProblem
from gradcalc.uncertainty.second_order import MISLEADS, MOVES, ROUNDING
from gradcalc.uncertainty.spread import Element, Spread

BLOCK = 16_384
"""So many draws of a graph of numbers are evaluated together: their columns stay in the cache."""

MOST_KEPT = 2**28
"""How many values of the output may be kept, for the quantiles."""

COVERED = (0.025, 0.975)
"""The quantiles between which 95 % of the values lie."""


class MonteCarlo(NamedTuple):
    """What the draws showed: floats, or arrays of the output's shape.

    `low` and `high` hold 95 % of the values between them; `lost` is the number of draws in which the output had no finite value,
    which are left out.
    """

    draws: int
    mean: Any
    uncertainty: Any
    low: Any
    high: Any
    lost: int


def monte_carlo(
    evaluation: Evaluation,
    spread: Spread,
    nodes: Mapping[str, int],
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> MonteCarlo:
    """Evaluate the output for inputs drawn from normal distributions with their uncertainties and correlations.

    Raises:
        LimitProblem: more values would have to be kept than fit.
    """
    shape = evaluation.shape(len(evaluation.graph) - 1)
    size = draws * math.prod(shape)
    if size > MOST_KEPT:
        raise LimitProblem(f"--monte-carlo {draws}: {spell_bytes(8 * size)} of values are too many", remedy="write fewer draws")
    source = _Draws(evaluation, spread, nodes, seed)
    kept = numpy.empty((draws, *shape))
    done = 0
    while done < draws:
        count = min(source.block, draws - done)
        units = source.next(count)
        if evaluation.scalar:
            kept[done : done + count] = arrays.forward(evaluation.graph, source.inputs(units))[-1]
        else:
            for number in range(count):
                one = {name: column[number] for name, column in units.items()}
                kept[done + number] = arrays.forward(evaluation.graph, source.inputs(one))[-1]
        done += count
        if progress is not None:
            progress(done, draws)
    return _summary(kept, shape)


class _Draws:
    """Draws of the uncertain inputs, block by block."""

    def __init__(self, evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int], seed: int) -> None:
        self.evaluation = evaluation
        self.spread = spread
        self.nodes = nodes
        self.generator = numpy.random.default_rng(seed)
        self.shapes = {name: numpy.shape(evaluation.values[node]) for name, node in nodes.items()}
        self.mixings = []
        for cluster in spread.clusters():
            within = [element for element in cluster if element.name in nodes]
            if len(within) > 1:
                self.mixings.append((within, _root(spread.matrix(within))))
        width = max(1, sum(map(math.prod, self.shapes.values())))
        self.block = max(1, BLOCK * 8 // width) if not evaluation.scalar else BLOCK

    def next(self, count: int) -> dict[str, Any]:
        """Standard normal numbers for each input, one row a draw, correlated as the inputs are."""
        made = {name: self.generator.standard_normal((count, *shape)) for name, shape in self.shapes.items()}
        for within, mixing in self.mixings:
            columns = numpy.stack([_column(made[element.name], element) for element in within])
            for element, column in zip(within, mixing @ columns):
                _column(made[element.name], element)[:] = column
        return made

    def inputs(self, units: Mapping[str, Any]) -> list[Any]:
        """The inputs, by number, moved by so many of their uncertainties."""
        inputs = list(self.evaluation.inputs)
        for name, unit in units.items():
            number = self.evaluation.graph.left[self.nodes[name]]
            moved = inputs[number] + self.spread.errors[name] * unit
            inputs[number] = moved if numpy.shape(moved) else float(moved)
        return inputs


def _column(units: Any, element: Element) -> Any:
    """The draws of one element, as a view."""
    return units.reshape(len(units), -1)[:, element.place or 0]


def _root(matrix: Any) -> Any:
    """A matrix L with L Lᵀ the given one, which may be singular."""
    values, vectors = numpy.linalg.eigh(matrix)
    return vectors * numpy.sqrt(numpy.maximum(values, 0.0))


def _summary(kept: Any, shape: tuple[int, ...]) -> MonteCarlo:
    draws = len(kept)
    good = kept[numpy.isfinite(kept.reshape(draws, -1)).all(axis=1)]
    lost = draws - len(good)
    if len(good) < 2:
        nothing = _plain(numpy.full(shape, math.nan))
        return MonteCarlo(draws, nothing, nothing, nothing, nothing, lost)
    low, high = numpy.quantile(good, COVERED, axis=0)
    return MonteCarlo(draws, _plain(good.mean(axis=0)), _plain(good.std(axis=0, ddof=1)), _plain(low), _plain(high), lost)


def _plain(value: Any) -> Any:
    return float(value) if not numpy.shape(value) else value


def contradicts(found: MonteCarlo, value: Any, uncertainty: Any) -> bool:
    """Whether the draws show another uncertainty than first order, or another mean, beyond what chance explains."""
    good = max(1, found.draws - found.lost)
    seen = numpy.asarray(found.uncertainty)
    with numpy.errstate(all="ignore"):
        apart = abs(seen - uncertainty) > (MISLEADS + 4.0 / math.sqrt(2.0 * good)) * numpy.maximum(seen, uncertainty)
        moved = abs(found.mean - value) > (MOVES + 4.0 / math.sqrt(good)) * seen + ROUNDING * abs(numpy.asarray(value))
    return bool(apart.any() or moved.any()) or not bool(numpy.isfinite(uncertainty).all())
