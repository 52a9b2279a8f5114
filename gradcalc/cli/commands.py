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
    "eval": Entry("gradcalc.cli.eval", "Values, gradients and numerical checks of every node of a formula.", session=True),
    "optimize": Entry("gradcalc.cli.optimize", "The inputs that make a formula smallest or largest.", session=True),
    "train": Entry("gradcalc.cli.train", "Learn the inputs of a formula from rows of data.", session=True),
    "fit": Entry("gradcalc.cli.fit", "Least squares: the parameters of a formula, and their errors.", session=True),
    "sweep": Entry("gradcalc.cli.sweep", "Value and gradients over every row of a table, or over a grid.", session=True),
    "plot": Entry("gradcalc.cli.plot", "A formula and its derivative over a range, or a map over two.", session=True),
    "grad": Entry("gradcalc.cli.grad", "The derivatives as formulas, simplified; Jacobian, Hessian, LaTeX.", session=True),
    "check": Entry("gradcalc.cli.check", "Derivatives checked, yours too: the exit status tells.", session=True),
    "graph": Entry("gradcalc.cli.graph", "The circuit as a picture: here, or as SVG, PNG, DOT, a web page.", session=True),
    "explain": Entry("gradcalc.cli.explain", "The chain rule step by step, with the numbers put in.", session=True),
    "export": Entry("gradcalc.cli.export", "Value and gradients as Python, NumPy, PyTorch, JAX or C; LaTeX.", session=True),
    "gates": Entry("gradcalc.cli.gates", "The catalogue of gates: formula, derivative, domain, an example.", session=True),
    "repl": Entry("gradcalc.cli.repl", "The same language statement by statement: a session to play in."),
    "quiz": Entry("gradcalc.cli.quiz", "Exercises: the values and gradients of random circuits, by hand."),
}
"""Every command. A new one is a module and a line here."""
