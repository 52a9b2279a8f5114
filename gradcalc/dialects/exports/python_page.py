"""Whole files of Python: for the standard library, NumPy, JAX and PyTorch."""

from __future__ import annotations

import builtins
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.dialects.exports.arrays import JaxWriter, NumpyWriter, TorchWriter
from gradcalc.dialects.exports.library import words_of
from gradcalc.dialects.exports.names import Names
from gradcalc.dialects.exports.page import (
    RELATIVE,
    WIDTH,
    Export,
    Part,
    function_names,
    header,
    listed_words,
    quoted,
    shape_words,
    short_power,
    shortened,
)
from gradcalc.dialects.exports.python import PythonNumbers
from gradcalc.dialects.exports.readable import ReadableWriter, folded_lines, graph_constants
from gradcalc.dialects.source import Lines, straight_lines
from gradcalc.graph import CONSTANT

LARGEST_STATEMENT = 6
"""How many gates a statement may have."""

INLINE = 8
"""How many elements a constant array may have that stands where it is used."""

ROWS = 200
"""How many elements a matrix may have that is written row by row; those of a larger array stand in a text."""

FORWARD, BACKWARD = "# forward", "# backward"


class Target(NamedTuple):
    """What distinguishes the libraries.

    Attributes:
        title: what the source is called.
        writer: of the gates.
        imports: by the word that asks for them: those of the standard library, and others.
        opening: lines behind the imports.
        decorator: above every function.
        coerced: the statement by which a function makes arrays of what it is given, for one parameter and for several.
        compares: whether the library's own derivatives stand beside.
    """

    title: str
    writer: type[ReadableWriter]
    imports: Mapping[str, str]
    opening: Sequence[str] = ()
    decorator: str = ""
    coerced: tuple[str, str] = ("", "")
    compares: bool = False


STANDARD = {"math": "import math", "sys": "import sys"}

TARGETS = {
    "python": Target("Python", PythonNumbers, {}),
    "numpy": Target(
        "NumPy",
        NumpyWriter,
        {"np": "import numpy as np"},
        decorator='@np.errstate(all="ignore")',
        coerced=("{0} = np.float64({0})", "{0} = map(np.float64, ({0}))"),
    ),
    "torch": Target("PyTorch", TorchWriter, {"torch": "import torch", "F": "import torch.nn.functional as F"}, compares=True),
    "jax": Target(
        "JAX",
        JaxWriter,
        {"jax": "import jax", "jnp": "import jax.numpy as jnp"},
        opening=('jax.config.update("jax_enable_x64", True)  # without it, JAX computes in single precision',),
        coerced=("{0} = jnp.float64({0})", "{0} = map(jnp.float64, ({0}))"),
        compares=True,
    ),
}


def python_source(export: Export, target: Target) -> str:
    """A file with the functions of every output, and a main that tests them."""
    return _Page(export, target).text()


