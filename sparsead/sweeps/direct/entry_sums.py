"""Multiples of sparse rows, entry by entry: each is stored first, then added to while it is in the nearest cache.

Row by row every product is added to memory. That is as good for one point, whose rows stay in the cache next to the
core. Code for many points has the numbers of all points of a block at each place: far more than that cache holds.
Terms are added up in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coloring import SparsityPattern
from sparsead.emit.source import Source, literal
from sparsead.kernels.kernel import Load
from sparsead.kernels.linear import Term
from sparsead.program.index import IndexArray
from sparsead.sweeps.direct.loops import Loop
from sparsead.sweeps.direct.slots import RowPlaces


def adds_constant_multiples(loop: Loop) -> bool:
    """Tell whether a loop does nothing but adding constant multiples of the rows that one term reads."""
    if loop.ordered or loop.entries or loop.values or len(loop.rows) != 1:
        return False
    coefficient = loop.rows[0].coefficient
    load = coefficient.value
    fixed = coefficient.op is None and isinstance(load, Load) and load.buffer.role == "constant"
    return coefficient.is_constant or (fixed and not load.index.masked)


@dataclass(frozen=True, eq=False)
class EntrySums:
    """The products that come to each entry of some rows, sorted by entries.

    Attributes
    ----------
    entries, first : IndexArray
        The entries, and which product is the first of each; there is one more of these.
    reading : IndexArray
        The entry that is multiplied, of each product.
    coefficients : ndarray
        What it is multiplied by.
    """

    entries: IndexArray
    first: IndexArray
    reading: IndexArray
    coefficients: np.ndarray

    @classmethod
    def of(cls, term: Term, places: RowPlaces, read: SparsityPattern) -> EntrySums:
        """Sort the products of a term by the entries where they land."""
        if places.chosen is None:
            rows = np.broadcast_to(term.index.array(), places.first.shape).reshape(-1)
            lengths = np.diff(read.indptr)[rows]
            within = np.arange(places.landing.size) - np.repeat(places.first.reshape(-1), lengths)
            reading = np.repeat(read.indptr[rows], lengths) + within
        else:
            lengths, reading = places.chosen.count.reshape(-1), places.chosen.reading
        order = np.argsort(places.landing, kind="stable")
        entries, first = np.unique(places.landing[order], return_index=True)
        point = np.repeat(np.arange(lengths.size), lengths)[order]
        return cls(entries, np.append(first, order.size), reading[order], _coefficients(term, point))

    @property
    def are_sums(self) -> bool:
        """Tell whether some entry gets several products."""
        return self.entries.size < self.reading.size

    def write(self, source: Source, target: str, read: str, counter: Iterator[int]) -> None:
        """Write the loop over the entries."""
        number, c = next(counter), self.coefficients
        entries, first, reading = (source.table(t) for t in (self.entries, self.first, self.reading))
        same = c.size > 0 and (c == c[0]).all()
        table = "" if same else source.array(f"multiples{number}", value=c)

        def product(k: str) -> str:
            return f"{literal(float(c[0])) if same else f'{table}[{k}]'} * {read}[{reading}[{k}]]"

        e, b = f"e{number}", f"b{number}"
        with source.loop(), source.block(f"for i in range({self.entries.size}):"):
            source.write(f"{e} = {entries}[i]")
            source.write(f"{b} = {first}[i]")
            source.write(f"{target}[{e}] = {product(b)} + 0.0")  # as if added to zero: never -0.0
            with source.block(f"for k in range({b} + 1, {first}[i + 1]):"):
                source.write(f"{target}[{e}] += {product('k')}")


def _coefficients(term: Term, point: IndexArray) -> np.ndarray:
    """Return the coefficient of a term at some points."""
    found = term.coefficient
    if not isinstance(found.value, Load):
        return np.full(point.size, float(found.value))
    index = np.broadcast_to(found.value.index.array(), found.value.index.shape).reshape(-1)
    return np.asarray(found.value.buffer.value).reshape(-1)[index[point]]
