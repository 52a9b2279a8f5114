"""Make the pictures of the README: run a command on a terminal of its own, and draw what it printed as SVG.

    python examples/pictures/record.py

A test holds that the pictures are those that this script makes.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 108
PICTURES = {
    "quotient": ["(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4"],
}
"""For each picture the arguments of the command."""
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
"""Rich's own form of a picture, without the fonts that it would have a reader's browser fetch."""


def on_a_terminal(arguments: list[str]) -> str:
    """What the command prints on a terminal, escape sequences and all."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "gradcalc", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    process.wait()
    os.close(ours)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def quoted(argument: str) -> str:
    """An argument as it is typed."""
    return argument if re.fullmatch(r"[\w.=-]+", argument) else f'"{argument}"'


def picture(name: str) -> str:
    """The SVG of one picture."""
    arguments = PICTURES[name]
    typed = "gradcalc " + " ".join(map(quoted, arguments))
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text(f"$ {typed}", style="bold"))
        console.print(Text.from_ansi(on_a_terminal(arguments)))
        return console.export_svg(title="gradcalc", theme=MONOKAI, unique_id=name, code_format=FORMAT)


def main() -> None:
    """Write every picture beside this script."""
    for name in PICTURES:
        (HERE / f"{name}.svg").write_text(picture(name), "utf-8")


if __name__ == "__main__":
    main()
