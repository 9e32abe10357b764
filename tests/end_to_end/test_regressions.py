"""Small programs that once went wrong, most of them found as random programs; each stays right."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, complex_step, differences

X = np.array([0.4, 0.7, 0.5, 0.3, 0.65, 0.45])


def read_while_incomplete(x):
    """The gradient has writers before and after the adjoint of the scatter-add: the last one completes it."""
    v = np.sin(x).reshape(3, 1, 2)
    out = np.zeros((3, 1, 2), dtype=x.dtype)
    np.add.at(out, [0, 0, 0], np.sin(v))
    return np.concatenate([np.ravel(v), np.ravel(out)])


def scatter_of_zeros(x):
    out = np.zeros(3, dtype=x.dtype)
    np.add.at(out, [0, 0, 0], np.zeros(3, dtype=x.dtype))
    return np.concatenate([out, np.sin(out), x])


def empty_operands(x):
    return np.concatenate([(x[3:1] + x[:1, None])[0], x * x])


def empty_reductions(x):
    nothing = np.ones_like(x.reshape(2, 3)[:, :0])
    return np.concatenate([np.prod(nothing, axis=1), np.sum(nothing, axis=1), nothing.sum(axis=0), x])


def constant_product(x):
    """A product with a matrix of zeros is constant, and goes into a sparse product all the same."""
    import scipy.sparse

    return np.concatenate([(x[:3] @ np.zeros((3, 2))) @ scipy.sparse.csr_array(np.eye(2)), x])


def numbers_are_indexed(x):
    return np.stack([np.prod(x)[...], np.prod(x)[()], x[0][...]])


def telescoping(x):
    """One triangle of the Hessian folds to zero where the other is a sum that only happens to vanish."""
    return np.array([np.sum(np.diff(x)) ** 3, x[0]])


def sum_without_terms(x):
    """The elements read have no terms of the sum."""
    return np.concatenate([x, (np.eye(3, 6) * [[1.0], [0.0], [0.0]] @ x)[1:]])


def resized_nothing(x):
    return np.concatenate([np.resize(np.sin(x[3:1]), 3), x * x])


def meeting_maps(x):
    """Terms of a Hessian whose index maps meet at some points only: both triangles add them in one order."""
    t, s = [0, 1, 2, 0, 1], [1, 2, 0, 1, 3]
    return x[t] * np.sin(x[s]) * x[[2, 0, 1, 2, 0]] + x[s] ** 3 * x[t]


def linear_recurrence(x):
    """In the second derivative the adjoint of the recurrence depends on nothing but itself."""
    v = np.zeros(40, dtype=x.dtype)
    for i in range(1, 40):
        v[i] = 0.3 * v[i - 1] + 0.2 * x[2 * i % 6]
    return np.concatenate([v[3::9], x[:1] ** 2])


def nothing_written(x):
    """NumPy lets some shapes without elements pass that do not fit."""
    v = x[:4].reshape(2, 1, 2) * 1.0
    v.T[[True, False], [False], -1::-1] = v[[True, False], [False], -1::-1] * v
    return v


PROGRAMS = [
    nothing_written,
    telescoping, linear_recurrence, sum_without_terms, resized_nothing, meeting_maps,
    read_while_incomplete, scatter_of_zeros, empty_operands, empty_reductions, constant_product, numbers_are_indexed,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["forward", "reverse", "direct"])
def test_jacobians_are_those_of_complex_steps(f, mode):
    jac = sad.jacobian(f, X, mode=mode, backend="python")
    assert_close(jac.value(X), f(X), 1e-14)
    assert_close(jac(X).toarray(), complex_step(f, X), 1e-13)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["column", "star", "direct"])
def test_hessians_are_those_of_differences(f, mode):
    def g(x):
        return np.sum(f(x) ** 2)

    expected = differences(lambda x: complex_step(g, x), X)
    matrix = sad.hessian(g, X, mode=mode, backend="python")(X).toarray()
    assert_close(matrix, expected, 1e-8)
    np.testing.assert_array_equal(matrix, matrix.T)


def test_entries_that_no_kernel_computes_are_zero():
    """Rows 1 to 4 have entries only because the pattern is symmetric; they once held what was in memory before."""
    for mode in ("column", "star", "acyclic", "direct"):
        hess = sad.hessian(lambda x: np.sum(telescoping(x) ** 2), X, mode=mode, backend="python")
        matrix = hess(X)
        matrix.data[:] = np.nan
        assert np.isfinite(hess(X, out=matrix).data).all()


@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional", "direct"])
def test_a_larger_pattern_is_filled_up_with_zeros(mode):
    for f in (lambda x: np.ones(6), lambda x: np.concatenate([x[:2] ** 2, np.ones(4)])):
        jac = sad.jacobian(f, X, mode=mode, pattern=np.ones((6, 6)), backend="python")
        matrix = jac(X)
        matrix.data[:] = np.nan
        assert_close(jac(X, out=matrix).toarray(), complex_step(f, X), 1e-14)
        assert jac.value_and_jacobian(X)[0].tolist() == f(X).tolist()
