"""Functions defined by other functions: their NumPy definition, in terms that are traced already."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import dtype_of, is_traced, known
from sparsead.ops.registry import composite, state
from sparsead.ops.signatures import OMITTED
from sparsead.tracing.conversions import as_integers, stack_objects, traced
from sparsead.tracing.late import AS_NUMPY, MOVEMENTS
from sparsead.tracing.promotion import is_float, kind_of
from sparsead.tracing.scalar import TracedScalar


@composite(np.clip, lambda x: np.clip(x, 0.3, 0.7), lambda x: np.clip(x, None, x[::-1]), lambda x: x.clip(min=0.5))
def clip(a: Any, a_min: Any = OMITTED, a_max: Any = OMITTED, *, min: Any = OMITTED, max: Any = OMITTED) -> Any:
    """``np.clip``."""
    if a_min is OMITTED and a_max is OMITTED:
        a_min, a_max = (None if end is OMITTED else end for end in (min, max))
    elif a_min is OMITTED or a_max is OMITTED:
        raise TypeError(f"clip() missing 1 required positional argument: {'a_min' if a_min is OMITTED else 'a_max'!r}")
    elif min is not OMITTED or max is not OMITTED:
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.")
    a = np.copy(a) if a_min is None else np.maximum(a, a_min)
    return a if a_max is None else np.minimum(a, a_max)


@composite(
    np.diff, np.diff, lambda x: np.diff(x, n=2, axis=0), lambda x: np.diff(x, prepend=1.0, append=x[:, :2]),
    as_given="a",
)  # fmt: skip
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """``np.diff``."""
    if n == 0:
        return a
    a = stack_objects(a)
    if np.ndim(a) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    line = tuple(1 if k == axis % np.ndim(a) else length for k, length in enumerate(np.shape(a)))
    ends = [end if end is None or np.ndim(end) else np.broadcast_to(end, line) for end in (prepend, append)]
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    parts = [part for part in (ends[0], a, ends[1]) if part is not None]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        a = np.moveaxis(a, axis, 0)
        step = np.not_equal if np.result_type(a) == np.bool_ else np.subtract
        a = np.moveaxis(step(a[1:], a[:-1]), 0, axis)
    return a


@composite(np.remainder, lambda x: np.remainder(5.0 * x, 0.5), lambda x: (-5.0 * x) % 2.0, family="elementwise")
def remainder(x: Any, y: Any) -> Any:
    """``x % y`` with the sign of y."""
    rest = np.fmod(x, y)
    if not _is_real(x, y):
        rest = np.where(np.equal(y, 0), 0, rest)
    if _is_real(x, y):  # a rest of zero has the sign of y, too
        rest = np.where(np.equal(rest, 0.0), np.where(np.signbit(y), -(0.0 - rest), 0.0 + rest), rest)
    return np.where((rest != 0.0) & ((rest < 0.0) != np.less(y, 0.0)), rest + y, rest)


@composite(np.floor_divide, lambda x: x * ((5.0 * x) // 0.5), family="elementwise")
def floor_divide(x: Any, y: Any) -> Any:
    """``x // y``, by the remainder as NumPy does it."""
    rest = np.fmod(x, y)
    steps = np.where((rest != 0.0) & ((rest < 0.0) != np.less(y, 0.0)), 1.0, 0.0)
    quotient = np.rint(np.divide(np.subtract(x, rest), y) - steps)
    if _is_real(x, y):
        return np.where(np.equal(y, 0.0), np.divide(x, y), quotient)
    return as_integers(np.where(np.equal(y, 0), 0.0, quotient))


def _is_real(x: Any, y: Any) -> bool:
    """Tell whether NumPy divides reals; division of integers by zero gives zero."""
    return any(is_float(kind_of(v)) for v in (x, y))


@composite(np.deg2rad, np.deg2rad, family="elementwise")
def deg2rad(x: Any) -> Any:
    """Degrees to radians."""
    return x * (math.pi / 180.0)


@composite(np.rad2deg, np.rad2deg, family="elementwise")
def rad2deg(x: Any) -> Any:
    """Radians to degrees."""
    return x * (180.0 / math.pi)


state(np.radians, deg2rad)
state(np.degrees, rad2deg)


