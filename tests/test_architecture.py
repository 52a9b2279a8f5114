"""The house: imports point one way from room to room, and libraries stay in the rooms that are made for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gradcalc"
FLOORS = [
    {"errors", "graph"},
    {"gates"},
    {"language", "calculus", "dialects"},
    {"engine"},
    {"checking"},
    {"learning", "tables", "uncertainty"},
    {"answering", "aspects", "formula", "results", "workspace"},
    {"studies"},
    {"views"},
    {"programs"},
    {"repl"},
    {"cli", "__init__", "__main__"},
]
"""From the ground up: a room imports from its own floor and from those below."""

ONLY_IN = {
    "click": {"cli"},
    "dask": {"tables"},
    "distributed": {"tables"},
    "graphlay": {"views"},
    "lark": {"language"},
    "llvmlite": {"engine"},
    "matplotlib": {"views"},
    "mpmath": {"checking"},
    "plotext": {"views"},
    "prompt_toolkit": {"repl"},
    "pyarrow": {"tables"},
    "resvg_py": {"views"},
    "rich": {"views"},
    "scipy": {"learning"},
}
"""Libraries with a room of their own."""

FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The room that a file is in: a folder, or a module on the top level."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports at run time, also inside functions."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_its_own_floor_and_below(path: Path) -> None:
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "gradcalc" and len(parts) > 1:
            known = any(parts[1] in rooms for rooms in FLOORS)
            assert not known or floor(parts[1]) <= floor(room(path)), module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_imported_only_in_its_own_room(path: Path) -> None:
    for module in imports(path):
        rooms = ONLY_IN.get(module.split(".")[0])
        assert rooms is None or room(path) in rooms, module


def test_every_room_has_a_floor() -> None:
    for path in FILES:
        floor(room(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
