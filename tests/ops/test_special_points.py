"""First and second derivatives at special points, against mpmath: every elementwise function of the registry.

The points are where formulas tend to fail: zeros, ties, whole quotients, where terms cancel or exponentials overflow.
Where the function is smooth, which one-sided differences with 80 digits decide, both orders have to be right.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special

import sparsead as sad
from sparsead.ops.registry import REGISTRY

STEP = mp.mpf(10) ** -25
DIGITS = 90
AGREE = 1e-17  # of two one-sided differences, relative: then the function is smooth
LARGEST = 1e250  # of the values to be compared


def _plogp(x: Any, y: Any) -> Any:
    return mp.mpf(0) if x == 0 else x * mp.log(x / y)


def _trunc(x: Any) -> Any:
    return mp.sign(x) * mp.floor(abs(x))


REFERENCES: dict[str, Callable[..., Any]] = {
    "np.absolute": abs, "np.fabs": abs, "np.add": lambda x, y: x + y, "np.subtract": lambda x, y: x - y,
    "np.multiply": lambda x, y: x * y, "np.divide": lambda x, y: x / y, "np.negative": lambda x: -x,
    "np.reciprocal": lambda x: 1 / x, "np.square": lambda x: x * x, "np.sqrt": mp.sqrt,
    "np.cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "np.power": lambda x, y: x**y, "np.float_power": lambda x, y: x**y,
    "np.exp": mp.exp, "np.exp2": lambda x: mp.mpf(2) ** x, "np.expm1": lambda x: mp.exp(x) - 1, "np.log": mp.log,
    "np.log2": lambda x: mp.log(x) / mp.log(2), "np.log10": lambda x: mp.log(x) / mp.log(10),
    "np.log1p": lambda x: mp.log(1 + x), "np.sin": mp.sin, "np.cos": mp.cos, "np.tan": mp.tan,
    "np.arcsin": mp.asin, "np.arccos": mp.acos, "np.arctan": mp.atan, "np.arctan2": mp.atan2,
    "np.hypot": lambda x, y: mp.sqrt(x * x + y * y), "np.sinh": mp.sinh, "np.cosh": mp.cosh, "np.tanh": mp.tanh,
    "np.arcsinh": mp.asinh, "np.arccosh": mp.acosh, "np.arctanh": mp.atanh,
    "np.maximum": max, "np.minimum": min, "np.fmax": max, "np.fmin": min, "np.sign": mp.sign,
    "np.copysign": lambda x, y: abs(x) * (1 if y >= 0 else -1), "np.floor": mp.floor, "np.ceil": mp.ceil,
    "np.trunc": _trunc, "np.rint": mp.nint, "np.fmod": lambda x, y: x - y * _trunc(x / y),
    "np.remainder": lambda x, y: x - y * mp.floor(x / y), "np.floor_divide": lambda x, y: mp.floor(x / y),
    "np.heaviside": lambda x, y: y if x == 0 else mp.mpf(x > 0), "np.deg2rad": mp.radians, "np.rad2deg": mp.degrees,
    "np.logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "np.logaddexp2": lambda x, y: mp.log(mp.mpf(2) ** x + mp.mpf(2) ** y) / mp.log(2),
    "np.sinc": lambda x: mp.mpf(1) if x == 0 else mp.sin(mp.pi * x) / (mp.pi * x),
    "scipy.special.cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "scipy.special.exp2": lambda x: mp.mpf(2) ** x,
    "scipy.special.expm1": lambda x: mp.exp(x) - 1, "scipy.special.log1p": lambda x: mp.log(1 + x),
    "scipy.special.round": mp.nint, "scipy.special.erf": mp.erf, "scipy.special.erfc": mp.erfc,
    "scipy.special.expit": lambda x: 1 / (1 + mp.exp(-x)), "scipy.special.log_expit": lambda x: -mp.log(1 + mp.exp(-x)),
    "scipy.special.logit": lambda x: mp.log(x / (1 - x)), "scipy.special.ndtr": mp.ncdf,
    "scipy.special.gamma": mp.gamma, "scipy.special.gammaln": lambda x: mp.log(abs(mp.gamma(x))),
    "scipy.special.psi": mp.digamma, "scipy.special.entr": lambda x: mp.mpf(0) if x == 0 else -x * mp.log(x),
    "scipy.special.xlogy": lambda x, y: mp.mpf(0) if x == 0 else x * mp.log(y),
    "scipy.special.xlog1py": lambda x, y: mp.mpf(0) if x == 0 else x * mp.log(1 + y),
    "scipy.special.rel_entr": _plogp, "scipy.special.kl_div": lambda x, y: _plogp(x, y) - x + y,
}  # fmt: skip
ELSEWHERE = {
    "np.where": "chosen from in test_choices.py", "np.ldexp": "an integer operand",
}  # fmt: skip

ONE = [0.0, -0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 40.0, 300.0, 0.9999, 1.0001, 0.1, 0.01, 1e-4, 1e-8, 1e-20, 1e-100]
POINTS = {1: [(s * x,) for x in ONE for s in (1.0, -1.0)]}
PAIRS = [0.0, 1.0, -1.0, 0.5, -2.0, 2.0, 3.0, 0.1, 1e-9, 40.0, -45.0, 600.0]
POINTS[2] = [*itertools.product(PAIRS, PAIRS), (1.0, 0.1), (0.7, 0.1), (4.5, 1.5), (-1.0, 0.1)]

ENTRIES = {e.spelling: e for e in REGISTRY if e.family == "elementwise" or e.spelling == "np.sinc"}


def numpy_function(spelling: str) -> Callable[..., Any]:
    """Return what a spelling stands for."""
    root, *names = spelling.split(".")
    found: Any = {"np": np, "scipy": scipy}[root]
    for name in names:
        found = getattr(found, name)
    return found


def is_condition(spelling: str) -> bool:
    """Tell whether a function returns truth values."""
    func = numpy_function(spelling)
    return isinstance(func, np.ufunc) and all(types.endswith("?") for types in func.types if types[0] in "fd")


NUMBERS = [s for s in ENTRIES if not is_condition(s) and "bitwise" not in s and "logical" not in s and s != "np.invert"]


def test_every_function_has_a_reference():
    assert sorted(NUMBERS) == sorted([*REFERENCES, *ELSEWHERE])


def one_sided(f: Callable[..., Any], point: tuple[Any, ...], signs: tuple[int, ...]) -> np.ndarray:
    """Return value, first and second derivatives by differences towards one corner."""
    n, h = len(point), STEP

    def at(*moves: int) -> Any:
        return f(*(p + s * m * h for p, s, m in zip(point, signs, moves, strict=True)))

    def moved(*axes: int) -> Any:
        return at(*(axes.count(k) for k in range(n)))

    first = [(moved(k) - moved()) / (signs[k] * h) for k in range(n)]
    second = [
        (moved(k, q) - moved(k) - moved(q) + moved()) / (signs[k] * signs[q] * h * h)
        for k in range(n)
        for q in range(n)
    ]
    return np.array([moved(), *first, *second], dtype=object)


def smooth(f: Callable[..., Any], point: tuple[float, ...]) -> np.ndarray | None:
    """Return value, first and second derivatives where all one-sided ones agree; None elsewhere."""
    exact = tuple(mp.mpf(p) for p in point)
    try:
        sides = [one_sided(f, exact, signs) for signs in itertools.product((1, -1), repeat=len(point))]
    except (ZeroDivisionError, ValueError, OverflowError, TypeError):
        return None
    numbers = [v for side in sides for v in side]
    if any(mp.im(v) != 0 or not mp.isfinite(v) or abs(v) > LARGEST for v in numbers):
        return None
    reference = sides[0]
    if any(abs(a - b) > AGREE * max(1, abs(b)) for side in sides[1:] for a, b in zip(side, reference, strict=True)):
        return None
    return np.array([float(v) for v in reference])


def expected(spelling: str) -> Iterator[tuple[tuple[float, ...], np.ndarray]]:
    """Yield the points at which a function is smooth, with its derivatives there."""
    arity = numpy_function(spelling).nin if spelling != "np.sinc" else 1
    with mp.workdps(DIGITS):
        for point in POINTS[arity if spelling != "scipy.special.round" else 1]:
            found = smooth(REFERENCES[spelling], point)
            with np.errstate(all="ignore"):
                value = numpy_function(spelling)(*point)
            if found is not None and np.isclose(value, found[0], rtol=1e-12, atol=0.0):
                yield point, found


@pytest.mark.parametrize("spelling", [s for s in NUMBERS if s not in ELSEWHERE])
def test_derivatives_at_special_points(spelling):
    func = numpy_function(spelling)
    points, derivatives = zip(*expected(spelling), strict=True)
    x = np.array(points).T.copy()
    n, count = x.shape
    assert count >= (5 if n == 1 else 25)

    def f(x):
        return func(*x)

    jac = sad.jacobian(f, x, backend="python")
    hess = sad.hessian(lambda x: np.sum(f(x)), x, backend="python")
    found = np.empty((count, 1 + n + n * n))
    J, H = jac(x).toarray(), hess(x).toarray()
    for i in range(count):
        own = [i + count * k for k in range(n)]
        found[i] = [jac.value(x)[i], *J[i, own], *H[np.ix_(own, own)].ravel()]
    np.testing.assert_allclose(found, np.array(derivatives), rtol=2e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (scipy.special.entr, 0.0, np.inf),
        (scipy.special.entr, -1.0, np.nan),  # -inf there: not a function that has a slope
        (lambda x: scipy.special.xlogy(0.0, x), 0.0, 0.0),
        (lambda x: scipy.special.xlogy(x, 0.0), 1.0, -np.inf),
        (lambda x: scipy.special.rel_entr(x, 1.0), 0.0, -np.inf),
        (lambda x: np.logaddexp(x, -np.inf), 0.3, 1.0),
        (lambda x: np.log1p(np.exp(x)), 0.0, 0.5),
        (lambda x: np.logaddexp(0.0, x), 0.0, 0.5),
    ],
)
def test_slopes_at_the_end_of_a_domain(f, x, slope):
    matrix = sad.jacobian(f, np.ones(1), backend="python")(np.array([x]))
    np.testing.assert_array_equal(matrix.toarray(), [[slope]])
