"""Wires between two columns: each reaches its rows, and no two lie upon each other."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from gradcalc.views.pictures.channels import Net, Upright, route


@st.composite
def channels(draw: st.DrawFn) -> list[Net]:
    count = draw(st.integers(1, 9))
    rows = st.lists(st.integers(0, 16), min_size=count, max_size=count, unique=True)
    lefts = draw(rows)
    rights = draw(st.lists(st.integers(0, 16), min_size=count, max_size=17, unique=True))
    nets = [[right] for right in rights[:count]]
    for right in rights[count:]:
        nets[draw(st.integers(0, count - 1))].append(right)
    return [Net(key, left, tuple(own)) for key, (left, own) in enumerate(zip(lefts, nets))]


def stretches(one: Upright, halves: list[Upright], width: int) -> list[tuple[int, int, int]]:
    """The pieces of wire across: the row, and the tracks between which it lies."""
    others = [other for other in halves if other is not one]
    found = []
    for row in one.lefts:
        before = next((other.track for other in others if other.rights == (row,) and other.track < one.track), -1)
        found.append((row, before, one.track))
    for row in one.rights:
        if not any(other.lefts == (row,) and other.track > one.track for other in others):
            found.append((row, one.track, width))
    return found


@settings(max_examples=400, deadline=None)
@given(channels())
def test_wires_reach_their_rows_and_never_lie_upon_each_other(nets: list[Net]) -> None:
    routed = route(nets)
    width = max(one.track for one in routed) + 1
    across: dict[int, list[tuple[int, int, int]]] = {}
    for net in nets:
        halves = sorted((one for one in routed if one.key == net.key), key=lambda one: one.track)
        assert halves[0].lefts == (net.left,)
        assert set(halves[-1].rights) == set(net.rights)
        for first, second in zip(halves, halves[1:]):
            assert first.rights == second.lefts
            assert first.track < second.track
        for one in halves:
            for row, start, stop in stretches(one, halves, width):
                across.setdefault(row, []).append((net.key, start, stop))
    for pieces in across.values():
        for (key, start, stop), (other, its_start, its_stop) in combinations(pieces, 2):
            assert key == other or stop < its_start or its_stop < start
    for one, other in combinations([one for one in routed if one.track >= 0], 2):
        if one.track == other.track:
            assert one.rows.stop <= other.rows.start or other.rows.stop <= one.rows.start


def test_straight_wires_need_no_track() -> None:
    assert [one.track for one in route([Net(0, 1, (1,)), Net(1, 4, (4,))])] == [-1, -1]


def test_two_that_change_places_find_a_way() -> None:
    routed = route([Net(0, 1, (4,)), Net(1, 4, (1,))])
    assert sorted(one.key for one in routed) in ([0, 0, 1], [0, 1, 1])
