"""DOT: every part and wire, in text that Graphviz reads."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from gradcalc.dialects.dot import dot_text
from tests.views.pictures.circuits import circuit


def test_parts_and_wires() -> None:
    text = dot_text([circuit("q = x+y; f = q*z", x=-2.0, y=5.0, z=-4.0)])
    labels = re.findall(r'n(\d+) \[label="([^"]*)"', text)
    assert labels == [("0", "x"), ("1", "y"), ("2", "+\\nq"), ("3", "z"), ("4", "*\\nf")]
    assert re.findall(r"(n\w+) -> (n\w+)", text) == [("n0", "n2"), ("n1", "n2"), ("n2", "n4"), ("n3", "n4"), ("n4", "noutput")]
    assert '<font color="#0b7a37">3</font><br/><font color="#c21f2f">-4</font>' in text


def test_the_order_of_inputs_is_told_where_it_matters() -> None:
    assert re.findall(r'headlabel="(\d)"', dot_text([circuit("a/b")])) == ["1", "2"]
    assert "headlabel" not in dot_text([circuit("a*b")])


def test_without_numbers_wires_have_no_labels() -> None:
    assert "font color" not in dot_text([circuit("a*b")])


def test_several_outputs_are_parts_of_one_graph() -> None:
    text = dot_text([circuit("a*b"), circuit("a + b")])
    assert text.count("digraph") == 1
    assert "n1_0 -> n1_2" in text
    assert "n2_0 -> n2_2" in text
    assert text.count("{") == text.count("}")


def test_signs_are_escaped() -> None:
    text = dot_text([circuit("(x < 1)*[1, 2]")])
    assert 'label="x<1"' in text
    for line in text.splitlines():
        assert len(re.findall(r'(?<!\\)"', line)) % 2 == 0


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("source", ["q = x+y; q*z", "where(x < 1, x.T, -x)^2", "[1, 2]*x[0]"])
def test_graphviz_draws_it(source: str) -> None:
    done = subprocess.run(["dot", "-Tsvg"], input=dot_text([circuit(source)]).encode(), capture_output=True, check=False)
    assert done.returncode == 0
    assert not done.stderr
