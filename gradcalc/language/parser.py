"""What the grammar's rules do to the graph: the callbacks of the parser.

A value on the parse stack is a tuple (node, start, end). The rules that a long formula consists of append to the columns of the
graph and of its sheet themselves: a call of a method for each would cost more than the parsing.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from unicodedata import normalize

from gradcalc.calculus.extract import OPENED_NODES
from gradcalc.errors import ArgumentProblem, GradcalcError, LimitProblem, NameProblem, ProgramSyntaxError, ShapeProblem
from gradcalc.gates import REGISTRY, Attribute, Body, Gate
from gradcalc.gates.arithmetic import IDENTITY
from gradcalc.gates.record import DRAW, REQUIRED
from gradcalc.graph import CONSTANT, INPUT, Attributes, Graph
from gradcalc.language.constants import CONSTANTS, SIGNED
from gradcalc.language.machine import Callback, Unexpected
from gradcalc.language.nearest import nearest
from gradcalc.language.sheet import Sheet
from gradcalc.language.tables import machine

if TYPE_CHECKING:
    from gradcalc.language.program import Definition, Mark, Program, Statement
    from gradcalc.language.scanner import Block, Piece

Value = tuple[int, int, int]
Match = re.Match[str]

MAXIMUM_AXES = 64
"""As many as NumPy's arrays have."""

NOTHING = frozenset({"none", "None", "all"})
"""Spellings of `axis=None`."""

LISTS = frozenset({"concat", "stack"})
"""Gates of any number of arrays, which may stand in brackets."""

_TARGET = re.compile(r"([^\W\d]\w*)[ \t]*(\([^()]*\))?[ \t]*=(?!=)")


class Keyword(NamedTuple):
    """An argument of a call that is no plain expression: `name=EXPR`, or a string (without a name, or with one)."""

    name: str
    value: Any
    """A parse value, a string, or NOTHING."""
    start: int
    end: int


