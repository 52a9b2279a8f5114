"""The grammar and its parse tables: where they are, how they are loaded, and (run as a program) how they are made.

Lark makes the tables from the grammar. They are kept beside it as plain data, so that a start neither makes them anew nor imports
Lark, which takes as long as everything else together.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcalc.language.machine import END, Machine, Tables

if TYPE_CHECKING:
    from lark import Lark

FORMAT = 2
GRAMMAR = "gradcalc.lark"
TABLES = "gradcalc.tables.json"


def folders() -> list[Path]:
    """Where the grammar may be: inside an installed package, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    return [package / "grammars", package.parent / "grammars"]


def folder() -> Path:
    """Where the grammar is."""
    for candidate in folders():
        if (candidate / GRAMMAR).is_file():
            return candidate
    raise FileNotFoundError(f"{GRAMMAR} is missing from this installation of gradcalc")


@cache
def machine() -> Machine:
    """The parser, made once a process: from its tables, or from the grammar where they are missing or damaged."""
    where = folder()
    return Machine(read(where / TABLES) or tables_of(parser(where / GRAMMAR)))


def parser(path: Path) -> Lark:
    """Lark's parser, made from the grammar's text."""
    from lark import Lark

    # The basic lexer knows one set of words everywhere, so a mistake is never hidden behind what would be allowed here.
    return Lark(path.read_text("utf-8"), parser="lalr", lexer="basic", maybe_placeholders=False)


def tables_of(lark: Lark) -> Tables:
    """The tables that Lark made, with the words, rules and states numbered in an order that is the same every time."""
    table = lark.parser.parser._parse_table
    terminals = sorted(lark.terminals, key=_lark_order)
    ignored = set(lark.lexer_conf.ignore)
    skip = "|".join(terminal.pattern.to_regexp() for terminal in terminals if terminal.name in ignored)
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in terminals if terminal.name not in ignored}
    # HEAD may only open a statement, so no other word has to be tried against it.
    head = patterns.pop("HEAD")
    names = ["$END", *patterns, "HEAD"]
    kinds = {name: kind for kind, name in enumerate(names)}
    assert kinds["$END"] == END
    rules: list[tuple[str, int, str]] = []
    numbers: dict[Any, int] = {}
    for rule in sorted(lark.rules, key=str):
        only_hands_on = rule.options.expand1 and len(rule.expansion) == 1 and not rule.alias
        numbers[rule] = len(rules)
        rules.append(("" if only_hands_on else str(rule.alias or rule.origin.name), len(rule.expansion), str(rule.origin.name)))
    states = _ordered(table.states, table.start_states["start"])
    actions: list[dict[int, int]] = []
    gotos: list[dict[str, int]] = []
    for state in states:
        entries = sorted(table.states[state].items(), key=lambda entry: str(entry[0]))
        shifted = [(symbol, states[target]) for symbol, (action, target) in entries if action.name == "Shift"]
        reduced = [(symbol, ~numbers[rule]) for symbol, (action, rule) in entries if action.name == "Reduce"]
        actions.append({kinds[str(symbol)]: target for symbol, target in shifted + reduced if symbol in kinds})
        gotos.append({str(symbol): target for symbol, target in shifted if symbol not in kinds})
    words = "(?:" + "|".join(f"({pattern})" for pattern in patterns.values()) + f")(?:{skip})?"
    start, end = (states[table.start_states["start"]], states[table.end_states["start"]])
    return Tables(names, words, "()" * (kinds["HEAD"] - 1) + f"({head})(?:{skip})?", rules, start, end, actions, gotos)


def _ordered(states: dict[Any, Any], start: Any) -> dict[Any, int]:
    """The states, numbered as a walk from the start meets them."""
    numbers = {start: 0}
    for state in (waiting := [start]):
        for _, (action, target) in sorted(states[state].items(), key=lambda entry: str(entry[0])):
            if action.name == "Shift" and target not in numbers:
                numbers[target] = len(numbers)
                waiting.append(target)
    return numbers


def _lark_order(terminal: Any) -> tuple[Any, ...]:
    """The order in which Lark tries terminals."""
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)


def read(path: Path) -> Tables | None:
    """The tables from their file; None if it is missing or damaged, or has another form."""
    try:
        stored = json.loads(path.read_bytes())
        if stored.pop("format") != FORMAT:
            return None
        # JSON has no integer keys, so the actions are stored as lists of keys and values in turn.
        stored["actions"] = [dict(zip(flat[::2], flat[1::2])) for flat in stored["actions"]]
        return Tables(**stored)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def text_of(tables: Tables) -> str:
    """The tables as the text of their file."""
    stored: dict[str, Any] = {"format": FORMAT, **tables._asdict()}
    stored["actions"] = [list(chain.from_iterable(actions.items())) for actions in tables.actions]
    return json.dumps(stored, separators=(",", ":")) + "\n"


def main() -> None:
    """Write the tables beside the grammar."""
    where = folder()
    (where / TABLES).write_text(text_of(tables_of(parser(where / GRAMMAR))), "utf-8")


if __name__ == "__main__":
    main()
