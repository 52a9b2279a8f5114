"""How the benchmarks take time: several runs in turn, the best of each, and ratios within one run."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any


def best_of(work: Callable[[], Any], repeat: int = 5) -> float:
    """The least time of several, in seconds; the garbage collector is as every program has it."""
    least = float("inf")
    for _ in range(repeat):
        gc.collect()
        start = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - start)
    return least


def process_seconds(command: Sequence[str]) -> float:
    """How long one process takes, output thrown away. Python may write its bytecode, as it does for users."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False)
    return time.perf_counter() - start


def process_ratio(ours: Sequence[str], peer: Sequence[str], runs: int = 15) -> tuple[float, float, float]:
    """The median times of two commands, run in turn, and the median of their ratios pair by pair."""
    process_seconds(ours), process_seconds(peer)
    pairs = [(process_seconds(ours), process_seconds(peer)) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )
