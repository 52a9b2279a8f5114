"""The interpreter for graphs of numbers: one loop forwards, one backwards, generated for the gates that are present.

What runs once is not worth compiling, so a loop walks the graph's columns and branches on the code of each node. The branches
are written from the gates' records, the most frequent gates first. Python's float functions raise where IEEE arithmetic answers
inf or nan; the loops do not guard against it, they are left on the exception, the one node is computed by guarded functions, and
they are entered again behind it: what is well-behaved pays nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import copysign, isfinite
from operator import length_hint
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from gradcalc.calculus.build import Builder
from gradcalc.calculus.reverse import dependents
from gradcalc.dialects.python import PythonWriter, as_truth
from gradcalc.gates.algebra import Only
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

ABSENT = -0.0
"""The gradient of a node that no contribution has reached.

-0.0 is the identity of IEEE addition: x + -0.0 is x for every x. Where masks can leave a node without a contribution, every real
contribution has +0.0 added to it and so is never -0.0, and a gradient of -0.0 means that no path led here.
"""

SAMPLE = 512
"""How many nodes are looked at to order the branches of the loops."""

INLINE = 24
"""How many operators get a branch of their own; what is rarer goes through a table of functions."""


_NAME = re.compile(r"\w+")


class Loops(NamedTuple):
    """The generated loops of a set of operators."""

    forward: Callable[..., None]
    backward: Callable[..., None]
    masked: bool
    selective: bool
    """Whether the backward loop asks which nodes are wanted."""
    results: bool
    """Whether it needs the nodes' own values."""
    inlined: frozenset[Operator]
    """The operators that have a branch of their own."""


def forward(graph: Graph, inputs: Sequence[float]) -> list[float]:
    """The value of every node of a graph of numbers; `inputs` holds those of the input nodes, by their number."""
    loops = _loops_of(graph)
    values: list[float] = []
    steps = zip(graph.codes, graph.left, graph.right)
    while True:
        try:
            loops.forward(steps, values, inputs, graph.constants, graph.bundles)
            return values
        except (ArithmeticError, ValueError):
            values.append(guarded_value(graph, len(values), values))


def guarded_value(graph: Graph, node: int, values: Sequence[float]) -> float:
    """One node's value by functions that answer as IEEE arithmetic does."""
    function = guarded_forward(graph.operator(node))
    return function(*[values[source] for source in graph.inputs(node)])


def backward(graph: Graph, values: Sequence[float], output: int, seed: float = 1.0, wanted: bytearray | None = None) -> list[float]:
    """The gradient of the last node, or of `output`, by every node of a graph all of which the output depends on.

    `wanted` flags the nodes whose gradient is asked for, or lies on the way there; None stands for all that depend on an input. The
    gradients of other nodes are not meaningful.
    """
    loops = _loops_of(graph)
    gradients = [ABSENT if loops.masked else 0.0] * len(graph)
    gradients[output] = seed
    if loops.selective and wanted is None:
        wanted = wanted_nodes(graph)
    columns = [graph.codes, graph.left, graph.right, *([values] if loops.results else [])]
    above = reversed(gradients)
    steps = zip(*map(reversed, columns), above)
    unreached: list[int] = []
    while True:
        try:
            loops.backward(steps, values, gradients, graph.bundles, wanted, above, unreached.append)
            break
        except (ArithmeticError, ValueError, _Rare):
            # What the iterator has not yet handed out are the nodes before this one.
            _hand_on(graph, length_hint(above), values, gradients, wanted, conventions=False)
    for node in unreached:
        gradients[node] = 0.0
    return gradients


def handed_on(graph: Graph, node: int, above: float, values: Sequence[float]) -> list[float | None]:
    """What the backward loop adds to the gradient of each input of a node, None where it adds nothing."""
    operator = graph.operator(node)
    arguments = [values[source] for source in graph.inputs(node)]
    if operator in _loops_of(graph).inlined:
        try:
            return list(_plain_parts(operator)(above, values[node], *arguments))
        except (ArithmeticError, ValueError):
            pass
    slopes = local_slopes(graph, node, values)
    return [None if slope is None else above * slope + 0.0 for slope in slopes]


