"""Programs of arrays as functions: NumPy source, compiled, with its buffers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from gradcalc.calculus.linear import LinearProgram
from gradcalc.dialects.numpy import TRUTH, Buffer, NumpySource, write_numpy
from gradcalc.engine.arrays import kernel
from gradcalc.gates.record import Shape


def numpy_function(name: str) -> Any:
    """A function of NumPy by the name that generated source calls it by."""
    if name.endswith("_reduce"):
        return getattr(numpy, name.removesuffix("_reduce")).reduce
    return getattr(numpy, name)


def namespace_of(source: NumpySource) -> dict[str, Any]:
    """What the text of a program refers to, its buffers left aside."""
    namespace: dict[str, Any] = {name: numpy_function(name) for name in source.functions}
    for name, value in source.constants.items():
        namespace[name] = numpy.array(value) if isinstance(value, float) else value
    for name, (gate, attributes) in source.kernels.items():
        namespace[name] = kernel(gate, attributes)
    return namespace


def new_buffer(buffer: Buffer, shape: Shape | None = None) -> Any:
    """The array of a buffer."""
    return numpy.zeros(buffer.shape if shape is None else shape, dtype=bool if buffer.kind == TRUTH else float)


def folded(program: LinearProgram) -> dict[int, Any]:
    """The values of all gates that depend on no input."""
    graph = program.graph
    values: dict[int, Any] = {}
    made: dict[int, Any] = {}
    with numpy.errstate(all="ignore"):
        for node in range(graph.input_count, len(graph)):
            operator = graph.operator(node)
            if operator.gate is None:
                values[node] = graph.constant(node)
            elif all(source in values for source in graph.inputs(node)):
                value = kernel(operator.gate, operator.attributes)(*[values[source] for source in graph.inputs(node)])
                values[node] = made[node] = numpy.asarray(value, dtype=float) if program.shape(node) else float(value)
    return made


def array_function(
    program: LinearProgram, again: Callable[[Sequence[Any]], Any] | None, wanted: Sequence[Shape] = ()
) -> Callable[[Sequence[Any]], Any]:
    """A program of arrays as a function of its inputs.

    With `again`, the function answers the value and a list of gradients of the `wanted` shapes, and what is not finite, though it
    may have no reason, is done again by the interpreter. Without, it answers the value alone.
    """
    constants = folded(program)
    graph = program.graph.with_constants(constants) if constants else program.graph
    count = graph.input_count
    shapes = program.shapes
    assert shapes is not None
    names = {number: f"x{number}" for number in range(count)}
    source = write_numpy(graph, program.outputs, shapes, names)
    numbers = [number for number in range(count) if not shapes[number]]
    used = graph.reached([output for output in program.outputs if output is not None])
    lines = [f"[{', '.join(names.values())}] = inputs"] if names else []
    lines += [f"s{number}[()] = x{number}; x{number} = s{number}" for number in numbers if number < len(used) and used[number]]
    lines += source.lines
    gradients = again is not None
    texts = [_answer(text, shape) for text, shape in zip(source.outputs, [_value_shape(program), *wanted])]
    lines.append(f"return {texts[0]}, [{', '.join(texts[1:])}]" if gradients else f"return {texts[0]}")
    body = "\n".join(f"    {line}" for line in lines)
    code = compile(f"def run(inputs):\n{body}", "<gradcalc program>", "exec")
    fixed = namespace_of(source)
    fixed["zeros"] = numpy.zeros

    def new_run() -> Callable[[Sequence[Any]], Any]:
        namespace = dict(fixed)
        namespace.update({buffer.name: new_buffer(buffer) for buffer in source.buffers})
        namespace.update({f"s{number}": numpy.zeros(()) for number in numbers})
        exec(code, namespace)
        return namespace["run"]  # type: ignore[no-any-return]

    # A run has buffers of its own: it serves one caller at a time.
    idle = [new_run()]
    errstate = numpy.errstate

    def function(inputs: Sequence[Any]) -> Any:
        try:
            run = idle.pop()
        except IndexError:
            run = new_run()
        with errstate(all="ignore"):
            answer = run(inputs)
        idle.append(run)
        return answer

    if again is None or not program.risky:
        return function

    def checked(inputs: Sequence[Any]) -> Any:
        answer = function(inputs)
        value, gradients = answer
        with errstate(all="ignore"):
            total = value if isinstance(value, float) else numpy.dot(value.ravel(), value.ravel())
            for gradient in gradients:
                flat = gradient if isinstance(gradient, float) else gradient.ravel()
                total = total + numpy.dot(flat, flat)
            finite = total - total == 0.0
        return answer if finite else again(inputs)

    return checked


def _value_shape(program: LinearProgram) -> Shape:
    output = program.outputs[0]
    assert output is not None
    return program.shape(output)


def _answer(text: str | None, shape: Shape) -> str:
    if text is None:
        return f"zeros({shape!r})" if shape else "0.0"
    return text if shape else f"float({text})"
