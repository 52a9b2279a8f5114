"""What is exported: outputs of a program with their passes, and the numbers that the source is tested by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.passes import Passes


class Part(NamedTuple):
    """One output.

    Attributes:
        title: the output in the language.
        name: its name, or nothing.
        program: the statements of the language that lead to it.
        passes: what is computed.
        inputs: the names of its inputs, by their numbers.
        wrt: the names that it is differentiated by, in the order of the gradients of `passes`.
        point: the values of the inputs, by number; None if one is missing.
        value: at that point; None without one.
        gradients: at that point, in the order of `wrt`.
        rounding: by how much rounding may put the value, and each gradient, off there.
        remarks: what else is to be known.
    """

    title: str
    name: str
    program: Sequence[str]
    passes: Passes
    inputs: Sequence[str]
    wrt: Sequence[str]
    point: Sequence[Any] | None
    value: Any
    gradients: Sequence[Any]
    rounding: Sequence[float]
    remarks: Sequence[str]

    @property
    def outputs(self) -> list[int | None]:
        """The node of the value, and those of the gradients."""
        return [self.passes.output, *self.passes.gradients]

    @property
    def wanted(self) -> list[int]:
        """The outputs that there are."""
        return [node for node in self.outputs if node is not None]


class Export(NamedTuple):
    """Everything that goes into one file.

    Attributes:
        parts: the outputs.
        maker: what made it: gradcalc and its version.
    """

    parts: Sequence[Part]
    maker: str

    @property
    def tested(self) -> bool:
        """Whether there are numbers to test it by."""
        return all(part.point is not None for part in self.parts)


RELATIVE = 1e-9
"""By what part of its size a number may be off."""


def functions_of(export: Export) -> list[tuple[str, str]]:
    """For each output what its two functions are called."""
    if len(export.parts) == 1:
        return [("forward", "backward")]
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, part in enumerate(export.parts, 1):
        ending = part.name if part.name and part.name not in seen else str(number)
        seen.add(ending)
        found.append((f"forward_{ending}", f"backward_{ending}"))
    return found
