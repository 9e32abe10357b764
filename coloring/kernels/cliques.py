"""Dense parts of a graph, for lower bounds."""

import numpy as np

from .kernel import Kernel
from .neighbors import neighbors


@Kernel
def greedy_clique(graph, degree, starts):
    """Size of the largest clique grown greedily from one of these vertices."""
    member_neighbors = np.zeros(degree.size, np.int32)
    best = 0
    for start in starts:
        member_neighbors[:] = 0
        size = 0
        v = start
        while v >= 0:
            member_neighbors[v] = -degree.size - 1
            size += 1
            following = np.int32(-1)
            for t in range(neighbors(graph, np.int64(v))):
                w = graph.buffer[t]
                member_neighbors[w] += 1
                if member_neighbors[w] == size and (following < 0 or degree[w] > degree[following]):
                    following = w
            v = following
        best = max(best, size)
    return best


@Kernel
def entries_among_first(indptr, indices, order):
    """For each vertex of `order`, its entries in the columns of itself and of earlier vertices."""
    place = np.empty(order.size, np.int32)
    for t in range(order.size):
        place[order[t]] = t
    count = np.zeros(order.size, np.int64)
    for t in range(order.size):
        v = order[t]
        for k in range(indptr[v], indptr[v + 1]):
            if place[indices[k]] <= t:
                count[t] += 1
    return count


@Kernel
def full_reach(indptr, indices):
    """For each vertex ``v``, the greatest b for which v + 1, ..., v + b are all its neighbors."""
    reach = np.zeros(indptr.size - 1, np.int64)
    for v in range(reach.size):
        for k in range(indptr[v], indptr[v + 1]):
            if indices[k] == v + reach[v] + 1:
                reach[v] += 1
    return reach
