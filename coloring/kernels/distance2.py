"""Partial distance-2 coloring of the columns of a bipartite graph."""

from functools import partial

import numpy as np

from .bits import FULL, lowest_clear, lowest_clear_bit
from .kernel import Kernel


def _work(indptr, indices, num_rows, order, limit):
    """Count the numbers that all rounds look at: there may be one for every 64 entries of the longest row."""
    longest = np.bincount(indices, minlength=1).max()
    return (indptr.size + indices.size + order.size) * (1 + min(int(longest), limit) // 64)


@partial(Kernel, work=_work)
def color_columns(indptr, indices, num_rows, order, limit):
    """First-fit colors of the columns, visited in `order`.

    Row ``i`` keeps the colors met among its columns as the bits of one word, 64 colors at a time: a
    column that finds all 64 taken waits for the next round.  A column's colors below 64 k depend only on
    earlier columns with colors below 64 k, so rounds give the colors of the plain first-fit scan
    (Gebremedhin, Manne, Pothen 2005, Algorithm 3.2) with O(nnz) work per round instead of O(sum of
    squared row counts).  Columns that are not in `order` get -1.  Columns that need more than `limit`
    colors, rounded up to whole words, are given up: an empty array.
    """
    num_columns = indptr.size - 1
    colors = np.full(num_columns, -1, np.int32)
    waiting = order.copy()
    num_waiting = order.size
    taken = np.zeros(num_rows, np.uint64)
    base = 0
    while num_waiting > 0:
        taken[:] = 0
        still_waiting = 0
        for t in range(num_waiting):
            j = waiting[t]
            forbidden = np.uint64(0)
            for k in range(indptr[j], indptr[j + 1]):
                forbidden |= taken[indices[k]]
            if forbidden == FULL:
                waiting[still_waiting] = j
                still_waiting += 1
                continue
            colors[j] = base + lowest_clear(forbidden)
            for k in range(indptr[j], indptr[j + 1]):
                taken[indices[k]] |= lowest_clear_bit(forbidden)
        num_waiting = still_waiting
        if num_waiting > 0 and base + 64 >= limit:
            return colors[:0]
        base += 64
    return colors


@Kernel
def color_block(indptr, indices, block, settled, base, colors):
    """First-fit colors ``base, ..., base + 63`` for columns of a block, as if no other block had any.

    `settled` has the colors that earlier blocks have in each row.  Columns that find all 64 taken are left as they are.
    """
    # The search is that of `color_columns`: as a kernel that both call it takes up to three times as long.
    first, last = settled.size, 0
    for j in block:
        for k in range(indptr[j], indptr[j + 1]):
            first = min(first, indices[k])
            last = max(last, indices[k] + 1)
    taken = settled[first:last].copy()
    for j in block:
        forbidden = np.uint64(0)
        for k in range(indptr[j], indptr[j + 1]):
            forbidden |= taken[indices[k] - first]
        if forbidden == FULL:
            continue
        colors[j] = base + lowest_clear(forbidden)
        for k in range(indptr[j], indptr[j + 1]):
            taken[indices[k] - first] |= lowest_clear_bit(forbidden)


@Kernel
def find_conflicts(indptr, indices, first, last, base, colors, place, lost, taken):
    """Mark, in some rows, all columns of one color but the first in the order as lost; enter the colors of each row."""
    holder = np.empty(64, indices.dtype)  # the first column of each color
    for i in range(first, last):
        seen = np.uint64(0)
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            color = colors[j] - base
            if color < 0:
                continue
            bit = np.uint64(1) << np.uint64(color)
            if not seen & bit:
                seen |= bit
                holder[color] = j
            elif place[holder[color]] < place[j]:
                lost[j] = True
            else:
                lost[holder[color]] = True
                holder[color] = j
        taken[i] = seen


@Kernel
def retake(indptr, indices, columns, row_indptr, row_indices, base, colors, taken):
    """Enter the colors of each row again that some columns meet, which have lost theirs."""
    for j in columns:
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            taken[i] = np.uint64(0)
            for t in range(row_indptr[i], row_indptr[i + 1]):
                color = colors[row_indices[t]]
                if color >= base:
                    taken[i] |= np.uint64(1) << np.uint64(color - base)


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
