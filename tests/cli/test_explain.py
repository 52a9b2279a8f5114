"""`gradcalc explain`, and `--conventions`: what a person reads, what goes into notes, and what programs get."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.harness import Answer, run

CHAIN = ("q = x+y; f = q*z", "--x", "-2", "--y", "5", "--z", "-4")


def explain(*arguments: str, terminal: bool = False) -> Answer:
    return run("explain", *arguments, terminal=terminal)


def test_a_chain_as_it_is_worked_out_on_paper() -> None:
    answer = explain(*CHAIN)
    assert answer.status == 0
    assert (
        answer.out
        == """\
f = -12

Forward: every gate computes its value from those of its inputs.
  x                  = -2
  y                  = 5
  q = x + y = -2 + 5 = 3
  z                  = -4
  f = q*z   = 3*(-4) = -12

Backward: from f to the inputs, every gate hands on the gradient from above times its local derivative.

  f = q*z   gradient 1 (it is the output)
    Swaps the factors: each input gets the gradient times the other input.
    ∂f/∂q = z = -4    q gets 1·(-4) = -4
    ∂f/∂z = q = 3     z gets 1·3 = 3

  q = x + y   gradient -4
    Hands the gradient on, unchanged, to both inputs.
    ∂q/∂x = 1    x gets -4·1 = -4
    ∂q/∂y = 1    y gets -4·1 = -4

Gradients of f
  x  -4
  y  -4
  z  3
