"""Derivatives with fifty digits, by mpmath: they settle what floats are too coarse to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.differences import EPSILON, Slope
from gradcalc.errors import MissingExtra, UsageProblem
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

if TYPE_CHECKING:
    from gradcalc.engine.evaluate import Evaluation

DIGITS = 50
STEP_EXPONENT = -80
"""The step is 2^-80 of the point's size: finer than what a float at the point can be off, and 50 digits leave 26 behind."""

NO_CHANCE = 2.0**-40
"""A gradient that agrees with the derivative to so small a part does not do so by chance."""


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


def exact_slopes(
    graph: Graph, values: Sequence[float], nodes: Sequence[int], gradients: Sequence[float], seed: float
) -> dict[int, Slope]:
    """The derivative of the output by each node, in high precision; nodes at which the function has no value are left out.

    The bar says how much the derivative changes when the point moves by a few roundings, since the gradient it is compared
    with was taken at rounded values; where the two agree all the same, it is as small as floats allow.

    Args:
        graph: whose last node is the output.
        values: of its nodes.
        nodes: to differentiate by.
        gradients: of all nodes, for comparison.
        seed: the gradient from above.
    """
    mp = context()
    functions = {code: exact_function(operator, mp) for code, operator in enumerate(graph.operators) if operator.gate is not None}
    found = {}
    for node in nodes:
        slope = _slope(graph, values, node, mp, functions, gradients[node] / seed if seed else 0.0)
        if slope is not None:
            found[node] = slope._replace(value=seed * slope.value, bar=abs(seed) * slope.bar)
    return found


def exact_value(graph: Graph, inputs: Sequence[float]) -> float:
    """The last node of a graph of numbers, computed with fifty digits; nan where it has no real value.

    Raises:
        MissingExtra: mpmath is not installed.
    """
    mp = context()
    functions = {code: exact_function(operator, mp) for code, operator in enumerate(graph.operators) if operator.gate is not None}
    found: list[Any] = []
    for node, code in enumerate(graph.codes):
        if code == INPUT:
            found.append(mp.mpf(inputs[graph.left[node]]))
        elif code == CONSTANT:
            found.append(mp.mpf(graph.constant(node)))
        else:
            try:
                found.append(functions[code](*[found[source] for source in graph.inputs(node)]))
            except (ArithmeticError, ValueError):
                found.append(mp.nan)
            if isinstance(found[-1], mp.mpc):
                found[-1] = mp.nan
    return float(found[-1])


def _slope(
    graph: Graph, values: Sequence[float], node: int, mp: Any, functions: Mapping[int, Callable[..., Any]], gradient: float
) -> Slope | None:
    return _slope_of(lambda point: _output(graph, values, node, point, mp, functions), mp.mpf(values[node]), mp, gradient)


def _slope_of(output: Callable[[Any], Any], x: Any, mp: Any, gradient: float) -> Slope | None:
    """The slope at a point; None where the function has no value, a kink, or changes too fast even on this scale."""
    size = abs(x) if x else mp.mpf(1)
    step = mp.ldexp(size, STEP_EXPONENT)
    shift = 4 * EPSILON * size
    slopes: list[Any] = []
    for point in (x, x - shift, x + shift):
        above, center, below = (output(at) for at in (point + step, point, point - step))
        if not (mp.isfinite(above) and mp.isfinite(center) and mp.isfinite(below)):
            return None
        right, left = (above - center) / step, (center - below) / step
        if abs(right - left) > mp.mpf(2) ** -20 * (abs(right) + abs(left)):
            return None
        slopes.append((right + left) / 2)
        value = float(slopes[0])
        off = abs(gradient - value)
        if off <= NO_CHANCE * abs(value):
            return Slope(value, max(EPSILON * abs(value), off), True)
    spread = max(abs(slope - slopes[0]) for slope in slopes)
    return Slope(value, float(2 * spread) + EPSILON * abs(value), True)


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


# ---- arrays ----------------------------------------------------------------------------------------------------------------------


EXACT_NUMBERS = 2_000_000
"""How many numbers of fifty digits an exact check of an array's elements may make: some seconds."""


