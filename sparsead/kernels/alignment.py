"""Linear kernels over the same points are one: what they read and compute there is read and computed once.

Kernels of one domain that share index maps are put together as they are, those of a single point wherever they share
work. Kernels whose points are in part the same, as the entries of two matrices of which one has a few more, are cut in
what they have in common and the rest.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from sparsead.kernels.kernel import Buffer, reachable
from sparsead.kernels.linear import LinearKernel
from sparsead.kernels.moving import Constants, at, together
from sparsead.program.index import IndexArray, narrowed

FEWEST = 64  # points that are worth a loop of their own
MOST_LEFT = 0.9  # share of the operations of two kernels with which one does what both do
OF_SMALLER, OF_LARGER = 0.5, 0.1  # share of the points of two kernels that they must have in common


def joined(kernels: Iterable[LinearKernel], constants: Constants, fewest: float = FEWEST) -> list[LinearKernel]:
    """Put kernels together where they run over the same points, in an order in which they may run.

    So many points that kernels share are worth a loop of their own.
    """
    found: list[LinearKernel] = []
    pending = list(kernels)[::-1]
    while pending:
        kernel = pending.pop()
        for number in _that_may_wait(found, kernel):
            other = found[number]
            if _alike(other, kernel):
                del found[number]
                pending.append(together(other, kernel))
                break
            parts = aligned(other, kernel, constants, fewest)
            if parts:
                common, rest_of_other, rest = parts
                del found[number]
                pending += rest
                pending.append(common)
                pending += rest_of_other
                break
        else:
            found.append(kernel)
    return found


def _alike(first: LinearKernel, second: LinearKernel) -> bool:
    if first.domain != second.domain or first.ordered or second.ordered:
        return False
    places, indices = ({getattr(t, side) for t in first.terms} for side in ("place", "index"))
    if math.prod(first.domain) > 1 and not any(t.place in places for t in second.terms):
        return False
    return any(t.index in indices for t in second.terms) or _share_work(first, second)


def _share_work(first: LinearKernel, second: LinearKernel) -> bool:
    """Tell whether coefficients of one kernel compute what those of another one compute."""
    alone = _operations(first) + _operations(second)
    return _operations(together(first, second)) < MOST_LEFT * alone


def _operations(kernel: LinearKernel) -> int:
    return sum(e.op.cost for e in reachable(t.coefficient for t in kernel.terms) if e.op)


def _that_may_wait(found: list[LinearKernel], kernel: LinearKernel) -> list[int]:
    """Return the numbers of kernels that may run together with a later one: none between reads what they write."""
    numbers, read = [], set(_sources(kernel))
    for number in range(len(found) - 1, -1, -1):
        if read.isdisjoint(_targets(found[number])):
            numbers.append(number)
        read |= _sources(found[number])
    return numbers[::-1]


def _sources(kernel: LinearKernel) -> set[Buffer]:
    return {term.source for term in kernel.terms}


def _targets(kernel: LinearKernel) -> set[Buffer]:
    return {term.target for term in kernel.terms}


def aligned(
    first: LinearKernel, second: LinearKernel, constants: Constants, fewest: float = FEWEST
) -> tuple[LinearKernel, list[LinearKernel], list[LinearKernel]] | None:
    """Return one kernel of the points that two have in common, and the rest of each; None if there are too few.

    Points are the same if they belong to the same rows and columns, or read the same row of the same arrays, which no
    other point of the kernel does.
    """
    if len(first.domain) != 1 or len(second.domain) != 1 or first.ordered or second.ordered:
        return None
    sizes = first.domain[0], second.domain[0]
    least = max(OF_SMALLER * min(sizes), OF_LARGER * max(sizes), fewest)
    if least > min(sizes):
        return None
    for own, others in zip(_names(first), _names(second), strict=True):
        if own is None or others is None or own.of != others.of:
            continue
        a, b = own.common(others)
        if a.size >= least:
            common = together(_at(first, a, constants), _at(second, b, constants))
            return common, _rest(first, a, constants), _rest(second, b, constants)
    return None


def _at(kernel: LinearKernel, points: IndexArray, constants: Constants) -> LinearKernel:
    whole = points.size == kernel.domain[0] and bool((points == np.arange(points.size)).all())
    return kernel if whole else at(kernel, points, constants)


def _rest(kernel: LinearKernel, points: IndexArray, constants: Constants) -> list[LinearKernel]:
    left = np.ones(kernel.domain, dtype=np.bool_)
    left[points] = False
    return [at(kernel, narrowed(np.flatnonzero(left)), constants)] if left.any() else []


@dataclass(frozen=True, eq=False)
class _Names:
    """Tells the points of a kernel apart: an array for each thing that tells them, the first of them alone does."""

    of: Hashable
    arrays: list[np.ndarray]

    def common(self, other: _Names) -> tuple[IndexArray, IndexArray]:
        """Return which points of two kernels are the same, in the order of the second."""
        _, a, b = np.intersect1d(self.arrays[0], other.arrays[0], assume_unique=True, return_indices=True)
        order = np.argsort(b)
        a, b = a[order], b[order]
        same = np.ones(a.size, dtype=np.bool_)
        for mine, others in zip(self.arrays[1:], other.arrays[1:], strict=True):
            same &= mine[a] == others[b]
        return narrowed(a[same]), narrowed(b[same])


@functools.lru_cache(maxsize=64)
def _names(kernel: LinearKernel) -> tuple[_Names | None, _Names | None]:
    """Return the names of the points of a kernel: by the entries that they belong to, and by the row that they read."""
    places = dict.fromkeys((t.target, t.place) for t in kernel.terms)
    indices = dict.fromkeys((t.source.size, t.index) for t in kernel.terms)
    if len(indices) != 1:
        return None, None
    ((size, index),) = indices
    columns = index.array().astype(np.int64)
    sources = frozenset(t.source for t in kernel.terms)
    ordered = sorted(
        ((target, place.array().astype(np.int64)) for target, place in places), key=lambda p: (p[0].name, p[1][0])
    )
    arrays = [ordered[0][1] * size + columns, *(rows for _, rows in ordered[1:])]
    by_entry = _Names((tuple(target for target, _ in ordered), size), arrays) if _differ(arrays[0]) else None
    return by_entry, _Names(sources, [columns]) if _differ(columns) else None


def _differ(numbers: np.ndarray) -> bool:
    ordered = np.sort(numbers)
    return bool((ordered[1:] != ordered[:-1]).all())
