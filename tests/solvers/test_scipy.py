"""The adapters for SciPy, run by SciPy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares, minimize

import sparsead as sad
from sparsead import solvers
from sparsead.problems import brusselator, rosenbrock


def rates(t, y, alpha):
    return brusselator(8).f(y, alpha) + np.sin(t)


@pytest.mark.parametrize("method", ["BDF", "Radau", solvers.BDF, solvers.Radau])
def test_solve_ivp(method):
    y0, args = brusselator(8).x0, (0.1,)
    jac = solvers.ivp_jacobian(rates, 0.0, y0, *args)
    ours = solve_ivp(rates, (0.0, 0.5), y0, method=method, jac=jac, args=args, rtol=1e-6, atol=1e-8)
    scipys = solve_ivp(rates, (0.0, 0.5), y0, method="Radau", args=args, rtol=1e-8, atol=1e-10)
    assert ours.success
    assert ours.njev > 0
    np.testing.assert_allclose(ours.y[:, -1], scipys.y[:, -1], rtol=2e-5)


def test_ivp_jacobian_keeps_its_structure_where_values_vanish():
    y0 = brusselator(8).x0
    jac = solvers.ivp_jacobian(rates, 0.0, y0, 0.1)
    zero, other = jac(0.0, np.zeros_like(y0), 0.0), jac(1.0, y0, 0.1)
    assert zero.format == "csc"
    assert zero.nnz == other.nnz == jac.prepared.pattern.nnz
    np.testing.assert_array_equal(zero.indices, other.indices)
    assert np.count_nonzero(zero.data) < zero.nnz
    np.testing.assert_array_equal(other.toarray(), sad.jacobian(rates, 1.0, y0, 0.1, argnum=1)(1.0, y0, 0.1).toarray())


def test_ordered_factors_need_a_sparse_jacobian_only_where_there_is_one():
    sol = solve_ivp(lambda t, y: -50.0 * y, (0.0, 1.0), np.ones(2), method=solvers.BDF)
    assert sol.success


@pytest.mark.parametrize("shift", [1, -2])
def test_lsoda_takes_a_band(shift):
    def f(t, y, rate):
        moved = np.zeros_like(y)
        if shift > 0:
            moved[shift:] = y[:-shift]
        else:
            moved[:shift] = y[-shift:]
        return -rate * (y - moved) - y**3

    y0 = np.linspace(0.5, 1.0, 30)
    jac = solvers.ivp_jacobian(f, 0.0, y0, 1e3)
    banded = jac.banded()
    assert (banded["lband"], banded["uband"]) == (max(shift, 0), max(-shift, 0))
    options = {"args": (500.0,), "rtol": 1e-7, "atol": 1e-10}
    ours = solve_ivp(f, (0.0, 2.0), y0, method="LSODA", **banded, **options)
    expected = solve_ivp(f, (0.0, 2.0), y0, method="Radau", **options)
    dense = solvers.ivp_jacobian(f, 0.0, y0, 1e3, format="dense")
    full = solve_ivp(f, (0.0, 2.0), y0, method="LSODA", jac=dense, **options)
    for found in (ours, full):
        assert found.njev > 0
        np.testing.assert_allclose(found.y[:, -1], expected.y[:, -1], atol=1e-6)


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_least_squares_takes_a_prepared_jacobian(method):
    def residuals(x, target):
        return np.concatenate([10.0 * (x[1:] - x[:-1] ** 2), target - x])

    x0 = np.zeros(30)
    jac = sad.jacobian(residuals, x0, 1.0)
    found = least_squares(residuals, x0, jac=jac, args=(1.0,), method=method)
    assert found.success
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)
    assert jac(np.zeros(30), 1.0).nnz == jac.pattern.nnz


@pytest.mark.parametrize(
    "method", ["trust-constr", "Newton-CG", "trust-ncg", "trust-krylov", "trust-exact", "dogleg", "L-BFGS-B", "SLSQP"]
)
def test_minimize_takes_the_derivatives_of_every_method(method):
    def f(x, weight):
        return rosenbrock(10).f(x) / 100.0 + weight * np.sum((x - 1.0) ** 2)

    x0 = np.full(10, 0.8)
    given = solvers.minimize_derivatives(f, x0, 1.0, method=method)
    found = minimize(f, x0, args=(1.0,), method=method, **given)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("x0", [np.ones((2, 3)), 1.0, {"u": np.ones(2)}])
def test_points_that_scipy_does_not_hand_over_are_refused(x0):
    for prepare in (solvers.minimize_derivatives, lambda f, x0: solvers.nonlinear_constraint(f, x0, 0.0, 1.0)):
        with pytest.raises(sad.InputError, match="an array of one axis"):
            prepare(lambda x: np.sum(x), x0)


def test_minimize_refuses_a_method_without_derivatives():
    with pytest.raises(sad.InputError, match=r"Nelder-Mead.*takes no derivatives"):
        solvers.minimize_derivatives(lambda x: np.sum(x**2), np.ones(2), method="Nelder-Mead")


def test_constrained_minimum_of_trust_constr():
    """The nearest point to 2 on unit circles in pairs of coordinates; by symmetry 1 / sqrt(2)."""

    def f(x):
        return np.sum((x - 2.0) ** 2)

    def c(x):
        return x[::2] ** 2 + x[1::2] ** 2

    x0 = np.linspace(0.5, 1.0, 12)
    circles = solvers.nonlinear_constraint(lambda x: c(x)[:, None], x0, 1.0, 1.0)  # an array of any shape
    given = solvers.minimize_derivatives(f, x0, method="trust-constr")
    found = minimize(f, x0, method="trust-constr", constraints=[circles], **given)
    np.testing.assert_allclose(found.x, np.sqrt(0.5), atol=1e-6)


def test_constraint_derivatives_keep_their_structure_at_zero():
    circles = solvers.nonlinear_constraint(lambda x, p: p * x[::2] ** 2 * x[1::2], np.ones(4), 1.0, 1.0, 1.0)
    assert circles.jac(np.zeros(4)).nnz == circles.jac(np.ones(4)).nnz == 4
    assert circles.hess(np.zeros(4), np.zeros(2)).nnz == circles.hess(np.ones(4), np.ones(2)).nnz == 6


def test_bdf_by_pardiso():
    pytest.importorskip("pypardiso", reason="pypardiso is not installed (pip install pypardiso)")
    y0 = brusselator(8).x0
    options = {"method": solvers.BDF, "jac": solvers.ivp_jacobian(rates, 0.0, y0, 0.1), "args": (0.1,), "rtol": 1e-6}
    ours = solve_ivp(rates, (0.0, 0.5), y0, linear_solver="pardiso", **options)
    expected = solve_ivp(rates, (0.0, 0.5), y0, **options)
    np.testing.assert_allclose(ours.y, expected.y, rtol=1e-6)
