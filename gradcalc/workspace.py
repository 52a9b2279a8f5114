"""Names, bindings, a graph and the last result: statements go in, checked results come out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from unicodedata import normalize

from gradcalc.answering import Answering, spread_out
from gradcalc.calculus.extract import HIDDEN, Extract, extract
from gradcalc.dialects.language import Spelled, Speller, spell
from gradcalc.engine.evaluate import Evaluation, evaluate
from gradcalc.engine.finite import all_finite, spell_value
from gradcalc.engine.makers import Makers
from gradcalc.engine.shapes import NodeProblem, shape_of
from gradcalc.errors import BindingProblem, GradcalcError, LimitProblem, NameProblem, ShapeProblem, UsageProblem
from gradcalc.formula import Formula, Interval, Measured, Points, Written
from gradcalc.gates.record import Body
from gradcalc.graph import CONSTANT, INPUT, Operator
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.nearest import nearest
from gradcalc.language.program import Assigned, Input, Output, Program
from gradcalc.language.sheet import LABEL_LIMIT
from gradcalc.results import NodeReport, Nodes, Result

if TYPE_CHECKING:
    from gradcalc.uncertainty.spread import Correlation, Spread

__all__ = ["NodeReport", "Nodes", "Options", "Result", "Workspace", "as_value"]

Answer = TypeVar("Answer")

OUTPUT_LIMIT = 2000
"""How many characters of a long output are spelled out."""


@dataclass(frozen=True, slots=True)
class Options:
    """How outputs are evaluated.

    Attributes:
        wrt: names of inputs or nodes to differentiate by; None stands for all inputs.
        upstream: the gradient from above, as a constant expression or a value; None stands for ones.
        open: names of composed and user gates to open, or `all`.
        check: how numerical derivatives are taken; `off` for none.
        check_all: whether every element of large arrays is checked, instead of some and random directions.
        gradients: whether gradients are wanted at all.
        strict: whether `unsure` counts as a failure.
        seed: makes random makers repeatable.
        load_allowed: whether programs may read files.
        max_array: the largest array that may be made, in bytes.
        mode: `reverse` for gradients, or `forward` for how every node moves when inputs do.
        direction: in forward mode how far inputs move, by name; None moves each input (or those of `wrt`) by itself.
        correlations: between uncertain inputs.
        monte_carlo: how many draws of uncertain inputs are evaluated; None for none.
        sensitivity: whether elasticities are wanted, and the source painted by them.
        conventions: whether it is wanted what is answered at kinks, here and elsewhere.
    """

    wrt: tuple[str, ...] | None = None
    upstream: Any = None
    open: tuple[str, ...] = ()
    check: str = "auto"
    check_all: bool = False
    gradients: bool = True
    strict: bool = False
    seed: int | None = None
    load_allowed: bool = True
    max_array: int | None = None
    mode: str = "reverse"
    direction: Mapping[str, Any] | None = None
    correlations: tuple[Correlation, ...] = ()
    monte_carlo: int | None = None
    sensitivity: bool = False
    conventions: bool = False


class Workspace:
    """A program with values for its inputs, which answers one output after the other."""

    def __init__(
        self,
        bindings: Mapping[str, Any] | None = None,
        options: Options | None = None,
        progress: Callable[[int, int], None] | None = None,
        columns: Collection[str] = (),
    ) -> None:
        """Start an empty program.

        Args:
            bindings: values for inputs: numbers, arrays, nested lists, or values as the command line has them.
            options: how to evaluate.
            progress: is told by long checks how many elements of how many are checked.
            columns: names that will have values row by row: they are inputs, too, even if they are those of constants.
        """
        self.progress = progress
        self.bindings = {normalize("NFKC", name): value for name, value in (bindings or {}).items()}
        self.options = options or Options()
        self.program = Program({*self.bindings, *columns} if columns else self.bindings.keys())
        self._values: dict[str, Any] = {}
        self._seed: Any = None
        self.makers = Makers(self.options.seed, self.options.load_allowed, self.options.max_array)
        self._opened_names: set[str] = set()
        self._called_names: set[str] = set()
        """User gates that the program itself calls, not only its gates."""
        self._told: set[str] = set()
        """Inputs without a value, and names without an input, of which that was said already."""
        self.notes: dict[str, list[str]] = {}
        """Warnings about values that have been read, not yet told."""
        self._kinds: frozenset[str] = frozenset({"uncertain"})
        self._optional = False
        """What results and formulas may have beside single values; see `formulas`."""
        self._spread: tuple[Mapping[str, Any], Spread] | None = None

    # ---- the stream of answers ---------------------------------------------------------------------------------------------------

    def answers(
        self, source: str | Iterable[str], file: str | None = None, *, optional: bool = False
    ) -> Iterator[Result | GradcalcError]:
        """Take a program statement by statement; yield a result for each output as soon as it is known, and what is wrong.

        With no output at all, the last named thing is the output. Names that have a value and do not occur are reported at the
        end. Memory does not grow with the number of outputs that give no names. With `optional`, inputs may have no value: what
        depends on one is answered by its structure.
        """
        self._optional = optional
        for answer in self._taken(source, file, self.answer):
            yield answer
            if isinstance(answer, Result) and isinstance(answer.nodes, Nodes):
                answer.nodes.forget()

    def formulas(
        self,
        source: str | Iterable[str],
        file: str | None = None,
        *,
        kinds: Collection[str] = (),
        optional: bool = False,
    ) -> Iterator[Formula | GradcalcError]:
        """Take a program statement by statement, as `answers` does, and yield every output as a formula, not evaluated.

        Args:
            source: the program.
            file: a name for messages.
            kinds: values that are welcome beside single ones: `range`, `grid`, `uncertain`; with `array`, inputs without a value
                may turn out to be arrays, so that nothing is said about shapes before they are known.
            optional: whether inputs may have no value.
        """
        self._kinds, self._optional = frozenset(kinds), optional
        return self._taken(source, file, self.formula, keep=True)

    def _taken(
        self,
        source: str | Iterable[str],
        file: str | None,
        answer: Callable[[Output | Assigned, int], Answer],
        keep: bool = False,
    ) -> Iterator[Answer | GradcalcError]:
        """What `answer` makes of each output, whose nodes are forgotten then, or kept; see `answers`."""
        last: tuple[Assigned, int] | None = None
        outputs = 0
        unread = False
        held: dict[str, GradcalcError] = {}
        mark = self.program.mark()
        for statement in self.program.statements(source, file):
            if isinstance(statement, GradcalcError):
                last, unread = None, True
                yield statement
            elif isinstance(statement, Output):
                outputs += 1
                for made in self._answers_to(statement, mark.graph.nodes, answer):
                    if isinstance(made, BindingProblem) and made.missing and _assigned_in(source, made.missing):
                        held[made.missing] = made  # the assignment that comes too late is the mistake, and tells of both
                        continue
                    yield made
                if not keep:
                    self.program.cut(mark)
                    # What the statement used first stays known to the program by name, though its nodes are forgotten.
            elif isinstance(statement, Assigned):
                last = (statement, mark.graph.nodes)
                problem = self._assigned(statement)
                if problem is not None:
                    last = None
                    yield problem
            mark = self.program.mark()
        if last is not None and not outputs:
            yield from self._answers_to(*last, answer)
        yield from (problem for name, problem in held.items() if name not in self.program.broken)
        if not unread:  # what could not be read may have had any names
            yield from self.unknown_names()

    def _assigned(self, statement: Assigned) -> GradcalcError | None:
        """Compute a default right away, so that its mistakes are told in its own line."""
        if not statement.is_input or statement.name in self.bindings:
            return None
        try:
            self.input_value(self.program.inputs[self.program.graph.left[statement.node]])
        except GradcalcError as problem:
            self.program.break_name(statement.name, statement.line)
            return problem
        return None

    def _answers_to(
        self, statement: Output | Assigned, first: int, answer: Callable[[Output | Assigned, int], Answer]
    ) -> Iterator[Answer | GradcalcError]:
        missing = [] if self._optional else self.missing(statement.node, first)
        if missing:
            # One mistake is told once; so is an assignment that came too late or failed.
            new = [entry for entry in missing if entry.name not in self._told and entry.name not in self.program.late]
            self._told.update(entry.name for entry in new)
            yield from [self._no_value(entry, len(new)) for entry in new]
            return
        try:
            yield answer(statement, first)
        except GradcalcError as problem:
            yield problem

    def answer(self, statement: Output | Assigned, first: int) -> Result:
        """The result of one statement, whose nodes begin with `first`; see `result`."""
        unknown = self._optional and self.missing(statement.node, first)
        result = self.structure(statement.node, first) if unknown else self.result(statement.node, first)
        result.line = statement.line
        result.warnings[:0] = _texts(statement.warnings)
        return result

    def formula(self, statement: Output | Assigned, first: int = 0) -> Formula:
        """The output of one statement as a formula, whose graph is a copy.

        Raises:
            GradcalcError: a value is of a kind that is not welcome, or can't be computed; shapes do not fit.
        """
        program = self.program
        part = self._extract(statement.node, first, own=True)
        entries = self.inputs_of(part)
        sources = [part.source(node) for node in range(len(part.graph))]
        named = ((node, program.name_of(source)) for node, source in enumerate(sources) if source != HIDDEN)
        made = Formula(
            self._spelled(statement.node),
            statement.line,
            part.graph,
            tuple(entry.name for entry in entries),
            [self._any_value(entry) for entry in entries],
            tuple(entry.name not in self.bindings for entry in entries),
            {node: name for node, name in named if name is not None},
            self.makers,
            self.speller(part),
            lambda node: program.place(sources[_outside(sources, node)]),
        )
        made.warnings = [*_texts(statement.warnings), *(note for notes in self.notes.values() for note in notes)]
        made.written = Written(program, statement.node, first, lambda number: self._any_value(program.inputs[number]))
        self.notes.clear()
        if made.sized and ("array" not in self._kinds or all(value is not None for value in made.values)):
            made.prepared()  # what does not fit is told now, while places are known
        return made

    def _any_value(self, entry: Input) -> Any:
        """The value of an input, of any kind that is welcome; None where it has none."""
        from gradcalc.language import values as written

        given = self.bindings.get(entry.name)
        if given is None:
            return None if entry.default is None else self.input_value(entry)
        what = f"--{entry.name}"
        if isinstance(given, written.Uncertain) and "uncertain" in self._kinds:
            return self._measured(given, what)
        if isinstance(given, written.Range) and "range" in self._kinds:
            return Interval(*self._ends(given, what))
        if isinstance(given, written.Grid) and "grid" in self._kinds:
            return self._points(given, what)
        return given if isinstance(given, Interval | Points | Measured) else self.input_value(entry)

    def _number(self, value: Any, what: str, words: str) -> float:
        number = self.given_value(value, what)
        if not isinstance(number, float) or not math.isfinite(number):
            raise BindingProblem(f"{what}: {words} must be a finite number, and is {spell_value(number)}")
        return number

    def _ends(self, given: Any, what: str) -> tuple[float, float]:
        low, high = self._number(given.low, what, "an end of a range"), self._number(given.high, what, "an end of a range")
        if low >= high:
            raise BindingProblem(
                f"{what}: the range is empty, since {spell_value(low)} is not below {spell_value(high)}",
                remedy=f"write {what} LOW..HIGH",
            )
        return low, high

    def _points(self, given: Any, what: str) -> Points:
        count = self._number(given.points, what, "the number of points")
        if count != int(count) or count < 2:
            raise BindingProblem(
                f"{what}: a grid has a whole number of points, at least 2, and not {spell_value(count)}",
                remedy=f"write {what} 0..1:100",
            )
        return Points(*self._ends(given, what), int(count))

    def _measured(self, given: Any, what: str) -> Measured:
        centre = given.value if isinstance(given, Measured) else given.centre
        value, error = self.given_value(centre, what), self.given_value(given.error, what)
        if shape_of(error) not in ((), shape_of(value)):
            raise ShapeProblem(
                f"{what}: value and uncertainty differ in shape", remedy="give one uncertainty, or one for each element"
            )
        wrong = not all_finite(error) or (error < 0 if isinstance(error, float) else bool((error < 0).any()))
        if wrong:
            raise BindingProblem(f"{what}: an uncertainty is a finite number that is not negative", remedy=f"write {what} 1.0±0.1")
        return Measured(value, error)

    def missing(self, node: int, first: int) -> list[Input]:
        """The inputs that a node depends on and that have no value; for `first` see `result`."""
        found = []
        for entry in self._inputs_of(node, first):
            if entry.name not in self.bindings and entry.default is None:
                found.append(entry)
        return found

    def _inputs_of(self, node: int, first: int) -> list[Input]:
        from gradcalc.calculus.extract import dependencies

        graph, inputs = self.program.graph, self.program.inputs
        if first == 0 and node == len(graph) - 1:
            return inputs
        return [inputs[graph.left[n]] for n in dependencies(graph, node, first) if graph.codes[n] == INPUT]

    def _no_value(self, entry: Input, others: int = 0) -> BindingProblem:
        name = entry.name
        remedy = f"give it one: --{name} NUMBER, or a line {name} = NUMBER in the program"
        unknown = [given for given in self.bindings if given not in self.program.known and given not in self._told]
        near = nearest(name, unknown)
        if near is None and others == 1 and len(unknown) == 1 and name[0] == unknown[0][0]:
            near = unknown[0] if abs(len(name) - len(unknown[0])) <= 1 and len(name) < 3 else None
        if near is not None:
            self._told.add(near)
            remedy = f"did you mean --{name} instead of --{near}?\n{remedy}"
        problem = BindingProblem(f"{name} has no value", place=entry.place, remedy=remedy)
        problem.missing = name
        return problem

    def unknown_names(self) -> Iterator[GradcalcError]:
        """What was given a value, or asked for, and is not in the program."""
        known = self.program.known
        inputs = [name for name, entry in known.items() if entry.kind in ("input", "default")]
        for name in self.bindings:
            entry = known.get(name)
            if entry is None:
                if name in self.program.broken or name in self._told:
                    continue
                near = nearest(name, inputs)
                listed = f"the inputs are {', '.join(inputs)}" if len(inputs) > 1 else f"its only input is {''.join(inputs)}"
                remedy = f"did you mean --{near}?" if near else listed if inputs else ""
                problem = BindingProblem(f"the program has no input {name}", remedy=remedy or "the program has no inputs")
                problem.unknown = name
                yield problem
            elif entry.kind not in ("input", "default"):
                yield BindingProblem(
                    f"{name} is computed by the program, so it takes no value", place=entry.place(), remedy=f"leave out --{name}"
                )
        for name in self.options.wrt or ():
            if name not in known:
                near = nearest(name, list(known))
                yield NameProblem(
                    f"--wrt {name}: the program has no such name",
                    remedy=f"did you mean {near}?" if near else "name an input or a named node",
                )
        for name in self.options.direction or ():
            if name not in known:
                near = nearest(name, inputs)
                listed = f"its inputs are {', '.join(inputs)}" if inputs else "it has none"
                yield NameProblem(
                    f"--direction {name}: the program has no such input", remedy=f"did you mean {near}?" if near else listed
                )
        for name in self.options.open:
            if name == "all" or name in self._opened_names:
                continue
            if name not in self.program.gates:
                yield self._cannot_open(name)
                continue
            outer = [other for other in self._callers(name) if other in self.options.open]
            if not outer and self._callers(name) and name not in self._called_names:
                yield UsageProblem(
                    f"--open {name}: {name} is only used inside {' and '.join(self._callers(name))}",
                    remedy=f"open that too: --open {','.join(self._callers(name))},{name}",
                )

    def _callers(self, name: str) -> list[str]:
        """The user's gates that call this one."""
        return [
            other
            for other, gate in self.program.gates.items()
            if gate.body is not None and any(op.gate is not None and op.gate.name == name for op in gate.body.graph.operators)
        ]

    def _cannot_open(self, name: str) -> GradcalcError:
        from gradcalc.gates import REGISTRY

        if name in REGISTRY:
            composed = any(record.composed for record in REGISTRY[name])
            if composed:
                return UsageProblem(f"--open {name}: the program has no such gate", remedy="leave it out, or open all")
            return UsageProblem(f"--open {name}: {name} is not made of other gates", remedy="leave it out")
        near = nearest(name, [r.name for r in REGISTRY.records() if r.composed] + list(self.program.gates))
        return NameProblem(
            f"--open {name}: there is no such gate", remedy=f"did you mean {near}?" if near else "gradcalc gates lists them"
        )

    # ---- one output --------------------------------------------------------------------------------------------------------------

    def result(self, node: int, first: int = 0) -> Result:
        """Evaluate a node of the program.

        Args:
            node: the output.
            first: all nodes from this one up to the output are known to be its own (those of its statement).

        Raises:
            GradcalcError: a value is missing, shapes do not fit, an optional part is not installed.
        """
        part = self._extract(node, first)
        evaluation = self._evaluate(part)
        last = len(part.graph) - 1
        notes = [note for notes in self.notes.values() for note in notes]
        result = Result(self._spelled(node), evaluation.values[last], evaluation.shape(last), warnings=notes)
        return Answering(self, part, result, evaluation).answer()

    def structure(self, node: int, first: int = 0) -> Result:
        """A result without numbers, but for those of constants and of inputs that have one; see `result`."""
        names = [entry.name for entry in self.missing(node, first)]
        words = "has no value" if len(names) == 1 else "have no value"
        result = Result(self._spelled(node), None, reason=f"{', '.join(names)} {words}")
        return Answering(self, self._extract(node, first), result).structure()

    def value(self, node: int, first: int) -> Any:
        """The value of a node alone; see `result`."""
        return self._evaluate(self._extract(node, first)).values[-1]

    def _extract(self, node: int, first: int, own: bool = False) -> Extract:
        try:
            part = extract(self.program.graph, node, first, self._body_of, own)
        except LimitProblem as problem:
            problem.place = self.program.place(node)
            raise
        if self.options.open:
            operators = [self.program.graph.operators[code] for code in set(self.program.graph.codes)]
            self._called_names.update(operator.gate.name for operator in operators if operator.gate is not None)
        return part

    def _body_of(self, operator: Operator) -> Body | None:
        """What a gate is opened into: user gates always (they have no rules of their own), others where it was asked for."""
        gate = operator.gate
        if gate is None:
            return None
        if gate.body is not None and gate.partials is None and gate.pullback is None:
            return gate.body
        if gate.formula is not None and ("all" in self.options.open or gate.name in self.options.open):
            from gradcalc.language.formulas import parse_formula

            self._opened_names.add(gate.name)
            return parse_formula(gate, dict(operator.attributes))
        return None

    def _evaluate(self, part: Extract) -> Evaluation:
        inputs = [self.input_value(entry) for entry in self.inputs_of(part)]
        try:
            return evaluate(part.graph, inputs, self.makers)
        except NodeProblem as found:
            raise self._node_problem(part, found) from None

    def _node_problem(self, part: Extract, found: NodeProblem) -> GradcalcError:
        sources = range(len(part.graph)) if part.origin is None else part.origin
        node = _outside(sources, found.node)
        place = self.program.place(part.source(node))
        return found.problem(place=place)

    def inputs_of(self, part: Extract) -> list[Input]:
        """The inputs of an extract, in its own numbering."""
        program = self.program
        if part.origin is None:
            return program.inputs
        columns = zip(part.graph.codes, part.origin)
        return [program.inputs[program.graph.left[source]] for code, source in columns if code == INPUT]

    def input_value(self, entry: Input) -> Any:
        """The value of an input: what was given from outside, else its default.

        Raises:
            GradcalcError: it has none, or one that cannot be computed.
        """
        name = entry.name
        if name not in self._values:
            if name in self.bindings:
                given = self.bindings[name]
                if "uncertain" in self._kinds and _is_uncertain(given):
                    given = self._measured(given, f"--{name}").value
                self._values[name] = self.given_value(given, f"--{name}")
            elif entry.default is not None:
                self._values[name] = self._evaluate(self._extract(entry.default, entry.default)).values[-1]
            else:
                raise self._no_value(entry)
        return self._values[name]

    def given_value(self, value: Any, what: str) -> Any:
        """A value from outside as a float or an array."""
        from gradcalc.language import values as kinds

        if isinstance(value, kinds.Constant):
            if value.number is not None:
                return value.number
            for warning in value.warnings:
                self.notes.setdefault(what, []).append(f"{what}: {warning.report('warning')[len('warning: ') :]}")
            assert value.program is not None
            inner = Workspace(options=replace(self.options, open=(), wrt=None))
            inner.program = value.program
            inner.makers = self.makers.substream(what)
            try:
                return inner._evaluate(inner._extract(value.output, 0)).values[-1]
            except GradcalcError as problem:
                problem.message = f"{what}: {problem.message}"
                raise
        if isinstance(value, kinds.Uncertain | kinds.Range | kinds.Grid):
            words = {"Uncertain": "a value with an uncertainty", "Range": "a range", "Grid": "a grid"}[type(value).__name__]
            raise BindingProblem(f"{what} is {words}, and a single value is needed here", remedy=f"write {what} NUMBER")
        return as_value(value, what)

    # ---- what there is beside gradients ------------------------------------------------------------------------------------------

    @property
    def spread(self) -> Spread | None:
        """Which of the values that were given are uncertain, and how they are correlated; None where all are exact.

        Raises:
            GradcalcError: an uncertainty is none, or correlations are impossible.
        """
        uncertain = {name: given for name, given in self.bindings.items() if _is_uncertain(given)}
        if not uncertain and not self.options.correlations and self.options.monte_carlo is None:
            return None
        if (
            self._spread is None
            or self._spread[0].keys() != uncertain.keys()
            or any(self._spread[0][name] is not given for name, given in uncertain.items())
        ):
            from gradcalc.uncertainty.spread import Spread

            if not uncertain:
                option = "--correlation" if self.options.correlations else "--monte-carlo"
                raise UsageProblem(f"{option}: no input is uncertain", remedy="write one as VALUE±ERROR, or VALUE+/-ERROR")
            measured = {name: self._measured(given, f"--{name}") for name, given in uncertain.items()}
            errors = {name: spread_out(one.error, one.value) for name, one in measured.items()}
            self._spread = uncertain, Spread(errors, self.options.correlations)
        return self._spread[1]

    def upstream(self, shape: tuple[int, ...]) -> Any:
        """The gradient from above, for an output of this shape.

        Raises:
            GradcalcError: it does not fit, or is not finite.
        """
        if self.options.upstream is None:
            return 1.0
        if self._seed is None:
            from gradcalc.language.values import parse_value

            upstream = self.options.upstream
            given = parse_value(upstream, "--upstream") if isinstance(upstream, str) else upstream
            seed = self.given_value(given, "--upstream")
            if not all_finite(seed):
                raise UsageProblem(
                    f"the gradient from above must be finite, and {spell_value(seed)} is not",
                    remedy="write --upstream NUMBER, or an array of the output's shape",
                )
            self._seed = seed
        given_shape = shape_of(self._seed)
        if given_shape not in ((), shape):
            from gradcalc.gates.reductions import spell_shape

            found = f"shape {spell_shape(shape)}" if shape else "is a number"
            raise ShapeProblem(
                f"the gradient from above has shape {spell_shape(given_shape)}, the output {found}",
                remedy="give --upstream the shape of the output, or a number",
            )
        return self._seed

    def speller(self, part: Extract) -> Callable[[int], str]:
        """What the nodes of an extract are called: by their names, or else their expressions."""
        program = Speller(self.program.graph, self._short_name, LABEL_LIMIT)
        if part.origin is None:
            return program

        def known(node: int) -> Spelled | None:
            source = part.source(node)
            return None if source == HIDDEN else program.piece(source)

        return Speller(part.graph, lambda node: None, LABEL_LIMIT, known)

    def _short_name(self, node: int) -> str | None:
        """What a node of the program is called inside the expression of another: its name, or that of a constant."""
        program = self.program
        name = program.name_of(node)
        if name is None and program.graph.codes[node] == CONSTANT:
            label = program.label(node)
            return label if label in CONSTANTS else None
        return name

    def _spelled(self, node: int) -> str:
        program = self.program
        name = program.name_of(node)
        if name is not None:
            return name
        piece = program.label(node, OUTPUT_LIMIT)
        if len(piece) == OUTPUT_LIMIT:
            return piece  # too long to be worth spelling anew
        return spell(program.graph, node, self._short_name, OUTPUT_LIMIT)


