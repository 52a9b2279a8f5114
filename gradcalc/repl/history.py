"""Where the lines of earlier sessions are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

VARIABLE = "GRADCALC_HISTORY"


def history_path() -> Path | None:
    """The file of the history: $GRADCALC_HISTORY (empty: none), else one below $XDG_STATE_HOME."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return Path(given).expanduser() if given else None
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if os.path.isabs(state) else Path("~/.local/state").expanduser()
    return folder / "gradcalc" / "history"


def open_history(warn: Callable[[str], None]) -> History:
    """The history; one that can't be read or written is told of, and then lives in memory."""
    path = history_path()
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Opened here for both, so that what is wrong shows now, and only its owner reads what was typed.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600))
        return KeptHistory(str(path), warn)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        warn(f"{path} can't hold the history: {reason}; {VARIABLE} names another file")
        return InMemoryHistory()


class KeptHistory(FileHistory):
    """A history in a file that may become unwritable while it is in use."""

    def __init__(self, path: str, warn: Callable[[str], None]) -> None:
        super().__init__(path)
        self._warn = warn
        self._failed = False

    def load_history_strings(self) -> Iterable[str]:
        """See `FileHistory`."""
        try:
            yield from super().load_history_strings()
        except OSError:
            return

    def store_string(self, string: str) -> None:
        """See `FileHistory`; says once that it can't."""
        try:
            super().store_string(string)
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._warn(f"the history can't be written: {(error.strerror or str(error)).lower()}")
