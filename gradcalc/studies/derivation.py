"""The derivatives of an output as formulas, and as numbers where values are given: partial ones, a Jacobian, a Hessian."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from gradcalc.calculus.partial import MOST_DERIVATIVES, Partials, partials
from gradcalc.dialects.definitions import Named, name_differences
from gradcalc.dialects.language import spell, spell_number
from gradcalc.engine.evaluate import backpropagate
from gradcalc.engine.makers import prepare
from gradcalc.engine.shapes import NodeProblem, size_inputs
from gradcalc.errors import ArgumentProblem, LimitProblem, NameProblem, ShapeProblem, UsageProblem
from gradcalc.formula import Formula, Interval, Measured, Points
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, INPUT, Graph
from gradcalc.language.nearest import nearest

KINDS = ("partial", "jacobian", "hessian")

FAMILIAR = 1.25
"""A text with the names of the program may be so much longer than one without."""

ROUNDING = 1e-9
"""What a formula's number may differ from that of backpropagation, as a part of it."""

MOST_COMPARED = 2500
"""Of a matrix of more formulas the numbers are not compared with those of backpropagation."""

MOST_NUMBERS = 4_000_000
"""How many elements a matrix of numbers may have."""


@dataclass(slots=True)
class Entry:
    """One derivative.

    Attributes:
        by: the names of what it is taken by; with a place behind the name of an array: `x[0]`.
        node: of the formula; None where it is 0.
        value: its number or array at the values given; None where there are none.
        row: of a matrix the row, as it is called: an element of the output, or an input.
    """

    by: tuple[str, ...]
    node: int | None
    value: Any = None
    row: str = ""


