"""From a gradient and numerical slopes to a verdict, on whole programs: kinks, edges, jumps, methods, large graphs."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

import gradcalc
from gradcalc.checking.differences import Slope, Slopes
from gradcalc.checking.scalars import END_TO_END
from gradcalc.checking.verdicts import VERDICTS, Check, Point, digits_agreeing, judge, worst
from gradcalc.errors import MissingExtra
from gradcalc.workspace import NodeReport, Options, Result, Workspace
from tests.catalogue import changed, gate


def result_of(text: str, check: str = "auto") -> Result:
    return next(gradcalc.parse(text).evaluate_all(options=Options(check=check)))


def first_node(text: str, check: str = "auto") -> NodeReport:
    return result_of(text, check).nodes[0]


KINKS = [
    ("x = 0; relu(x)", 0.0, (0.0, 1.0)),
    ("x = 0; abs(x)", 0.0, (-1.0, 1.0)),
    ("x = 0; max(x, 0)", 0.5, (0.0, 1.0)),
    ("x = 0; min(x, 0)", 0.5, (1.0, 0.0)),
    ("x = 0; max(x, 0, -x)", 0.0, (-1.0, 1.0)),
    ("x = 1; clip(x, -1, 1)", 1.0, (1.0, 0.0)),
    ("x = -1; clip(x, -1, 1)", 1.0, (0.0, 1.0)),
    ("x = 1; hardtanh(x)", 0.0, (1.0, 0.0)),
    ("x = -1; hardtanh(x)", 0.0, (0.0, 1.0)),
    ("x = 0; leaky_relu(x)", 0.01, (0.01, 1.0)),
    ("x = 0; elu(x, alpha=2)", 2.0, (2.0, 1.0)),
    ("x = 0; selu(x)", 1.0507009873554805 * 1.6732632423543772, (1.7580993408473766, 1.0507009873554805)),
    ("x = 0; hypot(x, 0)", 0.0, (-1.0, 1.0)),
    ("x = 1; where(x < 1, x, x^2)", 2.0, (1.0, 2.0)),
    ("x = 2; 3*abs(x - 2) + x", 1.0, (-2.0, 4.0)),
]


@pytest.mark.parametrize(("text", "gradient", "slopes"), KINKS)
def test_a_kink_is_a_kink_with_both_its_slopes(text: str, gradient: float, slopes: tuple[float, float]) -> None:
    node = first_node(text)
    assert node.verdict == "kink", node
    assert node.gradient == pytest.approx(gradient, nan_ok=True)
    assert node.slopes == pytest.approx(slopes, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("x = 0; sign(x)", 0.0),
        ("x = 2; floor(x)", 0.0),
        ("x = 2; ceil(x)", 0.0),
        ("x = 2.5; round(x)", 0.0),
        ("x = 4; x % 2", 1.0),
        ("x = 1; (x < 1) * x", 0.0),
    ],
)
def test_a_jump_is_a_kink_and_its_slope_that_of_the_convention(text: str, gradient: float) -> None:
    node = first_node(text)
    assert (node.verdict, node.gradient) == ("kink", gradient)
    assert node.slopes is not None and math.inf in map(abs, node.slopes)


def test_kinks_that_cancel_are_told_from_defects() -> None:
    node = first_node("x = 0; relu(x) - relu(-x)")
    assert node.verdict == "kink"
    assert node.gradient == 0.0
    assert node.slopes == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize(
    "text",
    [
        "x = 0; sqrt(x)",
        "x = 0; x*sqrt(x)",
        "x = 1; asin(x)",
        "x = -1; acos(x)",
        "x = 1; acosh(x)",
        "x = 0; x^1.5",
        "x = 0; sqrt(-x)",
        "y = 3; (-2)^y",
    ],
)
def test_an_edge_of_the_domain_is_an_edge(text: str) -> None:
    assert first_node(text).verdict == "edge"


@pytest.mark.parametrize(
    "text",
    [
        "x = 1e-6; log(x)",
        "x = 1e-9; 1/x",
        "x = 1e-300; log(x)",
        "x = 1000; sin(x)",
        "x = 1; sin(50*x)",
        "x = 1e6; x^2",
        "x = 1e-9; sqrt(x)",
        "x = 17; sigmoid(x)",
        "x = 20; tanh(x)",
        "x = -30; softplus(x)",
        "x = 1e300; x/2",
        "x = 1e-6; abs(x)",
        "x = 0; sin(x)",
        "x = 0; x^2",
        "x = 0; x^0",
        "x = 0; cbrt(x)^3 + x",
        "x = 1e-5; relu(x)*relu(x)",
        "x = 3; y = 2; atan2(y, -x)",
        "x = 0; exp(x)/(1 + x)",
        "x = 300; exp(x)",
        "x = 709; exp(x)",
        "x = 2; x^1000",
        "x = -2; x^3",
        "x = 5; (x > 3)*x^2",
    ],
)
def test_what_is_right_is_ok_or_at_worst_a_kink_of_its_parts(text: str) -> None:
    verdicts = {node.verdict for node in result_of(text).nodes if node.gradient is not None}
    assert verdicts <= ({"ok", "kink"} if "cbrt" in text else {"ok"}), verdicts


def test_functions_that_no_step_resolves_are_unsure_and_never_a_mismatch() -> None:
    for text in ("x = 1e12; sin(x^2)", "x = 1e-12; sin(1/x)", "x = 1e9; sin(x*x*x)", "x = 3e8; cos(exp(x/1e7))"):
        assert result_of(text).verdict in ("ok", "unsure", "kink"), text


@pytest.mark.parametrize("text", ["x = 1e-200; 1/x", "x = 1e-310; log(x)", "x = 1e-10; x*1e300*1e10"])
def test_a_gradient_beyond_floats_is_no_edge(text: str) -> None:
    node = first_node(text)
    assert (node.verdict, node.note) == ("unsure", "the gradient is beyond what floats hold")


def test_a_kink_is_explained_by_the_gate_that_has_it() -> None:
    assert first_node("x = 0; y = 0; sqrt(x^2 + y^2)").note == "sqrt: x = 0: slope inf"
    assert "so near" in first_node("x = 0.3; y = 0.1; max(x, y*3)").note


def test_what_is_not_finite_is_not_checked() -> None:
    result = result_of("x = 0; 1/x")
    assert result.verdict == "off"
    assert result.warnings


@pytest.mark.parametrize("method", ["auto", "central", "one-sided", "complex", "exact"])
def test_every_method_agrees_on_smooth_programs(method: str) -> None:
    for text in ("a = 1; b = 2; sin(a*b)/(a + b)", "x = 0.3; sigmoid(x)*exp(-x) + log(x)", "x = 2; x^x"):
        result = result_of(text, method)
        assert result.verdict == "ok", (method, text)
        for node in result.nodes:
            if node.gradient is not None:
                assert abs(node.gradient - node.numerical) <= 3 * node.error_bar + 1e-14


def test_the_complex_step_is_sharper_than_differences() -> None:
    text = "x = 1.5; exp(x)/sqrt(sin(x)^3 + cos(x)^3 + 7)"
    assert first_node(text, "complex").error_bar < 0.1 * first_node(text, "central").error_bar


def test_the_complex_step_says_where_it_is_not_lawful() -> None:
    node = first_node("x = 1.5; abs(x)*exp(x)", "complex")
    assert node.verdict == "ok"
    assert "abs is not analytic" in node.note


@pytest.mark.parametrize("text", ["x = 1e-300; x*2", "x = 1e-300; log(x)", "x = 1e300; sqrt(x)", "x = -2; x^3"])
def test_the_complex_step_is_scaled_to_the_point(text: str) -> None:
    assert first_node(text, "complex").verdict == "ok"


def test_the_complex_step_leaves_the_logarithm_of_a_negative_number_nan() -> None:
    assert result_of("x = -2; log(x)", "complex").verdict == "off"
    assert result_of("x = -2; y = 2.5; abs(x)^y", "complex").verdict == "ok"


def test_exact_settles_what_floats_cannot_tell() -> None:
    pytest.importorskip("mpmath")
    text = "x = 1e-8; (1 - cos(x))/x^2"
    assert result_of(text, "central").verdict in ("unsure", "ok")
    assert result_of("x = 0.7; erf(x)*gelu(x)", "exact").verdict == "ok"
    assert first_node("x = 0.7; sin(x)", "exact").error_bar < 1e-14
    # No step of a float's size can follow this one.
    assert result_of("x = 1; sin(1e16*x)").verdict == "unsure"
    assert result_of("x = 1; sin(1e16*x)", "exact").verdict == "ok"


def test_exact_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(MissingExtra, match="exact"):
        result_of("x = 1; sin(x)", "exact")


def test_a_small_check_does_not_load_numpy() -> None:
    script = "import sys, gradcalc; r = gradcalc.parse('a = 1; b = 2; sigmoid(a*b) + sin(a)^b').evaluate()"
    script += "; assert r.verdict == 'ok' and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


# ---- a large graph, gate by gate -------------------------------------------------------------------------------------------------


def long_program(gate_name: str = "sin") -> str:
    lines = ["x = 0.7; y = 1.1", "n0 = x*y"]
    lines += [f"n{i} = {gate_name}(n{i - 1}) + y*0.5" for i in range(1, END_TO_END // 2)]
    return "\n".join(lines)


@pytest.mark.parametrize(("x", "verdict"), [(-1.0, "ok"), (0.0, "kink"), (1.0, "ok")])
def test_what_only_decides_is_probed_in_middling_graphs_too(x: float, verdict: str) -> None:
    terms = " + ".join(f"sin(y*{number})" for number in range(1, 80))
    (result,) = Workspace({"x": x, "y": 2.0}, Options(wrt=("x",))).answers(f"where(x < 0, {terms}, y)")
    assert isinstance(result, Result)
    assert (result.verdict, result.gradients["x"]) == (verdict, 0.0)


def test_a_large_graph_is_checked_gate_by_gate_and_says_so() -> None:
    result = result_of(long_program())
    assert len(result.nodes) > END_TO_END
    assert result.verdict == "ok"
    assert "gate by gate" in result.remarks[0]


def test_a_spoiled_gate_is_found_in_a_large_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    import gradcalc.gates.record as record
    from tests.catalogue import spoiled

    bad = spoiled(gate("tanh"), 0)
    monkeypatch.setitem(record.REGISTRY._gates, "tanh", (bad,))
    result = result_of(long_program("sin") + f"\nz = tanh(n{END_TO_END // 2 - 1}) * x")
    assert result.verdict == "mismatch"
    blamed = [node.gate for node in result.nodes if node.verdict == "mismatch"]
    assert blamed == ["tanh"]


def test_a_pole_closer_than_the_steps_is_no_mismatch_in_a_large_graph() -> None:
    text = long_program("sin") + f"\nz = log(x*1e-300) + n{END_TO_END // 2 - 1}"
    assert result_of(text).verdict in ("ok", "unsure", "edge")


def test_a_gradient_that_the_gates_do_not_make_is_a_mismatch() -> None:
    """Every rule is right, and the gradient is not: a defect of whatever put it together."""
    from gradcalc.checking.scalars import check_nodes
    from gradcalc.engine import scalar
    from tests.catalogue import chain

    graph = chain(("sin", 0), ("*", 1, 0), ("exp", 2))
    values = scalar.forward(graph, [0.7])
    gradients = scalar.backward(graph, values, 3)
    assert check_nodes(graph, values, gradients, [0])[0].verdict == "ok"
    gradients[0] *= 1.0 + 1e-6
    found = check_nodes(graph, values, gradients, [0])[0]
    assert found.verdict == "mismatch"
    assert "rules of the gates" in found.note


def test_a_kink_in_a_large_graph_is_a_kink() -> None:
    result = result_of(long_program("cos") + f"\nz = abs(x - 0.7) + n{END_TO_END // 2 - 1}")
    assert result.verdict == "kink"


# ---- arrays ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = [1, 2, 3]; sum(x*x)",
        "x = [[1, 2], [3, 4]]; w = [0.5, -1]; sum(sin(x@w))",
        "x = [[1, 2], [3, 4]]; mean(exp(x.T/3), axis=0)",
        "x = [1, 2, 3]; y = 2; x[1:]*y",
        "x = [0.5, 2]; b = [[1], [2]]; x*b + x",
        "x = [[1, 2], [3, 4]]; reshape(x, 4)[::2]",
        "a = 1; b = 2; sum([a, b, a*b])",
    ],
)
def test_right_gradients_of_arrays_are_ok(text: str) -> None:
    result = result_of(text)
    assert result.verdict == "ok"
    for node in result.nodes:
        if node.gradient is not None and node.shape:
            assert node.numerical.shape == node.gradient.shape == node.shape


def test_a_gradient_of_which_rounding_leaves_nothing_is_no_mismatch() -> None:
    """The sum of x is zero but for rounding, and so is the gradient at b: nobody can tell its digits."""
    assert result_of("b = 2; x = [0.1, 0.2, -0.3]; sum(b*x)").verdict in ("ok", "unsure")
    assert result_of("W = [[0.5], [2]]; x = [[0.1, 1], [0.2, 3], [-0.3, 5]]; sum(x@W)").verdict in ("ok", "unsure")


def test_kinks_and_edges_are_told_in_arrays() -> None:
    assert first_node("x = [-1, 0, 2]; relu(x)").verdict == "kink"
    assert first_node("x = [1, 0]; sqrt(x)").verdict == "edge"


def test_a_spoiled_rule_of_a_product_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import gradcalc.gates.record as record

    for name in ("@", "sum", "mean", "transpose", "[]"):
        good = gate(name, 2 if name == "@" else 1)

        def pullback(*terms: object, good: object = good, **attributes: object) -> tuple[object, ...]:
            return tuple(part * 1.000001 for part in good.pullback(*terms, **attributes))  # type: ignore[attr-defined]

        with monkeypatch.context() as patch:
            patch.setitem(record.REGISTRY._gates, name, (changed(good, pullback=pullback), *record.REGISTRY[name][1:]))
            text = {"@": "x@W", "sum": "sum(x)", "mean": "mean(x, axis=0)", "transpose": "x.T", "[]": "x[1, :]"}[name]
            result = result_of(f"x = [[1, 2], [3, 4.5]]; W = [[1, 0.5], [-2, 3]]; sin({text})*2")
            assert result.verdict == "mismatch", name


def test_large_arrays_are_checked_at_elements_drawn() -> None:
    import numpy

    result = gradcalc.parse("sum(sin(x)*w)").evaluate(x=numpy.linspace(-1, 1, 500), w=numpy.ones(500))
    assert result.verdict == "ok"
    assert any("48" in remark for remark in result.remarks)
    drawn = numpy.isfinite(result.nodes[0].numerical)
    assert drawn.sum() == 48


# ---- judge and its helpers -------------------------------------------------------------------------------------------------------


def smooth(value: float, bar: float) -> Slopes:
    slope = Slope(value, bar, True)
    return Slopes(slope, slope, slope)


def test_a_verdict_compares_the_difference_with_the_error_bar() -> None:
    point = Point(trust=0.0, size=1.0, singular="")
    assert judge(1.0, smooth(1.0 + 2e-9, 1e-9), point).verdict == "ok"
    assert judge(1.0, smooth(1.0 + 5e-9, 1e-9), point).verdict == "mismatch"
    assert judge(1.0, smooth(1.0 + 5e-9, 1e-9), point._replace(trust=1e-8)).verdict == "ok"
    assert judge(1.0, smooth(1.1, 0.2), point).verdict == "unsure"
    assert judge(1.0, smooth(1.1, 1e-9), point._replace(singular="abs: x = 0")).verdict == "kink"


def test_the_worst_verdict_counts() -> None:
    assert VERDICTS == ("off", "ok", "kink", "edge", "unsure", "mismatch")
    assert worst(["ok", "kink", "off"]) == "kink"
    assert worst(["edge", "mismatch", "ok"]) == "mismatch"
    assert worst([]) == "off"


def test_digits_that_agree() -> None:
    assert digits_agreeing(1.0, 1.0 + 1e-9, 1e-12) in (8, 9)
    assert digits_agreeing(1.0, 1.0, 1e-6) == 6
    assert digits_agreeing(0.0, 0.0, 0.0) == 16
    assert digits_agreeing(1.0, -1.0, 0.0) == 0
    assert digits_agreeing(math.inf, 1.0, 0.0) is None
    assert isinstance(Check(1.0, 0.0, "ok"), Check)
