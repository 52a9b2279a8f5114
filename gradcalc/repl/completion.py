"""What Tab offers: gates with their formulas, names with their values, commands, their options, and files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from gradcalc.gates import REGISTRY
from gradcalc.language.constants import CONSTANTS
from gradcalc.repl import commands
from gradcalc.repl.loop import Loop
from gradcalc.repl.statements import source_of
from gradcalc.views.text import cut, to_ascii

_WORD = re.compile(r"[^\W\d]\w*\Z")
_COMMAND = re.compile(r"\s*:(\w*)\Z")
_COMMAND_LINE = re.compile(r"\s*:(\w+)\s+")
_OPTION = re.compile(r"(?<!\S)--?[\w-]*\Z")
HINT = 60
"""How wide a hint may be."""


class SessionCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, loop: Loop, unicode: bool) -> None:
        self._loop = loop
        self._show: Callable[[str], str] = (
            (lambda text: cut(text, HINT)) if unicode else (lambda text: cut(to_ascii(text), HINT, ".."))
        )
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See `Completer`."""
        before = document.text_before_cursor
        command = _COMMAND.match(before)
        if command is not None:
            yield from self._commands(command[1], colon=True)
            return
        line = _COMMAND_LINE.match(before)
        if line is not None:
            offered = self._arguments(line[1], before, line.end(), complete_event)
            if offered is not None:
                yield from offered
                return
        if _inside_words(before):
            return
        word = _WORD.search(before)
        if word is not None or complete_event.completion_requested:
            yield from self._names(word[0] if word is not None else "")

    def _arguments(self, name: str, before: str, start: int, event: CompleteEvent) -> Iterable[Completion] | None:
        """What may stand behind a command; None if that is an expression."""
        argument = before[start:]
        if name in ("load", "save"):
            return self._paths.get_completions(Document(argument), event)
        if name in ("help", "h"):
            return [*self._commands(argument.removeprefix(":"), colon=False), *self._gates(argument, opening="")]
        option = _OPTION.search(before)
        if option is not None and option[0] and name in self._loop.shell.commands:
            return self._options(name, option[0])
        if name in ("gates", "open"):
            return self._gates(argument.rpartition(",")[2], opening="")
        return None

    def _commands(self, word: str, colon: bool) -> Iterator[Completion]:
        own = {name: command.words for name, command in commands.COMMANDS.items()}
        words = {"help": own["help"]} | dict(self._loop.shell.commands) | own
        for name, text in words.items():
            if name.startswith(word):
                sign = ":" if colon else ""
                yield Completion(name, -len(word), display=sign + name, display_meta=self._show(text))

    def _options(self, name: str, word: str) -> Iterator[Completion]:
        options = list(self._loop.shell.options(name))
        for option in options:
            if option.spelling.startswith(word):
                yield Completion(option.spelling, -len(word), display_meta=self._show(option.words))
        taken = {option.spelling for option in options}
        for given, meaning in self._values():
            if f"--{given}".startswith(word) and f"--{given}" not in taken:
                yield Completion(f"--{given}", -len(word), display_meta=self._show(f"input, {meaning}"))

    def _values(self) -> Iterator[tuple[str, str]]:
        """The names of the session, each with what it is."""
        for name, cell in self._loop.session.names():
            yield name, "no value yet" if cell is None else " ".join(source_of(cell.piece).split())

    def _names(self, word: str) -> Iterator[Completion]:
        """Names of the session first, then gates and constants."""
        for name, meaning in self._values():
            if name.startswith(word) and name != word:
                yield Completion(name, -len(word), display_meta=self._show(meaning))
        yield from self._gates(word, opening="(")
        for name, value in CONSTANTS.items():
            if name.startswith(word) and name != word:
                yield Completion(name, -len(word), display_meta=self._show(f"constant {value:.10g}"))

    def _gates(self, word: str, opening: str) -> Iterator[Completion]:
        own = self._loop.session.workspace.program.definitions
        for name, definition in own.items():
            if name.startswith(word):
                text = "a gate of your own"
                cell = next((cell for cell in self._loop.session.state.cells if cell.key == (True, name)), None)
                if cell is not None:
                    text = " ".join(source_of(cell.piece).partition("=")[2].split())
                yield Completion(
                    name + opening, -len(word), display=self._show(definition.signature()), display_meta=self._show(text)
                )
        for name, usage, hint in gate_hints():
            if name.startswith(word):
                yield Completion(name + opening, -len(word), display=self._show(usage), display_meta=self._show(hint))


@cache
def gate_hints() -> tuple[tuple[str, str, str], ...]:
    """Every gate that is called by a name, and its other names: the name, how it is written, and its formula."""
    from gradcalc.views.catalogue import usage_text

    hints = []
    for record in REGISTRY.records():
        if record.name.isidentifier():
            hints.append((record.name, usage_text(record), f"{record.formula}  {record.title}" if record.formula else record.title))
    named = {name for name, _, _ in hints}
    for alias, name in REGISTRY.aliases.items():
        if alias.isidentifier() and alias not in named:
            usage = usage_text(REGISTRY[name][0])
            written = alias + usage[usage.index("(") :] if "(" in usage else f"{alias}({', '.join(REGISTRY[name][0].parameters)})"
            hints.append((alias, written, f"the same as {name}"))
    unique = {name: hint for hint in reversed(hints) for name in hint[:1]}
    return tuple(sorted(unique.values()))


def _inside_words(before: str) -> bool:
    """Whether the cursor is in a comment or a string, where names mean nothing."""
    line = before.rpartition("\n")[2]
    quote = ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return True
    return bool(quote)
