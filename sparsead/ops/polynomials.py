"""Polynomials as arrays of coefficients, the highest power first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, is_traced, known, known_zeros
from sparsead.ops.registry import composite, patched, record
from sparsead.program.room import require_products
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.late import late
from sparsead.tracing.replacing.methods import replace_method, replace_method_always


@composite(np.polyval, lambda x: np.polyval([1.0, -2.0, 0.5], x), lambda x: np.polyval(x[0], x[1]))
def polyval(p: Any, x: Any) -> Any:
    """``np.polyval`` by Horner's rule."""
    value: Any = 0.0 if any_traced(x) else 0.0 * np.asarray(x)
    for coefficient in p:
        value = value * x + coefficient
    return value


@composite(np.polymul, lambda x: np.polymul(x[0], np.append(0.0, x[1])), lambda x: np.polymul([1.0, 0.0, -2.0], x[0]))
def polymul(a1: Any, a2: Any) -> Any:
    """``np.polymul``: the convolution of the coefficients."""
    return np.convolve(_without_leading_zeros(a1), _without_leading_zeros(a2))


def _without_leading_zeros(p: Any) -> Any:
    """Leave out the zeros that are known to be the first coefficients; unknown ones are taken not to be zero."""
    p = np.atleast_1d(stack_objects(p))
    if np.ndim(p) > 1:
        raise ValueError("Polynomial must be 1d only.")
    if not is_traced(p):
        return np.poly1d(np.asarray(known(p, ""))).coeffs
    return p[np.argmin(known_zeros(p.ref)) :]


@composite(np.polyadd, lambda x: np.polyadd(x[0], x[1, :2] * x[2, :2]))
def polyadd(a1: Any, a2: Any) -> Any:
    """``np.polyadd``."""
    a1, a2 = np.atleast_1d(stack_objects(a1)), np.atleast_1d(stack_objects(a2))
    n = max(len(a1), len(a2))
    return np.pad(a1, (n - len(a1), 0)) + np.pad(a2, (n - len(a2), 0))


@composite(np.polysub, lambda x: np.polysub(x[0, :3], x[1]))
def polysub(a1: Any, a2: Any) -> Any:
    """``np.polysub``."""
    return polyadd(a1, np.negative(a2))


@composite(np.polyder, lambda x: np.polyder(x[0]), lambda x: np.polyder(x[1], 2))
def polyder(p: Any, m: int = 1) -> Any:
    """``np.polyder``."""
    p, m = _coefficients(p, "np.polyder"), int(m)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1.0)
    return p


