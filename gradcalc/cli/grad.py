"""`gradcalc grad`: derivatives as formulas of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import Example, Names, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.option_types import NamedValues
from gradcalc.cli.output import Output
from gradcalc.errors import BindingProblem, GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.formula import Formula
    from gradcalc.studies.derivation import Derivatives
    from gradcalc.workspace import Workspace

HIGHEST_ORDER = 20

HELP = """Print the derivatives of a formula as formulas: simplified, one line for each input. What is printed is a program again:
pipe it into gradcalc eval, or save it.

Inputs need no values. With values (--x 2, or --at x=2,y=3) the numbers stand behind the formulas, too. Where arrays are involved
the values say what shapes the inputs have, and the derivatives are formulas of arrays: x.T @ g.

Gates of your own are opened. What occurs several times gets a name, as do named nodes of the program where that is shorter."""

EXAMPLES = (
    Example('gradcalc grad "x^2*y + sin(x)"', "every partial derivative"),
    Example('gradcalc grad "x^2*y + sin(x)" --wrt x --at x=2,y=3', "one of them, with its number at a point"),
    Example('gradcalc grad "sin(x)/x" --order 2 --latex', "the second derivative, for a paper"),
    Example('gradcalc grad "x^3*y - y^2" --hessian', "all second derivatives, as a matrix"),
    Example('gradcalc grad "[r*cos(t), r*sin(t)]" --jacobian --r 2 --t 0', "a matrix of formulas, and of numbers"),
    Example('gradcalc grad "sum((x@w)^2)" --x "[[1,2],[3,4]]" --w [1,1] --wrt w', "a formula of arrays"),
    Example('gradcalc grad "x*exp(-x)" | gradcalc eval --x 1', "read back by eval"),
)


@click.command("grad", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--wrt", multiple=True, type=Names(), metavar="NAMES", help="Only by these inputs or named nodes: x,y.")
@option("--order", type=Whole(1, HIGHEST_ORDER), metavar="N", help="Derivatives of this order, the mixed ones among them (1).")
@option("--jacobian", is_flag=True, help="The derivatives of every element of the output, as a matrix.")
@option("--hessian", is_flag=True, help="The second derivatives, as a matrix.")
@option("--at", multiple=True, type=NamedValues(), metavar="x=2,y=3", help="The same as --x 2 --y 3.")
@option("--open", multiple=True, type=Names(), metavar="NAMES", help="Open composed gates first: sigmoid, or all.")
@option("--latex", is_flag=True, help="Write LaTeX.")
@program_options
@output_options("text", "json")
def command(
    program: GivenProgram,
    output: Output,
    wrt: tuple[tuple[str, ...], ...],
    order: int | None,
    jacobian: bool,
    hessian: bool,
    at: tuple[dict[str, Any], ...],
    open: tuple[tuple[str, ...], ...],
    latex: bool,
) -> int:
    """Print the derivatives of every output of a program."""
    if jacobian and hessian:
        raise UsageProblem("--jacobian and --hessian exclude each other", remedy="leave out one of them")
    kind = "jacobian" if jacobian else "hessian" if hessian else "partial"
    if order is not None and kind != "partial":
        raise UsageProblem(f"--{kind} has the order {1 if jacobian else 2}", remedy="leave out --order")
    names = tuple(name for group in wrt for name in group) or None
    workspace = _workspace(program, names, at, tuple(name for group in open for name in group))
    with output:
        formulas, wrong = program.all_formulas(workspace, output)
        show = _view(output, latex, len(formulas) > 1)
        known = {*workspace.program.known, *workspace.program.gates}
        wanted = None if names is None else [name for name in names if name in workspace.program.known]
        for formula in formulas if wanted != [] else ():
            _print(formula, kind, order or 1, wanted, known, output, show)
        if not formulas and not wrong:
            output.warning("there is nothing to differentiate")
    return output.status


def _workspace(
    program: GivenProgram, names: tuple[str, ...] | None, at: tuple[dict[str, Any], ...], opened: tuple[str, ...]
) -> Workspace:
    """An empty workspace with the values of the command line, those of --at among them."""
    workspace = program.workspace(wrt=names, open=opened, gradients=False)
    for group in at:
        for name, value in group.items():
            if name in workspace.bindings:
                raise BindingProblem(f"{name} is given twice", remedy=f"keep one of --at {name}=… and --{name} …")
            workspace.bindings[name] = value
    return workspace


def _print(
    formula: Formula,
    kind: str,
    order: int,
    names: list[str] | None,
    known: set[str],
    output: Output,
    show: Callable[[Derivatives], str],
) -> None:
    from gradcalc.studies.derivation import derive

    try:
        for found in derive(formula, kind, order, names, known):
            output.write(show(found))
    except GradcalcError as problem:
        output.error(problem)
    for warning in formula.warnings:
        output.warning(warning)


def _view(output: Output, latex: bool, several: bool) -> Callable[[Derivatives], str]:
    from gradcalc.views.formulas import Page, derivatives_document

    if output.format == "json":
        from gradcalc.views.json import json_line

        return lambda found: json_line(derivatives_document(found, latex), output.surface.unicode)
    page = Page(output.digits, several, output.every_row)
    return page.latex if latex else page.text
