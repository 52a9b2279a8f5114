"""Outputs of a program as source for other languages, with the numbers that the source is tested by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcalc.calculus.passes import Passes, passes
from gradcalc.dialects.exports.page import Export, Part
from gradcalc.dialects.exports.readable import ReadableWriter
from gradcalc.dialects.language import spell
from gradcalc.engine.arrays import kernel
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.makers import Makers
from gradcalc.errors import ArgumentProblem, LimitProblem, NameProblem, ShapeProblem
from gradcalc.formula import Formula
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph

LARGEST = 250_000
"""How many numbers a source may hold."""

LONGEST = 100
"""A longer statement is cut in what is said about the program."""

LAST_DIGITS = 1e-15
"""By what part of its size the result of a gate is shaken: libraries differ by a few units in the last place."""

RUNS, SAFETY = 4, 4.0
"""How often it is shaken, and how many times as far as it then moves a result may be off."""


def source(
    formulas: Sequence[Formula],
    target: str,
    wrt: Sequence[str] | None = None,
    maker: str = "gradcalc",
    test: bool = True,
) -> str:
    """Write outputs as one file of source.

    Args:
        formulas: the outputs.
        target: `python`, `numpy`, `torch`, `jax` or `c`.
        wrt: the names to differentiate by; by default all inputs of each output.
        maker: what is said to have made it.
        test: whether there is to be a main that compares with the numbers of gradcalc; it needs values for all inputs.

    Raises:
        GradcalcError: a gate or an array that the target does not have; too many numbers.

    What there is to know about the source is added to the warnings of the formulas.
    """
    if target == "c":
        from gradcalc.dialects.exports.c import CWriter
        from gradcalc.dialects.exports.c_page import c_source

        return c_source(_export(formulas, CWriter, target, wrt, maker, test))
    from gradcalc.dialects.exports.python_page import TARGETS as PYTHON_TARGETS
    from gradcalc.dialects.exports.python_page import python_source

    kind = PYTHON_TARGETS[target]
    return python_source(_export(formulas, kind.writer, target, wrt, maker, test), kind)


def _export(
    formulas: Sequence[Formula], writer: type[ReadableWriter], target: str, wrt: Sequence[str] | None, maker: str, test: bool
) -> Export:
    export = Export([_part(formula, writer, target, wrt, test) for formula in formulas], maker, missing_values(formulas))
    _check_size(export)
    return export


def _part(formula: Formula, writer: type[ReadableWriter], target: str, wrt: Sequence[str] | None, test: bool) -> Part:
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
    remarks = [_size_remark(formula, point)] if formula.sizes and point is not None else []
    part = Part(formula.text, name, _program(formula), made, formula.inputs, asked, point if test else None, None, [], [], remarks)
    if point is not None and test:
        part = _with_numbers(part, formula, graph, nodes, point)
    # What the source says in its head, its maker is told right away.
    formula.warnings += [f"{remark[0].lower()}{remark[1:]}".removesuffix(".") for remark in part.remarks]
    return part


def _size_remark(formula: Formula, point: Sequence[Any]) -> str:
    """That the source is for certain sizes, which no argument changes."""
    values = dict(zip(formula.inputs, point))
    told = ", ".join(f"{name} = {_size_text(values[name])}" for name in formula.sizes)
    return f"Sizes are fixed: the arrays are those of {told}, whatever is given when it is called. Export again for other sizes."


def _size_text(value: Any) -> str:
    """A size, or a list of them."""
    return f"{value:.17g}" if isinstance(value, float) else f"[{', '.join(f'{size:.17g}' for size in value.ravel().tolist())}]"


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


def missing_values(formulas: Sequence[Formula]) -> list[str]:
    """The names of inputs that have no value."""
    missing = {name: None for formula in formulas for name, value in zip(formula.inputs, formula.values) if value is None}
    return list(missing)


# ---- what can't be exported ------------------------------------------------------------------------------------------------------


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


# ---- numbers ---------------------------------------------------------------------------------------------------------------------


def _with_numbers(part: Part, formula: Formula, graph: Graph, nodes: Sequence[int], point: Sequence[Any]) -> Part:
    """The part with value and gradients at a point, as gradcalc computes them."""
    evaluation = evaluate(graph, point, Makers(0, load_allowed=False))
    backpropagate(evaluation, 1.0, nodes)
    gradients = [evaluation.gradients[node] if evaluation.wanted[node] else _zeros(evaluation.shape(node)) for node in nodes]
    again = evaluate(part.passes.graph, point, Makers(0, load_allowed=False))
    remarks = list(part.remarks)
    for place, (name, node) in enumerate(zip(part.wrt, part.passes.gradients)):
        if node is not None and not _agree(gradients[place], again.values[node]):
            remarks.append(_difference(name, again.values[node], gradients[place]))
            gradients[place] = again.values[node]
    value = evaluation.values[-1]
    return part._replace(value=value, gradients=gradients, rounding=_rounding(part, point, [value, *gradients]), remarks=remarks)


def _zeros(shape: Shape) -> Any:
    if not shape:
        return 0.0
    import numpy

    return numpy.zeros(shape)


def _agree(first: Any, second: Any) -> bool:
    """Whether two numbers or arrays are both finite, or not finite in the same way."""
    import numpy

    finite = numpy.isfinite(first) & numpy.isfinite(second)
    return bool(numpy.all(finite | numpy.equal(first, second) | (numpy.isnan(first) & numpy.isnan(second))))


def _difference(name: str, here: Any, there: Any) -> str:
    """What to say of a gradient that is not finite in a plain calculation, or in gradcalc's."""
    if isinstance(here, float) and isinstance(there, float):
        return (
            f"At the point of the test, the gradient by {name} comes out as {here!r}. gradcalc answers {there!r}: it looks twice "
            "where a gradient is not finite, and follows conventions."
        )
    return (
        f"At the point of the test, elements of the gradient by {name} are not finite here, or not in gradcalc, which looks twice "
        "in such places, and follows conventions."
    )


