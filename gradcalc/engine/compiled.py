"""Compiled programs: value and gradients again and again, of numbers, of arrays, and of numbers over lanes of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from gradcalc.calculus.linear import LinearProgram, linear_program
from gradcalc.dialects.python import PythonWriter
from gradcalc.dialects.source import straight_lines
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.makers import Makers
from gradcalc.errors import UsageProblem
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph

SMALL = 64
"""Up to so many nodes a graph of numbers is written as source at once: that takes no longer than looking around."""

SOURCE_NODES = 20_000
"""Up to so many nodes a program is written as source; larger graphs are interpreted, or run as machine code."""

SOURCE_PAYS = 100
"""Writing a graph as source takes as long as interpreting it so often."""

MACHINE_PAYS = 100_000
"""Making the machine, once in a process, takes as long as interpreting so many nodes."""

BACKENDS = ("auto", "source", "jit", "interpreter")

Run = Callable[[Sequence[Any]], Any]
"""Takes the values of the inputs by number."""


def compile_graph(
    graph: Graph,
    wrt: Sequence[int],
    shapes: Sequence[Shape] | None = None,
    names: Mapping[int, str] | None = None,
    backend: str = "auto",
) -> Program:
    """Make a program of a graph's last node and its gradients.

    Args:
        graph: without makers that read files or draw random numbers (see `engine.makers.prepare`).
        wrt: the numbers of the inputs to differentiate by.
        shapes: of the graph's nodes, which the inputs keep in every call; None where all are numbers.
        names: of the inputs, for messages.
        backend: `source` (generated Python or NumPy), `jit` (machine code; graphs of numbers only), `interpreter`, or `auto`.

    Raises:
        UsageProblem: there is no such backend, or it cannot run this graph.
    """
    if backend not in BACKENDS:
        raise UsageProblem(f"there is no backend {backend}", remedy=f"the backends are {', '.join(BACKENDS)}")
    arrays = shapes is not None and (any(shapes) or not all(o.gate is None or o.gate.elementwise for o in graph.operators))
    if arrays:
        assert shapes is not None
        return ArrayProgram(graph, wrt, list(shapes), names, backend)
    return ScalarProgram(graph, wrt, names, backend)


class Program:
    """A graph's value and gradients, compiled.

    `value(inputs)` and `value_and_gradients(inputs)` take a list of the values of the inputs, by number: floats, or arrays of the
    shapes that the program was made for. The gradients come in the order of `wrt`, each with the shape of its input, in new arrays.
    IEEE arithmetic: nothing raises, an overflow is inf and an undefined value nan.
    """

    value: Run
    value_and_gradients: Run

    def __init__(self, graph: Graph, wrt: Sequence[int], shapes: list[Shape] | None, names: Mapping[int, str] | None) -> None:
        self.graph = graph
        self.wrt = list(wrt)
        self.shapes = shapes
        self.names = dict(names or {})
        nodes = {graph.left[node]: node for node, code in enumerate(graph.codes) if code == INPUT}
        self._nodes = [nodes.get(number) for number in self.wrt]

    def ready(self) -> Program:
        """The same program, written: `value_and_gradients` is then the generated function itself."""
        return self

    def interpreted(self, inputs: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Value and gradients by the interpreter, with its second look at gradients that are not finite."""
        evaluation = evaluate(self.graph, inputs, Makers(0, load_allowed=False))
        backpropagate(evaluation, 1.0, [node for node in self._nodes if node is not None])
        gradients = [0.0 if node is None else evaluation.gradients[node] for node in self._nodes]
        return evaluation.values[-1], gradients

    def rows(self, columns: Sequence[Any], threads: int | None = None) -> tuple[Any, list[Any]]:
        """Value and gradients of every row of a table."""
        raise UsageProblem("a program of arrays cannot run over rows", remedy="give each row as numbers")


