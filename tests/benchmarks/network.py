"""The numerical check of all parameters of a network, with error bars, against PyTorch's gradcheck of the same network."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy

from gradcalc.checking.check import check
from gradcalc.checking.verdicts import Check
from gradcalc.engine.evaluate import Evaluation, backpropagate, evaluate
from gradcalc.gates import REGISTRY
from gradcalc.graph import Graph
from tests.benchmarks.timing import best_of

HIDDEN, CLASSES, ROWS = 50, 10, 3
SIZES = (64, 784)


def images(pixels: int) -> Any:
    """Three rows of pixels from 0 to 1: real digits where scikit-learn is installed, enlarged as need be."""
    if importlib.util.find_spec("sklearn") is None:
        return numpy.random.default_rng(0).uniform(0.0, 1.0, (ROWS, pixels))
    side = int(pixels**0.5)
    nearest = numpy.arange(side) * 8 // side
    digits = importlib.import_module("sklearn.datasets").load_digits().images[:ROWS]
    return digits[:, nearest][:, :, nearest].reshape(ROWS, pixels) / 16.0


def parameters(pixels: int) -> list[Any]:
    """Weights and biases of the two layers."""
    rng = numpy.random.default_rng(1)
    shapes = ((pixels, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
    return [0.1 * rng.standard_normal(shape) for shape in shapes]


def network(pixels: int) -> tuple[Evaluation, list[int]]:
    """The network, evaluated and backpropagated, and the nodes of its parameters."""
    graph = Graph()
    x, t = graph.add_constant(images(pixels)), graph.add_constant(numpy.eye(CLASSES)[:ROWS])
    nodes = [graph.add_input() for _ in range(4)]

    def add(name: str, *inputs: int, **attributes: Any) -> int:
        gate = REGISTRY.find(name, len(inputs))
        assert gate is not None
        return graph.add(gate, inputs, tuple(attributes.items()))

    hidden = add("sigmoid", add("affine", x, nodes[0], nodes[1]))
    scores = add("softmax", add("affine", hidden, nodes[2], nodes[3]), axis=-1)
    add("cross_entropy", scores, t)
    evaluation = evaluate(graph, parameters(pixels))
    backpropagate(evaluation, 1.0, nodes)
    return evaluation, nodes


def checked(evaluation: Evaluation, nodes: list[int]) -> list[Check]:
    """Every element of every parameter."""
    found, _ = check(evaluation, nodes, every=True)
    return [found(node) for node in nodes]


def peer(pixels: int) -> Callable[[], Any]:
    """The same check by PyTorch."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)  # it is quicker so
    x, t = torch.tensor(images(pixels)), torch.eye(CLASSES, dtype=torch.float64)[:ROWS]
    given = [torch.tensor(value, requires_grad=True) for value in parameters(pixels)]

    def loss(first: Any, b1: Any, second: Any, b2: Any) -> Any:
        hidden = torch.sigmoid(torch.addmm(b1, x, first))
        return -(t * torch.log(torch.softmax(torch.addmm(b2, hidden, second), 1))).sum() / ROWS

    return lambda: torch.autograd.gradcheck(loss, given)


def measure(sizes: tuple[int, ...] = SIZES) -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio and target. PyTorch takes long for the larger network, and is asked once."""
    rows = []
    for pixels in sizes:
        evaluation, nodes = network(pixels)
        assert {one.verdict for one in checked(evaluation, nodes)} == {"ok"}
        work = f"checking all parameters of a {pixels}-{HIDDEN}-{CLASSES} network"
        time = best_of(lambda evaluation=evaluation, nodes=nodes: checked(evaluation, nodes), 5)  # type: ignore[misc]
        rows.append((work, "ms, ours", time * 1e3, ""))
        if importlib.util.find_spec("torch") is not None:
            run = peer(pixels)
            if pixels <= 64:
                run()
            rows.append((work, "torch gradcheck", best_of(run, 3 if pixels <= 64 else 1) / time, "≥ 50"))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
