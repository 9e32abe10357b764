"""Filters of scipy.ndimage and scipy.signal with constant weights: sums of shifted arrays, padded at the edges.

The modules are slow to import, so nothing here imports them but the samples.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced
from sparsead.ops.registry import patched_later
from sparsead.program.room import require_products
from sparsead.tracing.conversions import stack_objects, traced

# What scipy.ndimage and scipy.signal call an edge -> what np.pad calls it.
PADDING = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap",
    "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
    "fill": "constant", "symm": "symmetric",
}  # fmt: skip


class Imported:
    """A module, imported when something of it is used."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self.name), attribute)


nd, sp = Imported("scipy.ndimage"), Imported("scipy.signal")  # for the samples


def shifted_sum(x: Any, weights: Any, before: Sequence[int], edge: str, fill: float, shape: Sequence[int]) -> Any:
    """Return ``sum_j weights[j] * x[i + j - before]`` for i in an array of `shape`, with `x` continued at its edges."""
    if edge not in PADDING:
        raise unsupported(f"the edge {edge!r} of a filter", f"Known: {', '.join(sorted(PADDING))}.")
    after = [
        max(n + w - 1 - b - m, 0) for n, w, b, m in zip(shape, np.shape(weights), before, np.shape(x), strict=True)
    ]
    widths = [(max(b, 0), a) for b, a in zip(before, after, strict=True)]
    kind: Any = PADDING[edge]
    padded = np.pad(x, widths, kind, constant_values=fill) if kind == "constant" else np.pad(x, widths, kind)
    start = [max(-b, 0) for b in before]
    weighed = np.size(weights) if is_traced(weights) else np.count_nonzero(weights)
    require_products(weighed * float(np.prod(shape)), "a filter")
    total: Any = 0.0
    for place in np.ndindex(np.shape(weights)):
        if not is_traced(weights) and weights[place] == 0.0:
            continue
        part = tuple(slice(s + j, s + j + n) for s, j, n in zip(start, place, shape, strict=True))
        total = total + weights[place] * padded[part]
    return total if is_traced(total) else np.zeros(tuple(shape))


# -- scipy.ndimage ------------------------------------------------------------------------------------------------
ndimage = functools.partial(patched_later, "scipy.ndimage")


def _plain(**options: Any) -> None:
    """Refuse the options that filters share and that are not traced."""
    for name, value in options.items():
        if value is not None:
            raise unsupported(f"a filter of scipy.ndimage with {name}=", "Leave it out; assign the result instead.")


def _each(value: Any, ndim: int) -> list[Any]:
    return list(value) if np.ndim(value) else [value] * ndim


@ndimage(
    "correlate",
    lambda x: nd.correlate(x, np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]])),
    lambda x: nd.correlate(x, np.ones((3, 2)), mode="constant", cval=2.0, origin=(1, -1)),
    lambda x: nd.correlate(x, np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), mode="mirror"),
)
def correlate(input: Any, weights: Any, output: Any = None, mode: str = "reflect", cval: float = 0.0,
              origin: Any = 0, *, axes: Any = None) -> Any:  # fmt: skip
    """``scipy.ndimage.correlate``."""
    _plain(output=output, axes=axes)
    weights = stack_objects(weights) if is_traced(weights) else np.asarray(weights, np.float64)
    before = [n // 2 + o for n, o in zip(np.shape(weights), _each(origin, np.ndim(input)), strict=True)]
    return shifted_sum(traced(input), weights, before, mode, cval, np.shape(input))


@ndimage(
    "convolve",
    lambda x: nd.convolve(x, np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]])),
    lambda x: nd.convolve(x, np.ones((3, 2)), mode="wrap", origin=(1, 0)),
    lambda x: nd.convolve(x * x, np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]), mode="nearest"),
)
def convolve(input: Any, weights: Any, output: Any = None, mode: str = "reflect", cval: float = 0.0,
             origin: Any = 0, *, axes: Any = None) -> Any:  # fmt: skip
    """``scipy.ndimage.convolve``: the weights turned around, and where they are even, their middle with them."""
    origins = [-o - (1 - n % 2) for n, o in zip(np.shape(weights), _each(origin, np.ndim(weights)), strict=True)]
    return correlate(input, np.flip(weights), output, mode, cval, origins, axes=axes)


def _along(weights: Any, axis: int, ndim: int) -> Any:
    return np.reshape(weights, [-1 if k == axis % ndim else 1 for k in range(ndim)])


@ndimage("correlate1d", lambda x: nd.correlate1d(x, [1.0, -2.0, 3.0, 0.5], axis=0, origin=-1))
def correlate1d(input: Any, weights: Any, axis: int = -1, output: Any = None, mode: str = "reflect", cval: float = 0.0,
                origin: int = 0) -> Any:  # fmt: skip
    """``scipy.ndimage.correlate1d``."""
    ndim = np.ndim(input)
    origins = [origin if k == axis % ndim else 0 for k in range(ndim)]
    return correlate(input, _along(weights, axis, ndim), output, mode, cval, origins)


