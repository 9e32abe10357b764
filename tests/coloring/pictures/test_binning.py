"""Bins count every entry once, whatever the shape, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from coloring import SparsityPattern
from coloring.pictures.binning import binned_counts, counted_in, shade

from ..helpers import MATRICES


@pytest.mark.parametrize("most", [1, 3, 7, 48])
@pytest.mark.parametrize("name", MATRICES)
def test_every_entry_falls_into_the_bin_of_its_row_and_column(name, most):
    A = scipy.sparse.coo_array(MATRICES[name])
    m, n = A.shape
    expected = np.zeros([max(1, min(size, most)) for size in A.shape], int)
    for i, j in zip(A.row.tolist(), A.col.tolist(), strict=True):
        expected[i * expected.shape[0] // m if m > most else i, j * expected.shape[1] // n if n > most else j] += 1
    pattern = SparsityPattern.from_scipy(A)
    np.testing.assert_array_equal(binned_counts(pattern, most), expected)
    np.testing.assert_array_equal(counted_in(pattern.rows, pattern.indices, pattern.shape, most), expected)


def test_a_million_rows_take_little_memory():
    n = 1_000_000
    band = scipy.sparse.diags_array([1.0] * 5, offsets=[-2, -1, 0, 1, 2], shape=(n, n), format="csr")
    pattern = SparsityPattern.from_scipy(band)
    tracemalloc.start()
    counts = binned_counts(pattern, 400)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.shape == (400, 400) and counts.sum() == pattern.nnz
    assert peak < pattern.nnz  # bytes: less than one for each entry


def test_nothing_is_white_and_the_fullest_bin_black():
    assert shade(np.array([0, 1, 10, 100])) == pytest.approx([0.0, 0.35, 0.675, 1.0])
    np.testing.assert_array_equal(shade(np.array([0, 1])), [0.0, 1.0])
    assert not shade(np.zeros((2, 2), int)).any()
