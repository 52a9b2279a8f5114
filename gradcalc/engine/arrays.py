"""The interpreter for graphs with arrays: a NumPy call a gate forwards, the gate's rule on arrays backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy

from gradcalc.calculus.rules import contributions
from gradcalc.engine.scalar import ABSENT
from gradcalc.engine.shapes import as_sizes
from gradcalc.gates.algebra import Only, Term
from gradcalc.gates.record import REGISTRY, Gate, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator


class ArrayTerm(Term):
    """A value (a number or an array) as a term that derivative rules calculate with."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """The value's shape."""
        return numpy.shape(self.value)

    def apply(self, gate: str, *others: Any, **attributes: Any) -> ArrayTerm:
        """A gate on this value and others."""
        return _applied(gate, (self, *others), attributes)

    def rapply(self, gate: str, first: Any) -> ArrayTerm:
        """A gate on a number and this value."""
        return _applied(gate, (first, self), {})

    def make(self, gate: str, *numbers: float, **attributes: Any) -> ArrayTerm:
        """A gate on numbers alone."""
        return _applied(gate, numbers, attributes)

    def only(self, condition: Any, slope: Any) -> ArrayTerm:
        """This gradient times a slope where the condition holds, and absent elsewhere."""
        factor = slope.value if isinstance(slope, ArrayTerm) else slope
        holds = condition.value if isinstance(condition, ArrayTerm) else condition
        return ArrayTerm(numpy.where(holds != 0, self.value * factor + 0.0, ABSENT))


