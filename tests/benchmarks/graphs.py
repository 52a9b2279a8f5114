"""One large graph of numbers, value and all gradients, once: against micrograd and PyTorch where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from gradcalc.engine import scalar
from gradcalc.gates import REGISTRY
from gradcalc.graph import Graph
from tests.benchmarks.timing import best_of

SIZES = (1_000, 10_000, 100_000, 1_000_000)
OPERATIONS = ("+", "*", "-", "+", "*", "relu")
INPUTS = 10

Step = tuple[str, int, int]


def recipe(gates: int, seed: int = 1) -> list[Step]:
    """A random graph as a list of steps; node i of the steps comes behind the inputs."""
    draw = random.Random(seed)
    steps = []
    for number in range(INPUTS, INPUTS + gates):
        # Mostly near neighbours, so that the graph is deep, and some far ones.
        a = number - 1
        b = draw.randrange(max(0, number - 50), number) if draw.random() < 0.9 else draw.randrange(number)
        steps.append((draw.choice(OPERATIONS), a, b))
    return steps


def values() -> list[float]:
    return [0.5 + 0.1 * number for number in range(INPUTS)]


def ours(steps: list[Step]) -> Callable[[], Any]:
    graph = Graph()
    for _ in range(INPUTS):
        graph.add_input()
    for name, a, b in steps:
        gate = REGISTRY.find(name, 1 if name == "relu" else 2)
        assert gate is not None
        graph.add(gate, (a,) if name == "relu" else (a, b))
    last = len(graph) - 1
    return lambda: scalar.backward(graph, scalar.forward(graph, values()), last)


def micrograd(steps: list[Step]) -> Callable[[], Any]:
    value = importlib.import_module("micrograd.engine").Value

    def run() -> None:
        nodes = [value(x) for x in values()]
        for name, a, b in steps:
            nodes.append(_apply(name, nodes[a], nodes[b]))
        nodes[-1].backward()

    return run


def torch(steps: list[Step]) -> Callable[[], Any]:
    module = importlib.import_module("torch")
    module.set_num_threads(1)

    def run() -> None:
        nodes = [module.tensor(x, dtype=module.float64, requires_grad=True) for x in values()]
        for name, a, b in steps:
            nodes.append(_apply(name, nodes[a], nodes[b]))
        nodes[-1].backward()

    return run


def _apply(name: str, a: Any, b: Any) -> Any:
    if name == "+":
        return a + b
    if name == "*":
        return a * b
    if name == "-":
        return a - b
    return a.relu()


def measure(sizes: tuple[int, ...] = SIZES) -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio (peer over ours) and target."""
    rows = []
    for size in sizes:
        steps = recipe(size)
        runs = 20 if size <= 10_000 else 3
        time = best_of(ours(steps), runs)
        rows.append((f"{size:,} gates", "µs a gate, ours", time / len(steps) * 1e6, ""))
        for name, peer, most, target in (("micrograd", micrograd, 1_000_000, "≥ 8"), ("torch", torch, 10_000, "≥ 40")):
            if importlib.util.find_spec(name) is None or size > most:
                continue
            sys.setrecursionlimit(10_000_000)  # micrograd sorts its graph recursively
            rows.append((f"{size:,} gates", name, best_of(peer(steps), runs // 4 + 2) / time, target))
    return rows


def bytes_a_gate(size: int = 100_000) -> float:
    """Memory for the graph, its values and gradients, per gate."""
    steps = recipe(size)
    tracemalloc.start()
    run = ours(steps)
    kept = run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept is not None
    return most / len(steps)


if __name__ == "__main__":
    for row in measure():
        print(row)
    print("bytes a gate", bytes_a_gate())