class Builder:
    """Turns statements into nodes of a program's graph."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.machine = machine()
        self.codes: dict[str, int] = {}
        """The codes of operators that have no attributes, by name and number of inputs; valid until the graph is cut back."""
        self.block: Block = None  # type: ignore[assignment]
        self.closed = True
        """Whether the statement uses no input and no name so far, so that its value is a default."""
        self.scope: dict[str, int] = {}
        """The parameters of the gate that is being defined."""
        self.defining: tuple[str, Mark, int, int] | None = None
        self.fresh: list[str] = []
        """Names first met in this statement."""
        self.fresh_constants: list[str] = []
        self.warnings: list[GradcalcError] = []
        rules = {**_frequent(self), **_pieces()}
        self._callbacks = self.machine.callbacks(lambda name: rules.get(name) or getattr(self, name))

    def statement(self, piece: Piece) -> Statement:
        """Add one statement to the program."""
        program, block = self.program, piece.block
        program.sheet.open(len(program.graph), block)
        self.block = block
        self.closed = True
        self.fresh.clear()
        self.fresh_constants.clear()
        self.warnings.clear()
        self.scope = {}
        self.defining = None
        try:
            make, *parts = self.machine.parse(block.text, piece.start, piece.end, self._callbacks)
        except Unexpected as unexpected:
            from gradcalc.language.diagnostics import explain

            raise explain(piece, unexpected.position, program) from None
        statement: Statement = make(*parts)
        return statement

    def abandon(self, piece: Piece) -> None:
        """Clean up after a statement that failed: what it was to define is broken."""
        program = self.program
        if piece.error is None:
            for name in self.fresh:
                program.known.pop(name, None)
            for name in self.fresh_constants:
                program.constant_uses.pop(name, None)
        target = _TARGET.match(piece.block.text, piece.start, piece.end)
        if target is not None:
            name = normalize("NFKC", target[1])
            line = piece.block.line_of(piece.start)
            if target[2] is not None:
                if name not in program.gates and name not in REGISTRY:
                    program.broken_gates[name] = line
            elif name not in program.names:
                program.broken[name] = line
            else:
                program.late.add(name)

    # Statements

    def output(self, children: list[Any]) -> Any:
        """`EXPR`. What follows happens after the parse, when nothing can go wrong with the text any more."""
        return self._output, children[0]

    def _output(self, value: Value) -> Statement:
        from gradcalc.language.program import Output

        return Output(value[0], self.block.line_of(value[1]), self.block, value[1], value[2], tuple(self.warnings))

    def assignment(self, children: list[Any]) -> Any:
        """`name = EXPR`."""
        return self._assign, children[0], children[2]

    def _assign(self, match: Match, value: Value) -> Statement:
        from gradcalc.language.program import Assigned

        program, block = self.program, self.block
        start, end = match.span(match.lastindex or 0)
        name = self.name(match)
        self._check_target(name, start, end)
        node = value[0]
        is_input = self.closed
        if is_input:
            node = program.add_input(name, block, start, end, node)
            kind = "default"
        else:
            kind = "node"
            if node in program.sheet.names:
                # b = a: a node of its own, so that it has a row and a gradient under its name.
                node = self._append(program.graph.code(IDENTITY, (), 1), [node], value[1], value[2])[0]
            program.put(program.names, name, node)
            program.put(program.sheet.names, node, name)
        self._know(name, kind, start, end)
        program.broken.pop(name, None)
        return Assigned(name, node, is_input, block.line_of(start), block, start, value[2], tuple(self.warnings))

    def _check_target(self, name: str, start: int, end: int) -> None:
        program = self.program
        if name in self.fresh:
            use = program.known[name]
            raise NameProblem(
                f"{name} is used in its own definition",
                place=use.place(),
                remedy=f"a name has one value: give the new one another name, such as {self._free(name)} = …",
            )
        entry = program.known.get(name) or program.constant_uses.get(name)
        if entry is None or program.interactive or name in program.broken:
            return
        words, remedy = {
            "input": (f"{name} is assigned after it was used as an input", f"move {name} = … before its first use"),
            "constant": (f"{name} is assigned after it was used as a constant", "choose another name"),
        }.get(
            entry.kind,
            (f"{name} is assigned a second time", f"choose another name, such as {self._free(name)}"),
        )
        story = "first assigned here:" if entry.kind in ("default", "node") else "first used here:"
        raise NameProblem(words, place=self.block.place(start, end), related=((story, entry.place()),), remedy=remedy)

    def _free(self, name: str) -> str:
        """A name like this one that is not taken."""
        number = 2
        while f"{name}{number}" in self.program.known:
            number += 1
        return f"{name}{number}"

    def _know(self, name: str, kind: str, start: int, end: int) -> None:
        from gradcalc.language.program import Entry

        known = self.program.known
        entry = known.get(name)
        if entry is None or self.program.interactive or kind != "input":
            if entry is None:
                self.fresh.append(name)
            known[name] = Entry(kind, self.block, start, end)

    # Definitions of gates

    def head(self, children: list[Any]) -> str:
        """Open the scope of a gate's parameters."""
        program = self.program
        name = self.name(children[0])
        span = children[0].span(children[0].lastindex)
        place = self.block.place(*span)
        if name in REGISTRY:
            raise NameProblem(f"{name} is a gate of the catalogue", place=place, remedy="give your gate a name of its own")
        if name in program.definitions and not program.interactive:
            first = program.definitions[name].entry
            raise NameProblem(
                f"the gate {name} is defined a second time",
                place=place,
                related=(("first defined here:", first.place()),),
                remedy="choose another name",
            )
        self.defining = (name, program.mark(), *span)
        for match in children[2]:
            parameter = self.name(match)
            span = match.span(match.lastindex)
            if parameter in self.scope:
                raise NameProblem(
                    f"{name} has two parameters named {parameter}",
                    place=self.block.place(*span),
                    remedy="rename one of them",
                )
            node = program.graph.add_input()
            self._place(*span)
            self.scope[parameter] = node
        return name

    def definition(self, children: list[Any]) -> Any:
        """`f(x, y) = EXPR`."""
        return self._define, children[0], children[2]

    def _define(self, name: str, value: Value) -> Statement:
        """Move the body out of the program's graph into one of its own."""
        from gradcalc.language.program import Defined, Definition, Entry

        assert self.defining is not None
        program, block = self.program, self.block
        mark = self.defining[1]
        body, sheet, captured = self._move_body(mark, value[0])
        own = len(self.scope)
        parameters = (*self.scope, *(label for _, label in captured))
        gate = Gate(
            name=name,
            title=name,
            family="user",
            sentence="Does what its body does.",
            arity=(own, own),
            parameters=parameters,
            attributes=(),
            samples=((-2.0, 2.0),) * len(parameters),
            body=body,
            analytic=False,
            linear=False,
            constant=False,
            # A gate that draws inside is drawn anew by every call.
            random=any(operator.gate is not None and operator.gate.random for operator in body.graph.operators),
            example="",
        )
        start = self.defining[2]
        entry = Entry("gate", block, start, self.defining[3])
        definition = Definition(gate, own, tuple(node for node, _ in captured), entry, sheet, self._opened_size(body.graph))
        program.put(program.definitions, name, definition)
        program.put(program.gates, name, gate)
        program.broken_gates.pop(name, None)
        return Defined(name, block.line_of(start), block, start, value[2], tuple(self.warnings))

    def _move_body(self, mark: Mark, output: int) -> tuple[Body, Sheet, list[tuple[int, str]]]:
        """Copy the nodes since the mark into a graph of their own, and cut the program back to it.

        Answers with the nodes outside that the body uses, in the order of its last parameters, each with its label.
        """
        program, graph = self.program, self.program.graph
        base, own, total = mark.graph.nodes, len(self.scope), len(graph)
        used: dict[int, None] = {}
        for node in range(base + own, total):
            if graph.codes[node] == INPUT:
                used[node] = None
            for source in graph.inputs(node):
                if source < base:
                    used[source] = None
        if output < base:
            used[output] = None
        body, sheet = Graph(), Sheet()
        sheet.open(0, self.block)
        columns = program.sheet.starts, program.sheet.ends, program.sheet.spots
        new: dict[int, int] = {}
        for node in [*self.scope.values(), *used]:
            new[node] = body.add_input()
            span = [column[node] for column in columns] if node >= base else [0, 0, 0]
            _extend(sheet, *span)
        for name, node in self.scope.items():
            sheet.names[new[node]] = name
        for node in used:
            sheet.names[new[node]] = self._outer_name(node)
        for node in range(base + own, total):
            if node in new:
                continue
            operator = graph.operator(node)
            if operator.gate is None:
                new[node] = body.add_constant(graph.constant(node))
            else:
                inputs = [new[source] for source in graph.inputs(node)]
                new[node] = body.add(operator.gate, inputs, operator.attributes)
            _extend(sheet, *(column[node] for column in columns))
        labels = [(node, self._outer_name(node), [column[node] for column in columns]) for node in used]
        program.cut(mark)
        program.sheet.open(base, self.block)
        captured: list[tuple[int, str]] = []
        for node, label, (start, end, _) in labels:
            # A name that nobody knew has become an input of the program while the body was read.
            outer = node if node < base else program.add_input(label, self.block, start, end)
            captured.append((outer, label))
        parameters = tuple(new[node] for node in [*self.scope.values(), *used])
        return Body(body, parameters, new[output]), sheet, captured

    def _opened_size(self, graph: Graph) -> int:
        """How many nodes a body becomes when the user's gates in it are opened (or a number that is too many)."""
        gates = [None if operator.gate is None else operator.gate.name for operator in graph.operators]
        definitions = self.program.definitions
        sizes = [definitions[name].size if name in definitions else 1 for name in gates]
        return min(OPENED_NODES + 1, sum(sizes[code] for code in graph.codes))

    def _outer_name(self, node: int) -> str:
        """A name of a node outside a body; if there is a choice, none that is a parameter's."""
        program = self.program
        label = program.label(node, limit=None)
        if label not in self.scope:
            return label
        return next((n for n, given in program.names.items() if given == node and n not in self.scope), label)

    # Names and numbers

    def name(self, match: Match) -> str:
        """The name that a word stands for."""
        kind = match.lastindex or 0
        name = match[kind]
        return name if name.isascii() else self.normal(name, match.start(kind))

    def normal(self, name: str, start: int) -> str:
        """A name beyond ASCII in its normal form; an error if it has characters that no name may have."""
        plain = normalize("NFKC", name)
        if name.isidentifier() and plain.isidentifier():
            return plain
        from gradcalc.language.diagnostics import explain_name

        raise explain_name(self.block, name, start)

    def new_name(self, name: str, start: int, end: int) -> Value:
        """A name that is not in force yet: a constant, or an input."""
        program = self.program
        if name in program.literals:
            return self._constant(program.literals[name], start, end)
        if name in program.broken:
            raise NameProblem(f"{name} could not be computed: see line {program.broken[name]}", place=self.block.place(start, end))
        if name in CONSTANTS and name not in program.bound:
            if name not in program.constant_uses:
                from gradcalc.language.program import Entry

                program.constant_uses[name] = Entry("constant", self.block, start, end)
                self.fresh_constants.append(name)
            return self._constant(CONSTANTS[name], start, end)
        self.closed = False
        node = program.add_input(name, self.block, start, end)
        self._know(name, "input", start, end)
        return node, start, end

    def underflow(self, start: int, end: int) -> None:
        """Warn that a number is too small for a float."""
        self.warnings.append(
            ProgramSyntaxError("this number is smaller than a float64 can hold: it is 0", place=self.block.place(start, end))
        )

    def overflow(self, start: int, end: int) -> None:
        """Warn that a number is too large for a float."""
        self.warnings.append(
            ProgramSyntaxError("this number is larger than a float64 can hold: it is inf", place=self.block.place(start, end))
        )

    def _constant(self, value: Any, start: int, end: int) -> Value:
        node = self.program.graph.add_constant(value)
        self._place(start, end)
        return node, start, end

    def _place(self, start: int, end: int, spot: int | None = None) -> None:
        _extend(self.program.sheet, start, end, start if spot is None else spot)

    def _drop(self, node: int) -> bool:
        """Take back a constant if it is the last node; answers whether it was."""
        graph, sheet = self.program.graph, self.program.sheet
        if node != len(graph) - 1 or graph.codes[node] != CONSTANT:
            return False
        for column in (graph.codes, graph.left, graph.right, graph.constants, sheet.starts, sheet.ends, sheet.spots):
            column.pop()
        return True

    def _fail(self, kind: type[GradcalcError], message: str, value: Any, remedy: str = "") -> NoReturn:
        """Raise an error about a parse value."""
        raise kind(message, place=self.block.place(value[-2], value[-1]), remedy=remedy)

    # Operators

    def new_code(self, name: str, count: int) -> int:
        """The code of an operator without attributes."""
        gate = REGISTRY.find(name, count)
        assert gate is not None, name
        code = self.codes[name] = self.program.graph.code(gate, (), count)
        return code

    def comparison(self, children: list[Any]) -> Value:
        """`a < b`; a chain of comparisons is refused here, where its parts are known."""
        (first, start, stop), word, (second, begin, end) = children
        text, graph, sheet = self.block.text, self.program.graph, self.program.sheet
        spot = word.start()
        operator = graph.operators[graph.codes[first]].gate
        chained = operator is not None and operator.name in ("<", "<=", ">", ">=", "==", "!=")
        if chained and sheet.starts[first] == start and sheet.ends[first] == stop:
            left = text[start:stop]
            # What stands between the two operators; its node would not do, since it may be a name or in brackets.
            inner = re.match(r"[<>=!]+\s*", text[sheet.spots[first] :])
            between = text[sheet.spots[first] + (inner.end() if inner else 1) : stop]
            raise ProgramSyntaxError(
                "comparisons cannot be chained",
                place=self.block.place(spot, word.end(word.lastindex)),
                remedy=f"write ({left})*({between} {word[word.lastindex]} {text[begin:end]})",
            )
        node = graph.add(self._gate(word[word.lastindex], 2), (first, second))
        self._place(start, end, spot)
        return node, start, end

    def _gate(self, name: str, count: int) -> Gate:
        gate = REGISTRY.find(name, count)
        assert gate is not None, name
        return gate

    def transpose(self, children: list[Any]) -> Value:
        """`x.T`."""
        (node, start, _), word = children
        end = word.end(word.lastindex)
        gate = self._gate("transpose", 1)
        result = self.program.graph.add(gate, (node,), _defaults(gate))
        self._place(start, end, word.start())
        return result, start, end

    # Arrays and indices

    def empty_array(self, children: list[Any]) -> Value:
        """`[]`."""
        import numpy

        return self._constant(_frozen(numpy.empty(0)), children[0].start(), children[1].end(children[1].lastindex))

    def array(self, children: list[Any]) -> Value:
        """`[a, b]`: one constant if all elements are numbers, else the gate that stacks them."""
        items, closing = children[1], children[-1]
        start, end = children[0].start(), closing.end(closing.lastindex)
        graph, count = self.program.graph, len(items)
        first = items[0][0]
        codes = graph.codes
        numbers = first + count == len(codes) and items[-1][0] == len(codes) - 1 and codes[first:] == [CONSTANT] * count
        if not numbers:
            gate = self._gate("stack", count)
            node = graph.add(gate, [item[0] for item in items], _defaults(gate))
            self._place(start, end)
            return node, start, end
        values = graph.constants[graph.left[first] :]
        value = self._combine(values, items)
        sheet = self.program.sheet
        for column in (codes, graph.left, graph.right, sheet.starts, sheet.ends, sheet.spots):
            del column[first:]
        del graph.constants[-count:]
        return self._constant(value, start, end)

    def _combine(self, values: list[Any], items: list[Value]) -> Any:
        """One array of numbers, or of arrays of one shape."""
        import numpy

        if set(map(type, values)) == {float}:
            return _frozen(numpy.array(values))
        shapes = [numpy.shape(value) for value in values]
        for number, shape in enumerate(shapes):
            if shape != shapes[0]:
                self._fail(
                    ShapeProblem,
                    f"the rows of an array must be equally long: the first {_length(shapes[0])}, this one {_length(shape)}",
                    items[number],
                )
        if len(shapes[0]) >= MAXIMUM_AXES:
            self._fail(ShapeProblem, f"an array has at most {MAXIMUM_AXES} axes", items[0])
        return _frozen(numpy.stack(values))

    def index(self, children: list[Any]) -> Value:
        """`x[0, 1:]`."""
        (node, start, _), opening, subscripts, closing = (*children[:3], children[-1])
        end = closing.end(closing.lastindex)
        gate = self._gate("[]", 1)
        result = self.program.graph.add(gate, (node,), (("index", tuple(subscripts)),))
        self._place(start, end, opening.start())
        return result, start, end

    def position(self, children: list[Any]) -> int:
        """A whole number in an index."""
        value = children[0]
        node, start, end = value
        graph = self.program.graph
        number = graph.constant(node) if graph.codes[node] == CONSTANT else None
        if number is None or not self._drop(node):
            self._fail(
                ArgumentProblem,
                "an index must be a whole number that is written out",
                value,
                "write a number, such as x[0], or a slice, such as x[1:3]",
            )
        if type(number) is not float:
            self._fail(ArgumentProblem, "an index must be a number, not an array", value, "write one number per axis: x[0, 1]")
        if not number.is_integer():
            self._fail(ArgumentProblem, f"an index must be a whole number, not {self.block.text[start:end]}", value)
        return int(number)

    # Calls

    def text(self, children: list[Any]) -> Keyword:
        """A string as an argument."""
        word = children[0]
        start, end = word.span(word.lastindex)
        return Keyword("", word[word.lastindex][1:-1], start, end)

    def keyword_text(self, children: list[Any]) -> Keyword:
        """`name="text"` as an argument."""
        name, _, word = children
        return Keyword(self.name(name), word[word.lastindex][1:-1], name.start(), word.end(word.lastindex))

    def keyword(self, children: list[Any]) -> Keyword:
        """`name=EXPR` as an argument."""
        name, _, value = children
        node, _, end = value
        program, text = self.program, self.block.text[value[1] : value[2]]
        if text in NOTHING and node == len(program.graph) - 1 and program.input_of(node) is not None:
            # The word has been taken for an input: take it back.
            program.graph.input_count -= 1
            graph, sheet = program.graph, program.sheet
            for column in (graph.codes, graph.left, graph.right, sheet.starts, sheet.ends, sheet.spots):
                column.pop()
            program.inputs.pop()
            program.names.pop(text)
            sheet.names.pop(node)
            program.known.pop(text, None)
            return Keyword(self.name(name), None, name.start(), end)
        return Keyword(self.name(name), value, name.start(), end)

    def empty_call(self, children: list[Any]) -> Value:
        """`f()`."""
        return self._call(children[0], [], children[2])

    def call(self, children: list[Any]) -> Value:
        """`f(x, y)`."""
        return self._call(children[0], children[2], children[-1])

    def _call(self, word: Match, arguments: list[Any], closing: Match) -> Value:
        start, behind = word.span(word.lastindex or 0)
        end = closing.end(closing.lastindex or 0)
        name = self.name(word)
        code = self.codes.get(f"{name}/{len(arguments)}")
        if code is None or Keyword in map(type, arguments):
            definition = self.program.definitions.get(name)
            if definition is not None:
                return self._user_call(definition, arguments, start, end)
            if name not in REGISTRY:
                self._unknown_gate(name, start, behind, end)
            gate, inputs, attributes = self._match(name, arguments, start, behind)
            code = self.program.graph.code(gate, attributes, len(inputs))
            if not attributes and gate.data is None and len(inputs) == len(arguments):
                self.codes[f"{name}/{len(arguments)}"] = code
        else:
            inputs = [argument[0] for argument in arguments]
        return self._append(code, inputs, start, end)

    def _append(self, code: int, inputs: list[int], start: int, end: int) -> Value:
        graph = self.program.graph
        node = len(graph.codes)
        graph.codes.append(code)
        if len(inputs) > 2:
            graph.left.append(len(graph.bundles))
            graph.right.append(0)
            graph.bundles.append(tuple(inputs))
        else:
            graph.left.append(inputs[0] if inputs else 0)
            graph.right.append(inputs[-1] if inputs else 0)
        _extend(self.program.sheet, start, end, start)
        return node, start, end

    def _user_call(self, definition: Definition, arguments: list[Any], start: int, end: int) -> Value:
        gate = definition.gate
        for argument in arguments:
            if type(argument) is not tuple:
                self._fail(
                    ArgumentProblem,
                    f"{gate.name} takes its arguments by position" if argument.name else f"{gate.name} takes no text",
                    argument,
                    f"write {self._own_call(definition, arguments)}",
                )
        if len(arguments) != definition.own:
            raise ArgumentProblem(
                f"{gate.name} takes {_count(definition.own)}, not {len(arguments)}",
                place=self.block.place(start, start + len(gate.name)),
                related=(("it is defined here:", definition.entry.place()),),
                remedy=f"write {self._own_call(definition, arguments)}",
            )
        if definition.captured:
            self.closed = False
        if definition.size > OPENED_NODES and self.defining is None:
            raise LimitProblem(
                f"{gate.name} opens into more than {OPENED_NODES:,} nodes",
                place=self.block.place(start, start + len(gate.name)),
                related=(("it is defined here:", definition.entry.place()),),
                remedy="a gate that calls others twice doubles with every level: use fewer levels",
            )
        inputs = [argument[0] for argument in arguments]
        code = self.program.graph.code(gate, self._draw(gate), len(inputs) + len(definition.captured))
        return self._append(code, [*inputs, *definition.captured], start, end)

    def _own_call(self, definition: Definition, arguments: list[Any]) -> str:
        """A call of a user gate with the arguments that were written, as far as they fit, and its own names for the others."""
        parameters = list(definition.gate.parameters[: definition.own])
        words = dict.fromkeys(parameters, "")
        for parameter, argument in zip(parameters, arguments):
            place = argument if type(argument) is tuple else argument.value
            name = "" if type(argument) is tuple else argument.name
            if isinstance(place, tuple):
                words[name if name in words else parameter] = " ".join(self.block.text[place[1] : place[2]].split())
        written = f"{definition.gate.name}({', '.join(word or name for name, word in words.items())})"
        return written if len(written) <= 60 else definition.signature()

    def _draw(self, gate: Gate) -> Attributes:
        """The number of a draw, which every node of a random gate has as an attribute."""
        if not gate.random:
            return ()
        self.program.draws += 1
        return ((DRAW, (self.program.draws,)),)

    def _match(self, name: str, arguments: list[Any], start: int, behind: int) -> tuple[Gate, list[int], Attributes]:
        """The record, the inputs and the attributes that a call of a catalogue gate means."""
        records = REGISTRY[name]
        place = self.block.place(start, behind)
        positional, named = self._sort_arguments(name, records, arguments)
        positional = self._spread(records[0], positional, named)
        for record in records:
            plan = self._plan(record, positional, named)
            if plan is not None:
                inputs, given = plan
                values = {a.name: self._attribute(record, a, given[a.name]) for a in record.attributes if a.name in given}
                for argument in reversed(list(given.values())):
                    if isinstance(argument, Keyword):
                        argument = argument.value
                    if isinstance(argument, tuple):
                        self._drop(argument[0])
                for attribute in record.attributes:
                    if attribute.default is REQUIRED and attribute.name not in values:
                        raise ArgumentProblem(
                            f"{name} needs {_article(attribute.name)}", place=place, remedy=f"write {record.signature()}"
                        )
                attributes = [(a.name, values.get(a.name, a.default)) for a in record.attributes]
                return record, inputs, tuple(sorted([*attributes, *self._draw(record)]))
        if any(argument.value.__class__ is str for argument in positional if isinstance(argument, Keyword)):
            text = next(argument for argument in positional if isinstance(argument, Keyword))
            self._fail(ArgumentProblem, f"{name} takes numbers, not text", text, f"write {records[0].signature()}")
        raise ArgumentProblem(
            f"{name} takes {_counts(records)}, not {len(arguments)}",
            place=place,
            remedy="write " + " or ".join(record.signature() for record in records),
        )

    def _sort_arguments(self, name: str, records: tuple[Gate, ...], arguments: list[Any]) -> tuple[list[Any], dict[str, Keyword]]:
        """Arguments by position, and by name."""
        positional: list[Any] = []
        named: dict[str, Keyword] = {}
        legal: dict[str, None] = {}
        for record in records:
            legal.update(dict.fromkeys(attribute.name for attribute in record.attributes))
            if record.arity[1] is not None:
                legal.update(dict.fromkeys(record.parameters))
        for argument in arguments:
            if not isinstance(argument, Keyword) or not argument.name:
                if named:
                    self._fail(
                        ArgumentProblem,
                        "an argument without a name stands behind one with a name",
                        argument,
                        f"write {records[0].signature()}",
                    )
                positional.append(argument)
                continue
            if argument.name in named:
                self._fail(ArgumentProblem, f"{argument.name} is given twice", argument, "remove one of the two")
            if argument.name not in legal:
                close = nearest(argument.name, legal)
                remedy = f"did you mean {close}? " if close else ""
                self._fail(
                    ArgumentProblem,
                    f"{name} has no argument named {argument.name}",
                    (argument.start, argument.start + len(argument.name)),
                    f"{remedy}write {records[0].signature()}",
                )
            named[argument.name] = argument
        return positional, named

    def _plan(self, record: Gate, positional: list[Any], named: dict[str, Keyword]) -> tuple[list[int], dict[str, Any]] | None:
        """How the arguments are shared out between a record's inputs and its attributes; None if they do not fit."""
        most = record.arity[1]
        texts = [isinstance(argument, Keyword) for argument in positional]
        leading = texts.index(True) if True in texts else len(positional)
        taken = leading if most is None else min(leading, most)
        inputs = [argument[0] for argument in positional[:taken]]
        rest = positional[taken:]
        names = [attribute.name for attribute in record.attributes]
        if len(rest) > len(names):
            return None
        given = dict(zip(names, rest))
        for name, keyword in named.items():
            if name in names:
                if name in given and any(other.arity[1] is None for other in REGISTRY[record.name]):
                    words = ", ".join(self.block.text[argument[-2] : argument[-1]] for argument in positional)
                    remedy = f"write {record.name}({words})" if len(words) < 60 else f"leave out {name}"
                    self._fail(ArgumentProblem, f"{name} belongs to {record.name} of one array", keyword, remedy)
                if name in given:
                    self._fail(ArgumentProblem, f"{name} is given twice", keyword, "remove one of the two")
                given[name] = keyword
            elif name not in record.parameters:
                return None
        by_name = [name for name in named if name not in names]
        for parameter in record.parameters[taken:] if by_name else ():
            if parameter in by_name:
                value = named[parameter].value
                if not isinstance(value, tuple):
                    return None
                inputs.append(value[0])
                by_name.remove(parameter)
            elif by_name:
                return None  # one in the middle is missing
        if by_name:
            self._fail(ArgumentProblem, f"{by_name[0]} is given twice", named[by_name[0]], "remove one of the two")
        return (inputs, given) if record.accepts(len(inputs)) else None

    def _spread(self, record: Gate, positional: list[Any], named: dict[str, Keyword]) -> list[Any]:
        """Take the brackets off a list of sizes or of arrays: zeros([2, 3]) is zeros(2, 3)."""
        data = record.data if record.data is not None else 0 if record.name in LISTS else None
        if data is None or len(positional) != abs(data) + 1 or isinstance(positional[0 if data < 0 else data], Keyword):
            return positional
        at = 0 if data < 0 else data
        node, start, end = positional[at]
        graph = self.program.graph
        if self.block.text[start] != "[" or self.program.sheet.ends[node] != end:
            return positional
        operator = graph.operator(node)
        value = graph.constant(node) if graph.codes[node] == CONSTANT else None
        if value is None and (operator.gate is None or operator.gate.name != "stack"):
            return positional
        if value is not None and value.ndim == 1 and record.data is None:
            return positional
        behind = range(node + 1, len(graph))
        if any(graph.codes[other] != CONSTANT for other in behind):
            return positional  # sizes may stay in a list; and what is no constant is refused as an attribute
        # What stands behind the list are keyword arguments: they are put aside while the list is taken out of the graph.
        sheet, sources = self.program.sheet, graph.inputs(node)
        aside = [(graph.constant(other), sheet.starts[other], sheet.ends[other]) for other in behind]
        del graph.constants[len(graph.constants) - len(aside) - (value is not None) :]
        for column in (graph.codes, graph.left, graph.right, sheet.starts, sheet.ends, sheet.spots):
            del column[node:]
        parts: list[Value] = [(source, start, end) for source in sources]
        if value is not None:
            rows = [float(item) if value.ndim == 1 else _frozen(item.copy()) for item in value]
            parts = [self._constant(row, start, end) for row in rows]
        moved = {other: self._constant(*constant)[0] for other, constant in zip(behind, aside)}
        for name, keyword in named.items():
            if isinstance(keyword.value, tuple):
                place: Value = keyword.value
                named[name] = keyword._replace(value=(moved.get(place[0], place[0]), *place[1:]))
        later = [
            (moved.get(place[0], place[0]), *place[1:]) if isinstance(place, tuple) and not isinstance(place, Keyword) else place
            for place in positional[at + 1 :]
        ]
        return [*positional[:at], *parts, *later]

    def _attribute(self, gate: Gate, attribute: Attribute, argument: Any) -> Any:
        """The value of an attribute from the argument that was written for it."""
        value = argument.value if isinstance(argument, Keyword) else argument
        wanted, check = _KINDS.get(attribute.kind, ("a constant", None))
        if isinstance(value, tuple):
            graph = self.program.graph
            if graph.codes[value[0]] != CONSTANT:
                self._fail(
                    ArgumentProblem,
                    f"{attribute.name} of {gate.name} must be {wanted} that is written out",
                    value,
                    "its value must be known before anything is computed",
                )
            value = graph.constant(value[0])
            if hasattr(value, "tolist"):
                value = tuple(value.tolist())
        if check is None or (value is None and attribute.default is None):
            return value
        try:
            return check(value)
        except (TypeError, ValueError):
            self._fail(ArgumentProblem, f"{attribute.name} of {gate.name} must be {wanted}", argument)

    def _unknown_gate(self, name: str, start: int, behind: int, end: int) -> NoReturn:
        program, place = self.program, self.block.place(start, behind)
        if self.defining is not None and self.defining[0] == name:
            raise NameProblem(f"{name} calls itself", place=place, remedy="a gate has no recursion: it must be a formula that ends")
        if name in program.broken_gates:
            raise NameProblem(f"{name} could not be defined: see line {program.broken_gates[name]}", place=place)
        from gradcalc.language.diagnostics import unknown_gate

        variable = name in self.scope or name in program.names or name in program.bound or name in CONSTANTS
        raise unknown_gate(name, place, self.block.text[behind:end], variable, program.definitions)


