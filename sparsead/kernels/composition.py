"""Two layers of a linear program made one: what reads an intermediate array is joined with what writes it.

A term ``dy[i] += a * db[r]`` and a term ``db[r] += c * dx[j]`` are, for every pair of points that meet in a row r,
a term ``dy[i] += (a * c) * dx[j]``. The pairs are known from the index maps: the array b is not needed any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.kernels.alignment import FEWEST, joined
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, Load, Store, reachable
from sparsead.kernels.linear import LinearKernel, Term
from sparsead.kernels.moving import Constants, Moving, in_order, summed
from sparsead.program.index import IndexArray, Shape, identity, narrowed
from sparsead.program.scalar import CALL, Expr, Pool

CHEAP = 1  # operations of a coefficient up to which it is computed again rather than stored
AGAIN = 1.5  # pairs a point: beyond, its coefficients are worth storing; calls of functions if all pairs together are


@dataclass(eq=False)
class Eliminator:
    """Eliminates intermediate arrays; `stored` holds the kernels of coefficients that are computed beforehand.

    `fewest` is how many points are worth a loop of their own.
    """

    stored: list[Kernel] = field(default_factory=list)
    _constants: Constants = field(default_factory=dict)
    fewest: float = FEWEST

    def without(self, buffer: Buffer, kernels: Iterable[LinearKernel]) -> list[LinearKernel]:
        """Return kernels that do the same without the tangents of `buffer`."""
        kernels = joined(kernels, self._constants, self.fewest)
        writers = [part for kernel in kernels for part in _parts(kernel, buffer, "target")]
        readers = [part for kernel in kernels for part in _parts(kernel, buffer, "source")]
        writers = [self._kept(part, _all_pairs(part, readers), CALL - 1) for part in writers]
        found: list[LinearKernel] = []
        for kernel in kernels:
            kept = tuple(t for t in kernel.terms if buffer not in (t.target, t.source))
            if kept:
                found.append(kernel.of(kept))
            for reader in _parts(kernel, buffer, "source"):
                found += self._composed(self._kept(reader, _all_pairs(reader, writers), CALL - 1), writers)
        return joined(found, self._constants, self.fewest)

    def _composed(self, reader: _Part, writers: list[_Part]) -> Iterator[LinearKernel]:
        """Return the kernels of the pairs of a reader with all writers."""
        for number, writer in enumerate(writers):
            above, below = pairs(reader.rows, writer.rows)
            if not above.size:
                continue
            reader, writers[number] = self._kept(reader, above.size), self._kept(writer, above.size)
            yield self._product(reader, above, writers[number], below)

    def _kept(self, part: _Part, pairs: int, cheap: int = CHEAP) -> _Part:
        """Store coefficients that take more than a few operations and are needed for several pairs."""
        if pairs <= AGAIN * part.rows.size:
            return part
        costly = {t.coefficient.serial: t.coefficient for t in part.terms if _operations(t.coefficient) > cheap}
        if not costly:
            return part
        place, number = in_order(part.domain), len(self.stored)
        stores = {
            serial: Store(Buffer(f"w{number}_{k}", part.rows.size, "work"), place, coefficient, adds=False)
            for k, (serial, coefficient) in enumerate(costly.items())
        }
        self.stored.append(Kernel(part.domain, tuple(stores.values())))

        def reading(coefficient: Expr) -> Expr:
            store = stores.get(coefficient.serial)
            return coefficient if store is None else coefficient.pool.leaf(Load(store.buffer, place))

        return replace(part, terms=tuple(replace(t, coefficient=reading(t.coefficient)) for t in part.terms))

    def _product(self, reader: _Part, above: IndexArray, writer: _Part, below: IndexArray) -> LinearKernel:
        """Return the kernel of the pairs of points `above` of the reader and `below` of the writer."""
        once = above.size == reader.rows.size and bool((above == identity(above.size)).all())
        domain = reader.domain if once else above.shape
        pool = reader.terms[0].coefficient.pool if once else Pool()  # what is there stays, and may grow
        upper = reader.terms if once else Moving(above, domain, self._constants).terms(reader.terms, pool)
        lower = Moving(below, domain, self._constants).terms(writer.terms, pool)
        products = [
            Term(t.target, t.place, t.coefficient * w.coefficient, w.source, w.index) for t in upper for w in lower
        ]
        return LinearKernel(domain, summed(products))


@dataclass(frozen=True, eq=False)
class _Part:
    """Terms of a kernel that read, or write, one array at the same `rows`, a row for each point."""

    domain: Shape
    terms: tuple[Term, ...]
    rows: IndexArray


def _parts(kernel: LinearKernel, buffer: Buffer, side: str) -> Iterator[_Part]:
    groups: dict[IndexMap, list[Term]] = {}
    for term in kernel.terms:
        if getattr(term, side) is buffer:
            groups.setdefault(term.place if side == "target" else term.index, []).append(term)
    for index, terms in groups.items():
        yield _Part(kernel.domain, tuple(terms), index.array().reshape(-1))


def _all_pairs(part: _Part, others: Iterable[_Part]) -> int:
    """Return how many pairs of points a part makes with others that have an array in common with it."""
    counts = [np.bincount(other.rows, minlength=int(part.rows.max(initial=-1)) + 1) for other in others]
    return sum(int(count[part.rows].sum()) for count in counts)


def pairs(reads: IndexArray, writes: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Return all points p and q with ``reads[p] == writes[q]``, in order of p, then q."""
    rows = int(max(reads.max(initial=-1), writes.max(initial=-1))) + 1
    by_row = np.argsort(writes, kind="stable")
    counts = np.bincount(writes, minlength=rows)
    starts, lengths = np.cumsum(counts) - counts, counts[reads]
    above = np.repeat(identity(reads.size), lengths)
    first = np.cumsum(lengths) - lengths
    within = np.arange(above.size) - np.repeat(first, lengths)
    return narrowed(above), narrowed(by_row[np.repeat(starts[reads], lengths) + within])


def _operations(coefficient: Expr) -> int:
    return sum(e.op.cost for e in reachable([coefficient]) if e.op)
