"""Sweeps on a cluster: the same batches, calculated by the workers of Dask.

What is sent is plain data: the graphs of the program by the names of their gates, and columns of numbers. A worker that dies costs
time: its batches are sent to another one.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit
from uuid import uuid4

import numpy

from gradcalc.errors import DataProblem, GradcalcError, MissingExtra, UsageProblem
from gradcalc.tables.calculation import Calculation, Numbers, part_of
from gradcalc.tables.grid import Axis, GridSource, grid_columns
from gradcalc.tables.local import LocalProcesses
from gradcalc.tables.pieces import Block, Piece
from gradcalc.tables.sweep import Done, Sweep

try:
    import dask
    from distributed import Client, KilledWorker
except ImportError:
    raise MissingExtra("a cluster", "cluster") from None

LOCAL = "local"

SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://")
"""How the addresses of clusters begin."""

CONNECT = 10.0
"""How many seconds a cluster may take to answer, and a worker to be there."""

KNOCKING = 1.0
"""How many seconds a port may refuse: the scheduler may be starting."""

PATIENCE = 30.0
"""How many seconds a cluster may be without any worker."""

LOST = 10.0
"""How many seconds a scheduler may be away."""

LEAST_WAITING, MOST_WAITING = 4, 64
"""How many batches are under way."""

KEPT = 4
"""How many programs a worker remembers."""


class Cluster:
    """A cluster that is there, or is started here; used as a context."""

    def __init__(self, address: str) -> None:
        """Connect.

        Args:
            address: tcp://HOST:PORT, or local, or local:N for N workers.

        Raises:
            DataProblem: there is no cluster, or it has no workers that can do this.
        """
        workers = _local_workers(address)
        _hush()
        warnings.filterwarnings("ignore", module="distributed")
        self.name = address
        self._local: LocalProcesses | None = None
        self._client: Any = None
        self._since: float | None = None
        dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT:g}s"})
        try:
            if workers is not None:
                self.name = "the local cluster"
                self._local = LocalProcesses(workers)
                address = self._local.address()
                if not address:
                    raise DataProblem("the local cluster can't be started")
            if not address.startswith("ucx"):
                _knock(address)
            self._client = Client(address, timeout=CONNECT, set_as_default=False)
            self._client.wait_for_workers(1, timeout=CONNECT)
            self._refuse_other_versions()
        except GradcalcError:
            self.close()
            raise
        except (OSError, TimeoutError, ValueError) as problem:
            connected = self._client is not None
            self.close()
            self._refuse(problem, connected)
        except BaseException:
            self.close()
            raise

    def _refuse(self, problem: Exception, connected: bool) -> NoReturn:
        if connected:
            raise DataProblem(f"{self.name} has no workers", remedy=f"start one: dask worker {self.name}") from None
        words = f": {problem}" if isinstance(problem, ValueError) else ""
        raise DataProblem(
            f"there is no cluster at {self.name}{words}",
            remedy="start it with dask scheduler and dask worker, or write --cluster local",
        ) from None

    def _refuse_other_versions(self) -> None:
        try:
            versions = self._client.run(_version)
        except Exception as problem:
            raise DataProblem(
                f"the workers of {self.name} can't run gradcalc: {problem}",
                remedy='install it there, too: pip install "gradcalc[cluster]"',
            ) from None
        own = _version()
        other = next((version for version in versions.values() if version != own), None)
        if other is not None:
            raise DataProblem(
                f"the workers of {self.name} have gradcalc {other[0]} with NumPy {other[1]}, and here are {own[0]} and {own[1]}",
                remedy="install the same versions, so that the numbers are the same",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Part from the cluster; end it, if it was started here."""
        client, local = self._client, self._local
        self._client = self._local = None
        try:
            if client is not None:
                with suppress(Exception):
                    client.close(timeout=5)
        finally:
            if local is not None:
                local.close()

    def finished(self, sweep: Sweep, batch: int) -> Iterator[Done]:
        """The batches of a sweep, calculated by the workers, in order."""
        key, plain = uuid4().hex, [part.plain() for part in sweep.parts]
        threads = sum(self._client.nthreads().values())
        most = min(MOST_WAITING, max(LEAST_WAITING, 2 * threads + 2))
        waiting: deque[tuple[Piece, Piece, Any, int]] = deque()

        def oldest() -> Done:
            piece, good, future, done = waiting.popleft()
            return sweep.finish(piece, good, self._result(future), done)

        with closing(sweep.source.blocks(batch)) as blocks:  # type: ignore[type-var]
            for number, block in enumerate(blocks):
                piece = sweep.read(block)
                good = piece.good()
                data = _sent(block, good)
                future = self._client.submit(calculate, key, plain, data, good.rows, key=f"gradcalc-{key}-{number}", pure=False)
                waiting.append((piece, good, future, block.done))
                if len(waiting) >= most:
                    yield oldest()
            while waiting:
                yield oldest()

    def _result(self, future: Any) -> list[Numbers]:
        from concurrent.futures import CancelledError

        while True:
            try:
                found: list[Numbers] = future.result(timeout=1.0)
                return found
            except TimeoutError:
                self._refuse_lost()
            except GradcalcError:
                raise
            except KilledWorker:
                raise DataProblem(
                    f"the workers of {self.name} died again and again over the same rows",
                    remedy="give them more memory, or smaller batches: --batch N",
                ) from None
            except (CancelledError, OSError):
                raise self._gone() from None
            except Exception as problem:
                raise DataProblem(f"a worker of {self.name} failed: {type(problem).__name__}: {problem}") from None

    def _refuse_lost(self) -> None:
        """Give up if there is no scheduler, or no worker, for long."""
        running = self._client.status == "running"
        workers = 0
        if running:
            with suppress(Exception):
                workers = len(self._client.nthreads())
        if workers:
            self._since = None
            return
        self._since = self._since or time.monotonic()
        away = time.monotonic() - self._since
        if not running and away > LOST:
            raise self._gone()
        if away > PATIENCE:
            raise DataProblem(f"{self.name} has lost all its workers", remedy="nothing was written: begin again when it has some")

    def _gone(self) -> DataProblem:
        return DataProblem(f"{self.name} went away", remedy="nothing was written: begin again when it is back")


