"""Derivatives of Bessel, Struve, Kelvin and spherical Bessel functions, one statement each.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 10 and 11.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.ops.evaluated import Slope, by_library, special
from sparsead.ops.registry import patched

# The second derivatives of ber and bei at 0: terms in x**(4 k - 2) and x**(4 k), the last first.
BER = [(-1) ** k * 4 * k * (4 * k - 1) / (2.0 ** (4 * k) * math.factorial(2 * k) ** 2) for k in range(6, 0, -1)]
BEI = [
    (-1) ** k * (4 * k + 2) * (4 * k + 1) / (2.0 ** (4 * k + 2) * math.factorial(2 * k + 1) ** 2)
    for k in range(6, -1, -1)
]


def _cylinder(func: Any, slope: Slope, scale: float = 1.0, order: float = 1.5) -> None:
    special(func, None, slope, samples=[lambda x: func(order, scale * x)])


_cylinder(sc.jve, lambda v, x, y: 0.5 * (sc.jve(v - 1.0, x) - sc.jve(v + 1.0, x)), 3.0)
_cylinder(sc.yve, lambda v, x, y: 0.5 * (sc.yve(v - 1.0, x) - sc.yve(v + 1.0, x)), 3.0)
_cylinder(sc.ive, lambda v, x, y: 0.5 * (sc.ive(v - 1.0, x) + sc.ive(v + 1.0, x)) - np.sign(x) * y)
_cylinder(sc.kve, lambda v, x, y: -0.5 * (sc.kve(v - 1.0, x) + sc.kve(v + 1.0, x)) + y)
_cylinder(sc.kn, lambda v, x, y: -0.5 * (sc.kv(v - 1.0, x) + sc.kv(v + 1.0, x)), order=2)
_cylinder(sc.yn, lambda v, x, y: 0.5 * (sc.yv(v - 1.0, x) - sc.yv(v + 1.0, x)), 3.0, order=2)
_cylinder(sc.struve, lambda v, x, y: _slope_of_struve(sc.struve, -1.0, v, x), 3.0)
_cylinder(sc.modstruve, lambda v, x, y: _slope_of_struve(sc.modstruve, 1.0, v, x))
special(sc.i0e, lambda x, y: sc.i1e(x) - np.sign(x) * y, samples=[sc.i0e])
special(sc.i1e, lambda x, y: 0.5 * (sc.i0e(x) + sc.ive(2.0, x)) - np.sign(x) * y, samples=[sc.i1e])
special(sc.k0e, lambda x, y: y - sc.k1e(x), samples=[sc.k0e])
special(sc.k1e, lambda x, y: y - 0.5 * (sc.k0e(x) + sc.kve(2.0, x)), samples=[sc.k1e])
special(sc.ber, lambda x, y: sc.berp(x), samples=[sc.ber])
special(sc.bei, lambda x, y: sc.beip(x), samples=[sc.bei])
special(sc.ker, lambda x, y: sc.kerp(x), samples=[sc.ker])
special(sc.kei, lambda x, y: sc.keip(x), samples=[sc.kei])
special(sc.berp, lambda x, y: _near_0(x, BER, lambda x: -sc.bei(x) - sc.berp(x) / x), samples=[sc.berp])
special(sc.beip, lambda x, y: _near_0(x, BEI, lambda x: sc.ber(x) - sc.beip(x) / x), samples=[sc.beip])
special(sc.kerp, lambda x, y: -sc.kei(x) - y / x, samples=[sc.kerp])
special(sc.keip, lambda x, y: _infinite_at_0(x, lambda x: sc.ker(x) - sc.keip(x) / x), samples=[sc.keip])


def _slope_of_struve(func: Any, sign: float, v: Any, x: Any) -> Any:
    """Return the derivative of a Struve function by those of neighbouring orders: no quotient, which is 0 / 0 at 0.

    That of order -1 is known by that of order 1, of which derivatives at 0 are, too.
    """
    zeroth = np.equal(v, 0.0)
    below = np.where(zeroth, 2.0 / math.pi + sign * func(1.0, x), func(np.where(zeroth, 1.0, v) - 1.0, x))
    power = np.where(zeroth, 1.0, (0.5 * x) ** np.where(zeroth, 1.0, v))
    return 0.5 * (below + sign * func(v + 1.0, x) + power * sc.rgamma(v + 1.5) / math.sqrt(math.pi))


def _near_0(x: Any, series: Sequence[float], away: Slope) -> Any:
    """Return a series in ``x**4`` (of its first terms, from the last on), where x is below 1; else a formula."""
    small = np.abs(x) < 1.0
    total: Any = 0.0
    for coefficient in series:
        total = total * x**4 + coefficient
    return np.where(small, total * (x * x if series is BER else 1.0), away(np.where(small, 1.0, x)))


def _infinite_at_0(x: Any, away: Slope) -> Any:
    zero = np.equal(x, 0.0)
    return np.where(zero, np.inf, away(np.where(zero, 1.0, x)))


def _spherical(name: str, down: float, up: float) -> None:
    """State a spherical Bessel function, of which SciPy knows the first derivative; the second is by neighbours."""
    func: Any = getattr(sc, name)

    def slope(n: Any, z: Any) -> Any:
        return func(n, z, True)

    slope.__name__ = name

    def at(n: Any, z: Any, derivative: Any) -> Any:
        if not derivative:
            return by_library(func, (None, lambda n, z, y: at(n, z, True)), (n, z))
        return by_library(slope, (None, second), (n, z))

    def second(n: Any, z: Any, y: Any) -> Any:
        below = np.where(np.equal(n, 0), 0, np.subtract(n, 1))  # whose factor is 0
        return (down * n * at(below, z, True) + up * (n + 1.0) * at(np.add(n, 1), z, True)) / (2.0 * n + 1.0)

    @patched(
        func, lambda x: getattr(sc, name)(2, 3.0 * x), lambda x: getattr(sc, name)(1, 3.0 * x, derivative=True),
        family="special function",
    )  # fmt: skip
    def rule(n: Any, z: Any, derivative: bool = False) -> Any:
        return at(n, z, derivative)


# With the signs of the orders below and above in the derivative.
_spherical("spherical_jn", 1.0, -1.0)
_spherical("spherical_yn", 1.0, -1.0)
_spherical("spherical_in", 1.0, 1.0)
_spherical("spherical_kn", -1.0, -1.0)
