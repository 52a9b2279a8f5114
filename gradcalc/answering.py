"""One output of a program on its way to a result: gradients or tangents, checks, what there is beside them, a row for each node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradcalc.calculus.extract import HIDDEN, Extract
from gradcalc.engine.evaluate import Evaluation, backpropagate
from gradcalc.engine.finite import all_finite, first_fault, spell_value
from gradcalc.engine.shapes import shape_of
from gradcalc.errors import ShapeProblem, UsageProblem
from gradcalc.graph import CONSTANT, INPUT
from gradcalc.language.program import Input
from gradcalc.results import NodeReport, Nodes, Result, add_check

if TYPE_CHECKING:
    from gradcalc.aspects import Direction
    from gradcalc.checking.verdicts import Check
    from gradcalc.uncertainty.spread import Spread
    from gradcalc.workspace import Workspace

SHORT = 40
"""Up to so many characters an output is spelled out in a remark."""


class Answering:
    """Answers one output of a workspace.

    Attributes:
        workspace: whose program and values they are.
        options: how it is answered.
        program: the program.
        part: what the output is computed from.
        graph: of that part; its last node is the output.
        result: what is answered, completed step by step.
    """

    def __init__(self, workspace: Workspace, part: Extract, result: Result, evaluation: Evaluation | None = None) -> None:
        """Begin; without an evaluation there is only the structure to be told."""
        self.workspace = workspace
        self.options = workspace.options
        self.program = workspace.program
        self.part = part
        self.graph = part.graph
        self.result = result
        self._evaluation = evaluation

    def answer(self) -> Result:
        """All that the options ask for."""
        self.result.warnings += self._value_warnings()
        self.workspace.notes.clear()
        if self.options.mode == "forward":
            self._push()
        elif self.options.gradients:
            self._differentiate()
        spread = self.workspace.spread
        if spread is not None:
            self._propagate(spread)
        if self.options.sensitivity:
            self._paint()
        return self.result

    def structure(self) -> Result:
        """Rows without numbers, but for those of constants and of inputs that have a value."""
        self._add_rows()
        return self.result

    # ---- what is known of the output's part --------------------------------------------------------------------------------------

    @property
    def evaluation(self) -> Evaluation:
        """The numbers."""
        assert self._evaluation is not None
        return self._evaluation

    @cached_property
    def entries(self) -> Sequence[Input]:
        """The inputs of the part, in its own numbering."""
        return self.workspace.inputs_of(self.part)

    @cached_property
    def positions(self) -> Mapping[int, int] | _Same:
        """Where the nodes of the program are in the part."""
        if self.part.origin is None:
            return _Same()
        return {source: inner for inner, source in enumerate(self.part.origin) if source != HIDDEN}

    @cached_property
    def rows(self) -> Sequence[int]:
        """The nodes that get a row: all but those inside gates that are opened only to compute them."""
        inside, opened = self.part.inside, self.options.open
        if not inside:
            return range(len(self.graph))
        return [node for node in range(len(self.graph)) if node not in inside or "all" in opened or inside[node] in opened]

    @cached_property
    def label(self) -> Callable[[int], str]:
        """A node's name, or else its expression; spelled as the output is."""
        return self.workspace.speller(self.part)

    # ---- gradients and tangents --------------------------------------------------------------------------------------------------

    def _differentiate(self) -> None:
        """Backpropagate, and check."""
        program, position, evaluation, result = self.program, self.positions, self.evaluation, self.result
        if self.options.wrt is None:
            names = {entry.name: entry.node for entry in self.entries}
            wrt = None
        else:
            names = {name: program.names[name] for name in self.options.wrt if name in program.names}
            wrt = [position[source] for source in names.values() if source in position]
        backpropagate(evaluation, self.workspace.upstream(result.shape), wrt)
        for name, source in names.items():
            inner = position.get(source)
            # A name that the output does not reach has the gradient 0, whatever its shape.
            result.gradients[name] = 0.0 if inner is None else evaluation.gradients[inner]
            if inner is None:
                subject = result.output if len(result.output) <= SHORT else "the output"
                result.remarks.append(f"{subject} does not depend on {name}: the gradient is 0")
        if result.shape and self.options.upstream is None:
            result.remarks.append("the output is an array: the gradients are those of the sum of its elements")
        result.warnings += self._gradient_warnings()
        if self.options.conventions:
            from gradcalc.checking.conventions import kinks

            result.kinks = list(kinks(evaluation, self.label))
        self._check()

    def _check(self) -> None:
        """Check the gradients, and make the rows."""
        evaluation, result = self.evaluation, self.result
        check: Callable[[int], Check] | None = None
        if self.options.check != "off":
            from gradcalc.checking.check import check as run
            from gradcalc.checking.verdicts import worst

            nodes = [node for node in self.rows if evaluation.wanted[node]]
            check, method = run(evaluation, nodes, self.options.check, self.options.check_all, self.workspace.progress)
            result.remarks += [method] if method else []
            result.verdict = worst([check(node).verdict for node in nodes])
        if result.verdict == "off":
            result.reason = self._unchecked(any(evaluation.wanted))
        self._add_rows(check)

    def _unchecked(self, wanted: bool) -> str:
        """Why the gradients were not checked."""
        if self.options.check == "off":
            return "--check off"
        if not wanted:
            return "it depends on no input" if self.options.wrt is None else "there is no gradient to check"
        return "" if all_finite(self.result.value) else "the value is not finite"

    def _push(self) -> None:
        """Forward mode: how every node moves along some directions, checked, as rows."""
        from gradcalc.aspects import pushed
        from gradcalc.checking.verdicts import VERDICTS, worst

        evaluation, result = self.evaluation, self.result
        evaluation.wanted = bytearray(len(self.graph))
        directions = self._directions()
        rows = self.rows
        runs = pushed(evaluation, directions, rows, self.options.check)
        result.directions = tuple(directions)
        self._add_rows()
        assert isinstance(result.nodes, Nodes)

        def add(node: int, report: NodeReport) -> None:
            report.tangents = tuple(run.tangent(node, report.shape) for run in runs)
            if not report.tangents:
                return
            bad = max(report.tangents, key=lambda tangent: VERDICTS.index(tangent.verdict))
            report.verdict, report.note, report.slopes = bad.verdict, bad.note, bad.slopes
            report.digits = min((one.digits for one in report.tangents if one.digits is not None), default=None)
            if len(report.tangents) == 1:
                report.numerical, report.error_bar, report.verdicts = bad.numerical, bad.error_bar, bad.verdicts

        result.nodes = result.nodes.with_more(add)
        checks = [run.check for run in runs if run.check is not None]
        result.verdict = worst([check(node).verdict for check in checks for node in rows])
        if result.verdict == "off":
            result.reason = next((run.reason for run in runs if run.reason), "") or self._unchecked(bool(runs))
        for run in runs:
            (name, amount), *others = run.direction.amounts.items()
            if self.options.direction is None and not others and isinstance(amount, float):
                derivative = run.tangents[-1]
                result.gradients[name] = derivative if isinstance(derivative, float) else float(derivative.sum())
        result.warnings += self._tangent_warnings([(run.direction.title, run.tangents) for run in runs])

    def _directions(self) -> list[Direction]:
        """The directions of forward mode: the one that is given, or one for each input that is asked for."""
        from gradcalc.aspects import Direction

        entries = {entry.name: entry for entry in self.entries}
        position, evaluation, result = self.positions, self.evaluation, self.result
        given = self.options.direction
        asked = list(given) if given is not None else list(entries) if self.options.wrt is None else list(self.options.wrt)
        amounts: dict[str, Any] = {}
        for name in asked:
            known = self.program.known.get(name)
            if known is not None and known.kind not in ("input", "default"):
                raise UsageProblem(
                    f"forward mode moves inputs, and {name} is computed by the program",
                    place=known.place(),
                    remedy="name inputs, or leave out --mode forward: gradients can be by any node",
                )
            if name not in entries:
                if known is not None:
                    subject = result.output if len(result.output) <= SHORT else "the output"
                    result.remarks.append(f"{subject} does not depend on {name}")
                continue
            amount = 1.0 if given is None else self.workspace.given_value(given[name], f"--direction {name}")
            shape = evaluation.shape(position[entries[name].node])
            if shape_of(amount) not in ((), shape):
                from gradcalc.gates.reductions import spell_shape

                raise ShapeProblem(
                    f"--direction {name}: the direction has shape {spell_shape(shape_of(amount))}, "
                    f"{name} {f'has shape {spell_shape(shape)}' if shape else 'is a number'}",
                    remedy=f"give one number, or one for each element of {name}",
                )
            amounts[name] = spread_out(amount, evaluation.values[position[entries[name].node]])
        nodes = {name: position[entries[name].node] for name in amounts}
        if given is not None:
            moves = {nodes[name]: amount for name, amount in amounts.items()}
            return [Direction("derivative", amounts, moves)] if amounts else []
        arrays = [name for name, amount in amounts.items() if not isinstance(amount, float)]
        if arrays:
            listed = " and ".join([", ".join(arrays[:-1]), arrays[-1]] if len(arrays) > 1 else arrays)
            result.remarks.append(f"all elements of {listed} move alike; --direction {arrays[0]}=[…] moves them otherwise")
        return [Direction(f"d/d{name}", {name: amount}, {nodes[name]: amount}) for name, amount in amounts.items()]

    # ---- what there is beside them -----------------------------------------------------------------------------------------------

    def _propagate(self, spread: Spread) -> None:
        """How uncertain the output and every node are."""
        from gradcalc.uncertainty.propagate import propagate

        position, result = self.positions, self.result
        nodes = {entry.name: position[entry.node] for entry in self.entries if entry.name in spread.errors}
        found = propagate(
            self.evaluation, spread, nodes, self.options.monte_carlo, self.workspace.makers.seed, self.workspace.progress
        )
        result.propagation = found
        if isinstance(result.nodes, Nodes):
            names = {node: name for name, node in nodes.items()}

            def add(node: int, report: NodeReport) -> None:
                report.uncertainty = found.first.uncertainties[node]
                report.share = found.first.shares.get(names.get(node, ""))

            result.nodes = result.nodes.with_more(add)

    def _paint(self) -> None:
        """The elasticities of the nodes, and the source painted by them."""
        from gradcalc.aspects import Sensitivity, elasticities, painted

        result, elasticity = self.result, elasticities(self.evaluation)
        rows = self.rows
        numbers = {node: number for number, node in enumerate(rows)}
        if isinstance(result.nodes, Nodes):

            def add(node: int, report: NodeReport) -> None:
                report.elasticity = elasticity(node)

            result.nodes = result.nodes.with_more(add)
        whole = elasticity(len(self.graph) - 1)
        known = whole is not None and all_finite(whole)
        reason = "" if known else "the output is 0 or not finite, so nothing is a part of it"
        sources = {self.part.source(node): node for node in rows if self.part.source(node) != HIDDEN}
        lines = painted(self.program, sources, numbers, elasticity) if known else []
        result.sensitivity = Sensitivity(lines, reason)

    # ---- rows --------------------------------------------------------------------------------------------------------------------

    def _add_rows(self, check: Callable[[int], Check] | None = None) -> None:
        """Make the rows of the result, as they are looked at; without an evaluation they tell the structure."""
        numbers: Mapping[int, int] | Sequence[int] = range(len(self.graph))
        if len(self.rows) < len(self.graph):
            numbers = {node: number for number, node in enumerate(self.rows)}
        self.result.nodes = Nodes(self.rows, lambda node: self._report(node, check, numbers))

    def _report(self, node: int, check: Callable[[int], Check] | None, numbers: Mapping[int, int] | Sequence[int]) -> NodeReport:
        """The row of a node."""
        evaluation = self._evaluation
        graph, source = self.graph, self.part.source(node)
        code = graph.codes[node]
        operator = graph.operators[code]
        gate = "input" if code == INPUT else "constant" if code == CONSTANT else operator.gate.name if operator.gate else ""
        inputs = graph.inputs(node)
        opened = ""
        call = self.program.graph.operator(source) if source != HIDDEN else operator
        if source != HIDDEN and call.gate is not None and call.gate is not operator.gate:
            shown_open = "all" in self.options.open or call.gate.name in self.options.open
            if not shown_open:
                gate = call.gate.name
                position = self.positions
                inputs = tuple(position[given] for given in self.program.graph.inputs(source) if given in position)
            else:
                opened = call.gate.name
        value = self._known_value(node) if evaluation is None else evaluation.values[node]
        report = NodeReport(
            id=numbers[node],
            name=self.label(node),
            named=source != HIDDEN and self.program.name_of(source) is not None,
            gate=gate,
            inputs=tuple(numbers[inner] for inner in inputs),
            shape=evaluation.shape(node) if evaluation is not None else () if value is None else shape_of(value),
            value=value,
            opened=opened,
            inside=self.part.inside.get(node, ""),
        )
        if evaluation is not None and evaluation.wanted[node]:
            report.gradient = evaluation.gradients[node]
            if check is not None:
                add_check(report, check(node))
        return report

    def _known_value(self, node: int) -> Any:
        """The value of a constant, or of an input that has one; None for all other nodes."""
        graph = self.graph
        if graph.codes[node] == CONSTANT:
            return graph.constant(node)
        if graph.codes[node] != INPUT:
            return None
        entry = self.program.inputs[self.program.graph.left[self.part.source(node)]]
        return None if entry.name not in self.workspace.bindings and entry.default is None else self.workspace.input_value(entry)

    # ---- warnings ----------------------------------------------------------------------------------------------------------------

    def _value_warnings(self) -> list[str]:
        """A warning that names the first node at which something that is not finite arose."""
        values = self.evaluation.values
        if self.evaluation.scalar and all(map(math.isfinite, values)):
            return []
        fault = first_fault(self.graph, values)
        if fault is None:
            return []
        if not fault.words:
            return self._given_warning(fault.node, values[fault.node])
        return [f"{self.label(fault.node)} at node {fault.node} {fault.words}"]

    def _given_warning(self, node: int, value: Any) -> list[str]:
        """That a value was not finite from the beginning."""
        name = self.label(node)
        if f"--{name}" in self.workspace.notes:
            return []  # a number too large to be held, which is told
        because = "it was given so" if name in self.workspace.bindings else "that is its default"
        return [f"{name} at node {node} is {spell_value(value)}: {because}"]

    def _gradient_warnings(self) -> list[str]:
        """A warning that names the first node (from the output) whose gradient is not finite though all values are."""
        evaluation = self.evaluation
        if not all(map(all_finite, evaluation.values)):
            return []
        for node in range(len(self.graph) - 1, -1, -1):
            if evaluation.wanted[node] and not all_finite(evaluation.gradients[node]):
                word = spell_value(evaluation.gradients[node])
                return [f"the gradient at {self.label(node)} (node {node}) is {word}"]
        return []

    def _tangent_warnings(self, runs: Sequence[tuple[str, Sequence[Any]]]) -> list[str]:
        """A warning that names the first node whose tangent is not finite though all values are."""
        if not all(map(all_finite, self.evaluation.values)):
            return []
        for title, tangents in runs:
            for node, tangent in enumerate(tangents):
                if not all_finite(tangent):
                    return [f"{title} of {self.label(node)} (node {node}) is {spell_value(tangent)}"]
        return []


class _Same:
    """The positions of nodes in an extract that is the whole graph."""

    def get(self, node: int) -> int:
        """The node itself."""
        return node

    def __getitem__(self, node: int) -> int:
        return node

    def __contains__(self, node: object) -> bool:
        return True


def spread_out(amount: Any, like: Any) -> Any:
    """A number as an array of the same in the shape of another value."""
    if isinstance(like, float) or not isinstance(amount, float):
        return amount
    import numpy

    return numpy.full(like.shape, amount)
