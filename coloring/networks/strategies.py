"""The strategies of `networkx.greedy_color`, on adjacency lists.

Each takes the graph and returns the order of its vertices, and the colors if it knows them.  Where NetworkX
takes the next node from a set, the same operations are done here on a set of the same nodes: the order in
which CPython iterates over a set depends on its history.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import kernels
from .lists import BackendGraph

Found = tuple[np.ndarray, "np.ndarray | None"]


def largest_first(G: BackendGraph) -> Found:
    """Nodes by decreasing degree, ties as the nodes stand."""
    return _by_degree(G), None


def saturation_largest_first(G: BackendGraph) -> Found:
    """DSATUR: ties by degree, then as the nodes stand."""
    by_rank = _by_degree(G)
    rank = np.empty_like(by_rank)
    rank[by_rank] = np.arange(by_rank.size, dtype=np.int32)
    graph = kernels.neighbors.distance_one(G.indptr, G.indices)
    return kernels.saturation.by_saturation(graph, by_rank, rank)


def smallest_last(G: BackendGraph) -> Found:
    """Reverse of removing a node of least degree, popped from the set of such nodes."""
    nodes = G.nodes
    place = {node: v for v, node in enumerate(nodes)}
    around = _as_copied(G)
    degree = np.diff(G.indptr).tolist()
    buckets: dict[int, set[Any]] = defaultdict(set)
    for v, node in enumerate(nodes):
        buckets[degree[v]].add(node)
    order: deque[int] = deque()
    least = min(degree, default=0)
    gone = [False] * len(nodes)
    for _ in nodes:
        while least not in buckets:
            least += 1
        bucket = buckets[least]
        v = place[bucket.pop()]
        if not bucket:
            del buckets[least]
        order.appendleft(v)
        gone[v] = True
        for w in around[v]:
            if not gone[w]:
                bucket = buckets[degree[w]]
                bucket.remove(nodes[w])
                if not bucket:
                    del buckets[degree[w]]
                degree[w] -= 1
                buckets[degree[w]].add(nodes[w])
        least -= 1
    return np.array(order, np.int32), None


def independent_set(G: BackendGraph) -> Found:
    """Remove one maximal independent set after the other."""
    nodes = G.nodes
    bounds = G.indptr.tolist()
    around = {node: {nodes[w] for w in G.indices[bounds[v] : bounds[v + 1]]} for v, node in enumerate(nodes)}
    remaining = set(nodes)
    order: list[Any] = []
    while remaining:
        shown = {node for node in remaining}  # noqa: C416 - filled node by node, unlike a copy
        listed = shown if 2 * len(shown) < len(nodes) else nodes
        chosen = _maximal_independent_set({node for node in listed if node in shown}, around)
        remaining -= chosen
        order.extend(chosen)
    place = {node: v for v, node in enumerate(nodes)}
    return np.array([place[node] for node in order], np.int32), None


def _maximal_independent_set(remaining: set[Any], around: dict[Any, set[Any]]) -> set[Any]:
    """Repeatedly choose the first node of least degree among the remaining ones, and drop its neighbors."""
    degree = {node: len(around[node] & remaining) for node in remaining}
    chosen: set[Any] = set()
    while remaining:
        node = min(remaining, key=degree.__getitem__)
        chosen.add(node)
        dropped = (around[node] & remaining) | {node}
        remaining -= dropped
        for gone in dropped:
            for other in around[gone] & remaining:
                degree[other] -= 1
    return chosen


def connected_sequential_bfs(G: BackendGraph) -> Found:
    """Breadth-first through each component."""
    return _traversal(G, kernels.distance1.breadth_first), None


def connected_sequential_dfs(G: BackendGraph) -> Found:
    """Depth-first through each component."""
    return _traversal(G, kernels.distance1.depth_first), None


def _traversal(G: BackendGraph, traverse: Callable[..., int]) -> np.ndarray:
    """Order in which a traversal meets the nodes, from the first node of the set of each component."""
    size = len(G)
    place = {node: v for v, node in enumerate(G.nodes)}
    seen, seen_again = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    order, component = np.empty(size, np.int32), np.empty(size, np.int32)
    done = 0
    for start in range(size):
        if not seen[start]:
            count = kernels.distance1.breadth_first(G.indptr, G.indices, start, seen, component)
            source = next(iter({G.nodes[v] for v in component[:count]}))
            done += traverse(G.indptr, G.indices, place[source], seen_again, order[done:])
    return order


def _by_degree(G: BackendGraph) -> np.ndarray:
    return np.argsort(-np.diff(G.indptr), kind="stable").astype(np.int32)


def _as_copied(G: BackendGraph) -> list[list[int]]:
    """Neighbors in the order that ``G.copy()`` gives them: earlier nodes as they stand, then later ones."""
    bounds, targets = G.indptr.tolist(), G.indices.tolist()
    around: list[list[int]] = [[] for _ in range(len(G))]
    for v in range(len(G)):
        for w in targets[bounds[v] : bounds[v + 1]]:
            if w > v:
                around[v].append(w)
                around[w].append(v)
    return around


STRATEGIES: dict[str, Callable[[Any], Found]] = {
    "largest_first": largest_first,
    "smallest_last": smallest_last,
    "independent_set": independent_set,
    "connected_sequential": connected_sequential_bfs,
    "connected_sequential_bfs": connected_sequential_bfs,
    "connected_sequential_dfs": connected_sequential_dfs,
    "saturation_largest_first": saturation_largest_first,
    "DSATUR": saturation_largest_first,
}
