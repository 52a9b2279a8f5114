"""Graphs of numbers as Python source over floats, for the code that the engine generates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcalc.dialects.source import ATOM, Piece, SourceWriter
from gradcalc.gates import ieee
from gradcalc.gates.record import Gate
from gradcalc.graph import CONSTANT, Graph, Operator

_COMPARISON = re.compile(r"\(?1\.0 if (\(?[\w.\[\]]+ (?:[<>]=?|[=!]=) [\w.\[\]]+\)?) else 0\.0\)?")
"""A comparison as a number, whose inputs are plain."""


def as_truth(text: str) -> str:
    """What only decides: a comparison as such, where it would be a number."""
    compared = _COMPARISON.fullmatch(text)
    return text if compared is None else compared[1]


class PythonWriter(SourceWriter):
    """Writes nodes of a graph as Python source over floats.

    Functions are called by generated names that `namespace` binds. With `safe`, everything that Python raises for (a division by
    zero, an overflow) goes through a function that answers as IEEE arithmetic does.
    """

    dialect = "inline"

    def __init__(self, graph: Graph, names: Mapping[int, str], safe: bool = False) -> None:
        """Write nodes of `graph`, where `names` says how its inputs are called."""
        self.graph = graph
        self.names = names
        self.safe = safe
        self.namespace: dict[str, Any] = {}

    def expression(self, node: int) -> str:
        """One node as an expression. Meant for the small graphs of local derivatives: it repeats shared parts."""
        text: dict[int, str] = {}
        stack = [node]
        while stack:
            current = stack[-1]
            if current in text:
                stack.pop()
                continue
            missing = [source for source in self.graph.inputs(current) if source not in text]
            if missing and current not in self.names:
                stack.extend(missing)
                continue
            text[current] = self._one(current, text)
            stack.pop()
        return text[node]

    def _one(self, node: int, text: Mapping[int, str]) -> str:
        if node in self.names:
            return self.names[node]
        if self.graph.codes[node] == CONSTANT:
            return self.number(self.graph.constant(node))
        operator = self.graph.operator(node)
        return self.call(operator, [text[source] for source in self.graph.inputs(node)])

    def number(self, value: float) -> str:
        """A float as a literal, or as a bound name where Python has no literal for it."""
        if value - value == 0.0:
            return f"({value!r})" if value < 0 else repr(value)
        name = "nan" if value != value else "inf" if value > 0 else "minus_inf"
        self.namespace[name] = value
        return name

    def gate(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        """A gate on pieces of text."""
        texts = [piece.within(ATOM) for piece in inputs]
        assert operator.gate is not None
        if operator.gate.name == "where":
            texts[0] = as_truth(texts[0])
        return Piece(ATOM, self.call(operator, texts))

    def repeats(self, operator: Operator) -> bool:
        """Whether the text of a gate holds those of its inputs more than once, so that they had better be names."""
        template = self._template(operator)
        return template is not None and any(template.count(f"{{{place}}}") > 1 for place in range(operator.arity))

    def _template(self, operator: Operator) -> str | None:
        gate = operator.gate
        assert gate is not None
        if self.safe and gate.otherwise is not None:
            return None
        spelling = gate.spelled.get(self.dialect)
        if callable(spelling):
            spelling = spelling(*[f"{{{place}}}" for place in range(operator.arity)])
        if spelling:
            return spelling
        return gate.scalar if isinstance(gate.scalar, str) else None

    def call(self, operator: Operator, arguments: list[str]) -> str:
        """A gate on the texts of its inputs."""
        gate = operator.gate
        assert gate is not None
        template = self._template(operator)
        if template is not None:
            return f"({template.format(*arguments)})"
        name = self._bind(gate)
        keywords = [f"{key}={self._literal(value)}" for key, value in operator.attributes]
        return f"{name}({', '.join([*arguments, *keywords])})"

    def _literal(self, value: Any) -> str:
        return self.number(float(value)) if isinstance(value, int | float) else repr(value)

    def _bind(self, gate: Gate) -> str:
        name = "f_" + "".join(c if c.isalnum() else f"_{ord(c):x}" for c in gate.name) + f"_{gate.arity[0]}"
        self.namespace[name] = self.function(gate)
        return name

    def function(self, gate: Gate) -> Callable[..., float]:
        """The gate's forward rule as a function of floats."""
        if isinstance(gate.scalar, str):
            assert callable(gate.otherwise)
            return gate.otherwise
        assert gate.scalar is not None, gate.name
        return ieee.guarded(gate.scalar, gate.otherwise) if self.safe else gate.scalar
