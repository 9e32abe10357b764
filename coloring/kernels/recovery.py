"""Moving values between a sparse matrix and its compressed form."""

import numpy as np

from .kernel import Kernel


@Kernel
def compress_columns(indptr, indices, data, colors, B):
    """Add column ``j`` of the matrix to column ``colors[j]`` of `B`; neutral columns are left out."""
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            color = colors[indices[k]]
            if color >= 0:
                B[i, color] += data[k]


@Kernel
def compress_rows(indptr, indices, data, colors, B):
    """Add row ``i`` of the matrix to row ``colors[i]`` of `B`; neutral rows are left out."""
    for i in range(indptr.size - 1):
        color = colors[i]
        if color >= 0:
            for k in range(indptr[i], indptr[i + 1]):
                B[color, indices[k]] += data[k]


@Kernel
def gather(line, color, B_column, B_row, out):
    """Read each stored entry at its place in one of the two compressed matrices."""
    for k in range(line.size):
        if color[k] >= 0:
            out[k] = B_column[line[k], color[k]]
        else:
            out[k] = B_row[~color[k], line[k]]


@Kernel
def gather_block(start, entry, line, B, first_color, out):
    """Read the entries whose color lies in the block ``first_color + range(B.shape[1])``."""
    for c in range(B.shape[1]):
        for t in range(start[first_color + c], start[first_color + c + 1]):
            k = entry[t]
            out[k] = B[line[k], c]


@Kernel
def substitute(taken, feeds, out):
    """Take each value, once it is final, from the value that was read together with it."""
    for t in range(taken.size):
        if feeds[t] >= 0:
            out[feeds[t]] -= out[taken[t]]


@Kernel
def substitution_levels(taken, feeds, count):
    """How many substitutions come before each one, at least: those of one level do not depend on each other."""
    level = np.zeros(taken.size, taken.dtype)
    least = np.zeros(count, taken.dtype)
    for t in range(taken.size):
        level[t] = least[taken[t]]
        if feeds[t] >= 0:
            least[feeds[t]] = max(least[feeds[t]], level[t] + 1)
    return level
