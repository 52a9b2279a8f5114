"""Graphs of numbers as JavaScript: gates, their local derivatives, and derivatives of whole graphs, for pages that calculate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gradcalc.calculus.build import Builder
from gradcalc.calculus.reverse import dependents, differentiate
from gradcalc.dialects.source import ATOM, Piece, SourceWriter, straight_lines
from gradcalc.gates.algebra import Only
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator

CONVENTIONS = "javascript conventions"
"""The key in a record's `spelled` for its conventions: an array of slopes, with {y} for the gate's result."""

FUNCTIONS = frozenset(
    (
        *("abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "exp", "expm1"),
        *("floor", "hypot", "log", "log10", "log1p", "log2", "max", "min", "sign", "sin", "sinh", "sqrt", "tan", "tanh"),
    )
)
"""What `Math` has under the names that gates have."""

ABSENT = "null"
"""What stands for a local derivative where there is no path."""


@cache
def library() -> str:
    """The functions that `Math` lacks, as the source of a script."""
    return Path(__file__).with_name("javascript.js").read_text("utf-8")


class JavascriptWriter(SourceWriter):
    """Writes gates on numbers as JavaScript, with the functions of `library`."""

    dialect = "javascript"

    def otherwise(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        """A gate that `Math` has."""
        gate = operator.gate
        if gate is None or gate.name not in FUNCTIONS or operator.attributes:
            return super().otherwise(operator, inputs)
        return Piece(ATOM, f"Math.{gate.name}({', '.join(piece.text for piece in inputs)})")

    def number(self, value: float) -> str:
        """A float, to the last bit."""
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        return repr(value)

    def attribute(self, value: Any) -> str:
        """A number; in brackets, since nothing is known about the place in which it will stand."""
        text = self.number(float(value))
        return f"({text})" if text.startswith("-") else text


def forward(operator: Operator) -> str:
    """A gate as a function of its inputs."""
    names = _names(operator)
    piece = JavascriptWriter().gate(operator, [Piece(ATOM, name) for name in names])
    return f"({', '.join(names)}) => {piece.text}"


def slopes(operator: Operator) -> list[str | None]:
    """The local derivatives of a gate, each as a function of its result and its inputs that answers null where there is no path.

    None stands for an input without any.
    """
    gate = operator.gate
    assert gate is not None and gate.partials is not None
    graph = Graph()
    builder = Builder(graph)
    nodes = [graph.add_input() for _ in range(operator.arity + 1)]
    found = gate.partials(*map(builder.term, nodes), **dict(operator.attributes))
    names = ["y", *_names(operator)]
    return [_slope(builder, slope, nodes, names) for slope in found]


def _slope(builder: Builder, slope: Any, nodes: Sequence[int], names: Sequence[str]) -> str | None:
    if slope is None or (isinstance(slope, float) and slope == 0.0):
        return None
    condition = None
    if isinstance(slope, Only):
        condition, slope = builder.lifted(slope.condition).node, slope.slope
    outputs = [builder.lifted(slope).node, condition]
    lines = straight_lines(JavascriptWriter(), builder.graph, outputs, dict(zip(nodes, names)))
    text, chosen = lines.outputs
    if chosen is not None:
        text = f"{chosen} !== 0 ? {text} : {ABSENT}"
    return f"({', '.join(names)}) => {_function_body(lines.names, lines.statements, str(text))}"


def conventions(operator: Operator) -> str | None:
    """The slopes that are agreed upon where the rule gives none that is finite, as a function of the result and the inputs."""
    gate = operator.gate
    assert gate is not None
    spelling = gate.spelled.get(CONVENTIONS)
    if spelling is None:
        return None
    assert isinstance(spelling, str)
    names = _names(operator)
    return f"({', '.join(['y', *names])}) => {spelling.format(*names, y='y')}"


def derivatives(graph: Graph, settled: Sequence[tuple[int, int]] = ()) -> str:
    """All derivatives of a graph's last node, simplified, as a function of an array of its inputs.

    It answers an array with one derivative for each node, null where no path leads to it.

    Args:
        graph: of numbers.
        settled: nodes and positions of their inputs whose local derivatives are given as numbers, behind the inputs.
    """
    whole = graph.with_constants({})
    last = len(graph) - 1
    inputs = [node for node, code in enumerate(graph.codes) if code == INPUT]
    wanted = [node for node, flag in enumerate(dependents(graph, inputs, last)) if flag]
    given = [whole.add_input() for _ in settled]
    builder = Builder(whole)
    fixed: dict[int, dict[int, Any]] = {}
    for (node, position), number in zip(settled, given):
        fixed.setdefault(node, {})[position] = builder.term(number)
    found = dict(zip(wanted, differentiate(whole, last, wanted, builder=builder, fixed=fixed)))
    names = {node: f"x[{whole.left[node]}]" for node in (*inputs, *given)}
    outputs = [found.get(node) for node in range(last + 1)]
    lines = straight_lines(JavascriptWriter(), whole, outputs, names)
    texts = ", ".join(ABSENT if text is None else text for text in lines.outputs)
    return f"(x) => {_function_body(lines.names, lines.statements, f'[{texts}]')}"


def open_questions(graph: Graph) -> list[tuple[int, int]]:
    """The nodes and positions of inputs at which a convention may be needed: those of powers of a fixed exponent are not."""
    inputs = [node for node, code in enumerate(graph.codes) if code == INPUT]
    wanted = dependents(graph, inputs, len(graph) - 1)
    found = []
    for node in range(len(graph)):
        gate = graph.operator(node).gate
        if gate is None or CONVENTIONS not in gate.spelled:
            continue
        sources = graph.inputs(node)
        plain = gate.name == "pow" and graph.codes[sources[1]] == CONSTANT and graph.constant(sources[1]) != 0.0
        found += [(node, position) for position, source in enumerate(sources) if wanted[source] and not plain]
    return found


def _names(operator: Operator) -> list[str]:
    return [f"x{number}" for number in range(operator.arity)]


def _function_body(names: Sequence[str], statements: Sequence[str], result: str) -> str:
    if not statements:
        return f"({result})" if result.startswith("{") else result
    declared = f"let {', '.join(dict.fromkeys(names))};\n" if names else ""
    return f"{{\n{declared}{''.join(f'{statement};' + chr(10) for statement in statements)}return {result};\n}}"


def spellings(operators: Mapping[Operator, int]) -> Iterator[str]:
    """Each operator, in the order of the numbers, as an object with its `forward`, `slopes` and `conventions`."""
    for operator in sorted(operators, key=lambda one: operators[one]):
        parts = ", ".join(ABSENT if text is None else text for text in slopes(operator))
        yield f"{{ forward: {forward(operator)}, slopes: [{parts}], conventions: {conventions(operator) or ABSENT} }}"