# ---- rounding --------------------------------------------------------------------------------------------------------------------


def _rounding(part: Part, point: Sequence[Any], expected: Sequence[Any]) -> list[float]:
    """By how much rounding may put each output off: as far as it moves when every gate's result is shaken in its last digits.

    This is the stochastic arithmetic of Vignes (1993). Where it makes a comparison come out the other way, results jump: there they
    are nothing that another machine would have to find.
    """
    import numpy

    moved = [0.0] * len(expected)
    with numpy.errstate(all="ignore"):
        for run in range(RUNS):
            shaken = _shaken(part.passes, point, numpy.random.default_rng(run))
            for place, (node, known) in enumerate(zip(part.outputs, expected)):
                if node is not None:
                    moved[place] = max(moved[place], _largest(numpy.subtract(shaken[node], known)))
    return [_power_of_ten(SAFETY * one) for one in moved]


def _shaken(made: Passes, point: Sequence[Any], draw: Any) -> list[Any]:
    """The values of all nodes, each result that is rounded changed in its last digits."""
    import numpy

    graph = made.graph
    values: list[Any] = []
    signs = draw.choice((-1.0, 1.0), len(graph)).tolist()
    for node, code in enumerate(graph.codes):
        operator = graph.operators[code]
        if code == INPUT:
            values.append(point[graph.left[node]])
        elif operator.gate is None:
            values.append(graph.constant(node))
        else:
            value = kernel(operator.gate, operator.attributes)(*[values[source] for source in graph.inputs(node)])
            if operator.gate.family not in _EXACT_FAMILIES and operator.gate.name not in _EXACT:
                sign = draw.choice((-1.0, 1.0), value.shape) if numpy.ndim(value) else signs[node]
                value = value * (1.0 + LAST_DIGITS * sign)
            values.append(value)
    return values


_EXACT_FAMILIES = ("selection", "shaping", "makers")
_EXACT = ("=", "neg", "abs", "sign", "floor", "ceil", "round", "relu", "transpose")
"""Gates that round nothing."""


def _largest(value: Any) -> float:
    """The largest finite size among the elements."""
    import numpy

    sizes = numpy.abs(numpy.asarray(value, dtype=float))
    finite = sizes[numpy.isfinite(sizes)]
    return float(finite.max()) if finite.size else 0.0


def _power_of_ten(bound: float) -> float:
    """The next power of ten that is not less."""
    return float(f"1e{math.ceil(math.log10(bound))}") if bound > 0.0 else 0.0
