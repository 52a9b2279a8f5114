"""Partial derivatives of any order as formulas: differentiated, simplified, differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.reverse import differentiate
from gradcalc.calculus.simplify import has_decimals, simplify
from gradcalc.errors import LimitProblem
from gradcalc.gates.record import Shape
from gradcalc.graph import INPUT, Graph

MOST_NODES = 2_000_000
"""Where the formulas of an order have become so long, there is no next one."""

MOST_DERIVATIVES = 20_000
"""How many partial derivatives of one order are written."""

SHORT_NUMBER = 12
"""Numbers of more digits are not calculated with, but written as they came: log(2) is to stay log(2)."""


class ExactBuilder(Builder):
    """A builder that computes with numbers only where nothing is lost, so that what is printed is what is meant: 1/3, not 0.333."""

    def apply(self, name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Expression:
        """A gate on terms and numbers, simplified; on numbers alone it is folded or left."""
        terms = tuple(map(self.lifted, arguments))
        values = [self.value(term) for term in terms]
        if name in _EXACTLY and all(value is not None for value in values) and self._fold(name, values, attributes) is None:
            return self._node(name, terms, tuple(sorted(attributes.items())))
        return super().apply(name, terms, attributes)

    def _fold(self, name: str, values: Sequence[float | None], attributes: dict[str, Any]) -> float | None:
        folded = super()._fold(name, values, attributes)
        if name == "neg":
            return folded
        if (
            folded is None
            or folded - folded != 0.0
            or not all(_is_short(value) for value in (*values, folded) if value is not None)
        ):
            return None
        exact = _EXACTLY.get(name)
        if exact is None:
            return folded
        try:
            truth = exact(*[Fraction(Decimal(repr(value))) for value in values])
        except ZeroDivisionError:
            return None
        return folded if truth == Fraction(Decimal(repr(folded))) else None


_EXACTLY: dict[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "square": lambda a: a * a,
}


def _is_short(value: float) -> bool:
    return value - value == 0.0 and len(repr(value).partition("e")[0].strip("-0.")) <= SHORT_NUMBER


class Partial(NamedTuple):
    """One derivative: by which of the nodes asked for (in order, repeated for higher orders), and its node, None where it is 0."""

    by: tuple[int, ...]
    node: int | None


class Partials(NamedTuple):
    """All partial derivatives of one order.

    Attributes:
        graph: of all the formulas; its first nodes are the inputs, by their number.
        derivatives: in the order of what they are taken by.
        names: the nodes of the graph that stand for named nodes of the program, inputs and constants.
        shapes: of all nodes, None where all are numbers.
    """

    graph: Graph
    derivatives: list[Partial]
    names: dict[int, str]
    shapes: list[Shape] | None


def partials(
    graph: Graph,
    outputs: Sequence[int],
    wrt: Sequence[int],
    names: Mapping[int, str],
    *,
    shapes: Sequence[Shape] | None = None,
    order: int = 1,
    keep_names: bool = False,
    taken: Collection[str] = (),
) -> list[Partials]:
    """The derivatives of outputs by inputs, for each output those of one order.

    Args:
        graph: holds the outputs; it is not changed.
        outputs: the nodes to differentiate.
        wrt: the input nodes to differentiate by.
        names: of nodes, inputs included.
        shapes: of all nodes; None where all are numbers.
        order: how often.
        keep_names: whether named nodes of the program stay together and may be used by their names.
        taken: names that stand for something in the program.

    Raises:
        LimitProblem: there are too many derivatives, or they are too long.
    """
    count = _how_many(len(wrt), order) * len(outputs)
    if count > MOST_DERIVATIVES:
        raise LimitProblem(
            f"there are {count:,} derivatives of order {order}",
            remedy=f"choose the inputs with --wrt: at most {MOST_DERIVATIVES:,} are written",
        )
    numbers = [graph.left[node] for node in wrt]
    decimal = has_decimals(graph, graph.reached(list(outputs)))
    rows = [[Partial((), output)] for output in outputs]
    inside = {node: name for node, name in names.items() if graph.codes[node] != INPUT}
    input_names = {graph.left[node]: name for node, name in names.items() if graph.codes[node] == INPUT}
    for _ in range(order):
        graph, rows, inside, shapes, constants = _next_order(
            graph, rows, [_input_node(graph, number) for number in numbers], inside, shapes, keep_names, taken, decimal
        )
    every = inside | constants | {_input_node(graph, number): name for number, name in input_names.items()}
    return [Partials(graph, row, every, None if shapes is None else list(shapes)) for row in rows]


def _input_node(graph: Graph, number: int) -> int:
    if number < len(graph) and graph.codes[number] == INPUT and graph.left[number] == number:
        return number
    return next(node for node, code in enumerate(graph.codes) if code == INPUT and graph.left[node] == number)


def _how_many(inputs: int, order: int) -> int:
    """The number of ways to choose `order` of the inputs, repeated and in any order."""
    from math import comb

    return comb(inputs + order - 1, order)


def _next_order(
    graph: Graph,
    rows: Sequence[Sequence[Partial]],
    wrt: Sequence[int],
    inside: Mapping[int, str],
    shapes: Sequence[Shape] | None,
    keep_names: bool,
    taken: Collection[str],
    decimal: bool,
) -> tuple[Graph, list[list[Partial]], dict[int, str], list[Shape] | None, dict[int, str]]:
    """Every formula differentiated once more, and simplified."""
    mark = graph.mark()
    typed = len(graph)
    builder = ExactBuilder(graph, shapes)
    try:
        made = [list(_differentiated(graph, builder, row, wrt, shapes)) for row in rows]
        if len(graph) > MOST_NODES:
            raise LimitProblem(
                f"the derivatives have more than {MOST_NODES:,} gates", remedy="choose a lower order, or fewer inputs with --wrt"
            )
        nodes = [partial.node for row in made for partial in row]
        every = None if shapes is None else [builder.shape(node) for node in range(len(graph))]
        result = simplify(graph, nodes, every, typed=typed, taken=taken, atoms=inside.keys() if keep_names else (), decimal=decimal)
    finally:
        graph.cut(mark)
    simple = iter(result.outputs)
    new_rows = [[Partial(partial.by, next(simple)) for partial in row] for row in made]
    kept = {result.found[node]: name for node, name in inside.items() if node in result.found}
    return result.graph, new_rows, kept, result.shapes, result.constants


def _differentiated(
    graph: Graph, builder: Builder, row: Sequence[Partial], wrt: Sequence[int], shapes: Sequence[Shape] | None
) -> Iterator[Partial]:
    for by, node in row:
        first = by[-1] if by else 0
        found: Sequence[int | None] = [None] * (len(wrt) - first)
        if node is not None:
            found = differentiate(graph, node, wrt[first:], shapes, builder=builder)
        for place, derivative in enumerate(found, first):
            yield Partial((*by, place), derivative)
