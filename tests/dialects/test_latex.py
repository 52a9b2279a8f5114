"""Formulas as LaTeX."""

from __future__ import annotations

import pytest

from gradcalc.dialects.latex import in_lines, latex, latex_derivative, latex_name
from gradcalc.gates import REGISTRY
from tests.calculus.simplify.formulas import formula

WRITTEN = {
    "x^2*y + sin(x)": r"x^{2} y + \sin x",
    "(a + b)/(c + d)": r"\frac{a + b}{c + d}",
    "-a/b": r"-\frac{a}{b}",
    "(a + b)*c": r"\left(a + b\right) c",
    "a - (b - c)": r"a - \left(b - c\right)",
    "a*-b": r"a \left(-b\right)",
    "2*3*x": r"2 \cdot 3 x",
    "(a/b)^2": r"\left(\frac{a}{b}\right)^{2}",
    "(-x)^2": r"\left(-x\right)^{2}",
    "-x^2": r"-x^{2}",
    "x^(n - 1)": r"x^{n - 1}",
    "2^x^y": r"2^{x^{y}}",
    "sin(x)^2": r"\sin^{2} x",
    "sin(2*x)^2": r"\sin^{2}\left(2 x\right)",
    "sin(x)*y": r"\sin\left(x\right) y",
    "-sin(x)^2*y*cos(x)": r"-\sin^{2}\left(x\right) y \cos x",
    "sigmoid(s)*t": r"\sigma\left(s\right) t",
    "relu(x)*y": r"\operatorname{relu}\left(x\right) y",
    "sin(x)^n": r"\left(\sin x\right)^{n}",
    "exp(-x^2/2)": r"e^{-\frac{x^{2}}{2}}",
    "exp(x)^2": r"\left(e^{x}\right)^{2}",
    "sqrt(1 - x^2)": r"\sqrt{1 - x^{2}}",
    "cbrt(x)": r"\sqrt[3]{x}",
    "abs(x)": r"\left|x\right|",
    "floor(x/2)": r"\left\lfloor \frac{x}{2}\right\rfloor",
    "log(x)": r"\ln x",
    "log(x, b)": r"\log_{b}\left(x\right)",
    "log10(x + 1)": r"\log_{10}\left(x + 1\right)",
    "asin(x)": r"\arcsin x",
    "sigmoid(a*x)": r"\sigma\left(a x\right)",
    "max(x, y, 0)": r"\operatorname{max}\left(x, y, 0\right)",
    "leaky_relu(x, slope=0.1)": r"\operatorname{leaky\_relu}\left(x, slope=0.1\right)",
    "where(x < 0, -x, x^2)": r"\begin{cases} -x & \text{if } x < 0 \\ x^{2} & \text{otherwise} \end{cases}",
    "(x >= y)*z": r"\left[x \ge y\right] z",
    "1e-9*x": r"1 \times 10^{-9} x".replace("1 \\times ", ""),
    "6.6e-34*x": r"6.6 \times 10^{-34} x",
    "pi*r^2": r"\pi r^{2}",
    "theta1 + rate": r"\theta_{1} + \mathrm{rate}",
    "x_max": r"x_{\mathrm{max}}",
    "α + 사과": r"\alpha + \text{사과}",
    "[x, y]": r"\begin{bmatrix} x \\ y \end{bmatrix}",
    "[[a, b], [c, d]]": r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_formula(text: str) -> None:
    made = formula(text)
    assert latex(made.graph, made.output, lambda node: made.names.get(node) or _constant(made.label(node))) == WRITTEN[text]


def _constant(label: str) -> str | None:
    return label if label == "pi" else None


def test_matrices() -> None:
    values = {"W": [[1.0, 2.0], [3.0, 4.0]], "x": [1.0, 2.0]}
    made = formula("W.T @ x + inv(W) @ x", **values)
    assert latex(made.graph, made.output, made.names.get) == r"W^{\top}\, x + W^{-1}\, x"
    made = formula("x[0]*W[0, 1]", **values)
    assert latex(made.graph, made.output, made.names.get) == r"{x}_{0} {W}_{0,1}"
    made = formula("W @ [[1, 2], [3, 4]]", W=values["W"])
    assert latex(made.graph, made.output, made.names.get) == r"W\, \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"


@pytest.mark.parametrize("record", [record for record in REGISTRY.records() if record.example], ids=lambda record: record.name)
def test_every_gate_has_a_spelling_with_balanced_brackets(record: object) -> None:
    program, _, _ = record.example.partition(" --")  # type: ignore[attr-defined]
    made = formula(program) if "[" not in record.example and '"' not in record.example else None  # type: ignore[attr-defined]
    if made is None:
        return
    text = latex(made.graph, made.output, made.names.get)
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")


def test_products_by_elements_have_a_sign() -> None:
    values = {"A": [[1.0, 2.0], [3.0, 4.0]], "B": [[1.0, 2.0], [3.0, 4.0]]}
    for text, expected in {
        "A*B": r"A \odot B",
        "2*A": "2 A",
        "A^2": r"A^{\odot 2}",
        "(A*B) @ A": r"\left(A \odot B\right)\, A",
    }.items():
        made = formula(text, **{name: value for name, value in values.items() if name in text})
        assert latex(made.graph, made.output, made.names.get, made.prepared()[1]) == expected


def test_places_and_constants_are_written_as_they_are_typed() -> None:
    made = formula('scatter(x, 3, index="0:2")*pi', x=[1.0, 2.0])
    assert latex(made.graph, made.output, made.names.get) == r"\operatorname{scatter}\left(x, 3, index=0:2\right) \pi"


def test_long_sums_are_broken_before_signs_outside_brackets() -> None:
    assert in_lines("x + y") == "x + y"
    term = r"\left(a + b\right)^{c - d} \begin{cases} x - 1 & y \end{cases}"
    assert in_lines(" + ".join([term] * 4)) == (
        rf"\begin{{aligned}}[t] &{term} + {term} \\ &\quad {{}}+ {term} + {term} \end{{aligned}}"
    )


def test_names_and_derivatives() -> None:
    assert latex_name("x[0, 1]") == "{x}_{0,1}"
    assert latex_name("_a") == "a"
    assert latex_derivative("f", ["x"]) == r"\frac{\partial f}{\partial x}"
    assert latex_derivative("f", ["x", "x", "y"]) == r"\frac{\partial^{3} f}{\partial x^{2} \partial y}"
    assert latex_derivative("f", ["x"], partial=False) == r"\frac{d f}{d x}"


def test_depth_costs_no_recursion() -> None:
    made = formula("(" * 2000 + "x" + " + y)" * 2000)
    assert latex(made.graph, made.output, made.names.get).endswith("+ y")
