"""The gradient check of a network that reads digits: every one of its 39,760 parameters, as sharply as central differences can."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gradcalc.workspace import Options, Result, Workspace

DIGITS = Path(__file__).parents[2] / "examples" / "data" / "digits.npz"

PROGRAM = """
W1 = 0.01*randn(784, 50)
b1 = zeros(50)
W2 = 0.01*randn(50, 10)
b2 = zeros(10)
h = sigmoid({hidden})
p = softmax({scores})
cross_entropy(p, t)
"""

AVERAGES = {"W1": 2.4e-13, "b1": 1.1e-12, "W2": 8.8e-13, "b2": 1.2e-10}
"""How far backpropagated and numerical gradients may be apart on average."""


@pytest.mark.skipif(not DIGITS.exists(), reason="the digits are not there")
@pytest.mark.parametrize(("hidden", "scores"), [("affine(x, W1, b1)", "affine(h, W2, b2)"), ("x@W1 + b1", "h@W2 + b2")])
def test_all_parameters_of_a_network_on_real_digits(hidden: str, scores: str) -> None:
    with numpy.load(DIGITS) as digits:
        workspace = Workspace(dict(digits), Options(wrt=tuple(AVERAGES), seed=1, check_all=True))
    result = next(iter(workspace.answers(PROGRAM.format(hidden=hidden, scores=scores))))
    assert isinstance(result, Result), result
    assert result.verdict == "ok"
    assert not result.remarks
    nodes = {node.name: node for node in result.nodes}
    assert sum(nodes[name].gradient.size for name in AVERAGES) == 39760
    for name, average in AVERAGES.items():
        node = nodes[name]
        assert (node.verdicts == "ok").all()
        assert numpy.isfinite(node.error_bar).all()
        assert numpy.abs(node.gradient - node.numerical).mean() <= average
        assert (numpy.abs(node.gradient - node.numerical) <= 3.0 * node.error_bar + 1e-15).all()
