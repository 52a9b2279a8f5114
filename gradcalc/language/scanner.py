"""Finds the statements of a program, whether it is a string or arrives in pieces; files, pipes and the REPL share it."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gradcalc.errors import GradcalcError, LimitProblem, Place, ProgramSyntaxError

LIMIT = 64 * 1024 * 1024
"""How many characters of text one program may have."""

RECOVERIES = 20
"""How often the scanner starts again behind a bracket that is never closed."""

CLOSERS = {"(": ")", "[": "]"}
OPENERS = {")": "(", "]": "["}

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
)
_FULL_WIDTH = "\uff01-\uff60\uffe0-\uffe6"
_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"
_MARKS = r"()\[\]\r\n;#\"'"

# One character class, so that the search skips everything else at the speed of the regular expression engine.
_ASCII_STOP = re.compile(f"[{_MARKS}{_CONTROLS}]")
_STOP = re.compile(f"[{_MARKS}{_CONTROLS}{_SPACES}{_INVISIBLE}{_FULL_WIDTH}\ud800-\udfff]")
_QUOTED = {'"': re.compile(r'"[^"\r\n]*"'), "'": re.compile(r"'[^'\r\n]*'")}
_LINE_END = re.compile(r"[\r\n]|\Z")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_NOTHING = re.compile(r"(?:[ \t\f\r\n]|#[^\r\n]*)*")
_FRESH_START = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?=[^\W\d]\w*[ \t]*(?:\([^()\r\n]*\)[ \t]*)?=(?!=)[^\r\n]*[^,\s])")


class Block(NamedTuple):
    """Whole source lines: the fewest that hold their statements entirely."""

    text: str
    line: int
    """The number of its first line, counted from 1."""
    file: str | None
    alone: bool
    """Whether this one line is the whole program."""
    breaks: int = 0
    """How many line ends are in it."""

    def place(self, start: int, end: int) -> Place:
        """The place of a stretch of this block; of one that goes on over several lines, the part on the first."""
        text = self.text
        line, first = self.line, 0
        for number in _LINE_BREAK.finditer(text, 0, start) if self.breaks else ():
            line += 1
            first = number.end()
        last_match = _LINE_END.search(text, start)
        last = last_match.start() if last_match else len(text)
        return Place(line, start - first, max(1, min(end, last) - start), text[first:last], self.file, self.alone)

    def line_of(self, offset: int) -> int:
        """The number of the line on which a character stands."""
        if not self.breaks:
            return self.line
        return self.line + sum(1 for _ in _LINE_BREAK.finditer(self.text, 0, offset))


class Piece(NamedTuple):
    """One statement: a stretch of a block, with what the scanner found wrong with it."""

    block: Block
    start: int
    end: int
    error: GradcalcError | None = None


class Flaw(NamedTuple):
    """A mistake that the scanner found, as offsets in the block that is still growing."""

    start: int
    end: int
    kind: str
    related: int = -1


class Scanner:
    """Takes text line by line and hands out statements; remembers open brackets in between."""

    def __init__(self, file: str | None = None, alone: bool = False) -> None:
        self.file = file
        self.alone = alone
        self.line = 1
        self.brackets: list[tuple[str, int]] = []
        self._parts: list[str] = []
        self._base = 0
        self._cuts: list[int] = []
        self._flaws: list[Flaw] = []
        self._passed = 0
        """Line ends inside the block that is growing."""

    def feed(self, text: str) -> Iterator[Piece]:
        """Take whole lines (or the end of the text) and hand out the statements that they complete."""
        stop = _ASCII_STOP if text.isascii() else _STOP
        search = stop.search
        begin = position = 0
        found = search(text, 0)
        while found is not None:
            at = found.start()
            position = at + 1
            character = text[at]
            if character == "\n" or character == "\r":
                if character == "\r" and text.startswith("\n", position):
                    position += 1
                if self.brackets:
                    self._passed += 1
                else:
                    yield from self._complete(text[begin:at])
                    self.line += 1
                    begin = position
            elif character == "#":
                position = self._line_end(text, position)
            elif character in CLOSERS:
                self.brackets.append((character, self._base + at - begin))
            elif character in OPENERS:
                position = self._close(text, character, at, begin)
            elif character == ";":
                if not self.brackets:
                    self._cuts.append(self._base + at - begin)
            elif character in _QUOTED:
                position = self._string(text, character, at, begin)
            else:
                offset = self._base + at - begin
                # The first in a statement says enough, and a binary file must not fill the memory.
                if not self._flaws or (self._cuts and self._flaws[-1].start < self._cuts[-1]):
                    self._flaws.append(Flaw(offset, offset + 1, "character"))
            found = search(text, position)
        if begin < len(text):
            self._parts.append(text[begin:])
            self._base += len(text) - begin

    def finish(self) -> Iterator[Piece]:
        """Hand out what is left when the text has ended, going on behind a bracket that was never closed."""
        recoveries = 0
        while self.brackets:
            innermost, first = self.brackets[-1][1], self.brackets[0][1]
            text = "".join(self._parts)
            fresh = _FRESH_START.search(text, first) if recoveries < RECOVERIES else None
            rest = ""
            if fresh is not None:
                text, rest = text[: fresh.start()], text[fresh.end() :]
                self._flaws = [flaw for flaw in self._flaws if flaw.start < len(text)]
                innermost = max(offset for _, offset in self.brackets if offset < len(text))
            self._flaws.append(Flaw(innermost, innermost + 1, "unclosed"))
            self.brackets.clear()
            self._parts.clear()
            self._passed = sum(1 for _ in _LINE_BREAK.finditer(text))
            yield from self._complete(text)
            self.line += 1
            recoveries += 1
            yield from self.feed(rest)
        yield from self._complete("")

    def _line_end(self, text: str, position: int) -> int:
        match = _LINE_END.search(text, position)
        return match.start() if match else len(text)

    def _close(self, text: str, character: str, at: int, begin: int) -> int:
        """Take a closing bracket; answers where to go on."""
        offset = self._base + at - begin
        if not self.brackets:
            self._flaws.append(Flaw(offset, offset + 1, "unopened"))
            return self._line_end(text, at)
        opener, opened = self.brackets[-1]
        if opener == OPENERS[character]:
            self.brackets.pop()
            return at + 1
        self._flaws.append(Flaw(offset, offset + 1, "mismatch", opened))
        self.brackets.clear()
        return self._line_end(text, at)

    def _string(self, text: str, quote: str, at: int, begin: int) -> int:
        """Take a string; answers where to go on."""
        match = _QUOTED[quote].match(text, at)
        if match is not None:
            return match.end()
        offset, end = self._base + at - begin, self._line_end(text, at)
        self._flaws.append(Flaw(offset, offset + end - at, "string"))
        self.brackets.clear()
        return end

    def _complete(self, text: str) -> Iterator[Piece]:
        """Hand out the statements of the block that ends here."""
        if self._parts:
            self._parts.append(text)
            text = "".join(self._parts)
            self._parts.clear()
        block = Block(text, self.line, self.file, self.alone, self._passed)
        cuts = self._cuts
        self.line += self._passed
        self._passed = self._base = 0
        if not cuts and not self._flaws:
            piece = _trimmed(block, 0, len(text))
            if piece is not None:
                yield piece
            return
        flaws = deque(self._flaws)
        self._cuts, self._flaws = [], []
        start = 0
        for end in [*cuts, len(text)]:
            if start > end:
                break
            while flaws and flaws[0].start < start:
                flaws.popleft()
            flaw = flaws[0] if flaws and flaws[0].start <= end else None
            if flaw is not None and flaw.kind in ("unclosed", "unopened", "mismatch", "string"):
                end = len(text)
            piece = _trimmed(block, start, end)
            if piece is not None:
                yield piece if flaw is None else piece._replace(error=_explain(block, flaw, piece))
            start = end + 1


def _trimmed(block: Block, start: int, end: int) -> Piece | None:
    """The statement without the blanks and comments before it, or None if nothing else is there."""
    match = _NOTHING.match(block.text, start, end)
    start = match.end() if match is not None else start
    return Piece(block, start, end) if start < end else None


def scan(source: str | Iterable[str], file: str | None = None) -> Iterator[Piece]:
    """The statements of a program; of one that arrives in pieces, each as soon as its line is complete.

    Raises:
        LimitProblem: where the text becomes larger than a program may be.
    """
    if isinstance(source, str):
        check_size(len(source))
        source = source.removeprefix("\ufeff")
        scanner = Scanner(file, alone=_LINE_BREAK.search(source.strip()) is None)
        yield from scanner.feed(source)
        yield from scanner.finish()
        return
    scanner = Scanner(file)
    total = 0
    waiting: list[str] = []
    for chunk in source:
        if not total:
            chunk = chunk.removeprefix("\ufeff")
        total += len(chunk)
        check_size(total)
        # A carriage return that ends a chunk may be half of a line end.
        cut = max(chunk.rfind("\n"), chunk.rfind("\r", 0, -1)) + 1
        if waiting and waiting[-1].endswith("\r") and chunk and not cut and not chunk.startswith("\n"):
            yield from scanner.feed("".join(waiting))
            waiting = [chunk]
        elif cut:
            yield from scanner.feed("".join([*waiting, chunk[:cut]]))
            waiting = [chunk[cut:]] if cut < len(chunk) else []
        elif chunk:
            waiting.append(chunk)
    yield from scanner.feed("".join(waiting))
    yield from scanner.finish()


def check_size(size: int) -> None:
    """Refuse a program that is too large.

    Raises:
        LimitProblem: it is.
    """
    if size > LIMIT:
        raise LimitProblem(
            f"the program is larger than {LIMIT // (1024 * 1024)} MiB",
            remedy="split it, or read large arrays with load(…)",
        )


def is_complete(text: str) -> bool:
    """Whether the text ends outside brackets, so that a newline would end its last statement."""
    scanner = Scanner()
    for _ in scanner.feed(text):
        pass
    return not scanner.brackets


def _explain(block: Block, flaw: Flaw, piece: Piece) -> GradcalcError:
    """The diagnostic of a mistake that the scanner found."""
    place = block.place(flaw.start, flaw.end)
    character = block.text[flaw.start]
    if flaw.kind == "unclosed":
        return ProgramSyntaxError(
            f"this {character} is never closed", place=place, remedy=f"write the missing {CLOSERS[character]}"
        )
    if flaw.kind == "unopened":
        return ProgramSyntaxError(
            f"nothing is open that this {character} could close",
            place=place,
            remedy=f"remove it, or write the missing {OPENERS[character]}",
        )
    if flaw.kind == "mismatch":
        opener = block.text[flaw.related]
        return ProgramSyntaxError(
            f"this {character} does not close the {opener} that is open",
            place=place,
            related=((f"the {opener} was opened here:", block.place(flaw.related, flaw.related + 1)),),
            remedy=f"write {CLOSERS[opener]} instead",
        )
    if flaw.kind == "string":
        return _explain_quote(block, flaw, piece)
    return _explain_character(block, flaw.start)


def _explain_quote(block: Block, flaw: Flaw, piece: Piece) -> GradcalcError:
    character = block.text[flaw.start]
    before = block.text[piece.start : flaw.start]
    if character == "'" and before and (before[-1].isalnum() or before[-1] in "_)]'"):
        return ProgramSyntaxError(
            "a prime is not part of the language",
            place=block.place(flaw.start, flaw.start + 1),
            remedy="write x.T for a transpose; every derivative is reported beside its value anyway",
        )
    return ProgramSyntaxError(
        "this string has no end", place=block.place(flaw.start, flaw.end), remedy=f"close it with {character}"
    )


def _explain_character(block: Block, offset: int) -> GradcalcError:
    character = block.text[offset]
    place = block.place(offset, offset + 1)
    code = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return ProgramSyntaxError(
            "the text is not UTF-8 here", place=place, remedy="save the program as UTF-8, or remove this byte"
        )
    name = unicodedata.name(character, "") or _CONTROL_NAMES.get(character, "a control character")
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and plain.isascii() and plain.isprintable():
        wanted = "a plain space" if plain.isspace() else plain
        kind = "a space of an unusual kind" if plain.isspace() else "a full-width character"
        return ProgramSyntaxError(f"this is {kind}: {name} ({code})", place=place, remedy=f"write {wanted} instead")
    kind = "a control character" if unicodedata.category(character) == "Cc" else "an invisible character"
    return ProgramSyntaxError(f"there is {kind} here: {name} ({code})", place=place, remedy="remove it")


_CONTROL_NAMES = {
    "\x00": "NULL",
    "\x07": "BELL",
    "\x08": "BACKSPACE",
    "\x0b": "VERTICAL TABULATION",
    "\x1a": "END OF FILE",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}
