"""`gradcalc export`: languages, files, warnings and mistakes on the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import run
from tests.dialects.exports.running import compiled, ran

QUOTIENT = ("(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4")
EXPECTED = "value = 0.42857142857142855\nd/da = 0.14285714285714285\nd/db = 0.14285714285714285\n"


def test_a_gradient_that_the_source_has_otherwise_is_told() -> None:
    answer = run("export", "a^b", "--a", "0", "--b", "0", "--to", "python")
    assert answer.status == 0
    assert "warning: at the point of the test, the gradient by a comes out as nan. gradcalc answers 0.0" in answer.err


def test_python_that_tests_itself(tmp_path: Path) -> None:
    answer = run("export", *QUOTIENT, "--to", "python")
    assert (answer.status, answer.err) == (0, "")
    (tmp_path / "source.py").write_text(answer.out, "utf-8")
    assert ran([sys.executable, tmp_path / "source.py"]).startswith(EXPECTED)
    assert "Made by gradcalc" in answer.out


def test_sizes_that_are_fixed_are_told() -> None:
    assert "the arrays are those of n = 3, whatever" in run("export", "sum(ones(n))*x", "--n", "3", "--x", "2", "--to", "c").out
    answer = run("export", "sum(ones(n))*x", "--to", "numpy")
    assert (answer.status, answer.out, "error: n has no value" in answer.err) == (2, "", True)


@pytest.mark.parametrize(("name", "begins"), [("a.py", '"""'), ("a.c", "/* "), ("a.tex", "% ")])
def test_the_end_of_the_name_says_the_language(name: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / name
    answer = run("export", *QUOTIENT, "-o", str(path))
    assert answer == (0, "", "")
    assert path.read_text("utf-8").startswith(begins)
    if name == "a.c":
        assert "d/dc = -0.061224489795918366\n" in ran([compiled(path.read_text("utf-8"), tmp_path)])


def test_numpy_may_be_asked_for_by_a_name_of_python(tmp_path: Path) -> None:
    path = tmp_path / "source.py"
    assert run("export", "sum(x^2)", "--x", "[1,2,3]", "--to", "numpy", "-o", str(path)).status == 0
    assert ran([sys.executable, path]) == "value = 14.0\nd/dx = [2.0, 4.0, 6.0]\n"


def test_several_outputs_make_one_file(tmp_path: Path) -> None:
    answer = run("export", "s = a*b; t = s + 1; s^2; t", "--a", "2", "--b", "3", "--to", "python")
    (tmp_path / "source.py").write_text(answer.out, "utf-8")
    assert "def forward_1(a, b):" in answer.out
    assert "def forward_t(a, b):" in answer.out
    out = ran([sys.executable, tmp_path / "source.py"])
    assert out == "# s^2\nvalue = 36.0\nd/da = 36.0\nd/db = 24.0\n# t\nvalue = 7.0\nd/da = 3.0\nd/db = 2.0\n"


def test_gates_can_be_opened() -> None:
    assert "sigmoid(" in run("export", "sigmoid(x)", "--x", "1", "--to", "python").out.split("def backward")[0]
    opened = run("export", "sigmoid(x)", "--x", "1", "--open", "sigmoid", "--to", "python").out
    assert "1.0 / (1.0 + exp(-x))" in opened
    assert "def sigmoid" not in opened


def test_by_some_names_only() -> None:
    answer = run("export", "q = x + y; q*z", "--x", "1", "--y", "2", "--z", "3", "--wrt", "q,z", "--to", "python")
    assert 'GRADIENTS = {"q": 3.0, "z": 3.0}' in answer.out
    answer = run("export", "x*y", "--x", "1", "--y", "2", "--wrt", "zz", "--to", "python")
    assert answer.status == 2
    assert answer.err.startswith("error: --wrt zz")
    assert answer.out == ""


def test_without_values_a_warning_tells_that_there_is_no_test() -> None:
    answer = run("export", "a*x", "--a", "2", "--to", "numpy")
    assert answer.status == 0
    assert answer.err == "warning: x has no value: the source has no test (give --x NUMBER)\n"
    assert "main" not in answer.out
    assert run("export", "a*x", "--to", "c", "--quiet").err == ""
    assert run("export", "a*x", "--to", "c", "--no-test").err == ""


def test_no_test_by_choice() -> None:
    answer = run("export", *QUOTIENT, "--to", "python", "--no-test")
    assert "main" not in answer.out
    assert "POINT" not in answer.out


def test_random_numbers_can_be_repeated() -> None:
    line = ("export", "x*randn()", "--x", "1", "--to", "python", "--seed", "3")
    assert run(*line).out == run(*line).out


def test_latex_is_a_document_or_a_piece_of_one(tmp_path: Path) -> None:
    answer = run("export", "x^2*sin(y) + where(x > 0, sqrt(x), 1)", "--x", "2", "--y", "3", "--to", "latex")
    assert answer.out.count("\\begin{document}") == 1
    assert "\\frac{\\partial f}{\\partial y} &= " in answer.out
    assert " = -3.9599699864" in answer.out
    fragment = run("export", "x^2", "--to", "latex", "--fragment").out
    assert fragment == "\\begin{align*}\n  f &= x^{2} \\\\\n  \\frac{d f}{d x} &= 2 x\n\\end{align*}\n"
    engine = shutil.which("pdflatex")
    if engine is None:
        pytest.skip("there is no TeX")
    for number, program in enumerate(
        (("sigmoid(a*x+b)*[1,2]",), ("theta_1 = α_long^2; theta_1/3; x_1*e^theta_1", "--α_long", "1"))
    ):
        text = run("export", *program, "--to", "latex", "--quiet").out
        (tmp_path / f"{number}.tex").write_text(text, "utf-8")
        done = subprocess.run(
            [engine, "-interaction=nonstopmode", "-halt-on-error", f"{number}.tex"], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout[-1500:]


def test_names_beyond_ascii_ask_for_another_engine() -> None:
    assert "lualatex" in run("export", "사과^2", "--to", "latex").out
    assert "lualatex" not in run("export", "θ^2", "--to", "latex").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a*b",), "error: in which language?"),
        (("a*b", "--to", "fortran"), "error: --to: there is no fortran"),
        (("a*b", "--to", "numpy", "-o", "x.c"), "error: -o x.c is no name for numpy"),
        (("a*b", "-o", "x.txt"), "error: in which language?"),
        (("a*b", "--to", "c", "--fragment"), "error: --fragment means nothing with --to c"),
        (("a*b", "--to", "latex", "--no-test"), "error: --no-test means nothing with --to latex"),
        (("sum(x)", "--x", "[1,2]", "--to", "python"), "error: x is an array, and Python alone has none\n  sum(x)\n      ^"),
        (("det(A)", "--A", "[[1,2],[3,4]]", "--to", "c"), "error: det can't be written in C\n  det(A)\n  ^^^"),
        (("a*b", "--a", "0..1", "--b", "2", "--to", "c"), "error: --a"),
        (("a*", "--to", "c"), "error: "),
    ],
)
def test_mistakes(arguments: tuple[str, ...], words: str) -> None:
    answer = run("export", *arguments)
    assert answer.status == 2
    assert answer.err.startswith(words), answer.err
    assert answer.out == ""


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "source.c"
    path.write_text("old", "utf-8")
    assert run("export", "inv([[a, 1], [1, 2]])", "--a", "3", "-o", str(path)).status == 2
    assert path.read_text("utf-8") == "old"
