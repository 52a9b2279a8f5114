"""The prompt of a session: editing over several lines, colours, completion, history, and a bar at the bottom."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import HighlightMatchingBracketProcessor
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from gradcalc.language.scanner import is_complete
from gradcalc.repl import commands
from gradcalc.repl.completion import SessionCompleter, gate_hints
from gradcalc.repl.highlight import STYLES, StatementLexer
from gradcalc.repl.history import open_history
from gradcalc.repl.loop import Loop
from gradcalc.views.report import SIGNS
from gradcalc.views.surface import Surface
from gradcalc.views.text import cut, to_ascii, visible, width

GREETING = "gradcalc: type a formula, such as (a + b)/c, or :help. Ctrl-D leaves."

STYLE = Style.from_dict(
    STYLES
    | {
        "prompt": "bold ansicyan",
        "continuation": "ansicyan",
        "bottom-toolbar": "noreverse",
        "bar": "reverse",
        "bar.ok": "reverse ansigreen",
        "bar.kink": "reverse ansiyellow",
        "bar.edge": "reverse ansiyellow",
        "bar.unsure": "reverse ansimagenta",
        "bar.mismatch": "reverse bold ansired",
        "bar.off": "reverse",
        "matching-bracket.cursor": "bold underline",
        "matching-bracket.other": "bold underline",
    }
)
PLAIN_STYLE = Style.from_dict({"bottom-toolbar": "noreverse", "bar": "reverse", "matching-bracket.cursor": "underline"})

LATER = ("gradcalc.workspace", "gradcalc.checking.check", "gradcalc.views.table", "rich.text", "rich.console")
"""What the first answer needs, and the first prompt does not."""


class Prompt:
    """The editor in which the lines of a session are typed."""

    def __init__(self, loop: Loop, surface: Surface, warn: Callable[[str], None]) -> None:
        self._loop = loop
        self._surface = surface
        typed = Condition(lambda: get_app().current_buffer.text.lstrip().startswith(":"))
        self._editor: PromptSession[str] = PromptSession(
            message=[("class:prompt", "> ")],
            prompt_continuation=lambda width, number, wrapped: [
                ("class:continuation", "  " if wrapped else "… "[:width] if surface.unicode else ". ")
            ],
            multiline=True,
            lexer=StatementLexer(loop.session, self._is_command),
            completer=SessionCompleter(loop, surface.unicode),
            complete_in_thread=False,
            complete_while_typing=typed,
            enable_history_search=~typed,
            history=open_history(warn),
            input_processors=[HighlightMatchingBracketProcessor(chars="()[]")],
            bottom_toolbar=self._bar,
            style=STYLE if surface.colour else PLAIN_STYLE,
            include_default_pygments_style=False,
            color_depth=None if surface.colour else ColorDepth.DEPTH_1_BIT,
            key_bindings=_keys(),
        )

    def lines(self) -> Iterator[str]:
        """What is typed, entry by entry, until Ctrl-D or the end of the terminal."""
        threading.Thread(target=_import_later, daemon=True).start()
        self._loop.say(GREETING)
        while True:
            try:
                text = self._editor.prompt()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if text.strip():
                yield text

    def _is_command(self, name: str) -> bool:
        return commands.find(name) is not None or name in self._loop.shell.commands

    def _bar(self) -> StyleAndTextTuples:
        """The number of nodes and the verdict of the last result; on the right the gate whose argument is being typed."""
        last = self._loop.last
        columns = get_app().output.get_size().columns
        if last is not None:
            count = len(last.nodes)
            sign = f"{SIGNS[last.verdict]} {last.verdict}" if self._surface.unicode else last.verdict
            nodes = f" {count} node{'' if count == 1 else 's'} "
            verdict = f" {sign} "
        else:
            known = len(self._loop.session.state.cells)
            nodes, sign, verdict = f" {known} statement{'' if known == 1 else 's'} ", "", ""
        right = f" {self._hint(columns - width(nodes + verdict) - 4)} "
        gap = " " * max(0, columns - width(nodes + verdict) - width(right))
        style = f"class:bar.{last.verdict}" if last is not None else "class:bar"
        return [("class:bar", nodes), (style, verdict), ("class:bar", gap + right)]

    def _hint(self, room: int) -> str:
        """The gate around the cursor with its formula; elsewhere where help is."""
        name = open_call(get_app().current_buffer.document.text_before_cursor)
        text = next(
            (f"{usage} = {hint}" if "  " in hint else f"{usage}  {hint}" for own, usage, hint in gate_hints() if own == name), ""
        )
        definition = self._loop.session.workspace.program.definitions.get(name)
        if definition is not None:
            text = definition.signature()
        text = visible(text) or ":help"
        return cut(text if self._surface.unicode else to_ascii(text), max(0, room), "…" if self._surface.unicode else "..")


def open_call(before: str) -> str:
    """The name of the innermost gate whose brackets are open at the end of a text; empty if there is none."""
    depth = 0
    for position in range(len(before) - 1, -1, -1):
        character = before[position]
        if character in ")]":
            depth += 1
        elif character in "([":
            if depth:
                depth -= 1
                continue
            end = position
            while position and (before[position - 1].isalnum() or before[position - 1] == "_"):
                position -= 1
            if before[position:end]:
                return before[position:end]
    return ""


def _keys() -> KeyBindings:
    """Enter answers a statement that is complete, and makes a new line inside open brackets."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif buffer.text.lstrip().startswith(":") or is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=False)

    @keys.add("escape", "enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    return keys


def _import_later() -> None:
    """Load, while the first line is typed, what its answer will need."""
    for name in LATER:
        if name not in sys.modules:
            import_module(name)
