"""Steps of gradient descent: a small formula, CASES §5, and a network on digits, beside hand-written NumPy, PyTorch and JAX."""

from __future__ import annotations

import importlib
import importlib.util
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from gradcalc.formula import Formula
from gradcalc.learning.climb import Settings as ClimbSettings
from gradcalc.learning.climb import climb
from gradcalc.learning.methods import METHODS
from gradcalc.learning.problem import Problem
from gradcalc.learning.rows import Split
from gradcalc.learning.training import Batches, Settings, State, Training
from gradcalc.workspace import Options, Workspace

ROOT = Path(__file__).parents[2]
SMALL = "a = 1; b = 2; c = -3; x = -1; y = 3; d = a*x + b*y; sigmoid(d + c)"
"""Ten nodes: five inputs, five gates."""
LAYERS = 7
PIXELS, HIDDEN, CLASSES, ROWS, BATCH = 64, 50, 10, 1797, 100
NETWORK = "h = sigmoid(affine(pixels, W1, b1)); softmax_cross_entropy(affine(h, W2, b2), t)"
ROUNDS = 5
"""How often everything is measured, in turn; the best time of each counts."""

Steps = Callable[[int], Any]
"""Makes so many steps."""


class Work(NamedTuple):
    """One problem, with those who do it by name, and how many steps are timed."""

    name: str
    steps: int
    doers: dict[str, Steps]


def formula(text: str, **values: Any) -> Formula:
    """The only output of a program."""
    (found,) = Workspace(values, Options(seed=1)).formulas(text)
    assert isinstance(found, Formula), found
    return found


def ours(text: str, over: list[str], rate: float, **values: Any) -> Steps:
    """What `optimize --method gradient` does."""
    found = formula(text, **values)
    point = found.point()
    graph, shapes = found.prepared(point)
    problem = Problem(graph, shapes, point, [found.inputs.index(name) for name in over])
    return lambda steps: climb(problem, METHODS["gradient"], ClimbSettings(rate, steps, 0.0)).end.value


def available(*names: str) -> list[str]:
    """Which of these are installed."""
    return [name for name in names if importlib.util.find_spec(name) is not None]


# ---- ten nodes -------------------------------------------------------------------------------------------------------------------


def small_numpy(steps: int) -> Any:
    """The formula by hand: plain floats, as nobody would use arrays for it."""
    a, b, c, x, y = 1.0, 2.0, -3.0, -1.0, 3.0
    for _ in range(steps):
        s = 1.0 / (1.0 + math.exp(-(a * x + b * y + c)))
        slope = 1e-6 * s * (1.0 - s)
        a, b, c, x, y = a - slope * x, b - slope * y, c - slope, x - slope * a, y - slope * b
    return a


def small_torch() -> Steps:
    """The formula by PyTorch, step by step."""
    torch = importlib.import_module("torch")
    given = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.0, 2.0, -3.0, -1.0, 3.0)]

    def steps(count: int) -> Any:
        for _ in range(count):
            a, b, c, x, y = given
            torch.sigmoid(a * x + b * y + c).backward()
            with torch.no_grad():
                for one in given:
                    one -= 1e-6 * one.grad
                    one.grad = None

    return steps


