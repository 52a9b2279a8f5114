"""`gradcalc eval`, in this process."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from pathlib import Path

import pytest

from gradcalc.cli.commands import COMMANDS
from gradcalc.cli.output import Output
from gradcalc.workspace import Result, Workspace
from tests.cli.harness import Stream, run, value

QUOTIENT = ("(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4")


def error(*arguments: str, stdin: str | None = None) -> str:
    """What a command line without results is told."""
    answer = run(*arguments, stdin=stdin)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    return answer.err.removeprefix("error: ").removesuffix("\n")


def test_the_word_eval_may_be_left_out() -> None:
    assert run("eval", *QUOTIENT) == run(*QUOTIENT)
    assert run(*QUOTIENT[1:], QUOTIENT[0]).out == run(*QUOTIENT).out


def test_digits_are_not_claimed_where_an_error_bar_leaves_none() -> None:
    assert "numerical derivatives agree within error bars\n" in run("1e20 + x^2", "--x", "3").out


def test_table() -> None:
    answer = run(*QUOTIENT)
    assert answer.status == 0
    assert answer.err == ""
    lines = answer.out.splitlines()
    assert lines[0] == "(a + b)/(c + d) = 0.42857142857142855"
    assert lines[1].startswith("✓ ok: ")
    assert lines[3].split() == ["#", "node", "gate", "inputs", "value", "gradient", "numerical", "verdict"]
    assert len(lines) == 11
    assert "\x1b" not in answer.out


def test_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    answer = run(*QUOTIENT, terminal=True)
    assert "\x1b[32m" in answer.out
    monkeypatch.setenv("NO_COLOR", "1")
    plain = run(*QUOTIENT, terminal=True).out
    assert "\x1b" not in plain
    assert "─" not in plain
    assert max(map(len, plain.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("a*b", "--a", "11", "--b", "22"), "242\n"),
        (QUOTIENT, "0.42857142857142855\n"),
        (("-a+b", "--a", "1", "--b", "-2"), "-3\n"),
        (("x", "--x", "1/3"), "0.3333333333333333\n"),
        (("e*2", "--e", "3"), "6\n"),
        (("x = 3; x^2",), "9\n"),
        (("x = 3; x^2", "--x", "4"), "16\n"),
        (("a; 2*a", "--a", "1"), "1\n2\n"),
        (("seed*2", "--let", "seed=4"), "8\n"),
        (("value", "--let", "value = 3"), "3\n"),
        (("v", "--v", "1"), "1\n"),
        (("x", "--x", "[[1,2],[3,4]]"), "[[1, 2], [3, 4]]\n"),
    ],
)
def test_bare_values(arguments: tuple[str, ...], text: str) -> None:
    assert value(*arguments) == text


def test_bare_values_as_json() -> None:
    assert run("x", "--x", "[1,2]", "--value", "--format", "json").out == "[1.0, 2.0]\n"
    assert error("x", "--x", "1", "--value", "--format", "csv").startswith("--value has no csv form")


def test_json() -> None:
    document = json.loads(run(*QUOTIENT, "--format", "json").out)
    assert document["output"] == "(a + b)/(c + d)"
    assert document["value"] == 3 / 7
    assert document["verdict"] == "ok"
    assert document["gradients"] == pytest.approx({"a": 1 / 7, "b": 1 / 7, "c": -3 / 49, "d": -3 / 49})
    assert [node["gate"] for node in document["nodes"]] == ["input", "input", "+", "input", "input", "+", "/"]


def test_csv_has_one_header() -> None:
    rows = list(csv.DictReader(io.StringIO(run("a; a*2", "--a", "3", "--format", "csv").out)))
    assert {row["output"] for row in rows} == {"a", "a*2"}
    assert [row["verdict"] for row in rows if row["gate"] == "*"] == ["ok"]


def test_wrt_and_upstream() -> None:
    document = json.loads(run("x*y", "--x", "2", "--y", "3", "--wrt", "x", "--upstream", "10", "--format", "json").out)
    assert document["gradients"] == {"x": 30.0}


def test_check_off() -> None:
    document = json.loads(run("x*x", "--x", "2", "--check", "off", "--format", "json").out)
    assert document["verdict"] == "off"
    assert document["gradients"] == {"x": 4.0}


def test_open() -> None:
    arguments = ("sigmoid(x)", "--x", "1", "--format", "json")
    closed = json.loads(run(*arguments).out)
    opened = json.loads(run(*arguments, "--open", "sigmoid").out)
    assert len(closed["nodes"]) == 2
    assert len(opened["nodes"]) > 4
    assert opened["value"] == pytest.approx(closed["value"])


def test_programs_from_standard_input() -> None:
    assert value("--a", "2", stdin="a\n2*a # twice\n") == "2\n4\n"
    assert value("eval", "-", "--a", "2", stdin="a") == "2\n"
    assert run(stdin="1+1\n").out.startswith("1 + 1 = 2\n")


def test_programs_from_files(tmp_path: Path) -> None:
    library = tmp_path / "lib.gc"
    library.write_text("k = 3\nf(x) = k*x")
    assert value("-f", str(library), "f(2)") == "6\n"
    assert value("-f", str(library), "-", stdin="f(1)\nf(2)\n") == "3\n6\n"
    library.write_text("k = 3\nk*2\n")
    assert value("-f", str(library)) == "6\n"


def test_a_file_that_is_too_large_is_refused_before_its_first_statement(tmp_path: Path) -> None:
    large = tmp_path / "large.gc"
    with large.open("wb") as file:
        file.write(b"1+1;\n")
        file.truncate(65 * 1024 * 1024)
    answer = run("-f", str(large))
    assert (answer.status, answer.out) == (2, "")
    assert "larger than 64 MiB" in answer.err


def test_places_in_files_and_behind_them(tmp_path: Path) -> None:
    library = tmp_path / "lib.gc"
    library.write_text("k = 3\nk*zz\n")
    assert error("-f", str(library)).startswith(f"{library}:2: zz has no value\n  k*zz\n    ^^\n")
    library.write_text("k = 3")
    assert error("-f", str(library), "k*zz").startswith("zz has no value\n  k*zz\n    ^^\n")


def test_a_bad_statement_does_not_stop_the_others() -> None:
    answer = run("--a", "1", "--value", stdin="a\na*\nzz\na+1\n")
    assert answer.out == "1\n2\n"
    assert answer.status == 2
    assert answer.err.count("error: ") == 2


def test_warnings_and_quiet() -> None:
    loud = run("log(x)", "--x", "-1", "--value")
    assert loud.out == "nan\n"
    assert loud.err.startswith("warning: log(x)")
    assert run("log(x)", "--x", "-1", "--value", "--quiet").err == ""
    assert run("log(x)", "--quiet").err.startswith("error: x has no value")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evl", "a+b"), "evl is not a command\n  did you mean gradcalc eval?"),
        (("gtes",), "gtes is not a command\n  did you mean gradcalc gates?"),
        (("a", "+", "b"), 'the program has several parts\n  put it in quotes: gradcalc "a + b"'),
        (("foo", "bar", "--a", "1"), f"foo is not a command\n  the commands are {', '.join(COMMANDS)}"),
        (("--a", "1"), 'there is no program\n  write one: gradcalc "a*b" --a 2 --b 3, or -f FILE, or - to type it'),
        (("--a", "a+b"), "there is no program\n  a+b is taken for the value of a: write the program first, or before it --"),
        (("seed*2", "--seed", "3"), "seed is an input and an option\n  write --let seed=3 for the input"),
        (("value*2", "--value", "3"),
         "one program is enough, and 3 is a second one\n  if value is an input of the program, write --let value=3"),
        (("a", "--a", "1", "--let", "a=2"), "a is given twice\n  keep one of --a 1 and --a 2"),
        (("a", "--let", "a"), "--let a is not NAME=VALUE\n  write --let rate=0.1"),
        (("a", "--format", "jsn"), "--format: there is no jsn\n  did you mean json?"),
        (("a", "--check", "never"), "--check: there is no never\n  write one of auto, central, one-sided, complex, exact, off"),
        (("a", "--digits", "99"), "--digits: 99 is not between 1 and 17"),
        (("a", "--seed", "x"), "--seed: 'x' is not a whole number"),
        (("a", "--max-array", "2x"), "--max-array: '2x' is not a size\n  write bytes, or a number with a unit: 4GiB, 500MB"),
        (("--format", "json", "gates"), "gates has no value\n  gates\n  ^^^^^\n  a command comes first: gradcalc gates"),
        (("a/(b", "--b", "3"), "this ( is never closed\n  a/(b\n    ^\n  write the missing )"),
        (("a", "--wrt", "x,"), "--wrt: a name is missing in 'x,'\n  write names parted by commas: x,y"),
        (("-a+b", "--formt", "json"), "there is no option --formt\n  did you mean --format?"),
        (("-f", "/no/such/file"), "/no/such/file can't be read: no such file or directory"),
        (("a", "--a", "1", "-o", "/no/such/file"),
         "/no/such/file can't be written: no such file or directory\n  name another file after -o"),
    ],
)  # fmt: skip
def test_mistakes(arguments: tuple[str, ...], message: str) -> None:
    assert error(*arguments) == message


def test_several_programs_behind_a_bound_name() -> None:
    for line in (("x", "--x", "3", "extra"), ("x", "--", "3")):
        assert error(*line).startswith(f"one program is enough, and {line[-1]} is a second one\n")
    assert error("--a", "1", "evl", "a+b") == "evl is not a command\n  did you mean gradcalc eval?"


@pytest.mark.parametrize("text", ["", "# x", " \n;\n"])
def test_nothing_to_evaluate(text: str) -> None:
    assert run(text) == (0, "", "warning: there is nothing to evaluate\n")
    assert run(stdin=text).err == "warning: there is nothing to evaluate\n"
    assert run(text, "--quiet") == (0, "", "")


def test_nothing_but_gates_to_evaluate() -> None:
    assert run("f(x) = x*y").err == (
        "warning: there is nothing to evaluate: the program defines gates, and no expression uses them\n"
    )


def test_wrt_may_be_repeated() -> None:
    document = json.loads(run("x*y", "--x", "2", "--y", "3", "--wrt", "x", "--wrt", "y", "--format", "json").out)
    assert document["gradients"] == {"x": 3.0, "y": 2.0}


def test_wrt_of_unknown_names_gives_no_useless_table() -> None:
    assert error("x*2", "--x", "1", "--wrt", "q") == "--wrt q: the program has no such name\n  name an input or a named node"
    answer = run("x*2; x*3; q = 3*x", "--x", "1", "--wrt", "q", "--format", "json")
    assert answer.status == 0
    assert [json.loads(line)["output"] for line in answer.out.splitlines()] == ["x*2", "x*3"]
    answer = run("x*2; q = 3*x", "--x", "1", "--wrt", "q", "--format", "json")
    assert answer.status == 0
    assert json.loads(answer.out)["output"] == "x*2"


def test_the_reason_why_nothing_is_checked() -> None:
    def second_line(*arguments: str) -> str:
        return run(*arguments).out.splitlines()[1]

    assert second_line("1+1") == "– off: not checked: it depends on no input"
    assert second_line("sqrt(x)", "--x", "-1") == "– off: not checked: the value is not finite"
    assert second_line("x*2", "--x", "1", "--check", "off") == "– off: not checked: --check off"
    lines = run("z = 3; x*2", "--x", "1", "--wrt", "z").out.splitlines()
    assert lines[1:3] == [
        "– off: not checked: there is no gradient to check",
        "x*2 does not depend on z: the gradient is 0",
    ]


def test_what_is_not_measured_is_null() -> None:
    document = json.loads(run("abs(x)", "--x", "0", "--format", "json").out)
    assert document["nodes"][0]["slopes"] == [-1.0, 1.0]
    assert document["nodes"][0]["numerical"] is None
    document = json.loads(run("sqrt(x)", "--x", "-1", "--format", "json").out)
    assert [document["nodes"][0][key] for key in ("verdict", "numerical", "error_bar")] == ["off", None, None]


def test_unknown_names_are_judged_at_the_end() -> None:
    answer = run("a", "--a", "1", "--formt", "3", "--value")
    assert answer.out == "1\n"
    assert answer.err == "error: the program has no input formt\n  did you mean --format?\n"
    answer = run("alpha", "--alpha", "1", "--alpah", "3", "--value")
    assert answer.err == "error: the program has no input alpah\n  did you mean --alpha?\n"
    assert answer.status == 2


def test_an_input_with_the_name_of_an_option_is_told_how() -> None:
    assert "--let seed=NUMBER" in error("seed*2")


def test_results_in_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    target.chmod(0o640)
    answer = run(*QUOTIENT, "--format", "json", "-o", str(target))
    assert answer == (0, "", "")
    assert json.loads(target.read_text())["value"] == 3 / 7
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_file_is_left_alone_when_results_are_missing(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    answer = run("a; zz", "--a", "1", "-o", str(target))
    assert answer.status == 2
    assert target.read_text() == "old"
    assert f"warning: {target} is left as it was" in answer.err
    assert os.listdir(tmp_path) == ["out.txt"]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert run("1+1", "--value", "-o", str(tmp_path / "link.txt")).status == 0
    assert (tmp_path / "real.txt").read_text() == "2\n"
    assert (tmp_path / "link.txt").is_symlink()


def test_devices_are_written_to() -> None:
    assert run("1+1", "-o", "/dev/null") == (0, "", "")


def test_long_tables() -> None:
    chain = "x" + "+x" * 200
    assert "more rows: --all shows them" in run(chain, "--x", "1").out
    assert "more rows" not in run(chain, "--x", "1", "--all").out


@pytest.mark.parametrize(
    ("verdict", "plain", "strict"), [("ok", 0, 0), ("kink", 0, 0), ("off", 0, 0), ("unsure", 0, 1), ("mismatch", 1, 1)]
)
def test_exit_status_of_a_check(monkeypatch: pytest.MonkeyPatch, verdict: str, plain: int, strict: int) -> None:
    honest = Workspace.result

    def judged(self: Workspace, node: int, first: int = 0) -> Result:
        result = honest(self, node, first)
        result.verdict = verdict
        return result

    monkeypatch.setattr(Workspace, "result", judged)
    assert run("x", "--x", "1").status == plain
    assert run("x", "--x", "1", "--strict").status == strict
    assert run("x; zz", "--x", "1", "--strict").status == 2


def test_warnings_on_a_terminal_are_wrapped_at_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(terminal=True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stderr", stream)
    Output().warning("one of the many words that are said here\n  x + sin(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)")
    assert stream.content() == (
        "warning: one of the many words that are\n  said here\n  x + sin(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)\n"
    )


@pytest.mark.parametrize("command", ["eval", "optimize", "grad", "plot"])
def test_the_name_of_a_file_is_told_from_a_formula(command: str, tmp_path: Path) -> None:
    program = tmp_path / "my-neuron.gc"
    program.write_text("x^2\n")
    answer = run(command, str(program), *(["--minimize"] if command == "optimize" else []))
    assert (answer.status, f"\n  a file is run by -f {program}\n" in answer.err) == (2, True), answer
