"""Values with their uncertainties as text, and what is said of them beyond first order."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcalc.views.numbers import array_text, exact_text, nested_text, number_text, rounded_text
from gradcalc.views.surface import Surface

if TYPE_CHECKING:
    from gradcalc.uncertainty.monte_carlo import MonteCarlo
    from gradcalc.uncertainty.propagate import Propagation
    from gradcalc.workspace import Result

DIGITS = 2
"""The significant digits of an uncertainty, unless others are asked for."""

LARGE, SMALL = 1e7, 1e-5
"""Values from here on, and uncertainties below that, are written with a power of ten."""


def measured_text(value: float, error: float, digits: int = DIGITS) -> str:
    """A value with its uncertainty, rounded where the uncertainty's digits end: `9.81 ± 0.053`, `6.6743e-11 ± 1.5e-15`."""
    if not isfinite(value) or not isfinite(error) or error <= 0.0:
        return f"{rounded_text(value, 10)} ± {error_text(error, digits)}"
    exponent = _exponent(error, digits)
    decimals = digits - 1 - exponent
    if abs(value) >= LARGE or error < SMALL or error >= LARGE:
        more = max(0, _exponent(value, 1) - exponent) if value else 0
        return f"{_short_power(f'{value:.{digits - 1 + more}e}')} ± {_short_power(f'{error:.{digits - 1}e}')}"
    if decimals >= 0:
        return f"{value:.{decimals}f} ± {error:.{decimals}f}"
    return f"{round(value, decimals):.0f} ± {round(error, decimals):.0f}"


def error_text(error: float, digits: int = DIGITS) -> str:
    """An uncertainty by itself: `0.053`, `1.5e-15`, `120`."""
    if not isfinite(error) or error <= 0.0:
        return number_text(error)
    exponent = _exponent(error, digits)
    if error < SMALL or error >= LARGE:
        return _short_power(f"{error:.{digits - 1}e}")
    decimals = digits - 1 - exponent
    return f"{error:.{decimals}f}" if decimals >= 0 else f"{round(error, decimals):.0f}"


def _exponent(number: float, digits: int) -> int:
    """The power of ten of the first digit, when rounded to so many digits."""
    return int(f"{abs(number):.{digits - 1}e}".split("e")[1])


def _short_power(text: str) -> str:
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def heading_value(result: Result, plain: str, surface: Surface, digits: int | None) -> str:
    """The value of an output with its uncertainty; `plain` is what stands there for an exact one."""
    assert result.propagation is not None
    error = result.propagation.first.uncertainty
    if isinstance(error, float) and isinstance(result.value, float):
        text = measured_text(result.value, error, digits or DIGITS)
    else:
        whole = "…" not in plain and plain.startswith("[")
        errors = nested_text(error.tolist(), lambda one: error_text(one, digits or DIGITS)) if whole else ""
        text = f"{plain} ± {errors or array_text(error, digits or DIGITS, 60)}"
    return text if surface.unicode else text.replace("±", "+/-")


def readable_value(result: Result, surface: Surface) -> str:
    """The bare value and uncertainty, so that they read back as a value on the command line."""
    assert result.propagation is not None
    error = result.propagation.first.uncertainty
    return f"{exact_text(result.value)}{'±' if surface.unicode else '+/-'}{exact_text(error)}"


def lines(result: Result) -> Iterator[str]:
    """What there is to say beyond first order."""
    from gradcalc.uncertainty.first_order import MOST_PASSES
    from gradcalc.uncertainty.second_order import MOST_ELEMENTS

    found = result.propagation
    assert found is not None
    smooth = found.doubt is None or found.doubt.kind == "curved"
    if found.second is not None and smooth and (found.drawn is not None or found.doubt is not None):
        yield f"second order: {measured_text(found.second.mean, found.second.uncertainty)}"
    if found.drawn is not None:
        yield _drawn_line(found.drawn)
    elif not found.looked:
        yield f"more than {MOST_ELEMENTS} uncertain numbers: nothing beyond first order was looked at (--monte-carlo N does)"
    if not found.first.inner:
        yield f"more than {MOST_PASSES:,} uncertain numbers: they are followed to the output only, not to the nodes on the way"


def _drawn_line(drawn: MonteCarlo) -> str:
    words = f"Monte Carlo, {drawn.draws} draws: "
    if not isinstance(drawn.mean, float):
        return words + f"{array_text(drawn.mean, 6, 60)} ± {array_text(drawn.uncertainty, DIGITS, 60)}"
    low, high = (_beside(bound, drawn.uncertainty) for bound in (drawn.low, drawn.high))
    return words + f"{measured_text(drawn.mean, drawn.uncertainty)}, 95 % between {low} and {high}"


def _beside(value: float, error: float) -> str:
    """A value with the digits that it has beside this uncertainty."""
    return measured_text(value, error).partition(" ")[0]


def warnings(result: Result) -> Iterator[str]:
    """Where first order misleads, why, and what is nearer to the truth."""
    found = result.propagation
    assert found is not None
    name = result.output if len(result.output) <= 40 else "the output"
    if found.drawn is not None and found.drawn.lost:
        yield f"{name} has no finite value in {found.drawn.lost} of {found.drawn.draws} draws: they are left out"
    first = found.first.uncertainty
    gives = f"first order misleads: it gives {name} ± {error_text(first)}" if isinstance(first, float) else "first order misleads"
    if found.drawn is not None:
        if found.contradicted:
            mean, seen = found.drawn.mean, found.drawn.uncertainty
            yield gives + (f", Monte Carlo {measured_text(mean, seen)}" if isinstance(seen, float) else ": Monte Carlo differs")
    elif found.doubt is not None:
        yield f"{gives}{_reason(found)}\n  --monte-carlo 100000 shows the distribution"


def _reason(found: Propagation) -> str:
    doubt, second = found.doubt, found.second
    assert doubt is not None
    axis = doubt.axis
    if doubt.kind == "outside" and axis is not None:
        return f", and the function ends within the uncertainty of {axis.name}"
    if doubt.kind == "curved" and second is not None:
        return f", second order ± {error_text(second.uncertainty)} about a mean of {_beside(second.mean, second.uncertainty)}"
    if axis is not None and isinstance(axis.up, float):
        ups = " and ".join(f"{rounded_text(move, 3)}" for move in (axis.up, axis.down))
        return f", but moving {axis.name} up and down by its uncertainty moves it by {ups}"
    return f", since the function bends within the uncertainty of {axis.name}" if axis is not None else ""


def share_text(share: Any) -> str:
    """A part of a variance in per cent; of an array the whole of it."""
    if share is None:
        return ""
    whole = share if isinstance(share, float) else float(share.sum())
    if whole != whole:
        return ""
    percent = 100.0 * whole
    if percent and abs(percent) < 0.1:
        return "< 0.1 %" if percent > 0 else "> -0.1 %"
    return f"{percent:.1f} %" if abs(percent) < 10.0 else f"{percent:.0f} %"


def uncertainty_cell(error: Any, room: int, digits: int = DIGITS) -> str:
    """An uncertainty in a cell of a table."""
    if error is None:
        return ""
    return error_text(error, digits) if isinstance(error, float) else array_text(error, digits, room, shaped=False)
