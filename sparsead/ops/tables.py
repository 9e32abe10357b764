"""Interpolation, differences and integrals of tabulated values."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced, known
from sparsead.ops.lookup import piecewise
from sparsead.ops.registry import composite
from sparsead.program.index import normalize_axes
from sparsead.program.room import require_products
from sparsead.tracing.conversions import traced

MOST_RAMPS = 16  # points of a table beyond which it is looked up: a call, where ramps are part of the loop


@composite(
    np.interp,
    lambda x: np.interp(x, [0.0, 0.3, 0.5, 1.0], [1.0, 3.0, 2.0, 5.0]),
    lambda x: np.interp([0.05, 0.25, 0.3, 0.95], [0.1, 0.2, 0.4, 0.8], x[0]),
    lambda x: np.interp(x, [0.3, 0.5, 0.6], [1.0, 3.0, 2.0], left=0.0, right=-1.0),
    lambda x: np.interp(x[0], [0.0, 0.4, 1.0], x[:, 1]),
    lambda x: x * np.interp(x, [0.5], [1.0], right=2.0),
    lambda x: np.interp(x, np.linspace(0.02, 0.98, 17), np.sin(9.0 * np.arange(17.0))),
    lambda x: np.interp(x, [0.1, 0.9, 0.6], [1.0, 3.0, 2.0], period=0.75),
)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """``np.interp``: a sum of clipped ramps, or, over many segments of a constant table, a look at it."""
    if is_traced(xp):
        return _of_traced_places(x, xp, fp, left, right, period)
    x, xp = _as_floats(x), np.asarray(known(xp, "np.interp with xp="), np.float64)
    fp = _as_floats(fp)
    if xp.ndim != 1 or np.ndim(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length.")
    if len(xp) == 0:
        raise ValueError("array of sample points is empty")
    if not np.all(np.isfinite(xp)) or not (is_traced(fp) or np.all(np.isfinite(fp))):
        raise unsupported("np.interp of a table with infinite or undefined numbers", "Keep the table finite.")
    if period is not None:
        x, xp, fp, left, right = _repeated(x, xp, fp, period)
    if np.any(np.diff(xp) <= 0.0):
        raise unsupported("np.interp with abscissae xp that do not increase", "Sort them; leave equal ones out.")
    first, last = xp[0], xp[-1]
    if len(xp) == 1:
        xp, fp = np.r_[xp, xp + 1.0], np.concatenate([fp, fp])
    if not is_traced(x):
        places = np.ravel(np.asarray(x, np.float64))
        k = np.clip(np.searchsorted(xp, places, side="right") - 1, 0, len(xp) - 2)
        share = np.clip((places - xp[k]) / (xp[k + 1] - xp[k]), 0.0, 1.0)
        entries = (np.r_[1.0 - share, share], (np.tile(np.arange(len(k)), 2), np.r_[k, k + 1]))
        value = (scipy.sparse.coo_array(entries, shape=(len(k), len(xp))) @ fp).reshape(np.shape(x))
    elif len(xp) > MOST_RAMPS and not is_traced(fp):
        slopes = np.diff(fp) / np.diff(xp)
        value = piecewise(np.clip(x, xp[0], xp[-1]), xp, np.stack([slopes, fp[:-1]]), "np.interp")
    else:
        ramps = np.clip(x[..., None] - xp[:-1], 0.0, np.diff(xp))
        value = fp[0] + np.sum(np.diff(fp) / np.diff(xp) * ramps, axis=-1)
    value = value if left is None else np.where(np.less(x, first), left, value)
    return value if right is None else np.where(np.greater(x, last), right, value)


def _of_traced_places(x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    """Return ``np.interp`` with unknown abscissae, which increase at every call."""
    x, fp = traced(_as_floats(x)), _as_floats(fp)
    if period is not None:
        raise unsupported("np.interp with traced abscissae xp and a period", "Keep xp constant; let x or fp vary.")
    if np.ndim(xp) != 1 or np.ndim(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if np.size(xp) != np.size(fp):
        raise ValueError("fp and xp are not of the same length.")
    require_products(float(np.size(x)) * np.size(xp), "np.interp with traced abscissae")
    width = np.diff(xp)
    ramps = np.clip(x[..., None] - xp[:-1], 0.0, width)
    value = fp[0] + np.sum(np.diff(fp) / width * ramps, axis=-1)
    value = np.where(np.greater_equal(x, xp[-1]), fp[-1], value)
    value = value if left is None else np.where(np.less(x, xp[0]), left, value)
    return value if right is None else np.where(np.greater(x, xp[-1]), right, value)


def _as_floats(a: Any) -> Any:
    """Return a constant as floats: narrow integers, such as those of images, wrap around where they are subtracted."""
    return a if is_traced(a) else np.asarray(known(a, ""), np.float64)


def _repeated(x: Any, xp: np.ndarray, fp: Any, period: float) -> tuple[Any, np.ndarray, Any, None, None]:
    """Return the arguments of ``np.interp`` with abscissae within one period, and one more at each end."""
    if period == 0:
        raise ValueError("period must be a non-zero value")
    period = abs(period)
    order = np.argsort(xp % period, kind="stable")
    xp, fp = (xp % period)[order], np.take(fp, order)
    ends = np.concatenate([fp[-1:], fp, fp[:1]])
    return np.remainder(x, period), np.r_[xp[-1] - period, xp, xp[0] + period], ends, None, None


@composite(
    np.trapezoid,
    lambda x: np.trapezoid(x),
    lambda x: np.trapezoid(x, dx=0.5, axis=0),
    lambda x: np.trapezoid(x, x=np.array([0.0, 1.0, 3.0, 4.0])),
    lambda x: np.trapezoid(x[0], x=x[1]),
    lambda x: np.trapezoid(x, x=x**2, axis=0),
)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """``np.trapezoid``: the mean of neighbours times their distance."""
    y = np.moveaxis(y, axis, -1)
    steps = dx if x is None else np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(0.5 * steps * (y[..., 1:] + y[..., :-1]), axis=-1)


@composite(
    np.gradient,
    lambda x: np.gradient(x[0]),
    lambda x: np.gradient(x, 0.5, axis=0),
    lambda x: np.gradient(x, axis=1, edge_order=2),
    lambda x: np.gradient(x, np.array([0.0, 1.0, 3.0, 4.0]), axis=1, edge_order=2),
    lambda x: np.gradient(x, 1.0, np.array([0.0, 1.0, 3.0, 4.0]))[1],
)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """``np.gradient``: central differences, of first or second order at the edges."""
    axes = normalize_axes(axis, np.ndim(f))
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    f = _as_floats(f)
    single = len(varargs) == 1 and np.ndim(varargs[0]) == 0
    spacings = list(map(_as_floats, varargs)) * (len(axes) if single else 1) or [1.0] * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("np.gradient: one spacing per axis, or one for all")
    for k, spacing in zip(axes, spacings, strict=True):
        if np.ndim(spacing) > 1:
            raise ValueError("distances must be either scalars or 1d")
        if np.ndim(spacing) == 1 and np.size(spacing) != np.shape(f)[k]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    slopes = [_slope(f, spacing, k, edge_order) for k, spacing in zip(axes, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    f = np.moveaxis(f, axis, -1)
    n = np.shape(f)[-1]
    if n < edge_order + 1:
        raise ValueError(f"np.gradient: {n} points along an axis; edge_order={edge_order} needs {edge_order + 1}")
    h = np.full(n - 1, spacing) if np.ndim(spacing) == 0 else np.diff(spacing)
    left, right = h[:-1], h[1:]
    if np.ndim(spacing) == 0 or (not is_traced(h) and np.ptp(known(h, "")) == 0.0):
        middle = (f[..., 2:] - f[..., :-2]) / (2.0 * h[0])  # which leaves the point itself out
    else:
        middle = (
            -right / (left * (left + right)) * f[..., :-2]
            + (right - left) / (left * right) * f[..., 1:-1]
            + left / (right * (left + right)) * f[..., 2:]
        )
    first, last = (f[..., :1], f[..., 1:2], f[..., 2:3]), (f[..., -1:], f[..., -2:-1], f[..., -3:-2])
    begin, end = _edge(first, h[:2], edge_order), -1.0 * _edge(last, h[::-1][:2], edge_order)
    return np.moveaxis(np.concatenate([begin, middle, end], axis=-1), -1, axis)


def _edge(points: tuple[Any, Any, Any], steps: np.ndarray, order: int) -> Any:
    """One-sided difference at the first of three points, `steps` apart."""
    a, b, c = points
    if order == 1:
        return (b - a) / steps[0]
    h, k = steps
    return -(2.0 * h + k) / (h * (h + k)) * a + (h + k) / (h * k) * b - h / (k * (h + k)) * c
