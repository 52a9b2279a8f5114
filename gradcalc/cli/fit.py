"""`gradcalc fit`: the parameters with which a formula comes nearest to data, and their standard errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import Example, Names, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.output import Output
from gradcalc.errors import BindingProblem, DataProblem, GradcalcError, ShapeProblem, UsageProblem

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
@option("--data", metavar="FILE", help="The table: CSV with a line of names, or .npz; - reads standard input.")
@option("--target", metavar="EXPR", help="What the formula should be: a column, or log(y), say.")
@option("--over", multiple=True, type=Names(), metavar="NAMES", help="Which inputs to fit (all that are no columns).")
@option("--sigma", metavar="EXPR", help="The standard deviation of the target in each row: a column or a number.")
@option("--steps", type=Whole(1), default=5000, metavar="N", help="How many steps at most (5000).")
@option("--correlations", is_flag=True, help="Show how the parameters' errors hang together.")
@program_options
@output_options("table", "json", "csv")
def command(
    program: GivenProgram,
    output: Output,
    data: str | None,
    target: str | None,
    over: tuple[tuple[str, ...], ...],
    sigma: str | None,
    steps: int,
    correlations: bool,
) -> int:
    """Fit every output of a program to the data."""
    from gradcalc.cli.rows import named_file, refuse_overwriting, refuse_taken_input
    from gradcalc.engine.shapes import MAXIMUM_BYTES
    from gradcalc.tables.columns import open_columns

    if data is None:
        raise UsageProblem("there are no data", remedy="name a table of rows: --data rows.csv, or arrays: --data set.npz")
    if target is None:
        raise UsageProblem("there is no target", remedy="name the column that the formula should be: --target y")
    _refuse_options_of_train(program)
    refuse_taken_input([data], program)
    refuse_overwriting({"-o": output.path}, [data])
    program.source = named_file(program.source)
    workspace = program.workspace()
    names = [name for group in over for name in group]
    with output:
        table = open_columns(data, None, program.max_array or MAXIMUM_BYTES)
        wanted = [_about_rows(text, what, program, table) for text, what in ((target, "--target"), (sigma, "--sigma")) if text]
        for number, answer in enumerate(program.formulas(workspace, optional=True)):
            try:
                if isinstance(answer, GradcalcError):
                    raise _about_arrays(answer, program, table)
                fitted = _fitted(answer, table, names, wanted, steps, given=set(program.bindings))
                _write(output, fitted, _formula_text(answer), wanted[0].text, correlations, first=not number)
                program.offer(dict(zip(fitted.names, map(float, fitted.values))))
            except GradcalcError as problem:
                output.error(program.explained(problem, workspace))
    return output.status


def _refuse_options_of_train(program: GivenProgram) -> None:
    """`--bound` and others are options of optimize and train; here they would be taken for values of inputs."""
    kinds = {"bound": "a fit has no bounds", "method": "a fit has one method", "rate": "a fit finds its own steps"}
    for name, words in kinds.items():
        value = program.bindings.get(name, "")
        if "=" in value or (name == "method" and value.isidentifier()):
            raise UsageProblem(f"{words}, so there is no --{name}", remedy=f"leave it out; train and optimize have --{name}")


def _formula_text(formula: Formula) -> str:
    """What is fitted, in the language; of a formula that is a name, what that name is."""
    if not formula.text.isidentifier() or formula.text in formula.inputs:
        return formula.text
    from gradcalc.dialects.language import spell

    return spell(formula.graph, formula.output, formula.names.get, LONGEST)


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
    _refuse_arrays(formula, columns, table)
    lost = [name for name, value in zip(formula.inputs, formula.values) if name in others and value is None]
    if lost:
        raise _no_start(lost, formula, table)
    if not parameters:
        raise UsageProblem("there is nothing to fit: every input is a column", remedy="fit a formula that has parameters")
    read = table.read(list(dict.fromkeys(name for own in (columns, *(each.inputs for each in wanted)) for name in own)))
    for name, column in read.items():
        if column.ndim != 1:
            raise _of_rows(name, column.ndim, table)
    rows = [_rows(formula, read), *(_rows(each, read) for each in wanted)]
    return fit(rows[0], rows[1], parameters, rows[2] if len(rows) > 2 else None, steps, place=table.place)


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


def _about_arrays(problem: GradcalcError, program: GivenProgram, table: Columns) -> GradcalcError:
    """What is wrong with the shapes of a formula that is one of arrays: that a fit takes none."""
    if not isinstance(problem, ShapeProblem):
        return problem
    words = set(re.findall(r"\w+", program.source.text or ""))
    for name in table.names:
        if name in words and name not in program.bindings and (axes := _axes(name, table)) > 1:
            found = _of_rows(name, axes, table)
            found.place = problem.place
            return found
    problem.remedy = f"a fit goes row by row over numbers: {TRAIN}"
    return problem


def _axes(name: str, table: Columns) -> int:
    """How many axes a column has; what is no column of numbers is complained of when it is read."""
    try:
        return next((int(chunk[name].ndim) for chunk in table.chunks([name], 1)), 1)
    except DataProblem:
        return 1


def _refuse_arrays(formula: Formula, columns: Sequence[str], table: Columns) -> None:
    """A formula of arrays is none for a fit, before anything else is wrong with it."""
    for name in columns:
        if (axes := _axes(name, table)) > 1:
            raise _of_rows(name, axes, table)
    for name, value in zip(formula.inputs, formula.values):
        if name not in columns and value is not None and not isinstance(value, float) and hasattr(value, "shape"):
            raise UsageProblem(
                f"{name} is an array of shape {spelled_shape(value)}, and a fit goes row by row over numbers", remedy=TRAIN
            )


TRAIN = "write the formula for one row, with numbers; gradcalc train takes arrays"


def spelled_shape(value: Any) -> str:
    """The shape of an array in words."""
    from gradcalc.gates.reductions import spell_shape

    return spell_shape(value.shape)


def _of_rows(name: str, axes: int, table: Columns) -> GradcalcError:
    return DataProblem(
        f"each row of {name} in {table.file} is an array of {axes - 1} ax{'is' if axes == 2 else 'es'}, "
        "and a fit goes row by row over numbers",
        remedy=TRAIN,
    )


def _no_start(names: Sequence[str], formula: Formula, table: Columns) -> GradcalcError:
    """Inputs that are neither columns nor have a value."""
    from gradcalc.language.nearest import nearest

    one = len(names) == 1
    given = " ".join(f"--{name} NUMBER" for name in names[:SHOWN])
    remedy = f"give {'it a value' if one else 'them values'} to begin with: {given}"
    for name in names:
        near = nearest(name, table.names)
        remedy += f"\nor did you mean the column {near} by {name}?" if near else ""
    listed = " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
    return BindingProblem(
        f"{listed} {'has no value, and is no column' if one else 'have no value, and are no columns'} of {table.file}",
        place=formula.place(formula.input_node(formula.inputs.index(names[0]))),
        remedy=remedy,
    )


LONGEST = 200
"""How much of a formula is written out."""

SHOWN = 6
"""How many inputs are named in a remedy."""


def _rows(formula: Formula, columns: Mapping[str, Any]) -> Rows:
    from gradcalc.learning.fit import Rows

    values = {name: columns.get(name, value) for name, value in zip(formula.inputs, formula.values)}
    # In a row every column is a number.
    graph, shapes = formula.prepared([0.0 if name in columns else value for name, value in values.items()])
    if shapes is not None and any(shapes):
        raise UsageProblem(
            f"{formula.text} calculates with arrays, and a fit goes row by row over numbers",
            remedy="write it for one row; gradcalc train takes arrays",
        )
    return Rows(graph, formula.inputs, values)


def _write(output: Output, fitted: Fitted, formula: str, target: str, correlations: bool, first: bool) -> None:
    from gradcalc.views.fit import FIT_HEADER, fit_document, fit_rows, fit_text
    from gradcalc.views.json import json_line

    if output.format == "json":
        output.write(json_line(fit_document(fitted, formula, target), output.surface.unicode))
    elif output.format == "csv":
        output.write((FIT_HEADER if first else "") + fit_rows(fitted, formula))
    else:
        output.write(("" if first else "\n") + fit_text(fitted, formula, target, output.surface, output.digits, correlations))
    for warning in fitted.warnings:
        output.warning(warning)
    if not fitted.converged:
        output.check_failed()
