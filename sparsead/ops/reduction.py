"""Sums along axes, scatter-adds, and what is built on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import composite, scatter_sum, traced, ufunc_method
from sparsead.program.index import identity, normalize_axes
from sparsead.tracing.array import TracedArray


@composite(
    np.sum,
    lambda x: np.sum(x * x),
    lambda x: np.sum(x, axis=0),
    lambda x: x.sum(axis=(0, 1), keepdims=True),
    lambda x: x.sum(-1) * x[:, 0],
    family="reduction",
)
def sum(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = 0, where: Any = True
) -> Any:
    """``np.sum``; `where` must be a static mask."""
    a = traced(a)
    if where is not True:
        a = np.where(where, a, 0.0)
    axes = normalize_axes(axis, a.ndim)
    kept = tuple(1 if k in axes else n for k, n in enumerate(a.shape))
    place = np.broadcast_to(identity(kept), a.shape)
    total = scatter_sum(a, place, kept)
    total = total if keepdims else total.reshape(tuple(n for k, n in enumerate(a.shape) if k not in axes))
    return total if initial == 0 else total + initial


@ufunc_method(np.add, "reduce", lambda x: np.add.reduce(x), lambda x: np.add.reduce(x, axis=1))
def add_reduce(array: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """``np.add.reduce``: the sum along the first axis unless told otherwise."""
    return sum(array, axis=axis, **kwargs)


@ufunc_method(
    np.add, "reduceat",
    lambda x: np.add.reduceat(x.ravel(), [0, 5, 3, 7]), lambda x: np.add.reduceat(x, [0, 2], axis=1),
)  # fmt: skip
def add_reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """``np.add.reduceat`` with static indices: sums of slices; one element where the next index is not larger."""
    lines = np.moveaxis(array, axis, 0)
    starts = np.asarray(indices)
    lengths = np.maximum(np.append(starts[1:], len(lines)) - starts, 1)
    place = np.repeat(np.arange(len(starts)), lengths)
    source = np.arange(len(place)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    inner = identity(lines.shape[1:]).reshape(1, *lines.shape[1:])
    places = place.reshape(-1, *[1] * inner[0].ndim) * inner.size + inner
    sums: Any = scatter_sum(traced(lines[source]), places, (len(starts), *lines.shape[1:]))
    return np.moveaxis(sums, 0, axis)


@composite(np.mean, np.mean, lambda x: x.mean(axis=1, keepdims=True), family="reduction")
def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = True) -> Any:
    """``np.mean``."""
    if where is not True:
        raise unsupported("np.mean with where=", "Divide np.sum(a, where=mask) by mask.sum().")
    axes = normalize_axes(axis, np.ndim(a))
    count = int(np.prod([np.shape(a)[k] for k in axes], dtype=np.int64))
    return sum(a, axis=axis, keepdims=keepdims) / count


@ufunc_method(np.add, "at", lambda x: _updated(np.add, x))
def add_at(target: Any, key: Any, value: Any) -> None:
    """``np.add.at``: repeated places add up."""
    if not isinstance(target, TracedArray):
        raise unsupported("a ufunc.at into an array from outside", "Allocate the target inside the traced function.")
    places = identity(target.shape)[key]
    value = np.broadcast_to(value, places.shape) if np.shape(value) != places.shape else value
    target[...] = target + scatter_sum(traced(value), places, target.shape)


@ufunc_method(np.subtract, "at", lambda x: _updated(np.subtract, x))
def subtract_at(target: Any, key: Any, value: Any) -> None:
    """``np.subtract.at``."""
    add_at(target, key, np.negative(value))


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
def var(a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """``np.var``: the mean squared distance from the mean."""
    distance = a - mean(a, axis=axis, keepdims=True)
    count = np.size(distance) / max(np.size(np.sum(distance, axis=axis, keepdims=True)), 1)
    return sum(distance * distance, axis=axis, keepdims=keepdims) / (count - ddof)


@composite(np.std, lambda x: np.std(x), lambda x: x.std(axis=1, ddof=1), family="reduction")
def std(a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """``np.std``."""
    return np.sqrt(var(a, axis=axis, ddof=ddof, keepdims=keepdims))


@composite(np.average, lambda x: np.average(x, axis=1), lambda x: np.average(x, axis=0, weights=[1.0, 2.0, 3.0]),
           lambda x: np.average(x, weights=x), family="reduction")  # fmt: skip
def average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """``np.average``."""
    if weights is None:
        return mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):
        weights = np.reshape(weights, [n if k == axis % np.ndim(a) else 1 for k, n in enumerate(np.shape(a))])
    total = sum(np.broadcast_to(weights, np.shape(a)), axis=axis, keepdims=keepdims)
    return sum(a * weights, axis=axis, keepdims=keepdims) / total


@composite(np.trace, lambda x: np.trace(x), family="reduction")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``np.trace``."""
    return sum(np.diagonal(a, offset, axis1, axis2), axis=-1)
