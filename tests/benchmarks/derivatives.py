"""The gradient and the Hessian of an expression of 1,000 gates as formulas, beside SymPy, CasADi and JAX where they are installed.

Ours are simplified formulas, ready to be printed. SymPy's and CasADi's are their derivatives as they come (SymPy's `simplify` of
such an expression takes minutes); JAX's a compiled function.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from gradcalc.calculus.partial import partials
from gradcalc.gates import REGISTRY
from gradcalc.graph import INPUT, Graph
from tests.benchmarks.timing import best_of

GATES = 1000
INPUTS = "xyzw"

Step = tuple[str, int, int | float]


class Expression(NamedTuple):
    """Steps on four inputs; the number of a step is that of its result, behind the inputs. The last one is the output."""

    steps: list[Step]


def expression(gates: int = GATES, seed: int = 1) -> Expression:
    """A sum of products of powers, circular functions, exponentials and quotients."""
    draw = random.Random(seed)
    steps: list[Step] = []

    def add(name: str, a: int, b: int | float = 0) -> int:
        steps.append((name, a, b))
        return len(INPUTS) + len(steps) - 1

    total = None
    while len(steps) < gates:
        first, second, third = (draw.randrange(len(INPUTS)) for _ in range(3))
        term = add("*", add(draw.choice(("sin", "cos")), add("scale", first, float(draw.randint(1, 5)))), add("pow", second, 2.0))
        term = add("*", term, add("exp", add("scale", third, -0.5)))
        term = add("/", term, add("shift", add("pow", first, 2.0), 1.0))
        total = term if total is None else add("+", total, term)
    return Expression(steps)


def built(made: Expression, inputs: list[Any], functions: Any) -> Any:
    """The expression on anything that has operators, with a module for sin, cos and exp."""
    values = list(inputs)
    for name, a, b in made.steps:
        left = values[a]
        if name in ("sin", "cos", "exp"):
            values.append(getattr(functions, name)(left))
        elif name == "scale":
            values.append(b * left)
        elif name == "shift":
            values.append(b + left)
        elif name == "pow":
            values.append(left**2)
        else:
            right = values[int(b)]
            values.append(left + right if name == "+" else left * right if name == "*" else left / right)
    return values[-1]


def ours(made: Expression) -> Callable[[int], Any]:
    """Formulas of the derivatives of an order."""
    graph = Graph()
    nodes = [graph.add_input() for _ in INPUTS]

    def gate(name: str, *inputs: int) -> int:
        found = REGISTRY.find(name, len(inputs))
        assert found is not None
        return graph.add(found, inputs)

    for name, a, b in made.steps:
        if name in ("sin", "cos", "exp"):
            nodes.append(gate(name, nodes[a]))
        elif name in ("scale", "shift"):
            nodes.append(gate("*" if name == "scale" else "+", graph.add_constant(float(b)), nodes[a]))
        elif name == "pow":
            nodes.append(gate("pow", nodes[a], graph.add_constant(2.0)))
        else:
            nodes.append(gate(name, nodes[a], nodes[int(b)]))
    wrt = [node for node, code in enumerate(graph.codes) if code == INPUT]
    names = dict(zip(wrt, INPUTS))
    return lambda order: partials(graph, [nodes[-1]], wrt, names, order=order)


def sympy(made: Expression) -> Callable[[int], Any]:
    module = importlib.import_module("sympy")
    symbols = list(module.symbols(" ".join(INPUTS)))

    def run(order: int) -> Any:
        module.core.cache.clear_cache()
        whole = built(made, symbols, module)
        return [module.diff(whole, one) for one in symbols] if order == 1 else module.hessian(whole, symbols)

    return run


def casadi(made: Expression) -> Callable[[int], Any]:
    module = importlib.import_module("casadi")

    def run(order: int) -> Any:
        point = module.SX.sym("p", len(INPUTS))
        whole = built(made, [point[number] for number in range(len(INPUTS))], module)
        return module.gradient(whole, point) if order == 1 else module.hessian(whole, point)

    return run


def jax(made: Expression) -> Callable[[int], Any]:
    module = importlib.import_module("jax")
    functions = importlib.import_module("jax.numpy")
    point = functions.ones(len(INPUTS))

    def run(order: int) -> Any:
        def whole(values: Any) -> Any:
            return built(made, [values[number] for number in range(len(INPUTS))], functions)

        return module.jit(module.grad(whole) if order == 1 else module.hessian(whole)).lower(point).compile()

    return run


PEERS = (("sympy", sympy), ("casadi", casadi), ("jax", jax))


def measure() -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio (peer over ours) and target."""
    made = expression()
    run = ours(made)
    rows = []
    for order, name in ((1, "gradient"), (2, "Hessian")):
        seconds = best_of(partial(run, order), 3)
        work = f"{name} of {len(made.steps):,} gates as formulas"
        rows.append((work, "ms, ours, simplified", seconds * 1e3, ""))
        for peer, begin in PEERS:
            if importlib.util.find_spec(peer) is not None:
                rows.append((work, peer, best_of(partial(begin(made), order), 1) / seconds, ""))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
