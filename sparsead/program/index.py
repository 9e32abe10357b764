"""Index arrays: which flat element of an array each point of a domain reads.

An axis along which nothing changes has stride 0 and is stored once; no function here expands it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

Shape = tuple[int, ...]
IndexArray = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

IDENTITIES: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()


def index_dtype(size: int) -> type[np.signedinteger[Any]]:
    """Return the smallest index type that can number `size` elements."""
    return np.int32 if size < 2**31 else np.int64


def identity(shape: int | Shape) -> IndexArray:
    """Return the index array in which point i reads element i (read-only, shared by size)."""
    shape = (shape,) if isinstance(shape, int) else shape
    size = int(np.prod(shape, dtype=np.int64))
    flat = IDENTITIES.get(size)
    if flat is None:
        flat = np.arange(size, dtype=index_dtype(size))
        flat.setflags(write=False)
        IDENTITIES[size] = flat
    return flat.reshape(shape)


def is_identity(index: IndexArray, size: int) -> bool:
    """Tell whether `index` is `identity` of an array of `size` elements, by memory, without reading it."""
    flat = IDENTITIES.get(size)
    return (
        flat is not None
        and index.size == size
        and index.flags.c_contiguous
        and index.__array_interface__["data"][0] == flat.__array_interface__["data"][0]
    )


def read(flat: np.ndarray, index: IndexArray) -> np.ndarray:
    """Return ``flat[index]``: without a copy where `index` is a view of the identity; repeated axes are read once."""
    first = IDENTITIES.get(flat.size)
    if first is not None and index.size and index.dtype == first.dtype:
        start = index.__array_interface__["data"][0] - first.__array_interface__["data"][0]
        if 0 <= start < first.nbytes:
            strides = tuple(stride // first.itemsize * flat.itemsize for stride in index.strides)
            return np.lib.stride_tricks.as_strided(flat[start // first.itemsize :], index.shape, strides)
    return np.broadcast_to(np.take(flat, stored_part(index)), index.shape)


def stored_part(index: IndexArray) -> IndexArray:
    """Return `index` with each axis along which it does not change cut to length 1."""
    return index[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in index.strides)]


def compose(outer: IndexArray, inner: IndexArray) -> IndexArray:
    """Return the index array ``outer[inner]``: read through `inner`, then through `outer`."""
    if inner.size == 0 or is_identity(outer, outer.size):
        return inner
    if is_identity(inner, outer.size):
        return outer.reshape(inner.shape)
    return np.broadcast_to(np.take(outer, stored_part(inner)), inner.shape)


def broadcast(index: IndexArray, shape: Shape) -> IndexArray:
    """Broadcast `index` to `shape`; axes of length 1 become axes of stride 0."""
    return index if index.shape == shape else np.broadcast_to(stored_part(index), shape)


def box(selection: IndexArray, shape: Shape) -> tuple[Any, Shape] | None:
    """Find the block of an array of `shape` that holds exactly the flat elements `selection`.

    Returns an indexing tuple (slices, or ``np.ix_`` of the coordinates) and the shape of the block, or None
    when the elements, in increasing order, do not form the product of one set of coordinates per axis.
    """
    coordinates = np.unravel_index(selection, shape)
    low = [int(c.min()) for c in coordinates]
    extent = [int(c.max()) - a + 1 for c, a in zip(coordinates, low, strict=True)]
    if np.prod(extent, dtype=np.int64) == len(selection):
        return tuple(slice(a, a + n) for a, n in zip(low, extent, strict=True)), tuple(extent)
    axes = [np.unique(c) for c in coordinates]
    extent = [len(a) for a in axes]
    if np.prod(extent, dtype=np.int64) == len(selection):
        return np.ix_(*axes), tuple(extent)
    return None


def normalize_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return `axis` as a tuple of axes in ``range(ndim)``; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    return tuple(int(a) for a in axes)
