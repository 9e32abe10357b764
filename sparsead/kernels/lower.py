"""Lower a program to kernels: pull index maps through the array operations and fuse what is read in place.

An array that gets a buffer (the output, and what `fusion` keeps) is split into pieces first: the parts of a joined
array, and sums as scatter-adds. The expression of a piece is then built on its domain by asking its operands for
exactly the elements that it reads.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.kernels.alike import Alike, with_buffers
from sparsead.kernels.fusion import is_factor, is_linear, materialised
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Load, Step, Store, zeros
from sparsead.kernels.merging import merged_steps
from sparsead.kernels.unrolling import unrolled
from sparsead.program.index import (
    IndexArray,
    Shape,
    box,
    compose,
    first_elements,
    identity,
    is_identity,
    narrowed,
    stored_part,
)
from sparsead.program.nodes import (
    Call,
    Constant,
    Earlier,
    Input,
    Join,
    Map,
    Node,
    Program,
    Ref,
    Scan,
    Sum,
    constant,
    whole,
)
from sparsead.program.scalar import OPS, Expr, Pool

SMALL_AXIS = 16  # a last axis of up to so many points is written out, if the code stays short
LONG_CODE = 4000  # scalar operations
MANY_PARTIALS = 256  # beyond, points are written out only if they share
LEAST_SHARED = 0.25  # of their operations
MAX_PARTS = 4  # a domain is split where it reads a joined array of up to so many pieces


class _NeedsBufferError(Exception):
    """A node that was to be computed in place needs a buffer after all."""

    def __init__(self, node: Node) -> None:
        self.node = node


@dataclass(frozen=True, eq=False)
class Piece:
    """Part of a buffer: at each point p, the reading's value times the factors goes to ``place[p]``."""

    ref: Ref
    place: IndexArray
    adds: bool = False
    factors: tuple[Ref, ...] = ()

    def at(self, picked: IndexArray) -> Piece:
        """Return the piece on some of its points, given by their flat numbers."""
        factors = tuple(f.at(picked) for f in self.factors)
        return Piece(self.ref.at(picked), compose(self.place, picked), self.adds, factors)

    def reshaped(self, shape: Shape) -> Piece:
        """Return the piece over a domain of another shape."""
        if shape == self.ref.shape:
            return self
        factors = tuple(Ref(f.node, f.index.reshape(shape)) for f in self.factors)
        return Piece(Ref(self.ref.node, self.ref.index.reshape(shape)), self.place.reshape(shape), self.adds, factors)


def lower(program: Program) -> Kernels:
    """Lower `program` to kernels that compute its output from its inputs."""
    keep = materialised(program)
    while True:
        try:
            return _Lowering(program, keep).run()
        except _NeedsBufferError as need:
            keep = keep | {need.node.serial}


