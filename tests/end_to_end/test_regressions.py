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


PROGRAMS = [
    telescoping,
    read_while_incomplete, scatter_of_zeros, empty_operands, empty_reductions, constant_product, numbers_are_indexed,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["forward", "reverse", "direct"])
def test_jacobian(f, mode):
    jac = sad.jacobian(f, X, mode=mode, backend="python")
    assert_close(jac.value(X), f(X), 1e-14)
    assert_close(jac(X).toarray(), complex_step(f, X), 1e-13)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["column", "star", "direct"])
def test_hessian(f, mode):
    def g(x):
        return np.sum(f(x) ** 2)

    expected = differences(lambda x: complex_step(g, x), X)
    assert_close(sad.hessian(g, X, mode=mode, backend="python")(X).toarray(), expected, 1e-8)