@ndimage("convolve1d", lambda x: nd.convolve1d(x, [1.0, -2.0, 3.0, 0.5], mode="mirror", origin=1))
def convolve1d(input: Any, weights: Any, axis: int = -1, output: Any = None, mode: str = "reflect", cval: float = 0.0,
               origin: int = 0) -> Any:  # fmt: skip
    """``scipy.ndimage.convolve1d``."""
    ndim = np.ndim(input)
    origins = [origin if k == axis % ndim else 0 for k in range(ndim)]
    return convolve(input, _along(weights, axis, ndim), output, mode, cval, origins)


@ndimage("laplace", lambda x: nd.laplace(x), lambda x: nd.laplace(x * x, mode="wrap"))
def laplace(input: Any, output: Any = None, mode: str = "reflect", cval: float = 0.0, *, axes: Any = None) -> Any:
    """``scipy.ndimage.laplace``: second differences along all axes."""
    _plain(output=output, axes=axes)
    parts = [correlate1d(input, [1.0, -2.0, 1.0], k, None, mode, cval) for k in range(np.ndim(input))]
    return sum(parts[1:], parts[0])


def edge_filter(name: str, across: Sequence[float]) -> None:
    """State a filter that takes differences along one axis and smooths across."""

    @ndimage(name, lambda x: getattr(nd, name)(x), lambda x: getattr(nd, name)(x, axis=0, mode="constant"))
    def definition(input: Any, axis: int = -1, output: Any = None, mode: str = "reflect", cval: float = 0.0) -> Any:
        _plain(output=output)
        result = correlate1d(input, [-1.0, 0.0, 1.0], axis, None, mode, cval)
        for k in range(np.ndim(input)):
            result = result if k == axis % np.ndim(input) else correlate1d(result, across, k, None, mode, cval)
        return result


edge_filter("sobel", [1.0, 2.0, 1.0])
edge_filter("prewitt", [1.0, 1.0, 1.0])


@ndimage(
    "uniform_filter1d",
    lambda x: nd.uniform_filter1d(x, 2, axis=0, mode="wrap"),
    lambda x: nd.uniform_filter1d(x, 3, origin=-1),
)
def uniform_filter1d(input: Any, size: int, axis: int = -1, output: Any = None, mode: str = "reflect",
                     cval: float = 0.0, origin: int = 0) -> Any:  # fmt: skip
    """``scipy.ndimage.uniform_filter1d``: means of so many neighbors."""
    return correlate1d(input, np.full(size, 1.0 / size), axis, output, mode, cval, origin)


@ndimage("uniform_filter", lambda x: nd.uniform_filter(x), lambda x: nd.uniform_filter(x, (1, 2), mode="wrap"))
def uniform_filter(input: Any, size: Any = 3, output: Any = None, mode: str = "reflect", cval: float = 0.0,
                   origin: Any = 0, *, axes: Any = None) -> Any:  # fmt: skip
    """``scipy.ndimage.uniform_filter``: one axis after the other."""
    _plain(output=output, axes=axes)
    ndim = np.ndim(input)
    for axis, (n, o) in enumerate(zip(_each(size, ndim), _each(origin, ndim), strict=True)):
        input = uniform_filter1d(input, n, axis, None, mode, cval, o)
    return input


@ndimage(
    "gaussian_filter1d",
    lambda x: nd.gaussian_filter1d(x, 0.4, axis=0),
    lambda x: nd.gaussian_filter1d(x, 0.6, order=1, mode="wrap", radius=2),
)
def gaussian_filter1d(
    input: Any, sigma: float, axis: int = -1, order: int = 0, output: Any = None, mode: str = "reflect",
    cval: float = 0.0, truncate: float = 4.0, *, radius: Any = None,
) -> Any:  # fmt: skip
    """``scipy.ndimage.gaussian_filter1d``: with the weights that one element is spread by."""
    reach = int(truncate * float(sigma) + 0.5) if radius is None else radius
    impulse = np.eye(1, 2 * reach + 1, reach)[0]
    weights = nd.gaussian_filter1d(impulse, sigma, order=order, mode="constant", radius=reach)
    return convolve1d(input, weights, axis, output, mode, cval)