class _Lowering:
    """One attempt with a given choice of buffers."""

    def __init__(self, program: Program, keep: set[int]) -> None:
        self.program = program
        self.buffers: dict[int, Buffer] = {i.serial: Buffer(i.name, i.size, "input") for i in program.inputs}
        self.keep = keep
        self.count = 0
        self.kernels: list[Step] = []
        self.constants: dict[Hashable, Buffer] = {}
        self.alike = Alike()
        self.known: dict[Hashable, tuple[list[Step], list[Buffer]]] = {}

    def run(self) -> Kernels:
        """Fill every buffer, the output last."""
        for node in self.program.nodes:
            if isinstance(node, Call):
                self.call(node)
            elif node.serial in self.keep:
                buffer = self.new_buffer(node.size)
                if isinstance(node, Scan):
                    self.fill_in_order(buffer, node)
                else:
                    self.fill_alike(buffer, node)
                self.buffers[node.serial] = buffer
        output = Buffer("y", self.program.output.index.size, "output")
        self.fill(output, self.program.output)
        inputs = tuple(self.buffers[i.serial] for i in self.program.inputs)
        wrt = self.buffers[self.program.wrt.serial]
        return Kernels(wrt, output, tuple(b for b in inputs if b is not wrt), tuple(merged_steps(self.kernels)))

    def new_buffer(self, size: int) -> Buffer:
        """Return an intermediate buffer with a name of its own."""
        self.count += 1
        return Buffer(f"v{self.count}", size, "work")

    def call(self, node: Call) -> None:
        """Fill a buffer per operand, then call the operation."""
        operands = []
        for ref in node.args:
            operands.append(self.new_buffer(ref.index.size))
            self.fill(operands[-1], ref)
        result = self.buffers[node.serial] = self.new_buffer(node.size)
        entries: tuple[Buffer, ...] = ()
        if not hasattr(node.operation, "pulled"):  # else the entries are asked for by matrices alone
            sizes = [node.operation.structure(k)[0].size for k in range(len(operands))]
            entries = tuple(self.new_buffer(size) for size in sizes)
        self.kernels.append(CallKernel(node.operation, tuple(operands), result, entries, filled=(result,)))

    def fill_alike(self, buffer: Buffer, node: Node) -> None:
        """Fill the buffer of an array: as an array that is alike was filled, if there is one."""
        key, read = self.alike.key(node, self.buffers)
        if key not in self.known:
            first = len(self.kernels)
            self.fill(buffer, whole(node), opened=node)
            self.known[key] = self.kernels[first:], [*read, buffer]
            return
        kernels, buffers = self.known[key]
        renamed = dict(zip(buffers, [*read, buffer], strict=True))
        self.kernels += [with_buffers(k, renamed) for k in kernels if isinstance(k, Kernel)]

    def fill(self, buffer: Buffer, ref: Ref, opened: Node | None = None) -> None:
        """Add the kernels that compute what `ref` reads into `buffer`."""
        if ref.index.size == 0:
            return
        pieces = list(self.pieces(Piece(ref, identity(ref.shape)), opened))
        groups: dict[tuple[Shape, bool], list[_Asked]] = defaultdict(list)
        for piece in pieces:
            parts = list(self.ask(piece))
            for asked in parts:
                for part in self.written_out(asked, len(parts)):
                    groups[part.domain, part.piece.adds].append(part)
        adds = any(p.adds for p in pieces)
        built = [_build(domain, group, buffer, adds) for (domain, _), group in groups.items()]
        kernels = [kernel for kernel in built if kernel.stores]
        self.kernels += kernels or [zeros(buffer)]

    def fill_in_order(self, buffer: Buffer, scan: Scan) -> None:
        """Add the kernels of a scan: its first elements, then the bodies in one ordered kernel."""
        self.fill(buffer, scan.start)
        self.buffers[scan.earlier.serial] = buffer
        asked, first = [], scan.start.index.size
        for body in scan.bodies:
            place = identity(scan.size)[first : first + body.index.size]
            asked.append(_Asked(Piece(body, place), self))
            split = asked[-1].pull()
            if split is not None:
                raise _NeedsBufferError(split[0])
            first += body.index.size
        kernel = _build(scan.bodies[0].shape, asked, buffer, adds=False)
        self.kernels.append(replace(kernel, ordered=True))

    # -- pieces ---------------------------------------------------------------------------------------------
    def pieces(self, piece: Piece, opened: Node | None = None) -> Iterator[Piece]:
        """Split what goes into a buffer: joined arrays by owner, sums (below linear operations) by term."""
        node = piece.ref.node
        if node is not opened and node.serial in self.buffers:
            yield piece
        elif isinstance(node, Join):
            for part, owner, offset in _parts_of_join(piece, node):
                yield from self.pieces(_resolve(part, node, owner, offset))
        elif isinstance(node, Sum) and unrolled(node) is None:
            yield from self.scatter(piece, node)
        elif isinstance(node, Map) and is_linear(node) and self.has_sum(node):
            for addend in _addends(piece, node):
                yield from self.pieces(addend)
        else:
            yield piece

    def scatter(self, piece: Piece, node: Sum) -> Iterator[Piece]:
        """Turn a piece that reads a sum into one over the terms of the sum."""
        read = piece.ref.index.reshape(-1)
        point_of = np.full(node.size, -1, dtype=np.int64)
        point_of[read] = np.arange(read.size)
        if int((point_of >= 0).sum()) != read.size:  # an element is read twice
            raise _NeedsBufferError(node)
        point = compose(point_of, node.place)
        if (stored_part(point) < 0).all():  # what is read has no terms
            yield Piece(whole(constant(0.0)).broadcast(piece.ref.shape), piece.place, piece.adds)
            return
        inner = Piece(node.terms, first_elements(node.terms.shape))
        if (stored_part(point) < 0).any():
            inner = inner.at(np.flatnonzero(point >= 0))
            point = point.reshape(-1)[np.flatnonzero(point >= 0)]
        if is_identity(read, node.size):
            point = node.place if point.size == node.place.size else point
        factors = tuple(f.at(point.reshape(inner.ref.shape)) for f in piece.factors)
        place = compose(piece.place, point.reshape(inner.ref.shape))
        yield from self.pieces(Piece(inner.ref, place, True, factors))

    def has_sum(self, node: Map) -> bool:
        """Tell whether a sum can be reached from `node` through linear operations only."""
        pending, seen = [node], {node.serial}
        while pending:
            for ref in pending.pop().args:
                below = ref.node
                if below.serial in seen or below.serial in self.buffers or below.size < node.size // 4:
                    continue
                seen.add(below.serial)
                if isinstance(below, Sum) and unrolled(below) is None:
                    return True
                if isinstance(below, Map) and is_linear(below):
                    pending.append(below)
        return False

    # -- expressions ----------------------------------------------------------------------------------------
    def ask(self, piece: Piece) -> Iterator[_Asked]:
        """Find out what a piece reads; split its domain where it reads several pieces of a joined array."""
        asked = _Asked(piece, self)
        split = asked.pull()
        if split is None:
            yield asked.best_shape()
            return
        join, owner = split
        parts = np.unique(owner)
        if len(parts) > MAX_PARTS:
            raise _NeedsBufferError(join)
        flat = owner.reshape(-1)
        for part in parts:
            yield from self.ask(_on_box(piece, np.flatnonzero(flat == part)))

    def written_out(self, asked: _Asked, copies: int = 1) -> Iterator[_Asked]:
        """Write out a short last axis: what its points share is then computed once, and the loop is over the rest.

        `copies` says how often a point is written already, beside this one.
        """
        merged = _coalesce(asked.maps())(IndexMap(asked.domain, 0, (0,) * len(asked.domain))).shape
        rest = int(np.prod(merged[:-1], dtype=np.int64))
        if len(merged) < 2 or not merged[-1] <= min(SMALL_AXIS, rest // 2, LONG_CODE // len(asked.order)):
            yield asked
            return
        copies *= merged[-1]
        if copies * asked.partials() > MANY_PARTIALS and asked.shared(merged) < LEAST_SHARED:
            yield asked
            return
        points = identity(merged)
        for k in range(merged[-1]):
            for part in self.ask(asked.piece.reshaped(merged).at(points[..., k])):
                yield from self.written_out(part, copies)

    def constant_load(self, node: Constant, index: IndexArray) -> float | Load:
        """Return a literal where a constant is uniform over the domain, else a load from a gathered copy."""
        values = node.value.reshape(-1)[stored_part(index)]
        first = values.flat[0]
        if (values == first).all() or (first != first and np.isnan(values).all()):
            return float(first)
        key = (values.shape, values.tobytes())
        if key not in self.constants:
            flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
            self.constants[key] = Buffer(f"c{len(self.constants)}", flat.size, "constant", flat)
        place = np.broadcast_to(identity(values.shape), values.shape)
        full = np.broadcast_to(stored_part(_unit_strides(place)), index.shape)
        return Load(self.constants[key], recognise(full))


def _unit_strides(index: IndexArray) -> IndexArray:
    """Give axes of length 1 stride 0, so that they can be broadcast."""
    return np.lib.stride_tricks.as_strided(
        index, strides=tuple(0 if n == 1 else s for s, n in zip(index.strides, index.shape, strict=True))
    )


def _parts_of_join(piece: Piece, join: Join) -> Iterator[tuple[Piece, int, IndexArray]]:
    owner = compose_values(join.owner, piece.ref.index)
    for k in np.unique(owner):
        selected = np.flatnonzero(owner.reshape(-1) == k)
        part = piece if selected.size == owner.size else _on_box(piece, selected)
        yield part, int(k), compose_values(join.offset, part.ref.index)


def compose_values(values: np.ndarray, index: IndexArray) -> np.ndarray:
    """Return ``values.flat[index]``, without a copy where `index` takes all of it in order."""
    return values.reshape(index.shape) if is_identity(index, values.size) else values.reshape(-1)[index]


def _resolve(part: Piece, join: Join, owner: int, offset: IndexArray) -> Piece:
    """Let a part of a joined array read its piece, over the piece's own domain where it is taken whole."""
    node = join.pieces[owner]
    moved = Piece(Ref(node, offset), part.place, part.adds, part.factors)
    if offset.size == node.size and np.array_equal(offset.reshape(-1), identity(node.size)):
        moved = Piece(Ref(node, identity(offset.shape)), part.place, part.adds, part.factors)
        return moved.reshaped(node.shape)
    return moved


def _on_box(piece: Piece, selected: IndexArray) -> Piece:
    """Restrict a piece to some of its points, as a block of its domain where they form one."""
    shape = piece.ref.shape
    block = box(selected, shape)
    picked = identity(shape)[block[0]] if block is not None else narrowed(selected)
    return piece.at(picked)


def _addends(piece: Piece, node: Map) -> Iterator[Piece]:
    """Split a linear operation into pieces that add up."""
    args = [r.at(piece.ref.index) for r in node.args]
    if node.op.name == "multiply":
        factor, other = (args[0], args[1]) if is_factor(args[0].node) else (args[1], args[0])
        yield Piece(other, piece.place, piece.adds, (*piece.factors, factor))
        return
    minus = whole(constant(-1.0)).broadcast(piece.ref.shape)
    for k, arg in enumerate(args):
        negated = node.op.name == "negative" or (node.op.name == "subtract" and k == 1)
        yield Piece(arg, piece.place, True, (*piece.factors, minus) if negated else piece.factors)


@dataclass(eq=False)
class _Want:
    """A node asked for the elements `index`; filled in from readers down to inputs, then built upwards."""

    node: Node
    index: IndexArray
    operands: list[_Want] = field(default_factory=list)
    expr: Expr | None = None


class _Asked:
    """All that the expression of a piece reads: which elements of which nodes, each asked for once."""

    def __init__(self, piece: Piece, lowering: _Lowering) -> None:
        self.piece = piece
        self.lowering = lowering
        self.wants: dict[Hashable, _Want] = {}
        self.heap: list[tuple[int, int]] = []
        self.order: list[_Want] = []
        self.domain = piece.ref.shape
        self._keys: dict[int, tuple[IndexArray, Hashable]] = {}
        self._composed: dict[tuple[int, int], tuple[IndexArray, IndexArray, IndexArray]] = {}
        self.roots = [self.want(piece.ref), *(self.want(f) for f in piece.factors)]

    def key(self, index: IndexArray) -> Hashable:
        known = self._keys.get(id(index))
        if known is None:
            known = self._keys[id(index)] = (index, recognise(index).key)
        return known[1]

    def want(self, ref: Ref) -> _Want:
        key = (ref.node.serial, self.key(ref.index))
        if key not in self.wants:
            self.wants[key] = want = _Want(ref.node, ref.index)
            self.order.append(want)
            heapq.heappush(self.heap, (-ref.node.serial, len(self.order) - 1))
        return self.wants[key]

    def composed(self, outer: IndexArray, inner: IndexArray) -> IndexArray:
        known = self._composed.get((id(outer), id(inner)))
        if known is None:
            known = self._composed[id(outer), id(inner)] = (outer, inner, compose(outer, inner))
        return known[2]

    def pull(self) -> tuple[Join, np.ndarray] | None:
        """Ask all operands; stop at a joined array that is read in several pieces and return who owns what."""
        while self.heap:
            want = self.order[heapq.heappop(self.heap)[1]]
            node = want.node
            if node.serial in self.lowering.buffers or isinstance(node, (Constant, Earlier, Input)):
                continue
            if isinstance(node, Join):
                owner = compose_values(node.owner, want.index)
                if not (owner == owner.flat[0]).all():
                    return node, owner
                piece = node.pieces[int(owner.flat[0])]
                want.operands = [self.want(Ref(piece, compose_values(node.offset, want.index)))]
            elif isinstance(node, Map):
                want.operands = [self.want(Ref(a.node, self.composed(a.index, want.index))) for a in node.args]
            elif isinstance(node, Sum):
                want.operands = [self.want(term) for term in self.unrolled_terms(node, want.index)]
        return None

    def unrolled_terms(self, node: Sum, index: IndexArray) -> Iterable[Ref]:
        terms = unrolled(node)
        if terms is None:
            raise _NeedsBufferError(node)
        return [node.terms.at(compose(np.ascontiguousarray(terms[:, k]), index)) for k in range(terms.shape[1])]

    def leaves(self) -> list[_Want]:
        return [w for w in self.order if not w.operands]

    def best_shape(self) -> _Asked:
        """Take the shape of one of the nodes as domain if that turns tables into cheaper maps."""
        size = int(np.prod(self.domain, dtype=np.int64))
        shapes = {self.domain: None, **{w.node.shape: None for w in self.order if w.node.size == size}}
        if len(shapes) == 1 or not self._tables(self.domain):
            return self
        best = min(shapes, key=self._tables)
        if best == self.domain:
            return self
        reshaped = _Asked(self.piece.reshaped(best), self.lowering)
        reshaped.pull()
        return reshaped

    def _tables(self, shape: Shape) -> int:
        maps = [recognise(i.reshape(shape)) for i in (*(w.index for w in self.leaves()), self.piece.place)]
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


def _coalesce(maps: list[IndexMap]) -> Renaming:
    """Find axes that every map walks as one."""
    axes: list[int] = []
    for axis in reversed(range(len(maps[0].shape) - 1)):
        merged = [m.merged(axis) for m in maps]
        if all(m is not None for m in merged):
            axes.append(axis)
            maps = [m for m in merged if m is not None]
    return Renaming(tuple(axes))


def _build(domain: Shape, group: list[_Asked], buffer: Buffer, adds: bool) -> Kernel:
    """Build one kernel from the pieces of a buffer that share a domain."""
    pool = Pool()
    rename = _coalesce([m for asked in group for m in asked.maps()]) if len(domain) > 1 else Renaming(())
    stores = []
    for asked in group:
        value = asked.express(pool, rename)
        if not (adds and value.equals(0.0)):
            stores.append(Store(buffer, rename(recognise(asked.piece.place)), value, adds))
    shape = rename(recognise(group[0].piece.place)).shape
    return Kernel(shape, tuple(stores))