def _applied(name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> ArrayTerm:
    gate = REGISTRY.find(name, len(arguments))
    assert gate is not None, name
    values = [argument.value if isinstance(argument, ArrayTerm) else argument for argument in arguments]
    result = kernel(gate, tuple(sorted(attributes.items())))(*values)
    if name in ("*", "/") and isinstance(arguments[0], ArrayTerm):
        result = _keep_absent(values[0], result)
    return ArrayTerm(result)


def _keep_absent(above: Any, product: Any) -> Any:
    """Nothing that is multiplied makes an absent contribution present: 0 times inf is nan, but absent stays absent."""
    if numpy.isfinite(product).all():
        return product
    absent = (above == 0.0) & numpy.signbit(above)
    return numpy.where(absent, ABSENT, product)


def kernel(gate: Gate, attributes: tuple[tuple[str, Any], ...]) -> Callable[..., Any]:
    """The gate's forward rule as a function of arrays."""
    if isinstance(gate.array, str):
        return getattr(numpy, gate.array)  # type: ignore[no-any-return]
    bound = partial(gate.array, numpy, **dict(attributes)) if attributes else partial(gate.array, numpy)
    if gate.data is None:
        return bound

    def sized(*values: Any) -> Any:
        data, sizes = gate.divided(values)
        return bound(*data, sizes=as_sizes(sizes, gate.whole))

    return sized


def complex_kernel(operator: Operator) -> Callable[..., Any]:
    """The gate's forward rule on complex arrays."""
    gate = operator.gate
    assert gate is not None
    if gate.complex is None:
        return kernel(gate, operator.attributes)
    if isinstance(gate.complex, str):
        return getattr(numpy, gate.complex)  # type: ignore[no-any-return]
    function, attributes = gate.complex, dict(operator.attributes)
    return lambda *columns: function(numpy, *columns, **attributes)


def forward(graph: Graph, inputs: Sequence[Any]) -> list[Any]:
    """The value of every node: arrays, and floats for numbers."""
    kernels = [None if operator.gate is None else _kernel_of(operator) for operator in graph.operators]
    values: list[Any] = []
    with numpy.errstate(all="ignore"):
        for node, code in enumerate(graph.codes):
            if code == INPUT:
                values.append(inputs[graph.left[node]])
            elif code == CONSTANT:
                values.append(graph.constant(node))
            else:
                function = kernels[code]
                assert function is not None
                values.append(function(*[values[source] for source in graph.inputs(node)]))
    return values


def _kernel_of(operator: Operator) -> Callable[..., Any]:
    assert operator.gate is not None
    return kernel(operator.gate, operator.attributes)


def backward(
    graph: Graph, values: Sequence[Any], output: int, seed: Any = 1.0, wanted: bytearray | None = None, conventions: bool = False
) -> list[Any]:
    """The gradient of a node (weighted by `seed` and summed) by every wanted node; None where none arrives.

    With `conventions`, those of the records stand for local derivatives that are not finite, element by element.
    """
    hand_on = handed_on_by_conventions if conventions else handed_on
    gradients: list[Any] = [None] * len(graph)
    gradients[output] = numpy.broadcast_to(numpy.asarray(seed, dtype=float), numpy.shape(values[output]))
    with numpy.errstate(all="ignore"):
        for node in range(output, -1, -1):
            above = gradients[node]
            operator = graph.operator(node)
            if above is None or operator.gate is None or operator.gate.constant:
                continue
            inputs = graph.inputs(node)
            if wanted is not None and not any(wanted[source] for source in inputs):
                continue
            for source, part in zip(inputs, hand_on(graph, node, above, values)):
                if part is not None and (wanted is None or wanted[source]):
                    before = gradients[source]
                    gradients[source] = part if before is None else before + part
    return [None if gradient is None else gradient + 0.0 for gradient in gradients]


def handed_on(graph: Graph, node: int, above: Any, values: Sequence[Any]) -> list[Any]:
    """What a node adds to the gradient of each of its inputs, None where it adds nothing."""
    terms = [ArrayTerm(values[source]) for source in graph.inputs(node)]
    found = contributions(graph.operator(node), ArrayTerm(above), ArrayTerm(values[node]), terms)
    return [None if part is None else part.value for part in found]


def handed_on_by_conventions(graph: Graph, node: int, above: Any, values: Sequence[Any]) -> list[Any]:
    """As `handed_on`, with the conventions of the gate's record at elements where a local derivative is not finite."""
    operator = graph.operator(node)
    gate, result = operator.gate, numpy.asarray(values[node])
    assert gate is not None
    if gate.conventions is None:
        return handed_on(graph, node, above, values)
    slopes = [numpy.array(numpy.broadcast_to(slope, result.shape)) for slope in local_slopes(graph, node, values)]
    arguments = [numpy.broadcast_to(values[source], result.shape) for source in graph.inputs(node)]
    lost = numpy.isfinite(result) & ~numpy.isfinite(slopes).all(axis=0)
    for place in zip(*numpy.nonzero(lost)) if result.shape else [()] * int(lost):
        agreed = gate.conventions(float(result[place]), *(float(own[place]) for own in arguments), **dict(operator.attributes))
        for slope, convention in zip(slopes, agreed):
            if not numpy.isfinite(slope[place]) and numpy.isfinite(convention):
                slope[place] = convention
    parts = [ArrayTerm(above) * ArrayTerm(slope) for slope in slopes]
    return [part.sum_to(numpy.shape(values[source])).value for part, source in zip(parts, graph.inputs(node))]


def local_slopes(graph: Graph, node: int, values: Sequence[Any]) -> list[Any]:
    """The local derivatives of an element-wise node by each of its inputs, 0 where no path leads."""
    operator = graph.operator(node)
    gate, terms = operator.gate, [ArrayTerm(values[source]) for source in graph.inputs(node)]
    assert gate is not None and gate.partials is not None
    found = gate.partials(ArrayTerm(values[node]), *terms, **dict(operator.attributes))
    return [_slope_value(slope) for slope in found]


def _slope_value(slope: Any) -> Any:
    if slope is None:
        return 0.0
    if isinstance(slope, Only):
        condition = slope.condition.value if isinstance(slope.condition, ArrayTerm) else slope.condition
        return numpy.where(condition, _slope_value(slope.slope), 0.0)
    return slope.value if isinstance(slope, ArrayTerm) else slope
