"""`gradcalc repl`: a session at a prompt, or from a pipe as a script."""

from __future__ import annotations

import gc
import io
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Example, ProgramCommand, option, program_options
from gradcalc.cli.commands import COMMANDS
from gradcalc.cli.mistakes import reported
from gradcalc.cli.option_types import Whole
from gradcalc.cli.output import Output, complain
from gradcalc.errors import BindingProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram
    from gradcalc.repl.interfaces import OptionHelp
    from gradcalc.repl.loop import Loop
    from gradcalc.repl.session import Session

HELP = """Work with formulas step by step. Every expression is answered with its value, its gradients and their verdict. A name may
be assigned again, and what depends on it follows. :help lists the commands: tables, pictures, derivatives and more of the last
expression; gradcalc alone on a terminal is the same.

Given a PROGRAM or -f FILE, the session begins with its statements. From a pipe the session is a script: no prompt, no colours, only
expressions and commands are answered. Lines are kept in a history, in $GRADCALC_HISTORY or below $XDG_STATE_HOME.

The exit status is that of eval: 2 if a statement was wrong, 1 if a check failed. At a terminal it is 0."""

EXAMPLES = (
    Example('echo "a = 2; b = 3; a*b; _ + a" | gradcalc repl', "a script, statement by statement"),
    Example("gradcalc repl -f examples/12-neuron.gc --a 2", "begin with the statements of a file"),
)


class SessionCommand(ProgramCommand):
    """A command that may begin with a program, and need not."""

    program_required = False


@click.command("repl", cls=SessionCommand, help=HELP, examples=EXAMPLES)
@option("--digits", type=Whole(1, 17), metavar="N", help="Significant digits of gradients.")
@program_options
def command(program: GivenProgram, digits: int | None) -> int:
    """Run a session until its input ends."""
    from gradcalc.repl.interfaces import Shell
    from gradcalc.repl.loop import Loop
    from gradcalc.repl.session import Session
    from gradcalc.views.progress import ProgressBar
    from gradcalc.views.surface import surface_of

    progress = ProgressBar("checking elements")
    session = Session(seed=program.seed, load_allowed=program.load_allowed, max_array=program.max_array, progress=progress)
    shell = Shell(
        {name: entry.words for name, entry in COMMANDS.items() if entry.session},
        lambda name, arguments: _run(session, name, arguments),
        _options_of,
        _read,
        _write,
    )
    output = Output(digits=digits)
    watched = sys.stdin is not None and sys.stdin.isatty()
    loop = Loop(session, output, shell, talkative=watched)
    with output, progress:
        _begin(loop, program)
        if not watched:
            from gradcalc.cli.program import stream_lines

            gc.enable()
            loop.run_script(stream_lines(sys.stdin, "standard input"))
            return output.status
        if sys.stdout.isatty() and _is_capable():
            from gradcalc.repl.prompt import Prompt

            prompt = Prompt(loop, surface_of(sys.stdout), output.warning)
            lines = prompt.lines()
        else:
            lines = _plain_lines()
        gc.enable()
        _talk(loop, lines)
    return 0


def _is_capable() -> bool:
    """Whether the terminal can move its cursor."""
    import os

    return os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def _begin(loop: Loop, program: GivenProgram) -> None:
    """Take the values and the statements that the command line gives."""
    from gradcalc.language.scanner import scan
    from gradcalc.language.values import Constant

    given = program.values()
    for name, value in given.items():
        if not isinstance(value, Constant):
            raise BindingProblem(
                f"--{name} is not a single value",
                remedy="ranges and uncertainties are for commands, such as :plot: give them there",
            )
        for piece in scan(f"{name} = {value.text}"):
            loop.session.take(piece)
    if program.source.path is not None or program.source.text:
        loop.load(program.source.chunks(), program.source.name or "", skipped=given)


def _talk(loop: Loop, lines: Iterator[str]) -> None:
    """Answer what is typed until there is no more. Ctrl-C counts only while an answer is computed, and once for each."""
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for text in lines:
            with _interruptible():
                reported(partial(_enter, loop, text))
            if loop.finished:
                return
    finally:
        signal.signal(signal.SIGINT, kept)


def _enter(loop: Loop, text: str) -> int:
    """Answer an entry. A defect of gradcalc's own is shown as it is, but costs nobody their session."""
    try:
        loop.enter(text)
    except (OSError, MemoryError):
        raise
    except Exception:
        import traceback

        traceback.print_exc()
        complain("error: that is a defect of gradcalc; the session goes on")
    return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Here Ctrl-C interrupts, but not what then cleans up."""
    with suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, _interrupt_once)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _plain_lines() -> Iterator[str]:
    """What is typed at a terminal that can do little more than print; inside open brackets it goes on over lines."""
    from gradcalc.language.scanner import is_complete

    shown = next((stream for stream in (sys.stdout, sys.stderr) if stream.isatty()), None)
    text = ""
    while True:
        line = None
        with _interruptible():
            if shown is not None:
                shown.write("... " if text else "> ")
                shown.flush()
            line = sys.stdin.readline()
        if line is None:
            text = ""
            if shown is not None:
                shown.write("\n")
            continue
        if not line:
            if shown is not None:
                shown.write("\n")
            return
        text += line
        if text.lstrip().startswith(":") or is_complete(text):
            yield text
            text = ""


# What the session asks of the command line


def _run(session: Session, name: str, arguments: Sequence[str]) -> int:
    """Run a command of the registry on the session, with nothing to read from standard input."""

    def perform() -> int:
        made = _command(name)
        with click.Context(click.Group()) as parent:
            parent.meta["gradcalc.session"] = session
            with made.make_context(f":{name}", list(arguments), parent=parent) as context:
                return int(made.invoke(context) or 0)

    with _nothing_to_read():
        return reported(perform)


def _command(name: str) -> click.Command:
    made = import_module(COMMANDS[name].module).command
    assert isinstance(made, click.Command)
    return made


@contextmanager
def _nothing_to_read() -> Iterator[None]:
    """The script of a session is no input of its commands."""
    kept = sys.stdin
    sys.stdin = io.StringIO("")
    try:
        yield
    finally:
        sys.stdin = kept


def _options_of(name: str) -> list[OptionHelp]:
    from gradcalc.repl.interfaces import OptionHelp

    options = (parameter for parameter in _command(name).params if isinstance(parameter, click.Option))
    return [OptionHelp(made.opts[-1], made.help or "") for made in options if not made.hidden]


def _read(path: str) -> Iterator[str]:
    from gradcalc.cli.program import file_lines

    return file_lines("./-" if path == "-" else path)


def _write(path: str, text: str) -> None:
    with Output(path=path) as output:
        output.write(text)
