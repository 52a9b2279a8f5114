"""The numerical check of a scalar graph with many inputs, with error bars, against PyTorch's gradcheck of the same graph."""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable
from typing import Any

from gradcalc.checking.check import check
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.gates import REGISTRY
from gradcalc.graph import Graph
from tests.benchmarks.timing import best_of

INPUTS, GATES = 100, 1000
Step = tuple[str, int, int]


def recipe() -> list[Step]:
    """A random graph, wide rather than deep, whose last gates add up what the others made: each gate's name and inputs."""
    draw = random.Random(3)
    steps: list[Step] = []
    last = INPUTS + GATES
    for number in range(INPUTS, last):
        a, b = (draw.randrange(max(0, number - 2 * INPUTS), number) for _ in range(2))
        name = draw.choice(("+", "*", "-", "sin", "tanh", "sigmoid"))
        if number < 2 * INPUTS:
            a = number - INPUTS  # every input is used
        if number >= last - INPUTS:
            name, a, b = "+", number - 1, number - INPUTS
        steps.append((name, a, b))
    return steps


def values() -> list[float]:
    """The inputs."""
    draw = random.Random(4)
    return [draw.uniform(-1.0, 1.0) for _ in range(INPUTS)]


def ours(steps: list[Step]) -> Evaluation:
    """The graph, evaluated and backpropagated."""
    graph = Graph()
    for _ in range(INPUTS):
        graph.add_input()
    place = list(range(INPUTS))
    for name, first, second in steps:
        inputs = (place[first], place[second]) if name in "+-*" else (place[first],)
        gate = REGISTRY.find(name, len(inputs))
        assert gate is not None
        place.append(graph.add(gate, inputs))
    evaluation = evaluate(graph, values())
    backpropagate(evaluation, 1.0, list(range(INPUTS)))
    return evaluation


def peer(steps: list[Step]) -> Callable[[], Any]:
    """The same check by PyTorch."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    given = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values()]

    def function(*nodes: Any) -> Any:
        place = list(nodes)
        for name, first, second in steps:
            a, b = place[first], place[second]
            if name in "+-*":
                place.append(a + b if name == "+" else a - b if name == "-" else a * b)
            else:
                place.append(getattr(torch, name)(a))
        return place[-1]

    return lambda: torch.autograd.gradcheck(function, given)


def measure() -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio and target."""
    steps = recipe()
    evaluation = ours(steps)
    nodes = list(range(INPUTS))
    found = check(evaluation, nodes)[0]
    assert all(found(node).verdict == "ok" for node in nodes)
    time = best_of(lambda: check(evaluation, nodes), 5)
    work = f"checking all {INPUTS} inputs of {len(evaluation.graph) - INPUTS:,} gates"
    rows = [(work, "ms, ours", time * 1e3, "")]
    if importlib.util.find_spec("torch") is not None:
        rows.append((work, "torch gradcheck", best_of(peer(steps), 2) / time, "≥ 100"))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
