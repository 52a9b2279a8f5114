"""`gradcalc grad`: what it prints is a program again, and says what a derivative is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.cli.harness import run


def printed(*arguments: str, stdin: str | None = None) -> str:
    """What a command line prints that has nothing to complain of."""
    answer = run("grad", *arguments, stdin=stdin)
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out


def again(text: str, *values: str) -> list[float]:
    """The numbers of a printed program, read back by eval."""
    answer = run("eval", "--value", *values, stdin=text)
    assert answer.status == 0, answer
    return [json.loads(line) for line in answer.out.splitlines()]


def test_every_partial_derivative_on_a_line() -> None:
    assert printed("x^2*y + sin(x)") == "2*x*y + cos(x)  # d/dx\nx^2             # d/dy\n"


def test_with_values_the_numbers_stand_behind() -> None:
    expected = "x = 2; y = 3\n2*x*y + cos(x)  # df/dx = 11.583853163452858\nx^2             # df/dy = 4\n"
    assert printed("f = x^2*y + sin(x); f", "--x", "2", "--at", "y=3") == expected
    assert printed("x^2/3", "--x", "1", "--digits", "3") == "x = 1\n2*x/3  # d/dx = 0.667\n"


def test_what_is_printed_reads_back_to_the_same_numbers() -> None:
    program = "s = a*x + b*y + c; sigmoid(s)*exp(-x*y)/(1 + x*x)"
    text = printed(program)
    values = ["--a", "0.5", "--x", "1.5", "--b", "-1", "--y", "0.25", "--c", "0.1"]
    expected = json.loads(run("eval", program, *values, "--format", "json", "--check", "off").out)["gradients"]
    assert again(text, *values) == pytest.approx([expected[name] for name in ("a", "x", "b", "y", "c")], rel=1e-12)


def test_arrays_read_back_too() -> None:
    values = ["--X", "[[1, 2], [3, 4], [5, 6]]", "--w", "[1, -1]", "--y", "[1, 0, 1]"]
    program = "mean((sigmoid(X @ w) - y)^2)"
    text = printed(program, *values, "--wrt", "w")
    assert "X.T @ " in text
    expected = json.loads(run("eval", program, *values, "--format", "json", "--check", "off").out)["gradients"]["w"]
    (found,) = again(text)
    assert found == pytest.approx(expected, rel=1e-12)


def test_several_outputs_each_with_its_title() -> None:
    text = printed("x*y; s = x + y; s^2")
    assert text == "# x*y\ny  # d/dx\nx  # d/dy\n\n# s^2\ns = x + y\n2*s  # d/dx\n2*s  # d/dy\n"
    assert len(again(text, "--x", "1", "--y", "2")) == 4


def test_a_name_is_not_defined_twice() -> None:
    text = printed("s = exp(a*x + b)/(1 + exp(a*x + b)); sin(s)*s; cos(s)*s", "--wrt", "x")
    assert len([line for line in text.splitlines() if line.startswith("s = ")]) <= 1
    again(text, "--a", "1", "--b", "2", "--x", "3")


def test_orders_and_the_mixed_ones() -> None:
    assert printed("x^2*y^3", "--order", "2") == "2*y^3    # d2/dx2\n6*x*y^2  # d2/dx dy\n6*x^2*y  # d2/dy2\n"
    assert printed("x^2*y^3", "--order", "3", "--wrt", "x") == "0  # d3/dx3\n"


def test_by_a_named_node() -> None:
    assert printed("q = x + y; f = q*z; f", "--wrt", "q", "--x", "1", "--y", "2", "--z", "5") == (
        "x = 1; y = 2; z = 5\nq = x + y\nz  # df/dq = 5\n"
    )


def test_a_jacobian() -> None:
    text = printed("[r*cos(t), r*sin(t)]", "--jacobian", "--r", "2", "--t", "0")
    assert text.splitlines() == [
        "r = 2; t = 0",
        "# Jacobian, by r, t",
        "[[cos(t), -r*sin(t)],",
        " [sin(t),  r*cos(t)]]",
        "# = [[1, 0],",
        "#    [0, 2]]",
    ]
    assert again(text) == [[[1, 0], [0, 2]]]


def test_a_jacobian_of_arrays() -> None:
    text = printed("tanh(W @ x)", "--jacobian", "--W", "[[1,2],[3,4]]", "--x", "[0.1,0.2]", "--wrt", "x")
    assert "[[W[0, 0]/s, W[0, 1]/s]," in text
    (found,) = again(text)
    slopes = [1 / math.cosh(value) ** 2 for value in (0.5, 1.1)]
    assert found[0] == pytest.approx([slopes[0], 2 * slopes[0]])
    assert found[1] == pytest.approx([3 * slopes[1], 4 * slopes[1]])


def test_a_hessian() -> None:
    assert printed("x^3*y - y^2", "--hessian").splitlines() == ["# Hessian, by x, y", "[[6*x*y, 3*x^2],", " [3*x^2,    -2]]"]


def test_numbers_alone_where_formulas_would_be_too_many() -> None:
    text = printed("x = arange(20)/20; w = ones(300); sum(w*x[3]^2)", "--hessian", "--wrt", "x")
    assert text.startswith("# the inputs have 320 elements, too many for a formula of each: numbers only\n")
    rows = json.loads("".join(line.lstrip("#= ") for line in text.splitlines()[-20:]))
    assert rows[3][3] == 600
    assert sum(map(sum, rows)) == 600
    assert "numbers only" in printed("sort(x)*x", "--jacobian", "--x", "[3,1,2]")


def test_latex_has_named_nodes_by_their_names() -> None:
    text = printed("q = x + y; q^2*sin(q)", "--latex", "--wrt", "x,q")
    assert text.splitlines() == [
        "q = x + y",
        r"f = q^{2} \sin q",
        r"\frac{\partial f}{\partial x} = 2 q \sin q + q^{2} \cos q",
        r"\frac{\partial f}{\partial q} = q^{2} \cos q + 2 q \sin q",
    ]
    chain = "; ".join(["s0 = sin(x)", *(f"s{n} = s{n - 1}*0.9 + sin(s{n - 1})" for n in range(1, 40))])
    assert len(printed(chain, "--latex")) < 30_000
    gates = f"g(u) = u*0.9 + sin(u); {'g(' * 40}x{')' * 40}"
    assert len(printed(gates, "--latex")) < 100_000


def test_latex_of_an_input_called_f_and_of_numbers_out_of_the_ordinary() -> None:
    assert printed("f*1e30", "--latex", "--f", "2.5") == "g = f \\cdot 10^{30}\n\\frac{d g}{d f} = 10^{30} = 10^{30}\n"
    assert printed("a/x*1e20", "--latex", "--x", "0", "--a", "2.5", "--wrt", "a").endswith(" = \\infty\n")
    assert printed("x^3*1e30", "--latex", "--x", "1", "--digits", "3").endswith(r" = 3 \times 10^{30}" + "\n")


def test_latex() -> None:
    text = printed("x^2*y + sin(x)", "--latex", "--wrt", "x")
    assert text == "f = x^{2} y + \\sin x\n\\frac{\\partial f}{\\partial x} = 2 x y + \\cos x\n"
    assert r"\begin{bmatrix} 6 x y & 3 x^{2} \\ 3 x^{2} & -2 \end{bmatrix}" in printed("x^3*y - y^2", "--hessian", "--latex")


def test_json() -> None:
    (line,) = printed("x^2*y", "--x", "2", "--y", "3", "--format", "json", "--latex").splitlines()
    assert json.loads(line) == {
        "schema": 1,
        "output": "x^2*y",
        "kind": "partial",
        "order": 1,
        "definitions": {},
        "derivatives": [
            {"by": ["x"], "formula": "2*x*y", "latex": "2 x y", "value": 12.0},
            {"by": ["y"], "formula": "x^2", "latex": "x^{2}", "value": 4.0},
        ],
    }
    (line,) = printed("x*y", "--hessian", "--format", "json").splitlines()
    assert json.loads(line)["hessian"] == [["0", "1"], ["1", "0"]]


def test_where_the_formula_has_no_value_the_convention_is_told() -> None:
    text = printed("hypot(x, y)", "--x", "0", "--y", "0")
    assert "# by x the formula has no value here; gradcalc eval answers 0" in text


def test_long_arrays_are_written_on_demand() -> None:
    program = ("x = arange(300); a = 2; sum(a*x)", "--wrt", "a")
    assert printed(*program).startswith("# too long to be written here (--all writes them): x\na = 2\n")
    assert again(printed(*program, "--all")) == [44850]


def test_from_standard_input_and_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "slopes.gc"
    assert printed("-o", str(path), stdin="x*y\n") == ""
    assert path.read_text("utf-8") == "y  # d/dx\nx  # d/dy\n"


WRONG = [
    (["1 + 1"], "depends on no input"),
    (["x*y", "--wrt", "z"], "the program has no such name"),
    (["x", "--order", "0"], "--order"),
    (["x", "--order", "21"], "--order"),
    (["x", "--jacobian", "--hessian"], "exclude each other"),
    (["x", "--hessian", "--order", "2"], "leave out --order"),
    (["x + y", "--x", "1", "--at", "x=2"], "x is given twice"),
    (["sin(x)", "--x", "0..1"], "is a range"),
    (["x*2", "--hessian", "--x", "[1,2]"], "a Hessian is one of a number"),
    (["sum(x^2)", "--order", "2", "--x", "[1,2]"], "--hessian"),
    ([f"({'+'.join(f'x{number}' for number in range(60))})^9", "--order", "4"], "derivatives of order 4"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda item: item if isinstance(item, str) else "")
def test_what_is_wrong_is_said(arguments: list[str], words: str) -> None:
    answer = run("grad", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.startswith("error: ")
