"""The function for JAX, in transformations and in solvers of the real packages."""

import numpy as np
import pytest

import sparsead as sad
from sparsead import solvers

jax = pytest.importorskip("jax")
X = np.linspace(1.0, 2.0, 5)
OTHER = np.array([0.3, -1.0, 2.0, 0.0, 5.0])


@pytest.fixture(autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def f(x, p):
    return p * x[1:] * x[:-1] ** 2


def jacobian(x, p):  # by hand
    J = np.zeros((4, 5))
    J[range(4), range(1, 5)], J[range(4), range(4)] = p * x[:-1] ** 2, 2.0 * p * x[1:] * x[:-1]
    return J


def test_values_and_first_derivatives():
    g = solvers.jax_function(f, X, 2.0)
    J, v, w = jacobian(OTHER, 2.0), np.arange(5.0), np.arange(4.0) - 1.0
    for call in (g, jax.jit(g)):
        np.testing.assert_allclose(call(OTHER), f(OTHER, 2.0), rtol=1e-15)
        np.testing.assert_allclose(jax.jvp(call, (OTHER,), (v,))[1], J @ v, rtol=1e-14)
        np.testing.assert_allclose(jax.vjp(call, OTHER)[1](w)[0], J.T @ w, rtol=1e-14)
        for transformed in (jax.jacfwd, jax.jacrev):
            np.testing.assert_allclose(transformed(call)(OTHER), J, rtol=1e-15)
    slope = jax.jit(jax.grad(lambda x: jax.numpy.sum(g(jax.numpy.sin(x)) ** 2)))(OTHER)
    s = np.sin(OTHER)
    np.testing.assert_allclose(slope, 2.0 * np.cos(OTHER) * (jacobian(s, 2.0).T @ f(s, 2.0)), rtol=1e-13)


def test_the_sparse_jacobian():
    g = solvers.jax_function(f, X, 2.0)
    found = jax.jit(g.jacobian)(OTHER)
    assert found.nse == 8
    np.testing.assert_allclose(found.todense(), jacobian(OTHER, 2.0), rtol=1e-15)


def test_many_points():
    g, many = solvers.jax_function(f, X, 2.0), np.stack([X, OTHER])
    np.testing.assert_allclose(jax.vmap(g)(many), [f(x, 2.0) for x in many], rtol=1e-15)
    found = jax.jit(jax.vmap(jax.jacrev(g)))(many)
    np.testing.assert_allclose(found, [jacobian(x, 2.0) for x in many], rtol=1e-15)


def test_shapes_are_those_of_the_function():
    g = solvers.jax_function(lambda x: np.sum(x**2), np.ones((2, 2)))
    x = np.arange(4.0).reshape(2, 2)
    assert g(x).shape == () and float(g(x)) == 14.0
    np.testing.assert_array_equal(jax.grad(g)(x), 2.0 * x)


@pytest.mark.parametrize(
    "second", [jax.hessian, lambda g: jax.jacrev(jax.jacrev(g)), lambda g: jax.jacfwd(jax.jacfwd(g))]
)
def test_second_derivatives_are_not_zero_in_silence(second):
    g = solvers.jax_function(lambda x: np.sum(x**3), X)
    with pytest.raises(ValueError, match="callbacks do not support JVP"):
        second(g)(X)
    with pytest.raises(ValueError, match="callbacks do not support JVP"):
        jax.jacfwd(lambda x: g.jacobian(x).data)(X)


def test_single_precision_is_refused():
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(sad.InputError, match="jax_enable_x64"):
        solvers.jax_function(f, X, 2.0)


def decay(y, rate):
    return -rate * y + 0.1 * np.roll(y, 1) ** 2


def test_roots_of_optimistix():
    optimistix = pytest.importorskip("optimistix")
    g = solvers.jax_function(lambda y: y**3 - 2.0 + 0.1 * np.roll(y, 1), X)
    found = optimistix.root_find(lambda y, _: g(y), optimistix.Newton(rtol=1e-12, atol=1e-12), jax.numpy.asarray(X))
    np.testing.assert_allclose(found.value**3 - 2.0 + 0.1 * np.roll(found.value, 1), 0.0, atol=1e-10)


def test_implicit_steps_of_diffrax():
    diffrax = pytest.importorskip("diffrax")
    from scipy.integrate import solve_ivp

    g = solvers.jax_function(decay, X, 30.0)
    control = diffrax.PIDController(rtol=1e-8, atol=1e-10)
    found = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, _: g(y)), diffrax.Kvaerno5(), 0.0, 0.5, 0.01, jax.numpy.asarray(X),
        stepsize_controller=control,
    )  # fmt: skip
    expected = solve_ivp(lambda t, y: decay(y, 30.0), (0.0, 0.5), X, method="Radau", rtol=1e-10, atol=1e-13).y[:, -1]
    np.testing.assert_allclose(found.ys[-1], expected, rtol=1e-5, atol=1e-8)
