"""One HTML page in which the reader plays the passes of a circuit, looks into its gates, and changes its inputs.

Layout is done in the page, since it changes when gates are opened, by dagre (MIT, 49 kB minified, no dependencies): a layered
layout with nested boxes. Compared were elkjs (EPL, 1.5 MB, which every page would have to carry) and d3-dag (MIT, no nested boxes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from gradcalc.calculus.extract import extract
from gradcalc.calculus.local import local_derivatives
from gradcalc.calculus.nest import NONE, PORT, Item, nest
from gradcalc.calculus.reverse import differentiate
from gradcalc.calculus.simplify import simplify
from gradcalc.dialects import javascript
from gradcalc.dialects.language import spell, spell_number
from gradcalc.dialects.source import is_atom
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.shapes import NodeProblem, is_scalar
from gradcalc.errors import LimitProblem
from gradcalc.formula import Formula, Interval, Points, Written
from gradcalc.gates.record import Body, Shape
from gradcalc.graph import CONSTANT, INPUT, Graph, Operator
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.formulas import parse_formula
from gradcalc.views.numbers import array_text, exact_text, short_text
from gradcalc.views.pictures import style
from gradcalc.views.pictures.circuit import SYMBOL_ROOM, symbol_of
from gradcalc.views.pictures.drawing import typeset
from gradcalc.views.text import cut, visible

MOST_GATES = 1000
"""So many gates a page shows before any is opened."""
MOST_INSIDE = 20_000
"""So many it holds with all that is inside them."""
SECOND_LOOK = 400
"""Up to so many nodes the page carries the simplified derivatives, for points at which the chain rule alone gives nan."""
TEXT_ROOM = 160
ARGUMENT_ROOM = 24
DERIVATIVE_ROOM = 160
"""How many characters expressions may have, and arguments and derivatives written out in them."""
WIRE_ROOM = 18
CARD_ROOM = 300
"""How many characters an array may have at a wire, and where there is room."""

QUOTIENTS = ("/", "reciprocal")
"""Gates whose rules speak of their result, where books do not: -a/b^2, not -(a/b)/b."""

FIRST_SLOT = 0xE000
RESULT_SLOT = chr(0xE0FF)
"""Characters (of the private use area) that stand in formulas for the inputs of a gate and for its result."""

ASSETS = Path(__file__).with_name("assets")


def write_page(
    formulas: Sequence[Formula],
    *,
    opened: Collection[str] = (),
    upstream: Callable[[Shape], Any] = lambda shape: 1.0,
    digits: int = 4,
) -> str:
    """The page of one output, or of several that the reader chooses from.

    Args:
        formulas: with single values, ranges (which a slider then covers), or none (1 to begin with).
        opened: names of gates that are open at first, or `all`.
        upstream: the gradient from above for an output of a shape.
        digits: how many significant digits numbers have in the picture.

    Raises:
        LimitProblem: a graph is too large.
        GradcalcError: arrays without values, or of shapes that do not fit.
    """
    operators: dict[Operator, int] = {}
    circuits, again = [], []
    for formula in formulas:
        maker = _Maker(formula, operators, opened, upstream, digits)
        circuits.append(maker.circuit())
        again.append(maker.second_look())
    scalar = {operator: number for operator, number in operators.items() if _calculable(operator)}
    written = dict(zip(scalar, javascript.spellings(scalar)))
    program = [written.get(operator, "null") for operator in operators]
    data = {"digits": digits, "circuits": circuits, "operators": [_words(operator) for operator in operators]}
    title = cut("; ".join(visible(formula.text) for formula in formulas), 120)
    parts = {
        "title": escape(title),
        "style": _asset("page.css") + _palette(),
        "data": _safe_json(data),
        "licence": _asset("dagre.LICENSE.txt").replace("*/", ""),
        "dagre": re.sub(r"(?m)^//# sourceMappingURL.*$", "", _asset("dagre.min.js")),
        "library": javascript.library(),
        "operators": ",\n".join(program),
        "again": ",\n".join(again),
        "program": "\n".join(_asset(name) for name in ("circuit.js", "player.js", "picture.js", "page.js")),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def _safe_json(data: Any) -> str:
    """JSON that may stand in a script element, whatever text is in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _palette() -> str:
    """The colours that all pictures have in common, for pages in light colours."""
    names = {"ink": style.INK, "wire": style.WIRE, "quiet": style.QUIET, "forward": style.FORWARD, "backward": style.BACKWARD}
    fonts = {"numbers": style.NUMBERS, "names": style.NAMES}
    return ":root {\n" + "".join(f"  --{name}: {value};\n" for name, value in (names | fonts).items()) + "}\n"


