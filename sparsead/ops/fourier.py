"""Discrete Fourier transforms: products with a constant complex matrix, along one axis at a time.

The matrix is what the function itself makes of the unit vectors, so lengths, padding and norms mean what NumPy says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.ops.complex import joined
from sparsead.ops.registry import Sample, movement, record, spelling_of, state
from sparsead.program.room import require_products
from sparsead.tracing.complex import COMPLEX_HANDLERS, parts

Transform = Callable[..., np.ndarray]


def _register(func: Callable[..., Any], definition: Callable[..., Any], *samples: Sample) -> None:
    state(func, definition)
    COMPLEX_HANDLERS[func] = definition
    record("contraction", spelling_of(func), samples)


def transform(func: Transform, *samples: Sample) -> None:
    """State a transform along one axis."""

    def definition(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
        return _along(func, a, n, axis, norm)

    _register(func, definition, *samples)


def transform_of_axes(func: Transform, single: Transform, last: tuple[int, ...] | None, *samples: Sample) -> None:
    """State a transform along several axes (by default `last`, or all), one after the other."""

    def definition(a: Any, s: Sequence[int] | None = None, axes: Any = last, norm: str | None = None) -> Any:
        axes = range(-len(s) if s is not None else -np.ndim(a), 0) if axes is None else axes
        for k, axis in enumerate(axes):
            a = _along(single, a, None if s is None or s[k] == -1 else s[k], axis, norm)
        return a

    _register(func, definition, *samples)


def _along(func: Transform, a: Any, n: int | None, axis: int, norm: str | None) -> Any:
    real, imag = parts(a)
    length = np.shape(real)[axis]
    require_products(length * (length if n is None else n), f"the matrix of np.fft.{func.__name__}")
    unit = np.eye(np.shape(real)[axis])
    result = _product(real, axis, func(unit, n=n, norm=norm))
    return result if imag is None else result + _product(imag, axis, func(1j * unit, n=n, norm=norm))


def _product(part: Any, axis: int, matrix: np.ndarray) -> Any:
    """Return ``part @ matrix`` along an axis."""
    part = np.moveaxis(part, axis, -1)
    real = np.moveaxis(part @ np.ascontiguousarray(matrix.real), -1, axis)
    if not np.iscomplexobj(matrix):
        return real
    return joined(real, np.moveaxis(part @ np.ascontiguousarray(matrix.imag), -1, axis))


def _power(z: Any) -> Any:
    return z.real**2 + z.imag**2 + z.real


transform(np.fft.fft, lambda x: _power(np.fft.fft(x)), lambda x: _power(np.fft.fft(x, n=6, axis=0, norm="ortho")))
transform(np.fft.ifft, lambda x: _power(np.fft.ifft(x, n=3)), lambda x: _power(np.fft.ifft(x * (1.0 + 2.0j))))
transform(np.fft.rfft, lambda x: _power(np.fft.rfft(x)), lambda x: _power(np.fft.rfft(x, axis=0)))
del COMPLEX_HANDLERS[np.fft.rfft]  # NumPy takes real values only
transform(np.fft.irfft, lambda x: np.fft.irfft(x * (1.0 + 2.0j)) ** 2, lambda x: np.fft.irfft(x * x, n=5))
transform_of_axes(np.fft.fft2, np.fft.fft, (-2, -1), lambda x: _power(np.fft.fft2(x)))
transform_of_axes(np.fft.ifft2, np.fft.ifft, (-2, -1), lambda x: _power(np.fft.ifft2(x)))
transform_of_axes(np.fft.fftn, np.fft.fft, None, lambda x: _power(np.fft.fftn(x, axes=(0,))))
transform_of_axes(
    np.fft.ifftn, np.fft.ifft, None, lambda x: _power(np.fft.ifftn(x * (1.0 + 2.0j))), lambda x: _power(np.fft.ifftn(x))
)
movement(np.fft.fftshift, np.fft.fftshift)
movement(np.fft.ifftshift, lambda x: np.fft.ifftshift(x, axes=1))
for _func in (np.fft.fftshift, np.fft.ifftshift):
    COMPLEX_HANDLERS[_func] = lambda z, *args, _func=_func, **kwargs: joined(
        *(_func(p, *args, **kwargs) for p in parts(z))
    )
