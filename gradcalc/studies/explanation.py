"""The chain rule told step by step, from the very graph and numbers that an evaluation computed with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradcalc.calculus.build import Builder
from gradcalc.calculus.rules import contributions
from gradcalc.checking.conventions import Kink, kinks
from gradcalc.dialects.language import ATOM, Spelled, Speller, spell, spell_array, spell_number
from gradcalc.engine import scalar
from gradcalc.engine.evaluate import backpropagate
from gradcalc.formula import Formula
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import Gate
from gradcalc.graph import CONSTANT, Graph, Operator
from gradcalc.language.constants import CONSTANTS

LETTERS = ("v", "u", "w", "t", "n", "step")
OUTPUTS = ("f", "L", "F", "out", "result")
"""What unnamed nodes and the unnamed output are called, unless the program uses the name."""

SHAPING = {"broadcast_to": "repeated", "sum_to": "summed", "reshape": "reshaped"}
"""Gates that only fit the shape of what they get; in a rule, words say so."""

LONGEST = 2000
"""A formula of a step is cut behind so many characters."""


@dataclass
class Local:
    """The derivative of a gate by one of its inputs, as a small graph.

    Attributes:
        graph: with an input for each thing that the formula is about.
        node: of the formula.
        names: what the inputs of the graph are called.
    """

    graph: Graph
    node: int
    names: Mapping[int, str]

    def is_shaping(self, node: int) -> bool:
        """Whether a node only repeats, sums or reshapes elements to fit another shape."""
        gate = self.graph.operator(node).gate
        return gate is not None and gate.name in SHAPING

    def without_shaping(self) -> tuple[int, list[str]]:
        """The node without what only fits its shape at the end, and words for that."""
        node, words = self.node, list[str]()
        while self.is_shaping(node):
            gate = self.graph.operator(node).gate
            assert gate is not None
            words.append(SHAPING[gate.name])
            node = self.graph.inputs(node)[0]
        # What is repeated was reshaped before so that it can be.
        return node, list(dict.fromkeys(word for word in words if word != "reshaped" or len(set(words)) == 1))


@dataclass
class Contribution:
    """What one gate adds to the gradient of one of its inputs.

    Attributes:
        node: the gate.
        source: the input.
        position: which of the gate's inputs it is.
        above: the gradient from above.
        slope: the local derivative as a number or an array; None for gates with a rule of their own.
        value: the product, as it was added; None where no path leads here.
        sum_from: the shape of the product before it was summed to the shape of the input; None if it was not.
        agreed: whether the local derivative is a convention of the gate's record, since its formula has no value here.
    """

    node: int
    source: int
    position: int
    above: Any
    slope: Any
    value: Any
    write: Callable[[], Local | None]
    sum_from: tuple[int, ...] | None = None
    agreed: bool = False

    @property
    def formula(self) -> Local | None:
        """The local derivative as a formula, written when it is read; for a gate with a rule of its own all that is handed on."""
        return self.write()


@dataclass
class Step:
    """One node on the way.

    Attributes:
        node: which.
        name: what it is called in the explanation.
        gate: its gate; None for an input.
        value: its value.
        gradient: of the output by it; None where none is wanted.
        arrived: the contributions that add up to its gradient, in the order in which they were added.
        handed: what it hands on to its inputs.
        kink: the kink at which it is, if it is at one.
        mended: whether the gradient is not the sum of what arrived, since that is not a number: a simpler form, or a convention.
    """

    node: int
    name: str
    gate: Gate | None
    value: Any
    gradient: Any = None
    arrived: list[Contribution] = field(default_factory=list)
    handed: list[Contribution] = field(default_factory=list)
    kink: Kink | None = None
    mended: bool = False


def derivative_name(of: str, by: str) -> str:
    """`∂f/∂q`."""
    return f"∂{of}/∂{by}"


class Explanation:
    """The steps of one output.

    Attributes:
        formula: the output.
        evaluation: its values and gradients.
        steps: by node, for all nodes but constants that are put into others.
        names: what nodes are called: their own names, or v1, v2 …
        wanted: the inputs and named nodes whose gradients were asked for.
    """

    def __init__(self, formula: Formula, wrt: Sequence[str] | None = None) -> None:
        """Evaluate a formula and follow what happened.

        Args:
            formula: the output; its inputs have values.
            wrt: names of inputs and nodes that gradients are wanted for; None for all inputs.

        Raises:
            GradcalcError: a value is missing; shapes do not fit.
        """
        self.formula = formula
        self.evaluation = evaluation = formula.evaluate()
        found = {name: formula.node(name) for name in (formula.inputs if wrt is None else wrt)}
        self.wanted = {name: node for name, node in found.items() if node is not None}
        self.unreached = [name for name, node in found.items() if node is None]
        backpropagate(evaluation, 1.0, list(self.wanted.values()))
        self.graph = evaluation.graph
        self.names = _names(formula, self.graph)
        self.steps = self._steps()

    @property
    def output(self) -> Step:
        """The step of the output."""
        return self.steps[len(self.graph) - 1]

    def forward(self) -> Iterator[Step]:
        """The steps of the forward pass."""
        yield from self.steps.values()

    def backward(self) -> Iterator[Step]:
        """The gates through which gradients are handed on, from the output to the inputs."""
        for step in reversed(self.steps.values()):
            if step.gate is not None and step.handed:
                yield step

    def sums(self) -> Iterator[Step]:
        """The steps at which several paths meet."""
        for step in self.steps.values():
            if len(step.arrived) > 1:
                yield step

    # ---- what is said of a node --------------------------------------------------------------------------------------------------

    def spelled(self, node: int) -> str:
        """A gate on the names of its inputs: `q*z`."""
        return self._spelled(node, self._named)

    def put_in(self, node: int, number: Callable[[Any], str]) -> str:
        """A gate on the values of its inputs: `3*(-4)`."""

        def piece(source: int) -> Spelled:
            value = self.evaluation.values[source]
            return self._named(source) if self.graph.codes[source] == CONSTANT else _piece(number(value))

        return self._spelled(node, piece)

    def sentence(self, step: Step) -> str:
        """What a gate does to a gradient, in the names of the node and its inputs."""
        if step.gate is None:
            return ""
        operator = self.graph.operator(step.node)
        local = step.handed[0].formula if len(step.handed) == 1 < operator.arity and step.gate.elementwise else None
        if "`" in step.gate.told and local is not None:
            # Of the other inputs, which are constants, there is nothing to say.
            return f"Multiplies the gradient by {spell(local.graph, local.node, local.names.get)}."
        names = {"y": step.name} | {name: spell_number(value) for name, value in operator.attributes if isinstance(value, float)}
        for name, source in zip(step.gate.parameters, self.graph.inputs(step.node)):
            text = self.names[source]
            names[name] = f"({text})" if text.startswith("-") else text
        return step.gate.sentence_with(names)

    def _spelled(self, node: int, piece: Callable[[int], Spelled]) -> str:
        graph = self.graph
        inputs, gate = graph.inputs(node), graph.operator(node).gate
        known = {source: piece(source) for source in inputs}
        text = Speller(graph, lambda inner: None, LONGEST, lambda inner: known.get(inner) if inner != node else None)(node)
        if gate is not None and gate.syntax is not None and gate.syntax.position == "infix" and gate.name != "pow":
            first = known[inputs[0]].text
            if text.startswith(f"({first})"):  # nobody puts the first number of a line in brackets
                return first + text[len(first) + 2 :]
        return text

    def _named(self, node: int) -> Spelled:
        return _piece(self.names[node])

    # ---- the steps ---------------------------------------------------------------------------------------------------------------

    def _steps(self) -> dict[int, Step]:
        graph, evaluation = self.graph, self.evaluation
        steps: dict[int, Step] = {}
        for node, code in enumerate(graph.codes):
            if code == CONSTANT and node != len(graph) - 1:
                continue
            steps[node] = Step(node, self.names[node], graph.operators[code].gate, evaluation.values[node])
            if evaluation.wanted[node]:
                steps[node].gradient = evaluation.gradients[node]
        for kink in kinks(evaluation, self.names.__getitem__):
            steps[kink.node].kink = kink
        last = len(graph) - 1
        for node in range(last, -1, -1):
            step = steps.get(node)
            if step is None or not evaluation.wanted[node] or graph.codes[node] <= CONSTANT:
                continue
            if node != last and not step.arrived:
                continue  # no path leads here, so there is nothing to hand on
            # What the backward pass itself had here: what arrived, before anything was mended.
            above = evaluation.gradients[last] if node == last else _sum(step.arrived)
            for made in self._handed(node, above):
                step.handed.append(made)
                if made.value is not None:
                    steps[made.source].arrived.append(made)
        for node, step in steps.items():
            if node != last and step.gradient is not None:
                step.mended = not _same(step.gradient, _sum(step.arrived) + 0.0)
        return steps

    def _handed(self, node: int, above: Any) -> Iterator[Contribution]:
        """What a node hands on to those of its inputs whose gradient is wanted."""
        evaluation, graph = self.evaluation, self.graph
        operator, inputs = graph.operator(node), graph.inputs(node)
        gate = operator.gate
        assert gate is not None
        wanted = [position for position, source in enumerate(inputs) if evaluation.wanted[source]]
        if not wanted or (gate.constant and gate.partials is None):
            return
        if gate.data is not None or gate.discrete:
            flowing = set(gate.flowing(range(len(inputs))))
            wanted = [position for position in wanted if position in flowing]
        parts = self._parts(node, above)
        slopes = self._slopes(node)
        for position in wanted:
            source = inputs[position]
            made = Contribution(node, source, position, above, slopes[position], parts[position], self._local(node, position))
            if made.value is not None:
                made.value = made.value + 0.0 if evaluation.shape(source) else float(made.value)
            if slopes[position] is not None and evaluation.shape(node) != evaluation.shape(source):
                made.sum_from = evaluation.shape(node)
            if isinstance(made.value, float) and not math.isfinite(made.value) and math.isfinite(above):
                made.agreed = isinstance(made.slope, float) and math.isfinite(made.slope)
                made.value = above * made.slope + 0.0 if made.agreed else made.value
            yield made

    def _parts(self, node: int, above: Any) -> list[Any]:
        """What was added to the gradient of each input, computed as the backward pass did."""
        evaluation = self.evaluation
        if evaluation.scalar:
            return list(scalar.handed_on(self.graph, node, above, evaluation.values))
        import numpy

        from gradcalc.engine.arrays import handed_on

        with numpy.errstate(all="ignore"):
            return handed_on(self.graph, node, above, evaluation.values)

    def _slopes(self, node: int) -> list[Any]:
        """The local derivatives as numbers, where the gate has any; 0 where no path leads."""
        evaluation, operator = self.evaluation, self.graph.operator(node)
        gate, inputs = operator.gate, self.graph.inputs(node)
        assert gate is not None
        if gate.partials is None:
            return [None] * len(inputs)
        if evaluation.scalar:
            found = scalar.local_slopes(self.graph, node, evaluation.values, conventions=True)
            return [0.0 if slope is None else slope for slope in found]
        import numpy

        from gradcalc.engine.arrays import local_slopes

        with numpy.errstate(all="ignore"):
            return local_slopes(self.graph, node, evaluation.values)

    def _local(self, node: int, position: int) -> Callable[[], Local | None]:
        """How the local derivative of a node by one input is written, in the names of its inputs."""
        operator, inputs = self.graph.operator(node), self.graph.inputs(node)
        assert operator.gate is not None
        formulas = _element_formulas if operator.gate.partials is not None else _rule
        return lambda: list(formulas(self, operator, inputs, node))[position]

    def gradient_name(self, node: int) -> str:
        """`∂f/∂q`."""
        return derivative_name(self.names[len(self.graph) - 1], self.names[node])


def _piece(text: str) -> Spelled:
    """A name or a number inside a formula: on paper, a negative number stands in brackets."""
    return Spelled(0 if text.startswith("-") else ATOM, text)


def _names(formula: Formula, graph: Graph) -> dict[int, str]:
    """What every node is called: by its name, constants as they were written, all others in turn."""
    taken = set(formula.names.values()) | set(CONSTANTS)
    letter = next(letter for letter in LETTERS if not any(_numbered(name, letter) for name in taken))
    last = len(graph) - 1
    names: dict[int, str] = {}
    count = 0
    for node, code in enumerate(graph.codes):
        if node in formula.names:
            names[node] = formula.names[node]
        elif code == CONSTANT:
            names[node] = _constant_name(formula, node, graph)
        elif node == last:
            names[node] = next((name for name in OUTPUTS if name not in taken), "the output")
        else:
            count += 1
            names[node] = f"{letter}{count}"
    return names


def _numbered(name: str, letter: str) -> bool:
    return name.startswith(letter) and name[len(letter) :].isdigit()


def _constant_name(formula: Formula, node: int, graph: Graph) -> str:
    """A constant as the user wrote it if that is short (pi, 0.5), else by its value."""
    written = formula.label(node)
    if written in CONSTANTS or (written.replace(".", "").isdigit() and len(written) <= 12):
        return written
    value = graph.constant(node)
    return spell_number(value) if isinstance(value, float) else spell_array(value, 40)


def _sum(arrived: Sequence[Contribution]) -> Any:
    """What arrived, added up in the order in which it did; -0.0 where nothing has."""
    total: Any = scalar.ABSENT
    for made in arrived:
        total = total + made.value
    return total


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    import numpy

    return bool(numpy.array_equal(numpy.broadcast_to(b, numpy.shape(a)), a, equal_nan=True))


# ---- formulas of local derivatives -----------------------------------------------------------------------------------------------


def _element_formulas(told: Explanation, operator: Operator, inputs: Sequence[int], node: int) -> Iterator[Local | None]:
    """The partial derivatives of an element-wise gate in the names of its inputs."""
    gate = operator.gate
    assert gate is not None and gate.partials is not None
    graph = Graph()
    nodes: dict[int, int] = {}
    names: dict[int, str] = {}
    for source in dict.fromkeys((*inputs, node)):
        if not _is_number(told.graph, source):
            nodes[source] = graph.add_input()
            names[nodes[source]] = told.names[source]
    builder = Builder(graph)
    terms = {
        source: builder.term(nodes[source]) if source in nodes else builder.number(told.graph.constant(source), written=True)
        for source in (*inputs, node)
    }
    for slope in gate.partials(terms[node], *[terms[source] for source in inputs], **dict(operator.attributes)):
        if slope is None:
            yield None
            continue
        if isinstance(slope, Only):
            slope = builder.masked(slope.condition, builder.lifted(slope.slope))
        yield Local(graph, builder.lifted(slope).node, names)


def _rule(told: Explanation, operator: Operator, inputs: Sequence[int], node: int) -> Iterator[Local | None]:
    """What a gate with a rule of its own hands on, in the names of its inputs and the gradient from above."""
    evaluation = told.evaluation
    graph = Graph()
    names: dict[int, str] = {}
    shapes: list[tuple[int, ...]] = []
    nodes: dict[int, int] = {}
    for source in dict.fromkeys((*inputs, node)):
        if _is_number(told.graph, source):
            continue
        nodes[source] = graph.add_input()
        names[nodes[source]] = told.names[source]
        shapes.append(evaluation.shape(source))
    above = graph.add_input()
    names[above] = "1" if node == len(told.graph) - 1 else told.gradient_name(node)
    shapes.append(evaluation.shape(node))
    builder = Builder(graph, shapes)
    terms = {
        source: builder.term(nodes[source]) if source in nodes else builder.number(told.graph.constant(source), written=True)
        for source in (*inputs, node)
    }
    for made in contributions(operator, builder.term(above), terms[node], [terms[source] for source in inputs]):
        yield None if made is None else Local(graph, made.node, names)


def _is_number(graph: Graph, node: int) -> bool:
    return graph.codes[node] == CONSTANT and isinstance(graph.constant(node), float)
