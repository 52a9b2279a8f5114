"""Probing arrays: the output as a function of single elements, for many elements and many displacements of each at once.

A displaced node is held as a patch: for each probed element (first axis) and each of its displacements (second axis) the values of
only those elements of the node that it reaches. Along every axis of the node a patch is either pinned (one index for each
probed element) or whole. What no probe reaches is never computed again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.probe import last_uses
from gradcalc.engine.arrays import complex_kernel, kernel
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, Graph, Operator

Pins = tuple[Any, ...]
"""For each axis of a node the index for each probed element, or None where the axis is whole."""

SAME = 1e-9
"""How well a rule for many lanes must agree with the gate itself to be used."""


class Patch:
    """The displaced values of a node, or their differences to its values: each is made from the other when it is asked for."""

    __slots__ = ("_base", "_delta", "_values", "pins")

    def __init__(self, pins: Pins, base: Any, values: Any = None, delta: Any = None) -> None:
        self.pins = pins
        self._base = base
        self._values = values
        self._delta = delta

    @property
    def values(self) -> Any:
        """The displaced values: (elements, displacements, *sizes)."""
        if self._values is None:
            self._values = self._base + self._delta
        return self._values

    @property
    def delta(self) -> Any:
        """How far they are displaced."""
        if self._delta is None:
            self._delta = self._values - self._base
        return self._delta


class Rule:
    """How one node of a graph is computed from patches of its inputs."""

    def __init__(self, operator: Operator, inputs: Sequence[int], values: Sequence[Any], result: Any, analytic: bool) -> None:
        gate = operator.gate
        assert gate is not None
        self.gate = gate
        self.inputs = inputs
        self.kernel = complex_kernel(operator) if analytic else kernel(gate, operator.attributes)
        numbers = list(range(len(inputs)))
        self.data = list(gate.divided(numbers)[0])
        self.flowing = list(gate.flowing(numbers))
        self.base = [numpy.asarray(values[source]) for source in inputs]
        self.shapes = [base.shape for base in self.base]
        self.shape: Shape = numpy.shape(result)
        self.labels = self._labels(operator)
        moving = gate.linear and not gate.elementwise and gate.lanes is None
        self.moves = _Moves(self.kernel, self.base, self.data) if moving else None
        self.batched = None if gate.elementwise else self._batched(operator, analytic)
        self.spreads = (
            gate.linear and not gate.elementwise and gate.along is None and self.moves is not None and not self.moves.lawful
        )
        """Whether a displaced element is put among zeros before the gate is applied: it is not known which axes it sums over."""
        self.largest = 1
        """How many numbers one lane of an input had at most."""
        self._offsets: dict[int, Any] = {}

    def _labels(self, operator: Operator) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
        """The labels of the axes of all inputs, and of the result; see `gates.record`."""
        gate, rank = self.gate, len(self.shape)
        if gate.elementwise:
            own = [tuple(axis if size > 1 else None for axis, size in enumerate(shape, rank - len(shape))) for shape in self.shapes]
            return own, tuple(range(rank))
        found = None
        if gate.data is None:
            found = gate.along(*self.shapes, **dict(operator.attributes)) if gate.along else self._beside_axis(operator)
        if found is None:
            return [(None,) * len(shape) for shape in self.shapes], (None,) * rank
        return list(found[:-1]), found[-1]

    def _beside_axis(self, operator: Operator) -> tuple[tuple[Any, ...], ...] | None:
        """Labels for a gate that works along an axis (or several) and leaves the others alone."""
        axes = _axes(operator, self.shapes[0]) if self.shapes else None
        rank = len(self.shapes[0]) if self.shapes else 0
        if axes is None or any(len(shape) != rank for shape in self.shapes):
            return None
        own = tuple(None if number in axes else number for number in range(rank))
        if len(self.shape) == rank:
            result = own
        elif len(self.shape) == rank - len(axes):
            result = tuple(label for label in own if label is not None)
        else:
            return None
        sizes = {label: size for label, size in zip(result, self.shape) if label is not None}
        for shape in self.shapes:
            if any(label is not None and sizes.get(label) != size for label, size in zip(own, shape)):
                return None
        return (*[own] * len(self.shapes), result)

    # ---- the gate on lanes -------------------------------------------------------------------------------------------------------

    def _batched(self, operator: Operator, analytic: bool) -> Callable[[list[Any]], Any] | None:
        """The gate on inputs with two further axes in front, if there is a rule for it that is right here."""
        candidates: list[Callable[[list[Any]], Any]] = []
        gate, attributes = self.gate, dict(operator.attributes)
        ranks = tuple(len(shape) for shape in self.shapes)
        if gate.lanes is not None and gate.data is None:
            rule = gate.lanes
            candidates.append(lambda arguments: rule(numpy, *arguments, ranks=ranks, **attributes))
        if self.moves is not None and self.moves.lawful:
            candidates.append(self.moves)
        axes = _axes(operator, self.shapes[0]) if gate.data is None and self.shapes else None
        forward = gate.complex if analytic and gate.complex is not None else gate.array
        if axes is not None and callable(forward) and len(set(ranks)) == 1:
            moved = tuple(axis - ranks[0] for axis in axes)
            from_end = attributes | {"axis": moved[0] if isinstance(attributes["axis"], int) else moved}
            candidates.append(lambda arguments: forward(numpy, *arguments, **from_end))
        return next((candidate for candidate in candidates if self._is_right(candidate)), None)

    def _is_right(self, candidate: Callable[[list[Any]], Any]) -> bool:
        """Try a rule for many lanes on two lanes."""
        arguments = [
            numpy.stack([base, base * (1.0 + 2.0**-10) + 2.0**-20])[:, None] if number in self.flowing else base[None, None]
            for number, base in enumerate(self.base)
        ]
        try:
            found = numpy.asarray(candidate(arguments))
        except (ValueError, TypeError, IndexError):
            return False
        wanted = self._one_by_one(arguments)
        return found.shape == wanted.shape and numpy.allclose(
            found, wanted, rtol=SAME, atol=SAME * _largest(wanted), equal_nan=True
        )

    def _one_by_one(self, arguments: list[Any]) -> Any:
        """The gate on one lane after the other."""
        rows, columns = (max(argument.shape[axis] for argument in arguments) for axis in (0, 1))
        lanes = [
            self.kernel(
                *[argument[row if argument.shape[0] > 1 else 0, column if argument.shape[1] > 1 else 0] for argument in arguments]
            )
            for row in range(rows)
            for column in range(columns)
        ]
        stacked = numpy.stack([numpy.asarray(lane) for lane in lanes])
        return stacked.reshape(rows, columns, *stacked.shape[1:])

    def compute(self, arguments: list[Any]) -> Any:
        """The gate on inputs with two further axes in front."""
        if self.gate.elementwise:
            rank = len(self.shape)
            padded = [
                argument.reshape(*argument.shape[:2], *(1,) * (rank + 2 - argument.ndim), *argument.shape[2:])
                for argument in arguments
            ]
            return self.kernel(*padded)
        return self._one_by_one(arguments) if self.batched is None else self.batched(arguments)

    # ---- the node on patches -----------------------------------------------------------------------------------------------------

    def patch(self, displaced: dict[int, Patch], take: Callable[[Pins], Any]) -> Patch:
        """The node's patch from those of its inputs, by position; `take` picks values of the node itself."""
        alone = next(iter(displaced)) if len(displaced) == 1 and self.gate.linear and not self.gate.elementwise else None
        if alone is not None and self.moves is not None:
            moved = self.moves.element(alone, displaced[alone], self.shape)
            if moved is not None:
                return Patch(moved[0], take(moved[0]), delta=moved[1])
        chosen = self._chosen(displaced, alone)
        pins = tuple(None if label is None else chosen.get(label) for label in self.labels[1])
        arguments = []
        for number, base in enumerate(self.base):
            own = tuple(None if label is None else chosen.get(label) for label in self.labels[0][number])
            if number not in displaced:
                arguments.append(taken(base, own))
            elif number == alone:
                arguments.append(released(displaced[number].delta, displaced[number].pins, own, base.shape, None))
            else:
                fill = taken(base, own)
                arguments.append(released(displaced[number].values, displaced[number].pins, own, base.shape, fill))
        self.largest = max(math.prod(argument.shape[2:]) for argument in arguments)
        if alone is None:
            return Patch(pins, take(pins), values=self.compute(arguments))
        delta = self.compute(arguments)
        if not self._vanishes(alone):
            arguments[alone] = numpy.zeros_like(arguments[alone][:, :1])
            delta = delta - self.compute(arguments)
        return Patch(pins, take(pins), delta=delta)

    def _chosen(self, displaced: dict[int, Patch], alone: int | None) -> dict[Any, Any]:
        """The pins of each label: those on which all displaced inputs agree."""
        chosen: dict[Any, Any] = {}
        inputs, result = self.labels
        for label in result:
            if label is not None:
                found = [_pins_of(label, inputs[number], patch.pins) for number, patch in displaced.items()]
                if all(_equal(pins, found[0]) for pins in found):
                    chosen[label] = found[0]
        if alone is not None:
            for label, pins in zip(inputs[alone], displaced[alone].pins):
                if label is not None and label not in result:
                    chosen[label] = pins
        return chosen

    def _vanishes(self, position: int) -> bool:
        """Whether the gate is 0 where this input is."""
        if position not in self._offsets:
            arguments = [numpy.zeros_like(base) if number == position else base for number, base in enumerate(self.base)]
            self._offsets[position] = not numpy.any(self.kernel(*arguments))
        return bool(self._offsets[position])