@lru_cache(maxsize=1024)
def _plain_parts(operator: Operator) -> Callable[..., tuple[float | None, ...]]:
    """An operator's contributions, written as they are in the loops, as a function that may raise."""
    made = template(operator)
    names = ["g", "y", *(f"x{number}" for number in range(operator.arity))]
    writer = PythonWriter(made.graph, dict(zip((made.above, made.result, *made.inputs), names)))
    texts = []
    for part in made.parts:
        if part is None:
            texts.append("None")
            continue
        condition, node = part
        texts.append(writer.expression(node) + ("" if condition is None else f" if {writer.expression(condition)} else None"))
    return python_function(f"({', '.join(texts)},)", names, writer.namespace)


class _Rare(Exception):
    """Leaves the backward loop at a node whose operator has no branch of its own."""


def backward_with_conventions(
    graph: Graph, values: Sequence[float], output: int, seed: float, wanted: bytearray | None = None
) -> list[float]:
    """As `backward`, one node at a time, with the records' conventions where a local derivative is not finite."""
    wanted = wanted_nodes(graph) if wanted is None else wanted
    gradients = [ABSENT] * len(graph)
    gradients[output] = seed
    for node in range(output, -1, -1):
        if wanted[node] and graph.codes[node] > CONSTANT:
            _hand_on(graph, node, values, gradients, wanted, conventions=True)
    return [gradient + 0.0 for gradient in gradients]


def _hand_on(
    graph: Graph,
    node: int,
    values: Sequence[float],
    gradients: list[float],
    wanted: bytearray | None,
    conventions: bool,
) -> None:
    """One node's contributions to the gradients of its inputs, by guarded functions."""
    above = gradients[node]
    if above == 0.0 and copysign(1.0, above) < 0.0:
        return
    inputs = graph.inputs(node)
    slopes = local_slopes(graph, node, values, conventions)
    for source, slope in zip(inputs, slopes):
        if slope is not None and (wanted is None or wanted[source]):
            gradients[source] += above * slope + 0.0


def local_slopes(graph: Graph, node: int, values: Sequence[float], conventions: bool = False) -> list[float | None]:
    """The local derivative of a node by each of its inputs as a number, None where there is no path."""
    operator = graph.operator(node)
    gate = operator.gate
    assert gate is not None
    arguments = [values[source] for source in graph.inputs(node)]
    slopes = list(guarded_slopes(operator)(values[node], *arguments))
    if conventions and gate.conventions is not None and isfinite(values[node]):
        agreed = gate.conventions(values[node], *arguments, **dict(operator.attributes))
        for position, (slope, convention) in enumerate(zip(slopes, agreed)):
            if slope is not None and not isfinite(slope) and isfinite(convention):
                slopes[position] = convention
    return slopes


def wanted_nodes(graph: Graph) -> bytearray:
    """Which nodes depend on an input."""
    return dependents(graph, [node for node, code in enumerate(graph.codes) if code == INPUT], len(graph) - 1)


# ---- the loops, generated --------------------------------------------------------------------------------------------------------


_loops_of_graphs: WeakKeyDictionary[Graph, tuple[list[Operator], Loops]] = WeakKeyDictionary()
"""The loops of each graph, with the operators it had then: a graph is walked forwards and backwards, and often again."""


def _loops_of(graph: Graph) -> Loops:
    operators = graph.operators
    known, loops = _loops_of_graphs.get(graph, ([], None))
    if loops is None or known != operators:
        counts = Counter(graph.codes[:SAMPLE])
        order = sorted(range(2, len(operators)), key=lambda code: -counts[code])
        leaves_first = counts[INPUT] + counts[CONSTANT] > len(graph.codes[:SAMPLE]) // 3
        loops = _loops(tuple(operators), tuple(order), leaves_first)
        _loops_of_graphs[graph] = (operators[:], loops)
    return loops


