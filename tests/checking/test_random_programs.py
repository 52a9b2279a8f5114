"""Thousands of random programs, others in every run: no false alarm, and hardly a shrug."""

from __future__ import annotations

import random
from collections import Counter

from tests.programs import random_program, run

PROGRAMS = 2000


def test_no_random_program_is_a_mismatch_and_few_are_unsure() -> None:
    seed = str(random.SystemRandom().randrange(10**9))
    print(f"python -m tests.programs {PROGRAMS} {seed}")
    counted: Counter[str] = Counter()
    for own, text, verdict in run(PROGRAMS, seed):
        assert verdict != "mismatch", f"a false mismatch in {own}:\n{text}"
        counted[verdict] += 1
    assert counted["unsure"] <= 0.03 * PROGRAMS, f"seed {seed}: {counted}"
    assert counted["ok"] >= 0.5 * PROGRAMS, f"seed {seed}: {counted}"


def test_a_seed_repeats_its_programs() -> None:
    assert random_program(random.Random("7/1")) == random_program(random.Random("7/1"))
    assert random_program(random.Random("7/1")) != random_program(random.Random("7/2"))
