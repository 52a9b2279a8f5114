"""Forward and backward pass of a formula as one graph to be read: first what the user wrote, as it is, then the derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.linear import Careful, SharingBuilder, with_sizes
from gradcalc.calculus.reverse import dependents, differentiate
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.linear_algebra import broadcast_shapes
from gradcalc.gates.record import REGISTRY, Body, Gate, Shape
from gradcalc.gates.reductions import element_count
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator
from gradcalc.language.formulas import parse_formula

Writes = Callable[[Gate, Mapping[str, Any], Sequence[Shape]], bool]
"""Whether a dialect has a way to write a gate with these attributes on inputs of these shapes."""


class Passes(NamedTuple):
    """A formula and its gradients as one graph, all of whose shapes are known.

    Attributes:
        graph: its first nodes are the inputs, by their numbers; then the forward pass, then the backward pass.
        shapes: of all nodes.
        output: the node of the value.
        gradients: the gradients that were asked for, in that order; None where no path leads.
        names: the nodes that have a name in the program.
        slopes: the nodes that are the gradient by a named node, with its name.
        backward: the first node of the backward pass.
        origin: the nodes of the formula that nodes of the forward pass come from.
    """

    graph: Graph
    shapes: list[Shape]
    output: int
    gradients: list[int | None]
    names: dict[int, str]
    slopes: dict[int, str]
    backward: int
    origin: dict[int, int]


def passes(
    graph: Graph,
    shapes: Sequence[Shape] | None,
    names: Mapping[int, str],
    wrt: Sequence[int],
    writes: Writes,
    whole_powers: bool = False,
    positive_steps: bool = False,
) -> Passes:
    """The passes of a graph's last node.

    What the user wrote stays as it is, node by node, but for gates that the dialect can't write: those are taken apart. Derivatives
    are simplified.

    Args:
        graph: the formula; no random gates and no files (see `engine.makers.prepare`).
        shapes: of its nodes; None where all are numbers.
        names: of its inputs and named nodes.
        wrt: the nodes to differentiate by.
        writes: what the dialect can write.
        whole_powers: whether squares had better be products.
        positive_steps: whether slices can't go backwards.
    """
    first, copies = _copied(graph, shapes)
    last = copies[-1]
    flowing = dependents(first.graph, range(graph.input_count), last)
    named = [node for node in names if flowing[copies[node]]]
    asked = list(dict.fromkeys([*wrt, *named]))
    found = differentiate(first.graph, last, [copies[node] for node in asked], builder=first)
    by_node = dict(zip(asked, found))
    wanted = [last, *[by_node[node] for node in wrt]]
    reached = first.graph.reached([node for node in wanted if node is not None])
    builder = Readable(Graph(), writes, whole_powers, positive_steps)
    told = {copies[node]: name for node, name in names.items()}
    terms: dict[int, Expression] = {}
    made_names: dict[int, str] = {}
    origin: dict[int, int] = {}
    source_of = {copy: node for node, copy in enumerate(copies)}
    for number in range(graph.input_count):
        terms[number] = builder.term(builder.graph.add_input())
        builder.note_shape(number, first.shape(number))
    boundary = first.first_generated
    backward = 0
    for node, flag in enumerate(reached):
        if node == boundary:
            backward = len(builder.graph)
        if node < graph.input_count:
            made_names[node] = told.get(node, f"x{node}")
        if not flag or node < graph.input_count:
            continue
        written = node < boundary
        term = _translated(first, node, terms, builder, written, node in told)
        if term.shape != first.shape(node):
            term = term.broadcast_to(first.shape(node))
        if node in told and (term.node in made_names or builder.graph.codes[term.node] <= CONSTANT):
            term = builder.as_written(Operator(IDENTITY, (), 1), [term])
        if node in told:
            made_names[term.node] = told[node]
        if written and node in source_of:
            origin.setdefault(term.node, source_of[node])
        terms[node] = term
    if len(reached) <= boundary:
        backward = len(builder.graph)
    slopes = {
        terms[slope].node: names[node]
        for node, slope in sorted(by_node.items(), key=lambda item: (copies[item[0]] >= graph.input_count, -item[0]))
        if slope is not None and slope in terms and node in names and slope >= boundary
    }
    nodes = [None if slope is None else terms[slope].node for slope in (by_node[node] for node in wrt)]
    every = [builder.shape(node) for node in range(len(builder.graph))]
    slopes = {node: name for node, name in slopes.items() if node >= backward and builder.graph.codes[node] > CONSTANT}
    return Passes(builder.graph, every, terms[last].node, nodes, made_names, slopes, backward, origin)


def _copied(graph: Graph, shapes: Sequence[Shape] | None) -> tuple[Builder, list[int]]:
    """The graph with its inputs first and sizes as constants, in a builder, and where each node went."""
    target = Graph()
    found: list[int] = []
    known: dict[int, Shape] = {}
    for _ in range(graph.input_count):
        target.add_input()
    for node, code in enumerate(graph.codes):
        shape = () if shapes is None else shapes[node]
        if code == INPUT:
            found.append(graph.left[node])
        elif code == CONSTANT:
            found.append(target.add_constant(graph.constant(node)))
        else:
            operator = graph.operators[code]
            assert operator.gate is not None
            inputs = with_sizes(operator, [found[source] for source in graph.inputs(node)], shape, target, target.add_constant)
            found.append(target.add(operator.gate, inputs, operator.attributes))
        known[found[-1]] = shape
    return SharingBuilder(target, [known.get(node, ()) for node in range(len(target))]), found


def _translated(
    source: Builder, node: int, terms: dict[int, Expression], builder: Readable, written: bool, named: bool
) -> Expression:
    graph = source.graph
    if graph.codes[node] == CONSTANT:
        value = graph.constant(node)
        if isinstance(value, float):
            return builder.number(value)
        made = builder.graph.add_constant(value)
        builder.note_shape(made, source.shape(node))
        return builder.term(made)
    operator = graph.operator(node)
    inputs = [terms[one] for one in graph.inputs(node)]
    if written:
        return builder.as_written(operator, inputs, named)
    return builder.kept(operator, [term.node for term in inputs])


class Readable(Careful):
    """A builder of what is to be read: what has a name stays as it is, and derivatives are written in few words."""

    def __init__(self, graph: Graph, writes: Writes, whole_powers: bool = False, positive_steps: bool = False) -> None:
        super().__init__(graph, steps=False)
        self.writes = writes
        self.whole_powers = whole_powers
        self.positive_steps = positive_steps

    def note_shape(self, node: int, shape: Shape) -> None:
        """Tell the shape of a node that was not built but copied."""
        if shape:
            self._shapes[node] = shape

    def as_written(self, operator: Operator, terms: Sequence[Expression], named: bool = True) -> Expression:
        """A gate of the user's as it is, if the dialect has it; one without a name may be the same as another."""
        gate = operator.gate
        assert gate is not None
        if gate is IDENTITY:
            made = self.graph.add(gate, [terms[0].node])
            self.note_shape(made, terms[0].shape)
            return self.term(made)
        attributes = dict(operator.attributes)
        simpler = self._in_other_words(gate, terms, attributes)
        if simpler is None and self.whole_powers and gate.name == "pow" and self.value(terms[1]) == 2.0:
            simpler = terms[0].apply("square")
        if simpler is not None:
            return simpler
        nodes = tuple(term.node for term in terms)
        known = self._interned.get((self.graph.code(gate, operator.attributes, len(nodes)), nodes))
        if known is not None and not named:
            return self.term(known)
        made = self.graph.add(gate, nodes, operator.attributes)
        self._interned.setdefault((self.graph.codes[made], nodes), made)
        self.note_shape(made, self._shape_of(gate, terms, operator.attributes))
        return self.term(made)

    def apply(self, name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Expression:
        """A gate on terms and numbers, in words that the dialect has."""
        terms = tuple(map(self.lifted, arguments))
        gate = REGISTRY.find(name, len(terms))
        assert gate is not None, name
        shorter = _SHORTER.get(name)
        simpler = None if shorter is None else shorter(self, terms, attributes)
        if simpler is None:
            simpler = self._in_other_words(gate, terms, attributes)
        return super().apply(name, terms, attributes) if simpler is None else simpler

    def _in_other_words(self, gate: Gate, terms: Sequence[Expression], attributes: Mapping[str, Any]) -> Expression | None:
        """A gate as others, where that is the only way to write it."""
        rule = _ALWAYS.get(gate.name)
        simpler: Expression | None = None if rule is None else rule(self, terms, attributes)
        if simpler is None and not self.writes(gate, attributes, [term.shape for term in terms]):
            simpler = self._opened(gate, terms, attributes)
        if simpler is not None:
            shape = self._shape_of(gate, terms, tuple(sorted(attributes.items())))
            return simpler if simpler.shape == shape else simpler.broadcast_to(shape)
        return None

    def _opened(self, gate: Gate, terms: Sequence[Expression], attributes: Mapping[str, Any]) -> Expression | None:
        """A composed gate, taken apart by its steps, or by its formula."""
        if gate.steps is not None and all(0 not in term.shape for term in terms):
            made_up: Expression | None = gate.steps(*terms, **attributes)
            if made_up is not None:
                return made_up
        return self._inserted(parse_formula(gate, attributes), terms) if gate.formula is not None else None

    def _inserted(self, body: Body, terms: Sequence[Expression]) -> Expression:
        """A formula on these terms."""
        found = dict(zip(body.parameters, terms))
        for node in range(body.output + 1):
            if node in found:
                continue
            operator = body.graph.operator(node)
            if body.graph.codes[node] == CONSTANT:
                found[node] = self.lifted(body.graph.constant(node))
            elif operator.gate is not None:
                inputs = [found[source] for source in body.graph.inputs(node)]
                found[node] = self.apply(operator.gate.name, inputs, dict(operator.attributes))
        return found[body.output]

    def _unspread(self, name: str, terms: tuple[Expression, ...]) -> tuple[Expression, ...]:
        """Without what only gives an input the shape that it gets anyway."""
        plain = list(super()._unspread(name, terms))
        if len(plain) < 2 or not _repeats(name):
            return tuple(plain)
        shape = broadcast_shapes(*[term.shape for term in terms])
        for place, term in enumerate(plain):
            parts = self.parts(term, "reshape")
            if parts is None or term.shape[len(term.shape) - len(parts[0].shape) :] != parts[0].shape:
                continue
            plain[place] = parts[0]
            if broadcast_shapes(*[one.shape for one in plain]) != shape:
                plain[place] = term
        return tuple(plain)


def _repeats(name: str) -> bool:
    """Whether a gate repeats its inputs as need be."""
    return any(record.elementwise for record in REGISTRY[name])


Terms = Sequence[Expression]
Attributes = Mapping[str, Any]


def _choice(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """where(c == 0, a, b) is where(c, b, a)."""
    condition, yes, no = terms
    compared = builder.parts(condition, "==")
    if compared is None or builder.value(compared[1]) != 0.0 or compared[0].shape != condition.shape:
        return None
    return compared[0].apply("where", no, yes)


def _summed(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """The sum to a shape as a sum over axes."""
    x, *sizes = terms
    shape = tuple(int(builder.value(size) or 0.0) for size in sizes)
    extra = len(x.shape) - len(shape)
    axes = (*range(extra), *(extra + place for place, size in enumerate(shape) if size == 1 and x.shape[extra + place] != 1))
    if not axes:
        return x.reshape(shape)
    kept = len(axes) > extra
    axis = None if len(axes) == len(x.shape) else axes[0] if len(axes) == 1 else axes
    return x.apply("sum", axis=axis, keepdims=kept).reshape(shape)


def _size(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """A size as a number: shapes are fixed."""
    return builder.number(float(element_count(terms[0].shape, attributes["axis"])))


def _inner_product(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """What is called dot of few axes is a product of numbers, or a matrix product."""
    a, b = terms
    if not a.shape or not b.shape:
        return a.apply("*", b)
    return a.apply("@", b) if len(b.shape) == 1 or len(a.shape) == 1 or len(a.shape) == len(b.shape) == 2 else None


def _reshaped(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """One change of shape for two, or none."""
    inner = builder.parts(terms[0], "reshape")
    shape = builder._shape_of(_gate("reshape", len(terms)), terms, ())
    if shape == terms[0].shape:
        return terms[0]
    return None if inner is None else inner[0].reshape(shape)


def _transposed(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """A row becomes a column by a change of shape."""
    (x,) = terms
    if len(x.shape) < 2 and attributes["axes"] is None:
        return x
    if len(x.shape) == 2 and 1 in x.shape and builder.parts(x, "reshape") is not None:
        return x.reshape(x.shape[::-1])
    return None


def _product(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """Rows and columns that are vectors in another shape, as vectors."""
    a, b = terms
    if len(a.shape) != 2 or len(b.shape) != 2:
        return None
    row, column = builder.parts(a, "reshape"), builder.parts(b, "reshape")
    if a.shape[1] == 1 and (row is not None or column is not None):
        return a.reshape(a.shape[:1]).apply("outer", b.reshape(b.shape[1:]))
    if row is not None and len(row[0].shape) == 1 and a.shape[0] == 1:
        return row[0].apply("@", b).reshape((1, b.shape[1]))
    if column is not None and len(column[0].shape) == 1 and b.shape[1] == 1:
        return a.apply("@", column[0]).reshape((a.shape[0], 1))
    return None


def _gate(name: str, count: int) -> Gate:
    gate = REGISTRY.find(name, count)
    assert gate is not None
    return gate


Rule = Callable[[Readable, Terms, Attributes], Any]
"""Answers a term that stands for a gate on these, or None."""


def _same(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """A number has no axes to be moved or turned."""
    return terms[0] if not terms[0].shape else None


def _forward_index(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """A slice that goes backwards: one that goes forwards, and then the result turned round."""
    index, axes = with_positive_steps(terms[0].shape, attributes["index"])
    if not builder.positive_steps or not axes:
        return None
    return terms[0].apply("[]", index=index).apply("flip", axis=axes)


def _forward_scatter(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
    """Elements put where a slice goes backwards: turned round, where it goes forwards."""
    x, *sizes = terms
    shape = tuple(int(builder.value(size) or 0.0) for size in sizes)
    index, axes = with_positive_steps(shape, attributes["index"])
    if not builder.positive_steps or not axes:
        return None
    return x.apply("flip", axis=axes).apply("scatter", *map(float, shape), index=index)


def _place_of_extreme(name: str) -> Rule:
    def simpler(builder: Readable, terms: Terms, attributes: Attributes) -> Any:
        """The place in all of an array is one number."""
        if attributes["axis"] is not None or not attributes["keepdims"]:
            return None
        return terms[0].apply(name, axis=None, keepdims=False).reshape((1,) * len(terms[0].shape))

    return simpler


_ALWAYS: dict[str, Rule] = {
    "sum_to": _summed,
    "size": _size,
    "dot": _inner_product,
    "flip": _same,
    "transpose": _transposed,
    "[]": _forward_index,
    "scatter": _forward_scatter,
    "argmax": _place_of_extreme("argmax"),
    "argmin": _place_of_extreme("argmin"),
}
"""Gates that no other language has by a short name."""

_SHORTER: dict[str, Rule] = {"where": _choice, "reshape": _reshaped, "@": _product}
"""Gates of derivatives that have a shorter form."""


def with_positive_steps(shape: Shape, index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """An index of an array of this shape without negative steps, and the axes of its result that are then to be reversed."""
    if "..." in index:
        at = index.index("...")
        index = (*index[:at], *[("slice", None, None, None)] * (len(shape) - len(index) + 1), *index[at + 1 :])
    items: list[Any] = []
    reversed_axes: list[int] = []
    axis = 0
    for item, size in zip(index, shape):
        if isinstance(item, tuple):
            places = range(*slice(*item[1:]).indices(size))
            if item[3] is not None and item[3] < 0:
                reversed_axes.append(axis)
                item = ("slice", places[-1], places[0] + 1, -places.step) if places else ("slice", 0, 0, None)
            axis += 1
        items.append(item)
    return tuple(items), tuple(reversed_axes)
