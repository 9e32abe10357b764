"""Functions that write into an array, or choose from several, by places: all places are static."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.ops.arrays import known
from sparsead.ops.registry import composite
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.flat import put_flat
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.probing import refuse_own_memory
from sparsead.tracing.scalar import TracedScalar


@composite(np.copyto, lambda x: _copied(x))
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """``np.copyto``."""
    if _are_same(dst, src):
        return
    if not isinstance(dst, (TracedArray, TracedComplex)):
        dst[...] = src  # refused with the reason
    as_numpy_writes(np.copyto, dst, src, casting, where)
    if dst.size:  # NumPy does not look at the mask otherwise
        dst[...] = src if where is True else np.where(where, src, dst)


def as_numpy_writes(func: Callable[..., Any], target: Any, *args: Any) -> None:
    """Raise what NumPy raises for a write: it is made on arrays of ones of the same shapes and types.

    Refuse one whose result depends on the order in which NumPy reads and writes.
    """
    written = np.ones(np.shape(target), target.dtype)
    written.flags.writeable = target.flags.writeable
    func(written, *map(_ones, args))
    if isinstance(target, Positioned):
        refuse_own_memory(func, target, args)


def _ones(value: Any) -> Any:
    if isinstance(value, TracedScalar) or (isinstance(value, TracedComplex) and value.is_number):
        return value.dtype.type(1)
    value = stack_objects(value)
    return np.ones(value.shape, value.dtype) if isinstance(value, (TracedArray, TracedComplex)) else value


def _are_same(a: Any, b: Any) -> bool:
    """Tell whether two arrays are the same elements in the same order."""
    if type(a) is not type(b) or not isinstance(a, (TracedArray, TracedComplex)):
        return False
    if a.size == 0:  # the strides of these are not mirrored
        return a.storage is b.storage and a.shape == b.shape
    keys = [(v.shape, v.positions.__array_interface__["data"][0], v.positions.strides) for v in (a, b)]
    return a.storage is b.storage and keys[0] == keys[1]


def _copied(x: Any) -> Any:
    out = np.zeros_like(x)
    np.copyto(out, x * x)
    return out


@composite(np.fill_diagonal, lambda x: _diagonal_filled(x))
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """``np.fill_diagonal``."""
    as_numpy_writes(np.fill_diagonal, a, val, wrap)
    mask = np.zeros(a.shape, np.bool_)
    np.fill_diagonal(mask, True, wrap)
    if np.size(val):
        a[mask] = np.resize(val, int(mask.sum()))


def _diagonal_filled(x: Any) -> Any:
    out = x * 2.0
    np.fill_diagonal(out, x[0, :3] ** 2)
    return out


@composite(np.put, lambda x: _put(x))
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """``np.put`` with static places, which count in C order whatever the memory is like."""
    if not isinstance(a, (TracedArray, TracedComplex)):
        np.asarray(stack_objects(v))  # refused, with the reason
    ind = known(ind, "the places of np.put")
    as_numpy_writes(np.put, a, ind, v, mode)
    if np.size(v) == 0:
        return
    places = np.ravel(np.take(np.arange(np.size(a)), ind, mode=mode))  # type: ignore[call-overload]
    put_flat(a, places, v)


def _put(x: Any) -> Any:
    out = x * 1.0
    np.put(out, [0, -1, 5], x[0, :2])
    return out


@composite(np.putmask, lambda x: _masked(np.putmask, x))
def putmask(a: Any, mask: Any, values: Any) -> None:
    """``np.putmask``: the value at the same place, repeated as needed."""
    as_numpy_writes(np.putmask, a, mask, values)
    if np.size(values):
        a[...] = np.where(np.reshape(mask, np.shape(a)), np.resize(values, np.shape(a)), a)


@composite(np.place, lambda x: _masked(np.place, x))
def place(arr: Any, mask: Any, vals: Any) -> None:
    """``np.place`` with a static mask: one value after the other."""
    mask = np.asarray(known(mask, "np.place with mask="))
    as_numpy_writes(np.place, arr, mask, vals)
    put(arr, np.flatnonzero(mask), vals)


def _masked(func: Callable[..., Any], x: Any) -> Any:
    out = x * 1.0
    func(out, np.eye(3, 4) > 0, x[:2, 3] ** 2)
    return out


@composite(np.put_along_axis, lambda x: _put_along(x))
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """``np.put_along_axis`` with static places."""
    indices = known(indices, "np.put_along_axis with indices=")
    as_numpy_writes(np.put_along_axis, arr, indices, values, axis)
    numbers = np.arange(np.size(arr)).reshape(np.shape(arr))
    places = np.take_along_axis(numbers, np.asarray(indices), axis)
    put(arr, places, np.broadcast_to(values, np.shape(places)).reshape(-1))


def _put_along(x: Any) -> Any:
    out = x * 1.0
    np.put_along_axis(out, np.array([[1], [0], [3]]), x[:, :1] * x[:, 1:2], axis=1)
    return out


@composite(
    np.choose, lambda x: np.choose([0, 2, 1, 0], [x, x * x, 1.0]), lambda x: np.choose([5, -1, 0, 1], x, mode="wrap")
)
def choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    """``np.choose`` with static choices."""
    a = known(a, "np.choose with a=")
    candidates = [stack_objects(c) for c in choices]
    shape = np.broadcast_shapes(np.shape(a), *(np.shape(c) for c in candidates))
    number = np.choose(a, [np.full(shape, k) for k in range(len(candidates))], mode=mode)
    stacked: Any = np.stack([np.broadcast_to(c, shape) for c in candidates])
    return np.take_along_axis(stacked, number[None], axis=0)[0]


if hasattr(np, "unstack"):  # NumPy 2.1

    @composite(np.unstack, lambda x: np.unstack(x, axis=1)[2], family="movement")
    def unstack(x: Any, /, *, axis: int = 0) -> Sequence[Any]:
        """``np.unstack``."""
        return tuple(np.moveaxis(x, axis, 0))
