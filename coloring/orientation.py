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


def read(graph: Graph, colors: np.ndarray, substitution: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the item by which each edge can be read, `CONFLICT` if by none, and the order of substitution."""
    lists = graph.indptr, graph.indices, graph.edge
    shared = kernels.orientation.shared_colors(graph.indptr, graph.indices, colors)
    if substitution:
        return kernels.orientation.orient_trees(*lists, graph.items, colors, shared)
    none = np.empty(0, graph.indices.dtype)
    return kernels.orientation.orient_stars(*lists, colors, shared), none, none


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
    item, taken, feeds = read(graph, colors, substitution)
    if item.size and item.min() == kernels.orientation.CONFLICT:
        _refuse(graph, int(item.argmin()), substitution)
    codes, number = kernels.orientation.color_codes(colors, graph.num_first)
    in_use = np.zeros(number + 1, np.bool_)  # the last one stands for neutral vertices
    in_use[codes[diagonal]] = True
    kernels.orientation.decide(graph.indices, graph.items, item, codes, in_use)
    return Orientation(item, taken, feeds)


def settle(graph: Graph, colors: np.ndarray, substitution: bool, diagonal: np.ndarray) -> np.ndarray:
    """Return the colors with -1 for each vertex whose color is not read, renumbered without gaps.

    Raises
    ------
    ColoringError
        As `orient`, whose parameters these are.
    """
    lists = graph.indptr, graph.indices, graph.edge, graph.items
    settled = kernels.orientation.settle(*lists, colors, diagonal, graph.num_first, substitution)
    if settled.size < colors.size:
        orient(graph, colors, substitution, diagonal)
    return settled


def renumber(colors: np.ndarray) -> np.ndarray:
    """Close the gaps between the colors in use; -1 stays."""
    used = np.zeros(colors.max(initial=-1) + 2, np.bool_)
    used[colors] = True
    used[-1] = False
    number = np.cumsum(used, dtype=np.int32) - 1
    number[-1] = -1
    return number[colors].astype(np.int32)


def _refuse(graph: Graph, edge: int, substitution: bool) -> None:
    k = int(np.flatnonzero(graph.edge == edge)[0])
    v, w = int(graph.vertex[k]), int(graph.indices[k])
    kind = "an acyclic" if substitution else "a star"
    raise ColoringError(
        f"these colors are not {kind} coloring: edge {v} - {w} can be recovered at neither end; "
        "check them with the predicate for that coloring, which names the vertices involved"
    )
