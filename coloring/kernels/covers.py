"""Vertex covers: which vertices get a color in a bicoloring."""

import numpy as np

from .kernel import Kernel


@Kernel
def implicit_cover(indptr, indices, order):
    """Vertices that are kept when each, in `order`, is kept if one of its edges is not yet covered."""
    kept = np.zeros(indptr.size - 1, np.bool_)
    for v in order:
        for k in range(indptr[v], indptr[v + 1]):
            if not kept[indices[k]]:
                kept[v] = True
                break
    return kept
