"""Every gate of the catalogue in every target: written, compiled or run, its value and gradients compared with the engine's."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from gradcalc.dialects.exports.arrays import JaxWriter, NumpyWriter, TorchWriter
from gradcalc.dialects.exports.c import CWriter
from gradcalc.dialects.exports.python import PythonNumbers
from gradcalc.dialects.exports.readable import ReadableWriter
from gradcalc.errors import GradcalcError
from gradcalc.formula import Formula
from gradcalc.gates import REGISTRY, Gate
from gradcalc.gates.record import gate as enter
from gradcalc.studies.exports import source
from tests.catalogue import name_of
from tests.dialects.exports.formulas import elementwise, formulas, on_arrays, one_of_each
from tests.dialects.exports.running import loaded, run
from tests.programs import random_program

WRITERS: dict[str, type[ReadableWriter]] = {
    "python": PythonNumbers,
    "numpy": NumpyWriter,
    "torch": TorchWriter,
    "jax": JaxWriter,
    "c": CWriter,
}

REFUSED = {
    "c": {"inv", "det", "cofactors", "solve", "sort", "argsort", "take_along_axis", "put_along_axis"},
}
"""What a target does not have, and says so."""

RECORDS = list(REGISTRY.records())


@cache
def every() -> list[Formula]:
    """Every gate on its samples and trials."""
    return [*elementwise(), *on_arrays()]


@cache
def programs() -> list[Formula]:
    """The outputs of random programs."""
    return [formulas(random_program(random.Random(f"export/{index}")))[0] for index in range(150)]


@pytest.mark.parametrize("target", WRITERS)
@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_gate_can_be_written_or_opened(record: Gate, target: str) -> None:
    """A record needs a spelling where there is no default and no formula; makers are made before they are written."""
    writer = WRITERS[target]
    if record.maker or record.name in REFUSED.get(target, ()) or (target == "python" and not record.elementwise):
        return
    count = record.arity[0] or 1
    attributes = {attribute.name: attribute.default for attribute in record.attributes}
    written = writer.writes(record, attributes, [()] * count)
    rewritten = record.name in ("sum_to", "size", "dot")
    assert written or rewritten or record.steps is not None or record.formula is not None


def test_a_gate_without_a_spelling_is_found_out() -> None:
    record = enter(
        "unheard_of",
        "nothing that any language has",
        family="arithmetic",
        sentence="Does nothing.",
        scalar=lambda x: x,
        partials=lambda y, x: (1.0,),
        listed=False,
    )
    for target, writer in WRITERS.items():
        written = writer.writes(record, {}, [()])
        # NumPy's default is the function of the record's name in NumPy; a record that is wrong about it fails when it is run.
        assert written == (target in ("numpy", "jax")), target


def writable(target: str) -> list[Formula]:
    """The formulas of all gates that a target has."""
    found = []
    refused = {}
    for formula in every():
        try:
            source([formula], target, test=False)
        except GradcalcError as problem:
            refused[formula.text] = problem.message
            continue
        found.append(formula)
    allowed = REFUSED.get(target, set()) if target == "c" else {record.name for record in RECORDS if not record.elementwise}
    for text, message in refused.items():
        assert text.split("-")[0] in allowed or "has no elements" in message, (text, message)
    return found


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
def test_every_gate_runs(target: str, tmp_path: Path) -> None:
    chosen = writable(target)
    assert len(chosen) > (120 if target == "python" else 320)
    out = run(chosen, target, tmp_path)
    assert out.count("value = ") == len(chosen)


def test_every_gate_runs_in_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    out = run(every(), "torch", tmp_path)
    assert out.count("value = ") == len(every())
    # PyTorch's own derivatives stand beside: at smooth points they are the same.
    assert "  autograd: " in out
    assert "# differs" not in out


def test_every_gate_runs_in_jax(tmp_path: Path) -> None:
    """All functions are compiled at once: JAX would take a minute to compile them one by one."""
    jax = pytest.importorskip("jax")
    chosen = list(one_of_each())
    module = vars(loaded(source(chosen, "jax"), tmp_path))
    numbers = range(1, len(chosen) + 1)
    points = [[module["jnp"].float64(value) for value in module[f"POINT_{n}"].values()] for n in numbers]
    both = jax.jit(lambda points: [(module[f"forward_{n}"](*p), module[f"backward_{n}"](*p)) for n, p in zip(numbers, points)])
    for number, formula, (alone, (value, gradients)) in zip(numbers, chosen, both(points)):
        bounds = module[f"ROUNDING_{number}"]
        assert module["close"](alone, module[f"VALUE_{number}"], bounds[0]), formula.text
        assert module["close"](value, module[f"VALUE_{number}"], bounds[0]), formula.text
        for (name, expected), bound in zip(module[f"GRADIENTS_{number}"].items(), bounds[1:]):
            assert module["close"](gradients[name], expected, bound), (formula.text, name)


@pytest.mark.parametrize("target", ["python", "numpy", "c"])
def test_random_programs_run(target: str, tmp_path: Path) -> None:
    """Odd formulas at odd points, many of which are not finite: every number is what the engine says."""
    out = run(programs(), target, tmp_path)
    assert out.count("value = ") == len(programs())
    assert "nan" in out
    assert "inf" in out
