"""Random points at which functions are compared: of many sizes and both signs, and inside the domain."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradcalc.calculus.extract import dependencies
from gradcalc.checking.functions import Function
from gradcalc.engine.evaluate import evaluate
from gradcalc.graph import INPUT

DRAWS = 60
"""How often a point outside the domain is mended before it is given up."""

FAILURES = 12
"""After so many points in a row that could not be mended, the domain is taken to be out of reach."""

DIGITS = 4
"""To how many digits points are rounded, so that people can type them."""

Style = Callable[[random.Random], float]


def _scaled(low: float, high: float) -> Style:
    return lambda rng: rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(low, high)


STYLES: dict[str, Style] = {
    "moderate": lambda rng: rng.uniform(-4.0, 4.0),
    "positive": lambda rng: rng.uniform(0.0, 4.0),
    "unit": lambda rng: rng.uniform(-1.0, 1.0),
    "wide": _scaled(-3.0, 3.0),
    "whole": lambda rng: float(rng.choice((-4, -3, -2, -1, 1, 2, 3, 4, 5))),
    "far": _scaled(1.0, 3.0),
    "small": _scaled(-8.0, -2.0),
    "huge": _scaled(3.0, 6.0),
}
"""Ways to draw a number, the most useful first."""

WHOLE_POINTS: Sequence[str | None] = ("moderate", None, "positive", None, "unit", None, "far", "small")
"""The style of all numbers of a point, point by point; with None, each has one of its own."""

MENDED: Sequence[str] = ("moderate", "positive", "unit", "positive", "whole", "wide", "far")
"""How a number is drawn anew where the point was outside the domain."""


@dataclass
class Source:
    """Where an input gets its values from.

    Attributes:
        given: its value at the given point, None where it has none.
        low: with `high`, the range in which it is drawn; None for a range of our own.
        held: whether it keeps its given value.
    """

    given: Any = None
    low: float | None = None
    high: float | None = None
    held: bool = False

    def draw(self, rng: random.Random, style: str) -> Any:
        """A value."""
        if self.held:
            return self.given
        if self.given is not None and not isinstance(self.given, float):
            return self._array(rng, style)
        return self._number(rng, style)

    def _number(self, rng: random.Random, style: str) -> float:
        if self.low is None or self.high is None:
            number = STYLES[style](rng)
        elif 0.0 < self.low < 1e-3 * self.high and rng.random() < 0.5:
            number = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            number = self.low + (self.high - self.low) * rng.random()
        rounded = float(f"{number:.{DIGITS}g}")
        return rounded if self.low is None or self.high is None or self.low <= rounded <= self.high else number

    def _array(self, rng: random.Random, style: str) -> Any:
        import numpy

        # Elements of one array are of one kind; an array of huge numbers says nothing that small ones do not.
        own = style if style in ("unit", "positive", "moderate", "small") else "moderate"
        numbers = [self._number(rng, own) for _ in range(self.given.size)]
        return numpy.array(numbers).reshape(self.given.shape)


@dataclass
class Drawer:
    """Draws points at which a function has a value.

    Attributes:
        function: whose domain is meant.
        sources: of every input, by name; more than those of the function are drawn, too.
        seed: makes the points repeatable.
        failed: how many points could not be drawn.
    """

    function: Function
    sources: Mapping[str, Source]
    seed: int = 0
    failed: int = 0
    _causes: dict[int, list[str]] = field(default_factory=dict)

    def points(self, count: int) -> Iterator[dict[str, Any]]:
        """So many points, or fewer where the domain is out of reach."""
        rng = random.Random(self.seed)
        row = 0
        for number in range(count):
            point = self._point(rng, WHOLE_POINTS[number % len(WHOLE_POINTS)])
            if point is not None:
                row = 0
                yield point
                continue
            self.failed += 1
            row += 1
            if row >= FAILURES:
                return

    def _point(self, rng: random.Random, style: str | None) -> dict[str, Any] | None:
        names = list(STYLES)
        point = {name: source.draw(rng, style or rng.choice(names)) for name, source in self.sources.items()}
        for _ in range(DRAWS):
            wrong = self._outside(point)
            if not wrong:
                return point
            for name in wrong:
                if not self.sources[name].held:
                    point[name] = self.sources[name].draw(rng, rng.choice(MENDED))
        return None

    def _outside(self, point: Mapping[str, Any]) -> list[str]:
        """The inputs to be drawn anew, since the first node that has no value depends on them; empty inside the domain."""
        graph = self.function.graph
        values = evaluate(graph, self.function.at(point)).values
        if _finite(values[-1]):
            return []
        node = next(node for node, value in enumerate(values) if not _finite(value))
        if node not in self._causes:
            found = [graph.left[inner] for inner in dependencies(graph, node, node) if graph.codes[inner] == INPUT]
            self._causes[node] = [self.function.inputs[number] for number in found]
        return self._causes[node] or list(self.sources)


def special_points(sources: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    """A few points with zeros and ones, where formulas have holes that no random point meets."""
    free = {name: source for name, source in sources.items() if not source.held}
    numbers = [name for name, source in free.items() if source.given is None or isinstance(source.given, float)]
    if not numbers or len(numbers) != len(free):
        return
    given = {name: source.given for name, source in sources.items() if source.held}
    for value in (0.0, 1.0, -1.0):
        allowed = {name: _within(sources[name], value) for name in numbers}
        if all(allowed.values()):
            yield given | dict.fromkeys(numbers, value)
        if len(numbers) == 1:
            continue
        for name in numbers[:4]:
            if allowed[name]:
                others = {other: _middle(sources[other]) for other in numbers if other != name}
                yield given | others | {name: value}


def _within(source: Source, value: float) -> bool:
    return source.low is None or source.high is None or source.low <= value <= source.high


def _middle(source: Source) -> float:
    if source.low is None or source.high is None:
        return source.given if isinstance(source.given, float) and math.isfinite(source.given) else 1.5
    return 0.5 * (source.low + source.high)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    import numpy

    return bool(numpy.isfinite(value).all())