@ndimage(
    "gaussian_filter",
    lambda x: nd.gaussian_filter(x, 0.4),
    lambda x: nd.gaussian_filter(x, (0.5, 0.3), order=(1, 0), mode="nearest", radius=2),
)
def gaussian_filter(
    input: Any, sigma: Any, order: Any = 0, output: Any = None, mode: str = "reflect", cval: float = 0.0,
    truncate: float = 4.0, *, radius: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    """``scipy.ndimage.gaussian_filter``: one axis after the other."""
    _plain(output=output, axes=axes)
    ndim = np.ndim(input)
    for axis, (s, n, r) in enumerate(zip(_each(sigma, ndim), _each(order, ndim), _each(radius, ndim), strict=True)):
        if s > 1e-15:  # as in SciPy
            input = gaussian_filter1d(input, s, axis, n, None, mode, cval, truncate, radius=r)
    return input


def _gaussian_differences(input: Any, sigma: Any, order: int, options: dict[str, Any]) -> list[Any]:
    """A derivative of that order along each axis, of the input smoothed along all."""
    ndim = np.ndim(input)
    orders = order * np.eye(ndim, dtype=int)
    return [gaussian_filter(input, sigma, one.tolist(), **options) for one in orders]


@ndimage("gaussian_laplace", lambda x: nd.gaussian_laplace(x, 0.4), lambda x: nd.gaussian_laplace(x, 0.3, mode="wrap"))
def gaussian_laplace(input: Any, sigma: Any, output: Any = None, mode: str = "reflect", cval: float = 0.0, *,
                     axes: Any = None, **options: Any) -> Any:  # fmt: skip
    """``scipy.ndimage.gaussian_laplace``: second derivatives along all axes."""
    _plain(output=output, axes=axes)
    parts = _gaussian_differences(input, sigma, 2, {"mode": mode, "cval": cval, **options})
    return sum(parts[1:], parts[0])


@ndimage("gaussian_gradient_magnitude", lambda x: nd.gaussian_gradient_magnitude(x * x, 0.4))
def gaussian_gradient_magnitude(input: Any, sigma: Any, output: Any = None, mode: str = "reflect", cval: float = 0.0, *,
                                axes: Any = None, **options: Any) -> Any:  # fmt: skip
    """``scipy.ndimage.gaussian_gradient_magnitude``: the length of the vector of first derivatives."""
    _plain(output=output, axes=axes)
    parts = _gaussian_differences(input, sigma, 1, {"mode": mode, "cval": cval, **options})
    return np.sqrt(sum((part**2 for part in parts[1:]), parts[0] ** 2))


# -- scipy.signal --------------------------------------------------------------------------------------------------
signal = functools.partial(patched_later, "scipy.signal")


def _convolved(a: Any, b: Any, mode: str, edge: str = "fill", fill: float = 0.0, late: int = 0) -> Any:
    """Convolve along all axes; of two middles, mode 'same' is around the first, or, with ``late=1``, the second."""
    a, b = stack_objects(a), stack_objects(b)
    m, n = np.shape(a), np.shape(b)
    if mode == "valid" and any(k < j for k, j in zip(m, n, strict=True)):
        a, b, m, n = b, a, n, m
    lengths = {
        "full": [k + j - 1 for k, j in zip(m, n, strict=True)],
        "same": list(m),
        "valid": [k - j + 1 for k, j in zip(m, n, strict=True)],
    }[mode]
    starts = [(k + j - 1 - length + late) // 2 for k, j, length in zip(m, n, lengths, strict=True)]
    if edge == "fill" and fill == 0.0 and not is_traced(a) and is_traced(b):  # constants are the weights
        return shifted_sum(b, np.flip(a), [k - 1 - s for k, s in zip(m, starts, strict=True)], edge, fill, lengths)
    return shifted_sum(traced(a), np.flip(b), [j - 1 - s for j, s in zip(n, starts, strict=True)], edge, fill, lengths)


def _even(x: Any) -> Any:
    return sp.convolve(x, np.array([[1.0, 2.0], [3.0, 0.0]]), mode="same")


@signal("convolve", _even, lambda x: sp.convolve([1.0, -2.0], x[0]), lambda x: sp.convolve(x, x[:2], "valid"))
def convolve_any(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """``scipy.signal.convolve``."""
    return _convolved(in1, in2, mode)


@signal("fftconvolve", lambda x: sp.fftconvolve(x + 1.0, [[1.0, 2.0, 3.0]], mode="same"))
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """``scipy.signal.fftconvolve``, over all axes."""
    if axes is not None:
        raise unsupported("scipy.signal.fftconvolve with axes=", "Use scipy.signal.convolve over all axes.")
    return _convolved(in1, in2, mode)


@signal("convolve2d", lambda x: sp.convolve2d(x, [[1.0, 2.0], [3.0, 4.0]], mode="same", boundary="wrap"),
        lambda x: sp.convolve2d(x, np.ones((3, 3)), boundary="symm"),
        lambda x: sp.convolve2d(x, np.ones((2, 3)), "same", fillvalue=2.0))  # fmt: skip
def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0.0) -> Any:
    """``scipy.signal.convolve2d``."""
    return _convolved(in1, in2, mode, boundary, fillvalue)


@signal("correlate", lambda x: sp.correlate(x, np.array([[1.0, 2.0], [3.0, 0.0]]), mode="same"),
        lambda x: sp.correlate(x[0], [1.0, 2.0, 4.0]))  # fmt: skip
def correlate_any(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """``scipy.signal.correlate``."""
    return _convolved(in1, np.flip(stack_objects(in2)), mode)


@signal("correlate2d", lambda x: sp.correlate2d(x, [[1.0, 2.0], [3.0, 4.0]], mode="same", boundary="symm"))
def correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0.0) -> Any:
    """``scipy.signal.correlate2d``."""
    return _convolved(in1, np.flip(stack_objects(in2)), mode, boundary, fillvalue, late=1)
