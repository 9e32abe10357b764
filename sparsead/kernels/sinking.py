"""Gathers sink below elementwise operations: what depends on one of 50 cameras is computed 50 times.

``np.sin(angles[camera])`` is ``np.sin(angles)[camera]``. So points of an array are told apart by what they read: two
that read the same elements, through the same operations, hold the same number. Where each number is met again and
again, an array with one element for each different number takes the place of the operation, and what read its values
gathers them from there. Arrays that do the same with the same arrays share one, whatever they gather.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsead.kernels.fusion import worth_storing
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.unrolling import UNROLL, unrolled
from sparsead.program.index import IDENTITIES, IndexArray, Shape, first_elements, narrowed, stored_part
from sparsead.program.nodes import (
    Call,
    Constant,
    Join,
    Map,
    Node,
    Program,
    Ref,
    Scan,
    Sum,
    constant,
    new_serial,
    sources,
    whole,
)
from sparsead.program.scalar import Pool, reachable

LEAST = 64  # points of an array that is looked at
AGAIN = 2  # times that a number is met, on average, for an array to be one of few different numbers
SHORT_AXIS = 16  # points of a last axis that is looked for
SPAN = 16  # range of the numbers that are counted by a table, in multiples of how many there are
FEW_VALUES = 64  # different values of a constant that are looked for


def sunk(program: Program) -> Program:
    """Return a program that computes the same numbers, each only once where gathers would repeat costly operations."""
    few = _Few()
    for level in _levels(program):
        few.add(level)
    stored = {serial: ref for serial, ref in few.read.items() if serial in few.worthwhile}
    return _rebuilt(program, stored) if stored else program


def _levels(program: Program) -> Iterable[list[Node]]:
    """Return nodes by the length of the longest way to what they are made of: those before are complete."""
    depth: dict[int, int] = {}
    levels: dict[int, list[Node]] = defaultdict(list)
    for node in program.nodes:
        depth[node.serial] = 1 + max((depth[n.serial] for n in sources(node)), default=0)
        levels[depth[node.serial]].append(node)
    return [levels[d] for d in sorted(levels)]


@dataclass(frozen=True, eq=False)
class _Asked:
    """An array as one operation on elements of others: at each point, ``operands[k].node`` at ``operands[k].index``.

    `few` tells that each operand is one of few different numbers. In a sum an index is -1 where there is no term.
    """

    node: Node
    key: Hashable
    operands: tuple[Ref, ...]
    few: bool


class _Few:
    """Which arrays hold few different numbers.

    Attributes
    ----------
    read : dict
        Serial number of an array to a reading of the different numbers, in its shape.
    worthwhile : set of int
        The arrays whose different numbers are worth a buffer.
    """

    def __init__(self) -> None:
        self.read: dict[int, Ref] = {}
        self.worthwhile: set[int] = set()
        self._cost: dict[int, float] = {}
        self._repeats: dict[int, tuple[IndexArray, bool]] = {}
        self._constants: dict[Hashable, Constant] = {}

    def add(self, nodes: Iterable[Node]) -> None:
        """Look at nodes that do not read each other, after all that they read."""
        groups: dict[Hashable, list[_Asked]] = defaultdict(list)
        for node in nodes:
            asked = self._asked(node) if node.size >= LEAST else None
            if asked is not None:
                groups[asked.key].append(asked)
        for members in groups.values():
            self._add_group(members)

    def _add_group(self, members: list[_Asked]) -> None:
        """Let arrays that do the same have one array of different numbers, if one of them holds few."""
        if not any(a.few and _is_few(a) for a in members):
            return
        sizes = [a.node.size for a in members]
        columns = [np.concatenate([a.operands[k].index.reshape(-1) for a in members]) for k in range(_arity(members))]
        ranks = ranked(columns, sum(sizes))
        assert ranks is not None
        rank, first = ranks
        made = _made(members[0], [narrowed(column[first]) for column in columns])
        cost = self._counted(made)
        worth = self._is_stored(made) or (worth_storing(cost, sum(sizes) / first.size) and not made.boolean)
        self._cost[made.serial] = 0.0 if worth else cost
        for asked, part in zip(members, np.split(rank, np.cumsum(sizes)[:-1]), strict=True):
            self.read[asked.node.serial] = Ref(made, part.reshape(asked.node.shape))
            if worth:
                self.worthwhile.add(asked.node.serial)

    @staticmethod
    def _is_stored(node: Node) -> bool:
        """Tell whether an array gets a buffer in any case."""
        return isinstance(node, Sum) and unrolled(node) is None

    def _counted(self, node: Node) -> float:
        """Return the scalar operations of an element of a new array, down to what is stored."""
        below = sum(self._cost.get(source.serial, 0.0) for source in sources(node))
        if isinstance(node, Sum):
            return (below + 1.0) * node.terms.index.size / max(node.size, 1)
        return below + _operations(node)

    # -- what is asked --------------------------------------------------------------------------------------
    def _asked(self, node: Node) -> _Asked | None:
        match node:
            case Map():
                operands = tuple(map(self._reading, node.args))
                what: Hashable = node.op
            case Sum():
                operands, what = self._terms(node)
            case _:
                return None
        if not operands:
            return None
        few = all(map(self._is_repeated, operands))
        return _Asked(node, (what, node.boolean, node.integer, *(id(r.node) for r in operands)), operands, few)

    def _reading(self, ref: Ref) -> Ref:
        """Return what a reading reads, as a reading of different numbers where that is known."""
        if ref.node.serial in self.read:
            return self.read[ref.node.serial].at(ref.index)
        return self._of_constant(ref) if isinstance(ref.node, Constant) else ref

    def _of_constant(self, ref: Ref) -> Ref:
        """Return a reading of a constant as one of its values, if these are few."""
        core = stored_part(ref.index)
        values = ref.node.value.reshape(-1)[core]  # type: ignore[attr-defined]
        sample = values.reshape(-1)[:: max(values.size // 1024, 1)].astype(np.float64).view(np.int64)
        if not values.size or np.unique(sample).size > FEW_VALUES:
            return ref
        bits = values.astype(np.float64).reshape(-1).view(np.int64)
        different, inverse = np.unique(bits, return_inverse=True)
        key = different.tobytes(), ref.node.boolean, ref.node.integer
        if key not in self._constants:
            held = different.view(np.float64)
            self._constants[key] = constant(held.astype(np.bool_) if ref.node.boolean else held)
            self._constants[key].integer = ref.node.integer
        return Ref(self._constants[key], np.broadcast_to(narrowed(inverse.reshape(core.shape)), ref.index.shape))

    def _terms(self, node: Sum) -> tuple[tuple[Ref, ...], Hashable]:
        """Return the terms of a sum, the first of all elements, the second, and so on; nothing where they are many."""
        terms = self._reading(node.terms)
        if not self._is_repeated(terms):
            return (), None
        counts = np.bincount(node.place.reshape(-1), minlength=node.size)
        if not 0 < counts.max(initial=0) <= UNROLL:
            return (), None
        order = np.argsort(node.place.reshape(-1), kind="stable")
        starts, index = np.cumsum(counts) - counts, terms.index.reshape(-1)
        found = []
        for k in range(int(counts.max())):
            at = np.full(node.size, -1, dtype=np.int64)
            at[counts > k] = index[order[starts[counts > k] + k]]
            found.append(Ref(terms.node, narrowed(at).reshape(node.shape)))
        return tuple(found), ("sum", unrolled(node) is None)

    def _is_repeated(self, ref: Ref) -> bool:
        """Tell whether a reading reads few different elements, again and again."""
        index = ref.index
        known = self._repeats.get(id(index))
        if known is None:
            known = self._repeats[id(index)] = (index, _repeats(index))
        return known[1]


def _operations(node: Node) -> float:
    """Return the scalar operations of an array's own, as they are written: a square is one."""
    if not isinstance(node, Map):
        return 0.0
    pool = Pool()
    held = (r.node.value.reshape(-1) if isinstance(r.node, Constant) else None for r in node.args)
    args = [pool.leaf(k) if v is None or v.size > 1 else pool.constant(float(v[0])) for k, v in enumerate(held)]
    return float(sum(e.op.cost for e in reachable([pool.apply(node.op, tuple(args))]) if e.op))


