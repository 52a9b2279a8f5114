"""Gates as C: of numbers as expressions, of arrays of fixed shapes as expressions of their elements and as loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.passes import Passes
from gradcalc.dialects.exports.library import Library, read_library
from gradcalc.dialects.exports.readable import COMPARISON, SYMBOLS, ReadableWriter, Spelling, number_text
from gradcalc.dialects.source import ATOM, LOOSE, Piece, statement_homes
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.linear_algebra import axes_order
from gradcalc.gates.record import Gate, Shape
from gradcalc.gates.reductions import reduced_axes
from gradcalc.graph import CONSTANT, Graph

OF_MATH_H = frozenset(
    (
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "erf", "erfc", "sqrt", "cbrt", "hypot", "floor", "ceil"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    )
)
"""Gates that C has under their own names."""

LOOKS = frozenset(("transpose", "reshape", "broadcast_to", "full", "flip", "[]", "squeeze", "expand_dims", "flatten"))
"""Gates that only move elements: they are written by other indices."""

FORMULAS = frozenset(("eye", "linspace", "one_hot", "outer"))
"""Gates each of whose elements has a short formula."""

PRODUCTS = frozenset(("@", "dot", "outer"))
"""Gates that read each element of an input several times."""


class CWriter(ReadableWriter):
    """Writes gates on numbers, and on single elements of arrays."""

    dialect = "c"
    symbols: Mapping[str, Any] = {name: symbol for name, symbol in SYMBOLS.items() if name != "%"}
    library = Library(read_library("c.txt"), "\n\n", r"^static \w+ (\w+)\(")
    both, either = " && ", " || "

    def __init__(self, passes: Passes, wanted: Sequence[int]) -> None:
        super().__init__(passes, wanted)
        self.taken: set[str] = set()
        """Words that mean something in the function."""

    def write(self, graph: Graph, node: int, inputs: Sequence[Piece]) -> Piece:
        """A node that is a gate; a factor 1, as the elements of an array of ones are, is left out."""
        gate = graph.operator(node).gate
        if gate is not None and gate.name == "*" and node not in self.truths:
            others = [piece for piece in inputs if piece.text != "1.0"]
            if len(others) == 1:
                return others[0]
        return super().write(graph, node, inputs)

    def local(self, name: str) -> str:
        """A name for a variable of a block."""
        while name in self.taken:
            name += "_"
        return name

    @classmethod
    def spelling(cls, gate: Gate) -> Spelling | None:
        """A record's spelling, or else the function of the library or of math.h that has the gate's name."""
        own = gate.spelled.get(cls.dialect)
        if own is not None or not gate.elementwise or gate.name in cls.symbols:
            return own
        if gate.name not in cls.library and gate.name not in OF_MATH_H:
            return None
        inputs = [f"{{{place}}}" for place in range(gate.arity[0])]
        return f"{gate.name}({', '.join(inputs + [f'{{{attribute.name}}}' for attribute in gate.attributes])})"

    @classmethod
    def writes(cls, gate: Gate, attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> bool:
        """Whether the gate has a formula of its elements, or loops."""
        if gate.elementwise:
            return super().writes(gate, attributes, shapes)
        return gate.name in LOOKS or gate.name in FORMULAS or gate.name in LOOPS

    def truth_as_number(self, piece: Piece) -> Piece:
        """A truth value as 1 or 0."""
        return Piece(ATOM, f"({piece.text} ? 1.0 : 0.0)")

    def choice(self, condition: Piece, yes: Piece, no: Piece) -> Piece:
        """A conditional expression."""
        return Piece(LOOSE, f"{condition.within(COMPARISON)} ? {yes.within(LOOSE + 1)} : {no.within(LOOSE + 1)}")

    def joined(self, word: str, inputs: Sequence[Piece]) -> Piece:
        """Truth values, joined by a sign."""
        return Piece(LOOSE, word.join(piece.within(COMPARISON) for piece in inputs))

    def number(self, value: float) -> str:
        """A float, to the last bit."""
        return number_text(value, "", "INFINITY", "NAN")


class Loop(NamedTuple):
    """A loop over an index."""

    name: str
    size: int
    start: str = "0"
    end: str = ""

    @property
    def head(self) -> str:
        """Its first line."""
        return f"for (int {self.name} = {self.start}; {self.name} < {self.end or self.size}; {self.name}++)"


class CFunction:
    """Writes the body of one function."""

    def __init__(
        self,
        writer: CWriter,
        names: Mapping[int, str],
        targets: Mapping[int, str],
        wanted: Sequence[int],
        fresh: Callable[[], str],
        indices: Sequence[str],
        inner: Mapping[int, str],
    ) -> None:
        """Write what is wanted.

        Args:
            writer: of the gates.
            names: of inputs and constant arrays.
            targets: arrays from outside that nodes are written to, and numbers that nothing else reads.
            wanted: the outputs.
            fresh: makes up a name.
            indices: names for the indices of loops.
            inner: what the nodes are called that are computed.
        """
        self.writer = writer
        self.graph = writer.passes.graph
        self.shapes = writer.shapes
        self.names = dict(names)
        self.targets = targets
        self.fresh = fresh
        self.indices = indices
        self.inner = inner
        reached = self.graph.reached(list(wanted))
        self.nodes = [node for node, flag in enumerate(reached) if flag]
        own = {node for node in self.nodes if node in inner or node in targets or self._is_loop(node)}
        own |= {source for node in self.nodes for source in self._read_again(node)}
        own |= {root for node in self.nodes if self._is_look(node) and self.graph.codes[root := self._looked_at(node)] > CONSTANT}
        homes = statement_homes(self.graph, self.nodes, wanted, own)
        self.own = {node for node in self.nodes if homes[node] == node and not (self._is_look(node) and node not in own)}
        self.own |= set(wanted)

    def _gate(self, node: int) -> str:
        gate = self.graph.operator(node).gate
        return "" if gate is None else gate.name

    def _is_loop(self, node: int) -> bool:
        operator = self.graph.operator(node)
        return operator.gate is not None and not operator.gate.elementwise and operator.gate.name in LOOPS

    def _is_look(self, node: int) -> bool:
        operator = self.graph.operator(node)
        return operator.gate is not None and not operator.gate.elementwise and operator.gate.name in LOOKS

    def _read_again(self, node: int) -> list[int]:
        """The inputs that had better be computed before, since each element is read several times."""
        sources = [source for source in self.graph.inputs(node) if self.shapes[source] or self._gate(node) in PRODUCTS]
        again = self._gate(node) in PRODUCTS or self._gate(node) in ("product_of_others", "cumsum")
        chosen = []
        for source in sources:
            smaller = math.prod(self.shapes[source]) < math.prod(self.shapes[node])
            root = self._looked_at(source)
            if (again or smaller) and self.graph.codes[root] > CONSTANT:
                chosen.append(root)
        return chosen

    def _looked_at(self, node: int) -> int:
        while self._is_look(node):
            node = self._data(node)
        return node

    def _data(self, node: int) -> int:
        operator = self.graph.operator(node)
        assert operator.gate is not None
        return int(operator.gate.divided(self.graph.inputs(node))[0][0])

    # ---- statements --------------------------------------------------------------------------------------------------------------

    def statements(self) -> list[tuple[int, list[str]]]:
        """For each node that is computed its lines."""
        found = []
        for node in self.nodes:
            if self.graph.codes[node] > CONSTANT and node in self.own:
                found.append((node, self._statement(node)))
        return found

    def text(self, node: int) -> str:
        """How a node that is computed is called, or a constant written."""
        if node in self.names:
            return self.names[node]
        return self.writer.constant(self.graph.constant(node)).text

    def _statement(self, node: int) -> list[str]:
        shape = self.shapes[node]
        target = self.targets.get(node)
        name = target if target is not None else self.inner.get(node) or self.fresh()
        rule = LOOPS.get(self._gate(node)) if self._is_loop(node) else None
        kind = "int" if node in self.writer.truths else "double"
        declared = [] if target is not None else [f"{_storage(shape)}{kind} {name}{sizes_text(shape)};"]
        if rule is not None:
            lines = rule(self, node, name)
        elif shape:
            loops = self.loops(shape)
            element = self.element(node, [loop.name for loop in loops], inside=True)
            lines = nest(loops, [f"{name}{places(loop.name for loop in loops)} = {element.text};"])
        else:
            text = self.element(node, [], inside=True).text
            lines, declared = [f"{name} = {text};" if target is not None else f"const {kind} {name} = {text};"], []
        self.names[node] = name
        if declared and not shape and lines[0].startswith(f"{name} = "):
            return [f"{kind} {lines[0]}", *lines[1:]]
        return [*declared, *lines]

    def loops(self, shape: Shape, after: int = 0) -> list[Loop]:
        """A loop for each axis."""
        return [Loop(self.indices[after + place], size) for place, size in enumerate(shape)]

    # ---- elements ----------------------------------------------------------------------------------------------------------------

    def element(self, node: int, index: Sequence[str], inside: bool = False) -> Piece:
        """One element of a node; `inside` writes out how it is computed."""
        graph = self.graph
        # Expressions are at most some gates deep, and looks are passed over in a loop.
        while not inside and node not in self.names and self._is_look(node):
            node, index = self._data(node), self.moved(node, index)
        if not inside and node in self.names:
            return Piece(ATOM, f"{self.names[node]}{places(index)}")
        if graph.codes[node] == CONSTANT:
            return self.writer.constant(graph.constant(node))
        operator = graph.operator(node)
        gate = operator.gate
        assert gate is not None
        if self._is_look(node):
            return self.element(self._data(node), self.moved(node, index))
        if gate.name in FORMULAS and not gate.elementwise:
            return self._formula(node, gate.name, index)
        shape = self.shapes[node]
        pieces = [self.element(source, spread(index, shape, self.shapes[source])) for source in graph.inputs(node)]
        if gate is IDENTITY:
            return pieces[0]
        return self.writer.write(graph, node, pieces)

    def moved(self, node: int, index: Sequence[str]) -> list[str]:
        """Where an element of a look stands in what is looked at."""
        operator = self.graph.operator(node)
        assert operator.gate is not None
        source = self.shapes[self._data(node)]
        attributes = dict(operator.attributes)
        name = operator.gate.name
        if name == "transpose":
            found = [""] * len(source)
            for place, axis in enumerate(axes_order(source, attributes["axes"])):
                found[axis] = index[place]
            return found
        if name == "flip":
            axes = reduced_axes(source, attributes["axis"])
            return [f"{source[axis] - 1} - {_factor(one)}" if axis in axes else one for axis, one in enumerate(index)]
        if name == "[]":
            return _indexed(attributes["index"], source, index)
        if name in ("broadcast_to", "full"):
            return spread(index, self.shapes[node], source)
        return reshaped(index, self.shapes[node], source)

    def _formula(self, node: int, name: str, index: Sequence[str]) -> Piece:
        """An element that depends on its place."""
        inputs = self.graph.inputs(node)
        shape = self.shapes[node]
        if name == "eye":
            same = index[0] == index[1]
            return Piece(ATOM, "1.0" if same else f"({index[0]} == {index[1]} ? 1.0 : 0.0)")
        if name == "one_hot":
            label = self.element(inputs[0], index[:-1])
            return Piece(ATOM, f"one_hot({label.text}, {index[-1]}, {shape[-1]})")
        first, second = inputs[0], inputs[1]
        if name == "outer":
            a = self.element(first, reshaped(index[:1], shape[:1], self.shapes[first]))
            b = self.element(second, reshaped(index[1:], shape[1:], self.shapes[second]))
            return Piece(3, f"{a.within(3)} * {b.within(4)}")
        start = self.element(first, spread(index[1:], shape[1:], self.shapes[first]))
        stop = self.element(second, spread(index[1:], shape[1:], self.shapes[second]))
        if shape[0] == 1:
            return start
        last = f"{shape[0] - 1}.0"
        near = f"({shape[0] - 1} - {_factor(index[0])}) / {last}"
        return Piece(2, f"{start.within(3)} * ({near}) + {stop.within(3)} * ({_factor(index[0])} / {last})")


def sizes_text(shape: Shape) -> str:
    """A shape behind the name of an array."""
    return "".join(f"[{size}]" for size in shape)


def places(index: Any) -> str:
    """Indices behind the name of an array."""
    return "".join(f"[{one}]" for one in index)


LARGEST_LOCAL = 4096
"""How many elements an array may have that lives on the stack."""


def _storage(shape: Shape) -> str:
    return "static " if math.prod(shape) > LARGEST_LOCAL else ""


def nest(loops: Sequence[Loop], body: Sequence[str]) -> list[str]:
    """Statements inside loops."""
    lines = list(body)
    for loop in reversed(loops):
        if len(lines) == 1 or (lines[0].startswith("for ") and not any(_is_flush(line) for line in lines[1:])):
            lines = [loop.head, *("    " + line for line in lines)]
        else:
            lines = [loop.head + " {", *("    " + line for line in lines), "}"]
    return lines


def _is_flush(line: str) -> bool:
    return not line.startswith(" ") and line != "}"


def _factor(text: str) -> str:
    """An index where it is subtracted or multiplied."""
    return text if text.isalnum() or text.isidentifier() else f"({text})"


def spread(index: Sequence[str], shape: Shape, source: Shape) -> list[str]:
    """Where an element of a broadcast array stands in what is broadcast."""
    extra = len(shape) - len(source)
    return ["0" if size == 1 and shape[extra + place] != 1 else index[extra + place] for place, size in enumerate(source)]


def _indexed(given: tuple[Any, ...], source: Shape, index: Sequence[str]) -> list[str]:
    """Where an element of x[given] stands in x."""
    if "..." in given:
        at = given.index("...")
        given = (*given[:at], *[("slice", None, None, None)] * (len(source) - len(given) + 1), *given[at + 1 :])
    left = iter(index)
    found = []
    for item, size in zip(given, source):
        if isinstance(item, tuple):
            step = range(*slice(*item[1:]).indices(size))
            one = next(left)
            walked = one if step.step == 1 else f"{step.step} * {_factor(one)}"
            if step.step < 0:
                walked = one if step.step == -1 else f"{-step.step} * {_factor(one)}"
                found.append(f"{step.start} - {_factor(walked) if step.step == -1 else walked}")
            else:
                found.append(f"{step.start} + {walked}" if step.start else walked)
        else:
            found.append(str(item % size))
    return [*found, *left]


def reshaped(index: Sequence[str], shape: Shape, source: Shape) -> list[str]:
    """Where an element of an array in another shape stands."""
    long = [one for one, size in zip(index, shape) if size != 1]
    if [size for size in shape if size != 1] == [size for size in source if size != 1]:
        following = iter(long)
        return ["0" if size == 1 else next(following) for size in source]
    terms, stride = [], math.prod(shape)
    for one, size in zip(index, shape):
        stride //= size
        if size != 1:
            terms.append(one if stride == 1 else f"{stride} * {_factor(one)}")
    flat = " + ".join(terms) or "0"
    found, stride = [], math.prod(source)
    sizes = [size for size in source if size != 1]
    for size in source:
        stride //= size
        if size == 1:
            found.append("0")
            continue
        text = flat if stride == 1 else f"{_factor(flat)} / {stride}"
        first = size == sizes[0] and stride * size == math.prod(source)
        found.append(text if first else f"{_factor(text) if stride == 1 else text} % {size}")
    return found


# ---- loops -----------------------------------------------------------------------------------------------------------------------


def _reduction_places(function: CFunction, node: int) -> tuple[list[Loop], list[Loop], list[str], Shape]:
    """Loops over what is kept and over what is reduced, and the index of the input's element."""
    source = function.graph.inputs(node)[0]
    attributes = dict(function.graph.operator(node).attributes)
    shape = function.shapes[source]
    axes = reduced_axes(shape, attributes["axis"])
    loops = function.loops(shape)
    kept = [loop for axis, loop in enumerate(loops) if axis not in axes]
    reduced = [loop for axis, loop in enumerate(loops) if axis in axes]
    return kept, reduced, [loop.name for loop in loops], shape


