"""The column intersection graph, for those who want to see it."""

import numpy as np
from numba import njit

from .neighbors import neighbors


@njit(cache=True)
def adjacency_lists(graph):
    """Adjacency lists of a neighborhood, each list sorted."""
    size = graph.seen.size
    indptr = np.zeros(size + 1, np.int64)
    for v in range(size):
        indptr[v + 1] = indptr[v] + neighbors(graph, v)
    indices = np.empty(indptr[size], np.int32)
    for v in range(size):
        count = neighbors(graph, v)
        indices[indptr[v] : indptr[v + 1]] = np.sort(graph.buffer[:count])
    return indptr, indices
