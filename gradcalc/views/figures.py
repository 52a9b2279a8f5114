"""Sampled formulas as figures in a file, PNG, SVG or PDF, by matplotlib (extra `plot`)."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gradcalc.errors import MissingExtra
from gradcalc.tables.sampling import limits, pieces, thinned

if TYPE_CHECKING:
    from gradcalc.tables.sampling import Sampled
    from gradcalc.views.plots import Path

FORMATS = ("png", "svg", "pdf")
VALUE, SLOPE, TRACE = "#1a7f37", "#cf222e", "#ffffff"
"""Green for values and red for gradients, as in every picture."""

POINTS = 5000
"""How many stretches of a curve are told apart."""

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "svg.fonttype": "none",
    "svg.hashsalt": "gradcalc",
    "text.parse_math": False,
}


def figure_bytes(plots: Sequence[tuple[Sampled, Path]], format: str, derivative: bool = True) -> bytes:
    """One figure of all these formulas, below each other, as the bytes of a file.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("a figure in a file", "plot") from None

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.6 * len(plots)), dpi=160, layout="constrained")
        frames = figure.subfigures(len(plots), 1, squeeze=False)[:, 0]
        for frame, (sampled, path) in zip(frames, plots):
            if len(sampled.names) == 1:
                _curves(frame, sampled, derivative)
            else:
                _map(frame, sampled, path)
        buffer = BytesIO()
        # No date: the same formula gives the same file.
        metadata = {"Date": None} if format == "svg" else {"CreationDate": None} if format == "pdf" else None
        figure.savefig(buffer, format=format, metadata=metadata)
    return buffer.getvalue()


def _curves(frame: Any, sampled: Sampled, derivative: bool) -> None:
    (name,), (xs,) = sampled.names, sampled.axes
    rows = 2 if derivative else 1
    axes = frame.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3, 2][:rows]})[:, 0]
    panels = [(sampled.text, pieces(xs, sampled.values, sampled.slopes[0]), limits(sampled.values), VALUE)]
    if derivative:
        slopes = sampled.slopes[0]
        panels.append((f"derivative by {name}", pieces(xs, slopes), limits(slopes), SLOPE))
    for axis, (title, curves, (low, high, _), colour) in zip(axes, panels):
        for x, y in curves:
            axis.plot(*thinned(x, y, POINTS), color=colour, linewidth=1.6)
        room = 0.05 * (high - low)
        axis.set_ylim(low - room, high + room)
        axis.set_title(title, loc="left", color=colour, fontsize=10)
    axes[-1].set_xlim(float(xs[0]), float(xs[-1]))
    axes[-1].set_xlabel(name)


def _map(frame: Any, sampled: Sampled, path: Path) -> None:
    import numpy

    axis = frame.subplots()
    (first, second), (xs, ys) = sampled.names, sampled.axes
    low, high, _ = limits(sampled.values)
    shown = numpy.ma.masked_invalid(numpy.clip(sampled.values, low, high))
    image = axis.pcolormesh(xs, ys, shown, cmap="viridis", shading="nearest", rasterized=True)
    if high > low and min(shown.shape) > 1:
        axis.contour(xs, ys, shown, levels=_levels(shown), colors="black", linewidths=0.5, alpha=0.5)
    if path:
        axis.plot(*zip(*path), color=TRACE, linewidth=1.2, marker="o", markersize=2.5)
        axis.plot(*path[0], color=TRACE, marker="s", markersize=6, markeredgecolor="black", label="start")
        axis.plot(*path[-1], color=SLOPE, marker="o", markersize=7, markeredgecolor="black", label="end")
        axis.legend(loc="best", framealpha=0.9)
    axis.set(xlabel=first, ylabel=second, xlim=(float(xs[0]), float(xs[-1])), ylim=(float(ys[0]), float(ys[-1])))
    axis.set_title(sampled.text, loc="left", fontsize=10)
    axis.grid(visible=False)
    frame.colorbar(image, ax=axis)


def _levels(values: Any) -> Any:
    """Heights of contour lines that stand as densely in a flat valley as on its slopes."""
    import numpy

    return numpy.unique(numpy.quantile(values.compressed(), numpy.linspace(0.02, 0.98, 13)))
