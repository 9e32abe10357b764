"""Distances of ``scipy.spatial``: each is a formula in two arrays of points, whose coordinates are the last axis."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import patched_later
from sparsead.program.room import require_products
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.late import late

HOME = "scipy.spatial.distance"


def _weighed(terms: Any, w: Any) -> Any:
    return np.sum(terms if w is None else terms * np.asarray(w), axis=-1)


def _root(total: Any, p: float = 2) -> Any:
    """Return a root of a sum; where points meet it has the derivative 0, as the absolute value has."""
    apart = total > 0.0
    total = np.where(apart, total, 1.0)
    return np.where(apart, np.sqrt(total) if p == 2 else total ** (1.0 / p), 0.0)


def sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    """Return the sum of squares of the differences."""
    return _weighed((u - v) ** 2, w)


def euclidean(u: Any, v: Any, w: Any = None) -> Any:
    """Return the length of the difference."""
    return _root(sqeuclidean(u, v, w))


def cityblock(u: Any, v: Any, w: Any = None) -> Any:
    """Return the sum of the absolute differences."""
    return _weighed(np.abs(u - v), w)


def chebyshev(u: Any, v: Any) -> Any:
    """Return the largest absolute difference."""
    return np.max(np.abs(u - v), axis=-1)


def minkowski(u: Any, v: Any, p: float = 2, w: Any = None) -> Any:
    """Return the norm of order p of the difference."""
    if p <= 0:
        raise ValueError("p must be greater than 0")
    if p in (1, 2):
        return (cityblock if p == 1 else euclidean)(u, v, w)
    return chebyshev(u, v) if p == np.inf else _root(_weighed(np.abs(u - v) ** p, w), p)


def cosine(u: Any, v: Any, w: Any = None) -> Any:
    """Return 1 less the cosine of the angle."""
    return 1.0 - _weighed(u * v, w) / np.sqrt(_weighed(u * u, w) * _weighed(v * v, w))


def correlation(u: Any, v: Any) -> Any:
    """Return 1 less the correlation of the coordinates."""
    return cosine(u - np.mean(u, axis=-1, keepdims=True), v - np.mean(v, axis=-1, keepdims=True))


def braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    """Return the absolute differences by the absolute sums."""
    return _weighed(np.abs(u - v), w) / _weighed(np.abs(u + v), w)


def canberra(u: Any, v: Any, w: Any = None) -> Any:
    """Return the sum of the absolute differences, each by the size of the coordinates; 0 where both are 0."""
    size = np.abs(u) + np.abs(v)
    return _weighed(np.where(size == 0.0, 0.0, np.abs(u - v) / np.where(size == 0.0, 1.0, size)), w)


def mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    """Return the length of the difference in the metric of a matrix."""
    difference = u - v
    return _root(np.sum(np.matmul(difference, VI) * difference, axis=-1))


def seuclidean(u: Any, v: Any, V: Any) -> Any:
    """Return the length of the difference, each coordinate by its deviation."""
    return _root(np.sum((u - v) ** 2 / V, axis=-1))


METRICS: dict[str, Callable[..., Any]] = {
    metric.__name__: metric
    for metric in (
        sqeuclidean, euclidean, cityblock, chebyshev, minkowski, cosine, correlation, braycurtis, canberra,
        mahalanobis, seuclidean,
    )
}  # fmt: skip
NAMES = {"l2": "euclidean", "l1": "cityblock", "manhattan": "cityblock", "cheb": "chebyshev", "mi": "minkowski"}


def _between(metric: Any, u: Any, v: Any, options: dict[str, Any]) -> Any:
    """Return the distances of two broadcast arrays of points, in a metric given by name."""
    name = NAMES.get(str(metric).lower(), str(metric).lower())
    if callable(metric) or name not in METRICS:
        raise unsupported(
            f"{HOME} with metric={metric!r}", f"Use one of {', '.join(METRICS)}, or write it with NumPy functions."
        )
    if name in ("mahalanobis", "seuclidean") and not options:
        raise unsupported(f"{HOME} with metric={name!r} alone", "Give VI= or V=; it is not found from the points.")
    require_products(float(np.prod(np.broadcast_shapes(np.shape(u), np.shape(v)))), HOME)
    return _measured(name, u, v, options)


def _measured(name: str, u: Any, v: Any, options: dict[str, Any]) -> Any:
    options = {key: value for key, value in options.items() if value is not None}
    unknown = next((key for key in options if key not in inspect.signature(METRICS[name]).parameters), None)
    if unknown is not None:
        raise unsupported(f"{HOME}.{name} with {unknown}=", f"Leave {unknown}= out.")
    return METRICS[name](u, v, **options)


def _points(value: Any, name: str) -> Any:
    points = traced(stack_objects(value))
    if points.ndim != 2:
        raise ValueError(f"{name} must be a 2-dimensional array.")
    return points


def _mirrored(x: Any) -> Any:
    return x[:, ::-1] ** 2 + 2.0


@patched_later(
    HOME, "cdist",
    lambda x: importlib.import_module(HOME).cdist(x, _mirrored(x)),
    lambda x: importlib.import_module(HOME).cdist(x, [[0.5, 2.0, -1.0, 3.0]], "minkowski", p=3),
)  # fmt: skip
def cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    """``scipy.spatial.distance.cdist``."""
    if out is not None:
        raise unsupported(f"{HOME}.cdist with out=", "Assign what it returns.")
    u, v = _points(XA, "XA"), _points(XB, "XB")
    if u.shape[1] != v.shape[1]:
        raise ValueError("XA and XB must have the same number of columns (i.e. feature dimension.)")
    return _between(metric, u[:, None, :], v[None, :, :], kwargs)


@patched_later(
    HOME, "pdist",
    lambda x: importlib.import_module(HOME).pdist(x * x),
    lambda x: importlib.import_module(HOME).pdist(x, "cosine"),
)  # fmt: skip
def pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    """``scipy.spatial.distance.pdist``."""
    if out is not None:
        raise unsupported(f"{HOME}.pdist with out=", "Assign what it returns.")
    points = _points(X, "X")
    first, second = np.triu_indices(len(points), 1)
    return _between(metric, points[first], points[second], kwargs)


@patched_later(HOME, "squareform", lambda x: importlib.import_module(HOME).squareform(x[0, :3]))
def squareform(X: Any, force: str = "no", checks: bool = True) -> Any:
    """``scipy.spatial.distance.squareform``; unknown matrices are taken to be symmetric."""
    X = traced(stack_objects(X))
    if X.ndim == 2 and force != "tovector" and force.startswith("tom"):
        raise ValueError("Forcing 'tomatrix' but input X is not a distance vector.")
    if X.ndim == 2:
        return X[np.triu_indices(len(X), 1)]
    n = int(np.ceil(np.sqrt(2 * X.size))) or 1
    if n * (n - 1) != 2 * X.size:
        raise ValueError("Incompatible vector size. It must be a binomial coefficient n choose 2 for some n >= 2.")
    matrix, (i, j) = np.zeros_like(X, shape=(n, n)), np.triu_indices(n, 1)
    matrix[i, j] = matrix[j, i] = X
    return matrix


@patched_later(
    "scipy.spatial", "distance_matrix",
    lambda x: importlib.import_module("scipy.spatial").distance_matrix(x, _mirrored(x), 1),
)  # fmt: skip
def distance_matrix(x: Any, y: Any, p: float = 2, threshold: int = 1000000) -> Any:
    """``scipy.spatial.distance_matrix``."""
    return cdist(x, y, "minkowski", p=p)


def _of_two(name: str) -> None:
    """State the function of two points."""
    options = {"mahalanobis": (np.eye(4) + 0.1,), "seuclidean": ([1.0, 2.0, 3.0, 4.0],)}.get(name, ())

    @patched_later(HOME, name, lambda x: getattr(importlib.import_module(HOME), name)(x[0], _mirrored(x)[1], *options))
    def of_two(u: Any, v: Any, **given: Any) -> Any:
        u, v = traced(stack_objects(u)), traced(stack_objects(v))
        if u.ndim != 1 or v.ndim != 1:
            raise ValueError("Input vector should be 1-D.")
        return late.as_numbers(_measured(name, u, v, given))


for _name in METRICS:
    _of_two(_name)