@composite(np.polyint, lambda x: np.polyint(x[0]), lambda x: np.polyint(x[1], 2, [3.0, 1.0]))
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """``np.polyint``; the constants of integration are 0 unless given."""
    p, m = _coefficients(p, "np.polyint"), int(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    given = np.atleast_1d(0.0 if k is None else k)
    if np.size(given) not in (1, m):
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    constants = np.broadcast_to(given, (m,)) if np.size(given) == 1 else given
    for constant in constants:
        p = np.append(p / np.arange(len(p), 0, -1.0), constant)
    return p


def _coefficients(p: Any, name: str) -> Any:
    if np.ndim(p) > 1:
        raise unsupported(f"{name} of coefficients in {np.ndim(p)} dimensions", "Call it for one polynomial at a time.")
    return np.atleast_1d(p)


@composite(np.poly, lambda x: np.poly(x[0]))
def poly(seq_of_zeros: Any) -> Any:
    """``np.poly`` of given roots."""
    if np.ndim(seq_of_zeros) != 1:
        raise unsupported("np.poly of a matrix", "Its characteristic polynomial needs eigenvalues.")
    coefficients: Any = np.ones(1)
    for root in seq_of_zeros:
        coefficients = polymul(coefficients, [1.0, -root])
    return coefficients


@composite(np.polyfit, lambda x: np.polyfit([0.0, 0.5, 2.0, 3.0], x[0], 2), lambda x: np.polyfit([0.0, 1.0, 3.0], x, 1))
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """``np.polyfit`` at static points: what it makes of the unit vectors, times the values."""
    if is_traced(stack_objects(x)) or full or cov:
        raise unsupported("np.polyfit with traced points x, full= or cov=", "Keep x constant; let y vary.")
    return np.matmul(np.polyfit(x, np.eye(len(x)), deg, rcond, w=w), y)


@composite(np.polydiv, lambda x: np.polydiv(x[0], x[1, :2])[0], lambda x: np.polydiv([1.0, 2.0, 3.0], x[0, :2])[1])
def polydiv(u: Any, v: Any) -> Any:
    """``np.polydiv``: long division; the remainder is taken to have as many coefficients as it may have."""
    u, v = (np.atleast_1d(stack_objects(p)) + 0.0 for p in (u, v))
    steps = max(len(u) - len(v) + 1, 0)
    quotient = []
    for _ in range(steps):
        quotient.append(u[0] / v[0])
        u = np.append(u[1 : len(v)] - quotient[-1] * v[1:], u[len(v) :])
    zero = np.zeros(1)
    return np.stack(quotient) if steps else zero, u if len(u) else zero


@composite(np.vander, lambda x: np.vander(x[0]), lambda x: np.vander(x[1], 3, increasing=True))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """``np.vander``: powers, by repeated products."""
    count = len(x) if N is None else N
    require_products(float(len(x)) * count, "np.vander")
    powers = [np.ones_like(x)]
    for _ in range(count - 1):
        powers.append(powers[-1] * x)
    return np.stack(powers if increasing else powers[::-1], axis=-1)[..., :count]


# -- series in the polynomials of numpy.polynomial, lowest first: Clenshaw's recurrence, as NumPy writes it ---------
SERIES: dict[Callable[..., Any], Callable[..., Any]] = {}  # NumPy's function -> its rule


def _clenshaw(module: Any, name: str, step: Any, last: Any) -> None:
    """State a series: ``step(c0, c1, coefficient, n, x)`` from the highest coefficient on, then ``last(c0, c1, x)``."""
    func = getattr(module, name)

    def in_its_points(x: Any) -> Any:
        return getattr(module, name)(x, [0.4, -1.0, 2.0, 0.5])

    def in_both(x: Any) -> Any:
        return getattr(module, name)(x[0], x[1])

    @patched(func, in_its_points, in_both, family="composite")
    def value(x: Any, c: Any, tensor: bool = True) -> Any:
        x, c = traced(stack_objects(x)), traced(stack_objects(c))
        if tensor and x.ndim:
            c = c.reshape(c.shape + (1,) * x.ndim)
        n = len(c)
        c0, c1 = (c[-2], c[-1]) if n > 1 else (c[0], 0.0)
        for k in range(3, n + 1):
            c0, c1 = step(c0, c1, c[-k], n - k + 2, x)
        return last(c0, c1, x)

    SERIES[func] = value


for _name, _step, _last in [
    ("chebyshev.chebval", lambda c0, c1, c, n, x: (c - c1, c0 + c1 * (2.0 * x)), lambda c0, c1, x: c0 + c1 * x),
    (
        "legendre.legval",
        lambda c0, c1, c, n, x: (c - c1 * ((n - 1) / n), c0 + c1 * x * ((2 * n - 1) / n)),
        lambda c0, c1, x: c0 + c1 * x,
    ),
    (
        "hermite.hermval",
        lambda c0, c1, c, n, x: (c - c1 * (2.0 * (n - 1)), c0 + c1 * (2.0 * x)),
        lambda c0, c1, x: c0 + c1 * (2.0 * x),
    ),
    ("hermite_e.hermeval", lambda c0, c1, c, n, x: (c - c1 * (n - 1.0), c0 + c1 * x), lambda c0, c1, x: c0 + c1 * x),
    (
        "laguerre.lagval",
        lambda c0, c1, c, n, x: (c - c1 * ((n - 1) / n), c0 + c1 * ((2 * n - 1) - x) / n),
        lambda c0, c1, x: c0 + c1 * (1.0 - x),
    ),
    ("polynomial.polyval", lambda c0, c1, c, n, x: (c, c0 + c1 * x), lambda c0, c1, x: c0 + c1 * x),
]:
    _module, _function = _name.split(".")
    _clenshaw(getattr(np.polynomial, _module), _function, _step, _last)


def _made(original: Callable[..., Any], series: Any, coef: Any, *args: Any, **options: Any) -> None:
    """Make an object such as ``np.polynomial.Polynomial`` whose coefficients are unknown."""
    coef = np.atleast_1d(stack_objects(coef))
    original(series, np.zeros(np.shape(coef)), *args, **options)
    series.coef = coef


def _called(original: Callable[..., Any], series: Any, arg: Any) -> Any:
    """``series(arg)``: the points are moved from one interval to another one, as NumPy does it."""
    if not any_traced([arg, series.coef]) or hasattr(arg, "domain"):  # the argument may be such an object, too
        return original(series, arg)
    offset, scale = np.polynomial.polyutils.mapparms(series.domain, series.window)
    arg = stack_objects(arg) if any_traced([arg]) else np.asarray(arg)
    return late.as_numbers(SERIES[series._val](offset + scale * arg, series.coef))


replace_method("numpy.polynomial._polybase", "ABCPolyBase", "__init__", _made)
replace_method_always("numpy.polynomial._polybase", "ABCPolyBase", "__call__", _called)
record(
    "patched",
    "np.polynomial.Polynomial",
    (
        lambda x: np.polynomial.Polynomial([1.0, -2.0, 0.5])(x),
        lambda x: np.polynomial.Chebyshev([1.0, 3.0, 0.5], domain=[0.0, 3.0]).deriv()(x[0]),
        lambda x: np.polynomial.Legendre(x[0], domain=[0.0, 2.0])([0.5, 1.0]),
    ),
)
