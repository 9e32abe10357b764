"""Boxes of points of a domain, and shifts between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sparsead.kernels.indexmap import Box
from sparsead.program.index import Shape

Shift = tuple[int, ...]  # points along each axis


def steps(distance: int, strides: Sequence[int]) -> tuple[Shift, int]:
    """Return the steps along each axis that come nearest to a distance in memory, and what is left of it."""
    found = [0] * len(strides)
    for axis in sorted(range(len(strides)), key=lambda k: -abs(strides[k])):
        if strides[axis]:
            found[axis] = round(distance / strides[axis])
            distance -= found[axis] * strides[axis]
    return tuple(found), distance


def steps_up(distance: int, strides: Sequence[int]) -> Shift:
    """Return the steps along each axis that come to a distance in memory, or less than the shortest step beyond it."""
    (*found,), left = steps(distance, strides)
    if left > 0:
        shortest = min((axis for axis, n in enumerate(strides) if n), key=lambda axis: abs(strides[axis]))
        found[shortest] += 1 if strides[shortest] > 0 else -1
    return tuple(found)


def common(domain: Shape, shifts: Sequence[Shift]) -> Box:
    """Return the points from which no shift leads out of a domain."""
    return tuple(
        (max(0, *(-s[k] for s in shifts), 0), n - max(0, *(s[k] for s in shifts), 0)) for k, n in enumerate(domain)
    )


def outside(domain: Shape, box: Box) -> Iterator[Box]:
    """Yield boxes that make up what is outside of a box, two an axis at most."""
    for axis, ((first, stop), n) in enumerate(zip(box, domain, strict=True)):
        for ends in ((0, first), (stop, n)):
            if ends[0] < ends[1]:
                yield (*box[:axis], ends, *((0, m) for m in domain[axis + 1 :]))


def points_outside(domain: Shape, box: Box) -> tuple[np.ndarray, ...]:
    """Return the coordinates of the points outside of a box, in C order."""
    flat = [
        np.ravel_multi_index(np.meshgrid(*(np.arange(*ends) for ends in slab), indexing="ij"), domain).reshape(-1)
        for slab in outside(domain, box)
    ]
    return np.unravel_index(np.sort(np.concatenate(flat)) if flat else np.empty(0, np.int64), domain)
