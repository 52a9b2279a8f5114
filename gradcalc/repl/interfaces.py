"""What a session is given by the command line above it: a place for results, files, and the commands of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from gradcalc.errors import GradcalcError


class Output(Protocol):
    """Where results, warnings and errors go, and what they make of the exit status."""

    status: int
    digits: int | None

    def write(self, text: str) -> None:
        """Pass on a piece of the results."""

    def error(self, problem: GradcalcError) -> None:
        """Report a mistake; the exit status will be 2."""

    def warning(self, text: str) -> None:
        """Say something that deserves attention."""

    def check_failed(self) -> None:
        """Note that a check failed: the exit status will be 1, unless the input is wrong too."""


class OptionHelp(NamedTuple):
    """An option of a command."""

    spelling: str
    words: str


class Shell(NamedTuple):
    """What a session can ask of the command line.

    Attributes:
        commands: the commands that work on the program of a session, each with what it does in one line.
        run: runs one of them with its arguments on the session; answers with its exit status.
        options: the options of one of them.
        read: the lines of a file.
        write: replaces a file, whole or not at all.
    """

    commands: Mapping[str, str]
    run: Callable[[str, Sequence[str]], int]
    options: Callable[[str], Sequence[OptionHelp]]
    read: Callable[[str], Iterator[str]]
    write: Callable[[str, str], None]