def _result_index(function: CFunction, node: int, kept: Sequence[Loop]) -> list[str]:
    """The index of a reduction's result."""
    attributes = dict(function.graph.operator(node).attributes)
    if not attributes.get("keepdims", False):
        return [loop.name for loop in kept]
    shape = function.shapes[function.graph.inputs(node)[0]]
    axes = reduced_axes(shape, attributes["axis"])
    left = iter(loop.name for loop in kept)
    return ["0" if axis in axes else next(left) for axis in range(len(shape))]


Step = Callable[[str], str]
"""A statement that adds to a total, from the total's name."""


def accumulated(
    name: str, result: Sequence[str], kept: Sequence[Loop], reduced: Sequence[Loop], start: str, step: Step, total: str
) -> list[str]:
    """Loops that gather many numbers in one, which `step` changes."""
    if not kept:
        return [f"{name}{places(result)} = {start};", *nest(reduced, [step(f"{name}{places(result)}")])]
    return nest(kept, [f"double {total} = {start};", *nest(reduced, [step(total)]), f"{name}{places(result)} = {total};"])


def _gathered(start: str, step: str, title: str) -> Callable[[CFunction, int, str], list[str]]:
    def rule(function: CFunction, node: int, name: str) -> list[str]:
        kept, reduced, index, _ = _reduction_places(function, node)
        total_name = function.writer.local(title)
        element = function.element(function.graph.inputs(node)[0], index)
        index = _result_index(function, node, kept)
        return accumulated(name, index, kept, reduced, start, lambda total: step.format(total=total, text=element.text), total_name)

    return rule


