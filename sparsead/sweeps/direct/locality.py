"""Which lines of memory the points of a loop store to, where that is looked up in tables.

By columns, what an observation of a point by a camera stores lies in twelve columns, and what the next one stores in
twelve others. A line of memory then takes a while to come, and is given back before it is full. So points run in an
order in which many store where the point before did, and others have their lines asked for before they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.moving import Moving
from sparsead.program.index import IndexArray, narrowed
from sparsead.program.scalar import Pool
from sparsead.sweeps.direct.loops import Loop

LINE = 8  # elements of a line of memory
TILE = 1 << 13  # points that change places with each other: what they read and store stays in the second cache
MANY_POINTS = 1 << 12  # fewer are left as they are
LOOK = 2  # tiles that are looked at
WORTH = 0.7  # of the lines that points go to for the first time, at most
FEWEST_JUMPS = 0.125  # of the points, from which on a line is asked for
RUN = 32  # points, on average, that store in equal steps: such runs are loops of their own then


class Lines:
    """The lines of memory that the points of a loop store to; only those that are looked up, a slot for each.

    Parameters
    ----------
    slots : sequence of IndexMap
        Where the points of one domain store.
    """

    def __init__(self, slots: Sequence[IndexMap]) -> None:
        slots = [s for s in dict.fromkeys(slots) if s.tables and len(s.shape) == 1]
        self.slots: list[IndexMap] = []
        self.places = np.empty((0, 0), np.int64)
        if not slots or slots[0].shape[0] < MANY_POINTS:
            return
        (size,) = slots[0].shape
        first = (size // 2) // TILE * TILE if size > LOOK * TILE else 0
        look = np.arange(first, min(first + LOOK * TILE, size))
        places = np.stack([s.at((look,)).astype(np.int64) for s in slots])
        order = np.argsort(places[:, 0], kind="stable")
        apart = (np.abs(np.diff(places[order], axis=0)) >= LINE).any(axis=1)
        kept = order[np.concatenate([[True], apart])]
        self.slots, self.places = [slots[k] for k in kept], places[kept]

    def jumps(self, order: IndexArray | None = None) -> np.ndarray:
        """Return for each slot how many points store to another line than the point before, in an order."""
        places = self.places if order is None else self.places[:, order]
        return np.count_nonzero(np.abs(np.diff(places, axis=1)) >= LINE, axis=1)

    def scattered(self) -> list[IndexMap]:
        """Return the slots of lines that are to be asked for: few points store where the point before did."""
        if not self.slots:
            return []
        many = self.jumps() > FEWEST_JUMPS * self.places.shape[1]
        return [slot for slot, jumps in zip(self.slots, many, strict=True) if jumps]

    def best(self) -> IndexMap | None:
        """Return the slot by which points are put in order; None if that gains little."""
        if not self.slots:
            return None
        jumps = [self.jumps(_in_tiles(places)).sum() for places in self.places]
        best = int(np.argmin(jumps))
        return self.slots[best] if jumps[best] < WORTH * self.jumps().sum() else None


def in_lines(loop: Loop, targets: set[str], name: str) -> Loop:
    """Return a loop whose points run in an order in which they store to fewer lines of some values.

    Constants that are gathered get a `name` and a number. Sums keep their order.
    """
    if loop.rows or loop.keeps_order or any(e.adds for e in loop.entries):
        return loop
    slot = Lines([e.slot for e in loop.entries if e.target in targets]).best()
    if slot is None:
        return loop
    points = narrowed(_in_tiles(slot.array()))
    moving = Moving(points, loop.domain, {}, name)
    return loop.over(loop.domain, moving.index, moving.values(loop.expressions, Pool()), lambda base: base[points])


def scattered(loop: Loop, target: str) -> list[IndexMap]:
    """Return the slots of values whose lines are to be asked for, one for each line."""
    return [] if loop.ordered else Lines([e.slot for e in loop.entries if e.target == target]).scattered()


def _in_tiles(places: IndexArray) -> np.ndarray:
    """Return the points of each tile in the order of their places."""
    return np.lexsort((places, np.arange(places.size) // TILE))
