"""Exported source as people read it: names, statements, what stands at the head, and a test of its own that can fail."""

from __future__ import annotations

import ast
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from gradcalc.errors import ArgumentProblem, GradcalcError, LimitProblem, ShapeProblem
from gradcalc.gates import REGISTRY
from gradcalc.studies.exports import source
from tests.dialects.exports.formulas import formulas
from tests.dialects.exports.running import compiled, loaded, ran, run

PYTHONS = ("python", "numpy", "torch", "jax")
NEURON = "s = a*x + b*y + c; f = sigmoid(s)"
POINT = {"a": 1.0, "b": 2.0, "c": -3.0, "x": -1.0, "y": 3.0}
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
BLACK_SCHOLES = next(EXAMPLES.glob("*-option-price.gc")).read_text("utf-8")


def written(text: str, target: str, wrt: Any = None, **values: Any) -> str:
    return source(formulas(text, **values), target, wrt)


def function(text: str, name: str) -> str:
    """The source of a function of a Python file."""
    found = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
    return str(ast.get_source_segment(text, found))


# ---- what is read ----------------------------------------------------------------------------------------------------------------


def test_a_named_node_is_a_statement_of_its_name() -> None:
    text = written(NEURON, "python", **POINT)
    assert function(text, "forward") == (
        'def forward(a, x, b, y, c):\n    """f = sigmoid(s)"""\n    s = a * x + b * y + c\n    return sigmoid(s)'
    )
    backward = function(text, "backward")
    assert "    # forward\n    s = a * x + b * y + c\n    f = sigmoid(s)\n" in backward
    assert "    # backward\n    d_s = f * sigmoid(-s)\n" in backward
    assert backward.endswith('return f, {"a": d_a, "x": d_x, "b": d_b, "y": d_y, "c": d_s}')


def test_nothing_of_gradcalc_is_imported() -> None:
    for target in PYTHONS:
        assert not re.search(r"^\s*(import|from) gradcalc", written(NEURON, target, **POINT), re.MULTILINE)


@pytest.mark.parametrize("target", PYTHONS)
def test_only_what_is_needed_is_imported_and_defined(target: str) -> None:
    text = written("a*b + 1", target, a=1.0, b=2.0)
    tree = ast.parse(text)
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert {"forward", "backward", "close", "check", "main"} <= set(defined) <= {
        "forward", "backward", "close", "check", "main", "text_of",
    }  # fmt: skip
    for name in [alias.asname or alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]:
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_names_that_mean_something_else_get_an_underscore() -> None:
    text = written("lambda*exp + math^2 + forward", "python", **{"lambda": 1.0, "exp": 2.0, "math": 3.0, "forward": 4.0})
    module = ast.parse(text)
    (first,) = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "forward"]
    assert [argument.arg for argument in first.args.args] == ["lambda_", "exp_", "math_", "forward_"]
    assert 'GRADIENTS = {"lambda": ' in text


def test_letters_of_other_alphabets_stay_in_python_and_are_spelled_out_in_c(tmp_path: Path) -> None:
    program = "사과*θ1 + é^2 + double + y1 + i*[1,2,3]"
    values = {"사과": 2.0, "θ1": 3.0, "é": 4.0, "double": 1.0, "y1": 5.0, "i": 2.0}
    assert "def forward(사과, θ1, é, double, y1, i):" in written(program, "numpy", **values)
    text = written(program, "c", **values)
    assert "double uc0ac_uacfc" in text or "double uc0acuacfc" in text
    assert "double theta1, double e, double double_, double y1_, double i" in text
    assert "j < 3" in text  # i is a name of the program
    assert '"d/d사과"' in text
    out = ran([compiled(text, tmp_path)])
    assert "d/dθ1 = 6\n" in out


def test_names_of_macros_are_no_names_in_c(tmp_path: Path) -> None:
    words = ["NULL", "EOF", "NAN", "INFINITY", "HUGE_VAL", "BUFSIZ", "TMP_MAX", "SEEK_SET", "FP_NAN", "_Bool", "RELATIVE", "M_PI"]
    words += ["M_E", "linux", "unix", "stdin", "isnan", "getc", "FILE", "size_t", "P_tmpdir", "L_tmpnam", "__LINE__", "DOMAIN"]
    text = written("*".join(words), "c", **dict.fromkeys(words, 1.0))
    assert "value = 1\n" in ran([compiled(text, tmp_path)])
    assert "double A, double W1, double X_2)" in written("A*W1*X_2", "c", A=1.0, W1=1.0, X_2=1.0)


