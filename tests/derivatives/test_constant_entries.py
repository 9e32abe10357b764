"""Entries that do not depend on x are left alone when the caller asks for it, and only then."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import sparsead as sad
from sparsead.derivatives import constant_entries

X = np.linspace(0.1, 1.0, 12)


def reaction(x, a=3.0):
    """Three entries a row: two without x, which depend on an argument, and one with it."""
    return a * (np.roll(x, 1) + np.roll(x, -1)) + x**3


def test_constants_are_not_written_again():
    jac = sad.jacobian(reaction, X, 3.0, mode="direct")
    J = jac(X, 3.0, keep_constants=True)
    J.data *= 2.0  # breaks the promise: that is how the test sees what is written
    jac(2 * X, 3.0, out=J, keep_constants=True)
    expected = jac(2 * X, 3.0).toarray()
    np.testing.assert_array_equal(J.diagonal(), expected.diagonal())
    off = ~np.eye(12, dtype=bool)
    np.testing.assert_array_equal(J.toarray()[off], 2 * expected[off])


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_by_default_scaled_values_are_right_again(mode):
    jac = sad.jacobian(reaction, X, 3.0, mode=mode)
    J = jac(X, 3.0)
    J.data *= 2.0
    np.testing.assert_array_equal(jac(2 * X, 3.0, out=J).data, jac(2 * X, 3.0).data)
    jac(X, 3.0, out=J, keep_constants=True)
    J.data *= 2.0
    np.testing.assert_array_equal(jac(2 * X, 3.0, out=J).data, jac(2 * X, 3.0).data)
    J.data *= 2.0  # a call without the promise came between: this one fills everything
    np.testing.assert_array_equal(jac(X, 3.0, out=J, keep_constants=True).data, jac(X, 3.0).data)


def test_new_arguments_and_new_arrays_are_filled_whole():
    jac = sad.jacobian(reaction, X, 3.0, mode="direct")
    J = jac(X, 3.0, keep_constants=True)
    np.testing.assert_array_equal(jac(X, 5.0, out=J, keep_constants=True).data, jac(X, 5.0).data)
    J.data = np.full_like(J.data, np.nan)
    np.testing.assert_array_equal(jac(X, 5.0, out=J, keep_constants=True).data, jac(X, 5.0).data)
    data = np.full(J.nnz, np.nan)
    np.testing.assert_array_equal(jac.values(X, 5.0, out=data, keep_constants=True), jac(X, 5.0).data)
    data[:] = 7.0
    assert (jac.values(X, 5.0, out=data, keep_constants=True) == 7.0).sum() == 24


def test_matrices_that_share_an_array():
    one, other = (sad.jacobian(lambda x, c=c: c * np.roll(x, 1) + x**2, X, mode="direct") for c in (2.0, 5.0))
    J = one(X, keep_constants=True)
    other(X, out=J, keep_constants=True)
    np.testing.assert_array_equal(one(X, out=J, keep_constants=True).data, one(X).data)
    other(X, out=J)
    np.testing.assert_array_equal(one(X, out=J, keep_constants=True).data, one(X).data)
    one.value_and_jacobian(X, out=(None, J))
    assert not constant_entries.holds(J.data, one, {})


def test_branches_that_share_an_array():
    def f(x):
        factor = 2.0 if x[0] > 0.5 else 5.0
        return factor * np.roll(x, 1) + x**2

    jac = sad.jacobian(f, X, mode="direct", guard="record")
    J = jac(X, keep_constants=True)
    for x in (1.0 - X, X, 1.0 - X):
        expected = sad.jacobian(f, x, mode="direct", guard="record")(x)
        np.testing.assert_array_equal(jac(x, out=J, keep_constants=True).data, expected.data)


@pytest.mark.parametrize("mode", ["direct", "star"])
def test_kept_entries_of_hessians_are_right(mode):
    hess = sad.hessian(lambda x: np.sum(x[1:] * x[:-1] * 4.0) + np.sum(x**4), X, mode=mode)
    H = hess(X, keep_constants=True)
    for x in (2 * X, 3 * X):
        np.testing.assert_array_equal(hess(x, out=H, keep_constants=True).data, hess(x).data)
        order = hess.values(x, order="csc", keep_constants=True)
        np.testing.assert_array_equal(order, hess.values(x, order="csc"))


@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_kept_entries_behind_intermediate_arrays_are_right(mode):
    def layered(x):
        y = np.cumsum(np.exp(x) * np.roll(x, 1))
        return y * np.roll(y, 2) + 3.0 * x

    jac = sad.jacobian(layered, X, mode=mode)
    J = jac(X, keep_constants=True)
    for x in (2 * X, 3 * X):
        np.testing.assert_array_equal(jac(x, out=J, keep_constants=True).data, jac(x).data)


def test_arrays_that_are_gone_are_forgotten():
    before = len(constant_entries._known)
    jac = sad.jacobian(reaction, X, 3.0)
    J = jac(X, 3.0, keep_constants=True)
    assert len(constant_entries._known) == before + 1
    del J
    gc.collect()
    assert len(constant_entries._known) == before
