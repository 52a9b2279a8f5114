"""Functions from tables of calculus with SymPy's derivatives; `python -m tests.calculus.table` asks SymPy anew.

For each function: the formula, what SymPy's `simplify` makes of its derivative, how many tokens that is long, and the derivative's
value at some points.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")

FUNCTIONS = [
    "x^5 - 4*x^3 + 2*x - 7",
    "(3*x + 1)^4",
    "(x^2 + 1)*(x^3 - 2)",
    "x/(1 + x^2)",
    "(x^2 - 1)/(x^2 + 1)",
    "(a*x + b)/(c*x + d)",
    "1/(x^2 + a^2)",
    "sqrt(x)",
    "x*sqrt(x)",
    "1/sqrt(x)",
    "sqrt(x^2 + a^2)",
    "sqrt(1 - x^2)",
    "x*sqrt(1 - x^2)",
    "x/sqrt(1 + x^2)",
    "(1 - x^2)^(3/2)",
    "cbrt(x)",
    "x^(2/3)",
    "x^n",
    "a^x",
    "x^x",
    "exp(x)",
    "exp(-x^2/2)",
    "x*exp(-x)",
    "x^2*exp(3*x)",
    "exp(a*x)*sin(b*x)",
    "exp(sin(x))",
    "(exp(x) - exp(-x))/(exp(x) + exp(-x))",
    "1/(1 + exp(-x))",
    "exp(x)/(1 + exp(x))",
    "log(x)",
    "x*log(x) - x",
    "log(x)/x",
    "log(x^2 + 1)",
    "log(log(1 + x))",
    "log(x + sqrt(x^2 + 1))",
    "log((1 + x)/(1 - x))",
    "log(sin(x))",
    "log(cos(x))",
    "sin(x)",
    "cos(3*x + 1)",
    "sin(x)^2",
    "sin(x)*cos(x)",
    "sin(x)/x",
    "x*sin(x) + cos(x)",
    "tan(x)",
    "1/cos(x)",
    "1/sin(x)",
    "cos(x)/sin(x)",
    "sin(x)^3*cos(x)",
    "sin(x)/(1 + cos(x))",
    "x^2*sin(1/x)",
    "tan(x)^2",
    "asin(x)",
    "acos(x)",
    "atan(x)",
    "x*atan(x) - log(1 + x^2)/2",
    "asin(x/a)",
    "atan(a/x)",
    "atan((1 + x)/(1 - x))",
    "sinh(x)",
    "cosh(x)",
    "tanh(x)",
    "asinh(x)",
    "acosh(1 + x)",
    "atanh(x)",
    "x*asinh(x) - sqrt(1 + x^2)",
    "erf(x)",
    "x*erf(x) + exp(-x^2)/sqrt(pi)",
    "exp(-x)*(x^2 + 2*x + 2)",
    "(x - 1)*(x - 2)*(x - 3)",
    "(sin(x) - x*cos(x))/(cos(x) + x*sin(x))",
    "sqrt((1 - x)/(1 + x))",
    "log(tan(x/2))",
    "x*sqrt(x^2 + 1)/2 + asinh(x)/2",
]
"""Formulas of x, and of the parameters a, b, c, d, n."""

NAMES = "abcdnx"

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*(?:e-?\d+)?|\*\*|[^\s\w]")


def tokens(text: str) -> int:
    """How many words, numbers and signs a formula has."""
    return len(TOKEN.findall(text))


def points() -> list[dict[str, float]]:
    """Some points at which all the functions have a value."""
    draw = random.Random(1)
    found = []
    for _ in range(4):
        point = {name: round(draw.uniform(1.0, 2.0), 3) for name in NAMES}
        found.append(point | {"x": round(draw.uniform(0.15, 0.9), 3)})
    return found


def read() -> list[dict[str, Any]]:
    """The table as it was written."""
    return json.loads(FILE.read_text("utf-8"))  # type: ignore[no-any-return]


def main() -> None:
    """Ask SymPy for every derivative, and write the table."""
    import sympy

    symbols = {name: sympy.Symbol(name) for name in NAMES}
    rows = []
    for formula in FUNCTIONS:
        text = re.sub(r"\((\d)/(\d)\)", r"Rational(\1,\2)", formula.replace("^", "**").replace("cbrt(x)", "x**Rational(1,3)"))
        derivative = sympy.simplify(sympy.diff(sympy.sympify(text, locals=symbols), symbols["x"]))
        spelled = str(derivative).replace("**", "^")
        values = [
            float(sympy.N(derivative.subs({symbols[name]: value for name, value in point.items()}), 25)) for point in points()
        ]
        rows.append({"formula": formula, "sympy": spelled, "tokens": tokens(spelled), "values": values})
    FILE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", "utf-8")


if __name__ == "__main__":
    main()
