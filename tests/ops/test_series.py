"""Series of numpy.polynomial with unknown coefficients: values of NumPy, derivatives by differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from numpy.polynomial import Chebyshev, Hermite, Laguerre, Legendre, Polynomial

import sparsead as sad
from tests.reference import differences

X = np.array([0.3, -0.7, 1.2, 2.1])
T = np.array([-0.4, 0.1, 0.9])
MOVED = {"domain": [0.0, 3.0], "window": [-1.0, 1.0]}

FUNCTIONS = {
    "derivative": lambda kind, x: kind(x, **MOVED).deriv(2)(T),
    "integral": lambda kind, x: kind(x, **MOVED).integ(2, k=[1.0, 2.0], lbnd=0.5)(T),
    "product": lambda kind, x: (kind(x) * kind(x[:2]))(T),
    "known factor": lambda kind, x: ([1.0, 2.0] * kind(x) * 3.0).coef,
    "sum": lambda kind, x: (kind(x[:2]) + kind(x) - [1.0, 2.0] + 4.0)(T),
    "difference": lambda kind, x: (1.0 - kind(x)).coef,
    "power": lambda kind, x: (kind(x[:2]) ** 3).coef,
    "quotient of both": lambda kind, x: kind(x)(T) / (kind([2.0]) + kind(x) ** 2).deriv()(T),
}


@pytest.mark.parametrize("kind", [Polynomial, Chebyshev, Legendre, Hermite, Laguerre])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_objects(kind, name):
    def f(x):
        return FUNCTIONS[name](kind, x)

    jac = sad.jacobian(f, X, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-12)
    expected = differences(f, X)
    np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(("m", "n"), [(4, 2), (4, 4), (2, 4), (3, 1)])
def test_long_division(m, n):
    def f(x):
        return np.concatenate(np.polydiv(x[:m], x[:n] + 0.5))

    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), atol=1e-9)


@pytest.mark.parametrize("shape", [(5,), (2, 5)])
def test_filters_of_unknown_coefficients(shape):
    data = np.random.default_rng(0).normal(size=shape)

    def f(x):
        recursive = scipy.signal.lfilter(x[:2], [x[3], x[2], 0.2], data, axis=0)
        return recursive * scipy.signal.lfilter(x[1:], x[0], recursive)

    found = sad.jacobian(f, X)(X).toarray()
    np.testing.assert_allclose(found, differences(f, X), rtol=1e-8, atol=1e-8 * np.abs(found).max())
