"""Products with LinearOperators inside a traced function, from both sides, composed, and made of unknowns."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import sparsead as sad
from tests.reference import differences

X = np.array([0.31, 0.74, 0.52, 0.93, 0.17, 0.66])
MATRIX = scipy.sparse.diags_array([1.0, -2.0, 3.0], offsets=[-1, 0, 2], shape=(6, 6)).tocsr()
STORED = aslinearoperator(MATRIX)
DENSE = aslinearoperator(np.arange(36.0).reshape(6, 6))
ROLLED = LinearOperator((6, 6), matvec=lambda v: np.roll(v, 1) - v, rmatvec=lambda v: np.roll(v, -1) - v, dtype=float)


class Weighed(LinearOperator):
    def __init__(self, weights):
        super().__init__(dtype=np.float64, shape=(6, 6))
        self.weights = weights

    def _matvec(self, v):
        return self.weights * np.ravel(v) + np.roll(np.ravel(v), 1)


PRODUCTS = [
    lambda x: STORED @ x + STORED.matvec(x**2) + STORED * x,
    lambda x: STORED.rmatvec(x**2) + STORED.T @ x + STORED.H @ x,
    lambda x: STORED.matmat(np.stack([x, x**2], axis=1)),
    lambda x: (STORED + 2.0 * ROLLED)(x**2) - (STORED @ ROLLED).dot(x),
    lambda x: (STORED**2 @ x) * (-ROLLED @ x),
    lambda x: x @ STORED + (x[0] * ROLLED) @ x,
    lambda x: Weighed(x) @ np.stack([x, x**2], axis=1),
    lambda x: LinearOperator((6, 6), matvec=lambda v: np.cumsum(v) * x) @ np.arange(6.0),
    lambda x: aslinearoperator(np.outer(x, x)) @ x,
    lambda x: DENSE @ x + aslinearoperator(np.tri(6)).matvec(x**2) + x @ DENSE,
]


@pytest.mark.parametrize("f", PRODUCTS)
def test_products_with_operators_are_differentiated(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-9)


def test_the_pattern_is_that_of_the_matrix():
    assert (sad.jacobian(lambda x: STORED @ x, X)(X) != MATRIX).nnz == 0


def test_shapes_are_checked_as_scipy_does():
    for f in (lambda x: STORED @ x[:5], lambda x: STORED.matvec(x.reshape(2, 3)), lambda x: STORED.matmat(x)):
        with pytest.raises(ValueError, match=r"mismatch|2-d"):
            sad.jacobian(f, X)
