"""Forward values: right to a few units in the last place, IEEE where `math` raises, the same on floats and on arrays."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest

from gradcalc.checking.exact import exact_function
from gradcalc.engine import scalar
from gradcalc.engine.arrays import kernel
from gradcalc.engine.scalar import guarded_forward
from gradcalc.gates import Gate
from gradcalc.graph import Operator
from tests.catalogue import case_name, cases, defaults, gate, one_gate, sample, values_of

mpmath = pytest.importorskip("mpmath")

SPECIAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    math.inf,
    -math.inf,
    math.nan,
    1e308,
    -1e308,
    1e-320,
    -1e-320,
    5e-324,
    0.5,
    -0.5,
    2.0,
    -2.5,
    1e17,
    710.0,
)

INTERESTING = [-1e4, -746.0, -708.0, -100.0, -37.0, -30.0, -17.0, -1.5, -1.0, -0.5, -1e-3, -1e-9, -1e-20, -1e-300]
INTERESTING += [-x for x in INTERESTING]

ULPS = {"pow": 2, "gelu": 60, "log": 8, "%": 0, "logaddexp": 4, "exp2": 4}
"""Units in the last place a gate may be off where it is more than 4. gelu divides x by sqrt(2), and erfc magnifies that."""


def context() -> Any:
    made = mpmath.MPContext()
    made.dps = 400
    return made


def ulps_off(found: float, truth: Any, mp: Any) -> float:
    """How far a float is from the truth, in units of its last place."""
    if isinstance(truth, mp.mpc):
        truth = mp.nan
    if mp.isnan(truth):
        return 0.0 if found != found else math.inf
    rounded = float(truth)
    if math.isinf(rounded) or rounded == 0.0:
        return (
            0.0 if found == rounded else abs(found - rounded) / 5e-324 if math.isfinite(found) and abs(found) < 1e-300 else math.inf
        )
    if not math.isfinite(found):
        return math.inf if abs(rounded) < 1.7e308 else 0.0
    return float(abs(mp.mpf(found) - truth) / mp.mpf(math.ulp(rounded)))


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_a_value_is_right_to_a_few_units_in_the_last_place(record: Gate, count: int) -> None:
    mp = context()
    operator = Operator(record, defaults(record), count)
    exact, floats = exact_function(operator, mp), guarded_forward(operator)
    rng = random.Random(3)
    points = [sample(record, count, rng) for _ in range(25)]
    points += [[rng.choice(INTERESTING) for _ in range(count)] for _ in range(15 * count)]
    attributes = dict(defaults(record))
    for point in points:
        if record.domain is not None and not record.domain.holds(*point, **attributes):
            continue
        if record.name in ("pow", "%") and max(map(abs, point)) > 800:
            continue
        if record.name in ("sin", "cos", "tan") and max(map(abs, point)) > 1e4:
            continue
        truth = exact(*[mp.mpf(x) for x in point])
        off = ulps_off(floats(*point), truth, mp)
        assert off <= max(4.0, ULPS.get(record.name, 4)), f"{record.name}{tuple(point)} is off by {off} ulps"


FAR_OUT = [
    ("sigmoid", (17.0,), 0.9999999586006244),
    ("sigmoid", (-745.0,), 4.99e-324),
    ("sigmoid", (-1000.0,), 0.0),
    ("sigmoid", (1000.0,), 1.0),
    ("sigmoid", (-30.0,), 9.357622968839299e-14),
    ("softplus", (1000.0,), 1000.0),
    ("softplus", (-1000.0,), 0.0),
    ("softplus", (-40.0,), 4.248354255291589e-18),
    ("log1p", (1e-20,), 1e-20),
    ("log1p", (1e300,), math.log(1e300)),
    ("expm1", (1e-20,), 1e-20),
    ("expm1", (-800.0,), -1.0),
    ("logaddexp", (1000.0, 1001.0), 1001.3132616875183),
    ("logaddexp", (-1000.0, -1000.0), -1000.0 + math.log(2)),
    ("logaddexp", (-math.inf, -math.inf), -math.inf),
    ("logaddexp", (math.inf, 3.0), math.inf),
    ("logaddexp", (0.0, -800.0), 0.0),
    ("hypot", (3e200, 4e200), 5e200),
    ("hypot", (3e-200, 4e-200), 5e-200),
    ("hypot", (math.inf, math.nan), math.inf),
    ("tanh", (20.0,), 1.0),
    ("tanh", (1e-300,), 1e-300),
    ("erf", (6.0,), 1.0),
    ("erfc", (10.0,), 2.088487583762545e-45),
    ("silu", (-800.0,), 0.0),
    ("cosh", (-711.0,), math.inf),
    ("asinh", (1e300,), 691.4686750787736),
    ("atan2", (0.0, -1.0), math.pi),
    ("atan2", (-0.0, -1.0), -math.pi),
]


@pytest.mark.parametrize(("name", "point", "value"), FAR_OUT)
def test_stable_formulas_hold_far_out(name: str, point: tuple[float, ...], value: float) -> None:
    found = values_of(one_gate(gate(name, len(point)), len(point)), point)[-1]
    assert found == pytest.approx(value, rel=1e-14, abs=1e-320)


SLOPES_FAR_OUT = [
    ("sigmoid", 17.0, 4.139937376003502e-08),
    ("sigmoid", -17.0, 4.139937376003502e-08),
    ("sigmoid", 40.0, 4.248354255291589e-18),
    ("sigmoid", -700.0, 9.85967654375977e-305),
    ("sigmoid", -1000.0, 0.0),
    ("sigmoid", 1000.0, 0.0),
    ("tanh", 20.0, 1.6993417021166355e-17),
    ("tanh", -300.0, 4 * math.exp(-600)),
    ("tanh", 1000.0, 0.0),
    ("softplus", -30.0, 9.357622968839299e-14),
    ("softplus", 800.0, 1.0),
    ("erf", 5.0, 1.5670866531017336e-11),
    ("erf", 30.0, 0.0),
    ("atan", 1e200, 0.0),
    ("atan", 1e100, 1e-200),
    ("asinh", 1e200, 1e-200),
    ("log1p", 1e-300, 1.0),
    ("expm1", -1e-300, 1.0),
    ("silu", -40.0, -40 * 4.248354255291589e-18 + 4.248354255291589e-18),
    ("gelu", -10.0, -7.6945986267064193e-22 + 7.619853024160527e-24),
    ("log", 1e-300, 1e300),
    ("sqrt", 1e-300, 5e149),
    ("cbrt", 1e-300, 1e200 / 3),
    ("acos", 1.0 - 2.0**-53, -1 / math.sqrt(2.0**-53 * (2 - 2.0**-53))),
]


@pytest.mark.parametrize(("name", "x", "slope"), SLOPES_FAR_OUT)
def test_slopes_keep_their_digits_far_out(name: str, x: float, slope: float) -> None:
    graph = one_gate(gate(name), 1)
    found = scalar.backward(graph, values_of(graph, [x]), 1)[0]
    assert found == pytest.approx(slope, rel=1e-13, abs=1e-322)


@pytest.mark.parametrize(
    ("point", "slopes"),
    [
        ((3e200, 4e200), (0.6, 0.8)),
        ((3e-200, -4e-200), (0.6, -0.8)),
        ((0.0, 5.0), (0.0, 1.0)),
    ],
)
def test_slopes_of_hypot_do_not_overflow(point: tuple[float, float], slopes: tuple[float, float]) -> None:
    graph = one_gate(gate("hypot", 2), 2)
    assert scalar.backward(graph, values_of(graph, point), 2)[:2] == pytest.approx(slopes, rel=1e-15)


def test_slopes_of_logaddexp_and_atan2_hold_far_out() -> None:
    graph = one_gate(gate("logaddexp", 2), 2)
    found = scalar.backward(graph, values_of(graph, (1000.0, 1017.0)), 2)
    assert found[:2] == pytest.approx((4.139937376003502e-08, 0.9999999586006244), rel=1e-14)
    graph = one_gate(gate("atan2", 2), 2)
    found = scalar.backward(graph, values_of(graph, (3e200, 4e200)), 2)
    assert found[:2] == pytest.approx((1.6e-201, -1.2e-201), rel=1e-14)


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("/", (1.0, 0.0), math.inf),
        ("/", (1.0, -0.0), -math.inf),
        ("/", (-1.0, 0.0), -math.inf),
        ("/", (0.0, 0.0), math.nan),
        ("/", (math.nan, 0.0), math.nan),
        ("reciprocal", (0.0,), math.inf),
        ("reciprocal", (-0.0,), -math.inf),
        ("%", (1.0, 0.0), math.nan),
        ("%", (-1.0, 3.0), 2.0),
        ("%", (1.0, -3.0), -2.0),
        ("log", (0.0,), -math.inf),
        ("log", (-0.0,), -math.inf),
        ("log", (-1.0,), math.nan),
        ("log", (math.inf,), math.inf),
        ("log1p", (-1.0,), -math.inf),
        ("log1p", (-2.0,), math.nan),
        ("log2", (0.0,), -math.inf),
        ("log10", (-1.0,), math.nan),
        ("exp", (1000.0,), math.inf),
        ("exp", (-1000.0,), 0.0),
        ("exp", (-math.inf,), 0.0),
        ("exp2", (2000.0,), math.inf),
        ("expm1", (1000.0,), math.inf),
        ("sinh", (1000.0,), math.inf),
        ("sinh", (-1000.0,), -math.inf),
        ("cosh", (-1000.0,), math.inf),
        ("sqrt", (-1.0,), math.nan),
        ("asin", (1.5,), math.nan),
        ("acos", (-1.5,), math.nan),
        ("acosh", (0.5,), math.nan),
        ("atanh", (1.0,), math.inf),
        ("atanh", (-1.0,), -math.inf),
        ("atanh", (2.0,), math.nan),
        ("sin", (math.inf,), math.nan),
        ("tan", (-math.inf,), math.nan),
        ("pow", (0.0, -1.0), math.inf),
        ("pow", (-0.0, -1.0), -math.inf),
        ("pow", (-0.0, -2.0), math.inf),
        ("pow", (-8.0, 1.0 / 3.0), math.nan),
        ("pow", (-2.0, 3.0), -8.0),
        ("pow", (-2.0, 1025.0), -math.inf),
        ("pow", (-2.0, 1026.0), math.inf),
        ("pow", (0.0, 0.0), 1.0),
        ("pow", (math.nan, 0.0), 1.0),
        ("pow", (1.0, math.nan), 1.0),
        ("square", (1e200,), math.inf),
        ("*", (1e200, 1e200), math.inf),
        ("*", (0.0, math.inf), math.nan),
        ("-", (math.inf, math.inf), math.nan),
        ("cbrt", (-8.0,), -2.0),
        ("floor", (-0.5,), -1.0),
        ("floor", (math.inf,), math.inf),
        ("ceil", (math.nan,), math.nan),
        ("round", (0.5,), 0.0),
        ("round", (1.5,), 2.0),
        ("round", (2.5,), 2.0),
        ("round", (-0.5,), -0.0),
        ("sign", (-0.0,), 0.0),
        ("sign", (math.nan,), math.nan),
        ("max", (1.0, math.nan), math.nan),
        ("min", (math.nan, 1.0), math.nan),
        ("max", (2.0, 3.0, 1.0), 3.0),
        ("min", (2.0, 3.0, 1.0), 1.0),
        ("clip", (5.0, 0.0, 1.0), 1.0),
        ("clip", (5.0, 3.0, 1.0), 1.0),
        ("clip", (math.nan, 0.0, 1.0), math.nan),
        ("where", (math.nan, 1.0, 2.0), 1.0),
        ("where", (-0.0, 1.0, 2.0), 2.0),
        ("<", (math.nan, 1.0), 0.0),
        ("!=", (math.nan, math.nan), 1.0),
        ("==", (0.0, -0.0), 1.0),
        ("relu", (math.nan,), math.nan),
        ("relu", (-0.0,), 0.0),
        ("hypot", (1e308, 1e308), math.sqrt(2) * 1e308),
        ("log", (8.0, 2.0), 3.0),
        ("log", (1000.0, 10.0), 3.0),
        ("log", (0.0, 3.0), -math.inf),
        ("log", (2.0, 1.0), math.inf),
        ("log", (-1.0, 3.0), math.nan),
    ],
)
def test_ieee_answers_where_math_raises(name: str, point: tuple[float, ...], value: float) -> None:
    found = values_of(one_gate(gate(name, len(point)), len(point)), point)[-1]
    assert found == pytest.approx(value, rel=1e-15, abs=0.0, nan_ok=True)
    assert value != 0.0 or found != 0.0 or math.copysign(1.0, found) == math.copysign(1.0, value) or name in ("sign", "relu")


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_floats_and_arrays_agree(record: Gate, count: int) -> None:
    """At samples, and at special values: nan and infinities in the same places, a few units in the last place elsewhere."""
    rng = random.Random(4)
    operator = Operator(record, defaults(record), count)
    floats = guarded_forward(operator)
    points = [sample(record, count, rng) for _ in range(30)]
    if count == 1:
        points += [[x] for x in SPECIAL]
    elif count == 2:
        points += [[x, y] for x in SPECIAL for y in SPECIAL]
    else:
        points += [[rng.choice(SPECIAL) for _ in range(count)] for _ in range(300)]
    columns = [numpy.array(column) for column in zip(*points)]
    with numpy.errstate(all="ignore"):
        together = numpy.asarray(kernel(record, defaults(record))(*columns), dtype=float)
    for point, theirs in zip(points, together.tolist()):
        mine = floats(*point)
        if mine != mine or theirs != theirs or math.isinf(mine) or math.isinf(theirs):
            assert (mine == theirs) or (mine != mine and theirs != theirs), f"{record.name}{tuple(point)}: {mine} and {theirs}"
        else:
            tolerance = 8 * math.ulp(max(abs(mine), abs(theirs)))
            assert abs(mine - theirs) <= tolerance, f"{record.name}{tuple(point)}: {mine} and {theirs}"


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_the_loop_and_the_guarded_function_agree(record: Gate, count: int) -> None:
    rng = random.Random(6)
    floats = guarded_forward(Operator(record, defaults(record), count))
    graph = one_gate(record, count)
    for _ in range(200):
        point = [rng.choice(SPECIAL) if rng.random() < 0.7 else rng.uniform(-3, 3) for _ in range(count)]
        loop, alone = values_of(graph, point)[-1], floats(*point)
        assert loop == alone or (loop != loop and alone != alone), point
