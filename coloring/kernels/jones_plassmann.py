"""First-fit coloring of columns of which some wait for others, which are colored elsewhere.

Jones, Plassmann (1993), *A parallel graph coloring heuristic*, SIAM J. Sci. Comput. 14.
"""

import numpy as np

from .kernel import Kernel


def _color_ready(indptr, indices, row_starts, row_columns, order, when, colors):
    """Color the columns in `order` that wait for nothing; return how many are left.

    Column ``j`` waits for each column that shares a row with it, comes before it (``when`` is smaller), and has no
    color yet.  So colors are those of first fit in the order of `when`, whoever colors what, and in whatever turns.
    ``colors`` is -1 where there is none, and is written to.
    """
    met = np.full(colors.size + 1, -1, np.int64)
    left = 0
    for t in range(order.size):
        j = order[t]
        if colors[j] >= 0:
            continue
        ready = True
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            for e in range(row_starts[i], row_starts[i + 1]):
                other = row_columns[e]
                color = colors[other]
                if color >= 0:
                    if color < met.size:  # a column has fewer neighbors than there are columns
                        met[color] = t
                elif when[other] < when[j]:
                    ready = False
        if not ready:
            left += 1
            continue
        color = 0
        while met[color] == t:
            color += 1
        colors[j] = color
    return left


color_ready = Kernel(_color_ready)
