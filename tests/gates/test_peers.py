"""Every gate that PyTorch has, too: values and gradients side by side."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from gradcalc.engine.evaluate import backpropagate, evaluate
from gradcalc.gates import REGISTRY
from tests.catalogue import ELEMENTWISE, cases, defaults, name_of, sample_points
from tests.gates.test_arrays import CASES, Case, OneGate

torch = pytest.importorskip("torch")

Peer = Callable[..., Any]


def _same(name: str) -> Peer:
    return lambda *inputs: getattr(torch, name)(*inputs)


def _activation(name: str) -> Peer:
    return lambda x, **attributes: getattr(torch.nn.functional, name)(x, **attributes)


def _axis(axis: Any) -> dict[str, Any]:
    return {} if axis is None else {"dim": axis}


def _all_axes(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


SAME_NAME = [
    "square",
    "sqrt",
    "reciprocal",
    "abs",
    "sign",
    "floor",
    "ceil",
    "exp",
    "expm1",
    "exp2",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "erf",
    "erfc",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "hypot",
    "sigmoid",
    "pow",
]

ELEMENTWISE_PEERS: dict[str, Peer] = {
    **{name: _same(name) for name in SAME_NAME},
    **{name: _activation(name) for name in ("relu", "selu", "gelu", "silu", "softplus", "elu")},
    "leaky_relu": lambda x, slope: torch.nn.functional.leaky_relu(x, slope),
    "hardtanh": lambda x, min, max: torch.nn.functional.hardtanh(x, min, max),
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "%": torch.remainder,
    "neg": torch.neg,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "round": torch.round,
    "log": lambda x, *base: torch.log(x) / torch.log(base[0]) if base else torch.log(x),
    "max": lambda *inputs: torch.stack(inputs).amax(0),
    "min": lambda *inputs: torch.stack(inputs).amin(0),
    "clip": torch.clamp,
    "where": lambda condition, yes, no: torch.where(condition != 0, yes, no),
    **{
        symbol: lambda a, b, name=name: getattr(torch, name)(a, b).double()
        for symbol, name in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}.items()
    },
}
ELEMENTWISE_PEERS["elu"] = lambda x, alpha: torch.nn.functional.elu(x, alpha)


def _reduction(name: str) -> Peer:
    return lambda x, axis, keepdims: getattr(torch, name)(x, _all_axes(x, axis), keepdim=keepdims)


def _spread(name: str) -> Peer:
    def call(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
        return getattr(torch, name)(x, dim=_all_axes(x, axis), correction=ddof, keepdim=keepdims)

    return call


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    for one in sorted((number % x.ndim for number in _all_axes(x, axis)), reverse=True):
        x = x.prod(one, keepdim=keepdims)
    return x


def _softmax(name: str) -> Peer:
    def call(x: Any, axis: Any) -> Any:
        if isinstance(axis, int):
            return getattr(torch, name)(x, axis)
        rows = x - torch.logsumexp(x, _all_axes(x, axis), keepdim=True)
        return rows if name == "log_softmax" else rows.exp()

    return call


def _index(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(slice(*item[1:]) if isinstance(item, tuple) else ... if item == "..." else item for item in index)


def _cross_entropy(z: Any, t: Any) -> Any:
    return torch.nn.functional.cross_entropy(z.reshape(-1, z.shape[-1]), t.reshape(-1, t.shape[-1]))


ARRAY_PEERS: dict[str, Peer] = {
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    "logsumexp": _reduction("logsumexp"),
    "max": _reduction("amax"),
    "min": _reduction("amin"),
    "prod": _product,
    "var": _spread("var"),
    "std": _spread("std"),
    "norm": lambda x, ord, axis, keepdims: torch.linalg.vector_norm(x, ord, _all_axes(x, axis), keepdim=keepdims),
    "cumsum": lambda x, axis: torch.cumsum(x.reshape(-1) if axis is None else x, 0 if axis is None else axis),
    "dot": lambda a, b: a * b if not (a.ndim and b.ndim) else torch.tensordot(a, b, ([a.ndim - 1], [max(0, b.ndim - 2)])),
    "argmax": lambda x, axis, keepdims: torch.argmax(x, **_axis(axis), keepdim=keepdims).double(),
    "argmin": lambda x, axis, keepdims: torch.argmin(x, **_axis(axis), keepdim=keepdims).double(),
    "sort": lambda x, axis: torch.sort(x, dim=axis).values,
    "argsort": lambda x, axis: torch.argsort(x, dim=axis, stable=True).double(),
    "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, indices.long(), axis),
    "put_along_axis": lambda x, indices, *sizes, axis: torch.zeros(*map(int, sizes)).scatter_add(axis, indices.long(), x),
    "@": torch.matmul,
    "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "transpose": lambda x, axes: x.permute(axes or tuple(reversed(range(x.ndim)))),
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "cofactors": lambda x: torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT,
    "solve": lambda a, b: torch.linalg.solve(a, b) if b.ndim > 1 else torch.linalg.solve(a, b[:, None])[..., 0],
    "stack": lambda *parts, axis: torch.stack(parts, axis),
    "concat": lambda *parts, axis: torch.cat(parts, axis),
    "[]": lambda x, index: (
        x[_index(index)] if all(not isinstance(item, tuple) or (item[3] or 1) > 0 for item in index) else x.flip(0)
    ),
    "reshape": lambda x, *sizes: x.reshape(tuple(map(int, sizes))),
    "broadcast_to": lambda x, *sizes: torch.broadcast_to(x, tuple(map(int, sizes))),
    "sum_to": lambda x, *sizes: x.sum_to_size(tuple(map(int, sizes))),
    "squeeze": lambda x, axis: x.squeeze() if axis is None else x.squeeze(axis),
    "flatten": torch.flatten,
    "flip": lambda x, axis: torch.flip(x, _all_axes(x, axis)),
    "affine": lambda x, weights, b: x @ weights + b,
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "softmax_cross_entropy": _cross_entropy,
    "mse": lambda a, b: ((a - b) ** 2).mean(),
    "cross_entropy": lambda p, t: -(t * torch.log(p)).sum(-1).mean(),
    "one_hot": lambda labels, n: torch.nn.functional.one_hot(labels.long(), int(n)).double(),
    "linspace": lambda start, stop, num: torch.stack(
        [torch.lerp(start + 0 * stop, stop + 0 * start, torch.tensor(w)) for w in numpy.linspace(0, 1, int(num))]
    ),
}
TRACED = [case for case in CASES if case.record.name == "trace" and len(case.trial.shapes[0]) == 2]
WITH_PEER = [case for case in CASES if case.record.name in ARRAY_PEERS] + TRACED
ARRAY_PEERS["trace"] = torch.trace
NO_PEER = {"scatter", "product_of_others", "expand_dims", "size", "full", "trace"}


def tensors(values: Any) -> list[Any]:
    return [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]


def close(found: Any, expected: Any) -> None:
    expected = expected.detach().numpy()
    assert numpy.shape(found) == expected.shape
    numpy.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.fixture(autouse=True)
def doubles() -> Any:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize(("record", "count"), cases(), ids=lambda case: name_of(case) if not isinstance(case, int) else str(case))
def test_elementwise(record: Any, count: int) -> None:
    peer = ELEMENTWISE_PEERS[record.name]
    points = numpy.array(list(sample_points(record, count)))
    graph = OneGateOfColumns(record, count)
    evaluation = evaluate(graph.graph, [column.copy() for column in points.T])
    backpropagate(evaluation)
    inputs = tensors(list(points.T))
    result = peer(*inputs, **dict(defaults(record)))
    close(evaluation.values[-1], result)
    if not result.requires_grad:
        assert record.constant
        return
    result.sum().backward()
    for node, tensor in enumerate(inputs):
        close(evaluation.gradients[node], torch.zeros(len(points)) if tensor.grad is None else tensor.grad)


class OneGateOfColumns:
    def __init__(self, record: Any, count: int) -> None:
        from tests.catalogue import one_gate

        self.graph = one_gate(record, count)


@pytest.mark.parametrize("case", WITH_PEER, ids=str)
def test_arrays(case: Case) -> None:
    one = OneGate(case)
    weights = one.graph.constants[-1]
    evaluation = evaluate(one.graph, one.values)
    backpropagate(evaluation)
    inputs = tensors(one.values)
    sizes = case.trial.sizes
    result = ARRAY_PEERS[case.record.name](*inputs, *sizes, **case.attributes())
    close(evaluation.values[one.result], result)
    if not result.requires_grad:
        assert case.record.constant
        return
    (result * torch.tensor(weights)).sum().backward()
    for node, tensor in zip(one.inputs, inputs):
        expected = torch.zeros(tensor.shape) if tensor.grad is None else tensor.grad
        close(evaluation.gradients[node], expected)


def test_no_gate_is_forgotten() -> None:
    assert {record.name for record in ELEMENTWISE} == set(ELEMENTWISE_PEERS)
    names = {record.name for record in REGISTRY.records() if not record.elementwise and not record.maker}
    assert names - set(ARRAY_PEERS) == NO_PEER - {"trace"}


@pytest.mark.parametrize(
    ("name", "values", "attributes"),
    [
        ("max", [1.0, 3.0, 3.0], {}),
        ("min", [[1.0, 1.0], [2.0, 0.0]], {"axis": 1}),
        ("prod", [0.0, 2.0, 3.0], {}),
        ("prod", [0.0, 0.0, 3.0], {}),
        ("norm", [0.0, 0.0], {}),
        ("norm", [0.0, -1.0], {"ord": 1.0}),
        ("norm", [1.0, -1.0], {"ord": math.inf}),
        ("logsumexp", [1000.0, 1000.0], {}),
        ("softmax", [1000.0, -1000.0], {}),
        ("log_softmax", [1000.0, -1000.0], {}),
    ],
)
def test_conventions(name: str, values: Any, attributes: dict[str, Any]) -> None:
    from gradcalc.graph import Graph

    record = REGISTRY.find(name, 1)
    assert record is not None
    everything = {attribute.name: attribute.default for attribute in record.attributes} | attributes
    graph = Graph()
    x = graph.add_input()
    graph.add(record, [x], tuple(sorted(everything.items())))
    evaluation = evaluate(graph, [numpy.array(values)])
    weights = numpy.random.default_rng(zlib.crc32(name.encode())).random(numpy.shape(evaluation.values[-1]))
    backpropagate(evaluation, weights)
    (tensor,) = tensors([values])
    result = ARRAY_PEERS[name](tensor, **everything)
    close(evaluation.values[-1], result)
    (result * torch.tensor(weights)).sum().backward()
    close(evaluation.gradients[x], tensor.grad)
