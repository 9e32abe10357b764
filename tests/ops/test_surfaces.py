"""Images and interpolators of several variables at unknown points, and of unknown values, in every mode and order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.interpolate as si
import scipy.ndimage as nd
from scipy.spatial.transform import Rotation

import sparsead as sad
from tests.reference import assert_close, differences

IMAGE = np.sin(np.arange(30.0)).reshape(5, 6)
PLACES = np.array([[0.21, 2.63, 3.87, -0.61, 4.58], [1.37, 0.14, 4.91, 2.22, 5.77]])  # some of them outside
MODES = ["constant", "grid-constant", "nearest", "reflect", "mirror", "wrap", "grid-wrap"]
X = np.array([0.41, 1.37, 2.26, 0.93, 1.64, 0.72])


def check(f, x, hessian=True):
    jac = sad.jacobian(f, x, check=False, backend="python")
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-11, atol=1e-12)
    assert_close(jac(x).toarray(), differences(f, x), 1e-8)
    if hessian:
        hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), x, check=False, backend="python")
        assert_close(hess(x).toarray(), differences(hess.gradient, x), 1e-7)


@pytest.mark.parametrize(("mode", "order"), list(itertools.product(MODES, range(6))))
def test_images_at_unknown_points(mode, order):
    def f(x):
        return nd.map_coordinates(IMAGE, x, order=order, mode=mode, cval=2.0)

    if order == 0:
        assert not sad.jacobian(f, PLACES, check=False)(PLACES).toarray().any()
    else:
        check(f, PLACES, hessian=order in (1, 3))


@pytest.mark.parametrize(("mode", "order"), list(itertools.product(MODES, (0, 1, 3))))
def test_images_of_unknown_values(mode, order):
    check(lambda x: nd.map_coordinates(x.reshape(2, 3), PLACES, order=order, mode=mode, cval=2.0), X, hessian=False)


def test_images_at_their_own_last_points():
    for order in (1, 2, 3):
        at = np.array([[4.0, 0.0, 2.0], [5.0, 3.0, 0.0]])
        jac = sad.jacobian(lambda x, k=order: nd.map_coordinates(IMAGE, x, order=k), at, check=False)
        np.testing.assert_allclose(jac.value(at), nd.map_coordinates(IMAGE, at, order=order), atol=1e-12)


SURFACES = {
    f"{kx} {ky}": si.RectBivariateSpline(np.arange(5.0), np.arange(6.0), IMAGE, kx=kx, ky=ky)
    for kx, ky in [(1, 1), (2, 3), (3, 3), (4, 5)]
}


@pytest.mark.parametrize("degrees", SURFACES)
def test_surfaces_of_fitpack(degrees):
    surface = SURFACES[degrees]
    check(lambda x: surface.ev(x[0], x[1]), PLACES)  # outside they are constant
    check(lambda x: surface(x[:2], x[2:] / 3.0).ravel() * surface(x[0], 1.3, grid=False), np.sort(X))
    if degrees != "1 1":
        check(lambda x: surface.ev(x[0], x[1], dy=1), PLACES[:, :3])


@pytest.mark.parametrize("method", ["linear", "slinear", "cubic", "quintic"])
@pytest.mark.parametrize("trailing", [(), (2,)])
def test_tables_on_a_grid(method, trailing):
    grid = (np.arange(6.0), np.arange(7.0) ** 1.1)
    values = np.cos(np.arange(42.0 * (len(trailing) + 1))).reshape(6, 7, *trailing)
    table = si.RegularGridInterpolator(grid, values, method=method)
    check(lambda x: table(x.reshape(3, 2)), X)
    check(lambda x: table((x[:3], 2.0)), X)


def test_a_table_of_pchip_is_refused():
    table = si.RegularGridInterpolator((np.arange(6.0), np.arange(6.0)), np.outer(X, X), method="pchip")
    with pytest.raises(sad.UnsupportedOperationError, match="'quintic', the one that it was made with"):
        sad.jacobian(lambda x: table(x.reshape(3, 2)), X)


def test_triangles_outside_are_what_fills():
    table = si.LinearNDInterpolator([[0, 0], [3, 0], [0, 3], [3, 3.1]], [1.0, 2.0, 4.0, 3.0], fill_value=7.0)
    check(lambda x: table(x[:3], x[3:] - 0.75), X)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_constant_rotations(several, inverse):
    vectors = [[0.1, 0.2, 0.3], [0.5, -0.2, 0.1]]
    rotation = Rotation.from_rotvec(vectors if several else vectors[0])
    check(lambda x: rotation.apply(x.reshape(2, 3) ** 2, inverse=inverse), X)


def test_signatures_of_vectorized_functions():
    def signed(x):
        dot = np.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")
        outer = np.vectorize(np.outer, signature="(n),(m)->(n,m)")
        both = np.vectorize(lambda a: (a * a[0], a.sum()), signature="(n)->(n),()")
        rows = x.reshape(2, 3)
        return np.concatenate([dot(rows, x[:3]), outer(rows, x[:2]).ravel(), both(rows)[0].ravel(), both(rows)[1]])

    check(signed, X)
