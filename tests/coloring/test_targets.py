"""What values are written to is checked first; any type of number goes through and comes back."""

import numpy as np
import pytest
import scipy.sparse as sp

import coloring
from benchmarks import matrices
from coloring import ColoringError

from .helpers import COLORINGS, stored_in_order, with_values

A = with_values(matrices.power_network(12), symmetric=True)
RESULT = coloring.color(A)
B = RESULT.compress(A)


def with_structure(**changes):
    """A matrix to write to, with other indices or data than it should have."""
    out = RESULT.decompress(B)
    for name, value in changes.items():
        setattr(out, name, value)
    return out


def shifted():
    """As many entries in every row, one of them elsewhere."""
    out = RESULT.decompress(B)
    row = out.indices[: out.indptr[1]]
    row[-1] = next(j for j in range(A.shape[1]) if j not in row)
    return out


def read_only():
    out = RESULT.decompress(B)
    out.data.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (sp.csc_array(A), "out is a csc_array; expected a csr_array, or a dense array"),
        (sp.csr_array(np.eye(3)), r"out has shape \(3, 3\)"),
        (shifted(), r"out has no place for 1 of the \d+ entries, for \(0, \d+\) for one"),
        (sp.csr_array(A, dtype=np.int64), "out holds int64; values of type float64 cannot be written to it"),
        (with_structure(data=np.ones(A.nnz - 1)), f"out has {A.nnz - 1} values for {A.nnz} entries"),
        (with_structure(data=np.ones(0)), "out has 0 values"),
        (read_only(), "read-only"),
        (np.zeros((2, 2)), r"out has shape \(2, 2\)"),
        ([[1.0]], "out is a list"),
    ],
)
def test_what_cannot_be_written_to_is_refused_and_left_alone(out, message):
    before = out.data.copy() if sp.issparse(out) else np.array(out)
    with pytest.raises(ColoringError, match=message):
        RESULT.decompress(B, out=out)
    np.testing.assert_array_equal(out.data if sp.issparse(out) else np.array(out), before)


def test_overlap_is_refused():
    dense = np.eye(6)
    result = coloring.color(np.ones((6, 6)))
    with pytest.raises(ColoringError, match="out shares memory with the compressed matrix"):
        result.decompress(dense, out=dense)


@pytest.mark.parametrize("name", COLORINGS)
@pytest.mark.parametrize("triangle", ["full", "lower"])
def test_denser_matrices_are_filled(name, triangle):
    result = coloring.color(A, *COLORINGS[name])
    compressed = result.compress(A)
    expected = result.decompress(compressed, triangle=triangle)
    denser = sp.csr_array(sp.coo_array(np.full(A.shape, 7.0)))
    assert result.decompress(compressed, out=denser, triangle=triangle) is denser
    np.testing.assert_array_equal(denser.toarray(), expected.toarray())
    dense = np.full(A.shape, 7.0)
    result.decompress(compressed, out=dense, triangle=triangle)
    np.testing.assert_array_equal(dense, expected.toarray())


@pytest.mark.parametrize("name", COLORINGS)
@pytest.mark.parametrize("dtype", ["?", "b", "i4", "f2", "f4", "f8", "g", "F", "D", "G", ">f8"])
def test_any_type_of_number(name, dtype):
    """Small integers, which every type holds and adds up exactly."""
    values = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), A.shape)
    if dtype != "?":
        values.data[:] = 1 + (A.indices + np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))) % 3
    matrix = values.copy()
    matrix.data = values.data.astype(dtype)
    result = coloring.color(A, *COLORINGS[name])
    recovered = result.decompress(result.compress(matrix))
    np.testing.assert_array_equal(recovered.data, stored_in_order(values))
    assert recovered.dtype.type is (np.int64 if dtype == "?" else np.dtype(dtype).type)


@pytest.mark.parametrize("name", COLORINGS)
def test_long_doubles_keep_their_digits(name):
    matrix = A.copy()
    matrix.data = matrix.data.astype(np.longdouble) / 3
    result = coloring.color(A, *COLORINGS[name])
    recovered = result.decompress(result.compress(matrix))
    np.testing.assert_allclose(recovered.data, stored_in_order(matrix), rtol=1e-16 if "acyclic" not in name else 1e-12)


def test_values_outside_the_pattern_are_named():
    result = coloring.color(np.eye(4))
    wrong = np.eye(4)
    wrong[2, 3] = 1.0
    with pytest.raises(ColoringError, match=r"1 values outside the pattern that was colored, at \(2, 3\) for one"):
        result.compress(wrong)
    part = np.diag([1.0, 0.0, 2.0, 0.0])
    np.testing.assert_array_equal(result.decompress(result.compress(part)).toarray(), part)


@pytest.mark.parametrize("name", COLORINGS)
def test_little_values_outside_the_pattern_are_left_out(name):
    exact = with_values(A, symmetric=True)
    noise = sp.csr_array(np.full(A.shape, 1e-12))
    result = coloring.color(exact, *COLORINGS[name])
    measured = exact + noise - sp.csr_array((np.full(A.nnz, 1e-12), A.indices, A.indptr), A.shape)
    assert measured.nnz > A.nnz
    recovered = result.decompress(result.compress(measured, tolerance=1e-11)).toarray()
    np.testing.assert_allclose(recovered, exact.toarray(), rtol=1e-9, atol=2e-12)
    with pytest.raises(ColoringError, match="or pass a tolerance if they mean nothing"):
        result.compress(measured)


@pytest.mark.parametrize("name", COLORINGS)
def test_plans_read_and_write_nothing_beyond_the_end(name):
    plan = coloring.color(A, *COLORINGS[name]).plan
    n, k, r = A.shape[0], plan.num_column_colors, plan.num_row_colors
    full = (np.ones((n, k)) if k else None, np.ones((r, n)) if r else None)
    with pytest.raises(ColoringError, match="expected one for each"):
        plan.decompress(*full, np.empty(A.nnz - 1))
    with pytest.raises(ColoringError, match="expected one for each"):
        plan.finish(np.empty(3))
    short = (np.ones((n - 1, k)) if k else None, np.ones((r, n - 1)) if r else None)
    with pytest.raises(ColoringError, match=f"with {n - 1} values of each"):
        plan.decompress(*short, np.empty(A.nnz))
    block, side = (np.ones((n - 1, 1)), "column") if k else (np.ones((1, n - 1)), "row")
    with pytest.raises(ColoringError, match=f"with {n - 1} values of each"):
        plan.decompress_block(block, 0, np.empty(A.nnz), side=side)


def test_a_result_does_not_share_its_indices():
    result = coloring.color(A)
    first = result.decompress(result.compress(A))
    first.data[::2] = 0
    first.eliminate_zeros()  # moves indices about
    np.testing.assert_array_equal(result.decompress(result.compress(A)).toarray(), A.toarray())
