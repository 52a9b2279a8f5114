"""Make the picture of a circuit for the README: what `gradcalc graph` draws of an example.

    python examples/pictures/circuit.py

A test holds that the picture is the one that this script makes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "14-eight-gate-sigmoid.gc"
PICTURE = HERE / "circuit.svg"


def draw(path: Path) -> None:
    """Write the picture to a file."""
    subprocess.run([sys.executable, "-m", "gradcalc", "graph", "-f", str(EXAMPLE), "-o", str(path)], check=True)


if __name__ == "__main__":
    draw(PICTURE)