def _repeats(index: IndexArray) -> bool:
    core = stored_part(index)
    if AGAIN * core.size <= index.size:
        return True
    base = core.base
    if isinstance(base, np.ndarray) and base is IDENTITIES.get(base.size):
        return False
    return _different(core.reshape(-1), index.size // AGAIN) is not None


def _different(values: IndexArray, most: int) -> np.ndarray | None:
    """Return which values from the least one on there are, if these are few."""
    low = int(values.min(initial=0))
    span = int(values.max(initial=0)) - low + 1
    if span > SPAN * values.size:
        return None
    there = np.zeros(span, dtype=np.bool_)
    there[values - low] = True
    return there if np.count_nonzero(there) <= most else None


def _arity(members: Sequence[_Asked]) -> int:
    return len(members[0].operands)


def _is_few(asked: _Asked) -> bool:
    columns = [r.index.reshape(-1) for r in asked.operands]
    return ranked(columns, asked.node.size // AGAIN) is not None


def ranked(columns: Sequence[IndexArray], most: int) -> tuple[IndexArray, IndexArray] | None:
    """Number the different rows of a table given by its columns, in their lexicographic order.

    Parameters
    ----------
    columns : sequence of ndarray of int, each of shape (N,)
        The table.
    most : int
        How many different rows there may be.

    Returns
    -------
    rank, first : ndarray of int
        The number of each row, and where each number is first met. None where there are more.
    """
    rank, count = np.zeros(columns[0].size, dtype=np.int64), 1
    for column in columns:
        low, high = int(column.min()), int(column.max())
        if low == high:
            continue
        key = rank * (high - low + 1) + (column - low)
        span = count * (high - low + 1)
        if span <= SPAN * max(key.size, LEAST):
            there = np.zeros(span, dtype=np.bool_)
            there[key] = True
            number = np.cumsum(there) - 1
            rank, count = number[key], int(number[-1]) + 1
        else:
            different, rank = np.unique(key, return_inverse=True)
            count = different.size
        if count > most:
            return None
    first = np.empty(count, dtype=np.int64)
    first[rank[::-1]] = np.arange(rank.size - 1, -1, -1)
    return narrowed(rank), first


def _made(asked: _Asked, columns: list[IndexArray]) -> Node:
    """Return the array of different numbers, each made of the operands at these elements."""
    node, (count,) = asked.node, columns[0].shape
    if isinstance(node, Map):
        shape = _shape(columns)
        refs = (Ref(r.node, column.reshape(shape)) for r, column in zip(asked.operands, columns, strict=True))
        return replace(node, shape=shape, args=tuple(refs), serial=new_serial())
    assert isinstance(node, Sum)
    terms = np.stack(columns, axis=1)
    there = terms >= 0
    place = narrowed(np.repeat(np.arange(count), np.count_nonzero(there, axis=1)))
    read = Ref(asked.operands[0].node, terms[there])
    return replace(node, shape=(count,), terms=read, place=place, memo={}, serial=new_serial())


def _shape(columns: Sequence[IndexArray]) -> Shape:
    """Return a shape with a short last axis if all columns are even along it, such as the coordinates of points."""
    count = columns[0].size
    if all(recognise(column).form == "affine" for column in columns):
        return (count,)
    for short in range(2, SHORT_AXIS + 1):
        if count % short == 0 and all(_is_even(column.reshape(-1, short)) for column in columns):
            return count // short, short
    return (count,)


def _is_even(rows: IndexArray) -> bool:
    """Tell whether all rows take one step, from where they begin on."""
    if not (rows[:2] - rows[:2, :1] == np.arange(rows.shape[1]) * (rows[0, 1] - rows[0, 0])).all():
        return False
    return bool((rows - rows[:, :1] == np.arange(rows.shape[1]) * (rows[0, 1] - rows[0, 0])).all())


# -- the program that gathers ------------------------------------------------------------------------------------
def _rebuilt(program: Program, instead: dict[int, Ref]) -> Program:
    """Return a program in which some arrays are gathered from others instead of being computed."""
    new: dict[int, Node] = {i.serial: i for i in program.inputs}
    pending = [_instead(program.output, instead).node]
    while pending:
        node = pending[-1]
        if node.serial not in new:
            below = [r.node for r in _reads(node, instead) if r.node.serial not in new]
            if below:
                pending += below
                continue
            new[node.serial] = _reading(node, instead, new)
        pending.pop()
    output = _instead(program.output, instead)
    return replace(program, output=Ref(new[output.node.serial], output.index))


def _instead(ref: Ref, instead: dict[int, Ref]) -> Ref:
    return instead[ref.node.serial].at(ref.index) if ref.node.serial in instead else ref


def _reads(node: Node, instead: dict[int, Ref]) -> list[Ref]:
    if isinstance(node, Join):
        return [_instead(whole(piece), instead) for piece in node.pieces]
    extra = [Ref(node.earlier, first_elements(()))] if isinstance(node, Scan) else []
    return [*(_instead(r, instead) for r in node.operands), *extra]


def _reading(node: Node, instead: dict[int, Ref], new: dict[int, Node]) -> Node:
    """Return a node that reads what has taken the place of its operands; the node itself if nothing has."""
    if all(source.serial not in instead and new[source.serial] is source for source in sources(node)):
        return node

    def moved(ref: Ref) -> Ref:
        ref = _instead(ref, instead)
        return Ref(new[ref.node.serial], ref.index)

    match node:
        case Map() | Call():
            return replace(node, args=tuple(map(moved, node.args)), serial=new_serial())
        case Sum():
            return replace(node, terms=moved(node.terms), serial=new_serial())
        case Join():
            reads = [moved(whole(piece)) for piece in node.pieces]
            offset = np.array(node.offset)
            for k, ref in enumerate(reads):
                offset[node.owner == k] = ref.index.reshape(-1)[node.offset[node.owner == k]]
            return replace(node, pieces=tuple(r.node for r in reads), offset=narrowed(offset), serial=new_serial())
        case Scan():
            bodies = tuple(map(moved, node.bodies))
            return replace(node, start=moved(node.start), bodies=bodies, serial=new_serial())
    raise AssertionError(f"{node.label} reads nothing")
