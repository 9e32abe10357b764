"""Functions of scipy.special that SciPy itself computes, at run time; their derivatives are stated by formulas.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 4 to 8, 10, 13, 15,
19 and 25.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced
from sparsead.ops.complex import joined
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.registry import Sample, composite, patched
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.order import for_order, order_wanted, second_order_wanted

LAMBERTW: Any = sc.lambertw
SQRT_PI = math.sqrt(math.pi)
Slope = Callable[..., Any]  # from the fixed parameters, x and the value to the derivative in x


def by_library(func: Callable[..., Any], slope: Slope, parameters: tuple[Any, ...], x: Any) -> Any:
    """Return ``func(*parameters, x)`` of a traced x, elementwise, with ``slope(*parameters, x, value)``."""
    name = f"scipy.special.{func.__name__}"
    if any_traced(*parameters):
        raise unsupported(f"{name} with a traced order or parameter", "Its derivative in it has no closed form here.")
    fixed = tuple(np.asarray(p, dtype=np.float64) for p in parameters)
    x = traced(stack_objects(x))
    shape = np.broadcast_shapes(np.shape(x), *(p.shape for p in fixed))
    x = np.broadcast_to(x, shape)
    value, carrier = carried(name, lambda points: func(*fixed, points), shape, x, elementwise=True)
    if order_wanted() == 0:
        return value
    with for_order(0):
        slopes = traced(slope(*fixed, x, value))
    kept, slopes_carrier = carried(name, np.array, shape, slopes, elementwise=True)
    along = []
    if second_order_wanted():
        with for_order(order_wanted() - 1):  # the formula may name the value, which then has its derivatives, too
            again = slope(*fixed, x, by_library(func, slope, parameters, x))
        along = [restated(again, slopes_carrier)]
    return restated(value + kept * (x - held(x)), carrier, along=along)


def _state(func: Callable[..., Any], slope: Slope, sample: Sample) -> None:
    @composite(func, sample, family="special function")
    def rule(*operands: Any) -> Any:
        return by_library(func, slope, operands[:-1], operands[-1])


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
_state(sc.stdtr, lambda df, t, y: _student(df, t), lambda x: sc.stdtr(4.0, x))


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


def _student(df: Any, t: Any) -> Any:
    scale = sc.gammaln(0.5 * (df + 1.0)) - sc.gammaln(0.5 * df) - 0.5 * np.log(df * math.pi)
    return np.exp(scale - 0.5 * (df + 1.0) * np.log1p(t * t / df))


@composite(sc.betaln, lambda x: sc.betaln(x, 2.0 * x), family="special function")
def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the beta function of positive numbers."""
    return sc.gammaln(a) + sc.gammaln(b) - sc.gammaln(a + b)


@composite(sc.beta, lambda x: sc.beta(x, 2.5), family="special function")
def beta(a: Any, b: Any) -> Any:
    """The beta function of positive numbers."""
    return np.exp(betaln(a, b))


@patched(sc.polygamma, lambda x: sc.polygamma(1, x), family="special function")
def polygamma(n: Any, x: Any) -> Any:
    """``scipy.special.polygamma``."""
    if np.ndim(n) == 0 and n == 0:
        return sc.digamma(x)
    return by_library(sc.polygamma, lambda n, x, y: polygamma_of(n + 1.0, x), (n,), x)


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
    value = by_library(principal, lambda x, y: np.exp(-y) / (1.0 + y), (), z)
    return joined(value, np.zeros(np.shape(value)))


@composite(np.i0, lambda x: np.i0(x), family="special function")
def i0(x: Any) -> Any:
    """``np.i0``, as SciPy computes it."""
    return sc.i0(x)
