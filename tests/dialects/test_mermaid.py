"""Mermaid: every part and wire, in labels that its grammar takes as they are."""

from __future__ import annotations

import re

from gradcalc.dialects.mermaid import mermaid_text
from tests.views.pictures.circuits import circuit


def test_parts_and_wires() -> None:
    text = mermaid_text([circuit("q = x+y; f = q*z", x=-2.0, y=5.0, z=-4.0)])
    assert text.splitlines() == [
        "flowchart LR",
        '  n0["x"]',
        '  n1["y"]',
        '  n2(("+<br/>q"))',
        '  n3["z"]',
        '  n4(("*<br/>f"))',
        '  n0 -->|"-2<br/>∂ -4"| n2',
        '  n1 -->|"5<br/>∂ -4"| n2',
        '  n2 -->|"3<br/>∂ -4"| n4',
        '  n3 -->|"-4<br/>∂ 3"| n4',
        '  noutput["f"]',
        "  style noutput fill:none,stroke:none",
        '  n4 -->|"-12<br/>∂ 1"| noutput',
        "  classDef leafn fill:none,stroke:none",
        "  class n0,n1,n3 leafn",
    ]


def test_the_order_of_inputs_is_told_where_it_matters() -> None:
    text = mermaid_text([circuit("a/b", a=3.0, b=4.0)])
    assert '|"1: 3<br/>∂ 0.25"|' in text
    assert '|"2: 4<br/>∂ -0.1875"|' in text


def test_signs_of_the_grammar_are_written_by_number() -> None:
    text = mermaid_text([circuit("(x < 1)*y")])
    assert '"x#lt;1"' in text
    labels = re.findall(r'"([^"]*)"', text)
    assert not any(sign in label.replace("<br/>", "") for label in labels for sign in "<>`&")


def test_what_would_begin_a_list_does_not() -> None:
    text = mermaid_text([circuit("a + b")])
    (label,) = re.findall(r'\(\("(.*)"\)\)', text)
    assert not re.match(r"[-*+]|\d+\.", label)
    assert label.endswith("+")


def test_several_outputs_are_parts_of_one_chart() -> None:
    text = mermaid_text([circuit("a*b"), circuit("a + b")])
    assert text.count("flowchart") == 1
    assert text.count("subgraph") == text.count("  end") == 2
    assert "n1x0 --> n1x2" in text
    assert "n2x0 --> n2x2" in text
