"""Star and acyclic bicoloring: rows and columns together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from .. import kernels
from ..graph import Graph
from ..orders import order_by_name
from ..pattern import SparsityPattern
from .base import Candidate
from .symmetric import StarLike


class Bidirectional(StarLike):
    """Star or acyclic coloring of [0 Aᵀ; A 0], with a palette for the columns and one for the rows.

    Coleman and Verma (1998); as a coloring of the augmented graph, Montoison, Dalle, Gebremedhin (2025).
    """

    def __init__(self, pattern: SparsityPattern, substitution: bool, seed: int = 0) -> None:
        super().__init__(pattern, substitution, seed)
        self.num_vertices = sum(pattern.shape)

    @cached_property
    def graph(self) -> Graph:
        """The bipartite graph: columns, then rows."""
        return Graph.bipartite(self.pattern)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """No vertex is needed for itself: [0 Aᵀ; A 0] has no diagonal."""
        return np.zeros(self.num_vertices, np.bool_)

    def count(self, colors: np.ndarray) -> int:
        """Row colors and column colors together."""
        n = self.graph.num_first
        return int(colors[:n].max(initial=-1) + colors[n:].max(initial=-1)) + 2

    def result(self, colors: np.ndarray, **found: Any) -> Any:
        """Wrap the colors."""
        from ..results import Bicoloring

        return Bicoloring(self, colors, **found)
