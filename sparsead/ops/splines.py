"""Objects of scipy.interpolate, called with traced arguments: piecewise polynomials with constant coefficients."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.lookup import look_up, piecewise
from sparsead.ops.registry import Sample, record
from sparsead.ops.surfaces import tensor_spline
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.methods import replace_method

FITPACK = 5  # the highest degree that its code has memory for: beyond, it writes elsewhere
MOST_AXES = 4  # of a grid: an element reads 2**axes corners


def calls(cls: str, *samples: Sample) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """State what calling an object of scipy.interpolate means (used as a decorator)."""

    def register(definition: Callable[..., Any]) -> Callable[..., Any]:
        replace_method("scipy.interpolate", cls, "__call__", definition)
        if samples:
            record("interpolation", f"scipy.interpolate.{cls}", samples)
        return definition

    return register


@functools.cache
def _example(cls: str, **options: Any) -> Any:
    """Return an interpolator of some data, for the samples."""
    import scipy.interpolate

    places, values = np.linspace(0.05, 0.95, 7), np.array([0.3, 1.0, -0.5, 0.8, 0.2, 0.9, -0.1])
    if cls == "RegularGridInterpolator":
        return scipy.interpolate.RegularGridInterpolator((places, places), np.outer(values, values[::-1]), **options)
    if cls == "BSpline":
        return scipy.interpolate.make_interp_spline(places, values, k=3)
    return getattr(scipy.interpolate, cls)(places, values, **options)


def _derivative_of_example(x: np.ndarray) -> Any:
    return _example("CubicSpline").derivative()(x)


@calls("PPoly", _derivative_of_example)
def polynomial(original: Any, spline: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
    """A piecewise polynomial, or its derivative of order `nu`."""
    spline = spline.derivative(nu) if nu else spline
    breaks = np.asarray(spline.x)
    if breaks[0] > breaks[-1]:
        raise unsupported("a piecewise polynomial with decreasing breakpoints", "Reverse the data.")
    extrapolate = spline.extrapolate if extrapolate is None else extrapolate
    return _evaluated(spline, breaks, np.asarray(spline.c), x, extrapolate, (breaks[0], breaks[-1]))


def _evaluated(
    spline: Any, breaks: np.ndarray, c: np.ndarray, x: Any, extrapolate: Any, inside: tuple[float, float]
) -> Any:
    """Evaluate the pieces of a spline, beyond `inside` as told; values of several axes go where its data had them."""
    x = stack_objects(x)
    if extrapolate == "periodic":
        x = inside[0] + np.remainder(x - inside[0], inside[1] - inside[0])
    value = piecewise(x, breaks, c, type(spline).__name__, None if extrapolate else inside)
    axes, ndim, axis = list(range(np.ndim(value))), np.ndim(x), getattr(spline, "axis", 0)
    return np.transpose(value, axes[ndim : ndim + axis] + axes[:ndim] + axes[ndim + axis :])


for _kind in ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator"):  # subclasses of PPoly
    record("interpolation", f"scipy.interpolate.{_kind}", [lambda x, kind=_kind: _example(kind)(x)])  # type: ignore[misc]


def _pieces(original: Any, t: np.ndarray, c: np.ndarray, degree: int) -> Any:
    """Return a spline as a piecewise polynomial: by FITPACK, or by its slopes where the degree is too high for that."""
    import scipy.interpolate

    if degree <= FITPACK:
        return scipy.interpolate.PPoly.from_spline((t, c, degree))
    spline = scipy.interpolate.BSpline.construct_fast(t, c, degree)
    slopes = [original(spline, t[:-1], m, True) / math.factorial(m) for m in range(degree, -1, -1)]
    return scipy.interpolate.PPoly.construct_fast(np.array(slopes), t)


@calls("BSpline", lambda x: _example("BSpline")(x), lambda x: _example("BSpline")(x[0], 1))
def b_spline(original: Any, spline: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
    """A spline in its basis, as a piecewise polynomial."""
    columns = np.reshape(spline.c, (len(spline.c), -1)).T
    pieces = [_pieces(original, spline.t, c, spline.k).derivative(nu) for c in columns]
    c = np.stack([p.c for p in pieces], axis=-1)
    first, last = spline.t[spline.k], spline.t[len(spline.t) - spline.k - 1]
    extrapolate = spline.extrapolate if extrapolate is None else extrapolate
    c = c.reshape(c.shape[:2] + np.shape(spline.c)[1:])
    return _evaluated(spline, pieces[0].x, c, x, extrapolate, (first, last))


@calls(
    "UnivariateSpline",
    lambda x: _example("UnivariateSpline", s=0.1)(x),
    lambda x: _example("UnivariateSpline", s=0.0, ext=3)(1.2 * x),
    lambda x: _example("UnivariateSpline", s=0.0, ext=1)(1.2 * x),
)
def fitted(original: Any, spline: Any, x: Any, nu: int = 0, ext: Any = None) -> Any:
    """A smoothing spline, as a piecewise polynomial."""
    import scipy.interpolate

    knots, _, degree = spline._eval_args  # its documented form for splev
    ext = {"extrapolate": 0, "zeros": 1, "raise": 2, "const": 3}.get(ext, ext)
    ext = spline.ext if ext is None else ext
    first, last = knots[degree], knots[-degree - 1]
    if ext == 2:
        raise unsupported("UnivariateSpline with ext='raise'", "Use ext='extrapolate', 'zeros' or 'const'.")
    x = stack_objects(x)
    pieces = scipy.interpolate.PPoly.from_spline(spline._eval_args).derivative(nu)
    value = piecewise(np.clip(x, first, last) if ext == 3 else x, pieces.x, pieces.c, "UnivariateSpline")
    return np.where((x < first) | (x > last), 0.0, value) if ext == 1 else value


@calls(
    "interp1d",
    lambda x: _example("interp1d", fill_value="extrapolate")(x),
    lambda x: _example("interp1d", kind="cubic", bounds_error=False, fill_value=(0.0, 1.0))(1.2 * x),
    lambda x: x * _example("interp1d", kind="nearest", fill_value="extrapolate")(x),
)
def interpolated(original: Any, table: Any, x: Any) -> Any:
    """``interp1d`` of one value; outside of the table it raises at the evaluation, unless told what to return."""
    x, places, values = stack_objects(x), np.array(table.x), np.array(table.y)
    content = (places, values, table._kind, table.fill_value)
    if values.ndim != 1:
        raise unsupported("interp1d of several values", "Make one for each, or use make_interp_spline.")
    extrapolates = isinstance(table.fill_value, str)

    checked = functools.partial(original, table)
    if table._kind in ("nearest", "nearest-up", "previous", "next", "zero"):
        return look_up(checked, x, np.shape(x), "interp1d", content)
    if table._kind == "linear":
        slopes = np.diff(values) / np.diff(places)
        value = piecewise(x, places, np.stack([slopes, values[:-1]]), "interp1d")
    else:
        value = b_spline(None, table._spline, x, extrapolate=True)[..., 0]  # its data are columns
    if extrapolates:
        return value

    def ask(at: np.ndarray) -> np.ndarray:
        return np.stack([(at < places[0]) | (at > places[-1]), checked(at)])

    return _inside(value, look_up(ask, x, (2, *np.shape(x)), "interp1d", content))


def _inside(value: Any, answer: Any) -> Any:
    """Return `value`, and outside of the table its own answer: a number, or an error at the evaluation.

    Where that is, ``answer[0]``, enters values and derivatives alike: neither is computed without asking the table.
    """
    return np.where(answer[0] != 0.0, answer[1], value)


@calls(
    "RegularGridInterpolator",
    lambda x: _example("RegularGridInterpolator", bounds_error=False, fill_value=None)(x[:, :2]),
    lambda x: _example("RegularGridInterpolator", bounds_error=False, fill_value=0.5)((1.2 * x[0], x[1])),
    lambda x: x[0] * _example("RegularGridInterpolator", method="nearest", bounds_error=False)((x[0], x[1])),
    lambda x: _example("RegularGridInterpolator", method="cubic", bounds_error=False)((x[0], x[1])),
)
def on_a_grid(original: Any, table: Any, xi: Any, method: str | None = None, *, nu: Any = None) -> Any:
    """Linear interpolation between the corners of a cell of a grid."""
    method = table.method if method is None else method
    grid, values = table.grid, np.array(table.values)
    if values.ndim > len(grid) and nu is None:
        return _of_several(table, xi, method)
    smooth = getattr(table, "_spline", None) is not None and method == table.method
    if (method not in ("linear", "nearest") and not smooth) or (nu is not None and not smooth) or len(grid) > MOST_AXES:
        raise unsupported(
            f"RegularGridInterpolator with method={method!r} over {len(grid)} axes, values of {values.ndim} axes",
            "Methods 'linear', 'nearest', 'slinear', 'cubic' and 'quintic', the one that it was made with, are traced "
            f"over up to {MOST_AXES} axes.",
        )
    points = np.stack(np.broadcast_arrays(*xi), axis=-1) if isinstance(xi, tuple) else traced(xi)
    ndim = len(grid)
    points = points.reshape(-1, ndim) if points.ndim == 1 else points
    shape = points.shape[:-1]
    content = (*grid, values, method, table.fill_value, table.bounds_error)

    def checked(places: np.ndarray) -> np.ndarray:
        return original(table, places.reshape(-1, ndim), method=method)

    if method == "nearest":
        return look_up(checked, points, shape, "RegularGridInterpolator", content)
    flat = points.reshape(-1, ndim)
    value = tensor_spline(table._spline, list(flat.T), nu or ()) if smooth else _between_corners(flat, grid, values)
    if table.fill_value is not None or table.bounds_error:
        low, high = (np.array([g[end] for g in grid]) for end in (0, -1))

        def ask(places: np.ndarray) -> np.ndarray:
            at = places.reshape(-1, ndim)
            return np.stack([np.any((at < low) | (at > high), axis=1), checked(places)])

        value = _inside(value, look_up(ask, points, (2, len(flat)), "RegularGridInterpolator", content))
    return value.reshape(shape)


def _of_several(table: Any, xi: Any, method: str) -> Any:
    """Return a table of several values at each corner: one after the other."""
    grid, values, kind = table.grid, np.asarray(table.values), type(table)
    trailing, whole = values.shape[len(grid) :], [slice(None)] * len(grid)
    options = {"method": table.method, "bounds_error": table.bounds_error, "fill_value": table.fill_value}
    parts = [
        on_a_grid(kind.__call__, kind(grid, values[(*whole, *place)], **options), xi, method)
        for place in np.ndindex(trailing)
    ]
    return np.stack(parts, axis=-1).reshape((*np.shape(parts[0]), *trailing))


def _between_corners(points: Any, grid: Sequence[np.ndarray], values: np.ndarray) -> Any:
    """Interpolate values at the corners of the cells that the points, shape (n, axes), are in."""
    ndim, n = len(grid), len(points)
    corners = list(itertools.product((0, 1), repeat=ndim))

    def read(places: np.ndarray) -> np.ndarray:
        columns = places.reshape(n, ndim).T
        cells = [np.clip(np.searchsorted(g, p, "right") - 1, 0, len(g) - 2) for g, p in zip(grid, columns, strict=True)]
        low = [g[k] for g, k in zip(grid, cells, strict=True)]
        width = [g[k + 1] - g[k] for g, k in zip(grid, cells, strict=True)]
        at = [values[tuple(k + step for k, step in zip(cells, corner, strict=True))] for corner in corners]
        return np.stack([*low, *width, *at])

    table = look_up(read, points, (2 * ndim + len(corners), n), "RegularGridInterpolator", (*grid, values))
    share = (points.T - table[:ndim]) / table[ndim : 2 * ndim]
    value: Any = 0.0
    for corner, at in zip(corners, table[2 * ndim :], strict=True):
        weight: Any = 1.0
        for axis, upper in enumerate(corner):
            weight = weight * (share[axis] if upper else 1.0 - share[axis])
        value = value + weight * at
    return value
