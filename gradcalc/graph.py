"""The one data structure: an append-only graph of gates, held as columns, whose ids are its topological order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gradcalc.gates.record import Gate

Attributes = tuple[tuple[str, Any], ...]
"""A gate's keyword arguments (axis, keepdims …) as sorted, hashable pairs."""

INPUT = 0
"""The code of every input node, in every graph; its left column is the number of the input."""
CONSTANT = 1
"""The code of every constant node, in every graph; its left column is an index into `constants`."""


class Operator(NamedTuple):
    """What a node does: a gate with its attributes and its number of inputs. `gate` is None for inputs and constants."""

    gate: Gate | None
    attributes: Attributes
    arity: int


class Mark(NamedTuple):
    """A state of a graph that it can be cut back to."""

    nodes: int
    bundles: int
    constants: int
    operators: int
    inputs: int


class Graph:
    """Nodes in topological order, as columns.

    Node `i` has the operator `operators[codes[i]]` and its inputs in `left[i]` and `right[i]` (arity 1: `left`, and `right`
    equals it; arity 2: both; arity 3 and more: `bundles[left[i]]`). Every input of a node has a smaller id, so evaluation is one
    loop forwards and backpropagation one loop backwards, and the depth of a formula costs nothing. The columns are lists, not
    arrays: their integers are shared, and walking them boxes nothing, which is what the interpreter's speed rests on.

    A node holds no value, gradient, name or place in the text: those belong to evaluations and programs.
    """

    __slots__ = ("__weakref__", "_codes", "bundles", "codes", "constants", "input_count", "left", "operators", "right")

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.bundles: list[tuple[int, ...]] = []
        self.constants: list[Any] = []
        self.operators: list[Operator] = [Operator(None, (), 0), Operator(None, (), 0)]
        self.input_count = 0
        self._codes: dict[Operator, int] = {}

    def __len__(self) -> int:
        return len(self.codes)

    def add_input(self) -> int:
        """Append an input and return its id."""
        return self._append(INPUT, self._count_input(), 0)

    def _count_input(self) -> int:
        self.input_count += 1
        return self.input_count - 1

    def add_constant(self, value: Any) -> int:
        """Append a constant (a float, or an array that nobody will change) and return its id."""
        self.constants.append(value)
        return self._append(CONSTANT, len(self.constants) - 1, 0)

    def add(self, gate: Gate, inputs: Sequence[int], attributes: Attributes = ()) -> int:
        """Append a gate on nodes that already exist and return its id."""
        arity = len(inputs)
        code = self.code(gate, attributes, arity)
        if arity == 1:
            return self._append(code, inputs[0], inputs[0])
        if arity == 2:
            return self._append(code, inputs[0], inputs[1])
        if arity == 0:
            return self._append(code, 0, 0)
        self.bundles.append(tuple(inputs))
        return self._append(code, len(self.bundles) - 1, 0)

    def code(self, gate: Gate, attributes: Attributes, arity: int) -> int:
        """The code of an operator in this graph, made on first use."""
        operator = Operator(gate, attributes, arity)
        code = self._codes.get(operator)
        if code is None:
            code = self._codes[operator] = len(self.operators)
            self.operators.append(operator)
        return code

    def _append(self, code: int, left: int, right: int) -> int:
        codes = self.codes
        node = len(codes)
        codes.append(code)
        self.left.append(left)
        self.right.append(right)
        return node

    def operator(self, node: int) -> Operator:
        """What a node does."""
        return self.operators[self.codes[node]]

    def inputs(self, node: int) -> tuple[int, ...]:
        """The ids of a node's inputs, in order."""
        arity = self.operators[self.codes[node]].arity
        if arity == 0:
            return ()
        if arity == 1:
            return (self.left[node],)
        if arity == 2:
            return (self.left[node], self.right[node])
        return self.bundles[self.left[node]]

    def constant(self, node: int) -> Any:
        """The value of a constant node."""
        return self.constants[self.left[node]]

    def with_constants(self, values: Mapping[int, Any]) -> Graph:
        """A copy in which these nodes are constants with these values; every node keeps its id."""
        copy = Graph()
        for column in ("codes", "left", "right", "bundles", "constants", "operators"):
            setattr(copy, column, list(getattr(self, column)))
        copy.input_count = self.input_count
        copy._codes = dict(self._codes)
        for node, value in values.items():
            copy.codes[node] = CONSTANT
            copy.left[node] = len(copy.constants)
            copy.constants.append(value)
        return copy

    def part(self, nodes: Sequence[int]) -> Graph:
        """These nodes, in their order, as a graph of their own. Inputs keep their numbers; what a node reads must be among them."""
        part = Graph()
        part.operators = list(self.operators)
        part.constants = list(self.constants)
        part._codes = dict(self._codes)
        part.input_count = self.input_count
        found = [-1] * len(self)
        arities = [operator.arity for operator in self.operators]
        for number, node in enumerate(nodes):
            found[node] = number
            code, left, right = self.codes[node], self.left[node], self.right[node]
            arity = arities[code]
            if 0 < arity <= 2:
                left, right = found[left], found[right]
            elif arity:
                part.bundles.append(tuple([found[source] for source in self.bundles[left]]))
                left = len(part.bundles) - 1
            part.codes.append(code)
            part.left.append(left)
            part.right.append(right)
        return part

    def mark(self) -> Mark:
        """The present state, to `cut` back to."""
        return Mark(len(self.codes), len(self.bundles), len(self.constants), len(self.operators), self.input_count)

    def cut(self, mark: Mark) -> None:
        """Forget everything that was appended since the mark."""
        del self.codes[mark.nodes :]
        del self.left[mark.nodes :]
        del self.right[mark.nodes :]
        del self.bundles[mark.bundles :]
        del self.constants[mark.constants :]
        for operator in self.operators[mark.operators :]:
            del self._codes[operator]
        del self.operators[mark.operators :]
        self.input_count = mark.inputs

    def reached(self, outputs: Sequence[int], after: int = 0) -> bytearray:
        """Which nodes the outputs depend on: a flag per node up to the last output.

        Only nodes with an id of at least `after` are followed to their inputs.
        """
        last = max(outputs, default=-1)
        flags = bytearray(last + 1)
        for output in outputs:
            flags[output] = 1
        arities = [operator.arity for operator in self.operators]
        codes, left, right, bundles = self.codes, self.left, self.right, self.bundles
        for node in range(last, after - 1, -1):
            if flags[node]:
                arity = arities[codes[node]]
                if arity == 2:
                    flags[left[node]] = 1
                    flags[right[node]] = 1
                elif arity == 1:
                    flags[left[node]] = 1
                elif arity:
                    for source in bundles[left[node]]:
                        flags[source] = 1
        return flags
