"""Formulas as functions: their values at any point with what rounding may do to them, and their derivatives as functions again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import dependents, differentiate, flows_back
from gradcalc.checking.differences import EPSILON, SMALLEST
from gradcalc.checking.scalars import ROUNDINGS, Rounding
from gradcalc.engine import scalar, shapes
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.engine.makers import Makers, prepare
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

SHAKES = 4
"""How often arrays are computed with every gate disturbed, to see how far rounding reaches."""

DISTURBANCE = 2.0**-36
"""By how much, relatively: far above rounding, and far below what would change a slope."""

CAUTION = 16.0
"""How many times what the disturbed values show the rounding of arrays is taken to be."""

SIMPLE = "simple"
NOWHERE = "nowhere"
BEYOND = "beyond"
"""What a value is: a number; nothing, since a gate is outside its domain; or a pole, or beyond what floats can hold."""

CHOSEN = ("==", "!=")
"""Comparisons with which rules ask which input was chosen: of the very same number, so that rounding has no part in it."""

Point = Mapping[str, Any]
"""Values of inputs, by name."""


class Reading(NamedTuple):
    """A value of a function, how far rounding may have moved it (of an array, each element), and what kind of value it is."""

    value: Any
    noise: Any
    kind: str


class Function:
    """A graph as a function of named inputs.

    Attributes:
        graph: whose last node is the result; without makers.
        inputs: the names of its inputs, by their number.
        shapes: of its nodes, None where all are numbers.
    """

    def __init__(self, graph: Graph, inputs: Sequence[str], shapes: list[Shape] | None = None) -> None:
        """Take a graph as it is; see `function_of`."""
        self.graph = graph
        self.inputs = tuple(inputs)
        self.shapes = shapes

    @property
    def output(self) -> int:
        """The node of the result."""
        return len(self.graph) - 1

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return () if self.shapes is None else self.shapes[-1]

    def at(self, point: Point) -> list[Any]:
        """The values of the inputs, by their number."""
        return [point[name] for name in self.inputs]

    def evaluate(self, point: Point, wrt: Iterable[str] = ()) -> Evaluation:
        """The forward pass, and the backward pass by these inputs if there are any."""
        evaluation = evaluate(self.graph, self.at(point))
        nodes = [node for name, node in self.input_nodes().items() if name in set(wrt)]
        if nodes:
            backpropagate(evaluation, 1.0, nodes)
        return evaluation

    def input_nodes(self) -> dict[str, int]:
        """The node of each input."""
        graph = self.graph
        return {self.inputs[graph.left[node]]: node for node, code in enumerate(graph.codes) if code == INPUT}

    def fixed(self) -> set[str]:
        """The inputs into which no derivative flows: sizes, labels and conditions."""
        flowing = {name for name, node in self.input_nodes().items() if dependents(self.graph, [node], self.output)[-1]}
        return set(self.inputs) - flowing

    def read(self, point: Point, sided: bool = False) -> Reading:
        """The value at a point, with its rounding.

        At a jump or a kink rounding may have chosen the side, and nothing can be told; `sided` trusts it where no rounding came
        before: floor(x) at 3 is 3. (Of a derivative, which is a convention there, it had better not.)
        """
        inputs = self.at(point)
        if shapes.is_scalar(self.graph, inputs):
            return _read_number(self.graph, inputs, sided)
        return _read_array(self.graph, inputs)

    def is_through_infinity(self, point: Point) -> bool:
        """Whether something on the way to a value is infinite, so that the value is a limit at best."""
        values = evaluate(self.graph, self.at(point)).values
        return any(map(_has_infinity, values))

    def read_exactly(self, point: Point) -> Reading:
        """The value at a point, computed with fifty digits; of numbers only.

        Raises:
            MissingExtra: mpmath is not installed.
        """
        from gradcalc.checking.exact import exact_value

        value = exact_value(self.graph, self.at(point))
        return Reading(value, 2.0 * EPSILON * abs(value), SIMPLE) if math.isfinite(value) else self.read(point)

    def derivative(self, node: int) -> Function:
        """The derivative of the result (of the sum of its elements) by a node, as a function of the same inputs."""
        graph = self.graph.with_constants({})
        (found,) = differentiate(graph, self.output, [node], self.shapes)
        if found is None:
            found = graph.add_constant(self._zero(node))
        part = extract(graph, found, found, own=True)
        names = [self.inputs[graph.left[part.source(inner)]] for inner, code in enumerate(part.graph.codes) if code == INPUT]
        made = Function(part.graph, names)
        if self.shapes is not None:
            sources = {name: self.shapes[own] for name, own in self.input_nodes().items()}
            typical = [_ones(sources[name]) for name in names]
            if not shapes.is_scalar(part.graph, typical):
                made.shapes = shapes.infer(part.graph, typical, lambda sizes: [part.graph.constant(size) for size in sizes])
        return made

    def _zero(self, node: int) -> Any:
        if self.shapes is None or not self.shapes[node]:
            return 0.0
        import numpy

        return numpy.zeros(self.shapes[node])


def _ones(shape: Shape) -> Any:
    if not shape:
        return 1.0
    import numpy

    return numpy.ones(shape)


def function_of(graph: Graph, inputs: Sequence[str], typical: Sequence[Any], makers: Makers) -> Function:
    """A graph as a function; makers become constants, for inputs of the shapes of these typical values.

    Raises:
        NodeProblem: shapes do not fit.
    """
    if shapes.is_scalar(graph, typical):
        return Function(graph, inputs)
    prepared, found = prepare(graph, typical, makers)
    return Function(prepared, inputs, found)


def _read_number(graph: Graph, inputs: Sequence[float], sided: bool) -> Reading:
    values = scalar.forward(graph, inputs)
    value = values[-1]
    if not math.isfinite(value):
        return Reading(value, math.inf, _kind(graph, values))
    gradients = scalar.backward(graph, values, len(graph) - 1)
    unknown = _overflows(graph, values) or _is_at_kink(graph, values, sided)
    noise = math.inf if unknown else Rounding(graph, values, gradients).noise[0]
    return Reading(value, noise + 2.0 * EPSILON * abs(value), SIMPLE)


def _overflows(graph: Graph, values: Sequence[Any]) -> bool:
    """Whether something is too large for a float on the way to a finite value, which then says nothing of what it stands for."""
    return any(
        graph.codes[node] > CONSTANT and _has_infinity(value) and not any(_has_infinity(values[s]) for s in graph.inputs(node))
        for node, value in enumerate(values)
    )


def _is_at_kink(graph: Graph, values: Sequence[float], sided: bool) -> bool:
    """Whether a gate that varies is where it jumps or bends; the condition of a `where` is one of two numbers anyway."""
    if all(operator.gate is None or operator.gate.kinks is None for operator in graph.operators):
        return False
    varies = scalar.wanted_nodes(graph)
    for node, code in enumerate(graph.codes):
        gate, attributes, _ = graph.operators[code]
        if not varies[node] or gate is None or gate.kinks is None or gate.discrete or gate.name in CHOSEN:
            continue
        sources = graph.inputs(node)
        if sided and all(graph.codes[source] <= CONSTANT for source in sources):
            continue
        try:
            if gate.kinks.holds(*[values[source] for source in sources], **dict(attributes)):
                return True
        except ArithmeticError:
            continue
    return False


def _read_array(graph: Graph, inputs: Sequence[Any]) -> Reading:
    import numpy

    from gradcalc.engine import arrays

    values = arrays.forward(graph, inputs)
    value = numpy.asarray(values[-1], dtype=float)
    kind = SIMPLE if numpy.isfinite(value).all() else _kind(graph, values)
    flowing = flows_back(graph, scalar.wanted_nodes(graph))
    generator = numpy.random.default_rng(len(graph))
    spread = numpy.zeros(value.shape)
    for _ in range(SHAKES):
        with numpy.errstate(all="ignore"):
            spread = numpy.fmax(spread, abs(_shaken(graph, values, flowing, generator) - value))
    noise = spread * (CAUTION * ROUNDINGS * EPSILON / DISTURBANCE) + ROUNDINGS * EPSILON * abs(value) + SMALLEST
    if kind == SIMPLE and _overflows(graph, values):
        noise = numpy.full(value.shape, math.inf)
    return Reading(value if value.shape else float(value), noise if value.shape else float(noise), kind)


def _shaken(graph: Graph, values: Sequence[Any], flowing: bytearray, generator: Any) -> Any:
    """The result where every element that a gate computes is a little off, to either side by chance.

    Gates that join many numbers round on the way, too: as if their inputs were off (an inverse, by its condition).
    """
    import numpy

    from gradcalc.engine.arrays import kernel

    def shake(value: Any, by_largest: bool = False) -> Any:
        size = numpy.max(abs(value), initial=0.0) if by_largest else value
        return value + DISTURBANCE * size * generator.choice((-1.0, 1.0), numpy.shape(value))

    moved: list[Any] = list(values)
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        if code <= CONSTANT or gate is None or not flowing[node]:
            continue
        sources = graph.inputs(node)
        inner = set() if gate.elementwise or gate.constant else set(gate.flowing(range(len(sources))))
        given = [shake(moved[source], gate.eliminates) if place in inner else moved[source] for place, source in enumerate(sources)]
        made = kernel(gate, graph.operators[code].attributes)(*given)
        moved[node] = made if gate.constant else shake(made)
    return moved[-1]


def _kind(graph: Graph, values: Sequence[Any]) -> str:
    """Why a value is not finite: the first node that is nan, though nothing before it is, decides."""
    for node, value in enumerate(values):
        if not _has_nan(value):
            continue
        operator = graph.operator(node)
        given = [values[source] for source in graph.inputs(node)]
        if operator.gate is None or any(map(_has_infinity, given)):
            return BEYOND
        # 0/0 may be a hole, or numbers too small to be held: nobody knows.
        domain = operator.gate.domain
        divides = any(_has_zero(source) for source in given)
        outside = domain is not None and not _everywhere(domain.holds(*given, **dict(operator.attributes)))
        return NOWHERE if outside and not divides else BEYOND
    return BEYOND


def _has_nan(value: Any) -> bool:
    return value != value if isinstance(value, float) else bool((value != value).any())


def _has_infinity(value: Any) -> bool:
    return abs(value) == math.inf if isinstance(value, float) else bool((abs(value) == math.inf).any())


def _has_zero(value: Any) -> bool:
    return value == 0.0 if isinstance(value, float) else bool((value == 0.0).any())


def _everywhere(condition: Any) -> bool:
    return bool(condition) if isinstance(condition, bool | float) else bool(condition.all())
