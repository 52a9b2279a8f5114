"""`gradcalc train`: the worked network, digits, runs that are interrupted and resumed, and what is said of data that do not fit."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.cli.harness import COMMAND, ROOT, Answer, process, run

LINE = "w = 0; b = 0; w*x + b"
DIGITS = (
    "examples/27-digits.gc", "--data", "examples/data/digits-8x8.npz", "--method", "adam", "--batch", "100", "--shuffle",
    "--validate", "0.2", "--seed", "1", "--metric", "accuracy = argmax(scores, axis=1) == digit",
)  # fmt: skip


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs and data are named from here."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """A table of twenty points on the line 2x - 1, with a column of text."""
    path = tmp_path / "rows.csv"
    path.write_text("x,name,y\n" + "".join(f"{0.1 * n:g},p{n},{0.2 * n - 1:g}\n" for n in range(20)))
    return str(path)


def train(*arguments: str) -> dict[str, Any]:
    """What a run with nothing to complain of came to."""
    answer = run("train", *arguments, "--format", "json")
    assert (answer.status, answer.err) == (0, ""), answer
    document: dict[str, Any] = json.loads(answer.out.splitlines()[-1])
    return document


def epochs(*arguments: str) -> list[dict[str, str]]:
    """The epochs of a run."""
    answer = run("train", *arguments, "--trace", "--format", "csv")
    assert (answer.status, answer.err) == (0, ""), answer
    return list(csv.DictReader(io.StringIO(answer.out)))


# ---- the worked cases ------------------------------------------------------------------------------------------------------------

LAYERS = 7


def deep_network(values: dict[str, Any], x: Any, target: Any, rate: float, count: int) -> Iterator[float]:
    """CASES §5 in plain NumPy: the loss before every step, with the true gradient of half the mean squared difference."""
    weights = [values[f"W{number}"] for number in range(1, LAYERS + 1)]
    biases = [numpy.array(values[f"b{number}"]) for number in range(1, LAYERS + 1)]
    for _ in range(count):
        layers = [x]
        for weight, bias in zip(weights, biases):
            layers.append(1 / (1 + numpy.exp(-(layers[-1] @ weight + bias))))
        error = layers[-1] - target
        yield float(0.5 * numpy.mean(error**2))
        slope = error / error.size
        for place in range(LAYERS - 1, -1, -1):
            slope = slope * layers[place + 1] * (1 - layers[place + 1])
            below = slope @ weights[place].T
            weights[place] = weights[place] - rate * layers[place].T @ slope
            biases[place] = biases[place] - rate * slope.sum(axis=0)
            slope = below


@pytest.fixture
def network(tmp_path: Path) -> tuple[dict[str, Any], str, str]:
    """Weights of CASES §5 in a file of bindings, and its one sample in a file of data."""
    rng = numpy.random.default_rng(4)
    sizes = [10, *[32] * (LAYERS - 1), 2]
    values: dict[str, Any] = {}
    for number, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), 1):
        values[f"W{number}"] = 0.01 * rng.standard_normal((inputs, outputs))
        values[f"b{number}"] = numpy.zeros(outputs)
    values |= {"x": rng.random((1, 10)), "target": rng.random((1, 2))}
    numpy.savez(tmp_path / "weights.npz", **{name: value for name, value in values.items() if name not in ("x", "target")})
    numpy.savez(tmp_path / "sample.npz", x=values["x"], target=values["target"])
    return values, str(tmp_path / "weights.npz"), str(tmp_path / "sample.npz")


@pytest.mark.parametrize("rate", ["0.01", "0.02", "0.5"])
def test_the_deep_network_is_traced_epoch_by_epoch(network: tuple[dict[str, Any], str, str], rate: str) -> None:
    values, weights, sample = network
    found = epochs("examples/26-deep-network.gc", "--data", sample, "--bindings", weights, "--rate", rate, "--epochs", "100")
    expected = list(deep_network(values, values["x"], values["target"], float(rate), 100))
    assert [int(row["epoch"]) for row in found] == list(range(1, 101))
    assert [float(row["loss"]) for row in found] == pytest.approx(expected, rel=1e-12, abs=0)
    assert expected[-1] < expected[0]


def test_optimize_goes_the_same_way(network: tuple[dict[str, Any], str, str]) -> None:
    values, weights, sample = network
    names = ",".join(f"{kind}{number}" for number in range(1, LAYERS + 1) for kind in "Wb")
    answer = run(
        "optimize", "-f", "examples/26-deep-network.gc", "--minimize", "--over", names, "--rate", "0.02", "--steps", "99",
        "--bindings", weights, "--bindings", sample, "--trace", "--format", "csv",
    )  # fmt: skip
    limit = csv.field_size_limit(10_000_000)
    try:
        found = [float(row["value"]) for row in csv.DictReader(io.StringIO(answer.out))]
    finally:
        csv.field_size_limit(limit)
    expected = list(deep_network(values, values["x"], values["target"], 0.02, 100))
    assert found == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_network_learns_to_read_digits(tmp_path: Path) -> None:
    model = str(tmp_path / "model.npz")
    document = train(*DIGITS, "--epochs", "20", "--save", model)
    assert document["rows"] == 1438 and document["rows_held_out"] == 359
    assert document["metrics"]["accuracy"] >= 0.95
    assert document["held_out"] < 0.3
    right = run("-f", "examples/27-digits.gc", "mean(argmax(scores, axis=1) == digit)", "--bindings", model, "--value")
    assert (right.status, right.err) == (0, "")
    assert float(right.out.splitlines()[-1]) >= 0.95


# ---- what the loss is ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "more"),
    [
        ("w = 0; b = 0; (w*x + b - y)^2", []),
        ("w = 0; b = 0; mse(w*x + b, y)", []),
        ("w = 0; b = 0; mse(w*x + b, y)", ["--target", "y"]),
        ("w = 0; b = 0; w*x + b", ["--target", "y"]),
        ("w = 0; b = 0; guess = w*x + b", ["--target", "y", "--loss", "mse"]),
        ("w = 0; b = 0; y = w*x + b", ["--target", "y"]),
        ("w = [0]; b = 0; stack([x], axis=1) @ w + b", ["--target", "y"]),
    ],
)
def test_a_loss_a_row_a_loss_a_batch_and_a_prediction_are_one(rows: str, program: str, more: list[str]) -> None:
    document = train(program, "--data", rows, "--rate", "0.1", "--epochs", "1000", *more)
    assert document["loss"] == pytest.approx(0, abs=1e-6)
    assert [*numpy.ravel(document["inputs"]["w"]), document["inputs"]["b"]] == pytest.approx([2, -1], abs=1e-2)


def test_a_program_may_come_from_everywhere(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "line.gc"
    path.write_text(LINE.replace("; ", "\n") + "\n")
    more = ["--target", "y", "--data", rows, "--epochs", "3", "--format", "json"]
    answers = [
        run("train", LINE, *more),
        run("train", str(path), *more, "--seed", "1"),
        run("train", "-f", str(path), *more, "--seed", "1"),
        run("train", "-", *more, "--seed", "1", stdin=LINE),
        run("train", *more, "--seed", "1", stdin=LINE),
    ]
    found = [json.loads(answer.out) for answer in answers]
    assert len({(one["loss"], one["inputs"]["w"]) for one in found}) == 1


def test_arrays_in_files_of_their_own(tmp_path: Path) -> None:
    rng = numpy.random.default_rng(1)
    x = rng.standard_normal((30, 3))
    numpy.save(tmp_path / "first.npy", x)
    numpy.save(tmp_path / "second.npy", x @ [1, -2, 0.5])
    document = train(
        "w = zeros(3); mse(X @ w, t)", "--data", f"X={tmp_path}/first.npy", "--data", f"t={tmp_path}/second.npy", "--rate", "0.1",
        "--epochs", "500", "--batch", "7",
    )  # fmt: skip
    assert document["inputs"]["w"] == pytest.approx([1, -2, 0.5], abs=1e-6)


def test_bounds_hold_and_only_what_is_asked_for_is_learned(rows: str) -> None:
    document = train(LINE, "--target", "y", "--data", rows, "--rate", "0.1", "--over", "w", "--bound", "w=0..0.25", "--b", "-1")
    assert document["inputs"] == {"w": 0.25}


def test_metrics_are_told_for_every_epoch(rows: str) -> None:
    found = epochs(
        LINE, "--target", "y", "--data", rows, "--epochs", "3", "--metric", "off=abs(w*x + b - y)", "--metric", "max(abs(x))"
    )
    assert list(found[0]) == ["epoch", "loss", "held_out", "off", "max(abs(x))"]
    assert {row["max(abs(x))"] for row in found} == {"1.9"}
    offs = [float(row["off"]) for row in found]
    assert offs == sorted(offs, reverse=True)
    assert found[0]["held_out"] == ""


def test_the_table_says_how_it_went(rows: str, tmp_path: Path) -> None:
    model = f"{tmp_path}/m.npz"
    arguments = (
        LINE,
        "--target",
        "y",
        "--data",
        rows,
        "--rate",
        "0.1",
        "--epochs",
        "2",
        "--batch",
        "5",
        "--save",
        model,
        "--validate",
        "0.5",
        "--seed",
        "3",
    )
    answer = run("train", *arguments)
    lines = answer.out.splitlines()
    assert lines[0].startswith("mse(w*x + b, y) = ")
    assert lines[1] == "trained by gradient descent, rate 0.1: 2 epochs of 2 batches of 5 rows"
    assert lines[2].startswith("on 10 rows held out: loss ")
    assert lines[3] == f"saved in {model}: gradcalc eval … --bindings {model}"
    assert [line.split()[0] for line in lines[5:]] == ["input", "w", "b"]
    traced = run("train", *arguments, "--trace").out.splitlines()
    assert traced[0].split() == ["epoch", "loss", "held", "out"]
    assert run("train", *arguments, "--format", "csv").out.splitlines()[0] == "output,kind,name,start,end"


def test_what_is_learned_can_be_used_by_eval(rows: str, tmp_path: Path) -> None:
    model = f"{tmp_path}/m.npz"
    document = train(LINE, "--target", "y", "--data", rows, "--save", model)
    used = run("eval", LINE, "--x", "1", "--bindings", model, "--value")
    assert float(used.out) == document["inputs"]["w"] + document["inputs"]["b"]
    assert run("eval", LINE, "--x", "1", "--bindings", model, "--b", "0", "--value").out == f"{document['inputs']['w']!r}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "mine.npz", "--save", "mine.npz"], "--save mine.npz is the table that is read"),
        (["--data", "mine.npz", "--save", "link.npz"], "--save link.npz is the table that is read"),
        (["--data", "x=x.npy", "--data", "y=y.npy", "-o", "./x.csv"], "-o ./x.csv is the table that is read"),
        (["--data", "mine.npz", "--save", "v.npz", "-o", "v.csv"], "--save v.npz and -o v.csv are one file"),
        (["--data", "mine.npz", "--save", "other.npz"], "--save other.npz would replace a file that is no run of training"),
    ],
)
def test_nothing_is_written_over_what_is_read(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    numpy.savez("mine.npz", x=numpy.arange(4.0), y=numpy.arange(4.0))
    numpy.savez("other.npz", z=1.0)
    for name in "xy":
        numpy.save(f"{name}.npy", numpy.arange(4.0))
    for target, link in (("mine.npz", "link.npz"), ("x.npy", "x.csv"), ("v.npz", "v.csv")):
        os.symlink(target, link)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.exists()}
    answer = run("train", LINE, "--target", "y", *arguments, "--epochs", "1")
    assert (answer.status, message in answer.err) == (2, True), answer
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.exists()} == before


def test_a_run_takes_the_place_of_a_run(rows: str, tmp_path: Path) -> None:
    arguments = (LINE, "--target", "y", "--data", rows, "--epochs", "2", "--save", f"{tmp_path}/m.npz", "--seed", "1")
    assert train(*arguments) == train(*arguments)


# ---- interrupted and resumed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["gradient", "adam"])
def test_a_resumed_run_comes_to_the_same_numbers(rows: str, tmp_path: Path, method: str) -> None:
    whole, parts = f"{tmp_path}/whole.npz", f"{tmp_path}/parts.npz"
    more = ("--method", method, "--rate", "0.05", "--batch", "6", "--shuffle", "--validate", "0.25", "--seed", "5")
    first = train(LINE, "--target", "y", "--data", rows, *more, "--epochs", "9", "--save", whole)
    train(LINE, "--target", "y", "--data", rows, *more, "--epochs", "4", "--save", parts)
    # The options of the saved run hold, where nothing else is said.
    second = train(LINE, "--target", "y", "--data", rows, "--epochs", "9", "--save", parts, "--resume")
    assert second == first
    with numpy.load(whole) as one, numpy.load(parts) as other:
        assert sorted(one.files) == sorted(other.files)
        for name in one.files:
            numpy.testing.assert_array_equal(one[name], other[name])


def test_resuming_without_a_file_begins_and_beyond_its_end_does_nothing(rows: str, tmp_path: Path) -> None:
    arguments = ("train", LINE, "--target", "y", "--data", rows, "--epochs", "3", "--save", f"{tmp_path}/m.npz", "--resume")
    first = run(*arguments)
    assert first.status == 0
    assert first.err == f"warning: {tmp_path}/m.npz does not exist yet: this run begins anew\n"
    second = run(*arguments)
    assert second.err == f"warning: {tmp_path}/m.npz has been through 3 epochs: --epochs 3 leaves nothing to do\n"
    assert second.out == first.out


def test_another_run_is_not_gone_on_from(rows: str, tmp_path: Path) -> None:
    data = ("--target", "y", "--data", rows, "--save", f"{tmp_path}/m.npz", "--resume")
    assert run("train", LINE, *data, "--batch", "5", "--epochs", "2").status == 0
    again = process("train", f"# the same\n{LINE}", *data, "--epochs", "4")
    assert (again.returncode, again.stderr) == (0, b"")
    program = said(run("train", "w = 0; b = 0; w*x^2 + b", *data))
    assert "m.npz is a run of mse(w*x + b, y), and this is mse(w*x^2 + b, y)" in program
    inner = said(run("train", "w = 0; b = 0; s = w*x; p = s + 2*b; p", *data))
    assert "and this is mse(p, y)" in inner
    assert "--batch 5, and this is --batch 4" in said(run("train", LINE, *data, "--batch", "4"))
    given = said(run("train", LINE, *data, "--w", "7"))
    assert given == (
        f"error: --w gives a value to what {tmp_path}/m.npz has learned\n  leave it out, or leave out --resume to begin anew\n"
    )


def test_other_data_are_told_on_resuming(rows: str, tmp_path: Path) -> None:
    arguments = ("train", LINE, "--target", "y", "--data", rows, "--save", f"{tmp_path}/m.npz", "--resume", "--epochs")
    run(*arguments, "2")
    Path(rows).write_text(Path(rows).read_text().replace("1.9,", "1.8,"))
    assert "warning: the data are not those of the saved run" in run(*arguments, "4").err
    answer = run("train", LINE, "--target", "y", "--data", rows, "--save", f"{tmp_path}/m.npz", "--resume", "--over", "w")
    assert answer.status == 2
    assert "is a run over w, b, and this one is over w" in answer.err


def test_ctrl_c_leaves_the_last_whole_state(tmp_path: Path) -> None:
    model = tmp_path / "m.npz"
    arguments = [*COMMAND, "train", *DIGITS, "--epochs", "100000", "--save", str(model)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stderr is not None and running.stdout is not None
        deadline = time.monotonic() + 60
        while not model.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
        said = running.stderr.read().decode()
        assert running.stdout.read() == b""
    assert said.startswith(f"interrupted: {model} holds the run after epoch ")
    assert len(said.splitlines()) == 1
    assert os.listdir(tmp_path) == ["m.npz"]
    with numpy.load(model) as archive:
        state = json.loads(archive["gradcalc.run"].tobytes())
        assert archive["W1"].shape == (64, 50)
    epochs_done = state["epoch"] + 1
    resumed = train(*DIGITS, "--epochs", str(epochs_done), "--save", str(model), "--resume")
    assert resumed["inputs"] == train(*DIGITS, "--epochs", str(epochs_done))["inputs"]


# ---- mistakes --------------------------------------------------------------------------------------------------------------------


def said(answer: Answer) -> str:
    """The complaint of a command line that is wrong."""
    assert answer.status == 2
    assert "Traceback" not in answer.err
    return answer.err


def told(folder: Path, table: str, program: str, *more: str) -> str:
    """What is said of a program on a table."""
    (folder / "rows.csv").write_text(table)
    return said(run("train", program, "--data", str(folder / "rows.csv"), *more)).replace(f"{folder}/", "")


TABLE = "weight,height\n1,2\n3,4\n5,6\n"


@pytest.mark.parametrize(
    ("table", "program", "more", "words"),
    [
        (TABLE, "w = 0; w*weight", ["--target", "hieght"], "rows.csv has no column hieght\n  did you mean height?"),
        (TABLE, "w = 0; (w*wieght - height)^2", [], "wieght has no value, and is no column of rows.csv"),
        (TABLE, "w = 0; (w*wieght - height)^2", [], "did you mean weight?"),
        (TABLE, "w = 0; w^2", [], "the program uses no column of the data"),
        ("x,y\n1,2\n3,\n", "w = 0; w*x", ["--target", "y"], "error: rows.csv:3: column y has no number\n"),
        ("x,y\n1,2\n3,four\n", "w = 0; w*x", ["--target", "y"], "error: rows.csv:3: column y is not a number: four\n"),
        (TABLE, "weight*height", [], "there is nothing to learn: no input of the program has a default"),
        (TABLE, "w = 0; u = 1; w*weight - height", ["--over", "u"], "w*weight - height does not depend on u"),
        (TABLE, "w = 0; u = 1; w*weight", ["--over", "u", "--target", "height"], "mse(w*weight, height) does not depend on u"),
        (TABLE, "w = 0; w*weight - height", ["--over", "weight"], "--over weight: weight is a column of the data"),
        (TABLE, "w = 0; w*weight - height", ["--over", "v"], "--over v: the program has no input v"),
        (TABLE, "w = 0; w*weight; w", [], "the program has 2 outputs, and training needs one"),
        (TABLE, "w = 0; w*weight", ["--loss", "mse"], "--loss mse: there is no --target"),
        (TABLE, "w = 0; w*weight - height", ["--loss", "mse", "--target", "height"], "the program uses height itself"),
        (TABLE, "w = zeros(2); w*weight", ["--target", "height"], "* cannot join shapes 2 and 3"),
        (TABLE, "w = zeros(2); w*weight", ["--target", "height"], "in a batch of 3 rows the columns have the shapes weight 3"),
        (TABLE, "w = 0; sum(w*weight)", ["--target", "height"], "in a batch of 3 rows the prediction is a number"),
        (TABLE, "w = 0; w*stack([weight], axis=1)", ["--target", "height"], "the prediction has shape 3×1"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--bound", "w=1..2"], "w starts at 0, outside its bound 1..2"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--resume"], "--resume goes on from the file of --save"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--save", "model"], "--save model is not the name of an .npz"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--metric", "oops("], "--metric: "),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--validate", "0.99"], "none is left to learn from"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--validate", "1"], "--validate: 1 is not below 1"),
        (TABLE, "w = 0; w*weight", ["--target", "height", "--rate", "9"], "the rate 9 is too large: mse(w*weight, height)"),
        (TABLE, "w = 1; log(w*weight) + height", ["--rate", "0.6"], "log(w*weight) + height is not finite at step 3, in epoch 3"),
        (TABLE, "w = 1; log(w*weight) + height", ["--rate", "0.6"], "log(w*weight) is nan in 3 of 3 elements"),
        (TABLE, "w = 1; log(w*weight) + height", ["--rate", "0.6"], "the last good state, after step 1: w = 0.4"),
        (TABLE, "w = -1; log(w*weight) + height", [], "is not finite at step 1, in epoch 1: log(w*weight) is nan"),
        (TABLE, "w = 0; w*weight +", ["--target", "height"], "an operand is missing"),
        (TABLE, "nothing.gc", [], "nothing.gc can't be read: no such file or directory"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(tmp_path: Path, table: str, program: str, more: list[str], words: str) -> None:
    assert words in told(tmp_path, table, program, *more)


def test_there_must_be_data() -> None:
    assert said(run("train", LINE)).startswith("error: there are no data\n")
    assert "did you mean examples/data/line.csv?" in said(run("train", LINE, "--data", "examples/data/lime.csv"))


def test_two_files_with_one_column_and_columns_of_other_lengths_are_told(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "a.npz", x=numpy.zeros(3), y=numpy.zeros(3))
    numpy.savez(tmp_path / "b.npz", x=numpy.zeros(3), z=numpy.zeros(4))
    data = ("--data", f"{tmp_path}/a.npz", "--data")
    assert "both have a column x" in said(run("train", "w = 0; w*x - y", *data, f"{tmp_path}/b.npz"))
    numpy.savez(tmp_path / "b.npz", z=numpy.zeros(4))
    assert "x has 3 rows in" in said(run("train", "w = 0; w*x - z", *data, f"{tmp_path}/b.npz"))
    numpy.savez(tmp_path / "a.npz", x=numpy.array([0, 1, numpy.nan]), y=numpy.zeros(3))
    assert "a.npz: row 3: x is not finite" in said(run("train", "w = 0; w*x - y", "--data", f"{tmp_path}/a.npz"))


def test_what_diverged_is_saved_as_it_was_when_it_was_good(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    model = f"{tmp_path}/m.npz"
    answer = run("train", "w = 0; w*weight", "--data", f"{tmp_path}/rows.csv", "--target", "height", "--rate", "9", "--save", model)
    assert f"that state is saved in {model}" in said(answer)
    with numpy.load(model) as archive:
        assert abs(archive["w"]) < 1e3


# ---- what would mislead ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def classes(tmp_path: Path) -> str:
    """A table of two classes, coded 0 and 1, that overlap."""
    rng = numpy.random.default_rng(1)
    x = rng.normal(size=200)
    t = (rng.random(200) < 1 / (1 + numpy.exp(-2 * x))).astype(int)
    path = tmp_path / "classes.csv"
    path.write_text("x,t\n" + "".join(f"{a:.6f},{b}\n" for a, b in zip(x, t)))
    return str(path)


def test_cross_entropy_of_a_column_is_that_of_two_classes(classes: str) -> None:
    arguments = ("--data", classes, "--rate", "1", "--epochs", "200")
    found = train("w = 0; b = 0; sigmoid(w*x + b)", "--target", "t", "--loss", "cross_entropy", *arguments)
    by_hand = train("w = 0; b = 0; p = sigmoid(w*x + b); -(t*log(p) + (1 - t)*log(1 - p))", *arguments)
    assert found["start"]["loss"] == pytest.approx(math.log(2), rel=1e-12)
    assert found["inputs"] == pytest.approx(by_hand["inputs"], rel=1e-9)
    batches = train("w = 0; b = 0; sigmoid(w*x + b)", "--target", "t", "--loss", "cross_entropy", *arguments, "--batch", "30")
    assert batches["loss"] == pytest.approx(found["loss"], rel=0.05)


def test_cross_entropy_of_a_saturated_sigmoid_is_finite(classes: str) -> None:
    arguments = ("--data", classes, "--target", "t", "--loss", "cross_entropy", "--epochs", "1")
    found = train("w = -500; b = 900; s = w*x + b; sigmoid(s)", *arguments, "--rate", "1e-3")
    assert found["output"] == "mean(softplus(s) - t*s)"
    assert found["start"]["loss"] == pytest.approx(611.21697)
    other = train("w = 0.1; exp(-(w*x)^2)*0.9", *arguments)
    assert other["output"] == ("cross_entropy(stack(exp(-(w*x)^2)*0.9, 1 - exp(-(w*x)^2)*0.9, axis=1), stack(t, 1 - t, axis=1))")


def test_the_loss_is_blamed_where_the_prediction_is_finite(rows: str) -> None:
    answer = said(run("train", "w = 1e200; w*x", "--data", rows, "--target", "y"))
    assert answer.startswith("error: mse(w*x, y) is inf at step 1, in epoch 1, its inputs are [")
    assert "w*x is inf" not in answer


def test_what_is_no_probability_and_what_is_no_row_of_scores_is_told(tmp_path: Path, classes: str) -> None:
    cross = ["--target", "y", "--loss", "cross_entropy"]
    assert "one_hot(y, 4)" in told(tmp_path, "x,y\n1,0\n2,3\n", "w = 0; sigmoid(w*x)", *cross)
    answer = said(run("train", "w = 0; w*x", "--data", classes, "--target", "t", "--loss", "softmax_cross_entropy"))
    assert "takes a row of scores for each row of the data" in answer


def test_a_run_that_gains_nothing_says_so_unless_it_began_at_the_minimum(tmp_path: Path) -> None:
    (tmp_path / "line.csv").write_text("x,y\n1,1\n-1,-1\n")
    arguments = ("--data", f"{tmp_path}/line.csv", "--target", "y", "--epochs", "2")
    worse = run("train", "w = 0; w*x", *arguments, "--rate", "1")
    assert (worse.status, worse.err) == (
        0,
        "warning: nothing was gained in 2 epochs: mse(w*x, y) is the same as at the start\n"
        "  try --rate 0.5: at the start, rates below 1 are stable\n",
    )
    assert run("train", "w = 1; w*x", *arguments).err == ""


def test_arrays_that_the_table_shortens_are_kept_by_save(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", X=numpy.eye(40), y=numpy.arange(40.0))
    arguments = ("train", "w = zeros(40); b = 0; X @ w + b", "--data", f"{tmp_path}/d.npz", "--target", "y")
    answer = run(*arguments)
    assert answer.err == "shown in part: w; --save FILE.npz keeps what is learned, and --bindings FILE.npz reads it\n"
    assert run(*arguments, "--save", f"{tmp_path}/m.npz").err == run(*arguments, "--quiet").err == ""
    small = run("train", "w = zeros(2); X[:, 0:2] @ w", *arguments[2:])
    assert (small.status, small.err) == (0, "")


def test_a_table_tells_a_seed_that_nobody_gave_and_bounds_that_were_reached(rows: str) -> None:
    arguments = ("train", LINE, "--target", "y", "--data", rows, "--bound", "w=0..0.5", "--rate", "0.3")
    plain, shuffled, given = run(*arguments), run(*arguments, "--shuffle"), run(*arguments, "--shuffle", "--seed", "7")
    assert [bool(re.search(r"^seed \d+$", answer.out, re.MULTILINE)) for answer in (plain, shuffled, given)] == [False, True, False]
    assert re.search(r"^w +0 +0.5 +0..0.5, reached$", plain.out, re.MULTILINE)
    failed = run(*arguments[:-1], "1e3", "--epochs", "30").out
    assert "failed training by gradient descent" in failed


def test_a_forgotten_target_and_an_idle_parameter_are_told(rows: str) -> None:
    forgotten = run("train", LINE, "--data", rows, "--epochs", "2")
    assert forgotten.err == "warning: there is no --target, so the output itself is made small; the column y is not used\n"
    idle = run("train", f"k = 3; {LINE}", "--data", rows, "--epochs", "2", "--target", "y")
    assert idle.err == "warning: the loss does not depend on k: it stays as it is, and nothing uses it\n"
    jumps = run("train", "k = 3.5; w = 0; b = 0; w*x + b + floor(k)", "--data", rows, "--epochs", "2", "--target", "y")
    assert jumps.err == "warning: the loss changes with k only in jumps: it stays as it is\n"


@pytest.mark.parametrize("more", [(), ("--batch", "7"), ("--method", "momentum")])
def test_the_rate_that_is_advised_works(rows: str, more: tuple[str, ...]) -> None:
    arguments = ("w = 0; b = 0; w*(10*x) + b", "--data", rows, "--target", "y", *more)
    answer = run("train", *arguments, "--rate", "10")
    assert answer.status == 2
    assert "the last good state, after step 0: w = 0, b = 0" in answer.err
    rate = re.search(r"try --rate (\S+):", answer.err)
    assert rate is not None
    assert train(*arguments, "--rate", rate[1])["loss"] < 0.5


def test_data_may_come_from_standard_input_and_from_pipes(rows: str, tmp_path: Path) -> None:
    arguments = (LINE, "--target", "y", "--epochs", "3")
    text = Path(rows).read_text()
    wanted = run("train", *arguments, "--data", rows).out
    assert run("train", *arguments, "--data", "-", stdin=text).out == wanted
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/sh", "-c", 'cat "$0" > "$1"', rows, str(pipe)]):
        assert run("train", *arguments, "--data", str(pipe)).out == wanted
    both = run("train", "-", "--data", "-", stdin=text)
    assert both.status == 2
    assert "both to come from standard input" in both.err


def test_a_saved_run_of_another_program_is_named(rows: str, tmp_path: Path) -> None:
    model = f"{tmp_path}/m.npz"
    train(LINE, "--target", "y", "--data", rows, "--epochs", "2", "--save", model)
    answer = said(run("train", "w = 0; w*x", "--target", "y", "--data", rows, "--save", model, "--resume"))
    assert answer.startswith(f"error: {model} is a run of another program: it learned b")
    assert "--over" not in answer


@pytest.mark.parametrize(("encoding", "words"), [("utf-16", "is UTF-16 text"), ("latin-1", "rows.csv:3 is not UTF-8 text")])
def test_how_to_save_a_table_in_another_encoding_is_told(tmp_path: Path, encoding: str, words: str) -> None:
    (tmp_path / "rows.csv").write_bytes("x,y\n1,2\n3,é\n".encode(encoding))
    answer = said(run("train", "w = 0; w*x", "--target", "y", "--data", f"{tmp_path}/rows.csv"))
    assert words in answer
    assert "CSV UTF-8" in answer


def test_a_batch_of_no_rows_is_too_small(rows: str) -> None:
    assert said(run("train", LINE, "--target", "y", "--data", rows, "--batch", "0")) == "error: --batch: 0 is less than 1\n"
