"""Solutions inside functions: the derivative is that of the solution, however it was found."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import sparsead as sad
from tests.reference import differences

P = np.array([0.7, 1.3, 2.1])


def coupled(x, p, k):
    """Return a residual of three coupled equations."""
    return x**3 + k * x + 0.2 * np.roll(x, 1) - p


def by_newton(x0, p, k):
    """Return its solution, by a loop until convergence."""
    x = x0
    for _ in range(50):
        step = np.linalg.solve(np.diag(3.0 * x**2 + k) + 0.2 * np.roll(np.eye(3), 1, axis=0), coupled(x, p, k))
        x = x - step
        if np.abs(step).max() < 1e-15:
            break
    return x


@pytest.mark.parametrize("solve", [None, by_newton])
def test_first_and_second_derivatives(solve):
    root = sad.extend.implicit(coupled, solve)
    f = lambda p: root(np.ones(3), p, p[0] + 1.0) * p  # noqa: E731
    jac = sad.jacobian(f, P)
    np.testing.assert_allclose(jac.value(P), f(P), rtol=1e-9)
    exact = lambda p: by_newton(np.ones(3), p, p[0] + 1.0) * p  # noqa: E731
    np.testing.assert_allclose(jac(P).toarray(), differences(exact, P), rtol=1e-6, atol=1e-7)
    root = sad.extend.implicit(coupled, by_newton)
    f = lambda p: root(np.ones(3), p, p[0] + 1.0) * p  # noqa: E731
    weights = np.array([1.0, -2.0, 0.5])
    hess = sad.hessian(lambda p: weights @ f(p), P)
    slope = differences(lambda p: weights @ jac(p).toarray(), P)
    np.testing.assert_allclose(hess(P).toarray(), slope, rtol=1e-5, atol=1e-6)


def test_an_equation_of_state():
    """The compressibility of a van der Waals gas, one root for each of many cells."""

    def cubic(z, a, b):
        return z**3 - (1.0 + b) * z**2 + a * z - a * b

    def roots(z0, a, b):
        return np.array([scipy.optimize.brentq(lambda z, a=a, b=b: cubic(z, a, b), 0.5, 2.0) for a, b in zip(a, b)])  # noqa: B905

    root = sad.extend.implicit(cubic, roots)
    f = lambda t: root(np.ones(3), 0.1 / t**2, 0.05 / t) * t  # noqa: E731
    np.testing.assert_allclose(sad.jacobian(f, P)(P).toarray(), differences(f, P), rtol=1e-6, atol=1e-7)


def test_a_starting_point_that_depends_on_x_is_refused():
    root = sad.extend.implicit(lambda x, p: x - p)
    with pytest.raises(sad.InputError, match="starting point"):
        sad.jacobian(lambda p: root(p, p), P)
