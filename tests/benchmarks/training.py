"""Training, microseconds a step: seven sigmoid layers on one sample, and a 64-50-10 network on batches of 100 rows."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from gradcalc.engine.compiled import compile_graph
from gradcalc.workspace import Workspace

RATE = 0.01
DEEP = (10, 32, 32, 32, 32, 32, 32, 2)
DIGITS = (64, 50, 10)
BATCH = 100

Step = Callable[[], Any]


class Case(NamedTuple):
    """A network, its data, and what its program is in the language."""

    sizes: tuple[int, ...]
    x: Any
    t: Any
    program: str

    def parameters(self) -> list[Any]:
        """Weights and biases, layer by layer; always the same."""
        rng = numpy.random.default_rng(1)
        pairs = zip(self.sizes, self.sizes[1:])
        return [array for a, b in pairs for array in (0.1 * rng.standard_normal((a, b)), numpy.zeros((1, b) if self.deep else b))]

    @property
    def deep(self) -> bool:
        return len(self.sizes) > 3


def deep_case() -> Case:
    rng = numpy.random.default_rng(2)
    layers = range(1, len(DEEP))
    lines = [f"h{n} = sigmoid(affine({f'h{n - 1}' if n > 1 else 'x'}, W{n}, b{n}))" for n in layers]
    return Case(DEEP, rng.random((1, 10)), rng.random((1, 2)), "\n".join([*lines, f"mse(h{layers[-1]}, t)/2"]))


def digits_case() -> Case:
    rng = numpy.random.default_rng(3)
    t = numpy.eye(10)[rng.integers(0, 10, BATCH)]
    lines = ["h = sigmoid(affine(x, W1, b1))", "softmax_cross_entropy(affine(h, W2, b2), t)"]
    return Case(DIGITS, rng.random((BATCH, 64)), t, "\n".join(lines))


def ours(case: Case) -> Step:
    """A step of plain gradient descent on the compiled program."""
    names = [f"{kind}{layer}" for layer in range(1, len(case.sizes)) for kind in "Wb"]
    parameters = case.parameters()
    given = {**dict(zip(names, parameters)), "x": case.x, "t": case.t}
    formula = next(iter(Workspace(given).formulas(case.program)))
    assert not isinstance(formula, Exception)
    program = compile_graph(formula.graph, [formula.inputs.index(name) for name in names], formula.shapes).ready()
    inputs = [given[name] for name in formula.inputs]
    run, multiply, subtract = program.value_and_gradients, numpy.multiply, numpy.subtract
    rate = numpy.array(RATE)

    def step() -> Any:
        value, gradients = run(inputs)
        for parameter, gradient in zip(parameters, gradients):
            multiply(gradient, rate, gradient)
            subtract(parameter, gradient, parameter)
        return value

    return step


def by_hand(case: Case) -> Step:
    """The same, as one writes it with NumPy."""
    parameters = case.parameters()
    weights, biases = parameters[::2], parameters[1::2]
    x, t = case.x, case.t

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + numpy.exp(-z))

    def deep_step() -> Any:
        layers = [x]
        for w, b in zip(weights, biases):
            layers.append(sigmoid(layers[-1] @ w + b))
        difference = layers[-1] - t
        loss = numpy.mean(difference**2) / 2
        g = difference / difference.size
        for number in range(len(weights) - 1, -1, -1):
            y = layers[number + 1]
            g = g * y * (1 - y)
            by_w, by_b = layers[number].T @ g, g
            g = g @ weights[number].T
            weights[number] -= RATE * by_w
            biases[number] -= RATE * by_b
        return loss

    def digits_step() -> Any:
        h = sigmoid(x @ weights[0] + biases[0])
        z = h @ weights[1] + biases[1]
        z = z - z.max(axis=1, keepdims=True)
        e = numpy.exp(z)
        s = e.sum(axis=1, keepdims=True)
        p = e / s
        loss = -(t * (z - numpy.log(s))).sum() / len(x)
        g = (p - t) / len(x)
        by_w2, by_b2 = h.T @ g, g.sum(axis=0)
        g = g @ weights[1].T * h * (1 - h)
        by_w1, by_b1 = x.T @ g, g.sum(axis=0)
        weights[0] -= RATE * by_w1
        biases[0] -= RATE * by_b1
        weights[1] -= RATE * by_w2
        biases[1] -= RATE * by_b2
        return loss

    return deep_step if case.deep else digits_step


def jax(case: Case) -> Step:
    """One compiled step a call."""
    module = importlib.import_module("jax")
    module.config.update("jax_enable_x64", True)
    np = module.numpy

    def loss(parameters: Any, x: Any, t: Any) -> Any:
        for w, b in zip(parameters[:-2:2], parameters[1:-2:2]):
            x = module.nn.sigmoid(x @ w + b)
        z = x @ parameters[-2] + parameters[-1]
        if case.deep:
            return np.mean((module.nn.sigmoid(z) - t) ** 2) / 2
        return -np.sum(t * module.nn.log_softmax(z)) / len(t)

    @module.jit  # type: ignore[untyped-decorator]
    def update(parameters: Any, x: Any, t: Any) -> Any:
        value, gradients = module.value_and_grad(loss)(parameters, x, t)
        return value, [p - RATE * g for p, g in zip(parameters, gradients)]

    state = [np.asarray(p) for p in case.parameters()]
    x, t = np.asarray(case.x), np.asarray(case.t)

    def step() -> Any:
        value, state[:] = update(list(state), x, t)
        return value.block_until_ready()

    return step


def torch(case: Case) -> Step:
    """PyTorch as it is written, on one thread."""
    module = importlib.import_module("torch")
    module.set_num_threads(1)
    parameters = [module.tensor(p, requires_grad=True) for p in case.parameters()]
    x, t = module.tensor(case.x), module.tensor(case.t)

    def step() -> Any:
        h = x
        for w, b in zip(parameters[:-2:2], parameters[1:-2:2]):
            h = module.sigmoid(h @ w + b)
        z = h @ parameters[-2] + parameters[-1]
        loss = ((module.sigmoid(z) - t) ** 2).mean() / 2 if case.deep else -(t * module.log_softmax(z, 1)).sum() / len(t)
        loss.backward()
        with module.no_grad():
            for p in parameters:
                p -= RATE * p.grad
                p.grad = None
        return loss.item()

    return step


def microseconds(*steps: Step, rounds: int = 200) -> list[float]:
    """The best times of several kinds of steps, taken in turn."""
    best = [float("inf")] * len(steps)
    for _ in range(rounds):
        for number, step in enumerate(steps):
            start = time.perf_counter()
            for _ in range(10):
                step()
            best[number] = min(best[number], (time.perf_counter() - start) / 10)
    return [seconds * 1e6 for seconds in best]


def measure() -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio and target: against NumPy ours over theirs, against the others theirs over ours."""
    rows = []
    for case, work, target in (
        (deep_case(), "a step of seven sigmoid layers, one sample", "≤ 1.2"),
        (digits_case(), f"a step of a 64-50-10 network, batch {BATCH}", "≤ 1.1"),
    ):
        first, second = ours(case), by_hand(case)
        numpy.testing.assert_allclose([first() for _ in range(5)], [second() for _ in range(5)], rtol=1e-12)
        own, hand = microseconds(ours(case), by_hand(case))
        rows += [(work, "µs, ours", own, ""), (work, "ours / NumPy by hand", own / hand, target)]
        for name, peer in (("jax", jax), ("torch", torch)):
            if importlib.util.find_spec(name) is not None:
                step = peer(case)
                assert abs(float(step()) - second_loss(case)) < 1e-9
                rows.append((work, f"{name} / ours", microseconds(step, rounds=20)[0] / own, ""))
    return rows


def second_loss(case: Case) -> float:
    """The loss before the first step."""
    return float(by_hand(case)())


if __name__ == "__main__":
    for row in measure():
        print(row)
