"""NetworkX graphs of matrices, and NetworkX as a coloring engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import kernels
from ..errors import ColoringError
from ..graph import Graph
from ..pattern import SparsityPattern, as_pattern
from ..problems import make_problem
from ..problems.base import Candidate, Problem

if TYPE_CHECKING:
    import networkx as nx

#: Orders of this package that NetworkX has under another name.
STRATEGY_NAMES = {"auto": "largest_first", "saturation": "saturation_largest_first", "random": "random_sequential"}


def column_intersection_graph(A: Any) -> nx.Graph:
    """Return the graph whose vertices are the columns of `A`, adjacent when they share a row.

    The result is a `networkx.Graph` that keeps compressed adjacency lists and builds NetworkX's dictionaries
    when something asks for them.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts.

    Returns
    -------
    networkx.Graph

    Examples
    --------
    >>> import coloring, networkx as nx
    >>> graph = coloring.column_intersection_graph([[1, 1, 0], [0, 1, 1]])
    >>> nx.greedy_color(graph, backend="coloring")
    {1: 0, 0: 1, 2: 1}
    >>> sorted(graph.edges)
    [(0, 1), (1, 2)]
    """
    return _intersection_graph(make_problem(as_pattern(A), "nonsymmetric", "column", "direct"))


def row_intersection_graph(A: Any) -> nx.Graph:
    """Return the graph whose vertices are the rows of `A`, adjacent when they share a column.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts.

    Returns
    -------
    networkx.Graph
        As `column_intersection_graph` returns it.
    """
    return _intersection_graph(make_problem(as_pattern(A), "nonsymmetric", "row", "direct"))


def adjacency_graph(A: Any) -> nx.Graph:
    """Return the graph whose vertices are the columns of the symmetric `A`, adjacent where it has an entry.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (n, n)
        Only the pattern counts.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    ColoringError
        If the pattern is not symmetric.
    """
    problem: Any = make_problem(as_pattern(A), "symmetric", "column", "direct")
    return _lazy_graph(problem.graph.indptr, problem.graph.indices)


def bipartite_graph(A: Any) -> nx.Graph:
    """Return the graph of rows and columns, adjacent where `A` has an entry.

    Columns are the nodes 0 to n - 1 (attribute ``bipartite=1``), rows the nodes n to n + m - 1
    (``bipartite=0``).

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts.

    Returns
    -------
    networkx.Graph
    """
    pattern = as_pattern(A)
    lists = Graph.bipartite(pattern)
    graph = _lazy_graph(lists.indptr, lists.indices)
    for v, data in graph.nodes(data=True):
        data["bipartite"] = int(v < pattern.shape[1])
    return graph


def networkx_candidates(problem: Problem, order: Any) -> Iterator[Candidate]:
    """`networkx.greedy_color` on the intersection graph, or on the squared adjacency graph.

    Raises
    ------
    ColoringError
        For colorings that are no distance-1 coloring of such a graph.
    """
    if problem.distance_two is None:
        raise ColoringError(
            "engine='networkx' colors columns, rows, or a symmetric matrix for direct recovery; "
            "use engine='numba' for this problem"
        )
    for strategy in order if isinstance(order, list | tuple) else [order]:
        label = strategy if isinstance(strategy, str) else getattr(strategy, "__name__", "callable")
        yield Candidate(f"networkx {label}", partial(_networkx_colors, problem.distance_two, strategy))


def _networkx_colors(problem: Problem, strategy: Any, limit: int) -> np.ndarray:
    import networkx as nx

    if strategy == "natural":
        strategy = _natural
    elif isinstance(strategy, str):
        strategy = STRATEGY_NAMES.get(strategy, strategy)
    try:
        found = nx.greedy_color(_intersection_graph(problem), strategy, backend="networkx")
    except nx.NetworkXError as error:
        raise ColoringError(f"networkx: {error}") from error
    colors = np.empty(problem.num_vertices, np.int32)
    colors[list(found)] = list(found.values())
    return colors


def _natural(graph: nx.Graph, colors: dict[int, int]) -> list[int]:
    return list(graph)


def _intersection_graph(problem: Problem) -> nx.Graph:
    indptr, indices = kernels.intersection.adjacency_lists(problem.neighborhood())
    size = problem.num_vertices
    lists = SparsityPattern.from_coo(np.repeat(np.arange(size), np.diff(indptr)), indices, (size, size))
    return _lazy_graph(lists.indptr, lists.indices)


def _lazy_graph(indptr: np.ndarray, indices: np.ndarray) -> nx.Graph:
    from .lazy import CompressedGraph

    return CompressedGraph.from_lists(indptr, indices)
