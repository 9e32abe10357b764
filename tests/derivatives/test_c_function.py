"""Compiled sweeps as functions of C: through ctypes, and from compiled functions of numba."""

from __future__ import annotations

import ctypes
import gc

import numba
import numpy as np
import pytest

import sparsead as sad

X, Q = np.linspace(0.2, 1.1, 7), np.array([0.5, 2.0])


def f(x, power, q, p):
    return np.sin(q[0] * np.cumsum(x)) * p + q[1] * x[::-1] ** power


def g(x, p):
    return np.sum(x[1:] * np.exp(p * x[:-1])) ** 2


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_functions_of_a_jacobian(mode):
    jac, p = sad.jacobian(f, X, 3, Q, 1.0, mode=mode), np.array([0.7])
    values, y, v = np.empty(jac.pattern.nnz), np.empty(7), np.cos(X)
    function = jac.c_function()
    assert function.signature.startswith(
        "void values(const double *x, const double *arg2, const double *arg3, double *"
    )
    function.ctypes(X.ctypes, Q.ctypes, p.ctypes, values.ctypes)
    J = jac(X, 3, Q, 0.7)
    np.testing.assert_array_equal(values, J.data)
    jac.c_function("value").ctypes(X.ctypes, Q.ctypes, p.ctypes, y.ctypes)
    np.testing.assert_allclose(y, f(X, 3, Q, 0.7), rtol=1e-14)
    jac.c_function("jvp").ctypes(X.ctypes, Q.ctypes, p.ctypes, v.ctypes, y.ctypes)
    np.testing.assert_allclose(y, J @ v, rtol=1e-13)
    jac.c_function("vjp").ctypes(X.ctypes, Q.ctypes, p.ctypes, v.ctypes, y.ctypes)
    np.testing.assert_allclose(y, v @ J, rtol=1e-13)


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic"])
def test_functions_of_a_hessian(mode):
    hess, p = sad.hessian(g, X, 1.0, mode=mode), np.array([0.7])
    values, y, v = np.empty(hess.pattern.nnz), np.empty(7), np.cos(X)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(hess.address)
    call(X.ctypes.data, p.ctypes.data, values.ctypes.data)
    np.testing.assert_array_equal(values, hess(X, 0.7).data)
    hess.c_function("gradient").ctypes(X.ctypes, p.ctypes, y.ctypes)
    np.testing.assert_array_equal(y, hess.gradient(X, 0.7))
    hess.c_function("hvp").ctypes(X.ctypes, p.ctypes, v.ctypes, y.ctypes)
    np.testing.assert_allclose(y, hess(X, 0.7) @ v, rtol=1e-13)
    hess.c_function("value").ctypes(X.ctypes, p.ctypes, y.ctypes)
    np.testing.assert_allclose(y[0], g(X, 0.7), rtol=1e-14)


def test_compiled_functions_of_numba_call_them():
    jac = sad.jacobian(f, X, 2, Q, 1.0)
    compiled = jac.c_function().ctypes

    @numba.njit
    def sums(points, q, p, values):
        total = np.zeros(values.size)
        for x in points:
            compiled(x.ctypes, q.ctypes, p.ctypes, values.ctypes)
            total += values
        return total

    points = X + np.arange(5.0)[:, None]
    found = sums(points, Q, np.array([0.7]), np.empty(jac.pattern.nnz))
    np.testing.assert_allclose(found, sum(jac.values(x, 2, Q, 0.7) for x in points), rtol=1e-14)


def test_scipy_takes_the_pointer():
    from scipy import LowLevelCallable

    function = sad.jacobian(f, X, 2, Q, 1.0).c_function()
    assert LowLevelCallable(function.ctypes).function is not None


def test_the_code_outlives_the_prepared_object():
    function = sad.jacobian(lambda x: np.cumsum(x) ** 3, X).c_function().ctypes
    gc.collect()
    values = np.empty(28)
    function(X.ctypes, values.ctypes)
    np.testing.assert_array_equal(values, sad.jacobian(lambda x: np.cumsum(x) ** 3, X).values(X))


def test_reentrance_is_told():
    assert sad.jacobian(lambda x: x**2, X).c_function().reentrant
    assert not sad.jacobian(lambda x: np.cumsum(x**2) ** 2, X, mode="forward").c_function().reentrant


def test_what_needs_python_is_refused():
    with pytest.raises(sad.InputError, match="without Python"):
        sad.jacobian(f, X, 2, Q, 1.0, backend="python").c_function()
    with pytest.raises(sad.InputError, match="expected 'values', 'value', 'jvp', 'vjp'"):
        sad.jacobian(f, X, 2, Q, 1.0).c_function("hvp")
