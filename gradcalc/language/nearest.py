"""The nearest of several names: what a user probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a slip of the fingers may have turned into `name`, or None if none is close.

    Another case alone is always close. Names under three letters are close to nothing else: every other short name would be.
    """
    lowered = name.lower()
    allowed = 0 if len(name) < 3 else 1 if len(name) < 5 else 2 if len(name) < 9 else 3
    best: tuple[int, bool, int, str] | None = None
    longer: list[str] = []
    for candidate in candidates:
        if len(name) > 2 and candidate.lower().startswith(lowered) and candidate != name:
            longer.append(candidate)
        if candidate == name or abs(len(candidate) - len(name)) > allowed:
            continue
        edits = 0 if candidate.lower() == lowered else distance(lowered, candidate.lower(), allowed)
        if edits <= allowed and edits < max(len(name), len(candidate)):
            prefix = lowered.startswith(candidate.lower()) or candidate.lower().startswith(lowered)
            rank = (edits, not prefix, abs(len(candidate) - len(name)), candidate)
            if best is None or rank < best:
                best = rank
    if best is not None:
        return best[3]
    # The beginning of exactly one name means that name.
    return longer[0] if len(longer) == 1 else None


def distance(first: str, second: str, limit: int) -> int:
    """The Damerau-Levenshtein distance (swapped neighbours count once), or `limit` + 1 where it is larger than the limit."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        current = [i]
        for j, other in enumerate(second, 1):
            cost = min(row[j] + 1, current[-1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, row = row, current
    return min(row[-1], limit + 1)
