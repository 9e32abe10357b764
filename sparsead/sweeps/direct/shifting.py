"""Entries moved from point to point, so that what is stored at one point lies together.

By columns, or of a triangle, the entries of one row of a stencil lie far apart; those of one column, or of other rows,
lie together. A constant does not ask at which point it is stored, and a coefficient of a few operations may be computed
at another point: both are stored at the point whose other entries are next to them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sparsead.kernels.indexmap import Box, IndexMap
from sparsead.kernels.kernel import Kernel, moved, reachable
from sparsead.program.index import Shape
from sparsead.program.scalar import Expr, Pool
from sparsead.sweeps.boxes import Shift, common, outside, steps_up
from sparsead.sweeps.direct.loops import Loop, cut, within_box
from sparsead.sweeps.direct.placement import Placed

MANY_POINTS = 1 << 11  # points of a loop from which on code of its own pays
MOST_LEFT = 0.25  # share of the points at which an entry may be left where it is
NEAR = 8  # steps along the axis of the longest ones between entries of one part of the matrix
THIN = 4  # points: a slab that is cut into slices
MORE_WORK = 3.0  # operations that may be done twice for each entry that is moved


def cut_and_shifted(loop: Loop) -> Iterator[Loop]:
    """Yield a loop as loops that store what lies together, each cut where index maps change form.

    How far entries are to be moved is seen where index maps are affine; they are moved first and cut then, as the
    boundaries of an equation reach further into columns than into rows.
    """
    parts = list(cut(loop))
    shifts = _shifts(parts[0]) if loop.points >= MANY_POINTS and not loop.keeps_order else {}
    whole = list(_shifted(loop, shifts)) if shifts else []
    if whole:
        parts = [part for piece in whole for part in cut(piece)]
    yield from parts


def _shifted(loop: Loop, shifts: dict[int, Shift]) -> Iterator[Loop]:
    """Yield a loop in which entries are next to the others, and loops of what that leaves over; nothing if too much."""
    box = common(loop.domain, [*shifts.values(), (0,) * len(loop.domain)])
    left = 1.0 - math.prod(max(b - a, 0) for a, b in box) / max(loop.points, 1)
    if left > MOST_LEFT:
        return
    places = {k: tuple((a + s, b + s) for (a, b), s in zip(box, shift, strict=True)) for k, shift in shifts.items()}
    inside = within_box(loop, box)
    pool = inside.entries[0].coefficient.pool
    entries = [_at(loop.entries[k], places[k], pool) if k in places else e for k, e in enumerate(inside.entries)]
    yield replace(inside, entries=entries)
    stays = replace(loop, entries=[e for k, e in enumerate(loop.entries) if k not in places])
    moving = [(Loop(loop.domain, [loop.entries[k]]), place) for k, place in places.items()]
    yield from _together_at([(part, slab) for part, b in ((stays, box), *moving) for slab in outside(loop.domain, b)])


def _together_at(parts: list[tuple[Loop, Box]]) -> Iterator[Loop]:
    """Yield parts of loops within slabs; what is one point thick and equally long is one loop, and near in memory."""
    pools: dict[Shape, Pool] = defaultdict(Pool)
    found: dict[Shape, list[Loop]] = defaultdict(list)
    for loop, slab in parts:
        if any(e.adds for e in loop.entries):
            yield within_box(loop, slab)
            continue
        for slice_ in _slices(slab):
            shape = tuple(stop - first for first, stop in slice_)
            found[shape].append(within_box(loop, slice_, pools[shape]))
    for shape, loops in found.items():
        stores = tuple(s for loop in loops if loop.values for s in loop.values.stores)
        entries = [e for loop in loops for e in loop.entries]
        yield Loop(shape, entries, values=Kernel(shape, stores) if stores else None)


def _slices(slab: Box) -> Iterator[Box]:
    """Yield a slab as slabs one point thick, if it is thin."""
    axis = min(range(len(slab)), key=lambda k: slab[k][1] - slab[k][0])
    first, stop = slab[axis]
    cuts = range(first, stop) if stop - first <= THIN else [first]
    for k in cuts:
        yield (*slab[:axis], (k, k + 1 if len(cuts) > 1 else stop), *slab[axis + 1 :])


def _at(entry: Placed, box: Box, pool: Pool) -> Placed:
    """Return an entry as it is inside of another box."""
    (coefficient,) = moved([entry.coefficient], lambda index: index.within(box), pool)
    return replace(entry, coefficient=coefficient, slot=entry.slot.within(box))


def _shifts(loop: Loop) -> dict[int, Shift]:
    """Return by how many points entries are moved, by their numbers: constants, others too if that is little work."""
    if loop.rows or loop.ordered or any(e.slot.masked for e in loop.entries):
        return {}
    middle: Box = tuple((n // 4, n - n // 4) for n in loop.domain)
    slots = [e.slot.within(middle) for e in loop.entries]
    free = {k for k, e in enumerate(loop.entries) if e.base is None and not e.adds and slots[k].form == "affine"}
    every = _distances(loop, slots, free)
    if _together(loop, every) <= _together(loop, {}) + MORE_WORK * len(every):
        return every
    return _distances(loop, slots, {k for k in free if loop.entries[k].coefficient.is_constant})


def _distances(loop: Loop, slots: list[IndexMap], movable: set[int]) -> dict[int, Shift]:
    """Return the shifts that bring entries of the same part of the matrix into a window of one step, side by side.

    Of the windows that begin at one of them, the one that leaves over the narrowest boundaries; then, the least work.
    """
    found: dict[int, Shift] = {}
    for numbers in _parts(slots):
        moving = {k: slots[k] for k in numbers if k in movable}
        tried = [found | _into(slots[first].offset, moving) for first in numbers]
        found = min(tried, key=lambda shifts: (_reach(shifts), _together(loop, shifts)))
    return found


def _into(first: int, slots: dict[int, IndexMap]) -> dict[int, Shift]:
    """Return the shifts into the elements from `first` on, less than a step of the innermost axis from it."""
    found = {k: steps_up(first - slot.offset, slot.strides) for k, slot in slots.items()}
    return {k: shift for k, shift in found.items() if any(shift)}


def _reach(shifts: dict[int, Shift]) -> int:
    """Return how many points wide the boundaries are that shifts leave over, along all axes."""
    return sum(max(0, *along) - min(0, *along) for along in zip(*shifts.values(), strict=True))


def _parts(slots: list[IndexMap]) -> Iterator[list[int]]:
    """Yield the numbers of slots that go through the same part of the matrix: in equal steps, a few steps apart."""
    ordered = sorted((s.strides, s.offset, k) for k, s in enumerate(slots) if s.form == "affine")
    part: list[int] = []
    for strides, offset, k in ordered:
        last = slots[part[-1]] if part else None
        if last and (last.strides != strides or offset - last.offset > NEAR * max(map(abs, strides))):
            yield part
            part = []
        part.append(k)
    yield from [part] if part else []


def _together(loop: Loop, shifts: dict[int, Shift]) -> int:
    """Return the operations of a point: entries that are moved by the same shift share what they compute."""
    groups: dict[Shift | None, list[Expr]] = defaultdict(list)
    groups[None] += [s.value for s in loop.values.stores] if loop.values else []
    for k, e in enumerate(loop.entries):
        groups[shifts.get(k)].append(e.coefficient)
    return sum(map(_operations, groups.values()))


def _operations(values: Iterable[Expr]) -> int:
    return sum(e.op.cost for e in reachable(values) if e.op)
