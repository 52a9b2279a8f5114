"""What training makes small: the output of a program, or how far it is off as a prediction of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.engine.makers import prepare
from gradcalc.engine.shapes import NodeProblem
from gradcalc.errors import ShapeProblem, UsageProblem
from gradcalc.gates import REGISTRY
from gradcalc.gates.reductions import spell_shape
from gradcalc.graph import Graph

if TYPE_CHECKING:
    from gradcalc.formula import Formula
    from gradcalc.gates.record import Shape


class Judged:
    """The loss of a program: its output, or a gate of its output and the target.

    Attributes:
        formula: the output.
        predicts: whether the output is a prediction.
        graph: of the loss.
        text: the loss in the language.
    """

    def __init__(self, formula: Formula, target: str | None, loss: str | None, columns: Mapping[str, Any], rows: int) -> None:
        self.formula = formula
        self.target = target
        self.predicts = target is not None and target not in formula.inputs
        self.graph = formula.graph
        self.text = formula.text
        if loss is not None and not self.predicts:
            why = f"the program uses {target} itself" if target is not None else "there is no --target"
            raise UsageProblem(f"--loss {loss}: {why}, so its output is the loss", remedy="leave out --loss, or name a --target")
        if self.predicts:
            gate = REGISTRY.find(loss or "mse", 2)
            assert gate is not None and target is not None
            self.graph = formula.graph.with_constants({})
            place = self.graph.add_input()
            attributes = tuple(sorted((attribute.name, attribute.default) for attribute in gate.attributes))
            self.graph.add(gate, [formula.output, place], attributes)
            self.text = f"{gate.name}({formula.text}, {target})"
            self._refuse_other_shape((rows, *columns[target].shape[1:]))

    def _refuse_other_shape(self, wanted: Shape) -> None:
        """A prediction of another shape than the target would be broadcast, silently and wrongly."""
        shapes = self.formula.shapes
        found = () if shapes is None else shapes[-1]
        if found == wanted:
            return
        form = f"has shape {spell_shape(found)}" if found else "is a number"
        advice = "make the prediction one value for each row"
        if len(found) == 2 and len(wanted) == 1:
            advice = (
                "flatten(…) makes it one" if found[1] == 1 else f"write the loss yourself, with one_hot({self.target}, {found[1]})"
            )
        raise ShapeProblem(
            f"in a batch of {wanted[0]} rows the prediction {form}, the target {self.target} has shape {spell_shape(wanted)}",
            place=self.formula.place(self.formula.output),
            remedy=advice,
        )

    def columns(self, columns: Mapping[str, Any]) -> dict[int, Any]:
        """The columns by the numbers of the inputs."""
        found = {number: columns[name] for number, name in enumerate(self.formula.inputs) if name in columns}
        if self.predicts and self.target is not None:
            found[len(self.formula.inputs)] = columns[self.target]
        return found

    def prepared(self, point: Sequence[Any]) -> tuple[Graph, list[Shape] | None]:
        """The graph of the loss for these inputs, and the shapes of its nodes; see `Formula.prepared`."""
        if not self.predicts:
            return self.formula.prepared(point)
        try:
            return prepare(self.graph, point, self.formula.makers)
        except NodeProblem as found:
            raise self.formula.problem(found) from None
