"""SVG: well-formed, self-contained, with values in green above their wires and gradients in red below them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from gradcalc.views.pictures import style
from gradcalc.views.pictures.drawing import draw
from gradcalc.views.pictures.svg import LEVEL, svg_text
from tests.views.pictures.circuits import circuit, random_circuit

NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(svg: str, kind: str) -> list[tuple[str, float, float]]:
    """The texts of a class, with their places."""
    root = ElementTree.fromstring(svg)
    return [
        (element.text or "", float(element.get("x", "0")), float(element.get("y", "0")))
        for element in root.iter(f"{NAMESPACE}text")
        if element.get("class") == kind
    ]


def test_the_circuit_that_every_reader_knows() -> None:
    source = "p=w0*x0; q=w1*x1; r=p+q; s=r+w2; t=s*(-1); u=exp(t); v=u+1; L=1/v"
    made = draw(circuit(source, w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0))
    svg = svg_text([made])
    assert [text for text, _, _ in texts(svg, "symbol")] == ["×", "×", "+", "+", "×−1", "exp", "+1", "1/x"]
    assert [text for text, _, _ in texts(svg, "name")] == ["w0", "x0", "w1", "x1", "w2", "L"]
    assert [text for text, _, _ in texts(svg, "label")] == ["p", "q", "r", "s", "t", "u", "v"]
    values = {node.part.name or node.part.symbol: node for node in made.nodes}
    assert [text for text, _, _ in texts(svg, "value")] == [
        "2", "−1", "−2", "−3", "−2", "6", "4", "−3", "1", "−1", "0.3679", "1.368", "0.7311",
    ]  # fmt: skip
    assert len(values) == 13
    for node, (value, x, y), (gradient, below_x, below_y) in zip(made.nodes, texts(svg, "value"), texts(svg, "gradient")):
        assert (value, gradient) == (node.part.value.replace("-", "−"), node.part.gradient.replace("-", "−"))
        assert node.right <= x == below_x < node.end
        assert y < node.y < below_y
    assert re.search(rf"\.value {{ fill: {style.FORWARD} }}", svg)
    assert re.search(rf"\.gradient {{ fill: {style.BACKWARD} }}", svg)


@pytest.mark.parametrize("seed", range(5))
def test_every_wire_is_a_path(seed: int) -> None:
    made = draw(random_circuit(4, 20, seed))
    root = ElementTree.fromstring(svg_text([made]))
    paths = [element for element in root.iter(f"{NAMESPACE}path") if element.get("class") == "wire"]
    assert len(paths) == len({wire.source for wire in made.wires}) + len(made.nodes)
    drawn = "".join(path.get("d", "") for path in paths)
    curves = {(wire.points[place], wire.points[place + 1]) for wire in made.wires for place in range(0, len(wire.points) - 1, 2)}
    assert drawn.count("C") == sum(abs(start[1] - end[1]) >= LEVEL for start, end in curves)


def test_nothing_is_fetched_and_nothing_runs() -> None:
    svg = svg_text([draw(circuit("a*b + c", a=1.0, b=2.0, c=3.0))])
    assert svg.count("http") == 1  # the name space
    for word in ("href", "url(", "@import", "<script", "<image", "onload"):
        assert word not in svg


def test_styles_do_not_reach_beyond_the_picture() -> None:
    svg = svg_text([draw(circuit("a*b"))])
    sheet = svg.split("<style>")[1].split("</style>")[0]
    assert all(line.startswith(".gradcalc ") for line in sheet.strip().splitlines())
    assert 'class="gradcalc"' in svg


def test_texts_of_the_user_are_no_markup() -> None:
    svg = svg_text([draw(circuit("(x < 1)*(2 > y)"))])
    root = ElementTree.fromstring(svg)
    assert "x<1" in [text for text, _, _ in texts(svg, "symbol")]
    assert root.findtext(f"{NAMESPACE}title") == "(x < 1)*(2 > y)"


def test_several_outputs_stand_below_each_other_under_their_formulas() -> None:
    first, second = draw(circuit("square(a)", a=3.0)), draw(circuit("a^2", a=3.0))
    svg = svg_text([first, second])
    root = ElementTree.fromstring(svg)
    assert [text for text, _, _ in texts(svg, "name")] == ["square(a)", "a", "a^2", "a"]
    assert float(root.get("height", "0")) > first.height + second.height
    assert float(root.get("width", "0")) >= max(first.width, second.width) - 0.1


def test_wires_that_part_have_a_dot() -> None:
    parted = ElementTree.fromstring(svg_text([draw(circuit("u = a*b; u + sin(u)"))]))
    single = ElementTree.fromstring(svg_text([draw(circuit("u = a*b; 2 + sin(u)"))]))
    counts = [sum(element.get("class") == "dot" for element in root.iter(f"{NAMESPACE}circle")) for root in (parted, single)]
    assert counts == [1, 0]


def test_the_number_of_an_input_stands_on_the_side_that_its_wire_leaves_free() -> None:
    made = draw(circuit("(V - n*b)*a/(R*T) - a*n^2/V^2"))
    marked = [wire for wire in made.wires if wire.mark]
    root = ElementTree.fromstring(svg_text([made]))
    marks = [element for element in root.iter(f"{NAMESPACE}text") if element.get("class") == "mark"]
    assert len(marks) == len(marked) > 0
    for wire, mark in zip(marked, marks):
        below = float(mark.get("y", "0")) > wire.points[-1][1]
        assert below == (wire.rise > 0) or abs(wire.rise) <= 12
