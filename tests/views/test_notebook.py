"""A result in a notebook: it shows itself as table and picture."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import gradcalc
from gradcalc.views.pictures import style
from gradcalc.workspace import Options

QUOTIENT = "(a+b)/(c+d)"


class Outline(HTMLParser):
    """The elements of a page, and its texts; complains of what is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_html_holds_heading_table_and_picture() -> None:
    result = gradcalc.parse(QUOTIENT).evaluate(a=1, b=2, c=3, d=4)
    page = Outline(result._repr_html_())
    assert page.seen.count("table") == page.seen.count("svg") == 1
    assert page.seen.count("tr") == 8
    text = "".join(page.texts)
    for piece in ("(a + b)/(c + d) = 0.42857142857142855", "✓ ok", "-0.0612244898", "numerical", "verdict"):
        assert piece in text


def test_the_svg_is_the_picture_alone() -> None:
    result = gradcalc.parse(QUOTIENT).evaluate(a=1, b=2, c=3, d=4)
    svg = result._repr_svg_()
    assert svg is not None
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert svg in result._repr_html_()
    assert style.BACKWARD in svg


def test_texts_are_no_markup_and_warnings_are_told() -> None:
    result = gradcalc.parse("(x < 1)*log(x)").evaluate(x=0)
    html = result._repr_html_()
    assert "(x &lt; 1)*log(x)" in html
    assert "warning: log(x) at node" in html
    Outline(html)


def test_a_large_result_is_a_table_with_its_ends() -> None:
    source = " + ".join(f"sin({number}*x)" for number in range(100))
    result = gradcalc.parse(source).evaluate(x=1)
    assert result._repr_svg_() is None
    page = Outline(result._repr_html_())
    assert "svg" not in page.seen
    assert page.seen.count("tr") == 102
    assert any("more rows" in text for text in page.texts)
    assert not any("--all" in text for text in page.texts)
    assert any("nodes are too many for a picture here (up to 150)" in text for text in page.texts)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_dark_page_has_letters_that_can_be_read_and_no_white_block() -> None:
    html = gradcalc.parse(QUOTIENT).evaluate(a=1, b=2, c=3, d=4)._repr_html_()  # type: ignore[attr-defined]
    dark = 'body[data-jp-theme-light="false"] .gradcalc-'
    for kind in ("value", "gradient", "kink", "ok"):
        (colour,) = re.findall(re.escape(f"{dark}words .{kind}") + r"[^{}]*\{ color: (#\w+) \}", html)
        assert (luminance(colour) + 0.05) / (luminance("#111111") + 0.05) > 4.5
    assert f"{dark}picture svg {{ filter: invert(1)" in html
    assert '<div class="gradcalc-picture"' in html


def test_in_python_a_result_is_a_short_text() -> None:
    shown = repr(gradcalc.parse("f = a*b + c").evaluate(a=1, b=2, c=[1, 2]))
    assert shown == "<f = [3, 4]; gradients a 4, b 2, c [1, 1]; ok>"
    many = " + ".join(f"x{number}" for number in range(9))
    assert "and 3 more; ok>" in str(gradcalc.parse(many).evaluate(**{f"x{number}": 1 for number in range(9)}))


def test_every_way_to_a_result_leads_to_one_that_shows_itself() -> None:
    first, second = gradcalc.parse("a*b; a + b").evaluate_all({"a": 1, "b": 2}, Options(check="off"))
    bound = gradcalc.parse("e*2").evaluate(e=3)
    for result in (first, second, bound):
        assert isinstance(result, gradcalc.Result)
        assert result._repr_svg_() is not None  # type: ignore[attr-defined]


def test_a_notebook_shows_table_and_picture() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import gradcalc"),
            nbformat.v4.new_code_cell(f'gradcalc.parse("{QUOTIENT}").evaluate(a=1, b=2, c=3, d=4)'),
        ]
    )
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[1].outputs
    assert output.output_type == "execute_result"
    assert output.data["image/svg+xml"].startswith("<svg ")
    assert "<table>" in output.data["text/html"]
    assert "<svg " in output.data["text/html"]
    assert output.data["text/plain"].startswith("<(a + b)/(c + d) = 0.42857142857142855; gradients a 0.14")
