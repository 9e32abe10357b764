"""A NetworkX graph that starts as compressed adjacency lists."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from ..cached import cached_property


class CompressedGraph(nx.Graph):
    """A `networkx.Graph` on the nodes 0 to n - 1 whose dictionaries are built at first use.

    Until then the backend ``"coloring"`` reads the lists as they are.  From then on the dictionaries are the
    graph, so that it can be changed like any other.
    """

    lists: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def from_lists(cls, indptr: np.ndarray, indices: np.ndarray) -> CompressedGraph:
        """Wrap symmetric adjacency lists without loops."""
        graph = cls()
        del graph.__dict__["_adj"], graph.__dict__["_node"]
        graph.lists = indptr, indices
        return graph

    @cached_property
    def _node(self) -> dict[int, dict[str, Any]]:
        assert self.lists is not None
        return {v: {} for v in range(self.lists[0].size - 1)}

    @cached_property
    def _adj(self) -> dict[int, dict[int, dict[str, Any]]]:
        assert self.lists is not None
        nodes = self._node
        (indptr, indices), self.lists = self.lists, None
        bounds, targets = indptr.tolist(), indices.tolist()
        adj: dict[int, dict[int, dict[str, Any]]] = {}
        for v in nodes:
            around = targets[bounds[v] : bounds[v + 1]]
            adj[v] = {w: adj[w][v] if w < v else {} for w in around}
        return adj
