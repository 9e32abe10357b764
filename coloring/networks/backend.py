"""The NetworkX backend ``"coloring"``: `greedy_color` with the colors of NetworkX, faster.

NetworkX breaks some ties by the iteration order of Python sets of nodes.  The strategies here do the same
operations on the same sets where that matters, and everything else on arrays.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from networkx.algorithms.coloring import greedy_coloring

from .. import kernels
from .lazy import CompressedGraph
from .lists import BackendGraph
from .strategies import STRATEGIES


class Backend:
    """The interface object that NetworkX looks up under the entry point."""

    @staticmethod
    def convert_from_nx(graph: Any, **_: Any) -> BackendGraph:
        """Return the adjacency lists of a NetworkX graph; attributes are left behind."""
        if isinstance(graph, BackendGraph):
            return graph
        if isinstance(graph, CompressedGraph) and graph.lists is not None:
            return BackendGraph(list(range(graph.lists[0].size - 1)), *graph.lists)
        place = {node: k for k, node in enumerate(graph)}
        adjacency = graph.adj if not hasattr(graph, "_adj") else graph._adj
        counts = np.fromiter((len(adjacency[node]) for node in place), np.int64, len(place))
        indptr = np.concatenate([[0], np.cumsum(counts)])
        targets = (place[other] for node in place for other in adjacency[node])
        return BackendGraph(list(place), indptr, np.fromiter(targets, np.int32, int(indptr[-1])))

    @staticmethod
    def convert_to_nx(obj: Any, **_: Any) -> Any:
        """Return the NetworkX graph with these adjacency lists; results pass through."""
        if not isinstance(obj, BackendGraph):
            return obj
        graph: nx.Graph = nx.Graph()
        graph.add_nodes_from(obj.nodes)
        sources = np.repeat(np.arange(len(obj)), np.diff(obj.indptr))
        pairs = zip(sources.tolist(), obj.indices.tolist(), strict=True)
        graph.add_edges_from((obj.nodes[v], obj.nodes[w]) for v, w in pairs)
        return graph

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether the colors would be exactly those of NetworkX; if not, why."""
        if name != "greedy_color":
            return f"{name} is not implemented"
        return _refusal(*args, **kwargs) or True

    @classmethod
    def should_run(cls, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether it pays: whenever it can run."""
        return cls.can_run(name, args, kwargs)

    @staticmethod
    def greedy_color(G: Any, strategy: Any = "largest_first", interchange: bool = False) -> dict[Any, int]:
        """Color a graph as `networkx.greedy_color` does."""
        if _is_error(strategy, interchange) or not len(G):
            return greedy_coloring.greedy_color.orig_func(nx.empty_graph(len(G)), strategy, interchange)
        order, colors = STRATEGIES[_strategy_name(strategy)](G)
        if colors is None:
            colors = kernels.distance1.color_vertices(G.indptr, G.indices, order)
        return {G.nodes[v]: color for v, color in zip(order.tolist(), colors[order].tolist(), strict=True)}


def _refusal(G: Any, strategy: Any = "largest_first", interchange: bool = False) -> str:
    """Why this call is left to NetworkX; empty if it is not."""
    if _is_error(strategy, interchange):
        return ""
    if interchange:
        return "interchange is not implemented"
    if _strategy_name(strategy) not in STRATEGIES:
        return f"strategy {strategy!r} is not implemented"
    if G.is_directed() or G.is_multigraph():
        return "only undirected graphs without parallel edges are colored"
    if isinstance(G, BackendGraph) or (isinstance(G, CompressedGraph) and G.lists is not None):
        return ""
    if any(node in neighbors for node, neighbors in G.adjacency()):
        return "graphs with loops are left to NetworkX"
    return ""


def _is_error(strategy: Any, interchange: bool) -> bool:
    """Whether NetworkX refuses these arguments, whatever the graph (unless it is empty)."""
    name = _strategy_name(strategy)
    unknown = isinstance(strategy, str) and strategy not in greedy_coloring.STRATEGIES
    return unknown or (interchange and name in ("independent_set", "saturation_largest_first", "DSATUR"))


def _strategy_name(strategy: Any) -> str:
    """Name of a strategy given by name or by function."""
    if isinstance(strategy, str):
        return strategy
    names = [name for name, function in greedy_coloring.STRATEGIES.items() if function is strategy]
    return names[0] if names else ""


backend = Backend()
