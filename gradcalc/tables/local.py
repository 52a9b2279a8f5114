"""A Dask cluster on this computer, in processes of its own: `python -m gradcalc.tables.local WORKERS`.

It tells its address on standard output, and lives until standard input ends: so it never outlives those who started it, however
they end, and Ctrl-C on their terminal does not reach it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PATIENCE = 5.0
"""How many seconds a cluster may take to end by itself."""


class LocalProcesses:
    """A cluster that was started here."""

    def __init__(self, workers: int) -> None:
        """Begin to start it; `address` waits until it is there."""
        places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        )

    def address(self) -> str:
        """Where it listens; empty if it can't be started."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except BaseException as problem:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if not isinstance(problem, subprocess.TimeoutExpired):
                raise
        self._process.stdout.close()


def main() -> None:
    """Start a cluster, and end it when standard input ends."""
    from tempfile import TemporaryDirectory

    from distributed import LocalCluster

    with (
        TemporaryDirectory(prefix="gradcalc-", ignore_cleanup_errors=True) as scratch,
        LocalCluster(
            n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address="127.0.0.1:0", local_directory=scratch
        ) as cluster,
    ):
        print(cluster.scheduler_address, flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
