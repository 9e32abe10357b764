"""Direct accumulation: coefficients go straight to their places among the values, no seeds and no colors.

A linear kernel is a sparse matrix in implicit form: at point i, ``coefficient(i)`` belongs at row ``place(i)``, column
``index(i)``. With one layer of kernels each coefficient is stored (or added) at its slot. With several layers the
sparse rows of intermediate buffers are accumulated, on patterns computed once: a coefficient that reads row r of a
buffer adds a multiple of that sparse row to the row of its target.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from sparsead.emit.nest import Nest
from sparsead.emit.source import Source, literal
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Buffer, Load, reachable
from sparsead.kernels.linear import LinearKernel, LinearProgram, Term
from sparsead.kernels.meetings import mirrored
from sparsead.kernels.moving import summed
from sparsead.program.index import IndexArray, Shape, identity
from sparsead.sweeps.direct.elimination import eliminated
from sparsead.sweeps.direct.entry_sums import EntrySums, adds_constant_multiples
from sparsead.sweeps.direct.first_writes import store_first_rows, store_firsts
from sparsead.sweeps.direct.locality import RUN, in_lines, scattered
from sparsead.sweeps.direct.loops import Loop, cut, stored
from sparsead.sweeps.direct.placement import Placed, Placement, place
from sparsead.sweeps.direct.shifting import cut_and_shifted
from sparsead.sweeps.direct.slots import RowPlaces, Slots
from sparsead.sweeps.fused_values import fused
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import empty_tangent, stores, times, work_sizes, write_padding, write_value

LARGE = 1 << 16  # values that do not stay in the caches next to the core
ALL = "every"  # all entries, where some are picked out at the end
FEW = 0.1  # share of entries up to which they are initialised one by one


def direct_sweep(
    linear: LinearProgram,
    patterns: dict[Buffer, SparsityPattern],
    name: str,
    engine: Engine = DEFAULT_ENGINE,
    varying: bool = False,
    storage: Storage | None = None,
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
    varying : bool
        Leave out entries that one coefficient determines, if it does not depend on x.
    storage : Storage, optional
        Where the entries are stored, by default by rows. What only others would need is not accumulated.
    """
    elimination = eliminated(linear, patterns)
    linear = elimination.linear
    if storage is not None and storage.is_partial:
        patterns = needed(linear, patterns, storage)
    writer = _Writer(linear, patterns, engine.source(name), varying, storage)
    writer.write()
    sizes = {f"d{b.name}": patterns[b].nnz for b in linear.work} | {ALL: patterns[linear.target].nnz}
    return Sweep(writer.source, work_sizes(linear.primal) | sizes, engine, str(elimination))


