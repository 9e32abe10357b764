"""Constant entries moved from point to point, so that what is stored at one point lies together.

By columns, or of a triangle, the entries of one row of a stencil lie far apart; those of one column, or of other rows,
lie together. A constant does not ask at which point it is stored: it is stored at the point whose other entries are
next to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sparsead.kernels.indexmap import Box
from sparsead.sweeps.direct.loops import Loop, within_box
from sparsead.sweeps.direct.placement import Placed

MANY_POINTS = 1 << 15  # of a loop that is worth more code
FAR = 16  # elements between two entries of a point from which on they are worth moving
MOST_LEFT = 0.25  # share of the points at which an entry may be left where it is

Shift = tuple[int, ...]


def shifted(loop: Loop) -> Iterator[Loop]:
    """Yield a loop as one whose constant entries are next to the others, and loops of what that leaves over."""
    shifts = {} if loop.rows or loop.ordered or loop.points < MANY_POINTS else _shifts(loop)
    box = _common(loop.domain, [*shifts.values(), (0,) * len(loop.domain)])
    left = 1.0 - np.prod([max(b - a, 0) for a, b in box], dtype=np.int64) / max(loop.points, 1)
    if not shifts or left > MOST_LEFT:
        yield loop
        return
    moved = {k: tuple((a + s, b + s) for (a, b), s in zip(box, shift, strict=True)) for k, shift in shifts.items()}
    inside = within_box(loop, box)
    yield replace(
        inside,
        entries=[
            replace(e, slot=loop.entries[k].slot.within(moved[k])) if k in moved else e
            for k, e in enumerate(inside.entries)
        ],
    )
    stays = [e for k, e in enumerate(loop.entries) if k not in moved]
    for slab in _outside(loop.domain, box):
        yield within_box(replace(loop, entries=stays), slab)
    for k, places in moved.items():
        for slab in _outside(loop.domain, places):
            yield within_box(Loop(loop.domain, [loop.entries[k]]), slab)


def _shifts(loop: Loop) -> dict[int, Shift]:
    """Return by how many points each constant entry is moved, by its number."""
    entries = loop.entries
    if not entries or any(e.slot.form != "affine" or e.slot.masked for e in entries):
        return {}
    strides = entries[0].slot.strides
    if any(e.slot.strides != strides for e in entries):
        return {}
    stays = [e for e in entries if not _may_move(e)]
    origin = (stays or entries)[0].slot.offset
    found = {
        k: _steps(origin - e.slot.offset, strides)
        for k, e in enumerate(entries)
        if _may_move(e) and abs(e.slot.offset - origin) >= FAR
    }
    return {k: shift for k, shift in found.items() if any(shift)}


def _may_move(entry: Placed) -> bool:
    return entry.coefficient.is_constant and entry.base is None and not entry.adds


def _steps(distance: int, strides: tuple[int, ...]) -> Shift:
    """Return the steps along each axis that come nearest to a distance."""
    steps = [0] * len(strides)
    for axis in sorted(range(len(strides)), key=lambda k: -abs(strides[k])):
        if strides[axis]:
            steps[axis] = round(distance / strides[axis])
            distance -= steps[axis] * strides[axis]
    return tuple(steps)


def _common(domain: tuple[int, ...], shifts: list[Shift]) -> Box:
    """Return the points from which no shift leads out of a domain."""
    return tuple(
        (max(0, *(-s[k] for s in shifts), 0), n - max(0, *(s[k] for s in shifts), 0)) for k, n in enumerate(domain)
    )


def _outside(domain: tuple[int, ...], box: Box) -> Iterator[Box]:
    """Yield boxes that make up what is outside of a box, two an axis at most."""
    for axis, ((first, stop), n) in enumerate(zip(box, domain, strict=True)):
        for ends in ((0, first), (stop, n)):
            if ends[0] < ends[1]:
                yield (*box[:axis], ends, *((0, m) for m in domain[axis + 1 :]))
