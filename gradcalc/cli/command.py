"""What the commands share: how they read their arguments, how their help looks, and families of options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from gradcalc.cli.arguments import HELP, Arguments, Known, ambiguous, divide, known_options, let
from gradcalc.cli.option_types import Names, OneOf, Size, Whole
from gradcalc.errors import GradcalcError, UsageProblem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Function = TypeVar("Function", bound=Callable[..., Any])

PROGRAM = "Program and inputs"
OUTPUT = "Output"
ANSWER = "Options"
"""The sections of a command's help, in which options of a kind stand together."""


class Example(NamedTuple):
    """A line for the shell that a help text shows, and that the tests run."""

    line: str
    words: str


class Option(click.Option):
    """An option that knows its section of the help text."""

    def __init__(self, *arguments: Any, section: str = ANSWER, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.section = section


def option(*spellings: str, **settings: Any) -> Callable[[Function], Function]:
    """An option of a command; see `click.option`, and `Option` for `section`."""
    return click.option(*spellings, cls=Option, **settings)


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    arguments: Arguments | None = ctx.meta.get("gradcalc.arguments")
    if not value or ctx.resilient_parsing or (arguments is not None and len(arguments.programs) > 1):
        return  # behind a second program there is `--version 3`, a value for an input: that is going to be explained
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("gradcalc")
    except PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"gradcalc {number}")
    ctx.exit()


def version_option() -> click.Option:
    """`--version`, which every command knows."""
    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version and exit."
    )


def _in_session(ctx: click.Context) -> bool:
    """Whether a command is typed in a session, behind a colon."""
    return ctx.meta.get("gradcalc.session") is not None


