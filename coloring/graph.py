"""The graphs that symmetric and bidirectional colorings live on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import kernels
from .cached import cached_property
from .pattern import SparsityPattern
from .sizes import index_dtype


@dataclass(frozen=True, eq=False)
class Graph:
    """Adjacency lists without loops; each item of them knows its edge and its entry of the matrix.

    Attributes
    ----------
    indptr, indices : ndarray
        Neighbors of vertex ``v``: ``indices[indptr[v]:indptr[v + 1]]``.
    entry : ndarray
        Position of each item among the stored entries of the pattern.
    num_first : int
        In a bipartite graph, the number of vertices on the first side; else the number of vertices.
    """

    indptr: np.ndarray
    indices: np.ndarray
    entry: np.ndarray
    num_first: int

    @classmethod
    def adjacency(cls, A: SparsityPattern) -> Graph:
        """Vertex per column of a symmetric pattern, edge per pair of off-diagonal entries."""
        indptr, indices, entry = kernels.graphs.adjacency(A.indptr, A.indices)
        return cls(indptr, indices, entry, A.shape[1])

    @classmethod
    def bipartite(cls, A: SparsityPattern) -> Graph:
        """Vertex per column, then per row, edge per entry: the adjacency graph of [0 Aᵀ; A 0]."""
        n = A.shape[1]
        like = np.empty(0, index_dtype(sum(A.shape), 2 * A.nnz))
        indptr, indices, entry = kernels.graphs.bipartite_adjacency(A.indptr, A.indices, n, like)
        return cls(indptr, indices, entry, n)

    @property
    def num_vertices(self) -> int:
        """Number of vertices."""
        return self.indptr.size - 1

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return self.indices.size // 2

    @property
    def is_bipartite(self) -> bool:
        """Whether the vertices come in two sides with a palette each."""
        return self.num_first < self.num_vertices

    @cached_property
    def edge(self) -> np.ndarray:
        """Number of the edge behind each item."""
        return kernels.graphs.edge_numbers(self.indptr, self.indices)

    @cached_property
    def items(self) -> np.ndarray:
        """The two items of each edge, shape (num_edges, 2), that of its lower vertex first."""
        return kernels.graphs.edge_items(self.edge)

    @cached_property
    def vertex(self) -> np.ndarray:
        """Vertex whose list each item is in."""
        return np.repeat(np.arange(self.num_vertices, dtype=np.int32), np.diff(self.indptr))
