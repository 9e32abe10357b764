"""Greedy coloring by several threads: blocks of vertices at a time, then what went wrong again.

The vertices are cut into blocks, in their order.  Each block is colored by the greedy algorithm as if the others had no
colors; then vertices whose colors do not go together are found, and of these all but the first lose theirs and go into
the next round (Gebremedhin and Manne 2000; with conflicts looked for line by line, Taş, Kaya and Saule 2017).  A block
that is alone has no conflicts, so that few vertices are left to one block and the rounds end.

What a block sees are the colors of earlier rounds and its own, and the blocks depend on the number of vertices alone:
the colors are the same for any number of threads.
"""

from __future__ import annotations

import numpy as np

from . import kernels
from .graph import Graph
from .pattern import SparsityPattern
from .threads import in_shares

#: The vertices of the first round are cut into so many blocks: as many threads can be at work ...
BLOCKS = 32
#: ... of at least so many vertices.
LEAST_BLOCK = 1 << 14


class Blocks:
    """What both kinds of coloring keep while they go on.

    Parameters
    ----------
    num_vertices : int
        Number of vertices.
    order : ndarray of int32
        The vertices to color.
    threads : int
        Blocks that are colored at the same time.
    """

    def __init__(self, num_vertices: int, order: np.ndarray, threads: int) -> None:
        self.order, self.threads = order, threads
        self.place = np.zeros(num_vertices, np.int32)  # of each vertex in the order
        self.place[order] = np.arange(order.size, dtype=np.int32)
        self.lost = np.zeros(num_vertices, np.bool_)
        self.blocks: list[np.ndarray] = []

    def cut(self, vertices: np.ndarray) -> int:
        """Cut some vertices into blocks as large as those of all; return how many there are."""
        size = max(LEAST_BLOCK, -(-self.order.size // BLOCKS))
        self.blocks = [vertices[start : start + size] for start in range(0, vertices.size, size)]
        return len(self.blocks)

    def losers(self, vertices: np.ndarray, colors: np.ndarray, none: int) -> np.ndarray:
        """Return those of some vertices that are marked as lost, and take their colors and marks away."""
        left = vertices[self.lost[vertices]]
        colors[left], self.lost[left] = none, False
        return left


class Columns(Blocks):
    """Partial distance-2 coloring.

    Memory: 8 bytes for every line, once for all and once for each block at work (of the lines between its first and its
    last), and 9 bytes for every vertex.

    Parameters
    ----------
    lists, lines : SparsityPattern
        The lines that each vertex meets, and its transpose.
    order, threads
        See `Blocks`.
    """

    def __init__(self, lists: SparsityPattern, lines: SparsityPattern, order: np.ndarray, threads: int) -> None:
        super().__init__(lists.shape[0], order, threads)
        self.lists, self.lines = (lists.indptr, lists.indices), (lines.indptr, lines.indices)
        self.cuts = _cuts(lines.shape[0])
        self.colors = np.full(lists.shape[0], -1, np.int32)
        self.taken = np.zeros(lines.shape[0], np.uint64)  # colors in each line, those from `base` on
        self.base = 0

    def run(self, limit: int) -> np.ndarray | None:
        """First-fit colors, -1 for vertices that are not in the order; None if there would be more than `limit`, about.

        There are 64 colors at a time: vertices that find all of them taken wait until the others are done.
        """
        waiting = self.order
        while waiting.size:
            self.taken[:] = 0
            left = waiting
            while left.size:
                left = self._round(left)
            waiting = waiting[self.colors[waiting] < 0]
            self.base += 64
            if waiting.size and self.base >= limit:
                return None
        return self.colors

    def _round(self, vertices: np.ndarray) -> np.ndarray:
        """Color some vertices, and return those that have to be colored again."""
        is_alone = self.cut(vertices) == 1
        in_shares(self._color, len(self.blocks), self.threads)
        if is_alone:
            return vertices[:0]
        in_shares(self._compare, BLOCKS, self.threads)
        left = self.losers(vertices, self.colors, -1)
        kernels.distance2.retake(*self.lists, left, *self.lines, self.base, self.colors, self.taken)
        return left

    def _color(self, k: int) -> None:
        kernels.distance2.color_block(*self.lists, self.blocks[k], self.taken, self.base, self.colors)

    def _compare(self, k: int) -> None:
        lines = self.cuts[k], self.cuts[k + 1]
        found = self.colors, self.place, self.lost, self.taken
        kernels.distance2.find_conflicts(*self.lines, *lines, self.base, *found)


class Stars(Blocks):
    """Star coloring.

    Memory: 24 bytes for every vertex (for 64 colors), once for all and once for each block at work, which also has a
    copy of its part of the graph, between the first and the last vertex that it reaches; and 21 bytes for every vertex.

    Parameters
    ----------
    graph : Graph
        Adjacency lists in increasing order.
    order : ndarray of int32
        All vertices.
    limit : int
        Most colors.
    threads : int
        See `Blocks`.
    """

    def __init__(self, graph: Graph, order: np.ndarray, limit: int, threads: int) -> None:
        n = graph.num_vertices
        super().__init__(n, order, threads)
        self.lists, self.limit = (graph.indptr, graph.indices), limit
        self.cuts = _cuts(n)
        self.reach = kernels.speculation.reach(*self.lists)
        self.colors = np.full(n, kernels.star.UNCOLORED, np.int32)
        self.settled = self.colors.copy()  # colors that stay
        self.sets = np.zeros((n, 3, 1), np.uint64)
        self.is_first = self.is_enough = True

    def run(self) -> np.ndarray | None:
        """First-fit colors; None if there would be more than `limit`."""
        left = self.order
        while left.size:
            left = self._round(left)
            if not self.is_enough:
                return None
        return self.colors

    def _round(self, vertices: np.ndarray) -> np.ndarray:
        """Color some vertices, and return those that have to be colored again."""
        is_alone = self.cut(vertices) == 1
        in_shares(self._color, len(self.blocks), self.threads)
        if is_alone or not self.is_enough:
            return vertices[:0]
        self.sets = np.empty((self.colors.size, 3, int(self.colors.max()) // 64 + 1), np.uint64)
        in_shares(self._collect, BLOCKS, self.threads)
        in_shares(self._compare, BLOCKS, self.threads)
        left = self.losers(vertices, self.colors, kernels.star.UNCOLORED)
        self.settled[:] = self.colors
        kernels.speculation.collect_around(*self.lists, left, self.colors, self.sets)
        self.is_first = False
        return left

    def _color(self, k: int) -> None:
        indptr, indices = self.lists
        first, last = kernels.speculation.window(self.blocks[k], *self.reach)
        start = indptr[first]
        graph = indptr[first : last + 1] - start, indices[start : indptr[last]] - indices.dtype.type(first)
        own = self.settled[first:last].copy(), self.sets[first:last].copy()
        arguments = *graph, self.blocks[k], first, *own, not self.is_first, self.limit, self.colors
        if not kernels.speculation.color_block(*arguments):
            self.is_enough = False

    def _collect(self, k: int) -> None:
        kernels.speculation.collect(*self.lists, self.cuts[k], self.cuts[k + 1], self.colors, self.sets)

    def _compare(self, k: int) -> None:
        found = self.colors, self.settled, self.place, self.sets, self.lost
        kernels.speculation.find_conflicts(*self.lists, self.cuts[k], self.cuts[k + 1], *found)


def _cuts(number: int) -> list[int]:
    """Where so many lines are cut into shares."""
    return np.linspace(0, number, BLOCKS + 1).astype(np.int64).tolist()
