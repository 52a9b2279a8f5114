"""The grammar and its parse tables: where they are, how they are loaded, and (run as a program) how they are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcalc.language.machine import Machine

if TYPE_CHECKING:
    from lark import Lark

FORMAT = 1
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
    """The parser, made once a process, from its tables if they fit this version of Lark."""
    where = folder()
    return Machine(from_tables(where / TABLES) or from_text(where / GRAMMAR))


def from_text(path: Path) -> Lark:
    """Lark's parser, made from the grammar's text."""
    from lark import Lark

    # The basic lexer knows one set of words everywhere, so a mistake is never hidden behind what would be allowed here.
    return Lark(path.read_text("utf-8"), parser="lalr", lexer="basic", maybe_placeholders=False)


def from_tables(path: Path) -> Lark | None:
    """Lark's parser, from its tables; None if they are missing, damaged, or were made by another version of Lark."""
    import lark

    try:
        stored = json.loads(path.read_bytes())
        if stored["format"] != FORMAT or stored["lark"] != lark.__version__:
            return None
        data: dict[str, Any] = stored["data"]
        table = data["parser"]["parser"]
        # JSON has turned the integer keys into strings.
        table["tokens"] = _integer_keys(table["tokens"])
        table["states"] = {int(state): _integer_keys(actions) for state, actions in table["states"].items()}
        load: Callable[..., Lark] = lark.Lark._load_from_dict
        return load(data, _integer_keys(stored["memo"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return None


def _integer_keys(mapping: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in mapping.items()}


def make(grammar: Path) -> str:
    """The text of the tables for a grammar."""
    import lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = from_text(grammar).memo_serialize([TerminalDef, Rule])
    _settle(data["parser"]["parser"])
    stored = {"format": FORMAT, "lark": lark.__version__, "data": data, "memo": memo}
    return json.dumps(stored, separators=(",", ":"), ensure_ascii=True) + "\n"


def _settle(table: dict[str, Any]) -> None:
    """Number the states and words of a parse table in the order of the grammar, so that it comes out the same every time."""
    names = table["tokens"]
    order = sorted(names, key=lambda number: str(names[number]))
    words = {old: new for new, old in enumerate(order)}
    start = next(iter(table["start_states"].values()))
    states: dict[int, int] = {start: 0}
    waiting = [start]
    for state in waiting:
        actions = table["states"][state]
        for word in sorted(actions, key=lambda number: str(names[number])):
            kind, target = actions[word]
            if kind == 0 and target not in states:
                states[target] = len(states)
                waiting.append(target)
    renamed = {
        states[state]: {
            words[word]: [kind, states[target] if kind == 0 else target]
            for word, (kind, target) in sorted(actions.items(), key=lambda item: words[item[0]])
        }
        for state, actions in table["states"].items()
    }
    table["states"] = dict(sorted(renamed.items()))
    table["tokens"] = {words[number]: str(names[number]) for number in order}
    table["start_states"] = {name: states[state] for name, state in table["start_states"].items()}
    table["end_states"] = {name: states[state] for name, state in table["end_states"].items()}


def main() -> None:
    """Write the tables beside the grammar."""
    where = folder()
    (where / TABLES).write_text(make(where / GRAMMAR), "utf-8")


if __name__ == "__main__":
    main()