def test_arithmetic_has_the_brackets_it_needs_and_no_others() -> None:
    text = written("(a - (b - c))/(a*b)*c - -(a + b)^2^c", "numpy", a=1.0, b=2.0, c=3.0)
    assert "    t1 = (a - (b - c)) / (a * b) * c\n    return t1 - -(a + b)**2.0**c\n" in text


def test_what_can_not_be_zero_is_divided_by_plainly() -> None:
    text = written("x/(1 + x^2) + sqrt(1 + exp(x)) + log(2 + cos(x))", "python", x=1.0)
    forward = function(text, "forward")
    assert "divide" not in forward
    assert "math.sqrt(" in forward
    assert "math.log(" in forward
    assert "def log(" not in text
    assert "def exp(" in text  # it may overflow
    assert "divide(1.0, x)" in written("1/x", "python", x=1.0)


def test_a_gradient_of_ones_is_no_factor_in_c() -> None:
    assert "1.0 *" not in written("sum((x @ w)^2)", "c", x=numpy.ones((2, 2)), w=numpy.ones(2))


def test_constants_of_mathematics_keep_their_names() -> None:
    assert "2.0 * math.pi * x" in written("2*pi*x", "python", x=1.0) or "math.pi" in written("2*pi*x", "python", x=1.0)
    assert "np.pi" in written("sin(pi*x)", "numpy", x=1.0)


def test_shapes_are_told() -> None:
    text = written("x @ W", "numpy", x=numpy.ones((2, 3)), W=numpy.ones((3, 4)))
    assert "Shapes: x: 2 × 3; W: 3 × 4; value: 2 × 4." in text
    assert "the gradients of the sum of its elements by x and W" in text


def test_the_head_says_what_it_was_made_from() -> None:
    text = written(BLACK_SCHOLES, "python")
    assert text.startswith('"""call: its value and gradients, as Python source.\n')
    assert "    d2 = d1 - σ*sqrt(T)\n" in text


@pytest.mark.parametrize("target", ["numpy", "jax"])
def test_many_parameters_with_long_names(target: str, tmp_path: Path) -> None:
    names = [f"{stem}_{number}" for stem in ("weight", "mean_smoothness") for number in range(9)]
    text = written(" + ".join(f"{name}*{name}" for name in names), target, **dict.fromkeys(names, 2.0))
    if target == "numpy":
        (tmp_path / "source.py").write_text(text, "utf-8")
        assert "value = 72.0" in ran([sys.executable, tmp_path / "source.py"])
    compile(text, "source", "exec")


def test_lines_are_not_too_long() -> None:
    inputs = {f"x{number}": 1.0 + number for number in range(60)}
    program = " + ".join(f"sin({name})*{index}.123456789" for index, name in enumerate(inputs))
    for target in ("python", "numpy", "c"):
        text = written(program, target, **inputs)
        assert max(map(len, text.split("\n"))) < 140
    assert len(loaded_value(text_of := written(program, "python", **inputs), inputs)) == 60 and text_of


