"""Counting sorts: building and transposing compressed patterns."""

import numpy as np
from numba import njit


@njit(cache=True)
def transpose(indptr, indices, num_columns):
    """Compressed rows of the transposed pattern, indices sorted (Gustavson 1978)."""
    num_rows = indptr.size - 1
    t_indptr = np.zeros(num_columns + 1, indptr.dtype)
    for k in range(indices.size):
        t_indptr[indices[k] + 1] += 1
    for j in range(num_columns):
        t_indptr[j + 1] += t_indptr[j]
    t_indices = np.empty(indices.size, indices.dtype)
    for i in range(num_rows):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            t_indices[t_indptr[j]] = i
            t_indptr[j] += 1
    for j in range(num_columns, 0, -1):
        t_indptr[j] = t_indptr[j - 1]
    t_indptr[0] = 0
    return t_indptr, t_indices


@njit(cache=True)
def compress_rows(rows, columns, num_rows, indptr):
    """Column indices grouped by row, in the order given; ``indptr`` (zeros) receives the offsets."""
    for k in range(rows.size):
        indptr[rows[k] + 1] += 1
    for i in range(num_rows):
        indptr[i + 1] += indptr[i]
    indices = np.empty(columns.size, columns.dtype)
    for k in range(rows.size):
        i = rows[k]
        indices[indptr[i]] = columns[k]
        indptr[i] += 1
    for i in range(num_rows, 0, -1):
        indptr[i] = indptr[i - 1]
    indptr[0] = 0
    return indices


@njit(cache=True)
def drop_duplicates(indptr, indices):
    """Merge equal neighbors within each (sorted) row, in place; return the number that stay."""
    kept = 0
    start = indptr[0]
    for i in range(indptr.size - 1):
        stop = indptr[i + 1]
        first = kept
        for k in range(start, stop):
            if kept == first or indices[k] != indices[kept - 1]:
                indices[kept] = indices[k]
                kept += 1
        start = stop
        indptr[i + 1] = kept
    return kept
