"""Solutions, inverses, determinants and factors: first and second derivatives against differences of NumPy's values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg

import sparsead as sad
from tests.reference import differences

N = 5
RNG = np.random.default_rng(11)
M = RNG.normal(size=(N, N)) + N * np.eye(N)
WEIGHTS = RNG.normal(size=(N, N))
X = RNG.uniform(0.5, 1.5, N)
BAND = np.array([np.full(N, 0.5), np.full(N, 4.0), np.full(N, -1.0)])
SPARSE = sp.csc_array(sp.diags_array([np.full(N - 1, -1.0), np.full(N, 4.0), np.full(N - 1, 0.5)], offsets=[-1, 0, 1]))
LU = scipy.linalg.lu_factor(M)
CHOLESKY = scipy.linalg.cho_factor(M @ M.T)


def general(x):
    """Return a matrix of the unknowns."""
    return M + np.outer(x, np.sin(x))


def definite(x):
    """Return a symmetric positive definite matrix of the unknowns."""
    return M @ M.T + np.outer(x, x) + np.diag(x**2)


def tridiagonal(x):
    """Return a sparse matrix of the unknowns."""
    return sp.diags_array([-x[1:], 4.0 + x**2, np.cos(x[:-1])], offsets=[-1, 0, 1]).tocsc()


def bands(x):
    """Return the diagonals of a banded matrix of the unknowns."""
    return BAND + np.stack([0.1 * x, x**2, 0.0 * x])


def stacked(x):
    """Return two matrices of the unknowns."""
    return np.stack([general(x), definite(x)])


FUNCTIONS = {
    "solve": lambda x: np.linalg.solve(general(x), x**2),
    "solve, columns": lambda x: np.linalg.solve(general(x), np.stack([x**2, np.cos(x)], axis=1)),
    "solve, constant matrix": lambda x: np.linalg.solve(M, x**2),
    "solve, constant matrix, columns": lambda x: np.linalg.solve(M, np.outer(x, x[:2])),
    "solve, constant right-hand side": lambda x: np.linalg.solve(general(x), WEIGHTS[0]),
    "solve, stacked": lambda x: np.linalg.solve(stacked(x), np.stack([np.outer(x, x[:2]), WEIGHTS[:, :2]])),
    "inv": lambda x: np.linalg.inv(general(x)) @ WEIGHTS[0],
    "inv, stacked": lambda x: np.linalg.inv(stacked(x)) @ WEIGHTS[0],
    "det": lambda x: np.linalg.det(0.2 * general(x)),
    "slogdet": lambda x: np.linalg.slogdet(general(x))[1] * x,
    "slogdet, stacked": lambda x: np.linalg.slogdet(stacked(x)).logabsdet,
    "cholesky": lambda x: np.linalg.cholesky(definite(x)),
    "cholesky, upper": lambda x: np.linalg.cholesky(definite(x), upper=True) * WEIGHTS,
    "eigvalsh": lambda x: np.linalg.eigvalsh(definite(x)),
    "eigh": lambda x: np.linalg.eigh(definite(x)).eigenvectors ** 2,
    "scipy solve": lambda x: scipy.linalg.solve(general(x), x),
    "scipy solve, pos": lambda x: scipy.linalg.solve(definite(x), x, assume_a="pos"),
    "cho_solve": lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(definite(x)), x),
    "cho_solve, constant": lambda x: scipy.linalg.cho_solve(CHOLESKY, x**2),
    "lu_solve": lambda x: scipy.linalg.lu_solve(scipy.linalg.lu_factor(general(x)), x, trans=1),
    "lu_solve, constant": lambda x: scipy.linalg.lu_solve(LU, x**2),
    "solve_triangular": lambda x: scipy.linalg.solve_triangular(definite(x), x, lower=True),
    "solve_banded": lambda x: scipy.linalg.solve_banded((1, 1), bands(x), x),
    "solve_banded, constant": lambda x: scipy.linalg.solve_banded((1, 1), BAND, x**2),
    "solveh_banded": lambda x: scipy.linalg.solveh_banded(bands(x)[1:] + np.array([[4.0], [0.0]]), x, lower=True),
    "spsolve": lambda x: scipy.sparse.linalg.spsolve(tridiagonal(x), x),
    "spsolve, constant": lambda x: scipy.sparse.linalg.spsolve(SPARSE, x**2),
    "splu": lambda x: scipy.sparse.linalg.splu(tridiagonal(x)).solve(np.stack([x, x**2], axis=1)),
    "splu, constant, transposed": lambda x: scipy.sparse.linalg.splu(SPARSE).solve(x**2, "T"),
    "factorized": lambda x: scipy.sparse.linalg.factorized(SPARSE)(np.sin(x)),
    "twice": lambda x: np.linalg.solve(definite(x), scipy.sparse.linalg.spsolve(tridiagonal(x), x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_derivatives_are_those_of_differences(name):
    f = FUNCTIONS[name]
    jac = sad.jacobian(f, X, backend="python")
    expected = differences(f, X)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-8, atol=1e-9 * scale)
    v = np.cos(np.arange(N))
    np.testing.assert_allclose(jac.jvp(X, v), jac(X) @ v, rtol=1e-11, atol=1e-12 * scale)
    weights = np.sin(1.0 + np.arange(expected.shape[0]))
    hess = sad.hessian(lambda x: np.sum(weights * np.ravel(f(x))), X, backend="python")
    slope = differences(lambda x: weights @ jac(x).toarray(), X)
    np.testing.assert_allclose(hess(X).toarray(), slope, rtol=1e-7, atol=1e-8 * np.abs(slope).max())


def test_likelihood_of_a_gaussian_process():
    """As it is written everywhere: a kernel matrix, its Cholesky factor, a quadratic form and a log determinant."""
    t = np.linspace(0.0, 3.0, 50)
    y = np.sin(2.0 * t)

    def negative_log_likelihood(p):
        K = np.exp(p[0]) * np.exp(-0.5 * (t[:, None] - t) ** 2 / np.exp(2.0 * p[1])) + np.exp(p[2]) * np.eye(50)
        L = np.linalg.cholesky(K)
        alpha = scipy.linalg.cho_solve((L, True), y)
        return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 25.0 * np.log(2.0 * np.pi)

    p = np.array([0.2, -0.5, -2.0])
    hess = sad.hessian(negative_log_likelihood, p)
    gradient = differences(negative_log_likelihood, p)[0]
    np.testing.assert_allclose(hess.gradient(p), gradient, rtol=1e-6)
    np.testing.assert_allclose(hess(p).toarray(), differences(hess.gradient, p), rtol=1e-6, atol=1e-6)


def test_value_and_derivatives_of_a_solve_come_from_one_sweep():
    def energy(u, load):
        return np.sum(np.linalg.solve(np.diag(2.0 + u) + 0.1 * np.outer(u, u), load) ** 2)

    u, load = np.linspace(0.2, 0.9, 5), np.ones(5)
    for mode in ("direct", "star"):
        hess = sad.hessian(energy, u, load, mode=mode, check=False)
        value, gradient, H = hess.value_gradient_and_hessian(u, load)
        assert np.isclose(value, energy(u, load), rtol=1e-14)
        np.testing.assert_allclose(gradient, differences(lambda u: energy(u, load), u).ravel(), rtol=1e-6)
        np.testing.assert_array_equal(H.toarray(), hess(u, load).toarray())


def test_a_block_diagonal_matrix_has_a_block_diagonal_inverse():
    blocks = sp.block_diag([SPARSE, 2.0 * SPARSE])
    jac = sad.jacobian(lambda x: scipy.sparse.linalg.spsolve(sp.csc_array(blocks), x), np.ones(2 * N))
    assert jac.pattern.nnz == 2 * N * N


def test_repeated_eigenvalues_are_refused():
    jac = sad.jacobian(lambda x: np.linalg.eigh(np.diag(x) + 0.0 * np.outer(x, x))[1], np.arange(1.0, 4.0))
    jac(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(np.linalg.LinAlgError, match="repeated"):
        jac(np.array([1.0, 1.0, 3.0]))


def test_factors_cannot_be_looked_into():
    with pytest.raises(sad.UnsupportedOperationError, match=r"looking into what scipy\.linalg\.lu_factor returned"):
        sad.jacobian(lambda x: scipy.linalg.lu_factor(general(x))[0].diagonal(), X)
