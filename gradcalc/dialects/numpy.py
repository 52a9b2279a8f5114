"""Programs of arrays, or of numbers over lanes of rows, as NumPy source whose intermediate results live in buffers that are reused.

Nothing here imports NumPy: the text is compiled where the arrays are. Masks are arrays of truth values, `where` chooses, and no
statement branches on a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.dialects.truth import truths
from gradcalc.gates.record import Gate, Shape
from gradcalc.gates.reductions import reduced_axes
from gradcalc.graph import CONSTANT, Attributes, Graph, Operator

FLOAT, TRUTH = "float", "truth"
"""What an array holds: numbers, or the truth of a comparison."""


class Buffer(NamedTuple):
    """An array that intermediate results are written to."""

    name: str
    shape: Shape
    kind: str


class NumpySource(NamedTuple):
    """The statements of a program, and what they refer to."""

    lines: list[str]
    outputs: list[str | None]
    """The names of the outputs' arrays, which are new, and nobody else's; None where there is no output."""
    buffers: list[Buffer]
    constants: dict[str, Any]
    """Arrays and numbers, as the text names them; numbers are to be bound as arrays of no axes, which NumPy takes quickest."""
    kernels: dict[str, tuple[Gate, Attributes]]
    """Functions, by the name that the text calls them by."""
    functions: set[str]
    """The functions of NumPy that the text calls; `maximum_reduce` stands for `maximum.reduce`."""


COMPARISONS = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
_CHAINED = {"max": "maximum", "min": "minimum"}
_RESHAPING = frozenset(("reshape", "flatten", "squeeze", "expand_dims"))
_LOOKS = _RESHAPING | {"transpose", "[]", "flip", "full", "broadcast_to"}
"""Gates whose result may be another look at their input's array."""


def elementwise_function(operator: Operator) -> str | None:
    """The name of NumPy's function for an element-wise gate, if it has one that can write to a given array."""
    gate = operator.gate
    assert gate is not None
    if not gate.elementwise:
        return None
    if gate.name in COMPARISONS:
        return COMPARISONS[gate.name]
    if gate.name in _CHAINED:
        return _CHAINED[gate.name]
    return gate.array if isinstance(gate.array, str) else None


