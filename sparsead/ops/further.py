"""Derivatives of rarer functions of scipy.special: integrals of Bessel functions, Hankel, Wright, Mathieu, inverses.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 5, 9 to 12, 14, 25
and 28; those of distributions are reciprocals of densities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.ops.complex import joined
from sparsead.ops.evaluated import Slope, by_library, special
from sparsead.ops.handbook import DEGREE, log_beta, log_gamma, several
from sparsead.ops.registry import composite, patched


# -- Bessel functions -------------------------------------------------------------------------------------------------
def _hankel(func: Any, first: Any, second: Any, sign: float) -> None:
    @composite(func, lambda x: func(1.5, x).real, lambda x: (1j * func(0, x)).real, family="special function")
    def rule(v: Any, x: Any) -> Any:
        return joined(first(v, x), sign * second(v, x))


_hankel(sc.hankel1, sc.jv, sc.yv, 1.0)
_hankel(sc.hankel2, sc.jv, sc.yv, -1.0)


def _integrals(func: Any, *slopes: Slope) -> None:
    several(func, *slopes, samples=[lambda x, k=k: func(x)[k] for k in range(len(slopes))])  # type: ignore[misc]


_integrals(sc.itj0y0, lambda x, y: sc.j0(x), lambda x, y: sc.y0(x))
_integrals(sc.iti0k0, lambda x, y: sc.i0(x), lambda x, y: sc.k0(x))
_integrals(sc.it2j0y0, lambda x, y: (1.0 - sc.j0(x)) / x, lambda x, y: -sc.y0(x) / x)
_integrals(sc.it2i0k0, lambda x, y: (sc.i0(x) - 1.0) / x, lambda x, y: -sc.k0(x) / x)
special(sc.itstruve0, lambda x, y: sc.struve(0, x), samples=[sc.itstruve0])
special(sc.it2struve0, lambda x, y: -sc.struve(0, x) / x, samples=[sc.it2struve0])
special(sc.itmodstruve0, lambda x, y: sc.modstruve(0, x), samples=[sc.itmodstruve0])
special(
    sc.wright_bessel, None, None, lambda a, b, x, y: sc.wright_bessel(a, a + b, x),
    samples=[lambda x: sc.wright_bessel(0.5, 1.5, x)],
)  # fmt: skip
if hasattr(sc, "log_wright_bessel"):  # since SciPy 1.14
    special(
        sc.log_wright_bessel, None, None, lambda a, b, x, y: np.exp(sc.log_wright_bessel(a, a + b, x) - y),
        samples=[lambda x: sc.log_wright_bessel(0.5, 1.5, x)],
    )  # fmt: skip

# -- solutions of equations of second order: value and slope ----------------------------------------------------------
several(
    sc.pbvv, lambda v, x, y: sc.pbvv(v, x)[1], lambda v, x, y: (0.25 * x * x - v - 0.5) * sc.pbvv(v, x)[0],
    samples=[lambda x: sc.pbvv(1.5, x)[0], lambda x: sc.pbvv(1.5, x)[1]],
)  # fmt: skip
several(
    sc.pbwa, lambda a, x, y: sc.pbwa(a, x)[1], lambda a, x, y: (a - 0.25 * x * x) * sc.pbwa(a, x)[0],
    samples=[lambda x: sc.pbwa(0.5, x)[0], lambda x: sc.pbwa(0.5, x)[1]],
)  # fmt: skip


def _mathieu(func: Any, characteristic: Any) -> None:
    """State a Mathieu function of an angle in degrees; the slope that SciPy returns is along one in radians."""

    def bent(m: Any, q: Any, x: Any, y: Any) -> Any:
        return DEGREE * (2.0 * q * sc.cosdg(2.0 * x) - characteristic(m, q)) * func(m, q, x)[0]

    several(
        func, lambda m, q, x, y: DEGREE * func(m, q, x)[1], bent,
        samples=[lambda x: func(2, 1.5, 90.0 * x)[0], lambda x: func(2, 1.5, 90.0 * x)[1]],
    )  # fmt: skip


_mathieu(sc.mathieu_cem, sc.mathieu_a)
_mathieu(sc.mathieu_sem, sc.mathieu_b)

# -- zeta function, factorials, polynomials ---------------------------------------------------------------------------
ZETA: Any = sc.zeta


@patched(sc.zeta, lambda x: sc.zeta(2.5, 1.0 + x), family="special function")
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    """``scipy.special.zeta`` of Hurwitz, in its second argument."""

    def hurwitz(x: Any, q: Any) -> Any:
        return ZETA(x, q)

    hurwitz.__name__ = "zeta"
    return by_library(hurwitz, (None, lambda x, q, y: -x * zeta(x + 1.0, q)), (x, 1.0 if q is None else q))


@patched(sc.perm, lambda x: sc.perm(4.0 + x, 2.0), family="special function")
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """``scipy.special.perm``: of real numbers."""
    inside = np.less_equal(k, N) & np.greater_equal(N, 0.0) & np.greater_equal(k, 0.0)
    return np.where(inside, sc.poch(np.subtract(N, k) + 1.0, k), 0.0)


@composite(sc.eval_sh_jacobi, lambda x: sc.eval_sh_jacobi(3, 2.5, 1.5, x), family="special function")
def eval_sh_jacobi(n: Any, p: Any, q: Any, x: Any) -> Any:
    """``scipy.special.eval_sh_jacobi``: a Jacobi polynomial on [0, 1]."""
    scale = sc.binom(np.add(np.multiply(2.0, n), p) - 1.0, n)
    return sc.eval_jacobi(n, np.subtract(p, q), np.subtract(q, 1.0), 2.0 * x - 1.0) / scale


@composite(sc.radian, lambda x: sc.radian(x, 3.0, 4.0 * x), family="special function")
def radian(d: Any, m: Any, s: Any) -> Any:
    """``scipy.special.radian`` of degrees, minutes and seconds."""
    return DEGREE * (d + np.divide(m, 60.0) + np.divide(s, 3600.0))


# -- inverses of distribution functions -------------------------------------------------------------------------------
special(
    sc.tklmbda, lambda x, p, y: 1.0 / (y ** (p - 1.0) + (1.0 - y) ** (p - 1.0)), None,
    samples=[lambda x: sc.tklmbda(x, 0.5)],
)  # fmt: skip
special(
    sc.gdtrix, None, None, lambda a, b, p, y: 1.0 / (a * np.exp(log_gamma(b, a * y))),
    samples=[lambda x: sc.gdtrix(2.0, 2.5, x)],
)  # fmt: skip
special(
    sc.pdtri, None, lambda k, p, y: -np.exp(-log_gamma(np.floor(k) + 1.0, y)),
    samples=[lambda x: sc.pdtri(2.0, x)],
)  # fmt: skip
special(
    sc.bdtri, None, None, lambda k, n, p, y: -np.exp(-log_beta(np.floor(k) + 1.0, n - np.floor(k), y)),
    samples=[lambda x: sc.bdtri(2, 5, x)],
)  # fmt: skip
special(
    sc.nbdtri, None, None, lambda k, n, p, y: np.exp(-log_beta(n, k + 1.0, y)),
    samples=[lambda x: sc.nbdtri(2, 5, x)],
)  # fmt: skip


@composite(sc.nrdtrimn, lambda x: sc.nrdtrimn(0.3, x, 2.0 * x), family="special function")
def nrdtrimn(p: Any, std: Any, x: Any) -> Any:
    """``scipy.special.nrdtrimn``: the mean of a normal distribution."""
    return np.where(np.greater(std, 0.0), x - np.multiply(std, _inner_quantile(p)), np.nan)


@composite(sc.nrdtrisd, lambda x: sc.nrdtrisd(x, 0.8, 2.0), family="special function")
def nrdtrisd(mn: Any, p: Any, x: Any) -> Any:
    """``scipy.special.nrdtrisd``: the deviation of a normal distribution."""
    return np.subtract(x, mn) / _inner_quantile(p)


def _inner_quantile(p: Any) -> Any:
    return np.where(np.logical_and(np.greater(p, 0.0), np.less(p, 1.0)), sc.ndtri(p), np.nan)
