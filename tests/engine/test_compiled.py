"""Compiled programs: for every gate and for random programs they answer what the interpreter answers, over rows too."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from gradcalc.engine.compiled import ArrayProgram, Program, ScalarProgram, compile_graph
from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.engine.makers import Makers
from gradcalc.errors import UsageProblem
from gradcalc.gates import Gate
from gradcalc.graph import INPUT, Graph
from gradcalc.workspace import Workspace
from tests.catalogue import case_name, cases, chain, one_gate, sample_points
from tests.gates.test_arrays import CASES, Case, OneGate
from tests.programs import random_program

EXTREMES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 40.0, -40.0, 750.0, -750.0, 1e-300, 1e300, -1e300, math.inf, -math.inf, math.nan)


def interpreted(graph: Graph, inputs: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Value and gradients by all inputs, by the interpreter."""
    evaluation = evaluate(graph, inputs, Makers(0))
    backpropagate(evaluation)
    nodes = [node for node, code in enumerate(graph.codes) if code == INPUT]
    return evaluation.values[-1], [evaluation.gradients[node] for node in nodes]


def same(found: Any, expected: Any, bound: float = 1e-11) -> None:
    """The same numbers but for roundoff, and the same shapes; what underflows may do so on another way."""
    assert numpy.shape(found) == numpy.shape(expected)
    numpy.testing.assert_allclose(found, expected, rtol=bound, atol=1e-290)


def agree(program: Program, graph: Graph, inputs: Sequence[Any], bound: float = 1e-11) -> None:
    """A program answers as the interpreter does."""
    value, gradients = interpreted(graph, inputs)
    same(program.value(inputs), value, bound)
    found, slopes = program.value_and_gradients(inputs)
    same(found, value, bound)
    if numpy.all(numpy.isfinite(value)):
        for slope, gradient in zip(slopes, gradients):
            same(slope, gradient, bound)


