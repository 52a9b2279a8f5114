"""`gradcalc optimize`: climbs or descends a formula over some of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import Example, Names, OneOf, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.option_types import Real
from gradcalc.cli.output import Output
from gradcalc.errors import BindingProblem, GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.formula import Formula
    from gradcalc.learning.climb import State
    from gradcalc.learning.problem import Bound
    from gradcalc.learning.search import Search
    from gradcalc.views.curve import LiveCurve

METHODS = ("random", "numerical", "gradient", "momentum", "nesterov", "rmsprop", "adam", "newton", "lbfgs")
"""The names of the methods, so that help needs not load them; a test holds them equal to the registry."""

HELP = """Make the value of a formula as small or as large as it gets, by changing some of its inputs.

It begins at the values of the inputs, and makes steps until the gradient is no longer than the tolerance or all steps are
made. A range is a bound: --x 0..5, or --bound x=0..5 beside a value; an input with a bound and no value begins in the middle.
Of a program with several outputs each is optimized on its own.

\b
random     keep a random tweak when it is better
numerical  follow the gradient, taken by central differences
gradient   follow the gradient
momentum   the same, keeping 0.9 of the speed of the last step
nesterov   the same, with the gradient taken further ahead
rmsprop    the gradient, divided by its recent size
adam       momentum and size, both averaged
newton     solve with the Hessian; for up to 2,000 numbers
lbfgs      curvature learned on the way; needs SciPy (gradcalc[optimize])

The rate is the size of a step: 0.01 unless another is given (newton 1; lbfgs finds its own).