def _matrix_product(function: CFunction, node: int, name: str) -> list[str]:
    a, b = function.graph.inputs(node)
    left, right, shape = function.shapes[a], function.shapes[b], function.shapes[node]
    loops = function.loops(shape)
    index = [loop.name for loop in loops]
    inner = Loop(function.indices[len(shape)], left[-1])
    columns = 1 if len(right) > 1 else 0
    rows = 1 if len(left) > 1 else 0
    batch = index[: len(index) - columns - rows]
    batch_shape = shape[: len(batch)]
    row = index[len(batch) : len(batch) + rows]
    column = index[len(index) - columns :] if columns else []
    first = [*spread(batch, batch_shape, left[:-2]), *row, inner.name]
    second = [*spread(batch, batch_shape, right[:-2]), inner.name, *column]
    return _sum_of_products(function, name, loops, index, inner, (a, first), (b, second))


def _inner_product(function: CFunction, node: int, name: str) -> list[str]:
    a, b = function.graph.inputs(node)
    left, shape = function.shapes[a], function.shapes[node]
    loops = function.loops(shape)
    index = [loop.name for loop in loops]
    inner = Loop(function.indices[len(shape)], left[-1])
    own, other = index[: len(left) - 1], index[len(left) - 1 :]
    second = [*other[:-1], inner.name, other[-1]] if other else [inner.name]
    return _sum_of_products(function, name, loops, index, inner, (a, [*own, inner.name]), (b, second))