class _Moves:
    """Where a linear gate puts the elements of its inputs, if moving elements is all it does: found by moving numbers."""

    def __init__(self, function: Callable[..., Any], base: Sequence[Any], data: Sequence[int]) -> None:
        self._function = function
        self._base = list(base)
        self._data = data
        self._maps: dict[tuple[Shape, ...], Any] = {}
        self._inverses: dict[int, Any] = {}
        self.lawful = self._map(tuple(base[number].shape for number in data)) is not None

    def _map(self, shapes: tuple[Shape, ...]) -> Any:
        """For each element of the result the number of the element that it is (counted through all inputs), or -1; or None."""
        if shapes not in self._maps:
            self._maps[shapes] = self._find(shapes)
        return self._maps[shapes]

    def _find(self, shapes: tuple[Shape, ...]) -> Any:
        sizes = [int(numpy.prod(shape)) for shape in shapes]
        count = sum(sizes)
        if not count:
            return None
        numbers = numpy.arange(1.0, count + 1.0)
        mixed = numpy.random.default_rng(0).uniform(1.0, 2.0, count)
        first, second = self._on(numbers, shapes, sizes), self._on(mixed, shapes, sizes)
        if not ((first == numpy.floor(first)) & (first >= 0) & (first <= count)).all():
            return None
        places = first.astype(numpy.int64) - 1
        return places if (second == numpy.where(places < 0, 0.0, mixed[places])).all() else None

    def _on(self, flat: Any, shapes: tuple[Shape, ...], sizes: Sequence[int]) -> Any:
        pieces = numpy.split(flat, numpy.cumsum(sizes)[:-1])
        arguments = list(self._base)
        for number, piece, shape in zip(self._data, pieces, shapes):
            arguments[number] = piece.reshape(shape)
        return numpy.asarray(self._function(*arguments))

    def __call__(self, arguments: list[Any]) -> Any:
        """The gate on lanes."""
        data = [arguments[number] for number in self._data]
        places = self._map(tuple(argument.shape[2:] for argument in data))
        if places is None:
            raise ValueError("moves more than elements")
        rows, columns = (max(argument.shape[axis] for argument in data) for axis in (0, 1))
        pieces = [
            numpy.broadcast_to(argument, (rows, columns, *argument.shape[2:])).reshape(rows, columns, -1) for argument in data
        ]
        flat = pieces[0] if len(pieces) == 1 else numpy.concatenate(pieces, axis=2)
        moved = flat[:, :, places]
        return numpy.where(places < 0, 0.0, moved) if (places < 0).any() else moved

    def element(self, position: int, patch: Patch, shape: Shape) -> tuple[Pins, Any] | None:
        """Where a patch of single elements goes: its pins and displacements; None where it cannot be said so simply."""
        own = self._base[position].shape
        if not self.lawful or position not in self._data:
            return None
        if any(pin is None and size > 1 for pin, size in zip(patch.pins, own)):
            return None
        inverse = self._inverse(position)
        if inverse is None:
            return None
        count = len(patch.delta)
        strides = numpy.cumprod([1, *own[:0:-1]])[::-1] if own else ()
        flat = numpy.zeros(count, dtype=numpy.int64)
        for pin, stride in zip(patch.pins, strides):
            if pin is not None:
                flat += pin * stride
        places = inverse[flat]
        delta = numpy.where((places >= 0).reshape(-1, 1), patch.delta.reshape(count, -1), 0.0)
        pins = tuple(
            index if size > 1 else None for index, size in zip(numpy.unravel_index(numpy.maximum(places, 0), shape or (1,)), shape)
        )
        return pins, delta.reshape(count, -1, *(1,) * len(shape))

    def _inverse(self, position: int) -> Any:
        """For each element of an input its place in the result, -1 where it has none; None if an element has several."""
        if position not in self._inverses:
            shapes = tuple(self._base[number].shape for number in self._data)
            places = self._map(shapes).ravel()
            before = sum(int(numpy.prod(shapes[number])) for number in range(self._data.index(position)))
            size = self._base[position].size
            own = (places >= before) & (places < before + size)
            sources = places[own] - before
            inverse = numpy.full(size, -1, dtype=numpy.int64)
            inverse[sources] = numpy.flatnonzero(own)
            self._inverses[position] = inverse if len(sources) == numpy.count_nonzero(inverse >= 0) and places.size else None
        return self._inverses[position]


