"""`gradcalc explain`: the chain rule step by step, with the numbers of this point."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Example, Names, ProgramCommand, option, output_options, program_options
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.studies.explanation import Explanation

HELP = """Tell the chain rule step by step: first the forward pass, gate by gate, with the numbers put in; then the backward pass,
at each gate the gradient from above, the local derivative as a formula and as a number, and their product; where paths meet, the
sum over the paths.

Nodes without a name are called v1, v2 … The steps are those by which the gradients were computed, so they cannot differ."""

EXAMPLES = (
    Example('gradcalc explain "q = x+y; f = q*z" --x -2 --y 5 --z -4', "two gates"),
    Example('gradcalc explain "sin(x^2)*x" --x 2', "two paths from x, which meet in a sum"),
    Example('gradcalc explain "sigmoid(a*x + c)" --a 2 --x -1 --c 1 --open sigmoid', "the gates inside sigmoid, too"),
    Example('gradcalc explain "max(x, 0)*y" --x 0 --y 2 --conventions', "what is answered at a kink, here and elsewhere"),
    Example('gradcalc explain "x^2*y" --x 3 --y 2 --latex', "for notes, in LaTeX; or in --markdown"),
)


@click.command("explain", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option(
    "--wrt", multiple=True, type=Names(), metavar="NAMES", help="Only gradients with respect to these inputs or named nodes: x,y."
)
@option(
    "--open",
    multiple=True,
    type=Names(),
    metavar="NAMES",
    help="Go inside composed gates; all goes inside every one. (Gates of your own are always gone into.)",
)
@option("--latex", is_flag=True, help="Write LaTeX, for notes (a piece of a document; it needs the package amsmath).")
@option("--markdown", is_flag=True, help="Write Markdown, for notes, with formulas between dollar signs.")
@option(
    "--conventions",
    is_flag=True,
    help="Say at a kink which slopes its sides have, and what PyTorch, JAX and others answer.",
)
@program_options
@output_options("text", "json")
def command(
    program: GivenProgram,
    output: Output,
    wrt: tuple[tuple[str, ...], ...],
    open: tuple[tuple[str, ...], ...],
    latex: bool,
    markdown: bool,
    conventions: bool,
) -> int:
    """Explain every output of a program."""
    show = _view(output, latex, markdown, conventions)
    from gradcalc.studies.explanation import Explanation

    names = tuple(name for group in wrt for name in group) or None
    workspace = program.workspace(wrt=names, open=tuple(name for group in open for name in group))
    explained = False
    with output:
        for formula in program.formulas(workspace):
            if isinstance(formula, GradcalcError):
                output.error(formula)
                continue
            # A name that the program does not have is told at its end.
            known = None if names is None else [name for name in names if name in workspace.program.known]
            if known == []:
                continue
            try:
                told = Explanation(formula, known)
            except GradcalcError as problem:
                output.error(problem)
                continue
            output.write(("\n" if explained and output.format != "json" else "") + show(told))
            explained = True
            for warning in [*formula.warnings, *formula.value_warnings(told.evaluation.values)]:
                output.warning(warning)
        if not explained and not output.status:
            output.warning("there is nothing to explain")
    return output.status


def _view(output: Output, latex: bool, markdown: bool, conventions: bool) -> Callable[[Explanation], str]:
    """How an explanation is written.

    Raises:
        UsageProblem: several ways at once.
    """
    ways = ["--format json"] * (output.format == "json") + ["--latex"] * latex + ["--markdown"] * markdown
    if len(ways) > 1:
        raise UsageProblem(f"{' and '.join(ways)} are {len(ways)} ways to write", remedy="leave one of them")
    if ways and conventions:
        raise UsageProblem(f"--conventions has no {ways[0]} form", remedy=f"leave out {ways[0]}, or ask eval --format json")
    if ways and output.every_row:
        raise UsageProblem(f"{ways[0]} has every step: --all is for long texts", remedy="leave out --all")
    if latex or markdown:
        from gradcalc.views.notes import latex_text, markdown_text

        write = latex_text if latex else markdown_text
        return lambda told: write(told, output.digits)
    if output.format == "json":
        from gradcalc.views.explanation import explanation_document
        from gradcalc.views.json import json_line

        return lambda told: json_line(explanation_document(told), output.surface.unicode)
    from gradcalc.views.explanation import explanation_text

    return lambda told: explanation_text(told, output.surface, output.digits, output.every_row, conventions)
