"""`gradcalc plot`: a formula and its derivative over a range, or a map over two ranges."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradcalc.cli.command import Example, OneOf, ProgramCommand, Whole, option, output_options, program_options
from gradcalc.cli.option_types import NamedValues, Real, reject
from gradcalc.cli.output import Output
from gradcalc.errors import BindingProblem, GradcalcError, LimitProblem, UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.formula import Formula
    from gradcalc.tables.sampling import Sampled
    from gradcalc.views.plots import Path

CURVE_POINTS = 601
MAP_POINTS = 121
"""How many points a range has that does not say it: on a curve, and on each side of a map."""

METHODS = ("random", "numerical", "gradient", "momentum", "nesterov", "rmsprop", "adam", "newton", "lbfgs")

HELP = """Draw a formula and its derivative over a range of one input, or a map over the ranges of two.

A range is given as a value: --x -10..10, with a number of points --x -10..10:50. All other inputs keep single values. Poles and
jumps break a curve: the derivative tells them from steep slopes. On a map the first range goes to the right, the second upwards.

The picture is drawn with characters, or written to a file, -o plot.png, .svg or .pdf, by matplotlib: pip install
"gradcalc[plot]". With --format csv or json the samples are printed instead.

On a map, --path METHOD shows where an optimisation goes (see gradcalc optimize): from --from x=0,y=1, downhill, or uphill with
--maximize."""

EXAMPLES = (
    Example('gradcalc plot "sin(x)/x" --x -10..10', "a curve and its derivative"),
    Example('gradcalc plot "exp(-x)*cos(w*x)" --x 0..6 --w 5 --size 60x16', "with another input at a value"),
    Example('gradcalc plot "x^2 + 3*y^2" --x -2..2 --y -2..2 --path adam --from x=1,y=1', "a map and a path"),
    Example('gradcalc plot "tan(x)" --x 0..3:7 --format csv', "the numbers"),
)


class Dimensions(click.ParamType if not TYPE_CHECKING else click.ParamType[Any]):  # type: ignore[misc]
    """A size in characters: `80x24`."""

    name = "COLUMNSxROWS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read one; see `click.ParamType.convert`."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"0*([0-9]+)x0*([0-9]+)", value.lower())
        if match is None:
            reject(param, f"{value!r} is not a size", "write columns and rows: 80x24")
        columns, rows = (int(digits[:5]) for digits in match.groups())
        if not (30 <= columns <= 1000 and 10 <= rows <= 1000):
            reject(param, f"{value} is too small or too large", "from 30x10 to 1000x1000")
        return columns, rows


@click.command("plot", cls=ProgramCommand, help=HELP, examples=EXAMPLES)
@option("--size", type=Dimensions(), metavar="COLUMNSxROWS", help="How large the picture is, in characters.")
@option("--no-derivative", is_flag=True, help="Draw the formula alone.")
@option("--path", type=OneOf(METHODS), metavar="METHOD", help="Show on a map where an optimisation goes.")
@option("--from", "start", type=NamedValues(), metavar="x=0,y=1", help="Where the path begins (the middle).")
@option("--maximize", is_flag=True, help="The path goes uphill.")
@option("--rate", type=Real(above=0.0), metavar="NUMBER", help="The size of a step of the path.")
@option("--steps", type=Whole(0, 100_000), metavar="N", help="How many steps the path has at most (200).")
@program_options
@output_options("chart", "csv", "json")
def command(
    program: GivenProgram,
    output: Output,
    size: tuple[int, int] | None,
    no_derivative: bool,
    path: str | None,
    start: dict[str, Any] | None,
    maximize: bool,
    rate: float | None,
    steps: int | None,
) -> int:
    """Draw every output of a program."""
    if path is None:
        given = [
            name for name, value in (("--from", start), ("--rate", rate), ("--steps", steps), ("--maximize", maximize)) if value
        ]
        if given:
            raise UsageProblem(f"{given[0]} is about a path", remedy="add --path METHOD, or leave it out")
    format = file_format(output)
    if format is not None and size is not None:
        raise UsageProblem("--size is about a picture of characters", remedy="leave it out for a file")
    workspace = program.workspace()
    plots: list[tuple[Sampled, Path]] = []
    with output:
        for answer in program.formulas(workspace, kinds=("range", "grid"), optional=True):
            try:
                if isinstance(answer, GradcalcError):
                    raise answer
                found = sampled(answer, list(program.bindings))
                way: Path = ()
                failed = None
                if path is not None:
                    way, failed = walked(answer, found, path, start or {}, maximize, rate, 200 if steps is None else steps)
                for warning in (*answer.warnings, *_remarks(found, way)):
                    output.warning(warning)
                if format is None:
                    _write(output, found, way, size, not no_derivative, before=plots[-1][0] if plots else None)
                plots.append((found, way))
                if failed is not None:
                    output.error(program.explained(failed, workspace))
            except GradcalcError as problem:
                output.error(program.explained(problem, workspace))
        if format is not None and plots and not output.status:
            from gradcalc.views.figures import figure_bytes

            picture, missing = figure_bytes(plots, format, not no_derivative)
            output.write_bytes(picture)
            for words in missing:
                output.warning(words)
        if not plots and not output.status:
            output.warning("there is nothing to draw")
    return output.status


def _remarks(found: Sampled, way: Path) -> Iterator[str]:
    """What a picture does not show by itself."""
    import numpy

    if not numpy.isfinite(found.values).any():
        ranges = " and ".join(f"{name} from {axis[0]:g} to {axis[-1]:g}" for name, axis in zip(found.names, found.axes))
        yield f"{found.text} is finite nowhere with {ranges}: there is nothing to draw"
    if way:
        xs, ys = found.axes
        outside = next((step for step, (x, y) in enumerate(way) if not (xs[0] <= x <= xs[-1] and ys[0] <= y <= ys[-1])), None)
        if outside is not None:
            yield f"the path leaves the map at step {outside}" if outside else "the path begins outside of the map"


def file_format(output: Output) -> str | None:
    """The kind of picture that the output file is to hold; None for text."""
    from gradcalc.views.figures import FORMATS

    suffix = os.path.splitext(output.path or "")[1].lower().removeprefix(".")
    if suffix not in FORMATS:
        if suffix in ("jpg", "jpeg", "gif", "webp", "bmp", "eps", "tif", "tiff"):
            raise UsageProblem(f"-o {output.path}: .{suffix} is not drawn", remedy=f"name a file .{', .'.join(FORMATS)} or .txt")
        return None
    if output.format != "chart":
        raise UsageProblem(f"--format {output.format} is text, and {output.path} is a picture", remedy="leave out one of the two")
    return suffix


def sampled(formula: Formula, order: Sequence[str] = ()) -> Sampled:
    """A formula on the grid of its ranges; the input whose range comes first in `order` goes to the right.

    Raises:
        GradcalcError: there are no ranges, or too many; the output is no number; the grid is too large.
    """
    import numpy

    from gradcalc.formula import Interval, Points
    from gradcalc.gates.reductions import spell_shape
    from gradcalc.tables.sampling import FARTHEST, bytes_of, sample

    ranges = {name: value for name, value in zip(formula.inputs, formula.values) if isinstance(value, Interval | Points)}
    ranges = {name: ranges[name] for name in dict.fromkeys((*order, *ranges)) if name in ranges}
    if not 1 <= len(ranges) <= 2:
        inputs = [name for name, value in zip(formula.inputs, formula.values) if value is None] or list(formula.inputs)
        if len(ranges) > 2:
            raise BindingProblem(
                f"{' and '.join(ranges)} have ranges, and a picture shows at most two", remedy="give the others single values"
            )
        if not inputs:
            raise UsageProblem(f"{formula.text} has no input that could vary", remedy="draw a formula that has one")
        raise BindingProblem("no input has a range", remedy=f"write --{inputs[0]} 0..10")
    for name, value in ranges.items():
        if max(abs(value.low), abs(value.high)) > FARTHEST:
            raise BindingProblem(
                f"--{name} reaches from {value.low:g} to {value.high:g}, and a picture at most to {FARTHEST:g}",
                remedy=f"give {name} a smaller range",
            )
    size = next((name for name in formula.sizes if name in ranges), None)
    if size is not None:
        raise BindingProblem(
            f"--{size} is a range, and {size} is a size here: there are no points between",
            remedy=f"tabulate it: gradcalc sweep … --{size} 1..10:10, or give it a single value",
        )
    usual = CURVE_POINTS if len(ranges) == 1 else MAP_POINTS
    counts = [value.number if isinstance(value, Points) else usual for value in ranges.values()]
    check_memory(bytes_of(math.prod(counts), len(counts)), math.prod(counts), formula.makers.limit)
    axes = {name: numpy.linspace(value.low, value.high, count) for (name, value), count in zip(ranges.items(), counts)}
    middle = {name: float(axis[len(axis) // 2]) for name, axis in axes.items()}
    point = formula.point(middle)
    graph, shapes = formula.prepared(point)
    if shapes is not None and shapes[-1]:
        raise UsageProblem(
            f"{formula.text} is an array of shape {spell_shape(shapes[-1])}, and only a number can be drawn",
            remedy="choose an element, or sum(…), mean(…), norm(…)",
        )
    return sample(formula.text, graph, shapes, formula.inputs, point, axes)


def check_memory(size: int, points: int, limit: int) -> None:
    """Refuse a grid that is larger than arrays may be, before any memory is asked for."""
    from gradcalc.engine.shapes import spell_bytes

    if size > limit:
        raise LimitProblem(
            f"{points:,} points take {spell_bytes(size)}, and arrays may hold {spell_bytes(limit)}",
            remedy="give the ranges fewer points: --x 0..1:1000; or raise the limit with --max-array",
        )


def walked(
    formula: Formula, on: Sampled, method: str, start: dict[str, Any], uphill: bool, rate: float | None, steps: int
) -> tuple[Path, GradcalcError | None]:
    """Where an optimisation goes on a map; and what `optimize` would say, if it fails."""
    from gradcalc.cli.searching import failure
    from gradcalc.learning.climb import Settings
    from gradcalc.learning.methods import METHODS as KNOWN
    from gradcalc.learning.problem import Problem
    from gradcalc.learning.search import Search, search

    if len(on.names) != 2:
        raise UsageProblem("a path is shown on a map", remedy="give two inputs a range")
    strangers = [name for name in start if name not in on.names]
    if strangers:
        raise UsageProblem(f"--from {strangers[0]}: the map is over {' and '.join(on.names)}", remedy="name these two")
    begin = {name: float((axis[0] + axis[-1]) / 2) for name, axis in zip(on.names, on.axes)}
    begin |= {name: _number(name, value) for name, value in start.items()}
    point = formula.point(begin)
    graph, shapes = formula.prepared(point)
    problem = Problem(graph, shapes, point, [formula.inputs.index(name) for name in on.names], uphill)
    way: list[tuple[float, float]] = []
    chosen = KNOWN[method]
    if rate is not None and chosen.rate is None:
        raise UsageProblem(f"{method} finds its own steps", remedy="leave out --rate")
    settings = Settings(chosen.rate if rate is None else rate, steps)
    found = search(
        problem, chosen, settings, 1, formula.makers.seed, lambda _, state: way.append((state.values[0], state.values[1]))
    )
    if found.interrupted:
        raise KeyboardInterrupt
    if not found.outcome.stop.failed:
        return way, None
    return way, failure(formula, Search(formula.text, on.names, chosen, settings.rate, formula.makers.seed, found, []))


def _number(name: str, value: Any) -> float:
    """A value behind --from."""
    from gradcalc.workspace import Workspace

    for answer in Workspace({name: value}).formulas(name):
        if isinstance(answer, GradcalcError):
            raise answer
        if isinstance(answer.values[0], float):
            return answer.values[0]
    raise UsageProblem(f"--from {name} is not a number", remedy=f"write --from {name}=0")


def _write(output: Output, sampled: Sampled, path: Path, size: Any, derivative: bool, before: Sampled | None) -> None:
    from gradcalc.views.json import json_line
    from gradcalc.views.plots import plot_document, plot_header, plot_rows, plot_text

    if output.format == "json":
        output.write(json_line(plot_document(sampled, path), output.surface.unicode))
    elif output.format == "csv":
        header = plot_header(sampled)
        told = before is not None and plot_header(before) == header
        output.write(("" if before is None or told else "\n") + ("" if told else header) + plot_rows(sampled))
    else:
        output.write(("" if before is None else "\n") + plot_text(sampled, output.surface, size, derivative, path))
