"""Direct accumulation: coefficients go straight to their places among the values, no seeds and no colors.

A linear kernel is a sparse matrix in implicit form: at point i, ``coefficient(i)`` belongs at row ``place(i)``, column
``index(i)``. With one layer of kernels each coefficient is stored (or added) at its slot. With several layers the
sparse rows of intermediate buffers are accumulated, on patterns computed once: a coefficient that reads row r of a
buffer adds a multiple of that sparse row to the row of its target.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coloring import SparsityPattern
from sparsead.emit.nest import Nest
from sparsead.emit.source import Source, literal
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Buffer, LinearKernel, LinearProgram, Term
from sparsead.program.index import identity
from sparsead.sweeps.beside import beside
from sparsead.sweeps.placement import Placed, Placement, place
from sparsead.sweeps.slots import Slots
from sparsead.sweeps.vector import stores, work_sizes, write_value


def direct_sweep(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], name: str, engine: Engine = DEFAULT_ENGINE
) -> Sweep:
    """Return the sweep ``(x, arguments) -> data``.

    Parameters
    ----------
    linear : LinearProgram
        From tangents of the columns to tangents of the rows; its primal kernels run first.
    patterns : dict
        The pattern of every buffer that a kernel writes tangents to: buffer size x columns.
    name : str
        Name of the generated function.
    engine : Engine
        See `Sweep`.
    """
    writer = _Writer(linear, patterns, name)
    writer.write()
    sizes = {f"d{b.name}": patterns[b].nnz for b in linear.work}
    return Sweep(writer.source, work_sizes(linear.primal) | sizes, engine)


class _Writer:
    """Writes one direct sweep."""

    def __init__(self, linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], name: str) -> None:
        self.linear = linear
        self.patterns = patterns
        self.source = Source(name)
        self.counter = itertools.count()
        self.kernels = [merged(k, linear) for k in linear.kernels]
        self.beside = beside(linear)
        self.placements = {b: self.placement(b) for b in (*linear.work, linear.target) if b in patterns}

    def placement(self, buffer: Buffer) -> Placement:
        """Place the terms that read x and write `buffer`."""
        terms = [(k, t) for k, kernel in enumerate(self.kernels) for t in kernel.terms if t.target is buffer]
        from_x = [(k, t) for k, t in terms if t.source is self.linear.source]
        return place(self.kernels, from_x, self.patterns[buffer], layered=len(from_x) < len(terms))

    def values(self, buffer: Buffer) -> str:
        """Name the array of the sparse rows of a buffer; the target's rows are the values of the matrix."""
        return self.source.array("data" if buffer is self.linear.target else f"d{buffer.name}")

    def write(self) -> None:
        """Write the primal kernels, the initial values, then each linear kernel."""
        write_value(self.source, self.linear.primal, self.counter, but=self.beside.values())
        for buffer, placement in self.placements.items():
            self.write_start(self.values(buffer), placement)
        for number in range(len(self.kernels)):
            self.write_kernel(number)

    def write_start(self, name: str, placement: Placement) -> None:
        """Write the initial values of the entries that need one."""
        size = placement.values.size
        if not size:
            return
        nest = Nest(self.source, (size,), self.counter)
        place = nest.index(IndexMap((size,), 0, (1,)) if placement.start is None else recognise(placement.start))
        value = self.constant(nest, placement.values)
        with nest.body(disjoint=True):
            self.source.write(f"{name}[{place}] = {value}")

    def constant(self, nest: Nest, values: np.ndarray) -> str:
        """Return numbers that are known now, one per point: a literal where they are equal, else a table."""
        first = values.flat[0]
        if (values == first).all():
            return literal(float(first))
        table = self.source.array(f"base{next(self.counter)}", value=values.reshape(-1))
        return f"{table}[{nest.index(recognise(identity(values.shape)))}]"

    def write_kernel(self, number: int) -> None:
        """Write the loops of one kernel: single entries, then multiples of sparse rows."""
        kernel = self.kernels[number]
        nest = Nest(self.source, kernel.domain, self.counter, kernel.ordered)
        lines = stores(self.source, nest, self.beside[number]) if number in self.beside else []
        for placement in self.placements.values():
            lines += [self.entry(nest, placed) for placed in self.ahead_first(placement.placed.get(number, ()))]
        rows = [_RowUpdate(self, nest, kernel, t) for t in kernel.terms if t.source is not self.linear.source]
        if not lines and not rows:
            return
        adds = any(placed.adds for placement in self.placements.values() for placed in placement.placed.get(number, ()))
        with nest.body(disjoint=not rows and not adds):
            for line in lines:
                self.source.write(line)
            for row in rows:
                row.write()

    def ahead_first(self, placed: Sequence[Placed]) -> list[Placed]:
        """Of neighbours that add to the same entry, put the one ahead first: such a loop can be vectorised.

        A term of a Hessian and its mirror image stay together, so that an entry and its mirror image receive their
        terms in the same order.
        """
        reach: dict[object, int] = defaultdict(int)
        pairs = [
            frozenset((p.term.place.key, p.term.index.key)) if self.linear.symmetric else k
            for k, p in enumerate(placed)
        ]
        for pair, p in zip(pairs, placed, strict=True):
            reach[pair] = max(reach[pair], p.slot.offset)
        order = sorted(range(len(placed)), key=lambda k: -reach[pairs[k]])
        return [placed[k] for k in order]

    def entry(self, nest: Nest, placed: Placed) -> str:
        """Return the statement that stores or adds one coefficient."""
        value = nest.value(placed.term.coefficient)
        if placed.base is not None:
            value = f"{value} + {self.constant(nest, placed.base)}"
        sign = "+=" if placed.adds else "="
        return f"{self.values(placed.term.target)}[{nest.index(placed.slot)}] {sign} {value}"


