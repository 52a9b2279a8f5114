"""Text of the user made fit to be shown: visible, measured in columns, cut where there is no room."""

from __future__ import annotations

from functools import cache

ELLIPSIS = "…"


def visible(text: str) -> str:
    """The text on one line, with characters that a terminal would obey, or that nobody could see, spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character.isprintable() else _spelled(character) for character in text)


def _spelled(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """How many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    return sum([1 if character < _FIRST_UNUSUAL else _character_width(character) for character in text])


_FIRST_UNUSUAL = "\N{COMBINING GRAVE ACCENT}"
"""Every character before this one takes one column."""


@cache
def _character_width(character: str) -> int:
    from unicodedata import combining, east_asian_width

    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def cut(text: str, limit: int, ellipsis: str = ELLIPSIS) -> str:
    """The text, or as much of its beginning as fits, with a sign that there is more."""
    if width(text) <= limit:
        return text
    room = limit - width(ellipsis)
    if room <= 0:
        return ellipsis[:limit]
    taken = 0
    for position, character in enumerate(text):
        taken += width(character)
        if taken > room:
            return text[:position].rstrip() + ellipsis
    return text


def to_ascii(text: str) -> str:
    """The text in plain ASCII, for terminals that show no more: our own signs replaced, others spelled out."""
    if text.isascii():
        return text
    return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")


_PLAIN = str.maketrans(
    {
        "±": "+-",
        "…": "..",
        "−": "-",
        "×": "x",
        "·": "*",
        "–": "-",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "→": "->",
        "π": "pi",
        "∂": "d",
        "²": "^2",
    }
)
