"""Vertex orders on the column intersection graph, without building it."""

import numpy as np
from numba import njit


@njit(cache=True)
def distance2_degrees(indptr, indices, t_indptr, t_indices):
    """Number of columns that share a row with each column."""
    num_columns = indptr.size - 1
    degree = np.zeros(num_columns, np.int32)
    seen = np.full(num_columns, -1, np.int32)
    for j in range(num_columns):
        seen[j] = j
        count = 0
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            for t in range(t_indptr[i], t_indptr[i + 1]):
                other = t_indices[t]
                if seen[other] != j:
                    seen[other] = j
                    count += 1
        degree[j] = count
    return degree


@njit(cache=True)
def _push(vertex, degree, head, after, before):
    """Put a vertex first in the list of its degree."""
    first = head[degree]
    after[vertex] = first
    before[vertex] = -1
    if first >= 0:
        before[first] = vertex
    head[degree] = vertex


@njit(cache=True)
def _remove(vertex, degree, head, after, before):
    """Take a vertex out of the list of its degree."""
    left, right = before[vertex], after[vertex]
    if left >= 0:
        after[left] = right
    else:
        head[degree] = right
    if right >= 0:
        before[right] = left


@njit(cache=True)
def distance2_dynamic(indptr, indices, t_indptr, t_indices, degree, pick_max, step):
    """Vertices by extreme dynamic degree, on distance-2 neighbors of the columns.

    Repeatedly pick a vertex of least (or greatest) degree and add `step` to the degrees of its remaining
    neighbors.  From the full degrees: least with step -1, reversed, is smallest last; greatest with step
    -1 is dynamic largest first.  From zeros: greatest with step +1 is incidence degree.
    """
    num_columns = indptr.size - 1
    size = num_columns + 1
    head = np.full(size, -1, np.int32)
    after = np.empty(num_columns, np.int32)
    before = np.empty(num_columns, np.int32)
    for j in range(num_columns - 1, -1, -1):
        _push(j, degree[j], head, after, before)
    order = np.empty(num_columns, np.int32)
    seen = np.full(num_columns, -1, np.int32)
    level = size - 1 if pick_max else 0
    for place in range(num_columns):
        while head[level] < 0:
            level += -1 if pick_max else 1
        j = head[level]
        _remove(j, level, head, after, before)
        degree[j] = -1
        order[place] = j
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            for t in range(t_indptr[i], t_indptr[i + 1]):
                other = t_indices[t]
                if degree[other] >= 0 and seen[other] != j:
                    seen[other] = j
                    _remove(other, degree[other], head, after, before)
                    degree[other] += step
                    _push(other, degree[other], head, after, before)
        if pick_max:
            if step > 0 and level < size - 1:
                level += 1
        elif level > 0:
            level -= 1
    return order
