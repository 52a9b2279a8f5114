"""`gradcalc quiz`: random circuits, whose values and gradients the reader works out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gradcalc.cli import INTERRUPTED
from gradcalc.cli.command import Command, Example, option
from gradcalc.cli.option_types import Whole
from gradcalc.cli.output import CHECK_FAILED, Output
from gradcalc.errors import GradcalcError

if TYPE_CHECKING:
    from gradcalc.repl.circuits import Circuit
    from gradcalc.repl.marking import Mark

HELP = """Practise the chain rule: a random circuit with its inputs, and you work out by hand the value of every gate, then the
gradient of the output by every node, from the output back. A wrong number is followed back to the gate where the chain broke.

An answer is a number, or an expression, also in the names of the circuit (-3/49, exp(2), f*(1-f)); three digits are enough.
Without an answer (Enter alone) you are shown it. What is right but for an earlier mistake counts as right. Ctrl-D ends the quiz
with the score so far. Answers may also come from a pipe, one on a line.

The exit status is 0 if every answer was right, else 1."""

ASKING = ("?", "help", ":help", ":h", ":?")
LEAVING = ("quit", "exit", ":quit", ":q", ":exit")
"""Words that are no answers: for help, and to leave."""

EXAMPLES = (Example('echo "2" | gradcalc quiz --level 1 --seed 1 --questions 1', "one circuit; the answers end after the first"),)


@click.command("quiz", cls=Command, help=HELP, examples=EXAMPLES)
@option("--level", type=Whole(1, 5), default=1, metavar="1..5", help="How hard: from one gate (1) to shared nodes and exp (5).")
@option("--questions", type=Whole(1, 1000), default=3, metavar="N", help="How many circuits (3).")
@option("--seed", type=Whole(), metavar="N", help="Ask the same questions again.")
def command(level: int, questions: int, seed: int | None) -> int:
    """Ask, mark, and tell the score."""
    from random import Random

    from gradcalc.repl.circuits import random_circuit

    random = Random(seed)
    output = Output()
    quiz = Quiz(output)
    gc.enable()
    with output:
        try:
            quiz.greet()
            for number in range(1, questions + 1):
                quiz.ask(random_circuit(level, random), f"Circuit {number} of {questions}, level {level}")
        except EOFError:
            quiz.leave()
        except KeyboardInterrupt:
            quiz.leave()
            quiz.tell_score()
            return INTERRUPTED
        quiz.tell_score()
    return CHECK_FAILED if quiz.right < quiz.asked else output.status


class Quiz:
    """Asks circuits, and counts.

    Attributes:
        asked: numbers asked for and not left out because the quiz ended.
        right: numbers that were right.
        circuits: circuits worked through.
        solved: circuits with every number right.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.asked = self.right = self.circuits = self.solved = 0
        self._watched = sys.stdin is not None and sys.stdin.isatty()

    def greet(self) -> None:
        """Say to whoever is at a terminal how to answer."""
        from gradcalc.views.exercise import banner_text

        if self._watched:
            self.output.write(banner_text(self.output.surface) + "\n")

    def ask(self, circuit: Circuit, title: str) -> None:
        """Ask for the values and the gradients of a circuit, and mark them.

        Raises:
            EOFError: there are no more answers.
        """
        from gradcalc.repl.marking import gradient_order, mark_gradients, mark_values
        from gradcalc.views.exercise import backwards_text, circuit_text

        self.output.write(circuit_text(circuit, title, self.output.surface))
        before = self.asked - self.right
        values = [step.name for step in circuit.steps]
        self._round(values, "{} = ", lambda answers: mark_values(circuit, answers), dict(circuit.inputs), circuit)
        self.output.write(backwards_text(self.output.surface))
        order = gradient_order(circuit)
        self._round(order, "df/d{} = ", lambda answers: mark_gradients(circuit, answers), dict(circuit.values), None)
        self.circuits += 1
        self.solved += self.asked - self.right == before
        self.output.write("\n")

    def _round(
        self,
        names: Sequence[str],
        question: str,
        mark: Callable[[dict[str, float | None]], list[Mark]],
        known: dict[str, float],
        growing: Circuit | None,
    ) -> None:
        """Ask for a number for each name, then mark all of them.

        Args:
            names: what is asked for.
            question: how, with a place for the name.
            mark: marks the answers.
            known: what may stand in answers, with the values.
            growing: where the values themselves are asked for, the circuit: what was answered becomes known.
        """
        from gradcalc.views.exercise import marks_text

        answers: dict[str, float | None] = {}
        ended = False
        for name in names:
            try:
                answers[name] = answer = self._number(f"  {question.format(name)}", known)
                if growing is not None:
                    known[name] = growing.values[name] if answer is None else answer
            except EOFError:
                ended = True
                break
        marks = [made for made in mark(answers) if made.name in answers]
        self.asked += len(marks)
        self.right += sum(made.kind in ("right", "follows") for made in marks)
        self.output.write(marks_text(marks, question, self.output.surface))
        if ended:
            raise EOFError

    def _number(self, question: str, known: Mapping[str, float]) -> float | None:
        """One answer; None if it is left out. What is no number is asked again."""
        from gradcalc.repl.answers import read_number
        from gradcalc.views.exercise import banner_text

        while True:
            text = self._line(question)
            if not text:
                return None
            if text in LEAVING:
                raise EOFError
            if text in ASKING:
                self.output.write(banner_text(self.output.surface))
                continue
            try:
                return read_number(text, known)
            except GradcalcError as problem:
                self.output.error(problem)
                self.output.status = 0

    def _line(self, question: str) -> str:
        """What is typed behind a question; from a pipe it is shown, so that the whole can be read."""
        if self._watched and sys.stdout.isatty():
            with suppress(ImportError):
                import readline  # noqa: F401 - input() then knows how to edit a line

            return input(question).strip()
        text = sys.stdin.readline() if sys.stdin is not None else ""
        if not text:
            raise EOFError
        self.output.write(question + text.strip() + "\n")
        return text.strip()

    def leave(self) -> None:
        """End the line on which the quiz was left."""
        self.output.write("\n")

    def tell_score(self) -> None:
        """Say how many were right."""
        from gradcalc.views.exercise import score_text

        self.output.write(score_text(self.right, self.asked, self.solved, self.circuits, self.output.surface))