class Prober:
    """Evaluates the output of a graph with arrays at displaced elements of any node."""

    def __init__(self, graph: Graph, values: Sequence[Any], seed: Any, analytic: bool = False) -> None:
        """Make ready.

        Args:
            graph: its last node is the output.
            values: of all nodes.
            seed: the gradient from above.
            analytic: whether displacements are complex.
        """
        self.graph = graph
        self.values = values
        self.bases = [numpy.asarray(value) for value in values]
        self.seed = numpy.broadcast_to(numpy.asarray(seed, dtype=float), self.bases[-1].shape)
        self.analytic = analytic
        self.largest = 0
        """The largest number of elements that one element of the last probe reached at once."""
        self._rules: dict[int, Rule] = {}
        self._touched: dict[int, list[tuple[int, list[int]]]] = {}

    def rule(self, node: int) -> Rule:
        """How a node is computed."""
        if node not in self._rules:
            with numpy.errstate(all="ignore"):
                self._rules[node] = Rule(
                    self.graph.operator(node), self.graph.inputs(node), self.values, self.values[node], self.analytic
                )
        return self._rules[node]

    def probe(self, node: int, elements: Any, displacements: Any) -> Any:
        """How far the output moves: one row for each element of the node, one column for each of its displacements.

        Args:
            node: whose elements are displaced.
            elements: their numbers, counted through the array.
            displacements: one row for each element.
        """
        last = len(self.graph) - 1
        shape = self.bases[node].shape
        pins: Pins = tuple(index if size > 1 else None for index, size in zip(numpy.unravel_index(elements, shape or (1,)), shape))
        delta = numpy.asfortranarray(displacements)[(..., *(None,) * len(shape))]
        patches = {node: Patch(pins, taken(self.bases[node], pins), delta=delta)}
        self.largest = 1
        with numpy.errstate(all="ignore"):
            for inner, finished in self._reached(node):
                rule = self.rule(inner)
                displaced = {number: patches[rule.inputs[number]] for number in rule.flowing if rule.inputs[number] in patches}
                if displaced:
                    base = self.bases[inner]
                    patches[inner] = rule.patch(displaced, lambda pins, base=base: taken(base, pins))  # type: ignore[misc]
                    sizes = [size for size, pin in zip(base.shape, patches[inner].pins) if pin is None]
                    self.largest = max(self.largest, math.prod(sizes), rule.largest)
                for source in finished:
                    # What is not needed any more makes room in the cache.
                    patches.pop(source, None)
            if last not in patches:
                return numpy.zeros(displacements.shape, dtype=displacements.dtype)
            end = patches[last]
            moved = end.delta * taken(self.seed, end.pins)
            return numpy.broadcast_to(moved.sum(axis=tuple(range(2, moved.ndim))), displacements.shape)

    def _reached(self, node: int) -> list[tuple[int, list[int]]]:
        """The nodes that a probe of this one may reach, each with the nodes that nothing behind it needs."""
        if node not in self._touched:
            graph, last = self.graph, len(self.graph) - 1
            flags = dependents(graph, [node], last)
            inner = [other for other in range(node + 1, last + 1) if flags[other] and graph.codes[other] > CONSTANT]
            finished = last_uses(graph, inner)
            self._touched[node] = [(other, finished.get(other, [])) for other in inner]
        return self._touched[node]