@dataclass(slots=True)
class Derivatives:
    """The derivatives of one output.

    Attributes:
        formula: the output.
        kind: `partial`, `jacobian` or `hessian`.
        order: how often it was differentiated.
        graph: of the formulas; None where they were too large to be written.
        names: how nodes of it are called: inputs, constants, and what is defined.
        definitions: the nodes that are written before the formulas, each after those that it uses.
        given: definitions of what was differentiated by as if it were an input, as texts.
        entries: the derivatives; of a matrix row by row.
        columns: of a matrix how many columns it has.
        value: of a matrix all its numbers, at the values given.
        point: whether there are numbers.
        remarks: what else there is to know.
        shapes: of the graph's nodes; None where all are numbers.
    """

    formula: Formula
    kind: str
    order: int
    graph: Graph | None
    names: dict[int, str]
    definitions: list[int]
    given: list[tuple[str, str]]
    entries: list[Entry]
    columns: int = 0
    value: Any = None
    point: bool = False
    remarks: list[str] = field(default_factory=list)
    shapes: Sequence[Shape] | None = None

    @property
    def name(self) -> str:
        """The output's name, or nothing."""
        return self.formula.text if self.formula.text.isidentifier() else ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be differentiated by what.

    Attributes:
        formula: the output.
        graph: in which it is differentiated: the formula's own, or one in which named nodes have become inputs.
        shapes: of the graph's nodes; None where all are numbers.
        kind: `partial`, `jacobian` or `hessian`.
        order: how often.
        wrt: the names to differentiate by, those that the output does not reach among them.
        inputs: the nodes of the graph that are inputs, by name.
        names: how nodes of the graph are called.
        taken: names that must not be given to anything.
        values: of the inputs by number; None if one is missing.
    """

    formula: Formula
    graph: Graph
    shapes: Sequence[Shape] | None
    kind: str
    order: int
    wrt: list[str]
    inputs: dict[str, int]
    names: dict[int, str]
    taken: Collection[str]
    values: list[Any] | None


def derive(
    formula: Formula, kind: str = "partial", order: int = 1, wrt: Sequence[str] | None = None, taken: Collection[str] = ()
) -> list[Derivatives]:
    """Differentiate an output.

    Args:
        formula: the output.
        kind: all partial derivatives of an order, or those of first order of every element of the output (`jacobian`), or those of
            second order as a matrix (`hessian`).
        order: of partial derivatives.
        wrt: names of inputs or named nodes; all inputs by default.
        taken: names that must not be given to anything.

    Returns:
        One set of derivatives; two where both inputs and inner nodes are asked for.

    Raises:
        GradcalcError: there is nothing to differentiate by; a name is unknown; there is too much to write.
    """
    groups = list(_groups(formula, wrt))
    taken = {*taken, *formula.names.values(), *formula.inputs}
    return [_derived(formula, kind, order, names, cut, taken) for names, cut in groups]


def _groups(formula: Formula, wrt: Sequence[str] | None) -> Iterator[tuple[list[str], bool]]:
    """The names to differentiate by: inputs, and inner nodes, which are then seen as inputs."""
    if wrt is None:
        if not formula.inputs:
            raise NameProblem(
                f"{_short(formula.text)} depends on no input: there is nothing to differentiate by",
                place=formula.place(formula.output),
                remedy="use a name that stands for an input, such as x",
            )
        yield list(formula.inputs), False
        return
    known = set(formula.names.values())
    inputs = [name for name in dict.fromkeys(wrt) if name in formula.inputs or name not in known]
    inner = [name for name in dict.fromkeys(wrt) if name in known and name not in formula.inputs]
    if inputs:
        yield inputs, False
    if inner:
        yield inner, True


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def unknown(name: str, known: Collection[str]) -> NameProblem:
    """The problem with a name that the program does not have."""
    near = nearest(name, list(known))
    return NameProblem(
        f"--wrt {name}: the program has no such name", remedy=f"did you mean {near}?" if near else "name an input or a named node"
    )


def _derived(formula: Formula, kind: str, order: int, wrt: list[str], cut: bool, taken: Collection[str]) -> Derivatives:
    prepared, shapes = formula.prepared()
    graph = formula.graph if kind == "partial" else prepared  # an element of a random array must be a number
    sizes = {formula.input_node(number): formula.values[number] for number in size_inputs(graph)}
    graph = graph.with_constants(sizes) if sizes else graph
    names = dict(formula.names)
    given: list[tuple[str, str]] = []
    if cut:
        graph, given = _with_inner_inputs(formula, graph, wrt)
    inputs = {name: node for node, name in names.items() if graph.codes[node] == INPUT}
    values = _values(formula, graph, wrt if cut else ())
    order = {"partial": order, "jacobian": 1, "hessian": 2}[kind]
    asked = _Asked(formula, graph, shapes, kind, order, wrt, inputs, names, taken, values)
    found = _partial(asked) if kind == "partial" else _matrix(asked)
    found.given = given
    if values is not None and found.graph is not None:
        _evaluate(found, values)
        if kind == "partial" and order == 1:
            _compare(found)
        elif kind != "partial":
            _complete(found, asked, values)
    if found.graph is not None and _is_random(found.graph):
        found.remarks.append("random numbers are drawn anew where this is read back: give --seed there and here")
    if shapes is not None and shapes[formula.output] and kind != "jacobian":
        if kind == "hessian":
            raise ShapeProblem(
                f"the output has the shape {'×'.join(map(str, shapes[formula.output]))}: a Hessian is one of a number",
                place=formula.place(formula.output),
                remedy="take its sum, or one element: y[0]",
            )
        found.remarks.append("the output is an array: these are the derivatives of the sum of its elements (--jacobian for all)")
    return found


def _with_inner_inputs(formula: Formula, graph: Graph, names: Sequence[str]) -> tuple[Graph, list[tuple[str, str]]]:
    """The graph with named nodes as inputs, and what these names stand for."""
    nodes = {node: name for name in names if (node := formula.node(name)) is not None}
    graph = graph.with_constants({})
    for node in sorted(nodes):
        graph.codes[node] = INPUT
        graph.left[node] = graph.input_count
        graph.right[node] = 0
        graph.input_count += 1
    own = {node: name for node, name in formula.names.items() if formula.graph.codes[node] == INPUT} | nodes
    return graph, [(nodes[node], spell(formula.graph, node, own.get)) for node in sorted(nodes)]


def _values(formula: Formula, graph: Graph, inner: Sequence[str]) -> list[Any] | None:
    """The values of the inputs by number, those of inner nodes behind them; None if one is missing."""
    if any(value is None or isinstance(value, Interval | Points) for value in formula.values):
        return None
    values = [value.value if isinstance(value, Measured) else value for value in formula.values]
    if not inner:
        return values
    computed = formula.evaluate().values
    nodes = [formula.node(name) for name in inner]
    return values + [computed[node] for node in sorted(node for node in nodes if node is not None)]


# ---- partial derivatives ---------------------------------------------------------------------------------------------------------


def _partial(asked: _Asked) -> Derivatives:
    graph, shapes, inputs, order, output = asked.graph, asked.shapes, asked.inputs, asked.order, asked.formula.output
    reached = [name for name in asked.wrt if name in inputs]
    if shapes is not None and order > 1:
        arrays = [name for name in reached if shapes[inputs[name]]]
        if arrays:
            raise UsageProblem(
                f"{arrays[0]} is an array: a derivative of order {order} has no shape to be written in",
                remedy="--hessian writes the second derivatives by all elements; or choose numbers with --wrt",
            )
        if shapes[output]:
            graph, output, shapes = _summed(graph, output, shapes)
    nodes = [inputs[name] for name in reached]
    (made,), named = _shorter(graph, [output], nodes, asked.names, shapes, order, asked.taken)
    entries = [Entry(tuple(reached[place] for place in partial.by), partial.node) for partial in made.derivatives]
    entries += [Entry((name,) * order, None) for name in asked.wrt if name not in reached]
    position = {name: place for place, name in enumerate(asked.wrt)}
    entries.sort(key=lambda entry: [position[name] for name in entry.by])
    names = made.names | named.names
    return Derivatives(asked.formula, "partial", order, made.graph, names, named.order, [], entries, shapes=made.shapes)


def _summed(graph: Graph, output: int, shapes: Sequence[Shape]) -> tuple[Graph, int, list[Shape]]:
    """The sum of an output's elements as the output."""
    from gradcalc.gates.record import REGISTRY

    gate = REGISTRY.find("sum", 1)
    assert gate is not None
    graph = graph.with_constants({})
    output = graph.add(gate, (output,), (("axis", None), ("keepdims", False)))
    return graph, output, [*shapes, ()]


