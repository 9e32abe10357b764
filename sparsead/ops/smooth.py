"""Functions that are smooth where their textbook formula is not: at ties, at zero, where exponentials overflow.

Each has derivatives of its own, written so that they, and their derivatives in turn, are right at these points as well.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special

from sparsead.ops.elementwise import absolute, cos, equal, exp, less, log, log1p, logical_and, select
from sparsead.ops.registry import elementwise
from sparsead.program.scalar import CALL, Expr

# -- exponentials added up ----------------------------------------------------------------------------------------
LOG2 = math.log(2.0)
TINY = float(np.finfo(np.float64).tiny)


def _bell(x: Expr) -> Expr:
    """Return the derivative of expit, ``expit(x) expit(-x)``: small at both ends, with all its digits."""
    e = exp(-absolute(x))
    return e / ((1.0 + e) * (1.0 + e))


expit = elementwise(
    scipy.special.expit,
    "(1.0 / (1.0 + exp(-abs({0}))) if {0} >= 0.0 else exp(-abs({0})) / (1.0 + exp(-abs({0}))))",
    _bell,
    cost=CALL,
)
log_expit = elementwise(
    scipy.special.log_expit,
    "(({0} if {0} < 0.0 else 0.0) - log1p(exp(-abs({0}))))",
    lambda x: expit(-x),
    sample=lambda x: scipy.special.log_expit(x - 0.5),
    cost=2 * CALL,
)
logaddexp = elementwise(
    np.logaddexp,
    f"({{0}} + {LOG2!r} if {{0}} == {{1}} else ({{0}} if {{0}} >= {{1}} else {{1}}) + log1p(exp(-abs({{0}} - {{1}}))))",
    lambda x, y: expit(x - y),
    lambda x, y: expit(y - x),
    sample=lambda x: np.logaddexp(x, x[::-1]),
    cost=2 * CALL,
)
logaddexp2 = elementwise(
    np.logaddexp2,
    "({0} + 1.0 if {0} == {1} else "
    f"({{0}} if {{0}} >= {{1}} else {{1}}) + log1p(exp2(-abs({{0}} - {{1}}))) * {1.0 / LOG2!r})",
    lambda x, y: expit(LOG2 * (x - y)),
    lambda x, y: expit(LOG2 * (y - x)),
    cost=2 * CALL,
)


# -- x log(x), 0 at x = 0 -----------------------------------------------------------------------------------------
def _unless_both_zero(x: Expr, y: Expr, quotient: Expr) -> Expr:
    """Return a quotient of x and y, 0 where both are zero; where x alone is, its derivative in x is not lost."""
    return select(logical_and(equal(x, 0.0), equal(y, 0.0)), 0.0, quotient)


LOG_OF_RATIO = f"(log({{0}} / {{1}}) if {TINY!r} <= {{0}} / {{1}} < inf else log({{0}}) - log({{1}}))"

xlogy = elementwise(
    scipy.special.xlogy,
    "(0.0 if {0} == 0.0 and {1} == {1} else {0} * log({1}))",
    lambda x, y: log(y),
    lambda x, y: _unless_both_zero(x, y, x / y),
    singular=True,
    sample=(lambda x: scipy.special.xlogy(x, x[:, ::-1]), lambda x: scipy.special.xlogy(2.0, x)),
    cost=CALL,
)
xlog1py = elementwise(
    scipy.special.xlog1py,
    "(0.0 if {0} == 0.0 and {1} == {1} else {0} * log1p({1}))",
    lambda x, y: log1p(y),
    lambda x, y: _unless_both_zero(x, 1.0 + y, x / (1.0 + y)),
    singular=True,
    cost=CALL,
)
entr = elementwise(
    scipy.special.entr,
    "(-inf if {0} < 0.0 else (0.0 if {0} == 0.0 else -({0} * log({0}))))",
    lambda x: -(log(x) + 1.0),
    singular=True,
    cost=CALL,
)
rel_entr = elementwise(
    scipy.special.rel_entr,
    f"({{0}} * {LOG_OF_RATIO} if {{0}} > 0.0 and {{1}} > 0.0 else "
    "(0.0 if {0} == 0.0 and {1} >= 0.0 else ({0} + {1} if {0} != {0} or {1} != {1} else inf)))",
    lambda x, y: log(x / y) + 1.0,
    lambda x, y: -_unless_both_zero(x, y, x / y),
    singular=True,
    cost=CALL,
)
kl_div = elementwise(
    scipy.special.kl_div,
    "({0} * log({0} / {1}) - {0} + {1} if {0} > 0.0 and {1} > 0.0 else "
    "({1} if {0} == 0.0 and {1} >= 0.0 else ({0} + {1} if {0} != {0} or {1} != {1} else inf)))",
    lambda x, y: log(x / y),
    lambda x, y: 1.0 - _unless_both_zero(x, y, x / y),
    singular=True,
    cost=CALL,
)
logit = elementwise(
    scipy.special.logit, "log({0} / (1.0 - {0}))", lambda x: 1.0 / (x * (1.0 - x)), singular=True, cost=CALL
)

# -- sin(pi x) / (pi x) -------------------------------------------------------------------------------------------
# Of the derivative, sum of (-1)^k 2k pi^(2k) x^(2k-1) / (2k+1)!: up to 1/2 it converges to rounding.
SINC = [(-1.0) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 13)]


def _slope_of_sinc(x: Expr) -> Expr:
    """Return the derivative of sinc: by its series near 0, where the formula loses all digits."""
    square = x * x
    series = x.pool.constant(SINC[-1])
    for coefficient in reversed(SINC[:-1]):
        series = coefficient + series * square
    return select(less(absolute(x), 0.5), series * x, (cos(math.pi * x) - sinc(x)) / x)


sinc = elementwise(
    np.sinc,
    f"(sin({math.pi!r} * {{0}}) / ({math.pi!r} * {{0}}) if {{0}} != 0.0 else 1.0)",
    _slope_of_sinc,
    cost=CALL,
)
