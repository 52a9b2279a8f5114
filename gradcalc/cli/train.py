"""`gradcalc train`: learns inputs of a program from the rows of a data set, in batches and epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Example, Names, OneOf, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.option_types import Real
from gradcalc.cli.output import Output

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram

METHODS = ("gradient", "momentum", "nesterov", "rmsprop", "adam")
"""The methods that make a step from one gradient."""

LOSSES = ("mse", "cross_entropy", "softmax_cross_entropy")
"""Gates of a prediction and a target."""

HELP = """Learn inputs of a program from data: make its output small over the rows of a table, in batches and epochs.

PROGRAM is a formula, or the name of a file with one. Its inputs that are columns of the data are arrays with one entry for each
row of a batch: a column of CSV is a list of numbers, an array of .npz or .npy keeps its further axes. If the output has a value
for each row, the loss is the mean of them; if it is a number, it is the loss itself.

With --target, the output may also be a prediction: if the program does not use that column, the loss is --loss of the output
and the column.

What is learned are the inputs with defaults in the program that are no columns, or those of --over. Nothing but batches of rows
changes from step to step: a shuffle depends on the seed and the number of the epoch only, so a run that was interrupted and
resumed comes to the same numbers as one that was not.

The exit status is 2 where the loss gets worse and worse, or is not finite; 130 after Ctrl-C, when the last whole state is
saved."""

EXAMPLES = (
    Example('gradcalc train "w=0; b=0; w*x + b" --target y --data examples/data/line.csv', "a line through points"),
    Example('gradcalc train "w=0; (w*x-y)^2" --data examples/data/line.csv --trace', "its loss by hand, and every epoch"),
    Example("gradcalc train examples/27-digits.gc --data examples/data/digits-8x8.npz", "a network that reads digits"),
)


@click.command("train", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--data", multiple=True, metavar="[NAME=]FILE", help="Rows: CSV with a line of names, .npz, NAME=FILE.npy; - reads text.")
@option("--target", metavar="COLUMN", help="The column that the output is to predict, if it is no loss already.")
@option("--loss", type=OneOf(LOSSES), metavar="|".join(LOSSES), help="How far a prediction is off (mse).")
@option("--over", multiple=True, type=Names(), metavar="NAMES", help="Which inputs to learn: w,b (those with defaults).")
@option("--method", type=OneOf(METHODS), metavar="|".join(METHODS), help="How to make a step (gradient).")
@option("--rate", type=Real(above=0.0), metavar="NUMBER", help="The size of a step (0.01).")
@option("--epochs", type=Whole(0), default=100, metavar="N", help="How often to go through all rows (100).")
@option("--batch", type=Whole(1), metavar="N", help="How many rows make a step (all).")
@option("--shuffle", is_flag=True, help="Take the rows in another order in each epoch.")
@option(
    "--validate", type=Real(above=0.0, below=1.0), metavar="SHARE", help="Hold out a share of the rows, and tell their loss: 0.2."
)
@option("--metric", multiple=True, metavar="[NAME=]EXPR", help="Tell this, too, on the rows held out (or on all).")
@option("--bound", multiple=True, metavar="NAME=LOW..HIGH", help="Keep a learned input between two values.")
@option("--save", metavar="FILE.npz", help="Keep the run in a file, which is whole at every moment.")
@option("--resume", is_flag=True, help="Go on from the run in the --save file, if there is one.")
@option("--trace", is_flag=True, help="Show every epoch, too.")
@program_options
@output_options("table", "json", "csv")
def command(
    program: GivenProgram,
    output: Output,
    data: tuple[str, ...],
    target: str | None,
    loss: str | None,
    over: tuple[tuple[str, ...], ...],
    method: str | None,
    rate: float | None,
    epochs: int,
    batch: int | None,
    shuffle: bool,
    validate: float | None,
    metric: tuple[str, ...],
    bound: tuple[str, ...],
    save: str | None,
    resume: bool,
    trace: bool,
) -> int:
    """Train the output of a program."""
    from gradcalc.cli.trainer import Trainer, Wishes

    wishes = Wishes(
        data=data,
        target=target,
        loss=loss,
        over=[name for group in over for name in group],
        method=method,
        rate=rate,
        epochs=epochs,
        batch=batch,
        shuffle=shuffle,
        validate=validate,
        metrics=metric,
        bounds=bound,
        save=save,
        resume=resume,
        trace=trace,
    )
    with output:
        Trainer(program, output, wishes).run()
    return output.status
