"""What is exported: outputs of a program with their passes, the numbers that they are tested by, and the words at the head."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcalc.calculus.passes import Passes
from gradcalc.gates.record import Shape

WIDTH = 110
"""How wide a source is, where it can be."""

RELATIVE = 1e-9
"""By what part of its size a number may be off."""


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

    @property
    def shape(self) -> Shape:
        """The shape of the value."""
        return self.passes.shapes[self.passes.output]

    def shape_of(self, name: str) -> Shape:
        """The shape of an input or named node."""
        return next((self.passes.shapes[node] for node, own in self.passes.names.items() if own == name), ())


class Export(NamedTuple):
    """Everything that goes into one file.

    Attributes:
        parts: the outputs, at least one.
        maker: what made it: gradcalc and its version.
        missing: the names of inputs without a value.
    """

    parts: Sequence[Part]
    maker: str
    missing: Sequence[str]

    @property
    def tested(self) -> bool:
        """Whether there are numbers to test it by."""
        return all(part.point is not None for part in self.parts)

    @property
    def single(self) -> bool:
        """Whether there is one output only."""
        return len(self.parts) == 1


def function_names(export: Export) -> list[tuple[str, str]]:
    """For each output what its two functions are called."""
    if export.single:
        return [("forward", "backward")]
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, part in enumerate(export.parts, 1):
        ending = part.name if part.name and part.name not in seen else str(number)
        seen.add(ending)
        found.append((f"forward_{ending}", f"backward_{ending}"))
    return found


def header(export: Export, language: str, functions: tuple[str, str], more: str = "", width: int = WIDTH) -> list[str]:
    """The lines at the head of a source: what it is, what it was made from, and how it is tested.

    Args:
        export: what is written.
        language: the source is in.
        functions: what the functions of the first output are called.
        more: what else there is to say about the test, or about running it.
        width: of the lines.
    """
    first = export.parts[0]
    what = (
        f"{shortened(first.title)}: its value and gradients"
        if export.single
        else f"{len(export.parts)} formulas and their gradients"
    )
    forward, backward = functions
    sentences = [
        f"{forward}() answers the value, {backward}() the value and the gradients, found by the chain rule, from the output back."
    ]
    if export.tested:
        sentences.append(
            "Run, it prints them at a point and compares them with what gradcalc computed there; the exit status is 1 if one is "
            f"off by more than {short_power(RELATIVE)} of its size and what rounding may cost."
        )
    elif export.missing:
        has = "had no value" if len(export.missing) == 1 else "had no values"
        sentences.append(f"It has no test: {listed_words(export.missing)} {has} when it was made, and count as numbers.")
    if more:
        sentences.append(more)
    lines = [f"{what}, as {language} source.", "", f"Made by {export.maker} from the program", ""]
    for part in export.parts:
        for statement in part.program:
            folded = textwrap.wrap(statement, width - 8, break_long_words=False, break_on_hyphens=False)
            lines += [f"    {'    ' * (place > 0)}{line}" for place, line in enumerate(folded)]
        lines.append("")
    lines += textwrap.wrap(" ".join(sentences), width)
    for remark in dict.fromkeys(remark for part in export.parts for remark in part.remarks):
        lines += ["", *textwrap.wrap(remark, width)]
    return lines


def shortened(text: str, most: int = 80) -> str:
    """A text, or its beginning."""
    return text if len(text) <= most else text[: most - 1] + "…"


def listed_words(words: Sequence[str], most: int = 8) -> str:
    """Words as people list them: `a, b and c`."""
    shown = list(words) if len(words) <= most else [*words[: most - 1], f"{len(words) - most + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def shape_words(shape: Shape) -> str:
    """A shape as people write it."""
    return " × ".join(map(str, shape)) if shape else "a number"


def short_power(number: float) -> str:
    """A power of ten without the zeros in its exponent."""
    return f"{number!r}".replace("e-0", "e-")


def quoted(text: str) -> str:
    """A string as source."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
