"""The commands of a session: its own, in one table, and beside them those of the command line that work on its program."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from os.path import expanduser, isfile
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.errors import DataProblem, GradcalcError, NameProblem, UsageProblem
from gradcalc.language.nearest import nearest
from gradcalc.repl.statements import source_of
from gradcalc.repl.words import split_words
from gradcalc.repl.writing import saved_text
from gradcalc.views.numbers import array_text, exact_text, short_text
from gradcalc.views.session import Row, help_text, inputs_text

if TYPE_CHECKING:
    from gradcalc.repl.loop import Loop


class Command(NamedTuple):
    """A command of the session's own.

    Attributes:
        usage: how it is written, without the colon.
        words: what it does, in one line.
        details: the rest that there is to know.
        perform: does it with what stands behind its name.
        aliases: other names.
    """

    usage: str
    words: str
    details: str
    perform: Callable[[Loop, str], None]
    aliases: tuple[str, ...] = ()


def perform(loop: Loop, line: str) -> None:
    """Perform a line that begins with a colon.

    Raises:
        GradcalcError: there is no such command, or it is written wrongly.
    """
    name, _, rest = line.removeprefix(":").strip().partition(" ")
    rest = rest.strip()
    command = find(name)
    if command is not None:
        command.perform(loop, rest)
    elif name in loop.shell.commands:
        _run(loop, name, split_words(rest))
    elif not name:
        _help(loop, "")
    else:
        near = nearest(name, all_names(loop))
        raise UsageProblem(f"there is no command :{name}", remedy=f"did you mean :{near}?" if near else ":help lists the commands")


def find(name: str) -> Command | None:
    """The session's own command of this name."""
    return COMMANDS.get(name) or next((command for command in COMMANDS.values() if name in command.aliases), None)


def all_names(loop: Loop) -> list[str]:
    """The names of all commands."""
    return [*COMMANDS, *(name for name in loop.shell.commands if name not in COMMANDS)]


def _run(loop: Loop, name: str, arguments: list[str]) -> None:
    """Run a command of the command line; what it comes to counts for the exit status."""
    loop.session.offer = {}
    path = _file_named(arguments)
    replaced = path is not None and isfile(path)
    status = loop.shell.run(name, arguments)
    if path is not None and status in (0, 1):
        loop.say(f"{'replaced' if replaced else 'written'}: {path}")
    if loop.session.offer:
        loop.say(f":take takes these values over: {taken_text(loop.session.offer)}")
    if status == 1:
        loop.output.check_failed()
    elif status:
        loop.output.status = max(loop.output.status, status)


def _file_named(arguments: Sequence[str]) -> str | None:
    """The file that a command is to write, if it is told to with -o."""
    return next((following for word, following in pairwise(arguments) if word == "-o"), None)


def _no_arguments(name: str, rest: str) -> None:
    if rest:
        raise UsageProblem(f":{name} takes no arguments", remedy=f"write :{name}")


def _help(loop: Loop, rest: str) -> None:
    name = rest.removeprefix(":")
    command = find(name)
    if not name:
        own = [Row(f":{command.usage}", command.words) for command in COMMANDS.values()]
        others = [Row(f":{other}", words) for other, words in loop.shell.commands.items() if other not in COMMANDS]
        loop.write(help_text(own, others, KEYS, loop.surface))
    elif command is not None:
        loop.write(help_text([Row(f":{command.usage}", command.words)], [], [], loop.surface, command.details))
    elif name in loop.shell.commands:
        _run(loop, name, ["--help"])
    elif _is_gate(name) and "gates" in loop.shell.commands:
        _run(loop, "gates", [name])
    else:
        from gradcalc.gates import REGISTRY

        near = nearest(name, [*all_names(loop), *REGISTRY])
        remedy = f"did you mean :help {near}?" if near else ":help lists the commands, :gates the gates"
        raise NameProblem(f"there is no command and no gate {name}", remedy=remedy)


def _is_gate(name: str) -> bool:
    from gradcalc.gates import REGISTRY

    return name in REGISTRY or any(record.syntax is not None and record.syntax.symbol == name for record in REGISTRY.records())


def _inputs(loop: Loop, rest: str) -> None:
    _no_arguments("inputs", rest)
    rows = list(_input_rows(loop))
    if not rows:
        loop.say("there are no inputs yet: a name that is used and never assigned is one, and so is a = 2")
        return
    loop.write(inputs_text(rows, loop.surface, loop.output.digits))


def _input_rows(loop: Loop) -> Iterator[tuple[str, object, str, object]]:
    """For each input its name, its value, how it was given, and the gradient of the last result by it."""
    session = loop.session
    program = session.workspace.program
    gradients = _gradients(loop)
    for name, cell in session.names():
        entry = program.input_of(program.names[name])
        if entry is None or entry.name != name:
            continue
        written = " ".join(source_of(cell.piece).partition("=")[2].split()) if cell is not None else ""
        value = None if cell is None else session.value(cell)
        yield name, value, written, gradients.get(name)


def _gradients(loop: Loop) -> Mapping[str, Any]:
    """The gradients of the last result, at the values that the inputs have now."""
    last = loop.session.state.last
    if loop.last is None or last is None:
        return {}
    try:
        return loop.session.result(loop.session.cell(last)).gradients
    except GradcalcError:
        return {}