@lru_cache(maxsize=256)
def _loops(operators: tuple[Operator, ...], order: tuple[int, ...], leaves_first: bool) -> Loops:
    """Write and compile the loops for these operators, with branches in this order."""
    masked = any(template(operators[code]).masked for code in order)
    namespace: dict[str, Any] = {"copysign": copysign, "length_hint": length_hint, "Rare": _Rare}
    forwards: list[tuple[str, list[str]]] = []
    backwards: list[tuple[str, list[str]]] = []
    selective = False
    for code in order[:INLINE]:
        operator = operators[code]
        forwards.append((f"code == {code}", [f"append({_forward_text(operator, namespace)})"]))
        lines, chooses = _backward_lines(operator, masked, namespace)
        selective |= chooses
        if lines:
            backwards.append((f"code == {code}", lines))
    rare = order[INLINE:]
    if rare:
        namespace["rare_forward"] = {code: guarded_forward(operators[code]) for code in rare}
        namespace["inputs_of"] = _inputs_of(operators)
        forwards.append(("code > 1", ["append(rare_forward[code](*[values[i] for i in inputs_of(code, a, b, bundles)]))"]))
        backwards.append(("code > 1", ["raise Rare"]))
        selective = True
    leaves = [
        (f"code == {INPUT}", ["append(inputs[a])"]),
        (f"code == {CONSTANT}", ["append(constants[a])"]),
    ]
    forwards = leaves + forwards if leaves_first else forwards + leaves
    source = ["def forward(steps, values, inputs, constants, bundles):", "    append = values.append"]
    source += ["    for code, a, b in steps:", *_branches(forwards, 8)]
    source += ["def backward(steps, values, gradients, bundles, wanted, above, leave):"]
    results = any("y" in _NAME.findall(line) for _, lines in backwards for line in lines)
    source += [f"    for code, a, b, {'y, ' if results else ''}g in steps:"]
    if masked:
        # What is left of the gradients' iterator is as long as the number of this node.
        source += [
            "        if g == 0.0 and copysign(1.0, g) < 0.0:",
            "            leave(length_hint(above))",
            "            continue",
        ]
    source += _branches(backwards, 8) if backwards else ["        pass"]
    exec(compile("\n".join(source), "<gradcalc loops>", "exec"), namespace)
    inlined = frozenset(operators[code] for code in order[:INLINE])
    return Loops(namespace["forward"], namespace["backward"], masked, selective, results, inlined)


def _branches(branches: Sequence[tuple[str, list[str]]], indent: int) -> list[str]:
    lines = []
    for number, (condition, body) in enumerate(branches):
        lines.append(" " * indent + ("elif " if number else "if ") + condition + ":")
        lines += [" " * (indent + 4) + line for line in body]
    return lines


