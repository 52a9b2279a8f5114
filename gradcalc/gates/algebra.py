"""The vocabulary in which gates state their derivatives: terms that may be numbers, arrays or nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Term:
    """Something that derivative rules can calculate with.

    A rule is written once, in terms. Given terms that are nodes of a graph, it builds the derivative as a graph; given terms that
    are arrays, it computes numbers. A subclass says what applying a gate means, in `apply`, and knows its `shape`.
    """

    __slots__ = ()

    shape: tuple[int, ...]

    def apply(self, gate: str, *others: Any, **attributes: Any) -> Any:
        """This gate on this term and others (terms or numbers)."""
        raise NotImplementedError

    def rapply(self, gate: str, first: Any) -> Any:
        """This gate on a number and this term, in that order."""
        raise NotImplementedError

    def make(self, gate: str, *numbers: float, **attributes: Any) -> Any:
        """A gate on numbers alone, as a term of this one's kind."""
        raise NotImplementedError

    def reshape(self, shape: tuple[int, ...]) -> Any:
        """The same elements in another shape."""
        return self if shape == self.shape else self.apply("reshape", *map(float, shape))

    def broadcast_to(self, shape: tuple[int, ...]) -> Any:
        """Repeated to a larger shape."""
        return self if shape == self.shape else self.apply("broadcast_to", *map(float, shape))

    def sum_to(self, shape: tuple[int, ...]) -> Any:
        """Summed to the shape from which broadcasting made this one."""
        return self if shape == self.shape else self.apply("sum_to", *map(float, shape))

    def __add__(self, other: Any) -> Any:
        return self.apply("+", other)

    def __radd__(self, other: Any) -> Any:
        return self.rapply("+", other)

    def __sub__(self, other: Any) -> Any:
        return self.apply("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self.rapply("-", other)

    def __mul__(self, other: Any) -> Any:
        return self.apply("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self.rapply("*", other)

    def __truediv__(self, other: Any) -> Any:
        return self.apply("/", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.rapply("/", other)

    def __pow__(self, other: Any) -> Any:
        return self.apply("pow", other)

    def __matmul__(self, other: Any) -> Any:
        return self.apply("@", other)

    def __neg__(self) -> Any:
        return self.apply("neg")

    def __lt__(self, other: Any) -> Any:
        return self.apply("<", other)

    def __le__(self, other: Any) -> Any:
        return self.apply("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self.apply(">", other)

    def __ge__(self, other: Any) -> Any:
        return self.apply(">=", other)


class Only(NamedTuple):
    """A local derivative that counts where a condition holds; elsewhere there is no path, which is not the same as a zero."""

    condition: Any
    slope: Any


def only(condition: Any, slope: Any = 1.0) -> Only:
    """The slope where the condition holds, and no contribution at all elsewhere (so that 0 times inf never arises there)."""
    return Only(condition, slope)


def equals(a: Any, b: Any) -> Any:
    """1 where a and b are the same number, else 0."""
    return a.apply("==", b)


def differs(a: Any, b: Any) -> Any:
    """1 where a and b are not the same number, else 0."""
    return a.apply("!=", b)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`."""
    return condition.apply("where", yes, no)


def _function(name: str) -> Callable[..., Any]:
    def call(x: Any, *others: Any, **attributes: Any) -> Any:
        return x.apply(name, *others, **attributes)

    call.__name__ = name
    call.__doc__ = f"The gate `{name}` on terms."
    return call


square = _function("square")
sqrt = _function("sqrt")
cbrt = _function("cbrt")
sign = _function("sign")
floor = _function("floor")
exp = _function("exp")
exp2 = _function("exp2")
log = _function("log")
sin = _function("sin")
cos = _function("cos")
sinh = _function("sinh")
cosh = _function("cosh")
tanh = _function("tanh")
hypot = _function("hypot")
sigmoid = _function("sigmoid")
maximum = _function("max")
minimum = _function("min")
total = _function("sum")
cumulative = _function("cumsum")
