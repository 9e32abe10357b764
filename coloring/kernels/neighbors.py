"""Neighbors at distance one of a graph, or at distance two of a bipartite one, behind one function.

The orders are written once against `neighbors`; the same code then serves the adjacency graph of a
symmetric matrix and the column intersection graph of any matrix, which is never built.
"""

from typing import NamedTuple

import numpy as np

from .kernel import Kernel


class Neighborhood(NamedTuple):
    """A graph whose vertices are the rows of a compressed pattern.

    With `t_indptr` empty, two vertices are adjacent when one is stored in the other's row; otherwise
    ``(t_indptr, t_indices)`` is the transposed pattern and they are adjacent when their rows share a
    stored column.  `seen` (all False) and `buffer` are scratch, one entry per vertex.
    """

    indptr: np.ndarray
    indices: np.ndarray
    t_indptr: np.ndarray
    t_indices: np.ndarray
    seen: np.ndarray
    buffer: np.ndarray

    @property
    def work(self) -> int:
        """About how many entries, or pairs of them, the neighbors of all vertices are found by."""
        lines = self.t_indptr.size - 1
        return self.indices.size if lines < 1 else self.indices.size * (1 + self.t_indices.size // lines)


def distance_one(indptr: np.ndarray, indices: np.ndarray) -> Neighborhood:
    """Neighborhood in the graph with these adjacency lists."""
    none = np.empty(0, indptr.dtype)
    return Neighborhood(indptr, indices, none, none, *_scratch(indptr))


def distance_two(indptr: np.ndarray, indices: np.ndarray, t_indptr: np.ndarray, t_indices: np.ndarray) -> Neighborhood:
    """Neighborhood in the intersection graph of the rows of a pattern, given with its transpose."""
    return Neighborhood(indptr, indices, t_indptr, t_indices, *_scratch(indptr))


def _scratch(indptr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = indptr.size - 1
    return np.zeros(size, np.bool_), np.empty(size, np.int32)


@Kernel
def neighbors(graph, vertex):
    """Write the neighbors of `vertex` to ``graph.buffer``, each once, and return their number."""
    buffer, seen = graph.buffer, graph.seen
    count = 0
    if graph.t_indptr.size == 0:
        for k in range(graph.indptr[vertex], graph.indptr[vertex + 1]):
            if graph.indices[k] != vertex:
                buffer[count] = graph.indices[k]
                count += 1
        return count
    seen[vertex] = True
    for k in range(graph.indptr[vertex], graph.indptr[vertex + 1]):
        i = graph.indices[k]
        for t in range(graph.t_indptr[i], graph.t_indptr[i + 1]):
            other = graph.t_indices[t]
            if not seen[other]:
                seen[other] = True
                buffer[count] = other
                count += 1
    seen[vertex] = False
    for t in range(count):
        seen[buffer[t]] = False
    return count
