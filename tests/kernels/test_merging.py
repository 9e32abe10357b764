"""Kernels that read through the same tables: put together where the order of the steps allows it."""

from __future__ import annotations

import numpy as np
import scipy.sparse

import sparsead as sad

PICK = np.random.default_rng(3).permutation(40)
A = scipy.sparse.random_array((40, 40), density=0.1, random_state=np.random.default_rng(4), format="csr")


def test_two_sums_over_the_entries_of_one_matrix_are_one_loop():
    def f(x):
        return (A @ x) * np.exp(A @ x**2)

    jac = sad.jacobian(f, np.ones(40))
    sums = [k for k in jac.kernels.kernels if any(s.adds for s in k.stores)]
    assert len(sums) == 1 and len(sums[0].stores) == 2
    x = np.linspace(0.1, 0.7, 40)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-13)


def test_a_sum_waits_for_what_it_reads():
    def f(x):
        y = np.sin(A @ x)
        return np.cos(A @ (y * y))

    x = np.linspace(0.1, 0.7, 40)
    jac = sad.jacobian(f, x)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-13)
    expected = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(40)], axis=1)
    np.testing.assert_allclose(jac(x).toarray(), expected, rtol=1e-12, atol=1e-14)


def test_pieces_of_one_array_keep_their_values():
    def f(x):
        y = np.zeros_like(x)
        y[PICK[:15]] = np.sin(x[PICK[:15]])
        y[PICK[15:]] = np.cos(x[PICK[15:]])
        return y * (A @ y) + np.exp(-(A @ y**2))

    x = np.linspace(0.1, 0.7, 40)
    jac = sad.jacobian(f, x)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-13)