def all_inputs(graph: Graph) -> list[int]:
    return list(range(graph.input_count))


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_every_gate_answers_as_the_interpreter_does(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    program = compile_graph(graph, all_inputs(graph))
    for point in sample_points(record, count):
        agree(program, graph, point)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_every_gate_answers_as_the_interpreter_does_at_extremes(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    program = compile_graph(graph, all_inputs(graph))
    rng = random.Random(f"{record.name}{count}")
    points = [[rng.choice(EXTREMES) for _ in range(count)] for _ in range(60)] if count > 1 else [[x] for x in EXTREMES]
    for point in points:
        agree(program, graph, point)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_every_gate_over_rows_answers_as_for_each_row(record: Gate, count: int) -> None:
    graph = one_gate(record, count)
    rng = random.Random(f"{record.name}{count}")
    points = list(sample_points(record, count, 20)) + [[rng.choice(EXTREMES) for _ in range(count)] for _ in range(40)]
    program = compile_graph(graph, all_inputs(graph))
    values, gradients = program.rows([numpy.array(column) for column in zip(*points)])
    for row, point in enumerate(points):
        value, expected = interpreted(graph, point)
        same(values[row], value)
        if math.isfinite(value):
            same([gradient[row] for gradient in gradients], expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_array_gate_answers_as_the_interpreter_does(case: Case) -> None:
    one = OneGate(case)
    shapes = evaluate(one.graph, one.values).shapes
    program = compile_graph(one.graph, all_inputs(one.graph), shapes)
    for _ in range(2):
        agree(program, one.graph, one.values)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_array_gate_alone_answers_an_array_of_its_own(case: Case) -> None:
    one = OneGate(case)
    graph = Graph()
    graph.input_count = 0
    inputs = [graph.add_input() for _ in one.values]
    from tests.gates.test_arrays import with_gate

    with_gate(graph, case, inputs)
    shapes = evaluate(graph, one.values).shapes
    program = compile_graph(graph, all_inputs(graph), shapes)
    first, slopes = program.value_and_gradients(one.values)
    kept = numpy.copy(first), [numpy.copy(slope) for slope in slopes]
    again, others = program.value_and_gradients([value * 0.5 for value in one.values])
    arrays = [array for array in (first, *slopes, again, *others) if isinstance(array, numpy.ndarray)]
    for number, array in enumerate(arrays):
        assert array.flags.writeable
        for other in (*arrays[:number], *one.values):
            assert not numpy.shares_memory(array, other)
    same(first, kept[0])
    for slope, copy in zip(slopes, kept[1]):
        same(slope, copy)
    agree(program, graph, one.values)


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_answer_as_the_interpreter_does(seed: int) -> None:
    text = random_program(random.Random(f"compiled {seed}"))
    formula = next(iter(Workspace().formulas(text)))
    assert not isinstance(formula, Exception)
    point = formula.point()
    program = compile_graph(formula.graph, all_inputs(formula.graph), formula.shapes)
    value, gradients = interpreted(formula.graph, point)
    found, slopes = program.value_and_gradients(point)
    same(found, value, 1e-9)
    largest = max([1.0, *(abs(g) for g in gradients if math.isfinite(g))])
    for slope, gradient in zip(slopes, gradients):
        if math.isfinite(value) and math.isfinite(gradient):
            assert slope == pytest.approx(gradient, rel=1e-7, abs=1e-9 * largest), text


def test_a_mask_keeps_what_is_not_taken_out_of_the_gradient() -> None:
    formula = next(iter(Workspace({"x": 0.0}).formulas("s = sqrt(x); where(x > 0, s, 0) + where(x > 1, 2*s, 0)")))
    assert not isinstance(formula, Exception)
    program = compile_graph(formula.graph, [0])
    assert program.value_and_gradients([0.0]) == (0.0, [0.0])
    values, (slopes,) = program.rows([numpy.array([0.0, 0.25, 4.0])])
    same(values, [0.0, 0.5, 6.0])
    same(slopes, [0.0, 1.0, 0.75])


def test_what_underflows_in_a_program_is_still_there_for_its_logarithm() -> None:
    graph = chain(("sigmoid", 0), ("log", 1))
    program = compile_graph(graph, [0])
    assert program.value([-720.0]) == interpreted(graph, [-720.0])[0]
    assert program.value_and_gradients([-720.0]) == (program.value([-720.0]), [1.0])
    values, (slopes,) = program.rows([numpy.array([-720.0, -1.0])])
    same(values, [interpreted(graph, [x])[0] for x in (-720.0, -1.0)])
    same(slopes, [1.0, 1 / (1 + math.exp(-1.0))])


def test_conventions_hold_over_rows() -> None:
    graph = chain(("hypot", 0, 1), inputs=2)
    program = compile_graph(graph, [0, 1])
    _, (by_a, by_b) = program.rows([numpy.array([0.0, 3.0]), numpy.array([0.0, 4.0])])
    same(by_a, [0.0, 0.6])
    same(by_b, [0.0, 0.8])


def test_rows_take_numbers_that_hold_for_all_rows() -> None:
    graph = chain(("*", 0, 1), ("sin", 2), ("+", 3, 2), inputs=3)
    program = compile_graph(graph, [0, 1, 2])
    column = numpy.linspace(-1.0, 1.0, 50)
    values, gradients = program.rows([2.0, column, 7.0])
    expected = [program.value_and_gradients([2.0, x, 7.0]) for x in column.tolist()]
    same(values, [value for value, _ in expected])
    same(gradients, numpy.transpose([slopes for _, slopes in expected]))
    values, gradients = program.rows([2.0, 3.0, column])
    assert values.shape == gradients[0].shape == (50,)


@pytest.mark.parametrize("rows", [0, 1, 32767, 32768, 100_003])
def test_blocks_and_threads_leave_no_row_out(rows: int) -> None:
    graph = chain(("*", 0, 1), ("sigmoid", 2), ("exp", 0), ("*", 3, 4), inputs=2)
    program = compile_graph(graph, [0, 1])
    rng = numpy.random.default_rng(rows)
    x, y = rng.standard_normal((2, rows))
    values, (by_x, by_y) = program.rows([x, y])
    s = 1 / (1 + numpy.exp(-x * y))
    same(values, s * numpy.exp(x))
    same(by_x, numpy.exp(x) * (s + s * (1 - s) * y), 1e-9)
    same(by_y, numpy.exp(x) * s * (1 - s) * x, 1e-9)


def test_the_program_serves_several_threads_at_once() -> None:
    formula = next(iter(Workspace({"x": numpy.ones(2000), "W": 0.5}).formulas("sum(exp(sin(x*W)) / (1 + square(x)))")))
    assert not isinstance(formula, Exception)
    program = compile_graph(formula.graph, [0, 1], formula.shapes)
    assert isinstance(program, ArrayProgram)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        x = numpy.random.default_rng(seed).standard_normal(2000)
        expected = interpreted(formula.graph, [x, 0.5])
        for _ in range(100):
            value, gradients = program.value_and_gradients([x, 0.5])
            if not math.isclose(value, expected[0], rel_tol=1e-12) or not numpy.allclose(gradients[0], expected[1][0]):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_numbers_among_arrays_may_divide_by_zero() -> None:
    formula = next(iter(Workspace({"x": numpy.ones(3), "a": 0.0}).formulas("sum(x)*(1/a)")))
    assert not isinstance(formula, Exception)
    program = compile_graph(formula.graph, [0, 1], formula.shapes)
    assert program.value([numpy.ones(3), 0.0]) == math.inf


def test_large_graphs_are_written_in_one_piece_or_interpreted() -> None:
    graph = chain(*[("sin", 0) if number == 0 else ("sin", number) for number in range(3000)])
    source = compile_graph(graph, [0], backend="source")
    plain = compile_graph(graph, [0], backend="interpreter")
    (_, found), (_, expected) = source.value_and_gradients([0.5]), plain.value_and_gradients([0.5])
    same(found, expected)
    assert source.value([0.5]) == plain.value([0.5])


def test_backends_that_do_not_exist_or_fit_are_refused() -> None:
    graph = chain(("sin", 0))
    with pytest.raises(UsageProblem, match="no backend fast"):
        compile_graph(graph, [0], backend="fast")
    shapes = [(3,), (3,)]
    with pytest.raises(UsageProblem, match="numbers only"):
        compile_graph(graph, [0], shapes, backend="jit")
    with pytest.raises(UsageProblem, match="rows"):
        compile_graph(graph, [0], shapes).rows([numpy.ones(3)])


def test_a_scalar_program_has_no_need_of_numpy() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from gradcalc.engine.compiled import compile_graph; from tests.catalogue import chain;"
        "assert compile_graph(chain(('sin', 0)), [0]).value_and_gradients([0.0]) == (0.0, [1.0]); assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scalar_programs_are_of_their_own_kind() -> None:
    assert isinstance(compile_graph(chain(("sin", 0)), [0]), ScalarProgram)
