"""Whole files of Python: for the standard library, NumPy, JAX and PyTorch."""

from __future__ import annotations

import builtins
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.dialects.exports.arrays import JaxWriter, NumpyWriter, TorchWriter, nested
from gradcalc.dialects.exports.library import words_of
from gradcalc.dialects.exports.names import Names
from gradcalc.dialects.exports.page import RELATIVE, Export, Part, functions_of
from gradcalc.dialects.exports.python import PythonNumbers
from gradcalc.dialects.exports.readable import ReadableWriter, folded_lines, graph_constants
from gradcalc.dialects.source import straight_lines
from gradcalc.graph import INPUT

LARGEST_STATEMENT = 6
"""How many gates a statement may have, unless each is written where it is used."""

INLINE = 8
"""How many elements an array may have that stands where it is used."""

ROW = 64
"""How many elements an array may have that is written as a list; those of a larger one stand in a text."""

WIDTH = 110


class Target(NamedTuple):
    """What distinguishes the libraries.

    Attributes:
        title: what the source is called.
        writer: of the gates.
        imports: by the word that asks for them.
        opening: lines behind the imports.
        decorator: above every function.
        coerced: the statement by which a function makes arrays of what it is given; `{names}` are its parameters.
        compares: whether the library's own derivatives stand beside.
        takes: what the parameters are.
    """

    title: str
    writer: type[ReadableWriter]
    imports: Mapping[str, str]
    opening: Sequence[str]
    decorator: str
    coerced: tuple[str, str]
    compares: bool
    takes: str


TARGETS = {
    "python": Target("Python", PythonNumbers, {"math": "import math", "sys": "import sys"}, (), "", ("", ""), False, "numbers"),
    "numpy": Target(
        "NumPy",
        NumpyWriter,
        {"math": "import math", "sys": "import sys", "np": "import numpy as np"},
        (),
        '@np.errstate(all="ignore")',
        ("{0} = np.float64({0})", "{0} = map(np.float64, ({0}))"),
        False,
        "numbers or arrays",
    ),
    "torch": Target(
        "PyTorch",
        TorchWriter,
        {"math": "import math", "sys": "import sys", "torch": "import torch", "F": "import torch.nn.functional as F"},
        (),
        "",
        ("", ""),
        True,
        "tensors",
    ),
    "jax": Target(
        "JAX",
        JaxWriter,
        {"math": "import math", "sys": "import sys", "jax": "import jax", "jnp": "import jax.numpy as jnp"},
        ('jax.config.update("jax_enable_x64", True)  # without it, JAX computes in single precision',),
        "",
        ("{0} = jnp.float64({0})", "{0} = map(jnp.float64, ({0}))"),
        True,
        "numbers or arrays",
    ),
}


def python_source(export: Export, target: Target) -> str:
    """A file with the functions of every output, and a main that tests them."""
    return _Page(export, target).text()


