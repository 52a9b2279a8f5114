"""Saved runs: read back as they were, replaced whole or not at all, refused where they do not fit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy
import pytest

from gradcalc.errors import DataProblem, UsageProblem
from gradcalc.learning import checkpoint
from gradcalc.learning.checkpoint import Checkpoint, fitting, load, ordered, save
from gradcalc.learning.training import Epoch, State

SETTINGS: dict[str, Any] = {"method": "adam", "rate": 0.1, "seed": 3, "batch": 5, "shuffle": True, "validate": 0.2, "data": 77}
W = numpy.array([[0.1, 1 / 3], [1e-300, -2.0]])
RUN = Checkpoint(
    ("W", "b"),
    State(2, 3, 17, [W, 0.1 + 0.2], ([W / 7, 1 / 9], [W * W, 0.5]), 12.3456789012345678, 15),
    (Epoch(1, 0.9, 1.1, (0.5, 7.0)), Epoch(2, 0.8, 1.0, (0.6, 8.0))),
    2.5,
    SETTINGS,
)


def same(first: State, second: State) -> None:
    """Two states are the same to the last bit."""
    assert first[:3] == second[:3] and first[5:] == second[5:]
    for one, other in zip([first.values, *first.memory], [second.values, *second.memory], strict=True):
        for a, b in zip(one, other, strict=True):
            assert type(a) is type(b)
            numpy.testing.assert_array_equal(a, b)


def test_a_run_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    path = str(tmp_path / "run.npz")
    save(path, RUN)
    found = load(path)
    same(found.state, RUN.state)
    assert found._replace(state=RUN.state) == RUN
    with numpy.load(path) as archive:
        numpy.testing.assert_array_equal(archive["W"], W)
        assert archive["b"].shape == ()


def test_parameters_may_come_in_another_order(tmp_path: Path) -> None:
    state = ordered(RUN, ["b", "W"])
    assert state.values[0] == RUN.state.values[1]
    numpy.testing.assert_array_equal(state.memory[0][1], W / 7)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    save(str(path), RUN)
    before = path.read_bytes()

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(str(path), RUN._replace(start=0.0))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.npz"]


def test_a_file_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "run.npz", tmp_path / "link.npz"
    save(str(path), RUN)
    path.chmod(0o600)
    link.symlink_to(path)
    save(str(link), RUN)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_nobody_can_write_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="can't be written"):
        save(str(tmp_path / "nowhere" / "run.npz"), RUN)


def test_other_files_are_no_runs_and_nothing_in_them_is_run(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    numpy.savez(path, W=W)
    with pytest.raises(DataProblem, match="holds no training run"):
        load(str(path))
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataProblem, match="damaged"):
        load(str(path))
    path.write_bytes(pickle.dumps({"W": 1}))
    with pytest.raises(DataProblem, match="damaged"):
        load(str(path))
    save(str(path), RUN)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataProblem, match="damaged"):
        load(str(path))


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (["W", "c"], {}, "is a run over W, b, and this one is over W, c"),
        (["W", "b"], {"seed": 4}, "was run with --seed 3, and this is --seed 4"),
        (["W", "b"], {"validate": 0.1}, "--validate 0.2"),
        (["W", "b"], {"method": "gradient"}, "--method adam"),
        (["W", "b"], {"batch": 6}, "was run with --batch 5, and this is --batch 6"),
    ],
)
def test_a_run_of_another_kind_is_not_gone_on_from(names: list[str], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        fitting("run.npz", RUN, names, [W, 0.0], SETTINGS | settings)


def test_other_shapes_are_refused_and_other_data_told() -> None:
    with pytest.raises(UsageProblem, match=r"W has shape 2×2 in run.npz, and 3 in this program"):
        fitting("run.npz", RUN, ["W", "b"], [numpy.zeros(3), 0.0], SETTINGS)
    assert fitting("run.npz", RUN, ["W", "b"], [W, 0.0], SETTINGS | {"rate": 0.2}) == []
    assert fitting("run.npz", RUN, ["W", "b"], [W, 0.0], SETTINGS | {"data": 1}) == ["the data are not those of the saved run"]
