"""What `color` returns: colors, and the way from a matrix to its compressed form and back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from . import kernels
from .errors import ColoringError
from .pattern import SparsityPattern
from .recovery import RecoveryPlan


class ColoringResult:
    """A column or row coloring of a pattern."""

    def __init__(self, pattern, colors, partition, order, lower_bound):
        self.pattern: SparsityPattern = pattern
        self.colors: np.ndarray = colors
        self.partition = partition
        self.order = order
        self.num_colors = int(colors.max(initial=-1)) + 1
        self.lower_bound = int(lower_bound)

    @property
    def is_optimal(self) -> bool:
        """Whether the number of colors meets the proven lower bound."""
        return self.num_colors == self.lower_bound

    @property
    def column_colors(self) -> np.ndarray | None:
        """Color of each column, or None for a row coloring."""
        return self.colors if self.partition == "column" else None

    @property
    def row_colors(self) -> np.ndarray | None:
        """Color of each row, or None for a column coloring."""
        return self.colors if self.partition == "row" else None

    def groups(self) -> list[np.ndarray]:
        """Return the members of each color."""
        by_color = np.argsort(self.colors, kind="stable")
        counts = np.bincount(self.colors[by_color] + 1, minlength=self.num_colors + 1)
        return np.split(by_color, np.cumsum(counts)[:-1])[1:]

    def seed_matrix(self) -> np.ndarray:
        """Return the 0-1 seed matrix, one column per color."""
        seeds = np.zeros((self.colors.size, self.num_colors))
        colored = np.flatnonzero(self.colors >= 0)
        seeds[colored, self.colors[colored]] = 1
        return seeds

    @cached_property
    def plan(self) -> RecoveryPlan:
        """The recovery plan, built at first use."""
        A = self.pattern
        if self.partition == "column":
            return RecoveryPlan(A.rows, self.colors[A.indices], self.num_colors)
        return RecoveryPlan(A.indices, np.repeat(self.colors, np.diff(A.indptr)), self.num_colors)

    def compress(self, A: Any) -> np.ndarray:
        """Return ``B = A S`` (column coloring) or ``B = Sᵀ A`` (row coloring)."""
        A = sp.csr_array(A)
        if A.shape != self.pattern.shape:
            raise ColoringError(f"matrix of shape {A.shape}; expected {self.pattern.shape}")
        by_column = self.partition == "column"
        m, n = A.shape
        B = np.zeros((m, self.num_colors) if by_column else (self.num_colors, n), A.dtype)
        kernel = kernels.recovery.compress_columns if by_column else kernels.recovery.compress_rows
        kernel(A.indptr, A.indices, A.data, self.colors, B)
        return B

    def decompress(self, B: np.ndarray, out: sp.csr_array | None = None) -> sp.csr_array:
        """Return the matrix whose compressed form is `B`."""
        if out is None:
            out = self.pattern.to_scipy(np.empty(self.pattern.nnz, B.dtype))
        self.plan.decompress(B if self.partition == "column" else B.T, out.data)
        return out
