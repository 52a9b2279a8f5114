"""The methods that climb or descend: each a record, and for those that follow a gradient the rule of one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Values = list[Any]
"""One float or array for each parameter."""

Memory = tuple[Values, ...]
"""What a rule remembers from step to step: lists as long as that of the parameters. It begins with zeros."""

Rule = Callable[[Values, Sequence[Any], Memory, float, int], tuple[Values, Memory]]
"""One step downhill: takes the parameters, the gradients, the memory, the rate and the number of the step, counted from 1.

It changes none of them in place, so that the state before a step stays whole. With a negative rate it goes uphill.
"""

MOMENTUM = 0.9
"""How much of its speed a step hands on to the next."""

RMS_DECAY = 0.9
ADAM_DECAY = (0.9, 0.999)
"""How slowly averages of gradients, and of their squares, forget."""

TINY = 1e-8
"""Keeps a division by the size of a gradient from being one by zero."""


class Method(NamedTuple):
    """A method.

    Attributes:
        name: as it is called.
        title: what it is called in a report.
        words: what it does, for help.
        rate: its step size unless another is given; None where it finds its own.
        slots: how many lists its memory has.
        rule: its step, for a method that follows the gradient step by step.
        needs: what it asks of the function: `values`, `gradients`, `hessian`.
    """

    name: str
    title: str
    words: str
    rate: float | None
    slots: int = 0
    rule: Rule | None = None
    needs: str = "gradients"

    def begin(self, count: int) -> Memory:
        """The memory before the first step of so many parameters."""
        return tuple([0.0] * count for _ in range(self.slots))


def gradient(values: Values, slopes: Sequence[Any], memory: Memory, rate: float, count: int) -> tuple[Values, Memory]:
    """x - r·g."""
    return [x - rate * g for x, g in zip(values, slopes)], memory


def momentum(values: Values, slopes: Sequence[Any], memory: Memory, rate: float, count: int) -> tuple[Values, Memory]:
    """v = 0.9·v + g; x - r·v (Polyak's heavy ball)."""
    speed = [MOMENTUM * v + g for v, g in zip(memory[0], slopes)]
    return [x - rate * v for x, v in zip(values, speed)], (speed,)


def nesterov(values: Values, slopes: Sequence[Any], memory: Memory, rate: float, count: int) -> tuple[Values, Memory]:
    """v = 0.9·v + g; x - r·(g + 0.9·v): the step that momentum would make from where it is going (Sutskever et al., 2013)."""
    speed = [MOMENTUM * v + g for v, g in zip(memory[0], slopes)]
    return [x - rate * (g + MOMENTUM * v) for x, g, v in zip(values, slopes, speed)], (speed,)


def rmsprop(values: Values, slopes: Sequence[Any], memory: Memory, rate: float, count: int) -> tuple[Values, Memory]:
    """s = 0.9·s + 0.1·g²; x - r·g/(√s + 1e-8) (Hinton, 2012)."""
    squares = [RMS_DECAY * s + (1.0 - RMS_DECAY) * (g * g) for s, g in zip(memory[0], slopes)]
    return [x - rate * g / (s**0.5 + TINY) for x, g, s in zip(values, slopes, squares)], (squares,)


def adam(values: Values, slopes: Sequence[Any], memory: Memory, rate: float, count: int) -> tuple[Values, Memory]:
    """Averages of g and g², freed from their bias towards zero; x - r·m/(√s + 1e-8) (Kingma and Ba, 2015)."""
    first, second = ADAM_DECAY
    means = [first * m + (1.0 - first) * g for m, g in zip(memory[0], slopes)]
    squares = [second * s + (1.0 - second) * (g * g) for s, g in zip(memory[1], slopes)]
    scale, unbiased = rate / (1.0 - first**count), 1.0 / (1.0 - second**count)
    return [x - scale * m / ((s * unbiased) ** 0.5 + TINY) for x, m, s in zip(values, means, squares)], (means, squares)


METHODS = {
    method.name: method
    for method in (
        Method("random", "random local search", "keep a random tweak when it is better", 0.01, needs="values"),
        Method(
            "numerical",
            "numerical gradient descent",
            "follow the gradient taken by central differences",
            0.01,
            0,
            gradient,
            "values",
        ),
        Method("gradient", "gradient descent", "follow the gradient", 0.01, 0, gradient),
        Method("momentum", "momentum", "follow the gradient, keeping 0.9 of the speed", 0.01, 1, momentum),
        Method("nesterov", "Nesterov's momentum", "the same, looking ahead", 0.01, 1, nesterov),
        Method("rmsprop", "RMSprop", "scale each gradient by its recent size", 0.01, 1, rmsprop),
        Method("adam", "Adam", "momentum and scale, both averaged", 0.01, 2, adam),
        Method("newton", "Newton's method", "solve with the Hessian, for small problems", 1.0, needs="hessian"),
        Method("lbfgs", "L-BFGS", "curvature learned on the way; needs SciPy", None),
    )
}
"""Every method. A new one that follows the gradient is a rule and a line here."""
