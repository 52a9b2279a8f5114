"""One output of a program as a graph of its own, with the names and values of its inputs: what most commands work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.engine.evaluate import Evaluation, evaluate
from gradcalc.engine.finite import first_fault, spell_value
from gradcalc.engine.makers import Makers, prepare
from gradcalc.engine.shapes import NodeProblem, is_scalar, size_inputs
from gradcalc.errors import BindingProblem, GradcalcError, Place
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph

if TYPE_CHECKING:
    from gradcalc.language.program import Program


class Interval(NamedTuple):
    """All values between two: `0..1`."""

    low: float
    high: float


class Points(NamedTuple):
    """So many values between two, the ends included: `0..1:1000`."""

    low: float
    high: float
    number: int


class Measured(NamedTuple):
    """A value with its standard uncertainty: `1.0±0.1`; floats, or arrays of one shape."""

    value: Any
    error: Any


class Written(NamedTuple):
    """Where a formula stands in its program, in whose graph the gates of the user are not opened.

    Attributes:
        program: the program, as far as it had been taken.
        node: the output in its graph.
        first: all nodes from this one up to the output are known to be needed.
        value: the value of an input, by its number in the program, as in `Formula.values`. A gate of the user may be given
            inputs that it does not use, which the formula does not have.
    """

    program: Program
    node: int
    first: int
    value: Callable[[int], Any]


class Formula:
    """One output of a program.

    Attributes:
        text: the output in the language.
        line: where it stands in the program, counted from 1.
        graph: its own compact graph, whose last node is the output. Gates of the user are opened, others only where that was asked
            for.
        inputs: the names of its inputs, by their number (that of an input node is `graph.left[node]`).
        values: by number a float, an array, an `Interval`, `Points`, `Measured`, or None where there is no value.
        default: by number whether the value comes from a default in the program.
        names: the names of nodes, inputs included.
        makers: where random numbers and files come from.
        warnings: what was to be said about the values.
    """

    def __init__(
        self,
        text: str,
        line: int | None,
        graph: Graph,
        inputs: tuple[str, ...],
        values: Sequence[Any],
        default: tuple[bool, ...],
        names: Mapping[int, str],
        makers: Makers,
        label: Callable[[int], str],
        place: Callable[[int], Place | None],
    ) -> None:
        self.text = text
        self.line = line
        self.graph = graph
        self.inputs = inputs
        self.values = list(values)
        self.default = default
        self.names = dict(names)
        self.makers = makers
        self.warnings: list[str] = []
        self.written: Written | None = None
        """Where it stands in its program; None if that is not known."""
        self.label = label
        """A node's name, or the piece of source that it stands for."""
        self.place = place
        """A node's place in the text."""

    @property
    def output(self) -> int:
        """The node of the output."""
        return len(self.graph) - 1

    def node(self, name: str) -> int | None:
        """The input or node of this name, if the output depends on it."""
        return next((node for node, own in self.names.items() if own == name), None)

    def input_node(self, number: int) -> int:
        """The node of an input."""
        codes, left = self.graph.codes, self.graph.left
        return next(node for node, code in enumerate(codes) if code == INPUT and left[node] == number)

    def point(self, overrides: Mapping[str, Any] | None = None) -> list[Any]:
        """The values of the inputs by number, all of them floats or arrays; of a measured value its centre.

        Args:
            overrides: values by name, which stand for those of the formula.

        Raises:
            BindingProblem: an input has no single value.
        """
        point = []
        for name, value in zip(self.inputs, self.values):
            if overrides and name in overrides:
                value = overrides[name]
            if isinstance(value, Measured):
                value = value.value
            if value is None or isinstance(value, Interval | Points):
                raise self._no_value(name, value)
            point.append(value)
        return point

    def _no_value(self, name: str, value: Interval | Points | None) -> BindingProblem:
        """That an input has no value, or a range."""
        if value is not None:
            words = "a range" if isinstance(value, Interval) else "a grid"
            return BindingProblem(f"--{name} is {words}, and a single value is needed here", remedy=f"write --{name} NUMBER")
        place = self.place(self.input_node(self.inputs.index(name)))
        remedy = f"give it one: --{name} NUMBER, or a line {name} = NUMBER in the program"
        problem = BindingProblem(f"{name} has no value", place=place, remedy=remedy)
        problem.missing = name
        return problem

    @property
    def sizes(self) -> list[str]:
        """The names of the inputs that sizes are computed from."""
        numbers = size_inputs(self.graph)
        return [name for number, name in enumerate(self.inputs) if number in numbers]

    @property
    def sized(self) -> bool:
        """Whether all of these have single values, so that shapes can be told."""
        values = dict(zip(self.inputs, self.values))
        return not any(values[name] is None or isinstance(values[name], Interval | Points) for name in self.sizes)

    def _typical(self) -> list[Any]:
        """Values that have the shapes of the inputs; what has no single value is a number, unless it is a size."""
        sizes = self.sizes
        typical: list[Any] = []
        for name, value in zip(self.inputs, self.values):
            if isinstance(value, Measured):
                value = value.value
            if value is None or isinstance(value, Interval | Points):
                if name in sizes:
                    raise self._no_value(name, value)
                value = 0.0
            typical.append(value)
        return typical

    def prepared(self, point: Sequence[Any] | None = None) -> tuple[Graph, list[Shape] | None]:
        """The graph with constants in the place of makers, and the shapes of its nodes (None: all are numbers).

        Args:
            point: values of the inputs, by number, that say what shapes they have, and the sizes that are computed from them; by
                default the formula's own, where an input without a single value counts as a number.

        Raises:
            GradcalcError: shapes do not fit, with the place in the text; a size has no value; a file is not what it should be.
        """
        point = self._typical() if point is None else point
        if is_scalar(self.graph, point):
            return self.graph, None
        try:
            return prepare(self.graph, point, self.makers)
        except NodeProblem as found:
            raise self.problem(found) from None

    @property
    def shapes(self) -> list[Shape] | None:
        """The shapes of the nodes; see `prepared`."""
        return self.prepared()[1]

    def evaluate(self, overrides: Mapping[str, Any] | None = None) -> Evaluation:
        """The forward pass at the formula's values, or at others by name.

        Raises:
            GradcalcError: a value is missing, shapes do not fit.
        """
        try:
            return evaluate(self.graph, self.point(overrides), self.makers)
        except NodeProblem as found:
            raise self.problem(found) from None

    def value_warnings(self, values: Sequence[Any]) -> list[str]:
        """A warning that names the first node at which something that is not finite arose, or the input that was given so."""
        fault = first_fault(self.graph, values)
        if fault is None:
            return []
        return [f"{self.label(fault.node)} {fault.words or f'is {spell_value(values[fault.node])}: it was given so'}"]

    def problem(self, found: NodeProblem) -> GradcalcError:
        """What is wrong with a node, at its place in the text."""
        return found.problem(place=self.place(found.node))
