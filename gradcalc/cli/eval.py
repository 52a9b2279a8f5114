"""`gradcalc eval`: values, gradients and numerical checks of every node that the outputs reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.aspects import Aspects, aspect_options
from gradcalc.cli.command import (
    Example,
    Names,
    OneOf,
    ProgramCommand,
    option,
    output_options,
    program_options,
)
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.workspace import Result

CHECKS = ("auto", "central", "one-sided", "complex", "exact", "off")

HELP = """Evaluate a program: for every node its value, the gradient of the output with respect to it, a numerical derivative with
its error bar, and the verdict whether the two agree.

PROGRAM is a formula or several statements parted by ; or newlines. Every name that it uses and does not assign is an input:
give it a value with --NAME VALUE. VALUE may be any constant expression: 1/3, -2, "[[1, 2], [3, 4]]"; it may have an
uncertainty: 1.0±0.1. With - or without a PROGRAM, standard input is read.

The exit status is 0 if all is well, 1 if a check failed, 2 if something is wrong with the program or the options."""

EXAMPLES = (
    Example('gradcalc eval "(a+b)/(c+d)" --a 1 --b 2 --c 3 --d 4', "every node of a quotient"),
    Example('gradcalc "q = x+y; q*z" --x -2 --y 5 --z -4', "a named node; the word eval may be left out"),
    Example('gradcalc eval "x = 3; x^2" --value', "the bare value"),
    Example('gradcalc eval "sigmoid(a*x + c)" --a 2 --x -1 --c 1 --open sigmoid', "look inside a gate"),
    Example('gradcalc eval "x*y" --x 2 --y 3 --wrt x --upstream 10', "one gradient, scaled from above"),
    Example('gradcalc eval "x^2/T" --x 0.3±0.02 --T 2.0±0.1', "how far it may be off, and by whose fault"),
    Example('gradcalc eval "x*y + sin(x)" --x 2 --y 3 --mode forward', "how every node moves with each input"),
    Example('gradcalc eval "rate*2" --let rate=0.1 --format json', "JSON, one line per output"),
    Example('echo "a*b" | gradcalc eval --a 2 --b 3', "a program from standard input"),
)


@click.command("eval", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--value", is_flag=True, help="Print the bare result, and nothing else.")
@option(
    "--wrt", multiple=True, type=Names(), metavar="NAMES", help="Only gradients with respect to these inputs or named nodes: x,y."
)
@option("--upstream", metavar="EXPR", help="The gradient from above, of the output's shape (ones).")
@option(
    "--open",
    multiple=True,
    type=Names(),
    metavar="NAMES",
    help="Open composed gates and user gates; all opens every one.",
)
@option(
    "--check",
    type=OneOf(CHECKS),
    default="auto",
    metavar="|".join(CHECKS),
    help="How the numerical derivatives are taken (auto).",
)
@option(
    "--check-all",
    is_flag=True,
    help="Check every element of large arrays, not only some of them and random directions.",
)
@option("--strict", is_flag=True, help="Exit with 1 also where a verdict is unsure.")
@aspect_options
@program_options
@output_options("table", "json", "csv")
def command(
    program: GivenProgram,
    output: Output,
    value: bool,
    wrt: tuple[tuple[str, ...], ...],
    upstream: str | None,
    open: tuple[tuple[str, ...], ...],
    check: str,
    check_all: bool,
    strict: bool,
    aspects: Aspects,
) -> int:
    """Evaluate a program and print its answers one by one."""
    from gradcalc.views.progress import ProgressBar

    if aspects.conventions and output.format == "csv":
        raise UsageProblem("--conventions has no csv form", remedy="leave out --format csv, or write --format json")
    progress = ProgressBar("checking elements", watched=not output.quiet)
    show = _bare(output) if value else VIEWS[output.format](output)
    workspace = program.workspace(
        progress,
        wrt=tuple(name for names in wrt for name in names) or None,
        upstream=upstream,
        open=tuple(name for names in open for name in names),
        check=check,
        check_all=check_all,
        gradients=not value,
        strict=strict,
        **aspects.options(value=value, wrt=wrt, upstream=upstream, check=check, check_all=check_all),
    )
    _ = workspace.spread  # what is wrong with uncertain values is told once, before any answer
    failing = ("mismatch", "unsure") if strict else ("mismatch",)
    answered = False
    with output, progress:
        for answer in program.answers(workspace):
            answered = True
            if isinstance(answer, GradcalcError):
                output.error(answer)
                continue
            output.write(show(answer))
            for warning in [*answer.warnings, *_more_warnings(answer)]:
                output.warning(warning)
            if answer.verdict in failing:
                output.check_failed()
        if not answered:
            unused = ": the program defines gates, and no expression uses them" if workspace.program.gates else ""
            output.warning(f"there is nothing to evaluate{unused}")
    return output.status


def _more_warnings(result: Result) -> Iterable[str]:
    """Where the uncertainty that is shown misleads."""
    if result.propagation is None:
        return ()
    from gradcalc.views.uncertainty import warnings

    return warnings(result)


def _bare(output: Output) -> Callable[[Result], str]:
    """Bare results, so that they read back."""
    if output.format == "csv":
        remedy = "leave out --format csv, or write --format json"
        if (output.path or "").lower().endswith(".csv"):
            remedy = "leave out --value, or name a file that does not end in .csv"
        raise UsageProblem("--value has no csv form", remedy=remedy)
    if output.format == "json":
        from gradcalc.views.json import bare_document, json_line

        unicode = output.surface.unicode
        return lambda result: json_line(bare_document(result), unicode)
    from gradcalc.views.numbers import exact_text

    def show(result: Result) -> str:
        if result.propagation is None:
            return exact_text(result.value) + "\n"
        from gradcalc.views.uncertainty import readable_value

        return readable_value(result, output.surface) + "\n"

    return show


def _as_table(output: Output) -> Callable[[Result], str]:
    from gradcalc.views.report import result_text

    parting = ""

    def show(result: Result) -> str:
        nonlocal parting
        text = parting + result_text(result, output.surface, output.digits, output.every_row)
        if result.kinks is not None:
            from gradcalc.views.conventions import conventions_text

            text += "\n" + conventions_text(result.kinks, output.surface)
        parting = "\n"
        return text

    return show


def _as_json(output: Output) -> Callable[[Result], str]:
    from gradcalc.views.json import json_line, result_document

    unicode = output.surface.unicode
    return lambda result: json_line(result_document(result), unicode)


def _as_csv(output: Output) -> Callable[[Result], str]:
    from gradcalc.views.csv import header_of, result_rows

    began = False

    def show(result: Result) -> str:
        nonlocal began
        text = ("" if began else header_of(result)) + result_rows(result)
        began = True
        return text

    return show


VIEWS: dict[str, Callable[[Any], Callable[[Result], str]]] = {"table": _as_table, "json": _as_json, "csv": _as_csv}
