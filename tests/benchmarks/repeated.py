"""The same graph of numbers again and again, value and all gradients: compiled programs against JAX, CasADi and others."""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable
from typing import Any

from gradcalc.engine.compiled import compile_graph
from gradcalc.gates import REGISTRY
from gradcalc.graph import Graph
from tests.benchmarks.timing import best_of

SIZES = (10, 100, 1000)
INPUTS = 10
OPERATIONS = ("+", "*", "-", "+", "*", "-", "sin", "exp", "sigmoid", "tanh")
MOST = {"jax": 100}
"""Larger graphs take JAX minutes to compile."""
BOUNDED = {"sin", "sigmoid", "tanh"}
TARGETS = {10: {"jax": "≥ 20", "casadi": "≥ 20"}, 100: {"jax": "≥ 4", "casadi": "≥ 4"}}

Step = tuple[str, int, int]
Run = Callable[[list[float]], Any]


def recipe(gates: int) -> list[Step]:
    """A random graph whose numbers stay small; node i of the steps comes behind the inputs."""
    draw = random.Random(7)
    steps: list[Step] = []
    for number in range(INPUTS, INPUTS + gates):
        before = [name for name, _, _ in steps[-2:]]
        # Two gates that may grow are followed by one that is bounded.
        grown = len(before) == 2 and not BOUNDED.intersection(before)
        name = draw.choice(sorted(BOUNDED) if grown else OPERATIONS)
        if name == "exp" and before[-1:] and before[-1] not in BOUNDED:
            name = "tanh"
        steps.append((name, number - 1, draw.randrange(max(0, number - 20), number - 1)))
    return steps


def values() -> list[float]:
    return [0.3 + 0.05 * number for number in range(INPUTS)]


def graph_of(steps: list[Step]) -> Graph:
    """The steps as a graph."""
    graph = Graph()
    for _ in range(INPUTS):
        graph.add_input()
    for name, a, b in steps:
        inputs = (a, b) if name in "+-*" else (a,)
        gate = REGISTRY.find(name, len(inputs))
        assert gate is not None
        graph.add(gate, inputs)
    return graph


def ours(steps: list[Step], backend: str) -> Run:
    return compile_graph(graph_of(steps), range(INPUTS), backend=backend).ready().value_and_gradients


def followed(steps: list[Step], nodes: list[Any], functions: dict[str, Callable[[Any], Any]]) -> Any:
    """The steps on values of any kind."""
    for name, a, b in steps:
        first, second = nodes[a], nodes[b]
        if name == "+":
            nodes.append(first + second)
        elif name == "-":
            nodes.append(first - second)
        elif name == "*":
            nodes.append(first * second)
        else:
            nodes.append(functions[name](first))
    return nodes[-1]


def jax(steps: list[Step]) -> Run:
    module = importlib.import_module("jax")
    module.config.update("jax_enable_x64", True)
    numpy = importlib.import_module("jax.numpy")
    functions = {"sin": numpy.sin, "exp": numpy.exp, "tanh": numpy.tanh, "sigmoid": module.nn.sigmoid}
    compiled = module.jit(
        module.value_and_grad(lambda *inputs: followed(steps, list(inputs), functions), argnums=tuple(range(INPUTS)))
    )

    def run(inputs: list[float]) -> Any:
        value, gradients = compiled(*inputs)
        value.block_until_ready()
        return value, gradients

    return run


def casadi(steps: list[Step]) -> Run:
    module = importlib.import_module("casadi")
    inputs = [module.SX.sym(f"x{number}") for number in range(INPUTS)]
    functions = {"sin": module.sin, "exp": module.exp, "tanh": module.tanh, "sigmoid": lambda x: 1 / (1 + module.exp(-x))}
    value = followed(steps, list(inputs), functions)
    function = module.Function("f", inputs, [value, *(module.gradient(value, x) for x in inputs)])
    return lambda values: function(*values)


def torch(steps: list[Step]) -> Run:
    module = importlib.import_module("torch")
    module.set_num_threads(1)

    def run(inputs: list[float]) -> Any:
        nodes = [module.tensor(x, dtype=module.float64, requires_grad=True) for x in inputs]
        value = followed(steps, list(nodes), {name: getattr(module, name) for name in ("sin", "exp", "tanh", "sigmoid")})
        value.backward()
        return value, [node.grad for node in nodes]

    return run


def micrograd(steps: list[Step]) -> Run:
    """micrograd has few gates: those that it lacks are made of what it has, or stand for themselves as rectifiers."""
    value_class = importlib.import_module("micrograd.engine").Value

    def run(inputs: list[float]) -> Any:
        nodes = [value_class(x) for x in inputs]
        value = followed(steps, list(nodes), {name: (lambda x: x.relu()) for name in ("sin", "exp", "tanh", "sigmoid")})
        value.backward()
        return value

    return run


def microseconds(run: Run) -> float:
    """How long a pass takes."""
    inputs = values()
    run(inputs)
    number = max(5, int(0.02 / best_of(lambda: run(inputs), 3)))

    def repeated() -> None:
        for _ in range(number):
            run(inputs)

    return best_of(repeated, 5) / number * 1e6


def measure(sizes: tuple[int, ...] = SIZES) -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio (peer over ours) and target."""
    rows = []
    for size in sizes:
        steps = recipe(size)
        work = f"{size:,} gates again and again"
        backends = ["source"] + ["jit"] * (importlib.util.find_spec("llvmlite") is not None)
        times = {backend: microseconds(ours(steps, backend)) for backend in backends}
        rows += [(work, f"µs a pass, {backend}", time, "") for backend, time in times.items()]
        for name, peer in (("jax", jax), ("casadi", casadi), ("micrograd", micrograd), ("torch", torch)):
            if importlib.util.find_spec(name) is None or size > MOST.get(name, size):
                continue
            theirs = microseconds(peer(steps))
            for backend, time in times.items():
                target = TARGETS.get(size, {}).get(name, "") if backend == "source" else "> 1"
                rows.append((work, f"{name} / {backend}", theirs / time, target))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
