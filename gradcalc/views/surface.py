"""What a view needs to know about the place where it will be shown."""

from __future__ import annotations

import os
from typing import IO, NamedTuple

PIPE_WIDTH = 1_000_000
"""Where nothing limits a line, nothing is cut."""


class Surface(NamedTuple):
    """Where text is going to be shown.

    Attributes:
        width: how many columns a line may have.
        terminal: whether a person is looking at it now.
        colour: whether colours and boxes are welcome.
        unicode: whether signs beyond ASCII arrive.
    """

    width: int = PIPE_WIDTH
    terminal: bool = False
    colour: bool = False
    unicode: bool = True


def surface_of(stream: IO[str]) -> Surface:
    """The surface that an open stream is, by what it says of itself and by the environment."""
    unicode = _shows_unicode(stream)
    if not stream.isatty():
        return Surface(unicode=unicode)
    environment = os.environ
    dumb = environment.get("TERM", "") == "dumb"
    colour = not dumb and not environment.get("NO_COLOR")
    return Surface(_columns(stream), terminal=True, colour=colour, unicode=unicode and not dumb)


def _shows_unicode(stream: IO[str]) -> bool:
    if os.environ.get("LC_ALL") in ("C", "POSIX") and not os.environ.get("PYTHONIOENCODING"):
        return False  # Python takes such a terminal for one that shows UTF-8
    try:
        "±…✓─".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _columns(stream: IO[str]) -> int:
    """The width of the terminal: COLUMNS where it is set, else what the terminal says."""
    try:
        columns = int(os.environ.get("COLUMNS", "0"))
        return columns if columns > 0 else os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
