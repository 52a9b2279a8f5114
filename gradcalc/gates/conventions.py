"""What other libraries answer where a gate has no derivative: measured, and kept in this one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Answer = float | str | None
"""A slope; words (`zoo`); the name of an attribute whose value is the slope, behind `=`; None for what is no convention."""

LIBRARIES = ("PyTorch", "JAX", "autograd", "CasADi", "SymPy")
"""In the order in which they are told. Measured with PyTorch 2.13, JAX 0.10.2, autograd 1.9.1, CasADi 3.8.2 and SymPy 1.14."""


class Convention(NamedTuple):
    """The answers at one kind of point of one gate.

    Attributes:
        gate: the gate's name.
        words: the kind of point.
        holds: whether inputs (and attributes, by keyword) are such a point.
        point: one of them, at which the tests ask the libraries.
        answers: by library the slope in each input.
    """

    gate: str
    words: str
    holds: Callable[..., bool]
    point: tuple[float, ...]
    answers: Mapping[str, tuple[Answer, ...]]


def _zero(x: float, **attributes: Any) -> bool:
    return x == 0.0


def _tie(*inputs: float) -> bool:
    return len(inputs) == 2 and inputs[0] == inputs[1]


_NAN = math.nan
_INF = math.inf
_FLAT: Mapping[str, tuple[Answer, ...]] = {"PyTorch": (0.0,), "JAX": (0.0,)}
_STEEP: Mapping[str, tuple[Answer, ...]] = {"PyTorch": (_INF,), "JAX": (_INF,)}

CONVENTIONS: Sequence[Convention] = (
    Convention(
        "abs",
        "x = 0",
        _zero,
        (0.0,),
        {"PyTorch": (0.0,), "JAX": (1.0,), "autograd": (0.0,), "CasADi": (0.0,), "SymPy": (0.0,)},
    ),
    Convention("sign", "x = 0", _zero, (0.0,), _FLAT),
    Convention("floor", "x is whole", lambda x: x % 1 == 0, (2.0,), _FLAT),
    Convention("ceil", "x is whole", lambda x: x % 1 == 0, (2.0,), _FLAT),
    Convention("round", "x is halfway", lambda x: (x - 0.5) % 1 == 0, (2.5,), _FLAT),
    Convention("%", "a is a multiple of b", lambda a, b: a % b == 0, (6.0, 2.0), {"PyTorch": (1.0, None), "JAX": (1.0, None)}),
    Convention("relu", "x = 0", _zero, (0.0,), _FLAT),
    Convention("leaky_relu", "x = 0", _zero, (0.0,), {"PyTorch": ("=slope",), "JAX": (1.0,)}),
    Convention("elu", "x = 0", _zero, (0.0,), {"PyTorch": ("=alpha",), "JAX": ("=alpha",)}),
    Convention("selu", "x = 0", _zero, (0.0,), {"PyTorch": (1.7580993408473766,), "JAX": (1.7580993408473766,)}),
    Convention("hardtanh", "x is at a bound", lambda x, min, max: x in (min, max), (1.0,), {"PyTorch": (0.0,), "JAX": (1.0,)}),
    Convention(
        "clip",
        "x is at the lower bound",
        lambda x, low, high: x == low != high,
        (0.0, 0.0, 1.0),
        {"PyTorch": (1.0, 0.0, 0.0), "JAX": (0.5, 0.5, 0.0)},
    ),
    Convention(
        "clip",
        "x is at the upper bound",
        lambda x, low, high: x == high != low,
        (1.0, 0.0, 1.0),
        {"PyTorch": (1.0, 0.0, 0.0), "JAX": (0.5, 0.0, 0.5)},
    ),
    Convention(
        "clip",
        "x and both bounds are equal",
        lambda x, low, high: x == low == high,
        (2.0, 2.0, 2.0),
        {"PyTorch": (1.0, 0.0, 0.0), "JAX": (0.25, 0.25, 0.5)},
    ),
    Convention(
        "max",
        "a tie",
        _tie,
        (1.0, 1.0),
        dict.fromkeys(LIBRARIES, (0.5, 0.5)) | {"PyTorch clamp": (1.0, 0.0)},
    ),
    Convention(
        "min",
        "a tie",
        _tie,
        (1.0, 1.0),
        dict.fromkeys(LIBRARIES, (0.5, 0.5)) | {"PyTorch clamp": (1.0, 0.0)},
    ),
    Convention(
        "sqrt",
        "x = 0",
        _zero,
        (0.0,),
        {"PyTorch": (_INF,), "JAX": (_INF,), "autograd": ("error",), "CasADi": (_INF,), "SymPy": ("zoo",)},
    ),
    Convention("cbrt", "x = 0", _zero, (0.0,), {"JAX": (_INF,)}),
    Convention(
        "pow",
        "0^0",
        lambda a, b: a == 0.0 and b == 0.0,
        (0.0, 0.0),
        {
            "PyTorch": (0.0, 0.0),
            "JAX": (_NAN, 0.0),
            "autograd": (0.0, 0.0),
            "CasADi": (_NAN, -_INF),
            "SymPy": (_NAN, "zoo"),
        },
    ),
    Convention(
        "pow",
        "0 to a positive power",
        lambda a, b: a == 0.0 and b > 1.0,
        (0.0, 2.0),
        {
            "PyTorch": (0.0, 0.0),
            "JAX": (0.0, 0.0),
            "autograd": (0.0, 0.0),
            "CasADi": (0.0, _NAN),
            "SymPy": (_NAN, _NAN),
        },
    ),
    Convention(
        "pow",
        "0 to a power below 1",
        lambda a, b: a == 0.0 and 0.0 < b < 1.0,
        (0.0, 0.5),
        {"PyTorch": (_INF, 0.0), "JAX": (_INF, 0.0)},
    ),
    Convention(
        "pow",
        "a negative base",
        lambda a, b: a < 0.0,
        (-2.0, 3.0),
        {
            "PyTorch": (None, _NAN),
            "JAX": (None, _NAN),
            "autograd": (None, _NAN),
            "CasADi": (None, _NAN),
            "SymPy": (None, "complex"),
        },
    ),
    Convention(
        "hypot",
        "both are 0",
        lambda a, b: a == 0.0 and b == 0.0,
        (0.0, 0.0),
        {
            "PyTorch": (_NAN, _NAN),
            "JAX": (0.5, 0.5),
            "autograd": (_NAN, _NAN),
            "CasADi": (_NAN, _NAN),
            "SymPy": (0.0, _NAN),
        },
    ),
    Convention(
        "atan2",
        "both are 0",
        lambda y, x: y == 0.0 and x == 0.0,
        (0.0, 0.0),
        {
            "PyTorch": (0.0, 0.0),
            "JAX": (_NAN, _NAN),
            "autograd": (_NAN, _NAN),
            "CasADi": (_NAN, _NAN),
            "SymPy": ("zoo", 0.0),
        },
    ),
    Convention(
        "atan2",
        "the cut along the negative axis",
        lambda y, x: y == 0.0 and x < 0.0,
        (0.0, -1.0),
        {"PyTorch": (None, 0.0), "JAX": (None, 0.0)},
    ),
    Convention("asin", "an end of its domain", lambda x: abs(x) == 1.0, (1.0,), _STEEP),
    Convention("acos", "an end of its domain", lambda x: abs(x) == 1.0, (1.0,), {"PyTorch": (-_INF,), "JAX": (-_INF,)}),
    Convention("acosh", "the end of its domain", lambda x: x == 1.0, (1.0,), _STEEP),
    Convention("atanh", "the upper end of its domain", lambda x: x == 1.0, (1.0,), _STEEP),
)


class ArrayConvention(NamedTuple):
    """The answers of a reduction on one array, for gates that are not element-wise.

    Attributes:
        gate: the gate's name.
        words: the kind of point.
        array: an array at which the tests ask the libraries.
        attributes: of the gate.
        answers: by library, in words.
        gradients: by library what it answers at that array.
    """

    gate: str
    words: str
    array: tuple[float, ...]
    attributes: Mapping[str, Any]
    answers: Mapping[str, str]
    gradients: Mapping[str, tuple[float, ...]]


_SHARES = "equal shares among ties"

ARRAY_CONVENTIONS: Sequence[ArrayConvention] = (
    *(
        ArrayConvention(
            name,
            "ties",
            array,
            {},
            {"PyTorch": _SHARES, "JAX": _SHARES},
            {"PyTorch": shares, "JAX": shares},
        )
        for name, array, shares in (("max", (1.0, 3.0, 3.0), (0.0, 0.5, 0.5)), ("min", (1.0, 1.0, 3.0), (0.5, 0.5, 0.0)))
    ),
    ArrayConvention(
        "norm",
        "all elements are 0",
        (0.0, 0.0),
        {},
        {"PyTorch": "0", "JAX": "nan"},
        {"PyTorch": (0.0, 0.0), "JAX": (_NAN, _NAN)},
    ),
    ArrayConvention(
        "std",
        "all elements are equal",
        (2.0, 2.0, 2.0),
        {},
        {"PyTorch": "0", "JAX": "nan"},
        {"PyTorch": (0.0, 0.0, 0.0), "JAX": (_NAN, _NAN, _NAN)},
    ),
)


def conventions_at(gate: str, inputs: Sequence[float], attributes: Mapping[str, Any]) -> Iterator[Convention]:
    """The entries for a gate at these inputs, which are numbers."""
    for entry in CONVENTIONS:
        if entry.gate != gate:
            continue
        try:
            if entry.holds(*inputs, **attributes):
                yield entry
        except ArithmeticError:
            continue


def slope_of(answer: Answer, attributes: Mapping[str, Any]) -> Answer:
    """An answer with the value of the attribute that it names."""
    if isinstance(answer, str) and answer.startswith("="):
        return float(attributes[answer[1:]])
    return answer
