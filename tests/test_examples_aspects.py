"""The examples of uncertainties, sensitivity and forward mode: the commands that stand in them, and their numbers."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gradcalc.cli import main
from tests.transcripts import ROOT


def example(name: str) -> Path:
    """The file of this name, whatever its number."""
    (path,) = (ROOT / "examples").glob(f"*-{name}.gc")
    return path


def commands(name: str) -> list[list[str]]:
    """The commands that an example's comments show."""
    return [shlex.split(line) for line in re.findall(r"^#   gradcalc (.*)$", example(name).read_text("utf-8"), re.MULTILINE)]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def document(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, Any]:
    status = main([*arguments, "--format", "json", "--seed", "1"])
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    found: dict[str, Any] = json.loads(captured.out)
    return found


@pytest.mark.parametrize("name", ["pendulum", "enzyme", "lens"])
def test_the_commands_in_the_comments_run_on_the_file_that_they_stand_in(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands(name)
    for command in commands(name):
        assert command[:2] == ["-f", f"examples/{example(name).name}"]
        assert document(capsys, command)["verdict"] == "ok"


def test_gravity_and_whose_fault_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = commands("pendulum")
    found = document(capsys, command)
    relative = math.hypot(0.002 / 0.995, 2 * 0.005 / 2.001)
    assert found["uncertainty"] == pytest.approx(found["value"] * relative, rel=1e-12)
    assert found["shares"] == pytest.approx({"L": (0.002 / 0.995 / relative) ** 2, "T": (0.01 / 2.001 / relative) ** 2})
    assert found["monte_carlo"]["uncertainty"] == pytest.approx(found["uncertainty"], rel=0.02)
    assert not found["misleading"]


def test_constants_of_a_fit_are_correlated(capsys: pytest.CaptureFixture[str]) -> None:
    painted, correlated = (document(capsys, command) for command in commands("enzyme"))
    elasticities = {node["name"]: node.get("elasticity") for node in painted["nodes"]}
    k, s = 1.2 * 1.2, 2.0
    assert elasticities["Vmax"] == pytest.approx(1.0)
    assert elasticities["S"] == pytest.approx(k / (k + s))
    assert elasticities["Ki"] == pytest.approx(k / (k + s) * 0.2 / 1.2)
    assert [line["text"] for line in painted["source"]][-1] == "v = Vmax*S/(K + S)"
    first, second = correlated["gradients"]["Vmax"] * 0.1, correlated["gradients"]["Km"] * 0.15
    assert correlated["uncertainty"] == pytest.approx(math.sqrt(first**2 + second**2 + 2 * 0.8 * first * second))


def test_how_the_image_moves(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = commands("lens")
    found = document(capsys, command)
    moved = {node["name"]: node["tangents"][0]["value"] for node in found["nodes"]}
    b = 1 / (1 / 0.05 - 1 / 0.2)
    assert moved["image"] == pytest.approx(-((b / 0.2) ** 2))
    assert moved["magnification"] == pytest.approx((b / 0.2) ** 2 / 0.2 + b / 0.2**2)
    assert moved["focus"] == 0.0
