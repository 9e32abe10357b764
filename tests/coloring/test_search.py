"""Searches keep the best, stop when they should, and say why."""

import itertools
import time
import types

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from coloring import ColoringError
from tests.sizes import compiled_only, size

from .helpers import COLORINGS, MATRICES, NONSYMMETRIC, ORDERS, SYMMETRIC_MATRICES

MESH = matrices.mesh(size(400, plain=120))


@pytest.mark.parametrize("name", COLORINGS)
def test_auto_is_reproducible_and_no_worse_than_what_it_tried(name):
    first, second = (coloring.color(MESH, *COLORINGS[name]) for _ in range(2))
    for a, b in zip(np.atleast_1d(first.colors), np.atleast_1d(second.colors), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.num_colors == min(count for _, count in first.tried)
    assert first.tried == second.tried
    assert first.order in [name for name, _ in first.tried]


def test_a_search_stops_at_the_lower_bound():
    result = coloring.color(matrices.band(100, 2))
    assert result.tried == (("natural", 5),)
    assert result.is_optimal


def test_the_time_budget_is_kept(monkeypatch):
    """By a clock that moves on by a second at each look."""
    seconds = itertools.count()
    clock = types.SimpleNamespace(perf_counter=lambda: float(next(seconds)))
    for module in ("search", "api", "exact"):
        monkeypatch.setattr(f"coloring.{module}.time", clock)
    A = matrices.power_network(size(300, plain=60))
    shorter, longer = (coloring.color(A, "symmetric", order="best", time_budget=budget) for budget in (5.0, 12.0))
    quick = len(coloring.color(A, "symmetric").tried)
    assert quick <= len(shorter.tried) < len(longer.tried) <= quick + 13
    assert {shorter.stopped, longer.stopped} <= {"time budget spent", "lower bound reached"}


def test_large_matrices_get_fewer_attempts(monkeypatch):
    monkeypatch.setattr("coloring.problems.base.SMALL", 100)
    before = coloring.color(MESH, "symmetric")
    monkeypatch.setattr("coloring.search.QUICK_WORK", 10 * MESH.nnz)
    after = coloring.color(MESH, "symmetric")
    assert 1 <= len(after.tried) < len(before.tried)
    assert after.stopped == f"{len(after.tried)} attempts made, enough for a matrix of this size"


def test_orders_that_look_at_pairs_are_left_out_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr("coloring.problems.base.PAIR_LIMIT", 10)
    names = [name for name, _ in coloring.color(MESH).tried]
    assert "natural" in names
    assert not {"largest_first", "smallest_last"} & set(names)
    acyclic = coloring.color(MESH, "symmetric", decompression="substitution", order="best", time_budget=0.5)
    assert not [name for name, _ in acyclic.tried if name.startswith("distance_two")]


@pytest.mark.parametrize("name", COLORINGS)
def test_a_dense_row_costs_no_pairs(name):
    """With 4 10^8 pairs of columns in the first row, every coloring is still a matter of a second or two."""
    n = size(20_000, plain=300)
    A = matrices.arrow(n)
    start = time.perf_counter()
    result = coloring.color(A, *COLORINGS[name])
    assert time.perf_counter() - start < 30
    assert result.num_colors == {"column": n, "row": n, "star": 2, "acyclic": 2}.get(name, 3)


def test_a_search_goes_on_from_the_orders_that_are_given():
    alone = coloring.color(MESH, order="random")
    auto = coloring.color(MESH, order=["random", "natural"], search="auto")
    assert [name for name, _ in alone.tried] == ["random"]
    assert [name for name, _ in auto.tried][:2] == ["random", "natural"]
    assert auto.num_colors <= coloring.color(MESH).num_colors
    for search in ("auto", "best", "exact"):
        by_search = coloring.color(matrices.grid(5, 7), search=search)
        by_order = coloring.color(matrices.grid(5, 7), order=search)
        np.testing.assert_array_equal(by_search.colors, by_order.colors)


#: For each coloring, those that it never needs more colors than.
SIMPLER = {
    "star": ["column"],
    "acyclic": ["star"],
    "star bicoloring": ["column", "row"],
    "acyclic bicoloring": ["star bicoloring"],
}


@pytest.mark.parametrize("name", SIMPLER)
@pytest.mark.parametrize("seed", range(size(3, plain=1)))
def test_never_more_colors_than_a_simpler_coloring(name, seed):
    """Of matrices with a full diagonal: without it, columns of a symmetric matrix may go together that are adjacent."""
    rng = np.random.default_rng(seed)
    made = [
        matrices.random_symmetric(int(rng.integers(2, 60)), rng.uniform(0.02, 0.4), seed=k)
        for k in range(size(15, plain=4))
    ]
    regular = [A for A in SYMMETRIC_MATRICES.values() if A.diagonal().all()]
    for A in [*made, *regular] if seed == 0 else made:
        count = coloring.color(A, *COLORINGS[name]).num_colors
        for other in SIMPLER[name]:
            assert count <= coloring.color(A, *COLORINGS[other]).num_colors


@pytest.mark.parametrize("name", COLORINGS)
def test_no_single_order_is_better_on_small_patterns(name):
    rng = np.random.default_rng(5)
    made = [
        matrices.random_symmetric(int(rng.integers(2, 40)), rng.uniform(0.02, 0.4), seed=k)
        for k in range(size(20, plain=4))
    ]
    for A in [*made, *SYMMETRIC_MATRICES.values()]:
        count = coloring.color(A, *COLORINGS[name]).num_colors
        assert count <= min(coloring.color(A, *COLORINGS[name], order=order).num_colors for order in ORDERS)


@compiled_only
def test_other_ties_can_be_better_than_all_orders():
    A, terms = matrices.mesh(200), COLORINGS["star"]
    result = coloring.color(A, *terms)
    assert result.order.endswith("last first") and coloring.is_star(A, result.colors)
    assert result.num_colors < min(coloring.color(A, *terms, order=order).num_colors for order in ORDERS)


def test_simpler_problems_that_cannot_be_better_are_left_out():
    """With a full diagonal, where a column coloring keeps its colors; neutral columns may leave fewer."""
    A = matrices.mesh(60).toarray()
    A[0] = A[:, 0] = 1  # 60 colors of columns
    for matrix, is_tried in ((A, False), (A - np.eye(60), True), (matrices.two_fields(7), True)):
        tried = [label for label, _ in coloring.color(matrix, "symmetric").tried]
        assert len(tried) > 1
        assert any(label.startswith("distance two") for label in tried) == is_tried


def test_lines_with_some_more_entries_than_others_are_taken_first():
    """For few colors on either side they are colored on their own."""
    from coloring.problems import make_problem

    A = matrices.random(120, 120, 0.05).toarray()
    A[:3], A[:, :4] = 1, 1
    problem = make_problem(coloring.SparsityPattern.from_scipy(A), *COLORINGS["star bicoloring"])
    many = 2 * A.sum() / 120
    labels = [one.label.rsplit(" ", 1) for one in problem.portfolio(thorough=True) if " of more than " in one.label]
    distances = [abs(np.log(int(number) / many)) for _, number in labels]
    assert len(set(distances)) > 3 and distances == sorted(distances)


#: In entries looked at, each of which takes about 10 ns.
TWO_MILLISECONDS = 200_000


def looked_at(A, terms):
    """What a quick search looks at, and what one order and its greedy algorithm look at."""
    from coloring.problems import make_problem
    from coloring.search import ATTEMPT_WORK, Search

    problem = make_problem(coloring.SparsityPattern.from_scipy(A), *terms)
    search = Search(problem)
    search.run_quickly()
    return search.work, ATTEMPT_WORK + problem.pass_work


@compiled_only
@pytest.mark.parametrize("name", COLORINGS)
def test_a_quick_search_takes_a_time_in_proportion(name):
    """Counted, not measured: tiny and large, regular and not, with dense rows and without."""
    cases = [*(MATRICES if name in NONSYMMETRIC else SYMMETRIC_MATRICES).values()]
    cases += [matrices.random_symmetric(n, 3 / n, seed=n) for n in (3, 30, 300, 30_000)]
    cases += [matrices.mesh(2_000), matrices.mesh(20_000), matrices.arrow(20_000), matrices.grid(31, 37, periodic=True)]
    for A in cases:
        work, one_pass = looked_at(A, COLORINGS[name])
        assert work <= max(20 * one_pass, TWO_MILLISECONDS)


@pytest.mark.parametrize("partition", ["column", "row"])
def test_recoloring_never_needs_more_colors(partition):
    from coloring.problems import make_problem
    from coloring.problems.base import Candidate
    from coloring.search import Search

    problem = make_problem(coloring.SparsityPattern.from_scipy(MESH), "nonsymmetric", partition, "direct")
    search = Search(problem)
    search.run([Candidate("random", lambda limit: coloring.color(MESH, partition=partition, order="random").colors)])
    before, rng = search.cost, np.random.default_rng(0)
    colors = search.colors
    for _ in range(20):
        colors = problem.recolor(colors, rng.permutation(before), before + 64)
        assert problem.cost(colors) <= before
    search.recolor(30)
    assert search.cost < before


@pytest.mark.parametrize("name", COLORINGS)
def test_dense_rows_and_columns_are_split_between_the_sides(name):
    A = matrices.block_arrow(50, 2, 3)
    count = coloring.color(A, *COLORINGS[name]).num_colors
    if "bicoloring" in name:
        assert count <= 3 + 3 + 2
    elif name in ("column", "row"):
        assert count == 103


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"structure": "diagonal"}, "unknown structure 'diagonal'; expected one of nonsymmetric, symmetric"),
        ({"partition": "both"}, "unknown partition 'both'"),
        ({"decompression": "guess"}, "unknown decompression 'guess'"),
        ({"search": "all"}, "unknown search 'all'; expected one of auto, best, exact, or None"),
        ({"search": "best", "order": "exact"}, "order='exact' and search='best' are two searches"),
        ({"engine": "abacus"}, "unknown engine 'abacus'; expected 'numba' or 'networkx'"),
        ({"decompression": "substitution"}, "substitution needs structure='symmetric' or partition='bidirectional'"),
        ({"structure": "symmetric", "partition": "row"}, "a symmetric matrix is colored by columns"),
        ({"structure": "symmetric", "A": np.ones((2, 3))}, "needs a symmetric pattern"),
    ],
)
def test_impossible_requests_are_refused(arguments, message):
    with pytest.raises(ColoringError, match=message):
        coloring.color(**{"A": np.eye(3)} | arguments)
