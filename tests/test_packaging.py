"""The package as users install it: a wheel that holds all it needs, and runs from a place that nobody can write to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.transcripts import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, without permission to write."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    zipfile.ZipFile(wheel).extractall(target)
    for path in [target, *target.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return target


def run(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment).stdout


def test_the_wheel_holds_the_grammar_its_tables_and_the_types(installed: Path) -> None:
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {"gradcalc/grammars/gradcalc.lark", "gradcalc/grammars/gradcalc.tables.json", "gradcalc/py.typed"} <= names


def test_the_wheel_holds_what_pages_are_made_of(installed: Path, tmp_path: Path) -> None:
    names = {path.name for path in (installed / "gradcalc/views/pictures/assets").iterdir()}
    assert {"page.html", "page.css", "page.js", "dagre.min.js", "dagre.LICENSE.txt"} <= names
    run(installed, tmp_path, "-m", "gradcalc", "graph", "sigmoid(x)", "--x", "1", "-o", str(tmp_path / "x.html"))
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")


def test_an_installed_gradcalc_evaluates(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "-m", "gradcalc", "(a+b)/(c+d)", "--a=1", "--b=2", "--c=3", "--d=4", "--value") == (
        "0.42857142857142855\n"
    )
    where = run(installed, tmp_path, "-c", "from gradcalc.language import tables; print(tables.folder())")
    assert Path(where.strip()) == installed / "gradcalc/grammars"


def test_the_grammar_serves_where_its_tables_are_lost(installed: Path, tmp_path: Path) -> None:
    code = "import gradcalc; from gradcalc.language import tables; tables.read = lambda path: None\n"
    code += "print(gradcalc.parse('2^3').evaluate().value)"
    assert run(installed, tmp_path, "-c", code) == "8.0\n"
