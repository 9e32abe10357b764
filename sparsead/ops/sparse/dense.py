"""What stands for a ``np.matrix``: the dense forms and sums of SciPy's matrix classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import traced


class TracedMatrix(TracedArray):
    """What the matrix classes of SciPy return for sums and dense forms: a ``np.matrix``, of two axes for ever."""

    __slots__ = ()

    @property
    def A(self) -> TracedArray:
        """The same as an array."""
        return TracedArray(self.storage, self.positions)

    @property
    def A1(self) -> TracedArray:
        """The elements as an array of one axis."""
        return self.A.reshape(-1)

    def ravel(self, order: Any = "C") -> TracedMatrix:
        """Same as ``np.matrix.ravel``: of shape (1, n)."""
        return as_matrix(self.A.ravel(order)[None, :])

    def flatten(self, order: Any = "C") -> TracedMatrix:
        """Same as ``np.matrix.flatten``: of shape (1, n)."""
        return as_matrix(self.A.flatten(order)[None, :])

    def __mul__(self, other: Any) -> Any:
        return as_matrix(self.A * other) if np.ndim(other) == 0 else self.A @ np.atleast_2d(other)

    def __rmul__(self, other: Any) -> Any:
        return as_matrix(other * self.A) if np.ndim(other) == 0 else np.atleast_2d(other) @ self.A

    def __pow__(self, n: Any) -> Any:
        raise unsupported("a power of a np.matrix", "Take np.asarray of it first.")


def as_matrix(array: Any) -> TracedMatrix:
    """Return a traced array of two axes as what stands for a ``np.matrix``."""
    array = traced(array)
    return TracedMatrix(array.storage, array.positions)
