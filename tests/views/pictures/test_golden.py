"""The pictures of all examples, as drawings for a terminal of 80 columns and as SVG.

After a change of layout or style run

    GRADCALC_UPDATE=1 python -m pytest tests/views/pictures

and look at the difference: every picture of it is one that a user will see.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, run

EXAMPLES = sorted(ROOT.glob("examples/*.gc"))
GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("GRADCALC_UPDATE"))


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns without colours, in the folder above the examples."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("LC_ALL", raising=False)


def compare(text: str, path: Path) -> None:
    """Hold a picture against its golden file, or make it that."""
    if UPDATE:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_drawing_of_an_example(example: Path) -> None:
    answer = run("graph", "-f", str(example.relative_to(ROOT)), "--seed", "1", "--quiet", terminal=True)
    assert (answer.status, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    compare(answer.out, GOLDEN / f"{example.stem}.txt")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_svg_of_an_example(example: Path) -> None:
    answer = run("graph", "-f", str(example.relative_to(ROOT)), "--seed", "1", "--quiet", "--format", "svg")
    assert (answer.status, answer.err) == (0, "")
    compare(answer.out, GOLDEN / f"{example.stem}.svg")


def test_no_golden_file_is_left_behind() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {path.stem for path in EXAMPLES}
