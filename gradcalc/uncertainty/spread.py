"""Which inputs are uncertain, by how much, and how they are correlated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.errors import BindingProblem, ShapeProblem, UsageProblem

NEGATIVE = 1e-12
"""How far below zero an eigenvalue may come out of rounding, for each row of the matrix."""

MOST_CORRELATED = 1000
"""So many quantities may be correlated with each other."""


class Member(NamedTuple):
    """An uncertain input as a correlation names it: the whole of it, or one element."""

    name: str
    place: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return self.name if self.place is None else f"{self.name}[{', '.join(map(str, self.place))}]"


class Correlation(NamedTuple):
    """A correlation of two uncertain inputs; of two arrays, of each element of the one with the same element of the other."""

    first: Member
    second: Member
    value: float

    def __str__(self) -> str:
        return f"{self.first},{self.second}={self.value:g}"


class Element(NamedTuple):
    """One uncertain number: an input, or one element of an array by its place in the flattened array."""

    name: str
    place: int | None


class Spread:
    """The uncertain inputs of a program.

    Attributes:
        errors: the standard uncertainty of each by name: a float, or an array of the input's shape.
        partners: for each element that is correlated with others these, and the correlations.
    """

    def __init__(self, errors: Mapping[str, Any], correlations: Sequence[Correlation] = ()) -> None:
        """Take standard uncertainties by name, and correlations between them.

        Raises:
            GradcalcError: a correlation names what is not uncertain, or no quantities can be correlated like this.
        """
        self.errors = dict(errors)
        self.partners: dict[Element, dict[Element, float]] = {}
        for correlation in correlations:
            self._enter(correlation)
        if self.partners:
            self._refuse_impossible(correlations)

    def elements(self, name: str) -> Iterator[tuple[Element, float]]:
        """The uncertain numbers of an input, each with its standard uncertainty; what is exact is left out."""
        error = self.errors[name]
        if isinstance(error, float):
            if error:
                yield Element(name, None), error
            return
        for place, one in enumerate(error.ravel().tolist()):
            if one:
                yield Element(name, place), one

    def clusters(self) -> list[list[Element]]:
        """The elements that are correlated, those together that are so with each other, be it through others."""
        left = dict.fromkeys(self.partners)
        found = []
        while left:
            cluster, waiting = [], [next(iter(left))]
            del left[waiting[0]]
            while waiting:
                element = waiting.pop()
                cluster.append(element)
                for other in self.partners[element]:
                    if other in left:
                        del left[other]
                        waiting.append(other)
            found.append(sorted(cluster, key=lambda one: (one.name, one.place or 0)))
        return found

    def matrix(self, cluster: Sequence[Element]) -> Any:
        """The correlation matrix of some elements, as a NumPy array."""
        import numpy

        numbers = {element: number for number, element in enumerate(cluster)}
        made = numpy.eye(len(cluster))
        for element, number in numbers.items():
            for other, value in self.partners[element].items():
                made[number, numbers[other]] = value
        return made

    # ---- reading correlations ----------------------------------------------------------------------------------------------------

    def _enter(self, correlation: Correlation) -> None:
        words = f"--correlation {correlation}"
        if not -1.0 <= correlation.value <= 1.0:
            raise UsageProblem(f"{words}: a correlation is between -1 and 1")
        for one, other in self._pairs(correlation, words):
            if one == other:
                raise UsageProblem(f"{words}: every quantity is correlated with itself, by 1", remedy="name two inputs")
            if other in self.partners.get(one, ()):
                raise UsageProblem(f"{words}: this correlation is given twice", remedy="leave one of them out")
            self.partners.setdefault(one, {})[other] = correlation.value
            self.partners.setdefault(other, {})[one] = correlation.value

    def _pairs(self, correlation: Correlation, words: str) -> list[tuple[Element, Element]]:
        sides = [self._places(member, words) for member in (correlation.first, correlation.second)]
        if len(sides[0]) != len(sides[1]):
            raise ShapeProblem(
                f"{words}: {correlation.first} has {_count(sides[0])}, {correlation.second} {_count(sides[1])}",
                remedy="name one element of each, as in --correlation x[0],y[1]=0.3",
            )
        return list(zip(*sides))

    def _places(self, member: Member, words: str) -> list[Element]:
        if member.name not in self.errors:
            raise UsageProblem(
                f"{words}: {member.name} has no uncertainty", remedy=f"give it one: --{member.name} VALUE±ERROR, or VALUE+/-ERROR"
            )
        error = self.errors[member.name]
        if isinstance(error, float):
            if member.place is not None:
                raise BindingProblem(f"{words}: {member.name} is a number and has no elements", remedy=f"write {member.name}")
            return [Element(member.name, None)]
        if member.place is None:
            return [Element(member.name, place) for place in range(error.size)]
        fits = len(member.place) == error.ndim and all(-size <= one < size for one, size in zip(member.place, error.shape))
        if not fits:
            shape = "×".join(map(str, error.shape))
            raise BindingProblem(f"{words}: {member.name} has the shape {shape}, and no element {member}")
        place = 0
        for one, size in zip(member.place, error.shape):
            place = place * size + one % size
        return [Element(member.name, place)]

    def _refuse_impossible(self, correlations: Sequence[Correlation]) -> None:
        """Correlations are possible if no combination of the quantities has a negative variance."""
        for cluster in self.clusters():
            if len(cluster) == 2:
                continue  # any between -1 and 1 will do
            if len(cluster) > MOST_CORRELATED:
                raise UsageProblem(f"more than {MOST_CORRELATED} quantities are correlated with each other")
            import numpy

            least = float(numpy.linalg.eigvalsh(self.matrix(cluster))[0])
            if least < -NEGATIVE * len(cluster):
                names = {element.name for element in cluster}
                concerned = [str(one) for one in correlations if one.first.name in names or one.second.name in names]
                raise UsageProblem(
                    f"no quantities can be correlated like this: {', '.join(concerned)}",
                    remedy=f"some sum of them would have a negative variance (the matrix has the eigenvalue {least:.3g}): "
                    "give the missing correlations, or weaker ones",
                )


def _count(elements: Sequence[Element]) -> str:
    return "1 element" if len(elements) == 1 else f"{len(elements)} elements"


def parse_correlation(text: str) -> Correlation:
    """Read a correlation as it stands on the command line: `a,b=0.3`, `x[0],x[1]=-1`.

    Raises:
        UsageProblem: it is none.
    """
    names, equals, value = text.rpartition("=")
    members = _split(names)
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not equals or len(members) != 2 or number != number:
        raise UsageProblem(f"--correlation {text} is not a correlation", remedy="write two inputs and a number: a,b=0.3")
    return Correlation(_member(members[0], text), _member(members[1], text), number)


def _split(names: str) -> list[str]:
    """What stands between commas, those in brackets aside."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(names):
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append(names[start:position])
            start = position + 1
    return [*parts, names[start:]]


def _member(text: str, whole: str) -> Member:
    from unicodedata import normalize

    name, bracket, index = text.strip().partition("[")
    name = normalize("NFKC", name.strip())
    try:
        if not name.isidentifier() or (bracket and not index.endswith("]")):
            raise ValueError
        return Member(name, tuple(int(one) for one in index[:-1].split(",")) if bracket else None)
    except ValueError:
        raise UsageProblem(
            f"--correlation {whole}: {text.strip() or '(empty)'} is not an input or an element of one",
            remedy="write two inputs and a number: a,b=0.3, or x[0],x[1]=0.3",
        ) from None
