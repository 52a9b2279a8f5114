"""The complex step: derivatives without any difference, where every gate on the way is analytic.

f(x + ih) = f(x) + ih·f'(x) + O(h²), so the imaginary part holds the derivative to full precision (Squire & Trapp, 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from gradcalc.calculus.reverse import dependents
from gradcalc.engine.arrays import complex_kernel
from gradcalc.graph import CONSTANT, Graph

RELATIVE_STEP = 2.0**-100
"""The step, relative to the point: its square is far below a rounding."""

SHORTEST = 2.0**-1022
"""No step is shorter, since the imaginary parts would lose their digits: at 1e-300 its square is still below a rounding."""

BLOCK = 512


def obstacle(graph: Graph) -> list[str]:
    """For each node the name of a gate behind it through which the complex step is not lawful, or ""."""
    blocked = [""] * len(graph)
    for node in range(len(graph) - 1, -1, -1):
        if graph.codes[node] > CONSTANT:
            operator = graph.operator(node)
            gate = operator.gate
            words = blocked[node] or ("" if gate is None or gate.analytic else gate.name)
            if words:
                for source in graph.inputs(node):
                    blocked[source] = blocked[source] or words
    return blocked


def complex_slopes(graph: Graph, values: Sequence[float], nodes: Sequence[int]) -> list[float]:
    """The derivative of the output by each of these nodes, none of which has an obstacle."""
    kernels = [None if operator.gate is None else complex_kernel(operator) for operator in graph.operators]
    found: list[float] = []
    last = len(graph) - 1
    for start in range(0, len(nodes), BLOCK):
        block = nodes[start : start + BLOCK]
        touched = dependents(graph, block, last)
        place = {node: number for number, node in enumerate(block)}
        sizes = numpy.array([max(RELATIVE_STEP * (abs(values[node]) or 1.0), SHORTEST) for node in block])
        lanes: dict[int, Any] = {}
        with numpy.errstate(all="ignore"):
            for node in range(min(block), last + 1):
                if not touched[node]:
                    continue
                inputs = graph.inputs(node)
                if any(source in lanes for source in inputs):
                    function = kernels[graph.codes[node]]
                    assert function is not None
                    columns = [lanes.get(source, numpy.complex128(values[source])) for source in inputs]
                    lane = numpy.array(function(*columns), dtype=complex)
                else:
                    lane = numpy.full(len(block), values[node], dtype=complex)
                if node in place:
                    lane[place[node]] = complex(values[node], sizes[place[node]])
                lanes[node] = lane
            found += (lanes[last].imag / sizes).tolist()
    return found
