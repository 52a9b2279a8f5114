"""What one output of a program answers: its value, its gradients, and a row for each node."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    from gradcalc.aspects import Direction, Sensitivity, Tangent
    from gradcalc.checking.conventions import Kink
    from gradcalc.checking.verdicts import Check
    from gradcalc.uncertainty.propagate import Propagation


@dataclass(slots=True)
class NodeReport:
    """One row of a result: a node, its value, its gradient, and how far the gradient can be trusted.

    Attributes:
        id: the node's number in this result; inputs of a node have smaller ones.
        name: its name, or the piece of source that it stands for.
        named: whether `name` is a name of the program.
        gate: the gate's name, `input` or `constant`.
        inputs: ids of the nodes it is made from.
        shape: () for a number.
        value: a float, or an array of this shape.
        gradient: of the output by this node, of the node's shape; None where none is wanted.
        numerical: the numerical derivative, None where it was not taken.
        error_bar: how far the numerical derivative may be off.
        verdict: ok, kink, edge, unsure, mismatch or off; of an array the worst of its elements'.
        digits: how many digits of gradient and numerical derivative agree.
        slopes: the one-sided derivatives from below and from above, at kinks and edges.
        note: words about a convention or a reason.
        verdicts: of an array an array of the verdicts of its elements, `off` for those that were not drawn (their numerical
            derivative is nan); None where it was not checked by element.
        opened: of the result of a gate that was opened, the gate's name.
        inside: of the nodes that it is made from, the name of the outermost gate that was opened.
        tangents: in forward mode how the node moves along each direction.
        uncertainty: the standard uncertainty of the value, where inputs are uncertain; of the node's shape.
        share: of an uncertain input, its part of the output's variance.
        elasticity: value times gradient, by the output; where it was asked for.
    """

    id: int
    name: str
    named: bool
    gate: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    value: Any
    gradient: Any = None
    numerical: Any = None
    error_bar: Any = None
    verdict: str = "off"
    digits: int | None = None
    slopes: tuple[float, float] | None = None
    note: str = ""
    verdicts: Any = None
    opened: str = ""
    inside: str = ""
    tangents: tuple[Tangent, ...] = ()
    uncertainty: Any = None
    share: Any = None
    elasticity: Any = None


class Nodes(Sequence[NodeReport]):
    """The rows of a result, each made when it is looked at: a result of a million nodes costs no more than its numbers."""

    def __init__(self, ids: Sequence[int], report: Callable[[int], NodeReport], gone: list[bool] | None = None) -> None:
        self._ids = ids
        self._make = report
        self._gone = [] if gone is None else gone
        """Not empty once the program has forgotten these nodes; slices share it."""

    def with_more(self, add: Callable[[int, NodeReport], None]) -> Nodes:
        """The same rows, to each of which something is added when it is made, by its node."""

        def make(node: int) -> NodeReport:
            report = self._make(node)
            add(node, report)
            return report

        return Nodes(self._ids, make, self._gone)

    def forget(self) -> None:
        """From now on the rows cannot be made: the program goes on without these nodes."""
        self._gone.append(True)

    def _report(self, node: int) -> NodeReport:
        if self._gone:
            raise UsageProblem(
                "the rows of this result are gone, since the next statement has been taken",
                remedy="keep list(result.nodes) before you ask for the next answer",
            )
        return self._make(node)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[NodeReport]:
        # Not by index: an IndexError would end the iteration silently.
        return map(self._report, self._ids)

    @overload
    def __getitem__(self, index: int) -> NodeReport: ...
    @overload
    def __getitem__(self, index: slice) -> Nodes: ...
    def __getitem__(self, index: int | slice) -> NodeReport | Nodes:
        """One row, or several."""
        if isinstance(index, slice):
            return Nodes(self._ids[index], self._make, self._gone)
        return self._report(self._ids[index])


@dataclass(slots=True)
class Result:
    """One output, evaluated, backpropagated and checked.

    Attributes:
        output: the output in gradcalc's own spelling.
        value: its value.
        gradients: of the output by its inputs, by name (or by the names asked for).
        nodes: every node that the output reaches.
        verdict: the worst of the nodes' verdicts.
        reason: why nothing was checked, where the verdict is `off`.
        warnings: what deserves attention, one sentence each.
        remarks: what else there is to know: that an array output is summed, how the check of a large one was done.
        line: where the output stands in the program, counted from 1.
        propagation: how uncertain the value is, where inputs are uncertain.
        directions: in forward mode the directions along which inputs were moved.
        sensitivity: the source, painted by influence, where that was asked for.
        kinks: where gates have no derivative, and what is answered there; None unless that was asked for.
    """

    output: str
    value: Any
    shape: tuple[int, ...] = ()
    gradients: dict[str, Any] = field(default_factory=dict)
    nodes: Sequence[NodeReport] = ()
    verdict: str = "off"
    reason: str = ""
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    line: int | None = None
    propagation: Propagation | None = None
    directions: tuple[Direction, ...] = ()
    sensitivity: Sensitivity | None = None
    kinks: list[Kink] | None = None


def add_check(report: NodeReport, check: Check) -> None:
    """Put into a row what a check of its gradient found."""
    from gradcalc.checking.verdicts import digits_agreeing

    uneven = check.slopes is not None and check.slopes[0] != check.slopes[1] and not any(map(math.isnan, check.slopes))
    if isinstance(check.numerical, float) and (uneven or math.isnan(check.numerical)):
        pass  # at a kink there are two slopes and no derivative; a node that was not checked has none either
    else:
        report.numerical, report.error_bar = check.numerical, check.bar
    report.verdict, report.slopes, report.note = check.verdict, check.slopes, check.note
    own = getattr(check, "digits", None)
    if report.shape:
        report.digits = own
        report.verdicts = getattr(check, "verdicts", None)
    elif report.gradient is not None:
        report.digits = digits_agreeing(report.gradient, check.numerical, check.bar)
