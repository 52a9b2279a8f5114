"""Circuits as PNG: the SVG, drawn by resvg (MIT, Rust, wheels for every system; CairoSVG would need a C library)."""

from __future__ import annotations

from collections.abc import Sequence

from gradcalc.errors import DataProblem, LimitProblem, MissingExtra
from gradcalc.views.pictures.drawing import Drawing
from gradcalc.views.pictures.svg import svg_text

FINE = 2.0
"""How many pixels a unit of the SVG has."""
MANY_PIXELS = 30e6
MOST_PIXELS = 200e6
"""Pictures of more pixels have one to a unit; and those that would still be larger are refused."""


def png_bytes(drawings: Sequence[Drawing]) -> bytes:
    """One PNG with a picture, or several below each other.

    Raises:
        MissingExtra: resvg is not installed.
        LimitProblem: there would be too many pixels.
        DataProblem: the system has no fonts to write with.
    """
    try:
        import resvg_py
    except ImportError:
        raise MissingExtra("a picture as PNG", "pictures") from None
    size = max(drawing.width for drawing in drawings) * sum(drawing.height for drawing in drawings)
    if size > MOST_PIXELS:
        raise LimitProblem(
            f"as PNG this picture would have {size / 1e6:,.0f} million pixels", remedy="write it as SVG: -o circuit.svg"
        )
    if not _letters():
        raise DataProblem(
            "a PNG needs fonts, and this system has none", remedy="install some (fonts-dejavu), or write -o circuit.svg"
        )
    zoom = FINE if size * FINE**2 <= MANY_PIXELS else 1.0
    return bytes(resvg_py.svg_to_bytes(svg_string=svg_text(drawings), zoom=zoom))


def _letters() -> bool:
    """Whether resvg finds any font: without one it leaves texts out."""
    import resvg_py

    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    empty, written = (resvg_py.svg_to_bytes(svg_string=frame.format(text)) for text in ("", '<text x="2" y="15">x</text>'))
    return bytes(empty) != bytes(written)
