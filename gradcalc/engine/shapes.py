"""The shape pass: every node's shape, found before the first number is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcalc.errors import ShapeProblem
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import Shape
from gradcalc.gates.reductions import spell_shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator


class ShapeMismatch(Exception):
    """A node whose inputs' shapes do not fit its gate; the caller knows its place in the text."""

    def __init__(self, node: int, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message

    def problem(self, **fields: Any) -> ShapeProblem:
        """The error for the user."""
        return ShapeProblem(self.message, **fields)


def shape_of(value: Any) -> Shape:
    """The shape of a value: () for a float."""
    return () if isinstance(value, float) else tuple(value.shape)


def is_scalar(graph: Graph, inputs: Sequence[Any]) -> bool:
    """Whether the graph holds nothing but numbers, so that neither shapes nor NumPy are needed."""
    return (
        all(isinstance(value, float) for value in inputs)
        and all(isinstance(value, float) for value in graph.constants)
        and all(operator.gate is None or operator.gate.elementwise for operator in graph.operators)
    )


def infer(graph: Graph, inputs: Sequence[Any], sizes: Callable[[Sequence[int]], Sequence[int]] | None = None) -> list[Shape]:
    """The shape of every node.

    Args:
        graph: the graph.
        inputs: the input nodes' values, by their number.
        sizes: evaluates nodes that are sizes (of `reshape(x, n, 3)`) to integers.

    Raises:
        ShapeMismatch: the inputs of a node do not fit its gate.
    """
    shapes: list[Shape] = []
    for node, code in enumerate(graph.codes):
        if code == INPUT:
            shapes.append(shape_of(inputs[graph.left[node]]))
        elif code == CONSTANT:
            shapes.append(shape_of(graph.constant(node)))
        else:
            operator = graph.operators[code]
            given = [shapes[source] for source in graph.inputs(node)]
            try:
                if operator.gate is not None and operator.gate.data is not None:
                    assert sizes is not None
                    wanted = tuple(sizes(graph.inputs(node)[operator.gate.data :]))
                    shapes.append(_sized(operator, given[: operator.gate.data], wanted))
                else:
                    shapes.append(_shape(operator, given))
            except ValueError as problem:
                raise ShapeMismatch(node, _describe(operator, given, str(problem))) from None
    return shapes


def _shape(operator: Operator, given: Sequence[Shape]) -> Shape:
    gate = operator.gate
    assert gate is not None
    if gate.shape is not None:
        return gate.shape(*given, **dict(operator.attributes))
    return broadcast_shapes(*given)


def _sized(operator: Operator, given: Sequence[Shape], sizes: tuple[int, ...]) -> Shape:
    assert operator.gate is not None and operator.gate.shape is not None
    return operator.gate.shape(*given, **dict(operator.attributes), sizes=sizes)


def _describe(operator: Operator, given: Sequence[Shape], words: str) -> str:
    assert operator.gate is not None
    if operator.gate.shape is None:
        return f"{operator.gate.name} cannot join shapes {' and '.join(map(spell_shape, given))}"
    return f"{operator.gate.name}: {words}"
