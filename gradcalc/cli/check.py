"""`gradcalc check`: the verdict as an exit status, of gradients, of claims about them, of two formulas, or of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradcalc.cli.arguments import Arguments
from gradcalc.cli.command import (
    Example,
    Names,
    OneOf,
    ProgramCommand,
    Whole,
    option,
    output_options,
    program_options,
)
from gradcalc.cli.eval import CHECKS
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.studies.verification import Verification, Verifier, Written

HELP = """Judge derivatives by numbers: backpropagation against numerical derivatives, at the given point and at random ones inside
the domain. An input without a value is drawn from numbers of every size; a range (--x 0..10) says from where.

--claim x="2*x*y" asks whether a derivative that you worked out by hand is right, compared with the true one as a function; when
it is wrong, where, by how much, and which slip explains it. The claim may use every name of the program, and may be about a named
node. --claim x,y="2*x" is about a second derivative.

The exit status is 0 if all is well, 1 if something is wrong, 2 if something is wrong with the program or the options."""

EXAMPLES = (
    Example('gradcalc check "x^2*y + sin(x)" --x 3 --y 2', "every derivative, at this point and at 100 others"),
    Example('gradcalc check "x^2*y" --claim x="2*x*y" --claim y="x^2"', "is it right what I worked out?"),
    Example('gradcalc check "log(x)*y" --x 0..10 --order 2 --points 50', "second derivatives, too, for x from 0 to 10"),
    Example('gradcalc check "x*y^2" --claim x,y="2*y"', "a second derivative"),
    Example('gradcalc check "sin(x)^2" --equals "1 - cos(x)^2"', "are these the same function?"),
    Example("gradcalc check --gates", "the rule of every gate of the catalogue"),
)


ALONE = "gradcalc.check.alone"
"""Whether the command line names no program."""


class CheckCommand(ProgramCommand):
    """A command that needs no program where it checks the catalogue."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments as any command with a program does; without one, where none is needed, there is an empty one."""
        rest = super().parse_args(ctx, args)
        arguments: Arguments = ctx.meta["gradcalc.arguments"]
        ctx.meta[ALONE] = not arguments.programs and "f" not in arguments.given
        if "gates" in arguments.given and ctx.meta[ALONE]:
            arguments.programs.append("")
        return rest


@click.command("check", cls=CheckCommand, help=HELP, examples=EXAMPLES)
@option(
    "--claim",
    multiple=True,
    metavar="NAMES=EXPR",
    help="A derivative to be checked: x=2*x*y, or x,y=2*x for a second one.",
)
@option("--equals", metavar="EXPR", help="Whether the program's output is the same function as EXPR.")
@option("--gates", is_flag=True, help="Check the rule of every gate of the catalogue (--all: a line for each).")
@option("--points", type=Whole(0, 1_000_000), metavar="N", help="How many random points (100; fewer for large programs).")
@option("--order", type=Whole(1, 2), default=1, metavar="1|2", help="With 2, second derivatives are checked, too.")
@option("--hold", multiple=True, type=Names(), metavar="NAMES", help="Inputs that keep their values at the random points.")
@option(
    "--open",
    multiple=True,
    type=Names(),
    metavar="NAMES",
    help="Open composed gates, so that what is inside them is differentiated; all opens every one.",
)
@option(
    "--check",
    type=OneOf([method for method in CHECKS if method != "off"]),
    default="auto",
    metavar="|".join(method for method in CHECKS if method != "off"),
    help="How the numerical derivatives are taken (auto); exact settles what is unsure.",
)
@option("--check-all", is_flag=True, help="Check every element of large arrays, not only some of them and random directions.")
@option("--strict", is_flag=True, help="Exit with 1 also where a verdict is unsure.")
@program_options
@output_options("text", "json")
def command(
    program: GivenProgram,
    output: Output,
    claim: tuple[str, ...],
    equals: str | None,
    gates: bool,
    points: int | None,
    order: int,
    hold: tuple[tuple[str, ...], ...],
    open: tuple[tuple[str, ...], ...],
    check: str,
    check_all: bool,
    strict: bool,
) -> int:
    """Check what is asked for, and tell by the exit status."""
    claims = [read_claim(text) for text in claim]
    if gates:
        if not click.get_current_context().meta[ALONE] or claims or equals is not None:
            raise UsageProblem("--gates checks the catalogue, not a program", remedy="leave out the program, or --gates")
        return _check_catalogue(output, strict)
    if equals is not None and claims:
        raise UsageProblem("--claim and --equals are two questions", remedy="ask them one after the other")
    if equals is not None and not equals.strip():
        raise UsageProblem("--equals is empty", remedy="write a formula: --equals EXPR")
    from gradcalc.studies.verification import Settings, Verifier
    from gradcalc.views.progress import ProgressBar

    progress = ProgressBar("checking points", watched=not output.quiet)
    workspace = program.workspace(open=tuple(name for names in open for name in names))
    settings = Settings(
        points, program.seed or 0, order, check, check_all, tuple(name for names in hold for name in names), equals is None
    )
    verifier = Verifier(workspace, settings, claims, equals, progress)
    with output, progress:
        found = False
        for verification in _verified(program, verifier, output):
            found = True
            _show(verification, output)
            if verification.verdict == "mismatch" or (strict and verification.verdict == "unsure"):
                output.check_failed()
        if not found and not output.status:
            output.warning("there is nothing to check")
    return output.status


