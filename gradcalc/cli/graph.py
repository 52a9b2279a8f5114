"""`gradcalc graph`: the circuit as a picture, in the terminal or in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Example, Names, ProgramCommand, option, output_options, program_options
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.dialects.circuit import Circuit
    from gradcalc.workspace import Result, Workspace

HELP = """Draw the circuit that a formula is: inputs at the left, the output at the right, the value above each wire and the
gradient below it. What is used twice is drawn once, with a wire to each gate that uses it. Inputs need no value: a circuit
without numbers is a picture too.

In the terminal it is drawn with characters; what is too wide (in a pipe: for 120 columns) has fewer digits, then gates folded
into named nodes, and at last the form of a tree, which says so. -o FILE writes a picture, of the kind that the end of the name
says: .svg, .png, .dot, .mmd (Mermaid), .txt, or .html: a page in which both passes can be played gate by gate, gates looked into,
and inputs changed by sliders (--x 0..5 says from where to where)."""

EXAMPLES = (
    Example('gradcalc graph "q = x+y; f = q*z" --x -2 --y 5 --z -4', "a circuit, with values and gradients"),
    Example('gradcalc graph "sigmoid(a*x + c)" --open sigmoid', "the gates inside a gate; no numbers are needed"),
    Example('gradcalc graph "(a+b)/(c+d)" --a 1 --b 2 --c 3 --d 4 --format dot', "for Graphviz"),
    Example('gradcalc graph "sigmoid(a*x + c)" --a 1 --x 0..5 --c -2 -o circuit.html', "a page to play with, in a browser"),
)

FORMATS = ("drawing", "tree", "svg", "png", "dot", "mermaid", "html")
KINDS = {
    ".svg": "svg",
    ".png": "png",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".txt": "drawing",
    ".html": "html",
}
"""The format of a file by the end of its name."""
NOTHING = "there is nothing to draw"
DIGITS = 4
"""How many significant digits numbers have, if nothing else is said."""


@click.command("graph", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--upstream", metavar="EXPR", help="The gradient from above, of the output's shape (ones).")
@option("--open", multiple=True, type=Names(), metavar="NAMES", help="Open composed gates and user gates; all opens every one.")
@program_options
@output_options(*FORMATS, everything="Show every line of a long tree.")
def command(program: GivenProgram, output: Output, upstream: str | None, open: tuple[tuple[str, ...], ...]) -> int:
    """Draw a program's outputs."""
    kind = _kind(output)
    if kind == "png" and output.surface.terminal:
        raise UsageProblem("a PNG is nothing for a terminal", remedy="write it to a file: -o circuit.png")
    workspace = program.workspace(upstream=upstream, open=tuple(name for names in open for name in names), check="off")
    if kind == "html":
        return _write_page(program, workspace, output)
    picture = TEXTS[kind](output) if kind in TEXTS else None
    circuits: list[Circuit] = []
    asked = False
    with output:
        for answer in program.answers(workspace, optional=True):
            asked = True
            if isinstance(answer, GradcalcError):
                output.error(answer)
                continue
            if picture is not None:
                output.write(picture(answer))
            else:
                circuits.append(_circuit(answer, output))
            for warning in answer.warnings:
                output.warning(warning)
        if circuits:
            _write(kind, circuits, output)
        if not asked:
            output.warning(NOTHING)
    return output.status


def _kind(output: Output) -> str:
    """The format: what the name of the file says, or --format where it says nothing."""
    path = output.path
    if not path:
        return output.format
    ending = os.path.splitext(path)[1]
    kind = KINDS.get(ending.lower())
    asked = output.format if output.format != FORMATS[0] else None
    if kind is not None:
        if asked is not None and asked != kind and not (asked == "tree" and kind == "drawing"):
            raise UsageProblem(f"-o {path} asks for {kind}, and --format for {asked}", remedy="leave out --format")
        return asked or kind
    if asked is not None or (os.path.exists(path) and not os.path.isfile(path)):
        return output.format
    from gradcalc.language.nearest import nearest

    known = ", ".join(KINDS)
    said = f"there is no picture of the kind {ending}" if ending else "the end of the name says no kind of picture"
    near = nearest(ending.lower(), KINDS)
    meant = f"did you mean {near}? There are {known}" if near else f"end it with one of {known}"
    raise UsageProblem(f"-o {path}: {said}", remedy=meant)


def _write_page(program: GivenProgram, workspace: Workspace, output: Output) -> int:
    """Write one page with all outputs."""
    from gradcalc.views.pictures.page import write_page

    with output:
        formulas = []
        asked = False
        for answer in program.formulas(workspace, kinds=("range", "grid"), optional=True):
            asked = True
            if isinstance(answer, GradcalcError):
                output.error(answer)
                continue
            formulas.append(answer)
            for warning in answer.warnings:
                output.warning(warning)
        if formulas:
            digits = output.digits or DIGITS
            output.write(write_page(formulas, opened=workspace.options.open, upstream=workspace.upstream, digits=digits))
        if not asked:
            output.warning(NOTHING)
    return output.status


def _circuit(result: Result, output: Output) -> Circuit:
    from gradcalc.views.pictures.circuit import circuit_of

    return circuit_of(result, output.digits or DIGITS)


def _as_drawing(output: Output, tree: bool = False) -> Callable[[Result], str]:
    from gradcalc.views.pictures.terminal import terminal_text

    parting = ""

    def show(result: Result) -> str:
        nonlocal parting
        text = parting + terminal_text(result, output.surface, output.digits, output.every_row, tree)
        parting = "\n"
        return text

    return show


TEXTS: dict[str, Callable[[Output], Callable[[Result], str]]] = {
    "drawing": _as_drawing,
    "tree": lambda output: _as_drawing(output, tree=True),
}
"""Formats in which every output can be shown as soon as it is known."""


def _write(kind: str, circuits: Sequence[Circuit], output: Output) -> None:
    """Write one picture of all outputs."""
    if kind == "dot":
        from gradcalc.dialects.dot import dot_text

        output.write(dot_text(circuits))
        return
    if kind == "mermaid":
        from gradcalc.dialects.mermaid import mermaid_text, too_much

        text = mermaid_text(circuits)
        output.write(text)
        words = too_much(text)
        if words is not None:
            output.warning(words)
        return
    from gradcalc.views.pictures.drawing import draw

    drawings = [draw(circuit) for circuit in circuits]
    if kind == "png":
        from gradcalc.views.pictures.png import png_bytes

        output.write_bytes(png_bytes(drawings, output.warning))
    else:
        from gradcalc.views.pictures.svg import svg_text

        output.write(svg_text(drawings))
