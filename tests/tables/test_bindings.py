"""Values from files, for every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest

from gradcalc.errors import DataProblem, GradcalcError
from gradcalc.tables.bindings import read_bindings
from tests.cli.harness import run


def test_an_npz_gives_its_arrays_and_passes_over_what_is_no_name(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    numpy.savez(path, w=numpy.array([1.0, 2.0]), b=0.5, **{"gradcalc.run": numpy.zeros(3)})
    found = read_bindings(str(path))
    assert sorted(found) == ["b", "w"]
    assert found["w"].tolist() == [1, 2]
    assert found["b"] == 0.5


def test_json_gives_numbers_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text('{"a": 1, "w": [[1, 2], [3, "inf"]], "µ": 2e-3}', "utf-8")
    assert read_bindings(str(path)) == {"a": 1.0, "w": [[1.0, 2.0], [3.0, float("inf")]], "μ": 0.002}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("v.json", "[1, 2]", "holds no object"),
        ("v.json", "{oops", "neither JSON nor .npz"),
        ("v.json", '{"a": "b"}', "a in .* is a text"),
        ("v.json", '{"a": null}', "not a number"),
        ("v.json", '{"a": {"b": 1}}', "not a number"),
        ("v.json", '{"a b": 1}', "no name of an input"),
        ("v.json", '{"a": ' + "[" * 80 + "1" + "]" * 80 + "}", "at most 64 axes"),
        ("v.json", '{"a": ' + "[" * 100_000, "neither JSON"),
        ("v.npz", "no zip", "is not an .npz"),
        ("v.npy", "", "without a name"),
    ],
)
def test_other_files_are_told(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(GradcalcError, match=words):
        read_bindings(str(path))


def test_every_command_takes_bindings(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(json.dumps({"a": 2, "w": [1, 2, 3]}))
    assert run("sum(a*w) + c", "--bindings", str(path), "--c", "1", "--value").out == "13\n"
    assert run("sum(a*w)", "--bindings", str(path), "--a", "10", "--value").out == "60\n"
    assert json.loads(
        run("optimize", "sum(w^2)*a", "--minimize", "--over", "a", "--steps", "0", "--bindings", str(path), "--format", "json").out
    )["inputs"] == {"a": 2.0}


def test_what_optimize_prints_is_a_file_of_bindings(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    answer = run(
        "optimize",
        "(x - 3)^2 + sum((w - 1)^2)",
        "--minimize",
        "--x",
        "0",
        "--w",
        "[0, 0]",
        "--rate",
        "0.5",
        "--format",
        "json",
        "-o",
        str(path),
    )
    assert answer.status == 0
    assert run("x + sum(w)", "--bindings", str(path), "--value").out == "5\n"


def test_values_that_no_input_takes_are_told_with_their_file(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text('{"wieght": 2}')
    answer = run("weight*2", "--weight", "1", "--bindings", str(path))
    assert answer.status == 2
    assert f"error: the program has no input wieght, for which {path} gives a value\n  did you mean --weight?" in answer.err


def test_two_files_with_one_name_are_told(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"x": 1}')
    with pytest.raises(DataProblem):
        read_bindings(str(tmp_path / "c.json"))
    answer = run("x", "--bindings", str(tmp_path / "a.json"), "--bindings", str(tmp_path / "b.json"))
    assert answer.status == 2
    assert "both give a value for x" in answer.err
