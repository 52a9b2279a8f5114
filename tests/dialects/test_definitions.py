"""Names for what several formulas use again."""

from __future__ import annotations

from gradcalc.dialects.definitions import name_shared
from gradcalc.graph import Graph
from tests.catalogue import chain, gate


def test_what_is_short_is_not_named() -> None:
    graph = chain(("sin", 0), ("*", 1, 1))
    assert name_shared(graph, [2], {0: "x"}, ()).order == []


def test_what_is_long_and_used_again_is_named_once() -> None:
    graph = chain(("*", 0, 0), ("sin", 1), ("+", 2, 0), ("exp", 3), ("*", 4, 4), ("/", 4, 0))
    named = name_shared(graph, [5, 6], {0: "x"}, {"s", "x"})
    assert named.order == [4]
    assert named.names == {4: "t"}


def test_names_of_the_program_are_kept() -> None:
    graph = chain(("sin", 0), ("exp", 1))
    named = name_shared(graph, [2], {0: "x", 1: "angle"}, {"x"})
    assert (named.order, named.names) == ([1], {1: "angle"})


def test_what_depends_on_no_input_is_not_named() -> None:
    graph = chain(("sin", 2.0), ("exp", 2), ("sin", 3), ("exp", 4), ("*", 5, 5), ("*", 6, 0))
    assert name_shared(graph, [7], {0: "x"}, ()).order == []


def test_many_names_are_numbered() -> None:
    graph = Graph()
    node = x = graph.add_input()
    for _ in range(40):
        inner = graph.add(gate("exp"), (graph.add(gate("sin"), (graph.add(gate("cos"), (node,)),)),))
        node = graph.add(gate("*", 2), (inner, graph.add(gate("sin"), (inner,))))
    names = list(name_shared(graph, [node], {x: "x"}, {"t2"}).names.values())
    assert names[:3] == ["t1", "t3", "t4"]
