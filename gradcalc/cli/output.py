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
        self.path = None if path == "-" else path
        self.status = 0
        self._stream: IO[str] = sys.stdout
        self._replacement: str | None = None
        self._nameless = False
        self.surface = surface_of(sys.stdout) if self.path is None else Surface()

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
            handle, self._replacement = _new_file(os.path.realpath(path))
            self._nameless = self._replacement is None
            self._stream = os.fdopen(handle, "w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise unwritable(path, error) from None
        except UnicodeEncodeError:
            raise DataProblem(
                f"{path} can't be written: this environment can't spell its name", remedy="set LC_ALL=C.UTF-8"
            ) from None

    def _close(self, path: str, failed: bool) -> None:
        """Put the file in its place, or leave everything as it was if results are missing from it."""
        try:
            if (self._nameless or self._replacement is not None) and not failed and self.status != WRONG_INPUT:
                self._replace(os.path.realpath(path))
            self._stream.close()
        except OSError as error:
            raise unwritable(path, error) from None
        finally:
            with suppress(OSError):  # what could not be written can't be flushed now, either
                self._stream.close()
            if self._replacement is not None:
                os.unlink(self._replacement)
                self._replacement = None
        if self.status == WRONG_INPUT:
            done = "left as it was" if os.path.lexists(path) else "not written"
            complain(f"warning: {path} is {done}, since results are missing")

    def _replace(self, target: str) -> None:
        """Put the new file in the place of the old one; after a failure of power, too, one of them is there, and whole."""
        self._stream.flush()
        handle = self._stream.fileno()
        os.fsync(handle)
        if self._replacement is None:
            self._replacement = _named(handle, target)
        os.chmod(self._replacement, _mode(target))
        os.replace(self._replacement, target)
        self._replacement = None

    def write(self, text: str) -> None:
        """Pass on a piece of the results."""
        self._stream.write(text)
        self._stream.flush()

    def write_bytes(self, data: bytes) -> None:
        """Pass on results that are no text."""
        self._stream.flush()
        self._stream.buffer.write(data)  # type: ignore[attr-defined]
        self._stream.flush()

    @property
    def binary(self) -> IO[bytes]:
        """Where results go that are no text, for those who write them bit by bit."""
        self._stream.flush()
        stream: IO[bytes] = self._stream.buffer  # type: ignore[attr-defined]
        return stream

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


def _new_file(target: str) -> tuple[int, str | None]:
    """A file beside another one that it is to replace, open for writing, and its name.

    Where the system can do that, it has no name yet: then nothing is left of it, even if this process is killed.
    """
    folder, name = os.path.split(target)
    flag = getattr(os, "O_TMPFILE", 0)
    if flag and os.path.isdir(OPEN_FILES):
        with suppress(OSError):
            return os.open(folder, flag | os.O_RDWR, 0o600), None
    import tempfile

    return tempfile.mkstemp(prefix=f".{name}.", dir=folder)


OPEN_FILES = "/proc/self/fd"


def _named(handle: int, target: str) -> str:
    """Give a file without a name one beside its target."""
    import shutil
    import tempfile

    folder, name = os.path.split(target)
    for _ in range(100):
        path = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
        try:
            os.link(f"{OPEN_FILES}/{handle}", path, src_dir_fd=handle)  # with a folder, link follows to the file itself
            return path
        except FileExistsError:
            continue
        except OSError:
            break
    copy, path = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    os.lseek(handle, 0, os.SEEK_SET)
    with os.fdopen(os.dup(handle), "rb") as source, os.fdopen(copy, "wb") as sink:
        shutil.copyfileobj(source, sink)
        sink.flush()
        os.fsync(sink.fileno())
    return path


def _mode(path: str) -> int:
    """The permissions that a file has, or that a new one should have."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def unwritable(path: str, error: OSError) -> DataProblem:
    """That a file cannot be written, and why."""
    return DataProblem(f"{path} can't be written: {(error.strerror or str(error)).lower()}", remedy="name another file after -o")