def _reset(loop: Loop, rest: str) -> None:
    _no_arguments("reset", rest)
    loop.session.reset()
    loop.last = None
    loop.say("the session is empty now; :undo brings it back")


def _undo(loop: Loop, rest: str) -> None:
    _no_arguments("undo", rest)
    words = loop.session.undo()
    if words is None:
        raise UsageProblem("there is nothing to undo")
    loop.say(f"undone: {words}")
    if loop.talkative:
        loop.answer_again()


def _file(name: str, rest: str) -> str:
    """The file that stands behind :load or :save, perhaps in quotes."""
    if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in "\"'":
        rest = rest[1:-1]
    if not rest:
        raise UsageProblem(f":{name} needs the name of a file", remedy=f"write :{name} FILE")
    return expanduser(rest)


def _load(loop: Loop, rest: str) -> None:
    path = _file("load", rest)
    count = len(loop.session.state.cells)
    with loop.session.one_step(f":load {rest}"):
        loop.load(loop.shell.read(path), path)
    taken = len(loop.session.state.cells) - count
    loop.say(f"{path}: {taken} more statement{'' if taken == 1 else 's'} in the session")


def _save(loop: Loop, rest: str) -> None:
    path = _file("save", rest)
    text, remarks = saved_text(loop.session)
    if not text:
        raise UsageProblem("there is nothing to save", remedy="type a formula first")
    replaced = isfile(path)
    try:
        loop.shell.write(path, text)
    except DataProblem as problem:
        problem.remedy = problem.remedy.replace("after -o", "after :save")
        raise
    for remark in dict.fromkeys(remarks):
        loop.output.warning(remark)
    done = "replaced" if replaced else "saved"
    loop.say(f"{done}: gradcalc eval -f {shlex.quote(path)} gives the same results")


def _take(loop: Loop, rest: str) -> None:
    """Assign what the last search found."""
    _no_arguments("take", rest)
    values, loop.session.offer = loop.session.offer, {}
    if not values:
        raise UsageProblem("there are no values to take over", remedy="find some: :optimize, :fit or :train, and then :take")
    with loop.session.one_step(":take"):
        loop.assign({name: exact_text(value) for name, value in values.items()})


TAKEN = 60
"""How many characters the values may have that :take offers."""


def taken_text(values: Mapping[str, Any]) -> str:
    """Values that may be taken over, in a few words."""
    texts = [
        f"{name} = {short_text(value, 6)}" if isinstance(value, float) else f"{name} = {array_text(value, 3, 24)}"
        for name, value in values.items()
    ]
    text = ", ".join(texts)
    return text if len(text) <= TAKEN else ", ".join(values)[:TAKEN]


def _open(loop: Loop, rest: str) -> None:
    words = split_words(rest)
    named = words and (words[0] == "all" or _all_gates(loop, words[0]))
    if "eval" not in loop.shell.commands:
        raise UsageProblem("this session can't evaluate tables")
    _run(loop, "eval", ["--open", *(words if named else ["all", *words])])


def _all_gates(loop: Loop, word: str) -> bool:
    """Whether a word lists nothing but gates."""
    from gradcalc.gates import REGISTRY

    gates = loop.session.workspace.program.gates
    return all(name.strip() in REGISTRY or name.strip() in gates for name in word.split(","))


def _quit(loop: Loop, rest: str) -> None:
    loop.finished = True


COMMANDS = {
    "help": Command(
        "help [NAME]",
        "This list, or all about one command or gate.",
        "NAME is a command, with or without its colon, or a gate: :help save, :help sigmoid.",
        _help,
        ("h", "?"),
    ),
    "inputs": Command(
        "inputs",
        "The inputs with their values.",
        "Beside each stands how it was given, and the gradient of the last result by it. A new value is an assignment: a = 2.",
        _inputs,
    ),
    "open": Command(
        "open [GATES] [EXPR]",
        "The table of the last expression with composed gates opened.",
        "GATES are names parted by commas, or all. With EXPR, of that expression.",
        _open,
    ),
    "take": Command(
        "take",
        "Take over the values that :optimize, :fit or :train has found.",
        "The inputs are assigned these values, and what depends on them follows; :undo takes that back.",
        _take,
    ),
    "undo": Command(
        "undo",
        "Take back the last statement or command that changed the session.",
        "It can be given again and again, as far back as the session goes.",
        _undo,
    ),
    "reset": Command("reset", "Forget everything.", "All statements and results; :undo brings them back.", _reset),
    "load": Command(
        "load FILE",
        "Take the statements of a file as if they were typed.",
        "What the file assigns replaces what the session has; its expressions are answered.",
        _load,
    ),
    "save": Command(
        "save FILE",
        "Write the session as a program that gradcalc eval -f FILE runs.",
        "Each name has its present value or formula, and every expression is an output. Random numbers are written out.",
        _save,
    ),
    "quit": Command("quit", "Leave, as Ctrl-D does.", "The session is not kept: :save it first.", _quit, ("q", "exit")),
}
"""The session's own commands, in the order in which they are listed."""

KEYS = [
    Row("Tab", "complete a gate, a name, a command or an option"),
    Row("Up, Down", "earlier lines that begin like this one"),
    Row("Ctrl-R", "search the history"),
    Row("Enter", "answer; inside open brackets, a new line"),
    Row("Ctrl-C", "abandon the line, or interrupt a computation"),
    Row("Ctrl-D", "leave"),
]
"""What is worth knowing about the keyboard."""
