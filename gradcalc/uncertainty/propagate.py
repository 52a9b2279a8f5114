"""All that is said of an output whose inputs are uncertain: first order, and what goes beyond it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcalc.engine.evaluate import Evaluation
from gradcalc.uncertainty.first_order import FirstOrder, first_order
from gradcalc.uncertainty.second_order import Doubt, SecondOrder, axes, doubt, second_order
from gradcalc.uncertainty.spread import Spread

if TYPE_CHECKING:
    from gradcalc.uncertainty.monte_carlo import MonteCarlo


@dataclass(slots=True)
class Propagation:
    """The uncertainty of an output.

    Attributes:
        first: by first order, at every node, with the shares of the inputs.
        second: to second order; None where it was not looked at (an array, many nodes or inputs) or there is none.
        drawn: what Monte Carlo showed, where it was asked for.
        doubt: why first order misleads; None where nothing says so.
        looked: whether anything beyond first order was looked at.
        contradicted: whether Monte Carlo shows another uncertainty than first order.
    """

    first: FirstOrder
    second: SecondOrder | None = None
    drawn: MonteCarlo | None = None
    doubt: Doubt | None = None
    looked: bool = True
    contradicted: bool = False


def propagate(
    evaluation: Evaluation,
    spread: Spread,
    nodes: Mapping[str, int],
    draws: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Propagation:
    """How uncertain an output is.

    Args:
        evaluation: after its forward pass; its last node is the output.
        spread: the uncertain inputs.
        nodes: the input nodes of those that the output reaches, by name.
        draws: how many draws Monte Carlo takes; None for no Monte Carlo.
        seed: of the draws.
        progress: is told how many draws of how many are done.
    """
    first = first_order(evaluation, spread, nodes)
    second = second_order(evaluation, spread, nodes, first)
    along = axes(evaluation, spread, nodes, first)
    looked = bool(along) or (first.inner and not first.passes)
    found = Propagation(first, second, doubt=doubt(evaluation, first, second, along), looked=looked)
    if draws is not None:
        from gradcalc.uncertainty.monte_carlo import contradicts, monte_carlo

        found.drawn = monte_carlo(evaluation, spread, nodes, draws, seed, progress)
        found.contradicted = contradicts(found.drawn, evaluation.values[-1], first.uncertainty)
    return found
