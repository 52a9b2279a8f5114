"""`gradcalc fit`: the parameters with which a formula comes nearest to data, and their standard errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import Example, Names, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.output import Output
from gradcalc.errors import BindingProblem, DataProblem, GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.formula import Formula
    from gradcalc.learning.fit import Fitted, Rows
    from gradcalc.tables.columns import Columns

HELP = """Fit a formula to the rows of a table by least squares.

Inputs of the formula that are columns of the data take their values row by row. All others are parameters, and begin at the
values that they are given, or at their defaults; with --over only these are fitted, and the others stay as they are.

The method is Levenberg and Marquardt's with exact derivatives. Each parameter comes with its standard error, from the spread of
the residuals or, with --sigma, from the standard deviations of the rows.

The exit status is 1 where the fit did not converge."""

EXAMPLES = (
    Example('gradcalc fit "m*x + b" --data examples/data/line.csv --target y --m 1 --b 0', "a straight line"),
    Example('gradcalc fit "m*x" --data examples/data/line.csv --target y --m 1 --sigma 0.5', "rows with a known error"),
)


@click.command("fit", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--data", required=True, metavar="FILE", help="The table: CSV with a line of names, or .npz.")
@option("--target", required=True, metavar="EXPR", help="What the formula should be: a column, or log(y), say.")
@option("--over", multiple=True, type=Names(), metavar="NAMES", help="Which inputs to fit (all that are no columns).")
@option("--sigma", metavar="EXPR", help="The standard deviation of the target in each row: a column or a number.")
@option("--steps", type=Whole(1), default=5000, metavar="N", help="How many steps at most (5000).")
@option("--correlations", is_flag=True, help="Show how the parameters' errors hang together.")
@program_options
@output_options("table", "json", "csv")
def command(
    program: GivenProgram,
    output: Output,
    data: str,
    target: str,
    over: tuple[tuple[str, ...], ...],
    sigma: str | None,
    steps: int,
    correlations: bool,
) -> int:
    """Fit every output of a program to the data."""
    from gradcalc.engine.shapes import MAXIMUM_BYTES
    from gradcalc.tables.columns import open_columns

    workspace = program.workspace()
    names = [name for group in over for name in group]
    with output:
        table = open_columns(data, None, program.max_array or MAXIMUM_BYTES)
        wanted = [_about_rows(text, what, program, table) for text, what in ((target, "--target"), (sigma, "--sigma")) if text]
        for number, answer in enumerate(program.formulas(workspace, optional=True)):
            try:
                if isinstance(answer, GradcalcError):
                    raise answer
                fitted = _fitted(answer, table, names, wanted, steps, given=set(program.bindings))
                _write(output, fitted, answer.text, wanted[0].text, correlations, first=not number)
            except GradcalcError as problem:
                output.error(program.explained(problem, workspace))
    return output.status


def _about_rows(text: str, what: str, program: GivenProgram, table: Columns) -> Formula:
    """A formula of columns alone: the target, or its standard deviation."""
    from gradcalc.workspace import Workspace

    outputs = list(Workspace({}, program.workspace().options).formulas(text, optional=True))
    for answer in outputs:
        if isinstance(answer, GradcalcError):
            answer.message = f"{what}: {answer.message}"
            raise answer
    if len(outputs) != 1:
        raise UsageProblem(f"{what} is one expression, and not {len(outputs)}", remedy=f"write {what} y")
    (formula,) = outputs
    assert not isinstance(formula, GradcalcError)
    for name in formula.inputs:
        table.require(name)
    return formula


def _fitted(
    formula: Formula, table: Columns, over: Sequence[str], wanted: Sequence[Formula], steps: int, given: set[str]
) -> Fitted:
    from gradcalc.learning.fit import fit

    columns = [name for name in formula.inputs if name in table.names and name not in given]
    others = [name for name in formula.inputs if name not in columns]
    parameters = _parameters(formula, columns, others, over)
    for name, value in zip(formula.inputs, formula.values):
        if name in others and value is None:
            raise _no_start(name, formula, table)
    if not parameters:
        raise UsageProblem("there is nothing to fit: every input is a column", remedy="fit a formula that has parameters")
    read = table.read(list(dict.fromkeys(name for own in (columns, *(each.inputs for each in wanted)) for name in own)))
    for name, column in read.items():
        if column.ndim != 1:
            raise DataProblem(f"column {name} of {table.file} has {column.ndim} axes, and a fit takes numbers row by row")
    rows = [_rows(formula, read), *(_rows(each, read) for each in wanted)]
    return fit(rows[0], rows[1], parameters, rows[2] if len(rows) > 2 else None, steps)


def _parameters(formula: Formula, columns: Sequence[str], others: Sequence[str], over: Sequence[str]) -> Sequence[str]:
    from gradcalc.language.nearest import nearest

    for name in over:
        if name in columns:
            raise UsageProblem(f"--over {name}: that is a column of the data", remedy="name inputs that are no columns")
        if name not in others:
            near = nearest(name, others)
            listed = f"did you mean {near}?" if near else f"its parameters are {', '.join(others)}" if others else ""
            raise BindingProblem(f"--over {name}: the formula has no such input", remedy=listed)
    return over or others


def _no_start(name: str, formula: Formula, table: Columns) -> GradcalcError:
    """An input that is neither a column nor has a value."""
    from gradcalc.language.nearest import nearest

    near = nearest(name, table.names)
    remedy = f"give it a value to begin with: --{name} NUMBER" + (f"\nor did you mean the column {near}?" if near else "")
    return BindingProblem(
        f"{name} has no value, and is no column of {table.file}",
        place=formula.place(formula.input_node(formula.inputs.index(name))),
        remedy=remedy,
    )


def _rows(formula: Formula, columns: Mapping[str, Any]) -> Rows:
    from gradcalc.learning.fit import Rows

    values = {name: columns.get(name, value) for name, value in zip(formula.inputs, formula.values)}
    # In a row every column is a number.
    graph, shapes = formula.prepared([0.0 if name in columns else value for name, value in values.items()])
    if shapes is not None:
        raise UsageProblem(
            f"{formula.text} calculates with arrays, and a fit goes row by row over numbers",
            remedy="write it for one row; gradcalc train takes arrays",
        )
    return Rows(graph, formula.inputs, values)


def _write(output: Output, fitted: Fitted, formula: str, target: str, correlations: bool, first: bool) -> None:
    from gradcalc.views.fit import fit_document, fit_rows, fit_text
    from gradcalc.views.json import json_line

    if output.format == "json":
        output.write(json_line(fit_document(fitted, formula, target), output.surface.unicode))
    elif output.format == "csv":
        output.write(("" if first else "\n") + fit_rows(fitted))
    else:
        output.write(("" if first else "\n") + fit_text(fitted, formula, target, output.surface, output.digits, correlations))
    for warning in fitted.warnings:
        output.warning(warning)
    if not fitted.converged:
        output.check_failed()