def _hush() -> None:
    """Keep Dask from telling of what we tell ourselves."""
    for name in ("asyncio", "distributed", *logging.root.manager.loggerDict):
        if name == "asyncio" or name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _local_workers(address: str) -> int | None:
    """How many workers a local cluster is to have; None for another one."""
    from gradcalc.tables.sweep import processors

    name, colon, number = address.partition(":")
    if name == LOCAL and not colon:
        return processors()
    if name == LOCAL and number.isdecimal() and 1 <= int(number) <= 1024:
        return int(number)
    if not address.startswith(SCHEMES):
        raise UsageProblem(f"--cluster {address} is no cluster", remedy="write local, local:4, or tcp://HOST:8786")
    if None in _host_and_port(address):
        raise UsageProblem(f"--cluster {address} lacks a host or a port", remedy="write tcp://HOST:8786")
    return None


def _host_and_port(address: str) -> tuple[str | None, int | None]:
    """The parts of an address, None for one that is missing or wrong."""
    try:
        parts = urlsplit(address)
        return parts.hostname or None, parts.port
    except ValueError:
        return None, None


def _knock(address: str) -> None:
    """Find out at once whether a scheduler listens: Dask would try for long, and wait for ever for what is none.

    Raises:
        OSError: nobody listens.
        DataProblem: somebody else does.
    """
    host, port = _host_and_port(address)
    assert host is not None and port is not None
    end = time.monotonic() + KNOCKING
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=CONNECT)
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    with connection:
        # A scheduler speaks first; with other schemes there are greetings below it.
        if address.startswith("tcp://") and not _hears(connection):
            raise DataProblem(
                f"what listens at {address} is no scheduler of Dask", remedy="look at the address that dask scheduler prints"
            )


def _hears(connection: socket.socket) -> bool:
    """Whether the other side says anything."""
    try:
        return bool(connection.recv(1))
    except OSError:
        return False


def _version() -> tuple[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gradcalc"), numpy.__version__
    except PackageNotFoundError:
        return "(not installed)", numpy.__version__


# ---- what the workers do ---------------------------------------------------------------------------------------------------------


def _sent(block: Block, good: Piece) -> Any:
    """The rows as they are sent: of a grid only which they are."""
    if isinstance(block.source, GridSource):
        return tuple(tuple(axis) for axis in block.source.axes), *block.data
    return dict(good.numbers)


_calculations: dict[str, Calculation] = {}
_lock = threading.Lock()


def calculate(key: str, parts: Sequence[Mapping[str, Any]], data: Any, rows: int) -> list[Numbers]:
    """The results of some rows, on a worker.

    Args:
        key: of the sweep, by which the worker remembers its program.
        parts: see `Part.plain`.
        data: columns by name; or the axes of a grid, and from which row of it to which.
        rows: how many.
    """
    with _lock:
        if key not in _calculations:
            while len(_calculations) >= KEPT:
                del _calculations[next(iter(_calculations))]
            _calculations[key] = Calculation([part_of(part) for part in parts])
        calculation = _calculations[key]
    if isinstance(data, dict):
        columns = data
    else:
        axes, start, stop = data
        columns = grid_columns([Axis(*axis) for axis in axes], start, stop)
    return [numpy.ascontiguousarray(column) for column in calculation(columns, rows)]
