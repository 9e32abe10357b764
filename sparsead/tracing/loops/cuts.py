"""Recurrences: values that are computed from values of the same kind, as in ``r[i] = a * r[i - 1] + x[i]``.

Written out, each value has an expression of its own, longer than the one before. So values that are used more than
once (or stored and used) are cut off: they get elements of arrays, level by level, and an expression that reads one
is blind to how it was computed. What is left falls into a few groups, as in any other loop.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from sparsead.program.index import NUMBER, Shape, narrowed
from sparsead.program.nodes import Join, Map, Node, Ref, constant, whole
from sparsead.program.scalar import OPS, Op
from sparsead.tracing.loops.tape import LONG_SUM, SUMS, Tape

CUT = -1


class RecurrenceError(Exception):
    """Expressions do not fall into a reasonable number of groups."""


def numbers(ref: Ref) -> Ref:
    """Return a reading of truth values as one of 0.0 and 1.0, any other as it is."""
    if not ref.node.boolean:
        return ref
    one, zero = (whole(constant(value)).broadcast(ref.shape) for value in (1.0, 0.0))
    return whole(Map(shape=ref.shape, op=OPS["select"], args=(ref, one, zero)))


def truths(ref: Ref) -> Ref:
    """Return what `numbers` returned as truth values again."""
    zero = whole(constant(0.0)).broadcast(ref.shape)
    return whole(Map(shape=ref.shape, boolean=True, op=OPS["not_equal"], args=(ref, zero)))


class Cells:
    """Where the values that were cut off are: elements of arrays of numbers, truth values among them."""

    def __init__(self, size: int, within: Cells | None = None) -> None:
        self.within = within
        self.nodes: list[Node] = []
        self.owner = np.full(size, -1, dtype=NUMBER)
        self.offset = np.zeros(size, dtype=np.int64)

    def grown(self, size: int) -> Cells:
        """Return a copy with room for more records."""
        copy = Cells(size)
        copy.nodes = list(self.nodes)
        copy.owner[: self.owner.size], copy.offset[: self.owner.size] = self.owner, self.offset
        return copy

    def add(self, records: np.ndarray, ref: Ref) -> None:
        """Let `records` be what `ref` reads."""
        ref = numbers(ref)
        self.owner[records] = len(self.nodes)
        self.offset[records] = ref.index.reshape(-1)
        self.nodes.append(ref.node)

    def read(self, records: np.ndarray, shape: Shape) -> Ref:
        """Return the reading of records that were added."""
        if self.within is not None and (self.owner[records] < 0).all():
            return self.within.read(records, shape)
        if (self.owner[records] < 0).any():
            raise RecurrenceError
        owner, offset = self.owner[records], narrowed(self.offset[records]).reshape(shape)
        present, number = np.unique(owner, return_inverse=True)
        nodes = [self.nodes[k] for k in present]
        if len(nodes) == 1:
            return Ref(nodes[0], offset)
        owner = number.astype(NUMBER).reshape(shape)
        return whole(Join(shape=shape, pieces=tuple(nodes), owner=owner, offset=offset))


@dataclass(frozen=True, eq=False)
class Cuts:
    """How the values that some records need fall into groups when cut at values that are used more than once.

    Attributes
    ----------
    label : ndarray of int
        Per record: the number of its expression down to the next cuts; `CUT` for a value that is cut off.
    own : ndarray of int
        The same, but with the number of its own expression for a value that is cut off too.
    long : ndarray of bool
        Per record: a sum of many terms, with a label that says nothing about them.
    level : ndarray of int
        Per record: how many cuts there are, at most, on a way down to the inputs.
    records : ndarray of int
        The records that are cut off, in order.
    """

    label: np.ndarray
    own: np.ndarray
    long: np.ndarray
    level: np.ndarray
    records: np.ndarray


def cuts_below(tape: Tape, roots: np.ndarray, used: np.ndarray, known: np.ndarray) -> Cuts:
    """Cut what `roots` need at the values that are used more than once; those that are `known` are cut off already."""
    needed = _needed(tape, roots, known)
    kinds = [signature.kind for signature in tape.signatures]
    is_op = [isinstance(kind, Op) for kind in kinds]
    n = len(tape)
    label, own, level, terms = [0] * n, [0] * n, [0] * n, [1] * n
    numbers: dict[Hashable, int] = {}
    cut: list[int] = []
    for r in needed:
        number = tape.signature[r]
        kind = kinds[number]
        if known[r]:
            own[r] = label[r] = CUT
            continue
        if not is_op[number]:
            key: Hashable = ("leaf", number)
        else:
            assert isinstance(kind, Op)
            operands = _operands(tape, r, kind.arity)
            key = (kind, *(label[q] for q in operands))
            level[r] = max(level[q] + (label[q] == CUT) for q in operands)
            if kind.name in SUMS:
                terms[r] = sum(1 if label[q] == CUT else terms[q] for q in operands)
                key = (kind, "long") if terms[r] > LONG_SUM else key
        own[r] = label[r] = numbers.setdefault(key, len(numbers))
        if is_op[number] and used[r] > 1:
            label[r] = CUT
            cut.append(r)
    long = np.array(terms) > LONG_SUM
    return Cuts(np.array(label), np.array(own), long, np.array(level), np.array(cut, dtype=NUMBER))


def _operands(tape: Tape, record: int, arity: int) -> tuple[int, ...]:
    if arity == 1:
        return (tape.a[record],)
    if arity == 2:
        return tape.a[record], tape.b[record]
    return tape.a[record], tape.b[record], tape.third[record]


def _needed(tape: Tape, roots: np.ndarray, known: np.ndarray) -> list[int]:
    """Return all records that `roots` need, operands first; not those that `known` ones need."""
    arity = [s.kind.arity if isinstance(s.kind, Op) else 0 for s in tape.signatures]
    wanted = bytearray(len(tape))
    for root in roots.tolist():
        wanted[root] = 1
    found = []
    for record in range(int(roots.max(initial=-1)), -1, -1):
        if wanted[record]:
            found.append(record)
            count = arity[tape.signature[record]]
            if count and not known[record]:
                for operand in _operands(tape, record, count):
                    wanted[operand] = 1
    return found[::-1]


def components(reads: list[set[int]]) -> list[list[int]]:
    """Return the strongly connected components of a graph, what is read before what reads it.

    `reads` has the nodes that each node reads. Tarjan's algorithm (1972), without recursion.
    """
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    for root in range(len(reads)):
        pending = [(root, iter(sorted(reads[root])))] if root not in number else []
        while pending:
            node, rest = pending[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                stack.append(node)
            after = next((k for k in rest if k not in number), None)
            if after is not None:
                pending.append((after, iter(sorted(reads[after]))))
                continue
            pending.pop()
            low[node] = min([low[node], *(low[k] for k in reads[node] if k in stack)])
            if low[node] == number[node]:
                at = stack.index(node)
                found.append(stack[at:])
                del stack[at:]
    return found
