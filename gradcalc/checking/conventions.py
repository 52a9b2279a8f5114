"""Kinks on the way to an output: what is answered there, which slopes the two sides have, and what other libraries answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.checking.differences import EPSILON, LEVELS, SMALLEST, ladder, slopes, steps
from gradcalc.checking.probe import lanes_of
from gradcalc.checking.scalars import ROUNDINGS
from gradcalc.engine.evaluate import Evaluation
from gradcalc.engine.scalar import guarded_forward, guarded_slopes, wanted_nodes
from gradcalc.gates.conventions import ARRAY_CONVENTIONS, LIBRARIES, Answer, conventions_at, slope_of
from gradcalc.gates.record import Gate, Where
from gradcalc.graph import Operator


class Side(NamedTuple):
    """One input of a gate at a kink.

    Attributes:
        position: which input.
        answer: the local derivative that gradcalc takes; nan where there is none.
        left: the slope from below, nan where the gate has no value there.
        right: the slope from above.
        others: the answers of other libraries, by name.
    """

    position: int
    answer: float
    left: float
    right: float
    others: Mapping[str, Answer]


class Kink(NamedTuple):
    """A node at which its gate has no derivative, or one by a convention.

    Attributes:
        node: which.
        name: what it is called.
        gate: its gate.
        kind: `kink` or `edge`.
        words: what the gate's record says of the point.
        sources: what the gate's inputs are called.
        inputs: the gate's inputs there; of arrays those of the first element concerned.
        sides: its inputs, for gates that work element by element.
        elements: how many elements of an array are at a kink; None for numbers.
        others: the answers of other libraries in words, for all other gates.
    """

    node: int
    name: str
    gate: Gate
    kind: str
    words: str
    sources: tuple[str, ...]
    inputs: tuple[float, ...]
    sides: tuple[Side, ...]
    elements: int | None
    others: Mapping[str, str]


def kinks(evaluation: Evaluation, label: Callable[[int], str]) -> Iterator[Kink]:
    """The kinks and edges at which the gates of an evaluation are, as far as gradients pass through them or are decided by them.

    Args:
        evaluation: after its backward pass.
        label: what the nodes are called.
    """
    graph = evaluation.graph
    varies = wanted_nodes(graph)
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        decides = not evaluation.wanted[node]  # a condition, say
        if gate is None or not varies[node] or (decides and not gate.constant):
            continue
        inputs = graph.inputs(node)
        found = kink_of(graph.operators[code], [evaluation.values[source] for source in inputs])
        if found is not None and decides:
            words = f"{found.words}; the slope is that of the side taken"
            yield found._replace(node=node, name=label(node), words=words, sources=tuple(map(label, inputs)), sides=())
        elif found is not None:
            sides = tuple(side for side in found.sides if evaluation.wanted[inputs[side.position]])
            if found.sides and all(map(_is_smooth, sides)):
                continue  # x^2 at 0 is smooth, though other powers are not
            yield found._replace(node=node, name=label(node), sources=tuple(map(label, inputs)), sides=sides)


def kink_of(operator: Operator, values: Sequence[Any]) -> Kink | None:
    """The kink or edge at which a gate is on these inputs (numbers or arrays), if it is at one."""
    gate = operator.gate
    assert gate is not None
    attributes = dict(operator.attributes)
    if not gate.elementwise:
        import numpy

        values = [numpy.asarray(value) for value in values]
    for kind, condition in (("kink", gate.kinks), ("edge", gate.edges)):
        holds = False if condition is None else _holds(condition, values, attributes)
        if condition is None or holds is False:
            continue
        if not gate.elementwise:
            return Kink(-1, "", gate, kind, condition.text, (), (), (), _count(holds), _told_of_arrays(gate))
        point, elements = (tuple(values), None) if holds is True else _first(holds, values)
        return Kink(-1, "", gate, kind, condition.text, (), point, _sides(operator, point), elements, {})
    if not all(isinstance(value, float) for value in values):
        return None
    for entry in conventions_at(gate.name, values, attributes):
        # Beside a whole exponent a negative base has no value: the gate is smooth in one input, and has an edge in the other.
        return Kink(-1, "", gate, "edge", entry.words, (), tuple(values), _sides(operator, tuple(values)), None, {})
    return None


def _is_smooth(side: Side) -> bool:
    """Whether both slopes are the one that is answered."""
    return side.left == side.right == side.answer


def _sides(operator: Operator, point: tuple[float, ...]) -> tuple[Side, ...]:
    assert operator.gate is not None
    return tuple(_side(operator, position, point) for position in range(len(point)) if position not in operator.gate.discrete)


def _holds(condition: Where, values: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """Whether a condition holds: True, False, or an array of it of which some element is true."""
    try:
        found = condition.holds(*values, **attributes)
    except (ArithmeticError, ValueError):
        return False
    if not getattr(found, "shape", ()):
        return bool(found)
    return found if found.any() else False


def _count(holds: Any) -> int | None:
    return None if holds is True else int(holds.sum())


def _first(holds: Any, values: Sequence[Any]) -> tuple[tuple[float, ...], int]:
    """The inputs of the first element at which a condition holds, and how many there are."""
    import numpy

    columns = numpy.broadcast_arrays(holds, *values)
    at = int(numpy.argmax(columns[0].ravel()))
    return tuple(float(column.ravel()[at]) for column in columns[1:]), int(holds.sum())


def _side(operator: Operator, position: int, point: Sequence[float]) -> Side:
    gate, attributes = operator.gate, dict(operator.attributes)
    assert gate is not None
    function = guarded_forward(operator)
    value = function(*point)
    answers = list(guarded_slopes(operator)(value, *point))
    answer = answers[position]
    if answer is not None and not math.isfinite(answer) and gate.conventions is not None and math.isfinite(value):
        agreed = gate.conventions(value, *point, **attributes)[position]
        answer = agreed if math.isfinite(agreed) else answer
    left, right = _slopes(function, position, point, value)
    others = {
        library: slope_of(entry.answers[library][position], attributes)
        for entry in conventions_at(gate.name, point, attributes)
        for library in (*LIBRARIES, *(name for name in entry.answers if name not in LIBRARIES))
        if library in entry.answers and entry.answers[library][position] is not None
    }
    return Side(position, 0.0 if answer is None else answer + 0.0, left, right, others)


def _slopes(function: Any, position: int, point: Sequence[float], value: float) -> tuple[float, float]:
    """The slopes of a gate on the two sides of an input, by differences."""
    x = point[position]
    around = [function(*point[:position], lane, *point[position + 1 :]) for lane in lanes_of(x)]
    noise = ROUNDINGS * EPSILON * abs(value) + SMALLEST
    shown = slopes(around[:LEVELS], around[LEVELS:], value, steps(x), 2.0 ** ladder(x)[1], noise)
    return _tidy(shown.left.value, shown.left.bar), _tidy(shown.right.value, shown.right.bar)


def _tidy(value: float, bar: float) -> float:
    """A slope without the digits that nobody vouches for."""
    if not math.isfinite(value) or not math.isfinite(bar):
        return value
    whole = float(round(value))
    return whole + 0.0 if abs(value - whole) <= 3.0 * bar else value


def _told_of_arrays(gate: Gate) -> Mapping[str, str]:
    for entry in ARRAY_CONVENTIONS:
        if entry.gate == gate.name:
            return {library: f"{entry.answers[library]} ({entry.words})" for library in LIBRARIES if library in entry.answers}
    return {}
