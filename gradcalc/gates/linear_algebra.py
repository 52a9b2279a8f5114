"""Matrices: products and what goes with them."""

from __future__ import annotations

import math
from typing import Any

from gradcalc.gates.algebra import total, where
from gradcalc.gates.record import Attribute, Shape, Syntax, Where, gate, trial
from gradcalc.gates.reductions import product_of_others, spell_shape

FAMILY = "linear algebra"


def product_shape(a: Shape, b: Shape) -> Shape:
    """The shape of a matrix product; ValueError where the inner axes differ."""
    if not a or not b:
        raise ValueError("@ takes arrays; for a number write *")
    inner_a, inner_b = a[-1], b[-2] if len(b) > 1 else b[0]
    if inner_a != inner_b:
        raise ValueError(
            f"{spell_shape(a)} @ {spell_shape(b)}: the last axis of the first ({inner_a}) is not the "
            f"{'first axis' if len(b) < 3 else 'last but one'} of the second ({inner_b})"
        )
    batch = broadcast_shapes(a[:-2], b[:-2])
    return batch + (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; ValueError names the shapes that do not fit."""
    first = shapes[0]
    if all(shape == first or not shape for shape in shapes):
        return first if first else next((shape for shape in shapes if shape), ())
    rank = max(map(len, shapes))
    result = []
    for position in range(-rank, 0):
        sizes = {shape[position] for shape in shapes if len(shape) >= -position} - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {' and '.join(spell_shape(s) for s in shapes)} do not fit together")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def spreads(shape: Shape, target: Shape) -> bool:
    """Whether broadcasting repeats an array of this shape to the target."""
    fits = all(size in (1, wanted) for size, wanted in zip(shape[::-1], target[::-1]))
    return fits and len(shape) <= len(target)


def swapped(x: Any) -> Any:
    """The term with its last two axes exchanged."""
    rank = len(x.shape)
    if rank == 2:
        return x.apply("transpose", axes=None)
    return x.apply("transpose", axes=(*range(rank - 2), rank - 1, rank - 2))


def product_pullback(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """dA = G Bᵀ and dB = Aᵀ G, on matrices; vectors are seen as one row or one column."""
    row = a.reshape((1, *a.shape)) if len(a.shape) == 1 else a
    column = b.reshape((*b.shape, 1)) if len(b.shape) == 1 else b
    above = g.reshape(product_shape(row.shape, column.shape))
    by_a = (above @ swapped(column)).sum_to(row.shape).reshape(a.shape)
    by_b = (swapped(row) @ above).sum_to(column.shape).reshape(b.shape)
    return by_a, by_b


def product_axes(a: Shape, b: Shape) -> tuple[tuple[Any, ...], ...]:
    """Which axes of the factors of a matrix product are axes of the product, and which are summed over."""
    batch = broadcast_shapes(a[:-2], b[:-2])

    def outer(shape: Shape) -> tuple[Any, ...]:
        own = shape[:-2]
        return tuple(number if size == batch[number] else None for number, size in enumerate(own, len(batch) - len(own)))

    labels_a = (*outer(a), "row", "sum") if len(a) > 1 else ("sum",)
    labels_b = (*outer(b), "sum", "column") if len(b) > 1 else ("sum",)
    rows: tuple[Any, ...] = ("row",) if len(a) > 1 else ()
    columns: tuple[Any, ...] = ("column",) if len(b) > 1 else ()
    return labels_a, labels_b, (*range(len(batch)), *rows, *columns)


def product_of_lanes(np: Any, a: Any, b: Any, ranks: tuple[int, ...]) -> Any:
    """A matrix product where both factors have further axes in front."""
    front = np.ndim(a) - ranks[0]
    row = a[..., None, :] if ranks[0] == 1 else a
    column = b[..., None] if ranks[1] == 1 else b
    rank = max(row.ndim, column.ndim)
    row = row.reshape(*row.shape[:front], *(1,) * (rank - row.ndim), *row.shape[front:])
    column = column.reshape(*column.shape[:front], *(1,) * (rank - column.ndim), *column.shape[front:])
    # A product of columns and rows needs no sums, and many small ones are quicker so.
    product = row * column if row.shape[-1] == 1 else np.matmul(row, column)
    product = product[..., 0] if ranks[1] == 1 else product
    return product[..., 0] if ranks[0] == 1 and ranks[1] == 1 else product[..., 0, :] if ranks[0] == 1 else product


gate(
    "@",
    "matrix product",
    family=FAMILY,
    sentence="Gives the first input `G @ b.T`, and the second `a.T @ G`, where G is the gradient.",
    arity=2,
    syntax=Syntax("infix", "@", 3),
    array="matmul",
    shape=product_shape,
    lanes=product_of_lanes,
    along=product_axes,
    pullback=product_pullback,
    analytic=True,
    linear=True,
    trials=(
        trial((2, 3), (3, 2)),
        trial((3,), (3, 2)),
        trial((2, 3), (3,)),
        trial((3,), (3,)),
        trial((2, 2, 3), (3, 2)),
        trial((2, 1, 2, 3), (2, 3, 1)),
        trial((2, 2, 3), (3,)),
        trial((3,), (2, 3, 2)),
    ),
    example='x@W --x [1,2] --W "[[1,2,3],[4,5,6]]"',
)


def _transposed_shape(x: Shape, *, axes: tuple[int, ...] | None) -> Shape:
    if axes is None:
        return x[::-1]
    if sorted(axis % max(len(x), 1) for axis in axes) != list(range(len(x))):
        raise ValueError(f"axes {list(axes)} are not an order of the {len(x)} axes of shape {spell_shape(x)}")
    return tuple(x[axis] for axis in axes)


def axes_order(x: Shape, axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """The order of the axes as numbers from 0."""
    return tuple(reversed(range(len(x)))) if axes is None else tuple(axis % len(x) for axis in axes)


def _inverse_order(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if axes is None:
        return None
    order = [axis % len(axes) for axis in axes]
    return tuple(order.index(number) for number in range(len(order)))


gate(
    "transpose",
    "transposed array, the axes in reverse or in the given order",
    family=FAMILY,
    sentence="Transposes the gradient.",
    attributes=(Attribute("axes", "axis", None),),
    syntax=Syntax("postfix", ".T", 6),
    array=lambda np, x, axes: np.transpose(x, axes),
    shape=_transposed_shape,
    along=lambda x, axes: (tuple(range(len(x))), axes_order(x, axes)),
    pullback=lambda g, y, x, axes: (g.apply("transpose", axes=_inverse_order(axes)),),
    analytic=True,
    linear=True,
    trials=(trial((2, 3)), trial((2, 3, 2), axes=(1, 2, 0)), trial((3,)), trial((2, 1, 3), axes=(-1, 0, 1)), trial(())),
    spelled={"latex": r"{0}^{{\top}}"},
    example='x.T --x "[[1,2],[3,4]]"',
)


gate(
    "outer",
    "all products of an element of the first and one of the second",
    family=FAMILY,
    sentence="Hands to each vector the gradient's rows, or columns, weighted by the other one and summed.",
    arity=2,
    array="outer",
    shape=lambda a, b: (math.prod(a), math.prod(b)),
    pullback=lambda g, y, a, b: (
        (g @ b.reshape((math.prod(b.shape),))).reshape(a.shape),
        (swapped(g) @ a.reshape((math.prod(a.shape),))).reshape(b.shape),
    ),
    analytic=True,
    linear=True,
    trials=(trial((2,), (3,)), trial((2, 2), (3,)), trial((), (3,)), trial((1,), (1,))),
    spelled={"torch": "torch.outer({0}.flatten(), {1}.flatten())"},
    example="outer(a, b) --a [1,2] --b [3,4,5]",
)


def _trace_shape(x: Shape) -> Shape:
    if len(x) < 2:
        raise ValueError(f"trace takes a matrix, not {spell_shape(x)}")
    return x[2:]


gate(
    "trace",
    "sum of the diagonal",
    family=FAMILY,
    sentence="Hands the gradient on to the elements of the diagonal.",
    array="trace",
    shape=_trace_shape,
    pullback=lambda g, y, x: (
        g.reshape((1, 1, *g.shape)) * x.make("eye", *map(float, x.shape[:2])).reshape((*x.shape[:2], *[1] * len(g.shape))),
    ),
    analytic=True,
    linear=True,
    trials=(trial((3, 3)), trial((2, 3)), trial((3, 2)), trial((2, 2, 3)), trial((1, 1))),
    spelled={"torch": "torch.diagonal({0}, dim1=0, dim2=1).sum(dim=-1)", "latex": r"\operatorname{tr}"},
    example='trace(x) --x "[[1,2],[3,4]]"',
)


def _square(name: str, x: Shape) -> None:
    if len(x) < 2 or x[-1] != x[-2]:
        raise ValueError(f"{name} takes a square matrix, not {spell_shape(x)}")


def _square_shape(name: str) -> Any:
    def shape(x: Shape) -> Shape:
        _square(name, x)
        return x

    return shape


def _each_matrix(np: Any, function: Any, *arrays: Any, otherwise: float = math.inf) -> Any:
    """A function of matrices; where one of them is singular, its own result is inf (or what stands for it)."""
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        batch = np.broadcast_shapes(*[array.shape[:-2] for array in arrays])
        spread = [np.broadcast_to(array, (*batch, *array.shape[-2:])) for array in arrays]
        last = spread[-1]
        result = np.full((*batch, last.shape[-2], last.shape[-1]), otherwise, dtype=np.result_type(*arrays, float))
        for place in np.ndindex(*batch):
            try:
                result[place] = function(*[array[place] for array in spread])
            except np.linalg.LinAlgError:
                continue
        return result


def _is_singular(x: Any) -> Any:
    import numpy

    return numpy.linalg.det(x) == 0


gate(
    "inv",
    "inverse of a matrix",
    family=FAMILY,
    sentence="Gives `-y.T @ G @ y.T`, where `y` is the inverse and G the gradient.",
    array=lambda np, x: _each_matrix(np, np.linalg.inv, np.asarray(x)),
    shape=_square_shape("inv"),
    pullback=lambda g, y, x: (-(swapped(y) @ g @ swapped(y)),),
    domain=Where("det(x) != 0", lambda x: ~_is_singular(x)),
    analytic=True,
    eliminates=True,
    trials=(trial((2, 2)), trial((3, 3)), trial((2, 2, 2)), trial((1, 1))),
    spelled={"numpy": "{np}.linalg.inv({0})", "torch": "torch.linalg.inv({0})", "latex": r"{0}^{{-1}}"},
    example='inv(x) --x "[[1,2],[3,4]]"',
)


def _cofactors(np: Any, x: Any) -> Any:
    """By singular values, so that a singular matrix has cofactors, too: those of U S V are det(U V) U cofactors(S) V."""

    def cofactors(x: Any) -> Any:
        u, values, v = np.linalg.svd(x)
        signs = np.linalg.det(u) * np.linalg.det(v)
        return signs[..., None, None] * ((u * product_of_others(np, values, (-1,))[..., None, :]) @ v)

    return _each_matrix(np, cofactors, np.asarray(x), otherwise=math.nan)


EXACT_MINORS = 10
"""Up to this size the derivative of cofactors is written by the minors, in a form that is right for singular matrices, too."""


def _cofactors_pullback(g: Any, y: Any, x: Any) -> tuple[Any]:
    count = x.shape[-1]
    if count > EXACT_MINORS:
        determinant = x.apply("det").reshape((*x.shape[:-2], 1, 1))
        along = total(g * y, axis=(-2, -1), keepdims=True)
        return ((along * y - y @ swapped(g) @ y) / determinant,)
    # Cofactor (i, j) is the determinant of the matrix whose row i is 0 but for a 1 at j.
    batch = x.shape[:-2]
    unit = x.make("eye", float(count))
    row = unit.reshape((count, 1, count, 1)).broadcast_to((count, count, count, count)).apply("==", 1.0)
    inserted = unit.reshape((1, count, 1, count)).broadcast_to((count, count, count, count))
    grid = (*batch, count, count, count, count)
    replaced = where(row, inserted, x.reshape((*batch, 1, 1, count, count)).broadcast_to(grid))
    by_grid = g.reshape((*batch, count, count, 1, 1)) * replaced.apply("cofactors")
    return (total(where(row, 0.0, by_grid), axis=(-4, -3), keepdims=False),)


gate(
    "det",
    "determinant",
    family=FAMILY,
    sentence="Hands to each element the gradient times its cofactor.",
    array=lambda np, x: np.linalg.det(x),
    shape=lambda x: _square_shape("det")(x)[:-2],
    pullback=lambda g, y, x: (g.reshape((*g.shape, 1, 1)) * x.apply("cofactors"),),
    analytic=True,
    eliminates=True,
    trials=(trial((2, 2)), trial((3, 3)), trial((2, 3, 3)), trial((1, 1))),
    spelled={"numpy": "{np}.linalg.det({0})", "torch": "torch.linalg.det({0})", "latex": r"\det"},
    example='det(x) --x "[[1,2],[3,4]]"',
)
gate(
    "cofactors",
    "for each element of a matrix the determinant without its row and column, with the signs of a chess board",
    family=FAMILY,
    sentence="Hands to each element the cofactors of the others' cofactors.",
    array=_cofactors,
    shape=_square_shape("cofactors"),
    pullback=_cofactors_pullback,
    eliminates=True,
    trials=(trial((2, 2)), trial((3, 3)), trial((2, 2, 2)), trial((1, 1))),
    example='cofactors(x) --x "[[1,2],[3,4]]"',
)


def _solution_shape(a: Shape, b: Shape) -> Shape:
    _square("solve", a)
    if not b:
        raise ValueError("solve takes a vector or a matrix as its second input, not a number")
    rows = b[0] if len(b) == 1 else b[-2]
    if rows != a[-1]:
        raise ValueError(f"solve: the matrix is {spell_shape(a)}, the right side {spell_shape(b)} has {rows} rows")
    if len(b) == 1:
        return a[:-1]
    return (*broadcast_shapes(a[:-2], b[:-2]), *b[-2:])


def _solve(np: Any, a: Any, b: Any) -> Any:
    a, b = np.asarray(a), np.asarray(b)
    if b.ndim > 1:
        return _each_matrix(np, np.linalg.solve, a, b)
    return _each_matrix(np, np.linalg.solve, a, b[:, None])[..., 0]


def _solve_pullback(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The gradient of the right side is the solution with the transposed matrix; a vector is seen as one column."""
    vector = len(b.shape) == 1
    above = g.reshape((*g.shape, 1)) if vector else g
    solution = y.reshape((*y.shape, 1)) if vector else y
    by_column = swapped(a).apply("solve", above)
    by_a = -(by_column @ swapped(solution)).sum_to(a.shape)
    by_b = by_column.reshape(by_column.shape[:-1]) if vector else by_column
    return by_a, by_b.sum_to(b.shape)


gate(
    "solve",
    "the x for which a @ x = b",
    family=FAMILY,
    sentence="Gives the second input `h = solve(a.T, G)`, where G is the gradient, and the first `-h @ y.T`; `y` is the solution.",
    arity=2,
    array=_solve,
    shape=_solution_shape,
    pullback=_solve_pullback,
    domain=Where("det(a) != 0", lambda a, b: ~_is_singular(a)),
    analytic=True,
    eliminates=True,
    trials=(
        trial((2, 2), (2,)),
        trial((3, 3), (3, 2)),
        trial((2, 2, 2), (2, 1)),
        trial((2, 2), (3, 2, 2)),
        trial((2, 2, 2), (2,)),
    ),
    spelled={"numpy": "{np}.linalg.solve({0}, {1})"},
    example='solve(A, b) --A "[[2,1],[1,3]]" --b [1,2]',
)
