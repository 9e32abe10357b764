"""Functions of scipy.special of complex numbers, as SciPy computes them: real and imaginary part, and their slopes.

The formulas are those of the NIST Handbook of Mathematical Functions (Olver et al. 2010), chapters 5 to 7, 9 and 10.
Along the real axis an analytic function changes by its derivative, along the imaginary one by 1j times it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.ops import bessel, further, handbook, special  # noqa: F401  (of real numbers: stated first)
from sparsead.ops.complex import joined
from sparsead.ops.evaluated import SQRT_PI, Slope, by_library
from sparsead.ops.registry import Sample, composite, record
from sparsead.tracing.complex import COMPLEX_HANDLERS, parts


def analytic(func: Any, slope: Slope, *samples: Sample) -> None:
    """State the derivative of a function of a complex number, its last operand; those before it are constant."""

    def part(which: str) -> Any:
        def one(*operands: Any) -> Any:
            *orders, a, b = operands
            return getattr(func(*orders, a + 1j * b), which)

        one.__name__ = func.__name__
        return one

    real, imag = part("real"), part("imag")

    def there(*operands: Any) -> Any:
        *orders, a, b, _ = operands
        z = joined(a, b)
        return slope(*orders, z, func(*orders, z))

    def handler(*operands: Any) -> Any:
        *orders, z = operands
        a, b = parts(z)
        given = (*orders, a, np.zeros(np.shape(a)) if b is None else b)
        constant = [None] * len(orders)
        along = (lambda *o: there(*o).real), (lambda *o: -there(*o).imag)
        across = (lambda *o: there(*o).imag), (lambda *o: there(*o).real)
        return joined(by_library(real, (*constant, *along), given), by_library(imag, (*constant, *across), given))

    COMPLEX_HANDLERS[func] = handler
    record("complex", f"scipy.special.{func.__name__} of complex values", samples)


def _point(x: Any) -> Any:
    return 0.4 + x + 1j * x[:, ::-1]


def _stated(func: Any, slope: Slope, *orders: Any) -> None:
    analytic(func, slope, lambda x: (func(*orders, _point(x)) * (1.0 - 0.5j)).real)


@composite(sc.wofz, lambda x: sc.wofz(x).imag, family="special function")
def wofz(x: Any) -> Any:
    """The Faddeeva function of real numbers."""
    return COMPLEX_HANDLERS[sc.wofz](x)


def psi(z: Any) -> Any:
    """The digamma function of a complex number."""
    return special.psi(
        z, lambda u, bound: np.less(u.real, bound), np.where, np.log, np.sin, np.cos, lambda u: np.rint(u.real)
    )


_stated(sc.wofz, lambda z, y: 2j / SQRT_PI - 2.0 * z * y)
_stated(sc.erf, lambda z, y: 2.0 / SQRT_PI * np.exp(-z * z))
_stated(sc.erfc, lambda z, y: -2.0 / SQRT_PI * np.exp(-z * z))
_stated(sc.erfi, lambda z, y: 2.0 / SQRT_PI * np.exp(z * z))
_stated(sc.erfcx, lambda z, y: 2.0 * z * y - 2.0 / SQRT_PI)
_stated(sc.dawsn, lambda z, y: 1.0 - 2.0 * z * y)
_stated(sc.exp1, lambda z, y: -np.exp(-z) / z)
_stated(sc.expi, lambda z, y: np.exp(z) / z)
_stated(sc.gamma, lambda z, y: y * psi(z))
_stated(sc.loggamma, lambda z, y: psi(z))
_stated(sc.jv, lambda v, z, y: 0.5 * (sc.jv(v - 1.0, z) - sc.jv(v + 1.0, z)), 1.5)
_stated(sc.yv, lambda v, z, y: 0.5 * (sc.yv(v - 1.0, z) - sc.yv(v + 1.0, z)), 1.5)
_stated(sc.iv, lambda v, z, y: 0.5 * (sc.iv(v - 1.0, z) + sc.iv(v + 1.0, z)), 0.5)
_stated(sc.kv, lambda v, z, y: -0.5 * (sc.kv(v - 1.0, z) + sc.kv(v + 1.0, z)), 1.0)
_stated(sc.hankel1, lambda v, z, y: 0.5 * (sc.hankel1(v - 1.0, z) - sc.hankel1(v + 1.0, z)), 1.0)
_stated(sc.hankel2, lambda v, z, y: 0.5 * (sc.hankel2(v - 1.0, z) - sc.hankel2(v + 1.0, z)), 1.0)
_stated(sc.hyp0f1, lambda b, z, y: sc.hyp0f1(b + 1.0, z) / b, 1.5)
