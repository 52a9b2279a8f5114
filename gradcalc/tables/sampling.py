"""A formula on a grid of one or two of its inputs: values and derivatives, and where a curve through them is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy

from gradcalc.calculus.extract import extract
from gradcalc.calculus.linear import linear_program
from gradcalc.engine.compiled import compile_graph
from gradcalc.gates.record import Shape
from gradcalc.graph import Graph

Numbers = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

STEEPEST = 4.0
"""Between two samples a curve may rise so many times as much as its slopes there say; what rises more has jumped."""


@dataclass(frozen=True)
class Sampled:
    """A formula on a grid.

    Attributes:
        text: the formula.
        names: of the inputs that vary: one, or two.
        axes: their values, one array each.
        values: of the formula; of two inputs by rows of the second and columns of the first.
        slopes: for each input the derivative, of the shape of the values; nan where the value is not finite.
        bends: on a line the second derivative, which tells where the first one jumps; None where it was not taken.
    """

    text: str
    names: tuple[str, ...]
    axes: tuple[Numbers, ...]
    values: Numbers
    slopes: tuple[Numbers, ...]
    bends: Numbers | None = None


BENT_NODES = 2000
"""Of larger formulas no second derivative is taken: it has some times as many nodes."""


def bytes_of(points: int, inputs: int) -> int:
    """How much memory a grid takes: its inputs, the values, and the derivatives."""
    return 8 * points * (2 * inputs + 1)


def sample(
    text: str,
    graph: Graph,
    shapes: Sequence[Shape] | None,
    inputs: Sequence[str],
    point: Sequence[Any],
    axes: Mapping[str, Numbers],
) -> Sampled:
    """Evaluate a formula and its derivatives on a grid.

    Args:
        text: the formula in the language.
        graph: whose last node is a number; without makers.
        shapes: of its nodes, None where all are numbers.
        inputs: the names of its inputs, by number.
        point: their values; those of the inputs that vary do not matter.
        axes: the values of the one or two inputs that vary.
    """
    names = tuple(axes)
    grid = numpy.meshgrid(*axes.values(), indexing="xy")
    places = [inputs.index(name) for name in names]
    program = compile_graph(graph, places, None if shapes is None else list(shapes))
    columns = list(point)
    if shapes is None:
        for place, column in zip(places, grid):
            columns[place] = column.ravel()
        found, derivatives = program.rows(columns)
    else:
        found, derivatives = _one_by_one(program, columns, places, [column.ravel() for column in grid])
    bends = None
    if shapes is None and len(places) == 1 and len(graph) <= BENT_NODES:
        bends = numpy.broadcast_to(_bends(graph, places[0], columns), grid[0].size)
    shape = grid[0].shape
    values, *slopes = (numpy.broadcast_to(array, grid[0].size).reshape(shape) for array in (found, *derivatives))
    defined = numpy.isfinite(values)
    slopes = [numpy.where(defined, slope, numpy.nan) for slope in slopes]
    return Sampled(text, names, tuple(axes.values()), values, tuple(slopes), bends)


def _bends(graph: Graph, place: int, columns: Sequence[Any]) -> Any:
    """The second derivative of a formula of numbers by one input, for every row."""
    program = linear_program(graph, [place])
    slope = program.outputs[1]
    if slope is None:
        return 0.0
    return compile_graph(extract(program.graph, slope, 0, own=True).graph, [place]).rows(columns)[1][0]


def _one_by_one(program: Any, point: list[Any], places: Sequence[int], columns: Sequence[Numbers]) -> tuple[Numbers, list[Numbers]]:
    """A formula that calculates with arrays, at one point after the other."""
    values, slopes = numpy.empty(len(columns[0])), numpy.empty((len(places), len(columns[0])))
    for number, row in enumerate(zip(*columns)):
        for place, value in zip(places, row):
            point[place] = float(value)
        values[number], slopes[:, number] = program.value_and_gradients(point)
    return values, list(slopes)


def pieces(xs: Numbers, values: Numbers, slopes: Numbers | None = None) -> list[tuple[Numbers, Numbers]]:
    """A sampled curve as pieces without gaps: it is broken where it is not finite, at poles and at jumps.

    At a pole (tan(x) at π/2) the values fall from one sample to the next though both slopes rise; at a jump they change more than
    the slopes allow. The derivative tells, so nothing is guessed from the values alone.
    """
    finite = numpy.isfinite(values)
    broken = ~(finite[1:] & finite[:-1])
    if slopes is not None and len(xs) > 1:
        with numpy.errstate(all="ignore"):
            rise, step = numpy.diff(values), numpy.diff(xs)
            left, right = slopes[:-1] * step, slopes[1:] * step
            against = (rise * left < 0) & (rise * right < 0) & (abs(rise) > numpy.minimum(abs(left), abs(right)))
            steep = abs(rise) > STEEPEST * numpy.maximum(abs(left), abs(right)) + 1e-9 * numpy.nanmax(
                abs(values[finite]), initial=0
            )
            broken |= against | steep
    cuts = numpy.flatnonzero(broken) + 1
    parts = zip(numpy.split(xs, cuts), numpy.split(values, cuts))
    return [(x[numpy.isfinite(y)], y[numpy.isfinite(y)]) for x, y in parts if numpy.isfinite(y).any()]


FARTHEST = 1e300
"""Numbers beyond this leave no room for the arithmetic of a picture."""

UNIT = 1e20
"""Values beyond are drawn in units of this."""


class Panel(NamedTuple):
    """A curve to be drawn: its title, its pieces, and between which values it is seen; see `limits`."""

    title: str
    curves: list[tuple[Numbers, Numbers]]
    limits: tuple[float, float, bool]


def panels(sampled: Sampled, derivative: bool) -> list[Panel]:
    """A formula of one input as curves: its values and, if they are wanted, its derivatives."""
    (name,), (xs,), (slopes,) = sampled.names, sampled.axes, sampled.slopes
    pairs: list[tuple[str, Numbers, Numbers | None]] = [(sampled.text, sampled.values, slopes)]
    if derivative:
        pairs.append((f"derivative by {name}", slopes, sampled.bends))
    found = []
    for title, values, own in pairs:
        unit, words = _unit(values)
        values = values / unit
        found.append(Panel(title + words, pieces(xs, values, None if own is None else own / unit), limits(values)))
    return found


def drawable(sampled: Sampled) -> Sampled:
    """A formula of two inputs with values that can be drawn, and its text with what they are measured in."""
    unit, words = _unit(sampled.values)
    return replace(sampled, text=sampled.text + words, values=sampled.values / unit)


def _unit(values: Numbers) -> tuple[float, str]:
    """What values are divided by so that they can be drawn, and the words for it."""
    largest = numpy.abs(values[numpy.isfinite(values)]).max(initial=0.0)
    return (UNIT, f", in units of {UNIT:g}") if largest > FARTHEST else (1.0, "")


CLIPPED = 5.0
"""A few values that reach so many times farther than the rest are cut off."""


def limits(values: Numbers) -> tuple[float, float, bool]:
    """The range in which most of the values are, and whether some are beyond: a pole must not flatten everything else."""
    finite = values[numpy.isfinite(values)]
    if not finite.size:
        return -1.0, 1.0, False
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room, False
    inner_low, inner_high = (float(edge) for edge in numpy.quantile(finite, (0.05, 0.95)))
    spread = inner_high - inner_low
    if spread <= 0 or high - low <= CLIPPED * spread:
        return low, high, False
    return max(low, inner_low - 0.5 * spread), min(high, inner_high + 0.5 * spread), True


def thinned(xs: Numbers, values: Numbers, most: int) -> tuple[Numbers, Numbers]:
    """A piece of a curve with few enough points to be drawn: of each stretch the lowest and the highest, so it looks the same."""
    stretch = len(xs) // most
    if stretch < 4:
        return xs, values
    whole = len(xs) // stretch * stretch
    rows = values[:whole].reshape(-1, stretch)
    first = numpy.arange(0, whole, stretch)
    kept = numpy.unique(numpy.concatenate([first + rows.argmin(axis=1), first + rows.argmax(axis=1), [0, len(xs) - 1]]))
    return xs[kept], values[kept]
