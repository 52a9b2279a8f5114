"""Graph to text in gradcalc's own language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gradcalc.gates.record import REQUIRED, Syntax
from gradcalc.graph import CONSTANT, Graph, Operator

ATOM = 7
SIGN = 4
POSTFIX = 6
"""How tightly things bind; the levels between are those of the gates' records."""


KEPT_SPELLINGS = 100_000
FAR_SPELLINGS = 2_000
"""How many spellings a speller keeps, and how many it makes anew to find one: deeper inputs are left as …"""


class Spelled(NamedTuple):
    """A spelling of a node, and how tightly it binds."""

    level: int
    text: str


UNSPELLED = Spelled(ATOM, "…")


def spell_number(value: float) -> str:
    """The shortest text that reads back to the same float: `2`, `0.1`, `1e-300`, `inf`, `nan`."""
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    text = repr(value).removesuffix(".0")
    if text.endswith("000000") and "." not in text:
        digits = text.rstrip("0")
        return f"{digits}e{len(text) - len(digits)}"
    return text.replace("e+", "e").replace("e-0", "e-")


def spell_array(values: Any, limit: int = 1000) -> str:
    """An array in the language's syntax, cut with … behind `limit` characters."""
    pieces: list[str] = []
    stack: list[Any] = [values.tolist()]
    length = 0
    while stack and length <= limit:
        item = stack.pop()
        if isinstance(item, list):
            stack.append("]")
            for number in range(len(item) - 1, -1, -1):
                stack.append(item[number])
                if number:
                    stack.append(", ")
            item = "["
        text = item if isinstance(item, str) else spell_number(float(item))
        pieces.append(text)
        length += len(text)
    return "".join(pieces) + ("…" if stack else "")


def spell(
    graph: Graph,
    node: int,
    names: Callable[[int], str | None] = lambda node: None,
    limit: int | None = None,
) -> str:
    """A node as an expression of the language.

    Args:
        graph: the graph.
        node: what to write; it is written out even if it has a name.
        names: the name of a node (inputs have one), which then stands for it.
        limit: stop behind about so many characters, with an ellipsis.
    """
    pieces: list[str] = []
    length = 0
    stack: list[tuple[int, int] | str] = [(node, 0)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item)
            length += len(item)
            if limit is not None and length > limit:
                return "".join(pieces)[: limit - 1] + "…"
            continue
        current, least = item
        name = names(current) if current != node or graph.codes[current] <= CONSTANT else None
        if name is not None:
            stack.append(name)
        elif graph.codes[current] == CONSTANT:
            value = graph.constant(current)
            text = spell_number(value) if isinstance(value, float) else spell_array(value)
            stack.append(f"({text})" if text.startswith("-") and least > SIGN else text)
        elif graph.operator(current).gate is None:
            stack.append(f"input{graph.left[current]}")
        elif _is_identity(graph.operator(current)):
            stack.append((graph.left[current], least))
        else:
            level, parts = _parts(graph.operator(current), graph.inputs(current))
            if level < least:
                parts = ["(", *parts, ")"]
            stack.extend(reversed(parts))
    return "".join(pieces)


