"""The file after -o: replaced whole or not at all, whatever the system can do."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import run


def written(path: Path) -> None:
    assert run("1+1", "--value", "-o", str(path)).status == 0
    assert path.read_text() == "2\n"
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("command", [["1+1", "--value"], ["sweep", "x^2", "--x", "0..1:2"], ["export", "a*b", "--to", "python"]])
def test_a_dash_stands_for_standard_output(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*command, "-o", "-").out == run(*command).out != ""
    assert not list(tmp_path.iterdir())


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_keeps_its_target(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "out.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(folder / "out.txt")
    assert run("1+1", "--value", "-o", str(tmp_path / "link.txt")).status == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert (folder / "out.txt").read_text() == "2\n"


def test_where_files_need_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    written(tmp_path / "out.txt")
    assert run("x", "--value", "-o", str(tmp_path / "other.txt")).status == 2
    assert [one.name for one in tmp_path.iterdir()] == ["out.txt"]


def test_where_files_can_be_given_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **keywords: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    written(tmp_path / "out.txt")


@pytest.mark.parametrize(
    ("command", "name", "remedy"),
    [
        ("train", "m.npz", "write --save m.npz: that keeps what was learned as arrays"),
        ("optimize", "m.npz", "name a file .txt or .csv or .json"),
        ("fit", "f.PNG", "name a file .txt or .csv or .json; pictures are drawn by gradcalc plot and gradcalc graph"),
        ("grad", "g.pdf", "name a file .txt or .json; pictures are drawn by gradcalc plot and gradcalc graph"),
    ],
)
def test_text_has_no_name_of_another_kind_of_file(command: str, name: str, remedy: str) -> None:
    answer = run(command, "x^2", "--x", "1", "-o", name)
    promised = "arrays" if name.endswith("npz") else "a picture"
    assert answer == (2, "", f"error: -o {name}: its name promises {promised}, and the results are text\n  {remedy}\n")
