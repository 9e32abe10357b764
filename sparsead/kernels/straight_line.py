"""A few operations on a few points, as one kernel of a single point.

A small filter or a step of a small equation is written as loops over rows and columns, each of which computes again
what the others know. Point by point, in one pool of expressions, everything is computed once, and zeros and ones of
constant matrices are literals, whose products fall away.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, Kernels, Load, Meeting, Step, Store, filled_by, reachable, read_by
from sparsead.program.scalar import Expr, Pool

MOST_POINTS = 64  # of one kernel
MOST_ADDED = 512  # elements of an array that it adds to
MOST = 3000  # operations that are written, of all kernels

Place = tuple[Buffer, int]


def point(index: int) -> IndexMap:
    """Return the index map of a single point."""
    return IndexMap((1,), index, (0,))


def in_straight_line(steps: Sequence[Step], outputs: Collection[Buffer]) -> tuple[Step, ...]:
    """Return steps that fill some outputs, with kernels of few points as few kernels of one point.

    Arrays that nothing but such a kernel reads are not stored.
    """
    taken = _taken(steps)
    if sum(map(_written, taken)) > MOST:
        return tuple(steps)
    done: list[Step] = []
    line = _Line()
    for number, step in enumerate(steps):
        if step not in taken and line.is_apart_from(step):
            done.append(step)
            continue
        if step not in taken or not line.takes(step):
            later = {b for other in steps[number:] for b in (*read_by(other), *filled_by(other))}
            done += line.kernels({*later, *outputs})
            line = _Line({*line.stored, *line.filled})
        if step in taken:
            line.add(step)
        else:
            done.append(step)
    return (*done, *line.kernels(outputs))


def _taken(steps: Sequence[Step]) -> list[Kernel]:
    """Return the kernels of few points; what they add to, no other one adds to."""
    taken = [step for step in steps if isinstance(step, Kernel) and _is_small(step)]
    while True:
        others = {b for step in steps if step not in taken for b in filled_by(step) if _adds(step, b)}
        kept = [step for step in taken if others.isdisjoint(filled_by(step))]
        if len(kept) == len(taken):
            return kept
        taken = kept


def _is_small(kernel: Kernel) -> bool:
    if math.prod(kernel.domain) > MOST_POINTS or any(load.index.masked for load in kernel.loads):
        return False
    return all(_is_plain(s) and not (s.adds and s.buffer.size > MOST_ADDED) for s in kernel.stores)


def _is_plain(store: Store) -> bool:
    return store.buffer.role in ("work", "output") and not store.place.masked


def _adds(step: Step, buffer: Buffer) -> bool:
    return isinstance(step, Kernel) and any(s.adds and s.buffer is buffer for s in step.stores)


def _written(kernel: Kernel) -> int:
    return math.prod(kernel.domain) * len(reachable(s.value for s in kernel.stores))


class _Line:
    """Kernels one after the other, as expressions of what is read of arrays."""

    def __init__(self, stored: Collection[Buffer] = ()) -> None:
        self.stored = stored  # by others before
        self.pool = Pool()
        self.values: dict[Place, Expr] = {}
        self.added: dict[Place, Expr] = {}
        self.read: set[Buffer] = set()

    def add(self, kernel: Kernel) -> None:
        """Add what a kernel does at its points, in order."""
        order = reachable(s.value for s in kernel.stores)
        places = {id(m): m.array().reshape(-1).tolist() for m in _maps(kernel, order)}
        for buffer in {s.buffer for s in kernel.stores if s.adds and s.buffer not in self.stored}:
            for k in range(buffer.size):
                self.values.setdefault((buffer, k), self.pool.constant(buffer.empty))
        for number in range(math.prod(kernel.domain)):
            found: dict[int, Expr] = {}
            for e in order:
                found[e.serial] = self._at(e, number, found, places)
            for s in kernel.stores:
                values = self.added if s.adds and s.buffer in self.stored else self.values
                place, value = (s.buffer, places[id(s.place)][number]), found[s.value.serial]
                known = values.get(place) if s.adds else None
                values[place] = value if known is None or known.equals(0.0) else known + value

    @property
    def filled(self) -> set[Buffer]:
        """The buffers that it fills, or adds to."""
        return {buffer for buffer, _ in (*self.values, *self.added)}

    def takes(self, kernel: Kernel) -> bool:
        """Tell whether all that a kernel reads is known here, or stored."""
        return {buffer for buffer, _ in self.added}.isdisjoint(read_by(kernel))

    def _at(self, e: Expr, number: int, found: dict[int, Expr], places: dict[int, list[int]]) -> Expr:
        """Return an expression at a point."""
        if isinstance(e.value, Load):
            return self._loaded(e.value.buffer, places[id(e.value.index)][number])
        if isinstance(e.value, Meeting):
            return self.pool.constant(float(places[id(e.value.first)][number] == places[id(e.value.second)][number]))
        if e.op is None:
            return self.pool.constant(e.value)
        return self.pool.apply(e.op, tuple(found[a.serial] for a in e.args))

    def _loaded(self, buffer: Buffer, index: int) -> Expr:
        if (known := self.values.get((buffer, index))) is not None:
            return known
        if buffer.value is not None:
            return self.pool.constant(float(np.ravel(buffer.value)[index]))
        self.read.add(buffer)
        return self.pool.leaf(Load(buffer, point(index)))

    def is_apart_from(self, step: Step) -> bool:
        """Tell whether a step may come before all this: neither reads what the other one writes."""
        filled = self.filled
        if not filled.isdisjoint(read_by(step)) or not self.read.isdisjoint(filled_by(step)):
            return False
        if not isinstance(step, Kernel):
            return filled.isdisjoint(filled_by(step))
        return not any(
            (s.buffer, k) in {*self.values, *self.added}
            for s in step.stores
            for k in np.unique(s.place.array()).tolist()
        )

    def kernels(self, wanted: Collection[Buffer]) -> list[Kernel]:
        """Return the kernel that stores what is wanted of it."""
        first = ((place, value, False) for place, value in self.values.items())
        more = ((place, value, True) for place, value in self.added.items())
        stores = [
            Store(buffer, point(index), value, adds)
            for (buffer, index), value, adds in (*first, *more)
            if buffer in wanted
        ]
        return [Kernel((1,), tuple(stores))] if stores else []


def _maps(kernel: Kernel, order: Sequence[Expr]) -> list[IndexMap]:
    maps = [s.place for s in kernel.stores]
    for e in order:
        if isinstance(e.value, Load):
            maps.append(e.value.index)
        elif isinstance(e.value, Meeting):
            maps += [e.value.first, e.value.second]
    return maps


def straightened(kernels: Kernels) -> Kernels:
    """Return a program whose kernels of few points are in straight lines."""
    return replace(kernels, kernels=in_straight_line(kernels.kernels, [kernels.output]))