def exact_element_slopes(evaluation: Evaluation, node: int, elements: Sequence[int]) -> dict[int, Slope]:
    """The derivative of the weighted output by each of these elements of a node, in high precision; see `exact_slopes`.

    Raises:
        UsageProblem: a gate on the way has no exact rule for arrays, or the arrays are too large.
        MissingExtra: mpmath is not installed.
    """
    import numpy

    mp = context()
    if not elements:
        return {}
    graph = evaluation.graph
    last = len(graph) - 1
    touched = [inner for inner, flag in enumerate(dependents(graph, [node], last)) if flag and inner > node]
    if 9 * len(elements) * sum(numpy.size(evaluation.values[inner]) for inner in touched) > EXACT_NUMBERS:
        raise UsageProblem(
            f"--check exact: {len(elements)} elements reach too many numbers to compute each with {DIGITS} digits",
            remedy="use --check complex or --check auto, or name fewer arrays with --wrt",
        )
    functions = {graph.codes[inner]: _exact_array_function(graph.operator(inner), mp) for inner in touched}
    exact = {source: _exact_array(evaluation.values[source], mp) for inner in touched for source in graph.inputs(inner)} | {
        node: _exact_array(evaluation.values[node], mp),
        last: _exact_array(evaluation.values[last], mp),
    }
    weights = _exact_array(numpy.broadcast_to(numpy.asarray(evaluation.seed, float), numpy.shape(evaluation.values[last])), mp)

    def output(element: int, point: Any) -> Any:
        moved = exact[node].copy()
        moved.flat[element] = point
        lanes = {node: moved}
        for inner in touched:
            arguments = [lanes.get(source, exact[source]) for source in graph.inputs(inner)]
            try:
                lanes[inner] = numpy.asarray(functions[graph.codes[inner]](*arguments), dtype=object)
            except (ArithmeticError, ValueError):
                return mp.nan
        total = mp.fsum(numpy.ravel(weights * lanes.get(last, exact[last])).tolist())
        return mp.nan if isinstance(total, mp.mpc) else total

    gradient = numpy.ravel(evaluation.gradients[node])
    found = {}
    for element in elements:
        moved = partial(output, element)
        slope = _slope_of(moved, exact[node].flat[element], mp, float(gradient[element]))
        if slope is not None:
            found[element] = slope
    return found


def _exact_array(value: Any, mp: Any) -> Any:
    import numpy

    made = numpy.empty(numpy.shape(value), dtype=object)
    made.ravel()[...] = [mp.mpf(number) for number in numpy.ravel(value).tolist()]
    return made


def _exact_array_function(operator: Operator, mp: Any) -> Callable[..., Any]:
    """A gate's forward rule on arrays of mpmath's numbers."""
    import numpy

    from gradcalc.engine.arrays import kernel

    gate = operator.gate
    assert gate is not None
    if gate.elementwise:
        return numpy.frompyfunc(exact_function(operator, mp), operator.arity, 1)  # type: ignore[no-any-return]
    if gate.constant:
        # A size, say: it depends on the shapes of its inputs only, or jumps.
        plain = kernel(gate, operator.attributes)
        return lambda *arguments: _exact_array(plain(*map(_as_floats, arguments)), mp)
    if gate.linear and gate.formula is None:
        function = kernel(gate, operator.attributes)
        sizes = set(range(operator.arity)) - set(gate.divided(list(range(operator.arity)))[0])

        def linear(*arguments: Any) -> Any:
            return function(*[_as_floats(argument) if number in sizes else argument for number, argument in enumerate(arguments)])

        return linear
    if gate.formula is not None and gate.data is None:
        return _array_formula(operator, mp)
    raise UsageProblem(
        f"--check exact: {gate.name} has no rule for numbers of {DIGITS} digits", remedy="use --check complex or --check auto"
    )


def _as_floats(sizes: Any) -> Any:
    import numpy

    return numpy.asarray(sizes).astype(float)


def _array_formula(operator: Operator, mp: Any) -> Callable[..., Any]:
    import numpy

    from gradcalc.language.formulas import parse_formula

    assert operator.gate is not None
    body = parse_formula(operator.gate, dict(operator.attributes))
    graph = body.graph
    reached = graph.reached([body.output])
    inner = {
        graph.codes[node]: _exact_array_function(graph.operator(node), mp)
        for node in range(body.output + 1)
        if reached[node] and graph.codes[node] > CONSTANT
    }

    def compute(*arguments: Any) -> Any:
        found = dict(zip(body.parameters, arguments))
        for node in range(body.output + 1):
            if node in found or not reached[node]:
                continue
            if graph.codes[node] == CONSTANT:
                found[node] = _exact_array(graph.constant(node), mp)
            else:
                made = inner[graph.codes[node]](*[found[source] for source in graph.inputs(node)])
                found[node] = numpy.asarray(made, dtype=object)
        return found[body.output]

    return compute
