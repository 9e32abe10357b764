"""Special functions of scipy.special: what the math library has, and compositions of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special

from sparsead.errors import unsupported
from sparsead.ops.elementwise import cos, less, log, rint, select, sin
from sparsead.ops.registry import composite, elementwise, patched
from sparsead.program.scalar import CALL, Expr, Op

# Coefficients B(2k) / 2k of the asymptotic series of digamma (Abramowitz & Stegun 1964, 6.3.18).
BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
SHIFT = 10  # steps of the recurrence that bring a positive argument to where the series has converged


def psi(x: Any, less: Any, select: Any, log: Any, sin: Any, cos: Any, rint: Any) -> Any:
    """Return the digamma function, in terms of the given functions of expressions or of arrays.

    Recurrence and asymptotic series, reflected below 1/2; near its poles the distance to the pole is what counts. At
    those below zero it has infinities of both signs, and is NaN.
    """
    reflected = less(x, 0.5)
    z = select(reflected, 1.0 - x, x)
    steps: Any = 0.0
    for k in reversed(range(SHIFT)):
        steps = 1.0 / (z + float(k)) + steps
    w = z + float(SHIFT)
    inverse = 1.0 / (w * w)
    series: Any = 0.0
    for b in reversed(BERNOULLI):
        series = (b + series) * inverse
    value = log(w) - 0.5 / w - series - steps
    angle = math.pi * (x - rint(x))
    sine = sin(angle)
    cosine = cos(angle) * select(less(x, 0.0), sine / sine, 1.0)
    return select(reflected, value - math.pi * cosine / sine, value)


def _rule(x: Expr) -> Expr:
    return psi(x, less, select, log, sin, cos, rint)


gammaln: Op = elementwise(scipy.special.gammaln, "lgamma({0})", _rule, singular=True, cost=CALL)
gamma: Op = elementwise(scipy.special.gamma, "tgamma({0})", lambda x: gamma(x) * _rule(x), singular=True, cost=CALL)


@composite(scipy.special.digamma, scipy.special.digamma, lambda x: scipy.special.digamma(x - 2.3), family="elementwise")
def digamma(x: Any) -> Any:
    """``scipy.special.digamma``."""
    return psi(x, np.less, np.where, np.log, np.sin, np.cos, np.rint)


@composite(scipy.special.ndtr, lambda x: scipy.special.ndtr(x - 0.5), family="elementwise")
def ndtr(x: Any) -> Any:
    """The standard normal distribution function."""
    return 0.5 * scipy.special.erfc(-x / math.sqrt(2.0))


# -- functions that do not dispatch: replaced while tracing -------------------------------------------------------
def _largest(a: Any, axis: Any) -> Any:
    """Return what exponents are shifted by: the largest, or 0 where that is no finite number."""
    largest = np.max(a, axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), largest, 0.0)


@patched(
    scipy.special.logsumexp,
    lambda x: scipy.special.logsumexp(x),
    lambda x: scipy.special.logsumexp(x, axis=1, keepdims=True),
    lambda x: scipy.special.logsumexp(x, axis=0, b=np.array([1.0, 2.0, 0.5, 1.0])),
)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``scipy.special.logsumexp``."""
    if return_sign:
        raise unsupported("logsumexp(return_sign=True)", "Weights b must be positive; leave return_sign out.")
    largest = _largest(a, axis)
    scaled = np.exp(a - largest)
    total = np.sum(scaled if b is None else b * scaled, axis=axis, keepdims=True)
    result = np.log(total) + largest
    return result if keepdims else np.squeeze(result, axis=axis)


@patched(scipy.special.softmax, lambda x: scipy.special.softmax(x), lambda x: scipy.special.softmax(x, axis=1))
def softmax(x: Any, axis: Any = None) -> Any:
    """``scipy.special.softmax``."""
    scaled = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return scaled / np.sum(scaled, axis=axis, keepdims=True)


@patched(scipy.special.log_softmax, lambda x: scipy.special.log_softmax(x, axis=1))
def log_softmax(x: Any, axis: Any = None) -> Any:
    """``scipy.special.log_softmax``."""
    return x - logsumexp(x, axis=axis, keepdims=True)
