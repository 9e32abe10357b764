"""What an array costs when it is computed where it is read, and where to cut what would cost too much.

A producer that is read at several offsets is written once for each of them, and so is all that it reads: three steps
of a Runge-Kutta method read the first values at 25 offsets. How much code that is, shared subexpressions counted once,
is found by following a few points of the array down to what is stored, no matter how many points there are. What is
too long is cut between two operations where the fewest values cross; those values get buffers.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sparsead.kernels.unrolling import unrolled
from sparsead.program.index import IndexArray, Shape
from sparsead.program.nodes import Call, Constant, Input, Join, Map, Node, Program, Sum, sources

BUDGET = 320  # scalar operations and loads that may be written in any case
BUDGET_OF_SCALAR = 80  # where one number is the value: each pair of what it reads has a second derivative
REPEATED = 2.0  # how often each element may be computed, on average, beyond that
ALIKE = 128  # elements of one array that may be computed at one point: more of them are better a loop
REPEATS = 12  # operations that are not computed again for another array
POINTS = 32  # of an array that are followed
SHORT = 16  # points of a last axis up to which they share what they compute
MEMBERS = 64  # points that share it, at most
FEWEST = 3  # of them that make a part of the domain count
NEAR = 8  # operations before and after a neck, where no fewer values are live
MISSES = 3  # places too far up, after which none is looked for further up
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Code:
    """The operations of an array at one point, and how many there were if each element were computed once.

    `alike` is the most elements of one array among them.
    """

    written: float
    needed: float
    alike: float

    def too_long(self, budget: float) -> bool:
        """Tell whether it is long because values are computed again and again, or for want of a loop."""
        return self.written > budget and (self.written > REPEATED * self.needed or self.alike > ALIKE)


def cuts(program: Program, keep: set[int], fixed: set[int]) -> set[int]:
    """Return nodes to keep in buffers beside those of `keep`, so that no array has too much code.

    Parameters
    ----------
    program : Program
        What is to be lowered.
    keep : set of int
        Serial numbers of the nodes that have buffers already.
    fixed : set of int
        Those of nodes that cannot have one, and must not be cut.
    """
    stored, computed = set(keep), set[int]()
    budget = BUDGET_OF_SCALAR if program.output.index.size == 1 else BUDGET
    for root in _filled(program, keep):
        if root.serial not in fixed:
            stored |= _computed_again(root, stored, computed, fixed)
            stored |= _cut(root, stored, fixed, budget)
            computed.update(n.serial for n in _cone(root, stored))
    return stored - keep


def _filled(program: Program, keep: set[int]) -> Iterator[Node]:
    """Return the arrays that get buffers: those of `keep`, what operations on memory are given, the output."""
    for node in program.nodes:
        if isinstance(node, Call):
            yield from (ref.node for ref in node.args if ref.node.serial not in keep)
        elif node.serial in keep or node is program.output.node:
            yield node


def _computed_again(root: Node, stored: set[int], computed: set[int], fixed: set[int]) -> set[int]:
    """Return what an array would compute that another one has computed already, if that is much.

    A sum that grows by a term with every step is otherwise added up from its beginning in every step.
    """
    found: set[int] = set()
    seen: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if node.serial in seen or (node.serial in stored and node is not root):
            continue
        seen.add(node.serial)
        known = node is not root and node.serial in computed and node.serial not in fixed
        if known and _can_be_stored(node) and len(_cone(node, stored)) >= REPEATS:
            found.add(node.serial)
        else:
            pending.extend(sources(node))
    return found


def _can_be_stored(node: Node) -> bool:
    """Tell whether an array may get a buffer: truth values have none."""
    return not node.boolean and isinstance(node, Map | Join | Sum)


def _cut(root: Node, stored: set[int], fixed: set[int], budget: float) -> set[int]:
    """Cut what is above the stored values and below one array, from below: as far up as the budget allows."""
    if not code([root], stored).too_long(budget):
        return set()
    layers = _Layers(root, stored, fixed, budget)
    found: set[int] = set()
    last, length = -1, 0
    while last + 1 < len(layers.nodes) and (last < 0 or code([root], stored | found).too_long(budget)):
        last, length = layers.next_cut(last, length, stored | found)
        found |= {n.serial for n in layers.crossing(last)}
    return found


class _Layers:
    """The operations between stored values and one array, in their order, and what is live between two of them."""

    def __init__(self, root: Node, stored: set[int], fixed: set[int], budget: float) -> None:
        self.budget = budget
        self.nodes = [n for n in _cone(root, stored) if n is not root]
        number = {n.serial: k for k, n in enumerate(self.nodes)}
        number[root.serial] = len(self.nodes)
        varying: set[int] = set(stored)
        self.last = [-1] * len(self.nodes)
        for node in (*self.nodes, root):
            for read in sources(node):
                if read.serial in varying or isinstance(read, Input):
                    varying.add(node.serial)
        for node in reversed((*self.nodes, root)):
            # what decides is computed where it is needed, so what it reads must live as long
            until = self.last[number[node.serial]] if node.boolean else number[node.serial]
            for read in sources(node):
                if read.serial in number:
                    self.last[number[read.serial]] = max(self.last[number[read.serial]], until)
        self.storable = [n.serial in varying and n.serial not in fixed and _can_be_stored(n) for n in self.nodes]
        self.live = self._live()
        around = [self.live[max(k - NEAR, 0) : k + NEAR + 1] for k in range(len(self.nodes))]
        self.necks = [k for k, live in enumerate(self.live) if live == min(around[k])]

    def _live(self) -> list[float]:
        """Return how many values are live after each operation."""
        change = np.zeros(len(self.nodes) + 2)
        for k, node in enumerate(self.nodes):
            if self.storable[k]:
                change[k] += node.size
                change[self.last[k]] -= node.size
        return np.cumsum(change)[: len(self.nodes)].tolist()

    def crossing(self, cut: int) -> Iterator[Node]:
        """Return the values that are live after an operation."""
        for k in range(cut + 1):
            if self.storable[k] and self.last[k] > cut:
                yield self.nodes[k]

    def too_long(self, cut: int, stored: set[int]) -> bool:
        """Tell whether values that cross a cut take too much code."""
        return code(self.crossing_anew(cut, stored), stored).too_long(self.budget)

    def crossing_anew(self, cut: int, stored: set[int]) -> list[Node]:
        return [n for n in self.crossing(cut) if n.serial not in stored]

    def _fitting(self, places: Iterable[int], stored: set[int]) -> list[int]:
        """Return those of some places in turn at which a cut leaves short code below, as far as there are any."""
        fitting: list[int] = []
        misses = 0
        for place in places:
            if not self.too_long(place, stored):
                fitting.append(place)
            elif (misses := misses + 1) >= MISSES and fitting:
                break
        return fitting

    def next_cut(self, last: int, length: int, stored: set[int]) -> tuple[int, int]:
        """Return the cut after the operation `last`, and its distance; `length` is that of the cut before."""
        again = last + length
        known = length and again < len(self.nodes) and self.live[again] <= self.live[last]
        if known and not self.too_long(again, stored):  # one more of equal steps
            return again, length
        necks = [k for k in self.necks if k > last] or [len(self.nodes) - 1]
        fitting = self._fitting(necks, stored) or self._fitting(range(last + 1, necks[0]), stored)
        if not fitting:  # a cut has to be somewhere
            fitting = necks[:1]
        far = [k for k in fitting if 2 * k >= last + fitting[-1]]
        best = min(far, key=lambda k: (self.live[k], -k))
        return best, best - last


def _cone(root: Node, stored: set[int]) -> list[Node]:
    """Return the operations that an array needs down to stored values, operands first."""
    found: dict[int, Node] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.serial in found or (node.serial in stored and node is not root):
            continue
        if not isinstance(node, Constant | Input):
            found[node.serial] = node
            pending.extend(sources(node))
    return [found[s] for s in sorted(found)]


def code(roots: Iterable[Node], stored: set[int]) -> Code:
    """Count what arrays take, from the values that are stored; counting ends where it is long beyond doubt."""
    written = needed = alike = 0.0
    for root in roots:
        found = _code(root, stored)
        written, needed, alike = written + found.written, needed + found.needed, max(alike, found.alike)
        if written > 4 * BUDGET:
            break
    return Code(written, needed, alike)


def _code(root: Node, stored: set[int]) -> Code:
    if not root.size:
        return Code(0.0, 0.0, 0.0)
    asked: dict[int, dict[bytes, np.ndarray]] = {}
    nodes: dict[int, Node] = {}
    turns: dict[int, int] = {}  # of the loop in which a node is computed, the shortest of them
    heap: list[int] = []

    def ask(node: Node, points: np.ndarray, loop: int) -> None:
        if isinstance(node, Constant):
            return
        if node.serial not in asked:
            asked[node.serial], nodes[node.serial] = {}, node
            heapq.heappush(heap, -node.serial)
        asked[node.serial].setdefault(points.tobytes(), points)
        turns[node.serial] = min(turns.get(node.serial, loop), loop)

    members = _members(root.shape)
    blocks = root.size // members
    for k in range(members):
        ask(root, members * _points(blocks) + k, blocks)
    written = needed = alike = 0.0
    while heap and written <= 4 * BUDGET * members:
        serial = -heapq.heappop(heap)
        node, demands = nodes[serial], asked[serial]
        written += len(demands)
        loop = turns[serial]
        needed += max(1.0, min(len(demands), node.size / loop))
        if node is root or not (serial in stored or isinstance(node, Input)):
            alike = max(alike, len(demands))
            for points in demands.values():
                for read, at in _reads(node, points):
                    ask(read, at, max(loop, _terms(node)))
    return Code(written / members, needed / members, alike / members)


def _terms(node: Node) -> int:
    """Return how many turns the loop over the terms of a node has."""
    return node.terms.index.size if isinstance(node, Sum) and unrolled(node) is None else 1


def _members(shape: Shape) -> int:
    """Return how many points share what they compute: those of short last axes, which are written out."""
    members, rest = 1, int(np.prod(shape, dtype=np.int64))
    for length in reversed(shape):
        rest //= max(length, 1)
        if length > SHORT or rest < 2 * length or members * length > MEMBERS:
            break
        members *= length
    return members


def _points(size: int) -> np.ndarray:
    """Return numbers of elements spread over an array."""
    return np.unique((np.arange(1, POINTS + 1) * GOLDEN % 1.0 * size).astype(np.int64))


def _reads(node: Node, points: IndexArray) -> Iterator[tuple[Node, np.ndarray]]:
    """Return what a node reads at some of its points, and at which elements."""
    if isinstance(node, Join):
        owner, offset = node.owner.flat[points], node.offset.flat[points]
        for k in np.unique(owner):
            chosen = offset[owner == k]
            if chosen.size >= min(FEWEST, points.size):
                yield node.pieces[int(k)], chosen.astype(np.int64)
    elif isinstance(node, Sum) and node.terms.index.size:  # what was cut out of a sum may have no term left
        terms = unrolled(node)
        chosen = [_points(node.terms.index.size)] if terms is None else terms[points].T
        for at in chosen:
            yield node.terms.node, node.terms.index.flat[at].astype(np.int64)
    elif isinstance(node, Map):
        for ref in node.args:
            yield ref.node, ref.index.flat[points].astype(np.int64)
