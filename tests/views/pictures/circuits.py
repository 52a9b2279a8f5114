"""Circuits to draw: of programs, and random ones."""

from __future__ import annotations

import random
from typing import Any

from gradcalc.dialects.circuit import GATE, INPUT, Circuit, Part
from gradcalc.errors import GradcalcError
from gradcalc.views.pictures.circuit import circuit_of
from gradcalc.workspace import Options, Result, Workspace


def result(source: str, open: tuple[str, ...] = (), **values: Any) -> Result:
    """The only answer to a program; inputs without a value are welcome."""
    workspace = Workspace(values, Options(check="off", open=open))
    found = []
    for answer in workspace.answers(source, optional=True):
        assert not isinstance(answer, GradcalcError), answer
        answer.nodes = list(answer.nodes)
        found.append(answer)
    (only,) = found
    return only


def circuit(source: str, open: tuple[str, ...] = (), **values: Any) -> Circuit:
    """The circuit of a program."""
    return circuit_of(result(source, open, **values))


def random_circuit(inputs: int, gates: int, seed: int) -> Circuit:
    """A circuit all of whose parts lead to the last one."""
    draw = random.Random(seed)
    parts = [Part(number, INPUT, f"x{number}", value="1.5", gradient="-2") for number in range(inputs)]
    for number in range(inputs, inputs + gates):
        sources = tuple(draw.choice(range(max(0, number - 8), number)) for _ in range(draw.choice((1, 2, 2, 2, 3, 4))))
        parts.append(Part(number, GATE, draw.choice(("+", "*", "sin", "where")), sources, "", "0.25", "-1.125", ordered=True))
    used = {source for part in parts for source in part.sources}
    loose = tuple(number for number in range(inputs + gates) if number not in used)
    parts.append(Part(inputs + gates, GATE, "max", loose, value="3", gradient="1"))
    return Circuit("max(…)", tuple(parts))


def random_program(gates: int, seed: int = 1) -> str:
    """A program of so many named gates on a few inputs with defaults."""
    draw = random.Random(seed)
    names = [f"x{number}" for number in range(max(3, gates // 10))]
    lines = [f"{name} = {draw.uniform(0.5, 2):.2f}" for name in names]
    for number in range(gates):
        a, b = draw.choice(names[-12:]), draw.choice(names[-12:])
        lines.append(f"n{number} = " + draw.choice((f"{a} + {b}", f"{a}*{b}", f"sin({a})", f"{a} - {b}", f"tanh({a})")))
        names.append(f"n{number}")
    return "\n".join([*lines, "out = " + " + ".join(names[-12:])])
