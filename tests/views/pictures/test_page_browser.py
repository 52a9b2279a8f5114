"""Pages in a real browser: passes played, gates looked into and opened, inputs changed, by mouse, keyboard and touch."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.views.pictures.page import write_page
from tests.programs import random_program
from tests.views.pictures.pages import EIGHT_GATES, EIGHT_INPUTS, NEURON, NEURON_INPUTS, formulas, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Opener = Callable[..., "Page"]
CHAIN = "q = x+y; f = q*z"
CHAIN_INPUTS = {"x": "-2", "y": "5", "z": "-4"}


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens the page of a program from a file; no request may leave it, and no error may occur in it."""
    troubles: list[str] = []
    pages: list[Page] = []

    def opened(program: str, values: dict[str, str], width: int = 1280, height: int = 800, **context: Any) -> Page:
        file = tmp_path / f"{len(pages)}.html"
        file.write_text(page_of(program, **values), "utf-8")
        page = browser.new_page(viewport={"width": width, "height": height}, **({"reduced_motion": "reduce"} | context))
        pages.append(page)
        page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.goto(file.as_uri())
        wait(page, "Boolean(window.gradcalc && gradcalc.picture.layout)")
        return page

    yield opened
    for page in pages:
        page.close()
    assert troubles == []


def wait(page: Page, condition: str) -> None:
    """Until a condition holds. (The page forbids what Playwright's own way of waiting needs: programs made of texts.)"""
    for _ in range(1000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(condition)


def node(name: str) -> str:
    """The selector of a named node or input in the picture."""
    return f'#picture .node[aria-label^="{name},"], #picture .node[aria-label^="input {name},"]'


def shown(page: Page, name: str) -> tuple[str, str]:
    """Value and gradient that stand at a wire."""
    found = page.locator(node(name)).first
    return found.locator("text.value").text_content() or "", found.locator("text.gradient").text_content() or ""


def card(page: Page) -> str:
    return " ".join(page.locator("#card").inner_text().split())


# ---- the picture -----------------------------------------------------------------------------------------------------------------


def test_values_stand_above_and_gradients_below_every_wire(show: Opener) -> None:
    page = show(EIGHT_GATES, EIGHT_INPUTS)
    expected = {
        "w0": ("2", "−0.1966"), "x0": ("−1", "0.3932"), "w1": ("−3", "−0.3932"), "x1": ("−2", "−0.5898"), "w2": ("−3", "0.1966"),
        "p": ("−2", "0.1966"), "q": ("6", "0.1966"), "r": ("4", "0.1966"), "s": ("1", "0.1966"), "t": ("−1", "−0.1966"),
        "u": ("0.3679", "−0.5344"), "v": ("1.368", "−0.5344"), "L": ("0.7311", "1"),
    }  # fmt: skip
    assert {name: shown(page, name) for name in expected} == expected
    boxes = {kind: page.locator(f"{node('r')} >> text.{kind}").bounding_box() for kind in ("value", "gradient")}
    assert boxes["value"] and boxes["gradient"]
    assert boxes["value"]["y"] + boxes["value"]["height"] <= boxes["gradient"]["y"] + 4
    symbols = page.locator("#picture .gate .symbol").all_text_contents()
    assert sorted(symbols) == sorted(["×", "×", "+", "+", "×−1", "exp", "+1", "1/x"])


def test_inputs_stand_from_top_to_bottom_as_they_are_written(show: Opener) -> None:
    page = show(EIGHT_GATES, EIGHT_INPUTS)
    heights = [page.locator(node(name)).first.bounding_box() for name in ("w0", "x0", "w1", "x1", "w2")]
    assert [box["y"] for box in heights if box] == sorted(box["y"] for box in heights if box)


def test_nothing_lies_upon_another(show: Opener) -> None:
    program = (
        "; ".join(f"h{j} = tanh({' + '.join(f'w{j}{i}*x{i}' for i in range(4))} + b{j})" for j in range(4)) + "; h0*h1 + h2*h3"
    )
    page = show(program, {})
    overlaps = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll("#picture .node .hit")].filter((hit) => !hit.closest(".badge"))
            .map((hit) => hit.getBoundingClientRect());
          return boxes.flatMap((a, i) => boxes.slice(0, i).filter((b) =>
            a.left + 6 < b.right && b.left + 6 < a.right && a.top + 6 < b.bottom && b.top + 6 < a.bottom)).length;
        }"""
    )
    assert overlaps == 0


def test_a_thousand_gates_are_there_after_a_while(show: Opener) -> None:
    program = "\n".join(["s0 = x + 1", *(f"s{n} = s{n - 1}*x + {n}" for n in range(1, 500))])
    page = show(program, {"x": "0.5"})
    assert page.locator("#picture .node").count() == 1000
    assert page.locator("#stage").get_attribute("aria-busy") is None


# ---- passes ----------------------------------------------------------------------------------------------------------------------


def test_the_passes_are_stepped_through_by_buttons(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    assert shown(page, "f") == ("−12", "1")
    page.click("#first")
    assert [shown(page, name) for name in "xyzqf"] == [("−2", ""), ("5", ""), ("−4", ""), ("", ""), ("", "")]
    page.click("#next")
    assert page.inner_text("#caption") == "forward 1/2 q = x + y = −2 + 5 = 3"
    assert (shown(page, "q"), shown(page, "f")) == (("3", ""), ("", ""))
    page.click("#next")
    assert (shown(page, "q"), shown(page, "f")) == (("3", ""), ("−12", ""))
    page.click("#next")
    assert "The derivative of f by itself is 1" in page.inner_text("#caption")
    assert shown(page, "f") == ("−12", "1")
    page.click("#next")
    assert page.inner_text("#caption") == "backward 1/2 To f comes 1; on goes 1 · (−4) = −4 to q, 1 · 3 = 3 to z."
    assert [shown(page, name)[1] for name in "xyzq"] == ["", "", "3", "−4"]
    page.click("#back")
    assert shown(page, "z") == ("−4", "")
    page.click("#last")
    assert [shown(page, name)[1] for name in "xyzq"] == ["−4", "−4", "3", "−4"]
    assert page.is_disabled("#next")


def test_captions_name_what_goes_into_a_gate(show: Opener) -> None:
    page = show("s = a*x + b*y + c; f = sigmoid(s)", {"a": "2", "x": "0", "b": "2", "y": "3", "c": "-3"})
    page.fill("#timeline", "4")
    assert page.inner_text("#caption") == "forward 4/5 s = (a·x + b·y) + c = 6 + (−3) = 3"
    long = " + ".join(f"weight{number}*value{number}" for number in range(4))
    page = show(f"s = ({long})*a/u", {})
    page.fill("#timeline", "8")
    caption = page.inner_text("#caption")
    letter = caption.split(", with ")[1].split(" = ")[0]
    assert letter not in ("a", "u", "s")
    assert f"{letter}·a = 4·1 = 4, with {letter} = weight0·value0" in caption


def test_the_last_step_is_told_too(show: Opener) -> None:
    page = show("a*b", {"a": "2", "b": "3"})
    assert page.inner_text("#caption").startswith("Both passes are done: play them")
    page.click("#first")
    for _ in range(3):
        page.click("#next")
    assert (
        page.inner_text("#caption") == "backward 1/1 To a·b comes 1; on goes 1 · 3 = 3 to a, 1 · 2 = 2 to b. Both passes are done."
    )
    assert page.locator("#picture .node.now.back").count() == 1
    page.click("#last")
    assert page.inner_text("#caption").startswith("Both passes are done: play them")
    assert page.locator("#picture .node.now").count() == 0


def test_play_runs_to_the_end_and_stops_where_it_is_paused(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS, reduced_motion="no-preference")
    page.select_option("#speed", "0.2")
    page.click("#play")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    wait(page, "gradcalc.player.at >= 2")
    page.click("#play")
    stopped = page.evaluate("gradcalc.player.at")
    page.wait_for_timeout(600)
    assert page.evaluate("gradcalc.player.at") == stopped
    page.click("#play")
    wait(page, "gradcalc.player.ended && !gradcalc.playing")
    assert page.get_attribute("#play", "aria-label") == "Play"
    assert shown(page, "x") == ("−2", "−4")


def test_the_timeline_leads_to_any_step(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    page.fill("#timeline", "1")
    assert (shown(page, "q"), shown(page, "f")) == (("3", ""), ("", ""))
    page.fill("#timeline", "5")
    assert shown(page, "x") == ("−2", "−4")


def test_where_a_wire_parts_gradients_add_up(show: Opener) -> None:
    page = show("a = x*x; b = 3*x; a + b", {"x": "2"})
    page.hover(node("x"))
    assert "the gradients add up: 2 + 2 + 3 = 7" in card(page)
    page.click("#first")
    for _ in range(6):
        page.click("#next")
    parts = [text for text in page.locator("#picture .part").all_text_contents() if text]
    assert parts == ["3"]
    assert shown(page, "x")[1] == ""


def test_a_branch_that_is_not_taken_hands_nothing_back(show: Opener) -> None:
    page = show("where(x < 0, x, sqrt(x))", {"x": "-4"})
    assert page.locator("#picture .wire.dead").count() == 2
    assert shown(page, "x") == ("−4", "1")
    assert "nothing" in card(page)


# ---- gates -----------------------------------------------------------------------------------------------------------------------


def test_pointing_at_a_gate_shows_formula_local_derivatives_and_numbers(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    page.hover(node("q"))
    text = card(page)
    assert "q sum" in text
    assert "q = x + y" in text
    assert "value 3 gradient −4" in text
    assert "x −2 1 −4" in text
    page.hover(node("f"))
    assert "q 3 z = −4 −4" in card(page)
    assert "z −4 q = 3 3" in card(page)
    page.mouse.move(10, 70)
    page.click(node("q"))
    page.mouse.move(10, 70)
    assert "q sum" in card(page)


def test_a_quotient_has_the_derivative_that_books_have(show: Opener) -> None:
    page = show("r = 1/u", {"u": "2"})
    assert "−1/u^2 = −0.25" in card(page)
    page = show("cross_entropy(p, t)", {"p": "[0.5, 0.5]", "t": "[1, 0]"})
    assert "Gives each probability −t/p" in card(page)
    assert "cross-entropy" in card(page)


def test_all_digits_are_in_the_card(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS)
    assert "0.8807970779778823" in card(page)
    page.hover(node("b"))
    assert "0.314980756210519" in card(page)


def test_a_composed_gate_opens_into_its_gates_and_closes(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS, reduced_motion="no-preference")
    before = page.locator("#picture .node").count()
    page.click("#picture .node .badge")
    wait(page, "!gradcalc.picture.moving")
    assert page.locator("#picture .group .title").text_content() == "sigmoid"
    assert page.locator("#picture .node").count() == before + 3
    assert page.locator("#picture .group .box").is_visible()
    assert [text for text in page.locator("#picture .gate .symbol").all_text_contents() if text in ("−x", "exp", "+1", "1/x")]
    assert shown(page, "c") == ("−3", "0.105")
    page.click("#picture .group .badge")
    wait(page, "!gradcalc.picture.moving")
    assert page.locator("#picture .node").count() == before
    assert page.locator("#picture .group").count() == 0


def test_user_gates_open_and_what_is_inside_opens_too(show: Opener) -> None:
    page = show("g(u) = u*sigmoid(u); h(v) = g(v) + g(2*v); f = h(x)^2", {"x": "1"})
    page.hover('#picture .openable[aria-label*="h(x)"]')
    assert "made of h(v) = g(v) + g(2·v)" in card(page)
    page.click("#open-all")
    assert page.locator("#picture .group").count() == 5
    assert page.inner_text("#open-all") == "close all"
    value, gradient = shown(page, "f"), shown(page, "x")
    page.click("#open-all")
    assert page.locator("#picture .group").count() == 0
    assert (shown(page, "f"), shown(page, "x")) == (value, gradient)


def test_a_closed_user_gate_has_a_local_derivative(show: Opener) -> None:
    page = show("h(u, v) = u*sin(v); r = h(x, y)", {"x": "2", "y": "0"})
    assert "sin(y) = 0 0" in card(page)
    assert "x·cos(y) = 2 2" in card(page)


def test_opening_a_gate_in_mid_pass_keeps_the_place(show: Opener) -> None:
    page = show("s = sigmoid(x); s*x", {"x": "1"})
    page.fill("#timeline", "1")
    page.click("#picture .badge")
    wait(page, "gradcalc.circuit.open.size === 1")
    assert page.evaluate("gradcalc.player.at") == 4
    assert page.locator("#picture .group .title").text_content() == "s = sigmoid"
    page.keyboard.press("a")
    assert page.evaluate("gradcalc.player.at") == 1


# ---- inputs ----------------------------------------------------------------------------------------------------------------------


def test_a_slider_changes_values_and_gradients(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    page.locator('#inputs input[type="range"]').first.fill("1")
    assert shown(page, "x") == ("1", "−4")
    assert shown(page, "q") == ("6", "−4")
    assert shown(page, "f") == ("−24", "1")
    assert shown(page, "z") == ("−4", "6")
    assert page.input_value("#box0") == "1"
    assert page.inner_text("#result") == " = −24"
    page.click("#reset")
    assert shown(page, "f") == ("−12", "1")
    assert page.is_hidden("#reset")


def test_a_slider_is_moved_by_the_keyboard(show: Opener) -> None:
    page = show("x^2", {"x": "0..4"})
    slider = page.locator('#inputs input[type="range"]')
    slider.focus()
    page.keyboard.press("End")
    assert shown(page, "x") == ("4", "8")
    page.keyboard.press("Home")
    assert shown(page, "x") == ("0", "0")
    assert page.evaluate("gradcalc.player.ended")


def test_the_box_takes_any_number_and_the_slider_gives_way(show: Opener) -> None:
    page = show("x^2", {"x": "2"})
    page.fill("#box0", "1e3")
    assert shown(page, "x") == ("1000", "2000")
    assert page.evaluate("Number(document.querySelector('#inputs input[type=range]').max)") == 1000
    page.fill("#box0", "-0.25")
    assert shown(page, "x") == ("−0.25", "−0.5")
    page.fill("#box0", "")
    assert shown(page, "x") == ("−0.25", "−0.5")
    page.click("#reset")
    assert page.evaluate("(({ min, max, value }) => [min, max, value])(document.querySelector('#inputs input[type=range]'))") == [
        "-5",
        "5",
        "2",
    ]


def test_inputs_without_a_value_begin_at_one_and_it_is_said(show: Opener) -> None:
    page = show("a*b + c", {"b": "2"})
    assert "a, c had no value: 1 to begin with." in page.inner_text("#inputs")
    assert page.inner_text("#result") == " = 3"


def test_circuits_of_arrays_have_no_sliders_and_say_so(show: Opener) -> None:
    page = show("sum(softmax(x)*k)", {"x": "[1,2,3]", "k": "2"})
    assert page.locator("#inputs input").count() == 0
    assert "sliders are for circuits of numbers" in page.inner_text("#caption")
    assert shown(page, "x")[0] == "[1, 2, 3]"
    page.hover('#picture .gate[aria-label^="softmax(x),"]')
    assert "local derivative" not in card(page)
    page.hover('#picture .gate[aria-label^="softmax(x)·k,"]')
    assert "local derivative" in card(page)
    page.click("#picture .badge")
    wait(page, "gradcalc.circuit.open.size === 1")
    assert page.locator("#picture .group").count() == 1
    page.click("#first")
    page.click("#next")
    assert "forward 1/" in page.inner_text("#caption")


def test_one_of_several_outputs_is_chosen(show: Opener) -> None:
    page = show("a*b; a+b", {"a": "3", "b": "4"})
    assert page.inner_text("#result") == " = 12"
    page.select_option("#outputs", "1")
    assert page.inner_text("#result") == " = 7"


@pytest.mark.parametrize("program", ["1 + 1", "x", "f(u, v) = u; f(a, b)*floor(a)"])
def test_odd_programs_are_shown_too(show: Opener, program: str) -> None:
    page = show(program, {})
    for key in ("Home", "ArrowRight", "a", "End"):
        page.keyboard.press(key)
    assert page.inner_text("#result").startswith(" = ")


# ---- keyboard, colours, small screens --------------------------------------------------------------------------------------------


def test_the_keyboard_plays_and_walks_along_the_wires(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("gradcalc.player.at") == 1
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("gradcalc.player.at") == 0
    page.keyboard.press("End")
    page.focus('#picture [tabindex="0"]')
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused).startswith("f, product")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "q, sum, value 3, gradient −4"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "input x, value −2, gradient −4"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "input y, value 5, gradient −4"
    assert "y input" in card(page)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("q, sum")
    assert page.evaluate("gradcalc.player.ended")
    page.keyboard.press("Space")
    assert page.evaluate("gradcalc.playing")
    page.keyboard.press("Space")
    assert not page.evaluate("gradcalc.playing")


def test_the_keyboard_opens_and_closes_gates(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS)
    page.focus("#picture .openable")
    page.keyboard.press("Enter")
    assert page.evaluate("gradcalc.circuit.open.size") == 1
    assert page.evaluate("document.activeElement.closest('#picture') !== null")
    for size in (0, 1, 0):
        page.keyboard.press("a")
        assert page.evaluate("gradcalc.circuit.open.size") == size
        assert page.evaluate("document.activeElement.closest('#picture') !== null")


def test_keys_that_are_typed_into_a_box_are_numbers(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS)
    page.focus("#box0")
    page.keyboard.press("Control+A")
    page.keyboard.type("-10")
    assert page.input_value("#box0") == "-10"
    assert page.evaluate("gradcalc.player.ended && gradcalc.circuit.open.size === 0 && gradcalc.theme === 'auto'")


def test_help_tells_the_keys(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    assert "play or pause" in page.inner_text("#keys")
    page.keyboard.press("Escape")
    assert page.is_hidden("#keys")


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_are_readable(show: Opener, scheme: str) -> None:
    page = show(CHAIN, CHAIN_INPUTS, color_scheme=scheme)
    colour = "(([selector, name]) => getComputedStyle(document.querySelector(selector))[name])"
    ground = luminance(page.evaluate(colour, ["#stage", "backgroundColor"]))
    assert (ground > 0.5) == (scheme == "light")
    for kind in ("value", "gradient", "symbol", "name"):
        ink = luminance(page.evaluate(colour, [f"#picture text.{kind}", "fill"]))
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, kind


def test_the_button_turns_the_colours(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS, color_scheme="light")
    ground = "getComputedStyle(document.querySelector('#stage')).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) == light
    page.click("#theme")
    assert luminance(page.evaluate(ground)) < 0.1
    page.click("#theme")
    assert page.evaluate(ground) == light


def test_a_phone_has_everything_within_its_width(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS, 360, 740, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('#picture').classList.contains('upright')")
    for selector in ("#play", "#timeline", "#theme", "#box4", "#card table"):
        page.locator(selector).scroll_into_view_if_needed()
        box = page.locator(selector).bounding_box()
        assert box and box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    for selector in ("#play", "#next", "#theme"):
        box = page.locator(selector).bounding_box()
        assert box and min(box["width"], box["height"]) >= 40
    page.evaluate("scrollTo(0, 0)")
    page.tap(node("c"))
    assert "c input" in card(page)
    page.tap("#picture .badge")
    assert page.evaluate("gradcalc.circuit.open.size") == 1


def test_on_a_phone_nothing_covers_the_picture_or_cuts_the_title(show: Opener) -> None:
    page = show("year = relu(a*x); year; sigmoid(b)", {}, 360, 740)
    assert page.evaluate("document.querySelector('#title').scrollWidth <= document.querySelector('#title').clientWidth + 1")
    page.click("#open-all")
    bottoms = "(id) => document.querySelector(id).getBoundingClientRect()"
    bar, picture = page.evaluate(f"({bottoms})('.zoom').top"), page.evaluate(f"({bottoms})('#picture').bottom")
    assert picture <= bar
    assert page.evaluate(f"({bottoms})('.buttons').top - ({bottoms})('#caption').bottom") >= 4


def test_with_reduced_motion_nothing_moves(show: Opener) -> None:
    page = show(NEURON, NEURON_INPUTS)
    page.click("#picture .badge")
    assert not page.evaluate("gradcalc.picture.moving")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator("#picture .pulse").count() == 0


def test_something_runs_along_the_wires_of_a_step(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS, reduced_motion="no-preference")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator("#picture .pulse.forward").count() == 2


def test_wheel_and_drag_move_the_picture_and_zero_shows_all_again(show: Opener) -> None:
    page = show(CHAIN, CHAIN_INPUTS)
    before = page.evaluate("({...gradcalc.picture.view})")
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -300)
    wait(page, f"gradcalc.picture.view.scale > {before['scale']}")
    page.mouse.move(60, 620)
    page.mouse.down()
    page.mouse.move(160, 560, steps=4)
    page.mouse.up()
    moved = page.evaluate("({...gradcalc.picture.view})")
    assert not math.isclose(moved["x"], before["x"])
    page.keyboard.press("0")
    assert page.evaluate("({...gradcalc.picture.view})") == before


# ---- numbers ---------------------------------------------------------------------------------------------------------------------

NUMBERS = """(open) => {
  const { circuit } = gradcalc;
  circuit.setAllOpen(open);
  const plain = (value) => String(value).replace("Infinity", "inf");
  const gradient = (id) => (circuit.wanted[id] ? plain(circuit.gradient[id]) : null);
  return circuit.steps.filter((id) => circuit.items[id].kind !== "port").map((id) =>
    [circuit.items[id][open ? "opened" : "closed"], plain(circuit.value[id]), gradient(id)]);
}"""

AT_THE_EDGE = {
    "a power of a root": ("sqrt(x)^2 + hypot(x, y)*where(x < 1, x, sqrt(x))", {"x": "0", "y": "0"}),
    "a tie": ("max(x, y) + abs(x) + relu(x) + hardtanh(x + 1) + clip(y, 0, 1)", {"x": "0", "y": "0"}),
    "no power": ("hypot(x, y) + (x*y)^z", {"x": "0", "y": "0", "z": "0"}),
    "saturated": ("sigmoid(a*x + b*y + c)", {"a": "1", "b": "2", "c": "3", "x": "4", "y": "5"}),
    "overflow": ("softplus(exp(x)) + log(cosh(x))", {"x": "800"}),
}


def compare(page: Page, program: str, values: dict[str, str], precision: float) -> int:
    """Compare every number of a page with the engine's, with all gates closed and all gates open; how many there were."""
    from gradcalc.calculus.nest import nest
    from gradcalc.views.pictures.page import _any_body

    (formula,) = formulas(program, **values)
    written = formula.written
    assert written is not None
    page.set_content(write_page([formula]))
    found = nest(written.program.graph, written.node, written.first, _any_body, 10_000)
    count = 0
    for opened, graph in ((False, found.closed), (True, found.opened)):
        evaluation = evaluate(graph, [written.value(number) for number in found.numbers])
        backpropagate(evaluation)
        needed = graph.reached([len(graph) - 1])
        for place, value, gradient in page.evaluate(NUMBERS, opened):
            if place < 0 or not needed[place]:
                continue
            expected = evaluation.gradients[place] if evaluation.wanted[place] else None
            for own, engines in ((value, evaluation.values[place]), (gradient, expected)):
                assert (own is None) == (engines is None), (program, opened, place)
                if own is None or math.isnan(engines):
                    continue
                scale = max(abs(engines), abs(float(own)))
                assert float(own) == engines or abs(float(own) - engines) <= precision * scale, (program, opened, place)
                count += 1
    return count


@pytest.mark.parametrize("name", AT_THE_EDGE)
def test_numbers_at_kinks_and_edges_are_the_engines(browser: Browser, name: str) -> None:
    page = browser.new_page()
    assert compare(page, *AT_THE_EDGE[name], 1e-12) > 5
    page.close()


def test_numbers_of_random_programs_are_the_engines(browser: Browser) -> None:
    page = browser.new_page()
    count = 0
    for number in range(40):
        program = random_program(random.Random(f"page {number}"))
        if "%" not in program and "floor" not in program:  # at whose jumps the last digit decides
            count += compare(page, program, {}, 1e-9)
    assert count > 1000
    page.close()
