"""The column intersection graph, for those who want to see it."""

import numpy as np
from numba import njit

from .neighbors import neighbors


@njit(cache=True)
def adjacency_lists(graph, is_sorted):
    """Adjacency lists of a neighborhood, each list sorted, or as `neighbors` gives them."""
    size = graph.seen.size
    indptr = np.zeros(size + 1, np.int64)
    for v in range(size):
        indptr[v + 1] = indptr[v] + neighbors(graph, v)
    indices = np.empty(indptr[size], np.int32)
    for v in range(size):
        count = neighbors(graph, v)
        indices[indptr[v] : indptr[v + 1]] = graph.buffer[:count]
        if is_sorted:
            indices[indptr[v] : indptr[v + 1]].sort()
    return indptr, indices