# ---- what a gate is ------------------------------------------------------------------------------------------------------------


def _calculable(operator: Operator) -> bool:
    return operator.gate is not None and operator.gate.elementwise


def _words(operator: Operator) -> dict[str, Any]:
    """What the page says about a gate: its usage, and its local derivatives, as texts with slots for inputs and result."""
    gate = operator.gate
    assert gate is not None
    own = gate.family == "user"
    return {
        "name": visible(gate.name),
        "title": "your own gate" if own else gate.title,
        "sentence": "" if own else gate.sentence,
        "usage": _usage(operator),
        "definition": _definition(operator),
        "parameters": [visible(name) for name in _letters(operator)],
        "local": _own_derivatives(operator) if own else _rule(operator),
        "commutes": bool(gate.commutative),
        "stops": list(gate.discrete or ()),
    }


def _letters(operator: Operator) -> list[str]:
    assert operator.gate is not None
    names = list(operator.gate.parameters)
    return [*names, *(f"x{number}" for number in range(len(names), operator.arity))][: operator.arity]


def _slots(nodes: Sequence[int]) -> dict[int, str]:
    return {node: chr(FIRST_SLOT + number) for number, node in enumerate(nodes)}


def _usage(operator: Operator) -> str:
    gate = operator.gate
    assert gate is not None
    if operator.arity > 100 or gate.maker:
        return visible(gate.name)
    graph = Graph()
    nodes = [graph.add_input() for _ in range(operator.arity)]
    made = graph.add(gate, nodes, operator.attributes)
    return visible_slots(spell(graph, made, _slots(nodes).get, TEXT_ROOM))


def _definition(operator: Operator) -> str:
    """How a gate that can be opened is defined."""
    gate = operator.gate
    assert gate is not None
    if gate.family != "user" or gate.body is None:
        return f"{gate.signature()} = {gate.formula}" if gate.formula is not None else ""
    names = dict(zip(gate.body.parameters, gate.parameters))
    own = ", ".join(gate.parameters[: gate.arity[0]])
    return visible(f"{gate.name}({own}) = {spell(gate.body.graph, gate.body.output, names.get, TEXT_ROOM)}")


def _rule(operator: Operator) -> list[str | None]:
    """The local derivatives of a gate of the catalogue."""
    gate = operator.gate
    assert gate is not None
    local = local_derivatives(gate, operator.arity)
    if local is None or operator.arity > 100:
        return [None] * operator.arity
    nodes = list(local.names)
    given = dict(operator.attributes)
    names = _slots(nodes[: operator.arity]) | {nodes[-1]: RESULT_SLOT}
    for node, attribute in zip(nodes[operator.arity : -1], gate.attributes):
        names[node] = spell_number(float(given[attribute.name]))
    texts: list[str | None] = []
    if gate.name in QUOTIENTS:
        return _simplified(operator)
    for slope in local.derivatives:
        if slope is None or gate.constant:
            texts.append(None if slope is None else "0")
        else:
            texts.append(RESULT_SLOT if slope == nodes[-1] else spell(local.graph, slope, names.get, DERIVATIVE_ROOM))
    return texts


