"""`gradcalc optimize`: the worked cases, what is printed in each format, and what is said of mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from examples.pictures.terminal import Terminal
from gradcalc.learning.methods import METHODS
from tests.cli.harness import COMMAND, ROOT, run

CASES = {
    "12-neuron.gc": (0.8807970779778823, 0.8825501816218984),
    "11-chain.gc": (-12, -11.5924),
    "31-climbing.gc": (-6, -5.8706),
}
VALLEY = ("(1 - x)^2 + 100*(y - x^2)^2", "--x", "-1", "--y", "1")


def found(*arguments: str) -> dict[str, Any]:
    """The only document of a command line that has nothing to complain of."""
    answer = run("optimize", *arguments, "--format", "json")
    assert (answer.status, answer.err) == (0, ""), answer
    document: dict[str, Any] = json.loads(answer.out)
    return document


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["gradient", "numerical"])
def test_one_step_uphill_on_an_example(name: str, method: str) -> None:
    before, after = CASES[name]
    document = found("-f", f"{ROOT}/examples/{name}", "--maximize", "--method", method, "--rate", "0.01", "--steps", "1")
    assert document["start"]["value"] == pytest.approx(before, rel=1e-12, abs=0)
    assert document["value"] == pytest.approx(after, rel=1e-12 if method == "gradient" else 1e-9, abs=0)
    assert (document["steps"], document["stopped"]) == (1, "steps")


def test_a_random_tweak_is_kept_when_it_is_better() -> None:
    document = found("-f", f"{ROOT}/examples/31-climbing.gc", "--maximize", "--method", "random", "--steps", "100", "--seed", "1")
    assert document["value"] > -5.8706


def test_one_step_uphill_on_a_product() -> None:
    document = found("x*y", "--x", "-2", "--y", "3", "--maximize", "--steps", "1")
    assert (document["start"]["value"], document["value"]) == (-6, pytest.approx(-5.8706, rel=1e-12))
    assert document["inputs"] == {"x": pytest.approx(-1.97), "y": pytest.approx(2.98)}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_down_and_says_how(method: str) -> None:
    document = found(
        *VALLEY,
        "--minimize",
        "--method",
        method,
        "--steps",
        "300",
        "--seed",
        "1",
        *(["--rate", "0.001"] * (METHODS[method].rate == 0.01)),
    )
    assert document["value"] < document["start"]["value"] == 4
    assert document["method"] == method
    assert document["goal"] == "minimize"
    assert document["gradient_norm"] >= 0


def test_the_table_shows_inputs_before_and_after() -> None:
    answer = run("optimize", "(x - 3)^2 + y^2", "--minimize", "--x", "0", "--y", "1", "--rate", "0.5")
    assert answer.status == 0
    assert answer.out.splitlines() == [
        "(x - 3)^2 + y^2 = 0, from 10",
        "minimized by gradient descent, rate 0.5; 1 step: the gradient is no longer than 1e-08",
        "length of the gradient 0, from 6.32456",
        "",
        "input  start  end  gradient",
        "x          0    3         0",
        "y          1    0         0",
    ]


def test_only_the_inputs_asked_for_are_changed() -> None:
    document = found("a*x^2 + b", "--a", "2", "--x", "1", "--b", "5", "--minimize", "--over", "x", "--rate", "0.25")
    assert document["inputs"] == {"x": pytest.approx(0, abs=1e-8)}
    assert document["value"] == pytest.approx(5)


def test_arrays_are_changed_too() -> None:
    document = found("sum((W - 2)^2) + b^2", "--W", "[[0, 1], [5, 2]]", "--b", "1", "--minimize", "--method", "lbfgs")
    assert [pytest.approx([2, 2], abs=1e-6)] * 2 == document["inputs"]["W"]
    assert document["gradients"]["W"]


def test_a_range_is_a_bound_and_the_middle_a_start() -> None:
    document = found("(x - 9)^2", "--minimize", "--x", "0..5", "--rate", "0.3")
    assert document["start"]["inputs"] == {"x": 2.5}
    assert document["inputs"] == {"x": 5}
    again = found("(x - 9)^2", "--minimize", "--x", "1", "--bound", "x=0..2*pi", "--rate", "0.3")
    assert again["inputs"] == {"x": pytest.approx(6.283185307179586)}
    half = found("(x - 9)^2", "--maximize", "--x", "1", "--bound", "x=-3..inf", "--rate", "0.3", "--steps", "50")
    assert half["inputs"] == {"x": -3}


def test_several_starts_find_what_one_does_not() -> None:
    arguments = ("x*sin(x)", "--maximize", "--x", "1", "--bound", "x=0..20", "--method", "newton", "--seed", "1")
    one, many = found(*arguments), found(*arguments, "--starts", "20")
    assert one["value"] == pytest.approx(7.916727371587782)
    assert many["value"] == pytest.approx(18.258905014552553)
    assert len(many["starts"]) == 20
    assert many == found(*arguments, "--starts", "20")
    table = run("optimize", *arguments, "--starts", "20").out
    assert "the best of 20 starts; seed 1" in table
    assert len(re.findall(r"^ *\d+ .* the gradient is short enough$", table, re.MULTILINE)) == 20


def test_random_search_is_repeatable_by_its_seed() -> None:
    arguments = (*VALLEY, "--minimize", "--method", "random", "--steps", "50")
    first, second, other = (found(*arguments, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == second
    assert first["value"] != other["value"]


@pytest.mark.parametrize("method", ["adam", "random"])
def test_every_step_as_csv(method: str) -> None:
    answer = run(
        "optimize",
        "x*y",
        "--maximize",
        "--x",
        "-2",
        "--y",
        "3",
        "--steps",
        "5",
        "--method",
        method,
        "--seed",
        "1",
        "--trace",
        "--format",
        "csv",
    )
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert list(rows[0]) == ["output", "start", "step", "value", "gradient_norm", "x", "y"]
    assert [row["step"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    for row in rows:
        assert float(row["value"]) == float(row["x"]) * float(row["y"])
        assert (row["gradient_norm"] == "") is (method == "random")


def test_every_step_as_json_and_then_the_result() -> None:
    answer = run(
        "optimize",
        "sum(w^2)",
        "--minimize",
        "--w",
        "[1, 2]",
        "--steps",
        "2",
        "--trace",
        "--format",
        "json",
        "--starts",
        "2",
        "--seed",
        "1",
    )
    *steps, last = map(json.loads, answer.out.splitlines())
    assert [(step["start"], step["step"]) for step in steps] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert steps[0]["inputs"] == {"w": [1, 2]}
    assert last["inputs"] in [steps[2]["inputs"], steps[5]["inputs"]]


def test_the_result_as_csv() -> None:
    answer = run("optimize", "x^2 + sum(w)*0", "--minimize", "--x", "3", "--w", "[1, 2]", "--rate", "0.5", "--format", "csv")
    assert answer.out.splitlines() == [
        "output,kind,name,start,end,gradient",
        "x^2 + sum(w)*0,output,,9,0,",
        "x^2 + sum(w)*0,input,x,3,0,0",
        'x^2 + sum(w)*0,input,w,"[1, 2]","[1, 2]","[0, 0]"',
        "x^2 + sum(w)*0,run,steps,,1,",
        "x^2 + sum(w)*0,run,gradient_norm,6,0,",
        "x^2 + sum(w)*0,run,stopped,,tolerance,",
    ]


def test_every_start_has_a_row_in_csv() -> None:
    answer = run(
        "optimize", "x^2", "--minimize", "--x", "3", "--method", "newton", "--starts", "3", "--seed", "1", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    starts = [row for row in rows if row["kind"] == "start"]
    assert [row["name"] for row in starts] == ["1", "2", "3"]
    assert float(starts[0]["start"]) == 9
    assert all(float(row["end"]) == 0 for row in starts)


@pytest.mark.parametrize("method", ["gradient", "newton", "lbfgs", "momentum"])
def test_a_search_without_end_fails(method: str) -> None:
    answer = run("optimize", "-(x^2)", "--minimize", "--x", "1", "--method", method)
    assert answer.status == 2
    assert answer.err.startswith("error: -x^2 has no minimum here: it falls without end (to -")
    assert "Warning" not in answer.err
    assert "minimized" not in answer.out


def test_a_method_that_overflows_inside_says_so() -> None:
    answer = run("optimize", "1e200*x^2", "--minimize", "--x", "1", "--method", "adam")
    assert answer.status == 2
    assert "is too large for adam, which squares it" in answer.err


@pytest.mark.parametrize("more", [(), ("--method", "newton")])
def test_a_top_is_no_minimum(more: tuple[str, ...]) -> None:
    answer = run("optimize", "cos(x)", "--minimize", "--x", "0", *more)
    assert answer.status == 2
    assert "error: the start is a stationary point, and no minimum" in answer.err
    assert "begin elsewhere" in answer.err
    assert "failed minimizing by" in answer.out
    assert "minimized" not in answer.out


def test_what_used_up_its_steps_is_not_called_minimized() -> None:
    answer = run("optimize", "x^2", "--minimize", "--x", "3", "--steps", "2")
    assert answer.status == 0
    assert "minimizing by gradient descent, rate 0.01; 2 steps: all steps are made" in answer.out


def test_a_rate_that_is_too_large_leaves_the_start_and_names_a_good_one() -> None:
    answer = run("optimize", "x^4", "--minimize", "--x", "1", "--rate", "1")
    assert answer.status == 2
    assert "try --rate 0.083: at the start, rates below 0.17 are stable" in answer.err
    assert answer.out.splitlines()[0] == "x^4 = 1, from 1"
    assert "last good" in answer.out


def test_at_a_bound_the_length_of_the_gradient_says_what_it_leaves_out() -> None:
    answer = run("optimize", "(x - 9)^2", "--minimize", "--x", "0..5", "--rate", "0.3")
    assert "length of the gradient, without what pushes against a bound: 0, from 13" in answer.out
    assert "-8" in answer.out


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_name_of_the_file_says_the_format(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"out.{kind}"
    arguments = ("optimize", "x^2", "--minimize", "--x", "1", "--seed", "1")
    assert run(*arguments, "-o", str(target)).status == 0
    assert target.read_text() == run(*arguments, "--format", kind).out
    assert run(*arguments, "-o", str(target), "--format", kind).status == 0
    refused = run(*arguments, "-o", str(target), "--format", "table")
    assert refused.status == 2
    assert f"asks for {kind}, and --format for table" in refused.err
    plain = tmp_path / "out.txt"
    assert run(*arguments, "-o", str(plain)).status == 0
    assert plain.read_text().startswith("x^2 = ")


def test_a_range_without_an_end_is_a_bound() -> None:
    answer = run("optimize", "x^2", "--minimize", "--x", "0..inf")
    assert answer.status == 2
    assert "--bound x=0..inf" in answer.err


def test_long_traces_are_shortened_in_tables() -> None:
    arguments = ("optimize", "x^2", "--minimize", "--x", "1", "--steps", "300", "--trace")
    assert "… 201 more rows: --all shows them" in run(*arguments).out
    assert len(run(*arguments, "--all").out.splitlines()) == 301 + 8


def test_every_output_is_optimized_on_its_own() -> None:
    answer = run("optimize", "x^2; (x - 1)^2", "--minimize", "--x", "3", "--rate", "0.5", "--format", "json")
    assert [json.loads(line)["inputs"]["x"] for line in answer.out.splitlines()] == [0, 1]


def test_an_input_that_does_not_count_is_a_warning() -> None:
    answer = run("optimize", "x^2 + floor(y)", "--x", "1", "--y", "2", "--minimize", "--over", "x,y", "--rate", "0.5")
    assert answer.status == 0
    assert answer.err == "warning: x^2 + floor(y) has no derivative by y: it stays as it is\n"
    assert "\ny" not in answer.out


def test_a_failed_search_shows_where_it_came_to_and_replaces_no_file(tmp_path: Path) -> None:
    answer = run("optimize", "log(x)", "--x", "1", "--minimize", "--rate", "0.1")
    assert "x          1  0.3154438489" in answer.out
    target = tmp_path / "out.txt"
    target.write_text("before")
    assert run("optimize", "log(x)", "--x", "1", "--minimize", "--rate", "0.1", "-o", str(target)).status == 2
    assert target.read_text() == "before"


def test_scipy_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy.optimize", None)
    answer = run("optimize", "x^2", "--x", "1", "--minimize", "--method", "lbfgs")
    assert answer.status == 2
    assert 'pip install "gradcalc[optimize]"' in answer.err


LONG = (
    "optimize",
    "sum(sin(w)^2) + x^2",
    "--w",
    "rand(300)",
    "--x",
    "1",
    "--minimize",
    "--rate",
    "1e-9",
    "--steps",
    "60000",
    "--tolerance",
    "0",
)


def on_a_terminal(*arguments: str, **environment: str) -> tuple[str, str]:
    """What a command writes to standard error, which is a terminal, and to standard output, which is none."""
    master, slave = pty.openpty()
    settings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm-256color"} | environment
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=slave, stdin=subprocess.DEVNULL, cwd=ROOT, env=settings
    ) as running:
        os.close(slave)
        seen = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        assert running.stdout is not None
        out = running.stdout.read().decode()
        assert running.wait(60) == 0
    os.close(master)
    return seen.decode(), out


def test_a_curve_and_a_bar_are_for_those_who_watch() -> None:
    shown, out = on_a_terminal(*LONG)
    assert "value, by step" in re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", shown) or "sum(sin(w)^2)" in shown
    assert "of 60000" in shown
    assert "┤" in shown
    assert "┤" not in out and "\x1b" not in out
    assert out.startswith("sum(sin(w)^2) + x^2 = ")


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        (
            ("--x", "6", "--rate", "1"),
            "nothing was gained in 1000 steps: x^2 is the same as at the start\n  try --rate 0.5: at the start",
        ),
        (("--x", "6", "--rate", "1.001", "--steps", "1"), "nothing was gained in 1 step: x^2 is worse than at the start"),
        (
            ("--x", "6", "--rate", "1e-30"),
            "this is no minimum of x^2: the last step changed nothing, though there is better close by",
        ),
    ],
)
def test_a_search_that_gains_nothing_says_so(arguments: tuple[str, ...], warning: str) -> None:
    answer = run("optimize", "x^2", "--minimize", *arguments)
    assert (answer.status, f"warning: {warning}" in answer.err) == (0, True), answer
    assert "minimizing by" in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--method", "random"), True), (("--seed", "1", "--method", "random"), False), ((), False), (("--b", "rand()"), True)],
)
def test_a_table_tells_a_seed_that_nobody_gave(arguments: tuple[str, ...], told: bool) -> None:
    answer = run("optimize", "b = 2; (b + 1)*x^2", "--minimize", "--over", "x", "--x", "1", *arguments)
    assert bool(re.search(r"^seed \d+$", answer.out, re.MULTILINE)) == told


@pytest.mark.parametrize("method", ["gradient", "random"])
def test_ctrl_c_leaves_the_best_so_far(method: str) -> None:
    endless = ("--rate", "1e-12", "--steps", "100000000", "--starts", "3", "--trace", "--format", "json")
    command = [
        *COMMAND,
        "optimize",
        "sum((w - 1)^4)",
        "--w",
        "rand(3000)",
        "--minimize",
        "--method",
        method,
        "--seed",
        "1",
        *endless,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        lines = running.stdout.read().splitlines()
        assert (running.wait(60), running.stderr.read()) == (130, b"")
    document = json.loads(lines[-1])
    assert (document["stopped"], document["value"]) == ("interrupted", min(document["value"], document["start"]["value"]))


@pytest.mark.parametrize("form", ["table", "json"])
def test_results_stay_when_the_curve_goes(form: str) -> None:
    program = "(1 - x)^2 + 100*(y - x^2)^2; (2 - x)^2 + y^2"
    slow = ("--x", "-1.2", "--y", "1", "--rate", "0.0001", "--steps", "200000", "--tolerance", "0")
    command = [*COMMAND, "optimize", program, "--minimize", *slow, "--format", form]
    with Terminal(command, 100, 40, folder=str(ROOT)) as terminal:
        assert terminal.finish() == 0
        shown = terminal.text()
    assert b"of 200000" in terminal.raw
    assert "┤" not in shown
    if form == "json":
        assert shown.replace("\n", "").count('"schema": 1') == 2, shown
    else:
        assert re.search(r"^\(1 - x\)\^2 \+ 100.* = .*\nmini(.|\n)*\ny .*\n\n\(2 - x\)\^2 \+ y\^2 = (.|\n)*\ny ", shown), shown


@pytest.mark.parametrize("arguments", [(), ("--quiet",)])
def test_nobody_else_sees_them(arguments: tuple[str, ...]) -> None:
    environment = {} if arguments else {"NO_COLOR": "1"}
    shown, _ = on_a_terminal(*LONG[:-3], "30000", *LONG[-2:], *arguments, **environment)
    assert shown == ""
