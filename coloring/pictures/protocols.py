"""What can be drawn: all that the pictures know of patterns and of colorings."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Entries(Protocol):
    """Positions of entries in compressed rows; see `coloring.SparsityPattern`."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def indptr(self) -> np.ndarray:
        """Where each row begins."""

    @property
    def indices(self) -> np.ndarray:
        """Column of each entry."""

    @property
    def rows(self) -> np.ndarray:
        """Row of each entry."""

    @property
    def nnz(self) -> int:
        """Number of entries."""


class Places(Protocol):
    """Where each entry is read in a compressed matrix; see `coloring.RecoveryPlan`."""

    @property
    def line(self) -> np.ndarray:
        """Row or column of the compressed matrix."""

    @property
    def color(self) -> np.ndarray:
        """Color; inverted (negative) where rows are colored."""


class Colored(Protocol):
    """A coloring of entries; see `coloring.ColoringResult`."""

    structure: str
    partition: str
    decompression: str
    row_colors: np.ndarray | None
    column_colors: np.ndarray | None
    num_row_colors: int
    num_column_colors: int

    @property
    def pattern(self) -> Entries:
        """What is colored."""

    @property
    def plan(self) -> Places:
        """Where each entry is read."""

    @property
    def num_colors(self) -> int:
        """Number of products."""

    @property
    def lower_bound(self) -> int:
        """Proven lower bound on it."""

    @property
    def is_optimal(self) -> bool:
        """Whether the two are equal."""
