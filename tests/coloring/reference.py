"""The definitions, followed word by word: slow twins of the compiled algorithms, to compare them with.

Graphs are lists of sets of neighbors.  Vertices without a color have -1 and are left out of account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, count

import numpy as np

from coloring import SparsityPattern

Neighbors = list[set[int]]


def adjacency(A: SparsityPattern) -> Neighbors:
    """Neighbors in the adjacency graph of a symmetric matrix."""
    dense = A.to_scipy().toarray() != 0
    return [set(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(dense)]


def column_intersection(A: SparsityPattern) -> Neighbors:
    """Columns that share a row with each column."""
    dense = A.to_scipy().toarray() != 0
    n = A.shape[1]
    return [{k for k in range(n) if k != j and (dense[:, j] & dense[:, k]).any()} for j in range(n)]


def bipartite(A: SparsityPattern) -> Neighbors:
    """Neighbors in the bipartite graph: columns, then rows."""
    dense = A.to_scipy().toarray() != 0
    n = A.shape[1]
    columns = [set((n + np.flatnonzero(column)).tolist()) for column in dense.T]
    return columns + [set(np.flatnonzero(row).tolist()) for row in dense]


def is_proper(neighbors: Neighbors, colors: Sequence[int]) -> bool:
    """Whether adjacent vertices have different colors."""
    return all(
        colors[v] != colors[w] for v, around in enumerate(neighbors) for w in around if min(colors[v], colors[w]) >= 0
    )


def is_star(neighbors: Neighbors, colors: Sequence[int]) -> bool:
    """Whether the coloring is proper and every path on four vertices has at least three colors."""
    return is_proper(neighbors, colors) and not any(
        len({colors[v] for v in path}) < 3 and min(colors[v] for v in path) >= 0 for path in _paths(neighbors)
    )


def is_acyclic(neighbors: Neighbors, colors: Sequence[int]) -> bool:
    """Whether the coloring is proper and every two colors together induce a forest."""
    return is_proper(neighbors, colors) and all(
        _is_forest(neighbors, {v for v, c in enumerate(colors) if c in pair})
        for pair in combinations(set(colors) - {-1}, 2)
    )


def first_fit(neighbors: Neighbors, order: Iterable[int], holds: Callable[[Neighbors, list[int]], bool]) -> list[int]:
    """Give each vertex in turn the least color for which `holds` is true of the coloring so far."""
    colors = [-1] * len(neighbors)
    for v in order:
        for color in count():
            colors[v] = color
            if holds(neighbors, colors):
                break
    return colors


def is_smallest_last(neighbors: Neighbors, order: Sequence[int]) -> bool:
    """Whether each vertex has least degree in the graph of itself and the vertices before it."""
    for place, v in enumerate(order):
        before = set(order[: place + 1])
        if len(neighbors[v] & before) > min(len(neighbors[w] & before) for w in before):
            return False
    return True


def is_dynamic_largest_first(neighbors: Neighbors, order: Sequence[int]) -> bool:
    """Whether each vertex has greatest degree in the graph of itself and the vertices after it."""
    for place, v in enumerate(order):
        after = set(order[place:])
        if len(neighbors[v] & after) < max(len(neighbors[w] & after) for w in after):
            return False
    return True


def is_incidence_degree(neighbors: Neighbors, order: Sequence[int]) -> bool:
    """Whether no later vertex has more neighbors among the earlier ones than the vertex whose turn it is."""
    for place, v in enumerate(order):
        before = set(order[:place])
        if len(neighbors[v] & before) < max(len(neighbors[w] & before) for w in order[place:]):
            return False
    return True


def is_saturation(neighbors: Neighbors, order: Sequence[int]) -> bool:
    """Whether each vertex sees most colors of the first-fit coloring so far, and has most neighbors of those."""
    colors = [-1] * len(neighbors)
    for place, v in enumerate(order):
        key = {w: (len({colors[x] for x in neighbors[w]} - {-1}), len(neighbors[w])) for w in order[place:]}
        if key[v] < max(key.values()):
            return False
        taken = {colors[w] for w in neighbors[v]}
        colors[v] = next(c for c in count() if c not in taken)
    return True


def _paths(neighbors: Neighbors) -> Iterable[tuple[int, int, int, int]]:
    for b, around in enumerate(neighbors):
        for c in around:
            for a in around - {c}:
                for d in neighbors[c] - {a, b}:
                    yield a, b, c, d


def _is_forest(neighbors: Neighbors, members: set[int]) -> bool:
    """Whether the subgraph of these vertices has fewer edges than vertices in every component."""
    left = set(members)
    while left:
        component = {left.pop()}
        queue = list(component)
        while queue:
            v = queue.pop()
            new = (neighbors[v] & members) - component
            component |= new
            queue.extend(new)
        left -= component
        if sum(len(neighbors[v] & component) for v in component) // 2 >= len(component):
            return False
    return True
