"""Some elements of an array, in as regular a form as they have: one set of coordinates per axis, or a list.

What is kept of an array is numbered anew. Index arrays into it and over it are cut and renumbered here; a regular
form keeps the shape of the array, so that its index maps stay affine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.program.index import IndexArray, Shape, identity, index_dtype, numbers, stored_part

GROWTH = 1.5  # how many elements more may be kept for the sake of a regular form
FEW = 64  # elements, which may always be kept


@dataclass(frozen=True, eq=False)
class Kept:
    """Elements of an array of the shape `of`: the product of `axes`, or those that `flat` lists in order.

    `needed` tells which elements of the product are wanted, where not all are; the others may hold anything.
    """

    of: Shape
    axes: tuple[np.ndarray, ...] = ()
    flat: IndexArray | None = None
    needed: np.ndarray | None = None

    @property
    def shape(self) -> Shape:
        """The shape of what is kept."""
        return tuple(a.size for a in self.axes) if self.flat is None else (self.flat.size,)

    @property
    def size(self) -> int:
        """The number of elements that are kept."""
        return math.prod(self.shape)

    @property
    def whole(self) -> bool:
        """True where everything is kept, as it is."""
        return self.flat is None and self.shape == self.of

    def taken(self, array: np.ndarray) -> np.ndarray:
        """Return what an array over the old elements has at those that are kept; stride-0 axes stay so."""
        if self.whole:
            return array
        if self.flat is not None:
            return np.asarray(array[np.unravel_index(self.flat, self.of)] if self.of else array.reshape(1)[self.flat])
        part = stored_part(array)
        keys = [np.zeros(1, np.intp) if n == 1 else axis for n, axis in zip(part.shape, self.axes, strict=True)]
        return np.broadcast_to(part[_key(keys)], self.shape)

    def wanted(self, array: np.ndarray) -> np.ndarray:
        """Return what an array over the old elements has at those that are needed, in no particular shape."""
        taken = self.taken(array)
        return stored_part(taken) if self.needed is None else taken[self.needed]

    def numbered(self, index: IndexArray) -> IndexArray:
        """Return the new numbers of old elements; those that are not kept get the number of one that is."""
        if self.whole:
            return index
        part = stored_part(index)
        new: np.ndarray
        if self.flat is not None:
            new = _found(self.flat, part)
        else:
            new = np.zeros(part.shape, np.int64)
            for axis, coordinate in zip(self.axes, np.unravel_index(part, self.of), strict=True):
                new = new * axis.size + _found(axis, coordinate)
        new = new.astype(index_dtype(self.size), copy=False)
        if new.size == self.size and index.size == self.size and np.array_equal(new.reshape(-1), numbers(self.size)):
            return identity(index.shape)
        return np.broadcast_to(new, index.shape)


def kept(mask: np.ndarray, shape: Shape, growth: float = GROWTH) -> Kept:
    """Return what is kept of an array of `shape`, for the elements that `mask`, flat, marks.

    With ``growth=1.0`` these and no others.
    """
    count = int(np.count_nonzero(mask))
    boxed = mask.reshape(shape)
    every = range(len(shape))
    axes = tuple(np.flatnonzero(boxed.any(axis=tuple(a for a in every if a != k))) for k in every)
    size = math.prod(a.size for a in axes)
    if size > count and (not count or growth == 1.0 or size > growth * count + FEW):  # also nothing of a number
        return Kept(shape, flat=np.flatnonzero(mask).astype(index_dtype(mask.size)))
    needed = None if size == count else np.asarray(boxed[_key(list(axes))])
    return Kept(shape, axes, needed=needed)


def _key(axes: list[np.ndarray]) -> tuple[Any, ...]:
    """Return the coordinates of a product as an index: slices where they follow one another, which copy nothing."""
    if all(a.size and int(a[-1]) - int(a[0]) == a.size - 1 for a in axes):
        return (..., *(slice(int(a[0]), int(a[-1]) + 1) for a in axes))
    return np.ix_(*axes)


def _found(sorted_numbers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the places of numbers in a sorted list; those that are not in it get a place all the same."""
    last = sorted_numbers.size - 1
    if last >= 0 and int(sorted_numbers[-1]) - int(sorted_numbers[0]) == last:  # they follow one another
        return np.clip(asked - sorted_numbers[0], 0, last)
    return np.minimum(np.searchsorted(sorted_numbers, asked), max(last, 0))