def _shorter(
    graph: Graph,
    outputs: Sequence[int],
    wrt: Sequence[int],
    names: dict[int, str],
    shapes: Sequence[Shape] | None,
    order: int,
    taken: Collection[str],
) -> tuple[list[Partials], Named]:
    """The derivatives of each output, without or with the names of the program, whichever is the shorter text."""
    inner = any(graph.codes[node] > CONSTANT for node in names)
    best: tuple[float, list[Partials], Named] | None = None
    for keep in (False, True) if inner else (False,):
        made = partials(graph, outputs, wrt, names, shapes=shapes, order=order, keep_names=keep, taken=taken)
        nodes = [partial.node for row in made for partial in row.derivatives if partial.node is not None]
        written, named = name_differences(made[0].graph, nodes, made[0].names, taken)
        made = [partial._replace(graph=written) for partial in made]
        size = named.size / (FAMILIAR if keep else 1)
        if best is None or size < best[0]:
            best = (size, made, named)
    assert best is not None
    return best[1], best[2]


# ---- matrices --------------------------------------------------------------------------------------------------------------------


def _matrix(asked: _Asked) -> Derivatives:
    """A Jacobian or a Hessian: of formulas, and where there are too many of them, of numbers."""
    try:
        return _written_matrix(asked)
    except (ArgumentProblem, LimitProblem) as problem:
        if asked.values is None:
            raise
        found = _numeric_matrix(asked, asked.values)
        found.remarks.append(f"{problem.message}: numbers only")
        return found


