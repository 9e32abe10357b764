"""Derivatives of determinants of singular matrices: polynomials in the elements, against exact expansions by minors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import sparsead as sad
from sparsead.ops.solves import adjugate, cofactor_slopes

RNG = np.random.default_rng(3)


def of_rank(n, rank):
    return RNG.integers(-2, 3, (n, rank)) @ RNG.integers(-2, 3, (rank, n)).astype(float)


def minor(a, rows, columns):
    left = np.delete(np.delete(a, rows, 0), columns, 1)
    return np.linalg.det(left) if left.size else 1.0


def hessian_by_minors(a):
    """Return second derivatives: signed minors without two rows and two columns."""
    n = len(a)
    H = np.zeros((n, n, n, n))
    for i, k in itertools.permutations(range(n), 2):
        for j, m in itertools.permutations(range(n), 2):
            sign = (-1.0) ** (i + j + k + m) * (1.0 if (i < k) == (j < m) else -1.0)
            H[i, j, k, m] = sign * minor(a, [i, k], [j, m])
    return H


MATRICES = {
    "ones": np.ones((5, 5)), "zeros": np.zeros((6, 6)), "rank n - 1": of_rank(5, 4), "rank n - 2": of_rank(6, 4),
    "rank n - 3": of_rank(5, 2), "regular": RNG.standard_normal((5, 5)), "permuted": np.eye(6)[::-1],
}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
def test_hessians_of_singular_matrices(name):
    a = MATRICES[name]
    n, scale = len(a), max(np.abs(a).max(), 1.0) ** (len(a) - 2) * 50
    hess = sad.hessian(lambda x: np.linalg.det(x.reshape(n, n)), RNG.standard_normal(n * n))
    expected = hessian_by_minors(a).reshape(n * n, n * n)
    np.testing.assert_allclose(hess(a.ravel()).toarray(), expected, rtol=1e-10, atol=1e-13 * scale)
    value, gradient, H = hess.value_gradient_and_hessian(a.ravel())
    np.testing.assert_allclose(value, np.linalg.det(a), atol=1e-13 * scale)
    np.testing.assert_allclose(gradient.reshape(n, n), adjugate(a).T, rtol=1e-10, atol=1e-13 * scale)
    np.testing.assert_allclose(H.toarray(), expected, rtol=1e-10, atol=1e-13 * scale)


def test_slopes_of_stacked_matrices():
    stack = np.stack([MATRICES["ones"], MATRICES["rank n - 1"], MATRICES["regular"]])
    for found, a in zip(cofactor_slopes(stack), stack, strict=True):
        np.testing.assert_allclose(found, hessian_by_minors(a), atol=1e-10)


def test_functions_of_determinants_of_stacked_singular_matrices():
    a = np.stack([MATRICES["ones"], MATRICES["rank n - 1"]])

    def f(x):
        d = np.linalg.det(x.reshape(2, 5, 5) * 1.0)
        return d[0] ** 2 + np.sin(d[1]) + d[0] * d[1]

    H = sad.hessian(f, RNG.standard_normal(50))(a.ravel()).toarray()
    first = np.concatenate([adjugate(a)[0].T.ravel(), np.zeros(25)])
    second = np.concatenate([np.zeros(25), adjugate(a)[1].T.ravel()])
    d = np.linalg.det(a)
    blocks = np.zeros((2, 50, 50))
    for k in range(2):
        blocks[k, 25 * k : 25 * (k + 1), 25 * k : 25 * (k + 1)] = hessian_by_minors(a[k]).reshape(25, 25)
    expected = (
        2.0 * np.outer(first, first) - np.sin(d[1]) * np.outer(second, second)
        + np.outer(first, second) + np.outer(second, first)
        + (2.0 * d[0] + d[1]) * blocks[0] + (np.cos(d[1]) + d[0]) * blocks[1]
    )  # fmt: skip
    np.testing.assert_allclose(H, expected, rtol=1e-9, atol=1e-9)


def test_a_jacobian_of_a_gradient():
    a = MATRICES["rank n - 1"]
    slope = sad.jacobian(lambda x: sad.grad(lambda y: np.linalg.det(y.reshape(5, 5)))(x), RNG.standard_normal(25))
    np.testing.assert_allclose(slope(a.ravel()).toarray(), hessian_by_minors(a).reshape(25, 25), atol=1e-10)
