"""The entry points: a problem and an order in, a coloring out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .errors import ColoringError
from .orders import Order, order_by_name
from .pattern import as_pattern
from .problems import make_problem
from .problems.base import Candidate, Problem
from .results import ColoringResult, colored
from .search import Search
from .verify import Verdict, is_acyclic, is_bicoloring, is_star, is_structurally_orthogonal

#: What goes on from the given orders.
SEARCHES: dict[str, Callable[[Search], None]] = {
    "auto": Search.run_quickly,
    "best": Search.run_thoroughly,
    "exact": Search.run_exactly,
}

#: Seconds for ``search="best"`` unless ``time_budget`` says otherwise.
TIME_BUDGET = 10.0

#: What a color costs at most: what all cost together is a number of 64 bits.
MOST_WEIGHT = 1_000_000


def color(
    A: Any,
    structure: str = "nonsymmetric",
    partition: str = "column",
    decompression: str = "direct",
    order: Any = "auto",
    postprocess: bool = True,
    engine: str = "numba",
    seed: int | None = None,
    time_budget: float | None = None,
    *,
    search: str | None = None,
    threads: int | None = None,
    weights: tuple[int, int] = (1, 1),
    equitable: bool = False,
    tolerance: float | None = None,
) -> ColoringResult:
    """Color a sparse matrix so that few products with it give all its entries.

    ==============  ================  ==============  ==============================================
    `structure`     `partition`       decompression   coloring
    ==============  ================  ==============  ==============================================
    nonsymmetric    column or row     direct          partial distance-2 of the bipartite graph
    symmetric       column            direct          star, of the adjacency graph
    symmetric       column            substitution    acyclic, of the adjacency graph
    nonsymmetric    bidirectional     direct          star, of the bipartite graph
    nonsymmetric    bidirectional     substitution    acyclic, of the bipartite graph
    ==============  ================  ==============  ==============================================

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern, shape (m, n)
        Only the pattern counts; stored zeros of a sparse matrix belong to it.
    structure, partition, decompression : str
        The problem, see the table.
    order : str, callable, array or list of these
        In which order a greedy algorithm visits the vertices: a name in ``coloring.orders.ORDERS``, a
        function from a problem (see ``coloring.problems.Problem``) to a permutation, or a permutation.  Of
        a list, the best result wins.  ``"auto"`` leaves the orders to ``search``; the other searches may be
        named here too.
    postprocess : bool
        Give color -1 (neutral) to vertices whose color no recovery reads, and close the gaps.
    engine : {"numba", "networkx"}
        ``"networkx"`` runs `networkx.greedy_color` with the strategy named by `order` on the intersection
        graph (on the squared graph, if symmetric): slow, for reference.
    seed : int, optional
        Seed for the random order and for recoloring; 0 by default, so that results are reproducible.
    time_budget : float, optional
        Seconds after which no further attempt is started; 10 for ``"best"`` and ``"exact"`` (which first do
        what ``"auto"`` does in any case), else unlimited.
    search : {"auto", "best", "exact"}, optional
        How to go on from the given orders; with ``order="auto"`` it is ``"auto"`` by default, else there is no
        search.  ``"auto"`` tries orders and variants, periodic colorings of grids, what it finds for simpler
        problems (columns alone; a star coloring where an acyclic one is asked for), and recolors a few times:
        all orders for patterns of up to 2,000 rows and columns, for larger ones what is in proportion to them.
        ``"best"`` tries everything, recolors, and begins again with other ties until `time_budget` is spent;
        ``"exact"`` goes on from ``"auto"`` with integer programs, for small matrices.  All stop at the lower
        bound.

    threads : int, optional
        Color large matrices in blocks, so many at a time: column, row and star colorings.  The colors are the same
        for any number of threads, 1 included, and a little different from those without blocks, which are the default.

    weights : pair of int
        For ``partition="bidirectional"``: what a row color and a column color cost, for one product with the transpose
        and with the matrix; ``(3, 2)`` if the one takes half as long again as the other.  The sum is made small.

    equitable : bool
        Even out the sizes of the groups at the end, with as many colors: columns move to smaller groups while they can.

    tolerance : float, optional
        Entries of at most this size do not belong to the pattern; for matrices that were measured.  By default all
        stored entries belong to it, and those of a dense matrix that are not zero.

    Returns
    -------
    ColoringResult
        The colors, and the way to compress and decompress.  Its `tried` and `stopped` tell how the search
        went.

    Raises
    ------
    ColoringError
        If the combination has no coloring, a name is unknown, an order is not a permutation, or the
        pattern of a symmetric problem is not symmetric.

    References
    ----------
    Gebremedhin, Manne, Pothen, *What color is your Jacobian?*, SIAM Review 47 (2005);
    Gebremedhin, Tarafdar, Manne, Pothen, *New acyclic and star coloring algorithms with application to
    computing Hessians*, SIAM J. Sci. Comput. 29 (2007); Coleman, Verma, *The efficient computation of
    sparse Jacobian matrices using automatic differentiation*, SIAM J. Sci. Comput. 19 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> import coloring
    >>> arrow = np.eye(5)
    >>> arrow[0, :] = arrow[:, 0] = 1
    >>> coloring.color(arrow).num_colors
    5
    >>> coloring.color(arrow, structure="symmetric").colors
    array([0, 1, 1, 1, 1], dtype=int32)
    >>> result = coloring.color(arrow, partition="bidirectional")
    >>> result.num_colors, result.is_optimal
    (3, True)
    """
    problem = make_problem(
        as_pattern(A, tolerance),
        structure,
        partition,
        decompression,
        seed or 0,
        _checked_threads(threads),
        _checked_weights(weights),
    )
    if engine == "networkx":
        from .networks.graphs import networkx_candidates

        found = Search(problem, postprocess)
        found.run(networkx_candidates(problem, order))
        return found.result(equitable)
    if engine != "numba":
        raise ColoringError(f"unknown engine {engine!r}; expected 'numba' or 'networkx'")
    orders, name = _orders_and_search(order, search)
    if time_budget is None:
        time_budget = TIME_BUDGET if name in ("best", "exact") else np.inf
    found = Search(problem, postprocess, time.perf_counter() + time_budget)
    found.run(_candidates(problem, orders))
    if name:
        SEARCHES[name](found)
    return found.result(equitable)


def _orders_and_search(order: Any, search: str | None) -> tuple[Any, str]:
    """Return the orders to try, and the name of the search that follows, empty if there is none."""
    if search is not None and search not in SEARCHES:
        raise ColoringError(f"unknown search {search!r}; expected one of {', '.join(SEARCHES)}, or None")
    if not isinstance(order, str) or order not in SEARCHES:
        return order, search or ""
    if search not in (None, order) and order != "auto":
        raise ColoringError(f"order={order!r} and search={search!r} are two searches; name one of them")
    return [], search or order


def from_colors(
    A: Any,
    colors: Any,
    structure: str = "nonsymmetric",
    partition: str = "column",
    decompression: str = "direct",
) -> ColoringResult:
    """Wrap colors that were found elsewhere, after checking them.

    Parameters
    ----------
    A : sparse matrix, array_like or SparsityPattern
        The matrix they belong to.
    colors : array_like of int, or a pair of them
        One color per column (row); for ``partition="bidirectional"`` the pair (row colors, column colors).
    structure, partition, decompression : str
        As in `color`.

    Returns
    -------
    ColoringResult

    Raises
    ------
    ColoringError
        If `A` cannot be recovered with these colors; the message names a witness.

    Examples
    --------
    >>> import coloring
    >>> coloring.from_colors([[1, 0], [0, 1]], [0, 0]).num_colors
    1
    """
    pattern = as_pattern(A)
    problem = make_problem(pattern, structure, partition, decompression)
    verdict: Verdict
    if partition == "bidirectional":
        row_colors, column_colors = (np.asarray(side) for side in colors)
        verdict = is_bicoloring(pattern, row_colors, column_colors, decompression)
        colors = np.concatenate([column_colors, row_colors])
    elif structure == "symmetric":
        verdict = (is_star if decompression == "direct" else is_acyclic)(pattern, colors)
    else:
        verdict = is_structurally_orthogonal(pattern, colors, partition)
    if not verdict:
        raise ColoringError(f"these colors cannot recover {pattern!r}: {verdict.reason}")
    return colored(problem, np.ascontiguousarray(colors, np.int32))


def _candidates(problem: Problem, orders: Any) -> Iterator[Candidate]:
    """The greedy algorithm in each of the given orders."""
    for order in orders if isinstance(orders, list | tuple) else [orders]:
        if isinstance(order, str):
            yield Candidate(order, partial(_greedy, problem, order_by_name(order)))
        elif callable(order):
            yield Candidate(getattr(order, "__name__", "callable"), partial(_greedy, problem, _checked(order)))
        else:
            yield Candidate("given", partial(_greedy, problem, _checked(partial(_given, order))))


def _checked_threads(threads: Any) -> int | None:
    if threads is None:
        return None
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise ColoringError(f"threads={threads!r}; expected a number from 1 on, or None for no blocks")
    return int(threads)


def _checked_weights(weights: Any) -> tuple[int, int]:
    given = tuple(weights) if isinstance(weights, tuple | list | np.ndarray) else ()
    if len(given) != 2 or not all(isinstance(w, int | np.integer) and 0 < w <= MOST_WEIGHT for w in given):
        raise ColoringError(f"weights={weights!r}; expected two integers from 1 to {MOST_WEIGHT}: of rows, of columns")
    return int(given[0]), int(given[1])


def _given(order: Any, problem: Problem) -> Any:
    return order


def _greedy(problem: Problem, order: Order, limit: int) -> np.ndarray | None:
    return problem.greedy(order(problem), limit)


def _checked(order: Callable[[Problem], Any]) -> Order:
    """The order of a user, refused if it is no permutation."""

    def checked(problem: Problem) -> np.ndarray:
        permutation = np.asarray(order(problem))
        n = problem.num_vertices
        if permutation.shape != (n,) or not np.array_equal(np.sort(permutation), np.arange(n)):
            raise ColoringError(f"an order must be a permutation of the {n} vertices; got {permutation}")
        return np.ascontiguousarray(permutation, np.int32)

    return checked
