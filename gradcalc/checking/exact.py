"""Derivatives with fifty digits, by mpmath: they settle what floats are too coarse to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcalc.checking.differences import EPSILON, Slope
from gradcalc.errors import MissingExtra
from gradcalc.graph import CONSTANT, Graph, Operator

DIGITS = 50
STEP_EXPONENT = -50
"""The step is 2^-50 of the point's size: its square is beyond what a float shows, and 50 digits leave 35 after the difference."""


def context() -> Any:
    """An mpmath context of our own, with fifty digits.

    Raises:
        MissingExtra: mpmath is not installed.
    """
    try:
        import mpmath
    except ImportError:
        raise MissingExtra("--check exact", "exact") from None
    made = mpmath.MPContext()
    made.dps = DIGITS
    return made


def exact_slopes(graph: Graph, values: Sequence[float], nodes: Sequence[int]) -> dict[int, Slope]:
    """The derivative of the output by each node, in high precision; nodes at which the function has no value are left out.

    The bar says how much the derivative changes when the point moves by a few roundings, since the gradient it is compared
    with was taken at rounded values.
    """
    mp = context()
    functions = {code: exact_function(operator, mp) for code, operator in enumerate(graph.operators) if operator.gate is not None}
    found = {}
    for node in nodes:
        slope = _slope(graph, values, node, mp, functions)
        if slope is not None:
            found[node] = slope
    return found


def _slope(graph: Graph, values: Sequence[float], node: int, mp: Any, functions: Mapping[int, Callable[..., Any]]) -> Slope | None:
    x = mp.mpf(values[node])
    size = abs(x) if x else mp.mpf(1)
    step = mp.ldexp(size, STEP_EXPONENT)
    shift = 4 * EPSILON * size
    slopes = []
    for point in (x, x - shift, x + shift):
        above, center, below = (_output(graph, values, node, at, mp, functions) for at in (point + step, point, point - step))
        if not (mp.isfinite(above) and mp.isfinite(center) and mp.isfinite(below)):
            return None
        right, left = (above - center) / step, (center - below) / step
        if abs(right - left) > mp.mpf(2) ** -20 * (abs(right) + abs(left)):
            return None  # a kink, or a function that is steep even on this scale
        slopes.append((right + left) / 2)
    spread = max(abs(slope - slopes[0]) for slope in slopes)
    return Slope(float(slopes[0]), float(2 * spread) + EPSILON * abs(float(slopes[0])), True)


def _output(
    graph: Graph, values: Sequence[float], node: int, point: Any, mp: Any, functions: Mapping[int, Callable[..., Any]]
) -> Any:
    lanes = {node: point}
    for current in range(node + 1, len(graph)):
        if graph.codes[current] <= CONSTANT:
            continue
        inputs = graph.inputs(current)
        if any(source in lanes for source in inputs):
            arguments = [lanes[source] if source in lanes else mp.mpf(values[source]) for source in inputs]
            try:
                lanes[current] = functions[graph.codes[current]](*arguments)
            except (ArithmeticError, ValueError):
                return mp.nan
            if isinstance(lanes[current], mp.mpc):
                return mp.nan
    return lanes.get(len(graph) - 1, mp.mpf(values[-1]))


def exact_function(operator: Operator, mp: Any) -> Callable[..., Any]:
    """A gate's forward rule in mpmath; one that has none is computed by its formula."""
    gate = operator.gate
    assert gate is not None
    attributes = dict(operator.attributes)
    if callable(gate.exact):
        rule = gate.exact
        return lambda *arguments: rule(mp, *arguments, **attributes)
    name = gate.exact or gate.name
    if hasattr(mp, name) and gate.formula is None:
        return getattr(mp, name)  # type: ignore[no-any-return]
    return _by_formula(operator, mp)


def _by_formula(operator: Operator, mp: Any) -> Callable[..., Any]:
    from gradcalc.language.formulas import parse_formula

    assert operator.gate is not None
    body = parse_formula(operator.gate, dict(operator.attributes))
    inner = {code: exact_function(inside, mp) for code, inside in enumerate(body.graph.operators) if inside.gate is not None}

    def compute(*arguments: Any) -> Any:
        found = dict(zip(body.parameters, arguments))
        for node in range(body.output + 1):
            if node in found:
                continue
            if body.graph.codes[node] == CONSTANT:
                found[node] = mp.mpf(body.graph.constant(node))
            else:
                found[node] = inner[body.graph.codes[node]](*[found[source] for source in body.graph.inputs(node)])
        return found[body.output]

    return compute
