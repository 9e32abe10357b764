"""Readings of scalars of one signature: a group is expanded like a single expression.

The operands of m scalars of one signature are again m scalars of one signature each: arrays of record numbers take
the place of records.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from sparsead.errors import Origin
from sparsead.program.index import NUMBER, IndexArray, Shape, first_elements
from sparsead.program.nodes import Map, Node, Ref, Sum, constant, whole
from sparsead.program.scalar import OPS, Op
from sparsead.tracing.loops.cuts import CUT, Cells, Cuts, RecurrenceError, truths
from sparsead.tracing.loops.sums import Part, parts_of, uses
from sparsead.tracing.loops.tape import LONG_SUM, Signature, Tape, take

MOST_OPENED = 8  # long sums in which one value may be found before that is a recurrence


@dataclass(eq=False)
class Domain:
    """The points of a group, and the element numbers that decide how they are laid out."""

    size: int
    hints: list[np.ndarray]
    _shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """Shape in which the points are laid out."""
        if self._shape is None:
            self._shape = grid(self.size, self.hints)
        return self._shape


@dataclass(eq=False)
class Step:
    """Scalars of one signature that are to become one reading."""

    key: bytes
    records: np.ndarray
    domain: Domain
    kind: Op | Node | Cells | float | None
    operands: list[Step] = field(default_factory=list)
    sums: list[tuple[Part, np.ndarray | None, Domain]] | None = None  # a long sum: how each operand enters


class Expansion:
    """Readings being built, operands first; with `cuts`, expressions end at the values that are cut off."""

    def __init__(
        self,
        tape: Tape,
        most_steps: int,
        twice: bool = True,
        used: np.ndarray | None = None,
        cuts: Cuts | None = None,
    ) -> None:
        self.tape = tape
        self.most_steps = most_steps
        self.twice = twice
        self.used = used
        self.cuts = cuts
        self.cells = Cells(0)
        self.steps: dict[bytes, Step] = {}
        self.built: list[bytes] = []
        self.opened: Counter[int] = Counter()
        self.computed = np.zeros(0 if twice else len(tape), dtype=np.bool_)
        self.again = self.all = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is not None:
            for key in self.built:
                self.tape.memo.pop(key, None)

    def run(self, records: np.ndarray, places: IndexArray | None = None, cut: bool = False) -> Ref:
        """Return the reading whose point p (in C order) is scalar ``records[p]``; all must have one label.

        The shape of its domain is chosen so that the positions that are read, and `places`, follow the axes.
        """
        root = self.step(records, Domain(records.size, [] if places is None else [places]), force=cut)
        for step in self.ordered(root):
            self.tape.memo[step.key] = self.build(step)
            self.built.append(step.key)
        return shaped(self.tape.memo[root.key], root.domain.shape)

    def ordered(self, root: Step) -> list[Step]:
        """Return the steps that are not built yet, operands first."""
        order: list[Step] = []
        done, memo = set[bytes](), self.tape.memo
        pending = [root]
        while pending:
            step = pending[-1]
            if step.key in done or step.key in memo:
                pending.pop()
                continue
            if not step.operands:
                self.open(step)
            missing = [o for o in step.operands if o.key not in done and o.key not in memo]
            if missing:
                pending.extend(reversed(missing))
                continue
            done.add(step.key)
            order.append(step)
            pending.pop()
        return order

    def step(self, records: np.ndarray, domain: Domain, force: bool = False) -> Step:
        """Return the step for some records: one for equal arrays of records."""
        key = hashlib.blake2b(np.ascontiguousarray(records, dtype=NUMBER).data, digest_size=16).digest()
        if force or key not in self.steps:
            if len(self.steps) >= self.most_steps:
                raise RecurrenceError
            is_cell = self.cuts is not None and not force and self.cuts.label[records[0]] == CUT
            signature = self.tape.signatures[self.tape.signature[int(records[0])]]
            self.steps[key] = Step(key, records, domain, self.cells if is_cell else signature.kind)
        return self.steps[key]

    def note(self, records: np.ndarray) -> None:
        """Note that an operation on `records` is computed; stop if too many are computed again elsewhere."""
        if self.twice:
            return
        self.again += int(np.count_nonzero(self.computed[records]))
        self.all += records.size
        self.computed[records] = True
        if self.again > 0.1 * self.all + 64:
            raise RecurrenceError

    def is_long(self, record: int) -> bool:
        """Tell whether a record is a sum of many terms."""
        if self.cuts is not None:
            return bool(self.cuts.long[record])
        return self.tape.signatures[self.tape.signature[record]].terms > LONG_SUM

    def open(self, step: Step) -> None:
        """Find the operands of a step."""
        tape, kind = self.tape, step.kind
        if isinstance(kind, Node):
            step.domain.hints.append(take(tape.a, step.records))
        elif isinstance(kind, Cells):
            step.domain.hints.append(kind.offset[step.records])
        elif isinstance(kind, Op):
            if self.is_long(int(step.records[0])):
                self.open_sum(step)
                return
            self.note(step.records)
            columns = [take(column, step.records) for column in (tape.a, tape.b)[: kind.arity]]
            if kind.arity > 2:
                columns.append(np.array([tape.third[r] for r in step.records.tolist()], dtype=NUMBER))
            step.operands = [self.step(column, step.domain) for column in columns]

    # -- readings -------------------------------------------------------------------------------------------
    def build(self, step: Step) -> Ref:
        """Return the reading of a step whose operands are built."""
        kind, shape = step.kind, step.domain.shape
        if isinstance(kind, Node):
            return Ref(kind, take(self.tape.a, step.records).reshape(shape))
        if isinstance(kind, Cells):
            cells = kind.read(step.records, shape)
            return truths(cells) if self.signature(step).boolean else cells
        if isinstance(kind, Op):
            return self.build_sum(step) if step.sums is not None else self.build_map(step, kind)
        return self.build_literal(step)

    def build_map(self, step: Step, op: Op) -> Ref:
        """Return the reading of an operation on the operands."""
        shape = step.domain.shape
        args = tuple(shaped(self.tape.memo[o.key], shape) for o in step.operands)
        integer = self.signature(step).integer
        return whole(Map(shape=shape, boolean=op.boolean, integer=integer, op=op, args=args, origin=self.origin(step)))

    def signature(self, step: Step) -> Signature:
        """Return the signature of the first of the values."""
        return self.tape.signatures[self.tape.signature[int(step.records[0])]]

    def origin(self, step: Step) -> Origin | None:
        """Return the line that computed the first of the values."""
        return self.signature(step).origin

    def build_literal(self, step: Step) -> Ref:
        """Return the reading of numbers: one for all, or an array."""
        shape = step.domain.shape
        if isinstance(step.kind, float):
            return whole(constant(step.kind)).broadcast(shape)
        places = take(self.tape.a, step.records)
        if (places == places[0]).all():
            return whole(constant(self.tape.literals[int(places[0])])).broadcast(shape)
        return whole(constant(np.frombuffer(self.tape.literals)[places].reshape(shape)))

    # -- long sums ------------------------------------------------------------------------------------------
    def open_sum(self, step: Step) -> None:
        """Make the terms of long sums the operands, one for each signature and sign."""
        if self.used is None:
            self.used = uses(self.tape)
        self.opened.update(step.records.tolist())
        if max(self.opened[r] for r in step.records.tolist()) > MOST_OPENED:
            raise RecurrenceError
        step.sums = []
        labels = None if self.cuts is None else self.cuts.label
        for part in parts_of(self.tape, step.records, self.used, labels):
            records, inverse = np.unique(part.records, return_inverse=True)
            repeated = records.size < part.records.size
            domain = Domain(part.records.size, [part.rows])
            inner = Domain(records.size, []) if repeated else domain
            step.operands.append(self.step(records if repeated else part.records, inner))
            step.sums.append((part, inverse if repeated else None, domain))

    def build_sum(self, step: Step) -> Ref:
        """Add up the parts of long sums: each a `Sum`, or a single term of each."""
        assert step.sums is not None
        shape, count = step.domain.shape, step.records.size
        total: Ref | None = None
        for operand, (part, inverse, domain) in zip(step.operands, step.sums, strict=True):
            terms = self.tape.memo[operand.key]
            if inverse is not None:
                terms = shaped(terms, (terms.index.size,)).at(inverse)
            if count == part.rows.size and np.array_equal(part.rows, np.arange(count)):
                terms = shaped(terms, shape)
            else:
                terms = shaped(terms, domain.shape)
                place = part.rows.reshape(domain.shape) if count > 1 else first_elements(domain.shape)
                terms = whole(Sum(shape=shape, terms=terms, place=place, origin=self.origin(step)))
            total = _combined(total, terms, part.sign, self.origin(step))
        return total if total is not None else whole(constant(0.0)).broadcast(shape)


def _combined(total: Ref | None, part: Ref, sign: int, origin: Origin | None) -> Ref:
    if total is None:
        return part if sign > 0 else whole(Map(shape=part.shape, op=OPS["negative"], args=(part,), origin=origin))
    op = OPS["add" if sign > 0 else "subtract"]
    return whole(Map(shape=part.shape, op=op, args=(total, part), origin=origin))


def shaped(ref: Ref, shape: Shape) -> Ref:
    """Return a reading over a domain of another shape of the same size."""
    if ref.shape == shape:
        return ref
    if not any(ref.index.strides):
        return Ref(ref.node, np.broadcast_to(ref.index[(0,) * ref.index.ndim], shape))
    return Ref(ref.node, ref.index.reshape(shape))


# -- the shape of a nested loop -----------------------------------------------------------------------------------
def grid(size: int, arrays: Sequence[np.ndarray]) -> Shape:
    """Return the shape in which the points of a loop are laid out: nested loops become axes.

    The length of the inner loop is where an array of element numbers first breaks its stride. Of the candidates,
    the one is taken in which most arrays follow the axes.
    """
    broken = [a for a in arrays if _run(a) < size]
    candidates = sorted({k for a in broken for k in (_run(a),) if size % k == 0 and 1 < k < size})
    best, most = 0, 0
    for k in candidates:
        follow = sum(_follows(a.reshape(-1, k)) for a in broken)
        if follow > most:
            best, most = k, follow
    if not best:
        return (size,)
    return (*grid(size // best, [a.reshape(-1, best)[:, 0] for a in broken]), best)


def _run(a: np.ndarray) -> int:
    """Return how many elements from the first one on have the same stride."""
    if a.size < 3:
        return a.size
    steps = np.diff(a)
    breaks = np.flatnonzero(steps != steps[0])
    return int(breaks[0]) + 1 if breaks.size else a.size


def _follows(a: np.ndarray) -> bool:
    """Tell whether an array is a sum of a function of the row and one of the column."""
    return bool((a - a[:, :1] == a[0] - a[0, 0]).all())
