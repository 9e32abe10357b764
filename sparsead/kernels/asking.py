"""What the expression of a piece reads, and the kernel that is built of it.

Operands are asked from readers down to inputs for exactly the elements that are read; expressions are then built
upwards.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.joined import Owners
from sparsead.kernels.kernel import Buffer, Kernel, Load, Store
from sparsead.kernels.pieces import NeedsBufferError, Piece
from sparsead.kernels.unrolling import unrolled
from sparsead.program.index import IndexArray, Shape, compose, reshaped, walked
from sparsead.program.nodes import Constant, Earlier, Input, Join, Map, Node, Ref, Sum
from sparsead.program.scalar import OPS, Expr, Pool


class Lowering(Protocol):
    """What is asked of the lowering that a piece belongs to: its buffers by the node that fills them, and constants."""

    @property
    def buffers(self) -> Mapping[int, Buffer]:
        """Return the buffers by the number of the node that fills them."""

    @property
    def indices(self) -> Indices:
        """Return the index arrays that the pieces of a buffer have asked for."""

    def constant_load(self, node: Constant, index: IndexArray) -> float | Load:
        """Return a constant that is the same at all points, or a load from a copy of it."""


class Indices:
    """Index arrays by which pieces of a buffer ask: of equal ones the first stands for all, and is composed once.

    The components of a vector read the same elements of most arrays, but begin in different places.
    """

    def __init__(self) -> None:
        self._keys: dict[int, tuple[IndexArray, Hashable]] = {}
        self._first: dict[Hashable, IndexArray] = {}
        self._composed: dict[tuple[int, int], tuple[IndexArray, IndexArray, IndexArray]] = {}
        self._columns: dict[int, tuple[IndexArray, list[IndexArray]]] = {}

    def key(self, index: IndexArray) -> Hashable:
        """Return what two equal index arrays have in common."""
        known = self._keys.get(id(index))
        if known is None:
            known = self._keys[id(index)] = (index, recognise(index).key)
        return known[1]

    def first(self, index: IndexArray) -> IndexArray:
        """Return the first one that was equal; views, which are composed without a look at an element, stay."""
        return index if walked(index) else self._first.setdefault(self.key(index), index)

    def composed(self, outer: IndexArray, inner: IndexArray) -> IndexArray:
        """Return the composition of two index arrays, computed once."""
        known = self._composed.get((id(outer), id(inner)))
        if known is None:
            known = self._composed[id(outer), id(inner)] = (outer, inner, self.first(compose(outer, inner)))
        return known[2]

    def columns(self, terms: IndexArray) -> list[IndexArray]:
        """Return the columns of a table."""
        known = self._columns.get(id(terms))
        if known is None:
            columns = [np.ascontiguousarray(terms[:, k]) for k in range(terms.shape[1])]
            known = self._columns[id(terms)] = (terms, columns)
        return known[1]


@dataclass(eq=False)
class _Want:
    """A node asked for the elements `index`; filled in from readers down to inputs, then built upwards."""

    node: Node
    index: IndexArray
    operands: list[_Want] = field(default_factory=list)
    expr: Expr | None = None


class Asked:
    """All that the expression of a piece reads: which elements of which nodes, each asked for once."""

    def __init__(self, piece: Piece, lowering: Lowering) -> None:
        self.piece = piece
        self.lowering = lowering
        self.wants: dict[Hashable, _Want] = {}
        self.heap: list[tuple[int, int]] = []
        self.order: list[_Want] = []
        self.domain = piece.ref.shape
        self.roots = [self.want(piece.ref), *(self.want(f) for f in piece.factors)]

    def want(self, ref: Ref) -> _Want:
        """Ask for the elements of a node that a reading names; each set of them once."""
        indices = self.lowering.indices
        key = (ref.node.serial, indices.key(ref.index))
        if key not in self.wants:
            self.wants[key] = want = _Want(ref.node, indices.first(ref.index))
            self.order.append(want)
            heapq.heappush(self.heap, (-ref.node.serial, len(self.order) - 1))
        return self.wants[key]

    def pull(self) -> tuple[Join, Owners] | None:
        """Ask all operands; stop at a joined array that is read in several pieces and return who owns what."""
        composed = self.lowering.indices.composed
        while self.heap:
            want = self.order[heapq.heappop(self.heap)[1]]
            node = want.node
            if node.serial in self.lowering.buffers or isinstance(node, (Constant, Earlier, Input)):
                continue
            if isinstance(node, Join):
                owners = Owners(node, want.index)
                only = owners.only
                if only is None:
                    return node, owners
                want.operands = [self.want(Ref(node.pieces[only], owners.offset))]
            elif isinstance(node, Map):
                want.operands = [self.want(Ref(a.node, composed(a.index, want.index))) for a in node.args]
            elif isinstance(node, Sum):
                want.operands = [self.want(term) for term in self.unrolled_terms(node, want.index)]
        return None

    def unrolled_terms(self, node: Sum, index: IndexArray) -> Iterable[Ref]:
        """Return the terms of a short sum, written out."""
        terms = unrolled(node)
        if terms is None:
            raise NeedsBufferError(node)
        composed, columns = self.lowering.indices.composed, self.lowering.indices.columns(terms)
        return [Ref(node.terms.node, composed(node.terms.index, composed(column, index))) for column in columns]

    def leaves(self) -> list[_Want]:
        """Return what is read from buffers and constants."""
        return [w for w in self.order if not w.operands]

    def best_shape(self) -> Asked:
        """Take the shape of one of the nodes as domain if that turns tables into cheaper maps."""
        size = int(np.prod(self.domain, dtype=np.int64))
        shapes = {self.domain: None, **{w.node.shape: None for w in self.order if w.node.size == size}}
        if len(shapes) == 1 or not self._tables(self.domain):
            return self
        best = min(shapes, key=self._tables)
        if best == self.domain:
            return self
        reshaped = Asked(self.piece.reshaped(best), self.lowering)
        reshaped.pull()
        return reshaped

    def _tables(self, shape: Shape) -> int:
        maps = [recognise(reshaped(i, shape)) for i in (*(w.index for w in self.leaves()), self.piece.place)]
        return sum(len(t.entries) for m in maps for t in m.tables)

    def express(self, pool: Pool, rename: Renaming) -> Expr:
        """Build the expression, operands first."""
        for want in sorted(self.order, key=lambda w: w.node.serial):
            want.expr = self._leaf(want, pool, rename) or self._combine(want, pool)
        value, *factors = (root.expr for root in self.roots)
        assert value is not None
        for factor in factors:
            assert factor is not None
            value = -value if factor.equals(-1.0) else pool.apply(OPS["multiply"], (factor, value))
        return value

    def _leaf(self, want: _Want, pool: Pool, rename: Renaming) -> Expr | None:
        node = want.node
        buffer = self.lowering.buffers.get(node.serial)
        if buffer is not None:
            value = pool.leaf(Load(buffer, rename(recognise(want.index))))
            return pool.apply(OPS["not_equal"], (value, pool.constant(0.0))) if node.boolean else value
        if not isinstance(node, Constant):
            return None
        load = self.lowering.constant_load(node, want.index)
        if isinstance(load, float):
            return pool.constant(load)
        leaf = pool.leaf(Load(load.buffer, rename(load.index)))
        return pool.apply(OPS["not_equal"], (leaf, pool.constant(0.0))) if node.boolean else leaf

    def _combine(self, want: _Want, pool: Pool) -> Expr:
        args = tuple(w.expr for w in want.operands if w.expr is not None)
        if len(args) != len(want.operands):
            raise AssertionError(f"{want.node.label}: an operand was not built")
        if isinstance(want.node, Map):
            return pool.apply(want.node.op, args)
        total = args[0]
        for arg in args[1:]:
            total = pool.apply(OPS["add"], (total, arg))
        return total

    def partials(self) -> int:
        """Return how many partial derivatives the expression has."""
        return sum(w.node.serial in self.lowering.buffers for w in self.leaves())

    def shared(self, shape: Shape) -> float:
        """Return the share of the operations that neighbours along the last axis of a domain have in common."""
        middle = tuple(n // 2 for n in shape[:-1])
        read: dict[int, list[np.ndarray]] = defaultdict(list)
        for want in self.order:
            if want.operands:
                read[want.node.serial].append(want.index.reshape(shape)[middle])
        written = sum(len(lines) for lines in read.values()) * shape[-1]
        distinct = sum(np.unique(np.concatenate(lines)).size for lines in read.values())
        return 1.0 - distinct / max(written, 1)

    def maps(self) -> list[IndexMap]:
        """Return the index maps of loads and place: what decides how the domain may be written."""
        maps = [recognise(self.piece.place)]
        for want in self.leaves():
            if want.node.serial in self.lowering.buffers:
                maps.append(recognise(want.index))
            elif isinstance(want.node, Constant):
                load = self.lowering.constant_load(want.node, want.index)
                maps += [load.index] if isinstance(load, Load) else []
        return maps


@dataclass
class Renaming:
    """Axes of a domain to be merged with the next one, innermost first."""

    axes: tuple[int, ...]

    def __call__(self, index: IndexMap) -> IndexMap:
        """Return the map with the axes merged."""
        for axis in self.axes:
            merged = index.merged(axis)
            assert merged is not None
            index = merged
        return index


def coalesced(maps: list[IndexMap]) -> Renaming:
    """Find axes that every map walks as one."""
    axes: list[int] = []
    for axis in reversed(range(len(maps[0].shape) - 1)):
        merged = [m.merged(axis) for m in maps]
        if all(m is not None for m in merged):
            axes.append(axis)
            maps = [m for m in merged if m is not None]
    return Renaming(tuple(axes))


def built(domain: Shape, group: list[Asked], buffer: Buffer, adds: bool) -> Kernel:
    """Build one kernel from the pieces of a buffer that share a domain."""
    pool = Pool()
    rename = coalesced([m for asked in group for m in asked.maps()]) if len(domain) > 1 else Renaming(())
    stores = []
    for asked in group:
        value = asked.express(pool, rename)
        if not (adds and value.equals(0.0)):
            stores.append(Store(buffer, rename(recognise(asked.piece.place)), value, adds))
    shape = rename(recognise(group[0].piece.place)).shape
    return Kernel(shape, tuple(stores))
