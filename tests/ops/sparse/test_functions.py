"""Functions of whole sparse matrices, arrays of one axis, factors that were made outside, and what is refused."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import sparsead as sad
from tests.reference import differences

X = np.random.default_rng(3).uniform(0.3, 1.7, 9)
K = sp.csc_array(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.2, 2.0]]))
SINGULAR = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 0.0])
LU, SOLVE, COMPLEX = spla.splu(K), spla.factorized(K), spla.splu((K + 1j * sp.eye_array(3)).tocsc())
DENSE = scipy.linalg.lu_factor(K.toarray())
MADE = functools.partial(sp.csr_array, shape=(4, 4))


def agrees(f, second=True):
    """Compare value, Jacobian and the Hessian of a weighted sum with NumPy, SciPy and differences."""
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(np.ravel(jac.value(X)), np.ravel(f(X)), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
    if second:
        weights = np.cos(np.arange(np.size(f(X))))
        hess = sad.hessian(lambda x: np.sum(weights * np.reshape(f(x), -1)), X)
        slope = differences(lambda x: weights @ jac(x).toarray(), X)
        np.testing.assert_allclose(hess(X).toarray(), slope, rtol=1e-6, atol=1e-7)


def matrix(x):
    return sp.csr_array(np.outer(x[:3], x[3:6]) + np.eye(3))


def row(x):
    return sp.coo_array((x[:3], (np.array([0, 2, 3]),)), shape=(4,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: row(x) @ x[:4],
        lambda x: row(x).toarray(),
        lambda x: (row(x) * x[4]).tocsr().multiply(x[1:5]).toarray(),
        lambda x: (sp.csr_array(np.outer(x[:3], x[:4])) @ row(x)).toarray(),
        lambda x: (row(x) @ sp.csr_array(np.outer(x[:4], x[:3]))).toarray(),
        lambda x: row(x) @ np.outer(x[:4], x[:3]),
        lambda x: np.outer(x[:3], x[:4]) @ row(x),
        lambda x: (row(x) + row(x)).multiply(row(x)).toarray(),
        lambda x: sp.csr_array(np.outer(x[:4], x[:4]))[1].toarray() * row(x).sum(),
        lambda x: sp.csr_array(np.outer(x[:4], x[:4])).multiply(row(x)).toarray(),
    ],
)
def test_one_axis(f):
    agrees(f)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sp.kronsum(matrix(x), K).toarray(),
        lambda x: sp.find(matrix(x))[2],
        lambda x: spla.norm(matrix(x)),
        lambda x: spla.norm(matrix(x), 1),
        lambda x: spla.norm(matrix(x), np.inf),
        lambda x: spla.norm(matrix(x), axis=1),
        lambda x: spla.norm(matrix(x), np.inf, axis=0),
        lambda x: spla.inv(matrix(x).tocsc()).toarray(),
        lambda x: spla.spsolve(matrix(x).tocsc(), sp.csc_array(np.outer(x[6:9], x[:2]))).toarray(),
        lambda x: spla.spsolve(K, sp.csc_array(np.outer(x[6:9], x[:2]))).toarray(),
        lambda x: spla.spsolve_triangular(sp.tril(matrix(x)).tocsr(), x[6:9]),
        lambda x: spla.spsolve_triangular(sp.triu(matrix(x)).tocsr(), x[6:9], lower=False, unit_diagonal=True),
        lambda x: MADE((x[:4], ([1, 3, 0, 1], [0, 1, 2, 3]))) @ x[:4],
    ],
)
def test_functions_of_sparse_matrices_agree_with_scipy(f):
    agrees(f)


class Model:
    """A model whose solver is made once, as models do."""

    def __init__(self):
        self.lu = spla.splu(K)

    def response(self, x):
        return self.lu.solve(x[:3] ** 2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: LU.solve(x[:3] ** 2),
        lambda x: LU.solve(x[:3] ** 2, "T"),
        lambda x: LU.solve(np.outer(x[:3] ** 2, x[:2])),
        lambda x: SOLVE(x[:3] ** 2),
        lambda x, solve=SOLVE: solve(x[:3] ** 2),
        lambda x: scipy.linalg.lu_solve(DENSE, x[:3] ** 2),
        lambda x: np.abs(COMPLEX.solve(x[:3] ** 2 + 1j * x[3:6])),
        Model().response,
    ],
)
def test_factors_from_outside(f):
    agrees(f)


def test_names_are_as_they_were_afterwards():
    assert type(LU) is spla.SuperLU
    np.testing.assert_allclose(K @ SOLVE(X[:3]), X[:3])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.det(SINGULAR + 0.1 * np.outer(np.eye(6)[0], x[:6])),
        lambda x: np.linalg.det(np.outer(x[:6], x[:6])),
        lambda x: np.linalg.det(np.stack([SINGULAR + np.diag(x[:6]), np.outer(x[:6], x[:6])])),
        lambda x: np.linalg.slogdet(SINGULAR * x[0])[0] * x,
    ],
)
def test_determinants_of_singular_matrices(f):
    agrees(f, second=False)


def test_determinant_of_a_matrix_that_loses_rank():
    f = lambda x: np.linalg.det(SINGULAR + np.outer(np.eye(6)[5], x[:6]))  # noqa: E731
    x = np.zeros(9)
    jac = sad.jacobian(f, x)
    assert jac.value(x) == 0.0
    np.testing.assert_allclose(jac(x).toarray(), [[0, 0, 0, 0, 0, 120.0, 0, 0, 0]], rtol=1e-13, atol=1e-12)


HELD = {"kind": sp.csr_array, "lu": LU}


def scaled_in_place(x):
    A = K.copy()
    A *= x[0]
    return A @ x[:3]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: HELD["kind"]((x[:3], [0, 1, 2], [0, 1, 2, 3])) @ x[:3], r"called by its name"),
        (lambda x: HELD["lu"].solve(x[:3]), r"compiled code.*\n.*test_functions.py.*\n.*make it inside the function"),
        (scaled_in_place, r"in place.*\n.*\n.*A = A \* s"),
        (lambda x: matrix(x).max() * x, r"\.max of a matrix.*\n.*\n.*\.toarray\(\)"),
        (lambda x: matrix(x).count_nonzero() * x, r"count_nonzero.*\n.*\n.*\.nnz"),
        (lambda x: sp.csr_array((x[:3] > 1.0, [0, 1, 2], [0, 1, 2, 3])) @ x[:3], r"matrix of conditions"),
        (lambda x: 1.0 / matrix(x), r"division by a sparse matrix"),
    ],
)
def test_what_has_no_rule_is_refused_in_words(f, words):
    with pytest.raises(sad.UnsupportedOperationError, match=words):
        sad.jacobian(f, X)