def _frequent(builder: Builder) -> dict[str, Callback]:
    """The callbacks of the rules that a long formula consists of."""
    program, codes_of, new_code = builder.program, builder.codes, builder.new_code
    graph, sheet, names = program.graph, program.sheet, program.names
    codes, lefts, rights, constants = graph.codes, graph.left, graph.right, graph.constants
    starts, ends, spots = sheet.starts, sheet.ends, sheet.spots
    number_kind, name_kind = builder.machine.kinds["NUMBER"], builder.machine.kinds["NAME"]
    infinity = math.inf

    def binary(name: str) -> Callback:
        def callback(children: list[Any]) -> Value:
            (left, start, _), word, (right, _, end) = children
            code = codes_of.get(name)
            if code is None:
                code = new_code(name, 2)
            node = len(codes)
            codes.append(code)
            lefts.append(left)
            rights.append(right)
            starts.append(start)
            ends.append(end)
            spots.append(word.start())
            return node, start, end

        return callback

    def number(children: list[Any]) -> Value:
        word = children[0]
        start, end = word.span(number_kind)
        value = float(word[number_kind])
        if value == infinity:
            builder.overflow(start, end)
        elif not value and vanished(word[number_kind]):
            builder.underflow(start, end)
        node = len(codes)
        codes.append(CONSTANT)
        lefts.append(len(constants))
        rights.append(0)
        constants.append(value)
        starts.append(start)
        ends.append(end)
        spots.append(start)
        return node, start, end

    def variable(children: list[Any]) -> Value:
        word = children[0]
        start, end = word.span(name_kind)
        name = word[name_kind]
        if not name.isascii():
            name = builder.normal(name, start)
        node = builder.scope.get(name) if builder.scope else None
        if node is None:
            node = names.get(name)
            if node is None:
                return builder.new_name(name, start, end)
            builder.closed = False
        return node, start, end

    def negative(children: list[Any]) -> Value:
        word, (node, inner, end) = children
        start = word.start()
        if codes[node] == CONSTANT and node == len(codes) - 1 and starts[node] == inner and _plain(inner, end):
            constants[-1] = -constants[-1]
            starts[node] = spots[node] = start
            return node, start, end
        code = codes_of.get("neg")
        if code is None:
            code = new_code("neg", 1)
        result = len(codes)
        codes.append(code)
        lefts.append(node)
        rights.append(node)
        starts.append(start)
        ends.append(end)
        spots.append(start)
        return result, start, end

    def _plain(start: int, end: int) -> bool:
        """Whether a constant is written as a number (or as inf), so that its negative is a constant, too."""
        text = builder.block.text
        return text[start] in "0123456789." or text[start:end] in SIGNED

    return {
        "add": binary("+"),
        "subtract": binary("-"),
        "multiply": binary("*"),
        "divide": binary("/"),
        "matmul": binary("@"),
        "modulo": binary("%"),
        "power": binary("pow"),
        "number": number,
        "variable": variable,
        "negative": negative,
    }