def loaded_value(text: str, inputs: dict[str, float]) -> dict[str, float]:
    """The gradients that the functions of a source give."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), space)  # made here, from a program of this test
    return dict(space["backward"](*inputs.values())[1])


# ---- what is run -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [*PYTHONS, "c"])
def test_a_real_formula_in_every_language(target: str, tmp_path: Path) -> None:
    """Black and Scholes: the delta is N(d1), the vega S*density(d1)*sqrt(T)."""
    if target in ("torch", "jax"):
        pytest.importorskip(target)
    out = run(formulas(BLACK_SCHOLES), target, tmp_path)
    found = {name: float(number) for name, number in re.findall(r"^(\S+) = (\S+)", out, re.MULTILINE)}
    d1 = (math.log(100 / 105) + (0.03 + 0.02) * 0.5) / (0.2 * math.sqrt(0.5))
    assert found["value"] == pytest.approx(4.1782997155134964, rel=1e-12)
    assert found["d/dS"] == pytest.approx(math.erfc(-d1 / math.sqrt(2)) / 2, rel=1e-12)
    assert found["d/dσ"] == pytest.approx(100 * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) * math.sqrt(0.5), rel=1e-12)
    if target in ("torch", "jax"):
        assert "differs" not in out
        assert out.count("autograd" if target == "torch" else "jax.grad") == 5


@pytest.mark.parametrize("target", ["numpy", "torch", "c"])
@pytest.mark.parametrize("example", ["24-softmax-and-cross-entropy", "26-deep-network"])
def test_networks(example: str, target: str, tmp_path: Path) -> None:
    if target == "torch":
        pytest.importorskip("torch")
    out = run(formulas((EXAMPLES / f"{example}.gc").read_text("utf-8")), target, tmp_path)
    assert out.count("value = ") == 1
    if target == "torch":
        assert out.count("autograd: ") == out.count("d/d")
        # Of a probability that is 0, PyTorch's derivative is not a number.
        assert ("differs" in out) == example.startswith("24")


def test_a_network_of_many_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CASES: 784-50-10 on three images; weights are drawn once, and stand in the source."""
    monkeypatch.chdir(EXAMPLES.parent)
    network = formulas((EXAMPLES / "25-digits-network.gc").read_text("utf-8"))
    text = source(network, "numpy", ["W1", "b1", "W2", "b2"])
    assert len(text) < 2_000_000
    path = tmp_path / "digits.py"
    path.write_text(text, "utf-8")
    out = ran([sys.executable, path])
    assert "d/dW1 = array of 784 x 50, between -" in out


def test_scalar_cases_in_one_file(tmp_path: Path) -> None:
    """The worked cases of circuits, all outputs in one file, in Python and in C."""
    chosen = []
    for path in sorted(EXAMPLES.glob("*.gc"))[:20]:
        chosen += formulas(path.read_text("utf-8"))
    for target in ("python", "c"):
        out = run(chosen, target, tmp_path)
        assert re.search(r"^d/dx1 = -0\.58983579972444\d+$", out, re.MULTILINE)
        assert len(re.findall("^value = ", out, re.MULTILINE)) == len(chosen)


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
def test_a_number_that_is_off_is_found(target: str, tmp_path: Path) -> None:
    """The source tests itself, and a rule spoiled by one part in 10^8 fails."""
    text = written(NEURON, target, **POINT)
    spoiled = re.sub(r"f \* sigmoid\(-s\)", "1.00000001 * f * sigmoid(-s)", text)
    assert spoiled != text
    if target == "c":
        command = [str(compiled(spoiled, tmp_path))]
    else:
        path = tmp_path / "spoiled.py"
        path.write_text(spoiled, "utf-8")
        command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("OFF") == 5