def _sum_of_products(
    function: CFunction,
    name: str,
    loops: Sequence[Loop],
    index: Sequence[str],
    inner: Loop,
    first: tuple[int, list[str]],
    second: tuple[int, list[str]],
) -> list[str]:
    total = function.writer.local("sum")
    left, right = function.element(*first), function.element(*second)
    product = f"{left.within(3)} * {right.within(4)}"
    return accumulated(name, index, loops, [inner], "0.0", lambda total: f"{total} += {product};", total)


def _trace(function: CFunction, node: int, name: str) -> list[str]:
    (source,) = function.graph.inputs(node)
    shape = function.shapes[source]
    loops = function.loops(function.shapes[node])
    index = [loop.name for loop in loops]
    inner = Loop(function.indices[len(loops)], min(shape[:2]))
    total = function.writer.local("sum")
    element = function.element(source, [inner.name, inner.name, *index])
    return accumulated(name, index, loops, [inner], "0.0", lambda total: f"{total} += {element.text};", total)


def _running_sum(function: CFunction, node: int, name: str) -> list[str]:
    source = function.graph.inputs(node)[0]
    axis = dict(function.graph.operator(node).attributes)["axis"]
    shape = function.shapes[source]
    loops = function.loops(shape)
    index = [loop.name for loop in loops]
    along = list(range(len(shape))) if axis is None else [axis % len(shape)]
    kept = [loop for place, loop in enumerate(loops) if place not in along]
    inner = [loop for place, loop in enumerate(loops) if place in along]
    result = reshaped(index, shape, function.shapes[node]) if axis is None else index
    total = function.writer.local("sum")
    body = [f"{total} += {function.element(source, index).text};", f"{name}{places(result)} = {total};"]
    lines = [f"double {total} = 0.0;", *nest(inner, body)]
    return nest(kept, lines) if kept else ["{", *("    " + line for line in lines), "}"]


