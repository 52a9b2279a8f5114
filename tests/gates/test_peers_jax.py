"""Every gate that JAX has, too: values and gradients side by side, on one or two cases of each, since JAX compiles each case."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalogue import case_name, cases
from tests.gates.test_arrays import Case
from tests.peers import (
    CONVENTIONS,
    MAKERS,
    Peer,
    Run,
    cases_of,
    close,
    index_of,
    made,
    one_or_two_of_each,
    run_of_arrays,
    run_of_columns,
    run_of_convention,
    whole,
    without_peer,
)

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
special = pytest.importorskip("jax.scipy.special")
jax.config.update("jax_enable_x64", True)
# Nearly all of the time goes into compiling, and each program runs once.
jax.config.update("jax_disable_most_optimizations", True)


def _same(name: str) -> Peer:
    return lambda *inputs: getattr(jnp, name)(*inputs)


SAME_NAME = [
    "square",
    "sqrt",
    "cbrt",
    "reciprocal",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "exp",
    "expm1",
    "exp2",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
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
    "pow",
    "clip",
]

ELEMENTWISE_PEERS: dict[str, Peer] = {
    **{name: _same(name) for name in SAME_NAME},
    **{name: getattr(jax.nn, name) for name in ("sigmoid", "relu", "selu", "silu", "softplus")},
    "elu": lambda x, alpha: jax.nn.elu(x, alpha),
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "leaky_relu": lambda x, slope: jax.nn.leaky_relu(x, slope),
    "hardtanh": lambda x, min, max: jax.nn.hard_tanh(x) if (min, max) == (-1.0, 1.0) else jnp.clip(x, min, max),
    "erf": special.erf,
    "erfc": special.erfc,
    "+": jnp.add,
    "-": jnp.subtract,
    "*": jnp.multiply,
    "/": jnp.divide,
    "%": jnp.remainder,
    "neg": jnp.negative,
    "log": lambda x, *base: jnp.log(x) / jnp.log(base[0]) if base else jnp.log(x),
    "max": lambda *inputs: jnp.stack(inputs).max(0),
    "min": lambda *inputs: jnp.stack(inputs).min(0),
    "where": lambda condition, yes, no: jnp.where(condition != 0, yes, no),
    **{
        symbol: lambda a, b, name=name: getattr(jnp, name)(a, b).astype(float)
        for symbol, name in {
            "<": "less",
            "<=": "less_equal",
            ">": "greater",
            ">=": "greater_equal",
            "==": "equal",
            "!=": "not_equal",
        }.items()
    },
}


def _reduction(name: str) -> Peer:
    return lambda x, **attributes: getattr(jnp, name)(x, **attributes)


def _integers(name: str) -> Peer:
    return lambda x, **attributes: getattr(jnp, name)(x, **attributes).astype(float)


def _put_along_axis(x: Any, indices: Any, *sizes: float, axis: int) -> Any:
    places = list(jnp.indices(indices.shape))
    places[axis] = indices.astype(int)
    return jnp.zeros(whole(sizes)).at[tuple(places)].add(x)


def _product_of_others(x: Any, axis: Any) -> Any:
    """The gradient of a product."""
    product, pull = jax.vjp(lambda x: jnp.prod(x, axis), x)
    return pull(jnp.ones_like(product))[0]


def _sum_to(x: Any, *sizes: float) -> Any:
    """What broadcasting is turned into by going backwards."""
    _, pull = jax.vjp(lambda small: jnp.broadcast_to(small, x.shape), jnp.zeros(whole(sizes)))
    return pull(x)[0]


ARRAY_PEERS: dict[str, Peer] = {
    **{name: _reduction(name) for name in ("sum", "mean", "prod", "max", "min", "var", "std")},
    **{name: _integers(name) for name in ("argmax", "argmin", "argsort")},
    "logsumexp": jax.nn.logsumexp,
    "norm": jnp.linalg.vector_norm,
    "cumsum": jnp.cumsum,
    "dot": jnp.dot,
    "sort": jnp.sort,
    "take_along_axis": lambda x, indices, axis: jnp.take_along_axis(x, indices.astype(int), axis),
    "put_along_axis": _put_along_axis,
    "product_of_others": _product_of_others,
    "@": jnp.matmul,
    "outer": jnp.outer,
    "transpose": jnp.transpose,
    "trace": jnp.trace,
    "inv": jnp.linalg.inv,
    "det": jnp.linalg.det,
    "cofactors": lambda x: jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x).mT,
    "solve": jnp.linalg.solve,
    "stack": lambda *parts, axis: jnp.stack(parts, axis),
    "concat": lambda *parts, axis: jnp.concat(parts, axis=axis),
    "[]": lambda x, index: x[index_of(index)],
    "scatter": lambda x, *sizes, index: jnp.zeros(whole(sizes)).at[index_of(index)].set(x),
    "reshape": lambda x, *sizes: x.reshape(whole(sizes)),
    "broadcast_to": lambda x, *sizes: jnp.broadcast_to(x, whole(sizes)),
    "sum_to": _sum_to,
    "squeeze": jnp.squeeze,
    "expand_dims": jnp.expand_dims,
    "flatten": jnp.ravel,
    "flip": jnp.flip,
    "affine": lambda x, weights, b: x @ weights + b,
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "cross_entropy": lambda p, t: -(t * jnp.log(p)).sum(-1).mean(),
    "softmax_cross_entropy": lambda z, t: -(t * jax.nn.log_softmax(z)).sum(-1).mean(),
    "mse": lambda a, b: ((a - b) ** 2).mean(),
    "one_hot": lambda labels, n: jax.nn.one_hot(labels.astype(int), int(n)),
    "full": lambda x, *sizes: jnp.full(whole(sizes), x),
    "linspace": lambda start, stop, num: jnp.linspace(start, stop, int(num)),
}
NO_PEER = {"size"}

OTHER_CONVENTIONS = [("norm", [0.0, 0.0]), ("norm", [0.0, -1.0])]
"""Where JAX has chosen otherwise: the slope of a norm is nan at the origin, and that of |x| in a norm of order 1 is 1 at x = 0."""


def agree(run: Run, peer: Peer) -> None:
    def both(inputs: list[Any], weights: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(lambda *inputs: run.call(peer, *inputs), *inputs)
        return value, pull(weights)

    # Compiled as a whole, for operations compiled one by one take several times as long.
    value, gradients = jax.jit(both)(run.inputs, run.weights)
    close(run.value, value)
    for found, expected in zip(run.gradients, gradients):
        close(found, expected)


@pytest.mark.parametrize(("record", "count"), cases(), ids=case_name)
def test_elementwise(record: Any, count: int) -> None:
    agree(run_of_columns(record, count), ELEMENTWISE_PEERS[record.name])


@pytest.mark.parametrize("case", one_or_two_of_each(cases_of(ARRAY_PEERS)), ids=str)
def test_arrays(case: Case) -> None:
    agree(run_of_arrays(case), ARRAY_PEERS[case.record.name])


@pytest.mark.parametrize("name", MAKERS)
def test_makers(name: str) -> None:
    given = (MAKERS[name],) if name in ("zeros", "ones") else MAKERS[name]
    close(made(name), getattr(jnp, name)(*given))


@pytest.mark.parametrize(("name", "values", "attributes"), [case for case in CONVENTIONS if case[:2] not in OTHER_CONVENTIONS])
def test_conventions(name: str, values: Any, attributes: dict[str, Any]) -> None:
    agree(run_of_convention(name, values, attributes), ARRAY_PEERS[name])


def test_no_gate_is_forgotten() -> None:
    assert without_peer(ELEMENTWISE_PEERS, ARRAY_PEERS) == NO_PEER
