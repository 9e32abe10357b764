"""Vertex orders by degree, on any neighborhood."""

import numpy as np

from .kernel import Kernel
from .neighbors import neighbors


@Kernel
def degrees(graph):
    """Number of neighbors of each vertex."""
    degree = np.zeros(graph.seen.size, np.int32)
    if graph.t_indptr.size == 0:
        for v in range(degree.size):
            degree[v] = neighbors(graph, v)
        return degree
    last = np.full(degree.size, -1, np.int32)  # as in `neighbors`, but nothing to list or to reset
    for v in range(degree.size):
        last[v] = v
        for k in range(graph.indptr[v], graph.indptr[v + 1]):
            i = graph.indices[k]
            for t in range(graph.t_indptr[i], graph.t_indptr[i + 1]):
                other = graph.t_indices[t]
                if last[other] != v:
                    last[other] = v
                    degree[v] += 1
    return degree


@Kernel
def by_dynamic_degree(graph, degree, start, greatest, step):
    """Vertices by extreme dynamic degree.

    Repeatedly take a vertex of greatest (or least) degree and add `step` to the degrees of its remaining
    neighbors.  From the full degrees: least with step -1, reversed, is smallest last; greatest with step
    -1 is dynamic largest first.  From zeros: greatest with step +1 is incidence degree.  Vertices of one
    degree form a stack, so that ties go to the vertex touched last, and at first to the one that is earlier
    in `start`.
    """
    size = degree.size
    head = np.full(size + 1, -1, np.int32)
    after = np.empty(size, np.int32)
    before = np.empty(size, np.int32)
    for v in start[::-1]:
        _push(v, degree[v], head, after, before)
    order = np.empty(size, np.int32)
    level = size if greatest else 0
    for place in range(size):
        while head[level] < 0:
            level += -1 if greatest else 1
        v = head[level]
        _remove(v, level, head, after, before)
        degree[v] = -1
        order[place] = v
        for t in range(neighbors(graph, np.int64(v))):
            w = graph.buffer[t]
            if degree[w] >= 0:
                _remove(w, degree[w], head, after, before)
                degree[w] += step
                _push(w, degree[w], head, after, before)
        level = min(max(level + (1 if greatest else -1), 0), size)
    return order


@Kernel
def _push(v, degree, head, after, before):
    """Put a vertex on the stack of its degree."""
    top = head[degree]
    after[v] = top
    before[v] = -1
    if top >= 0:
        before[top] = v
    head[degree] = v


@Kernel
def _remove(v, degree, head, after, before):
    """Take a vertex out of the stack of its degree."""
    left, right = before[v], after[v]
    if left >= 0:
        after[left] = right
    else:
        head[degree] = right
    if right >= 0:
        before[right] = left
