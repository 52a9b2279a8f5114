"""The Python door: a program parsed once, evaluated as often as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcalc.errors import GradcalcError, UsageProblem
from gradcalc.language.program import Assigned, Output
from gradcalc.workspace import Options, Result, Workspace


class Calculation:
    """A parsed program.

    Attributes:
        text: the program.
        inputs: the names of its inputs, in the order of their first use.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        """Parse a program; see `parse`."""
        self.text = text
        self._file = file
        workspace = Workspace()
        self._workspace = workspace
        self._outputs: list[tuple[Output | Assigned, int]] = []
        last: tuple[Assigned, int] | None = None
        mark = workspace.program.mark()
        for statement in workspace.program.statements(text, file):
            if isinstance(statement, GradcalcError):
                raise statement
            if isinstance(statement, Output):
                self._outputs.append((statement, mark.graph.nodes))
            elif isinstance(statement, Assigned):
                last = (statement, mark.graph.nodes)
            mark = workspace.program.mark()
        if not self._outputs and last is not None:
            self._outputs.append(last)
        self.inputs = [entry.name for entry in workspace.program.inputs]

    def evaluate(self, **values: Any) -> Result:
        """Evaluate, backpropagate and check the program's output.

        Keyword arguments are the values of inputs: numbers, nested lists or arrays. For the options of an evaluation see
        `evaluate_all`.

        Raises:
            GradcalcError: a value is missing, unknown or unsuitable; the program has no output, or several.
        """
        if len(self._outputs) != 1:
            count = len(self._outputs)
            raise UsageProblem(f"the program has {count or 'no'} outputs", remedy="evaluate_all() gives one result for each")
        (result,) = self.evaluate_all(values)
        return result

    def evaluate_all(self, values: dict[str, Any] | None = None, options: Options | None = None) -> Iterator[Result]:
        """Evaluate every output of the program, one after the other.

        Args:
            values: of the inputs, by name.
            options: how to evaluate: gradients by which names, from above, checked how.

        Raises:
            GradcalcError: as `evaluate`.
        """
        fresh = Workspace(values, options)
        if all(name in self.inputs for name in fresh.bindings):
            fresh.program = self._workspace.program
            for statement, first in self._outputs:
                yield fresh.answer(statement, first)
            for problem in fresh.unknown_names():
                raise problem
            return
        # A value for a name that is no input changes what the program means (pi, say), or is a mistake: read it again.
        for answer in fresh.answers(self.text, self._file):
            if isinstance(answer, GradcalcError):
                raise answer
            # The rows are made when they are looked at, and the stream forgets an output's nodes when it goes on.
            answer.nodes = tuple(answer.nodes)
            yield answer


def parse(text: str, file: str | None = None) -> Calculation:
    """Parse a program of the language.

    >>> import gradcalc
    >>> result = gradcalc.parse("(a+b)/(c+d)").evaluate(a=1, b=2, c=3, d=4)
    >>> result.value
    0.42857142857142855
    >>> result.gradients["c"]
    -0.061224489795918366

    Args:
        text: one or more statements.
        file: a name for messages.

    Raises:
        GradcalcError: the first mistake, with its place.
    """
    return Calculation(text, file)
