"""Where results, warnings and errors go, and what they make of the exit status."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Self

from gradcalc.errors import DataProblem, GradcalcError, UsageProblem
from gradcalc.views.surface import Surface, surface_of

if TYPE_CHECKING:
    from types import TracebackType

CHECK_FAILED = 1
WRONG_INPUT = 2


class Output:
    """The results of one command: to standard output, or to a file that is replaced whole or not at all.

    Used as a context. Each piece of results is passed on at once, so that nobody in a pipe waits for the last one.
    """

    def __init__(
        self,
        format: str = "table",
        digits: int | None = None,
        *,
        every_row: bool = False,
        quiet: bool = False,
        path: str | None = None,
    ) -> None:
        self.format = format
        self.digits = digits
        self.every_row = every_row
        self.quiet = quiet
        self.path = path
        self.status = 0
        self._stream: IO[str] = sys.stdout
        self._replacement: str | None = None
        self.surface = surface_of(sys.stdout) if path is None else Surface()

    def __enter__(self) -> Self:
        if self.path is not None:
            self._open(self.path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if self.path is not None:
            self._close(self.path, failed=error is not None)
        # The reader has seen enough: that is no mistake of anybody.
        return isinstance(error, BrokenPipeError)

    def _open(self, path: str) -> None:
        if not path:
            raise UsageProblem("-o: the name of the file is empty", remedy="write -o FILE, or leave it out")
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                # A device or a pipe can't be replaced, and need not be.
                self._stream = os.fdopen(os.open(path, os.O_WRONLY), "w", encoding="utf-8", newline="\n")
                return
            import tempfile

            folder, name = os.path.split(os.path.realpath(path))
            handle, self._replacement = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            self._stream = os.fdopen(handle, "w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _unwritable(path, error) from None
        except UnicodeEncodeError:
            raise DataProblem(
                f"{path} can't be written: this environment can't spell its name", remedy="set LC_ALL=C.UTF-8"
            ) from None

    def _close(self, path: str, failed: bool) -> None:
        """Put the file in its place, or leave everything as it was if results are missing from it."""
        try:
            self._stream.close()
            if self._replacement is not None and not failed and self.status != WRONG_INPUT:
                target = os.path.realpath(path)
                os.chmod(self._replacement, _mode(target))
                os.replace(self._replacement, target)
                self._replacement = None
        except OSError as error:
            raise _unwritable(path, error) from None
        finally:
            if self._replacement is not None:
                os.unlink(self._replacement)
                self._replacement = None
        if self.status == WRONG_INPUT:
            complain(f"warning: {path} is left as it was, since results are missing")

    def write(self, text: str) -> None:
        """Pass on a piece of the results."""
        self._stream.write(text)
        self._stream.flush()

    def error(self, problem: GradcalcError) -> None:
        """Report a mistake; the exit status will be 2."""
        self.status = WRONG_INPUT
        complain(problem.report())

    def warning(self, text: str) -> None:
        """Say something that deserves attention, unless nobody wants to hear it."""
        if self.quiet:
            return
        first, *rest = (text if text.startswith("warning: ") else f"warning: {text}").split("\n")
        if sys.stderr.isatty():
            from gradcalc.views.table import cell, wrapped

            columns = surface_of(sys.stderr).width
            rest[:0] = ["".join([piece.text for piece in line]) for line in wrapped(cell(first), columns)]
        else:
            rest.insert(0, first)
        complain("\n".join(rest))

    def check_failed(self) -> None:
        """Note that a check failed: the exit status will be 1, unless the input is wrong too."""
        self.status = self.status or CHECK_FAILED


def complain(text: str) -> None:
    """Write a line to standard error; where nobody can hear it, the exit status still tells."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _mode(path: str) -> int:
    """The permissions that a file has, or that a new one should have."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _unwritable(path: str, error: OSError) -> DataProblem:
    return DataProblem(f"{path} can't be written: {(error.strerror or str(error)).lower()}", remedy="name another file after -o")
