"""Who reads whom, element by element: the dependences of one traced program, followed in either direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparsead.errors import Origin
from sparsead.program.index import IndexArray, is_identity, stored_part
from sparsead.program.nodes import Call, Earlier, Join, Map, Node, Program, Ref, Scan, Sum

SPARSE = 64  # fewer elements than one in so many are sorted; more are marked in an array


@dataclass(frozen=True)
class Edge:
    """Elements of another node that some elements of a node lead to.

    `fan` is how many of them a single element leads to, at most: the terms of a sum, the readers of a value.
    """

    node: Node
    elements: np.ndarray
    fan: int = 1


class Backward:
    """From values to what they were computed from."""

    step = -1  # serial numbers fall

    def __init__(self, program: Program, carried: bool = False) -> None:
        self.carried = carried  # also to what was held fixed, which second derivatives come through
        self.scans = {n.earlier.serial: n for n in program.nodes if isinstance(n, Scan)}

    def edges(self, node: Node, points: np.ndarray) -> Iterator[Edge]:
        """Yield the elements that `points` of `node` read, with nonzero derivatives."""
        match node:
            case Map():
                yield from (Edge(r.node, read(r, points)) for r in differentiated(node))
            case Sum():
                terms = np.flatnonzero(_holds(points, node.size, node.place))
                fan = _most_equal(read(Ref(node, node.place), terms), node.size)
                yield Edge(node.terms.node, read(node.terms, terms), fan)
            case Join():
                owner = node.owner.reshape(-1)[points]
                for k in np.unique(owner):
                    yield Edge(node.pieces[k], node.offset.reshape(-1)[points[owner == k]])
            case Call():
                for k, ref in enumerate(node.args):
                    rows, columns = _structure(node, k, self.carried)
                    hit = np.flatnonzero(_holds(points, node.size, rows))
                    yield Edge(ref.node, read(ref, columns[hit]), _most_equal(rows[hit], node.size))
            case Scan():
                for ref, first in blocks(node):
                    own = points[(points >= first) & (points < first + ref.index.size)] - first
                    yield Edge(ref.node, read(ref, own), int(own.max(initial=0)) + 1)
            case Earlier():
                yield Edge(self.scans[node.serial], points)


class Forward:
    """From values to what is computed from them."""

    step = 1  # serial numbers grow

    def __init__(self, program: Program, carried: bool = False) -> None:
        self.carried = carried
        self.readers: dict[int, list[Node]] = defaultdict(list)
        for node in program.nodes:
            below = node.pieces if isinstance(node, Join) else [r.node for r in node.operands]
            for operand in {n.serial for n in below}:
                self.readers[operand].append(node)

    def edges(self, node: Node, points: np.ndarray) -> Iterator[Edge]:
        """Yield the elements that read `points` of `node`, with nonzero derivatives."""
        for reader in self.readers[node.serial]:
            for elements in self._reading(reader, node, points):
                yield Edge(reader, elements, -(-elements.size // max(points.size, 1)))
        if isinstance(node, Scan):
            yield Edge(node.earlier, points)

    def _reading(self, reader: Node, node: Node, points: np.ndarray) -> Iterator[np.ndarray]:
        match reader:
            case Map():
                for ref in differentiated(reader):
                    if ref.node is node:
                        yield np.flatnonzero(_holds(points, node.size, ref.index))
            case Sum():
                terms = np.flatnonzero(_holds(points, node.size, reader.terms.index))
                yield distinct(read(Ref(reader, reader.place), terms), reader.size)
            case Join():
                numbers = [k for k, piece in enumerate(reader.pieces) if piece is node]
                own = np.flatnonzero(np.isin(reader.owner, numbers))
                yield own[_holds(points, node.size, reader.offset.reshape(-1)[own])]
            case Call():
                for k, ref in enumerate(reader.args):
                    if ref.node is node:
                        rows, columns = _structure(reader, k, self.carried)
                        operand = np.flatnonzero(_holds(points, node.size, ref.index))
                        yield distinct(rows[_holds(operand, ref.index.size, columns)], reader.size)
            case Scan():
                for ref, first in blocks(reader):
                    if ref.node is node:
                        yield first + np.flatnonzero(_holds(points, node.size, ref.index))


def _structure(node: Call, number: int, carried: bool) -> tuple[IndexArray, IndexArray]:
    """Return which elements of a call depend on which of an operand."""
    if not (carried and node.operation.carrier):
        return node.operation.structure(number)
    size = node.args[number].index.size
    if node.operation.elementwise:
        return np.arange(size), np.arange(size)
    return np.repeat(np.arange(node.size), size), np.tile(np.arange(size), node.size)


def differentiated(node: Map) -> list[Ref]:
    """Return the operands on which a scalar operation depends with a derivative other than zero."""
    return [r for r, partial in zip(node.args, node.op.partials, strict=True) if partial is not None]


def blocks(scan: Scan) -> Iterator[tuple[Ref, int]]:
    """Yield what a scan is made of, and where each part begins in it."""
    first = 0
    for ref in scan.operands:
        yield ref, first
        first += ref.index.size


def origin_of(node: Node) -> Origin | None:
    """Return the line that computed a node; for a recurrence that of its first body."""
    return node.bodies[0].node.origin if isinstance(node, Scan) else node.origin


def read(ref: Ref, points: np.ndarray) -> IndexArray:
    """Return the elements that some points of a reading read."""
    index = ref.index
    if is_identity(index, index.size):
        return points
    return index.reshape(-1)[points] if index.flags.c_contiguous else index[np.unravel_index(points, index.shape)]


def distinct(elements: np.ndarray, size: int) -> np.ndarray:
    """Return the different ones among elements of an array of `size`, in order."""
    if SPARSE * elements.size < size:
        return np.unique(elements)
    mask = np.zeros(size, dtype=np.bool_)
    mask[elements] = True
    return np.flatnonzero(mask)


def _most_equal(elements: np.ndarray, size: int) -> int:
    """Return how often the most frequent of some elements of an array of `size` is there."""
    if SPARSE * elements.size < size:
        return int(np.unique(elements, return_counts=True)[1].max(initial=0))
    return int(np.bincount(elements, minlength=size).max(initial=0))


def _holds(chosen: np.ndarray, size: int, index: IndexArray) -> np.ndarray:
    """Tell for each point of `index` whether it reads one of the `chosen` elements of an array of `size`."""
    mask = np.zeros(size, dtype=np.bool_)
    mask[chosen] = True
    return np.broadcast_to(mask[stored_part(index)], index.shape)
