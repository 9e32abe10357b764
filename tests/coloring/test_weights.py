"""Rows and columns that cost differently: the cost is what searches make small, and bounds are below it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import ColoringError, SparsityPattern

from .helpers import COLORINGS, MATRICES, patterns

BOTH = ("star bicoloring", "acyclic bicoloring")


def least_cost(pattern, decompression, weights):
    """By trying all colorings, with the predicate that knows nothing of searches."""
    m, n = pattern.shape
    pairs = sorted(product(range(m + 1), range(n + 1)), key=lambda pair: np.dot(pair, weights))
    for rows, columns in pairs:
        for of_rows in product(range(-1, rows), repeat=m):
            for of_columns in product(range(-1, columns), repeat=n):
                if coloring.is_bicoloring(pattern, np.array(of_rows, int), np.array(of_columns, int), decompression):
                    return rows * weights[0] + columns * weights[1]
    raise AssertionError


@pytest.mark.parametrize("name", BOTH)
@settings(max_examples=20)
@given(data=st.data())
def test_the_least_cost_is_found_and_bounds_are_below(name, data):
    rows, columns, shape = data.draw(patterns(max_size=3))
    pattern = SparsityPattern.from_coo(rows, columns, shape)
    weights = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    quick, exact = (coloring.color(pattern, *COLORINGS[name], weights=weights, search=s) for s in ("auto", "exact"))
    assert exact.cost == weights[0] * exact.num_row_colors + weights[1] * exact.num_column_colors
    assert exact.cost == exact.lower_bound == least_cost(pattern, COLORINGS[name][2], weights)
    assert quick.lower_bound <= exact.cost <= quick.cost


@pytest.mark.parametrize("weights", [(1, 1), (3, 2), (1, 7), (10, 1)])
@pytest.mark.parametrize("name", BOTH)
def test_never_dearer_than_one_side_alone(name, weights):
    for A in MATRICES.values():
        result = coloring.color(A, *COLORINGS[name], weights=weights)
        rows, columns = (coloring.color(A, partition=side).num_colors for side in ("row", "column"))
        assert result.lower_bound <= result.cost <= min(weights[0] * rows, weights[1] * columns)
        assert result.cost == min(cost for _, cost in result.tried)


def test_the_dear_side_is_left_alone():
    """An arrow takes a row and two columns; the columns alone if a row costs more than they do."""
    A = matrices.arrow(30)
    counts = {}
    for weights in ((1, 1), (25, 1), (40, 1), (1, 40)):
        result = coloring.color(A, partition="bidirectional", weights=weights)
        counts[weights] = result.num_row_colors, result.num_column_colors
        values = A.toarray() * np.arange(1, 31)
        assert (result.decompress(result.compress(values)).toarray() == values).all()
    assert counts == {(1, 1): (1, 2), (25, 1): (1, 2), (40, 1): (0, 30), (1, 40): (30, 0)}


def test_the_summary_tells_the_cost():
    result = coloring.color(np.eye(3), partition="bidirectional", weights=(5, 2))
    assert (result.cost, result.num_colors, result.is_optimal) == (2, 1, True)
    assert "1 color, cost 2 (optimal)" in repr(result)
    assert result.certificate == "products that cost 2 are needed for as many equations as a part has entries"
    assert coloring.color(np.eye(3)).cost == 1


@pytest.mark.parametrize("weights", [(0, 1), (1.5, 1), (1, 2, 3), "12", 3, (1, -1), (1, 10**7)])
def test_no_weights(weights):
    with pytest.raises(ColoringError, match="expected two integers from 1 to 1000000: of rows, of columns"):
        coloring.color(np.eye(3), partition="bidirectional", weights=weights)


def test_weights_are_for_two_sides():
    with pytest.raises(ColoringError, match="weights are for partition='bidirectional'"):
        coloring.color(np.eye(3), weights=(1, 2))
