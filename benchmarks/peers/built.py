"""What preparing a derivative with any tool comes to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse

Built = tuple[Callable[[], object], Callable[[], object]]
"""A call that computes the values once, and a call that returns the last of them as a matrix."""


def filled(pattern: scipy.sparse.csr_array, data: np.ndarray) -> scipy.sparse.csr_array:
    """Return the matrix of a pattern with these values."""
    return scipy.sparse.csr_array((data, pattern.indices, pattern.indptr), shape=pattern.shape)


def by_loop(fill: Callable[..., None], pattern: scipy.sparse.csr_array, *args: object) -> Built:
    """Return a loop written by hand, ``fill(*args, data)``, that writes the values of a known pattern."""
    data = np.empty(pattern.nnz)
    return lambda: fill(*args, data), lambda: filled(pattern, data)
