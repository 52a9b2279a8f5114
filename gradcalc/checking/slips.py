"""The usual slips in a derivative worked out by hand: each is tried, and named only if it explains the claim at every point."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gradcalc.calculus.reverse import dependents
from gradcalc.checking.claims import ClaimResult, Seen
from gradcalc.checking.functions import SIMPLE, Function
from gradcalc.checking.verdicts import BARS
from gradcalc.engine import scalar
from gradcalc.graph import CONSTANT

FEWEST = 4
"""On so many points at least a slip must explain the claim."""

LARGEST = 400
"""Up to so many gates each is looked at for a slip."""

EXACTNESS = 1e-9
"""How close an explanation must come, relatively; a hint is no verdict."""


class View(NamedTuple):
    """One gate at one point, as a slip sees it.

    Attributes:
        y: its value.
        x: the values of its inputs.
        s: its local derivatives.
        t: the derivatives of its inputs.
        start: the value of what is differentiated by.
    """

    y: float
    x: Sequence[float]
    s: Sequence[float]
    t: Sequence[float]
    start: float

    @property
    def right(self) -> float:
        """The derivative of the gate as it should be."""
        return sum(s * t for s, t in zip(self.s, self.t) if t)

    def with_slope(self, position: int, slope: float) -> float:
        """The derivative of the gate, if one local derivative were this."""
        return sum((slope if at == position else s) * t for at, (s, t) in enumerate(zip(self.s, self.t)) if t)

    def with_tangent(self, position: int, tangent: float) -> float:
        """The derivative of the gate, if the derivative of one input were this."""
        return sum(s * (tangent if at == position else t) for at, (s, t) in enumerate(zip(self.s, self.t)) if t or at == position)


Rule = Callable[[View], float]
"""A wrong way to differentiate a gate."""


class Slip(NamedTuple):
    """A wrong way to differentiate one node, and how it is told; without a rule, to stop at the node."""

    node: int
    rule: Rule | None
    words: str


class _Trace(NamedTuple):
    """The forward pass at one point, and the claim there."""

    seen: Seen
    values: Sequence[float]
    slopes: dict[int, list[float]]


def explain_claim(
    result: ClaimResult,
    function: Function,
    wrt: int,
    label: Callable[[int], str],
    derivative_of: Callable[[int], str],
    others: Mapping[str, Function],
    value: Function | None = None,
) -> list[str]:
    """Why a claim may be wrong, in words: what fits at every point, the likeliest first; empty if nothing does.

    Args:
        result: the comparison, which found the claim wrong.
        function: what was differentiated.
        wrt: by which node.
        label: what the nodes of the function are called.
        derivative_of: the derivative of a node as a formula, empty where it is too long.
        others: other derivatives that the claim may be mistaken for, by the words for them.
        value: the function itself, for claims of first order.
    """
    seen = [entry for entry in result.seen if entry.claimed.kind == entry.true.kind == SIMPLE]
    if len(seen) < FEWEST:
        return []
    if not all(isinstance(entry.claimed.value, float) and isinstance(entry.true.value, float) for entry in seen):
        return _about_arrays(seen)
    ratio = _common_factor(seen)
    if ratio == -1.0:
        return ["the sign is wrong"]
    numbers = result.claim.function.shapes is None and function.shapes is None
    inside = _Inside(seen, function, wrt, label, derivative_of) if numbers else None
    mistaken = [*_mistaken(seen, others), *_swapped(seen, result, function.inputs)][:1]
    found = inside.likely() if inside is not None else []
    if found or mistaken:
        return [*found, *mistaken]
    if ratio is not None:
        return [_factor_words(ratio)]
    found = inside.possible() if inside is not None else []
    if not found and value is not None and _agrees(seen, value):
        found = ["this is the function itself, not its derivative"]
    return found or _constant_apart(seen)


def _fits(claimed: float, noise: float, explained: float) -> bool:
    return abs(claimed - explained) <= BARS * noise + EXACTNESS * max(abs(claimed), abs(explained))


# ---- the claim as a whole --------------------------------------------------------------------------------------------------------


def _factor_words(ratio: float) -> str:
    """A factor that is the same at every point."""
    inverse = 1.0 / ratio
    if abs(ratio) < 1.0 and abs(inverse - round(inverse)) < 1e-9:
        return f"a factor of {round(inverse)} is missing, everywhere"
    if ratio == round(ratio):
        return f"there is a factor of {round(ratio)} too many, everywhere"
    return f"it is {ratio:.10g} times the derivative, everywhere"


def _common_factor(seen: Sequence[Seen]) -> float | None:
    """The claim divided by the truth, if that is the same number at every point."""
    telling = [entry for entry in seen if abs(entry.true.value) > 1e6 * entry.true.noise]
    if len(telling) < FEWEST:
        return None
    ratios = [entry.claimed.value / entry.true.value for entry in telling]
    ratio = sorted(ratios)[len(ratios) // 2]
    nearest = round(ratio) if abs(ratio) >= 0.5 else ratio
    ratio = float(nearest) if abs(ratio - nearest) < 1e-9 else ratio
    if ratio in (0.0, 1.0) or not math.isfinite(ratio):
        return None
    good = (_fits(entry.claimed.value, entry.claimed.noise, ratio * entry.true.value) for entry in telling)
    return ratio if all(good) else None


def _constant_apart(seen: Sequence[Seen]) -> list[str]:
    """A number too much, the same at every point."""
    apart = sorted(entry.claimed.value - entry.true.value for entry in seen)
    middle = apart[len(apart) // 2]
    bars = [BARS * (entry.claimed.noise + entry.true.noise) + EXACTNESS * abs(middle) for entry in seen]
    same = (abs(entry.claimed.value - entry.true.value - middle) <= bar for entry, bar in zip(seen, bars))
    if not middle or not all(same):
        return []
    return [f"it is {abs(middle):.6g} too {'large' if middle > 0 else 'small'}, everywhere"]


def _mistaken(seen: Sequence[Seen], others: Mapping[str, Function]) -> Iterator[str]:
    """The claim is the derivative of something else, or by something else."""
    for words, function in others.items():
        if _agrees(seen, function):
            yield words


def _agrees(seen: Sequence[Seen], function: Function) -> bool:
    compared = 0
    for entry in seen:
        reading = function.read(entry.point)
        if reading.kind != SIMPLE:
            continue
        compared += 1
        # The derivative by another input may be an array.
        if not isinstance(reading.value, float) or not _fits(
            entry.claimed.value, entry.claimed.noise + reading.noise, reading.value
        ):
            return False
    return compared >= FEWEST


def _swapped(seen: Sequence[Seen], result: ClaimResult, names: Sequence[str]) -> Iterator[str]:
    """Two inputs are exchanged in the claim."""
    numbers = [name for name in names if isinstance(seen[0].point.get(name), float)]
    for position, first in enumerate(numbers):
        for second in numbers[:position]:
            if first not in result.claim.function.inputs and second not in result.claim.function.inputs:
                continue
            compared = 0
            for entry in seen:
                point = dict(entry.point) | {first: entry.point[second], second: entry.point[first]}
                reading = result.claim.function.read(point)
                if reading.kind != SIMPLE:
                    continue
                compared += 1
                if not _fits(reading.value, reading.noise + entry.true.noise, entry.true.value):
                    break
            else:
                if compared >= FEWEST:
                    yield f"{second} and {first} are swapped in it"
                    return


def _about_arrays(seen: Sequence[Seen]) -> list[str]:
    """For claims about arrays: a common factor of all elements, or a transposed matrix."""
    import numpy

    telling = [entry for entry in seen if numpy.shape(entry.true.value) and numpy.any(entry.true.value)]
    if len(telling) < FEWEST:
        return []
    pairs = [numpy.broadcast_arrays(entry.claimed.value, entry.true.value) for entry in telling]
    biggest = [numpy.unravel_index(numpy.argmax(abs(true)), true.shape) for _, true in pairs]
    ratio = float(pairs[0][0][biggest[0]] / pairs[0][1][biggest[0]])
    if (
        ratio
        and abs(ratio - 1.0) > 1e-8
        and all(numpy.allclose(claimed, ratio * true, rtol=1e-8, atol=1e-12) for claimed, true in pairs)
    ):
        if abs(ratio + 1.0) < 1e-8:
            return ["the sign is wrong"]
        words = f"{ratio:.6g} times the derivative" if abs(ratio) >= 1.0 else f"the derivative divided by {1.0 / ratio:.6g}"
        return [f"it is {words}, everywhere"]
    square = all(true.ndim == 2 and true.shape[0] == true.shape[1] for _, true in pairs)
    if square and all(numpy.allclose(claimed.T, true, rtol=1e-8, atol=1e-12) for claimed, true in pairs):
        return ["it is the transpose of the derivative"]
    return []


# ---- one gate differentiated wrongly ---------------------------------------------------------------------------------------------


class _Inside:
    """Looks for a slip at one gate on the way from a node to the output."""

    def __init__(
        self,
        seen: Sequence[Seen],
        function: Function,
        wrt: int,
        label: Callable[[int], str],
        derivative_of: Callable[[int], str],
    ) -> None:
        graph = self._graph = function.graph
        self._wrt = wrt
        self._label = label
        self._derivative_of = derivative_of
        flags = self._flags = dependents(graph, [wrt], function.output)
        path = [node for node, flag in enumerate(flags) if flag and node != wrt and graph.codes[node] > CONSTANT]
        self._path = path if len(path) <= LARGEST else []
        self._traces = [self._trace(entry, function) for entry in seen]

    def likely(self) -> list[str]:
        """What is peculiar to a gate, a missing inner derivative, a missing part, a missing factor from above."""
        return self._first([*self._peculiar(), *self._inner(), *self._parts(), *self._from_above()])

    def possible(self) -> list[str]:
        """What may happen at any gate."""
        return self._first(self._anywhere())

    def _first(self, slips: Iterable[Slip]) -> list[str]:
        for slip in slips:
            if self._path and all(self._explains(slip, trace) for trace in self._traces):
                return [slip.words]
        return []

    def _trace(self, entry: Seen, function: Function) -> _Trace:
        graph = self._graph
        values = scalar.forward(graph, function.at(entry.point))
        slopes = {
            node: [0.0 if slope is None else slope for slope in scalar.local_slopes(graph, node, values)] for node in self._path
        }
        return _Trace(entry, values, slopes)

    def _explains(self, slip: Slip, trace: _Trace) -> bool:
        """Whether the chain rule with this slip gives the claim at a point."""
        claimed = trace.seen.claimed
        tangents = {self._wrt: 1.0}
        for node in self._path:
            inputs = self._graph.inputs(node)
            moved = [tangents.get(source, 0.0) for source in inputs]
            view = View(
                trace.values[node], [trace.values[source] for source in inputs], trace.slopes[node], moved, trace.values[self._wrt]
            )
            if node != slip.node or slip.rule is None:
                tangents[node] = view.right
            else:
                try:
                    tangents[node] = slip.rule(view)
                except (ArithmeticError, ValueError):
                    return False
            if node == slip.node and slip.rule is None:
                return _fits(claimed.value, claimed.noise, tangents[node])
        return _fits(claimed.value, claimed.noise, tangents[self._path[-1]])

    def _gates(self) -> Iterator[tuple[int, str, list[str], list[int]]]:
        """Each gate on the way, from the output down: its name, what its inputs are called, and which of them vary."""
        for node in reversed(self._path):
            gate, inputs = self._graph.operator(node).gate, self._graph.inputs(node)
            moving = [position for position, source in enumerate(inputs) if self._flags[source]]
            if gate is not None and moving:
                yield node, gate.name, [self._label(source) for source in inputs], moving

    def _peculiar(self) -> Iterator[Slip]:
        for node, name, names, moving in self._gates():
            for rule, words in PECULIAR.get((name, tuple(moving)), ()):
                yield Slip(node, rule, words.format(*names, y=self._label(node)))

    def _inner(self) -> Iterator[Slip]:
        for node, _, names, moving in self._gates():
            for position in moving:
                source = self._graph.inputs(node)[position]
                if source != self._wrt:
                    formula = self._derivative_of(source)
                    which = f"{formula}, the derivative of {names[position]}" if formula else f"the derivative of {names[position]}"
                    yield Slip(node, _with_tangent(position), f"the inner derivative is missing: {which}")

    def _parts(self) -> Iterator[Slip]:
        for node, name, names, moving in self._gates():
            for position in moving if len(moving) > 1 and name != "*" else ():
                rule = "quotient rule" if name == "/" else "sum over the paths"
                words = f"a part of the {rule} is missing: the one with the derivative of {names[position]}, in {self._label(node)}"
                yield Slip(node, _with_slope(position, 0.0), words)

    def _from_above(self) -> Iterator[Slip]:
        for node in reversed(self._path[:-1]):
            yield Slip(node, None, f"the factor from above is missing: this is the derivative of {self._label(node)} alone")

    def _anywhere(self) -> Iterator[Slip]:
        for node, _, names, moving in self._gates():
            own = self._label(node)
            if len(moving) == 1:
                yield Slip(node, lambda gate: -gate.right, f"the sign is wrong in the derivative of {own}")
                yield Slip(node, lambda gate: gate.y * sum(gate.t), f"{own} was left as it is instead of being differentiated")
                yield from self._elsewhere(node, own, names[moving[0]], moving[0])
            for position in moving:
                if len(moving) > 1:
                    words = f"the sign is wrong of the part with the derivative of {names[position]}, in {own}"
                    yield Slip(node, _with_opposite_slope(position), words)
                yield Slip(node, _with_slope(position, 1.0), f"a factor is missing: the derivative of {own} by {names[position]}")
            for factor, words in ((2.0, "there is a factor of 2 too many"), (0.5, "a factor of 2 is missing")):
                yield Slip(node, _scaled(factor), f"{words} in the derivative of {own}")

    def _elsewhere(self, node: int, own: str, inner: str, position: int) -> Iterator[Slip]:
        """The outer derivative, taken at something else than the inner function."""
        operator = self._graph.operator(node)
        if self._graph.inputs(node)[position] == self._wrt:
            return

        def slope_at(gate: View, x: float) -> float:
            inputs = [x if at == position else value for at, value in enumerate(gate.x)]
            slope = scalar.guarded_slopes(operator)(scalar.guarded_forward(operator)(*inputs), *inputs)[position]
            return 0.0 if slope is None else slope

        start = self._label(self._wrt)
        for factor, words in ((True, ""), (False, ", and not multiplied by that")):
            yield Slip(
                node,
                lambda gate, factor=factor: slope_at(gate, gate.t[position]) * (gate.t[position] if factor else 1.0),  # type: ignore[misc]
                f"the derivative of {own} was taken at the derivative of {inner}, not at {inner}{words}",
            )
        yield Slip(
            node,
            lambda gate: slope_at(gate, gate.start) * gate.t[position],
            f"the derivative of {own} was taken at {start}, not at {inner}",
        )


def _with_tangent(position: int) -> Rule:
    return lambda gate: gate.with_tangent(position, 1.0)


def _with_slope(position: int, slope: float) -> Rule:
    return lambda gate: gate.with_slope(position, slope)


def _with_opposite_slope(position: int) -> Rule:
    return lambda gate: gate.with_slope(position, -gate.s[position])


def _scaled(factor: float) -> Rule:
    return lambda gate: factor * gate.right


FIRST, SECOND, BOTH = (0,), (1,), (0, 1)

PECULIAR: dict[tuple[str, tuple[int, ...]], tuple[tuple[Rule, str], ...]] = {
    ("*", BOTH): (
        (_with_slope(0, 0.0), "a part of the product rule is missing: the one with the derivative of {0}, in {y}"),
        (_with_slope(1, 0.0), "a part of the product rule is missing: the one with the derivative of {1}, in {y}"),
        (
            lambda gate: gate.t[0] * gate.t[1],
            "the derivative of a product was taken as the product of the derivatives: ({0})*({1})",
        ),
    ),
    ("/", BOTH): (
        (
            lambda gate: gate.t[0] / gate.t[1],
            "the derivative of a quotient was taken as the quotient of the derivatives: ({0})/({1})",
        ),
        (lambda gate: -gate.right, "the terms of the quotient rule are exchanged, so the sign is wrong: {y}"),
        (
            lambda gate: gate.with_slope(1, -gate.s[1]),
            "the quotient rule has a minus between its terms, not a plus: {y}",
        ),
        (lambda gate: gate.right * gate.x[1], "the denominator is not squared in the quotient rule: {y}"),
        (lambda gate: gate.right * gate.x[1] ** 2, "the squared denominator is missing in the quotient rule: {y}"),
    ),
    ("/", SECOND): (
        (lambda gate: gate.right * gate.x[1], "the denominator is not squared: {y}"),
        (lambda gate: -gate.right, "the sign is wrong: a quotient falls where its denominator grows: {y}"),
        (lambda gate: gate.right / gate.x[0], "the factor {0} from above is missing: the numerator of {y}"),
        (lambda gate: -gate.right / gate.x[0], "the sign and the numerator {0} are missing: {y}"),
    ),
    ("reciprocal", FIRST): ((lambda gate: gate.y * gate.t[0], "the denominator is not squared: {y}"),),
    ("pow", FIRST): (
        (lambda gate: gate.right * gate.x[0], "the exponent is not lowered by one: {y}"),
        (lambda gate: gate.right / gate.x[1], "the factor {1} is missing, the exponent of {y}"),
        (lambda gate: gate.right * gate.x[0] / gate.x[1], "{y} was left as it is instead of being differentiated"),
        (lambda gate: gate.right * (gate.x[1] - 1.0) / gate.x[1], "the factor in front is {1}, not one less: {y}"),
        (lambda gate: gate.right * gate.x[0] ** 2, "the exponent is raised by one, not lowered: {y}"),
        (lambda gate: gate.y * gate.x[0] / (gate.x[1] + 1.0), "{y} was integrated instead of being differentiated"),
    ),
    ("pow", SECOND): (
        (
            lambda gate: gate.x[1] * gate.x[0] ** (gate.x[1] - 1.0) * gate.t[1],
            "the power rule does not hold for a power whose exponent varies: {y}",
        ),
        (lambda gate: gate.y * gate.t[1], "the factor log({0}) is missing: {y}"),
    ),
    ("pow", BOTH): (
        (lambda gate: gate.with_slope(1, 0.0), "the power rule does not hold where the exponent varies, too: {y}"),
        (lambda gate: gate.with_slope(0, 0.0), "the base varies, too, which adds a part by the power rule: {y}"),
        (lambda gate: gate.with_slope(1, gate.y), "the factor log({0}) is missing: {y}"),
    ),
    ("square", FIRST): (
        (lambda gate: gate.x[0] * gate.t[0], "the factor 2 is missing, the exponent of {y}"),
        (lambda gate: 2.0 * gate.y * gate.t[0], "the exponent is not lowered by one: {y}"),
        (lambda gate: gate.y * gate.x[0] / 3.0, "{y} was integrated instead of being differentiated"),
    ),
    ("exp", FIRST): (
        (
            lambda gate: gate.x[0] * math.exp(gate.x[0] - 1.0) * gate.t[0],
            "the power rule does not hold for a power whose exponent varies: {y}",
        ),
        (
            lambda gate: gate.x[0] * math.exp(gate.x[0] - 1.0),
            "the power rule does not hold for a power whose exponent varies: {y}",
        ),
    ),
    ("sqrt", FIRST): (
        (lambda gate: gate.t[0] / gate.y, "the factor 1/2 is missing: {y}"),
        (lambda gate: 0.5 * gate.y * gate.t[0], "the exponent is not lowered by one: {y}"),
    ),
    ("log10", FIRST): ((lambda gate: gate.t[0] / gate.x[0], "the factor 1/log(10) is missing: {y}"),),
    ("log2", FIRST): ((lambda gate: gate.t[0] / gate.x[0], "the factor 1/log(2) is missing: {y}"),),
    ("tanh", FIRST): ((lambda gate: (1.0 + gate.y**2) * gate.t[0], "tanh has the derivative 1 - tanh^2, with a minus: {y}"),),
    ("tan", FIRST): ((lambda gate: (1.0 - gate.y**2) * gate.t[0], "tan has the derivative 1 + tan^2, with a plus: {y}"),),
    **{
        (name, (position,)): (
            (_with_slope(position, 1.0), f"{name} hands the gradient on only where {{{position}}} is the {size}: {{y}}"),
        )
        for name, size in (("max", "larger"), ("min", "smaller"))
        for position in (0, 1)
    },
}
"""Slips at particular gates, by the gate's name and the positions of the inputs that vary."""
