"""`gradcalc sweep`: value and gradients over every row of a table, or over the product of ranges."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Example, Names, OneOf, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.option_types import outside_brackets
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram

BAD_ROWS = ("error", "skip", "keep")

FORMATS = {".csv": "csv", ".txt": "csv", ".parquet": "parquet", ".parq": "parquet", ".pq": "parquet", ".npz": "npz"}
"""What a file is to hold, by the end of its name."""

HELP = """Evaluate a program, and its gradients, for every row of a table, or over the product of ranges.

Inputs of the program that are columns of --data take their values row by row. All others keep single values, from the command
line or their defaults. Without --data, inputs get grids: --a 0..1:1000; of several, all combinations are taken, the last one
varying fastest.

The results are the columns of the inputs that vary, the value (result, if the table has a column value), and its derivatives d/dx
by all inputs that are numbers; of several outputs f and g they are f, df/dx, g, dg/dx. --columns chooses among them and renames,
--keep passes other columns of the table on.

Tables are CSV with a line of names, Parquet, .npz, NAME=FILE.npy, a folder of such files (in the order of their names, p2 before
p10), or - for CSV from standard input.
Results are CSV, or what the name after -o says: .csv, .parquet, .npz. For Parquet: pip install "gradcalc[parquet]". Rows come and
go in batches, so memory does not grow with the table; their order stays.

--cluster runs the batches on a Dask cluster, or on one that it starts here: pip install "gradcalc[cluster]". The results are the
same, bit by bit."""

DATA = "examples/data/planets.csv"

EXAMPLES = (
    Example(f'gradcalc sweep "sqrt(a^3)" --data {DATA} --keep planet', "each row of a table"),
    Example('gradcalc sweep "sin(x)*exp(-y)" --x 0..3:4 --y 0..1:2', "all combinations of two ranges"),
    Example('gradcalc sweep "a*x^2" --a 2 --x 0..1:99 --columns "x,y=value" -o curve.csv', "chosen columns, one renamed"),
)


@click.command("sweep", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--data", metavar="FILE", help="The table: CSV, .parquet, .npz, NAME=FILE.npy, a folder, or -.")
@option("--columns", metavar="TITLES", help='Which columns to write: "x,value,slope=d/dx" (all).')
@option("--keep", multiple=True, metavar="NAMES", help="Pass columns of the table on as they are: id,name, or * for all.")
@option("--wrt", multiple=True, type=Names(), metavar="NAMES", help="Differentiate by these inputs or named nodes only.")
@option(
    "--bad-rows",
    type=OneOf(BAD_ROWS),
    default="error",
    metavar="|".join(BAD_ROWS),
    help="What to do with rows that lack a number, or a size that fits: stop (error), leave them out, or give them nan.",
)
@option("--batch", type=Whole(1, 2**31), metavar="N", help="How many rows are taken at a time.")
@option("--jobs", type=Whole(1, 1024), metavar="N", help="How many threads calculate (all processors).")
@option("--cluster", metavar="ADDRESS", help="Calculate on a Dask cluster: tcp://HOST:8786, or local:N for N workers here.")
@option("--check", type=Whole(1, 1_000_000), metavar="N", help="Check the gradients of N rows, drawn at random, numerically.")
@option("--max-rows", type=Whole(1), metavar="N", help="The largest product of ranges (10^10 rows).")
@program_options
@output_options("auto", "csv", "parquet", "npz", tables=False)
def command(
    program: GivenProgram,
    output: Output,
    data: str | None,
    columns: str | None,
    keep: tuple[str, ...],
    wrt: tuple[tuple[str, ...], ...],
    bad_rows: str,
    batch: int | None,
    jobs: int | None,
    cluster: str | None,
    check: int | None,
    max_rows: int | None,
) -> int:
    """Evaluate every output of a program for every row."""
    from gradcalc.cli.rows import refuse_overwriting
    from gradcalc.cli.sweeping import Plan, Wishes
    from gradcalc.tables.sources import open_source

    if cluster is not None and jobs is not None:
        raise UsageProblem("--jobs is about this computer, and --cluster about others", remedy="leave out one of them")
    wishes = Wishes(
        format=_format(output),
        columns=_titles(columns),
        keep=[name for group in keep for name in _listed(group)],
        wrt=[name for group in wrt for name in group] if wrt else None,
        bad_rows=bad_rows,
        batch=batch,
        jobs=jobs,
        cluster=cluster,
        check=check,
        most_rows=max_rows,
    )
    if data is not None:
        refuse_overwriting({"-o": output.path}, [data])
        if data == "-" and program.source.reads_standard_input:
            raise UsageProblem(
                "the program and the table can't both come from standard input", remedy="name a file for one of them"
            )
    with ExitStack() as opened:
        source = None if data is None else opened.enter_context(closing(open_source(data)))
        names = () if source is None else source.names
        workspace = program.workspace(columns=names, wrt=None if wishes.wrt is None else tuple(wishes.wrt))
        answers = list(program.formulas(workspace, kinds=("grid", "range"), optional=True))
        formulas = [answer for answer in answers if not isinstance(answer, GradcalcError)]
        if len(formulas) < len(answers):
            for problem in answers:
                if isinstance(problem, GradcalcError):
                    output.error(problem)
            return output.status
        if not formulas:
            raise UsageProblem("there is no program", remedy='write one: gradcalc sweep "a*b" --data FILE, or -f FILE')
        try:
            Plan(formulas, source, data, list(program.bindings), wishes).run(output)
        except GradcalcError as problem:
            raise program.explained(problem, workspace) from None
    return output.status


def _listed(text: str) -> list[str]:
    """Titles, parted by commas that stand in no brackets."""
    return [part.strip() for part in outside_brackets(text) if part.strip()]


def _titles(columns: str | None) -> list[str]:
    """The titles behind --columns; none where it is not given."""
    if columns is None:
        return []
    titles = _listed(columns)
    if not titles:
        raise UsageProblem("--columns names no column", remedy='write --columns "value,d/dx", or leave it out for all')
    return titles


def _is_device(path: str | None) -> bool:
    return path is not None and os.path.exists(path) and not os.path.isfile(path)


def _format(output: Output) -> str:
    """What the results are written as."""
    kind = os.path.splitext(output.path or "")[1].lower()
    if output.format != "auto":
        if FORMATS.get(kind, output.format) != output.format:
            raise UsageProblem(
                f"-o {output.path} asks for {FORMATS[kind]}, and --format for {output.format}",
                remedy="leave out --format, or name another file",
            )
        return output.format
    if kind and kind not in FORMATS and not _is_device(output.path):
        raise UsageProblem(f"-o {output.path}: {kind} is not written", remedy="name a file .csv, .parquet or .npz")
    return FORMATS.get(kind, "csv")
