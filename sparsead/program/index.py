"""Index arrays: which flat element of an array each point of a domain reads.

An axis along which nothing changes has stride 0 and is stored once; no function here expands it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from sparsead.program.room import require_room

Shape = tuple[int, ...]
IndexArray = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

IDENTITIES: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()

#: What indices are kept in where all of them fit; int64 is for all others. Only this module knows it: a test puts
#: narrower types here, and whatever is computed in this type without need then goes wrong at a hundred elements.
NARROW: type[np.signedinteger[Any]] = np.int32


#: What numbers nodes and records of loop code, which are Python objects or lines of a tape: always fewer than 2**31.
NUMBER: type[np.signedinteger[Any]] = np.int32


#: Times as many elements, that reading a few of them from an array out of order beats a copy of it.
COPIED = 4

#: Elements from which on reading them takes longer than finding out where a walk leads.
MANY = 1 << 12


def index_dtype(size: int) -> type[np.signedinteger[Any]]:
    """Return the index type that can number `size` elements, and say where the last of them ends."""
    return NARROW if size <= np.iinfo(NARROW).max else np.int64


def narrowed(indices: Any) -> IndexArray:
    """Return whole numbers, computed in int64, in the index type that holds all of them."""
    array = np.asarray(indices)
    if array.dtype == NARROW:
        return array
    limits = np.iinfo(NARROW)
    fits = array.size == 0 or (limits.min <= int(array.min()) and int(array.max()) <= limits.max)
    return array.astype(NARROW if fits else np.int64, copy=False)


def first_elements(shape: Shape) -> IndexArray:
    """Return the index array that reads element 0 everywhere, stored once."""
    return np.broadcast_to(np.zeros((), NARROW), shape)


def nothing(shape: Shape = (0,)) -> IndexArray:
    """Return an index array of a shape without elements."""
    return np.empty(shape, NARROW)


def numbers(size: int) -> IndexArray:
    """Return 0, 1, ..., size - 1, one array for all that ask (and so not to be written to)."""
    flat = IDENTITIES.get(size)
    if flat is None:
        dtype = index_dtype(size)
        require_room(size * np.dtype(dtype).itemsize, f"the positions of an array of {size} elements")
        flat = np.arange(size, dtype=dtype)
        IDENTITIES[size] = flat
    return flat


def identity(shape: int | Shape) -> IndexArray:
    """Return the index array in which point i reads element i (read-only, shared by size)."""
    shape = (shape,) if isinstance(shape, int) else shape
    index = numbers(math.prod(shape)).reshape(shape)
    index.flags.writeable = False
    return index


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


def walk(offset: int, strides: Sequence[int], shape: Shape, size: int) -> IndexArray:
    """Return the index array ``offset + sum of stride * i`` as a view of the identity of an array of `size`."""
    flat = numbers(size)
    steps = [stride * flat.itemsize for stride in strides]
    index = np.ndarray(shape, flat.dtype, flat, offset * flat.itemsize, steps)
    index.flags.writeable = False
    return index


def walked(index: IndexArray) -> tuple[int, tuple[int, ...], int] | None:
    """Return offset, strides and the size of the array that is read, of a view of an identity; None for others."""
    flat = index.base
    if not isinstance(flat, np.ndarray) or flat is not IDENTITIES.get(flat.size):
        return None
    start = index.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
    strides = tuple(s // index.itemsize if n > 1 else 0 for s, n in zip(index.strides, index.shape, strict=True))
    return start // index.itemsize, strides, flat.size


def coordinates(
    offset: int, strides: Sequence[int], domain: Shape, shape: Shape
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return how a walk through the flat elements of an array of `shape` moves along each of its axes.

    At point i of the domain, the coordinates are ``first + steps @ i``. None where the walk turns from one row into the
    next.
    """
    ends = np.array([n - 1 for n in domain], dtype=np.int64)
    elements = np.array([offset, *(offset + s if n else offset for s, n in zip(strides, ends, strict=True))])
    if elements.min() < 0 or elements.max() >= math.prod(shape):
        return None
    places = np.unravel_index(elements, shape) if shape else ()
    found = np.array(places, dtype=np.int64).reshape(len(shape), elements.size)
    first, steps = found[:, 0], found[:, 1:] - found[:, :1]
    lowest, highest = first + np.minimum(steps, 0) @ ends, first + np.maximum(steps, 0) @ ends
    return (first, steps) if (lowest >= 0).all() and (highest < shape).all() else None


