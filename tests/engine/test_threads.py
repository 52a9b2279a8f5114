"""Two threads share turns: none is left out or taken twice, and what goes wrong in one ends both."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from gradcalc.engine.threads import share


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_turn_is_taken_once(count: int, threads: int) -> None:
    taken: list[int] = []
    share(lambda turns: taken.extend(turns), range(count), threads)
    assert sorted(taken) == list(range(count))


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else False, reason="one processor")
def test_two_threads_work_at_the_same_time_and_an_exception_in_either_ends_both() -> None:
    meeting = threading.Barrier(2, timeout=10)
    for culprit in (True, False):
        begun: list[int] = []

        def work(turns: Iterator[int], culprit: bool = culprit, begun: list[int] = begun) -> None:
            begun.append(next(turns))
            meeting.wait()
            if (threading.current_thread() is threading.main_thread()) is culprit:
                raise ZeroDivisionError
            for turn in turns:
                begun.append(turn)
                time.sleep(0.001)

        with pytest.raises(ZeroDivisionError):
            share(work, range(10_000))
        assert 2 <= len(begun) < 10_000