def _verified(program: GivenProgram, verifier: Verifier, output: Output) -> list[Verification]:
    """Each output, verified as soon as it is read; shown later only where a second output would make the question unclear."""
    found: list[Verification] = []
    for formula in program.formulas(verifier.workspace, kinds=("range",), optional=True):
        if isinstance(formula, GradcalcError):
            output.error(formula)
            continue
        if found and (verifier.written or verifier.equals is not None):
            option_name = "--claim" if verifier.written else "--equals"
            raise UsageProblem(
                f"the program has several outputs, and {option_name} is about one",
                remedy="give the outputs names, and leave one expression at the end",
            )
        try:
            found.append(verifier.verify(formula))
        except GradcalcError as problem:
            output.error(problem)
    return found


def _show(verification: Verification, output: Output) -> None:
    if output.format == "json":
        from gradcalc.views.claims import verification_document
        from gradcalc.views.json import json_line

        output.write(json_line(verification_document(verification), output.surface.unicode))
    else:
        from gradcalc.views.claims import verification_text

        output.write(verification_text(verification, output.surface, output.digits))
    for warning in [*verification.formula.warnings, *verification.warnings]:
        output.warning(warning)


def read_claim(text: str) -> Written:
    """`x=2*x*y` or `x,y=2*x`, as it stands behind --claim.

    Raises:
        UsageProblem: there is no name, or no formula.
    """
    from unicodedata import normalize

    from gradcalc.studies.verification import Written

    left, equals, right = text.partition("=")
    names = tuple(normalize("NFKC", name.strip()) for name in left.split(","))
    if not equals or not right.strip() or not all(name.isidentifier() for name in names):
        raise UsageProblem(f"--claim {text}: this is no claim", remedy='write --claim x="2*x*y": a name, =, and its derivative')
    return Written(names, right.strip())


def _check_catalogue(output: Output, strict: bool) -> int:
    from gradcalc.checking.rules import check_rules
    from gradcalc.gates import FAMILIES, REGISTRY

    records = sorted(REGISTRY.records(), key=lambda gate: FAMILIES.index(gate.family))
    checks = []
    with output:
        for check in check_rules(records):
            checks.append(check)
            if output.format == "json":
                from gradcalc.views.claims import rule_document
                from gradcalc.views.json import json_line

                output.write(json_line(rule_document(check), output.surface.unicode))
            if check.verdict == "mismatch" or (strict and check.verdict == "unsure"):
                output.check_failed()
        if output.format != "json":
            from gradcalc.views.claims import rules_text

            output.write(rules_text(checks, output.surface, output.every_row))
    return output.status
