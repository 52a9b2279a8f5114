"""Wires between two columns of a drawing made of characters: which goes up or down where, so that none lies upon another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Net(NamedTuple):
    """One wire between two columns: the row it leaves the left column in, and those in which it enters the right one."""

    key: int
    left: int
    rights: tuple[int, ...]


class Upright(NamedTuple):
    """A stretch of a wire that goes up or down in a track, and the rows in which it comes from the left and goes on to the right.

    Tracks count from 0 at the left; a straight wire has none, and the track -1.
    """

    key: int
    track: int
    lefts: tuple[int, ...]
    rights: tuple[int, ...]

    @property
    def rows(self) -> range:
        """All rows that it touches."""
        ends = (*self.lefts, *self.rights)
        return range(min(ends), max(ends) + 1)


def route(nets: Sequence[Net]) -> list[Upright]:
    """Give every wire a track.

    A wire whose left row is a right row of another must turn before the other does; where such demands form a circle, one wire
    takes a way round through a row that is free.
    """
    routed = [Upright(net.key, -1, (net.left,), net.rights) for net in nets if net.rights == (net.left,)]
    waiting = [Upright(net.key, 0, (net.left,), net.rights) for net in nets if net.rights != (net.left,)]
    taken = {row for net in nets for row in (net.left, *net.rights)}
    waiting.sort(key=_order)
    placed: list[Upright] = []
    while waiting:
        ready = next((one for one in waiting if not _before(one, waiting)), None)
        if ready is None:
            first = waiting.pop(0)
            row = _free_row(first.rows, taken)
            taken.add(row)
            waiting[:0] = [Upright(first.key, 0, first.lefts, (row,)), Upright(first.key, 0, (row,), first.rights)]
            continue
        waiting.remove(ready)
        placed.append(ready._replace(track=_track(ready, placed)))
    return routed + placed


def _order(one: Upright) -> tuple[int, int]:
    """Wires that go down turn the earlier the lower they are, those that go up the earlier the higher: so they cross least."""
    down = sum(one.rights) / len(one.rights) > one.lefts[0]
    return (0, -one.lefts[0]) if down else (1, one.lefts[0])


def _before(one: Upright, others: Iterable[Upright]) -> bool:
    """Whether one of the others must turn before this one does."""
    return any(_turns_before(other, one) for other in others if other is not one)


def _turns_before(one: Upright, other: Upright) -> bool:
    if one.key == other.key:
        return one.rights == other.lefts  # the two halves of a way round
    return bool(set(one.lefts) & set(other.rights))


def _track(one: Upright, placed: Iterable[Upright]) -> int:
    """The first track in which there is room, behind all that must turn before, and those that it would cross otherwise."""
    least = 0
    full: dict[int, list[range]] = {}
    for other in placed:
        if _turns_before(other, one) or (_order(other)[0] == _order(one)[0] and _overlap(other.rows, one.rows)):
            least = max(least, other.track + 1)
        full.setdefault(other.track, []).append(other.rows)
    track = least
    while any(_overlap(one.rows, rows) for rows in full.get(track, ())):
        track += 1
    return track


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _free_row(near: range, taken: set[int]) -> int:
    """The row nearest to the middle of a stretch that no wire uses."""
    middle = (near.start + near.stop) // 2
    for distance in range(len(taken) + len(near) + 1):
        for row in (middle + distance, middle - distance):
            if row not in taken and row >= 0:
                return row
    raise AssertionError("there are more rows than wires")
