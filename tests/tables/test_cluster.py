"""Sweeps on a cluster: the same bytes, also when a worker dies; an error when the cluster does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.harness import COMMAND, ROOT, run, written_files

cluster = pytest.importorskip("gradcalc.tables.cluster", exc_type=Exception)
psutil = pytest.importorskip("psutil")

SWEEP = (*COMMAND, "sweep", "sin(a*x)*exp(-y)", "--a", "2", "--x", "0..3:300", "--y", "0..1:200", "--batch", "300", "-o")
"""Two hundred batches."""


def started(target: Path, address: str) -> subprocess.Popen[bytes]:
    """A sweep on a cluster that has written something, and has not ended."""
    running = subprocess.Popen([*SWEEP, str(target), "--cluster", address], stderr=subprocess.PIPE, cwd=ROOT)
    deadline = time.monotonic() + 60
    while not written_files(running.pid, target.parent):
        assert running.poll() is None and time.monotonic() < deadline, running.stderr and running.stderr.read()
        time.sleep(0.01)
    return running


def workers(process: int) -> list[int]:
    """The processes of a cluster's workers."""
    children = psutil.Process(process).children(recursive=True)
    return [child.pid for child in children if any("spawn_main" in word for word in child.cmdline())]


@pytest.fixture
def expected(tmp_path: Path) -> bytes:
    """What the sweep comes to without a cluster."""
    assert subprocess.run([*SWEEP, str(tmp_path / "here.csv")], cwd=ROOT, check=False).returncode == 0
    return (tmp_path / "here.csv").read_bytes()


def test_a_worker_that_is_killed_costs_no_rows(tmp_path: Path, expected: bytes) -> None:
    target = tmp_path / "there" / "out.csv"
    target.parent.mkdir()
    with started(target, "local:2") as running:
        first, *others = workers(running.pid)
        assert len(others) == 1
        os.kill(first, signal.SIGKILL)
        assert not target.exists()
        assert running.stderr is not None
        assert (running.wait(60), running.stderr.read()) == (0, b"")
    assert target.read_bytes() == expected
    assert not any(psutil.pid_exists(number) for number in others)


def test_a_cluster_that_goes_away_is_told(tmp_path: Path, expected: bytes) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gradcalc.tables.local", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as there:
        assert there.stdout is not None
        address = there.stdout.readline().decode().strip()
        target = tmp_path / "there" / "out.csv"
        target.parent.mkdir()
        whole = subprocess.run([*SWEEP, str(target), "--cluster", address], cwd=ROOT, capture_output=True, check=False)
        assert (whole.returncode, whole.stderr) == (0, b"")
        assert target.read_bytes() == expected
        target.unlink()
        with started(target, address) as running:
            there.kill()
            assert running.stderr is not None
            assert running.wait(60) == 2
            assert (
                running.stderr.read()
                == f"error: {address} went away\n  nothing was written: begin again when it is back\n".encode()
            )
    assert list(target.parent.iterdir()) == []


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.3)
    answer = run("sweep", "x", "--x", "0..1:5", "--cluster", "tcp://127.0.0.1:1")
    assert answer.status == 2
    assert answer.err.startswith("error: there is no cluster at tcp://127.0.0.1:1\n")


def test_what_listens_may_be_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        answer = run("sweep", "x", "--x", "0..1:5", "--cluster", address)
    assert answer.status == 2
    assert answer.err.startswith(f"error: what listens at {address} is no scheduler of Dask\n")


def test_the_extra_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "gradcalc.tables.cluster")
    answer = run("sweep", "x", "--x", "0..1:5", "--cluster", "local")
    assert answer.status == 2
    assert 'pip install "gradcalc[cluster]"' in answer.err
