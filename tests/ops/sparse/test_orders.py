"""Every format and class, in every place of every operation, against the same on dense arrays by complex steps."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import sparsead as sad
from tests.reference import assert_close, complex_step, differences

N = 4
ROWS, COLUMNS = np.array([0, 0, 1, 2, 2, 3, 3]), np.array([0, 2, 1, 0, 2, 3, 1])
FIXED = np.array([2.0, -1.0, 3.0, 0.5, 4.0, 5.0, -0.7])
X = np.random.default_rng(3).uniform(0.6, 1.6, 2 * FIXED.size)
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
KINDS = [*itertools.product(FORMATS, ("array", "matrix"))]
ORDERS = {"unknown, known": (True, False), "known, unknown": (False, True), "unknown, unknown": (True, True)}


def sparse(kind, values):
    """Return the matrix of a format and a class with these values."""
    form, family = kind
    A = getattr(sp, f"coo_{family}")((values, (ROWS, COLUMNS)), shape=(N, N))
    return A.asformat(form)


def dense(values):
    A = np.zeros((N, N), dtype=values.dtype)
    A[ROWS, COLUMNS] = values
    return A


def flat(A):
    return np.reshape(A.toarray() if sp.issparse(A) else np.asarray(A), -1)


# What is made of two sparse matrices, a vector and a number; and the same of dense ones.
OPERATIONS = {
    "sum": (lambda A, B, v, s: A + B, lambda A, B, v, s: A + B),
    "difference": (lambda A, B, v, s: A - B, lambda A, B, v, s: A - B),
    "product": (lambda A, B, v, s: A @ B, lambda A, B, v, s: A @ B),
    "elements": (lambda A, B, v, s: A.multiply(B), lambda A, B, v, s: A * B),
    "rows": (lambda A, B, v, s: A.multiply(v[:, None]), lambda A, B, v, s: A * v[:, None]),
    "columns": (lambda A, B, v, s: B.multiply(v), lambda A, B, v, s: B * v),
    "number": (lambda A, B, v, s: s * A + B * s + A / s, lambda A, B, v, s: s * A + B * s + A / s),
    "vector": (lambda A, B, v, s: A @ v + v @ B + B.T @ v, lambda A, B, v, s: A @ v + v @ B + B.T @ v),
    "block": (lambda A, B, v, s: A @ np.outer(v, v[:2]), lambda A, B, v, s: A @ np.outer(v, v[:2])),
    "kron": (lambda A, B, v, s: sp.kron(A, B), lambda A, B, v, s: np.kron(A, B)),
    "stacks": (
        lambda A, B, v, s: sp.block_array([[A, B], [None, s * A]]),
        lambda A, B, v, s: np.block([[A, B], [np.zeros((N, N)), s * A]]),
    ),
    "slices": (lambda A, B, v, s: A.tocsr()[1:3] @ B.tocsc()[:, [0, 2]], lambda A, B, v, s: A[1:3] @ B[:, [0, 2]]),
    "sums": (
        lambda A, B, v, s: np.ravel(A.sum(axis=0)) * np.ravel(B.sum(axis=1)) + A.diagonal() * B.diagonal(k=0),
        lambda A, B, v, s: A.sum(axis=0) * B.sum(axis=1) + np.diag(A) * np.diag(B),
    ),
    "power": (lambda A, B, v, s: A.power(3) + B.power(2), lambda A, B, v, s: A**3 + B**2),
    "solve": (
        lambda A, B, v, s: spla.spsolve((A + 9.0 * sp.eye_array(N)).tocsc(), B @ v),
        lambda A, B, v, s: np.linalg.solve(A + 9.0 * np.eye(N), B @ v),
    ),
}


def function(number, make, unknown):
    """Return the function of the unknowns that makes all operations: sparse ones (0), or dense ones (1)."""

    def f(x):
        first = x[:7] if unknown[0] else FIXED
        second = x[7:] if unknown[1] else FIXED[::-1].copy()
        A, B, v, s = make(first), make(second), x[3:7], x[0]
        return np.concatenate([flat(operation[number](A, B, v, s)) for operation in OPERATIONS.values()])

    return f


@functools.cache
def expected(order):
    """Return value, Jacobian, and the Hessian of a weighted sum, of dense arrays."""
    f = function(1, dense, ORDERS[order])
    weights = np.cos(np.arange(f(X).size))
    hessian = differences(lambda x: weights @ complex_step(f, x), X, 1e-3)
    return f(X), complex_step(f, X), weights, hessian


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS, ids="_".join)
def test_all_operations(kind, order):
    f = function(0, functools.partial(sparse, kind), ORDERS[order])
    value, jacobian, _, _ = expected(order)
    jac = sad.jacobian(f, X, check=False, backend="python")
    assert_close(jac.value(X), value, 1e-13)
    assert_close(jac(X).toarray(), jacobian, 1e-12)


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [KINDS[k] for k in (0, 3, 5, 8)], ids="_".join)
def test_second_derivatives(kind, order):
    f = function(0, functools.partial(sparse, kind), ORDERS[order])
    _, jacobian, weights, hessian = expected(order)
    hess = sad.hessian(lambda x: weights @ f(x), X, check=False, backend="python")
    assert_close(hess.gradient(X), weights @ jacobian, 1e-12)
    assert_close(hess(X).toarray(), hessian, 1e-9)


@pytest.mark.parametrize("form", FORMATS)
def test_dense_forms_lie_in_memory_as_scipys_do(form):
    def f(x):
        dense = sparse((form, "array"), x[:7]).toarray()
        flat = dense.ravel("K")  # a view, whatever the order is
        flat[:5] *= x[7:12]
        return np.concatenate([np.ravel(dense), flat, dense.ravel()])

    jac = sad.jacobian(f, X, backend="python")
    assert_close(jac.value(X), f(X), 1e-14)
    assert_close(jac(X).toarray(), differences(f, X), 1e-9)


@pytest.mark.parametrize("change", [lambda A: sp.swapaxes(A, 0, 1), lambda A: sp.expand_dims(A, axis=1)])
def test_functions_that_change_a_matrix_themselves_are_refused(change):
    with pytest.raises(sad.UnsupportedOperationError, match="has no attribute"):
        sad.jacobian(lambda x: change(sparse(("coo", "array"), x[:7])).sum(), X)
