"""A session without a terminal: what it writes is kept, and its commands are recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcalc.errors import GradcalcError
from gradcalc.repl.interfaces import OptionHelp, Shell
from gradcalc.repl.loop import Loop
from gradcalc.repl.session import Session


class Kept:
    """Keeps all results, mistakes and warnings."""

    def __init__(self) -> None:
        self.status = 0
        self.digits: int | None = None
        self.text = ""
        self.problems: list[GradcalcError] = []
        self.warnings: list[str] = []

    def write(self, text: str) -> None:
        self.text += text

    def error(self, problem: GradcalcError) -> None:
        self.status = 2
        self.problems.append(problem)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def check_failed(self) -> None:
        self.status = self.status or 1


class Played(Loop):
    """A session that somebody watches.

    Attributes:
        kept: what it has written.
        commands: the commands that it has run, with their arguments.
        files: the files that it may read, and those that it has written.
        answer: the exit status of its commands.
    """

    def __init__(self, *lines: str, talkative: bool = True) -> None:
        self.kept = Kept()
        self.commands: list[tuple[str, list[str]]] = []
        self.files: dict[str, str] = {}
        self.answer = 0
        words = {"eval": "Values and gradients.", "gates": "The catalogue.", "plot": "A curve."}
        options = {"eval": [OptionHelp("--value", "Bare."), OptionHelp("--wrt", "Names."), OptionHelp("-f", "File.")]}
        shell = Shell(words, self.ran, lambda name: options.get(name, []), self.read, self.files.__setitem__)
        super().__init__(Session(seed=1), self.kept, shell, talkative)
        for line in lines:
            self.enter(line)

    def ran(self, name: str, arguments: Sequence[str]) -> int:
        self.commands.append((name, list(arguments)))
        return self.answer

    def read(self, path: str) -> Iterator[str]:
        if path not in self.files:
            raise GradcalcError(f"{path} can't be read")
        return iter(self.files[path].splitlines(keepends=True))

    def told(self, line: str) -> str:
        """What a line is answered with, mistakes included."""
        self.kept.text, self.kept.problems = "", []
        self.enter(line)
        return self.kept.text + "".join(problem.report() + "\n" for problem in self.kept.problems)