def _texts(warnings: Iterable[GradcalcError]) -> list[str]:
    """Warnings without the word."""
    return [warning.report("warning")[len("warning: ") :] for warning in warnings]


def _outside(sources: Sequence[int], node: int) -> int:
    """The node itself, or if it is inside an opened gate the one that stands for the gate."""
    while sources[node] == HIDDEN:
        node += 1
    return node


def _is_uncertain(given: Any) -> bool:
    """Whether a value that was given has an uncertainty."""
    if isinstance(given, Measured):
        return True
    from gradcalc.language.values import Uncertain

    return isinstance(given, Uncertain)


def _assigned_in(source: str | Iterable[str], name: str) -> bool:
    """Whether a line of a text seems to assign a name (of a text that is still coming in nobody knows)."""
    return isinstance(source, str) and re.search(rf"(?:^|[;\r\n])[ \t]*{re.escape(name)}[ \t]*=(?!=)", source) is not None


def as_value(value: Any, what: str) -> Any:
    """A number as a float, nested lists or an array as an array of floats.

    Raises:
        BindingProblem: it is neither, or holds anything but numbers.
    """
    try:
        if isinstance(value, bool | int | float):
            return float(value)
        import numpy

        array = numpy.array(value, dtype=float) if type(value) is numpy.ndarray and value.dtype.kind in "biuf" else _floats(value)
    except OverflowError:
        raise BindingProblem(f"{what} is beyond what floats hold", remedy="give it inf, or numbers up to 1.8e308") from None
    except (TypeError, ValueError):
        raise BindingProblem(f"{what} is not a number or an array of numbers", remedy="give it floats") from None
    if numpy.ma.is_masked(value):
        raise BindingProblem(
            f"{what} has masked elements, and every element counts", remedy="fill them: filled(0), or compressed()"
        )
    return float(array) if array.ndim == 0 else array


def _floats(value: Any) -> Any:
    """Anything that holds real numbers as an array; text and None are not taken for numbers, though NumPy would."""
    import numpy

    array = numpy.asarray(value)
    if array.dtype.kind not in "biufO" or any(item is None or isinstance(item, str | bytes) for item in _objects(array)):
        raise TypeError
    return array.astype(float)


def _objects(array: Any) -> list[Any]:
    """The elements of an array of Python objects."""
    return array.ravel().tolist() if array.dtype.kind == "O" else []
