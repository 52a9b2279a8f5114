"""Every gate that PyTorch has, too: values and gradients side by side."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tests.catalogue import case_name, cases
from tests.gates.test_arrays import Case
from tests.peers import (
    CONVENTIONS,
    MAKERS,
    Peer,
    Run,
    all_axes,
    cases_of,
    close,
    index_of,
    made,
    run_of_arrays,
    run_of_columns,
    run_of_convention,
    whole,
    without_peer,
)

torch = pytest.importorskip("torch")


def _same(name: str) -> Peer:
    return lambda *inputs: getattr(torch, name)(*inputs)


def _activation(name: str) -> Peer:
    return lambda x, **attributes: getattr(torch.nn.functional, name)(x, **attributes)


def _axis(axis: Any) -> dict[str, Any]:
    return {} if axis is None else {"dim": axis}


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


def _reduction(name: str) -> Peer:
    return lambda x, axis, keepdims: getattr(torch, name)(x, all_axes(x, axis), keepdim=keepdims)


def _spread(name: str) -> Peer:
    def call(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
        return getattr(torch, name)(x, dim=all_axes(x, axis), correction=ddof, keepdim=keepdims)

    return call


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    for one in sorted((number % x.ndim for number in all_axes(x, axis)), reverse=True):
        x = x.prod(one, keepdim=keepdims)
    return x


def _softmax(name: str) -> Peer:
    def call(x: Any, axis: Any) -> Any:
        if isinstance(axis, int):
            return getattr(torch, name)(x, axis)
        rows = x - torch.logsumexp(x, all_axes(x, axis), keepdim=True)
        return rows if name == "log_softmax" else rows.exp()

    return call


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
    "norm": lambda x, ord, axis, keepdims: torch.linalg.vector_norm(x, ord, all_axes(x, axis), keepdim=keepdims),
    "cumsum": lambda x, axis: torch.cumsum(x.reshape(-1) if axis is None else x, 0 if axis is None else axis),
    "dot": lambda a, b: a * b if not (a.ndim and b.ndim) else torch.tensordot(a, b, ([a.ndim - 1], [max(0, b.ndim - 2)])),
    "argmax": lambda x, axis, keepdims: torch.argmax(x, **_axis(axis), keepdim=keepdims).double(),
    "argmin": lambda x, axis, keepdims: torch.argmin(x, **_axis(axis), keepdim=keepdims).double(),
    "sort": lambda x, axis: torch.sort(x, dim=axis).values,
    "argsort": lambda x, axis: torch.argsort(x, dim=axis, stable=True).double(),
    "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, indices.long(), axis),
    "put_along_axis": lambda x, indices, *sizes, axis: torch.zeros(*whole(sizes)).scatter_add(axis, indices.long(), x),
    "@": torch.matmul,
    "trace": torch.trace,
    "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "transpose": lambda x, axes: x.permute(axes or tuple(reversed(range(x.ndim)))),
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "cofactors": lambda x: torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT,
    "solve": lambda a, b: torch.linalg.solve(a, b) if b.ndim > 1 else torch.linalg.solve(a, b[:, None])[..., 0],
    "stack": lambda *parts, axis: torch.stack(parts, axis),
    "concat": lambda *parts, axis: torch.cat(parts, axis),
    "[]": lambda x, index: (
        x[index_of(index)] if all(not isinstance(item, tuple) or (item[3] or 1) > 0 for item in index) else x.flip(0)
    ),
    "reshape": lambda x, *sizes: x.reshape(whole(sizes)),
    "broadcast_to": lambda x, *sizes: torch.broadcast_to(x, whole(sizes)),
    "sum_to": lambda x, *sizes: x.sum_to_size(whole(sizes)),
    "squeeze": lambda x, axis: x.squeeze() if axis is None else x.squeeze(axis),
    "flatten": torch.flatten,
    "flip": lambda x, axis: torch.flip(x, all_axes(x, axis)),
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
NO_PEER = {"scatter", "product_of_others", "expand_dims", "size", "full"}


def in_reach(case: Case) -> bool:
    """PyTorch's trace takes no stack of matrices."""
    return case.record.name != "trace" or len(case.trial.shapes[0]) == 2


@pytest.fixture(autouse=True)
def doubles() -> Any:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def agree(run: Run, peer: Peer) -> None:
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in run.inputs]
    result = run.call(peer, *inputs)
    close(run.value, result.detach())
    if not result.requires_grad:
        assert run.constant
        return
    (result * torch.tensor(run.weights)).sum().backward()
    for gradient, tensor in zip(run.gradients, inputs):
        close(gradient, torch.zeros(tensor.shape) if tensor.grad is None else tensor.grad)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_elementwise(record: Any, count: int) -> None:
    agree(run_of_columns(record, count), ELEMENTWISE_PEERS[record.name])


@pytest.mark.parametrize("case", [case for case in cases_of(ARRAY_PEERS) if in_reach(case)], ids=str)
def test_arrays(case: Case) -> None:
    agree(run_of_arrays(case), ARRAY_PEERS[case.record.name])


@pytest.mark.parametrize("name", MAKERS)
def test_makers(name: str) -> None:
    close(made(name), getattr(torch, name)(*MAKERS[name]))


@pytest.mark.parametrize(("name", "values", "attributes"), CONVENTIONS)
def test_conventions(name: str, values: Any, attributes: dict[str, Any]) -> None:
    agree(run_of_convention(name, values, attributes), ARRAY_PEERS[name])


def test_no_gate_is_forgotten() -> None:
    assert without_peer(ELEMENTWISE_PEERS, ARRAY_PEERS) == NO_PEER
