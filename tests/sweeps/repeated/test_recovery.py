"""Entries from products, whatever the shape of the pattern."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from coloring import SparsityPattern
from sparsead.sweeps.repeated.recovery import recovery

RNG = np.random.default_rng(3)
BANDED = scipy.sparse.diags_array(RNG.normal(size=(3, 20)), offsets=(-1, 0, 1), shape=(20, 20)).toarray()
ARROW = np.eye(9) + np.eye(1, 9).T @ np.ones((1, 9))
MATRICES = {
    "dense": (RNG.normal(size=(7, 5)), 5, True),
    "wide": (RNG.normal(size=(2, 30)), 2, False),
    "banded": (BANDED, 3, True),
    "one full row": (ARROW, 2, False),
    "one full column": (ARROW.T, 2, True),
    "nothing": (np.zeros((3, 4)), 0, True),
}


@pytest.mark.parametrize("name", MATRICES)
def test_entries_come_back(name):
    matrix, count, by_column = MATRICES[name]
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array(matrix))
    found = recovery(pattern)
    assert (len(found.passes), found.by_column) == (count, by_column)
    values = np.full(pattern.nnz, np.nan)
    for members, entries, elements in found.passes:
        seed = np.zeros(matrix.shape[1 if by_column else 0])
        seed[members] = 1.0
        values[entries] = (matrix @ seed if by_column else seed @ matrix)[elements]
    np.testing.assert_allclose(values, matrix[pattern.rows, pattern.indices])
