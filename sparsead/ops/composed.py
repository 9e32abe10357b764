"""Functions defined by other functions: their NumPy definition, in terms that are traced already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsead.ops.registry import HANDLERS, composite
from sparsead.tracing.array import TracedArray, stack_objects


@composite(np.clip, lambda x: np.clip(x, 0.3, 0.7), lambda x: np.clip(x, None, x[::-1]), lambda x: x.clip(min=0.5))
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """``np.clip``."""
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


@composite(np.diff, np.diff, lambda x: np.diff(x, n=2, axis=0))
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """``np.diff``."""
    for _ in range(n):
        a = np.moveaxis(a, axis, 0)
        a = np.moveaxis(a[1:] - a[:-1], 0, axis)
    return a


@composite(np.remainder, lambda x: np.remainder(5.0 * x, 0.5), lambda x: (-5.0 * x) % 2.0, family="elementwise")
def remainder(x: Any, y: Any) -> Any:
    """``x % y`` with the sign of y."""
    rest = np.fmod(x, y)
    return np.where((rest != 0.0) & ((rest < 0.0) != (np.asarray(y) < 0.0)), rest + y, rest)


@composite(np.floor_divide, lambda x: x * ((5.0 * x) // 0.5), family="elementwise")
def floor_divide(x: Any, y: Any) -> Any:
    """``x // y``, by the remainder as NumPy does it."""
    return np.rint((x - remainder(x, y)) / y)


@composite(np.logaddexp, lambda x: np.logaddexp(x, x[::-1]), family="elementwise")
def logaddexp(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))`` without overflow."""
    return np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y)))


@composite(np.deg2rad, np.deg2rad, family="elementwise")
def deg2rad(x: Any) -> Any:
    """Degrees to radians."""
    return x * (math.pi / 180.0)


@composite(np.rad2deg, np.rad2deg, family="elementwise")
def rad2deg(x: Any) -> Any:
    """Radians to degrees."""
    return x * (180.0 / math.pi)


HANDLERS[np.radians], HANDLERS[np.degrees] = deg2rad, rad2deg


@composite(np.trapezoid, lambda x: np.trapezoid(x), lambda x: np.trapezoid(x, dx=0.5, axis=0))
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """``np.trapezoid``."""
    y = np.moveaxis(y, axis, -1)
    steps = dx if x is None else np.diff(x)
    return np.sum(0.5 * steps * (y[..., 1:] + y[..., :-1]), axis=-1)


@composite(np.copyto, lambda x: _copied(x))
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """``np.copyto`` with a static mask."""
    if not isinstance(dst, TracedArray):
        dst[...] = src  # refused with the reason
    dst[...] = src if where is True else np.where(where, src, dst)


def _copied(x: Any) -> Any:
    out = np.zeros_like(x)
    np.copyto(out, x * x)
    return out


@composite(np.fill_diagonal, lambda x: _diagonal_filled(x))
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """``np.fill_diagonal``."""
    mask = np.zeros(a.shape, np.bool_)
    np.fill_diagonal(mask, True, wrap)
    a[mask] = np.resize(val, int(mask.sum()))


def _diagonal_filled(x: Any) -> Any:
    out = x * 2.0
    np.fill_diagonal(out, x[0, :3] ** 2)
    return out


@composite(np.sinc, lambda x: np.sinc(x))
def sinc(x: Any) -> Any:
    """``sin(pi x) / (pi x)``."""
    y = np.pi * np.where(stack_objects(x) == 0.0, 1.0e-20, x)
    return np.sin(y) / y
