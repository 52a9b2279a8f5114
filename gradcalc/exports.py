"""Outputs of a program as source for other languages, with the numbers that the source is tested by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gradcalc.calculus.passes import Passes, passes
from gradcalc.dialects.exports.page import Export, Part
from gradcalc.dialects.exports.readable import ReadableWriter
from gradcalc.dialects.language import spell
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.makers import Makers
from gradcalc.errors import ArgumentProblem, BindingProblem, LimitProblem, NameProblem, ShapeProblem
from gradcalc.formula import Formula, Measured
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

LARGEST = 250_000
"""How many numbers a source may hold."""

LONGEST = 100
"""A longer statement is cut in what is said about the program."""

NOISE = 2e-15
"""What part of the size of what is added up rounding may cost."""

TARGETS = ("python", "numpy", "torch", "jax", "c", "latex")


def source(formulas: Sequence[Formula], target: str, wrt: Sequence[str] | None = None, maker: str = "gradcalc") -> str:
    """Write outputs as one file of source.

    Args:
        formulas: the outputs.
        target: `python`, `numpy`, `torch`, `jax` or `c`.
        wrt: the names to differentiate by; by default all inputs of each output.
        maker: what is said to have made it.

    Raises:
        GradcalcError: a gate or an array that the target does not have; too many numbers.
    """
    if target == "c":
        from gradcalc.dialects.exports.c import CWriter
        from gradcalc.dialects.exports.c_page import c_source

        return c_source(_export(formulas, CWriter, target, wrt, maker))
    from gradcalc.dialects.exports.python_page import TARGETS as PYTHON_TARGETS
    from gradcalc.dialects.exports.python_page import python_source

    kind = PYTHON_TARGETS[target]
    return python_source(_export(formulas, kind.writer, target, wrt, maker), kind)


def _export(
    formulas: Sequence[Formula], writer: type[ReadableWriter], target: str, wrt: Sequence[str] | None, maker: str
) -> Export:
    export = Export([_part(formula, writer, target, wrt) for formula in formulas], maker)
    _check_size(export)
    return export


def _part(formula: Formula, writer: type[ReadableWriter], target: str, wrt: Sequence[str] | None) -> Part:
    """One output."""
    point = None if any(value is None for value in formula.values) else formula.point()
    graph, shapes = formula.prepared(point)
    _refuse_arrays(formula, graph, shapes, writer, target)
    names = {node: name for node, name in formula.names.items() if node < len(graph)}
    asked = _asked(formula, wrt)
    nodes = [formula.input_node(formula.inputs.index(name)) if name in formula.inputs else _node(formula, name) for name in asked]
    made = passes(graph, shapes, names, nodes, writer.writes, target in ("python", "c"), target == "torch")
    _refuse_gates(formula, made, writer, target)
    name = formula.names.get(formula.output, "") if formula.graph.codes[formula.output] > CONSTANT else ""
    part = Part(formula.text, name, _program(formula), made, formula.inputs, asked, point, None, [], 0.0, [])
    return part if point is None else _with_numbers(part, formula, graph, nodes, point)


def _asked(formula: Formula, wrt: Sequence[str] | None) -> list[str]:
    """The names to differentiate by."""
    if wrt is None:
        return list(formula.inputs)
    known = {*formula.inputs, *formula.names.values()}
    return [name for name in dict.fromkeys(wrt) if name in known]


def _node(formula: Formula, name: str) -> int:
    node = formula.node(name)
    if node is None:
        raise NameProblem(f"--wrt {name}: the program has no such name")
    return node


def _program(formula: Formula) -> list[str]:
    """The statements that lead to the output."""
    graph, names = formula.graph, formula.names
    lines = []
    for node in sorted(names):
        if graph.codes[node] > CONSTANT:
            lines.append(f"{names[node]} = {spell(graph, node, names.get, LONGEST)}")
    if formula.output not in names or graph.codes[formula.output] <= CONSTANT:
        lines.append(spell(graph, formula.output, names.get, LONGEST) if graph.codes[formula.output] > INPUT else formula.text)
    return lines


# ---- what can't be exported ----------------------------------------------------------------------------------------------------------


def _refuse_arrays(
    formula: Formula, graph: Graph, shapes: Sequence[Shape] | None, writer: type[ReadableWriter], target: str
) -> None:
    """An error where there is an array that the target does not have."""
    if shapes is None:
        return
    for node, shape in enumerate(shapes):
        if target == "python" and shape:
            raise ShapeProblem(
                f"{formula.label(node)} is an array, and Python alone has none",
                place=formula.place(node),
                remedy="write --to numpy, torch, jax or c",
            )
        if target == "c" and 0 in shape:
            raise ShapeProblem(
                f"{formula.label(node)} has no elements, and C has no such arrays",
                place=formula.place(node),
                remedy="write --to numpy, torch or jax",
            )


def _refuse_gates(formula: Formula, made: Passes, writer: type[ReadableWriter], target: str) -> None:
    """An error where there is a gate that the target does not have."""
    graph = made.graph
    reached = graph.reached([node for node in (made.output, *made.gradients) if node is not None])
    for node, flag in enumerate(reached):
        operator = graph.operator(node)
        if not flag or operator.gate is None:
            continue
        shapes = [made.shapes[source] for source in graph.inputs(node)]
        if not writer.writes(operator.gate, dict(operator.attributes), shapes):
            source = made.origin.get(node)
            others = "numpy, torch or jax"
            raise ArgumentProblem(
                f"{operator.gate.name} can't be written in {_TITLES[target]}"
                + ("" if source is not None else ", and a derivative needs it"),
                place=None if source is None else formula.place(source),
                remedy=f"write --to {others}",
            )


_TITLES = {"python": "Python without arrays", "numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "c": "C"}


def _check_size(export: Export) -> None:
    count = 0
    for part in export.parts:
        graph = part.passes.graph
        arrays = [*(part.point or ()), part.value, *part.gradients, *graph.constants]
        count += sum(1 if isinstance(value, float) else value.size for value in arrays if value is not None)
    if count > LARGEST:
        raise LimitProblem(
            f"the source would hold {count:,} numbers, and at most {LARGEST:,} are written into one",
            remedy="give smaller arrays, differentiate by fewer names (--wrt), or leave out the test (--no-test)",
        )


# ---- numbers -------------------------------------------------------------------------------------------------------------------------


def _with_numbers(part: Part, formula: Formula, graph: Graph, nodes: Sequence[int], point: Sequence[Any]) -> Part:
    """The part with value and gradients at a point, as gradcalc computes them."""
    evaluation = evaluate(graph, point, Makers(0, load_allowed=False))
    backpropagate(evaluation, 1.0, nodes)
    gradients = [evaluation.gradients[node] if evaluation.wanted[node] else _zeros(evaluation.shape(node)) for node in nodes]
    again = evaluate(part.passes.graph, point, Makers(0, load_allowed=False))
    remarks = list(part.remarks)
    for place, (name, node) in enumerate(zip(part.wrt, part.passes.gradients)):
        if node is None or not _finite(gradients[place]) or _finite(again.values[node]):
            continue
        remarks.append(
            f"At the point of the test the gradient by {name} is not finite as it is computed here. gradcalc answers "
            f"{gradients[place]!r}, by a convention."
        )
        gradients[place] = again.values[node]
    return part._replace(
        value=evaluation.values[-1], gradients=gradients, absolute=_absolute(part.passes, again.values), remarks=remarks
    )


def _zeros(shape: Shape) -> Any:
    if not shape:
        return 0.0
    import numpy

    return numpy.zeros(shape)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    import numpy

    return bool(numpy.isfinite(value).all())


def _largest(value: Any) -> float:
    """The largest finite size among the elements."""
    if isinstance(value, float):
        return abs(value) if math.isfinite(value) else 0.0
    import numpy

    finite = numpy.abs(value[numpy.isfinite(value)]) if numpy.ndim(value) else numpy.abs(numpy.asarray(value))
    return float(finite.max()) if finite.size else 0.0


def _absolute(made: Passes, values: Sequence[Any]) -> float:
    """By how much rounding may put a number off: a small part of the largest that is added to others, as a power of ten."""
    graph = made.graph
    largest = 0.0
    for node, code in enumerate(graph.codes):
        gate = graph.operators[code].gate
        if gate is None or gate.name in _ROUNDED_LITTLE or not graph.inputs(node):
            continue
        sizes = [_largest(values[source]) for source in graph.inputs(node)]
        count = max(1, max(_count(made.shapes[source]) for source in graph.inputs(node)))
        inner = math.sqrt(count // max(1, _count(made.shapes[node]))) if count > _count(made.shapes[node]) else 1.0
        size = math.prod(sizes) if gate.name in ("@", "dot", "outer") else max(sizes)
        largest = max(largest, size * inner)
    bound = NOISE * largest
    return 0.0 if bound == 0.0 or not math.isfinite(bound) else float(f"1e{math.ceil(math.log10(bound))}")


_ROUNDED_LITTLE = frozenset(("*", "/", "neg", "square", "sqrt", "abs", "reciprocal", "where", "max", "min", "relu", "exp", "="))
"""Gates whose result is right to the last digits, relative to its own size, if their inputs are."""


def _count(shape: Shape) -> int:
    return math.prod(shape)


def without_test(formula: Formula) -> Formula:
    """The formula without numbers for its inputs; arrays keep their shapes."""
    return formula


def missing_values(formulas: Sequence[Formula]) -> list[str]:
    """The names of inputs that have no value."""
    found: Mapping[str, None] = {
        name: None for formula in formulas for name, value in zip(formula.inputs, formula.values) if value is None
    }
    return list(found)


__all__ = ["LARGEST", "TARGETS", "BindingProblem", "Measured", "missing_values", "source", "without_test"]