class _RowUpdate:
    """``row of target += coefficient * row of source``, with the landing place of each entry known."""

    def __init__(self, writer: _Writer, nest: Nest, kernel: LinearKernel, term: Term) -> None:
        read, written = writer.patterns[term.source], writer.patterns[term.target]
        first, landing = Slots(written).of_rows(term.place.array(), read, term.index.array(), kernel.domain)
        self.source = writer.source
        self.coefficient = nest.value(term.coefficient)
        self.target, self.read = writer.values(term.target), writer.values(term.source)
        self.indptr = self.source.array(f"row_{term.source.name}", "i4", read.indptr)
        self.landing, self.first = self.source.table(landing), nest.index(recognise(first))
        self.row, self.number = nest.index(term.index), next(writer.counter)

    def write(self) -> None:
        """Write the loop over the entries of the row."""
        source, b, n = self.source, f"b{self.number}", f"n{self.number}"
        source.write(f"{b} = {self.indptr}[{self.row}]")
        source.write(f"{n} = {self.indptr}[{self.row} + 1] - {b}")
        with source.block(f"for k in range({n}):"):
            source.write(
                f"{self.target}[{self.landing}[{self.first} + k]] += {self.coefficient} * {self.read}[{b} + k]"
            )


def merged(kernel: LinearKernel, linear: LinearProgram) -> LinearKernel:
    """Add up terms with equal places; in a Hessian, give a term of it and its mirror image one coefficient.

    The two second derivatives of an expression are the same number, written in two ways. Written one way, and stored
    one after the other, they make the matrix symmetric to the bit, at half the cost.
    """
    sums: dict[object, Term] = {}
    for term in kernel.terms:
        key = (term.target, term.place.key, term.source, term.index.key)
        known = sums.get(key)
        sums[key] = term if known is None else replace(known, coefficient=known.coefficient + term.coefficient)
    if not linear.symmetric:
        return LinearKernel(kernel.domain, tuple(sums.values()), kernel.ordered)
    terms = []
    while sums:
        term = sums.pop(next(iter(sums)))
        terms.append(term)
        if term.target is linear.target and term.source is linear.source:  # not a term of an intermediate array
            mirror = sums.pop((term.target, term.index.key, term.source, term.place.key), None)
            terms += [replace(mirror, coefficient=term.coefficient)] if mirror else []
    return LinearKernel(kernel.domain, tuple(terms), kernel.ordered)
