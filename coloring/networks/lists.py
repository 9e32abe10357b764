"""What the backend turns NetworkX graphs into."""

from __future__ import annotations

from typing import Any

import numpy as np


class BackendGraph:
    """Adjacency lists of a NetworkX graph, in its order of nodes and neighbors."""

    __networkx_backend__ = "coloring"

    def __init__(self, nodes: list[Any], indptr: np.ndarray, indices: np.ndarray) -> None:
        self.nodes, self.indptr, self.indices = nodes, indptr, indices

    def __len__(self) -> int:
        return len(self.nodes)

    def is_directed(self) -> bool:
        """Return False: only undirected graphs are converted."""
        return False

    def is_multigraph(self) -> bool:
        """Return False: only simple graphs are converted."""
        return False
