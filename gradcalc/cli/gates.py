"""`gradcalc gates`: the catalogue, from the gates' own records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from gradcalc.cli.command import Command, Example, output_options
from gradcalc.cli.output import Output
from gradcalc.errors import GradcalcError, NameProblem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from gradcalc.gates.record import Gate
    from gradcalc.workspace import Result

HELP = """Show the catalogue of gates, a family of it (gradcalc gates activations), or all about one gate: what it does to a
gradient, its formula, its domain, what is answered at its kinks, and an example."""

EXAMPLES = (
    Example("gradcalc gates", "every gate, by family"),
    Example("gradcalc gates sigmoid", "one gate, with an example"),
    Example('gradcalc gates "+"', "a gate with a symbol"),
    Example("gradcalc gates --format json", "for programs: one gate a line"),
)


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gradcalc.gates import REGISTRY

    return [
        CompletionItem(name, help=REGISTRY[name][0].title) for name in (*REGISTRY, *REGISTRY.aliases) if name.startswith(incomplete)
    ]


@click.command("gates", cls=Command, help=HELP, examples=EXAMPLES)
@click.argument("name", required=False, shell_complete=_complete)
@output_options("table", "json")
def command(name: str | None, output: Output) -> int:
    """Show the catalogue, a family or a gate."""
    from gradcalc.gates import REGISTRY

    gates = list(_ordered(REGISTRY.records())) if name is None else _find(name)
    with output:
        if output.format == "json":
            from gradcalc.views.catalogue import gate_document
            from gradcalc.views.json import json_line

            for gate in gates:
                output.write(json_line(gate_document(gate, REGISTRY.aliases), output.surface.unicode))
        elif name is None or len({gate.name for gate in gates}) > 1:
            from gradcalc.views.catalogue import catalogue_text

            output.write(catalogue_text(gates, REGISTRY.aliases, output.surface))
        else:
            _show_pages(gates, output)
    return output.status


def _find(name: str) -> Sequence[Gate]:
    """The gates of a name, or of a family."""
    from gradcalc.gates import REGISTRY

    if not name:
        raise NameProblem("the name of the gate is empty", remedy="gradcalc gates shows all of them")
    if name in REGISTRY:
        return REGISTRY[name]
    family = [gate for gate in REGISTRY.records() if gate.family == name]
    if family:
        return family
    for gate in REGISTRY.records():
        if gate.syntax is not None and gate.syntax.symbol == name:
            return [gate]
    from gradcalc.language.nearest import nearest

    near = nearest(name, [*REGISTRY, *REGISTRY.aliases, *(gate.family for gate in REGISTRY.records())])
    raise NameProblem(f"there is no gate {name}", remedy=f"did you mean {near}?" if near else "gradcalc gates shows all of them")


def _ordered(records: Iterable[Gate]) -> list[Gate]:
    """In the order of the families."""
    from gradcalc.gates import FAMILIES

    return sorted(records, key=lambda gate: FAMILIES.index(gate.family))


def _show_pages(gates: Sequence[Gate], output: Output) -> None:
    from gradcalc.gates import REGISTRY
    from gradcalc.views.catalogue import gate_text

    parting = ""
    for gate in gates:
        output.write(parting + gate_text(gate, REGISTRY.aliases, output.surface))
        parting = "\n"
        if gate.example:
            program, arguments = split_example(gate.example)
            output.write(f"\n  gradcalc eval {quoted(program)} {' '.join(map(quoted, arguments))}\n\n")
            _show_example(program, arguments, output)


def split_example(example: str) -> tuple[str, list[str]]:
    """The program and the other arguments of a gate's example, such as `sigmoid(x) --x 2`."""
    import shlex

    program, dashes, rest = example.partition(" --")
    return program, shlex.split(dashes + rest)


def quoted(argument: str) -> str:
    """An argument as it is typed in a shell."""
    safe = all(character.isalnum() or character in "-_./=,:" for character in argument)
    return argument if safe and argument else '"' + argument.replace('"', '\\"') + '"'


def _show_example(program: str, arguments: Sequence[str], output: Output) -> None:
    from gradcalc.language.values import parse_value
    from gradcalc.views.report import result_text
    from gradcalc.workspace import Options, Workspace

    names = [name.removeprefix("--") for name in arguments[::2]]
    values = {name: parse_value(text, f"--{name}") for name, text in zip(names, arguments[1::2], strict=True)}
    answer: Result | GradcalcError
    for answer in Workspace(values, Options()).answers(program):
        if isinstance(answer, GradcalcError):
            output.error(answer)
        else:
            output.write(result_text(answer, output.surface, output.digits, output.every_row))
