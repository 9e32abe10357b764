"""Is this a coloring?  Predicates that name a witness when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import kernels
from .errors import ColoringError
from .graph import Graph
from .orientation import read
from .pattern import as_pattern


@dataclass(frozen=True)
class Verdict:
    """The answer of a predicate: true or false, and if false, why.

    Attributes
    ----------
    holds : bool
        The answer; a verdict is as true as this.
    witness : tuple of int
        Indices that show why not; empty if it holds.
    reason : str
        The witness in words.
    """

    holds: bool
    witness: tuple[int, ...] = ()
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds


YES = Verdict(True)


def is_structurally_orthogonal(A: Any, colors: Any, partition: str = "column") -> Verdict:
    """Whether columns of one color share no row (or, with ``partition="row"``, rows no column).

    A neutral column (color -1) must be empty: its entries could not be recovered.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts.
    colors : array_like of int, shape (n,) or (m,)
        One for each column (row).
    partition : {"column", "row"}
        What is colored.

    Returns
    -------
    Verdict
        True or False, and where it is False a witness and the reason in words.

    Examples
    --------
    >>> import coloring
    >>> coloring.is_structurally_orthogonal([[1, 1], [0, 1]], [0, 0]).reason
    'columns 0 and 1 have color 0 and meet in row 0'
    """
    if partition not in ("column", "row"):
        raise ColoringError(f"unknown partition {partition!r}; expected 'column' or 'row'")
    pattern = as_pattern(A)
    lines = pattern if partition == "column" else pattern.T
    across = "row" if partition == "column" else "column"
    colors = _checked(colors, lines.shape[1], f"{partition}s")
    neutral = np.flatnonzero(colors[lines.indices] < 0)
    if neutral.size:
        i, j = int(lines.rows[neutral[0]]), int(lines.indices[neutral[0]])
        return Verdict(False, (j, i), f"{partition} {j} is neutral but has an entry in {across} {i}")
    line, first, second = kernels.distance2.first_repeat(lines.indptr, lines.indices, colors, colors.size)
    if line < 0:
        return YES
    a, b = int(lines.indices[first]), int(lines.indices[second])
    reason = f"{partition}s {a} and {b} have color {colors[a]} and meet in {across} {line}"
    return Verdict(False, (a, b, int(line)), reason)


def is_star(A: Any, colors: Any) -> Verdict:
    """Whether adjacent columns of the symmetric `A` differ in color and no path on four has two colors.

    A neutral vertex (color -1) has neighbors of distinct colors, none of them neutral, and no diagonal
    entry: so every entry can be read directly.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (n, n)
        Only the pattern counts.
    colors : array_like of int, shape (n,)
        -1 where a vertex is neutral.

    Returns
    -------
    Verdict
        True or False, and where it is False a witness and the reason in words.

    Examples
    --------
    >>> import coloring, numpy as np
    >>> A = np.eye(4) + np.eye(4, k=1) + np.eye(4, k=-1)
    >>> coloring.is_star(A, [0, 1, 0, 1]).reason
    'the path 0 - 1 - 2 - 3 has two colors'
    >>> bool(coloring.is_star(A, [0, 1, 0, 2]))
    True
    """
    return _check_symmetric(A, colors, substitution=False)


def is_acyclic(A: Any, colors: Any) -> Verdict:
    """Whether adjacent columns of the symmetric `A` differ in color and no cycle has two colors.

    Neutral vertices are as in `is_star`.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (n, n)
        Only the pattern counts.
    colors : array_like of int, shape (n,)
        -1 where a vertex is neutral.

    Returns
    -------
    Verdict
        True or False, and where it is False a witness and the reason in words.

    Examples
    --------
    >>> import coloring, numpy as np
    >>> ring = np.array([[1, 1, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1]])
    >>> coloring.is_acyclic(ring, [0, 1, 0, 1]).reason
    'the cycle 0 - 1 - 2 - 3 has two colors'
    """
    return _check_symmetric(A, colors, substitution=True)


def is_bicoloring(A: Any, row_colors: Any, column_colors: Any, decompression: str = "direct") -> Verdict:
    """Whether `A` can be recovered from these row and column colors together.

    The colors must be a star coloring (for ``decompression="direct"``) or an acyclic coloring (for
    ``"substitution"``) of the bipartite graph, where row and column colors are different even if they
    have the same number.  Every entry needs a color in its row or its column.  In a witness, columns are
    numbered 0 to n - 1 and rows n to n + m - 1.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts.
    row_colors : array_like of int, shape (m,)
        -1 where a row takes no pass.
    column_colors : array_like of int, shape (n,)
        -1 where a column takes no pass.
    decompression : {"direct", "substitution"}
        How entries would be recovered.

    Returns
    -------
    Verdict
        True or False, and where it is False a witness and the reason in words.
    """
    pattern = as_pattern(A)
    m, n = pattern.shape
    colors = [_checked(column_colors, n, "columns"), _checked(row_colors, m, "rows")]
    graph = Graph.bipartite(pattern)
    return _check_graph(graph, np.concatenate(colors), decompression == "substitution")


def _check_symmetric(A: Any, colors: Any, substitution: bool) -> Verdict:
    pattern = as_pattern(A)
    if not pattern.is_symmetric:
        raise ColoringError(f"expected a symmetric pattern; {pattern!r} is not equal to its transpose")
    colors = _checked(colors, pattern.shape[1], "columns")
    diagonal = pattern.rows[pattern.rows == pattern.indices]
    for v in diagonal[colors[diagonal] < 0][:1]:
        return Verdict(False, (int(v),), f"column {v} is neutral but has a diagonal entry")
    graph = Graph.adjacency(pattern)
    same = np.flatnonzero((colors[graph.vertex] == colors[graph.indices]) & (colors[graph.vertex] >= 0))
    for k in same[:1]:
        v, w = int(graph.vertex[k]), int(graph.indices[k])
        return Verdict(False, (v, w), f"columns {v} and {w} have color {colors[v]} and are adjacent")
    return _check_graph(graph, colors, substitution)


def _check_graph(graph: Graph, colors: np.ndarray, substitution: bool) -> Verdict:
    """Find an edge that can be read at neither end, and the path or cycle that it lies on."""
    item, _, _ = read(graph, colors, substitution)
    bad = np.flatnonzero(item == kernels.orientation.CONFLICT)
    if not bad.size:
        return YES
    k = int(np.flatnonzero(graph.edge == bad[0])[0])
    v, w = int(graph.vertex[k]), int(graph.indices[k])
    for a, b in ((v, w), (w, v)):
        if colors[a] < 0 and colors[b] < 0:
            return Verdict(False, (a, b), f"{a} and {b} are both neutral and adjacent")
        if colors[a] < 0:
            c = _other_neighbor(graph, a, colors, b)
            return Verdict(False, (b, a, c), f"{b} and {c} have color {colors[b]} and meet in neutral {a}")
    if substitution:
        cycle = _two_colored_cycle(graph, item, colors, v, w)
        return Verdict(False, cycle, f"the cycle {' - '.join(map(str, cycle))} has two colors")
    path = (_other_neighbor(graph, w, colors, v), w, v, _other_neighbor(graph, v, colors, w))[::-1]
    path = path if path[0] < path[-1] else path[::-1]
    return Verdict(False, path, f"the path {' - '.join(map(str, path))} has two colors")


def _other_neighbor(graph: Graph, v: int, colors: np.ndarray, but: int) -> int:
    """A neighbor of `v` with the color of `but`, other than `but`."""
    around = graph.indices[graph.indptr[v] : graph.indptr[v + 1]]
    return int(around[(colors[around] == colors[but]) & (around != but)][0])


def _two_colored_cycle(graph: Graph, item: np.ndarray, colors: np.ndarray, v: int, w: int) -> tuple[int, ...]:
    """Walk along edges that could not be peeled off, never straight back, until a vertex comes again.

    Every vertex that the walk reaches has another such edge, or peeling would have taken it.
    """
    path = [v, w]
    place = {v: 0, w: 1}
    while True:
        here, before = path[-1], path[-2]
        items = np.arange(graph.indptr[here], graph.indptr[here + 1])
        around = graph.indices[items]
        left = (item[graph.edge[items]] == kernels.orientation.CONFLICT) & (around != before)
        following = int(around[left & (colors[around] == colors[before])][0])
        if following in place:
            cycle = path[place[following] :]
            lowest = cycle.index(min(cycle))
            return tuple(cycle[lowest:] + cycle[:lowest])
        place[following] = len(path)
        path.append(following)


def _checked(colors: Any, size: int, what: str) -> np.ndarray:
    colors = np.asarray(colors)
    if colors.shape != (size,):
        raise ColoringError(f"colors of shape {colors.shape} for {size} {what}; expected one color for each")
    if size and not np.issubdtype(colors.dtype, np.integer):
        raise ColoringError(f"colors of type {colors.dtype}; expected integers, -1 for neutral")
    if colors.min(initial=-1) < -1 or colors.max(initial=-1) >= max(size, 1):
        raise ColoringError(f"colors from {colors.min()} to {colors.max()}; expected -1 <= color < {size}")
    return np.ascontiguousarray(colors, np.int32)
