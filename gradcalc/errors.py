"""What can go wrong with a user's input: one family of errors, each with its place and its remedy."""

from __future__ import annotations

import re
from typing import NamedTuple

LINE_WINDOW = 76
"""How many columns of a long source line a report shows around the place."""


class Place(NamedTuple):
    """A stretch of one source line.

    `line` counts from 1, `column` from 0 in characters; `text` is the whole line (without its end); `file` is None where the
    program did not come from a file.
    """

    line: int
    column: int
    width: int
    text: str
    file: str | None = None
    alone: bool = False
    """Whether the program is this one line, so that naming the line number would be noise."""

    def prefix(self) -> str:
        """The words that lead a message to this place: `model.gc:3: `, `line 3: `, or nothing for a one-line program."""
        if self.file is not None:
            return f"{self.file}:{self.line}: "
        return "" if self.alone else f"line {self.line}: "

    def picture(self) -> str:
        """The source line with carets under the place, indented by two columns, long lines cut around the place."""
        start, text, width = self.column, self.text, max(1, self.width)
        if len(text) > LINE_WINDOW:
            first = max(0, min(start - LINE_WINDOW // 2, len(text) - LINE_WINDOW))
            lead, tail = ("…" if first else ""), ("…" if first + LINE_WINDOW < len(text) else "")
            start = start - first + len(lead)
            text = lead + text[first : first + LINE_WINDOW] + tail
        before, under = text[:start], text[start : start + width]
        gap = "".join("\t" if character == "\t" else " " * _columns(character) for character in before)
        carets = "^" * max(1, sum(map(_columns, under)))
        visible = "".join(c if c == "\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
        return f"  {visible}\n  {gap}{carets}"


def _columns(character: str) -> int:
    """How many terminal columns a character takes."""
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


LONGEST_PATH = 4096
"""A path is told whole: one that is cut names no file."""


def _shortened(words: str) -> str:
    """Words with the endless ones among them cut, as the source line is."""
    if len(words) <= LINE_WINDOW:
        return words
    return re.sub(rf"\S{{{LINE_WINDOW + 1},}}", _cut, words)


def _cut(found: re.Match[str]) -> str:
    word = found[0]
    is_path = word.startswith(("/", "./", "../", "~/")) and len(word) <= LONGEST_PATH
    return word if is_path else f"{word[:LINE_WINDOW]}…"


class GradcalcError(Exception):
    """A mistake in a program, a value or an option, with the place where it stands and what to do about it.

    Attributes:
        message: one sentence, without the leading `error:`.
        place: where in the program's text, if it is about the text.
        remedy: what to write or do instead; may be empty.
        related: other places that belong to the story, each with a few words.
    """

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        remedy: str = "",
        related: tuple[tuple[str, Place], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy
        self.related = related

    def report(self, kind: str = "error") -> str:
        """The whole diagnostic as a user sees it on the terminal."""
        prefix = self.place.prefix() if self.place is not None else ""
        lines = [f"{kind}: {prefix}{_shortened(self.message)}"]
        if self.place is not None:
            lines.append(self.place.picture())
        for words, place in self.related:
            lines.append(f"  {place.prefix()}{words}")
            lines.append(place.picture())
        if self.remedy:
            lines.extend("  " + line for line in _shortened(self.remedy).splitlines())
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()[len("error: ") :]


class ProgramSyntaxError(GradcalcError):
    """The text is not a statement of the language."""


class NameProblem(GradcalcError):
    """A name or a gate that is unknown, broken, or assigned twice."""


class BindingProblem(GradcalcError):
    """A value from outside that is missing, unknown, given twice or of the wrong kind.

    Attributes:
        missing: the name of the input that has no value, if that is the problem.
        unknown: the name for which the program has no input, if that is.
    """

    missing: str | None = None
    unknown: str | None = None


class ArgumentProblem(GradcalcError):
    """A gate called with arguments that it does not take."""


class ShapeProblem(GradcalcError):
    """Arrays whose shapes do not fit the gate."""


class DataProblem(GradcalcError):
    """A file that is missing, unreadable or not what it should be."""


class LimitProblem(GradcalcError):
    """A program, array or expansion that is larger than is allowed."""


class UsageProblem(GradcalcError):
    """Options that are unknown, missing or in conflict."""


class SearchProblem(GradcalcError):
    """A search for better inputs that diverged, met what is not finite, or has nothing to search."""


class MissingExtra(GradcalcError):
    """A capability whose optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part", remedy=f'install it with: pip install "gradcalc[{extra}]"')
