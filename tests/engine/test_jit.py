"""Machine code: every gate, random programs and large graphs answer as the interpreter does; it is never required."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
from typing import Any

import pytest

from gradcalc.engine import jit
from gradcalc.engine.compiled import compile_graph
from gradcalc.errors import UsageProblem
from gradcalc.gates import REGISTRY, Gate
from gradcalc.workspace import Workspace
from tests.catalogue import case_name, cases, chain, defaults, gate, one_gate, sample_points
from tests.engine.test_compiled import EXTREMES, all_inputs, interpreted, same
from tests.engine.test_scalar import random_graph
from tests.programs import random_program

pytest.importorskip("llvmlite")
RUN = [(record, count) for record, count in cases() if count <= jit.MOST_INPUTS]


@pytest.fixture(scope="module", autouse=True)
def _everything_at_once() -> None:
    """The machine for all gates, so that tests do not make it gate by gate."""
    jit.machine(jit.kinds())


def test_there_is_code_for_every_gate_of_numbers() -> None:
    assert {(record, count) for record, count in RUN} <= jit.kinds().keys()


@pytest.mark.parametrize(("record", "count"), RUN, ids=case_name)
def test_every_gate_answers_as_the_interpreter_does(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    program = compile_graph(graph, all_inputs(graph), backend="jit")
    rng = random.Random(f"{record.name}{count}")
    points = list(sample_points(record, count)) + [[rng.choice(EXTREMES) for _ in range(count)] for _ in range(80)]
    for point in points:
        value, gradients = interpreted(graph, point)
        assert program.value(point) == pytest.approx(value, rel=1e-12, abs=1e-300, nan_ok=True), point
        found, slopes = program.value_and_gradients(point)
        assert found == pytest.approx(value, rel=1e-12, abs=1e-300, nan_ok=True), point
        for slope, gradient in zip(slopes, gradients):
            assert slope == pytest.approx(gradient, rel=1e-12, abs=1e-300, nan_ok=True), point


@pytest.mark.parametrize("name", [record.name for record, _ in RUN if record.attributes])
def test_attributes_are_heeded(name: str) -> None:
    record = gate(name)
    for factor in (0.5, 3.0):
        attributes = tuple((key, value * factor) for key, value in defaults(record))
        graph = one_gate(record, 1, attributes)
        program = compile_graph(graph, [0], backend="jit")
        for x in (-2.0, -0.25, 0.0, 0.25, 2.0):
            value, gradients = interpreted(graph, [x])
            found, slopes = program.value_and_gradients([x])
            same([found, *slopes], [value, *gradients])


@pytest.mark.parametrize("seed", range(80))
def test_random_graphs_answer_as_the_interpreter_does(seed: int) -> None:
    rng = random.Random(f"jit {seed}")
    graph, point = random_graph(rng, [record for record, _ in RUN], rng.randint(1, 60))
    program = compile_graph(graph, all_inputs(graph), backend="jit")
    value, gradients = interpreted(graph, point)
    found, slopes = program.value_and_gradients(point)
    assert found == pytest.approx(value, rel=1e-9, abs=1e-300, nan_ok=True)
    largest = max([1e-3, *(abs(gradient) for gradient in gradients if math.isfinite(gradient))])
    for slope, gradient in zip(slopes, gradients):
        if math.isfinite(value) and math.isfinite(gradient):
            assert slope == pytest.approx(gradient, rel=1e-8, abs=1e-10 * largest)


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_answer_as_the_interpreter_does(seed: int) -> None:
    formula = next(iter(Workspace().formulas(random_program(random.Random(f"tape {seed}")))))
    assert not isinstance(formula, Exception)
    if not jit.runs(formula.graph):
        return
    point = formula.point()
    value = compile_graph(formula.graph, all_inputs(formula.graph), backend="jit").value(point)
    assert value == pytest.approx(interpreted(formula.graph, point)[0], rel=1e-9, nan_ok=True)


def test_a_large_graph_is_run_at_once_by_machine_code() -> None:
    graph, point = random_graph(random.Random(1), [gate(name, 2) for name in "+-"] + [gate("sin"), gate("tanh")], 300)
    node = len(graph) - 1
    for number in range(150_000):
        node = graph.add(gate("sin" if number % 3 else "tanh"), [node])
    program = compile_graph(graph, all_inputs(graph))
    value, gradients = interpreted(graph, point)
    found, slopes = program.value_and_gradients(point)
    assert program.backend == "jit"  # type: ignore[attr-defined]
    same([found, *slopes], [value, *gradients])


def test_a_graph_of_middle_size_is_run_by_machine_code_when_it_is_run_often() -> None:
    graph = chain(*[("sin", number) for number in range(1000)])
    program = compile_graph(graph, [0])
    answers = [program.value_and_gradients([0.5]) for _ in range(200)]
    assert program.backend == "jit"  # type: ignore[attr-defined]
    for value, (slope,) in answers:
        same([value, slope], [answers[0][0], answers[0][1][0]])


def test_inputs_that_the_output_does_not_use_have_gradient_zero() -> None:
    graph = chain(("*", 0, 1), ("sin", 3), inputs=3)
    assert compile_graph(graph, [2, 0], backend="jit").value_and_gradients([3.0, 4.0, 0.0])[1][0] == 0.0


def test_gates_of_many_inputs_are_refused_by_name_and_left_to_others_by_default() -> None:
    graph = chain(("max", 0, 1, 2, 3), inputs=4)
    with pytest.raises(UsageProblem, match="no code for some gate"):
        compile_graph(graph, [0], backend="jit").value_and_gradients([1.0, 2.0, 3.0, 4.0])
    assert compile_graph(graph, [3]).value_and_gradients([1.0, 2.0, 3.0, 4.0]) == (4.0, [1.0])


def test_several_threads_may_run_one_program() -> None:
    graph = chain(*[("sin", number) for number in range(3000)])
    program = compile_graph(graph, [0], backend="jit")
    expected = {x: program.value_and_gradients([x]) for x in (0.1, 0.7, 1.3, 2.9)}
    wrong: list[Any] = []

    def work(x: float) -> None:
        wrong.extend(x for _ in range(200) if program.value_and_gradients([x]) != expected[x])

    threads = [threading.Thread(target=work, args=(x,)) for x in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_without_the_extra_everything_works_and_asking_for_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["llvmlite"] = None
from gradcalc.engine.compiled import compile_graph
from gradcalc.errors import MissingExtra
from tests.catalogue import chain
graph = chain(*[("sin", number) for number in range(500)])
program = compile_graph(graph, [0])
answers = {program.value_and_gradients([0.5])[0] for _ in range(300)}
assert max(answers) - min(answers) < 1e-12, answers
assert program.backend == "source"
try:
    compile_graph(graph, [0], backend="jit").value([0.5])
except MissingExtra as problem:
    assert "gradcalc[jit]" in str(problem)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_gate_of_numbers_is_known() -> None:
    assert {kind[0].name for kind in jit.kinds()} == {record.name for record in REGISTRY.records() if record.elementwise}
