"""Equitable colorings: as many colors, of sizes as equal as moving vertices makes them.

A vertex moves from its color to one that has fewer vertices, by two at least, if that keeps the coloring: the sum of
the squared sizes becomes less with every move, so that there is an end.  Lu, Halappanavar, Chavarría-Miranda,
Gebremedhin, Panyala, Kalyanaraman (2017), *Algorithms for balanced graph colorings with applications in parallel
computing*.
"""

from __future__ import annotations

import numpy as np

from . import kernels
from .graph import Graph
from .pattern import SparsityPattern

#: Times that all vertices are looked at, at most.
PASSES = 50
#: Vertices of a two-colored tree that are looked at: one that is larger keeps its colors.
MOST_IN_TREE = 200


def even_columns(lists: SparsityPattern, lines: SparsityPattern, colors: np.ndarray) -> np.ndarray:
    """Even out the sizes of the colors of a column or row coloring.

    First single vertices move; then two colors are swapped in parts that hang together.

    Parameters
    ----------
    lists, lines : SparsityPattern
        The lines that each vertex meets, and its transpose.
    colors : ndarray of int32
        A coloring, -1 for neutral vertices, which stay so.
    """
    if colors.max(initial=-1) < 1:
        return colors
    colors = colors.copy()
    sizes = np.bincount(colors[colors >= 0])
    sets = np.zeros((lists.shape[1], -(-sizes.size // 64)), np.uint64)
    color = colors[lists.rows]
    np.bitwise_or.at(sets, (lists.indices, color >> 6), np.uint64(1) << (color & 63).astype(np.uint64))
    for _ in range(PASSES):
        vertices = _by_size(colors, sizes[colors])
        if not kernels.equitable.move_columns(lists.indptr, lists.indices, sets, vertices, colors, sizes):
            break
    _swap(lists, lines, colors, sizes)
    return colors


def _swap(lists: SparsityPattern, lines: SparsityPattern, colors: np.ndarray, sizes: np.ndarray) -> None:
    """Swap colors in chains, between the largest and the smallest first, until no pair of colors gains by it."""
    graph = (lists.indptr, lists.indices), (lines.indptr, lines.indices)
    seen, queue, stamp = np.full(colors.size, -1, np.int64), np.empty(colors.size, np.int64), 0
    left = PASSES * colors.size
    gained = 1
    while gained:
        gained = 0
        for large in np.argsort(-sizes, kind="stable"):
            members = np.flatnonzero(colors == large)
            for small in np.argsort(sizes, kind="stable"):
                if sizes[large] - sizes[small] < 2:
                    break
                left -= sizes[large] + sizes[small]
                if left < 0:
                    return
                stamp += 1
                scratch = members[colors[members] == large], colors, sizes, seen, stamp, queue
                gained += kernels.equitable.swap_chains(*graph, large, small, *scratch)


def even_vertices(graph: Graph, colors: np.ndarray, kind: int) -> np.ndarray:
    """Even out the sizes of the colors of a star or acyclic coloring, on either side.

    Parameters
    ----------
    graph : Graph
        What is colored.
    colors : ndarray of int32
        A coloring, -1 for neutral vertices, which stay so.
    kind : int
        `kernels.backtracking.STAR` or ``ACYCLIC``.
    """
    if colors.max(initial=-1) < 1:
        return colors
    n = graph.num_vertices
    side = (np.arange(n) >= graph.num_first).astype(np.int64)
    lists = graph.indptr.astype(np.int64), graph.indices.astype(np.int64)
    colors = colors.astype(np.int64)
    sizes = np.zeros((2, colors.max(initial=-1) + 1), np.int64)
    np.add.at(sizes, (side[colors >= 0], colors[colors >= 0]), 1)
    seen, queue, stamp = np.full(n, -1, np.int64), np.empty(min(n, MOST_IN_TREE), np.int64), 0
    for _ in range(PASSES):
        vertices = _by_size(colors, sizes[side, colors])
        by_size = _used_by_size(sizes)
        scratch = sizes, seen, queue, stamp
        moved, stamp = kernels.equitable.move_vertices(*lists, side, kind, vertices, by_size, colors, *scratch)
        if not moved:
            break
    return colors.astype(np.int32)


def _by_size(colors: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Colored vertices, those of the largest colors first."""
    vertices = np.argsort(-sizes, kind="stable")
    return vertices[colors[vertices] >= 0]


def _used_by_size(sizes: np.ndarray) -> np.ndarray:
    """Colors of each side, the smallest first; those that a side does not have are as its largest."""
    sizes = np.where(sizes > 0, sizes, np.iinfo(np.int64).max)
    order = np.argsort(sizes, axis=1, kind="stable")
    return np.where(np.take_along_axis(sizes, order, 1) < np.iinfo(np.int64).max, order, order[:, :1])