def _composed_walks(outer: IndexArray, inner: IndexArray) -> IndexArray | None:
    """Return the composition of two views of identities, a view again, without a look at any element."""
    if inner.size < MANY:
        return None
    through, read = walked(outer), walked(inner)
    if through is None or read is None or read[2] != outer.size:
        return None
    offset, strides, size = through
    moves = coordinates(read[0], read[1], inner.shape, outer.shape)
    if moves is None:
        return None
    (first, steps), along = moves, np.array(strides, dtype=np.int64)
    return walk(offset + int(along @ first), (along @ steps).tolist(), inner.shape, size)


def compose(outer: IndexArray, inner: IndexArray) -> IndexArray:
    """Return the index array ``outer[inner]``: read through `inner`, then through `outer`."""
    if inner.size == 0 or is_identity(outer, outer.size):
        return inner
    if is_identity(inner, outer.size):
        return reshaped(outer, inner.shape)
    if not any(outer.strides):
        return np.broadcast_to(outer[(0,) * outer.ndim], inner.shape)
    composed = _composed_walks(outer, inner)
    if composed is not None:
        return composed
    part = stored_part(inner)
    require_room(part.size * outer.itemsize, f"positions in an array of shape {part.shape}")
    return np.broadcast_to(read_at(outer, part), inner.shape)


def read_at(outer: IndexArray, flat: IndexArray) -> IndexArray:
    """Return the elements of an array with flat numbers, ``outer.reshape(-1)[flat]``.

    NumPy copies what does not lie in order before it takes of it; where little is taken, places in memory are found.
    """
    plain = not outer.flags.c_contiguous and all(s >= 0 and s % outer.itemsize == 0 for s in outer.strides)
    if not plain or COPIED * flat.size > outer.size or not 0 <= flat.min() <= flat.max() < outer.size:
        return np.take(outer, flat)
    steps = [s // outer.itemsize for s in outer.strides]
    axes: list[tuple[int, int]] = []
    for n, step in zip(outer.shape, steps, strict=True):
        if axes and axes[-1][1] == n * step:
            axes[-1] = axes[-1][0] * n, step
        else:
            axes.append((n, step))
    reach = sum((n - 1) * step for n, step in axes)
    dtype = index_dtype(max(reach, outer.size))
    rest = flat.astype(dtype, copy=False)
    place = np.zeros(flat.shape, dtype)
    for n, step in reversed(axes[1:]):
        before = rest // dtype(n)
        if step:
            place += (rest - before * dtype(n)) * dtype(step)
        rest = before
    place += rest * dtype(axes[0][1])
    return np.take(np.lib.stride_tricks.as_strided(outer, (reach + 1,), (outer.itemsize,), writeable=False), place)


def reshaped(index: IndexArray, shape: Shape) -> IndexArray:
    """Return an index array in another shape; views of identities stay views where rows are not cut."""
    if index.shape == shape or index.size == 0:
        return index.reshape(shape)
    composed = _composed_walks(index, identity(shape))
    return index.reshape(shape) if composed is None else composed


def _can_be(shape: Shape, wanted: Shape) -> bool:
    """Tell whether an array can be broadcast to a shape: axes of length 1 are repeated, and new ones put in front."""
    return len(shape) <= len(wanted) and all(
        a in (1, b) for a, b in zip(reversed(shape), reversed(wanted), strict=False)
    )


def broadcast(index: IndexArray, shape: Shape) -> IndexArray:
    """Broadcast `index` to `shape`; axes of length 1 become axes of stride 0."""
    if index.shape == shape:
        return index
    walk_of = walked(index)
    if walk_of is None or not _can_be(index.shape, shape):
        return np.broadcast_to(stored_part(index), shape)
    offset, strides, size = walk_of
    return walk(offset, (*(0,) * (len(shape) - index.ndim), *strides), shape, size)


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
    if axis is None or (ndim == 0 and axis in (0, -1)):  # a number has these axes too, for NumPy
        return tuple(range(ndim))
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    return tuple(int(a) for a in axes)
