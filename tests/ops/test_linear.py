"""Interpolation of unknown ordinates, rules of integration, and filters that begin with a state."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
from scipy import signal

import sparsead as sad
from tests.reference import differences

X = np.array([0.4, 1.3, 2.2, 0.9, 1.6, 0.7])
KNOTS = np.array([0.0, 1.0, 2.0, 3.5, 4.0, 5.0])
POINTS = np.array([0.3, 2.7, 4.9])

FUNCTIONS = {
    "fixed_quad": lambda x: scipy.integrate.fixed_quad(lambda t: np.exp(-x[0] * t) * x[1], 0.0, 2.0, n=7)[0] * x,
    "fixed_quad of unknown ends": lambda x: scipy.integrate.fixed_quad(lambda t: t * x[2], x[0], x[1], n=3)[0] * x,
    "CubicSpline": lambda x: scipy.interpolate.CubicSpline(KNOTS, x)(POINTS),
    "CubicSpline, slopes": lambda x: scipy.interpolate.CubicSpline(KNOTS, x, bc_type="natural")(POINTS, 1),
    "CubicSpline, at unknowns": lambda x: scipy.interpolate.CubicSpline(KNOTS, x**2)(2.0 * x[:3]),
    "interp1d": lambda x: scipy.interpolate.interp1d(KNOTS, x)(POINTS),
    "interp1d, cubic": lambda x: scipy.interpolate.interp1d(KNOTS, np.sin(x), kind="cubic")(POINTS),
    "make_interp_spline": lambda x: scipy.interpolate.make_interp_spline(KNOTS, x, k=3)(POINTS),
    "grid": lambda x: scipy.interpolate.RegularGridInterpolator(
        (KNOTS[:2], KNOTS[:3]), x.reshape(2, 3) ** 2
    )([[0.5, 1.5], [0.2, 0.1]]),
    "grid of arrays made inside": lambda x: scipy.interpolate.RegularGridInterpolator(
        (np.arange(2.0), np.arange(3.0)), x.reshape(2, 3)
    )([[0.5, 1.5], [0.2, 0.1]]),
    "cubic grid of one axis": lambda x: scipy.interpolate.RegularGridInterpolator((np.arange(6.0),), x, method="cubic")(
        POINTS[:, None]
    ),
    "rectangle": lambda x: scipy.interpolate.RectBivariateSpline(
        KNOTS[:2], KNOTS[:3], x.reshape(2, 3), kx=1, ky=2
    ).ev([0.5, 0.1], [1.5, 0.2]),
    "simpson": lambda x: scipy.integrate.simpson(x, dx=0.1) * x,
    "simpson, points": lambda x: scipy.integrate.simpson(np.outer(x, x), x=KNOTS, axis=0),
    "cumulative_trapezoid": lambda x: scipy.integrate.cumulative_trapezoid(x, KNOTS, initial=0),
    "cumulative_trapezoid, axis": lambda x: scipy.integrate.cumulative_trapezoid(x.reshape(2, 3) ** 2, dx=0.2, axis=0),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_linear_functions(name):
    f = FUNCTIONS[name]
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(np.ravel(jac.value(X)), np.ravel(f(X)), rtol=1e-12)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
    weights = np.cos(np.arange(np.size(f(X))))
    hess = sad.hessian(lambda x: np.sum(weights * np.ravel(f(x))), X)
    slope = differences(lambda x: weights @ jac(x).toarray(), X)
    np.testing.assert_allclose(hess(X).toarray(), slope, rtol=1e-6, atol=1e-7)


def test_linear_interpolation_reads_two_ordinates():
    jac = sad.jacobian(lambda x: scipy.interpolate.interp1d(KNOTS, x)(POINTS), X)
    assert jac.pattern.nnz == 2 * POINTS.size


def test_unknown_knots_are_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="Only the ordinates may be unknown"):
        sad.jacobian(lambda x: scipy.interpolate.CubicSpline(np.cumsum(x), x)(POINTS), X)


def test_interpolation_that_is_not_linear_in_its_values_is_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="not linear in its values"):
        sad.jacobian(
            lambda x: scipy.interpolate.RegularGridInterpolator((KNOTS,), x, method="pchip")(POINTS[:, None]), X
        )


B, A = [0.2, 0.3, 0.1], [1.0, 0.4, -0.2]
SECTIONS = np.array([[0.2, 0.3, 0.1, 1.0, 0.1, 0.05], [0.5, 0.1, 0.0, 1.0, -0.3, 0.1]])
WITH_STATES = {
    "constant": lambda x: signal.lfilter(B, A, x, zi=[0.5, -0.3]),
    "unknown": lambda x: signal.lfilter(B, A, x, zi=x[:2] ** 2),
    "along an axis": lambda x: signal.lfilter(B, A, x.reshape(2, 3, 2), axis=1, zi=np.ones((2, 2, 2)) * x[:2]),
    "one for all lines": lambda x: signal.lfilter(B, A, x.reshape(2, 6), zi=[[0.5, -0.3]]),
    "in sections": lambda x: signal.sosfilt(SECTIONS, x, zi=np.ones((2, 2)) * x[0]),
    "in sections, along an axis": lambda x: signal.sosfilt(SECTIONS, x.reshape(6, 2), 0, zi=np.ones((2, 2, 2)) * x[:2]),
}


@pytest.mark.parametrize("name", WITH_STATES)
def test_filters_that_begin_with_a_state(name):
    def f(x):
        y, last = WITH_STATES[name](x)
        return np.concatenate([np.ravel(y), np.ravel(last)])

    x = np.cos(np.arange(12.0)) + 1.5
    jac = sad.jacobian(f, x)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-12)
    np.testing.assert_allclose(jac(x).toarray(), differences(f, x), rtol=1e-7, atol=1e-8)
