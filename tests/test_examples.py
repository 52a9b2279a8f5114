"""The examples through the command line: every number of the worked cases, to a relative 1e-12."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gradcalc.cli import main
from tests.transcripts import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.gc"))
E4 = 54.598150033144239

CASES: dict[str, list[tuple[float, dict[str, float]]]] = {
    "01-multiply": [(242, {"a": 22, "b": 11})],
    "02-add": [(33, {"a": 1, "b": 1})],
    "03-add-three": [(66, {"a": 1, "b": 1, "c": 1})],
    "04-mixed": [(5, {"a": 2, "b": 1, "c": 1})],
    "05-square": [(121, {"a": 22}), (121, {"a": 22})],
    "06-reciprocal": [(0.3333333333333333, {"a": -0.1111111111111111})],
    "07-max": [(2, {"a": 0, "b": 1})],
    "08-relu": [(1, {"a": 1})],
    "09-power-of-a-sum": [(49, {"a": 28, "b": 42, "c": 14})],
    "10-quotient": [(3 / 7, {"a": 1 / 7, "b": 1 / 7, "c": -3 / 49, "d": -3 / 49})],
    "11-chain": [(-12, {"q": -4, "x": -4, "y": -4, "z": 3})],
    "12-neuron": [
        (
            0.8807970779778823,
            {
                "a": -0.10499358540350662,
                "b": 0.31498075621051985,
                "c": 0.10499358540350662,
                "x": 0.10499358540350662,
                "y": 0.20998717080701323,
            },
        )
    ],
    "13-saturated-neuron": [
        (
            0.9999999586006244,
            {name: factor * 4.139937376003502e-08 for name, factor in {"a": 4, "b": 5, "c": 1, "x": 1, "y": 2}.items()},
        )
    ],
    "14-eight-gate-sigmoid": [
        (
            0.7310585786300049,
            {
                "v": -0.534446645388523,
                "u": -0.534446645388523,
                "t": -0.19661193324148188,
                "s": 0.19661193324148188,
                "r": 0.19661193324148188,
                "q": 0.19661193324148188,
                "p": 0.19661193324148188,
                "w0": -0.19661193324148188,
                "x0": 0.39322386648296376,
                "w1": -0.39322386648296376,
                "x1": -0.5898357997244457,
                "w2": 0.19661193324148188,
            },
        )
    ],
    "15-sigmoid-as-one-gate": [
        (
            0.7310585786300049,
            {
                "w0": -0.19661193324148188,
                "x0": 0.39322386648296376,
                "w1": -0.39322386648296376,
                "x1": -0.5898357997244457,
                "w2": 0.19661193324148188,
            },
        )
    ],
    "16-slope-of-a-line": [(95, {"x": 10})],
    "17-square-of-exp-of-square": [(1.6487212707001282, {"x": 3.297442541400256})],
    "18-exp-of-square": [(E4, {"x": 218.39260013257694}), (218.39260013257694, {})],
}
"""For each example its outputs: the value, and gradients by name."""

AT_KINKS = ("21-relu-of-a-matrix",)
"""Examples that show what happens at a kink."""

VALUES = {"14-eight-gate-sigmoid": {"p": -2, "q": 6, "r": 4, "s": 1, "t": -1, "u": 0.36787944117144233, "v": 1.3678794411714423}}
"""Values of inner nodes."""


def documents(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    status = main(["eval", "--format", "json", *arguments])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return [json.loads(line) for line in captured.out.splitlines()]


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", CASES)
def test_a_worked_case_comes_out_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = documents(capsys, "-f", f"{ROOT}/examples/{name}.gc")
    assert len(outputs) == len(CASES[name])
    for output, (value, gradients) in zip(outputs, CASES[name]):
        assert output["value"] == near(value)
        nodes = {node["name"]: node for node in output["nodes"]}
        for node, gradient in gradients.items():
            assert nodes[node]["gradient"] == near(gradient), node
        for node, inner in VALUES.get(name, {}).items():
            assert nodes[node]["value"] == near(inner), node
        assert output["verdict"] in ("ok", "off")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_and_says_what_to_see(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert path.read_text("utf-8").startswith("# ")
    allowed = ("ok", "off", "kink") if path.stem in AT_KINKS else ("ok", "off")
    assert all(output["verdict"] in allowed for output in documents(capsys, "-f", str(path)))


def test_the_examples_are_a_ladder() -> None:
    assert [path.stem.partition("-")[0] for path in EXAMPLES] == [f"{number:02}" for number in range(1, len(EXAMPLES) + 1)]


def test_the_group_of_gates_and_the_one_gate_agree(capsys: pytest.CaptureFixture[str]) -> None:
    path = f"{ROOT}/examples/15-sigmoid-as-one-gate.gc"
    (closed,) = documents(capsys, "-f", path)
    (opened,) = documents(capsys, "-f", path, "--open", "sigmoid")
    assert "sigmoid" in {node["gate"] for node in closed["nodes"]}
    assert "sigmoid" not in {node["gate"] for node in opened["nodes"]}
    for name, gradient in closed["gradients"].items():
        # The source's figure is 3e-17 for gradients of this size: one unit in the last place, or two.
        assert abs(opened["gradients"][name] - gradient) <= 1.2e-16


def test_ties_and_kinks_follow_the_conventions(capsys: pytest.CaptureFixture[str]) -> None:
    (tie,) = documents(capsys, "-f", f"{ROOT}/examples/07-max.gc", "--b", "1")
    assert tie["gradients"] == {"a": 0.5, "b": 0.5}
    assert tie["verdict"] == "kink"
    (kink,) = documents(capsys, "-f", f"{ROOT}/examples/08-relu.gc", "--a", "0")
    assert kink["gradients"] == {"a": 0.0}
    assert kink["verdict"] == "kink"


def test_examples_read_from_standard_input_as_from_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ROOT / "examples/12-neuron.gc"
    monkeypatch.setattr(sys, "stdin", io.StringIO(path.read_text("utf-8")))
    assert documents(capsys) == documents(capsys, "-f", str(path))
