"""Further names of functions that are stated elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from sparsead.ops.elementwise import add, multiply
from sparsead.ops.folding import running
from sparsead.ops.query import numbers
from sparsead.ops.registry import REGISTRY, Sample, composite, query, rule_of, spelling_of
from sparsead.program.index import normalize_axes
from sparsead.program.scalar import Op


def same(func: Callable[..., Any], *samples: Sample, original: Callable[..., Any]) -> None:
    """State that `func` means, for the same arguments, what `original` does."""
    family = next(e.family for e in REGISTRY if e.spelling == spelling_of(original))
    composite(func, *samples, family=family)(rule_of(original))


same(np.amax, np.amax, lambda x: np.amax(x, axis=1, keepdims=True), original=np.max)
same(np.amin, np.amin, lambda x: np.amin(x, axis=0), original=np.min)
same(np.around, lambda x: x * np.around(5.0 * x, 1), original=np.round)
same(np.linalg.tensordot, lambda x: np.linalg.tensordot(x, x, axes=2), original=np.tensordot)
same(np.linalg.matmul, lambda x: np.linalg.matmul(x, x.T), original=np.matmul)
same(scipy.special.expm1, scipy.special.expm1, original=np.expm1)
same(scipy.special.log1p, scipy.special.log1p, original=np.log1p)
same(scipy.special.exp2, scipy.special.exp2, original=np.exp2)
same(scipy.special.cbrt, scipy.special.cbrt, original=np.cbrt)
same(scipy.special.round, lambda x: x * scipy.special.round(5.0 * x), original=np.rint)


@composite(np.linalg.outer, lambda x: np.linalg.outer(x[0], x[:, 1]), family="contraction")
def outer(x1: Any, x2: Any, /) -> Any:
    """``np.linalg.outer``: of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are x1.ndim={np.ndim(x1)} and x2.ndim={np.ndim(x2)}."
        )
    return np.outer(x1, x2)


@composite(np.linalg.cross, lambda x: np.linalg.cross(x[:, :3], x[:, 1:]), family="contraction")
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """``np.linalg.cross``: of vectors with three components."""
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, "
            f"but they are {np.shape(x1)[axis]} and {np.shape(x2)[axis]} dimensional instead."
        )
    return np.cross(x1, x2, axis=axis)


@composite(np.matrix_transpose, lambda x: np.matrix_transpose(np.stack([x, x * x])), family="movement")
def matrix_transpose(x: Any) -> Any:
    """``np.matrix_transpose``: the last two axes exchanged."""
    if np.ndim(x) < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {np.ndim(x)}")
    return np.swapaxes(x, -1, -2)


same(np.linalg.matrix_transpose, lambda x: np.linalg.matrix_transpose(x), original=np.matrix_transpose)


@composite(np.linalg.diagonal, lambda x: np.linalg.diagonal(x, offset=1), family="movement")
def diagonal(x: Any, *, offset: int = 0) -> Any:
    """``np.linalg.diagonal``: over the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@composite(np.linalg.trace, lambda x: np.linalg.trace(np.stack([x, x * x])), family="reduction")
def trace(x: Any, *, offset: int = 0) -> Any:
    """``np.linalg.trace``: over the last two axes."""
    return np.sum(diagonal(x, offset=offset), axis=-1)


@composite(np.linalg.vector_norm, lambda x: np.linalg.vector_norm(x), lambda x: np.linalg.vector_norm(x, axis=1, ord=1),
           family="linear algebra")  # fmt: skip
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """``np.linalg.vector_norm``."""
    axes = normalize_axes(axis, np.ndim(x))
    lines = np.moveaxis(x, axes, range(len(axes)))
    around = np.shape(lines)[len(axes) :]
    value = np.linalg.norm(np.reshape(lines, (-1, *around)), ord=ord, axis=0)
    return np.expand_dims(value, sorted(axes)) if keepdims else value


@composite(np.linalg.matrix_norm, lambda x: np.linalg.matrix_norm(x), family="linear algebra")
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """``np.linalg.matrix_norm``: over the last two axes."""
    return np.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


# -- products that are ufuncs since NumPy 2.0 and 2.2 -------------------------------------------------------------
@composite(np.vecdot, lambda x: np.vecdot(x, x[::-1]), lambda x: np.vecdot(x.T, x[:, 0]), family="contraction")
def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """``np.vecdot``."""
    if np.shape(a)[axis] != np.shape(b)[axis]:  # vectors are not broadcast, only stacks of them
        raise ValueError(f"vecdot: vectors of {np.shape(a)[axis]} and of {np.shape(b)[axis]} elements")
    return np.sum(np.multiply(np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)), axis=-1)


same(np.linalg.vecdot, lambda x: np.linalg.vecdot(x, x[::-1]), original=np.vecdot)

if hasattr(np, "matvec"):  # NumPy 2.2

    @composite(np.matvec, lambda x: np.matvec(x, x[0]), family="contraction")
    def matvec(a: Any, b: Any) -> Any:
        """``np.matvec``."""
        return np.matmul(a, np.expand_dims(b, -1))[..., 0]

    @composite(np.vecmat, lambda x: np.vecmat(x[:, 0], x), family="contraction")
    def vecmat(a: Any, b: Any) -> Any:
        """``np.vecmat``."""
        return np.matmul(np.expand_dims(a, -2), b)[..., 0, :]


# -- running sums of the array API standard ------------------------------------------------------------------------
def cumulative(func: Callable[..., Any], op: Op, first: float) -> None:
    """State a running reduction that may begin with the value of nothing."""
    accumulate = running(op)

    def definition(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
        if axis is None and np.ndim(x) > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0 if axis is None else axis
        x = np.atleast_1d(x)
        total = accumulate(x, axis=axis)
        if not include_initial:
            return total
        shape = list(np.shape(x))
        shape[axis] = 1
        return np.concatenate([np.full(shape, first), total], axis=axis)

    composite(
        func,
        lambda x: func(x, axis=1),
        lambda x: func(x[0], include_initial=True),
        family="reduction",
    )(definition)


if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    cumulative(np.cumulative_sum, add, 0.0)
    cumulative(np.cumulative_prod, multiply, 1.0)

# -- complex functions of real arrays ------------------------------------------------------------------------------
query(np.conjugate, lambda x: x.copy("K"), lambda x: x * np.conj(x), lambda x: np.conjugate(x))
query(np.imag, lambda val: numbers(val).imag, lambda x: x + np.imag(x), as_given="val")
query(
    np.angle,
    lambda z, deg=False: np.where(np.less(z, 0.0), 180.0 if deg else np.pi, 0.0),
    lambda x: x + np.angle(x - 0.5),
)
query(np.real_if_close, lambda a, tol=100: a, np.real_if_close)
query(np.iscomplex, lambda x: np.zeros(x.shape, bool), lambda x: np.where(np.iscomplex(x), 0.0, x))
query(np.isreal, lambda x: np.ones(x.shape, bool), lambda x: np.where(np.isreal(x), x, 0.0) + x * np.isreal(x))