def _simplified(operator: Operator) -> list[str | None]:
    """The local derivatives of a gate without its result in them."""
    assert operator.gate is not None
    graph = Graph()
    nodes = [graph.add_input() for _ in range(operator.arity)]
    made = graph.add(operator.gate, nodes, operator.attributes)
    simple = simplify(graph, differentiate(graph, made, nodes))
    names = _slots(range(operator.arity))
    return [None if slope is None else spell(simple.graph, slope, names.get, DERIVATIVE_ROOM) for slope in simple.outputs]


def _own_derivatives(operator: Operator) -> list[str | None]:
    """The derivatives of a user gate by its parameters; none where they are long, or arrays are in play."""
    gate = operator.gate
    nothing: list[str | None] = [None] * operator.arity
    if gate is None or gate.body is None:
        return nothing
    part = extract(gate.body.graph, gate.body.output, 0, _user_body, own=True)
    if len(part.graph) > SECOND_LOOK or not is_scalar(part.graph, [0.0] * part.graph.input_count):
        return nothing
    places = {part.source(node): node for node in range(len(part.graph))}
    nodes = [places.get(parameter, NONE) for parameter in gate.body.parameters]
    found = differentiate(part.graph, len(part.graph) - 1, [node for node in nodes if node != NONE])
    derived = dict(zip([node for node in nodes if node != NONE], found))
    names = {node: chr(FIRST_SLOT + number) for number, node in enumerate(nodes) if node != NONE}
    texts: list[str | None] = []
    for place in nodes:
        derivative = derived.get(place)
        text = None if derivative is None else spell(part.graph, derivative, names.get, DERIVATIVE_ROOM)
        texts.append(None if text is None or text.endswith("…") else text)
    return texts


def _user_body(operator: Operator) -> Body | None:
    gate = operator.gate
    return gate.body if gate is not None and gate.family == "user" else None


def _any_body(operator: Operator) -> Body | None:
    """What is inside a gate that can be opened."""
    gate = operator.gate
    if gate is None or not gate.composed:
        return None
    return gate.body if gate.family == "user" else parse_formula(gate, dict(operator.attributes))


def visible_slots(text: str) -> str:
    """Text of the user made visible, slots left as they are."""
    return "".join(
        piece if FIRST_SLOT <= ord(piece[:1] or " ") <= 0xE0FF else visible(piece) for piece in re.split("([\ue000-\ue0ff])", text)
    )


# ---- one output ----------------------------------------------------------------------------------------------------------------


