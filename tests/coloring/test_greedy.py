"""The compiled greedy algorithms give the colors of their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import SparsityPattern
from coloring.problems import make_problem

from . import reference
from .helpers import SYMMETRIC, patterns


@pytest.mark.parametrize("partition", ["column", "row"])
@given(coordinates=patterns(), data=st.data())
def test_partial_distance_two(partition, coordinates, data):
    A = SparsityPattern.from_coo(*coordinates)
    neighbors = reference.column_intersection(A if partition == "column" else A.T)
    order = data.draw(st.permutations(range(len(neighbors))))
    colors = make_problem(A, "nonsymmetric", partition, "direct").greedy(np.array(order, np.int32))
    assert colors.tolist() == reference.first_fit(neighbors, order, reference.is_proper)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(coordinates=patterns(symmetric=True, max_size=9), data=st.data())
def test_star_and_acyclic(name, coordinates, data):
    A = SparsityPattern.from_coo(*coordinates)
    order = data.draw(st.permutations(range(A.shape[1])))
    colors = make_problem(A, *SYMMETRIC[name]).greedy(np.array(order, np.int32))
    holds = reference.is_star if name == "star" else reference.is_acyclic
    assert colors.tolist() == reference.first_fit(reference.adjacency(A), order, holds)


@pytest.mark.parametrize("decompression", ["direct", "substitution"])
@given(coordinates=patterns(max_size=6), data=st.data())
def test_bicoloring_with_a_palette_for_each_side(decompression, coordinates, data):
    A = SparsityPattern.from_coo(*coordinates)
    m, n = A.shape
    order = data.draw(st.permutations(range(n + m)))
    colors = make_problem(A, "nonsymmetric", "bidirectional", decompression).greedy(np.array(order, np.int32))
    holds = reference.is_star if decompression == "direct" else reference.is_acyclic

    def holds_apart(neighbors, colors):
        return holds(neighbors, [c + 100 * (v >= n and c >= 0) for v, c in enumerate(colors)])

    assert colors.tolist() == reference.first_fit(reference.bipartite(A), order, holds_apart)


@given(coordinates=patterns(symmetric=True), data=st.data())
def test_restricted_and_cautious_star_colorings_are_star_colorings(coordinates, data):
    A = SparsityPattern.from_coo(*coordinates)
    order = np.array(data.draw(st.permutations(range(A.shape[1]))), np.int32)
    problem = make_problem(A, "symmetric", "column", "direct")
    neighbors = reference.adjacency(A)
    assert reference.is_star(neighbors, problem.greedy(order, cautious=True).tolist())
    restricted = problem.restricted_greedy(order).tolist()
    assert reference.is_star(neighbors, restricted)
    for v, around in enumerate(neighbors):
        for a in around:
            assert all(restricted[v] < restricted[a] for b in around - {a} if restricted[a] == restricted[b])


def test_many_colors_fill_several_words():
    """Colors beyond 64 and 128 are kept in further words of the sets."""
    A = SparsityPattern.from_scipy(np.ones((150, 150)))
    for terms in SYMMETRIC.values():
        assert coloring.color(A, *terms, order="natural").colors.tolist() == list(range(150))
    assert coloring.color(A, order="natural").colors.tolist() == list(range(150))
    blocks = matrices.block_arrow(20, 70, 3)
    for terms in SYMMETRIC.values():
        result = coloring.color(blocks, *terms, order="smallest_last")
        assert result.num_colors == 73 == result.lower_bound


def test_a_greedy_coloring_is_given_up_beyond_the_limit():
    A = SparsityPattern.from_scipy(np.ones((150, 150)))
    order = np.arange(150, dtype=np.int32)
    for terms in (*SYMMETRIC.values(), ("nonsymmetric", "column", "direct")):
        problem = make_problem(A, *terms)
        assert problem.greedy(order, limit=40) is None
        assert problem.greedy(order, limit=150).max() == 149
