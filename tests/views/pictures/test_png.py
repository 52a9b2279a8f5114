"""PNG: the same picture in pixels, or a clear word why not."""

from __future__ import annotations

import re
import struct
import sys

import pytest

from gradcalc.errors import LimitProblem, MissingExtra
from gradcalc.views.pictures import png
from gradcalc.views.pictures.drawing import draw
from gradcalc.views.pictures.svg import svg_text
from tests.views.pictures.circuits import circuit

DRAWING = draw(circuit("q = x+y; f = q*z", x=-2.0, y=5.0, z=-4.0))


def size(data: bytes) -> tuple[int, int]:
    """The width and height that a PNG declares."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])  # type: ignore[return-value]


def test_two_pixels_a_unit() -> None:
    pytest.importorskip("resvg_py")
    width, height = size(png.png_bytes([DRAWING]))
    assert abs(width - 2 * DRAWING.width) <= 2
    assert abs(height - 2 * DRAWING.height) <= 2


def test_large_pictures_have_fewer_pixels_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.setattr(png, "MANY_PIXELS", 1000.0)
    assert abs(size(png.png_bytes([DRAWING]))[0] - DRAWING.width) <= 1
    monkeypatch.setattr(png, "LONGEST", 1.5 * DRAWING.width)
    monkeypatch.setattr(png, "MANY_PIXELS", 1e6)
    assert abs(size(png.png_bytes([DRAWING]))[0] - 1.5 * DRAWING.width) <= 1


@pytest.mark.parametrize(("limit", "value"), [("LONGEST", DRAWING.width / 4), ("MOST_PIXELS", DRAWING.width * DRAWING.height / 16)])
def test_too_large_pictures_are_drawn_smaller_with_a_warning(limit: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.setattr(png, limit, value)
    warnings: list[str] = []
    width, _ = size(png.png_bytes([DRAWING], warnings.append))
    assert abs(width - DRAWING.width / 4) <= 1
    assert [re.search("drawn 4.0 times smaller", words) is not None and "-o circuit.svg" in words for words in warnings] == [True]
    monkeypatch.setattr(png, limit, value / 100)
    with pytest.raises(LimitProblem, match=f"{DRAWING.width:.0f}×{DRAWING.height:.0f} pixels") as caught:
        png.png_bytes([DRAWING])
    assert "circuit.svg" in (caught.value.remedy or "")


@pytest.mark.parametrize("package", ["resvg_py", "matplotlib"])
def test_without_the_extra_it_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"gradcalc\[pictures\]"):
        png.png_bytes([DRAWING])


def test_a_system_without_fonts_gets_letters_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    resvg = pytest.importorskip("resvg_py")
    drawn = resvg.svg_to_bytes
    monkeypatch.setattr(resvg, "svg_to_bytes", lambda **given: drawn(**given, skip_system_fonts=True))
    written = png.png_bytes([DRAWING])
    monkeypatch.setattr(png, "svg_text", lambda drawings: re.sub("<text.*?</text>", "", svg_text(drawings), flags=re.DOTALL))
    assert len(written) > 1.5 * len(png.png_bytes([DRAWING]))
