"""Circuits as PNG: the SVG, drawn by resvg (MIT, Rust, wheels for every system; CairoSVG would need a C library).

A system may have no fonts at all (a server, a container): those that matplotlib ships are there beside the system's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
"""How many pixels a side may have, and all together: most programs that show pictures refuse more."""
LEAST = 0.1
"""With fewer pixels to a unit a picture is refused: nothing of it could be made out."""


def png_bytes(drawings: Sequence[Drawing], warn: Callable[[str], None] = lambda words: None) -> bytes:
    """One PNG with a picture, or several below each other.

    Args:
        drawings: the pictures.
        warn: told in words if they had to be drawn so small that they can hardly be read.

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
    zoom = _zoom(width, height)
    if zoom < LEAST:
        raise LimitProblem(
            f"as PNG this picture would have {width:,.0f}×{height:,.0f} pixels, too many for most programs that show pictures",
            remedy="write it as -o circuit.svg, which can be enlarged; or show a part: make a named node the output",
        )
    if zoom < 1:
        warn(
            f"this picture is drawn {1 / zoom:.1f} times smaller than usual, at {width * zoom:,.0f}×{height * zoom:,.0f} pixels; "
            "-o circuit.svg can be enlarged"
        )
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return bytes(resvg_py.svg_to_bytes(svg_string=svg_text(drawings), zoom=zoom, font_dirs=[str(fonts)]))


def _zoom(width: float, height: float) -> float:
    """How many pixels a unit has: as fine as is good, but never so fine that a program could not show it."""
    wanted = max(1.0, min(FINE, math.sqrt(MANY_PIXELS / (width * height))))
    return min(wanted, LONGEST / max(width, height), math.sqrt(MOST_PIXELS / (width * height)))
