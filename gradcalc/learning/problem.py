"""A function of some of its inputs, to be made small or large: values, gradients, Hessian, and the bounds of the inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.reverse import differentiate
from gradcalc.engine.compiled import compile_graph
from gradcalc.engine.shapes import shape_of
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph

CENTRAL_STEP = 6e-6
"""The step of a central difference, relative to the input: about the cube root of the precision of a double."""


class Bound(NamedTuple):
    """Between which values an input may be; either may be infinite."""

    low: float
    high: float

    @property
    def finite(self) -> bool:
        """Whether it has two ends."""
        return math.isfinite(self.low) and math.isfinite(self.high)


class Problem:
    """A number as a function of parameters, which are some of the inputs of a graph; the others stay as they are.

    Parameters are passed around as lists: one float or array for each.

    Attributes:
        graph: whose last node is the number.
        inputs: the values of all inputs, by number.
        chosen: the numbers of the inputs that are parameters.
        uphill: whether large is better.
        bounds: for each parameter its bound, or None.
    """

    def __init__(
        self,
        graph: Graph,
        shapes: Sequence[Shape] | None,
        inputs: Sequence[Any],
        chosen: Sequence[int],
        uphill: bool = False,
        bounds: Sequence[Bound | None] = (),
    ) -> None:
        """Compile the function.

        Args:
            graph: without makers, or with constants in their places.
            shapes: of its nodes; None where all are numbers.
            inputs: the values of its inputs, by number; those of the parameters are where they start.
            chosen: which inputs are parameters, by number.
            uphill: whether large is better.
            bounds: for each parameter its bound, or None; empty where there are none.
        """
        self.graph = graph
        self.shapes = shapes
        self.inputs = list(inputs)
        self.chosen = tuple(chosen)
        self.uphill = uphill
        self.bounds = list(bounds) if any(bounds) else []
        self.sign = -1.0 if uphill else 1.0
        """What a value is multiplied by so that smaller is better."""
        self._whole = self.chosen == tuple(range(len(self.inputs)))
        self.scalar = all(isinstance(inputs[number], float) for number in chosen)
        self.norm: Callable[[Sequence[Any]], float] = _norm_of_numbers if self.scalar else norm
        self.program = compile_graph(graph, self.chosen, shapes)
        self._hessian: _Curvature | None = None

    @property
    def start(self) -> list[Any]:
        """The parameters as they were given."""
        return [self.inputs[number] for number in self.chosen]

    def point(self, values: list[Any]) -> list[Any]:
        """All inputs, with these values of the parameters."""
        if self._whole:
            return values
        point = list(self.inputs)
        for number, value in zip(self.chosen, values):
            point[number] = value
        return point

    def value(self, values: list[Any]) -> float:
        """The number at these parameters."""
        return float(self.program.value(self.point(values)))

    def slopes(self, values: list[Any]) -> tuple[float, Sequence[Any]]:
        """The number at these parameters, and its gradient by each of them."""
        point = self.point(values)
        value, slopes = self.program.value_and_gradients(point)
        return float(value), slopes

    @property
    def nodes(self) -> list[int]:
        """The nodes of the parameters."""
        codes, left = self.graph.codes, self.graph.left
        known = {left[node]: node for node, code in enumerate(codes) if code == INPUT}
        return [known[number] for number in self.chosen]

    def numerical_slopes(self, values: list[Any]) -> tuple[float, list[Any]]:
        """The number, and its gradient by central differences, one element after the other."""
        found = []
        for place, value in enumerate(values):

            def moved(element: Any, place: int = place) -> float:
                return self.value([*values[:place], element, *values[place + 1 :]])

            found.append(_difference(moved, value) if isinstance(value, float) else _differences(moved, value))
        return self.value(values), found

    def hessian(self, values: list[Any]) -> Any:
        """The second derivatives by all elements of the parameters, as a square array."""
        if self._hessian is None:
            self._hessian = _Curvature(self)
        return self._hessian.at(values)

    def projected(self, values: list[Any]) -> list[Any]:
        """The nearest parameters within the bounds."""
        return [x if bound is None else _clipped(x, bound) for x, bound in zip(values, self.bounds)] if self.bounds else values

    def free(self, values: Sequence[Any], slopes: Sequence[Any]) -> Sequence[Any]:
        """The gradients without what pushes against a bound."""
        if not self.bounds:
            return slopes
        pairs = zip(values, slopes, self.bounds)
        return [g if bound is None else _unopposed(x, g, bound, self.sign) for x, g, bound in pairs]


def _norm_of_numbers(values: Sequence[Any]) -> float:
    return math.hypot(*values)


def norm(values: Sequence[Any]) -> float:
    """The Euclidean length of numbers and arrays taken together."""
    import numpy

    total = 0.0
    for value in values:
        if isinstance(value, float):
            total += value * value
        else:
            flat = numpy.ravel(value)
            with numpy.errstate(over="ignore"):
                total += float(flat @ flat)
    if total < math.inf:
        return math.sqrt(total)
    # Squares may overflow where the length does not.
    largest = max(float(numpy.max(numpy.abs(value), initial=0.0)) for value in values)
    return largest * norm([value / largest for value in values]) if 0.0 < largest < math.inf else total


def _difference(moved: Callable[[float], float], x: float) -> float:
    above, below = _around(x)
    return (moved(above) - moved(below)) / (above - below)


def _around(x: float) -> tuple[float, float]:
    step = CENTRAL_STEP * max(1.0, abs(x))
    return x + step, x - step


def _differences(moved: Callable[[Any], float], x: Any) -> Any:
    """The same for every element of an array."""
    import numpy

    found = numpy.empty(x.shape)
    for place in numpy.ndindex(x.shape):
        other = numpy.array(x)

        def alone(element: float, place: tuple[int, ...] = place, other: Any = other) -> float:
            other[place] = element
            return moved(other)

        found[place] = _difference(alone, float(x[place]))
    return found


def _clipped(x: Any, bound: Bound) -> Any:
    if isinstance(x, float):
        return min(max(x, bound.low), bound.high)
    import numpy

    return numpy.clip(x, bound.low, bound.high)


def _unopposed(x: Any, slope: Any, bound: Bound, sign: float) -> Any:
    downhill = -sign * slope
    if isinstance(x, float):
        return 0.0 if (x <= bound.low and downhill < 0) or (x >= bound.high and downhill > 0) else slope
    import numpy

    return numpy.where(((x <= bound.low) & (downhill < 0)) | ((x >= bound.high) & (downhill > 0)), 0.0, slope)


def flows(graph: Graph, slopes: bool = True) -> set[int]:
    """The numbers of the inputs from which a derivative flows to the last node: not through conditions, labels, jumps or sizes.

    Without `slopes`, those that its value depends on, sizes left aside.
    """
    reached = bytearray(len(graph))
    reached[-1] = 1
    found = set()
    for node in range(len(graph) - 1, -1, -1):
        gate = graph.operator(node).gate
        if reached[node] and gate is not None and not (slopes and gate.constant):
            sources = graph.inputs(node)
            for source in gate.flowing(sources) if slopes else gate.divided(sources)[0]:
                reached[source] = 1
        elif reached[node] and graph.codes[node] == INPUT:
            found.add(graph.left[node])
    return found


def flattened(values: Sequence[Any]) -> Any:
    """Numbers and arrays as one row of numbers."""
    import numpy

    return numpy.concatenate([numpy.ravel(value) for value in values])


def unflattened(row: Any, like: Sequence[Any]) -> list[Any]:
    """A row of numbers as numbers and arrays of these shapes."""
    values: list[Any] = []
    place = 0
    for value in like:
        if isinstance(value, float):
            values.append(float(row[place]))
            place += 1
        else:
            values.append(row[place : place + value.size].reshape(value.shape))
            place += value.size
    return values


class _Curvature:
    """The Hessian, column by column: the gradient of the gradient times a direction."""

    def __init__(self, problem: Problem) -> None:
        graph = problem.graph.with_constants({})
        output = len(graph) - 1
        shapes: list[Shape] = list(problem.shapes) if problem.shapes is not None else [()] * len(graph)
        first = graph.input_count
        directions = []
        for value in problem.start:
            directions.append(graph.add_input())
            shapes.append(shape_of(value))
        builder = Builder(graph, shapes)
        found = differentiate(graph, output, problem.nodes, shapes, builder=builder)
        total: Expression = builder.number(0.0)
        for slope, direction in zip(found, directions):
            if slope is not None:
                part = builder.term(slope) * builder.term(direction)
                total = total + (part.apply("sum", axis=None, keepdims=False) if part.shape else part)
        graph.add(IDENTITY, [total.node])
        self.problem = problem
        self.directions = range(first, first + len(directions))
        known = [builder.shape(node) for node in range(len(graph))]
        self.flat = not any(shape_of(value) for value in problem.start)
        self.program = compile_graph(graph, problem.chosen, known if any(known) else None)

    def at(self, values: list[Any]) -> Any:
        """The Hessian at these parameters."""
        import numpy

        size = len(flattened(values))
        columns = numpy.empty((size, size))
        for place in range(size):
            unit = numpy.zeros(size)
            unit[place] = 1.0
            point = [*self.problem.point(values), *unflattened(unit, values)]
            columns[place] = flattened(self.program.value_and_gradients(point)[1])
        return (columns + columns.T) / 2.0
