"""Functions of scipy.special that SciPy itself computes, at run time; their derivatives are stated by formulas.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 4 to 8, 10, 13, 15,
19 and 25.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, apply, known
from sparsead.ops.complex import joined
from sparsead.ops.implicit import carried, restated
from sparsead.ops.registry import Sample, composite, patched
from sparsead.program.scalar import Op, define
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.order import for_order, order_wanted, second_order_wanted

LAMBERTW: Any = sc.lambertw
SQRT_PI = math.sqrt(math.pi)


def _motion(slope: Any, x: Any) -> Any:
    return np.zeros(np.broadcast_shapes(np.shape(slope), np.shape(x)))


#: Zero, whose derivative in the second operand is the first one, which may be infinite: a product would be NaN then.
MOTION = define(
    Op("motion", _motion, "0.0", (lambda slope, x: slope.pool.constant(0.0), lambda slope, x: slope))
)  # fmt: skip
Slope = Callable[..., Any]  # from all operands and the value to the derivative in one of the operands


def by_library(func: Callable[..., Any], slopes: Sequence[Slope | None], operands: Sequence[Any]) -> Any:
    """Return what a function of the library gives elementwise; `slopes` has its derivative in each operand.

    A slope is called with the operands and the value. None is one that has no closed form: such an operand is constant.
    """
    name = spelled(func)
    unknown = [k for k, operand in enumerate(operands) if any_traced(operand)]
    if any(slopes[k] is None for k in unknown):
        raise unsupported(f"{name} with a traced order or parameter", "Its derivative in it has no closed form here.")
    arrays = [stack_objects(o) if k in unknown else np.asarray(known(o, name)) for k, o in enumerate(operands)]
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    xs = [np.broadcast_to(traced(arrays[k]), shape) for k in unknown]
    fixed = [None if k in unknown else array for k, array in enumerate(arrays)]  # what is kept must not be traced

    def filled(points: Sequence[Any]) -> list[Any]:
        given = dict(zip(unknown, points, strict=True))
        return [given.get(k, constant) for k, constant in enumerate(fixed)]

    value, carrier = carried(name, lambda *points: func(*filled(points)), shape, *xs, elementwise=True)
    if order_wanted() == 0:
        return value
    rules = [rule for k in unknown if (rule := slopes[k]) is not None]
    with for_order(0):
        there = [np.broadcast_to(traced(rule(*filled(xs), value)), shape) for rule in rules]
    kept = [carried(name, np.array, shape, slope, elementwise=True) for slope in there]
    along = []
    if second_order_wanted():
        with for_order(order_wanted() - 1):  # the formulas may name the value, which then has its derivatives, too
            value_again = by_library(func, slopes, filled(xs))
            again = [np.broadcast_to(traced(rule(*filled(xs), value_again)), shape) for rule in rules]
        along = [restated(slope, own) for slope, (_, own) in zip(again, kept, strict=True)]
    change = [apply(MOTION, (slope, x)) for x, (slope, _) in zip(xs, kept, strict=True)]
    return restated(sum(change, value), carrier, along=along)


def spelled(func: Callable[..., Any]) -> str:
    """Return the name of a function of scipy.special, or that which it is given for messages."""
    return f"scipy.special.{func.__name__}" if "." not in func.__name__ else func.__name__


def special(func: Callable[..., Any], *slopes: Slope | None, samples: Sequence[Sample]) -> None:
    """State the derivatives of a ufunc of scipy.special in each of its operands."""

    @composite(func, *samples, family="special function")
    def rule(*operands: Any) -> Any:
        return by_library(func, slopes, operands)


def _state(func: Any, slope: Slope, sample: Sample) -> None:
    special(func, *[None] * (func.nin - 1), slope, samples=[sample])


_state(sc.jv, lambda v, x, y: 0.5 * (sc.jv(v - 1.0, x) - sc.jv(v + 1.0, x)), lambda x: sc.jv(1.5, 3.0 * x))
_state(sc.yv, lambda v, x, y: 0.5 * (sc.yv(v - 1.0, x) - sc.yv(v + 1.0, x)), lambda x: sc.yv(1.5, 3.0 * x))
_state(sc.iv, lambda v, x, y: 0.5 * (sc.iv(v - 1.0, x) + sc.iv(v + 1.0, x)), lambda x: sc.iv(0.5, x))
_state(sc.kv, lambda v, x, y: -0.5 * (sc.kv(v - 1.0, x) + sc.kv(v + 1.0, x)), lambda x: sc.kv(1.0, x))
_state(sc.j0, lambda x, y: -sc.j1(x), lambda x: sc.j0(3.0 * x))
_state(sc.j1, lambda x, y: 0.5 * (sc.j0(x) - sc.jv(2.0, x)), lambda x: sc.j1(3.0 * x))
_state(sc.y0, lambda x, y: -sc.y1(x), lambda x: sc.y0(3.0 * x))
_state(sc.y1, lambda x, y: 0.5 * (sc.y0(x) - sc.yv(2.0, x)), lambda x: sc.y1(3.0 * x))
_state(sc.i0, lambda x, y: sc.i1(x), sc.i0)
_state(sc.i1, lambda x, y: 0.5 * (sc.i0(x) + sc.iv(2.0, x)), sc.i1)
_state(sc.k0, lambda x, y: -sc.k1(x), sc.k0)
_state(sc.k1, lambda x, y: -0.5 * (sc.k0(x) + sc.kv(2.0, x)), sc.k1)
_state(sc.exp1, lambda x, y: -np.exp(-x) / x, sc.exp1)
_state(sc.expi, lambda x, y: np.exp(x) / x, sc.expi)
_state(sc.gammainc, lambda a, x, y: np.exp(sc.xlogy(a - 1.0, x) - x - sc.gammaln(a)), lambda x: sc.gammainc(2.5, x))
_state(sc.gammaincc, lambda a, x, y: -np.exp(sc.xlogy(a - 1.0, x) - x - sc.gammaln(a)), lambda x: sc.gammaincc(2.5, x))
_state(
    sc.betainc,
    lambda a, b, x, y: np.exp(sc.xlogy(a - 1.0, x) + sc.xlog1py(b - 1.0, -x) - sc.betaln(a, b)),
    lambda x: sc.betainc(2.0, 3.5, x),
)
_state(
    sc.betaincc,
    lambda a, b, x, y: -np.exp(sc.xlogy(a - 1.0, x) + sc.xlog1py(b - 1.0, -x) - sc.betaln(a, b)),
    lambda x: sc.betaincc(2.0, 3.5, x),
)
_state(sc.erfinv, lambda x, y: 0.5 * SQRT_PI * np.exp(y * y), sc.erfinv)
_state(sc.erfcinv, lambda x, y: -0.5 * SQRT_PI * np.exp(y * y), sc.erfcinv)
_state(sc.ndtri, lambda x, y: math.sqrt(2.0 * math.pi) * np.exp(0.5 * y * y), sc.ndtri)
_state(sc.log_ndtr, lambda x, y: np.exp(-0.5 * x * x - y) / math.sqrt(2.0 * math.pi), lambda x: sc.log_ndtr(x - 0.5))
_state(sc.erfcx, lambda x, y: 2.0 * x * y - 2.0 / SQRT_PI, sc.erfcx)
_state(sc.erfi, lambda x, y: 2.0 / SQRT_PI * np.exp(x * x), sc.erfi)
_state(sc.dawsn, lambda x, y: 1.0 - 2.0 * x * y, sc.dawsn)
_state(sc.ellipe, lambda m, y: _difference(m, y, sc.ellipk(m)), sc.ellipe)
_state(sc.ellipk, lambda m, y: _growth(m, y), sc.ellipk)
_state(sc.spence, lambda x, y: _log_ratio(x), lambda x: sc.spence(x + 0.2))
_state(sc.hyp2f1, lambda a, b, c, x, y: a * b / c * sc.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x),
       lambda x: sc.hyp2f1(1.0, 2.0, 3.5, 0.9 * x))  # fmt: skip
_state(sc.hyp1f1, lambda a, b, x, y: a / b * sc.hyp1f1(a + 1.0, b + 1.0, x), lambda x: sc.hyp1f1(1.5, 2.5, x))
_state(sc.stdtr, lambda df, t, y: student(df, t), lambda x: sc.stdtr(4.0, x))


def _difference(m: Any, e: Any, k: Any) -> Any:
    """Return ``(E - K) / (2 m)``, by its series near 0."""
    small = np.abs(m) < 1e-4
    away = np.where(small, 1.0, m)
    series = -0.125 * math.pi * (1.0 + 0.375 * m + 0.234375 * m * m)
    return np.where(small, series, (e - k) / (2.0 * away))


def _growth(m: Any, k: Any) -> Any:
    """Return the derivative of K, by its series near 0."""
    small = np.abs(m) < 1e-4
    away = np.where(small, 0.5, m)
    series = 0.125 * math.pi * (1.0 + 1.125 * m + 1.171875 * m * m)
    return np.where(small, series, (sc.ellipe(m) / (1.0 - away) - k) / (2.0 * away))


def _log_ratio(x: Any) -> Any:
    """Return ``log(x) / (1 - x)``, by its series near 1."""
    small = np.abs(x - 1.0) < 1e-4
    away = np.where(small, 2.0, x)
    d = x - 1.0
    return np.where(small, -1.0 + d / 2.0 - d * d / 3.0, np.log(away) / (1.0 - away))


def student(df: Any, t: Any) -> Any:
    """Return the density of the t distribution."""
    scale = sc.gammaln(0.5 * (df + 1.0)) - sc.gammaln(0.5 * df) - 0.5 * np.log(df * math.pi)
    return np.exp(scale - 0.5 * (df + 1.0) * np.log1p(t * t / df))


special(
    sc.betaln, lambda a, b, y: sc.digamma(a) - sc.digamma(a + b), lambda a, b, y: sc.digamma(b) - sc.digamma(a + b),
    samples=[lambda x: sc.betaln(x, 2.0 * x)],
)  # fmt: skip
special(
    sc.beta, lambda a, b, y: y * (sc.digamma(a) - sc.digamma(a + b)),
    lambda a, b, y: y * (sc.digamma(b) - sc.digamma(a + b)),
    samples=[lambda x: sc.beta(x, 2.5), lambda x: sc.beta(-0.4 - x, x[0])],
)  # fmt: skip


@patched(sc.polygamma, lambda x: sc.polygamma(1, x), family="special function")
def polygamma(n: Any, x: Any) -> Any:
    """``scipy.special.polygamma``."""
    if np.ndim(n) == 0 and n == 0:
        return sc.digamma(x)
    return by_library(sc.polygamma, (None, lambda n, x, y: polygamma_of(n + 1.0, x)), (n, x))


def polygamma_of(n: Any, x: Any) -> Any:
    """Return the polygamma function of arrays, traced or not."""
    return polygamma(n, x) if any_traced(x) else sc.polygamma(n, x)


@patched(
    sc.lambertw,
    lambda x: sc.lambertw(x).real,  # type: ignore[call-overload]  # its stubs want one spelling of an array
    lambda x: sc.lambertw(-0.3 * x, -1).real,
    family="special function",
)
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """``scipy.special.lambertw`` of real numbers, where the branch is real."""

    def principal(x: Any) -> Any:
        return np.real(LAMBERTW(x, k, tol))

    principal.__name__ = "lambertw"
    value = by_library(principal, (lambda x, y: np.exp(-y) / (1.0 + y),), (z,))
    return joined(value, np.zeros(np.shape(value)))


@composite(np.i0, lambda x: np.i0(x), family="special function")
def i0(x: Any) -> Any:
    """``np.i0``, as SciPy computes it."""
    return sc.i0(x)
