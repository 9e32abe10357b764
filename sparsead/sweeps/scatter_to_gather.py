"""Additions turned around: each place is owned by one point, which adds up what its neighbours would have added.

The gradient of a sum over neighbours adds to several places at each point. Such a loop reads and writes each place
again and again, cannot be vectorised, as one point waits for the one before, and not be shared between threads. Where
the places are regular, what comes to one of them is computed at one point: a loop over places that only writes. The
few places at the ends are left to loops that add. Terms are added up in the order in which the points were visited, but
for what comes from points beyond a jump of the places, such as the wrap of a roll, which is added last.

This is decided on index maps, before any code is written, and of regular places alone: its loops are those of every
back end. What is left for a device, where no two threads may add to one place, `sparsead.emit.owners` turns around in
the code, by the tables of what each loop touches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsead.kernels.indexmap import Box, IndexMap, recognise
from sparsead.kernels.kernel import Buffer, Kernel, Load, Step, Store, filled_by, moved, reachable
from sparsead.kernels.moving import Constants
from sparsead.program.index import Shape
from sparsead.program.scalar import CALL, OPS, Expr, Pool
from sparsead.sweeps.boxes import Shift, common, points_outside, steps
from sparsead.sweeps.row_sums import in_rows

MANY_POINTS = 1 << 10  # points of a loop from which on code of its own pays
MOST_LEFT = 0.25  # share of the places that may stay with a loop that adds: those near the boundary
WIDTH = 4  # numbers that are computed at a time by a loop that only writes
ADDITION = 3  # cost of an addition in memory, for which the next point waits


@dataclass(frozen=True)
class Owned:
    """Steps that do what others do, the buffers in which they leave no place unset, and those to be emptied before."""

    steps: list[Step]
    complete: set[Buffer]
    emptied: list[Buffer]


def owned(program: Iterable[Step], but: Collection[Step] = ()) -> Owned:
    """Turn additions around, where they are regular; `but` some steps."""
    new: list[Step] = []
    adding: list[Step] = []
    complete: set[Buffer] = set()
    met: set[Buffer] = set()
    constants: Constants = {}
    for step in program:
        kernel = step if isinstance(step, Kernel) and step not in but else None
        turned = _turned(kernel, met) if kernel else None
        if turned and turned[0].stores[0].buffer not in met:
            complete.add(turned[0].stores[0].buffer)
        adding += turned or [step]
        new += turned or (in_rows(kernel, constants) if kernel else None) or [step]
        met.update(filled_by(step))
    return Owned(new, complete, [b for b in added_to(adding) if b not in complete])


def added_to(steps: Iterable[Step]) -> list[Buffer]:
    """Return the buffers that steps add to and that are not given a start."""
    stores = [s for k in steps if isinstance(k, Kernel) for s in k.stores]
    return list(dict.fromkeys(s.buffer for s in stores if s.adds and s.buffer.role != "total"))


def _turned(kernel: Kernel, met: set[Buffer]) -> list[Kernel] | None:
    """Return kernels that do what one does that adds to a single buffer, which may have been `met` before."""
    target = kernel.stores[0].buffer
    adds = all(s.buffer is target and s.adds and not s.place.masked for s in kernel.stores)
    if not adds or kernel.ordered or target.role == "total" or math.prod(kernel.domain) < MANY_POINTS:
        return None
    if any(load.buffer is target for load in kernel.loads) or (target in met and len(kernel.stores) == 1):
        return None
    if sum(_cost([s], WIDTH) for s in kernel.stores) > _cost(kernel.stores) + ADDITION * len(kernel.stores):
        return None
    regular = _regular(kernel)
    inside = Kernel(tuple(stop - first for first, stop in regular), _within(kernel.stores, regular))
    shifts = _shifts([s.place for s in inside.stores])
    if shifts is None or not inside.stores[0].place.is_affine_and_distinct:
        return None
    box = common(inside.domain, shifts)
    if math.prod(stop - first for first, stop in box) < (1.0 - MOST_LEFT) * target.size:
        return None
    return [*_kernels(inside, shifts, box, target in met), *_outside(kernel.domain, kernel.stores, regular)]


def _kernels(kernel: Kernel, shifts: list[Shift], box: Box, again: bool) -> Iterator[Kernel]:
    """Yield the loop over places, and those that do the rest; `again`: something has been added before."""
    order = sorted(range(len(shifts)), key=lambda k: (shifts[k], k))  # as the points come that add to one place
    stores = [kernel.stores[k] for k in order]
    boxes = [tuple((a + s, b + s) for (a, b), s in zip(box, shifts[k], strict=True)) for k in order]
    target, place, pool = stores[0].buffer, stores[0].place.within(boxes[0]), Pool()
    total: Expr = pool.leaf(Load(target, place)) if again else pool.constant(target.empty)
    for store, there in zip(stores, boxes, strict=True):
        total = pool.apply(OPS["add"], (total, _within([store], there, pool)[0].value))
    yield Kernel(place.shape, (Store(target, place, total, adds=False),))
    others = np.full(target.size, not again)
    np.lib.stride_tricks.as_strided(others[place.offset :], place.shape, place.strides)[...] = False  # one byte each
    if others.any():
        places = recognise(np.flatnonzero(others))
        yield Kernel(places.shape, (Store(target, places, Pool().constant(target.empty), adds=False),))
    for store, there in zip(stores, boxes, strict=True):
        yield from _outside(kernel.domain, [store], there)


def _within(stores: Sequence[Store], box: Box, pool: Pool | None = None) -> tuple[Store, ...]:
    """Return stores as they are inside of a box."""
    values = moved([s.value for s in stores], lambda index: index.within(box), pool)
    return tuple(replace(s, place=s.place.within(box), value=v) for s, v in zip(stores, values, strict=True))


def _outside(domain: Shape, stores: Sequence[Store], box: Box) -> Iterator[Kernel]:
    """Yield the kernel that adds what is added outside of a box."""
    points = points_outside(domain, box)
    if points[0].size:
        values = moved([s.value for s in stores], lambda index: recognise(index.at(points)))
        places = [recognise(s.place.at(points)) for s in stores]
        kept = (replace(s, place=p, value=v) for s, p, v in zip(stores, places, values, strict=True))
        yield Kernel(points[0].shape, tuple(kept))


def _regular(kernel: Kernel) -> Box:
    """Return the box of the longest stretches along each axis in which no place jumps, as at the wrap of a roll."""
    box = []
    for axis, n in enumerate(kernel.domain):
        steps = [np.diff(t.entries) for s in kernel.stores for t in s.place.tables if t.axes == (axis,)]
        jumps = np.unique([k + 1 for step in steps for k in np.flatnonzero(step[1:] != step[:-1])])
        ends = [0, *(int(k) for k in jumps), n]
        box.append(max(itertools.pairwise(ends), key=lambda pair: pair[1] - pair[0]))
    return tuple(box)


def _shifts(places: list[IndexMap]) -> list[Shift] | None:
    """Return by how many points each place is ahead of the first one; None where they do not go in step."""
    first = places[0]
    if any(place.form != "affine" or place.strides != first.strides for place in places):
        return None
    shifts = [steps(first.offset - place.offset, first.strides) for place in places]
    return None if any(left for _, left in shifts) else [shift for shift, _ in shifts]


def _cost(stores: Iterable[Store], width: int = 1) -> float:
    """Return what it takes to compute what is stored, where so many numbers are computed at a time."""
    costs = [e.op.cost for e in reachable(s.value for s in stores) if e.op is not None]
    return sum(cost if cost >= CALL else cost / width for cost in costs)
