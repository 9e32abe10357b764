"""The column intersection graph, for those who want to see it."""

import numpy as np

from .kernel import Kernel
from .neighbors import neighbors


@Kernel
def adjacency_lists(graph):
    """Adjacency lists of a neighborhood, each as `neighbors` gives it."""
    size = graph.seen.size
    indptr = np.zeros(size + 1, np.int64)
    for v in range(size):
        indptr[v + 1] = indptr[v] + neighbors(graph, v)
    indices = np.empty(indptr[size], np.int32)
    for v in range(size):
        for t in range(neighbors(graph, v)):
            indices[indptr[v] + t] = graph.buffer[t]
    return indptr, indices
