"""First order against the package `uncertainties`, on formulas of physics and on random programs, at every node."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy
import pytest

from gradcalc.formula import Measured
from gradcalc.uncertainty import first_order as module
from gradcalc.uncertainty.spread import Correlation, Member
from gradcalc.workspace import Options, Result, Workspace

uncertainties = pytest.importorskip("uncertainties")
umath = pytest.importorskip("uncertainties.umath")

NAMED = {"abs": "fabs", "reciprocal": None, "square": None, "neg": None}
"""How functions of one input are called there, where they are not called as here."""

PLAIN = [
    "sin",
    "cos",
    "tan",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log10",
    "sqrt",
    "erf",
    "erfc",
]
OPERATORS = ["+", "-", "*", "/", "atan2", "hypot", "pow"]


def result_of(text: str, inputs: Mapping[str, Any], correlations: Sequence[Correlation] = (), **options: Any) -> Result:
    """The one result of a program whose inputs are `(value, uncertainty)`, or exact."""
    bindings = {name: Measured(*given) if isinstance(given, tuple) else given for name, given in inputs.items()}
    workspace = Workspace(bindings, Options(check="off", correlations=tuple(correlations), **options))
    for answer in workspace.answers(text):
        if isinstance(answer, Exception):
            raise answer
        answer.nodes = list(answer.nodes)
        return answer
    raise AssertionError


def correlation(first: str, second: str, value: float) -> Correlation:
    return Correlation(Member(first), Member(second), value)


def peer_inputs(inputs: Mapping[str, Any], correlations: Sequence[Correlation]) -> dict[str, Any]:
    """The same inputs as numbers of the other package."""
    names = [name for name, given in inputs.items() if isinstance(given, tuple)]
    matrix = numpy.eye(len(names))
    for one in correlations:
        first, second = names.index(one.first.name), names.index(one.second.name)
        matrix[first, second] = matrix[second, first] = one.value
    made = dict(inputs) | dict(zip(names, uncertainties.correlated_values_norm([inputs[name] for name in names], matrix)))
    if not correlations:
        made |= {name: uncertainties.ufloat(*inputs[name]) for name in names}
    return made


def peer_value(gate: str, arguments: Sequence[Any], value: float) -> Any:
    """What the other package makes of one gate."""
    match gate, arguments:
        case "input", _:
            raise AssertionError
        case "constant", _:
            return value
        case "+", (a, b):
            return a + b
        case "-", (a, b):
            return a - b
        case "*", (a, b):
            return a * b
        case "/", (a, b):
            return a / b
        case "pow", (a, b):
            return a**b
        case "neg", (a,):
            return -a
        case "square", (a,):
            return a * a
        case "reciprocal", (a,):
            return 1 / a
        case "=", (a,):
            return a
    return getattr(umath, NAMED.get(gate) or gate)(*arguments)


def agree_at_every_node(result: Result, peers: Mapping[str, Any], bound: float = 1e-9) -> None:
    found: dict[int, Any] = {}
    for node in result.nodes:
        if node.gate == "input":
            found[node.id] = peers[node.name]
        else:
            found[node.id] = peer_value(node.gate, [found[source] for source in node.inputs], node.value)
        expected = getattr(found[node.id], "std_dev", 0.0)
        assert node.uncertainty == pytest.approx(expected, rel=bound, abs=1e-8 * bound + bound * abs(node.value) * 1e-3), node.name


FORMULAS: list[tuple[str, dict[str, tuple[float, float]]]] = [
    ("4*pi^2*L/T^2", {"L": (0.995, 0.002), "T": (2.001, 0.005)}),
    ("1/(1/g + 1/b)", {"g": (30.2, 0.3), "b": (61.0, 0.5)}),
    ("rho = R*pi*(d/2)^2/l; rho", {"R": (1.72e-2, 1e-4), "d": (1.01e-3, 1e-5), "l": (0.8, 0.002)}),
    ("Vmax*S/(Km + S)", {"Vmax": (3.4, 0.1), "Km": (1.2, 0.15), "S": (2.0, 0.05)}),
    ("asin(n1/n2*sin(angle))", {"n1": (1.0003, 1e-4), "n2": (1.33, 0.004), "angle": (0.6, 0.01)}),
    ("A*exp(-E/(8.314*T))", {"A": (1e9, 1e8), "E": (5e4, 800.0), "T": (310.0, 0.5)}),
    ("sqrt(p*V/(n*M))", {"p": (101325.0, 50.0), "V": (0.0224, 1e-4), "n": (1.0, 1e-3), "M": (0.029, 1e-5)}),
    ("x - x", {"x": (3.0, 0.5)}),
    ("x*x - square(x)", {"x": (3.0, 0.5)}),
]


@pytest.mark.parametrize(("text", "inputs"), FORMULAS, ids=[text for text, _ in FORMULAS])
def test_formulas_of_the_laboratory(text: str, inputs: dict[str, tuple[float, float]]) -> None:
    result = result_of(text, inputs)
    peers = peer_inputs(inputs, ())
    agree_at_every_node(result, peers)
    assert result.propagation is not None
    shares = result.propagation.first.shares
    assert set(shares) == set(inputs)
    if result.propagation.first.uncertainty > 1e-12 * abs(result.value):
        assert sum(shares.values()) == pytest.approx(1.0)


def test_shares_are_the_components_of_the_variance() -> None:
    inputs = {"Vmax": (3.4, 0.1), "Km": (1.2, 0.15), "S": (2.0, 0.05)}
    result = result_of("Vmax*S/(Km + S)", inputs)
    peers = peer_inputs(inputs, ())
    value = peers["Vmax"] * peers["S"] / (peers["Km"] + peers["S"])
    parts = {variable: error**2 / value.std_dev**2 for variable, error in value.error_components().items()}
    assert result.propagation is not None
    assert result.propagation.first.shares == pytest.approx({name: parts[peers[name]] for name in inputs})


def random_formula(rng: random.Random, names: Sequence[str], depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(names) if rng.random() < 0.85 else rng.choice(["2", "0.5", "pi", "3"])
    inner = random_formula(rng, names, depth - 1)
    if rng.random() < 0.45:
        name = rng.choice(PLAIN)
        tamed = {"log": "{}^2 + 0.5", "log10": "{}^2 + 1", "sqrt": "{}^2 + 0.1", "log1p": "({})^2", "exp": "sin({})"}
        tamed |= {"expm1": "cos({})", "sinh": "tanh({})", "cosh": "atan({})", "tan": "sin({})"}
        return f"{name}({tamed.get(name, '{}').format(f'({inner})')})"
    other = random_formula(rng, names, depth - 1)
    name = rng.choice(OPERATORS)
    match name:
        case "/":
            return f"({inner})/(1 + ({other})^2)"
        case "pow":
            return f"(0.3 + ({inner})^2)^(sin({other}))"
        case "atan2" | "hypot":
            return f"{name}(2 + ({inner})^2, {other})"
    return f"(({inner}) {name} ({other}))"


def random_cases(number: int) -> Iterator[tuple[str, dict[str, tuple[float, float]], list[Correlation]]]:
    for index in range(number):
        rng = random.Random(f"uncertain {index}")
        names = ["a", "b", "c", "d"][: rng.randint(1, 4)]
        inputs = {name: (rng.uniform(0.3, 2.0) * rng.choice((-1, 1)), 10 ** rng.uniform(-4, -1)) for name in names}
        text = f"{random_formula(rng, names, 4)} + {' + '.join(names)}"
        correlations = []
        if index % 2 and len(names) > 1:
            # Correlations of sums of independent quantities are possible for certain.
            mixing = numpy.random.default_rng(index).normal(size=(len(names), len(names)))
            covariance = mixing @ mixing.T
            sizes = numpy.sqrt(numpy.diag(covariance))
            matrix = covariance / numpy.outer(sizes, sizes)
            correlations = [
                correlation(names[i], names[j], float(matrix[i, j]))
                for i in range(len(names))
                for j in range(i)
                if rng.random() < 2
            ]
        yield text, inputs, correlations


@pytest.mark.parametrize("block", range(5))
def test_random_programs(block: int) -> None:
    for text, inputs, correlations in list(random_cases(200))[block::5]:
        result = result_of(text, inputs, correlations)
        peers = peer_inputs(inputs, correlations)
        agree_at_every_node(result, peers, 1e-7)


def test_arrays() -> None:
    rng = numpy.random.default_rng(4)
    x, w = rng.uniform(1, 2, (3, 2)), rng.uniform(1, 2, 2)
    dx, dw = rng.uniform(0.01, 0.2, (3, 2)), rng.uniform(0.01, 0.2, 2)
    result = result_of("y = x @ w; m = mean(y); sum(square(y - m))/size(y)", {"x": (x, dx), "w": (w, dw)})
    px = numpy.array([[uncertainties.ufloat(a, b) for a, b in zip(*row)] for row in zip(x, dx)])
    pw = numpy.array([uncertainties.ufloat(a, b) for a, b in zip(w, dw)])
    y = px @ pw
    m = sum(y) / 3
    rows = {node.name: node for node in result.nodes}
    assert rows["y"].uncertainty == pytest.approx([one.std_dev for one in y])
    assert rows["m"].uncertainty == pytest.approx(m.std_dev)
    value = sum((y - m) ** 2) / 3
    assert result.nodes[-1].uncertainty == pytest.approx(value.std_dev)
    components = value.error_components()
    expected = numpy.array([[components[one] ** 2 for one in row] for row in px]) / value.std_dev**2
    assert rows["x"].share == pytest.approx(expected)
    assert numpy.sum(rows["x"].share) + numpy.sum(rows["w"].share) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["x @ w", "sum(x @ w)", "x*w"])
def test_gradients_give_what_the_passes_give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many uncertain numbers to follow each through every node."""
    rng = numpy.random.default_rng(4)
    inputs = {
        "x": (rng.uniform(1, 2, (3, 2)), rng.uniform(0.01, 0.2, (3, 2))),
        "w": (rng.uniform(1, 2, 2), rng.uniform(0.01, 0.2, 2)),
    }
    pairs = [
        Correlation(Member("x", (0, 0)), Member("x", (2, 1)), 0.5),
        Correlation(Member("x", (0, 0)), Member("w", (1,)), -0.25),
    ]
    usual = result_of(text, inputs, pairs).propagation
    monkeypatch.setattr(module, "MOST_PASSES", 3)
    other = result_of(text, inputs, pairs).propagation
    assert usual is not None
    assert other is not None
    assert usual.first.inner
    assert not other.first.inner
    assert other.first.uncertainty == pytest.approx(usual.first.uncertainty)
    for name in inputs:
        assert other.first.shares[name] == pytest.approx(usual.first.shares[name])