class _Writer:
    """Writes one direct sweep."""

    def __init__(
        self,
        linear: LinearProgram,
        patterns: dict[Buffer, SparsityPattern],
        source: Source,
        varying: bool,
        storage: Storage | None,
    ) -> None:
        self.linear = linear
        self.picked = storage if storage is not None and storage.is_partial and _in_order(linear) else None
        partial = storage is not None and storage.is_partial
        self.slots = {
            b: Slots(p, None if self.picked else storage) if b is linear.target else Slots(p, complete=not partial)
            for b, p in patterns.items()
        }
        self.varying = varying
        self.patterns = patterns
        self.source = source
        self.counter = itertools.count()
        self.kernels = [merged(k, linear) for k in linear.kernels]
        self.fused = fused(linear)
        self.rows: dict[int, RowPlaces] = {}  # by the identity of the term
        self.stored_rows: set[int] = set()
        self.placements = [self.placement(b) for b in (*linear.work, linear.target) if b in patterns]
        self.large = {p.target for p in self.placements if p.base.size >= LARGE}

    def placement(self, buffer: Buffer) -> Placement:
        """Place the terms that read x and write `buffer`."""
        terms = [(k, t) for k, kernel in enumerate(self.kernels) for t in kernel.terms if t.target is buffer]
        from_x = [(k, t) for k, t in terms if t.source is self.linear.source]
        layered = len(from_x) < len(terms)
        empty = empty_tangent(self.linear, buffer)
        return place(self.values(buffer), self.kernels, from_x, self.slots[buffer], layered, empty)

    def values(self, buffer: Buffer) -> str:
        """Name the array of the sparse rows of a buffer; the target's rows are the values of the matrix."""
        data = ALL if self.picked else "data"
        return self.source.array(data if buffer is self.linear.target else f"d{buffer.name}")

    def write(self) -> None:
        """Write the primal kernels, the initial values, then each linear kernel."""
        write_value(self.source, self.linear.primal, self.counter, but=self.fused.values())
        pieces = (piece for number in range(len(self.kernels)) for piece in stored(self.loop(number)))
        in_order = self.slots[self.linear.target].storage is None
        parts = (part for piece in pieces for part in (cut if in_order else cut_and_shifted)(piece))
        loops = [part.ahead_first(self.linear.symmetric) for part in parts]
        if not self.linear.work:  # in any order: the largest first, so that it may store what others add to
            loops.sort(key=lambda loop: -loop.points)
        for placement in self.placements:
            self.write_start(placement, self.needed(loops, placement))
        for loop in loops:
            self.write_loop(loop)
        if self.picked:
            self.write_picked(self.picked)

    def needed(self, loops: list[Loop], placement: Placement) -> np.ndarray:
        """Let what comes first be stored; return which entries need an initial value beforehand."""
        if not placement.layered or self.linear.absorbing:
            return store_firsts(loops, placement)

        def landing(loop: Loop, term: Term) -> IndexArray | None:
            return self.row(loop.domain, term).landing if self.values(term.target) == placement.target else None

        needed, stored = store_first_rows(loops, placement, landing, self.goes_by_entries)
        self.stored_rows |= stored
        return needed

    def goes_by_entries(self, loop: Loop) -> bool:
        """Tell whether multiples of rows are added up entry by entry, if nothing has been added to these before."""
        return self.source.of_points and adds_constant_multiples(loop)

    def row(self, domain: Shape, term: Term) -> RowPlaces:
        """Return where the entries of the rows that a term reads land, looked up once."""
        if id(term) not in self.rows:
            slots, read = self.slots[term.target], self.patterns[term.source]
            self.rows[id(term)] = slots.of_rows(term.place.array(), read, term.index.array(), domain)
        return self.rows[id(term)]

    def write_picked(self, storage: Storage) -> None:
        """Copy the entries that are stored, once all have been accumulated."""
        entries = np.flatnonzero(storage.place >= 0)
        write_padding(self.source, storage, self.counter)
        nest = Nest(self.source, (entries.size,), self.counter)
        place, entry = nest.index(recognise(storage.place[entries])), nest.index(recognise(entries))
        with nest.body(disjoint=True):
            self.source.write(f"{self.source.array('data')}[{place}] = {self.values(self.linear.target)}[{entry}]")

    def loop(self, number: int) -> Loop:
        """Return the loop of a kernel."""
        kernel = self.kernels[number]
        placed = [e for placement in self.placements for e in placement.placed.get(number, ())]
        entries = [e for e in placed if not (self.varying and self.is_kept(e))]
        rows = [t for t in kernel.terms if t.source is not self.linear.source]
        return Loop(kernel.domain, entries, rows, kernel.ordered, self.fused.get(number))

    def is_kept(self, entry: Placed) -> bool:
        """Tell whether an entry of the matrix is the same for every x."""
        loads = [e.value for e in reachable([entry.coefficient]) if isinstance(e.value, Load)]
        fixed = all(load.buffer in self.linear.primal.arguments or load.buffer.role == "constant" for load in loads)
        return fixed and not entry.adds and entry.target == self.values(self.linear.target)

    def write_start(self, placement: Placement, needed: np.ndarray) -> None:
        """Write the initial values of the entries that need one."""
        most = 1.0 if self.source.of_points else FEW  # beyond, all in order beats many out of order
        few = np.count_nonzero(needed) <= most * needed.size
        start = np.flatnonzero(needed) if few else identity(needed.size)
        if not start.size:
            return
        nest = Nest(self.source, start.shape, self.counter)
        place, value = nest.index(recognise(start)), self.constant(nest, placement.base[start])
        with nest.body(disjoint=True):
            self.source.write(f"{placement.target}[{place}] = {value}")

    def constant(self, nest: Nest, values: np.ndarray) -> str:
        """Return numbers that are known now, one per point: a literal where they are equal, else a table."""
        first = values.flat[0]
        if (values == first).all():
            return literal(float(first))
        table = self.source.array(f"base{next(self.counter)}", value=values.reshape(-1))
        return f"{table}[{nest.index(recognise(identity(values.shape)))}]"

    def write_loop(self, loop: Loop) -> None:
        """Write one loop: values of the function, single entries, then multiples of sparse rows."""
        if not loop.entries and not loop.rows and not loop.values:
            return
        if self.goes_by_entries(loop) and self.write_entries(loop.domain, loop.rows[0]):
            return
        loop = loop.folded(f"cp{next(self.counter)}")
        large = set() if self.source.of_points or self.source.grid else self.large
        before, loop = loop, in_lines(loop, large, f"cl{next(self.counter)}")
        nest = Nest(self.source, loop.domain, self.counter, loop.ordered)
        if loop is not before:
            nest.most_breaks = loop.points // RUN
        for target, slot in loop.streams(self.large):
            nest.fetch_ahead(target, slot)
        for target in large:
            for slot in scattered(loop, target):
                nest.fetch(target, slot)
        lines = stores(self.source, nest, loop.values) if loop.values else []
        lines += [self.entry(nest, placed) for placed in loop.entries]
        rows = [_RowUpdate(self, nest, loop.domain, t) for t in loop.rows]
        with nest.body(disjoint=not rows and not loop.keeps_order and not any(e.adds for e in loop.entries)):
            for line in lines:
                self.source.write(line)
            for row in rows:
                row.write()

    def write_entries(self, domain: Shape, term: Term) -> bool:
        """Write multiples of rows entry by entry, if they come first there and several meet; tell whether it was so."""
        if id(term) not in self.stored_rows:
            return False
        sums = EntrySums.of(term, self.row(domain, term), self.patterns[term.source])
        if sums.are_sums:
            del self.rows[id(term)]
            sums.write(self.source, self.values(term.target), self.values(term.source), self.counter)
        return sums.are_sums

    def entry(self, nest: Nest, placed: Placed) -> str:
        """Return the statement that stores or adds one coefficient."""
        value = nest.value(placed.coefficient)
        if placed.base is not None:
            value = f"{value} + {self.constant(nest, placed.base)}"
        elif self.linear.absorbing and placed.target == self.values(self.linear.target):
            value = f"{value} + 0.0"
        sign = "+=" if placed.adds else "="
        return f"{placed.target}[{nest.index(placed.slot)}] {sign} {value}"


