"""Patterns: every way to build one gives the same, and wrong input is refused with a reason."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import coloring
from coloring import ColoringError, SparsityPattern

from .helpers import MATRICES, patterns


@given(patterns())
def test_coordinates_in_any_order_with_duplicates_give_the_pattern_of_scipy(coordinates):
    rows, columns, shape = coordinates
    A = SparsityPattern.from_coo(rows, columns, shape)
    expected = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    expected.sum_duplicates()
    assert A.shape == shape
    np.testing.assert_array_equal(A.indptr, expected.indptr)
    np.testing.assert_array_equal(A.indices, expected.indices)


@pytest.mark.parametrize("A", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dense", "csr_matrix"])
def test_every_format_gives_the_same_pattern(A, form):
    other = A.toarray() if form == "dense" else sp.csr_matrix(A) if form == "csr_matrix" else A.asformat(form)
    assert SparsityPattern.from_scipy(other) == SparsityPattern.from_scipy(A)


def test_stored_zeros_belong_to_the_pattern():
    A = sp.csr_array((np.zeros(2), [0, 2], [0, 1, 2]), shape=(2, 3))
    assert SparsityPattern.from_scipy(A).nnz == 2


def test_unsorted_rows_and_duplicates_are_put_in_order():
    A = sp.csr_array((np.ones(4), [2, 0, 2, 1], [0, 3, 4]), shape=(2, 3))
    pattern = SparsityPattern.from_scipy(A)
    assert pattern.indices.tolist() == [0, 2, 1]
    assert pattern.indptr.tolist() == [0, 2, 3]


@pytest.mark.parametrize("A", MATRICES.values(), ids=MATRICES)
def test_transpose_and_round_trip(A):
    pattern = SparsityPattern.from_scipy(A)
    assert SparsityPattern.from_scipy(A.T) == pattern.T
    assert pattern.T.T is pattern
    assert (pattern.to_scipy() != A).nnz == 0
    assert pattern.indices.dtype == pattern.indptr.dtype == np.int32
    np.testing.assert_array_equal(pattern.rows, A.tocoo().row)


def test_restrict_keeps_the_marked_entries():
    pattern = SparsityPattern.from_scipy(np.ones((3, 3)))
    lower = pattern.restrict(pattern.rows >= pattern.indices)
    assert lower == SparsityPattern.from_scipy(np.tril(np.ones((3, 3))))


def test_summary_figures():
    pattern = SparsityPattern.from_scipy(np.eye(4))
    assert (pattern.nnz, pattern.density, pattern.is_symmetric) == (4, 0.25, True)
    assert SparsityPattern.from_scipy(np.zeros((0, 3))).density == 0
    assert not SparsityPattern.from_scipy(np.ones((2, 3))).is_symmetric
    assert repr(pattern) == "SparsityPattern(4 x 4, nnz=4)"
    assert pattern != "something else"


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([0, 5], [0, 0], "row indices run from 0 to 5; expected 0 <= index < 2"),
        ([0], [-1], "column indices run from -1 to -1; expected 0 <= index < 3"),
        ([0, 1], [0], "2 row indices and 1 column indices"),
    ],
)
def test_wrong_coordinates_are_refused(rows, columns, message):
    with pytest.raises(ColoringError, match=message):
        SparsityPattern.from_coo(rows, columns, (2, 3))


def test_an_array_that_is_no_matrix_is_refused():
    with pytest.raises(ColoringError, match=r"2 dimensions; this one has shape \(3,\)"):
        SparsityPattern.from_scipy(np.ones(3))


@pytest.mark.parametrize("make", [np.array, sp.csr_array, sp.coo_array, sp.csc_matrix])
def test_measured_values_of_little_size_do_not_count(make):
    A = make(np.array([[1.0, 1e-9, 0.0], [np.nan, -2e-6, -np.inf]]))
    found = {
        t: SparsityPattern.from_scipy(A, tolerance=t).to_scipy().toarray().astype(int).tolist() for t in (0, 1e-8, 1)
    }
    assert found == {
        0: [[1, 1, 0], [1, 1, 1]],
        1e-8: [[1, 0, 0], [1, 1, 1]],
        1: [[0, 0, 0], [1, 0, 1]],
    }


def test_values_that_add_up_are_measured_together():
    """And the matrix is left as it was."""
    A = sp.coo_array(([0.6, 0.6, 0.6], ([0, 0, 1], [0, 0, 1])), (2, 2))
    assert SparsityPattern.from_scipy(A, tolerance=1.0) == SparsityPattern.from_coo([0], [0], (2, 2))
    assert A.nnz == 3


def test_stored_zeros_count_without_a_tolerance():
    A = sp.csr_array(([0.0, 1.0], ([0, 1], [1, 0])), (2, 2))
    assert [SparsityPattern.from_scipy(A).nnz, SparsityPattern.from_scipy(A, tolerance=0.0).nnz] == [2, 1]
    assert coloring.color(A).pattern.nnz == 2
    assert coloring.color(A, tolerance=0.0).pattern.nnz == 1


@pytest.mark.parametrize("tolerance", [-1.0, float("nan")])
def test_no_tolerance(tolerance):
    with pytest.raises(ColoringError, match="expected a number that is not negative"):
        SparsityPattern.from_scipy(np.eye(2), tolerance=tolerance)


@given(patterns(), st.randoms())
def test_the_union_has_the_entries_of_both(coordinates, random):
    rows, columns, shape = coordinates
    chosen = [random.random() < 0.5 for _ in rows]
    parts = [
        SparsityPattern.from_coo(
            [i for i, c in zip(rows, chosen, strict=True) if c == side],
            [j for j, c in zip(columns, chosen, strict=True) if c == side],
            shape,
        )
        for side in (True, False)
    ]
    assert parts[0] | parts[1] == SparsityPattern.from_coo(rows, columns, shape)


def test_no_union_of_different_shapes():
    with pytest.raises(ColoringError, match="have no union: their shapes differ"):
        SparsityPattern.from_scipy(np.eye(2)) | SparsityPattern.from_scipy(np.eye(3))
    with pytest.raises(TypeError):
        SparsityPattern.from_scipy(np.eye(2)) | np.eye(2)


@pytest.mark.parametrize("shape", [(10**6, 1), (1, 10**6), (1000, 1000)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dense_matrices_take_little_more_than_their_patterns(shape, order):
    A = np.ones(shape, dtype=bool, order=order)
    A[0, 0] = False
    tracemalloc.start()
    try:
        pattern = SparsityPattern.from_scipy(A)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pattern == SparsityPattern.from_scipy(sp.csr_array(A))
    assert peak < pattern.indices.nbytes + pattern.indptr.nbytes + 9 * A.size