class NumpyProgram:
    """Writes one program. See `write_numpy`."""

    def __init__(
        self,
        graph: Graph,
        outputs: Sequence[int | None],
        shapes: Sequence[Shape],
        names: Mapping[int, str],
        into: Sequence[str | None],
        buffered: Callable[[Shape], bool],
    ) -> None:
        self.graph = graph
        self.outputs = outputs
        self.shapes = shapes
        self.buffered = buffered
        self.text = dict(names)
        self.into = into
        self.direct: dict[int, str] = {}
        """The arrays from outside that nodes write their results to."""
        for output, name in zip(outputs, into):
            if output is not None and name is not None and output not in names and graph.codes[output] > CONSTANT:
                self.direct.setdefault(output, name)
        self.source = NumpySource([], [], [], {}, {}, set())
        self._free: dict[tuple[Shape, str], list[str]] = {}
        self._held: dict[int, Buffer] = {}
        self._count = 0
        self._inputs = [tuple(graph.inputs(node)) if node not in names else () for node in range(len(graph))]
        self.wanted = {output for output in outputs if output is not None}
        self.nodes = self._needed()
        self.kinds = self._kinds()
        self._homes: dict[int, int] = {}
        for node in self.nodes:
            look = self._is_look(node)
            self._homes[node] = self._homes[self._inputs[node][-1 if self._name(node) == "full" else 0]] if look else node
        self._dying = self._dying_at()

    # ---- what is known before the first line --------------------------------------------------------------------------------

    def _needed(self) -> list[int]:
        """The nodes that the outputs depend on, nothing behind those that have a name from outside."""
        flags = bytearray(len(self.graph))
        for output in self.wanted:
            flags[output] = 1
        for node in range(len(flags) - 1, -1, -1):
            if flags[node]:
                for source in self._inputs[node]:
                    flags[source] = 1
        return [node for node, flag in enumerate(flags) if flag]

    def _name(self, node: int) -> str:
        gate = self.graph.operator(node).gate
        return "" if gate is None or node in self.text else gate.name

    def _kinds(self) -> dict[int, str]:
        """Which nodes are truth values: comparisons, and what joins them, as far as they only decide."""
        found = truths(self.nodes, self._name, self._inputs.__getitem__, self.wanted)
        return {node: TRUTH if node in found else FLOAT for node in self.nodes}

    def _is_look(self, node: int) -> bool:
        name = self._name(node)
        if name == "sum_to":
            return math.prod(self.shapes[node]) == math.prod(self.shapes[self._inputs[node][0]])
        return name in _LOOKS

    def _dying_at(self) -> dict[int, list[int]]:
        """For each node the arrays that nobody needs after it."""
        last: dict[int, int] = {}
        for node in self.nodes:
            for source in self._inputs[node]:
                last[self._homes[source]] = node
        kept = {self._homes[output] for output in self.wanted}
        dying: dict[int, list[int]] = {}
        for home, node in last.items():
            if home not in kept:
                dying.setdefault(node, []).append(home)
        return dying

    # ---- names, constants, buffers -------------------------------------------------------------------------------------------

    def _new_name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _constant(self, value: Any) -> str:
        constants = self.source.constants
        for name, known in constants.items():
            if known is value or (isinstance(value, float) and isinstance(known, float) and repr(known) == repr(value)):
                return name
        name = f"c{len(constants)}"
        constants[name] = value
        return name

    def function(self, name: str) -> str:
        """A function of NumPy, noted as needed."""
        self.source.functions.add(name)
        return name

    def _target(self, node: int, kind: str = FLOAT) -> str | None:
        """The array that a result is written to: one from outside, a buffer, or None for a new one."""
        if node in self.direct:
            return self.direct[node]
        shape = self.shapes[node]
        if node in self.wanted or not self.buffered(shape):
            return None
        free = self._free.setdefault((shape, kind), [])
        if free:
            name = free.pop()
        else:
            name = f"b{len(self.source.buffers)}"
            self.source.buffers.append(Buffer(name, shape, kind))
        self._held[node] = Buffer(name, shape, kind)
        return name

    def _release(self, node: int, in_place: Buffer | None = None) -> None:
        """Free the buffers that nobody needs after a node; before it is computed, those that it may be written over."""
        for gone in self._dying.get(node, ()):
            buffer = self._held.get(gone)
            if buffer is None:
                continue
            if in_place is not None:
                plain = all(source == gone or self._homes[source] != gone for source in self._inputs[node])
                if not plain or (buffer.shape, buffer.kind) != (in_place.shape, in_place.kind):
                    continue
            del self._held[gone]
            self._free[buffer.shape, buffer.kind].append(buffer.name)

    # ---- the statements --------------------------------------------------------------------------------------------------------

    def write(self) -> NumpySource:
        """All statements."""
        for node in self.nodes:
            if node in self.text:
                continue
            if self.graph.codes[node] == CONSTANT:
                self.text[node] = self._constant(self.graph.constant(node))
                continue
            self._statement(node)
            self._release(node)
        given: set[int] = set()
        for output, name in zip(self.outputs, self.into):
            self.source.outputs.append(None if output is None else self._output(output, name, given))
        return self.source

    def _output(self, output: int, name: str | None, given: set[int]) -> str:
        """The name of an output's array; of what is not new, or given already, a copy."""
        text = self.text[output]
        if name is not None:
            if text != name:
                self._line(f"{self.function('copyto')}({name}, {text})")
            return name
        home = self._homes[output]
        others = self.graph.codes[home] <= CONSTANT or self._outside(home)
        if others or home in given or home in self._held:
            return f"{self.function('array')}({text})"
        given.add(home)
        return text

    def _outside(self, node: int) -> bool:
        return not self._inputs[node] and self.graph.operator(node).arity > 0

    def _line(self, text: str) -> None:
        self.source.lines.append(text)

    def _statement(self, node: int) -> None:
        operator = self.graph.operator(node)
        gate = operator.gate
        assert gate is not None
        inputs = self._inputs[node]
        if gate.name == "where":
            self._choice(node, *inputs)
        elif self.kinds[node] == TRUTH:
            function = {"*": "logical_and", "max": "logical_or"}.get(gate.name) or COMPARISONS[gate.name]
            self._elementwise(node, function, inputs, TRUTH)
        elif (function_of_numpy := elementwise_function(operator)) is not None:
            self._elementwise(node, function_of_numpy, inputs, FLOAT)
        elif not self._special(node, gate.name, inputs, dict(operator.attributes)):
            name = self._kernel(gate, operator.attributes)
            self._assign(node, f"{name}({', '.join(self.text[source] for source in inputs)})")

    def _elementwise(self, node: int, function: str, inputs: Sequence[int], kind: str) -> None:
        """A function that can write to a given array, also to that of an input that is needed no more."""
        texts = [self.text[source] for source in inputs]
        while len(texts) > 2:
            # max(a, b, c): pair by pair.
            name = self._new_name()
            self._line(f"{name} = {self.function(function)}({texts[0]}, {texts[1]})")
            texts[:2] = [name]
        self._release(node, Buffer("", self.shapes[node], kind))
        self._call(node, function, texts, kind)

    def _call(self, node: int, function: str, arguments: Sequence[str], kind: str = FLOAT) -> None:
        target = self._target(node, kind)
        call = self.function(function)
        if target is None:
            target = self._new_name()
            self._line(f"{target} = {call}({', '.join(arguments)})")
        else:
            # The two that choose take no third argument but by its name.
            out = f"out={target}" if function in _CHAINED.values() else target
            self._line(f"{call}({', '.join([*arguments, out])})")
        self.text[node] = target

    def _choice(self, node: int, condition: int, yes: int, no: int) -> None:
        text = self.text[condition]
        if self.kinds[condition] != TRUTH:
            text = f"{self.function('not_equal')}({text}, {self._constant(0.0)})"
        self._assign(node, f"{self.function('where')}({text}, {self.text[yes]}, {self.text[no]})")

    def _assign(self, node: int, expression: str) -> None:
        """A result that is an array of its own, or a look at another."""
        if node in self.direct:
            self._line(f"{self.function('copyto')}({self.direct[node]}, {expression})")
            self.text[node] = self.direct[node]
        else:
            self.text[node] = self._new_name()
            self._line(f"{self.text[node]} = {expression}")

    def _kernel(self, gate: Gate, attributes: Attributes) -> str:
        """The name of the function of a gate's record."""
        kernels = self.source.kernels
        for name, known in kernels.items():
            if known == (gate, attributes):
                return name
        name = f"k{len(kernels)}"
        kernels[name] = (gate, attributes)
        return name

    # ---- gates with a spelling of their own --------------------------------------------------------------------------------------

    def _special(self, node: int, name: str, inputs: Sequence[int], attributes: Mapping[str, Any]) -> bool:
        """Write a gate that has a spelling of its own; False if there is none for these shapes."""
        source = inputs[0]
        text, shape = self.text[source], self.shapes[node]
        if name == "@" and len(shape) == len(self.shapes[source]) == len(self.shapes[inputs[1]]) == 2:
            self._call(node, "dot", [text, self.text[inputs[1]]])
        elif name == "transpose" and self.shapes[source]:
            axes = attributes["axes"]
            self._assign(node, f"{text}.T" if axes is None else f"{text}.transpose({axes!r})")
        elif (name in _RESHAPING or (name == "sum_to" and self._is_look(node))) and self.shapes[source]:
            self._assign(node, f"{text}.reshape({shape!r})")
        elif name in _REDUCTIONS:
            return self._reduction(node, source, _REDUCTIONS[name], attributes["axis"], attributes["keepdims"])
        elif name == "sum_to":
            return self._sum_to(node, source)
        else:
            return False
        return True

    def _reduction(self, node: int, source: int, function: str, axis: Any, keepdims: bool) -> bool:
        shape = self.shapes[source]
        if not shape or 0 in shape:
            return False
        axes = reduced_axes(shape, axis)
        if not axes:
            return False
        along = "None" if len(axes) == len(shape) else repr(axes[0] if len(axes) == 1 else axes)
        target = self._target(node)
        arguments = [self.text[source], along, "None", str(target), str(keepdims)]
        if not keepdims:
            del arguments[4]
            if target is None:
                del arguments[2:]
        call = f"{self.function(function)}({', '.join(arguments)})"
        if target is None:
            target = self._new_name()
            call = f"{target} = {call}"
        self._line(call)
        self.text[node] = target
        return True

    def _sum_to(self, node: int, source: int) -> bool:
        """The sum over what broadcasting repeated, as one reduction where it can be."""
        before, after = self.shapes[source], self.shapes[node]
        extra = len(before) - len(after)
        inner = tuple(number for number in range(extra, len(before)) if before[number] != 1 and after[number - extra] == 1)
        if extra and inner:
            return False
        return self._reduction(node, source, "add_reduce", tuple(range(extra)) or inner, not extra)


_REDUCTIONS = {"sum": "add_reduce", "max": "maximum_reduce", "min": "minimum_reduce"}


def write_numpy(
    graph: Graph,
    outputs: Sequence[int | None],
    shapes: Sequence[Shape],
    names: Mapping[int, str],
    into: Sequence[str | None] | None = None,
    buffered: Callable[[Shape], bool] = lambda shape: True,
) -> NumpySource:
    """A program as statements.

    Args:
        graph: the program.
        outputs: what is computed.
        shapes: of all nodes. Over lanes of rows, what differs from row to row has a shape of one axis, of any size.
        names: how the arrays of inputs, and of other nodes that are known from outside, are called.
        into: for each output the name of an array from outside that it is written to, None for a new one.
        buffered: for which shapes results are written to buffers and not to new arrays.
    """
    return NumpyProgram(graph, outputs, shapes, names, into or [None] * len(outputs), buffered).write()