"""
    )


def test_where_paths_meet_there_is_a_sum() -> None:
    out = explain("sin(x^2)*x", "--x", "2").out
    assert "  x  -0.756802 + (-5.22915) = -5.98595 (the sum over its 2 paths, through f and v1)\n" in out


def test_the_example_with_two_paths() -> None:
    out = explain("-f", "examples/33-two-paths.gc").out
    assert "∂q/∂x = 2*x = 6" in out
    assert "x  -3 + 18 + (-12) = 3 (the sum over its 3 paths, through f, q and p)" in out


def test_each_kind_of_gate_is_explained_once() -> None:
    out = explain("a*b + c*d", "--a", "1", "--b", "2", "--c", "3", "--d", "4").out
    assert out.count("Swaps the factors") == 1


def test_digits_wrt_and_open() -> None:
    out = explain("sigmoid(x)*y", "--x", "1", "--y", "2", "--digits", "3", "--wrt", "x", "--open", "sigmoid").out
    assert "v4 = 1/v3" in out
    assert "0.368" in out and "0.3679" not in out
    assert "y gets" not in out


def test_kinks_say_which_convention_is_followed() -> None:
    out = explain("relu(x)*3", "--x", "0").out
    assert "∧ kink: x = 0: slope 0" in out
    assert "x gets nothing" in out


def test_conventions_tell_the_answers_of_others() -> None:
    for answer in (explain("abs(x)", "--x", "0", "--conventions"), run("abs(x)", "--x", "0", "--conventions")):
        assert answer.status == 0
        assert "abs has a kink here (x = 0: slope 0)" in answer.out
        head, row = answer.out.splitlines()[-2:]
        told = dict(zip(re.split(r" {2,}", head.strip()), row.split(), strict=True))
        assert told["gradcalc"] == "0" and told["JAX"] == "1" and told["PyTorch"] == "0"
        assert (told["left"], told["right"]) == ("-1", "1")


def test_conventions_without_a_kink() -> None:
    out = run("x^2", "--x", "1", "--conventions").out
    assert "No gate is at a kink or an edge here" in out


def test_conventions_as_json_and_where_they_have_no_form() -> None:
    answer = run("max(x, 0)", "--x", "0", "--conventions", "--format", "json")
    (kink,) = json.loads(answer.out)["conventions"]
    assert kink["inputs"][0]["gradcalc"] == 0.5
    assert kink["inputs"][0]["PyTorch clamp"] == 1.0
    for arguments in (["--format", "csv"], ["--value"], ["--mode", "forward"]):
        refused = run("abs(x)", "--x", "0", "--conventions", *arguments)
        assert refused.status == 2, arguments
        assert refused.out == ""


def test_the_example_of_kinks() -> None:
    out = run("-f", "examples/34-kinks.gc", "--conventions").out
    assert [name for name in ("abs", "max", "relu") if f"{name} has a" in out] == ["abs", "max", "relu"]


def test_arrays_are_explained_by_formulas() -> None:
    out = explain("sum(tanh(x @ w))", "--x", "[[1, 2], [3, 4]]", "--w", "[0.1, -0.1]").out
    assert "w gets x.T @ ∂f/∂v1" in out
    assert "v2 gets 1, repeated" in out


def test_an_array_output_is_the_sum_of_its_elements() -> None:
    assert "these are the gradients of the sum of its elements" in explain("x^2", "--x", "[1, 2]").out


def test_json_has_every_step() -> None:
    told = json.loads(explain(*CHAIN, "--format", "json").out)
    assert [step["name"] for step in told["forward"]] == ["x", "y", "q", "z", "f"]
    first = told["backward"][0]["hands_on"][0]
    assert first == {"to": "q", "from_above": 1.0, "local_derivative": "z", "slope": -4.0, "product": -4.0}
    assert told["gradients"]["x"] == {"sum_of": [-4.0], "gradient": -4.0}


@pytest.mark.parametrize("way", ["--latex", "--markdown"])
def test_notes_are_balanced(way: str) -> None:
    for arguments in (CHAIN, ("where(x < 1, x_rate^2, θ1)/사과", "--x", "0", "--x_rate", "2", "--θ1", "1", "--사과", "3")):
        out = explain(*arguments, way).out
        assert out.count("{") - out.count(r"\{") == out.count("}") - out.count(r"\}")
        assert len(re.findall(r"\\left\b", out)) == len(re.findall(r"\\right\b", out))
        begun, ended = (re.findall(rf"\\{word}\{{([a-z*]+)\}}", out) for word in ("begin", "end"))
        assert sorted(begun) == sorted(ended)
        assert len(re.findall(r"(?<!\\)\$", out)) % 2 == 0


def test_latex_of_the_chain() -> None:
    out = explain(*CHAIN, "--latex").out
    assert out.startswith("% needs \\usepackage{amsmath}\n")
    assert r"q &= x + y = -2 + 5 = 3" in out
    assert r"\frac{\partial f}{\partial q} &= z = -4" in out
    assert (
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial q} \cdot \frac{\partial q}{\partial x} = -4 \cdot 1 = -4"
        in out
    )


def test_markdown_of_a_sum_over_paths() -> None:
    out = explain("sin(x^2)*x", "--x", "2", "--markdown").out
    assert out.startswith("## $f = ")
    assert r"\frac{\partial f}{\partial x} &= -0.756802 + \left(-5.22915\right) = -5.98595" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["x*y", "--x", "1"],
        ["x*y", "--x", "1", "--y", "2", "--wrt", "z"],
        ["x", "--x", "0..1"],
        ["x", "--x", "1", "--latex", "--markdown"],
        ["x", "--x", "1", "--latex", "--format", "json"],
        ["x", "--x", "1", "--latex", "--conventions"],
        ["[1,2] + [1,2,3]"],
    ],
)
def test_what_is_wrong_is_said(arguments: list[str]) -> None:
    answer = explain(*arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")


def test_several_outputs() -> None:
    out = explain("x^2; x^3", "--x", "2").out
    assert "Gradients of f\n  x  4\n\n" in out and "  x  12\n" in out


def test_a_constant_has_nothing_to_differentiate_by() -> None:
    assert "It depends on no input" in explain("2 + 3").out


def test_long_explanations_are_shortened() -> None:
    program = "; ".join(["a0 = sin(x)", *(f"a{n} = sin(a{n - 1})" for n in range(1, 300))])
    short, whole = (explain(program, "--x", "1", *more).out for more in ([], ["--all"]))
    assert "more steps: --all shows them" in short
    assert "a150 = " not in short and "a150 = " in whole


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_lines_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    program = ["sigmoid(a*x + b*y + c)*max(x, y)", "--a", "2", "--b", "-3", "--c", "-3", "--x", "-1", "--y", "-1"]
    out = explain(*program, "--conventions", terminal=True).out
    assert max(map(len, out.splitlines())) <= columns


def test_plain_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    out = explain("relu(x)*x", "--x", "0", "--conventions").out
    assert out.isascii()
    assert "df/dv1 = x = 0    v1 gets 1*0 = 0" in out
