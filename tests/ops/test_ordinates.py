"""Interpolators of unknown ordinates: every kind, along every axis, at known and unknown points, with what they add."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate as si

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.41, 1.37, 2.26, 0.93, 1.64, 0.72])
KNOTS = np.array([0.0, 1.0, 2.0, 3.5, 4.0, 5.0])
POINTS = np.array([0.3, 2.7, 4.9])
GRID = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.1, 0.9], [2.0, 0.1], [0.2, 2.0]])

CURVES = {
    "CubicSpline": lambda y, **o: si.CubicSpline(KNOTS, y, **o),
    "PchipInterpolator": lambda y, **o: si.PchipInterpolator(KNOTS, y, **o),
    "Akima1DInterpolator": lambda y, **o: si.Akima1DInterpolator(KNOTS, y, **o),
    "makima": lambda y, **o: si.Akima1DInterpolator(KNOTS, y, method="makima", **o),
    "CubicHermiteSpline": lambda y, **o: si.CubicHermiteSpline(KNOTS, y, y**2, **o),
    "make_interp_spline": lambda y, **o: si.make_interp_spline(KNOTS, y, k=3, **o),
    "BSpline": lambda y, **o: si.BSpline(np.arange(-3.0, 7.0), y, 3, **o),
    "interp1d": lambda y, axis=0: si.interp1d(KNOTS, y, axis=axis),
    "interp1d, cubic": lambda y, axis=0: si.interp1d(KNOTS, y, kind="cubic", axis=axis),
    "BarycentricInterpolator": lambda y, **o: si.BarycentricInterpolator(KNOTS, y, **o),
    "KroghInterpolator": lambda y, **o: si.KroghInterpolator(KNOTS, y, **o),
}
AT_UNKNOWNS = ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "CubicHermiteSpline", "BSpline", "interp1d")

# What adds something whatever the ordinates are; and what is no curve along an axis.
OTHERS = {
    "filled outside": lambda x: si.interp1d(KNOTS, x, bounds_error=False, fill_value=5.0)([-1.0, 0.5, 9.0]),
    "filled on both sides": lambda x: si.interp1d(KNOTS, x, bounds_error=False, fill_value=(2.0, 3.0))([-1.0, 0.5, 9]),
    "filled at unknowns": lambda x: si.interp1d(KNOTS, x, bounds_error=False, fill_value=5.0)(3.0 * x),
    "given slopes": lambda x: si.CubicSpline(KNOTS, x, bc_type=((1, 2.0), (2, 0.5)))(POINTS),
    "given slopes, at unknowns": lambda x: si.CubicSpline(KNOTS, x, bc_type=((1, 2.0), (2, 0.5)))(2.0 * x),
    "given slopes, B": lambda x: si.make_interp_spline(KNOTS, x, bc_type=([(1, 2.0)], [(1, 0.0)]))(POINTS),
    "periodic, of other order": lambda x: si.make_interp_spline(
        KNOTS, np.append(x[:5] ** 2, x[0] ** 2), k=5, bc_type="periodic"
    )(POINTS),
    "periodic": lambda x: si.CubicSpline(KNOTS, np.append(x[:5] ** 2, x[0] ** 2), bc_type="periodic")(POINTS + 4.0),
    "grid, filled": lambda x: si.RegularGridInterpolator((KNOTS,), x, bounds_error=False, fill_value=3)([[9.0], [0.5]]),
    "grid, extrapolated": lambda x: si.RegularGridInterpolator(
        (KNOTS[:2], KNOTS[:3]), x.reshape(2, 3), bounds_error=False, fill_value=None
    )([[0.5, 1.5], [2.2, 3.1]]),
    "interpn": lambda x: si.interpn((KNOTS[:2], KNOTS[:3]), x.reshape(2, 3) ** 2, [[0.5, 1.5], [0.2, 0.1]]),
    "interpn, at unknowns": lambda x: si.interpn((KNOTS, KNOTS), np.outer(KNOTS, KNOTS) ** 2, x.reshape(3, 2)),
    "interpn, one axis": lambda x: si.interpn((KNOTS,), KNOTS**2, x),
    "grid, one point": lambda x: si.RegularGridInterpolator((KNOTS, KNOTS), np.outer(KNOTS, KNOTS))(x[:2]),
    "triangles": lambda x: si.LinearNDInterpolator(GRID, x, fill_value=7.0)([[0.3, 0.2], [9.0, 9.0]]),
    "nearest": lambda x: si.NearestNDInterpolator(GRID, x**2)([[0.3, 0.2], [9.0, 9.0]]),
    "radial functions": lambda x: si.RBFInterpolator(GRID, x)([[0.3, 0.2]]),
    "least squares": lambda x: si.make_lsq_spline(KNOTS, x, [0, 0, 0, 0, 5, 5, 5, 5], 3)(POINTS),
    "smoothed": lambda x: si.make_smoothing_spline(KNOTS, x, lam=0.1)(POINTS),
    "FITPACK": lambda x: si.InterpolatedUnivariateSpline(KNOTS, x)(POINTS) * si.UnivariateSpline(KNOTS, x, s=0)(0.7),
    "pieces": lambda x: si.PPoly(x.reshape(3, 2), [0, 1, 2])([0.5, 1.3]) * si.BPoly(x.reshape(3, 2), [0, 1, 2])(1.1),
    "derivatives": lambda x: si.CubicSpline(KNOTS, x).derivative()(POINTS) + si.PchipInterpolator(KNOTS, x)(POINTS, 1),
    "integrals": lambda x: si.CubicSpline(KNOTS, x).integrate(0.2, 3.0) * si.CubicSpline(KNOTS, x).antiderivative(2)(3),
    "two points": lambda x: si.PchipInterpolator(KNOTS[:2], x[:2])(0.4) + si.Akima1DInterpolator(KNOTS[:2], x[:2])(0.3),
    "cumulative_simpson": lambda x: scipy.integrate.cumulative_simpson(x.reshape(2, 3), dx=0.5, axis=0, initial=2.0),
    "romb": lambda x: scipy.integrate.romb(x[:5] ** 2, dx=0.5) * x,
}  # fmt: skip


def check(f, hessian=True):
    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-10, atol=1e-12)
    assert_close(jac(X).toarray(), differences(f, X), 1e-8)
    if hessian:
        hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), X, check=False, backend="python")
        assert_close(hess(X).toarray(), differences(hess.gradient, X), 1e-6)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_curves_along_every_axis(name, axis):
    if axis is None:
        check(lambda x: CURVES[name](x * x)(POINTS))
        return
    shape = (6, 2) if axis == 0 else (2, 6)
    check(
        lambda x: CURVES[name](np.resize(x, shape) * [[1.0], [2.0]] if axis else np.resize(x, shape), axis=axis)(POINTS)
    )


@pytest.mark.parametrize("name", AT_UNKNOWNS)
def test_curves_at_unknown_points(name):
    check(lambda x: CURVES[name](x)(1.7 * x[:3]))


@pytest.mark.parametrize("name", OTHERS)
def test_what_adds_something_and_what_is_no_curve(name):
    check(OTHERS[name])


def test_outside_is_nan_without_a_slope():
    jac = sad.jacobian(lambda x: si.CubicSpline(KNOTS, x, extrapolate=False)([0.5, 9.0]), X, check=False)
    assert np.isnan(jac.value(X)).tolist() == [False, True]
    assert np.isfinite(jac(X).toarray()).all()


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: si.CubicSpline(np.cumsum(x), x)(POINTS), "of unknown x .*\n.*\n.*Only the ordinates may be unknown"),
        (lambda x: si.CubicSpline(KNOTS, KNOTS, bc_type=((1, x[0]), (1, 0.0)))(POINTS), "of unknown bc_type"),
        (
            lambda x: si.RegularGridInterpolator((KNOTS,), x, method="pchip")(POINTS[:, None]),
            "not linear in its values",
        ),
        (lambda x: si.UnivariateSpline(KNOTS, x)(POINTS), "that smooths.*\n.*\n.*not linear"),
        (lambda x: si.make_smoothing_spline(KNOTS, x)(POINTS), "without lam="),
        (lambda x: si.CubicSpline(KNOTS, x).c[0], r"CubicSpline.c of unknown ordinates.*\n.*\n.*derivative\(\)"),
        (lambda x: si.interpn((KNOTS,), x, [[0.5]], method="splinef2d"), "Use RectBivariateSpline"),
        (lambda x: si.CubicSpline(KNOTS, np.outer(x, x))(x[0]), "several axes at unknown points"),
    ],
)
def test_what_is_no_sum_over_ordinates_is_refused(f, words):
    with pytest.raises(sad.UnsupportedOperationError, match=words):
        sad.jacobian(f, X)


@pytest.mark.parametrize("kind", ["PchipInterpolator", "Akima1DInterpolator", "makima"])
def test_slopes_at_ties_and_turns_are_those_of_scipy(kind):
    jac = sad.jacobian(lambda x: CURVES[kind](x)(POINTS), X, check=False, backend="python")
    for values in itertools.product([0.0, 1.0, 3.0], repeat=4):
        y = np.array([*values, 2.0, 2.5])
        np.testing.assert_allclose(jac.value(y), CURVES[kind](y)(POINTS), atol=1e-12)
