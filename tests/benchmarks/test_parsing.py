"""Parsing keeps its distance to Lark."""

from __future__ import annotations

from tests.benchmarks.parsing import measure


def test_parsing_into_the_graph_is_no_slower_than_lark_alone() -> None:
    assert measure((1_000, 10_000))["ratio_10000"] >= 0.9
