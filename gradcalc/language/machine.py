"""Runs the LALR tables that Lark makes from the grammar: the same language as Lark's own loop, a few times as fast.

Lark's loop makes a token object for every word, and goes through each level of precedence one reduction at a time. Here the
matches of the regular expression are the tokens, and a rule that only hands its one child on (`?sum: product`) moves between
states and does nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

END = 0
"""The number of the terminal that stands for the end of the text."""

Callback = Callable[[list[Any]], Any]


class Unexpected(Exception):
    """The text stops being a statement here."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Tables(NamedTuple):
    """What a parser is made from, as plain data.

    Attributes:
        names: the name of each kind of word, by its number.
        word: the regular expression of a word, with one group for each kind.
        head: that of the head of a definition, which may only open a statement.
        rules: for each rule the name of its callback (empty if it only hands its one child on), its size, and what it makes.
        start: the first state.
        end: the state in which a statement is complete.
        actions: for each state and kind of word the next state, or the complement of the number of the rule to apply.
        gotos: for each state the state that follows what a rule has made.
    """

    names: list[str]
    word: str
    head: str
    rules: list[tuple[str, int, str]]
    start: int
    end: int
    actions: list[dict[int, int]]
    gotos: list[dict[str, int]]


class Machine:
    """A parser for one statement at a time. It holds no state between parses, so all programs share one."""

    def __init__(self, tables: Tables) -> None:
        self.names = tables.names
        self.kinds: dict[str, int] = {name: kind for kind, name in enumerate(tables.names)}
        self._rules = [name for name, _, _ in tables.rules]
        self._sizes = [size for _, size, _ in tables.rules]
        self._origins = [origin for _, _, origin in tables.rules]
        self._word = re.compile(tables.word)
        self._head_source = tables.head
        self._start, self._end = tables.start, tables.end
        self._actions, self._gotos = tables.actions, tables.gotos
        # Where a chain of rules that only hand their child on ends: (state below, state, next word) -> state.
        self._shortcuts: dict[tuple[int, int, int], int] = {}

    @cached_property
    def _head(self) -> re.Pattern[str]:
        """Compiled when a statement has an `=` for the first time."""
        return re.compile(self._head_source)

    def callbacks(self, find: Callable[[str], Callback]) -> list[Callback | None]:
        """The callbacks of all rules, in the order that `parse` wants; None where a rule only hands its child on."""
        return [find(name) if name else None for name in self._rules]

    def parse(self, text: str, start: int, end: int, callbacks: Sequence[Callback | None]) -> Any:
        """Parse one statement and return what the callback of the last rule returned.

        Words reach the callbacks as matches of a regular expression with one group per kind of word, so `lastindex` is the kind
        and `span(lastindex)` the place.

        Raises:
            Unexpected: with the offset of the first word that does not fit.
        """
        actions, gotos, shortcuts = self._actions, self._gotos, self._shortcuts
        sizes, origins = self._sizes, self._origins
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
            if action is None or action >= 0 or self._rules[~action]:
                return state
            state = self._gotos[below][self._origins[~action]]

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
