"""Circuits as PNG: the SVG, drawn by resvg (MIT, Rust, wheels for every system; CairoSVG would need a C library).

A system may have no fonts at all (a server, a container): those that matplotlib ships are there beside the system's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradcalc.errors import LimitProblem, MissingExtra
from gradcalc.views.pictures.drawing import Drawing
from gradcalc.views.pictures.svg import svg_text

FINE = 2.0
"""How many pixels a unit of the SVG has."""
MANY_PIXELS = 30e6
"""Pictures of more pixels have fewer to a unit, down to one."""
LONGEST = 16_000
MOST_PIXELS = 100e6
"""What has a longer side with one pixel to a unit, or more pixels, is refused: most programs that show pictures refuse it, too, and
with less than one pixel to a unit nothing could be read."""


def png_bytes(drawings: Sequence[Drawing]) -> bytes:
    """One PNG with a picture, or several below each other.

    Raises:
        MissingExtra: resvg, or matplotlib with its fonts, is not installed.
        LimitProblem: there would be too many pixels.
    """
    try:
        import matplotlib
        import resvg_py
    except ImportError:
        raise MissingExtra("a picture as PNG", "pictures") from None
    width, height = max(drawing.width for drawing in drawings), sum(drawing.height for drawing in drawings)
    if max(width, height) > LONGEST or width * height > MOST_PIXELS:
        raise LimitProblem(
            f"as PNG this picture would have {width:,.0f}×{height:,.0f} pixels, too many for most programs that show pictures",
            remedy="write it as -o circuit.svg or as a page, -o circuit.html; or show a part: make a named node the output",
        )
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    zoom = max(1.0, min(FINE, LONGEST / max(width, height), (MANY_PIXELS / (width * height)) ** 0.5))
    return bytes(resvg_py.svg_to_bytes(svg_string=svg_text(drawings), zoom=zoom, font_dirs=[str(fonts)]))
