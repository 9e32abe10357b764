"""A counting sort: compressed rows from unsorted ones."""

import numpy as np

from .kernel import Kernel


@Kernel
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
