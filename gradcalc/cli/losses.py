"""What training makes small: the output of a program, or how far it is off as a prediction of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.dialects.language import spell
from gradcalc.engine.makers import prepare
from gradcalc.engine.shapes import NodeProblem
from gradcalc.errors import ShapeProblem, UsageProblem
from gradcalc.gates import REGISTRY
from gradcalc.gates.reductions import spell_shape
from gradcalc.views.training import counted

if TYPE_CHECKING:
    from gradcalc.formula import Formula
    from gradcalc.gates.record import Shape
    from gradcalc.graph import Graph

LONGEST = 1000
"""So much of a loss is written out."""

BY_ROWS = ("cross_entropy", "softmax_cross_entropy")
"""The losses that take rows, one number for each class."""


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
            self._refuse_other_shape((rows, *columns[target].shape[1:]))
            self.text = f"{gate.name}({formula.text}, {target})"
            if gate.name in BY_ROWS and columns[target].ndim == 1:
                self._refuse_other_classes(gate.name, columns[target])
                self._two_classes(place)
                self.text = spell(self.graph, len(self.graph) - 1, {**formula.names, place: target}.get, LONGEST)
            else:
                attributes = tuple(sorted((attribute.name, attribute.default) for attribute in gate.attributes))
                self.graph.add(gate, [formula.output, place], attributes)

    def _two_classes(self, target: int) -> None:
        """The cross-entropy of the probability of one class, and of its opposite.

        That of a sigmoid is taken from what stands in it, so that it stays finite where the sigmoid rounds to 0 or 1.
        """
        prediction = self.formula.output
        gate = self.graph.operator(prediction).gate
        if gate is not None and gate.name == "sigmoid":
            (score,) = self.graph.inputs(prediction)
            loss = self._apply("-", self._apply("softplus", score), self._apply("*", target, score))
            self._apply("mean", loss, axis=None, keepdims=False)
        else:
            self._apply("cross_entropy", self._both(prediction), self._both(target))

    def _both(self, node: int) -> int:
        """A column of probabilities, and that of the opposite beside it: a row for each row of the data."""
        opposite = self._apply("-", self.graph.add_constant(1.0), node)
        return self._apply("stack", node, opposite, axis=1)

    def _apply(self, name: str, *nodes: int, **attributes: Any) -> int:
        """One more gate of the loss."""
        gate = REGISTRY.find(name, len(nodes))
        assert gate is not None
        return self.graph.add(gate, nodes, tuple(sorted(attributes.items())))

    def _refuse_other_classes(self, gate: str, column: Any) -> None:
        """One number a row can be the probability of one class, against another; it cannot be scores, or the number of a class."""
        if gate == "cross_entropy" and column.min() >= 0.0 and column.max() <= 1.0:
            return
        if gate == "cross_entropy":
            message = f"{self.target} is one number for each row, from {column.min():g} to {column.max():g}, and no probability"
            remedy = f"code two classes as 0 and 1; for more, write the loss yourself, with one_hot({self.target}, {{classes}})"
        else:
            message = f"{gate} takes a row of scores for each row of the data, and {self.target} is one number"
            remedy = "for two classes, coded as 0 and 1, write --loss cross_entropy with sigmoid(…) as the prediction"
        classes = f"{int(column.max()) + 1}" if 1 < column.max() < 10_000 else "N"
        raise ShapeProblem(
            f"--loss {message}" if gate != "cross_entropy" else f"--loss {gate}: {message}", remedy=remedy.format(classes=classes)
        )

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
            f"in a batch of {counted(wanted[0])} the prediction {form}, the target {self.target} has shape {spell_shape(wanted)}",
            place=self.formula.place(self.formula.output),
            remedy=advice,
        )

    @property
    def whole(self) -> str:
        """What the last node of the compiled loss is called: of a loss for each row it is their mean."""
        return self.text if self.predicts else f"the mean of {self.text}"

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
