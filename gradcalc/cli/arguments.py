"""Divides a command line into options of the command, values for inputs of the program, and the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from unicodedata import normalize

import click

from gradcalc.errors import BindingProblem, GradcalcError, UsageProblem

HELP = ("-h", "--help")


class Known(NamedTuple):
    """What the splitter knows of an option of the command."""

    spelling: str
    takes_value: bool
    repeatable: bool
    choices: tuple[str, ...]


class Arguments:
    """A command line, divided.

    Attributes:
        options: options of the command and their values, in a form that leaves click no doubt.
        programs: what is neither option nor binding: the program's text.
        bindings: values for inputs of the program, by name.
        given: names of the options given, with what was written; an input of this name would be ambiguous.
        help: whether help is asked for.
        problem: the first mistake, if any; what follows it is not divided.
    """

    def __init__(self) -> None:
        self.options: list[str] = []
        self.programs: list[str] = []
        self.bindings: dict[str, str] = {}
        self.given: dict[str, str] = {}
        self.help = False
        self.problem: GradcalcError | None = None


def known_options(parameters: Iterable[click.Parameter]) -> dict[str, Known]:
    """The options of a click command, by every spelling."""
    table = {}
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            choices = tuple(parameter.type.choices) if isinstance(parameter.type, click.Choice) else ()
            for spelling in parameter.opts:
                table[spelling] = Known(spelling, not parameter.is_flag, parameter.multiple, choices)
    return table


def divide(arguments: Sequence[str], known: Mapping[str, Known]) -> Arguments:
    """Divide a command line. Options may come before the program, values may begin with `-`, and so may a program."""
    result = Arguments()
    try:
        _divide(list(arguments), known, result)
    except GradcalcError as problem:
        result.problem = problem
    return result


def _divide(arguments: list[str], known: Mapping[str, Known], result: Arguments) -> None:
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        position += 1
        if argument == "--":
            result.programs += arguments[position:]
            return
        spelling, equals, value = argument.partition("=") if argument.startswith("--") else (argument, "", "")
        option = known.get(spelling)
        if option is None and not _is_name(spelling):
            if _is_option(argument, known):
                raise _unknown(spelling, known)
            result.programs.append(argument)
            continue
        if option is not None and not option.takes_value:
            _add_flag(option, equals, value, known, result)
            continue
        if not equals:
            if position == len(arguments) or _is_option(arguments[position], known):
                raise _missing_value(spelling, known, option)
            value = arguments[position]
            position += 1
        if option is not None:
            _add_option(option, value, result)
        else:
            bind(result.bindings, spelling[2:], value)


def _is_name(spelling: str) -> bool:
    """Whether this is `--` and something that can be the name of an input."""
    return spelling.startswith("--") and normalize("NFKC", spelling[2:]).isidentifier()


def _is_option(argument: str, known: Mapping[str, Known]) -> bool:
    """Whether an argument can be nothing but an option or a binding: so it is not the value of the one before it."""
    if argument == "--" or argument in known:
        return True
    if not argument.startswith("--"):
        return False
    spelling = argument.partition("=")[0]
    return normalize("NFKC", spelling[2:].replace("-", "_")).isidentifier() and not spelling.endswith("-")


def _add_flag(option: Known, equals: str, value: str, known: Mapping[str, Known], result: Arguments) -> None:
    if equals:
        raise UsageProblem(
            f"{option.spelling} takes no value",
            remedy=f"if {option.spelling[2:]} is an input of the program, write {let(option.spelling[2:], value)}",
        )
    if option.spelling in HELP:
        result.help = True
    _note(option, option.spelling, result)
    result.options.append(option.spelling)


def _add_option(option: Known, value: str, result: Arguments) -> None:
    _note(option, f"{option.spelling} {value}", result)
    if option.spelling.startswith("--"):
        result.options.append(f"{option.spelling}={value}")
    else:
        result.options += [option.spelling, value]


def _note(option: Known, written: str, result: Arguments) -> None:
    name = option.spelling.lstrip("-")
    if name in result.given and not option.repeatable:
        raise UsageProblem(f"{option.spelling} is given twice", remedy="keep one of them")
    if option.spelling.startswith("--"):
        result.given[name] = written
    else:
        result.given.setdefault(name, written)


def bind(bindings: dict[str, str], name: str, value: str) -> None:
    """Enter a value for an input; names are compared as the language compares them."""
    name = normalize("NFKC", name)
    if name in bindings:
        raise BindingProblem(f"{name} is given twice", remedy=f"keep one of --{name} {bindings[name]} and --{name} {value}")
    bindings[name] = value


def let(name: str, value: str = "…") -> str:
    """How to give a value to an input that has the name of an option."""
    return f"--let {name}={value or '…'}"


def ambiguous(name: str, written: str) -> UsageProblem:
    """That an option is given which has the name of an input, and may have been meant for it."""
    value = written.partition(" ")[2]
    return UsageProblem(f"{name} is an input and an option", remedy=f"write {let(name, value)} for the input")


def suggestion(name: str, known: Mapping[str, Known], names: Iterable[str] = ()) -> str:
    """The input, option or value of an option whose name is nearest to a mistyped one, as a remedy; may be empty."""
    from gradcalc.language.nearest import nearest

    name = name.lstrip("-")
    words = {spelling[2:]: spelling for spelling in known if spelling.startswith("--")}
    for option in known.values():
        for choice in option.choices:
            words.setdefault(choice, f"{option.spelling} {choice}")
    words.update((word, f"--{word}") for word in names)
    near = nearest(name, words)
    return f"did you mean {words[near]}?" if near is not None else ""


def _unknown(spelling: str, known: Mapping[str, Known]) -> UsageProblem:
    remedy = suggestion(spelling, known) or "inputs have no hyphen in their names; --help lists the options"
    return UsageProblem(f"there is no option {spelling}", remedy=remedy)


def short_option(programs: Sequence[str], known: Mapping[str, Known]) -> UsageProblem | None:
    """The problem with a word such as `-x` or `-q` among several programs: it was to be a binding or an option."""
    for position, word in enumerate(programs):
        name = normalize("NFKC", word[1:])
        if not word.startswith("-") or not name.isidentifier():
            continue
        others = " ".join([*programs[:position], *programs[position + 1 :]])
        if re.search(rf"(?<!\w){name}(?!\w)", normalize("NFKC", others)):
            value = programs[position + 1] if position + 1 < len(programs) else "NUMBER"
            remedy = f"did you mean {let(name, value) if f'--{name}' in known else f'--{name} {value}'}?"
        else:
            longer = [spelling for spelling in known if spelling.startswith(f"--{name}")]
            remedy = f"did you mean {longer[0]}?" if len(longer) == 1 else "--help lists the options"
        return UsageProblem(f"there is no option {word}", remedy=remedy)
    return None


def _missing_value(spelling: str, known: Mapping[str, Known], option: Known | None) -> GradcalcError:
    if option is not None:
        choices = f": one of {', '.join(option.choices)}" if option.choices else ""
        return UsageProblem(f"{spelling} needs a value{choices}", remedy=f"write {spelling} VALUE")
    remedy = suggestion(spelling, known) or f"write {spelling} NUMBER, or {spelling}=VALUE where it begins with --"
    return BindingProblem(f"{spelling} has no value", remedy=remedy)
