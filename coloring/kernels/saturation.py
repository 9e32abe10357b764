"""DSATUR: the vertex that sees most colors goes first."""

import numpy as np

from .bits import first_free, wider
from .kernel import Kernel
from .neighbors import neighbors


@Kernel
def by_saturation(graph, by_rank, rank):
    """Vertices in the order of DSATUR (Brélaz 1979), and its colors.

    Next comes a vertex whose neighbors have most distinct colors; ties go to the least `rank`, a
    permutation that puts the greatest degrees first, with inverse `by_rank`.
    """
    size = rank.size
    colors = np.full(size, -1, np.int32)
    order = np.empty(size, np.int32)
    saturation = np.zeros(size, np.int32)
    around = np.zeros((size, 1, 1), np.uint64)
    heap = by_rank.copy()  # ranks in order: a heap while every saturation is 0
    place = rank.copy()
    for done in range(size):
        v = heap[0]
        _drop_top(heap, place, size - done, saturation, rank)
        order[done] = v
        colors[v] = first_free(around[v, 0])
        if colors[v] == 64 * around.shape[2]:
            around = wider(around)
        word, bit = colors[v] >> 6, np.uint64(1) << np.uint64(colors[v] & 63)
        for t in range(neighbors(graph, np.int64(v))):
            w = graph.buffer[t]
            if colors[w] < 0 and not around[w, 0, word] & bit:
                around[w, 0, word] |= bit
                saturation[w] += 1
                _lift(heap, place, place[w], saturation, rank)
    return order, colors


@Kernel
def _precedes(v, w, saturation, rank):
    if saturation[v] != saturation[w]:
        return saturation[v] > saturation[w]
    return rank[v] < rank[w]


@Kernel
def _lift(heap, place, at, saturation, rank):
    """Move the vertex at this place of the heap up to where it belongs."""
    v = heap[at]
    while at > 0:
        parent = (at - 1) >> 1
        if not _precedes(v, heap[parent], saturation, rank):
            break
        heap[at] = heap[parent]
        place[heap[at]] = at
        at = parent
    heap[at] = v
    place[v] = at


@Kernel
def _drop_top(heap, place, size, saturation, rank):
    """Remove the first vertex of a heap of this size."""
    v = heap[size - 1]
    at = 0
    while True:
        child = 2 * at + 1
        if child + 1 < size - 1 and _precedes(heap[child + 1], heap[child], saturation, rank):
            child += 1
        if child >= size - 1 or not _precedes(heap[child], v, saturation, rank):
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = v
    place[v] = at
