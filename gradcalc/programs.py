"""The Python door: a program parsed once, evaluated as often as wanted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any
from unicodedata import normalize

from gradcalc.engine.compiled import Program, compile_graph
from gradcalc.engine.shapes import as_key, size_inputs
from gradcalc.errors import BindingProblem, GradcalcError, UsageProblem
from gradcalc.formula import Formula
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.program import Assigned, Output
from gradcalc.workspace import Options, Result, Workspace, as_value

MOST_GRADIENTS = 6
"""So many gradients the short text of a result has."""

KEPT = 64
"""For so many shapes and sizes the programs are remembered."""


class ShownResult(Result):
    """A result that shows itself in Jupyter, as a table and a picture."""

    __slots__ = ()

    def __repr__(self) -> str:
        """The output with its value, the first gradients and the verdict."""
        from gradcalc.views.numbers import array_text, exact_text

        def text(value: Any) -> str:
            return exact_text(value) if isinstance(value, float) else array_text(value, 6, 60)

        if self.value is None:
            return f"<{self.output}: {self.reason or 'no value'}>"
        shown = [f"{name} {text(gradient)}" for name, gradient in [*self.gradients.items()][:MOST_GRADIENTS]]
        more = len(self.gradients) - len(shown)
        listed = ", ".join([*shown, *([f"and {more} more"] if more else [])])
        return f"<{self.output} = {text(self.value)}; {f'gradients {listed}; ' if listed else ''}{self.verdict}>"

    def _repr_html_(self) -> str:
        from gradcalc.views.notebook import result_html

        return result_html(self)

    def _repr_svg_(self) -> str | None:
        from gradcalc.views.notebook import result_svg

        return result_svg(self)


def _shown(result: Result) -> ShownResult:
    return ShownResult(**{field.name: getattr(result, field.name) for field in fields(result)})


class Calculation:
    """A parsed program.

    Attributes:
        text: the program.
        inputs: the names of its inputs, in the order of their first use.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        """Parse a program; see `parse`."""
        self.text = _as_text(text)
        self._file = file
        workspace = Workspace()
        self._workspace = workspace
        self._outputs: list[tuple[Output | Assigned, int]] = []
        last: tuple[Assigned, int] | None = None
        mark = workspace.program.mark()
        for statement in workspace.program.statements(text, file):
            if isinstance(statement, GradcalcError):
                raise statement
            if isinstance(statement, Output):
                self._outputs.append((statement, mark.graph.nodes))
            elif isinstance(statement, Assigned):
                last = (statement, mark.graph.nodes)
            mark = workspace.program.mark()
        if not self._outputs and last is not None:
            self._outputs.append(last)
        self.inputs = [entry.name for entry in workspace.program.inputs]

    def evaluate(self, **values: Any) -> Result:
        """Evaluate, backpropagate and check the program's output.

        Keyword arguments are the values of inputs: numbers, nested lists or arrays. For the options of an evaluation see
        `evaluate_all`.

        Raises:
            GradcalcError: a value is missing, unknown or unsuitable; the program has no output, or several.
        """
        if len(self._outputs) != 1:
            count = len(self._outputs)
            raise UsageProblem(f"the program has {count or 'no'} outputs", remedy="evaluate_all() gives one result for each")
        (result,) = self.evaluate_all(values)
        return result

    def evaluate_all(self, values: dict[str, Any] | None = None, options: Options | None = None) -> Iterator[Result]:
        """Evaluate every output of the program, one after the other.

        Args:
            values: of the inputs, by name.
            options: how to evaluate: gradients by which names, from above, checked how.

        Raises:
            GradcalcError: as `evaluate`.
        """
        try:
            yield from self._answers(values, options)
        except BindingProblem as problem:
            raise _for_python(problem) from None

    def _answers(self, values: dict[str, Any] | None, options: Options | None) -> Iterator[Result]:
        fresh = Workspace(values, options)
        if all(name in self.inputs for name in fresh.bindings):
            fresh.program = self._workspace.program
            for statement, first in self._outputs:
                yield _shown(fresh.answer(statement, first))
            for problem in fresh.unknown_names():
                raise problem
            return
        # A value for a name that is no input changes what the program means (pi, say), or is a mistake: read it again.
        for answer in fresh.answers(self.text, self._file):
            if isinstance(answer, GradcalcError):
                raise answer
            # The rows are made when they are looked at, and the stream forgets an output's nodes when it goes on.
            answer.nodes = tuple(answer.nodes)
            yield _shown(answer)


