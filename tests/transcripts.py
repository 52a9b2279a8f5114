"""Console sessions in documents: `$ command` lines and what they print, run again and compared.

`python -m tests.transcripts README.md` runs them and writes down what they print now; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Session(NamedTuple):
    """One command of a document, and the output that stands below it."""

    command: str
    output: str


def sessions(text: str) -> list[Session]:
    """The commands in the ```console blocks of a Markdown text."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Session(command, output))
    return found


def run(command: str) -> str:
    """What a command prints, both streams together, with this environment's gradcalc first in the path."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def settled(text: str) -> str:
    """A text without what depends on the machine's mathematical library: error bars, and how many digits agree."""
    text = re.sub(r" *±\S+", " ±", text)
    text = re.sub(r"\d+ digits", "N digits", text)
    return re.sub(r" +(?=[✓∧⊢?✗–]|verdict)", " ", text)


def renew(path: Path) -> None:
    """Write down what the sessions of a document print now."""
    text = path.read_text("utf-8")
    for command, output in sessions(text):
        text = text.replace(
            f"$ {command}\n{output}", f"$ {command}\n{run(command).rstrip(chr(10))}\n" + "\n" * output.endswith("\n\n")
        )
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        renew(Path(name))
