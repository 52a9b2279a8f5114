"""Identifiers: the names of a program in a language that has other words of its own."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection


class Names:
    """Gives out identifiers of a language, each once."""

    def __init__(self, reserved: Collection[str], ascii_only: bool = False, refused: re.Pattern[str] | None = None) -> None:
        """Start with none given.

        Args:
            reserved: words that can't be given.
            ascii_only: whether letters of other alphabets are spelled out.
            refused: what other words are not given, as they stand; with an underscore behind them they are.
        """
        self._refused = refused
        self._taken = set(reserved)
        self._ascii_only = ascii_only
        self._numbers: dict[str, int] = {}

    @property
    def taken(self) -> Collection[str]:
        """All words that can't be given any more."""
        return self._taken

    def take(self, name: str) -> str:
        """An identifier as near to a name as there is one."""
        word = ascii_word(name) if self._ascii_only else name
        if self._refused is not None and self._refused.fullmatch(word):
            word += "_"
        while word in self._taken or keyword.iskeyword(word):
            word += "_"
        self._taken.add(word)
        return word

    def numbered(self, stem: str) -> str:
        """The next identifier of a stem and a number that is free."""
        number = self._numbers.get(stem, 0) + 1
        while f"{stem}{number}" in self._taken:
            number += 1
        self._numbers[stem] = number
        return self.take(f"{stem}{number}")


def ascii_word(name: str) -> str:
    """A name in ASCII: Greek letters by their names, accents left out, anything else by its number in Unicode."""
    if name.isascii():
        return name
    return re.sub(r"[^\w]", "_", "".join(map(_ascii, unicodedata.normalize("NFC", name))))


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    title = unicodedata.name(letter, "")
    greek = re.match(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)", title)
    if greek:
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if plain.isascii() and plain.isalnum() else f"u{ord(letter):x}"