def test_correlations_that_cancel_leave_nothing() -> None:
    inputs = {"x": (5.0, 1.0), "y": (3.0, 1.0)}
    together = result_of("x - y", inputs, [correlation("x", "y", 1.0)]).propagation
    apart = result_of("x - y", inputs, [correlation("x", "y", -1.0)]).propagation
    assert together is not None
    assert apart is not None
    assert together.first.uncertainty == 0.0
    assert math.isnan(together.first.shares["x"])
    assert apart.first.uncertainty == pytest.approx(2.0)


def test_huge_and_tiny_numbers_do_not_overflow() -> None:
    result = result_of("x*y", {"x": (1e200, 1e199), "y": (1e-200, 1e-201)})
    assert result.propagation is not None
    assert result.propagation.first.uncertainty == pytest.approx(math.sqrt(0.02))
    large = result_of("x + y", {"x": (1e300, 3e299), "y": (1e300, 4e299)}).propagation
    assert large is not None
    assert large.first.uncertainty == pytest.approx(5e299)


def test_an_exact_input_has_no_share() -> None:
    result = result_of("x*y", {"x": (2.0, 0.1), "y": 3.0})
    assert result.propagation is not None
    assert set(result.propagation.first.shares) == {"x"}
    assert result.propagation.first.uncertainty == pytest.approx(0.3)


def test_an_output_that_uncertain_inputs_do_not_reach_is_exact() -> None:
    bindings = {"x": Measured(1.0, 0.1), "y": 2.0}
    first, second = Workspace(bindings, Options(check="off")).answers("x\ny + 1")
    assert isinstance(first, Result)
    assert isinstance(second, Result)
    assert second.propagation is not None
    assert second.propagation.first.uncertainty == 0.0
