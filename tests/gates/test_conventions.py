"""The answers of other libraries at kinks are what these libraries answer, where they are installed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gradcalc.gates import REGISTRY
from gradcalc.gates.conventions import ARRAY_CONVENTIONS, CONVENTIONS, ArrayConvention, Convention, conventions_at, slope_of

ATTRIBUTES: dict[str, dict[str, float]] = {
    "leaky_relu": {"slope": 0.02},
    "elu": {"alpha": 2.0},
    "hardtanh": {"min": -1.0, "max": 1.0},
}


def attributes_of(name: str) -> dict[str, float]:
    return ATTRIBUTES.get(name, {})


def name_of(entry: Convention | ArrayConvention) -> str:
    return f"{entry.gate}: {entry.words}"


def same(found: float, expected: Any) -> bool:
    return math.isnan(found) if expected != expected else found == expected


def compare(entry: Convention, library: str, slopes: list[float]) -> None:
    for found, answer in zip(slopes, entry.answers[library], strict=True):
        expected = slope_of(answer, attributes_of(entry.gate))
        assert expected is None or same(found, expected), (library, slopes)


def told_by(library: str) -> list[Convention]:
    return [entry for entry in CONVENTIONS if library in entry.answers]


@pytest.mark.parametrize("entry", told_by("PyTorch"), ids=name_of)
def test_pytorch(entry: Convention) -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    others: Mapping[str, Callable[..., Any]] = {
        "relu": functional.relu,
        "leaky_relu": lambda x, slope: functional.leaky_relu(x, slope),
        "elu": lambda x, alpha: functional.elu(x, alpha),
        "selu": functional.selu,
        "hardtanh": lambda x, min, max: functional.hardtanh(x, min, max),
        "clip": torch.clamp,
        "max": torch.maximum,
        "min": torch.minimum,
        "%": torch.remainder,
    }
    function = others.get(entry.gate) or getattr(torch, entry.gate)
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in entry.point]
    function(*inputs, **attributes_of(entry.gate)).backward()
    compare(entry, "PyTorch", [0.0 if x.grad is None else float(x.grad) for x in inputs])


@pytest.mark.parametrize("entry", told_by("PyTorch clamp"), ids=name_of)
def test_pytorch_clamp(entry: Convention) -> None:
    torch = pytest.importorskip("torch")
    first, second = (torch.tensor(x, dtype=torch.float64, requires_grad=number == 0) for number, x in enumerate(entry.point))
    torch.clamp(first, **{"min" if entry.gate == "max" else "max": float(second)}).backward()
    compare(entry, "PyTorch clamp", [float(first.grad), 0.0])


@pytest.mark.parametrize("entry", told_by("JAX"), ids=name_of)
def test_jax(entry: Convention) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    numpy = jax.numpy
    others: Mapping[str, Callable[..., Any]] = {
        "relu": jax.nn.relu,
        "leaky_relu": lambda x, slope: jax.nn.leaky_relu(x, slope),
        "elu": lambda x, alpha: jax.nn.elu(x, alpha),
        "selu": jax.nn.selu,
        "hardtanh": lambda x, min, max: jax.nn.hard_tanh(x),
        "max": numpy.maximum,
        "min": numpy.minimum,
        "%": numpy.mod,
        "pow": numpy.power,
        "asin": numpy.arcsin,
        "acos": numpy.arccos,
        "acosh": numpy.arccosh,
        "atanh": numpy.arctanh,
        "atan2": numpy.arctan2,
    }
    function = others.get(entry.gate) or getattr(numpy, entry.gate)
    attributes = attributes_of(entry.gate)
    slopes = jax.grad(lambda *inputs: function(*inputs, **attributes), argnums=tuple(range(len(entry.point))))(*entry.point)
    compare(entry, "JAX", list(map(float, slopes)))


@pytest.mark.parametrize("entry", [entry for entry in told_by("CasADi") if entry.gate not in ("max", "min")], ids=name_of)
def test_casadi(entry: Convention) -> None:
    casadi = pytest.importorskip("casadi")
    names = {"abs": "fabs", "pow": "power"}
    inputs = [casadi.SX.sym(f"x{number}") for number in range(len(entry.point))]
    value = getattr(casadi, names.get(entry.gate, entry.gate))(*inputs)
    function = casadi.Function("slopes", inputs, [casadi.gradient(value, x) for x in inputs])
    found = function(*entry.point)
    compare(entry, "CasADi", [float(slope) for slope in (found if isinstance(found, tuple) else (found,))])


@pytest.mark.parametrize("entry", ARRAY_CONVENTIONS, ids=name_of)
def test_reductions(entry: ArrayConvention) -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    x = torch.tensor(entry.array, dtype=torch.float64, requires_grad=True)
    functions = {
        "max": torch.amax,
        "min": torch.amin,
        "norm": torch.linalg.vector_norm,
        "std": lambda x: torch.std(x, correction=0),
    }
    functions[entry.gate](x).backward()
    others = {"max": jax.numpy.max, "min": jax.numpy.min, "norm": jax.numpy.linalg.norm, "std": jax.numpy.std}
    slopes = jax.grad(others[entry.gate])(jax.numpy.array(entry.array))
    for library, found in (("PyTorch", x.grad.tolist()), ("JAX", slopes.tolist())):
        assert all(map(same, found, entry.gradients[library])), (library, found)


@pytest.mark.parametrize("entry", CONVENTIONS, ids=name_of)
def test_an_entry_is_about_a_gate_of_the_catalogue_at_its_own_point(entry: Convention) -> None:
    record = REGISTRY.find(entry.gate, len(entry.point))
    assert record is not None
    assert entry in conventions_at(entry.gate, entry.point, attributes_of(entry.gate))
    assert all(len(slopes) == len(entry.point) for slopes in entry.answers.values())


def test_every_kink_and_edge_of_a_known_gate_has_an_entry() -> None:
    told = {entry.gate for entry in CONVENTIONS} | {entry.gate for entry in ARRAY_CONVENTIONS}
    silent = {
        record.name
        for record in REGISTRY.records()
        if record.elementwise and record.kinks is not None and not record.constant and record.name not in told
    }
    assert silent <= {"where"}  # whose condition is no quantity
