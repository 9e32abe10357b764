"""Constant scipy.sparse matrices in every format and class: values, derivatives, and the pattern kept exactly."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from tests.reference import assert_close, differences, generic_points

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
DENSE = np.array(
    [[1.0, 0.0, 2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
     [4.0, 0.0, 0.0, 5.0, 0.0, 0.5]]
)  # fmt: skip
X = generic_points(1, (6,))[0]
MATRICES = [
    pytest.param(kind(DENSE).asformat(f), id=f"{f}_{name}")
    for f in FORMATS
    for name, kind in (("array", scipy.sparse.coo_array), ("matrix", scipy.sparse.coo_matrix))
]


def check(f, x=X, nnz=None):
    jac = sad.jacobian(f, x, backend="python")
    y, matrix = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, np.asarray(f(x)), rtol=1e-14)
    assert_close(matrix.toarray(), differences(f, x))
    if nnz is not None:
        assert jac.pattern.nnz == nnz


@pytest.mark.parametrize("a", MATRICES)
def test_matrix_times_vector(a):
    check(lambda x: a @ x, nnz=7)
    check(lambda x: a.dot(x), nnz=7)
    check(lambda x: a @ (x * x), nnz=7)
    check(lambda x: a.T @ x[:4], nnz=7)


@pytest.mark.parametrize("a", MATRICES)
def test_vector_times_matrix(a):
    check(lambda x: x[:4] @ a, nnz=7)


@pytest.mark.parametrize("a", MATRICES)
def test_matrix_times_columns(a):
    check(lambda x: a @ x[:, None], nnz=7)
    check(lambda x: a @ np.stack([x, x * x], axis=1), nnz=14)


@pytest.mark.parametrize("a", [m for m in MATRICES if "matrix" in m.id])
def test_matrix_class_multiplies_with_a_star(a):
    check(lambda x: a * x, nnz=7)
    check(lambda x: a * x[:, None], nnz=7)
    check(lambda x: x[:4] * a, nnz=7)


def test_sparse_matrix_made_inside_the_function():
    def f(x):
        a = scipy.sparse.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(6, 6))
        b = scipy.sparse.csr_array(np.eye(6) * 2.0)
        return a @ (b @ x)

    check(f, nnz=16)


def test_explicit_zeros_and_duplicates():
    """Repeated entries add up; an explicit zero is a zero."""
    a = scipy.sparse.coo_array(([1.0, 2.0, -3.0, 0.0], ([0, 0, 1, 1], [1, 1, 2, 3])), shape=(2, 6))
    check(lambda x: a @ x)


def test_constant_buffer_is_multiplied_as_an_array():
    def f(x):
        start = np.ones(6)
        return scipy.sparse.csr_array(DENSE) @ start * x[:4]

    check(f, nnz=3)


def test_zeros_of_dense_matrices_are_zeros():
    check(lambda x: DENSE @ x, nnz=7)
    check(lambda x: x[:4] @ DENSE, nnz=7)
    check(lambda x: np.dot(DENSE, x), nnz=7)
    check(lambda x: DENSE @ np.stack([x, 2.0 * x], axis=1), nnz=14)


def test_misfit_names_both_shapes():
    with pytest.raises(ValueError, match=r"matrix of shape \(4, 6\) does not fit an array of shape \(5,\)"):
        sad.jacobian(lambda x: scipy.sparse.csr_array(DENSE) @ x[:5], X)
