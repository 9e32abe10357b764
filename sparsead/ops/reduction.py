"""Sums along axes, scatter-adds, and what is built on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced, scatter_sum
from sparsead.ops.folding import along_first
from sparsead.ops.registry import composite, ufunc_method
from sparsead.program.index import IndexArray, Shape, identity, normalize_axes
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import traced
from sparsead.tracing.layout import memory, repeats


@composite(
    np.sum,
    lambda x: np.sum(x * x),
    lambda x: np.sum(x, axis=0),
    lambda x: x.sum(axis=(0, 1), keepdims=True),
    lambda x: x.sum(-1) * x[:, 0],
    family="reduction",
)
def sum(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = 0, where: Any = True) -> Any:
    """``np.sum``."""
    a = traced(a)
    if where is not True:
        a = np.where(where, a, a.dtype.type(0))
    axes = normalize_axes(axis, a.ndim)
    kept = tuple(1 if k in axes else n for k, n in enumerate(a.shape))
    place = np.broadcast_to(identity(kept), a.shape)
    total = scatter_sum(a, place, kept)
    total = total if keepdims else total.reshape(tuple(n for k, n in enumerate(a.shape) if k not in axes))
    return total if type(initial) in (int, float) and initial == 0 else total + initial


ufunc_method(np.add, "reduce", lambda x: np.add.reduce(x), lambda x: np.add.reduce(x, axis=1))(along_first(sum))


@ufunc_method(
    np.subtract, "reduce",
    lambda x: np.subtract.reduce(x * x), lambda x: np.subtract.reduce(x, axis=1, initial=2),
)  # fmt: skip
def subtract_reduce(array: Any, axis: Any = 0, keepdims: bool = False, initial: Any = None) -> Any:
    """``np.subtract.reduce``: the first element, or `initial`, less the sum of the others."""
    array = traced(array)
    np.subtract.reduce(np.zeros(array.shape, array.dtype), axis, initial=np._NoValue if initial is None else 0.0)
    if not array.ndim:
        return array[()] if initial is None else initial - array
    (k,) = normalize_axes(axis, array.ndim)
    first, others = np.split(array, [0 if initial is not None else 1], k)
    return (sum(first, k, keepdims) if initial is None else initial) - sum(others, k, keepdims)


@ufunc_method(
    np.add, "reduceat",
    lambda x: np.add.reduceat(x.ravel(), [0, 5, 3, 7]), lambda x: np.add.reduceat(x, [0, 2], axis=1),
)  # fmt: skip
def add_reduceat(array: Any, indices: Any, axis: int = 0) -> Any:
    """``np.add.reduceat`` with static indices: sums of slices; one element where the next index is not larger."""
    lines = np.moveaxis(array, axis, 0)
    starts = np.asarray(indices)
    np.add.reduceat(np.zeros(len(lines), np.bool_), starts)  # raises what NumPy raises
    lengths = np.maximum(np.append(starts[1:], len(lines)) - starts, 1)
    place = np.repeat(np.arange(len(starts)), lengths)
    source = np.arange(len(place)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    inner = identity(lines.shape[1:]).reshape(1, *lines.shape[1:])
    places = place.reshape(-1, *[1] * inner[0].ndim) * inner.size + inner
    sums: Any = scatter_sum(traced(lines[source]), places, (len(starts), *lines.shape[1:]))
    return np.moveaxis(sums, 0, axis)


@composite(np.mean, np.mean, lambda x: x.mean(axis=1, keepdims=True), family="reduction")
def mean(a: Any, axis: Any = None, keepdims: bool = False, where: Any = True) -> Any:
    """``np.mean``."""
    return sum(a, axis=axis, keepdims=keepdims, where=where) / counted(a, axis, keepdims, where)


def counted(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    """Return how many elements a reduction meets: one number, or an array if `where` chooses."""
    if where is True:
        return int(np.prod([np.shape(a)[k] for k in normalize_axes(axis, np.ndim(a))], dtype=np.int64))
    return np.sum(np.broadcast_to(np.where(where, 1.0, 0.0), np.shape(a)), axis=axis, keepdims=keepdims)


def squared_distance(
    plain: Callable[..., Any], a: Any, axis: Any, ddof: float, keepdims: bool, where: Any, mean: Any, correction: Any
) -> tuple[Any, Any]:
    """Return the sum of squares about the mean, and the number of elements less the degrees of freedom.

    Sum and mean are those of `plain`, which is told what counts by ``where=``.
    """
    if correction is not None:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    if mean is None:
        total = plain(a, axis=axis, keepdims=True, where=where)
        mean = total / counted(a, axis, True, where)
    squares = plain(np.square(a - mean), axis=axis, keepdims=keepdims, where=where)
    return squares, counted(a, axis, keepdims, where) - ddof


OUTSIDE = "Allocate the target inside the traced function."


@ufunc_method(np.add, "at", lambda x: _updated(np.add, x))
def add_at(target: Any, key: Any, value: Any = None) -> None:
    """``np.add.at``: repeated places add up."""
    if not isinstance(target, TracedArray):
        raise unsupported("np.add.at into an array from outside", OUTSIDE)
    target, places = _memory(target, key)
    value = np.broadcast_to(value, places.shape) if np.shape(value) != places.shape else value
    if places.size >= target.size // 2:
        target[...] = target + scatter_sum(traced(value), places, target.shape)
        return
    once, number = np.unique(places, return_inverse=True)  # the few that something is added to
    at_once = np.unravel_index(once, target.shape)
    target[at_once] += scatter_sum(traced(value), number.reshape(places.shape), once.shape)


def _memory(target: TracedArray, key: Any) -> tuple[TracedArray, IndexArray]:
    """Return an array whose elements are each written once for each time that they are named, and their places in it.

    It is the target itself, or the memory of a target whose elements share some.
    """
    if not repeats(target.positions):
        return target, identity(target.shape)[key]
    whole = TracedArray(target.storage, memory((target.storage.size,)))
    return whole, target.positions[key]


@ufunc_method(np.subtract, "at", lambda x: _updated(np.subtract, x))
def subtract_at(target: Any, key: Any, value: Any = None) -> None:
    """``np.subtract.at``."""
    if getattr(getattr(value, "dtype", None), "kind", "f") in "iu":
        value = value.astype(np.float64)  # narrow integers wrap around where they are negated
    add_at(target, key, np.negative(value))


def _at_in_rounds(ufunc: np.ufunc) -> None:
    """State ``ufunc.at``: what comes to one place again comes in a later round."""

    @ufunc_method(ufunc, "at", lambda x: _updated(ufunc, x))
    def at(target: Any, key: Any, value: Any = None) -> None:
        if not isinstance(target, TracedArray):
            raise unsupported(
                "a ufunc.at into an array from outside", "Allocate the target inside the traced function."
            )
        target, places = _memory(target, key)
        values = np.broadcast_to(traced(value), places.shape).reshape(-1)
        flat, order = places.reshape(-1), np.argsort(places.reshape(-1), kind="stable")
        first = np.searchsorted(flat[order], flat[order])
        rounds = np.empty(flat.size, dtype=np.int64)
        rounds[order] = np.arange(flat.size) - first
        for count in range(int(rounds.max(initial=-1)) + 1):
            here = np.flatnonzero(rounds == count)
            at_once = np.unravel_index(flat[here], target.shape)
            target[at_once] = ufunc(target[at_once], values[here])


for _ufunc in (np.multiply, np.divide, np.maximum, np.minimum):
    _at_in_rounds(_ufunc)


def _updated(ufunc: np.ufunc, x: Any) -> Any:
    out = np.ones_like(x)
    ufunc.at(out, ([0, 0, 2], [1, 1, 3]), x[0, :3] * 2.0)
    return out


@composite(np.bincount, lambda x: np.bincount([0, 2, 2, 1], weights=x[0]), family="reduction")
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """``np.bincount`` with static places and traced weights."""
    places = np.asarray(x)
    size = max(int(places.max(initial=-1)) + 1, minlength)
    return scatter_sum(traced(weights), places, (size,))


@composite(
    np.var, lambda x: np.var(x), lambda x: np.var(x, axis=0, ddof=1), lambda x: x.var(axis=1, keepdims=True),
    family="reduction",
)  # fmt: skip
def var(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
        correction: Any = None) -> Any:  # fmt: skip
    """``np.var``: the mean squared distance from the mean."""
    squares, freedom = squared_distance(sum, a, axis, ddof, keepdims, where, mean, correction)
    return squares / np.maximum(freedom, 0.0)


@composite(np.std, lambda x: np.std(x), lambda x: x.std(axis=1, ddof=1), family="reduction")
def std(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
        correction: Any = None) -> Any:  # fmt: skip
    """``np.std``."""
    return np.sqrt(var(a, axis, ddof, keepdims, where=where, mean=mean, correction=correction))


@composite(np.average, lambda x: np.average(x, axis=1), lambda x: np.average(x, axis=0, weights=[1.0, 2.0, 3.0]),
           lambda x: np.average(x, weights=x), family="reduction")  # fmt: skip
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """``np.average``."""
    if weights is None:
        result = mean(a, axis=axis, keepdims=keepdims)
        total: Any = np.full(np.shape(result), float(np.size(a)) / max(np.size(result), 1))[()]
    else:
        weights = np.broadcast_to(_along_axes(weights, np.shape(a), axis), np.shape(a)) * 1.0
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        if not is_traced(total) and np.any(np.equal(total, 0.0)):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        result = sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (result, total) if returned else result


def _along_axes(weights: Any, shape: Shape, axis: Any) -> Any:
    """Give weights, one for each place along some axes, the other axes too, of length 1."""
    if np.shape(weights) == shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = normalize_axes(axis, len(shape))
    if np.shape(weights) != tuple(shape[k] for k in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    weights = np.transpose(weights, np.argsort(axes))
    return np.reshape(weights, [n if k in axes else 1 for k, n in enumerate(shape)])


@composite(np.trace, lambda x: np.trace(x), family="reduction")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``np.trace``."""
    return sum(np.diagonal(a, offset, axis1, axis2), axis=-1)
