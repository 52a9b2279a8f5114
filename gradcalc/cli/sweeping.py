"""What a sweep needs to know of its program and its table, and how it is run and told."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gradcalc.cli.output import Output, complain, unwritable
from gradcalc.engine.makers import prepare
from gradcalc.errors import BindingProblem, DataProblem, GradcalcError, LimitProblem, UsageProblem
from gradcalc.formula import Formula, Interval, Points
from gradcalc.language.nearest import nearest
from gradcalc.tables.calculation import UNMOVED, Calculation, Part, moved
from gradcalc.tables.columns import unknown_column
from gradcalc.tables.grid import Axis, GridSource
from gradcalc.tables.layout import Column, Known, Result, choose, output_titles
from gradcalc.tables.pieces import Source
from gradcalc.tables.sources import open_source
from gradcalc.tables.sweep import Done, Sample, Sweep, Told, batch_rows, on_threads, processors
from gradcalc.tables.writers import Writer, open_writer
from gradcalc.views.numbers import number_text
from gradcalc.views.progress import RowsBar, rate_text
from gradcalc.views.surface import surface_of

MOST_ROWS = 10**10
"""A product of ranges with more rows is hardly meant, unless --max-rows says so."""

LOOKED_AT = 1024
"""How many rows are read at a time where the first good one is looked for."""

NUMBER_BYTES = 8
"""What a number takes in a file, at least."""

TOLERANCE = 1e-9
"""How far a value may be from the interpreter's, relatively: more than rounding, less than any mistake."""


@dataclass(frozen=True)
class Wishes:
    """The options of the command; see its help."""

    format: str
    columns: Sequence[str]
    keep: Sequence[str]
    wrt: Sequence[str] | None
    bad_rows: str
    batch: int | None
    jobs: int | None
    cluster: str | None
    check: int | None
    most_rows: int | None


