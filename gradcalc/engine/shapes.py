"""The shape pass: every node's shape, found before the first number is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradcalc.errors import GradcalcError, LimitProblem, ShapeProblem
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import DRAW, Shape
from gradcalc.gates.reductions import spell_shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

MAXIMUM_BYTES = 2 * 1024**3
"""What one array may hold, unless another limit is given."""

MAXIMUM_AXES = 64
"""As many as NumPy's arrays have."""

ELEMENT = 8
"""The bytes of a float64."""


class NodeProblem(Exception):
    """What is wrong with a node; the caller knows its place in the text."""

    def __init__(self, node: int, message: str, kind: type[GradcalcError] = ShapeProblem, remedy: str = "") -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.kind = kind
        self.remedy = remedy

    def problem(self, **fields: Any) -> GradcalcError:
        """The error for the user."""
        return self.kind(self.message, **({"remedy": self.remedy} | fields))


class ShapeMismatch(NodeProblem):
    """A node whose inputs' shapes do not fit its gate."""


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


def size_inputs(graph: Graph) -> set[int]:
    """The numbers of the inputs that sizes are computed from: what has been prepared holds for their values only."""
    sources: set[int] = set()
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        if gate is not None and gate.data is not None:
            sources.update(gate.divided(graph.inputs(node))[1])
    if not sources:
        return set()
    reached = graph.reached(sorted(sources))
    return {graph.left[node] for node, flag in enumerate(reached) if flag and graph.codes[node] == INPUT}


def as_key(value: Any) -> Any:
    """A size, a number or a list of them, as something to look up by."""
    return value if isinstance(value, float) else tuple(value.ravel().tolist())


def as_sizes(values: Sequence[Any], whole: bool = True) -> tuple[Any, ...]:
    """Size inputs (numbers, or lists of them) as one tuple of integers; ValueError where one is not whole.

    With `whole` off, they may be any finite numbers.
    """
    sizes: list[Any] = []
    for value in values:
        for size in [value] if isinstance(value, int | float) else value.ravel().tolist():
            if not math.isfinite(size):
                raise ValueError(f"{size:g} is not a {'size' if whole else 'step or an end'}")
            if whole and size != int(size):
                raise ValueError(f"{size:g} is not a size: sizes are whole numbers")
            sizes.append(int(size) if whole else float(size))
    return tuple(sizes)


def infer(
    graph: Graph,
    inputs: Sequence[Any],
    sizes: Callable[[Sequence[int]], Sequence[Any]] | None = None,
    limit: int = MAXIMUM_BYTES,
) -> list[Shape]:
    """The shape of every node.

    Args:
        graph: the graph.
        inputs: the input nodes' values, by their number.
        sizes: evaluates nodes that are sizes (of `reshape(x, n, 3)`).
        limit: how many bytes one array may hold.

    Raises:
        NodeProblem: the inputs of a node do not fit its gate, or its result is too large.
    """
    shapes: list[Shape] = []
    for node, code in enumerate(graph.codes):
        if code == INPUT:
            shapes.append(shape_of(inputs[graph.left[node]]))
        elif code == CONSTANT:
            shapes.append(shape_of(graph.constant(node)))
        else:
            operator = graph.operators[code]
            sources = graph.inputs(node)
            try:
                shape = _shape(operator, [shapes[source] for source in sources], sources, sizes)
            except ValueError as problem:
                raise ShapeMismatch(node, _describe(operator, [shapes[source] for source in sources], str(problem))) from None
            if shape:
                _check_size(node, operator, shape, limit)
            shapes.append(shape)
    return shapes


def _shape(
    operator: Operator,
    given: Sequence[Shape],
    sources: Sequence[int],
    sizes: Callable[[Sequence[int]], Sequence[Any]] | None,
) -> Shape:
    gate = operator.gate
    assert gate is not None
    if gate.shape is None:
        return broadcast_shapes(*given)
    attributes = {name: value for name, value in operator.attributes if name != DRAW}
    if gate.data is None:
        return gate.shape(*given, **attributes)
    assert sizes is not None
    wanted = as_sizes(sizes(gate.divided(sources)[1]), gate.whole)
    return gate.shape(*gate.divided(given)[0], **attributes, sizes=wanted)


def _check_size(node: int, operator: Operator, shape: Shape, limit: int) -> None:
    assert operator.gate is not None
    if len(shape) > MAXIMUM_AXES:
        raise NodeProblem(node, f"{operator.gate.name}: an array has at most {MAXIMUM_AXES} axes, not {len(shape)}")
    size = ELEMENT * math.prod(shape)
    if size > limit:
        raise NodeProblem(
            node,
            f"{operator.gate.name} would make an array of {spell_shape(shape)} numbers, {spell_bytes(size)}: "
            f"one array may hold {spell_bytes(limit)}",
            LimitProblem,
            "make it smaller, or raise the limit with --max-array",
        )


def spell_bytes(size: int) -> str:
    """A number of bytes as people write it: `2 GiB`, `1.5 MiB`, `800 bytes`."""
    power = min(4, max(0, (size.bit_length() - 1) // 10))
    if not power:
        return f"{size} bytes"
    return f"{size / 1024**power:.3g} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"


def _describe(operator: Operator, given: Sequence[Shape], words: str) -> str:
    assert operator.gate is not None
    if operator.gate.shape is None:
        return f"{operator.gate.name} cannot join shapes {' and '.join(map(spell_shape, given))}"
    name = operator.gate.name
    # Words that have the gate's name in them need it no second time, and an index is not called by one.
    return words if name == "[]" or name in words.partition(":")[0].split() else f"{name}: {words}"
