"""Start-up: whole processes against processes that only import the libraries that must be there."""

from __future__ import annotations

import os
import pty
import shutil
import sys
import time
from collections.abc import Sequence

from tests.benchmarks.timing import process_ratio

QUOTIENT = ["(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4"]


def command() -> list[str]:
    """The installed command of this environment."""
    found = shutil.which("gradcalc", path=os.path.dirname(sys.executable))
    return [found] if found else [sys.executable, "-m", "gradcalc"]


def on_a_terminal(arguments: Sequence[str]) -> float:
    """How long a process takes whose output is a terminal."""

    def read(descriptor: int) -> bytes:
        return os.read(descriptor, 65536)

    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    child, descriptor = pty.fork()
    if child == 0:
        os.execve(arguments[0], list(arguments), environment | {"TERM": "xterm-256color", "COLUMNS": "100"})
    try:
        while read(descriptor):
            pass
    except OSError:
        pass
    os.waitpid(child, 0)
    os.close(descriptor)
    return time.perf_counter() - start


def measure() -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio and target."""
    python = sys.executable
    rows = []
    for name, ours, imports, target in (
        ("eval --value", ["eval", *QUOTIENT, "--value"], "click, lark", "≤ 1.2"),
        ("--help", ["--help"], "click", "≤ 1.2"),
        ("a usage error", ["eval", "a*b", "--format", "xml"], "click", "≤ 1.2"),
        ("eval, piped", ["eval", *QUOTIENT], "click, lark, rich.console, rich.table", "≤ 1.2"),
    ):
        _, _, ratio = process_ratio([*command(), *ours], [python, "-c", f"import {imports}"])
        rows.append((name, f"importing {imports}", ratio, target))
    ours = [*command(), "eval", *QUOTIENT]
    peer = [python, "-c", "import click, lark, rich.console, rich.table"]
    on_a_terminal(ours), on_a_terminal(peer)
    ratios = sorted(on_a_terminal(ours) / on_a_terminal(peer) for _ in range(15))
    rows.append(("eval, table on a terminal", "importing click, lark, rich.console, rich.table", ratios[7], "≤ 1.2"))
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
