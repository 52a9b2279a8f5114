"""Standard uncertainties by first order: every input's uncertainty times the slope, added as the correlations say.

u(y)² = Σ (∂y/∂x_i)² u(x_i)² + 2 Σ ρ_ij (∂y/∂x_i) (∂y/∂x_j) u(x_i) u(x_j), as in the Guide to the Expression of Uncertainty in
Measurement (JCGM 100:2008, 5.1 and 5.2). In forward mode one pass for each uncertain number gives its part for every node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import hypot, isfinite
from typing import Any

from gradcalc.engine.evaluate import Evaluation, backpropagate
from gradcalc.engine.tangents import push
from gradcalc.uncertainty.spread import Element, Spread

MOST_PASSES = 20_000
"""So many uncertain numbers are followed through every node; of more, only what reaches the output counts."""

MOST_WORK = 2 * 10**9
"""How many numbers these passes may make."""

CANCELLED = 16.0 * 2.0**-53
"""What correlations leave of a variance counts as nothing below this part of it."""


@dataclass(slots=True)
class FirstOrder:
    """What first order says.

    Attributes:
        uncertainties: the standard uncertainty of every node, a float or an array of its shape; None where it was not followed.
        shares: by name of the uncertain inputs, which part of the output's variance is theirs: a float, or an array by elements.
            With correlations, what two inputs make together belongs to both in halves, so a share may be negative. Of an
            array output, of the sum of its elements' variances. nan where there is no variance.
        passes: how each uncertain number moves the output, by one standard uncertainty.
        inner: whether the uncertainties of nodes within the graph are known, too.
    """

    uncertainties: list[Any]
    shares: dict[str, Any] = field(default_factory=dict)
    passes: dict[Element, Any] = field(default_factory=dict)
    inner: bool = True

    @property
    def uncertainty(self) -> Any:
        """The output's standard uncertainty."""
        return self.uncertainties[-1]


def move(element: Element, error: float, like: Any) -> Any:
    """An input moved in one of its elements: a float, or zeros with one number, in the shape of `like`."""
    if element.place is None:
        return error
    import numpy

    amount = numpy.zeros(like.size)
    amount[element.place] = error
    return amount.reshape(like.shape)


def moves(evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int]) -> Iterator[tuple[Element, dict[int, Any]]]:
    """For each uncertain number of these inputs how the input nodes move by one standard uncertainty of it."""
    for name, node in nodes.items():
        for element, error in spread.elements(name):
            yield element, {node: move(element, error, evaluation.values[node])}


def first_order(evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int]) -> FirstOrder:
    """Propagate uncertainties.

    Args:
        evaluation: after its forward pass.
        spread: the uncertain inputs.
        nodes: the input nodes of those that the output reaches, by name.
    """
    count = sum(1 for name in nodes for _ in spread.elements(name))
    size = sum(math.prod(evaluation.shape(node)) for node in range(len(evaluation.graph)))
    if count > MOST_PASSES or count * size > MOST_WORK:
        return _of_the_output(evaluation, spread, nodes)
    found = FirstOrder([0.0] * len(evaluation.graph))
    kept: dict[Element, list[Any]] = {}
    arithmetic = _hypot(evaluation)
    for element, direction in moves(evaluation, spread, nodes):
        moved = push(evaluation, direction)
        found.uncertainties = list(map(arithmetic, found.uncertainties, moved))
        found.passes[element] = moved[-1]
        if element in spread.partners:
            kept[element] = moved
    if kept:
        _correlate(found, kept, spread)
    found.shares = _shares(found, spread, nodes, evaluation)
    return found


def _hypot(evaluation: Evaluation) -> Any:
    """sqrt(a² + b²) on what the nodes hold."""
    if evaluation.scalar:
        return hypot
    import numpy

    return numpy.hypot


def _correlate(found: FirstOrder, kept: Mapping[Element, list[Any]], spread: Spread) -> None:
    """Add to the variances what inputs make together."""
    pairs = [
        (one, other, value)
        for one in kept
        for other, value in spread.partners[one].items()
        if other in kept and other > one and value
    ]
    for node, uncertainty in enumerate(found.uncertainties):
        change: Any = 0.0
        for one, other, value in pairs:
            change = change + 2.0 * value * _ratio(kept[one][node], uncertainty) * _ratio(kept[other][node], uncertainty)
        found.uncertainties[node] = _scaled(uncertainty, 1.0 + change)


