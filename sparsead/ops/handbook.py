"""Derivatives of further functions of scipy.special, one statement each: polynomials, integrals, distributions.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 5 to 8, 18, 19 and
22. Where SciPy's function has several values, the derivative of one of them names the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.ops.evaluated import Slope, by_library, special, student
from sparsead.ops.registry import Sample, composite, patched
from sparsead.tracing.conversions import traced

SERIES = [1.0 / (math.factorial(k) * (k + 2)) for k in range(18)]  # of the slope of exprel
DEGREE = math.pi / 180.0
ROOT = math.sqrt(2.0 * math.pi)
REPEATS_ARE_BINOM = sc.comb(0.5, 0.7, repetition=True) != 0.0  # not so in older SciPy, where it was zero below N = 1


def _below(n: Any) -> Any:
    """Return the degree of the derivative of a polynomial of a constant degree; 0 of a constant, whose factor is 0."""
    return np.where(np.equal(n, 0), 0, np.subtract(n, 1))


def _unless_constant(n: Any, factor: Any) -> Any:
    return np.where(np.equal(n, 0), 0.0, factor)


def _slope_of_exprel(x: Any) -> Any:
    """Return ``(x exp(x) - expm1(x)) / x**2``: by its series near 0, where the formula loses all digits."""
    small = np.abs(x) < 0.5
    near, away = np.where(small, x, 0.0), np.where(small, 1.0, x)
    series: Any = SERIES[-1]
    for coefficient in reversed(SERIES[:-1]):
        series = coefficient + series * near
    return np.where(small, series, (away * np.exp(away) - np.expm1(away)) / (away * away))


# -- orthogonal polynomials, of constant degree ---------------------------------------------------------------------
def polynomial(func: Any, slope: Slope) -> None:
    """State a polynomial, or a function of any degree that continues it, in its last operand."""
    parameters = (1.5, 0.5)[: func.nin - 2]
    special(
        func, *[None] * (func.nin - 1), slope, samples=[lambda x: func(np.arange(1, 5), *parameters, x)]
    )  # fmt: skip


def _jacobi(n: Any, a: Any, b: Any, x: Any) -> Any:
    return _unless_constant(n, 0.5 * (n + a + b + 1.0)) * sc.eval_jacobi(_below(n), a + 1.0, b + 1.0, x)


polynomial(sc.eval_jacobi, lambda n, a, b, x, y: _jacobi(n, a, b, x))
polynomial(sc.eval_legendre, lambda n, x, y: _jacobi(n, 0.0, 0.0, x))
polynomial(sc.eval_sh_legendre, lambda n, x, y: 2.0 * _jacobi(n, 0.0, 0.0, 2.0 * x - 1.0))
polynomial(
    sc.eval_gegenbauer, lambda n, a, x, y: _unless_constant(n, 2.0 * a) * sc.eval_gegenbauer(_below(n), a + 1, x)
)
polynomial(sc.eval_chebyt, lambda n, x, y: n * sc.eval_chebyu(_below(n), x))
polynomial(sc.eval_chebyu, lambda n, x, y: _unless_constant(n, 2.0) * sc.eval_gegenbauer(_below(n), 2.0, x))
polynomial(sc.eval_sh_chebyt, lambda n, x, y: 2.0 * n * sc.eval_chebyu(_below(n), 2.0 * x - 1.0))
polynomial(
    sc.eval_sh_chebyu, lambda n, x, y: _unless_constant(n, 4.0) * sc.eval_gegenbauer(_below(n), 2.0, 2.0 * x - 1.0)
)
polynomial(sc.eval_chebyc, lambda n, x, y: n * sc.eval_chebyu(_below(n), 0.5 * x))
polynomial(sc.eval_chebys, lambda n, x, y: _unless_constant(n, 1.0) * sc.eval_gegenbauer(_below(n), 2.0, 0.5 * x))
polynomial(
    sc.eval_genlaguerre, lambda n, a, x, y: _unless_constant(n, -1.0) * sc.eval_genlaguerre(_below(n), a + 1.0, x)
)
polynomial(sc.eval_laguerre, lambda n, x, y: _unless_constant(n, -1.0) * sc.eval_genlaguerre(_below(n), 1.0, x))
polynomial(sc.eval_hermite, lambda n, x, y: 2.0 * n * sc.eval_hermite(_below(n), x))
polynomial(sc.eval_hermitenorm, lambda n, x, y: n * sc.eval_hermitenorm(_below(n), x))
special(
    sc.lpmv, None, None, lambda m, v, x, y: (v * x * y - (v + m) * sc.lpmv(m, v - 1.0, x)) / (x * x - 1.0),
    samples=[lambda x: sc.lpmv(1, 2.0, x)],
)  # fmt: skip

# -- elementary ones ------------------------------------------------------------------------------------------------
special(sc.exprel, lambda x, y: _slope_of_exprel(x), samples=[sc.exprel, lambda x: sc.exprel(0.01 * x)])
special(sc.exp10, lambda x, y: math.log(10.0) * y, samples=[sc.exp10])
special(sc.cosm1, lambda x, y: -np.sin(x), samples=[sc.cosm1])
special(sc.sindg, lambda x, y: DEGREE * sc.cosdg(x), samples=[lambda x: sc.sindg(90.0 * x)])
special(sc.cosdg, lambda x, y: -DEGREE * sc.sindg(x), samples=[lambda x: sc.cosdg(90.0 * x)])
special(sc.tandg, lambda x, y: DEGREE * (1.0 + y * y), samples=[lambda x: sc.tandg(60.0 * x)])
special(sc.cotdg, lambda x, y: -DEGREE * (1.0 + y * y), samples=[lambda x: sc.cotdg(60.0 * x)])
special(
    sc.powm1, lambda x, p, y: p * x ** (p - 1.0), lambda x, p, y: np.log(x) * x**p,
    samples=[lambda x: sc.powm1(x, 2.0 * x)],
)  # fmt: skip
special(
    sc.boxcox, lambda x, p, y: x ** (p - 1.0), lambda x, p, y: np.log(x) ** 2 * _slope_of_exprel(p * np.log(x)),
    samples=[lambda x: sc.boxcox(x, 0.3), lambda x: sc.boxcox(x, x[:, :1] - 0.4)],
)  # fmt: skip
special(
    sc.boxcox1p, lambda x, p, y: (1.0 + x) ** (p - 1.0),
    lambda x, p, y: np.log1p(x) ** 2 * _slope_of_exprel(p * np.log1p(x)),
    samples=[lambda x: sc.boxcox1p(x, 0.3), lambda x: sc.boxcox1p(x, x[:, :1] - 0.4)],
)  # fmt: skip
special(sc.inv_boxcox, lambda x, p, y: y ** (1.0 - p), None, samples=[lambda x: sc.inv_boxcox(x, 0.3)])
special(sc.inv_boxcox1p, lambda x, p, y: (1.0 + y) ** (1.0 - p), None, samples=[lambda x: sc.inv_boxcox1p(x, 0.3)])
special(
    sc.huber, lambda d, r, y: np.maximum(np.abs(r) - d, 0.0), lambda d, r, y: np.clip(r, -d, d),
    samples=[lambda x: sc.huber(0.5, x), lambda x: sc.huber(x[0], 1.2 * x[1:])],
)  # fmt: skip
special(
    sc.pseudo_huber,
    lambda d, r, y: 2.0 * d * (np.hypot(1.0, r / d) - 1.0) - r * r / (d * np.hypot(1.0, r / d)),
    lambda d, r, y: r / np.hypot(1.0, r / d),
    samples=[lambda x: sc.pseudo_huber(0.5, x), lambda x: sc.pseudo_huber(x[0], x[1:])],
)  # fmt: skip


def _slope_of_rgamma(x: Any) -> Any:
    """Return ``-rgamma(x) * digamma(x)``; to the left by reflection, for at the zeros that is ``0 * inf``."""
    left = np.less(x, 0.5)
    near, away = np.where(left, x, 0.0), np.where(left, 1.0, x)
    turns = np.rint(near)
    angle = math.pi * (near - turns)
    gamma = sc.gamma(1.0 - near) * np.cos(math.pi * turns)
    reflected = gamma * (np.cos(angle) - np.sin(angle) / math.pi * sc.digamma(1.0 - near))
    return np.where(left, reflected, -sc.rgamma(away) * sc.digamma(away))


# -- gamma functions and factorials -----------------------------------------------------------------------------------
special(sc.loggamma, lambda x, y: sc.digamma(x), samples=[sc.loggamma])
special(sc.rgamma, lambda x, y: _slope_of_rgamma(x), samples=[sc.rgamma, lambda x: sc.rgamma(x - 2.5)])
special(
    sc.poch, lambda x, m, y: y * (sc.digamma(x + m) - sc.digamma(x)), lambda x, m, y: y * sc.digamma(x + m),
    samples=[lambda x: sc.poch(x, 2.0), lambda x: sc.poch(2.0, x), lambda x: sc.poch(x, x[0])],
)  # fmt: skip
special(
    sc.binom, lambda n, k, y: y * (sc.digamma(n + 1.0) - sc.digamma(n - k + 1.0)),
    lambda n, k, y: y * (sc.digamma(n - k + 1.0) - sc.digamma(k + 1.0)),
    samples=[lambda x: sc.binom(3.0 + x, 2.0), lambda x: sc.binom(4.0, x), lambda x: sc.binom(2.0 + x, x[0])],
)  # fmt: skip


@patched(sc.multigammaln, lambda x: sc.multigammaln(2.0 + x, 3), family="special function")
def multigammaln(a: Any, d: Any) -> Any:
    """``scipy.special.multigammaln``."""
    return 0.25 * d * (d - 1) * math.log(math.pi) + sum(sc.gammaln(a - 0.5 * j) for j in range(d))


@patched(sc.factorial, lambda x: sc.factorial(3.0 * x), family="special function")
def factorial(n: Any) -> Any:
    """``scipy.special.factorial``: of real numbers."""
    return np.where(np.less(n, 0.0), 0.0, sc.gamma(traced(n) + 1.0))


@patched(
    sc.comb, lambda x: sc.comb(4.0 + x, 2.0), lambda x: sc.comb(4.0, x),
    lambda x: sc.comb(x, 1.5 * x, repetition=True), family="special function",
)  # fmt: skip
def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """``scipy.special.comb``: of real numbers."""
    if repetition and REPEATS_ARE_BINOM:
        return np.where(np.equal(k, 0.0) & np.greater_equal(N, 0.0), 1.0, sc.binom(N + k - 1.0, k))
    if repetition:
        return comb(N + k - 1.0, k)
    inside = np.less_equal(k, N) & np.greater_equal(N, 0.0) & np.greater_equal(k, 0.0)
    return np.where(inside, sc.binom(N, k), 0.0)


# -- functions with several values ------------------------------------------------------------------------------------
def several(func: Any, *slopes: Slope, samples: Sequence[Sample]) -> None:
    """State a ufunc of several values by the derivative of each in the last operand."""

    def value(number: int) -> Any:
        def one(*operands: Any) -> Any:
            return func(*operands)[number]

        one.__name__ = func.__name__
        return one

    values = [value(k) for k in range(func.nout)]

    @composite(func, *samples, family="special function")
    def rule(*operands: Any) -> Any:
        others = [None] * (func.nin - 1)
        return tuple(by_library(one, (*others, slope), operands) for one, slope in zip(values, slopes, strict=True))


several(
    sc.airy, lambda x, y: sc.airy(x)[1], lambda x, y: x * sc.airy(x)[0], lambda x, y: sc.airy(x)[3],
    lambda x, y: x * sc.airy(x)[2], samples=[lambda x: sc.airy(x)[0], lambda x: sc.airy(x)[1] + sc.airy(-x)[3]],
)  # fmt: skip
several(
    sc.fresnel, lambda x, y: np.sin(0.5 * math.pi * x * x), lambda x, y: np.cos(0.5 * math.pi * x * x),
    samples=[lambda x: sc.fresnel(x)[0], lambda x: sc.fresnel(x)[1]],
)  # fmt: skip
several(
    sc.sici, lambda x, y: np.sinc(x / math.pi), lambda x, y: np.cos(x) / x,
    samples=[lambda x: sc.sici(x)[0], lambda x: sc.sici(x)[1]],
)  # fmt: skip
several(
    sc.shichi, lambda x, y: 0.5 * (sc.exprel(x) + sc.exprel(-x)), lambda x, y: np.cosh(x) / x,
    samples=[lambda x: sc.shichi(x)[0], lambda x: sc.shichi(x)[1]],
)  # fmt: skip
several(
    sc.pbdv, lambda v, x, y: sc.pbdv(v, x)[1], lambda v, x, y: (0.25 * x * x - v - 0.5) * sc.pbdv(v, x)[0],
    samples=[lambda x: sc.pbdv(1.5, x)[0], lambda x: sc.pbdv(1.5, x)[1]],
)  # fmt: skip


# -- integrals --------------------------------------------------------------------------------------------------------
special(
    sc.expn, None,
    lambda n, x, y: np.where(np.equal(n, 0), -y * (1.0 + 1.0 / x), -sc.expn(_below(n), x)),
    samples=[lambda x: sc.expn(2, x), lambda x: sc.expn(0, x)],
)  # fmt: skip
special(sc.wrightomega, lambda x, y: y / (1.0 + y), samples=[sc.wrightomega])
special(sc.hyp0f1, None, lambda v, z, y: sc.hyp0f1(v + 1.0, z) / v, samples=[lambda x: sc.hyp0f1(1.5, x)])
special(
    sc.hyperu, None, None, lambda a, b, x, y: -a * sc.hyperu(a + 1.0, b + 1.0, x),
    samples=[lambda x: sc.hyperu(1.5, 2.0, x)],
)  # fmt: skip
special(
    sc.ellipkinc, lambda u, m, y: 1.0 / np.sqrt(1.0 - m * np.sin(u) ** 2), None,
    samples=[lambda x: sc.ellipkinc(x, 0.3)],
)  # fmt: skip
special(sc.ellipeinc, lambda u, m, y: np.sqrt(1.0 - m * np.sin(u) ** 2), None, samples=[lambda x: sc.ellipeinc(x, 0.3)])


@composite(sc.ellipkm1, sc.ellipkm1, family="special function")
def ellipkm1(p: Any) -> Any:
    """``scipy.special.ellipkm1``: by the mean of arithmetic and geometric means, which keeps its digits near 0."""
    return by_library(sc.ellipkm1, (_slope_of_ellipkm1,), (p,))


def _slope_of_ellipkm1(p: Any, y: Any) -> Any:
    """Return ``-(E / p - K) / (2 (1 - p))``, by its series near 1."""
    m = 1.0 - p
    small = np.abs(m) < 1e-4
    series = -0.125 * math.pi * (1.0 + 1.125 * m + 1.171875 * m * m)
    return np.where(small, series, -(sc.ellipe(m) / p - y) / (2.0 * np.where(small, 1.0, m)))


@composite(sc.ellipj, lambda x: sc.ellipj(x, 0.3)[0], lambda x: sc.ellipj(x, 0.3)[1] * sc.ellipj(x, 0.6)[2],
           family="special function")  # fmt: skip
def ellipj(u: Any, m: Any) -> Any:
    """``scipy.special.ellipj``: sine, cosine, delta and amplitude."""

    def one(number: int, slope: Any) -> Any:
        def value(u: Any, m: Any) -> Any:
            return ELLIPJ(u, m)[number]

        value.__name__ = "ellipj"
        return by_library(value, (slope, None), (u, m))

    def of(change: Any) -> Any:
        return lambda u, m, y: change(m, *sc.ellipj(u, m)[:3])

    return (
        one(0, of(lambda m, sn, cn, dn: cn * dn)), one(1, of(lambda m, sn, cn, dn: -sn * dn)),
        one(2, of(lambda m, sn, cn, dn: -m * sn * cn)), one(3, of(lambda m, sn, cn, dn: dn)),
    )  # fmt: skip


ELLIPJ: Any = sc.ellipj

special(
    sc.owens_t, lambda h, a, y: -np.exp(-0.5 * h * h) * sc.erf(a * h / math.sqrt(2.0)) / (2.0 * ROOT),
    lambda h, a, y: np.exp(-0.5 * h * h * (1.0 + a * a)) / (2.0 * math.pi * (1.0 + a * a)),
    samples=[lambda x: sc.owens_t(x, 0.5), lambda x: sc.owens_t(x, x[0])],
)  # fmt: skip


@composite(sc.agm, lambda x: sc.agm(x, 1.0), lambda x: sc.agm(x, x[0]), family="special function")
def agm(a: Any, b: Any) -> Any:
    """``scipy.special.agm`` of positive numbers: the mean of arithmetic and geometric means."""
    total = np.add(a, b)
    return 0.25 * math.pi * total / sc.ellipk((np.subtract(a, b) / total) ** 2)


def _absorption(x: Any, s: Any, g: Any, y: Any) -> Any:
    """Return the derivatives of the Voigt profile in x and in the width of Lorentz; y is the profile."""
    dispersion = by_library(_dispersion, (_dispersion_x, _dispersion_s, _dispersion_g), (x, s, g))
    return (g * dispersion - x * y) / (s * s), (x * dispersion + g * y - 1.0 / math.pi) / (s * s)


def _dispersion(x: Any, s: Any, g: Any) -> Any:
    return sc.wofz((x + 1j * g) / (s * math.sqrt(2.0))).imag / (s * ROOT)


_dispersion.__name__ = "voigt_profile"


def _dispersion_x(x: Any, s: Any, g: Any, y: Any) -> Any:
    return -_absorption(x, s, g, sc.voigt_profile(x, s, g))[1]


def _dispersion_g(x: Any, s: Any, g: Any, y: Any) -> Any:
    return _absorption(x, s, g, sc.voigt_profile(x, s, g))[0]


def _dispersion_s(x: Any, s: Any, g: Any, y: Any) -> Any:
    return -(y + x * _dispersion_x(x, s, g, y) + g * _dispersion_g(x, s, g, y)) / s


def _voigt_s(x: Any, s: Any, g: Any, y: Any) -> Any:
    along_x, along_g = _absorption(x, s, g, y)
    return -(y + x * along_x + g * along_g) / s


special(
    sc.voigt_profile, lambda x, s, g, y: _absorption(x, s, g, y)[0], _voigt_s,
    lambda x, s, g, y: _absorption(x, s, g, y)[1],
    samples=[lambda x: sc.voigt_profile(x, 0.7, 0.4), lambda x: sc.voigt_profile(x, 0.5 + x[0], 0.3 + x[1])],
)  # fmt: skip


# -- distribution functions, and their inverses -----------------------------------------------------------------------
def log_gamma(a: Any, x: Any) -> Any:
    """Return the logarithm of the density of the gamma distribution."""
    return sc.xlogy(a - 1.0, x) - x - sc.gammaln(a)


def log_beta(a: Any, b: Any, x: Any) -> Any:
    """Return the logarithm of the density of the beta distribution."""
    return sc.xlogy(a - 1.0, x) + sc.xlog1py(b - 1.0, -x) - sc.betaln(a, b)


def _fisher(m: Any, n: Any, x: Any) -> Any:
    """Return the density of the F distribution."""
    total = n + m * x
    return np.exp(log_beta(0.5 * m, 0.5 * n, m * x / total)) * m * n / (total * total)


def distribution(func: Any, slope: Slope, *parameters: float, last: float = 1.0) -> None:
    """State a distribution function, or its inverse, in its last operand."""
    special(func, *[None] * (func.nin - 1), slope, samples=[lambda x: func(*parameters, last * x)])


distribution(sc.gammaincinv, lambda a, p, y: np.exp(-log_gamma(a, y)), 2.5)
distribution(sc.gammainccinv, lambda a, p, y: -np.exp(-log_gamma(a, y)), 2.5)
distribution(sc.betaincinv, lambda a, b, p, y: np.exp(-log_beta(a, b, y)), 2.0, 3.5)
distribution(sc.betainccinv, lambda a, b, p, y: -np.exp(-log_beta(a, b, y)), 2.0, 3.5)
distribution(sc.chdtr, lambda v, x, y: 0.5 * np.exp(log_gamma(0.5 * v, 0.5 * x)), 3.0)
distribution(sc.chdtrc, lambda v, x, y: -0.5 * np.exp(log_gamma(0.5 * v, 0.5 * x)), 3.0)
distribution(sc.chdtri, lambda v, p, y: -2.0 * np.exp(-log_gamma(0.5 * v, 0.5 * y)), 3.0)
distribution(sc.fdtr, lambda m, n, x, y: _fisher(m, n, x), 2.0, 3.0)
distribution(sc.fdtrc, lambda m, n, x, y: -_fisher(m, n, x), 2.0, 3.0)
distribution(sc.fdtri, lambda m, n, p, y: 1.0 / _fisher(m, n, y), 2.0, 3.0)
distribution(sc.stdtrit, lambda df, p, y: 1.0 / student(df, y), 4.0)
distribution(sc.ndtri_exp, lambda p, y: ROOT * np.exp(p + 0.5 * y * y), last=-1.0)
distribution(sc.pdtr, lambda k, m, y: -np.exp(log_gamma(np.floor(k) + 1.0, m)), 2.0, last=3.0)
distribution(sc.pdtrc, lambda k, m, y: np.exp(log_gamma(np.floor(k) + 1.0, m)), 2.0, last=3.0)
distribution(sc.bdtr, lambda k, n, p, y: -np.exp(log_beta(np.floor(k) + 1.0, n - np.floor(k), p)), 2, 5)
distribution(sc.bdtrc, lambda k, n, p, y: np.exp(log_beta(np.floor(k) + 1.0, n - np.floor(k), p)), 2, 5)
distribution(sc.nbdtr, lambda k, n, p, y: np.exp(log_beta(n, k + 1.0, p)), 2, 5)
distribution(sc.nbdtrc, lambda k, n, p, y: -np.exp(log_beta(n, k + 1.0, p)), 2, 5)
special(
    sc.gdtr, lambda a, b, x, y: x * np.exp(log_gamma(b, a * x)), None,
    lambda a, b, x, y: a * np.exp(log_gamma(b, a * x)),
    samples=[lambda x: sc.gdtr(2.0, 2.5, x), lambda x: sc.gdtr(x, 2.5, x[0])],
)  # fmt: skip
special(
    sc.gdtrc, lambda a, b, x, y: -x * np.exp(log_gamma(b, a * x)), None,
    lambda a, b, x, y: -a * np.exp(log_gamma(b, a * x)),
    samples=[lambda x: sc.gdtrc(2.0, 2.5, x), lambda x: sc.gdtrc(x, 2.5, x[0])],
)  # fmt: skip
