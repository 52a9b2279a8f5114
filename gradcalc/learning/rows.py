"""The rows of a data set: which are learned from and which are held out, in which order, in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gradcalc.errors import UsageProblem

SPLIT = 3
SHUFFLE = 4
"""What is drawn from a seed, each kind from a stream of its own."""


class Split(NamedTuple):
    """Row numbers: those that are learned from, and those that are held out."""

    training: Any
    held_out: Any


def generator(*seed: int) -> Any:
    """A generator of random numbers that depends on nothing but these."""
    import numpy

    return numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(seed)))


def split(count: int, share: float, seed: int) -> Split:
    """Hold out this share of the rows (rounded, at least one if it is not 0), drawn by the seed.

    Raises:
        UsageProblem: no row would be left.
    """
    import numpy

    if not share:
        return Split(numpy.arange(count), numpy.arange(0))
    held = max(1, round(count * share))
    if held >= count:
        raise UsageProblem(
            f"--validate {share:g} holds out {held} of {count} row{'' if count == 1 else 's'}: none is left to learn from",
            remedy="hold out fewer, or give more rows",
        )
    order = generator(seed, SPLIT).permutation(count)
    return Split(numpy.sort(order[held:]), numpy.sort(order[:held]))


def order(training: Any, seed: int, epoch: int, shuffled: bool) -> Any:
    """The rows in the order of one epoch, counted from 0.

    A shuffle depends on the seed and the epoch alone, so that a run that was interrupted goes on with the same one.
    """
    return generator(seed, SHUFFLE, epoch).permutation(training) if shuffled else training


def fingerprint(columns: Mapping[str, Any]) -> int:
    """A number that tells one data set from another."""
    import zlib

    import numpy

    total = 0
    for name in sorted(columns):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(numpy.ascontiguousarray(columns[name]).tobytes(), total)
    return total
