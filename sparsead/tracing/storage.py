"""The memory behind traced arrays: which node last wrote each element.

Views share a storage, so a write through one is seen by all, as in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from sparsead.errors import user_origin
from sparsead.program.index import (
    NUMBER,
    IndexArray,
    Shape,
    compose,
    identity,
    index_dtype,
    nothing,
    stored_part,
)
from sparsead.program.nodes import Constant, Join, Node, Ref, constant, whole
from sparsead.tracing import layout
from sparsead.tracing.loops.columns import MOST, STORED, machine
from sparsead.tracing.loops.grouping import grouped
from sparsead.tracing.loops.tape import BOOL, DOUBLE, INTEGER, Tape, current_tape
from sparsead.tracing.scalar import TracedScalar, refuse_foreign


class Storage:
    """Memory of `size` elements.

    It is plain memory (``values``) until a traced value is written to it; from then on each element has an
    owner, the node that wrote it last, and an offset into that node. A storage that one reading filled and
    nothing overwrote keeps only that reading. Scalars written by loop code wait in `pending`, position by position,
    until an array is read or written: then they become array operations, group by group.

    Parameters
    ----------
    source : Ref, two of them, or numpy.ndarray
        What fills it: a reading in flat order, or two, in turn (the parts of complex numbers), or plain values (1-D,
        owned by the storage).
    """

    __slots__ = (
        "_joined", "dtype", "home", "is_outside", "nodes", "notes", "offset", "owner", "pair", "pending",
        "refuse_write", "size", "source", "tape", "values",
    )  # fmt: skip

    def __init__(self, source: Ref | tuple[Ref, Ref] | np.ndarray) -> None:
        self.values = source if isinstance(source, np.ndarray) else None
        self.source = source if isinstance(source, Ref) else None
        self.pair = source if isinstance(source, tuple) else None
        self.size = (
            sum(math.prod(part.shape) for part in source) if isinstance(source, tuple) else math.prod(source.shape)
        )
        self.dtype = dtype_of(source.node) if isinstance(source, Ref) else getattr(source, "dtype", DOUBLE)
        self.home = current_tape()
        self.nodes: list[Node] = []
        self.owner: np.ndarray | None = None
        self.offset: np.ndarray | None = None
        self.pending: dict[int, int] = {}
        self.is_outside = False  # memory of the program around, which keeps what is written there
        self.refuse_write: Callable[[], NoReturn] | None = None  # raises, in words, where writing would be lost
        self.tape: Tape | None = None  # what the pending scalars are records of
        self.notes: np.ndarray | None = None  # on `source`, for machine code
        self._joined: dict[int, tuple[IndexArray, Ref]] = {}

    @classmethod
    def of_number(cls, number: TracedScalar) -> Storage:
        """Return the memory of one element that holds a number."""
        storage = cls(np.zeros(1, number.tape.dtype(number.entry)))
        storage.tape = number.tape
        storage.pending[0] = number.entry
        return storage

    @property
    def boolean(self) -> bool:
        """True where the elements are truth values."""
        return self.dtype == np.bool_

    @property
    def is_constant(self) -> bool:
        """True as long as no traced value was written."""
        return self.values is not None and not self.pending

    # -- one element ----------------------------------------------------------------------------------------
    def element(self, position: int) -> Any:
        """Return what one element holds: a traced scalar, or the known value."""
        if self.pending and position in self.pending:
            assert self.tape is not None
            return TracedScalar(self.tape, self.pending[position])
        if self.values is not None:
            return self.values[position]
        tape = self.home if self.home is current_tape() else self._visited()
        if self.source is not None:
            node, place = self.source.node, self.source.index.item(position)
        elif self.pair is not None:
            half = self.pair[position % 2]
            node, place = half.node, half.index.item(position // 2)
        else:
            assert self.owner is not None and self.offset is not None
            node, place = self.nodes[self.owner.item(position)], self.offset.item(position)
        while type(node) is Join:  # down to what it was assembled from, which may be known
            node, place = node.pieces[node.owner.item(place)], node.offset.item(place)
        if type(node) is Constant and not (node.boolean or node.integer):
            return node.value.reshape(-1)[place]
        record = tape.element(node, place)
        if machine.runs and self.notes is None and self.source is not None and node is self.source.node:
            self.notes = notes_on(self.source, self.home.signature[record] if tape is self.home else -1)
        return TracedScalar(tape, record)

    def set_element(self, position: int, value: TracedScalar | float) -> None:
        """Store a scalar."""
        if not isinstance(value, TracedScalar):
            if self.values is not None:
                self.pending.pop(position, None)
                self.values[position] = value
                return
            tape, record = current_tape(), current_tape().literal(value)
        else:
            if self.refuse_write is not None:
                self.refuse_write()
            tape, record = value.tape, value.entry
        if self.tape is not tape:
            self.flush()
            self.tape = tape
        self.pending[position] = record
        if machine.runs and not tape.is_exact(record):
            tape.learn(STORED, tape.signature[record], 0, 0)

    def _visited(self) -> Tape:
        """Return the tape to record on; refuse memory of a trace that is over."""
        if self.home.closed:
            refuse_foreign("array")
        return current_tape()

    def flush(self) -> None:
        """Turn the pending scalars into array operations and write them."""
        if not self.pending:
            return
        assert self.tape is not None
        pending, self.pending = self.pending, {}
        positions = np.fromiter(pending.keys(), dtype=index_dtype(self.size), count=len(pending))
        records = np.fromiter(pending.values(), dtype=NUMBER, count=len(pending))
        for places, ref in grouped(self.tape, records, positions):
            self.write(places, ref)

    # -- many elements --------------------------------------------------------------------------------------
    def read(self, positions: IndexArray) -> Ref:
        """Return what the elements at `positions` hold now."""
        self.flush()
        if self.values is not None:
            return self._read_values(positions)
        if self.home.closed:
            self._visited()
        if self.source is not None:
            return _composed(self.source, positions)
        part = None if self.pair is None else layout.part_of(positions)
        if self.pair is not None and part is not None:
            return _composed(self.pair[part[0]], part[1])
        if self.pair is not None:
            self._own()
        return self._read_owned(positions)

    def read_pairs(self, positions: IndexArray) -> tuple[Ref, Ref]:
        """Return both parts of the complex numbers at some positions, which count these."""
        if self.pair is not None and not self.pending:
            return _composed(self.pair[0], positions), _composed(self.pair[1], positions)
        doubled = 2 * positions
        return self.read(doubled), self.read(doubled + 1)

    def _read_values(self, positions: IndexArray) -> Ref:
        assert self.values is not None
        if positions.size == 0:
            return Ref(constant(np.zeros(1)), nothing(positions.shape))
        node = constant(self.values[stored_part(positions)])  # a copy: later writes must not reach it
        return whole(node).broadcast(positions.shape)

    def _read_owned(self, positions: IndexArray) -> Ref:
        assert self.owner is not None and self.offset is not None
        if positions.size == 0:
            return Ref(constant(np.zeros(1)), nothing(positions.shape))
        known = self._joined.get(id(positions))
        if known is not None and known[0] is positions:
            return known[1]
        owner, offset = self.owner[positions], self.offset[positions]
        present = np.unique(owner)
        if len(present) == 1:
            ref = Ref(self.nodes[present[0]], offset)
        else:
            pieces = tuple(self.nodes[k] for k in present)
            owner = np.searchsorted(present, owner).astype(NUMBER)
            join = Join(
                shape=positions.shape, boolean=self.boolean, integer=self.dtype.kind == "i", pieces=pieces, owner=owner,
                offset=offset, origin=user_origin(),
            )  # fmt: skip
            ref = Ref(join, identity(positions.shape))
        self._joined[id(positions)] = (positions, ref)
        return ref

    def write(self, positions: IndexArray, ref: Ref) -> None:
        """Store the reading `ref` (broadcast to the shape of `positions`)."""
        self.flush()
        if self.refuse_write is not None:
            self.refuse_write()
        if self.owner is None or self.offset is None:
            self._visited()
            self._own()
        assert self.owner is not None and self.offset is not None
        self._joined.clear()
        ref = ref.broadcast(positions.shape)
        node = ref.node
        if not self.nodes or self.nodes[-1] is not node:
            self.nodes.append(node)
        self.owner[positions] = len(self.nodes) - 1
        self.offset = self.offset.astype(np.promote_types(self.offset.dtype, index_dtype(node.size)), copy=False)
        self.offset[positions] = ref.index

    def _own(self) -> None:
        """Turn to one owner and offset per element."""
        filling = self.pair or (self.read(identity(self.size)),)
        count = len(filling)
        self.nodes = [ref.node for ref in filling]
        self.owner = np.arange(self.size, dtype=NUMBER) % count
        self.offset = np.empty(self.size, dtype=index_dtype(max(self.size, *(ref.node.size for ref in filling))))
        for k, ref in enumerate(filling):
            self.offset[k::count] = ref.index.reshape(-1)
        self.values = self.source = self.pair = None


def notes_on(source: Ref, number: int) -> np.ndarray | None:
    """Return what machine code reads of what fills a storage: its signature, and where its flat indices are."""
    index = source.index
    regular = index.ndim == 1 or (index.ndim > 1 and index.flags.c_contiguous)
    if number < 0 or not regular or source.node.size > MOST or index.itemsize not in (4, 8):
        return None
    stride = index.strides[0] if index.ndim == 1 else index.itemsize
    return np.array([id(source), number, index.ctypes.data, stride, index.itemsize == 8], np.int64)


def _composed(source: Ref, positions: IndexArray) -> Ref:
    return Ref(source.node, compose(source.index.reshape(-1), positions))


def dtype_of(node: Node) -> np.dtype[Any]:
    """Return the type of the elements of a node, as NumPy has it."""
    return BOOL if node.boolean else INTEGER if node.integer else DOUBLE


def assemble(parts: list[Ref], part: np.ndarray, element: IndexArray, shape: Shape) -> Ref:
    """Return the reading whose point p is point ``element[p]`` of ``parts[part[p]]``."""
    used = np.unique(part)
    if len(used) == 0:
        return Ref(constant(np.zeros(1)), nothing(shape))
    if len(used) == 1:
        return parts[used[0]].at(element)
    nodes, numbers = _numbered([parts[k] for k in used])
    owner, offset = np.empty(shape, NUMBER), np.empty(shape, index_dtype(max(node.size for node in nodes)))
    for k, number in zip(used, numbers, strict=True):
        here = part == k
        owner[here] = number
        offset[here] = parts[k].index.reshape(-1)[element[here]]
    return _joined(nodes, owner, offset)


def in_turn(parts: list[Ref], shape: Shape) -> Ref:
    """Return the reading of all points of `parts`, one after the other."""
    parts = [part for part in parts if part.index.size]
    if len(parts) == 1:
        return Ref(parts[0].node, parts[0].index.reshape(shape))
    nodes, numbers = _numbered(parts)
    owner = np.repeat(numbers, [part.index.size for part in parts]).reshape(shape)
    offset = np.empty(shape, index_dtype(max(node.size for node in nodes)))
    np.concatenate([part.index.reshape(-1) for part in parts], out=offset.reshape(-1))
    return _joined(nodes, owner, offset)


def _numbered(parts: list[Ref]) -> tuple[list[Node], np.ndarray]:
    """Return the nodes that are read, each once, and the number of that of each part."""
    nodes = {part.node.serial: part.node for part in parts}
    numbers = {serial: k for k, serial in enumerate(nodes)}
    return list(nodes.values()), np.array([numbers[part.node.serial] for part in parts], dtype=NUMBER)


def _joined(nodes: list[Node], owner: np.ndarray, offset: IndexArray) -> Ref:
    if len(nodes) == 1:
        return Ref(nodes[0], offset)
    boolean, integer = (all(getattr(node, kind) for node in nodes) for kind in ("boolean", "integer"))
    join = Join(
        shape=owner.shape, boolean=boolean, integer=integer, pieces=tuple(nodes), owner=owner, offset=offset,
        origin=user_origin(),
    )  # fmt: skip
    return Ref(join, identity(owner.shape))
