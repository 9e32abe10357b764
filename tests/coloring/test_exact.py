"""Branch and bound agrees with brute force, and bounds never exceed it."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import SparsityPattern
from coloring.bounds import covering_bound
from tests.sizes import size

from . import reference
from .helpers import COLORINGS, SYMMETRIC, patterns


def brute_force(neighbors, holds):
    """Fewest colors of a coloring for which `holds`, by trying all."""
    for k in range(len(neighbors) + 1):
        if any(holds(neighbors, colors) for colors in product(range(k), repeat=len(neighbors))):
            return k
    raise AssertionError


@settings(max_examples=40)
@given(patterns(symmetric=True, max_size=6))
def test_the_exact_search_finds_the_fewest_colors(coordinates):
    rows, columns, (n, _) = coordinates
    A = SparsityPattern.from_coo([*rows, *range(n)], [*columns, *range(n)], (n, n))
    cases = {
        "column": (reference.column_intersection(A), reference.is_proper),
        "star": (reference.adjacency(A), reference.is_star),
        "acyclic": (reference.adjacency(A), reference.is_acyclic),
    }
    for name, (neighbors, holds) in cases.items():
        result = coloring.color(A, *COLORINGS[name], order="exact")
        assert result.num_colors == brute_force(neighbors, holds)
        assert result.is_optimal


@pytest.mark.parametrize("name", COLORINGS)
@settings(max_examples=25)
@given(data=st.data())
def test_bounds_stay_below_the_optimum(name, data):
    rows, columns, shape = data.draw(patterns(symmetric=name in SYMMETRIC, max_size=6))
    A = SparsityPattern.from_coo(rows, columns, shape)
    quick = coloring.color(A, *COLORINGS[name])
    exact = coloring.color(A, *COLORINGS[name], order="exact")
    assert quick.lower_bound <= exact.num_colors <= quick.num_colors
    assert exact.is_optimal


@pytest.mark.parametrize("b", [1, 2, 3])
def test_the_band_bound_needs_three_half_bandwidths(b):
    """The least n for which a band needs 2 b + 1 colors is 3 b + 1."""
    short = coloring.color(matrices.band(3 * b, b), "symmetric", order="exact", time_budget=30)
    assert (short.num_colors, short.is_optimal) == (2 * b, True)
    long = coloring.color(matrices.band(3 * b + 1, b), "symmetric", order="exact")
    assert long.num_colors == long.lower_bound == 2 * b + 1


def test_an_exact_search_out_of_time_claims_nothing():
    A = matrices.power_network(60)
    result = coloring.color(A, "symmetric", order="exact", time_budget=0.05)
    assert result.stopped == "time budget spent"
    assert not result.is_optimal


def test_clique_bound_beats_the_longest_row():
    """Three columns that meet pairwise in different rows."""
    triangle = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert coloring.color(triangle).lower_bound == 3


@pytest.mark.parametrize(
    ("A", "name", "colors"),
    [
        (matrices.grid(12, 12, periodic=True), "star", 5),  # no grid of this size has a star coloring with 4
        (matrices.power_network(60), "acyclic", 6),
        (matrices.random_symmetric(40, 0.1), "star", 6),
    ],
)
def test_parts_prove_what_counting_does_not(A, name, colors):
    """And the certificate holds: the vertices that it names alone need as many colors."""
    quick = coloring.color(A, *COLORINGS[name])
    result = coloring.color(A, *COLORINGS[name], search="exact", time_budget=60)
    assert quick.lower_bound <= result.lower_bound == result.num_colors == colors
    named, _ = result.certificate.split("alone")
    vertices = [int(v) for v in re.findall(r"\d+", named)]
    part = A.toarray()[np.ix_(vertices, vertices)]
    assert coloring.color(part, *COLORINGS[name], search="exact", time_budget=60).num_colors == colors


@pytest.mark.parametrize(
    ("A", "colors"), [(matrices.two_fields(size(256, plain=20)), 7), (matrices.ring(size(100_000, plain=1000), 3), 8)]
)
def test_no_product_recovers_an_entry_in_every_row(A, colors):
    """Columns with 6 entries each cannot have exactly one in each of 131072 rows, or of 800."""
    result = coloring.color(A, partition="bidirectional")
    assert (result.num_colors, result.lower_bound) == (colors, colors)
    assert result.certificate.startswith(f"products recover too few entries for less than {colors}")


def test_counts_of_columns_that_could_cover_all_rows():
    """Ten rows: by five columns of 2 entries, not by columns of 3 or of 4; nine by three columns of 3."""
    even, threes, fours = np.full(10, 2), np.full(10, 3), np.full(10, 4)
    assert [covering_bound(c, c) for c in (even, threes, fours)] == [2, 4, 5]
    assert covering_bound(np.full(9, 3), np.full(9, 3)) == 3
    assert covering_bound(np.array([2, 2, 4, 0]), np.array([3, 5])) == 3
    assert covering_bound(threes, threes, (1, 3)) == 4
    assert covering_bound(threes, threes, (5, 3)) == 10
    assert covering_bound(np.zeros(3, int), np.zeros(2, int)) == 0


@pytest.mark.parametrize("name", COLORINGS)
def test_every_bound_has_a_certificate(name):
    for A in (matrices.grid(6, 6), matrices.mesh(40), matrices.band(20, 2), np.zeros((3, 3))):
        result = coloring.color(A, *COLORINGS[name])
        assert result.certificate