class ScalarProgram(Program):
    """A program of numbers.

    Attributes:
        backend: what runs it: with `auto` small graphs are written as source, larger ones are interpreted until writing them pays,
            or machine code does, where it is installed.
    """

    def __init__(self, graph: Graph, wrt: Sequence[int], names: Mapping[int, str] | None, backend: str) -> None:
        super().__init__(graph, wrt, None, names)
        self.backend = "source" if backend == "auto" and len(graph) <= SMALL else backend
        self._lanes: dict[tuple[bool, ...], Any] = {}
        self._worked = 0
        self.value = self._first_value
        self.value_and_gradients = self._first_gradients

    def _first_value(self, inputs: Sequence[float]) -> Any:
        """Writes the program when it pays."""
        if self._waits():
            return evaluate(self.graph, inputs).values[-1]
        if self.value == self._first_value:
            if self.backend == "source":
                self.value = _scalar_function(self.graph, (), None)
            elif self.backend == "jit":
                self.value = _Taped(self).value
            else:
                self.value = lambda inputs: evaluate(self.graph, inputs).values[-1]
        return self.value(inputs)

    def _first_gradients(self, inputs: Sequence[float]) -> Any:
        return self.interpreted(inputs) if self._waits() else self.ready().value_and_gradients(inputs)

    def _waits(self) -> bool:
        """Whether the graph has not yet been run so often that anything but interpreting it would pay; else chooses a backend."""
        if self.backend != "auto":
            return False
        from gradcalc.engine import jit

        machine = jit.available() and jit.runs(self.graph)
        size = len(self.graph)
        self._worked += size
        if self._worked < (MACHINE_PAYS if machine else SOURCE_PAYS * size) or (not machine and size > SOURCE_NODES):
            return True
        self.backend = "jit" if machine else "source"
        return False

    def ready(self) -> ScalarProgram:
        """The same program, written: `value_and_gradients` is then the generated function itself."""
        if self.backend == "auto":
            self._worked = max(MACHINE_PAYS, SOURCE_PAYS * len(self.graph))
            if self._waits():
                self.backend = "interpreter"
        if self.value_and_gradients == self._first_gradients:
            if self.backend == "source":
                self.value_and_gradients = _scalar_function(self.graph, self.wrt, self.interpreted)
            else:
                self.value_and_gradients = _Taped(self).run if self.backend == "jit" else self.interpreted
        return self

    def rows(self, columns: Sequence[Any], threads: int | None = None) -> tuple[Any, list[Any]]:
        """Value and gradients of every row of a table.

        Args:
            columns: by input number an array of n numbers, or one number for all rows.
            threads: how many may share the work; 1 for callers that are threads themselves, by default what pays.

        Returns:
            The n values, and for each input of `wrt` the n derivatives of its row's value.
        """
        from gradcalc.engine.lanes import Lanes

        key = tuple(not isinstance(column, float | int) for column in columns)
        lanes = self._lanes.get(key)
        if lanes is None:
            lanes = self._lanes[key] = Lanes(self, key)
        return lanes(columns, threads)


