"""Discrete Fourier, cosine and sine transforms: products with a constant matrix, along one axis at a time.

The matrix is what the function itself makes of the unit vectors, so lengths, padding and norms mean what NumPy and
SciPy say.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.complex import joined
from sparsead.ops.filters import Imported
from sparsead.ops.registry import Sample, movement, patched_later, record, spelling_of, state
from sparsead.program.room import require_products
from sparsead.tracing.complex import COMPLEX_HANDLERS, parts

Transform = Callable[..., np.ndarray]


def _register(func: Callable[..., Any], definition: Callable[..., Any], of_complex: bool, *samples: Sample) -> None:
    state(func, definition)
    if of_complex:
        COMPLEX_HANDLERS[func] = definition
    record("contraction", spelling_of(func), samples)


def transform(func: Transform, *samples: Sample) -> None:
    """State a transform along one axis."""

    def definition(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
        return _along(func, a, n, axis, norm)

    _register(func, definition, not takes_reals(func), *samples)


def transform_of_axes(
    func: Transform, single: Transform, axes: tuple[int, ...] | None, *samples: Sample, last: Transform | None = None
) -> None:
    """State a transform along several axes (by default `axes`, or all), one after the other.

    Along the last of them, `last` is done, if it is another one: first where it takes real values.
    """
    default = axes

    def definition(a: Any, s: Sequence[int] | None = None, axes: Any = default, norm: str | None = None) -> Any:
        return _along_axes(a, s, axes, norm, single, last or single)

    _register(func, definition, not takes_reals(last or single), *samples)


def _along_axes(a: Any, s: Any, axes: Any, norm: str | None, single: Transform, last: Transform) -> Any:
    s = None if s is None else np.atleast_1d(s).tolist()
    axes = range(-np.ndim(a) if s is None else -len(s), 0) if axes is None else np.atleast_1d(axes).tolist()
    sizes = [None if n == -1 else n for n in (s or [None] * len(axes))]
    steps = [(single, *place) for place in zip(axes, sizes, strict=True)]
    steps[-1:] = [(last, *step[1:]) for step in steps[-1:]]
    for func, axis, n in reversed(steps) if takes_reals(last) else steps:
        a = _along(func, a, n, axis, norm)
    return a


def takes_reals(func: Transform) -> bool:
    """Tell whether a transform is one of real values alone."""
    return func.__name__ in ("rfft", "ihfft")


def _along(func: Transform, a: Any, n: int | None, axis: int, norm: str | None, **options: Any) -> Any:
    real, imag = parts(a)
    spelling = spelling_of(func)
    if imag is not None and takes_reals(func):
        raise unsupported(f"{spelling} of complex values", "Take the real part: z.real.")
    length = np.shape(real)[axis]
    require_products(length * (length if n is None else n), f"the matrix of {spelling}")
    unit = np.eye(np.shape(real)[axis])
    result = _product(real, axis, func(unit, n=n, norm=norm, **options))
    return result if imag is None else result + _product(imag, axis, func(1j * unit, n=n, norm=norm, **options))


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
transform(np.fft.irfft, lambda x: np.fft.irfft(x * (1.0 + 2.0j)) ** 3, lambda x: np.fft.irfft(x * x, n=5))
transform(np.fft.hfft, lambda x: np.fft.hfft(x * (1.0 + 2.0j)) ** 3, lambda x: np.fft.hfft(x * x, n=5, axis=0))
transform(np.fft.ihfft, lambda x: _power(np.fft.ihfft(x)), lambda x: _power(np.fft.ihfft(x, axis=0, norm="ortho")))
transform_of_axes(np.fft.fft2, np.fft.fft, (-2, -1), lambda x: _power(np.fft.fft2(x)))
transform_of_axes(np.fft.ifft2, np.fft.ifft, (-2, -1), lambda x: _power(np.fft.ifft2(x)))
transform_of_axes(np.fft.fftn, np.fft.fft, None, lambda x: _power(np.fft.fftn(x, axes=(0,))))
transform_of_axes(
    np.fft.ifftn, np.fft.ifft, None, lambda x: _power(np.fft.ifftn(x * (1.0 + 2.0j))), lambda x: _power(np.fft.ifftn(x))
)
transform_of_axes(
    np.fft.rfft2, np.fft.fft, (-2, -1), lambda x: _power(np.fft.rfft2(x)),
    lambda x: _power(np.fft.rfft2(x, s=(3, 4), axes=(1, 0))), last=np.fft.rfft,
)  # fmt: skip
transform_of_axes(np.fft.rfftn, np.fft.fft, None, lambda x: _power(np.fft.rfftn(x, norm="ortho")), last=np.fft.rfft)
transform_of_axes(
    np.fft.irfft2, np.fft.ifft, (-2, -1), lambda x: np.fft.irfft2(x * (1.0 + 2.0j)) ** 3,
    lambda x: np.fft.irfft2(x * x, s=(3, 4)), last=np.fft.irfft,
)  # fmt: skip
transform_of_axes(
    np.fft.irfftn, np.fft.ifft, None, lambda x: np.fft.irfftn(x * (1.0 + 2.0j), axes=(0,)) ** 3,
    lambda x: np.fft.irfftn(x * x, axes=(0,)), last=np.fft.irfft,
)  # fmt: skip
movement(np.fft.fftshift, np.fft.fftshift)
movement(np.fft.ifftshift, lambda x: np.fft.ifftshift(x, axes=1))
for _func in (np.fft.fftshift, np.fft.ifftshift):
    COMPLEX_HANDLERS[_func] = lambda z, *args, _func=_func, **kwargs: joined(
        *(_func(p, *args, **kwargs) for p in parts(z))
    )


# -- scipy.fft -----------------------------------------------------------------------------------------------------
scipy_fft = Imported("scipy.fft")


def _sample(name: str, *args: Any, **options: Any) -> Sample:
    return lambda x: _power(getattr(scipy_fft, name)(x, *args, **options) + 0j) * x.sum()


def scipy_transform(name: str, *samples: Sample) -> None:
    """State a transform of `scipy.fft` along one axis."""

    @patched_later("scipy.fft", name, *samples)
    def definition(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None, overwrite_x: bool = False,
                   workers: Any = None, *, plan: Any = None) -> Any:  # fmt: skip
        return _along(getattr(scipy_fft, name), x, n, axis, norm)


def scipy_transform_of_axes(name: str, single: str, axes: tuple[int, ...] | None, last: str, *samples: Sample) -> None:
    """State a transform of `scipy.fft` along several axes."""
    default = axes

    @patched_later("scipy.fft", name, *samples)
    def definition(x: Any, s: Any = None, axes: Any = default, norm: str | None = None, overwrite_x: bool = False,
                   workers: Any = None, *, plan: Any = None) -> Any:  # fmt: skip
        return _along_axes(x, s, axes, norm, getattr(scipy_fft, single), getattr(scipy_fft, last))


def real_transform(name: str, *samples: Sample) -> None:
    """State a cosine or sine transform of `scipy.fft`, along one axis and along several (with an ``n`` at its end)."""

    @patched_later("scipy.fft", name, *samples)
    def along(x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
              overwrite_x: bool = False, workers: Any = None, orthogonalize: Any = None) -> Any:  # fmt: skip
        return _along(getattr(scipy_fft, name), x, n, axis, norm, type=type, orthogonalize=orthogonalize)

    @patched_later("scipy.fft", f"{name}n", _sample(f"{name}n", norm="ortho"))
    def along_axes(x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None,
                   overwrite_x: bool = False, workers: Any = None, *, orthogonalize: Any = None) -> Any:  # fmt: skip
        func = functools.partial(getattr(scipy_fft, name), type=type, orthogonalize=orthogonalize)
        functools.update_wrapper(func, func.func)
        return _along_axes(x, s, axes, norm, func, func)


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    scipy_transform(_name, _sample(_name, 5, norm="ortho"), _sample(_name, axis=0))
for _name, _single in (("fft", "fft"), ("ifft", "ifft"), ("rfft", "fft"), ("irfft", "ifft")):
    scipy_transform_of_axes(f"{_name}2", _single, (-2, -1), _name, _sample(f"{_name}2"))
    scipy_transform_of_axes(f"{_name}n", _single, None, _name, _sample(f"{_name}n", norm="ortho"))
for _name in ("dct", "idct", "dst", "idst"):
    real_transform(_name, _sample(_name), _sample(_name, type=3, axis=0, norm="ortho"), _sample(_name, 1, 5))
