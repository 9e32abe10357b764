"""Statements of users: functions element by element, with second derivatives, and code in place of other code."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest
import scipy.linalg.blas
from scipy.interpolate import CubicSpline
from scipy.linalg.blas import dnrm2

import sparsead as sad
from sparsead.extend import composite, elementwise
from tests.reference import differences

X = np.linspace(0.33, 1.74, 8)
TABLE = CubicSpline(np.linspace(0.0, 2.0, 21), np.sin(np.linspace(0.0, 2.0, 21)))
BENT = elementwise(TABLE.derivative(2), TABLE.derivative(3))
MEASURED = elementwise(TABLE, elementwise(TABLE.derivative(), BENT), name="measured")


def of_memory(a, b):
    """Return the length of (a, b), as compiled code would: it sees memory alone."""
    return np.hypot(np.array(memoryview(np.array(a, dtype=float))), b)


LENGTH = elementwise(of_memory, lambda a, b: a / LENGTH(a, b), lambda a, b: b / LENGTH(a, b))

FUNCTIONS = {
    "one operand": lambda x: MEASURED(x) * x[::-1],
    "two": lambda x: LENGTH(x[1:], x[:-1]) ** 2 * x[1:],
    "one of two": lambda x: LENGTH(x, 0.7),
    "broadcast": lambda x: LENGTH(x[:, None], x[:2]).ravel(),
    "numbers": lambda x: np.array([MEASURED(x[0]) * x[1], LENGTH(0.2, x[2])]),
}


@pytest.mark.parametrize("mode", ["forward", "reverse", "direct"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians(name, mode):
    f = FUNCTIONS[name]
    jac = sad.jacobian(f, X, mode=mode)
    np.testing.assert_array_equal(jac.value(X), f(X))
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessians(name):
    f = lambda x: np.sum(FUNCTIONS[name](x) ** 2)  # noqa: E731
    hess = sad.hessian(f, X)
    np.testing.assert_allclose(hess(X).toarray(), differences(sad.gradient(f, X), X), rtol=1e-6, atol=1e-6)


def test_patterns_are_those_of_elements():
    assert sad.jacobian_pattern(lambda x: LENGTH(x[1:], x[:-1]), X).nnz == 14


def test_what_is_not_stated_is_refused():
    half = elementwise(of_memory, lambda a, b: a / np.hypot(a, b), None)
    assert sad.jacobian(lambda x: half(x, 2.0), X)(X).nnz == 8
    with pytest.raises(sad.UnsupportedOperationError, match=r"of_memory with unknowns in operand 1(.|\n)*State"):
        sad.jacobian(lambda x: half(2.0, x), X)
    with pytest.raises(sad.InputError, match="takes 2 operands, one for each derivative, got 1"):
        half(X)
    for wrong in (lambda: elementwise(np.tanh), lambda: elementwise(np.tanh, 1.0), lambda: elementwise(2.0, np.cos)):
        with pytest.raises(sad.InputError, match="expects a function and its derivative"):
            wrong()


def test_a_wrong_derivative_is_noticed():
    with pytest.raises(sad.CheckFailed):
        sad.jacobian(elementwise(np.tanh, np.cos), X)


library = types.ModuleType("library_of_compiled_code")


def compiled(x, power=2):
    return np.array([v**power for v in memoryview(np.ascontiguousarray(x))])


compiled.__module__ = library.__name__
library.compiled = compiled


@composite(scipy.linalg.blas.dnrm2)
def length_of(x):
    return np.sqrt(np.sum(x * x))


@pytest.mark.parametrize("f", [lambda x: scipy.linalg.blas.dnrm2(x) * x, lambda x: dnrm2(x[1:]) * x[:2]])
def test_code_in_place_of_a_compiled_function(f):
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)
    assert type(scipy.linalg.blas.dnrm2) is type(dnrm2)


@pytest.mark.parametrize("f", [lambda x: compiled(x, power=3), lambda x: library.compiled(x) * x[0]])
def test_code_in_place_of_a_function(f, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library.__name__, library)

    @composite(compiled)
    def written(x, power=2):
        return x**power

    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)
    assert written(3.0) == 9.0 and compiled(X)[0] == X[0] ** 2


def test_other_code_in_place_of_a_function_is_noticed():
    def cubes(x):
        return compiled(x, power=3)

    composite(cubes)(lambda x: x**2)
    with pytest.raises(sad.CheckFailed):
        sad.jacobian(lambda x: cubes(x), X)


def test_what_is_no_function_is_refused():
    with pytest.raises(sad.InputError, match="expects the function that is stated, got float"):
        composite(math.pi)
    with pytest.raises(sad.InputError, match="expects a definition to trace, got float"):
        composite(compiled)(math.pi)
