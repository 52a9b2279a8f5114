"""A formula as a circuit: the parts and wires that a picture shows, with words and numbers as texts, before they have places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

INPUT = "input"
CONSTANT = "constant"
GATE = "gate"
FOLDED = "folded"
"""The kinds of parts; a folded one stands for several gates."""


class Part(NamedTuple):
    """Something with one output wire: an input, a constant, a gate, or several gates folded into one.

    Attributes:
        node: the number of the node in its result.
        kind: see above.
        symbol: what stands in it: `+`, `exp`, `1/x`; of an input or a constant, its name or number.
        sources: the positions in the circuit of the parts whose wires lead to it, in the order of the gate's inputs.
        name: the name of its output wire; empty if it has none.
        value: of the node; empty where it is not known.
        gradient: of the output with respect to the node; empty where there is none.
        ordered: whether the order of the wires matters.
        words: what there is to know beside: the piece of source, all digits of value and gradient.
    """

    node: int
    kind: str
    symbol: str
    sources: tuple[int, ...] = ()
    name: str = ""
    value: str = ""
    gradient: str = ""
    ordered: bool = False
    words: str = ""


class Circuit(NamedTuple):
    """The parts of one output, each behind those that it is made from; the last is the output.

    Attributes:
        title: the output in the language.
        parts: inputs, constants and gates.
        remarks: what is not as one would expect: that gates are folded.
    """

    title: str
    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = ()

    def targets(self) -> list[list[int]]:
        """For each part those to which its wire leads, each as often as it does."""
        found: list[list[int]] = [[] for _ in self.parts]
        for number, part in enumerate(self.parts):
            for source in part.sources:
                found[source].append(number)
        return found


def fold(circuit: Circuit, kept: Sequence[bool], symbols: Sequence[str]) -> Circuit:
    """The circuit with every gate that is not kept folded into the one that it serves, if it serves only one.

    Args:
        circuit: what to fold.
        kept: for each part whether it stays; inputs and constants do, and so does the output.
        symbols: for each part what stands in it once others are folded into it.
    """
    count = len(circuit.parts)
    home = list(range(count))
    """For each part the one that it is folded into, or itself."""
    targets = circuit.targets()
    for number in range(count - 2, -1, -1):
        homes = {home[target] for target in targets[number]}
        if not kept[number] and circuit.parts[number].kind in (GATE, FOLDED) and len(homes) == 1:
            home[number] = homes.pop()
    sources: list[dict[int, None]] = [{} for _ in range(count)]
    sizes = [0] * count
    for number, part in enumerate(circuit.parts):
        sizes[home[number]] += 1
        sources[home[number]].update((source, None) for source in part.sources if home[source] != home[number])
    place: dict[int, int] = {}
    parts: list[Part] = []
    folded: list[str] = []
    for number, part in enumerate(circuit.parts):
        if home[number] != number:
            continue
        place[number] = len(parts)
        if sizes[number] > 1:
            name = "" if symbols[number] == part.name else part.name
            inner = tuple(place[source] for source in sources[number])
            part = part._replace(kind=FOLDED, symbol=symbols[number], sources=inner, name=name, ordered=False)
            folded.append(f"{symbols[number]} ({sizes[number]} gates)")
        else:
            part = part._replace(sources=tuple(place[source] for source in part.sources))
        parts.append(part)
    listed = ", ".join(folded[:6]) + (f" and {len(folded) - 6} more" if len(folded) > 6 else "")
    return Circuit(circuit.title, tuple(parts), (*circuit.remarks, *([f"folded: {listed}"] if folded else [])))
