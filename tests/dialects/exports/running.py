"""Runs exported sources: Python here or as a process, C through a compiler."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from gradcalc.formula import Formula
from gradcalc.studies.exports import source

WARNINGS = ("-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror")


def compiler() -> str:
    """The C compiler; without one, the test is skipped."""
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        pytest.skip("there is no C compiler")
    return found


def compiled(text: str, folder: Path) -> Path:
    """A program from C source, which must give no warning."""
    path = folder / "source.c"
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [compiler(), *WARNINGS, "-O0", str(path), "-o", str(folder / "program"), "-lm"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:2000]
    return folder / "program"


def ran(command: Sequence[str | Path]) -> str:
    """What a program prints that finds its own numbers right, and has nothing to complain of."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    wrong = "\n".join(line for line in done.stdout.splitlines() if line.startswith("#") or "OFF" in line)
    assert done.returncode == 0, (wrong or done.stdout)[:2000] + done.stderr[-2000:]
    assert done.stderr == ""
    assert "OFF" not in done.stdout
    return done.stdout


def run(formulas: Sequence[Formula], target: str, folder: Path) -> str:
    """Export formulas into one file and run it."""
    text = source(formulas, target)
    if target == "c":
        return ran([compiled(text, folder)])
    path = folder / f"{target}_source.py"
    path.write_text(text, "utf-8")
    return ran([sys.executable, path])


def loaded(text: str, folder: Path) -> ModuleType:
    """Python source as a module."""
    path = folder / "exported.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
