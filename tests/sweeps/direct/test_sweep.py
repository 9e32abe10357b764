"""Direct accumulation: entries that are stored, added, pre-summed; sparse rows through several layers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import sparsead as sad

X = np.linspace(0.2, 1.4, 30)


def checked(f, x=X):
    jac = sad.jacobian(f, x, mode="direct")
    expected = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)], axis=1)
    J = jac(x)
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-12, atol=1e-13)
    J.data[:] = np.nan  # every entry must be rewritten
    np.testing.assert_allclose(jac(x, out=J).toarray(), expected, rtol=1e-12, atol=1e-13)
    return jac


def test_entries_of_one_coefficient_are_stored():
    jac = checked(lambda x: x[1:] ** 2 * x[:-1])
    assert "+=" not in jac.source


def test_shared_entries_are_added():
    def f(x):
        out = np.zeros(30, x.dtype)
        np.add.at(out, np.arange(75) % 30, np.concatenate([x**2, np.sin(x), np.cos(x[:15])]))
        return out

    assert "+=" in checked(f).source


def test_constants_are_added_up_beforehand():
    def rosenbrock(x):  # each diagonal entry is 200 from one term and a varying number from the next
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    hess = sad.hessian(rosenbrock, X, mode="direct")
    np.testing.assert_allclose(hess(X).toarray(), scipy.optimize.rosen_hess(X), rtol=1e-13)
    assert "+=" not in hess.source
    assert "base" in hess.source


def test_constant_matrix_is_only_written():
    A = scipy.sparse.random_array((20, 30), density=0.2, random_state=np.random.default_rng(1), format="csr")
    jac = checked(lambda x: A @ x)
    np.testing.assert_array_equal(jac(X).toarray(), A.toarray())


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_rows_through_layers(layers):
    A = scipy.sparse.random_array((30, 30), density=0.1, random_state=np.random.default_rng(2), format="csr")

    def f(x):
        y = x
        for _ in range(layers):
            y = np.sin(A @ (y * y)) + 0.5 * y
        return y

    checked(f)


def test_layers_and_direct_terms_meet_in_one_row():
    A = scipy.sparse.random_array((30, 30), density=0.1, random_state=np.random.default_rng(4), format="csr")
    checked(lambda x: (A @ x) ** 2 * x + 2.0 * x[::-1])
