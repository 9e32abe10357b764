"""Columns that are colored in several places, in turns: the colors of first fit in one place."""

import numpy as np
import pytest
import scipy.sparse

from coloring.kernels.distance2 import color_columns
from coloring.kernels.jones_plassmann import color_ready


@pytest.mark.parametrize("seed", range(6))
def test_turns_give_the_colors_of_first_fit(seed):
    rng = np.random.default_rng(seed)
    rows = scipy.sparse.random_array((30, 40), density=0.08, rng=rng, format="csr")
    columns = rows.tocsc()
    order = rng.permutation(40)
    expected = color_columns(columns.indptr, columns.indices, 30, order.astype(np.int32), 40)
    when = np.argsort(order)
    structure = [a.astype(np.int64) for a in (columns.indptr, columns.indices, rows.indptr, rows.indices)]
    colors = np.full(40, -1, np.int64)
    place = rng.integers(0, 3, 40)
    turns, left = 0, 1
    while left:
        before = colors.copy()
        left = 0
        for here in range(3):  # each place knows what the others had when the turn began
            known = before.copy()
            left += color_ready(*structure, order[place[order] == here], when, known)
            colors[place == here] = known[place == here]
        turns += 1
        assert turns < 40 and (left == 0 or (colors > -1).sum() > (before > -1).sum())
    assert np.array_equal(colors, expected)
    assert turns > 1