class Plan:
    """The outputs of a program over a table: which inputs the rows have, and which columns the results."""

    def __init__(
        self, formulas: Sequence[Formula], table: Source | None, data: str | None, given: Sequence[str], wishes: Wishes
    ) -> None:
        """Match a program and a table.

        Args:
            formulas: the outputs of the program.
            table: None where inputs have grids.
            data: where it can be opened again.
            given: names of inputs that have a value on the command line, which goes before a column.
            wishes: the options.

        Raises:
            GradcalcError: they do not match.
        """
        self.formulas = list(formulas)
        self.wishes = wishes
        if table is None:
            self.source: Source = GridSource(self._axes(given))
            self._refuse_too_many()
        else:
            self._refuse_ranges()
            self.source = table
        columns = [name for name in self.source.names if table is None or name not in given]
        self.varying = [name for name in columns if any(name in formula.inputs for formula in self.formulas)]
        for formula in self.formulas:
            self._refuse_missing(formula)
        if not self.varying:
            listed = ", ".join(dict.fromkeys(name for formula in self.formulas for name in formula.inputs))
            raise UsageProblem(
                f"no input of the program is a column of {self.source.file}, so all rows are alike",
                remedy=f"its columns are {', '.join(self.source.names)}; the program's inputs are {listed or '(none)'}",
            )
        self._sizes = [tuple(name for name in formula.sizes if name in self.varying) for formula in self.formulas]
        self._typical = self._first_sizes(data)
        self._prepared = [self._prepare(formula, self._typical) for formula in self.formulas]
        self.known = self._known()

    # ---- inputs ------------------------------------------------------------------------------------------------------------------

    def _axes(self, given: Sequence[str]) -> list[Axis]:
        """The grids, in the order in which they are given."""
        axes: dict[str, Axis] = {}
        for formula in self.formulas:
            for name, value in zip(formula.inputs, formula.values):
                if isinstance(value, Interval):
                    low, high = number_text(value.low), number_text(value.high)
                    raise BindingProblem(
                        f"--{name} is a range without a number of points", remedy=f"write --{name} {low}..{high}:1000"
                    )
                if isinstance(value, Points):
                    axes[name] = Axis(name, *value)
        if not axes:
            names = [name for formula in self.formulas for name in formula.inputs] or ["x"]
            raise UsageProblem(
                "there is nothing to sweep over", remedy=f"give a table, --data FILE, or an input a grid: --{names[0]} 0..1:1000"
            )
        return sorted(axes.values(), key=lambda axis: given.index(axis.name) if axis.name in given else len(given))

    def _refuse_too_many(self) -> None:
        rows, most = self.source.rows or 0, self.wishes.most_rows or MOST_ROWS
        if rows > most:
            remedy = "take fewer points" if self.wishes.most_rows else f"take fewer points, or write --max-rows {rows}"
            raise LimitProblem(f"the grid has {rows:,} rows, and at most {most:,} are taken", remedy=remedy)

    def _refuse_ranges(self) -> None:
        for formula in self.formulas:
            for name, value in zip(formula.inputs, formula.values):
                if isinstance(value, Interval | Points):
                    what = "a range" if isinstance(value, Interval) else "a grid"
                    raise BindingProblem(
                        f"--{name} is {what}, and --data has the rows already",
                        remedy="give it a single value, or leave out --data",
                    )

    def _refuse_missing(self, formula: Formula) -> None:
        for number, (name, value) in enumerate(zip(formula.inputs, formula.values)):
            if value is not None or name in self.varying:
                continue
            place = formula.place(formula.input_node(number))
            remedy = f"give it one: --{name} NUMBER"
            if isinstance(self.source, GridSource):
                raise BindingProblem(f"{name} has no value", place=place, remedy=f"{remedy}, or a grid: --{name} 0..1:100")
            near = nearest(name, self.source.names)
            more = f"\nor did you mean the column {near}?" if near else f"\nits columns are {', '.join(self.source.names[:12])}"
            raise BindingProblem(f"{name} has no value, and is no column of {self.source.file}", place=place, remedy=remedy + more)

    def _first_sizes(self, data: str | None) -> dict[str, float]:
        """For inputs that vary and are sizes a value of each, from the first row that has some which fit.

        Raises:
            GradcalcError: there is none, or sizes can't vary here.
        """
        names = list(dict.fromkeys(name for sizes in self._sizes for name in sizes))
        if not names:
            return {}
        if self.wishes.cluster is not None:
            raise UsageProblem(f"{names[0]} is a size, and on a cluster all rows have the same sizes", remedy="leave out --cluster")
        if isinstance(self.source, GridSource):
            return {axis.name: axis.low for axis in self.source.axes if axis.name in names}
        file = data if data is not None and os.path.exists(data) else (data or "").partition("=")[2]
        if not (os.path.isfile(file) or os.path.isdir(file)):
            raise UsageProblem(
                f"{names[0]} is a size, and {self.source.file} can be read only once", remedy="write it to a file first"
            )
        with closing(open_source(data or "")) as source:
            source.choose(names, ())
            for block in source.blocks(LOOKED_AT):
                good = source.read(block).good()
                rows = [{name: float(column[row]) for name, column in good.numbers.items()} for row in range(good.rows)]
                if rows:
                    return next(filter(self._fit, rows), rows[0])
        raise DataProblem(f"{self.source.file} holds no rows", remedy="give it at least one row of numbers below the names")

    def _fit(self, sizes: Mapping[str, float]) -> bool:
        """Whether the program has shapes with these sizes."""
        try:
            for formula in self.formulas:
                self._prepare(formula, sizes)
        except GradcalcError:
            return False
        return True

    def _prepare(self, formula: Formula, sizes: Mapping[str, float]) -> tuple[Any, Any, tuple[Any, ...]]:
        """The graph, the shapes of its nodes and the values of its inputs, None for those that vary; for one value of the sizes."""
        from gradcalc.gates.reductions import spell_shape

        values = tuple(None if name in self.varying else value for name, value in zip(formula.inputs, formula.values))
        graph, shapes = formula.prepared(self._point(formula, values, sizes))
        if shapes is not None and shapes[-1]:
            raise UsageProblem(
                f"{formula.text} is an array of shape {spell_shape(shapes[-1])}, and a row has room for a number",
                remedy="choose an element, or sum(…), mean(…), norm(…)",
            )
        return graph, shapes, values

    @staticmethod
    def _point(formula: Formula, values: Sequence[Any], sizes: Mapping[str, float]) -> list[Any]:
        """Values of the shapes that the inputs have; what varies is a number, and those of the sizes that are given."""
        return [sizes.get(name, 0.0) if value is None else value for name, value in zip(formula.inputs, values)]

    # ---- columns -----------------------------------------------------------------------------------------------------------------

    def _known(self) -> Known:
        """What columns the results may have."""
        formulas = self.formulas
        names = [formula.names.get(formula.output) for formula in formulas]
        known = self.source.titles
        taken = list(known.values()) if len(formulas) == 1 else [known[name] for name in self.varying]
        titles = output_titles(names, [formula.text for formula in formulas], taken)
        wrt = [self._wrt(number) for number in range(len(formulas))]
        nodes = [[name for name in self._numbers(number) if name not in wrt[number]] for number in range(len(formulas))]
        return Known(titles, wrt, nodes, self.varying, self.source.titles, names)

    def _wrt(self, output: int) -> list[str]:
        """By what an output is differentiated, if nothing else is said: by its inputs that are numbers."""
        formula = self.formulas[output]
        numbers = self._numbers(output)
        if self.wishes.wrt is None:
            return [name for name in formula.inputs if name in numbers]
        for name in self.wishes.wrt:
            if name in (*formula.inputs, *formula.names.values()) and name not in numbers:
                raise UsageProblem(f"--wrt {name}: {name} is an array, and a row has room for numbers", remedy="name numbers")
        return list(dict.fromkeys(self.wishes.wrt))

    def _numbers(self, output: int) -> list[str]:
        """The inputs and named nodes of an output that are numbers."""
        formula, (_, shapes, _) = self.formulas[output], self._prepared[output]
        return [name for node, name in formula.names.items() if shapes is None or not shapes[node]]

    def _part(self, output: int, names: Sequence[str], sizes: Mapping[str, float] | None = None) -> Part:
        """An output with what it is differentiated by: inputs, named nodes, or what it does not depend on."""
        formula = self.formulas[output]
        graph, shapes, values = self._prepared[output] if sizes is None else self._prepare(formula, sizes)
        point = self._point(formula, values, self._typical if sizes is None else sizes)
        inputs = formula.inputs
        nodes = [node for name in names if name not in inputs and (node := formula.node(name)) is not None]
        if nodes:
            graph, numbers = moved(graph, nodes)
            if shapes is not None:
                shapes = prepare(graph, [*point, *(UNMOVED for _ in nodes)], formula.makers)[1]
            inputs = (*inputs, *(f"{formula.names[node]} moved" for node in nodes))
            values = (*values, *(UNMOVED for _ in nodes))
        places = {name: number for number, name in enumerate(formula.inputs)}
        places |= {formula.names[node]: number for node, number in zip(nodes, numbers if nodes else ())}
        part = Part(graph, shapes, inputs, values, tuple(places.get(name) for name in names), tuple(names))
        if sizes is None and self._sizes[output]:
            return replace(part, sizes=self._sizes[output], at=partial(self._part, output, names))
        return part

    # ---- the sweep ---------------------------------------------------------------------------------------------------------------

    def run(self, output: Output) -> None:
        """Sweep, and tell what came of it."""
        wishes = self.wishes
        for warning in dict.fromkeys(warning for formula in self.formulas for warning in formula.warnings):
            output.warning(warning)
        columns = choose(
            self.known,
            wishes.columns,
            wishes.keep,
            lambda name: unknown_column(name, self.source.file, list(self.source.titles.values())),
        )
        if wishes.format == "parquet" and output.path is None and sys.stdout.isatty():
            raise UsageProblem("Parquet is nothing for a terminal", remedy="name a file: -o FILE.parquet")
        parts, results = self._parts(columns)
        used = {name for part in parts for name, value in zip(part.inputs, part.values) if value is None}
        shown = {column.number for column in columns}
        numbers = [name for name in self.varying if name in used or name in shown]
        self.source.choose(numbers, list(dict.fromkeys(column.kept for column in columns if column.kept is not None)))
        self._refuse_full(columns, output.path)
        self._swept(parts, results, columns, output)

    def _parts(self, columns: Sequence[Column]) -> tuple[list[Part], list[Result]]:
        """What has to be calculated for these columns, and what the calculation answers."""
        wanted = [column.result for column in columns if column.result is not None]
        if not wanted:
            raise UsageProblem("--columns names nothing that is computed", remedy=f"name {self.known.outputs[0]}, too")
        parts, results = [], []
        for output in sorted({result.output for result in wanted}):
            names = list(dict.fromkeys(one.wrt for one in wanted if one.output == output and one.wrt is not None))
            parts.append(self._part(output, names))
            results += [Result(output, None), *(Result(output, name) for name in names)]
        return parts, results

    def _refuse_full(self, columns: Sequence[Column], path: str | None) -> None:
        """Refuse a product of ranges whose results can't fit, before hours are spent on it."""
        import shutil

        from gradcalc.engine.shapes import spell_bytes

        if not isinstance(self.source, GridSource) or path is None or self.wishes.most_rows is not None:
            return
        need = (self.source.rows or 0) * NUMBER_BYTES * sum(column.result is not None for column in columns)
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(folder) and (os.path.isfile(path) or not os.path.exists(path)):
            free = shutil.disk_usage(folder).free
            if need > free:
                what = f"the results of {self.source.rows:,} rows take about {spell_bytes(need)}"
                raise LimitProblem(
                    f"{what}, and {folder} has {spell_bytes(free)} left",
                    remedy=f"take fewer points or columns, or write --max-rows {self.source.rows}",
                )

    def _swept(self, parts: Sequence[Part], results: Sequence[Result], columns: Sequence[Column], output: Output) -> None:
        wishes = self.wishes
        began = time.monotonic()
        with output:
            titles = [column.title for column in columns]
            folder = None if output.path is None else os.path.dirname(os.path.realpath(output.path))
            writer = open_writer(wishes.format, output.binary, titles, number_text, folder)
            seed = self.formulas[0].makers.seed
            sweep = Sweep(self.source, parts, results, columns, writer, wishes.bad_rows, wishes.check or 0, seed)
            told = self._written(sweep, writer, output)
            if wishes.check is not None:
                self._check(told.samples, output)
            self._tell(told, output)
        if output.path is not None and sys.stderr.isatty() and not output.quiet:
            elapsed = time.monotonic() - began
            complain(f"{sweep.told.rows:,} rows in {elapsed:.1f} s, {rate_text(sweep.told.rows / max(elapsed, 1e-9))}")

    def _written(self, sweep: Sweep, writer: Writer, output: Output) -> Told:
        watched = not output.quiet and surface_of(sys.stderr).colour and not (output.path is None and sys.stdout.isatty())
        with RowsBar("sweeping:", watched) as bar:
            try:
                # It is closed here and now, not when it is collected: its threads may have to end before.
                with closing(self._finished(sweep)) as finished:
                    return sweep.run(finished, lambda rows, done: bar.rows(rows, done, self.source.size))
            except BaseException as problem:
                writer.abandon()
                if isinstance(problem, OSError) and not isinstance(problem, BrokenPipeError) and output.path is not None:
                    raise unwritable(output.path, problem) from None
                raise

    def _finished(self, sweep: Sweep) -> Generator[Done]:
        """The batches, calculated here or on a cluster."""
        wishes = self.wishes
        calculation = Calculation(sweep.parts)
        batch = wishes.batch or batch_rows(calculation)
        if wishes.cluster is None:
            yield from on_threads(sweep, calculation, batch, wishes.jobs or processors())
            return
        from gradcalc.tables.cluster import Cluster

        with Cluster(wishes.cluster) as cluster:
            yield from cluster.finished(sweep, batch)

    # ---- what is told ------------------------------------------------------------------------------------------------------------

    def _tell(self, told: Told, output: Output) -> None:
        if told.bad:
            done = "kept, with nan for what could not be computed" if self.wishes.bad_rows == "keep" else "left out"
            listed = "".join(f"\n  {flaw.place}: {flaw.words}" for flaw in told.flaws)
            more = f"\n  … and {told.bad - len(told.flaws):,} more" if told.bad > len(told.flaws) else ""
            lack = "lacks a number and was" if told.bad == 1 else "lack a number and were"
            output.warning(f"{_rows(told.bad)} of {told.rows:,} {lack} {done}:{listed}{more}")
        at = "at" if isinstance(self.source, GridSource) else "in"
        for title, (count, place) in told.odd.items():
            output.warning(f"{title} is not finite in {_rows(count)}, first {at} {place}")

    def _check(self, samples: Sequence[Sample], output: Output) -> None:
        """Check the gradients of some rows numerically."""
        bad = 0
        verdicts: dict[str, int] = {}
        for sample in samples:
            for words, verdict in self._verdicts(sample):
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
                if verdict == "mismatch":
                    bad += 1
                    output.warning(f"{sample.place}: {words}")
        if bad:
            output.check_failed()
        listed = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items(), key=lambda item: -item[1]))
        if not output.quiet:
            complain(f"checked {_rows(len(samples))}: {listed}")

    def _verdicts(self, sample: Sample) -> Iterator[tuple[str, str]]:
        """For each value and gradient of a row its verdict, and words about it."""
        from gradcalc.checking.check import check
        from gradcalc.engine.evaluate import backpropagate

        for output, formula in enumerate(self.formulas):
            own = {result.wrt: number for result, number in sample.results.items() if result.output == output}
            if not own:
                continue
            evaluation = formula.evaluate(sample.inputs)
            value = evaluation.values[-1]
            off = abs(own[None] - value) > TOLERANCE * abs(value)
            if off:
                yield f"{self.known.outputs[output]} is {number_text(own[None])}, and should be {number_text(value)}", "mismatch"
            nodes = {name: node for name in own if name is not None and (node := formula.node(name)) is not None}
            backpropagate(evaluation, 1.0, list(nodes.values()))
            for name, node in nodes.items():
                evaluation.gradients[node] = own[name]  # the numbers that were written are to be judged, not those made here
            checks, _ = check(evaluation, list(nodes.values()))
            for name, node in nodes.items():
                found = checks(node)
                title = self.known.title(Result(output, name))
                yield f"{title} is {number_text(own[name])}, and numerically {number_text(found.numerical)}", found.verdict


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
