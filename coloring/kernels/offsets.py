"""The diagonals of a matrix that hold entries."""

import numpy as np

from .kernel import Kernel


@Kernel
def distinct_offsets(indptr, indices, limit):
    """Distinct values of column minus row, how often each occurs, and with which it shares a row (as bits).

    Gives up with empty arrays when there are more than `limit`, which is at most 64.
    """
    offsets = np.empty(limit, np.int64)
    counts = np.zeros(limit, np.int64)
    together = np.zeros(limit, np.uint64)
    found = 0
    for i in range(indptr.size - 1):
        row = np.uint64(0)
        at = 0  # offsets mostly come in the same order in every row
        for k in range(indptr[i], indptr[i + 1]):
            offset = np.int64(indices[k]) - i
            steps = 0
            while steps < found and offsets[at] != offset:
                at = at + 1 if at + 1 < found else 0
                steps += 1
            if steps == found:
                if found == limit:
                    return offsets[:0], counts[:0], together[:0]
                at = found
                offsets[at] = offset
                found += 1
            counts[at] += 1
            row |= np.uint64(1) << np.uint64(at)
            at = at + 1 if at + 1 < found else 0
        for t in range(found):
            if (row >> np.uint64(t)) & np.uint64(1):
                together[t] |= row
    return offsets[:found].copy(), counts[:found].copy(), together[:found].copy()


@Kernel
def first_repeat(indptr, indices, colors, num_colors):
    """First line with two members of one color, and their places in it; -1 if there is none."""
    last = np.full(num_colors, -1, np.int64)
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            color = colors[indices[k]]
            if color >= 0:
                if last[color] >= indptr[i]:
                    return i, last[color], k
                last[color] = k
    return -1, -1, -1