def _product_of_others(function: CFunction, node: int, name: str) -> list[str]:
    source = function.graph.inputs(node)[0]
    axis = dict(function.graph.operator(node).attributes)["axis"]
    shape = function.shapes[source]
    axes = reduced_axes(shape, axis)
    loops = function.loops(shape)
    inner = [Loop(function.indices[len(shape) + place], shape[one]) for place, one in enumerate(axes)]
    index = [loop.name for loop in loops]
    other = [inner[axes.index(place)].name if place in axes else one for place, one in enumerate(index)]
    same = " || ".join(f"{loop.name} != {index[one]}" for loop, one in zip(inner, axes)) or "0"
    total = function.writer.local("product")
    factor = function.element(source, other).within(1)
    return accumulated(name, index, loops, inner, "1.0", lambda total: f"{total} *= {same} ? {factor} : 1.0;", total)


def _extreme_place(sign: str) -> Callable[[CFunction, int, str], list[str]]:
    def rule(function: CFunction, node: int, name: str) -> list[str]:
        kept, reduced, index, shape = _reduction_places(function, node)
        best, place = function.writer.local("best"), function.writer.local("place")
        source = function.graph.inputs(node)[0]
        reduced_shape = tuple(loop.size for loop in reduced)
        flat = reshaped([loop.name for loop in reduced], reduced_shape, (math.prod(reduced_shape),))[0] if reduced else "0"
        first = function.element(source, [one if loop in kept else "0" for one, loop in zip(index, function.loops(shape))])
        element = function.element(source, index)
        one = element.within(2)
        inner = [
            f"double {best} = {first.text};",
            f"int {place} = 0;",
            *nest(
                reduced,
                [
                    f"if ({one} {sign} {best} || ({one} != {one} && {best} == {best})) {{",
                    f"    {best} = {element.text};",
                    f"    {place} = {flat};",
                    "}",
                ],
            ),
            f"{name}{places(_result_index(function, node, kept))} = {place};",
        ]
        return nest(kept, inner) if kept else ["{", *("    " + line for line in inner), "}"]

    return rule


