"""The table of commands: what is needed to list them, and to find their modules when they are used."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command before it is imported: the module whose `command` it is, and what it does in one line."""

    module: str
    words: str
    session: bool = False
    """Whether the REPL offers it, as `:name`, on the program of the session."""


COMMANDS = {
    "eval": Entry("gradcalc.cli.eval", "Values, gradients and numerical checks of every node of a formula."),
    "gates": Entry("gradcalc.cli.gates", "The catalogue of gates: formula, derivative, domain, an example."),
}
"""Every command. A new one is a module and a line here."""
