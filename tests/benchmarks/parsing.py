"""Parsing into the graph against Lark's own LALR parser on the same grammar, in one run. Figures are ratios: machines differ."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from typing import Any

SIZES = (1_000, 10_000, 100_000)


def expression(tokens: int, seed: int = 1) -> str:
    """A random formula of about so many tokens, with the mixture of words that formulas have."""
    draw = random.Random(seed)
    pieces: list[str] = []
    count = 0
    while count < tokens:
        a, b, c = (draw.choice(["x", "y", "weight", "bias", "0.5", "2", "1e-3"]) for _ in range(3))
        piece, size = draw.choice(
            [
                (f"{a}*{b} + {c}", 5),
                (f"sin({a}*{b}) - {c}", 8),
                (f"({a} + {b})*({a} - {c})", 11),
                (f"-x^2*{b}/({c} + 1)", 10),
                (f"max({a}, {b}, {c})", 8),
                (f"exp(-({a}*{b} + {c})^2)", 13),
            ]
        )
        pieces.append(piece)
        count += size + 1
    return " + ".join(pieces)


def seconds(work: Callable[[], Any], repeat: int = 3) -> float:
    """The best time of several."""
    best = float("inf")
    for _ in range(repeat):
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
        gc.enable()
    return best


def measure(sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Our tokens per second over Lark's, for each size."""
    import gradcalc.gates
    from gradcalc.language import tables
    from gradcalc.language.program import Output, Program

    assert gradcalc.gates
    lark = tables.parser(tables.folder() / tables.GRAMMAR)
    machine = tables.machine()
    figures: dict[str, float] = {}
    for size in sizes:
        text = expression(size)
        count = len(machine.words(text, 0, len(text)))

        def ours(text: str = text) -> None:
            (statement,) = Program().statements(text)
            assert isinstance(statement, Output), statement

        def theirs(text: str = text) -> None:
            lark.parse(text)

        mine, peer = seconds(ours), seconds(theirs)
        figures[f"ratio_{size}"] = peer / mine
        figures[f"tokens_per_second_{size}"] = count / mine
        figures[f"lark_tokens_per_second_{size}"] = count / peer
    return figures


def measure_loading() -> dict[str, float]:
    """Milliseconds for the first parser of a process; call it in a fresh one."""
    import gradcalc.gates
    from gradcalc.language import parser, program, tables

    assert gradcalc.gates and parser
    start = time.perf_counter()
    tables.machine()
    loaded = time.perf_counter()
    list(program.Program().statements("(a+b)/(c+d)"))
    return {"load_ms": (loaded - start) * 1e3, "load_and_parse_ms": (time.perf_counter() - start) * 1e3}


if __name__ == "__main__":
    for name, figure in {**measure_loading(), **measure()}.items():
        print(f"{name:32} {figure:14.3f}")
