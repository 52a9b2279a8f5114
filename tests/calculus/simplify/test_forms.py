"""Derivatives as a teacher would write them."""

from __future__ import annotations

import re

import pytest

import gradcalc
from tests.calculus.simplify.formulas import by, derivatives, written

BY_X = {
    "x^2*y + sin(x)": "2*x*y + cos(x)",
    "x": "1",
    "5*x^3 - x": "15*x^2 - 1",
    "1/x": "-1/x^2",
    "x^2/3": "2*x/3",
    "x/3 + x^2/7": "2*x/7 + 1/3",
    "(x^2 + x)/2": "x + 1/2",
    "x^2/4 + x/2": "(x + 1)/2",
    "x - x^2/2 - x^3/3": "1 - x - x^2",
    "0.1*x + 0.2*x^2": "0.4*x + 0.1",
    "1.5*x^2 + 0.25*x": "3*x + 0.25",
    "8.314*x/y": "8.314/y",
    "(a + b)/(c + x)": "-(a + b)/(c + x)^2",
    "x/(1 + x^2)": "(1 - x^2)/(1 + x^2)^2",
    "(x - 1)/(x + 1)": "2/(x + 1)^2",
    "-x/(x + 1)": "-1/(x + 1)^2",
    "(x + y)^3/(x - y)^2": "(x + y)^2*(x - 5*y)/(x - y)^3",
    "x*y*z/(x + y + z)": "y*z*(y + z)/(x + y + z)^2",
    "(2*x - 1)^3*(3*x + 2)^4": "42*x*(2*x - 1)^2*(3*x + 2)^3",
    "(x + 1)^3*(x - 2)^2": "(x + 1)^2*(x - 2)*(5*x - 4)",
    "2*(x + 1)^3/(x^2 + 1)": "2*(x + 1)^2*(x^2 - 2*x + 3)/(x^2 + 1)^2",
    "(x + 1)^3*(2*x - 2)^2/(x^2 + 1)": "4*(x + 1)^2*(x - 1)*(3*x^3 - x^2 + 7*x - 1)/(x^2 + 1)^2",
    "(3*x - 3)^3*(3*x + 3)^3": "4374*x*(x^2 - 1)^2",
    "(x^2 - 2*x + 1)^2": "4*(x - 1)*(x^2 - 2*x + 1)",
    "(x^2 + 1)*(x^3 - 2)": "5*x^4 + 3*x^2 - 4*x",
    "w^2*a^2 + (1 - w)^2*x^2 + 2*w*(1 - w)*r*a*x": "2*(1 - w)*(w*r*a + x*(1 - w))",
    "1/(1/x + 1/y)": "y^2/(x + y)^2",
    "sqrt(x)": "1/(2*sqrt(x))",
    "x*sqrt(1 - x^2)": "(1 - 2*x^2)/sqrt(1 - x^2)",
    "sqrt(x + sqrt(x))": "(2 + 1/sqrt(x))/(4*sqrt(x + sqrt(x)))",
    "asin(sqrt(x))": "1/(2*sqrt(x*(1 - x)))",
    "x^0.5": "0.5/sqrt(x)",
    "x^x": "x^x*(log(x) + 1)",
    "(1 + 1/x)^x": "(1 + 1/x)^x*(log(1 + 1/x) - 1/(x + 1))",
    "x^a*exp(-b*x)": "x^(a - 1)*(a - b*x)*exp(-b*x)",
    "sin(x)^x": "sin(x)^x*(x/tan(x) + log(sin(x)))",
    "x^n": "n*x^(n - 1)",
    "2^x": "2^x*log(2)",
    "exp2(x)": "2^x*log(2)",
    "log10(x)": "1/(x*log(10))",
    "2^x^2": "2*x*2^x^2*log(2)",
    "exp(-x)*sin(x)": "exp(-x)*(cos(x) - sin(x))",
    "exp(x + y)*exp(x - y)": "2*exp(2*x)",
    "exp(x)*x^2": "x*(x + 2)*exp(x)",
    "log(x^2*y)": "2/x",
    "log(exp(x))": "1",
    "sin(x)^2 + cos(x)^2": "0",
    "sin(x)^2": "sin(2*x)",
    "sin(x)*cos(x)": "cos(2*x)",
    "sin(x)/cos(x)": "tan(x)^2 + 1",
    "log(cos(x))": "-tan(x)",
    "log(1/cos(x) + tan(x))": "1/cos(x)",
    "(1 + tan(x))/(1 - tan(x))": "2/(cos(x) - sin(x))^2",
    "sin(x)^2*cos(x)^2": "sin(4*x)/2",
    "sin(asin(x))": "1",
    "tan(atan(x))": "1",
    "cosh(asinh(x))": "x/sqrt(x^2 + 1)",
    "asin(tanh(x))": "1/cosh(x)",
    "cosh(x)^2 - sinh(x)^2": "0",
    "tanh(x)": "1/cosh(x)^2",
    "asin(x)": "1/sqrt(1 - x^2)",
    "acosh(x)": "1/sqrt(x^2 - 1)",
    "atanh(x)": "1/(1 - x^2)",
    "atan(y/x)": "-y/(y^2 + x^2)",
    "atan2(y, x)": "-y/(y^2 + x^2)",
    "erf(x)": "2*exp(-x^2)/sqrt(pi)",
    "gelu(x)": "x*exp(-x^2/2)/sqrt(2*pi) + erfc(-x/sqrt(2))/2",
    "sigmoid(x)": "sigmoid(x)*sigmoid(-x)",
    "x^2*exp(x)/(1 + exp(x))": "x*sigmoid(x)*(x*sigmoid(-x) + 2)",
    "log(1 - sigmoid(x))": "-sigmoid(x)",
    "-(y*log(sigmoid(x)) + (1 - y)*log(1 - sigmoid(x)))": "sigmoid(x) - y",
    "1/(1 + exp(-x))": "sigmoid(x)*sigmoid(-x)",
    "exp(x)/(exp(x) + exp(y))": "sigmoid(x - y)*sigmoid(y - x)",
    "softplus(a*x)": "a*sigmoid(a*x)",
    "log(1 + exp(-x))": "-1/(exp(x) + 1)",
    "abs(x)^3": "3*x*abs(x)",
    "x*abs(x)": "2*abs(x)",
    "log(abs(x))": "1/x",
    "max(x, 0)^2": "2*max(x, 0)",
    "max(0, 1 - x)^2": "-2*max(0, 1 - x)",
    "relu(x)*x": "2*relu(x)",
    "x*max(x, 0)": "2*max(x, 0)",
    "where(y != 0, x/y, 0)*y": "where(y != 0, 1, 0)",
    "where(y != 0, x/y, 0)*y^2": "y",
    "max(x, y)^2": "where(x >= y, max(x, y)*(2 - (x == y)), 0)",
    "0/0*x": "nan",
    "(inf - inf)*x": "nan",
    "sqrt(0*x)": "0",
    "sqrt(x - x)": "0",
    "(x*(y - 1))^1.5": "1.5*sqrt(x*(y - 1))*(y - 1)",
    "sqrt(x^2)": "sign(x)",
    "((y^2)^1.5)^0.5*x": "abs(y)^1.5",
    "sqrt(x)^2": "1",
    "hypot(x, y)": "x/hypot(x, y)",
    "x % y": "1",
    "relu(x)^2": "2*relu(x)",
    "where(x < 0, -x, x^2)": "where(x < 0, -1, 2*x)",
    "max(x, y)": "where(x >= y, 1 - (x == y)/2, 0)",
    "clip(x, 0, 1)": "where((x >= 0)*(x <= 1), 1, 0)",
    "f(u) = u^2 + u; f(3*x)": "18*x + 3",
    # From physics and finance.
    "n*R*T/(x - n*b) - a*n^2/x^2": "2*a*n^2/x^3 - n*R*T/(x - n*b)^2",
    "m*x/sqrt(1 - x^2/c^2)": "m/(1 - x^2/c^2)^(3/2)",
    "2*pi*sqrt(L/x)": "-pi*sqrt(L/x)/x",
    "exp(-(x - mu)^2/(2*s^2))/(s*sqrt(2*pi))": "(mu - x)*exp(-(x - mu)^2/(2*s^2))/(sqrt(2*pi)*s^3)",
    "x - e0*sin(x)": "1 - e0*cos(x)",
    "1/((n - 1)*(1/x - 1/r))": "r^2/((n - 1)*(r - x)^2)",
    "V*x/(K + x)": "V*K/(K + x)^2",
    "A*exp(-g*x)*cos(w*x + p)": "-A*exp(-g*x)*(g*cos(w*x + p) + w*sin(w*x + p))",
    "4*q*((s/x)^12 - (s/x)^6)": "24*q*s^6/x^7 - 48*q*s^12/x^13",
    "-q*log(x) - (1 - q)*log(1 - x)": "(x - q)/(x*(1 - x))",
}


