"""Two threads that share the blocks of one computation: NumPy computes without holding Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

THREADS = 2

Turn = TypeVar("Turn")


def share(work: Callable[[Iterator[Turn]], None], turns: Sequence[Turn], threads: int = THREADS) -> None:
    """Have every turn taken by one of the threads.

    Args:
        work: is called once by each thread, and takes turns until there are none.
        turns: what is to be done, in the order in which it is begun.
        threads: 1 leaves all to the thread that calls.

    Raises:
        Exception: what `work` raises; turns that are not begun by then are left.
    """
    taken = count()
    stopped = False

    def left() -> Iterator[Turn]:
        # A count is taken from in one step, so no turn is taken twice.
        for turn in taken:
            if stopped or turn >= len(turns):
                return
            yield turns[turn]

    def take() -> None:
        nonlocal stopped
        try:
            work(left())
        except BaseException:
            stopped = True
            raise

    helpers = _helpers() if threads > 1 and len(turns) > 1 else None
    other = helpers.submit(take) if helpers is not None else None
    try:
        take()
    finally:
        # What the other thread has not begun by now is no longer needed.
        if other is not None and not other.cancel():
            other.result()


_pool: list[ThreadPoolExecutor] = []


def _helpers() -> ThreadPoolExecutor | None:
    """The other threads; None where there is one processor."""
    own = getattr(os, "sched_getaffinity", None)
    if (len(own(0)) if own is not None else os.cpu_count() or 1) < THREADS:
        return None
    if not _pool:
        _pool.append(ThreadPoolExecutor(THREADS - 1, "gradcalc"))
    return _pool[0]


if hasattr(os, "register_at_fork"):
    # The threads of a process do not follow into its children.
    os.register_at_fork(after_in_child=_pool.clear)