def small_jax() -> Steps:
    """The formula by JAX, a compiled step a call."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def value(given: Any) -> Any:
        a, b, c, x, y = given
        return jax.nn.sigmoid(a * x + b * y + c)

    step = jax.jit(lambda given: [one - 1e-6 * slope for one, slope in zip(given, jax.grad(value)(given))])

    def steps(count: int) -> Any:
        given = [jax.numpy.float64(one) for one in (1.0, 2.0, -3.0, -1.0, 3.0)]
        for _ in range(count):
            given = step(given)
        return jax.block_until_ready(given)

    return steps


# ---- layers of sigmoids: CASES §5, and digits ------------------------------------------------------------------------------------


def deep_values() -> dict[str, Any]:
    """Weights and biases of CASES §5, with its sample."""
    rng = numpy.random.default_rng(1)
    sizes = [10, *[32] * (LAYERS - 1), 2]
    values: dict[str, Any] = {"x": rng.random((1, 10)), "target": rng.random((1, 2))}
    for number, (rows, columns) in enumerate(zip(sizes, sizes[1:]), 1):
        values[f"W{number}"] = 0.01 * rng.standard_normal((rows, columns))
        values[f"b{number}"] = numpy.zeros(columns)
    return values


def deep_numpy(values: dict[str, Any]) -> Steps:
    """CASES §5 by hand."""
    weights = [values[f"W{number}"].copy() for number in range(1, LAYERS + 1)]
    biases = [values[f"b{number}"].copy() for number in range(1, LAYERS + 1)]
    x, target = values["x"], values["target"]

    def steps(count: int) -> Any:
        for _ in range(count):
            layers = [x]
            for weight, bias in zip(weights, biases):
                layers.append(1.0 / (1.0 + numpy.exp(-(layers[-1] @ weight + bias))))
            error = layers[-1] - target
            loss = 0.5 * numpy.mean(error * error)
            slope = error / error.size
            for number in range(LAYERS - 1, -1, -1):
                slope = slope * layers[number + 1] * (1.0 - layers[number + 1])
                below = slope @ weights[number].T
                weights[number] -= 0.01 * (layers[number].T @ slope)
                biases[number] -= 0.01 * slope.sum(axis=0)
                slope = below
        return loss

    return steps


def layers_torch(values: dict[str, Any], depth: int, loss: Callable[[Any, Any], Any], data: list[tuple[Any, Any]]) -> Steps:
    """A network of sigmoids by PyTorch; the last layer is left to the loss."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)  # it is quicker so
    given = [torch.tensor(values[f"{kind}{number}"], requires_grad=True) for number in range(1, depth + 1) for kind in "Wb"]
    batches = [(torch.tensor(x), torch.tensor(t)) for x, t in data]

    def steps(count: int) -> Any:
        for number in range(count):
            h, t = batches[number % len(batches)]
            for place in range(0, 2 * depth - 2, 2):
                h = torch.sigmoid(torch.addmm(given[place + 1], h, given[place]))
            loss(torch.addmm(given[-1], h, given[-2]), t).backward()
            with torch.no_grad():
                for one in given:
                    one -= 0.01 * one.grad
                    one.grad = None

    return steps


def layers_jax(values: dict[str, Any], depth: int, loss: Callable[[Any, Any, Any], Any], data: list[tuple[Any, Any]]) -> Steps:
    """The same by JAX, a compiled step a call."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    start = [jax.numpy.asarray(values[f"{kind}{number}"]) for number in range(1, depth + 1) for kind in "Wb"]
    batches = [(jax.numpy.asarray(x), jax.numpy.asarray(t)) for x, t in data]

    def value(given: Any, x: Any, t: Any) -> Any:
        for place in range(0, 2 * depth - 2, 2):
            x = jax.nn.sigmoid(x @ given[place] + given[place + 1])
        return loss(jax, x @ given[-2] + given[-1], t)

    step = jax.jit(lambda given, x, t: [one - 0.01 * slope for one, slope in zip(given, jax.grad(value)(given, x, t))])

    def steps(count: int) -> Any:
        given = start
        for number in range(count):
            given = step(given, *batches[number % len(batches)])
        return jax.block_until_ready(given)

    return steps


def digits() -> tuple[Any, Any]:
    """The 1,797 images of 64 pixels from 0 to 1, and one-hot rows of their digits."""
    with numpy.load(ROOT / "examples/data/digits-8x8.npz") as archive:
        return archive["pixels"] / 16.0, numpy.eye(CLASSES)[archive["digit"]]


def digits_values() -> dict[str, Any]:
    """Weights and biases of the two layers."""
    rng = numpy.random.default_rng(1)
    shapes = {"W1": (PIXELS, HIDDEN), "W2": (HIDDEN, CLASSES)}
    values: dict[str, Any] = {name: 0.1 * rng.standard_normal(shape) for name, shape in shapes.items()}
    return values | {"b1": numpy.zeros(HIDDEN), "b2": numpy.zeros(CLASSES)}


def digits_numpy(values: dict[str, Any], pixels: Any, targets: Any) -> Steps:
    """Batches of 100 rows by hand."""
    first, b1, second, b2 = (values[name].copy() for name in ("W1", "b1", "W2", "b2"))

    def steps(count: int) -> Any:
        nonlocal first, b1, second, b2
        for number in range(count):
            start = number % (len(pixels) // BATCH) * BATCH
            x, t = pixels[start : start + BATCH], targets[start : start + BATCH]
            h = 1.0 / (1.0 + numpy.exp(-(x @ first + b1)))
            scores = h @ second + b2
            powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
            p = powers / powers.sum(axis=1, keepdims=True)
            loss = -(t * numpy.log(p)).sum() / len(x)
            above = (p - t) / len(x)
            below = (above @ second.T) * h * (1.0 - h)
            second -= 0.01 * (h.T @ above)
            b2 -= 0.01 * above.sum(axis=0)
            first -= 0.01 * (x.T @ below)
            b1 -= 0.01 * below.sum(axis=0)
        return loss

    return steps


def digits_ours(values: dict[str, Any], pixels: Any, targets: Any) -> Steps:
    """What `train --batch 100` does."""
    whole = len(pixels) // BATCH * BATCH
    rows = Split(numpy.arange(whole), numpy.arange(0))
    found = formula(NETWORK, pixels=pixels[:BATCH], t=targets[:BATCH], **values)
    numbers = [found.inputs.index(name) for name in ("W1", "b1", "W2", "b2")]
    columns = {found.inputs.index("pixels"): pixels, found.inputs.index("t"): targets}
    loss = Batches(found.prepared, found.point(), columns, numbers)
    method = METHODS["gradient"]
    loss.at(rows.training[:BATCH]).slopes(loss.start)

    def steps(count: int) -> Any:
        settings = Settings(0.01, count // (whole // BATCH), BATCH, False, 1)
        training = Training(loss, [], rows, method, settings, State(0, 0, 0, loss.start, method.begin(4)))
        return [epoch.loss for epoch in training.run()][-1]

    return steps


def works() -> list[Work]:
    """The three problems, each with those who are here to do it."""
    peers = available("torch", "jax")
    small = Work("10 scalar nodes", 2000, {"ours": ours(SMALL, list("abcxy"), 1e-6), "hand-written Python": small_numpy})
    small.doers.update({name: {"torch": small_torch, "jax": small_jax}[name]() for name in peers})
    values = deep_values()
    text = (ROOT / "examples/26-deep-network.gc").read_text("utf-8")
    parameters = [f"{kind}{number}" for number in range(1, LAYERS + 1) for kind in "Wb"]
    deep = Work(
        "CASES §5, one sample", 200, {"ours": ours(text, parameters, 0.01, **values), "hand-written NumPy": deep_numpy(values)}
    )
    data = [(values["x"], values["target"])]
    if "torch" in peers:
        sigmoid = importlib.import_module("torch").sigmoid
        deep.doers["torch"] = layers_torch(values, LAYERS, lambda s, t: ((sigmoid(s) - t) ** 2).mean() / 2, data)
    if "jax" in peers:
        deep.doers["jax"] = layers_jax(values, LAYERS, lambda jax, s, t: ((jax.nn.sigmoid(s) - t) ** 2).mean() / 2, data)
    pixels, targets = digits()
    values = digits_values()
    network = Work(
        f"{PIXELS}-{HIDDEN}-{CLASSES} on digits, batches of {BATCH}",
        170,
        {"ours": digits_ours(values, pixels, targets), "hand-written NumPy": digits_numpy(values, pixels, targets)},
    )
    batches = [(pixels[first : first + BATCH], targets[first : first + BATCH]) for first in range(0, ROWS - BATCH, BATCH)]
    if "torch" in peers:
        entropy = importlib.import_module("torch").nn.functional.cross_entropy
        network.doers["torch"] = layers_torch(values, 2, entropy, batches)
    if "jax" in peers:
        network.doers["jax"] = layers_jax(values, 2, lambda jax, s, t: -(t * jax.nn.log_softmax(s)).sum() / t.shape[0], batches)
    return [small, deep, network]


def measure() -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, figure and target: microseconds a step of ours, and how many times as long the others take."""
    targets = {"hand-written NumPy": {"CASES": "≥ 0.83", "64-50": "≥ 0.91"}}
    rows = []
    for work in works():
        best = dict.fromkeys(work.doers, math.inf)
        for doer in work.doers.values():
            doer(work.steps)
        for _ in range(ROUNDS):
            for name, doer in work.doers.items():
                began = time.perf_counter()
                doer(work.steps)
                best[name] = min(best[name], (time.perf_counter() - began) / work.steps)
        rows.append((f"a step on {work.name}", "µs, ours", best["ours"] * 1e6, ""))
        for name, seconds in best.items():
            if name != "ours":
                target = next((words for start, words in targets.get(name, {}).items() if work.name.startswith(start)), "")
                rows.append((f"a step on {work.name}", f"{name} takes × ours", seconds / best["ours"], target))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