@pytest.mark.parametrize("text", BY_X)
def test_the_derivative_by_x(text: str) -> None:
    assert by(text) == BY_X[text]


HIGHER = [
    ("1/(1 + x^2)", 2, "2*(3*x^2 - 1)/(1 + x^2)^3"),
    ("exp(-x^2/2)", 2, "(x^2 - 1)*exp(-x^2/2)"),
    ("exp(-x^2/2)", 3, "x*(3 - x^2)*exp(-x^2/2)"),
    ("sqrt(1 - x^2)", 2, "-1/(1 - x^2)^(3/2)"),
    ("gelu(x)", 2, "(2 - x^2)*exp(-x^2/2)/sqrt(2*pi)"),
    ("log(x)", 3, "2/x^3"),
    ("x^n", 2, "n*x^(n - 2)*(n - 1)"),
    ("x^4", 5, "0"),
    ("hypot(x, y)", 2, "y^2/((x^2 + y^2)*hypot(x, y))"),
    ("where(x < 0, -x, x^2)", 2, "where(x < 0, 0, 2)"),
    ("elu(x)", 2, "where(x > 0, 0, exp(x))"),
    ("sin(x)", 4, "sin(x)"),
    ("tanh(sin(x)^2)", 2, "2*(cos(2*x)*cosh(sin(x)^2) - sin(2*x)^2*sinh(sin(x)^2))/cosh(sin(x)^2)^3"),
    ("tan(x)", 4, "8*sin(x)*(sin(x)^2 + 2)/cos(x)^5"),
    ("sigmoid(x)", 2, "sigmoid(x)*sigmoid(-x)*(1 - 2*sigmoid(x))"),
]