def _for_python(problem: BindingProblem) -> BindingProblem:
    """A mistake about values in the words of those who give them as arguments of a function."""
    problem.remedy = re.sub(r"--(\w+)[ =]([A-Z]+)", r"evaluate(\1=\2)", problem.remedy)
    problem.message, problem.remedy = (re.sub(r"(?<![-\w)])--(?=[^\W\d])", "", text) for text in (problem.message, problem.remedy))
    return problem


def parse(text: str, file: str | None = None) -> Calculation:
    """Parse a program of the language.

    >>> import gradcalc
    >>> result = gradcalc.parse("(a+b)/(c+d)").evaluate(a=1, b=2, c=3, d=4)
    >>> result.value
    0.42857142857142855
    >>> result.gradients["c"]
    -0.061224489795918366

    Args:
        text: one or more statements.
        file: a name for messages.

    Raises:
        GradcalcError: the first mistake, with its place.
    """
    return Calculation(text, file)


def _as_text(program: Any) -> str:
    if isinstance(program, str):
        return program
    raise UsageProblem(f"a program is a text, and not of type {type(program).__name__}", remedy='write it in quotes: "a*b"')


class Compiled:
    """A program's one output as a function of its inputs; see `compile`.

    Attributes:
        text: the output, in the language.
        inputs: the names of its inputs.
        defaults: the values of those that the program gives a default.
    """

    def __init__(
        self, text: str, file: str | None = None, backend: str = "auto", seed: int | None = None, bound: Collection[str] = ()
    ) -> None:
        """Parse a program and compile it; see `compile`.

        Args:
            text: the program.
            file: a name for messages.
            backend: what runs it.
            seed: of its random numbers; by default one from the system.
            bound: names that are inputs, even if they are those of constants.
        """
        self._program_text = _as_text(text)
        workspace = Workspace(options=Options(seed=seed), columns=bound)
        formulas = list(workspace.formulas(text, file, kinds=("array",), optional=True))
        for formula in formulas:
            if isinstance(formula, GradcalcError):
                raise formula
        if len(formulas) != 1:
            count = len(formulas) or "no"
            raise UsageProblem(f"the program has {count} outputs", remedy="compile one output at a time")
        (formula,) = formulas
        assert isinstance(formula, Formula)
        self.text = formula.text
        self.inputs = formula.inputs
        self.defaults = {name: value for name, value in zip(formula.inputs, formula.values) if value is not None}
        self._formula = formula
        self._file = file
        self._backend = backend
        self._bound = frozenset(bound)
        self._shadowed: dict[frozenset[str], Compiled] = {}
        """The program with names of constants as inputs, where a call gives them values."""
        self._sizes = size_inputs(formula.graph)
        self._programs: dict[tuple[Any, ...], Program] = {}
        self._numbers: Program | None = None
        """The program for numbers, once there is one."""

    def __repr__(self) -> str:
        text = self._program_text if len(self._program_text) <= 60 else f"{self._program_text[:59]}…"
        return f"gradcalc.compile({text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        seed = self._formula.makers.seed
        return Compiled, (self._program_text, self._file, self._backend, seed, tuple(self._bound))

    def __call__(self, /, **values: Any) -> tuple[Any, dict[str, Any]]:
        """Value and gradients.

        Args:
            values: of the inputs, by name: numbers, arrays or nested lists. Those with a default may be left out.

        Returns:
            The value (a float or an array), and by name the gradients by all inputs; of an array, those of its sum.

        Raises:
            GradcalcError: an input has no value, or there is no such input; shapes do not fit.
        """
        given = {**self.defaults, **values} if self.defaults else values
        names = self.inputs
        try:
            point = [given[name] for name in names]
        except KeyError:
            return self._by_other_names(values)
        if len(given) != len(names):
            return self._by_other_names(values)
        program = self._numbers
        for value in point:
            if type(value) is not float:
                point = [value if type(value) is float else as_value(value, name) for value, name in zip(point, names)]
                program = self._program(point)
                break
        if program is None:
            program = self._program(point)
        value, gradients = program.value_and_gradients(point)
        return value, dict(zip(names, gradients))

    def _program(self, point: Sequence[Any]) -> Program:
        """The program for values of these shapes, and these sizes; for numbers, if there are none."""
        shapes = tuple(() if isinstance(value, float) else value.shape for value in point)
        sizes = tuple(as_key(point[number]) for number in sorted(self._sizes))
        key = (shapes, sizes) if sizes or any(shapes) else ()
        known = self._programs.get(key)
        if known is None:
            graph, found = self._formula.prepared(point)
            while len(self._programs) >= KEPT:
                del self._programs[next(iter(self._programs))]
            known = self._programs[key] = compile_graph(graph, range(len(self.inputs)), found, None, self._backend)
        if not key:
            self._numbers = known
        return known

    def _by_other_names(self, values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Value and gradients where names are spelled in another way (µ is μ), or are those of constants.

        Raises:
            BindingProblem: names are missing, or are none of the program's.
        """
        plain = {normalize("NFKC", name): value for name, value in values.items()}
        if len(plain) < len(values):
            twice = next(name for name in values if normalize("NFKC", name) != name)
            raise BindingProblem(f"{normalize('NFKC', twice)} is given twice", remedy=f"leave out {twice}")
        if plain.keys() != values.keys():
            return self(**plain)
        constants = frozenset(name for name in plain if name in CONSTANTS and name not in self.inputs)
        if constants and not constants & self._bound:
            if constants not in self._shadowed:
                seed = self._formula.makers.seed
                self._shadowed[constants] = Compiled(
                    self._program_text, self._file, self._backend, seed, (*self._bound, *constants)
                )
            return self._shadowed[constants](**plain)
        raise self._wrong_names({**self.defaults, **plain})

    def _wrong_names(self, given: Mapping[str, Any]) -> GradcalcError:
        for name in given:
            if name not in self.inputs:
                others = f"the inputs are {', '.join(self.inputs)}" if self.inputs else "it has no inputs"
                problem = BindingProblem(f"{self.text} has no input {name}", remedy=others)
                problem.unknown = name
                return problem
        missing = next(name for name in self.inputs if name not in given)
        problem = BindingProblem(f"{missing} has no value", remedy=f"give it one: f({missing}=NUMBER), or a default in the program")
        problem.missing = missing
        return problem


def compile(text: str, file: str | None = None, *, backend: str = "auto") -> Compiled:
    """Compile a program of one output into a function that answers its value and all gradients.

    >>> import gradcalc
    >>> f = gradcalc.compile("(a+b)/(c+d)")
    >>> value, gradients = f(a=1, b=2, c=3, d=4)
    >>> value
    0.42857142857142855
    >>> gradients["a"]
    0.14285714285714285

    The function is quick to call again and again: a formula of ten gates takes about two microseconds. Arrays are compiled for the
    shapes that they have when they first come, and inputs that are sizes (the n of `zeros(n)`) for each of their values.

    Args:
        text: one or more statements, one of which is an output.
        file: a name for messages.
        backend: what runs it; see `engine.compiled.compile_graph`.

    Raises:
        GradcalcError: the first mistake, with its place; several outputs.
    """
    return Compiled(text, file, backend)