@composite(np.select, lambda x: np.select([x > 0.65, x > 0.35], [x * x, np.sin(x)], default=x))
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """``np.select``: the first condition that holds decides."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    for k, condition in enumerate(map(stack_objects, condlist)):
        if getattr(condition, "dtype", None) != np.bool_ and type(condition) is not bool:
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


@composite(np.piecewise, lambda x: np.piecewise(x, [x < 0.35, x > 0.65], [lambda v: v**2, 3.0, lambda v: -v]))
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """``np.piecewise``: where a condition is unknown its function is applied everywhere, and one is chosen."""
    if not is_float(kind_of(x)):
        raise unsupported("np.piecewise of integers", "Its values would be cut off to integers: use x.astype(float).")
    x = traced(x)
    conditions = _conditions(x, condlist)
    if len(conditions) == len(funclist) - 1:
        conditions.append(np.logical_not(functools.reduce(np.logical_or, conditions)))
    elif len(conditions) != len(funclist):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    result: Any = np.zeros(x.shape)
    for condition, function in zip(conditions, funclist, strict=True):  # the last condition that holds decides
        if not callable(function):
            result = np.where(condition, function, result)
        elif is_traced(condition):
            result = np.where(condition, _pointwise(function, x, args, kw), result)
        elif np.any(condition):
            result[condition] = function(x[condition], *args, **kw)
    return result


def _conditions(x: Any, condlist: Any) -> list[Any]:
    """Return the conditions of ``np.piecewise``: `condlist` may be one, or several."""
    number = not isinstance(condlist, (list, tuple)) and np.ndim(condlist) == 0
    if number or (x.ndim > 0 and not isinstance(condlist[0], (list, np.ndarray))):
        condlist = [condlist]
    held = map(stack_objects, condlist)
    return [np.not_equal(c, 0.0) if is_traced(c) else np.asarray(known(c, ""), np.bool_) for c in held]


def _pointwise(function: Any, x: Any, args: Any, kw: Any) -> Any:
    """Apply a function that is chosen by unknown conditions; one of all the points together cannot be."""
    value = function(x, *args, **kw)
    if x.ndim and np.ndim(value) == 0 and is_traced(value):
        raise unsupported(
            "np.piecewise with unknown conditions and a function that gives one number for all points",
            "Let it give one number for each point, or use np.where.",
        )
    return value


@composite(np.round, lambda x: x * np.round(5.0 * x), lambda x: x * np.round(x, 1))
def around(a: Any, decimals: int = 0) -> Any:
    """``np.round``: constant between jumps."""
    return np.rint(a) if decimals == 0 else np.rint(a * 10.0**decimals) / 10.0**decimals


@composite(
    np.nan_to_num, lambda x: np.nan_to_num(np.where(np.real(x) > 0.45, np.nan, x), nan=2.0), np.nan_to_num,
    as_given="x",
)  # fmt: skip
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """``np.nan_to_num``: it asks whether it is given a number."""
    if not copy and isinstance(x, TracedScalar):
        np.nan_to_num(1.0, copy=False)  # raises what NumPy raises: a number has no memory
    x = stack_objects(x)
    largest = np.finfo(np.float64).max
    result = np.where(np.isnan(x), nan, x)
    result = np.where(np.equal(x, np.inf), largest if posinf is None else posinf, result)
    result = np.where(np.equal(x, -np.inf), -largest if neginf is None else neginf, result)
    if copy:
        return result
    x[...] = result
    return x


MOVEMENTS.add(np.nan_to_num)


@composite(np.logical_xor, lambda x: np.where(np.logical_xor(x > 0.3, x > 0.7), x, 2.0 * x), family="elementwise")
def logical_xor(x: Any, y: Any) -> Any:
    """Exactly one of two conditions."""
    return np.not_equal(*(v if kind_of(v) == np.bool_ else np.not_equal(v, 0) for v in (x, y)))


state(np.bitwise_xor, logical_xor)


@composite(np.isinf, lambda x: np.where(np.isinf(x), 0.0, x * x), family="elementwise")
def isinf(x: Any) -> Any:
    """Plus or minus infinity."""
    return np.equal(np.abs(x), np.inf)


@composite(np.isclose, lambda x: np.where(np.isclose(x, x[0], rtol=0.4, atol=0.05), x, x * x))
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """``np.isclose``: a condition."""
    near = np.logical_and(np.less_equal(np.abs(np.subtract(a, b)), atol + rtol * np.abs(b)), np.isfinite(b))
    close = np.logical_or(near, np.equal(a, b))
    return np.logical_or(close, np.logical_and(np.isnan(a), np.isnan(b))) if equal_nan else close


@composite(np.allclose, lambda x: np.where(np.allclose(x[0], x[1], 5.0), x, x * x))
def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """``np.allclose``: a condition."""
    return np.all(isclose(a, b, rtol, atol, equal_nan))


@composite(np.array_equal, lambda x: np.where(np.array_equal(x > 0.0, x < 1.0), x, x * x))
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """``np.array_equal``: a condition, unless the shapes differ."""
    if np.shape(a1) != np.shape(a2):
        return False
    same = np.equal(a1, a2)
    return np.all(np.logical_or(same, np.logical_and(np.isnan(a1), np.isnan(a2))) if equal_nan else same)


@composite(np.array_equiv, lambda x: np.where(np.array_equiv(x > 0.0, True), x, x * x))
def array_equiv(a1: Any, a2: Any) -> Any:
    """``np.array_equiv``: a condition, unless the shapes do not broadcast."""
    try:
        return np.all(np.equal(a1, a2))
    except ValueError:
        return False


@composite(np.count_nonzero, lambda x: x * np.count_nonzero(x > 0.45), lambda x: x * np.count_nonzero(x > 0.5, axis=0))
def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.count_nonzero``."""
    return np.sum(a if kind_of(a) == np.bool_ else np.not_equal(a, 0), axis=axis, keepdims=keepdims)