@pytest.mark.parametrize(("text", "order", "expected"), HIGHER, ids=[f"{text} {order}" for text, order, _ in HIGHER])
def test_higher_derivatives(text: str, order: int, expected: str) -> None:
    assert by(text, order=order) == expected


def test_inputs_keep_the_order_in_which_they_were_typed() -> None:
    assert by("(a*x + b)/(c*x + d)") == "(a*d - b*c)/(c*x + d)^2"
    assert by("w*y^2 + w*x*y", "y") == "2*w*y + w*x"
    assert by("y*x^2") == "2*y*x"


def test_sums_keep_the_order_in_which_they_were_typed() -> None:
    assert by("(1 + x)^3") == "3*(1 + x)^2"
    assert by("(x + 1)^3") == "3*(x + 1)^2"
    assert by("sin(b - a*x)") == "-a*cos(b - a*x)"


def test_names_of_the_program_serve_where_they_shorten() -> None:
    assert written(derivatives("s = a*x + b; sigmoid(s)", wrt=["x", "b"])) == [
        "s = a*x + b",
        "a*sigmoid(s)*sigmoid(-s)",
        "sigmoid(s)*sigmoid(-s)",
    ]
    assert by("u = x^2 + 1; v = log(u); v/u") == "u = x^2 + 1; v = log(u); 2*x*(1 - v)/u^2"
    assert by("u = x^2 + 1; log(u)") == "2*x/(x^2 + 1)"
    assert written(derivatives("q = x + y; q*z")) == ["z", "z", "x + y"]


def test_common_factors_serve_all_terms() -> None:
    by_r = derivatives("k*q*(1/(r - d/2) - 1/(r + d/2))", wrt=["k", "d"])
    assert written(by_r) == ["4*q*d/(4*r^2 - d^2)", "2*k*q*(1/(2*r - d)^2 + 1/(2*r + d)^2)"]


