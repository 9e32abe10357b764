"""The reference tells a right matrix from a wrong value and from a missing entry."""

import numpy as np
import pytest
import scipy.sparse

from coloring import SparsityPattern
from sparsead.measuring.reference import (
    along,
    curvature,
    difference_along,
    difference_of_curvature,
    difference_of_entries,
    finite_differences,
)

X = np.array([0.5, 1.5, 2.5])
COLORS = np.array([0, 1, 0])


def f(x, factor):
    return np.array([x[0] * x[1], factor * np.sin(x[2])])


def jacobian(factor):
    return scipy.sparse.csr_array(np.array([[X[1], X[0], 0.0], [0.0, 0.0, factor * np.cos(X[2])]]))


def test_along_a_direction():
    expected = [X[1] * 1.0 + X[0] * 2.0, 4.0 * np.cos(X[2]) * 3.0]
    np.testing.assert_allclose(along(f, X, np.array([1.0, 2.0, 3.0]), 4.0), expected, rtol=1e-15)


def test_right_values_differ_by_rounding():
    assert difference_along(f, X, jacobian(4.0), 4.0) < 1e-15
    assert difference_of_entries(f, X, jacobian(4.0), COLORS, 4.0) < 1e-15


def test_a_wrong_value_shows():
    assert difference_of_entries(f, X, jacobian(5.0), COLORS, 4.0) == pytest.approx(0.25)
    assert difference_along(f, X, jacobian(5.0), 4.0) == pytest.approx(0.2)


def test_a_missing_entry_shows_along_a_direction():
    J = jacobian(4.0).tolil()
    J[1, 2] = 0.0
    assert difference_along(f, X, scipy.sparse.csr_array(J), 4.0) == np.inf


def test_finite_differences_come_close():
    J = jacobian(4.0)
    found = finite_differences(f, X, SparsityPattern.from_scipy(J), COLORS, 4.0)()
    np.testing.assert_allclose(found.toarray(), J.toarray(), rtol=1e-6)


def g(x):
    return np.sum(np.sqrt(1.0 + (50.0 * np.diff(x)) ** 2)) + np.exp(x[0] * x[2])


def test_curvature_of_a_function_with_singularities_close_by():
    v = np.array([1.0, -2.0, 0.5])
    slopes, turns = 50.0 * np.diff(X), 50.0 * np.diff(v)
    along_chain = np.sum(turns**2 / (1.0 + slopes**2) ** 1.5)
    product, rate = X[0] * X[2], v[0] * X[2] + X[0] * v[2]
    expected = along_chain + np.exp(product) * (rate**2 + 2.0 * v[0] * v[2])
    assert curvature(g, X, v) == pytest.approx(expected, rel=1e-11)


def test_a_wrong_hessian_shows():
    H = scipy.sparse.csr_array(np.diag([2.0, 2.0, 6.0]))
    assert difference_of_curvature(lambda x: x[0] ** 2 + x[1] ** 2 + 3.0 * x[2] ** 2, X, H) < 1e-13
    assert difference_of_curvature(lambda x: x[0] ** 2 + x[1] ** 2 + 2.9 * x[2] ** 2, X, H) > 1e-3