def _written_matrix(asked: _Asked) -> Derivatives:
    """The formula of every element."""
    formula, graph, shapes, inputs, names = asked.formula, asked.graph, asked.shapes, asked.inputs, asked.names
    outputs, labels = [formula.output], [""]
    columns = {name: [(inputs[name], name)] if name in inputs else [(-1, name)] for name in asked.wrt}
    if shapes is not None:
        from gradcalc.calculus.elements import elements

        made = elements(graph, formula.output, shapes)
        outputs = [int(node) for node in made.output.ravel()]
        labels = [str(list(place)) for place in _places(shapes[formula.output])]
        numbers = {name: graph.left[node] for name, node in inputs.items()}
        by_number = [""] * graph.input_count
        for name, number in numbers.items():
            by_number[number] = name
        names = made.names(by_number)
        for name in columns:
            if name in numbers:
                columns[name] = [(int(node), names[int(node)]) for node in made.inputs[numbers[name]].ravel()]
        graph, shapes = made.graph, None
    cells = [cell for name in asked.wrt for cell in columns[name]]
    if len(outputs) * len(cells) ** asked.order > MOST_DERIVATIVES:
        raise LimitProblem(
            f"the matrix has {len(outputs) * len(cells) ** asked.order:,} formulas",
            remedy=f"at most {MOST_DERIVATIVES:,} are written: choose inputs with --wrt, or give all inputs values",
        )
    nodes = [node for node, _ in cells if node >= 0]
    made_all, named = _shorter(graph, outputs, nodes, names, shapes, asked.order, asked.taken)
    place = {cell: number for number, cell in enumerate(node for node, _ in cells if node >= 0)}
    entries = []
    for row, label in zip(made_all, labels):
        known = {partial.by: partial.node for partial in row.derivatives}
        if asked.kind == "jacobian":
            entries += [Entry((name,), known.get((place[node],)) if node >= 0 else None, row=label) for node, name in cells]
            continue
        for first, first_name in cells:
            for second, second_name in cells:
                by = tuple(sorted((place[first], place[second]))) if first >= 0 and second >= 0 else ()
                entries.append(Entry((first_name, second_name), known.get(by), row=first_name))
    made_graph = made_all[0].graph if made_all else graph
    every = made_all[0].names if made_all else {}
    return Derivatives(formula, asked.kind, asked.order, made_graph, every | named.names, named.order, [], entries, len(cells))


def _places(shape: Shape) -> Iterator[tuple[int, ...]]:
    from itertools import product

    return product(*map(range, shape))


def _numeric_matrix(asked: _Asked, values: list[Any]) -> Derivatives:
    """The numbers of a matrix: for each row of it one backward pass."""
    import numpy

    from gradcalc.calculus.build import Builder
    from gradcalc.calculus.reverse import differentiate
    from gradcalc.engine import arrays

    formula, output, kind = asked.formula, asked.formula.output, asked.kind
    known = list(asked.shapes) if asked.shapes is not None else [()] * len(asked.graph)
    graph = prepare(asked.graph, values, formula.makers)[0].with_constants({})
    nodes = [asked.inputs[name] for name in asked.wrt if name in asked.inputs]
    sources = [output]
    if kind == "hessian":
        builder = Builder(graph, known)
        found = differentiate(graph, output, nodes, known, builder=builder)
        sources = [builder.number(0.0).node if node is None else node for node in found]
        known = [builder.shape(node) for node in range(len(graph))]
    columns = sum(prod(known[node]) for node in nodes)
    rows = sum(prod(known[node]) for node in (sources if kind == "jacobian" else nodes))
    if rows * columns > MOST_NUMBERS:
        raise LimitProblem(
            f"the matrix has {rows * columns:,} elements", remedy=f"at most {MOST_NUMBERS:,}: choose inputs with --wrt"
        )
    computed = arrays.forward(graph, values)
    matrix = numpy.zeros((rows, columns))
    row = 0
    for source, own in zip(sources, [known[node] for node in (sources if kind == "jacobian" else nodes)]):
        for place in numpy.ndindex(own):
            seed = numpy.zeros(known[source])
            seed[place if known[source] else ()] = 1.0
            gradients = arrays.backward(graph, computed, source, seed)
            parts = [gradients[node] for node in nodes]
            matrix[row] = numpy.concatenate(
                [numpy.zeros(prod(known[node])) if part is None else numpy.ravel(part) for node, part in zip(nodes, parts)]
            )
            row += 1
    return Derivatives(formula, kind, asked.order, None, {}, [], [], [], columns, value=matrix, point=True)


# ---- numbers ---------------------------------------------------------------------------------------------------------------------


