"""Pages: one file that fetches nothing, holds user text safely, and says what does not fit into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcalc.errors import LimitProblem, ShapeProblem
from gradcalc.views.pictures.page import MOST_GATES, write_page
from tests.views.pictures.pages import EIGHT_GATES, EIGHT_INPUTS, NEURON, NEURON_INPUTS, data_of, formulas, page_of


def test_a_page_fetches_nothing() -> None:
    page = page_of(EIGHT_GATES, **EIGHT_INPUTS)
    assert not re.search(r"<(?:link|script|img|iframe)[^>]*\s(?:src|href)=(?![\"']data:,)", page)
    assert not re.search(r"url\(|@import|sourceMappingURL|\bfetch\(|XMLHttpRequest", page)
    assert "default-src 'none'" in page
    assert not re.findall(r"https?://(?!www\.w3\.org/)", page.replace("http://www.w3.org/2000/svg", ""))


def test_the_layout_library_comes_with_its_licence() -> None:
    page = page_of("x + 1", x="1")
    assert "Copyright (c) 2012-2014 Chris Pettitt" in page
    assert "THE SOFTWARE IS PROVIDED" in page


def test_no_placeholder_is_left() -> None:
    assert not re.search(r"\{\{\w+\}\}", page_of("x*1", x="2"))


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>.csv", "<!--<script>.csv", "a&b\u2028c.csv", "{{dagre}}.csv"])
def test_user_text_cannot_leave_its_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("1,2\n3,4\n")
    page = page_of(f'x*sum(load("{name}"))', x="2")
    assert page.count("</script>") == 3
    assert "alert(1)</script>" not in page
    assert name.replace("\u2028", "\\u2028") in data_of(page)["circuits"][0]["title"].replace("\u2028", "\\u2028")
    assert page.count("<title>") == page.count("</title>") == 1


def test_the_data_are_the_gates_with_their_insides() -> None:
    circuit = data_of(page_of(NEURON, **NEURON_INPUTS))["circuits"][0]
    gates = [item for item in circuit["items"] if item["kind"] == "gate"]
    assert [item["symbol"] for item in gates] == ["×", "×", "+", "+", "−x", "exp", "+1", "1/x", "sigmoid"]
    sigmoid = len(circuit["items"]) - 1
    assert circuit["output"] == sigmoid
    assert [item["home"] == sigmoid for item in gates] == [False] * 4 + [True] * 4 + [False]
    assert [one["name"] for one in circuit["inputs"]] == ["a", "x", "b", "y", "c"]
    assert [one["value"] for one in circuit["inputs"]] == [1, -1, 2, 3, -3]


def test_local_derivatives_are_formulas() -> None:
    operators = {
        words["name"]: words for words in data_of(page_of("h(u, v) = u*sin(v); h(x, y)/exp(x)", x="1", y="2"))["operators"]
    }
    a, b, y = "\ue000", "\ue001", "\ue0ff"
    assert operators["*"]["local"] == [b, a]
    assert operators["/"]["local"] == [f"1/{b}", f"-{a}/{b}^2"]
    assert operators["exp"]["local"] == [y]
    assert operators["h"]["local"] == [f"sin({b})", f"{a}*cos({b})"]
    assert operators["h"]["definition"] == "h(u, v) = u*sin(v)"


def test_a_range_is_what_a_slider_covers() -> None:
    inputs = data_of(page_of("x*y*z", x="0..4", y="0..1:11"))["circuits"][0]["inputs"]
    assert inputs[0] == {"name": "x", "value": 2, "low": 0, "high": 4}
    assert inputs[1] == {"name": "y", "value": 0.5, "low": 0, "high": 1, "step": 0.1}
    assert inputs[2] == {"name": "z", "value": 1, "unset": True}


def test_an_input_that_a_gate_does_not_use_has_its_value() -> None:
    inputs = data_of(page_of("f(u, v) = u; f(a, b)", a="1", b="5"))["circuits"][0]["inputs"]
    assert [(one["name"], one["value"]) for one in inputs] == [("a", 1), ("b", 5)]


def test_numbers_that_json_lacks_arrive() -> None:
    inputs = data_of(page_of("x + y", x="inf", y="nan"))["circuits"][0]["inputs"]
    assert [one["value"] for one in inputs] == ["Infinity", "NaN"]


def test_arrays_come_with_their_numbers() -> None:
    circuit = data_of(page_of("sum(softmax(x)*w)", x="[1,2,3]", w="[1,0,0]"))["circuits"][0]
    assert not circuit["scalar"]
    numbers = circuit["numbers"]
    assert len(numbers["opened"]) > len(numbers["closed"])
    x = circuit["items"][0]
    value, whole, _, gradient, shape = numbers["closed"][x["closed"]]
    assert (value, whole, shape) == ("[1, 2, 3]", "[1, 2, 3]", [3])
    assert gradient.startswith("[0.081925")


def test_several_outputs_share_a_page() -> None:
    data = data_of(page_of("a*b; a+b", a="1", b="2"))
    assert [circuit["title"] for circuit in data["circuits"]] == ["a*b", "a + b"]


def test_gates_may_be_open_at_first() -> None:
    for opened, expected in (((), False), (("sigmoid",), True), (("all",), True), (("relu",), False)):
        items = data_of(page_of(NEURON, opened=opened, **NEURON_INPUTS))["circuits"][0]["items"]
        assert [item["open"] for item in items if "open" in item] == [expected]


def test_a_graph_that_is_too_large_is_an_error_with_the_limit() -> None:
    large = formulas("\n".join(["s0 = x + 1", *(f"s{n} = s{n - 1} + x" for n in range(1, MOST_GATES + 1))]), x="1")
    with pytest.raises(LimitProblem, match="has 1,001 gates, and a page shows up to 1,000"):
        write_page(large)
    inside = ["f0(x) = x*x", *(f"f{n}(x) = f{n - 1}(f{n - 1}(x))" for n in range(1, 16)), "f15(a)"]
    with pytest.raises(LimitProblem, match="more than 20,000 gates"):
        write_page(formulas("\n".join(inside), a="1"))


def test_a_gradient_from_above_that_does_not_fit_is_an_error() -> None:
    from gradcalc.workspace import Options, Workspace

    workspace = Workspace({"x": 2.0}, Options(upstream="[1, 2]"))
    with pytest.raises(ShapeProblem, match="the gradient from above has shape 2"):
        write_page(list(workspace.formulas("x*3")), upstream=workspace.upstream)  # type: ignore[arg-type]
