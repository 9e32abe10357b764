"""Moving values between a sparse matrix and its compressed form."""

from numba import njit


@njit(cache=True)
def compress_columns(indptr, indices, data, colors, B):
    """Add column ``j`` of the matrix to column ``colors[j]`` of `B`; neutral columns are left out."""
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            color = colors[indices[k]]
            if color >= 0:
                B[i, color] += data[k]


@njit(cache=True)
def compress_rows(indptr, indices, data, colors, B):
    """Add row ``i`` of the matrix to row ``colors[i]`` of `B`; neutral rows are left out."""
    for i in range(indptr.size - 1):
        color = colors[i]
        if color >= 0:
            for k in range(indptr[i], indptr[i + 1]):
                B[color, indices[k]] += data[k]


@njit(cache=True)
def gather(line, color, B, out):
    """Read each stored entry where the plan says it stands alone: ``out[k] = B[line[k], color[k]]``."""
    for k in range(line.size):
        out[k] = B[line[k], color[k]]


@njit(cache=True)
def gather_block(start, entry, line, B, first_color, out):
    """Read the entries whose color lies in the block ``first_color + range(B.shape[1])``."""
    for c in range(B.shape[1]):
        for t in range(start[first_color + c], start[first_color + c + 1]):
            k = entry[t]
            out[k] = B[line[k], c]