def _joined(function: CFunction, node: int, name: str) -> list[str]:
    """concat: one part behind the other."""
    axis = dict(function.graph.operator(node).attributes)["axis"] % len(function.shapes[node])
    lines: list[str] = []
    start = 0
    for source in function.graph.inputs(node):
        shape = function.shapes[source]
        loops = function.loops(shape)
        index = [loop.name for loop in loops]
        target = [f"{start} + {one}" if place == axis and start else one for place, one in enumerate(index)]
        lines += nest(loops, [f"{name}{places(target)} = {function.element(source, index).text};"])
        start += shape[axis]
    return lines


def _stacked(function: CFunction, node: int, name: str) -> list[str]:
    """stack: parts along a new axis."""
    axis = dict(function.graph.operator(node).attributes)["axis"] % len(function.shapes[node])
    lines: list[str] = []
    for number, source in enumerate(function.graph.inputs(node)):
        loops = function.loops(function.shapes[source])
        index = [loop.name for loop in loops]
        target = [*index[:axis], str(number), *index[axis:]]
        lines += nest(loops, [f"{name}{places(target)} = {function.element(source, index).text};"])
    return lines


def _scattered(function: CFunction, node: int, name: str) -> list[str]:
    """scatter: zeros, and the elements at their places."""
    source = function.graph.inputs(node)[0]
    shape = function.shapes[node]
    zero = function.loops(shape)
    loops = function.loops(function.shapes[source])
    index = [loop.name for loop in loops]
    target = _indexed(dict(function.graph.operator(node).attributes)["index"], shape, index)
    return [
        *nest(zero, [f"{name}{places(loop.name for loop in zero)} = 0.0;"]),
        *nest(loops, [f"{name}{places(target)} = {function.element(source, index).text};"]),
    ]


LOOPS: dict[str, Callable[[CFunction, int, str], list[str]]] = {
    "sum": _gathered("0.0", "{total} += {text};", "sum"),
    "prod": _gathered("1.0", "{total} *= {text};", "product"),
    "max": _gathered("-INFINITY", "{total} = maximum({total}, {text});", "largest"),
    "min": _gathered("INFINITY", "{total} = minimum({total}, {text});", "smallest"),
    "@": _matrix_product,
    "dot": _inner_product,
    "trace": _trace,
    "cumsum": _running_sum,
    "product_of_others": _product_of_others,
    "argmax": _extreme_place(">"),
    "argmin": _extreme_place("<"),
    "concat": _joined,
    "stack": _stacked,
    "scatter": _scattered,
}
"""Gates that are loops."""
