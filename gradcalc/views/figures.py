"""Sampled formulas as figures in a file, PNG, SVG or PDF, by matplotlib (extra `plot`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gradcalc.errors import MissingExtra
from gradcalc.tables.sampling import drawable, limits, panels, thinned

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

WRITINGS = (
    "Noto Sans CJK", "Source Han Sans", "WenQuanYi", "Malgun Gothic", "Nanum", "Microsoft YaHei", "Yu Gothic", "Hiragino",
    "PingFang", "Apple SD Gothic", "Droid Sans Fallback", "Unifont", "Arial Unicode MS", "Noto Sans",
)  # fmt: skip
"""How fonts begin that have the letters which DejaVu Sans has not."""

DOTS = 0.02
"""The dots of a path stand at least so far apart, as a part of the map."""


def figure_bytes(plots: Sequence[tuple[Sampled, Path]], format: str, derivative: bool = True) -> tuple[bytes, list[str]]:
    """One figure of all these formulas, below each other.

    Returns:
        The bytes of the file, and what is missing from it, in words.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("a figure in a file", "plot") from None

    missing: set[str] = set()
    with matplotlib.rc_context(STYLE | {"font.sans-serif": _fonts(plots)}), _letters_missing(missing):
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
    lost = "".join(sorted(missing))
    remarks = [f"no font of this system has {lost}: boxes stand in their place"] if lost and format != "svg" else []
    return buffer.getvalue(), remarks


def _fonts(plots: Sequence[tuple[Sampled, Path]]) -> list[str]:
    """The fonts of a figure: beside the usual one those that may have the letters of other writings, where there are such."""
    usual = ["DejaVu Sans"]
    if all(ord(character) < 0x250 for sampled, _ in plots for text in (sampled.text, *sampled.names) for character in text):
        return usual
    from matplotlib.font_manager import fontManager

    names = sorted({font.name for font in fontManager.ttflist})
    return usual + [name for start in WRITINGS for name in names if name.startswith(start)]


@contextmanager
def _letters_missing(found: set[str]) -> Iterator[None]:
    """Collect the letters that no font has, of which matplotlib warns one by one."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    for warning in told:
        words = str(warning.message)
        if words.startswith("Glyph "):
            found.add(chr(int(words.split()[1])))


def _curves(frame: Any, sampled: Sampled, derivative: bool) -> None:
    (name,), (xs,) = sampled.names, sampled.axes
    rows = 2 if derivative else 1
    axes = frame.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3, 2][:rows]})[:, 0]
    for axis, (title, curves, (low, high, _)), colour in zip(axes, panels(sampled, derivative), (VALUE, SLOPE)):
        for x, y in curves:
            axis.plot(*thinned(x, y, POINTS), color=colour, linewidth=1.6)
        room = 0.05 * (high - low)
        axis.set_ylim(low - room, high + room)
        axis.set_title(title, loc="left", color=colour, fontsize=10)
    axes[-1].set_xlim(float(xs[0]), float(xs[-1]))
    axes[-1].set_xlabel(name)


def _map(frame: Any, sampled: Sampled, path: Path) -> None:
    import numpy

    sampled = drawable(sampled)
    axis = frame.subplots()
    (first, second), (xs, ys) = sampled.names, sampled.axes
    low, high, _ = limits(sampled.values)
    shown = numpy.ma.masked_invalid(numpy.clip(sampled.values, low, high))
    image = axis.pcolormesh(xs, ys, shown, cmap="viridis", shading="nearest", rasterized=True)
    if high > low and min(shown.shape) > 1:
        axis.contour(xs, ys, shown, levels=_levels(shown), colors="black", linewidths=0.5, alpha=0.5)
    if path:
        axis.plot(*zip(*path), color=TRACE, linewidth=0.8, alpha=0.9)
        axis.plot(*zip(*_apart(path, xs, ys)), color=TRACE, linestyle="none", marker="o", markersize=1.8, markeredgewidth=0)
        axis.plot(*path[0], color=TRACE, marker="s", markersize=5, markeredgecolor="black", label="start")
        axis.plot(*path[-1], color=SLOPE, marker="o", markersize=5, markeredgecolor="black", label="end")
        axis.legend(loc="best", framealpha=0.9)
    axis.set(xlabel=first, ylabel=second, xlim=(float(xs[0]), float(xs[-1])), ylim=(float(ys[0]), float(ys[-1])))
    axis.set_title(sampled.text, loc="left", fontsize=10)
    axis.grid(visible=False)
    frame.colorbar(image, ax=axis)


def _apart(path: Path, xs: Any, ys: Any) -> list[tuple[float, float]]:
    """The steps of a path that stand far enough apart to be seen one by one."""
    width, height = float(xs[-1] - xs[0]) or 1.0, float(ys[-1] - ys[0]) or 1.0
    kept = [path[0]]
    for x, y in path:
        if abs(x - kept[-1][0]) / width + abs(y - kept[-1][1]) / height >= DOTS:
            kept.append((x, y))
    return kept


def _levels(values: Any) -> Any:
    """Heights of contour lines that stand as densely in a flat valley as on its slopes."""
    import numpy

    return numpy.unique(numpy.quantile(values.compressed(), numpy.linspace(0.02, 0.98, 13)))