@composite(np.divmod, lambda x: x * np.divmod(5.0 * x, 0.5)[0], lambda x: np.divmod(5.0 * x, 0.5)[1])
def divided(x: Any, y: Any) -> Any:
    """``np.divmod``."""
    return floor_divide(x, y), remainder(x, y)


@composite(np.modf, lambda x: np.modf(5.0 * x)[0], lambda x: x * np.modf(5.0 * x)[1])
def modf(x: Any) -> Any:
    """``np.modf``: fractional and integral part."""
    whole = np.trunc(x)
    return x - whole, whole


@composite(np.fix, lambda x: x * np.fix(5.0 * x))
def fix(x: Any) -> Any:
    """``np.fix``."""
    return np.trunc(x)


@composite(np.ediff1d, lambda x: np.ediff1d(x, to_begin=1.0))
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """``np.ediff1d``."""
    types: Any = (None if v is None else np.ones(1, dtype_of(v)) for v in (ary, to_end, to_begin))
    np.ediff1d(*types)  # raises what NumPy raises
    ends = [np.ravel(e) for e in (to_begin, to_end) if e is not None]
    steps = diff(np.ravel(ary))
    return np.concatenate([*ends[: to_begin is not None], steps, *ends[to_begin is not None :]])


@composite(np.meshgrid, lambda x: np.meshgrid(x[0], x[:, 1])[0], lambda x: np.meshgrid(x[0], x[1], indexing="ij")[1])
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """``np.meshgrid``."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    ndim = len(xi)
    grids = [np.reshape(v, (1,) * k + (-1,) + (1,) * (ndim - k - 1)) for k, v in enumerate(xi)]
    if indexing == "xy" and ndim > 1:
        grids = [np.swapaxes(g, 0, 1) for g in grids]
    views = grids if sparse else np.broadcast_arrays(*grids)
    return tuple(np.copy(g) for g in views) if copy else tuple(views)


@composite(np.isposinf, lambda x: np.where(np.isposinf(x), 0.0, x * x))
def isposinf(x: Any) -> Any:
    """Plus infinity."""
    return np.equal(x, np.inf)


@composite(np.isneginf, lambda x: np.where(np.isneginf(x), 0.0, x * x))
def isneginf(x: Any) -> Any:
    """Minus infinity."""
    return np.equal(x, -np.inf)


@composite(np.signbit, lambda x: np.where(np.signbit(x - 0.5), x, x * x), family="elementwise")
def signbit(x: Any) -> Any:
    """The sign, also of zero."""
    return np.less(np.copysign(1.0, x), 0.0)


@composite(np.ldexp, lambda x: np.ldexp(x, [1, -2, 0, 3]), family="elementwise")
def ldexp(x: Any, exponent: Any) -> Any:
    """``x * 2**exponent`` with static exponents."""
    return x * np.ldexp(1.0, exponent)


@composite(np.unwrap, lambda x: np.unwrap(9.0 * x), lambda x: np.unwrap(9.0 * x, axis=0, period=3.0))
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2.0 * math.pi) -> Any:
    """``np.unwrap``: jumps are moved by whole periods, so that the slope stays."""
    p = np.moveaxis(p, axis, 0)
    jump, half = p[1:] - p[:-1], 0.5 * period
    periods = np.floor((jump + half) / period)
    periods = np.where(np.equal(jump, period * periods - half) & np.greater(jump, 0.0), periods - 1.0, periods)
    periods = np.where(np.less(np.abs(jump), half if discont is None else discont), 0.0, periods)
    return np.moveaxis(np.concatenate([p[:1], p[1:] - period * np.cumsum(periods, axis=0)]), 0, axis)


@composite(np.cov, lambda x: np.cov(x), lambda x: np.cov(x, rowvar=False, ddof=0), lambda x: np.cov(x[0], x[1]))
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    """``np.cov`` without weights."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    rows = [np.atleast_2d(v) if rowvar or np.ndim(v) == 1 else np.transpose(v) for v in (m, y) if v is not None]
    a = np.concatenate(rows, axis=0)
    a = a - np.mean(a, axis=1, keepdims=True)
    return np.squeeze(a @ a.T / np.maximum(a.shape[1] - ((0 if bias else 1) if ddof is None else ddof), 0.0))


AS_NUMPY.add(np.cov)


@composite(np.corrcoef, lambda x: np.corrcoef(x), lambda x: np.corrcoef(x[0], x[1])[0, 1])
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """``np.corrcoef``: NumPy's diagonal is one up to rounding, and so is ours."""
    c = np.atleast_2d(cov(x, y, rowvar))
    deviation = np.sqrt(np.diagonal(c))
    return np.squeeze(np.clip(c / deviation[:, None] / deviation[None, :], -1.0, 1.0))
