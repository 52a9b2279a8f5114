"""One formula and two gradients over ten million rows: against NumPy written by hand, JAX, PyTorch's compiler and Numba."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy

from gradcalc.engine.compiled import compile_graph
from gradcalc.workspace import Workspace
from tests.benchmarks.timing import best_of

FORMULA = "sigmoid(a*x+b*y+c)*exp(-x*y)/(1+x*x)"
FIXED = {"a": 1.0, "b": 2.0, "c": -3.0}
ROWS = 10_000_000


def columns(rows: int) -> tuple[Any, Any]:
    """Two columns of numbers."""
    rng = numpy.random.default_rng(0)
    return rng.uniform(-2.0, 2.0, rows), rng.uniform(-2.0, 2.0, rows)


def ours(x: Any, y: Any) -> Callable[[], Any]:
    formula = next(iter(Workspace({**FIXED, "x": 1.0, "y": 1.0}).formulas(FORMULA)))
    assert not isinstance(formula, Exception)
    program = compile_graph(formula.graph, [formula.inputs.index("x"), formula.inputs.index("y")])
    given = [{**FIXED, "x": x, "y": y}[name] for name in formula.inputs]
    return lambda: program.rows(given)


def by_hand(x: Any, y: Any) -> Callable[[], Any]:
    """What one writes without thinking of memory."""
    a, b, c = FIXED.values()

    def run() -> Any:
        s = 1 / (1 + numpy.exp(-(a * x + b * y + c)))
        e = numpy.exp(-x * y)
        d = 1 + x * x
        value = s * e / d
        slope = value * (1 - s)
        return value, [slope * a - value * y - 2 * x * value / d, slope * b - value * x]

    return run


def jax(x: Any, y: Any) -> Callable[[], Any]:
    module = importlib.import_module("jax")
    module.config.update("jax_enable_x64", True)
    a, b, c = FIXED.values()

    def formula(x: Any, y: Any) -> Any:
        return module.nn.sigmoid(a * x + b * y + c) * module.numpy.exp(-x * y) / (1 + x * x)

    compiled = module.jit(module.vmap(module.value_and_grad(formula, argnums=(0, 1))))
    given = module.numpy.asarray(x), module.numpy.asarray(y)
    return lambda: module.block_until_ready(compiled(*given))


def torch(x: Any, y: Any) -> Callable[[], Any]:
    """PyTorch's compiler and its own backward pass. It needs a C++ compiler."""
    module = importlib.import_module("torch")
    module.set_num_threads(2)
    a, b, c = FIXED.values()
    compiled = module.compile(lambda x, y: module.sigmoid(a * x + b * y + c) * module.exp(-x * y) / (1 + x * x))

    def run() -> Any:
        given = [module.from_numpy(column).requires_grad_() for column in (x, y)]
        value = compiled(*given)
        value.sum().backward()
        return value, [column.grad for column in given]

    return run


def torch_by_hand(x: Any, y: Any) -> Callable[[], Any]:
    """PyTorch's compiler on derivatives that a person has written."""
    module = importlib.import_module("torch")
    module.set_num_threads(2)
    a, b, c = FIXED.values()

    def both(x: Any, y: Any) -> Any:
        s = module.sigmoid(a * x + b * y + c)
        e = module.exp(-x * y)
        d = 1 + x * x
        value = s * e / d
        slope = value * (1 - s)
        return value, slope * a - value * y - 2 * x * value / d, slope * b - value * x

    compiled = module.compile(both)
    given = module.from_numpy(x), module.from_numpy(y)
    return lambda: compiled(*given)


def numba(x: Any, y: Any) -> Callable[[], Any]:
    """A loop over the rows on two threads, written by hand."""
    module = importlib.import_module("numba")
    math = importlib.import_module("math")
    a, b, c = FIXED.values()

    @module.njit(parallel=True, fastmath=False)  # type: ignore[untyped-decorator]
    def loop(x: Any, y: Any, value: Any, by_x: Any, by_y: Any) -> None:
        for row in module.prange(len(x)):
            s = 1 / (1 + math.exp(-(a * x[row] + b * y[row] + c)))
            d = 1 + x[row] * x[row]
            v = s * math.exp(-x[row] * y[row]) / d
            slope = v * (1 - s)
            value[row] = v
            by_x[row] = slope * a - v * y[row] - 2 * x[row] * v / d
            by_y[row] = slope * b - v * x[row]

    def run() -> Any:
        into = numpy.empty((3, len(x)))
        loop(x, y, *into)
        return into

    return run


PEERS = {
    "plain NumPy": (by_hand, "numpy", "≥ 5"),
    "jax.jit": (jax, "jax", "≥ 1.4"),
    "torch.compile": (torch, "torch", "≥ 0.9"),
    "torch.compile, derivatives by hand": (torch_by_hand, "torch", ""),
    "numba, by hand": (numba, "numba", ""),
}


def measure(rows: int = ROWS) -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio (peer over ours) and target."""
    x, y = columns(rows)
    run = ours(x, y)
    expected, slopes = by_hand(x[:1000], y[:1000])()
    value, gradients = run()
    for found, wanted in zip((value, *gradients), (expected, *slopes)):
        numpy.testing.assert_allclose(found[:1000], wanted, rtol=1e-12, atol=1e-14)
    work = f"{rows:,} rows, value and two gradients"
    runs = {name: peer(x, y) for name, (peer, module, _) in PEERS.items() if importlib.util.find_spec(module) is not None}
    own, best = float("inf"), dict.fromkeys(runs, float("inf"))
    for theirs in runs.values():
        theirs()
    # In turn, so that all have the machine as it is.
    for _ in range(5):
        for name, theirs in runs.items():
            own = min(own, best_of(run, 1))
            best[name] = min(best[name], best_of(theirs, 1))
    figures = [(work, "million rows/s, ours", rows / own / 1e6, "")]
    return figures + [(work, name, time / own, PEERS[name][2]) for name, time in best.items()]


if __name__ == "__main__":
    for row in measure():
        print(row)