class _RowUpdate:
    """``row of target += coefficient * row of source``, with the landing place of each entry known."""

    def __init__(self, writer: _Writer, nest: Nest, domain: Shape, term: Term) -> None:
        read = writer.patterns[term.source]
        first, landing, chosen = writer.row(domain, term)
        del writer.rows[id(term)]  # it may be as large as the matrix
        self.sign = "=" if id(term) in writer.stored_rows else "+="
        self.source = writer.source
        self.coefficient = nest.value(term.coefficient)
        self.target, self.read = writer.values(term.target), writer.values(term.source)
        self.landing, self.first = self.source.table(landing), nest.index(recognise(first))
        if chosen is None:
            self.reading, self.count = "", ""
            self.indptr = self.source.indices(f"row_{term.source.name}", read.indptr)
        else:
            self.reading, self.count = self.source.table(chosen.reading), nest.index(recognise(chosen.count))
        self.row, self.number = nest.index(term.index), next(writer.counter)
        self.linear = writer.linear

    def write(self) -> None:
        """Write the loop over the entries of the row."""
        if self.reading:
            self.write_chosen()
            return
        source, b, n = self.source, f"b{self.number}", f"n{self.number}"
        source.write(f"{b} = {self.indptr}[{self.row}]")
        source.write(f"{n} = {self.indptr}[{self.row} + 1] - {b}")
        with source.block(f"for k in range({n}):"):
            added = times(self.linear, self.coefficient, f"{self.read}[{b} + k]")
            source.write(f"{self.target}[{self.landing}[{self.first} + k]] {self.sign} {added}")

    def write_chosen(self) -> None:
        """Write the loop over those entries of the row whose products are stored."""
        with self.source.block(f"for k in range({self.count}):"):
            added = times(self.linear, self.coefficient, f"{self.read}[{self.reading}[{self.first} + k]]")
            self.source.write(f"{self.target}[{self.landing}[{self.first} + k]] {self.sign} {added}")


