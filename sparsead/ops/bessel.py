"""Derivatives of Bessel, Struve, Kelvin and spherical Bessel functions, one statement each.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 10 and 11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.ops.evaluated import Slope, by_library, special
from sparsead.ops.registry import patched


def _cylinder(func: Any, slope: Slope, scale: float = 1.0, order: float = 1.5) -> None:
    special(func, None, slope, samples=[lambda x: func(order, scale * x)])


_cylinder(sc.jve, lambda v, x, y: 0.5 * (sc.jve(v - 1.0, x) - sc.jve(v + 1.0, x)), 3.0)
_cylinder(sc.yve, lambda v, x, y: 0.5 * (sc.yve(v - 1.0, x) - sc.yve(v + 1.0, x)), 3.0)
_cylinder(sc.ive, lambda v, x, y: 0.5 * (sc.ive(v - 1.0, x) + sc.ive(v + 1.0, x)) - np.sign(x) * y)
_cylinder(sc.kve, lambda v, x, y: -0.5 * (sc.kve(v - 1.0, x) + sc.kve(v + 1.0, x)) + y)
_cylinder(sc.kn, lambda v, x, y: -0.5 * (sc.kv(v - 1.0, x) + sc.kv(v + 1.0, x)), order=2)
_cylinder(sc.yn, lambda v, x, y: 0.5 * (sc.yv(v - 1.0, x) - sc.yv(v + 1.0, x)), 3.0, order=2)
_cylinder(sc.struve, lambda v, x, y: sc.struve(v - 1.0, x) - v / x * y, 3.0)
_cylinder(sc.modstruve, lambda v, x, y: sc.modstruve(v - 1.0, x) - v / x * y)
special(sc.i0e, lambda x, y: sc.i1e(x) - np.sign(x) * y, samples=[sc.i0e])
special(sc.i1e, lambda x, y: 0.5 * (sc.i0e(x) + sc.ive(2.0, x)) - np.sign(x) * y, samples=[sc.i1e])
special(sc.k0e, lambda x, y: y - sc.k1e(x), samples=[sc.k0e])
special(sc.k1e, lambda x, y: y - 0.5 * (sc.k0e(x) + sc.kve(2.0, x)), samples=[sc.k1e])
special(sc.ber, lambda x, y: sc.berp(x), samples=[sc.ber])
special(sc.bei, lambda x, y: sc.beip(x), samples=[sc.bei])
special(sc.ker, lambda x, y: sc.kerp(x), samples=[sc.ker])
special(sc.kei, lambda x, y: sc.keip(x), samples=[sc.kei])
special(sc.berp, lambda x, y: -sc.bei(x) - y / x, samples=[sc.berp])
special(sc.beip, lambda x, y: sc.ber(x) - y / x, samples=[sc.beip])
special(sc.kerp, lambda x, y: -sc.kei(x) - y / x, samples=[sc.kerp])
special(sc.keip, lambda x, y: sc.ker(x) - y / x, samples=[sc.keip])


def _spherical(name: str, sign: float) -> None:
    """State a spherical Bessel function, of which SciPy knows the first derivative; the second is by the equation."""
    func: Any = getattr(sc, name)

    def slope(n: Any, z: Any) -> Any:
        return func(n, z, True)

    slope.__name__ = name

    def at(n: Any, z: Any, derivative: Any) -> Any:
        if not derivative:
            return by_library(func, (None, lambda n, z, y: at(n, z, True)), (n, z))
        return by_library(slope, (None, second), (n, z))

    def second(n: Any, z: Any, y: Any) -> Any:
        return -2.0 / z * y - (sign - n * (n + 1.0) / (z * z)) * at(n, z, False)

    @patched(
        func, lambda x: getattr(sc, name)(2, 3.0 * x), lambda x: getattr(sc, name)(1, 3.0 * x, derivative=True),
        family="special function",
    )  # fmt: skip
    def rule(n: Any, z: Any, derivative: bool = False) -> Any:
        return at(n, z, derivative)


# With z**2 - n (n + 1) in the equation of the first two, and -z**2 - n (n + 1) in that of the others.
_spherical("spherical_jn", 1.0)
_spherical("spherical_yn", 1.0)
_spherical("spherical_in", -1.0)
_spherical("spherical_kn", -1.0)