The exit status is 2 where the search fails: it diverges, grows without bound, meets nan or inf, or comes to a point where the
gradient vanishes, but that is no minimum (or maximum). After Ctrl-C it is 130, and what stands there is the best so far."""

EXAMPLES = (
    Example('gradcalc optimize "(x-3)^2 + y^2" --minimize --x 0 --y 1 --rate 0.1', "down to a minimum"),
    Example('gradcalc optimize "x*y" --maximize --x -2 --y 3 --steps 1', "one step uphill"),
    Example('gradcalc optimize "x*sin(x)" --maximize --x 0..20 --starts 9', "the highest of several hills"),
    Example('gradcalc optimize "x^4 - x" --minimize --x 2 --method newton --trace', "every step of it"),
)


@click.command("optimize", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--minimize", is_flag=True, help="Make it as small as it gets.")
@option("--maximize", is_flag=True, help="Make it as large as it gets.")
@option("--over", multiple=True, type=Names(), metavar="NAMES", help="Which inputs to change: w,b (all that it depends on).")
@option("--method", type=OneOf(METHODS), default="gradient", metavar="METHOD", help="How to make a step (gradient).")
@option("--rate", type=Real(above=0.0), metavar="NUMBER", help="The size of a step (0.01).")
@option("--steps", type=Whole(0), default=1000, metavar="N", help="How many steps at most (1000).")
@option("--tolerance", type=Real(least=0.0), metavar="NUMBER", help="Stop when the gradient is no longer than this (1e-8).")
@option("--bound", multiple=True, metavar="NAME=LOW..HIGH", help="Keep an input between two values; inf is one, too.")
@option("--starts", type=Whole(1, 100_000), default=1, metavar="N", help="Begin at N places, drawn within bounds or around.")
@option("--trace", is_flag=True, help="Show every step, too.")
@program_options
@output_options("table", "json", "csv")
def command(
    program: GivenProgram,
    output: Output,
    minimize: bool,
    maximize: bool,
    over: tuple[tuple[str, ...], ...],
    method: str,
    rate: float | None,
    steps: int,
    tolerance: float | None,
    bound: tuple[str, ...],
    starts: int,
    trace: bool,
) -> int:
    """Optimize every output of a program."""
    import os
    import sys

    from gradcalc.cli.searching import bounds_given
    from gradcalc.learning.climb import Settings
    from gradcalc.learning.methods import METHODS as KNOWN
    from gradcalc.views.curve import LiveCurve

    if minimize == maximize:
        given = "both --minimize and --maximize are" if minimize else "neither --minimize nor --maximize is"
        raise UsageProblem(f"{given} given", remedy="write --minimize to descend, or --maximize to climb")
    chosen = KNOWN[method]
    if rate is not None and chosen.rate is None:
        raise UsageProblem(f"{method} finds its own steps", remedy="leave out --rate")
    if tolerance is not None and method == "random":
        raise UsageProblem("random search takes no gradient, so it has no tolerance", remedy="leave out --tolerance")
    seed_drawn = program.seed is None
    if program.seed is None:
        program.seed = int.from_bytes(os.urandom(4))
    settings = Settings(rate if rate is not None else chosen.rate, steps, 1e-8 if tolerance is None else tolerance)
    names = [name for group in over for name in group]
    workspace = program.workspace()
    bounds = bounds_given(bound)
    traced_here = trace and output.path is None and sys.stdout.isatty()
    curve = LiveCurve("value", watched=not output.quiet and not traced_here)
    with output:
        search = _Searches(output, workspace, curve, trace, seed_drawn)
        for answer in program.formulas(workspace, kinds=("range",), optional=True):
            search.asked = True
            try:
                if isinstance(answer, GradcalcError):
                    raise answer
                program.offer(search.run(answer, maximize, names, bounds, chosen, settings, starts, program.seed))
            except GradcalcError as problem:
                output.error(_with_bound(program.explained(problem, workspace), program))
        if not search.asked:
            output.warning("there is nothing to optimize")
    return output.status


def _with_bound(problem: GradcalcError, program: GivenProgram) -> GradcalcError:
    """A problem with a range that has no end; as a bound, it may be written beside a value."""
    for name, text in program.bindings.items():
        if ".." in text and isinstance(problem, BindingProblem) and problem.message.startswith(f"--{name}:") and not problem.remedy:
            problem.remedy = f"a bound without an end stands beside a value: --{name} NUMBER --bound {name}={text.strip()}"
    return problem


class _Searches:
    """The searches of one command line, one after the other."""

    def __init__(self, output: Output, workspace: Any, curve: LiveCurve, trace: bool, seed_drawn: bool) -> None:
        self.output = output
        self.workspace = workspace
        self.curve = curve
        self.trace = trace
        self.seed_drawn = seed_drawn
        self.asked = False
        self._told_header = ""
        self._parting = ""

    def run(
        self,
        formula: Formula,
        uphill: bool,
        over: Sequence[str],
        bounds: dict[str, Bound],
        method: Any,
        settings: Any,
        starts: int,
        seed: int,
    ) -> dict[str, Any]:
        """Optimize one output, write what came out, and return the values found; none where the search failed."""
        from gradcalc.cli.searching import failure, problem_of, unmoved
        from gradcalc.learning.search import Search, search

        kinds = {name: entry.kind for name, entry in self.workspace.program.known.items()}
        problem, names, warnings = problem_of(formula, over, kinds, bounds, uphill, method.needs != "values")
        watch, steps = self._watcher(formula.text, names, settings.steps, starts)
        with self.curve.begin_again(formula.text):
            found = search(problem, method, settings, starts, seed, watch)
        seed_drawn = self.seed_drawn and (method.name == "random" or starts > 1 or formula.makers.drawn)
        answer = Search(formula.text, names, method, settings.rate, seed, found, [*formula.warnings, *warnings], seed_drawn)
        answer.warnings.extend(unmoved(answer))
        if found.outcome.start.value == found.outcome.start.value:
            self._write(answer, steps)
        for warning in answer.warnings:
            self.output.warning(warning)
        if found.interrupted:
            raise KeyboardInterrupt
        if found.outcome.stop.failed:
            self.output.error(failure(formula, answer))
            return {}
        return dict(zip(names, found.outcome.end.values))

    def _watcher(
        self, text: str, names: Sequence[str], total: int, starts: int
    ) -> tuple[Callable[[int, State], None] | None, list[tuple[int, State]]]:
        """Who is told every step: the curve, and the trace."""
        from gradcalc.views.search import step_header, step_line, step_row

        output, curve = self.output, self.curve
        kept: list[tuple[int, State]] = []
        write: Callable[[int, State], object] | None = None
        if self.trace and output.format == "csv":
            header = step_header(names)
            if header != self._told_header:
                output.write(header)
                self._told_header = header
            write = lambda number, state: output.write(step_row(text, number, state))  # noqa: E731
        elif self.trace and output.format == "json":
            write = lambda number, state: output.write(step_line(text, names, number, state, output.surface.unicode))  # noqa: E731
        elif self.trace:
            write = lambda number, state: kept.append((number, state))  # noqa: E731
        if write is None and not curve.watched:
            return None, kept

        def watch(number: int, state: State) -> None:
            if write is not None:
                write(number, state)
            curve.add(state.step, total, state.value, number, starts)

        return watch, kept

    def _write(self, answer: Search, steps: list[tuple[int, State]]) -> None:
        from gradcalc.views.json import json_line
        from gradcalc.views.search import SEARCH_HEADER, search_document, search_rows, search_text, steps_text

        output = self.output
        if output.format == "json":
            output.write(json_line(search_document(answer), output.surface.unicode))
        elif output.format == "csv":
            if not self.trace:
                output.write(("" if self._told_header else SEARCH_HEADER) + search_rows(answer))
                self._told_header = SEARCH_HEADER
        else:
            text = self._parting
            if self.trace:
                text += steps_text(steps, answer.names, output.surface, output.digits, output.every_row) + "\n"
            output.write(text + search_text(answer, output.surface, output.digits, output.every_row))
            self._parting = "\n"
