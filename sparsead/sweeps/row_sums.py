"""Additions to one place, one after the other, are added up in registers: the rows of a product with a sparse matrix.

A sum over entries that lie row by row adds to memory at every entry, and waits for the addition before. Rows of one
length are a loop of their own, in which one point computes its whole row; rows of rarer lengths stay as they are. Terms
are added up in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Kernel, Load, Store, reachable
from sparsead.kernels.moving import Constants, Moving
from sparsead.program.index import IndexArray, narrowed
from sparsead.program.scalar import OPS, Expr, Pool

FEWEST = 1 << 12  # rows of one length that are worth a loop of their own: it takes some ten milliseconds to compile
LONGEST = 12  # entries of a row that is written out
MOST_LENGTHS = 3
LONG_CODE = 200  # operations that are written
LEAST = 0.5  # share of the entries that must lie in rows which are written out


def in_rows(kernel: Kernel, constants: Constants) -> list[Kernel] | None:
    """Return kernels that do what one does that adds to a single buffer, each place met before; None if no rows."""
    first = _rows(kernel)
    if first is None:
        return None
    count = kernel.domain[0]
    lengths = np.diff(first, append=count)
    many = np.bincount(np.minimum(lengths, LONGEST + 1), minlength=LONGEST + 2)[: LONGEST + 1]
    chosen = [int(n) for n in np.argsort(-many * np.arange(many.size)) if n > 1 and many[n] >= FEWEST][:MOST_LENGTHS]
    operations = sum(e.op is not None for e in reachable(s.value for s in kernel.stores))
    if sum(n * many[n] for n in chosen) < LEAST * count or sum(chosen) * operations > LONG_CODE:
        return None
    found = [_written_out(kernel, first[lengths == n], n, constants) for n in sorted(chosen)]
    rest = np.flatnonzero(np.repeat(~np.isin(lengths, chosen), lengths))
    if rest.size:
        found.append(Kernel(rest.shape, tuple(_moved(kernel.stores, rest, constants, Pool()))))
    return found


def _rows(kernel: Kernel) -> IndexArray | None:
    """Return the first point of each row, in which all points add to one place; None where a place is in two rows."""
    target, places = kernel.stores[0].buffer, [s.place for s in kernel.stores]
    if len(kernel.domain) != 1 or kernel.domain[0] < 2 * FEWEST or kernel.ordered or target.role == "total":
        return None
    if any(not s.adds or s.buffer is not target or s.place.masked or not s.place.tables for s in kernel.stores):
        return None
    if any(load.buffer is target for load in kernel.loads):
        return None
    rows = [place.array() for place in places]
    changes = [row[1:] != row[:-1] for row in rows]
    if any((other != changes[0]).any() for other in changes[1:]):
        return None
    first = np.flatnonzero(np.concatenate([[True], changes[0]]))
    taken = np.zeros(target.size, dtype=np.bool_)
    for row in rows:
        taken[row[first]] = True
    return first if np.count_nonzero(taken) == first.size * len(rows) else None


def _written_out(kernel: Kernel, first: IndexArray, length: int, constants: Constants) -> Kernel:
    """Return the kernel of rows of one length, given their first points."""
    pool = Pool()
    places = [recognise(narrowed(s.place.array()[first])) for s in kernel.stores]
    totals: list[Expr] = [pool.leaf(Load(s.buffer, place)) for s, place in zip(kernel.stores, places, strict=True)]
    for k in range(length):
        terms = _moved(kernel.stores, first + k, constants, pool)
        totals = [pool.apply(OPS["add"], (total, t.value)) for total, t in zip(totals, terms, strict=True)]
    stores = zip(kernel.stores, places, totals, strict=True)
    return Kernel(first.shape, tuple(Store(s.buffer, place, total, adds=False) for s, place, total in stores))


def _moved(stores: Sequence[Store], points: np.ndarray, constants: Constants, pool: Pool) -> list[Store]:
    """Return stores at some points."""
    moving = Moving(narrowed(points), points.shape, constants, "cr")
    values = moving.values((s.value for s in stores), pool)
    return [replace(s, place=moving.index(s.place), value=v) for s, v in zip(stores, values, strict=True)]
