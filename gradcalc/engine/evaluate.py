"""Values and gradients of a graph, numbers or arrays, with a second look where a gradient comes out non-finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import dependents, differentiate, flows_back
from gradcalc.engine import scalar, shapes
from gradcalc.engine.makers import Makers, prepare
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph

SECOND_LOOK = 3000
"""Up to so many nodes a non-finite gradient is looked for in the simplified derivative graph."""


@dataclass(slots=True)
class Evaluation:
    """One evaluation of a graph, whose last node is the output.

    Attributes:
        graph: what was evaluated.
        inputs: the values of its inputs, by number.
        scalar: whether everything in it is a number.
        shapes: of every node; None where all are numbers.
        values: of every node.
        gradients: of the output by every wanted node; empty before the backward pass.
        wanted: a flag for every node that a gradient was asked for.
        seed: the gradient from above.
    """

    graph: Graph
    inputs: Sequence[Any]
    scalar: bool
    shapes: list[Shape] | None
    values: list[Any]
    gradients: list[Any]
    wanted: bytearray
    seed: Any = 1.0

    def shape(self, node: int) -> Shape:
        """The shape of a node."""
        return () if self.shapes is None else self.shapes[node]


def evaluate(graph: Graph, inputs: Sequence[Any], makers: Makers | None = None) -> Evaluation:
    """The forward pass.

    Args:
        graph: whose last node is the output.
        inputs: the values of its inputs, by number.
        makers: where random numbers and files come from, and how large an array may be. In the evaluation's graph the makers are
            constants; every node keeps its id.

    Raises:
        NodeProblem: arrays do not fit a gate, or would be too large; found before anything is computed. A file is not what it
            should be.
    """
    if shapes.is_scalar(graph, inputs):
        return Evaluation(graph, inputs, True, None, scalar.forward(graph, inputs), [], bytearray())
    from gradcalc.engine import arrays

    graph, found = prepare(graph, inputs, makers or Makers())
    values = [value if found[node] else float(value) for node, value in enumerate(arrays.forward(graph, inputs))]
    return Evaluation(graph, inputs, False, found, values, [], bytearray())


def backpropagate(evaluation: Evaluation, seed: Any = 1.0, wrt: Sequence[int] | None = None) -> None:
    """The backward pass: fills in the gradients of the output by all nodes that depend on an input, or on the nodes of `wrt`.

    Args:
        evaluation: is completed in place.
        seed: the gradient from above, of the output's shape or one that broadcasts to it.
        wrt: nodes that gradients are wanted for; those on the way to them get one, too.
    """
    graph, values = evaluation.graph, evaluation.values
    last = len(graph) - 1
    evaluation.seed = seed
    wanted = scalar.wanted_nodes(graph) if wrt is None else dependents(graph, wrt, last)
    evaluation.wanted = flows_back(graph, wanted)
    if not evaluation.scalar:
        from gradcalc.engine import arrays

        evaluation.gradients = arrays.backward(graph, values, last, seed, evaluation.wanted)
        _settle(evaluation)
        for node, gradient in enumerate(evaluation.gradients):
            if evaluation.wanted[node]:
                evaluation.gradients[node] = _shaped(gradient, evaluation.shape(node))
        return
    evaluation.gradients = scalar.backward(graph, values, last, seed, evaluation.wanted)
    if math.isfinite(values[last]) and not all(map(math.isfinite, evaluation.gradients)):
        _look_again(evaluation)


def _settle(evaluation: Evaluation) -> None:
    """Mend elements of gradients of arrays that are not finite, by the conventions of the gates' records."""
    import numpy

    from gradcalc.engine import arrays

    graph, gradients = evaluation.graph, evaluation.gradients
    if not any(operator.gate is not None and operator.gate.conventions is not None for operator in graph.operators):
        return
    if all(gradient is None or numpy.isfinite(gradient).all() for gradient in gradients):
        return
    again = arrays.backward(graph, evaluation.values, len(graph) - 1, evaluation.seed, evaluation.wanted, conventions=True)
    for node, (gradient, mended) in enumerate(zip(gradients, again)):
        if gradient is not None:
            gradients[node] = numpy.where(~numpy.isfinite(gradient) & numpy.isfinite(mended), mended, gradient)


def _shaped(gradient: Any, shape: Shape) -> Any:
    """A gradient as an array of its node's shape, or a float; zeros where no path arrives."""
    if not shape:
        return 0.0 if gradient is None else float(gradient)
    import numpy

    return numpy.zeros(shape) if gradient is None else numpy.broadcast_to(gradient, shape)


def _look_again(evaluation: Evaluation) -> None:
    """Mend gradients that are not finite: nan by the simplified derivative graph (sqrt(x)^2 at 0), the rest by conventions."""
    graph, values, gradients, wanted = evaluation.graph, evaluation.values, evaluation.gradients, evaluation.wanted
    last = len(graph) - 1
    lost = [node for node in range(last + 1) if wanted[node] and not math.isfinite(gradients[node])]
    agreed = settled_slopes(graph, values)
    if last < SECOND_LOOK:
        _by_derivative_graph(evaluation, [node for node in lost if math.isnan(gradients[node])], {})
        lost = [node for node in lost if not math.isfinite(gradients[node])]
        if lost and agreed:
            _by_derivative_graph(evaluation, lost, agreed)
    elif agreed:
        again = scalar.backward_with_conventions(graph, values, last, evaluation.seed, wanted)
        for node in lost:
            if math.isfinite(again[node]):
                gradients[node] = again[node]


def settled_slopes(graph: Graph, values: Sequence[float]) -> dict[int, dict[int, float]]:
    """The local derivatives that are settled by a convention of their gate's record, by node and position of the input."""
    agreed: dict[int, dict[int, float]] = {}
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        if gate is not None and gate.conventions is not None:
            plain = scalar.local_slopes(graph, node, values)
            settled = scalar.local_slopes(graph, node, values, conventions=True)
            for position, (before, after) in enumerate(zip(plain, settled)):
                if before is not None and after is not None and not math.isfinite(before) and math.isfinite(after):
                    agreed.setdefault(node, {})[position] = after
    return agreed


def _by_derivative_graph(evaluation: Evaluation, lost: Sequence[int], fixed: Mapping[int, Mapping[int, float]]) -> None:
    """Gradients by the simplified derivative graph, where that makes them finite."""
    graph = evaluation.graph
    mark = graph.mark()
    found = differentiate(graph, len(graph) - 1, lost, above=evaluation.seed, fixed=fixed)
    for node, derivative in zip(lost, found):
        if derivative is None:
            evaluation.gradients[node] = 0.0
            continue
        part = extract(graph, derivative, derivative)
        codes = enumerate(part.graph.codes)
        needed = [evaluation.inputs[graph.left[part.source(inner)]] for inner, code in codes if code == INPUT]
        again = scalar.forward(part.graph, needed)[-1]
        if math.isfinite(again):
            evaluation.gradients[node] = again
    graph.cut(mark)