def test_torch_finds_a_number_that_is_off(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = written("s = a*x; tanh(s)", "torch", a=1.0, x=0.5)
    path = tmp_path / "spoiled.py"
    path.write_text(text.replace('"a": d_a', '"a": d_a + 1e-7'), "utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("OFF") == 1


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
def test_poles_overflow_and_domains_are_as_in_ieee_arithmetic(target: str, tmp_path: Path) -> None:
    programs = [
        "1/x",
        "log(x) + sqrt(x - 1)",
        "exp(1000 + x)",
        "x^-1 + 0/x",
        "sin(1/x)",
        "sinh(-1000 - x)",
        "atanh(1 + x)",
        "x % x",
    ]
    chosen = [formula for program in programs for formula in formulas(program, x=0.0)]
    out = run(chosen, target, tmp_path)
    values = re.findall(r"^value = (\S+)", out, re.MULTILINE)
    assert [abs(float(value)) for value in values if "nan" not in value] == [math.inf] * 4
    assert sum("nan" in value for value in values) == 4


@pytest.mark.parametrize("target", ["python", "numpy", "torch", "jax", "c"])
def test_the_branch_not_taken_does_not_touch_the_gradient(target: str, tmp_path: Path) -> None:
    """The slope of where(x < 1, x, sqrt(x)) at 0 is 1; PyTorch's and JAX's own derivatives are nan, and the source says so."""
    if target in ("torch", "jax"):
        pytest.importorskip(target)
    out = run(formulas("where(x < 1, x, sqrt(x))", x=0.0), target, tmp_path)
    assert re.search(r"^d/dx = 1(\.0)?$", out, re.MULTILINE)
    if target in ("torch", "jax"):
        assert ": nan  # differs" in out


def test_a_gradient_by_convention_is_told(tmp_path: Path) -> None:
    text = written("hypot(x, y)", "python", x=0.0, y=0.0)
    assert "the gradient by x comes out as nan. gradcalc answers 0.0" in " ".join(text.split())
    path = tmp_path / "source.py"
    path.write_text(text, "utf-8")
    assert "d/dx = nan" in ran([sys.executable, path])


def test_gradients_of_inner_nodes(tmp_path: Path) -> None:
    text = written("q = x + y; f = q*z", "numpy", ["q", "z"], x=-2.0, y=5.0, z=-4.0)
    path = tmp_path / "source.py"
    path.write_text(text, "utf-8")
    assert ran([sys.executable, path]) == "value = -12.0\nd/dq = -4.0\nd/dz = 3.0\n"


def test_an_input_without_influence_has_a_zero_gradient(tmp_path: Path) -> None:
    values = {"x": numpy.ones((2, 3)), "y": 2.0}
    for target in ("numpy", "c"):
        out = run(formulas("size(x)*y + sum(floor(x))", **values), target, tmp_path)
        assert "d/dy = 6" in out


def test_random_numbers_are_drawn_once(tmp_path: Path) -> None:
    text = written("sum(x*randn(20))", "numpy", x=numpy.arange(20.0))
    assert "CONSTANT_1 = " in text
    assert "random" not in text
    path = tmp_path / "source.py"
    path.write_text(text, "utf-8")
    ran([sys.executable, path])


def test_without_values_there_are_functions_only(tmp_path: Path) -> None:
    for target in PYTHONS:
        text = source(formulas("a*sin(b)", optional=True), target)
        assert "It has no test: a and b had no values when it was made" in " ".join(text.split())
        assert "main" not in text
    text = source(formulas("a*sin(b)", optional=True, b=1.0), "c")
    assert "int main" not in text
    (tmp_path / "own.c").write_text(
        text + "\nint main(void) { struct slopes d; return backward(2.0, 0.0, &d) != 0.0 || d.b != 2.0; }\n"
    )
    ran([compiled((tmp_path / "own.c").read_text(), tmp_path)])


def test_functions_may_be_called_at_other_points(tmp_path: Path) -> None:
    module = loaded(written("where(x > 0, log(x), 0)*y + relu(x)", "python", x=1.0, y=2.0), tmp_path)
    assert module.forward(-1.0, 3.0) == 0.0
    assert module.backward(-1.0, 3.0) == (0.0, {"x": 0.0, "y": 0.0})
    assert module.backward(2.0, 3.0)[1]["x"] == pytest.approx(3 / 2 + 1)
    module = loaded(written("sum(x^2)/y", "numpy", x=numpy.ones(3), y=2.0), tmp_path)
    value, gradients = module.backward([1, 2, 3], 0)
    assert value == math.inf
    assert gradients["x"].tolist() == [math.inf] * 3


ODD = [
    ("1 + 2", {}),
    ("a < b", {"a": 1.0, "b": 2.0}),
    ("x*2", {"x": math.inf}),
    ("x", {"x": 3.0}),
    ("y = x; z = y; y*z", {"x": 3.0}),
    ("d_x*x + t1*np*torch + value*d + i*j*k", dict.fromkeys(["d_x", "x", "t1", "np", "torch", "value", "d", "i", "j", "k"], 2.0)),
    ("p = x*y; q = x*y; 2*p + 3*q", {"x": 2.0, "y": 3.0}),
    ("abs(x) + max(x, 0) + relu(x) + clip(x, 0, 1) + sign(x)", {"x": 0.0}),
]
ODD_ARRAYS: list[tuple[str, dict[str, Any]]] = [
    ("x", {"x": numpy.eye(2)}),
    ("[x, y, 2*x]", {"x": 1.0, "y": 2.0}),
    ("x[::-1]*[1,2,3] + x[-1]", {"x": numpy.arange(3.0)}),
    ("concat(x, [1,2])[1:4:2]", {"x": numpy.arange(3.0)}),
    ("cumsum(x.T, axis=0) + argmax(x)", {"x": numpy.arange(6.0).reshape(2, 3)}),
    ("sum(where(x > 0, log(x), 0))", {"x": numpy.arange(3.0)}),
    ("norm(x) + std(x) + prod(x)", {"x": numpy.array([3.0, 4.0, 0.0])}),
    ("x.T @ (x @ [1,2,3] + b)", {"x": numpy.arange(6.0).reshape(2, 3), "b": 1.0}),
    ("reshape(x, 3, 2)*i + sum(j)", {"x": numpy.arange(6.0).reshape(2, 3), "i": 2.0, "j": numpy.ones(4)}),
    ("outer(x, x)[1] + trace(eye(3)*k)", {"x": numpy.arange(3.0), "k": 2.0}),
    ("softmax(x*1000, axis=0) + logsumexp(x)", {"x": numpy.arange(3.0)}),
]


@pytest.mark.parametrize("target", ["python", "numpy", "torch", "c"])
def test_odd_formulas(target: str, tmp_path: Path) -> None:
    """No inputs, truth values, names that the source uses itself, kinks, arrays in all sorts of places."""
    if target == "torch":
        pytest.importorskip("torch")
    chosen = [formula for text, values in ODD + (ODD_ARRAYS if target != "python" else []) for formula in formulas(text, **values)]
    out = run(chosen, target, tmp_path)
    assert len(re.findall("^value = ", out, re.MULTILINE)) == len(chosen)


def test_nodes_that_are_alike_keep_their_names() -> None:
    backward = function(written("p = x*y; q = x*y; 2*p + 3*q", "python", x=2.0, y=3.0), "backward")
    assert "    p = x * y\n    q = x * y\n" in backward


def test_a_long_program_takes_seconds_and_no_recursion(tmp_path: Path) -> None:
    program = "\n".join(["s0 = sin(x)", *(f"s{n} = s{n - 1}*cos(s{n - 1} + {n % 7}) + x" for n in range(1, 1200))])
    text = written(program, "python", x=0.1)
    assert text.count("\n    d_s") > 1150
    assert "value" in loaded(text, tmp_path).__dict__["backward"].__doc__
    assert written(program, "c", x=0.1).count("const double s") > 1150


# ---- what can't be exported ------------------------------------------------------------------------------------------------------


def test_python_has_no_arrays() -> None:
    with pytest.raises(ShapeProblem, match="x is an array, and Python alone has none") as caught:
        written("sum(x)", "python", x=numpy.ones(3))
    assert caught.value.place is not None
    assert "numpy" in caught.value.remedy


@pytest.mark.parametrize("gate", ["inv", "det", "solve", "sort"])
def test_c_has_no_linear_algebra(gate: str) -> None:
    program = f"sum({gate}(A))" if gate != "solve" else "sum(solve(A, A))"
    with pytest.raises(ArgumentProblem, match=f"{gate} can't be written in C") as caught:
        written(program, "c", A=numpy.eye(2) + 1)
    place = caught.value.place
    assert place is not None
    assert place.text[place.column :].startswith(gate)


def test_there_is_a_limit_to_what_is_embedded() -> None:
    with pytest.raises(LimitProblem, match="the source would hold"):
        written("sum(x*x)", "numpy", x=numpy.ones((400, 400)))
    assert source(formulas("sum(x*x)", x=numpy.ones((400, 400))), "numpy", test=False)


def test_every_refusal_is_a_mistake_with_a_remedy() -> None:
    for record in REGISTRY.records():
        if record.name in ("inv", "det", "sort"):
            with pytest.raises(GradcalcError) as caught:
                written(f"sum({record.name}(A))", "c", A=numpy.eye(2) + 1)
            assert caught.value.remedy
