"""A whole sweep, from a Parquet file to a Parquet file, against scripts that read it whole: plain NumPy, and jax.jit."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy

from tests.benchmarks.lanes import FIXED, FORMULA, columns

ROWS = 10_000_000

READ = """
import sys, numpy, pyarrow, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1])
x, y = table["x"].to_numpy(), table["y"].to_numpy()
a, b, c = 1.0, 2.0, -3.0
"""
NUMPY = """
s = 1 / (1 + numpy.exp(-(a * x + b * y + c)))
e = numpy.exp(-x * y)
d = 1 + x * x
v = s * e / d
slope = v * (1 - s)
by_x, by_y = slope * a - v * y - 2 * x * v / d, slope * b - v * x
"""
JAX = """
import jax
jax.config.update("jax_enable_x64", True)
formula = lambda x, y: jax.nn.sigmoid(a * x + b * y + c) * jax.numpy.exp(-x * y) / (1 + x * x)
v, (by_x, by_y) = jax.jit(jax.vmap(jax.value_and_grad(formula, argnums=(0, 1))))(x, y)
v, by_x, by_y = map(numpy.asarray, (v, by_x, by_y))
"""
WRITE = """
result = pyarrow.table({"x": x, "y": y, "value": v, "d/dx": by_x, "d/dy": by_y})
pyarrow.parquet.write_table(result, sys.argv[2], use_dictionary=False)
"""
SCRIPTS = {"plain NumPy": ("numpy", READ + NUMPY + WRITE), "jax.jit": ("jax", READ + JAX + WRITE)}


LAUNCH = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
"""A process that begins another one shares its memory with it for a moment, so a small one has to do it."""


def run(command: Sequence[str]) -> tuple[float, float]:
    """The seconds that a process takes, and its memory at most, in MB."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", LAUNCH, *command], env=environment, capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def measure(rows: int = ROWS) -> list[tuple[str, str, float, str]]:
    """Rows of work, peer, ratio (peer over ours) and target."""
    if importlib.util.find_spec("pyarrow") is None:
        return []
    import pyarrow
    from pyarrow import parquet

    with tempfile.TemporaryDirectory() as folder:
        data, here, there = (str(Path(folder) / name) for name in ("data.parquet", "here.parquet", "there.parquet"))
        x, y = columns(rows)
        parquet.write_table(pyarrow.table({"x": x, "y": y}), data)
        fixed = [word for name, value in FIXED.items() for word in (f"--{name}", str(value))]
        own = [sys.executable, "-m", "gradcalc", "sweep", FORMULA, *fixed, "--wrt", "x,y", "--data", data, "-o", here]
        peers = {
            name: [sys.executable, "-c", text, data, there]
            for name, (module, text) in SCRIPTS.items()
            if importlib.util.find_spec(module) is not None
        }
        best = dict.fromkeys(["ours", *peers], (float("inf"), float("inf")))
        for _ in range(3):
            for name, command in [("ours", own), *peers.items()]:
                best[name] = min(best[name], run(command))
        ours, theirs = parquet.read_table(here), parquet.read_table(there)
        for title in ("value", "d/dx", "d/dy"):
            numpy.testing.assert_allclose(ours[title].to_numpy(), theirs[title].to_numpy(), rtol=1e-9, atol=1e-12)
    seconds, memory = best.pop("ours")
    work = f"a sweep of {rows:,} rows, Parquet to Parquet, whole process"
    figures = [(work, "million rows/s, ours", rows / seconds / 1e6, ""), (work, "MB of memory, ours", memory, "")]
    for name, (time_taken, space) in best.items():
        figures += [(work, f"{name}: time", time_taken / seconds, ""), (work, f"{name}: memory", space / memory, "")]
    return figures


if __name__ == "__main__":
    for row in measure():
        print(row)
