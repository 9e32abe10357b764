"""Proven lower bounds on the number of colors."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernels
from .pattern import SparsityPattern

#: More than any coloring costs.
NEVER = 1 << 60


def clique_bound(neighborhood: Any, degrees: np.ndarray) -> int:
    """Size of a clique found greedily: its vertices conflict pairwise.

    From each of a few vertices of great degree, repeatedly add the vertex of greatest degree that is
    adjacent to all of the clique.
    """
    starts = np.argsort(-degrees, kind="stable")[:8].astype(np.int32)
    return int(kernels.cliques.greedy_clique(neighborhood, degrees, starts)) if degrees.size else 0


def packing_bound(lengths: np.ndarray, num_lines: int) -> int:
    """Bound by packing: the vertices of one color meet different lines, so that few of them have room.

    Parameters
    ----------
    lengths : ndarray of int
        Number of lines that each vertex meets.
    num_lines : int
        Number of lines with entries.
    """
    lengths = np.sort(lengths[lengths > 0])
    if not lengths.size:
        return 0
    most = int(np.searchsorted(np.cumsum(lengths, dtype=np.int64), num_lines, side="right"))
    return -(-lengths.size // most)


def density_bound(
    indptr: np.ndarray, indices: np.ndarray, order: np.ndarray, num_first: int, weights: tuple[int, int] = (1, 1)
) -> int:
    """Bound by counting unknowns and equations, for symmetric and for bidirectional recovery.

    The entries of a symmetric matrix between the vertices of a set appear in the rows of that set alone, so
    that ``p`` passes give ``p`` equations per vertex for them: p is at least the number of edges and loops
    of any induced subgraph over its number of vertices.  In a bipartite graph a pass gives one equation per
    vertex of the other side, so that all take the side whose equations cost less.  The subgraphs tried are
    those of the first vertices of `order`; with smallest last this comes within a factor two of the densest
    one (Charikar 2000).

    Parameters
    ----------
    indptr, indices : ndarray
        Adjacency lists, loops included.
    order : ndarray
        A permutation of the vertices.
    num_first : int
        Vertices below this are on the first side of a bipartite graph; their number if it is not one.
    weights : tuple of int
        What a color costs, on the first side and on the second.
    """
    unknowns = np.cumsum(kernels.cliques.entries_among_first(indptr, indices, order))
    first = np.cumsum(order < num_first)
    second = np.arange(1, order.size + 1) - first
    # of one side and the other: equations per pass, and what as many as the unknowns cost
    costs = [
        -(-unknowns * weight // np.maximum(equations, 1)) + (equations == 0) * NEVER
        for weight, equations in zip(weights, (second, first), strict=True)
    ]
    return int(np.minimum(*costs).max(initial=0))


def covering_bound(row_counts: np.ndarray, column_counts: np.ndarray, weights: tuple[int, int] = (1, 1)) -> int:
    """Bound for direct bidirectional recovery: few products recover an entry in every row.

    A product recovers an entry in a row if its columns have exactly one there.  Columns that have exactly one
    in every row have as many entries as there are rows; if the counts of all columns are multiples of a number
    that does not divide the number of rows, there are none, and a product recovers one entry less.  Rows and
    products with the transpose are alike.

    Parameters
    ----------
    row_counts, column_counts : ndarray of int
        Number of entries of each row and of each column.
    weights : tuple of int
        What a row color and a column color cost.
    """
    entries = int(row_counts.sum())
    costs = []
    for across, along, weight in ((column_counts, row_counts, weights[0]), (row_counts, column_counts, weights[1])):
        lines = int(np.count_nonzero(across))  # columns for rows that are colored, and rows for columns
        most = lines - (lines % max(int(np.gcd.reduce(along, initial=0)), 1) > 0)
        costs.append(-(-entries * weight // max(most, 1)))
    return min(costs)


def star_band_bound(pattern: SparsityPattern) -> int:
    """Bound for star coloring: 2 b + 1 if 3 b + 1 consecutive vertices form a full band of half-bandwidth b.

    Coleman and Moré (1984), for symmetric band matrices.
    """
    reach = kernels.cliques.full_reach(pattern.indptr, pattern.indices)
    best = 0
    for b in np.unique(reach):
        # a run of vertices that all reach their next b vertices, and the b vertices that follow it
        if longest_run(reach >= b) + b >= 3 * b + 1:
            best = 2 * int(b) + 1
    return best


def longest_run(mask: np.ndarray) -> int:
    """Length of the longest run of True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return int((ends[1::2] - ends[::2]).max(initial=0))
