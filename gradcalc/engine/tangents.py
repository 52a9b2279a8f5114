"""Forward mode in numbers: how every node of an evaluation moves when its inputs move in a direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import copysign
from typing import Any

from gradcalc.calculus import forward
from gradcalc.calculus.extract import extract
from gradcalc.calculus.reverse import dependents
from gradcalc.dialects.python import PythonWriter
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import SECOND_LOOK, Evaluation, settled_slopes
from gradcalc.engine.scalar import ABSENT, INLINE
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator


def push(evaluation: Evaluation, direction: Mapping[int, Any]) -> list[Any]:
    """How all nodes move: the derivative of each along the direction, which is one Jacobian-vector product for each.

    Args:
        evaluation: after its forward pass.
        direction: for input nodes how far they move: a float, or an array that broadcasts to the input's shape. Others stay.

    Returns:
        For every node a float, or an array of the node's shape; zeros where no path leads to it.
    """
    moves = {node: amount for node, amount in direction.items() if not _is_zero(amount)}
    if not evaluation.scalar:
        return _push_arrays(evaluation, moves)
    graph, values = evaluation.graph, evaluation.values
    found = _push_numbers(graph, values, moves)
    lost = [node for node, tangent in enumerate(found) if not math.isfinite(tangent) and math.isfinite(values[node])]
    if lost and len(graph) <= SECOND_LOOK:
        _look_again(evaluation, moves, found, lost)
    return [tangent + 0.0 for tangent in found]


def _is_zero(amount: Any) -> bool:
    return amount == 0.0 if isinstance(amount, float) else not amount.any()


# ---- numbers ---------------------------------------------------------------------------------------------------------------------


def _push_numbers(graph: Graph, values: Sequence[float], moves: Mapping[int, float]) -> list[float]:
    """One loop over the tape, generated for the gates that are present; ABSENT where no path leads."""
    seeds = [ABSENT] * graph.input_count
    for node, amount in moves.items():
        seeds[graph.left[node]] = amount + 0.0
    loop = _loop(tuple(graph.operators))
    tangents: list[float] = []
    steps = zip(graph.codes, graph.left, graph.right, values)
    while True:
        try:
            loop(steps, values, tangents, seeds, graph.bundles)
            return tangents
        except (ArithmeticError, ValueError, _Rare):
            tangents.append(_guarded(graph, len(tangents), values, tangents))


class _Rare(Exception):
    """Leaves the loop at a node whose operator has no branch of its own."""


def _guarded(graph: Graph, node: int, values: Sequence[float], tangents: Sequence[float]) -> float:
    """One node's tangent by functions that answer as IEEE arithmetic does."""
    total = ABSENT
    for source, slope in zip(graph.inputs(node), scalar.local_slopes(graph, node, values)):
        if slope is not None and not _is_absent(tangents[source]):
            total += tangents[source] * slope + 0.0
    return total


def _is_absent(tangent: float) -> bool:
    return tangent == 0.0 and copysign(1.0, tangent) < 0.0


@lru_cache(maxsize=256)
def _loop(operators: tuple[Operator, ...]) -> Callable[..., None]:
    """Write and compile the loop for these operators."""
    namespace: dict[str, Any] = {"copysign": copysign, "Rare": _Rare}
    lines = [
        "def push(steps, values, tangents, seeds, bundles):",
        "    append = tangents.append",
        "    for code, a, b, y in steps:",
    ]
    for code, operator in enumerate(operators[: INLINE + 2]):
        text = {INPUT: "seeds[a]", CONSTANT: "-0.0"}.get(code) or _tangent_text(operator, namespace)
        lines += [f"        {'elif' if code else 'if'} code == {code}:", f"            append({text})"]
    lines += ["        else:", "            raise Rare"]
    exec(compile("\n".join(lines), "<gradcalc tangents>", "exec"), namespace)
    loop: Callable[..., None] = namespace["push"]
    return loop


def _tangent_text(operator: Operator, namespace: dict[str, Any]) -> str:
    """A node's tangent as an expression of the loop's variables."""
    made = scalar.template(operator)
    arguments = scalar.argument_texts(operator.arity, "values")
    moved = scalar.argument_texts(operator.arity, "tangents")
    parts = []
    for part, tangent in zip(made.parts, moved):
        if part is None:
            continue
        condition, node = part
        writer = PythonWriter(made.graph, {made.above: tangent, made.result: "y", **dict(zip(made.inputs, arguments))})
        # What is not moved must not be multiplied: 0 times inf would be nan.
        guard = f"({tangent} or copysign(1.0, {tangent}) > 0.0)"
        guard = guard if condition is None else f"{guard} and {writer.expression(condition)}"
        parts.append(f"({writer.expression(node)} + 0.0 if {guard} else -0.0)")
        namespace.update(writer.namespace)
    return " + ".join(parts) or "-0.0"


def _look_again(evaluation: Evaluation, moves: Mapping[int, float], found: list[float], lost: Sequence[int]) -> None:
    """Mend tangents that are not finite, as reverse mode does: nan by the simplified graph, the rest by conventions."""
    _by_tangent_graph(evaluation, moves, found, [node for node in lost if math.isnan(found[node])], {})
    lost = [node for node in lost if not math.isfinite(found[node])]
    agreed = settled_slopes(evaluation.graph, evaluation.values)
    if lost and agreed:
        _by_tangent_graph(evaluation, moves, found, lost, agreed)


def _by_tangent_graph(
    evaluation: Evaluation,
    moves: Mapping[int, float],
    found: list[float],
    lost: Sequence[int],
    fixed: Mapping[int, Mapping[int, float]],
) -> None:
    if not lost:
        return
    graph = evaluation.graph
    mark = graph.mark()
    made = forward.tangents(graph, moves, max(lost), fixed=fixed)
    for node in lost:
        tangent = made[node]
        if tangent is None:
            found[node] = 0.0
            continue
        part = extract(graph, tangent, tangent)
        codes = enumerate(part.graph.codes)
        inputs = [evaluation.inputs[graph.left[part.source(inner)]] for inner, code in codes if code == INPUT]
        again = scalar.forward(part.graph, inputs)[-1]
        if math.isfinite(again):
            found[node] = again
    graph.cut(mark)


# ---- arrays ----------------------------------------------------------------------------------------------------------------------


def _push_arrays(evaluation: Evaluation, moves: Mapping[int, Any]) -> list[Any]:
    """The gates' rules on arrays, node by node."""
    import numpy

    from gradcalc.engine.arrays import ArrayTerm

    graph, values = evaluation.graph, evaluation.values
    moved = dependents(graph, moves, len(graph) - 1)
    found: list[Any] = [None] * len(graph)
    with numpy.errstate(all="ignore"):
        for node, flag in enumerate(moved):
            if not flag:
                continue
            if node in moves:
                found[node] = ArrayTerm(numpy.broadcast_to(numpy.asarray(moves[node], dtype=float), evaluation.shape(node)))
                continue
            sources = graph.inputs(node)
            terms = [ArrayTerm(values[source]) for source in sources]
            tangent = forward.pushed(graph.operator(node), ArrayTerm(values[node]), terms, [found[source] for source in sources])
            found[node] = tangent
    return [_shaped(tangent, evaluation.shape(node)) for node, tangent in enumerate(found)]


def _shaped(tangent: Any, shape: tuple[int, ...]) -> Any:
    import numpy

    if tangent is None:
        return numpy.zeros(shape) if shape else 0.0
    value = numpy.broadcast_to(tangent.value, shape) + 0.0
    return value if shape else float(value)
