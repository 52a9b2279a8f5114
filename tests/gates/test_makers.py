"""Makers as a user meets them: chance that can be repeated, files, limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import gradcalc
from gradcalc.workspace import Options, Workspace
from tests.cli.harness import run, value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def array(*arguments: str) -> Any:
    """The bare result of a command line, as an array."""
    return numpy.array(json.loads(value(*arguments)))


# ---- chance ----------------------------------------------------------------------------------------------------------------------


def test_a_seed_repeats_what_is_drawn() -> None:
    first = value("randn(2, 3)", "--seed", "7")
    assert value("randn(2, 3)", "--seed", "7") == first
    assert value("randn(2, 3)", "--seed", "8") != first
    assert value("randn(2, 3)") != value("randn(2, 3)")


def test_every_call_is_a_draw_of_its_own() -> None:
    assert value("rand() == rand()", "--seed", "1") == "0\n"
    assert value("x = rand(); x - x", "--seed", "1") == "0\n"
    assert len(set(value("rand(); rand(); rand()", "--seed", "1").split())) == 3


def test_every_call_of_a_gate_that_draws_is_a_draw_of_its_own() -> None:
    assert value("f(x) = x*rand(); f(1) == f(1)", "--seed", "1") == "0\n"
    assert value("f(x) = x*rand(); g(x) = f(x) == f(x); g(1) + g(2)", "--seed", "1") == "0\n"
    assert value("f(x) = x*rand(); a = f(x); a == a", "--x", "2", "--seed", "1") == "1\n"
    assert len(set(value("f(x) = x*rand(); f(1); f(1)", "--seed", "1").split())) == 2
    assert value("W = rand(); f(x) = x*W; f(1) == f(1)", "--seed", "1") == "1\n"


def test_a_draw_does_not_depend_on_what_is_asked_for() -> None:
    """The second draw of a program is the same, whether the first is used or not."""
    first, second = value("a = randn(2); b = randn(2); a; b", "--seed", "3").splitlines()
    assert value("a = randn(2); b = randn(2); b", "--seed", "3").strip() == second
    assert value("a = randn(2); b = randn(2); b", "--a", "1", "--seed", "3").strip() == second
    assert value("randn(2)", "--seed", "3").strip() == first


def test_values_draw_from_streams_of_their_own() -> None:
    lines = value("A; B; randn(2)", "--A", "randn(2)", "--B", "randn(2)", "--seed", "3").splitlines()
    assert len(set(lines)) == 3
    assert value("A; B; randn(2)", "--B", "randn(2)", "--A", "randn(2)", "--seed", "3").splitlines() == lines


def test_sizes_may_be_inputs() -> None:
    assert array("n = 5; W = randn(n, 3); W").shape == (5, 3)
    assert array("randn(n, 3)", "--n", "4").shape == (4, 3)
    assert array("zeros([n, 2*n])", "--n", "2").shape == (2, 4)
    assert array("zeros(s)", "--s", "[2, 3]").shape == (2, 3)
    assert array("reshape(arange(n), n/2, 2)", "--n", "6").shape == (3, 2)


def test_no_gradient_flows_into_a_size() -> None:
    (result,) = Workspace({"n": 3.0}).answers("n*sum(randn(n)) + sum(reshape([1, 2, 3], n))")
    assert not isinstance(result, gradcalc.GradcalcError)
    assert result.verdict == "ok"
    # The draw is the same in the forward pass and in every probe.
    assert result.gradients["n"] == pytest.approx((result.value - 6.0) / 3.0)


def test_labels_are_not_checked_as_if_they_were_quantities() -> None:
    (result,) = Workspace({"z": [[1.0, 2.0], [0.5, 0.0]], "t": [1, 0]}).answers("softmax_cross_entropy(z, one_hot(t, 2))")
    assert not isinstance(result, gradcalc.GradcalcError)
    assert result.verdict == "ok"
    assert not numpy.any(result.gradients["t"])


def test_distributions() -> None:
    normal = array("randn(10000)", "--seed", "1")
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1.0) < 0.05
    even = array("rand(10000)", "--seed", "1")
    assert 0.0 <= even.min() < 0.01
    assert 0.99 < even.max() < 1.0


def test_a_large_seed() -> None:
    assert value("rand()", "--seed", str(2**62)) == value("rand()", "--seed", str(2**62))


def test_names_of_makers_may_be_inputs() -> None:
    assert value("load + var*norm", "--load", "1", "--var", "2", "--norm", "3") == "7\n"


# ---- files -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ('"a","b"\r\n1,"2"\r\n3,4', [[1, 2], [3, 4]]),
        ("\ufeff1;2\n3;4\n", [[1, 2], [3, 4]]),
        ("1\t2\n3\t4\n\n", [[1, 2], [3, 4]]),
        ("# what it is\n1 2\n3   4\n", [[1, 2], [3, 4]]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("x\n1\n2\n", [1, 2]),
        ("1, 2, 3\n", [1, 2, 3]),
        ("5\n", [5]),
    ],
)
def test_text_files(folder: Path, text: str, expected: Any) -> None:
    (folder / "x.csv").write_text(text, newline="")
    numpy.testing.assert_array_equal(array('load("x.csv")'), expected)


def test_what_is_missing_may_be_nan(folder: Path) -> None:
    (folder / "x.csv").write_text("nan,inf,-1e-3\n")
    answer = run('load("x.csv")', "--value")
    assert (answer.status, answer.out) == (0, "[nan, inf, -0.001]\n")
    assert answer.err.startswith("warning: ")


def test_numpy_files(folder: Path) -> None:
    matrix = numpy.arange(6, dtype=numpy.int16).reshape(2, 3)
    numpy.save("x.npy", matrix)
    numpy.save("f.npy", numpy.asfortranarray(matrix.astype(">f4")))
    numpy.save("n.npy", 2.5)
    numpy.savez("x.npz", a=matrix, b=numpy.ones(2))
    numpy.savez_compressed("one.npz", only=matrix)
    for call in ('load("x.npy")', 'load("f.npy")', 'load("x.npz", "a")', 'load("x.npz", name="a")', 'load("one.npz")'):
        numpy.testing.assert_array_equal(array(call), matrix)
    assert value('load("n.npy")*2') == "5\n"
    assert value("sum(X)", "--X", 'load("x.npy")') == "15\n"


def test_loaded_data_is_checked_as_any_other(folder: Path) -> None:
    (folder / "x.csv").write_text("1,2\n3,4\n")
    answer = run("mean(square(load('x.csv') @ w))", "--w", "[1, 2]", "--format", "json")
    assert answer.status == 0
    document = json.loads(answer.out)
    assert document["verdict"] == "ok"
    assert document["gradients"] == {"w": [38.0, 54.0]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"1,2\n3\n", "x.csv:2: this row has 1 cell, those before it 2"),
        ("x.csv", b"1,2\n3,x\n", "x.csv:2: column 2 is not a number: x"),
        ("x.csv", b"1,2\n3,\n", "x.csv:2: column 2 is empty"),
        ("x.csv", b"a,b\n1,2\n3,four\n", "x.csv:3: column 2 is not a number: four"),
        ("x.csv", b"a,1\n1,2\n", "x.csv:1: column 1 is not a number: a"),
        ("x.csv", b"1;2,5\n", "write numbers with a decimal point"),
        ("x.csv", b"1_0,2\n", "not a number: 1_0"),
        ("x.csv", b"", "x.csv holds no numbers"),
        ("x.csv", b"a,b\n", "x.csv holds no numbers"),
        ("x.csv", b"\x00\x01", "x.csv is not a text file"),
        ("x.csv", b"1,\xff\n", "x.csv:1 is not UTF-8 text"),
        ("x.npy", b"no", "x.npy is not a NumPy file"),
        ("x.npz", b"no", "x.npz is not an .npz file"),
    ],
)
def test_files_that_are_not_what_they_should_be(folder: Path, name: str, content: bytes, words: str) -> None:
    (folder / name).write_bytes(content)
    answer = run(f'1 + load("{name}")')
    assert answer.status == 2
    assert answer.err.startswith("error: ")
    assert words in answer.err
    assert "       ^^^^" in answer.err or "    ^^^^" in answer.err


def test_numpy_files_that_are_refused(folder: Path) -> None:
    numpy.save("o.npy", numpy.array([{"a": 1}], dtype=object), allow_pickle=True)
    numpy.savez("o.npz", o=numpy.array([None], dtype=object))
    numpy.save("c.npy", numpy.array([1j]))
    numpy.save("t.npy", numpy.array(["a"]))
    numpy.save("r.npy", numpy.zeros(2, dtype=[("a", float)]))
    numpy.save("x.npy", numpy.zeros(1000))
    (folder / "cut.npy").write_bytes((folder / "x.npy").read_bytes()[:500])
    numpy.savez("two.npz", first=1, second=2)
    for call, words in {
        'load("o.npy")': "Python objects, which are never loaded",
        'load("o.npz")': "Python objects, which are never loaded",
        'load("c.npy")': "holds complex numbers",
        'load("t.npy")': "holds text",
        'load("r.npy")': "holds records",
        'load("cut.npy")': "ends too early",
        'load("two.npz")': "holds 2 arrays",
        'load("two.npz", "frist")': "did you mean first?",
        'load("x.npy", "a")': "a single array",
        'load("cutt.npy")': "did you mean cut.npy?",
        'load("nothing/x.npy")': "the folder nothing does not exist",
        'load(".")': "is not a file",
        'load("https://example.org/x.csv")': "addresses are not loaded",
    }.items():
        answer = run(call)
        assert (answer.status, answer.out) == (2, ""), call
        assert words in answer.err
        assert "Traceback" not in answer.err


def test_a_header_that_promises_too_much(folder: Path) -> None:
    """The size is checked before memory is asked for."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + b"\n"
    (folder / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert "7.28 TiB: one array may hold 2 GiB" in run('load("x.npy")').err


def test_files_may_be_forbidden(folder: Path) -> None:
    (folder / "x.csv").write_text("1\n")
    for arguments in (['load("x.csv")'], ["x", "--x", 'load("x.csv")'], ['f(x) = x*load("x.csv"); f(2)']):
        answer = run(*arguments, "--no-load")
        assert answer.status == 2
        assert "this run may read no files" in answer.err


def test_a_file_that_fails_as_a_default_breaks_its_name(folder: Path) -> None:
    answer = run('X = load("x.csv")\nsum(X)\n1 + 1', "--value")
    assert (answer.status, answer.out) == (2, "2\n")
    assert "x.csv does not exist" in answer.err
    assert "X could not be computed: see line 1" in answer.err


# ---- limits ----------------------------------------------------------------------------------------------------------------------


def test_the_limit_can_be_lowered_and_raised(folder: Path) -> None:
    assert "one array may hold 1 KiB" in run("zeros(200)", "--max-array", "1KiB").err
    assert run("zeros(128)", "--max-array", "1KiB", "--value").status == 0
    (folder / "x.csv").write_text("1\n" * 200)
    assert "one array may hold 1 KiB" in run('load("x.csv")', "--max-array", "1KiB").err
    numpy.save("x.npy", numpy.zeros(200))
    assert "one array may hold 1 KiB" in run('load("x.npy")', "--max-array", "1KiB").err
    assert "one array may hold 1 KiB" in run("x + y", "--x", "[[1],[2]]", "--y", "zeros(100)", "--max-array", "1KiB").err


def test_a_limit_is_told_at_its_place() -> None:
    answer = run("a = 1\nb = a + zeros(1e6, 1e6)")
    assert "line 2: zeros would make an array of 1000000×1000000 numbers" in answer.err
    assert "raise the limit with --max-array" in answer.err


def test_the_python_door() -> None:
    calculation = gradcalc.parse("sum(randn(3)*x)")
    options = Options(seed=5)
    first, second = (next(calculation.evaluate_all({"x": 2.0}, options)).value for _ in range(2))
    assert first == second


def test_a_formula_of_numbers_still_needs_no_numpy() -> None:
    import subprocess
    import sys

    program = "import sys, gradcalc; gradcalc.parse('a*b').evaluate(a=1, b=2); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
