"""Interpolators called with traced values: tables of several values, ends, periods, errors at the evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate as si

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.06, 0.19, 0.31, 0.69, 0.56, 0.94])  # between the places
PLACES = np.linspace(0.0, 1.0, 9)
ROWS = np.sin(np.arange(18.0).reshape(9, 2))
OUTSIDE = np.array([-0.3, 0.21, 0.53, 0.77, 1.2, 1.9])


def check(f, x=X):
    jac = sad.jacobian(f, x, backend="python")
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-12, atol=1e-14)
    assert_close(jac(x).toarray(), differences(lambda x: np.ravel(f(x)), x))
    hess = sad.hessian(lambda x: np.sum(f(x)), x)
    assert_close(hess(x).toarray(), differences(lambda x: hess.gradient(x), x), 1e-7)
    return jac


@pytest.mark.parametrize(
    "spline",
    [
        si.CubicSpline(PLACES, ROWS),
        si.CubicSpline(PLACES, ROWS.T, axis=1),
        si.PchipInterpolator(PLACES, ROWS),
        si.make_interp_spline(PLACES, ROWS, k=5),
        si.make_interp_spline(PLACES, ROWS.T, axis=1),
        si.CubicSpline(PLACES, np.append(ROWS[:-1, 0], ROWS[0, 0]), bc_type="periodic"),
        si.CubicSpline(PLACES, ROWS[:, 0]).antiderivative(),
    ],
)
def test_values_of_several_axes_ends_and_periods(spline):
    jac = check(lambda x: spline(x.reshape(2, 3)) * 2.0)
    assert jac.pattern.nnz == jac.shape[0]
    check(lambda x: spline(x), OUTSIDE)
    check(lambda x: spline(x, 1))


@pytest.mark.parametrize("degree", [0, 2, 5, 6, 9, 12])  # FITPACK's code has memory for degrees up to 5
def test_splines_of_any_degree(degree):
    knots = np.linspace(-2.0, 3.0, 31)
    spline = si.BSpline(knots, np.sin(np.arange(30.0 - degree)), degree)
    check(lambda x: spline(x) + spline(x, 1) * x[0], X * 0.9)


def test_a_number_is_interpolated_too():
    spline = si.CubicSpline(PLACES, ROWS[:, 0])
    check(lambda x: np.array([spline(x[0]) * x[1], spline(x[2])]))


def test_without_extrapolation_there_is_nan_outside():
    for spline in (si.CubicSpline(PLACES, ROWS[:, 0], extrapolate=False), si.PchipInterpolator(PLACES, ROWS[:, 0])):
        jac = sad.jacobian(lambda x, spline=spline: spline(x, extrapolate=False), X)
        np.testing.assert_allclose(jac.value(OUTSIDE), spline(OUTSIDE, extrapolate=False), rtol=1e-13)
        assert np.isnan(jac(OUTSIDE).diagonal()[[0, 4, 5]]).all()


def test_a_table_that_raises_outside_raises_at_the_evaluation():
    table = si.interp1d(PLACES, ROWS[:, 0])
    jac = sad.jacobian(lambda x: table(x) ** 2, X)
    assert_close(jac(X).toarray(), differences(lambda x: table(x) ** 2, X))
    with pytest.raises(ValueError, match="above the interpolation range"):
        jac(X + 1.0)
    grid = si.RegularGridInterpolator((PLACES, PLACES), np.outer(PLACES, PLACES**2))
    jac = sad.jacobian(lambda x: grid(x.reshape(3, 2)), X)
    with pytest.raises(ValueError, match="out of bounds"):
        jac(X + 1.0)


def test_a_grid_of_three_axes():
    grid = si.RegularGridInterpolator((PLACES, PLACES, PLACES), np.sin(np.arange(729.0)).reshape(9, 9, 9))
    jac = check(lambda x: grid(x.reshape(2, 3)))
    assert jac.pattern.nnz == 6
    check(lambda x: grid((x[:2], 0.3, x[2:4])))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: si.interp1d(PLACES, ROWS.T)(x), "interp1d of several values"),
        (lambda x: si.UnivariateSpline(PLACES, ROWS[:, 0], ext=2)(x), "ext='raise'"),
        (lambda x: si.RegularGridInterpolator((PLACES,), ROWS[:, 0], method="pchip")(x[:, None]), "method='pchip'"),
        (lambda x: si.PPoly(np.ones((2, 1)), [1.0, 0.0])(x), "decreasing breakpoints"),
    ],
)
def test_what_is_not_traced_is_refused_with_the_reason(call, message):
    with pytest.raises(sad.UnsupportedOperationError, match=message):
        sad.jacobian(call, X)
