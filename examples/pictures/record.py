"""Make the pictures of the README: run a command on a terminal of its own, and draw what it printed as SVG.

A session is played key by key, and the picture is the screen as it is at the end.

    python examples/pictures/record.py

A test holds that the pictures are those that this script makes.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[2]))
from examples.pictures.terminal import Terminal

HERE = Path(__file__).parent
COLUMNS = 108
PICTURES = {
    "quotient": ["(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4"],
}
"""For each picture the arguments of the command."""
SESSIONS = {
    "repl": [
        ("a = 1; b = 2; c = 3; d = 4\r", "d = 4"),
        ("(a + b)/(c + d)\r", "✓ ok"),
        ("c = 7\r", "0.2727"),
        ("swish(u) = u*sigmoid(u)\r", "gate now"),
        ("swish(\r  2*a + c\r)\r", "8.99"),
        ("2a + c\r", "write 2*a"),
        ("_/max(sig\t", "logistic"),
    ],
}
"""For each picture of a session what is typed, piece by piece, and what is on the screen when the next may follow."""
ROWS = 30
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


def played(keys: list[tuple[str, str]]) -> list[Text]:
    """The lines of the screen after a session in which these keys were typed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"GRADCALC_HISTORY": f"{folder}/history"}
        with Terminal([sys.executable, "-m", "gradcalc"], COLUMNS, ROWS, environment) as terminal:
            terminal.wait("0 statements")
            for typed, awaited in keys:
                terminal.type(typed)
                terminal.wait(awaited)
            return [_line(terminal.screen.buffer[row]) for row in range(ROWS)]


def _line(cells: Any) -> Text:
    """A line of the screen with its colours."""
    text = Text()
    for look, run in groupby((cells[column] for column in range(COLUMNS)), key=lambda cell: cell[1:]):
        foreground, background, bold, italic, underline, _, reverse = look[:7]
        style = " ".join(
            word for word, on in (("bold", bold), ("italic", italic), ("underline", underline), ("reverse", reverse)) if on
        )
        colour, behind = _colour(foreground), _colour(background)
        style += f" {colour}" * bool(colour) + f" on {behind}" * bool(behind)
        text.append("".join(cell.data for cell in run), style.strip() or None)
    return text


def _colour(name: str) -> str:
    """A colour of the terminal in Rich's words."""
    if name == "default":
        return ""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))


def quoted(argument: str) -> str:
    """An argument as it is typed."""
    return argument if re.fullmatch(r"[\w.=-]+", argument) else f'"{argument}"'


def picture(name: str) -> str:
    """The SVG of one picture."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        if name in SESSIONS:
            console.print(Text("$ gradcalc", style="bold"))
            for line in played(SESSIONS[name]):
                console.print(line, soft_wrap=True)
        else:
            arguments = PICTURES[name]
            typed = "gradcalc " + " ".join(map(quoted, arguments))
            console.print(Text(f"$ {typed}", style="bold"))
            console.print(Text.from_ansi(on_a_terminal(arguments)))
        return console.export_svg(title="gradcalc", theme=MONOKAI, unique_id=name, code_format=FORMAT)


def main() -> None:
    """Write the pictures that are named, or every one, beside this script."""
    for name in sys.argv[1:] or [*PICTURES, *SESSIONS]:
        (HERE / f"{name}.svg").write_text(picture(name), "utf-8")


if __name__ == "__main__":
    main()
