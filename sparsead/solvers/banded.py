"""Banded LU: where entries lie near the diagonal, new factors cost less than to see whether old ones would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.csgraph

WIDEST = 16  # diagonals on either side


class Banded:
    """Systems with ``a I + b J``, for one pattern of J, by LAPACK's factors of the band.

    Parameters
    ----------
    J : scipy.sparse.csc_array
        A matrix with the pattern.
    order : ndarray of int, shape (n,)
        In this order of rows and columns the band is narrow.
    """

    def __init__(self, J: Any, order: np.ndarray) -> None:
        self._order, n = order, J.shape[0]
        rows, columns = _places(J, order)
        self._lower, self._upper = int((rows - columns).max(initial=0)), int((columns - rows).max(initial=0))
        self._shape = (2 * self._lower + self._upper + 1, n)  # LAPACK needs room for rows that are exchanged
        middle = self._lower + self._upper
        self._entries = (middle + rows - columns) * n + columns
        self._diagonal = slice(middle * n, (middle + 1) * n)

    def factor(self, a: complex, b: complex, J: Any) -> Callable[[np.ndarray], np.ndarray]:
        """Return the solution of systems with ``a I + b J``; raise RuntimeError if that is singular."""
        kind = np.result_type(J.data.dtype, type(a), type(b), np.float64)
        band = np.zeros(self._shape[0] * self._shape[1], kind)
        band[self._entries] = b * J.data
        band[self._diagonal] += a
        lapack: Any = scipy.linalg.get_lapack_funcs(("gbtrf", "gbtrs"), dtype=kind)
        gbtrf, gbtrs = lapack
        factors, pivots, info = gbtrf(band.reshape(self._shape), self._lower, self._upper)
        if info > 0:
            raise RuntimeError("Factor is exactly singular")

        def solve(right: np.ndarray) -> np.ndarray:
            x = np.empty(right.shape, np.result_type(kind, right.dtype))
            x[self._order] = gbtrs(factors, self._lower, self._upper, right[self._order], pivots)[0]
            return x

        return solve


def _places(J: Any, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of the entries of a compressed matrix, in an order."""
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place[J.indices], place[np.repeat(np.arange(J.shape[1]), np.diff(J.indptr))]


def banded(J: Any) -> Banded | None:
    """Return banded LU for the pattern of J, (n, n) in compressed columns; None where no order makes the band narrow.

    Rows stay in their order where that is narrow; else the order is that of Cuthill and McKee, reversed.
    """
    n = J.shape[0]
    pattern = scipy.sparse.csr_array((np.ones(J.indices.size, np.int8), J.indices, J.indptr), shape=J.shape)
    orders = (
        lambda: np.arange(n),
        lambda: scipy.sparse.csgraph.reverse_cuthill_mckee(scipy.sparse.csr_array(pattern + pattern.T), True),
    )
    for order in orders:
        found = order()
        rows, columns = _places(J, found)
        if np.abs(rows - columns).max(initial=0) <= WIDEST:
            return Banded(J, found)
    return None
