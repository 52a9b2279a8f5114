"""Whole files of C11."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gradcalc.dialects.exports.c import CFunction, CWriter, Loop, nest, places, sizes_text
from gradcalc.dialects.exports.library import words_of
from gradcalc.dialects.exports.names import Names
from gradcalc.dialects.exports.page import RELATIVE, WIDTH, Export, Part, function_names, header, quoted, short_power, shortened
from gradcalc.dialects.exports.readable import folded_lines, graph_constants, number_text
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT

GLUE = "\0"
"""Stands for a blank at which a line is not broken."""

KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """auto break case char const continue default do double else enum extern float for goto if inline int long
        register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
        asm typeof main""",
    )
)

STANDARD = frozenset(
    re.findall(
        r"\w+",
        """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor
        fma fmax fmin fmod fpclassify frexp hypot ilogb isfinite isgreater isinf isless isnan isnormal isunordered
        ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward
        pow remainder remquo rint round scalbln scalbn signbit sin sinh sqrt tan tanh tgamma trunc j0 j1 jn y0 y1 yn
        printf puts remove rename abs exit free malloc labs div rand srand system abort signgam gamma
        float_t double_t size_t ssize_t off_t fpos_t va_list""",
    )
)
"""What the headers declare, and what compilers know without them."""

MACROS = frozenset(
    re.findall(
        r"\w+",
        """stdin stdout stderr linux unix math_errhandling L_tmpnam L_ctermid L_cuserid P_tmpdir
        M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2""",
    )
)
"""Words that the preprocessor replaces wherever they stand."""

LIKE_MACROS = re.compile(r"_[A-Z_]\w*|[A-Z]{3,}[A-Z0-9]*(_[A-Z0-9]+)*|FP_[A-Z0-9_]+|M_\w+[fl]")
"""How other macros are called, and what belongs to the compiler."""


def _names(reserved: Collection[str]) -> Names:
    return Names(reserved, ascii_only=True, refused=LIKE_MACROS)


def c_source(export: Export) -> str:
    """A file with the functions of every output, and a main that tests them."""
    return _Page(export).text()


class _Page:
    def __init__(self, export: Export) -> None:
        self.export = export
        self.functions = function_names(export)
        self.top = _names({*KEYWORDS, *STANDARD, *MACROS, *CWriter.library.names, "gradients"})
        self.functions = [(self.top.take(forward), self.top.take(backward)) for forward, backward in self.functions]
        self.structures = [
            self.top.take("slopes" if len(self.functions) == 1 else f"slopes_{n}") for n in range(1, len(self.functions) + 1)
        ]
        self.constants: dict[int, str] = {}
        self.arrays: list[str] = []

    def text(self) -> str:
        blocks: list[str] = []
        for place, part in enumerate(self.export.parts):
            blocks += self._functions(part, *self.functions[place], self.structures[place])
        tests = self._test() if self.export.tested and self.export.parts else []
        helpers = [function.text for function in CWriter.library.needed([*blocks, *tests])]
        head = [self._header()]
        headers = ["#include <math.h>", "#include <stdio.h>"] if tests else ["#include <math.h>"]
        head.append("\n".join(headers))
        if tests:
            head.append(
                f"/* By what part of its size a number may be off, beside rounding. */\n#define RELATIVE {short_power(RELATIVE)}"
            )
        return "\n\n".join([*head, *self.arrays, *helpers, *blocks, *tests]) + "\n"

    def _header(self) -> str:
        lines = header(self.export, "C11", self.functions[0], "To compile it: cc -std=c11 FILE -lm", WIDTH - 3)
        text = "\n".join(f" * {line}".rstrip() for line in lines).replace("*/", "* /").replace("/*", "/ *")
        return f"/*{text[2:]}\n */"

    # ---- functions ---------------------------------------------------------------------------------------------------------------

    def _functions(self, part: Part, forward: str, backward: str, structure: str) -> list[str]:
        local = _names(self.top.taken)
        parameters = [local.take(name) for name in part.inputs]
        names = dict(enumerate(parameters))
        for node, name in part.passes.names.items():
            if node not in names:
                names[node] = local.take(name)
        told = {name: names[node] for node, name in part.passes.names.items()}
        for node, name in part.passes.slopes.items():
            if node not in names:
                names[node] = local.take(f"d_{told.get(name, name)}")
        fields = _names(KEYWORDS | MACROS)
        members = [(fields.take(name), part.shape_of(name)) for name in part.wrt]
        blocks = []
        if members:
            lines = [f"    double {name}{sizes_text(shape)};" for name, shape in members]
            of = "the sum of its elements" if part.passes.shapes[part.passes.output] else "the value"
            blocks.append("\n".join([f"/* The gradients of {of}. */", f"struct {structure} {{", *lines, "};"]))
        blocks.append(self._function(part, forward, parameters, names, local, None, members))
        if members:
            blocks.append(self._function(part, backward, parameters, names, local, structure, members))
        return blocks

    def _function(
        self,
        part: Part,
        name: str,
        parameters: Sequence[str],
        names: Mapping[int, str],
        local: Names,
        structure: str | None,
        members: Sequence[tuple[str, Shape]],
    ) -> str:
        passes = part.passes
        wanted = part.wanted if structure else [passes.output]
        result_shape = passes.shapes[passes.output]
        fresh = _names(local.taken)
        value = fresh.take("value")
        pointer = fresh.take("d")
        indices = list(_indices(fresh))
        known = {node: own for node, own in names.items() if node < len(parameters)} | self._constants(part)
        inner = {node: own for node, own in names.items() if node >= len(parameters)}
        targets = self._targets(part, value, pointer, members) if structure else {}
        if result_shape and passes.graph.codes[passes.output] > CONSTANT:
            targets = {**targets, passes.output: value}
        writer = CWriter(passes, wanted)
        writer.taken = {*fresh.taken, *CWriter.library.names}
        function = CFunction(writer, known, targets, wanted, lambda: fresh.numbered("t"), indices, inner)
        body: list[str] = []
        for node, lines in function.statements():
            if structure and node >= passes.backward and "/* backward */" not in body:
                body += ["", "/* backward */"] if body else ["/* backward */"]
            body += lines
        if "/* backward */" in body and body[0] != "/* backward */":
            body.insert(0, "/* forward */")
        if result_shape and passes.output not in targets:
            body += self._copied(function, passes.output, value, result_shape)
        if structure:
            for slope, (member, shape) in zip(passes.gradients, members):
                target = f"{pointer}->{member}"
                if slope is None or function.targets.get(slope) != target:
                    body += self._copied(function, slope, target, shape)
        if not result_shape:
            body.append(f"return {function.element(passes.output, []).text};")
        text = "\n".join(body)
        unused = [own for own in parameters if own not in words_of(text)]
        body = [*(f"(void){own};" for own in unused), *body]
        declared = [
            f"const double {own}{sizes_text(passes.shapes[number])}" if passes.shapes[number] else f"double {own}"
            for number, own in enumerate(parameters)
        ]
        if result_shape:
            declared.append(f"double {value}{sizes_text(result_shape)}")
        if structure:
            declared.append(f"struct {structure} *{pointer}")
        kind = "void" if result_shape else "double"
        arguments = ", ".join(one.replace(" ", GLUE) for one in declared) or "void"
        head = folded_lines(f"{kind} {name}({arguments}) {{", "", WIDTH, bracket=False)
        head = [line.replace(GLUE, " ") for line in head]
        lines = _indented(body)
        told = part.program[-1] if not structure else f"The value, and its gradients in {pointer}."
        return "\n".join([*_comment(told), *head, *lines, "}"])

    @staticmethod
    def _targets(part: Part, value: str, pointer: str, members: Sequence[tuple[str, Shape]]) -> dict[int, str]:
        """The arrays of the caller that gradients are written to as they are computed; numbers that nothing else reads, too."""
        passes = part.passes
        graph = passes.graph
        needed = graph.reached(part.wanted)
        used = {source for node, flag in enumerate(needed) if flag for source in graph.inputs(node)}
        targets: dict[int, str] = {}
        for node, (member, shape) in zip(passes.gradients, members):
            if node is None or graph.codes[node] <= CONSTANT or node == passes.output or node in targets:
                continue
            if node in passes.names or (not shape and (node in used or passes.gradients.count(node) > 1)):
                continue
            targets[node] = f"{pointer}->{member}"
        return targets

    @staticmethod
    def _copied(function: CFunction, node: int | None, target: str, shape: Shape) -> list[str]:
        """A result that was computed elsewhere, or zeros."""
        loops: list[Loop] = function.loops(shape)
        index = [loop.name for loop in loops]
        text = "0.0" if node is None else function.element(node, index).text
        return nest(loops, [f"{target}{places(index)} = {text};"])

    def _constants(self, part: Part) -> dict[int, str]:
        """The constant arrays of a part, each with a name."""
        graph = part.passes.graph
        found = {}
        for node in graph_constants(graph, [n for n, flag in enumerate(graph.reached(part.wanted)) if flag]):
            value = graph.constant(node)
            if id(value) not in self.constants:
                self.constants[id(value)] = name = self.top.numbered("constant_")
                self.arrays.append(_array(name, value))
            found[node] = self.constants[id(value)]
        return found

    # ---- the test ----------------------------------------------------------------------------------------------------------------

    def _test(self) -> list[str]:
        """A main that compares, and the arrays that it needs."""
        data: list[str] = []
        body: list[str] = ["int off = 0;"]
        for place, part in enumerate(self.export.parts):
            lines = self._calls(part, place, data)
            if not self.export.single:
                body.append(f'printf("# %s\\n", {quoted(shortened(part.title))});')
                lines = ["{", *("    " + line for line in lines), "}"]
            body += lines
        told = "/* Print value and gradients, and compare them with what gradcalc computed; the answer is the exit status. */"
        main = [told, "int main(void) {", *_indented([*body, "return off > 0;"]), "}"]
        lead = "/* Arrays of the point at which gradcalc computed what is expected, and of what that is. */"
        return ["\n".join([lead, *data]), "\n".join(main)] if data else ["\n".join(main)]

    def _calls(self, part: Part, place: int, data: list[str]) -> list[str]:
        """Statements that compute one output and compare it; arrays that they need are added to `data`."""
        forward, backward = self.functions[place]
        assert part.point is not None
        ending = "" if self.export.single else f"_{place + 1}"
        point = [self._argument(f"point_{name}{ending}", value, data) for name, value in zip(part.inputs, part.point)]
        expected = self._expected(f"value{ending}", part.value, data)
        size, bound = math.prod(part.shape), short_power(part.rounding[0])
        alone, lines = self._computed(part, forward, point, "alone")
        if not part.wrt:
            return [*lines, f'off += check("value", {alone}, {expected}, {size}, {bound});']
        found, others = self._computed(part, backward, [*point], "found", "&d")
        lines = [*lines, f"static struct {self.structures[place]} d;", *others]
        lines.append(f'off += check("value", {found}, {expected}, {size}, {bound});')
        fields = _names(KEYWORDS | MACROS)
        for name, gradient, own in zip(part.wrt, part.gradients, part.rounding[1:]):
            shape = part.shape_of(name)
            slope = f"&d.{fields.take(name)}{'[0]' * len(shape)}"
            wanted = self._expected(f"gradient_{name}{ending}", gradient, data)
            lines.append(f"off += check({quoted('d/d' + name)}, {slope}, {wanted}, {math.prod(shape)}, {short_power(own)});")
        lines.append(f"if (count_off({alone}, {expected}, {size}, {bound}) > 0)")
        return [*lines, f'    off += check("value by {forward} alone", {alone}, {expected}, {size}, {bound});']

    @staticmethod
    def _computed(part: Part, function: str, point: list[str], name: str, *others: str) -> tuple[str, list[str]]:
        """A call, whose value gets a name: where it is, and the statements."""
        shape = part.shape
        if not shape:
            return f"&{name}", [f"const double {name} = {function}({', '.join([*point, *others])});"]
        lines = [f"static double {name}{sizes_text(shape)};", f"{function}({', '.join([*point, name, *others])});"]
        return f"&{name}{'[0]' * len(shape)}", lines

    def _argument(self, name: str, value: Any, data: list[str]) -> str:
        """A number as it is, or the name of an array that is defined for it."""
        if isinstance(value, float):
            return number_of(value)
        own = self.top.take(name)
        data.append(_array(own, value))
        return own

    def _expected(self, name: str, value: Any, data: list[str]) -> str:
        """Where an expected number or the first of an array stands."""
        if isinstance(value, float):
            return f"&(const double){{{number_of(value)}}}"
        return f"&{self._argument(name, value, data)}{'[0]' * value.ndim}"


def _indented(lines: Sequence[str]) -> list[str]:
    """The lines of a block, long ones broken."""
    found: list[str] = []
    for line in lines:
        bare = line.lstrip(" ")
        indent = " " * (len(line) - len(bare) + 4)
        found += folded_lines(bare, indent, WIDTH, bracket=False) if bare else [""]
    return found


def number_of(value: float) -> str:
    """A number as C."""
    return number_text(value, "", "INFINITY", "NAN")


def _array(name: str, value: Any) -> str:
    """The definition of a constant array."""
    head = f"static const double {name}{sizes_text(value.shape)} ="
    text = f"{_nested(value.tolist())};"
    if len(head) + 1 + len(text) <= WIDTH:
        return f"{head} {text}"
    lines = textwrap.wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join([head, *(f"    {line}" for line in lines)])


def _nested(value: Any) -> str:
    """Nested lists of numbers in braces."""
    if not isinstance(value, list):
        return number_of(value)
    return f"{{{', '.join(map(_nested, value))}}}"


def _indices(names: Names) -> Iterator[str]:
    """Names for indices: i, j, k … as far as they are free."""
    for letter in (*"ijklmnopqrs", *(f"i{number}" for number in range(1, 200))):
        if letter not in names.taken:
            yield letter


def _comment(text: str) -> list[str]:
    lines = textwrap.wrap(text.replace("*/", "* /").replace("/*", "/ *"), WIDTH - 6) or [""]
    return (
        [f"/* {lines[0]}", *(f"   {line}" for line in lines[1:-1]), f"   {lines[-1]} */"]
        if len(lines) > 1
        else [f"/* {lines[0]} */"]
    )
