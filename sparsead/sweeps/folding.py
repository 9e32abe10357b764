"""Loops whose tables repeat are folded: a table over all points becomes one over the points of a period.

A matrix that is put together of equal blocks (`scipy.sparse.kron`, `block_diag`) is a list of entries to a loop, with
their rows, columns and values in tables; those of a block are those of the one before, some rows and columns further
on. Over blocks and entries of a block the places are sums of what either adds, and the values are those of one block:
nothing of the length of the loop is read any more. Points keep their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, Load, Meeting, reachable
from sparsead.kernels.moving import Moving
from sparsead.program.index import IndexArray, Shape, identity
from sparsead.program.scalar import Expr, Pool

MANY_POINTS = 1 << 12  # a loop of fewer reads its tables from the caches
SHORTEST, LONGEST = 64, 1 << 14  # points of a period
FEWEST = 4  # periods
LOOK = 256  # elements that are compared first


@dataclass(eq=False)
class Folding(Moving):
    """Moves index maps and expressions to periods by points of a period."""

    def _load(self, load: Load) -> Load:
        """Return a load over periods; of a constant that repeats one period is kept."""
        read, (_, period) = _read(load), self.onto
        if read is None or not _goes_on(read.view(np.int64), period, 0):
            return Load(load.buffer, self.index(load.index))
        key = load.buffer, load.index.key
        if key not in self.constants:
            self.constants[key] = Buffer(f"{self.name}_{len(self.constants)}", period, "constant", read[:period].copy())
        return Load(self.constants[key], IndexMap(self.onto, 0, (0, 1)))


def folded(kernel: Kernel, name: str) -> Kernel:
    """Return a kernel over periods, if it has any; constants of one period get a `name` and a number."""
    values = [s.value for s in kernel.stores]
    folding = None if kernel.ordered else folding_of(kernel.domain, [s.place for s in kernel.stores], values, name)
    if folding is None:
        return kernel
    stores = zip(kernel.stores, folding.values(values, Pool()), strict=True)
    return Kernel(folding.onto, tuple(replace(s, place=folding.index(s.place), value=v) for s, v in stores))


def folding_of(domain: Shape, places: Iterable[IndexMap], values: Iterable[Expr], name: str) -> Folding | None:
    """Return what folds a loop; None where its tables do not repeat."""
    if len(domain) != 1 or domain[0] < MANY_POINTS:
        return None
    leaves = [e.value for e in reachable(values) if e.op is None]
    loads = [value for value in leaves if isinstance(value, Load)]
    if any(isinstance(value, Meeting) for value in leaves):
        return None
    maps = dict.fromkeys([*places, *(load.index for load in loads)])
    tables = [index.array() for index in maps if index.tables]
    constants = [c.view(np.int64) for c in map(_read, loads) if c is not None and (c[:LOOK] != c[0]).any()]
    if not (tables or constants) or any(_has_few_jumps(table) for table in tables):
        return None
    periods = [p for p in _periods(domain[0]) if all(_goes_on(table, p) for table in tables)]
    gained = {p: sum(_goes_on(constant, p, 0) for constant in constants) for p in periods}
    period = max(gained, key=lambda p: gained[p], default=0)  # the shortest of the best
    if not period or not (tables or gained[period]):
        return None
    return Folding(identity(domain[0]), (domain[0] // period, period), {}, name)


def _read(load: Load) -> np.ndarray | None:
    """Return what is read of a constant."""
    index, value = load.index, load.buffer.value
    if value is None:
        return None
    return value.reshape(-1)[index.array()].reshape(-1) if index.tables else index.view_of(value.reshape(-1))


def _has_few_jumps(table: IndexArray) -> bool:
    """Tell whether a table goes on in equal steps almost everywhere: loops in stretches need none."""
    steps = np.diff(table[: FEWEST * LONGEST])
    return bool(np.count_nonzero(steps != steps[steps.size // 2]) < FEWEST - 1)


def _goes_on(numbers: np.ndarray, period: int, by: int | None = None) -> bool:
    """Tell whether whole numbers are more by the same a period further on; some are looked at first."""
    by = int(numbers[period]) - int(numbers[0]) if by is None else by
    some = np.linspace(0, numbers.size - period - 1, LOOK).astype(np.intp)
    return bool(
        (numbers[some + period] == numbers[some] + by).all() and (numbers[period:] == numbers[:-period] + by).all()
    )


def _periods(count: int) -> Iterator[int]:
    """Yield the lengths of parts into which so many points can be cut, the shortest first."""
    small = np.arange(1, math.isqrt(count) + 1)
    small = small[count % small == 0]
    longest = min(LONGEST, count // FEWEST)
    yield from (int(p) for p in np.unique([*small, *(count // small)]) if SHORTEST <= p <= longest)
