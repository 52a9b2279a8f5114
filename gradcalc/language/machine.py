"""Runs the LALR tables that Lark makes from the grammar: the same language as Lark's own loop, a few times as fast.

Lark's loop makes a token object for every word, and goes through each level of precedence one reduction at a time. Here the
matches of the regular expression are the tokens, and a rule that only hands its one child on (`?sum: product`) moves between
states and does nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark

END = 0
"""The number of the terminal that stands for the end of the text."""

Callback = Callable[[list[Any]], Any]


class Unexpected(Exception):
    """The text stops being a statement here."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class _Rule(NamedTuple):
    callback: str
    """The name of the callback; empty if the rule only hands its child on."""
    size: int
    origin: str


class Machine:
    """A parser for one statement at a time. It holds no state between parses, so all programs share one."""

    def __init__(self, lark: Lark) -> None:
        table = lark.parser.parser._parse_table
        self.rules: list[_Rule] = []
        numbers: dict[Any, int] = {}
        for rule in lark.rules:
            unit = rule.options.expand1 and len(rule.expansion) == 1 and not rule.alias
            name = "" if unit else str(rule.alias or rule.origin.name)
            numbers[rule] = len(self.rules)
            self.rules.append(_Rule(name, len(rule.expansion), str(rule.origin.name)))
        terminals = sorted(lark.terminals, key=_lark_order)
        ignored = set(lark.lexer_conf.ignore)
        skip = "|".join(t.pattern.to_regexp() for t in terminals if t.name in ignored)
        words = [t for t in terminals if t.name not in ignored and t.name != "HEAD"]
        self.kinds: dict[str, int] = {t.name: number for number, t in enumerate(words, 1)}
        self.names: list[str] = ["$END", *self.kinds]
        self.kinds["$END"] = END
        # HEAD may only open a statement, so no other word has to be tried against it.
        self.kinds["HEAD"] = len(self.names)
        self.names.append("HEAD")
        head = next(t for t in terminals if t.name == "HEAD").pattern.to_regexp()
        self._head_source = "()" * (self.kinds["HEAD"] - 1) + f"({head})(?:{skip})?"
        self._word = re.compile("(?:" + "|".join(f"({t.pattern.to_regexp()})" for t in words) + f")(?:{skip})?")
        self._start = table.start_states["start"]
        self._end = table.end_states["start"]
        self._actions: list[dict[int, int]] = []
        self._gotos: list[dict[str, int]] = []
        for state in range(len(table.states)):
            actions: dict[int, int] = {}
            gotos: dict[str, int] = {}
            for symbol, (action, argument) in table.states[state].items():
                if symbol not in self.kinds:
                    gotos[symbol] = argument
                else:
                    actions[self.kinds[symbol]] = ~numbers[argument] if action.name == "Reduce" else argument
            self._actions.append(actions)
            self._gotos.append(gotos)
        # Where a chain of rules that only hand their child on ends: (state below, state, next word) -> state.
        self._shortcuts: dict[tuple[int, int, int], int] = {}

    @cached_property
    def _head(self) -> re.Pattern[str]:
        """Compiled when a statement has an `=` for the first time."""
        return re.compile(self._head_source)

    def callbacks(self, find: Callable[[str], Callback]) -> list[Callback | None]:
        """The callbacks of all rules, in the order that `parse` wants; None where a rule only hands its child on."""
        return [find(rule.callback) if rule.callback else None for rule in self.rules]

    def parse(self, text: str, start: int, end: int, callbacks: Sequence[Callback | None]) -> Any:
        """Parse one statement and return what the callback of the last rule returned.

        Words reach the callbacks as matches of a regular expression with one group per kind of word, so `lastindex` is the kind
        and `span(lastindex)` the place.

        Raises:
            Unexpected: with the offset of the first word that does not fit.
        """
        actions, gotos, rules, shortcuts = self._actions, self._gotos, self.rules, self._shortcuts
        sizes = [rule.size for rule in rules]
        origins = [rule.origin for rule in rules]
        final = self._end
        state = self._start
        states = [state]
        values: list[Any] = []
        read = self._word.scanner(text, start, end).match  # type: ignore[attr-defined]
        match = self._head.match(text, start, end) if text.find("=", start, end) >= 0 else None
        if match is not None:
            read = self._word.scanner(text, match.end(), end).match  # type: ignore[attr-defined]
        else:
            match = read()
        position = start
        while True:
            if match is None:
                if position != end:
                    raise Unexpected(position)
                kind = END
            else:
                kind = match.lastindex or END
            while True:
                action = actions[state].get(kind)
                if action is None:
                    raise Unexpected(position)
                if action >= 0:
                    state = action
                    states.append(state)
                    values.append(match)
                    break
                number = ~action
                callback = callbacks[number]
                if callback is None:
                    key = (states[-2], state, kind)
                    shortcut = shortcuts.get(key)
                    if shortcut is None:
                        shortcut = shortcuts[key] = self._shortcut(*key)
                    states[-1] = state = shortcut
                else:
                    size = sizes[number]
                    if size:
                        children = values[-size:]
                        del values[-size:]
                        del states[-size:]
                        values.append(callback(children))
                    else:
                        values.append(callback([]))
                    state = gotos[states[-1]][origins[number]]
                    states.append(state)
                if kind == END and state == final:
                    return values[-1]
            position = match.end()
            match = read()

    def _shortcut(self, below: int, state: int, kind: int) -> int:
        """The state that follows when all rules that only hand their child on have been applied."""
        while True:
            action = self._actions[state].get(kind)
            if action is None or action >= 0 or self.rules[~action].callback:
                return state
            state = self._gotos[below][self.rules[~action].origin]

    def words(self, text: str, start: int, end: int) -> list[tuple[str, int, int]]:
        """The words of a statement as (kind, start, end), for explanations; a character that is no word is of kind `?`."""
        found: list[tuple[str, int, int]] = []
        position = start
        while position < end:
            match = self._word.match(text, position, end)
            if match is None:
                if not text[position].isspace():
                    found.append(("?", position, position + 1))
                position += 1
            else:
                kind = match.lastindex
                assert kind is not None
                found.append((self.names[kind], *match.span(kind)))
                position = match.end()
        return found


def _lark_order(terminal: Any) -> tuple[Any, ...]:
    """The order in which Lark tries terminals."""
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)
