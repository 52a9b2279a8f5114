"""`gradcalc check`: its exit status, what it says, and its JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gradcalc.gates import REGISTRY
from tests.catalogue import gate, spoiled
from tests.cli.harness import Answer, run


def check(*arguments: str, stdin: str | None = None, terminal: bool = False) -> Answer:
    return run("check", *arguments, stdin=stdin, terminal=terminal)


def document(*arguments: str) -> dict[str, Any]:
    answer = check(*arguments, "--format", "json")
    (line,) = answer.out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (0, ["x^2*y + sin(x)", "--x", "3", "--y", "2"]),
        (0, ["x^2*y + sin(x)"]),
        (0, ["x^2*y", "--claim", "x=2*x*y", "--claim", "y=x^2"]),
        (1, ["x^2*y", "--claim", "x=2*x*y", "--claim", "y=x"]),
        (0, ["x^2*y", "--claim", "x,y=2*x", "--order", "2"]),
        (1, ["x^2*y", "--claim", "x,y=2*x+1e-6"]),
        (0, ["sin(x)^2", "--equals", "1 - cos(x)^2"]),
        (1, ["sin(x)^2", "--equals", "1 - cos(x)"]),
        (1, ["log(x^2)", "--equals", "2*log(x)"]),
        (0, ["abs(x)", "--x", "0"]),
        (0, ["sum(x*y)", "--x", "[1,2]", "--y", "[3,4]", "--claim", "x=y"]),
        (1, ["sum(x*y)", "--x", "[1,2]", "--y", "[3,4]", "--claim", "x=x"]),
        (0, ["--gates"]),
        (2, ["x +"]),
        (2, ["x", "--claim", "x"]),
        (2, ["x", "--claim", "x=2*"]),
        (2, ["x", "--claim", "y=1"]),
        (2, ["x", "--claim", "x=z"]),
        (2, ["x; x^2", "--claim", "x=1"]),
        (2, ["x", "--claim", "x=1", "--equals", "x"]),
        (2, ["--gates", "x"]),
        (2, ["x", "--z", "1"]),
        (2, ["x", "--x", "1±0.1"]),
        (2, ["x", "--x", "0..1:5"]),
        (2, ["log(-x^2 - 1)"]),
        (2, ["sum(x)", "--x", "[1,2]", "--claim", "x=[1,2,3]"]),
        (2, ["x*y", "--hold", "z", "--x", "1"]),
        (2, ["x*y", "--hold", "x"]),
        (2, ["x", "--order", "3"]),
    ],
)
def test_the_exit_status(status: int, arguments: list[str]) -> None:
    answer = check(*arguments)
    assert answer.status == status, answer
    assert bool(answer.err) == (status == 2)
    assert not answer.err or answer.err.startswith("error: ")


def test_what_is_said_of_gradients() -> None:
    out = check("x*y", "--x", "2", "--y", "3", "--points", "20").out
    assert out.startswith("x*y = 6\n✓ ok: backpropagation and numerical derivatives agree at the given point and at 1")
    assert "by  gradient  numerical  given point  random points" in out


def test_a_point_at_which_the_value_is_not_finite_is_told() -> None:
    answer = check("x^3", "--x", "1e200")
    assert answer.status == 0
    assert "agree at 96 random points" in answer.out
    assert answer.err == "warning: x^3 is inf: its inputs are 1e200 and 3\n"


def test_what_is_said_of_a_wrong_claim() -> None:
    answer = check("sin(x^2)", "--x", "1", "--claim", "x=cos(x^2)")
    lines = answer.out.splitlines()
    assert lines[1] == "✗ mismatch: the claim for ∂/∂x is wrong"
    assert lines[3] == "✗ mismatch  ∂/∂x = cos(x^2)  is off at the given point and at 100 of 100 random points"
    assert lines[4] == "  at x = 1 the claim is 0.5403023059, the derivative 1.080604612: off by 0.5403"
    assert lines[5] == "  the derivative is 2*x*cos(x^2)"
    assert lines[6] == "  hint: the inner derivative is missing: 2*x, the derivative of x^2"


def test_what_is_said_of_two_functions() -> None:
    out = check("log(x^2)", "--equals", "2*log(x)", "--x", "-2").out
    assert "✗ mismatch: not the same function as 2*log(x)" in out
    assert "their domains differ: at x = -2 log(x^2) is 1.386294361, and 2*log(x) has no value" in out
    assert "where both have a value they agree" in out


def test_ranges_and_seeds() -> None:
    first = document("x*y", "--x", "2..3", "--y", "-1..0", "--claim", "x=0", "--points", "30")
    example = first["claims"][0]["example"]
    assert 2 <= example["point"]["x"] <= 3 and -1 <= example["point"]["y"] <= 0
    assert first["point"] is None and first["random_points"] == 30
    assert document("x", "--claim", "x=2", "--seed", "5") == document("x", "--claim", "x=2", "--seed", "5")
    other = document("x", "--claim", "x=x", "--seed", "6")["claims"][0]["example"]["point"]
    assert other != document("x", "--claim", "x=x", "--seed", "5")["claims"][0]["example"]["point"]


def test_no_random_points_where_none_are_wanted() -> None:
    found = document("x^2", "--x", "3", "--points", "0", "--claim", "x=6")
    assert found["random_points"] == 0
    assert found["verdict"] == "ok"
    nowhere = check("x^2", "--points", "0")
    assert (nowhere.status, "--points 0 leaves no point to look at x^2" in nowhere.err) == (2, True)


def test_json_of_claims() -> None:
    found = document("x^2*y", "--x", "3", "--y", "2", "--claim", "x=2*x*y", "--claim", "y=-x^2")
    assert (found["schema"], found["value"], found["verdict"]) == (1, 18.0, "mismatch")
    right, wrong = found["claims"]
    assert (right["by"], right["verdict"], right["same_formula"]) == (["x"], "ok", True)
    assert wrong["hints"] == ["the sign is wrong"]
    assert wrong["derivative"] == "x^2"
    assert wrong["given_point"]["claimed"] == -9.0
    assert {"by", "gradient", "numerical", "error_bar", "given_point", "random_points", "verdict"} <= found["gradients"][0].keys()


def test_json_of_two_functions() -> None:
    found = document("(x^2 - 1)/(x - 1)", "--equals", "x + 1")
    assert found["equals"]["holes"][0]["point"] == {"x": 1.0}
    assert found["equals"]["verdict"] == "ok"


def test_every_output_is_checked() -> None:
    answer = check("x^2; x^3", "--format", "json")
    assert [json.loads(line)["output"] for line in answer.out.splitlines()] == ["x^2", "x^3"]


def test_strict_wants_certainty() -> None:
    arguments = ["x^2*y + sin(x)", "--x", "21210000", "--y", "-4", "--points", "0"]
    assert check(*arguments).status == 0
    assert check(*arguments, "--strict").status == 1
    assert check(*arguments, "--strict", "--check", "exact").status == 0


def test_the_catalogue_line_by_line() -> None:
    answer = check("--gates", "--all")
    assert answer.status == 0
    assert sum(line.startswith("sigmoid ") for line in answer.out.splitlines()) == 1
    lines = [json.loads(line) for line in check("--gates", "--format", "json").out.splitlines()]
    assert {line["gate"] for line in lines} == set(REGISTRY)


def test_a_gate_whose_rule_is_off_fails_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY._gates, "tanh", (spoiled(gate("tanh"), 0),))
    answer = check("--gates")
    assert answer.status == 1
    assert "1 disagree with their numerical derivatives" in answer.out
    assert "trigonometry       ✗ mismatch  13 of 14 gates" in answer.out
    assert "tanh" in answer.out


def test_a_gate_whose_rule_is_off_fails_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY._gates, "tanh", (spoiled(gate("tanh"), 0),))
    answer = check("tanh(x)*y")
    assert answer.status == 1
    assert "✗ mismatch: backpropagation and numerical derivatives disagree in ∂/∂x" in answer.out


def test_a_terminal_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    out = check("x^2", "--claim", "x=x", "--claim", "x,x=2").out
    assert out.isascii()
    assert "d/dx = x" in out and "d^2/dx^2 = 2" in out


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_lines_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    out = check(
        "sin(a*x^2) + cos(b*y)", "--a", "1", "--b", "2", "--x", "3", "--y", "4", "--claim", "x=cos(a*x^2)", terminal=True
    ).out
    assert max(map(len, out.splitlines())) <= columns
    assert max(map(len, check("x*y*z", "--x", "1", "--y", "1e-5", "--z", "pi", terminal=True).out.splitlines())) <= columns


def test_the_program_may_come_from_standard_input_or_a_file() -> None:
    assert check("--claim", "x=2*x", stdin="x^2\n").status == 0
    assert check("-f", "examples/32-homework.gc", "--claim", "A=sin(w*t)").status == 0
    wrong = check("-f", "examples/32-homework.gc", "--claim", "t=A*cos(w*t)")
    assert wrong.status == 1
    assert "the inner derivative is missing: w, the derivative of w*t" in wrong.out
    assert check("-f", "examples/32-homework.gc", "--equals", "A*sin(w*t + tau)").status == 0


def test_counts_stand_apart_from_their_verdict_where_there_is_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    text = run("check", "relu(a*b) + max(a, b)*exp(a)", "--a", "2", "--b", "3", terminal=True).out
    assert re.search(r"random points  \d+ ok\n", text)