def _inputs_of(operators: Sequence[Operator]) -> Callable[[int, int, int, Sequence[tuple[int, ...]]], tuple[int, ...]]:
    arities = [operator.arity for operator in operators]

    def inputs(code: int, a: int, b: int, bundles: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        arity = arities[code]
        return bundles[a] if arity > 2 else (a, b)[:arity]

    return inputs


def argument_texts(arity: int, variable: str) -> list[str]:
    """How the loops reach the inputs of a node of this arity."""
    if arity <= 2:
        return [f"{variable}[a]", f"{variable}[b]"][:arity]
    return [f"{variable}[bundles[a][{number}]]" for number in range(arity)]


def _forward_text(operator: Operator, namespace: dict[str, Any]) -> str:
    writer = PythonWriter(Graph(), {})
    text = writer.call(operator, argument_texts(operator.arity, "values"))
    namespace.update(writer.namespace)
    return text[1:-1] if text.startswith("(") else text


class Template(NamedTuple):
    """A gate's rule as a small graph: what it adds to the gradient of each input."""

    graph: Graph
    above: int
    result: int
    inputs: tuple[int, ...]
    parts: tuple[tuple[int | None, int] | None, ...]
    """For each input the node of the condition (None: always) and that of the contribution; None for no contribution."""

    @property
    def masked(self) -> bool:
        """Whether some input can be left without a contribution: under a condition, or always (floor hands nothing on)."""
        return any(part is None or part[0] is not None for part in self.parts)


@lru_cache(maxsize=1024)
def template(operator: Operator) -> Template:
    """The contributions of an operator on numbers, as a graph over the gradient from above, its result and its inputs."""
    graph = Graph()
    above, result = graph.add_input(), graph.add_input()
    inputs = tuple(graph.add_input() for _ in range(operator.arity))
    builder = Builder(graph)
    terms = [builder.term(node) for node in inputs]
    gate = operator.gate
    assert gate is not None and gate.partials is not None
    slopes = gate.partials(builder.term(result), *terms, **dict(operator.attributes))
    parts: list[tuple[int | None, int] | None] = []
    for slope in slopes:
        if slope is None or (isinstance(slope, float) and slope == 0.0):
            parts.append(None)
        elif isinstance(slope, Only):
            scaled = builder.term(above) * slope.slope
            parts.append((slope.condition.node, scaled.node))
        else:
            parts.append((None, (builder.term(above) * slope).node))
    return Template(graph, above, result, inputs, tuple(parts))


def _backward_lines(operator: Operator, masked: bool, namespace: dict[str, Any]) -> tuple[list[str], bool]:
    """The statements that hand a gradient on, and whether they ask what is wanted."""
    made = template(operator)
    arguments = argument_texts(operator.arity, "values")
    targets = argument_texts(operator.arity, "gradients")
    names = {made.above: "g", made.result: "y", **dict(zip(made.inputs, arguments))}
    writer = PythonWriter(made.graph, names)
    counted = [part for part in made.parts if part is not None]
    costly = len(counted) > 1 and any("f_" in writer.expression(part[1]) for part in counted)
    raising = len(counted) > 1 and any("/" in writer.expression(part[1]) or "f_" in writer.expression(part[1]) for part in counted)
    additions: list[str] = []
    lines: list[str] = []
    for number, part in enumerate(made.parts):
        if part is None:
            continue
        condition, node = part
        text = writer.expression(node)
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        guards = [] if condition is None else [as_truth(writer.expression(condition))]
        if costly:
            guards.insert(0, f"wanted[{targets[number][len('gradients[') : -1]}]")
        zero = " + 0.0" if masked and node != made.above else ""
        if zero and text == "-g":
            text, zero = "0.0 - g", ""
        if raising:
            # All contributions are computed before any is added: if one raises, none has been.
            otherwise = f" if {' and '.join(guards)} else {'-0.0' if masked else '0.0'}" if guards else ""
            lines.append(f"part_{number} = {text}{zero}{otherwise}")
            additions.append(f"{targets[number]} += part_{number}")
        elif guards:
            lines += [f"if {' and '.join(guards)}:", f"    {targets[number]} += {text}{zero}"]
        else:
            lines.append(_accumulate(targets[number], text, zero))
    namespace.update(writer.namespace)
    return lines + additions, costly


def _accumulate(target: str, text: str, zero: str) -> str:
    if text.startswith("-") and not zero and all(c not in text[1:] for c in "+-"):
        return f"{target} -= {text[1:]}"
    return f"{target} += {text}{zero}"


@lru_cache(maxsize=1024)
def guarded_forward(operator: Operator) -> Callable[..., float]:
    """An operator's forward rule as a function that never raises."""
    names = [f"x{number}" for number in range(operator.arity)]
    writer = PythonWriter(Graph(), {}, safe=True)
    return python_function(writer.call(operator, names), names, writer.namespace)


@lru_cache(maxsize=1024)
def guarded_slopes(operator: Operator) -> Callable[..., tuple[float | None, ...]]:
    """An operator's local derivatives as a function of its result and inputs that never raises; None stands for no path."""
    graph = Graph()
    builder = Builder(graph)
    nodes = [graph.add_input() for _ in range(operator.arity + 1)]
    names = dict(zip(nodes, ["y", *(f"x{number}" for number in range(operator.arity))]))
    gate = operator.gate
    assert gate is not None and gate.partials is not None
    slopes = gate.partials(*map(builder.term, nodes), **dict(operator.attributes))
    writer = PythonWriter(graph, names, safe=True)
    texts = []
    for slope in slopes:
        if slope is None or (isinstance(slope, float) and slope == 0.0):
            texts.append("None")
        elif isinstance(slope, Only):
            texts.append(f"{_slope_text(writer, slope.slope)} if {writer.expression(slope.condition.node)} else None")
        else:
            texts.append(_slope_text(writer, slope))
    return python_function(f"({', '.join(texts)},)", list(names.values()), writer.namespace)


def _slope_text(writer: PythonWriter, slope: Any) -> str:
    return writer.number(slope) if isinstance(slope, float) else writer.expression(slope.node)


@lru_cache(maxsize=1024)
def plain_forward(operator: Operator) -> Callable[..., float]:
    """An operator's forward rule as a function that may raise."""
    names = [f"x{number}" for number in range(operator.arity)]
    writer = PythonWriter(Graph(), {})
    return python_function(writer.call(operator, names), names, writer.namespace)


def python_function(text: str, parameters: Sequence[str], namespace: dict[str, Any]) -> Callable[..., Any]:
    """A function of floats from generated text (of records, never of a user)."""
    scope = dict(namespace)
    exec(compile(f"def f({', '.join(parameters)}): return {text}", "<gradcalc gate>", "exec"), scope)
    function: Callable[..., Any] = scope["f"]
    return function
