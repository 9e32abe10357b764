"""Interpolators of several variables, and polynomials through points, at unknown points."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.evaluated import by_library
from sparsead.ops.filters import Imported
from sparsead.ops.lookup import look_up
from sparsead.ops.ordinates import OfOrdinates
from sparsead.ops.probed import by_units
from sparsead.ops.registry import patched_later, record
from sparsead.program.room import require_products
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.methods import replace_method

nd, si = Imported("scipy.ndimage"), Imported("scipy.interpolate")  # for the samples
PLACES = np.linspace(0.0, 1.0, 6)
SURFACE = np.sin(np.add.outer(PLACES, 2.0 * PLACES))


# -- splines of several variables: their derivatives are splines -----------------------------------------------------
def tensor_spline(spline: Any, coordinates: Sequence[Any], orders: Sequence[int] = ()) -> Any:
    """Return a scipy.interpolate.NdBSpline, or its derivative of these orders, at traced coordinates."""
    ndim = len(coordinates)
    orders = tuple(orders) or (0,) * ndim
    trailing = spline.c.shape[ndim:]
    if trailing:
        kind = type(spline)
        whole = [slice(None)] * ndim
        parts = [
            tensor_spline(kind(spline.t, spline.c[(*whole, *place)], spline.k), coordinates, orders)
            for place in np.ndindex(trailing)
        ]
        return np.stack(parts, axis=-1).reshape((*np.shape(parts[0]), *trailing))

    def value(*points: Any) -> Any:
        return spline(np.stack(np.broadcast_arrays(*points), axis=-1), nu=orders)

    def slope(axis: int) -> Callable[..., Any]:
        more = [order + (k == axis) for k, order in enumerate(orders)]
        return lambda *given: tensor_spline(spline, given[:-1], more)

    value.__name__ = "scipy.interpolate.NdBSpline"
    return by_library(value, [slope(k) for k in range(ndim)], coordinates)


def _of_points(original: Any, spline: Any, xi: Any, *, nu: Any = None, extrapolate: Any = None) -> Any:
    if extrapolate is not None and bool(extrapolate) != spline.extrapolate:
        raise unsupported("NdBSpline called with extrapolate=", "Make it so.")
    points: Any = traced(stack_objects(xi))
    return tensor_spline(spline, list(np.moveaxis(points, -1, 0)), () if nu is None else tuple(nu))


replace_method("scipy.interpolate", "NdBSpline", "__call__", _of_points)


def _as_tensor(surface: Any) -> Any:
    """Return a spline of FITPACK in two variables as one of scipy.interpolate."""
    (tx, ty, c), (kx, ky) = surface.tck, surface.degrees
    shape = (len(tx) - kx - 1, len(ty) - ky - 1)
    spline = importlib.import_module("scipy.interpolate").NdBSpline
    return spline((tx, ty), np.reshape(c[: shape[0] * shape[1]], shape), (kx, ky))


def _ev(original: Any, surface: Any, xi: Any, yi: Any, dx: int = 0, dy: int = 0) -> Any:
    """Return a surface at points; beyond its ends it goes on as FITPACK has it, constant."""
    ends = [(t[k], t[-k - 1]) for t, k in zip(surface.tck[:2], surface.degrees, strict=True)]
    inside = [np.clip(traced(stack_objects(v)), *end) for v, end in zip((xi, yi), ends, strict=True)]
    return tensor_spline(_as_tensor(surface), inside, (dx, dy))


def _called(original: Any, surface: Any, x: Any, y: Any, dx: int = 0, dy: int = 0, grid: bool = True) -> Any:
    if grid:
        x, y = np.reshape(stack_objects(x), (-1, 1)), np.reshape(stack_objects(y), (1, -1))
    return _ev(original, surface, x, y, dx, dy)


FITPACK = "scipy.interpolate._fitpack2"
replace_method(FITPACK, "BivariateSpline", "ev", _ev)
replace_method(FITPACK, "_BivariateSplineBase", "__call__", _called)


def _surface() -> Any:
    return si.RectBivariateSpline(PLACES, PLACES, SURFACE)


record(
    "interpolation",
    "scipy.interpolate.RectBivariateSpline",
    [
        lambda x: _surface().ev(x[0], x[1]),
        lambda x: _surface()(x[0, :1], x[1, :1], dx=1),
        lambda x: si.RectBivariateSpline(PLACES, PLACES, SURFACE, kx=1, ky=2).ev(x[0], x[1]),
    ],
)


# -- polynomials through points: their objects know all derivatives ---------------------------------------------------
def _polynomial(name: str) -> None:
    def at(curve: Any, x: Any, order: int) -> Any:
        def value(points: np.ndarray) -> Any:
            return curve(points) if order == 0 else curve.derivative(points, order)

        value.__name__ = f"scipy.interpolate.{name}"
        return by_library(value, [lambda points, y: at(curve, points, order + 1)], (x,))

    def called(original: Any, curve: Any, x: Any) -> Any:
        if curve._y_extra_shape:
            raise unsupported(f"scipy.interpolate.{name} of several curves at unknown points", "Make one for each.")
        return at(curve, x, 0)

    def derivative(original: Any, curve: Any, x: Any, der: int = 1) -> Any:
        return at(curve, x, der)

    replace_method("scipy.interpolate", name, "__call__", called)
    replace_method("scipy.interpolate", name, "derivative", derivative)
    record("interpolation", f"scipy.interpolate.{name}", [lambda x: getattr(si, name)(PLACES[:5], SURFACE[0, :5])(x)])


_polynomial("KroghInterpolator")
_polynomial("BarycentricInterpolator")


@patched_later(
    "scipy.interpolate",
    "splev",
    lambda x: si.splev(x, si.splrep(PLACES, SURFACE[0])),
    lambda x: np.stack(si.splev(3.0 + x, (np.arange(9.0), [SURFACE[0, :5], SURFACE[1, :5]], 3), ext=3)),
    lambda x: si.splev([3.2, 4.9], (np.arange(8.0), x[0], 3)),
)
def splev(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    """``scipy.interpolate.splev``; of a curve in space it returns a list."""
    if hasattr(tck, "t"):
        return tck(x, der)
    t, c, k = tck
    t, k = known((t, k), "the knots of scipy.interpolate.splev")
    if np.ndim(c[0]):
        return [splev(x, (t, part, k), der, ext) for part in c]
    if ext == 3 and der == 0:
        x = np.clip(traced(x), t[k], t[len(t) - k - 1])
    elif ext != 0:
        raise unsupported("scipy.interpolate.splev with ext=", "Make np.clip(x, first, last) of the points.")
    c = c[: len(t) - k - 1]
    if any_traced([c]):
        return OfOrdinates("BSpline", lambda values: si.BSpline(t, values, k), traced(c), 0, False)(x, der)
    return importlib.import_module("scipy.interpolate").BSpline(t, known(c, ""), k)(x, der)


# -- triangles --------------------------------------------------------------------------------------------------------
def _over_triangles(original: Any, table: Any, *points: Any) -> Any:
    """Return linear interpolation between the corners of simplices, outside of all what fills."""
    at = traced(stack_objects(points[0])) if len(points) == 1 else np.stack(np.broadcast_arrays(*points), axis=-1)
    simplices, values = table.tri, np.asarray(table.values)
    if values.shape[1:] != (1,) or values.dtype.kind == "c":
        raise unsupported("LinearNDInterpolator of several values at unknown points", "Make one for each.")
    scale = getattr(table, "scale", None)
    if scale is not None:
        raise unsupported("LinearNDInterpolator with rescale=True at unknown points", "Scale the points yourself.")
    corners, heights = simplices.points[simplices.simplices], values[:, 0][simplices.simplices]
    ones = np.ones((*corners.shape[:2], 1))
    planes = np.linalg.solve(np.concatenate([corners, ones], axis=2), heights[..., None])[..., 0]
    outside = np.append(np.zeros(planes.shape[1] - 1), table.fill_value)
    planes = np.concatenate([planes, outside[None]])  # the last one is found by number -1
    shape, ndim = np.shape(at)[:-1], np.shape(at)[-1]
    flat = at.reshape(-1, ndim)

    def read(places: np.ndarray) -> np.ndarray:
        return planes[simplices.find_simplex(places.reshape(-1, ndim))].T

    plane = look_up(read, flat, (ndim + 1, len(flat)), "LinearNDInterpolator", (simplices.points, values))
    return (np.sum(plane[:-1] * flat.T, axis=0) + plane[-1]).reshape(shape)


replace_method("scipy.interpolate", "LinearNDInterpolator", "__call__", _over_triangles)
CORNERS = np.array([[0.0, 0.0], [1.1, 0.0], [0.0, 1.2], [1.1, 1.0], [0.45, 0.56]])


def _triangles() -> Any:
    return si.LinearNDInterpolator(CORNERS, [1.0, 3.0, 2.0, 5.0, 0.0])


record("interpolation", "scipy.interpolate.LinearNDInterpolator", [lambda x: _triangles()(x[:, :2])])


# -- images at unknown points: polynomials within cells ---------------------------------------------------------------
@patched_later(
    "scipy.ndimage", "map_coordinates",
    lambda x: nd.map_coordinates(x, [[0.2, 1.7], [0.1, 2.6]], order=1),
    lambda x: nd.map_coordinates(x * x, [[0.2, 1.7], [0.1, 2.6]], mode="nearest"),
    lambda x: nd.map_coordinates(SURFACE, 4.0 * x[:2], order=1),
    lambda x: nd.map_coordinates(SURFACE, 4.0 * x[:2]),
)  # fmt: skip
def map_coordinates(input: Any, coordinates: Any, output: Any = None, order: int = 3, mode: str = "constant",
                    cval: float = 0.0, prefilter: bool = True) -> Any:  # fmt: skip
    """``scipy.ndimage.map_coordinates``: of an unknown image, or at unknown points."""
    options = {"order": order, "mode": mode, "cval": cval, "prefilter": prefilter}
    func = importlib.import_module("scipy.ndimage").map_coordinates
    if output is not None:
        raise unsupported("scipy.ndimage.map_coordinates with output=", "Leave it out; assign the result instead.")
    if any_traced(input):
        return by_units(func, "input", input, {"coordinates": coordinates, **options})
    image = np.asarray(known(input, "the image"), np.float64)
    points = traced(stack_objects(coordinates))
    flat = points.reshape(len(points), -1)
    ndim, n = flat.shape
    require_products(float(n) * (order + 1) ** ndim, "scipy.ndimage.map_coordinates")
    content = (image, *map(str, options.values()))

    def read(places: np.ndarray) -> np.ndarray:
        return func(image, places.reshape(ndim, n), **options)

    if order == 0:
        return look_up(read, flat, np.shape(points)[1:], "map_coordinates", content)
    # A spline is a polynomial within half a cell, whatever becomes of its ends: it is found from values in there.
    nodes = 0.25 - 0.25 * np.cos(np.pi * (2.0 * np.arange(order + 1) + 1.0) / (2.0 * order + 2.0))
    inverse = np.linalg.inv(np.vander(nodes, increasing=True))
    last = np.array(image.shape)[:, None] - 1.0

    def pieces(places: np.ndarray) -> np.ndarray:
        at = places.reshape(ndim, n)
        low = np.floor(2.0 * at) / 2.0
        low = np.where(at == last, at - 0.5, low)
        grids = np.meshgrid(*[nodes] * ndim, indexing="ij")
        inside = [start.reshape(-1, *[1] * ndim) + grid for start, grid in zip(low, grids, strict=True)]
        coefficients = func(image, np.stack(inside), **options)
        for axis in range(1, ndim + 1):
            coefficients = np.moveaxis(np.tensordot(inverse, coefficients, axes=(1, axis)), 0, axis)
        return np.concatenate([low, coefficients.reshape(n, -1).T])

    table = look_up(pieces, flat, (ndim + (order + 1) ** ndim, n), "map_coordinates", content)
    distance = flat - table[:ndim]
    terms = dict(zip(itertools.product(range(order + 1), repeat=ndim), table[ndim:], strict=True))
    for axis in reversed(range(ndim)):
        shorter = {key[:-1] for key in terms}
        terms = {key: _horner([terms[(*key, power)] for power in range(order + 1)], distance[axis]) for key in shorter}
    return terms[()].reshape(np.shape(points)[1:])


def _horner(coefficients: list[Any], x: Any) -> Any:
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


# -- rotations ---------------------------------------------------------------------------------------------------
def _rotated(original: Any, rotation: Any, vectors: Any, inverse: bool = False) -> Any:
    """Return unknown vectors, rotated by constant rotations."""
    matrix = np.asarray(rotation.as_matrix())
    matrix = np.swapaxes(matrix, -1, -2) if inverse else matrix
    return np.einsum("...ij,...j->...i", matrix, traced(stack_objects(vectors)))


replace_method("scipy.spatial.transform", "Rotation", "apply", _rotated)
