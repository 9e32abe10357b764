"""Constants with zeros: entries that are zero for every x are not stored, in no mode."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad

RNG = np.random.default_rng(5)
N = 9
MASK = RNG.random((N, N)) < 0.6
X = RNG.uniform(0.2, 1.0, (N, N))


def product(x):
    return MASK * np.sin(x) * np.roll(x, 1, axis=0)


def choice(x):
    padded = np.pad(x, 1)
    laplacian = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4.0 * x
    return np.where(MASK, laplacian + x**2, 0.0)


def weights(x):
    w = np.where(MASK, 2.0, 0.0) / 3.0
    return w * np.roll(x, 1, axis=1) ** 2 - x / (1.0 + w[::-1]) + (w * x).T


def block(x):
    w = np.ones((N, N))
    w[:3] = 0.0
    return w * x**2 * np.roll(x, 2, axis=1)


def summed(x):
    return np.array([np.sum(MASK * x**2), np.sum(np.where(MASK, 0.0, np.exp(x)))])


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("f", [product, choice, weights, block, summed])
def test_zeros_are_no_entries(f, mode):
    jac = sad.jacobian(f, X, mode=mode)
    directions = np.eye(N * N).reshape(-1, N, N)
    expected = np.stack([f(X + 1e-30j * e).imag.ravel() / 1e-30 for e in directions], axis=1)
    np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(jac.pattern.to_scipy().toarray() != 0, expected != 0)
    np.testing.assert_allclose(jac.jvp(X, X.ravel()), expected @ X.ravel(), rtol=1e-12)
    np.testing.assert_allclose(jac.value_and_jacobian(X)[0], f(X), rtol=1e-14)


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_zeros_are_no_entries_of_a_hessian(mode):
    hess = sad.hessian(lambda x: np.sum(MASK * (x * np.roll(x, 1, axis=1)) ** 2), X, mode=mode)
    H = hess(X).toarray()
    pairs = np.arange(N * N).reshape(N, N)
    expected = np.zeros_like(H)
    for here, other, a, b in zip(pairs[MASK], np.roll(pairs, 1, 1)[MASK], X[MASK], np.roll(X, 1, 1)[MASK], strict=True):
        expected[here, here] += 2.0 * b * b
        expected[other, other] += 2.0 * a * a
        expected[here, other] = expected[other, here] = 4.0 * a * b
    np.testing.assert_allclose(H, expected, rtol=1e-13)
    assert hess.pattern.nnz == np.count_nonzero(expected)


def test_a_zero_annihilates_infinities():
    jac = sad.jacobian(lambda x: np.array([1.0, 0.0]) * np.sqrt(x), np.ones(2))
    np.testing.assert_array_equal(jac(np.zeros(2)).toarray(), [[np.inf, 0.0], [0.0, 0.0]])


def test_a_block_of_zeros_leaves_a_block():
    [kernel] = sad.jacobian(block, X).linear.kernels
    assert kernel.domain == (N - 3, N)


def test_many_kinds_of_points_stay_one_kernel():
    masks = RNG.random((6, 500)) < 0.5

    def f(x):
        return sum(m * np.roll(x, k) ** 2 for k, m in enumerate(masks))

    jac = sad.jacobian(f, RNG.random(500))
    assert len(jac.linear.kernels) == 1 and jac.pattern.nnz == 3000
