"""`gradcalc fit`: parameters with their errors, in every format; what can't be fitted."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy
import pytest

from tests.cli.harness import run

DATA = ("--data", "examples/data/misra1a.csv")
MISRA = ("b1*(1 - exp(-b2*x))", *DATA, "--target", "y", "--b1", "500", "--b2", "1e-4")


def test_the_table_has_the_certified_values() -> None:
    answer = run("fit", *MISRA)
    assert (answer.status, answer.err) == (0, "")
    assert "✓ converged" in answer.out
    assert "238.9421292" in answer.out  # certified: 2.3894212918E+02 with the standard deviation 2.7070075241E+00
    assert "2.70701" in answer.out
    assert "0.1245513889" in answer.out


def test_json_gives_the_values_as_inputs(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    assert run("fit", *MISRA, "--format", "json", "-o", str(path)).status == 0
    document = json.loads(path.read_text("utf-8"))
    assert document["inputs"]["b1"] == pytest.approx(238.94212918, rel=1e-10)
    assert document["parameters"]["b2"]["standard_error"] == pytest.approx(7.2668688436e-06, rel=1e-9)
    assert document["covariance"][0][0] == pytest.approx(2.7070075241**2, rel=1e-9)
    assert document["degrees_of_freedom"] == 12
    predicted = run("b1*(1 - exp(-b2*x))", "--x", "77.6", "--bindings", str(path), "--value").out
    assert float(predicted) == pytest.approx(9.99, abs=0.02)


def test_csv_has_a_line_for_each_parameter() -> None:
    rows = list(csv.DictReader(io.StringIO(run("fit", *MISRA, "--format", "csv").out)))
    assert [row["name"] for row in rows if row["kind"] == "input"] == ["b1", "b2"]
    assert {row["name"]: row["end"] for row in rows if row["kind"] == "run"}["stopped"] == "converged"
    assert float(rows[0]["standard_error"]) == pytest.approx(2.7070075241)
    assert float(rows[0]["end"]) == pytest.approx(238.94212918, rel=1e-10)
    assert float(rows[0]["start"]) == 500


def test_only_the_named_inputs_are_fitted() -> None:
    answer = json.loads(run("fit", *MISRA, "--over", "b2", "--format", "json").out)
    assert list(answer["parameters"]) == ["b2"]
    assert answer["degrees_of_freedom"] == 13


def test_defaults_of_a_program_are_starts() -> None:
    answer = run("fit", "b1 = 250; b2 = 5e-4; b1*(1 - exp(-b2*x))", *DATA, "--target", "y", "--format", "json")
    assert json.loads(answer.out)["inputs"]["b1"] == pytest.approx(238.94212918, rel=1e-10)


def test_targets_and_deviations_are_expressions_of_columns() -> None:
    line = ("m*x + b", *DATA, "--target", "log(y)", "--m", "0", "--b", "1", "--format", "json")
    plain = json.loads(run("fit", *line).out)
    weighted = json.loads(run("fit", *line, "--sigma", "2").out)
    assert weighted["inputs"] == pytest.approx(plain["inputs"])
    scale = plain["residual_standard_deviation"] / 2
    assert plain["parameters"]["m"]["standard_error"] == pytest.approx(scale * weighted["parameters"]["m"]["standard_error"])


def test_correlations_are_shown_on_request() -> None:
    assert "correlation" in run("fit", *MISRA, "--correlations").out
    assert "correlation" not in run("fit", *MISRA).out


def test_a_fit_that_stops_early_fails() -> None:
    answer = run("fit", *MISRA, "--steps", "1")
    assert answer.status == 1
    assert "stopped after 1 step: the limit of 1 steps is reached" in answer.out
    assert "this is no minimum" in answer.err


def test_what_the_data_do_not_determine_is_said() -> None:
    answer = run("fit", "a*b*x^n", *DATA, "--target", "y", "--a", "1", "--b", "2", "--n", "1")
    assert answer.status == 1
    assert answer.err == "warning: the data do not determine a and b: their standard error is infinite\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a*x", *DATA, "--target", "z", "--a", "1"), "has no column z"),
        (("a*x^n", *DATA, "--target", "y", "--a", "1"), "n has no value, and is no column"),
        (("a*x", *DATA, "--target", "y", "--a", "1", "--over", "b"), "--over b: the formula has no such input"),
        (("a*x", *DATA, "--target", "y", "--a", "1", "--over", "x"), "--over x: that is a column"),
        (("a*x", "--data", "nowhere.csv", "--target", "y", "--a", "1"), "nowhere.csv does not exist"),
        (("a*x", *DATA, "--target", "y +", "--a", "1"), "--target: an operand is missing"),
        (("a*x", *DATA, "--target", "y; x", "--a", "1"), "--target is one expression, and not 2"),
        (("a*x", *DATA, "--target", "y", "--sigma", "x - 300", "--a", "1"), "standard deviation in examples/data/misra1a.csv:2 is"),
        (("x^2", *DATA, "--target", "y"), "there is nothing to fit"),
        (("sum([a, x])", *DATA, "--target", "y", "--a", "1"), "a fit goes row by row over numbers"),
        (
            ("sqrt(a - x)", *DATA, "--target", "y", "--a", "1"),
            "at the start (a = 1) the formula is nan in examples/data/misra1a.csv:2",
        ),
        (("a*x", *DATA, "--target", "y", "--a", "0..1"), "--a is a range"),
        (("a*x", "--target", "y", "--a", "1"), "error: there are no data\n"),
        (("a*x", *DATA, "--a", "1"), "error: there is no target\n"),
        (("a*x + b", *DATA, "--target", "y"), "a and b have no value, and are no columns"),
        (("a*x + b", *DATA, "--target", "y"), "--a NUMBER --b NUMBER"),
        (("a*x", *DATA, "--target", "y", "--a", "1", "--bound", "a=0..1"), "a fit has no bounds"),
        (("sum(a)*x", *DATA, "--target", "y", "--a", "[1, 2]"), "gradcalc train takes arrays"),
    ],
)
def test_what_cannot_be_fitted(arguments: tuple[str, ...], words: str) -> None:
    answer = run("fit", *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_columns_of_arrays_are_for_train(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "arrays.npz", X=numpy.ones((5, 3)), y=numpy.ones(5))
    answer = run("fit", "X@w", "--data", f"{tmp_path}/arrays.npz", "--target", "y", "--w", "[0, 0, 0]")
    assert answer.status == 2
    assert "a fit goes row by row over numbers" in answer.err
    assert "gradcalc train takes arrays" in answer.err


def test_a_program_may_be_named_and_the_data_piped(tmp_path: Path) -> None:
    program = tmp_path / "line.gc"
    program.write_text("m = 1; b = 0; line = m*x + b")
    table = "x,y\n0,1\n1,3.1\n2,4.9\n3,7\n"
    answer = run("fit", str(program), "--data", "-", "--target", "y", stdin=table)
    assert answer.status == 0, answer
    assert answer.out.splitlines()[0] == "y ≈ m*x + b"


def test_a_hopeless_start_is_told_from_data_that_say_nothing() -> None:
    answer = run("fit", "A*exp(-(x - m)^2/(2*s^2))", *DATA, "--target", "y", "--A", "1", "--m", "1e5", "--s", "1")
    assert answer.status == 1
    assert "does not change with A and m and s around this start" in answer.err
    assert "begin elsewhere" in answer.err


def test_percentages_have_no_exponents() -> None:
    answer = run("fit", "a*x + b*sin(x)", *DATA, "--target", "y", "--a", "1", "--b", "1")
    assert re.search(r"\d{2,} %", answer.out)
    assert not re.search(r"e\+\d+ %", answer.out)


def test_the_data_are_not_written_over(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("x,y\n1,2\n2,3\n3,5\n")
    answer = run("fit", "m*x", "--data", str(table), "--target", "y", "--m", "1", "-o", f"{tmp_path}/./mine.csv")
    assert (answer.status, "is the table that is read" in answer.err) == (2, True), answer
    assert table.read_text() == "x,y\n1,2\n2,3\n3,5\n"


def test_a_mean_and_a_draw_can_be_fitted() -> None:
    mean = run("fit", "a", "--data", "examples/data/line.csv", "--target", "y", "--a", "0")
    assert (mean.status, mean.err) == (0, "")
    assert "degrees of freedom           39" in mean.out
    assert run("fit", "randn()*a + b*x", "--data", "examples/data/line.csv", "--target", "y", "--a", "1", "--b", "1").status == 0


def test_rows_are_told_by_their_lines_and_weighted_squares_by_their_name(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n1,2\n\n2,-3\n")
    answer = run("fit", "a*x", "--data", str(table), "--target", "log(y)", "--a", "1")
    assert answer.err.startswith(f"error: the target in {table}:4 is nan\n")
    table.write_text("x,y\n1,2\n")
    assert (
        "1 row cannot determine 2 parameters"
        in run("fit", "a*x + b", "--data", str(table), "--target", "y", "--a", "1", "--b", "1").err
    )
    weighted = run("fit", "a*x", "--data", "examples/data/line.csv", "--target", "y", "--a", "1", "--sigma", "0.5").out
    assert "chi-squared" in weighted and "residual sum of squares" not in weighted
    assert "residual standard deviation, in sigmas  " in weighted
