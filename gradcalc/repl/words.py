"""Divides the line of a command into words: as a shell does, except that brackets keep an expression with its strings together."""

from __future__ import annotations

from gradcalc.errors import ProgramSyntaxError
from gradcalc.language.scanner import Block

QUOTES = "\"'"


def split_words(text: str) -> list[str]:
    """The words of a line: `x="a + b" sum(load("x.npy"))` are two, the first without its quotes.

    Raises:
        ProgramSyntaxError: a quote is never closed.
    """
    words: list[str] = []
    word: list[str] | None = None
    depth = 0
    position = 0
    while position < len(text):
        character = text[position]
        if character in QUOTES:
            end = text.find(character, position + 1)
            if end < 0:
                place = Block(text, 1, None, True).place(position, len(text))
                raise ProgramSyntaxError("this string has no end", place=place, remedy=f"close it with {character}")
            piece = text[position : end + 1]
            # Outside brackets the language has no strings: such quotes only keep a word together.
            word = [*(word or []), piece if depth else piece[1:-1]]
            position = end
        elif character.isspace() and depth == 0:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            depth = max(0, depth + (character in "([") - (character in ")]"))
            word = [*(word or []), character]
        position += 1
    return [*words, "".join(word)] if word is not None else words