def taken(base: Any, pins: Pins) -> Any:
    """The part of an array that the pins leave, for each probed element: (elements or 1, 1, *sizes)."""
    pinned = [axis for axis, pin in enumerate(pins) if pin is not None]
    if not pinned:
        return base[None, None]
    whole = [axis for axis, pin in enumerate(pins) if pin is None]
    picked = base.transpose(*whole, *pinned)[(..., *(pins[axis] for axis in pinned))]
    picked = numpy.ascontiguousarray(picked).reshape(*_sizes(base.shape, pins), 1, picked.shape[-1])
    return _lanes_first(picked)


def _lanes_first(array: Any) -> Any:
    """An array whose last two axes are displacements and elements, as all rules here want it: elements, displacements, the rest.

    In memory the elements stay next to each other. Every operation keeps it so, and works on long rows whatever the gates do to the
    other axes, which are often short.
    """
    rank = array.ndim
    return array.transpose(rank - 1, rank - 2, *range(rank - 2))


def released(array: Any, pins: Pins, wanted: Pins, shape: Shape, fill: Any) -> Any:
    """A patch of which some pinned axes have become whole; `fill` is what stands beside it there (None: zeros)."""
    axes = [axis for axis, (before, after) in enumerate(zip(pins, wanted)) if before is not None and after is None]
    if not axes:
        return array
    rows, columns = array.shape[:2]
    sizes = _sizes(shape, wanted)
    full = _lanes_first(numpy.zeros((*sizes, columns, rows), dtype=array.dtype))
    if fill is not None:
        full[...] = fill
    view = numpy.moveaxis(full, [axis + 2 for axis in axes], range(1, 1 + len(axes)))
    kept = [size for axis, size in enumerate(sizes) if axis not in axes]
    view[(numpy.arange(rows), *(pins[axis] for axis in axes))] = array.reshape(rows, columns, *kept)
    return full


def _sizes(shape: Shape, pins: Pins) -> tuple[int, ...]:
    return tuple(size if pin is None else 1 for size, pin in zip(shape, pins))


def _pins_of(label: Any, labels: tuple[Any, ...], pins: Pins) -> Any:
    return pins[labels.index(label)] if label in labels else None


def _equal(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is second
    return first is second or bool((first == second).all())


def _largest(values: Any) -> float:
    finite = numpy.abs(values[numpy.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def _axes(operator: Operator, shape: Shape) -> tuple[int, ...] | None:
    """The axes that a gate works along, if it has an attribute that says so."""
    gate = operator.gate
    assert gate is not None
    if not any(attribute.name == "axis" for attribute in gate.attributes):
        return None
    axis = dict(operator.attributes)["axis"]
    if axis is None:
        return tuple(range(len(shape)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(one, int) and -len(shape) <= one < len(shape) for one in axes):
        return None
    return tuple(one % len(shape) for one in axes)