def needed(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], storage: Storage
) -> dict[Buffer, SparsityPattern]:
    """Return the patterns of the buffers without the entries that nothing stored is made of.

    What a loop in order writes is kept as it is: it reads what it wrote before.
    """
    whole = {t.target for k in linear.kernels if k.ordered for t in k.terms}
    known = {b: patterns[b].to_scipy() for b in whole if b in patterns}
    if linear.target not in whole:
        known[linear.target] = patterns[linear.target].restrict(storage.place >= 0).to_scipy()
    for kernel in reversed(linear.kernels):
        for term in kernel.terms:
            if term.source not in patterns or term.target not in known or term.source in whole:
                continue
            rows, reads = (np.broadcast_to(m.array(), kernel.domain).reshape(-1) for m in (term.index, term.place))
            inside = (rows >= 0) & (reads >= 0)
            shape = (term.source.size, term.target.size)
            part = SparsityPattern.from_coo(rows[inside], reads[inside], shape).to_scipy() @ known[term.target]
            before = known.get(term.source)
            known[term.source] = part if before is None else before + part
            known[term.source].data[:] = 1.0
    kept = dict(patterns)
    for buffer in linear.work:
        if buffer in patterns and buffer not in whole:
            nothing = scipy.sparse.csr_array(patterns[buffer].shape)
            wanted = patterns[buffer].to_scipy().multiply(known.get(buffer, nothing))
            kept[buffer] = SparsityPattern.from_scipy(scipy.sparse.csr_array(wanted))
    return kept


def _in_order(linear: LinearProgram) -> bool:
    """Tell whether a loop in order writes to the matrix."""
    return any(k.ordered and any(t.target is linear.target for t in k.terms) for k in linear.kernels)


def merged(kernel: LinearKernel, linear: LinearProgram) -> LinearKernel:
    """Add up terms with equal places; in a Hessian, give a term of it and its mirror image one coefficient.

    The two second derivatives of an expression are the same number, written in two ways. Written one way, and stored
    one after the other, they make the matrix symmetric to the bit, at half the cost.
    """
    terms = list(summed(kernel.terms))
    if not linear.symmetric:
        return LinearKernel(kernel.domain, tuple(terms), kernel.ordered)
    left = {(term.target, term.place.key, term.source, term.index.key): term for term in terms}
    alone = sum(any(t.target is linear.target for t in k.terms) for k in linear.kernels) == 1
    terms = []
    while left:
        term = left.pop(next(iter(left)))
        terms.append(term)
        if term.target is linear.target and term.source is linear.source:  # not a term of an intermediate array
            mirror = left.pop((term.target, term.index.key, term.source, term.place.key), None)
            if mirror:
                terms.append(replace(mirror, coefficient=mirrored(term, mirror)))
            elif alone and term.coefficient.is_constant and term.place.key != term.index.key:  # it was rounded to zero
                terms.append(replace(term, place=term.index, index=term.place))
    return LinearKernel(kernel.domain, tuple(terms), kernel.ordered)
