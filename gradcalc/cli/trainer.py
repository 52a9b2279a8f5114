"""What `gradcalc train` does: from a command line to a run, and from the run to what is written."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from gradcalc.cli.losses import Judged
from gradcalc.cli.output import Output, complain
from gradcalc.cli.program import GivenProgram, Source
from gradcalc.cli.rows import named_file, refuse_overwriting, refuse_taken_input
from gradcalc.cli.searching import FEW, bounds_given, diverged, last_state, not_finite, nothing_gained, short, smaller
from gradcalc.errors import BindingProblem, DataProblem, GradcalcError, ShapeProblem, UsageProblem
from gradcalc.gates.reductions import spell_shape
from gradcalc.graph import Graph
from gradcalc.language.nearest import nearest
from gradcalc.language.program import Assigned, Program
from gradcalc.language.program import Output as OutputStatement
from gradcalc.learning.checkpoint import Checkpoint, fingerprint_of, fitting, is_run, load, ordered, save
from gradcalc.learning.methods import METHODS, Method
from gradcalc.learning.parameters import bounds_of, chosen_inputs
from gradcalc.learning.problem import flows
from gradcalc.learning.rows import fingerprint, split
from gradcalc.learning.training import Batches, Epoch, Metric, Settings, State, Training
from gradcalc.tables.columns import SHOWN_NAMES, as_input
from gradcalc.tables.dataset import DataSet
from gradcalc.views.curve import LiveCurve
from gradcalc.views.json import json_line
from gradcalc.views.training import (
    Trained,
    counted,
    epoch_header,
    epoch_line,
    epoch_row,
    epochs_text,
    shown_in_part,
    trained_document,
    trained_rows,
    trained_text,
)

if TYPE_CHECKING:
    from gradcalc.formula import Formula
    from gradcalc.workspace import Workspace

SAVE_EVERY = 1.0
"""How many seconds pass, at least, between two savings at the ends of epochs."""


class Wishes(NamedTuple):
    """The options of the command; None where one was not given."""

    data: Sequence[str]
    target: str | None
    loss: str | None
    over: Sequence[str]
    method: str | None
    rate: float | None
    epochs: int
    batch: int | None
    shuffle: bool
    validate: float | None
    metrics: Sequence[str]
    bounds: Sequence[str]
    save: str | None
    resume: bool
    trace: bool


class HeldSource(Source):
    """A program whose text is held, because it is read twice, with metrics behind it."""

    def __init__(self, source: Source, text: str, more: Sequence[str] = ()) -> None:
        super().__init__(source.path, source.text)
        self.lines = source.lines
        self.inner = source
        self.held = "\n".join([text.rstrip("\r\n"), *more]) if more else text
        self._own = text.rstrip("\r\n").count("\n") + 1

    def content(self) -> str:
        """The text."""
        return self.held

    def moved(self, problem: GradcalcError) -> GradcalcError:
        """The problem, one in a metric told from those of the program."""
        place = problem.place
        if place is not None and place.line > self._own:
            problem.place = place._replace(file=None, alone=True)
            problem.message = f"--metric: {problem.message}"
            return problem
        return self.inner.moved(problem)


class Trainer:
    """One run of the command."""

    def __init__(self, program: GivenProgram, output: Output, wishes: Wishes) -> None:
        self.program = program
        self.output = output
        self.wishes = wishes
        self.warnings: list[str] = []
        self._seed_drawn = program.seed is None

    def run(self) -> None:
        """Read, train, write."""
        with numpy.errstate(all="ignore"):  # what is not finite is found and told
            self._run()

    def _run(self) -> None:
        refuse_taken_input(self.wishes.data, self.program)
        refuse_overwriting({"--save": self.wishes.save, "-o": self.output.path}, self.wishes.data)
        wishes = self._resumed(self.wishes)
        bounds = bounds_given(wishes.bounds)
        data = DataSet(wishes.data, self.program.max_array)
        target = None if wishes.target is None else as_input(wishes.target)
        if target is not None and target not in data.owners:
            raise data.unknown(target, f"--target {wishes.target}")
        metric_names = self._hold(wishes.metrics)
        used, kinds = self._scan(data, target)
        self._refuse_other_program(kinds)
        columns = data.read([*used, *([target] if target is not None and target not in used else [])], self.program.max_array)
        rows = split(len(next(iter(columns.values()))), wishes.validate or 0.0, self._seed())
        batch = min(wishes.batch or len(rows.training), len(rows.training))
        formulas = self._formulas(columns, used, rows.training[:batch], len(metric_names), data)
        if formulas is None:
            return
        formula, *others = formulas
        judged = Judged(formula, target, wishes.loss, columns, batch)
        over = wishes.over or self._learnable(formula, judged.graph, kinds, columns)
        self._warn_of_unused(formulas, wishes, data, kinds, used, target)
        names, loss = self._loss(judged, over, kinds, bounds, columns)
        metrics = [Metric(name, *self._metric(other, names, columns)) for name, other in zip(metric_names, others)]
        method = METHODS[wishes.method or "gradient"]
        rate = wishes.rate if wishes.rate is not None else method.rate or 1.0
        settings = Settings(rate, wishes.epochs, batch, wishes.shuffle, self._seed())
        self._train(judged, names, Training(loss, metrics, rows, method, settings, self._begin(loss, method)), columns, wishes)

    # ---- what is asked for -------------------------------------------------------------------------------------------------------

    def _seed(self) -> int:
        if self.program.seed is None:
            self.program.seed = int.from_bytes(os.urandom(4))
        return self.program.seed

    def _resumed(self, wishes: Wishes) -> Wishes:
        """The wishes, with those of a saved run where nothing else is said."""
        self.saved: Checkpoint | None = None
        if wishes.resume and wishes.save is None:
            raise UsageProblem("--resume goes on from the file of --save", remedy="write --save FILE.npz --resume")
        if wishes.save is not None and not wishes.save.endswith(".npz"):
            raise UsageProblem(f"--save {wishes.save} is not the name of an .npz", remedy=f"write --save {wishes.save}.npz")
        if wishes.save is None:
            return wishes
        if not wishes.resume:
            if os.path.exists(wishes.save) and not is_run(wishes.save):
                raise UsageProblem(
                    f"--save {wishes.save} would replace a file that is no run of training", remedy="name another file after --save"
                )
            return wishes
        if not os.path.exists(wishes.save):
            self.warnings.append(f"{wishes.save} does not exist yet: this run begins anew")
            return wishes
        self.saved = load(wishes.save)
        given = next((name for name in self.saved.names if name in self.program.bindings), None)
        if given is not None:
            raise UsageProblem(
                f"--{given} gives a value to what {wishes.save} has learned",
                remedy="leave it out, or leave out --resume to begin anew",
            )
        known = self.saved.settings
        if self.program.seed is None:
            self.program.seed = known["seed"]
        return wishes._replace(
            over=wishes.over or self.saved.names,
            method=wishes.method or known["method"],
            rate=known["rate"] if wishes.rate is None else wishes.rate,
            batch=known["batch"] if wishes.batch is None else wishes.batch,
            shuffle=wishes.shuffle or known["shuffle"],
            validate=(known["validate"] or None) if wishes.validate is None else wishes.validate,
        )

    def _hold(self, metrics: Sequence[str]) -> list[str]:
        """Read the program once, put the metrics behind it, and answer their names."""
        program = self.program
        source = named_file(program.source)
        text = "".join(source.content())
        names, expressions = [], []
        for metric in metrics:
            match = re.match(r"\s*(\w+)\s*=(?!=)(.*)", metric, re.DOTALL)
            names.append(match[1] if match else metric.strip())
            expressions.append(match[2].strip() if match else metric.strip())
            if not expressions[-1]:
                raise UsageProblem(f"--metric {metric} is empty", remedy='write --metric "accuracy = mean(p == t)"')
        last = None
        for statement in Program(bound=set(program.bindings)).statements(text):
            last = (
                statement if isinstance(statement, OutputStatement | Assigned) and not isinstance(last, OutputStatement) else last
            )
        # Behind a program that ends in a named thing, the metrics would be the only outputs.
        named = [last.name] if isinstance(last, Assigned) and expressions else []
        program.source = HeldSource(source, text, [*named, *expressions])
        return names

    def _scan(self, data: DataSet, target: str | None) -> tuple[list[str], dict[str, str]]:
        """Which columns the program uses, and what its names are."""
        values = self.program.values()
        scanned = Program(bound={*values, *data.owners})
        problems = [
            statement for statement in scanned.statements(self.program.source.content()) if isinstance(statement, GradcalcError)
        ]
        kinds = {name: entry.kind for name, entry in scanned.known.items()}
        used = [name for name in data.owners if kinds.get(name) in ("input", "default") and name not in values]
        if problems and not used:
            raise self.program.source.moved(problems[0])
        if not used:
            inputs = [name for name, kind in kinds.items() if kind == "input"]
            pairs = [(name, nearest(name, data.owners)) for name in inputs]
            near = next((f"did you mean {near} by {name}?" for name, near in pairs if near), "")
            listed = ", ".join(list(data.owners)[:SHOWN_NAMES])
            raise DataProblem(
                "the program uses no column of the data",
                remedy=near or f"its inputs are {', '.join(inputs) or 'none'}, the columns {listed}",
            )
        return used, kinds

    def _refuse_other_program(self, kinds: Mapping[str, str]) -> None:
        """A saved run whose parameters the program does not have is one of another program."""
        lost = [
            name for name in (self.saved.names if self.saved is not None else ()) if kinds.get(name) not in ("input", "default")
        ]
        if lost and not self.wishes.over:
            raise UsageProblem(
                f"{self.wishes.save} is a run of another program: it learned {' and '.join(lost)}, which is no input of this one",
                remedy="leave out --resume to begin anew, or name another file after --save",
            )

    def _formulas(
        self, columns: Mapping[str, Any], used: Sequence[str], rows: Any, metrics: int, data: DataSet
    ) -> list[Formula] | None:
        """The loss and the metrics, as they are on a first batch; None if something is wrong, which is told."""
        workspace: Workspace = self.program.workspace()
        workspace.bindings.update({name: columns[name][rows] for name in used})
        found: list[Formula] = []
        failed = False
        for answer in self.program.formulas(workspace):
            if isinstance(answer, GradcalcError):
                self.output.error(self._in_terms_of_data(answer, columns, used, len(rows), data))
                failed = True
            else:
                found.append(answer)
        if failed:
            return None
        if len(found) != metrics + 1:
            count = len(found) - metrics
            raise UsageProblem(
                f"the program has {count if count > 0 else 'no'} outputs, and training needs one: the loss, or the prediction",
                remedy="give the others names, or tell them with --metric",
            )
        return found

    def _in_terms_of_data(
        self, problem: GradcalcError, columns: Mapping[str, Any], used: Sequence[str], rows: int, data: DataSet
    ) -> GradcalcError:
        """The problem, with what a batch is where that may be its reason."""
        if isinstance(problem, ShapeProblem):
            shapes = ", ".join(f"{name} {spell_shape((rows, *columns[name].shape[1:]))}" for name in used[:6])
            problem.remedy = f"in a batch of {counted(rows)} the columns have the shapes {shapes}" + (
                f"\n{problem.remedy}" if problem.remedy else ""
            )
        elif isinstance(problem, BindingProblem) and problem.missing is not None:
            near = nearest(problem.missing, data.owners)
            files = " and ".join(table.file for table in data.tables)
            problem.message = f"{problem.missing} has no value, and is no column of {files}"
            if near:
                problem.remedy = f"did you mean {near}?\n{problem.remedy}"
        return problem

    def _learnable(self, formula: Formula, graph: Graph, kinds: Mapping[str, str], columns: Mapping[str, Any]) -> list[str]:
        """The inputs with defaults from which a derivative flows to the loss."""
        flowing = flows(graph)
        names = [
            name
            for number, name in enumerate(formula.inputs)
            if kinds.get(name) == "default" and name not in columns and number in flowing
        ]
        depends = flows(graph, slopes=False) - flowing
        for number, name in enumerate(formula.inputs):
            if kinds.get(name) == "default" and name not in columns and number in depends and names:
                self.warnings.append(f"the loss changes with {name} only in jumps: it stays as it is")
        if not names:
            free = [name for name in formula.inputs if name not in columns]
            raise UsageProblem(
                "there is nothing to learn: no input of the program has a default",
                remedy=f"give one to what is to be learned, in the program ({free[0]} = 0), or name it: --over {free[0]}"
                if free
                else "write what is to be learned as inputs with defaults: w = 0; b = 0",
            )
        return names

    def _warn_of_unused(
        self,
        formulas: Sequence[Formula],
        wishes: Wishes,
        data: DataSet,
        kinds: Mapping[str, str],
        used: Sequence[str],
        target: str | None,
    ) -> None:
        """Say which parameters are not learned, and whether a target was perhaps forgotten."""
        reached = {name for formula in formulas for name in formula.inputs}
        text = "".join(self.program.source.content())
        lost = [
            name
            for name, kind in kinds.items()
            if kind == "default"
            and name not in reached
            and name not in data.owners
            and len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text)) == 1
        ]
        if lost and not wishes.over:
            what, them = ("they stay as they are", "them") if len(lost) > 1 else ("it stays as it is", "it")
            self.warnings.append(f"the loss does not depend on {' and '.join(lost)}: {what}, and nothing uses {them}")
        if target is None:
            idle = [name for name in data.owners if name not in used and data.holds_numbers(name)]
            if idle:
                self.warnings.append(
                    f"there is no --target, so the output itself is made small; the column{'s' if len(idle) > 1 else ''} "
                    f"{', '.join(idle[:FEW])}{', …' if len(idle) > FEW else ''} {'are' if len(idle) > 1 else 'is'} not used"
                )

    def _loss(
        self, judged: Judged, over: Sequence[str], kinds: Mapping[str, str], bounds: Any, columns: Mapping[str, Any]
    ) -> tuple[list[str], Batches]:
        """The names of what is learned, and the loss over batches."""
        formula = judged.formula
        for name in over:
            if name in columns:
                raise UsageProblem(f"--over {name}: {name} is a column of the data", remedy="name inputs that are no columns")
        numbers, warnings = chosen_inputs(judged.graph, formula.inputs, over, kinds, short(judged.text))
        self.warnings += [*formula.warnings, *warnings]
        names = [formula.inputs[number] for number in numbers]
        values = [formula.values[number] for number in numbers]
        limits = bounds_of(names, values, bounds)
        inputs = [*formula.point(), *([None] if judged.predicts else [])]
        return names, Batches(judged.prepared, inputs, judged.columns(columns), numbers, limits)

    def _metric(self, formula: Formula, names: Sequence[str], columns: Mapping[str, Any]) -> tuple[Batches, list[int]]:
        """A metric over batches, and which of the parameters are its own."""
        places = [place for place, name in enumerate(names) if name in formula.inputs]
        chosen = [formula.inputs.index(names[place]) for place in places]
        own = {number: columns[name] for number, name in enumerate(formula.inputs) if name in columns}
        return Batches(formula.prepared, formula.point(), own, chosen), places

    def _begin(self, loss: Batches, method: Method) -> State:
        values = loss.start
        return State(0, 0, 0, values, method.begin(len(values)))

    # ---- the run -----------------------------------------------------------------------------------------------------------------

    def _train(self, judged: Judged, names: list[str], training: Training, columns: Mapping[str, Any], wishes: Wishes) -> None:
        """Train, save, and write what came of it."""
        settings, output = training.settings, self.output
        kept = {
            "method": training.method.name,
            "rate": settings.rate,
            "seed": settings.seed,
            "batch": settings.batch,
            "shuffle": settings.shuffle,
            "validate": wishes.validate or 0.0,
            "data": fingerprint(columns) if wishes.save is not None else 0,
            "loss": judged.text,
            "graph": fingerprint_of(judged.graph, judged.formula.inputs) if wishes.save is not None else 0,
        }
        start = training.state.values
        if self.saved is not None and wishes.save is not None:
            self.warnings += fitting(wishes.save, self.saved, names, start, kept)
            training.state = training.before = ordered(self.saved, names)
            training.history = list(self.saved.history)
            first = self.saved.start
            if training.state.epoch >= settings.epochs:
                self.warnings.append(
                    f"{wishes.save} has been through {training.state.epoch} epochs: --epochs {settings.epochs} leaves nothing to do"
                )
            if len(training.history) and len(training.history[0].metrics) != len(training.metrics):
                training.history = [epoch._replace(metrics=(float("nan"),) * len(training.metrics)) for epoch in training.history]
        else:
            first = training.measured(start, training.rows.training)
        keep = Keeper(wishes.save, tuple(names), first, kept)
        metrics = [metric.name for metric in training.metrics]
        traced_here = wishes.trace and output.path is None and sys.stdout.isatty()
        told = epoch_header(metrics) if wishes.trace and output.format == "csv" else ""
        if told:
            output.write(told)
        with LiveCurve("loss", "epoch", watched=not output.quiet and not traced_here) as curve:
            watch = (lambda done, loss: curve.add(done, settings.epochs, loss)) if curve.watched else None
            try:
                for epoch in training.run(watch):
                    self._tell(epoch, metrics, wishes.trace)
                    keep.now_and_then(training)
                loss = training.finish(first)
            except KeyboardInterrupt:
                keep.save(training)
                if wishes.save is not None and not output.quiet:
                    complain(f"interrupted: {wishes.save} holds the run {_reached(training)}; --resume goes on from there")
                raise
        keep.save(training)
        self._warn_of_no_gain(judged, training, first, loss)
        self._write(judged, names, start, first, loss, training, metrics, wishes)
        for warning in self.warnings:
            output.warning(warning)
        if training.stop is not None and training.stop.failed:
            output.error(self._failure(judged, names, training))

    def _warn_of_no_gain(self, judged: Judged, training: Training, first: float, loss: float) -> None:
        """Say that a run that came to its end made nothing better."""
        epochs = len(training.history)
        if training.stop is None and epochs and loss >= first and training.moved:
            stable, where = training.stable_rate()
            steps = f"{epochs} epoch{'' if epochs == 1 else 's'}"
            advice = smaller(training.settings.rate, stable, _after(where))
            self.warnings.append(nothing_gained(short(judged.text), first, loss, steps, advice))

    def _tell(self, epoch: Epoch, metrics: Sequence[str], traced: bool) -> None:
        if traced and self.output.format == "csv":
            self.output.write(epoch_row(epoch))
        elif traced and self.output.format == "json":
            self.output.write(epoch_line(epoch, metrics, self.output.surface.unicode))

    def _write(
        self,
        judged: Judged,
        names: Sequence[str],
        start: Sequence[Any],
        first: float,
        loss: float,
        training: Training,
        metrics: Sequence[str],
        wishes: Wishes,
    ) -> None:
        """What came of it, in the format that was asked for."""
        output, settings = self.output, training.settings
        if training.stop is None or not training.stop.failed:
            self.program.offer(dict(zip(names, training.state.values)))
        run = Trained(
            output=judged.text,
            names=names,
            start=start,
            end=training.state.values,
            first_loss=first,
            loss=loss,
            history=training.history,
            metrics=metrics,
            method=(training.method.title, training.method.name),
            rate=settings.rate,
            steps=training.state.steps,
            batch=settings.batch,
            rows=(len(training.rows.training), len(training.rows.held_out)),
            seed=settings.seed,
            seed_drawn=self._seed_drawn and (wishes.shuffle or bool(wishes.validate) or judged.formula.makers.drawn),
            bounds=training.loss.bounds,
            failed=training.stop is not None and training.stop.failed,
            saved=wishes.save,
            warnings=self.warnings,
        )
        if output.format == "json":
            output.write(json_line(trained_document(run), output.surface.unicode))
        elif output.format == "csv":
            if not wishes.trace:
                output.write(trained_rows(run))
        else:
            if wishes.trace and run.history:
                output.write(epochs_text(run.history, metrics, output.surface, output.digits, output.every_row) + "\n")
            output.write(trained_text(run, output.surface, output.digits))
            self._tell_what_is_lost(run)

    def _tell_what_is_lost(self, run: Trained) -> None:
        """Say how arrays are kept that nobody can read off the table."""
        lost = shown_in_part(run.names, run.end)
        if lost and run.saved is None and not run.failed and not self.output.quiet and not self.program.typed_in_session:
            listed = ", ".join(lost[:FEW]) + (", …" if len(lost) > FEW else "")
            complain(f"shown in part: {listed}; --save FILE.npz keeps what is learned, and --bindings FILE.npz reads it")

    def _failure(self, judged: Judged, names: Sequence[str], training: Training) -> GradcalcError:
        """A run that came to no good end."""
        stop, state, failed = training.stop, training.state, training.failed_at
        assert stop is not None
        when = (
            f"at step {failed.steps + 1}, in epoch {failed.epoch + 1}"
            if training.culprit
            else f"up to epoch {len(training.history)}"
        )
        words = last_state(names, state.values, f"after step {state.steps}")
        if self.wishes.save is not None:
            words += f"\nthat state is saved in {self.wishes.save}"
        what = short(judged.text)
        if stop.kind == "diverging" or training.culprit is None:
            words = f"columns of a common scale allow a larger one\n{words}"
            stable, where = training.stable_rate()
            return diverged(what, training.settings.rate, stable, when, _after(where), words)
        return not_finite(judged.formula, training.culprit, stop.values or [], when, words, failed.steps == 0, judged.whole)


def _reached(training: Training) -> str:
    state = training.state
    inside = f", batch {state.batch} of {training.batches}" if state.batch else ""
    return f"after epoch {state.epoch}{inside}"


def _after(state: State) -> str:
    return f"after step {state.steps}" if state.steps else "at the start"


class Keeper:
    """Saves a run."""

    def __init__(self, path: str | None, names: tuple[str, ...], start: float, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.names = names
        self.start = start
        self.settings = settings
        self._last = time.monotonic()

    def now_and_then(self, training: Training) -> None:
        """Save, unless that was done a moment ago."""
        if self.path is not None and time.monotonic() - self._last >= SAVE_EVERY:
            self.save(training)

    def save(self, training: Training) -> None:
        """Save, if there is a file for it."""
        if self.path is not None:
            state = training.state
            history = tuple(epoch for epoch in training.history if epoch.number <= state.epoch)
            save(self.path, Checkpoint(self.names, state, history, self.start, self.settings))
            self._last = time.monotonic()
