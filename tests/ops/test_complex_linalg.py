"""Linear algebra of complex matrices: any size, stacked, mixed with real ones, to second order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg as sl

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.71, 0.43, 1.31, 0.92, 0.23, 1.14])


def matrix(x, n):
    """A matrix with entries of both parts, well conditioned."""
    z = np.exp(1j * np.resize(x, n)[:, None]) * np.resize(x, n * n).reshape(n, n)
    return 0.3 * z + np.diag(np.arange(2.0, n + 2.0)) * (1.0 + 0.5j)


def hermitian(x, n):
    z = matrix(x, n)
    return z @ np.conj(z.T) + np.diag(np.arange(1.0, n + 1.0))


def stacked(x, n):
    return np.stack([matrix(x, n), 1j * matrix(x * x, n)])


def flat(z):
    return np.concatenate([np.ravel(np.real(z)), np.ravel(np.imag(z))])


FUNCTIONS = {
    "inv": lambda x, n: flat(np.linalg.inv(matrix(x, n))),
    "inv, stacked": lambda x, n: flat(np.linalg.inv(stacked(x, n))),
    "det": lambda x, n: flat(np.linalg.det(matrix(x, n)))[:2] / 10.0**n,
    "det, stacked": lambda x, n: flat(np.linalg.det(stacked(x, n))) / 10.0**n,
    "slogdet": lambda x, n: np.append(flat(np.linalg.slogdet(matrix(x, n))[0]), np.linalg.slogdet(matrix(x, n))[1]),
    "solve": lambda x, n: flat(np.linalg.solve(matrix(x, n), np.resize(x, n))),
    "solve, columns": lambda x, n: flat(np.linalg.solve(matrix(x, n), matrix(x, n).T[:, :2])),
    "solve, real": lambda x, n: flat(np.linalg.solve(np.real(matrix(x, n)), 1j * np.resize(x, n))),
    "solve, known": lambda x, n: flat(np.linalg.solve(matrix(X, n), np.resize(x, n))),
    "cholesky": lambda x, n: flat(np.linalg.cholesky(hermitian(x, n))),
    "cholesky, scipy": lambda x, n: flat(sl.cholesky(hermitian(x, n))),
    "eigvalsh": lambda x, n: np.linalg.eigvalsh(hermitian(x, n)),
    "eigh": lambda x, n: np.linalg.eigh(hermitian(x, n), "U")[0],
    "solve, hermitian": lambda x, n: flat(sl.solve(hermitian(x, n), np.resize(x, n), assume_a="her", lower=True)),
    "cho_solve": lambda x, n: flat(sl.cho_solve(sl.cho_factor(hermitian(x, n)), 1j * np.resize(x, n))),
    "triangular, adjoint": lambda x, n: flat(sl.solve_triangular(matrix(x, n), np.resize(x, n), trans=2)),
    "triangular": lambda x, n: flat(sl.solve_triangular(matrix(x, n), 1j * np.resize(x, n), trans="T", lower=True)),
    "lu, adjoint": lambda x, n: flat(sl.lu_solve(sl.lu_factor(matrix(x, n)), np.resize(x, n), trans=2)),
    "power": lambda x, n: flat(np.linalg.matrix_power(matrix(x, n), -2)),
}


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_jacobian_and_hessian(name, n):
    def f(x):
        return FUNCTIONS[name](x, n)

    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-11, atol=1e-13)
    assert_close(jac(X).toarray(), differences(f, X), 1e-8)
    if n < 4 or name == "det":
        hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), X, check=False, backend="python")
        assert_close(hess(X).toarray(), differences(hess.gradient, X), 1e-6)


SINGULAR = {
    "svdvals": lambda x, n: np.linalg.svdvals(matrix(x, n)),
    "svd, tall and stacked": lambda x, n: np.linalg.svd(stacked(x, n + 2)[..., :n], full_matrices=False)[1].ravel(),
    "pinv": lambda x, n: flat(np.linalg.pinv(matrix(x, n + 1)[:, :n])),
    "pinv, wide": lambda x, n: flat(np.linalg.pinv(stacked(x, n + 1)[:, :n])),
    "lstsq": lambda x, n: flat(np.linalg.lstsq(matrix(x, n + 1)[:, :n], np.resize(x, n + 1))[0]),
    "lstsq, rest": lambda x, n: np.linalg.lstsq(matrix(x, n + 1)[:, :n], matrix(x, n + 1))[1],
    "lstsq, known": lambda x, n: flat(sl.lstsq(np.real(matrix(X, n + 1)[:, :n]), 1j * np.resize(x, n + 1))[0]),
    "norms": lambda x, n: np.array([np.linalg.norm(matrix(x, n), o) for o in (2, -2, "nuc", "fro")]),
    "norms, stacked": lambda x, n: np.linalg.norm(stacked(x, n), "nuc", axis=(1, 2), keepdims=True).ravel(),
    "cond": lambda x, n: np.array([np.linalg.cond(matrix(x, n), p) for p in (None, -2, "fro")]),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_values_and_least_squares(name):
    def f(x):
        return SINGULAR[name](x, 2)

    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-11, atol=1e-13)
    assert_close(jac(X).toarray(), differences(f, X), 1e-8)
    if name in ("svdvals", "pinv", "lstsq, rest"):
        hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), X, check=False, backend="python")
        assert_close(hess(X).toarray(), differences(hess.gradient, X), 1e-6)


def test_a_modulus_is_a_singular_value():
    hess = sad.hessian(lambda x: np.linalg.svdvals(np.array([[x[0] + 1j * x[1]]]))[0], X[:2], check=False)
    (a, b), r = X[:2], np.hypot(*X[:2])
    np.testing.assert_allclose(hess(X[:2]).toarray(), np.array([[b * b, -a * b], [-a * b, a * a]]) / r**3, rtol=1e-12)


def test_what_has_no_rule_says_so():
    with pytest.raises(sad.UnsupportedOperationError, match="known up to a factor of modulus 1"):
        sad.jacobian(lambda x: np.abs(np.linalg.eigh(hermitian(x, 3))[1]), X)
    with pytest.raises(sad.UnsupportedOperationError, match="the real matrix of twice the size"):
        sad.jacobian(lambda x: np.abs(np.linalg.eigvals(matrix(x, 3))), X)
    with pytest.raises(sad.UnsupportedOperationError, match="singular vectors"):
        sad.jacobian(lambda x: np.abs(np.linalg.svd(matrix(x, 3))[0]), X)
    with pytest.raises(sad.UnsupportedOperationError, match="cholesky"):
        sad.jacobian(lambda x: np.abs(np.linalg.qr(matrix(x, 3))[1]), X)
    with pytest.raises(NotImplementedError, match="complex matrices"):
        sad.jacobian(lambda x: np.abs(sl.solve(matrix(x, 3), x[:3], transposed=True)), X)


def test_a_repeated_eigenvalue_is_an_error_at_the_call():
    jac = sad.jacobian(lambda x: np.linalg.eigvalsh(np.diag(x[:3]) * (1.0 + 0.0j)), X, check=False)
    assert_close(jac(X).toarray()[:, :3].sum(axis=1), np.ones(3))
    hess = sad.hessian(lambda x: np.linalg.eigvalsh(np.diag(x[:3]) + 1j * np.diag(x[:2], 1))[0], X, check=False)
    with pytest.raises(np.linalg.LinAlgError, match="repeated"):
        hess(np.ones(6) * 0.0)