class _Page:
    """One file under construction."""

    def __init__(self, export: Export, target: Target) -> None:
        self.export = export
        self.target = target
        self.functions = function_names(export)
        modules = {*STANDARD, *target.imports}
        self.names = Names({*dir(builtins), *modules, *target.writer.library.names, "RELATIVE", "main", *sum(self.functions, ())})
        """The identifiers of the whole file."""
        self.constants: dict[int, str] = {}
        """The names of constant arrays, by the numbers of the arrays."""
        self.definitions: list[str] = []
        """The statements that define constant arrays."""

    def text(self) -> str:
        """All of it: functions, what they need, and the test."""
        library = self.target.writer.library
        functions = [text for part, names in zip(self.export.parts, self.functions) for text in self._functions(part, *names)]
        tests = self._test() if self.export.tested else []
        helpers = [function.text for function in library.needed(functions)]
        support = [function.text for function in library.needed([*self.definitions, *tests]) if function.text not in helpers]
        blocks = [*functions, *helpers, *support, *(["\n".join(self.definitions)] if self.definitions else []), *tests]
        return "\n\n\n".join(["\n\n".join(self._head(blocks)), *blocks]) + "\n"

    def _head(self, blocks: Sequence[str]) -> list[str]:
        """The words about the source, and its imports."""
        more = f"The derivatives that {self.target.title} finds by itself stand beside them." if self.target.compares else ""
        text = "\n".join(header(self.export, self.target.title, self.functions[0], more if self.export.tested else ""))
        words = words_of("\n".join([*blocks, *self.target.opening, self.target.decorator]))
        imports = [[line for word, line in group.items() if word in words] for group in (STANDARD, self.target.imports)]
        pieces = [f'"""{_unquoted(text)}\n"""', *("\n".join(lines) for lines in imports), "\n".join(self.target.opening)]
        return [piece for piece in pieces if piece]

    # ---- functions ---------------------------------------------------------------------------------------------------------------

    def _functions(self, part: Part, forward: str, backward: str) -> list[str]:
        """The two functions of an output."""
        passes = part.passes
        local = Names(self.names.taken)
        names = {node: local.take(name) for node, name in sorted(passes.names.items())}
        told = {name: names[node] for node, name in passes.names.items()}
        for node, name in passes.slopes.items():
            names.setdefault(node, local.take(f"d_{told[name]}"))
        parameters = [names[number] for number in range(len(part.inputs))]
        return [
            self._forward(part, forward, parameters, names, local),
            self._backward(part, backward, parameters, names, local),
        ]

    def _forward(self, part: Part, name: str, parameters: Sequence[str], names: Mapping[int, str], local: Names) -> str:
        output = part.passes.output
        lines = self._lines(part, [output], parameters, names, Names(local.taken))
        result = str(lines.outputs[0])
        statements = list(lines.statements)
        if statements and statements[-1].startswith(f"{result} = "):
            result = statements.pop().removeprefix(f"{result} = ")
        doc = [shortened(part.program[-1], WIDTH - 14), *self._shapes(part, parameters)]
        return self._function(name, parameters, doc, [*statements, f"return {result}"])

    def _backward(self, part: Part, name: str, parameters: Sequence[str], names: Mapping[int, str], local: Names) -> str:
        passes = part.passes
        fresh = Names(local.taken)
        if passes.output not in names and passes.graph.codes[passes.output] > CONSTANT:
            names = {**names, passes.output: fresh.take("value")}
        lines = self._lines(part, part.outputs, parameters, names, fresh)
        before = [text for text, node in zip(lines.statements, lines.nodes) if node < passes.backward]
        behind = [text for text, node in zip(lines.statements, lines.nodes) if node >= passes.backward]
        body = [FORWARD, *before, "", BACKWARD, *behind] if before and behind else [*before, *behind]
        texts = [self._zero(part, wrt) if text is None else text for wrt, text in zip(part.wrt, lines.outputs[1:])]
        entries = [f"{quoted(wrt)}: {text}" for wrt, text in zip(part.wrt, texts)]
        result = f"return {lines.outputs[0]}, {{{', '.join(entries)}}}"
        if len(result) + 4 > WIDTH:
            result = "\n".join([f"return {lines.outputs[0]}, {{", *(f"    {entry}," for entry in entries), "}"])
        of = "the gradients of the sum of its elements" if part.shape else "its gradients"
        doc = (
            f"The value, and {of} by {listed_words(part.wrt)}." if part.wrt else "The value: there is nothing to differentiate by."
        )
        return self._function(name, parameters, [doc], [*body, result])

    def _lines(
        self, part: Part, outputs: Sequence[int | None], parameters: Sequence[str], names: Mapping[int, str], fresh: Names
    ) -> Lines:
        """Statements that compute outputs."""
        graph = part.passes.graph
        wanted = [node for node in outputs if node is not None]
        writer = self._writer(part, wanted)
        if isinstance(writer, TorchWriter) and parameters:
            writer.like = parameters[0]
        reached = graph.reached(wanted)
        for node in graph_constants(graph, [node for node, flag in enumerate(reached) if flag]):
            value = graph.constant(node)
            if value.size > INLINE:
                writer.constants[id(value)] = self._constant(value, writer)
        return straight_lines(writer, graph, outputs, names, lambda node: fresh.numbered("t"), largest=LARGEST_STATEMENT)

    def _writer(self, part: Part, wanted: Sequence[int]) -> ReadableWriter:
        return self.target.writer(part.passes, wanted)

    def _constant(self, value: Any, writer: ReadableWriter) -> str:
        """The name of a constant array, which is defined once."""
        if id(value) not in self.constants:
            name = self.constants[id(value)] = self.names.numbered("CONSTANT_")
            self.definitions.append(f"{name} = {self._literal(value, writer, '')}")
        return self.constants[id(value)]

    def _zero(self, part: Part, name: str) -> str:
        """The gradient to which no path leads."""
        shape = part.shape_of(name)
        if self.target.writer is TorchWriter:
            return f"torch.zeros({shape!r}, dtype=torch.float64)"
        modules = {"numpy": "np", "jax": "jnp"}
        return f"{modules[self.target.writer.dialect]}.zeros({shape!r})" if shape else "0.0"

    def _function(self, name: str, parameters: Sequence[str], doc: Sequence[str], body: Sequence[str]) -> str:
        """The source of a function."""
        lines = [self.target.decorator] if self.target.decorator else []
        lines += folded_lines(f"def {name}({', '.join(parameters)}):", "", WIDTH, bracket=False)
        lines += _docstring(doc)
        lines += [f"    {line}" for line in self._coerced(parameters)]
        for statement in body:
            if "\n" in statement:
                lines += [f"    {line}" for line in statement.split("\n")]
            else:
                lines += folded_lines(statement, "    ", WIDTH) if statement else [""]
        return "\n".join(lines)

    def _coerced(self, parameters: Sequence[str]) -> list[str]:
        """Statements that make arrays of the parameters, as many in a line as fit: no line can be broken left of `=`."""
        single, several = self.target.coerced
        lines: list[str] = []
        names: list[str] = []
        for name in parameters if single else ():
            if names and len(longer := several.format(", ".join([*names, name]))) <= WIDTH - 4:
                names.append(name)
                lines[-1] = longer
            else:
                names = [name]
                lines.append(single.format(name))
        return lines

    def _shapes(self, part: Part, parameters: Sequence[str]) -> list[str]:
        """What is to be known of the shapes of parameters and value; nothing if all are numbers."""
        shapes = part.passes.shapes[: len(parameters)]
        if not any(shapes) and not part.shape:
            return []
        told = [f"{name}: {shape_words(shape)}" for name, shape in zip(parameters, shapes)]
        return ["", *textwrap.wrap(f"Shapes: {'; '.join([*told, f'value: {shape_words(part.shape)}'])}.", WIDTH - 4)]

    # ---- the test ----------------------------------------------------------------------------------------------------------------

    def _test(self) -> list[str]:
        """The numbers, and a main that compares with them."""
        numbers = ["# What gradcalc computed at a point, and by how much a number may be off: of its size, and by rounding."]
        numbers.append(f"RELATIVE = {short_power(RELATIVE)}")
        calls: list[str] = []
        for place, (part, functions) in enumerate(zip(self.export.parts, self.functions), 1):
            ending = "" if self.export.single else f"_{place}"
            names = [self.names.take(f"{stem}{ending}") for stem in ("POINT", "VALUE", "GRADIENTS", "ROUNDING")]
            numbers += self._numbers(part, names)
            if not self.export.single:
                calls.append(f"print({quoted('# ' + shortened(part.title))})")
            arguments = [*functions, *names]
            if self.target.compares:
                asked = [quoted(name) for name in part.wrt if name in part.inputs]
                arguments.append(_broken("[", asked, "]").replace("\n", "\n    "))
            call = f"check({', '.join(arguments)})"
            calls.append(f"return int({call} > 0)" if self.export.single else f"off += {call}")
        doc = '"""Print value and gradients, and compare them with what gradcalc computed; the answer is the exit status."""'
        body = calls if self.export.single else ["off = 0", *calls, "return int(off > 0)"]
        main = "\n".join(["def main():", *(f"    {line}" for line in [doc, *body])])
        return ["\n".join(numbers), main, 'if __name__ == "__main__":\n    sys.exit(main())']

    def _numbers(self, part: Part, names: Sequence[str]) -> list[str]:
        """The point, value and gradients there, and how far off rounding may put them."""
        assert part.point is not None
        writer = self._writer(part, [])
        return [
            self._dictionary(names[0], dict(zip(part.inputs, part.point)), writer),
            f"{names[1]} = {self._literal(part.value, writer, '')}",
            self._dictionary(names[2], dict(zip(part.wrt, part.gradients)), writer),
            _broken(f"{names[3]} = [", [short_power(bound) for bound in part.rounding], "]"),
        ]

    def _dictionary(self, name: str, values: Mapping[str, Any], writer: ReadableWriter) -> str:
        entries = [f"{quoted(key)}: {self._literal(value, writer, '    ')}" for key, value in values.items()]
        one = f"{name} = {{{', '.join(entries)}}}"
        if len(one) <= WIDTH and "\n" not in one:
            return one
        return "\n".join([f"{name} = {{", *(f"    {entry}," for entry in entries), "}"])

    def _literal(self, value: Any, writer: ReadableWriter, indent: str) -> str:
        """A number or an array; a large one as a text, in lines that are not indented."""
        if isinstance(value, float):
            return repr(value) if math.isfinite(value) else f"float({quoted(repr(value))})"
        one = writer.array(value)
        if len(one) + 20 <= WIDTH:
            return one
        if value.ndim == 2 and value.size <= ROWS:
            rows = [writer.array(row) for row in value]
            head, _, tail = rows[0].partition("[")
            texts = [row[len(head) : len(row) - len(tail) + tail.index("]") + 1] for row in rows]
            if max(map(len, texts)) + 12 <= WIDTH:
                return "\n".join([f"{head}[", *(f"{indent}    {row}," for row in texts), f"{indent}]{tail[tail.index(']') + 1 :]}"])
        words = textwrap.wrap(" ".join(map(repr, value.ravel().tolist())), WIDTH, break_long_words=False, break_on_hyphens=False)
        return "\n".join([f'numbers({value.shape!r}, """', *words, '""")'])


def _docstring(lines: Sequence[str]) -> list[str]:
    """A docstring; what is too long for its first line goes on below."""
    texts = [_unquoted(line) for line in lines]
    if len(texts) == 1:
        texts = textwrap.wrap(texts[0], WIDTH - 10)
    first, *rest = texts
    if not rest:
        return [f'    """{first}"""']
    return [f'    """{first}', *(f"    {line}" if line else "" for line in rest), '    """']


def _unquoted(text: str) -> str:
    """A text as it may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"""')


def _broken(head: str, items: Sequence[str], tail: str) -> str:
    """A list of items in brackets, in several lines if it is long."""
    one = f"{head}{', '.join(items)}{tail}"
    if len(one) <= WIDTH:
        return one
    lines = textwrap.wrap(", ".join(items) + ",", WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join([head, *(f"    {line}" for line in lines), tail])