def _ratio(part: Any, whole: Any) -> Any:
    """A part of a whole, 0 of nothing."""
    if isinstance(whole, float):
        return part / whole if whole else 0.0
    import numpy

    return numpy.divide(part, whole, out=numpy.zeros(numpy.shape(whole)), where=whole != 0)


def _scaled(uncertainty: Any, variance: Any) -> Any:
    """An uncertainty times the root of what correlations make of its variance."""
    if isinstance(variance, float):
        return uncertainty * math.sqrt(variance) if variance > CANCELLED or variance != variance else 0.0
    import numpy

    return uncertainty * numpy.sqrt(numpy.where(variance > CANCELLED, variance, 0.0))


def _shares(found: FirstOrder, spread: Spread, nodes: Mapping[str, int], evaluation: Evaluation) -> dict[str, Any]:
    whole = _length(found.uncertainty)
    shares: dict[str, Any] = {}
    for name, node in nodes.items():
        parts = {}
        for element, _ in spread.elements(name):
            own = found.passes[element]
            together = own
            for other, value in spread.partners.get(element, {}).items():
                if other in found.passes:
                    together = together + value * found.passes[other]
            parts[element.place] = _product(own, together, whole)
        shares[name] = _arranged(parts, evaluation.values[node], 0.0 if whole else math.nan)
    return shares


def _length(uncertainty: Any) -> float:
    """The root of the sum of an array's variances."""
    if isinstance(uncertainty, float):
        return uncertainty
    import numpy

    return float(numpy.linalg.norm(uncertainty))


def _product(own: Any, together: Any, whole: float) -> float:
    if not whole or not isfinite(whole):
        return math.nan
    part = (own / whole) * (together / whole)
    return float(part if isinstance(part, float) else part.sum())


def _arranged(parts: Mapping[int | None, float], like: Any, otherwise: float) -> Any:
    """Numbers by place as a float, or an array in the shape of `like`."""
    if isinstance(like, float):
        return parts.get(None, otherwise)
    import numpy

    array = numpy.full(like.size, otherwise)
    for place, part in parts.items():
        array[place] = part
    return array.reshape(like.shape)


def _of_the_output(evaluation: Evaluation, spread: Spread, nodes: Mapping[str, int]) -> FirstOrder:
    """Only of the output, by gradients: for one number one pass backwards, whatever the number of uncertain inputs."""
    import numpy

    again = Evaluation(
        evaluation.graph, evaluation.inputs, evaluation.scalar, evaluation.shapes, evaluation.values, [], bytearray()
    )
    shape = evaluation.shape(len(evaluation.graph) - 1)
    uncertainty = numpy.zeros(math.prod(shape))
    parts: dict[str, Any] = {name: numpy.zeros(numpy.shape(evaluation.values[node])) for name, node in nodes.items()}
    for place in range(math.prod(shape)):
        seed = numpy.zeros(math.prod(shape))
        seed[place] = 1.0
        backpropagate(again, seed.reshape(shape) if shape else 1.0, list(nodes.values()))
        moved = {name: numpy.asarray(again.gradients[node] * spread.errors[name]) for name, node in nodes.items()}
        together = {name: _together(name, moved, spread) for name in moved}
        variance = sum(float(numpy.sum(moved[name] * together[name])) for name in moved)
        uncertainty[place] = math.sqrt(variance) if variance > 0.0 or variance != variance else 0.0
        for name in moved:
            parts[name] += moved[name] * together[name]
    total: Any = uncertainty.reshape(shape) if shape else float(uncertainty[0])
    whole = _length(total) ** 2
    shares = {name: part / whole if whole else part * math.nan for name, part in parts.items()}
    shares = {name: share if numpy.shape(share) else float(share) for name, share in shares.items()}
    uncertainties: list[Any] = [None] * len(evaluation.graph)
    for name, node in nodes.items():
        uncertainties[node] = spread.errors[name]
    uncertainties[-1] = total
    return FirstOrder(uncertainties, shares, {}, inner=False)


def _together(name: str, moved: Mapping[str, Any], spread: Spread) -> Any:
    """How an input's elements move the output, together with those correlated with them."""
    made = moved[name].copy()
    flat = made.reshape(-1)
    for element, partners in spread.partners.items():
        if element.name == name:
            for other, value in partners.items():
                if other.name in moved:
                    flat[element.place or 0] += value * moved[other.name].reshape(-1)[other.place or 0]
    return made