def test_a_product_of_many_sums_is_not_multiplied_out() -> None:
    text = "*".join(f"(x - {root})" for root in range(1, 15))
    found = derivatives(text, x=7.001)
    assert found.entries[0].value == pytest.approx(gradcalc.parse(text).evaluate(x=7.001).gradients["x"], rel=1e-13)
    assert sum(len(line) for line in written(found)) < 500


def test_what_occurs_again_gets_a_name_that_is_free() -> None:
    lines = written(derivatives("exp(s*x + t)/(1 + exp(s*x + t))^2*s"))
    names = [line.partition(" = ")[0] for line in lines if " = " in line]
    assert names
    assert not {"s", "t", "x"} & set(names)


def test_a_name_serves_the_negative_too() -> None:
    lines = written(derivatives("exp(-(x - mu)^2/(2*s^2))/(s*sqrt(2*pi))", "hessian"))
    assert lines[0] == "t = (x - mu)^2 - s^2"
    assert "-t*u/(sqrt(2*pi)*s^5)" in lines
    assert "(mu - x)*(3*s^2 - (x - mu)^2)*u/(sqrt(2*pi)*s^6)" in lines


def test_the_prices_of_options() -> None:
    text = """
    d1 = (log(S/K) + (r + s^2/2)*T)/(s*sqrt(T)); d2 = d1 - s*sqrt(T)
    N(x) = (1 + erf(x/sqrt(2)))/2
    S*N(d1) - K*exp(-r*T)*N(d2)
    """
    assert written(derivatives(text, wrt=["S"])) == [
        "d1 = (log(S/K) + (r + s^2/2)*T)/(s*sqrt(T))",
        "d2 = d1 - s*sqrt(T)",
        "erf(d1/sqrt(2))/2 + 1/2 + (exp(-d1^2/2) - K*exp(-r*T - d2^2/2)/S)/(s*sqrt(2*pi*T))",
    ]


def test_a_constant_that_is_shadowed_is_written_as_a_number() -> None:
    assert by("erf(pi*x)") == "2*sqrt(pi)*exp(-pi^2*x^2)"
    assert by("pi = 3; erf(pi*x)") == "1.1283791670955126*pi*exp(-pi^2*x^2)"


ARRAYS = [
    ("sum((x @ w - y)^2)", "w", "2*(x.T @ (x @ w - y))"),
    ("sum((x @ w - y)^2)", "x", "2*outer(x @ w - y, w)"),
    ("sum(tanh(x @ w))", "w", "x.T @ (1/cosh(x @ w)^2)"),
    ("mean((w - mean(w))^2)", "w", "w - mean(w)"),
    ("w @ x @ w", "w", "w @ x + x @ w"),
    ("sum(x)", "x", "ones(2, 2)"),
    ("sum(x.T * x)", "x", "2*x.T"),
    ("w[0]*w[1]^2", "w", "[w[1]^2, 2*w[0]*w[1]]"),
    ("a*sum(w)", "a", "sum(w)"),
    ("sum(a*w + 1)", "a", "sum(w)"),
    ("mse(w, y)", "w", "w - y"),
    ("norm(w)^2", "w", "2*w"),
    ("sum(max(x @ w, 0)^2)", "w", "2*(x.T @ max(x @ w, 0))"),
    ("-sum(y*log(sigmoid(x @ w)) + (1 - y)*log(1 - sigmoid(x @ w)))", "w", "x.T @ (sigmoid(x @ w) - y)"),
    ("trace(x @ x)", "x", "2*x.T"),
    ("log(det(x))", "x", "inv(x).T"),
    ("sum(x.T @ x)", "x", "2*(x @ ones(2, 2))"),
    ("softmax(w) @ y", "w", "softmax(w)*(y - sum(y*softmax(w)))"),
]


@pytest.mark.parametrize(("text", "name", "expected"), ARRAYS, ids=[f"{text} {name}" for text, name, _ in ARRAYS])
def test_formulas_of_arrays(text: str, name: str, expected: str) -> None:
    given = {"x": [[1.0, 2.0], [3.0, 4.0]], "w": [0.5, -1.0], "y": [1.0, 2.0], "a": 2.0}
    names = set(re.findall(r"\b[xwya]\b", text))
    assert by(text, name, **{key: value for key, value in given.items() if key in names}) == expected
