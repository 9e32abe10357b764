"""Where each stored entry of a matrix is found in its compressed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import kernels


@dataclass(frozen=True, eq=False)
class RecoveryPlan:
    """For each stored entry ``k``, in row order, its place ``(line[k], color[k])`` in the compressed matrix.

    In a column coloring, ``B = A S`` has one column per color and `line` is a row of it; in a row
    coloring ``B = Sᵀ A`` is read transposed.
    """

    line: np.ndarray
    color: np.ndarray
    num_colors: int

    @cached_property
    def _by_color(self) -> tuple[np.ndarray, np.ndarray]:
        """Entries sorted by color, so that a block of colors touches its own entries only."""
        start = np.zeros(self.num_colors + 1, self.line.dtype)
        entries = np.arange(self.line.size, dtype=self.line.dtype)
        entry = kernels.patterns.compress_rows(self.color, entries, self.num_colors, start)
        return start, entry

    def decompress(self, B: np.ndarray, out: np.ndarray) -> None:
        """Write every entry to `out`, shape (nnz,), from the whole compressed matrix, colors along axis 1."""
        kernels.recovery.gather(self.line, self.color, B, out)

    def decompress_block(self, B_block: np.ndarray, first_color: int, out: np.ndarray) -> None:
        """Write to `out` the entries found in colors ``first_color + range(B_block.shape[1])``.

        When every color has been in one block, `out` holds the whole matrix.
        """
        if B_block.shape[1] == self.num_colors:
            self.decompress(B_block, out)
        else:
            kernels.recovery.gather_block(*self._by_color, self.line, B_block, first_color, out)
