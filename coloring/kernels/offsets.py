"""The diagonals of a matrix that hold entries."""

import numpy as np
from numba import njit


@njit(cache=True)
def distinct_offsets(indptr, indices, limit):
    """Distinct values of column minus row, in the order met; one too many if there are more than `limit`."""
    found = np.empty(limit + 1, np.int64)
    count = 0
    for i in range(indptr.size - 1):
        near = 0  # offsets mostly come in the same order in every row
        for k in range(indptr[i], indptr[i + 1]):
            offset = np.int64(indices[k]) - i
            known = False
            for t in range(count):
                at = (near + t) % count
                if found[at] == offset:
                    known = True
                    near = at + 1
                    break
            if not known:
                found[count] = offset
                count += 1
                if count > limit:
                    return found
    return found[:count].copy()


@njit(cache=True)
def first_repeat(indptr, indices, colors):
    """First line with two members of one color, and their places in it; -1 if there is none."""
    last = np.full(colors.max() + 1 if colors.size else 1, -1, np.int64)
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            color = colors[indices[k]]
            if color >= 0:
                if last[color] >= indptr[i]:
                    return i, last[color], k
                last[color] = k
    return -1, -1, -1
