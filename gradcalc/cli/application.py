"""The table of commands, and how one command line is performed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from errno import EBADF
from importlib import import_module
from io import TextIOBase
from typing import IO, TYPE_CHECKING

import click

from gradcalc.cli.arguments import HELP as HELP_OPTIONS
from gradcalc.cli.command import version_option
from gradcalc.cli.commands import COMMANDS
from gradcalc.cli.mistakes import reported
from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


DEFAULT = "eval"
SESSION = "repl"
"""The command that is meant by no arguments at all on a terminal."""
COMPLETION_VARIABLE = "_GRADCALC_COMPLETE"

HELP = """A calculator for computational graphs: the value and the gradient of a formula at every node, each gradient checked
against a numerical derivative.

gradcalc EXPR means gradcalc eval EXPR, and EXPR may also come from standard input."""


class CommandGroup(click.Group):
    """The commands, imported when they are used; anything that is not the name of one is a program for `eval`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before what is no command."""
        if not args and not ctx.resilient_parsing:
            args = [DEFAULT]
            if sys.stdin is None or sys.stdin.isatty():
                if sys.stdin is None or not sys.stdout.isatty():
                    click.echo(self.get_help(ctx))
                    ctx.exit()
                args = [SESSION]
        elif args and args[0] in (*HELP_OPTIONS, "--version"):
            # `-h --h 3` is a program with its input, gone wrong; else what follows a call for help does not matter.
            args = [DEFAULT, *args] if any(argument.partition("=")[0] == "--h" for argument in args[1:]) else args[:1]
        elif args and args[0] not in COMMANDS:
            if not ctx.resilient_parsing:
                _refuse_mistyped(args)
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.words) for name, entry in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            for line in EXAMPLES:
                formatter.write(f"  {line}\n")
        formatter.write("\nEach command has its own --help.\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands, and the options of the default command."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            command = self.get_command(ctx, DEFAULT)
            assert command is not None
            items = click.Command.shell_complete(self, ctx, incomplete)
            known = {item.value for item in items}
            with command.make_context(DEFAULT, [], parent=ctx, resilient_parsing=True) as context:
                return items + [item for item in command.shell_complete(context, incomplete) if item.value not in known]
        return [CompletionItem(name, help=entry.words) for name, entry in COMMANDS.items() if name.startswith(incomplete)]


EXAMPLES = (
    'gradcalc "(a+b)/(c+d)" --a 1 --b 2 --c 3 --d 4',
    'echo "x*y" | gradcalc eval --x -2 --y 3 --format json',
    "gradcalc gates sigmoid",
)
"""Lines for the shell; the tests run them."""


gradcalc = CommandGroup(
    "gradcalc",
    help=HELP,
    params=[version_option()],
    subcommand_metavar="COMMAND|EXPR [ARGS]...",
    context_settings={"help_option_names": list(HELP_OPTIONS)},
)


def _refuse_mistyped(arguments: Sequence[str]) -> None:
    """A single word in the place of a command, without a value for it, is no formula: it is a command mistyped."""
    word = arguments[0]
    if not word.isidentifier() or "-f" in arguments:
        return
    if any(argument.removeprefix("--").partition("=")[0] == word for argument in arguments[1:]):
        return
    from gradcalc.language.constants import CONSTANTS
    from gradcalc.language.nearest import nearest

    near = nearest(word, COMMANDS)
    if near is not None and word not in CONSTANTS:
        raise UsageProblem(f"{word} is not a command", remedy=f"did you mean gradcalc {near}?")


def perform(arguments: Sequence[str]) -> int:
    """Perform one command line and return its exit status. Whatever is wrong with it is reported, never raised."""
    _prepare_streams()
    return reported(lambda: _perform(arguments))


def _perform(arguments: Sequence[str]) -> int:
    arguments = list(map(_decoded, arguments))
    if COMPLETION_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(gradcalc, {}, "gradcalc", COMPLETION_VARIABLE, os.environ[COMPLETION_VARIABLE])
    with gradcalc.make_context("gradcalc", arguments) as context:
        return int(gradcalc.invoke(context) or 0)


def _decoded(argument: str) -> str:
    """An argument as the UTF-8 text that it is, whatever the environment made of it.

    Raises:
        UsageProblem: it is no UTF-8.
    """
    if argument.isascii() or not any("\udc80" <= character <= "\udcff" for character in argument):
        return argument
    data = os.fsencode(argument)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageProblem(
            f"{data.decode('ascii', 'backslashreplace')} is not UTF-8 text: byte 0x{data[error.start]:02x}",
            remedy="type it in a terminal that is set to UTF-8",
        ) from None


class _Closed(TextIOBase):
    """Standard output that was closed before the start: results would be lost."""

    def write(self, text: str) -> int:
        """Refuse the text."""
        raise OSError(EBADF, "standard output is closed")

    @property
    def buffer(self) -> IO[bytes]:
        """Refuse bytes."""
        raise OSError(EBADF, "standard output is closed")


def _prepare_streams() -> None:
    """Make sure that no character of the user's can stop the output, whatever the terminal is able to show."""
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
