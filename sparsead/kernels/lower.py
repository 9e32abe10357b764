"""Lower a program to kernels: pull index maps through the array operations and fuse what is read in place.

An array that gets a buffer (the output, and what `fusion` keeps) is split into pieces first: the parts of a joined
array, and sums as scatter-adds. The expression of a piece is then built on its domain by asking its operands for
exactly the elements that it reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from sparsead.kernels.alike import Alike, with_buffers
from sparsead.kernels.asking import Asked, Indices, built, coalesced
from sparsead.kernels.fusion import is_linear, materialised
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Load, Step, zeros
from sparsead.kernels.linearize import linearize
from sparsead.kernels.merging import merged_steps
from sparsead.kernels.pieces import NeedsBufferError, Piece, addends, parts_of_join, resolved
from sparsead.kernels.sinking import sunk
from sparsead.kernels.unrolling import unrolled
from sparsead.program.index import (
    IndexArray,
    Shape,
    compose,
    first_elements,
    identity,
    is_identity,
    stored_part,
)
from sparsead.program.nodes import (
    Call,
    Constant,
    GivesProducts,
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
from sparsead.program.stacking import stacked

SMALL_AXIS = 16  # a last axis of up to so many points is written out, if the code stays short
LONG_CODE = 4000  # scalar operations
MANY_PARTIALS = 256  # beyond, points are written out only if they share
LEAST_SHARED = 0.25  # of their operations
MAX_PARTS = 4  # a domain is split where it reads a joined array of up to so many pieces
MOST_PARTS = 32  # that a domain is split into in all, where joined arrays are made of joined arrays


def lower(program: Program, output: str = "y") -> Kernels:
    """Lower `program` to kernels that compute its output, in a buffer of this name, from its inputs."""
    program = stacked(program)
    few = sunk(program)
    if few is program:
        return _Lowering(program).run(output)
    kernels = _Lowering(few).run(output)
    if not linearize(kernels).absorbing:
        return kernels
    whole = _Lowering(program).run(output)  # a choice and an infinite factor are told apart at less cost in one kernel
    return kernels if linearize(whole).absorbing else whole


class _Lowering:
    """A program under way to kernels.

    Where an array turns out to need a buffer of its own, all since its place in the program is done again; what came
    before does not know of it.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.buffers = {i.serial: Buffer(i.name, i.size, "input", parts=i.parts) for i in program.inputs}
        self.keep = set(materialised(program))
        self.count = 0
        self.kernels: list[Step] = []
        self.constants: dict[Hashable, Buffer] = {}
        self.indices = Indices()
        self.alike = Alike()
        self.known: dict[Hashable, tuple[list[Step], list[Buffer]]] = {}

    def run(self, name: str) -> Kernels:
        """Fill every buffer, the output last."""
        output = Buffer(name, self.program.output.index.size, "output")
        nodes = self.program.nodes
        numbers = {node.serial: k for k, node in enumerate(nodes)}
        made: list[tuple[int, ...]] = []  # before each node
        while len(made) <= len(nodes):
            made.append(self.made())
            try:
                if len(made) <= len(nodes):
                    self.store(nodes[len(made) - 1])
                else:
                    self.fill(output, self.program.output)
            except NeedsBufferError as need:
                self.keep.add(need.node.serial)
                del made[numbers[need.node.serial] + 1 :]
                self.forget(made.pop())
        inputs = tuple(self.buffers[i.serial] for i in self.program.inputs)
        wrt = self.buffers[self.program.wrt.serial]
        return Kernels(wrt, output, tuple(b for b in inputs if b is not wrt), tuple(merged_steps(self.kernels)))

    def made(self) -> tuple[int, ...]:
        """Return how much there is: all grows at its end."""
        return self.count, len(self.kernels), len(self.buffers), len(self.constants), len(self.known)

    def forget(self, made: tuple[int, ...]) -> None:
        """Go back to when there was as much."""
        self.count, kernels, *known = made
        del self.kernels[kernels:]
        tables: tuple[dict[Any, Any], ...] = (self.buffers, self.constants, self.known)
        for table, length in zip(tables, known, strict=True):
            while len(table) > length:
                table.popitem()

    def store(self, node: Node) -> None:
        """Fill the buffer of an array, if it has one."""
        if isinstance(node, Call):
            self.call(node)
        elif node.serial in self.keep:
            buffer = self.new_buffer(node.size)
            if isinstance(node, Scan):
                self.fill_in_order(buffer, node)
            else:
                self.fill_alike(buffer, node)
            self.buffers[node.serial] = buffer

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
        if not isinstance(node.operation, GivesProducts):  # else the entries are asked for by matrices alone
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
        self.indices = Indices()
        pieces = list(self.pieces(Piece(ref, identity(ref.shape)), opened))
        groups: dict[tuple[Shape, bool], list[Asked]] = defaultdict(list)
        for piece in pieces:
            parts = list(self.ask(piece))
            for asked in parts:
                for part in self.written_out(asked, len(parts)):
                    groups[part.domain, part.piece.adds].append(part)
        adds = any(p.adds for p in pieces)
        made = [built(domain, group, buffer, adds) for (domain, _), group in groups.items()]
        kernels = [kernel for kernel in made if kernel.stores]
        self.kernels += kernels or [zeros(buffer)]

    def fill_in_order(self, buffer: Buffer, scan: Scan) -> None:
        """Add the kernels of a scan: its first elements, then the bodies in one ordered kernel."""
        self.fill(buffer, scan.start)
        self.buffers[scan.earlier.serial] = buffer
        asked, first = [], scan.start.index.size
        for body in scan.bodies:
            place = identity(scan.size)[first : first + body.index.size]
            asked.append(Asked(Piece(body, place), self))
            split = asked[-1].pull()
            if split is not None:
                raise NeedsBufferError(split[0])
            first += body.index.size
        kernel = built(scan.bodies[0].shape, asked, buffer, adds=False)
        self.kernels.append(replace(kernel, ordered=True))

    # -- pieces ---------------------------------------------------------------------------------------------
    def pieces(self, piece: Piece, opened: Node | None = None) -> Iterator[Piece]:
        """Split what goes into a buffer: joined arrays by owner, sums (below linear operations) by term."""
        node = piece.ref.node
        if node is not opened and node.serial in self.buffers:
            yield piece
        elif isinstance(node, Join):
            for part, owner, offset in parts_of_join(piece, node):
                yield from self.pieces(resolved(part, node, owner, offset))
        elif isinstance(node, Sum) and unrolled(node) is None:
            yield from self.scatter(piece, node)
        elif isinstance(node, Map) and is_linear(node) and self.has_sum(node):
            for addend in addends(piece, node):
                yield from self.pieces(addend)
        else:
            yield piece

    def scatter(self, piece: Piece, node: Sum) -> Iterator[Piece]:
        """Turn a piece that reads a sum into one over the terms of the sum."""
        read = piece.ref.index.reshape(-1)
        point_of = np.full(node.size, -1, dtype=np.int64)
        point_of[read] = np.arange(read.size)
        if int((point_of >= 0).sum()) != read.size:  # an element is read twice
            raise NeedsBufferError(node)
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
    def ask(self, piece: Piece) -> Iterator[Asked]:
        """Find out what a piece reads; split its domain where it reads several pieces of a joined array."""
        for number, (asked, joins) in enumerate(self.asked(piece, ())):
            if number == MOST_PARTS:  # each join has a few pieces, which are made of joins
                raise NeedsBufferError(joins[1])
            yield asked

    def asked(self, piece: Piece, joins: tuple[Join, ...]) -> Iterator[tuple[Asked, tuple[Join, ...]]]:
        """Yield the parts of a piece, and the joined arrays for which each was split, from reader to source."""
        asked = Asked(piece, self)
        split = asked.pull()
        if split is None:
            yield asked.best_shape(), joins
            return
        join, owners = split
        if len(owners.parts) > MAX_PARTS:
            raise NeedsBufferError(join)
        for part in owners.parts:
            yield from self.asked(piece.at(owners.points(part)), (*joins, join))

    def written_out(self, asked: Asked, copies: int = 1) -> Iterator[Asked]:
        """Write out a short last axis: what its points share is then computed once, and the loop is over the rest.

        `copies` says how often a point is written already, beside this one.
        """
        merged = coalesced(asked.maps())(IndexMap(asked.domain, 0, (0,) * len(asked.domain))).shape
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