class Command(click.Command):
    """A command with examples in its help."""

    def __init__(self, *arguments: Any, examples: Sequence[Example] = (), **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": list(HELP)})
        super().__init__(*arguments, **settings)
        self.params.append(version_option())
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if parameter.name == "version" and _in_session(ctx):
                continue
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", ANSWER), []).append(record)
        for title in (ANSWER, PROGRAM, OUTPUT):
            if title in sections:
                with formatter.section(title):
                    formatter.write_dl(sections[title])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        examples = self.examples
        if _in_session(ctx):
            here = (example for example in examples if example.line.startswith("gradcalc "))
            examples = [example._replace(line=example.line.replace("gradcalc ", ":", 1)) for example in here]
        if examples:
            with formatter.section("Examples"):
                for example in examples:
                    formatter.write(f"  {example.line}\n      {example.words}\n")


class ProgramCommand(Command):
    """A command that takes a program, and values for the program's inputs as `--NAME VALUE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Divide the arguments, and give click its part of them."""
        arguments = divide(args, known_options(self.get_params(ctx)))
        ctx.meta["gradcalc.arguments"] = arguments
        if arguments.help and not ctx.resilient_parsing:
            if "h" in arguments.bindings and not arguments.programs and "--help" not in args:
                raise UsageProblem("-h asks for help", remedy="for the program -h, write it behind the options: -- -h")
            click.echo(self.get_help(ctx))
            ctx.exit()
        if arguments.problem is not None and not ctx.resilient_parsing:
            raise arguments.problem
        try:
            return super().parse_args(ctx, list(arguments.options))  # click takes its list apart
        except GradcalcError as problem:
            raise self._ambiguous(ctx, arguments) or problem from None

    def invoke(self, ctx: click.Context) -> Any:
        """Perform the command."""
        try:
            return super().invoke(ctx)
        except UsageProblem as problem:
            raise self._ambiguous(ctx, ctx.meta["gradcalc.arguments"]) or problem from None

    @staticmethod
    def _ambiguous(ctx: click.Context, arguments: Arguments) -> UsageProblem | None:
        """Where an option went wrong that has the name of an input: it was meant for the input."""
        written_here = "f" not in arguments.given and all(
            name not in text for text in arguments.programs for name in arguments.given
        )
        # A program that stands on the command line and has no such word needs not be read, which takes a while.
        names = set() if written_here else {name for name, _ in program_inputs(arguments)}
        session = ctx.meta.get("gradcalc.session")
        if session is not None:
            names |= {name for name, entry in session.workspace.program.known.items() if entry.kind in ("input", "default")}
        for name, written in arguments.given.items():
            settled = any(option.partition("=")[2].partition("=")[0].strip() == name for option in arguments.options)
            if name in names and len(name) > 1 and not settled:
                return ambiguous(name, written)
        return None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What stands behind the name of the command in the usage line."""
        return ["[OPTIONS]", "[PROGRAM]", "[--NAME VALUE]..."]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the inputs of the program, if there is one, before the options."""
        arguments: Arguments | None = ctx.meta.get("gradcalc.arguments")
        known = known_options(self.get_params(ctx))
        rows = [_input_row(*row, known) for row in program_inputs(arguments)] if arguments is not None else []
        if rows:
            with formatter.section("Inputs of this program"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer options, and the inputs of the program."""
        from click.shell_completion import CompletionItem

        items = super().shell_complete(ctx, incomplete)
        arguments: Arguments | None = ctx.meta.get("gradcalc.arguments")
        if incomplete.startswith("-") and arguments is not None:
            known = known_options(self.get_params(ctx))
            for name, default in program_inputs(arguments):
                spelling = f"--{name}"
                if name not in arguments.bindings and spelling.startswith(incomplete) and spelling not in known:
                    items.append(CompletionItem(spelling, help=f"default {default}" if default else "input"))
        return items


def _input_row(name: str, default: str, known: Mapping[str, Known]) -> tuple[str, str]:
    """How an input is given; one that has the name of an option needs --let."""
    spelling = let(name, "VALUE") if f"--{name}" in known else f"--{name} VALUE"
    return spelling, f"default {default}" if default else "needs a value"


def program_inputs(arguments: Arguments) -> Iterator[tuple[str, str]]:
    """The inputs of the program on a command line, each with its default as it is written; what is wrong in it is passed over."""
    if not arguments.programs and "f" not in arguments.given:
        return
    from gradcalc.cli.program import source_of
    from gradcalc.language.program import Program

    path = arguments.given.get("f", "").removeprefix("-f ")
    if path == "-" or arguments.programs == ["-"]:
        return
    program = Program(bound=set(arguments.bindings))
    try:
        for _ in program.statements(source_of(path or None, arguments.programs).content()):
            pass
    except GradcalcError:
        pass
    for item in program.inputs:
        yield item.name, "" if item.default is None else program.label(item.default)


def program_options(function: Function) -> Function:
    """The options with which a program and its values are given. The command gets them as one argument, `program`."""
    from functools import wraps

    @wraps(function)
    def with_program(
        *,
        f: str | None,
        let: tuple[str, ...],
        bindings: tuple[str, ...],
        seed: int | None,
        no_load: bool,
        max_array: int | None,
        **others: Any,
    ) -> Any:
        from gradcalc.cli.program import GivenProgram

        context = click.get_current_context()
        known = known_options(context.command.get_params(context))
        program = GivenProgram(
            context.meta["gradcalc.arguments"],
            known,
            f,
            let,
            seed,
            not no_load,
            max_array,
            files=bindings,
            session=context.meta.get("gradcalc.session"),
            required=getattr(context.command, "program_required", True),
        )
        return function(program=program, **others)

    for decorate in reversed(
        (
            option("-f", metavar="FILE", section=PROGRAM, help="Read the program from FILE; a PROGRAM is appended to it."),
            option(
                "--let",
                metavar="NAME=VALUE",
                multiple=True,
                section=PROGRAM,
                help="The same as --NAME VALUE, also for an input that has the name of an option.",
            ),
            option(
                "--bindings",
                metavar="FILE",
                multiple=True,
                section=PROGRAM,
                help="Values for inputs, from the arrays of an .npz or a JSON object; --NAME VALUE goes before.",
            ),
            option("--seed", type=Whole(), metavar="N", section=PROGRAM, help="Make random gates repeatable."),
            option("--no-load", is_flag=True, section=PROGRAM, help="Forbid load(...): the program may read no files."),
            option("--max-array", type=Size(), metavar="SIZE", section=PROGRAM, help="The largest array allowed (2GiB)."),
        )
    ):
        decorate(with_program)
    return with_program  # type: ignore[return-value]


def _help_of_file(formats: Sequence[str]) -> str:
    endings = [ending for ending in TEXT_ENDINGS if ending[1:] in formats and formats[0] != "auto"]
    told = f"; {' or '.join(endings)} says the format" if endings else ""
    return f"Write the results to FILE, whole or not at all{told}."


TEXT_ENDINGS = (".csv", ".json")
"""Ends of file names that say which format is meant, where a command has it."""


OTHER_KINDS = {"npz": "arrays", "npy": "arrays", "parquet": "columns", "xlsx": "a sheet"} | dict.fromkeys(
    ("png", "svg", "pdf", "jpg", "jpeg", "gif", "webp"), "a picture"
)
"""What is expected of files whose names end so, and is no text."""


def _refuse_other_kind(path: str, kind: str, formats: Sequence[str]) -> None:
    """Text is not written under a name that promises something else."""
    options = [spelling for parameter in click.get_current_context().command.params for spelling in parameter.opts]
    remedy = "name a file " + " or ".join([".txt", *(ending for ending in TEXT_ENDINGS if ending[1:] in formats)])
    if kind == "npz" and "--save" in options:
        remedy = f"write --save {path}: that keeps what was learned as arrays"
    elif OTHER_KINDS[kind] == "a picture":
        remedy += "; pictures are drawn by gradcalc plot and gradcalc graph"
    raise UsageProblem(f"-o {path}: its name promises {OTHER_KINDS[kind]}, and the results are text", remedy=remedy)


def _format_of_file(path: str | None, format: str, formats: Sequence[str]) -> str:
    """The format that the name of the file says; a command whose usual format is `auto` sees to that itself."""
    kind = (path or "").lower().rpartition(".")[2]
    if path is not None and kind in OTHER_KINDS and f".{kind}" in path.lower() and formats[0] in ("table", "text"):
        _refuse_other_kind(path, kind, formats)
    if f".{kind}" not in TEXT_ENDINGS or kind not in formats or kind == format or formats[0] == "auto":
        return format
    source = click.get_current_context().get_parameter_source("format")
    if source is not None and source is not click.core.ParameterSource.DEFAULT:
        raise UsageProblem(
            f"-o {path} asks for {kind}, and --format for {format}", remedy="leave out --format, or name another file"
        )
    return kind


def output_options(
    *formats: str, tables: bool = True, everything: str = "Show every row of a long table."
) -> Callable[[Function], Function]:
    """The options that say what results look like and where they go. The command gets them as one argument, `output`.

    Args:
        formats: what results may look like, the usual one first.
        tables: whether there are options about tables for people.
        everything: what --all does, which is one of them.
    """

    def add_to(function: Function) -> Function:
        from functools import wraps

        @wraps(function)
        def with_output(
            *, format: str, quiet: bool, o: str | None, digits: int | None = None, all: bool = False, **others: Any
        ) -> Any:
            from gradcalc.cli.output import Output

            format = _format_of_file(o, format, formats)
            return function(output=Output(format, digits, every_row=all, quiet=quiet, path=o), **others)

        about_tables = (
            option("--all", is_flag=True, section=OUTPUT, help=everything),
            option("--digits", type=Whole(1, 17), metavar="N", section=OUTPUT, help="Significant digits in tables."),
        )
        for decorate in reversed(
            (
                option(
                    "--format",
                    type=OneOf(formats),
                    default=formats[0],
                    metavar="|".join(formats),
                    section=OUTPUT,
                    help=f"What results look like ({formats[0]}).",
                ),
                *(about_tables if tables else ()),
                option("--quiet", is_flag=True, section=OUTPUT, help="Results only: no warnings."),
                option("-o", metavar="FILE", section=OUTPUT, help=_help_of_file(formats)),
            )
        ):
            decorate(with_output)
        return with_output  # type: ignore[return-value]

    return add_to


__all__ = [
    "ANSWER", "OUTPUT", "PROGRAM", "Command", "Example", "Names", "OneOf", "Option", "ProgramCommand", "Size", "Whole",
    "option", "output_options", "program_inputs", "program_options",
]  # fmt: skip
