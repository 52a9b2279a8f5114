"""The functions that a language lacks: written in it once, and copied into a source as far as that needs them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Function(NamedTuple):
    """A function of a library.

    Attributes:
        name: what it is called by.
        text: its whole source.
        words: all words of its source.
    """

    name: str
    text: str
    words: frozenset[str]


class Library:
    """The functions of one language, in the order in which they have to stand."""

    def __init__(self, text: str, parting: str, pattern: str) -> None:
        """Take a library's text apart.

        Args:
            text: the source.
            parting: what stands between two functions.
            pattern: finds the name of a function in its source.
        """
        self.functions: dict[str, Function] = {}
        for piece in text.strip("\n").split(parting):
            found = re.search(pattern, piece, re.MULTILINE)
            assert found is not None, piece
            self.functions[found[1]] = Function(found[1], piece.strip("\n"), words_of(piece))

    def __contains__(self, name: str) -> bool:
        return name in self.functions

    @property
    def names(self) -> Collection[str]:
        """What the functions are called."""
        return self.functions.keys()

    def needed(self, texts: Iterable[str]) -> list[Function]:
        """The functions that texts call, and those that these call in turn."""
        words: set[str] = set()
        for text in texts:
            words |= words_of(text)
        chosen: set[str] = set()
        fresh = words & self.functions.keys()
        while fresh:
            chosen |= fresh
            fresh = {word for name in fresh for word in self.functions[name].words & self.functions.keys()} - chosen
        return [function for name, function in self.functions.items() if name in chosen]


def words_of(text: str) -> frozenset[str]:
    """All identifiers of a source that are not attributes, those in docstrings and comments left aside."""
    return frozenset(re.findall(r"(?<![\w.])(?<!->)[^\W\d]\w*", _REMARKS.sub(" ", text)))


_REMARKS = re.compile(r'"""(?:\\.|[^\\])*?"""|/\*.*?\*/', re.DOTALL)


@cache
def read_library(name: str) -> str:
    """The text of a library that stands beside this module."""
    return (Path(__file__).parent / "library" / name).read_text("utf-8")