class _Page:
    def __init__(self, export: Export, target: Target) -> None:
        self.export = export
        self.target = target
        reserved = {*dir(builtins), *target.imports, *target.writer.library.names, "F", "RELATIVE", "main"}
        self.functions = functions_of(export)
        self.top = Names({*reserved, *(name for pair in self.functions for name in pair)})
        self.arrays: list[str] = []
        """Statements that define constant arrays."""
        self.data: list[str] = []
        """Statements that define the numbers of the test."""

    def text(self) -> str:
        blocks: list[str] = []
        for part, names in zip(self.export.parts, self.functions):
            blocks += self._functions(part, *names)
        tests = self._test() if self.export.tested and self.export.parts else []
        code = "\n".join(blocks)
        helpers = [function.text for function in self.target.writer.library.needed([code])]
        support = [function.text for function in self.target.writer.library.needed([*self.arrays, *tests])]
        support = [text for text in support if text not in helpers]
        words = words_of("\n".join([*helpers, *support, code, *self.arrays, *tests, *self.target.opening]))
        needs = {word for word in words if word in self.target.imports}
        if "jnp" in needs:
            needs.add("jax")
        plain = [line for word, line in self.target.imports.items() if word in needs and word in ("math", "sys")]
        others = [line for word, line in self.target.imports.items() if word in needs and word not in ("math", "sys")]
        head = [self._header(), "\n".join(plain), "\n".join(others), "\n".join(self.target.opening if "jax" in needs else ())]
        constants = ["\n".join(self.arrays)] if self.arrays else []
        top = "\n\n".join(piece for piece in head if piece)
        return "\n\n\n".join([top, *blocks, *helpers, *support, *constants, *tests]) + "\n"

    def _header(self) -> str:
        parts = self.export.parts
        what = (
            f"{_short(parts[0].title)}: its value and gradients"
            if len(parts) == 1
            else f"{len(parts)} formulas and their gradients"
        )
        lines = [f"{what}, as {self.target.title} source.", "", f"Made by {self.export.maker} from the program", ""]
        for place, part in enumerate(parts):
            lines += [f"    {line}" for line in part.program] + ([""] if place < len(parts) - 1 else [])
        lines.append("")
        names = " and ".join(f"{forward}()" for forward, _ in self.functions[:1])
        back = self.functions[0][1]
        told = (
            f"{names} answers the value, {back}() the value and the gradients, found by the chain rule from the output back to the "
            "inputs."
        )
        lines += textwrap.wrap(told, WIDTH)
        if self.export.tested:
            more = f" The derivatives of {self.target.title} itself stand beside them." if self.target.compares else ""
            told = (
                "Run this file to test it: it prints value and gradients at a point, and its exit status is 1 if one of them is not "
                f"what gradcalc computed there, but for {_power(RELATIVE)} of its size and for rounding.{more}"
            )
        else:
            told = "It has no test of its own, since there were no values for all inputs when it was made."
        lines += textwrap.wrap(told, WIDTH)
        for part in parts:
            for remark in part.remarks:
                lines += ["", *textwrap.wrap(remark, WIDTH)]
        text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"""')
        return f'"""{text}\n"""' if not text.startswith('"') else f'""" {text}\n"""'

    # ---- functions ---------------------------------------------------------------------------------------------------------------

    def _functions(self, part: Part, forward: str, backward: str) -> list[str]:
        local = Names(self.top.taken)
        parameters = [local.take(name) for name in part.inputs]
        identifiers = dict(enumerate(parameters))
        names = {node: identifiers[node] for node in range(len(parameters))}
        for node, name in part.passes.names.items():
            if node not in names:
                names[node] = local.take(name)
        for node, name in part.passes.slopes.items():
            if node not in names:
                names[node] = local.take(f"d_{names_of(part, names).get(name, name)}")
        return [
            self._forward(part, forward, parameters, names, local),
            self._backward(part, backward, parameters, names, local),
        ]

    def _writer(self, part: Part, wanted: Sequence[int], parameters: Sequence[str]) -> ReadableWriter:
        writer = self.target.writer(part.passes, wanted)
        if isinstance(writer, TorchWriter) and parameters:
            writer.like = parameters[0]
        graph = part.passes.graph
        for node in graph_constants(graph, range(len(graph))):
            value = graph.constant(node)
            if value.size > INLINE:
                writer.constants[id(value)] = self._constant(value, writer)
        return writer

    def _constant(self, value: Any, writer: ReadableWriter) -> str:
        if not hasattr(self, "_named"):
            self._named: dict[int, str] = {}
        if id(value) not in self._named:
            name = self._named[id(value)] = self.top.numbered("CONSTANT_")
            self.arrays.append(f"{name} = {self._array(value, writer)}")
        return self._named[id(value)]

    def _forward(self, part: Part, name: str, parameters: Sequence[str], names: Mapping[int, str], local: Names) -> str:
        writer = self._writer(part, [part.passes.output], parameters)
        fresh = Names(local.taken)
        lines = straight_lines(
            writer, part.passes.graph, [part.passes.output], names, lambda node: fresh.numbered("t"), largest=LARGEST_STATEMENT
        )
        result = str(lines.outputs[0])
        statements = list(lines.statements)
        if statements and statements[-1].startswith(f"{result} = ") and part.passes.output not in names:
            result = statements.pop().removeprefix(f"{result} = ")
        shape = _shape_words(part.passes.shapes[part.passes.output])
        doc = f"{part.program[-1]}{shape}"
        return self._function(name, parameters, [doc, *self._shapes(part, parameters)], [*statements, f"return {result}"])

    def _backward(self, part: Part, name: str, parameters: Sequence[str], names: dict[int, str], local: Names) -> str:
        passes = part.passes
        writer = self._writer(part, part.wanted, parameters)
        fresh = Names(local.taken)
        if passes.output not in names and passes.graph.codes[passes.output] > INPUT + 1:
            names = {**names, passes.output: fresh.take("value")}
        lines = straight_lines(
            writer, passes.graph, part.outputs, names, lambda node: fresh.numbered("t"), largest=LARGEST_STATEMENT
        )
        statements: list[str] = []
        for statement, node in zip(lines.statements, lines.nodes):
            if node >= passes.backward and (not statements or "# backward" not in statements):
                statements += ["", "# backward"] if statements else ["# backward"]
            statements.append(statement)
        if "# backward" in statements and statements[0] != "# backward":
            statements.insert(0, "# forward")
        value = str(lines.outputs[0])
        entries = [
            f"{wrt!r}: {text if text is not None else self._zero(part, wrt, writer)}"
            for wrt, text in zip(part.wrt, lines.outputs[1:])
        ]
        entries = [entry.replace("'", '"', 2) for entry in entries]
        one = f"return {value}, {{{', '.join(entries)}}}"
        if len(one) + 4 > WIDTH:
            one = "\n".join([f"return {value}, {{", *(f"    {entry}," for entry in entries), "}"])
        of = "the gradients of the sum of its elements" if passes.shapes[passes.output] else "its gradients"
        doc = f"The value, and {of} by {_listed(part.wrt)}." if part.wrt else "The value; there is nothing to differentiate by."
        return self._function(name, parameters, [doc], [*statements, one])

    def _zero(self, part: Part, name: str, writer: ReadableWriter) -> str:
        """The gradient to which no path leads."""
        node = next((node for node, own in part.passes.names.items() if own == name), None)
        shape = () if node is None else part.passes.shapes[node]
        if not shape:
            return "0.0"
        module = {"numpy": "np", "jax": "jnp"}.get(writer.dialect, writer.dialect)
        return f"{module}.zeros({shape!r})"

    def _function(self, name: str, parameters: Sequence[str], doc: Sequence[str], body: Sequence[str]) -> str:
        lines = [self.target.decorator] if self.target.decorator else []
        lines += folded_lines(f"def {name}({', '.join(parameters)}):", "", WIDTH, bracket=False)
        lines += _docstring(doc)
        one, several = self.target.coerced
        if parameters and one:
            text = (one if len(parameters) == 1 else several).format(", ".join(parameters))
            lines += folded_lines(text, "    ", WIDTH, bracket=False)
        for statement in body:
            for line in statement.split("\n"):
                single = "\n" not in statement and statement and not statement.startswith("#")
                lines += folded_lines(line, "    ", WIDTH) if single else ["    " + line if line else ""]
        return "\n".join(lines)

    def _shapes(self, part: Part, parameters: Sequence[str]) -> list[str]:
        """What is to be known of the parameters."""
        shapes = [part.passes.shapes[number] for number in range(len(parameters))]
        if not any(shapes):
            return []
        told = [f"{name}: {_size_words(shape)}" for name, shape in zip(parameters, shapes)]
        return ["", *textwrap.wrap(f"Shapes: {'; '.join(told)}.", WIDTH - 4)]

    # ---- the test ----------------------------------------------------------------------------------------------------------------

    def _test(self) -> list[str]:
        """The numbers, and a main that compares with them."""
        numbers: list[str] = [f"RELATIVE = {RELATIVE!r}"]
        calls: list[tuple[str, str]] = []
        single = len(self.export.parts) == 1
        for place, (part, (forward, backward)) in enumerate(zip(self.export.parts, self.functions), 1):
            ending = "" if single else f"_{place}"
            writer = self._writer(part, [], ())
            point = dict(zip(part.inputs, part.point or ()))
            stems = ("POINT", "VALUE", "GRADIENTS", "ROUNDING")
            point_name, value_name, gradients_name, rounding_name = (self.top.take(f"{stem}{ending}") for stem in stems)
            numbers += [
                self._dictionary(point_name, point, writer),
                f"{value_name} = {self._array(part.value, writer)}",
                self._dictionary(gradients_name, dict(zip(part.wrt, part.gradients)), writer),
                f"{rounding_name} = {_sequence(map(_power, part.rounding))}",
            ]
            arguments = [forward, backward, point_name, value_name, gradients_name, rounding_name]
            if self.target.compares:
                arguments.append(_sequence(_quoted(name) for name in part.wrt if name in part.inputs))
            calls.append((part.title, f"check({', '.join(arguments)})"))
        body = ['    """Print value and gradients, and compare them with what gradcalc computed; the answer is the exit status."""']
        if single:
            body.append(f"    return int({calls[0][1]} > 0)")
        else:
            body.append("    off = 0")
            for title, call in calls:
                body += [f"    print({_quoted('# ' + _short(title))})", f"    off += {call}"]
            body.append("    return int(off > 0)")
        main = "\n".join(["def main():", *body])
        guard = 'if __name__ == "__main__":\n    sys.exit(main())'
        return [
            "\n".join(["# What gradcalc computed at a point, and by how much a number may be off: a part of its size, and what rounding costs.", *numbers]),
            main,
            guard,
        ]

    def _dictionary(self, name: str, values: Mapping[str, Any], writer: ReadableWriter) -> str:
        entries = [f"{_quoted(key)}: {self._array(value, writer)}" for key, value in values.items()]
        one = f"{name} = {{{', '.join(entries)}}}"
        if len(one) <= WIDTH:
            return one
        return "\n".join([f"{name} = {{", *(f"    {entry}," for entry in entries), "}"])

    def _array(self, value: Any, writer: ReadableWriter) -> str:
        """A number or an array, a large one as a text."""
        if isinstance(value, float):
            text = writer.number(value)
            return text if math.isfinite(value) else f"float({_quoted(repr(value))})"
        if value.size > ROW:
            words = " ".join(map(repr, value.ravel().tolist()))
            rows = textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)
            return "\n".join([f'numbers({value.shape!r}, """', *rows, '""")'])
        return writer.array(value)


def names_of(part: Part, names: Mapping[int, str]) -> dict[str, str]:
    """The identifiers of the program's names."""
    return {name: names[node] for node, name in part.passes.names.items() if node in names}


def _docstring(lines: Sequence[str]) -> list[str]:
    first, *rest = [line.replace("\\", "\\\\") for line in lines]
    if not rest:
        return (
            [f'    """{first}"""']
            if len(first) + 10 <= WIDTH + 12
            else [f'    """{line}' if not place else f"    {line}" for place, line in enumerate(textwrap.wrap(first, WIDTH - 8))]
            + ['    """']
        )
    return [f'    """{first}', *(f"    {line}" if line else "" for line in rest), '    """']


def _sequence(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _power(number: float) -> str:
    return f"{number!r}".replace("e-0", "e-")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _listed(names: Sequence[str]) -> str:
    shown = list(names) if len(names) <= 8 else [*names[:7], f"{len(names) - 7} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _size_words(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) if shape else "a number"


def _shape_words(shape: tuple[int, ...]) -> str:
    return f", an array of {_size_words(shape)}" if shape else ""


__all__ = ["INLINE", "ROW", "TARGETS", "Target", "nested", "python_source"]