class _Taped:
    """A program's graph on tapes for the machine: one for each caller that runs at the same time."""

    def __init__(self, program: Program) -> None:
        from gradcalc.engine.jit import Tape, runs

        if not runs(program.graph):
            raise UsageProblem("the backend jit has no code for some gate of this graph", remedy="use the backend auto or source")
        self._nodes = program._nodes
        wrt = [node for node in self._nodes if node is not None]
        self._new: Callable[[], Any] = lambda: Tape(program.graph, wrt)
        self._again = program.interpreted
        self._idle = [self._new()]

    def value(self, inputs: Sequence[float]) -> float:
        """The value alone."""
        tape = self._taken()
        value: float = tape.value(inputs)
        self._idle.append(tape)
        return value

    def run(self, inputs: Sequence[float]) -> tuple[float, list[float]]:
        """Value and gradients; where a gradient is not finite, though the value is, the interpreter looks again."""
        tape = self._taken()
        value: float = tape.run(inputs)
        found = tape.gradients
        gradients = [0.0 if node is None else found[node] + 0.0 for node in self._nodes]
        self._idle.append(tape)
        total = sum(gradients)
        if total - total != 0.0 and isfinite(value):
            return self._again(inputs)
        return value, gradients

    def _taken(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return self._new()


# ---- numbers ---------------------------------------------------------------------------------------------------------------------


def _scalar_function(graph: Graph, wrt: Sequence[int], again: Callable[[Sequence[float]], Any] | None) -> Run:
    """A program as a Python function. What raises is done again by guarded functions, and by each gate's own.

    With `again`, the function answers the value and a list of gradients, and what is not finite, though it may have no reason, is
    done again by the interpreter. Without, it answers the value alone.
    """
    namespace: dict[str, Any] = {}

    def careful(inputs: Sequence[float]) -> Any:
        if "guarded" not in namespace:
            _define(linear_program(graph, wrt, steps=False), "guarded", True, again is not None, namespace)
        return namespace["guarded"](inputs)

    namespace["careful"] = careful
    namespace["again"] = again
    _define(linear_program(graph, wrt), "plain", False, again is not None, namespace)
    function: Run = namespace["plain"]
    return function


def _define(program: LinearProgram, name: str, safe: bool, gradients: bool, namespace: dict[str, Any]) -> None:
    """Write one function of a program of numbers, and define it in the namespace."""
    graph = program.graph
    writer = PythonWriter(graph, {}, safe)
    names = {number: f"x{number}" for number in range(graph.input_count)}
    repeated = [
        source
        for node in range(graph.input_count, len(graph))
        if graph.operator(node).gate is not None and writer.repeats(graph.operator(node))
        for source in graph.inputs(node)
    ]
    lines = straight_lines(writer, graph, program.outputs, names, kept=repeated)
    texts = [text or "0.0" for text in lines.outputs]
    body = list(lines.statements)
    answer = f"return {texts[0]}" if not gradients else f"return {texts[0]}, [{', '.join(texts[1:])}]"
    if gradients and program.risky:
        body += [f"total = {' + '.join(dict.fromkeys(texts))}", "if total - total != 0.0:", "    return again(inputs)"]
    body.append(answer)
    unpacked = [f"[{', '.join(names.values())}] = inputs"] if names else []
    source = [f"def {name}(inputs):", *(f"    {line}" for line in unpacked)]
    if safe:
        source += [f"    {line}" for line in body]
    else:
        source += ["    try:", *(f"        {line}" for line in body)]
        source += ["    except (ArithmeticError, ValueError):", "        return careful(inputs)"]
    namespace.update(writer.namespace)
    exec(compile("\n".join(source), "<gradcalc program>", "exec"), namespace)


# ---- arrays ----------------------------------------------------------------------------------------------------------------------


class ArrayProgram(Program):
    """A program of arrays: NumPy calls, one after the other, with the intermediate results in buffers that are used again."""

    def __init__(
        self, graph: Graph, wrt: Sequence[int], shapes: list[Shape], names: Mapping[int, str] | None, backend: str
    ) -> None:
        super().__init__(graph, wrt, shapes, names)
        if backend == "jit":
            raise UsageProblem("the backend jit runs graphs of numbers only", remedy="use the backend auto or source")
        self.backend = "source" if backend == "auto" and len(graph) <= SOURCE_NODES else backend
        if self.backend != "source":
            self.backend = "interpreter"
            self.value = lambda inputs: evaluate(graph, inputs, Makers(0, load_allowed=False)).values[-1]
            self.value_and_gradients = self.interpreted
            return
        self.value = self._first_value
        self.value_and_gradients = self._first_gradients

    def _first_value(self, inputs: Sequence[Any]) -> Any:
        from gradcalc.engine.buffered import array_function

        self.value = array_function(linear_program(self.graph, (), self.shapes), None)
        return self.value(inputs)

    def _first_gradients(self, inputs: Sequence[Any]) -> Any:
        return self.ready().value_and_gradients(inputs)

    def ready(self) -> ArrayProgram:
        """The same program, written: `value_and_gradients` is then the generated function itself."""
        from gradcalc.engine.buffered import array_function

        if self.value_and_gradients == self._first_gradients:
            program = linear_program(self.graph, self.wrt, self.shapes)
            self.value_and_gradients = array_function(program, self.interpreted, [self._shape(number) for number in self.wrt])
        return self

    def _shape(self, number: int) -> Shape:
        node = self._nodes[self.wrt.index(number)]
        return () if node is None or self.shapes is None else self.shapes[node]
