"""The command line: `main` for tests and other programs, `run` for the shell."""

from __future__ import annotations

import sys
from typing import IO

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command line (by default the process's own) and return its exit status.

    Results go to `sys.stdout`, everything else to `sys.stderr`; a program may come from `sys.stdin`.
    """
    try:
        # Imported here, so that Ctrl-C is quiet from the first moment on.
        from gradcalc.cli.application import perform

        status = perform(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        status = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    return status


def run() -> None:
    """The entry point of the shell command."""
    import gc

    # Nothing that a start leaves behind is garbage: collecting it costs a tenth of the time to the first answer. Commands switch
    # the collector on again when they have printed one.
    gc.disable()
    status = main()
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        # Everything is written and closed: taking the interpreter apart piece by piece would cost a sixth of the whole time.
        import atexit
        import os

        atexit._run_exitfuncs()
        os._exit(status)
    sys.exit(status)


def _flush(stream: IO[str] | None) -> None:
    """Flush a stream; if its reader has gone, make sure that the interpreter does not complain of it at the very end."""
    if stream is None:
        return
    try:
        stream.flush()
    except BrokenPipeError:
        import os

        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
    except (OSError, ValueError):
        pass
