"""Colours for what is being typed, by the words of the language."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple
from unicodedata import normalize

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from gradcalc.gates import REGISTRY
from gradcalc.language.constants import CONSTANTS
from gradcalc.language.tables import machine
from gradcalc.repl.session import Session
from gradcalc.repl.statements import Word, is_definition

STYLES = {
    "gate": "ansicyan",
    "unknown-gate": "ansired",
    "number": "ansigreen",
    "constant": "ansigreen",
    "name": "",
    "input": "bold",
    "last": "bold",
    "operator": "",
    "comment": "ansibrightblack",
    "string": "ansiyellow",
    "command": "bold ansimagenta",
    "option": "ansimagenta",
    "unknown-command": "ansired",
    "error": "ansired",
}
"""What each kind of word looks like; colours of the terminal's own palette, so that they fit light and dark."""


class Coloured(NamedTuple):
    """A stretch of text and what kind of word it is."""

    start: int
    end: int
    kind: str


def coloured(text: str, session: Session, is_command: Callable[[str], bool]) -> Iterator[Coloured]:
    """The words of a text that is being typed, each with its kind; what is between them has none."""
    start = 0
    stripped = text.lstrip()
    if stripped.startswith(":"):
        first = len(text) - len(stripped)
        start = next((at for at in range(first, len(text)) if text[at].isspace()), len(text))
        known = is_command(text[first + 1 : start])
        yield Coloured(first, start, "command" if known else "unknown-command")
    words = machine().words(text, start, len(text))
    program = session.workspace.program
    heads = _heads(words, text)
    end = start
    for position, (kind, begin, behind) in enumerate(words):
        if begin < end:
            continue
        yield from _comment(text, end, begin)
        end = behind
        if start and text.startswith("--", begin) and (begin == 0 or text[begin - 1].isspace()):
            end = next((at for at in range(begin, len(text)) if text[at].isspace() or text[at] == "="), len(text))
            yield Coloured(begin, end, "option")
        elif kind == "NAME":
            name = normalize("NFKC", text[begin:behind])
            called = position + 1 < len(words) and words[position + 1][0] == "LPAR"
            kind_of_name = "gate" if position in heads else _kind_of_name(name, called, program.gates, program.names)
            yield Coloured(begin, behind, kind_of_name)
        elif kind in _KINDS and text[begin] != ";":
            yield Coloured(begin, behind, _KINDS[kind])
    yield from _comment(text, end, len(text))


def _heads(words: Sequence[Word], text: str) -> set[int]:
    """The positions of words that are the names of gates being defined."""
    starts = [0, *(position + 1 for position, (_, begin, _) in enumerate(words) if text[begin] == ";")]
    ends = [*starts[1:], len(words) + 1]
    return {first for first, behind in zip(starts, ends, strict=True) if is_definition(words[first : behind - 1])}


_KINDS = {"NUMBER": "number", "STRING": "string", "?": "error"}


def _comment(text: str, start: int, end: int) -> Iterator[Coloured]:
    """The comments between two words."""
    at = text.find("#", start, end)
    while at >= 0:
        newline = text.find("\n", at, end)
        behind = newline if newline >= 0 else end
        yield Coloured(at, behind, "comment")
        at = text.find("#", behind, end)


def _kind_of_name(name: str, called: bool, gates: Container[str], names: Container[str]) -> str:
    if called:
        return "gate" if name in gates or name in REGISTRY else "unknown-gate"
    if name == "_":
        return "last"
    if name in names:
        return "input"
    return "constant" if name in CONSTANTS else "name"


class StatementLexer(Lexer):
    """Highlights the input line."""

    def __init__(self, session: Session, is_command: Callable[[str], bool]) -> None:
        self._session = session
        self._is_command = is_command

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """See `Lexer`; words may go on over lines, so the whole text is looked at."""
        lines = [list(line) for line in _lines(document.text, list(coloured(document.text, self._session, self._is_command)))]
        return lambda number: lines[number] if number < len(lines) else []


def _lines(text: str, words: Sequence[Coloured]) -> Iterator[StyleAndTextTuples]:
    """Pieces of text with their styles, line by line."""
    line: StyleAndTextTuples = []
    position = 0
    for start, end, kind in [*words, Coloured(len(text), len(text), "name")]:
        for piece, style in ((text[position:start], ""), (text[start:end], f"class:{kind}")):
            first, *rest = piece.split("\n")
            line.append((style, first))
            for other in rest:
                yield line
                line = [(style, other)]
        position = end
    yield line
