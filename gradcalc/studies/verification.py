"""What `check` does with an output: gradients against numerics, claims against derivatives, one formula against another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gradcalc.calculus.partial import ExactBuilder
from gradcalc.calculus.reverse import differentiate
from gradcalc.calculus.simplify import simplify
from gradcalc.checking.check import check
from gradcalc.checking.claims import (
    Claim,
    ClaimResult,
    GradientResult,
    check_gradients,
    compare_at,
    judge_claim,
    where_it_holds,
)
from gradcalc.checking.equality import Equality, judge_equality, same_formula
from gradcalc.checking.functions import Function, function_of
from gradcalc.checking.points import Drawer, Source, special_points
from gradcalc.checking.slips import FEWEST, explain_claim
from gradcalc.checking.verdicts import Check, worst
from gradcalc.dialects.language import spell
from gradcalc.engine.evaluate import backpropagate
from gradcalc.engine.shapes import NodeProblem
from gradcalc.errors import GradcalcError, NameProblem, ProgramSyntaxError, ShapeProblem, UsageProblem
from gradcalc.formula import Formula, Interval
from gradcalc.gates.record import Shape
from gradcalc.graph import Graph
from gradcalc.language.nearest import nearest
from gradcalc.language.program import Output
from gradcalc.language.sheet import LABEL_LIMIT
from gradcalc.workspace import Workspace

POINTS = 100
"""At so many random points a formula of numbers is checked, if it is not too long."""

ARRAY_POINTS = 10
"""At so many one with arrays."""

GATES = 20_000
"""How many gates all random points together may compute by default."""

FAR = 1e4
"""Claims are compared at points farther out, too, but numerical derivatives say little there."""

FORMULA_LIMIT = 300
"""A derivative that is longer is not shown."""


class Written(NamedTuple):
    """A claim as it stands on the command line: what the output is differentiated by, in turn, and what that is said to be."""

    names: tuple[str, ...]
    text: str

    @property
    def what(self) -> str:
        """How it is called in messages."""
        return f"--claim {','.join(self.names)}"


@dataclass(frozen=True)
class Settings:
    """How outputs are verified.

    Attributes:
        points: how many random points; None for a number that suits the program.
        seed: makes them repeatable.
        order: 1, or 2 to check second derivatives, too.
        method: how numerical derivatives are taken, one of `checking.check.METHODS`.
        every: whether every element of large arrays is checked.
        hold: inputs that keep their values at the random points.
        gradients: whether gradients are compared with numerics.
    """

    points: int | None = None
    seed: int = 0
    order: int = 1
    method: str = "auto"
    every: bool = False
    hold: tuple[str, ...] = ()
    gradients: bool = True


@dataclass
class Verification:
    """What came out for one output.

    Attributes:
        formula: the output.
        value: its value at the given point, None without one.
        point: the given point, None where an input has no single value.
        drawn: how many random points there were.
        compared: at how many of these numerical derivatives were taken: not far out, where they say little.
        missed: how many could not be drawn inside the domain.
        gradients: each first (and second) derivative against numerics.
        claims: each claim.
        other: what the output was compared with, empty if nothing.
        equality: how the two compare.
        remarks: what else there is to know.
        warnings: what is not finite at the given point.
    """

    formula: Formula
    value: Any = None
    point: Mapping[str, Any] | None = None
    drawn: int = 0
    compared: int = 0
    missed: int = 0
    gradients: list[GradientResult] = field(default_factory=list)
    claims: list[ClaimResult] = field(default_factory=list)
    other: str = ""
    equality: Equality | None = None
    remarks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def told_at_point(self) -> bool:
        """Whether there was anything to compare at the given point: where the value is not finite there is no derivative."""
        return any(result.given is not None and result.given.verdict != "off" for result in self.gradients)

    @property
    def verdict(self) -> str:
        """The worst of all."""
        found = [result.verdict for result in self.gradients] + [result.verdict for result in self.claims]
        return worst([*found, self.equality.verdict] if self.equality is not None else found)


class Verifier:
    """Verifies the outputs of a workspace's program."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        claims: Sequence[Written] = (),
        equals: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Verify with these claims, or against another formula.

        Args:
            workspace: whose program the outputs belong to; claims may use its names.
            settings: how.
            claims: derivatives that the user worked out.
            equals: a formula that every output is compared with.
            progress: is told how many random points of how many are done.
        """
        self.workspace = workspace
        self.settings = settings
        self.written = claims
        self.equals = equals
        self.progress = progress

    def verify(self, formula: Formula) -> Verification:
        """Verify one output, while the program still holds its names.

        Raises:
            GradcalcError: a claim is no expression of the program's names, or of another shape than the derivative.
        """
        other = None if self.equals is None else self._read(self.equals, "--equals", formula, strangers=True)
        claims = [self._claim(written, formula) for written in self.written]
        function = _function(formula)
        result = Verification(formula, other="" if other is None else other.text)
        sources = self._sources(formula, function, [*(made for made, _ in claims), *([other] if other else [])], result)
        given = {name: source.given for name, source in sources.items()}
        if all(value is not None for value in given.values()):
            result.point = given
            values = function.evaluate(given).values
            result.value, result.warnings = values[-1], formula.value_warnings(values)
        points = self._points(function, sources, None if other is None else _function(other), result)
        if not points and (result.point is None or not _finite(result.value)):
            if self.settings.points == 0:
                raise UsageProblem(
                    f"--points 0 leaves no point to look at {formula.text}", remedy="give all inputs values, or ask for points"
                )
            raise UsageProblem(
                f"no point was found at which {formula.text} has a value",
                remedy=f"say where: give values, or ranges such as --{next(iter(sources), 'x')} 0..1",
            )
        if self.settings.gradients:
            self._check_gradients(function, points, result)
        for made, written in claims:
            result.claims.append(self._judged(made, written, formula, function, points, result))
        if other is not None:
            exact = self.settings.method == "exact"
            at = [] if result.point is None else [result.point]
            second = _function(other)
            _check_same_shape(function, second)
            result.equality = judge_equality(function, second, [*at, *points], special_points(sources), exact)
        return result

    # ---- what is compared --------------------------------------------------------------------------------------------------------

    def _claim(self, written: Written, formula: Formula) -> tuple[Formula, Written]:
        known = self.workspace.program.known
        for name in written.names:
            if name not in known:
                near = nearest(name, list(known))
                raise NameProblem(
                    f"{written.what}: the program has no {name}",
                    remedy=f"did you mean {near}?" if near else "name an input or a named node",
                )
        for name in written.names[1:] if len(written.names) > 1 else ():
            if known[name].kind not in ("input", "default"):
                raise UsageProblem(
                    f"{written.what}: {name} is computed, and a second derivative is one by inputs",
                    remedy=f"name inputs: {', '.join(formula.inputs)}",
                )
        return self._read(written.text, written.what, formula), written

    def _read(self, text: str, what: str, formula: Formula, strangers: bool = False) -> Formula:
        """An expression in the names of the program, which is left as it was."""
        program = self.workspace.program
        mark, known = program.mark(), set(program.known)
        inputs = len(program.inputs)
        try:
            statements = list(program.statements(text))
            for statement in statements:
                if isinstance(statement, GradcalcError):
                    statement.message = f"{what}: {statement.message}"
                    raise statement
            if len(statements) != 1 or not isinstance(statements[0], Output):
                raise ProgramSyntaxError(f"{what} is not one expression", remedy="write a formula such as 2*x*y")
            for entry in program.inputs[inputs:]:
                if not strangers:
                    near = nearest(entry.name, list(known))
                    listed = f"its names are {', '.join(known)}" if known else "it has no names"
                    raise NameProblem(
                        f"{what}: the program has no {entry.name}",
                        place=entry.place,
                        remedy=f"did you mean {near}?" if near else listed,
                    )
            try:
                return self.workspace.formula(statements[0], mark.graph.nodes)
            except GradcalcError as problem:
                problem.message = f"{what}: {problem.message}"
                raise
        finally:
            program.cut(mark)
            if not strangers:
                for name in set(program.known) - known:
                    del program.known[name]

    def _sources(self, formula: Formula, function: Function, others: Sequence[Formula], result: Verification) -> dict[str, Source]:
        """Where each input of the output, and of all that it is compared with, gets its values from."""
        fixed = function.fixed()
        sources: dict[str, Source] = {}
        for made in (formula, *others):
            for name, value in zip(made.inputs, made.values):
                if name in sources:
                    continue
                if isinstance(value, Interval):
                    sources[name] = Source(None, value.low, value.high)
                else:
                    held = value is not None and (name in self.settings.hold or (made is formula and name in fixed))
                    sources[name] = Source(value, held=held)
        for name in self.settings.hold:
            if name not in sources:
                near = nearest(name, list(sources))
                remedy = f"did you mean {near}?" if near else "name inputs of the program"
                raise NameProblem(f"--hold {name}: the program has no such input", remedy=remedy)
            if not sources[name].held:
                raise UsageProblem(f"--hold {name}: {name} has no value to keep", remedy=f"give it one: --{name} NUMBER")
        kept = [name for name, source in sources.items() if source.held]
        if kept and len(kept) < len(sources):
            result.remarks.append(f"{', '.join(kept)} {'keeps its value' if len(kept) == 1 else 'keep their values'} at all points")
        return sources

    def _points(
        self, function: Function, sources: Mapping[str, Source], other: Function | None, result: Verification
    ) -> list[Mapping[str, Any]]:
        """The random points: inside the domain of the output, half of them inside that of the other function."""
        free = [name for name, source in sources.items() if not source.held]
        count = self._count(function) if free else 0
        drawer = Drawer(function, sources, self.settings.seed)
        points: list[Mapping[str, Any]] = list(drawer.points(count if other is None else (count + 1) // 2))
        result.missed = drawer.failed
        if other is not None:
            second = Drawer(other, sources, self.settings.seed + 1)
            points += second.points(count // 2)
            result.missed += second.failed
        result.drawn = len(points)
        if result.missed and points:
            what = "no random point" if not points else f"only {len(points)} random points"
            result.remarks.append(
                f"{what} inside the domain {'were' if len(points) > 1 else 'was'} found: give ranges, such as --x 0..1"
            )
        return points

    def _count(self, function: Function) -> int:
        if self.settings.points is not None:
            return self.settings.points
        if function.shapes is not None:
            return max(2, min(ARRAY_POINTS, GATES // (20 * len(function.graph))))
        return max(3, min(POINTS, GATES // len(function.graph)))

    # ---- judgements --------------------------------------------------------------------------------------------------------------

    def _check_gradients(self, function: Function, points: Sequence[Mapping[str, Any]], result: Verification) -> None:
        settings = self.settings
        names = [name for name in function.inputs if name not in function.fixed()]
        parts = [(function, ()), *((derivative, (name,)) for name, derivative in self._second(function, names))]
        done = 0
        near = [point for point in points if _near(point)]
        points = [point for point in near if not function.is_through_infinity(point)] or near
        result.compared = len(points)

        def step() -> None:
            nonlocal done
            done += 1
            if self.progress is not None:
                self.progress(done, len(parts) * len(points))

        for part, before in parts:
            wanted = [name for name in names if name in part.inputs]
            result.gradients += check_gradients(part, wanted, result.point, points, settings.method, settings.every, before, step)

    def _second(self, function: Function, names: Sequence[str]) -> Iterator[tuple[str, Function]]:
        if self.settings.order < 2:
            return
        nodes = function.input_nodes()
        for name in names:
            yield name, function.derivative(nodes[name])

    def _judged(
        self,
        made: Formula,
        written: Written,
        formula: Formula,
        function: Function,
        points: Sequence[Mapping[str, Any]],
        result: Verification,
    ) -> ClaimResult:
        """One claim against the derivative, with the reason if it is wrong."""
        claim = Claim(written.names, made.text, _function(made))
        derivative, before = self._derivative(function, formula, written.names)
        _check_shape(claim, derivative, written)
        at_given = _gradient_at(before, formula, written.names, result.point, self.settings)
        exact = self.settings.method == "exact"
        found = judge_claim(claim, derivative, result.point, points, at_given, exact)
        found.same = found.verdict != "mismatch" and same_formula(claim.function, derivative)
        if found.same and found.verdict == "unsure":
            found.verdict = "ok"
        node = _node_of(before, formula, written.names[-1], len(written.names))
        names = formula.names if before is function else _names_of(before)
        found.derivative = "0" if node is None else _derivative_text(before, before.output, node, names)
        if found.verdict == "mismatch":
            found.hints = self._hints(found, written, formula, function, before, derivative)
            found.hints = found.hints or _held_reason(found, derivative, formula)
            found.note = found.note or where_it_holds(found)
        return found

    def _hints(
        self,
        found: ClaimResult,
        written: Written,
        formula: Formula,
        function: Function,
        before: Function,
        derivative: Function,
    ) -> list[str]:
        """The slips that explain a wrong claim."""
        order = len(written.names)
        node = _node_of(before, formula, written.names[-1], order)
        if node is None:
            return []
        first = order == 1
        names = formula.names if first else _names_of(before)
        others = dict(self._mistakable(function, written.names, derivative))
        return explain_claim(
            found,
            before,
            node,
            formula.label if first else lambda inner: spell(before.graph, inner, names.get, LABEL_LIMIT),
            lambda inner: _derivative_text(before, inner, node, names),
            others,
            function if first else None,
        )

    def _derivative(self, function: Function, formula: Formula, names: Sequence[str]) -> tuple[Function, Function]:
        """The derivative by these names in turn, and the function whose derivative by the last of them it is."""
        before = function
        for name in names[:-1]:
            before = _by(before, formula, name, before is function)
        return _by(before, formula, names[-1], before is function), before

    def _mistakable(self, function: Function, names: Sequence[str], derivative: Function) -> Iterator[tuple[str, Function]]:
        """Derivatives that a claim is easily mistaken for."""
        nodes = function.input_nodes()
        if len(names) == 1:
            for other, node in nodes.items():
                if other != names[0]:
                    yield f"this is the derivative by {other}, not by {names[0]}", function.derivative(node)
            inner = derivative.input_nodes().get(names[0])
            if inner is not None:
                yield f"this is the second derivative: write --claim {names[0]},{names[0]}=…", derivative.derivative(inner)
            return
        for name in dict.fromkeys(names):
            if name in nodes:
                yield f"this is the first derivative, by {name}", function.derivative(nodes[name])


def _by(function: Function, formula: Formula, name: str, first: bool) -> Function:
    """The derivative of a function by a name; zero where it does not depend on it."""
    node = _node_of(function, formula, name, 1 if first else 2)
    if node is None:
        graph = Graph()
        graph.add_constant(0.0)
        return Function(graph, ())
    return function.derivative(node)


def _node_of(function: Function, formula: Formula, name: str, order: int) -> int | None:
    return formula.node(name) if order == 1 else function.input_nodes().get(name)


def _derivative_text(function: Function, output: int, node: int, names: Mapping[int, str]) -> str:
    """The derivative of a node by another as a formula; empty where it is too long to be read."""
    graph = function.graph.with_constants({})
    typed = len(graph)
    builder = ExactBuilder(graph, function.shapes)
    (found,) = differentiate(graph, output, [node], function.shapes, builder=builder)
    if found is None:
        return "0"
    if len(graph) > 4 * FORMULA_LIMIT:
        return ""
    part, said, known = _in_names(graph, found, names)
    shapes = None if function.shapes is None else [builder.shape(inner) for inner in known]
    simple = simplify(part, [len(part) - 1], shapes, typed=sum(inner < typed for inner in known), taken=said.values())
    (written,) = simple.outputs
    assert written is not None
    text = spell(simple.graph, written, (simple.constants | said).get, FORMULA_LIMIT)
    return "" if len(text) >= FORMULA_LIMIT else text


def _in_names(graph: Graph, node: int, names: Mapping[int, str]) -> tuple[Graph, dict[int, str], list[int]]:
    """What a node is made of, as far as named nodes, which stand as inputs: the graph, the names of inputs by number, the nodes."""
    needed = bytearray(node + 1)
    needed[node] = 1
    for inner in range(node, -1, -1):
        if needed[inner] and (inner not in names or inner == node):
            for source in graph.inputs(inner):
                needed[source] = 1
    part = Graph()
    found: dict[int, int] = {}
    said: dict[int, str] = {}
    for inner in range(node + 1):
        if not needed[inner]:
            continue
        gate, attributes, _ = graph.operator(inner)
        if inner in names and (inner != node or gate is None):
            said[part.input_count] = names[inner]
            found[inner] = part.add_input()
        elif gate is None:
            found[inner] = part.add_constant(graph.constant(inner))
        else:
            found[inner] = part.add(gate, [found[source] for source in graph.inputs(inner)], attributes)
    return part, said, list(found)


def _names_of(function: Function) -> dict[int, str]:
    return {node: name for name, node in function.input_nodes().items()}


def _function(formula: Formula) -> Function:
    typical = [0.0 if value is None or isinstance(value, Interval) else value for value in formula.values]
    try:
        return function_of(formula.graph, formula.inputs, typical, formula.makers)
    except NodeProblem as found:
        raise formula.problem(found) from None


def _check_shape(claim: Claim, derivative: Function, written: Written) -> None:
    """A claim has the derivative's shape, or one that is repeated to it.

    Raises:
        ShapeProblem: it has another.
    """
    from gradcalc.gates.linear_algebra import broadcast_shapes
    from gradcalc.gates.reductions import spell_shape

    told, known = claim.function.shape, derivative.shape
    try:
        fits = broadcast_shapes(told, known) == known
    except ValueError:
        fits = False
    if not fits:
        raise ShapeProblem(
            f"{written.what}: the claim {_shape_words(told, spell_shape)}, the derivative {_shape_words(known, spell_shape)}",
            remedy="a derivative has the shape of what it is taken by",
        )


def _check_same_shape(first: Function, second: Function) -> None:
    """Only what has one shape can be one function.

    Raises:
        ShapeProblem: the shapes differ.
    """
    from gradcalc.gates.reductions import spell_shape

    if first.shape != second.shape:
        told, known = (_shape_words(function.shape, spell_shape) for function in (second, first))
        raise ShapeProblem(
            f"--equals: the formula {told}, the output {known}", remedy="only what has one shape can be one function"
        )


def _shape_words(shape: Shape, spell_shape: Callable[[Shape], str]) -> str:
    return f"has shape {spell_shape(shape)}" if shape else "is a number"


def _gradient_at(
    before: Function, formula: Formula, names: Sequence[str], point: Mapping[str, Any] | None, settings: Settings
) -> tuple[Any, Check] | None:
    """The gradient by the last name at the given point, and its check."""
    node = _node_of(before, formula, names[-1], len(names))
    if point is None or node is None:
        return None
    evaluation = before.evaluate(point)
    backpropagate(evaluation, 1.0, [node])
    if not evaluation.wanted[node]:
        return None
    found, _ = check(evaluation, [node], settings.method, settings.every)
    return evaluation.gradients[node], found(node)


def _finite(value: Any) -> bool:
    if value is None or isinstance(value, float):
        return value is not None and math.isfinite(value)
    import numpy

    return bool(numpy.isfinite(value).all())


def _near(point: Mapping[str, Any]) -> bool:
    """Whether all numbers are of a size at which differences can tell."""
    return all(abs(value) <= FAR for value in point.values() if isinstance(value, float))


def _held_reason(result: ClaimResult, derivative: Function, formula: Formula) -> list[str]:
    """Whether a wrong claim is right while inputs that it does not name keep their values: then numbers were put in for names."""
    values = dict(zip(formula.inputs, formula.values))
    missing = {
        name: value
        for name, value in values.items()
        if isinstance(value, float) and name not in result.claim.function.inputs and name not in result.claim.names
    }
    if not missing:
        return []
    kept = [compare_at(result.claim.function, derivative, dict(seen.point) | missing) for seen in result.seen]
    verdicts = [seen.difference.verdict for seen in kept]
    if "mismatch" in verdicts or verdicts.count("ok") < FEWEST:
        return []
    named = ", ".join(f"{name} = {value:.6g}" for name, value in missing.items())
    names = ",".join(missing)
    return [f"it is right where {named}: write the name instead of the number, or keep the value by --hold {names}"]