def _pieces() -> dict[str, Callback]:
    """The callbacks that need nothing but their children."""

    def group(children: list[Any]) -> Value:
        opening, (node, _, _), closing = children
        return node, opening.start(), closing.end(closing.lastindex)

    def positive(children: list[Any]) -> Value:
        word, (node, _, end) = children
        return node, word.start(), end

    def next_item(children: list[Any]) -> list[Any]:
        items: list[Any] = children[0]
        items.append(children[2])
        return items

    return {
        "group": group,
        "positive": positive,
        "first_item": list,
        "next_item": next_item,
        "ellipsis": lambda children: "...",
        "no_bound": lambda children: None,
        "slice": lambda children: ("slice", children[0], children[2], children[4] if len(children) > 3 else None),
    }


def vanished(text: str) -> bool:
    """Whether a number that is read as 0 is written as another."""
    return re.search("[1-9]", text.lower().partition("e")[0]) is not None


def _extend(sheet: Sheet, start: int, end: int, spot: int) -> None:
    sheet.starts.append(start)
    sheet.ends.append(end)
    sheet.spots.append(spot)


def _defaults(gate: Gate) -> Attributes:
    return tuple(sorted((attribute.name, attribute.default) for attribute in gate.attributes))


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _length(shape: tuple[int, ...]) -> str:
    if not shape:
        return "is a number"
    if len(shape) == 1:
        return f"has {shape[0]} element{'' if shape[0] == 1 else 's'}"
    return "has the shape " + "×".join(map(str, shape))


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


