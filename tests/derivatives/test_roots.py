"""Root finders of scipy.optimize inside of functions, given what depends on x in every way."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.optimize as so

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.41, 1.37, 2.26, 0.93])
ONES = np.ones(4)


def helper(x):
    weights = np.linspace(1.0, 2.0, 4)  # a constant that the function makes

    def residual(u, power):
        return weights * u**power + u - x

    return so.root(residual, np.ones(4), args=(3,)).x


def equation(u, p, q):
    return u**3 + q * u - p


class Equation:
    """What holds an unknown as an attribute, called itself or by a method."""

    def __init__(self, p):
        self.p = p

    def __call__(self, u):
        return equation(u, self.p, 1.0)


CASES = {
    "root": lambda x: so.root(lambda u: u**3 + u - x, ONES, tol=1e-13).x,
    "root, args": lambda x: so.root(lambda u, p, q: u**3 + q * u - p, ONES, args=(x, 2.0), tol=1e-13).x * x[0],
    "root, jac": lambda x: so.root(lambda u: u**3 + u - x, ONES, jac=lambda u: np.diag(3 * u**2 + 1), tol=1e-13).x,
    "root, around": helper,
    "root, both": lambda x: so.root(lambda u: (u**3 + u - x, np.diag(3 * u**2 + 1)), ONES, jac=True, tol=1e-13).x,
    "root, start of two axes": lambda x: so.root(lambda u: u**3 + u - x, np.ones((2, 2)), tol=1e-13).x,
    "root, krylov": lambda x: so.root(lambda u: u + u.T / 9 - x[:2], np.ones((2, 2)), method="krylov", tol=1e-13).x,
    "fsolve, start of two axes": lambda x: so.fsolve(lambda u: u**3 + u - x, np.ones((1, 4)), xtol=1e-13),
    "root_scalar, both": lambda x: (
        so.root_scalar(lambda u: (u**3 + u - x[0], 3 * u**2 + 1), x0=1.0, fprime=True).root * x
    ),
    "fsolve": lambda x: so.fsolve(lambda u: u**3 + x[::-1] * u - x, x, xtol=1e-13),
    "brentq": lambda x: so.brentq(lambda u: u**3 + u - x[0] * x[1], 0.0, 5.0) * x,
    "brentq, args": lambda x: so.brentq(lambda u, p: u**3 + u - p, 0.0, x[2] + 1.0, args=(x[0],)) * x,
    "brentq, each": lambda x: np.array([so.brentq(lambda u, p: u**3 + u - p, 0.0, 5.0, args=(v,)) for v in x]),
    "brentq, defaults": lambda x: np.array([so.brentq(lambda u, p=v: u**3 + u - p, 0.0, 5.0) for v in x]),
    "brentq, partial": lambda x: so.brentq(functools.partial(equation, p=x[0], q=2.0), 0.0, 5.0) * x,
    "newton, partial": lambda x: so.newton(functools.partial(equation, q=x[1], p=x[0]), 1.0, tol=1e-13) * x,
    "brentq, named defaults": lambda x: so.brentq(lambda u, *, p=x[0], q=1.0: equation(u, p, q), 0.0, 5.0) * x,
    "newton": lambda x: so.newton(lambda u: u**3 + u - x, ONES, fprime=lambda u: 3 * u**2 + 1.0, tol=1e-13),
    "newton, one": lambda x: so.newton(lambda u: u**3 + u - x[0], x[1], tol=1e-13) * x,
    "root_scalar": lambda x: so.root_scalar(lambda u: u**3 + u - x[0], bracket=(0.0, 5.0)).root * x,
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f = CASES[name]
    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-10)
    assert_close(jac(X).toarray(), differences(f, X, 1e-2), 1e-7)
    hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), X, check=False, backend="python")
    assert_close(hess(X).toarray(), differences(hess.gradient, X, 1e-2), 1e-6)


def test_no_root_is_an_error_at_the_call():
    jac = sad.jacobian(lambda x: so.root(lambda u: u**2 + 1.0 + x**2, ONES).x, X, check=False)
    with pytest.raises(ArithmeticError, match="found no root"):
        jac(X)


def test_constant_equations_are_solved_by_scipy():
    jac = sad.jacobian(lambda x: so.brentq(lambda u: u**3 - 2.0, 0.0, 2.0) * x, X)
    np.testing.assert_allclose(jac(X).diagonal(), 2.0 ** (1.0 / 3.0))


def test_full_output_is_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="full_output"):
        sad.jacobian(lambda x: so.newton(lambda u: u**3 + u - x, ONES, full_output=True)[0], X)


@pytest.mark.parametrize(
    "of", [Equation, lambda p: Equation(p).__call__, lambda p: lambda u, p=[p]: equation(u, p[0], 1.0)]
)
def test_unknowns_in_objects_and_containers_are_refused(of):
    with pytest.raises(sad.UnsupportedOperationError, match="in a container, or in an object"):
        sad.jacobian(lambda x: so.brentq(of(x[0]), 0.0, 5.0) * x, X)
