"""What results show beside gradients: tangents in forward mode, elasticities, and the painted source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy
import pytest

import gradcalc
from gradcalc.errors import GradcalcError
from gradcalc.formula import Measured
from gradcalc.workspace import Options, Result, Workspace
from tests.programs import random_program


def results(text: str, bindings: Mapping[str, Any] | None = None, **options: Any) -> list[Result]:
    found = []
    for answer in Workspace(bindings or {}, Options(**options)).answers(text):
        assert isinstance(answer, Result), answer
        answer.nodes = list(answer.nodes)
        found.append(answer)
    return found


def one(text: str, bindings: Mapping[str, Any] | None = None, **options: Any) -> Result:
    (result,) = results(text, bindings, **options)
    return result


def problem(text: str, bindings: Mapping[str, Any] | None = None, **options: Any) -> GradcalcError:
    found = [answer for answer in Workspace(bindings or {}, Options(**options)).answers(text) if isinstance(answer, GradcalcError)]
    assert len(found) == 1, found
    return found[0]


# ---- forward mode ----------------------------------------------------------------------------------------------------------------


def test_each_input_by_itself() -> None:
    result = one("q = x*y; sin(q) + x", {"x": 1.0, "y": 2.0}, mode="forward")
    assert [direction.title for direction in result.directions] == ["d/dx", "d/dy"]
    q = result.nodes[2]
    assert [tangent.value for tangent in q.tangents] == [2.0, 1.0]
    assert result.verdict == "ok"
    assert result.gradients == pytest.approx(one("q = x*y; sin(q) + x", {"x": 1.0, "y": 2.0}).gradients)


def test_a_direction_moves_all_inputs_at_once() -> None:
    result = one("x*y", {"x": 3.0, "y": 5.0}, mode="forward", direction={"x": 2.0, "y": -1.0})
    output = result.nodes[-1]
    assert [tangent.value for tangent in output.tangents] == [2.0 * 5.0 - 3.0]
    assert output.numerical == pytest.approx(7.0)
    assert output.verdict == "ok"
    assert result.gradients == {}


def test_inputs_that_are_named_move_alone() -> None:
    result = one("x*y", {"x": 3.0, "y": 5.0}, mode="forward", wrt=("y",))
    assert list(result.gradients) == ["y"]
    assert [len(node.tangents) for node in result.nodes] == [1, 1, 1]


def test_arrays_move_by_ones_or_as_they_are_told() -> None:
    bindings = {"x": [[1.0, 2.0], [3.0, 4.0]], "w": [1.0, 2.0]}
    alike = one("x @ w", bindings, mode="forward")
    assert alike.nodes[-1].tangents[0].value.tolist() == [3.0, 3.0]
    assert "move alike" in " ".join(alike.remarks)
    assert alike.gradients == {}  # of an array there is no derivative by its elements here
    told = one("x @ w", bindings, mode="forward", direction={"w": [1.0, 0.0]})
    assert told.nodes[-1].tangents[0].value.tolist() == [1.0, 3.0]
    assert told.nodes[-1].verdicts.tolist() == ["ok", "ok"]


def test_kinks_are_told_with_both_slopes() -> None:
    result = one("abs(x)*3", {"x": 0.0}, mode="forward")
    assert result.verdict == "kink"
    assert result.nodes[-1].slopes == pytest.approx((-3.0, 3.0))
    assert result.nodes[-1].note == "abs: x = 0: slope 0"


def test_tangents_that_are_not_finite_are_told() -> None:
    result = one("sqrt(x)", {"x": 0.0}, mode="forward")
    assert result.warnings == ["d/dx of sqrt(x) (node 1) is inf"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"direction": {"s": 1.0}}, "s is computed by the program"),
        ({"wrt": ("s",)}, "s is computed by the program"),
        ({"direction": {"x": [1.0, 2.0]}}, "x is a number"),
        ({"direction": {"z": 1.0}}, "no such input"),
    ],
)
def test_directions_that_are_none(options: dict[str, Any], words: str) -> None:
    assert words in problem("s = x*2; s + 1", {"x": 1.0}, mode="forward", **options).message


def test_an_input_that_the_output_does_not_reach() -> None:
    first, second = results("y*2\nx", {"x": 1.0, "y": 2.0}, mode="forward", direction={"y": 1.0})
    assert first.nodes[-1].tangents[0].value == 2.0
    assert second.remarks == ["x does not depend on y"]


def test_random_programs_agree_with_reverse_mode() -> None:
    import random

    for seed in range(60):
        text = random_program(random.Random(f"forward {seed}"))
        reverse = one(text, check="off")
        forward = one(text, mode="forward", check="off")
        if all(map(math.isfinite, [reverse.value, *reverse.gradients.values()])):
            for name, gradient in reverse.gradients.items():
                assert forward.gradients[name] == pytest.approx(gradient, rel=1e-9, abs=1e-12), (seed, name, text)


def test_random_programs_have_no_mismatch() -> None:
    import random

    for seed in range(60):
        text = random_program(random.Random(f"checked forward {seed}"))
        assert one(text, mode="forward").verdict != "mismatch", (seed, text)


# ---- uncertain values ------------------------------------------------------------------------------------------------------------


def test_the_python_door_takes_measured_values() -> None:
    result = gradcalc.parse("x*y").evaluate(x=Measured(2.0, 0.1), y=3.0)
    assert result.propagation is not None
    assert result.propagation.first.uncertainty == pytest.approx(0.3)


def test_one_uncertainty_for_all_elements() -> None:
    result = one("x*2", {"x": Measured(numpy.array([1.0, 2.0]), 0.1)})
    assert result.nodes[-1].uncertainty.tolist() == pytest.approx([0.2, 0.2])


def test_uncertainties_go_through_gates_of_the_user() -> None:
    result = one("f(u) = u^2 + u; f(x)*2", {"x": Measured(1.0, 0.1)})
    assert [node.name for node in result.nodes if node.gate != "constant"] == ["x", "f(x)", "f(x)*2"]
    assert result.nodes[-1].uncertainty == pytest.approx(0.6)


def test_correlations_and_draws_need_uncertain_inputs() -> None:
    assert "no input is uncertain" in problem("x", {"x": 1.0}, monte_carlo=100).message


# ---- sensitivity -----------------------------------------------------------------------------------------------------------------


def painted(text: str, bindings: Mapping[str, Any]) -> dict[str, float]:
    """The pieces of the source with their elasticities (of equal pieces the last)."""
    found = one(text, bindings, sensitivity=True).sensitivity
    assert found is not None
    return {line.text[piece.start : piece.end]: piece.elasticity for line in found.lines for piece in line.pieces}


def test_elasticities_of_powers_are_their_exponents() -> None:
    result = one("4*pi^2*L/T^2", {"L": 0.995, "T": 2.001}, sensitivity=True)
    rows = {node.name: node.elasticity for node in result.nodes if node.gradient is not None}
    assert rows == pytest.approx({"L": 1.0, "4*pi^2*L": 1.0, "T": -2.0, "T^2": -1.0, "4*pi^2*L/T^2": 1.0})
    pieces = painted("4*pi^2*L/T^2", {"L": 0.995, "T": 2.001})
    assert pieces["L"] == pytest.approx(1.0)
    assert pieces["T"] == pytest.approx(-2.0)
    assert "4" not in pieces  # a constant has no influence that could change


def test_parts_of_a_sum_have_their_parts() -> None:
    pieces = painted("a + b", {"a": 9.0, "b": 1.0})
    assert pieces == pytest.approx({"a": 0.9, "+": 1.0, "b": 0.1})


def test_elasticities_of_arrays_are_arrays_and_sum_up() -> None:
    result = one("sum(x*x)", {"x": [1.0, 2.0]}, sensitivity=True)
    assert result.nodes[0].elasticity.tolist() == pytest.approx([0.4, 1.6])
    assert painted("sum(x*x)", {"x": [1.0, 2.0]})["x"] == pytest.approx(2.0)


def test_the_gradient_from_above_and_array_outputs() -> None:
    """What is differentiated is the weighted sum, and parts are parts of that."""
    result = one("x*w", {"x": [1.0, 3.0], "w": 2.0}, sensitivity=True, upstream=numpy.array([1.0, 10.0]))
    rows = {node.name: node.elasticity for node in result.nodes}
    assert rows["w"] == pytest.approx(1.0)
    assert numpy.sum(rows["x"]) == pytest.approx(1.0)


def test_a_zero_has_no_parts() -> None:
    result = one("x - y", {"x": 1.0, "y": 1.0}, sensitivity=True)
    assert result.sensitivity is not None
    assert result.sensitivity.lines == []
    assert "is 0" in result.sensitivity.reason


def test_rows_are_numbered_as_in_the_table() -> None:
    """Nodes inside gates that are only opened to compute them have no row, and no number."""
    result = one("f(u) = u*u + u; f(x) + y", {"x": 2.0, "y": 1.0}, sensitivity=True)
    names = {node.id: node.name for node in result.nodes}
    assert result.sensitivity is not None
    (line,) = result.sensitivity.lines
    pieces = {line.text[piece.start : piece.end]: names[piece.node] for piece in line.pieces}
    assert (pieces["f"], pieces["x"], pieces["y"], pieces["+"]) == ("f(x)", "x", "y", "f(x) + y")


def test_each_output_of_a_stream_is_painted() -> None:
    first, second = results("x*2\nx + y", {"x": 1.0, "y": 3.0}, sensitivity=True)
    assert first.sensitivity is not None
    assert second.sensitivity is not None
    assert [line.text for line in first.sensitivity.lines] == ["x*2"]
    assert "x + y" in [line.text for line in second.sensitivity.lines]
