"""Derivatives on a device: the host side, against a small stand-in for CuPy; no device takes part."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import sparsead as sad
from sparsead.errors import InputError
from sparsead.problems import PROBLEMS
from tests.derivatives import fake_cupy
from tests.emit.grid_on_cpu import COMPILER

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture
def cupy(monkeypatch):
    return fake_cupy.installed(monkeypatch)


def coupled(x, p):
    return np.sin(p * x) * np.roll(x, 1) + np.cumsum(np.ones(x.size)) * x**2


def energy(x, p):
    return np.sum(p * (x[1:] - x[:-1]) ** 4 + np.cos(x[1:]))


X = np.linspace(0.2, 1.5, 40)


@needs_compiler
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_a_jacobian_is_that_of_the_host(cupy, mode):
    host = sad.jacobian(coupled, X, 0.5, mode=mode)
    jac = sad.jacobian(coupled, X, 0.5, mode=mode, device="cuda")
    x, p, v = cupy.asarray(X + 0.1), cupy.asarray(0.7), cupy.asarray(np.cos(X))
    J = host(X + 0.1, 0.7)
    found = jac(x, p)
    np.testing.assert_allclose(found.data, J.data, rtol=1e-14)
    np.testing.assert_array_equal(found.indices, J.indices)
    np.testing.assert_array_equal(found.indptr, J.indptr)
    assert found.shape == (40, 40) and jac.mode == mode
    np.testing.assert_allclose(jac.value(x, p), coupled(X + 0.1, 0.7), rtol=1e-14)
    np.testing.assert_allclose(jac.jvp(x, v, p), J @ np.cos(X), rtol=1e-13)
    np.testing.assert_allclose(jac.vjp(x, v, p), J.T @ np.cos(X), rtol=1e-13)
    y, matrix = jac.value_and_jacobian(x, p)
    np.testing.assert_allclose(y, coupled(X + 0.1, 0.7), rtol=1e-14)
    np.testing.assert_allclose(matrix.data, J.data, rtol=1e-14)
    assert "__global__" in jac.source


@needs_compiler
def test_hessian_and_gradient(cupy):
    hess, grad = (make(energy, X, 1.0, device="cuda") for make in (sad.hessian, sad.gradient))
    host = sad.hessian(energy, X, 1.0)
    x, p, v = cupy.asarray(X), cupy.asarray(2.0), cupy.asarray(np.sin(X))
    np.testing.assert_allclose(hess(x, p).data, host(X, 2.0).data, rtol=1e-13)
    np.testing.assert_allclose(hess.hvp(x, v, p), host(X, 2.0) @ np.sin(X), rtol=1e-13)
    for gradient in (hess.gradient(x, p), grad(x, p), hess.value_gradient_and_hessian(x, p)[1]):
        np.testing.assert_allclose(gradient, host.gradient(X, 2.0), rtol=1e-13)
    for value in (hess.value(x, p), grad.value(x, p), hess.value_gradient_and_hessian(x, p)[0]):
        assert value.shape == () and value == pytest.approx(energy(X, 2.0), rel=1e-14)


@needs_compiler
def test_nothing_is_allocated_copied_or_compiled_with_out(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    x, p = cupy.asarray(X), cupy.asarray(0.5)
    J, y = jac(x, p), jac.value(x, p)
    pair = jac.value_and_jacobian(x, p)
    before = dict(fake_cupy.calls)
    x += 0.25
    assert jac(x, p, out=J) is J and jac.value(x, p, out=y) is y
    assert jac.values(x, p, out=J.data) is J.data
    jac.value_and_jacobian(x, p, out=pair)
    launched = fake_cupy.calls["launches"] - before["launches"]
    assert fake_cupy.calls == before | {"launches": before["launches"] + launched} and launched
    for data in (J.data, pair[1].data):
        np.testing.assert_allclose(data, sad.jacobian(coupled, X, 0.5)(X + 0.25, 0.5).data, rtol=1e-14)


@needs_compiler
def test_arrays_with_dlpack_and_of_the_host(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    array = cupy.asarray(X)
    tensor = SimpleNamespace(__dlpack__=None, __dlpack_device__=lambda: (2, 0), on_device=array)
    expected = sad.jacobian(coupled, X, 0.5)(X, 0.5).data
    for x in (tensor, X, array):
        np.testing.assert_allclose(jac(x, 0.5).data, expected, rtol=1e-14)


@needs_compiler
def test_misfits_are_refused(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    x, p = cupy.asarray(X), cupy.asarray(0.5)
    J = jac(x, p)
    with pytest.raises(InputError, match="prepared for shape"):
        jac(cupy.asarray(X[1:]), p)
    with pytest.raises(InputError, match="real numbers"):
        jac(cupy.asarray(X + 1j), p)
    with pytest.raises(InputError, match="contiguous float64 array of CuPy"):
        jac.values(x, p, out=np.empty(jac.pattern.nnz))
    with pytest.raises(InputError, match="contiguous float64 array of CuPy"):
        jac.value(x, p, out=cupy.empty(39))
    with pytest.raises(InputError, match="shares memory"):
        jac.value(x, p, out=x)
    with pytest.raises(InputError, match="shares memory"):
        jac.jvp(x, J.data[:40], p, out=J.data[10:50])
    other = fake_cupy.CsrMatrix((J.data, J.indices.copy(), J.indptr), J.shape)
    with pytest.raises(InputError, match="an earlier call"):
        jac(x, p, out=other)


def test_options_that_do_not_go_together(cupy):
    for options in ({"format": "csc"}, {"guard": "record"}, {"method": "complex-step"}):
        with pytest.raises(InputError, match="leave these out"):
            sad.jacobian(coupled, X, 0.5, device="cuda", **options)
    with pytest.raises(InputError, match="unknown device"):
        sad.gradient(energy, X, 0.5, device="rocm")
    with pytest.raises(InputError, match="one array as x"):
        sad.hessian(lambda x: energy(x["a"], 1.0), {"a": X}, device="cuda")


@needs_compiler
def test_what_a_device_cannot_do_is_refused_when_it_is_prepared(cupy):
    def recurrence(x):
        y = x.copy()
        for k in range(1, x.size):
            y[k] = y[k] * np.sin(y[k - 1])
        return y

    with pytest.raises(InputError, match="a recurrence"):
        sad.jacobian(recurrence, X, device="cuda")


def test_without_cupy_and_without_a_device(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ModuleNotFoundError, match=r"sparsead\[cuda\]"):
        sad.jacobian(coupled, X, 0.5, device="cuda")
    fake_cupy.installed(monkeypatch, devices=0)
    with pytest.raises(InputError, match="there is none"):
        sad.jacobian(coupled, X, 0.5, device="cuda")


@needs_compiler
def test_a_benchmark_problem(cupy):
    problem = PROBLEMS["brusselator"](12)
    jac = sad.jacobian(problem.f, problem.x0, *problem.args, device="cuda")
    args = [cupy.asarray(a) if isinstance(a, float) else a for a in problem.args]
    found = jac(cupy.asarray(problem.x0), *args)
    expected = sad.jacobian(problem.f, problem.x0, *problem.args)(problem.x0, *problem.args)
    np.testing.assert_array_equal(found.data, expected.data)
