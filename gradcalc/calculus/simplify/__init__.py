"""Formulas made short: graph to graph, with the same values, the way a person would write them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gradcalc.calculus.simplify.functions import function
from gradcalc.calculus.simplify.nodes import Term
from gradcalc.calculus.simplify.read import Reader
from gradcalc.calculus.simplify.search import EFFORT, Search
from gradcalc.calculus.simplify.terms import Terms
from gradcalc.calculus.simplify.write import Writer
from gradcalc.gates.record import REGISTRY, Shape
from gradcalc.graph import CONSTANT, Graph
from gradcalc.language.constants import CONSTANTS

LARGE = 1000
"""A formula of more gates is large: what it uses again is kept together."""


class Simplified(NamedTuple):
    """A graph of formulas in simple form.

    Attributes:
        graph: its first nodes are the inputs, by their number.
        outputs: for each node asked for the node that has its value now; None stays None.
        found: for atoms that are still used the nodes that have their values.
        constants: nodes that are constants of the language, with their names.
        shapes: of all nodes; None where all are numbers.
    """

    graph: Graph
    outputs: list[int | None]
    found: dict[int, int]
    constants: dict[int, str]
    shapes: list[Shape] | None = None


def simplify(
    graph: Graph,
    nodes: Sequence[int | None],
    shapes: Sequence[Shape] | None = None,
    *,
    typed: int | None = None,
    taken: Collection[str] = (),
    atoms: Collection[int] = (),
    decimal: bool | None = None,
    effort: int = EFFORT,
) -> Simplified:
    """Formulas with the same values, as short as they are found: deterministic, and about linear in the size of the graph.

    Where the given formula has a value the simple one has the same, up to rounding; it may have one where the given one has none
    (x/x at 0). Sums keep the order in which they were typed, generated ones are ordered by degree.

    Args:
        graph: holds the formulas; it is not changed.
        nodes: the formulas.
        shapes: of all nodes; None where all are numbers.
        typed: how many nodes at the beginning were written by the user; all by default.
        taken: names that the program uses for its own things, so that pi, say, can't be written.
        atoms: nodes that are kept: what is made of them is written by means of them, not by what is in them.
        decimal: whether numbers are written as decimals; by default, whether the user writes such.
        effort: how many products of terms the search for shorter forms may make.
    """
    typed = len(graph) if typed is None else typed
    wanted = [node for node in nodes if node is not None]
    reached = graph.reached(wanted)
    if decimal is None:
        decimal = has_decimals(graph, reached[:typed])
    large = sum(reached) > LARGE
    terms = Terms(decimal, constants(taken), shapes is not None, large)
    search = Search(terms, effort // 3 if large else effort)
    _know_logarithms(search)
    reader = Reader(graph, shapes, search, typed, atoms)
    reader.read(wanted)
    target = Graph()
    writer = Writer(target, terms, [target.add_input() for _ in range(graph.input_count)], graph)
    outputs = [None if node is None else writer.write(search.finished(reader.values[node])) for node in nodes]
    found = {atom: writer.copies()[atom] for atom in atoms if atom in writer.copies()}
    named = {}
    for node, code in enumerate(target.codes):
        if code == CONSTANT and isinstance(target.constant(node), float):
            name = terms.name_of(target.constant(node))
            if name is not None:
                named[node] = name
    return Simplified(target, outputs, found, named, None if shapes is None else writer.shapes(shapes))


def constants(taken: Collection[str] = ()) -> Mapping[str, float]:
    """The constants of the language that may be written: of each number the name that is typed most easily."""
    names: dict[str, float] = {}
    for name in ("pi", "e", "tau"):
        if name not in taken:
            names[name] = CONSTANTS[name]
    return names


def has_decimals(graph: Graph, typed: bytearray) -> bool:
    """Whether the user writes numbers as decimals: then so do we."""
    for node, flag in enumerate(typed):
        if flag and graph.codes[node] == CONSTANT:
            value = graph.constant(node)
            if isinstance(value, float) and value - value == 0 and value != int(value) and value not in CONSTANTS.values():
                return True
    return False


def _know_logarithms(search: Search) -> None:
    """The logarithms in the rules of gates by what they are."""
    gate = REGISTRY.find("log", 1)
    assert gate is not None
    for base, value in ((2, 0.6931471805599453), (10, 2.302585092994046)):
        search.terms.know(value, function(search, gate, (), [Term(base, search.terms.one)]))
