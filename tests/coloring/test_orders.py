"""Orders have the property that gives them their name."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import ColoringError, SparsityPattern
from coloring.orders import ORDERS, order_by_name
from coloring.problems import make_problem

from . import reference
from .helpers import patterns

PROPERTIES = {
    "smallest_last": reference.is_smallest_last,
    "dynamic_largest_first": reference.is_dynamic_largest_first,
    "incidence_degree": reference.is_incidence_degree,
    "saturation": reference.is_saturation,
}


def problem_and_graph(coordinates, square):
    A = SparsityPattern.from_coo(*coordinates)
    if square:
        return make_problem(A, "symmetric", "column", "direct"), reference.adjacency(A)
    return make_problem(A, "nonsymmetric", "column", "direct"), reference.column_intersection(A)


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("square", [True, False])
@given(data=st.data())
def test_dynamic_orders_follow_their_definitions(name, square, data):
    problem, neighbors = problem_and_graph(data.draw(patterns(symmetric=square)), square)
    ties = data.draw(st.permutations(range(len(neighbors))))
    order = order_by_name(name)(problem.with_ties(np.array(ties, np.int32))).tolist()
    assert sorted(order) == list(range(len(neighbors)))
    assert PROPERTIES[name](neighbors, order)


@given(patterns(symmetric=True))
def test_static_orders_sort_by_degree(coordinates):
    problem, neighbors = problem_and_graph(coordinates, square=True)
    degree = np.array([len(around) for around in neighbors], int)
    np.testing.assert_array_equal(problem.degrees, degree)
    assert (np.diff(degree[order_by_name("largest_first")(problem)]) <= 0).all()
    assert (np.diff(degree[order_by_name("smallest_first")(problem)]) >= 0).all()


@given(patterns(symmetric=True))
def test_distance_two_orders_look_at_the_square(coordinates):
    A = SparsityPattern.from_coo(*coordinates)
    n = A.shape[1]
    full = SparsityPattern.from_coo([*A.rows, *range(n)], [*A.indices, *range(n)], A.shape)
    star = make_problem(A, "symmetric", "column", "direct")
    column = make_problem(full, "nonsymmetric", "column", "direct")
    for name in ("largest_first", "smallest_last", "incidence_degree", "dynamic_largest_first"):
        np.testing.assert_array_equal(ORDERS[f"distance_two_{name}"](star), ORDERS[name](column))


@given(st.integers(2, 40), st.integers(0, 1000))
def test_perfect_elimination_is_optimal_on_chordal_graphs(n, seed):
    """Interval graphs are chordal: their chromatic number is the size of the largest clique."""
    rng = np.random.default_rng(seed)
    left = rng.random(n)
    right = left + 0.3 * rng.random(n)
    A = (left[:, None] <= right) & (left <= right[:, None])
    result = coloring.color(A, "symmetric", decompression="substitution", order="perfect_elimination")
    clique, _ = nx.max_weight_clique(coloring.adjacency_graph(A), weight=None)
    assert result.num_colors == len(clique)


def test_the_random_order_depends_on_the_seed_alone():
    A = matrices.mesh(300)
    colors = [coloring.color(A, order="random", seed=seed).colors for seed in (1, 1, 2)]
    np.testing.assert_array_equal(colors[0], colors[1])
    assert (colors[0] != colors[2]).any()


def test_callables_permutations_and_lists_are_orders():
    A = matrices.grid(9, 9)

    def backwards(problem):
        return np.arange(problem.num_vertices)[::-1]

    by_callable = coloring.color(A, order=backwards)
    by_array = coloring.color(A, order=np.arange(81)[::-1])
    np.testing.assert_array_equal(by_callable.colors, by_array.colors)
    assert (by_callable.order, by_array.order) == ("backwards", "given")
    best = coloring.color(A, order=["random", backwards, "saturation"])
    assert [name for name, _ in best.tried] == ["random", "backwards", "saturation"]
    assert best.num_colors == min(count for _, count in best.tried)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("alphabetical", "unknown order 'alphabetical'; expected one of natural, random"),
        (np.zeros(9, int), "an order must be a permutation of the 9 vertices"),
        (np.arange(8), "an order must be a permutation of the 9 vertices"),
    ],
)
def test_what_is_no_order_is_refused(order, message):
    with pytest.raises(ColoringError, match=message):
        coloring.color(matrices.grid(3, 3), order=order)