class _Maker:
    """Makes the data of one circuit."""

    def __init__(
        self,
        formula: Formula,
        operators: dict[Operator, int],
        opened: Collection[str],
        upstream: Callable[[Shape], Any],
        digits: int,
    ) -> None:
        assert isinstance(formula.written, Written), "a page needs to know where its formula stands"
        self.formula = formula
        self.program = formula.written.program
        self.operators = operators
        self.opened = opened
        self.upstream = upstream
        self.digits = digits
        try:
            self.nest = nest(self.program.graph, formula.written.node, formula.written.first, _any_body, MOST_INSIDE)
        except LimitProblem as problem:
            raise _too_large(problem.message) from None
        shown = sum(item.home == NONE and item.operator.gate is not None for item in self.nest.items)
        if shown > MOST_GATES:
            raise _too_large(f"the graph has {shown:,} gates, and a page shows up to {MOST_GATES:,}")
        self.names = [self.program.inputs[number].name for number in self.nest.numbers]
        self.given = [formula.written.value(number) for number in self.nest.numbers]
        self.point = [self._start(value) for value in self.given]
        self.scalar = is_scalar(self.nest.closed, self.point) and is_scalar(self.nest.opened, self.point)
        self.texts: dict[int, str] = {}
        self.inner_names: dict[int, Mapping[int, str]] = {}

    @staticmethod
    def _start(value: Any) -> Any:
        """A value to begin with: the middle of a range, 1 where there is none."""
        if isinstance(value, Interval | Points):
            return (value.low + value.high) / 2
        return 1.0 if value is None else getattr(value, "value", value)

    def circuit(self) -> dict[str, Any]:
        """The data of the page."""
        items = [self._item(number, item) for number, item in enumerate(self.nest.items)]
        made: dict[str, Any] = {
            "title": cut(self._title(), TEXT_ROOM),
            "items": items,
            "output": self.nest.output,
            "scalar": self.scalar,
            "inputs": [self._input(*columns) for columns in zip(self.names, self.given, self.point)],
        }
        if self.scalar:
            made["upstream"] = float(self.upstream(()))
        else:
            made["numbers"] = {"closed": self._numbers(self.nest.closed), "opened": self._numbers(self.nest.opened)}
        return made

    def _title(self) -> str:
        """The output, and how it is made if it has a name."""
        output = self.nest.items[self.nest.output]
        text = visible(self.formula.text)
        spelled = self._spelled(output) if output.operator.gate is not None else text
        return text if spelled == text else f"{text} = {spelled}"

    def second_look(self) -> str:
        """The simplified derivatives of the closed and the opened graph, as JavaScript, for where the chain rule gives nan."""
        if not self.scalar or len(self.nest.opened) > SECOND_LOOK:
            return "null"
        closed, opened = self.nest.closed, self.nest.opened
        places = javascript.open_questions(closed)
        settled = f"{{ places: {json.dumps(places)}, derivatives: {javascript.derivatives(closed, places)} }}" if places else "null"
        return f"{{ closed: {javascript.derivatives(closed)},\nopened: {javascript.derivatives(opened)},\nsettled: {settled} }}"

    def _input(self, name: str, given: Any, value: Any) -> dict[str, Any]:
        made: dict[str, Any] = {"name": visible(name), "value": _number(value) if isinstance(value, float) else None}
        if isinstance(given, Interval | Points):
            made |= {"low": given.low, "high": given.high}
        if isinstance(given, Points):
            made["step"] = (given.high - given.low) / (given.number - 1)
        if given is None:
            made["unset"] = True
        return made

    def _item(self, number: int, item: Item) -> dict[str, Any]:
        made: dict[str, Any] = {"in": item.inputs, "home": item.home}
        if item.port:
            self.texts[number] = self._argument(item)
            return made | {"kind": "port", "operator": self._operator(PORT)}
        made |= {"closed": item.closed, "opened": item.opened}
        gate = item.operator.gate
        name = self._name(item)
        if gate is None and item.graph.codes[item.node] == INPUT:
            made |= {"kind": "input", "number": item.graph.left[item.node], "symbol": name}
            made["number"] = self.nest.closed.left[item.closed]
            self.texts[number] = name
        elif gate is None:
            value = item.graph.constant(item.node)
            text = self._constant(item)
            made |= {"kind": "constant", "symbol": typeset(text), "value": _number(value) if isinstance(value, float) else None}
            self.texts[number] = text
        else:
            made |= {"kind": "gate", "operator": self._operator(item.operator)}
            made |= self._symbol(item)
            self.texts[number] = name or self._spelled(item)
        if item.result != NONE:
            made |= {"ports": item.ports, "result": item.result, "own": item.own, "open": self._is_open(item)}
        text = self.texts[number]
        return made | {"name": name, "text": text, "atom": bool(name) or is_atom(text)}

    def _is_open(self, item: Item) -> bool:
        assert item.operator.gate is not None
        return "all" in self.opened or item.operator.gate.name in self.opened

    def _operator(self, operator: Operator) -> int:
        return self.operators.setdefault(operator, len(self.operators))

    def _name(self, item: Item) -> str:
        """The name of an input or of a named node of the program."""
        return visible(self.program.name_of(item.node) or "") if item.graph is self.program.graph else ""

    def _constant(self, item: Item) -> str:
        value = item.graph.constant(item.node)
        if not isinstance(value, float):
            return array_text(value, 3, WIRE_ROOM)
        if item.graph is self.program.graph:
            typed = visible(self.program.label(item.node))
            if typed in CONSTANTS or 0 < len(typed) <= 8:
                return typed
        return short_text(value, self.digits)

    def _symbol(self, item: Item) -> dict[str, Any]:
        """What stands in a gate, and which of its inputs are written into it."""
        gate = item.operator.gate
        assert gate is not None
        record = None if gate.family == "user" else gate
        constants = {}
        for place, source in enumerate(item.inputs if item.result == NONE else ()):
            other = self.nest.items[source]
            constant = other.operator.gate is None and other.graph.codes[other.node] == CONSTANT
            if constant and isinstance(other.graph.constant(other.node), float):
                constants[place] = self.texts[source]
        symbol = symbol_of(gate.name, record, len(item.inputs), constants)
        if len(constants) == len(item.inputs) or len(symbol) > SYMBOL_ROOM:
            constants, symbol = {}, symbol_of(gate.name, record, len(item.inputs), {})
        return {"symbol": typeset(visible(symbol)), "folded": list(constants)}

    def _spelled(self, item: Item) -> str:
        """A gate as an expression: of the program's names, or inside a gate of what its parameters stand for."""
        if item.graph is self.program.graph:
            return visible(spell(item.graph, item.node, self._program_name, TEXT_ROOM))
        return visible(spell(item.graph, item.node, self.inner_names.get(id(item.graph), {}).get, TEXT_ROOM))

    def _program_name(self, node: int) -> str | None:
        name = self.program.name_of(node)
        if name is None and self.program.graph.codes[node] == CONSTANT:
            label = self.program.label(node)
            return label if label in CONSTANTS else None
        return name

    def _argument(self, item: Item) -> str:
        """What a parameter stands for, to be written in its place; remembered for the formula that it belongs to."""
        text = self.texts[item.inputs[0]]
        written = text if is_atom(text) else f"({text})"
        if len(written) > ARGUMENT_ROOM:
            written = "…"
        names = dict(self.inner_names.get(id(item.graph), {}))
        names[item.node] = written
        self.inner_names[id(item.graph)] = names
        return written

    def _numbers(self, graph: Graph) -> list[Any]:
        """For each node of a graph of arrays its value and gradient, short and at length, and its shape."""
        try:
            evaluation = evaluate(graph, self.point, self.formula.makers)
            backpropagate(evaluation, self.upstream(evaluation.shape(len(graph) - 1)))
        except NodeProblem as found:
            raise found.problem() from None
        rows = []
        for node in range(len(graph)):
            value = evaluation.values[node]
            gradient = evaluation.gradients[node] if evaluation.wanted[node] else None
            texts = [self._short(value), _long(value)]
            texts += ["", ""] if gradient is None else [self._short(gradient, shaped=False), _long(gradient)]
            rows.append([*texts, list(evaluation.shape(node))])
        return rows

    def _short(self, value: Any, shaped: bool = True) -> str:
        """A value as it stands at a wire."""
        if isinstance(value, float):
            return short_text(value, self.digits)
        return array_text(value, min(3, self.digits), WIRE_ROOM, shaped)


def _too_large(message: str) -> LimitProblem:
    return LimitProblem(
        message,
        remedy="name a part of it and make that the output, move parts into gates of your own (f(x) = …), or write -o circuit.dot",
    )


def _number(value: float) -> float | str:
    """A float as JSON has it; texts for those that JSON lacks."""
    return value if value - value == 0.0 else str(value).replace("inf", "Infinity").replace("nan", "NaN")


def _long(value: Any) -> str:
    if isinstance(value, float):
        return exact_text(value)
    return cut(exact_text(value), CARD_ROOM) if value.size <= CARD_ROOM // 2 else array_text(value, 6, CARD_ROOM)
