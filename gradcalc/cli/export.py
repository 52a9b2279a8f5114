"""`gradcalc export`: a formula and its gradients as source for other languages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import OUTPUT, Example, Names, OneOf, ProgramCommand, option, program_options
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.formula import Formula

HELP = """Write a formula as source that stands alone: a function for its value, one for value and gradients, found by the chain
rule and simplified, and a main that prints these numbers at the point given and compares them with gradcalc's: its exit status is 1
if one is off. Names of the program are kept. Nothing of gradcalc is needed to run it.

python has numbers only; numpy, torch and jax have arrays, too, of the shapes that the values have; torch and jax also compare
with their own derivatives. c is C11, with loops over arrays of fixed shapes; it has no inv, det, solve and sort. latex is a
document with the formula and its derivatives.

Random numbers and files are made once, and written into the source. If an input has no value, it counts as a number, and there
is no test."""

EXAMPLES = (
    Example('gradcalc export "(a+b)/(c+d)" --a 1 --b 2 --c 3 --d 4 --to python', "functions and a test, to read or run"),
    Example('gradcalc export "sigmoid(a*x + b)" --a 2 --x 1 --b -1 -o neuron.c', "C; the end of the name says so"),
    Example('gradcalc export "sum((x @ w)^2)" --x "[[1,2],[3,4]]" --w "[1,1]" --to torch', "arrays, beside autograd"),
    Example('gradcalc export "x^2*sin(y)" --to latex --fragment', "formulas for a paper"),
)

TARGETS = ("python", "numpy", "torch", "jax", "c", "latex")
ENDINGS = {".py": ("python", "numpy", "torch", "jax"), ".c": ("c",), ".tex": ("latex",)}
"""The targets that the end of a file's name may mean, the first one if nothing else is said."""


@click.command("export", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--to", type=OneOf(TARGETS), metavar="|".join(TARGETS), help="The language; -o FILE.py, .c or .tex says it, too.")
@option("--wrt", multiple=True, type=Names(), metavar="NAMES", help="Only gradients by these inputs or named nodes: x,y.")
@option("--open", multiple=True, type=Names(), metavar="NAMES", help="Open composed gates first: sigmoid, or all.")
@option("--no-test", is_flag=True, help="Functions only: no main, and no numbers to compare with.")
@option("--fragment", is_flag=True, help="LaTeX formulas only, no document around them.")
@program_options
@option("--quiet", is_flag=True, section=OUTPUT, help="Results only: no warnings.")
@option("-o", metavar="FILE", section=OUTPUT, help="Write the source to FILE, whole or not at all.")
def command(
    program: GivenProgram,
    to: str | None,
    wrt: tuple[tuple[str, ...], ...],
    open: tuple[tuple[str, ...], ...],
    no_test: bool,
    fragment: bool,
    quiet: bool,
    o: str | None,
) -> int:
    """Write the outputs of a program as source."""
    target = _target(to, o)
    for given, name in ((fragment and target != "latex", "--fragment"), (no_test and target == "latex", "--no-test")):
        if given:
            raise UsageProblem(f"{name} means nothing with --to {target}", remedy=f"leave out {name}")
    names = tuple(name for group in wrt for name in group) or None
    opened = tuple(name for group in open for name in group)
    output = Output(quiet=quiet, path=o)
    with output:
        formulas = _taken(program, output, names, opened)
        if formulas:
            try:
                output.write(_written(formulas, target, names, fragment, not no_test))
            except GradcalcError as problem:
                output.error(program.source.moved(problem))
            _warn(formulas, target, no_test, output)
    return output.status


def _target(to: str | None, path: str | None) -> str:
    """The language: what is asked for, or what the end of the file's name says."""
    ending = os.path.splitext(path or "")[1].lower()
    meant = ENDINGS.get(ending)
    if to is None:
        if meant is None:
            raise UsageProblem("in which language?", remedy=f"write --to with one of {', '.join(TARGETS)}")
        return meant[0]
    if meant is not None and to not in meant:
        raise UsageProblem(f"-o {path} is no name for {to}", remedy="leave out --to, or change the end of the name")
    return to


def _taken(program: GivenProgram, output: Output, names: tuple[str, ...] | None, opened: tuple[str, ...]) -> list[Formula]:
    """All outputs; one that is wrong is reported."""
    workspace = program.workspace(wrt=names, open=opened, gradients=False)
    formulas, wrong = program.all_formulas(workspace, output)
    if not formulas and not wrong:
        output.warning("there is nothing to export")
    return [] if wrong else formulas


def _written(formulas: list[Formula], target: str, names: tuple[str, ...] | None, fragment: bool, test: bool) -> str:
    if target == "latex":
        from gradcalc.views.latex_page import latex_page

        return latex_page(formulas, names, fragment, _maker())
    from gradcalc.studies.exports import source

    return source(formulas, target, names, _maker(), test)


def _warn(formulas: list[Formula], target: str, no_test: bool, output: Output) -> None:
    """Say what was to be said about the values, and whose absence leaves the source without a test."""
    said: dict[str, Any] = {warning: None for formula in formulas for warning in formula.warnings}
    if target != "latex" and not no_test and not output.status:
        from gradcalc.studies.exports import missing_values

        missing = missing_values(formulas)
        if missing:
            has = "has no value" if len(missing) == 1 else "have no values"
            said[f"{', '.join(missing)} {has}: the source has no test (give --{missing[0]} NUMBER)"] = None
    for warning in said:
        output.warning(warning)


def _maker() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"gradcalc {version('gradcalc')}"
    except PackageNotFoundError:
        return "gradcalc"
