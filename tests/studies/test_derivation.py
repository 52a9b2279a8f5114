"""The derivatives of an output: what is differentiated by what, and what is said where there is nothing to write."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pytest

from gradcalc.errors import LimitProblem, NameProblem, ShapeProblem, UsageProblem
from gradcalc.studies.derivation import derive
from tests.calculus.simplify.formulas import derivatives, formula, written


def test_by_all_inputs_in_their_order() -> None:
    found = derivatives("a*x + b", order=2)
    assert [entry.by for entry in found.entries] == [("a", "a"), ("a", "x"), ("a", "b"), ("x", "x"), ("x", "b"), ("b", "b")]
    assert written(found) == ["0", "1", "0", "0", "0", "0"]


def test_sizes_are_numbers_in_formulas() -> None:
    found = derivatives("sum(arange(n)*x)", n=3.0, x=2.0)
    assert [entry.value for entry in found.entries] == [0.0, 3.0]


def test_numbers_of_matrices_keep_the_digits_that_backpropagation_has() -> None:
    (found,) = derive(formula("std(x)", x=numpy.array([1e8 + 1, 1e8 + 2, 1e8 + 5])), "jacobian")
    assert found.value[0] == pytest.approx([-0.32686022, -0.13074409, 0.45760431], rel=1e-7)
    assert found.remarks == ["where a formula loses digits here, the number is that of backpropagation"]


@pytest.mark.parametrize(
    ("line", "lines"), [("s{n} = s{m}*0.9 + sin(s{m})", 300), ("s{n} = s{m}*0.9 + y{n}*x", 100)], ids=["sums", "numbers"]
)
def test_what_is_nested_costs_no_recursion(line: str, lines: int) -> None:
    text = "\n".join(["s0 = sin(x)", *(line.format(n=number, m=number - 1) for number in range(1, lines))])
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        (entry,) = derivatives(text, wrt=["x"]).entries
    finally:
        sys.setrecursionlimit(limit)
    assert entry.node is not None


def test_a_name_that_is_not_reached_has_the_derivative_0() -> None:
    found = derivatives("a*x", wrt=["z", "x"])
    assert [(entry.by, entry.node is None) for entry in found.entries] == [(("z",), True), (("x",), False)]


def test_inputs_and_inner_nodes_are_taken_apart() -> None:
    inputs, inner = derive(formula("q = x*y; q^2 + x", x=2.0, y=3.0), wrt=["q", "x"])
    assert [entry.value for entry in (*inputs.entries, *inner.entries)] == [37.0, 12.0]
    assert inner.given == [("q", "x*y")]
    (second,) = derive(formula("q = x*y; q^3", x=1.0, y=2.0), order=2, wrt=["q"])
    assert second.entries[0].value == 12.0


def test_numbers_only_where_all_inputs_have_values() -> None:
    assert not derivatives("x*y", x=1.0).point
    assert [entry.value for entry in derivatives("x*y", x=1.0, y=2.0).entries] == [2.0, 1.0]


def test_a_matrix_of_numbers_is_that_of_the_formulas() -> None:
    values = {"W": numpy.array([[1.0, 0.5], [0.25, -1.0]]), "x": numpy.array([0.3, 0.7])}
    for kind, text in (("jacobian", "tanh(W @ x) * x"), ("hessian", "sum(tanh(W @ x) * x)")):
        of_formulas = numpy.array(derivatives(text, kind, wrt=["x"], **values).value)
        # More inputs than are written out.
        padded = values | {"p": numpy.ones(300)}
        of_numbers = derivatives(f"{text} + 0*sum(p)" if kind == "hessian" else f"{text} + 0*p[0]", kind, wrt=["x"], **padded)
        assert of_numbers.graph is None
        numpy.testing.assert_allclose(of_numbers.value, of_formulas, rtol=1e-12, atol=1e-14)


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(NameProblem, match="depends on no input"):
        derivatives("2*3")
    with pytest.raises(ShapeProblem, match="a Hessian is one of a number"):
        derivatives("x*2", "hessian", x=[1.0, 2.0])
    with pytest.raises(UsageProblem, match="x is an array"):
        derivatives("sum(x^2)", order=2, x=[1.0, 2.0])
    with pytest.raises(LimitProblem, match="derivatives of order 6"):
        derivatives("+".join(f"x{number}" for number in range(30)), order=6)
    with pytest.raises(LimitProblem, match="elements"):
        derive(formula("x = ones(400); y; sum(x)*y".replace("y; ", "")), "hessian")


def test_the_sum_of_an_array_is_differentiated() -> None:
    found = derivatives("[x, x^2]*y", x=3.0, y=2.0)
    assert [entry.value for entry in found.entries] == [14.0, 12.0]
    assert any("sum of its elements" in remark for remark in found.remarks)


SOFTMAX = [[0.08192506906499322, -0.022033044520174294], [-0.022033044520174298, 0.1848364465099787]]


def test_no_large_element_spoils_softmax() -> None:
    found = derivatives("softmax(x)", "jacobian", x=[1000.0, 1001.0, 1002.0])
    assert numpy.array(found.value)[:2, :2] == pytest.approx(numpy.array(SOFTMAX), rel=1e-12)
    assert not found.remarks


def test_where_a_formula_of_a_matrix_has_no_value_backpropagation_has_one() -> None:
    found = derivatives("softmax(x)", "jacobian", x=[0.0, 1000.0, 2.0])
    assert found.value == [[0.0] * 3] * 3
    assert "backpropagation" in found.remarks[0]


def test_a_formula_with_another_value_than_backpropagation_is_remarked() -> None:
    assert not derivatives("sin(x)*x", x=3.0).remarks
    (remark,) = derivatives("exp(x)/(exp(x) + exp(y))", x=37.0, y=0.0).remarks
    assert remark == "by x the formula has another value here; gradcalc eval answers 0 (--check exact there tells which is right)"


def test_numbers_alone_need_no_numpy() -> None:
    code = "import sys; from gradcalc.cli import main; main(['grad', 'x*y', '--x', '1', '--y', '2']); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