class Speller:
    """Spells many nodes of one graph, each from the spellings of its inputs: what `spell` gives, cut at a limit.

    A call costs no more than the limit however large the graph is, as long as nodes are asked for in their order.
    """

    def __init__(
        self,
        graph: Graph,
        names: Callable[[int], str | None],
        limit: int,
        known: Callable[[int], Spelled | None] = lambda node: None,
    ) -> None:
        """Start with nothing spelled.

        Args:
            graph: the graph.
            names: the name of a node, which stands for it.
            limit: how long a spelling may be.
            known: the spelling of a node that comes from elsewhere.
        """
        self.graph = graph
        self.names = names
        self.limit = limit
        self.known = known
        self._spelled: dict[int, Spelled] = {}

    def __call__(self, node: int) -> str:
        """A node's name, or else its expression, cut with … behind the limit."""
        return self.piece(node).text

    def piece(self, node: int) -> Spelled:
        """A node's spelling, with what decides whether it needs brackets."""
        spelled = self._spelled
        if len(spelled) > KEPT_SPELLINGS:
            for old in list(spelled)[: KEPT_SPELLINGS // 2]:
                del spelled[old]
        stack = [node]
        far: list[int] = []
        budget = FAR_SPELLINGS
        while stack:
            current = stack[-1]
            if current in spelled:
                stack.pop()
                continue
            found = self._leaf(current)
            if found is None:
                inputs = self._shown(current)
                missing = [source for source in inputs if source not in spelled]
                budget -= len(missing)
                if missing and (budget > 0 or current == node):
                    stack.extend(missing)
                    continue
                if missing:
                    far.append(current)
                found = UNSPELLED if missing else self._compose(current)
            spelled[current] = found
            stack.pop()
        answer = spelled[node]
        for source in far:
            del spelled[source]
        return answer

    def _leaf(self, node: int) -> Spelled | None:
        """The spelling of what needs no other."""
        known = self.known(node)
        if known is not None:
            return known
        name = self.names(node)
        graph = self.graph
        if name is not None:
            return Spelled(ATOM, name if len(name) <= self.limit else name[: self.limit - 1] + "…")
        if graph.codes[node] == CONSTANT:
            value = graph.constant(node)
            text = spell_number(value) if isinstance(value, float) else spell_array(value, self.limit)
            return Spelled(SIGN if text.startswith("-") else ATOM, self._cut(text))
        return Spelled(ATOM, f"input{graph.left[node]}") if graph.operator(node).gate is None else None

    def _shown(self, node: int) -> tuple[int, ...]:
        """The inputs whose spellings a node's begins with; of a gate of very many, no more than there is room for."""
        return self.graph.inputs(node)[: self.limit]

    def _compose(self, node: int) -> Spelled:
        graph, spelled = self.graph, self._spelled
        operator, inputs = graph.operator(node), self._shown(node)
        if _is_identity(operator):
            return spelled.get(inputs[0], UNSPELLED)
        level, parts = _parts(operator, inputs)
        pieces: list[str] = []
        length = 0
        for part in parts:
            if isinstance(part, str):
                text = part
            else:
                own, text = spelled.get(part[0], UNSPELLED)
                if own < part[1]:
                    text = f"({text})"
            pieces.append(text)
            length += len(text)
            if length > self.limit:
                break
        return Spelled(level, self._cut("".join(pieces)))

    def _cut(self, text: str) -> str:
        return text if len(text) <= self.limit else text[: self.limit - 1] + "…"


def _is_identity(operator: Operator) -> bool:
    """Whether a node only gives another a name, which is not written in an expression."""
    return operator.gate is not None and operator.gate.name == "="


def _parts(operator: Operator, inputs: tuple[int, ...]) -> tuple[int, list[tuple[int, int] | str]]:
    """How tightly a gate's text binds, and its pieces: texts, and inputs with the least level that needs no brackets there."""
    gate = operator.gate
    assert gate is not None
    syntax = gate.syntax
    if gate.name == "stack" and dict(operator.attributes).get("axis") == 0:
        return ATOM, ["[", *_listed(inputs), "]"]
    if gate.name == "[]":
        return POSTFIX, [(inputs[0], POSTFIX), f"[{spell_index(dict(operator.attributes)['index'])}]"]
    if syntax is not None and not (gate.name == "transpose" and dict(operator.attributes)["axes"] is not None):
        return syntax.level, _operator_parts(syntax, inputs)
    keywords = []
    given = dict(operator.attributes)
    for attribute in gate.attributes:
        value = given[attribute.name]
        if attribute.default is REQUIRED and (attribute.kind == "text" or not inputs):
            keywords.append(_spell_attribute(value))
        elif value != attribute.default:
            text = f'"{spell_index(value)}"' if attribute.kind == "index" else _spell_attribute(value)
            keywords.append(f"{attribute.name}={text}")
    most = gate.arity[1]
    # What a user gate captured from its surroundings is not written in its calls.
    listed = _listed(inputs[:most] if gate.family == "user" else inputs)
    for number, keyword in enumerate(keywords):
        listed.append(f", {keyword}" if inputs or number else keyword)
    return ATOM, [f"{gate.name}(", *listed, ")"]


def _operator_parts(syntax: Syntax, inputs: tuple[int, ...]) -> list[tuple[int, int] | str]:
    if syntax.position == "prefix":
        return [syntax.symbol, (inputs[0], syntax.level + 1)]
    if syntax.position == "postfix":
        return [(inputs[0], syntax.level), syntax.symbol]
    left, right = inputs
    if syntax.associative == "right":
        return [(left, syntax.level + 1), syntax.symbol, (right, SIGN)]
    spaced = f" {syntax.symbol} " if syntax.level <= 2 or syntax.symbol == "@" else syntax.symbol
    first = syntax.level + 1 if syntax.associative == "none" else syntax.level
    return [(left, first), spaced, (right, syntax.level + 1)]


def _listed(inputs: tuple[int, ...]) -> list[tuple[int, int] | str]:
    listed: list[tuple[int, int] | str] = []
    for number, source in enumerate(inputs):
        if number:
            listed.append(", ")
        listed.append((source, 0))
    return listed


def _spell_attribute(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_spell_attribute(item) for item in value)}]"
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return spell_number(float(value))


def spell_index(index: tuple[Any, ...]) -> str:
    """What stands between the brackets of x[0, 1:3]."""
    return ", ".join(_spell_index_item(item) for item in index)


def _spell_index_item(item: Any) -> str:
    if isinstance(item, tuple):
        start, stop, step = ("" if bound is None else str(bound) for bound in item[1:])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return str(item)
