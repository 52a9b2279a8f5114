"""Programs as NumPy source: buffers are taken again, but never one that somebody still needs."""

from __future__ import annotations

import re
from typing import Any

import numpy
import pytest

from gradcalc.calculus.linear import linear_program
from gradcalc.dialects.numpy import TRUTH, NumpySource, write_numpy
from gradcalc.workspace import Workspace


def written(text: str, wrt: list[str], **values: Any) -> NumpySource:
    """A formula's program as source."""
    formula = next(iter(Workspace(values).formulas(text)))
    assert not isinstance(formula, Exception), formula
    program = linear_program(formula.graph, [formula.inputs.index(name) for name in wrt], formula.shapes)
    shapes = program.shapes or [()] * len(program.graph)
    return write_numpy(program.graph, program.outputs, shapes, dict(enumerate(formula.inputs)))


def test_a_chain_of_element_wise_gates_works_in_one_buffer() -> None:
    source = written("sum(sin(cos(tan(x))))", [], x=numpy.ones(5))
    assert [buffer.shape for buffer in source.buffers] == [(5,)]
    assert source.lines[:3] == ["tan(x, b0)", "cos(b0, b0)", "sin(b0, b0)"]


def test_inputs_are_never_written_to() -> None:
    source = written("sum(sigmoid(x@W + b))", ["W", "b"], x=numpy.ones((4, 3)), W=numpy.ones((3, 2)), b=numpy.ones(2))
    targets = {re.split(r"[(, )]+", line.removesuffix(")"))[-1] for line in source.lines if " = " not in line}
    assert targets and not targets & {"x", "W", "b"}


def test_a_look_at_a_buffer_keeps_it_from_being_taken() -> None:
    source = written("sum(exp(x).T @ exp(2*x) * sin(x.T@x))", [], x=numpy.ones((3, 3)))
    look = next(number for number, line in enumerate(source.lines) if line.endswith(".T") and "= b" in line)
    name, buffer = re.fullmatch(r"(\w+) = (\w+)\.T", source.lines[look]).groups()  # type: ignore[union-attr]
    use = max(number for number, line in enumerate(source.lines) if re.search(rf"\b{name}\b", line))
    for line in source.lines[look + 1 : use]:
        assert not line.endswith(f"{buffer})")


def test_comparisons_that_only_decide_are_truth_values() -> None:
    source = written("sum(where((x > 0)*(x < 1), x, 0))", ["x"], x=numpy.ones(4))
    assert {buffer.kind for buffer in source.buffers if any(f"logical_and(b{n}" in " ".join(source.lines) for n in range(9))} >= {
        TRUTH
    }
    assert not any("multiply" in line and "b0" in line for line in source.lines[:3])


def test_a_comparison_that_is_a_number_too_is_one() -> None:
    source = written("c = x > 0; sum(where(c, x, 0) + 2*c)", [], x=numpy.array([-1.0, 2.0]))
    assert any(line.startswith("not_equal(") or "not_equal(" in line for line in source.lines)


def test_repetitions_that_broadcasting_makes_are_not_made() -> None:
    source = written("mean(square(x - 1))", ["x"], x=numpy.ones((3, 4)))
    assert not any("copyto" in line or "broadcast" in line for line in source.lines)


def test_constants_are_bound_once() -> None:
    source = written("sum(x + 2.5)*2.5 + 2.5", [], x=numpy.ones(3))
    assert [value for value in source.constants.values() if value == 2.5] == [2.5]


@pytest.mark.parametrize("text", ["x", "x.T", "[x, x]", "x + x.T"])
def test_outputs_are_arrays_of_their_own(text: str) -> None:
    source = written(text, ["x"], x=numpy.eye(2))
    for output in source.outputs:
        assert output is not None and output != "x" and not output.startswith("b")
