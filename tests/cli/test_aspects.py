"""Forward mode, uncertainties and sensitivity from the command line: tables, JSON, CSV, bare values, and mistakes."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.harness import process, run, value

PENDULUM = ("4*pi^2*L/T^2", "--L", "0.995±0.002", "--T", "2.001+/-0.005")


def test_an_uncertain_result_in_a_table() -> None:
    answer = run(*PENDULUM)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("4*pi^2*L/T^2 = 9.810 ± 0.053\n")
    head = next(line for line in answer.out.splitlines() if line.startswith(" #"))
    assert head.split() == ["#", "node", "gate", "inputs", "value", "uncertainty", "share", "gradient", "numerical", "verdict"]


def test_the_bare_value_reads_back() -> None:
    text = value(*PENDULUM).strip()
    assert text == "9.81044348299005±0.052844808460276886"
    assert value("g", "--g", text).strip() == text


def test_json_has_full_precision() -> None:
    answer = run(*PENDULUM, "--format", "json", "--monte-carlo", "1000", "--seed", "2")
    document = json.loads(answer.out)
    assert document["uncertainty"] == 0.052844808460276886
    assert sum(document["shares"].values()) == pytest.approx(1.0)
    assert set(document["second_order"]) == {"mean", "uncertainty"}
    assert document["monte_carlo"]["draws"] == 1000
    assert document["misleading"] is False
    rows = {node["name"]: node for node in document["nodes"]}
    assert rows["L"]["uncertainty"] == 0.002
    assert rows["L"]["share"] == document["shares"]["L"]
    assert "share" not in rows["T^2"]
    again = run(*PENDULUM, "--format", "json", "--monte-carlo", "1000", "--seed", "2")
    assert again.out == answer.out
    bare = json.loads(run(*PENDULUM, "--format", "json", "--value").out)
    assert bare == {"value": document["value"], "uncertainty": document["uncertainty"]}


def test_csv_has_columns_more() -> None:
    rows = list(csv.DictReader(io.StringIO(run(*PENDULUM, "--format", "csv", "--sensitivity").out)))
    assert rows[-1]["uncertainty"] == "0.052844808460276886"
    assert [row["elasticity"] for row in rows if row["name"] == "T"] == [rows[7]["elasticity"]]
    assert float(rows[7]["elasticity"]) == pytest.approx(-2.0)
    plain = run("x*2", "--x", "1", "--format", "csv").out
    assert plain.startswith("output,id,name,gate,inputs,shape,value,gradient,numerical,error_bar,left,right,verdict\n")


def test_a_warning_where_first_order_misleads_does_not_fail() -> None:
    answer = run("x^2", "--x", "0±0.1")
    assert answer.status == 0
    assert answer.err.startswith("warning: first order misleads: it gives x^2 ± 0, second order ± 0.014")
    assert run("x^2", "--x", "0±0.1", "--quiet").err == ""


def test_correlations() -> None:
    assert value("x - y", "--x", "5±1", "--y", "3±1", "--correlation", "x,y=1").strip() == "2±0"
    assert value("x + y", "--x", "5±1", "--y", "3±1", "--correlation", "x,y=1").strip() == "8±2"
    elements = value("x[0] + x[1]", "--x", "[1, 2]±1", "--correlation", "x[0],x[1]=-1").strip()
    assert elements == "3±0"


def test_forward_mode_in_all_formats() -> None:
    program = ("q = x*y; sin(q) + x", "--x", "1", "--y", "2", "--mode", "forward")
    table = run(*program)
    assert (table.status, table.err) == (0, "")
    assert "forward mode and numerical derivatives agree" in table.out
    head = next(line for line in table.out.splitlines() if line.startswith("#"))
    assert head.split() == ["#", "node", "gate", "inputs", "value", "d/dx", "d/dy", "verdict"]
    document = json.loads(run(*program, "--format", "json").out)
    assert document["mode"] == "forward"
    assert document["directions"] == [{"x": 1.0}, {"y": 1.0}]
    assert [tangent["value"] for tangent in document["nodes"][2]["tangents"]] == [2.0, 1.0]
    assert document["gradients"]["x"] == pytest.approx(0.1677063269057152)
    rows = list(csv.DictReader(io.StringIO(run(*program, "--format", "csv").out)))
    assert [(row["name"], row["direction"], row["tangent"]) for row in rows[4:6]] == [("q", "x=1", "2"), ("q", "y=1", "1")]


def test_a_direction_has_a_column_with_its_check() -> None:
    answer = run("x*y", "--x", "3", "--y", "5", "--mode", "forward", "--direction", "x=2, y=-1")
    assert "along x = 2, y = -1" in answer.out
    assert "derivative  numerical" in answer.out
    twice = run("x*y", "--x", "3", "--y", "5", "--mode", "forward", "--direction", "x=2", "--direction", "y=-1")
    assert twice.out == answer.out


def test_sensitivity_paints_the_source() -> None:
    answer = run("a + b", "--a", "9", "--b", "1", "--sensitivity")
    assert "elasticity" in answer.out
    assert "  a + b\n  ▆ ▇ ▃\n" in answer.out or "  a + b\n  ▆ ▇ ▂\n" in answer.out or "  a + b\n  ▆ ▇ ▄\n" in answer.out
    document = json.loads(run("a + b", "--a", "9", "--b", "1", "--sensitivity", "--format", "json").out)
    (line,) = document["source"]
    assert (line["line"], line["text"]) == (1, "a + b")
    assert line["pieces"][0] == {"start": 0, "end": 1, "node": 0, "elasticity": 0.9}
    assert document["nodes"][0]["elasticity"] == 0.9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "sideways"), "there is no sideways"),
        (("--direction", "x=1"), "--direction is for forward mode"),
        (("--mode", "forward", "--upstream", "2"), "does not go with --upstream"),
        (("--mode", "forward", "--sensitivity"), "does not go with --sensitivity"),
        (("--mode", "forward", "--value"), "does not go with --value"),
        (("--mode", "forward", "--check", "complex"), "does not go with --check complex"),
        (("--mode", "forward", "--check-all"), "does not go with --check-all"),
        (("--mode", "forward", "--wrt", "x", "--direction", "x=1"), "does not go with --wrt and --direction"),
        (("--mode", "forward", "--direction", "x"), "x is not NAME=VALUE"),
        (("--mode", "forward", "--direction", "x=1,x=2"), "x is given twice"),
        (("--mode", "forward", "--direction", "x=1", "--direction", "x=2"), "gives x twice"),
        (("--mode", "forward", "--direction", "x=0..1"), "0..1 is not a single value"),
        (("--mode", "forward", "--direction", "x=oops("), "--direction x"),
        (("--sensitivity", "--value"), "without --sensitivity"),
        (("--monte-carlo", "100"), "no input is uncertain"),
        (("--monte-carlo", "1"), "is not between 10"),
        (("--correlation", "x,y=0.1"), "no input is uncertain"),
        (("--correlation", "x"), "is not a correlation"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], words: str) -> None:
    answer = run("x*y", "--x", "1", "--y", "2", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert words in answer.err


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1±-1", "not negative"),
        ("1±inf", "finite"),
        ("[1,2]±[1,2,3]", "differ in shape"),
        ("1±", "empty part"),
        ("1±2±3", "not a value"),
    ],
)
def test_uncertainties_that_are_none(value: str, words: str) -> None:
    answer = run("x*2", "--x", value)
    assert answer.status == 2
    assert words in answer.err
    assert answer.out == ""


def test_a_plain_evaluation_loads_none_of_it() -> None:
    code = "import sys; from gradcalc.cli import main; main(['x*2', '--x', '1']); "
    code += (
        "print([m for m in sys.modules if m.startswith(('gradcalc.uncertainty', 'gradcalc.aspects', 'numpy'))], file=sys.stderr)"
    )
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stderr.strip() == b"[]"


def test_in_a_process_with_a_narrow_encoding() -> None:
    done = process("x*2", "--x", "1±0.5", "--value")
    assert done.stdout.decode().strip() == "2±1"


def test_a_mistake_about_uncertain_values_is_told_once() -> None:
    answer = run("x*2; x*3", "--x", "1±0.1", "--correlation", "x,y=0.3")
    assert answer.status == 2
    assert answer.err.count("error:") == 1
