"""Which end of each edge is read, and which vertices need no color after all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import kernels
from .errors import ColoringError
from .graph import Graph


@dataclass(frozen=True, eq=False)
class Orientation:
    """A way to recover every edge of a graph from a star or acyclic coloring.

    Attributes
    ----------
    item : ndarray, shape (num_edges,)
        Adjacency item ``leaf -> parent`` by which each edge is read.
    taken, feeds : ndarray
        Order of substitution: once ``taken[t]`` is known it is subtracted from ``feeds[t]`` (-1: none).
        Empty for direct recovery.
    """

    item: np.ndarray
    taken: np.ndarray
    feeds: np.ndarray


def orient(graph: Graph, colors: np.ndarray, substitution: bool, diagonal: np.ndarray) -> Orientation:
    """Direct every edge from the leaf, whose row is read, to the parent, whose color is read.

    Where both directions will do (an edge alone in its two colors), the one is taken that leaves most
    colors unused: greedily, the color that settles most of these edges.

    Parameters
    ----------
    graph : Graph
        Adjacency or bipartite graph.
    colors : ndarray, shape (num_vertices,)
        A star or acyclic coloring, -1 for neutral vertices.
    substitution : bool
        Whether the coloring is acyclic and not a star coloring.
    diagonal : ndarray of bool, shape (num_vertices,)
        Vertices whose own color is read to recover a diagonal entry.

    Raises
    ------
    ColoringError
        If an edge can be read at neither end; the message names it.
    """
    lists = graph.indptr, graph.indices, graph.edge
    shared = kernels.orientation.shared_colors(graph.indptr, graph.indices, colors)
    none = np.empty(0, graph.indices.dtype)
    if substitution:
        item, taken, feeds = kernels.orientation.orient_trees(*lists, graph.items, colors, shared)
    else:
        item, taken, feeds = kernels.orientation.orient_stars(*lists, colors, shared), none, none
    if item.size and item.min() == kernels.orientation.CONFLICT:
        _refuse(graph, int(item.argmin()), substitution)
    undecided = np.flatnonzero(item == kernels.orientation.UNDECIDED)
    if undecided.size:
        codes = color_codes(graph, colors)
        read = np.zeros(codes.max() + 2, np.bool_)  # the last one stands for neutral vertices
        read[codes[graph.indices[item[item >= 0]]]] = True
        read[codes[diagonal]] = True
        item[undecided] = _decide(graph, undecided, codes, read)
    return Orientation(item, taken, feeds)


def neutralize(graph: Graph, colors: np.ndarray, orientation: Orientation, diagonal: np.ndarray) -> np.ndarray:
    """Return the colors with -1 for each vertex whose color is not read, renumbered without gaps."""
    read = diagonal.copy()
    read[graph.indices[orientation.item]] = True
    colors = np.where(read, colors, np.int32(-1))
    first = graph.num_first
    return np.concatenate([renumber(colors[:first]), renumber(colors[first:])])


def renumber(colors: np.ndarray) -> np.ndarray:
    """Close the gaps between the colors in use; -1 stays."""
    used = np.zeros(colors.max(initial=-1) + 2, np.bool_)
    used[colors] = True
    used[-1] = False
    number = np.cumsum(used, dtype=np.int32) - 1
    number[-1] = -1
    return number[colors].astype(np.int32)


def color_codes(graph: Graph, colors: np.ndarray) -> np.ndarray:
    """One number per color and side of the graph; -1 for neutral vertices."""
    codes = colors.astype(np.int64)
    first = graph.num_first
    codes[first:][codes[first:] >= 0] += codes[:first].max(initial=-1) + 1
    return codes


def _decide(graph: Graph, undecided: np.ndarray, codes: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Choose an item for each of these edges so that few colors are read besides those marked in `read`."""
    items = graph.items[undecided]
    ends = codes[graph.indices[items]]
    pairs = ends[~read[ends].any(axis=1)]
    one_number = np.unique(pairs[:, 0] * read.size + pairs[:, 1])
    pairs = np.stack(np.divmod(one_number, read.size), axis=1)
    while pairs.size:
        most = np.bincount(pairs.ravel()).argmax()
        read[most] = True
        pairs = pairs[(pairs != most).all(axis=1)]
    return np.where(read[ends[:, 0]], items[:, 0], items[:, 1])


def _refuse(graph: Graph, edge: int, substitution: bool) -> None:
    k = int(np.flatnonzero(graph.edge == edge)[0])
    v, w = int(graph.vertex[k]), int(graph.indices[k])
    kind = "an acyclic" if substitution else "a star"
    raise ColoringError(
        f"these colors are not {kind} coloring: edge {v} - {w} can be recovered at neither end; "
        "check them with the predicate for that coloring, which names the vertices involved"
    )
