"""The options with which `eval` shows more than gradients: forward mode, uncertainties, sensitivities."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gradcalc.cli.command import option
from gradcalc.cli.option_types import Correlated, NamedValues, OneOf, Whole
from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    from gradcalc.language.values import Value
    from gradcalc.uncertainty.spread import Correlation

Function = TypeVar("Function", bound=Callable[..., Any])

MODES = ("reverse", "forward")

DIFFERENCES = ("auto", "central", "one-sided", "off")
"""The checks of forward mode."""


class Aspects(NamedTuple):
    """What is wanted beside values and gradients."""

    mode: str
    direction: tuple[dict[str, Value], ...]
    correlation: tuple[Correlation, ...]
    monte_carlo: int | None
    sensitivity: bool
    conventions: bool

    def options(self, *, value: bool, wrt: Any, upstream: str | None, check: str, check_all: bool) -> dict[str, Any]:
        """The same as options of a workspace; the arguments are the other options of the command.

        Raises:
            UsageProblem: options that exclude each other.
        """
        forward = self.mode == "forward"
        if self.direction and not forward:
            raise UsageProblem("--direction is for forward mode", remedy="add --mode forward")
        for given, name, remedy in (
            (upstream is not None, "--upstream", "forward mode has no gradient from above: write --direction"),
            (self.sensitivity, "--sensitivity", "elasticities are made of gradients: leave out --mode forward"),
            (self.conventions, "--conventions", "they are about gradients: leave out --mode forward"),
            (value, "--value", "leave out one of them"),
            (check_all, "--check-all", "leave it out"),
            (check not in DIFFERENCES, f"--check {check}", f"write one of {', '.join(DIFFERENCES)}"),
            (bool(wrt) and bool(self.direction), "--wrt and --direction", "name the inputs in one of them"),
        ):
            if forward and given:
                raise UsageProblem(f"--mode forward does not go with {name}", remedy=remedy)
        if value and self.sensitivity:
            raise UsageProblem("--value prints the bare result, without --sensitivity", remedy="leave out one of them")
        if value and self.conventions:
            raise UsageProblem("--value prints the bare result, without --conventions", remedy="leave out one of them")
        return {
            "mode": self.mode,
            "direction": self._joined() if self.direction else None,
            "correlations": self.correlation,
            "monte_carlo": self.monte_carlo,
            "sensitivity": self.sensitivity,
            "conventions": self.conventions,
        }

    def _joined(self) -> dict[str, Value]:
        joined: dict[str, Value] = {}
        for direction in self.direction:
            for name, amount in direction.items():
                if name in joined:
                    raise UsageProblem(f"--direction gives {name} twice", remedy="leave one of them out")
                joined[name] = amount
        return joined


def aspect_options(function: Function) -> Function:
    """The options themselves. The command gets them as one argument, `aspects`."""
    from functools import wraps

    @wraps(function)
    def with_aspects(
        *,
        mode: str,
        direction: tuple[dict[str, Value], ...],
        correlation: tuple[Correlation, ...],
        monte_carlo: int | None,
        sensitivity: bool,
        conventions: bool,
        **others: Any,
    ) -> Any:
        return function(aspects=Aspects(mode, direction, correlation, monte_carlo, sensitivity, conventions), **others)

    for decorate in reversed(
        (
            option(
                "--mode",
                type=OneOf(MODES),
                default=MODES[0],
                metavar="|".join(MODES),
                help="Gradients of the output by every node, or derivatives of every node by each input (reverse).",
            ),
            option(
                "--direction",
                multiple=True,
                type=NamedValues(),
                metavar="NAME=VALUE,...",
                help="In forward mode, how the inputs move, all at once: x=1,y=-2.",
            ),
            option(
                "--correlation",
                multiple=True,
                type=Correlated(),
                metavar="A,B=NUMBER",
                help="The correlation of two uncertain inputs (--a 1.0±0.1, or 1.0+/-0.1).",
            ),
            option(
                "--monte-carlo",
                type=Whole(10, 10**9),
                metavar="N",
                help="Compare the uncertainty with N random draws of the uncertain inputs.",
            ),
            option(
                "--sensitivity",
                is_flag=True,
                help="Add elasticities x·f'/f, and paint the source by how strongly the output depends on each piece.",
            ),
            option(
                "--conventions",
                is_flag=True,
                help="Say at a kink what is answered, which slopes its sides have, and what PyTorch, JAX and others answer.",
            ),
        )
    ):
        decorate(with_aspects)
    return with_aspects  # type: ignore[return-value]