def _counts(records: tuple[Gate, ...]) -> str:
    """How many inputs the records of a gate take, in words."""
    pieces = []
    fewest = min(record.arity[0] for record in records)
    if any(record.arity[1] is None for record in records) and all(
        any(record.accepts(count) for record in records) for count in range(fewest, fewest + len(records))
    ):
        return f"at least {fewest} argument{'' if fewest == 1 else 's'}"
    for record in sorted(records, key=lambda record: record.arity[0]):
        least, most = record.arity
        if most is None:
            pieces.append(f"{least} or more")
        elif most == least:
            pieces.append(str(least))
        else:
            pieces.append(f"{least} to {most}")
    words = " or ".join(dict.fromkeys(pieces))
    return f"{words} argument{'' if words == '1' else 's'}"


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _index(value: Any) -> tuple[Any, ...]:
    """An index that is written as a text: "0, 1:"."""
    items: list[Any] = []
    for text in value.split(","):
        bounds = [int(bound) if bound.strip() else None for bound in text.split(":")] if text.strip() != "..." else []
        if len(bounds) == 1 and bounds[0] is not None:
            items.append(bounds[0])
        elif not bounds:
            items.append("...")
        elif len(bounds) in (2, 3):
            items.append(("slice", *bounds, *[None] * (3 - len(bounds))))
        else:
            raise ValueError
    return tuple(items)


def _integer(value: Any) -> int:
    if value != int(value):
        raise ValueError
    return int(value)


def _flag(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _axis(value: Any) -> int | tuple[int, ...] | None:
    if value is None:
        return None
    return tuple(_integer(item) for item in value) if isinstance(value, tuple) else _integer(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, str):
        raise TypeError
    return float(value)


_KINDS: dict[str, tuple[str, Any]] = {
    "number": ("a number", _number),
    "integer": ("a whole number", _integer),
    "flag": ("true or false", _flag),
    "axis": ("a whole number, a list of them, or none", _axis),
    "text": ("a text in quotes", _text),
    "index": ('an index in quotes, such as "0, 1:"', lambda value: _index(_text(value))),
}