def _evaluate(found: Derivatives, values: list[Any]) -> None:
    """The numbers of the formulas at the values."""
    graph = found.graph
    assert graph is not None
    inputs = _flat(values) if found.kind != "partial" and graph.input_count != len(values) else values
    if all(isinstance(value, float) for value in inputs) and _is_scalar(graph):
        from gradcalc.engine import scalar

        computed: list[Any] = scalar.forward(graph, inputs)
    else:
        from gradcalc.engine import arrays

        try:
            graph, shapes = prepare(graph, inputs, found.formula.makers)
        except NodeProblem as problem:  # of shapes that were right before: ours
            raise RuntimeError(problem.message) from problem
        computed = [value if shapes[node] else float(value) for node, value in enumerate(arrays.forward(graph, inputs))]
    found.point = True
    for entry in found.entries:
        entry.value = 0.0 if entry.node is None else computed[entry.node]
    if found.kind != "partial":
        found.value = _rows(found)


def _rows(found: Derivatives) -> list[list[float]]:
    """The numbers of a matrix, row by row."""
    numbers = [entry.value for entry in found.entries]
    return [numbers[start : start + found.columns] for start in range(0, len(numbers), max(found.columns, 1))]


def _compare(found: Derivatives) -> None:
    """Say what backpropagation answers where the formula has no value, or another one."""
    formula = found.formula
    nodes = {entry.by[0]: formula.node(entry.by[0]) for entry in found.entries}
    wanted = [node for node in nodes.values() if node is not None]
    if not wanted or _is_random(formula.graph):
        return
    evaluation = formula.evaluate()
    backpropagate(evaluation, 1.0, wanted)
    for entry in found.entries:
        node = nodes[entry.by[0]]
        answer = None if node is None else evaluation.gradients[node]
        problem = None if answer is None else _difference(answer, entry.value)
        if problem is not None:
            found.remarks.append(f"by {entry.by[0]} the formula has {problem}")


def _difference(answer: Any, value: Any) -> str | None:
    """What a formula has instead of the value that backpropagation answers; None if it is that, or that is no number either."""
    if not isinstance(answer, float) or not isinstance(value, float):
        return None if _is_close(answer, value) else "other values here than gradcalc eval answers"
    if not math.isfinite(answer):
        return "a value here, where gradcalc eval has none" if math.isfinite(value) else None
    if math.isclose(answer, value, rel_tol=ROUNDING):
        return None
    if not math.isfinite(value):
        return f"no value here; gradcalc eval answers {spell_number(answer)}"
    return f"another value here; gradcalc eval answers {spell_number(answer)} (--check exact there tells which is right)"


def _is_close(answer: Any, value: Any) -> bool:
    """Whether an array has the elements that backpropagation has, as far as those are finite."""
    import numpy

    answer, value = numpy.broadcast_arrays(answer, value)
    known = numpy.isfinite(answer)
    largest = numpy.max(numpy.abs(answer[known]), initial=0.0)
    return bool(numpy.all(numpy.abs(answer[known] - value[known]) <= ROUNDING * largest))


def _complete(found: Derivatives, asked: _Asked, values: list[Any]) -> None:
    """Numbers by backpropagation where formulas of a matrix have none, or have lost digits that backpropagation has."""
    if len(found.entries) > MOST_COMPARED or _is_random(asked.graph) or any(name not in asked.inputs for name in asked.wrt):
        return
    numbers = _numeric_matrix(asked, values).value.ravel().tolist()
    largest = max((abs(number) for number in numbers if math.isfinite(number)), default=0.0)
    kinds = set()
    for entry, number in zip(found.entries, numbers):
        if not math.isfinite(number) or abs(entry.value - number) <= ROUNDING * max(abs(number), ROUNDING * largest):
            continue
        kinds.add("loses digits" if math.isfinite(entry.value) else "has no value")
        entry.value = number
    if kinds:
        found.value = _rows(found)
        words = " or ".join(sorted(kinds))
        found.remarks.append(f"where a formula {words} here, the number is that of backpropagation")


def _is_random(graph: Graph) -> bool:
    return any(operator.gate is not None and operator.gate.random for operator in graph.operators)


def _is_scalar(graph: Graph) -> bool:
    scalar_constants = all(isinstance(value, float) for value in graph.constants)
    return scalar_constants and all(operator.gate is None or operator.gate.elementwise for operator in graph.operators)


def _flat(values: Sequence[Any]) -> list[float]:
    """The elements of all inputs, one behind the other."""
    flat: list[float] = []
    for value in values:
        flat += [value] if isinstance(value, float) else value.ravel().tolist()
    return flat
