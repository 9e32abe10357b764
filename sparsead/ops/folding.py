"""Reductions by a binary operation, as pairwise trees, and running reductions, as recurrences.

At ties of ``max`` and ``min`` the first element in C order counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported, user_origin
from sparsead.ops.elementwise import add, maximum, minimum, multiply
from sparsead.ops.registry import composite, ufunc_method
from sparsead.program.index import identity, normalize_axes
from sparsead.program.nodes import Earlier, Map, Ref, Scan, whole
from sparsead.program.scalar import Op
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import traced

Binary = Callable[[Any, Any], Any]


def tree(combine: Binary, a: Any) -> Any:
    """Combine the elements along axis 0, neighbours first."""
    n = len(a)
    if n == 1:
        return a[0]
    if n % 2:
        return combine(tree(combine, a[:-1]), a[-1])
    return tree(combine, combine(a[0::2], a[1::2]))


def scan(op: Op, a: Any) -> Any:
    """Combine each element along axis 0 with all before it, one after the other, as NumPy does."""
    held = traced(a)
    held = held.astype(int) if held.dtype == np.bool_ else held
    if len(held) < 2:
        return held.copy()
    read, lanes = held.ref, held.size // len(held)
    flat = Ref(read.node, read.index.reshape(-1))
    earlier = Earlier(shape=(held.size,))
    before = Ref(earlier, identity((held.size - lanes,)))
    origin = user_origin()
    body = Map(shape=before.shape, op=op, args=(before, Ref(flat.node, flat.index[lanes:])), origin=origin)
    start = Ref(flat.node, flat.index[:lanes])
    integer = held.dtype.kind == "i"
    node = Scan(
        shape=earlier.shape, integer=integer, earlier=earlier, start=start, bodies=(whole(body),), origin=origin
    )
    return TracedArray.of_ref(Ref(node, identity(held.shape)))


def fold(ufunc: np.ufunc, empty: float | None = None) -> Callable[..., Any]:
    """Return the reduction by `ufunc` with NumPy's arguments; `empty` is its value on nothing."""

    def reduce(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
        a = traced(a)
        if type(empty) is bool and a.dtype != np.bool_:  # of one element there is nothing to combine
            a = np.not_equal(a, 0.0)
        if ufunc is np.multiply and a.dtype == np.bool_:
            a = a.astype(int)
        if where is not True:
            if empty is None and initial is None:
                raise ValueError(
                    f"reduction operation '{ufunc.__name__}' does not have an identity, so to use a where mask one has "
                    "to specify 'initial'"
                )
            a = np.where(where, a, initial if empty is None else empty)
        axes = normalize_axes(axis, a.ndim)
        kept = tuple(n for k, n in enumerate(a.shape) if k not in axes)
        count = int(np.prod([a.shape[k] for k in axes], dtype=np.int64))
        line = np.moveaxis(a, axes, range(len(axes))).reshape((count, *kept))
        if len(line) == 0:
            if empty is None and initial is None:
                raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
            result = np.full(kept, empty if initial is None else initial)
        else:
            result = tree(ufunc, line) if count > 1 else np.copy(line[0])
            result = result if initial is None else ufunc(result, initial)
        return np.reshape(result, tuple(1 if k in axes else n for k, n in enumerate(a.shape))) if keepdims else result

    return reduce


def running(op: Op) -> Callable[..., Any]:
    """Return the running reduction by an operation along an axis (None: of the flattened array)."""

    def accumulate(a: Any, axis: int | None = None) -> Any:
        a = np.ravel(a) if axis is None or np.ndim(a) == 0 else a
        axis = 0 if axis is None else axis
        return np.moveaxis(scan(op, np.moveaxis(a, axis, 0)), 0, axis)

    return accumulate


def along_first(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reduction with the arguments of the method ``reduce`` of ufuncs: of the first axis unless told."""

    def method(array: Any, axis: Any = 0, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
        given = {} if initial is None else {"initial": initial}
        return reduce(array, axis=axis, keepdims=keepdims, where=where, **given)

    return method


def folding(func: Callable[..., Any], ufunc: Any, empty: float | None = None) -> None:
    """State that `func`, and ``ufunc.reduce``, combine the elements along axes by `ufunc`."""
    reduce = fold(ufunc, empty)
    composite(
        func,
        lambda x: func(x),
        lambda x: func(x, axis=0, keepdims=True),
        lambda x: func(x, axis=(0, 1), initial=0.5),
        family="reduction",
    )(reduce)
    reducing(ufunc, reduce)


def reducing(ufunc: Any, reduce: Callable[..., Any]) -> None:
    """State ``ufunc.reduce`` by a reduction."""
    ufunc_method(ufunc, "reduce", lambda x: ufunc.reduce(x), lambda x: ufunc.reduce(x, axis=1))(along_first(reduce))


def of_slices(ufunc: Any) -> None:
    """State that ``ufunc.reduceat`` reduces the slices between static indices: those of one length at once."""

    def reduceat(array: Any, indices: Any, axis: int = 0) -> Any:
        lines, starts = np.moveaxis(array, axis, 0), np.asarray(indices)
        np.add.reduceat(np.zeros(len(lines), np.bool_), starts)  # raises what NumPy raises
        if lines.dtype.kind != "f":
            raise unsupported(f"np.{ufunc.__name__}.reduceat of {lines.dtype}", "Make them numbers: astype(float).")
        lengths = np.maximum(np.append(starts[1:], len(lines)) - starts, 1)
        slices: Any = traced(np.zeros((len(starts), *lines.shape[1:])))
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            slices[rows] = ufunc.reduce(lines[starts[rows, None] + np.arange(length)], axis=1)
        return np.moveaxis(slices, 0, axis)

    ufunc_method(
        ufunc, "reduceat",
        lambda x: ufunc.reduceat(x.ravel(), [0, 5, 3, 7]), lambda x: ufunc.reduceat(x, [0, 2], axis=1),
    )(reduceat)  # fmt: skip


def folding_conditions(func: Callable[..., Any], ufunc: Any, empty: bool) -> None:
    """State the same of a function of conditions."""
    reduce = fold(ufunc, empty)

    def definition(a: Any, axis: Any = None, keepdims: bool = False, where: Any = True) -> Any:
        return reduce(a, axis, keepdims, where=where)

    composite(func, lambda x: np.where(func(x > 0.35, axis=1), x[:, 0], x[:, 1]), family="reduction")(definition)
    ufunc_method(ufunc, "reduce", lambda x: np.where(ufunc.reduce(x > 0.35), x[0], x[1]))(along_first(reduce))


def accumulating(op: Op, func: Callable[..., Any] | None = None) -> None:
    """State that ``accumulate`` of the ufunc, and `func` if given, combine each element with all before it."""
    accumulate = running(op)
    ufunc: Any = op.numpy
    ufunc_method(ufunc, "accumulate", lambda x: ufunc.accumulate(x, axis=1))(
        lambda array, axis=0: accumulate(array, axis)
    )
    if func is not None:
        composite(func, lambda x: func(x), lambda x: func(x, axis=1), family="reduction")(accumulate)


folding(np.max, np.maximum)
folding(np.min, np.minimum)
folding(np.nanmax, np.fmax)
folding(np.nanmin, np.fmin)
folding(np.prod, np.multiply, empty=1.0)
reducing(np.logaddexp, fold(np.logaddexp, -np.inf))
reducing(np.hypot, fold(np.hypot, 0.0))
for _ufunc in (np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.hypot):
    of_slices(_ufunc)
folding_conditions(np.all, np.logical_and, empty=True)
folding_conditions(np.any, np.logical_or, empty=False)
accumulating(add, np.cumsum)
accumulating(multiply, np.cumprod)
accumulating(maximum)
accumulating(minimum)


@composite(np.ptp, np.ptp, lambda x: np.ptp(x, axis=1), family="reduction")
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``max - min``."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
