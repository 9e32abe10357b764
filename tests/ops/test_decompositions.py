"""Factorizations and matrix functions against differences, hand formulas, and SciPy's own derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import sparsead as sad
from sparsead.kernels import fusion
from sparsead.ops.implicit import carried, held, restated
from tests.reference import assert_close, differences

X = np.array([0.31, 0.74, 0.52, 0.93, 0.17, 0.66])


def square(x):
    return np.outer(x[:3], x[3:]) + np.diag([2.0, 4.0, 7.0])


def wide(x):
    return x.reshape(2, 3)


def approximated(x):
    u, s, vh = np.linalg.svd(square(x))
    return s[0] * np.outer(u[:, 0], vh[0])


FUNCTIONS = [
    approximated,
    lambda x: np.linalg.svd(np.stack([wide(x), wide(x[::-1])]), full_matrices=False)[2],
    lambda x: np.linalg.svd(wide(x).T, full_matrices=False).U,
    lambda x: np.linalg.svd(wide(x))[0] * np.linalg.svdvals(wide(x)),
    lambda x: np.linalg.qr(np.stack([wide(x).T, wide(x[::-1]).T]))[0],
    lambda x: np.linalg.qr(wide(x))[1],
    lambda x: np.linalg.pinv(wide(x).T),
    lambda x: np.linalg.lstsq(wide(x).T, x[:3] ** 2, rcond=None)[0],
    lambda x: np.linalg.lstsq(np.ones((6, 2)), x, rcond=None)[0] * x[:2],  # a constant one of lower rank
    lambda x: np.linalg.norm(np.stack([wide(x), wide(x) ** 2]), 2, axis=(2, 0), keepdims=True),
    lambda x: np.linalg.cond(square(x)) * x,
    lambda x: scipy.linalg.expm(x[0] * square(x)) @ x[:3],
    lambda x: scipy.linalg.eigh(square(x) + square(x).T, subset_by_index=[0, 1])[1],
    lambda x: scipy.linalg.eigh(square(x) + square(x).T, np.eye(3) + np.outer(x[:3], x[:3]))[1],
    lambda x: scipy.linalg.toeplitz(c=x, r=x**2) @ x,
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_both_derivatives(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-8)
    weights = np.cos(np.arange(np.size(f(X))))
    hess = sad.hessian(lambda x: np.sum(weights * np.ravel(f(x))), X)
    np.testing.assert_allclose(
        hess(X).toarray(), differences(lambda x: weights @ jac(x).toarray(), X), rtol=1e-7, atol=1e-7
    )


def test_the_exponential_has_the_derivatives_of_frechet():
    jac = sad.jacobian(lambda x: scipy.linalg.expm(x.reshape(3, 3)), np.arange(9.0) / 9.0)
    rng = np.random.default_rng(3)
    for scale in (1e-8, 1.0, 30.0):
        a = scale * (rng.standard_normal((3, 3)) - 2.0 * np.eye(3))
        units = np.eye(9).reshape(9, 3, 3)
        expected = np.stack([scipy.linalg.expm_frechet(a, e, compute_expm=False).ravel() for e in units], axis=1)
        np.testing.assert_allclose(jac(a.ravel()).toarray(), expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


def test_where_there_is_no_derivative_is_said():
    for f, match in [
        (lambda x: np.linalg.svd(wide(x))[2][:2], "full_matrices=False"),
        (lambda x: np.linalg.qr(wide(x).T, mode="complete")[0], "reduced"),
        (lambda x: scipy.linalg.sqrtm(square(x)), "eigh"),
        (lambda x: scipy.linalg.lu(square(x))[2], "slogdet"),
    ]:
        with pytest.raises(sad.UnsupportedOperationError, match=match):
            sad.jacobian(f, X)
    jac = sad.jacobian(lambda x: np.linalg.pinv(wide(x)), X)
    with pytest.raises(np.linalg.LinAlgError, match="rank"):
        jac(np.ones(6))
    vectors = sad.jacobian(lambda x: np.linalg.svd(x[:4].reshape(2, 2))[0], X)
    with pytest.raises(np.linalg.LinAlgError, match="repeated"):
        vectors(np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]))


BELOW = np.array([1.3, 0.2, -0.4, 2.1])  # singular values that differ by a factor of two


@pytest.mark.parametrize(
    "inverse",
    [
        lambda a, c: np.linalg.pinv(a, c),
        lambda a, c: np.linalg.pinv(a, rtol=c),
        lambda a, c: np.linalg.pinv(np.stack([a, a.T]), rcond=np.array([1e-3, c]))[1],
        lambda a, c: np.linalg.pinv(a * (1.0 + 2.0j), rcond=c).imag,
        lambda a, c: np.linalg.pinv(a, rcond=c, hermitian=True),
        lambda a, c: np.linalg.pinv(a + 1j * a.T, rcond=c, hermitian=True).imag,
        lambda a, c: scipy.linalg.pinv(a, rtol=c),
        lambda a, c: scipy.linalg.pinv(a, atol=2.0 * c),
        lambda a, c: np.linalg.lstsq(a, a[0], rcond=c)[0],
        lambda a, c: scipy.linalg.lstsq(a, a[0], cond=c)[0],
    ],
)
def test_singular_values_below_a_bound_count(inverse):
    within, beyond = 0.01, 0.99
    jac = sad.jacobian(lambda x: inverse(x.reshape(2, 2), within).ravel(), BELOW)
    assert_close(jac(BELOW).toarray(), differences(lambda x: inverse(x.reshape(2, 2), within).ravel(), BELOW), 1e-7)
    with pytest.raises(np.linalg.LinAlgError, match="rank"):
        sad.jacobian(lambda x: inverse(x.reshape(2, 2), beyond).ravel(), BELOW, check=False)(BELOW)
    with pytest.raises(ValueError, match="both"):
        sad.jacobian(lambda x: np.linalg.pinv(x.reshape(2, 2), 0.1, rtol=0.1), BELOW)


@pytest.mark.parametrize("shape", [(18, 2), (2, 18)])
def test_hessians_of_long_sums(shape):
    """Sums of more terms than are written out are stored; what is stored is not restated."""
    first, second = np.random.default_rng(1).standard_normal((2, *shape))

    def f(t):
        return np.sum(np.sin(np.linalg.pinv(first + np.sin(t[0]) * second + t[1] ** 2)))

    t = np.array([0.3, 0.4])
    hess = sad.hessian(f, t)
    assert_close(hess(t).toarray(), differences(hess.gradient, t), 1e-8)


def test_products_of_carriers_are_refused_rather_than_taken_as_constant():
    def pseudoinverse(a):
        p, carrier = carried("a pseudoinverse", np.linalg.pinv, a.shape[::-1], a)
        change = a - held(a)
        return restated(p - p @ change @ p + (p @ p.T) @ change.T, carrier)

    first, second = np.random.default_rng(1).standard_normal((2, 18, 2))
    with pytest.raises(sad.UnsupportedOperationError, match="second derivative of a pseudoinverse"):
        sad.hessian(lambda t: np.sum(np.sin(pseudoinverse(first + t[0] * second))), np.ones(1), check=False)


def test_copies_of_carriers_are_refused_rather_than_taken_as_constant(monkeypatch):
    """In buffers of their own: each kernel numbers its expressions anew, and all of them are looked at."""

    def f(x):
        a = x[:9].reshape(3, 3)
        return np.sum(np.sin(np.linalg.solve(a + 1j * a**2 + 4.0 * np.eye(3), x.reshape(3, 4) + 1j).imag))

    x = np.random.default_rng(2).uniform(0.2, 0.8, 12)
    hess = sad.hessian(f, x)
    assert_close(hess(x).toarray(), differences(hess.gradient, x), 1e-8)
    monkeypatch.setattr(fusion, "_of_carriers", lambda nodes: set())
    with pytest.raises(sad.UnsupportedOperationError, match=r"second derivative of np.linalg.inv"):
        sad.hessian(f, x, check=False)
