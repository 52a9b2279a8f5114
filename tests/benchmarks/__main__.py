"""All benchmarks in one run, as one table of ratios: `python -m tests.benchmarks`."""

from __future__ import annotations

import platform

from tests.benchmarks import checks, derivatives, graphs, lanes, learning, network, parsing, repeated, starting, sweeping, training


def main() -> None:
    """Measure, and print a table in Markdown."""
    rows = starting.measure()
    loading = parsing.measure_loading()
    rows.append(("loading the grammar", "ms", loading["load_ms"], "≤ 8"))
    rows.append(("loading it, and the first parse", "ms", loading["load_and_parse_ms"], "≤ 13"))
    figures = parsing.measure()
    for size in parsing.SIZES:
        rows.append((f"parsing {size:,} tokens", "Lark LALR's speed", figures[f"ratio_{size}"], "≥ 0.9"))
    rows += graphs.measure()
    rows += checks.measure()
    rows += derivatives.measure()
    rows += network.measure()
    rows += learning.measure()
    rows += repeated.measure()
    rows += lanes.measure()
    rows += sweeping.measure()
    rows += training.measure()
    rows.append(("memory of a graph with values and gradients", "bytes a gate", graphs.bytes_a_gate(), "≤ 400"))
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| work | against | figure | target |\n|---|---|---|---|")
    for work, peer, figure, target in rows:
        print(f"| {work} | {peer} | {figure:.2f} | {target} |")


if __name__ == "__main__":
    main()
